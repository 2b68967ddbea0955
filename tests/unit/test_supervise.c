/* The supervisor in a process of its own, with real workers. */
#include "supervise.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "fcgi_client.h"
#include "loop.h"

enum { WORKERS = 2, PATIENCE_MS = 10000 };

struct supervise_test {
    char folder[64], socket_path[96], config_path[96];
    pid_t pid;
    struct buf text;
};

static void write_config(const struct supervise_test *t, const char *text)
{
    FILE *f = fopen(t->config_path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int supervise(const struct supervise_test *t)
{
    struct config cfg;
    char error[CONFIG_ERROR_BYTES_MAX];
    const struct supervise_options options = { .socket_path = t->socket_path,
                                               .config_path = t->config_path,
                                               .workers = WORKERS };
    config_default(&cfg);
    loop_block_signals();
    if (!config_read(&cfg, t->config_path, true, error)) return 78;
    return supervise_run(&options, &cfg);
}

static int health(struct supervise_test *t)
{
    const struct fcgi_call call = { .method = "GET", .path = "/v1/health" };
    return fcgi_call(t->socket_path, &call, &t->text);
}

static bool listening(const struct supervise_test *t)
{
    int fd = fcgi_connect(t->socket_path);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void nap(void)
{
    struct timespec ms5 = { 0, 5000000 };
    nanosleep(&ms5, NULL);
}

/* Wait for a condition, up to PATIENCE_MS. */
#define WAIT_FOR(condition)                                      \
    do {                                                         \
        int naps_ = 0;                                           \
        while (!(condition) && naps_++ < PATIENCE_MS / 5) nap(); \
        assert_true(condition);                                  \
    } while (0)

static int with_supervisor(void **state)
{
    struct supervise_test *t = calloc(1, sizeof *t);
    test_folder(t->folder);
    snprintf(t->socket_path, sizeof t->socket_path, "%s/socket", t->folder);
    snprintf(t->config_path, sizeof t->config_path, "%s/klatch.conf", t->folder);
    write_config(t, "hold_ms = 11000\n");
    buf_init(&t->text, 1 << 20);
    fflush(NULL);
    t->pid = fork();
    if (t->pid == 0) exit(supervise(t));
    *state = t;
    WAIT_FOR(health(t) == 200);
    return 0;
}

static int end(struct supervise_test *t)
{
    int status = -1;
    if (t->pid == 0) return 0;
    kill(t->pid, SIGTERM);
    waitpid(t->pid, &status, 0);
    t->pid = 0;
    return status;
}

static int without_supervisor(void **state)
{
    struct supervise_test *t = *state;
    int status = end(t);
    test_folder_remove(t->folder);
    buf_free(&t->text);
    free(t);
    return status;
}

/* The processes whose parent is `parent`, up to `max`. */
static size_t children(pid_t parent, pid_t *out, size_t max)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *f = fopen(path, "r");
    if (f == NULL) return 0;
    int pid;
    while (count < max && fscanf(f, "%d", &pid) == 1) out[count++] = pid;
    fclose(f);
    return count;
}

static void a_worker_that_is_killed_is_started_again(void **state)
{
    struct supervise_test *t = *state;
    pid_t before[8], after[8];
    WAIT_FOR(children(t->pid, before, 8) == WORKERS);
    for (int i = 0; i < WORKERS; i++) kill(before[i], SIGKILL);
    WAIT_FOR(children(t->pid, after, 8) == WORKERS && after[0] != before[0] &&
             after[1] != before[1]);
    WAIT_FOR(health(t) == 200);
}

static void a_hangup_signal_reads_the_configuration_again(void **state)
{
    struct supervise_test *t = *state;
    pid_t before[8], after[8];
    const struct fcgi_call join = { .method = "POST", .path = "/v1/rooms/tea/join", .body = "{}" };
    assert_int_equal(fcgi_call(t->socket_path, &join, &t->text), 201);
    assert_non_null(strstr(t->text.at, "\"hold_ms\":11000,"));
    WAIT_FOR(children(t->pid, before, 8) == WORKERS);
    write_config(t, "hold_ms = 12000\n");
    kill(t->pid, SIGHUP);
    WAIT_FOR(children(t->pid, after, 8) == WORKERS && after[0] != before[0] &&
             after[1] != before[1]);
    assert_int_equal(fcgi_call(t->socket_path, &join, &t->text), 201);
    assert_non_null(strstr(t->text.at, "\"hold_ms\":12000,"));
}

static void a_wrong_configuration_leaves_the_workers_as_they_are(void **state)
{
    struct supervise_test *t = *state;
    pid_t before[8], after[8];
    WAIT_FOR(children(t->pid, before, 8) == WORKERS);
    write_config(t, "hold_ms = often\n");
    kill(t->pid, SIGHUP);
    /* The worker that is killed after it comes back with the old one: the signal was served. */
    kill(before[0], SIGKILL);
    WAIT_FOR(children(t->pid, after, 8) == WORKERS && after[0] != before[0]);
    assert_true(after[0] == before[1] || after[1] == before[1]);
    assert_int_equal(health(t), 200);
}

static void a_second_supervisor_on_the_same_socket_refuses(void **state)
{
    struct supervise_test *t = *state;
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(supervise(t));
    waitpid(pid, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(health(t), 200);
}

static void a_data_folder_that_cannot_be_stops_the_start_and_no_reload(void **state)
{
    struct supervise_test *t = *state;
    int status = 0;
    struct supervise_test other = *t;
    snprintf(other.socket_path, sizeof other.socket_path, "%s/other", t->folder);
    write_config(t, "data_dir = /dev/null\n");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(supervise(&other));
    waitpid(pid, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(access(other.socket_path, F_OK), -1);
    pid_t before[8], after[8];
    WAIT_FOR(children(t->pid, before, 8) == WORKERS);
    kill(t->pid, SIGHUP);
    /* The signal was served before this worker came back; the other one was not replaced. */
    kill(before[0], SIGKILL);
    WAIT_FOR(children(t->pid, after, 8) == WORKERS && after[0] != before[0]);
    assert_true(after[0] == before[1] || after[1] == before[1]);
    assert_int_equal(health(t), 200);
}

static void the_end_takes_the_workers_and_the_socket_with_it(void **state)
{
    struct supervise_test *t = *state;
    pid_t workers[8];
    WAIT_FOR(children(t->pid, workers, 8) == WORKERS);
    assert_int_equal(end(t), 0);
    assert_int_equal(kill(workers[0], 0), -1);
    assert_int_equal(kill(workers[1], 0), -1);
    assert_int_equal(access(t->socket_path, F_OK), -1);
}

static void workers_end_with_a_supervisor_that_is_killed(void **state)
{
    struct supervise_test *t = *state;
    pid_t workers[8];
    WAIT_FOR(children(t->pid, workers, 8) == WORKERS);
    kill(t->pid, SIGKILL);
    waitpid(t->pid, NULL, 0);
    t->pid = 0;
    WAIT_FOR(!listening(t)); /* the last worker has gone */
    /* Its socket is stale and the next one takes it over. */
    fflush(NULL);
    t->pid = fork();
    if (t->pid == 0) exit(supervise(t));
    WAIT_FOR(health(t) == 200);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_supervisor, without_supervisor)
    const struct CMUnitTest tests[] = {
        CASE(a_worker_that_is_killed_is_started_again),
        CASE(a_hangup_signal_reads_the_configuration_again),
        CASE(a_wrong_configuration_leaves_the_workers_as_they_are),
        CASE(a_second_supervisor_on_the_same_socket_refuses),
        CASE(a_data_folder_that_cannot_be_stops_the_start_and_no_reload),
        CASE(the_end_takes_the_workers_and_the_socket_with_it),
        CASE(workers_end_with_a_supervisor_that_is_killed),
    };
    return cmocka_run_group_tests_name("supervise", tests, NULL, NULL);
}
