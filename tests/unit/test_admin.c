#include "admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "rates.h"
#include "secret.h"

static int with_app(void **state)
{
    *state = app_fixture_new();
    return *state == NULL;
}

static int without_app(void **state)
{
    app_fixture_free(*state);
    return 0;
}

static void key_of(struct app_fixture *f, char key[SECRET_BYTES_MAX + 1])
{
    assert_int_equal(secret_read(f->app.data_dir, ADMIN_KEY_FILE, key), 0);
}

/* The status of a check; 200: the admin, 0: somebody else. */
static int check(struct app_fixture *f, const char *address, const char *key)
{
    bool admin = true;
    struct problem p = admin_check(&f->app, address, slice_of(key), &admin);
    assert_false(admin && p.status != 0);
    return admin ? 200 : p.status;
}

static void set_key(struct app_fixture *f, const char *text)
{
    char path[APP_PATH_BYTES_MAX + 32];
    snprintf(path, sizeof path, "%s/" ADMIN_KEY_FILE, f->app.data_dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void the_key_is_made_with_the_data_folder(void **state)
{
    char key[SECRET_BYTES_MAX + 1];
    key_of(*state, key);
    assert_in_range(strlen(key), ADMIN_KEY_BYTES_MIN, 64);
}

static void only_the_key_of_the_file_is_the_admins(void **state)
{
    char key[SECRET_BYTES_MAX + 1], pasted[SECRET_BYTES_MAX + 8], longer[SECRET_BYTES_MAX + 8];
    key_of(*state, key);
    snprintf(pasted, sizeof pasted, " %s\r\n", key);
    snprintf(longer, sizeof longer, "%sx", key);
    assert_int_equal(check(*state, "192.0.2.1", NULL), 0);
    assert_int_equal(check(*state, "192.0.2.1", key), 200);
    assert_int_equal(check(*state, "192.0.2.1", pasted), 200);
    assert_int_equal(check(*state, "192.0.2.1", longer), 403);
    assert_int_equal(check(*state, "192.0.2.1", ""), 403);
    key[strlen(key) - 1] = '\0';
    assert_int_equal(check(*state, "192.0.2.1", key), 403);
}

static void the_configurations_key_goes_before_the_file(void **state)
{
    struct app_fixture *f = *state;
    char key[SECRET_BYTES_MAX + 1];
    key_of(f, key);
    snprintf(f->app.cfg.admin_key, sizeof f->app.cfg.admin_key, "%s",
             "another-key-of-the-owner-0123456789");
    assert_int_equal(check(f, "192.0.2.1", f->app.cfg.admin_key), 200);
    assert_int_equal(check(f, "192.0.2.1", key), 403);
    set_key(f, "");
    assert_int_equal(check(f, "192.0.2.1", f->app.cfg.admin_key), 200);
    assert_int_equal(check(f, "192.0.2.1", ""), 403);
}

static void wrong_keys_are_limited_for_their_address_and_in_all(void **state)
{
    struct app_fixture *f = *state;
    char address[32];
    for (int i = 0; i < ADMIN_WRONG_PER_MINUTE; i++)
        assert_int_equal(check(f, "192.0.2.1", "wrong"), 403);
    assert_int_equal(check(f, "192.0.2.1", "wrong"), 429);
    assert_int_equal(check(f, "192.0.2.2", "wrong"), 403);
    f->now_ms += 60000;
    for (int i = 0; i < ADMIN_WRONG_PER_MINUTE_ALL; i++) {
        snprintf(address, sizeof address, "198.51.100.%d", i / ADMIN_WRONG_PER_MINUTE);
        assert_int_equal(check(f, address, "wrong"), 403);
    }
    assert_int_equal(check(f, "203.0.113.1", "wrong"), 429);
    f->now_ms += 60000;
    assert_int_equal(check(f, "203.0.113.1", "wrong"), 403);
}

static void nobody_keeps_the_owner_out_by_guessing(void **state)
{
    char key[SECRET_BYTES_MAX + 1];
    key_of(*state, key);
    for (int i = 0; i < 2 * ADMIN_WRONG_PER_MINUTE_ALL; i++)
        (void)check(*state, "192.0.2.1", "wrong");
    assert_int_equal(check(*state, "192.0.2.1", "wrong"), 429);
    assert_int_equal(check(*state, "192.0.2.1", key), 200);
    assert_int_equal(check(*state, "192.0.2.9", key), 200);
}

static void a_key_file_that_was_deleted_is_made_anew_with_another_key(void **state)
{
    struct app_fixture *f = *state;
    char old[SECRET_BYTES_MAX + 1], fresh[SECRET_BYTES_MAX + 1], path[APP_PATH_BYTES_MAX + 32];
    key_of(f, old);
    snprintf(path, sizeof path, "%s/" ADMIN_KEY_FILE, f->app.data_dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(check(f, "192.0.2.1", old), 403);
    key_of(f, fresh);
    assert_string_not_equal(old, fresh);
    assert_int_equal(check(f, "192.0.2.1", fresh), 200);
}

static void a_short_or_empty_key_file_lets_nobody_in(void **state)
{
    static const char *const texts[] = { "", "\n", "secret\n", "0123456789012345678901234567890" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        set_key(*state, texts[i]);
        assert_int_equal(check(*state, "192.0.2.1", texts[i]), 403);
    }
    set_key(*state, "01234567890123456789012345678901\r\n");
    assert_int_equal(check(*state, "192.0.2.1", "01234567890123456789012345678901"), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_key_is_made_with_the_data_folder, with_app,
                                        without_app),
        cmocka_unit_test_setup_teardown(only_the_key_of_the_file_is_the_admins, with_app,
                                        without_app),
        cmocka_unit_test_setup_teardown(the_configurations_key_goes_before_the_file, with_app,
                                        without_app),
        cmocka_unit_test_setup_teardown(wrong_keys_are_limited_for_their_address_and_in_all,
                                        with_app, without_app),
        cmocka_unit_test_setup_teardown(nobody_keeps_the_owner_out_by_guessing, with_app,
                                        without_app),
        cmocka_unit_test_setup_teardown(a_key_file_that_was_deleted_is_made_anew_with_another_key,
                                        with_app, without_app),
        cmocka_unit_test_setup_teardown(a_short_or_empty_key_file_lets_nobody_in, with_app,
                                        without_app),
    };
    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
