/* ep: one function per endpoint: decode (by the table in its route row), act, encode.
 * `in` is the struct that the row's field table fills. */
#ifndef KLATCH_EP_H
#define KLATCH_EP_H

#include "json.h"
#include "route.h"

struct ep_call {
    struct app *app;
    struct request *rq;
    struct answer *an;
    char room[ROOM_NAME_BYTES_MAX + 1]; /* from the path, valid; "" where the path has none */
    struct slice key;                   /* where the row says NEED_KEY */
    void *in;                           /* decoded body, zeroed where absent */
    bool park; /* set by the handler: nothing to tell yet, hold `waiter` until its deadline */
    struct waiter *waiter;
};

/* Every `in` of a row with NEED_KEY begins with this. */
struct in_key {
    struct slice key;
};
#define EP_KEY_FIELD                                                                            \
    {                                                                                           \
        .name = "key", .type = JSON_STRING, .offset = offsetof(struct in_key, key), .max = 128, \
        .wrong = "key must be the key that join gave."                                          \
    }

struct in_join {
    struct slice id, name, meta, resume, replaces, after, token, password;
};
struct in_exchange {
    struct slice key, after;
    struct message_in *send;
    size_t send_count;
    int64_t wait_ms, turn; /* turn 0: none given, the later to arrive wins */
};
struct in_leave {
    struct slice key;
    bool soon;
};
struct in_host {
    struct slice key, peer;
    bool ban;
};
struct in_settings {
    struct slice key, locked, lobby, password; /* raw, but for the key */
};
struct in_doctor {
    struct slice admin_key, lines;
    int64_t ms;
};

extern const struct json_field ep_join_fields[], ep_exchange_fields[], ep_messages_fields[],
    ep_leave_fields[], ep_ice_fields[], ep_host_fields[], ep_settings_fields[],
    ep_doctor_hold_fields[], ep_doctor_report_fields[], ep_doctor_save_fields[];

struct problem ep_health(struct ep_call *c);
struct problem ep_embed(struct ep_call *c);
struct problem ep_join(struct ep_call *c);
struct problem ep_room(struct ep_call *c);
struct problem ep_exchange(
    struct ep_call *c); /* POST messages too, which has no after and no wait_ms */
struct problem ep_read(struct ep_call *c);
struct problem ep_leave(struct ep_call *c);
struct problem ep_ice(struct ep_call *c);
struct problem ep_settings(struct ep_call *c);
struct problem ep_admit(struct ep_call *c);
struct problem ep_kick(struct ep_call *c);
struct problem ep_hand_on(struct ep_call *c);
struct problem ep_doctor_echo(struct ep_call *c); /* GET and POST */
struct problem ep_doctor_hold(struct ep_call *c);
struct problem ep_doctor_report(struct ep_call *c);
struct problem ep_doctor_save(struct ep_call *c);
struct problem ep_admin_rooms(struct ep_call *c);
struct problem ep_admin_room(struct ep_call *c);
struct problem ep_admin_open(struct ep_call *c);
struct problem ep_admin_close(struct ep_call *c);
struct problem ep_admin_kick(struct ep_call *c);
struct problem ep_admin_events(struct ep_call *c);
struct problem ep_admin_metrics(struct ep_call *c);
/* Does the request bring the admin key? 401 key-invalid, 403 not-permitted, 429 rate-limited. */
struct problem ep_admin_check(const struct ep_call *c);

/* route_resume() for a parked exchange. */
enum outcome ep_exchange_resume(struct app *app, struct arena *scratch, struct waiter *w,
                                enum wake wake, struct answer *an);

/* route_resume() for a hold of the doctor's. */
enum outcome ep_doctor_resume(struct app *app, const struct waiter *w, enum wake wake,
                              struct answer *an);

/* Count one call for the row's policy: 429 when its address has made too many. */
struct problem ep_doctor_count(const struct ep_call *c);

/* What this binary can do, for join and health. */
#define EP_FEATURES \
    "[\"exchange\",\"resume\",\"replaces\",\"supersede\",\"doctor\",\"tokens\",\"ice\",\"admin\",\"hosts\"]"

/* Let the parked request's answer be read where this one's may be. False: no memory. */
bool ep_keep_origin(struct ep_call *c);
/* The longest that a poll is held, in ms. */
int64_t ep_hold_ms(const struct app *app);
/* What `retry_ms` says where no poll can be held. */
int64_t ep_retry_ms(const struct app *app);

/* Append `"limits":{…}`: what one member may use. */
void ep_put_limits(struct buf *b, const struct config *cfg);
/* Append `"ice_servers":[…]`, with credentials for `peer`, and how long those hold. */
void ep_put_ice_servers(struct buf *b, const struct app *app, const char *peer);
/* Append `"locked":…,"lobby":…,"password":…`: what a newcomer meets. */
void ep_put_settings(struct buf *b, const struct room_settings *settings);
/* Append `"hosts":[…]`. */
void ep_put_hosts(struct buf *b, const struct room_settings *settings);
/* Append `"peers":[…]`. */
void ep_put_peers(struct buf *b, const struct member_view *peers, size_t count);

#endif
