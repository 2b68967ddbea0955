#include "upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "log.h"

enum {
    TRIAL_LOOKS = 3,              /* a binary has 2 s to come through --check */
    BINARY_BYTES_MAX = 256 << 20, /* the largest file that is taken for a binary */
    CHUNK_BYTES = 32768,
    SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
    STATUS_NOT_RUN = 127,
};

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3; older ones refuse it and need it not */
#endif

/* One state of a file; all zero: it isn't there. */
struct file_state {
    dev_t device;
    ino_t inode;
    off_t bytes;
    int64_t modified_ns, changed_ns;
};

struct upgrade {
    const struct place *place;
    const char *given;
    enum upgrade_found found;
    bool cancelled;
    bool refusing;    /* there is no configuration, or no data folder */
    bool from_memory; /* this process runs from a copy */

    char config_path[CONFIG_TEXT_BYTES_MAX], config_path_seen[CONFIG_TEXT_BYTES_MAX];
    struct file_state config, config_seen, config_refused;

    char data_dir[APP_PATH_BYTES_MAX]; /* "": not watched */
    dev_t data_device;
    ino_t data_inode;

    struct file_state binary, binary_seen, binary_refused;
    pid_t trial; /* 0: none */
    int trial_looks;
    int trial_fd; /* the copy that is tried, and becomes the process; -1: the file itself */
};

/* ---- copies in memory ---- */

bool upgrade_is_copy(void)
{
    char exe[sizeof "/memfd:" PLACE_COPY_NAME];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    return n == (ssize_t)sizeof exe - 1 &&
           memcmp(exe, "/memfd:" PLACE_COPY_NAME, sizeof exe - 1) == 0;
}

static bool copy_bytes(int from, int to)
{
    char chunk[CHUNK_BYTES];
    off_t total = 0;
    ssize_t n;
    while ((n = read(from, chunk, sizeof chunk)) > 0 && total < BINARY_BYTES_MAX) {
        if (write(to, chunk, (size_t)n) != n) return false;
        total += n;
    }
    return n == 0 && total > 0;
}

