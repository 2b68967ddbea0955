/* store_file: the files themselves: making, deleting, moving aside, visiting. Whatever makes,
 * deletes or renames one does it with its room locked (store_lock.c). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "store_internal.h"

enum {
    MAKE_TRIES = 4,
};

void store_path(const struct app *app, const char *room, const char *suffix,
                char out[STORE_PATH_BYTES])
{
    snprintf(out, STORE_PATH_BYTES, "%s/rooms/%s%s", app->data_dir, room, suffix);
}

bool store_stamp(const struct app *app, const char *room, struct room_stamp *out)
{
    char path[STORE_PATH_BYTES];
    struct stat st;
    store_path(app, room, ".db", path);
    if (lstat(path, &st) != 0) return false;
    out->device = st.st_dev;
    out->inode = st.st_ino;
    out->changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    out->touched_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
    return true;
}

/* ---- making ---- */

/* The file that a room begins as, under the one name that its lane gives to one process. */
static int open_new(const struct app *app, int lane, char path[STORE_PATH_BYTES])
{
    char folder[STORE_PATH_BYTES], name[16];
    snprintf(name, sizeof name, "new-%d", lane);
    int flags = O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
    store_path(app, name, "", path);
    int fd = open(path, flags, 0600);
    if (fd >= 0 || errno != ENOENT) return fd;
    store_path(app, "", "", folder);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return -1;
    return open(path, flags, 0600);
}

/* A file with the tables and no room in it: parsing the schema anew for each room would cost half a
 * millisecond. Nobody can have it open yet, so that closing it here takes no lock from SQLite.
 * False: *problem. */
static bool create_file(struct app *app, const char *room, struct problem *problem)
{
    struct store *s = app->store;
    char path[STORE_PATH_BYTES], new[STORE_PATH_BYTES];
    if (s->blank == NULL) s->blank = sql_template(schema_sql, &s->blank_len);
    if (s->blank == NULL) {
        *problem = store_problem_sql(app, room, SQL_FAILED, -ENOMEM);
        return false;
    }
    store_path(app, room, ".db", path);
    int fd = open_new(app, store_lane(room), new);
    ssize_t n = fd < 0 ? -1 : write(fd, s->blank, s->blank_len);
    if (n >= 0 && (size_t)n < s->blank_len) errno = ENOSPC;
    if (n == (ssize_t)s->blank_len && rename(new, path) == 0) {
        close(fd);
        return true;
    }
    *problem = store_problem_errno(app, room);
    if (fd < 0) return false;
    close(fd);
    unlink(new);
    return false;
}

/* Unlink the journal first: one that outlived its file would be played into the next. */
static void remove_files(struct store_room *r)
{
    char path[STORE_PATH_BYTES];
    if (sql_moved(r->sql)) { /* what is at the path is another's */
        store_drop(r);
        return;
    }
    if (!store_events_out(r)) return; /* who comes next finds it closed, and tries again */
    store_path(r->app, r->name, ".db-journal", path);
    unlink(path);
    store_path(r->app, r->name, ".db", path);
    if (unlink(path) == 0) store_count_out(r->app);
    store_drop(r);
}

/* Insert the room into a blank file; the transaction stays open. */
static void build(struct store_room *r)
{
    uint64_t epoch;
    ident_random(&epoch, sizeof epoch);
    r->making = true;
    sql_run(r->sql, ST_BEGIN_IMMEDIATE, NULL, 0);
    sql_run(
        r->sql, ST_ROOM_INSERT,
        SQL_ARGS(sql_int((int64_t)epoch), sql_text(r->app->boot_id), sql_int(app_wall_ms(r->app))));
    store_room_read(r);
}

static struct problem move_aside_locked(struct store_room *r);

struct problem store_make(struct app *app, const char *room, struct store_room **out)
{
    struct problem problem = NO_PROBLEM;
    if (!store_lock_room(app, room, &problem)) return problem;
    for (int tries = 0; tries < MAKE_TRIES && problem.status == 0; tries++) {
        struct store_room *r = NULL;
        switch (store_enter(app, room, STORE_LOCK_WRITE, &r, &problem)) {
        case STORE_ENTERED: /* another process was first */
            store_unlock_room(app, room);
            *out = r;
            return NO_PROBLEM;
        case STORE_BLANK:
            build(r);
            store_entered(r);
            *out = r;
            return NO_PROBLEM; /* what failed is told at the end, as always */
        case STORE_MISSING:
            problem = store_count_in(app, room);
            if (problem.status == 0 && !create_file(app, room, &problem)) store_count_out(app);
            break;
        case STORE_CLOSED: remove_files(r); break;
        case STORE_BROKEN: problem = move_aside_locked(r); break;
        case STORE_MOVED: break;
        case STORE_NEWER: problem = store_problem_newer(); break;
        case STORE_FAILED: break;
        }
        if (problem.status == 404) problem = NO_PROBLEM; /* moved aside: the place is free */
    }
    store_unlock_room(app, room);
    return problem.status != 0 ? problem : store_problem_busy();
}

void store_made(struct store_room *r, bool committed)
{
    struct app *app = r->app;
    char room[ROOM_NAME_BYTES_MAX + 1];
    memcpy(room, r->name, sizeof room);
    r->making = false;
    if (!committed) remove_files(r);
    store_unlock_room(app, room);
}

/* ---- deleting and moving aside ---- */

static bool stays(struct store_room *r)
{
    int64_t opened_ms;
    bool stays;
    store_room_opened(r, &opened_ms, &stays);
    return stays;
}

