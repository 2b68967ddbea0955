#include "store_fixture.h"

static struct exchange_result look(struct fixture *f, const struct who *w, struct room_wait *wait)
{
    struct exchange_result res;
    *wait = (struct room_wait){ .room = "tea", .after = w->cursor };
    memcpy(wait->peer, w->peer, sizeof wait->peer);
    assert_ok(room_look(&f->app, f->a, wait, &res));
    return res;
}

/* ---- reading ---- */

static void mail_reaches_those_it_is_for_in_order_and_never_its_sender(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    join(f, "tea", &c);
    read_empty(f, "tea", &a);
    read_empty(f, "tea", &b);
    send_note(f, "tea", &a, NULL, "1", "\"all\"");
    send_note(f, "tea", &a, b.peer, "2", "\"b\"");
    send_note(f, "tea", &c, b.peer, "1", "12345678901234567890");
    send_note(f, "tea", &b, NULL, "1", "\"a\\u0000b\"");
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].data, "\"a\\u0000b\"");
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 3);
    assert_slice(mail.messages[0].data, "\"all\"");
    assert_slice(mail.messages[0].from, a.peer);
    assert_null(mail.messages[0].to.at);
    assert_slice(mail.messages[1].data, "\"b\"");
    assert_slice(mail.messages[1].to, b.peer);
    assert_slice(mail.messages[2].data, "12345678901234567890");
    assert_slice(mail.messages[2].type, "note");
    assert_true(mail.messages[0].seq < mail.messages[1].seq);
    assert_true(mail.messages[1].seq < mail.messages[2].seq);
    read_mail(f, "tea", &c, &mail);
    assert_int_equal(mail.count, 2);
}

static void the_same_cursor_gives_the_same_messages_again(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    struct cursor start = b.cursor;
    send_many(f, &a, b.peer, 0, 3);
    send_many(f, &a, NULL, 3, 3);
    for (int i = 0; i < 3; i++) {
        b.cursor = start;
        read_mail(f, "tea", &b, &mail);
        assert_int_equal(mail.count, 6);
    }
    read_mail(f, "tea", &b, &mail); /* acknowledges; nothing writes it down */
    assert_int_equal(mail.count, 0);
    b.cursor = start;
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 6);
    assert_slice(mail.messages[5].data, "5");
}

static void an_answer_is_bounded_and_says_that_there_is_more(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    static char big[50001];
    join(f, "tea", &a);
    join(f, "tea", &b);
    send_many(f, &a, NULL, 0, 250);
    int seen = 0;
    for (int part = 0; part < 3; part++) {
        read_mail(f, "tea", &b, &mail);
        assert_int_equal(mail.count, part < 2 ? 100 : 50);
        assert_int_equal(mail.more, part < 2);
        for (size_t i = 0; i < mail.count; i++, seen++)
            assert_int_equal(strtol(mail.messages[i].data.at, NULL, 10), seen);
    }
    memset(big, '7', sizeof big - 1);
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "big-%d", i);
        send_note(f, "tea", &a, NULL, id, big);
    }
    const size_t parts[] = { 2, 2, 1 };
    for (int part = 0; part < 3; part++) {
        read_mail(f, "tea", &b, &mail);
        assert_int_equal(mail.count, parts[part]);
        assert_int_equal(mail.more, part < 2);
    }
}

static void the_cursor_passes_over_what_is_for_others(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct exchange_result mail;
    struct room_wait wait;
    join(f, "tea", &a);
    join(f, "tea", &b);
    join(f, "tea", &c);
    read_empty(f, "tea", &a);
    send_many(f, &b, c.peer, 0, 3);
    mail = look(f, &a, &wait);
    assert_int_equal(mail.count, 0);
    assert_int_equal(wait.after.seq, 6);
    assert_int_equal(mail.next.seq, 6);
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(a.cursor.seq, 6);
    send_note(f, "tea", &c, a.peer, "1", "1");
    assert_ok(room_look(&f->app, f->a, &wait, &mail));
    assert_int_equal(mail.count, 1);
    assert_int_equal(wait.after.seq, 6); /* not taken: it may be told again */
    assert_int_equal(mail.next.seq, 7);
}

