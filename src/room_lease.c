/* room_lease: presence is a lease. Renewing, lapsing, leaving, and what the others are told of it.
 */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "room_internal.h"

enum {
    TOLD_BYTES_MAX = ROOM_META_BYTES_MAX + 6 * ROOM_MEMBER_NAME_BYTES_MAX + 512,
    EXPIRE_MEMBERS_MAX = 64,   /* of one transaction; the next one goes on */
    EXPIRE_MESSAGES_MAX = 256, /* likewise */
};

/* ---- telling ---- */

/* Delete a message that somebody may not have read; those get a floor, and by it `gap`. */
static void drop_unread(struct room_tx *tx, const struct message_oldest *m)
{
    if (m->addressee[0] != '\0')
        store_member_raise_floor(tx->db, m->addressee, m->seq);
    else
        store_members_raise_floor(tx->db, m->sender, m->seq);
    store_message_delete(tx->db, m->seq);
}

/* The server's own mail has a quarter of a mailbox, as each member has: who comes and goes all day
 * must not fill the disk while somebody doesn't read. `gap` tells that one who is here. */
static void make_room_to_tell(struct room_tx *tx, size_t bytes)
{
    const struct config *cfg = &tx->app->cfg;
    const struct room_row *room = store_room(tx->db);
    struct message_oldest m;
    while ((room->told_messages >= cfg->mailbox_messages_max / 4 ||
            room->told_bytes + (int64_t)bytes > cfg->mailbox_bytes_max / 4) &&
           store_message_oldest(tx->db, true, &m)) {
        drop_unread(tx, &m);
    }
}

int64_t room_tell_data(struct room_tx *tx, const char *type, const char *about, struct slice to,
                       const struct buf *data)
{
    struct tally t = { .head = store_room(tx->db)->head + 1 };
    if (data->failed) store_out_of_memory(tx->db);
    if (to.at == NULL && !store_members_others(tx->db, about)) { /* nobody would ever read it */
        store_tally(tx->db, NULL, &t);
        return t.head;
    }
    make_room_to_tell(tx, data->len + strlen(type) + STORE_MESSAGE_BYTES);
    struct message_new m = {
        .seq = t.head,
        .sender = about,
        .server = true,
        .to = to,
        .type = slice_of(type),
        .data = { data->at, data->len },
        .sent_ms = app_wall_ms(tx->app),
        .stored_ms = tx->now_ms,
    };
    store_message_insert(tx->db, &m, &t);
    store_tally(tx->db, NULL, &t);
    tx->ring = true;
    return t.head;
}

void room_put_member(struct buf *b, const struct member_view *about)
{
    buf_text(b, "{\"peer\":");
    json_put_string(b, about->peer);
    if (about->name.at != NULL) {
        buf_text(b, ",\"name\":");
        json_put_string(b, about->name);
    }
    if (about->meta.at != NULL) {
        buf_text(b, ",\"meta\":");
        buf_slice(b, about->meta);
    }
}

void room_tell_one(struct room_tx *tx, const char *type, const struct member_view *about,
                   const char *to)
{
    struct buf b;
    buf_init(&b, TOLD_BYTES_MAX);
    room_put_member(&b, about);
    buf_text(&b, "}");
    room_tell_data(tx, type, about->peer.at, slice_of(to), &b);
    buf_free(&b);
}

int64_t room_tell(struct room_tx *tx, const char *type, const struct member_view *about,
                  bool resumed)
{
    struct buf b;
    buf_init(&b, TOLD_BYTES_MAX);
    room_put_member(&b, about);
    int64_t joined = about->joined != 0 ? about->joined : store_room(tx->db)->head + 1;
    buf_printf(&b, ",\"joined\":%lld%s}", (long long)joined, resumed ? ",\"resumed\":true" : "");
    if (strcmp(type, "peer-joined") == 0) room_note(tx, type, about->peer.at, NULL);
    int64_t seq = room_tell_data(tx, type, about->peer.at, SLICE_NONE, &b);
    buf_free(&b);
    return seq;
}

