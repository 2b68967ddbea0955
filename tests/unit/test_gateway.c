#include "gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* FastCGI 1.0, section 8. */
enum { BEGIN = 1, ABORT = 2, PARAMS = 4, STDIN = 5, GET_VALUES = 9 };

static void record(struct buf *b, int type, int id, const void *at, size_t len, int padding)
{
    unsigned char h[8] = { 1,
                           (unsigned char)type,
                           (unsigned char)(id >> 8),
                           (unsigned char)id,
                           (unsigned char)(len >> 8),
                           (unsigned char)len,
                           (unsigned char)padding,
                           0 };
    static const char zeros[256];
    buf_add(b, h, sizeof h);
    buf_add(b, at, len);
    buf_add(b, zeros, (size_t)padding);
}

static void param(struct buf *b, const char *name, const char *value)
{
    unsigned char lengths[2] = { (unsigned char)strlen(name), (unsigned char)strlen(value) };
    buf_add(b, lengths, sizeof lengths);
    buf_text(b, name);
    buf_text(b, value);
}

static void begin(struct buf *b, int role, int flags)
{
    const unsigned char body[8] = { 0, (unsigned char)role, (unsigned char)flags };
    record(b, BEGIN, 1, body, sizeof body, 0);
}

/* A POST whose body has `body_len` bytes of `x` and whose CONTENT_LENGTH says `said_len`. */
static void whole_request(struct buf *b, size_t body_len, size_t said_len, int padding)
{
    char length[24];
    static char xs[65000];
    struct buf params;
    buf_init(&params, 4096);
    memset(xs, 'x', sizeof xs);
    snprintf(length, sizeof length, "%zu", said_len);
    param(&params, "REQUEST_METHOD", "POST");
    param(&params, "PATH_INFO", "/v1/rooms/tea/join");
    param(&params, "CONTENT_LENGTH", length);
    param(&params, "SERVER_SOFTWARE", "nginx/1.22.1");
    begin(b, 1, 1);
    record(b, PARAMS, 1, params.at, 10, padding);
    record(b, PARAMS, 1, params.at + 10, params.len - 10, padding);
    record(b, PARAMS, 1, NULL, 0, padding);
    while (body_len > 0) {
        size_t len = body_len < sizeof xs ? body_len : sizeof xs;
        record(b, STDIN, 1, xs, len, padding);
        body_len -= len;
    }
    record(b, STDIN, 1, NULL, 0, padding);
    buf_free(&params);
}

static enum gateway_state feed_all(struct gateway_in *in, const struct buf *b, size_t step)
{
    enum gateway_state state = GATEWAY_MORE;
    for (size_t at = 0; at < b->len && state == GATEWAY_MORE;) {
        size_t used = 0, len = b->len - at < step ? b->len - at : step;
        state = gateway_feed(in, b->at + at, len, &used);
        assert_true(used <= len);
        at += used;
    }
    return state;
}

/* Feed and parse; the problem's status. The request's arena is *a, for the caller to free. */
static int parse(const struct buf *b, size_t step, struct request *rq, struct arena **a)
{
    struct gateway *g = gateway_open();
    struct gateway_in in;
    const char *software = NULL;
    gateway_in_init(&in);
    *a = arena_new(1 << 20);
    assert_non_null(g);
    assert_non_null(*a);
    assert_int_equal(feed_all(&in, b, step), GATEWAY_WHOLE);
    *rq = (struct request){ .arena = *a };
    int status = gateway_parse(g, &in, rq, &software).status;
    if (status == 0) assert_string_equal(software, "nginx/1.22.1");
    gateway_in_reset(&in);
    gateway_close(g);
    return status;
}

static void a_request_cut_anywhere_is_whole_only_at_its_end(void **state)
{
    (void)state;
    for (int padding = 0; padding < 8; padding += 7) {
        struct buf b;
        buf_init(&b, 1 << 20);
        whole_request(&b, 5, 5, padding);
        for (size_t cut = 0; cut < b.len; cut++) {
            struct gateway_in in;
            size_t used = 0;
            gateway_in_init(&in);
            assert_int_equal(gateway_feed(&in, b.at, cut, &used), GATEWAY_MORE);
            assert_int_equal(gateway_in_idle(&in), cut == 0);
            assert_int_equal(gateway_feed(&in, b.at + cut, b.len - cut, &used), GATEWAY_WHOLE);
            assert_int_equal(used, b.len - cut);
            assert_true(in.keep);
            gateway_in_reset(&in);
        }
        buf_free(&b);
    }
}

