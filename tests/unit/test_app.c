#include "app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "bell.h"

static void opening_makes_a_private_data_folder(void **state)
{
    (void)state;
    struct stat st;
    struct app_fixture *f = app_fixture_new();
    assert_non_null(f);
    assert_int_equal(stat(f->app.data_dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(strlen(f->app.boot_id), 36);
    assert_non_null(f->app.bell);
    app_fixture_free(f);
}

static void a_data_folder_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct app app = { 0 };
    config_default(&app.cfg);
    strcpy(app.cfg.data_dir, "/dev/null/data");
    assert_false(app_open(&app));
    strcpy(app.cfg.data_dir, "/dev/null");
    assert_false(app_open(&app));
}

static void a_ring_is_heard_by_this_process_and_by_the_bell(void **state)
{
    (void)state;
    struct app_fixture *f = app_fixture_new();
    uint32_t seen = bell_now(f->app.bell), buckets[BELL_RECENT];
    app_ring(&f->app, "tea");
    assert_int_equal(f->app.rung_count, 1);
    assert_int_equal(f->app.rung[0].bucket, bell_bucket("tea"));
    assert_int_equal(bell_since(f->app.bell, &seen, false, buckets), 1);
    assert_int_equal(buckets[0], bell_bucket("tea"));
    for (int i = 0; i < 1000; i++) app_ring(&f->app, "tea");
    assert_int_equal(f->app.rung_count, APP_RUNG_MAX + 1);
    app_fixture_free(f);
}

static void a_bell_whose_file_was_replaced_is_opened_anew(void **state)
{
    (void)state;
    char path[APP_PATH_BYTES_MAX + 8];
    struct app_fixture *f = app_fixture_new();
    snprintf(path, sizeof path, "%s/bell", f->app.data_dir);
    assert_int_equal(unlink(path), 0);
    assert_false(bell_alive(f->app.bell));
    app_reopen_bell(&f->app);
    assert_non_null(f->app.bell);
    assert_true(bell_alive(f->app.bell));
    app_fixture_free(f);
}

static void without_a_bell_the_app_still_opens(void **state)
{
    (void)state;
    char path[APP_PATH_BYTES_MAX + 8];
    struct app_fixture *f = app_fixture_new();
    app_close(&f->app);
    snprintf(path, sizeof path, "%s/bell", f->app.data_dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(app_open(&f->app));
    assert_null(f->app.bell);
    app_ring(&f->app, "tea");
    assert_int_equal(f->app.rung_count, 1);
    app_fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_makes_a_private_data_folder),
        cmocka_unit_test(a_data_folder_that_cannot_be_is_refused),
        cmocka_unit_test(a_ring_is_heard_by_this_process_and_by_the_bell),
        cmocka_unit_test(a_bell_whose_file_was_replaced_is_opened_anew),
        cmocka_unit_test(without_a_bell_the_app_still_opens),
    };
    return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
