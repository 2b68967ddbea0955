#include "park.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bell.h"

static int64_t now = 1000;

static int64_t test_now_ms(void *clock_arg)
{
    (void)clock_arg;
    return now;
}

static struct app app = { .now_ms = test_now_ms, .wall_ms = test_now_ms };

static int with_park(void **state)
{
    now = 1000;
    *state = app.park = park_open(&app);
    return *state == NULL;
}

static int without_park(void **state)
{
    park_close(*state);
    return 0;
}

static struct waiter *add_turn(const char *room, const char *peer, int64_t turn,
                               int64_t deadline_ms, struct waiter **superseded)
{
    struct waiter from = { .turn = turn, .slot = -1, .deadline = { deadline_ms, 0 } };
    strcpy(from.wait.room, room);
    strcpy(from.wait.peer, peer);
    from.wait.lease_wake_ms = INT64_MAX;
    struct waiter *w = park_add(app.park, &from, superseded);
    assert_non_null(w);
    return w;
}

static struct waiter *add(const char *room, const char *peer, int64_t deadline_ms)
{
    struct waiter *superseded;
    struct waiter *w = add_turn(room, peer, -1, deadline_ms, &superseded);
    assert_null(superseded);
    return w;
}

static void only_the_marked_room_is_looked_at_and_each_waiter_once(void **state)
{
    struct park *p = *state;
    struct waiter *a = add("tea", "a", 9000), *b = add("tea", "b", 9000);
    (void)add("milk", "a", 9000);
    assert_true(park_mark(p, bell_bucket("tea"), ""));
    assert_true(park_mark(p, bell_bucket("tea"), ""));
    struct waiter *first = park_next(p), *second = park_next(p);
    assert_true((first == a && second == b) || (first == b && second == a));
    assert_null(park_next(p));
}

static void of_a_room_only_the_member_with_mail_is_looked_at(void **state)
{
    struct park *p = *state;
    uint32_t tea = bell_bucket("tea");
    struct waiter *a = add("tea", "a", 9000), *b = add("tea", "b", 9000);
    (void)add("tea", "c", 9000);
    assert_false(park_mark(p, bell_bucket("milk"), ""));
    assert_true(park_mark(p, tea, "b"));
    assert_true(park_mark(p, tea, "nobody"));
    assert_ptr_equal(park_next(p), b);
    assert_null(park_next(p));
    park_mark(p, tea, "a");
    park_mark(p, tea, "");
    park_mark(p, tea, "a");
    int looked = 0;
    while (park_next(p) != NULL) looked++;
    assert_int_equal(looked, 3);
    park_mark(p, tea, "a");
    park_remove(p, a);
    park_release(p, a);
    assert_null(park_next(p));
}

static void a_waiter_that_is_removed_is_not_looked_at_again(void **state)
{
    struct park *p = *state;
    struct waiter *w[3] = { add("tea", "a", 9000), add("tea", "b", 9000), add("tea", "c", 9000) };
    park_mark_all(p);
    struct waiter *first = park_next(p);
    for (int i = 0; i < 3; i++) {
        if (w[i] == first) continue;
        park_remove(p, w[i]);
        park_release(p, w[i]);
    }
    assert_null(park_next(p));
    park_mark_all(p);
    assert_ptr_equal(park_next(p), first);
    park_remove(p, first);
    park_release(p, first);
    assert_null(park_next(p));
    assert_int_equal(park_count(p), 0);
    assert_true(park_next_ms(p) == INT64_MAX);
}

static void a_ring_while_its_room_is_looked_at_makes_another_look(void **state)
{
    struct park *p = *state;
    struct waiter *w = add("tea", "a", 9000);
    park_mark_all(p);
    assert_ptr_equal(park_next(p), w);
    assert_true(park_mark(p, bell_bucket("tea"), ""));
    assert_ptr_equal(park_next(p), w);
    assert_null(park_next(p));
}

static void waiters_are_due_at_their_own_deadlines(void **state)
{
    struct park *p = *state;
    struct waiter *late = add("tea", "a", 3000), *soon = add("milk", "b", 2000);
    assert_true(park_next_ms(p) == 2000);
    assert_null(park_take_due(p, 1999));
    struct waiter *due = park_take_due(p, 2000);
    assert_ptr_equal(due, soon);
    park_release(p, due);
    assert_null(park_take_due(p, 2000));
    assert_ptr_equal(park_take_any(p), late);
    park_release(p, late);
    assert_null(park_take_any(p));
}

