#include "ep.h"

const struct json_field ep_leave_fields[] = {
    EP_KEY_FIELD,
    { .name = "soon",
      .type = JSON_BOOL,
      .offset = offsetof(struct in_leave, soon),
      .wrong = "soon must be true or false." },
    { .name = NULL },
};

struct problem ep_leave(struct ep_call *c)
{
    const struct in_leave *in = c->in;
    struct problem p = room_leave(c->app, c->room, c->key, in->soon);
    if (p.status == 0) c->an->status = 204;
    return p;
}
