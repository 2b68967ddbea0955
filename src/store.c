/* store: the cache of open rooms; transactions. */
#include "store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bell.h"
#include "log.h"
#include "store_internal.h"

enum {
    ENTER_TRIES = 3, /* each but the last ends in something that another process did just then */
    /* A connection that nobody used for so long is closed: it holds 150 kB, and opening it again
     * costs 0.15 ms. */
    IDLE_MS = 5000,
    /* From so many connections on, one that isn't kept, or that nobody used for so long, turns to
     * the next room: that costs a fifth of opening, and the memory of none. */
    TURN_FROM = 4,
    TURN_UNUSED_MS = 100,
    TURN_IDLE_MS = 1500,  /* more of them than that are closed then, kept ones too */
    KEEP_SEEN_MS = 1000,  /* between looks whether a kept room's file is still at its path */
    COMPLAIN_MS = 1000,   /* one line of each kind in this time */
    RETRY_SOON_S = 1,     /* a lock: the next moment may do */
    RETRY_LATER_S = 10,   /* memory, descriptors */
    RETRY_OPERATOR_S = 60 /* somebody has to mend it */
};

struct problem store_problem_busy(void)
{
    return PROBLEM_RETRY(503, "busy", "The room is busy; try again.", RETRY_SOON_S);
}

struct problem store_problem_missing(void)
{
    return PROBLEM(404, "room-not-found", "There is no such room.");
}

struct problem store_problem_ended(void)
{
    return PROBLEM(410, "room-closed", "This room was closed.");
}

struct problem store_problem_newer(void)
{
    return PROBLEM_RETRY(503, "busy", "This room's data is of a newer version of the server.",
                         RETRY_OPERATOR_S);
}

struct problem store_problem_refused(void)
{
    return PROBLEM_RETRY(503, "busy", "The server can't write its data folder.", RETRY_OPERATOR_S);
}

static struct problem problem_memory(void)
{
    return PROBLEM_RETRY(503, "busy", "The server is short of memory or open files.",
                         RETRY_LATER_S);
}

struct problem store_problem_sql(struct app *app, const char *room, enum sql_result result,
                                 int code)
{
    if (result == SQL_BUSY && !app->store->visit) app_ask_for(app, room);
    if (result == SQL_BUSY || result == SQL_MOVED) return store_problem_busy();
    int64_t now_ms = app_now_ms(app);
    int64_t *last_ms = &app->store->complained_ms[result];
    if (*last_ms == 0 || now_ms - *last_ms >= COMPLAIN_MS || now_ms < *last_ms) {
        const char *event = result == SQL_FULL      ? "store-full"
                            : result == SQL_REFUSED ? "store-refused"
                                                    : "store-failed";
        log_event(LOG_LEVEL_ERROR, event, "room=%s sqlite=%d folder=%s/rooms", room, code,
                  app->data_dir);
        *last_ms = now_ms;
    }
    if (result == SQL_FULL)
        return PROBLEM(507, "disk-full", "The server has no space left for this.");
    return result == SQL_REFUSED ? store_problem_refused() : problem_memory();
}

/* ---- the cache ---- */

uint64_t store_hash(const char *room)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *p = room; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    return hash;
}

static size_t bucket_of(const char *room)
{
    return store_hash(room) % STORE_BUCKETS;
}

static void unlink_used(struct store *s, struct store_room *r)
{
    *(r->used_prev != NULL ? &r->used_prev->used_next : &s->newest) = r->used_next;
    *(r->used_next != NULL ? &r->used_next->used_prev : &s->oldest) = r->used_prev;
}

static void link_newest(struct store *s, struct store_room *r)
{
    r->used_prev = NULL;
    r->used_next = s->newest;
    *(s->newest != NULL ? &s->newest->used_prev : &s->oldest) = r;
    s->newest = r;
}

/* Take a room out of the cache, but for its connection. */
static struct sql *uncache(struct store_room *r)
{
    struct store *s = r->app->store;
    struct sql *sql = r->sql;
    struct store_room **at = &s->bucket[bucket_of(r->name)];
    while (*at != r) at = &(*at)->bucket_next;
    *at = r->bucket_next;
    unlink_used(s, r);
    s->count--;
    if (r->kept) s->kept_count--;
    if (s->entered == r) s->entered = NULL;
    free(r);
    return sql;
}

