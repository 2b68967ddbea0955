/* store: rooms on disk. One SQLite file a room (schema.sql says what stands in it), a cache of open
 * ones, one function for each statement. The rules are room's; here is only how they are kept.
 *
 * Goals: a process may be killed anywhere without harm; a file is never touched behind SQLite's
 * back (an own open and close would lose its locks); nothing waits. Non-goals: surviving a power
 * cut.
 *
 * A transaction: store_begin(), statements, then exactly one of store_commit() and store_abort().
 * One at a time in a process. The first error of a statement stays, what follows does nothing and
 * finds nothing, and the end of the transaction returns it as a problem:
 *   locked by another process, or moved under us     503 busy, retry_after_s 1: repeat at once
 *   newer version, not permitted, no memory          503 busy, retry_after_s above 1: don't
 *   no space                                         507 disk-full
 *   not a database, damaged                          moved aside to <name>.broken-<time>, a warning
 *                                                    in the log, 404 room-not-found
 *
 * A file is made, deleted or moved aside only under a lock on DATA/rooms.lock. Who deletes commits
 * closed = 1 before it unlinks, and every transaction looks at that and whether its file still is
 * the one at the path before it goes on; so nothing is ever written into a file that has gone. */
#ifndef KLATCH_STORE_H
#define KLATCH_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "arena.h"
#include "buf.h"
#include "ident.h"
#include "problem.h"
#include "room.h"

uint64_t store_hash(const char *room);

struct store;
struct store_room; /* an open room, the caller's from begin to end of its transaction */

enum { STORE_BANS_MAX = 1024 };
enum { STORE_MESSAGE_BYTES = 64 }; /* what a message counts beside its data and type */

/* NULL: no memory. A data folder that can't be written is told by the calls that need it. */
struct store *store_open(struct app *app);
void store_close(struct store *s); /* NULL is fine */

enum store_mode {
    STORE_VISIT, /* STORE_READ that doesn't ask another process to let go of the room */
    STORE_READ,  /* may still write: then 503 busy where another process writes */
    STORE_WRITE, /* takes the write lock first */
    STORE_MAKE,  /* STORE_WRITE that makes the room where there is none */
};

/* Begin. 404 room-not-found where there is no room (also while it is being deleted); with
 * STORE_MAKE 503 busy when there are rooms_max. *out is set on success only. */
struct problem store_begin(struct app *app, const char *room, enum store_mode mode,
                           struct store_room **out);
/* Commit, or roll back and tell the first error. A room that STORE_MAKE made is there only after
 * its commit. */
struct problem store_commit(struct store_room *r);
/* In a transaction: since this became what it is nobody but this process has written to the room,
 * and nobody can while it stays so. 0: others may. */
uint32_t store_tenure(const struct store_room *r);
/* Roll back. Returns the first error, if any: what was concluded from rows then isn't so. */
struct problem store_abort(struct store_room *r);
/* Where app->keeps_rooms, a room stays locked between transactions while it is in use. Let go of
 * those that another process asked for (app_ask_for()). */
void store_let_go_asked(struct app *app);
/* Is a room of this bucket of the bell kept? */
bool store_keeps(const struct app *app, uint32_t bucket);
/* Let go of those that were not used for a second; where there are many connections, close those
 * that were not for a moment. How long until some may be again, in ms; INT64_MAX: none may. */
int64_t store_let_go_unused(struct app *app);
void store_let_go_all(struct app *app);
/* Has a statement failed? Ends loops; store_commit() and store_abort() return the problem. */
bool store_failed(const struct store_room *r);
/* The arena had no room for a row: fail the transaction. */
void store_out_of_memory(struct store_room *r);

/* The room's file as lstat() sees it. False: it isn't there. */
bool store_stamp(const struct app *app, const char *room, struct room_stamp *out);

/* Delete the room's file if no member row is left in it (also what a killed process left behind).
 * 503 busy: later. */
