#include "rates.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static const char boot[] = "01234567-89ab-cdef-0123-456789abcdef";
static char folder[] = "/tmp/klatch-rates-XXXXXX";
static char path[100];

static int make_folder(void **state)
{
    (void)state;
    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/rates", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int open_rates(void **state)
{
    *state = rates_open(path, boot);
    return *state == NULL ? -1 : 0;
}

static int close_rates(void **state)
{
    rates_close(*state);
    return unlink(path);
}

/* Takes until refused, at most 10,000. */
static int take_all(struct rates *l, const char *what, const char *address, int64_t per_minute,
                    int64_t now_ms, int *retry_after_s)
{
    int taken = 0;
    while (taken < 10000 && rates_take(l, what, address, per_minute, now_ms, retry_after_s))
        taken++;
    return taken;
}

static void a_minutes_number_at_once_then_one_by_one(void **state)
{
    static const int64_t rates[] = { 1, 2, 6, 7, 59, 60, 100, 601, 9999 };
    int64_t now_ms = 1000000;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        int retry_after_s = 0;
        int64_t rate = rates[i];
        assert_int_equal(take_all(*state, "join", "192.0.2.1", rate, now_ms, &retry_after_s), rate);
        assert_int_equal(retry_after_s, (60 + rate - 1) / rate);
        now_ms += 60000 / rate - 2; /* not yet one token's time */
        if (rate < 1000)
            assert_false(rates_take(*state, "join", "192.0.2.1", rate, now_ms, &retry_after_s));
        now_ms += 1000;
        int taken = take_all(*state, "join", "192.0.2.1", rate, now_ms, &retry_after_s);
        assert_in_range(taken, 1, 1 + rate / 59);
        now_ms += 60000 + 1000;
        assert_int_equal(take_all(*state, "join", "192.0.2.1", rate, now_ms, &retry_after_s), rate);
        now_ms += 120000; /* full again for the next rate */
    }
}

static void a_refusal_costs_nothing_and_its_retry_is_kept(void **state)
{
    int retry_after_s = 0;
    assert_int_equal(take_all(*state, "join", "192.0.2.1", 2, 0, &retry_after_s), 2);
    for (int i = 0; i < 100; i++) {
        assert_false(rates_take(*state, "join", "192.0.2.1", 2, 1000, &retry_after_s));
        assert_int_equal(retry_after_s, 29);
    }
    assert_false(rates_take(*state, "join", "192.0.2.1", 2, 29999, &retry_after_s));
    assert_int_equal(retry_after_s, 1);
    assert_true(rates_take(*state, "join", "192.0.2.1", 2, 30000, &retry_after_s));
    assert_false(rates_take(*state, "join", "192.0.2.1", 2, 30000, &retry_after_s));
}

static void no_limit_no_file_no_address(void **state)
{
    int retry_after_s = 0;
    assert_int_equal(take_all(*state, "join", "192.0.2.1", 0, 0, &retry_after_s), 10000);
    assert_int_equal(take_all(NULL, "join", "192.0.2.1", 1, 0, &retry_after_s), 10000);
    assert_int_equal(take_all(*state, "join", NULL, 3, 0, &retry_after_s), 3);
    assert_int_equal(take_all(*state, "join", "", 3, 0, &retry_after_s), 0);
}

