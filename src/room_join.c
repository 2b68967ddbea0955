/* room_join: coming in, coming back, taking somebody's place. */
#include <string.h>

#include "json.h"
#include "room_internal.h"

/* What a join found out before it writes anything. */
struct joining {
    const struct join_ask *ask;
    uint8_t id_hash[IDENT_HASH_BYTES];
    bool found;     /* somebody who was here before: `m` */
    bool by_resume; /* and who asked to resume */
    bool by_key;    /* with its present key */
    struct member_row m;
    bool replaces; /* `replaced` goes */
    struct member_row replaced;
};

/* Can it come back as the same peer: present, or lapsed within its grace? */
static bool resumable(const struct room_tx *tx, const struct member_row *m)
{
    return room_member_there(tx, m) || (m->state == MEMBER_LAPSED && m->until_ms > tx->now_ms);
}

/* The member of this key, or of a former key whose successor was not yet used. */
static bool find_key(struct room_tx *tx, struct slice key, struct member_row *m, bool *current)
{
    uint8_t hash[IDENT_HASH_BYTES];
    if (key.at == NULL) return false;
    room_hash(key, hash);
    *current = store_member_by_key(tx->db, hash, m);
    if (!*current && (!store_member_by_former(tx->db, hash, m) || m->key_used)) return false;
    return resumable(tx, m);
}

static void find(struct room_tx *tx, struct joining *j)
{
    const struct join_ask *ask = j->ask;
    bool current;
    if (ask->id.at != NULL) {
        room_hash(ask->id, j->id_hash);
        j->found = store_member_by_join_id(tx->db, j->id_hash, &j->m) && resumable(tx, &j->m);
        j->by_resume = j->found && ask->resume.at != NULL;
    }
    if (!j->found) {
        j->found = find_key(tx, ask->resume, &j->m, &j->by_key);
        j->by_resume = j->found;
    }
    j->replaces = find_key(tx, ask->replaces, &j->replaced, &current) &&
                  !(j->found && strcmp(j->replaced.peer, j->m.peer) == 0);
}

static const uint8_t *new_key(const struct joining *j, char key[IDENT_KEY_BYTES + 1],
                              uint8_t hash[IDENT_HASH_BYTES])
{
    ident_key(key);
    room_hash(slice_of(key), hash);
    return j->ask->id.at != NULL ? j->id_hash : NULL;
}

/* Is it a sealed envelope, {"s": "..."}? */
static bool is_sealed(struct arena *a, struct slice meta)
{
    static const struct json_field fields[] = {
        { .name = "s", .type = JSON_STRING, .max = ROOM_META_BYTES_MAX }, { .name = NULL }
    };
    struct slice envelope = SLICE_NONE;
    return meta.at != NULL && json_decode(a, meta, fields, &envelope).status == 0 &&
           envelope.at != NULL;
}

static struct slice newcomers_name(struct room_tx *tx, const struct join_ask *ask)
{
    if (ask->token.name.at == NULL) return ask->name;
    return is_sealed(tx->a, ask->meta) ? SLICE_NONE : ask->token.name;
}

/* Keep name and meta up to date. True: they changed. */
static bool update_self(struct room_tx *tx, const struct join_ask *ask, struct member_view *self,
                        struct join_result *out)
{
    struct member_self kept;
    store_member_self(tx->db, tx->a, self->peer.at, &kept);
    self->name = kept.name;
    self->meta = kept.meta;
    out->sub = kept.sub;
    out->host = kept.host;
    if (kept.sub.at != NULL) out->name = kept.name;
    bool renamed = ask->name.at != NULL && kept.sub.at == NULL;
    struct slice name = renamed ? ask->name : self->name;
    struct slice meta = ask->meta.at != NULL ? ask->meta : self->meta;
    if (slice_equal(name, self->name) && slice_equal(meta, self->meta)) return false;
    self->name = name;
    self->meta = meta;
    store_member_set_self(tx->db, self->peer.at, name, meta);
    return true;
}

