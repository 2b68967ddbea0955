#include "serve.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bell.h"
#include "log.h"
#include "metrics.h"

enum {
    LOOK_AGAIN_MS = 5,
};

static struct arena *take_arena(struct loop *l)
{
    struct arena *a = l->spare;
    l->spare = NULL;
    return a != NULL ? a : arena_new(ROUTE_ARENA_BYTES_MAX);
}

static void give_arena(struct loop *l, struct arena *a)
{
    if (a == NULL) return;
    arena_reset(a);
    if (l->spare == NULL)
        l->spare = a;
    else
        arena_free(a);
}

static void watch(struct loop *l, struct conn *c, bool writable)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | (writable ? EPOLLOUT : 0u),
                              .data.ptr = c };
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
}

static void set_state(struct loop *l, struct conn *c, enum conn_state state, int64_t timeout_ms)
{
    c->state = state;
    if (timeout_ms > 0)
        (void)timers_set(&l->timers, &c->timer, app_now_ms(l->app) + timeout_ms);
    else
        timers_clear(&l->timers, &c->timer);
}

static void end_request(struct loop *l, struct conn *c)
{
    give_arena(l, c->arena);
    c->arena = NULL;
    c->rq = NULL;
}

/* Freed connections may still be named by events of the same epoll_wait: the loop frees them after.
 */
static void drop(struct loop *l, struct conn *c)
{
    if (c->hung_up) return;
    if (c->waiter != NULL) {
        park_remove(l->app->park, c->waiter);
        park_release(l->app->park, c->waiter);
        c->waiter = NULL;
    }
    end_request(l, c);
    c->hung_up = true;
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    (void)shutdown(c->fd, SHUT_RDWR);
    (void)timers_set(&l->timers, &c->timer, 0);
}

static void become_idle(struct loop *l, struct conn *c)
{
    bool keep = c->in.keep && !l->stopping;
    gateway_in_reset(&c->in);
    c->used = true;
    if (keep)
        set_state(l, c, CONN_IDLE, SERVE_IDLE_MS);
    else
        drop(l, c);
}

static void flush(struct loop *l, struct conn *c)
{
    bool waited = c->state == CONN_WRITING;
    switch (conn_flush(c)) {
    case CONN_DONE:
        if (waited) watch(l, c, false);
        become_idle(l, c);
        break;
    case CONN_MORE:
        if (!waited) {
            watch(l, c, true);
            set_state(l, c, CONN_WRITING, SERVE_WRITE_MS);
        }
        break;
    case CONN_GONE: drop(l, c); break;
    }
}

/* The request of `c` ends with this answer. */
static void answer(struct loop *l, struct conn *c, struct answer *an)
{
    end_request(l, c);
    metrics_count_answer(l->app->metrics, an->call, an->status, an->code);
    metrics_add(l->app->metrics, METRIC_ANSWER_BYTES, an->body.len);
    gateway_put_answer(c->in.id, an, &c->out);
    http_answer_free(an);
    if (c->out.failed) {
        log_event(LOG_LEVEL_ERROR, "out-of-memory", "what=answer");
        drop(l, c);
        return;
    }
    flush(l, c);
}

/* Wake one waiter; true: it was answered and is gone. `taken`: it is out of the park already. */
static bool resume(struct loop *l, struct waiter *w, enum wake wake, bool taken)
{
    struct conn *c = w->owner;
    struct answer an;
    http_answer_init(&an);
    struct arena *scratch = take_arena(l);
    enum outcome outcome = OUTCOME_BUSY;
    l->app->keeps_rooms = l->hears && c->own && !l->stopping;
    if (scratch != NULL) outcome = route_resume(l->app, scratch, w, wake, &an);
    give_arena(l, scratch);
    if (outcome != OUTCOME_ANSWER && !taken) {
        http_answer_free(&an);
        if (outcome == OUTCOME_PARK)
            park_looked(l->app->park, w);
        else
            park_look_again(l->app->park, w, app_now_ms(l->app) + LOOK_AGAIN_MS);
        return false;
    }
    if (outcome != OUTCOME_ANSWER)
        http_answer_problem(&an, PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5));
    if (!taken) park_remove(l->app->park, w);
    park_release(l->app->park, w);
    c->waiter = NULL;
    answer(l, c, &an);
    return true;
}

