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
    store_room_read(tx->db);
    while ((room->told_messages >= cfg->mailbox_messages_max / 4 ||
            room->told_bytes + (int64_t)bytes > cfg->mailbox_bytes_max / 4) &&
           store_message_oldest(tx->db, true, &m)) {
        drop_unread(tx, &m);
        store_room_read(tx->db);
    }
}

/* Append one of the server's own messages about a member; it goes to all others. */
static int64_t tell(struct room_tx *tx, const char *type, const char *about, const struct buf *data)
{
    struct tally t = { .head = store_room(tx->db)->head + 1 };
    if (data->failed) store_out_of_memory(tx->db);
    if (!store_members_others(tx->db, about)) { /* nobody would ever read it */
        store_tally(tx->db, NULL, &t);
        return t.head;
    }
    make_room_to_tell(tx, data->len + strlen(type) + STORE_MESSAGE_BYTES);
    struct message_new m = {
        .seq = t.head,
        .sender = about,
        .server = true,
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

int64_t room_tell(struct room_tx *tx, const char *type, const struct member_view *about,
                  bool resumed)
{
    struct buf b;
    buf_init(&b, TOLD_BYTES_MAX);
    buf_text(&b, "{\"peer\":");
    json_put_string(&b, about->peer);
    if (about->name.at != NULL) {
        buf_text(&b, ",\"name\":");
        json_put_string(&b, about->name);
    }
    if (about->meta.at != NULL) {
        buf_text(&b, ",\"meta\":");
        buf_slice(&b, about->meta);
    }
    int64_t joined = about->joined != 0 ? about->joined : store_room(tx->db)->head + 1;
    buf_printf(&b, ",\"joined\":%lld%s}", (long long)joined, resumed ? ",\"resumed\":true" : "");
    if (strcmp(type, "peer-joined") == 0) room_note(tx, type, about->peer.at, NULL);
    int64_t seq = tell(tx, type, about->peer.at, &b);
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
    room_note(tx, "peer-left", peer, reason);
    tell(tx, "peer-left", peer, &b);
    buf_free(&b);
}

/* ---- leases ---- */

bool room_lease_worn(const struct room_tx *tx, const struct member_row *m)
{
    int64_t lease_ms = tx->app->cfg.lease_ms;
    return m->until_ms <= tx->now_ms + lease_ms - lease_ms / 3;
}

void room_lease_renew(struct room_tx *tx, struct member_row *m)
{
    m->state = MEMBER_PRESENT;
    tx->recount = true;
    m->until_ms = tx->now_ms + tx->app->cfg.lease_ms;
    store_member_set_state(tx->db, m->peer, m->state, m->until_ms);
}

bool room_lapse_due(const struct room_tx *tx)
{
    return store_members_next_lease(tx->db) <= tx->now_ms;
}

/* Mail beyond the TTL goes, whoever hasn't read it. */
static void expire_mail(struct room_tx *tx)
{
    struct message_oldest m;
    for (int i = 0; i < EXPIRE_MESSAGES_MAX && store_message_oldest(tx->db, false, &m); i++) {
        if (m.stored_ms + tx->app->cfg.ttl_ms > tx->now_ms) return;
        drop_unread(tx, &m);
    }
}

void room_expire(struct room_tx *tx, const char *spared)
{
    struct member_row m;
    bool prune = false;
    for (int i = 0; i < EXPIRE_MEMBERS_MAX; i++) {
        if (!store_member_due(tx->db, MEMBER_PRESENT, tx->now_ms, spared, &m)) break;
        store_member_set_state(tx->db, m.peer, MEMBER_LAPSED, m.until_ms + tx->app->cfg.grace_ms);
        tell_left(tx, m.peer, "lapsed", NULL);
    }
    for (int i = 0; i < EXPIRE_MEMBERS_MAX; i++) {
        if (!store_member_due(tx->db, MEMBER_LAPSED, tx->now_ms, spared, &m) &&
            !store_member_due(tx->db, MEMBER_LEFT, tx->now_ms, spared, &m))
            break;
        store_member_delete(tx->db, m.peer);
        prune = true;
    }
    expire_mail(tx);
    if (prune) room_prune(tx);
}

void room_member_leaves(struct room_tx *tx, const struct member_row *m, const char *reason,
                        const char *by)
{
    store_member_set_state(tx->db, m->peer, MEMBER_LEFT, tx->now_ms + tx->app->cfg.grace_ms);
    store_messages_delete_to(tx->db, m->peer, INT64_MAX);
    tell_left(tx, m->peer, reason, by);
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
        return room_member_of_key(tx, key, &m);
    }
    if (!m.key_used) store_member_set_key_used(tx->db, m.peer);
    tx->ring = true; /* a retry's too: who committed may have died before it rang */
    if (!soon) {
        if (m.state != MEMBER_LEFT) room_member_leaves(tx, &m, "left", NULL);
    } else if (m.state == MEMBER_PRESENT && m.until_ms > tx->now_ms + ROOM_SOON_MS) {
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
    if (store_member_by_peer(tx.db, slice_of(wait->peer), &m) && m.state == MEMBER_PRESENT &&
        m.until_ms > tx.now_ms + ROOM_HANGUP_MS) {
        store_member_hang_up(tx.db, m.peer, tx.now_ms + ROOM_HANGUP_MS);
        tx.ring = true; /* the next lease ends earlier than those who wait know */
    }
    return room_end(&tx, NO_PROBLEM);
}