static void a_whole_request_is_parsed(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 2500, 65536, 200000, HTTP_BODY_BYTES_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf b;
        struct request rq;
        struct arena *a;
        buf_init(&b, 1 << 20);
        whole_request(&b, sizes[i], sizes[i], 3);
        assert_int_equal(parse(&b, 1000, &rq, &a), 0);
        assert_int_equal(rq.method, HTTP_POST);
        assert_true(slice_is(rq.path, "/v1/rooms/tea/join"));
        assert_int_equal(rq.body.len, sizes[i]);
        assert_false(rq.body_too_large);
        arena_free(a);
        buf_free(&b);
    }
}

static void a_body_of_another_length_than_said_is_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        size_t body, said;
    } table[] = { { __LINE__, 5, 6 }, { __LINE__, 6, 5 }, { __LINE__, 0, 5 }, { __LINE__, 5, 0 } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf b;
        struct request rq;
        struct arena *a;
        buf_init(&b, 1 << 20);
        whole_request(&b, table[i].body, table[i].said, 0);
        if (parse(&b, 4096, &rq, &a) != 400) fail_msg("line %d", table[i].line);
        assert_true(slice_is(rq.path, "/v1/rooms/tea/join"));
        arena_free(a);
        buf_free(&b);
    }
}

static void a_body_over_the_bound_is_dropped_and_said(void **state)
{
    (void)state;
    struct buf b;
    struct request rq;
    struct arena *a;
    buf_init(&b, 1 << 22);
    whole_request(&b, HTTP_BODY_BYTES_MAX + 1, HTTP_BODY_BYTES_MAX + 1, 0);
    assert_int_equal(parse(&b, 65536, &rq, &a), 0);
    assert_true(rq.body_too_large);
    assert_int_equal(rq.body.len, 0);
    arena_free(a);
    buf_free(&b);
}

static void one_gateway_parses_request_after_request_whatever_came_before(void **state)
{
    (void)state;
    struct gateway *g = gateway_open();
    for (int i = 0; i < 200; i++) {
        struct gateway_in in;
        struct buf b;
        const char *software;
        struct request rq = { .arena = arena_new(1 << 20) };
        buf_init(&b, 1 << 22);
        gateway_in_init(&in);
        bool too_large = i % 3 == 0, torn = i % 3 == 1;
        size_t len = too_large ? HTTP_BODY_BYTES_MAX + 9000 : 700;
        whole_request(&b, len, torn ? len + 1 : len, i % 5);
        assert_int_equal(feed_all(&in, &b, 65536), GATEWAY_WHOLE);
        assert_int_equal(gateway_parse(g, &in, &rq, &software).status, torn ? 400 : 0);
        gateway_in_reset(&in);
        arena_free(rq.arena);
        buf_free(&b);
    }
    gateway_close(g);
}

static void what_libfcgi_cannot_read_closes_and_harms_no_later_request(void **state)
{
    (void)state;
    struct gateway *g = gateway_open();
    const char *software;
    struct buf b;
    struct gateway_in in;
    struct request rq = { .arena = arena_new(1 << 20) };
    buf_init(&b, 4096);
    gateway_in_init(&in);
    begin(&b, 1, 1);
    record(&b, PARAMS, 1, "\x7fQ", 2, 0); /* a name of 127 bytes that never comes */
    record(&b, PARAMS, 1, NULL, 0, 0);
    record(&b, STDIN, 1, NULL, 0, 0);
    assert_int_equal(feed_all(&in, &b, 100), GATEWAY_WHOLE);
    assert_int_equal(gateway_parse(g, &in, &rq, &software).status, -1);
    gateway_in_reset(&in);
    buf_clear(&b);
    whole_request(&b, 3, 3, 0);
    assert_int_equal(feed_all(&in, &b, 100), GATEWAY_WHOLE);
    assert_int_equal(gateway_parse(g, &in, &rq, &software).status, 0);
    assert_int_equal(rq.body.len, 3);
    gateway_in_reset(&in);
    buf_free(&b);
    arena_free(rq.arena);
    gateway_close(g);
}

static void records_out_of_order_or_over_a_bound_break(void **state)
{
    (void)state;
    static char big[65528];
    struct buf b[8];
    for (size_t i = 0; i < 8; i++) buf_init(&b[i], 1 << 20);
    buf_text(&b[0], "GET / HTTP/1.1\r\n\r\n");
    record(&b[1], PARAMS, 1, "ab", 2, 0); /* before BEGIN */
    begin(&b[2], 2, 0);                   /* an authorizer */
    begin(&b[3], 1, 0);
    begin(&b[3], 1, 0);
    begin(&b[4], 1, 0);
    record(&b[4], STDIN, 1, "x", 1, 0); /* before the end of PARAMS */
    begin(&b[5], 1, 0);
    record(&b[5], PARAMS, 1, big, sizeof big, 0);
    record(&b[5], PARAMS, 1, big, 100, 0);
    begin(&b[6], 1, 0);
    record(&b[6], PARAMS, 2, "ab", 2, 0); /* another request on the same connection */
    begin(&b[7], 1, 0);
    record(&b[7], 11, 1, "", 0, 0); /* an unknown type */
    for (size_t i = 0; i < 8; i++) {
        struct gateway_in in;
        gateway_in_init(&in);
        if (feed_all(&in, &b[i], 7) != GATEWAY_BROKEN) fail_msg("case %zu", i);
        gateway_in_reset(&in);
        buf_free(&b[i]);
    }
}

