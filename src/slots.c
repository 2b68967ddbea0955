#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ident.h"
#include "log.h"

enum {
    SLOTS_MAX = 1000,
    QUEUE_LOCK_AT = SLOTS_MAX, /* the byte whose lock guards the queue */
    QUEUE_LOCK_TRIES = 40,
    QUEUE_LOCK_NAP_US = 250,
    QUEUE_ROWS = 128,      /* who finds no row is sent away without a turn of its own */
    QUEUE_SLACK_MS = 2000, /* how late one that waits may come and still have its turn */
    QUEUE_ROW_MS_MAX = 60000,
};

enum state { WAITING, KEPT, HOLDING };

/* Who wants or has a place. Times are CLOCK_BOOTTIME; rows that another boot wrote are out of
 * bounds or end within QUEUE_ROW_MS_MAX. */
struct row {
    uint64_t member;  /* 0: empty */
    int64_t since_ms; /* when it first asked, or when its turn began */
    int64_t until_ms; /* after that it has gone */
    int64_t state;    /* enum state */
};

struct queue {
    struct row rows[QUEUE_ROWS];
};

struct slots {
    int fd;
    bool told;            /* that locks fail */
    bool held[SLOTS_MAX]; /* by this process: its own locks never conflict */
};

struct slots *slots_open(const char *path)
{
    struct slots *s = calloc(1, sizeof *s);
    if (s != NULL) s->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (s == NULL || s->fd < 0) {
        log_event(LOG_LEVEL_WARNING, "slots-unusable", "reason=%s", strerror(errno));
        free(s);
        return NULL;
    }
    return s;
}

void slots_close(struct slots *s)
{
    if (s == NULL) return;
    close(s->fd);
    free(s);
}

static int set_lock(const struct slots *s, int slot, short type)
{
    struct flock byte = { .l_type = type, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1 };
    return fcntl(s->fd, F_OFD_SETLK, &byte) == 0 ? 0 : errno;
}

int slots_take(struct slots *s, int budget)
{
    for (int slot = 0; slot < budget && slot < SLOTS_MAX; slot++) {
        int fault = s->held[slot] ? EAGAIN : set_lock(s, slot, F_WRLCK);
        if (fault == 0) {
            s->held[slot] = true;
            return slot;
        }
        if (fault != EAGAIN && fault != EACCES) {
            if (!s->told)
                log_event(LOG_LEVEL_WARNING, "slots-unusable", "reason=%s", strerror(fault));
            s->told = true;
            return -1;
        }
    }
    return -1;
}

void slots_give(struct slots *s, int slot)
{
    if (slot < 0 || slot >= SLOTS_MAX || !s->held[slot]) return;
    set_lock(s, slot, F_UNLCK);
    s->held[slot] = false;
}

/* FNV-1a; peer ids are random. */
static uint64_t hash_of(const char *member)
{
    uint64_t hash = 14695981039346656037u;
    for (; *member != '\0'; member++) hash = (hash ^ (unsigned char)*member) * 1099511628211u;
    return hash == 0 ? 1 : hash;
}

/* Locked for a few microseconds at a time; whoever holds it for longer stands still. */
static bool lock_queue(const struct slots *s)
{
    for (int tries = 0; tries < QUEUE_LOCK_TRIES; tries++) {
        int fault = set_lock(s, QUEUE_LOCK_AT, F_WRLCK);
        if (fault == 0) return true;
        if (fault != EAGAIN && fault != EACCES) return false;
        usleep(QUEUE_LOCK_NAP_US);
    }
    return false;
}

static void read_queue(const struct slots *s, int64_t now_ms, struct queue *q)
{
    ssize_t n = pread(s->fd, q, sizeof *q, 0);
    if (n != (ssize_t)sizeof *q) memset(q, 0, sizeof *q);
    for (size_t i = 0; i < QUEUE_ROWS; i++) {
        const struct row *r = &q->rows[i];
        bool valid = r->member != 0 && r->since_ms <= now_ms && r->until_ms > now_ms &&
                     r->until_ms - now_ms <= QUEUE_ROW_MS_MAX;
        if (!valid) q->rows[i] = (struct row){ 0 };
    }
}

static bool is_held(const struct slots *s, int slot)
{
    struct flock byte = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1 };
    return s->held[slot] || (fcntl(s->fd, F_OFD_GETLK, &byte) == 0 && byte.l_type != F_UNLCK);
}

