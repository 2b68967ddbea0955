#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bell.h"
#include "events.h"
#include "room_admin.h"
#include "store_fixture.h"

enum { USES = 20, USES_MAX = 100000 };

static int with_bell(void **state)
{
    char path[APP_PATH_BYTES_MAX + 512];
    if (fixture_setup(state) != 0) return 1;
    struct fixture *f = *state;
    path_of(f, "bell", path);
    f->app.bell = bell_open(path, f->app.boot_id);
    f->app.keeps_rooms = true;
    return f->app.bell == NULL;
}

static int without_bell(void **state)
{
    struct fixture *f = *state;
    bell_close(f->app.bell);
    f->app.bell = NULL;
    return fixture_teardown(state);
}

static void use(struct fixture *f, struct who *w, int times)
{
    struct exchange_result mail;
    for (int i = 0; i < times; i++) {
        assert_ok(exchange(f, "tea", w, true, NULL, 0, &mail));
        arena_reset(f->a);
    }
}

static bool is_kept(const struct fixture *f)
{
    return store_keeps(&f->app, bell_bucket("tea"));
}

/* The status of a join from another process; it has a bell of its own, as every process has. */
static int join_elsewhere(const struct fixture *f)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fixture mine;
        char path[APP_PATH_BYTES_MAX + 512];
        fixture_open(&mine, f->app.data_dir);
        path_of(&mine, "bell", path);
        mine.app.bell = bell_open(path, mine.app.boot_id);
        _exit(join_of(&mine, "tea").status == 503 ? 50 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_room_that_one_process_uses_is_kept_until_another_asks_for_it(void **state)
{
    struct fixture *f = *state;
    struct who a;
    join(f, "tea", &a);
    assert_true(is_kept(f)); /* it made the room */
    send_note(f, "tea", &a, NULL, "1", "1");
    store_let_go_asked(&f->app);
    assert_true(is_kept(f));
    assert_int_equal(join_elsewhere(f), 50);
    store_let_go_asked(&f->app);
    assert_false(is_kept(f));
    assert_int_equal(join_elsewhere(f), 0);
    use(f, &a, 1); /* who joined there is seen here */
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(*) FROM member"), 2);
}

static int uses_until_kept(struct fixture *f, struct who *w)
{
    int uses = 0;
    for (; !is_kept(f) && uses < USES_MAX; uses++) use(f, w, 1);
    return uses;
}

static void a_room_that_is_asked_for_is_kept_later_each_time(void **state)
{
    struct fixture *f = *state;
    struct who a;
    join(f, "tea", &a);
    int before = uses_until_kept(f, &a);
    for (int i = 0; i < 3; i++) {
        app_ask_for(&f->app, "tea");
        store_let_go_asked(&f->app);
        int now = uses_until_kept(f, &a);
        assert_true(now > before && now < USES_MAX);
        before = now;
    }
}

static void a_room_that_was_not_used_for_a_second_is_let_go(void **state)
{
    struct fixture *f = *state;
    struct who a;
    join(f, "tea", &a);
    use(f, &a, USES);
    f->now_ms += 500;
    assert_in_range(store_let_go_unused(&f->app), 1, 1000);
    assert_true(is_kept(f));
    f->now_ms += 500;
    assert_true(store_let_go_unused(&f->app) == INT64_MAX);
    assert_false(is_kept(f));
    assert_int_equal(join_elsewhere(f), 0);
}

static void a_room_is_shared_where_others_use_it_or_cannot_be_heard(void **state)
{
    struct fixture *f = *state;
    struct who a;
    f->app.keeps_rooms = false;
    join(f, "tea", &a);
    use(f, &a, USES);
    assert_false(is_kept(f));
    f->app.keeps_rooms = true;
    use(f, &a, USES);
    assert_true(is_kept(f));
    store_let_go_all(&f->app);
    assert_false(is_kept(f));
    assert_int_equal(join_elsewhere(f), 0);
}

static void a_kept_rooms_counters_are_those_of_its_file_after_a_failed_write(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    struct rlimit before;
    static char big[60000];
    memset(big, 'a', sizeof big - 1);
    big[0] = big[sizeof big - 2] = '"';
    join(f, "tea", &a);
    join(f, "tea", &b);
    send_note(f, "tea", &a, NULL, "1", "1");
    assert_true(is_kept(f));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 60000, before.rlim_max });
    struct problem p = try_send(f, "tea", &a, NULL, "2", big);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_problem(p, 507, "disk-full");
    send_note(f, "tea", &a, NULL, "3", "3");
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 2);
    assert_int_equal(mail.messages[1].seq, mail.messages[0].seq + 1);
    assert_true(is_kept(f));
}

