#include "token.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "ident.h"
#include "json.h"
#include "room.h"

enum { NUMBER_BYTES_MAX = 32, ANY_BYTES_MAX = TOKEN_BYTES_MAX };

#define INVALID(detail) PROBLEM(401, "token-invalid", detail)

struct header {
    struct slice alg, crit, b64;
};

struct claims {
    struct slice iss, sub, room, name, role, jti;
    struct slice exp, nbf, aud; /* raw JSON */
};

#define IN(field) offsetof(struct header, field)
static const struct json_field header_fields[] = {
    { .name = "alg",
      .type = JSON_STRING,
      .offset = IN(alg),
      .max = 16,
      .required = true,
      .wrong = "The token's alg must be HS256." },
    { .name = "crit", .type = JSON_RAW, .offset = IN(crit), .max = ANY_BYTES_MAX },
    { .name = "b64", .type = JSON_RAW, .offset = IN(b64), .max = ANY_BYTES_MAX },
    { .name = NULL },
};
#undef IN

#define IN(field) offsetof(struct claims, field)
static const struct json_field claims_fields[] = {
    { .name = "iss",
      .type = JSON_STRING,
      .offset = IN(iss),
      .max = CONFIG_TOKEN_ID_BYTES_MAX,
      .required = true,
      .wrong = "The token's iss must be the id of the key that signs it." },
    { .name = "sub",
      .type = JSON_STRING,
      .offset = IN(sub),
      .min = 1,
      .max = TOKEN_ID_BYTES_MAX,
      .required = true,
      .wrong = "The token's sub must be a string of 1 to 255 bytes." },
    { .name = "room",
      .type = JSON_STRING,
      .offset = IN(room),
      .min = 1,
      .max = ROOM_NAME_BYTES_MAX,
      .required = true,
      .wrong = "The token's room must be a room's name." },
    { .name = "name",
      .type = JSON_STRING,
      .offset = IN(name),
      .max = ROOM_MEMBER_NAME_BYTES_MAX,
      .wrong = "The token's name must be a string of up to 256 bytes." },
    { .name = "role",
      .type = JSON_STRING,
      .offset = IN(role),
      .max = 16,
      .wrong = "The token's role must be host or member." },
    { .name = "jti",
      .type = JSON_STRING,
      .offset = IN(jti),
      .max = TOKEN_ID_BYTES_MAX,
      .wrong = "The token's jti must be a string of up to 255 bytes." },
    { .name = "exp",
      .type = JSON_RAW,
      .offset = IN(exp),
      .max = NUMBER_BYTES_MAX,
      .required = true,
      .wrong = "The token's exp must be a time in seconds." },
    { .name = "nbf", .type = JSON_RAW, .offset = IN(nbf), .max = NUMBER_BYTES_MAX },
    { .name = "aud", .type = JSON_RAW, .offset = IN(aud), .max = ANY_BYTES_MAX },
    { .name = NULL },
};
#undef IN

/* Header and payload as they were signed, and the signature. */
struct parts {
    struct slice header, payload, signature;
    struct slice signed_text; /* header, dot, payload: RFC 7515, section 5.1 */
};

static bool cut(struct slice token, struct parts *out)
{
    if (token.len == 0) return false;
    const char *first = memchr(token.at, '.', token.len), *end = token.at + token.len;
    if (first == NULL) return false;
    const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (second == NULL) return false;
    *out = (struct parts){
        .header = { token.at, (size_t)(first - token.at) },
        .payload = { first + 1, (size_t)(second - first - 1) },
        .signature = { second + 1, (size_t)(end - second - 1) },
        .signed_text = { token.at, (size_t)(second - token.at) },
    };
    return true;
}

/* The keys that made this signature, one bit each. All are tried, whichever fits. */
static unsigned signers(const struct config *cfg, const struct parts *parts)
{
    char given[IDENT_HASH_BYTES + 1];
    uint8_t hash[IDENT_HASH_BYTES];
    size_t len;
    unsigned found = 0;
    if (parts->signature.len != (IDENT_HASH_BYTES * 4 + 2) / 3 ||
        !base64url_decode(parts->signature, given, &len) || len != IDENT_HASH_BYTES)
        return 0;
    for (size_t i = 0; i < cfg->token_keys_count; i++) {
        ident_hmac(slice_of(cfg->token_keys[i].secret), parts->signed_text, hash);
        if (ident_equal(hash, given, IDENT_HASH_BYTES)) found |= 1U << i;
    }
    return found;
}

