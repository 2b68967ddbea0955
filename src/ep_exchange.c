/* Acknowledge, send, read and wait: the calls that the long poll is made of. */
#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "ep.h"
#include "ep_place.h"
#include "metrics.h"
#include "slots.h"

#define IN(field)      offsetof(struct in_exchange, field)
#define MESSAGE(field) offsetof(struct message_in, field)

enum {
    HOLD_PROCESS_MS_MAX = 20000, /* under mod_fcgid's FcgidIOTimeout with room to spare */
    HOLD_TICK_MS = 50,           /* between moments at which holds end … */
    HOLD_TICKS_FROM_MS = 2000,   /* … where they are long enough */
    RETRY_MS = 3000,             /* between looks where this process can hold no more */
    SHORT_WAIT_MS = 1000,        /* who would wait less than this asks for no place elsewhere */
    PARKED_MAX = 64,             /* polls of a room whose leases are renewed with another's */
    SENT_BYTES_MAX = ROOM_SENDS_MAX * (ROOM_MESSAGE_ID_BYTES_MAX * 6 + 40),
};
#define WAIT_MS_MAX (INT64_C(1) << 53) /* what JSON's numbers carry exactly; cut to the hold */
#define TURN_MAX    ((INT64_C(1) << 30) - 1) /* what an owner word of the bell holds */

static const struct json_field message_fields[] = {
    { .name = "id",
      .type = JSON_STRING,
      .offset = MESSAGE(id),
      .min = 1,
      .max = ROOM_MESSAGE_ID_BYTES_MAX,
      .required = true,
      .wrong = "Each message needs an id of 1 to 64 bytes." },
    { .name = "to",
      .type = JSON_STRING,
      .offset = MESSAGE(to),
      .min = 1,
      .max = 64,
      .wrong = "to must be a peer id; leave it out to reach everybody." },
    { .name = "type",
      .type = JSON_STRING,
      .offset = MESSAGE(type),
      .min = 1,
      .max = ROOM_TYPE_BYTES_MAX,
      .required = true,
      .wrong = "Each message needs a type of 1 to 64 bytes." },
    { .name = "data",
      .type = JSON_RAW,
      .offset = MESSAGE(data),
      .max = HTTP_BODY_BYTES_MAX,
      .required = true,
      .wrong = "Each message needs data, any JSON." },
    { .name = NULL },
};

#define SEND_FIELD(is_required)                                                                  \
    {                                                                                            \
        .name = "send", .type = JSON_LIST, .offset = IN(send), .max = ROOM_SENDS_MAX,            \
        .required = (is_required), .row = message_fields, .row_size = sizeof(struct message_in), \
        .count_offset = IN(send_count), .wrong = "send must be a list of up to 256 messages."    \
    }

const struct json_field ep_exchange_fields[] = {
    EP_KEY_FIELD,
    { .name = "after",
      .type = JSON_STRING,
      .offset = IN(after),
      .max = 64,
      .wrong = "after must be a cursor that an answer gave." },
    SEND_FIELD(false),
    { .name = "wait_ms",
      .type = JSON_INTEGER,
      .offset = IN(wait_ms),
      .min = 0,
      .max = WAIT_MS_MAX,
      .wrong = "wait_ms must be a whole number of milliseconds from 0." },
    { .name = "turn",
      .type = JSON_INTEGER,
      .offset = IN(turn),
      .min = 0,
      .max = TURN_MAX,
      .wrong = "turn must be a whole number from 0 to 1073741823." },
    { .name = NULL },
};

const struct json_field ep_messages_fields[] = {
    EP_KEY_FIELD,
    SEND_FIELD(true),
    { .name = NULL },
};

int64_t ep_hold_ms(const struct app *app)
{
    int64_t hold_ms = app->cfg.hold_ms;
    return app->process_per_poll && hold_ms > HOLD_PROCESS_MS_MAX ? HOLD_PROCESS_MS_MAX : hold_ms;
}

static void put_message(struct buf *b, const struct message_out *m)
{
    buf_printf(b, "{\"seq\":%lld,\"from\":", (long long)m->seq);
    if (m->from.at != NULL)
        json_put_string(b, m->from);
    else
        buf_text(b, "null");
    if (m->to.at != NULL) {
        buf_text(b, ",\"to\":");
        json_put_string(b, m->to);
    }
    buf_text(b, ",\"type\":");
    json_put_string(b, m->type);
    buf_text(b, ",\"data\":");
    buf_slice(b, m->data);
    buf_printf(b, ",\"sent_ms\":%lld}", (long long)m->sent_ms);
}