static void a_room_that_its_owner_closed_is_closed_to_who_keeps_it(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct exchange_result mail;
    join(f, "tea", &a);
    use(f, &a, 2);
    assert_true(is_kept(f));
    assert_ok(room_close(&f->app, "tea"));
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 410, "room-closed");
}

static void a_kept_room_whose_file_was_deleted_is_noticed_within_a_second(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct exchange_result mail;
    char path[APP_PATH_BYTES_MAX + 512];
    join(f, "tea", &a);
    use(f, &a, USES);
    path_of(f, "rooms/tea.db", path);
    assert_int_equal(unlink(path), 0);
    f->now_ms += 1000;
    assert_problem(exchange(f, "tea", &a, true, NULL, 0, &mail), 404, "room-not-found");
    assert_false(is_kept(f));
}

static void the_sweeper_leaves_a_room_that_is_kept_elsewhere_to_who_keeps_it(void **state)
{
    struct fixture *f = *state;
    struct who a;
    int status;
    join(f, "tea", &a);
    use(f, &a, USES);
    pid_t pid = fork();
    if (pid == 0) {
        struct fixture mine;
        char path[APP_PATH_BYTES_MAX + 512];
        fixture_open(&mine, f->app.data_dir);
        path_of(&mine, "bell", path);
        mine.app.bell = bell_open(path, mine.app.boot_id);
        mine.now_ms = f->now_ms + 10 * mine.app.cfg.lease_ms;
        _exit(room_sweep(&mine.app, "tea").status == 503 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    store_let_go_asked(&f->app);
    assert_true(is_kept(f));
}

/* Another process, by whose clock all graces are over, sweeps the room and makes it anew. */
static void sweep_and_join_elsewhere(const struct fixture *f)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fixture mine;
        fixture_open(&mine, f->app.data_dir);
        mine.now_ms = f->now_ms + 2 * (mine.app.cfg.lease_ms + mine.app.cfg.grace_ms);
        room_sweep(&mine.app, "tea");
        mine.now_ms += mine.app.cfg.lease_ms + mine.app.cfg.grace_ms;
        room_sweep(&mine.app, "tea");
        mine.now_ms = f->now_ms;
        _exit(join_of(&mine, "tea").status == 0 ? 0 : 50);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_room_that_is_to_be_kept_but_not_yet_locked_may_be_anothers_by_now(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    join(f, "tea", &a);
    assert_true(is_kept(f));
    sweep_and_join_elsewhere(f);
    join(f, "tea", &b);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(*) FROM member"), 2);
}

enum { ROOMS = 40, CONNECTIONS_MAX = 16 };

static void many_rooms_take_turns_on_few_connections(void **state)
{
    struct fixture *f = *state;
    struct who who[ROOMS];
    struct exchange_result mail;
    char room[32], data[16];
    for (int i = 0; i < ROOMS; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        join(f, room, &who[i]);
        f->now_ms += 200;
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < ROOMS; i++) {
            struct who reader;
            snprintf(room, sizeof room, "room-%d", i);
            snprintf(data, sizeof data, "%d", 100 * round + i);
            if (round == 2) join(f, room, &reader);
            send_note(f, room, &who[i], NULL, data, data);
            if (round == 2) {
                assert_ok(exchange(f, room, &reader, true, NULL, 0, &mail));
                assert_int_equal(mail.count, 1);
                assert_slice(mail.messages[0].data, data);
            }
            assert_true(open_room_files() <= CONNECTIONS_MAX);
            f->now_ms += 200;
            arena_reset(f->a);
        }
    }
}

static void a_connection_that_turns_to_an_older_programs_file_completes_it(void **state)
{
    struct fixture *f = *state;
    static const char *const later[] = {
        "ALTER TABLE member DROP COLUMN sub",
        "ALTER TABLE member DROP COLUMN role",
        "ALTER TABLE member DROP COLUMN jti",
        "ALTER TABLE member DROP COLUMN address_hash",
        "ALTER TABLE member DROP COLUMN left_why",
        "ALTER TABLE room DROP COLUMN password_salt",
        "ALTER TABLE room DROP COLUMN password_hash",
        "ALTER TABLE room DROP COLUMN rules",
        "DROP TABLE ban",
        "ALTER TABLE room DROP COLUMN opened_ms",
        "ALTER TABLE room DROP COLUMN stays",
        "DROP TABLE event",
    };
    struct who old, w, other;
    char room[32];
    join(f, "tea", &old);
    for (int i = 0; i < ROOMS; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        join(f, room, &w);
        f->now_ms += 200;
        store_let_go_unused(&f->app);
    }
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        (void)sql(f, "rooms/tea.db", later[i]);
    join(f, "tea", &other);
    assert_true(open_room_files() <= CONNECTIONS_MAX);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(role) FROM member"), 2);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(rules) FROM room"), 1);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(hash) FROM ban"), 0);
}

