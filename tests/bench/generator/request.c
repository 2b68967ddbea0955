/* request: one request over and over, on some connections, each with one on its way. `@@` in the
 * body is a number that no other has. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct requests {
    struct samples ms;
    struct http *lanes;
    int64_t *since, *next;
    int started, ended;
    int64_t end_ns;
    bool measuring;
};

static void on_answer(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    struct gen *g = h->owner;
    struct requests *r = g->work;
    int lane = (int)(h - r->lanes);
    int64_t now = now_ns();
    if (status < 200 || status > 299) peer_error(&g->peers[0], "answer", body);
    if (r->measuring) samples_add(&r->ms, (double)(now - r->since[lane]) / 1e6);
    r->ended++;
    double pause = g->options.pause_us * (0.5 + drand48()) * 1000;
    r->next[lane] = now + (int64_t)pause;
}

static void lost(struct http *h)
{
    struct gen *g = h->owner;
    struct requests *r = g->work;
    peer_error(&g->peers[0], "connection closed by the server", (struct text){ 0 });
    r->ended++;
}

static void start(struct gen *g, struct requests *r, int lane)
{
    const struct options *o = &g->options;
    struct text none = { 0 };
    g->requests++;
    if (o->body == NULL) {
        r->since[lane] = now_ns();
        http_request(&g->net, &r->lanes[lane], "GET", o->path, "", none);
    } else {
        struct bytes b = { 0 };
        const char *at = o->body;
        for (const char *mark; (mark = strstr(at, "@@")) != NULL; at = mark + 2) {
            bytes_add(&b, at, (size_t)(mark - at));
            bytes_printf(&b, "%llu", (unsigned long long)g->requests);
        }
        bytes_text(&b, at);
        r->since[lane] = now_ns();
        http_request(&g->net, &r->lanes[lane], "POST", o->path,
                     "Content-Type: application/json\r\n", (struct text){ b.at, b.len });
        bytes_free(&b);
    }
    r->started++;
}

static void run(struct gen *g, struct requests *r, int samples)
{
    r->started = r->ended = 0;
    r->end_ns = now_ns() + (int64_t)(g->options.seconds * 1e9);
    for (;;) {
        int64_t now = now_ns(), until = now + 5000000;
        bool more = r->started < samples && now < r->end_ns;
        if (!more && (r->ended >= r->started || now > r->end_ns + INT64_C(5000000000))) return;
        for (int i = 0; more && i < g->options.concurrency && r->started < samples; i++) {
            if (r->lanes[i].busy) continue;
            if (r->next[i] <= now)
                start(g, r, i);
            else if (r->next[i] < until)
                until = r->next[i];
        }
        net_wait(&g->net, until, gen_turn_end, g);
    }
}

int work_request(struct gen *g)
{
    struct options *o = &g->options;
    struct requests r = { 0 };
    int lanes = o->concurrency;
    g->work = &r;
    peers_make(g, 1, 1);
    r.lanes = calloc((size_t)lanes, sizeof *r.lanes);
    r.since = calloc((size_t)lanes, sizeof *r.since);
    r.next = calloc((size_t)lanes, sizeof *r.next);
    if (r.lanes == NULL || r.since == NULL || r.next == NULL) abort();
    for (int i = 0; i < lanes; i++) {
        r.lanes[i].conn.fd = -1;
        r.lanes[i].owner = g;
        r.lanes[i].answer = on_answer;
        r.lanes[i].lost = lost;
    }
    run(g, &r, o->warm);
    r.measuring = true;
    struct usage from = usage_now(g);
    run(g, &r, o->samples);
    struct usage to = usage_now(g);
    printf("{");
    usage_print("usage", from, to);
    printf("\"rate\":%.1f,", (double)r.ended / ((double)(to.at_ns - from.at_ns) / 1e9));
    samples_print("latency_ms", &r.ms);
    tally_print(g);
    printf("}\n");
    for (int i = 0; i < lanes; i++) http_close(&r.lanes[i]);
    return EXIT_SUCCESS;
}
