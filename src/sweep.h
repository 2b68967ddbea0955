/* sweep: rooms that nobody visits any more. Visits a few files of the rooms folder from a rotating
 * place (kept in a small file beside it, so that CGI processes go on where the last one stopped),
 * calls room_sweep() for each and moves nothing itself. Called every 10 s by a worker's loop and at
 * every 50th join, in CGI mode too. Never longer than a few ms. */
#ifndef KLATCH_SWEEP_H
#define KLATCH_SWEEP_H

#include "app.h"

/* Visit up to `files` rooms. */
void sweep_some(struct app *app, int files);
/* Call after each join, a refused one too: sweeps at every 50th of this process, or, where a
 * process serves one request, at every 50th of theirs (that count lies in the same small file). */
void sweep_after_join(struct app *app);

#endif
