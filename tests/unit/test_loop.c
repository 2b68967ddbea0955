/* The loop in a process of its own, spoken to as a web server does. */
#include "loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "fcgi_client.h"
#include "log.h"

enum { ANSWER_MS = 10000, NOT_YET_MS = 50, DESCRIPTORS_FEW = 100, DESCRIPTORS_TAKEN = 70 };

struct loop_test {
    char folder[64], socket_path[96];
    pid_t pid;
    rlim_t descriptors; /* that the process may have; 0: as many as this one */
    int taken;          /* of those, by something else */
    struct buf text;
};

static int open_log(const struct loop_test *t, int flags)
{
    char path[96];
    snprintf(path, sizeof path, "%s/log", t->folder);
    return open(path, flags | O_CLOEXEC, 0600);
}

static _Noreturn void serve(const struct loop_test *t, int listen_fd)
{
    struct app app = { .how = "fastcgi" };
    config_default(&app.cfg);
    snprintf(app.cfg.data_dir, sizeof app.cfg.data_dir, "%s/data", t->folder);
    app.cfg.polls_max = 2; /* one held, one to say that there is no place */
    app.cfg.joins_per_minute = 0;
    const struct rlimit few = { t->descriptors, t->descriptors };
    if (t->descriptors > 0 && setrlimit(RLIMIT_NOFILE, &few) != 0) exit(1);
    for (int i = 0; i < t->taken; i++) (void)dup(0);
    if (t->taken > 0) log_open(open_log(t, O_WRONLY | O_CREAT | O_APPEND), LOG_LEVEL_WARNING);
    loop_block_signals();
    const struct loop_sockets sockets = { .shared = listen_fd, .own = -1, .inherited = true };
    bool ok = app_open(&app) && loop_run(&app, &sockets);
    app_close(&app);
    exit(ok ? 0 : 1);
}

static int start_loop(void **state, rlim_t descriptors, int taken)
{
    struct loop_test *t = calloc(1, sizeof *t);
    t->descriptors = descriptors;
    t->taken = taken;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    test_folder(t->folder);
    snprintf(t->socket_path, sizeof t->socket_path, "%s/socket", t->folder);
    strcpy(address.sun_path, t->socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (const struct sockaddr *)(const void *)&address, sizeof address) != 0 ||
        listen(fd, 100) != 0)
        return -1;
    buf_init(&t->text, 1 << 20);
    fflush(NULL);
    t->pid = fork();
    if (t->pid == 0) serve(t, fd);
    close(fd);
    *state = t;
    return 0;
}

static int with_loop(void **state)
{
    return start_loop(state, 0, 0);
}

static int with_few_descriptors(void **state)
{
    return start_loop(state, DESCRIPTORS_FEW, 0);
}

static int with_descriptors_taken(void **state)
{
    return start_loop(state, DESCRIPTORS_FEW, DESCRIPTORS_TAKEN);
}

/* End it by SIGTERM; its exit status, 0 being a clean one (also for the leak checker). */
static int end(struct loop_test *t)
{
    int status = -1;
    if (t->pid == 0) return 0;
    kill(t->pid, SIGTERM);
    waitpid(t->pid, &status, 0);
    t->pid = 0;
    return status;
}

static int without_loop(void **state)
{
    struct loop_test *t = *state;
    int status = end(t);
    test_folder_remove(t->folder);
    buf_free(&t->text);
    free(t);
    return status;
}

/* Copy the JSON string named `name` of the last answer. */
static void take(const struct loop_test *t, const char *name, char out[128])
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = strstr(t->text.at, pattern);
    assert_non_null(at);
    snprintf(out, 128, "%.*s", (int)strcspn(at + strlen(pattern), "\""), at + strlen(pattern));
}

static void join(struct loop_test *t, char key[128], char cursor[128])
{
    const struct fcgi_call call = { .method = "POST", .path = "/v1/rooms/tea/join", .body = "{}" };
    assert_int_equal(fcgi_call(t->socket_path, &call, &t->text), 201);
    take(t, "key", key);
    take(t, "cursor", cursor);
}

