#include <string.h>

#include "bell.h"
#include "ep.h"
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

static void put_ice_servers(struct buf *b, const struct config *cfg)
{
    buf_text(b, "\"ice_servers\":[");
    for (size_t i = 0; i < cfg->ice_servers_count; i++) {
        const char *part[3] = { "", "", "" };
        size_t len[3] = { 0 };
        const char *at = cfg->ice_servers[i];
        for (size_t k = 0; k < 3; k++) {
            at += strspn(at, " ");
            part[k] = at;
            len[k] = strcspn(at, " ");
            at += len[k];
        }
        buf_text(b, i == 0 ? "{\"urls\":[" : ",{\"urls\":[");
        json_put_string(b, (struct slice){ part[0], len[0] });
        buf_text(b, "]");
        if (len[1] > 0) {
            buf_text(b, ",\"username\":");
            json_put_string(b, (struct slice){ part[1], len[1] });
            buf_text(b, ",\"credential\":");
            json_put_string(b, (struct slice){ part[2], len[2] });
        }
        buf_text(b, "}");
    }
    buf_text(b, "]");
}

void ep_put_peers(struct buf *b, const struct member_view *peers, size_t count)
{
    buf_text(b, "\"peers\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(b, i == 0 ? "{\"peer\":" : ",{\"peer\":");
        json_put_string(b, peers[i].peer);
        if (peers[i].name.at != NULL) {
            buf_text(b, ",\"name\":");
            json_put_string(b, peers[i].name);
        }
        if (peers[i].meta.at != NULL) {
            buf_text(b, ",\"meta\":");
            buf_slice(b, peers[i].meta);
        }
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

static void put_answer(struct ep_call *c, const struct join_result *res)
{
    const struct config *cfg = &c->app->cfg;
    struct buf *b = &c->an->body;
    char cursor[CURSOR_TEXT_BYTES + 1];
    cursor_format(&res->cursor, cursor);
    buf_printf(b, "{\"peer\":\"%s\",\"key\":\"%s\",\"cursor\":\"%s\",", res->peer, res->key,
               cursor);
    if (res->resumed) buf_text(b, "\"resumed\":true,");
    if (res->gap) buf_text(b, "\"gap\":true,");
    ep_put_peers(b, res->peers, res->peers_count);
    buf_text(b, ",");
    put_ice_servers(b, cfg);
    buf_text(b, ",");
    ep_put_limits(b, cfg);
    buf_text(b, ",");
    ep_place_put(c, res->peer);
    buf_text(b, ",\"features\":" EP_FEATURES "}");
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
    };
    if (!cursor_parse(in->after, &ask.after))
        return PROBLEM(400, "bad-cursor", "after is not a cursor.");
    struct join_result res = { 0 };
    p = room_join(c->app, c->rq->arena, &ask, &res);
    if (!PROBLEM_IS_BUSY(p)) sweep_after_join(c->app); /* refused ones too: rooms may be too many */
    if (p.status != 0) return p;
    if (res.known && c->app->bell != NULL) {
        /* Turns count anew with the new key; who is parked with the former one is superseded. */
        bell_owner_restart(c->app->bell, res.peer);
        app_ring(c->app, c->room);
    }
    c->an->status = 201;
    put_answer(c, &res);
    return NO_PROBLEM;
}
