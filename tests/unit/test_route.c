#include "route.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "route_fixture.h"

/* Join room tea and read up to its head: key and cursor of a member with nothing to read. */
static void join(struct app_fixture *f, struct buf *text, char key[128], char cursor[128])
{
    const struct call call = { HTTP_POST, "/v1/rooms/tea/join", JSON, "{\"name\":\"Ada\"}", NULL,
                               NULL };
    assert_int_equal(handle(f, &call, text, NULL), 201);
    answer_text(text, "key", key);
    answer_text(text, "cursor", cursor);
}

static int poll(struct app_fixture *f, struct buf *text, const char *key, const char *cursor,
                const char *more, struct waiter *w)
{
    char body[512];
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"after\":\"%s\",\"wait_ms\":20000%s}", key,
             cursor, more);
    const struct call call = { HTTP_POST, "/v1/rooms/tea/exchange", JSON, body, NULL, NULL };
    return handle(f, &call, text, w);
}

static enum outcome resume(struct app_fixture *f, struct waiter *w, enum wake wake,
                           struct buf *text)
{
    struct answer an;
    struct arena *scratch = arena_new(1 << 20);
    http_answer_init(&an);
    enum outcome outcome = route_resume(&f->app, scratch, w, wake, &an);
    buf_clear(text);
    buf_add(text, an.body.at, an.body.len);
    buf_add(text, "", 1);
    http_answer_free(&an);
    arena_free(scratch);
    return outcome;
}

static void a_poll_without_mail_is_held_and_ends_at_its_deadline_with_the_same_cursor(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    struct waiter w;
    char key[128], cursor[128], next[128];
    buf_init(&text, 1 << 20);
    join(f, &text, key, cursor);
    assert_int_equal(poll(f, &text, key, cursor, "", &w), 0);
    assert_int_equal(resume(f, &w, WAKE_LOOK, &text), OUTCOME_PARK);
    assert_int_equal(resume(f, &w, WAKE_DEADLINE, &text), OUTCOME_ANSWER);
    answer_text(&text, "next", next);
    assert_string_equal(next, cursor);
    assert_non_null(strstr(text.at, "\"messages\":[],"));
    park_drop(&f->app, &w);
    buf_free(&text);
}

static void a_send_that_waits_tells_its_seq_when_the_wait_ends(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    struct waiter w;
    char key[128], cursor[128];
    buf_init(&text, 1 << 20);
    join(f, &text, key, cursor);
    assert_int_equal(poll(f, &text, key, cursor,
                          ",\"send\":[{\"id\":\"a\\\"b\",\"type\":\"hello\",\"data\":1}]", &w),
                     0);
    assert_int_equal(resume(f, &w, WAKE_SUPERSEDED, &text), OUTCOME_ANSWER);
    assert_non_null(strstr(text.at, "\"sent\":[{\"id\":\"a\\\"b\",\"seq\":"));
    assert_non_null(strstr(text.at, "\"superseded\":true"));
    park_drop(&f->app, &w);
    buf_free(&text);
}

static void the_poll_with_the_lower_turn_ends_whichever_came_last(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    struct waiter w;
    char key[128], cursor[128];
    buf_init(&text, 1 << 20);
    join(f, &text, key, cursor);
    assert_int_equal(poll(f, &text, key, cursor, ",\"turn\":7", &w), 0);
    assert_int_equal(poll(f, &text, key, cursor, ",\"turn\":6", NULL), 200);
    assert_non_null(strstr(text.at, "\"superseded\":true"));
    assert_int_equal(resume(f, &w, WAKE_LOOK, &text), OUTCOME_PARK);
    struct waiter newer;
    assert_int_equal(poll(f, &text, key, cursor, ",\"turn\":8", &newer), 0);
    assert_int_equal(resume(f, &w, WAKE_LOOK, &text), OUTCOME_ANSWER);
    assert_non_null(strstr(text.at, "\"superseded\":true"));
    assert_int_equal(resume(f, &newer, WAKE_LOOK, &text), OUTCOME_PARK);
    park_drop(&f->app, &w);
    park_drop(&f->app, &newer);
    buf_free(&text);
}

