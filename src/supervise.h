/* supervise: sockets of our own and worker processes on them: one that all workers share, and
 * beside it one for each (SOCKET.0, SOCKET.1 …), so that a web server can give a room's requests to
 * always the same worker, which then keeps the room to itself. The parent opens no database, no
 * bell and no log but standard error's; it only starts workers, starts again who dies (at once the
 * first time, then after a pause that doubles), and passes on signals: TERM and INT end all within
 * a second, HUP reads the configuration again and replaces the workers one generation by the next,
 * or keeps them when the new configuration is wrong. So it does when its files change (upgrade.h);
 * to another binary it leaves its sockets and its workers, which are replaced when the new ones
 * run. */
#ifndef KLATCH_SUPERVISE_H
#define KLATCH_SUPERVISE_H

#include <stdbool.h>

#include "config.h"
#include "place.h"
#include "upgrade.h"

struct supervise_options {
    const char *socket_path;
    const char *config_path; /* NULL: where place_read_config() finds it */
    const char *take_over;   /* NULL, or what an older supervisor left to this one, its successor */
    const struct place *place; /* where the binary lies; may be NULL beside a config_path */
    struct upgrade *upgrade;   /* its look at the files, that read the configuration; NULL: none */
    int workers;               /* 1..64 */
};

/* Run until told to stop. The exit status of the process. `cfg` is the configuration read already.
 */
int supervise_run(const struct supervise_options *options, const struct config *cfg);

#endif
