/* bell: a small file mapped by every process, that says "there is mail, look again".
 *
 * Goals: wake the waiters of a room in another process within a fraction of a millisecond, without
 * a daemon, a lock or a message. Non-goals: it carries no mail and promises nothing; a spurious
 * ring is harmless and a lost one costs a re-check. Atomics only; no process can block another.
 *
 * Layout: magic, version, size, boot id; a global word (futex, one up for each ring); the last 256
 * buckets rung; of each of 16,384 room buckets how often it was rung and asked for, and who
 * listens; 65,536 owner words that tell across processes which of a member's polls is the newest.
 * Made under a temporary name with posix_fallocate, then link(2), so that nobody maps half a file;
 * made anew when its boot id is not this boot's. A file that was truncated or replaced under us is
 * noticed (bell_alive()), never a crash: every access is guarded against SIGBUS as far as the
 * design says (map again, or timers alone). */
#ifndef KLATCH_BELL_H
#define KLATCH_BELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BELL_BUCKETS = 16384, BELL_RECENT = 256, BELL_EARS = 31 };

struct bell;

/* Map `path`, making it where needed. NULL: not possible (file system, quota); log says why. */
struct bell *bell_open(const char *path, const char *boot_id);
void bell_close(struct bell *b); /* joins the watch thread */

uint32_t bell_bucket(const char *room); /* 0..BELL_BUCKETS-1, the same in every process */
/* Wake the processes that listen to this bucket, but not this one. */
void bell_ring(struct bell *b, uint32_t bucket);
/* Ring, and ask whoever keeps a room of this bucket locked to let go of it. */
void bell_ask(struct bell *b, uint32_t bucket);

/* From now on rings of this bucket wake this process. True: they didn't before, so look once for
 * what was rung until now. */
bool bell_listen(struct bell *b, uint32_t bucket);
/* Nothing of this bucket matters here any more. */
void bell_ignore(struct bell *b, uint32_t bucket);

/* The global word now. */
uint32_t bell_now(const struct bell *b);
/* Which buckets were rung since *seen (then set to now)? Fills `out` (BELL_RECENT entries) and
 * returns their count; SIZE_MAX: more than can be told, look at every bucket. `others`: leave out
 * what this process rang itself, which it knows. */
size_t bell_since(struct bell *b, uint32_t *seen, bool others, uint32_t out[BELL_RECENT]);

/* How often this bucket was rung; wraps. Who keeps the number need not look at a room where
 * bell_since() says "every bucket" and the number is the same. */
uint32_t bell_rung(const struct bell *b, uint32_t bucket);
/* How often it was asked for; wraps. */
uint32_t bell_asked(const struct bell *b, uint32_t bucket);

/* Wait until the global word differs from `seen` or timeout_ms passed. For the plain CGI poll,
 * which listens to its bucket before it looks. True: rung. False: not yet; a signal ends the wait
 * early. */
bool bell_wait(struct bell *b, uint32_t seen, int64_t timeout_ms);
/* Start the one thread that waits on the global word and adds 1 to `event_fd` when it starts and at
 * rings of other processes for buckets that this one listens to; it begins with none. `ear`
 * 0..BELL_EARS-1 is this process's alone among all that map the file; -1: it has none, and is woken
 * for what any other without one listens to.
 * False: no thread; the caller goes on with timers. */
bool bell_watch(struct bell *b, int event_fd, int ear);

/* Is the file at the path still the one we have mapped, whole and of this boot? Two system calls;
 * called by a timer. When false, the caller closes and opens anew. */
bool bell_alive(const struct bell *b);

/* A poll of `peer` arrives; claim to be its newest. turn -1: none given, later wins; of two equal
 * turns too. Turns may wrap at 2^30; two of one member are never half of that apart. Returns the
 * ticket to ask with. *superseded: a newer turn was here already, so this one is the stale one.
 * *elsewhere: an older poll of this member may be parked in some process, so ring its bucket. */
uint64_t bell_owner_claim(struct bell *b, const char *peer, int64_t turn, bool *superseded,
                          bool *elsewhere);
/* Does the word of `peer` tell of it, rather than of another member that came over it or nobody? */
bool bell_owner_told(const struct bell *b, const char *peer);
/* Is `ticket` still the newest poll of `peer`, as far as can be told? (A word that another member
 * overwrote tells nothing: true.) */
bool bell_owner_newest(const struct bell *b, const char *peer, uint64_t ticket);
/* The poll with this ticket is over and no longer parked anywhere. */
void bell_owner_release(struct bell *b, const char *peer, uint64_t ticket);
/* `peer` has a new key, for which turns are counted anew: the next claim wins with whatever turn,
 * and no ticket given out before is the newest. The caller rings the room's bucket. */
void bell_owner_restart(struct bell *b, const char *peer);

#endif
