/* config_values: what stands behind the `=` of a setting, read to pieces, and the settings that are
 * lists. Text is a slice of the file; nothing is kept of it. */
#ifndef KLATCH_CONFIG_VALUES_H
#define KLATCH_CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"

struct slice value_trim(struct slice s); /* without spaces and tabs at its ends */
/* Cut what stands before the first `c` off `rest`, or the whole of it. */
struct slice value_cut(struct slice *rest, char c);
bool value_starts(struct slice s, const char *head);
bool value_all_of(struct slice s, const char *allowed);
bool value_printable(struct slice s); /* ASCII without spaces */
bool value_integer(struct slice s, int64_t min, int64_t max, int64_t *out);

/* The whole of a list, the origins parted by spaces. */
bool value_set_origins(struct config_origins *list, struct slice value);
/* One more server, the words parted by one space. `first`: the first line of this file, which
 * empties the default. After a lone `none` nothing may follow. */
bool value_add_ice_server(struct config *cfg, struct slice value, bool first, bool *none);
/* One more key for tokens; empty, as the first line: none. */
bool value_add_token_key(struct config *cfg, struct slice value, bool first);

#endif
