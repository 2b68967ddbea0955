/* store_recall: rows of a held room that need not be read again, since whoever writes them does it
 * here. What is written is recalled with its transaction, so all is forgotten where that is rolled
 * back, and with the tenure. */
#include <string.h>

#include "store_internal.h"

static bool may_recall(const struct store_room *r)
{
    return r->held && r->recall != NULL && sql_result(r->sql) == SQL_OK;
}

void store_recall_nothing(struct store_room *r)
{
    if (r->recall != NULL) memset(r->recall, 0, sizeof *r->recall);
}

void store_recall_no_members(struct store_room *r)
{
    struct recall *k = r->recall;
    if (k == NULL) return;
    k->count = k->next = 0;
    k->next_end_known = k->next_lease_known = false;
}

/* ---- members ---- */

static struct recalled_member *find(struct recall *k, struct slice peer)
{
    for (size_t i = 0; k != NULL && i < k->count; i++)
        if (slice_is(peer, k->members[i].row.peer)) return &k->members[i];
    return NULL;
}

bool store_recall_by_peer(const struct store_room *r, struct slice peer, struct member_row *out)
{
    const struct recalled_member *m = may_recall(r) ? find(r->recall, peer) : NULL;
    if (m != NULL) *out = m->row;
    return m != NULL;
}

bool store_recall_by_key(const struct store_room *r, const uint8_t *hash, struct member_row *out)
{
    const struct recall *k = r->recall;
    if (!may_recall(r)) return false;
    for (size_t i = 0; i < k->count; i++) {
        const struct recalled_member *m = &k->members[i];
        if (!m->keyed || memcmp(m->key_hash, hash, sizeof m->key_hash) != 0) continue;
        *out = m->row;
        return true;
    }
    return false;
}

void store_recall_member(struct store_room *r, const struct member_row *row, const uint8_t *hash)
{
    struct recall *k = r->recall;
    if (!may_recall(r)) return;
    struct recalled_member *m = find(k, slice_of(row->peer));
    if (m == NULL) {
        m = &k->members[k->next];
        k->next = (k->next + 1) % RECALL_MEMBERS;
        if (k->count < RECALL_MEMBERS) k->count++;
        m->keyed = false;
    }
    m->row = *row;
    if (hash == NULL) return;
    memcpy(m->key_hash, hash, sizeof m->key_hash);
    m->keyed = true;
}

void store_recall_tally(struct store_room *r, const char *peer, const struct tally *t)
{
    struct recalled_member *m = find(r->recall, slice_of(peer));
    if (m == NULL) return;
    m->row.held_messages += t->messages;
    m->row.held_bytes += t->bytes;
    m->row.message_ids += t->ids;
}

void store_recall_acked(struct store_room *r, const char *peer, int64_t acked)
{
    struct recalled_member *m = find(r->recall, slice_of(peer));
    if (m != NULL) m->row.acked = acked;
}

/* ---- times ---- */

bool store_recall_next_end(const struct store_room *r, int64_t *out)
{
    if (!may_recall(r) || !r->recall->next_end_known) return false;
    *out = r->recall->next_end_ms;
    return true;
}

void store_recall_set_next_end(struct store_room *r, int64_t next_end_ms)
{
    if (!may_recall(r)) return;
    r->recall->next_end_known = true;
    r->recall->next_end_ms = next_end_ms;
}

bool store_recall_next_lease(const struct store_room *r, int64_t *out)
{
    const struct recall *k = r->recall;
    if (!may_recall(r) || !k->next_lease_known || k->watched != r->row.rules.watched) return false;
    *out = k->next_lease_ms;
    return true;
}

void store_recall_set_next_lease(struct store_room *r, int64_t next_lease_ms)
{
    if (!may_recall(r)) return;
    r->recall->next_lease_known = true;
    r->recall->watched = r->row.rules.watched;
    r->recall->next_lease_ms = next_lease_ms;
}

/* ---- messages ---- */

bool store_recall_oldest(const struct store_room *r, struct message_oldest *out)
{
    if (!may_recall(r) || r->recall->oldest.seq == 0) return false;
    *out = r->recall->oldest;
    return true;
}

void store_recall_set_oldest(struct store_room *r, const struct message_oldest *oldest)
{
    if (may_recall(r)) r->recall->oldest = *oldest;
}

void store_recall_no_oldest(struct store_room *r)
{
    if (r->recall != NULL) r->recall->oldest.seq = 0;
}
