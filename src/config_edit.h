/* config_edit: settings put into a configuration file that somebody wrote by hand: only their own
 * lines change, every other line, comment and line end stays byte for byte. */
#ifndef KLATCH_CONFIG_EDIT_H
#define KLATCH_CONFIG_EDIT_H

#include <stddef.h>

#include "buf.h"
#include "problem.h"

enum { CONFIG_EDIT_FILE_BYTES_MAX = 65536, CONFIG_EDIT_SETTINGS_MAX = 16 };

struct config_setting {
    const char *key; /* a key of config_rows(); each at most once */
    struct slice value;
};

/* Append `text` to `out` with the settings in it. The first line that sets a key is replaced; else
 * the new line comes behind the first that is `#key = …`, as the sample has it; else to the end.
 * False: a value that no line can hold (control characters, beyond ASCII, blanks at its ends), more
 * than CONFIG_EDIT_SETTINGS_MAX settings, or `out` is full. */
bool config_edit(struct slice text, const struct config_setting *settings, size_t count,
                 struct buf *out);

/* config_edit() of the file at `path`, made 0600 where there is none: the result is checked with
 * config_parse() and replaces the file in one step, under the same mode and owner. Links to it
 * stay. Of two at the same time one is lost, whole.
 * Fails, nothing changed: 400 invalid-request (as config_edit()); 409 config-wrong (the file is
 * wrong as it stands, or would be with these settings); 507 disk-full; 507 not-writable. */
struct problem config_save(const char *path, const struct config_setting *settings, size_t count);

#endif
