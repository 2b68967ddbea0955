#include "room_fixture.h"

static void expect_left(const struct exchange_result *mail, size_t at, const struct who *who,
                        const char *reason)
{
    char text[128];
    assert_true(at < mail->count);
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"reason\":\"%s\"}", who->peer, reason);
    assert_slice(mail->messages[at].type, "peer-left");
    assert_slice(mail->messages[at].data, text);
    assert_null(mail->messages[at].from.at);
}

static struct problem look(struct fixture *f, struct room_wait *wait, struct exchange_result *out)
{
    return room_look(&f->app, f->a, wait, out);
}

static void park(struct fixture *f, struct who *w, struct room_wait *wait)
{
    struct exchange_result mail;
    read_empty(f, "tea", w);
    read_mail(f, "tea", w, &mail);
    *wait = mail.wait;
    assert_string_equal(wait->room, "tea");
    assert_string_equal(wait->peer, w->peer);
    assert_int_equal(wait->after.seq, w->cursor.seq);
}

/* A browser drops its poll and sends a younger one; the server hears of the older's end last. */
static void hang_up_older(struct fixture *f, struct who *w, struct room_wait *old,
                          struct room_wait *young)
{
    park(f, w, old);
    park(f, w, young);
    assert_ok(room_hangup(&f->app, old));
}

static int64_t peers(struct fixture *f)
{
    int64_t count;
    struct room_settings settings;
    struct problem p = room_info(&f->app, "tea", &count, &settings);
    return p.status == 0 ? count : -p.status;
}

/* ---- leases ---- */

static void any_request_renews_a_lease_once_a_third_of_it_has_gone(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    const int64_t lease_ms = f->app.cfg.lease_ms, start_ms = f->now_ms;
    join(f, "tea", &a);
    read_mail(f, "tea", &a, &mail); /* the key's first use */
    f->now_ms = start_ms + lease_ms / 3 - 1;
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.wait.lease_wake_ms, start_ms + lease_ms);
    f->now_ms++;
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.wait.lease_wake_ms, f->now_ms + lease_ms);
    f->now_ms += lease_ms / 3;
    join(f, "tea", &b);
    send_note(f, "tea", &a, b.peer, "1", "1"); /* so does a send */
    f->now_ms += lease_ms - 1;
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 1);
    assert_int_equal(peers(f), 2);
}

/* `w` reads where the poll of `wait` is parked. Returns when the next lease of the room ends. */
static int64_t read_beside(struct fixture *f, struct who *w, struct room_wait *wait)
{
    struct exchange_result mail;
    struct exchange_ask ask = { .room = "tea",
                                .key = slice_of(w->key),
                                .after = w->cursor,
                                .parked = &wait,
                                .parked_count = 1 };
    assert_ok(room_exchange(&f->app, f->a, &ask, &mail));
    return mail.wait.lease_wake_ms;
}

static void who_is_parked_gets_a_lease_from_when_its_poll_came_with_anothers(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct room_wait wait;
    const int64_t lease_ms = f->app.cfg.lease_ms, start_ms = f->now_ms;
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &a);
    f->now_ms = start_ms + lease_ms / 3 - 1;
    park(f, &b, &wait);
    assert_int_equal(wait.lease_wake_ms, start_ms + lease_ms); /* nobody wrote it down */
    assert_int_equal(read_beside(f, &a, &wait), start_ms + lease_ms);
    f->now_ms += 2;
    assert_int_equal(read_beside(f, &a, &wait), wait.since_ms + lease_ms);
    /* Whoever writes, and how often: a poll counts once. */
    f->now_ms += lease_ms / 3;
    assert_int_equal(read_beside(f, &a, &wait), wait.since_ms + lease_ms);
    f->now_ms = wait.since_ms + lease_ms - 1;
    assert_int_equal(read_beside(f, &a, &wait), f->now_ms + 1);
    f->now_ms++;
    assert_int_equal(peers(f), 1);
    /* What ended stays so. */
    assert_int_equal(read_beside(f, &a, &wait), f->now_ms - 1 + lease_ms);
    assert_problem(exchange(f, "tea", &b, true, NULL, 0, &(struct exchange_result){ 0 }), 410,
                   "session-expired");
}

