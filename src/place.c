#include "place.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder that the binary lies in. */
static void own_folder(const char *argv0, char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (n > 0)
        out[n] = '\0';
    else if (argv0 == NULL || strchr(argv0, '/') == NULL || realpath(argv0, out) == NULL)
        memcpy(out, "./x", sizeof "./x");
    char *slash = strrchr(out, '/');
    if (slash == out) slash++;
    *slash = '\0';
}

bool place_read_config(struct config *cfg, const char *given, const char *argv0,
                       char error[CONFIG_ERROR_BYTES_MAX])
{
    static const char *const places[] = { "klatch.conf", "../klatch.conf" };
    char folder[PATH_MAX], path[PATH_MAX + 32] = "";
    if (given != NULL) return config_read(cfg, given, true, error);
    own_folder(argv0, folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, places[i]);
        if (access(path, F_OK) == 0) return config_read(cfg, path, true, error);
    }
    return config_read(cfg, path, false, error);
}
