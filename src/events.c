#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ident.h"
#include "log.h"
#include "store_sql.h"

enum {
    FEED_VERSION = 1,
    PATH_BYTES = APP_PATH_BYTES_MAX + 64,
    LOCK_TRIES = 40,
    LOCK_NAP_US = 250,
    FAILED_MS =
        1000,        /* between tries after a failure that is no lock, and between lines about it */
    PRUNE_MAX = 256, /* events deleted by one transaction */
    TEMPORARY_RANDOM_BYTES = 8,
};

extern const char feed_sql[]; /* feed.sql, embedded at build */

enum statement {
    BEGIN,
    BEGIN_READ,
    COMMIT,
    VERSION,
    FEED,
    PUT,
    AFTER,
    OLDEST,
    PRUNE,
    SET_PRUNED,
    COUNT
};

#define COLUMNS "id, room, room_epoch, event_order, type, peer, sub, reason, time_ms"

static const char *const texts[COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [BEGIN_READ] = "BEGIN",
    [COMMIT] = "COMMIT",
    [VERSION] = "PRAGMA user_version",
    [FEED] = "SELECT epoch, pruned, coalesce((SELECT max(id) FROM event), pruned) FROM feed",
    [PUT] = "INSERT OR IGNORE INTO event (room, room_epoch, event_order, type, peer, sub, reason,"
            " time_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [AFTER] = "SELECT " COLUMNS " FROM event WHERE id > ?1 ORDER BY id LIMIT ?2",
    [OLDEST] = "SELECT id, time_ms FROM event ORDER BY id LIMIT 1",
    [PRUNE] = "DELETE FROM event WHERE id < ?1 + ?2 AND (time_ms <= ?3 OR id <= ?4)",
    [SET_PRUNED] = "UPDATE feed SET pruned = coalesce((SELECT min(id) - 1 FROM event), ?1)",
};

struct events {
    struct sql *sql;
    int64_t failed_ms; /* when something else than a lock was last in the way; 0: never */
    uint64_t epoch;
    int64_t pruned, head;
};

static const char *path_of(const struct app *app, const char *suffix, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/events.db%s", app->data_dir, suffix);
    return path;
}

void events_close(struct events *e)
{
    if (e == NULL) return;
    sql_close(e->sql);
    free(e);
}

/* ---- the file ---- */

/* Make the file under a temporary name and link it, so that nobody opens half of it. Returns an
 * errno value; EEXIST is fine. */
static int make(const struct app *app)
{
    char path[PATH_BYTES], temporary[PATH_BYTES], suffix[2 * TEMPORARY_RANDOM_BYTES + 6] = ".tmp-";
    uint8_t random[TEMPORARY_RANDOM_BYTES];
    size_t len = 0;
    unsigned char *blank = sql_template(feed_sql, &len);
    if (blank == NULL) return ENOMEM;
    ident_random(random, sizeof random);
    ident_hex(random, sizeof random, suffix + 5);
    path_of(app, suffix, temporary);
    int fd = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    int fault = fd < 0 ? errno : 0;
    ssize_t n = fd < 0 ? -1 : write(fd, blank, len);
    if (fault == 0 && n != (ssize_t)len) fault = n < 0 ? errno : ENOSPC;
    if (fault == 0 && link(temporary, path_of(app, "", path)) != 0) fault = errno;
    if (fd >= 0) {
        close(fd);
        unlink(temporary);
    }
    free(blank);
    return fault;
}

static void complain(struct app *app, const char *why, int code)
{
    int64_t now_ms = app_now_ms(app);
    struct events *e = app->events;
    if (e->failed_ms == 0 || now_ms - e->failed_ms >= FAILED_MS)
        log_event(LOG_LEVEL_ERROR, "events-failed", "reason=%s code=%d", why, code);
    e->failed_ms = now_ms;
}

static bool open_feed(struct app *app)
{
    char path[PATH_BYTES];
    struct events *e = app->events;
    enum sql_result result = SQL_OK;
    if (access(path_of(app, "", path), F_OK) != 0) {
        int fault = make(app);
        if (fault != 0 && fault != EEXIST) {
            complain(app, strerror(fault), fault);
            return false;
        }
    }
    e->sql = sql_open(path, texts, COUNT, &result);
    if (e->sql == NULL && result != SQL_BUSY) complain(app, "open", (int)result);
    return e->sql != NULL;
}

