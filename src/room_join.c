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
    bool passes;          /* that one was in, so nothing is asked of who takes its place */
    bool first;           /* nobody is there */
    bool waits;           /* in the lobby */
    struct slice address; /* hash of it */
};

enum { KNOCKING_BYTES_MAX = 8192 }; /* in an answer that tells of all members too */

/* Can it come back as the same peer: present, or lapsed within its grace? */
static bool resumable(const struct room_tx *tx, const struct member_row *m)
{
    return room_member_there(tx, m) || (m->state == MEMBER_LAPSED && m->until_ms > tx->now_ms);
}

/* The member of this key, or of a former key whose successor was not yet used. */
static bool find_key(struct room_tx *tx, struct slice key, struct member_row *m, bool *current)
{
    uint8_t hash[IDENT_HASH_BYTES];
    m->peer[0] = '\0';
    if (key.at == NULL) return false;
    room_hash(key, hash);
    *current = store_member_by_key(tx->db, hash, m);
    if (!*current && (!store_member_by_former(tx->db, hash, m) || m->key_used)) return false;
    return resumable(tx, m);
}

/* Was this one, who isn't to be found any more, sent out or not let in? */
static struct problem sent_away(const struct member_row *m)
{
    bool away = m->peer[0] != '\0' && m->state == MEMBER_LEFT &&
                (m->left_why == LEFT_KICKED || m->left_why == LEFT_REFUSED);
    return away ? room_member_gone(m) : NO_PROBLEM;
}

static struct problem find(struct room_tx *tx, struct joining *j)
{
    const struct join_ask *ask = j->ask;
    struct problem problem = NO_PROBLEM;
    bool current;
    if (ask->id.at != NULL) {
        room_hash(ask->id, j->id_hash);
        j->found = store_member_by_join_id(tx->db, j->id_hash, &j->m) && resumable(tx, &j->m);
        j->by_resume = j->found && ask->resume.at != NULL;
        if (!j->found) problem = sent_away(&j->m);
    }
    if (!j->found && problem.status == 0) {
        j->found = find_key(tx, ask->resume, &j->m, &j->by_key);
        j->by_resume = j->found;
        if (!j->found) problem = sent_away(&j->m);
    }
    j->replaces = find_key(tx, ask->replaces, &j->replaced, &current) &&
                  !(j->found && strcmp(j->replaced.peer, j->m.peer) == 0);
    j->passes = j->replaces && j->replaced.state != MEMBER_WAITING;
    return problem;
}

