/* password: what is kept of a room's password, and the helper that makes it.
 *
 * PBKDF2-HMAC-SHA-256 (RFC 8018, section 5.2) takes some 60 ms on purpose. In a process that serves
 * others meanwhile one helper thread computes, from a short queue, and whoever asks comes again, as
 * for a busy room; what was found is kept for them until its place is needed. A process of one
 * request computes by itself. Nobody computes inside a room's transaction. */
#ifndef KLATCH_PASSWORD_H
#define KLATCH_PASSWORD_H

#include <stdint.h>

#include "buf.h"
#include "ident.h"
#include "problem.h"

enum { PASSWORD_BYTES_MAX = 256, PASSWORD_SALT_BYTES = 16, PASSWORD_ROUNDS = 100000 };

struct app;
struct password;

struct password_kept {
    uint8_t salt[PASSWORD_SALT_BYTES];
    uint8_t hash[IDENT_HASH_BYTES];
};

/* NULL: no memory. The thread starts with the first password. */
struct password *password_open(void);
void password_close(struct password *p); /* NULL is fine */

/* Fill kept->hash from kept->salt and `text` (1 to PASSWORD_BYTES_MAX bytes). 503 busy: ask again
 * with the same; with a longer Retry-After when too many wait. */
struct problem password_hash(struct app *app, struct slice text, struct password_kept *kept);

#endif
