#include "room_internal.h"
#include "store_fixture.h"

static struct exchange_result look(struct fixture *f, const struct who *w, struct room_wait *wait)
{
    struct exchange_result res;
    *wait = (struct room_wait){ .room = "tea", .after = w->cursor };
    memcpy(wait->peer, w->peer, sizeof wait->peer);
    assert_ok(room_look(&f->app, f->a, wait, &res));
    return res;
}

static void a_retried_send_is_one_message_and_rings_again(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    struct message_in two[] = {
        { .id = slice_of("x"),
          .to = slice_of(b.peer),
          .type = slice_of("note"),
          .data = slice_of("0") },
        { .id = slice_of("y"), .type = slice_of("note"), .data = slice_of("0") },
    };
    assert_ok(exchange(f, "tea", &a, false, two, 2, &mail));
    assert_int_equal(mail.sent[0].seq, 3);
    assert_int_equal(mail.sent[1].seq, 4);
    assert_slice(mail.sent[1].id, "y");
    f->app.rung_count = 0;
    assert_ok(exchange(f, "tea", &a, false, two, 2, &mail));
    assert_int_equal(mail.sent[0].seq, 3);
    assert_int_equal(mail.sent[1].seq, 4);
    assert_int_equal(f->app.rung_count, 1);
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 2);
    read_empty(f, "tea", &b);
    f->now_ms += f->app.cfg.lease_ms / 3;
    read_empty(f, "tea", &b); /* acknowledged, gone, and still known */
    assert_int_equal(held(f), 0);
    assert_ok(exchange(f, "tea", &a, false, two, 2, &mail));
    assert_int_equal(mail.sent[0].seq, 3);
    assert_ok(room_leave(&f->app, "tea", slice_of(b.key), false));
    assert_ok(exchange(f, "tea", &a, false, two, 2, &mail)); /* its addressee has left since */
    assert_int_equal(mail.sent[0].seq, 3);
    assert_int_equal(held(f), 0);
}

static void an_id_twice_in_one_request_is_one_message(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    struct message_in m[] = {
        { .id = slice_of("x"), .type = slice_of("note"), .data = slice_of("1") },
        { .id = slice_of("y"), .type = slice_of("note"), .data = slice_of("2") },
        { .id = slice_of("x"), .type = slice_of("note"), .data = slice_of("3") },
    };
    join(f, "tea", &a);
    join(f, "tea", &b);
    assert_ok(exchange(f, "tea", &a, false, m, 3, &mail));
    assert_int_equal(mail.sent[0].seq, 3);
    assert_int_equal(mail.sent[1].seq, 4);
    assert_int_equal(mail.sent[2].seq, 3);
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 2);
}

static void ids_belong_to_their_sender_and_the_latest_1024_at_least_are_known(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    join(f, "tea", &a);
    join(f, "tea", &b);
    for (int i = 0; i < ROOM_MESSAGE_IDS_MAX; i++) {
        send_many(f, &a, b.peer, i, 1);
        if (i % 100 == 0) read_empty(f, "tea", &b);
        if (i % 100 == 0) read_empty(f, "tea", &b);
        arena_reset(f->a);
    }
    /* Their seqs follow two joins. */
    struct message_in m = { .id = slice_of("1024"),
                            .to = slice_of(b.peer),
                            .type = slice_of("note"),
                            .data = slice_of("0") };
    assert_ok(exchange(f, "tea", &a, false, &m, 1, &mail));
    assert_int_equal(mail.sent[0].seq, 1024 + 3);
    m.id = slice_of("1023");
    assert_ok(exchange(f, "tea", &a, false, &m, 1, &mail));
    assert_int_equal(mail.sent[0].seq, ROOM_MESSAGE_IDS_MAX + 3); /* forgotten: sent anew */
    m.to = slice_of(a.peer);
    assert_ok(exchange(f, "tea", &b, false, &m, 1, &mail));
    assert_int_equal(mail.sent[0].seq, ROOM_MESSAGE_IDS_MAX + 4);
}

#define NO_DATA SIZE_MAX

