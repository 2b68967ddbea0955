/* Whose say it is who comes in: hosts, locks, sending out, handing on, and who is next. */
#include "room_fixture.h"

static const struct token_claims by_token = { .given = true, .sub = { "id-7", 4 }, .host = true };
static const struct token_claims member_token = { .given = true, .sub = { "id-8", 4 } };

static struct settings_ask settings_of(const struct who *w)
{
    return (struct settings_ask){ .room = "tea", .key = slice_of(w->key) };
}

static struct problem set_lock(struct fixture *f, const struct who *w, bool locked)
{
    struct settings_ask ask = settings_of(w);
    struct room_settings now;
    ask.set_locked = true;
    ask.locked = locked;
    return room_set(&f->app, f->a, &ask, &now);
}

static struct problem call(struct fixture *f, host_call *what, const struct who *w,
                           const char *peer)
{
    return call_as_host(f, what, w, peer, false);
}

/* The data of the only message since the last read, which is of this type. */
static struct slice only(struct fixture *f, struct who *w, const char *type)
{
    struct exchange_result mail;
    read_mail(f, "tea", w, &mail);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].type, type);
    assert_null(mail.messages[0].from.at);
    return mail.messages[0].data;
}

static void expect_updated(struct slice data, const char *flags, const char *hosts)
{
    char text[256];
    snprintf(text, sizeof text, "{%s,\"password\":false,\"hosts\":[%s]}", flags, hosts);
    assert_slice(data, text);
}

#define OPEN_ROOM "\"locked\":false,\"lobby\":false"
#define LOCKED    "\"locked\":true,\"lobby\":false"

static const char *quoted(const struct who *w)
{
    static char text[2][64];
    static int turn;
    snprintf(text[++turn % 2], sizeof text[0], "\"%s\"", w->peer);
    return text[turn % 2];
}

static bool is_host(struct fixture *f, const char *room, const struct who *w)
{
    struct room_settings now;
    struct settings_ask ask = { .room = room, .key = slice_of(w->key) };
    struct problem p = room_set(&f->app, f->a, &ask, &now);
    if (p.status != 0) assert_string_equal(p.code, "not-permitted");
    return p.status == 0;
}

/* ---- who is host ---- */

static void who_makes_a_room_is_its_host_and_who_comes_after_is_not(void **state)
{
    struct fixture *f = *state;
    struct join_result first, second;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &first));
    assert_true(first.host);
    assert_int_equal(first.settings.hosts_count, 1);
    assert_slice(first.settings.hosts[0], first.peer);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &second));
    assert_false(second.host);
    assert_int_equal(second.settings.hosts_count, 1);
    assert_slice(second.settings.hosts[0], first.peer);
    assert_false(second.settings.locked);
}

static void a_token_makes_a_host_of_whoever_comes_and_a_members_one_makes_none(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct join_result res;
    assert_ok(try_join(f, &(struct join_ask){ .room = "cup", .token = member_token }, &res));
    assert_false(res.host);
    assert_ok(try_join(f, &(struct join_ask){ .room = "cup" }, &res));
    assert_false(res.host);
    join(f, "tea", &a);
    read_empty(f, "tea", &a);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .token = by_token }, &res));
    assert_true(res.host);
    assert_int_equal(res.settings.hosts_count, 2);
    struct exchange_result mail;
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 2);
    assert_slice(mail.messages[1].type, "room-updated");
    assert_non_null(memmem(mail.messages[1].data.at, mail.messages[1].data.len, res.peer, 36));
}

static void hosts_come_in_however_many_have_just_lapsed(void **state)
{
    struct fixture *f = *state;
    struct join_result res = { 0 };
    f->app.cfg.members_max = 64;
    for (int i = 0; i < 128; i++) {
        if (i == 64) f->now_ms += f->app.cfg.lease_ms + 1;
        assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .token = by_token }, &res));
    }
    assert_int_equal(res.settings.hosts_count, 128);
}

