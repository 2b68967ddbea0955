#include "supervise.h"

#include <errno.h>
#include <signal.h>
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
#include "place.h"

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
    STOP_MS = 950,
    PAUSE_MS_MIN = 50, /* before a worker that lived less than HEALTHY_MS is started again */
    PAUSE_MS_MAX = 5000,
    HEALTHY_MS = 200, /* who can't start ends sooner; who is killed later is missed at once */
};

struct worker {
    pid_t pid; /* 0: to be started at start_ms */
    int64_t started_ms, start_ms, pause_ms;
};

struct supervisor {
    const struct supervise_options *options;
    struct config cfg;
    int listen_fd;
    struct worker *workers;
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

static _Noreturn void work(const struct supervisor *s, pid_t parent)
{
    struct app app = { .cfg = s->cfg, .how = "fastcgi" };
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(0);
    bool ok = app_open(&app) && loop_run(&app, s->listen_fd, false);
    app_close(&app);
    close(s->listen_fd);
    free(s->workers);
    exit(ok ? 0 : 1);
}

static void start_worker(struct supervisor *s, struct worker *w)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) work(s, parent);
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
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < s->options->workers; i++)
            if (s->workers[i].pid == pid) on_death(&s->workers[i], status);
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
static bool data_dir_usable(const struct config *cfg)
{
    struct app app = { .cfg = *cfg };
    return app_find_data_dir(&app);
}

static void reload(struct supervisor *s)
{
    struct config cfg;
    char error[CONFIG_ERROR_BYTES_MAX] = "the data folder can't be used; see the line before";
    config_default(&cfg);
    if (!place_read_config(&cfg, s->options->config_path, s->options->argv0, error) ||
        !data_dir_usable(&cfg)) {
        log_event(LOG_LEVEL_ERROR, "reload-refused", "%s", error);
        return;
    }
    s->cfg = cfg;
    log_open(2, (enum log_level)cfg.log_level);
    log_event(LOG_LEVEL_INFO, "reloaded", "workers=%d", s->options->workers);
    for (int i = 0; i < s->options->workers; i++) {
        struct worker *w = &s->workers[i];
        pid_t old = w->pid;
        *w = (struct worker){ 0 };
        start_worker(s, w); /* the new one listens before the old one stops */
        if (old > 0) kill(old, SIGTERM);
    }
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
    for (int i = 0; left && i < s->options->workers; i++)
        if (s->workers[i].pid > 0) kill(s->workers[i].pid, SIGKILL);
    while (left && waitpid(-1, NULL, 0) > 0) {
    }
}

static bool step(struct supervisor *s)
{
    int64_t ms = start_due(s);
    struct timespec timeout = { ms / 1000, ms % 1000 * 1000000 };
    int signal = sigtimedwait(&s->signals, NULL, &timeout);
    if (signal == SIGTERM || signal == SIGINT) return false;
    if (signal == SIGHUP) reload(s);
    reap(s);
    return true;
}

int supervise_run(const struct supervise_options *options, const struct config *cfg)
{
    struct supervisor s = { .options = options, .cfg = *cfg };
    sigemptyset(&s.signals);
    sigaddset(&s.signals, SIGTERM);
    sigaddset(&s.signals, SIGINT);
    sigaddset(&s.signals, SIGHUP);
    sigaddset(&s.signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &s.signals, NULL);
    s.listen_fd = data_dir_usable(cfg) ? listen_at(options->socket_path) : -1;
    s.workers = calloc((size_t)options->workers, sizeof *s.workers);
    if (s.listen_fd < 0 || s.workers == NULL) {
        free(s.workers);
        return 1;
    }
    log_event(LOG_LEVEL_INFO, "started", "workers=%d socket=%s", options->workers,
              options->socket_path);
    while (step(&s)) {
    }
    close(s.listen_fd);
    unlink(options->socket_path);
    stop(&s);
    free(s.workers);
    log_event(LOG_LEVEL_INFO, "stopped", "workers=%d", options->workers);
    return 0;
}
