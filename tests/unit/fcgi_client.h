/* The web server's side of FastCGI, for tests: requests as records, answers from them. */
#ifndef FCGI_CLIENT_H
#define FCGI_CLIENT_H

#include "buf.h"

struct fcgi_call {
    const char *method, *path, *body; /* body NULL: none */
    const char *key;                  /* X-Klatch-Key, or NULL */
    const char *query;
    const char *server_software; /* NULL: nginx */
    bool keep;
};

/* Append the records of one request with id 1. */
void fcgi_put_call(struct buf *b, const struct fcgi_call *call);
/* A connection to the Unix socket at `path`; -1: nobody listens. */
int fcgi_connect(const char *path);
/* Read one answer: its HTTP status, and the text (headers and body, a NUL behind) in `text`.
 * -1: closed, -2: nothing within timeout_ms. */
int fcgi_read_answer(int fd, struct buf *text, int timeout_ms);
/* Connect, call, read, close. */
int fcgi_call(const char *path, const struct fcgi_call *call, struct buf *text);

#endif
