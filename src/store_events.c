/* store_events: a room's events, from its own file to the feed. What is written down with a
 * transaction is moved after its commit: into the feed, whose commit comes first, then out of the
 * room. Who is killed between the two leaves events that the feed has; it passes them over when the
 * next one moves them. */
#include <string.h>

#include "events.h"
#include "fault.h"
#include "log.h"
#include "store_internal.h"

enum { LOST_AFTER_MS = 10 * 60 * 1000 };

static bool last_event(struct store_room *r, int64_t *order, bool *moved)
{
    sql_start(r->sql, ST_EVENT_LAST, NULL, 0);
    bool found = sql_next(r->sql, ST_EVENT_LAST);
    *order = found ? sql_column_int(r->sql, ST_EVENT_LAST, 0) : 0;
    *moved = !found || sql_column_int(r->sql, ST_EVENT_LAST, 1) != 0;
    sql_done(r->sql, ST_EVENT_LAST);
    return found;
}

static void add(struct store_room *r, const char *type, const char *peer, struct slice sub,
                const char *reason, int64_t time_ms)
{
    sql_run(r->sql, ST_EVENT_ADD,
            SQL_ARGS(sql_text(type), sql_text(peer), sql_slice(sub), sql_text(reason),
                     sql_int(time_ms)));
}

void store_event_add(struct store_room *r, const char *type, const char *peer, struct slice sub,
                     const char *reason, int64_t time_ms)
{
    int64_t order;
    bool moved;
    bool opens = strcmp(type, "room-opened") == 0;
    if (last_event(r, &order, &moved)) {
        if (opens) return; /* it was */
    } else {
        add(r, "room-opened", NULL, SLICE_NONE, NULL, time_ms);
        sql_run(r->sql, ST_EVENTS_ADD_PRESENT,
                SQL_ARGS(sql_int(time_ms), sql_text(peer == NULL ? "" : peer),
                         sql_int(strcmp(type, "peer-left") == 0)));
    }
    if (!opens) add(r, type, peer, sub, reason, time_ms);
    sql_run(r->sql, ST_EVENTS_TRIM, SQL_ARGS(sql_int(STORE_EVENTS_MAX)));
    r->events_moved = false;
}

bool store_events_wait(const struct store_room *r)
{
    return !r->events_moved;
}

static bool put_all(struct store_room *r)
{
    enum store_statement st = ST_EVENTS_UNMOVED;
    bool fine = true;
    for (sql_start(r->sql, st, NULL, 0); fine && sql_next(r->sql, st);) {
        struct event e = {
            .room = slice_of(r->name),
            .room_epoch = r->row.epoch,
            .order = sql_column_int(r->sql, st, 0),
            .type = sql_column_slice(r->sql, st, 1),
            .peer = sql_column_slice(r->sql, st, 2),
            .sub = sql_column_slice(r->sql, st, 3),
            .reason = sql_column_slice(r->sql, st, 4),
            .time_ms = sql_column_int(r->sql, st, 5),
        };
        fine = events_put(r->app, &e);
    }
    sql_done(r->sql, st);
    return fine;
}

/* In a transaction that may write. False: they wait on. */
static bool move(struct store_room *r)
{
    int64_t order;
    bool moved;
    (void)last_event(r, &order, &moved);
    if (moved || store_failed(r)) return moved;
    if (!events_begin(r->app)) return false;
    bool fine = put_all(r) && !store_failed(r);
    if (!events_end(r->app, fine)) return false;
    fault_point("events-put");
    sql_run(r->sql, ST_EVENTS_DELETE_MOVED, SQL_ARGS(sql_int(order)));
    sql_run(r->sql, ST_EVENT_SET_MOVED, SQL_ARGS(sql_int(order)));
    return true;
}

struct problem store_events_move(struct app *app, const char *room)
{
    struct store_room *r;
    struct problem problem = store_begin(app, room, STORE_WRITE, &r);
    if (problem.status != 0) return problem;
    r->events_moved = move(r);
    bool moved = r->events_moved;
    problem = store_commit(r);
    return problem.status == 0 && !moved ? store_problem_busy() : problem;
}

/* The feed can't be written, by more than a lock, and these wait for it since long: the room's name
 * is needed again, and on a full disk its file is what fills it. */
static bool give_up(struct store_room *r)
{
    sql_start(r->sql, ST_EVENT_LAST, NULL, 0);
    bool old = sql_next(r->sql, ST_EVENT_LAST) &&
               app_wall_ms(r->app) - sql_column_int(r->sql, ST_EVENT_LAST, 2) > LOST_AFTER_MS;
    sql_done(r->sql, ST_EVENT_LAST);
    if (!old || !events_hindered(r->app)) return false;
    log_event(LOG_LEVEL_ERROR, "events-lost", "room=%s", r->name);
    return true;
}

bool store_events_out(struct store_room *r)
{
    if (!r->app->cfg.events || r->row.epoch == 0) return true;
    sql_run(r->sql, ST_BEGIN_IMMEDIATE, NULL, 0);
    bool moved = move(r) || give_up(r);
    sql_commit(r->sql, ST_COMMIT);
    enum sql_result result = sql_result(r->sql);
    (void)sql_rollback(r->sql);
    /* Nobody can be helped by what a broken file still has. */
    return moved || result == SQL_BROKEN;
}

void store_events_forget(struct store_room *r)
{
    int64_t order;
    bool moved;
    if (last_event(r, &order, &moved)) sql_run(r->sql, ST_EVENTS_DELETE_ALL, NULL, 0);
}

/* ---- what the site's owner asks for ---- */

static struct slice copied(struct store_room *r, struct arena *a, int column)
{
    struct slice s = sql_column_slice(r->sql, ST_MEMBERS_KNOWN, column);
    if (s.at == NULL) return SLICE_NONE;
    char *copy = arena_copy(a, s.at, s.len);
    if (copy == NULL) store_out_of_memory(r);
    return (struct slice){ copy, copy == NULL ? 0 : s.len };
}

size_t store_members_known(struct store_room *r, struct arena *a, struct member_known *out,
                           size_t max)
{
    size_t count = 0;
    sql_start(r->sql, ST_MEMBERS_KNOWN, NULL, 0);
    for (; sql_next(r->sql, ST_MEMBERS_KNOWN); count++) {
        if (count >= max) continue;
        out[count] = (struct member_known){
            .peer = copied(r, a, 0),
            .name = copied(r, a, 1),
            .sub = copied(r, a, 2),
            .host = sql_column_int(r->sql, ST_MEMBERS_KNOWN, 3) != 0,
            .state = (int)sql_column_int(r->sql, ST_MEMBERS_KNOWN, 4),
        };
    }
    sql_done(r->sql, ST_MEMBERS_KNOWN);
    return count;
}

void store_room_opened(struct store_room *r, int64_t *opened_ms, bool *stays)
{
    sql_start(r->sql, ST_ROOM_OPENED, NULL, 0);
    bool found = sql_next(r->sql, ST_ROOM_OPENED);
    *opened_ms = found ? sql_column_int(r->sql, ST_ROOM_OPENED, 0) : 0;
    *stays = found && sql_column_int(r->sql, ST_ROOM_OPENED, 1) != 0;
    sql_done(r->sql, ST_ROOM_OPENED);
}

void store_room_set_stays(struct store_room *r)
{
    sql_run(r->sql, ST_ROOM_SET_STAYS, NULL, 0);
}

void store_room_end(struct store_room *r, enum room_closed how)
{
    r->row.closed = how;
    sql_run(r->sql, ST_ROOM_CLOSE, SQL_ARGS(sql_int(how)));
}
