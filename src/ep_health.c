#include "ep.h"
#include "version.h"

struct problem ep_health(struct ep_call *c)
{
    buf_printf(&c->an->body,
               "{\"status\":\"ok\",\"version\":\"%s\",\"mode\":\"%s\",\"polls\":\"%s\","
               "\"features\":" EP_FEATURES "}",
               KLATCH_VERSION, c->app->how, c->app->process_per_poll ? "process" : "parked");
    return NO_PROBLEM;
}
