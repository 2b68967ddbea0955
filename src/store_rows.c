/* store_rows: a function for each statement of store_texts.c. */
#include <string.h>

#include "store_internal.h"

static bool one(struct store_room *r, enum store_statement st, const struct sql_value *values,
                size_t count)
{
    sql_start(r->sql, st, values, count);
    return sql_next(r->sql, st);
}

static void copy_text(struct store_room *r, enum store_statement st, int column, char *out,
                      size_t out_size)
{
    struct slice text = sql_column_slice(r->sql, st, column);
    size_t len = text.len < out_size ? text.len : out_size - 1;
    if (text.at != NULL) memcpy(out, text.at, len);
    out[text.at == NULL ? 0 : len] = '\0';
}

static struct slice copy_slice(struct store_room *r, struct arena *a, enum store_statement st,
                               int column)
{
    struct slice s = sql_column_slice(r->sql, st, column);
    if (s.at == NULL) return SLICE_NONE;
    char *copy = arena_copy(a, s.at, s.len);
    if (copy == NULL) {
        store_out_of_memory(r);
        return SLICE_NONE;
    }
    return (struct slice){ copy, s.len };
}

int64_t store_change_members(struct store_room *r, enum store_statement st,
                             const struct sql_value *values, size_t count)
{
    store_recall_no_members(r);
    return sql_run(r->sql, st, values, count);
}

/* ---- the room ---- */

const struct room_row *store_room(const struct store_room *r)
{
    return &r->row;
}

const char *store_name(const struct store_room *r)
{
    return r->name;
}

void store_room_read(struct store_room *r)
{
    memset(&r->row, 0, sizeof r->row);
    if (!one(r, ST_ROOM, NULL, 0)) return;
    r->row.epoch = (uint64_t)sql_column_int(r->sql, ST_ROOM, 0);
    r->row.head = sql_column_int(r->sql, ST_ROOM, 1);
    r->row.closed = (enum room_closed)sql_column_int(r->sql, ST_ROOM, 2);
    copy_text(r, ST_ROOM, 3, r->row.boot_id, sizeof r->row.boot_id);
    r->row.messages = sql_column_int(r->sql, ST_ROOM, 4);
    r->row.bytes = sql_column_int(r->sql, ST_ROOM, 5);
    r->row.told_messages = sql_column_int(r->sql, ST_ROOM, 6);
    r->row.told_bytes = sql_column_int(r->sql, ST_ROOM, 7);
    store_rules_take(&r->row, sql_column_int(r->sql, ST_ROOM, 8));
    sql_done(r->sql, ST_ROOM);
}

void store_room_set_boot(struct store_room *r, const char *boot_id, int64_t now_ms,
                         int64_t lease_ms, int64_t grace_ms)
{
    sql_run(r->sql, ST_ROOM_SET_BOOT, SQL_ARGS(sql_text(boot_id)));
    store_change_members(r, ST_MEMBERS_SET_BOOT,
                         SQL_ARGS(sql_int(now_ms), sql_int(lease_ms), sql_int(grace_ms)));
    sql_run(r->sql, ST_MESSAGES_SET_BOOT, SQL_ARGS(sql_int(now_ms)));
    store_recall_nothing(r);
    store_room_read(r);
}

/* ---- members ---- */

static bool member_one(struct store_room *r, enum store_statement st,
                       const struct sql_value *values, size_t count, struct member_row *out)
{
    bool found = one(r, st, values, count); /* values may lie in *out: a member read again */
    memset(out, 0, sizeof *out);
    if (!found) return false;
    copy_text(r, st, 0, out->peer, sizeof out->peer);
    out->state = (enum member_state)sql_column_int(r->sql, st, 1);
    out->until_ms = sql_column_int(r->sql, st, 2);
    out->joined = sql_column_int(r->sql, st, 3);
    out->acked = sql_column_int(r->sql, st, 4);
    out->floor = sql_column_int(r->sql, st, 5);
    out->held_messages = sql_column_int(r->sql, st, 6);
    out->held_bytes = sql_column_int(r->sql, st, 7);
    out->message_ids = sql_column_int(r->sql, st, 8);
    out->key_used = sql_column_int(r->sql, st, 9) != 0;
    out->hung_up = sql_column_int(r->sql, st, 10) != 0;
    out->host = sql_column_int(r->sql, st, 11) != 0;
    out->left_why = (enum member_left)sql_column_int(r->sql, st, 12);
    sql_done(r->sql, st);
    return true;
}

