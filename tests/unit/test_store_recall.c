/* What is recalled of a held room is what stands in its file. */
#include "recall_fixture.h"

/* ---- changes ---- */

typedef void change(struct store_room *r, struct recall_test *t);

static void a_member_comes(struct store_room *r, struct recall_test *t)
{
    (void)t;
    insert(r, MEMBERS);
}

static void a_member_comes_whose_lease_is_short(struct store_room *r, struct recall_test *t)
{
    (void)t;
    insert(r, -1);
}

static void a_member_goes(struct store_room *r, struct recall_test *t)
{
    store_member_delete(r, t->peer[0]);
}

static void a_state(struct store_room *r, struct recall_test *t)
{
    store_member_set_state(r, t->peer[0], MEMBER_LAPSED, 7 * LEASE_MS);
}

static void a_leave(struct store_room *r, struct recall_test *t)
{
    store_member_set_left(r, t->peer[0], LEFT_KICKED, 8 * LEASE_MS);
}

static void a_host(struct store_room *r, struct recall_test *t)
{
    store_member_set_host(r, t->peer[1], true);
}

static void an_address(struct store_room *r, struct recall_test *t)
{
    store_member_set_address(r, t->peer[1], slice_of("address"));
}

static void an_admission(struct store_room *r, struct recall_test *t)
{
    store_member_admit(r, t->peer[2], 2, 77 * LEASE_MS);
}

static void a_longer_lease(struct store_room *r, struct recall_test *t)
{
    assert_true(store_member_lengthen(r, t->peer[0], 0, 70 * LEASE_MS));
}

static void a_hang_up(struct store_room *r, struct recall_test *t)
{
    store_member_hang_up(r, t->peer[0], 5);
}

static void a_key(struct store_room *r, struct recall_test *t)
{
    key_of(100, t->key[1]);
    store_member_set_key(r, t->peer[1], t->key[1], true, NULL);
}

static void a_key_of_which_the_former_is_asked_for(struct store_room *r, struct recall_test *t)
{
    uint8_t newer[IDENT_HASH_BYTES];
    key_of(101, newer);
    store_member_set_key(r, t->peer[1], newer, true, NULL);
}

static void a_used_key(struct store_room *r, struct recall_test *t)
{
    store_member_set_key_used(r, t->peer[1]);
}

static void a_forgotten_join_id(struct store_room *r, struct recall_test *t)
{
    store_member_forget_join_id(r, t->peer[1]);
}

static void a_name(struct store_room *r, struct recall_test *t)
{
    store_member_set_self(r, t->peer[1], slice_of("other"), slice_of("{}"));
}

static void an_acknowledgement(struct store_room *r, struct recall_test *t)
{
    store_member_set_acked(r, t->peer[1], 5);
}

static void a_floor(struct store_room *r, struct recall_test *t)
{
    store_member_raise_floor(r, t->peer[1], 4);
}

static void floors(struct store_room *r, struct recall_test *t)
{
    store_members_raise_floor(r, t->peer[1], 4);
}

static void a_boot(struct store_room *r, struct recall_test *t)
{
    (void)t;
    store_room_set_boot(r, "boot-two", 5000, 333, 444);
}

static void a_message(struct store_room *r, struct recall_test *t)
{
    add_message(r, t, 1, 2);
}

static void a_deleted_message(struct store_room *r, struct recall_test *t)
{
    (void)t;
    store_message_delete(r, 1);
}

static void deleted_mail_to_one(struct store_room *r, struct recall_test *t)
{
    for (int i = 0; i < MEMBERS; i++)
        assert_true(store_messages_delete_to(r, t->peer[i], INT64_MAX) > 0);
}

static void deleted_mail_to_all(struct store_room *r, struct recall_test *t)
{
    (void)t;
    assert_true(store_messages_delete_all(r, INT64_MAX) > 0);
}

static void deleted_mail_by_one(struct store_room *r, struct recall_test *t)
{
    assert_true(store_messages_delete_by(r, t->peer[0], INT64_MAX) > 0);
}

static void no_mail_at_all(struct store_room *r, struct recall_test *t)
{
    deleted_mail_to_one(r, t);
    deleted_mail_to_all(r, t);
}

static void deleted_ids(struct store_room *r, struct recall_test *t)
{
    store_message_ids_delete_older(r, t->peer[1], 1);
}

static void watching(struct store_room *r, struct recall_test *t)
{
    struct room_rules rules = store_room(r)->rules;
    (void)t;
    rules.watched = !rules.watched;
    store_room_set_rules(r, &rules);
}

