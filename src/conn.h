/* conn: one connection from the web server: bytes in until a request is whole, bytes of its answer
 * out. Private to the loop, which decides what happens in between. */
#ifndef KLATCH_CONN_H
#define KLATCH_CONN_H

#include "gateway.h"
#include "park.h"
#include "slab.h"
#include "timers.h"

enum conn_state {
    CONN_IDLE,    /* nothing of a request has come */
    CONN_READING, /* half a request has */
    CONN_BUSY,    /* its room was locked: handled again when the timer is due */
    CONN_PARKED,
    CONN_WRITING, /* the peer does not take its answer as fast as it is written */
};

struct conn {
    int fd;
    enum conn_state state;
    bool own;     /* it asks for rooms that no other process uses, as a rule */
    bool hung_up; /* found while in use: to be closed by the loop */
    bool used;    /* a request came on it and was answered */
    struct gateway_in in;
    struct buf out; /* what of the answer is still to be written, from out_at */
    size_t out_at;
    struct arena *arena;   /* while a request is being handled */
    struct request *rq;    /* in the arena */
    struct waiter *waiter; /* CONN_PARKED */
    int64_t busy_until_ms, busy_step_ms;
    struct timer timer; /* CONN_IDLE, _READING, _WRITING: close; CONN_BUSY: try again */
    struct conn *next, *previous;
};

/* In a slab of SLAB_OF(struct conn). */
struct conn *conn_new(struct slab *conns, int fd); /* NULL: no memory; fd stays the caller's */
/* Close and free. The arena and the waiter have been taken back. */
void conn_free(struct slab *conns, struct conn *c);

enum conn_written { CONN_DONE, CONN_MORE, CONN_GONE };
/* Write what is left without blocking. CONN_DONE: all of it, the buffer is freed. */
enum conn_written conn_flush(struct conn *c);

#endif
