/* Several processes on one room: what one of them does, or dies of, harms no other. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#include "room_fixture.h"

enum {
    SENDERS = 3,
    EACH = 150,
    PATIENCE_MS = 20000, /* for a locked room; a busy machine may be slow */
    RACE_ROUNDS = 1500,  /* of each process */
    RACE_MS = 8000,      /* but no longer than this */
    KILLS = 60,
    KNOCKS = 60, /* of each process */
};

static int64_t real_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Repeat a call while it meets a locked file, as the loop does. */
#define PATIENTLY(expression)                                                \
    __extension__({                                                          \
        int64_t until_ms_ = real_ms() + PATIENCE_MS;                         \
        struct problem p_;                                                   \
        while ((p_ = (expression)).status == 503 && p_.retry_after_s == 1 && \
               real_ms() < until_ms_)                                        \
            usleep(500);                                                     \
        p_;                                                                  \
    })

/* Run in a process of its own; the exit status is the line that failed, or 0. */
static pid_t start(const char *folder, int (*run)(struct fixture *, int), int which)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid != 0) return pid;
    struct fixture mine;
    fixture_open(&mine, folder);
    int line = run(&mine, which);
    if (line != 0) fprintf(stderr, "process %d failed at line %d\n", which, line);
    _exit(line != 0);
}

