/* place: where this binary lies, and with it its configuration. */
#ifndef KLATCH_PLACE_H
#define KLATCH_PLACE_H

#include <stdbool.h>

#include "config.h"

/* Read the configuration: `given` where that is not NULL, else klatch.conf beside the binary or in
 * the folder above, found from /proc/self/exe, then argv0, then the working directory; without any,
 * the defaults, with the data folder beside cgi-bin. False: `error` says why. */
bool place_read_config(struct config *cfg, const char *given, const char *argv0,
                       char error[CONFIG_ERROR_BYTES_MAX]);

#endif
