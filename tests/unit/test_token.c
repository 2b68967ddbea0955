#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"
#include "ident.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SECRET       "0123456789abcdefghijklmnopqrstuv"
#define OLD_SECRET   "vutsrqponmlkjihgfedcba9876543210"
#define HS256        "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define WHO          "\"iss\":\"shop\",\"sub\":\"7\""
#define BASE         WHO ",\"room\":\"tea\",\"exp\":1700000600"

enum { NOW_S = 1700000000, TEXT_BYTES_MAX = 12000 };

static struct config cfg;

static int with_arena(void **state)
{
    config_default(&cfg);
    strcpy(cfg.token_keys[0].id, "old");
    strcpy(cfg.token_keys[0].secret, OLD_SECRET);
    strcpy(cfg.token_keys[1].id, "shop");
    strcpy(cfg.token_keys[1].secret, SECRET);
    cfg.token_keys_count = 2;
    cfg.token_leeway_ms = 30000;
    *state = arena_new(1 << 20);
    return *state == NULL;
}

static int without_arena(void **state)
{
    arena_free(*state);
    return 0;
}

/* Append as base64url. */
static void put(struct buf *b, const void *at, size_t len)
{
    static char text[BASE64_BYTES(TEXT_BYTES_MAX) + 1];
    base64_encode(at, len, text);
    for (char *c = text; *c != '\0'; c++) *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    buf_add(b, text, strcspn(text, "="));
}

static void mint(struct buf *b, const char *header, const char *payload, const char *secret)
{
    uint8_t hash[IDENT_HASH_BYTES];
    buf_init(b, 4 * TEXT_BYTES_MAX);
    put(b, header, strlen(header));
    buf_text(b, ".");
    put(b, payload, strlen(payload));
    ident_hmac(slice_of(secret), (struct slice){ b->at, b->len }, hash);
    buf_text(b, ".");
    put(b, hash, sizeof hash);
}

/* What becomes of this token; its claims go to *out. */
static struct problem check_text(struct arena *a, struct slice token, struct token_claims *out)
{
    return token_check(&cfg, a, token, "tea", NOW_S * INT64_C(1000), out);
}

static struct problem check(struct arena *a, const char *header, const char *payload,
                            const char *secret, struct token_claims *out)
{
    struct buf b;
    mint(&b, header, payload, secret);
    struct problem p = check_text(a, (struct slice){ b.at, b.len }, out);
    buf_free(&b);
    return p;
}

static void is_code(struct problem p, const char *code, int line)
{
    const char *got = p.status == 0 ? "fine" : p.code;
    if (strcmp(got, code) != 0)
        fail_msg("line %d: %d %s (%s) instead of %s", line, p.status, got,
                 p.detail == NULL ? "" : p.detail, code);
    if (p.status != 0) assert_int_equal(p.status, 401);
}

static void a_token_tells_who_it_is(void **state)
{
    struct token_claims who;
    is_code(check(*state, HS256, "{" BASE "}", SECRET, &who), "fine", __LINE__);
    assert_true(who.given);
    assert_true(slice_is(who.sub, "7"));
    assert_null(who.name.at);
    assert_false(who.host);
    is_code(check(*state, HS256,
                  "{" BASE
                  ",\"name\":\"Zo\\u00eb \\\"Z\\\"\",\"role\":\"host\",\"jti\":\"1\",\"nbf\":1,"
                  "\"plan\":{\"a\":[1]},\"iat\":1}",
                  SECRET, &who),
            "fine", __LINE__);
    assert_true(slice_is(who.name, "Zo\xc3\xab \"Z\""));
    assert_true(who.host);
    is_code(check(*state, HS256, "{" BASE ",\"name\":\"\",\"role\":\"member\"}", SECRET, &who),
            "fine", __LINE__);
    assert_null(who.name.at);
    assert_false(who.host);
}

