/* Whether a room's file has changed, by its times. */
#include "store_fixture.h"

#include <time.h>

static int64_t wall_ahead_ms;

static int64_t real_wall_ms(void *arg)
{
    struct timespec t;
    (void)arg;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + wall_ahead_ms;
}

static void a_room_is_known_as_unchanged_once_its_last_write_is_a_moment_old(void **state)
{
    struct fixture *f = *state;
    struct who a, b;
    struct room_stamp stamp = { 0 };
    char path[APP_PATH_BYTES_MAX + 64];
    const struct timespec old[2] = { { 1000, 0 }, { 1000, 5 } };
    f->app.wall_ms = real_wall_ms;
    assert_false(room_unchanged(&f->app, "tea", &stamp)); /* there is none */
    join(f, "tea", &a);
    join(f, "tea", &b);
    assert_false(room_unchanged(&f->app, "tea", &stamp));
    assert_false(room_unchanged(&f->app, "tea", &stamp)); /* written this very moment */
    snprintf(path, sizeof path, "%s/rooms/tea.db", f->app.data_dir);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_false(room_unchanged(&f->app, "tea", &stamp));
    assert_true(room_unchanged(&f->app, "tea", &stamp));
    f->app.data_remote = true;
    assert_false(room_unchanged(&f->app, "tea", &stamp));
    f->app.data_remote = false;
    send_note(f, "tea", &a, b.peer, "1", "1");
    assert_false(room_unchanged(&f->app, "tea", &stamp));
}

static void a_room_is_known_as_unchanged_since_it_was_looked_at(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct room_stamp stamp = { 0 }, again;
    struct stat st;
    char path[APP_PATH_BYTES_MAX + 64], other[APP_PATH_BYTES_MAX + 64];
    snprintf(path, sizeof path, "%s/rooms/tea.db", f->app.data_dir);
    snprintf(other, sizeof other, "%s/rooms/other.db", f->app.data_dir);
    f->app.wall_ms = real_wall_ms;
    join(f, "tea", &a);
    room_looked_at(&f->app, &stamp);
    again = stamp;
    assert_false(room_unchanged(&f->app, "tea", &again)); /* written this very moment */
    wall_ahead_ms = 1000;
    again = stamp;
    assert_true(room_unchanged(&f->app, "tea", &again));
    assert_true(room_unchanged(&f->app, "tea", &again));
    /* Another file, though it was written before. */
    do {
        assert_int_equal(rename(path, other), 0);
        assert_int_equal(rename(other, path), 0);
        assert_int_equal(lstat(path, &st), 0);
    } while (st.st_ctim.tv_sec * 1000 + st.st_ctim.tv_nsec / 1000000 <= stamp.looked_ms);
    again = stamp;
    assert_false(room_unchanged(&f->app, "tea", &again));
    room_looked_at(&f->app, &stamp);
    stamp.looked_ms -= wall_ahead_ms;
    do {
        assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
        join(f, "tea", &a);
        assert_int_equal(lstat(path, &st), 0);
    } while (st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 <= stamp.looked_ms);
    assert_false(room_unchanged(&f->app, "tea", &stamp));
    wall_ahead_ms = 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_room_is_known_as_unchanged_once_its_last_write_is_a_moment_old),
        CASE(a_room_is_known_as_unchanged_since_it_was_looked_at),
    };
    return cmocka_run_group_tests_name("room_stamp", tests, NULL, NULL);
}
