/* store_internal: what store.c (transactions and the cache), store_keep.c, store_recall.c,
 * store_lock.c, store_file.c (making, deleting, moving aside) and store_rows.c (statements) share.
 */
#ifndef KLATCH_STORE_INTERNAL_H
#define KLATCH_STORE_INTERNAL_H

#include <sys/types.h>

#include "store.h"
#include "store_sql.h"

enum { STORE_VERSION = 1 }; /* PRAGMA user_version that we write and understand */
enum { STORE_PATH_BYTES = APP_PATH_BYTES_MAX + 128 };

extern const char schema_sql[]; /* schema.sql, embedded at build */

enum store_statement {
    ST_BEGIN,
    ST_BEGIN_IMMEDIATE,
    ST_BEGIN_EXCLUSIVE,
    ST_COMMIT,
    ST_VERSION,
    ST_TABLES,
    ST_LEARN,
    ST_MEMBER_ADD_SUB,
    ST_MEMBER_ADD_ROLE,
    ST_ROOM_ADD_OPENED,
    ST_ROOM_ADD_STAYS,
    ST_EVENT_ADD_TABLE,
    ST_MEMBER_ADD_JTI,
    ST_MEMBER_ADD_ADDRESS,
    ST_MEMBER_ADD_LEFT_WHY,
    ST_ROOM_ADD_SALT,
    ST_ROOM_ADD_PASSWORD,
    ST_BAN_TABLE,
    ST_ROOM_ADD_RULES,
    ST_ROOM_CARRY_RULES,
    ST_ROOM_INSERT,
    ST_ROOM_CLOSE,
    ST_ROOM_OPENED,
    ST_ROOM_SET_STAYS,
    ST_ROOM,
    ST_ROOM_TALLY,
    ST_ROOM_TALLY_TOLD,
    ST_ROOM_SET_BOOT,
    ST_ROOM_SET_RULES,
    ST_ROOM_PASSWORD,
    ST_ROOM_SET_PASSWORD,
    ST_MEMBERS_SET_BOOT,
    ST_MESSAGES_SET_BOOT,
    ST_MEMBER_BY_PEER,
    ST_MEMBER_BY_KEY,
    ST_MEMBER_BY_FORMER,
    ST_MEMBER_BY_JOIN_ID,
    ST_MEMBER_DUE,
    ST_MEMBER_SELF,
    ST_MEMBERS_PRESENT,
    ST_MEMBERS_COUNT,
    ST_MEMBERS_NEXT_END,
    ST_MEMBERS_NEXT_LEASE,
    ST_MEMBERS_NEXT_WATCHED,
    ST_MEMBER_NEXT,
    ST_MEMBERS_OTHERS,
    ST_MEMBERS_LEAST_ACKED,
    ST_MEMBER_ABOVE_FLOOR,
    ST_MEMBERS_ANY,
    ST_MEMBER_INSERT,
    ST_MEMBER_DELETE,
    ST_MEMBER_SET_STATE,
    ST_MEMBER_SET_LEFT,
    ST_MEMBER_SET_HOST,
    ST_MEMBER_SET_ADDRESS,
    ST_MEMBER_ADMIT,
    ST_MEMBER_LENGTHEN,
    ST_MEMBER_HANG_UP,
    ST_MEMBER_SET_KEY,
    ST_MEMBER_SET_KEY_USED,
    ST_MEMBER_FORGET_JOIN_ID,
    ST_MEMBER_SET_SELF,
    ST_MEMBER_SET_ACKED,
    ST_MEMBER_TALLY,
    ST_MEMBER_RAISE_FLOOR,
    ST_MEMBERS_RAISE_FLOOR,
    ST_MESSAGE_INSERT,
    ST_MESSAGES_AFTER,
    ST_MESSAGE_OLDEST,
    ST_MESSAGE_OLDEST_TOLD,
    ST_MESSAGE_HELD,
    ST_MESSAGE_DELETE,
    ST_MESSAGES_HELD_TO,
    ST_MESSAGES_DELETE_TO,
    ST_MESSAGES_HELD_ALL,
    ST_MESSAGES_DELETE_ALL,
    ST_MESSAGES_HELD_BY,
    ST_MESSAGES_DELETE_BY,
    ST_MESSAGE_ID,
    ST_MESSAGE_ID_INSERT,
    ST_MESSAGE_IDS_DELETE,
    ST_MESSAGE_IDS_DELETE_OLDER,
    ST_EVENT_LAST,
    ST_EVENT_ADD,
    ST_EVENTS_ADD_PRESENT,
    ST_EVENTS_TRIM,
    ST_EVENTS_UNMOVED,
    ST_EVENTS_DELETE_MOVED,
    ST_EVENT_SET_MOVED,
    ST_EVENTS_DELETE_ALL,
    ST_MEMBERS_KNOWN,
    ST_BAN,
    ST_BAN_INSERT,
    ST_BANS_TRIM,
    ST_BANS_DELETE,
    ST_COUNT
};
extern const char *const store_texts[ST_COUNT];

