#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store_fixture.h"

/* ---- making and deleting ---- */

static void a_room_is_made_by_its_first_join_in_a_folder_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct who a;
    int64_t peers;
    struct room_settings settings;
    assert_problem(room_info(&f->app, "tea", &peers, &settings), 404, "room-not-found");
    assert_false(there(f, "rooms"));
    join(f, "tea", &a);
    assert_int_equal(mode_of(f, "rooms"), 0700);
    assert_int_equal(mode_of(f, "rooms.lock"), 0600);
    assert_int_equal(mode_of(f, "rooms/tea.db"), 0600);
    assert_int_equal(mode_of(f, "rooms/tea.db-journal"), 0600);
    assert_ok(room_info(&f->app, "tea", &peers, &settings));
    assert_int_equal(peers, 1);
    assert_false(settings.locked);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(*) FROM message"), 0);
}

static void a_room_whose_making_is_given_up_was_never_there(void **state)
{
    struct fixture *f = *state;
    struct store_room *r;
    assert_ok(store_begin(&f->app, "tea", STORE_MAKE, &r));
    assert_ok(store_abort(r));
    assert_int_equal(files_with(f, "tea"), 0);
    assert_ok(store_begin(&f->app, "tea", STORE_MAKE, &r));
    store_out_of_memory(r);
    assert_problem(store_commit(r), 503, "busy");
    assert_int_equal(files_with(f, "tea"), 0);
    assert_ok(join_of(f, "tea"));
}

static void an_epoch_is_drawn_for_each_room_file(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    join(f, "tea", &a);
    join(f, "milk", &b);
    assert_true(a.cursor.epoch != b.cursor.epoch);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT epoch FROM room"), (int64_t)a.cursor.epoch);
}

static void a_room_with_a_member_row_is_not_deleted(void **state)
{
    struct fixture *f = *state;
    struct who a;
    join(f, "tea", &a);
    assert_ok(store_delete(&f->app, "tea"));
    assert_true(there(f, "rooms/tea.db"));
    sql(f, "rooms/tea.db", "DELETE FROM member");
    assert_ok(store_delete(&f->app, "tea"));
    assert_int_equal(files_with(f, "tea"), 0);
    assert_ok(store_delete(&f->app, "tea"));
}

static void what_a_killed_deleter_or_maker_left_is_no_room_and_makes_way_for_one(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct exchange_result res;
    int64_t peers;
    struct room_settings settings;
    join(f, "tea", &a);
    uint64_t epoch = a.cursor.epoch;
    sql(f, "rooms/tea.db", "UPDATE room SET closed = 1");
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &res), 404, "room-not-found");
    assert_problem(room_info(&f->app, "tea", &peers, &settings), 404, "room-not-found");
    join(f, "tea", &a);
    assert_true(a.cursor.epoch != epoch);

    write_file(f, "rooms/blank.db", "", 0);
    assert_problem(room_info(&f->app, "blank", &peers, &settings), 404, "room-not-found");
    assert_ok(join_of(f, "blank"));

    write_file(f, "rooms/blank2.db", "", 0);
    sql(f, "rooms/tea.db", "UPDATE room SET closed = 1");
    assert_ok(room_sweep(&f->app, "tea"));
    assert_ok(room_sweep(&f->app, "blank2"));
    assert_int_equal(files_with(f, "tea"), 0);
    assert_int_equal(files_with(f, "blank2"), 0);
}

static void a_cached_room_that_was_made_anew_elsewhere_is_opened_again(void **state)
{
    struct fixture *f = *state, other;
    struct who a, b;
    struct exchange_result res;
    struct room_wait wait = { .room = "tea" };
    join(f, "tea", &a);
    sql(f, "rooms/tea.db", "DELETE FROM member");
    fixture_open(&other, f->app.data_dir);
    assert_ok(store_delete(&other.app, "tea"));
    memcpy(wait.peer, a.peer, sizeof a.peer);
    assert_problem(room_look(&f->app, f->a, &wait, &res), 410, "room-closed");
    join(&other, "tea", &b);
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &res), 401, "key-invalid");
    assert_ok(exchange(f, "tea", &b, true, NULL, 0, &res));
    assert_problem(room_look(&f->app, f->a, &wait, &res), 410, "session-expired");
    fixture_close(&other);
}

/* ---- bounds ---- */

enum { FILES_A_ROOM = 2 }; /* the database and its journal */

static int open_files(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL) count++;
    closedir(dir);
    return count;
}

static void the_cache_keeps_as_many_rooms_open_as_it_may(void **state)
{
    struct fixture *f = *state;
    char room[32];
    struct who who[20];
    struct exchange_result res;
    f->app.cfg.rooms_open_max = 4;
    assert_ok(room_sweep(&f->app, "none")); /* opens the lock file, which stays open */
    int before = open_files();
    for (int i = 0; i < 20; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        join(f, room, &who[i]);
        assert_true(open_files() <= before + FILES_A_ROOM * 4);
    }
    for (int i = 0; i < 20; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        assert_ok(exchange(f, room, &who[i], true, NULL, 0, &res));
    }
    assert_int_equal(open_files(), before + FILES_A_ROOM * 4);
}

