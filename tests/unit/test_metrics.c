#include "metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app_fixture.h"
#include "arena.h"
#include "mapfile.h"
#include "room.h"
#include "route.h"

static int with_app(void **state)
{
    *state = app_fixture_new();
    return *state == NULL;
}

static int without_app(void **state)
{
    app_fixture_free(*state);
    return 0;
}

static bool name_of(size_t call, char *out)
{
    snprintf(out, METRICS_NAME_BYTES_MAX, "call %zu", call);
    return call < 2;
}

/* The value in the line that begins with `name`; -1: there is none. */
static long long figure(struct app_fixture *f, const char *name)
{
    struct buf b;
    long long value = -1;
    buf_init(&b, 1 << 20);
    metrics_put(&f->app, name_of, &b);
    buf_add(&b, "", 1);
    assert_false(b.failed);
    for (const char *at = b.at; at != NULL; at = strchr(at, '\n')) {
        if (*at == '\n') at++;
        size_t len = strlen(name);
        if (strncmp(at, name, len) == 0 && at[len] == ' ') value = strtoll(at + len, NULL, 10);
    }
    buf_free(&b);
    return value;
}

static void answers_are_counted_by_call_class_and_code(void **state)
{
    struct app_fixture *f = *state;
    metrics_count_answer(f->app.metrics, 1, 200, NULL);
    metrics_count_answer(f->app.metrics, 1, 201, NULL);
    metrics_count_answer(f->app.metrics, 1, 404, "room-not-found");
    metrics_count_answer(f->app.metrics, 1, 404, "never-heard-of");
    metrics_count_answer(f->app.metrics, 9999, 503, "busy");
    metrics_add(f->app.metrics, METRIC_MESSAGES_SENT, 3);
    assert_int_equal(figure(f, "klatch_requests_total{call=\"call 1\",status=\"2xx\"}"), 2);
    assert_int_equal(figure(f, "klatch_requests_total{call=\"call 1\",status=\"4xx\"}"), 2);
    assert_int_equal(figure(f, "klatch_requests_total{call=\"call 0\",status=\"5xx\"}"), 1);
    assert_int_equal(figure(f, "klatch_errors_total{code=\"room-not-found\"}"), 1);
    assert_int_equal(figure(f, "klatch_errors_total{code=\"other\"}"), 1);
    assert_int_equal(figure(f, "klatch_messages_sent_total"), 3);
}

static void the_counts_of_processes_add_up_and_outlive_them(void **state)
{
    struct app_fixture *f = *state;
    struct metrics *own = f->app.metrics, *others[3];
    for (size_t i = 0; i < 3; i++) {
        others[i] = metrics_open(&f->app);
        assert_non_null(others[i]);
        metrics_own_row(others[i], &f->app);
        metrics_add(others[i], METRIC_MESSAGES_SENT, 1);
        metrics_set_held(others[i], 5, 100);
    }
    metrics_own_row(own, &f->app);
    metrics_add(own, METRIC_MESSAGES_SENT, 1);
    assert_int_equal(figure(f, "klatch_messages_sent_total"), 4);
    assert_int_equal(figure(f, "klatch_polls_held"), 15);
    assert_int_equal(figure(f, "klatch_polls_budget"), 300);
    assert_int_equal(figure(f, "klatch_processes"), 4);
    for (size_t i = 0; i < 3; i++) metrics_close(others[i]);
    assert_int_equal(figure(f, "klatch_messages_sent_total"), 4);
    assert_int_equal(figure(f, "klatch_polls_held"), 0);
    assert_int_equal(figure(f, "klatch_processes"), 1);
    others[0] = metrics_open(&f->app);
    metrics_own_row(others[0], &f->app);
    metrics_add(others[0], METRIC_MESSAGES_SENT, 1);
    assert_int_equal(figure(f, "klatch_messages_sent_total"), 5);
    metrics_close(others[0]);
}

static uint32_t hash_on(uint32_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * UINT32_C(16777619);
    return hash; /* FNV-1a */
}

/* An upgraded process maps the file of the one before it: what that has counted must not become
 * another's. Where this fails raise the version in metrics_open(), and write both down here. */
