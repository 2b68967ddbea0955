/* Coming in, coming back, taking somebody's place. */
#include "room_fixture.h"

/* ---- joining ---- */

static void those_present_hear_of_a_newcomer_who_finds_them_in_its_list(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct join_result res;
    struct exchange_result mail;
    char text[256];
    join_as(f,
            &(struct join_ask){
                .room = "tea", .name = slice_of("Ann \"A\""), .meta = slice_of("{\"x\": 1}") },
            &a);
    join(f, "tea", &b);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &res));
    memcpy(c.peer, res.peer, sizeof c.peer);
    assert_int_equal(res.peers_count, 2);
    assert_slice(res.peers[0].peer, a.peer);
    assert_slice(res.peers[0].name, "Ann \"A\"");
    assert_slice(res.peers[0].meta, "{\"x\": 1}");
    assert_slice(res.peers[1].peer, b.peer);
    assert_null(res.peers[1].name.at);
    assert_null(res.peers[1].meta.at);
    assert_int_equal(res.peers[0].joined, 1);
    assert_int_equal(res.peers[1].joined, 2);
    assert_false(res.resumed);
    assert_false(res.gap);

    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 2);
    assert_null(mail.messages[0].from.at);
    assert_null(mail.messages[0].to.at);
    assert_slice(mail.messages[0].type, "peer-joined");
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"joined\":2}", b.peer);
    assert_slice(mail.messages[0].data, text);
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"joined\":3}", c.peer);
    assert_slice(mail.messages[1].data, text);
    assert_int_equal(mail.messages[1].seq, 3);
    assert_int_equal(mail.messages[1].sent_ms, 1700000000000 + f->now_ms);
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 1);
}

static void name_and_meta_of_a_newcomer_are_told_with_it(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    char text[256];
    join(f, "tea", &a);
    join_as(f,
            &(struct join_ask){ .room = "tea",
                                .name = slice_of("B\xc3\xb6\n"),
                                .meta = slice_of("[1,\"\\u0000\"]") },
            &b);
    read_mail(f, "tea", &a, &mail);
    snprintf(text, sizeof text,
             "{\"peer\":\"%s\",\"name\":\"B\xc3\xb6\\n\",\"meta\":[1,\"\\u0000\"],\"joined\":2}",
             b.peer);
    assert_slice(mail.messages[0].data, text);
}

static void a_room_takes_as_many_as_it_may_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct who who[3], late;
    struct join_result res;
    f->app.cfg.members_max = 3;
    for (int i = 0; i < 3; i++) join(f, "tea", &who[i]);
    assert_problem(try_join(f, &(struct join_ask){ .room = "tea" }, &res), 409, "room-full");
    assert_ok(room_leave(&f->app, "tea", slice_of(who[1].key), false));
    join(f, "tea", &late);
    assert_problem(try_join(f, &(struct join_ask){ .room = "tea" }, &res), 409, "room-full");
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(who[0].key) }, &res));
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(who[2].key) }, &res));
    assert_problem(try_join(f, &(struct join_ask){ .room = "tea" }, &res), 409, "room-full");
    f->now_ms += f->app.cfg.lease_ms; /* all lapse; places are free at once */
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &res));
    assert_int_equal(res.peers_count, 0);
}

static void a_retried_join_is_the_same_member_with_a_fresh_key(void **state)
{
    struct fixture *f = *state;
    struct who other, first, again;
    struct exchange_result mail;
    struct join_ask ask = { .room = "tea", .id = slice_of("0123456789abcdef") };
    join(f, "tea", &other);
    join_as(f, &ask, &first);
    send_note(f, "tea", &other, NULL, "1", "\"between\"");
    struct join_result res;
    assert_ok(try_join(f, &ask, &res));
    assert_string_equal(res.peer, first.peer);
    assert_string_not_equal(res.key, first.key);
    assert_false(res.resumed);
    assert_false(res.gap);
    assert_int_equal(res.cursor.seq, first.cursor.seq);
    assert_int_equal(res.peers_count, 1);
    assert_problem(exchange(f, "tea", &first, true, NULL, 0, &mail), 410, "session-expired");
    memcpy(again.key, res.key, sizeof again.key);
    again.cursor = res.cursor;
    read_mail(f, "tea", &again, &mail);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].data, "\"between\"");
    read_mail(f, "tea", &other, &mail); /* one announcement only */
    assert_int_equal(mail.count, 1);
    join_as(f, &(struct join_ask){ .room = "tea", .id = slice_of("another-id-------") }, &again);
    assert_string_not_equal(again.peer, first.peer);
}

