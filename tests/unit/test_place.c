#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void a_given_file_must_be_there(void **state)
{
    (void)state;
    struct config cfg;
    char error[CONFIG_ERROR_BYTES_MAX];
    config_default(&cfg);
    assert_false(place_read_config(&cfg, "/nonexistent/klatch.conf", NULL, error));
    assert_true(strlen(error) > 0);
}

static void a_given_file_is_read_and_its_data_folder_lies_beside_it(void **state)
{
    (void)state;
    struct config cfg;
    char folder[64], path[96], error[CONFIG_ERROR_BYTES_MAX], expected[96];
    test_folder(folder);
    snprintf(path, sizeof path, "%s/klatch.conf", folder);
    snprintf(expected, sizeof expected, "%s/rooms", folder);
    write_file(path, "hold_ms = 1234\ndata_dir = rooms\n");
    config_default(&cfg);
    assert_true(place_read_config(&cfg, path, NULL, error));
    assert_int_equal(cfg.hold_ms, 1234);
    assert_string_equal(cfg.data_dir, expected);
    assert_string_equal(cfg.path, path);
    test_folder_remove(folder);
}

static void without_any_file_the_defaults_hold_with_an_absolute_data_folder(void **state)
{
    (void)state;
    struct config cfg;
    char error[CONFIG_ERROR_BYTES_MAX];
    config_default(&cfg);
    assert_true(place_read_config(&cfg, NULL, "klatch.fcgi", error));
    assert_int_equal(cfg.hold_ms, 25000);
    assert_int_equal(cfg.data_dir[0], '/');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_given_file_must_be_there),
        cmocka_unit_test(a_given_file_is_read_and_its_data_folder_lies_beside_it),
        cmocka_unit_test(without_any_file_the_defaults_hold_with_an_absolute_data_folder),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
