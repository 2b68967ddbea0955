/* json: the edge for every body that comes in, and the pen for every one that goes out.
 *
 * In: the whole body must be one strict RFC 8259 value in valid UTF-8 (no overlong forms, no lone
 * surrogates as raw bytes or as \u escapes), depth up to 64, where a JSON_RAW value's depth counts
 * from its own first bracket. The fields named as JSON_RAW are never decoded: their bytes, white
 * space at their ends cut, are carried as they came. Of the envelope around them cJSON decodes the
 * strings and numbers that the tables name, one by one; such a string and any key beside them with
 * \u0000 in it is refused, since cJSON would cut it there. Keys are compared after their escapes
 * ("d\u0061ta" is data). Of a key that stands twice the first counts. */
#ifndef KLATCH_JSON_H
#define KLATCH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "problem.h"

enum { JSON_DEPTH_MAX = 64 };

enum json_type {
    JSON_STRING,  /* struct slice, decoded, NUL behind it; min..max are bytes */
    JSON_INTEGER, /* int64_t; min..max (within ±2^53); 1.0 and 1e3 are integers, 1.5 is not */
    JSON_BOOL,    /* bool */
    JSON_RAW,     /* struct slice of the body's own bytes; max is bytes: 413 message-too-large */
    JSON_LIST,    /* array of objects: `row` table, `row_size` bytes each in one arena array whose
                     address goes to `offset` (void *), its count to `count_offset` (size_t);
                     max is rows */
};

struct json_field {
    const char *name;
    enum json_type type;
    size_t offset; /* in the struct that is filled */
    int64_t min, max;
    bool required;
    const char *wrong; /* detail of the 400: absent though required, wrong type, out of bounds */
    const struct json_field *row; /* JSON_LIST: table ended by a row with name NULL */
    size_t row_size, count_offset;
};

/* Decode `body` by `fields` (ended by a row with name NULL) into `out`; what is absent or null (but
 * for JSON_RAW, where null is a value) leaves `out` as the caller set it. Slices point into the
 * arena or, JSON_RAW, into `body`. Unknown fields are ignored.
 * Fails: 400 invalid-request; 413 message-too-large, when the arena is full too. `out` is then
 * unspecified. Tables have at most 64 rows. */
struct problem json_decode(struct arena *a, struct slice body, const struct json_field *fields,
                           void *out);

/* The same, but a field that stands twice is 400. */
struct problem json_decode_unique(struct arena *a, struct slice body,
                                  const struct json_field *fields, void *out);

/* Is `text` one strict JSON value in valid UTF-8, depth up to JSON_DEPTH_MAX? */
bool json_valid(struct slice text);
/* Is `text` valid UTF-8 (RFC 3629)? */
bool json_utf8_valid(struct slice text);

/* The text of `raw`, which came as a JSON_RAW field. False: it is no string of `min` to `max` bytes
 * without NUL, or memory is out. */
bool json_text(struct arena *a, struct slice raw, size_t min, size_t max, struct slice *out);

/* Append `s` as a JSON string with its quotes. `s` is valid UTF-8. */
void json_put_string(struct buf *b, struct slice s);

#endif
