/* room_admin: what the site's owner may do with any room. No policy: who asks has shown the admin
 * key. Calls are as room.h says: one transaction each, 503 busy where the room is locked. */
#ifndef KLATCH_ROOM_ADMIN_H
#define KLATCH_ROOM_ADMIN_H

#include "room.h"
#include "store.h"

struct room_seen {
    int64_t opened_ms;             /* Unix time; 0: not known */
    bool stays;                    /* the owner has opened it */
    struct room_settings settings; /* without hosts: people says who is one */
    struct member_known *people;
    size_t count, known; /* of how many there are */
};

/* Who is in a room, up to `people_max`. Fails: 404 room-not-found; 410 room-closed; 503 busy. */
struct problem room_view(struct app *app, struct arena *a, const char *room, size_t people_max,
                         struct room_seen *out);
/* Ask whoever has this room locked to let go of it: 503 busy; the next try may find it free. */
struct problem room_ask_for(struct app *app, const char *room);
/* Open a room, which stays until it is closed. Repeated: nothing more. Fails: 503 busy; 507. */
struct problem room_open(struct app *app, const char *room);
/* Send a member out as a host may (room_kick()), and a host too; ask->key isn't looked at. Fails:
 * 404 room-not-found, peer-not-found; 410 room-closed; 503 busy. */
struct problem room_remove(struct app *app, struct arena *a, const struct host_ask *ask);
/* Close a room: whoever is in it is told 410 room-closed for a grace. Repeated within that:
 * success. Fails: 404 room-not-found; 503 busy. */
struct problem room_close(struct app *app, const char *room);

#endif
