/* The lobby and the password: who waits and what of, who is asked, who stays out. */
#include "room_fixture.h"

static const struct token_claims by_token = { .given = true, .sub = { "id-7", 4 }, .host = true };

static struct problem set_lobby(struct fixture *f, const struct who *w, bool lobby)
{
    struct room_settings now;
    struct settings_ask ask = {
        .room = "tea", .key = slice_of(w->key), .set_lobby = true, .lobby = lobby
    };
    return room_set(&f->app, f->a, &ask, &now);
}

static void keep(const struct join_result *res, struct who *w)
{
    memcpy(w->peer, res->peer, sizeof w->peer);
    memcpy(w->key, res->key, sizeof w->key);
    w->cursor = res->cursor;
}

static void knock_as(struct fixture *f, const struct join_ask *ask, struct who *w)
{
    struct join_result res;
    assert_ok(try_join(f, ask, &res));
    assert_true(res.waiting);
    assert_int_equal(res.peers_count, 0);
    keep(&res, w);
}

static void knock(struct fixture *f, struct who *w)
{
    knock_as(f, &(struct join_ask){ .room = "tea" }, w);
}

static void make_lobby(struct fixture *f, struct who *host)
{
    join(f, "tea", host);
    assert_ok(set_lobby(f, host, true));
    read_empty(f, "tea", host);
}

/* The server's messages since the last read are of these types. */
static struct exchange_result expect_types(struct fixture *f, struct who *w, const char *types)
{
    struct exchange_result mail;
    char seen[256] = "";
    read_mail(f, "tea", w, &mail);
    assert_false(mail.gap);
    for (size_t i = 0; i < mail.count; i++) {
        if (i > 0) strcat(seen, " ");
        strncat(seen, mail.messages[i].type.at, mail.messages[i].type.len);
    }
    assert_string_equal(seen, types);
    return mail;
}

static bool mentions(struct slice data, const char *text)
{
    return memmem(data.at, data.len, text, strlen(text)) != NULL;
}

static struct room_wait park(struct fixture *f, struct who *w)
{
    struct exchange_result mail;
    assert_ok(exchange(f, "tea", w, true, NULL, 0, &mail));
    assert_int_equal(mail.count, 0);
    return mail.wait;
}

/* ---- waiting ---- */

static void who_waits_hears_nothing_of_the_room_and_is_nobody_in_it(void **state)
{
    struct fixture *f = *state;
    struct who host, ann;
    struct join_result res;
    make_lobby(f, &host);
    knock(f, &ann);
    send_note(f, "tea", &host, NULL, "1", "1");
    struct exchange_result mail;
    read_mail(f, "tea", &ann, &mail);
    assert_int_equal(mail.count, 0);
    assert_false(mail.more);
    assert_true(mail.wait.waiting);
    assert_problem(try_send(f, "tea", &host, ann.peer, "2", "2"), 404, "peer-not-found");
    assert_problem(try_send(f, "tea", &ann, NULL, "1", "1"), 403, "not-permitted");
    assert_problem(call_as_host(f, room_kick, &ann, host.peer, false), 403, "not-permitted");
    assert_problem(call_as_host(f, room_admit, &ann, ann.peer, false), 403, "not-permitted");
    assert_problem(call_as_host(f, room_hand_on, &host, ann.peer, false), 404, "peer-not-found");
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .token = by_token }, &res));
    assert_int_equal(res.peers_count, 1); /* the host alone */
    assert_int_equal(res.knocking_count, 1);
    assert_slice(res.knocking[0].peer, ann.peer);
    int64_t peers;
    struct room_settings settings;
    assert_ok(room_info(&f->app, "tea", &peers, &settings));
    assert_int_equal(peers, 2);
    assert_true(settings.lobby);
}

