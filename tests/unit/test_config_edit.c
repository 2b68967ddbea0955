#include "config_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "config.h"

#define HOLD(value)                  \
    {                                \
        "hold_ms",                   \
        {                            \
            value, sizeof(value) - 1 \
        }                            \
    }
#define POLLS(value)                 \
    {                                \
        "polls_max",                 \
        {                            \
            value, sizeof(value) - 1 \
        }                            \
    }

static void only_the_lines_of_the_settings_change(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        struct config_setting settings[2];
        const char *result;
    } table[] = {
        { __LINE__, "", { HOLD("1") }, "hold_ms = 1\n" },
        { __LINE__, "hold_ms = 2\n", { HOLD("1") }, "hold_ms = 1\n" },
        { __LINE__, "hold_ms = 2", { HOLD("1") }, "hold_ms = 1" },
        { __LINE__, "  hold_ms=2  \nx = y\n", { HOLD("1") }, "hold_ms = 1\nx = y\n" },
        { __LINE__, "x = y", { HOLD("1") }, "x = y\nhold_ms = 1\n" },
        { __LINE__, "x = y\r\nhold_ms = 2\r\n", { HOLD("1") }, "x = y\r\nhold_ms = 1\r\n" },
        { __LINE__, "x = y\r\n", { HOLD("1") }, "x = y\r\nhold_ms = 1\r\n" },
        { __LINE__,
          "# why\n#hold_ms = 25000\n\n# more\n",
          { HOLD("1") },
          "# why\n#hold_ms = 25000\nhold_ms = 1\n\n# more\n" },
        { __LINE__, "#hold_ms = 25000", { HOLD("1") }, "#hold_ms = 25000\nhold_ms = 1\n" },
        { __LINE__,
          "a\r\n#hold_ms = 25000",
          { HOLD("1") },
          "a\r\n#hold_ms = 25000\r\nhold_ms = 1\r\n" },
        { __LINE__,
          "#hold_ms = 25000\nx = y\nhold_ms = 2\n",
          { HOLD("1") },
          "#hold_ms = 25000\nx = y\nhold_ms = 1\n" },
        { __LINE__,
          "hold_ms = 2\n#hold_ms = 25000\n",
          { HOLD("1") },
          "hold_ms = 1\n#hold_ms = 25000\n" },
        { __LINE__,
          "# hold_ms = 0 answers at once\n",
          { HOLD("1") },
          "# hold_ms = 0 answers at once\nhold_ms = 1\n" },
        { __LINE__, "hold_ms = 2\nhold_ms = 3\n", { HOLD("1") }, "hold_ms = 1\nhold_ms = 3\n" },
        { __LINE__,
          "hold_msx = 2\nxhold_ms = 2\nhold_ms\n",
          { HOLD("1") },
          "hold_msx = 2\nxhold_ms = 2\nhold_ms\nhold_ms = 1\n" },
        { __LINE__, "\xef\xbb\xbfhold_ms = 2\n", { HOLD("1") }, "\xef\xbb\xbfhold_ms = 1\n" },
        { __LINE__, "\xef\xbb\xbf", { HOLD("1") }, "\xef\xbb\xbfhold_ms = 1\n" },
        { __LINE__,
          "#polls_max = 8\nhold_ms = 2\n",
          { HOLD("1"), POLLS("3") },
          "#polls_max = 8\npolls_max = 3\nhold_ms = 1\n" },
        { __LINE__, "x = y", { HOLD("1"), POLLS("3") }, "x = y\nhold_ms = 1\npolls_max = 3\n" },
        { __LINE__,
          "#hold_ms = 2",
          { HOLD("1"), POLLS("3") },
          "#hold_ms = 2\nhold_ms = 1\npolls_max = 3\n" },
        { __LINE__, "hold_ms = 2", { HOLD("1"), POLLS("3") }, "hold_ms = 1\npolls_max = 3\n" },
        { __LINE__, "a\n\n\n", { { "poll_url", { "", 0 } } }, "a\n\n\npoll_url =\n" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf out;
        buf_init(&out, 1000);
        size_t count = table[i].settings[1].key == NULL ? 1 : 2;
        assert_true(config_edit(slice_of(table[i].text), table[i].settings, count, &out));
        buf_add(&out, "", 1);
        if (strcmp(out.at, table[i].result) != 0)
            fail_msg("line %d gives: %s", table[i].line, out.at);
        buf_free(&out);
    }
}

