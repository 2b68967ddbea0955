/* What the site's owner asks for, with the admin key: who is where, rooms opened and closed, the
 * feed of events, figures. Nothing that anybody sent is in any of it. */
#include <string.h>

#include "admin.h"
#include "ep.h"
#include "events.h"
#include "metrics.h"
#include "room_admin.h"
#include "sweep.h"

enum {
    ROOMS_MAX = 50,            /* of one answer */
    EVENTS_MAX = 200,          /* likewise */
    ANSWER_BYTES_MAX = 100000, /* above, nothing more is begun: an answer stays under 128 kB */
    PEOPLE_MAX = 128,          /* of one room: as many as may be in it, and as many who wait */
    BUSY_MS = 500,    /* so long others are asked to let go of a room before it is told as busy */
    SWEEP_FILES = 16, /* visited by each look at the feed */
};

struct problem ep_admin_check(const struct ep_call *c)
{
    bool admin;
    struct problem p = admin_check(c->app, c->rq->address, c->rq->key, &admin);
    if (p.status != 0 || admin) return p;
    return PROBLEM(401, "key-invalid",
                   "This call needs the admin key, as Authorization: Bearer or X-Klatch-Key.");
}

/* ---- rooms ---- */

static void put_text(struct buf *b, const char *name, struct slice text)
{
    if (text.at == NULL) return;
    buf_printf(b, ",\"%s\":", name);
    json_put_string(b, text);
}

static const char *state_name(int state)
{
    return state == MEMBER_PRESENT ? "present" : state == MEMBER_LAPSED ? "lapsed" : "waiting";
}

static void put_people(struct buf *b, const struct room_seen *seen)
{
    size_t i = 0;
    buf_text(b, ",\"people\":[");
    for (; i < seen->count && b->len < ANSWER_BYTES_MAX; i++) {
        const struct member_known *m = &seen->people[i];
        buf_text(b, i == 0 ? "{\"peer\":" : ",{\"peer\":");
        json_put_string(b, m->peer);
        put_text(b, "name", m->name);
        put_text(b, "sub", m->sub);
        buf_printf(b, ",\"role\":\"%s\",\"state\":\"%s\"}", m->host ? "host" : "member",
                   state_name(m->state));
    }
    buf_text(b, "]");
    if (i < seen->known) buf_printf(b, ",\"left_off\":%zu", seen->known - i);
}

static void put_room(struct buf *b, const char *room, const struct room_seen *seen)
{
    buf_printf(b, "{\"room\":\"%s\"", room);
    if (seen->opened_ms > 0) buf_printf(b, ",\"opened_ms\":%lld", (long long)seen->opened_ms);
    buf_printf(b, ",\"stays\":%s,", seen->stays ? "true" : "false");
    ep_put_settings(b, &seen->settings);
    put_people(b, seen);
    buf_text(b, "}");
}

/* May this request still wait for others to let go of a room? */
static bool may_wait(const struct ep_call *c)
{
    int64_t now_ms = app_now_ms(c->app);
    if (c->rq->busy_ms == 0) c->rq->busy_ms = now_ms;
    return now_ms - c->rq->busy_ms < BUSY_MS;
}

static struct problem no_such_room(void)
{
    return PROBLEM(404, "room-not-found", "There is no such room.");
}

static struct problem view(const struct ep_call *c, const char *room, struct room_seen *seen)
{
    struct problem p = room_view(c->app, c->rq->arena, room, PEOPLE_MAX, seen);
    return p.status == 410 ? no_such_room() : p;
}

static struct problem rooms_after(struct slice after, char *from)
{
    from[0] = '\0';
    if (after.at == NULL) return NO_PROBLEM;
    if (!room_name_valid(after))
        return PROBLEM(400, "bad-cursor", "after is the next of an answer: a room's name.");
    memcpy(from, after.at, after.len);
    from[after.len] = '\0';
    return NO_PROBLEM;
}

/* Ask for all that are locked, so that the next try finds them free. */
static struct problem ask_for(struct ep_call *c, char (*rooms)[ROOM_NAME_BYTES_MAX + 1],
                              size_t count)
{
    struct problem busy = NO_PROBLEM;
    for (size_t i = 0; i < count; i++) {
        struct problem p = room_ask_for(c->app, rooms[i]);
        if (PROBLEM_IS_BUSY(p)) busy = p;
    }
    return busy;
}

