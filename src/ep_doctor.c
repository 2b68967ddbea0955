/* What the doctor page asks the server for. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "config_edit.h"
#include "doctor.h"
#include "ep.h"
#include "ep_place.h"
#include "log.h"
#include "rates.h"
#include "slots.h"

#define IN(field) offsetof(struct in_doctor, field)

enum {
    CALLS_PER_MINUTE = 600, /* for each address: the page makes a hundred */
    HOLDS_PER_MINUTE = 60,  /* the same, without the admin key */
    REPORTS_PER_MINUTE = 60,
    REPORTS_PER_MINUTE_ALL = 300, /* each writes to the disk */
    HOLD_MS_MAX = 30000,
    LINES_BYTES_MAX = 4096,
    HOLDS_MAX = 64,        /* at a time, where they cost no process: of each process's */
    HOLDS_ADMIN_MAX = 128, /* the same with the admin key: it finds room when others hold 64 */
    SLOTS_ADMIN_MAX = 64,  /* of the budget, with the admin key: to find out what a host bears */
};

#define ADMIN_KEY_FIELD                                                    \
    {                                                                      \
        .name = "admin_key", .type = JSON_STRING, .offset = IN(admin_key), \
        .max = CONFIG_TEXT_BYTES_MAX - 1,                                  \
        .wrong = "admin_key must be a string of up to 511 bytes."          \
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

const struct json_field ep_doctor_save_fields[] = {
    ADMIN_KEY_FIELD,
    { .name = "lines",
      .type = JSON_RAW,
      .offset = IN(lines),
      .max = LINES_BYTES_MAX,
      .required = true,
      .wrong = "lines must be an object with the settings to save." },
    { .name = NULL },
};

/* The settings that the doctor may save: what its findings ask for. */
struct lines {
    int64_t hold_ms, polls_max; /* -1: not given */
    struct slice mode, poll_url;
};

static const struct json_field lines_fields[] = {
    { .name = "hold_ms",
      .type = JSON_INTEGER,
      .offset = offsetof(struct lines, hold_ms),
      .max = 110000,
      .wrong = "hold_ms must be a whole number from 0 to 110000." },
    { .name = "polls_max",
      .type = JSON_INTEGER,
      .offset = offsetof(struct lines, polls_max),
      .max = 1000,
      .wrong = "polls_max must be a whole number from 0 to 1000." },
    { .name = "mode",
      .type = JSON_STRING,
      .offset = offsetof(struct lines, mode),
      .max = 16,
      .wrong = "mode must be auto, process or parked." },
    { .name = "poll_url",
      .type = JSON_STRING,
      .offset = offsetof(struct lines, poll_url),
      .max = CONFIG_TEXT_BYTES_MAX - 1,
      .wrong = "poll_url must be a path or URL of up to 511 characters." },
    { .name = NULL },
};

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
    const char *value = http_env(rq->env, name);
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

/* Hold one more? 0, or when to come again. Where each costs a process, as a plain CGI one always
 * does, it takes a place of the polls' budget: strangers in turn with the members who wait for one,
 * all strangers together as one of them. */
static int64_t ask_to_hold(struct app *app, struct waiter *w, bool admin)
{
    bool costs = app->process_per_poll || strcmp(app->how, "cgi") == 0;
    size_t holds_max = admin ? HOLDS_ADMIN_MAX : HOLDS_MAX;
    if (park_count(app->park) >= app->parked_max ||
        (!costs && park_count_no_room(app->park) >= holds_max))
        return ep_retry_ms(app);
    if (!costs) return 0;
    if (!admin) return ep_place_ask(app, "doctor", EP_PLACE_HERE, &w->slot);
    int budget = app->cfg.polls_max < SLOTS_ADMIN_MAX ? SLOTS_ADMIN_MAX : (int)app->cfg.polls_max;
    if (app->slots != NULL) w->slot = slots_take(app->slots, budget);
    return w->slot >= 0 ? 0 : ep_retry_ms(app);
}

struct problem ep_doctor_hold(struct ep_call *c)
{
    const struct in_doctor *in = c->in;
    struct waiter *w = c->waiter;
    bool admin;
    struct problem p = admit(c, "doctor-hold", HOLDS_PER_MINUTE, &admin);
    if (p.status != 0) return p;
    *w = (struct waiter){
        .wait = { .lease_wake_ms = INT64_MAX, .since_ms = app_now_ms(c->app) },
        .turn = -1,
        .slot = -1,
        .no_room = true,
    };
    w->deadline.at_ms = w->wait.since_ms + in->ms;
    int64_t retry_ms = in->ms == 0 ? 0 : ask_to_hold(c->app, w, admin);
    c->park = in->ms > 0 && retry_ms == 0 && ep_keep_origin(c);
    if (c->park) return NO_PROBLEM;
    park_drop(c->app, w);
    buf_text(&c->an->body, "{\"held_ms\":0");
    if (retry_ms > 0) buf_printf(&c->an->body, ",\"retry_ms\":%lld", (long long)retry_ms);
    buf_text(&c->an->body, "}");
    return NO_PROBLEM;
}

enum outcome ep_doctor_resume(struct app *app, const struct waiter *w, enum wake wake,
                              struct answer *an)
{
    if (wake == WAKE_LOOK) return OUTCOME_PARK;
    buf_printf(&an->body, "{\"held_ms\":%lld}", (long long)(app_now_ms(app) - w->wait.since_ms));
    return OUTCOME_ANSWER;
}

struct problem ep_doctor_report(struct ep_call *c)
{
    struct app *app = c->app;
    bool admin;
    int retry_after_s = 0;
    struct problem p = admit(c, "doctor-report", REPORTS_PER_MINUTE, &admin);
    if (p.status != 0) return p;
    if (!admin && !rates_take(app->rates, "doctor-report-all", "", REPORTS_PER_MINUTE_ALL,
                              app_now_ms(app), &retry_after_s))
        return PROBLEM_RETRY(429, "rate-limited", "Too many reports; wait a little.",
                             retry_after_s);
    doctor_report(app, c->rq->env, admin, &c->an->body);
    return NO_PROBLEM;
}

static bool is_mode(struct slice mode)
{
    return slice_is(mode, "auto") || slice_is(mode, "process") || slice_is(mode, "parked");
}

static bool is_address(struct slice url)
{
    for (size_t i = 0; i < url.len; i++) {
        if (url.at[i] <= ' ' || url.at[i] > '~') return false;
    }
    return true;
}

/* The settings of `in`, numbers as text in the arena. */
static struct problem settings_of(struct ep_call *c, struct slice in,
                                  struct config_setting settings[4], size_t *count)
{
    struct lines lines = { .hold_ms = -1, .polls_max = -1 };
    struct problem p = json_decode(c->rq->arena, in, lines_fields, &lines);
    if (p.status != 0) return p;
    if (lines.mode.at != NULL && !is_mode(lines.mode))
        return PROBLEM(400, "invalid-request", "mode must be auto, process or parked.");
    if (!is_address(lines.poll_url))
        return PROBLEM(400, "invalid-request", "poll_url must be a path or URL without spaces.");
    const struct {
        const char *key;
        int64_t number;
        struct slice text;
    } given[] = {
        { "hold_ms", lines.hold_ms, SLICE_NONE },
        { "polls_max", lines.polls_max, SLICE_NONE },
        { "mode", -1, lines.mode },
        { "poll_url", -1, lines.poll_url },
    };
    *count = 0;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct slice value = given[i].text;
        if (given[i].number >= 0) {
            char text[24];
            int len = snprintf(text, sizeof text, "%lld", (long long)given[i].number);
            value = slice_of(arena_copy(c->rq->arena, text, (size_t)len));
            if (value.at == NULL)
                return PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5);
        }
        if (value.at != NULL) settings[(*count)++] = (struct config_setting){ given[i].key, value };
    }
    return *count > 0 ? NO_PROBLEM
                      : PROBLEM(400, "invalid-request", "lines has no setting that can be saved.");
}

struct problem ep_doctor_save(struct ep_call *c)
{
    const struct in_doctor *in = c->in;
    struct config_setting settings[4];
    size_t count = 0;
    bool admin;
    struct problem p = admin_check(c->app, c->rq->address, in->admin_key, &admin);
    if (p.status == 0 && !admin) p = PROBLEM(403, "not-permitted", "Saving needs the admin key.");
    if (p.status == 0) p = settings_of(c, in->lines, settings, &count);
    if (p.status == 0) p = config_save(c->app->cfg.path, settings, count);
    if (p.status != 0) return p;
    log_event(LOG_LEVEL_WARNING, "configuration-saved", "settings=%zu", count);
    for (size_t i = 0; i < count; i++)
        buf_printf(&c->an->body, "%s\"%s\"", i == 0 ? "{\"saved\":[" : ",", settings[i].key);
    buf_text(&c->an->body, "]}");
    return NO_PROBLEM;
}
