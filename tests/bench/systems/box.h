/* box: the floors' mailboxes: what waits for an addressee, or who waits for it. Bytes go in and
 * come out as they are; no ids, no cursor, no lease, nothing on a disk. */
#ifndef BENCH_BOX_H
#define BENCH_BOX_H

#include <stddef.h>

enum { BOXES = 64 * 32768, HOLD_MS = 25000 };

struct box {
    void *waiter;
    char *mail;
    size_t len, cap;
};

/* The box that the query names as `to=` or `me=`; NULL when there is none. */
struct box *box_find(struct box *boxes, const char *query);
void box_add(struct box *b, const char *at, size_t len);
/* Empty it; keeps the memory of a small one for the next message. */
void box_empty(struct box *b);

#endif
