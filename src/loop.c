#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bell.h"
#include "log.h"
#include "metrics.h"
#include "serve.h"
#include "store.h"
#include "sweep.h"
#include "upgrade.h"

enum {
    EVENTS_MAX = 256,
    ACCEPTS_MAX = 64, /* in one turn, so that nobody else waits for a flood */
    TICK_MS = 10000,  /* sweep, and look whether the bell is still the bell */
    SWEEP_FILES = 16,
    REST_MS = 100,           /* until the next try where no descriptor was to be had */
    TELL_MS = 1000,          /* between lines about that: a flood must not fill the log too */
    DESCRIPTORS_SPARE = 256, /* at least, for rooms, each a file and its journal, … */
    DESCRIPTORS_OTHER = 32,  /* … and for log, bell, feed and the like */
    DRAIN_MS = 700,          /* for answers to be taken when the process ends */
    DRAIN_UPGRADE_MS = 3000, /* and where another takes its place: nobody is in a hurry */
};

/* What epoll's data points to where it is not a connection. */
static char is_shared, is_own, is_signal, is_bell;

void loop_block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
}

static bool watch(struct loop *l, int fd, uint32_t events, void *what)
{
    struct epoll_event ev = { .events = events, .data.ptr = what };
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

/* A bell that rings where it can be had; else timers alone. */
static void watch_bell(struct loop *l)
{
    struct app *app = l->app;
    bool rings = app->bell != NULL;
    if (rings) {
        l->bell_seen = bell_now(app->bell);
        if (l->bell_fd < 0) {
            l->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
            rings = l->bell_fd >= 0 && watch(l, l->bell_fd, EPOLLIN, &is_bell);
        }
        rings = rings && bell_watch(app->bell, l->bell_fd, app_take_ear(app));
        park_listen(app->park);
        park_mark_all(app->park); /* what was rung before the watch began */
    }
    l->hears = rings && !app->data_remote;
    if (!l->hears && app->store != NULL) store_let_go_all(app);
    park_recheck_every(app->park, l->hears ? PARK_RECHECK_MS : PARK_RECHECK_BLIND_MS);
}

static bool make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool watch_sockets(struct loop *l)
{
    const struct loop_sockets *s = &l->sockets;
    return watch(l, s->shared, EPOLLIN | EPOLLEXCLUSIVE, &is_shared) &&
           (s->own < 0 || watch(l, s->own, EPOLLIN | EPOLLEXCLUSIVE, &is_own));
}

/* Rooms have a quarter where there are few: one that has to be opened again costs less than a
 * browser that is sent away. */
static void set_descriptors(struct loop *l)
{
    struct rlimit limit = { .rlim_cur = 1024, .rlim_max = 1024 };
    int64_t *rooms = &l->app->cfg.rooms_open_max;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    size_t all = (size_t)limit.rlim_cur, spare = DESCRIPTORS_OTHER + 2 * (size_t)*rooms;
    if (spare > all / 4) spare = all / 4;
    if (spare < DESCRIPTORS_SPARE) spare = DESCRIPTORS_SPARE;
    if (spare > all / 2) spare = all / 2;
    l->conns_max = all - spare;
    int64_t rooms_max = ((int64_t)spare - DESCRIPTORS_OTHER) / 2;
    if (*rooms > rooms_max) *rooms = rooms_max > 0 ? rooms_max : 1;
    /* Polls never take the last descriptors: sends, joins and leaves get through. */
    l->app->parked_max = l->conns_max - l->conns_max / 8;
}

static bool start(struct loop *l)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    l->gateway = gateway_open();
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (l->gateway == NULL || l->epoll_fd < 0 || l->signal_fd < 0 ||
        !make_nonblocking(l->sockets.shared) ||
        (l->sockets.own >= 0 && !make_nonblocking(l->sockets.own)) || !watch_sockets(l) ||
        !watch(l, l->signal_fd, EPOLLIN, &is_signal)) {
        log_event(LOG_LEVEL_ERROR, "start-failed", "step=loop error=%s", strerror(errno));
        return false;
    }
    l->accepting = true;
    set_descriptors(l);
    l->app->process_per_poll = l->app->cfg.mode == CONFIG_MODE_PROCESS;
    watch_bell(l);
    metrics_own_row(l->app->metrics, l->app);
    if (l->app->trouble.status == 0) upgrade_watch_data(l->app->upgrade, l->app->data_dir);
    return timers_set(&l->timers, &l->look, app_now_ms(l->app) + UPGRADE_LOOK_MS) &&
           timers_set(&l->timers, &l->tick, app_now_ms(l->app) + TICK_MS);
}

