/* What the loop does for who speaks to it: one request after the other, polls, limits, its end. */
#include "loop_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS_FEW = 100, DESCRIPTORS_TAKEN = 70 };

static int with_few_descriptors(void **state)
{
    return start_loop(state, DESCRIPTORS_FEW, 0);
}

static int with_descriptors_taken(void **state)
{
    return start_loop(state, DESCRIPTORS_FEW, DESCRIPTORS_TAKEN);
}

static void a_kept_connection_serves_request_after_request(void **state)
{
    struct loop_test *t = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health", .keep = true };
    fcgi_put_call(&b, &call);
    int fd = fcgi_connect(t->socket_path);
    for (int i = 0; i < 50; i++) {
        assert_true(write(fd, b.at, b.len) == (ssize_t)b.len);
        assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    }
    close(fd);
    buf_free(&b);
}

static void a_connection_that_is_not_to_be_kept_is_closed_after_its_answer(void **state)
{
    struct loop_test *t = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health" };
    fcgi_put_call(&b, &call);
    int fd = fcgi_connect(t->socket_path);
    assert_true(write(fd, b.at, b.len) == (ssize_t)b.len);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0); /* no error: a reset may overtake the answer */
    close(fd);
    buf_free(&b);
}

static void half_a_request_holds_up_nobody(void **state)
{
    struct loop_test *t = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health" };
    fcgi_put_call(&b, &call);
    int half = fcgi_connect(t->socket_path);
    assert_true(write(half, b.at, b.len / 2) == (ssize_t)(b.len / 2));
    for (int i = 0; i < 5; i++) assert_int_equal(ask_health(t), 200);
    assert_true(write(half, b.at + b.len / 2, b.len - b.len / 2) > 0);
    assert_int_equal(fcgi_read_answer(half, &t->text, ANSWER_MS), 200);
    close(half);
    buf_free(&b);
}

static void what_is_not_fastcgi_is_closed(void **state)
{
    struct loop_test *t = *state;
    int fd = fcgi_connect(t->socket_path);
    assert_true(write(fd, "GET / HTTP/1.1\r\n\r\n", 18) == 18);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), -1);
    close(fd);
    assert_int_equal(ask_health(t), 200);
}

static void a_parked_poll_is_answered_by_a_send(void **state)
{
    struct loop_test *t = *state;
    char key[2][128], cursor[2][128];
    join_tea(t, key[0], cursor[0]);
    join_tea(t, key[1], cursor[1]);
    int fd = poll_tea(t, key[1], cursor[1], NULL);
    assert_int_equal(fcgi_read_answer(fd, &t->text, NOT_YET_MS), -2);
    const struct fcgi_call send = {
        .method = "POST",
        .path = "/v1/rooms/tea/messages",
        .key = key[0],
        .body = "{\"send\":[{\"id\":\"1\",\"type\":\"offer\",\"data\":[1 ]}]}"
    };
    assert_int_equal(fcgi_call(t->socket_path, &send, &t->text), 200);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    assert_non_null(strstr(t->text.at, "\"type\":\"offer\",\"data\":[1 ],"));
    close(fd);
}

static void a_newer_poll_ends_the_older_one(void **state)
{
    struct loop_test *t = *state;
    char key[128], cursor[128];
    join_tea(t, key, cursor);
    int old = poll_tea(t, key, cursor, NULL);
    assert_int_equal(fcgi_read_answer(old, &t->text, NOT_YET_MS), -2);
    int young = poll_tea(t, key, cursor, NULL);
    assert_int_equal(fcgi_read_answer(old, &t->text, ANSWER_MS), 200);
    assert_non_null(strstr(t->text.at, "\"superseded\":true"));
    assert_int_equal(fcgi_read_answer(young, &t->text, NOT_YET_MS), -2);
    close(old);
    close(young);
}