static void a_lease_that_was_shortened_is_not_lengthened_by_another(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct room_wait wait;
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &a);
    f->now_ms += f->app.cfg.lease_ms / 3 - 1;
    park(f, &b, &wait);
    f->now_ms++;
    assert_ok(room_hangup(&f->app, &wait));
    assert_int_equal(read_beside(f, &a, &wait), f->now_ms + ROOM_HANGUP_MS);
    f->now_ms += f->app.cfg.lease_ms / 3;
    park(f, &b, &wait); /* it is there after all */
    assert_ok(room_leave(&f->app, "tea", slice_of(b.key), true));
    assert_int_equal(read_beside(f, &a, &wait), f->now_ms + ROOM_SOON_MS);
}

static void a_lapse_is_announced_once_whoever_notices(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct room_wait wait;
    struct exchange_result mail;
    join(f, "tea", &a);
    f->now_ms += 1000;
    join(f, "tea", &b);
    join(f, "tea", &c);
    park(f, &b, &wait);
    assert_int_equal(wait.lease_wake_ms, f->now_ms - 1000 + f->app.cfg.lease_ms);
    assert_ok(look(f, &wait, &mail));
    assert_int_equal(mail.count, 0);
    f->now_ms += f->app.cfg.lease_ms / 2;
    const int64_t renewed_ms = f->now_ms;
    read_empty(f, "tea", &b);
    read_empty(f, "tea", &c);
    f->now_ms = wait.lease_wake_ms - 1;
    assert_ok(look(f, &wait, &mail));
    assert_int_equal(mail.count, 0);
    f->now_ms++;
    size_t rung = f->app.rung_count;
    assert_ok(look(f, &wait, &mail));
    assert_int_equal(mail.count, 1);
    expect_left(&mail, 0, &a, "lapsed");
    assert_int_equal(f->app.rung_count, rung + 1);
    assert_int_equal(wait.lease_wake_ms, renewed_ms + f->app.cfg.lease_ms);
    assert_int_equal(peers(f), 2);
    read_mail(f, "tea", &c, &mail);
    assert_int_equal(mail.count, 1);
    expect_left(&mail, 0, &a, "lapsed");
    assert_ok(room_sweep(&f->app, "tea"));
    read_mail(f, "tea", &c, &mail);
    assert_int_equal(mail.count, 0);
}

static void a_member_whose_late_request_comes_before_anybody_noticed_goes_on(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    f->now_ms += f->app.cfg.lease_ms + 1;
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 2);
    expect_left(&mail, 1, &b, "lapsed");
    assert_problem(exchange(f, "tea", &b, true, NULL, 0, &mail), 410, "session-expired");
    f->now_ms += f->app.cfg.lease_ms + f->app.cfg.grace_ms;
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 410, "session-expired");
}

static void a_parked_poll_of_a_member_that_lapses_is_told_so(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct room_wait wait;
    struct exchange_result mail;
    join(f, "tea", &a);
    park(f, &a, &wait);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), true));
    assert_ok(look(f, &wait, &mail));
    assert_int_equal(wait.lease_wake_ms, f->now_ms + ROOM_SOON_MS);
    f->now_ms += ROOM_SOON_MS;
    assert_problem(look(f, &wait, &mail), 410, "session-expired");
}

/* ---- leaving ---- */