static void finish(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define CHECK(condition)                   \
    do {                                   \
        if (!(condition)) return __LINE__; \
    } while (0)

/* Comes in whatever somebody who was killed has set. */
static const struct token_claims by_token = { .given = true, .sub = { "7", 1 }, .host = true };

/* ---- sending and reading at once ---- */

static int join_patiently(struct fixture *f, const char *room, struct who *w)
{
    struct join_result res;
    struct join_ask ask = { .room = room, .token = by_token };
    struct problem p = PATIENTLY(try_join(f, &ask, &res));
    if (p.status != 0) return p.status;
    memcpy(w->peer, res.peer, sizeof w->peer);
    memcpy(w->key, res.key, sizeof w->key);
    w->cursor = res.cursor;
    return 0;
}

static int send_each(struct fixture *f, int which)
{
    struct who w;
    char id[16], data[32];
    CHECK(join_patiently(f, "tea", &w) == 0);
    for (int i = 0; i < EACH; i++) {
        snprintf(id, sizeof id, "%d", i);
        snprintf(data, sizeof data, "%d", which * 1000 + i);
        CHECK(PATIENTLY(try_send(f, "tea", &w, NULL, id, data)).status == 0);
        /* Now and then the answer is lost. */
        if (i % 7 == 0) CHECK(PATIENTLY(try_send(f, "tea", &w, NULL, id, data)).status == 0);
        arena_reset(f->a);
    }
    return 0;
}

static void messages_of_several_processes_arrive_once_and_in_order(void **state)
{
    struct fixture *f = *state;
    struct who reader;
    pid_t pid[SENDERS];
    int next[SENDERS] = { 0 }, left = SENDERS * EACH;
    join(f, "tea", &reader);
    char folder[APP_PATH_BYTES_MAX];
    snprintf(folder, sizeof folder, "%s", f->app.data_dir);
    fixture_shut(f);
    for (int i = 0; i < SENDERS; i++) pid[i] = start(folder, send_each, i);
    f->app.store = store_open(&f->app);
    int64_t until_ms = real_ms() + PATIENCE_MS, seq = 0;
    while (left > 0 && real_ms() < until_ms) {
        struct exchange_result mail;
        struct problem p = PATIENTLY(exchange(f, "tea", &reader, true, NULL, 0, &mail));
        assert_int_equal(p.status, 0);
        assert_false(mail.gap);
        for (size_t i = 0; i < mail.count; i++) {
            assert_true(mail.messages[i].seq > seq);
            seq = mail.messages[i].seq;
            if (mail.messages[i].from.at == NULL) continue;
            int data = atoi(mail.messages[i].data.at), which = data / 1000;
            assert_int_equal(data % 1000, next[which]);
            next[which]++;
            left--;
        }
        arena_reset(f->a);
    }
    assert_int_equal(left, 0);
    for (int i = 0; i < SENDERS; i++) finish(pid[i]);
}

/* ---- deletion against joining ---- */

static int join_leave_sweep(struct fixture *f, int which)
{
    struct who w;
    struct exchange_result mail;
    int64_t until_ms = real_ms() + RACE_MS;
    f->app.cfg.grace_ms = 0; /* the last one to leave leaves an empty room */
    for (int i = 0; i < RACE_ROUNDS && real_ms() < until_ms; i++) {
        CHECK(join_patiently(f, "tea", &w) == 0);
        if (PATIENTLY(exchange(f, "tea", &w, true, NULL, 0, &mail)).status != 0) return __LINE__;
        CHECK(!mail.gap);
        if (i % 3 == which) CHECK(PATIENTLY(try_send(f, "tea", &w, NULL, "1", "1")).status == 0);
        CHECK(PATIENTLY(room_leave(&f->app, "tea", slice_of(w.key), false)).status == 0);
        struct problem p = room_sweep(&f->app, "tea");
        CHECK(p.status == 0 || p.status == 503);
        arena_reset(f->a);
    }
    return 0;
}

static void nobody_who_joined_loses_its_room_to_a_deletion(void **state)
{
    struct fixture *f = *state;
    pid_t pid[2];
    for (int i = 0; i < 2; i++) pid[i] = start(f->app.data_dir, join_leave_sweep, i);
    for (int i = 0; i < 2; i++) finish(pid[i]);
}

/* ---- a host against those who come and go ---- */

static struct problem host_asks(struct fixture *f, const struct who *host, bool admit,
                                const char *peer)
{
    struct room_settings now;
    struct host_ask ask = { .room = "tea", .key = slice_of(host->key), .peer = slice_of(peer) };
    return PATIENTLY(admit ? room_admit(&f->app, f->a, &ask, &now)
                           : room_kick(&f->app, f->a, &ask, &now));
}

/* Knocks; then leaves, waits to be let in, or is sent away, whichever comes first. */
static int knock_and_go(struct fixture *f, int which)
{
    struct exchange_result mail;
    f->app.cfg.grace_ms = 5;
    for (int i = 0; i < KNOCKS; i++) {
        struct join_result res;
        struct problem p = PATIENTLY(try_join(f, &(struct join_ask){ .room = "tea" }, &res));
        CHECK(p.status == 0 && res.waiting);
        struct who w = { .cursor = res.cursor };
        memcpy(w.key, res.key, sizeof w.key);
        for (int turn = 0; turn < (i + which) % 4; turn++) {
            p = PATIENTLY(exchange(f, "tea", &w, true, NULL, 0, &mail));
            if (p.status != 0) break;
            CHECK(!mail.gap);
        }
        CHECK(p.status == 0 || p.status == 403 || p.status == 410);
        p = PATIENTLY(room_leave(&f->app, "tea", slice_of(w.key), false));
        CHECK(p.status == 0 || p.status == 401); /* forgotten, once its grace is over */
        arena_reset(f->a);
    }
    return 0;
}

static void letting_in_sending_away_and_leaving_cross_without_harm(void **state)
{
    struct fixture *f = *state;
    struct who host;
    struct exchange_result mail;
    struct room_settings now;
    char folder[APP_PATH_BYTES_MAX];
    pid_t pid[2];
    int knocked = 0, joined = 0, left = 0, withdrew = 0;
    join(f, "tea", &host);
    struct settings_ask ask = {
        .room = "tea", .key = slice_of(host.key), .set_lobby = true, .lobby = true
    };
    assert_ok(room_set(&f->app, f->a, &ask, &now));
    snprintf(folder, sizeof folder, "%s", f->app.data_dir);
    fixture_shut(f);
    for (int i = 0; i < 2; i++) pid[i] = start(folder, knock_and_go, i);
    f->app.store = store_open(&f->app);
    int64_t until_ms = real_ms() + PATIENCE_MS;
    while (left + withdrew < 2 * KNOCKS && real_ms() < until_ms) {
        assert_int_equal(PATIENTLY(exchange(f, "tea", &host, true, NULL, 0, &mail)).status, 0);
        assert_false(mail.gap);
        for (size_t i = 0; i < mail.count; i++) {
            const struct message_out *m = &mail.messages[i];
            char peer[IDENT_PEER_BYTES + 1] = "";
            strncpy(peer, m->data.at + strlen("{\"peer\":\""), IDENT_PEER_BYTES);
            joined += slice_is(m->type, "peer-joined");
            left += slice_is(m->type, "peer-left");
            withdrew += slice_is(m->type, "peer-withdrew");
            if (!slice_is(m->type, "peer-knocking")) continue;
            knocked++;
            int status = host_asks(f, &host, knocked % 3 != 0, peer).status;
            assert_true(status == 0 || status == 404);
        }
        arena_reset(f->a);
    }
    for (int i = 0; i < 2; i++) finish(pid[i]);
    assert_int_equal(knocked, 2 * KNOCKS);
    assert_int_equal(joined, left); /* each let in once, gone once */
    assert_int_equal(joined + withdrew, 2 * KNOCKS);
}

/* ---- killed at any instant ---- */

/* Where it is host: somebody knocks and is sent away, and a member is. */
static int send_out_another(struct fixture *f, const char *room, const struct who *w)
{
    struct join_result res;
    struct room_settings now;
    for (int lobby = 1; lobby >= 0; lobby--) {
        struct settings_ask ask = {
            .room = room, .key = slice_of(w->key), .set_lobby = true, .lobby = lobby
        };
        struct problem p = PATIENTLY(room_set(&f->app, f->a, &ask, &now));
        if (p.status == 403) return 0;
        if (p.status != 0) return p.status;
        struct join_ask join_ask = { .room = room, .address = "192.0.2.1" };
        p = PATIENTLY(try_join(f, &join_ask, &res));
        if (p.status == 403) return 0; /* by the ban before */
        if (p.status != 0 || res.waiting != (lobby != 0)) return __LINE__;
        struct host_ask kick = {
            .room = room, .key = slice_of(w->key), .peer = slice_of(res.peer), .ban = lobby == 0
        };
        p = PATIENTLY(room_kick(&f->app, f->a, &kick, &now));
        if (p.status != 0) return p.status;
    }
    return 0;
}

static int forever(struct fixture *f, int which)
{
    struct who w;
    struct exchange_result mail;
    char room[16], id[24];
    f->app.cfg.grace_ms = 0;
    for (int64_t i = 0;; i++) {
        snprintf(room, sizeof room, "room-%d", (int)(i % 2));
        CHECK(join_patiently(f, room, &w) == 0);
        for (int j = 0; j < 5; j++) {
            snprintf(id, sizeof id, "%d", j);
            CHECK(PATIENTLY(try_send(f, room, &w, NULL, id, "\"some words\"")).status == 0);
            CHECK(PATIENTLY(exchange(f, room, &w, true, NULL, 0, &mail)).status == 0);
        }
        CHECK(send_out_another(f, room, &w) == 0);
        CHECK(PATIENTLY(room_leave(&f->app, room, slice_of(w.key), false)).status == 0);
        (void)room_sweep(&f->app, room);
        arena_reset(f->a);
        if (i < 0) return which;
    }
}

static int64_t count(const struct fixture *f, const char *room, const char *text)
{
    char path[APP_PATH_BYTES_MAX + 64];
    sqlite3 *db;
    sqlite3_stmt *st;
    int64_t n = -1;
    snprintf(path, sizeof path, "%s/rooms/%s.db", f->app.data_dir, room);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void killing_a_process_anywhere_leaves_whole_rooms_that_go_on(void **state)
{
    struct fixture *f = *state;
    struct who w;
    char folder[APP_PATH_BYTES_MAX];
    snprintf(folder, sizeof folder, "%s", f->app.data_dir);
    for (int i = 0; i < KILLS; i++) {
        fixture_shut(f);
        pid_t pid = start(folder, forever, 0);
        usleep(3000 + (useconds_t)(i * 7919 % 23000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        f->app.store = store_open(&f->app);
        for (int room = 0; room < 2; room++) {
            char name[32];
            snprintf(name, sizeof name, "room-%d", room);
            struct join_ask ask = { .room = name, .token = by_token };
            assert_ok(try_join(f, &ask, &(struct join_result){ 0 }));
            join_as(f, &ask, &w);
            send_note(f, name, &w, NULL, "1", "1");
            assert_int_equal(count(f, name,
                                   "SELECT count(*) FROM pragma_integrity_check"
                                   " WHERE integrity_check = 'ok'"),
                             1);
            assert_int_equal(count(f, name,
                                   "SELECT messages - (SELECT count(*) FROM message"
                                   " WHERE server = 0) FROM room"),
                             0);
            assert_int_equal(count(f, name, "SELECT closed FROM room"), 0);
            if (i % 2 == 0) { /* let the next one meet an empty place now and then */
                f->now_ms += f->app.cfg.lease_ms + f->app.cfg.grace_ms;
                assert_ok(room_sweep(&f->app, name));
                f->now_ms -= f->app.cfg.lease_ms + f->app.cfg.grace_ms;
            }
        }
        arena_reset(f->a);
    }
    char path[APP_PATH_BYTES_MAX + 64];
    snprintf(path, sizeof path, "%s/rooms", f->app.data_dir);
    DIR *dir = opendir(path);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strstr(e->d_name, "broken") != NULL) fail_msg("%s", e->d_name);
    closedir(dir);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(messages_of_several_processes_arrive_once_and_in_order),
        CASE(nobody_who_joined_loses_its_room_to_a_deletion),
        CASE(letting_in_sending_away_and_leaving_cross_without_harm),
        CASE(killing_a_process_anywhere_leaves_whole_rooms_that_go_on),
    };
    return cmocka_run_group_tests_name("room_processes", tests, NULL, NULL);
}