struct problem store_delete(struct app *app, const char *room)
{
    struct problem problem = NO_PROBLEM;
    struct store_room *r = NULL;
    if (!store_lock_room(app, room, &problem)) return problem;
    switch (store_enter(app, room, STORE_LOCK_EXCLUSIVE, &r, &problem)) {
    case STORE_ENTERED:
        if (store_members_any(r) || stays(r) || store_failed(r)) {
            problem = store_abort(r);
            break;
        }
        if (app->cfg.events)
            store_event_add(r, "room-closed", NULL, SLICE_NONE, NULL, app_wall_ms(app));
        store_room_end(r, ROOM_GONE);
        problem = store_commit(r);
        if (problem.status == 0) remove_files(r);
        break;
    case STORE_BLANK:
    case STORE_CLOSED: remove_files(r); break;
    case STORE_BROKEN: problem = move_aside_locked(r); break;
    case STORE_MOVED: problem = store_problem_busy(); break;
    case STORE_NEWER: problem = store_problem_newer(); break;
    case STORE_MISSING:
    case STORE_FAILED: break;
    }
    store_unlock_room(app, room);
    return problem;
}

static struct problem move_aside_locked(struct store_room *r)
{
    char from[STORE_PATH_BYTES], to[STORE_PATH_BYTES], suffix[48];
    struct stat st;
    struct app *app = r->app;
    struct problem problem = store_problem_missing();
    if (!sql_moved(r->sql)) { /* else somebody else did it, or a new room is there */
        int64_t time_ms = app_wall_ms(app);
        do {
            snprintf(suffix, sizeof suffix, ".broken-%lld", (long long)time_ms++);
            store_path(app, r->name, suffix, to);
        } while (lstat(to, &st) == 0);
        char journal_to[STORE_PATH_BYTES + 16];
        snprintf(journal_to, sizeof journal_to, "%s-journal", to);
        store_path(app, r->name, ".db-journal", from);
        /* One that holds something belongs to the broken file. */
        if (lstat(from, &st) == 0 && (st.st_size == 0 || rename(from, journal_to) != 0))
            unlink(from);
        store_path(app, r->name, ".db", from);
        if (rename(from, to) == 0) {
            store_count_out(app);
            log_event(LOG_LEVEL_WARNING, "store-broken", "room=%s moved-to=%s", r->name, to);
        } else {
            problem = store_problem_errno(app, r->name);
        }
    }
    store_drop(r);
    return problem;
}

struct problem store_move_aside(struct store_room *r)
{
    struct problem problem = NO_PROBLEM;
    struct app *app = r->app;
    char room[ROOM_NAME_BYTES_MAX + 1];
    memcpy(room, r->name, sizeof room);
    if (!store_lock_room(app, room, &problem)) {
        store_drop(r);
        return problem;
    }
    problem = move_aside_locked(r);
    store_unlock_room(app, room);
    return problem;
}

struct problem store_events_move_closed(struct app *app, const char *room)
{
    struct problem problem = NO_PROBLEM;
    struct store_room *r = NULL;
    if (!store_lock_room(app, room, &problem)) return problem;
    enum store_entry entry = store_enter(app, room, STORE_LOCK_WRITE, &r, &problem);
    if (entry == STORE_CLOSED && !store_events_out(r)) problem = store_problem_busy();
    if (entry == STORE_ENTERED) problem = store_abort(r); /* somebody has made it anew */
    store_unlock_room(app, room);
    return problem;
}

int64_t store_closed_for_ms(const struct app *app, const char *room)
{
    struct room_stamp stamp;
    if (!store_stamp(app, room, &stamp)) return 0;
    return app_wall_ms(app) - stamp.changed_ns / 1000000;
}

/* ---- visiting ---- */

int64_t store_rooms_from(struct app *app, int64_t place, int count,
                         void (*visit)(struct app *app, const char *room))
{
    char path[STORE_PATH_BYTES], room[ROOM_NAME_BYTES_MAX + 1];
    store_path(app, "", "", path);
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    /* Linux's directory offsets stay good across processes; one that doesn't only starts elsewhere.
     */
    if (place > 0) seekdir(dir, (long)place);
    /* Also bounds how many other files are passed over. */
    struct dirent *e = NULL;
    for (int left = count * 8; count > 0 && left > 0 && (e = readdir(dir)) != NULL; left--) {
        if (!store_is_room_file(e->d_name, room)) continue;
        count--;
        visit(app, room);
    }
    int64_t next = e == NULL && count > 0 ? 0 : telldir(dir);
    closedir(dir);
    return next;
}

/* Put `name` where it belongs among the `count` first ones; the last of `max` falls off. */
static size_t insert_name(char (*names)[ROOM_NAME_BYTES_MAX + 1], size_t count, size_t max,
                          const char *name)
{
    size_t at = count;
    while (at > 0 && strcmp(names[at - 1], name) > 0) at--;
    if (at == max) return count;
    size_t moved = (count < max ? count : max - 1) - at;
    memmove(names[at + 1], names[at], moved * sizeof names[0]);
    memcpy(names[at], name, strlen(name) + 1);
    return count < max ? count + 1 : max;
}

size_t store_rooms_after(struct app *app, const char *after, char (*out)[ROOM_NAME_BYTES_MAX + 1],
                         size_t max, bool *more)
{
    char path[STORE_PATH_BYTES], room[ROOM_NAME_BYTES_MAX + 1];
    size_t count = 0, found = 0;
    *more = false;
    store_path(app, "", "", path);
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (!store_is_room_file(e->d_name, room) || strcmp(room, after) <= 0) continue;
        found++;
        count = insert_name(out, count, max, room);
    }
    closedir(dir);
    *more = found > count;
    return count;
}