static void an_id_used_again_after_leaving_is_a_new_member(void **state)
{
    struct fixture *f = *state;
    struct who first, again;
    struct join_ask ask = { .room = "tea", .id = slice_of("0123456789abcdef") };
    join_as(f, &ask, &first);
    assert_ok(room_leave(&f->app, "tea", slice_of(first.key), false));
    join_as(f, &ask, &again);
    assert_string_not_equal(again.peer, first.peer);
    assert_problem(room_leave(&f->app, "tea", slice_of(first.key), false), 0, "");
    struct exchange_result mail;
    assert_ok(exchange(f, "tea", &again, true, NULL, 0, &mail));
}

/* ---- coming back ---- */

static void resume_is_the_same_member_from_where_it_was_and_told_to_nobody(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct join_result res;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    send_note(f, "tea", &b, a.peer, "1", "1");
    f->now_ms += f->app.cfg.lease_ms - 1;
    struct join_ask ask = { .room = "tea", .resume = slice_of(a.key), .after = a.cursor };
    assert_ok(try_join(f, &ask, &res));
    assert_true(res.resumed);
    assert_false(res.gap);
    assert_string_equal(res.peer, a.peer);
    assert_int_equal(res.cursor.seq, a.cursor.seq);
    memcpy(a.key, res.key, sizeof a.key);
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 2);
    assert_slice(mail.messages[0].type, "peer-joined");
    assert_slice(mail.messages[1].data, "1");
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 0);
}

static void who_resumes_after_lapsing_is_announced_as_resumed_and_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct join_result res;
    struct exchange_result mail;
    char text[256];
    join(f, "tea", &a);
    join(f, "tea", &b);
    f->now_ms += f->app.cfg.lease_ms / 2;
    read_mail(f, "tea", &b, &mail);
    send_note(f, "tea", &b, a.peer, "1", "1");
    f->now_ms += f->app.cfg.lease_ms / 2 + 1;
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 1);
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"reason\":\"lapsed\"}", a.peer);
    assert_slice(mail.messages[0].type, "peer-left");
    assert_slice(mail.messages[0].data, text);
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 410, "session-expired");
    join(f, "tea", &c);
    send_note(f, "tea", &b, a.peer, "2", "2"); /* taken until its grace is over */
    f->now_ms += f->app.cfg.grace_ms - 2;
    struct join_ask ask = { .room = "tea", .resume = slice_of(a.key), .after = a.cursor };
    assert_ok(try_join(f, &ask, &res));
    assert_true(res.resumed);
    assert_string_equal(res.peer, a.peer);
    memcpy(a.key, res.key, sizeof a.key);
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 2);
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"joined\":1,\"resumed\":true}", a.peer);
    assert_slice(mail.messages[1].type, "peer-joined");
    assert_slice(mail.messages[1].data, text);
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 4); /* b joined, 1, c joined, 2; nothing about itself */
    assert_slice(mail.messages[1].data, "1");
    assert_slice(mail.messages[3].data, "2");
}

static void after_its_grace_a_member_joins_as_somebody_new(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct join_result res;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    f->now_ms += f->app.cfg.lease_ms;
    assert_ok(room_sweep(&f->app, "tea"));
    f->now_ms += f->app.cfg.grace_ms;
    struct join_ask ask = { .room = "tea", .resume = slice_of(a.key), .after = a.cursor };
    assert_ok(try_join(f, &ask, &res));
    assert_false(res.resumed);
    assert_string_not_equal(res.peer, a.peer);
    assert_int_equal(res.peers_count, 0);
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 401, "key-invalid");
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of("no key") }, &res));
    assert_false(res.resumed);
}

static void the_former_key_resumes_until_the_new_one_is_used_and_does_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct join_result lost, res;
    struct exchange_result mail;
    join(f, "tea", &a);
    read_mail(f, "tea", &a, &mail);
    struct join_ask ask = { .room = "tea", .resume = slice_of(a.key) };
    assert_ok(try_join(f, &ask, &lost)); /* the answer never arrives */
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 410, "session-expired");
    assert_problem(room_leave(&f->app, "tea", slice_of(a.key), false), 410, "session-expired");
    assert_ok(try_join(f, &ask, &res));
    assert_true(res.resumed);
    assert_string_equal(res.peer, a.peer);
    assert_ok(try_join(f, &ask, &res)); /* nor this one */
    assert_string_equal(res.peer, a.peer);

    struct exchange_ask use = { .room = "tea", .key = slice_of(res.key) };
    assert_ok(room_exchange(&f->app, f->a, &use, &mail));
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 410, "session-expired");
    assert_ok(try_join(f, &ask, &res));
    assert_false(res.resumed);
    assert_string_not_equal(res.peer, a.peer);
}

