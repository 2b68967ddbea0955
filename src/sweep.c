#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "events.h"
#include "log.h"
#include "room.h"
#include "store.h"

enum {
    JOINS_PER_SWEEP = 50,
    FILES_AFTER_JOIN = 8,
    TRIM_PER_SWEEP = 256, /* cached connections looked at: idle, or without a file? */
    STATE_BYTES = 64,
};

struct state {
    int64_t place; /* where in the folder to go on */
    int64_t joins;
};

/* Open and lock the file; -1: another process sweeps just now, or the folder can't be written. A
 * file that makes no sense is one from the beginning. */
static int state_open(const struct app *app, struct state *s)
{
    char path[APP_PATH_BYTES_MAX + 16], text[STATE_BYTES + 1];
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    *s = (struct state){ 0 };
    snprintf(path, sizeof path, "%s/sweep", app->data_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        close(fd);
        return -1;
    }
    ssize_t len = pread(fd, text, STATE_BYTES, 0);
    text[len > 0 ? len : 0] = '\0';
    char *end;
    s->place = strtoll(text, &end, 10);
    s->joins = strtoll(end, NULL, 10);
    if (s->place < 0 || s->joins < 0) *s = (struct state){ 0 };
    return fd;
}

static void state_close(int fd, const struct state *s)
{
    char text[STATE_BYTES + 1];
    /* Of one length, so that nothing of a longer line is left behind. */
    int len = snprintf(text, sizeof text, "%20" PRId64 " %20" PRId64 "\n", s->place, s->joins);
    if (pwrite(fd, text, (size_t)len, 0) != len)
        log_event(LOG_LEVEL_DEBUG, "sweep-state", "errno=%d",
                  errno); /* some rooms are seen again */
    close(fd);
}

static void visit(struct app *app, const char *room)
{
    room_sweep(app, room); /* what is busy is visited in the next round */
}

static void sweep_from(struct app *app, struct state *s, int files)
{
    if (!app->cfg.events) events_remove(app);
    s->place = store_rooms_from(app, s->place, files, visit);
}

void sweep_some(struct app *app, int files)
{
    struct state s;
    store_trim(app, TRIM_PER_SWEEP); /* one's own: also while another process sweeps */
    int fd = state_open(app, &s);
    if (fd < 0) return;
    sweep_from(app, &s, files);
    state_close(fd, &s);
}

void sweep_after_join(struct app *app)
{
    struct state s;
    if (app->lasts && ++app->joins_unswept < JOINS_PER_SWEEP) return;
    int fd = state_open(app, &s);
    if (fd < 0) return;
    s.joins = app->lasts ? s.joins : (s.joins + 1) % JOINS_PER_SWEEP;
    app->joins_unswept = 0;
    if (app->lasts || s.joins == 0) sweep_from(app, &s, FILES_AFTER_JOIN);
    state_close(fd, &s);
}
