#include "admin.h"

#include <errno.h>
#include <string.h>

#include "ident.h"
#include "log.h"
#include "rates.h"
#include "secret.h"

void admin_make(const char *data_dir)
{
    int fault = secret_make(data_dir, ADMIN_KEY_FILE);
    if (fault != 0)
        log_event(LOG_LEVEL_WARNING, "admin-key-failed", "file=" ADMIN_KEY_FILE " error=%s",
                  strerror(fault));
}

/* The key of the data folder; *broken: why there is none, or NULL. */
static void read_kept(const struct app *app, char kept[SECRET_BYTES_MAX + 1], const char **broken)
{
    int fault = ENOTDIR; /* there is no data folder that can be trusted */
    if (app->data_dir[0] != '\0') fault = secret_read(app->data_dir, ADMIN_KEY_FILE, kept);
    if (fault == ENOENT) {
        fault = secret_make(app->data_dir, ADMIN_KEY_FILE);
        if (fault == 0) fault = secret_read(app->data_dir, ADMIN_KEY_FILE, kept);
    }
    if (fault != 0)
        *broken = strerror(fault);
    else if (strlen(kept) < ADMIN_KEY_BYTES_MIN)
        *broken = "too short";
}

/* *broken: why nobody is right, or NULL. */
static bool is_right(const struct app *app, struct slice key, const char **broken)
{
    char kept[SECRET_BYTES_MAX + 1];
    const char *right = app->cfg.admin_key;
    uint8_t given_hash[IDENT_HASH_BYTES], right_hash[IDENT_HASH_BYTES];
    if (right[0] == '\0') {
        read_kept(app, kept, broken);
        if (*broken != NULL) return false;
        right = kept;
    }
    while (key.len > 0 && (unsigned char)key.at[0] <= ' ')
        key = (struct slice){ key.at + 1, key.len - 1 };
    while (key.len > 0 && (unsigned char)key.at[key.len - 1] <= ' ') key.len--;
    ident_hash(key.at, key.len, given_hash);
    ident_hash(right, strlen(right), right_hash);
    return ident_equal(given_hash, right_hash, sizeof right_hash);
}

struct problem admin_check(struct app *app, const char *address, struct slice key, bool *admin)
{
    char from[46];
    int retry_after_s = 0;
    const char *broken = NULL;
    *admin = key.at != NULL && is_right(app, key, &broken);
    if (key.at == NULL || *admin) return NO_PROBLEM;
    int64_t now_ms = app_now_ms(app);
    if (!rates_take(app->rates, "admin", address, ADMIN_WRONG_PER_MINUTE, now_ms, &retry_after_s) ||
        !rates_take(app->rates, "admin-all", "", ADMIN_WRONG_PER_MINUTE_ALL, now_ms,
                    &retry_after_s))
        return PROBLEM_RETRY(429, "rate-limited", "Too many wrong admin keys; wait a little.",
                             retry_after_s);
    log_address(address, from, sizeof from);
    bool configured = app->cfg.admin_key[0] != '\0';
    const char *file = configured ? "unused" : broken == NULL ? "fine" : broken;
    log_event(LOG_LEVEL_WARNING, "admin-key-wrong", "from=%s file=%s", from, file);
    if (configured)
        return PROBLEM(403, "not-permitted",
                       "This is not the admin key; it stands as admin_key in klatch.conf.");
    return PROBLEM(403, "not-permitted",
                   "This is not the admin key; it stands in " ADMIN_KEY_FILE
                   " in the data folder.");
}