/* A sealed copy of the file at `path`; -1: errno says why. */
static int copy_to_memory(const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0) return -1;
    int to = memfd_create(PLACE_COPY_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (to < 0 && errno == EINVAL)
        to = memfd_create(PLACE_COPY_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool good = to >= 0 && copy_bytes(from, to) && fchmod(to, 0500) == 0 &&
                fcntl(to, F_ADD_SEALS, SEALS) == 0;
    int error = errno;
    close(from);
    if (!good && to >= 0) close(to);
    errno = error;
    return good ? to : -1;
}

const char *upgrade_copy(const struct place *p, char *const *argv)
{
    size_t count = 0;
    if (upgrade_is_copy()) {
        /* The kernel names it after its descriptor, which tells a person who looks nothing. */
        (void)prctl(PR_SET_NAME, strrchr(p->binary, '/') + 1);
        return NULL;
    }
    if (access("/proc/self/exe", R_OK) != 0) return "there is no /proc";
    while (argv[count] != NULL) count++;
    char **with = calloc(count + 2, sizeof *with), *path = strdup(p->binary);
    int fd = with == NULL || path == NULL ? -1 : copy_to_memory("/proc/self/exe");
    if (fd >= 0) {
        with[0] = path;
        for (size_t i = 1; i < count; i++) with[i] = argv[i];
        fexecve(fd, with, environ);
    }
    int error = errno;
    if (fd >= 0) close(fd);
    free(with);
    free(path);
    return strerror(error);
}

/* ---- states of files ---- */

static struct file_state state_of(const char *path)
{
    struct stat st;
    struct file_state s = { 0 };
    if (path[0] == '\0' || stat(path, &st) != 0) return s;
    s.device = st.st_dev;
    s.inode = st.st_ino;
    s.bytes = st.st_size;
    s.modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    s.changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
    return s;
}

static bool same(const struct file_state *a, const struct file_state *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

static bool same_bytes(int a, int b)
{
    char chunk_a[CHUNK_BYTES], chunk_b[CHUNK_BYTES];
    for (;;) {
        ssize_t n = read(a, chunk_a, sizeof chunk_a), m = read(b, chunk_b, sizeof chunk_b);
        if (n < 0 || n != m || memcmp(chunk_a, chunk_b, (size_t)n) != 0) return false;
        if (n == 0) return true;
    }
}

/* Is the file what runs? */
static bool is_running(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int running = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool equal = file >= 0 && running >= 0 && same_bytes(file, running);
    if (file >= 0) close(file);
    if (running >= 0) close(running);
    return equal;
}

/* Has the file everything that its own head says it has? An upload that stands still may lack its
 * end, where the section headers are, and still come through --check. */
static bool is_whole(int fd)
{
    ElfW(Ehdr) head;
    struct stat st;
    if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head || fstat(fd, &st) != 0)
        return false;
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return false;
    uint64_t end = (uint64_t)head.e_shoff + (uint64_t)head.e_shnum * head.e_shentsize;
    uint64_t bytes = (uint64_t)st.st_size;
    if (head.e_shoff > bytes || end > bytes) return false;
    for (size_t i = 0; i < head.e_phnum; i++) {
        ElfW(Phdr) part;
        off_t at = (off_t)(head.e_phoff + i * sizeof part);
        if (pread(fd, &part, sizeof part, at) != (ssize_t)sizeof part) return false;
        if (part.p_offset > bytes || part.p_filesz > bytes - part.p_offset) return false;
    }
    return true;
}

/* ---- the binary ---- */

static void refuse_binary(struct upgrade *u, const char *why)
{
    u->binary_refused = u->binary_seen;
    log_event(LOG_LEVEL_WARNING, "upgrade-refused", "path=%s reason=%s", u->place->binary, why);
    if (u->trial_fd >= 0) close(u->trial_fd);
    u->trial_fd = -1;
}

static _Noreturn void run_trial(const struct upgrade *u)
{
    char *argv[] = { strdup(u->place->binary), strdup(u->refusing ? "--version" : "--check"), NULL,
                     NULL, NULL };
    if (u->given != NULL && !u->refusing) {
        argv[2] = strdup("--config");
        argv[3] = strdup(u->given);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2 && null >= 0; fd++) (void)dup2(null, fd);
    if (u->trial_fd >= 0)
        fexecve(u->trial_fd, argv, environ);
    else
        execv(u->place->binary, argv);
    _exit(STATUS_NOT_RUN);
}

static void begin_trial(struct upgrade *u)
{
    int fd = u->from_memory ? copy_to_memory(u->place->binary)
                            : open(u->place->binary, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        refuse_binary(u, strerror(errno));
        return;
    }
    bool whole = is_whole(fd);
    if (u->from_memory)
        u->trial_fd = fd;
    else
        close(fd);
    if (!whole) {
        refuse_binary(u, "not a whole program; the upload may not be over");
        return;
    }
    u->trial_looks = 0;
    u->trial = fork();
    if (u->trial == 0) run_trial(u);
    if (u->trial > 0) return;
    u->trial = 0;
    refuse_binary(u, strerror(errno));
}

static void end_trial(struct upgrade *u, int status)
{
    struct file_state now = state_of(u->place->binary);
    u->trial = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        refuse_binary(u, WIFSIGNALED(status) ? "it crashes, or does not end within 2 s"
                         : WEXITSTATUS(status) == STATUS_NOT_RUN
                             ? "it can't be run on this machine"
                             : "it does not accept the configuration");
    } else if (same(&now, &u->binary_seen)) {
        u->found = UPGRADE_BINARY;
    } else { /* it went on changing */
        if (u->trial_fd >= 0) close(u->trial_fd);
        u->trial_fd = -1;
    }
}

bool upgrade_reaped(struct upgrade *u, pid_t pid, int status)
{
    if (u == NULL || pid <= 0 || pid != u->trial) return false;
    end_trial(u, status);
    return true;
}

static void look_at_trial(struct upgrade *u)
{
    int status = 0;
    pid_t pid = waitpid(u->trial, &status, WNOHANG);
    if (pid == 0 && ++u->trial_looks < TRIAL_LOOKS) return;
    if (pid == 0) {
        kill(u->trial, SIGKILL);
        pid = waitpid(u->trial, &status, 0);
    }
    end_trial(u, pid > 0 ? status : SIGKILL);
}

static void look_at_binary(struct upgrade *u)
{
    if (u->trial > 0) {
        look_at_trial(u);
        return;
    }
    struct file_state now = state_of(u->place->binary);
    bool stable = same(&now, &u->binary_seen);
    u->binary_seen = now;
    /* One that is gone is being replaced, or was deleted: what runs goes on. */
    if (!stable || now.inode == 0 || same(&now, &u->binary) || same(&now, &u->binary_refused))
        return;
    if (is_running(u->place->binary))
        u->binary = now; /* found so at the start, and after a chmod or the same upload again */
    else
        begin_trial(u);
}

/* ---- configuration and data ---- */

/* Can we go on with the configuration at `path`? Says so once where not. */
static bool config_good(struct upgrade *u, const char *path)
{
    char error[CONFIG_ERROR_BYTES_MAX];
    struct app app = { 0 };
    if (!config_read(&app.cfg, path, u->given != NULL, error)) {
        log_event(LOG_LEVEL_ERROR, "configuration-refused", "path=%s error=%s", path, error);
        return false;
    }
    return app_find_data_dir(&app); /* says itself what is wrong */
}

