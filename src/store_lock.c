/* store_lock: who may make, delete or rename a room's file, and how many there are. Whoever does it
 * has two locks on DATA/rooms.lock, taken without waiting: the byte of the room's lane, of which
 * there are a few, and the room's own byte. Who enters a transaction shares the room's byte until
 * it holds SQLite's own lock: else the file could be deleted and made anew between the look at the
 * path and that lock, and SQLite would take the new file's journal for one that was left to the
 * old.
 *
 * The lock file also holds how many rooms there are and when they were last counted, as text, under
 * a lock on its first byte; a process killed between the count and the file leaves it too high,
 * never too low, and it is counted anew, with all lanes locked, before a join is refused because of
 * it. (A program that knows of no lanes locks the first byte for all it does: while an upgrade goes
 * on it may count one less than are being made.) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "store_internal.h"

enum {
    LOCK_TRIES = 2,
    COUNT_TRIES = 64, /* another process has the count for some microseconds */
    COUNT_BYTES = 48,
    RECOUNT_MS = 10000, /* a full folder is read through at most this often */
    ROOMS_FULL_RETRY_S = 30,
    COUNTED_MAX = 20000, /* files that are counted for who only wants to know */
};

struct problem store_problem_errno(struct app *app, const char *room)
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
    *problem = store_problem_errno(app, room);
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

/* Of the lock file: the count, the rooms, and the lanes. */
static const off_t count_byte = 0, first_room_byte = 1, rooms_bytes = (off_t)1 << 40;
static const off_t first_lane_byte = first_room_byte + rooms_bytes;

static off_t byte_of(const char *room)
{
    return first_room_byte + (off_t)(store_hash(room) % (uint64_t)rooms_bytes);
}

int store_lane(const char *room)
{
    return (int)(store_hash(room) % STORE_LANES);
}

off_t store_lane_byte(int lane)
{
    return first_lane_byte + lane;
}

/* Lock or unlock bytes. False: errno, EAGAIN or EACCES where another process has one. */
static bool lock_bytes(const struct app *app, off_t at, off_t len, short type)
{
    struct flock bytes = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = len };
    return fcntl(app->store->lock_fd, F_OFD_SETLK, &bytes) == 0;
}

/* Lock one byte. False: *problem, 503 busy where another process has it. */
static bool lock_byte(struct app *app, const char *room, off_t at, short type,
                      struct problem *problem)
{
    if (lock_bytes(app, at, 1, type)) return true;
    *problem =
        errno == EAGAIN || errno == EACCES ? store_problem_busy() : store_problem_errno(app, room);
    return false;
}

bool store_guard(struct app *app, const char *room, struct problem *problem)
{
    if (app->store->locked) return true;
    if (app->store->lock_fd < 0 && !open_lock(app, room, problem)) return false;
    return lock_byte(app, room, byte_of(room), F_RDLCK, problem);
}

void store_unguard(struct app *app, const char *room)
{
    if (!app->store->locked) lock_bytes(app, byte_of(room), 1, F_UNLCK);
}

void store_unlock_room(struct app *app, const char *room)
{
    app->store->locked = false;
    lock_bytes(app, byte_of(room), 1, F_UNLCK);
    lock_bytes(app, store_lane_byte(store_lane(room)), 1, F_UNLCK);
}

bool store_lock_room(struct app *app, const char *room, struct problem *problem)
{
    struct store *s = app->store;
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (s->lock_fd < 0 && !open_lock(app, room, problem)) return false;
        if (!lock_byte(app, room, store_lane_byte(store_lane(room)), F_WRLCK, problem))
            return false;
        if (!lock_byte(app, room, byte_of(room), F_WRLCK, problem)) {
            lock_bytes(app, store_lane_byte(store_lane(room)), 1, F_UNLCK);
            return false;
        }
        s->locked = lock_is_there(app);
        if (s->locked) return true;
        close(s->lock_fd); /* and with it what was locked */
        s->lock_fd = -1;
    }
    *problem = store_problem_busy();
    return false;
}

