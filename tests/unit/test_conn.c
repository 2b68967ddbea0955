#include "conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
    struct slab conns;
    struct conn *conn;
    int peer;
};

static int with_pair(void **state)
{
    int fds[2];
    struct pair *p = calloc(1, sizeof *p);
    if (p == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return -1;
    p->conns = SLAB_OF(struct conn);
    p->conn = conn_new(&p->conns, fds[0]);
    p->peer = fds[1];
    *state = p;
    return p->conn == NULL;
}

static int without_pair(void **state)
{
    struct pair *p = *state;
    conn_free(&p->conns, p->conn);
    slab_free(&p->conns);
    if (p->peer >= 0) close(p->peer);
    free(p);
    return 0;
}

static void an_answer_goes_out_and_its_memory_is_given_back(void **state)
{
    struct pair *p = *state;
    char got[8];
    buf_text(&p->conn->out, "answer");
    assert_int_equal(conn_flush(p->conn), CONN_DONE);
    assert_null(p->conn->out.at);
    assert_int_equal(read(p->peer, got, sizeof got), 6);
    assert_int_equal(conn_flush(p->conn), CONN_DONE);
}

static void a_slow_reader_gets_every_byte_in_order_when_it_reads(void **state)
{
    struct pair *p = *state;
    int bytes = 4096;
    uint32_t sent = 0, got = 0, words[1000];
    (void)setsockopt(p->conn->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    for (; sent < 70000; sent++) buf_add(&p->conn->out, &sent, sizeof sent);
    assert_false(p->conn->out.failed);
    assert_int_equal(conn_flush(p->conn), CONN_MORE);
    enum conn_written written = CONN_MORE;
    while (got < sent) {
        ssize_t n = recv(p->peer, words, sizeof words, MSG_DONTWAIT | MSG_PEEK);
        assert_true(n > 0);
        n = recv(p->peer, words, (size_t)n / 4 * 4, MSG_DONTWAIT);
        for (ssize_t i = 0; i < n / 4; i++) assert_int_equal(words[i], got++);
        if (written == CONN_MORE) written = conn_flush(p->conn);
    }
    assert_int_equal(written, CONN_DONE);
}

static void a_peer_that_has_gone_is_told_without_a_signal(void **state)
{
    struct pair *p = *state;
    close(p->peer);
    p->peer = -1;
    buf_text(&p->conn->out, "answer");
    assert_int_equal(conn_flush(p->conn), CONN_GONE);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_pair, without_pair)
    const struct CMUnitTest tests[] = {
        CASE(an_answer_goes_out_and_its_memory_is_given_back),
        CASE(a_slow_reader_gets_every_byte_in_order_when_it_reads),
        CASE(a_peer_that_has_gone_is_told_without_a_signal),
    };
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
