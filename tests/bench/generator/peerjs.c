/* PeerServer: a WebSocket with one JSON message in each frame, and a heartbeat from the client
 * every 5 s, as PeerJS sends it. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_frame(struct http *h, struct text payload)
{
    struct peer *p = h->owner;
    if (payload.len >= 14 && memmem(payload.at, payload.len, "\"type\":\"OPEN\"", 13) != NULL)
        peer_ready(p);
    else if (memmem(payload.at, payload.len, "\"type\":\"ERROR\"", 14) != NULL ||
             memmem(payload.at, payload.len, "\"type\":\"EXPIRE\"", 15) != NULL)
        peer_error(p, "error", payload);
    else
        peer_scan(p, payload);
}

static void on_upgraded(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    if (status != 101) peer_error(h->owner, "upgrade refused", body);
}

static void lost(struct http *h)
{
    peer_error(h->owner, "connection closed by the server", (struct text){ 0 });
}

static void flush(struct peer *p)
{
    struct bytes b = { 0 };
    if (!p->ready) return;
    for (struct letter *l; (l = peer_letter_take(p)) != NULL; free(l)) {
        b.len = 0;
        const char *type = l->type[0] == 'o' ? "OFFER" : l->type[0] == 'a' ? "ANSWER" : "CANDIDATE";
        bytes_printf(&b, "{\"type\":\"%s\",\"dst\":\"%s-%d-%d\",\"payload\":", type,
                     p->gen->options.room, p->gen->round, l->to);
        bytes_add(&b, l->data, l->len);
        bytes_text(&b, "}");
        ws_frame(&p->poll, b.at, b.len);
    }
    conn_flush(&p->poll.conn);
    bytes_free(&b);
}

static void beat(struct peer *p)
{
    static const char heartbeat[] = "{\"type\":\"HEARTBEAT\"}";
    ws_frame(&p->poll, heartbeat, sizeof heartbeat - 1);
    conn_flush(&p->poll.conn);
}

static void open_peer(struct peer *p)
{
    char path[160];
    const struct gen *g = p->gen;
    p->poll.answer = on_upgraded;
    p->poll.frame = on_frame;
    p->poll.lost = lost;
    snprintf(path, sizeof path, "/peerjs?key=peerjs&id=%s-%d-%d&token=t%d&version=1.5.5",
             g->options.room, g->round, p->id, p->id);
    http_upgrade(&p->gen->net, &p->poll, path);
}

const struct protocol protocol_peerjs = {
    .name = "peerjs", .open = open_peer, .flush = flush, .beat = beat, .beat_ms = 5000
};
