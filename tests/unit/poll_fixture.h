/* Members of the room "tea" who poll it, through route_handle(), route_resume() and the park. */
#ifndef POLL_FIXTURE_H
#define POLL_FIXTURE_H

#include "park.h"
#include "route_fixture.h"

enum { HOLD_MS = 20000 };

struct member {
    char key[ANSWER_TEXT_BYTES], peer[ANSWER_TEXT_BYTES], cursor[ANSWER_TEXT_BYTES];
    int64_t turn;
    struct waiter *w; /* its poll, while that is parked */
};

struct poll_test {
    struct app_fixture *f;
    struct park *park;
    struct buf text; /* of the last answer */
    struct member a; /* the first one in the room */
};

/* cmocka's setup and teardown: *state is a struct poll_test. */
int with_member(void **state);
int without_member(void **state);

/* A call below /v1/rooms/tea/. Its status; 0: it is held, in *w. */
int call_room(struct poll_test *t, const char *what, const char *body, struct waiter *w);
void join_room(struct poll_test *t, struct member *m);
/* Status 0: its poll is parked. `more`: what else the body has. */
int begin_poll(struct poll_test *t, struct member *m, const char *more);
enum outcome wake_poll(struct poll_test *t, struct waiter *w, enum wake why);
/* Until the hold of this member's poll is over, and answered. */
void end_hold(struct poll_test *t, struct member *m);
/* One answer's worth of mail, without waiting. */
void read_room(struct poll_test *t, struct member *m);
/* The room's file is aside: who looks for it finds that there is no room. */
void put_aside(const struct poll_test *t, bool aside);

#endif
