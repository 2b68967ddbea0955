/* buf: growable bytes with a hard cap; slices of bytes owned by somebody else.
 * An append that would pass the cap or finds no memory changes nothing and sets `failed`, which
 * stays: build the whole, look once. */
#ifndef KLATCH_BUF_H
#define KLATCH_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes owned elsewhere; at == NULL: absent (not the same as empty). */
struct slice {
    const char *at;
    size_t len;
};

#define SLICE_NONE ((struct slice){ 0, 0 })
struct slice slice_of(const char *text); /* NULL gives SLICE_NONE */
bool slice_is(struct slice s, const char *text);
bool slice_equal(struct slice a, struct slice b);

struct buf {
    char *at;
    size_t len, room, max;
    bool failed;
};

/* `b` is zeroed storage; owns nothing until the first append. */
void buf_init(struct buf *b, size_t bytes_max);
void buf_free(struct buf *b);  /* may be used again, empty, with the same cap */
void buf_clear(struct buf *b); /* keeps the memory, forgets `failed` */
void buf_add(struct buf *b, const void *at, size_t len);
void buf_text(struct buf *b, const char *text);
void buf_slice(struct buf *b, struct slice s);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