void store_drop(struct store_room *r)
{
    sql_close(uncache(r));
}

static struct store_room *cached(struct store *s, const char *room)
{
    struct store_room *r = s->bucket[bucket_of(room)];
    while (r != NULL && strcmp(r->name, room) != 0) r = r->bucket_next;
    if (r != NULL) r->used_ms = app_now_ms(r->app);
    if (r != NULL && s->newest != r) {
        unlink_used(s, r);
        link_newest(s, r);
    }
    return r;
}

/* The room that was used the longest time ago; NULL: too soon. Where rooms are kept, one that isn't
 * was used but once: who only waits in it comes again in half a minute. */
static struct store_room *to_turn(const struct app *app)
{
    struct store_room *r = app->store->oldest;
    if (app->store->count < TURN_FROM) return NULL;
    if (r->used_ms + TURN_UNUSED_MS <= app_now_ms(app)) return r;
    while (r != NULL && r->kept) r = r->used_prev;
    return app->keeps_rooms ? r : NULL;
}

/* A connection turned to another file; NULL: none is free, or it can't be turned. */
static struct sql *turn(struct app *app, const char *path)
{
    struct store_room *r = to_turn(app);
    if (r == NULL) return NULL;
    if (r->kept && !store_let_go(r)) return NULL;
    struct sql *sql = uncache(r);
    if (sql_turn(sql, path)) return sql;
    sql_close(sql);
    return NULL;
}

/* Open the room's file into the cache. */
static enum store_entry open_room(struct app *app, const char *room, struct store_room **out,
                                  struct problem *problem)
{
    struct store *s = app->store;
    char path[STORE_PATH_BYTES];
    struct stat st;
    store_path(app, room, ".db", path);
    while (s->count > 0 && s->count >= (size_t)app->cfg.rooms_open_max) store_drop(s->oldest);
    struct store_room *r = calloc(1, sizeof *r);
    enum sql_result result = SQL_FAILED;
    if (r != NULL) r->sql = turn(app, path);
    if (r != NULL && r->sql == NULL) r->sql = sql_open(path, store_texts, ST_COUNT, &result);
    if (r == NULL || r->sql == NULL) {
        free(r);
        if (lstat(path, &st) != 0) return STORE_MISSING;
        *problem = store_problem_sql(app, room, result, 0);
        return STORE_FAILED;
    }
    strcpy(r->name, room);
    r->app = app;
    r->used_ms = app_now_ms(app);
    r->bucket = bell_bucket(room);
    r->uses_needed = STORE_KEEP_USES;
    size_t bucket = bucket_of(room);
    r->bucket_next = s->bucket[bucket];
    s->bucket[bucket] = r;
    link_newest(s, r);
    s->count++;
    *out = r;
    return STORE_ENTERED;
}

struct store *store_open(struct app *app)
{
    (void)app;
    struct store *s = calloc(1, sizeof *s);
    if (s != NULL) s->lock_fd = -1;
    return s;
}

void store_close(struct store *s)
{
    if (s == NULL) return;
    while (s->oldest != NULL) store_drop(s->oldest);
    if (s->lock_fd >= 0) close(s->lock_fd);
    free(s->blank);
    free(s);
}

void store_trim(struct app *app, size_t count)
{
    struct store_room *r = app->store->oldest;
    for (; r != NULL && count > 0; count--) {
        struct store_room *newer = r->used_prev;
        bool idle = r->used_ms + IDLE_MS <= app_now_ms(app);
        if (r != app->store->entered && (idle || sql_moved(r->sql))) store_drop(r);
        r = newer;
    }
}