static void park(struct loop *l, struct conn *c, struct waiter *from, struct answer *an)
{
    struct waiter *superseded = NULL;
    from->owner = c;
    c->waiter = park_add(l->app->park, from, &superseded);
    if (c->waiter == NULL) {
        (void)route_resume(l->app, c->arena, from, WAKE_STOP, an);
        park_drop(l->app, from);
        answer(l, c, an);
        return;
    }
    http_answer_free(an);
    end_request(l, c);
    set_state(l, c, CONN_PARKED, 0);
    if (superseded != NULL) (void)resume(l, superseded, WAKE_SUPERSEDED, true);
}

static void try(struct loop *l, struct conn *c)
{
    struct answer an;
    struct waiter w;
    int64_t now_ms = app_now_ms(l->app);
    http_answer_init(&an);
    l->app->keeps_rooms = l->hears && c->own && !l->stopping;
    enum outcome outcome = route_handle(l->app, c->rq, &an, &w);
    if (outcome == OUTCOME_PARK) {
        park(l, c, &w, &an);
    } else if (outcome == OUTCOME_BUSY &&
               now_ms < c->busy_until_ms + (c->rq->patient ? ROUTE_PATIENT_MS : 0)) {
        http_answer_free(&an);
        c->rq->again = true;
        set_state(l, c, CONN_BUSY, c->busy_step_ms);
        if (c->busy_step_ms < ROUTE_BUSY_STEP_MS_MAX) c->busy_step_ms *= 2;
    } else {
        end_request(l, c);
        /* Who waits for a message before who sent it; where others send too, one look is for all.
         */
        if (l->alone) serve_look(l);
        answer(l, c, &an);
    }
}

/* Under Apache a poll costs a process of its, which the budget of slots counts; nobody else is
 * known to start one process for each request in flight. */
static void learn_mode(struct loop *l, const char *server_software)
{
    struct app *app = l->app;
    if (l->mode_known || server_software == NULL) return;
    l->mode_known = true;
    if (app->cfg.mode == CONFIG_MODE_AUTO)
        app->process_per_poll = l->sockets.inherited && strncmp(server_software, "Apache", 6) == 0;
}

static void handle(struct loop *l, struct conn *c)
{
    const char *server_software = NULL;
    c->arena = take_arena(l);
    c->rq = c->arena == NULL ? NULL : arena_alloc(c->arena, sizeof *c->rq);
    if (c->rq == NULL) {
        log_event(LOG_LEVEL_ERROR, "out-of-memory", "what=request");
        drop(l, c);
        return;
    }
    c->rq->arena = c->arena;
    timers_clear(&l->timers, &c->timer);
    struct problem p = gateway_parse(l->gateway, &c->in, c->rq, &server_software);
    if (p.status < 0) {
        log_event(LOG_LEVEL_WARNING, "request-broken", "what=records");
        drop(l, c);
        return;
    }
    learn_mode(l, server_software);
    if (p.status > 0) {
        struct answer an;
        http_answer_init(&an);
        route_refuse(l->app, c->rq, p, &an);
        answer(l, c, &an);
        return;
    }
    c->busy_step_ms = 1;
    c->busy_until_ms = app_now_ms(l->app) + ROUTE_BUSY_MS;
    try(l, c);
}

static void take_bytes(struct loop *l, struct conn *c, const unsigned char *at, size_t len)
{
    while (len > 0 && !c->hung_up) {
        size_t used = 0;
        if (c->state == CONN_IDLE) set_state(l, c, CONN_READING, SERVE_REQUEST_MS);
        switch (gateway_feed(&c->in, at, len, &used)) {
        case GATEWAY_MORE: break;
        case GATEWAY_WHOLE: handle(l, c); break;
        case GATEWAY_ABORTED: serve_hangup(l, c); return;
        case GATEWAY_BROKEN:
            log_event(LOG_LEVEL_WARNING, "request-broken", "what=protocol");
            serve_hangup(l, c);
            return;
        }
        at += used;
        len -= used;
    }
    /* What came was about a request that is over. */
    if (!c->hung_up && c->state == CONN_READING && gateway_in_idle(&c->in))
        set_state(l, c, CONN_IDLE, SERVE_IDLE_MS);
}

