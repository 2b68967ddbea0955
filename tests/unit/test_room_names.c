/* Rooms' names and cursors, as they come from outside. */
#include "room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void room_names_are_up_to_64_letters_digits_underscores_and_hyphens(void **state)
{
    (void)state;
    char long_name[66];
    memset(long_name, 'a', sizeof long_name);
    const struct {
        int line;
        const char *name;
        size_t len;
        bool valid;
    } table[] = {
        { __LINE__, "tea", 3, true },        { __LINE__, "A-z_09", 6, true },
        { __LINE__, "", 0, false },          { __LINE__, long_name, 64, true },
        { __LINE__, long_name, 65, false },  { __LINE__, "a.b", 3, false },
        { __LINE__, "a/b", 3, false },       { __LINE__, "..", 2, false },
        { __LINE__, "a b", 3, false },       { __LINE__, "a\0b", 3, false },
        { __LINE__, "t\xc3\xa9", 3, false }, { __LINE__, "a%2F", 4, false },
        { __LINE__, NULL, 0, false },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (room_name_valid((struct slice){ table[i].name, table[i].len }) != table[i].valid)
            fail_msg("line %d", table[i].line);
}

static void a_cursor_is_16_hex_digits_a_dot_and_a_number(void **state)
{
    (void)state;
    const struct {
        int line;
        const char *text;
        bool good;
        uint64_t epoch;
        int64_t seq;
    } table[] = {
        { __LINE__, "00000000000000ff.7", true, 255, 7 },
        { __LINE__, "ffffffffffffffff.0", true, UINT64_MAX, 0 },
        { __LINE__, "0123456789abcdef.9223372036854775807", true, 0x0123456789abcdef, INT64_MAX },
        { __LINE__, "0123456789abcdef.9223372036854775808", false, 0, 0 },
        { __LINE__, "0123456789abcdef.9999999999999999999", false, 0, 0 },
        { __LINE__, "0123456789abcdef.00000000000000000001", false, 0, 0 },
        { __LINE__, "0123456789ABCDEF.1", false, 0, 0 },
        { __LINE__, "0123456789abcdef.", false, 0, 0 },
        { __LINE__, "0123456789abcdef", false, 0, 0 },
        { __LINE__, "0123456789abcde.1", false, 0, 0 },
        { __LINE__, "0123456789abcdef.-1", false, 0, 0 },
        { __LINE__, "0123456789abcdef.1 ", false, 0, 0 },
        { __LINE__, "", false, 0, 0 },
        { __LINE__, "nonsense", false, 0, 0 },
    };
    struct cursor c;
    char text[CURSOR_TEXT_BYTES + 1];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        bool good = cursor_parse(slice_of(table[i].text), &c);
        if (good != table[i].good) fail_msg("line %d", table[i].line);
        if (!good) continue;
        if (!c.given || c.epoch != table[i].epoch || c.seq != table[i].seq)
            fail_msg("line %d", table[i].line);
        cursor_format(&c, text);
        assert_string_equal(text, table[i].text);
    }
    assert_true(cursor_parse(SLICE_NONE, &c));
    assert_false(c.given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_names_are_up_to_64_letters_digits_underscores_and_hyphens),
        cmocka_unit_test(a_cursor_is_16_hex_digits_a_dot_and_a_number),
    };
    return cmocka_run_group_tests_name("room_names", tests, NULL, NULL);
}
