/* room_mail: sending, acknowledging, reading, pruning. */
#include <string.h>

#include "room_internal.h"

enum {
    SENDER_SHARE = 4, /* a sender fills at most this part of the mailbox */
    /* Acknowledgements that nothing else writes down are, once this part of the mailbox is taken:
     * half of what one sender may fill … */
    ACK_SHARE = 8,
    /* … for then, or once this part of the whole is taken, what was acknowledged goes. Else it goes
     * with the next lease that is renewed: many at once cost a fraction of each by itself. */
    PRUNE_SHARE = 2,
};

/* ---- pruning ---- */

static void prune_to_all(struct room_tx *tx)
{
    char slowest[IDENT_PEER_BYTES + 1];
    int64_t least, second, head = store_room(tx->db)->head;
    if (!store_members_least_acked(tx->db, slowest, &least, &second)) {
        store_messages_delete_all(tx->db, head);
        return;
    }
    if (store_messages_delete_all(tx->db, least) > 0) store_members_raise_floor(tx->db, "", least);
    /* Of the slowest one's own mail to all nobody else has more to read up to the second. */
    if (second > head) second = head;
    if (second > least && store_messages_delete_by(tx->db, slowest, second) > 0)
        store_members_raise_floor(tx->db, slowest, second);
}

void room_prune(struct room_tx *tx)
{
    char peer[IDENT_PEER_BYTES + 1];
    int64_t acked;
    while (store_member_above_floor(tx->db, peer, &acked)) {
        store_messages_delete_to(tx->db, peer, acked);
        store_member_raise_floor(tx->db, peer, acked);
    }
    prune_to_all(tx);
}

static bool filled(const struct room_tx *tx, int64_t messages, int64_t bytes, int64_t share)
{
    const struct config *cfg = &tx->app->cfg;
    return messages >= cfg->mailbox_messages_max / share || bytes >= cfg->mailbox_bytes_max / share;
}

static bool prune_due(const struct room_tx *tx, const struct member_row *m)
{
    const struct room_row *room = store_room(tx->db);
    if (room_holds_nothing(tx)) return false;
    return room_lease_worn(tx, m) || filled(tx, room->messages, room->bytes, PRUNE_SHARE) ||
           filled(tx, m->held_messages, m->held_bytes, SENDER_SHARE * PRUNE_SHARE);
}

/* ---- sending ---- */

static bool type_allowed(struct slice type)
{
    static const char *const reserved[] = { "peer-", "room-", "klatch-" };
    if (type.at == NULL || type.len < 1 || type.len > ROOM_TYPE_BYTES_MAX) return false;
    for (size_t i = 0; i < type.len; i++) {
        char c = type.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        size_t len = strlen(reserved[i]);
        if (type.len >= len && memcmp(type.at, reserved[i], len) == 0) return false;
    }
    return true;
}

/* May this one be sent, but for the mailbox's bounds? *reached is the last addressee found. */
static struct problem check_message(struct room_tx *tx, const struct member_row *m,
                                    const struct message_in *in, struct slice *reached)
{
    struct member_row to;
    if (!type_allowed(in->type))
        return PROBLEM(400, "invalid-request",
                       "A type is 1 to 64 of a-z, 0-9 and -, and none of the server's own.");
    if (in->id.at == NULL || in->id.len < 1 || in->id.len > ROOM_MESSAGE_ID_BYTES_MAX)
        return PROBLEM(400, "invalid-request", "Each message needs an id of 1 to 64 bytes.");
    if (in->data.at == NULL)
        return PROBLEM(400, "invalid-request", "Each message needs data, any JSON.");
    if (in->data.len > (size_t)tx->app->cfg.message_bytes_max)
        return PROBLEM(413, "message-too-large", "A message's data is longer than allowed.");
    if (in->to.at == NULL || slice_equal(in->to, *reached)) return NO_PROBLEM;
    if (!store_member_by_peer(tx->db, in->to, &to) ||
        (to.state != MEMBER_PRESENT && to.state != MEMBER_LAPSED) || strcmp(to.peer, m->peer) == 0)
        return PROBLEM(404, "peer-not-found", "Nobody else in the room has this peer id.");
    *reached = in->to;
    return NO_PROBLEM;
}

