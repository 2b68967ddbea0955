/* arena: memory of one request, freed at once. Grows in chunks up to a hard cap. */
#ifndef KLATCH_ARENA_H
#define KLATCH_ARENA_H

#include <stddef.h>

struct arena;
struct chunk;

/* An arena that hands out at most `bytes_max` in all. NULL when memory is out. */
struct arena *arena_new(size_t bytes_max) __attribute__((warn_unused_result));
void arena_free(struct arena *a); /* NULL is fine */
/* Forget everything given out; keeps the first chunk for the next request. */
void arena_reset(struct arena *a);
/* Forget what was given out since the mark was taken. */
struct arena_mark {
    struct chunk *newest;
    size_t used, given;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_back(struct arena *a, const struct arena_mark *mark);

/* `bytes` zeroed bytes aligned for any object. NULL: over the cap or memory is out. */
void *arena_alloc(struct arena *a, size_t bytes) __attribute__((warn_unused_result));
/* A copy with a NUL behind it. NULL as arena_alloc(). */
char *arena_copy(struct arena *a, const void *at, size_t len) __attribute__((warn_unused_result));

#endif
