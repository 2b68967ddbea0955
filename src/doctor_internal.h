/* Private to doctor.c and doctor_*.c. */
#ifndef KLATCH_DOCTOR_INTERNAL_H
#define KLATCH_DOCTOR_INTERNAL_H

#include <limits.h>
#include <sys/stat.h>

#include "doctor.h"

/* A report being made. */
struct doctor {
    struct app *app;
    char *const *env;
    bool admin;
    struct buf *out;
    int findings;
    /* what the checks measured, for the facts; -1: could not be */
    const char *fs;
    int64_t free_bytes, free_files, write_us, descriptors_max, processes_max;
    bool config_found;
    char config[CONFIG_TEXT_BYTES_MAX]; /* "" where none can be found */
    const char *binary;                 /* the same */
};

/* Begin the next finding. What follows goes into it, for the owner only. */
void doctor_find(struct doctor *d, const char *code);
void doctor_find_at(struct doctor *d, const char *code, const char *path);
void doctor_number(struct doctor *d, const char *name, int64_t number);
void doctor_word(struct doctor *d, const char *name, const char *word);
void doctor_mode(struct doctor *d, mode_t mode);
void doctor_error(struct doctor *d, int error); /* an errno value, by its name */

/* Where the web server shows `path` (that exists): percent-encoded, from the root of the site.
 * False: nowhere that can be told. `url` holds 3 bytes for each of a path. */
enum { DOCTOR_URL_BYTES_MAX = 3 * PATH_MAX + 1024 };
bool doctor_url(const struct doctor *d, const char *path, char url[DOCTOR_URL_BYTES_MAX]);

/* The checks. */
void doctor_check_data(struct doctor *d);
void doctor_check_config(struct doctor *d);
void doctor_check_binary(struct doctor *d);
void doctor_check_host(struct doctor *d);

#endif