static void what_may_not_be_sent_is_refused_and_nothing_of_the_request_is(void **state)
{
    struct fixture *f = *state;
    struct who a, b, gone;
    struct exchange_result mail;
    static char big[65540];
    char long_type[66];
    memset(big, '1', sizeof big - 1);
    memset(long_type, 'x', 65);
    long_type[65] = '\0';
    join(f, "tea", &a);
    join(f, "tea", &b);
    join(f, "tea", &gone);
    assert_ok(room_leave(&f->app, "tea", slice_of(gone.key), false));
    read_empty(f, "tea", &b);
    const struct {
        int line;
        const char *type, *to, *id;
        size_t data_len;
        int status;
        const char *code;
    } table[] = {
        { __LINE__, "offer", b.peer, "i1", 1, 0, "" },
        { __LINE__, "peers-0", NULL, "i2", 1, 0, "" },
        { __LINE__, "note", NULL, "i3", 65536, 0, "" },
        { __LINE__, "note", NULL, "n1", 65537, 413, "message-too-large" },
        { __LINE__, "peer-left", NULL, "n2", 1, 400, "invalid-request" },
        { __LINE__, "room-x", NULL, "n3", 1, 400, "invalid-request" },
        { __LINE__, "klatch-", NULL, "n4", 1, 400, "invalid-request" },
        { __LINE__, "", NULL, "n5", 1, 400, "invalid-request" },
        { __LINE__, "Offer", NULL, "n6", 1, 400, "invalid-request" },
        { __LINE__, "a b", NULL, "n7", 1, 400, "invalid-request" },
        { __LINE__, long_type + 1, NULL, "i4", 1, 0, "" },
        { __LINE__, long_type, NULL, "n8", 1, 400, "invalid-request" },
        { __LINE__, "note", "nobody", "n9", 1, 404, "peer-not-found" },
        { __LINE__, "note", "", "n10", 1, 404, "peer-not-found" },
        { __LINE__, "note", a.peer, "n11", 1, 404, "peer-not-found" },
        { __LINE__, "note", gone.peer, "n12", 1, 404, "peer-not-found" },
        { __LINE__, "note", NULL, "", 1, 400, "invalid-request" },
        { __LINE__, "note", NULL, "n13", NO_DATA, 400, "invalid-request" },
    };
    size_t expected = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char id[16];
        snprintf(id, sizeof id, "before-%zu", i);
        struct message_in m[] = {
            { .id = slice_of(id), .type = slice_of("note"), .data = slice_of("0") },
            { .id = slice_of(table[i].id),
              .type = slice_of(table[i].type),
              .to = slice_of(table[i].to),
              .data = { table[i].data_len == NO_DATA ? NULL : big, table[i].data_len } },
        };
        struct problem p = exchange(f, "tea", &a, false, m, 2, &mail);
        if (p.status != table[i].status || (p.status != 0 && strcmp(p.code, table[i].code) != 0))
            fail_msg("line %d: %d %s", table[i].line, p.status, p.code);
        if (p.status == 0) expected += 2;
    }
    size_t count = 0;
    do {
        read_mail(f, "tea", &b, &mail);
        count += mail.count;
    } while (mail.more);
    assert_int_equal(count, expected + 0);
}

static void a_key_is_asked_for_before_anything_else(void **state)
{
    struct fixture *f = *state;
    struct who a, stranger = { .key = "someone" };
    struct exchange_result mail;
    struct message_in bad = { .id = slice_of("1"), .type = slice_of("peer-x") };
    join(f, "tea", &a);
    assert_problem(exchange(f, "tea", &stranger, true, &bad, 1, &mail), 401, "key-invalid");
    stranger.key[0] = '\0';
    assert_problem(exchange(f, "tea", &stranger, true, NULL, 0, &mail), 401, "key-invalid");
    struct exchange_ask none = { .room = "tea" };
    assert_problem(room_exchange(&f->app, f->a, &none, &mail), 401, "key-invalid");
    assert_problem(exchange(f, "milk", &a, true, NULL, 0, &mail), 404, "room-not-found");
    join(f, "milk", &stranger);
    assert_problem(exchange(f, "milk", &a, true, NULL, 0, &mail), 401, "key-invalid");
}

static void a_sender_fills_a_quarter_of_the_mailbox_and_the_others_still_have_theirs(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct exchange_result mail;
    f->app.cfg.mailbox_messages_max = 40;
    join(f, "tea", &a);
    join(f, "tea", &b);
    join(f, "tea", &c);
    send_many(f, &a, NULL, 0, 10);
    assert_problem(try_send(f, "tea", &a, b.peer, "more", "1"), 507, "mailbox-full");
    struct message_in m[] = {
        { .id = slice_of("1"), .type = slice_of("note"), .data = slice_of("0") },
        { .id = slice_of("new"), .type = slice_of("note"), .data = slice_of("0") },
    };
    assert_problem(exchange(f, "tea", &a, false, m, 2, &mail), 507, "mailbox-full");
    assert_ok(exchange(f, "tea", &a, false, m, 1, &mail)); /* known: takes no room */
    send_many(f, &b, NULL, 0, 10);
    send_many(f, &c, b.peer, 0, 10);
    assert_int_equal(held(f), 30);
}

