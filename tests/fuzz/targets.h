/* targets: what is fuzzed. Each takes any bytes and aborts where a promise of the module's header
 * is broken. fuzz_*.c give them to libFuzzer; tests/unit/test_fuzz_corpus.c replays the corpora. A
 * crash that was mended becomes a corpus file named after its bug. */
#ifndef KLATCH_FUZZ_TARGETS_H
#define KLATCH_FUZZ_TARGETS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_edit.h"
#include "ident.h"
#include "json.h"
#include "token.h"

static inline void must(bool promise)
{
    if (!promise) abort();
}

static inline bool same_bytes(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}

struct fuzz_message {
    struct slice id, data;
};

struct fuzz_body {
    struct slice key, meta;
    int64_t wait_ms;
    bool soon;
    struct fuzz_message *send;
    size_t send_count;
};

static inline void must_be_text(struct slice s, size_t max)
{
    must(s.len <= max && json_utf8_valid(s) && s.at[s.len] == '\0' && strlen(s.at) == s.len);
    struct buf b;
    buf_init(&b, 6 * max + 2);
    json_put_string(&b, s);
    must(!b.failed && json_valid((struct slice){ b.at, b.len }));
    buf_free(&b);
}

static inline void must_be_raw(struct slice s, struct slice body, size_t max)
{
    must(s.len > 0 && s.len <= max && s.at >= body.at && s.at + s.len <= body.at + body.len);
    must(json_valid(s) && strchr(" \t\r\n", s.at[0]) == NULL);
    must(strchr(" \t\r\n", s.at[s.len - 1]) == NULL);
}

/* A body as an endpoint decodes it. */
static inline int fuzz_json(const uint8_t *bytes, size_t len)
{
    static const struct json_field messages[] = {
        { .name = "id",
          .type = JSON_STRING,
          .offset = offsetof(struct fuzz_message, id),
          .min = 1,
          .max = 16,
          .required = true },
        { .name = "data",
          .type = JSON_RAW,
          .offset = offsetof(struct fuzz_message, data),
          .max = 300,
          .required = true },
        { .name = NULL },
    };
    static const struct json_field fields[] = {
        { .name = "key",
          .type = JSON_STRING,
          .offset = offsetof(struct fuzz_body, key),
          .max = 43 },
        { .name = "meta", .type = JSON_RAW, .offset = offsetof(struct fuzz_body, meta), .max = 99 },
        { .name = "wait_ms",
          .type = JSON_INTEGER,
          .offset = offsetof(struct fuzz_body, wait_ms),
          .min = -10,
          .max = 1000000 },
        { .name = "soon", .type = JSON_BOOL, .offset = offsetof(struct fuzz_body, soon) },
        { .name = "send",
          .type = JSON_LIST,
          .offset = offsetof(struct fuzz_body, send),
          .max = 10,
          .row = messages,
          .row_size = sizeof(struct fuzz_message),
          .count_offset = offsetof(struct fuzz_body, send_count) },
        { .name = NULL },
    };
    struct slice body = { (const char *)bytes, len };
    struct fuzz_body out = { .wait_ms = 0 };
    bool valid = json_valid(body);
    must(!valid || json_utf8_valid(body));
    struct arena *a = arena_new(65536);
    must(a != NULL);
    struct problem p = json_decode(a, body, fields, &out);
    must(p.status == 0 || p.status == 400 || p.status == 413);
    must((p.status == 0) == (p.code == NULL) && (p.code == NULL) == (p.detail == NULL));
    if (p.status == 0) {
        must(out.wait_ms >= -10 && out.wait_ms <= 1000000 && out.send_count <= 10);
        if (out.key.at != NULL) must_be_text(out.key, 43);
        if (out.meta.at != NULL) must_be_raw(out.meta, body, 99);
        for (size_t i = 0; i < out.send_count; i++) {
            must_be_text(out.send[i].id, 16);
            must_be_raw(out.send[i].data, body, 300);
        }
    }
    arena_free(a);
    return 0;
}