static void tell_left(struct room_tx *tx, const char *peer, const char *reason, const char *by)
{
    struct buf b;
    buf_init(&b, TOLD_BYTES_MAX);
    buf_printf(&b, "{\"peer\":\"%s\",\"reason\":\"%s\"", peer, reason);
    if (by != NULL) buf_printf(&b, ",\"by\":\"%s\"", by);
    buf_text(&b, "}");
    room_tell_data(tx, "peer-left", peer, SLICE_NONE, &b);
    buf_free(&b);
}

/* ---- leases ---- */

static bool worn(const struct app *app, int64_t until_ms)
{
    int64_t lease_ms = app->cfg.lease_ms;
    return until_ms <= app_now_ms(app) + lease_ms - lease_ms / 3;
}

bool room_lease_worn(const struct room_tx *tx, const struct member_row *m)
{
    return worn(tx->app, m->until_ms);
}

bool room_wait_rests(const struct app *app, const struct room_wait *wait)
{
    return !worn(app, wait->until_ms) && wait->lease_wake_ms > app_now_ms(app);
}

void room_lease_renew(struct room_tx *tx, struct member_row *m)
{
    tx->recount = true;
    if (m->state != MEMBER_WAITING) m->state = MEMBER_PRESENT;
    m->until_ms = tx->now_ms + tx->app->cfg.lease_ms;
    store_member_set_state(tx->db, m->peer, m->state, m->until_ms);
}

void room_leases_carry(struct room_tx *tx, struct room_wait *const *parked, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t until_ms = parked[i]->since_ms + tx->app->cfg.lease_ms;
        if (store_member_lengthen(tx->db, parked[i]->peer, tx->now_ms + ROOM_HANGUP_MS, until_ms))
            parked[i]->until_ms = until_ms;
    }
}

void room_member_acts(struct room_tx *tx, struct member_row *m)
{
    if (!m->key_used) store_member_set_key_used(tx->db, m->peer);
    if (room_lease_worn(tx, m)) room_lease_renew(tx, m);
}

bool room_lapse_due(const struct room_tx *tx)
{
    return store_members_next_lease(tx->db) <= tx->now_ms;
}

/* Mail beyond the TTL goes, whoever hasn't read it. True: some has gone. */
static bool expire_mail(struct room_tx *tx)
{
    struct message_oldest m;
    int gone = 0;
    if (room_holds_nothing(tx)) return false;
    while (gone < EXPIRE_MESSAGES_MAX && store_message_oldest(tx->db, false, &m) &&
           m.stored_ms + tx->app->cfg.ttl_ms <= tx->now_ms) {
        drop_unread(tx, &m);
        gone++;
    }
    return gone > 0;
}

void room_watch(struct room_tx *tx)
{
    struct room_rules rules = store_room(tx->db)->rules;
    if (rules.watched) return;
    rules.watched = true;
    store_room_set_rules(tx->db, &rules);
}

static bool asks_something(const struct room_row *room)
{
    return room->rules.locked || room->rules.lobby || room->rules.watched || room->password;
}

/* A present or lapsed member is gone: does that matter to who is host, or is nobody left? */
static void gone(struct room_tx *tx, const struct member_row *m)
{
    tx->changed = tx->changed || m->host;
    tx->settle = tx->settle || m->host || asks_something(store_room(tx->db));
}

/* Leases that ended in the lobby. There is no grace: who comes back knocks again. */
static void expire_waiting(struct room_tx *tx, const char *spared)
{
    struct member_row m;
    for (int i = 0; i < EXPIRE_MEMBERS_MAX; i++) {
        if (!store_member_due(tx->db, MEMBER_WAITING, tx->now_ms, spared, &m)) return;
        store_member_set_left(tx->db, m.peer, LEFT_ITSELF, tx->now_ms + tx->app->cfg.grace_ms);
        room_tell_withdrew(tx, m.peer, "lapsed");
        tx->settle = true;
    }
}

