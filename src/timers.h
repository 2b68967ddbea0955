/* timers: deadlines in a binary heap. A timer is embedded in what it belongs to and owned there;
 * the heap holds addresses only. Setting, moving and clearing cost O(log n), the next is O(1). */
#ifndef KLATCH_TIMERS_H
#define KLATCH_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t at_ms;
    size_t place; /* 1 + index in the heap; 0: not set */
};

/* Zeroed storage is an empty heap. */
struct timers {
    struct timer **heap;
    size_t count, room;
};

void timers_free(struct timers *t);
/* Set `timer` to `at_ms`, moving it where it was set already. False: memory is out, not set. */
bool timers_set(struct timers *t, struct timer *timer, int64_t at_ms);
void timers_clear(struct timers *t, struct timer *timer); /* not set: nothing */
/* When the next is due; INT64_MAX: never. */
int64_t timers_next_ms(const struct timers *t);
/* Take out one that is due at `now_ms`, the earliest first; NULL: none. */
struct timer *timers_take_due(struct timers *t, int64_t now_ms);

/* The struct that `timer` is the member `field` of. */
#define TIMER_OWNER(timer, type, field) ((type *)(void *)((char *)(timer)-offsetof(type, field)))

#endif
