/* Who waits in a room that this process holds, but may have missed something, looks. */
#include <sys/wait.h>
#include <unistd.h>

#include "give_fixture.h"

enum {
    GIVEN_BYTES_MAX = 4 << 20, /* to all together */
    CROWD = 40,                /* whose answers together are longer than that */
};

static void in_a_room_that_is_not_held_all_look(void **state)
{
    struct give_test *t = *state;
    t->p->f->app.keeps_rooms = false;
    store_let_go_all(&t->p->f->app);
    park_poll(t, &t->b);
    send_to(t, NULL, "1");
    has_to_look(t, &t->b);
    expect(t, "data", "1");
}

static void mail_of_no_hold_is_given_to_nobody(void **state)
{
    struct give_test *t = *state;
    t->p->f->app.keeps_rooms = false;
    store_let_go_all(&t->p->f->app);
    park_poll(t, &t->b);
    assert_int_equal(t->b.w->wait.tenure, 0);
    const struct park_mail mail = { .room = "tea",
                                    .to = SLICE_NONE,
                                    .from = t->a->peer,
                                    .text = slice_of("{}"),
                                    .fresh = { .next = t->b.w->wait.after } };
    park_give(t->p->park, &mail);
    assert_ptr_equal(next(t), t->b.w);
    assert_null(t->b.w->given);
}

static void ring_unheard(struct give_test *t)
{
    app_ring(&t->p->f->app, "tea");
}

static void ring_for_it_unheard(struct give_test *t)
{
    const struct slice peer = slice_of(t->b.peer);
    app_ring_members(&t->p->f->app, "tea", &peer, 1);
}

static void ring_too_often(struct give_test *t)
{
    for (int i = 0; i <= APP_RUNG_MAX; i++) {
        char room[32];
        snprintf(room, sizeof room, "room-%d", i);
        app_ring(&t->p->f->app, room);
    }
    assert_true(t->p->f->app.rung_count > APP_RUNG_MAX);
}

static void ring_elsewhere(struct give_test *t)
{
    bell_ring(t->p->f->app.bell, bell_bucket("tea"));
    park_mark_rung(t->p->park);
}

static void mark_it(struct give_test *t)
{
    assert_true(park_mark(t->p->park, bell_bucket("tea"), t->b.peer));
}

static void mark_room(struct give_test *t)
{
    assert_true(park_mark(t->p->park, bell_bucket("tea"), ""));
}

static void mark_everybody(struct give_test *t)
{
    park_mark_all(t->p->park);
}

static void send_again(struct give_test *t)
{
    assert_int_equal(try_send(t, t->sends, NULL, "1"), 200);
}

static void read_under_another_hold(struct give_test *t)
{
    uint32_t before = hold_of(t);
    store_let_go_all(&t->p->f->app);
    hold_room(t);
    assert_true(hold_of(t) != before);
}

/* Its look came to nothing, since the room was busy. */
static void put_the_look_off(struct give_test *t)
{
    mark_it(t);
    assert_ptr_equal(next(t), t->b.w);
    park_look_again(t->p->park, t->b.w, t->p->f->now_ms + 5);
}

static void who_may_have_missed_something_looks(void **state)
{
    static const struct {
        int line;
        void (*before)(struct give_test *t);
        void (*after)(struct give_test *t);
    } table[] = {
        { __LINE__, ring_unheard, NULL },
        { __LINE__, NULL, ring_unheard },
        { __LINE__, ring_for_it_unheard, NULL },
        { __LINE__, NULL, ring_for_it_unheard },
        { __LINE__, ring_too_often, NULL },
        { __LINE__, NULL, ring_too_often },
        { __LINE__, ring_elsewhere, NULL },
        { __LINE__, NULL, ring_elsewhere },
        { __LINE__, mark_it, NULL },
        { __LINE__, NULL, mark_it },
        { __LINE__, mark_room, NULL },
        { __LINE__, NULL, mark_room },
        { __LINE__, mark_everybody, NULL },
        { __LINE__, NULL, mark_everybody },
        { __LINE__, NULL, send_again },
        { __LINE__, read_under_another_hold, NULL },
        { __LINE__, put_the_look_off, NULL },
    };
    struct give_test *t = *state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        read_all(t, t->a);
        read_all(t, &t->c);
        park_poll(t, &t->b);
        if (table[i].before != NULL) table[i].before(t);
        send_to(t, NULL, "1");
        if (table[i].after != NULL) table[i].after(t);
        struct waiter *w = next(t);
        if (w != t->b.w || w->given != NULL) fail_msg("line %d", table[i].line);
        looks(t, &t->b);
        expect(t, "data", "1");
        assert_null(next(t));
    }
}

