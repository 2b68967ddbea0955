#include "park.h"

#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "park_internal.h"
#include "slab.h"
#include "slots.h"

enum {
    LEASE_WAKE_FLOOR_MS =
        50 /* a lease end that a look could not clear is not looked at in a circle */
};

struct park *park_open(struct app *app)
{
    struct park *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    p->app = app;
    p->every_ms = PARK_RECHECK_MS;
    p->waiters = SLAB_OF(struct waiter);
    p->groups = SLAB_OF(struct park_group);
    return p;
}

void park_close(struct park *p)
{
    if (p == NULL) return;
    for (struct waiter *w = park_take_any(p); w != NULL; w = park_take_any(p)) park_release(p, w);
    timers_free(&p->deadlines);
    timers_free(&p->group_timers);
    slab_free(&p->waiters);
    slab_free(&p->groups);
    free(p);
}

size_t park_count(const struct park *p)
{
    return p->count;
}

size_t park_count_no_room(const struct park *p)
{
    return p->count_no_room;
}

static void schedule_recheck(struct park *p, struct park_group *g)
{
    int64_t spread_ms = p->every_ms / 2 * g->bucket / BELL_BUCKETS;
    g->recheck_ms = app_now_ms(p->app) + p->every_ms - spread_ms;
}

static bool set_timer(struct park *p, struct park_group *g)
{
    int64_t look_ms = g->lease_ms < g->again_ms ? g->lease_ms : g->again_ms;
    return timers_set(&p->group_timers, &g->timer,
                      look_ms < g->recheck_ms ? look_ms : g->recheck_ms);
}

static void unmark(struct park *p, struct park_group *g)
{
    if (!g->marked) return;
    g->marked = false;
    *(g->previous_marked != NULL ? &g->previous_marked->next_marked : &p->first_marked) =
        g->next_marked;
    *(g->next_marked != NULL ? &g->next_marked->previous_marked : &p->last_marked) =
        g->previous_marked;
}

void park_mark_group(struct park *p, struct park_group *g, bool all)
{
    park_wear_off(g);
    if (g->waiters == NULL && g->resting != NULL) return;
    if (all && p->app->bell != NULL) g->rung = bell_rung(p->app->bell, g->bucket);
    g->all = g->all || all;
    if (g->marked) return;
    g->marked = true;
    g->next_marked = NULL;
    g->previous_marked = p->last_marked;
    *(p->last_marked != NULL ? &p->last_marked->next_marked : &p->first_marked) = g;
    p->last_marked = g;
}

static void group_drop(struct park *p, struct park_group *g)
{
    unmark(p, g);
    timers_clear(&p->group_timers, &g->timer);
    *(g->previous != NULL ? &g->previous->next : &p->table[g->bucket % PARK_TABLE_SIZE]) = g->next;
    if (g->next != NULL) g->next->previous = g->previous;
    slab_give(&p->groups, g);
}

void park_tidy(struct park *p, struct park_group *g)
{
    if (g->waiters != NULL) return;
    unmark(p, g);
    if (g->resting == NULL) group_drop(p, g);
}

/* What other processes rang for it before they knew that somebody here waits is looked for once. */
static void listen(struct park *p, struct park_group *g)
{
    if (p->app->bell != NULL && bell_listen(p->app->bell, g->bucket)) park_mark_group(p, g, true);
}

static struct park_group *group_make(struct park *p, const char *room)
{
    struct park_group *g = slab_take(&p->groups);
    if (g == NULL) return NULL;
    memcpy(g->room, room, strlen(room) + 1);
    g->bucket = bell_bucket(room);
    g->lease_ms = g->again_ms = INT64_MAX;
    schedule_recheck(p, g);
    if (!set_timer(p, g)) {
        slab_give(&p->groups, g);
        return NULL;
    }
    struct park_group **row = &p->table[g->bucket % PARK_TABLE_SIZE];
    g->next = *row;
    if (g->next != NULL) g->next->previous = g;
    *row = g;
    listen(p, g);
    return g;
}

bool park_has_newer(const struct park *p, const char *room, const char *peer, int64_t turn)
{
    const struct park_group *g = park_group_find(p, room);
    const struct waiter *w = g == NULL ? NULL : park_find_member(g->waiters, peer);
    return w != NULL && turn >= 0 && w->turn > turn;
}

bool park_knows(const struct park *p, const char *room)
{
    return park_group_find(p, room) != NULL;
}

size_t park_in_room(const struct park *p, const char *room, struct room_wait **out, size_t max)
{
    struct park_group *g = park_group_find(p, room);
    size_t count = 0;
    for (struct waiter *w = g == NULL ? NULL : g->waiters; w != NULL && count < max; w = w->next)
        out[count++] = &w->wait;
    return count;
}

