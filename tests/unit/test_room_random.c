/* Random calls against a model: what each member must find in its mailbox follows from the list of
 * everything that was sent; every counter is counted again from the rows it counts. The seed is
 * printed; KLATCH_SEED=… runs another, KLATCH_STEPS=… longer. Once in a room that is shared, once
 * in one that this process holds: then what is recalled of it is also compared with what is read.
 */
#include <sqlite3.h>

#include "bell.h"
#include "room_fixture.h"
#include "store_internal.h"

enum {
    PEOPLE = 6,
    LOG_MAX = 60000,
    STEPS = 4000,
    TOLD_KEPT = 7, /* of the longest fit in a quarter of the mailbox below */
};

struct logged {
    int64_t seq, at_ms;
    int from, to; /* serials of memberships; to -1: all */
    char data[24];
};

struct person {
    bool in;
    int serial; /* of this membership, from 1 */
    struct who who;
    struct cursor earlier; /* a cursor that it once had: its answer may have been lost */
    int64_t joined_ms;
    int64_t complete_ms; /* it had read everything sent until then when it got its cursor */
    int64_t joined_told, complete_told; /* the server's messages until those times */
    int sends;
    int64_t last_seq;
};

/* How often the interesting things happened: a run in which they don't tests nothing. */
static struct {
    int delivered, gaps, resumed, expired, full, retried, reread, held, recalled;
} seen;

static struct logged sent_log[LOG_MAX];
static size_t sent_count;
static char peers[LOG_MAX][IDENT_PEER_BYTES + 1]; /* by serial */
static int64_t joined[LOG_MAX];
static int serials;
static uint64_t random_state;

static unsigned roll(unsigned sides)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % sides;
}

/* ---- counters ---- */

static int64_t count(sqlite3 *db, const char *text)
{
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return n;
}

static void recount(struct fixture *f)
{
    static const char *const wrong[] = {
        "SELECT count(*) FROM room WHERE messages <> (SELECT count(*) FROM message WHERE server = 0)"
        " OR bytes <> (SELECT coalesce(sum(length(data) + length(type) + 64), 0) FROM message"
        " WHERE server = 0) OR head < (SELECT coalesce(max(seq), 0) FROM message)",
        "SELECT count(*) FROM room WHERE told_messages <>"
        " (SELECT count(*) FROM message WHERE server = 1) OR told_bytes <>"
        " (SELECT coalesce(sum(length(data) + length(type) + 64), 0) FROM message"
        " WHERE server = 1)",
        "SELECT count(*) FROM member WHERE held_messages <>"
        " (SELECT count(*) FROM message WHERE sender = peer AND server = 0) OR held_bytes <>"
        " (SELECT coalesce(sum(length(data) + length(type) + 64), 0) FROM message"
        " WHERE sender = peer AND server = 0)",
        "SELECT count(*) FROM member WHERE message_ids <>"
        " (SELECT count(*) FROM message_id WHERE sender = peer) OR message_ids >= 2048",
        "SELECT count(*) FROM message WHERE addressee NOT IN (SELECT peer FROM member)",
        "SELECT count(*) FROM message_id WHERE sender NOT IN (SELECT peer FROM member)",
        "SELECT count(*) FROM member, room WHERE acked > head OR floor > head OR acked < joined",
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    };
    char path[APP_PATH_BYTES_MAX + 64];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/rooms/tea.db", f->app.data_dir);
    if (access(path, F_OK) != 0) return;
    store_let_go_all(&f->app);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (count(db, wrong[i]) != 0) fail_msg("this should find nothing: %s", wrong[i]);
    sqlite3_close(db);
}

/* ---- calls ---- */

/* How many messages the server has told the room: seqs that no send got. */
static int64_t told_until(int64_t head)
{
    return head - (int64_t)sent_count;
}

static int64_t head_now(struct fixture *f)
{
    char path[APP_PATH_BYTES_MAX + 64];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/rooms/tea.db", f->app.data_dir);
    store_let_go_all(&f->app);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    int64_t head = count(db, "SELECT head FROM room");
    sqlite3_close(db);
    return head;
}

