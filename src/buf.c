#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_BYTES_MIN = 256 };

struct slice slice_of(const char *text)
{
    return text == NULL ? SLICE_NONE : (struct slice){ text, strlen(text) };
}

bool slice_equal(struct slice a, struct slice b)
{
    if (a.at == NULL || b.at == NULL) return a.at == b.at;
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

bool slice_is(struct slice s, const char *text)
{
    return slice_equal(s, slice_of(text));
}

void buf_init(struct buf *b, size_t bytes_max)
{
    *b = (struct buf){ .max = bytes_max };
}

void buf_free(struct buf *b)
{
    free(b->at);
    buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

/* Room for `len` bytes more. False: `failed` is set. */
static bool grow(struct buf *b, size_t len)
{
    if (b->failed || len > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (len <= b->room - b->len) return true;
    size_t room = b->room < ROOM_BYTES_MIN ? ROOM_BYTES_MIN : b->room;
    while (room < b->len + len) room = room > b->max / 2 ? b->max : room * 2;
    if (room > b->max) room = b->max;
    char *at = realloc(b->at, room);
    if (at == NULL) {
        b->failed = true;
        return false;
    }
    b->at = at;
    b->room = room;
    return true;
}

void buf_add(struct buf *b, const void *at, size_t len)
{
    if (len == 0 || !grow(b, len)) return;
    memcpy(b->at + b->len, at, len);
    b->len += len;
}

void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_slice(struct buf *b, struct slice s)
{
    buf_add(b, s.at, s.len);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    char little[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(little, sizeof little, format, arguments);
    va_end(arguments);
    if (len < 0) {
        b->failed = true;
        return;
    }
    size_t bytes = (size_t)len;
    if (bytes < sizeof little) {
        buf_add(b, little, bytes);
        return;
    }
    char *large = malloc(bytes + 1);
    if (large == NULL) {
        b->failed = true;
        return;
    }
    va_start(arguments, format);
    vsnprintf(large, bytes + 1, format, arguments);
    va_end(arguments);
    buf_add(b, large, bytes);
    free(large);
}