static void what_the_server_tells_in_between_is_neither_lost_nor_doubled(void **state)
{
    struct give_test *t = *state;
    struct member d;
    char body[256];
    park_poll(t, &t->b);
    send_to(t, NULL, "1");
    assert_non_null(t->b.w->given);
    join_room(t->p, &d);
    send_to(t, NULL, "2");
    has_to_look(t, &t->b);
    expect(t, "type", "\"note\" \"peer-joined\" \"note\"");

    park_poll(t, &t->b);
    send_to(t, NULL, "3");
    snprintf(body, sizeof body, "{\"key\":\"%s\"}", d.key);
    assert_int_equal(call_room(t->p, "leave", body, NULL), 204);
    has_to_look(t, &t->b);
    expect(t, "type", "\"note\" \"peer-left\"");

    park_poll(t, &t->b);
    send_to(t, NULL, "4");
    is_given(t, &t->b);
    expect(t, "type", "\"note\"");
}

static void what_the_server_tells_with_the_send_is_looked_for(void **state)
{
    struct give_test *t = *state;
    const int64_t lease_ms = t->p->f->app.cfg.lease_ms;
    t->p->f->now_ms += lease_ms - 1000;
    read_all(t, t->a);
    read_all(t, &t->b);
    read_all(t, t->a);
    park_poll(t, &t->b);
    t->p->f->now_ms += 2000; /* the third one has lapsed */
    send_to(t, NULL, "1");
    has_to_look(t, &t->b);
    assert_non_null(strstr(t->p->text.at, t->c.peer));
    assert_int_equal(count_notes(t), 1);
}

static void whose_room_is_due_for_a_look_looks(void **state)
{
    struct give_test *t = *state;
    t->p->f->now_ms += t->p->f->app.cfg.lease_ms / 2;
    read_all(t, t->a);
    park_poll(t, &t->b);
    int64_t lapse_ms = t->b.w->wait.lease_wake_ms; /* of the third one */
    assert_true(lapse_ms < t->b.w->wait.until_ms);
    t->p->f->now_ms = lapse_ms - 1;
    send_to(t, NULL, "1");
    assert_non_null(t->b.w->given);
    t->p->f->now_ms = lapse_ms;
    park_mark_due(t->p->park, lapse_ms);
    has_to_look(t, &t->b);
    assert_int_equal(count_notes(t), 1);
    assert_non_null(strstr(t->p->text.at, t->c.peer));
}

static void who_waits_in_the_lobby_is_given_nothing(void **state)
{
    struct give_test *t = *state;
    struct member d = { 0 };
    char body[256];
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"lobby\":true}", t->a->key);
    assert_int_equal(call_room(t->p, "settings", body, NULL), 200);
    assert_int_equal(call_room(t->p, "join", "{}", NULL), 202);
    answer_text(&t->p->text, "key", d.key);
    answer_text(&t->p->text, "peer", d.peer);
    answer_text(&t->p->text, "cursor", d.cursor);
    read_all(t, &t->b);
    park_poll(t, &d);
    park_poll(t, &t->b);
    while (next(t) != NULL) {
    }
    send_to(t, NULL, "1");
    assert_null(d.w->given);
    assert_non_null(t->b.w->given);
    for (struct waiter *w; (w = next(t)) != NULL;)
        if (w == d.w) assert_int_equal(wake_poll(t->p, w, WAKE_LOOK), OUTCOME_PARK);
    takes(t, &t->b);
}

