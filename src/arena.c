#include "arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES_MIN = 4096, CHUNK_BYTES_MAX = 65536, ALIGNMENT = alignof(max_align_t) };

struct chunk {
    struct chunk *older;
    size_t used, room;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct chunk *newest;
    size_t given, max;
};

struct arena *arena_new(size_t bytes_max)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a != NULL) a->max = bytes_max;
    return a;
}

static void free_down_to(struct arena *a, const struct chunk *kept)
{
    while (a->newest != kept) {
        struct chunk *older = a->newest->older;
        free(a->newest);
        a->newest = older;
    }
}

void arena_free(struct arena *a)
{
    if (a == NULL) return;
    free_down_to(a, NULL);
    free(a);
}

void arena_reset(struct arena *a)
{
    struct chunk *first = a->newest;
    while (first != NULL && first->older != NULL) first = first->older;
    free_down_to(a, first);
    if (first != NULL) first->used = 0;
    a->given = 0;
}

struct arena_mark arena_mark(const struct arena *a)
{
    size_t used = a->newest == NULL ? 0 : a->newest->used;
    return (struct arena_mark){ a->newest, used, a->given };
}

void arena_back(struct arena *a, const struct arena_mark *mark)
{
    free_down_to(a, mark->newest);
    if (a->newest != NULL) a->newest->used = mark->used;
    a->given = mark->given;
}

static bool add_chunk(struct arena *a, size_t bytes)
{
    size_t room = a->newest == NULL ? CHUNK_BYTES_MIN : a->newest->room * 2;
    if (room > CHUNK_BYTES_MAX) room = CHUNK_BYTES_MAX;
    if (room < bytes) room = bytes;
    struct chunk *c = malloc(sizeof *c + room);
    if (c == NULL) return false;
    c->older = a->newest;
    c->used = 0;
    c->room = room;
    a->newest = c;
    return true;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    size_t left = a->max - a->given;
    if (bytes > left) return NULL;
    size_t taken = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (taken > left) return NULL;
    if ((a->newest == NULL || taken > a->newest->room - a->newest->used) && !add_chunk(a, taken))
        return NULL;
    void *out = a->newest->bytes + a->newest->used;
    a->newest->used += taken;
    a->given += taken;
    return memset(out, 0, taken);
}

char *arena_copy(struct arena *a, const void *at, size_t len)
{
    if (len == SIZE_MAX) return NULL;
    char *out = arena_alloc(a, len + 1);
    if (out != NULL && len > 0) memcpy(out, at, len);
    return out;
}
