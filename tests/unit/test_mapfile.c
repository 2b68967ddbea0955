#include "mapfile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static const struct mapfile_kind kind = { "tea", 3, 20000 };
static const char boot[] = "01234567-89ab-cdef-0123-456789abcdef";

static char folder[] = "/tmp/klatch-mapfile-XXXXXX";
static char path[100];

static int make_folder(void **state)
{
    (void)state;
    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/tea", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when a test left a temporary file behind */
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void a_new_file_is_private_zeroed_and_keyed(void **state)
{
    (void)state;
    struct stat st;
    struct mapfile *m = mapfile_open(path, &kind, boot);
    assert_non_null(m);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(st.st_size, 20000);
    assert_true(st.st_blocks * 512 >= 20000); /* its place on the disk is taken */
    assert_int_equal(st.st_nlink, 1);
    const struct mapfile_head *head = mapfile_at(m);
    const uint8_t *bytes = mapfile_at(m), zeros[MAPFILE_KEY_BYTES] = { 0 };
    assert_string_equal(head->boot_id, boot);
    assert_memory_not_equal(head->key, zeros, sizeof zeros);
    for (size_t i = sizeof *head; i < 20000; i++) assert_int_equal(bytes[i], 0);
    assert_true(mapfile_alive(m));
    mapfile_close(m);
    mapfile_close(NULL);
}

static void who_comes_later_maps_the_same_bytes(void **state)
{
    (void)state;
    struct mapfile *m = mapfile_open(path, &kind, boot), *other = mapfile_open(path, &kind, boot);
    assert_non_null(m);
    assert_non_null(other);
    ((char *)mapfile_at(m))[19999] = 7;
    assert_int_equal(((char *)mapfile_at(other))[19999], 7);
    mapfile_close(m);
    assert_true(mapfile_alive(other));
    mapfile_close(other);
    m = mapfile_open(path, &kind, boot);
    assert_int_equal(((char *)mapfile_at(m))[19999], 7);
    mapfile_close(m);
}

static void a_file_of_no_use_is_replaced_and_its_users_notice(void **state)
{
    (void)state;
    static const struct mapfile_kind newer = { "tea", 4, 20000 }, larger = { "tea", 3, 20004 },
                                     other = { "teapot", 3, 20000 };
    static const struct {
        int line;
        const struct mapfile_kind *kind;
        const char *boot;
        bool replaced, opened;
    } rows[] = {
        { __LINE__, &kind, boot, false, true }, { __LINE__, &kind, "another", true, true },
        { __LINE__, &newer, boot, true, true }, { __LINE__, &larger, boot, true, true },
        { __LINE__, &other, boot, true, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mapfile *before = mapfile_open(path, &kind, boot);
        ((char *)mapfile_at(before))[10000] = 7;
        struct mapfile *m = mapfile_open(path, rows[i].kind, rows[i].boot);
        if ((m != NULL) != rows[i].opened || mapfile_alive(before) == rows[i].replaced ||
            ((char *)mapfile_at(m))[10000] != (rows[i].replaced ? 0 : 7))
            fail_msg("line %d", rows[i].line);
        mapfile_close(m);
        mapfile_close(before);
        unlink(path);
    }
}

static void a_newer_versions_file_is_left_alone(void **state)
{
    (void)state;
    static const struct mapfile_kind newer = { "tea", 4, 30000 };
    struct mapfile *m = mapfile_open(path, &newer, boot);
    assert_non_null(m);
    assert_null(mapfile_open(path, &kind, boot));
    assert_true(mapfile_alive(m));
    mapfile_close(m);
}

static void rubbish_is_replaced_and_links_are_not_followed(void **state)
{
    (void)state;
    static const char *const contents[] = { "", "tea", "SQLite format 3" };
    char target[120];
    for (size_t i = 0; i < 3; i++) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, contents[i], strlen(contents[i])), strlen(contents[i]));
        close(fd);
        struct mapfile *m = mapfile_open(path, &kind, boot);
        assert_non_null(m);
        assert_true(mapfile_alive(m));
        mapfile_close(m);
    }
    snprintf(target, sizeof target, "%s/target", folder);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink("target", path), 0);
    assert_null(mapfile_open(path, &kind, boot));
    unlink(target);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(mapfile_open(path, &kind, boot));
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(mapfile_open(path, &kind, boot));
    assert_null(mapfile_open("/nonexistent/tea", &kind, boot));
}