/* Whoever takes bytes from a Unix socket wakes the sender: it may write again. Here that is a
 * process of the web server on the other processor, which has nothing to write, and both lose
 * microseconds. So the bytes are taken when what they asked for has been done: then it is awake
 * anyhow. */
void serve_readable(struct loop *l, struct conn *c)
{
    ssize_t n = recv(c->fd, l->bytes, sizeof l->bytes, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0) {
        take_bytes(l, c, l->bytes, (size_t)n);
        /* Also where it is to be closed: what was not read makes of that a reset, which may
         * overtake the answer. */
        if (recv(c->fd, l->bytes, (size_t)n, MSG_DONTWAIT) != n) serve_hangup(l, c);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        serve_hangup(l, c);
    }
}

void serve_writable(struct loop *l, struct conn *c)
{
    if (c->state == CONN_WRITING) flush(l, c);
}

void serve_hangup(struct loop *l, struct conn *c)
{
    struct waiter *w = c->waiter;
    bool newest =
        w != NULL && !w->no_room &&
        (l->app->bell == NULL || bell_owner_newest(l->app->bell, w->wait.peer, w->ticket));
    if (newest && !l->stopping) (void)room_hangup(l->app, &w->wait);
    drop(l, c);
}

void serve_timer(struct loop *l, struct conn *c)
{
    if (c->hung_up) {
        *(c->previous != NULL ? &c->previous->next : &l->conns) = c->next;
        if (c->next != NULL) c->next->previous = c->previous;
        l->conns_count--;
        conn_free(&l->slab, c);
        return;
    }
    if (c->state == CONN_BUSY) {
        try(l, c);
        return;
    }
    if (c->state != CONN_IDLE)
        log_event(LOG_LEVEL_WARNING, "peer-slow", "state=%s",
                  c->state == CONN_READING ? "reading" : "writing");
    drop(l, c);
}

void serve_look(struct loop *l)
{
    struct app *app = l->app;
    for (;;) {
        park_mark_heard(app->park, app->rung_count);
        struct waiter *w = park_next(app->park);
        if (w == NULL) return;
        (void)resume(l, w, WAKE_LOOK, false);
    }
}

void serve_due(struct loop *l, int64_t now_ms)
{
    struct waiter *w;
    while ((w = park_take_due(l->app->park, now_ms)) != NULL)
        (void)resume(l, w, WAKE_DEADLINE, true);
}

/* Has the peer sent what was not read yet, or is its first request on the way? */
static bool expects_answer(const struct conn *c)
{
    char byte;
    return !c->used || recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void serve_stop(struct loop *l)
{
    struct waiter *w;
    while ((w = park_take_any(l->app->park)) != NULL) (void)resume(l, w, WAKE_STOP, true);
    for (struct conn *c = l->conns; c != NULL; c = c->next)
        if (c->state == CONN_IDLE && !expects_answer(c)) drop(l, c);
}

static struct conn *any_busy(const struct loop *l)
{
    struct conn *c = l->conns;
    while (c != NULL && (c->hung_up || c->state != CONN_BUSY)) c = c->next;
    return c;
}

void serve_give_up_busy(struct loop *l)
{
    for (struct conn *c; (c = any_busy(l)) != NULL;) {
        c->busy_until_ms = 0;
        try(l, c);
    }
    serve_stop(l);
}

void serve_accept(struct loop *l, int fd, bool own)
{
    struct conn *c = conn_new(&l->slab, fd);
    struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };
    if (c == NULL || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0) {
        log_event(LOG_LEVEL_ERROR, "accept-failed", "error=%s", strerror(errno));
        if (c != NULL)
            conn_free(&l->slab, c);
        else
            close(fd);
        return;
    }
    c->own = own;
    c->next = l->conns;
    if (c->next != NULL) c->next->previous = c;
    l->conns = c;
    l->conns_count++;
    set_state(l, c, CONN_IDLE, SERVE_REQUEST_MS);
}
