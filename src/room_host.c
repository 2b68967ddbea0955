/* room_host: whose say it is who comes in and who stays: hosts, their calls, and what happens when
 * the last one has gone. */
#include <string.h>

#include "json.h"
#include "room_admin.h"
#include "room_internal.h"
#include "subnet.h"

enum {
    HOSTS_TOLD_MAX = 1024, /* those who have lapsed are hosts too, beyond the members' limit */
    UPDATED_BYTES_MAX = HOSTS_TOLD_MAX * (IDENT_PEER_BYTES + 3) + 128,
    KNOCKING_BYTES_MAX = 65536, /* one member's own words */
};

/* ---- telling ---- */

static bool next_host(struct room_tx *tx, int64_t after, struct member_row *m)
{
    return store_member_next(tx->db, MEMBER_PRESENT, MEMBER_LAPSED, true, after, m);
}

static bool next_waiting(struct room_tx *tx, int64_t after, struct member_row *m)
{
    return store_member_next(tx->db, MEMBER_WAITING, MEMBER_WAITING, false, after, m);
}

struct room_settings room_rules_now(const struct room_tx *tx)
{
    const struct room_row *room = store_room(tx->db);
    return (struct room_settings){ .locked = room->rules.locked,
                                   .lobby = room->rules.lobby,
                                   .password = room->password };
}

void room_settings_now(struct room_tx *tx, struct room_settings *out)
{
    struct member_row m = { 0 };
    size_t max = 0;
    while (max < HOSTS_TOLD_MAX && next_host(tx, m.joined, &m)) max++;
    *out = room_rules_now(tx);
    out->hosts = arena_alloc(tx->a, (max + 1) * sizeof *out->hosts);
    if (out->hosts == NULL) {
        store_out_of_memory(tx->db);
        return;
    }
    m = (struct member_row){ 0 };
    while (out->hosts_count < max && next_host(tx, m.joined, &m)) {
        struct slice *host = &out->hosts[out->hosts_count++];
        *host = slice_of(arena_copy(tx->a, m.peer, strlen(m.peer)));
        if (host->at == NULL) store_out_of_memory(tx->db);
    }
}

static void tell_updated(struct room_tx *tx)
{
    const struct room_row *room = store_room(tx->db);
    struct member_row m = { 0 };
    struct buf b;
    buf_init(&b, UPDATED_BYTES_MAX);
    buf_printf(&b, "{\"locked\":%s,\"lobby\":%s,\"password\":%s,\"hosts\":[",
               room->rules.locked ? "true" : "false", room->rules.lobby ? "true" : "false",
               room->password ? "true" : "false");
    for (int i = 0; i < HOSTS_TOLD_MAX && next_host(tx, m.joined, &m); i++)
        buf_printf(&b, "%s\"%s\"", i > 0 ? "," : "", m.peer);
    buf_text(&b, "]}");
    room_tell_data(tx, "room-updated", "", SLICE_NONE, &b);
    buf_free(&b);
}

void room_tell_knocking(struct room_tx *tx, const char *peer, const char *to)
{
    struct member_row host = { 0 };
    struct member_self kept;
    struct arena *a = arena_new(KNOCKING_BYTES_MAX); /* not every call has one */
    if (a == NULL) {
        store_out_of_memory(tx->db);
        return;
    }
    store_member_self(tx->db, a, peer, &kept);
    struct member_view about = { .peer = slice_of(peer), .name = kept.name, .meta = kept.meta };
    if (to != NULL) room_tell_one(tx, "peer-knocking", &about, to);
    while (to == NULL && next_host(tx, host.joined, &host))
        room_tell_one(tx, "peer-knocking", &about, host.peer);
    arena_free(a);
}

void room_tell_withdrew(struct room_tx *tx, const char *peer, const char *reason)
{
    struct member_row host = { 0 };
    struct buf b;
    buf_init(&b, UPDATED_BYTES_MAX);
    buf_printf(&b, "{\"peer\":\"%s\",\"reason\":\"%s\"}", peer, reason);
    while (next_host(tx, host.joined, &host))
        room_tell_data(tx, "peer-withdrew", peer, slice_of(host.peer), &b);
    buf_free(&b);
}

/* ---- who is host ---- */

