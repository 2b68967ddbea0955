/* store_file: the files themselves. Everything that makes, deletes or renames one happens under two
 * locks on DATA/rooms.lock, taken without waiting: its first byte, and the room's byte. Who enters
 * a transaction shares the room's byte until it holds SQLite's own lock: else the file could be
 * deleted and made anew between the look at the path and that lock, and SQLite would take the new
 * file's journal for one that was left to the old.
 *
 * The lock file also holds how many rooms there are and when they were last counted, as text; a
 * process killed between the count and the file leaves it too high, never too low, and it is
 * counted anew before a join is refused because of it. */
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
    COUNT_BYTES = 48,
    RECOUNT_MS = 10000, /* a full folder is read through at most this often */
    ROOMS_FULL_RETRY_S = 30,
    COUNTED_MAX = 20000, /* files that are counted for who only wants to know */
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

/* ---- rooms.lock ---- */

static struct problem problem_errno(struct app *app, const char *room)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    bool memory = errno == ENOMEM || errno == EMFILE || errno == ENFILE;
    return store_problem_sql(app, room,
                             full     ? SQL_FULL
                             : memory ? SQL_FAILED
                                      : SQL_REFUSED,
                             -errno);
}

static bool open_lock(struct app *app, const char *room, struct problem *problem)
{
    char path[STORE_PATH_BYTES];
    snprintf(path, sizeof path, "%s/rooms.lock", app->data_dir);
    int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    app->store->lock_fd = open(path, flags, 0600);
    if (app->store->lock_fd < 0 && errno == ENOENT && app_find_data_dir(app))
        app->store->lock_fd = open(path, flags, 0600); /* the folder was deleted */
    if (app->store->lock_fd >= 0) return true;
    *problem = problem_errno(app, room);
    return false;
}