static void a_retried_knock_is_the_same_one_and_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct who host, ann, again;
    make_lobby(f, &host);
    struct join_ask ask = { .room = "tea",
                            .id = slice_of("0123456789abcdef"),
                            .name = slice_of("Ann"),
                            .meta = slice_of("[1]") };
    knock_as(f, &ask, &ann);
    knock_as(f, &ask, &again);
    assert_string_equal(again.peer, ann.peer);
    assert_string_not_equal(again.key, ann.key);
    struct exchange_result mail = expect_types(f, &host, "peer-knocking");
    char text[128];
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"name\":\"Ann\",\"meta\":[1]}", ann.peer);
    assert_slice(mail.messages[0].data, text);
    assert_slice(mail.messages[0].to, host.peer);
    struct join_ask resume = { .room = "tea", .resume = slice_of(again.key) };
    knock_as(f, &resume, &ann);
    assert_string_equal(again.peer, ann.peer);
    expect_types(f, &host, "");
}

static void who_is_let_in_reads_from_then_on_with_the_cursor_it_had(void **state)
{
    struct fixture *f = *state;
    struct who host, ann;
    struct exchange_result mail;
    struct join_result res;
    make_lobby(f, &host);
    knock(f, &ann);
    read_empty(f, "tea", &host);
    struct room_wait wait = park(f, &ann);
    send_many(f, &host, NULL, 1, 5);
    f->now_ms += f->app.cfg.lease_ms / 2; /* the host's next call prunes */
    send_many(f, &host, NULL, 6, 2);
    assert_ok(exchange(f, "tea", &ann, true, NULL, 0, &mail));
    f->app.rung_count = 0;
    assert_ok(call_as_host(f, room_admit, &host, ann.peer, false));
    assert_int_equal(f->app.rung_count, 1);
    assert_ok(room_look(&f->app, f->a, &wait, &mail));
    assert_false(mail.gap);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].type, "room-admitted");
    assert_slice(mail.messages[0].data, "{}");
    ann.cursor = mail.next;
    struct join_ask resume = { .room = "tea", .resume = slice_of(ann.key), .after = ann.cursor };
    assert_ok(try_join(f, &resume, &res));
    assert_true(res.resumed);
    assert_false(res.waiting || res.gap || res.host);
    assert_int_equal(res.peers_count, 1);
    keep(&res, &ann);
    send_note(f, "tea", &host, NULL, "8", "8");
    read_mail(f, "tea", &ann, &mail);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].data, "8");
    assert_ok(call_as_host(f, room_admit, &host, ann.peer, false)); /* repeated */
    read_mail(f, "tea", &ann, &mail);
    assert_int_equal(mail.count, 0);
    assert_problem(call_as_host(f, room_admit, &host, "nobody", false), 404, "peer-not-found");
}

static void a_room_that_is_full_lets_nobody_in_and_so_many_may_wait(void **state)
{
    struct fixture *f = *state;
    struct who host, ann, ben;
    f->app.cfg.members_max = 2;
    make_lobby(f, &host);
    knock(f, &ann);
    knock(f, &ben);
    struct join_result res;
    assert_problem(try_join(f, &(struct join_ask){ .room = "tea" }, &res), 409, "room-full");
    assert_ok(call_as_host(f, room_admit, &host, ann.peer, false));
    assert_problem(call_as_host(f, room_admit, &host, ben.peer, false), 409, "room-full");
    assert_ok(room_leave(&f->app, "tea", slice_of(ann.key), false));
    assert_ok(call_as_host(f, room_admit, &host, ben.peer, false));
}

static void turning_the_lobby_off_lets_in_who_waits_in_order_while_there_is_place(void **state)
{
    struct fixture *f = *state;
    struct who host, who[3];
    f->app.cfg.members_max = 3;
    make_lobby(f, &host);
    for (int i = 0; i < 3; i++) knock(f, &who[i]);
    read_empty(f, "tea", &host);
    assert_ok(set_lobby(f, &host, false));
    struct exchange_result mail = expect_types(f, &host, "peer-joined peer-joined room-updated");
    assert_true(mentions(mail.messages[0].data, who[0].peer));
    assert_true(mentions(mail.messages[1].data, who[1].peer));
    assert_ok(exchange(f, "tea", &who[2], true, NULL, 0, &mail));
    assert_true(mail.wait.waiting);
}

/* ---- the end of waiting ---- */

