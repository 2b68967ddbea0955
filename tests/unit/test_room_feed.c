/* What rooms tell the owner's feed of who comes and goes. */
#include "events.h"
#include "room_fixture.h"

static void a_room_that_is_over_waits_for_a_broken_feed_but_not_for_ever(void **state)
{
    struct fixture *f = *state;
    struct who one;
    struct join_result res;
    struct join_ask ask = { .room = "tea" };
    char path[APP_PATH_BYTES_MAX + 32];
    f->app.cfg.events = true;
    snprintf(path, sizeof path, "%s/events.db", f->app.data_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    join(f, "tea", &one);
    assert_ok(room_leave(&f->app, "tea", slice_of(one.key), false));
    f->now_ms += f->app.cfg.grace_ms + 1;
    (void)room_sweep(&f->app, "tea");
    assert_problem(try_join(f, &ask, &res), 503, "busy");
    f->now_ms += 10 * 60 * 1000 + 1;
    assert_ok(try_join(f, &ask, &res));
    events_close(f->app.events);
    assert_int_equal(rmdir(path), 0);
}

static void the_feed_tells_one_going_of_each_coming(void **state)
{
    struct fixture *f = *state;
    struct who a, b, c;
    struct events_page page;
    int left = 0;
    f->app.cfg.events = true;
    join(f, "tea", &a);
    join(f, "tea", &b);
    f->now_ms += f->app.cfg.lease_ms / 2;
    join(f, "tea", &c);
    f->now_ms += f->app.cfg.lease_ms / 2 + 1;
    assert_ok(room_sweep(&f->app, "tea")); /* two have lapsed */
    assert_ok(room_leave(&f->app, "tea", slice_of(a.key), false));
    join_as(f, &(struct join_ask){ .room = "tea", .replaces = slice_of(b.key) }, &b);
    assert_ok(events_read(&f->app, f->a, &(struct cursor){ 0 }, 64, &page));
    for (size_t i = 0; i < page.count; i++)
        if (slice_is(page.events[i].type, "peer-left")) {
            assert_slice(page.events[i].reason, "lapsed");
            left++;
        }
    assert_int_equal(left, 2);
    events_close(f->app.events);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_feed_tells_one_going_of_each_coming),
        CASE(a_room_that_is_over_waits_for_a_broken_feed_but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
