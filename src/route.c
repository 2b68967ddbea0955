#include "route.h"

#include <stdio.h>
#include <string.h>

#include "ep.h"
#include "metrics.h"

enum {
    NEED_KEY = 1,
    DOCTOR =
        2,     /* counted for each address, before its body is looked at; answered in trouble too */
    ADMIN = 4, /* the site's owner's, by the admin key in a header */
};
enum {
    BODY_JOIN_MAX = 65536,
    BODY_LEAVE_MAX = 4096,
    BODY_ICE_MAX = 4096,
    BODY_HOST_MAX = 4096,
    BODY_ECHO_MAX = 100000,
    BODY_DOCTOR_MAX = 8192,
    BODY_ADMIN_MAX = 4096,
};

struct route {
    enum http_method method;
    const char *path; /* {room} stands for one segment */
    unsigned policy;
    size_t body_max; /* 0: takes no body */
    const struct json_field *fields;
    struct problem (*handler)(struct ep_call *);
};

static const struct route routes[] = {
    { HTTP_GET, "/v1/health", 0, 0, NULL, ep_health },
    { HTTP_GET, "/v1/embed", 0, 0, NULL, ep_embed },
    { HTTP_POST, "/v1/rooms/{room}/join", 0, BODY_JOIN_MAX, ep_join_fields, ep_join },
    { HTTP_POST, "/v1/rooms/{room}/exchange", NEED_KEY, HTTP_BODY_BYTES_MAX, ep_exchange_fields,
      ep_exchange },
    { HTTP_POST, "/v1/rooms/{room}/messages", NEED_KEY, HTTP_BODY_BYTES_MAX, ep_messages_fields,
      ep_exchange },
    { HTTP_GET, "/v1/rooms/{room}/messages", NEED_KEY, 0, NULL, ep_read },
    { HTTP_POST, "/v1/rooms/{room}/leave", NEED_KEY, BODY_LEAVE_MAX, ep_leave_fields, ep_leave },
    { HTTP_POST, "/v1/rooms/{room}/ice", NEED_KEY, BODY_ICE_MAX, ep_ice_fields, ep_ice },
    { HTTP_POST, "/v1/rooms/{room}/settings", NEED_KEY, BODY_HOST_MAX, ep_settings_fields,
      ep_settings },
    { HTTP_POST, "/v1/rooms/{room}/admit", NEED_KEY, BODY_HOST_MAX, ep_host_fields, ep_admit },
    { HTTP_POST, "/v1/rooms/{room}/kick", NEED_KEY, BODY_HOST_MAX, ep_host_fields, ep_kick },
    { HTTP_POST, "/v1/rooms/{room}/host", NEED_KEY, BODY_HOST_MAX, ep_host_fields, ep_hand_on },
    { HTTP_GET, "/v1/rooms/{room}", 0, 0, NULL, ep_room },
    { HTTP_GET, "/v1/doctor/echo", DOCTOR, 0, NULL, ep_doctor_echo },
    { HTTP_POST, "/v1/doctor/echo", DOCTOR, BODY_ECHO_MAX, NULL, ep_doctor_echo },
    { HTTP_POST, "/v1/doctor/hold", DOCTOR, BODY_DOCTOR_MAX, ep_doctor_hold_fields,
      ep_doctor_hold },
    { HTTP_POST, "/v1/doctor/report", DOCTOR, BODY_DOCTOR_MAX, ep_doctor_report_fields,
      ep_doctor_report },
    { HTTP_POST, "/v1/doctor/save", DOCTOR, BODY_DOCTOR_MAX, ep_doctor_save_fields,
      ep_doctor_save },
    { HTTP_GET, "/v1/admin/rooms", ADMIN, 0, NULL, ep_admin_rooms },
    { HTTP_GET, "/v1/admin/rooms/{room}", ADMIN, 0, NULL, ep_admin_room },
    { HTTP_POST, "/v1/admin/rooms/{room}/open", ADMIN, BODY_ADMIN_MAX, NULL, ep_admin_open },
    { HTTP_POST, "/v1/admin/rooms/{room}/close", ADMIN, BODY_ADMIN_MAX, NULL, ep_admin_close },
    { HTTP_POST, "/v1/admin/rooms/{room}/kick", ADMIN, BODY_ADMIN_MAX, ep_host_fields,
      ep_admin_kick },
    { HTTP_GET, "/v1/admin/events", ADMIN, 0, NULL, ep_admin_events },
    { HTTP_GET, "/v1/admin/metrics", ADMIN, 0, NULL, ep_admin_metrics },
};
_Static_assert(sizeof routes / sizeof *routes < METRICS_CALLS_MAX, "each is counted by itself");

/* What any row's field table fills; zeroed before. */
union any_in {
    struct in_key key;
    struct in_join join;
    struct in_exchange exchange;
    struct in_leave leave;
    struct in_host host;
    struct in_settings settings;
    struct in_doctor doctor;
};

/* Does `path` have the segments of `pattern`? *room is the segment at {room}. */
static bool matches(const char *pattern, struct slice path, struct slice *room)
{
    const char *at = path.at, *end = path.at + path.len;
    while (*pattern != '\0') {
        if (*pattern == '{') {
            const char *stop = at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
            if (stop == NULL) stop = end;
            *room = (struct slice){ at, (size_t)(stop - at) };
            at = stop;
            pattern = strchr(pattern, '}') + 1;
        } else {
            if (at == end || *at != *pattern) return false;
            at++;
            pattern++;
        }
    }
    return at == end;
}

/* The row for method and path. NULL: *allow names the methods the path has, or is NULL: no such
 * path. */
