#include "ep.h"
#include "version.h"

struct problem ep_health(struct ep_call *c)
{
    struct buf *b = &c->an->body;
    buf_printf(b, "{\"status\":\"ok\",\"version\":\"%s\",\"mode\":\"%s\",\"polls\":\"%s\",",
               KLATCH_VERSION, c->app->how, c->app->process_per_poll ? "process" : "parked");
    ep_put_limits(b, &c->app->cfg);
    buf_text(b, ",\"features\":" EP_FEATURES "}");
    return NO_PROBLEM;
}
