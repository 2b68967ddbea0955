/* upgrade: make way for a binary or a configuration that was uploaded over the old one.
 *
 * A long-lived process runs from a copy of the binary in memory, so that an FTP server that writes
 * over the file doesn't find it busy. Each second it looks at its files. A binary that differs from
 * what runs, has not changed between two looks, is whole and comes through `--check` is taken: the
 * process answers its parked polls and becomes the new binary, with the same process id and the
 * same listening socket, so that who connects meanwhile only waits. So with a configuration that
 * changed, appeared or went, and with a data folder that was deleted or replaced. What is no good
 * is told in the log once, and nothing changes.
 *
 * Nothing here waits: a binary is tried in a child process that is asked for at the next looks.
 * Where copies in memory can't be run (a policy, a kernel before 3.17) the process runs from the
 * file itself; then only a file that is renamed over it can be uploaded while it runs. */
#ifndef KLATCH_UPGRADE_H
#define KLATCH_UPGRADE_H

#include <stdbool.h>
#include <sys/types.h>

#include "config.h"
#include "place.h"

enum { UPGRADE_LOOK_MS = 1000 };

enum upgrade_found {
    UPGRADE_NOTHING,
    UPGRADE_RESTART, /* configuration or data folder: this binary, started again */
    UPGRADE_BINARY,  /* a new one */
};

struct upgrade;

/* Does this process run from a copy in memory? */
bool upgrade_is_copy(void);
/* Become a copy in memory of the binary of `p`, with these arguments. Returns when this is one
 * (NULL), or why none can be. */
const char *upgrade_copy(const struct place *p, char *const *argv);

/* Watch over the files of `p` and the configuration given by --config (NULL: found). Both stay the
 * caller's. NULL: no memory. */
struct upgrade *upgrade_open(const struct place *p, const char *given);
void upgrade_close(struct upgrade *u);

/* place_read_config(), and from now on watch over what was read. */
bool upgrade_read_config(struct upgrade *u, struct config *cfg, struct place_fault *fault);
/* Watch over the data folder too: it is to be there and the same. */
void upgrade_watch_data(struct upgrade *u, const char *data_dir);

/* Nothing can be served: from now on look whether that has changed. */
void upgrade_refusing(struct upgrade *u);

/* Look once; called every UPGRADE_LOOK_MS. What was found stays found. */
enum upgrade_found upgrade_look(struct upgrade *u);
/* The caller reaped this child: is it the one that tries a binary? */
bool upgrade_reaped(struct upgrade *u, pid_t pid, int status);

/* The process is told to end: whatever was found is forgotten. */
void upgrade_cancel(struct upgrade *u);
/* Become what was found, if anything was, in this process: with the arguments argv, the first of
 * which is set to the binary's path. Descriptors that are not closed on exec stay. Returns, after a
 * log line, where that is not possible. `u` may be NULL: nothing was found. */
void upgrade_become(struct upgrade *u, char **argv);

#endif
