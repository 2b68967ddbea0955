/* What a process thinks of files that change under it. The binary under watch is a copy of this
 * program, which shows in `--check` whatever KLATCH_TEST_CHECK says. */
#include "upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "log.h"

enum { ENOUGH = 5, SETTLED = 3 };

struct upgrade_test {
    char folder[64], config[96], data[96], log_path[96];
    struct place place;
    struct config cfg;
    struct upgrade *u;
    int log_fd;
};

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Put a copy of this program at the binary's path, by another inode, with `more` at its end and
 * without its last `less` bytes. */
static void upload(struct upgrade_test *t, const char *more, size_t less)
{
    char *bytes = malloc(64 << 20), temporary[PATH_MAX + 8];
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t len = read(from, bytes, 64 << 20);
    assert_true(len > 0 && (size_t)len > less);
    snprintf(temporary, sizeof temporary, "%s.new", t->place.binary);
    int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_int_equal(write(to, bytes, (size_t)len - less), len - (ssize_t)less);
    assert_int_equal(write(to, more, strlen(more)), strlen(more));
    close(from);
    close(to);
    free(bytes);
    assert_int_equal(rename(temporary, t->place.binary), 0);
}

/* How often the log says `what`. */
static int said(const struct upgrade_test *t, const char *what)
{
    char line[1200];
    int count = 0;
    FILE *f = fopen(t->log_path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) count += strstr(line, what) != NULL;
    fclose(f);
    return count;
}

static void nap(long ms)
{
    struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&pause, NULL);
}

/* Look up to so many times, until something is found; ENOUGH gives a binary that is tried the time
 * that a second between looks would. */
static enum upgrade_found look(struct upgrade_test *t, int times)
{
    enum upgrade_found found = UPGRADE_NOTHING;
    for (int i = 0; i < times && found == UPGRADE_NOTHING; i++) {
        found = upgrade_look(t->u);
        if (found == UPGRADE_NOTHING && times == ENOUGH && i > 0) nap(500);
    }
    return found;
}

static int with_files(void **state)
{
    struct upgrade_test *t = calloc(1, sizeof *t);
    struct place_fault fault;
    test_folder(t->folder);
    snprintf(t->config, sizeof t->config, "%s/klatch.conf", t->folder);
    snprintf(t->data, sizeof t->data, "%s/data", t->folder);
    snprintf(t->log_path, sizeof t->log_path, "%s/log", t->folder);
    snprintf(t->place.folder, sizeof t->place.folder, "%s", t->folder);
    snprintf(t->place.binary, sizeof t->place.binary, "%s/klatch.fcgi", t->folder);
    t->log_fd = open(t->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_open(t->log_fd, LOG_LEVEL_INFO);
    write_file(t->config, "hold_ms = 1000\n");
    upload(t, "", 0);
    t->u = upgrade_open(&t->place, NULL);
    assert_true(upgrade_read_config(t->u, &t->cfg, &fault));
    assert_int_equal(t->cfg.hold_ms, 1000);
    assert_int_equal(mkdir(t->data, 0700), 0);
    upgrade_watch_data(t->u, t->data);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    setenv("KLATCH_TEST_CHECK", "good", 1);
    *state = t;
    return 0;
}

static int without_files(void **state)
{
    struct upgrade_test *t = *state;
    upgrade_close(t->u);
    log_open(STDERR_FILENO, LOG_LEVEL_WARNING);
    close(t->log_fd);
    test_folder_remove(t->folder);
    free(t);
    return 0;
}

static void a_binary_that_comes_through_its_check_is_taken(void **state)
{
    struct upgrade_test *t = *state;
    upload(t, "new", 0);
    assert_int_equal(upgrade_look(t->u), UPGRADE_NOTHING); /* it may still change */
    assert_int_equal(look(t, ENOUGH), UPGRADE_BINARY);
    assert_int_equal(upgrade_look(t->u), UPGRADE_BINARY); /* what was found stays found */
}

static void one_that_goes_on_changing_is_waited_for(void **state)
{
    struct upgrade_test *t = *state;
    char more[] = "a";
    for (; more[0] < 'h'; more[0]++) {
        upload(t, more, 0);
        assert_int_equal(upgrade_look(t->u), UPGRADE_NOTHING);
    }
    assert_int_equal(look(t, ENOUGH), UPGRADE_BINARY);
}

static void a_bad_one_is_told_once_and_a_better_one_taken(void **state)
{
    static const struct {
        int line;
        const char *check, *reason;
        size_t less;
    } table[] = {
        { __LINE__, "bad", "does not accept the configuration", 0 },
        { __LINE__, "crash", "it crashes", 0 },
        { __LINE__, "hang", "does not end within 2 s", 0 },
        { __LINE__, "good", "not a whole program", 10 },
        { __LINE__, "good", "not a whole program", 100000 },
    };
    struct upgrade_test *t = *state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        setenv("KLATCH_TEST_CHECK", table[i].check, 1);
        upload(t, "", table[i].less);
        if (table[i].less == 0) upload(t, table[i].check, 0);
        for (int looks = 0; looks < ENOUGH && said(t, "upgrade-refused") == (int)i; looks++) {
            if (upgrade_look(t->u) != UPGRADE_NOTHING) fail_msg("line %d", table[i].line);
            if (looks > 0 && table[i].less == 0) nap(500);
        }
        if (said(t, "upgrade-refused") != (int)i + 1 || said(t, table[i].reason) == 0)
            fail_msg("line %d: told %d times", table[i].line, said(t, "upgrade-refused"));
        if (look(t, SETTLED) != UPGRADE_NOTHING) fail_msg("line %d", table[i].line);
    }
    assert_int_equal(said(t, "upgrade-refused"), sizeof table / sizeof *table);
    setenv("KLATCH_TEST_CHECK", "good", 1);
    upload(t, "better", 0);
    assert_int_equal(look(t, ENOUGH), UPGRADE_BINARY);
}

