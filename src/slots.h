/* slots: the budget of held polls across processes, where each costs a process of the web server.
 *
 * A slot is an OFD lock (fcntl F_OFD_SETLK) on one byte of a file; the kernel gives it back when
 * its holder dies, however it dies. The file's content says who wants a place and who had one when:
 * who has waited longest gets the next one, and who has one keeps it, from poll to poll, until its
 * turn is over and somebody waits. It is read and written under a lock of its own, and its rows end
 * by themselves, so that nobody who went away is waited for.
 *
 * A member is never told to go to where polls are held unless a place is kept for it there: a web
 * server that finds all its processes busy lets a request wait for a second and more. */
#ifndef KLATCH_SLOTS_H
#define KLATCH_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SLOTS_KEEP_MS = 2000,      /* how long a place is kept for who was told that there is one */
    SLOTS_TURN_MS = 20000,     /* how long one may have a place while others wait */
    SLOTS_RETRY_MS = 1000,     /* how long who waits is sent away, with nobody before it … */
    SLOTS_RETRY_EACH_MS = 100, /* … and for each that is before it … */
    SLOTS_RETRY_MS_MAX = 3000, /* … up to this. A quarter more or less is drawn. */
};

struct slots;

struct slots *slots_open(const char *path); /* NULL after a log line */
void slots_close(struct slots *s);
/* A free slot below `budget`, or -1: all are taken. One process may hold several. Knows no queue.
 */
int slots_take(struct slots *s, int budget);
void slots_give(struct slots *s, int slot);
/* How many from `from` up to below `end` are taken, by whoever. */
int slots_held(const struct slots *s, int from, int end);

struct slots_ask {
    const char *member; /* peer id */
    int places;         /* how many may be held */
    bool here;          /* hold it here; else a place is kept for SLOTS_KEEP_MS */
    bool newer;         /* it ends an older poll of the same member, and takes over that place */
    int64_t retry_most_ms;
    int64_t now_ms;
};

/* Ask for a place. 0: there is one; with `here` *slot is it. Above 0: none, or others have waited
 * longer; ask again after so many ms (with a draw in it). `s` may be NULL: never a place. */
int64_t slots_ask(struct slots *s, const struct slots_ask *ask, int *slot);

#endif
