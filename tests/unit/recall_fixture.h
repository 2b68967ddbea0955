/* recall_fixture: a room that this process holds, of whatever rows, and what is recalled of it
 * beside what is read. */
#ifndef RECALL_FIXTURE_H
#define RECALL_FIXTURE_H

#include "bell.h"
#include "store_fixture.h"
#include "store_internal.h"

enum { MEMBERS = 4, LEASE_MS = 1000 };

struct recall_test {
    struct fixture f;
    char peer[MEMBERS][IDENT_PEER_BYTES + 1];
    uint8_t key[MEMBERS][IDENT_HASH_BYTES];
    int64_t seq;
};

/* ---- a room of whatever rows ---- */

static inline void peer_of(int i, char out[IDENT_PEER_BYTES + 1])
{
    snprintf(out, IDENT_PEER_BYTES + 1, "peer-%017d", i % 1000);
}

static inline void key_of(int i, uint8_t out[IDENT_HASH_BYTES])
{
    memset(out, 0, IDENT_HASH_BYTES);
    snprintf((char *)out, IDENT_HASH_BYTES, "key-%d", i);
}

static inline void insert(struct store_room *r, int i)
{
    char peer[IDENT_PEER_BYTES + 1];
    uint8_t key[IDENT_HASH_BYTES];
    peer_of(i, peer);
    key_of(i, key);
    store_member_insert(r, &(struct member_new){ .peer = peer,
                                                 .join_id = key,
                                                 .key_hash = key,
                                                 .name = slice_of("name"),
                                                 .meta = slice_of("{}"),
                                                 .joined = i,
                                                 .until_ms = (i + 1) * LEASE_MS });
}

static inline void add_message(struct store_room *r, struct recall_test *t, int from, int to)
{
    struct tally sum = { 0 };
    char id[32];
    t->seq++;
    snprintf(id, sizeof id, "%lld", (long long)t->seq);
    store_message_insert(r,
                         &(struct message_new){ .seq = t->seq,
                                                .sender = t->peer[from],
                                                .to = to < 0 ? SLICE_NONE : slice_of(t->peer[to]),
                                                .type = slice_of("note"),
                                                .data = slice_of("1234"),
                                                .stored_ms = t->seq },
                         &sum);
    store_message_id_insert(r, t->peer[from], slice_of(id), t->seq, &sum);
    store_tally(r, t->peer[from], &sum);
}

static inline void tell(struct store_room *r, struct recall_test *t)
{
    struct tally sum = { 0 };
    store_message_insert(r,
                         &(struct message_new){ .seq = ++t->seq,
                                                .sender = t->peer[0],
                                                .server = true,
                                                .type = slice_of("peer-joined"),
                                                .data = slice_of("{}"),
                                                .stored_ms = t->seq },
                         &sum);
    store_tally(r, NULL, &sum);
}

static inline struct store_room *begin(struct recall_test *t)
{
    struct store_room *r;
    assert_ok(store_begin(&t->f.app, "tea", STORE_WRITE, &r));
    return r;
}

static inline void hold_room(struct recall_test *t)
{
    for (int uses = 0;; uses++) {
        struct store_room *r = begin(t);
        bool held = store_tenure(r) != 0;
        assert_ok(store_commit(r));
        if (held) return;
        assert_true(uses < 100);
    }
}

static inline int set_up(void **state)
{
    struct recall_test *t = calloc(1, sizeof *t);
    struct store_room *r;
    char folder[APP_PATH_BYTES_MAX], path[APP_PATH_BYTES_MAX + 512];
    if (t == NULL) return 1;
    log_open(getenv("SHOW") ? 2 : open("/dev/null", 1), LOG_LEVEL_ERROR);
    fixture_folder(folder);
    fixture_open(&t->f, folder);
    path_of(&t->f, "bell", path);
    t->f.app.bell = bell_open(path, t->f.app.boot_id);
    t->f.app.keeps_rooms = true;
    assert_ok(store_begin(&t->f.app, "tea", STORE_MAKE, &r));
    for (int i = 0; i < MEMBERS; i++) {
        peer_of(i, t->peer[i]);
        key_of(i, t->key[i]);
        insert(r, i);
    }
    store_member_set_state(r, t->peer[MEMBERS - 1], MEMBER_WAITING, LEASE_MS / 2);
    for (int i = 0; i < 3 * MEMBERS; i++)
        add_message(r, t, i % MEMBERS, i % 3 == 0 ? -1 : (i + 1) % MEMBERS);
    tell(r, t);
    assert_ok(store_commit(r));
    hold_room(t);
    *state = t;
    return 0;
}