static void what_is_recalled_after_each_change_is_what_is_read(void **state)
{
    static const struct {
        int line;
        change *what;
    } table[] = {
        { __LINE__, a_member_comes },
        { __LINE__, a_member_comes_whose_lease_is_short },
        { __LINE__, a_member_goes },
        { __LINE__, a_state },
        { __LINE__, a_leave },
        { __LINE__, a_host },
        { __LINE__, an_address },
        { __LINE__, an_admission },
        { __LINE__, a_longer_lease },
        { __LINE__, a_hang_up },
        { __LINE__, a_key },
        { __LINE__, a_key_of_which_the_former_is_asked_for },
        { __LINE__, a_used_key },
        { __LINE__, a_forgotten_join_id },
        { __LINE__, a_name },
        { __LINE__, an_acknowledgement },
        { __LINE__, a_floor },
        { __LINE__, floors },
        { __LINE__, a_boot },
        { __LINE__, a_message },
        { __LINE__, a_deleted_message },
        { __LINE__, deleted_mail_to_one },
        { __LINE__, deleted_mail_to_all },
        { __LINE__, deleted_mail_by_one },
        { __LINE__, no_mail_at_all },
        { __LINE__, deleted_ids },
        { __LINE__, watching },
    };
    const struct recall_test *begun = *state;
    const int64_t seq = begun->seq;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct recall_test *t = *state;
        struct known before;
        struct recall_test changed = *t;
        struct store_room *r = begin(t);
        ask_all(r, t, &before);
        all_is_recalled(r);
        assert_int_equal(before.told.seq, t->seq);
        table[i].what(r, &changed);
        if (!agrees(r, &changed)) fail_msg("line %d", table[i].line);
        assert_ok(store_abort(r)); /* as it was, for the next one */
        r = begin(t);
        if (!agrees(r, t)) fail_msg("line %d, aborted", table[i].line);
        assert_ok(store_commit(r));
        t->seq = seq;
    }
}

static void what_one_transaction_wrote_the_next_one_recalls(void **state)
{
    struct recall_test *t = *state;
    struct known k;
    struct store_room *r = begin(t);
    ask_all(r, t, &k);
    a_message(r, t);
    an_acknowledgement(r, t);
    assert_ok(store_commit(r));
    r = begin(t);
    all_is_recalled(r);
    assert_true(agrees(r, t));
    assert_ok(store_commit(r));
}

static void what_was_rolled_back_is_forgotten(void **state)
{
    struct recall_test *t = *state;
    struct known before, after;
    struct store_room *r = begin(t);
    ask_all(r, t, &before);
    an_acknowledgement(r, t);
    a_hang_up(r, t);
    ask_all(r, t, &after);
    assert_false(same(&before, &after));
    assert_ok(store_abort(r));
    r = begin(t);
    ask_all(r, t, &after);
    assert_true(same(&before, &after));
    assert_ok(store_commit(r));
}

static void what_was_let_go_is_forgotten(void **state)
{
    struct recall_test *t = *state;
    struct known k;
    char text[128];
    struct store_room *r = begin(t);
    ask_all(r, t, &k);
    all_is_recalled(r);
    assert_ok(store_commit(r));
    store_let_go_all(&t->f.app);
    snprintf(text, sizeof text, "UPDATE member SET acked = 7, until_ms = 3 WHERE peer = '%s'",
             t->peer[1]);
    (void)sql(&t->f, "rooms/tea.db", text);
    hold_room(t);
    r = begin(t);
    ask_all(r, t, &k);
    assert_int_equal(k.peer[1].acked, 7);
    assert_int_equal(k.key[1].acked, 7);
    assert_int_equal(k.next_end, 3);
    assert_int_equal(k.next_lease, 3);
    assert_ok(store_commit(r));
}

static void of_a_room_that_is_shared_nothing_is_recalled(void **state)
{
    struct recall_test *t = *state;
    struct known k;
    t->f.app.keeps_rooms = false;
    store_let_go_all(&t->f.app);
    for (int i = 0; i < 3; i++) {
        struct store_room *r = begin(t);
        ask_all(r, t, &k);
        const struct recall *now = r->recall;
        assert_non_null(now); /* from when it was held */
        assert_int_equal(now->count, 0);
        assert_false(now->next_end_known || now->next_lease_known || now->oldest.seq > 0);
        assert_ok(store_commit(r));
    }
}

