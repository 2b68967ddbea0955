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

/* Serve the listening socket `listen_fd` (FastCGI; made non-blocking) until SIGTERM, SIGINT or
 * SIGHUP: then accept nothing more, answer the parked polls and return within a second.
 * `inherited`: a web server started this process and the socket is its (then Apache costs a process
 * for each poll). False: could not start, the log says why. */
bool loop_run(struct app *app, int listen_fd, bool inherited);

#endif