/* Members whose time is over: leases, and graces. */
static void expire_members(struct room_tx *tx, const char *spared)
{
    struct member_row m;
    bool prune = false;
    for (int i = 0; i < EXPIRE_MEMBERS_MAX; i++) {
        if (!store_member_due(tx->db, MEMBER_PRESENT, tx->now_ms, spared, &m)) break;
        store_member_set_state(tx->db, m.peer, MEMBER_LAPSED, m.until_ms + tx->app->cfg.grace_ms);
        room_note(tx, "peer-left", m.peer, "lapsed");
        tell_left(tx, m.peer, "lapsed", NULL);
        if (m.host) room_watch(tx);
    }
    if (store_room(tx->db)->rules.watched) expire_waiting(tx, spared);
    for (int i = 0; i < EXPIRE_MEMBERS_MAX; i++) {
        if (!store_member_due(tx->db, MEMBER_LAPSED, tx->now_ms, spared, &m) &&
            !store_member_due(tx->db, MEMBER_LEFT, tx->now_ms, spared, &m))
            break;
        store_member_delete(tx->db, m.peer);
        if (m.state == MEMBER_LAPSED) gone(tx, &m);
        prune = true;
    }
    if (prune) room_prune(tx);
}

bool room_expire(struct room_tx *tx, const char *spared)
{
    bool over = store_members_next_end(tx->db) <= tx->now_ms;
    if (over) expire_members(tx, spared);
    bool old = expire_mail(tx);
    room_settle(tx);
    return over || old;
}

void room_member_leaves(struct room_tx *tx, const struct member_row *m, enum member_left why,
                        const char *by)
{
    static const char *const words[] = {
        [LEFT_ITSELF] = "left", [LEFT_KICKED] = "kicked", [LEFT_REFUSED] = "refused"
    };
    store_member_set_left(tx->db, m->peer, why, tx->now_ms + tx->app->cfg.grace_ms);
    if (m->state == MEMBER_WAITING) {
        room_tell_withdrew(tx, m->peer, words[why]);
        tx->ring = tx->settle = true;
        return;
    }
    const char *reason = by != NULL ? "replaced" : words[why];
    store_messages_delete_to(tx->db, m->peer, INT64_MAX);
    if (m->state == MEMBER_PRESENT) room_note(tx, "peer-left", m->peer, reason);
    tell_left(tx, m->peer, reason, by);
    gone(tx, m);
    room_prune(tx);
}

/* ---- leaving ---- */

static struct problem leave(struct room_tx *tx, struct slice key, bool soon)
{
    struct member_row m;
    uint8_t hash[IDENT_HASH_BYTES];
    room_hash(key, hash);
    if (!store_member_by_key(tx->db, hash, &m)) {
        /* The problem of a former key, or of an unknown one. */
        return room_member_of_key(tx, hash, &m);
    }
    if (!m.key_used) store_member_set_key_used(tx->db, m.peer);
    tx->ring = true; /* a retry's too: who committed may have died before it rang */
    if (!soon) {
        if (m.state != MEMBER_LEFT) room_member_leaves(tx, &m, LEFT_ITSELF, NULL);
    } else if (room_member_there(tx, &m) && m.until_ms > tx->now_ms + ROOM_SOON_MS) {
        store_member_set_state(tx->db, m.peer, m.state, tx->now_ms + ROOM_SOON_MS);
    }
    room_expire(tx, "");
    return NO_PROBLEM;
}

struct problem room_leave(struct app *app, const char *room, struct slice key, bool soon)
{
    struct room_tx tx;
    struct problem problem = room_begin(&tx, app, NULL, room, STORE_WRITE);
    if (problem.status != 0) return problem;
    problem = leave(&tx, key, soon);
    if (problem.status == 0) tx.committed = "leave-committed";
    return room_end(&tx, problem);
}

struct problem room_hangup(struct app *app, const struct room_wait *wait)
{
    struct room_tx tx;
    struct member_row m;
    struct problem problem = room_begin(&tx, app, NULL, wait->room, STORE_READ);
    if (problem.status != 0) return problem;
    if (store_member_by_peer(tx.db, slice_of(wait->peer), &m) && room_member_there(&tx, &m) &&
        m.until_ms > tx.now_ms + ROOM_HANGUP_MS) {
        store_member_hang_up(tx.db, m.peer, tx.now_ms + ROOM_HANGUP_MS);
        tx.ring = true; /* the next lease ends earlier than those who wait know */
    }
    return room_end(&tx, NO_PROBLEM);
}