bool store_member_by_peer(struct store_room *r, struct slice peer, struct member_row *out)
{
    if (store_recall_by_peer(r, peer, out)) return true;
    bool found = member_one(r, ST_MEMBER_BY_PEER, SQL_ARGS(sql_slice(peer)), out);
    if (found) store_recall_member(r, out, NULL);
    return found;
}

bool store_member_by_key(struct store_room *r, const uint8_t *hash, struct member_row *out)
{
    if (store_recall_by_key(r, hash, out)) return true;
    bool found = member_one(r, ST_MEMBER_BY_KEY, SQL_ARGS(sql_blob(hash, IDENT_HASH_BYTES)), out);
    if (found) store_recall_member(r, out, hash);
    return found;
}

bool store_member_by_former(struct store_room *r, const uint8_t *hash, struct member_row *out)
{
    return member_one(r, ST_MEMBER_BY_FORMER, SQL_ARGS(sql_blob(hash, IDENT_HASH_BYTES)), out);
}

bool store_member_by_join_id(struct store_room *r, const uint8_t *hash, struct member_row *out)
{
    return member_one(r, ST_MEMBER_BY_JOIN_ID, SQL_ARGS(sql_blob(hash, IDENT_HASH_BYTES)), out);
}

bool store_member_due(struct store_room *r, enum member_state state, int64_t now_ms,
                      const char *spared, struct member_row *out)
{
    return member_one(r, ST_MEMBER_DUE, SQL_ARGS(sql_int(state), sql_int(now_ms), sql_text(spared)),
                      out);
}

void store_member_self(struct store_room *r, struct arena *a, const char *peer,
                       struct member_self *out)
{
    *out = (struct member_self){ 0 };
    if (!one(r, ST_MEMBER_SELF, SQL_ARGS(sql_text(peer)))) return;
    out->name = copy_slice(r, a, ST_MEMBER_SELF, 0);
    out->meta = copy_slice(r, a, ST_MEMBER_SELF, 1);
    out->sub = copy_slice(r, a, ST_MEMBER_SELF, 2);
    out->host = sql_column_int(r->sql, ST_MEMBER_SELF, 3) != 0;
    out->jti = copy_slice(r, a, ST_MEMBER_SELF, 4);
    out->address = copy_slice(r, a, ST_MEMBER_SELF, 5);
    sql_done(r->sql, ST_MEMBER_SELF);
}

void store_members_present(struct store_room *r, struct arena *a, const char *except,
                           struct member_view **out, size_t *count)
{
    size_t max = (size_t)store_members_count(r, MEMBER_PRESENT);
    struct member_view *views = arena_alloc(a, (max + 1) * sizeof *views);
    *out = views;
    *count = 0;
    if (views == NULL) {
        store_out_of_memory(r);
        return;
    }
    sql_start(r->sql, ST_MEMBERS_PRESENT, SQL_ARGS(sql_text(except)));
    while (*count < max && sql_next(r->sql, ST_MEMBERS_PRESENT)) {
        struct member_view *v = &views[(*count)++];
        v->peer = copy_slice(r, a, ST_MEMBERS_PRESENT, 0);
        v->name = copy_slice(r, a, ST_MEMBERS_PRESENT, 1);
        v->meta = copy_slice(r, a, ST_MEMBERS_PRESENT, 2);
        v->joined = sql_column_int(r->sql, ST_MEMBERS_PRESENT, 3);
    }
    sql_done(r->sql, ST_MEMBERS_PRESENT);
}

