/* Klatch's own protocol, as its SDK speaks it: a lane that holds polls, and a lane that sends what
 * one turn wrote in one exchange, one at a time, up to the SDK's bounds of a batch. What was
 * written while mail was read goes with the poll that follows, where all of it does. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_LETTERS_MAX = 32, BATCH_BYTES_MAX = 96000, HOLD_MS = 25000, RECEIPT_MS = 5000 };

#define JSON_TYPE "Content-Type: application/json\r\n"

static void open_peer(struct peer *p);
static void flush(struct peer *p);

static void call(struct peer *p, struct http *h, const char *what, const struct bytes *body)
{
    char path[256];
    const struct options *o = &p->gen->options;
    snprintf(path, sizeof path, "%s/v1/rooms/%s-%d-%d/%s", o->base, o->room, p->gen->round, p->room,
             what);
    p->gen->requests++;
    http_request(&p->gen->net, h, "POST", path, JSON_TYPE, (struct text){ body->at, body->len });
}

/* The first letters that fit into one request. *rest is the first that doesn't, or NULL. */
static int put_letters(struct bytes *b, struct peer *p, struct letter **rest)
{
    int count = 0;
    struct letter *l = p->first;
    bytes_text(b, "\"send\":[");
    for (; l != NULL && count < BATCH_LETTERS_MAX; l = l->next) {
        if (count > 0 && b->len + l->len > BATCH_BYTES_MAX) break;
        /* As long as the SDK's random ids. */
        bytes_printf(b, "%s{\"id\":\"%06d%016llx\",\"type\":\"%s\",\"to\":\"%s\",\"data\":",
                     count > 0 ? "," : "", p->id, (unsigned long long)l->number, l->type,
                     p->gen->peers[l->to].address);
        bytes_add(b, l->data, l->len);
        bytes_text(b, "}");
        count++;
    }
    bytes_text(b, "],");
    *rest = l;
    return count;
}

static void hold(struct peer *p)
{
    struct bytes b = { 0 };
    struct letter *rest;
    bytes_text(&b, "{");
    p->riding = p->first == NULL || p->sending > 0 ? 0 : put_letters(&b, p, &rest);
    if (p->riding > 0 && rest != NULL) {
        b.len = 1;
        p->riding = 0;
    }
    bytes_printf(&b, "\"key\":\"%s\",\"after\":\"%s\",\"wait_ms\":%d,\"turn\":%d}", p->key,
                 p->cursor, p->riding > 0 ? RECEIPT_MS : HOLD_MS, ++p->turn);
    call(p, &p->poll, "exchange", &b);
    bytes_free(&b);
}

/* Every newcomer that the server tells of. Names are n<id>. */
static void meet(struct peer *p, struct text body)
{
    static const char joined[] = "\"type\":\"peer-joined\"";
    const char *end = body.at + body.len;
    const char *at = body.at;
    while ((at = memmem(at, (size_t)(end - at), joined, sizeof joined - 1)) != NULL) {
        struct text rest = { at, (size_t)(end - at) };
        char name[16], address[ADDRESS_BYTES];
        if (!text_between(rest, "\"name\":\"n", name, sizeof name) ||
            !text_between(rest, "\"peer\":\"", address, sizeof address)) {
            peer_error(p, "peer-joined without a name", rest);
            return;
        }
        int other = atoi(name);
        strcpy(p->gen->peers[other].address, address);
        peer_met(p, other);
        at += sizeof joined;
    }
}

static void on_poll(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    struct peer *p = h->owner;
    if (!p->joined && status == 503) {
        p->gen->tally
            .busy++; /* the server has held it for 2 s: the SDK asks again, and so does this */
        open_peer(p);
        return;
    }
    if (!p->joined) {
        if (status != 201 || !text_between(body, "\"peer\":\"", p->address, ADDRESS_BYTES) ||
            !text_between(body, "\"key\":\"", p->key, ADDRESS_BYTES) ||
            !text_between(body, "\"cursor\":\"", p->cursor, ADDRESS_BYTES)) {
            peer_error(p, "join", body);
            return;
        }
        p->joined = true;
        if (p->mute)
            http_close(h); /* a room on disk */
        else
            hold(p);
        peer_ready(p);
        return;
    }
    if (status != 200 || !text_between(body, "\"next\":\"", p->cursor, ADDRESS_BYTES)) {
        peer_error(p, "poll", body);
        if (status == 502 || status == 503) hold(p);
        return;
    }
    outbox_drop(p, p->riding);
    meet(p, body);
    peer_scan(p, body);
    hold(p);
}

static void on_sent(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    struct peer *p = h->owner;
    if (status != 200) peer_error(p, "send", body);
    outbox_drop(p, p->sending);
    p->riding -= p->riding < p->sending ? p->riding : p->sending;
    p->sending = 0;
    flush(p);
}

static void lost(struct http *h)
{
    struct peer *p = h->owner;
    peer_error(p, "connection closed by the server", (struct text){ 0 });
    if (h == &p->poll && p->joined) hold(p);
}

/* Those that ride go again before later ones: their poll isn't answered yet. */
static void flush(struct peer *p)
{
    struct letter *waits = p->first;
    for (int i = 0; i < p->riding; i++) waits = waits->next;
    if (waits == NULL || p->sending > 0 || !p->joined) return;
    struct bytes b = { 0 };
    bytes_text(&b, "{");
    p->sending = put_letters(&b, p, &waits);
    bytes_printf(&b, "\"key\":\"%s\"}", p->key);
    p->post.answer = on_sent;
    p->post.lost = lost;
    call(p, &p->post, "exchange", &b);
    bytes_free(&b);
}

static void open_peer(struct peer *p)
{
    struct bytes b = { 0 };
    p->poll.answer = on_poll;
    p->poll.lost = lost;
    bytes_printf(&b, "{\"id\":\"%08x%08x%016llx\",\"name\":\"n%d\"}", (unsigned)p->id,
                 (unsigned)p->gen->round, (unsigned long long)now_ns(), p->id);
    call(p, &p->poll, "join", &b);
    bytes_free(&b);
}

const struct protocol protocol_klatch = {
    .name = "klatch", .announces = true, .open = open_peer, .flush = flush
};
