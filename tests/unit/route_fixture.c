#include "route_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int with_app(void **state)
{
    *state = app_fixture_new();
    return *state == NULL;
}

int without_app(void **state)
{
    app_fixture_free(*state);
    return 0;
}

int handle(struct app_fixture *f, const struct call *call, struct buf *text, struct waiter *waiter)
{
    struct request rq = {
        .arena = arena_new(1 << 20),
        .method = call->method,
        .path = slice_of(call->path),
        .content_type = slice_of(call->type),
        .body = slice_of(call->body),
        .key = slice_of(call->key),
        .query = slice_of(call->query),
        .address = "192.0.2.7",
    };
    struct answer an;
    struct waiter w;
    http_answer_init(&an);
    enum outcome outcome = route_handle(&f->app, &rq, &an, &w);
    buf_clear(text);
    buf_add(text, an.body.at, an.body.len);
    buf_add(text, "", 1);
    int status = an.status;
    if (outcome == OUTCOME_PARK) {
        status = 0;
        assert_true(w.deadline.at_ms > f->now_ms);
        if (waiter != NULL)
            *waiter = w;
        else
            park_drop(&f->app, &w);
    }
    http_answer_free(&an);
    arena_free(rq.arena);
    return status;
}
