#include "arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void hands_out_zeroed_aligned_bytes(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 7, 16, 17, 4095, 4096, 4097, 70000, 1 };
    struct arena *a = arena_new(1 << 20);
    assert_non_null(a);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *got = arena_alloc(a, sizes[i]);
            assert_non_null(got);
            assert_int_equal((uintptr_t)got % sizeof(max_align_t) % 16, 0);
            for (size_t at = 0; at < sizes[i]; at++) assert_int_equal(got[at], 0);
            memset(got, 0xff, sizes[i]);
        }
        arena_reset(a);
    }
    arena_free(a);
}

static void gives_no_more_than_its_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new(10000);
    for (int round = 0; round < 2; round++) {
        size_t given = 0;
        while (arena_alloc(a, 100) != NULL) given += 100;
        assert_in_range(given, 8000, 10000);
        assert_null(arena_alloc(a, 10000));
        assert_null(arena_alloc(a, SIZE_MAX));
        assert_null(arena_alloc(a, SIZE_MAX - 3));
        arena_reset(a); /* and the whole cap is there again */
    }
    arena_free(a);
    arena_free(NULL);
}

static void goes_back_to_a_mark_and_keeps_what_was_given_before(void **state)
{
    (void)state;
    static const size_t before[] = { 0, 100, 4096, 70000 };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        struct arena *a = arena_new(200000);
        char *kept = before[i] == 0 ? NULL : arena_alloc(a, before[i]);
        if (kept != NULL) memset(kept, 'k', before[i]);
        const struct arena_mark mark = arena_mark(a);
        for (int round = 0; round < 100; round++) {
            unsigned char *got = arena_alloc(a, 3000), *more = arena_alloc(a, 90000);
            assert_non_null(got);
            assert_non_null(more);
            assert_int_equal(got[0] | more[0] | more[89999], 0);
            memset(got, 0xff, 3000);
            memset(more, 0xff, 90000);
            arena_back(a, &mark);
        }
        for (size_t at = 0; at < before[i]; at++) assert_int_equal(kept[at], 'k');
        arena_free(a);
    }
}

static void copies_with_a_nul_behind(void **state)
{
    (void)state;
    struct arena *a = arena_new(100);
    char *copy = arena_copy(a, "tea\0cup", 7);
    assert_memory_equal(copy, "tea\0cup", 8);
    assert_string_equal(arena_copy(a, NULL, 0), "");
    assert_null(arena_copy(a, "", SIZE_MAX));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_zeroed_aligned_bytes),
        cmocka_unit_test(gives_no_more_than_its_cap),
        cmocka_unit_test(goes_back_to_a_mark_and_keeps_what_was_given_before),
        cmocka_unit_test(copies_with_a_nul_behind),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
