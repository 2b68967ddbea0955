#include "ident.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uuid/uuid.h>

/* There is nothing safe to go on with: no id or key may ever be guessable. */
__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "klatch: %s failed\n", what);
    abort();
}

void ident_random(void *out, size_t bytes)
{
    uint8_t *at = out;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno != EINTR) die("getrandom");
        if (got > 0) {
            at += got;
            bytes -= (size_t)got;
        }
    }
}

void ident_peer(char out[IDENT_PEER_BYTES + 1])
{
    uuid_t id = { 0 };
    /* Not uuid_generate(): that falls back to guessable bytes where the kernel gives none. */
    ident_random(id, sizeof id);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* version 4, RFC 9562 5.4 */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80); /* variant, RFC 9562 4.1 */
    uuid_unparse_lower(id, out);
}

void ident_key(char out[IDENT_KEY_BYTES + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t random[32];
    ident_random(random, sizeof random);
    random[0] &= 0x7f; /* it begins with a letter: OWASP's rule set takes 7--x for SQL */
    uint32_t bits = 0;
    unsigned held = 0;
    size_t next = 0;
    for (size_t i = 0; i < IDENT_KEY_BYTES; i++) {
        if (held < 6) {
            bits = bits << 8 | (next < sizeof random ? random[next++] : 0);
            held += 8;
        }
        held -= 6;
        out[i] = digits[bits >> held & 63];
    }
    out[IDENT_KEY_BYTES] = '\0';
}

void ident_hash(const void *at, size_t len, uint8_t out[IDENT_HASH_BYTES])
{
    if (mbedtls_sha256_ret(len == 0 ? (const uint8_t *)"" : at, len, out, 0) != 0) die("SHA-256");
}

static void hmac(mbedtls_md_type_t type, struct slice key, struct slice text, uint8_t *out)
{
    const mbedtls_md_info_t *hash = mbedtls_md_info_from_type(type);
    if (hash == NULL || mbedtls_md_hmac(hash, (const uint8_t *)key.at, key.len,
                                        (const uint8_t *)text.at, text.len, out) != 0)
        die("HMAC");
}

void ident_hmac(struct slice key, struct slice text, uint8_t out[IDENT_HASH_BYTES])
{
    hmac(MBEDTLS_MD_SHA256, key, text, out);
}

void ident_hmac_sha1(struct slice key, struct slice text, uint8_t out[IDENT_SHA1_BYTES])
{
    hmac(MBEDTLS_MD_SHA1, key, text, out);
}

void ident_pbkdf2(struct slice password, const uint8_t *salt, size_t salt_len, unsigned rounds,
                  uint8_t out[IDENT_HASH_BYTES])
{
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    if (mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1) != 0 ||
        mbedtls_pkcs5_pbkdf2_hmac(&md, (const uint8_t *)password.at, password.len, salt, salt_len,
                                  rounds, IDENT_HASH_BYTES, out) != 0)
        die("PBKDF2");
    mbedtls_md_free(&md);
}

void ident_hex(const void *at, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *byte = at;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[byte[i] >> 4];
        out[2 * i + 1] = digits[byte[i] & 15];
    }
    out[2 * len] = '\0';
}

bool ident_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *left = a, *right = b;
    uint8_t differing = 0;
    for (size_t i = 0; i < len; i++) differing = (uint8_t)(differing | (left[i] ^ right[i]));
    return differing == 0;
}