static struct problem check_mailbox(const struct room_tx *tx, const struct member_row *m,
                                    int64_t messages, int64_t bytes)
{
    const struct config *cfg = &tx->app->cfg;
    const struct room_row *room = store_room(tx->db);
    if (m->held_messages + messages > cfg->mailbox_messages_max / SENDER_SHARE ||
        m->held_bytes + bytes > cfg->mailbox_bytes_max / SENDER_SHARE)
        return PROBLEM(507, "mailbox-full",
                       "Too much of what this member sent is not yet read; try again later.");
    if (room->messages + messages > cfg->mailbox_messages_max ||
        room->bytes + bytes > cfg->mailbox_bytes_max)
        return PROBLEM(507, "mailbox-full", "The room's mailbox is full; try again later.");
    return NO_PROBLEM;
}

/* The seq of the same id before `at` in this request, or 0. */
static int64_t earlier(const struct sent *sent, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (slice_equal(sent[i].id, sent[at].id)) return sent[i].seq;
    return 0;
}

/* Give every message its seq, negative where it is new; check that all of those may be sent. */
static struct problem number_all(struct room_tx *tx, const struct member_row *m,
                                 const struct exchange_ask *ask, bool others, struct sent *sent)
{
    int64_t seq = store_room(tx->db)->head, messages = 0, bytes = 0;
    struct slice reached = SLICE_NONE;
    for (size_t i = 0; i < ask->send_count; i++) {
        const struct message_in *in = &ask->send[i];
        sent[i].id = in->id;
        int64_t known = earlier(sent, i);
        if (known == 0 && m->message_ids > 0) known = store_message_id(tx->db, m->peer, in->id);
        sent[i].seq = known;
        if (known != 0) continue;
        struct problem problem = check_message(tx, m, in, &reached);
        if (problem.status != 0) return problem;
        sent[i].seq = -++seq;
        if (in->to.at == NULL && !others) continue; /* nobody to keep it for */
        messages++;
        bytes += (int64_t)(in->data.len + in->type.len) + STORE_MESSAGE_BYTES;
    }
    return messages == 0 ? NO_PROBLEM : check_mailbox(tx, m, messages, bytes);
}

static void send_one(struct room_tx *tx, const struct member_row *m, const struct message_in *in,
                     int64_t seq, bool others, struct tally *t)
{
    struct message_new new = {
        .seq = seq,
        .sender = m->peer,
        .to = in->to,
        .type = in->type,
        .data = in->data,
        .sent_ms = tx->sent_ms,
        .stored_ms = tx->now_ms,
    };
    if (in->to.at != NULL || others) store_message_insert(tx->db, &new, t);
    store_message_id_insert(tx->db, m->peer, in->id, seq, t);
}

/* Who may wait for these? Of retries too, since the process that committed them may have died
 * before it rang. */
static void ring_for(struct room_tx *tx, const struct message_in *in)
{
    for (size_t i = 0; i < tx->to_count; i++)
        if (slice_equal(tx->to[i], in->to)) return;
    if (in->to.at == NULL || tx->to_count == ROOM_RING_MEMBERS_MAX)
        tx->sent_to_all = true;
    else
        tx->to[tx->to_count++] = in->to;
}

