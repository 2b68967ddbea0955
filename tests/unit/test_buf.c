#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void slices_tell_absent_from_empty(void **state)
{
    (void)state;
    const struct slice empty = slice_of("");
    assert_null(slice_of(NULL).at);
    assert_true(slice_equal(SLICE_NONE, slice_of(NULL)));
    assert_false(slice_equal(SLICE_NONE, empty));
    assert_true(slice_is(empty, ""));
    assert_false(slice_is(empty, NULL));
    assert_true(slice_is((struct slice){ "teapot", 3 }, "tea"));
    assert_false(slice_is(slice_of("tea"), "teapot"));
    assert_false(slice_is(slice_of("tea"), "Tea"));
}

static void appends_grow_and_keep_what_was_there(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    assert_null(b.at);
    for (int i = 0; i < 1000; i++) buf_printf(&b, "%03d,", i);
    buf_slice(&b, slice_of("end"));
    buf_slice(&b, SLICE_NONE);
    buf_text(&b, "");
    assert_false(b.failed);
    assert_int_equal(b.len, 4003);
    assert_memory_equal(b.at + 4 * 999, "999,end", 7);
    buf_free(&b);
}

static void long_prints_come_whole(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct buf b;
    for (int cut = 0; cut < 999; cut += 37) {
        buf_init(&b, 2000);
        buf_printf(&b, "%s", text + cut);
        assert_int_equal(b.len, 999 - cut);
        buf_free(&b);
    }
}

static void an_append_over_the_cap_changes_nothing_and_stays_failed(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_text(&b, "12345678");
    buf_text(&b, "9ab");
    assert_true(b.failed);
    assert_int_equal(b.len, 8);
    buf_text(&b, "9");
    assert_true(b.failed);
    assert_int_equal(b.len, 8);
    buf_clear(&b);
    buf_text(&b, "123456789a");
    assert_false(b.failed);
    buf_printf(&b, "%d", 1);
    assert_true(b.failed);
    buf_free(&b);
    assert_false(b.failed);
    buf_text(&b, "again");
    assert_memory_equal(b.at, "again", 5);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_tell_absent_from_empty),
        cmocka_unit_test(appends_grow_and_keep_what_was_there),
        cmocka_unit_test(long_prints_come_whole),
        cmocka_unit_test(an_append_over_the_cap_changes_nothing_and_stays_failed),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