static void leaving_is_final_told_at_once_and_repeatable(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct room_wait wait;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    park(f, &a, &wait);
    read_empty(f, "tea", &b);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), true));
    assert_problem(look(f, &wait, &mail), 410, "session-expired");
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 410, "session-expired");
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 2);
    expect_left(&mail, 0, &a, "left");
    assert_slice(mail.messages[1].type, "room-updated"); /* b is host now */
    assert_problem(try_send(f, "tea", &b, a.peer, "1", "1"), 404, "peer-not-found");
    struct join_result res;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(a.key) }, &res));
    assert_false(res.resumed);
    assert_problem(room_leave(&f->app, "tea", slice_of("none"), false), 401, "key-invalid");
    assert_problem(room_leave(&f->app, "milk", slice_of(a.key), false), 404, "room-not-found");
}

static void leaving_soon_leaves_five_seconds_in_which_any_request_undoes_it(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct room_wait wait;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &a);
    park(f, &b, &wait);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), true));
    f->now_ms += 1000;
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), true)); /* doesn't begin anew */
    assert_ok(look(f, &wait, &mail));
    assert_int_equal(mail.count, 0);
    assert_int_equal(wait.lease_wake_ms, f->now_ms + ROOM_SOON_MS - 1000);
    f->now_ms = wait.lease_wake_ms - 1;
    read_mail(f, "tea", &a, &mail);
    f->now_ms += 2;
    assert_ok(look(f, &wait, &mail));
    assert_int_equal(mail.count, 0);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), true));
    f->now_ms += ROOM_SOON_MS;
    assert_ok(look(f, &wait, &mail));
    assert_int_equal(mail.count, 1);
    expect_left(&mail, 0, &a, "lapsed");
}

static void leaving_soon_uses_a_new_key_for_the_first_time(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct join_result res, again;
    struct join_ask ask = { .room = "tea" };
    join(f, "tea", &a);
    ask.resume = slice_of(a.key);
    assert_ok(try_join(f, &ask, &res));
    assert_ok(room_leave(&f->app, "tea", slice_of(res.key), true));
    assert_ok(try_join(f, &ask, &again));
    assert_false(again.resumed);
}

static void a_hang_up_leaves_ten_seconds_and_lengthens_nothing(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct room_wait wait_a, wait_b;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    park(f, &a, &wait_a);
    park(f, &b, &wait_b);
    assert_ok(room_hangup(&f->app, &wait_a));
    assert_ok(look(f, &wait_b, &mail));
    assert_int_equal(wait_b.lease_wake_ms, f->now_ms + ROOM_HANGUP_MS);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), true));
    assert_ok(room_hangup(&f->app, &wait_a));
    assert_ok(look(f, &wait_b, &mail));
    assert_int_equal(wait_b.lease_wake_ms, f->now_ms + ROOM_SOON_MS);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    assert_ok(room_hangup(&f->app, &wait_a)); /* too late for anything */
    assert_int_equal(peers(f), 1);
}

static void a_poll_that_is_parked_takes_back_the_hang_up_of_an_older_one_but_no_leaving(
    void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct room_wait old, young;
    struct exchange_result mail;
    join(f, "tea", &a);
    hang_up_older(f, &a, &old, &young);
    assert_true(f->app.rung_count > 0);
    assert_ok(look(f, &young, &mail));
    assert_int_equal(young.lease_wake_ms, f->now_ms + f->app.cfg.lease_ms);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), true));
    assert_ok(look(f, &young, &mail));
    assert_int_equal(young.lease_wake_ms, f->now_ms + ROOM_SOON_MS);
    assert_ok(room_hangup(&f->app, &old));
    f->now_ms += ROOM_SOON_MS;
    assert_problem(look(f, &young, &mail), 410, "session-expired");
}

static void a_poll_that_meets_a_locked_room_while_it_takes_back_a_hang_up_misses_no_mail(
    void **state)
{
    struct fixture *f = *state, other;
    struct who a, b;
    struct store_room *r;
    struct room_wait old, young;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    hang_up_older(f, &a, &old, &young);
    send_note(f, "tea", &b, a.peer, "1", "1");
    fixture_open(&other, f->app.data_dir);
    assert_ok(store_begin(&other.app, "tea", STORE_WRITE, &r));
    assert_problem(look(f, &young, &mail), 503, "busy");
    assert_ok(store_abort(r));
    fixture_close(&other);
    assert_ok(look(f, &young, &mail));
    assert_int_equal(mail.count, 1);
}