static void the_same_bytes_or_none_change_nothing(void **state)
{
    struct upgrade_test *t = *state;
    upload(t, "", 0);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    assert_int_equal(chmod(t->place.binary, 0700), 0);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    assert_int_equal(unlink(t->place.binary), 0);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    assert_int_equal(said(t, "upgrade-refused"), 0);
    upload(t, "new", 0);
    assert_int_equal(look(t, ENOUGH), UPGRADE_BINARY);
}

static void a_child_that_another_reaped_is_taken_as_its_own(void **state)
{
    struct upgrade_test *t = *state;
    int status;
    upload(t, "new", 0);
    assert_int_equal(upgrade_look(t->u), UPGRADE_NOTHING);
    assert_int_equal(upgrade_look(t->u), UPGRADE_NOTHING);
    pid_t pid = wait(&status);
    assert_true(pid > 0);
    assert_false(upgrade_reaped(t->u, pid + 1, status));
    assert_true(upgrade_reaped(t->u, pid, status));
    assert_int_equal(upgrade_look(t->u), UPGRADE_BINARY);
}

static void a_configuration_that_changes_is_taken_when_it_stands_still(void **state)
{
    struct upgrade_test *t = *state;
    struct place_fault fault;
    write_file(t->config, "hold_ms = 20\n");
    assert_int_equal(upgrade_look(t->u), UPGRADE_NOTHING);
    write_file(t->config, "hold_ms = 2000\n");
    assert_int_equal(upgrade_look(t->u), UPGRADE_NOTHING);
    assert_int_equal(upgrade_look(t->u), UPGRADE_RESTART);
    assert_true(upgrade_read_config(t->u, &t->cfg, &fault));
    assert_int_equal(t->cfg.hold_ms, 2000);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    assert_int_equal(chmod(t->config, 0600), 0);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
}

static void a_wrong_one_is_told_once_with_its_line(void **state)
{
    struct upgrade_test *t = *state;
    write_file(t->config, "hold_ms = 1000\ncolour = red\n");
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    assert_int_equal(said(t, "configuration-refused"), 1);
    assert_int_equal(said(t, "line 2: \"colour\""), 1);
    write_file(t->config, "hold_ms = 3000\n");
    assert_int_equal(look(t, SETTLED), UPGRADE_RESTART);
}

static void one_that_goes_or_comes_nearer_counts(void **state)
{
    struct upgrade_test *t = *state;
    struct place_fault fault;
    char far[128];
    snprintf(far, sizeof far, "%s/klatch-private", t->folder);
    assert_int_equal(mkdir(far, 0700), 0);
    snprintf(t->place.folder, sizeof t->place.folder, "%s/cgi-bin", t->folder);
    assert_int_equal(mkdir(t->place.folder, 0700), 0);
    assert_true(upgrade_read_config(t->u, &t->cfg, &fault)); /* the one in the folder above */
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    assert_int_equal(unlink(t->config), 0);
    assert_int_equal(look(t, SETTLED), UPGRADE_RESTART); /* to klatch-private, which has none */
    assert_true(upgrade_read_config(t->u, &t->cfg, &fault));
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    strcat(far, "/klatch.conf");
    write_file(far, "hold_ms = 4000\n");
    assert_int_equal(look(t, SETTLED), UPGRADE_RESTART);
}

