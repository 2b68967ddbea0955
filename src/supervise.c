#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "log.h"
#include "loop.h"

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
    STOP_MS = 950,
    PAUSE_MS_MIN = 50, /* before a worker that lived less than HEALTHY_MS is started again */
    PAUSE_MS_MAX = 5000,
    WORKERS_MAX = 64, /* as main.c takes them */
    TAKE_OVER_BYTES = 12 * (2 * WORKERS_MAX + 1),
    HEALTHY_MS = 200, /* who can't start ends sooner; who is killed later is missed at once */
};

struct worker {
    int listen_fd; /* its own socket, kept for whoever works in its place */
    pid_t pid;     /* 0: to be started at start_ms */
    int64_t started_ms, start_ms, pause_ms;
};

struct supervisor {
    const struct supervise_options *options;
    struct config cfg;
    int listen_fd;
    struct worker *workers;
    int64_t look_ms; /* when the files are looked at next */
    bool stuck;      /* the data folder has gone and can't be made */
    sigset_t signals;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        log_event(LOG_LEVEL_ERROR, "listen-failed", "path=%s error=longer than %zu bytes", path,
                  sizeof address.sun_path - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const struct sockaddr *at = (const struct sockaddr *)(const void *)&address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, at, sizeof address) == 0) {
        log_event(LOG_LEVEL_ERROR, "listen-failed", "path=%s error=another process serves it",
                  path);
        close(fd);
        return -1;
    }
    bool stale = errno == ECONNREFUSED;
    if (fd >= 0) close(fd);
    if (stale) unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0117); /* 0660: the web server's user or group may open it */
    bool bound = fd >= 0 && bind(fd, at, sizeof address) == 0 && listen(fd, BACKLOG) == 0;
    int error = errno;
    umask(mask);
    if (bound) return fd;
    log_event(LOG_LEVEL_ERROR, "listen-failed", "path=%s error=%s", path, strerror(error));
    if (fd >= 0) close(fd);
    return -1;
}

static void close_sockets(struct supervisor *s)
{
    if (s->listen_fd >= 0) close(s->listen_fd);
    for (int i = 0; s->workers != NULL && i < s->options->workers; i++)
        if (s->workers[i].listen_fd >= 0) close(s->workers[i].listen_fd);
}

static _Noreturn void work(struct supervisor *s, const struct worker *w, pid_t parent)
{
    struct app app = { .cfg = s->cfg, .place = s->options->place, .how = "fastcgi" };
    const struct loop_sockets sockets = { .shared = s->listen_fd,
                                          .own = w->listen_fd,
                                          .only = s->options->workers == 1 };
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(0);
    bool ok = app_open(&app) && loop_run(&app, &sockets);
    app_close(&app);
    close_sockets(s);
    free(s->workers);
    exit(ok ? 0 : 1);
}

static void start_worker(struct supervisor *s, struct worker *w)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) work(s, w, parent);
    w->started_ms = now_ms();
    if (pid < 0) {
        log_event(LOG_LEVEL_ERROR, "worker-failed", "step=fork error=%s", strerror(errno));
        w->start_ms = w->started_ms + PAUSE_MS_MAX;
        return;
    }
    w->pid = pid;
}

static void on_death(struct worker *w, int status)
{
    int64_t now = now_ms();
    bool healthy = now - w->started_ms >= HEALTHY_MS;
    if (healthy || w->pause_ms == 0)
        w->pause_ms = healthy ? 0 : PAUSE_MS_MIN;
    else if (w->pause_ms < PAUSE_MS_MAX)
        w->pause_ms *= 2;
    log_event(LOG_LEVEL_WARNING, "worker-died", "pid=%d %s=%d again_in_ms=%lld", (int)w->pid,
              WIFSIGNALED(status) ? "signal" : "status",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), (long long)w->pause_ms);
    w->pid = 0;
    w->start_ms = now + w->pause_ms;
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int i = 0; i < s->options->workers; i++)
            if (s->workers[i].pid == pid) on_death(&s->workers[i], status);
        (void)upgrade_reaped(s->options->upgrade, pid, status);
    }
}