static void counters_keep_their_places_as_long_as_the_file_its_version(void **state)
{
    struct app_fixture *f = *state;
    struct mapfile_head head;
    struct buf b;
    char path[APP_PATH_BYTES_MAX + 32], call_name[ROUTE_NAME_BYTES_MAX];
    uint32_t hash = UINT32_C(2166136261);
    for (size_t call = 0; route_call_name(call, call_name); call++)
        hash = hash_on(hash, call_name, strlen(call_name) + 1);
    buf_init(&b, 1 << 20);
    metrics_put(&f->app, name_of, &b);
    buf_add(&b, "", 1);
    for (const char *at = b.at; (at = strstr(at, "{code=")) != NULL; at++)
        hash = hash_on(hash, at, strcspn(at, "}"));
    buf_free(&b);
    snprintf(path, sizeof path, "%s/metrics", f->app.data_dir);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fread(&head, sizeof head, 1, file), 1);
    fclose(file);
    assert_int_equal(head.version, 2);
    assert_int_equal(hash, 0xce1b6b78);
}

static void people_are_as_last_written_and_forgotten_when_nobody_writes(void **state)
{
    struct app_fixture *f = *state;
    metrics_set_people(&f->app, "tea", 2);
    metrics_set_people(&f->app, "coffee", 3);
    assert_int_equal(figure(f, "klatch_people"), 5);
    assert_int_equal(figure(f, "klatch_rooms_used"), 2);
    metrics_set_people(&f->app, "tea", 4);
    metrics_set_people(&f->app, "coffee", 0);
    assert_int_equal(figure(f, "klatch_people"), 4);
    f->now_ms += f->app.cfg.lease_ms;
    assert_int_equal(figure(f, "klatch_people"), 4);
    f->now_ms += f->app.cfg.lease_ms; /* its process was killed, and the room has ended */
    assert_int_equal(figure(f, "klatch_people"), 0);
    metrics_set_people(&f->app, "tea", 1);
    assert_int_equal(figure(f, "klatch_people"), 1);
}

static struct problem join_tea(struct app_fixture *f)
{
    struct arena *a = arena_new(1 << 20);
    struct join_result res;
    struct problem p = room_join(&f->app, a, &(struct join_ask){ .room = "tea" }, &res);
    arena_free(a);
    return p;
}

static void who_could_not_come_in_is_not_counted(void **state)
{
    struct app_fixture *f = *state;
    char path[APP_PATH_BYTES_MAX + 32];
    sqlite3 *reader;
    assert_int_equal(join_tea(f).status, 0);
    assert_int_equal(figure(f, "klatch_people"), 1);
    snprintf(path, sizeof path, "%s/rooms/tea.db", f->app.data_dir);
    assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
    /* Writing goes well until the commit. */
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM room", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(join_tea(f).status, 503);
    assert_int_equal(figure(f, "klatch_people"), 1);
    sqlite3_close(reader);
    assert_int_equal(join_tea(f).status, 0);
    assert_int_equal(figure(f, "klatch_people"), 2);
}

static void many_rooms_find_a_place(void **state)
{
    struct app_fixture *f = *state;
    char room[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(room, sizeof room, "room-%d", i);
        metrics_set_people(&f->app, room, 2);
    }
    assert_int_equal(figure(f, "klatch_people"), 10000);
}

static void without_a_shared_file_a_process_counts_for_itself(void **state)
{
    struct app_fixture *f = *state;
    metrics_close(f->app.metrics);
    char folder[sizeof f->app.data_dir];
    memcpy(folder, f->app.data_dir, sizeof folder);
    snprintf(f->app.data_dir, sizeof f->app.data_dir, "/nowhere");
    f->app.metrics = metrics_open(&f->app);
    memcpy(f->app.data_dir, folder, sizeof folder);
    assert_non_null(f->app.metrics);
    metrics_own_row(f->app.metrics, &f->app);
    metrics_add(f->app.metrics, METRIC_MESSAGES_SENT, 2);
    metrics_set_held(f->app.metrics, 3, 10);
    assert_int_equal(figure(f, "klatch_messages_sent_total"), 2);
    assert_int_equal(figure(f, "klatch_polls_held"), 3);
    assert_int_equal(figure(f, "klatch_counters_shared"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, with_app, without_app)
        TEST(answers_are_counted_by_call_class_and_code),
        TEST(the_counts_of_processes_add_up_and_outlive_them),
        TEST(counters_keep_their_places_as_long_as_the_file_its_version),
        TEST(people_are_as_last_written_and_forgotten_when_nobody_writes),
        TEST(who_could_not_come_in_is_not_counted),
        TEST(many_rooms_find_a_place),
        TEST(without_a_shared_file_a_process_counts_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