/* The line of the first row that is not as said; 0: all are. */
static int wrong_line(struct rates *l)
{
    static const struct {
        int line;
        const char *what, *address;
        bool fresh; /* with a rate of its own beside those above */
    } rows[] = {
        { __LINE__, "join", "192.0.2.1", true },
        { __LINE__, "join", "::ffff:192.0.2.1", false },
        { __LINE__, "join", "192.0.2.2", true },
        { __LINE__, "other", "192.0.2.1", true },
        { __LINE__, "join", "2001:db8:0:1::1", true },
        { __LINE__, "join", "2001:db8:0:1:ffff:ffff:ffff:ffff", false },
        { __LINE__, "join", "2001:DB8::1:0:0:0:9", false },
        { __LINE__, "join", "2001:db8:0:2::1", true },
        { __LINE__, "join", "unix:", true },
        { __LINE__, "join", "unix:", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int retry_after_s;
        bool fresh = take_all(l, rows[i].what, rows[i].address, 5, 0, &retry_after_s) == 5;
        if (fresh != rows[i].fresh) return rows[i].line;
    }
    return 0;
}

static void what_counts_of_an_address(void **state)
{
    (void)state;
    int line = 1;
    /* With one key in 500 two of these share a row, as the header says; not with four keys. */
    for (int key = 0; key < 4 && line != 0; key++) {
        struct rates *l = rates_open(path, boot);
        assert_non_null(l);
        line = wrong_line(l);
        rates_close(l);
        unlink(path);
    }
    if (line != 0) fail_msg("line %d", line);
}

static void a_clock_set_back_locks_nobody_out_for_long(void **state)
{
    int retry_after_s = 0;
    assert_int_equal(take_all(*state, "join", "192.0.2.1", 60, 1000000000, &retry_after_s), 60);
    assert_false(rates_take(*state, "join", "192.0.2.1", 60, 5000, &retry_after_s));
    assert_int_equal(retry_after_s, 1);
}

static void processes_share_one_count_and_another_boot_starts_anew(void **state)
{
    enum { PROCESSES = 4, EACH = 20000, ALLOWED = 50000 };
    int status, retry_after_s;
    pid_t children[PROCESSES];
    int *taken =
        mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(taken != MAP_FAILED);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        struct rates *l = rates_open(path, boot);
        int mine = 0;
        for (int n = 0; n < EACH; n++)
            mine += rates_take(l, "join", "192.0.2.1", ALLOWED, 0, &retry_after_s) != 0;
        __atomic_fetch_add(taken, mine, __ATOMIC_SEQ_CST);
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_in_range(*taken, ALLOWED, ALLOWED + PROCESSES - 1);
    munmap(taken, sizeof *taken);
    assert_false(rates_take(*state, "join", "192.0.2.1", ALLOWED, 0, &retry_after_s));
    struct rates *l = rates_open(path, "another");
    assert_true(rates_take(l, "join", "192.0.2.1", ALLOWED, 0, &retry_after_s));
    rates_close(l);
}

static void what_is_given_back_may_be_taken_again_and_nothing_more(void **state)
{
    int retry_after_s = 0;
    unsigned taken = 0;
    for (int i = 0; i < 50; i++) {
        taken = rates_take(*state, "guess", "192.0.2.1", 10, 1000000, &retry_after_s);
        assert_true(taken);
        rates_give(*state, "guess", "192.0.2.1", 10, taken);
    }
    assert_int_equal(take_all(*state, "guess", "192.0.2.1", 10, 1000000, &retry_after_s), 10);
    rates_give(*state, "guess", "192.0.2.1", 10, taken);
    assert_int_equal(take_all(*state, "guess", "192.0.2.1", 10, 1000000, &retry_after_s), 1);
    rates_give(*state, "guess", "192.0.2.1", 10, 0);
    assert_int_equal(take_all(*state, "guess", "192.0.2.1", 10, 1000000, &retry_after_s), 0);
    rates_give(NULL, "guess", "192.0.2.1", 10, taken);
}

/* Two that share one of their rows: what the one gets back is none of the other's. */
static void what_is_given_back_is_given_to_nobody_else(void **state)
{
    enum { OTHERS = 65536 };
    char other[32];
    int retry_after_s = 0, shared = 0;
    assert_int_equal(take_all(*state, "guess", "192.0.2.1", 10, 1000000, &retry_after_s), 10);
    for (int i = 0; i < OTHERS && shared < 3; i++) {
        snprintf(other, sizeof other, "10.0.%d.%d", i / 256, i % 256);
        unsigned taken = rates_take(*state, "guess", other, 10, 1000000, &retry_after_s);
        rates_give(*state, "guess", other, 10, taken);
        shared += taken == 1 || taken == 2; /* of one of its rows alone */
        assert_false(rates_take(*state, "guess", "192.0.2.1", 10, 1000000, &retry_after_s));
    }
    assert_int_equal(shared, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_given_back_may_be_taken_again_and_nothing_more,
                                        open_rates, close_rates),
        cmocka_unit_test_setup_teardown(what_is_given_back_is_given_to_nobody_else, open_rates,
                                        close_rates),
        cmocka_unit_test_setup_teardown(a_minutes_number_at_once_then_one_by_one, open_rates,
                                        close_rates),
        cmocka_unit_test_setup_teardown(a_refusal_costs_nothing_and_its_retry_is_kept, open_rates,
                                        close_rates),
        cmocka_unit_test_setup_teardown(no_limit_no_file_no_address, open_rates, close_rates),
        cmocka_unit_test(what_counts_of_an_address),
        cmocka_unit_test_setup_teardown(a_clock_set_back_locks_nobody_out_for_long, open_rates,
                                        close_rates),
        cmocka_unit_test_setup_teardown(processes_share_one_count_and_another_boot_starts_anew,
                                        open_rates, close_rates),
    };
    return cmocka_run_group_tests_name("rates", tests, make_folder, remove_folder);
}