static void what_a_request_acknowledges_makes_room_for_what_it_sends(void **state)
{
    struct fixture *f = *state;
    struct who w[4], reader;
    struct exchange_result mail;
    f->app.cfg.mailbox_messages_max = 40;
    for (int i = 0; i < 4; i++) join(f, "tea", &w[i]);
    join(f, "tea", &reader);
    for (int i = 0; i < 4; i++) send_many(f, &w[i], reader.peer, 0, 10);
    struct message_in m = { .id = slice_of("1"),
                            .to = slice_of("nobody"),
                            .type = slice_of("note"),
                            .data = slice_of("1") };
    struct cursor start = reader.cursor;
    read_mail(f, "tea", &reader, &mail);
    assert_int_equal(mail.count, 40);
    struct cursor end = reader.cursor;
    reader.cursor = start;
    m.to = slice_of(w[0].peer);
    assert_problem(exchange(f, "tea", &reader, true, &m, 1, &mail), 507, "mailbox-full");
    assert_int_equal(held(f), 40);
    reader.cursor = end;
    assert_ok(exchange(f, "tea", &reader, true, &m, 1, &mail));
    assert_int_equal(held(f), 1);
    /* It is acknowledged even when the send then fails. */
    read_empty(f, "tea", &w[0]);
    m.id = slice_of("other");
    m.to = slice_of("nobody");
    assert_problem(exchange(f, "tea", &w[0], true, &m, 1, &mail), 404, "peer-not-found");
    assert_int_equal(
        sql(f, "rooms/tea.db", "SELECT acked = seq FROM member, message WHERE peer = addressee"),
        1);
}

static void the_bytes_of_a_mailbox_are_bounded_too(void **state)
{
    struct fixture *f = *state;
    struct who w[6];
    static char data[1001];
    char id[16];
    memset(data, '5', 1000);
    f->app.cfg.mailbox_bytes_max = 4 * 5 * (1000 + 4 + STORE_MESSAGE_BYTES);
    for (int i = 0; i < 6; i++) join(f, "tea", &w[i]);
    for (int sender = 0; sender < 4; sender++) {
        for (int i = 0; i < 5; i++) {
            snprintf(id, sizeof id, "%d", i);
            send_note(f, "tea", &w[sender], w[5].peer, id, data);
        }
        assert_problem(try_send(f, "tea", &w[sender], w[5].peer, "z", "1"), 507, "mailbox-full");
    }
    struct problem p = try_send(f, "tea", &w[4], w[5].peer, "z", "1"); /* full for everybody */
    assert_problem(p, 507, "mailbox-full");
    struct who late;
    join(f, "tea", &late); /* the server's own messages are outside */
    assert_ok(room_leave(&f->app, "tea", slice_of(late.key), false));
}

static void mail_to_all_in_an_empty_room_takes_no_room_but_a_number(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    f->app.cfg.mailbox_messages_max = 8;
    join(f, "tea", &a);
    send_many(f, &a, NULL, 0, 3);
    struct message_in three[] = {
        { .id = slice_of("x"), .type = slice_of("note"), .data = slice_of("0") },
        { .id = slice_of("y"), .type = slice_of("note"), .data = slice_of("0") },
        { .id = slice_of("z"), .type = slice_of("note"), .data = slice_of("0") },
    };
    assert_ok(exchange(f, "tea", &a, false, three, 3, &mail));
    assert_int_equal(held(f), 0);
    struct message_in m = { .id = slice_of("1"), .type = slice_of("note"), .data = slice_of("0") };
    assert_ok(exchange(f, "tea", &a, false, &m, 1, &mail));
    assert_int_equal(mail.sent[0].seq, 3);
    join(f, "tea", &b);
    assert_int_equal(b.cursor.seq, 8);
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 0);
}

