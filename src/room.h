/* room: the rules of a room: who is in it, its mailbox, leases, quotas. No SQL (that is store's)
 * and no HTTP (that is ep_*'s).
 *
 * Invariants: each call is one transaction on the room's own file and all or nothing; whatever was
 * answered is committed; who waits is rung (app_ring) after the commit, and again when a retry
 * finds its work done. A call that meets a locked file changes nothing, returns 503 busy at once
 * and may be repeated with the same arguments: the caller does that until its patience ends.
 *
 * Slices in results live in the arena given; nothing points into the store. Stored times are
 * app_now_ms(); only sent_ms is wall time. */
#ifndef KLATCH_ROOM_H
#define KLATCH_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "arena.h"
#include "buf.h"
#include "ident.h"
#include "password.h"
#include "problem.h"
#include "token.h"

enum {
    ROOM_NAME_BYTES_MAX = 64,
    ROOM_MESSAGE_ID_BYTES_MAX = 64,
    ROOM_TYPE_BYTES_MAX = 64,
    ROOM_MEMBER_NAME_BYTES_MAX = 256,
    ROOM_META_BYTES_MAX = 8192,
    ROOM_SENDS_MAX = 256,           /* messages of one request */
    ROOM_ANSWER_MESSAGES_MAX = 100, /* messages of one answer */
    ROOM_ANSWER_BYTES_MAX = 126000, /* their data, types and frames: an answer stays under 128 kB.
                                       One message always fits. */
    ROOM_FRAME_BYTES = 256,         /* the JSON around one message of an answer, at most */
    ROOM_MESSAGE_IDS_KEPT = 1024,   /* the newest retry ids of a sender, at least … */
    ROOM_MESSAGE_IDS_MAX = 2048,    /* … and at most, so that the older go many at a time */
    ROOM_WAIT_KEY_BYTES = 16,
    ROOM_SOON_MS = 5000,    /* lease left after a leave with `soon` */
    ROOM_HANGUP_MS = 10000, /* lease left after a hang-up at a parked poll */
};

/* A cursor, `epoch.seq` in text: 16 hex digits, a dot, decimal seq. */
struct cursor {
    bool given;
    uint64_t epoch;
    int64_t seq;
};
enum { CURSOR_TEXT_BYTES = 16 + 1 + 19 };
/* False: not a cursor at all (400 bad-cursor). Absent text: given = false, true. */
bool cursor_parse(struct slice text, struct cursor *out);
void cursor_format(const struct cursor *c, char out[CURSOR_TEXT_BYTES + 1]);

bool room_name_valid(struct slice name); /* [A-Za-z0-9_-]{1,64} */

/* One member as `peers` shows it: present members only, ordered by `joined` (the seq of its
 * peer-joined, so a later one is higher). meta is raw JSON, absent: SLICE_NONE. */
struct member_view {
    struct slice peer, name, meta;
    int64_t joined;
};

/* Append what all are told of a member, an object without its end: {"peer","name"?,"meta"?. */
void room_put_member(struct buf *b, const struct member_view *about);

struct message_in {
    struct slice id;   /* retry id, required by the decoder, 1..64 bytes */
    struct slice to;   /* absent: everybody else */
    struct slice type; /* 1..64 bytes of [a-z0-9-]; prefixes peer-, room-, klatch- refused: 400 */
    struct slice data; /* raw JSON */
};

struct message_out {
    int64_t seq;
    struct slice from; /* absent: the server's own */
    struct slice to;   /* absent: to all */
    struct slice type, data;
    int64_t sent_ms;
};

struct sent {
    struct slice id;
    int64_t seq;
};

struct join_ask {
    const char *room; /* valid */
    struct slice id; /* of the client, 16..64 bytes, a retry finds the same member; may be absent */
    struct slice name;     /* may be absent */
    struct slice meta;     /* raw JSON; may be absent */
    struct slice resume;   /* former key */
    struct slice replaces; /* key of the member whose place it takes */
    struct cursor after;
    const char *address;                  /* it comes from; NULL or empty: not known */
    struct token_claims token;            /* of a newcomer */
    const struct password_kept *password; /* the password it gave, hashed with a salt; NULL: none */
    struct problem refusal;               /* why no newcomer is let in; status 0: one is */
};

/* Who may come in, and whose say it is. */
struct room_settings {
    bool locked, lobby;
    bool password;       /* one is asked for */
    struct slice *hosts; /* peers, present or in their grace, by `joined` */
    size_t hosts_count;
};

