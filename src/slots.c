#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

enum { SLOTS_MAX = 1000 };

struct slots {
    int fd;
    bool told;            /* that locks fail */
    bool held[SLOTS_MAX]; /* by this process: its own locks never conflict */
};

struct slots *slots_open(const char *path)
{
    struct slots *s = calloc(1, sizeof *s);
    if (s != NULL) s->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (s == NULL || s->fd < 0) {
        log_event(LOG_LEVEL_WARNING, "slots-unusable", "reason=%s", strerror(errno));
        free(s);
        return NULL;
    }
    return s;
}

void slots_close(struct slots *s)
{
    if (s == NULL) return;
    close(s->fd);
    free(s);
}

static int set_lock(const struct slots *s, int slot, short type)
{
    struct flock byte = { .l_type = type, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1 };
    return fcntl(s->fd, F_OFD_SETLK, &byte) == 0 ? 0 : errno;
}

int slots_take(struct slots *s, int budget)
{
    for (int slot = 0; slot < budget && slot < SLOTS_MAX; slot++) {
        int fault = s->held[slot] ? EAGAIN : set_lock(s, slot, F_WRLCK);
        if (fault == 0) {
            s->held[slot] = true;
            return slot;
        }
        if (fault != EAGAIN && fault != EACCES) {
            if (!s->told)
                log_event(LOG_LEVEL_WARNING, "slots-unusable", "reason=%s", strerror(fault));
            s->told = true;
            return -1;
        }
    }
    return -1;
}

void slots_give(struct slots *s, int slot)
{
    if (slot < 0 || slot >= SLOTS_MAX || !s->held[slot]) return;
    set_lock(s, slot, F_UNLCK);
    s->held[slot] = false;
}
