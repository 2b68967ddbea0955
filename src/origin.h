/* origin: which pages may read answers. An origin is what browsers send (RFC 6454, section 6.2):
 * scheme://host[:port] in lower case, a name as punycode, the scheme's own port left out. They are
 * compared byte for byte; nothing is decoded, lower-cased or completed. */
#ifndef KLATCH_ORIGIN_H
#define KLATCH_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"

/* Is this an origin as a browser sends it, or with `*.` before its name, which needs a dot
 * in it: every sub-domain? */
bool origin_valid(struct slice s);

/* Is `origin`, which may be anything, what `allowed` (valid, or a lone *) names? A `*.` stands for
 * one label or more, never for none. */
bool origin_matches(struct slice allowed, struct slice origin);

/* What of the list names `origin`; NULL: nothing does. */
const char *origin_listed(const struct config_origins *list, struct slice origin);

/* host or host:port; the host is a name, an IPv4 address or an IPv6 address in brackets. *port is
 * 0 when none is there. */
bool origin_host_and_port(struct slice s, bool lower_case, int64_t *port);

#endif
