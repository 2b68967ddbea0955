/* delivery: one peer sends, one waits; beside waiters, or beside rooms that lie on disk. One
 * message at a time with a pause between, or at a rate, when the clock starts at the moment that
 * the message was due and not when this side came to send it. */
#include "generate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SENDER = 0, RECEIVER = 1, OPENING_MAX = 64, SETTLE_MS = 700, LOST_AFTER_MS = 5000 };

struct delivery {
    struct samples latency_ms, late_ms;
    int sent, taken, opened, goal;
    int64_t next_ns, sent_ns, end_ns;
    bool measuring;
};

static void on_mark(struct peer *p, const struct mark *m, int64_t now)
{
    struct delivery *d = p->gen->work;
    d->taken++;
    if (d->measuring) samples_add(&d->latency_ms, (double)(now - m->at_ns) / 1e6);
}

static double exponential(double mean)
{
    return -mean * log(1 - drand48());
}

static bool opened(struct gen *g)
{
    struct delivery *d = g->work;
    while (d->opened < d->goal && d->opened - g->ready_count < OPENING_MAX)
        peer_open(&g->peers[d->opened++]);
    return g->ready_count >= d->goal;
}

static bool open_until(struct gen *g, int goal)
{
    struct delivery *d = g->work;
    d->goal = goal;
    if (!gen_run(g, opened, now_ns() + 120 * INT64_C(1000000000))) {
        fprintf(stderr, "generate: %d of %d peers got in\n", g->ready_count, goal);
        return false;
    }
    (void)gen_run(g, NULL, now_ns() + SETTLE_MS * 1000000);
    return true;
}

static bool receiver_waits(const struct gen *g)
{
    const struct peer *r = &g->peers[RECEIVER];
    return r->poll.busy || r->poll.websocket;
}

/* One at a time. The pause lets everything settle and is longer than parking takes. */
static bool next_alone(struct gen *g)
{
    struct delivery *d = g->work;
    int64_t now = now_ns();
    if (now > d->end_ns + LOST_AFTER_MS * INT64_C(1000000)) return true;
    bool idle = d->taken == d->sent && g->peers[SENDER].first == NULL && receiver_waits(g);
    if (d->sent > 0 && d->taken < d->sent && now - d->sent_ns > LOST_AFTER_MS * INT64_C(1000000))
        d->taken = d->sent; /* given up: counted as lost */
    else if (!idle)
        return false;
    if (d->sent >= g->options.samples || now > d->end_ns) return true;
    if (d->next_ns == 0) {
        d->next_ns = now + (int64_t)(g->options.pause_us * (0.5 + drand48()) * 1000);
        return false;
    }
    if (now < d->next_ns) return false;
    d->next_ns = 0;
    d->sent++;
    d->sent_ns = now;
    peer_send(&g->peers[SENDER], RECEIVER, 'm', (size_t)g->options.size, now);
    gen_turn_end(g);
    return false;
}

static void run_alone(struct gen *g)
{
    struct delivery *d = g->work;
    for (;;) {
        int64_t until = d->next_ns > 0 ? d->next_ns : now_ns() + 1000000;
        if (gen_run(g, next_alone, until)) return;
    }
}

/* Sends what is due, whether or not what came before has arrived. */
static bool next_at_rate(struct gen *g)
{
    struct delivery *d = g->work;
    int64_t now = now_ns();
    while (d->sent < g->options.samples && d->next_ns <= now && now < d->end_ns) {
        if (d->measuring) samples_add(&d->late_ms, (double)(now - d->next_ns) / 1e6);
        peer_send(&g->peers[SENDER], RECEIVER, 'm', (size_t)g->options.size, d->next_ns);
        gen_turn_end(g);
        d->sent++;
        d->next_ns += (int64_t)exponential(1e9 / g->options.rate);
    }
    bool all_sent = d->sent >= g->options.samples || now >= d->end_ns;
    return all_sent && (d->taken >= d->sent || now > d->next_ns + LOST_AFTER_MS * INT64_C(1000000));
}

static void run_at_rate(struct gen *g)
{
    struct delivery *d = g->work;
    d->next_ns = now_ns();
    for (;;) {
        int64_t now = now_ns();
        int64_t until = d->next_ns > now ? d->next_ns : now + 1000000;
        if (gen_run(g, next_at_rate, until)) return;
    }
}

static void deliver(struct gen *g, int samples, double seconds, bool measuring)
{
    struct delivery *d = g->work;
    int wanted = g->options.samples;
    d->sent = d->taken = 0;
    d->next_ns = 0;
    d->measuring = measuring;
    d->end_ns = now_ns() + (int64_t)(seconds * 1e9);
    g->options.samples = samples;
    if (g->options.rate > 0)
        run_at_rate(g);
    else
        run_alone(g);
    g->options.samples = wanted;
}

static void print_idle(struct gen *g)
{
    uint64_t requests = g->requests;
    struct usage from = usage_now(g);
    (void)gen_run(g, NULL, from.at_ns + (int64_t)(g->options.idle_seconds * 1e9));
    usage_print("idle", from, usage_now(g));
    printf("\"idle_requests\":%llu,", (unsigned long long)(g->requests - requests));
}

int work_delivery(struct gen *g)
{
    struct options *o = &g->options;
    struct delivery d = { 0 };
    int count = o->members + (o->waiters + o->members - 1) / o->members * o->members;
    g->work = &d;
    g->on_mark = on_mark;
    peers_make(g, count, o->members);
    for (int i = o->members; o->no_polls && i < count; i++) g->peers[i].mute = true;
    if (!open_until(g, o->members)) return EXIT_FAILURE;
    if (o->samples > 0) deliver(g, o->warm, o->seconds, false);
    printf("{");
    double waiters = count - o->members;
    double all = waiters > 0 ? pss_bytes(g, true) : 0, own = waiters > 0 ? pss_bytes(g, false) : 0;
    if (waiters > 0) {
        int64_t since = now_ns();
        struct usage from = usage_now(g);
        if (!open_until(g, count)) return EXIT_FAILURE;
        usage_print("opening", from, usage_now(g));
        printf("\"waiters\":%.0f,\"open_s\":%.3f,", waiters,
               (double)(now_ns() - since) / 1e9 - SETTLE_MS / 1e3);
        if (o->samples > 0) deliver(g, o->warm / 4, o->seconds, false);
    }
    if (o->idle_seconds > 0) print_idle(g);
    if (waiters > 0)
        printf("\"pss_each\":%.1f,\"pss_own_each\":%.1f,", (pss_bytes(g, true) - all) / waiters,
               (pss_bytes(g, false) - own) / waiters);
    struct usage from = usage_now(g);
    if (o->samples > 0) deliver(g, o->samples, o->seconds, true);
    usage_print("usage", from, usage_now(g));
    samples_print("latency_ms", &d.latency_ms);
    samples_print("late_ms", &d.late_ms);
    gen_count_lost(g);
    tally_print(g);
    printf("}\n");
    peers_close(g);
    return EXIT_SUCCESS;
}