static void over_the_budget_of_processes_a_poll_is_told_when_to_come_again(void **state)
{
    struct loop_test *t = *state;
    char key[2][128], cursor[2][128];
    join_tea(t, key[0], cursor[0]);
    join_tea(t, key[1], cursor[1]);
    /* The first request tells the process its server; under Apache the budget holds. */
    assert_int_equal(end_loop(t), 0);
    test_folder_remove(t->folder);
    buf_free(&t->text);
    free(t);
    assert_int_equal(with_loop(state), 0);
    t = *state;
    const struct fcgi_call apache = { .method = "POST",
                                      .path = "/v1/rooms/tea/join",
                                      .body = "{}",
                                      .server_software = "Apache/2.4" };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fcgi_call(t->socket_path, &apache, &t->text), 201);
        take_string(t, "key", key[i]);
        take_string(t, "cursor", cursor[i]);
        assert_non_null(strstr(t->text.at, "\"hold_ms\":20000"));
    }
    /* The first to join has the place. What the second one's join told it comes at once. */
    int held = poll_tea(t, key[0], cursor[0], "Apache/2.4");
    assert_int_equal(fcgi_read_answer(held, &t->text, ANSWER_MS), 200);
    take_string(t, "next", cursor[0]);
    close(held);
    held = poll_tea(t, key[0], cursor[0], "Apache/2.4");
    assert_int_equal(fcgi_read_answer(held, &t->text, NOT_YET_MS), -2);
    int told = poll_tea(t, key[1], cursor[1], "Apache/2.4");
    assert_int_equal(fcgi_read_answer(told, &t->text, ANSWER_MS), 200);
    assert_non_null(strstr(t->text.at, "\"retry_ms\":"));
    close(told);
    close(held);
}

static void rooms_leave_descriptors_to_each_other_where_there_are_few(void **state)
{
    struct loop_test *t = *state;
    for (int i = 0; i < 2 * DESCRIPTORS_FEW; i++) {
        char path[64];
        snprintf(path, sizeof path, "/v1/rooms/tea-%d/join", i);
        const struct fcgi_call call = { .method = "POST", .path = path, .body = "{}" };
        if (fcgi_call(t->socket_path, &call, &t->text) != 201) fail_msg("%d: %s", i, t->text.at);
    }
}

static void out_of_descriptors_it_goes_on_serving_and_says_so_once(void **state)
{
    enum { MORE = 40, CALLS = 50, LOG_BYTES = 1 << 16 };
    struct loop_test *t = *state;
    struct buf b;
    int more[MORE], lines = 0;
    static char log[LOG_BYTES];
    buf_init(&b, 1 << 20);
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health", .keep = true };
    fcgi_put_call(&b, &call);
    int fd = fcgi_connect(t->socket_path);
    assert_true(write(fd, b.at, b.len) == (ssize_t)b.len);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    for (int i = 0; i < MORE; i++) more[i] = fcgi_connect(t->socket_path);
    for (int i = 0; i < CALLS; i++) {
        assert_true(write(fd, b.at, b.len) == (ssize_t)b.len);
        assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    }
    for (int i = 0; i < MORE; i++) close(more[i]);
    assert_int_equal(ask_health(t), 200);
    int log_fd = open_loop_log(t, O_RDONLY);
    ssize_t len = read(log_fd, log, sizeof log - 1);
    assert_true(len > 0);
    log[len] = '\0';
    for (const char *at = log; (at = strstr(at, "accept-failed")) != NULL; at++) lines++;
    assert_in_range(lines, 1, CALLS / 2);
    close(log_fd);
    close(fd);
    buf_free(&b);
}

static void the_end_of_the_process_answers_the_parked_within_a_second(void **state)
{
    struct loop_test *t = *state;
    char key[128], cursor[128];
    struct timespec before, after;
    join_tea(t, key, cursor);
    int fd = poll_tea(t, key, cursor, NULL);
    assert_int_equal(fcgi_read_answer(fd, &t->text, NOT_YET_MS), -2);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(end_loop(t), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    assert_non_null(strstr(t->text.at, "{\"messages\":[],\"next\":"));
    assert_true(after.tv_sec - before.tv_sec < 5);
    close(fd);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_loop, without_loop)
    const struct CMUnitTest tests[] = {
        CASE(a_kept_connection_serves_request_after_request),
        CASE(a_connection_that_is_not_to_be_kept_is_closed_after_its_answer),
        CASE(half_a_request_holds_up_nobody),
        CASE(what_is_not_fastcgi_is_closed),
        CASE(a_parked_poll_is_answered_by_a_send),
        CASE(a_newer_poll_ends_the_older_one),
        CASE(over_the_budget_of_processes_a_poll_is_told_when_to_come_again),
        cmocka_unit_test_setup_teardown(rooms_leave_descriptors_to_each_other_where_there_are_few,
                                        with_few_descriptors, without_loop),
        cmocka_unit_test_setup_teardown(out_of_descriptors_it_goes_on_serving_and_says_so_once,
                                        with_descriptors_taken, without_loop),
        CASE(the_end_of_the_process_answers_the_parked_within_a_second),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
