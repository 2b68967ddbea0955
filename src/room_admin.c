/* room_admin: what the site's owner does with rooms, and what the feed is told of them. */
#include <string.h>

#include "room_admin.h"

#include "fault.h"
#include "metrics.h"
#include "room_internal.h"

/* ---- the feed ---- */

void room_note(struct room_tx *tx, const char *type, const char *peer, const char *reason)
{
    tx->recount = true;
    if (!tx->app->cfg.events) return;
    store_event_add(tx->db, type, peer, tx->sub, reason, app_wall_ms(tx->app));
    tx->sub = SLICE_NONE;
}

void room_notes_move(struct app *app, const char *room)
{
    (void)store_events_move(app, room);
    fault_point("events-moved");
}

/* ---- looking ---- */

struct problem room_view(struct app *app, struct arena *a, const char *room, size_t people_max,
                         struct room_seen *out)
{
    struct room_tx tx;
    memset(out, 0, sizeof *out);
    struct problem problem = room_begin(&tx, app, a, room, STORE_READ);
    if (problem.status != 0) return problem;
    out->people = arena_alloc(a, people_max * sizeof *out->people);
    if (out->people == NULL)
        store_out_of_memory(tx.db);
    else
        out->known = store_members_known(tx.db, a, out->people, people_max);
    out->count = out->known < people_max ? out->known : people_max;
    store_room_opened(tx.db, &out->opened_ms, &out->stays);
    out->settings = room_rules_now(&tx);
    bool gone = out->known == 0 && !out->stays;
    return room_end(&tx,
                    gone ? PROBLEM(404, "room-not-found", "There is no such room.") : NO_PROBLEM);
}

struct problem room_ask_for(struct app *app, const char *room)
{
    struct store_room *r;
    struct problem problem = store_begin(app, room, STORE_READ, &r);
    return problem.status == 0 ? store_abort(r) : problem;
}

/* ---- opening and closing ---- */

struct problem room_open(struct app *app, const char *room)
{
    struct room_tx tx;
    struct problem problem = room_begin(&tx, app, NULL, room, STORE_MAKE);
    if (problem.status != 0) return problem;
    store_room_set_stays(tx.db);
    room_note(&tx, "room-opened", NULL, NULL);
    tx.committed = "open-committed";
    return room_end(&tx, NO_PROBLEM);
}

struct problem room_close(struct app *app, const char *room)
{
    struct room_tx tx;
    struct member_row m;
    struct problem problem = room_begin(&tx, app, NULL, room, STORE_WRITE);
    bool closed = problem.status == 410; /* by a call whose answer was lost, maybe */
    if (problem.status != 0 && !closed) return problem;
    if (!closed) {
        while (store_member_due(tx.db, MEMBER_PRESENT, INT64_MAX, "", &m)) {
            room_note(&tx, "peer-left", m.peer, "closed");
            store_member_set_state(tx.db, m.peer, MEMBER_LEFT, tx.now_ms);
        }
        if (app->cfg.events)
            store_event_add(tx.db, "room-closed", NULL, SLICE_NONE, NULL, app_wall_ms(app));
        store_room_end(tx.db, ROOM_ENDED);
        problem = store_commit(tx.db);
        if (problem.status != 0) return problem;
        metrics_set_people(app, room, 0);
        fault_point("close-committed");
    }
    app_ring(app, room);
    if (app->cfg.events) (void)store_events_move_closed(app, room);
    return NO_PROBLEM;
}
