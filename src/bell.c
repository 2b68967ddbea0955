#include "bell.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "mapfile.h"

enum {
    OWNERS = 65536,
    TRIES_MAX = 64, /* of a compare-and-swap: so often was another process faster */
    WATCH_STACK_BYTES = 131072,
    WATCH_LOOK_MS =
        1000, /* a file cut short moves the word: whoever sleeps on the old one looks up */
    JOIN_LOOK_MS = 1,
    /* futex(2), without FUTEX_PRIVATE_FLAG: sleepers are in other processes */
    FUTEX_WAKE_SHARED = 1,
    FUTEX_WAIT_BITSET_SHARED = 9,
    FUTEX_WAKE_BITSET_SHARED = 10,
};
#define SHARED_EAR (UINT32_C(1) << BELL_EARS) /* of all who have none of their own */

struct bell_file {
    struct mapfile_head head;
    alignas(64) _Atomic uint32_t global;
    alignas(
        64) _Atomic uint64_t recent[BELL_RECENT]; /* ring n at n % 256: n + 1, then its bucket */
    _Atomic uint32_t rung[BELL_BUCKETS], asked[BELL_BUCKETS];
    _Atomic uint32_t listeners[BELL_BUCKETS]; /* a bit for each ear */
    _Atomic uint64_t owners[OWNERS];
};

_Static_assert(sizeof(_Atomic uint32_t) == 4 && ATOMIC_INT_LOCK_FREE == 2, "a futex word");
_Static_assert(sizeof(_Atomic uint64_t) == 8 && ATOMIC_LLONG_LOCK_FREE == 2, "shared by processes");

struct bell {
    struct mapfile *map;
    struct bell_file *file;
    pthread_t watcher;
    bool watching;
    int event_fd;
    uint32_t ear; /* the bit that this process listens and its watch thread sleeps with */
    _Atomic bool stop;
    _Atomic uint32_t known; /* every ring before this number was this process's own or was heard */
    _Atomic uint32_t own[BELL_RECENT]; /* of the last rings of this process: its number + 1 */
};

/* FNV-1a, its bits mixed again (as in MurmurHash3), since the ends of names differ most. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text != '\0'; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
    return hash ^ hash >> 33;
}

struct bell *bell_open(const char *path, const char *boot_id)
{
    static const struct mapfile_kind kind = { "bell", 2, sizeof(struct bell_file) };
    struct bell *b = calloc(1, sizeof *b);
    if (b != NULL) b->map = mapfile_open(path, &kind, boot_id);
    if (b == NULL || b->map == NULL) {
        free(b);
        return NULL;
    }
    b->file = mapfile_at(b->map);
    b->ear = SHARED_EAR;
    return b;
}

bool bell_alive(const struct bell *b)
{
    return mapfile_alive(b->map);
}

uint32_t bell_bucket(const char *room)
{
    return (uint32_t)(hash_of(room) % BELL_BUCKETS);
}

static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *timeout, uint32_t ears)
{
    return syscall(SYS_futex, word, operation, value, timeout, NULL, ears);
}

void bell_ring(struct bell *b, uint32_t bucket)
{
    atomic_fetch_add(&b->file->rung[bucket % BELL_BUCKETS], 1);
    uint32_t number = atomic_fetch_add(&b->file->global, 1);
    uint32_t expected = number;
    atomic_store(&b->own[number % BELL_RECENT], number + 1);
    (void)atomic_compare_exchange_strong(&b->known, &expected, number + 1);
    atomic_store(&b->file->recent[number % BELL_RECENT],
                 (uint64_t)(number + 1) << 32 | bucket % BELL_BUCKETS);
    uint32_t ears = atomic_load(&b->file->listeners[bucket % BELL_BUCKETS]);
    if (b->ear != SHARED_EAR) ears &= ~b->ear;
    if (ears != 0) futex(&b->file->global, FUTEX_WAKE_BITSET_SHARED, INT_MAX, NULL, ears);
}

void bell_ask(struct bell *b, uint32_t bucket)
{
    atomic_fetch_add(&b->file->asked[bucket % BELL_BUCKETS], 1);
    bell_ring(b, bucket);
}

bool bell_listen(struct bell *b, uint32_t bucket)
{
    uint32_t before = atomic_fetch_or(&b->file->listeners[bucket % BELL_BUCKETS], b->ear);
    return (before & b->ear) == 0;
}

void bell_ignore(struct bell *b, uint32_t bucket)
{
    _Atomic uint32_t *listeners = &b->file->listeners[bucket % BELL_BUCKETS];
    if (b->ear != SHARED_EAR && (atomic_load(listeners) & b->ear) != 0)
        atomic_fetch_and(listeners, ~b->ear);
}

/* Whoever had this ear before may have died listening. */
static void ignore_all(struct bell *b)
{
    for (uint32_t bucket = 0; bucket < BELL_BUCKETS; bucket++) bell_ignore(b, bucket);
}

