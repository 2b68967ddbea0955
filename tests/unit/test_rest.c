/* A poll that comes back to where its member's poll before it ended waits on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bell.h"
#include "poll_fixture.h"

static bool waits_on(struct poll_test *t, struct member *m, const char *more)
{
    put_aside(t, true);
    int status = begin_poll(t, m, more);
    put_aside(t, false);
    if (status != 0) assert_int_equal(status, 404);
    return status == 0;
}

static void who_comes_back_waits_on_without_a_look_at_the_rooms_file(void **state)
{
    struct poll_test *t = *state;
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    end_hold(t, &t->a);
    assert_int_equal(park_count(t->park), 0);
    t->f->now_ms += PARK_REST_MS - 1;
    assert_true(waits_on(t, &t->a, ""));
    assert_int_equal(park_count(t->park), 1);
    assert_int_equal(t->a.w->wait.since_ms, t->f->now_ms);
    assert_in_range(t->a.w->deadline.at_ms, t->f->now_ms + 1, t->f->now_ms + HOLD_MS);
    assert_null(park_next(t->park));

    /* And what comes is found. */
    struct member b;
    join_room(t, &b);
    assert_true(park_mark(t->park, bell_bucket("tea"), ""));
    struct waiter *w = park_next(t->park);
    assert_ptr_equal(w, t->a.w);
    assert_int_equal(wake_poll(t, w, WAKE_LOOK), OUTCOME_ANSWER);
    assert_non_null(strstr(t->text.at, "peer-joined"));
    park_remove(t->park, w);
    park_release(t->park, w);
}

static void nobody_is_rung_for_it_and_it_goes_after_a_moment(void **state)
{
    struct poll_test *t = *state;
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    end_hold(t, &t->a);
    park_mark_all(t->park);
    park_mark_rung(t->park);
    assert_null(park_next(t->park));
    assert_null(park_take_due(t->park, t->f->now_ms + PARK_REST_MS - 1));
    assert_true(park_next_ms(t->park) < INT64_MAX);
    t->f->now_ms += PARK_REST_MS;
    park_mark_due(t->park, t->f->now_ms);
    assert_null(park_take_due(t->park, t->f->now_ms));
    assert_true(park_next_ms(t->park) == INT64_MAX);
    assert_false(waits_on(t, &t->a, ""));
}

/* ---- what makes the room be looked at ---- */

static void ring_elsewhere(struct poll_test *t)
{
    bell_ring(t->f->app.bell, bell_bucket("tea"));
}

static void ring_here(struct poll_test *t)
{
    app_ring(&t->f->app, "tea");
}

static void wear_the_lease(struct poll_test *t)
{
    t->f->app.cfg.lease_ms *= 2; /* so that more than a third has gone */
}

static void read_elsewhere(struct poll_test *t)
{
    char *seq = strchr(t->a.cursor, '.') + 1;
    snprintf(seq, 16, "%lld", strtoll(seq, NULL, 10) - 1);
}

static void lose_the_bell(struct poll_test *t)
{
    app_reopen_bell(&t->f->app);
    park_listen(t->park);
}

static void come_late(struct poll_test *t)
{
    t->f->now_ms += PARK_REST_MS;
    assert_null(park_take_due(t->park, t->f->now_ms));
}

static void mark_the_member(struct poll_test *t)
{
    assert_true(park_mark(t->park, bell_bucket("tea"), "somebody"));
}

static void mark_all(struct poll_test *t)
{
    park_mark_all(t->park);
}

static void mistake_the_key(struct poll_test *t)
{
    t->a.key[5] = t->a.key[5] == 'x' ? 'y' : 'x';
}

