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
#include "route_fixture.h"

enum { HOLD_MS = 20000 };

struct member {
    char key[128], cursor[128];
    int64_t turn;
    struct waiter *w; /* its poll, while that is parked */
};

struct rest_test {
    struct app_fixture *f;
    struct park *park;
    struct buf text; /* of the last answer */
    struct member a;
};

/* Its status; 0: it is held, in *w. */
static int call(struct rest_test *t, const char *what, const char *body, struct waiter *w)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/rooms/tea/%s", what);
    const struct call post = { HTTP_POST, path, JSON, body, NULL, NULL };
    return handle(t->f, &post, &t->text, w);
}

static void join(struct rest_test *t, struct member *m)
{
    *m = (struct member){ 0 };
    assert_int_equal(call(t, "join", "{}", NULL), 201);
    answer_text(&t->text, "key", m->key);
    answer_text(&t->text, "cursor", m->cursor);
}

/* 0: its poll is parked. */
static int poll(struct rest_test *t, struct member *m, const char *more)
{
    char body[512];
    struct waiter w, *superseded;
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"after\":\"%s\",\"wait_ms\":%d,\"turn\":%lld%s}",
             m->key, m->cursor, HOLD_MS, (long long)++m->turn, more);
    int status = call(t, "exchange", body, &w);
    if (status != 0) return status;
    m->w = park_add(t->park, &w, &superseded);
    assert_non_null(m->w);
    assert_null(superseded);
    return 0;
}

static enum outcome wake(struct rest_test *t, struct waiter *w, enum wake why)
{
    struct answer an;
    struct arena *scratch = arena_new(1 << 20);
    http_answer_init(&an);
    enum outcome outcome = route_resume(&t->f->app, scratch, w, why, &an);
    buf_clear(&t->text);
    buf_add(&t->text, an.body.at, an.body.len);
    buf_add(&t->text, "", 1);
    http_answer_free(&an);
    arena_free(scratch);
    return outcome;
}

static void read_all(struct rest_test *t, struct member *m)
{
    char body[512];
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"after\":\"%s\"}", m->key, m->cursor);
    assert_int_equal(call(t, "exchange", body, NULL), 200);
    answer_text(&t->text, "next", m->cursor);
}

/* Until the hold of this member's poll is over, and answered. */
static void hold(struct rest_test *t, struct member *m)
{
    struct waiter *w = m->w;
    t->f->now_ms = w->deadline.at_ms;
    assert_ptr_equal(park_take_due(t->park, t->f->now_ms), w);
    assert_int_equal(wake(t, w, WAKE_DEADLINE), OUTCOME_ANSWER);
    answer_text(&t->text, "next", m->cursor);
    park_release(t->park, w);
    m->w = NULL;
}

/* The room's file is aside: who looks at it finds that there is no room. */
static void put_aside(struct rest_test *t, bool aside)
{
    char path[APP_PATH_BYTES_MAX + 64], other[APP_PATH_BYTES_MAX + 64];
    snprintf(path, sizeof path, "%s/rooms/tea.db", t->f->app.data_dir);
    snprintf(other, sizeof other, "%s/rooms/tea.aside", t->f->app.data_dir);
    assert_int_equal(aside ? rename(path, other) : rename(other, path), 0);
}

static bool waits_on(struct rest_test *t, struct member *m, const char *more)
{
    put_aside(t, true);
    int status = poll(t, m, more);
    put_aside(t, false);
    if (status != 0) assert_int_equal(status, 404);
    return status == 0;
}

static int set_up(void **state)
{
    struct rest_test *t = calloc(1, sizeof *t);
    t->f = app_fixture_new();
    if (t->f == NULL) return -1;
    t->park = t->f->app.park;
    buf_init(&t->text, 1 << 20);
    join(t, &t->a);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct rest_test *t = *state;
    buf_free(&t->text);
    app_fixture_free(t->f);
    free(t);
    return 0;
}

