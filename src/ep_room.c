#include "ep.h"

struct problem ep_room(struct ep_call *c)
{
    if (!c->app->cfg.room_info)
        return PROBLEM(403, "not-permitted", "This server tells nothing about rooms to outsiders.");
    int64_t peers = 0;
    struct room_settings settings;
    struct problem p = room_info(c->app, c->room, &peers, &settings);
    if (p.status != 0) return p;
    buf_printf(&c->an->body, "{\"room\":\"%s\",\"peers\":%lld,", c->room, (long long)peers);
    ep_put_settings(&c->an->body, &settings);
    buf_text(&c->an->body, "}");
    return NO_PROBLEM;
}