static void what_may_have_changed_is_looked_at(void **state)
{
    static const struct {
        int line;
        void (*change)(struct poll_test *t);
        const char *more;
    } table[] = {
        { __LINE__, ring_elsewhere, "" },
        { __LINE__, ring_here, "" },
        { __LINE__, wear_the_lease, "" },
        { __LINE__, read_elsewhere, "" },
        { __LINE__, lose_the_bell, "" },
        { __LINE__, come_late, "" },
        { __LINE__, mark_the_member, "" },
        { __LINE__, mark_all, "" },
        { __LINE__, mistake_the_key, "" },
        { __LINE__, NULL, ",\"send\":[{\"id\":\"1\",\"type\":\"note\",\"data\":1}]" },
    };
    struct poll_test *t = *state;
    const int64_t lease_ms = 3600000;
    t->f->app.cfg.lease_ms = lease_ms;
    read_room(t, &t->a);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        t->f->app.cfg.lease_ms = lease_ms;
        t->f->now_ms += lease_ms / 2; /* the next one writes its lease */
        const struct member before = t->a;
        assert_int_equal(begin_poll(t, &t->a, ""), 0);
        end_hold(t, &t->a);
        t->f->now_ms += 100;
        if (!waits_on(t, &t->a, "")) fail_msg("line %d: not even without", table[i].line);
        end_hold(t, &t->a);
        t->f->now_ms += 100;
        if (table[i].change != NULL) table[i].change(t);
        if (waits_on(t, &t->a, table[i].more)) fail_msg("line %d", table[i].line);
        memcpy(t->a.key, before.key, sizeof t->a.key);
        read_room(t, &t->a);
    }
}

static void a_bell_that_was_lost_while_it_was_parked_makes_the_next_poll_look(void **state)
{
    struct poll_test *t = *state;
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    lose_the_bell(t);
    end_hold(t, &t->a);
    assert_false(waits_on(t, &t->a, ""));
}

static void who_was_to_be_looked_for_when_its_time_was_over_looks(void **state)
{
    struct poll_test *t = *state;
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    assert_true(park_mark(t->park, bell_bucket("tea"), ""));
    end_hold(t, &t->a);
    assert_false(waits_on(t, &t->a, ""));
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    assert_true(park_mark(t->park, bell_bucket("tea"), t->a.w->wait.peer));
    end_hold(t, &t->a);
    assert_false(waits_on(t, &t->a, ""));
}

static void who_was_superseded_does_not_wait_on(void **state)
{
    struct poll_test *t = *state;
    bool superseded, elsewhere;
    char peer[IDENT_PEER_BYTES + 1];
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    strcpy(peer, t->a.w->wait.peer);
    (void)bell_owner_claim(t->f->app.bell, peer, ++t->a.turn, &superseded, &elsewhere);
    assert_true(elsewhere);
    end_hold(t, &t->a);
    assert_non_null(strstr(t->text.at, "\"superseded\":true"));
    assert_false(waits_on(t, &t->a, ""));
}

/* Another member's word comes over this one's. */
static void cover(struct poll_test *t, const char *peer)
{
    bool superseded, elsewhere;
    char other[32];
    for (int i = 0; bell_owner_told(t->f->app.bell, peer); i++) {
        snprintf(other, sizeof other, "other-%d", i);
        (void)bell_owner_claim(t->f->app.bell, other, -1, &superseded, &elsewhere);
    }
}

static void who_was_here_a_moment_ago_is_not_looked_for_elsewhere(void **state)
{
    struct poll_test *t = *state;
    char peer[IDENT_PEER_BYTES + 1];
    uint32_t tea = bell_bucket("tea");
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    strcpy(peer, t->a.w->wait.peer);
    uint32_t rung = bell_rung(t->f->app.bell, tea);
    end_hold(t, &t->a);
    cover(t, peer);
    assert_true(waits_on(t, &t->a, ""));
    assert_int_equal(bell_rung(t->f->app.bell, tea), rung);
    end_hold(t, &t->a);
    cover(t, peer);
    come_late(t);
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    assert_int_equal(bell_rung(t->f->app.bell, tea), rung + 1);
}

