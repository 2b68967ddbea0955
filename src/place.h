/* place: where this binary lies, and with it its configuration and its data.
 *
 * What is looked for, in this order: the file given by --config; klatch.conf beside the binary; in
 * the folder above it; klatch-private/ in one of up to 8 folders above; .ht-klatch-<32 hex>/ beside
 * the binary, made when nothing else is there. In the last two the configuration is klatch.conf,
 * which need not be there, and the data folder is data/ if it doesn't say otherwise.
 *
 * All processes of one upload must come to the same answer, and a FastCGI process knows no
 * DOCUMENT_ROOT when it starts, while the CGI program beside it does; on shared hosts that variable
 * is also often wrong. So it is never asked. Paths and owners decide:
 * - klatch-private is taken only where it is a real folder of our own user, and where nothing says
 *   that a web server shows the folder that holds it: no index page lies beside it, and no folder
 * on its path is named as hosts name a document root. A wrong no costs nothing: then the folder
 *   beside the binary is used, which is safe to have in a document root, since nobody can guess its
 *   name and Apache shows nothing that begins with .ht.
 * - Nothing in these folders is opened through a symlink, and a folder that every user of the
 *   machine can write to is refused: others could have put there what we would read.
 *
 * Exactly one folder is made, however many processes start at once and whether or not locks work:
 * symlink(2) is one step on every file system, and carries the name that all of them take. The link
 * `.ht-klatch` leads nowhere, so that no web server tells the name, and stays: a folder that was
 * deleted is made again under its former name. */
#ifndef KLATCH_PLACE_H
#define KLATCH_PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "config.h"
#include "problem.h"

enum { PLACE_LOG_BYTES_MAX = 900 };

struct place {
    char binary[PATH_MAX]; /* the uploaded file, absolute, also while a copy of it runs */
    char folder[PATH_MAX]; /* where it lies */
};

/* Why there is no configuration or no data folder. */
struct place_fault {
    struct problem problem;        /* for who asks: what the owner of the site does, no path */
    char log[PLACE_LOG_BYTES_MAX]; /* for the owner: with the path */
};

/* The name of the copy that a long-lived process runs from; see upgrade.h. */
#define PLACE_COPY_NAME "klatch"

/* Find the binary: /proc/self/exe, then argv0, then the working directory. Where a copy in memory
 * runs, argv0 is the path of its original: upgrade.c put it there, and no request can. */
void place_open(struct place *p, const char *argv0);

/* Which file would be read now: `given`, else what the search finds. Makes nothing. "" in `path`:
 * a folder would be made first. False: *fault says why there is no place. */
bool place_find(const struct place *p, const char *given, char path[CONFIG_TEXT_BYTES_MAX],
                struct place_fault *fault);

/* Read the configuration, making the folder where one has to be made. False: *fault says why. */
bool place_read_config(struct config *cfg, const struct place *p, const char *given,
                       struct place_fault *fault);

/* Make the data folder at `path` where there is none, and the folder of our own around it where
 * that was deleted. 0 or an errno value. */
int place_make_data_dir(const char *path);

/* Is there an executable file of our own user or root's, named `name`, beside the binary? */
bool place_has_beside(const struct place *p, const char *name);

#endif
