#include "secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "ident.h"

static int with_folder(void **state)
{
    static char folder[64];
    test_folder(folder);
    *state = folder;
    return 0;
}

static int without_folder(void **state)
{
    test_folder_remove(*state);
    return 0;
}

static void path_of(const char *folder, const char *name, char path[96])
{
    snprintf(path, 96, "%s/%s", folder, name);
}

static void write_bytes(const char *folder, const char *name, const char *bytes, size_t len)
{
    char path[96];
    path_of(folder, name, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static void a_secret_is_made_once_for_its_owner_only(void **state)
{
    char first[SECRET_BYTES_MAX + 1], second[SECRET_BYTES_MAX + 1], path[96];
    struct stat st;
    path_of(*state, "key", path);
    assert_int_equal(secret_make(*state, "key"), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, IDENT_KEY_BYTES + 1);
    assert_int_equal(secret_read(*state, "key", first), 0);
    assert_int_equal(strlen(first), IDENT_KEY_BYTES);
    assert_int_equal(secret_make(*state, "key"), 0);
    assert_int_equal(secret_read(*state, "key", second), 0);
    assert_string_equal(first, second);
    assert_int_equal(secret_make(*state, "another"), 0);
    assert_int_equal(secret_read(*state, "another", second), 0);
    assert_string_not_equal(first, second);
}

static void processes_that_make_it_at_the_same_time_read_the_same(void **state)
{
    enum { PROCESSES = 8 };
    char seen[PROCESSES][SECRET_BYTES_MAX + 1];
    int go[2], told[2];
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(told), 0);
    fflush(NULL);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() != 0) continue;
        char text[SECRET_BYTES_MAX + 1] = "", byte;
        close(go[1]);
        (void)!read(go[0], &byte, 1); /* its end is the sign to begin */
        bool fine = secret_make(*state, "key") == 0 && secret_read(*state, "key", text) == 0;
        (void)!write(told[1], text, sizeof text);
        _exit(fine ? 0 : 1);
    }
    close(go[0]);
    close(go[1]);
    for (int i = 0; i < PROCESSES; i++) {
        int status = 1;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
        assert_int_equal(read(told[0], seen[i], sizeof seen[i]), sizeof seen[i]);
        assert_string_equal(seen[i], seen[0]);
    }
    close(told[0]);
    close(told[1]);
}

static void what_an_editor_puts_around_the_line_is_not_the_secret(void **state)
{
    static const struct {
        const char *bytes;
        const char *secret; /* NULL: there is none */
    } table[] = {
        { "word\n", "word" },
        { "word", "word" },
        { "\xef\xbb\xbfword\r\n", "word" },
        { "  word \t\r\n\n", "word" },
        { "two words\n", "two words" },
        { "", NULL },
        { " \r\n", NULL },
        { "\xef\xbb\xbf", NULL },
    };
    char text[SECRET_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        write_bytes(*state, "key", table[i].bytes, strlen(table[i].bytes));
        int fault = secret_read(*state, "key", text);
        assert_int_equal(fault, table[i].secret == NULL ? EINVAL : 0);
        if (fault == 0) assert_string_equal(text, table[i].secret);
    }
}

static void what_is_no_short_file_is_no_secret(void **state)
{
    char text[SECRET_BYTES_MAX + 1], path[96], long_line[SECRET_BYTES_MAX + 1];
    memset(long_line, 'x', sizeof long_line);
    assert_int_equal(secret_read(*state, "key", text), ENOENT);
    write_bytes(*state, "long", long_line, sizeof long_line);
    assert_int_equal(secret_read(*state, "long", text), EINVAL);
    write_bytes(*state, "fits", long_line, SECRET_BYTES_MAX);
    assert_int_equal(secret_read(*state, "fits", text), 0);
    path_of(*state, "folder", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(secret_read(*state, "folder", text), EINVAL);
    path_of(*state, "pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(secret_read(*state, "pipe", text), EINVAL);
}

static void no_link_is_followed(void **state)
{
    char text[SECRET_BYTES_MAX + 1], path[96], target[96];
    path_of(*state, "link", path);
    path_of(*state, "elsewhere", target);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(secret_make(*state, "link"), 0); /* it is there, whatever it is */
    assert_int_equal(access(target, F_OK), -1);
    write_bytes(*state, "elsewhere", "word\n", 5);
    assert_int_equal(secret_read(*state, "link", text), ELOOP);
}

static void where_nothing_can_be_made_that_is_told(void **state)
{
    (void)state;
    assert_int_equal(secret_make("/nonexistent", "key"), ENOENT);
    assert_int_equal(secret_make("/dev/null", "key"), ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_secret_is_made_once_for_its_owner_only, with_folder,
                                        without_folder),
        cmocka_unit_test_setup_teardown(processes_that_make_it_at_the_same_time_read_the_same,
                                        with_folder, without_folder),
        cmocka_unit_test_setup_teardown(what_an_editor_puts_around_the_line_is_not_the_secret,
                                        with_folder, without_folder),
        cmocka_unit_test_setup_teardown(what_is_no_short_file_is_no_secret, with_folder,
                                        without_folder),
        cmocka_unit_test_setup_teardown(no_link_is_followed, with_folder, without_folder),
        cmocka_unit_test(where_nothing_can_be_made_that_is_told),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
