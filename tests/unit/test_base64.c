#include "base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void bytes_are_written_as_rfc_4648_has_them(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *bytes, *text;
    } rows[] = {
        { __LINE__, "", "" },
        { __LINE__, "f", "Zg==" },
        { __LINE__, "fo", "Zm8=" },
        { __LINE__, "foo", "Zm9v" },
        { __LINE__, "foobar", "Zm9vYmFy" },
        { __LINE__, "\xff\xef\xbe", "/+++" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[BASE64_BYTES(6) + 1];
        base64_encode(rows[i].bytes, strlen(rows[i].bytes), text);
        if (strcmp(text, rows[i].text) != 0) fail_msg("line %d: %s", rows[i].line, text);
    }
}

static void one_text_alone_is_read_for_one_value(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text, *bytes; /* NULL: refused */
    } rows[] = {
        { __LINE__, "", "" },           { __LINE__, "Zg", "f" },
        { __LINE__, "Zm8", "fo" },      { __LINE__, "Zm9v", "foo" },
        { __LINE__, "Zm9vYg", "foob" }, { __LINE__, "_--_", "\xff\xef\xbf" },
        { __LINE__, "Zh", NULL },       { __LINE__, "Zm9", NULL },
        { __LINE__, "Z", NULL },        { __LINE__, "Zm9vY", NULL },
        { __LINE__, "Zg==", NULL },     { __LINE__, "Zm8=", NULL },
        { __LINE__, "/+++", NULL },     { __LINE__, "Zm 9v", NULL },
        { __LINE__, "Zm9v\n", NULL },   { __LINE__, "Zm9\xc3", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char bytes[16];
        size_t len;
        bool read = base64url_decode(slice_of(rows[i].text), bytes, &len);
        if (read != (rows[i].bytes != NULL) ||
            (read && !slice_is((struct slice){ bytes, len }, rows[i].bytes)))
            fail_msg("line %d", rows[i].line);
    }
    char none[1];
    size_t len;
    assert_false(base64url_decode((struct slice){ "Z\0", 2 }, none, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_written_as_rfc_4648_has_them),
        cmocka_unit_test(one_text_alone_is_read_for_one_value),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
