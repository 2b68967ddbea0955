/* socket.io (Engine.IO 4, Socket.IO 5) on one transport, as its client speaks it: over a WebSocket
 * a frame for each event, by polling all events that wait in one POST. Upgrading is left out: each
 * transport is measured for itself. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATOR '\x1e'

static void get(struct peer *p);
static void post(struct peer *p, struct text body);

static bool polling(const struct peer *p)
{
    return p->gen->protocol == &protocol_socketio_polling;
}

static void say(struct peer *p, const char *packet)
{
    struct text body = { packet, strlen(packet) };
    if (!polling(p)) {
        ws_frame(&p->poll, body.at, body.len);
        conn_flush(&p->poll.conn);
    } else if (p->post.busy) {
        /* Only a pong can meet a POST on its way; it goes in front of the next one. */
        snprintf(p->extra, sizeof p->extra, "%s", packet);
    } else {
        post(p, body);
    }
}

static void on_event(struct peer *p, struct text packet)
{
    if (packet.len > 17 && memcmp(packet.at, "42[\"peer-joined\"", 16) == 0) {
        char name[16], address[ADDRESS_BYTES];
        if (!text_between(packet, "\"name\":\"n", name, sizeof name) ||
            !text_between(packet, "\"id\":\"", address, sizeof address)) {
            peer_error(p, "peer-joined without a name", packet);
            return;
        }
        int other = atoi(name);
        strcpy(p->gen->peers[other].address, address);
        peer_met(p, other);
        return;
    }
    peer_scan(p, packet);
}

static void on_packet(struct peer *p, struct text packet)
{
    if (packet.len >= 2 && memcmp(packet.at, "42", 2) == 0) {
        on_event(p, packet);
    } else if (packet.at[0] == '2') {
        say(p, "3");
    } else if (packet.at[0] == '0') {
        (void)text_between(packet, "\"sid\":\"", p->key, sizeof p->key);
        say(p, "40");
    } else if (packet.len >= 2 && memcmp(packet.at, "40", 2) == 0) {
        char join[128];
        if (!text_between(packet, "\"sid\":\"", p->address, sizeof p->address)) {
            peer_error(p, "connect without a sid", packet);
            return;
        }
        snprintf(join, sizeof join, "42[\"join\",{\"room\":\"%s-%d-%d\",\"name\":\"n%d\"}]",
                 p->gen->options.room, p->gen->round, p->room, p->id);
        say(p, join);
        peer_ready(p);
    } else if (packet.at[0] != '6') {
        peer_error(p, "unknown packet", packet);
    }
}

static void lost(struct http *h)
{
    peer_error(h->owner, "connection closed by the server", (struct text){ 0 });
}

/* ---- WebSocket ---- */

static void on_frame(struct http *h, struct text payload)
{
    if (payload.len > 0) on_packet(h->owner, payload);
}

static void on_upgraded(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    if (status != 101) peer_error(h->owner, "upgrade refused", body);
}

static void put_event(struct peer *p, struct bytes *b, const struct letter *l)
{
    bytes_printf(b, "42[\"signal\",{\"to\":\"%s\",\"type\":\"%s\",\"data\":",
                 p->gen->peers[l->to].address, l->type);
    bytes_add(b, l->data, l->len);
    bytes_text(b, "}]");
}

static void flush_frames(struct peer *p)
{
    struct bytes b = { 0 };
    if (!p->ready) return;
    for (struct letter *l; (l = peer_letter_take(p)) != NULL; free(l)) {
        b.len = 0;
        put_event(p, &b, l);
        ws_frame(&p->poll, b.at, b.len);
    }
    conn_flush(&p->poll.conn);
    bytes_free(&b);
}

static void open_websocket(struct peer *p)
{
    p->poll.answer = on_upgraded;
    p->poll.frame = on_frame;
    p->poll.lost = lost;
    http_upgrade(&p->gen->net, &p->poll, "/socket.io/?EIO=4&transport=websocket");
}

/* ---- polling ---- */

static void on_answer(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    struct peer *p = h->owner;
    if (status != 200) {
        peer_error(p, "poll", body);
        return;
    }
    const char *end = body.at + body.len;
    for (const char *at = body.at; at < end;) {
        const char *stop = memchr(at, SEPARATOR, (size_t)(end - at));
        if (stop == NULL) stop = end;
        on_packet(p, (struct text){ at, (size_t)(stop - at) });
        at = stop + 1;
    }
    get(p);
}

static void get(struct peer *p)
{
    char path[160];
    bool known = p->key[0] != '\0';
    snprintf(path, sizeof path, "/socket.io/?EIO=4&transport=polling%s%s", known ? "&sid=" : "",
             p->key);
    p->gen->requests++;
    http_request(&p->gen->net, &p->poll, "GET", path, "", (struct text){ 0 });
}

static void flush_polling(struct peer *p)
{
    struct bytes b = { 0 };
    if (!p->ready || p->post.busy) return;
    if (p->extra[0] != '\0') bytes_text(&b, p->extra);
    p->extra[0] = '\0';
    for (struct letter *l; (l = peer_letter_take(p)) != NULL; free(l)) {
        if (b.len > 0) bytes_add(&b, &(char){ SEPARATOR }, 1);
        put_event(p, &b, l);
    }
    if (b.len > 0) post(p, (struct text){ b.at, b.len });
    bytes_free(&b);
}

static void on_posted(struct http *h, int status, struct text head, struct text body)
{
    (void)head;
    struct peer *p = h->owner;
    if (status != 200) peer_error(p, "post", body);
    if (p->first != NULL || p->extra[0] != '\0') flush_polling(p);
}

static void post(struct peer *p, struct text body)
{
    char path[160];
    snprintf(path, sizeof path, "/socket.io/?EIO=4&transport=polling&sid=%s", p->key);
    p->gen->requests++;
    p->post.answer = on_posted;
    p->post.lost = lost;
    http_request(&p->gen->net, &p->post, "POST", path, "Content-Type: text/plain;charset=UTF-8\r\n",
                 body);
}

static void open_polling(struct peer *p)
{
    p->poll.answer = on_answer;
    p->poll.lost = lost;
    get(p);
}

const struct protocol protocol_socketio = {
    .name = "socketio", .announces = true, .open = open_websocket, .flush = flush_frames
};
const struct protocol protocol_socketio_polling = {
    .name = "socketio-polling", .announces = true, .open = open_polling, .flush = flush_polling
};