struct problem store_delete(struct app *app, const char *room);

/* Among the `count` least recently used connections, close those that nobody used for 5 s and
 * those whose files have gone: an unlinked file takes space as long as it is open. */
void store_trim(struct app *app, size_t count);

/* Visit up to `count` rooms of the folder from `place` (0: the beginning), calling visit() with
 * each one's name. Returns the next place, 0 at the end. */
int64_t store_rooms_from(struct app *app, int64_t place, int count,
                         void (*visit)(struct app *app, const char *room));

enum room_closed {
    ROOM_STANDS,
    ROOM_GONE,  /* nobody is left: about to be unlinked */
    ROOM_ENDED, /* the site's owner has closed it: kept for a grace, for who doesn't know yet */
};

/* Who may come in, and what is to be looked for. */
struct room_rules {
    bool locked, lobby;
    bool hosted;  /* it has had a host, so it gets another one */
    bool watched; /* somebody waits in the lobby, or a host has lapsed */
};
/* The room's row, with what this transaction has written. */
struct room_row {
    uint64_t epoch;
    int64_t head;
    enum room_closed closed;
    char boot_id[37];
    int64_t messages, bytes, told_messages, told_bytes;
    struct room_rules rules;
    bool password; /* one is asked for */
};
const struct room_row *store_room(const struct store_room *r);
const char *store_name(const struct store_room *r); /* good until the transaction ends */
void store_room_set_rules(struct store_room *r, const struct room_rules *rules);
/* False: none is asked for. */
bool store_room_password(struct store_room *r, struct password_kept *out);
void store_room_set_password(struct store_room *r,
                             const struct password_kept *kept); /* NULL: none */
/* What a transaction inserted. Zero it, insert, then count it all at once with store_tally().
 * Whatever deletes rows counts them down itself. */
struct tally {
    int64_t head; /* the last seq given out */
    int64_t messages, bytes, ids;
};
/* `sender` NULL: they are the server's own. */
void store_tally(struct store_room *r, const char *sender, const struct tally *t);
/* Another boot's clock: every lease and grace gets its full length from now, mail is of now. */
void store_room_set_boot(struct store_room *r, const char *boot_id, int64_t now_ms,
                         int64_t lease_ms, int64_t grace_ms);

enum member_state { MEMBER_PRESENT, MEMBER_LAPSED, MEMBER_LEFT, MEMBER_WAITING };
enum member_left { LEFT_ITSELF, LEFT_KICKED, LEFT_REFUSED, LEFT_OVER };
struct member_row {
    char peer[IDENT_PEER_BYTES + 1];
    enum member_state state;
    int64_t until_ms; /* end of lease or grace */
    int64_t joined, acked, floor;
    int64_t held_messages, held_bytes, message_ids;
    bool key_used, hung_up, host;
    enum member_left left_why; /* MEMBER_LEFT */
};
struct member_new {
    const char *peer;
    const uint8_t *join_id; /* IDENT_HASH_BYTES; NULL: none */
    const uint8_t *key_hash;
    struct slice name, meta;
    int64_t joined, until_ms;
    struct slice sub, jti; /* absent: without a token */
    struct slice address;  /* hash of it; absent: not kept */
    bool host, waiting;
};
/* What it said of itself, and what its token said of it. */
struct member_self {
    struct slice name, meta, sub, jti, address;
    bool host;
};

/* False: no such member, or an error. */
bool store_member_by_peer(struct store_room *r, struct slice peer, struct member_row *out);
bool store_member_by_key(struct store_room *r, const uint8_t *hash, struct member_row *out);
bool store_member_by_former(struct store_room *r, const uint8_t *hash, struct member_row *out);
bool store_member_by_join_id(struct store_room *r, const uint8_t *hash, struct member_row *out);
/* The one in this state whose until_ms came first, if that is now or past; never `spared`. */
bool store_member_due(struct store_room *r, enum member_state state, int64_t now_ms,
                      const char *spared, struct member_row *out);
