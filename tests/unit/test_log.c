#include "log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2]; /* a pipe: what the log writes is read here */

static int open_pipe(void **state)
{
    (void)state;
    return pipe(ends);
}

static int close_pipe(void **state)
{
    (void)state;
    log_open(STDERR_FILENO, LOG_LEVEL_WARNING);
    return close(ends[0]) + close(ends[1]);
}

static size_t read_line(char *line, size_t size)
{
    ssize_t got = read(ends[0], line, size - 1);
    assert_true(got > 0);
    line[got] = '\0';
    return (size_t)got;
}

static void a_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    char line[2000];
    log_open(ends[1], LOG_LEVEL_INFO);
    log_event(LOG_LEVEL_DEBUG, "too-fine", "not=written");
    log_event(LOG_LEVEL_WARNING, "store-broken", "room=%s tries=%d", "tea", 3);
    read_line(line, sizeof line);
    assert_string_equal(line + 24, " warning store-broken room=tea tries=3\n");
    line[24] = '\0';
    for (size_t i = 0; i < 24; i++) {
        const char shape = "dddd-dd-ddTdd:dd:dd.dddZ"[i];
        assert_true(shape == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape);
    }
    assert_true(strcmp(line, "2024-01-01T00:00:00.000Z") > 0);
    log_event(LOG_LEVEL_INFO, "started", "%s", "");
    read_line(line, sizeof line);
    assert_string_equal(line + 24, " info started\n");
}

static void nobody_can_forge_a_second_line(void **state)
{
    (void)state;
    char line[2000];
    log_open(ends[1], LOG_LEVEL_DEBUG);
    log_event(LOG_LEVEL_DEBUG, "odd", "text=%s", "a\nb\tc\x1b[31m\x7f\xc3\xa4");
    read_line(line, sizeof line);
    assert_string_equal(line + 24, " debug odd text=a?b?c?[31m?\xc3\xa4\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    char text[3000], line[4000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_open(ends[1], LOG_LEVEL_ERROR);
    for (size_t cut = 0; cut < 2200; cut += 100) {
        log_event(LOG_LEVEL_ERROR, "long", "%s", text + cut);
        size_t len = read_line(line, sizeof line);
        assert_true(len <= 1000);
        assert_true(len == 1000 || cut > 1900);
        assert_int_equal(line[len - 1], '\n');
        assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    }
}

static void addresses_lose_their_last_part(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *address, *cut;
    } rows[] = {
        { __LINE__, "192.0.2.77", "192.0.2.0" },
        { __LINE__, "255.255.255.255", "255.255.255.0" },
        { __LINE__, "2001:db8:1:2:3:4:5:6", "2001:db8:1::" },
        { __LINE__, "::1", "::" },
        { __LINE__, "::ffff:192.0.2.77", "192.0.2.0" },
        { __LINE__, "", "-" },
        { __LINE__, NULL, "-" },
        { __LINE__, "192.0.2.77:80", "-" },
        { __LINE__, "example.org", "-" },
        { __LINE__, "unix:", "-" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[46];
        log_address(rows[i].address, out, sizeof out);
        if (strcmp(out, rows[i].cut) != 0) fail_msg("line %d: %s", rows[i].line, out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_event_and_fields),
        cmocka_unit_test(nobody_can_forge_a_second_line),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(addresses_lose_their_last_part),
    };
    return cmocka_run_group_tests_name("log", tests, open_pipe, close_pipe);
}
