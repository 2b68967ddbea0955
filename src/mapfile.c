#include "mapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "fstype.h"
#include "ident.h"
#include "log.h"

enum {
    GUARDED_MAX = 16, /* maps of one process; it needs three */
    TRIES_MAX = 200,  /* each at most 1 ms, while another process replaces the file */
    TEMPORARY_RANDOM_BYTES = 8
};

struct mapfile {
    char *path;
    void *at;
    struct mapfile_head head; /* as it was when we mapped it */
    dev_t device;
    ino_t inode;
};

/* What the SIGBUS handler knows. Entries are only added and removed by the main thread. */
static struct {
    _Atomic uintptr_t start; /* 0: free */
    _Atomic size_t bytes;
    _Atomic bool replaced; /* or just being: of several threads that fault one does it */
} guarded[GUARDED_MAX];
static struct sigaction sigbus_before;

/* Only calls that are system calls: this may interrupt anything. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
    (void)context;
    int errno_before = errno;
    uintptr_t fault = (uintptr_t)info->si_addr;
    bool by_access = info->si_code == BUS_ADRERR;
    for (size_t i = 0; by_access && i < GUARDED_MAX; i++) {
        uintptr_t start = guarded[i].start;
        size_t bytes = guarded[i].bytes;
        if (start == 0 || fault < start || fault - start >= bytes) continue;
        bool by_another = atomic_exchange(&guarded[i].replaced, true);
        void *at = (void *)start; // NOLINT(performance-no-int-to-ptr): it came from mmap
        if (!by_another && mmap(at, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            break;
        errno = errno_before;
        return;
    }
    /* Not ours: what was before, mostly the end, at the access done again or the signal sent. */
    sigaction(number, &sigbus_before, NULL);
    if (info->si_code <= 0) raise(number);
    errno = errno_before;
}

/* Every time anew, since whoever came between may have set a handler of its own. */
static bool install(void)
{
    struct sigaction now, ours = { .sa_flags = SA_SIGINFO | SA_RESTART };
    ours.sa_sigaction = on_sigbus;
    sigemptyset(&ours.sa_mask);
    if (sigaction(SIGBUS, NULL, &now) != 0) return false;
    if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_sigbus) return true;
    sigbus_before = now;
    return sigaction(SIGBUS, &ours, NULL) == 0;
}

static bool guard(void *at, size_t bytes)
{
    bool installed = install();
    for (size_t i = 0; installed && i < GUARDED_MAX; i++) {
        if (guarded[i].start != 0) continue;
        guarded[i].bytes = bytes;
        guarded[i].replaced = false;
        guarded[i].start = (uintptr_t)at;
        return true;
    }
    return false;
}

static void unguard(const void *at)
{
    for (size_t i = 0; i < GUARDED_MAX; i++) {
        if (guarded[i].start == (uintptr_t)at) guarded[i].start = 0;
    }
}

static void fill_head(struct mapfile_head *head, const struct mapfile_kind *kind,
                      const char *boot_id)
{
    memset(head, 0, sizeof *head);
    snprintf(head->kind, sizeof head->kind, "%s", kind->name);
    head->version = kind->version;
    head->bytes = kind->bytes;
    snprintf(head->boot_id, sizeof head->boot_id, "%s", boot_id);
}

/* Make the file under a temporary name and put it at `path`: by link(2), or over what is there
 * when `replacing`. Returns an errno value; EEXIST when another was faster. */
static int make(const char *path, const struct mapfile_head *wanted, bool replacing)
{
    struct mapfile_head head = *wanted;
    uint8_t random[TEMPORARY_RANDOM_BYTES];
    char suffix[2 * sizeof random + 1], *temporary = NULL;
    ident_random(head.key, sizeof head.key);
    ident_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) snprintf(suffix + 2 * i, 3, "%02x", random[i]);
    if (asprintf(&temporary, "%s.tmp-%s", path, suffix) < 0) return ENOMEM;
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int fault = fd < 0 ? errno : posix_fallocate(fd, 0, head.bytes);
    if (fault == 0 && pwrite(fd, &head, sizeof head, 0) != (ssize_t)sizeof head) fault = EIO;
    if (fault == 0 && (replacing ? rename(temporary, path) : link(temporary, path)) != 0)
        fault = errno;
    if (fd >= 0) {
        close(fd);
        if (!replacing || fault != 0) unlink(temporary);
    }
    free(temporary);
    return fault;
}

