/* park: requests waiting for mail.
 *
 * Owns every waiter from park_add() until park_remove(); each is handed out by exactly one of:
 * woken and found something, superseded, due, taken away. A wake only means "look again", so a
 * spurious wake is safe and a lost one costs at most one re-check. The one thing held is what this
 * process has just committed, for a waiter who is to be woken for nothing else (park_give()).
 *
 * Waiters of one room hang on one group. A group has one timer, for the room's next lease end or
 * its next re-check, whichever is sooner: re-checks are by room, never by waiter. A waiter has one
 * timer, its own deadline. A waiter without a room hangs on no group: only its deadline, the end of
 * the process or a hang-up ends it.
 *
 * Who was told that its time is over polls again at once, as a rule, and would find what it knew.
 * So its waiter rests for a moment, and the group with it: rung and re-checked as if it were still
 * parked, though nobody is woken. Its member comes back and waits on without a look at the room's
 * file if the waiter was sure (struct room_wait), nothing was rung since its key was looked up, no
 * look was due, and there is no lease to write.
 *
 * Park answers nobody and knows no connection: the loop (or the
 * CGI process) asks who is due and calls route_resume(). */
#ifndef KLATCH_PARK_H
#define KLATCH_PARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "room.h"
#include "timers.h"

enum {
    PARK_RECHECK_MS = 10000,     /* between re-checks of a room, where the bell reaches */
    PARK_RECHECK_BLIND_MS = 500, /* and where it doesn't */
    PARK_REST_MS = 2000,         /* for a member to come back and wait on */
};

struct park;
struct park_group;

/* Messages that lie in the room's file, for an answer that needs no look at it. */
struct given_mail {
    struct cursor next; /* beyond them */
    size_t count;
    struct buf text; /* as an answer has them, with a comma between two */
};

struct waiter {
    struct room_wait wait;
    struct park_group *group;
    struct waiter *next, *previous; /* in the group */
    void *owner;                    /* the loop's connection; park never looks at it */
    char *sent;                     /* JSON of `sent` for the answer to come; owned; NULL: none */
    struct given_mail *given;       /* all that it is marked for; owned; NULL: it has to look */
    int64_t turn;                   /* -1: none given */
    uint64_t ticket;                /* bell_owner_claim() */
    struct timer deadline;
    char *origin; /* that may read the answer; owned; NULL: only its own */
    int slot;     /* of the poll budget; -1: none */
    bool no_room; /* the doctor's: waits for nothing but its deadline */
    uint8_t call; /* the number of the call (route_call_name()) that it is */
    bool marked;  /* to be looked for, though not all of its group are */
    bool lies;    /* among those that rest */
    bool rests;   /* when it is released: its hold is over, and nothing else */
    bool goes_on; /* it waits on where one that rested did */
};
_Static_assert(sizeof(struct waiter) <= 288, "a parked poll stays small");

struct park *park_open(struct app *app);
void park_close(struct park *p); /* frees the waiters that are left */
size_t park_count(const struct park *p);
size_t park_count_no_room(const struct park *p); /* of these, waiters without a room */

/* Take `from` (by value, its `sent` and slot with it) into the park until its deadline.
 * An older poll of the same member in this park is superseded by it: it is returned in *superseded,
 * already taken out, for the caller to answer and to release with park_release().
 * NULL: memory is out, nothing was taken. */
struct waiter *park_add(struct park *p, const struct waiter *from, struct waiter **superseded)
    __attribute__((warn_unused_result));
/* Would a poll of this member and turn be superseded by one that is parked here? */
bool park_has_newer(const struct park *p, const char *room, const char *peer, int64_t turn);

/* Up to `max` of the polls that are parked in this room; they stay the park's. Returns how many. */
size_t park_in_room(const struct park *p, const char *room, struct room_wait **out, size_t max);

/* Does a poll with this key wait on in this room, beyond this cursor? Fills *out, for a waiter with
 * `goes_on`. */
bool park_goes_on(const struct park *p, const char *room, struct slice key,
                  const struct cursor *after, struct room_wait *out);

/* Was this member's poll before here, until a moment ago? */
bool park_rests(const struct park *p, const char *room, const char *peer);

/* Take out without answering (hang-up). The waiter is still to be released. */
void park_remove(struct park *p, struct waiter *w);
/* Give back slot, owner word and memory of a waiter that has been taken out; the memory later where
 * it rests. */
void park_release(struct park *p, struct waiter *w);
/* The same for one that was never added: its struct stays the caller's. */
void park_drop(struct app *app, struct waiter *w);

/* The waiters to look for again are visited one by one: park_mark…() marks groups or some of their
 * waiters, park_next() gives each marked one once. A waiter may be removed by the one who was given
 * it. */
/* The waiter of this member in a bucket's groups; all of them when `peer` is empty. False: nobody
 * waits in this bucket. */
bool park_mark(struct park *p, uint32_t bucket, const char *peer);
void park_mark_rung(struct park *p); /* the buckets that were rung since they were marked last */
/* Those of the first `count` of app->rung, and empty it: the caller answers for the rest. */
void park_mark_heard(struct park *p, size_t count);
/* Does anybody wait in this room here, or rest? */
bool park_knows(const struct park *p, const char *room);
void park_mark_all(struct park *p);
void park_mark_due(struct park *p, int64_t now_ms); /* groups whose timer is due; sets it again */
struct waiter *park_next(struct park *p);

/* Mail that was just committed for one who waits in a room, or for all but its sender. */
struct park_mail {
    const char *room;
    struct slice to; /* SLICE_NONE: to all */
    const char *from;
    struct slice text; /* as an answer has it */
    struct fresh_mail fresh;
};
/* Mark whom it is for. Who waits for nothing else is given it; who does, or read the room under
 * another tenure, or has got more than an answer holds, looks. park_mark_heard() goes first:
 * whoever this process has rung for is marked by then. */
void park_give(struct park *p, const struct park_mail *mail);
/* Put the look at `w` off: its room was busy. The group is due again at `at_ms`. */
void park_look_again(struct park *p, struct waiter *w, int64_t at_ms);
/* A look is over: the room's next lease end may have changed. */
void park_looked(struct park *p, struct waiter *w);

/* A waiter whose own deadline has come, taken out; NULL: none. */
struct waiter *park_take_due(struct park *p, int64_t now_ms);
/* Any waiter, taken out; NULL: park is empty. For the end of the process. */
struct waiter *park_take_any(struct park *p);
/* When park wants to be asked next; INT64_MAX: never. */
int64_t park_next_ms(const struct park *p);

/* A bell was opened or is listened to with another ear: listen to every bucket there is. */
void park_listen(struct park *p);
/* From now on groups are re-checked every `every_ms` (at most), spread evenly. */
void park_recheck_every(struct park *p, int64_t every_ms);

#endif