/* Copied to the arena. */
void store_member_self(struct store_room *r, struct arena *a, const char *peer,
                       struct member_self *out);
/* Those present, ordered by joined, without `except`. */
void store_members_present(struct store_room *r, struct arena *a, const char *except,
                           struct member_view **out, size_t *count);
int64_t store_members_count(struct store_room *r, enum member_state state);
/* How many of this state have an until_ms after `after_ms`. */
int64_t store_members_count_until(struct store_room *r, enum member_state state, int64_t after_ms);
/* The first one after the seq `joined` whose state is one of `from` to `to`, hosts alone or all. */
bool store_member_next(struct store_room *r, enum member_state from, enum member_state to,
                       bool host, int64_t joined, struct member_row *out);
/* The first end of anybody's lease or grace; 0: there is nobody. */
int64_t store_members_next_end(struct store_room *r);
/* The first end of a lease, or, while rules.watched, of a lapsed host's grace; INT64_MAX: none. */
int64_t store_members_next_lease(struct store_room *r);
/* Present and lapsed ones, not counting `except`: who may read what is sent to all. */
bool store_members_others(struct store_room *r, const char *except);
bool store_members_any(struct store_room *r); /* in whatever state */
/* The one of those that acknowledged least, and what the next one did. False: there is none.
 * *second is INT64_MAX when it is alone. */
bool store_members_least_acked(struct store_room *r, char peer[IDENT_PEER_BYTES + 1],
                               int64_t *least, int64_t *second);

/* One that acknowledged more than its floor. False: there is none. */
bool store_member_above_floor(struct store_room *r, char peer[IDENT_PEER_BYTES + 1],
                              int64_t *acked);

void store_member_insert(struct store_room *r, const struct member_new *m);
void store_member_delete(struct store_room *r, const char *peer);
void store_member_set_state(struct store_room *r, const char *peer, enum member_state state,
                            int64_t until_ms);
void store_member_set_left(struct store_room *r, const char *peer, enum member_left why,
                           int64_t until_ms);
void store_member_set_host(struct store_room *r, const char *peer, bool host);
void store_member_set_address(struct store_room *r, const char *peer, struct slice address);
/* One that waits is present from now on. The cursor that it had is servable. */
void store_member_admit(struct store_room *r, const char *peer, int64_t joined, int64_t until_ms);
/* Where the lease of one that is present or waits ends after from_ms, but before until_ms, it ends
 * then, and the answer is true. */
bool store_member_lengthen(struct store_room *r, const char *peer, int64_t from_ms,
                           int64_t until_ms);
/* The lease of one that is present or waits ends at until_ms, and that is a hang-up's doing. */
void store_member_hang_up(struct store_room *r, const char *peer, int64_t until_ms);
/* A new key, not yet used. What was the key becomes the former one; but where that was never used
 * and `current` isn't set (nobody has shown that it came through), the former one stays. join_id
 * NULL: as it was. */
void store_member_set_key(struct store_room *r, const char *peer, const uint8_t *key_hash,
                          bool current, const uint8_t *join_id);
void store_member_set_key_used(struct store_room *r, const char *peer);
void store_member_forget_join_id(struct store_room *r, const char *peer);
void store_member_set_self(struct store_room *r, const char *peer, struct slice name,
                           struct slice meta);
void store_member_set_acked(struct store_room *r, const char *peer, int64_t acked);
void store_member_raise_floor(struct store_room *r, const char *peer, int64_t floor);
/* Of every member but one. */
void store_members_raise_floor(struct store_room *r, const char *except, int64_t floor);

struct message_new {
    int64_t seq;
    const char *sender;
    bool server;
    struct slice to; /* absent: to all */
    struct slice type, data;
    int64_t sent_ms, stored_ms;
};
void store_message_insert(struct store_room *r, const struct message_new *m, struct tally *t);
/* Up to `max` messages for `peer` with seq > after, oldest first, as many as have `bytes_max` of
 * data and type together, but one at least. *more: there are others. Bodies live in `a`. */
