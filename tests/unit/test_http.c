#include "http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int with_arena(void **state)
{
    *state = arena_new(65536);
    return *state == NULL;
}

static int without_arena(void **state)
{
    arena_free(*state);
    return 0;
}

static void the_path_is_found_wherever_the_web_server_puts_it(void **state)
{
    static const struct {
        int line;
        const char *info, *uri, *path;
    } table[] = {
        { __LINE__, "PATH_INFO=/v1/health", "REQUEST_URI=/x", "/v1/health" },
        { __LINE__, "PATH_INFO=", "REQUEST_URI=/api/v1/health?x=/v1/y", "/v1/health" },
        { __LINE__, "X=", "REQUEST_URI=/cgi-bin/klatch.fcgi/v1/rooms/te%61", "/v1/rooms/tea" },
        { __LINE__, "X=", "REQUEST_URI=/a/v1/rooms/v1/join", "/v1/rooms/v1/join" },
        { __LINE__, "PATH_INFO=/else/v1/", "REQUEST_URI=/v1/rooms/%zz", "" },
        { __LINE__, "X=", "REQUEST_URI=/v1/rooms/a%00b", "" },
        { __LINE__, "X=", "REQUEST_URI=/nothing", "" },
        { __LINE__, "X=", "REQUEST_URI=/api/?x=/v1/health", "" },
        { __LINE__, "X=", "Y=", "" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char info[64], uri[64];
        strcpy(info, table[i].info);
        strcpy(uri, table[i].uri);
        char *env[] = { info, uri, NULL };
        struct request rq = { .arena = *state };
        assert_true(http_request_from_env(&rq, env));
        if (!slice_is(rq.path, table[i].path))
            fail_msg("line %d: %.*s", table[i].line, (int)rq.path.len, rq.path.at);
    }
}

static void methods_headers_and_the_key_are_read(void **state)
{
    char post[] = "REQUEST_METHOD=POST", bearer[] = "HTTP_AUTHORIZATION=bearer abc",
         key[] = "HTTP_X_KLATCH_KEY=def", put[] = "REQUEST_METHOD=PUT",
         length[] = "CONTENT_LENGTH=12", origin[] = "HTTP_ORIGIN=https://a.example";
    char *env[] = { post, bearer, length, origin, NULL };
    struct request rq = { .arena = *state };
    assert_true(http_request_from_env(&rq, env));
    assert_int_equal(rq.method, HTTP_POST);
    assert_true(slice_is(rq.key, "abc"));
    assert_true(slice_is(rq.origin, "https://a.example"));
    assert_string_equal(rq.address, "");
    assert_int_equal(http_content_length(env), 12);

    char *both[] = { put, bearer, key, NULL };
    assert_true(http_request_from_env(&rq, both));
    assert_int_equal(rq.method, HTTP_OTHER);
    assert_true(slice_is(rq.key, "def"));
    assert_int_equal(http_content_length(both), -1);
}

static void a_content_length_is_a_number_or_absent(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        int64_t length;
    } table[] = {
        { __LINE__, "CONTENT_LENGTH=0", 0 },
        { __LINE__, "CONTENT_LENGTH=", -1 },
        { __LINE__, "CONTENT_LENGTH=-5", -1 },
        { __LINE__, "CONTENT_LENGTH=5x", -1 },
        { __LINE__, "CONTENT_LENGTH= 5", -1 },
        { __LINE__, "CONTENT_LENGTH=65537", 65537 },
        { __LINE__, "CONTENT_LENGTH=9999999999999", -1 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[64];
        strcpy(text, table[i].text);
        char *env[] = { text, NULL };
        if (http_content_length(env) != table[i].length) fail_msg("line %d", table[i].line);
    }
}

static void escapes_are_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *in;
        bool plus;
        const char *out; /* NULL: refused */
    } table[] = {
        { __LINE__, "abc", false, "abc" },  { __LINE__, "a+b", false, "a+b" },
        { __LINE__, "a+b", true, "a b" },   { __LINE__, "%41%7a", false, "Az" },
        { __LINE__, "%4", false, NULL },    { __LINE__, "%", false, NULL },
        { __LINE__, "%g1", false, NULL },   { __LINE__, "", false, "" },
        { __LINE__, "%2B%26", true, "+&" }, { __LINE__, "x%4", true, NULL },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[16];
        strcpy(text, table[i].in);
        size_t len = http_unescape(text, strlen(text), table[i].plus);
        bool ok = table[i].out == NULL ? len == SIZE_MAX
                                       : slice_is((struct slice){ text, len }, table[i].out);
        if (!ok) fail_msg("line %d", table[i].line);
    }
}