/* ---- the room's end ---- */

static void a_room_exists_until_its_last_members_grace_is_over(void **state)
{
    struct fixture *f = *state;
    struct who a;
    char path[APP_PATH_BYTES_MAX + 64];
    struct stat st;
    snprintf(path, sizeof path, "%s/rooms/tea.db", f->app.data_dir);
    const struct {
        int line;
        int64_t after_ms; /* since joining; lease 1000, grace 500 */
        bool sweep;
        int64_t peers;
        bool file;
    } table[] = {
        { __LINE__, 0, true, 1, true },        { __LINE__, 999, true, 1, true },
        { __LINE__, 1000, false, 0, true }, /* not yet noticed */
        { __LINE__, 1000, true, 0, true },     { __LINE__, 1499, true, 0, true },
        { __LINE__, 1500, false, -404, true }, { __LINE__, 1500, true, -404, false },
    };
    f->app.cfg.lease_ms = 1000;
    f->app.cfg.grace_ms = 500;
    join(f, "tea", &a);
    int64_t start_ms = f->now_ms;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        f->now_ms = start_ms + table[i].after_ms;
        if (table[i].sweep) assert_ok(room_sweep(&f->app, "tea"));
        if (peers(f) != table[i].peers || (lstat(path, &st) == 0) != table[i].file)
            fail_msg("line %d: %lld", table[i].line, (long long)peers(f));
    }
    join(f, "tea", &a);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    assert_int_equal(peers(f), -404); /* nobody can come back */
    assert_ok(room_sweep(&f->app, "tea"));
    assert_int_equal(lstat(path, &st), 0); /* but a late retry still finds its answer */
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    f->now_ms += 500;
    assert_ok(room_sweep(&f->app, "tea"));
    assert_int_equal(lstat(path, &st), -1);
    assert_problem(room_leave(&f->app, "tea", slice_of(a.key), false), 404, "room-not-found");
}

static void mail_outlives_its_sender_for_those_it_was_sent_to(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    send_note(f, "tea", &a, b.peer, "1", "1");
    send_note(f, "tea", &a, NULL, "2", "2");
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    f->now_ms += f->app.cfg.grace_ms + 1;
    assert_ok(room_sweep(&f->app, "tea"));
    assert_problem(room_leave(&f->app, "tea", slice_of(a.key), false), 401, "key-invalid");
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 4);
    assert_slice(mail.messages[0].from, a.peer);
    assert_slice(mail.messages[1].data, "2");
    expect_left(&mail, 2, &a, "left");
}

static void another_boot_gives_every_lease_and_grace_its_full_length_again(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct room_wait wait;
    struct exchange_result mail;
    struct join_result res;
    join(f, "tea", &c);
    f->now_ms += f->app.cfg.lease_ms - 1;
    join(f, "tea", &a);
    join(f, "tea", &b);
    f->now_ms++;
    send_note(f, "tea", &a, b.peer, "1", "1"); /* c lapses */
    park(f, &a, &wait);
    snprintf(f->app.boot_id, sizeof f->app.boot_id, "boot-two");
    f->now_ms = 5; /* its clock began anew */
    assert_ok(look(f, &wait, &mail));
    /* c was host, so the end of its grace is waited for too. */
    assert_int_equal(wait.lease_wake_ms, 5 + f->app.cfg.grace_ms);
    assert_int_equal(peers(f), 2);
    f->now_ms = 5 + f->app.cfg.grace_ms - 1;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(c.key) }, &res));
    assert_true(res.resumed);
    f->now_ms = 5 + f->app.cfg.lease_ms - 1;
    assert_int_equal(peers(f), 3);
    assert_ok(exchange(f, "tea", &b, true, NULL, 0, &mail));
    assert_int_equal(mail.count, 3);
    assert_slice(mail.messages[1].data, "1"); /* mail is as young as the boot */
}

