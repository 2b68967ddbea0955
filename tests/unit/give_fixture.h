/* give_fixture: a room that this process holds, three members of it, and what they send and are
 * answered. */
#ifndef GIVE_FIXTURE_H
#define GIVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "poll_fixture.h"
#include "store.h"

enum {
    BIG_BYTES = 55000,
    BODY_BYTES = 1 << 18,
};

struct give_test {
    struct poll_test *p;
    struct member *a, b, c; /* `a` sends */
    int sends;
};

/* ---- the room ---- */

static inline uint32_t hold_of(const struct give_test *t)
{
    struct store_room *r;
    assert_int_equal(store_begin(&t->p->f->app, "tea", STORE_READ, &r).status, 0);
    uint32_t tenure = store_tenure(r);
    assert_int_equal(store_commit(r).status, 0);
    return tenure;
}

static inline void hold_room(const struct give_test *t)
{
    for (int uses = 0; hold_of(t) == 0; uses++) assert_true(uses < 1000);
}

static inline void read_all(struct give_test *t, struct member *m)
{
    do read_room(t->p, m);
    while (strstr(t->p->text.at, "{\"messages\":[]") == NULL);
}

static inline int set_up(void **state)
{
    struct give_test *t = calloc(1, sizeof *t);
    void *p;
    if (t == NULL || with_member(&p) != 0) return -1;
    t->p = p;
    t->a = &t->p->a;
    t->p->f->app.keeps_rooms = true;
    t->p->f->app.cfg.joins_per_minute = 0;
    t->p->f->app.cfg.members_max = 64;
    join_room(t->p, &t->b);
    join_room(t->p, &t->c);
    hold_room(t);
    read_all(t, t->a);
    read_all(t, &t->b);
    read_all(t, &t->c);
    t->p->f->app.rung_count = 0;
    *state = t;
    return 0;
}

static inline int tear_down(void **state)
{
    struct give_test *t = *state;
    void *p = t->p;
    free(t);
    return without_member(&p);
}

/* ---- sends ---- */

/* Append one message; `to` NULL: to all. */
static inline void put_note(struct buf *b, int id, const struct member *to, const char *data)
{
    buf_printf(b, "%s{\"id\":\"%d\",", b->len == 0 ? "" : ",", id);
    if (to != NULL) buf_printf(b, "\"to\":\"%s\",", to->peer);
    buf_printf(b, "\"type\":\"note\",\"data\":%s}", data);
}

static inline int send_list(struct give_test *t, const struct member *from, struct buf *list)
{
    struct buf body;
    buf_init(&body, BODY_BYTES);
    buf_printf(&body, "{\"key\":\"%s\",\"send\":[", from->key);
    buf_add(&body, list->at, list->len);
    buf_add(&body, "]}", 3);
    assert_false(body.failed || list->failed);
    int status = call_room(t->p, "messages", body.at, NULL);
    buf_free(&body);
    buf_free(list);
    return status;
}

static inline int try_send(struct give_test *t, int id, const struct member *to, const char *data)
{
    struct buf list;
    buf_init(&list, BODY_BYTES);
    put_note(&list, id, to, data);
    return send_list(t, t->a, &list);
}

static inline void send_to(struct give_test *t, const struct member *to, const char *data)
{
    assert_int_equal(try_send(t, ++t->sends, to, data), 200);
}

static inline void send_some(struct give_test *t, const struct member *to, int count)
{
    struct buf list;
    buf_init(&list, BODY_BYTES);
    while (count-- > 0) put_note(&list, ++t->sends, to, "0");
    assert_int_equal(send_list(t, t->a, &list), 200);
}

static inline const char *big_text(void)
{
    static char big[BIG_BYTES + 1];
    memset(big, 'x', BIG_BYTES);
    big[0] = big[BIG_BYTES - 1] = '"';
    return big;
}

/* ---- polls ---- */

static inline void park_poll(struct give_test *t, struct member *m)
{
    assert_int_equal(begin_poll(t->p, m, ""), 0);
}

/* The next one to be woken, as in serve_look(). */
static inline struct waiter *next(struct give_test *t)
{
    struct app *app = &t->p->f->app;
    park_mark_heard(app->park, app->rung_count);
    return park_next(app->park);
}

/* This member's poll was answered with the text of the test. */
static inline void answered(struct give_test *t, struct member *m)
{
    park_remove(t->p->park, m->w);
    park_release(t->p->park, m->w);
    m->w = NULL;
    answer_text(&t->p->text, "next", m->cursor);
}

/* Its poll has to look, and finds something. */
static inline void looks(struct give_test *t, struct member *m)
{
    assert_null(m->w->given);
    assert_int_equal(wake_poll(t->p, m->w, WAKE_LOOK), OUTCOME_ANSWER);
    answered(t, m);
}

/* Its poll is answered with what it was given, which is what it would have found. */
static inline void takes(struct give_test *t, struct member *m)
{
    struct buf given;
    assert_non_null(m->w->given);
    assert_int_equal(wake_poll(t->p, m->w, WAKE_LOOK), OUTCOME_ANSWER);
    buf_init(&given, 1 << 20);
    buf_add(&given, t->p->text.at, t->p->text.len);
    assert_true(park_mark(t->p->park, bell_bucket("tea"), m->peer));
    assert_null(m->w->given);
    assert_int_equal(wake_poll(t->p, m->w, WAKE_LOOK), OUTCOME_ANSWER);
    assert_string_equal(given.at, t->p->text.at);
    assert_int_equal(given.len, t->p->text.len);
    buf_free(&given);
    answered(t, m);
}

static inline void is_given(struct give_test *t, struct member *m)
{
    assert_ptr_equal(next(t), m->w);
    takes(t, m);
}

static inline void has_to_look(struct give_test *t, struct member *m)
{
    assert_ptr_equal(next(t), m->w);
    looks(t, m);
}

/* Is this the data, or these the types, of the messages of the last answer, in order? */
static inline void expect(const struct give_test *t, const char *name, const char *wanted)
{
    char seen[512] = "", pattern[32];
    snprintf(pattern, sizeof pattern, "\"%s\":", name);
    const char *at = t->p->text.at, *end = strstr(at, "],\"next\"");
    assert_non_null(end);
    while ((at = strstr(at, pattern)) != NULL && at < end) {
        at += strlen(pattern);
        size_t len = strcspn(at, ",}");
        assert_true(strlen(seen) + len + 2 < sizeof seen);
        if (seen[0] != '\0') strcat(seen, " ");
        strncat(seen, at, len);
    }
    assert_string_equal(seen, wanted);
}

static inline int count_notes(const struct give_test *t)
{
    int count = 0;
    for (const char *at = t->p->text.at; (at = strstr(at, "\"note\"")) != NULL; at++) count++;
    return count;
}

#endif