static void who_comes_back_waits_on_without_a_look_at_the_rooms_file(void **state)
{
    struct rest_test *t = *state;
    assert_int_equal(poll(t, &t->a, ""), 0);
    hold(t, &t->a);
    assert_int_equal(park_count(t->park), 0);
    t->f->now_ms += PARK_REST_MS - 1;
    assert_true(waits_on(t, &t->a, ""));
    assert_int_equal(park_count(t->park), 1);
    assert_int_equal(t->a.w->wait.since_ms, t->f->now_ms);
    assert_in_range(t->a.w->deadline.at_ms, t->f->now_ms + 1, t->f->now_ms + HOLD_MS);
    assert_null(park_next(t->park));

    /* And what comes is found. */
    struct member b;
    join(t, &b);
    assert_true(park_mark(t->park, bell_bucket("tea"), ""));
    struct waiter *w = park_next(t->park);
    assert_ptr_equal(w, t->a.w);
    assert_int_equal(wake(t, w, WAKE_LOOK), OUTCOME_ANSWER);
    assert_non_null(strstr(t->text.at, "peer-joined"));
    park_remove(t->park, w);
    park_release(t->park, w);
}

static void nobody_is_rung_for_it_and_it_goes_after_a_moment(void **state)
{
    struct rest_test *t = *state;
    assert_int_equal(poll(t, &t->a, ""), 0);
    hold(t, &t->a);
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

static void ring_elsewhere(struct rest_test *t)
{
    bell_ring(t->f->app.bell, bell_bucket("tea"));
}

static void ring_here(struct rest_test *t)
{
    app_ring(&t->f->app, "tea");
}

static void wear_the_lease(struct rest_test *t)
{
    t->f->app.cfg.lease_ms *= 2; /* so that more than a third has gone */
}

static void read_elsewhere(struct rest_test *t)
{
    char *seq = strchr(t->a.cursor, '.') + 1;
    snprintf(seq, 16, "%lld", strtoll(seq, NULL, 10) - 1);
}

static void lose_the_bell(struct rest_test *t)
{
    app_reopen_bell(&t->f->app);
    park_listen(t->park);
}

static void come_late(struct rest_test *t)
{
    t->f->now_ms += PARK_REST_MS;
    assert_null(park_take_due(t->park, t->f->now_ms));
}

static void mark_the_member(struct rest_test *t)
{
    assert_true(park_mark(t->park, bell_bucket("tea"), "somebody"));
}

static void mark_all(struct rest_test *t)
{
    park_mark_all(t->park);
}

static void mistake_the_key(struct rest_test *t)
{
    t->a.key[5] = t->a.key[5] == 'x' ? 'y' : 'x';
}

static void what_may_have_changed_is_looked_at(void **state)
{
    static const struct {
        int line;
        void (*change)(struct rest_test *t);
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
    struct rest_test *t = *state;
    const int64_t lease_ms = 3600000;
    t->f->app.cfg.lease_ms = lease_ms;
    read_all(t, &t->a);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        t->f->app.cfg.lease_ms = lease_ms;
        t->f->now_ms += lease_ms / 2; /* the next one writes its lease */
        const struct member before = t->a;
        assert_int_equal(poll(t, &t->a, ""), 0);
        hold(t, &t->a);
        t->f->now_ms += 100;
        if (!waits_on(t, &t->a, "")) fail_msg("line %d: not even without", table[i].line);
        hold(t, &t->a);
        t->f->now_ms += 100;
        if (table[i].change != NULL) table[i].change(t);
        if (waits_on(t, &t->a, table[i].more)) fail_msg("line %d", table[i].line);
        memcpy(t->a.key, before.key, sizeof t->a.key);
        read_all(t, &t->a);
    }
}

static void a_bell_that_was_lost_while_it_was_parked_makes_the_next_poll_look(void **state)
{
    struct rest_test *t = *state;
    assert_int_equal(poll(t, &t->a, ""), 0);
    lose_the_bell(t);
    hold(t, &t->a);
    assert_false(waits_on(t, &t->a, ""));
}

static void who_was_superseded_does_not_wait_on(void **state)
{
    struct rest_test *t = *state;
    bool superseded, elsewhere;
    char peer[IDENT_PEER_BYTES + 1];
    assert_int_equal(poll(t, &t->a, ""), 0);
    strcpy(peer, t->a.w->wait.peer);
    (void)bell_owner_claim(t->f->app.bell, peer, ++t->a.turn, &superseded, &elsewhere);
    assert_true(elsewhere);
    hold(t, &t->a);
    assert_non_null(strstr(t->text.at, "\"superseded\":true"));
    assert_false(waits_on(t, &t->a, ""));
}

/* Another member's word comes over this one's. */
static void cover(struct rest_test *t, const char *peer)
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
    struct rest_test *t = *state;
    char peer[IDENT_PEER_BYTES + 1];
    uint32_t tea = bell_bucket("tea");
    assert_int_equal(poll(t, &t->a, ""), 0);
    strcpy(peer, t->a.w->wait.peer);
    uint32_t rung = bell_rung(t->f->app.bell, tea);
    hold(t, &t->a);
    cover(t, peer);
    assert_true(waits_on(t, &t->a, ""));
    assert_int_equal(bell_rung(t->f->app.bell, tea), rung);
    hold(t, &t->a);
    cover(t, peer);
    come_late(t);
    assert_int_equal(poll(t, &t->a, ""), 0);
    assert_int_equal(bell_rung(t->f->app.bell, tea), rung + 1);
}