static void management_records_are_passed_over(void **state)
{
    (void)state;
    struct buf b;
    struct gateway_in in;
    size_t used;
    buf_init(&b, 1 << 20);
    gateway_in_init(&in);
    record(&b, GET_VALUES, 0,
           "\x0e\x00"
           "FCGI_MAX_CONNS",
           16, 0);
    whole_request(&b, 2, 2, 1);
    assert_int_equal(feed_all(&in, &b, 1000), GATEWAY_WHOLE);
    buf_clear(&b);
    record(&b, STDIN, 0, "x", 1, 0); /* not of the request: it isn't handled a second time */
    assert_int_equal(gateway_feed(&in, b.at, b.len, &used), GATEWAY_MORE);
    gateway_in_reset(&in);
    buf_free(&b);
}

static void an_abort_is_told_before_and_while_a_request_is_handled(void **state)
{
    (void)state;
    struct buf b;
    struct gateway_in in;
    size_t used;
    buf_init(&b, 1 << 20);
    gateway_in_init(&in);
    begin(&b, 1, 0);
    record(&b, ABORT, 1, NULL, 0, 0);
    assert_int_equal(feed_all(&in, &b, 3), GATEWAY_ABORTED);
    gateway_in_reset(&in);
    buf_clear(&b);
    whole_request(&b, 2, 2, 0);
    assert_int_equal(feed_all(&in, &b, 1000), GATEWAY_WHOLE);
    buf_clear(&b);
    record(&b, ABORT, 1, NULL, 0, 0);
    assert_int_equal(gateway_feed(&in, b.at, b.len, &used), GATEWAY_ABORTED);
    gateway_in_reset(&in);
    buf_clear(&b);
    whole_request(&b, 2, 2, 0);
    assert_int_equal(feed_all(&in, &b, 1000), GATEWAY_WHOLE);
    assert_int_equal(gateway_feed(&in, b.at, b.len, &used), GATEWAY_BROKEN);
    gateway_in_reset(&in);
    buf_free(&b);
}

static void an_answer_is_records_of_at_most_65535_bytes_and_an_end(void **state)
{
    (void)state;
    struct answer an;
    struct buf out, text;
    http_answer_init(&an);
    for (int i = 0; i < 20000; i++) buf_text(&an.body, "0123456789");
    buf_init(&out, 1 << 20);
    buf_init(&text, 1 << 20);
    gateway_put_answer(258, &an, &out);
    assert_false(out.failed);
    size_t at = 0;
    int last_type = 0, records = 0;
    while (at < out.len) {
        const unsigned char *h = (const unsigned char *)out.at + at;
        size_t len = (size_t)h[4] << 8 | h[5];
        assert_int_equal(h[0], 1);
        assert_int_equal(h[2] << 8 | h[3], 258);
        if (h[1] == 6) buf_add(&text, h + 8, len);
        last_type = h[1];
        records++;
        at += 8 + len + h[6];
    }
    assert_int_equal(at, out.len);
    assert_int_equal(last_type, 3);
    assert_int_equal(records, 6);
    assert_memory_equal(text.at + text.len - an.body.len, an.body.at, an.body.len);
    buf_free(&out);
    buf_free(&text);
    http_answer_free(&an);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_cut_anywhere_is_whole_only_at_its_end),
        cmocka_unit_test(a_whole_request_is_parsed),
        cmocka_unit_test(a_body_of_another_length_than_said_is_refused),
        cmocka_unit_test(a_body_over_the_bound_is_dropped_and_said),
        cmocka_unit_test(one_gateway_parses_request_after_request_whatever_came_before),
        cmocka_unit_test(what_libfcgi_cannot_read_closes_and_harms_no_later_request),
        cmocka_unit_test(records_out_of_order_or_over_a_bound_break),
        cmocka_unit_test(management_records_are_passed_over),
        cmocka_unit_test(an_abort_is_told_before_and_while_a_request_is_handled),
        cmocka_unit_test(an_answer_is_records_of_at_most_65535_bytes_and_an_end),
    };
    return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
