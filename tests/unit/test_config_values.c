/* Values that are more than a number or a word: what is taken, and what is said of the rest. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(literal) literal, sizeof(literal) - 1
#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define SECRET        "0123456789abcdefghijklmnopqrstuv"

static void origins_are_exact(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *value;
        int count; /* -1: refused */
    } rows[] = {
        { __LINE__, "", 0 },
        { __LINE__, "*", 1 },
        { __LINE__, "https://example.org", 1 },
        { __LINE__, "https://example.org http://localhost:8080   https://[2001:db8::1]:8443", 3 },
        { __LINE__, "http://192.0.2.1 http://[::1] capacitor://localhost", 3 },
        { __LINE__, "http://example.org:443 https://example.org:80", 2 },
        { __LINE__, "* https://example.org", -1 },
        { __LINE__, "https://example.org *", -1 },
        { __LINE__, "* *", -1 },
        { __LINE__, "https://*.example.org http://*.a.b-c.example:8080", 2 },
        { __LINE__, "https://*.org", -1 },
        { __LINE__, "https://*.", -1 },
        { __LINE__, "https://*.org.", -1 },
        { __LINE__, "https://*", -1 },
        { __LINE__, "https://*example.org", -1 },
        { __LINE__, "https://a.*.example.org", -1 },
        { __LINE__, "https://*.*.example.org", -1 },
        { __LINE__, "*.example.org", -1 },
        { __LINE__, "https://example.org/", -1 },
        { __LINE__, "https://example.org/a", -1 },
        { __LINE__, "https://Example.org", -1 },
        { __LINE__, "HTTPS://example.org", -1 },
        { __LINE__, "https://example.org:443", -1 }, /* never sent so */
        { __LINE__, "http://example.org:80", -1 },
        { __LINE__, "https://example.org:", -1 },
        { __LINE__, "https://example.org:0", -1 },
        { __LINE__, "https://example.org:65536", -1 },
        { __LINE__, "https://example.org:000443", -1 },
        { __LINE__, "https://example.org:4a", -1 },
        { __LINE__, "https://example.org:-1", -1 },
        { __LINE__, "https://a:1:2", -1 },
        { __LINE__, "https://", -1 },
        { __LINE__, "https:", -1 },
        { __LINE__, "https", -1 },
        { __LINE__, "https:/example.org", -1 },
        { __LINE__, "//example.org", -1 },
        { __LINE__, "example.org", -1 },
        { __LINE__, "null", -1 },
        { __LINE__, "https://user@example.org", -1 },
        { __LINE__, "https://example.org?x", -1 },
        { __LINE__, "https://b\xc3\xbc.example", -1 },
        { __LINE__, "https://[::1", -1 },
        { __LINE__, "https://[::1]x", -1 },
        { __LINE__, "https://[]", -1 },
        { __LINE__, "https://[::1]:", -1 },
        { __LINE__, "https://a,https://b", -1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[300], error[CONFIG_ERROR_BYTES_MAX] = "";
        struct config cfg;
        config_default(&cfg);
        int len = snprintf(text, sizeof text, "origins = %s", rows[i].value);
        bool fine = config_parse(&cfg, text, (size_t)len, error);
        if (fine != (rows[i].count >= 0) || (fine && cfg.origins.count != (size_t)rows[i].count))
            fail_msg("line %d: %s", rows[i].line, error);
    }
    char text[4000] = "origins =", error[CONFIG_ERROR_BYTES_MAX];
    struct config cfg;
    config_default(&cfg);
    for (int i = 0; i < CONFIG_ORIGINS_MAX; i++) strcat(text, " https://a");
    assert_true(config_parse(&cfg, text, strlen(text), error));
    assert_int_equal(cfg.origins.count, CONFIG_ORIGINS_MAX);
    assert_string_equal(cfg.origins.at[CONFIG_ORIGINS_MAX - 1], "https://a");
    strcat(text, " https://a");
    assert_false(config_parse(&cfg, text, strlen(text), error));
    memset(text, 'a', sizeof text);
    memcpy(text, TEXT("origins = https://"));
    assert_true(config_parse(&cfg, text, 10 + 127, error));
    assert_int_equal(strlen(cfg.origins.at[0]), 127);
    assert_false(config_parse(&cfg, text, 10 + 128, error));
}

