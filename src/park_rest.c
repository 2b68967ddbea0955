/* park_rest: who was told that its time is over, and is expected back in a moment. */
#include "park_internal.h"

bool park_rests(const struct park *p, const char *room, const char *peer)
{
    const struct park_group *g = park_group_find(p, room);
    return g != NULL && park_find_member(g->resting, peer) != NULL;
}

bool park_goes_on(const struct park *p, const char *room, struct slice key,
                  const struct cursor *after, struct room_wait *out)
{
    const struct park_group *g = park_group_find(p, room);
    const struct waiter *w = g == NULL ? NULL : g->resting;
    uint8_t hash[IDENT_HASH_BYTES];
    if (w == NULL || p->app->bell == NULL) return false;
    ident_hash(key.at, key.len, hash);
    while (w != NULL && !ident_equal(w->wait.key, hash, sizeof w->wait.key)) w = w->next;
    if (w == NULL || !w->wait.sure || !park_same_cursor(&w->wait.after, after) ||
        bell_rung(p->app->bell, g->bucket) != w->wait.rung)
        return false;
    *out = w->wait;
    out->lease_wake_ms = g->lease_ms;
    out->since_ms = app_now_ms(p->app);
    return room_wait_rests(p->app, out);
}

void park_lay_down(struct park *p, struct waiter *w)
{
    struct park_group *g = w->group;
    if (w->marked || g->marked) w->wait.sure = false; /* it was not looked for yet */
    park_take_out(p, w);
    w->previous = NULL;
    w->next = g->resting;
    if (w->next != NULL) w->next->previous = w;
    g->resting = w;
    w->lies = true;
    /* The place in the heap that it was taken from is still free. */
    (void)timers_set(&p->deadlines, &w->deadline, app_now_ms(p->app) + PARK_REST_MS);
    park_tidy(p, g);
}

void park_forget(struct park *p, struct waiter *w)
{
    struct park_group *g = w->group;
    *(w->previous != NULL ? &w->previous->next : &g->resting) = w->next;
    if (w->next != NULL) w->next->previous = w->previous;
    timers_clear(&p->deadlines, &w->deadline);
    slab_give(&p->waiters, w);
    park_tidy(p, g);
}