static void a_key_that_came_through_unused_becomes_the_former_one_when_it_resumes(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct join_result second, third, fourth;
    join(f, "tea", &a);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(a.key) }, &second));
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(second.key) }, &third));
    assert_string_equal(third.peer, a.peer);
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(second.key) }, &fourth));
    assert_string_equal(fourth.peer, a.peer);
}

static void resume_tells_a_gap_and_the_oldest_cursor_when_its_own_is_no_good(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct join_result res;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    read_mail(f, "tea", &a, &mail);
    send_note(f, "tea", &b, a.peer, "1", "1");
    int64_t acked = a.cursor.seq;
    f->now_ms += f->app.cfg.lease_ms / 2;
    read_mail(f, "tea", &a, &mail); /* renews, and so writes down what was acknowledged */
    const struct {
        int line;
        struct cursor after;
        bool gap;
        int64_t seq;
    } table[] = {
        { __LINE__, { 0 }, false, acked },
        { __LINE__, { true, a.cursor.epoch, a.cursor.seq }, false, a.cursor.seq },
        { __LINE__, { true, a.cursor.epoch, a.cursor.seq + 1 }, true, acked },
        { __LINE__, { true, a.cursor.epoch + 1, a.cursor.seq }, true, acked },
        { __LINE__, { true, a.cursor.epoch, 0 }, true, acked },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct join_ask ask = { .room = "tea", .resume = slice_of(a.key), .after = table[i].after };
        assert_ok(try_join(f, &ask, &res));
        if (!res.resumed || res.gap != table[i].gap || res.cursor.seq != table[i].seq)
            fail_msg("line %d: gap %d, seq %lld", table[i].line, res.gap,
                     (long long)res.cursor.seq);
        memcpy(a.key, res.key, sizeof a.key);
    }
}

static void a_name_or_meta_that_changed_on_the_way_is_told(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct join_result res;
    struct exchange_result mail;
    char text[256];
    join(f, "tea", &b);
    join_as(f, &(struct join_ask){ .room = "tea", .name = slice_of("Ann"), .meta = slice_of("1") },
            &a);
    read_mail(f, "tea", &b, &mail);
    struct join_ask ask = { .room = "tea", .resume = slice_of(a.key), .name = slice_of("Ann") };
    assert_ok(try_join(f, &ask, &res));
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 0);
    ask.resume = slice_of(res.key);
    ask.name = slice_of("Anna");
    struct join_result again;
    assert_ok(try_join(f, &ask, &again));
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].type, "peer-updated");
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"name\":\"Anna\",\"meta\":1,\"joined\":2}",
             a.peer);
    assert_slice(mail.messages[0].data, text);
}

/* ---- replacing ---- */

static void who_is_replaced_leaves_in_the_transaction_of_the_one_that_comes(void **state)
{
    struct fixture *f = *state;
    struct who a, old, new;
    struct exchange_result mail;
    char text[256];
    join(f, "tea", &a);
    join(f, "tea", &old);
    read_empty(f, "tea", &a);
    struct join_result res;
    assert_ok(
        try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(old.key) }, &res));
    memcpy(new.peer, res.peer, sizeof new.peer);
    assert_string_not_equal(new.peer, old.peer);
    assert_int_equal(res.peers_count, 1);
    assert_slice(res.peers[0].peer, a.peer);
    read_mail(f, "tea", &a, &mail);
    assert_int_equal(mail.count, 2);
    assert_slice(mail.messages[0].type, "peer-left");
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"reason\":\"replaced\",\"by\":\"%s\"}", old.peer,
             new.peer);
    assert_slice(mail.messages[0].data, text);
    assert_slice(mail.messages[1].type, "peer-joined");
    assert_problem(exchange(f, "tea", &old, true, NULL, 0, &mail), 410, "session-expired");
    assert_problem(try_send(f, "tea", &a, old.peer, "1", "1"), 404, "peer-not-found");
}

