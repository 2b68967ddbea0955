/* ep_password: passwords that come with a call: counted, hashed outside of the room's transaction,
 * and neither twice for one request, however often its room is busy. */
#ifndef KLATCH_EP_PASSWORD_H
#define KLATCH_EP_PASSWORD_H

#include "ep.h"

/* Hash what a join gave with the room's salt. 429 rate-limited, before anything is computed, where
 * its address or the room has had too many wrong ones; 503 busy: ask again. */
struct problem ep_password_guess(struct ep_call *c, struct slice password,
                                 const uint8_t salt[PASSWORD_SALT_BYTES],
                                 struct password_kept *out);
/* The one that ep_password_guess() hashed was right, so it doesn't count. */
void ep_password_right(struct ep_call *c);

/* Hash a new password of the room with a salt of its own. 429, 503 as above. */
struct problem ep_password_make(struct ep_call *c, struct slice password,
                                struct password_kept *out);

#endif
