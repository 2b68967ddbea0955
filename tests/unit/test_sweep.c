#include "sweep.h"

#include "room_fixture.h"

static int rooms(const struct fixture *f)
{
    char path[APP_PATH_BYTES_MAX + 64];
    int count = 0;
    snprintf(path, sizeof path, "%s/rooms", f->app.data_dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t len = strlen(e->d_name);
        if (len > 3 && strcmp(e->d_name + len - 3, ".db") == 0) count++;
    }
    closedir(dir);
    return count;
}

static void make(struct fixture *f, int count)
{
    char room[32];
    struct who w;
    for (int i = 0; i < count; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        join(f, room, &w);
        arena_reset(f->a);
    }
}

static void let_all_graces_end(struct fixture *f)
{
    f->now_ms += f->app.cfg.lease_ms + f->app.cfg.grace_ms;
}

static void rooms_that_nobody_visits_go_a_few_at_a_time(void **state)
{
    struct fixture *f = *state;
    make(f, 30);
    for (int i = 0; i < 12; i++) sweep_some(&f->app, 5);
    assert_int_equal(rooms(f), 30); /* somebody is in each */
    let_all_graces_end(f);
    int before = rooms(f);
    sweep_some(&f->app, 5);
    assert_int_equal(rooms(f), before - 5);
    for (int i = 0; i < 12; i++) sweep_some(&f->app, 5);
    assert_int_equal(rooms(f), 0);
}

static void another_process_goes_on_where_the_last_one_stopped(void **state)
{
    struct fixture *f = *state, other;
    make(f, 20);
    let_all_graces_end(f);
    /* Each visit by a process of its own, as with plain CGI. Live rooms among them must not keep it
     * from getting round. */
    struct who w;
    join(f, "room-0", &w);
    join(f, "room-7", &w);
    for (int i = 0; i < 12; i++) {
        fixture_open(&other, f->app.data_dir);
        other.now_ms = f->now_ms;
        sweep_some(&other.app, 2);
        fixture_close(&other);
    }
    assert_int_equal(rooms(f), 2);
}

static void a_sweep_lets_go_of_files_that_others_deleted(void **state)
{
    struct fixture *f = *state, other;
    make(f, 3);
    let_all_graces_end(f);
    fixture_open(&other, f->app.data_dir);
    other.now_ms = f->now_ms;
    for (int i = 0; i < 3; i++) sweep_some(&other.app, 5);
    fixture_close(&other);
    assert_int_equal(rooms(f), 0);
    assert_int_equal(open_room_files(), 3);
    sweep_some(&f->app, 5);
    assert_int_equal(open_room_files(), 0);
}

static void every_fiftieth_join_sweeps(void **state)
{
    struct fixture *f = *state;
    make(f, 5);
    let_all_graces_end(f);
    for (int i = 0; i < 49; i++) sweep_after_join(&f->app);
    assert_int_equal(rooms(f), 5);
    sweep_after_join(&f->app);
    assert_int_equal(rooms(f), 0);
}

static void a_sweep_announces_a_lapse_and_prunes_old_mail(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct exchange_result mail;
    join(f, "tea", &a);
    f->now_ms += f->app.cfg.lease_ms / 2;
    join(f, "tea", &b);
    send_note(f, "tea", &b, a.peer, "1", "1");
    f->now_ms += f->app.cfg.lease_ms / 2;
    size_t rung = f->app.rung_count;
    sweep_some(&f->app, 5);
    assert_int_equal(f->app.rung_count, rung + 1);
    read_mail(f, "tea", &b, &mail);
    assert_int_equal(mail.count, 1);
    assert_slice(mail.messages[0].type, "peer-left");
    sweep_some(&f->app, 5);
    assert_int_equal(f->app.rung_count, rung + 1);
    /* b stays, and reads no more */
    for (int i = 0; i < 4; i++) {
        struct exchange_ask only = { .room = "tea", .key = slice_of(b.key) };
        f->now_ms += f->app.cfg.ttl_ms / 4;
        assert_ok(room_exchange(&f->app, f->a, &only, &mail));
    }
    sweep_some(&f->app, 5);
    b.cursor.seq = 2;
    read_mail(f, "tea", &b, &mail);
    assert_true(mail.gap);
}

static void a_sweep_survives_nonsense_in_its_file_and_in_the_folder(void **state)
{
    struct fixture *f = *state;
    static const char *const states[] = {
        "", "x", "-5 -9\n", "9223372036854775807 3\n", "99999999999999999999999 1\n", "7 7 7 7 7"
    };
    char path[APP_PATH_BYTES_MAX + 64];
    make(f, 3);
    snprintf(path, sizeof path, "%s/rooms/not a room.db", f->app.data_dir);
    fclose(fopen(path, "we"));
    snprintf(path, sizeof path, "%s/rooms/other", f->app.data_dir);
    fclose(fopen(path, "we"));
    snprintf(path, sizeof path, "%s/rooms/text.db", f->app.data_dir);
    FILE *text = fopen(path, "we");
    for (int i = 0; i < 1000; i++) fputs("no room", text);
    fclose(text);
    let_all_graces_end(f);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        snprintf(path, sizeof path, "%s/sweep", f->app.data_dir);
        FILE *out = fopen(path, "we");
        fputs(states[i], out);
        fclose(out);
        for (int j = 0; j < 3; j++) sweep_some(&f->app, 10);
        for (int j = 0; j < 3; j++) sweep_after_join(&f->app);
    }
    assert_int_equal(rooms(f), 1); /* what was never ours */
}

static void a_sweep_without_a_folder_or_in_a_locked_one_does_nothing(void **state)
{
    struct fixture *f = *state;
    sweep_some(&f->app, 10);
    char data_dir[APP_PATH_BYTES_MAX];
    memcpy(data_dir, f->app.data_dir, sizeof data_dir);
    snprintf(f->app.data_dir, sizeof f->app.data_dir, "%s", "/nonexistent/klatch");
    sweep_some(&f->app, 10);
    sweep_after_join(&f->app);
    memcpy(f->app.data_dir, data_dir, sizeof data_dir);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(rooms_that_nobody_visits_go_a_few_at_a_time),
        CASE(another_process_goes_on_where_the_last_one_stopped),
        CASE(a_sweep_lets_go_of_files_that_others_deleted),
        CASE(every_fiftieth_join_sweeps),
        CASE(a_sweep_announces_a_lapse_and_prunes_old_mail),
        CASE(a_sweep_survives_nonsense_in_its_file_and_in_the_folder),
        CASE(a_sweep_without_a_folder_or_in_a_locked_one_does_nothing),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