static void many_that_left_are_forgotten_bit_by_bit(void **state)
{
    struct fixture *f = *state;
    struct who a, w;
    struct exchange_result mail;
    join(f, "tea", &a);
    for (int i = 0; i < 150; i++) {
        join(f, "tea", &w);
        assert_ok(room_leave(&f->app, "tea", slice_of(w.key), false));
    }
    read_empty(f, "tea", &a);
    f->now_ms += f->app.cfg.grace_ms;
    for (int i = 0; i < 3; i++) assert_ok(room_sweep(&f->app, "tea"));
    assert_problem(room_leave(&f->app, "tea", slice_of(w.key), false), 401, "key-invalid");
    assert_ok(exchange(f, "tea", &a, true, NULL, 0, &mail));
}

static void what_the_server_tells_is_bounded_and_who_misses_some_gets_a_gap(void **state)
{
    static const struct {
        int line;
        int64_t messages_max, bytes_max;
        int64_t kept; /* of the 120 messages about 60 who come and go */
    } table[] = { { __LINE__, 200, 4 << 20, 50 }, { __LINE__, 4096, 32768, 8192 / 300 } };
    struct fixture *f = *state;
    char room[16];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct who silent, w;
        struct exchange_result mail;
        snprintf(room, sizeof room, "room%zu", i);
        f->app.cfg.mailbox_messages_max = table[i].messages_max;
        f->app.cfg.mailbox_bytes_max = table[i].bytes_max;
        join(f, room, &silent);
        for (int n = 0; n < 60; n++) {
            join(f, room, &w);
            assert_ok(room_leave(&f->app, room, slice_of(w.key), false));
        }
        join(f, room, &w);
        assert_ok(exchange(f, room, &silent, true, NULL, 0, &mail));
        if (!mail.gap || mail.peers_count != 1) fail_msg("line %d: no gap", table[i].line);
        silent.cursor = mail.next;
        assert_ok(exchange(f, room, &silent, true, NULL, 0, &mail));
        assert_false(mail.gap);
        assert_in_range(mail.count, table[i].kept, 60);
        assert_slice(mail.messages[mail.count - 1].type, "peer-joined");
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(any_request_renews_a_lease_once_a_third_of_it_has_gone),
        CASE(who_is_parked_gets_a_lease_from_when_its_poll_came_with_anothers),
        CASE(a_lease_that_was_shortened_is_not_lengthened_by_another),
        CASE(a_lapse_is_announced_once_whoever_notices),
        CASE(a_member_whose_late_request_comes_before_anybody_noticed_goes_on),
        CASE(a_parked_poll_of_a_member_that_lapses_is_told_so),
        CASE(leaving_is_final_told_at_once_and_repeatable),
        CASE(leaving_soon_leaves_five_seconds_in_which_any_request_undoes_it),
        CASE(leaving_soon_uses_a_new_key_for_the_first_time),
        CASE(a_hang_up_leaves_ten_seconds_and_lengthens_nothing),
        CASE(a_poll_that_is_parked_takes_back_the_hang_up_of_an_older_one_but_no_leaving),
        CASE(a_poll_that_meets_a_locked_room_while_it_takes_back_a_hang_up_misses_no_mail),
        CASE(a_room_exists_until_its_last_members_grace_is_over),
        CASE(mail_outlives_its_sender_for_those_it_was_sent_to),
        CASE(another_boot_gives_every_lease_and_grace_its_full_length_again),
        CASE(many_that_left_are_forgotten_bit_by_bit),
        CASE(what_the_server_tells_is_bounded_and_who_misses_some_gets_a_gap),
    };
    return cmocka_run_group_tests_name("room_lease", tests, NULL, NULL);
}
