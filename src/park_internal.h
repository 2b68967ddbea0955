/* park_internal: what park.c (who is parked, and when they are looked for), park_give.c (who is
 * given what was just sent) and park_rest.c (who was told that its time is over, and is awaited
 * back) share. */
#ifndef KLATCH_PARK_INTERNAL_H
#define KLATCH_PARK_INTERNAL_H

#include <string.h>

#include "bell.h"
#include "park.h"
#include "slab.h"

enum { PARK_TABLE_SIZE = 4096 }; /* a power of two that divides BELL_BUCKETS */

struct park_group {
    char room[ROOM_NAME_BYTES_MAX + 1];
    uint32_t bucket;
    struct park_group *next, *previous;               /* in the table's row */
    struct park_group *next_marked, *previous_marked; /* in the queue of groups to look at */
    bool marked;
    bool all;       /* of its waiters; else the marked ones */
    bool asked_one; /* a re-check looks for one of them, for all who wait beyond the same cursor */
    struct waiter *waiters, *resting;
    int64_t lease_ms;   /* when its next lease ends, and it must be looked at */
    int64_t again_ms;   /* when it must be looked at again, since its file was locked */
    int64_t recheck_ms; /* when its file is asked whether it has changed unheard */
    uint32_t rung;      /* bell_rung() before all of it was looked at last */
    struct room_stamp stamp;
    struct timer timer; /* the soonest of them */
};

struct park {
    struct app *app;
    struct park_group *table[PARK_TABLE_SIZE];
    struct park_group *first_marked, *last_marked;
    struct waiter *cursor; /* what park_next() looks at next; NULL: begin the next marked group */
    bool cursor_all;       /* all that come at the cursor are marked */
    struct timers deadlines, group_timers;
    struct slab waiters, groups;
    size_t count, count_no_room;
    size_t given_bytes; /* of all that waiters were given */
    int64_t every_ms;
};

/* What every poll or ring comes by is inline. */
static inline struct park_group *park_group_find(const struct park *p, const char *room)
{
    struct park_group *g = p->table[bell_bucket(room) % PARK_TABLE_SIZE];
    while (g != NULL && strcmp(g->room, room) != 0) g = g->next;
    return g;
}

/* In a list of a group's. */
static inline struct waiter *park_find_member(struct waiter *first, const char *peer)
{
    struct waiter *w = first;
    while (w != NULL && strcmp(w->wait.peer, peer) != 0) w = w->next;
    return w;
}

static inline bool park_same_cursor(const struct cursor *a, const struct cursor *b)
{
    return a->epoch == b->epoch && a->seq == b->seq;
}

/* Who rests may have missed something. */
static inline void park_wear_off(struct park_group *g)
{
    for (struct waiter *w = g->resting; w != NULL; w = w->next) w->wait.sure = false;
}

/* park.c: look at the group, or at those of its waiters that are marked. */
void park_mark_group(struct park *p, struct park_group *g, bool all);
/* A waiter of the group has gone. */
void park_tidy(struct park *p, struct park_group *g);
/* `w` waits no longer; its group is still to be tidied. */
void park_take_out(struct park *p, struct waiter *w);

/* park_give.c: it has to look. */
void park_take_back(struct park *p, struct waiter *w);

/* park_rest.c: a waiter whose time is over goes into the list of those that rest, whether it will
 * stay there or not. */
void park_lay_down(struct park *p, struct waiter *w);
/* It rests no longer. */
void park_forget(struct park *p, struct waiter *w);

#endif