int64_t store_members_count(struct store_room *r, enum member_state state)
{
    return store_members_count_until(r, state, INT64_MIN);
}

int64_t store_members_count_until(struct store_room *r, enum member_state state, int64_t after_ms)
{
    if (!one(r, ST_MEMBERS_COUNT, SQL_ARGS(sql_int(state), sql_int(after_ms)))) return 0;
    int64_t count = sql_column_int(r->sql, ST_MEMBERS_COUNT, 0);
    sql_done(r->sql, ST_MEMBERS_COUNT);
    return count;
}

int64_t store_members_next_lease(struct store_room *r)
{
    enum store_statement st =
        r->row.rules.watched ? ST_MEMBERS_NEXT_WATCHED : ST_MEMBERS_NEXT_LEASE;
    int64_t until_ms;
    if (store_recall_next_lease(r, &until_ms)) return until_ms;
    until_ms = one(r, st, NULL, 0) ? sql_column_int(r->sql, st, 0) : INT64_MAX;
    sql_done(r->sql, st);
    store_recall_set_next_lease(r, until_ms);
    return until_ms;
}

int64_t store_members_next_end(struct store_room *r)
{
    int64_t until_ms;
    if (store_recall_next_end(r, &until_ms)) return until_ms;
    if (!one(r, ST_MEMBERS_NEXT_END, NULL, 0)) return INT64_MAX;
    until_ms = sql_column_int(r->sql, ST_MEMBERS_NEXT_END, 0);
    sql_done(r->sql, ST_MEMBERS_NEXT_END);
    store_recall_set_next_end(r, until_ms);
    return until_ms;
}

bool store_member_next(struct store_room *r, enum member_state from, enum member_state to,
                       bool host, int64_t joined, struct member_row *out)
{
    return member_one(r, ST_MEMBER_NEXT,
                      SQL_ARGS(sql_int(from), sql_int(to), sql_int(host), sql_int(joined)), out);
}

bool store_members_others(struct store_room *r, const char *except)
{
    bool found = one(r, ST_MEMBERS_OTHERS, SQL_ARGS(sql_text(except)));
    sql_done(r->sql, ST_MEMBERS_OTHERS);
    return found;
}

bool store_members_any(struct store_room *r)
{
    bool found = one(r, ST_MEMBERS_ANY, NULL, 0);
    sql_done(r->sql, ST_MEMBERS_ANY);
    return found;
}

bool store_members_least_acked(struct store_room *r, char peer[IDENT_PEER_BYTES + 1],
                               int64_t *least, int64_t *second)
{
    if (!one(r, ST_MEMBERS_LEAST_ACKED, NULL, 0)) return false;
    copy_text(r, ST_MEMBERS_LEAST_ACKED, 0, peer, IDENT_PEER_BYTES + 1);
    *least = sql_column_int(r->sql, ST_MEMBERS_LEAST_ACKED, 1);
    *second = INT64_MAX;
    if (sql_next(r->sql, ST_MEMBERS_LEAST_ACKED))
        *second = sql_column_int(r->sql, ST_MEMBERS_LEAST_ACKED, 1);
    sql_done(r->sql, ST_MEMBERS_LEAST_ACKED);
    return !store_failed(r);
}

bool store_member_above_floor(struct store_room *r, char peer[IDENT_PEER_BYTES + 1], int64_t *acked)
{
    if (!one(r, ST_MEMBER_ABOVE_FLOOR, NULL, 0)) return false;
    copy_text(r, ST_MEMBER_ABOVE_FLOOR, 0, peer, IDENT_PEER_BYTES + 1);
    *acked = sql_column_int(r->sql, ST_MEMBER_ABOVE_FLOOR, 1);
    sql_done(r->sql, ST_MEMBER_ABOVE_FLOOR);
    return true;
}

