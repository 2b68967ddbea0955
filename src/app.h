/* app: the one struct that is passed everywhere.
 * Owns what lives as long as the process: configuration, clock, store, bell, rates, slots and
 * park. Tests make one with a clock of their own; nothing else reads the time. */
#ifndef KLATCH_APP_H
#define KLATCH_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"
#include "ident.h"
#include "problem.h"

struct bell;
struct events;
struct metrics;
struct rates;
struct park;
struct password;
struct place;
struct place_fault;
struct slots;
struct store;
struct upgrade;

enum { APP_RUNG_MAX = 64, APP_PATH_BYTES_MAX = 1024 };

/* A ring that this process still has to hear itself. */
struct app_rung {
    uint32_t bucket;
    char peer[IDENT_PEER_BYTES + 1]; /* the only member with new mail; empty: there may be others */
};

struct app {
    struct config cfg;
    char data_dir[APP_PATH_BYTES_MAX]; /* absolute, resolved once */
    char boot_id[37];                  /* /proc/sys/kernel/random/boot_id */
    bool data_remote;                  /* on NFS or the like: no bell reaches everybody */
    struct store *store;
    struct bell *bell; /* NULL: timers alone */
    struct rates *rates;
    struct events *events;   /* the feed's connection; NULL: not yet needed */
    struct metrics *metrics; /* what is counted */
    struct slots *slots;
    struct slots *ears; /* the bell's, one for each process with a loop; NULL: none taken */
    struct park *park;
    struct password *password; /* the helper that hashes; NULL: none */
    const struct place *place; /* where the binary lies; NULL: not known */
    struct upgrade *upgrade;   /* the loop's look at its own files; NULL: none */
    struct problem trouble;    /* status not 0: why nothing can be served, said to all who ask */
    bool process_per_poll;     /* a held poll costs a process of the web server */
    size_t parked_max;         /* polls that this process may hold: descriptors set the bound */
    const char *how;           /* for health: "fastcgi" or "cgi" */
    int64_t wall_ahead_ms;     /* of the wall clock before now_ms, when the process started */
    bool keeps_rooms;  /* rooms are used by this process alone, as a rule, and it hears rings */
    bool lasts;        /* this process serves more than one request */
    int joins_unswept; /* joins since its last sweep because of one */
    int64_t (*now_ms)(void *clock_arg);
    int64_t (*wall_ms)(void *clock_arg);
    void *clock_arg;
    struct app_rung rung[APP_RUNG_MAX];
    size_t rung_count; /* above APP_RUNG_MAX: look at every bucket */
};

/* Make the data folder of app->cfg where there is none and resolve it to app->data_dir. False:
 * *fault and app->trouble say what is wrong with it. */
bool app_try_data_dir(struct app *app, struct place_fault *fault);
/* The same; what is wrong is logged. */
bool app_find_data_dir(struct app *app);
/* Open everything under app->cfg (filled by the caller): data folder, bell, rates, slots, store,
 * park. Never called before a fork of a process that goes on using it. False after logging why;
 * app->trouble says it too. */
bool app_open(struct app *app);
/* Open nothing: every request is answered with `trouble`. False: no memory. */
bool app_open_refusing(struct app *app, struct problem trouble);
void app_close(struct app *app);
/* An ear at the bell that no other process has, or -1. A former one is given back. */
int app_take_ear(struct app *app);
/* The bell's file has gone or was replaced: close it and open what is there now. app->bell may be
 * NULL after. */
void app_reopen_bell(struct app *app);

/* CLOCK_BOOTTIME in ms: every stored time but sent_ms. */
int64_t app_now_ms(const struct app *app);
/* Unix time in ms: sent_ms only. */
int64_t app_wall_ms(const struct app *app);

/* Tell everybody who waits in `room` to look again: other processes by the bell, this one by
 * app->rung, which the loop empties. Called after the commit. Never fails. */
void app_ring(struct app *app, const char *room);
/* The same for mail to these members alone: of this process's waiters only they look. */
void app_ring_members(struct app *app, const char *room, const struct slice *peers, size_t count);
/* Ask whoever keeps this room locked to let go of it: a ring that this process need not hear. */
void app_ask_for(struct app *app, const char *room);

#endif