/* `w` hangs on nothing but its deadline. */
static struct waiter *add_no_room(struct park *p, struct waiter *w)
{
    w->group = NULL;
    if (!timers_set(&p->deadlines, &w->deadline, w->deadline.at_ms)) {
        slab_give(&p->waiters, w);
        return NULL;
    }
    p->count++;
    p->count_no_room++;
    return w;
}

/* Do all know as much, so that what one finds is news to all? Who waits in a lobby finds nothing,
 * whatever has come. */
static bool all_wait_beyond(const struct park_group *g, const struct cursor *after)
{
    const struct waiter *w = g->waiters;
    while (w != NULL && !w->wait.waiting && park_same_cursor(&w->wait.after, after)) w = w->next;
    return w == NULL;
}

/* A poll has just read everything that is there: where nobody else of its room waits for something
 * older, there is nothing unheard. */
static void put_recheck_off(struct park *p, struct park_group *g, const struct cursor *after)
{
    if (!all_wait_beyond(g, after)) return;
    schedule_recheck(p, g);
    room_looked_at(p->app, &g->stamp);
}

static void look_for(struct park *p, struct waiter *w)
{
    park_take_back(p, w);
    w->marked = true;
}

/* Where all wait beyond the same cursor, a look for one that finds no new mail is good for all. */
static void recheck(struct park *p, struct park_group *g)
{
    g->asked_one = all_wait_beyond(g, &g->waiters->wait.after);
    look_for(p, g->waiters);
    park_mark_group(p, g, !g->asked_one);
}

/* The look for one is over. */
static void one_was_asked(struct park *p, struct park_group *g, bool good_for_all)
{
    if (g->asked_one && !good_for_all) park_mark_group(p, g, true);
    g->asked_one = false;
}

struct waiter *park_add(struct park *p, const struct waiter *from, struct waiter **superseded)
{
    *superseded = NULL;
    struct waiter *w = slab_take(&p->waiters);
    if (w == NULL) return NULL;
    *w = *from;
    w->deadline.place = 0;
    if (w->no_room) return add_no_room(p, w);
    struct park_group *g = park_group_find(p, from->wait.room);
    if (g == NULL) g = group_make(p, from->wait.room);
    if (g == NULL || !timers_set(&p->deadlines, &w->deadline, from->deadline.at_ms)) {
        if (g != NULL) park_tidy(p, g);
        slab_give(&p->waiters, w);
        return NULL;
    }
    struct waiter *older = park_find_member(g->waiters, from->wait.peer);
    struct waiter *rested = park_find_member(g->resting, from->wait.peer);
    w->group = g;
    w->previous = NULL;
    w->next = g->waiters;
    if (w->next != NULL) w->next->previous = w;
    g->waiters = w;
    p->count++;
    if (older != NULL) park_remove(p, older);
    *superseded = older;
    if (rested != NULL) park_forget(p, rested);
    if (w->goes_on) return w;
    put_recheck_off(p, g, &w->wait.after);
    park_looked(p, w);
    return w;
}

void park_take_out(struct park *p, struct waiter *w)
{
    struct park_group *g = w->group;
    if (p->cursor == w) p->cursor = w->next;
    one_was_asked(p, g, false);
    *(w->previous != NULL ? &w->previous->next : &g->waiters) = w->next;
    if (w->next != NULL) w->next->previous = w->previous;
    timers_clear(&p->deadlines, &w->deadline);
    p->count--;
}

void park_remove(struct park *p, struct waiter *w)
{
    struct park_group *g = w->group;
    if (w->no_room) {
        timers_clear(&p->deadlines, &w->deadline);
        p->count--;
        p->count_no_room--;
        return;
    }
    park_take_out(p, w);
    w->group = NULL;
    park_tidy(p, g);
}

void park_drop(struct app *app, struct waiter *w)
{
    if (app->bell != NULL && !w->no_room) bell_owner_release(app->bell, w->wait.peer, w->ticket);
    if (w->slot >= 0) slots_give(app->slots, w->slot);
    free(w->sent);
    free(w->origin);
}

void park_release(struct park *p, struct waiter *w)
{
    park_take_back(p, w);
    park_drop(p->app, w);
    w->sent = w->origin = NULL;
    w->slot = -1;
    if (w->lies && w->rests) return;
    if (w->lies)
        park_forget(p, w);
    else
        slab_give(&p->waiters, w);
}

bool park_mark(struct park *p, uint32_t bucket, const char *peer)
{
    bool any = false;
    for (struct park_group *g = p->table[bucket % PARK_TABLE_SIZE]; g != NULL; g = g->next) {
        if (g->bucket != bucket) continue;
        any = true;
        struct waiter *w = peer[0] == '\0' ? NULL : park_find_member(g->waiters, peer);
        if (w != NULL) look_for(p, w);
        if (w != NULL || peer[0] == '\0') park_mark_group(p, g, w == NULL);
        park_wear_off(g);
    }
    return any;
}