static void who_gives_up_waiting_or_lapses_is_told_to_the_hosts_alone(void **state)
{
    struct fixture *f = *state;
    struct who host, other, ann, ben;
    struct exchange_result mail;
    join(f, "tea", &host);
    join(f, "tea", &other);
    assert_ok(set_lobby(f, &host, true));
    knock(f, &ann);
    read_empty(f, "tea", &host);
    read_empty(f, "tea", &other);
    assert_ok(room_leave(&f->app, "tea", slice_of(ann.key), false));
    mail = expect_types(f, &host, "peer-withdrew");
    assert_true(mentions(mail.messages[0].data, "\"left\""));
    assert_problem(exchange(f, "tea", &ann, true, NULL, 0, &mail), 410, "session-expired");
    knock(f, &ben);
    assert_ok(room_leave(&f->app, "tea", slice_of(ben.key), true));
    read_empty(f, "tea", &host);
    struct room_wait wait = park(f, &host);
    assert_int_equal(wait.lease_wake_ms, f->now_ms + ROOM_SOON_MS); /* nobody need say anything */
    f->now_ms += ROOM_SOON_MS;
    assert_ok(room_look(&f->app, f->a, &wait, &mail));
    assert_int_equal(mail.count, 1);
    assert_true(mentions(mail.messages[0].data, "\"lapsed\""));
    assert_true(wait.lease_wake_ms > f->now_ms + ROOM_SOON_MS);
    read_mail(f, "tea", &other, &mail);
    assert_int_equal(mail.count, 0);
}

static void who_is_refused_is_told_so_and_may_knock_again(void **state)
{
    struct fixture *f = *state;
    struct who host, ann;
    struct exchange_result mail;
    struct join_result res;
    make_lobby(f, &host);
    knock(f, &ann);
    struct room_wait wait = park(f, &ann);
    assert_ok(call_as_host(f, room_kick, &host, ann.peer, false));
    assert_ok(call_as_host(f, room_kick, &host, ann.peer, false));
    assert_problem(room_look(&f->app, f->a, &wait, &mail), 403, "refused");
    assert_problem(exchange(f, "tea", &ann, true, NULL, 0, &mail), 403, "refused");
    assert_problem(
        try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(ann.key) }, &res), 403,
        "refused");
    assert_problem(call_as_host(f, room_admit, &host, ann.peer, false), 404, "peer-not-found");
    expect_types(f, &host, "peer-knocking peer-withdrew");
    knock(f, &ann);
}

static void who_reloads_while_it_waits_knocks_once(void **state)
{
    struct fixture *f = *state;
    struct who host, ann, again;
    make_lobby(f, &host);
    knock(f, &ann);
    read_empty(f, "tea", &host);
    struct join_ask ask = { .room = "tea", .replaces = slice_of(ann.key) };
    knock_as(f, &ask, &again);
    assert_string_not_equal(again.peer, ann.peer);
    expect_types(f, &host, "peer-withdrew peer-knocking");
}

static void those_who_wait_are_told_when_the_room_is_over_and_one_makes_it_anew(void **state)
{
    struct fixture *f = *state;
    struct who host, ann, ben;
    struct exchange_result mail;
    struct join_result res;
    make_lobby(f, &host);
    knock(f, &ann);
    knock(f, &ben);
    struct room_wait wait = park(f, &ann);
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    assert_problem(room_look(&f->app, f->a, &wait, &mail), 410, "room-closed");
    assert_problem(exchange(f, "tea", &ben, true, NULL, 0, &mail), 410, "room-closed");
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(ann.key) }, &res));
    assert_true(res.host && !res.waiting);
    assert_false(res.settings.lobby);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(ben.key) }, &res));
    assert_false(res.host || res.waiting);
}

