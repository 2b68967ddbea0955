#include "cgi.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bell.h"
#include "log.h"
#include "metrics.h"
#include "route.h"
#include "upgrade.h"

extern char **environ;

enum {
    BODY_MS = 10000,
};

static void sleep_ms(int64_t ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

/* Read up to `len` bytes of standard input under one deadline; how many came. at == NULL: drain. */
static size_t read_input(const struct app *app, char *at, size_t len)
{
    char waste[4096];
    int64_t until_ms = app_now_ms(app) + BODY_MS;
    size_t got = 0;
    while (got < len) {
        struct pollfd p = { .fd = 0, .events = POLLIN };
        int64_t left_ms = until_ms - app_now_ms(app);
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0) break;
        size_t want = len - got;
        if (at == NULL && want > sizeof waste) want = sizeof waste;
        ssize_t n = read(0, at == NULL ? waste : at + got, want);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        got += (size_t)n;
    }
    return got;
}

static struct problem read_body(const struct app *app, struct request *rq)
{
    int64_t length = http_content_length(environ);
    if (length <= 0) return NO_PROBLEM;
    if (length > HTTP_BODY_BYTES_MAX) {
        /* A body that is not drained costs the web server its answer now and then. */
        (void)read_input(app, NULL, (size_t)length);
        rq->body_too_large = true;
        return NO_PROBLEM;
    }
    char *body = arena_alloc(rq->arena, (size_t)length);
    if (body == NULL) return PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5);
    if (read_input(app, body, (size_t)length) != (size_t)length)
        return PROBLEM(400, "invalid-request", "The body is not as long as it was said to be.");
    rq->body = (struct slice){ body, (size_t)length };
    return NO_PROBLEM;
}

static bool write_answer(const struct answer *an)
{
    struct buf out;
    buf_init(&out, HTTP_ANSWER_BYTES_MAX + 4096);
    http_answer_write(an, &out);
    size_t at = 0;
    while (!out.failed && at < out.len) {
        ssize_t n = write(1, out.at + at, out.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        at += (size_t)n;
    }
    bool done = !out.failed && at == out.len;
    buf_free(&out);
    return done;
}

/* Sleep until this room may have news, at most until `until_ms`. */
static void wait_for_ring(struct app *app, const char *room, uint32_t *seen, int64_t until_ms)
{
    uint32_t bucket = bell_bucket(room), rung[BELL_RECENT];
    bool blind = app->bell == NULL || app->data_remote || !bell_alive(app->bell);
    int64_t recheck_ms = app_now_ms(app) + (blind ? PARK_RECHECK_BLIND_MS : PARK_RECHECK_MS);
    if (recheck_ms < until_ms) until_ms = recheck_ms;
    for (;;) {
        int64_t left_ms = until_ms - app_now_ms(app);
        if (left_ms <= 0) return;
        if (app->bell == NULL) {
            sleep_ms(left_ms);
            return;
        }
        if (!bell_wait(app->bell, *seen, left_ms)) return;
        size_t count = bell_since(app->bell, seen, true, rung);
        if (count == SIZE_MAX) return;
        for (size_t i = 0; i < count; i++)
            if (rung[i] == bucket) return;
    }
}

/* Hold the poll `w` in this process until there is something to say. */
static void hold(struct app *app, struct waiter *w, struct answer *an)
{
    int64_t deadline_ms = w->deadline.at_ms;
    struct arena *scratch = arena_new(ROUTE_ARENA_BYTES_MAX);
    uint32_t seen = 0;
    if (app->bell != NULL) {
        (void)bell_listen(app->bell, bell_bucket(w->wait.room));
        seen = bell_now(app->bell);
    }
    enum outcome outcome = OUTCOME_PARK;
    while (scratch != NULL) {
        bool over = app_now_ms(app) >= deadline_ms;
        arena_reset(scratch);
        outcome = route_resume(app, scratch, w, over ? WAKE_DEADLINE : WAKE_LOOK, an);
        if (outcome == OUTCOME_ANSWER) break;
        int64_t until_ms =
            w->wait.lease_wake_ms < deadline_ms ? w->wait.lease_wake_ms : deadline_ms;
        if (outcome == OUTCOME_BUSY)
            sleep_ms(5);
        else
            wait_for_ring(app, w->wait.room, &seen, until_ms);
    }
    if (outcome != OUTCOME_ANSWER)
        http_answer_problem(an, PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5));
    arena_free(scratch);
    park_drop(app, w);
}

/* Hold the poll in a copy of this program, so that nobody who uploads a new one finds the file busy
 * for as long. The request is handled again there, from its start, as after any lost answer.
 * Returns in the copy, and where there can be none. */
static void become_copy(const struct app *app, const struct request *rq)
{
    char name[] = "", *argv[] = { name, NULL };
    if (app->place == NULL) return;
    if (rq->body.len > 0) {
        int input = memfd_create("klatch-input", MFD_CLOEXEC);
        bool kept = input >= 0 &&
                    write(input, rq->body.at, rq->body.len) == (ssize_t)rq->body.len &&
                    lseek(input, 0, SEEK_SET) == 0 && dup2(input, 0) == 0;
        if (input >= 0) close(input);
        if (!kept) return;
    }
    (void)upgrade_copy(app->place, argv);
}

static void handle(struct app *app, struct request *rq, struct answer *an)
{
    struct waiter w;
    int64_t step_ms = 1, busy_until_ms = app_now_ms(app) + ROUTE_BUSY_MS;
    for (;;) {
        enum outcome outcome = route_handle(app, rq, an, &w);
        if (outcome == OUTCOME_PARK) {
            become_copy(app, rq);
            hold(app, &w, an);
        }
        if (outcome != OUTCOME_BUSY || app_now_ms(app) >= busy_until_ms) return;
        http_answer_free(an);
        http_answer_init(an);
        rq->again = true;
        sleep_ms(step_ms);
        if (step_ms < ROUTE_BUSY_STEP_MS_MAX) step_ms *= 2;
    }
}

bool cgi_run(struct app *app)
{
    struct request rq = { .arena = arena_new(ROUTE_ARENA_BYTES_MAX), .again = upgrade_is_copy() };
    struct answer an;
    http_answer_init(&an);
    app->process_per_poll = app->cfg.mode != CONFIG_MODE_PARKED;
    app->parked_max = 1;
    struct problem p = PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5);
    if (rq.arena != NULL && http_request_from_env(&rq, environ)) p = read_body(app, &rq);
    if (p.status != 0)
        route_refuse(app, &rq, p, &an);
    else
        handle(app, &rq, &an);
    metrics_count_answer(app->metrics, an.call, an.status, an.code);
    metrics_add(app->metrics, METRIC_ANSWER_BYTES, an.body.len);
    bool done = write_answer(&an);
    http_answer_free(&an);
    arena_free(rq.arena);
    return done;
}