static struct problem send_all(struct room_tx *tx, const struct member_row *m,
                               const struct exchange_ask *ask, struct exchange_result *out)
{
    if (ask->send_count > ROOM_SENDS_MAX)
        return PROBLEM(400, "invalid-request", "At most 256 messages in one request.");
    struct sent *sent = arena_alloc(tx->a, ask->send_count * sizeof *sent);
    if (sent == NULL) {
        store_out_of_memory(tx->db);
        return NO_PROBLEM;
    }
    bool to_all = false;
    for (size_t i = 0; i < ask->send_count; i++) to_all = to_all || ask->send[i].to.at == NULL;
    bool others = to_all && store_members_others(tx->db, m->peer);
    struct problem problem = number_all(tx, m, ask, others, sent);
    if (problem.status != 0) return problem;
    struct tally t = { .head = store_room(tx->db)->head };
    bool again = false;
    tx->sent_ms = app_wall_ms(tx->app);
    for (size_t i = 0; i < ask->send_count; i++) {
        ring_for(tx, &ask->send[i]);
        if (sent[i].seq > 0) {
            again = true;
            continue;
        }
        sent[i].seq = -sent[i].seq;
        if (sent[i].seq > t.head) send_one(tx, m, &ask->send[i], sent[i].seq, others, &t);
    }
    if (t.ids > 0) store_tally(tx->db, m->peer, &t);
    if (m->message_ids + t.ids >= ROOM_MESSAGE_IDS_MAX)
        store_message_ids_delete_older(tx->db, m->peer, ROOM_MESSAGE_IDS_KEPT);
    out->sent = sent;
    if (!again)
        out->fresh = (struct fresh_mail){ .tenure = store_tenure(tx->db), .sent_ms = tx->sent_ms };
    tx->committed = "send-committed";
    tx->rung = "send-rung";
    return NO_PROBLEM;
}

/* ---- reading ---- */

/* `servable` as it was before this request sent anything: a cursor above the head stays one. */
static void read_mail(struct room_tx *tx, const struct member_row *m, const struct cursor *after,
                      bool servable, struct exchange_result *out)
{
    out->gap = !servable;
    if (m->state == MEMBER_WAITING) {
        out->next = servable ? *after : room_cursor_oldest(tx, m);
        return;
    }
    if (!servable) {
        out->next = room_cursor_oldest(tx, m);
        store_members_present(tx->db, tx->a, m->peer, &out->peers, &out->peers_count);
        return;
    }
    /* Of what was said before it was let in nothing is for it. */
    int64_t from = after->seq > m->joined ? after->seq : m->joined;
    int64_t head = store_room(tx->db)->head;
    if (from < head)
        store_messages_after(tx->db, tx->a, m->peer, from, ROOM_ANSWER_MESSAGES_MAX,
                             ROOM_ANSWER_BYTES_MAX, &out->messages, &out->count, &out->more);
    out->next = *after;
    /* Where nothing else is for this member, what isn't is passed over. */
    out->next.seq = out->more ? out->messages[out->count - 1].seq : head;
}

static struct problem exchange(struct room_tx *tx, const struct exchange_ask *ask,
                               struct exchange_result *out)
{
    struct member_row m;
    uint8_t hash[IDENT_HASH_BYTES];
    room_hash(ask->key, hash);
    struct problem problem = room_member_of_key(tx, hash, &m);
    if (problem.status != 0) return problem;
    if (m.state == MEMBER_WAITING && ask->send_count > 0)
        return PROBLEM(403, "not-permitted", "Who waits to be let in can't send.");
    bool acks = m.state == MEMBER_PRESENT && ask->after.given &&
                room_cursor_servable(tx, &m, &ask->after) && ask->after.seq > m.acked;
    /* Who sends acts, as if a lease were over; 0: to be asked for, when all is done. */
    int64_t lease_wake_ms = ask->send_count > 0 ? 0 : store_members_next_lease(tx->db);
    if (lease_wake_ms <= tx->now_ms || !m.key_used || room_lease_worn(tx, &m) ||
        (acks && filled(tx, store_room(tx->db)->messages, store_room(tx->db)->bytes, ACK_SHARE))) {
        bool prune = prune_due(tx, &m);
        if (room_lease_worn(tx, &m)) room_leases_carry(tx, ask->parked, ask->parked_count);
        room_member_acts(tx, &m);
        bool other = room_expire(tx, "");
        if (acks) store_member_set_acked(tx->db, m.peer, ask->after.seq);
        if (prune) room_prune(tx);
        if (other || acks || prune) /* its floor and counters now */
            store_member_by_peer(tx->db, slice_of(m.peer), &m);
        if (m.state == MEMBER_LEFT) return room_member_gone(&m);
        lease_wake_ms = 0;
    }
    bool servable = room_cursor_servable(tx, &m, &ask->after);
    if (ask->send_count > 0) {
        problem = send_all(tx, &m, ask, out);
        if (problem.status != 0) return problem;
    }
    out->wait.waiting = m.state == MEMBER_WAITING;
    out->fresh.next = (struct cursor){ true, store_room(tx->db)->epoch, store_room(tx->db)->head };
    memcpy(out->peer, m.peer, sizeof out->peer);
    memcpy(out->wait.room, store_name(tx->db), strlen(store_name(tx->db)) + 1);
    memcpy(out->wait.peer, m.peer, sizeof out->wait.peer);
    memcpy(out->wait.key, hash, sizeof out->wait.key);
    if (!ask->after.given) return NO_PROBLEM;
    read_mail(tx, &m, &ask->after, servable, out);
    out->wait.after = out->next;
    out->wait.lease_wake_ms = lease_wake_ms > 0 ? lease_wake_ms : store_members_next_lease(tx->db);
    out->wait.tenure = store_tenure(tx->db);
    out->wait.since_ms = tx->now_ms;
    out->wait.until_ms = m.until_ms;
    return NO_PROBLEM;
}