static inline int tear_down(void **state)
{
    struct recall_test *t = *state;
    bell_close(t->f.app.bell);
    fixture_close(&t->f);
    fixture_remove(t->f.app.data_dir);
    free(t);
    return 0;
}

/* ---- what is recalled, beside what is read ---- */

struct known {
    bool by_peer[MEMBERS], by_key[MEMBERS], oldest_there, told_there;
    struct member_row peer[MEMBERS], key[MEMBERS];
    int64_t next_end, next_lease;
    struct message_oldest oldest, told;
};

static inline void ask_all(struct store_room *r, const struct recall_test *t, struct known *k)
{
    memset(k, 0, sizeof *k);
    for (int i = 0; i < MEMBERS; i++) {
        k->by_peer[i] = store_member_by_peer(r, slice_of(t->peer[i]), &k->peer[i]);
        k->by_key[i] = store_member_by_key(r, t->key[i], &k->key[i]);
    }
    k->next_end = store_members_next_end(r);
    k->next_lease = store_members_next_lease(r);
    k->oldest_there = store_message_oldest(r, false, &k->oldest);
    k->told_there = store_message_oldest(r, true, &k->told);
}

static inline bool same_row(const struct member_row *a, const struct member_row *b)
{
    return strcmp(a->peer, b->peer) == 0 && a->state == b->state && a->until_ms == b->until_ms &&
           a->joined == b->joined && a->acked == b->acked && a->floor == b->floor &&
           a->held_messages == b->held_messages && a->held_bytes == b->held_bytes &&
           a->message_ids == b->message_ids && a->key_used == b->key_used &&
           a->hung_up == b->hung_up && a->host == b->host && a->left_why == b->left_why;
}

static inline bool same_message(const struct message_oldest *a, const struct message_oldest *b)
{
    return a->seq == b->seq && a->stored_ms == b->stored_ms && strcmp(a->sender, b->sender) == 0 &&
           strcmp(a->addressee, b->addressee) == 0;
}

static inline bool same(const struct known *a, const struct known *b)
{
    for (int i = 0; i < MEMBERS; i++) {
        if (a->by_peer[i] != b->by_peer[i] || a->by_key[i] != b->by_key[i]) return false;
        if (a->by_peer[i] && !same_row(&a->peer[i], &b->peer[i])) return false;
        if (a->by_key[i] && !same_row(&a->key[i], &b->key[i])) return false;
    }
    return a->next_end == b->next_end && a->next_lease == b->next_lease &&
           a->oldest_there == b->oldest_there && a->told_there == b->told_there &&
           same_message(&a->oldest, &b->oldest) && same_message(&a->told, &b->told);
}

/* Does what is recalled now agree with the file? */
static inline bool agrees(struct store_room *r, const struct recall_test *t)
{
    struct known recalled, read;
    ask_all(r, t, &recalled);
    store_recall_nothing(r);
    ask_all(r, t, &read);
    return same(&recalled, &read);
}

static inline void all_is_recalled(const struct store_room *r)
{
    assert_non_null(r->recall);
    assert_int_equal(r->recall->count, MEMBERS);
    for (int i = 0; i < MEMBERS; i++) assert_true(r->recall->members[i].keyed);
    assert_true(r->recall->next_end_known && r->recall->next_lease_known);
    assert_true(r->recall->oldest.seq > 0);
}

#endif