/* The file is damaged: a new one takes its place. Who reads from the old one is told by `gap`. */
static void move_aside(struct app *app)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    if (!sql_moved(app->events->sql)) {
        unlink(path_of(app, "-journal", from));
        if (rename(path_of(app, "", from), path_of(app, ".broken", to)) == 0)
            log_event(LOG_LEVEL_WARNING, "events-broken", "moved-to=%s", to);
    }
    sql_close(app->events->sql);
    app->events->sql = NULL;
}

bool events_hindered(const struct app *app)
{
    return app->events != NULL && app->events->failed_ms != 0;
}

/* ---- transactions ---- */

static bool is_open(struct app *app)
{
    if (app->events == NULL) app->events = calloc(1, sizeof *app->events);
    struct events *e = app->events;
    if (e == NULL) return false;
    int64_t since_ms = app_now_ms(app) - e->failed_ms;
    if (e->failed_ms != 0 && since_ms >= 0 && since_ms < FAILED_MS) return false;
    if (e->sql != NULL && sql_moved(e->sql)) {
        sql_close(e->sql);
        e->sql = NULL;
    }
    return e->sql != NULL || open_feed(app);
}

static bool read_feed(struct events *e)
{
    sql_start(e->sql, VERSION, NULL, 0);
    bool known = sql_next(e->sql, VERSION) && sql_column_int(e->sql, VERSION, 0) <= FEED_VERSION;
    sql_done(e->sql, VERSION);
    sql_start(e->sql, FEED, NULL, 0);
    if (sql_next(e->sql, FEED)) {
        e->epoch = (uint64_t)sql_column_int(e->sql, FEED, 0);
        e->pruned = sql_column_int(e->sql, FEED, 1);
        e->head = sql_column_int(e->sql, FEED, 2);
    }
    sql_done(e->sql, FEED);
    return known && sql_result(e->sql) == SQL_OK;
}

/* The transaction could not be begun or ended: clean up. True: it may go at once. */
static bool failed(struct app *app)
{
    struct events *e = app->events;
    enum sql_result result = sql_result(e->sql);
    int code = sql_code(e->sql);
    if (!sql_rollback(e->sql) && result != SQL_BROKEN) {
        sql_close(e->sql);
        e->sql = NULL;
    } else if (result == SQL_BROKEN) {
        move_aside(app);
        return true;
    }
    if (result != SQL_BUSY) complain(app, "sqlite", code);
    return result == SQL_BUSY;
}

static bool begin(struct app *app, enum statement how)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (tries > 0) usleep(LOCK_NAP_US);
        if (!is_open(app)) return false;
        sql_run(app->events->sql, how, NULL, 0);
        if (read_feed(app->events)) {
            app->events->failed_ms = 0;
            return true;
        }
        if (!failed(app)) return false;
    }
    return false;
}

static bool commit(struct app *app)
{
    struct events *e = app->events;
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        sql_commit(e->sql, COMMIT);
        /* A reader holds its lock for a moment; the transaction stays as it is. */
        if (sql_result(e->sql) != SQL_BUSY || !sql_again(e->sql)) break;
        usleep(LOCK_NAP_US);
    }
    if (sql_result(e->sql) == SQL_OK) return true;
    (void)failed(app);
    return false;
}

static bool oldest(struct events *e, int64_t *id, int64_t *time_ms)
{
    sql_start(e->sql, OLDEST, NULL, 0);
    bool found = sql_next(e->sql, OLDEST);
    *id = found ? sql_column_int(e->sql, OLDEST, 0) : 0;
    *time_ms = found ? sql_column_int(e->sql, OLDEST, 1) : 0;
    sql_done(e->sql, OLDEST);
    return found;
}

static int64_t cut_ms(const struct app *app)
{
    return app_wall_ms(app) - EVENTS_KEPT_MS;
}

/* Must events go, *first and others after it? */
static bool prune_due(struct app *app, int64_t *first)
{
    int64_t time_ms;
    return oldest(app->events, first, &time_ms) &&
           (time_ms <= cut_ms(app) || *first <= app->events->head - EVENTS_KEPT_MAX);
}

