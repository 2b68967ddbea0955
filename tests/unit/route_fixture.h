/* Calls as a gateway would hand them over, to route_handle(). */
#ifndef ROUTE_FIXTURE_H
#define ROUTE_FIXTURE_H

#include "app_fixture.h"
#include "route.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

struct call {
    enum http_method method;
    const char *path, *type, *body, *key, *query;
};

/* cmocka's setup and teardown: *state is a struct app_fixture. */
int with_app(void **state);
int without_app(void **state);

/* Handle one call; its status, the answer's body (with a NUL) in `text`. 0: parked, in *waiter;
 * let go at once where that is NULL. */
int handle(struct app_fixture *f, const struct call *call, struct buf *text, struct waiter *waiter);

#endif
