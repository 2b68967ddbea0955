/* Rooms' files are made and deleted by one at a time, and counted. */
#include <fcntl.h>
#include <sys/resource.h>

#include "store_fixture.h"
#include "store_internal.h"

static void no_more_rooms_are_made_than_allowed_and_the_count_mends_itself(void **state)
{
    struct fixture *f = *state;
    char path[APP_PATH_BYTES_MAX + 512];
    f->app.cfg.rooms_max = 3;
    assert_ok(join_of(f, "a"));
    assert_ok(join_of(f, "b"));
    assert_ok(join_of(f, "c"));
    struct problem p = join_of(f, "d");
    assert_problem(p, 503, "busy");
    assert_true(p.retry_after_s > 1);
    assert_int_equal(files_with(f, "d.db-journal") + files_with(f, "/d.db"), 0);
    assert_ok(join_of(f, "a"));
    sql(f, "rooms/a.db", "DELETE FROM member");
    assert_ok(store_delete(&f->app, "a"));
    assert_ok(join_of(f, "d"));
    assert_problem(join_of(f, "e"), 503, "busy");
    path_of(f, "rooms/b.db", path); /* deleted by hand: nobody counted it */
    unlink(path);
    assert_problem(join_of(f, "e"), 503, "busy");
    f->now_ms += 11000;
    assert_ok(join_of(f, "e"));
    assert_problem(join_of(f, "g"), 503, "busy");
    write_file(f, "rooms.lock", "nonsense", 8);
    assert_problem(join_of(f, "g"), 503, "busy");
}

/* Until the files may be counted again. */
static int count_without_descriptors(struct fixture *f)
{
    struct rlimit files;
    if (join_of(f, "tea").status != 0) return 1;
    f->app.cfg.rooms_max = 1;
    f->now_ms += 60000;
    int free_fd = dup(STDIN_FILENO);
    if (free_fd < 0 || close(free_fd) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0) return 2;
    struct rlimit none = { (rlim_t)free_fd, files.rlim_max };
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) return 3;
    struct problem p = join_of(f, "new");
    if (p.status != 503 || p.retry_after_s != 1) return 4;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return 5;
    p = join_of(f, "new");
    return p.status == 503 && p.retry_after_s == 30 ? 0 : 6;
}

static void rooms_that_cannot_be_counted_are_not_taken_for_none(void **state)
{
    assert_int_equal(in_child(*state, count_without_descriptors), 0);
}

/* Lock as another process does; -1: it was locked. */
static int lock_as_another(struct fixture *f, off_t start, off_t len)
{
    char path[APP_PATH_BYTES_MAX + 512];
    path_of(f, "rooms.lock", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock bytes = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len
    };
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &bytes) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static int delete_while_locked(struct fixture *f)
{
    int fd = lock_as_another(f, store_lane_byte(0), STORE_LANES); /* makes or deletes some rooms */
    if (fd < 0) return 1;
    if (store_delete(&f->app, "tea").status != 503) return 2;
    if (join_of(f, "new").status != 503) return 3;
    if (join_of(f, "tea").status != 0) return 4; /* needs no making */
    close(fd);
    fd = lock_as_another(f, 0, 0); /* or this very room */
    if (fd < 0) return 5;
    if (join_of(f, "tea").status != 503) return 6;
    close(fd);
    if (join_of(f, "tea").status != 0 || join_of(f, "new").status != 0) return 7;
    return 0;
}

static void files_are_made_and_deleted_only_under_the_lock(void **state)
{
    struct fixture *f = *state;
    assert_ok(join_of(f, "tea"));
    assert_int_equal(in_child(f, delete_while_locked), 0);
    assert_ok(join_of(f, "new"));
}

static void rooms_of_two_lanes_are_made_at_once(void **state)
{
    struct fixture *f = *state;
    assert_ok(join_of(f, "tea"));
    assert_true(store_lane("one") != store_lane("two"));
    int fd = lock_as_another(f, store_lane_byte(store_lane("one")), 1);
    assert_true(fd >= 0);
    assert_problem(join_of(f, "one"), 503, "busy");
    assert_ok(join_of(f, "two"));
    close(fd);
    assert_ok(join_of(f, "one"));
}

static void rooms_are_counted_anew_only_while_nobody_makes_one(void **state)
{
    struct fixture *f = *state;
    f->app.cfg.rooms_max = 2;
    assert_ok(join_of(f, "tea"));
    write_file(f, "rooms.lock", "7 0\n", 4);
    f->now_ms += 60000;
    int fd = lock_as_another(f, store_lane_byte(store_lane("one")), 1);
    assert_true(fd >= 0);
    struct problem p = join_of(f, "two");
    assert_problem(p, 503, "busy");
    assert_int_equal(p.retry_after_s, 1);
    assert_int_equal(store_rooms_count(&f->app), 1);
    close(fd);
    assert_ok(join_of(f, "two"));
    p = join_of(f, "one");
    assert_problem(p, 503, "busy");
    assert_int_equal(p.retry_after_s, 30);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(no_more_rooms_are_made_than_allowed_and_the_count_mends_itself),
        CASE(rooms_that_cannot_be_counted_are_not_taken_for_none),
        CASE(files_are_made_and_deleted_only_under_the_lock),
        CASE(rooms_of_two_lanes_are_made_at_once),
        CASE(rooms_are_counted_anew_only_while_nobody_makes_one),
    };
    return cmocka_run_group_tests_name("store_lock", tests, NULL, NULL);
}