struct problem ep_admin_rooms(struct ep_call *c)
{
    struct slice after;
    char from[ROOM_NAME_BYTES_MAX + 1], rooms[ROOMS_MAX][ROOM_NAME_BYTES_MAX + 1];
    struct buf *b = &c->an->body;
    bool more;
    size_t i = 0, told = 0;
    if (!http_form_field(c->rq->arena, c->rq->query, "after", &after)) after = slice_of("?");
    struct problem p = rooms_after(after, from);
    if (p.status != 0) return p;
    size_t count = store_rooms_after(c->app, from, rooms, ROOMS_MAX, &more);
    if (may_wait(c)) p = ask_for(c, rooms, count);
    if (p.status != 0) return p;
    buf_text(b, "{\"rooms\":[");
    for (; i < count && b->len < ANSWER_BYTES_MAX; i++) {
        struct room_seen seen;
        p = view(c, rooms[i], &seen);
        if (p.status == 404) continue;
        if (told++ > 0) buf_text(b, ",");
        if (p.status == 0)
            put_room(b, rooms[i], &seen);
        else
            buf_printf(b, "{\"room\":\"%s\",\"busy\":true}", rooms[i]);
    }
    more = more || i < count;
    buf_printf(b, "],\"more\":%s", more ? "true" : "false");
    if (more && i > 0) buf_printf(b, ",\"next\":\"%s\"", rooms[i - 1]);
    buf_text(b, "}");
    return NO_PROBLEM;
}

struct problem ep_admin_room(struct ep_call *c)
{
    struct room_seen seen;
    struct problem p = view(c, c->room, &seen);
    if (p.status == 0) put_room(&c->an->body, c->room, &seen);
    return p;
}

struct problem ep_admin_open(struct ep_call *c)
{
    struct problem p = room_open(c->app, c->room);
    if (p.status == 0) buf_printf(&c->an->body, "{\"room\":\"%s\",\"open\":true}", c->room);
    return p;
}

struct problem ep_admin_close(struct ep_call *c)
{
    struct problem p = room_close(c->app, c->room);
    if (p.status == 0) buf_printf(&c->an->body, "{\"room\":\"%s\",\"open\":false}", c->room);
    return p;
}

struct problem ep_admin_kick(struct ep_call *c)
{
    const struct in_host *in = c->in;
    struct host_ask ask = { .room = c->room, .peer = in->peer, .ban = in->ban };
    struct problem p = room_remove(c->app, c->rq->arena, &ask);
    if (p.status == 410) p = no_such_room();
    if (p.status != 0) return p;
    buf_printf(&c->an->body, "{\"room\":\"%s\",\"peer\":", c->room);
    json_put_string(&c->an->body, in->peer);
    buf_printf(&c->an->body, ",\"ban\":%s}", in->ban ? "true" : "false");
    return NO_PROBLEM;
}

/* ---- events ---- */

static void put_event(struct buf *b, uint64_t epoch, const struct event *e)
{
    char id[CURSOR_TEXT_BYTES + 1];
    cursor_format(&(struct cursor){ true, epoch, e->id }, id);
    buf_printf(b, "{\"id\":\"%s\",\"room\":", id);
    json_put_string(b, e->room);
    buf_printf(b, ",\"order\":%lld,\"type\":", (long long)e->order);
    json_put_string(b, e->type);
    put_text(b, "peer", e->peer);
    put_text(b, "sub", e->sub);
    put_text(b, "reason", e->reason);
    buf_printf(b, ",\"time_ms\":%lld}", (long long)e->time_ms);
}

struct problem ep_admin_events(struct ep_call *c)
{
    struct slice after_text;
    struct cursor after;
    struct events_page page;
    char next[CURSOR_TEXT_BYTES + 1];
    struct buf *b = &c->an->body;
    if (!c->app->cfg.events)
        return PROBLEM(404, "not-found",
                       "This server keeps no events: events is off in klatch.conf.");
    if (!http_form_field(c->rq->arena, c->rq->query, "after", &after_text) ||
        !cursor_parse(after_text, &after))
        return PROBLEM(400, "bad-cursor", "after is the id of an event, or the next of an answer.");
    if (!c->rq->again) sweep_some(c->app, SWEEP_FILES); /* who has gone is noticed now */
    struct problem p = events_read(c->app, c->rq->arena, &after, EVENTS_MAX, &page);
    if (p.status != 0) return p;
    buf_text(b, "{\"events\":[");
    size_t i = 0;
    for (; i < page.count && b->len < ANSWER_BYTES_MAX; i++) {
        if (i > 0) buf_text(b, ",");
        put_event(b, page.next.epoch, &page.events[i]);
    }
    if (i < page.count) {
        page.more = true;
        page.next.seq = page.events[i - 1].id;
    }
    cursor_format(&page.next, next);
    buf_printf(b, "],\"next\":\"%s\",\"more\":%s", next, page.more ? "true" : "false");
    if (page.gap) buf_text(b, ",\"gap\":true");
    buf_text(b, "}");
    return NO_PROBLEM;
}

/* ---- figures ---- */

struct problem ep_admin_metrics(struct ep_call *c)
{
    c->an->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_put(c->app, route_call_name, &c->an->body);
    return NO_PROBLEM;
}