static void a_cursor_that_cannot_be_served_gets_a_gap_and_acknowledges_nothing(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    send_many(f, &a, b.peer, 0, 4);
    const struct cursor good = b.cursor; /* seq 2, head 6 */
    const struct {
        int line;
        struct cursor after;
        bool gap;
    } table[] = {
        { __LINE__, { true, good.epoch, 2 }, false },
        { __LINE__, { true, good.epoch, 6 }, false },
        { __LINE__, { true, good.epoch, 7 }, true },
        { __LINE__, { true, good.epoch, INT64_MAX }, true },
        { __LINE__, { true, good.epoch ^ 1, 4 }, true },
        { __LINE__, { true, good.epoch, 1 }, true }, /* from before it joined */
        { __LINE__, { true, good.epoch, 0 }, true },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct who w = b;
        w.cursor = table[i].after;
        /* A send writes, so that it would also write an acknowledgement. */
        char id[16];
        snprintf(id, sizeof id, "line-%zu", i);
        if (table[i].gap) {
            struct message_in m = { .id = slice_of(id),
                                    .to = slice_of(a.peer),
                                    .type = slice_of("note"),
                                    .data = slice_of("0") };
            assert_ok(exchange(f, "tea", &w, true, &m, 1, &mail));
            assert_int_equal(mail.sent[0].seq > 0, true);
        } else {
            read_mail(f, "tea", &w, &mail);
        }
        if (mail.gap != table[i].gap) fail_msg("line %d", table[i].line);
        if (!mail.gap) continue;
        assert_int_equal(mail.count, 0);
        assert_int_equal(mail.peers_count, 1);
        assert_slice(mail.peers[0].peer, a.peer);
        assert_int_equal(mail.next.seq, 2);
        read_mail(f, "tea", &w, &mail);
        assert_int_equal(mail.count, 4);
    }
}

static void a_cursor_from_a_room_that_was_made_anew_gets_a_gap(void **state)
{
    struct fixture *f = *state;
    struct who a, again;
    struct exchange_result mail;
    join(f, "tea", &a);
    struct cursor old = a.cursor;
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    f->now_ms += f->app.cfg.grace_ms;
    assert_ok(room_sweep(&f->app, "tea"));
    join(f, "tea", &again);
    struct cursor new = again.cursor;
    again.cursor = old;
    read_mail(f, "tea", &again, &mail);
    assert_true(mail.gap);
    assert_int_equal(mail.next.epoch, new.epoch);
    assert_int_equal(mail.next.seq, new.seq);
}

/* ---- acknowledging and pruning ---- */

static void direct_mail_goes_when_its_addressee_has_acknowledged_it(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    join(f, "tea", &c);
    send_many(f, &a, b.peer, 0, 5);
    send_many(f, &a, c.peer, 5, 5);
    read_mail(f, "tea", &b, &mail);
    send_note(f, "tea", &b, c.peer, "1", "1"); /* no `after`: nothing is acknowledged */
    assert_int_equal(held(f), 11);
    struct message_in m = {
        .id = slice_of("2"), .to = slice_of(c.peer), .type = slice_of("note"), .data = slice_of("0")
    };
    struct cursor early = b.cursor;
    assert_ok(exchange(f, "tea", &b, true, &m, 1, &mail));
    assert_int_equal(held(f), 12);
    f->now_ms += f->app.cfg.lease_ms / 3;
    assert_ok(exchange(f, "tea", &a, true, NULL, 0, &mail)); /* with anybody's lease */
    assert_int_equal(held(f), 7);
    b.cursor = early;
    read_mail(f, "tea", &b, &mail); /* again from there: nothing is missing */
    assert_false(mail.gap);
    b.cursor.seq = early.seq - 1;
    read_mail(f, "tea", &b, &mail);
    assert_true(mail.gap); /* before it: never silence about what is gone */
    assert_int_equal(mail.next.seq, early.seq);
}

static void mail_to_all_goes_when_all_who_were_there_have_acknowledged_it(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c, late;
    struct exchange_result mail;
    struct message_in ping = { .id = slice_of("p"),
                               .type = slice_of("ping"),
                               .data = slice_of("0") };
    join(f, "tea", &a);
    join(f, "tea", &b);
    join(f, "tea", &c);
    send_many(f, &a, NULL, 0, 5);
    join(f, "tea", &late); /* was not there */
    read_empty(f, "tea", &b);
    assert_ok(exchange(f, "tea", &b, true, &ping, 1, &mail));
    assert_int_equal(held(f), 6);
    read_empty(f, "tea", &c);
    ping.id = slice_of("q");
    f->now_ms += f->app.cfg.lease_ms / 3;
    assert_ok(exchange(f, "tea", &c, true, &ping, 1, &mail));
    /* The sender itself has acknowledged nothing, which doesn't matter; the two pings are left. */
    assert_int_equal(held(f), 2);
    read_mail(f, "tea", &late, &mail);
    assert_int_equal(mail.count, 2);
    struct exchange_result again;
    read_mail(f, "tea", &a, &again);
    assert_false(again.gap);
    assert_int_equal(again.count, 5); /* b, c and late joined, two pings */
}

