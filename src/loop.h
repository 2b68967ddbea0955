/* loop: the one thread that answers requests: epoll, timers, signals.
 *
 * Never waits for a peer, a lock or a file: connections are read and written without blocking under
 * deadlines, a busy room puts its request on a timer (1 ms doubling to 20, 2 s in all, then 503), a
 * parked poll is a descriptor and a record. A parked poll's life: route_handle() says OUTCOME_PARK,
 * park_add() takes it, the connection's arena is given back; a ring, its room's next lease end or a
 * re-check marks its group and route_resume() looks for it; mail, a newer poll, its deadline or the
 * end of the process answers it; a hang-up takes it out and shortens its member's lease. */
#ifndef KLATCH_LOOP_H
#define KLATCH_LOOP_H

#include <signal.h>
#include <stdbool.h>

#include "app.h"

/* Block the signals that the loop takes from a descriptor (TERM, INT, HUP) and ignore PIPE and
 * USR1. Call before any thread starts. */
void loop_block_signals(void);

/* Where requests come from. */
struct loop_sockets {
    int shared; /* every worker listens here; or the one socket there is */
    int own;    /* only this worker listens here, for the rooms that the web server gives it; -1 */
    /* Nobody else listens at `shared` either, and so uses the rooms that are asked for there. */
    bool only;
    /* A web server started this process and the socket is its: Apache then costs a process for each
     * poll. */
    bool inherited;
};

/* Serve listening sockets (FastCGI; made non-blocking) until SIGTERM, SIGINT or SIGHUP: then accept
 * nothing more, answer the parked polls and return within a second. False: could not start, the log
 * says why. */
bool loop_run(struct app *app, const struct loop_sockets *sockets);

#endif
