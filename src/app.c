#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "bell.h"
#include "events.h"
#include "fstype.h"
#include "log.h"
#include "metrics.h"
#include "park.h"
#include "password.h"
#include "place.h"
#include "rates.h"
#include "slots.h"
#include "store.h"

enum { PATH_BYTES_MAX = APP_PATH_BYTES_MAX + 32, OPEN_TO_ALL = -1 /* no errno value */ };

static int64_t clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t boottime_ms(void *clock_arg)
{
    (void)clock_arg;
    return clock_ms(CLOCK_BOOTTIME);
}

static int64_t realtime_ms(void *clock_arg)
{
    (void)clock_arg;
    return clock_ms(CLOCK_REALTIME);
}

int64_t app_now_ms(const struct app *app)
{
    return app->now_ms(app->clock_arg);
}

int64_t app_wall_ms(const struct app *app)
{
    return app->wall_ms(app->clock_arg);
}

static void note_ring(struct app *app, uint32_t bucket, struct slice peer)
{
    if (app->rung_count < APP_RUNG_MAX) {
        struct app_rung *rung = &app->rung[app->rung_count];
        *rung = (struct app_rung){ .bucket = bucket };
        if (peer.len < sizeof rung->peer) memcpy(rung->peer, peer.at, peer.len);
    }
    if (app->rung_count <= APP_RUNG_MAX) app->rung_count++;
}

void app_ring(struct app *app, const char *room)
{
    uint32_t bucket = bell_bucket(room);
    note_ring(app, bucket, slice_of(""));
    if (app->bell != NULL) bell_ring(app->bell, bucket);
}

void app_ring_members(struct app *app, const char *room, const struct slice *peers, size_t count)
{
    uint32_t bucket = bell_bucket(room);
    for (size_t i = 0; i < count; i++) note_ring(app, bucket, peers[i]);
    if (app->bell != NULL) bell_ring(app->bell, bucket);
}

void app_ask_for(struct app *app, const char *room)
{
    if (app->bell != NULL) bell_ask(app->bell, bell_bucket(room));
}

/* The kernel's name for this boot; where /proc is closed, a name that no boot shares with another
 * keeps every stored time from being believed. */
static void read_boot_id(char out[37])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, 36);
    if (fd >= 0) close(fd);
    out[n == 36 ? 36 : 0] = '\0';
    if (n != 36) snprintf(out, 37, "no-boot-id");
}

static bool is_remote(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fstype_find((uint32_t)fs.f_type)->remote;
}

/* 0, or the errno of what is wrong with the folder, or OPEN_TO_ALL. */
static int resolve_data_dir(const char *path, char out[APP_PATH_BYTES_MAX])
{
    char resolved[PATH_MAX];
    struct stat st;
    int error = place_make_data_dir(path);
    if (error != 0) return error;
    if (realpath(path, resolved) == NULL || stat(resolved, &st) != 0) return errno;
    if (!S_ISDIR(st.st_mode)) return ENOTDIR;
    if (strlen(resolved) >= APP_PATH_BYTES_MAX) return ENAMETOOLONG;
    if (access(resolved, R_OK | W_OK | X_OK) != 0) return errno;
    if (st.st_mode & S_IWOTH) return OPEN_TO_ALL;
    memcpy(out, resolved, strlen(resolved) + 1);
    return 0;
}

bool app_try_data_dir(struct app *app, struct place_fault *fault)
{
    int error = resolve_data_dir(app->cfg.data_dir, app->data_dir);
    app->trouble = NO_PROBLEM;
    if (error == 0) return true;
    if (error == ENOSPC || error == EDQUOT)
        app->trouble = PROBLEM(507, "disk-full",
                               "There is no space left for the data folder: free some of this "
                               "account's space.");
    else if (error == OPEN_TO_ALL)
        app->trouble = PROBLEM(500, "misconfigured",
                               "Every user of this machine can write to the data folder, so that "
                               "Klatch does not trust it: give it the mode 700. The log names it.");
    else
        app->trouble = PROBLEM(500, "misconfigured",
                               "The data folder can't be used: let the user that Klatch runs as "
                               "write to it. The log names it.");
    fault->problem = app->trouble;
    snprintf(fault->log, sizeof fault->log, "data_dir=%s error=%s", app->cfg.data_dir,
             error == OPEN_TO_ALL ? "every user can write to it" : strerror(error));
    return false;
}

bool app_find_data_dir(struct app *app)
{
    struct place_fault fault;
    bool found = app_try_data_dir(app, &fault);
    if (!found) log_event(LOG_LEVEL_ERROR, "data-folder-failed", "%s", fault.log);
    if (found) admin_make(app->data_dir);
    return found;
}

static const char *path_of(const struct app *app, const char *name, char path[PATH_BYTES_MAX])
{
    snprintf(path, PATH_BYTES_MAX, "%s/%s", app->data_dir, name);
    return path;
}

void app_reopen_bell(struct app *app)
{
    char path[PATH_BYTES_MAX];
    bell_close(app->bell);
    app->bell = bell_open(path_of(app, "bell", path), app->boot_id);
}

int app_take_ear(struct app *app)
{
    char path[PATH_BYTES_MAX];
    slots_close(app->ears);
    app->ears = slots_open(path_of(app, "ears", path));
    return app->ears == NULL ? -1 : slots_take(app->ears, BELL_EARS);
}

static void set_clocks(struct app *app)
{
    if (app->now_ms == NULL) app->now_ms = boottime_ms;
    if (app->wall_ms == NULL) app->wall_ms = realtime_ms;
    app->wall_ahead_ms = app_wall_ms(app) - app_now_ms(app);
    read_boot_id(app->boot_id);
}

bool app_open(struct app *app)
{
    char path[PATH_BYTES_MAX];
    set_clocks(app);
    if (!app_find_data_dir(app)) return false;
    app->data_remote = is_remote(app->data_dir);
    app->bell = bell_open(path_of(app, "bell", path), app->boot_id);
    app->rates = rates_open(path_of(app, "rates", path), app->boot_id);
    app->slots = slots_open(path_of(app, "slots", path));
    app->metrics = metrics_open(app);
    app->store = store_open(app);
    app->park = park_open(app);
    app->password = password_open();
    if (app->store != NULL && app->park != NULL) return true;
    app_close(app);
    app->trouble = PROBLEM_RETRY(503, "busy", "The server is out of memory.", 5);
    return false;
}

bool app_open_refusing(struct app *app, struct problem trouble)
{
    set_clocks(app);
    app->trouble = trouble;
    app->park = park_open(app);
    return app->park != NULL;
}

void app_close(struct app *app)
{
    park_close(app->park);
    password_close(app->password);
    store_close(app->store);
    events_close(app->events);
    slots_close(app->slots);
    slots_close(app->ears);
    rates_close(app->rates);
    metrics_close(app->metrics);
    bell_close(app->bell);
    app->park = NULL;
    app->password = NULL;
    app->store = NULL;
    app->events = NULL;
    app->slots = NULL;
    app->ears = NULL;
    app->rates = NULL;
    app->metrics = NULL;
    app->bell = NULL;
}
