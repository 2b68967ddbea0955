/* join: all members of all rooms come at the same instant and send each other what two browsers
 * send: an offer and an answer of 2.5 kB, six candidates each way. Who is there offers to who
 * comes. The clock runs from the first connect until everybody has everything. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>

enum { DESCRIPTION_BYTES = 2500, CANDIDATE_BYTES = 150, CANDIDATES = 6 };
enum { PAIR_MESSAGES = 2 * (1 + CANDIDATES), PAUSE_MS = 150 };

struct join {
    uint64_t expected, before;
};

static void describe(struct peer *p, int to, char kind)
{
    int64_t now = now_ns();
    peer_send(p, to, kind, DESCRIPTION_BYTES, now);
    for (int i = 0; i < CANDIDATES; i++) peer_send(p, to, 'c', CANDIDATE_BYTES, now);
}

static void on_peer(struct peer *p, int other)
{
    describe(p, other, 'o');
}

static void on_mark(struct peer *p, const struct mark *m, int64_t now)
{
    (void)now;
    if (m->kind == 'o') describe(p, m->from, 'a');
}

static bool complete(struct gen *g)
{
    const struct join *j = g->work;
    return g->tally.received - j->before >= j->expected;
}

static bool quiet(struct gen *g)
{
    for (int i = 0; i < g->peers_count; i++)
        if (g->peers[i].post.busy) return false;
    return true;
}

static bool run_round(struct gen *g, struct samples *ms)
{
    struct join *j = g->work;
    struct options *o = &g->options;
    peers_make(g, o->rooms * o->members, o->members);
    j->expected =
        (uint64_t)o->rooms * (uint64_t)(o->members * (o->members - 1) / 2) * PAIR_MESSAGES;
    j->before = g->tally.received;
    int64_t since = now_ns();
    for (int i = 0; i < g->peers_count; i++) peer_open(&g->peers[i]);
    bool all = gen_run(g, complete, since + (int64_t)(o->seconds * 1e9));
    if (all && ms != NULL) samples_add(ms, (double)(now_ns() - since) / 1e6);
    if (!all) {
        fprintf(stderr, "generate: %llu of %llu messages came in %.0f s\n",
                (unsigned long long)(g->tally.received - j->before),
                (unsigned long long)j->expected, o->seconds);
        g->tally.sent += j->expected - (g->tally.sent - j->before); /* never even sent: lost too */
    }
    (void)gen_run(g, quiet, now_ns() + 1000000000);
    return all;
}

int work_join(struct gen *g)
{
    struct options *o = &g->options;
    struct join j = { 0 };
    struct samples ms = { 0 };
    struct usage sum = { 0 };
    uint64_t requests = 0;
    int done = 0;
    g->work = &j;
    g->on_peer = on_peer;
    g->on_mark = on_mark;
    for (int i = 0; i < o->warm + o->rounds; i++) {
        bool measured = i >= o->warm;
        uint64_t requests_before = g->requests;
        struct usage from = usage_now(g);
        bool all = run_round(g, measured ? &ms : NULL);
        struct usage to = usage_now(g);
        peers_close(g);
        (void)gen_run(g, NULL, now_ns() + PAUSE_MS * 1000000);
        g->round++;
        if (!all) break;
        if (!measured) continue;
        done++;
        requests += g->requests - requests_before;
        sum.server_s += to.server_s - from.server_s;
        sum.own_s += to.own_s - from.own_s;
        sum.generator_s += to.generator_s - from.generator_s;
        sum.at_ns += to.at_ns - from.at_ns;
    }
    printf("{\"rounds\":%d,\"messages\":%llu,\"round_requests\":%.1f,", done,
           (unsigned long long)j.expected, done == 0 ? 0.0 : (double)requests / done);
    usage_print("usage", (struct usage){ 0 }, sum);
    samples_print("round_ms", &ms);
    gen_count_lost(g);
    tally_print(g);
    printf("}\n");
    return EXIT_SUCCESS;
}