static void a_poll_that_is_superseded_at_once_passes_over_no_mail(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    struct waiter w;
    char key[128], other_key[128], cursor[128], other_cursor[128], next[128];
    const struct call send = { HTTP_POST, "/v1/rooms/tea/messages",
                               JSON,      "{\"send\":[{\"id\":\"1\",\"type\":\"a\",\"data\":1}]}",
                               other_key, NULL };
    buf_init(&text, 1 << 20);
    join(f, &text, other_key, other_cursor);
    join(f, &text, key, cursor);
    assert_int_equal(poll(f, &text, key, cursor, ",\"turn\":7", &w), 0);
    assert_int_equal(handle(f, &send, &text, NULL), 200);
    assert_int_equal(poll(f, &text, key, cursor, ",\"turn\":6", NULL), 200);
    assert_non_null(strstr(text.at, "\"messages\":[],"));
    answer_text(&text, "next", next);
    assert_string_equal(next, cursor);
    park_drop(&f->app, &w);
    buf_free(&text);
}

static void a_resumed_member_counts_its_turns_anew_and_its_former_poll_ends(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    struct waiter former, w;
    char key[128], cursor[128], body[512];
    buf_init(&text, 1 << 20);
    join(f, &text, key, cursor);
    assert_int_equal(poll(f, &text, key, cursor, ",\"turn\":900", &former), 0);
    snprintf(body, sizeof body, "{\"resume\":\"%s\",\"after\":\"%s\"}", key, cursor);
    const struct call resume_it = { HTTP_POST, "/v1/rooms/tea/join", JSON, body, NULL, NULL };
    f->app.rung_count = 0;
    assert_int_equal(handle(f, &resume_it, &text, NULL), 201);
    assert_non_null(strstr(text.at, "\"resumed\":true"));
    assert_true(f->app.rung_count > 0);
    answer_text(&text, "key", key);
    assert_int_equal(resume(f, &former, WAKE_LOOK, &text), OUTCOME_ANSWER);
    assert_non_null(strstr(text.at, "\"superseded\":true"));
    assert_int_equal(poll(f, &text, key, cursor, ",\"turn\":1", &w), 0);
    assert_int_equal(resume(f, &w, WAKE_LOOK, &text), OUTCOME_PARK);
    park_drop(&f->app, &former);
    park_drop(&f->app, &w);
    buf_free(&text);
}

static void a_member_brings_no_more_meta_than_its_share_of_an_answer(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    char body[1600];
    buf_init(&text, 1 << 20);
    f->app.cfg.members_max = 64; /* 96,000 bytes shared by 64 */
    snprintf(body, sizeof body, "{\"meta\":\"%01498d\"}", 0);
    const struct call call = { HTTP_POST, "/v1/rooms/tea/join", JSON, body, NULL, NULL };
    assert_int_equal(handle(f, &call, &text, NULL), 201);
    assert_non_null(strstr(text.at, "\"meta_bytes\":1500"));
    snprintf(body, sizeof body, "{\"meta\":\"%01499d\"}", 0);
    assert_int_equal(handle(f, &call, &text, NULL), 413);
    assert_non_null(strstr(text.at, "message-too-large"));
    buf_free(&text);
}

static void an_answer_that_is_too_long_is_a_problem_and_no_half_of_it(void **state)
{
    enum { PEOPLE = 210 }; /* 1,640 bytes each */
    struct app_fixture *f = *state;
    struct buf text, body;
    struct waiter w;
    char key[128], cursor[128];
    buf_init(&text, 1 << 20);
    buf_init(&body, 4096);
    f->app.cfg.members_max = 2 * PEOPLE;
    f->app.cfg.joins_per_minute = 0;
    join(f, &text, key, cursor);
    assert_int_equal(poll(f, &text, key, cursor, "", &w), 0);
    buf_text(&body, "{\"name\":\"");
    for (int i = 0; i < ROOM_MEMBER_NAME_BYTES_MAX; i++) buf_text(&body, "\\u0001");
    buf_text(&body, "\"}");
    buf_add(&body, "", 1);
    const struct call call = { HTTP_POST, "/v1/rooms/tea/join", JSON, body.at, NULL, NULL };
    int status = 201;
    for (int i = 0; i < PEOPLE; i++) status = handle(f, &call, &text, NULL);
    assert_int_equal(status, 503);
    w.wait.after.epoch++; /* a gap: all are told */
    assert_int_equal(resume(f, &w, WAKE_LOOK, &text), OUTCOME_ANSWER);
    assert_non_null(strstr(text.at, "\"code\":\"busy\""));
    park_drop(&f->app, &w);
    buf_free(&body);
    buf_free(&text);
}