static bool may_tell(struct loop *l)
{
    int64_t now_ms = app_now_ms(l->app);
    if (now_ms < l->tell_ms) return false;
    l->tell_ms = now_ms + TELL_MS;
    return true;
}

static void accept_some(struct loop *l, int listen_fd, bool own)
{
    for (int i = 0; i < ACCEPTS_MAX && l->conns_count < l->conns_max; i++) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            serve_accept(l, fd, own);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno == EAGAIN) break;
        int error = errno;
        l->rest_ms = app_now_ms(l->app) + REST_MS;
        if (may_tell(l)) log_event(LOG_LEVEL_ERROR, "accept-failed", "error=%s", strerror(error));
        break;
    }
}

static void unwatch_sockets(struct loop *l)
{
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, l->sockets.shared, NULL);
    if (l->sockets.own >= 0) (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, l->sockets.own, NULL);
    l->accepting = false;
}

/* Listen only while there is a descriptor for who comes. */
static void mind_accepting(struct loop *l)
{
    bool full = l->conns_count >= l->conns_max;
    if (l->rest_ms != 0 && app_now_ms(l->app) >= l->rest_ms) l->rest_ms = 0;
    bool want = !l->stopping && !full && l->rest_ms == 0;
    if (want == l->accepting) return;
    if (want)
        l->accepting = watch_sockets(l);
    else
        unwatch_sockets(l);
    if (full && !l->stopping && may_tell(l))
        log_event(LOG_LEVEL_WARNING, "descriptors-out", "connections=%zu", l->conns_count);
}

static void hear_bell(struct loop *l)
{
    uint64_t count;
    uint32_t buckets[BELL_RECENT];
    struct app *app = l->app;
    (void)!read(l->bell_fd, &count, sizeof count);
    if (app->bell == NULL) return;
    store_let_go_asked(app);
    size_t rung = bell_since(app->bell, &l->bell_seen, true, buckets);
    if (rung == SIZE_MAX) {
        park_mark_rung(app->park);
        return;
    }
    for (size_t i = 0; i < rung; i++)
        if (!park_mark(app->park, buckets[i], "") && !store_keeps(app, buckets[i]))
            bell_ignore(app->bell, buckets[i]);
}