/* Replace the file open at `fd`, which is of no use. Its lock decides who does it; who comes later
 * finds another inode at the path. Returns an errno value; EAGAIN: look again. */
static int replace(const char *path, int fd, const struct stat *st, const struct mapfile_head *head)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct stat now;
    if (fcntl(fd, F_OFD_SETLK, &whole) != 0) return errno == EACCES ? EAGAIN : errno;
    if (lstat(path, &now) != 0) return errno == ENOENT ? EAGAIN : errno;
    if (now.st_dev != st->st_dev || now.st_ino != st->st_ino) return EAGAIN;
    return make(path, head, true);
}

static bool is_shared_by_hosts(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) != 0 || fstype_find((uint32_t)fs.f_type)->remote;
}

static int map(struct mapfile *m, int fd)
{
    void *at = mmap(NULL, m->head.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) return errno;
    if (!guard(at, m->head.bytes)) {
        munmap(at, m->head.bytes);
        return EMFILE;
    }
    m->at = at;
    return 0;
}

/* Open and map what is at the path, or bring it about that the next try can. Returns an errno
 * value; EAGAIN: look again. */
static int try_open(struct mapfile *m, const struct mapfile_head *wanted)
{
    struct stat st;
    int fd = open(m->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        int fault = make(m->path, wanted, false);
        return fault == 0 || fault == EEXIST ? EAGAIN : fault;
    }
    if (fd < 0) return errno;
    int fault = fstat(fd, &st) != 0 ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;
    if (fault == 0 && is_shared_by_hosts(fd)) fault = EOPNOTSUPP;
    if (fault != 0) goto out;
    ssize_t got = pread(fd, &m->head, sizeof m->head, 0);
    bool whole = got == (ssize_t)sizeof m->head;
    bool ours = whole && memcmp(m->head.kind, wanted->kind, sizeof wanted->kind) == 0;
    bool fits = ours && st.st_size == (off_t)wanted->bytes &&
                memcmp(&m->head, wanted, offsetof(struct mapfile_head, key)) == 0;
    m->device = st.st_dev;
    m->inode = st.st_ino;
    if (fits) {
        fault = map(m, fd);
    } else if (ours && m->head.version > wanted->version) {
        fault = EPROTONOSUPPORT; /* two versions must not take turns in replacing it */
    } else {
        fault = replace(m->path, fd, &st, wanted);
        fault = fault == 0 ? EAGAIN : fault;
    }
out:
    close(fd);
    return fault;
}

struct mapfile *mapfile_open(const char *path, const struct mapfile_kind *kind, const char *boot_id)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    struct mapfile_head wanted;
    struct mapfile *m = calloc(1, sizeof *m);
    if (m != NULL) m->path = strdup(path);
    int fault = m == NULL || m->path == NULL ? ENOMEM : EAGAIN;
    fill_head(&wanted, kind, boot_id);
    for (int i = 0; fault == EAGAIN && i < TRIES_MAX; i++) {
        if (i > 1) nanosleep(&pause, NULL);
        fault = try_open(m, &wanted);
    }
    if (fault == 0) return m;
    log_event(LOG_LEVEL_WARNING, "shared-file-unusable", "file=%s reason=%s", kind->name,
              strerror(fault));
    if (m != NULL) free(m->path);
    free(m);
    return NULL;
}

void mapfile_close(struct mapfile *m)
{
    if (m == NULL) return;
    unguard(m->at);
    munmap(m->at, m->head.bytes);
    free(m->path);
    free(m);
}

void *mapfile_at(const struct mapfile *m)
{
    return m->at;
}

bool mapfile_alive(const struct mapfile *m)
{
    struct stat st;
    return lstat(m->path, &st) == 0 && st.st_dev == m->device && st.st_ino == m->inode &&
           st.st_size == (off_t)m->head.bytes && memcmp(m->at, &m->head, sizeof m->head) == 0;
}