/* A fresh key, and the id of the join, which nobody else has any more; NULL: none was given. */
static const uint8_t *new_key(struct room_tx *tx, const struct joining *j,
                              char key[IDENT_KEY_BYTES + 1], uint8_t hash[IDENT_HASH_BYTES])
{
    struct member_row former;
    ident_key(key);
    room_hash(slice_of(key), hash);
    if (j->ask->id.at == NULL) return NULL;
    if (store_member_by_join_id(tx->db, j->id_hash, &former))
        store_member_forget_join_id(tx->db, former.peer);
    return j->id_hash;
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

static struct slice newcomers_name(struct room_tx *tx, const struct join_ask *ask,
                                   const struct member_self *as)
{
    if (as->name.at == NULL) return ask->name;
    return is_sealed(tx->a, ask->meta) ? SLICE_NONE : as->name;
}

/* Is a ban of whoever has this sub one of its address too? It could come without its token. */
static bool keeps_address(const struct room_tx *tx, struct slice sub)
{
    return sub.at == NULL || tx->app->cfg.tokens != CONFIG_TOKENS_REQUIRED;
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
    struct slice address = room_address_hash(tx, ask->address);
    if (keeps_address(tx, kept.sub) && address.at != NULL && !slice_equal(address, kept.address))
        store_member_set_address(tx->db, self->peer.at, address);
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
    const uint8_t *id_hash = new_key(tx, j, out->key, key_hash);
    store_member_set_key(tx->db, j->m.peer, key_hash, j->by_key, id_hash);
    room_lease_renew(tx, &j->m);
    bool changed = update_self(tx, j->ask, &self, out);
    out->waiting = j->m.state == MEMBER_WAITING;
    if (out->waiting && changed)
        room_tell_knocking(tx, j->m.peer, NULL);
    else if (lapsed)
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
    out->host = j->m.host;
    if (!j->found) return;
    if (after->given && room_cursor_servable(tx, &j->m, after))
        out->cursor = *after;
    else
        out->gap = after->given || j->m.floor > j->m.acked;
}

/* Who this is to the site: as its own token says, else as that of the one whose place it takes. */
static struct member_self identity(struct room_tx *tx, const struct joining *j)
{
    const struct token_claims *token = &j->ask->token;
    struct member_self kept = { 0 };
    if (j->replaces) store_member_self(tx->db, tx->a, j->replaced.peer, &kept);
    if (!token->given && kept.sub.at != NULL) return kept;
    bool makes = j->first && !token->given && tx->app->cfg.tokens != CONFIG_TOKENS_REQUIRED;
    return (struct member_self){
        .name = token->name,
        .sub = token->sub,
        .jti = token->jti,
        .host = token->host || kept.host || makes,
    };
}

/* A seq of its own, by which those that wait are in order. */
static int64_t knock_seq(struct room_tx *tx)
{
    struct tally t = { .head = store_room(tx->db)->head + 1 };
    store_tally(tx->db, NULL, &t);
    return t.head;
}

static void join_new(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    uint8_t key_hash[IDENT_HASH_BYTES];
    const struct member_self as = identity(tx, j);
    struct member_view self = { .peer = slice_of(out->peer),
                                .name = newcomers_name(tx, j->ask, &as),
                                .meta = j->ask->meta };
    const uint8_t *id_hash = new_key(tx, j, out->key, key_hash);
    tx->sub = as.sub;
    struct member_new m = {
        .peer = out->peer,
        .join_id = id_hash,
        .key_hash = key_hash,
        .name = self.name,
        .meta = self.meta,
        .sub = as.sub,
        .jti = as.jti,
        .address = keeps_address(tx, as.sub) ? j->address : SLICE_NONE,
        .host = as.host,
        .waiting = j->waits,
        .joined = j->waits ? knock_seq(tx) : room_tell(tx, "peer-joined", &self, false),
        .until_ms = tx->now_ms + tx->app->cfg.lease_ms,
    };
    store_member_insert(tx->db, &m);
    if (m.host) room_came_host(tx, j->first);
    if (m.waiting) {
        room_watch(tx);
        room_tell_knocking(tx, out->peer, NULL);
    }
    out->waiting = m.waiting;
    out->sub = m.sub;
    if (m.sub.at != NULL) out->name = m.name;
}

static struct problem check_password(struct room_tx *tx, const struct password_kept *given,
                                     struct join_result *out)
{
    struct password_kept kept;
    if (!store_room_password(tx->db, &kept)) /* a damaged one is nobody's */
        return PROBLEM(403, "password-wrong", "This is not the password of the room.");
    memcpy(out->salt, kept.salt, sizeof out->salt);
    if (given == NULL || memcmp(given->salt, kept.salt, sizeof kept.salt) != 0)
        return PROBLEM(401, "password-missing", "This room asks for a password.");
    if (!ident_equal(given->hash, kept.hash, sizeof kept.hash))
        return PROBLEM(403, "password-wrong", "This is not the password of the room.");
    return NO_PROBLEM;
}

/* May this newcomer come in, or knock? */
static struct problem check_newcomer(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    const struct join_ask *ask = j->ask;
    const struct room_row *room = store_room(tx->db);
    int64_t members_max = tx->app->cfg.members_max;
    if (ask->refusal.status != 0) return ask->refusal;
    j->first = !store_members_others(tx->db, "");
    if (j->first) {
        room_over(tx);
        j->replaces = false;
    }
    j->address = room_address_hash(tx, ask->address);
    if (j->first) return NO_PROBLEM;
    struct token_claims who = ask->token;
    if (j->passes) {
        /* A page that is loaded anew behind a banned address is somebody else's there. */
        const struct member_self as = identity(tx, j);
        who = (struct token_claims){ .given = true, .sub = as.sub, .jti = as.jti };
    }
    if (room_is_banned(tx, &who, j->address))
        return PROBLEM(403, "banned", "A host has sent you out for as long as this room exists.");
    if (j->passes) return NO_PROBLEM;
    bool asked = !ask->token.host;
    if (asked && room->rules.locked)
        return PROBLEM(423, "room-locked", "A host has locked this room.");
    if (asked && room->password) {
        struct problem problem = check_password(tx, ask->password, out);
        if (problem.status != 0) return problem;
    }
    j->waits = asked && room->rules.lobby;
    bool full = room_is_full(tx) ||
                (j->waits && store_members_count(tx->db, MEMBER_WAITING) >= members_max);
    return full ? room_problem_full() : NO_PROBLEM;
}

/* Who waits, for a host that comes; what doesn't fit into the answer comes as mail. */
static void list_knocking(struct room_tx *tx, struct join_result *out)
{
    struct member_row m = { 0 };
    size_t max = (size_t)tx->app->cfg.members_max, bytes = 0;
    out->knocking = arena_alloc(tx->a, max * sizeof *out->knocking);
    if (out->knocking == NULL) {
        store_out_of_memory(tx->db);
        return;
    }
    while (store_member_next(tx->db, MEMBER_WAITING, MEMBER_WAITING, false, m.joined, &m)) {
        struct member_self self;
        store_member_self(tx->db, tx->a, m.peer, &self);
        bytes += 6 * self.name.len + self.meta.len + ROOM_FRAME_BYTES;
        if (bytes > KNOCKING_BYTES_MAX || out->knocking_count == max) {
            room_tell_knocking(tx, m.peer, out->peer);
            continue;
        }
        out->knocking[out->knocking_count++] = (struct member_view){
            .peer = slice_of(arena_copy(tx->a, m.peer, strlen(m.peer))),
            .name = self.name,
            .meta = self.meta,
        };
    }
}

/* All that is told to who came, when everything else is done. */
static void fill(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    room_settle(tx);
    room_settings_now(tx, &out->settings);
    if (out->settings.hosts_count == 0) { /* by now nobody else is, who could be */
        tx->settle = true;
        room_settle(tx);
        room_settings_now(tx, &out->settings);
    }
    set_cursor(tx, j, out);
    out->hosts_present = room_hosts_present(tx);
    if (out->waiting) return;
    if (out->host && store_room(tx->db)->rules.watched) list_knocking(tx, out);
    store_members_present(tx->db, tx->a, out->peer, &out->peers, &out->peers_count);
}

static struct problem join(struct room_tx *tx, struct joining *j, struct join_result *out)
{
    struct problem problem = find(tx, j);
    if (problem.status != 0) return problem;
    if (!j->found && j->ask->refusal.status != 0) return j->ask->refusal;
    /* Who is coming back is spared; who is replaced isn't announced twice. */
    room_expire(tx, j->found ? j->m.peer : j->replaces ? j->replaced.peer : "");
    if (j->found && store_member_by_peer(tx->db, slice_of(j->m.peer), &j->m))
        j->found = resumable(tx, &j->m); /* not, where it waited for a room that is over now */
    if (!j->found) problem = check_newcomer(tx, j, out);
    if (problem.status != 0) return problem;
    if (j->found)
        memcpy(out->peer, j->m.peer, sizeof out->peer);
    else
        ident_peer(out->peer);
    if (j->replaces && store_member_by_peer(tx->db, slice_of(j->replaced.peer), &j->replaced))
        room_member_leaves(tx, &j->replaced, LEFT_ITSELF, out->peer);
    if (j->found)
        join_again(tx, j, out);
    else
        join_new(tx, j, out);
    fill(tx, j, out);
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