static void a_file_gone_or_replaced_is_noticed(void **state)
{
    (void)state;
    struct mapfile *m = mapfile_open(path, &kind, boot);
    unlink(path);
    assert_false(mapfile_alive(m));
    struct mapfile *fresh = mapfile_open(path, &kind, boot);
    assert_true(mapfile_alive(fresh));
    assert_false(mapfile_alive(m));
    mapfile_close(m);
    mapfile_close(fresh);
}

static void a_file_cut_short_is_survived(void **state)
{
    (void)state;
    struct mapfile *m = mapfile_open(path, &kind, boot);
    volatile char *bytes = mapfile_at(m);
    assert_int_equal(truncate(path, 100), 0);
    assert_false(mapfile_alive(m));
    bytes[15000] = 5; /* SIGBUS, were it not caught */
    assert_int_equal(bytes[15000], 5);
    assert_int_equal(bytes[0], 0); /* and the head is gone with the rest */
    assert_int_equal(truncate(path, 20000), 0);
    assert_false(mapfile_alive(m)); /* even when somebody makes it long again */
    mapfile_close(m);
}

/* A process with a guarded map that meets SIGBUS by something else. */
static void meet_sigbus(bool by_access)
{
    char other[120];
    snprintf(other, sizeof other, "%s/other", folder);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    signal(SIGBUS, SIG_DFL);
    alarm(10);
    struct mapfile *m = mapfile_open(path, &kind, boot);
    int fd = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    volatile char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    unlink(other);
    if (m == NULL || at == MAP_FAILED) _exit(0);
    if (by_access)
        at[0] = 1; /* behind the end of an empty file */
    else
        kill(getpid(), SIGBUS);
    _exit(0);
}

static void a_fault_elsewhere_still_ends_the_process(void **state)
{
    (void)state;
    for (int by_access = 0; by_access < 2; by_access++) {
        int status;
        pid_t child = fork();
        if (child == 0) meet_sigbus(by_access != 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGBUS);
    }
}

/* Many processes find no file, or a stale one, at the same instant. */
static void all_who_start_at_once_share_one_file(void **state)
{
    (void)state;
    enum { ROUNDS = 60, PROCESSES = 8 };
    for (int round = 0; round < ROUNDS; round++) {
        char boot_id[37];
        int gate[2], done[2], status, failures = 0;
        pid_t children[PROCESSES];
        char byte;
        snprintf(boot_id, sizeof boot_id, "boot %d", round / 2);
        if (round % 20 == 0) unlink(path);
        assert_int_equal(pipe(gate) + pipe(done), 0);
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                close(gate[1]);
                close(done[1]);
                if (read(gate[0], &byte, 1) != 0) _exit(3);
                struct mapfile *m = mapfile_open(path, &kind, boot_id);
                if (m == NULL) _exit(2);
                __atomic_fetch_add((uint32_t *)mapfile_at(m) + 100, 1, __ATOMIC_SEQ_CST);
                if (read(done[0], &byte, 1) != 0) _exit(3);
                _exit(mapfile_alive(m) ? 0 : 1);
            }
        }
        close(gate[0]);
        close(done[0]);
        close(gate[1]);
        const uint32_t wanted = PROCESSES * (uint32_t)(1 + round % 2);
        struct mapfile *m = NULL;
        for (int tries = 0; tries < 5000; tries++) {
            usleep(1000);
            m = mapfile_open(path, &kind, boot_id);
            if (m == NULL ||
                __atomic_load_n((uint32_t *)mapfile_at(m) + 100, __ATOMIC_SEQ_CST) >= wanted)
                break;
            mapfile_close(m);
            m = NULL;
        }
        close(done[1]);
        for (int i = 0; i < PROCESSES; i++) {
            waitpid(children[i], &status, 0);
            failures += status != 0;
        }
        assert_int_equal(failures, 0);
        assert_non_null(m);
        mapfile_close(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_new_file_is_private_zeroed_and_keyed, remove_file),
        cmocka_unit_test_teardown(who_comes_later_maps_the_same_bytes, remove_file),
        cmocka_unit_test_teardown(a_file_of_no_use_is_replaced_and_its_users_notice, remove_file),
        cmocka_unit_test_teardown(a_newer_versions_file_is_left_alone, remove_file),
        cmocka_unit_test_teardown(rubbish_is_replaced_and_links_are_not_followed, remove_file),
        cmocka_unit_test_teardown(a_file_gone_or_replaced_is_noticed, remove_file),
        cmocka_unit_test_teardown(a_file_cut_short_is_survived, remove_file),
        cmocka_unit_test_teardown(a_fault_elsewhere_still_ends_the_process, remove_file),
        cmocka_unit_test_teardown(all_who_start_at_once_share_one_file, remove_file),
    };
    return cmocka_run_group_tests_name("mapfile", tests, make_folder, remove_folder);
}
