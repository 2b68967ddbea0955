#include "slots.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static char folder[] = "/tmp/klatch-slots-XXXXXX";
static char path[100];

static int make_folder(void **state)
{
    (void)state;
    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/slots", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void one_process_holds_several_up_to_the_budget(void **state)
{
    (void)state;
    struct stat st;
    struct slots *s = slots_open(path);
    assert_non_null(s);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(slots_take(s, 0), -1);
    for (int i = 0; i < 3; i++) assert_int_equal(slots_take(s, 3), i);
    assert_int_equal(slots_take(s, 3), -1);
    slots_give(s, 1);
    slots_give(s, 1);
    slots_give(s, -1);
    slots_give(s, 100000);
    assert_int_equal(slots_take(s, 3), 1);
    assert_int_equal(slots_take(s, 3), -1);
    assert_int_equal(slots_take(s, 4), 3);
    slots_close(s);
    slots_close(NULL);
}

static void slots_are_counted_across_openings(void **state)
{
    (void)state;
    struct slots *a = slots_open(path), *b = slots_open(path);
    assert_int_equal(slots_take(a, 3), 0);
    assert_int_equal(slots_take(b, 3), 1);
    assert_int_equal(slots_take(a, 3), 2);
    assert_int_equal(slots_take(b, 3), -1);
    slots_give(a, 0);
    slots_give(b, 2); /* not its own */
    assert_int_equal(slots_take(b, 3), 0);
    slots_close(a);
    assert_int_equal(slots_take(b, 3), 2);
    slots_close(b);
}

static void a_killed_holder_gives_its_slots_back(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct slots *held = slots_open(path);
        if (held != NULL && slots_take(held, 2) == 0 && slots_take(held, 2) == 1 &&
            write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct slots *s = slots_open(path);
    assert_int_equal(slots_take(s, 2), -1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(slots_take(s, 2), 0);
    assert_int_equal(slots_take(s, 2), 1);
    slots_close(s);
    close(ready[0]);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_null(slots_open(path));
    unlink(path);
    assert_null(slots_open("/nonexistent/slots"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_holds_several_up_to_the_budget),
        cmocka_unit_test(slots_are_counted_across_openings),
        cmocka_unit_test(a_killed_holder_gives_its_slots_back),
        cmocka_unit_test(links_are_not_followed),
    };
    return cmocka_run_group_tests_name("slots", tests, make_folder, remove_folder);
}
