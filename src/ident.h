/* ident: ids, keys, hashes and comparisons; the only file that includes the crypto library and
 * libuuid. Random bytes come from the kernel; a process that can't get them ends. */
#ifndef KLATCH_IDENT_H
#define KLATCH_IDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum {
    IDENT_PEER_BYTES = 36, /* a version 4 UUID in lower case */
    IDENT_KEY_BYTES = 43,  /* 255 random bits, base64url, a letter first */
    IDENT_HASH_BYTES = 32, /* SHA-256 */
    IDENT_SHA1_BYTES = 20,
};

void ident_random(void *out, size_t bytes);
void ident_peer(char out[IDENT_PEER_BYTES + 1]);
void ident_key(char out[IDENT_KEY_BYTES + 1]);
/* SHA-256 of `len` bytes (FIPS 180-4). Keys are stored as this. */
void ident_hash(const void *at, size_t len, uint8_t out[IDENT_HASH_BYTES]);
/* HMAC (RFC 2104) with SHA-256, and with SHA-1 where somebody else's scheme asks for that. */
void ident_hmac(struct slice key, struct slice text, uint8_t out[IDENT_HASH_BYTES]);
void ident_hmac_sha1(struct slice key, struct slice text, uint8_t out[IDENT_SHA1_BYTES]);
/* PBKDF2 (RFC 8018, section 5.2) with HMAC-SHA-256, one block. */
void ident_pbkdf2(struct slice password, const uint8_t *salt, size_t salt_len, unsigned rounds,
                  uint8_t out[IDENT_HASH_BYTES]);
/* `len` bytes as 2 * len digits in lower case, with a NUL. */
void ident_hex(const void *at, size_t len, char *out);
/* Same bytes? In a time that depends on `len` only. */
bool ident_equal(const void *a, const void *b, size_t len);

#endif