/* Start who is to be started; how long until the next one is, in ms. */
static int64_t start_due(struct supervisor *s)
{
    int64_t now = now_ms(), next_ms = 60000;
    for (int i = 0; i < s->options->workers; i++) {
        struct worker *w = &s->workers[i];
        if (w->pid == 0 && w->start_ms <= now) start_worker(s, w);
        if (w->pid == 0 && w->start_ms - now < next_ms) next_ms = w->start_ms - now;
    }
    return next_ms < 1 ? 1 : next_ms;
}

/* Could workers start with this configuration? Else they would die one after the other. */
static bool data_dir_usable(const struct supervise_options *options, const struct config *cfg)
{
    struct app app = { .cfg = *cfg };
    if (!app_find_data_dir(&app)) return false;
    upgrade_watch_data(options->upgrade, app.data_dir);
    return true;
}

static bool reload(struct supervisor *s)
{
    struct config cfg;
    struct place_fault fault = { .log = "the data folder can't be used; see the line before" };
    const struct supervise_options *o = s->options;
    config_default(&cfg);
    bool read = o->upgrade != NULL ? upgrade_read_config(o->upgrade, &cfg, &fault)
                                   : place_read_config(&cfg, o->place, o->config_path, &fault);
    if (!read || !data_dir_usable(o, &cfg)) {
        log_event(LOG_LEVEL_ERROR, "reload-refused", "%s", fault.log);
        return false;
    }
    s->cfg = cfg;
    log_open(2, (enum log_level)cfg.log_level);
    log_event(LOG_LEVEL_INFO, "reloaded", "workers=%d", s->options->workers);
    for (int i = 0; i < s->options->workers; i++) {
        struct worker *w = &s->workers[i];
        pid_t old = w->pid;
        *w = (struct worker){ .listen_fd = w->listen_fd };
        start_worker(s, w); /* the new one listens before the old one stops */
        if (old > 0) kill(old, SIGTERM);
    }
    return true;
}

static void keep_sockets_over_exec(struct supervisor *s, bool keep)
{
    int flags = keep ? 0 : FD_CLOEXEC;
    (void)fcntl(s->listen_fd, F_SETFD, flags);
    for (int i = 0; i < s->options->workers; i++)
        (void)fcntl(s->workers[i].listen_fd, F_SETFD, flags);
}

/* Become the new binary, which goes on with the sockets and replaces the workers. */
static void leave(struct supervisor *s)
{
    const struct supervise_options *o = s->options;
    char left[TAKE_OVER_BYTES], workers[16], listen[] = "--listen", count[] = "--workers";
    char take[] = "--take-over", config[] = "--config";
    char *path = strdup(o->socket_path),
         *file = strdup(o->config_path == NULL ? "" : o->config_path);
    int len = snprintf(left, sizeof left, "%d", s->listen_fd);
    for (int i = 0; i < o->workers; i++)
        len += snprintf(left + len, sizeof left - (size_t)len, ",%d,%d", s->workers[i].listen_fd,
                        (int)s->workers[i].pid);
    snprintf(workers, sizeof workers, "%d", o->workers);
    char *argv[] = { NULL, listen, path, count, workers, take, left, NULL, NULL, NULL };
    if (o->config_path != NULL) {
        argv[7] = config;
        argv[8] = file;
    }
    log_event(LOG_LEVEL_INFO, "upgrading", "workers=%d", o->workers);
    keep_sockets_over_exec(s, true);
    if (path != NULL && file != NULL) upgrade_become(o->upgrade, argv);
    keep_sockets_over_exec(s, false);
    free(path);
    free(file);
}

/* The next number of a list, and on past its comma; -1: there is none. */
static int next_number(const char **at)
{
    char *end = NULL;
    long number = strtol(*at, &end, 10);
    if (end == *at || number < 0 || number > INT_MAX) return -1;
    *at = *end == ',' ? end + 1 : end;
    return (int)number;
}

