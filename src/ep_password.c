#include "ep_password.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "rates.h"

enum {
    WRONG_PER_MINUTE = 10,      /* of an address, in one room */
    WRONG_PER_MINUTE_ALL = 100, /* of all, in one room */
    MADE_PER_MINUTE = 10,       /* of an address, in all rooms */
};

/* What is kept while a request is asked again. */
struct counted {
    unsigned address, all; /* as rates_take() told; 0: not taken, or given back */
    uint8_t salt[PASSWORD_SALT_BYTES];
};

/* `kind` of a room, as rates tell things apart. */
enum { ROOM_HASH_BYTES = 16, WHAT_BYTES = 2 * ROOM_HASH_BYTES + 16 };
static const char *what_of(const struct ep_call *c, const char *kind, char out[WHAT_BYTES])
{
    uint8_t hash[IDENT_HASH_BYTES];
    char hex[2 * ROOM_HASH_BYTES + 1];
    ident_hash(c->room, strlen(c->room), hash);
    ident_hex(hash, ROOM_HASH_BYTES, hex);
    snprintf(out, WHAT_BYTES, "%s%s", kind, hex);
    return out;
}

static struct counted *counted(struct ep_call *c)
{
    if (c->rq->kept == NULL) {
        struct counted *new = arena_alloc(c->rq->arena, sizeof *new);
        if (new != NULL) ident_random(new->salt, sizeof new->salt);
        c->rq->kept = new;
    }
    return c->rq->kept;
}

/* Somebody else computes: that may take its time on a busy machine. */
static struct problem hash(struct ep_call *c, struct slice password, struct password_kept *out)
{
    struct problem p = password_hash(c->app, password, out);
    c->rq->patient = PROBLEM_IS_BUSY(p);
    return p;
}

static struct problem no_memory(void)
{
    return PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5);
}

static struct problem limited(const struct ep_call *c, const char *detail, int retry_after_s)
{
    char address[46];
    log_address(c->rq->address, address, sizeof address);
    log_event(LOG_LEVEL_INFO, "rate-limited", "what=password from=%s", address);
    return PROBLEM_RETRY(429, "rate-limited", detail, retry_after_s);
}

static unsigned take(const struct ep_call *c, const char *kind, const char *address,
                     int64_t per_minute, int *retry_after_s)
{
    char what[WHAT_BYTES];
    return rates_take(c->app->rates, what_of(c, kind, what), address, per_minute,
                      app_now_ms(c->app), retry_after_s);
}

static void give(const struct ep_call *c, const char *kind, const char *address, int64_t per_minute,
                 unsigned *taken)
{
    char what[WHAT_BYTES];
    rates_give(c->app->rates, what_of(c, kind, what), address, per_minute, *taken);
    *taken = 0;
}

void ep_password_right(struct ep_call *c)
{
    struct counted *k = c->rq->kept;
    if (k == NULL) return;
    give(c, "guess-", c->rq->address, WRONG_PER_MINUTE, &k->address);
    give(c, "guesses-", "", WRONG_PER_MINUTE_ALL, &k->all);
}

/* Counted first and given back when it was right: of guesses at the same time none is free. */
struct problem ep_password_guess(struct ep_call *c, struct slice password,
                                 const uint8_t salt[PASSWORD_SALT_BYTES], struct password_kept *out)
{
    struct counted *k = counted(c);
    int retry_after_s = 0;
    if (k == NULL) return no_memory();
    if (k->address == 0)
        k->address = take(c, "guess-", c->rq->address, WRONG_PER_MINUTE, &retry_after_s);
    if (k->address != 0 && k->all == 0)
        k->all = take(c, "guesses-", "", WRONG_PER_MINUTE_ALL, &retry_after_s);
    if (k->all == 0) {
        ep_password_right(c);
        return limited(c, "Too many wrong passwords; wait a little.", retry_after_s);
    }
    memcpy(out->salt, salt, sizeof out->salt);
    return hash(c, password, out);
}

struct problem ep_password_make(struct ep_call *c, struct slice password, struct password_kept *out)
{
    struct counted *k = counted(c);
    int retry_after_s = 0;
    if (k == NULL) return no_memory();
    if (k->all == 0)
        k->all = rates_take(c->app->rates, "password", c->rq->address, MADE_PER_MINUTE,
                            app_now_ms(c->app), &retry_after_s);
    if (k->all == 0) return limited(c, "Too many new passwords; wait a little.", retry_after_s);
    memcpy(out->salt, k->salt, sizeof out->salt);
    return hash(c, password, out);
}