static void an_answer_too_big_for_its_arena_fails_whole_and_can_be_asked_again(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    static char data[40001];
    memset(data, '5', 40000);
    join(f, "tea", &a);
    join(f, "tea", &b);
    send_note(f, "tea", &a, b.peer, "1", data);
    send_note(f, "tea", &a, b.peer, "2", data);
    struct arena *whole = f->a;
    f->a = arena_new(60000);
    assert_problem(exchange(f, "tea", &b, true, NULL, 0, &mail), 503, "busy");
    arena_free(f->a);
    f->a = whole;
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 2);
}

static void each_commit_that_others_wait_for_rings_and_a_mere_read_does_not(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct room_wait wait;
    join(f, "tea", &a);
    join(f, "tea", &b);
    const size_t joined = f->app.rung_count;
    assert_int_equal(joined, 2);
    read_empty(f, "tea", &a);
    look(f, &a, &wait);
    f->now_ms += f->app.cfg.lease_ms / 3;
    read_empty(f, "tea", &a);
    assert_int_equal(f->app.rung_count, joined);
    send_note(f, "tea", &a, NULL, "1", "1");
    assert_int_equal(f->app.rung_count, joined + 1);
    assert_problem(try_send(f, "tea", &a, "nobody", "2", "1"), 404, "peer-not-found");
    assert_int_equal(f->app.rung_count, joined + 1);
    assert_ok(room_leave(&f->app, "tea", slice_of(b.key), true));
    assert_int_equal(f->app.rung_count, joined + 2);
    assert_ok(room_leave(&f->app, "tea", slice_of(b.key), false));
    assert_ok(room_leave(&f->app, "tea", slice_of(b.key), false));
    assert_int_equal(f->app.rung_count, joined + 4);
}

static void mail_to_one_wakes_that_one_and_mail_to_all_or_to_many_everybody(void **state)
{
    struct fixture *f = *state;
    struct who a, b, more[ROOM_RING_MEMBERS_MAX];
    struct message_in m[ROOM_RING_MEMBERS_MAX + 2];
    struct exchange_result res;
    f->app.cfg.members_max = 64;
    join(f, "tea", &a);
    join(f, "tea", &b);
    for (int i = 0; i < ROOM_RING_MEMBERS_MAX; i++) join(f, "tea", &more[i]);
    static const char *const ids[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i",
                                       "j", "k", "l", "m", "n", "o", "p", "q", "r" };
    for (int i = 0; i < ROOM_RING_MEMBERS_MAX + 2; i++)
        m[i] = (struct message_in){ .id = slice_of(ids[i]),
                                    .to = slice_of(i < 2 ? b.peer : more[i - 2].peer),
                                    .type = slice_of("note"),
                                    .data = slice_of("0") };
    for (int repeated = 0; repeated < 2; repeated++) {
        f->app.rung_count = 0;
        assert_ok(exchange(f, "tea", &a, false, m, 2, &res));
        assert_int_equal(f->app.rung_count, 1);
        assert_string_equal(f->app.rung[0].peer, b.peer);
    }
    f->app.rung_count = 0;
    assert_ok(exchange(f, "tea", &a, false, m, ROOM_RING_MEMBERS_MAX + 2, &res));
    assert_int_equal(f->app.rung_count, 1);
    assert_string_equal(f->app.rung[0].peer, "");
    f->app.rung_count = 0;
    send_note(f, "tea", &a, NULL, "all", "0");
    assert_string_equal(f->app.rung[0].peer, "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_retried_send_is_one_message_and_rings_again),
        CASE(an_id_twice_in_one_request_is_one_message),
        CASE(ids_belong_to_their_sender_and_the_latest_1024_at_least_are_known),
        CASE(what_may_not_be_sent_is_refused_and_nothing_of_the_request_is),
        CASE(a_key_is_asked_for_before_anything_else),
        CASE(a_sender_fills_a_quarter_of_the_mailbox_and_the_others_still_have_theirs),
        CASE(what_a_request_acknowledges_makes_room_for_what_it_sends),
        CASE(the_bytes_of_a_mailbox_are_bounded_too),
        CASE(mail_to_all_in_an_empty_room_takes_no_room_but_a_number),
        CASE(an_answer_too_big_for_its_arena_fails_whole_and_can_be_asked_again),
        CASE(mail_to_one_wakes_that_one_and_mail_to_all_or_to_many_everybody),
        CASE(each_commit_that_others_wait_for_rings_and_a_mere_read_does_not),
    };
    return cmocka_run_group_tests_name("room_send", tests, NULL, NULL);
}
