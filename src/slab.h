/* slab: many structs of one size, in pages of their own. What lives as long as a poll then never
 * lies between what a moment needed, so that the moment's memory goes back to the system whole; and
 * a struct costs its size and no more. */
#ifndef KLATCH_SLAB_H
#define KLATCH_SLAB_H

#include <stddef.h>

struct slab_page;

/* Zeroed but for the size: an empty one. */
struct slab {
    size_t size;            /* of a struct */
    struct slab_page *open; /* pages that have room */
};
#define SLAB_OF(type) ((struct slab){ .size = sizeof(type) })

void *slab_take(struct slab *s); /* zeroed; NULL: no memory */
/* Frees the page when it was the last in it; one empty page stays for the next. */
void slab_give(struct slab *s, void *at);
void slab_free(struct slab *s); /* the empty page, once everything was given back */

#endif