struct problem room_exchange(struct app *app, struct arena *a, const struct exchange_ask *ask,
                             struct exchange_result *out)
{
    struct room_tx tx;
    memset(out, 0, sizeof *out);
    struct problem problem =
        room_begin(&tx, app, a, ask->room, ask->send_count > 0 ? STORE_WRITE : STORE_READ);
    if (problem.status != 0) return problem;
    problem = room_end(&tx, exchange(&tx, ask, out));
    if (tx.ring) out->fresh.tenure = 0; /* more was told than was sent */
    /* Perhaps what was renewed was not committed. */
    for (size_t i = 0; problem.status != 0 && i < ask->parked_count; i++)
        ask->parked[i]->until_ms = 0;
    return problem;
}

/* ---- looking again ---- */

static struct problem look(struct room_tx *tx, struct room_wait *wait, struct exchange_result *out)
{
    struct member_row m;
    /* The browser dropped an older poll and sent this one in the same instant. */
    if (store_member_by_peer(tx->db, slice_of(wait->peer), &m) && m.hung_up)
        room_lease_renew(tx, &m);
    int64_t lease_wake_ms = store_members_next_lease(tx->db);
    if (lease_wake_ms <= tx->now_ms) {
        room_expire(tx, "");
        (void)store_member_by_peer(tx->db, slice_of(wait->peer), &m);
        lease_wake_ms = store_members_next_lease(tx->db);
    }
    if (m.peer[0] == '\0' || (m.state != MEMBER_PRESENT && m.state != MEMBER_WAITING))
        return room_member_gone(&m);
    memcpy(out->peer, m.peer, sizeof out->peer);
    read_mail(tx, &m, &wait->after, room_cursor_servable(tx, &m, &wait->after), out);
    if (!out->gap && out->count == 0) wait->after = out->next;
    wait->waiting = m.state == MEMBER_WAITING;
    wait->tenure = store_tenure(tx->db);
    wait->lease_wake_ms = lease_wake_ms;
    wait->until_ms = m.until_ms;
    out->wait = *wait;
    return NO_PROBLEM;
}

struct problem room_look(struct app *app, struct arena *a, struct room_wait *wait,
                         struct exchange_result *out)
{
    struct room_tx tx;
    memset(out, 0, sizeof *out);
    struct problem problem = room_begin(&tx, app, a, wait->room, STORE_READ);
    if (problem.status == 404) return PROBLEM(410, "room-closed", "This room is over.");
    if (problem.status != 0) return problem;
    struct room_wait after = *wait; /* what failed on its way has read nothing */
    problem = room_end(&tx, look(&tx, &after, out));
    if (problem.status == 0) *wait = after;
    return problem;
}
