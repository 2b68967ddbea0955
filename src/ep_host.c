/* What a host may do: settings, letting in, sending out, handing its part on. */
#include <string.h>

#include "ep.h"
#include "ep_password.h"

#define IN(field)  offsetof(struct in_host, field)
#define SET(field) offsetof(struct in_settings, field)

const struct json_field ep_host_fields[] = {
    EP_KEY_FIELD,
    { .name = "peer",
      .type = JSON_STRING,
      .offset = IN(peer),
      .min = 1,
      .max = 64,
      .required = true,
      .wrong = "peer must be the peer id of somebody in the room." },
    { .name = "ban", .type = JSON_BOOL, .offset = IN(ban), .wrong = "ban must be true or false." },
    { .name = NULL },
};

enum { SETTING_BYTES_MAX = 6 * PASSWORD_BYTES_MAX + 2 }; /* each byte as \u00xx, and quotes */

#define SETTING_FIELD(field)                                                             \
    {                                                                                    \
        .name = #field, .type = JSON_RAW, .offset = SET(field), .max = SETTING_BYTES_MAX \
    }

const struct json_field ep_settings_fields[] = {
    EP_KEY_FIELD,     SETTING_FIELD(locked), SETTING_FIELD(lobby), SETTING_FIELD(password),
    { .name = NULL },
};

void ep_put_settings(struct buf *b, const struct room_settings *settings)
{
    buf_printf(b, "\"locked\":%s,\"lobby\":%s,\"password\":%s", settings->locked ? "true" : "false",
               settings->lobby ? "true" : "false", settings->password ? "true" : "false");
}

void ep_put_hosts(struct buf *b, const struct room_settings *settings)
{
    buf_text(b, "\"hosts\":[");
    for (size_t i = 0; i < settings->hosts_count; i++) {
        if (i > 0) buf_text(b, ",");
        json_put_string(b, settings->hosts[i]);
    }
    buf_text(b, "]");
}

static struct host_ask ask_of(const struct ep_call *c)
{
    const struct in_host *in = c->in;
    return (struct host_ask){ .room = c->room, .key = c->key, .peer = in->peer, .ban = in->ban };
}

/* Where it went well, tell what holds now. */
static struct problem tell(struct ep_call *c, struct problem p, const struct room_settings *now)
{
    struct buf *b = &c->an->body;
    if (p.status != 0) return p;
    buf_text(b, "{");
    ep_put_settings(b, now);
    buf_text(b, ",");
    ep_put_hosts(b, now);
    buf_text(b, "}");
    return NO_PROBLEM;
}

struct problem ep_admit(struct ep_call *c)
{
    struct host_ask ask = ask_of(c);
    struct room_settings now;
    return tell(c, room_admit(c->app, c->rq->arena, &ask, &now), &now);
}

struct problem ep_kick(struct ep_call *c)
{
    struct host_ask ask = ask_of(c);
    struct room_settings now;
    return tell(c, room_kick(c->app, c->rq->arena, &ask, &now), &now);
}

struct problem ep_hand_on(struct ep_call *c)
{
    struct host_ask ask = ask_of(c);
    struct room_settings now;
    return tell(c, room_hand_on(c->app, c->rq->arena, &ask, &now), &now);
}

/* true, false or absent. */
static bool take_switch(struct slice raw, bool *given, bool *on)
{
    *given = raw.at != NULL;
    *on = slice_is(raw, "true");
    return !*given || *on || slice_is(raw, "false");
}

struct problem ep_settings(struct ep_call *c)
{
    const struct in_settings *in = c->in;
    struct settings_ask ask = { .room = c->room, .key = c->key };
    struct password_kept kept;
    struct room_settings now;
    struct slice password = SLICE_NONE;
    if (!take_switch(in->locked, &ask.set_locked, &ask.locked) ||
        !take_switch(in->lobby, &ask.set_lobby, &ask.lobby))
        return PROBLEM(400, "invalid-request", "locked and lobby must be true or false.");
    ask.set_password = in->password.at != NULL;
    if (ask.set_password && !slice_is(in->password, "null") &&
        !json_text(c->rq->arena, in->password, 1, PASSWORD_BYTES_MAX, &password))
        return PROBLEM(400, "invalid-request",
                       "password must be a string of 1 to 256 bytes, or null for none.");
    if (password.at != NULL) {
        struct problem p = room_may_set(c->app, c->room, c->key);
        if (p.status == 0) p = ep_password_make(c, password, &kept);
        if (p.status != 0) return p;
        ask.password = &kept;
    }
    return tell(c, room_set(c->app, c->rq->arena, &ask, &now), &now);
}