static void whoever_becomes_host_hears_of_those_who_wait(void **state)
{
    struct fixture *f = *state;
    struct who host, second, ann;
    join(f, "tea", &host);
    join(f, "tea", &second);
    assert_ok(set_lobby(f, &host, true));
    read_empty(f, "tea", &second);
    knock_as(f, &(struct join_ask){ .room = "tea", .name = slice_of("Ann") }, &ann);
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    struct exchange_result mail = expect_types(f, &second, "peer-left peer-knocking room-updated");
    assert_true(mentions(mail.messages[1].data, "\"Ann\""));
    assert_ok(call_as_host(f, room_admit, &second, ann.peer, false));
    /* Back at its place by resume, a host has it in its answer. */
    struct join_result res;
    struct who ben;
    knock(f, &ben);
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(second.key) }, &res));
    assert_int_equal(res.knocking_count, 1);
    assert_slice(res.knocking[0].peer, ben.peer);
}

static void of_many_who_wait_a_host_that_comes_gets_some_as_mail(void **state)
{
    struct fixture *f = *state;
    struct who host, who[4];
    struct join_result res;
    char meta[5000];
    make_lobby(f, &host);
    memset(meta, 'x', sizeof meta);
    meta[0] = meta[sizeof meta - 2] = '"';
    meta[sizeof meta - 1] = '\0';
    for (int i = 0; i < 4; i++)
        knock_as(f, &(struct join_ask){ .room = "tea", .meta = slice_of(meta) }, &who[i]);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .token = by_token }, &res));
    assert_int_equal(res.knocking_count, 1);
    struct who second;
    keep(&res, &second);
    struct exchange_result mail;
    read_mail(f, "tea", &second, &mail);
    int knocking = 0;
    for (size_t i = 0; i < mail.count; i++)
        knocking += slice_is(mail.messages[i].type, "peer-knocking");
    assert_int_equal(knocking, 3);
}

static void another_boot_gives_those_who_wait_their_lease_again(void **state)
{
    struct fixture *f = *state;
    struct who host, ann;
    make_lobby(f, &host);
    knock(f, &ann);
    snprintf(f->app.boot_id, sizeof f->app.boot_id, "boot-two");
    f->now_ms = 5;
    read_empty(f, "tea", &host);
    f->now_ms = 5 + f->app.cfg.lease_ms - 1;
    struct exchange_result mail;
    assert_ok(exchange(f, "tea", &ann, true, NULL, 0, &mail));
    assert_true(mail.wait.waiting);
}

/* ---- the password ---- */

static struct password_kept kept_of(struct fixture *f, const char *text, const uint8_t *salt)
{
    struct password_kept kept = { .salt = "sixteen bytes.." };
    if (salt != NULL) memcpy(kept.salt, salt, sizeof kept.salt);
    assert_ok(password_hash(&f->app, slice_of(text), &kept));
    return kept;
}

static void set_password(struct fixture *f, const struct who *w, const struct password_kept *kept)
{
    struct room_settings now;
    struct settings_ask ask = {
        .room = "tea", .key = slice_of(w->key), .set_password = true, .password = kept
    };
    assert_ok(room_set(&f->app, f->a, &ask, &now));
    assert_int_equal(now.password, kept != NULL);
}

static void a_password_is_asked_of_newcomers_with_the_salt_of_that_moment(void **state)
{
    struct fixture *f = *state;
    struct who host;
    struct join_result res;
    struct password_kept right = kept_of(f, "open", NULL);
    join(f, "tea", &host);
    set_password(f, &host, &right);
    struct join_ask ask = { .room = "tea" };
    assert_problem(try_join(f, &ask, &res), 401, "password-missing");
    assert_memory_equal(res.salt, right.salt, sizeof right.salt);
    struct password_kept wrong = kept_of(f, "Open", res.salt);
    ask.password = &wrong;
    assert_problem(try_join(f, &ask, &res), 403, "password-wrong");
    ask.password = &right;
    assert_ok(try_join(f, &ask, &res));
    /* The same password with another salt is hashed anew, not taken for wrong. */
    static const uint8_t salt[PASSWORD_SALT_BYTES] = "other bytes ...";
    struct password_kept other = kept_of(f, "open", salt);
    set_password(f, &host, &other);
    assert_problem(try_join(f, &ask, &res), 401, "password-missing");
    assert_memory_equal(res.salt, salt, sizeof salt);
    ask.password = NULL;
    ask.token = by_token;
    assert_ok(try_join(f, &ask, &res));
    ask = (struct join_ask){ .room = "tea", .replaces = slice_of(host.key) };
    assert_ok(try_join(f, &ask, &res));
    assert_true(res.host);
}