static void frame_ancestors_are_a_list_of_their_own(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_BYTES_MAX];
    struct config cfg;
    config_default(&cfg);
    assert_int_equal(cfg.frame_ancestors.count, 0);
    assert_true(config_parse(
        &cfg,
        TEXT(
            "origins = https://a.example\nframe_ancestors = https://b.example https://*.c.example"),
        error));
    assert_int_equal(cfg.origins.count, 1);
    assert_string_equal(cfg.origins.at[0], "https://a.example");
    assert_int_equal(cfg.frame_ancestors.count, 2);
    assert_string_equal(cfg.frame_ancestors.at[1], "https://*.c.example");
    assert_false(config_parse(&cfg, TEXT("frame_ancestors = https://b.example/"), error));
}

static void ice_servers_replace_the_default(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        int count; /* -1: refused */
        const char *last;
    } rows[] = {
        { __LINE__, "", 2, "stun:stun.nextcloud.com:443" },
        { __LINE__, "ice_server = none", 0, NULL },
        { __LINE__, "ice_server = stun:a.example", 1, "stun:a.example" },
        { __LINE__, "ice_server = stuns:A.example:5349", 1, "stuns:A.example:5349" },
        { __LINE__, "ice_server = stun:[2001:db8::1]:3478", 1, "stun:[2001:db8::1]:3478" },
        { __LINE__, "ice_server = turn:a:1 me  p#$=w", 1, "turn:a:1 me p#$=w" },
        { __LINE__, "ice_server = stun:a\nice_server = turns:a:1?transport=tcp u p", 2,
          "turns:a:1?transport=tcp u p" },
        { __LINE__, "ice_server = none\nice_server = stun:a", -1, NULL },
        { __LINE__, "ice_server = stun:a\nice_server = none", -1, NULL },
        { __LINE__, "ice_server = none\nice_server = none", -1, NULL },
        { __LINE__, "ice_server =", -1, NULL },
        { __LINE__, "ice_server = stun:", -1, NULL },
        { __LINE__, "ice_server = stun", -1, NULL },
        { __LINE__, "ice_server = stun.example.org:3478", -1, NULL },
        { __LINE__, "ice_server = stun://a:1", -1, NULL },
        { __LINE__, "ice_server = stun:a:0", -1, NULL },
        { __LINE__, "ice_server = stun:a user password", -1, NULL },
        { __LINE__, "ice_server = stun:a?transport=udp", -1, NULL },
        { __LINE__, "ice_server = turn:a", -1, NULL },
        { __LINE__, "ice_server = turn:a user", -1, NULL },
        { __LINE__, "ice_server = turn:a user password more", -1, NULL },
        { __LINE__, "ice_server = turn:a?transport=sctp user password", -1, NULL },
        { __LINE__, "ice_server = turn:?transport=udp user password", -1, NULL },
        { __LINE__, "ice_server = turn:a \xc3\xa4 password", -1, NULL },
        { __LINE__, "ice_server = http:a", -1, NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char error[CONFIG_ERROR_BYTES_MAX] = "";
        struct config cfg;
        config_default(&cfg);
        bool fine = config_parse(&cfg, rows[i].text, strlen(rows[i].text), error);
        if (fine != (rows[i].count >= 0) ||
            (fine && cfg.ice_servers_count != (size_t)rows[i].count) ||
            (fine && rows[i].last != NULL &&
             strcmp(cfg.ice_servers[rows[i].count - 1], rows[i].last) != 0))
            fail_msg("line %d: %s", rows[i].line, error);
    }
    char text[1000] = "", error[CONFIG_ERROR_BYTES_MAX];
    struct config cfg;
    config_default(&cfg);
    for (int i = 0; i < CONFIG_ICE_SERVERS_MAX; i++) strcat(text, "ice_server = stun:a\n");
    assert_true(config_parse(&cfg, text, strlen(text), error));
    strcat(text, "ice_server = stun:a\n");
    assert_false(config_parse(&cfg, text, strlen(text), error));
    assert_non_null(strstr(error, "line 9: ice_server is \"stun:a\"; allowed: "));
    assert_non_null(strstr(error, "up to 8 lines"));
}