void store_messages_after(struct store_room *r, struct arena *a, const char *peer, int64_t after,
                          size_t max, size_t bytes_max, struct message_out **out, size_t *count,
                          bool *more);
struct message_oldest {
    int64_t seq, stored_ms;
    char sender[IDENT_PEER_BYTES + 1];
    char addressee[IDENT_PEER_BYTES + 1]; /* empty: to all */
};
/* `told`: of the server's own. */
bool store_message_oldest(struct store_room *r, bool told, struct message_oldest *out);
void store_message_delete(struct store_room *r, int64_t seq);
/* Mail to one, up to a seq. These return how many went. */
int64_t store_messages_delete_to(struct store_room *r, const char *addressee, int64_t upto);
/* Mail to all, up to a seq. */
int64_t store_messages_delete_all(struct store_room *r, int64_t upto);
/* Mail to all by one sender (or about one member), up to a seq. */
int64_t store_messages_delete_by(struct store_room *r, const char *sender, int64_t upto);

/* The seq that this id got; 0: not known. */
int64_t store_message_id(struct store_room *r, const char *sender, struct slice id);
void store_message_id_insert(struct store_room *r, const char *sender, struct slice id, int64_t seq,
                             struct tally *t);
/* Forget all but the newest ids of a sender. */
void store_message_ids_delete_older(struct store_room *r, const char *sender, int64_t kept);

/* ---- events, where cfg.events ---- */

enum { STORE_EVENTS_MAX = 1024 }; /* of a room, not yet moved; above, the oldest go */

/* Write down an event of the room, of Unix time time_ms. `sub` absent: that of the member, where
 * there is one. A room's first event is preceded by room-opened and by a peer-joined for each
 * member who is there, of a peer-left for `peer` too. */
void store_event_add(struct store_room *r, const char *type, const char *peer, struct slice sub,
                     const char *reason, int64_t time_ms);
/* May there be events to move? */
bool store_events_wait(const struct store_room *r);
/* Move this room's events to the feed: one transaction here around one there. 503 busy: later. */
struct problem store_events_move(struct app *app, const char *room);
/* The same for a room that has just been closed (ROOM_ENDED). */
struct problem store_events_move_closed(struct app *app, const char *room);
/* There is no feed any more: forget what waits. */
void store_events_forget(struct store_room *r);

/* ---- what the site's owner asks for ---- */

/* Who is known in a room, but has not left: whoever stands in `state`. */
struct member_known {
    struct slice peer, name, sub;
    bool host;
    int state; /* enum member_state */
};
/* Up to `max`, by the order of joining. Returns how many there are. */
size_t store_members_known(struct store_room *r, struct arena *a, struct member_known *out,
                           size_t max);
/* When the room was opened (Unix time; 0: not known), and whether it stays when nobody is left. */
void store_room_opened(struct store_room *r, int64_t *opened_ms, bool *stays);
void store_room_set_stays(struct store_room *r);
/* The commit of this transaction closes the room. */
void store_room_end(struct store_room *r, enum room_closed how);
/* How many rooms there are: files counted, or, of very many, what the lock file says. */
int64_t store_rooms_count(const struct app *app);
/* How long the file of a closed room was left alone; 0: it isn't there. */
int64_t store_closed_for_ms(const struct app *app, const char *room);
/* The names of up to `max` rooms after `after` (in the order of strcmp()), into `out`. Returns how
 * many; *more: there are others. Reads the folder through. */
size_t store_rooms_after(struct app *app, const char *after, char (*out)[ROOM_NAME_BYTES_MAX + 1],
                         size_t max, bool *more);
bool store_banned(struct store_room *r, const uint8_t *hash);
void store_ban(struct store_room *r, const uint8_t *hash); /* the newest STORE_BANS_MAX are kept */
void store_bans_delete(struct store_room *r);

#endif
