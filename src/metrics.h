/* metrics: what is counted, for the site's owner. Numbers that only grow, in a file that all
 * processes map (DATA/metrics), and what can be read off without asking anybody's room.
 *
 * Goals: counting costs one atomic add to memory that no other process writes; nothing that a
 * killed process has counted is lost, nothing that it held is counted on. Each process that lasts
 * has a row of its own, which it owns by a lock that the kernel gives back at its death; the next
 * owner goes on from there. CGI processes, and those that find no row, share the first one. How
 * many people are in a room is written down by whoever changes it, under a tag of the room's name,
 * and grows old by itself. Where the file can't be mapped, a process counts for itself alone. */
#ifndef KLATCH_METRICS_H
#define KLATCH_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "buf.h"

enum { METRICS_CALLS_MAX = 48 }; /* rows of route's table; 0: no such call */

enum metric {
    METRIC_MESSAGES_SENT,
    METRIC_BYTES_SENT, /* of their data */
    METRIC_MESSAGES_READ,
    METRIC_ANSWER_BYTES,
    METRIC_COUNT
};

struct metrics;

/* NULL: no memory. */
struct metrics *metrics_open(const struct app *app);
/* This process lasts: take a row of its own. */
void metrics_own_row(struct metrics *m, const struct app *app);
void metrics_close(struct metrics *m); /* NULL is fine everywhere here */

void metrics_add(struct metrics *m, enum metric what, uint64_t count);
/* One answered request: the number of its call (0: none), its status, the code of its problem or
 * NULL. */
void metrics_count_answer(struct metrics *m, size_t call, int status, const char *code);
/* How many polls this process holds that take no place of the budget's file, and how many it may.
 */
void metrics_set_held(struct metrics *m, size_t held, size_t held_max);
/* So many are present in this room now; 0: it is gone or empty. */
void metrics_set_people(const struct app *app, const char *room, size_t people);

/* Append everything in Prometheus' text format, version 0.0.4. `name_of` names the calls by their
 * numbers from 0 until it says false. */
enum { METRICS_NAME_BYTES_MAX = 64 };
void metrics_put(const struct app *app, bool (*name_of)(size_t call, char *out), struct buf *b);

#endif