static void a_file_with_a_column_for_each_rule_keeps_its_rules(void **state)
{
    struct fixture *f = *state;
    static const char *const former[] = {
        "ALTER TABLE room DROP COLUMN rules",
        "ALTER TABLE room ADD COLUMN locked INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE room ADD COLUMN lobby INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE room ADD COLUMN hosted INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE room ADD COLUMN watched INTEGER NOT NULL DEFAULT 0",
    };
    struct who w;
    join(f, "tea", &w);
    store_let_go_all(&f->app);
    fixture_shut(f);
    for (size_t i = 0; i < sizeof former / sizeof former[0]; i++)
        (void)sql(f, "rooms/tea.db", former[i]);
    f->app.store = store_open(&f->app);
    assert_problem(join_of(f, "tea"), 423, "room-locked");
    store_let_go_all(&f->app);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT rules FROM room"), 1 + 8);
    assert_problem(join_of(f, "tea"), 423, "room-locked");
    assert_int_equal(files_with(f, ".broken"), 0);
}

/* The feed can't take the last events now, so that the file of a room that is over stays. */
static void a_held_room_that_is_over_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    sqlite3 *feed;
    char path[APP_PATH_BYTES_MAX + 512];
    f->app.cfg.events = true;
    join(f, "tea", &a);
    uint64_t epoch = a.cursor.epoch;
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    f->now_ms += f->app.cfg.grace_ms + 10;
    path_of(f, "events.db", path);
    assert_int_equal(sqlite3_open_v2(path, &feed, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(feed, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_true(is_kept(f));
    (void)room_sweep(&f->app, "tea");
    assert_true(there(f, "rooms/tea.db"));
    assert_int_equal(sqlite3_close(feed), SQLITE_OK);
    join(f, "tea", &b);
    assert_true(b.cursor.epoch != epoch);
    store_let_go_all(&f->app);
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT closed FROM room"), 0);
    events_close(f->app.events);
    f->app.events = NULL;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_bell, without_bell)
    const struct CMUnitTest tests[] = {
        CASE(a_room_that_one_process_uses_is_kept_until_another_asks_for_it),
        CASE(a_room_that_is_asked_for_is_kept_later_each_time),
        CASE(a_room_that_was_not_used_for_a_second_is_let_go),
        CASE(a_room_is_shared_where_others_use_it_or_cannot_be_heard),
        CASE(a_kept_rooms_counters_are_those_of_its_file_after_a_failed_write),
        CASE(a_room_that_its_owner_closed_is_closed_to_who_keeps_it),
        CASE(a_kept_room_whose_file_was_deleted_is_noticed_within_a_second),
        CASE(the_sweeper_leaves_a_room_that_is_kept_elsewhere_to_who_keeps_it),
        CASE(a_room_that_is_to_be_kept_but_not_yet_locked_may_be_anothers_by_now),
        CASE(many_rooms_take_turns_on_few_connections),
        CASE(a_connection_that_turns_to_an_older_programs_file_completes_it),
        CASE(a_file_with_a_column_for_each_rule_keeps_its_rules),
        CASE(a_held_room_that_is_over_is_made_anew),
    };
    return cmocka_run_group_tests_name("store_keep", tests, NULL, NULL);
}