/* RFC 7515, appendix A.1: the token of the standard itself, with its own key. */
static void the_standards_example_is_signed_as_it_says(void **state)
{
    static const uint8_t key[] = { 3,   35,  53,  75,  43,  15,  165, 188, 131, 126, 6,   101, 119,
                                   123, 166, 143, 90,  179, 40,  230, 240, 84,  201, 40,  169, 15,
                                   132, 178, 210, 80,  46,  191, 211, 251, 90,  146, 210, 6,   71,
                                   239, 150, 138, 180, 195, 119, 98,  61,  34,  61,  46,  33,  114,
                                   5,   46,  79,  8,   192, 205, 154, 245, 103, 208, 128, 163 };
    static const char text[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
        "fQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    struct token_claims who;
    struct config kept = cfg;
    memcpy(cfg.token_keys[0].secret, key, sizeof key);
    strcpy(cfg.token_keys[0].id, "joe");
    struct problem p = check_text(*state, slice_of(text), &who);
    cfg = kept;
    is_code(p, "token-invalid", __LINE__); /* signed, and without sub and room */
    assert_non_null(strstr(p.detail, "sub"));
}

/* This code, and claims with a fine one alone. */
static void is_row(struct arena *a, const char *header, const char *payload, const char *secret,
                   const char *code, int line)
{
    struct token_claims who;
    is_code(check(a, header, payload, secret, &who), code, line);
    if (who.given != (strcmp(code, "fine") == 0)) fail_msg("line %d", line);
}

static void who_signed_is_checked_and_how(void **state)
{
    static const struct {
        int line;
        const char *header, *payload, *secret, *code;
    } rows[] = {
        { __LINE__, HS256, "{\"iss\":\"old\",\"sub\":\"7\",\"room\":\"tea\",\"exp\":1700000600}",
          OLD_SECRET, "fine" },
        /* the key */
        { __LINE__, HS256, "{" BASE "}", "another secret, as long as ours.", "token-invalid" },
        { __LINE__, HS256, "{" BASE "}", OLD_SECRET, "token-invalid" },
        { __LINE__, HS256, "{\"iss\":\"old\",\"sub\":\"7\",\"room\":\"tea\",\"exp\":1700000600}",
          SECRET, "token-invalid" },
        { __LINE__, HS256, "{\"iss\":\"\",\"sub\":\"7\",\"room\":\"tea\",\"exp\":1700000600}",
          SECRET, "token-invalid" },
        /* the algorithm, though the signature is right */
        { __LINE__, "{\"alg\":\"none\"}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{\"alg\":\"hs256\"}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{\"alg\":\"HS512\"}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{\"alg\":\"RS256\"}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{\"alg\":[\"HS256\"]}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{\"alg\":\"HS256\",\"alg\":\"none\"}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "[]", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{" BASE "}", SECRET,
          "token-invalid" },
        { __LINE__, "{\"alg\":\"HS256\",\"b64\":false}", "{" BASE "}", SECRET, "token-invalid" },
        { __LINE__, "{\"alg\":\"HS256\",\"kid\":\"x\",\"typ\":\"jwt\"}", "{" BASE "}", SECRET,
          "fine" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        is_row(*state, rows[i].header, rows[i].payload, rows[i].secret, rows[i].code, rows[i].line);
}

#define IN_TEA(more) "{" WHO ",\"room\":\"tea\"" more "}"

static void what_is_wrong_with_the_claims_is_told_apart(void **state)
{
    static const struct {
        int line;
        const char *payload, *code;
    } rows[] = {
        /* the room */
        { __LINE__, "{" WHO ",\"room\":\"Tea\",\"exp\":1700000600}", "token-other-room" },
        { __LINE__, "{" WHO ",\"room\":\"te\",\"exp\":1700000600}", "token-other-room" },
        { __LINE__, "{" WHO ",\"room\":\"*\",\"exp\":1700000600}", "token-other-room" },
        { __LINE__, "{" WHO ",\"room\":\"coffee\",\"exp\":1}", "token-other-room" },
        { __LINE__, "{" WHO ",\"exp\":1700000600}", "token-invalid" },
        { __LINE__, "{" WHO ",\"room\":[\"tea\"],\"exp\":1700000600}", "token-invalid" },
        /* the times, with 30 s between the clocks */
        { __LINE__, IN_TEA(",\"exp\":1699999971"), "fine" },
        { __LINE__, IN_TEA(",\"exp\":1699999970.5"), "fine" },
        { __LINE__, IN_TEA(",\"exp\":1699999970"), "token-expired" },
        { __LINE__, IN_TEA(",\"exp\":0"), "token-expired" },
        { __LINE__, IN_TEA(",\"exp\":1.7e9"), "fine" },
        { __LINE__, IN_TEA(",\"exp\":-1"), "token-invalid" },
        { __LINE__, IN_TEA(",\"exp\":1e300"), "token-invalid" },
        { __LINE__, IN_TEA(",\"exp\":1700000600000"), "token-invalid" },
        { __LINE__, IN_TEA(",\"exp\":\"1700000600\""), "token-invalid" },
        { __LINE__, IN_TEA(",\"exp\":null"), "token-invalid" },
        { __LINE__, IN_TEA(",\"exp\":true"), "token-invalid" },
        { __LINE__, IN_TEA(""), "token-invalid" },
        { __LINE__, "{" BASE ",\"nbf\":1700000030}", "fine" },
        { __LINE__, "{" BASE ",\"nbf\":1700000031}", "token-early" },
        { __LINE__, "{" BASE ",\"nbf\":\"soon\"}", "token-invalid" },
        { __LINE__, IN_TEA(",\"exp\":1,\"nbf\":1700000031"), "token-expired" },
        /* the rest */
        { __LINE__, "{" BASE ",\"aud\":\"klatch\"}", "token-invalid" },
        { __LINE__, "{" BASE ",\"role\":\"admin\"}", "token-invalid" },
        { __LINE__, "{" BASE ",\"role\":\"\"}", "token-invalid" },
        { __LINE__, "{" BASE ",\"name\":7}", "token-invalid" },
        { __LINE__, "{" BASE ",\"name\":\"a\\u0000b\"}", "token-invalid" },
        { __LINE__, "{" BASE ",\"name\":\"\xff\"}", "token-invalid" },
        { __LINE__, "{" BASE ",\"jti\":7}", "token-invalid" },
        { __LINE__, "{" BASE ",\"sub\":\"8\"}", "token-invalid" },
        { __LINE__, "{" BASE ",\"s\\u0075b\":\"8\"}", "token-invalid" },
        { __LINE__, "{\"iss\":\"shop\",\"sub\":\"\",\"room\":\"tea\",\"exp\":1700000600}",
          "token-invalid" },
        { __LINE__, "{\"iss\":\"shop\",\"sub\":7,\"room\":\"tea\",\"exp\":1700000600}",
          "token-invalid" },
        { __LINE__, "{\"iss\":\"shop\",\"room\":\"tea\",\"exp\":1700000600}", "token-invalid" },
        { __LINE__, "{" BASE, "token-invalid" },
        { __LINE__, "{" BASE "} x", "token-invalid" },
        { __LINE__, "", "token-invalid" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        is_row(*state, HS256, rows[i].payload, SECRET, rows[i].code, rows[i].line);
}

static void a_token_that_was_changed_anywhere_is_refused(void **state)
{
    struct token_claims who;
    struct buf b;
    mint(&b, HS256, "{" BASE "}", SECRET);
    for (size_t len = 0; len < b.len; len++)
        is_code(check_text(*state, (struct slice){ b.at, len }, &who), "token-invalid", __LINE__);
    for (size_t i = 0; i < b.len; i++) {
        static const char others[] = "AB_.= +/\n\xc3";
        char kept = b.at[i];
        for (size_t k = 0; k < sizeof others; k++) { /* the NUL too */
            if (others[k] == kept) continue;
            b.at[i] = others[k];
            is_code(check_text(*state, (struct slice){ b.at, b.len }, &who), "token-invalid",
                    __LINE__);
        }
        b.at[i] = kept;
    }
    is_code(check_text(*state, (struct slice){ b.at, b.len }, &who), "fine", __LINE__);
    buf_text(&b, "A");
    is_code(check_text(*state, (struct slice){ b.at, b.len }, &who), "token-invalid", __LINE__);
    buf_free(&b);
}

static void a_token_of_8_kb_is_refused_and_one_of_4_kb_is_not(void **state)
{
    static char payload[TEXT_BYTES_MAX];
    static const struct {
        int line, pad;
        const char *code;
    } rows[] = { { __LINE__, 2900, "fine" }, { __LINE__, 6000, "token-invalid" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct token_claims who;
        snprintf(payload, sizeof payload, "{" BASE ",\"pad\":\"%0*d\"}", rows[i].pad, 7);
        is_code(check(*state, HS256, payload, SECRET, &who), rows[i].code, rows[i].line);
    }
}

static void nothing_is_signed_where_there_is_no_key(void **state)
{
    struct token_claims who;
    struct config kept = cfg;
    cfg.token_keys_count = 0;
    struct problem p = check(*state, HS256, "{" BASE "}", "", &who);
    cfg = kept;
    is_code(p, "token-invalid", __LINE__);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_tells_who_it_is),
        cmocka_unit_test(the_standards_example_is_signed_as_it_says),
        cmocka_unit_test(who_signed_is_checked_and_how),
        cmocka_unit_test(what_is_wrong_with_the_claims_is_told_apart),
        cmocka_unit_test(a_token_that_was_changed_anywhere_is_refused),
        cmocka_unit_test(a_token_of_8_kb_is_refused_and_one_of_4_kb_is_not),
        cmocka_unit_test(nothing_is_signed_where_there_is_no_key),
    };
    return cmocka_run_group_tests_name("token", tests, with_arena, without_arena);
}
