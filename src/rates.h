/* rates: how often one address may do something, counted across processes in a mapped file made
 * like the bell's. Token buckets in a fixed table by keyed hash (the key is drawn with the file):
 * two addresses that share a row share its rate, and no address can find another's row. Processes
 * that ask for the last one in the same moment may each get it: so many more than the rate, once.
 */
#ifndef KLATCH_RATES_H
#define KLATCH_RATES_H

#include <stdint.h>

struct rates;

/* NULL: no rates, after a log line. */
struct rates *rates_open(const char *path, const char *boot_id);
void rates_close(struct rates *l);

/* Take one of `per_minute` (0: no limit) for `what` from `address` (IPv6: its /64 counts), burst up
 * to the whole minute's number. Returns what rates_give() must know to give it back; 0: refused,
 * and *retry_after_s is 1 or more. `l` may be NULL. */
unsigned rates_take(struct rates *l, const char *what, const char *address, int64_t per_minute,
                    int64_t now_ms, int *retry_after_s);

/* Give back what was taken for something that turned out not to count. */
void rates_give(struct rates *l, const char *what, const char *address, int64_t per_minute,
                unsigned taken);

#endif
