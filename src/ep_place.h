/* ep_place: where and when a member may hold a poll, which answers tell it.
 *
 * Where a poll costs a process of the web server there are often two entry points, one for polls
 * alone: the web server keeps processes for each apart, and polls then never hold up a send. Polls
 * are held there; the main entry point answers them at once and says whether a place is kept. */
#ifndef KLATCH_EP_PLACE_H
#define KLATCH_EP_PLACE_H

#include "ep.h"

enum ep_place {
    EP_PLACE_KEEP,      /* for a poll that will come, here or at the other entry point */
    EP_PLACE_HERE,      /* for this poll */
    EP_PLACE_TAKE_OVER, /* for this poll, which ends an older one of the same member */
};

/* 0: there is a place for `peer`, and *slot is it but with EP_PLACE_KEEP. Above 0: retry_ms. */
int64_t ep_place_ask(struct app *app, const char *peer, enum ep_place where, int *slot);

/* Are polls that come by this call's entry point to be held at another one? */
bool ep_place_elsewhere(const struct ep_call *c);

/* Append `"poll":{…}` of a join's answer, with retry_ms when there is no place for `peer`. */
void ep_place_put(struct ep_call *c, const char *peer);

#endif