struct join_result {
    char peer[IDENT_PEER_BYTES + 1];
    char key[IDENT_KEY_BYTES + 1];
    struct cursor cursor;
    bool known; /* a member that was here before, by `id` or `resume`: polls with its former key are
                   over */
    bool resumed;
    struct slice sub;  /* of the member's token; absent: it joined without */
    struct slice name; /* what others are told, where sub is there */
    bool host;
    bool waiting; /* in the lobby: the rest isn't filled but for hosts_present */
    int64_t hosts_present;
    struct room_settings settings;
    struct member_view *knocking; /* a host's: who waits, as many as fit; of others it gets mail */
    size_t knocking_count;
    uint8_t salt[PASSWORD_SALT_BYTES]; /* with 401 password-missing: to hash a password with */
    bool gap;                  /* `after` could not be served; cursor is the oldest that can */
    struct member_view *peers; /* the others that are present */
    size_t peers_count;
};

/* Join: makes the room where there is none. In this order: a known `id` gives the same member with
 * a fresh key (the key before it becomes the former key); `resume` gives the member of that key or
 * former key within its grace: same peer, lapsed ones announced by peer-joined {resumed: true},
 * not counted against the limit; when `resume` can't be honoured the join goes on as a new one
 * without it (`resumed` false); `replaces` removes that member in the same transaction (peer-left
 * {reason:"replaced", by}) outside the count, an unknown key there is ignored.
 * peer-joined data: {"peer","name"?,"meta"?,"joined"[,"resumed":true]}, where joined is the number
 * that `peers` shows; a resume keeps it.
 * With resume and a servable `after` the cursor is `after`; resume without `after`: what it last
 * acknowledged; else the head.
 * A token is a newcomer's: its sub and role are kept, and its name goes before the one asked for,
 * but where `meta` is sealed nobody is told any. Who comes back keeps all three, whatever is asked.
 * A newcomer, in this order: `refusal`; 403 banned, by sub or jti of its token or, without one, by
 * address; 423 room-locked; 401 password-missing, also when `password` has another salt than the
 * room's (*out has that); 403 password-wrong; 409 room-full; the lobby: `waiting`. A host by token
 * passes all but bans and a full room; who replaces a member passes all, and has its role.
 * Who comes first, where tokens aren't required, is host; and where there was one and none is any
 * more, the one that is there longest.
 * Fails: as above; 410 kicked and 403 refused, for a resume or a retry of who was; 503 busy (also:
 * rooms_max reached, with Retry-After); 507 disk-full. */
struct problem room_join(struct app *app, struct arena *a, const struct join_ask *ask,
                         struct join_result *out);

/* What a parked poll must remember. Fixed size, no pointers. */
struct room_wait {
    char room[ROOM_NAME_BYTES_MAX + 1];
    char peer[IDENT_PEER_BYTES + 1];
    uint8_t key[ROOM_WAIT_KEY_BYTES]; /* of its key's hash */
    bool sure;                        /* whatever changes its room is heard by `rung` */
    bool waiting;                     /* in the lobby: nothing is read for it */
    uint32_t rung;         /* bell_rung() of its room, before that was looked at for its key */
    uint32_t tenure;       /* store_tenure() of its room, as that was read; 0: none */
    struct cursor after;   /* what it waits beyond */
    int64_t lease_wake_ms; /* when the room's next lease ends; INT64_MAX: none */
    int64_t since_ms;      /* when the poll came */
    int64_t until_ms;      /* when its member's lease ends, or earlier */
};

struct exchange_ask {
    const char *room;
    struct slice key;
    struct cursor after; /* not given: nothing is read or acknowledged */
    const struct message_in *send;
    size_t send_count;
    /* The polls of this room that are parked with the caller: where a lease is renewed, theirs are
     * too. */
    struct room_wait *const *parked;
    size_t parked_count;
};

/* Who waits in this process, and has read the room's file since no other process could write there,
 * misses nothing but what was sent just now, and can be given that without another look. */
struct fresh_mail {
    uint32_t tenure; /* as in their room_wait; 0: they have to look */
    int64_t sent_ms;
    struct cursor next; /* beyond all of it */
};

struct exchange_result {
    char peer[IDENT_PEER_BYTES + 1];
    struct message_out *messages;
    size_t count;
    bool more;
    struct cursor next;      /* when `after` was given: what to say next */
    struct sent *sent;       /* send_count entries, in order; of a repeated id the first seq */
    struct fresh_mail fresh; /* what was just sent, for those who wait here for nothing else */
    bool gap; /* `after` can't be served: `peers` is filled, `next` is the oldest cursor that
                 loses nothing more, messages is empty, nothing was acknowledged */
    struct member_view *peers; /* with gap: the present others */
    size_t peers_count;
    struct room_wait wait; /* what to park with when there is nothing to tell */
};

/* Acknowledge, renew, send, read, in one transaction; a write transaction only when there is
 * something to write: messages to send, a lease with a third gone, a new key's first use (ends the
 * former key's right to resume… it stays known, so that it gets 410), lapsed members to announce,
 * or an acknowledgement while an eighth of the mailbox is taken. Acks and pruning are applied even
 * when the send then fails. Every message of `send` or none. Fails: 401 key-invalid (unknown key);
 * 404 room-not-found; 410 session-expired (former key, lapsed member, one that has left); 410
 * room-closed; 404 peer-not-found (`to` unknown or its grace over); 413 message-too-large; 400
 * invalid-request (type); 507 mailbox-full; 507 disk-full; 503 busy. */
