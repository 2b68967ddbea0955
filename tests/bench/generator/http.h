/* http: one kept HTTP/1.1 connection with at most one request on its way, and WebSocket frames on
 * one that was upgraded. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include "net.h"

struct text {
    const char *at;
    size_t len;
};

struct http {
    struct conn conn; /* first: a conn that arrives is its http */
    bool busy, websocket;
    struct bytes request; /* kept until its answer is there, to be sent again on a new connection */
    int retries;
    void *owner;
    /* The whole answer. The request after it may be made from within. */
    void (*answer)(struct http *h, int status, struct text head, struct text body);
    void (*frame)(struct http *h, struct text payload); /* a WebSocket text message */
    void (*lost)(struct http *h); /* closed by the server in the middle of something */
};

/* The header lines each end in \r\n; may be empty. */
void http_request(struct net *n, struct http *h, const char *method, const char *path,
                  const char *header_lines, struct text body);
void http_upgrade(struct net *n, struct http *h, const char *path);
/* Queue a masked text frame; conn_flush sends it. */
void ws_frame(struct http *h, const char *at, size_t len);
void http_close(struct http *h);
/* The value of a header line, or one of length 0. */
struct text http_header(struct text head, const char *name);

#endif