int64_t room_hosts_present(struct room_tx *tx)
{
    struct member_row m = { 0 };
    int64_t count = 0;
    while (store_member_next(tx->db, MEMBER_PRESENT, MEMBER_PRESENT, true, m.joined, &m)) count++;
    return count;
}

static void set_hosted(struct room_tx *tx)
{
    struct room_rules rules = store_room(tx->db)->rules;
    if (rules.hosted) return;
    rules.hosted = true;
    store_room_set_rules(tx->db, &rules);
}

void room_make_host(struct room_tx *tx, const char *peer)
{
    struct member_row m = { 0 };
    store_member_set_host(tx->db, peer, true);
    set_hosted(tx);
    tx->changed = tx->settle = true;
    while (next_waiting(tx, m.joined, &m)) room_tell_knocking(tx, m.peer, peer);
}

void room_came_host(struct room_tx *tx, bool alone)
{
    set_hosted(tx);
    if (!alone) tx->changed = tx->settle = true;
}

void room_over(struct room_tx *tx)
{
    static const struct room_rules none;
    const struct room_row *room = store_room(tx->db);
    struct member_row m = { 0 };
    if (room->head == 0) return; /* it was made just now */
    while (next_waiting(tx, m.joined, &m)) {
        store_member_set_left(tx->db, m.peer, LEFT_OVER, tx->now_ms + tx->app->cfg.grace_ms);
        tx->ring = true;
    }
    if (room->password) store_room_set_password(tx->db, NULL);
    if (memcmp(&room->rules, &none, sizeof none) != 0) store_room_set_rules(tx->db, &none);
    store_bans_delete(tx->db);
}

/* What is watched for is no more: nobody waits, no host has lapsed. */
static void stop_watching(struct room_tx *tx)
{
    struct room_rules rules = store_room(tx->db)->rules;
    struct member_row m;
    if (!rules.watched || next_waiting(tx, 0, &m) ||
        store_member_next(tx->db, MEMBER_LAPSED, MEMBER_LAPSED, true, 0, &m))
        return;
    rules.watched = false;
    store_room_set_rules(tx->db, &rules);
}

void room_settle(struct room_tx *tx)
{
    struct member_row m;
    if (!tx->settle) return;
    tx->settle = false;
    if (!store_members_others(tx->db, "")) {
        tx->changed = false;
        room_over(tx);
        return;
    }
    if (store_room(tx->db)->rules.hosted && tx->app->cfg.tokens != CONFIG_TOKENS_REQUIRED &&
        !next_host(tx, 0, &m) &&
        store_member_next(tx->db, MEMBER_PRESENT, MEMBER_PRESENT, false, 0, &m))
        room_make_host(tx, m.peer);
    stop_watching(tx);
    if (tx->changed) tell_updated(tx);
    tx->settle = tx->changed = false;
}

/* ---- bans ---- */

/* What is banned, so that nobody who reads the file of a room sees it, nor finds it in another. */
static void ban_hash(struct room_tx *tx, char kind, struct slice what,
                     uint8_t out[IDENT_HASH_BYTES])
{
    struct {
        uint64_t epoch;
        char kind, what[TOKEN_ID_BYTES_MAX];
    } hashed = { .epoch = store_room(tx->db)->epoch, .kind = kind };
    size_t len = what.len < sizeof hashed.what ? what.len : sizeof hashed.what;
    memcpy(hashed.what, what.at, len);
    ident_hash(&hashed, offsetof(__typeof__(hashed), what) + len, out);
}

struct slice room_address_hash(struct room_tx *tx, const char *address)
{
    char subnet[SUBNET_BYTES] = "";
    if (address == NULL || address[0] == '\0') return SLICE_NONE;
    subnet_of(address, subnet);
    char *hash = arena_alloc(tx->a, IDENT_HASH_BYTES);
    if (hash == NULL) {
        store_out_of_memory(tx->db);
        return SLICE_NONE;
    }
    ban_hash(tx, 'a', (struct slice){ subnet, sizeof subnet }, (uint8_t *)hash);
    return (struct slice){ hash, IDENT_HASH_BYTES };
}

static bool is_banned(struct room_tx *tx, char kind, struct slice what)
{
    uint8_t hash[IDENT_HASH_BYTES];
    if (what.at == NULL) return false;
    ban_hash(tx, kind, what, hash);
    return store_banned(tx->db, hash);
}