static void keys_of_tokens_are_a_list_and_long_enough(void **state)
{
    (void)state;
    char many[CONFIG_TOKEN_KEYS_MAX * 64 + 200] = "";
    static const struct {
        int line;
        const char *text;
        int count; /* -1: refused */
        const char *last_id;
    } rows[] = {
        { __LINE__, "token_key =", 0, NULL },
        { __LINE__, "token_key = shop " SECRET, 1, "shop" },
        { __LINE__, "token_key =   https://shop.example/#2   " SECRET "#$=  ", 1,
          "https://shop.example/#2" },
        { __LINE__, "token_key = old " SECRET "\ntoken_key = new " SECRET, 2, "new" },
        { __LINE__, "token_key = shop", -1, NULL },
        { __LINE__, "token_key = shop 0123456789abcdefghijklmnopqrstu", -1, NULL },
        { __LINE__, "token_key = shop " SECRET " more", -1, NULL },
        { __LINE__, "token_key = sh\xc3\xb6p " SECRET, -1, NULL },
        { __LINE__, "token_key = shop 0123456789abcdefghijklmnopqrst\xc3\xb6", -1, NULL },
        { __LINE__, "token_key = shop " SECRET "\ntoken_key =", -1, NULL },
        { __LINE__, "token_key = " SECRET SECRET "x " SECRET, -1, NULL },
        { __LINE__, "token_key = " SECRET SECRET " " SECRET, 1, SECRET SECRET },
    };
    char error[CONFIG_ERROR_BYTES_MAX] = "";
    struct config cfg;
    for (size_t i = 0; i < COUNT(rows); i++) {
        config_default(&cfg);
        bool fine = config_parse(&cfg, rows[i].text, strlen(rows[i].text), error);
        if (fine != (rows[i].count >= 0) || (fine && cfg.token_keys_count != (size_t)rows[i].count))
            fail_msg("line %d: %s", rows[i].line, error);
        if (fine && rows[i].count > 0)
            assert_string_equal(cfg.token_keys[rows[i].count - 1].id, rows[i].last_id);
    }
    for (int i = 0; i < CONFIG_TOKEN_KEYS_MAX; i++) strcat(many, "token_key = k " SECRET "\n");
    config_default(&cfg);
    assert_true(config_parse(&cfg, many, strlen(many), error));
    assert_string_equal(cfg.token_keys[7].secret, SECRET);
    strcat(many, "token_key = k " SECRET "\n");
    assert_false(config_parse(&cfg, many, strlen(many), error));
}

static void no_error_shows_a_secret(void **state)
{
    (void)state;
    static const char *const texts[] = { "token_key = hunter2", "token_key = k hunter2",
                                         "turn_secret = hunter2 hunter2",
                                         "turn_secret = \t hunter2" };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char error[CONFIG_ERROR_BYTES_MAX] = "";
        struct config cfg;
        config_default(&cfg);
        if (config_parse(&cfg, texts[i], strlen(texts[i]), error)) continue;
        assert_null(strstr(error, "hunter"));
        assert_non_null(strstr(error, " is \"...\"; allowed: "));
    }
}

static void ice_servers_end_at_their_space(void **state)
{
    (void)state;
    char text[1000], error[CONFIG_ERROR_BYTES_MAX];
    for (int password = 480; password < 520; password++) {
        struct config cfg;
        config_default(&cfg);
        int len = snprintf(text, sizeof text, "ice_server = turn:a u %0*d", password, 7);
        bool fine = config_parse(&cfg, text, (size_t)len, error);
        assert_int_equal(fine, strlen("turn:a u ") + (size_t)password < CONFIG_TEXT_BYTES_MAX);
        if (fine) assert_string_equal(cfg.ice_servers[0], text + strlen("ice_server = "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_are_exact),
        cmocka_unit_test(frame_ancestors_are_a_list_of_their_own),
        cmocka_unit_test(ice_servers_replace_the_default),
        cmocka_unit_test(keys_of_tokens_are_a_list_and_long_enough),
        cmocka_unit_test(no_error_shows_a_secret),
        cmocka_unit_test(ice_servers_end_at_their_space),
    };
    return cmocka_run_group_tests_name("config_values", tests, NULL, NULL);
}