/* Begin a poll that waits; the connection. */
static int begin_poll(struct loop_test *t, const char *key, const char *cursor, const char *server)
{
    char query[256];
    struct buf b;
    buf_init(&b, 1 << 20);
    snprintf(query, sizeof query, "after=%s&wait_ms=20000", cursor);
    const struct fcgi_call call = { .method = "GET",
                                    .path = "/v1/rooms/tea/messages",
                                    .key = key,
                                    .query = query,
                                    .server_software = server };
    fcgi_put_call(&b, &call);
    int fd = fcgi_connect(t->socket_path);
    assert_true(fd >= 0);
    assert_true(write(fd, b.at, b.len) == (ssize_t)b.len);
    buf_free(&b);
    return fd;
}

static int health(struct loop_test *t)
{
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health" };
    return fcgi_call(t->socket_path, &call, &t->text);
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

static void write_all(int fd, const struct buf *b)
{
    for (size_t at = 0; at < b->len;) {
        ssize_t n = write(fd, b->at + at, b->len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
}

static void put_health(struct buf *b)
{
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health", .keep = true };
    fcgi_put_call(b, &call);
}

static void requests_in_one_write_are_answered_one_after_the_other(void **state)
{
    struct loop_test *t = *state;
    struct buf b;
    char peer[3][128];
    const struct fcgi_call join = {
        .method = "POST", .path = "/v1/rooms/tea/join", .body = "{}", .keep = true
    };
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 3; i++) fcgi_put_call(&b, &join);
    put_health(&b);
    int fd = fcgi_connect(t->socket_path);
    write_all(fd, &b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 201);
        take(t, "peer", peer[i]);
        for (int j = 0; j < i; j++) assert_string_not_equal(peer[i], peer[j]);
    }
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    assert_int_equal(fcgi_read_answer(fd, &t->text, NOT_YET_MS), -2);
    close(fd);
    buf_free(&b);
}

static void requests_that_come_while_others_are_handled_are_answered_once_each(void **state)
{
    enum { ROUNDS = 300, AT_ONCE = 3 };
    struct loop_test *t = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    put_health(&b);
    int fd = fcgi_connect(t->socket_path);
    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < AT_ONCE; j++) write_all(fd, &b);
        for (int j = 0; j < AT_ONCE; j++)
            assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    }
    assert_int_equal(fcgi_read_answer(fd, &t->text, NOT_YET_MS), -2);
    close(fd);
    buf_free(&b);
}

static void a_request_that_comes_byte_by_byte_is_answered_once(void **state)
{
    struct loop_test *t = *state;
    struct buf b;
    const struct fcgi_call join = {
        .method = "POST", .path = "/v1/rooms/tea/join", .body = "{}", .keep = true
    };
    buf_init(&b, 1 << 20);
    fcgi_put_call(&b, &join);
    int fd = fcgi_connect(t->socket_path);
    for (size_t i = 0; i < b.len; i++) assert_int_equal(write(fd, b.at + i, 1), 1);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 201);
    assert_int_equal(fcgi_read_answer(fd, &t->text, NOT_YET_MS), -2);
    close(fd);
    buf_free(&b);
}

/* Append a note of `bytes` of the letter 'a' + i. */
static void put_long_note(struct buf *b, int i, size_t bytes)
{
    static char data[65536];
    memset(data, 'a' + i, bytes);
    buf_printf(b, "%s{\"id\":\"%d\",\"type\":\"note\",\"data\":\"", i == 0 ? "" : ",", i);
    buf_add(b, data, bytes);
    buf_text(b, "\"}");
}

static void requests_longer_than_one_read_are_whole(void **state)
{
    enum { NOTES = 4, LETTERS = 60000 };
    struct loop_test *t = *state;
    struct buf b, body;
    char key[2][128], cursor[2][128];
    join(t, key[0], cursor[0]);
    join(t, key[1], cursor[1]);
    buf_init(&b, 1 << 20);
    buf_init(&body, 1 << 20);
    buf_printf(&body, "{\"key\":\"%s\",\"send\":[", key[0]);
    for (int i = 0; i < NOTES; i++) put_long_note(&body, i, LETTERS);
    buf_add(&body, "]}", 3);
    const struct fcgi_call send = {
        .method = "POST", .path = "/v1/rooms/tea/messages", .body = body.at, .keep = true
    };
    fcgi_put_call(&b, &send);
    put_health(&b);
    int fd = fcgi_connect(t->socket_path);
    write_all(fd, &b);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    assert_int_equal(fcgi_read_answer(fd, &t->text, ANSWER_MS), 200);
    assert_int_equal(fcgi_read_answer(fd, &t->text, NOT_YET_MS), -2);
    close(fd);
    for (int i = 0; i < NOTES;) {
        int poll_fd = begin_poll(t, key[1], cursor[1], NULL);
        assert_int_equal(fcgi_read_answer(poll_fd, &t->text, ANSWER_MS), 200);
        take(t, "next", cursor[1]);
        close(poll_fd);
        for (const char *at = t->text.at; (at = strstr(at, "\"data\":\"")) != NULL; i++) {
            const char letter[2] = { (char)('a' + i), '\0' };
            at += strlen("\"data\":\"");
            assert_int_equal(strspn(at, letter), LETTERS);
        }
    }
    buf_free(&b);
    buf_free(&body);
}

