#include <string.h>

#include "bell.h"
#include "ep.h"
#include "ep_password.h"
#include "ep_place.h"
#include "log.h"
#include "rates.h"
#include "sweep.h"

#define IN(field) offsetof(struct in_join, field)

const struct json_field ep_join_fields[] = {
    { .name = "id",
      .type = JSON_STRING,
      .offset = IN(id),
      .min = 16,
      .max = 64,
      .wrong = "id must be a string of 16 to 64 bytes that nobody can guess." },
    { .name = "name",
      .type = JSON_STRING,
      .offset = IN(name),
      .max = ROOM_MEMBER_NAME_BYTES_MAX,
      .wrong = "name must be a string of up to 256 bytes." },
    { .name = "meta",
      .type = JSON_RAW,
      .offset = IN(meta),
      .max = ROOM_META_BYTES_MAX,
      .wrong = "meta must be JSON of up to 8192 bytes." },
    { .name = "resume",
      .type = JSON_STRING,
      .offset = IN(resume),
      .max = 128,
      .wrong = "resume must be a key that join gave." },
    { .name = "replaces",
      .type = JSON_STRING,
      .offset = IN(replaces),
      .max = 128,
      .wrong = "replaces must be a key that join gave." },
    { .name = "after",
      .type = JSON_STRING,
      .offset = IN(after),
      .max = 64,
      .wrong = "after must be a cursor that an answer gave." },
    { .name = "token",
      .type = JSON_STRING,
      .offset = IN(token),
      .max = HTTP_BODY_BYTES_MAX,
      .wrong = "token must be a string, the JSON Web Token that your site has signed." },
    { .name = "password",
      .type = JSON_STRING,
      .offset = IN(password),
      .min = 1,
      .max = PASSWORD_BYTES_MAX,
      .wrong = "password must be a string of 1 to 256 bytes." },
    { .name = NULL },
};

enum {
    METAS_BYTES_MAX = 96000
}; /* of all members together: an answer with all stays under 128 kB */

static int64_t meta_bytes_max(const struct config *cfg)
{
    int64_t share = METAS_BYTES_MAX / cfg->members_max;
    return share < ROOM_META_BYTES_MAX ? share : ROOM_META_BYTES_MAX;
}

void ep_put_peers(struct buf *b, const struct member_view *peers, size_t count)
{
    buf_text(b, "\"peers\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buf_text(b, ",");
        room_put_member(b, &peers[i]);
        buf_printf(b, ",\"joined\":%lld}", (long long)peers[i].joined);
    }
    buf_text(b, "]");
}

void ep_put_limits(struct buf *b, const struct config *cfg)
{
    buf_printf(b,
               "\"limits\":{\"members\":%lld,\"meta_bytes\":%lld,\"message_bytes\":%lld,"
               "\"mailbox_bytes\":%lld,\"mailbox_messages\":%lld,\"sends\":%d}",
               (long long)cfg->members_max, (long long)meta_bytes_max(cfg),
               (long long)cfg->message_bytes_max, (long long)cfg->mailbox_bytes_max / 4,
               (long long)cfg->mailbox_messages_max / 4, ROOM_SENDS_MAX);
}

static void put_token(struct buf *b, const struct join_result *res)
{
    buf_text(b, "\"sub\":");
    json_put_string(b, res->sub);
    buf_text(b, ",");
    if (res->name.at == NULL) return;
    buf_text(b, "\"name\":");
    json_put_string(b, res->name);
    buf_text(b, ",");
}

/* Whose say it is here, and, to a host, who waits. */
static void put_hosts(struct buf *b, const struct join_result *res)
{
    buf_printf(b, "\"role\":\"%s\",\"settings\":{", res->host ? "host" : "member");
    ep_put_settings(b, &res->settings);
    buf_text(b, "},");
    ep_put_hosts(b, &res->settings);
    buf_text(b, ",");
    if (!res->host) return;
    buf_text(b, "\"knocking\":[");
    for (size_t i = 0; i < res->knocking_count; i++) {
        if (i > 0) buf_text(b, ",");
        room_put_member(b, &res->knocking[i]);
        buf_text(b, "}");
    }
    buf_text(b, "],");
}

static void put_keys(struct buf *b, const struct join_result *res)
{
    char cursor[CURSOR_TEXT_BYTES + 1];
    cursor_format(&res->cursor, cursor);
    buf_printf(b, "{\"peer\":\"%s\",\"key\":\"%s\",\"cursor\":\"%s\",", res->peer, res->key,
               cursor);
}

static void put_limits(struct ep_call *c, const char *peer)
{
    struct buf *b = &c->an->body;
    ep_put_limits(b, &c->app->cfg);
    buf_text(b, ",");
    ep_place_put(c, peer);
    buf_text(b, ",\"features\":" EP_FEATURES "}");
}

