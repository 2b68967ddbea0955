/* store_rows: every statement, and the function that runs it. */
#include <string.h>

#include "store_internal.h"

#define MEMBER_COLUMNS                                                                               \
    "peer, state, until_ms, joined, acked, floor, held_messages, held_bytes, message_ids, key_used," \
    " hung_up"

const char *const store_texts[ST_COUNT] = {
    [ST_BEGIN] = "BEGIN",
    [ST_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
    [ST_BEGIN_EXCLUSIVE] = "BEGIN EXCLUSIVE",
    [ST_COMMIT] = "COMMIT",
    [ST_VERSION] = "PRAGMA user_version",
    [ST_TABLES] = "SELECT count(*) FROM sqlite_schema",

    [ST_MEMBER_ADD_SUB] = "ALTER TABLE member ADD COLUMN sub TEXT",
    [ST_MEMBER_ADD_ROLE] = "ALTER TABLE member ADD COLUMN role INTEGER NOT NULL DEFAULT 0",

    [ST_ROOM_INSERT] = "INSERT INTO room (only_row, epoch, head, closed, boot_id, messages, bytes,"
                       " told_messages, told_bytes) VALUES (1, ?1, 0, 0, ?2, 0, 0, 0, 0)",
    [ST_ROOM_CLOSE] = "UPDATE room SET closed = 1",
    [ST_ROOM] = "SELECT epoch, head, closed, boot_id, messages, bytes, told_messages, told_bytes"
                " FROM room",
    [ST_ROOM_TALLY] = "UPDATE room SET head = ?1, messages = messages + ?2, bytes = bytes + ?3",
    [ST_ROOM_TALLY_TOLD] = "UPDATE room SET head = ?1, told_messages = told_messages + ?2,"
                           " told_bytes = told_bytes + ?3",
    [ST_ROOM_SET_BOOT] = "UPDATE room SET boot_id = ?1",
    [ST_MEMBERS_SET_BOOT] =
        "UPDATE member SET until_ms = ?1 + CASE state WHEN 0 THEN ?2 ELSE ?3 END",
    [ST_MESSAGES_SET_BOOT] = "UPDATE message SET stored_ms = ?1",

    [ST_MEMBER_BY_PEER] = "SELECT " MEMBER_COLUMNS " FROM member WHERE peer = ?1",
    [ST_MEMBER_BY_KEY] = "SELECT " MEMBER_COLUMNS " FROM member WHERE key_hash = ?1",
    [ST_MEMBER_BY_FORMER] = "SELECT " MEMBER_COLUMNS " FROM member WHERE former_hash = ?1",
    [ST_MEMBER_BY_JOIN_ID] = "SELECT " MEMBER_COLUMNS " FROM member WHERE join_id = ?1",
    [ST_MEMBER_DUE] = "SELECT " MEMBER_COLUMNS " FROM member"
                      " WHERE state = ?1 AND until_ms <= ?2 AND peer <> ?3"
                      " ORDER BY until_ms LIMIT 1",
    [ST_MEMBER_SELF] = "SELECT name, meta, sub, role FROM member WHERE peer = ?1",
    [ST_MEMBERS_PRESENT] = "SELECT peer, name, meta, joined FROM member"
                           " WHERE state = 0 AND peer <> ?1 ORDER BY joined",
    [ST_MEMBERS_COUNT] = "SELECT count(*) FROM member WHERE state = ?1 AND until_ms > ?2",
    [ST_MEMBERS_NEXT_LEASE] =
        "SELECT until_ms FROM member WHERE state = 0 ORDER BY until_ms LIMIT 1",
    [ST_MEMBERS_OTHERS] = "SELECT 1 FROM member WHERE state <= 1 AND peer <> ?1 LIMIT 1",
    [ST_MEMBERS_LEAST_ACKED] =
        "SELECT peer, acked FROM member WHERE state <= 1 ORDER BY acked LIMIT 2",
    [ST_MEMBERS_ANY] = "SELECT 1 FROM member LIMIT 1",

    [ST_MEMBER_INSERT] =
        "INSERT INTO member (peer, join_id, key_hash, key_used, name, meta, joined, state,"
        " until_ms, acked, floor, held_messages, held_bytes, message_ids, sub, role)"
        " VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, 0, ?7, ?6, ?6, 0, 0, 0, ?8, ?9)",
    [ST_MEMBER_DELETE] = "DELETE FROM member WHERE peer = ?1",
    [ST_MEMBER_SET_STATE] = "UPDATE member SET state = ?2, until_ms = ?3, hung_up = 0"
                            " WHERE peer = ?1",
    [ST_MEMBER_HANG_UP] = "UPDATE member SET until_ms = ?2, hung_up = 1 WHERE peer = ?1",
    [ST_MEMBER_SET_KEY] =
        "UPDATE member SET former_hash ="
        " CASE WHEN ?3 OR key_used OR former_hash IS NULL THEN key_hash ELSE former_hash END,"
        " key_hash = ?2, key_used = 0, join_id = coalesce(?4, join_id) WHERE peer = ?1",
    [ST_MEMBER_SET_KEY_USED] = "UPDATE member SET key_used = 1 WHERE peer = ?1",
    [ST_MEMBER_FORGET_JOIN_ID] = "UPDATE member SET join_id = NULL WHERE peer = ?1",
    [ST_MEMBER_SET_SELF] = "UPDATE member SET name = ?2, meta = ?3 WHERE peer = ?1",
    [ST_MEMBER_SET_ACKED] = "UPDATE member SET acked = ?2 WHERE peer = ?1",
    [ST_MEMBER_TALLY] = "UPDATE member SET held_messages = held_messages + ?2,"
                        " held_bytes = held_bytes + ?3, message_ids = message_ids + ?4"
                        " WHERE peer = ?1",
    [ST_MEMBER_RAISE_FLOOR] = "UPDATE member SET floor = ?2 WHERE peer = ?1 AND floor < ?2",
    [ST_MEMBERS_RAISE_FLOOR] = "UPDATE member SET floor = ?2 WHERE peer <> ?1 AND floor < ?2",

    [ST_MESSAGE_INSERT] = "INSERT INTO message (seq, sender, server, addressee, type, data,"
                          " sent_ms, stored_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [ST_MESSAGES_AFTER] = "SELECT seq, sender, server, addressee, type, data, sent_ms FROM message"
                          " WHERE addressee = ?1 AND seq > ?2"
                          " UNION ALL"
                          " SELECT seq, sender, server, addressee, type, data, sent_ms FROM message"
                          " WHERE addressee IS NULL AND seq > ?2 AND sender <> ?1"
                          " ORDER BY seq LIMIT ?3",
    [ST_MESSAGE_OLDEST] =
        "SELECT seq, stored_ms, sender, addressee FROM message ORDER BY seq LIMIT 1",
    [ST_MESSAGE_OLDEST_TOLD] = "SELECT seq, stored_ms, sender, addressee FROM message"
                               " WHERE server = 1 ORDER BY seq LIMIT 1",
    [ST_MESSAGE_DELETE] = "DELETE FROM message WHERE seq = ?1",
    [ST_MESSAGES_DELETE_TO] = "DELETE FROM message WHERE addressee = ?1 AND seq <= ?2",
    [ST_MESSAGES_DELETE_ALL] = "DELETE FROM message WHERE addressee IS NULL AND seq <= ?1",
    [ST_MESSAGES_DELETE_BY] =
        "DELETE FROM message WHERE sender = ?1 AND addressee IS NULL AND seq <= ?2",

    [ST_MESSAGE_ID] = "SELECT seq FROM message_id WHERE sender = ?1 AND id = ?2",
    [ST_MESSAGE_ID_INSERT] = "INSERT INTO message_id (sender, id, seq) VALUES (?1, ?2, ?3)",
    [ST_MESSAGE_IDS_DELETE_OLDER] =
        "DELETE FROM message_id WHERE sender = ?1 AND seq <="
        " (SELECT seq FROM message_id WHERE sender = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
};

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
    r->row.closed = sql_column_int(r->sql, ST_ROOM, 2) != 0;
    copy_text(r, ST_ROOM, 3, r->row.boot_id, sizeof r->row.boot_id);
    r->row.messages = sql_column_int(r->sql, ST_ROOM, 4);
    r->row.bytes = sql_column_int(r->sql, ST_ROOM, 5);
    r->row.told_messages = sql_column_int(r->sql, ST_ROOM, 6);
    r->row.told_bytes = sql_column_int(r->sql, ST_ROOM, 7);
    sql_done(r->sql, ST_ROOM);
}