static void enter(struct fixture *f, struct person *p, bool resume)
{
    struct join_result res;
    struct join_ask ask = { .room = "tea" };
    if (resume) ask.resume = slice_of(p->who.key);
    if (resume && roll(2)) ask.after = p->who.cursor;
    if (!resume && p->in && roll(2)) ask.replaces = slice_of(p->who.key);
    struct problem problem = try_join(f, &ask, &res);
    if (problem.status == 409) return;
    assert_ok(problem);
    if (!res.resumed) {
        p->serial = ++serials;
        p->sends = 0;
        p->last_seq = 0;
        p->joined_ms = f->now_ms;
        memcpy(peers[p->serial], res.peer, sizeof res.peer);
        joined[p->serial] = res.cursor.seq;
        p->joined_told = told_until(res.cursor.seq);
    } else {
        assert_string_equal(res.peer, p->who.peer);
        seen.resumed++;
    }
    /* Without `after` it goes on from what was written down as acknowledged, whenever that was. */
    if (!res.resumed || !ask.after.given || res.gap) {
        p->complete_ms = p->joined_ms;
        p->complete_told = p->joined_told;
    }
    memcpy(p->who.peer, res.peer, sizeof res.peer);
    memcpy(p->who.key, res.key, sizeof res.key);
    p->who.cursor = p->earlier = res.cursor;
    p->in = true;
}

static void send_random(struct fixture *f, struct person *all, struct person *p, bool retry)
{
    struct exchange_result res;
    struct person *to = roll(2) ? &all[roll(PEOPLE)] : NULL;
    char id[24], data[24];
    if (retry && p->last_seq == 0) return;
    if (!retry) p->sends++;
    snprintf(id, sizeof id, "%d", p->sends);
    snprintf(data, sizeof data, "%d%0*d", p->serial, (int)roll(10) + 1, p->sends);
    struct message_in m = { .id = slice_of(id), .type = slice_of("note"), .data = slice_of(data) };
    if (to != NULL) m.to = slice_of(to->who.peer);
    struct cursor before = p->who.cursor;
    bool read = roll(3) == 0;
    struct problem problem = exchange(f, "tea", &p->who, read, &m, 1, &res);
    p->who.cursor = before; /* as if the part that was read had been lost */
    if (problem.status == 410 || problem.status == 401) p->in = false;
    seen.full += problem.status == 507;
    seen.retried += retry && problem.status == 0;
    if (retry && problem.status == 0) assert_int_equal(res.sent[0].seq, p->last_seq);
    if (!retry && problem.status != 0) p->sends--;
    if (problem.status != 0) {
        assert_true(problem.status == 410 || problem.status == 401 || problem.status == 507 ||
                    (problem.status == 404 && (to != NULL || !retry)));
        return;
    }
    p->last_seq = res.sent[0].seq;
    if (retry) return;
    struct logged *l = &sent_log[sent_count++];
    *l = (struct logged){ res.sent[0].seq, f->now_ms, p->serial, to == NULL ? -1 : to->serial, "" };
    memcpy(l->data, data, sizeof data);
}

/* Compare what was read after `after` with the log. */
static void check_read(const struct person *p, int64_t after, const struct exchange_result *res)
{
    size_t i = 0, at = 0;
    int64_t upto = res->next.seq, before = 0;
    while (i < sent_count && sent_log[i].seq <= after) i++;
    for (; i < sent_count && sent_log[i].seq <= upto; i++) {
        const struct logged *l = &sent_log[i];
        if (l->from == p->serial || (l->to != -1 && l->to != p->serial) ||
            l->seq <= joined[p->serial])
            continue;
        while (at < res->count && res->messages[at].from.at == NULL) at++;
        if (at == res->count) fail_msg("message %lld is missing", (long long)l->seq);
        const struct message_out *m = &res->messages[at++];
        assert_int_equal(m->seq, l->seq);
        assert_slice(m->data, l->data);
        assert_slice(m->from, peers[l->from]);
    }
    while (at < res->count && res->messages[at].from.at == NULL) at++;
    assert_int_equal(at, res->count);
    for (at = 0; at < res->count; at++) {
        assert_true(res->messages[at].seq > before && res->messages[at].seq > after);
        before = res->messages[at].seq;
    }
}

