#include "ep_place.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "slots.h"

/* The two names under which the binary is uploaded. */
static const char main_name[] = "klatch.fcgi", poll_name[] = "klatch-poll.fcgi";

enum { SCRIPT_BYTES_MAX = 1024 };

int64_t ep_place_ask(struct app *app, const char *peer, enum ep_place where, int *slot)
{
    /* Where a process answers one request at a time, the last one of the budget is kept free to
     * say that there is no place. A plain CGI program has a process of its own for that. */
    bool spare = strcmp(app->how, "fastcgi") == 0 && app->cfg.polls_max > 1;
    struct slots_ask ask = {
        .member = peer,
        .places = (int)app->cfg.polls_max - (spare ? 1 : 0),
        .here = where != EP_PLACE_KEEP,
        .newer = where == EP_PLACE_TAKE_OVER,
        .retry_most_ms = app->cfg.lease_ms / 3,
        .now_ms = app_now_ms(app),
    };
    return slots_ask(app->slots, &ask, slot);
}

/* The last part of a path, up to its query and its end. */
static struct slice last_part(const char *path, size_t len)
{
    size_t at = len;
    while (at > 0 && path[at - 1] != '/') at--;
    return (struct slice){ path + at, len - at };
}

/* The name of the program that this call went to: what stands before /v1/ in its address, which
 * may be a short name that the web server rewrites. */
static struct slice asked_for(const struct ep_call *c)
{
    const char *uri = http_env(c->rq->env, "REQUEST_URI");
    const char *end = uri == NULL ? NULL : strstr(uri, "/v1/");
    return end == NULL ? SLICE_NONE : last_part(uri, (size_t)(end - uri));
}

/* The name of the program's file. */
static struct slice ran_as(const struct ep_call *c)
{
    const char *file = http_env(c->rq->env, "SCRIPT_FILENAME");
    if (file == NULL) file = http_env(c->rq->env, "SCRIPT_NAME");
    return file == NULL ? SLICE_NONE : last_part(file, strlen(file));
}

/* Does the copy of the binary that is meant for polls lie beside this one? */
static bool has_poll_copy(const struct ep_call *c)
{
    char path[PATH_MAX];
    const char *file = http_env(c->rq->env, "SCRIPT_FILENAME");
    if (file == NULL) return false;
    size_t folder = (size_t)(last_part(file, strlen(file)).at - file);
    int n = snprintf(path, sizeof path, "%.*s%s", (int)folder, file, poll_name);
    return n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0;
}

static bool is_ours(struct slice name)
{
    return slice_is(name, main_name) || slice_is(name, poll_name);
}

/* The poll copy's path for a browser where the web server rewrites a short address: in the folder
 * of SCRIPT_NAME, which comes decoded. NULL: that doesn't name the program, or another host. */
static const char *beside_script(const struct ep_call *c)
{
    static const char plain[] = "/-._~!$&'()*+,;=:@";
    const char *script = http_env(c->rq->env, "SCRIPT_NAME");
    if (script == NULL) return NULL;
    size_t len = strlen(script);
    struct slice name = last_part(script, len);
    if (len > SCRIPT_BYTES_MAX || !is_ours(name) || script[0] != '/' || script[1] == '/')
        return NULL;
    char *url = arena_alloc(c->rq->arena, 3 * len + sizeof poll_name), *to = url;
    for (const char *at = script; url != NULL && at < name.at; at++) {
        bool keep = isalnum((unsigned char)*at) || strchr(plain, *at) != NULL;
        to += keep ? sprintf(to, "%c", *at) : sprintf(to, "%%%02X", (unsigned char)*at);
    }
    if (url != NULL) memcpy(to, poll_name, sizeof poll_name);
    return url;
}

/* Where polls go; NULL: the same place as everything else. Seen from …/klatch.fcgi/v1/ it is the
 * neighbour, which stays right behind a proxy that puts another path before. */
static const char *poll_url(const struct ep_call *c)
{
    const struct app *app = c->app;
    if (app->cfg.poll_url[0] != '\0') return app->cfg.poll_url;
    bool pools = app->process_per_poll && strcmp(app->how, "fastcgi") == 0;
    if (!pools || !has_poll_copy(c)) return NULL;
    return is_ours(asked_for(c)) ? "../../klatch-poll.fcgi" : beside_script(c);
}

bool ep_place_elsewhere(const struct ep_call *c)
{
    if (!c->app->process_per_poll) return false;
    const char *url = poll_url(c);
    if (url == NULL) return false;
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/') len--;
    struct slice there = last_part(url, len), here = asked_for(c), file = ran_as(c);
    bool same = slice_equal(there, here) || slice_equal(there, file);
    return !same;
}

void ep_place_put(struct ep_call *c, const char *peer)
{
    struct app *app = c->app;
    struct buf *b = &c->an->body;
    const char *url = poll_url(c);
    int none;
    buf_printf(b, "\"poll\":{\"hold_ms\":%lld,\"lease_ms\":%lld", (long long)ep_hold_ms(app),
               (long long)app->cfg.lease_ms);
    if (url != NULL) {
        buf_text(b, ",\"url\":");
        json_put_string(b, slice_of(url));
    }
    if (app->process_per_poll) {
        int64_t retry_ms = ep_place_ask(app, peer, EP_PLACE_KEEP, &none);
        if (retry_ms > 0) buf_printf(b, ",\"retry_ms\":%lld", (long long)retry_ms);
    }
    buf_text(b, "}");
}
