/* Passwords are hashed once for all who ask, by a thread where others wait meanwhile. */
#include "password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <string.h>

#include "app.h"

enum { PATIENCE_S = 60, CROWD = 40 };

static struct password_kept salted(uint8_t first)
{
    return (struct password_kept){ .salt = { first, 2, 3 } };
}

/* As the loop asks: again while it is busy. */
static struct problem ask(struct app *app, const char *text, struct password_kept *kept)
{
    struct problem p = password_hash(app, slice_of(text), kept);
    for (time_t until = time(NULL) + PATIENCE_S; PROBLEM_IS_BUSY(p) && time(NULL) < until;) {
        usleep(2000);
        p = password_hash(app, slice_of(text), kept);
    }
    return p;
}

static void expect_pbkdf2(const struct password_kept *kept, const char *text)
{
    uint8_t hash[IDENT_HASH_BYTES];
    ident_pbkdf2(slice_of(text), kept->salt, sizeof kept->salt, PASSWORD_ROUNDS, hash);
    assert_memory_equal(kept->hash, hash, sizeof hash);
}

static void a_process_of_one_request_computes_at_once(void **state)
{
    (void)state;
    struct app app = { .password = password_open() };
    struct password_kept kept = salted(1), none = salted(1);
    assert_int_equal(password_hash(&app, slice_of("tea"), &kept).status, 0);
    expect_pbkdf2(&kept, "tea");
    password_close(app.password);
    app.password = NULL;
    assert_int_equal(password_hash(&app, slice_of("tea"), &none).status, 0);
    assert_memory_equal(none.hash, kept.hash, sizeof kept.hash);
}

static void a_lasting_process_answers_busy_until_its_helper_is_done(void **state)
{
    (void)state;
    struct app app = { .password = password_open(), .lasts = true };
    struct password_kept kept = salted(1), other = salted(2);
    assert_true(PROBLEM_IS_BUSY(password_hash(&app, slice_of("tea"), &kept)));
    assert_int_equal(ask(&app, "tea", &kept).status, 0);
    expect_pbkdf2(&kept, "tea");
    assert_int_equal(ask(&app, "tea", &other).status, 0);
    assert_memory_not_equal(other.hash, kept.hash, sizeof kept.hash);
    struct password_kept again = salted(1);
    assert_int_equal(password_hash(&app, slice_of("tea"), &again).status, 0); /* still known */
    assert_memory_equal(again.hash, kept.hash, sizeof kept.hash);
    password_close(app.password);
}

static void too_many_at_once_are_told_to_come_later(void **state)
{
    (void)state;
    struct app app = { .password = password_open(), .lasts = true };
    char text[16];
    int later = 0;
    for (int i = 0; i < CROWD; i++) {
        struct password_kept kept = salted(1);
        snprintf(text, sizeof text, "%d", i);
        struct problem p = password_hash(&app, slice_of(text), &kept);
        assert_int_equal(p.status, 503);
        later += !PROBLEM_IS_BUSY(p);
    }
    assert_true(later > 0);
    password_close(app.password); /* with work left to do */
}

static void a_password_has_1_to_256_bytes(void **state)
{
    (void)state;
    struct app app = { .password = password_open() };
    static char text[PASSWORD_BYTES_MAX + 1];
    struct password_kept kept = salted(1);
    memset(text, 'x', sizeof text);
    assert_int_equal(password_hash(&app, slice_of(""), &kept).status, 400);
    assert_int_equal(password_hash(&app, (struct slice){ text, sizeof text }, &kept).status, 400);
    assert_int_equal(password_hash(&app, (struct slice){ text, PASSWORD_BYTES_MAX }, &kept).status,
                     0);
    password_close(app.password);
    password_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_of_one_request_computes_at_once),
        cmocka_unit_test(a_lasting_process_answers_busy_until_its_helper_is_done),
        cmocka_unit_test(too_many_at_once_are_told_to_come_later),
        cmocka_unit_test(a_password_has_1_to_256_bytes),
    };
    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