bool room_is_banned(struct room_tx *tx, const struct token_claims *token, struct slice address)
{
    if (token->given) return is_banned(tx, 's', token->sub) || is_banned(tx, 'j', token->jti);
    return address.at != NULL && store_banned(tx->db, (const uint8_t *)address.at);
}

static void ban_one(struct room_tx *tx, char kind, struct slice what)
{
    uint8_t hash[IDENT_HASH_BYTES];
    if (what.at == NULL) return;
    ban_hash(tx, kind, what, hash);
    store_ban(tx->db, hash);
}

static void ban(struct room_tx *tx, const char *peer)
{
    struct member_self self;
    store_member_self(tx->db, tx->a, peer, &self);
    ban_one(tx, 's', self.sub);
    ban_one(tx, 'j', self.jti);
    if (self.address.len == IDENT_HASH_BYTES) store_ban(tx->db, (const uint8_t *)self.address.at);
}

/* ---- the calls ---- */

/* Is it a host that asks? */
static struct problem check_host(struct room_tx *tx, struct slice key, struct member_row *host)
{
    uint8_t hash[IDENT_HASH_BYTES];
    room_hash(key, hash);
    struct problem problem = room_member_of_key(tx, hash, host);
    if (problem.status != 0) return problem;
    room_member_acts(tx, host);
    room_expire(tx, "");
    if (!store_member_by_peer(tx->db, slice_of(host->peer), host) || host->state == MEMBER_LEFT)
        return room_member_gone(host);
    if (!host->host) return PROBLEM(403, "not-permitted", "This call is for the room's host.");
    return NO_PROBLEM;
}

static struct problem nobody(void)
{
    return PROBLEM(404, "peer-not-found", "Nobody in the room has this peer id.");
}

static void let_in(struct room_tx *tx, const struct member_row *m)
{
    struct member_self kept;
    struct buf nothing;
    store_member_self(tx->db, tx->a, m->peer, &kept);
    struct member_view self = { .peer = slice_of(m->peer), .name = kept.name, .meta = kept.meta };
    int64_t joined = room_tell(tx, "peer-joined", &self, false);
    store_member_admit(tx->db, m->peer, joined, tx->now_ms + tx->app->cfg.lease_ms);
    buf_init(&nothing, 2);
    buf_text(&nothing, "{}");
    room_tell_data(tx, "room-admitted", m->peer, slice_of(m->peer), &nothing);
    buf_free(&nothing);
    tx->settle = true;
}

/* Begin one of the calls. A problem of status 0: `host` may make it, and room_end() is due. */
static struct problem begin(struct room_tx *tx, struct app *app, struct arena *a, const char *room,
                            struct slice key, struct member_row *host)
{
    struct problem problem = room_begin(tx, app, a, room, STORE_WRITE);
    if (problem.status != 0) return problem;
    problem = check_host(tx, key, host);
    return problem.status == 0 ? problem : room_end(tx, problem);
}

/* The rules are applied: tell what holds now, to all and to who asked (NULL: that isn't). */
static struct problem end(struct room_tx *tx, struct problem problem, struct room_settings *out)
{
    room_settle(tx);
    if (problem.status == 0) {
        if (out != NULL) room_settings_now(tx, out);
        tx->ring = true; /* a retry's too: who committed may have died before it rang */
        tx->committed = "host-committed";
    }
    return room_end(tx, problem);
}

/* What one of the calls does. `host` asks; NULL: the site's owner does. */
typedef struct problem rule(struct room_tx *tx, const struct host_ask *ask,
                            const struct member_row *host);

static struct problem call(struct app *app, struct arena *a, const struct host_ask *ask,
                           rule *apply, struct room_settings *out)
{
    struct room_tx tx;
    struct member_row host;
    struct problem problem = begin(&tx, app, a, ask->room, ask->key, &host);
    return problem.status != 0 ? problem : end(&tx, apply(&tx, ask, &host), out);
}

static struct problem admit(struct room_tx *tx, const struct host_ask *ask,
                            const struct member_row *host)
{
    struct member_row m;
    (void)host;
    if (!store_member_by_peer(tx->db, ask->peer, &m)) return nobody();
    if (m.state == MEMBER_PRESENT) return NO_PROBLEM;
    if (m.state != MEMBER_WAITING) return nobody();
    if (room_is_full(tx)) return room_problem_full();
    let_in(tx, &m);
    return NO_PROBLEM;
}