static const struct route *find(const struct request *rq, struct slice *room, const char **allow)
{
    bool get = false, post = false;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!matches(routes[i].path, rq->path, room)) continue;
        if (routes[i].method == rq->method) return &routes[i];
        *(routes[i].method == HTTP_GET ? &get : &post) = true;
    }
    *allow = get && post ? "GET, POST, OPTIONS"
             : get       ? "GET, OPTIONS"
             : post      ? "POST, OPTIONS"
                         : NULL;
    return NULL;
}

/* The JSON text of the request, whichever of the two types carries it. */
static struct problem body_of(const struct request *rq, struct slice *json)
{
    *json = rq->body;
    if (http_is_type(rq->content_type, "application/json")) return NO_PROBLEM;
    if (!http_is_type(rq->content_type, "application/x-www-form-urlencoded"))
        return PROBLEM(415, "unsupported-type",
                       "Send application/json, or a form with one field named json.");
    if (!http_form_field(rq->arena, rq->body, "json", json) || json->at == NULL)
        return PROBLEM(400, "invalid-request", "The form needs a field json with valid escapes.");
    return NO_PROBLEM;
}

static struct problem decode(const struct route *route, struct ep_call *c, union any_in *in)
{
    if (c->rq->body_too_large || (route->body_max > 0 && c->rq->body.len > route->body_max))
        return PROBLEM(413, "message-too-large", "The request is larger than this call takes.");
    if (route->fields == NULL) return NO_PROBLEM;
    struct slice json;
    struct problem p = body_of(c->rq, &json);
    if (p.status != 0) return p;
    return json_decode(c->rq->arena, json, route->fields, in);
}

static struct problem run(const struct route *route, struct slice room, struct ep_call *c)
{
    union any_in in = { 0 };
    if (strchr(route->path, '{') != NULL) {
        if (room.at == NULL || !room_name_valid(room))
            return PROBLEM(400, "invalid-request",
                           "A room's name is 1 to 64 characters of A-Z a-z 0-9 _ and -.");
        memcpy(c->room, room.at, room.len);
    }
    struct problem p = route->policy & DOCTOR ? ep_doctor_count(c) : NO_PROBLEM;
    if (route->policy & ADMIN) p = ep_admin_check(c);
    if (p.status == 0) p = decode(route, c, &in);
    if (p.status != 0) return p;
    if (route->policy & NEED_KEY) {
        c->key = in.key.key.at != NULL ? in.key.key : c->rq->key;
        if (c->key.at == NULL || c->key.len == 0)
            return PROBLEM(401, "key-invalid", "This call needs the key that join gave.");
    }
    c->in = &in;
    p = route->handler(c);
    c->in = NULL;
    return p;
}

static void answer_problem(struct answer *an, struct problem p)
{
    if (PROBLEM_IS_BUSY(p)) p.retry_after_s = 1;
    http_answer_problem(an, p);
}

/* Half an answer is none. */
static void check_whole(struct answer *an)
{
    if (!an->body.failed) return;
    http_answer_problem(an, PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5));
}

enum outcome route_handle(struct app *app, struct request *rq, struct answer *an,
                          struct waiter *waiter)
{
    struct slice room = SLICE_NONE;
    const char *allow = NULL;
    http_allow_origin(an, &app->cfg, rq);
    const struct route *route = find(rq, &room, &allow);
    if (route == NULL) {
        an->allow = allow;
        if (allow == NULL)
            http_answer_problem(an, PROBLEM(404, "not-found", "There is no such call."));
        else if (rq->method == HTTP_OPTIONS)
            an->status = 204;
        else
            http_answer_problem(an, PROBLEM(405, "method-not-allowed",
                                            "This call takes another method; see Allow."));
        return OUTCOME_ANSWER;
    }
    an->call = (uint8_t)(route - routes + 1);
    if (app->trouble.status != 0 && !(route->policy & DOCTOR)) {
        http_answer_problem(an, app->trouble);
        return OUTCOME_ANSWER;
    }
    struct ep_call c = { .app = app, .rq = rq, .an = an, .waiter = waiter };
    struct arena_mark before = arena_mark(rq->arena);
    const void *kept = rq->kept;
    struct problem p = run(route, room, &c);
    if (p.status != 0) {
        answer_problem(an, p);
        if (!PROBLEM_IS_BUSY(p)) return OUTCOME_ANSWER;
        /* It may be handled a hundred times; once, what is to be kept was among this. */
        if (rq->kept == kept) arena_back(rq->arena, &before);
        return OUTCOME_BUSY;
    }
    check_whole(an);
    if (c.park) waiter->call = an->call;
    return c.park ? OUTCOME_PARK : OUTCOME_ANSWER;
}

enum outcome route_resume(struct app *app, struct arena *scratch, struct waiter *waiter,
                          enum wake wake, struct answer *an)
{
    if (waiter->origin != NULL) memcpy(an->origin, waiter->origin, strlen(waiter->origin) + 1);
    an->call = waiter->call;
    enum outcome outcome = waiter->no_room ? ep_doctor_resume(app, waiter, wake, an)
                                           : ep_exchange_resume(app, scratch, waiter, wake, an);
    check_whole(an);
    return outcome;
}

bool route_call_name(size_t call, char out[ROUTE_NAME_BYTES_MAX])
{
    if (call > sizeof routes / sizeof *routes) return false;
    if (call == 0)
        snprintf(out, ROUTE_NAME_BYTES_MAX, "other");
    else
        snprintf(out, ROUTE_NAME_BYTES_MAX, "%s %s",
                 routes[call - 1].method == HTTP_GET ? "GET" : "POST", routes[call - 1].path);
    return true;
}

void route_refuse(struct app *app, const struct request *rq, struct problem p, struct answer *an)
{
    http_allow_origin(an, &app->cfg, rq);
    answer_problem(an, p);
}
