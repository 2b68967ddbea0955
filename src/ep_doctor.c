/* What the doctor page asks the server for. */
#include <string.h>

#include "admin.h"
#include "ep.h"
#include "log.h"
#include "rates.h"
#include "slots.h"

#define IN(field) offsetof(struct in_doctor, field)

enum {
    CALLS_PER_MINUTE = 600, /* for each address: the page makes a hundred */
    HOLDS_PER_MINUTE = 60,  /* the same, without the admin key */
    HOLD_MS_MAX = 30000,
    HOLDS_MAX = 64,        /* at a time, where they cost no process: of each process's */
    HOLDS_ADMIN_MAX = 128, /* the same with the admin key: it finds room when others hold 64 */
    SLOTS_ADMIN_MAX = 64,  /* of the budget, with the admin key: to find out what a host bears */
};

#define ADMIN_KEY_FIELD                                                                \
    {                                                                                  \
        .name = "admin_key", .type = JSON_STRING, .offset = IN(admin_key), .max = 256, \
        .wrong = "admin_key must be a string of up to 256 bytes."                      \
    }

const struct json_field ep_doctor_hold_fields[] = {
    ADMIN_KEY_FIELD,
    { .name = "ms",
      .type = JSON_INTEGER,
      .offset = IN(ms),
      .min = 0,
      .max = HOLD_MS_MAX,
      .required = true,
      .wrong = "ms must be a whole number of milliseconds, 0 to 30000." },
    { .name = NULL },
};

const struct json_field ep_doctor_report_fields[] = { ADMIN_KEY_FIELD, { .name = NULL } };

static struct problem count(const struct ep_call *c, const char *what, int64_t per_minute)
{
    int retry_after_s = 0;
    if (rates_take(c->app->rates, what, c->rq->address, per_minute, app_now_ms(c->app),
                   &retry_after_s))
        return NO_PROBLEM;
    return PROBLEM_RETRY(429, "rate-limited", "Too many calls from this address; wait a little.",
                         retry_after_s);
}

struct problem ep_doctor_count(const struct ep_call *c)
{
    return count(c, "doctor", CALLS_PER_MINUTE);
}

/* Who calls? Without the admin key the call is counted once more, as `what`. */
static struct problem admit(const struct ep_call *c, const char *what, int64_t per_minute,
                            bool *admin)
{
    const struct in_doctor *in = c->in;
    struct problem p = admin_check(c->app, c->rq->address, in->admin_key, admin);
    return p.status != 0 || *admin ? p : count(c, what, per_minute);
}

static const char *env_of(const struct request *rq, const char *name)
{
    const char *value = rq->env == NULL ? NULL : http_env(rq->env, name);
    return value == NULL ? "" : value;
}

static bool is_https(const struct request *rq)
{
    const char *https = env_of(rq, "HTTPS");
    return strcasecmp(https, "on") == 0 || strcmp(https, "1") == 0 ||
           strcasecmp(env_of(rq, "REQUEST_SCHEME"), "https") == 0 ||
           strncasecmp(env_of(rq, "HTTP_X_FORWARDED_PROTO"), "https", 5) == 0;
}

/* One of a fixed list, so that nothing a caller sends comes back. */
static const char *known_type(struct slice type)
{
    static const char *const known[] = { "application/json", "application/x-www-form-urlencoded",
                                         "multipart/form-data", "text/plain",
                                         "application/octet-stream" };
    if (type.at == NULL || type.len == 0) return "";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (http_is_type(type, known[i])) return known[i];
    }
    return "other";
}

struct problem ep_doctor_echo(struct ep_call *c)
{
    const struct request *rq = c->rq;
    struct buf *b = &c->an->body;
    uint8_t hash[IDENT_HASH_BYTES];
    char hex[2 * sizeof hash + 1];
    ident_hash(rq->body.at, rq->body.len, hash);
    ident_hex(hash, sizeof hash, hex);
    buf_printf(b, "{\"method\":\"%s\",\"content_type\":\"%s\",\"body_bytes\":%zu,",
               rq->method == HTTP_GET ? "GET" : "POST", known_type(rq->content_type), rq->body.len);
    const struct {
        const char *name;
        bool here;
    } marks[] = {
        { "authorization", *env_of(rq, "HTTP_AUTHORIZATION") != '\0' },
        { "x_klatch_key", *env_of(rq, "HTTP_X_KLATCH_KEY") != '\0' },
        { "https", is_https(rq) },
        { "origin", rq->origin.len > 0 },
        { "query", rq->query.len > 0 },
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        buf_printf(b, "\"%s\":%s,", marks[i].name, marks[i].here ? "true" : "false");
    buf_printf(b, "\"body_sha256\":\"%s\"}", hex);
    return NO_PROBLEM;
}

/* Can one more be held? Takes its slot where each costs a process: a plain CGI one always does. */
static bool may_hold(struct app *app, struct waiter *w, bool admin)
{
    if (park_count(app->park) >= app->parked_max) return false;
    int64_t holds_max = admin ? HOLDS_ADMIN_MAX : HOLDS_MAX;
    if (!app->process_per_poll && strcmp(app->how, "cgi") != 0)
        return (int64_t)park_count_no_room(app->park) < holds_max;
    int64_t budget = app->cfg.polls_max;
    if (admin && budget < SLOTS_ADMIN_MAX) budget = SLOTS_ADMIN_MAX;
    if (app->slots != NULL) w->slot = slots_take(app->slots, (int)budget);
    return w->slot >= 0;
}

struct problem ep_doctor_hold(struct ep_call *c)
{
    const struct in_doctor *in = c->in;
    struct waiter *w = c->waiter;
    bool admin;
    struct problem p = admit(c, "doctor-hold", HOLDS_PER_MINUTE, &admin);
    if (p.status != 0) return p;
    *w = (struct waiter){
        .wait.lease_wake_ms = INT64_MAX,
        .turn = -1,
        .slot = -1,
        .origin = c->an->origin.at,
        .no_room = true,
        .since_ms = app_now_ms(c->app),
    };
    w->deadline.at_ms = w->since_ms + in->ms;
    c->park = in->ms > 0 && may_hold(c->app, w, admin);
    if (c->park) return NO_PROBLEM;
    buf_text(&c->an->body, "{\"held_ms\":0");
    if (in->ms > 0) buf_printf(&c->an->body, ",\"retry_ms\":%lld", (long long)ep_retry_ms(c->app));
    buf_text(&c->an->body, "}");
    return NO_PROBLEM;
}

enum outcome ep_doctor_resume(struct app *app, const struct waiter *w, enum wake wake,
                              struct answer *an)
{
    if (wake == WAKE_LOOK) return OUTCOME_PARK;
    buf_printf(&an->body, "{\"held_ms\":%lld}", (long long)(app_now_ms(app) - w->since_ms));
    return OUTCOME_ANSWER;
}