static void put_messages(struct buf *b, const struct exchange_result *res)
{
    for (size_t i = 0; i < res->count; i++) {
        if (i > 0) buf_text(b, ",");
        put_message(b, &res->messages[i]);
    }
}

static void put_sent(struct buf *b, const struct sent *sent, size_t count)
{
    buf_text(b, "[");
    for (size_t i = 0; i < count; i++) {
        buf_text(b, i == 0 ? "{\"id\":" : ",{\"id\":");
        json_put_string(b, sent[i].id);
        buf_printf(b, ",\"seq\":%lld}", (long long)sent[i].seq);
    }
    buf_text(b, "]");
}

/* What an answer says beside the messages. */
struct said {
    const char *sent;               /* JSON list, or NULL: none was sent */
    const struct given_mail *given; /* in place of messages; NULL: those were read */
    bool superseded;
    bool retry; /* say retry_ms; 0: a place is kept where polls are held */
    int64_t retry_ms;
};

static void put_answer(struct buf *b, const struct exchange_result *res, const struct said *said)
{
    buf_text(b, "{\"messages\":[");
    if (said->given != NULL)
        buf_add(b, said->given->text.at, said->given->text.len);
    else
        put_messages(b, res);
    buf_text(b, "]");
    if (res->next.given) {
        char cursor[CURSOR_TEXT_BYTES + 1];
        cursor_format(&res->next, cursor);
        buf_printf(b, ",\"next\":\"%s\"", cursor);
    }
    buf_printf(b, ",\"more\":%s,\"sent\":%s", res->more ? "true" : "false",
               said->sent == NULL ? "[]" : said->sent);
    if (said->retry) buf_printf(b, ",\"retry_ms\":%lld", (long long)said->retry_ms);
    if (said->superseded) buf_text(b, ",\"superseded\":true");
    if (res->gap) {
        buf_text(b, ",\"gap\":true,");
        ep_put_peers(b, res->peers, res->peers_count);
    }
    buf_text(b, "}");
}

/* An answer that takes nothing: the same cursor again. */
static struct exchange_result nothing_after(struct cursor after)
{
    return (struct exchange_result){ .next = after };
}

int64_t ep_retry_ms(const struct app *app)
{
    int64_t third_ms = app->cfg.lease_ms / 3;
    return third_ms < RETRY_MS ? third_ms : RETRY_MS;
}

/* An answer ends a wait: is there a place for the next poll of this member? */
static void tell_place(struct app *app, const char *peer, struct said *said)
{
    int none;
    if (!app->process_per_poll) return;
    said->retry_ms = ep_place_ask(app, peer, EP_PLACE_KEEP, &none);
    said->retry = said->retry || said->retry_ms > 0;
}

/* Hold one more poll? Takes its slot where each costs a process; else says when to come again. */
static bool may_hold(struct app *app, struct waiter *w, enum ep_place where, struct said *said)
{
    if (park_count(app->park) >= app->parked_max)
        said->retry_ms = ep_retry_ms(app);
    else if (app->process_per_poll)
        said->retry_ms = ep_place_ask(app, w->wait.peer, where, &w->slot);
    said->retry = said->retry_ms > 0;
    return !said->retry;
}

/* Up to a tenth shorter, so that polls that began together do not end together; but those whose end
 * is near do, so that the process wakes for some at once. */
static int64_t hold_until_ms(const struct app *app, int64_t wait_ms)
{
    uint16_t draw = 0;
    ident_random(&draw, sizeof draw);
    int64_t until_ms = app_now_ms(app) + wait_ms - wait_ms * draw / (10 * (UINT16_MAX + 1));
    return wait_ms < HOLD_TICKS_FROM_MS ? until_ms : until_ms - until_ms % HOLD_TICK_MS;
}

bool ep_keep_origin(struct ep_call *c)
{
    const char *origin = c->an->origin;
    return origin[0] == '\0' || (c->waiter->origin = strdup(origin)) != NULL;
}

/* A poll has come: is it the newest of its member? It ends whichever is older, wherever that is:
 * *elsewhere when that is in another process. */
static bool claim(struct ep_call *c, struct waiter *w, bool *elsewhere)
{
    struct bell *bell = c->app->bell;
    bool superseded = park_has_newer(c->app->park, c->room, w->wait.peer, w->turn);
    /* Where another member's word lies over this one's: who was here a moment ago is nowhere else.
     */
    bool here = bell != NULL && !bell_owner_told(bell, w->wait.peer) &&
                park_rests(c->app->park, c->room, w->wait.peer);
    if (bell != NULL && !superseded)
        w->ticket = bell_owner_claim(bell, w->wait.peer, w->turn, &superseded, elsewhere);
    *elsewhere = *elsewhere && !here;
    if (*elsewhere) app_ring(c->app, c->room);
    return !superseded;
}