void store_room_set_boot(struct store_room *r, const char *boot_id, int64_t now_ms,
                         int64_t lease_ms, int64_t grace_ms)
{
    sql_run(r->sql, ST_ROOM_SET_BOOT, SQL_ARGS(sql_text(boot_id)));
    sql_run(r->sql, ST_MEMBERS_SET_BOOT,
            SQL_ARGS(sql_int(now_ms), sql_int(lease_ms), sql_int(grace_ms)));
    sql_run(r->sql, ST_MESSAGES_SET_BOOT, SQL_ARGS(sql_int(now_ms)));
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
    sql_done(r->sql, st);
    return true;
}

bool store_member_by_peer(struct store_room *r, struct slice peer, struct member_row *out)
{
    return member_one(r, ST_MEMBER_BY_PEER, SQL_ARGS(sql_slice(peer)), out);
}

bool store_member_by_key(struct store_room *r, const uint8_t *hash, struct member_row *out)
{
    return member_one(r, ST_MEMBER_BY_KEY, SQL_ARGS(sql_blob(hash, IDENT_HASH_BYTES)), out);
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
    if (!one(r, ST_MEMBERS_NEXT_LEASE, NULL, 0)) return INT64_MAX;
    int64_t until_ms = sql_column_int(r->sql, ST_MEMBERS_NEXT_LEASE, 0);
    sql_done(r->sql, ST_MEMBERS_NEXT_LEASE);
    return until_ms;
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

void store_member_insert(struct store_room *r, const struct member_new *m)
{
    sql_run(r->sql, ST_MEMBER_INSERT,
            SQL_ARGS(sql_text(m->peer), sql_blob(m->join_id, IDENT_HASH_BYTES),
                     sql_blob(m->key_hash, IDENT_HASH_BYTES), sql_slice(m->name),
                     sql_blob(m->meta.at, m->meta.len), sql_int(m->joined), sql_int(m->until_ms),
                     sql_slice(m->sub), sql_int(m->host)));
}

void store_member_delete(struct store_room *r, const char *peer)
{
    sql_run(r->sql, ST_MEMBER_DELETE, SQL_ARGS(sql_text(peer)));
}

void store_member_set_state(struct store_room *r, const char *peer, enum member_state state,
                            int64_t until_ms)
{
    sql_run(r->sql, ST_MEMBER_SET_STATE,
            SQL_ARGS(sql_text(peer), sql_int(state), sql_int(until_ms)));
}

void store_member_hang_up(struct store_room *r, const char *peer, int64_t until_ms)
{
    sql_run(r->sql, ST_MEMBER_HANG_UP, SQL_ARGS(sql_text(peer), sql_int(until_ms)));
}

void store_member_set_key(struct store_room *r, const char *peer, const uint8_t *key_hash,
                          bool current, const uint8_t *join_id)
{
    sql_run(r->sql, ST_MEMBER_SET_KEY,
            SQL_ARGS(sql_text(peer), sql_blob(key_hash, IDENT_HASH_BYTES), sql_int(current),
                     sql_blob(join_id, IDENT_HASH_BYTES)));
}

void store_member_set_key_used(struct store_room *r, const char *peer)
{
    sql_run(r->sql, ST_MEMBER_SET_KEY_USED, SQL_ARGS(sql_text(peer)));
}

void store_member_forget_join_id(struct store_room *r, const char *peer)
{
    sql_run(r->sql, ST_MEMBER_FORGET_JOIN_ID, SQL_ARGS(sql_text(peer)));
}

void store_member_set_self(struct store_room *r, const char *peer, struct slice name,
                           struct slice meta)
{
    sql_run(r->sql, ST_MEMBER_SET_SELF,
            SQL_ARGS(sql_text(peer), sql_slice(name), sql_blob(meta.at, meta.len)));
}

void store_member_set_acked(struct store_room *r, const char *peer, int64_t acked)
{
    sql_run(r->sql, ST_MEMBER_SET_ACKED, SQL_ARGS(sql_text(peer), sql_int(acked)));
}

void store_member_raise_floor(struct store_room *r, const char *peer, int64_t floor)
{
    sql_run(r->sql, ST_MEMBER_RAISE_FLOOR, SQL_ARGS(sql_text(peer), sql_int(floor)));
}

void store_members_raise_floor(struct store_room *r, const char *except, int64_t floor)
{
    sql_run(r->sql, ST_MEMBERS_RAISE_FLOOR, SQL_ARGS(sql_text(except), sql_int(floor)));
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
        if (*out == NULL && (*out = arena_alloc(a, max * sizeof **out)) == NULL) {
            store_out_of_memory(r);
            break;
        }
        bytes += sql_column_slice(r->sql, ST_MESSAGES_AFTER, 4).len +
                 sql_column_slice(r->sql, ST_MESSAGES_AFTER, 5).len + ROOM_FRAME_BYTES;
        if (*count == max || (*count > 0 && bytes > bytes_max)) {
            *more = true;
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
    memset(out, 0, sizeof *out);
    if (!one(r, st, NULL, 0)) return false;
    out->seq = sql_column_int(r->sql, st, 0);
    out->stored_ms = sql_column_int(r->sql, st, 1);
    copy_text(r, st, 2, out->sender, sizeof out->sender);
    copy_text(r, st, 3, out->addressee, sizeof out->addressee);
    sql_done(r->sql, st);
    return true;
}

void store_message_delete(struct store_room *r, int64_t seq)
{
    sql_run(r->sql, ST_MESSAGE_DELETE, SQL_ARGS(sql_int(seq)));
}

int64_t store_messages_delete_to(struct store_room *r, const char *addressee, int64_t upto)
{
    return sql_run(r->sql, ST_MESSAGES_DELETE_TO, SQL_ARGS(sql_text(addressee), sql_int(upto)));
}

int64_t store_messages_delete_all(struct store_room *r, int64_t upto)
{
    return sql_run(r->sql, ST_MESSAGES_DELETE_ALL, SQL_ARGS(sql_int(upto)));
}

int64_t store_messages_delete_by(struct store_room *r, const char *sender, int64_t upto)
{
    return sql_run(r->sql, ST_MESSAGES_DELETE_BY, SQL_ARGS(sql_text(sender), sql_int(upto)));
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

void store_message_ids_delete_older(struct store_room *r, const char *sender, int64_t kept)
{
    sql_run(r->sql, ST_MESSAGE_IDS_DELETE_OLDER, SQL_ARGS(sql_text(sender), sql_int(kept)));
}

void store_tally(struct store_room *r, const char *sender, const struct tally *t)
{
    const struct sql_value sums[] = { sql_int(t->head), sql_int(t->messages), sql_int(t->bytes) };
    r->row.head = t->head;
    *(sender == NULL ? &r->row.told_messages : &r->row.messages) += t->messages;
    *(sender == NULL ? &r->row.told_bytes : &r->row.bytes) += t->bytes;
    sql_run(r->sql, sender == NULL ? ST_ROOM_TALLY_TOLD : ST_ROOM_TALLY, sums, 3);
    if (sender != NULL)
        sql_run(
            r->sql, ST_MEMBER_TALLY,
            SQL_ARGS(sql_text(sender), sql_int(t->messages), sql_int(t->bytes), sql_int(t->ids)));
}