static void hear_signal(struct loop *l)
{
    struct signalfd_siginfo info;
    while (read(l->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        l->stopping = true;
        upgrade_cancel(l->app->upgrade);
    }
}

static void on_event(struct loop *l, const struct epoll_event *ev)
{
    if (ev->data.ptr == &is_shared) {
        accept_some(l, l->sockets.shared, l->sockets.only);
    } else if (ev->data.ptr == &is_own) {
        accept_some(l, l->sockets.own, true);
    } else if (ev->data.ptr == &is_signal) {
        hear_signal(l);
    } else if (ev->data.ptr == &is_bell) {
        hear_bell(l);
    } else {
        struct conn *c = ev->data.ptr;
        if (!c->hung_up && (ev->events & EPOLLOUT)) serve_writable(l, c);
        if (!c->hung_up && (ev->events & EPOLLIN)) serve_readable(l, c);
        if (!c->hung_up && (ev->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) serve_hangup(l, c);
    }
}

static void on_look(struct loop *l)
{
    (void)timers_set(&l->timers, &l->look, app_now_ms(l->app) + UPGRADE_LOOK_MS);
    if (upgrade_look(l->app->upgrade) != UPGRADE_NOTHING) l->stopping = true;
}

static void on_tick(struct loop *l)
{
    struct app *app = l->app;
    (void)timers_set(&l->timers, &l->tick, app_now_ms(app) + TICK_MS);
    if (app->trouble.status != 0) return; /* nothing is open */
    if (app->bell == NULL || !bell_alive(app->bell)) {
        app_reopen_bell(app);
        watch_bell(l);
    }
    sweep_some(app, SWEEP_FILES);
}

static void on_timers(struct loop *l)
{
    int64_t now_ms = app_now_ms(l->app);
    struct timer *timer;
    park_mark_due(l->app->park, now_ms);
    serve_due(l, now_ms);
    while ((timer = timers_take_due(&l->timers, now_ms)) != NULL) {
        if (timer == &l->tick)
            on_tick(l);
        else if (timer == &l->look)
            on_look(l);
        else
            serve_timer(l, TIMER_OWNER(timer, struct conn, timer));
    }
}

static int timeout_ms(const struct loop *l)
{
    int64_t park_ms = park_next_ms(l->app->park), next_ms = timers_next_ms(&l->timers);
    int64_t left_ms = (park_ms < next_ms ? park_ms : next_ms) - app_now_ms(l->app);
    int64_t most_ms = l->unused_ms < TICK_MS ? l->unused_ms : TICK_MS;
    if (l->rest_ms != 0 && most_ms > REST_MS) most_ms = REST_MS;
    return left_ms < 0 ? 0 : left_ms > most_ms ? (int)most_ms : (int)left_ms;
}

/* Those that cost a process are counted by their places. */
static void count_held(const struct loop *l)
{
    const struct app *app = l->app;
    size_t held = app->process_per_poll ? 0 : park_count(app->park) - park_count_no_room(app->park);
    metrics_set_held(app->metrics, held, app->process_per_poll ? 0 : app->parked_max);
}

static void turn(struct loop *l)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(l->epoll_fd, events, EVENTS_MAX, timeout_ms(l));
    l->alone = count == 1;
    for (int i = 0; i < count; i++) on_event(l, &events[i]);
    l->alone = false;
    on_timers(l);
    serve_look(l);
    mind_accepting(l);
    count_held(l);
    l->unused_ms = l->app->store == NULL ? INT64_MAX : store_let_go_unused(l->app);
}

static void finish(struct loop *l)
{
    bool upgrade = upgrade_look(l->app->upgrade) != UPGRADE_NOTHING;
    int64_t until_ms = app_now_ms(l->app) + (upgrade ? DRAIN_UPGRADE_MS : DRAIN_MS);
    if (l->app->store != NULL) store_let_go_all(l->app); /* to the process that comes after */
    serve_stop(l);
    while (l->conns != NULL && app_now_ms(l->app) < until_ms) {
        (void)timers_set(&l->timers, &l->tick, until_ms);
        turn(l);
        serve_stop(l);
    }
    serve_give_up_busy(l);
}

static void stop(struct loop *l)
{
    bell_close(l->app->bell); /* before its thread's descriptor */
    l->app->bell = NULL;
    if (l->bell_fd >= 0) close(l->bell_fd);
    while (l->conns != NULL) {
        struct conn *c = l->conns;
        l->conns = c->next;
        arena_free(c->arena);
        timers_clear(&l->timers, &c->timer);
        conn_free(&l->slab, c);
    }
    slab_free(&l->slab);
    arena_free(l->spare);
    timers_free(&l->timers);
    gateway_close(l->gateway);
    if (l->epoll_fd >= 0) close(l->epoll_fd);
    if (l->signal_fd >= 0) close(l->signal_fd);
}

bool loop_run(struct app *app, const struct loop_sockets *sockets)
{
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL) return false;
    l->app = app;
    app->lasts = true;
    l->sockets = *sockets;
    l->slab = SLAB_OF(struct conn);
    l->epoll_fd = l->signal_fd = l->bell_fd = -1;
    bool started = start(l);
    if (started) {
        while (!l->stopping) turn(l);
        finish(l);
    }
    stop(l);
    free(l);
    return started;
}
