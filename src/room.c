/* room: names and cursors, the frame around each call, who is asking; info and sweep. */
#include "room.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "metrics.h"
#include "room_internal.h"

enum { EPOCH_DIGITS = 16, SEQ_DIGITS_MAX = 19 };

bool room_name_valid(struct slice name)
{
    if (name.at == NULL || name.len < 1 || name.len > ROOM_NAME_BYTES_MAX) return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool cursor_parse(struct slice text, struct cursor *out)
{
    *out = (struct cursor){ 0 };
    if (text.at == NULL) return true;
    if (text.len < EPOCH_DIGITS + 2 || text.len > EPOCH_DIGITS + 1 + SEQ_DIGITS_MAX) return false;
    uint64_t epoch = 0, seq = 0;
    for (size_t i = 0; i < EPOCH_DIGITS; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0) return false;
        epoch = epoch << 4 | (uint64_t)digit;
    }
    if (text.at[EPOCH_DIGITS] != '.') return false;
    for (size_t i = EPOCH_DIGITS + 1; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') return false;
        seq = seq * 10 + (uint64_t)(text.at[i] - '0'); /* 19 digits fit 64 bits */
    }
    if (seq > INT64_MAX) return false;
    *out = (struct cursor){ true, epoch, (int64_t)seq };
    return true;
}

void cursor_format(const struct cursor *c, char out[CURSOR_TEXT_BYTES + 1])
{
    snprintf(out, CURSOR_TEXT_BYTES + 1, "%016" PRIx64 ".%" PRId64, c->epoch, c->seq);
}

/* ---- the frame ---- */

struct problem room_begin(struct room_tx *tx, struct app *app, struct arena *a, const char *room,
                          enum store_mode mode)
{
    *tx = (struct room_tx){ .app = app, .a = a, .now_ms = app_now_ms(app) };
    struct problem problem = store_begin(app, room, mode, &tx->db);
    if (problem.status != 0 || strcmp(store_room(tx->db)->boot_id, app->boot_id) == 0)
        return problem;
    store_room_set_boot(tx->db, app->boot_id, tx->now_ms, app->cfg.lease_ms, app->cfg.grace_ms);
    return NO_PROBLEM;
}

struct problem room_end(struct room_tx *tx, struct problem refusal)
{
    char room[ROOM_NAME_BYTES_MAX + 1];
    int64_t people = 0;
    room_settle(tx);
    snprintf(room, sizeof room, "%s", store_name(tx->db));
    bool recount = tx->recount && tx->app->metrics != NULL;
    if (recount) people = store_members_count(tx->db, MEMBER_PRESENT);
    bool notes = tx->app->cfg.events && store_events_wait(tx->db);
    struct problem problem = store_commit(tx->db);
    if (problem.status != 0) return problem;
    if (recount) metrics_set_people(tx->app, room, (size_t)people);
    if (tx->committed != NULL) fault_point(tx->committed);
    if (notes) room_notes_move(tx->app, room);
    if (tx->ring || tx->sent_to_all)
        app_ring(tx->app, room);
    else if (tx->to_count > 0)
        app_ring_members(tx->app, room, tx->to, tx->to_count);
    if (tx->rung != NULL) fault_point(tx->rung);
    return refusal;
}

/* ---- who is asking ---- */

void room_hash(struct slice s, uint8_t out[IDENT_HASH_BYTES])
{
    ident_hash(s.at == NULL ? "" : s.at, s.len, out);
}

bool room_member_there(const struct room_tx *tx, const struct member_row *m)
{
    return (m->state == MEMBER_PRESENT || m->state == MEMBER_WAITING) &&
           m->until_ms + tx->app->cfg.grace_ms > tx->now_ms;
}

bool room_is_full(const struct room_tx *tx)
{
    return store_members_count(tx->db, MEMBER_PRESENT) >= tx->app->cfg.members_max;
}

struct problem room_problem_full(void)
{
    return PROBLEM(409, "room-full", "The room has as many members as it may.");
}

struct problem room_member_gone(const struct member_row *m)
{
    enum member_left why = m->state == MEMBER_LEFT ? m->left_why : LEFT_ITSELF;
    if (why == LEFT_KICKED)
        return PROBLEM(410, "kicked", "A host has sent this member out of the room.");
    if (why == LEFT_REFUSED) return PROBLEM(403, "refused", "A host has not let this member in.");
    if (why == LEFT_OVER) return PROBLEM(410, "room-closed", "This room is over.");
    return PROBLEM(410, "session-expired", "This member is no longer in the room; join again.");
}

