#include "ep.h"
#include "origin.h"

/* May pages of this origin show embed.html in a frame? The page asks before it starts, since not
 * every web server lets the operator say so in a header. The list itself isn't told. */
struct problem ep_embed(struct ep_call *c)
{
    struct slice ancestor;
    if (!http_form_field(c->rq->arena, c->rq->query, "ancestor", &ancestor) ||
        ancestor.at == NULL || ancestor.len == 0 || ancestor.len > HTTP_ORIGIN_BYTES_MAX)
        return PROBLEM(
            400, "invalid-request",
            "ancestor must be the origin of the page around, such as https://a.example.");
    bool allowed = origin_listed(&c->app->cfg.frame_ancestors, ancestor) != NULL;
    buf_printf(&c->an->body, "{\"allowed\":%s}", allowed ? "true" : "false");
    return NO_PROBLEM;
}
