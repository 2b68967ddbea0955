/* serve: what the loop does with a connection's bytes: handle, answer, park, wake, try again.
 * Private to the loop. */
#ifndef KLATCH_SERVE_H
#define KLATCH_SERVE_H

#include "app.h"
#include "conn.h"
#include "loop.h"
#include "route.h"
#include "timers.h"

struct loop {
    struct app *app;
    struct gateway *gateway;
    struct loop_sockets sockets;
    int epoll_fd, signal_fd, bell_fd; /* bell_fd -1: no watch thread */
    bool hears;                       /* the rings of all other processes */
    bool mode_known, stopping, accepting;
    bool alone;           /* what is being handled is all that this turn found */
    struct timers timers; /* of connections */
    struct timer tick;    /* sweep, bell */
    struct timer look;    /* is there another binary or configuration? */
    struct conn *conns;
    struct slab slab; /* where they are */
    size_t conns_count, conns_max;
    int64_t rest_ms;     /* nobody is accepted before; 0: who comes is */
    int64_t tell_ms;     /* nor told that descriptors are out */
    struct arena *spare; /* the arena of the last request, for the next */
    int64_t unused_ms;   /* until store_let_go_unused() has something to do */
    uint32_t bell_seen;
    unsigned char bytes[65536]; /* read buffer, for one read */
};

enum {
    SERVE_REQUEST_MS =
        10000, /* for a request to become whole, and for the first byte of a first one */
    SERVE_IDLE_MS =
        120000, /* a kept connection without a request: longer than web servers keep one */
    SERVE_WRITE_MS = 30000, /* for an answer to be taken */
};

/* The connection is readable, or its peer has gone. */
void serve_readable(struct loop *l, struct conn *c);
void serve_writable(struct loop *l, struct conn *c);
/* The peer has closed: a parked poll's member keeps ROOM_HANGUP_MS of its lease. */
void serve_hangup(struct loop *l, struct conn *c);
/* The timer of the connection is due. */
void serve_timer(struct loop *l, struct conn *c);
/* Look for every waiter whose group is marked, and for those whom that rings. */
void serve_look(struct loop *l);
/* Answer waiters whose deadline has come. */
void serve_due(struct loop *l, int64_t now_ms);
/* Answer all waiters and close what is idle: the process ends. */
void serve_stop(struct loop *l);
/* The time for that is over: try once more what met a locked room, and answer it. */
void serve_give_up_busy(struct loop *l);
/* Take a new connection. `own`: the rooms asked for on it are this process's, as a rule. */
void serve_accept(struct loop *l, int fd, bool own);

#endif
