/* fstype: what kind of file system something lies on, by the magic number of statfs(2). */
#ifndef KLATCH_FSTYPE_H
#define KLATCH_FSTYPE_H

#include <stdbool.h>
#include <stdint.h>

struct fstype {
    uint32_t magic;
    const char *name; /* "nfs" */
    bool remote;      /* other machines may have it too: they hear no futex, map other pages, and
                         stat may be stale */
    bool in_memory;   /* gone at a restart */
};

/* Never NULL: one that is not known is "other", and local. */
const struct fstype *fstype_find(uint32_t magic);

#endif