static void prune(struct app *app)
{
    struct events *e = app->events;
    int64_t id;
    if (!prune_due(app, &id)) return;
    sql_run(e->sql, PRUNE,
            SQL_ARGS(sql_int(id), sql_int(PRUNE_MAX), sql_int(cut_ms(app)),
                     sql_int(e->head - EVENTS_KEPT_MAX)));
    sql_run(e->sql, SET_PRUNED, SQL_ARGS(sql_int(e->head)));
}

/* ---- putting ---- */

bool events_begin(struct app *app)
{
    if (!begin(app, BEGIN)) return false;
    prune(app);
    return true;
}

bool events_put(struct app *app, const struct event *e)
{
    struct sql *c = app->events->sql;
    if (e->time_ms <= cut_ms(app)) return true;
    sql_run(c, PUT,
            SQL_ARGS(sql_slice(e->room), sql_int((int64_t)e->room_epoch), sql_int(e->order),
                     sql_slice(e->type), sql_slice(e->peer), sql_slice(e->sub),
                     sql_slice(e->reason), sql_int(e->time_ms)));
    return sql_result(c) == SQL_OK;
}

bool events_end(struct app *app, bool keep)
{
    if (keep) return commit(app);
    if (sql_result(app->events->sql) == SQL_OK)
        (void)sql_rollback(app->events->sql);
    else
        (void)failed(app);
    return false;
}

/* ---- reading ---- */

static struct slice copied(struct sql *c, struct arena *a, int column, bool *fits)
{
    struct slice s = sql_column_slice(c, AFTER, column);
    if (s.at == NULL) return SLICE_NONE;
    char *copy = arena_copy(a, s.at, s.len);
    if (copy == NULL) *fits = false;
    return (struct slice){ copy, copy == NULL ? 0 : s.len };
}

static bool read_after(struct events *e, struct arena *a, int64_t after, size_t max,
                       struct events_page *out)
{
    struct sql *c = e->sql;
    bool fits = out->events != NULL;
    sql_start(c, AFTER, SQL_ARGS(sql_int(after), sql_int((int64_t)max + 1)));
    while (fits && sql_next(c, AFTER)) {
        if (out->count == max) {
            out->more = true;
            break;
        }
        out->events[out->count++] = (struct event){
            .id = sql_column_int(c, AFTER, 0),
            .room = copied(c, a, 1, &fits),
            .room_epoch = (uint64_t)sql_column_int(c, AFTER, 2),
            .order = sql_column_int(c, AFTER, 3),
            .type = copied(c, a, 4, &fits),
            .peer = copied(c, a, 5, &fits),
            .sub = copied(c, a, 6, &fits),
            .reason = copied(c, a, 7, &fits),
            .time_ms = sql_column_int(c, AFTER, 8),
        };
    }
    sql_done(c, AFTER);
    return fits;
}

struct problem events_read(struct app *app, struct arena *a, const struct cursor *after, size_t max,
                           struct events_page *out)
{
    struct problem busy = PROBLEM_RETRY(503, "busy", "The feed of events is busy; try again.", 1);
    struct problem broken =
        PROBLEM_RETRY(503, "busy", "The feed of events can't be read; the log says why.", 10);
    memset(out, 0, sizeof *out);
    out->events = arena_alloc(a, max * sizeof *out->events);
    if (!begin(app, BEGIN_READ))
        return app->events != NULL && app->events->failed_ms == 0 ? busy : broken;
    struct events *e = app->events;
    int64_t oldest_id;
    if (prune_due(app, &oldest_id)) {
        (void)events_end(app, false);
        if (events_begin(app)) (void)events_end(app, true);
        if (!begin(app, BEGIN_READ)) return busy;
    }
    bool known = after->given && after->epoch == e->epoch && after->seq <= e->head;
    int64_t from = known && after->seq > e->pruned ? after->seq : e->pruned;
    out->gap = after->given && (!known || after->seq < e->pruned);
    out->next = (struct cursor){ true, e->epoch, from };
    bool fits = read_after(e, a, from, max, out);
    if (out->count > 0) out->next.seq = out->events[out->count - 1].id;
    bool fine = sql_result(e->sql) == SQL_OK;
    (void)events_end(app, false);
    if (!fits) return PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5);
    return fine ? NO_PROBLEM : broken;
}

void events_remove(const struct app *app)
{
    char path[PATH_BYTES];
    if (unlink(path_of(app, "", path)) == 0) unlink(path_of(app, "-journal", path));
}