/* Is the lock file still the one at the path? Somebody may have deleted it. */
static bool lock_is_there(const struct app *app)
{
    char path[STORE_PATH_BYTES];
    struct stat mine, there;
    snprintf(path, sizeof path, "%s/rooms.lock", app->data_dir);
    return fstat(app->store->lock_fd, &mine) == 0 && lstat(path, &there) == 0 &&
           mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

/* Lock or unlock one byte. False: *problem, 503 busy where another process has it. */
static bool lock_byte(struct app *app, const char *room, off_t at, short type,
                      struct problem *problem)
{
    struct flock byte = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
    if (fcntl(app->store->lock_fd, F_OFD_SETLK, &byte) == 0) return true;
    *problem = errno == EAGAIN || errno == EACCES ? store_problem_busy() : problem_errno(app, room);
    return false;
}

static off_t byte_of(const char *room)
{
    return (off_t)(1 + store_hash(room) % (UINT64_C(1) << 40));
}

bool store_guard(struct app *app, const char *room, struct problem *problem)
{
    if (app->store->locked) return true;
    if (app->store->lock_fd < 0 && !open_lock(app, room, problem)) return false;
    return lock_byte(app, room, byte_of(room), F_RDLCK, problem);
}

void store_unguard(struct app *app, const char *room)
{
    struct problem ignored;
    if (!app->store->locked) lock_byte(app, room, byte_of(room), F_UNLCK, &ignored);
}

static bool lock_room(struct app *app, const char *room, struct problem *problem)
{
    struct store *s = app->store;
    struct problem ignored;
    if (s->lock_fd >= 0 && !lock_is_there(app)) {
        close(s->lock_fd);
        s->lock_fd = -1;
    }
    if (s->lock_fd < 0 && !open_lock(app, room, problem)) return false;
    if (!lock_byte(app, room, 0, F_WRLCK, problem)) return false;
    if (lock_byte(app, room, byte_of(room), F_WRLCK, problem)) {
        s->locked = lock_is_there(app);
        if (s->locked) return true;
        *problem = store_problem_busy();
        lock_byte(app, room, byte_of(room), F_UNLCK, &ignored);
    }
    lock_byte(app, room, 0, F_UNLCK, &ignored);
    return false;
}

static void unlock_room(struct app *app, const char *room)
{
    struct problem ignored;
    app->store->locked = false;
    lock_byte(app, room, byte_of(room), F_UNLCK, &ignored);
    lock_byte(app, room, 0, F_UNLCK, &ignored);
}

struct count {
    long long rooms, counted_ms;
};

static bool count_read(const struct app *app, struct count *out)
{
    char text[COUNT_BYTES + 1];
    ssize_t len = pread(app->store->lock_fd, text, COUNT_BYTES, 0);
    if (len <= 0) return false;
    text[len] = '\0';
    char *end;
    out->rooms = strtoll(text, &end, 10);
    if (end == text || *end != ' ') return false;
    out->counted_ms = strtoll(end, &end, 10);
    return *end == '\n' && out->rooms >= 0;
}

static void count_write(const struct app *app, const struct count *c)
{
    int fd = app->store->lock_fd;
    char text[COUNT_BYTES + 1];
    int len = snprintf(text, sizeof text, "%lld %lld\n", c->rooms, c->counted_ms);
    if (pwrite(fd, text, (size_t)len, 0) == len && ftruncate(fd, len) == 0) return;
    if (ftruncate(fd, 0) != 0) log_event(LOG_LEVEL_WARNING, "store-count", "errno=%d", errno);
}

static void count_add(const struct app *app, long long change)
{
    struct count c;
    if (!count_read(app, &c)) return; /* counted anew by the next join that makes a room */
    c.rooms = c.rooms + change < 0 ? 0 : c.rooms + change;
    count_write(app, &c);
}

static bool is_room_file(const char *file, char room[ROOM_NAME_BYTES_MAX + 1])
{
    size_t len = strlen(file);
    if (len < 4 || len - 3 > ROOM_NAME_BYTES_MAX || strcmp(file + len - 3, ".db") != 0)
        return false;
    memcpy(room, file, len - 3);
    room[len - 3] = '\0';
    return room_name_valid(slice_of(room));
}

static long long count_files(const struct app *app)
{
    char path[STORE_PATH_BYTES], room[ROOM_NAME_BYTES_MAX + 1];
    store_path(app, "", "", path);
    DIR *dir = opendir(path);
    long long count = 0;
    if (dir == NULL) return 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (is_room_file(e->d_name, room)) count++;
    closedir(dir);
    return count;
}

int64_t store_rooms_count(const struct app *app)
{
    struct count c;
    bool known = app->store->lock_fd >= 0 && count_read(app, &c);
    return known && c.rooms > COUNTED_MAX ? c.rooms : count_files(app);
}

/* May another room be made? */
static bool count_allows(const struct app *app)
{
    struct count c;
    long long now_ms = app_now_ms(app);
    bool known = count_read(app, &c);
    if (known && c.rooms < app->cfg.rooms_max) return true;
    if (known && now_ms >= c.counted_ms && now_ms - c.counted_ms < RECOUNT_MS) return false;
    c = (struct count){ count_files(app), now_ms };
    count_write(app, &c);
    return c.rooms < app->cfg.rooms_max;
}

/* ---- making ---- */

/* The file that a room begins as, under the one name that the maker's lock gives to one process. */
static int open_new(const struct app *app, char path[STORE_PATH_BYTES])
{
    char folder[STORE_PATH_BYTES];
    int flags = O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
    store_path(app, "new", "", path);
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
    int fd = open_new(app, new);
    ssize_t n = fd < 0 ? -1 : write(fd, s->blank, s->blank_len);
    if (n >= 0 && (size_t)n < s->blank_len) errno = ENOSPC;
    if (n == (ssize_t)s->blank_len && rename(new, path) == 0) {
        close(fd);
        return true;
    }
    *problem = problem_errno(app, room);
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
    if (unlink(path) == 0) count_add(r->app, -1);
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
    if (!lock_room(app, room, &problem)) return problem;
    for (int tries = 0; tries < MAKE_TRIES && problem.status == 0; tries++) {
        struct store_room *r = NULL;
        switch (store_enter(app, room, STORE_LOCK_WRITE, &r, &problem)) {
        case STORE_ENTERED: /* another process was first */
            unlock_room(app, room);
            *out = r;
            return NO_PROBLEM;
        case STORE_BLANK:
            build(r);
            store_entered(r);
            *out = r;
            return NO_PROBLEM; /* what failed is told at the end, as always */
        case STORE_MISSING:
            if (!count_allows(app)) {
                problem = PROBLEM_RETRY(503, "busy", "The server holds as many rooms as it may.",
                                        ROOMS_FULL_RETRY_S);
            } else {
                count_add(app, 1);
                if (!create_file(app, room, &problem)) count_add(app, -1);
            }
            break;
        case STORE_CLOSED: remove_files(r); break;
        case STORE_BROKEN: problem = move_aside_locked(r); break;
        case STORE_MOVED: break;
        case STORE_NEWER: problem = store_problem_newer(); break;
        case STORE_FAILED: break;
        }
        if (problem.status == 404) problem = NO_PROBLEM; /* moved aside: the place is free */
    }
    unlock_room(app, room);
    return problem.status != 0 ? problem : store_problem_busy();
}

void store_made(struct store_room *r, bool committed)
{
    struct app *app = r->app;
    char room[ROOM_NAME_BYTES_MAX + 1];
    memcpy(room, r->name, sizeof room);
    r->making = false;
    if (!committed) remove_files(r);
    unlock_room(app, room);
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
    if (!lock_room(app, room, &problem)) return problem;
    switch (store_enter(app, room, STORE_LOCK_EXCLUSIVE, &r, &problem)) {
    case STORE_ENTERED:
        if (store_members_any(r) || stays(r) || store_failed(r)) {
            problem = store_abort(r);
            break;
        }
        if (app->cfg.events)
            store_event_add(r, "room-closed", NULL, SLICE_NONE, NULL, app_wall_ms(app));
        sql_run(r->sql, ST_ROOM_CLOSE, SQL_ARGS(sql_int(ROOM_GONE)));
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
    unlock_room(app, room);
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
            count_add(app, -1);
            log_event(LOG_LEVEL_WARNING, "store-broken", "room=%s moved-to=%s", r->name, to);
        } else {
            problem = problem_errno(app, r->name);
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
    if (!lock_room(app, room, &problem)) {
        store_drop(r);
        return problem;
    }
    problem = move_aside_locked(r);
    unlock_room(app, room);
    return problem;
}

struct problem store_events_move_closed(struct app *app, const char *room)
{
    struct problem problem = NO_PROBLEM;
    struct store_room *r = NULL;
    if (!lock_room(app, room, &problem)) return problem;
    enum store_entry entry = store_enter(app, room, STORE_LOCK_WRITE, &r, &problem);
    if (entry == STORE_CLOSED && !store_events_out(r)) problem = store_problem_busy();
    if (entry == STORE_ENTERED) problem = store_abort(r); /* somebody has made it anew */
    unlock_room(app, room);
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
        if (!is_room_file(e->d_name, room)) continue;
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
        if (!is_room_file(e->d_name, room) || strcmp(room, after) <= 0) continue;
        found++;
        count = insert_name(out, count, max, room);
    }
    closedir(dir);
    *more = found > count;
    return count;
}
