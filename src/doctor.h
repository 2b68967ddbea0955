/* doctor: what the server sees of itself and of the host that it runs on: the part of the doctor
 * page that a browser can't find out. It only looks; the words and the remedies are the page's. */
#ifndef KLATCH_DOCTOR_H
#define KLATCH_DOCTOR_H

#include <stdbool.h>

#include "app.h"
#include "buf.h"

enum { DOCTOR_MARK_BYTES = 16 };

/* The machine language that this binary is in: "x86_64", "aarch64" or "other". */
const char *doctor_arch(void);
/* Marks that differ between two data folders, and between two machines; both are hashes, "" where
 * there is nothing to hash. Two front ends that answer with different hosts and the same place
 * share their data folder. */
void doctor_place(const struct app *app, char out[DOCTOR_MARK_BYTES + 1]);
void doctor_host(const struct app *app, char out[DOCTOR_MARK_BYTES + 1]);

/* Append the report as JSON: `{"admin", "findings": [{"code", …}]}`, for the owner (`admin`) with
 * numbers and paths in the findings, `facts`, and `data_url` and `config_url` where these lie below
 * a folder that the web server shows. For others codes only. `env`: the request's variables, for
 * where that folder is; may be NULL. Writes and removes 64 kB in the data folder. */
void doctor_report(struct app *app, char *const *env, bool admin, struct buf *out);

#endif