int slots_held(const struct slots *s, int from, int end)
{
    int held = 0;
    for (int slot = from; slot < end && slot < SLOTS_MAX; slot++) held += is_held(s, slot);
    return held;
}

/* The row of `member`, or an empty one; NULL: there is none. */
static struct row *find_row(struct queue *q, uint64_t member)
{
    struct row *empty = NULL;
    for (size_t i = 0; i < QUEUE_ROWS; i++) {
        if (q->rows[i].member == member) return &q->rows[i];
        if (empty == NULL && q->rows[i].member == 0) empty = &q->rows[i];
    }
    return empty;
}

/* How many come before `member`: places kept for others and, where it isn't its turn, who has
 * waited longer. */
static int count_before(const struct queue *q, uint64_t member, bool has_turn, int64_t since_ms)
{
    int before = 0;
    for (size_t i = 0; i < QUEUE_ROWS; i++) {
        const struct row *r = &q->rows[i];
        bool earlier = r->since_ms < since_ms || (r->since_ms == since_ms && r->member < member);
        if (r->member != 0 && r->member != member)
            before += r->state == KEPT || (r->state == WAITING && !has_turn && earlier);
    }
    return before;
}

/* A quarter more or less than what the number of those before it asks for. */
static int64_t draw_retry_ms(int before, int64_t most_ms)
{
    uint16_t draw = 0;
    ident_random(&draw, sizeof draw);
    int64_t ms = SLOTS_RETRY_MS + (int64_t)before * SLOTS_RETRY_EACH_MS;
    if (ms > SLOTS_RETRY_MS_MAX) ms = SLOTS_RETRY_MS_MAX;
    ms = ms * 3 / 4 + ms / 2 * draw / UINT16_MAX;
    return ms < most_ms ? ms : most_ms > 0 ? most_ms : 1;
}

/* What is written down of an answer. */
static struct row answered(const struct slots_ask *ask, uint64_t member, int64_t since_ms,
                           int64_t retry_ms)
{
    struct row row = { .member = member, .since_ms = since_ms, .state = WAITING };
    row.until_ms = ask->now_ms + retry_ms + QUEUE_SLACK_MS;
    if (retry_ms == 0 && ask->here) {
        row.state = HOLDING;
        row.until_ms = ask->now_ms + QUEUE_ROW_MS_MAX;
    } else if (retry_ms == 0) {
        row.state = KEPT;
        row.until_ms = ask->now_ms + SLOTS_KEEP_MS;
    }
    return row;
}

int64_t slots_ask(struct slots *s, const struct slots_ask *ask, int *slot)
{
    struct queue q;
    *slot = -1;
    if (s == NULL || ask->places <= 0 || !lock_queue(s))
        return draw_retry_ms(QUEUE_ROWS, ask->retry_most_ms);
    read_queue(s, ask->now_ms, &q);
    uint64_t member = hash_of(ask->member);
    struct row *own = find_row(&q, member);
    struct row was = { 0 };
    if (own != NULL) was = *own;
    bool known = was.member == member;
    bool waited = known && was.state == WAITING;
    bool has_turn = known && !waited && ask->now_ms - was.since_ms < SLOTS_TURN_MS;
    int64_t since_ms = waited || has_turn ? was.since_ms : ask->now_ms;
    int before = count_before(&q, member, has_turn, since_ms);
    /* One more for who takes over, until the older poll has ended a moment later. */
    int most = ask->places + 1;
    int held = slots_held(s, 0, most);
    bool place = ask->newer ? held < most : held + before < ask->places;
    if (place && ask->here) place = (*slot = slots_take(s, most)) >= 0;
    int64_t retry_ms = place ? 0 : draw_retry_ms(before, ask->retry_most_ms);
    if (place && waited) since_ms = ask->now_ms; /* its turn begins */
    if (own != NULL) *own = answered(ask, member, since_ms, retry_ms);
    ssize_t written = pwrite(s->fd, &q, sizeof q, 0);
    set_lock(s, QUEUE_LOCK_AT, F_UNLCK);
    if (written != (ssize_t)sizeof q && !s->told) {
        log_event(LOG_LEVEL_WARNING, "slots-unusable", "reason=%s", strerror(errno));
        s->told = true;
    }
    return retry_ms;
}
