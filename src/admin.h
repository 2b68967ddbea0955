/* admin: the key by which this site's owner is known: the configuration's admin_key or, where it
 * has none, the one that lies in the data folder, where only the owner's file manager shows it; who
 * deletes that file gets a new one.
 *
 * That has 256 random bits, so that guessing it is hopeless at any rate. Wrong ones are counted,
 * for each address and in all, so that they are told of in the log without filling it; the right
 * one always passes, so that nobody can keep the owner out by guessing, not even from the owner's
 * own address (that of a proxy, where all callers have the same). */
#ifndef KLATCH_ADMIN_H
#define KLATCH_ADMIN_H

#include <stdbool.h>

#include "app.h"
#include "buf.h"
#include "problem.h"

enum {
    ADMIN_KEY_BYTES_MIN = 32,    /* a key file with less is somebody's own word, and not taken */
    ADMIN_WRONG_PER_MINUTE = 10, /* for each address; above: 429 */
    ADMIN_WRONG_PER_MINUTE_ALL = 60,
};

#define ADMIN_KEY_FILE "admin-key.txt"

/* Make the key in this data folder unless it is there (one system call). What hinders it is logged
 * and otherwise left to the doctor: everything else works without. */
void admin_make(const char *data_dir);

/* Who calls? *admin: `key` is the right one. Absent: not the admin, and no problem.
 * Fails: 403 not-permitted; 429 rate-limited. */
struct problem admin_check(struct app *app, const char *address, struct slice key, bool *admin);

#endif
