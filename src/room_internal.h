/* room_internal: what the room_*.c share.
 *
 * Every public call is room_begin(), rules, room_end(). The end commits even when the call is
 * refused: what was written until then is bookkeeping that stays right (leases that ended, mail
 * that was acknowledged or grew old), so a rule writes nothing of its own before its last refusal.
 */
#ifndef KLATCH_ROOM_INTERNAL_H
#define KLATCH_ROOM_INTERNAL_H

#include "room.h"
#include "store.h"

enum { ROOM_RING_MEMBERS_MAX = 16 }; /* mail to more in one transaction rings for everybody */

struct room_tx {
    struct app *app;
    struct arena *a;
    struct store_room *db;
    int64_t now_ms;
    int64_t sent_ms;  /* what is sent bears one time, Unix time */
    bool ring;        /* anybody may wait for what is being committed … */
    bool sent_to_all; /* … or for what a member sends */
    size_t to_count;  /* else: these may */
    struct slice to[ROOM_RING_MEMBERS_MAX];
    bool recount;          /* how many are present may have changed */
    struct slice sub;      /* of the token of who is just joining, for the feed */
    bool settle;           /* somebody went, or came without a host: see room_settle() */
    bool changed;          /* settings or hosts, so that all are told */
    const char *committed; /* fault points after the commit and after the ring; NULL: none */
    const char *rung;
};

/* Begin; gives leases and mail of another boot their full time again. */
struct problem room_begin(struct room_tx *tx, struct app *app, struct arena *a, const char *room,
                          enum store_mode mode);
/* Commit, ring. A failure of the store goes before `refusal`. */
struct problem room_end(struct room_tx *tx, struct problem refusal);

/* The member whose key has this room_hash(), present or waiting, to act as it: 401 key-invalid, or
 * 410 session-expired for a former key, after a lapse, after leaving; 410 kicked, 403 refused, 410
 * room-closed. */
struct problem room_member_of_key(struct room_tx *tx, const uint8_t *hash, struct member_row *out);
void room_hash(struct slice s, uint8_t out[IDENT_HASH_BYTES]);

/* Why there is nothing more for m. */
struct problem room_member_gone(const struct member_row *m);

/* Is it there: present or waiting, with its lease not over, or over but noticed by nobody and its
 * grace not?
 */
bool room_member_there(const struct room_tx *tx, const struct member_row *m);

/* Has a third of its lease gone? */
bool room_lease_worn(const struct room_tx *tx, const struct member_row *m);
/* A full lease from now. */
void room_lease_renew(struct room_tx *tx, struct member_row *m);
/* The same for who is parked: a full lease from when its poll came, which was written down by
 * nobody if a third of the lease before it had not gone then. Not from now: who has gone and left
 * its poll behind goes as soon as if that poll had written it. A lease that ended stays so, and one
 * that may have been shortened (leaving soon, a hang-up) isn't lengthened by anybody else. */
void room_leases_carry(struct room_tx *tx, struct room_wait *const *parked, size_t count);
/* What time has brought: leases that ended (each with its peer-left), graces that ended, mail
 * beyond the TTL. `spared`: a member that is just showing that it lives; "" for none. True: there
 * was something, and a member read before may have changed. */
bool room_expire(struct room_tx *tx, const char *spared);
/* Is there something for room_expire() that somebody may be waiting for? */
bool room_lapse_due(const struct room_tx *tx);
/* m leaves for good; `by` takes its place, or NULL. Who waits is told of to the hosts alone. */
void room_member_leaves(struct room_tx *tx, const struct member_row *m, enum member_left why,
                        const char *by);
/* Who acts shows that it is there: renew its lease where a third has gone, end its former key. */
void room_member_acts(struct room_tx *tx, struct member_row *m);

/* peer-joined, peer-updated: tell the others about a member. Returns its seq. */
int64_t room_tell(struct room_tx *tx, const char *type, const struct member_view *about,
                  bool resumed);

/* Append one of the server's own messages, about a member or "" (that one doesn't read it when it
 * is to all), to one or to all (SLICE_NONE). Returns its seq. */
int64_t room_tell_data(struct room_tx *tx, const char *type, const char *about, struct slice to,
                       const struct buf *data);
/* The same as room_tell(), to one. */
void room_tell_one(struct room_tx *tx, const char *type, const struct member_view *about,
                   const char *to);

/* room_host.c: after somebody went or came, or a setting changed: over when nobody is there; a new
 * host where there was one and none is left; tell. Nothing where tx->settle isn't set. */
void room_settle(struct room_tx *tx);
/* Nobody is there: whoever comes makes the room anew. Who waits is told. */
void room_over(struct room_tx *tx);
/* One knocks: to this host, or to each (NULL). */
void room_tell_knocking(struct room_tx *tx, const char *peer, const char *to);
/* To each host. */
void room_tell_withdrew(struct room_tx *tx, const char *peer, const char *reason);
/* Whoever becomes host hears of all who wait. */
void room_make_host(struct room_tx *tx, const char *peer);
/* One has come that is host; told unless nobody was there. */
void room_came_host(struct room_tx *tx, bool alone);
int64_t room_hosts_present(struct room_tx *tx);
/* The end of what isn't the end of a lease is to be looked for. */
void room_watch(struct room_tx *tx);
/* SLICE_NONE where an address isn't known. */
struct slice room_address_hash(struct room_tx *tx, const char *address);
bool room_is_banned(struct room_tx *tx, const struct token_claims *token, struct slice address);
bool room_is_full(const struct room_tx *tx);
struct problem room_problem_full(void);
struct room_settings room_rules_now(const struct room_tx *tx); /* without hosts */
void room_settings_now(struct room_tx *tx, struct room_settings *out);

/* Does the mailbox hold no message, by its counters as they were read last? */
bool room_holds_nothing(const struct room_tx *tx);

/* Can this member go on from this cursor? */
bool room_cursor_servable(const struct room_tx *tx, const struct member_row *m,
                          const struct cursor *c);
/* The oldest cursor from which it misses nothing more. */
struct cursor room_cursor_oldest(const struct room_tx *tx, const struct member_row *m);

/* Mail that was acknowledged goes: to one by that one, to all by everybody who was there. */
void room_prune(struct room_tx *tx);

/* Write down for the site's feed, where it has one: room-opened, peer-joined, peer-left. */
void room_note(struct room_tx *tx, const char *type, const char *peer, const char *reason);
/* After the commit: move what was written down. What can't be moved now is by the next call. */
void room_notes_move(struct app *app, const char *room);

#endif
