/* events: the feed of who came and went, DATA/events.db, for the site's owner. Only where the
 * configuration says `events = on`.
 *
 * Goals: nothing is lost or told twice, whoever is killed; a room's events stand in their order; a
 * day's worth and no more; no room waits for the feed. Non-goals: surviving a power cut. What is
 * put a second time is passed over, so that who moves events from a room may die at any point and
 * the next one does it again (store_events.c). Calls never wait for longer than 10 ms. */
#ifndef KLATCH_EVENTS_H
#define KLATCH_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "arena.h"
#include "buf.h"
#include "problem.h"
#include "room.h"

enum {
    EVENTS_KEPT_MS = 24 * 60 * 60 * 1000,
    EVENTS_KEPT_MAX = 100000, /* about 20 MB; above, the oldest go before their day is over */
};

struct events; /* of a process: its connection */

struct event {
    int64_t id; /* in the feed; order is in the room */
    struct slice room;
    uint64_t room_epoch;
    int64_t order;
    struct slice type, peer, sub, reason; /* the last three may be absent */
    int64_t time_ms;
};

void events_close(struct events *e); /* NULL is fine */

/* Put events: begin, each in its room's order, end. `keep` false: undo. False: nothing was put; the
 * log knows why, where that isn't a lock. An event older than a day is passed over. */
bool events_begin(struct app *app);
bool events_put(struct app *app, const struct event *e);
bool events_end(struct app *app, bool keep);

/* Was something else than a lock in the way when the feed was last to be written? */
bool events_hindered(const struct app *app);

struct events_page {
    struct event *events;
    size_t count;
    bool more;
    bool gap;           /* between `after` and the first of these some may be missing */
    struct cursor next; /* epoch of the feed, and the id of the last one */
};
/* Up to `max` events after that cursor; not given: from the oldest. Slices live in `a`.
 * Fails: 503 busy. */
struct problem events_read(struct app *app, struct arena *a, const struct cursor *after, size_t max,
                           struct events_page *out);

/* The configuration says off: nobody's coming and going is kept any longer. */
void events_remove(const struct app *app);

#endif