static void a_form_field_is_found_among_others(void **state)
{
    struct slice value;
    assert_true(
        http_form_field(*state, slice_of("jsonx=1&json=%7B%22a%22%3A+1%7D&z"), "json", &value));
    assert_true(slice_is(value, "{\"a\": 1}"));
    assert_true(http_form_field(*state, slice_of("a=1&&b"), "json", &value));
    assert_null(value.at);
    assert_true(http_form_field(*state, SLICE_NONE, "json", &value));
    assert_null(value.at);
    assert_true(http_form_field(*state, slice_of("json="), "json", &value));
    assert_true(slice_is(value, ""));
    assert_false(http_form_field(*state, slice_of("json=%2"), "json", &value));
}

/* The origin that an answer to `origin` lets read it; "" when none. */
static const char *allowed(const struct config *cfg, const char *origin)
{
    static struct answer an;
    http_answer_init(&an);
    http_allow_origin(&an, cfg, &(struct request){ .origin = slice_of(origin) });
    http_answer_free(&an);
    return an.origin;
}

static void an_answer_names_the_origin_that_asked_when_that_is_allowed(void **state)
{
    (void)state;
    struct config cfg = { .origins = { { "https://a.example", "https://*.b.example" }, 2 } };
    char longest[400] = "https://";
    memset(longest + 8, 'a', sizeof longest - 9);
    memcpy(longest + sizeof longest - 12, ".b.example", 11);
    assert_string_equal(allowed(&cfg, "https://a.example"), "https://a.example");
    assert_string_equal(allowed(&cfg, "https://x.b.example"), "https://x.b.example");
    assert_string_equal(allowed(&cfg, "https://b.example"), "");
    assert_string_equal(allowed(&cfg, longest), "");
    assert_string_equal(allowed(&cfg, longest + 150), "");
    assert_string_equal(allowed(&cfg, "null"), "");
    assert_string_equal(allowed(&cfg, NULL), "");
    struct config any = { .origins = { { "*" }, 1 } };
    assert_string_equal(allowed(&any, "https://b.example"), "*");
    assert_string_equal(allowed(&any, NULL), "");
}

static void answer_is(const struct answer *an, const char *needle, bool there)
{
    struct buf out;
    buf_init(&out, 65536);
    http_answer_write(an, &out);
    buf_add(&out, "", 1);
    assert_false(out.failed);
    if ((strstr(out.at, needle) != NULL) != there) fail_msg("%s in %s", needle, out.at);
    buf_free(&out);
}

static void answers_carry_their_headers(void **state)
{
    (void)state;
    struct answer an;
    http_answer_init(&an);
    buf_text(&an.body, "{}");
    answer_is(&an, "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
              true);
    answer_is(&an, "Cache-Control: no-store\r\nVary: Origin\r\n", true);
    answer_is(&an, "\r\n\r\n{}", true);
    answer_is(&an, "Access-Control", false);
    strcpy(an.origin, "https://a.example");
    http_answer_problem(&an, PROBLEM_RETRY(429, "rate-limited", "Wait.", 7));
    answer_is(&an, "Status: 429 Too Many Requests\r\n", true);
    answer_is(&an, "Content-Type: application/problem+json\r\n", true);
    answer_is(&an, "Retry-After: 7\r\n", true);
    answer_is(&an, "Access-Control-Allow-Origin: https://a.example\r\n", true);
    answer_is(&an, "\"status\":429,\"code\":\"rate-limited\",\"detail\":\"Wait.\"}", true);
    an.status = 204;
    buf_clear(&an.body);
    answer_is(&an, "Content-Length", false);
    answer_is(&an, "\r\nContent-Type", false);
    http_answer_free(&an);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_is_found_wherever_the_web_server_puts_it),
        cmocka_unit_test(methods_headers_and_the_key_are_read),
        cmocka_unit_test(a_content_length_is_a_number_or_absent),
        cmocka_unit_test(escapes_are_decoded_or_refused),
        cmocka_unit_test(a_form_field_is_found_among_others),
        cmocka_unit_test(an_answer_names_the_origin_that_asked_when_that_is_allowed),
        cmocka_unit_test(answers_carry_their_headers),
    };
    return cmocka_run_group_tests_name("http", tests, with_arena, without_arena);
}