/* The next one as a listening socket of ours; -1: it is none. */
static int next_socket(const char **at)
{
    int fd = next_number(at), listening = 0;
    socklen_t size = sizeof listening;
    if (fd <= 2 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
        return -1;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

/* What leave() left: the sockets, and in `old` the workers to end. */
static bool take_over(struct supervisor *s, pid_t old[WORKERS_MAX])
{
    const char *at = s->options->take_over;
    bool good = (s->listen_fd = next_socket(&at)) >= 0;
    for (int i = 0; i < s->options->workers; i++) {
        s->workers[i].listen_fd = next_socket(&at);
        old[i] = next_number(&at);
        good = good && s->workers[i].listen_fd >= 0;
    }
    if (!good)
        log_event(LOG_LEVEL_ERROR, "listen-failed", "error=there are no sockets to take over");
    return good;
}

static void own_path(const struct supervise_options *o, int worker, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s.%d", o->socket_path, worker);
}

/* The workers' own sockets first: whoever sees the shared one finds them too. */
static bool listen_all(struct supervisor *s)
{
    char path[PATH_MAX];
    for (int i = 0; i < s->options->workers; i++) {
        own_path(s->options, i, path);
        s->workers[i].listen_fd = listen_at(path);
        if (s->workers[i].listen_fd < 0) return false;
    }
    s->listen_fd = listen_at(s->options->socket_path);
    return s->listen_fd >= 0;
}

static void unlink_sockets(const struct supervisor *s)
{
    char path[PATH_MAX];
    unlink(s->options->socket_path);
    for (int i = 0; i < s->options->workers; i++) {
        own_path(s->options, i, path);
        unlink(path);
    }
}

static void look(struct supervisor *s)
{
    s->look_ms = now_ms() + UPGRADE_LOOK_MS;
    enum upgrade_found found = upgrade_look(s->options->upgrade);
    if (found == UPGRADE_RESTART) {
        struct app app = { .cfg = s->cfg };
        struct place_fault fault; /* told once */
        if (!s->stuck || app_try_data_dir(&app, &fault)) s->stuck = !reload(s);
    }
    if (found == UPGRADE_BINARY) leave(s);
}

static void stop(struct supervisor *s)
{
    int64_t until = now_ms() + STOP_MS;
    int left = 0;
    for (int i = 0; i < s->options->workers; i++)
        if (s->workers[i].pid > 0) kill(s->workers[i].pid, SIGTERM);
    do {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        left = pid < 0 ? 0 : 1;
        struct timespec pause = { 0, 5000000 };
        if (pid == 0) nanosleep(&pause, NULL);
    } while (left && now_ms() < until);
    if (left) log_event(LOG_LEVEL_WARNING, "workers-killed", "after_ms=%d", STOP_MS);
    for (int i = 0; left && i < s->options->workers; i++)
        if (s->workers[i].pid > 0) kill(s->workers[i].pid, SIGKILL);
    while (left && waitpid(-1, NULL, 0) > 0) {
    }
}

static bool step(struct supervisor *s)
{
    int64_t ms = start_due(s), look_in_ms = s->look_ms - now_ms();
    if (look_in_ms < ms) ms = look_in_ms < 1 ? 1 : look_in_ms;
    struct timespec timeout = { ms / 1000, ms % 1000 * 1000000 };
    int signal = sigtimedwait(&s->signals, NULL, &timeout);
    if (signal == SIGTERM || signal == SIGINT) return false;
    if (signal == SIGHUP) (void)reload(s);
    reap(s);
    if (now_ms() >= s->look_ms) look(s);
    return true;
}

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, signals, NULL);
}

int supervise_run(const struct supervise_options *options, const struct config *cfg)
{
    struct supervisor s = { .options = options, .cfg = *cfg, .listen_fd = -1 };
    pid_t old[WORKERS_MAX] = { 0 };
    block_signals(&s.signals);
    bool usable = data_dir_usable(options, cfg);
    s.workers = calloc((size_t)options->workers, sizeof *s.workers);
    if (s.workers == NULL) return 1;
    for (int i = 0; i < options->workers; i++) s.workers[i].listen_fd = -1;
    if (options->take_over != NULL ? !take_over(&s, old) : !usable || !listen_all(&s)) {
        close_sockets(&s);
        free(s.workers);
        return 1;
    }
    log_event(LOG_LEVEL_INFO, "started", "workers=%d socket=%s", options->workers,
              options->socket_path);
    s.look_ms = now_ms() + UPGRADE_LOOK_MS;
    (void)start_due(&s);
    for (int i = 0; i < options->workers; i++)
        if (old[i] > 1) kill(old[i], SIGTERM);
    while (step(&s)) {
    }
    close_sockets(&s);
    unlink_sockets(&s);
    stop(&s);
    free(s.workers);
    log_event(LOG_LEVEL_INFO, "stopped", "workers=%d", options->workers);
    return 0;
}
