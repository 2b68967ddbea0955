#include "slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 5000 };

struct thing {
    char bytes[200];
    int number;
};

static struct thing *things[MANY];

static void fill(struct slab *s, int from, int to)
{
    for (int i = from; i < to; i++) {
        things[i] = slab_take(s);
        assert_non_null(things[i]);
        for (size_t k = 0; k < sizeof things[i]->bytes; k++)
            assert_int_equal(things[i]->bytes[k], 0);
        memset(things[i]->bytes, i, sizeof things[i]->bytes);
        things[i]->number = i;
    }
}

static void check(int i)
{
    assert_int_equal(things[i]->number, i);
    for (size_t k = 0; k < sizeof things[i]->bytes; k++)
        assert_int_equal(things[i]->bytes[k], (char)i);
}

static void structs_are_zeroed_and_keep_to_themselves(void **state)
{
    (void)state;
    struct slab s = SLAB_OF(struct thing);
    fill(&s, 0, MANY);
    for (int i = 0; i < MANY; i += 2) slab_give(&s, things[i]);
    for (int i = 1; i < MANY; i += 2) check(i);
    for (int i = 0; i < MANY; i += 2) fill(&s, i, i + 1);
    for (int i = 0; i < MANY; i++) check(i);
    for (int i = 0; i < MANY; i++) slab_give(&s, things[i]);
    slab_free(&s);
    assert_null(s.open);
}

static void what_was_given_back_is_taken_first(void **state)
{
    (void)state;
    struct slab s = SLAB_OF(struct thing);
    fill(&s, 0, 3);
    struct thing *second = things[1];
    slab_give(&s, second);
    assert_ptr_equal(slab_take(&s), second);
    for (int i = 0; i < 3; i++) slab_give(&s, things[i]);
    slab_free(&s);
}

static void nothing_is_given_back_as_well(void **state)
{
    (void)state;
    struct slab s = SLAB_OF(struct thing);
    slab_give(&s, NULL);
    slab_free(&s);
    assert_null(s.open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structs_are_zeroed_and_keep_to_themselves),
        cmocka_unit_test(what_was_given_back_is_taken_first),
        cmocka_unit_test(nothing_is_given_back_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