static void the_order_of_refusals_is_bans_lock_password_full_lobby(void **state)
{
    struct fixture *f = *state;
    struct who host, ann;
    struct join_result res;
    struct room_settings now;
    struct password_kept right = kept_of(f, "open", NULL), wrong = kept_of(f, "Open", NULL);
    f->app.cfg.members_max = 2;
    join(f, "tea", &host);
    join_as(f, &(struct join_ask){ .room = "tea", .address = "192.0.2.1" }, &ann);
    struct settings_ask ask = { .room = "tea",
                                .key = slice_of(host.key),
                                .set_locked = true,
                                .locked = true,
                                .set_lobby = true,
                                .lobby = true,
                                .set_password = true,
                                .password = &right };
    assert_ok(room_set(&f->app, f->a, &ask, &now));
    assert_ok(call_as_host(f, room_kick, &host, ann.peer, true));
    struct join_ask banned = { .room = "tea", .address = "192.0.2.1" };
    assert_problem(try_join(f, &banned, &res), 403, "banned");
    struct join_ask other = { .room = "tea", .address = "192.0.2.2" };
    assert_problem(try_join(f, &other, &res), 423, "room-locked");
    ask = (struct settings_ask){ .room = "tea", .key = slice_of(host.key), .set_locked = true };
    assert_ok(room_set(&f->app, f->a, &ask, &now));
    assert_true(now.lobby && now.password);
    assert_problem(try_join(f, &other, &res), 401, "password-missing");
    struct join_ask token = { .room = "tea", .token = by_token };
    assert_ok(try_join(f, &token, &res));
    assert_false(res.waiting);
    other.password = &wrong;
    assert_problem(try_join(f, &other, &res), 403, "password-wrong");
    other.password = &right;
    assert_problem(try_join(f, &other, &res), 409, "room-full");
    assert_problem(try_join(f, &token, &res), 409, "room-full");
    f->app.cfg.members_max = 3;
    assert_ok(try_join(f, &other, &res));
    assert_true(res.waiting);
}

/* ---- bans ---- */

static void a_refused_one_that_waited_can_be_banned(void **state)
{
    struct fixture *f = *state;
    struct who host, ann;
    struct join_result res;
    make_lobby(f, &host);
    struct join_ask ask = { .room = "tea", .address = "192.0.2.1" };
    knock_as(f, &ask, &ann);
    assert_ok(call_as_host(f, room_kick, &host, ann.peer, true));
    assert_problem(try_join(f, &ask, &res), 403, "banned");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(who_waits_hears_nothing_of_the_room_and_is_nobody_in_it),
        CASE(a_retried_knock_is_the_same_one_and_is_told_once),
        CASE(who_is_let_in_reads_from_then_on_with_the_cursor_it_had),
        CASE(a_room_that_is_full_lets_nobody_in_and_so_many_may_wait),
        CASE(turning_the_lobby_off_lets_in_who_waits_in_order_while_there_is_place),
        CASE(who_gives_up_waiting_or_lapses_is_told_to_the_hosts_alone),
        CASE(who_is_refused_is_told_so_and_may_knock_again),
        CASE(who_reloads_while_it_waits_knocks_once),
        CASE(those_who_wait_are_told_when_the_room_is_over_and_one_makes_it_anew),
        CASE(whoever_becomes_host_hears_of_those_who_wait),
        CASE(of_many_who_wait_a_host_that_comes_gets_some_as_mail),
        CASE(another_boot_gives_those_who_wait_their_lease_again),
        CASE(a_password_is_asked_of_newcomers_with_the_salt_of_that_moment),
        CASE(the_order_of_refusals_is_bans_lock_password_full_lobby),
        CASE(a_refused_one_that_waited_can_be_banned),
    };
    return cmocka_run_group_tests_name("room_lobby", tests, NULL, NULL);
}