enum { RECALL_MEMBERS = 16 };

/* What need not be read again while a room is held. */
struct recall {
    struct recalled_member {
        struct member_row row;
        uint8_t key_hash[IDENT_HASH_BYTES];
        bool keyed; /* that is known */
    } members[RECALL_MEMBERS];
    size_t count, next; /* the place of the next one, over that of another when all are taken */
    bool next_end_known, next_lease_known, watched; /* the room's rule when the lease was read */
    int64_t next_end_ms, next_lease_ms;
    struct message_oldest oldest; /* seq 0: not known */
};

struct store_room {
    char name[ROOM_NAME_BYTES_MAX + 1];
    struct app *app;
    struct sql *sql;
    struct room_row row;
    bool row_known; /* while the lock is held: what was read or written here is what stands there */
    struct recall *recall; /* of the connection; NULL: not held yet, or no memory */
    bool out_of_memory;
    bool whole;             /* it has every column that statements name */
    int64_t used_ms;        /* when it was asked for last */
    bool kept;              /* the lock stays between transactions … */
    bool held;              /* … and one has taken it since … */
    uint32_t tenure;        /* … which nobody else has done in this process */
    int64_t seen_ms;        /* when a kept one was last found at its path */
    uint32_t bucket, asked; /* of the bell; bell_asked() when it was kept */
    int uses, uses_needed;  /* by this process alone, until it is kept */
    int64_t left_ms;        /* when the last of those ended */
    bool making;            /* this transaction makes the room, with the room locked */
    bool events_moved;      /* no event of this room waits to be moved, as far as is known */
    struct store_room *bucket_next, *used_prev, *used_next;
};

enum { STORE_BUCKETS = 1024 };

struct store {
    size_t count, kept_count;
    uint32_t tenures;                   /* how often a room came to be held; 0 is none */
    struct store_room *newest, *oldest; /* by last use */
    struct store_room *entered;         /* in a transaction; NULL: none */
    int lock_fd;                        /* rooms.lock; -1: not yet open */
    bool visit;                         /* the transaction asks nobody to let go of its room */
    bool locked;                        /* a room, to be made or deleted */
    unsigned char *blank;               /* what every room's file begins as; NULL: not yet made */
    size_t blank_len;
    int64_t complained_ms[SQL_FAILED + 1];
    struct store_room *bucket[STORE_BUCKETS];
};

/* How entering a transaction came out. Anything but STORE_ENTERED has left it again. */
enum store_entry {
    STORE_ENTERED,
    STORE_MISSING, /* no file */
    STORE_BLANK,   /* no row of a room: who made the file didn't come to its commit */
    STORE_CLOSED,  /* to be unlinked: closed, or who made the file wrote nothing into it */
    STORE_MOVED,   /* the connection's file is not the one at the path; the connection is closed */
    STORE_BROKEN,  /* not a database of ours */
    STORE_NEWER,
    STORE_FAILED, /* *problem says what */
};
/* What may be entered: STORE_BLANK too, to insert the room. */
enum store_lock { STORE_LOCK_READ, STORE_LOCK_WRITE, STORE_LOCK_EXCLUSIVE };

/* store.c. *out is set but for STORE_MISSING, STORE_MOVED and STORE_FAILED. */
enum store_entry store_enter(struct app *app, const char *room, enum store_lock lock,
                             struct store_room **out, struct problem *problem);
void store_entered(struct store_room *r); /* a transaction was begun by other means */
void store_drop(struct store_room *r);    /* close the connection, forget the room */
struct problem store_problem_busy(void);
struct problem store_problem_missing(void);
struct problem store_problem_ended(void);
struct problem store_problem_newer(void);
struct problem store_problem_refused(void);
/* The problem of a connection's error, after one line in the log where the operator should know. */
struct problem store_problem_sql(struct app *app, const char *room, enum sql_result result,
                                 int code);

