#include "timers.h"

#include <stdlib.h>

static void put(struct timers *t, size_t at, struct timer *timer)
{
    t->heap[at] = timer;
    timer->place = at + 1;
}

static size_t sift_up(struct timers *t, size_t at, struct timer *timer)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (t->heap[parent]->at_ms <= timer->at_ms) break;
        put(t, at, t->heap[parent]);
        at = parent;
    }
    return at;
}

static size_t sift_down(struct timers *t, size_t at, struct timer *timer)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= t->count) break;
        if (child + 1 < t->count && t->heap[child + 1]->at_ms < t->heap[child]->at_ms) child++;
        if (t->heap[child]->at_ms >= timer->at_ms) break;
        put(t, at, t->heap[child]);
        at = child;
    }
    return at;
}

static void settle(struct timers *t, size_t at, struct timer *timer)
{
    put(t, sift_down(t, sift_up(t, at, timer), timer), timer);
}

void timers_free(struct timers *t)
{
    free(t->heap);
    *t = (struct timers){ 0 };
}

bool timers_set(struct timers *t, struct timer *timer, int64_t at_ms)
{
    if (timer->place == 0) {
        if (t->count == t->room) {
            size_t room = t->room == 0 ? 64 : t->room * 2;
            struct timer **heap = realloc(t->heap, room * sizeof *heap);
            if (heap == NULL) return false;
            t->heap = heap;
            t->room = room;
        }
        t->count++;
        put(t, t->count - 1, timer);
    }
    timer->at_ms = at_ms;
    settle(t, timer->place - 1, timer);
    return true;
}

void timers_clear(struct timers *t, struct timer *timer)
{
    if (timer->place == 0) return;
    size_t at = timer->place - 1;
    timer->place = 0;
    struct timer *last = t->heap[--t->count];
    if (last != timer) settle(t, at, last);
}

int64_t timers_next_ms(const struct timers *t)
{
    return t->count == 0 ? INT64_MAX : t->heap[0]->at_ms;
}

struct timer *timers_take_due(struct timers *t, int64_t now_ms)
{
    if (timers_next_ms(t) > now_ms) return NULL;
    struct timer *timer = t->heap[0];
    timers_clear(t, timer);
    return timer;
}