/* A known member comes back. */
static void join_again(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    uint8_t key_hash[IDENT_HASH_BYTES];
    bool lapsed = j->m.state == MEMBER_LAPSED;
    struct member_view self = { .peer = slice_of(j->m.peer), .joined = j->m.joined };
    const uint8_t *id_hash = new_key(j, out->key, key_hash);
    store_member_set_key(tx->db, j->m.peer, key_hash, j->by_key, id_hash);
    room_lease_renew(tx, &j->m);
    bool changed = update_self(tx, j->ask, &self, out);
    if (lapsed)
        room_tell(tx, "peer-joined", &self, true);
    else if (changed)
        room_tell(tx, "peer-updated", &self, false);
    memcpy(out->peer, j->m.peer, sizeof out->peer);
    out->known = true;
    out->resumed = j->by_resume;
}

/* Where it goes on reading, once time has done its work on its floor. */
static void set_cursor(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    const struct cursor *after = &j->ask->after;
    store_member_by_peer(tx->db, slice_of(out->peer), &j->m);
    out->cursor = room_cursor_oldest(tx, &j->m);
    if (!j->found) return;
    if (after->given && room_cursor_servable(tx, &j->m, after))
        out->cursor = *after;
    else
        out->gap = after->given || j->m.floor > j->m.acked;
}

static void join_new(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    uint8_t key_hash[IDENT_HASH_BYTES];
    struct member_view self = { .peer = slice_of(out->peer),
                                .name = newcomers_name(tx, j->ask),
                                .meta = j->ask->meta };
    const uint8_t *id_hash = new_key(j, out->key, key_hash);
    struct member_row former;
    tx->sub = j->ask->token.sub;
    if (id_hash != NULL && store_member_by_join_id(tx->db, id_hash, &former))
        store_member_forget_join_id(tx->db, former.peer);
    struct member_new m = {
        .peer = out->peer,
        .join_id = id_hash,
        .key_hash = key_hash,
        .name = self.name,
        .meta = self.meta,
        .sub = j->ask->token.sub,
        .host = j->ask->token.host,
        .joined = room_tell(tx, "peer-joined", &self, false),
        .until_ms = tx->now_ms + tx->app->cfg.lease_ms,
    };
    store_member_insert(tx->db, &m);
    out->sub = m.sub;
    out->host = m.host;
    if (m.sub.at != NULL) out->name = m.name;
}

static struct problem join(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    find(tx, j);
    if (!j->found && j->ask->refusal.status != 0) return j->ask->refusal;
    if (j->found) memcpy(out->peer, j->m.peer, sizeof out->peer);
    /* Who is coming back is spared; who is replaced isn't announced twice. */
    room_expire(tx, j->found ? j->m.peer : j->replaces ? j->replaced.peer : "");
    if (!j->found && !j->replaces &&
        store_members_count(tx->db, MEMBER_PRESENT) >= tx->app->cfg.members_max)
        return PROBLEM(409, "room-full", "The room has as many members as it may.");
    if (!j->found) ident_peer(out->peer);
    if (j->replaces) room_member_leaves(tx, &j->replaced, "replaced", out->peer);
    if (j->found)
        join_again(tx, j, out);
    else
        join_new(tx, j, out);
    set_cursor(tx, j, out);
    store_members_present(tx->db, tx->a, out->peer, &out->peers, &out->peers_count);
    tx->ring = true;
    tx->committed = "join-committed";
    return NO_PROBLEM;
}

struct problem room_join(struct app *app, struct arena *a, const struct join_ask *ask,
                         struct join_result *out)
{
    struct problem problem = NO_PROBLEM;
    /* Who may not come in makes no room either. */
    bool may_make = ask->refusal.status == 0 && app->cfg.rooms_open_by == CONFIG_OPEN_ANYONE;
    /* Twice: a file that turns out damaged halfway is moved aside, and the room starts anew. Who
     * comes back looks first: the room may have been closed. */
    for (int tries = 0; tries < 2; tries++) {
        struct room_tx tx;
        struct joining j = { .ask = ask };
        bool make = may_make && (tries > 0 || ask->resume.at == NULL);
        memset(out, 0, sizeof *out);
        problem = room_begin(&tx, app, a, ask->room, make ? STORE_MAKE : STORE_WRITE);
        if (problem.status == 0) problem = room_end(&tx, join(&tx, &j, out));
        if (problem.status != 404) break;
    }
    return problem.status == 404 && ask->refusal.status != 0 ? ask->refusal : problem;
}
