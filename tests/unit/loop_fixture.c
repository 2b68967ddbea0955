#include "loop_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"

int open_loop_log(const struct loop_test *t, int flags)
{
    char path[96];
    snprintf(path, sizeof path, "%s/log", t->folder);
    return open(path, flags | O_CLOEXEC, 0600);
}

static _Noreturn void serve(const struct loop_test *t, int listen_fd)
{
    struct app app = { .how = "fastcgi" };
    config_default(&app.cfg);
    snprintf(app.cfg.data_dir, sizeof app.cfg.data_dir, "%s/data", t->folder);
    app.cfg.polls_max = 2; /* one held, one to say that there is no place */
    app.cfg.joins_per_minute = 0;
    const struct rlimit few = { t->descriptors, t->descriptors };
    if (t->descriptors > 0 && setrlimit(RLIMIT_NOFILE, &few) != 0) exit(1);
    for (int i = 0; i < t->taken; i++) (void)dup(0);
    if (t->taken > 0) log_open(open_loop_log(t, O_WRONLY | O_CREAT | O_APPEND), LOG_LEVEL_WARNING);
    loop_block_signals();
    const struct loop_sockets sockets = { .shared = listen_fd, .own = -1, .inherited = true };
    bool ok = app_open(&app) && loop_run(&app, &sockets);
    app_close(&app);
    exit(ok ? 0 : 1);
}

int start_loop(void **state, rlim_t descriptors, int taken)
{
    struct loop_test *t = calloc(1, sizeof *t);
    t->descriptors = descriptors;
    t->taken = taken;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    test_folder(t->folder);
    snprintf(t->socket_path, sizeof t->socket_path, "%s/socket", t->folder);
    strcpy(address.sun_path, t->socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (const struct sockaddr *)(const void *)&address, sizeof address) != 0 ||
        listen(fd, 100) != 0)
        return -1;
    buf_init(&t->text, 1 << 20);
    fflush(NULL);
    t->pid = fork();
    if (t->pid == 0) serve(t, fd);
    close(fd);
    *state = t;
    return 0;
}

int with_loop(void **state)
{
    return start_loop(state, 0, 0);
}

int end_loop(struct loop_test *t)
{
    int status = -1;
    if (t->pid == 0) return 0;
    kill(t->pid, SIGTERM);
    waitpid(t->pid, &status, 0);
    t->pid = 0;
    return status;
}

int without_loop(void **state)
{
    struct loop_test *t = *state;
    int status = end_loop(t);
    test_folder_remove(t->folder);
    buf_free(&t->text);
    free(t);
    return status;
}

void take_string(const struct loop_test *t, const char *name, char out[128])
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = strstr(t->text.at, pattern);
    assert_non_null(at);
    snprintf(out, 128, "%.*s", (int)strcspn(at + strlen(pattern), "\""), at + strlen(pattern));
}

void join_tea(struct loop_test *t, char key[128], char cursor[128])
{
    const struct fcgi_call call = { .method = "POST", .path = "/v1/rooms/tea/join", .body = "{}" };
    assert_int_equal(fcgi_call(t->socket_path, &call, &t->text), 201);
    take_string(t, "key", key);
    take_string(t, "cursor", cursor);
}

int poll_tea(struct loop_test *t, const char *key, const char *cursor, const char *server)
{
    char query[256];
    struct buf b;
    buf_init(&b, 1 << 20);
    snprintf(query, sizeof query, "after=%s&wait_ms=20000", cursor);
    const struct fcgi_call call = { .method = "GET",
                                    .path = "/v1/rooms/tea/messages",
                                    .key = key,
                                    .query = query,
                                    .server_software = server };
    fcgi_put_call(&b, &call);
    int fd = fcgi_connect(t->socket_path);
    assert_true(fd >= 0);
    assert_true(write(fd, b.at, b.len) == (ssize_t)b.len);
    buf_free(&b);
    return fd;
}

int ask_health(struct loop_test *t)
{
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health" };
    return fcgi_call(t->socket_path, &call, &t->text);
}
