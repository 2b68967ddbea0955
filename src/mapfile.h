/* mapfile: a small file of fixed size that processes share by mapping it; under bell and rates.
 *
 * Made under a temporary name with posix_fallocate, so that a full disk is told now and not by a
 * fault later, then link(2), so that nobody maps half a file. One of another boot, of an older
 * version or of the wrong size is replaced while its own bytes are locked: two processes never
 * replace each other's new file. Never on a network or FUSE file system, where a mapping is not
 * shared with other hosts. Mode 0600, no links followed.
 *
 * A file cut short under a mapping would end the process by SIGBUS. The handler installed here
 * puts zeroed private pages in its place: the access goes on, and mapfile_alive() says false. */
#ifndef KLATCH_MAPFILE_H
#define KLATCH_MAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAPFILE_KIND_BYTES = 16, MAPFILE_KEY_BYTES = 16 };

/* What every such file begins with. */
struct mapfile_head {
    char kind[MAPFILE_KIND_BYTES];
    uint32_t version, bytes;
    char boot_id[40];
    uint8_t key[MAPFILE_KEY_BYTES]; /* random, drawn with the file */
};

struct mapfile_kind {
    const char *name; /* "bell"; shorter than MAPFILE_KIND_BYTES */
    uint32_t version; /* another layout needs another one */
    uint32_t bytes;   /* the whole file, head and all */
};

struct mapfile;

/* Map `path`, making it where needed; what is behind the head starts as zeros. NULL: not possible;
 * log says why. Called by one thread. */
struct mapfile *mapfile_open(const char *path, const struct mapfile_kind *kind, const char *boot_id)
    __attribute__((warn_unused_result));
void mapfile_close(struct mapfile *m);
/* The mapped bytes, head first. */
void *mapfile_at(const struct mapfile *m);
/* Is the file at the path still the one that is mapped, and whole? */
bool mapfile_alive(const struct mapfile *m);

#endif
