/* route: the table of calls. A row carries the policy (method, body cap, key), so that no handler
 * checks it again: a handler gets its decoded body, acts and fills the answer. */
#ifndef KLATCH_ROUTE_H
#define KLATCH_ROUTE_H

#include "app.h"
#include "http.h"
#include "park.h"

enum {
    /* A body, its form-decoded copy, the variables, and the answer's messages. */
    ROUTE_ARENA_BYTES_MAX =
        4 * HTTP_BODY_BYTES_MAX + 2 * HTTP_PARAMS_BYTES_MAX + 4 * ROOM_ANSWER_BYTES_MAX,
    ROUTE_BUSY_MS = 2000,        /* how long OUTCOME_BUSY is answered by trying again … */
    ROUTE_PATIENT_MS = 8000,     /* … so much longer where the request is patient … */
    ROUTE_BUSY_STEP_MS_MAX = 20, /* … after 1 ms, 2, 4 and so on up to this */
    ROUTE_NAME_BYTES_MAX = 64,   /* of a call's method and path */
};

enum outcome {
    OUTCOME_ANSWER, /* the answer is ready */
    OUTCOME_PARK,   /* `waiter` says how to wait; for route_resume(): wait on */
    OUTCOME_BUSY,   /* nothing has changed; ask again with the same arguments, soon */
};

enum wake {
    WAKE_LOOK,       /* there may be mail */
    WAKE_DEADLINE,   /* its time is over: answer */
    WAKE_SUPERSEDED, /* a newer poll has come */
    WAKE_STOP,       /* the process ends: answer with what is there */
};

/* Handle a whole request. OUTCOME_PARK fills *waiter (the caller parks it until its deadline or,
 * when it can't, calls route_resume(WAKE_STOP)). With OUTCOME_BUSY the answer is the 503 to give up
 * with. */
enum outcome route_handle(struct app *app, struct request *rq, struct answer *an,
                          struct waiter *waiter);

/* A parked request is woken. OUTCOME_PARK: leave it where it is. OUTCOME_BUSY: as above; a
 * superseded one never is. `scratch` is for this call only. */
enum outcome route_resume(struct app *app, struct arena *scratch, struct waiter *waiter,
                          enum wake wake, struct answer *an);

/* The name of the call that answers number so, such as "POST /v1/rooms/{room}/join". False: there
 * is none. */
bool route_call_name(size_t call, char out[ROUTE_NAME_BYTES_MAX]);

/* The answer to a request that never became whole (an oversized or torn body, no memory). */
void route_refuse(struct app *app, const struct request *rq, struct problem p, struct answer *an);

#endif