static void a_lapsed_member_in_its_grace_still_holds_mail_to_all(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct exchange_result mail;
    join(f, "tea", &c);
    f->now_ms += f->app.cfg.lease_ms;
    join(f, "tea", &a); /* c lapses */
    join(f, "tea", &b);
    send_many(f, &a, NULL, 0, 5);
    send_many(f, &b, c.peer, 0, 2);
    struct message_in ping = {
        .id = slice_of("p"), .to = slice_of(a.peer), .type = slice_of("ping"), .data = slice_of("0")
    };
    read_empty(f, "tea", &b);
    assert_ok(exchange(f, "tea", &b, true, &ping, 1, &mail));
    assert_int_equal(held(f), 8);
    f->now_ms += f->app.cfg.grace_ms;
    ping.id = slice_of("q");
    assert_ok(exchange(f, "tea", &b, true, &ping, 1, &mail));
    assert_int_equal(held(f), 2);
}

static int64_t acked(const struct fixture *f, const struct who *w)
{
    char text[96];
    snprintf(text, sizeof text, "SELECT acked FROM member WHERE peer = '%s'", w->peer);
    return sql(f, "rooms/tea.db", text);
}

static void acknowledgements_are_written_only_with_something_else_or_in_a_filling_mailbox(
    void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    join(f, "tea", &a);
    join(f, "tea", &b);
    f->app.cfg.mailbox_messages_max = 160;
    read_empty(f, "tea", &b);
    send_many(f, &a, b.peer, 0, 9);
    read_empty(f, "tea", &b);
    read_empty(f, "tea", &b);
    assert_int_equal(held(f), 9);
    assert_int_equal(acked(f, &b), b.joined);
    send_many(f, &a, b.peer, 9, 11); /* an eighth, which is half of what one may fill */
    read_empty(f, "tea", &b);
    assert_int_equal(held(f), 20);
    assert_int_equal(acked(f, &b), b.cursor.seq);
    send_many(f, &a, b.peer, 20, 1);
    assert_int_equal(held(f), 1);
    read_empty(f, "tea", &b);
    f->now_ms += f->app.cfg.lease_ms / 3;
    read_empty(f, "tea", &b); /* with the lease */
    assert_int_equal(held(f), 0);
}

static void a_sender_whose_mail_is_read_as_it_comes_meets_no_bound(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    f->app.cfg.mailbox_messages_max = 160;
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &b);
    for (int i = 0; i < 500; i++) {
        send_many(f, &a, i % 2 ? NULL : b.peer, i, 1);
        read_mail(f, "tea", &b, &mail);
        assert_int_equal(mail.count, 1);
        assert_true(held(f) <= 22);
        arena_reset(f->a);
    }
}

/* Everybody stays, saying nothing about what it has read. */
static void stay(struct fixture *f, struct who *who, size_t count, int64_t ms)
{
    struct exchange_result mail;
    const int64_t until_ms = f->now_ms + ms;
    while (f->now_ms < until_ms) {
        int64_t step_ms = f->app.cfg.lease_ms / 2;
        f->now_ms += step_ms < until_ms - f->now_ms ? step_ms : until_ms - f->now_ms;
        for (size_t i = 0; i < count; i++) {
            struct exchange_ask only = { .room = "tea", .key = slice_of(who[i].key) };
            assert_ok(room_exchange(&f->app, f->a, &only, &mail));
        }
    }
}

static void mail_beyond_the_ttl_goes_and_is_told_as_a_gap_to_those_who_missed_it(void **state)
{
    struct fixture *f = *state;
    struct who who[4];
    struct who *a = &who[0], *b = &who[1], *c = &who[2], *d = &who[3];
    struct exchange_result mail;
    for (int i = 0; i < 4; i++) join(f, "tea", &who[i]);
    send_note(f, "tea", a, NULL, "1", "1");    /* seq 5 */
    send_note(f, "tea", a, b->peer, "2", "2"); /* seq 6 */
    read_mail(f, "tea", d, &mail);
    assert_int_equal(mail.count, 1);
    stay(f, who, 4, f->app.cfg.ttl_ms - 1000);
    send_note(f, "tea", a, b->peer, "3", "3"); /* seq 7 */
    assert_int_equal(held(f), 3);
    stay(f, who, 4, 1000);
    assert_ok(room_sweep(&f->app, "tea"));
    assert_int_equal(held(f), 1);
    read_mail(f, "tea", b, &mail);
    assert_true(mail.gap);
    assert_int_equal(mail.next.seq, 6);
    assert_int_equal(mail.peers_count, 3);
    read_mail(f, "tea", b, &mail);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].data, "3");
    read_mail(f, "tea", c, &mail);
    assert_true(mail.gap);
    assert_int_equal(mail.next.seq, 5);
    read_mail(f, "tea", d, &mail); /* had read it, though that was never written down */
    assert_false(mail.gap);
    a->cursor.seq = 4;
    read_mail(f, "tea", a, &mail); /* its own can't be missing to it */
    assert_false(mail.gap);
}