static void a_ring_while_it_was_parked_makes_the_next_poll_look(void **state)
{
    struct poll_test *t = *state;
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    ring_elsewhere(t);
    assert_true(park_mark(t->park, bell_bucket("tea"), ""));
    assert_ptr_equal(park_next(t->park), t->a.w);
    assert_int_equal(wake_poll(t, t->a.w, WAKE_LOOK), OUTCOME_PARK);
    park_looked(t->park, t->a.w);
    end_hold(t, &t->a);
    assert_false(waits_on(t, &t->a, ""));
}

static void somebody_elses_lease_that_ends_makes_the_next_poll_look(void **state)
{
    struct poll_test *t = *state;
    struct member b;
    int64_t lapse_ms = t->f->now_ms + t->f->app.cfg.lease_ms;
    read_room(t, &t->a); /* its lease is never written again */
    t->f->now_ms = lapse_ms - HOLD_MS - 10;
    join_room(t, &b);
    assert_int_equal(begin_poll(t, &b, ""), 0);
    end_hold(t, &b);
    assert_true(t->f->now_ms < lapse_ms);
    t->f->now_ms = lapse_ms;
    assert_false(waits_on(t, &b, ""));
}

static void a_replaced_key_is_refused_at_once(void **state)
{
    struct poll_test *t = *state;
    char body[512];
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    end_hold(t, &t->a);
    snprintf(body, sizeof body, "{\"resume\":\"%s\"}", t->a.key);
    assert_int_equal(call_room(t, "join", body, NULL), 201);
    char key[128];
    answer_text(&t->text, "key", key);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"after\":\"%s\"}", key, t->a.cursor);
    assert_int_equal(call_room(t, "exchange", body, NULL), 200); /* its first use */
    assert_int_equal(begin_poll(t, &t->a, ""), 410);
}

static void the_older_turn_is_superseded_though_it_could_wait_on(void **state)
{
    struct poll_test *t = *state;
    t->a.turn = 9;
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    end_hold(t, &t->a);
    t->a.turn = 5;
    assert_int_equal(begin_poll(t, &t->a, ""), 200);
    assert_non_null(strstr(t->text.at, "\"superseded\":true"));
}

static void who_waits_on_is_renewed_from_when_it_came_back(void **state)
{
    struct poll_test *t = *state;
    struct member b;
    const int64_t lease_ms = t->f->app.cfg.lease_ms;
    join_room(t, &b);
    read_room(t, &t->a);
    assert_int_equal(begin_poll(t, &t->a, ""), 0);
    end_hold(t, &t->a);
    assert_true(waits_on(t, &t->a, ""));
    int64_t back_ms = t->f->now_ms;
    assert_true(t->a.w->wait.until_ms < back_ms + lease_ms);
    t->f->now_ms += lease_ms / 3;
    assert_int_equal(begin_poll(t, &b, ""), 0); /* writes its own */
    assert_int_equal(t->a.w->wait.until_ms, back_ms + lease_ms);
    assert_int_equal(b.w->wait.until_ms, t->f->now_ms + lease_ms);
    assert_int_equal(b.w->wait.lease_wake_ms, back_ms + lease_ms);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_member, without_member)
    const struct CMUnitTest tests[] = {
        CASE(who_comes_back_waits_on_without_a_look_at_the_rooms_file),
        CASE(nobody_is_rung_for_it_and_it_goes_after_a_moment),
        CASE(what_may_have_changed_is_looked_at),
        CASE(a_bell_that_was_lost_while_it_was_parked_makes_the_next_poll_look),
        CASE(who_was_to_be_looked_for_when_its_time_was_over_looks),
        CASE(who_was_superseded_does_not_wait_on),
        CASE(who_was_here_a_moment_ago_is_not_looked_for_elsewhere),
        CASE(a_ring_while_it_was_parked_makes_the_next_poll_look),
        CASE(somebody_elses_lease_that_ends_makes_the_next_poll_look),
        CASE(a_replaced_key_is_refused_at_once),
        CASE(the_older_turn_is_superseded_though_it_could_wait_on),
        CASE(who_waits_on_is_renewed_from_when_it_came_back),
    };
    return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