static void a_newer_poll_of_a_member_supersedes_the_parked_one(void **state)
{
    struct park *p = *state;
    struct waiter *superseded;
    struct waiter *old = add_turn("tea", "a", 4, 9000, &superseded);
    (void)add("tea", "b", 9000);
    assert_true(park_has_newer(p, "tea", "a", 3));
    assert_false(park_has_newer(p, "tea", "a", 4));
    assert_false(park_has_newer(p, "tea", "a", -1));
    assert_false(park_has_newer(p, "milk", "a", 3));
    struct waiter *young = add_turn("tea", "a", 5, 9000, &superseded);
    assert_ptr_equal(superseded, old);
    park_release(p, old);
    assert_int_equal(park_count(p), 2);
    (void)add_turn("tea", "a", -1, 9000, &superseded);
    assert_ptr_equal(superseded, young);
    park_release(p, young);
}

static void a_rooms_lease_end_and_its_re_check_make_its_group_due(void **state)
{
    struct park *p = *state;
    struct waiter *w = add("tea", "a", 90000);
    park_mark_due(p, 1000);
    assert_null(park_next(p));
    w->wait.lease_wake_ms = 4000;
    park_looked(p, w);
    assert_true(park_next_ms(p) == 4000);
    now = 4000;
    park_mark_due(p, now);
    assert_ptr_equal(park_next(p), w);
    /* A lease end that the look could not clear must not make a circle. */
    park_looked(p, w);
    assert_true(park_next_ms(p) > now);
    w->wait.lease_wake_ms = INT64_MAX;
    park_looked(p, w);
    assert_in_range(park_next_ms(p), 1000 + 5000, 1000 + 10000); /* its re-check goes its own way */
    now = park_next_ms(p);
    park_mark_due(p, now);
    assert_ptr_equal(park_next(p), w);
    park_look_again(p, w, now + 5);
    assert_true(park_next_ms(p) == now + 5);
}

static void a_look_that_was_put_off_is_not_forgotten_for_another_that_went_well(void **state)
{
    struct park *p = *state;
    struct waiter *busy = add("tea", "a", 90000), *fine = add("tea", "b", 90000);
    park_look_again(p, busy, now + 5);
    fine->wait.lease_wake_ms = now + 60000;
    park_looked(p, fine);
    assert_true(park_next_ms(p) == now + 5);
    now += 5;
    park_mark_due(p, now);
    assert_non_null(park_next(p));
    assert_non_null(park_next(p));
    assert_null(park_next(p));
}

static void a_poll_that_found_nothing_is_a_re_check_for_who_waits_beyond_the_same_cursor(
    void **state)
{
    struct park *p = *state;
    struct waiter *superseded, from = { .turn = -1, .slot = -1, .deadline = { 90000, 0 } };
    (void)add("tea", "a", 90000);
    int64_t first_ms = park_next_ms(p);
    now += 3000;
    struct waiter *b = add("tea", "b", 90000);
    assert_true(park_next_ms(p) == first_ms + 3000);
    now += 500;
    from.wait = b->wait;
    strcpy(from.wait.peer, "c");
    from.wait.after.seq++; /* what a and b have not read may be theirs */
    assert_non_null(park_add(p, &from, &superseded));
    assert_true(park_next_ms(p) == first_ms + 3000);
}

static void a_re_check_looks_for_one_of_those_who_wait_beyond_the_same_cursor(void **state)
{
    struct park *p = *state;
    (void)add("tea", "a", 90000);
    (void)add("tea", "b", 90000);
    (void)add("tea", "c", 90000);
    now = park_next_ms(p);
    park_mark_due(p, now);
    struct waiter *one = park_next(p);
    assert_non_null(one);
    park_looked(p, one); /* nothing new */
    assert_null(park_next(p));

    now = park_next_ms(p);
    park_mark_due(p, now);
    one = park_next(p);
    one->wait.after.seq++; /* for whom was that? */
    park_looked(p, one);
    for (int i = 0; i < 3; i++) assert_non_null(park_next(p));
    assert_null(park_next(p));

    one->wait.after.seq--;
    now = park_next_ms(p);
    park_mark_due(p, now);
    one = park_next(p);
    park_remove(p, one); /* it found mail */
    park_release(p, one);
    for (int i = 0; i < 2; i++) assert_non_null(park_next(p));
    assert_null(park_next(p));
}