/* A configuration file. */
static inline int fuzz_config(const uint8_t *bytes, size_t len)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    char error[CONFIG_ERROR_BYTES_MAX] = "";
    struct config cfg, before;
    config_default(&cfg);
    before = cfg;
    if (!config_parse(&cfg, (const char *)bytes, len, error)) {
        must(error[0] != '\0' && memchr(error, '\0', sizeof error) != NULL);
        for (const char *at = error; *at != '\0'; at++) must(*at >= 0x20 && *at < 0x7f);
        must(same_bytes(&cfg, &before, sizeof cfg));
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const char *at = (const char *)&cfg + rows[i].offset;
        int64_t value;
        if (rows[i].type == CONFIG_TEXT || rows[i].type == CONFIG_ADDRESS)
            must(memchr(at, '\0', CONFIG_TEXT_BYTES_MAX) != NULL);
        if (rows[i].type != CONFIG_INTEGER) continue;
        memcpy(&value, at, sizeof value);
        must(value >= rows[i].min && value <= rows[i].max);
    }
    must(cfg.origins.count <= CONFIG_ORIGINS_MAX);
    for (size_t i = 0; i < cfg.origins.count; i++)
        must(json_utf8_valid(slice_of(cfg.origins.at[i])) &&
             (strcmp(cfg.origins.at[i], "*") == 0 || strstr(cfg.origins.at[i], "://") != NULL));
    must(cfg.ice_servers_count <= CONFIG_ICE_SERVERS_MAX);
    for (size_t i = 0; i < cfg.ice_servers_count; i++)
        must(memchr(cfg.ice_servers[i], '\0', CONFIG_TEXT_BYTES_MAX) != NULL &&
             json_utf8_valid(slice_of(cfg.ice_servers[i])));
    return 0;
}

/* Settings put into a configuration file. */
static inline int fuzz_config_edit(const uint8_t *bytes, size_t len)
{
    const struct config_setting settings[] = { { "hold_ms", slice_of("0") },
                                               { "mode", slice_of("parked") } };
    struct slice text = { (const char *)bytes, len };
    struct config cfg;
    struct buf once, twice;
    char error[CONFIG_ERROR_BYTES_MAX];
    buf_init(&once, len + 100);
    buf_init(&twice, len + 200);
    must(config_edit(text, settings, 2, &once));
    must(config_edit((struct slice){ once.at, once.len }, settings, 2, &twice));
    must(once.len == twice.len && same_bytes(once.at, twice.at, once.len));
    config_default(&cfg);
    if (config_parse(&cfg, text.at, text.len, error)) {
        config_default(&cfg);
        must(config_parse(&cfg, once.at, once.len, error));
        must(cfg.hold_ms == 0 && cfg.mode == CONFIG_MODE_PARKED);
    }
    buf_free(&once);
    buf_free(&twice);
    return 0;
}

/* A token, as it came and as one whose last part is the right signature. */
static inline int fuzz_token(const uint8_t *bytes, size_t len)
{
    static const char secret[] = "0123456789abcdefghijklmnopqrstuv";
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct config cfg;
    struct buf text;
    uint8_t hash[IDENT_HASH_BYTES + 1] = { 0 };
    config_default(&cfg);
    memcpy(cfg.token_keys[0].id, "shop", 5);
    memcpy(cfg.token_keys[0].secret, secret, sizeof secret);
    cfg.token_keys_count = 1;
    buf_init(&text, len + 64);
    buf_add(&text, bytes, len);
    for (int made = 0; made < 2; made++) {
        struct token_claims claims;
        struct arena *a = arena_new(65536);
        must(a != NULL);
        struct problem p = token_check(&cfg, a, (struct slice){ text.at, text.len }, "tea",
                                       1700000000000, &claims);
        must(p.status == 0 || p.status == 401);
        must((p.status == 0) == claims.given && (p.detail == NULL) == claims.given);
        must(claims.given || (claims.sub.at == NULL && claims.name.at == NULL && !claims.host));
        must(made == 1 || !claims.given); /* no input has the signature by chance */
        if (claims.given) must_be_text(claims.sub, 255);
        if (claims.given && claims.name.at != NULL) must_be_text(claims.name, 256);
        arena_free(a);
        ident_hmac(slice_of(secret), (struct slice){ text.at, text.len }, hash);
        buf_text(&text, ".");
        for (size_t bit = 0; bit < 258; bit += 6) {
            unsigned pair = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + (bit < 248)];
            buf_add(&text, &digits[pair >> (10 - bit % 8) & 63], 1);
        }
    }
    buf_free(&text);
    return 0;
}

#endif
