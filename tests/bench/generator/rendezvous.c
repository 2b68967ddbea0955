/* Systems that know mailboxes and no rooms, over plain HTTP: both floors, nchan and the PHP loop.
 * One poll and one send at a time, each message a request of its own. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void poll_again(struct peer *p);
static void flush(struct peer *p);

/* Mailboxes of one round are not those of the next. The floors number theirs. */
static const char *mailbox(const struct gen *g, int id)
{
    static char name[128];
    if (g->protocol == &protocol_rendezvous)
        snprintf(name, sizeof name, "%d", g->round % 64 * 32768 + id);
    else
        snprintf(name, sizeof name, "%s-%d-%d", g->options.room, g->round, id);
    return name;
}

static void on_sent(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    struct peer *p = h->owner;
    if (status < 200 || status > 299) peer_error(p, "send", body);
    outbox_drop(p, p->sending);
    p->sending = 0;
    if (p->first != NULL) flush(p);
}

static void lost(struct http *h)
{
    struct peer *p = h->owner;
    peer_error(p, "connection closed by the server", (struct text){ 0 });
    if (h == &p->poll) poll_again(p);
}

static void flush(struct peer *p)
{
    if (p->sending > 0) return;
    char path[256];
    struct gen *g = p->gen;
    p->sending = 1;
    p->post.answer = on_sent;
    p->post.lost = lost;
    g->requests++;
    snprintf(path, sizeof path, "%s/send%s?to=%s", g->options.base,
             g->protocol == &protocol_php ? ".php" : "", mailbox(g, p->first->to));
    http_request(&g->net, &p->post, "POST", path, "Content-Type: application/json\r\n",
                 (struct text){ p->first->data, p->first->len });
}

static void copy(char *out, struct text in)
{
    size_t len = in.len < ADDRESS_BYTES ? in.len : ADDRESS_BYTES - 1;
    if (len > 0) memcpy(out, in.at, len);
    out[len] = '\0';
}

static void on_poll(struct http *h, int status, struct text head, struct text body)
{
    struct peer *p = h->owner;
    /* nchan says 408 at the end of a hold. */
    if (status != 200 && status != 204 && status != 304 && status != 408)
        peer_error(p, "poll", body);
    if (p->gen->protocol == &protocol_nchan && status == 200) {
        copy(p->cursor, http_header(head, "Last-Modified"));
        copy(p->extra, http_header(head, "Etag"));
    } else if (p->gen->protocol == &protocol_php && status == 200) {
        (void)text_between(body, "\"last\":\"", p->cursor, sizeof p->cursor);
    }
    peer_scan(p, body);
    if (status < 500) poll_again(p);
}

static void poll_again(struct peer *p)
{
    char path[256], lines[2 * ADDRESS_BYTES + 64] = "";
    struct gen *g = p->gen;
    g->requests++;
    int n = snprintf(path, sizeof path, "%s/poll%s?me=%s", g->options.base,
                     g->protocol == &protocol_php ? ".php" : "", mailbox(g, p->id));
    if (g->protocol == &protocol_php)
        snprintf(path + n, sizeof path - (size_t)n, "&after=%s",
                 p->cursor[0] == '\0' ? "0" : p->cursor);
    if (g->protocol == &protocol_nchan && p->cursor[0] != '\0')
        snprintf(lines, sizeof lines, "If-Modified-Since: %s\r\nIf-None-Match: %s\r\n", p->cursor,
                 p->extra);
    http_request(&g->net, &p->poll, "GET", path, lines, (struct text){ 0 });
}

static void open_peer(struct peer *p)
{
    p->poll.answer = on_poll;
    p->poll.lost = lost;
    poll_again(p);
    peer_ready(p);
}

const struct protocol protocol_rendezvous = { .name = "rendezvous",
                                              .open = open_peer,
                                              .flush = flush };
const struct protocol protocol_nchan = { .name = "nchan", .open = open_peer, .flush = flush };
const struct protocol protocol_php = { .name = "php", .open = open_peer, .flush = flush };