/* Another process, with a bell and a park of its own, sends. */
static void send_elsewhere(const struct give_test *t, const char *data)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct app_fixture f = { .now_ms = t->p->f->now_ms };
        f.app.cfg = t->p->f->app.cfg;
        f.app.now_ms = t->p->f->app.now_ms;
        f.app.wall_ms = t->p->f->app.wall_ms;
        f.app.clock_arg = &f;
        f.app.how = "fastcgi";
        struct poll_test p = { .f = &f };
        struct give_test other = { .p = &p, .a = t->a, .sends = 1000 };
        buf_init(&p.text, 1 << 20);
        if (!app_open(&f.app)) _exit(2);
        p.park = f.app.park;
        _exit(try_send(&other, ++other.sends, NULL, data) == 200 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_another_process_sent_before_is_not_missed(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    store_let_go_all(&t->p->f->app);
    send_elsewhere(t, "1");
    hold_room(t);
    send_to(t, NULL, "2");
    has_to_look(t, &t->b);
    expect(t, "data", "1 2");
}

static void who_waits_on_from_another_hold_looks(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    end_hold(t->p, &t->b);
    store_let_go_all(&t->p->f->app);
    hold_room(t);
    park_poll(t, &t->b);
    assert_true(t->b.w->goes_on);
    send_to(t, NULL, "1");
    has_to_look(t, &t->b);
    expect(t, "data", "1");
}

static void over_the_messages_of_an_answer_it_looks_and_more_is_said(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    send_some(t, NULL, ROOM_ANSWER_MESSAGES_MAX - 1);
    send_some(t, &t->b, 1);
    is_given(t, &t->b);
    assert_int_equal(count_notes(t), ROOM_ANSWER_MESSAGES_MAX);
    assert_non_null(strstr(t->p->text.at, "\"more\":false"));

    park_poll(t, &t->b);
    send_some(t, NULL, ROOM_ANSWER_MESSAGES_MAX - 1);
    send_some(t, NULL, 2);
    send_to(t, NULL, "7"); /* not given alone */
    has_to_look(t, &t->b);
    assert_int_equal(count_notes(t), ROOM_ANSWER_MESSAGES_MAX);
    assert_non_null(strstr(t->p->text.at, "\"more\":true"));
    read_room(t->p, &t->b);
    expect(t, "data", "0 7");
}

static void over_the_bytes_of_an_answer_it_looks_and_more_is_said(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    send_to(t, NULL, big_text());
    send_to(t, &t->b, big_text());
    is_given(t, &t->b);
    assert_int_equal(count_notes(t), 2);

    park_poll(t, &t->b);
    for (int i = 0; i < 3; i++) send_to(t, NULL, big_text());
    send_to(t, NULL, "7");
    has_to_look(t, &t->b);
    assert_int_equal(count_notes(t), 2);
    assert_non_null(strstr(t->p->text.at, "\"more\":true"));
    read_room(t->p, &t->b);
    assert_int_equal(count_notes(t), 2);
    assert_non_null(strstr(t->p->text.at, "\"more\":false"));
}

static void beyond_what_all_may_be_given_they_look(void **state)
{
    struct give_test *t = *state;
    static struct member crowd[CROWD];
    for (size_t i = 0; i < CROWD; i++) join_room(t->p, &crowd[i]);
    hold_room(t);
    for (size_t i = 0; i < CROWD; i++) read_all(t, &crowd[i]);
    for (int round = 0; round < 2; round++) {
        size_t given = 0, bytes = 0;
        for (size_t i = 0; i < CROWD; i++) park_poll(t, &crowd[i]);
        while (next(t) != NULL) {
        }
        send_to(t, NULL, big_text());
        send_to(t, NULL, big_text());
        for (size_t i = 0; i < CROWD; i++) {
            if (crowd[i].w->given == NULL) continue;
            given++;
            bytes += crowd[i].w->given->text.len;
        }
        assert_in_range(given, 1, CROWD - 1);
        assert_in_range(bytes, GIVEN_BYTES_MAX - 3 * BIG_BYTES, GIVEN_BYTES_MAX + 2 * BIG_BYTES);
        for (struct waiter *w; (w = next(t)) != NULL;) {
            size_t i = 0;
            while (crowd[i].w != w) i++;
            if (w->given != NULL)
                takes(t, &crowd[i]);
            else
                looks(t, &crowd[i]);
            assert_int_equal(count_notes(t), 2);
        }
        for (size_t i = 0; i < CROWD; i++) assert_null(crowd[i].w);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(in_a_room_that_is_not_held_all_look),
        CASE(mail_of_no_hold_is_given_to_nobody),
        CASE(who_may_have_missed_something_looks),
        CASE(what_the_server_tells_in_between_is_neither_lost_nor_doubled),
        CASE(what_the_server_tells_with_the_send_is_looked_for),
        CASE(whose_room_is_due_for_a_look_looks),
        CASE(who_waits_in_the_lobby_is_given_nothing),
        CASE(what_another_process_sent_before_is_not_missed),
        CASE(who_waits_on_from_another_hold_looks),
        CASE(over_the_messages_of_an_answer_it_looks_and_more_is_said),
        CASE(over_the_bytes_of_an_answer_it_looks_and_more_is_said),
        CASE(beyond_what_all_may_be_given_they_look),
    };
    return cmocka_run_group_tests_name("give_look", tests, NULL, NULL);
}