void park_mark_heard(struct park *p, size_t count)
{
    const struct app *app = p->app;
    if (count > APP_RUNG_MAX)
        park_mark_all(p);
    else
        for (size_t i = 0; i < count; i++) park_mark(p, app->rung[i].bucket, app->rung[i].peer);
    p->app->rung_count = 0;
}

void park_mark_rung(struct park *p)
{
    for (size_t i = 0; i < PARK_TABLE_SIZE; i++)
        for (struct park_group *g = p->table[i]; g != NULL; g = g->next)
            if (bell_rung(p->app->bell, g->bucket) != g->rung) park_mark_group(p, g, true);
}

void park_listen(struct park *p)
{
    for (size_t i = 0; i < PARK_TABLE_SIZE; i++)
        for (struct park_group *g = p->table[i]; g != NULL; g = g->next) {
            for (struct waiter *w = g->waiters; w != NULL; w = w->next) w->wait.sure = false;
            park_wear_off(g);
            listen(p, g);
        }
}

void park_mark_all(struct park *p)
{
    for (size_t i = 0; i < PARK_TABLE_SIZE; i++)
        for (struct park_group *g = p->table[i]; g != NULL; g = g->next)
            park_mark_group(p, g, true);
}

void park_mark_due(struct park *p, int64_t now_ms)
{
    struct timer *timer;
    while ((timer = timers_take_due(&p->group_timers, now_ms)) != NULL) {
        struct park_group *g = TIMER_OWNER(timer, struct park_group, timer);
        bool look = g->lease_ms <= now_ms || g->again_ms <= now_ms;
        if (look) g->lease_ms = g->again_ms = INT64_MAX; /* the look says when next */
        bool changed = false;
        if (g->recheck_ms <= now_ms) {
            schedule_recheck(p, g);
            changed = g->waiters != NULL && !room_unchanged(p->app, g->room, &g->stamp);
        }
        (void)set_timer(p, g); /* the heap has the room of the timer just taken out */
        if (look)
            park_mark_group(p, g, true);
        else if (changed)
            recheck(p, g);
    }
}

struct waiter *park_next(struct park *p)
{
    for (;;) {
        struct park_group *g = p->first_marked;
        if (p->cursor == NULL) {
            if (g == NULL) return NULL;
            p->cursor = g->waiters;
            p->cursor_all = g->all;
            g->all = false;
            unmark(p, g);
        }
        struct waiter *w = p->cursor;
        p->cursor = w->next;
        bool marked = w->marked || p->cursor_all;
        if (p->cursor_all) park_take_back(p, w);
        w->marked = false;
        if (marked) return w;
    }
}

void park_look_again(struct park *p, struct waiter *w, int64_t at_ms)
{
    struct park_group *g = w->group;
    one_was_asked(p, g, true); /* all are, then */
    w->wait.tenure = 0;        /* until it has looked, it can't be given what comes after */
    if (at_ms < g->again_ms) g->again_ms = at_ms;
    (void)set_timer(p, g);
}

void park_looked(struct park *p, struct waiter *w)
{
    struct park_group *g = w->group;
    one_was_asked(p, g, all_wait_beyond(g, &w->wait.after));
    int64_t floor_ms = app_now_ms(p->app) + LEASE_WAKE_FLOOR_MS;
    int64_t lease_ms = w->wait.lease_wake_ms > floor_ms ? w->wait.lease_wake_ms : floor_ms;
    /* Earlier than was known: of one whose older poll hung up in another process, maybe. That one's
     * own look renews it. */
    if (g->lease_ms != INT64_MAX && lease_ms < g->lease_ms) park_mark_group(p, g, true);
    g->lease_ms = lease_ms;
    (void)set_timer(p, g);
}

struct waiter *park_take_due(struct park *p, int64_t now_ms)
{
    struct timer *timer;
    while ((timer = timers_take_due(&p->deadlines, now_ms)) != NULL) {
        struct waiter *w = TIMER_OWNER(timer, struct waiter, deadline);
        if (w->lies) {
            park_forget(p, w);
            continue;
        }
        if (w->no_room)
            park_remove(p, w);
        else
            park_lay_down(p, w);
        return w;
    }
    return NULL;
}

struct waiter *park_take_any(struct park *p)
{
    struct waiter *w = NULL;
    while (w == NULL && p->deadlines.count > 0) w = park_take_due(p, p->deadlines.heap[0]->at_ms);
    return w;
}

int64_t park_next_ms(const struct park *p)
{
    int64_t deadline_ms = timers_next_ms(&p->deadlines);
    int64_t group_ms = timers_next_ms(&p->group_timers);
    return deadline_ms < group_ms ? deadline_ms : group_ms;
}

void park_recheck_every(struct park *p, int64_t every_ms)
{
    if (every_ms == p->every_ms) return;
    p->every_ms = every_ms;
    for (size_t i = 0; i < PARK_TABLE_SIZE; i++) {
        for (struct park_group *g = p->table[i]; g != NULL; g = g->next) {
            schedule_recheck(p, g);
            (void)set_timer(p, g);
        }
    }
}
