#include "doctor.h"
#include "ep.h"
#include "version.h"

struct problem ep_health(struct ep_call *c)
{
    const struct app *app = c->app;
    struct buf *b = &c->an->body;
    char place[DOCTOR_MARK_BYTES + 1], host[DOCTOR_MARK_BYTES + 1];
    doctor_place(app, place);
    doctor_host(app, host);
    buf_printf(b, "{\"status\":\"ok\",\"version\":\"%s\",\"arch\":\"%s\",\"mode\":\"%s\",",
               KLATCH_VERSION, doctor_arch(), app->how);
    buf_printf(b, "\"polls\":\"%s\",\"process_per_poll\":%s,\"hold_ms\":%lld,\"polls_max\":%lld,",
               app->process_per_poll ? "process" : "parked",
               app->process_per_poll ? "true" : "false", (long long)ep_hold_ms(app),
               (long long)app->cfg.polls_max);
    buf_printf(b, "\"time_ms\":%lld,\"place\":\"%s\",\"host\":\"%s\",", (long long)app_wall_ms(app),
               place, host);
    ep_put_limits(b, &app->cfg);
    buf_text(b, ",\"features\":" EP_FEATURES "}");
    return NO_PROBLEM;
}
