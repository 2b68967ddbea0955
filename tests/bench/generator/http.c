#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RETRIES_MAX = 3 };

static void arrived(struct conn *c);
static void closed(struct conn *c);

static void begin(struct net *n, struct http *h)
{
    if (h->conn.fd < 0) {
        h->conn.arrived = arrived;
        h->conn.closed = closed;
        conn_open(n, &h->conn);
    }
    bytes_add(&h->conn.out, h->request.at, h->request.len);
    h->busy = true;
    conn_flush(&h->conn);
}

void http_request(struct net *n, struct http *h, const char *method, const char *path,
                  const char *header_lines, struct text body)
{
    h->request.len = 0;
    bytes_printf(&h->request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, path,
                 header_lines);
    if (body.at != NULL)
        bytes_printf(&h->request, "Content-Length: %zu\r\n\r\n", body.len);
    else
        bytes_text(&h->request, "\r\n");
    if (body.at != NULL) bytes_add(&h->request, body.at, body.len);
    h->retries = 0;
    begin(n, h);
}

void http_upgrade(struct net *n, struct http *h, const char *path)
{
    http_request(n, h, "GET", path,
                 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://localhost\r\n",
                 (struct text){ 0 });
}

void http_close(struct http *h)
{
    conn_close(&h->conn);
    bytes_free(&h->request);
    h->busy = h->websocket = false;
}

struct text http_header(struct text head, const char *name)
{
    size_t len = strlen(name);
    const char *end = head.at + head.len;
    for (const char *line = head.at; line < end;) {
        const char *stop = memchr(line, '\r', (size_t)(end - line));
        if (stop == NULL) stop = end;
        if ((size_t)(stop - line) > len && line[len] == ':' && strncasecmp(line, name, len) == 0) {
            const char *value = line + len + 1;
            while (value < stop && *value == ' ') value++;
            return (struct text){ value, (size_t)(stop - value) };
        }
        line = stop + 2;
    }
    return (struct text){ 0 };
}

/* Put a chunked body together in place. False: not all of it is there. Sets *used. */
static bool dechunk(char *at, size_t len, size_t *body_len, size_t *used)
{
    size_t pos = 0;
    for (bool measure = true;; measure = false) {
        size_t out = 0;
        pos = 0;
        for (;;) {
            char *eol = memmem(at + pos, len - pos, "\r\n", 2);
            if (eol == NULL) return false;
            size_t size = strtoul(at + pos, NULL, 16);
            size_t data = (size_t)(eol - at) + 2;
            if (len - data < size + 2) return false;
            if (!measure) memmove(at + out, at + data, size);
            out += size;
            pos = data + size + 2;
            if (size == 0) break;
        }
        if (measure) continue;
        *body_len = out;
        *used = pos;
        return true;
    }
}

/* Is a whole answer there? Hands it on and shifts it. */
static bool take_answer(struct http *h)
{
    struct bytes *in = &h->conn.in;
    char *blank = in->len < 12 ? NULL : memmem(in->at, in->len, "\r\n\r\n", 4);
    if (blank == NULL) return false;
    struct text head = { in->at, (size_t)(blank - in->at) + 2 };
    size_t body_at = head.len + 2;
    int status = atoi(in->at + 9);
    struct text length = http_header(head, "Content-Length");
    struct text body = { in->at + body_at, 0 };
    size_t used = 0;
    if (status == 101 || status == 204 || status == 304) {
        used = 0;
    } else if (length.len > 0) {
        body.len = used = strtoul(length.at, NULL, 10);
        if (in->len - body_at < used) return false;
    } else if (!dechunk(in->at + body_at, in->len - body_at, &body.len, &used)) {
        return false;
    }
    struct text connection = http_header(head, "Connection");
    bool close_it = connection.len == 5 && strncasecmp(connection.at, "close", 5) == 0;
    struct bytes whole = *in;
    *in = (struct bytes){ 0 };
    h->busy = false;
    h->websocket = status == 101;
    if (close_it) conn_close(&h->conn);
    size_t consumed = body_at + used;
    if (whole.len > consumed) bytes_add(in, whole.at + consumed, whole.len - consumed);
    h->answer(h, status, head, body);
    bytes_free(&whole);
    return true;
}

void ws_frame(struct http *h, const char *at, size_t len)
{
    /* A mask of zero: the frame is masked as it must be, and this side has nothing to compute. */
    unsigned char head[14] = { 0x81 };
    size_t n = 2;
    if (len < 126) {
        head[1] = (unsigned char)(0x80 | len);
    } else {
        head[1] = 0x80 | 126;
        head[2] = (unsigned char)(len >> 8);
        head[3] = (unsigned char)len;
        n = 4;
    }
    bytes_add(&h->conn.out, head, n + 4);
    bytes_add(&h->conn.out, at, len);
}

/* The frame at *pos. False: it is not whole. */
static bool take_frame(struct http *h, size_t *pos)
{
    const unsigned char *at = (const unsigned char *)h->conn.in.at + *pos;
    size_t have = h->conn.in.len - *pos, head = 2;
    if (have < 2) return false;
    size_t len = at[1] & 0x7f;
    if (len == 126) {
        if (have < 4) return false;
        len = (size_t)at[2] << 8 | at[3];
        head = 4;
    } else if (len == 127) {
        fputs("generate: a WebSocket frame above 64 kB\n", stderr);
        exit(EXIT_FAILURE);
    }
    if (have - head < len) return false;
    struct text payload = { (const char *)at + head, len };
    *pos += head + len;
    if ((at[0] & 0x0f) == 1) h->frame(h, payload);
    return true;
}

static void arrived(struct conn *c)
{
    struct http *h = (struct http *)c;
    while (!h->websocket && c->in.len > 0 && take_answer(h)) {
    }
    size_t pos = 0;
    while (h->websocket && c->fd >= 0 && take_frame(h, &pos)) {
    }
    if (c->fd >= 0 && pos > 0) bytes_shift(&c->in, pos);
}

static void closed(struct conn *c)
{
    struct http *h = (struct http *)c;
    if (!h->busy && !h->websocket) return; /* a kept connection that was idle */
    if (h->busy && h->retries++ < RETRIES_MAX) {
        begin(c->net, h);
        return;
    }
    h->busy = h->websocket = false;
    h->lost(h);
}
