#include "rates.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ident.h"
#include "mapfile.h"
#include "subnet.h"

enum {
    ROWS = 8192,
    MINUTE_US = 60000000,
    TRIES_MAX = 64, /* so often was another take of this row faster */
    NAME_BYTES_MAX = 64
};
enum { TAKEN_FIRST = 1, TAKEN_SECOND = 2, TAKEN_UNCOUNTED = 4 }; /* of a row; there is no limit */

/* A row is a token bucket as one number, so that one compare-and-swap is a take: the time in us at
 * which the bucket is full again. A take moves it on by the time of one token; when that is more
 * than a minute from now, the bucket is empty. (ITU-T I.371, generic cell rate algorithm.) */
struct rates_file {
    struct mapfile_head head;
    _Atomic int64_t full_us[ROWS];
};

struct rates {
    struct mapfile *map;
    struct rates_file *file;
};

struct rates *rates_open(const char *path, const char *boot_id)
{
    static const struct mapfile_kind kind = { "rates", 1, sizeof(struct rates_file) };
    struct rates *l = calloc(1, sizeof *l);
    if (l != NULL) l->map = mapfile_open(path, &kind, boot_id);
    if (l == NULL || l->map == NULL) {
        free(l);
        return NULL;
    }
    l->file = mapfile_at(l->map);
    return l;
}

void rates_close(struct rates *l)
{
    if (l == NULL) return;
    mapfile_close(l->map);
    free(l);
}

/* The rows of `what` and `address`, by SHA-256 of the file's key, `what` and the part that counts.
 * Two, of which either may have a token: else one in some hundred would share a row with a busy
 * one. */
static void rows_of(const struct rates *l, const char *what, const char *address,
                    _Atomic int64_t *rows[2])
{
    struct {
        uint8_t key[MAPFILE_KEY_BYTES];
        char what[NAME_BYTES_MAX], address[SUBNET_BYTES];
    } hashed = { .address = "" };
    uint8_t hash[IDENT_HASH_BYTES];
    memcpy(hashed.key, l->file->head.key, sizeof hashed.key);
    strncpy(hashed.what, what, sizeof hashed.what - 1);
    subnet_of(address, hashed.address);
    ident_hash(&hashed, sizeof hashed, hash);
    rows[0] = &l->file->full_us[(hash[0] << 8 | hash[1]) % ROWS];
    rows[1] = &l->file->full_us[(hash[2] << 8 | hash[3]) % ROWS];
}

static int64_t token_us_of(int64_t per_minute)
{
    return (MINUTE_US + per_minute - 1) / per_minute;
}

static bool take(_Atomic int64_t *row, int64_t per_minute, int64_t now_ms, int *retry_after_s)
{
    int64_t token_us = token_us_of(per_minute);
    int64_t now_us = now_ms * 1000, latest_us = now_us + token_us * per_minute;
    int64_t full_us = *row;
    for (int i = 0; i < TRIES_MAX; i++) {
        int64_t from_us = full_us < now_us ? now_us : full_us;
        if (from_us > latest_us) /* the clock was set back */
            from_us = latest_us;
        int64_t over_us = from_us + token_us - latest_us;
        if (over_us > 0) {
            *retry_after_s = (int)((over_us + 999999) / 1000000);
            return false;
        }
        if (atomic_compare_exchange_weak(row, &full_us, from_us + token_us)) return true;
    }
    *retry_after_s = 1;
    return false;
}

unsigned rates_take(struct rates *l, const char *what, const char *address, int64_t per_minute,
                    int64_t now_ms, int *retry_after_s)
{
    _Atomic int64_t *rows[2];
    int later_s;
    if (l == NULL || per_minute <= 0) return TAKEN_UNCOUNTED;
    rows_of(l, what, address == NULL ? "" : address, rows);
    unsigned taken = take(rows[0], per_minute, now_ms, retry_after_s) ? TAKEN_FIRST : 0;
    if (rows[0] == rows[1]) return taken;
    if (take(rows[1], per_minute, now_ms, &later_s))
        taken |= TAKEN_SECOND;
    else if (taken == 0 && later_s < *retry_after_s)
        *retry_after_s = later_s;
    return taken;
}

void rates_give(struct rates *l, const char *what, const char *address, int64_t per_minute,
                unsigned taken)
{
    _Atomic int64_t *rows[2];
    if (l == NULL || per_minute <= 0) return;
    rows_of(l, what, address == NULL ? "" : address, rows);
    int64_t token_us = token_us_of(per_minute);
    if (taken & TAKEN_FIRST) atomic_fetch_sub(rows[0], token_us);
    if (taken & TAKEN_SECOND) atomic_fetch_sub(rows[1], token_us);
}