static void where_tokens_are_required_they_alone_make_hosts(void **state)
{
    struct fixture *f = *state;
    struct join_result res, host;
    f->app.cfg.tokens = CONFIG_TOKENS_REQUIRED;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .token = member_token }, &res));
    assert_false(res.host);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .token = by_token }, &host));
    assert_true(host.host);
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    struct join_result again;
    assert_ok(try_join(
        f, &(struct join_ask){ .room = "tea", .resume = slice_of(res.key), .token = member_token },
        &again));
    assert_false(again.host);
    assert_int_equal(again.settings.hosts_count, 0);
}

static void a_lock_stays_in_a_room_without_a_host_until_it_is_over(void **state)
{
    struct fixture *f = *state;
    struct who host, member;
    struct join_result res;
    f->app.cfg.tokens = CONFIG_TOKENS_REQUIRED;
    join_as(f, &(struct join_ask){ .room = "tea", .token = by_token }, &host);
    join_as(f, &(struct join_ask){ .room = "tea", .token = member_token }, &member);
    assert_ok(set_lock(f, &host, true));
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    struct join_ask ask = { .room = "tea", .token = member_token };
    assert_problem(try_join(f, &ask, &res), 423, "room-locked");
    ask.token = by_token;
    assert_ok(try_join(f, &ask, &res));
    assert_true(res.host);
    assert_true(res.settings.locked);
    assert_ok(room_leave(&f->app, "tea", slice_of(res.key), false));
    assert_ok(room_leave(&f->app, "tea", slice_of(member.key), false));
    ask.token = member_token;
    assert_ok(try_join(f, &ask, &res)); /* nobody was there any more */
    assert_false(res.settings.locked);
}

static void resuming_and_replacing_keep_the_hosts_part(void **state)
{
    struct fixture *f = *state;
    struct who other;
    struct join_result res, back, new;
    struct exchange_result mail;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &res));
    join(f, "tea", &other);
    f->now_ms += f->app.cfg.lease_ms;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &new)); /* both lapse */
    assert_false(new.host);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(res.key) }, &back));
    assert_true(back.resumed && back.host);
    struct who watcher = { .cursor = new.cursor };
    memcpy(watcher.key, new.key, sizeof watcher.key);
    read_empty(f, "tea", &watcher);
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(back.key) }, &new));
    assert_true(new.host);
    read_mail(f, "tea", &watcher, &mail);
    assert_int_equal(mail.count, 3);
    assert_slice(mail.messages[2].type, "room-updated");
    char text[64];
    snprintf(text, sizeof text, "\"hosts\":[\"%s\"]", new.peer);
    assert_non_null(
        memmem(mail.messages[2].data.at, mail.messages[2].data.len, text, strlen(text)));
}

static void who_replaces_a_member_without_a_token_has_that_ones_identity(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct join_result res;
    struct token_claims ann = by_token;
    ann.name = slice_of("Ann");
    join_as(f, &(struct join_ask){ .room = "tea", .token = ann }, &a);
    struct join_ask ask = { .room = "tea", .name = slice_of("King"), .replaces = slice_of(a.key) };
    assert_ok(try_join(f, &ask, &res));
    assert_slice(res.sub, "id-7");
    assert_slice(res.name, "Ann");
    assert_true(res.host);
}

/* ---- who is next ---- */

static void when_the_host_leaves_the_longest_present_one_is_next_and_all_are_told(void **state)
{
    struct fixture *f = *state;
    struct who host, a, b;
    struct exchange_result mail;
    join(f, "tea", &host);
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &a);
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 2); /* in the same transaction */
    assert_slice(mail.messages[0].type, "peer-left");
    assert_slice(mail.messages[1].type, "room-updated");
    expect_updated(mail.messages[1].data, OPEN_ROOM, quoted(&a));
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 2);
    assert_true(is_host(f, "tea", &a));
    assert_false(is_host(f, "tea", &b));
}

