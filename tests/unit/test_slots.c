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

enum { NOW = 1000000, MOST = 4000 };

static int slot;

static int64_t asked(struct slots *s, const char *member, bool here, int64_t now_ms)
{
    struct slots_ask ask = {
        .member = member, .places = 2, .here = here, .retry_most_ms = MOST, .now_ms = now_ms
    };
    int64_t retry_ms = slots_ask(s, &ask, &slot);
    assert_true(retry_ms >= 0 && retry_ms <= MOST);
    assert_true((retry_ms == 0 && here) == (slot >= 0));
    return retry_ms;
}

#define HOLDS(s, member, now_ms) assert_int_equal(asked(s, member, true, now_ms), 0)
#define KEEPS(s, member, now_ms) assert_int_equal(asked(s, member, false, now_ms), 0)
#define WAITS(s, member, now_ms) assert_true(asked(s, member, true, now_ms) > 0)

static void who_finds_no_place_is_told_when_to_ask_again(void **state)
{
    (void)state;
    struct slots *s = slots_open(path);
    HOLDS(s, "ada", NOW);
    HOLDS(s, "bob", NOW);
    for (int i = 0; i < 50; i++) {
        int64_t retry_ms = asked(s, "cy", true, NOW + i);
        assert_in_range(retry_ms, SLOTS_RETRY_MS * 3 / 4, SLOTS_RETRY_MS * 5 / 4);
    }
    slots_close(s);
    assert_true(slots_ask(NULL, &(struct slots_ask){ .member = "x", .places = 2 }, &slot) > 0);
}

static void the_longest_waiting_gets_the_next_place(void **state)
{
    (void)state;
    struct slots *s = slots_open(path);
    HOLDS(s, "ada", NOW);
    int first = slot;
    HOLDS(s, "bob", NOW);
    int64_t later = NOW + SLOTS_TURN_MS;
    WAITS(s, "cy", later + 1);
    WAITS(s, "dan", later + 2);
    slots_give(s, first);
    WAITS(s, "dan", later + 500);
    WAITS(s, "ada", later + 500);
    KEEPS(s, "cy", later + 600);
    WAITS(s, "dan", later + 700);
    HOLDS(s, "cy", later + 800);
    slots_give(s, slot);
    WAITS(s, "ada", later + 900);
    slots_close(s);
}

static void who_has_a_place_keeps_it_for_a_turn(void **state)
{
    (void)state;
    struct slots *s = slots_open(path);
    HOLDS(s, "ada", NOW);
    int held = slot;
    HOLDS(s, "bob", NOW);
    WAITS(s, "cy", NOW);
    for (int ms = 100; ms < SLOTS_TURN_MS; ms += 1900) {
        slots_give(s, held);
        KEEPS(s, "ada", NOW + ms);
        WAITS(s, "cy", NOW + ms + 2);
        HOLDS(s, "ada", NOW + ms + 3);
        held = slot;
    }
    slots_give(s, held);
    WAITS(s, "ada", NOW + SLOTS_TURN_MS);
    HOLDS(s, "cy", NOW + SLOTS_TURN_MS + 1);
    /* With nobody waiting a turn has no end. */
    slots_give(s, slot);
    HOLDS(s, "ada", NOW + 2 * SLOTS_TURN_MS);
    slots_give(s, slot);
    HOLDS(s, "ada", NOW + 4 * SLOTS_TURN_MS);
    slots_close(s);
}

static void who_goes_away_is_not_waited_for(void **state)
{
    (void)state;
    struct slots *s = slots_open(path);
    HOLDS(s, "ada", NOW);
    KEEPS(s, "bob", NOW);
    WAITS(s, "cy", NOW + SLOTS_KEEP_MS - 1);
    KEEPS(s, "cy", NOW + SLOTS_KEEP_MS);
    WAITS(s, "dan", NOW + SLOTS_KEEP_MS);
    HOLDS(s, "cy", NOW + SLOTS_KEEP_MS + 1);
    slots_give(s, slot);
    HOLDS(s, "eve", NOW + SLOTS_KEEP_MS + 2 * SLOTS_RETRY_MS_MAX);
    slots_close(s);
}

static void a_newer_poll_takes_over_whoever_waits(void **state)
{
    (void)state;
    struct slots *s = slots_open(path), *other = slots_open(path);
    HOLDS(s, "ada", NOW);
    int old = slot;
    HOLDS(s, "bob", NOW);
    WAITS(s, "cy", NOW);
    struct slots_ask ask = { .member = "ada", .places = 2, .here = true, .newer = true };
    ask.now_ms = NOW;
    assert_int_equal(slots_ask(other, &ask, &slot), 0);
    assert_true(slot >= 0);
    ask.member = "bob";
    assert_true(slots_ask(other, &ask, &slot) > 0);
    slots_give(s, old);
    WAITS(s, "dan", NOW);
    slots_close(other);
    slots_close(s);
}

static void killed_holders_are_not_counted(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct slots *held = slots_open(path);
        HOLDS(held, "ada", NOW);
        HOLDS(held, "bob", NOW);
        if (write(ready[1], "x", 1) == 1) pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct slots *s = slots_open(path);
    WAITS(s, "cy", NOW);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    HOLDS(s, "cy", NOW);
    HOLDS(s, "dan", NOW);
    WAITS(s, "eve", NOW);
    slots_close(s);
    close(ready[0]);
}

static void a_crowd_or_a_broken_file_only_costs_the_order(void **state)
{
    (void)state;
    char member[16];
    struct slots *s = slots_open(path);
    HOLDS(s, "ada", NOW);
    HOLDS(s, "bob", NOW);
    for (int i = 0; i < 300; i++) {
        snprintf(member, sizeof member, "m%d", i);
        WAITS(s, member, NOW);
    }
    slots_give(s, slot);
    slots_close(s);

    /* Times that another boot left, or anything at all. */
    static const unsigned char bytes[] = { 0x00, 0x01, 0x7f, 0xff };
    for (size_t i = 0; i < sizeof bytes; i++) {
        FILE *f = fopen(path, "r+");
        assert_non_null(f);
        for (int k = 0; k < 5000; k++) putc(bytes[i], f);
        fclose(f);
        s = slots_open(path);
        HOLDS(s, "ada", NOW);
        HOLDS(s, "bob", NOW);
        WAITS(s, "cy", NOW);
        slots_close(s);
    }
}

static int fresh_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_holds_several_up_to_the_budget),
        cmocka_unit_test(slots_are_counted_across_openings),
        cmocka_unit_test(a_killed_holder_gives_its_slots_back),
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test_setup(who_finds_no_place_is_told_when_to_ask_again, fresh_file),
        cmocka_unit_test_setup(the_longest_waiting_gets_the_next_place, fresh_file),
        cmocka_unit_test_setup(who_has_a_place_keeps_it_for_a_turn, fresh_file),
        cmocka_unit_test_setup(who_goes_away_is_not_waited_for, fresh_file),
        cmocka_unit_test_setup(a_newer_poll_takes_over_whoever_waits, fresh_file),
        cmocka_unit_test_setup(killed_holders_are_not_counted, fresh_file),
        cmocka_unit_test_setup(a_crowd_or_a_broken_file_only_costs_the_order, fresh_file),
    };
    return cmocka_run_group_tests_name("slots", tests, make_folder, remove_folder);
}
