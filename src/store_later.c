/* store_later: what an older program's room files lack. */
#include "store_internal.h"

/* In the order in which they came. */
static const struct {
    const char *table, *column;
    enum store_statement add;
} later[] = {
    { "member", "sub", ST_MEMBER_ADD_SUB },
    { "member", "role", ST_MEMBER_ADD_ROLE },
    { "room", "opened_ms", ST_ROOM_ADD_OPENED },
    { "room", "stays", ST_ROOM_ADD_STAYS },
    { "event", "moved", ST_EVENT_ADD_TABLE },
    { "member", "jti", ST_MEMBER_ADD_JTI },
    { "member", "address_hash", ST_MEMBER_ADD_ADDRESS },
    { "member", "left_why", ST_MEMBER_ADD_LEFT_WHY },
    { "room", "password_salt", ST_ROOM_ADD_SALT },
    { "room", "password_hash", ST_ROOM_ADD_PASSWORD },
    { "ban", "hash", ST_BAN_TABLE },
    { "room", "rules", ST_ROOM_ADD_RULES },
};
enum { LATER = sizeof later / sizeof later[0] };

void store_complete(struct store_room *r)
{
    /* A connection that has just turned to this file learns its tables by this. */
    sql_run(r->sql, ST_LEARN, NULL, 0);
    if (sql_result(r->sql) != SQL_OK) return;
    /* They were added in one transaction: with the last the others are there. */
    r->whole = sql_has_column(r->sql, later[LATER - 1].table, later[LATER - 1].column);
    for (size_t i = 0; i < LATER && !r->whole; i++)
        if (!sql_has_column(r->sql, later[i].table, later[i].column))
            sql_run(r->sql, later[i].add, NULL, 0);
    /* Between two releases each rule was a column. */
    if (!r->whole && sql_has_column(r->sql, "room", "watched"))
        sql_run(r->sql, ST_ROOM_CARRY_RULES, NULL, 0);
}
