#include "poll_fixture.h"

#include "bell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int with_member(void **state)
{
    struct poll_test *t = calloc(1, sizeof *t);
    if (t == NULL) return -1;
    t->f = app_fixture_new();
    if (t->f == NULL) return -1;
    t->park = t->f->app.park;
    buf_init(&t->text, 1 << 20);
    join_room(t, &t->a);
    /* Else the first to wait is marked, for what may have been rung before. */
    (void)bell_listen(t->f->app.bell, bell_bucket("tea"));
    *state = t;
    return 0;
}

int without_member(void **state)
{
    struct poll_test *t = *state;
    buf_free(&t->text);
    app_fixture_free(t->f);
    free(t);
    return 0;
}

int call_room(struct poll_test *t, const char *what, const char *body, struct waiter *w)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/rooms/tea/%s", what);
    const struct call post = { HTTP_POST, path, JSON, body, NULL, NULL };
    return handle(t->f, &post, &t->text, w);
}

void join_room(struct poll_test *t, struct member *m)
{
    *m = (struct member){ 0 };
    assert_int_equal(call_room(t, "join", "{}", NULL), 201);
    answer_text(&t->text, "key", m->key);
    answer_text(&t->text, "peer", m->peer);
    answer_text(&t->text, "cursor", m->cursor);
}

int begin_poll(struct poll_test *t, struct member *m, const char *more)
{
    char body[512];
    struct waiter w, *superseded;
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"after\":\"%s\",\"wait_ms\":%d,\"turn\":%lld%s}",
             m->key, m->cursor, HOLD_MS, (long long)++m->turn, more);
    int status = call_room(t, "exchange", body, &w);
    if (status != 0) return status;
    m->w = park_add(t->park, &w, &superseded);
    assert_non_null(m->w);
    assert_null(superseded);
    return 0;
}

enum outcome wake_poll(struct poll_test *t, struct waiter *w, enum wake why)
{
    struct answer an;
    struct arena *scratch = arena_new(1 << 20);
    http_answer_init(&an);
    enum outcome outcome = route_resume(&t->f->app, scratch, w, why, &an);
    buf_clear(&t->text);
    buf_add(&t->text, an.body.at, an.body.len);
    buf_add(&t->text, "", 1);
    http_answer_free(&an);
    arena_free(scratch);
    return outcome;
}

void end_hold(struct poll_test *t, struct member *m)
{
    struct waiter *w = m->w;
    t->f->now_ms = w->deadline.at_ms;
    assert_ptr_equal(park_take_due(t->park, t->f->now_ms), w);
    assert_int_equal(wake_poll(t, w, WAKE_DEADLINE), OUTCOME_ANSWER);
    answer_text(&t->text, "next", m->cursor);
    park_release(t->park, w);
    m->w = NULL;
}

void read_room(struct poll_test *t, struct member *m)
{
    char body[512];
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"after\":\"%s\"}", m->key, m->cursor);
    assert_int_equal(call_room(t, "exchange", body, NULL), 200);
    answer_text(&t->text, "next", m->cursor);
}

void put_aside(const struct poll_test *t, bool aside)
{
    char path[APP_PATH_BYTES_MAX + 64], other[APP_PATH_BYTES_MAX + 64];
    snprintf(path, sizeof path, "%s/rooms/tea.db", t->f->app.data_dir);
    snprintf(other, sizeof other, "%s/rooms/tea.aside", t->f->app.data_dir);
    assert_int_equal(aside ? rename(path, other) : rename(other, path), 0);
}