static void a_host_that_lapses_stays_host_through_its_grace_which_a_parked_poll_sees_end(
    void **state)
{
    struct fixture *f = *state;
    struct who host, a;
    struct exchange_result mail;
    const int64_t lease_ms = f->app.cfg.lease_ms, grace_ms = f->app.cfg.grace_ms;
    join(f, "tea", &host);
    f->now_ms += lease_ms - 1;
    join(f, "tea", &a);
    f->now_ms += 1;
    assert_int_equal(a.cursor.seq, 2);
    read_mail(f, "tea", &a, &mail); /* the lapse */
    assert_int_equal(mail.count, 1);
    /* From here on nobody says anything but the clock. */
    struct room_wait wait = mail.wait;
    assert_int_equal(wait.lease_wake_ms, f->now_ms + grace_ms);
    wait.after = a.cursor;
    f->now_ms += grace_ms - 1;
    assert_ok(room_look(&f->app, f->a, &wait, &mail));
    assert_int_equal(mail.count, 0);
    assert_false(is_host(f, "tea", &a));
    read_empty(f, "tea", &a);
    f->now_ms += 1;
    assert_ok(room_look(&f->app, f->a, &wait, &mail));
    assert_int_equal(mail.count, 1);
    expect_updated(mail.messages[0].data, OPEN_ROOM, quoted(&a));
    assert_true(wait.lease_wake_ms > f->now_ms + grace_ms); /* a's own lease again */
    assert_true(is_host(f, "tea", &a));
}

static void with_another_host_there_nobody_is_next(void **state)
{
    struct fixture *f = *state;
    struct who first, second, a;
    join(f, "tea", &first);
    join_as(f, &(struct join_ask){ .room = "tea", .token = by_token }, &second);
    join(f, "tea", &a);
    read_empty(f, "tea", &a);
    assert_ok(room_leave(&f->app, "tea", slice_of(first.key), false));
    struct exchange_result mail;
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 2);
    expect_updated(mail.messages[1].data, OPEN_ROOM, quoted(&second));
    assert_false(is_host(f, "tea", &a));
}

static void who_comes_back_to_a_room_whose_host_has_gone_is_host(void **state)
{
    struct fixture *f = *state;
    struct who host, a;
    struct join_result res;
    join(f, "tea", &host);
    join(f, "tea", &a);
    f->now_ms += f->app.cfg.lease_ms - 1;
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), true)); /* renews nothing */
    f->now_ms += 1;
    assert_ok(room_sweep(&f->app, "tea")); /* both have lapsed */
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(a.key) }, &res));
    assert_true(res.resumed && res.host);
}

static void a_room_that_everybody_has_left_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct who host, other;
    struct join_result res;
    join(f, "tea", &host);
    assert_ok(set_lock(f, &host, true));
    join_as(f, &(struct join_ask){ .room = "tea", .token = by_token }, &other);
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    assert_ok(room_leave(&f->app, "tea", slice_of(other.key), false));
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &res));
    assert_true(res.host);
    assert_false(res.settings.locked);
    assert_int_equal(res.settings.hosts_count, 1);
}

/* ---- the lock ---- */

static void a_locked_room_lets_in_nobody_but_hosts_by_token_and_who_was_in(void **state)
{
    struct fixture *f = *state;
    struct who host, a;
    struct join_result res, new;
    join(f, "tea", &host);
    join(f, "tea", &a);
    read_empty(f, "tea", &a);
    assert_ok(set_lock(f, &host, true));
    expect_updated(only(f, &a, "room-updated"), LOCKED, quoted(&host));
    assert_ok(set_lock(f, &host, true)); /* repeated: nothing is told */
    struct exchange_result mail;
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 0);
    assert_problem(try_join(f, &(struct join_ask){ .room = "tea" }, &res), 423, "room-locked");
    assert_problem(try_join(f, &(struct join_ask){ .room = "tea", .token = member_token }, &res),
                   423, "room-locked");
    assert_problem(
        try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of("none") }, &res), 423,
        "room-locked");
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .token = by_token }, &res));
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(a.key) }, &res));
    assert_true(res.resumed && res.settings.locked);
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(res.key) }, &new));
    int64_t peers;
    struct room_settings settings;
    assert_ok(room_info(&f->app, "tea", &peers, &settings));
    assert_true(settings.locked);
    assert_ok(set_lock(f, &host, false));
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &res));
}

