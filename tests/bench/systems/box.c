#include "box.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_BYTES_MAX = 16384 };

struct box *box_find(struct box *boxes, const char *query)
{
    const char *number = query == NULL ? NULL : strchr(query, '=');
    long id = number == NULL ? -1 : strtol(number + 1, NULL, 10);
    return id < 0 || id >= BOXES ? NULL : &boxes[id];
}

void box_add(struct box *b, const char *at, size_t len)
{
    if (b->cap - b->len < len + 1) {
        size_t cap = b->cap == 0 ? 256 : b->cap;
        while (cap - b->len < len + 1) cap *= 2;
        b->mail = realloc(b->mail, cap);
        if (b->mail == NULL) abort();
        b->cap = cap;
    }
    memcpy(b->mail + b->len, at, len);
    b->mail[b->len + len] = '\n';
    b->len += len + 1;
}

void box_empty(struct box *b)
{
    b->len = 0;
    if (b->cap <= KEPT_BYTES_MAX) return;
    free(b->mail);
    b->mail = NULL;
    b->cap = 0;
}