static void a_re_check_looks_for_all_where_one_of_them_is_in_the_lobby(void **state)
{
    struct park *p = *state;
    struct waiter *w[] = { add("tea", "a", 90000), add("tea", "b", 90000), add("tea", "c", 90000) };
    for (int lobby = 0; lobby < 3; lobby++) {
        w[lobby]->wait.waiting = true;
        now = park_next_ms(p);
        park_mark_due(p, now);
        int looked = 0;
        for (struct waiter *one = park_next(p); one != NULL; one = park_next(p), looked++)
            park_looked(p, one); /* nothing new */
        assert_int_equal(looked, 3);
        w[lobby]->wait.waiting = false;
    }
}

static void an_earlier_lease_end_than_was_known_makes_all_be_looked_at(void **state)
{
    struct park *p = *state;
    struct waiter *all[] = { add("tea", "a", 90000), add("tea", "b", 90000) };
    for (int i = 0; i < 2; i++) {
        all[i]->wait.lease_wake_ms = 80000;
        park_looked(p, all[i]);
    }
    while (park_next(p) != NULL) continue; /* its lease was not known before */

    now = park_next_ms(p);
    park_mark_due(p, now);
    struct waiter *one = park_next(p);
    assert_non_null(one);
    one->wait.lease_wake_ms = now + 10000; /* of the other, whose older poll hung up unheard */
    park_looked(p, one);
    struct waiter *first = park_next(p), *second = park_next(p);
    assert_true((first == all[0] && second == all[1]) || (first == all[1] && second == all[0]));
    first->wait.lease_wake_ms = second->wait.lease_wake_ms = 80000; /* renewed */
    park_looked(p, first);
    park_looked(p, second);
    assert_null(park_next(p));
}

static void re_checks_come_sooner_when_the_bell_is_lost(void **state)
{
    struct park *p = *state;
    (void)add("tea", "a", 90000);
    park_recheck_every(p, 500);
    assert_in_range(park_next_ms(p), now + 250, now + 500);
}

static void ten_thousand_waiters_come_and_go_in_any_order(void **state)
{
    struct park *p = *state;
    enum { MANY = 10000 };
    static struct waiter *all[MANY];
    char room[32], peer[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(room, sizeof room, "room%d", i % 3000);
        snprintf(peer, sizeof peer, "peer%d", i);
        all[i] = add(room, peer, 2000 + i * 7919 % MANY);
    }
    assert_int_equal(park_count(p), MANY);
    for (int i = 0; i < MANY; i += 2) {
        park_remove(p, all[i]);
        park_release(p, all[i]);
    }
    park_mark_all(p);
    int looked = 0, due = 0;
    while (park_next(p) != NULL) looked++;
    assert_int_equal(looked, MANY / 2);
    for (struct waiter *w = park_take_due(p, 1 << 20); w != NULL; w = park_take_due(p, 1 << 20)) {
        park_release(p, w);
        due++;
    }
    assert_int_equal(due, MANY / 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_park, without_park)
    const struct CMUnitTest tests[] = {
        CASE(only_the_marked_room_is_looked_at_and_each_waiter_once),
        CASE(of_a_room_only_the_member_with_mail_is_looked_at),
        CASE(a_waiter_that_is_removed_is_not_looked_at_again),
        CASE(a_ring_while_its_room_is_looked_at_makes_another_look),
        CASE(waiters_are_due_at_their_own_deadlines),
        CASE(a_newer_poll_of_a_member_supersedes_the_parked_one),
        CASE(a_rooms_lease_end_and_its_re_check_make_its_group_due),
        CASE(a_look_that_was_put_off_is_not_forgotten_for_another_that_went_well),
        CASE(a_poll_that_found_nothing_is_a_re_check_for_who_waits_beyond_the_same_cursor),
        CASE(a_re_check_looks_for_one_of_those_who_wait_beyond_the_same_cursor),
        CASE(a_re_check_looks_for_all_where_one_of_them_is_in_the_lobby),
        CASE(an_earlier_lease_end_than_was_known_makes_all_be_looked_at),
        CASE(re_checks_come_sooner_when_the_bell_is_lost),
        CASE(ten_thousand_waiters_come_and_go_in_any_order),
    };
    return cmocka_run_group_tests_name("park", tests, NULL, NULL);
}