void store_member_insert(struct store_room *r, const struct member_new *m)
{
    store_change_members(r, ST_MEMBER_INSERT,
                         SQL_ARGS(sql_text(m->peer), sql_blob(m->join_id, IDENT_HASH_BYTES),
                                  sql_blob(m->key_hash, IDENT_HASH_BYTES), sql_slice(m->name),
                                  sql_blob(m->meta.at, m->meta.len), sql_int(m->joined),
                                  sql_int(m->until_ms), sql_slice(m->sub), sql_int(m->host),
                                  sql_int(m->waiting ? MEMBER_WAITING : MEMBER_PRESENT),
                                  sql_slice(m->jti), sql_blob(m->address.at, m->address.len)));
}

void store_member_delete(struct store_room *r, const char *peer)
{
    store_messages_delete_to(r, peer, INT64_MAX);
    sql_run(r->sql, ST_MESSAGE_IDS_DELETE, SQL_ARGS(sql_text(peer)));
    store_change_members(r, ST_MEMBER_DELETE, SQL_ARGS(sql_text(peer)));
}

void store_member_set_state(struct store_room *r, const char *peer, enum member_state state,
                            int64_t until_ms)
{
    store_change_members(r, ST_MEMBER_SET_STATE,
                         SQL_ARGS(sql_text(peer), sql_int(state), sql_int(until_ms)));
}

bool store_member_lengthen(struct store_room *r, const char *peer, int64_t from_ms,
                           int64_t until_ms)
{
    return store_change_members(r, ST_MEMBER_LENGTHEN,
                                SQL_ARGS(sql_text(peer), sql_int(from_ms), sql_int(until_ms))) > 0;
}

void store_member_hang_up(struct store_room *r, const char *peer, int64_t until_ms)
{
    store_change_members(r, ST_MEMBER_HANG_UP, SQL_ARGS(sql_text(peer), sql_int(until_ms)));
}

void store_member_set_key(struct store_room *r, const char *peer, const uint8_t *key_hash,
                          bool current, const uint8_t *join_id)
{
    store_change_members(r, ST_MEMBER_SET_KEY,
                         SQL_ARGS(sql_text(peer), sql_blob(key_hash, IDENT_HASH_BYTES),
                                  sql_int(current), sql_blob(join_id, IDENT_HASH_BYTES)));
}

void store_member_set_key_used(struct store_room *r, const char *peer)
{
    store_change_members(r, ST_MEMBER_SET_KEY_USED, SQL_ARGS(sql_text(peer)));
}

void store_member_forget_join_id(struct store_room *r, const char *peer)
{
    store_change_members(r, ST_MEMBER_FORGET_JOIN_ID, SQL_ARGS(sql_text(peer)));
}

void store_member_set_self(struct store_room *r, const char *peer, struct slice name,
                           struct slice meta)
{
    store_change_members(r, ST_MEMBER_SET_SELF,
                         SQL_ARGS(sql_text(peer), sql_slice(name), sql_blob(meta.at, meta.len)));
}

void store_member_set_acked(struct store_room *r, const char *peer, int64_t acked)
{
    store_recall_acked(r, peer, acked);
    sql_run(r->sql, ST_MEMBER_SET_ACKED, SQL_ARGS(sql_text(peer), sql_int(acked)));
}

void store_member_raise_floor(struct store_room *r, const char *peer, int64_t floor)
{
    store_change_members(r, ST_MEMBER_RAISE_FLOOR, SQL_ARGS(sql_text(peer), sql_int(floor)));
}

void store_members_raise_floor(struct store_room *r, const char *except, int64_t floor)
{
    store_change_members(r, ST_MEMBERS_RAISE_FLOOR, SQL_ARGS(sql_text(except), sql_int(floor)));
}

/* ---- messages ---- */