/* The poll half of an exchange that asked to wait: answer what is there, else hold. */
static struct problem poll(struct ep_call *c, struct exchange_result *res, struct said *said,
                           struct cursor after, int64_t wait_ms, int64_t turn)
{
    struct waiter *w = c->waiter;
    bool elsewhere = false, hold = false;
    *w = (struct waiter){
        .wait = res->wait,
        .turn = turn > 0 ? turn : -1,
        .slot = -1,
    };
    if (!claim(c, w, &elsewhere)) {
        *res = nothing_after(after);
        said->superseded = true;
    } else if (ep_place_elsewhere(c)) {
        said->retry = wait_ms >= SHORT_WAIT_MS;
        if (said->retry) tell_place(c->app, res->wait.peer, said);
    } else if (res->count > 0 || res->gap) {
        tell_place(c->app, res->wait.peer, said);
    } else {
        hold = may_hold(c->app, w, elsewhere ? EP_PLACE_TAKE_OVER : EP_PLACE_HERE, said);
        if (hold && said->sent != NULL) hold = (w->sent = strdup(said->sent)) != NULL;
        if (hold) hold = ep_keep_origin(c);
    }
    if (hold) {
        w->deadline.at_ms = hold_until_ms(c->app, wait_ms);
        c->park = true;
    } else {
        park_drop(c->app, w);
        put_answer(&c->an->body, res, said);
    }
    return NO_PROBLEM;
}

static void count_sent(struct app *app, const struct message_in *sent, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += sent[i].data.len;
    metrics_add(app->metrics, METRIC_MESSAGES_SENT, count);
    metrics_add(app->metrics, METRIC_BYTES_SENT, bytes);
}

/* What lets the next poll of this member go on from this one; `rung` from before the exchange. */
static void remember(const struct ep_call *c, uint32_t rung, struct room_wait *wait)
{
    wait->rung = rung;
    wait->sure = c->app->bell != NULL && !c->app->data_remote;
}

static struct problem exchange_to_wait(struct ep_call *c, struct exchange_ask *ask,
                                       struct exchange_result *res)
{
    struct room_wait *parked[PARKED_MAX];
    struct app *app = c->app;
    uint32_t rung = app->bell == NULL ? 0 : bell_rung(app->bell, bell_bucket(c->room));
    ask->parked = parked;
    ask->parked_count = park_in_room(app->park, c->room, parked, PARKED_MAX);
    struct problem p = room_exchange(app, c->rq->arena, ask, res);
    if (p.status == 0 && res->count == 0) remember(c, rung, &res->wait);
    return p;
}

/* Give what was sent to those who wait for it here: that takes the place of having rung for it.
 * Where who waits may miss more, all is left to serve_look(). `heard`: app->rung before it was
 * sent. */
static void give_fresh(const struct ep_call *c, const struct exchange_ask *ask,
                       const struct exchange_result *res, size_t heard)
{
    struct app *app = c->app;
    struct buf text;
    if (res->fresh.tenure == 0 || app->rung_count > APP_RUNG_MAX) return;
    if (!park_knows(app->park, c->room)) return;
    park_mark_heard(app->park, heard);
    buf_init(&text, ROOM_ANSWER_BYTES_MAX);
    int64_t last = 0;
    for (size_t i = 0; i < ask->send_count; i++) {
        const struct message_in *in = &ask->send[i];
        if (res->sent[i].seq <= last) continue; /* the same id once more */
        last = res->sent[i].seq;
        struct message_out m = { .seq = last,
                                 .from = slice_of(res->peer),
                                 .to = in->to,
                                 .type = in->type,
                                 .data = in->data,
                                 .sent_ms = res->fresh.sent_ms };
        struct park_mail mail = {
            .room = c->room, .to = in->to, .from = res->peer, .fresh = res->fresh
        };
        buf_clear(&text);
        put_message(&text, &m);
        mail.text = (struct slice){ text.at, text.len };
        if (text.failed) mail.fresh.tenure = 0; /* to be looked for */
        park_give(app->park, &mail);
    }
    buf_free(&text);
}

