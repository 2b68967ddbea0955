/* room_fixture: an app with a data folder of its own, a clock that the test turns and no bell, and
 * short forms of the calls of room.h. Rings are counted by app->rung_count. */
#ifndef KLATCH_ROOM_FIXTURE_H
#define KLATCH_ROOM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "arena.h"
#include "log.h"
#include "room.h"
#include "store.h"

enum { FIXTURE_ARENA_BYTES = 8 << 20 };

struct fixture {
    struct app app;
    struct arena *a;
    int64_t now_ms;
};

static inline int64_t fixture_now_ms(void *arg)
{
    return ((struct fixture *)arg)->now_ms;
}

static inline int64_t fixture_wall_ms(void *arg)
{
    return 1700000000000 + ((struct fixture *)arg)->now_ms;
}

/* Open the store of a data folder; what a second process would do. */
static inline void fixture_open(struct fixture *f, const char *data_dir)
{
    memset(f, 0, sizeof *f);
    config_default(&f->app.cfg);
    snprintf(f->app.data_dir, sizeof f->app.data_dir, "%s", data_dir);
    snprintf(f->app.boot_id, sizeof f->app.boot_id, "boot-one");
    f->now_ms = 1000000;
    f->app.now_ms = fixture_now_ms;
    f->app.wall_ms = fixture_wall_ms;
    f->app.clock_arg = f;
    f->a = arena_new(FIXTURE_ARENA_BYTES);
    assert_non_null(f->a);
    f->app.store = store_open(&f->app);
    assert_non_null(f->app.store);
}

/* Before a fork: no connection crosses it. */
static inline void fixture_shut(struct fixture *f)
{
    store_close(f->app.store);
    f->app.store = NULL;
}

static inline void fixture_close(struct fixture *f)
{
    store_close(f->app.store);
    arena_free(f->a);
}

static inline void fixture_folder(char out[APP_PATH_BYTES_MAX])
{
    const char *parent = getenv("TMPDIR");
    char name[APP_PATH_BYTES_MAX];
    snprintf(name, sizeof name, "%s/klatch-unit-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(name));
    char *real = realpath(name, NULL);
    assert_non_null(real);
    snprintf(out, APP_PATH_BYTES_MAX, "%s", real);
    free(real);
}

static inline void fixture_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char *path;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (asprintf(&path, "%s/%s", folder, e->d_name) < 0) abort();
        if (unlink(path) != 0) fixture_remove(path);
        free(path);
    }
    closedir(dir);
    rmdir(folder);
}

static inline int fixture_setup(void **state)
{
    char folder[APP_PATH_BYTES_MAX];
    struct fixture *f = malloc(sizeof *f);
    assert_non_null(f);
    log_open(getenv("SHOW") ? 2 : open("/dev/null", 1), LOG_LEVEL_ERROR);
    fixture_folder(folder);
    fixture_open(f, folder);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    fixture_remove(f->app.data_dir);
    free(f);
    return 0;
}

/* How many room files has this process open? */
static inline int open_room_files(void)
{
    char path[64], target[APP_PATH_BYTES_MAX];
    int count = 0;
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(path, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        if (strstr(target, ".db") != NULL && strstr(target, "-journal") == NULL) count++;
    }
    return count;
}

/* ---- short forms ---- */

#define assert_problem(expression, wanted_status, wanted_code)                        \
    do {                                                                              \
        struct problem problem_ = (expression);                                       \
        assert_int_equal(problem_.status, wanted_status);                             \
        assert_string_equal(problem_.code == NULL ? "" : problem_.code, wanted_code); \
        if (problem_.status != 0) assert_non_null(problem_.detail);                   \
    } while (0)
#define assert_ok(expression) assert_problem(expression, 0, "")
#define assert_slice(s, text) assert_true(slice_is((s), (text)))

struct who {
    char peer[IDENT_PEER_BYTES + 1];
    char key[IDENT_KEY_BYTES + 1];
    struct cursor cursor;
    int64_t joined;
};

static inline struct problem try_join(struct fixture *f, const struct join_ask *ask,
                                      struct join_result *out)
{
    return room_join(&f->app, f->a, ask, out);
}

static inline void join_as(struct fixture *f, const struct join_ask *ask, struct who *out)
{
    struct join_result res;
    struct problem p = try_join(f, ask, &res);
    if (p.status != 0) fail_msg("join: %d %s: %s", p.status, p.code, p.detail);
    memcpy(out->peer, res.peer, sizeof out->peer);
    memcpy(out->key, res.key, sizeof out->key);
    out->cursor = res.cursor;
    out->joined = res.cursor.seq;
}

static inline void join(struct fixture *f, const char *room, struct who *out)
{
    join_as(f, &(struct join_ask){ .room = room }, out);
}

/* Exchange with `count` messages; the cursor goes on when it read. */
static inline struct problem exchange(struct fixture *f, const char *room, struct who *w, bool read,
                                      const struct message_in *send, size_t count,
                                      struct exchange_result *out)
{
    struct exchange_ask ask = {
        .room = room, .key = slice_of(w->key), .send = send, .send_count = count
    };
    if (read) ask.after = w->cursor;
    struct problem p = room_exchange(&f->app, f->a, &ask, out);
    if (read && p.status == 0) w->cursor = out->next;
    return p;
}

static inline struct problem try_send(struct fixture *f, const char *room, struct who *from,
                                      const char *to, const char *id, const char *data)
{
    struct exchange_result res;
    struct message_in m = {
        .id = slice_of(id), .to = slice_of(to), .type = slice_of("note"), .data = slice_of(data)
    };
    return exchange(f, room, from, false, &m, 1, &res);
}

static inline void send_note(struct fixture *f, const char *room, struct who *from, const char *to,
                             const char *id, const char *data)
{
    struct problem p = try_send(f, room, from, to, id, data);
    if (p.status != 0) fail_msg("send %s: %d %s: %s", id, p.status, p.code, p.detail);
}

static inline void read_mail(struct fixture *f, const char *room, struct who *w,
                             struct exchange_result *out)
{
    struct problem p = exchange(f, room, w, true, NULL, 0, out);
    if (p.status != 0) fail_msg("read: %d %s: %s", p.status, p.code, p.detail);
}

static inline void read_empty(struct fixture *f, const char *room, struct who *w)
{
    struct exchange_result res;
    do read_mail(f, room, w, &res);
    while (res.count > 0 || res.gap);
}

/* Notes with the ids and data `first`, `first` + 1 … */
static inline void send_many(struct fixture *f, struct who *from, const char *to, int first,
                             int count)
{
    char id[32];
    for (int i = first; i < first + count; i++) {
        snprintf(id, sizeof id, "%d", i);
        send_note(f, "tea", from, to, id, id);
    }
}

/* How many messages of members the mailbox of "tea" holds. */
static inline int64_t held(struct fixture *f)
{
    struct store_room *r;
    assert_ok(store_begin(&f->app, "tea", STORE_READ, &r));
    int64_t messages = store_room(r)->messages;
    assert_ok(store_commit(r));
    return messages;
}

/* A host's call about `peer`, in the room "tea". */
typedef struct problem host_call(struct app *app, struct arena *a, const struct host_ask *ask,
                                 struct room_settings *out);

static inline struct problem call_as_host(struct fixture *f, host_call *what, const struct who *w,
                                          const char *peer, bool ban)
{
    struct room_settings now;
    struct host_ask ask = {
        .room = "tea", .key = slice_of(w->key), .peer = slice_of(peer), .ban = ban
    };
    return what(&f->app, f->a, &ask, &now);
}

#endif
