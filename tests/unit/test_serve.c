/* Requests as they come over a connection: together, in pieces, long, abandoned. */
#include "serve.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_fixture.h"

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
        take_string(t, "peer", peer[i]);
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
    join_tea(t, key[0], cursor[0]);
    join_tea(t, key[1], cursor[1]);
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
        int poll_fd = poll_tea(t, key[1], cursor[1], NULL);
        assert_int_equal(fcgi_read_answer(poll_fd, &t->text, ANSWER_MS), 200);
        take_string(t, "next", cursor[1]);
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
    join_tea(t, key[0], cursor[0]);
    join_tea(t, key[1], cursor[1]);
    int poll_fd = poll_tea(t, key[1], cursor[1], NULL);
    assert_int_equal(fcgi_read_answer(poll_fd, &t->text, NOT_YET_MS), -2);
    const struct fcgi_call join = { .method = "POST", .path = "/v1/rooms/tea/join", .body = "{}" };
    buf_init(&b, 1 << 20);
    fcgi_put_call(&b, &join);
    int fd = fcgi_connect(t->socket_path);
    write_all(fd, &b);
    close(fd);
    assert_int_equal(fcgi_read_answer(poll_fd, &t->text, ANSWER_MS), 200);
    take_string(t, "next", cursor[1]);
    const char *told = strstr(t->text.at, "peer-joined");
    assert_non_null(told);
    assert_null(strstr(told + 1, "peer-joined"));
    close(poll_fd);
    poll_fd = poll_tea(t, key[1], cursor[1], NULL);
    assert_int_equal(fcgi_read_answer(poll_fd, &t->text, NOT_YET_MS), -2);
    close(poll_fd);
    assert_int_equal(ask_health(t), 200);
    buf_free(&b);
}

static int64_t test_now_ms(void *clock_arg)
{
    (void)clock_arg;
    return 1000;
}

/* FastCGI 1.0, section 5.4: of a request that was answered meanwhile. */
static void an_abort_of_what_is_over_leaves_a_connection_idle(void **state)
{
    static const unsigned char abort_record[8] = { 1, 2, 0, 1 };
    struct app app = { .now_ms = test_now_ms, .wall_ms = test_now_ms };
    static struct loop l;
    int pair[2];
    (void)state;
    l = (struct loop){ .app = &app, .slab = SLAB_OF(struct conn), .epoll_fd = epoll_create1(0) };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    serve_accept(&l, pair[0], false);
    struct conn *c = l.conns;
    assert_int_equal(write(pair[1], abort_record, 4), 4);
    serve_readable(&l, c);
    assert_int_equal(c->state, CONN_READING);
    assert_int_equal(write(pair[1], abort_record + 4, 4), 4);
    serve_readable(&l, c);
    assert_int_equal(c->state, CONN_IDLE);
    assert_int_equal(c->timer.at_ms, 1000 + SERVE_IDLE_MS);
    close(pair[1]);
    serve_readable(&l, c);
    assert_true(c->hung_up);
    serve_timer(&l, c);
    timers_free(&l.timers);
    slab_free(&l.slab);
    close(l.epoll_fd);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_loop, without_loop)
    const struct CMUnitTest tests[] = {
        CASE(requests_in_one_write_are_answered_one_after_the_other),
        CASE(requests_that_come_while_others_are_handled_are_answered_once_each),
        CASE(a_request_that_comes_byte_by_byte_is_answered_once),
        CASE(requests_longer_than_one_read_are_whole),
        CASE(a_request_whose_connection_is_closed_at_once_is_handled_once),
        cmocka_unit_test(an_abort_of_what_is_over_leaves_a_connection_idle),
    };
    return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