static void a_full_park_says_when_to_come_again_and_holds_nothing(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    char key[128], cursor[128];
    buf_init(&text, 1 << 20);
    join(f, &text, key, cursor);
    f->app.parked_max = 0;
    assert_int_equal(poll(f, &text, key, cursor, "", NULL), 200);
    assert_non_null(strstr(text.at, "\"retry_ms\":3000"));
    buf_free(&text);
}

static void joins_over_the_rate_are_refused_with_retry_after(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    buf_init(&text, 1 << 20);
    f->app.cfg.joins_per_minute = 2;
    const struct call call = { HTTP_POST, "/v1/rooms/tea/join", JSON, "{}", NULL, NULL };
    assert_int_equal(handle(f, &call, &text, NULL), 201);
    assert_int_equal(handle(f, &call, &text, NULL), 201);
    assert_int_equal(handle(f, &call, &text, NULL), 429);
    f->now_ms += 60000;
    assert_int_equal(handle(f, &call, &text, NULL), 201);
    buf_free(&text);
}

static int lock_rooms(const struct app_fixture *f)
{
    char path[APP_PATH_BYTES_MAX + 32];
    struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    snprintf(path, sizeof path, "%s/rooms.lock", f->app.data_dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &all), 0);
    return fd;
}

static void a_busy_room_is_asked_for_as_often_as_there_is_time(void **state)
{
    enum { DATA_BYTES = 50000, TRIES = 500 };
    struct app_fixture *f = *state;
    struct buf text, body;
    struct waiter w;
    char key[128], cursor[128];
    buf_init(&text, 1 << 20);
    buf_init(&body, 1 << 20);
    join(f, &text, key, cursor);
    buf_printf(&body,
               "json={\"key\":\"%s\",\"send\":[{\"id\":\"1\",\"type\":\"a\",\"data\":\"%0*d\"}]}",
               key, DATA_BYTES, 0);
    struct request rq = {
        .arena = arena_new(ROUTE_ARENA_BYTES_MAX),
        .method = HTTP_POST,
        .path = slice_of("/v1/rooms/tea/messages"),
        .content_type = slice_of(FORM),
        .body = { body.at, body.len },
        .address = "",
    };
    int fd = lock_rooms(f);
    for (int i = 0; i <= TRIES; i++) {
        struct answer an;
        if (i == TRIES) close(fd);
        http_answer_init(&an);
        assert_int_equal(route_handle(&f->app, &rq, &an, &w),
                         i < TRIES ? OUTCOME_BUSY : OUTCOME_ANSWER);
        assert_int_equal(an.status, i < TRIES ? 503 : 200);
        http_answer_free(&an);
    }
    arena_free(rq.arena);
    buf_free(&body);
    buf_free(&text);
}

static void a_member_that_left_has_its_parked_poll_ended(void **state)
{
    struct app_fixture *f = *state;
    struct buf text;
    struct waiter w;
    char key[128], cursor[128];
    buf_init(&text, 1 << 20);
    join(f, &text, key, cursor);
    assert_int_equal(poll(f, &text, key, cursor, "", &w), 0);
    const struct call leave = { HTTP_POST, "/v1/rooms/tea/leave", JSON, "{}", key, NULL };
    assert_int_equal(handle(f, &leave, &text, NULL), 204);
    assert_int_equal(resume(f, &w, WAKE_LOOK, &text), OUTCOME_ANSWER);
    assert_non_null(strstr(text.at, "session-expired"));
    park_drop(&f->app, &w);
    buf_free(&text);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_app, without_app)
    const struct CMUnitTest tests[] = {
        CASE(a_poll_without_mail_is_held_and_ends_at_its_deadline_with_the_same_cursor),
        CASE(a_send_that_waits_tells_its_seq_when_the_wait_ends),
        CASE(the_poll_with_the_lower_turn_ends_whichever_came_last),
        CASE(a_poll_that_is_superseded_at_once_passes_over_no_mail),
        CASE(a_resumed_member_counts_its_turns_anew_and_its_former_poll_ends),
        CASE(a_member_brings_no_more_meta_than_its_share_of_an_answer),
        CASE(an_answer_that_is_too_long_is_a_problem_and_no_half_of_it),
        CASE(a_full_park_says_when_to_come_again_and_holds_nothing),
        CASE(joins_over_the_rate_are_refused_with_retry_after),
        CASE(a_busy_room_is_asked_for_as_often_as_there_is_time),
        CASE(a_member_that_left_has_its_parked_poll_ended),
    };
    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