/* Everybody holds the count for a moment only. */
static bool lock_count(const struct app *app)
{
    for (int tries = 0; tries < COUNT_TRIES; tries++) {
        if (lock_bytes(app, count_byte, 1, F_WRLCK)) return true;
        if (errno != EAGAIN && errno != EACCES) return false;
        sched_yield();
    }
    return false;
}

static void unlock_count(const struct app *app)
{
    lock_bytes(app, count_byte, 1, F_UNLCK);
}

/* Beside the lane that this process has: nobody else makes or deletes a room. */
static bool lock_other_lanes(const struct app *app)
{
    return lock_bytes(app, store_lane_byte(0), STORE_LANES, F_WRLCK);
}

static void unlock_other_lanes(const struct app *app, int lane)
{
    int above = STORE_LANES - 1 - lane;
    if (lane > 0) lock_bytes(app, store_lane_byte(0), lane, F_UNLCK);
    if (above > 0) lock_bytes(app, store_lane_byte(lane + 1), above, F_UNLCK);
}

struct count {
    long long rooms, counted_ms;
};

static bool count_read(const struct app *app, struct count *out)
{
    char text[COUNT_BYTES + 1];
    *out = (struct count){ 0 };
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

/* One that can't be counted out leaves the count too high. */
void store_count_out(const struct app *app)
{
    struct count c;
    if (!lock_count(app)) return;
    if (count_read(app, &c)) { /* else counted anew by the next join that makes a room */
        c.rooms -= c.rooms > 0;
        count_write(app, &c);
    }
    unlock_count(app);
}

bool store_is_room_file(const char *file, char room[ROOM_NAME_BYTES_MAX + 1])
{
    size_t len = strlen(file);
    if (len < 4 || len - 3 > ROOM_NAME_BYTES_MAX || strcmp(file + len - 3, ".db") != 0)
        return false;
    memcpy(room, file, len - 3);
    room[len - 3] = '\0';
    return room_name_valid(slice_of(room));
}

/* -1: the folder couldn't be read through. */
static long long count_files(const struct app *app)
{
    char path[STORE_PATH_BYTES], room[ROOM_NAME_BYTES_MAX + 1];
    store_path(app, "", "", path);
    DIR *dir = opendir(path);
    long long count = 0;
    if (dir == NULL) return errno == ENOENT ? 0 : -1;
    errno = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL; errno = 0)
        if (store_is_room_file(e->d_name, room)) count++;
    if (errno != 0) count = -1;
    closedir(dir);
    return count;
}

int64_t store_rooms_count(const struct app *app)
{
    struct count c;
    bool known = app->store->lock_fd >= 0 && count_read(app, &c);
    long long count = known && c.rooms > COUNTED_MAX ? -1 : count_files(app);
    return count >= 0 ? count : known ? c.rooms : 0;
}

/* Count the files, of which nobody makes or deletes one meanwhile. False: somebody does, or they
 * can't be counted now. */
static bool count_anew(const struct app *app, int lane, struct count *out)
{
    if (!lock_other_lanes(app)) return false;
    *out = (struct count){ count_files(app), app_now_ms(app) };
    bool counted = out->rooms >= 0;
    if (counted) count_write(app, out);
    unlock_other_lanes(app, lane);
    return counted;
}

/* Count one more room that this process is about to make. */
struct problem store_count_in(struct app *app, const char *room)
{
    struct count c;
    struct problem problem = NO_PROBLEM;
    long long now_ms = app_now_ms(app);
    if (!lock_count(app)) return store_problem_busy();
    bool known = count_read(app, &c);
    bool fresh = known && now_ms >= c.counted_ms && now_ms - c.counted_ms < RECOUNT_MS;
    if (!known || (c.rooms >= app->cfg.rooms_max && !fresh)) {
        if (!count_anew(app, store_lane(room), &c)) problem = store_problem_busy();
    }
    if (problem.status == 0 && c.rooms >= app->cfg.rooms_max)
        problem = PROBLEM_RETRY(503, "busy", "The server holds as many rooms as it may.",
                                ROOMS_FULL_RETRY_S);
    if (problem.status == 0) {
        c.rooms++;
        count_write(app, &c);
    }
    unlock_count(app);
    return problem;
}