static void a_connection_whose_file_has_gone_is_closed_by_trimming(void **state)
{
    struct fixture *f = *state;
    char path[APP_PATH_BYTES_MAX + 512];
    assert_ok(room_sweep(&f->app, "none"));
    int before = open_files();
    assert_ok(join_of(f, "tea"));
    assert_ok(join_of(f, "milk"));
    path_of(f, "rooms/tea.db", path);
    unlink(path);
    store_trim(&f->app, 1);
    assert_int_equal(open_files(), before + FILES_A_ROOM);
    store_trim(&f->app, 8);
    assert_int_equal(open_files(), before + FILES_A_ROOM);
}

static void a_connection_that_nobody_used_for_5_s_is_closed_by_trimming(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct exchange_result res;
    assert_ok(room_sweep(&f->app, "none"));
    int before = open_files();
    assert_ok(join_of(f, "milk"));
    join(f, "tea", &a);
    f->now_ms += 4999;
    assert_ok(exchange(f, "tea", &a, true, NULL, 0, &res));
    store_trim(&f->app, 8);
    assert_int_equal(open_files(), before + 2 * FILES_A_ROOM);
    f->now_ms++;
    store_trim(&f->app, 8);
    assert_int_equal(open_files(), before + FILES_A_ROOM);
}

/* ---- other processes ---- */

/* Hold a write transaction in another process from here to release(). */
static pid_t hold(struct fixture *f, int *end)
{
    int ready[2], done[2];
    char folder[APP_PATH_BYTES_MAX], byte;
    snprintf(folder, sizeof folder, "%s", f->app.data_dir);
    assert_int_equal(pipe(ready) | pipe(done), 0);
    fixture_shut(f);
    pid_t pid = fork();
    if (pid == 0) {
        struct fixture mine;
        struct store_room *r;
        close(done[1]);
        fixture_open(&mine, folder);
        if (store_begin(&mine.app, "tea", STORE_WRITE, &r).status != 0) _exit(1);
        store_tally(r, NULL, &(struct tally){ .head = 777 });
        if (write(ready[1], "x", 1) != 1) _exit(1);
        if (read(done[0], &byte, 1) != 0) _exit(1);
        _exit(store_abort(r).status);
    }
    close(done[0]);
    close(ready[1]);
    f->app.store = store_open(&f->app);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *end = done[1];
    return pid;
}

static void release(pid_t pid, int end)
{
    int status;
    close(end);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_room_that_another_process_writes_is_busy_and_unchanged(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result res;
    int end;
    join(f, "tea", &a);
    read_mail(f, "tea", &a, &res); /* the key's first use */
    pid_t pid = hold(f, &end);
    struct problem p = join_of(f, "tea");
    assert_problem(p, 503, "busy");
    assert_int_equal(p.retry_after_s, 1);
    assert_problem(try_send(f, "tea", &a, NULL, "1", "1"), 503, "busy");
    assert_problem(room_leave(&f->app, "tea", slice_of(a.key), false), 503, "busy");
    assert_ok(exchange(f, "tea", &a, true, NULL, 0, &res)); /* reading goes on */
    f->now_ms += f->app.cfg.lease_ms / 2;                   /* but not what would renew */
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &res), 503, "busy");
    assert_ok(join_of(f, "milk")); /* nor is any other room held up */
    release(pid, end);
    join(f, "tea", &b);
    assert_int_equal(b.cursor.seq, 2);
    send_note(f, "tea", &a, NULL, "1", "1");
}

static int kill_between_statements(struct fixture *f)
{
    struct store_room *r;
    if (store_begin(&f->app, "tea", STORE_WRITE, &r).status != 0) return 1;
    store_tally(r, NULL, &(struct tally){ .head = 999 });
    store_messages_delete_all(r, 999);
    pid_t pid = getpid();
    kill(pid, SIGKILL);
    return 2;
}

static void a_process_killed_in_a_transaction_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result res;
    int status;
    join(f, "tea", &a);
    join(f, "tea", &b);
    send_note(f, "tea", &a, NULL, "1", "\"kept\"");
    fixture_shut(f);
    pid_t pid = fork();
    if (pid == 0) {
        struct fixture mine;
        fixture_open(&mine, f->app.data_dir);
        _exit(kill_between_statements(&mine));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    f->app.store = store_open(&f->app);
    read_mail(f, "tea", &b, &res);
    assert_int_equal(res.count, 1);
    assert_slice(res.messages[0].data, "\"kept\"");
    assert_int_equal(res.messages[0].seq, 3);
}

