#include "slab.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What was given back is nobody's, as the sanitizer is told. */
#ifdef __SANITIZE_ADDRESS__
void __asan_poison_memory_region(void const volatile *at, size_t len);
void __asan_unpoison_memory_region(void const volatile *at, size_t len);
#define CLOSE(at, len) __asan_poison_memory_region(at, len)
#define OPEN(at, len)  __asan_unpoison_memory_region(at, len)
#else
#define CLOSE(at, len) ((void)(at), (void)(len))
#define OPEN(at, len)  ((void)(at), (void)(len))
#endif

enum { PAGE_BYTES = 65536 }; /* a power of two: a struct's address tells its page */

struct slab_page {
    struct slab_page *next, *previous; /* of those with room */
    void *given_back;                  /* each begins with the address of the next */
    size_t used, fresh;                /* fresh: offset of what was never taken */
};

static void enlist(struct slab *s, struct slab_page *page)
{
    page->previous = NULL;
    page->next = s->open;
    if (page->next != NULL) page->next->previous = page;
    s->open = page;
}

static void delist(struct slab *s, struct slab_page *page)
{
    *(page->previous != NULL ? &page->previous->next : &s->open) = page->next;
    if (page->next != NULL) page->next->previous = page->previous;
}

static void drop_page(struct slab *s, struct slab_page *page)
{
    delist(s, page);
    OPEN(page, PAGE_BYTES);
    free(page);
}

static size_t rounded(size_t size)
{
    return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static struct slab_page *add_page(struct slab *s)
{
    struct slab_page *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
    if (page == NULL) return NULL;
    *page = (struct slab_page){ .fresh = rounded(sizeof *page) };
    CLOSE((char *)page + page->fresh, PAGE_BYTES - page->fresh);
    enlist(s, page);
    return page;
}

void *slab_take(struct slab *s)
{
    size_t size = rounded(s->size);
    struct slab_page *page = s->open != NULL ? s->open : add_page(s);
    if (page == NULL) return NULL;
    void *at = page->given_back;
    if (at != NULL) {
        OPEN(at, s->size);
        page->given_back = *(void **)at;
    } else {
        at = (char *)page + page->fresh;
        OPEN(at, s->size);
        page->fresh += size;
    }
    page->used++;
    if (page->given_back == NULL && page->fresh + size > PAGE_BYTES) delist(s, page);
    return memset(at, 0, s->size);
}

void slab_give(struct slab *s, void *at)
{
    if (at == NULL) return;
    size_t size = rounded(s->size);
    struct slab_page *page =
        (struct slab_page *)(void *)((char *)at - ((uintptr_t)at & (PAGE_BYTES - 1)));
    if (page->given_back == NULL && page->fresh + size > PAGE_BYTES) enlist(s, page);
    *(void **)at = page->given_back;
    page->given_back = at;
    CLOSE(at, s->size);
    page->used--;
    if (page->used > 0 || (s->open == page && page->next == NULL)) return;
    drop_page(s, page);
}

void slab_free(struct slab *s)
{
    if (s->open != NULL && s->open->used == 0) drop_page(s, s->open);
}
