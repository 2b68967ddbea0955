#include "store_mem.h"

#include <limits.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    CHUNK_BYTES = 262144, /* of addresses; memory is what was touched */
    BLOCK_BYTES = 16384,  /* larger ones are malloc()'s */
    STEP_BYTES = 16,      /* between the sizes of small blocks … */
    SMALL_BYTES = 512,    /* … up to this; above, an eighth of the power of two below */
    SMALL_CLASSES = SMALL_BYTES / STEP_BYTES,
    CLASSES = SMALL_CLASSES + 8 * 5,
};

struct chunk {
    struct chunk *older;
    char bytes[CHUNK_BYTES - sizeof(struct chunk *)];
};

struct store_heap {
    struct chunk *newest;
    size_t used; /* of the newest chunk */
    size_t live; /* blocks */
    bool closed;
    struct block *given_back[CLASSES];
};

/* Before each block that SQLite has. */
struct block {
    struct store_heap *heap; /* NULL: malloc()'s */
    union {
        size_t size;        /* while it is SQLite's … */
        struct block *next; /* … and in its class while it isn't */
    };
};
_Static_assert(sizeof(struct block) == 16, "what follows a block is aligned as malloc() does it");

static struct store_heap *current;

static size_t class_of(size_t size, size_t *rounded)
{
    if (size <= SMALL_BYTES) {
        size_t class = size == 0 ? 0 : (size - 1) / STEP_BYTES;
        *rounded = (class + 1) * STEP_BYTES;
        return class;
    }
    size_t octave = 0, step = SMALL_BYTES / 8;
    for (; (size_t)SMALL_BYTES << (octave + 1) < size; octave++) step *= 2;
    size_t eighth = (size - 1) / step - 8;
    *rounded = (eighth + 9) * step;
    return SMALL_CLASSES + 8 * octave + eighth;
}

static int roundup(int bytes)
{
    size_t rounded = (size_t)bytes;
    if (bytes <= BLOCK_BYTES)
        (void)class_of(rounded, &rounded);
    else
        rounded = (rounded + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    return rounded > INT_MAX ? bytes : (int)rounded;
}

static struct block *fresh(struct store_heap *h, size_t bytes)
{
    if (h->newest == NULL || bytes > sizeof h->newest->bytes - h->used) {
        struct chunk *c =
            mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (c == MAP_FAILED) return NULL;
        c->older = h->newest;
        h->newest = c;
        h->used = STEP_BYTES - sizeof c->older; /* so that blocks are aligned */
    }
    struct block *b = (struct block *)(void *)(h->newest->bytes + h->used);
    h->used += bytes;
    return b;
}

static void *take(int bytes)
{
    struct store_heap *h = bytes <= BLOCK_BYTES ? current : NULL;
    size_t rounded = (size_t)roundup(bytes), class = 0;
    if (h != NULL) class = class_of(rounded, &rounded);
    struct block *b = h != NULL ? h->given_back[class] : malloc(sizeof *b + rounded);
    if (h != NULL && b != NULL)
        h->given_back[class] = b->next;
    else if (h != NULL)
        b = fresh(h, sizeof *b + rounded);
    if (b == NULL) return NULL;
    if (h != NULL) h->live++;
    b->heap = h;
    b->size = rounded;
    return b + 1;
}

static void unmap(struct store_heap *h)
{
    for (struct chunk *c = h->newest, *older; c != NULL; c = older) {
        older = c->older;
        munmap(c, sizeof *c);
    }
    free(h);
}

static void give(void *at)
{
    if (at == NULL) return;
    struct block *b = (struct block *)at - 1;
    struct store_heap *h = b->heap;
    if (h == NULL) {
        free(b);
        return;
    }
    size_t rounded, class = class_of(b->size, &rounded);
    b->next = h->given_back[class];
    h->given_back[class] = b;
    h->live--;
    if (h->closed && h->live == 0) unmap(h);
}

static int size_of(void *at)
{
    return at == NULL ? 0 : (int)((struct block *)at - 1)->size;
}

static void *change(void *at, int bytes)
{
    int had = size_of(at);
    if (roundup(bytes) == had) return at;
    void *to = take(bytes);
    if (to == NULL) return NULL;
    memcpy(to, at, (size_t)(had < bytes ? had : bytes));
    give(at);
    return to;
}

static int start(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void end(void *unused)
{
    (void)unused;
}

bool store_mem_configure(void)
{
    static sqlite3_mem_methods methods = {
        .xMalloc = take,
        .xFree = give,
        .xRealloc = change,
        .xSize = size_of,
        .xRoundup = roundup,
        .xInit = start,
        .xShutdown = end,
    };
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}

struct store_heap *store_mem_open(void)
{
    return calloc(1, sizeof(struct store_heap));
}

void store_mem_close(struct store_heap *h)
{
    if (h == NULL) return;
    if (current == h) current = NULL;
    h->closed = true;
    if (h->live == 0) unmap(h);
}

void store_mem_use(struct store_heap *h)
{
    current = h;
}
