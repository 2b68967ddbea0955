/* What is JSON and UTF-8, and how strings are written. */
#include "json_fixture.h"

static void only_strict_json_is_valid(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        size_t len;
        bool valid;
    } rows[] = {
        { __LINE__, TEXT(""), false },
        { __LINE__, TEXT(" "), false },
        { __LINE__, TEXT("\xef\xbb\xbf{}"), false }, /* a byte order mark */
        { __LINE__, TEXT("{}"), true },
        { __LINE__, TEXT(" \t\r\n[ ] \n"), true },
        { __LINE__, TEXT("\f[]"), false },
        { __LINE__, TEXT("\xc2\xa0[]"), false },
        { __LINE__, TEXT("[]\0"), false },
        { __LINE__, TEXT("\0"), false },
        { __LINE__, TEXT("[] []"), false },
        { __LINE__, TEXT("{}x"), false },
        { __LINE__, TEXT("{}}"), false },
        { __LINE__, TEXT("["), false },
        { __LINE__, TEXT("[1"), false },
        { __LINE__, TEXT("[1,"), false },
        { __LINE__, TEXT("[1,]"), false },
        { __LINE__, TEXT("[,1]"), false },
        { __LINE__, TEXT("[1 2]"), false },
        { __LINE__, TEXT("[1}"), false },
        { __LINE__, TEXT("{\"a\":1]"), false },
        { __LINE__, TEXT("{\"a\":1,\"b\":[true,false,null]}"), true },
        { __LINE__, TEXT("{\"a\" : 1 , \"b\" : 2 }"), true },
        { __LINE__, TEXT("{\"a\":1,}"), false },
        { __LINE__, TEXT("{\"a\"}"), false },
        { __LINE__, TEXT("{\"a\":}"), false },
        { __LINE__, TEXT("{a:1}"), false },
        { __LINE__, TEXT("{1:1}"), false },
        { __LINE__, TEXT("{,}"), false },
        { __LINE__, TEXT("{"), false },
        { __LINE__, TEXT("{\""), false },
        { __LINE__, TEXT("{\"a\":1"), false },
        { __LINE__, TEXT("// c\n1"), false },
        { __LINE__, TEXT("/**/1"), false },
        { __LINE__, TEXT("true"), true },
        { __LINE__, TEXT("tru"), false },
        { __LINE__, TEXT("truex"), false },
        { __LINE__, TEXT("True"), false },
        { __LINE__, TEXT("nul"), false },
        { __LINE__, TEXT("null"), true },
        { __LINE__, TEXT("undefined"), false },
        { __LINE__, TEXT("NaN"), false },
        { __LINE__, TEXT("Infinity"), false },
        { __LINE__, TEXT("-Infinity"), false },
        { __LINE__, TEXT("'a'"), false },
        /* numbers */
        { __LINE__, TEXT("0"), true },
        { __LINE__, TEXT("-0"), true },
        { __LINE__, TEXT("01"), false },
        { __LINE__, TEXT("-01"), false },
        { __LINE__, TEXT("00"), false },
        { __LINE__, TEXT("1."), false },
        { __LINE__, TEXT("1.e1"), false },
        { __LINE__, TEXT(".5"), false },
        { __LINE__, TEXT("-.5"), false },
        { __LINE__, TEXT("+1"), false },
        { __LINE__, TEXT("-"), false },
        { __LINE__, TEXT("--1"), false },
        { __LINE__, TEXT("1e"), false },
        { __LINE__, TEXT("1e+"), false },
        { __LINE__, TEXT("1e-"), false },
        { __LINE__, TEXT("1e+-1"), false },
        { __LINE__, TEXT("1E5"), true },
        { __LINE__, TEXT("1e+05"), true },
        { __LINE__, TEXT("-1.50e-07"), true },
        { __LINE__, TEXT("0e0"), true },
        { __LINE__, TEXT("0x1"), false },
        { __LINE__, TEXT("1_0"), false },
        { __LINE__, TEXT("12345678901234567890123456789012345678901234567890"), true },
        { __LINE__, TEXT("1e999999"), true },
        /* strings */
        { __LINE__, TEXT("\"\""), true },
        { __LINE__, TEXT("\""), false },
        { __LINE__, TEXT("\"a"), false },
        { __LINE__, TEXT("\"a\nb\""), false },
        { __LINE__, TEXT("\"a\0b\""), false },
        { __LINE__, TEXT("\"a\x1f\""), false },
        { __LINE__, TEXT("\"\t\""), false },
        { __LINE__, TEXT("\"\x7f\""), true },
        { __LINE__, TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\""), true },
        { __LINE__, TEXT("\"\\"), false },
        { __LINE__, TEXT("\"\\\""), false },
        { __LINE__, TEXT("\"\\x41\""), false },
        { __LINE__, TEXT("\"\\a\""), false },
        { __LINE__, TEXT("\"\\\0\""), false },
        { __LINE__, TEXT("\"\\'\""), false },
        { __LINE__, TEXT("\"\\U0041\""), false },
        { __LINE__, TEXT("\"\\u"), false },
        { __LINE__, TEXT("\"\\u004"), false },
        { __LINE__, TEXT("\"\\u004\""), false },
        { __LINE__, TEXT("\"\\u00g1\""), false },
        { __LINE__, TEXT("\"\\u00`1\""), false },
        { __LINE__, TEXT("\"\\u+041\""), false },
        { __LINE__, TEXT("\"\\u0000\""), true },
        { __LINE__, TEXT("\"\\uD83D\\uDE00\""), true },
        { __LINE__, TEXT("\"\\ud83d\\ude00\""), true },
        { __LINE__, TEXT("\"\\udbff\\udfff\""), true },
        { __LINE__, TEXT("\"\\ud83d\""), false },
        { __LINE__, TEXT("\"\\ud83d\\n\""), false },
        { __LINE__, TEXT("\"\\ud83dx\""), false },
        { __LINE__, TEXT("\"\\ude00\""), false },
        { __LINE__, TEXT("\"\\ude00\\ud83d\""), false },
        { __LINE__, TEXT("\"\\ud83d\\ud83d\""), false },
        { __LINE__, TEXT("\"\\ud83d\\u0041\""), false },
        { __LINE__, TEXT("\"\\ud83d\\ue000\""), false },
        { __LINE__, TEXT("\"\\ude00\\ude00\""), false },
        { __LINE__, TEXT("\"\\ud83d\\ude0"), false },
        /* bytes that are not UTF-8, in a string and outside */
        { __LINE__, TEXT("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""), true },
        { __LINE__, TEXT("\"\xc0\xaf\""), false },
        { __LINE__, TEXT("\"\xed\xa0\x80\""), false },
        { __LINE__, TEXT("\"\xff\""), false },
        { __LINE__, TEXT("\"\xc3\""), false },
        { __LINE__, TEXT("[\xc3\xa4]"), false },
        { __LINE__, TEXT("\xfe\xff\0[\0]"), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = exact(rows[i].text, rows[i].len);
        if (json_valid(text) != rows[i].valid) fail_msg("line %d: %s", rows[i].line, rows[i].text);
        drop(text);
    }
    assert_false(json_valid(SLICE_NONE));
}

static void utf8_is_rfc_3629s(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        size_t len;
        bool valid;
    } rows[] = {
        { __LINE__, TEXT(""), true },
        { __LINE__, TEXT("tea\0\x7f"), true },
        { __LINE__, TEXT("\x80"), false },
        { __LINE__, TEXT("\xbf"), false },
        { __LINE__, TEXT("\xc0\x80"), false }, /* overlong */
        { __LINE__, TEXT("\xc1\xbf"), false },
        { __LINE__, TEXT("\xc2\x80"), true },
        { __LINE__, TEXT("\xc2\x7f"), false },
        { __LINE__, TEXT("\xc2\xc0"), false },
        { __LINE__, TEXT("\xc2"), false },
        { __LINE__, TEXT("\xdf\xbf"), true },
        { __LINE__, TEXT("\xe0\x80\x80"), false },
        { __LINE__, TEXT("\xe0\x9f\xbf"), false },
        { __LINE__, TEXT("\xe0\xa0\x80"), true },
        { __LINE__, TEXT("\xe0\xa0"), false },
        { __LINE__, TEXT("\xe0\xa0\x7f"), false },
        { __LINE__, TEXT("\xed\x9f\xbf"), true },
        { __LINE__, TEXT("\xed\xa0\x80"), false }, /* surrogates */
        { __LINE__, TEXT("\xed\xbf\xbf"), false },
        { __LINE__, TEXT("\xee\x80\x80"), true },
        { __LINE__, TEXT("\xef\xbf\xbf"), true },
        { __LINE__, TEXT("\xf0\x8f\xbf\xbf"), false },
        { __LINE__, TEXT("\xf0\x90\x80\x80"), true },
        { __LINE__, TEXT("\xf0\x90\x80"), false },
        { __LINE__, TEXT("\xf4\x8f\xbf\xbf"), true },
        { __LINE__, TEXT("\xf4\x90\x80\x80"), false }, /* above U+10FFFF */
        { __LINE__, TEXT("\xf5\x80\x80\x80"), false },
        { __LINE__, TEXT("\xf8\x88\x80\x80\x80"), false },
        { __LINE__, TEXT("\xff"), false },
        { __LINE__,
          TEXT("a\xc3\xa4"
               "b\xf0\x9f\x98\x80"
               "c"),
          true },
        { __LINE__,
          TEXT("a\xc3"
               "b"),
          false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = exact(rows[i].text, rows[i].len);
        if (json_utf8_valid(text) != rows[i].valid) fail_msg("line %d", rows[i].line);
        drop(text);
    }
}

static void strings_are_written_so_that_they_can_be_read(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        size_t len;
        const char *json;
    } rows[] = {
        { __LINE__, TEXT(""), "\"\"" },
        { __LINE__, TEXT("tea"), "\"tea\"" },
        { __LINE__, TEXT("\"\\/"), "\"\\\"\\\\/\"" },
        { __LINE__, TEXT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
        { __LINE__, TEXT("a\0b\x01\x1f\x7f"), "\"a\\u0000b\\u0001\\u001f\x7f\"" },
        { __LINE__, TEXT("\xc3\xa4\xf0\x9f\x98\x80"), "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        buf_init(&b, 100);
        json_put_string(&b, (struct slice){ rows[i].text, rows[i].len });
        struct slice put = { b.at, b.len };
        if (b.failed || !slice_is(put, rows[i].json) || !json_valid(put))
            fail_msg("line %d: %.*s", rows[i].line, (int)b.len, b.at);
        buf_free(&b);
    }
    struct buf b;
    buf_init(&b, 100);
    json_put_string(&b, SLICE_NONE);
    assert_int_equal(b.len, 2);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_strict_json_is_valid),
        cmocka_unit_test(utf8_is_rfc_3629s),
        cmocka_unit_test(strings_are_written_so_that_they_can_be_read),
    };
    return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