static void a_request_whose_connection_is_closed_at_once_is_handled_once(void **state)
{
    struct loop_test *t = *state;
    struct buf b;
    char key[2][128], cursor[2][128];
    join(t, key[0], cursor[0]);
    join(t, key[1], cursor[1]);
    int poll_fd = begin_poll(t, key[1], cursor[1], NULL);
    assert_int_equal(fcgi_read_answer(poll_fd, &t->text, NOT_YET_MS), -2);
    const struct fcgi_call join = { .method = "POST", .path = "/v1/rooms/tea/join", .body = "{}" };
    buf_init(&b, 1 << 20);
    fcgi_put_call(&b, &join);
    int fd = fcgi_connect(t->socket_path);
    write_all(fd, &b);
    close(fd);
    assert_int_equal(fcgi_read_answer(poll_fd, &t->text, ANSWER_MS), 200);
    take(t, "next", cursor[1]);
    const char *told = strstr(t->text.at, "peer-joined");
    assert_non_null(told);
    assert_null(strstr(told + 1, "peer-joined"));
    close(poll_fd);
    poll_fd = begin_poll(t, key[1], cursor[1], NULL);
    assert_int_equal(fcgi_read_answer(poll_fd, &t->text, NOT_YET_MS), -2);
    close(poll_fd);
    assert_int_equal(health(t), 200);
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
    for (int i = 0; i < 5; i++) assert_int_equal(health(t), 200);
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
    assert_int_equal(health(t), 200);
}

static void a_parked_poll_is_answered_by_a_send(void **state)
{
    struct loop_test *t = *state;
    char key[2][128], cursor[2][128];
    join(t, key[0], cursor[0]);
    join(t, key[1], cursor[1]);
    int fd = begin_poll(t, key[1], cursor[1], NULL);
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
    join(t, key, cursor);
    int old = begin_poll(t, key, cursor, NULL);
    assert_int_equal(fcgi_read_answer(old, &t->text, NOT_YET_MS), -2);
    int young = begin_poll(t, key, cursor, NULL);
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
    join(t, key[0], cursor[0]);
    join(t, key[1], cursor[1]);
    /* The first request tells the process its server; under Apache the budget holds. */
    assert_int_equal(end(t), 0);
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
        take(t, "key", key[i]);
        take(t, "cursor", cursor[i]);
        assert_non_null(strstr(t->text.at, "\"hold_ms\":20000"));
    }
    /* The first to join has the place. What the second one's join told it comes at once. */
    int held = begin_poll(t, key[0], cursor[0], "Apache/2.4");
    assert_int_equal(fcgi_read_answer(held, &t->text, ANSWER_MS), 200);
    take(t, "next", cursor[0]);
    close(held);
    held = begin_poll(t, key[0], cursor[0], "Apache/2.4");
    assert_int_equal(fcgi_read_answer(held, &t->text, NOT_YET_MS), -2);
    int told = begin_poll(t, key[1], cursor[1], "Apache/2.4");
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
    assert_int_equal(health(t), 200);
    int log_fd = open_log(t, O_RDONLY);
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
    join(t, key, cursor);
    int fd = begin_poll(t, key, cursor, NULL);
    assert_int_equal(fcgi_read_answer(fd, &t->text, NOT_YET_MS), -2);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(end(t), 0);
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
        CASE(requests_in_one_write_are_answered_one_after_the_other),
        CASE(requests_that_come_while_others_are_handled_are_answered_once_each),
        CASE(a_request_that_comes_byte_by_byte_is_answered_once),
        CASE(requests_longer_than_one_read_are_whole),
        CASE(a_request_whose_connection_is_closed_at_once_is_handled_once),
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
