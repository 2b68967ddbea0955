#include "timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 500 };

static void an_empty_heap_is_never_due(void **state)
{
    (void)state;
    struct timers t = { 0 };
    assert_true(timers_next_ms(&t) == INT64_MAX);
    assert_null(timers_take_due(&t, INT64_MAX - 1));
    timers_free(&t);
}

static void timers_come_out_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct timers t = { 0 };
    static struct timer many[MANY];
    srand(1);
    for (size_t i = 0; i < MANY; i++) assert_true(timers_set(&t, &many[i], rand() % 100));
    int64_t last_ms = 0;
    for (size_t i = 0; i < MANY; i++) {
        assert_true(timers_next_ms(&t) >= last_ms);
        struct timer *timer = timers_take_due(&t, 100);
        assert_non_null(timer);
        assert_true(timer->at_ms >= last_ms);
        last_ms = timer->at_ms;
    }
    assert_null(timers_take_due(&t, 100));
    timers_free(&t);
}

static void a_timer_that_is_not_due_stays(void **state)
{
    (void)state;
    struct timers t = { 0 };
    struct timer timer = { 0 };
    assert_true(timers_set(&t, &timer, 50));
    assert_null(timers_take_due(&t, 49));
    assert_ptr_equal(timers_take_due(&t, 50), &timer);
    timers_free(&t);
}

static void moving_and_clearing_in_any_place_keep_the_order(void **state)
{
    (void)state;
    struct timers t = { 0 };
    static struct timer many[MANY];
    srand(2);
    for (size_t i = 0; i < MANY; i++) many[i].place = 0;
    for (int round = 0; round < 20000; round++) {
        struct timer *timer = &many[rand() % MANY];
        if (rand() % 3 == 0)
            timers_clear(&t, timer);
        else
            assert_true(timers_set(&t, timer, rand() % 1000));
    }
    size_t set = 0;
    for (size_t i = 0; i < MANY; i++) set += many[i].place != 0;
    assert_int_equal(set, t.count);
    for (int64_t last_ms = 0; set > 0; set--) {
        struct timer *timer = timers_take_due(&t, 1000);
        assert_non_null(timer);
        assert_true(timer->at_ms >= last_ms);
        assert_int_equal(timer->place, 0);
        last_ms = timer->at_ms;
    }
    timers_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_is_never_due),
        cmocka_unit_test(timers_come_out_in_the_order_of_their_times),
        cmocka_unit_test(a_timer_that_is_not_due_stays),
        cmocka_unit_test(moving_and_clearing_in_any_place_keep_the_order),
    };
    return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