/* ---- sending out ---- */

static void who_is_sent_out_is_told_so_by_everything_it_calls_for_its_grace(void **state)
{
    struct fixture *f = *state;
    struct who host, a, b;
    struct exchange_result mail;
    struct join_result res;
    join(f, "tea", &host);
    join_as(f, &(struct join_ask){ .room = "tea", .id = slice_of("0123456789abcdef") }, &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &a);
    assert_ok(exchange(f, "tea", &a, true, NULL, 0, &mail));
    struct room_wait wait = mail.wait;
    read_empty(f, "tea", &b);
    f->app.rung_count = 0;
    assert_ok(call(f, room_kick, &host, a.peer));
    assert_int_equal(f->app.rung_count, 1);
    assert_problem(room_look(&f->app, f->a, &wait, &mail), 410, "kicked");
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 410, "kicked");
    assert_problem(try_send(f, "tea", &a, NULL, "1", "1"), 410, "kicked");
    struct join_ask ask = { .room = "tea", .resume = slice_of(a.key) };
    assert_problem(try_join(f, &ask, &res), 410, "kicked");
    ask = (struct join_ask){ .room = "tea", .id = slice_of("0123456789abcdef") };
    assert_problem(try_join(f, &ask, &res), 410, "kicked");
    struct slice data = only(f, &b, "peer-left");
    char text[128];
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"reason\":\"kicked\"}", a.peer);
    assert_slice(data, text);
    assert_ok(call(f, room_kick, &host, a.peer)); /* repeated */
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 0);
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    join(f, "tea", &a); /* it may come again */
}

static void a_lapsed_one_can_be_sent_out(void **state)
{
    struct fixture *f = *state;
    struct who host, a, other;
    struct join_result res;
    join(f, "tea", &a);
    f->now_ms += f->app.cfg.lease_ms - 1;
    join_as(f, &(struct join_ask){ .room = "tea", .token = by_token }, &host);
    join(f, "tea", &other);
    assert_ok(call(f, room_hand_on, &host, host.peer));
    f->now_ms += 1;
    read_empty(f, "tea", &host);
    assert_problem(call(f, room_kick, &host, a.peer), 403, "not-permitted"); /* the first host */
    f->now_ms += f->app.cfg.lease_ms / 2;
    read_empty(f, "tea", &host);
    f->now_ms += f->app.cfg.lease_ms / 2;
    assert_ok(call(f, room_kick, &host, other.peer));
    assert_problem(
        try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(other.key) }, &res), 410,
        "kicked");
}

static void nobody_can_send_out_themselves_a_host_or_who_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct who host, other, gone;
    join(f, "tea", &host);
    join_as(f, &(struct join_ask){ .room = "tea", .token = by_token }, &other);
    join(f, "tea", &gone);
    assert_ok(room_leave(&f->app, "tea", slice_of(gone.key), false));
    assert_problem(call(f, room_kick, &host, host.peer), 400, "invalid-request");
    assert_problem(call(f, room_kick, &host, other.peer), 403, "not-permitted");
    assert_problem(call(f, room_kick, &host, "nobody"), 404, "peer-not-found");
    assert_problem(call(f, room_kick, &host, gone.peer), 404, "peer-not-found");
}

