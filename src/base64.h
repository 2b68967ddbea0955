/* base64: both alphabets of RFC 4648. Decoding is strict: one text for one value. */
#ifndef KLATCH_BASE64_H
#define KLATCH_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* The length of `bytes` bytes as base64 with padding. */
#define BASE64_BYTES(bytes) (((bytes) + 2) / 3 * 4)

/* Section 4: + and /, padded, with a NUL behind. */
void base64_encode(const void *at, size_t len, char *out);

/* Section 5, without padding (RFC 7515, section 2), into `out`, which takes text.len * 3 / 4 bytes.
 * False: another character, a length that none has, or bits left over that are not 0. */
bool base64url_decode(struct slice text, char *out, size_t *len);

#endif
