#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "ep.h"

const struct json_field ep_ice_fields[] = {
    EP_KEY_FIELD,
    { .name = NULL },
};

enum { USERNAME_BYTES_MAX = 20 + 1 + IDENT_PEER_BYTES };

static void put_credentials(struct buf *b, struct slice username, struct slice password)
{
    buf_text(b, ",\"username\":");
    json_put_string(b, username);
    buf_text(b, ",\"credential\":");
    json_put_string(b, password);
}

/* draft-uberti-behave-turn-rest-00, section 2.2: when it expires and for whom; the password is the
 * HMAC of that with the secret that the relay knows too. */
static void put_expiring(struct buf *b, const struct app *app, const char *peer)
{
    char username[USERNAME_BYTES_MAX + 1], password[BASE64_BYTES(IDENT_SHA1_BYTES) + 1];
    uint8_t hash[IDENT_SHA1_BYTES];
    int64_t expiry_s = (app_wall_ms(app) + app->cfg.turn_lifetime_ms) / 1000;
    snprintf(username, sizeof username, "%lld:%s", (long long)expiry_s, peer);
    ident_hmac_sha1(slice_of(app->cfg.turn_secret), slice_of(username), hash);
    base64_encode(hash, sizeof hash, password);
    put_credentials(b, slice_of(username), slice_of(password));
}

/* The next word of a server's line, "" at its end. */
static struct slice next_word(const char **at)
{
    struct slice word = { *at + strspn(*at, " "), 0 };
    word.len = strcspn(word.at, " ");
    *at = word.at + word.len;
    return word;
}

void ep_put_ice_servers(struct buf *b, const struct app *app, const char *peer)
{
    const struct config *cfg = &app->cfg;
    bool expiring = false;
    buf_text(b, "\"ice_servers\":[");
    for (size_t i = 0; i < cfg->ice_servers_count; i++) {
        const char *at = cfg->ice_servers[i];
        struct slice url = next_word(&at), username = next_word(&at), password = next_word(&at);
        buf_text(b, i == 0 ? "{\"urls\":[" : ",{\"urls\":[");
        json_put_string(b, url);
        buf_text(b, "]");
        if (username.len > 0) put_credentials(b, username, password);
        if (config_ice_from_secret(cfg->ice_servers[i])) {
            put_expiring(b, app, peer);
            expiring = true;
        }
        buf_text(b, "}");
    }
    buf_text(b, "]");
    if (expiring) buf_printf(b, ",\"ice_lifetime_ms\":%lld", (long long)cfg->turn_lifetime_ms);
}

/* A request like any other: it renews the lease, and a lapsed member's key is refused. */
struct problem ep_ice(struct ep_call *c)
{
    struct exchange_ask ask = { .room = c->room, .key = c->key };
    struct exchange_result res = { 0 };
    struct problem p = room_exchange(c->app, c->rq->arena, &ask, &res);
    if (p.status != 0) return p;
    if (res.wait.waiting)
        return PROBLEM(403, "not-permitted", "Who waits to be let in needs no relays yet.");
    buf_text(&c->an->body, "{");
    ep_put_ice_servers(&c->an->body, c->app, res.peer);
    buf_text(&c->an->body, "}");
    return NO_PROBLEM;
}