static void who_comes_back_may_bring_the_id_of_one_that_has_left(void **state)
{
    struct fixture *f = *state;
    struct who gone, back;
    struct join_result res;
    struct join_ask ask = { .room = "tea", .id = slice_of("an-id-of-sixteen") };
    join_as(f, &ask, &gone);
    join(f, "tea", &back);
    assert_ok(room_leave(&f->app, "tea", slice_of(gone.key), false));
    ask.resume = slice_of(back.key);
    assert_ok(try_join(f, &ask, &res));
    assert_string_equal(res.peer, back.peer);
    ask.resume = SLICE_NONE;
    assert_ok(try_join(f, &ask, &res));
    assert_string_equal(res.peer, back.peer);
}

static void a_lapsed_member_can_be_replaced_and_an_unknown_or_left_one_is_ignored(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct join_result res;
    struct exchange_result mail;
    f->app.cfg.members_max = 2;
    join(f, "tea", &a);
    f->now_ms += f->app.cfg.lease_ms;
    join(f, "tea", &b); /* notices that a's lease is over */
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(a.key) }, &res));
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 3);
    assert_non_null(strstr(mail.messages[0].data.at, "\"replaced\""));
    assert_slice(mail.messages[2].type, "room-updated"); /* the host's place was taken */
    assert_problem(
        try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of("none") }, &res), 409,
        "room-full");
    assert_problem(
        try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(a.key) }, &res), 409,
        "room-full");
}

static void replacing_oneself_on_resume_is_only_a_resume(void **state)
{
    struct fixture *f = *state;
    struct who a, other;
    struct join_result res;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &other);
    struct join_ask ask = { .room = "tea", .resume = slice_of(a.key), .replaces = slice_of(a.key) };
    assert_ok(try_join(f, &ask, &res));
    assert_true(res.resumed);
    assert_string_equal(res.peer, a.peer);
    assert_int_equal(res.peers_count, 1);
    read_mail(f, "tea", &other, &mail);
    assert_int_equal(mail.count, 0);
}

static void a_lease_that_ended_unnoticed_is_not_announced_when_its_member_returns(void **state)
{
    struct fixture *f = *state;
    struct who back, gone, other;
    struct join_result res;
    struct exchange_result mail;
    join(f, "tea", &back);
    join(f, "tea", &gone);
    f->now_ms += f->app.cfg.lease_ms - 1;
    join(f, "tea", &other);
    f->now_ms += 1;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .resume = slice_of(back.key) }, &res));
    assert_true(res.resumed);
    read_mail(f, "tea", &other, &mail);
    assert_int_equal(mail.count, 1); /* nothing about the one, the lapse of the other */
    assert_non_null(strstr(mail.messages[0].data.at, gone.peer));
    f->now_ms += f->app.cfg.lease_ms - 1;
    join(f, "tea", &gone); /* notices that the other's lease is over, not back's */
    f->now_ms += 1;
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(res.key) },
                       &(struct join_result){ 0 }));
    read_mail(f, "tea", &gone, &mail);
    assert_int_equal(mail.count, 3); /* replaced and joined, never lapsed; another host */
    assert_non_null(strstr(mail.messages[0].data.at, "\"replaced\""));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(those_present_hear_of_a_newcomer_who_finds_them_in_its_list),
        CASE(name_and_meta_of_a_newcomer_are_told_with_it),
        CASE(a_room_takes_as_many_as_it_may_and_no_more),
        CASE(a_retried_join_is_the_same_member_with_a_fresh_key),
        CASE(an_id_used_again_after_leaving_is_a_new_member),
        CASE(resume_is_the_same_member_from_where_it_was_and_told_to_nobody),
        CASE(who_resumes_after_lapsing_is_announced_as_resumed_and_keeps_its_place),
        CASE(after_its_grace_a_member_joins_as_somebody_new),
        CASE(the_former_key_resumes_until_the_new_one_is_used_and_does_nothing_else),
        CASE(a_key_that_came_through_unused_becomes_the_former_one_when_it_resumes),
        CASE(resume_tells_a_gap_and_the_oldest_cursor_when_its_own_is_no_good),
        CASE(a_name_or_meta_that_changed_on_the_way_is_told),
        CASE(who_is_replaced_leaves_in_the_transaction_of_the_one_that_comes),
        CASE(who_comes_back_may_bring_the_id_of_one_that_has_left),
        CASE(a_lapsed_member_can_be_replaced_and_an_unknown_or_left_one_is_ignored),
        CASE(replacing_oneself_on_resume_is_only_a_resume),
        CASE(a_lease_that_ended_unnoticed_is_not_announced_when_its_member_returns),
    };
    return cmocka_run_group_tests_name("room_join", tests, NULL, NULL);
}