static void put_waiting(struct ep_call *c, const struct join_result *res)
{
    struct buf *b = &c->an->body;
    put_keys(b, res);
    buf_printf(b, "\"waiting\":true,\"hosts_present\":%lld,", (long long)res->hosts_present);
    put_limits(c, res->peer);
}

static void put_answer(struct ep_call *c, const struct join_result *res)
{
    struct buf *b = &c->an->body;
    put_keys(b, res);
    if (res->resumed) buf_text(b, "\"resumed\":true,");
    if (res->gap) buf_text(b, "\"gap\":true,");
    if (res->sub.at != NULL) put_token(b, res);
    put_hosts(b, res);
    ep_put_peers(b, res->peers, res->peers_count);
    buf_text(b, ",");
    ep_put_ice_servers(b, c->app, res->peer);
    buf_text(b, ",");
    put_limits(c, res->peer);
}

/* Counted once for a request, however often its room is busy. */
static struct problem check_rate(const struct ep_call *c)
{
    char address[46];
    int retry_after_s = 0;
    if (c->rq->again ||
        rates_take(c->app->rates, "join", c->rq->address, c->app->cfg.joins_per_minute,
                   app_now_ms(c->app), &retry_after_s))
        return NO_PROBLEM;
    log_address(c->rq->address, address, sizeof address);
    log_event(LOG_LEVEL_INFO, "rate-limited", "what=join from=%s", address);
    return PROBLEM_RETRY(429, "rate-limited", "Too many joins from this address; wait a little.",
                         retry_after_s);
}

/* Look at the token, or for one, as the configuration says. */
static void check_token(const struct ep_call *c, struct slice token, struct join_ask *ask)
{
    const struct config *cfg = &c->app->cfg;
    char address[46];
    if (cfg->tokens == CONFIG_TOKENS_OFF ||
        (cfg->tokens == CONFIG_TOKENS_OPTIONAL && token.at == NULL))
        return;
    if (token.at == NULL) {
        ask->refusal = PROBLEM(401, "token-missing", "This server lets in who brings a token.");
        return;
    }
    ask->refusal = token_check(cfg, c->rq->arena, token, c->room, app_wall_ms(c->app), &ask->token);
    if (ask->refusal.status == 0 || c->rq->again) return;
    log_address(c->rq->address, address, sizeof address);
    log_event(LOG_LEVEL_INFO, "token-refused", "code=%s from=%s", ask->refusal.code, address);
}

enum { SALTS_MAX = 3 }; /* a host may change the password meanwhile */

static bool asks_password(struct problem p)
{
    return p.status == 401 && strcmp(p.code, "password-missing") == 0;
}

/* Join; where the room asks for the password, hash what was given, and join again with that. */
static struct problem join(struct ep_call *c, struct join_ask *ask, struct slice password,
                           struct join_result *res)
{
    struct password_kept given;
    struct problem p = room_join(c->app, c->rq->arena, ask, res);
    for (int i = 0; i < SALTS_MAX && asks_password(p) && password.at != NULL; i++) {
        p = ep_password_guess(c, password, res->salt, &given);
        if (p.status != 0) return p;
        ask->password = &given;
        p = room_join(c->app, c->rq->arena, ask, res);
        ask->password = NULL;
    }
    if (asks_password(p) && password.at != NULL)
        return PROBLEM_RETRY(503, "busy", "The room's password has just changed; try again.", 1);
    if (!PROBLEM_IS_BUSY(p) && !(p.status == 403 && strcmp(p.code, "password-wrong") == 0))
        ep_password_right(c);
    return p;
}

struct problem ep_join(struct ep_call *c)
{
    const struct in_join *in = c->in;
    struct problem p = check_rate(c);
    if (p.status != 0) return p;
    if ((int64_t)in->meta.len > meta_bytes_max(&c->app->cfg))
        return PROBLEM(413, "message-too-large",
                       "meta is longer than a member's share; health says meta_bytes.");
    struct join_ask ask = {
        .room = c->room,
        .id = in->id,
        .name = in->name,
        .meta = in->meta,
        .resume = in->resume,
        .replaces = in->replaces,
        .address = c->rq->address,
    };
    if (!cursor_parse(in->after, &ask.after))
        return PROBLEM(400, "bad-cursor", "after is not a cursor.");
    check_token(c, in->token, &ask);
    struct join_result res = { 0 };
    p = join(c, &ask, in->password, &res);
    if (!PROBLEM_IS_BUSY(p)) sweep_after_join(c->app); /* refused ones too: rooms may be too many */
    if (p.status != 0) return p;
    if (res.known && c->app->bell != NULL) {
        /* Turns count anew with the new key; who is parked with the former one is superseded. */
        bell_owner_restart(c->app->bell, res.peer);
        app_ring(c->app, c->room);
    }
    c->an->status = res.waiting ? 202 : 201;
    if (res.waiting)
        put_waiting(c, &res);
    else
        put_answer(c, &res);
    return NO_PROBLEM;
}