int64_t store_let_go_unused(struct app *app)
{
    struct store *s = app->store;
    int64_t now_ms = app_now_ms(app), left_ms = INT64_MAX;
    struct store_room *newer;
    for (struct store_room *r = s->oldest; r != NULL && left_ms == INT64_MAX; r = newer) {
        bool crowd = s->count > TURN_FROM;
        int64_t unused_ms = crowd ? TURN_IDLE_MS : STORE_KEEP_UNUSED_MS;
        newer = r->used_prev;
        if (!crowd && s->kept_count == 0) break;
        if (r->used_ms + unused_ms > now_ms) {
            left_ms = unused_ms;
        } else if (crowd) {
            store_drop(r);
        } else if (r->kept) {
            (void)store_let_go(r);
        }
    }
    return left_ms;
}

/* ---- transactions ---- */

static int64_t number(struct sql *c, enum store_statement st)
{
    sql_start(c, st, NULL, 0);
    int64_t n = sql_next(c, st) ? sql_column_int(c, st, 0) : -1;
    sql_done(c, st);
    return n;
}

/* What is this file? Asked inside the transaction, with at least a read lock. */
static enum store_entry judge(struct store_room *r)
{
    if (r->held && r->row_known && sql_result(r->sql) == SQL_OK)
        return r->row.closed != ROOM_STANDS ? STORE_CLOSED : STORE_ENTERED;
    int64_t version = number(r->sql, ST_VERSION);
    if (sql_result(r->sql) != SQL_OK) {
        if (sql_moved(r->sql)) return STORE_MOVED; /* by somebody who knows of no lock */
        return sql_result(r->sql) == SQL_BROKEN ? STORE_BROKEN : STORE_FAILED;
    }
    if (version > STORE_VERSION) return STORE_NEWER;
    if (version == 0) {
        int64_t tables = number(r->sql, ST_TABLES);
        if (tables < 0) return sql_result(r->sql) == SQL_BROKEN ? STORE_BROKEN : STORE_FAILED;
        return tables == 0 ? STORE_CLOSED : STORE_BROKEN;
    }
    if (!r->whole) store_complete(r);
    store_room_read(r);
    if (sql_result(r->sql) != SQL_OK)
        return sql_result(r->sql) == SQL_BROKEN ? STORE_BROKEN : STORE_FAILED;
    if (r->row.boot_id[0] == '\0') return STORE_BLANK;
    r->row_known = true;
    return r->row.closed != ROOM_STANDS ? STORE_CLOSED : STORE_ENTERED;
}

/* Is this room kept, and still the one at its path? Then no maker or deleter can be about: they
 * need its lock. */
static bool is_kept(struct app *app, const char *room)
{
    struct store_room *r = cached(app->store, room);
    if (r == NULL || !r->held) return false;
    if (r->used_ms - r->seen_ms < KEEP_SEEN_MS) return true;
    r->seen_ms = r->used_ms;
    if (!sql_moved(r->sql)) return true;
    store_drop(r);
    return false;
}

/* The entering itself, while no maker or deleter is about. */
static enum store_entry enter(struct app *app, const char *room, enum store_lock lock,
                              struct store_room **out, struct problem *problem)
{
    static const enum store_statement begin[] = {
        [STORE_LOCK_READ] = ST_BEGIN,
        [STORE_LOCK_WRITE] = ST_BEGIN_IMMEDIATE,
        [STORE_LOCK_EXCLUSIVE] = ST_BEGIN_EXCLUSIVE,
    };
    struct store_room *r = cached(app->store, room);
    /* A connection whose file has gone must not even look: a journal at its path is another's. */
    if (r != NULL && !r->held && sql_moved(r->sql)) {
        store_drop(r);
        r = NULL;
    }
    if (r == NULL) {
        enum store_entry entry = open_room(app, room, &r, problem);
        if (entry != STORE_ENTERED) return entry;
    }
    r->out_of_memory = false;
    sql_run(r->sql, begin[lock], NULL, 0);
    enum store_entry entry = judge(r);
    if (entry == STORE_ENTERED) app->store->entered = r;
    if (entry == STORE_FAILED)
        *problem = store_problem_sql(app, room, sql_result(r->sql), sql_code(r->sql));
    *out = r;
    if (entry == STORE_ENTERED) return entry;
    if (entry == STORE_MOVED || (!sql_rollback(r->sql) && entry == STORE_FAILED)) store_drop(r);
    return entry;
}

