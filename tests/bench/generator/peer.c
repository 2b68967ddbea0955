/* Peers, their letters and the marks by which each message is counted. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK_START "~kb:"

static const char sdp_line[] =
    "a=rtpmap:111 opus/48000/2\\r\\na=fmtp:111 minptime=10;useinbandfec=1\\r\\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\\r\\na=rtcp-fb:96 nack pli\\r\\n";

void peers_make(struct gen *g, int count, int members)
{
    if (count > g->peers_max) {
        g->peers = realloc(g->peers, (size_t)count * sizeof *g->peers);
        g->peers_max = count;
    }
    free(g->pairs);
    g->pairs = calloc((size_t)count * (size_t)members, sizeof *g->pairs);
    if (g->peers == NULL || g->pairs == NULL) abort();
    g->peers_count = count;
    g->members = members;
    g->ready_count = 0;
    g->dirty = NULL;
    memset(g->peers, 0, (size_t)count * sizeof *g->peers);
    for (int i = 0; i < count; i++) {
        struct peer *p = &g->peers[i];
        p->gen = g;
        p->id = i;
        p->room = i / members;
        p->poll.conn.fd = p->post.conn.fd = -1;
        p->poll.owner = p->post.owner = p;
        snprintf(p->address, sizeof p->address, "%d", i);
    }
}

void peer_open(struct peer *p)
{
    p->gen->protocol->open(p);
}

void peers_close(struct gen *g)
{
    for (int i = 0; i < g->peers_count; i++) {
        struct peer *p = &g->peers[i];
        http_close(&p->poll);
        http_close(&p->post);
        while (p->first != NULL) free(peer_letter_take(p));
    }
    g->dirty = NULL;
}

static int room_base(const struct peer *p)
{
    return p->room * p->gen->members;
}

void peer_ready(struct peer *p)
{
    struct gen *g = p->gen;
    if (p->ready) return;
    p->ready = true;
    g->ready_count++;
    if (!g->protocol->announces && g->on_peer != NULL)
        for (int i = room_base(p); i < room_base(p) + g->members; i++)
            if (i != p->id && g->peers[i].ready) g->on_peer(&g->peers[i], p->id);
    if (g->on_ready != NULL) g->on_ready(p);
}

void peer_met(struct peer *p, int other)
{
    if (p->gen->on_peer != NULL) p->gen->on_peer(p, other);
}

void peer_error(struct peer *p, const char *what, struct text detail)
{
    if (p->gen->tally.errors++ < 5)
        fprintf(stderr, "generate: peer %d: %s: %.*s\n", p->id, what,
                (int)(detail.len > 300 ? 300 : detail.len), detail.at == NULL ? "" : detail.at);
}

static struct pair *pair_of(struct gen *g, int from, int to)
{
    return &g->pairs[from * g->members + to % g->members];
}

void peer_send(struct peer *p, int to, char kind, size_t size, int64_t at_ns)
{
    struct gen *g = p->gen;
    struct letter *l = malloc(sizeof *l + size + MARK_BYTES_MAX + sizeof sdp_line);
    if (l == NULL) abort();
    l->next = NULL;
    l->number = g->tally.sent;
    l->to = to;
    l->type = kind == 'o' ? "offer" : kind == 'a' ? "answer" : "candidate";
    int n = sprintf(l->data, "{\"mark\":\"" MARK_START "%d.%d.%u.%c.%lld~\",\"sdp\":\"", p->id, to,
                    pair_of(g, p->id, to)->sent++, kind, (long long)at_ns);
    l->len = (size_t)n;
    while (l->len + sizeof sdp_line + 1 <= size) {
        memcpy(l->data + l->len, sdp_line, sizeof sdp_line - 1);
        l->len += sizeof sdp_line - 1;
    }
    while (l->len + 2 < size) l->data[l->len++] = 'x';
    memcpy(l->data + l->len, "\"}", 3);
    l->len += 2;
    *(p->first == NULL ? &p->first : &p->last->next) = l;
    p->last = l;
    g->tally.sent++;
    if (!p->dirty) {
        p->dirty = true;
        p->next_dirty = g->dirty;
        g->dirty = p;
    }
}

struct letter *peer_letter_take(struct peer *p)
{
    struct letter *l = p->first;
    if (l != NULL) p->first = l->next;
    return l;
}

void outbox_drop(struct peer *p, int count)
{
    while (count-- > 0) free(peer_letter_take(p));
}

void gen_turn_end(void *arg)
{
    struct gen *g = arg;
    while (g->dirty != NULL) {
        struct peer *p = g->dirty;
        g->dirty = p->next_dirty;
        p->dirty = false;
        if (p->first != NULL) g->protocol->flush(p);
    }
}

static void take_mark(struct peer *p, const struct mark *m)
{
    struct gen *g = p->gen;
    if (m->to != p->id || m->from < 0 || m->from >= g->peers_count ||
        g->peers[m->from].room != p->room) {
        g->tally.stray++;
        return;
    }
    struct pair *pair = pair_of(g, m->from, m->to);
    if (m->n < pair->next && pair->missing == 0) {
        g->tally.doubled++;
        return;
    }
    if (m->n < pair->next) {
        pair->missing--; /* late; its gap was counted when it was seen */
    } else {
        if (m->n > pair->next) g->tally.disordered++;
        pair->missing += m->n - pair->next;
        pair->next = m->n + 1;
    }
    g->tally.received++;
    g->on_mark(p, m, now_ns());
}

void peer_scan(struct peer *p, struct text in)
{
    const char *end = in.at + in.len;
    const char *at = in.at;
    while (at < end && (at = memmem(at, (size_t)(end - at), MARK_START, 4)) != NULL) {
        struct mark m;
        char *stop;
        m.from = (int)strtol(at + 4, &stop, 10);
        m.to = (int)strtol(stop + 1, &stop, 10);
        m.n = (uint32_t)strtoul(stop + 1, &stop, 10);
        m.kind = stop[1];
        m.at_ns = strtoll(stop + 3, &stop, 10);
        take_mark(p, &m);
        at = stop;
    }
}

void gen_count_lost(struct gen *g)
{
    g->tally.lost = g->tally.sent > g->tally.received ? g->tally.sent - g->tally.received : 0;
}

static void beat(struct gen *g)
{
    int64_t now = now_ns();
    for (int i = 0; i < g->peers_count; i++) {
        struct peer *p = &g->peers[i];
        if (!p->ready || now < p->beat_ns) continue;
        if (p->beat_ns != 0) g->protocol->beat(p);
        p->beat_ns = now + g->protocol->beat_ms * 1000000;
    }
}

bool gen_run(struct gen *g, bool (*done)(struct gen *), int64_t until_ns)
{
    int64_t next_beat = 0;
    for (;;) {
        gen_turn_end(g);
        if (done != NULL && done(g)) return true;
        int64_t now = now_ns();
        if (now >= until_ns) return false;
        if (g->protocol->beat != NULL && now >= next_beat) {
            beat(g);
            next_beat = now + 100000000;
        }
        int64_t until = g->protocol->beat != NULL && next_beat < until_ns ? next_beat : until_ns;
        net_wait(&g->net, until, gen_turn_end, g);
    }
}

bool text_between(struct text in, const char *before, char *out, size_t cap)
{
    size_t len = strlen(before);
    const char *at = in.len < len ? NULL : memmem(in.at, in.len, before, len);
    if (at == NULL) return false;
    at += len;
    const char *end = memchr(at, '"', (size_t)(in.at + in.len - at));
    if (end == NULL || (size_t)(end - at) >= cap) return false;
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = '\0';
    return true;
}