static void read_random(struct fixture *f, struct person *p)
{
    struct exchange_result res;
    struct cursor now = p->who.cursor;
    bool again = roll(4) == 0;
    if (again) p->who.cursor = p->earlier;
    struct cursor asked = p->who.cursor;
    struct problem problem = exchange(f, "tea", &p->who, true, NULL, 0, &res);
    if (problem.status != 0) {
        assert_true(problem.status == 410 || problem.status == 401 || problem.status == 404);
        p->in = false;
        p->who.cursor = now;
        seen.expired += problem.status == 410;
        return;
    }
    seen.reread += again;
    seen.delivered += (int)res.count;
    if (res.gap) {
        /* Only for what grew old unread, for more tellings than are kept, or for going back behind
         * what was acknowledged. */
        assert_true(again || f->now_ms - p->complete_ms >= f->app.cfg.ttl_ms ||
                    told_until(head_now(f)) - p->complete_told >= TOLD_KEPT);
        assert_true(res.next.seq > asked.seq);
        seen.gaps++;
    } else {
        check_read(p, asked.seq, &res);
    }
    if (again) p->who.cursor = now;
    if (again) return;
    if (!res.more && !res.gap) {
        p->complete_ms = f->now_ms;
        p->complete_told = told_until(res.next.seq);
    }
    p->earlier = now;
}

/* ---- what is recalled ---- */

struct known {
    struct member_row by_peer[PEOPLE], by_key[PEOPLE];
    struct message_oldest oldest;
    int64_t next_end_ms, next_lease_ms;
};

static void ask_all(struct store_room *r, const struct person *all, struct known *k)
{
    memset(k, 0, sizeof *k);
    for (int i = 0; i < PEOPLE; i++) {
        uint8_t hash[IDENT_HASH_BYTES];
        if (all[i].serial == 0) continue;
        ident_hash(all[i].who.key, strlen(all[i].who.key), hash);
        (void)store_member_by_peer(r, slice_of(all[i].who.peer), &k->by_peer[i]);
        (void)store_member_by_key(r, hash, &k->by_key[i]);
    }
    (void)store_message_oldest(r, false, &k->oldest);
    k->next_end_ms = store_members_next_end(r);
    k->next_lease_ms = store_members_next_lease(r);
}

static void check_row(const struct member_row *a, const struct member_row *b)
{
    assert_string_equal(a->peer, b->peer);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->until_ms, b->until_ms);
    assert_int_equal(a->joined, b->joined);
    assert_int_equal(a->acked, b->acked);
    assert_int_equal(a->floor, b->floor);
    assert_int_equal(a->held_messages, b->held_messages);
    assert_int_equal(a->held_bytes, b->held_bytes);
    assert_int_equal(a->message_ids, b->message_ids);
    assert_true(a->key_used == b->key_used && a->hung_up == b->hung_up && a->host == b->host &&
                a->left_why == b->left_why);
}

/* Changes nothing: what was recalled before is recalled after, and nothing else. */
static void check_recall(struct store_room *r, const struct person *all)
{
    struct known recalled, read;
    struct recall before = { 0 };
    if (r->recall != NULL) before = *r->recall;
    seen.held += store_tenure(r) != 0;
    seen.recalled += (int)before.count;
    ask_all(r, all, &recalled);
    store_recall_nothing(r);
    ask_all(r, all, &read);
    if (r->recall != NULL) *r->recall = before;
    for (int i = 0; i < PEOPLE; i++) {
        check_row(&recalled.by_peer[i], &read.by_peer[i]);
        check_row(&recalled.by_key[i], &read.by_key[i]);
    }
    assert_int_equal(recalled.oldest.seq, read.oldest.seq);
    assert_int_equal(recalled.oldest.stored_ms, read.oldest.stored_ms);
    assert_string_equal(recalled.oldest.sender, read.oldest.sender);
    assert_string_equal(recalled.oldest.addressee, read.oldest.addressee);
    assert_int_equal(recalled.next_end_ms, read.next_end_ms);
    assert_int_equal(recalled.next_lease_ms, read.next_lease_ms);
}