struct problem room_admit(struct app *app, struct arena *a, const struct host_ask *ask,
                          struct room_settings *out)
{
    return call(app, a, ask, admit, out);
}

/* The site's owner may send out hosts too. */
static struct problem kick(struct room_tx *tx, const struct host_ask *ask,
                           const struct member_row *host)
{
    struct member_row m;
    if (host != NULL && slice_is(ask->peer, host->peer))
        return PROBLEM(400, "invalid-request", "To go yourself, use leave.");
    if (!store_member_by_peer(tx->db, ask->peer, &m)) return nobody();
    if (m.state == MEMBER_LEFT && m.left_why != LEFT_KICKED && m.left_why != LEFT_REFUSED)
        return nobody();
    if (host != NULL && m.state != MEMBER_LEFT && m.host)
        return PROBLEM(403, "not-permitted", "A host can't be sent out.");
    if (ask->ban) ban(tx, m.peer);
    if (m.state == MEMBER_WAITING) room_member_leaves(tx, &m, LEFT_REFUSED, NULL);
    if (m.state == MEMBER_PRESENT || m.state == MEMBER_LAPSED)
        room_member_leaves(tx, &m, LEFT_KICKED, NULL);
    return NO_PROBLEM;
}

struct problem room_remove(struct app *app, struct arena *a, const struct host_ask *ask)
{
    struct room_tx tx;
    struct problem problem = room_begin(&tx, app, a, ask->room, STORE_WRITE);
    if (problem.status != 0) return problem;
    room_expire(&tx, "");
    return end(&tx, kick(&tx, ask, NULL), NULL);
}

struct problem room_kick(struct app *app, struct arena *a, const struct host_ask *ask,
                         struct room_settings *out)
{
    return call(app, a, ask, kick, out);
}

static struct problem hand_on(struct room_tx *tx, const struct host_ask *ask,
                              const struct member_row *host)
{
    struct member_row m;
    if (slice_is(ask->peer, host->peer)) return NO_PROBLEM;
    if (!store_member_by_peer(tx->db, ask->peer, &m) || m.state != MEMBER_PRESENT) return nobody();
    store_member_set_host(tx->db, host->peer, false);
    tx->changed = tx->settle = true;
    if (!m.host) room_make_host(tx, m.peer);
    return NO_PROBLEM;
}

struct problem room_hand_on(struct app *app, struct arena *a, const struct host_ask *ask,
                            struct room_settings *out)
{
    return call(app, a, ask, hand_on, out);
}

static void set(struct room_tx *tx, const struct settings_ask *ask)
{
    struct room_rules rules = store_room(tx->db)->rules;
    struct member_row m = { 0 };
    bool was = store_room(tx->db)->password;
    if (ask->set_locked) rules.locked = ask->locked;
    if (ask->set_lobby) rules.lobby = ask->lobby;
    if (memcmp(&rules, &store_room(tx->db)->rules, sizeof rules) != 0) {
        store_room_set_rules(tx->db, &rules);
        tx->changed = tx->settle = true;
    }
    if (ask->set_password && (was || ask->password != NULL)) {
        store_room_set_password(tx->db, ask->password);
        tx->changed = tx->settle = true;
    }
    if (rules.lobby || !rules.watched) return;
    while (!room_is_full(tx) && next_waiting(tx, m.joined, &m)) let_in(tx, &m);
}

struct problem room_set(struct app *app, struct arena *a, const struct settings_ask *ask,
                        struct room_settings *out)
{
    struct room_tx tx;
    struct member_row host;
    struct problem problem = begin(&tx, app, a, ask->room, ask->key, &host);
    if (problem.status != 0) return problem;
    set(&tx, ask);
    return end(&tx, NO_PROBLEM, out);
}

struct problem room_may_set(struct app *app, const char *room, struct slice key)
{
    struct room_tx tx;
    struct member_row host;
    struct problem problem = begin(&tx, app, NULL, room, key, &host);
    return problem.status != 0 ? problem : room_end(&tx, NO_PROBLEM);
}