static void a_ring_while_it_was_parked_makes_the_next_poll_look(void **state)
{
    struct rest_test *t = *state;
    assert_int_equal(poll(t, &t->a, ""), 0);
    ring_elsewhere(t);
    assert_true(park_mark(t->park, bell_bucket("tea"), ""));
    assert_ptr_equal(park_next(t->park), t->a.w);
    assert_int_equal(wake(t, t->a.w, WAKE_LOOK), OUTCOME_PARK);
    park_looked(t->park, t->a.w);
    hold(t, &t->a);
    assert_false(waits_on(t, &t->a, ""));
}

static void somebody_elses_lease_that_ends_makes_the_next_poll_look(void **state)
{
    struct rest_test *t = *state;
    struct member b;
    int64_t lapse_ms = t->f->now_ms + t->f->app.cfg.lease_ms;
    read_all(t, &t->a); /* its lease is never written again */
    t->f->now_ms = lapse_ms - HOLD_MS - 10;
    join(t, &b);
    assert_int_equal(poll(t, &b, ""), 0);
    hold(t, &b);
    assert_true(t->f->now_ms < lapse_ms);
    t->f->now_ms = lapse_ms;
    assert_false(waits_on(t, &b, ""));
}

static void a_replaced_key_is_refused_at_once(void **state)
{
    struct rest_test *t = *state;
    char body[512];
    assert_int_equal(poll(t, &t->a, ""), 0);
    hold(t, &t->a);
    snprintf(body, sizeof body, "{\"resume\":\"%s\"}", t->a.key);
    assert_int_equal(call(t, "join", body, NULL), 201);
    char key[128];
    answer_text(&t->text, "key", key);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"after\":\"%s\"}", key, t->a.cursor);
    assert_int_equal(call(t, "exchange", body, NULL), 200); /* its first use */
    assert_int_equal(poll(t, &t->a, ""), 410);
}

static void the_older_turn_is_superseded_though_it_could_wait_on(void **state)
{
    struct rest_test *t = *state;
    t->a.turn = 9;
    assert_int_equal(poll(t, &t->a, ""), 0);
    hold(t, &t->a);
    t->a.turn = 5;
    assert_int_equal(poll(t, &t->a, ""), 200);
    assert_non_null(strstr(t->text.at, "\"superseded\":true"));
}

static void who_waits_on_is_renewed_from_when_it_came_back(void **state)
{
    struct rest_test *t = *state;
    struct member b;
    const int64_t lease_ms = t->f->app.cfg.lease_ms;
    join(t, &b);
    read_all(t, &t->a);
    assert_int_equal(poll(t, &t->a, ""), 0);
    hold(t, &t->a);
    assert_true(waits_on(t, &t->a, ""));
    int64_t back_ms = t->f->now_ms;
    assert_true(t->a.w->wait.until_ms < back_ms + lease_ms);
    t->f->now_ms += lease_ms / 3;
    assert_int_equal(poll(t, &b, ""), 0); /* writes its own */
    assert_int_equal(t->a.w->wait.until_ms, back_ms + lease_ms);
    assert_int_equal(b.w->wait.until_ms, t->f->now_ms + lease_ms);
    assert_int_equal(b.w->wait.lease_wake_ms, back_ms + lease_ms);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(who_comes_back_waits_on_without_a_look_at_the_rooms_file),
        CASE(nobody_is_rung_for_it_and_it_goes_after_a_moment),
        CASE(what_may_have_changed_is_looked_at),
        CASE(a_bell_that_was_lost_while_it_was_parked_makes_the_next_poll_look),
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