void store_message_insert(struct store_room *r, const struct message_new *m, struct tally *t)
{
    t->head = m->seq;
    t->messages++;
    t->bytes += (int64_t)(m->data.len + m->type.len) + STORE_MESSAGE_BYTES;
    sql_run(r->sql, ST_MESSAGE_INSERT,
            SQL_ARGS(sql_int(m->seq), sql_text(m->sender), sql_int(m->server), sql_slice(m->to),
                     sql_slice(m->type), sql_blob(m->data.at, m->data.len), sql_int(m->sent_ms),
                     sql_int(m->stored_ms)));
}

enum { LIST_FIRST = 8 };

/* Room for one more: the list doubles when it is full, since most answers hold one message. */
static bool list_grows(struct arena *a, struct message_out **list, size_t count)
{
    bool full = count == 0 || (count >= LIST_FIRST && (count & (count - 1)) == 0);
    if (!full) return true;
    size_t room = count == 0 ? LIST_FIRST : 2 * count;
    struct message_out *longer = arena_alloc(a, room * sizeof *longer);
    if (longer != NULL && count > 0) memcpy(longer, *list, count * sizeof *longer);
    if (longer != NULL) *list = longer;
    return longer != NULL;
}

void store_messages_after(struct store_room *r, struct arena *a, const char *peer, int64_t after,
                          size_t max, size_t bytes_max, struct message_out **out, size_t *count,
                          bool *more)
{
    size_t bytes = 0;
    *out = NULL;
    *count = 0;
    *more = false;
    sql_start(r->sql, ST_MESSAGES_AFTER,
              SQL_ARGS(sql_text(peer), sql_int(after), sql_int((int64_t)max + 1)));
    while (sql_next(r->sql, ST_MESSAGES_AFTER)) {
        bytes += sql_column_slice(r->sql, ST_MESSAGES_AFTER, 4).len +
                 sql_column_slice(r->sql, ST_MESSAGES_AFTER, 5).len + ROOM_FRAME_BYTES;
        if (*count == max || (*count > 0 && bytes > bytes_max)) {
            *more = true;
            break;
        }
        if (!list_grows(a, out, *count)) {
            store_out_of_memory(r);
            break;
        }
        struct message_out *m = &(*out)[(*count)++];
        m->seq = sql_column_int(r->sql, ST_MESSAGES_AFTER, 0);
        bool server = sql_column_int(r->sql, ST_MESSAGES_AFTER, 2) != 0;
        m->from = server ? SLICE_NONE : copy_slice(r, a, ST_MESSAGES_AFTER, 1);
        m->to = copy_slice(r, a, ST_MESSAGES_AFTER, 3);
        m->type = copy_slice(r, a, ST_MESSAGES_AFTER, 4);
        m->data = copy_slice(r, a, ST_MESSAGES_AFTER, 5);
        m->sent_ms = sql_column_int(r->sql, ST_MESSAGES_AFTER, 6);
    }
    sql_done(r->sql, ST_MESSAGES_AFTER);
}

bool store_message_oldest(struct store_room *r, bool told, struct message_oldest *out)
{
    enum store_statement st = told ? ST_MESSAGE_OLDEST_TOLD : ST_MESSAGE_OLDEST;
    if (!told && store_recall_oldest(r, out)) return true;
    memset(out, 0, sizeof *out);
    if (!one(r, st, NULL, 0)) return false;
    out->seq = sql_column_int(r->sql, st, 0);
    out->stored_ms = sql_column_int(r->sql, st, 1);
    copy_text(r, st, 2, out->sender, sizeof out->sender);
    copy_text(r, st, 3, out->addressee, sizeof out->addressee);
    sql_done(r->sql, st);
    if (!told) store_recall_set_oldest(r, out);
    return true;
}

/* Take a row of messages that go, of one sender or told by the server, out of what is held. */
static void untally(struct store_room *r, bool told, const char *sender, struct tally *t)
{
    if (t->messages == 0) return;
    struct tally gone = { r->row.head, -t->messages, -t->bytes, 0 };
    *t = (struct tally){ 0 };
    store_tally(r, told ? NULL : sender, &gone);
}

