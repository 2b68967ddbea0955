#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"

enum { ARENA_BYTES = 1 << 20, PAGE = 10 };

struct test {
    struct app_fixture *f;
    struct arena *a;
};

static int with_feed(void **state)
{
    static struct test t;
    t = (struct test){ app_fixture_new(), arena_new(ARENA_BYTES) };
    if (t.f == NULL || t.a == NULL) return -1;
    t.f->app.cfg.events = true;
    *state = &t;
    return 0;
}

static int without_feed(void **state)
{
    struct test *t = *state;
    app_fixture_free(t->f);
    arena_free(t->a);
    return 0;
}

static bool put(struct test *t, int64_t order, int64_t time_ms)
{
    struct event e = {
        .room = slice_of("tea"),
        .room_epoch = 7,
        .order = order,
        .type = slice_of("peer-joined"),
        .peer = slice_of("somebody"),
        .time_ms = time_ms,
    };
    return events_put(&t->f->app, &e);
}

static void put_one(struct test *t, int64_t order)
{
    assert_true(events_begin(&t->f->app));
    assert_true(put(t, order, app_wall_ms(&t->f->app)));
    assert_true(events_end(&t->f->app, true));
}

static struct events_page page_after(struct test *t, const struct cursor *after)
{
    struct events_page page;
    assert_int_equal(events_read(&t->f->app, t->a, after, PAGE, &page).status, 0);
    return page;
}

static const struct cursor beginning;

static void an_event_put_twice_is_told_once(void **state)
{
    put_one(*state, 1);
    put_one(*state, 1);
    put_one(*state, 2);
    struct events_page page = page_after(*state, &beginning);
    assert_int_equal(page.count, 2);
    assert_int_equal(page.events[0].order, 1);
    assert_int_equal(page.events[1].order, 2);
    assert_true(slice_is(page.events[1].peer, "somebody"));
    assert_null(page.events[1].sub.at);
    assert_int_equal(page_after(*state, &page.next).count, 0);
}

static void what_is_not_kept_was_never_there(void **state)
{
    struct test *t = *state;
    put_one(t, 1);
    assert_true(events_begin(&t->f->app));
    assert_true(put(t, 2, app_wall_ms(&t->f->app)));
    assert_false(events_end(&t->f->app, false));
    assert_int_equal(page_after(t, &beginning).count, 1);
}

static void pages_follow_each_other_without_a_gap(void **state)
{
    for (int64_t i = 1; i <= 2 * PAGE + 1; i++) put_one(*state, i);
    struct events_page page = page_after(*state, &beginning);
    int64_t seen = 0;
    for (;; page = page_after(*state, &page.next)) {
        assert_false(page.gap);
        for (size_t i = 0; i < page.count; i++) assert_int_equal(page.events[i].order, ++seen);
        if (!page.more) break;
    }
    assert_int_equal(seen, 2 * PAGE + 1);
}

static void after_a_day_an_event_goes_and_who_has_not_read_it_is_told(void **state)
{
    struct test *t = *state;
    put_one(t, 1);
    struct cursor before = page_after(t, &beginning).next;
    before.seq--;
    put_one(t, 2);
    t->f->now_ms += EVENTS_KEPT_MS - 1;
    assert_int_equal(page_after(t, &beginning).count, 2);
    put_one(t, 3);
    t->f->now_ms += 1;
    struct events_page page = page_after(t, &before);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.events[0].order, 3);
    assert_true(page.gap);
    assert_false(page_after(t, &page.next).gap);
    /* Who was killed before it took them out of the room puts them again. */
    assert_true(events_begin(&t->f->app));
    assert_true(put(t, 1, app_wall_ms(&t->f->app) - EVENTS_KEPT_MS));
    assert_true(events_end(&t->f->app, true));
    assert_int_equal(page_after(t, &beginning).count, 1);
}

static void a_cursor_of_another_feed_or_of_the_future_is_a_gap(void **state)
{
    put_one(*state, 1);
    struct cursor there = page_after(*state, &beginning).next, other = there;
    other.epoch++;
    assert_true(page_after(*state, &other).gap);
    assert_int_equal(page_after(*state, &other).count, 1);
    other = there;
    other.seq++;
    assert_true(page_after(*state, &other).gap);
}

static void a_feed_that_was_deleted_or_is_none_begins_anew(void **state)
{
    struct test *t = *state;
    char path[APP_PATH_BYTES_MAX + 32];
    put_one(t, 1);
    struct cursor there = page_after(t, &beginning).next;
    events_remove(&t->f->app);
    put_one(t, 2);
    struct events_page page = page_after(t, &there);
    assert_true(page.gap);
    assert_int_equal(page.count, 1);
    snprintf(path, sizeof path, "%s/events.db", t->f->app.data_dir);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (int i = 0; i < 4096; i++) fputs("nonsense", file);
    fclose(file);
    put_one(t, 3);
    page = page_after(t, &beginning);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.events[0].order, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_feed, without_feed)
        TEST(an_event_put_twice_is_told_once),
        TEST(what_is_not_kept_was_never_there),
        TEST(pages_follow_each_other_without_a_gap),
        TEST(after_a_day_an_event_goes_and_who_has_not_read_it_is_told),
        TEST(a_cursor_of_another_feed_or_of_the_future_is_a_gap),
        TEST(a_feed_that_was_deleted_or_is_none_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