/* store_keep.c */
enum {
    /* Transactions by nobody else, none a second after the one before, until a room is kept (who
     * makes it keeps it); twice as many after each time that somebody else asked for it. */
    STORE_KEEP_USES = 2,
    STORE_KEEP_UNUSED_MS = 1000,
};
/* A transaction has ended well; the second, that which made the room. */
void store_keep_if_alone(struct store_room *r);
void store_keep_made(struct store_room *r);
/* False: the connection had to be closed, and *r is gone. */
bool store_let_go(struct store_room *r);

/* store_recall.c. What is found is what stands in the file; false: read it. Whatever is read of a
 * room that isn't held is not recalled. */
void store_recall_nothing(struct store_room *r);
void store_recall_no_members(struct store_room *r); /* some are about to be changed */
bool store_recall_by_peer(const struct store_room *r, struct slice peer, struct member_row *out);
bool store_recall_by_key(const struct store_room *r, const uint8_t *hash, struct member_row *out);
/* `hash` of its key; NULL: not known. */
void store_recall_member(struct store_room *r, const struct member_row *row, const uint8_t *hash);
void store_recall_tally(struct store_room *r, const char *peer, const struct tally *t);
void store_recall_acked(struct store_room *r, const char *peer, int64_t acked);
bool store_recall_next_end(const struct store_room *r, int64_t *out);
void store_recall_set_next_end(struct store_room *r, int64_t next_end_ms);
bool store_recall_next_lease(const struct store_room *r, int64_t *out);
void store_recall_set_next_lease(struct store_room *r, int64_t next_lease_ms);
bool store_recall_oldest(const struct store_room *r, struct message_oldest *out);
void store_recall_set_oldest(struct store_room *r, const struct message_oldest *oldest);
void store_recall_no_oldest(struct store_room *r);

/* store_rows.c: run a statement that changes members in more than their counters and what they
 * acknowledged. Returns how many. */
int64_t store_change_members(struct store_room *r, enum store_statement st,
                             const struct sql_value *values, size_t count);

/* store_lock.c */
/* Keep makers and deleters off this room while it is being entered. False: *problem. */
bool store_guard(struct app *app, const char *room, struct problem *problem);
void store_unguard(struct app *app, const char *room);
/* Be the only one who may make, delete or rename this room's file. False: *problem, 503 busy where
 * another process is. */
bool store_lock_room(struct app *app, const char *room, struct problem *problem);
void store_unlock_room(struct app *app, const char *room);
/* Rooms of one lane are made and deleted one after the other. */
enum { STORE_LANES = 16 };
int store_lane(const char *room);
off_t store_lane_byte(int lane); /* of rooms.lock */
/* Count one more room, which is locked and about to be made: 503 busy where there are rooms_max.
 * And one less, or one that wasn't made after all. */
struct problem store_count_in(struct app *app, const char *room);
void store_count_out(const struct app *app);
/* Is this the name of a room's file? Of which one. */
bool store_is_room_file(const char *file, char room[ROOM_NAME_BYTES_MAX + 1]);
struct problem store_problem_errno(struct app *app, const char *room);

/* store_file.c */
void store_path(const struct app *app, const char *room, const char *suffix,
                char out[STORE_PATH_BYTES]);
/* Enter a room for writing, making it where there is none. */
struct problem store_make(struct app *app, const char *room, struct store_room **out);
/* The transaction that makes the room is over: count it, or remove its blank file. */
void store_made(struct store_room *r, bool committed);
/* Add what an older program didn't know. Found whole, it stays so; what is added now may still be
 * rolled back. */
void store_complete(struct store_room *r);
/* Read the room's row anew. */
void store_room_read(struct store_room *r);
/* store_rules.c: take the room's rules from their column. */
void store_rules_take(struct room_row *row, int64_t rules);
/* Move this room's broken file aside; r's connection is closed. 404, or 503 when that wasn't
 * possible. */
struct problem store_move_aside(struct store_room *r);

/* store_events.c. Of a room that is closed, which nobody may enter; the caller has it
 * locked. False: events wait that can't be moved now; after ten minutes they are given up. */
bool store_events_out(struct store_room *r);

#endif