static int write_beyond_the_limit(struct fixture *f)
{
    static char big[60000];
    struct who a, b;
    struct exchange_result res;
    join(f, "tea", &a);
    join(f, "tea", &b);
    memset(big, 'a', sizeof big - 1);
    big[0] = big[sizeof big - 2] = '"';
    send_note(f, "tea", &a, NULL, "1", "1");
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 40000, 40000 });
    struct problem p = try_send(f, "tea", &a, NULL, "2", big);
    if (p.status != 507 || strcmp(p.code, "disk-full") != 0) return 1;
    p = try_send(f, "tea", &a, NULL, "3", "3"); /* what fits still goes */
    if (p.status != 0) return 2;
    read_mail(f, "tea", &b, &res);
    if (res.count != 2 || !slice_is(res.messages[1].data, "3")) return 3;
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 0, 40000 });
    if (try_send(f, "tea", &a, NULL, "4", "4").status != 507) return 4;
    if (join_of(f, "new").status != 507) return 5;
    return 0;
}

static void a_full_disk_is_told_and_leaves_the_room_whole(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(in_child(f, write_beyond_the_limit), 0);
    assert_int_equal(sql(f, "rooms/tea.db",
                         "SELECT count(*) FROM pragma_integrity_check"
                         " WHERE integrity_check = 'ok'"),
                     1);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(*) FROM message_id"), 2);
    assert_ok(join_of(f, "new"));
}

enum { NOT_PERMITTED = 77 };

static int fill_a_file_system(struct fixture *f)
{
    struct who a, b;
    struct problem p = { 0 };
    char id[32], data[3001];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", f->app.data_dir, "tmpfs", 0, "size=200k") != 0)
        return NOT_PERMITTED;
    memset(data, '5', sizeof data - 1);
    data[sizeof data - 1] = '\0';
    join(f, "tea", &a);
    join(f, "tea", &b);
    for (int i = 0; i < 100 && p.status == 0; i++) {
        snprintf(id, sizeof id, "%d", i);
        p = try_send(f, "tea", &a, b.peer, id, data);
    }
    if (p.status != 507 || strcmp(p.code, "disk-full") != 0) return 1;
    struct exchange_result mail;
    for (int i = 0; i < 3; i++) /* reading goes on; nothing was half written */
        if (exchange(f, "tea", &b, i > 0, NULL, 0, &mail).status != 0) return 2;
    for (int i = 0; i < 8; i++) {
        snprintf(id, sizeof id, "room-%d", i);
        p = join_of(f, id);
        if (p.status != 0 && p.status != 507) return 3;
    }
    return p.status == 507 ? 0 : 4;
}

static void a_full_file_system_is_told_too(void **state)
{
    struct fixture *f = *state;
    int status = in_child(f, fill_a_file_system);
    if (status == NOT_PERMITTED) skip();
    assert_int_equal(status, 0);
}

static int act_as_somebody_else(struct fixture *f)
{
    int64_t peers;
    struct room_settings settings;
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 1;
    struct problem p = join_of(f, "new");
    if (p.status != 503 || p.retry_after_s <= 1) return 2;
    p = join_of(f, "tea");
    if (p.status != 503 || p.retry_after_s <= 1) return 3;
    p = room_info(&f->app, "tea", &peers, &settings);
    if (p.status != 503 || p.retry_after_s <= 1) return 4;
    return 0;
}

static void a_data_folder_without_permission_is_told(void **state)
{
    struct fixture *f = *state;
    char rooms[APP_PATH_BYTES_MAX + 512];
    assert_ok(join_of(f, "tea"));
    path_of(f, "rooms", rooms);
    chmod(rooms, 0);
    assert_int_equal(in_child(f, act_as_somebody_else), 0);
    chmod(rooms, 0700);
    assert_ok(join_of(f, "new"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_room_is_made_by_its_first_join_in_a_folder_of_its_own),
        CASE(a_room_whose_making_is_given_up_was_never_there),
        CASE(an_epoch_is_drawn_for_each_room_file),
        CASE(a_room_with_a_member_row_is_not_deleted),
        CASE(what_a_killed_deleter_or_maker_left_is_no_room_and_makes_way_for_one),
        CASE(a_cached_room_that_was_made_anew_elsewhere_is_opened_again),
        CASE(the_cache_keeps_as_many_rooms_open_as_it_may),
        CASE(a_connection_whose_file_has_gone_is_closed_by_trimming),
        CASE(a_connection_that_nobody_used_for_5_s_is_closed_by_trimming),
        CASE(a_room_that_another_process_writes_is_busy_and_unchanged),
        CASE(a_process_killed_in_a_transaction_changes_nothing),
        CASE(a_full_disk_is_told_and_leaves_the_room_whole),
        CASE(a_full_file_system_is_told_too),
        CASE(a_data_folder_without_permission_is_told),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
