/* log: one line per event to one descriptor: time, level, event, fields. Never an SDP, a key, a
 * name or a whole address (log_address() cuts it). The sink is a process-wide global. */
#ifndef KLATCH_LOG_H
#define KLATCH_LOG_H

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Write to `fd` from now on (2 at start), lines up to `level`. */
void log_open(int fd, enum log_level level);

/* One line `2026-01-31T12:00:00.000Z warning store-broken room=tea …`, one write(2); control
 * characters of the fields become `?`; cut at 1,000 bytes. `event` is a stable word. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "192.0.2.0" or "2001:db8:1::" of an address: its /24 or /48. "-" of what is none. `out` has at
 * least 46 bytes. */
void log_address(const char *address, char *out, size_t out_size);

#endif
