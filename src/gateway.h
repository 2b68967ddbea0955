/* gateway: FastCGI records in, bounded requests out; answers in, records out. The only file that
 * includes fcgiapp.h.
 *
 * libfcgi blocks for ever on half a request and takes one that is cut in its PARAMS for whole, so
 * it never sees a real connection: gateway_feed() walks the record headers (FastCGI 1.0,
 * section 3.3) of what has come until a request is whole, and gateway_parse() gives that to libfcgi
 * through a socketpair, where every byte it will ask for lies ready. Answers are written as records
 * here, for parked requests (which keep nothing of libfcgi) and others alike: one way, and no
 * answer can fill the socketpair. One request at a time for each connection, as every web server
 * does it. */
#ifndef KLATCH_GATEWAY_H
#define KLATCH_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

/* What has come of one request. Zeroed storage, then gateway_in_init(). */
struct gateway_in {
    unsigned char header[8];
    uint8_t header_len;
    uint8_t type; /* of the record being read */
    bool wanted;  /* its content is kept */
    bool active;  /* BEGIN_REQUEST has come */
    bool params_done, whole;
    bool keep; /* the web server wants the connection kept (FCGI_KEEP_CONN) */
    bool body_too_large;
    uint16_t id;
    uint32_t content_left, padding_left;
    uint32_t params_bytes, body_bytes;
    struct buf records; /* the request so far, without padding */
};

enum gateway_state {
    GATEWAY_MORE,    /* not whole yet */
    GATEWAY_WHOLE,   /* to be parsed and handled; bytes behind it are not read */
    GATEWAY_ABORTED, /* the web server gives this request up (section 5.4) */
    GATEWAY_BROKEN,  /* not FastCGI, or over a bound: close */
};

struct gateway;

/* Is descriptor 0 anything but a listening socket, so that this is a plain CGI program? */
bool gateway_started_as_cgi(void);

struct gateway *gateway_open(void); /* NULL after a log line */
void gateway_close(struct gateway *g);

void gateway_in_init(struct gateway_in *in);
/* Forget the request and its memory; ready for the next one. */
void gateway_in_reset(struct gateway_in *in);
/* Has no byte of a request come yet? */
bool gateway_in_idle(const struct gateway_in *in);

/* Walk up to `len` bytes; *used says how many were taken. While a request is whole and being
 * handled only an abort may come. */
enum gateway_state gateway_feed(struct gateway_in *in, const void *at, size_t len, size_t *used);

/* Make a whole request out of `in`: everything is copied into rq->arena, the records are freed.
 * *server_software as in the request, in the arena; may be NULL.
 * A problem (400: torn body; 413; 503: no memory) leaves rq good for route_refuse(). status -1: not
 * a request at all, close the connection. */
struct problem gateway_parse(struct gateway *g, struct gateway_in *in, struct request *rq,
                             const char **server_software);

/* Append the records of `an` for request `id`: FCGI_STDOUT, its end, FCGI_END_REQUEST (section 5).
 */
void gateway_put_answer(uint16_t id, const struct answer *an, struct buf *out);

#endif