/* Each room's connection is turned to the next one's file, with what was recalled of it. */
static void of_a_room_before_on_the_same_connection_nothing_is_recalled(void **state)
{
    enum { ROOMS = 12, ROUNDS = 3, USES = 6 };
    struct recall_test *t = *state;
    for (int n = 0; n < ROUNDS * ROOMS; n++) {
        struct store_room *r;
        struct message_oldest oldest;
        int i = n % ROOMS, held = 0;
        char room[32];
        snprintf(room, sizeof room, "room-%d", i);
        for (int use = 0; use < USES; use++) {
            assert_ok(store_begin(&t->f.app, room, STORE_MAKE, &r));
            if (n < ROOMS && use == 0) {
                insert(r, i);
                t->seq = 100 + i;
                if (i % 2 == 0) add_message(r, t, 0, -1);
            }
            held += store_tenure(r) != 0;
            assert_int_equal(store_members_next_end(r), (i + 1) * LEASE_MS);
            assert_int_equal(store_members_next_lease(r), (i + 1) * LEASE_MS);
            assert_true(store_message_oldest(r, false, &oldest) == (i % 2 == 0));
            if (i % 2 == 0) assert_int_equal(oldest.seq, 101 + i);
            assert_ok(store_commit(r));
        }
        assert_true(held > 0);
        assert_true(open_room_files() < ROOMS);
        t->f.now_ms += 200;
    }
}

static void a_former_key_finds_nobody(void **state)
{
    struct recall_test *t = *state;
    struct known k;
    struct member_row m;
    uint8_t newer[IDENT_HASH_BYTES];
    struct store_room *r = begin(t);
    ask_all(r, t, &k);
    key_of(100, newer);
    store_member_set_key(r, t->peer[1], newer, true, NULL);
    assert_false(store_member_by_key(r, t->key[1], &m));
    assert_true(store_member_by_peer(r, slice_of(t->peer[1]), &m));
    assert_false(store_member_by_key(r, t->key[1], &m));
    assert_true(store_member_by_key(r, newer, &m));
    assert_string_equal(m.peer, t->peer[1]);
    assert_true(store_member_by_former(r, t->key[1], &m));
    assert_string_equal(m.peer, t->peer[1]);
    assert_ok(store_commit(r));
}

static void of_more_members_than_are_recalled_each_is_found_as_it_is(void **state)
{
    enum { MORE = 3 * RECALL_MEMBERS };
    struct recall_test *t = *state;
    struct store_room *r = begin(t);
    for (int i = MEMBERS; i < MORE; i++) insert(r, i);
    for (int round = 0; round < 3; round++) {
        for (int n = 0; n < MORE; n++) {
            int i = n * 7 % MORE;
            char peer[IDENT_PEER_BYTES + 1];
            uint8_t key[IDENT_HASH_BYTES];
            struct member_row m;
            peer_of(i, peer);
            key_of(i, key);
            if (n % 2 == 0) {
                assert_true(store_member_by_peer(r, slice_of(peer), &m));
                assert_string_equal(m.peer, peer);
                assert_int_equal(m.joined, i);
            }
            assert_true(store_member_by_key(r, key, &m));
            assert_string_equal(m.peer, peer);
            assert_int_equal(m.acked, round > 0 ? i + round - 1 : i);
            store_member_set_acked(r, peer, i + round);
            assert_true(store_member_by_key(r, key, &m));
            assert_int_equal(m.acked, i + round);
            assert_true(r->recall->count <= RECALL_MEMBERS);
        }
    }
    assert_int_equal(r->recall->count, RECALL_MEMBERS);
    assert_ok(store_commit(r));
}

static void a_failed_statement_recalls_nothing(void **state)
{
    struct recall_test *t = *state;
    struct known k;
    struct member_row m;
    struct store_room *r = begin(t);
    ask_all(r, t, &k);
    t->seq = 0;
    tell(r, t); /* a number that is taken */
    assert_true(store_failed(r));
    assert_false(store_member_by_peer(r, slice_of(t->peer[1]), &m));
    assert_false(store_member_by_key(r, t->key[1], &m));
    assert_false(store_message_oldest(r, false, &k.oldest));
    assert_true(store_abort(r).status != 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_recalled_after_each_change_is_what_is_read),
        CASE(what_one_transaction_wrote_the_next_one_recalls),
        CASE(what_was_rolled_back_is_forgotten),
        CASE(what_was_let_go_is_forgotten),
        CASE(of_a_room_that_is_shared_nothing_is_recalled),
        CASE(of_a_room_before_on_the_same_connection_nothing_is_recalled),
        CASE(a_former_key_finds_nobody),
        CASE(of_more_members_than_are_recalled_each_is_found_as_it_is),
        CASE(a_failed_statement_recalls_nothing),
    };
    return cmocka_run_group_tests_name("store_recall", tests, NULL, NULL);
}