static void the_hosts_calls_are_a_hosts_alone(void **state)
{
    struct fixture *f = *state;
    struct who host, a, b;
    static host_call *const calls[] = { room_admit, room_kick, room_hand_on };
    join(f, "tea", &host);
    join(f, "tea", &a);
    join(f, "tea", &b);
    struct who nobody = { .key = "no key at all" };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_problem(call(f, calls[i], &a, b.peer), 403, "not-permitted");
        assert_problem(call(f, calls[i], &a, a.peer), 403, "not-permitted");
        assert_problem(call(f, calls[i], &nobody, a.peer), 401, "key-invalid");
    }
    assert_problem(set_lock(f, &a, true), 403, "not-permitted");
    assert_problem(set_lock(f, &nobody, true), 401, "key-invalid");
    assert_ok(call(f, room_kick, &host, a.peer));
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        assert_problem(call(f, calls[i], &a, b.peer), 410, "kicked");
    assert_problem(set_lock(f, &a, true), 410, "kicked");
    f->now_ms += f->app.cfg.lease_ms;
    read_empty(f, "tea", &b); /* the host has lapsed */
    assert_problem(set_lock(f, &host, true), 410, "session-expired");
    assert_problem(call(f, room_kick, &host, b.peer), 410, "session-expired");
}

/* ---- handing on ---- */

static void the_hosts_part_goes_to_who_is_named_and_stays_there(void **state)
{
    struct fixture *f = *state;
    struct who host, a, b;
    struct join_result res;
    join(f, "tea", &host);
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_empty(f, "tea", &b);
    assert_ok(call(f, room_hand_on, &host, host.peer));
    assert_problem(call(f, room_hand_on, &host, "nobody"), 404, "peer-not-found");
    assert_ok(call(f, room_hand_on, &host, a.peer));
    expect_updated(only(f, &b, "room-updated"), OPEN_ROOM, quoted(&a));
    assert_false(is_host(f, "tea", &host));
    assert_true(is_host(f, "tea", &a));
    assert_problem(call(f, room_hand_on, &host, b.peer), 403, "not-permitted");
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(host.key) }, &res));
    assert_false(res.host);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(a.key) }, &res));
    assert_true(res.host);
    f->now_ms += f->app.cfg.lease_ms - 1;
    read_empty(f, "tea", &b);
    f->now_ms += 1;
    read_empty(f, "tea", &b);
    memcpy(a.key, res.key, sizeof a.key);
    assert_problem(call(f, room_hand_on, &b, res.peer), 403, "not-permitted"); /* in its grace */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(who_makes_a_room_is_its_host_and_who_comes_after_is_not),
        CASE(a_token_makes_a_host_of_whoever_comes_and_a_members_one_makes_none),
        CASE(hosts_come_in_however_many_have_just_lapsed),
        CASE(where_tokens_are_required_they_alone_make_hosts),
        CASE(a_lock_stays_in_a_room_without_a_host_until_it_is_over),
        CASE(resuming_and_replacing_keep_the_hosts_part),
        CASE(who_replaces_a_member_without_a_token_has_that_ones_identity),
        CASE(when_the_host_leaves_the_longest_present_one_is_next_and_all_are_told),
        CASE(a_host_that_lapses_stays_host_through_its_grace_which_a_parked_poll_sees_end),
        CASE(with_another_host_there_nobody_is_next),
        CASE(who_comes_back_to_a_room_whose_host_has_gone_is_host),
        CASE(a_room_that_everybody_has_left_begins_anew),
        CASE(a_locked_room_lets_in_nobody_but_hosts_by_token_and_who_was_in),
        CASE(who_is_sent_out_is_told_so_by_everything_it_calls_for_its_grace),
        CASE(a_lapsed_one_can_be_sent_out),
        CASE(nobody_can_send_out_themselves_a_host_or_who_is_not_there),
        CASE(the_hosts_calls_are_a_hosts_alone),
        CASE(the_hosts_part_goes_to_who_is_named_and_stays_there),
    };
    return cmocka_run_group_tests_name("room_host", tests, NULL, NULL);
}