static void a_data_folder_that_goes_or_is_another_counts(void **state)
{
    struct upgrade_test *t = *state;
    char away[128];
    snprintf(away, sizeof away, "%s-old", t->data);
    assert_int_equal(rename(t->data, away), 0);
    assert_int_equal(mkdir(t->data, 0700), 0);
    assert_int_equal(upgrade_look(t->u), UPGRADE_RESTART);
    upgrade_close(t->u);
    t->u = upgrade_open(&t->place, NULL);
    struct place_fault fault;
    assert_true(upgrade_read_config(t->u, &t->cfg, &fault));
    upgrade_watch_data(t->u, t->data);
    assert_int_equal(rmdir(t->data), 0);
    assert_int_equal(upgrade_look(t->u), UPGRADE_RESTART);
}

static void a_process_that_can_serve_nothing_looks_whether_it_can(void **state)
{
    struct upgrade_test *t = *state;
    write_file(t->config, "hold_ms = x\n");
    upgrade_refusing(t->u);
    assert_int_equal(look(t, SETTLED), UPGRADE_NOTHING);
    write_file(t->config, "hold_ms = 1000\n");
    assert_int_equal(look(t, SETTLED), UPGRADE_RESTART);
}

static void whoever_is_told_to_end_becomes_nothing(void **state)
{
    struct upgrade_test *t = *state;
    char *argv[] = { NULL, NULL };
    write_file(t->config, "hold_ms = 2000\n");
    assert_int_equal(look(t, SETTLED), UPGRADE_RESTART);
    upgrade_cancel(t->u);
    assert_int_equal(upgrade_look(t->u), UPGRADE_NOTHING);
    upgrade_become(t->u, argv); /* returns */
    upgrade_become(NULL, argv);
    assert_int_equal(upgrade_look(NULL), UPGRADE_NOTHING);
}

/* Become a copy in memory, whose main() below says where its original lies. */
static void a_copy_knows_its_original(void **state)
{
    struct upgrade_test *t = *state;
    char line[PATH_MAX] = "", expected[PATH_MAX + 8], original[] = "elsewhere", where[] = "--where";
    int out[2], status;
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = { original, where, NULL };
        dup2(out[1], 1);
        printf("%s\n", upgrade_copy(&t->place, argv));
        exit(0);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    snprintf(expected, sizeof expected, "copy %s\n", t->place.binary);
    assert_string_equal(line, expected);
}

static int check(void)
{
    const char *how = getenv("KLATCH_TEST_CHECK");
    if (how == NULL) return 0;
    if (strcmp(how, "crash") == 0) kill(getpid(), SIGKILL);
    while (strcmp(how, "hang") == 0) pause();
    return strcmp(how, "bad") == 0 ? 78 : 0;
}

static int where(const char *argv0)
{
    struct place place;
    place_open(&place, argv0);
    printf("%s %s\n", upgrade_is_copy() ? "copy" : "original", place.binary);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--check") == 0) return check();
    if (argc > 1 && strcmp(argv[1], "--version") == 0) return check();
    if (argc > 1 && strcmp(argv[1], "--where") == 0) return where(argv[0]);
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_files, without_files)
    const struct CMUnitTest tests[] = {
        CASE(a_binary_that_comes_through_its_check_is_taken),
        CASE(one_that_goes_on_changing_is_waited_for),
        CASE(a_bad_one_is_told_once_and_a_better_one_taken),
        CASE(the_same_bytes_or_none_change_nothing),
        CASE(a_child_that_another_reaped_is_taken_as_its_own),
        CASE(a_configuration_that_changes_is_taken_when_it_stands_still),
        CASE(a_wrong_one_is_told_once_with_its_line),
        CASE(one_that_goes_or_comes_nearer_counts),
        CASE(a_data_folder_that_goes_or_is_another_counts),
        CASE(a_process_that_can_serve_nothing_looks_whether_it_can),
        CASE(whoever_is_told_to_end_becomes_nothing),
        CASE(a_copy_knows_its_original),
    };
    return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
