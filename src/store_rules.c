/* store_rules: the statements about who may come in and who says so. */
#include <string.h>

#include "store_internal.h"

/* ---- the room ---- */

enum { LOCKED = 1, LOBBY = 2, PASSWORD = 4, HOSTED = 8, WATCHED = 16 };

void store_rules_take(struct room_row *row, int64_t rules)
{
    row->password = (rules & PASSWORD) != 0;
    row->rules = (struct room_rules){ .locked = (rules & LOCKED) != 0,
                                      .lobby = (rules & LOBBY) != 0,
                                      .hosted = (rules & HOSTED) != 0,
                                      .watched = (rules & WATCHED) != 0 };
}

static struct sql_value rules_of(const struct room_row *row)
{
    const struct room_rules *rules = &row->rules;
    return sql_int((rules->locked ? LOCKED : 0) | (rules->lobby ? LOBBY : 0) |
                   (row->password ? PASSWORD : 0) | (rules->hosted ? HOSTED : 0) |
                   (rules->watched ? WATCHED : 0));
}

void store_room_set_rules(struct store_room *r, const struct room_rules *rules)
{
    r->row.rules = *rules;
    sql_run(r->sql, ST_ROOM_SET_RULES, SQL_ARGS(rules_of(&r->row)));
}

static bool copy_blob(struct store_room *r, enum store_statement st, int column, uint8_t *out,
                      size_t len)
{
    struct slice blob = sql_column_slice(r->sql, st, column);
    if (blob.len != len) return false;
    memcpy(out, blob.at, len);
    return true;
}

bool store_room_password(struct store_room *r, struct password_kept *out)
{
    memset(out, 0, sizeof *out);
    sql_start(r->sql, ST_ROOM_PASSWORD, NULL, 0);
    if (!sql_next(r->sql, ST_ROOM_PASSWORD)) return false;
    bool whole = copy_blob(r, ST_ROOM_PASSWORD, 0, out->salt, sizeof out->salt) &&
                 copy_blob(r, ST_ROOM_PASSWORD, 1, out->hash, sizeof out->hash);
    sql_done(r->sql, ST_ROOM_PASSWORD);
    return whole;
}

void store_room_set_password(struct store_room *r, const struct password_kept *kept)
{
    r->row.password = kept != NULL;
    sql_run(r->sql, ST_ROOM_SET_PASSWORD,
            SQL_ARGS(sql_blob(kept == NULL ? NULL : kept->salt, PASSWORD_SALT_BYTES),
                     sql_blob(kept == NULL ? NULL : kept->hash, IDENT_HASH_BYTES),
                     rules_of(&r->row)));
}

/* ---- members ---- */

void store_member_set_left(struct store_room *r, const char *peer, enum member_left why,
                           int64_t until_ms)
{
    store_change_members(r, ST_MEMBER_SET_LEFT,
                         SQL_ARGS(sql_text(peer), sql_int(until_ms), sql_int(why)));
}

void store_member_set_host(struct store_room *r, const char *peer, bool host)
{
    store_change_members(r, ST_MEMBER_SET_HOST, SQL_ARGS(sql_text(peer), sql_int(host)));
}

void store_member_set_address(struct store_room *r, const char *peer, struct slice address)
{
    store_change_members(r, ST_MEMBER_SET_ADDRESS,
                         SQL_ARGS(sql_text(peer), sql_blob(address.at, address.len)));
}

void store_member_admit(struct store_room *r, const char *peer, int64_t joined, int64_t until_ms)
{
    store_change_members(r, ST_MEMBER_ADMIT,
                         SQL_ARGS(sql_text(peer), sql_int(joined), sql_int(until_ms)));
}

/* ---- bans ---- */

bool store_banned(struct store_room *r, const uint8_t *hash)
{
    sql_start(r->sql, ST_BAN, SQL_ARGS(sql_blob(hash, IDENT_HASH_BYTES)));
    bool found = sql_next(r->sql, ST_BAN);
    sql_done(r->sql, ST_BAN);
    return found;
}

void store_ban(struct store_room *r, const uint8_t *hash)
{
    sql_run(r->sql, ST_BAN_INSERT, SQL_ARGS(sql_blob(hash, IDENT_HASH_BYTES)));
    sql_run(r->sql, ST_BANS_TRIM, SQL_ARGS(sql_int(STORE_BANS_MAX)));
}

void store_bans_delete(struct store_room *r)
{
    sql_run(r->sql, ST_BANS_DELETE, NULL, 0);
}