struct problem room_member_of_key(struct room_tx *tx, const uint8_t *hash, struct member_row *out)
{
    if (!store_member_by_key(tx->db, hash, out)) {
        if (store_member_by_former(tx->db, hash, out))
            return PROBLEM(410, "session-expired", "This key was replaced by a newer one.");
        return PROBLEM(401, "key-invalid", "This key belongs to no member of the room.");
    }
    return room_member_there(tx, out) ? NO_PROBLEM : room_member_gone(out);
}

bool room_holds_nothing(const struct room_tx *tx)
{
    const struct room_row *room = store_room(tx->db);
    return room->messages == 0 && room->told_messages == 0;
}

/* ---- cursors ---- */

bool room_cursor_servable(const struct room_tx *tx, const struct member_row *m,
                          const struct cursor *c)
{
    const struct room_row *room = store_room(tx->db);
    int64_t floor = m->state == MEMBER_WAITING ? m->joined : m->floor;
    return c->epoch == room->epoch && c->seq <= room->head && c->seq >= floor;
}

struct cursor room_cursor_oldest(const struct room_tx *tx, const struct member_row *m)
{
    int64_t seq = m->floor > m->acked ? m->floor : m->acked;
    if (m->state == MEMBER_WAITING) seq = m->joined;
    return (struct cursor){ true, store_room(tx->db)->epoch, seq };
}

/* ---- from outside ---- */

static bool room_stays(const struct room_tx *tx)
{
    int64_t opened_ms;
    bool stays;
    store_room_opened(tx->db, &opened_ms, &stays);
    return stays;
}

struct problem room_info(struct app *app, const char *room, int64_t *peers,
                         struct room_settings *settings)
{
    struct room_tx tx;
    struct problem problem = room_begin(&tx, app, NULL, room, STORE_READ);
    if (problem.status == 410) return PROBLEM(404, "room-not-found", "There is no such room.");
    if (problem.status != 0) return problem;
    *peers = store_members_count_until(tx.db, MEMBER_PRESENT, tx.now_ms);
    *settings = room_rules_now(&tx);
    bool exists =
        *peers > 0 || room_stays(&tx) ||
        store_members_count_until(tx.db, MEMBER_PRESENT, tx.now_ms - app->cfg.grace_ms) > 0 ||
        store_members_count_until(tx.db, MEMBER_LAPSED, tx.now_ms) > 0;
    return room_end(&tx,
                    exists ? NO_PROBLEM : PROBLEM(404, "room-not-found", "There is no such room."));
}

static bool expire_due(struct room_tx *tx)
{
    struct member_row m;
    struct message_oldest oldest;
    return room_lapse_due(tx) || store_member_due(tx->db, MEMBER_LAPSED, tx->now_ms, "", &m) ||
           store_member_due(tx->db, MEMBER_LEFT, tx->now_ms, "", &m) ||
           (store_message_oldest(tx->db, false, &oldest) &&
            oldest.stored_ms + tx->app->cfg.ttl_ms <= tx->now_ms);
}

struct problem room_sweep(struct app *app, const char *room)
{
    struct room_tx tx;
    struct problem problem = room_begin(&tx, app, NULL, room, STORE_VISIT);
    /* What is no room may still be a file that somebody didn't finish making or deleting. */
    bool closed = problem.status == 410;
    if (problem.status == 404 || (closed && store_closed_for_ms(app, room) > app->cfg.grace_ms))
        return store_delete(app, room);
    if (problem.status != 0) return closed ? NO_PROBLEM : problem;
    if (expire_due(&tx)) room_expire(&tx, "");
    if (!app->cfg.events) store_events_forget(tx.db);
    bool empty = !store_members_any(tx.db) && !room_stays(&tx);
    problem = room_end(&tx, NO_PROBLEM);
    return problem.status == 0 && empty ? store_delete(app, room) : problem;
}

/* A file system's clock goes in ticks: what is written in the same one leaves the same time. */
enum { STAMP_SETTLED_MS = 100 };

bool room_unchanged(struct app *app, const char *room, struct room_stamp *stamp)
{
    struct room_stamp now = { 0 };
    if (app->data_remote || !store_stamp(app, room, &now)) return false;
    if (now.changed_ns / 1000000 + STAMP_SETTLED_MS > app_wall_ms(app)) now.changed_ns = 0;
    bool same = now.changed_ns == stamp->changed_ns && now.inode == stamp->inode &&
                now.device == stamp->device;
    int64_t looked_ns = (stamp->looked_ms + 1) * 1000000;
    bool older = now.changed_ns < looked_ns && now.touched_ns < looked_ns;
    same = now.changed_ns != 0 && (same || older);
    *stamp = now;
    return same;
}

void room_looked_at(const struct app *app, struct room_stamp *stamp)
{
    stamp->looked_ms = app_wall_ms(app);
}
