/* store_keep: rooms whose lock stays with this process between transactions, as long as nobody else
 * asks for them. */
#include "bell.h"
#include "store_internal.h"

enum { USES_MAX = 4096 };

bool store_let_go(struct store_room *r)
{
    r->kept = r->held = false;
    store_recall_nothing(r);
    r->uses = 0;
    r->app->store->kept_count--;
    if (sql_keep_lock(r->sql, false)) return true;
    store_drop(r);
    return false;
}

uint32_t store_tenure(const struct store_room *r)
{
    return r->held ? r->tenure : 0;
}

static void begin_tenure(struct store_room *r)
{
    struct store *s = r->app->store;
    s->tenures += s->tenures == UINT32_MAX ? 2 : 1;
    r->tenure = s->tenures;
    r->held = true;
    r->recall = sql_space(r->sql, sizeof *r->recall);
    store_recall_nothing(r);
}

void store_keep_if_alone(struct store_room *r)
{
    struct app *app = r->app;
    /* SQLite takes the lock that it is to keep with the next transaction. */
    if (r->kept && !r->held) begin_tenure(r);
    if (r->kept) return;
    int64_t now_ms = app_now_ms(app);
    bool alone = app->keeps_rooms && app->bell != NULL;
    r->uses = !alone ? 0 : now_ms - r->left_ms < STORE_KEEP_UNUSED_MS ? r->uses + 1 : 1;
    r->left_ms = now_ms;
    if (r->uses < r->uses_needed) return;
    (void)bell_listen(app->bell, r->bucket);
    r->asked = bell_asked(app->bell, r->bucket);
    r->kept = sql_keep_lock(r->sql, true);
    if (!r->kept) return;
    r->seen_ms = now_ms;
    app->store->kept_count++;
}

void store_keep_made(struct store_room *r)
{
    r->uses = STORE_KEEP_USES - 1;
    r->left_ms = app_now_ms(r->app);
    store_keep_if_alone(r);
}

void store_let_go_asked(struct app *app)
{
    struct store_room *next;
    for (struct store_room *r = app->store->newest; r != NULL && app->store->kept_count > 0;
         r = next) {
        next = r->used_next;
        if (!r->kept || bell_asked(app->bell, r->bucket) == r->asked) continue;
        if (r->uses_needed < USES_MAX) r->uses_needed *= 2;
        (void)store_let_go(r);
    }
}

bool store_keeps(const struct app *app, uint32_t bucket)
{
    const struct store_room *r = app->store->kept_count > 0 ? app->store->newest : NULL;
    while (r != NULL && !(r->kept && r->bucket == bucket)) r = r->used_next;
    return r != NULL;
}

void store_let_go_all(struct app *app)
{
    struct store_room *next;
    for (struct store_room *r = app->store->newest; r != NULL; r = next) {
        next = r->used_next;
        if (r->kept) (void)store_let_go(r);
    }
}