static void look_at_config(struct upgrade *u)
{
    char path[CONFIG_TEXT_BYTES_MAX];
    struct place_fault fault;
    if (!place_find(u->place, u->given, path, &fault))
        return; /* something passing, or told at
                    the next start */
    struct file_state now = state_of(path);
    now.changed_ns = 0; /* another mode is no other configuration */
    if (strcmp(path, u->config_path) == 0 && same(&now, &u->config)) return;
    bool stable = strcmp(path, u->config_path_seen) == 0 && same(&now, &u->config_seen);
    memcpy(u->config_path_seen, path, sizeof path);
    u->config_seen = now;
    if (!stable || (now.inode != 0 && same(&now, &u->config_refused))) return;
    if (path[0] == '\0' || config_good(u, path))
        u->found = UPGRADE_RESTART;
    else
        u->config_refused = now;
}

static void look_at_data(struct upgrade *u)
{
    struct stat st;
    if (u->data_dir[0] == '\0') return;
    bool there = lstat(u->data_dir, &st) == 0;
    if (there && st.st_dev == u->data_device && st.st_ino == u->data_inode) return;
    if (!there && errno != ENOENT && errno != ENOTDIR) return; /* a network that comes back */
    log_event(LOG_LEVEL_WARNING, "data-folder-gone", "path=%s", u->data_dir);
    u->found = UPGRADE_RESTART;
}

bool upgrade_read_config(struct upgrade *u, struct config *cfg, struct place_fault *fault)
{
    if (!place_find(u->place, u->given, u->config_path, fault)) return false;
    u->found = UPGRADE_NOTHING;
    u->config = state_of(u->config_path); /* before it is read, lest a change is missed */
    if (!place_read_config(cfg, u->place, u->given, fault)) return false;
    if (strcmp(u->config_path, cfg->path) != 0) u->config = state_of(cfg->path);
    u->config.changed_ns = 0;
    memcpy(u->config_path, cfg->path, sizeof u->config_path);
    return true;
}

void upgrade_watch_data(struct upgrade *u, const char *data_dir)
{
    struct stat st;
    if (u == NULL) return;
    u->data_dir[0] = '\0';
    if (strlen(data_dir) >= sizeof u->data_dir || lstat(data_dir, &st) != 0) return;
    memcpy(u->data_dir, data_dir, strlen(data_dir) + 1);
    u->data_device = st.st_dev;
    u->data_inode = st.st_ino;
}

/* ---- all of it ---- */

struct upgrade *upgrade_open(const struct place *p, const char *given)
{
    struct upgrade *u = calloc(1, sizeof *u);
    if (u == NULL) return NULL;
    u->place = p;
    u->given = given;
    u->trial_fd = -1;
    u->from_memory = upgrade_is_copy();
    return u;
}

void upgrade_close(struct upgrade *u)
{
    if (u == NULL) return;
    if (u->trial > 0) {
        kill(u->trial, SIGKILL);
        (void)waitpid(u->trial, NULL, 0);
    }
    if (u->trial_fd >= 0) close(u->trial_fd);
    free(u);
}

void upgrade_refusing(struct upgrade *u)
{
    u->refusing = true;
}

/* Has what was wrong been mended? */
static void look_for_mending(struct upgrade *u)
{
    struct app app = { 0 };
    struct place_fault fault;
    if (place_read_config(&app.cfg, u->place, u->given, &fault) && app_try_data_dir(&app, &fault))
        u->found = UPGRADE_RESTART;
}

enum upgrade_found upgrade_look(struct upgrade *u)
{
    if (u == NULL || u->cancelled) return UPGRADE_NOTHING;
    if (u->found == UPGRADE_NOTHING) look_at_binary(u);
    if (u->found == UPGRADE_NOTHING && u->refusing) {
        look_for_mending(u);
    } else if (u->found == UPGRADE_NOTHING) {
        look_at_config(u);
        if (u->found == UPGRADE_NOTHING) look_at_data(u);
    }
    return u->found;
}

void upgrade_cancel(struct upgrade *u)
{
    if (u != NULL) u->cancelled = true;
}

void upgrade_become(struct upgrade *u, char **argv)
{
    if (u == NULL || u->cancelled || u->found == UPGRADE_NOTHING) return;
    char *path = strdup(u->place->binary);
    if (path == NULL) return;
    argv[0] = path;
    if (u->found == UPGRADE_RESTART)
        execv("/proc/self/exe", argv);
    else if (u->trial_fd >= 0)
        fexecve(u->trial_fd, argv, environ);
    else
        execv(path, argv);
    int error = errno;
    argv[0] = NULL;
    free(path);
    u->found = UPGRADE_NOTHING;
    refuse_binary(u, strerror(error));
}
