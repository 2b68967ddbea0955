/* token: who may join, as a site of the operator's has signed it: a JSON Web Token (RFC 7519) in
 * compact form (RFC 7515, section 7.1), HS256 and nothing else.
 *
 * The signature comes first: what no configured key has signed is never parsed. So an attacker has
 * base64url, one HMAC for each key and a comparison in constant time to play with. The token says
 *   iss   which key (required)         sub   who, the site's own id (required)
 *   room  the one it is for (required) exp   until when (required)
 *   nbf   from when                    name  how others see them
 *   role  host or member               jti   the token's own id
 * and whatever else the site likes, but for `aud`: a token for somebody else is not for us (RFC
 * 7519, section 4.1.3). */
#ifndef KLATCH_TOKEN_H
#define KLATCH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "config.h"
#include "problem.h"

enum {
    TOKEN_BYTES_MAX = 4096,  /* compact: a name, an id and room to spare */
    TOKEN_ID_BYTES_MAX = 255 /* sub, jti */
};

struct token_claims {
    bool given;        /* there was a token, and it is good */
    struct slice sub;  /* UTF-8, 1 to 255 bytes */
    struct slice name; /* absent: the token gives none */
    struct slice jti;  /* the same */
    bool host;
};

/* Is `token` good for `room` at `now_ms` of Unix time, by the keys and the leeway of `cfg`? Slices
 * of *out live in `a`. Fails: 401 token-invalid, token-other-room, token-early, token-expired; 413
 * when the arena is full. */
struct problem token_check(const struct config *cfg, struct arena *a, struct slice token,
                           const char *room, int64_t now_ms, struct token_claims *out);

#endif