static void a_request_that_finds_its_own_mail_grown_old_tells_the_gap_at_once(void **state)
{
    struct fixture *f = *state;
    struct who who[2];
    struct exchange_result mail;
    join(f, "tea", &who[0]);
    join(f, "tea", &who[1]);
    send_note(f, "tea", &who[0], who[1].peer, "1", "1");
    stay(f, who, 2, f->app.cfg.ttl_ms - 1);
    assert_int_equal(held(f), 1);
    f->now_ms += f->app.cfg.lease_ms / 2;
    read_mail(f, "tea", &who[1], &mail); /* renews its lease, and so sees to the rest */
    assert_true(mail.gap);
    assert_int_equal(held(f), 0);
}

static void mail_to_all_goes_with_the_last_one_that_had_not_read_it(void **state)
{
    struct fixture *f = *state;
    struct who a, lapsing, leaving;
    struct exchange_result mail;
    join(f, "tea", &lapsing);
    join(f, "tea", &leaving);
    join(f, "tea", &a);
    send_many(f, &a, NULL, 0, 3);
    send_many(f, &a, leaving.peer, 3, 2);
    send_many(f, &a, lapsing.peer, 5, 4);
    assert_int_equal(held(f), 9);
    assert_ok(room_leave(&f->app, "tea", slice_of(leaving.key), false));
    assert_int_equal(held(f), 7); /* what was to it alone */
    for (int i = 0; i < 3; i++) {
        f->now_ms += (f->app.cfg.lease_ms + f->app.cfg.grace_ms) / 3;
        assert_ok(room_sweep(&f->app, "tea"));
        if (i < 2) read_mail(f, "tea", &a, &mail);
        if (i < 2) assert_int_equal(held(f), 7);
    }
    assert_int_equal(held(f), 0);
    join(f, "tea", &leaving);
    send_many(f, &a, NULL, 20, 3);
    assert_int_equal(held(f), 3);
    assert_ok(room_leave(&f->app, "tea", slice_of(leaving.key), false));
    assert_int_equal(held(f), 0);
}

static void long_mail_has_its_acknowledgements_written_too(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    static char data[5001];
    memset(data, '5', 5000);
    f->app.cfg.mailbox_bytes_max = 16 * 5000;
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &b);
    send_note(f, "tea", &a, b.peer, "1", data);
    read_empty(f, "tea", &b);
    assert_int_equal(acked(f, &b), b.joined);
    send_note(f, "tea", &a, b.peer, "2", data); /* an eighth */
    read_empty(f, "tea", &b);
    assert_int_equal(acked(f, &b), b.cursor.seq);
    send_note(f, "tea", &a, b.peer, "3", data);
    assert_int_equal(held(f), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(mail_reaches_those_it_is_for_in_order_and_never_its_sender),
        CASE(the_same_cursor_gives_the_same_messages_again),
        CASE(an_answer_is_bounded_and_says_that_there_is_more),
        CASE(the_cursor_passes_over_what_is_for_others),
        CASE(a_cursor_that_cannot_be_served_gets_a_gap_and_acknowledges_nothing),
        CASE(a_cursor_from_a_room_that_was_made_anew_gets_a_gap),
        CASE(direct_mail_goes_when_its_addressee_has_acknowledged_it),
        CASE(mail_to_all_goes_when_all_who_were_there_have_acknowledged_it),
        CASE(a_lapsed_member_in_its_grace_still_holds_mail_to_all),
        CASE(acknowledgements_are_written_only_with_something_else_or_in_a_filling_mailbox),
        CASE(a_sender_whose_mail_is_read_as_it_comes_meets_no_bound),
        CASE(mail_beyond_the_ttl_goes_and_is_told_as_a_gap_to_those_who_missed_it),
        CASE(a_request_that_finds_its_own_mail_grown_old_tells_the_gap_at_once),
        CASE(mail_to_all_goes_with_the_last_one_that_had_not_read_it),
        CASE(long_mail_has_its_acknowledgements_written_too),
    };
    return cmocka_run_group_tests_name("room_mail", tests, NULL, NULL);
}
