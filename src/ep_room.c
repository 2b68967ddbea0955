#include "ep.h"

struct problem ep_room(struct ep_call *c)
{
    if (!c->app->cfg.room_info)
        return PROBLEM(403, "not-permitted", "This server tells nothing about rooms to outsiders.");
    int64_t peers = 0;
    bool locked = false;
    struct problem p = room_info(c->app, c->room, &peers, &locked);
    if (p.status != 0) return p;
    buf_printf(&c->an->body, "{\"room\":\"%s\",\"peers\":%lld,\"locked\":%s}", c->room,
               (long long)peers, locked ? "true" : "false");
    return NO_PROBLEM;
}