/* One part's JSON by its table. */
static struct problem decode(struct arena *a, struct slice part, const struct json_field *fields,
                             void *out)
{
    size_t len;
    char *text = arena_alloc(a, part.len + 1);
    if (text == NULL) return PROBLEM(413, "message-too-large", "The token needs too much memory.");
    if (!base64url_decode(part, text, &len)) return INVALID("The token is not base64url.");
    struct problem p = json_decode_unique(a, (struct slice){ text, len }, fields, out);
    if (p.status == 0) return p;
    for (const struct json_field *field = fields; field->name != NULL; field++)
        if (field->wrong == p.detail) return INVALID(p.detail);
    return INVALID("A part of the token is no JSON object, or names something twice.");
}

/* NumericDate (RFC 7519, section 2): seconds, with a fraction perhaps. */
static bool is_time(struct slice raw, int64_t *ms)
{
    char text[NUMBER_BYTES_MAX + 1], *end;
    if (raw.len == 0 || raw.len > NUMBER_BYTES_MAX) return false;
    memcpy(text, raw.at, raw.len);
    text[raw.len] = '\0';
    if (strspn(text, "0123456789.eE+-") != raw.len) return false; /* strtod() knows more */
    double seconds = strtod(text, &end);
    if (*end != '\0' || !isfinite(seconds) || seconds < 0 || seconds > 1e12) return false;
    *ms = (int64_t)(seconds * 1000);
    return true;
}

static struct problem check_times(const struct config *cfg, const struct claims *claims,
                                  int64_t now_ms)
{
    int64_t exp_ms = 0, nbf_ms = 0;
    if (!is_time(claims->exp, &exp_ms))
        return INVALID("The token's exp must be a time in seconds.");
    if (claims->nbf.at != NULL && !is_time(claims->nbf, &nbf_ms))
        return INVALID("The token's nbf must be a time in seconds.");
    if (now_ms >= exp_ms + cfg->token_leeway_ms) /* section 4.1.4: on or after */
        return PROBLEM(401, "token-expired", "The token has expired; ask its site for a new one.");
    if (now_ms + cfg->token_leeway_ms < nbf_ms)
        return PROBLEM(401, "token-early",
                       "The token is not valid yet; its nbf, or a clock, is ahead.");
    return NO_PROBLEM;
}

static bool is_signers(const struct config *cfg, unsigned found, struct slice iss)
{
    for (size_t i = 0; i < cfg->token_keys_count; i++)
        if ((found >> i & 1) != 0 && slice_is(iss, cfg->token_keys[i].id)) return true;
    return false;
}

struct problem token_check(const struct config *cfg, struct arena *a, struct slice token,
                           const char *room, int64_t now_ms, struct token_claims *out)
{
    struct parts parts;
    struct header header = { 0 };
    struct claims claims = { 0 };
    *out = (struct token_claims){ .given = false };
    if (token.len > TOKEN_BYTES_MAX) return INVALID("A token has at most 4096 bytes.");
    if (!cut(token, &parts)) return INVALID("A token has three parts with a dot between.");
    unsigned found = signers(cfg, &parts);
    if (found == 0)
        return INVALID("No key of this server has signed the token with HMAC-SHA-256 (HS256).");
    struct problem p = decode(a, parts.header, header_fields, &header);
    if (p.status == 0) p = decode(a, parts.payload, claims_fields, &claims);
    if (p.status != 0) return p;
    if (!slice_is(header.alg, "HS256")) return INVALID("The token's alg must be HS256.");
    if (header.crit.at != NULL || header.b64.at != NULL) /* RFC 7515, section 4.1.11 */
        return INVALID("The token has a crit or b64 that this server doesn't know.");
    if (!is_signers(cfg, found, claims.iss))
        return INVALID("The token's iss must be the id of the key that signs it.");
    if (claims.aud.at != NULL) return INVALID("The token has an aud, so it is for somebody else.");
    bool host = slice_is(claims.role, "host");
    if (claims.role.at != NULL && !host && !slice_is(claims.role, "member"))
        return INVALID("The token's role must be host or member.");
    if (!slice_is(claims.room, room))
        return PROBLEM(401, "token-other-room", "The token is for another room.");
    p = check_times(cfg, &claims, now_ms);
    if (p.status != 0) return p;
    *out = (struct token_claims){ .given = true, .sub = claims.sub, .host = host };
    if (claims.name.len > 0) out->name = claims.name;
    if (claims.jti.len > 0) out->jti = claims.jti;
    return NO_PROBLEM;
}