struct problem room_exchange(struct app *app, struct arena *a, const struct exchange_ask *ask,
                             struct exchange_result *out);

/* Look again for a parked poll: fills messages, more, next, gap, peers as room_exchange() and
 * updates wait->lease_wake_ms; count == 0 and no gap: wait on. Lapses members whose lease is over
 * (one transaction with their one peer-left each) before it looks, and takes back what the hang-up
 * of an older poll did to this member's lease. Acknowledges nothing.
 * Fails: as room_exchange() (410 when the member lapsed, left or was replaced; room gone: 410
 * room-closed). */
struct problem room_look(struct app *app, struct arena *a, struct room_wait *wait,
                         struct exchange_result *out);

/* Would room_exchange() for its member, with nothing to send and the same `after`, have nothing to
 * write either, if nothing has changed since: is its lease not worn, and nobody's over? */
bool room_wait_rests(const struct app *app, const struct room_wait *wait);

/* What a room's file looked like. Zeroed: never seen. */
struct room_stamp {
    uint64_t device, inode;
    int64_t changed_ns; /* Unix time; 0: can't be told yet */
    int64_t touched_ns; /* likewise, of the inode too: a file that was moved here */
    int64_t looked_ms;  /* when the room was looked at, Unix time; 0: not known */
};

/* Has the room's file certainly not changed since *stamp was taken, or since the look that
 * room_looked_at() tells of, so that another one would find nothing? Takes a new stamp. Two system
 * calls, no lock. A file that was written within the last moment, or that lies on another machine,
 * is never certain. Of what was written in the tick of the file system's clock in which the room
 * was looked at nobody can say whether it came before or after; there it is taken for the look's
 * own, since whoever else wrote has rung. */
bool room_unchanged(struct app *app, const char *room, struct room_stamp *stamp);
/* This process has just looked at the room. */
void room_looked_at(const struct app *app, struct room_stamp *stamp);

/* Leave for good, or, with `soon`, leave ROOM_SOON_MS of lease. Repeated: success again.
 * Fails: 401 key-invalid; 404 room-not-found; 410 session-expired (former key); 503 busy. */
struct problem room_leave(struct app *app, const char *room, struct slice key, bool soon);

/* The browser of this parked poll has gone: leave at most ROOM_HANGUP_MS of its lease. Best effort.
 */
struct problem room_hangup(struct app *app, const struct room_wait *wait);

/* How many are present, and what they would ask of another one; no hosts. 404 room-not-found when
 * there is no such room; 503 busy. */
struct problem room_info(struct app *app, const char *room, int64_t *peers,
                         struct room_settings *settings);

/* ---- the host's calls ----
 * Each is one transaction, and its success may be asked for again. All fail as room_exchange() with
 * a key that is no present member's, and with 403 not-permitted for who isn't host. After each that
 * changed settings or hosts all are told by room-updated {locked, lobby, password, hosts}. `out` is
 * what holds then. */

struct host_ask {
    const char *room;
    struct slice key, peer;
    bool ban; /* room_kick() */
};

/* Let one that waits in: peer-joined to all, room-admitted {} to it. Of one that is in: nothing
 * changes. Fails: 404 peer-not-found; 409 room-full. */
struct problem room_admit(struct app *app, struct arena *a, const struct host_ask *ask,
                          struct room_settings *out);
/* Send a member away (peer-left {reason: "kicked"}), or don't let one that waits in; `ban`: nor
 * anybody with its sub or its token or, without one, from its address, while the room exists. Of
 * one that was sent away: bans, or nothing. Fails: 400 invalid-request (oneself); 403 not-permitted
 * (a host); 404 peer-not-found. */
struct problem room_kick(struct app *app, struct arena *a, const struct host_ask *ask,
                         struct room_settings *out);
/* `peer`, who is present, becomes host, and the caller a member. Oneself: nothing changes. Fails:
 * 404 peer-not-found. */
struct problem room_hand_on(struct app *app, struct arena *a, const struct host_ask *ask,
                            struct room_settings *out);

struct settings_ask {
    const char *room;
    struct slice key;
    bool set_locked, locked, set_lobby, lobby, set_password;
    const struct password_kept *password; /* NULL: none is asked for any more */
};

/* Turning the lobby off lets in who waits, in order, while there is place. */
struct problem room_set(struct app *app, struct arena *a, const struct settings_ask *ask,
                        struct room_settings *out);
/* May this one call it? Changes nothing but its lease. */
struct problem room_may_set(struct app *app, const char *room, struct slice key);

/* Lapse, expire, prune and, when nobody's grace runs any more, delete one room's file. 503 busy:
 * later. */
struct problem room_sweep(struct app *app, const char *room);

#endif