static struct problem exchange(struct ep_call *c, const struct in_exchange *in)
{
    struct exchange_ask ask = {
        .room = c->room, .key = c->key, .send = in->send, .send_count = in->send_count
    };
    if (!cursor_parse(in->after, &ask.after))
        return PROBLEM(400, "bad-cursor", "after is not a cursor.");
    int64_t hold_ms = ep_hold_ms(c->app);
    int64_t wait_ms = in->wait_ms < hold_ms ? in->wait_ms : hold_ms;
    bool waits = ask.after.given && wait_ms > 0;
    struct exchange_result res = nothing_after(ask.after);
    bool goes_on = waits && ask.send_count == 0 &&
                   park_goes_on(c->app->park, c->room, c->key, &ask.after, &res.wait);
    struct problem p = NO_PROBLEM;
    size_t heard = c->app->rung_count;
    if (!goes_on && waits)
        p = exchange_to_wait(c, &ask, &res);
    else if (!goes_on)
        p = room_exchange(c->app, c->rq->arena, &ask, &res);
    if (p.status != 0) return p;
    give_fresh(c, &ask, &res, heard);
    count_sent(c->app, ask.send, ask.send_count);
    metrics_add(c->app->metrics, METRIC_MESSAGES_READ, res.count);

    struct buf sent;
    struct said said = { 0 };
    buf_init(&sent, SENT_BYTES_MAX);
    if (ask.send_count > 0) {
        put_sent(&sent, res.sent, ask.send_count);
        buf_add(&sent, "", 1);
        if (sent.failed) p = PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5);
        said.sent = sent.at;
    }
    if (p.status == 0 && waits)
        p = poll(c, &res, &said, ask.after, wait_ms, in->turn);
    else if (p.status == 0)
        put_answer(&c->an->body, &res, &said);
    if (c->park) c->waiter->goes_on = goes_on;
    buf_free(&sent);
    return p;
}

struct problem ep_exchange(struct ep_call *c)
{
    return exchange(c, c->in);
}

/* A whole number in the query; absent: 0. */
static bool query_number(struct request *rq, const char *name, int64_t max, int64_t *out)
{
    struct slice text;
    *out = 0;
    if (!http_form_field(rq->arena, rq->query, name, &text)) return false;
    if (text.at == NULL) return true;
    if (text.len == 0 || text.len > 16) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') return false;
        *out = *out * 10 + (text.at[i] - '0');
    }
    return *out <= max;
}

struct problem ep_read(struct ep_call *c)
{
    struct in_exchange in = { 0 };
    if (!http_form_field(c->rq->arena, c->rq->query, "after", &in.after))
        return PROBLEM(400, "bad-cursor", "after is not a cursor.");
    if (!query_number(c->rq, "wait_ms", WAIT_MS_MAX, &in.wait_ms) ||
        !query_number(c->rq, "turn", TURN_MAX, &in.turn))
        return PROBLEM(400, "invalid-request", "wait_ms and turn are whole numbers from 0.");
    return exchange(c, &in);
}

static bool is_newest(const struct app *app, const struct waiter *w)
{
    return app->bell == NULL || bell_owner_newest(app->bell, w->wait.peer, w->ticket);
}

enum outcome ep_exchange_resume(struct app *app, struct arena *scratch, struct waiter *w,
                                enum wake wake, struct answer *an)
{
    struct exchange_result res = nothing_after(w->wait.after);
    struct said said = { .sent = w->sent };
    said.superseded = wake == WAKE_SUPERSEDED || !is_newest(app, w);
    if (wake == WAKE_LOOK && !said.superseded) said.given = w->given;
    w->rests = wake == WAKE_DEADLINE && !said.superseded && w->wait.sure;
    /* Whose time is over is told nothing: the next poll reads anyhow. */
    if (said.given != NULL) {
        res.next = said.given->next;
        res.count = said.given->count;
    } else if (!said.superseded && wake != WAKE_DEADLINE) {
        struct problem p = room_look(app, scratch, &w->wait, &res);
        bool busy = PROBLEM_IS_BUSY(p);
        if (busy && wake == WAKE_LOOK) return OUTCOME_BUSY;
        if (busy) {
            res = nothing_after(w->wait.after);
        } else if (p.status != 0) {
            http_answer_problem(an, p);
            return OUTCOME_ANSWER;
        }
        if (wake == WAKE_LOOK && res.count == 0 && !res.gap) return OUTCOME_PARK;
    }
    if (w->slot >= 0) {
        slots_give(app->slots, w->slot);
        w->slot = -1;
        if (!said.superseded) tell_place(app, w->wait.peer, &said);
    }
    metrics_add(app->metrics, METRIC_MESSAGES_READ, res.count);
    put_answer(&an->body, &res, &said);
    return OUTCOME_ANSWER;
}