static void step(struct fixture *f, struct person *all)
{
    struct person *p = &all[roll(PEOPLE)];
    unsigned what = roll(100);
    if (!p->in && what < 60)
        enter(f, p, p->serial > 0 && roll(2));
    else if (what < 35)
        read_random(f, p);
    else if (what < 75)
        send_random(f, all, p, roll(4) == 0);
    else if (what < 80)
        enter(f, p, roll(3) != 0);
    else if (what < 83)
        room_leave(&f->app, "tea", slice_of(p->who.key), roll(2));
    else if (what < 86)
        assert_ok(room_sweep(&f->app, "tea"));
    else if (what < 87)
        for (int i = 0; i < 20 && p->in; i++) send_random(f, all, p, false);
    else
        f->now_ms += roll(20) == 0 ? roll(60000) : roll(2000);
}

static void run(struct fixture *f)
{
    struct person all[PEOPLE] = { 0 };
    const char *seed = getenv("KLATCH_SEED"), *steps_text = getenv("KLATCH_STEPS");
    int steps = steps_text != NULL ? atoi(steps_text) : STEPS;
    memset(&seen, 0, sizeof seen);
    sent_count = 0;
    serials = 0;
    random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20260131;
    print_message("seed %llu, %d steps\n", (unsigned long long)random_state, steps);
    f->app.cfg.mailbox_messages_max = 60;
    f->app.cfg.mailbox_bytes_max = 5000;
    f->app.cfg.members_max = PEOPLE - 1;
    for (int i = 0; i < steps && sent_count < LOG_MAX && serials < LOG_MAX - 1; i++) {
        /* A room that ended begins anew, and with it every number. */
        struct store_room *r;
        struct problem p = store_begin(&f->app, "tea", STORE_READ, &r);
        if (p.status == 0) check_recall(r, all);
        if (p.status == 0) assert_ok(store_commit(r));
        if (p.status == 404) {
            sent_count = 0;
            memset(all, 0, sizeof all);
        }
        step(f, all);
        if (i % 20 == 0) recount(f);
        arena_reset(f->a);
    }
    recount(f);
    print_message("%d members, %d delivered, %d gaps, %d resumed, %d expired, %d full, %d retried, "
                  "%d read again, %d held, %d recalled\n",
                  serials, seen.delivered, seen.gaps, seen.resumed, seen.expired, seen.full,
                  seen.retried, seen.reread, seen.held, seen.recalled);
    assert_true(steps < STEPS ||
                (serials > 20 && seen.delivered > 500 && seen.gaps > 5 && seen.resumed > 20 &&
                 seen.expired > 5 && seen.full > 5 && seen.retried > 50 && seen.reread > 50));
}

static void random_calls_agree_with_a_model_and_every_counter_with_a_recount(void **state)
{
    run(*state);
    assert_int_equal(seen.held + seen.recalled, 0);
}

static void so_they_do_in_a_room_that_is_held(void **state)
{
    struct fixture *f = *state;
    char path[APP_PATH_BYTES_MAX + 64];
    snprintf(path, sizeof path, "%s/bell", f->app.data_dir);
    f->app.bell = bell_open(path, f->app.boot_id);
    assert_non_null(f->app.bell);
    f->app.keeps_rooms = true;
    run(f);
    bell_close(f->app.bell);
    f->app.bell = NULL;
    assert_true(getenv("KLATCH_STEPS") != NULL ||
                (seen.held > STEPS / 2 && seen.recalled > STEPS / 2));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(random_calls_agree_with_a_model_and_every_counter_with_a_recount),
        CASE(so_they_do_in_a_room_that_is_held),
    };
    return cmocka_run_group_tests_name("room_random", tests, NULL, NULL);
}