enum store_entry store_enter(struct app *app, const char *room, enum store_lock lock,
                             struct store_room **out, struct problem *problem)
{
    char path[STORE_PATH_BYTES];
    struct stat st;
    assert(app->store->entered == NULL);
    if (is_kept(app, room)) return enter(app, room, lock, out, problem);
    store_path(app, room, ".db", path);
    if (cached(app->store, room) == NULL && lstat(path, &st) != 0) {
        if (errno == ENOENT) return STORE_MISSING;
        *problem = store_problem_sql(app, room, SQL_REFUSED, -errno);
        return STORE_FAILED;
    }
    if (!store_guard(app, room, problem)) return STORE_FAILED;
    enum store_entry entry = enter(app, room, lock, out, problem);
    store_unguard(app, room);
    return entry;
}

void store_entered(struct store_room *r)
{
    r->app->store->entered = r;
}

struct problem store_begin(struct app *app, const char *room, enum store_mode mode,
                           struct store_room **out)
{
    enum store_lock lock = mode <= STORE_READ ? STORE_LOCK_READ : STORE_LOCK_WRITE;
    app->store->visit = mode == STORE_VISIT;
    for (int tries = 0; tries < ENTER_TRIES; tries++) {
        struct store_room *r = NULL;
        struct problem problem = NO_PROBLEM;
        switch (store_enter(app, room, lock, &r, &problem)) {
        case STORE_ENTERED: *out = r; return NO_PROBLEM;
        case STORE_MOVED: continue;
        case STORE_CLOSED:
            if (mode != STORE_MAKE && r != NULL && r->row.closed == ROOM_ENDED)
                return store_problem_ended();
            return mode == STORE_MAKE ? store_make(app, room, out) : store_problem_missing();
        case STORE_MISSING:
        case STORE_BLANK:
            return mode == STORE_MAKE ? store_make(app, room, out) : store_problem_missing();
        case STORE_BROKEN:
            problem = store_move_aside(r);
            if (mode == STORE_MAKE && problem.status == 404) continue;
            return problem;
        case STORE_NEWER: return store_problem_newer();
        case STORE_FAILED: return problem;
        }
    }
    return store_problem_busy();
}

bool store_failed(const struct store_room *r)
{
    return r->out_of_memory || sql_result(r->sql) != SQL_OK;
}

void store_out_of_memory(struct store_room *r)
{
    r->out_of_memory = true;
}

/* The transaction is over or must be: clean up after it and tell how it came out. */
static struct problem leave(struct store_room *r, bool committed)
{
    enum sql_result result = sql_result(r->sql);
    int code = sql_code(r->sql);
    struct app *app = r->app;
    app->store->entered = NULL;
    if (!committed) {
        r->row_known = false;
        store_recall_nothing(r);
    }
    bool clean = committed || sql_rollback(r->sql);
    if (r->making) {
        struct problem problem =
            result == SQL_OK ? NO_PROBLEM : store_problem_sql(app, r->name, result, code);
        store_made(r, committed); /* if it was not, r is gone now */
        if (committed) store_keep_made(r);
        return problem;
    }
    if (result == SQL_BROKEN) return store_move_aside(r);
    struct problem problem = NO_PROBLEM;
    if (committed) store_keep_if_alone(r);
    if (result != SQL_OK) problem = store_problem_sql(app, r->name, result, code);
    if (!clean || result == SQL_MOVED) store_drop(r);
    return problem;
}

struct problem store_commit(struct store_room *r)
{
    if (r->out_of_memory) {
        struct problem problem = store_abort(r);
        return problem.status != 0 ? problem : problem_memory();
    }
    sql_commit(r->sql, ST_COMMIT);
    return leave(r, sql_result(r->sql) == SQL_OK);
}

struct problem store_abort(struct store_room *r)
{
    bool out_of_memory = r->out_of_memory;
    struct problem problem = leave(r, false);
    return problem.status == 0 && out_of_memory ? problem_memory() : problem;
}