static void what_no_line_can_hold_is_refused(void **state)
{
    (void)state;
    static const char *const values[] = {
        "1\nlog_level = debug", "1\r", "a\tb", " 1", "1 ", " ", "\x7f", "\xc3\xa4", "\x01"
    };
    struct buf out;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct config_setting setting = { "poll_url", slice_of(values[i]) };
        assert_false(config_edit(slice_of("x = y\n"), &setting, 1, &out));
    }
    struct config_setting nul = { "poll_url", { "a\0b", 3 } };
    assert_false(config_edit(slice_of("x = y\n"), &nul, 1, &out));
    assert_int_equal(out.len, 0);
    struct config_setting many[CONFIG_EDIT_SETTINGS_MAX + 1];
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = (struct config_setting){ "hold_ms", slice_of("1") };
    assert_false(config_edit(slice_of(""), many, sizeof many / sizeof *many, &out));
    buf_free(&out);
    buf_init(&out, 8);
    assert_false(config_edit(slice_of("x = y\n"), many, 1, &out));
    buf_free(&out);
}

struct folder {
    char path[64], file[96];
};

static int with_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    test_folder(f->path);
    snprintf(f->file, sizeof f->file, "%s/klatch.conf", f->path);
    *state = f;
    return 0;
}

static int without_folder(void **state)
{
    struct folder *f = *state;
    test_folder_remove(f->path);
    free(f);
    return 0;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_file(const char *path, const char *text, mode_t mode)
{
    char got[4096] = "";
    struct stat st;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(got, text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

static int save_hold(const char *path, const char *value, const char **code)
{
    struct config_setting setting = { "hold_ms", slice_of(value) };
    struct problem p = config_save(path, &setting, 1);
    *code = p.code;
    return p.status;
}

static void a_file_is_replaced_under_its_mode_or_made_for_its_owner_only(void **state)
{
    struct folder *f = *state;
    const char *code;
    assert_int_equal(save_hold(f->file, "20000", &code), 0);
    assert_file(f->file, "hold_ms = 20000\n", 0600);
    write_text(f->file, "# mine\nhold_ms = 20000\n", 0644);
    assert_int_equal(save_hold(f->file, "10000", &code), 0);
    assert_file(f->file, "# mine\nhold_ms = 10000\n", 0644);
    char link[96];
    snprintf(link, sizeof link, "%s/link", f->path);
    assert_int_equal(symlink("klatch.conf", link), 0);
    assert_int_equal(save_hold(link, "9000", &code), 0);
    assert_file(f->file, "# mine\nhold_ms = 9000\n", 0644);
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void what_would_not_be_read_is_never_written(void **state)
{
    static const struct {
        const char *text, *value;
        int status;
        const char *code;
    } table[] = {
        { "lease_ms = 30000\n", "20000", 409, "config-wrong" },
        { "hold_ms = 1\n", "1000000", 409, "config-wrong" },
        { "hold_ms = 1\n", "many", 409, "config-wrong" },
        { "nonsense\n", "20000", 409, "config-wrong" },
        { "hold_ms = 1\nhold_ms = 2\n", "20000", 409, "config-wrong" },
        { "hold_ms = 1\n", "1\ndata_dir = /", 400, "invalid-request" },
    };
    struct folder *f = *state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *code;
        write_text(f->file, table[i].text, 0640);
        assert_int_equal(save_hold(f->file, table[i].value, &code), table[i].status);
        assert_string_equal(code, table[i].code);
        assert_file(f->file, table[i].text, 0640);
    }
}

static void where_it_cannot_be_written_that_is_told(void **state)
{
    struct folder *f = *state;
    char path[128];
    const char *code;
    snprintf(path, sizeof path, "%s/nowhere/klatch.conf", f->path);
    assert_int_equal(save_hold(path, "1", &code), 507);
    assert_string_equal(code, "not-writable");
    assert_int_equal(save_hold(f->path, "1", &code), 507); /* a folder */
    assert_string_equal(code, "not-writable");
    assert_int_equal(save_hold("/dev/full", "1", &code), 507);
    char *big = malloc(CONFIG_EDIT_FILE_BYTES_MAX + 2);
    memset(big, '#', CONFIG_EDIT_FILE_BYTES_MAX + 1);
    big[CONFIG_EDIT_FILE_BYTES_MAX + 1] = '\0';
    write_text(f->file, big, 0600);
    free(big);
    assert_int_equal(save_hold(f->file, "1", &code), 507);
    assert_string_equal(code, "not-writable");
}

/* Root may write everywhere; so another user does it. */
static void try_as_another_user(const struct folder *f, mode_t mode)
{
    assert_int_equal(chmod(f->path, 0777), 0);
    write_text(f->file, "# root's\n", mode);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const char *code = "";
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(2);
        bool refused = save_hold(f->file, "1", &code) == 507 && strcmp(code, "not-writable") == 0;
        _exit(refused ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_file(f->file, "# root's\n", mode);
}

/* A mode that forbids it is somebody's wish, even where the folder would let the file be replaced.
 */
static void a_file_that_its_owner_closed_stays_as_it_is(void **state)
{
    struct folder *f = *state;
    if (getuid() != 0) skip();
    write_text(f->file, "# done\n", 0444);
    assert_int_equal(chown(f->file, 65534, 65534), 0);
    assert_int_equal(chown(f->path, 65534, 65534), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        const char *code = "";
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(2);
        bool refused = save_hold(f->file, "1", &code) == 507;
        bool saved = chmod(f->file, 0600) == 0 && save_hold(f->file, "1", &code) == 0;
        _exit(refused && saved ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_path_that_may_have_been_cut_is_not_written_to(void **state)
{
    struct folder *f = *state;
    char path[CONFIG_TEXT_BYTES_MAX + 1];
    const char *code;
    size_t len = strlen(f->path);
    memcpy(path, f->path, len);
    memset(path + len, '/', CONFIG_TEXT_BYTES_MAX - 2 - len);
    memcpy(path + CONFIG_TEXT_BYTES_MAX - 2, "x", 2);
    assert_int_equal(strlen(path), CONFIG_TEXT_BYTES_MAX - 1);
    assert_int_equal(save_hold(path, "1", &code), 507);
    memset(path + len, '/', CONFIG_TEXT_BYTES_MAX - 3 - len);
    memcpy(path + CONFIG_TEXT_BYTES_MAX - 3, "x", 2);
    assert_int_equal(save_hold(path, "1", &code), 0);
    assert_int_equal(save_hold("", "1", &code), 507);
}

static void a_file_of_somebody_else_stays_as_it_is(void **state)
{
    if (getuid() != 0) skip();
    try_as_another_user(*state, 0644);
    try_as_another_user(*state, 0666); /* writable, but the new one would have another owner */
}

static void the_sample_takes_every_setting_in_its_place(void **state)
{
    (void)state;
    static const char *const keys[] = { "hold_ms", "polls_max", "mode", "poll_url" };
    static char text[CONFIG_EDIT_FILE_BYTES_MAX];
    FILE *sample = fopen("cgi-bin/klatch.conf.sample", "r");
    assert_non_null(sample);
    size_t len = fread(text, 1, sizeof text, sample);
    fclose(sample);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct config_setting setting = { keys[i], slice_of("x") };
        char expected[64];
        struct buf out;
        buf_init(&out, 2 * sizeof text);
        assert_true(config_edit((struct slice){ text, len }, &setting, 1, &out));
        buf_add(&out, "", 1);
        snprintf(expected, sizeof expected, "\n%s = x\n", keys[i]);
        char *at = strstr(out.at, expected);
        assert_non_null(at);
        while (at > out.at && at[-1] != '\n') at--; /* the line before is its commented default */
        assert_int_equal(at[0], '#');
        assert_memory_equal(at + 1, keys[i], strlen(keys[i]));
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_lines_of_the_settings_change),
        cmocka_unit_test(what_no_line_can_hold_is_refused),
        cmocka_unit_test(the_sample_takes_every_setting_in_its_place),
        cmocka_unit_test_setup_teardown(
            a_file_is_replaced_under_its_mode_or_made_for_its_owner_only, with_folder,
            without_folder),
        cmocka_unit_test_setup_teardown(what_would_not_be_read_is_never_written, with_folder,
                                        without_folder),
        cmocka_unit_test_setup_teardown(where_it_cannot_be_written_that_is_told, with_folder,
                                        without_folder),
        cmocka_unit_test_setup_teardown(a_file_that_its_owner_closed_stays_as_it_is, with_folder,
                                        without_folder),
        cmocka_unit_test_setup_teardown(a_path_that_may_have_been_cut_is_not_written_to,
                                        with_folder, without_folder),
        cmocka_unit_test_setup_teardown(a_file_of_somebody_else_stays_as_it_is, with_folder,
                                        without_folder),
    };
    return cmocka_run_group_tests_name("config-edit", tests, NULL, NULL);
}