uint32_t bell_now(const struct bell *b)
{
    return atomic_load(&b->file->global);
}

uint32_t bell_rung(const struct bell *b, uint32_t bucket)
{
    return atomic_load(&b->file->rung[bucket % BELL_BUCKETS]);
}

uint32_t bell_asked(const struct bell *b, uint32_t bucket)
{
    return atomic_load(&b->file->asked[bucket % BELL_BUCKETS]);
}

/* `number`, or a later one before which there is nothing new. */
static uint32_t skip_known(const struct bell *b, uint32_t number)
{
    uint32_t known = atomic_load(&b->known);
    return (int32_t)(known - number) > 0 ? known : number;
}

static bool is_own(const struct bell *b, uint32_t number)
{
    return atomic_load(&b->own[number % BELL_RECENT]) == number + 1;
}

size_t bell_since(struct bell *b, uint32_t *seen, bool others, uint32_t out[BELL_RECENT])
{
    uint64_t told[BELL_BUCKETS / 64] = { 0 };
    uint32_t first = others ? skip_known(b, *seen) : *seen, now = bell_now(b);
    size_t count = 0;
    *seen = now;
    if (others) atomic_store(&b->known, now);
    if ((int32_t)(now - first) <= 0) return 0; /* rung by this process since */
    if (now - first > BELL_RECENT) return SIZE_MAX;
    for (uint32_t number = first; number != now; number++) {
        if (others && is_own(b, number)) continue;
        uint64_t entry = atomic_load(&b->file->recent[number % BELL_RECENT]);
        /* Overwritten, or counted by a ringer that has not got to write it, perhaps never will. */
        if (entry >> 32 != (uint32_t)(number + 1)) return SIZE_MAX;
        uint32_t bucket = (uint32_t)entry % BELL_BUCKETS;
        uint64_t bit = UINT64_C(1) << bucket % 64;
        if ((told[bucket / 64] & bit) == 0) out[count++] = bucket;
        told[bucket / 64] |= bit;
    }
    return count;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Sleep until the word may differ from `seen`. False: cut short by a signal. */
static bool sleep_on(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ms, uint32_t ear)
{
    int64_t end_ms =
        monotonic_ms() + timeout_ms; /* this futex operation takes a time, not a span */
    struct timespec end = { .tv_sec = (time_t)(end_ms / 1000),
                            .tv_nsec = (long)(end_ms % 1000) * 1000000 };
    if (futex(word, FUTEX_WAIT_BITSET_SHARED, seen, &end, ear) == 0 || errno == EAGAIN ||
        errno == ETIMEDOUT)
        return true;
    if (errno == EINTR) return false;
    /* Nothing to sleep on (the file is gone under us): the caller's timers go on, unhurried. */
    return poll(NULL, 0, timeout_ms > WATCH_LOOK_MS ? WATCH_LOOK_MS : (int)timeout_ms) == 0;
}

bool bell_wait(struct bell *b, uint32_t seen, int64_t timeout_ms)
{
    int64_t end_ms = monotonic_ms() + timeout_ms;
    while (bell_now(b) == seen && timeout_ms > 0) {
        if (!sleep_on(&b->file->global, seen, timeout_ms, b->ear)) break;
        timeout_ms = end_ms - monotonic_ms();
    }
    return bell_now(b) != seen;
}

static void *watch(void *bell)
{
    struct bell *b = bell;
    const uint64_t one = 1;
    uint32_t seen = bell_now(b);
    ssize_t written = write(b->event_fd, &one, sizeof one); /* rung before we looked: look once */
    while (!b->stop && written >= 0) {
        uint32_t now = bell_now(b);
        if (now == seen) {
            sleep_on(&b->file->global, seen, WATCH_LOOK_MS, b->ear);
            continue;
        }
        seen = skip_known(b, seen);
        if ((int32_t)(now - seen) <= 0) continue;
        bool own = now - seen <= BELL_RECENT;
        for (; own && seen != now; seen++) own = is_own(b, seen);
        seen = now;
        if (own) continue;
        do written = write(b->event_fd, &one, sizeof one);
        while (written < 0 && errno == EINTR);
    }
    return NULL;
}

bool bell_watch(struct bell *b, int event_fd, int ear)
{
    pthread_attr_t attributes;
    sigset_t blocked, before;
    if (b->watching) return false;
    b->event_fd = event_fd;
    b->ear = ear >= 0 && ear < BELL_EARS ? UINT32_C(1) << ear : SHARED_EAR;
    ignore_all(b);
    b->known = bell_now(b);
    b->stop = false;
    /* Signals are the loop's; but those of a fault must find their handler in this thread. */
    sigfillset(&blocked);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGFPE);
    int fault = pthread_attr_init(&attributes);
    if (fault == 0) {
        pthread_attr_setstacksize(&attributes, WATCH_STACK_BYTES);
        pthread_sigmask(SIG_SETMASK, &blocked, &before);
        fault = pthread_create(&b->watcher, &attributes, watch, b);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    b->watching = fault == 0;
    if (!b->watching) log_event(LOG_LEVEL_WARNING, "bell-unwatched", "reason=%s", strerror(fault));
    return b->watching;
}

/* Wake the thread until it has seen the flag: a wake between its look and its sleep is lost. */
static void stop_watching(struct bell *b)
{
    struct timespec until;
    b->stop = true;
    do {
        futex(&b->file->global, FUTEX_WAKE_SHARED, INT_MAX, NULL, 0);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += JOIN_LOOK_MS * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
    } while (pthread_timedjoin_np(b->watcher, NULL, &until) == ETIMEDOUT);
    b->watching = false;
}

void bell_close(struct bell *b)
{
    if (b == NULL) return;
    if (b->watching) stop_watching(b);
    mapfile_close(b->map);
    free(b);
}

/* An owner word, from the top: the member's tag (24 bits), parked (1), has a turn (1), arrival
 * counter (8), turn (30). A ticket is the word as its poll wrote it. */
#define OWNER_PARKED    (UINT64_C(1) << 39)
#define OWNER_HAS_TURN  (UINT64_C(1) << 38)
#define OWNER_TAG_SHIFT 40
#define ARRIVAL_SHIFT   30
#define ARRIVAL_MASK    (UINT64_C(0xff) << ARRIVAL_SHIFT)
#define TURN_MASK       ((UINT64_C(1) << ARRIVAL_SHIFT) - 1)

static _Atomic uint64_t *owner_word(const struct bell *b, uint64_t hash)
{
    return &b->file->owners[hash % OWNERS];
}

static bool same_member(uint64_t word, uint64_t hash)
{
    return word != 0 && word >> OWNER_TAG_SHIFT == hash >> OWNER_TAG_SHIFT;
}

/* The next arrival of this member over `word`, its turn not set. The counter goes on across
 * members, so that a member that was overwritten and comes back never gets its old word again. */
static uint64_t next_word(uint64_t word, uint64_t hash)
{
    uint64_t arrival = (word + (UINT64_C(1) << ARRIVAL_SHIFT)) & ARRIVAL_MASK;
    return (hash >> OWNER_TAG_SHIFT << OWNER_TAG_SHIFT) | arrival;
}

/* Is turn `a` before `b`? Within half of their range, as serial numbers are (RFC 1982). */
static bool turn_before(uint64_t a, uint64_t b)
{
    uint64_t ahead = (b - a) & TURN_MASK;
    return ahead != 0 && ahead <= TURN_MASK / 2;
}

uint64_t bell_owner_claim(struct bell *b, const char *peer, int64_t turn, bool *superseded,
                          bool *elsewhere)
{
    uint64_t hash = hash_of(peer);
    _Atomic uint64_t *at = owner_word(b, hash);
    uint64_t before = atomic_load(at), mine = 0;
    bool claimed = false;
    *superseded = false;
    for (int i = 0; i < TRIES_MAX && !claimed; i++) {
        mine = next_word(before, hash) | OWNER_PARKED;
        if (turn >= 0) mine |= OWNER_HAS_TURN | ((uint64_t)turn & TURN_MASK);
        *superseded = same_member(before, hash) && (before & mine & OWNER_HAS_TURN) != 0 &&
                      turn_before(mine & TURN_MASK, before & TURN_MASK);
        if (*superseded) break;
        claimed = atomic_compare_exchange_weak(at, &before, mine);
    }
    if (!claimed && !*superseded) before = atomic_exchange(at, mine);
    /* Another member's word may have covered one of this one's parked polls. */
    *elsewhere =
        !*superseded && before != 0 && (!same_member(before, hash) || (before & OWNER_PARKED) != 0);
    return mine;
}

bool bell_owner_told(const struct bell *b, const char *peer)
{
    uint64_t hash = hash_of(peer);
    return same_member(atomic_load(owner_word(b, hash)), hash);
}

bool bell_owner_newest(const struct bell *b, const char *peer, uint64_t ticket)
{
    uint64_t hash = hash_of(peer);
    uint64_t word = atomic_load(owner_word(b, hash));
    return !same_member(word, hash) || ((word ^ ticket) & ~OWNER_PARKED) == 0;
}

void bell_owner_release(struct bell *b, const char *peer, uint64_t ticket)
{
    uint64_t parked = ticket | OWNER_PARKED;
    atomic_compare_exchange_strong(owner_word(b, hash_of(peer)), &parked, ticket & ~OWNER_PARKED);
}

void bell_owner_restart(struct bell *b, const char *peer)
{
    uint64_t hash = hash_of(peer);
    _Atomic uint64_t *at = owner_word(b, hash);
    uint64_t word = atomic_load(at);
    for (int i = 0; i < TRIES_MAX && same_member(word, hash); i++) {
        uint64_t fresh = next_word(word, hash) | (word & OWNER_PARKED);
        if (atomic_compare_exchange_weak(at, &word, fresh)) return;
    }
}