/* Delete messages by statement `st`; the one before it selects the same. Returns how many. */
static int64_t delete_messages(struct store_room *r, enum store_statement st,
                               const struct sql_value *values, size_t count)
{
    enum store_statement held = st - 1;
    char sender[IDENT_PEER_BYTES + 1] = "";
    bool told = false;
    int64_t deleted = 0;
    struct tally t = { 0 };
    for (sql_start(r->sql, held, values, count); sql_next(r->sql, held); deleted++) {
        bool now_told = sql_column_int(r->sql, held, 0) != 0;
        if (now_told != told || !slice_is(sql_column_slice(r->sql, held, 1), sender))
            untally(r, told, sender, &t);
        told = now_told;
        copy_text(r, held, 1, sender, sizeof sender);
        t.messages++;
        t.bytes += sql_column_int(r->sql, held, 2) + STORE_MESSAGE_BYTES;
    }
    sql_done(r->sql, held);
    untally(r, told, sender, &t);
    if (deleted > 0) store_recall_no_oldest(r);
    if (deleted > 0) sql_run(r->sql, st, values, count);
    return deleted;
}

void store_message_delete(struct store_room *r, int64_t seq)
{
    delete_messages(r, ST_MESSAGE_DELETE, SQL_ARGS(sql_int(seq)));
}

int64_t store_messages_delete_to(struct store_room *r, const char *addressee, int64_t upto)
{
    return delete_messages(r, ST_MESSAGES_DELETE_TO, SQL_ARGS(sql_text(addressee), sql_int(upto)));
}

int64_t store_messages_delete_all(struct store_room *r, int64_t upto)
{
    return delete_messages(r, ST_MESSAGES_DELETE_ALL, SQL_ARGS(sql_int(upto)));
}

int64_t store_messages_delete_by(struct store_room *r, const char *sender, int64_t upto)
{
    return delete_messages(r, ST_MESSAGES_DELETE_BY, SQL_ARGS(sql_text(sender), sql_int(upto)));
}

int64_t store_message_id(struct store_room *r, const char *sender, struct slice id)
{
    if (!one(r, ST_MESSAGE_ID, SQL_ARGS(sql_text(sender), sql_blob(id.at, id.len)))) return 0;
    int64_t seq = sql_column_int(r->sql, ST_MESSAGE_ID, 0);
    sql_done(r->sql, ST_MESSAGE_ID);
    return seq;
}

void store_message_id_insert(struct store_room *r, const char *sender, struct slice id, int64_t seq,
                             struct tally *t)
{
    t->head = seq;
    t->ids++;
    sql_run(r->sql, ST_MESSAGE_ID_INSERT,
            SQL_ARGS(sql_text(sender), sql_blob(id.at, id.len), sql_int(seq)));
}

static void tally_member(struct store_room *r, const char *peer, const struct tally *t)
{
    store_recall_tally(r, peer, t);
    sql_run(r->sql, ST_MEMBER_TALLY,
            SQL_ARGS(sql_text(peer), sql_int(t->messages), sql_int(t->bytes), sql_int(t->ids)));
}

void store_message_ids_delete_older(struct store_room *r, const char *sender, int64_t kept)
{
    int64_t gone =
        sql_run(r->sql, ST_MESSAGE_IDS_DELETE_OLDER, SQL_ARGS(sql_text(sender), sql_int(kept)));
    tally_member(r, sender, &(struct tally){ .ids = -gone });
}

void store_tally(struct store_room *r, const char *sender, const struct tally *t)
{
    const struct sql_value sums[] = { sql_int(t->head), sql_int(t->messages), sql_int(t->bytes) };
    r->row.head = t->head;
    *(sender == NULL ? &r->row.told_messages : &r->row.messages) += t->messages;
    *(sender == NULL ? &r->row.told_bytes : &r->row.bytes) += t->bytes;
    sql_run(r->sql, sender == NULL ? ST_ROOM_TALLY_TOLD : ST_ROOM_TALLY, sums, 3);
    if (sender != NULL) tally_member(r, sender, t);
}
