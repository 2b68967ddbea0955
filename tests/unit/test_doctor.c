#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin.h"
#include "app_fixture.h"
#include "bell.h"
#include "fuse_folder.h"
#include "json.h"
#include "place.h"
#include "rates.h"

enum { NOBODY = 65534, DAY_MS = 86400000 };

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

/* The report as text; the next call overwrites it. */
static const char *report(struct app_fixture *f, char *const *env, bool admin)
{
    static char text[32768];
    struct buf out;
    buf_init(&out, sizeof text - 1);
    doctor_report(&f->app, env, admin, &out);
    assert_false(out.failed);
    assert_true(json_valid((struct slice){ out.at, out.len }));
    memcpy(text, out.at, out.len);
    text[out.len] = '\0';
    buf_free(&out);
    return text;
}

static bool finds(struct app_fixture *f, char *const *env, const char *code)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "{\"code\":\"%s\"}", code);
    return strstr(report(f, env, false), quoted) != NULL;
}

static void path_of(const struct app_fixture *f, const char *name, char path[1100])
{
    snprintf(path, 1100, "%s/%s", f->app.data_dir, name);
}

static void write_config(struct app_fixture *f, const char *text, mode_t mode)
{
    snprintf(f->app.cfg.path, sizeof f->app.cfg.path, "%s/klatch.conf", f->folder);
    FILE *file = fopen(f->app.cfg.path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(f->app.cfg.path, mode), 0);
}

static void the_marks_tell_folders_and_machines_apart(void **state)
{
    struct app_fixture *f = *state, *other = app_fixture_new();
    char place[2][DOCTOR_MARK_BYTES + 1], host[2][DOCTOR_MARK_BYTES + 1];
    doctor_place(&f->app, place[0]);
    doctor_place(&f->app, place[1]);
    assert_int_equal(strspn(place[0], "0123456789abcdef"), DOCTOR_MARK_BYTES);
    assert_string_equal(place[0], place[1]);
    doctor_place(&other->app, place[1]);
    assert_string_not_equal(place[0], place[1]);
    doctor_host(&f->app, host[0]);
    doctor_host(&other->app, host[1]);
    assert_int_equal(strspn(host[0], "0123456789abcdef"), DOCTOR_MARK_BYTES);
    assert_string_equal(host[0], host[1]);
    other->app.boot_id[0] ^= 1;
    doctor_host(&other->app, host[1]);
    assert_string_not_equal(host[0], host[1]);
    other->app.data_dir[0] = '\0';
    doctor_place(&other->app, place[1]);
    assert_string_equal(place[1], "");
    app_fixture_free(other);
}

static void whoever_has_no_key_learns_codes_only(void **state)
{
    struct app_fixture *f = *state;
    char document_root[128];
    char *const env[] = { document_root, NULL };
    snprintf(document_root, sizeof document_root, "DOCUMENT_ROOT=%s", f->folder);
    write_config(f, "ice_server = turn:example.org:3478 ada secret\nnonsense\n", 0644);
    assert_int_equal(chmod(f->app.data_dir, 0755), 0);
    const char *text = report(f, env, false);
    assert_null(strchr(text, '/'));
    assert_null(strstr(text, "_url"));
    assert_null(strstr(text, "facts"));
    assert_null(strstr(text, "secret"));
    for (const char *at = strstr(text, "{\"code\":\""); at != NULL;
         at = strstr(at, "{\"code\":\"")) {
        at += strlen("{\"code\":\"");
        at += strspn(at, "abcdefghijklmnopqrstuvwxyz-");
        assert_memory_equal(at, "\"}", 2);
    }
    text = report(f, env, true);
    assert_non_null(strstr(text, "\"facts\":{\"version\":"));
    assert_non_null(strstr(text, f->folder));
    assert_non_null(strstr(text, "\"data_url\":\"/data\""));
    assert_non_null(strstr(text, "\"config_url\":\"/klatch.conf\""));
    assert_null(strstr(text, "secret"));
}

static void modes_and_owners_of_the_data_folder_are_looked_at(void **state)
{
    struct app_fixture *f = *state;
    char path[1100];
    assert_false(finds(f, NULL, "data-open"));
    assert_false(finds(f, NULL, "data-owner"));
    assert_int_equal(chmod(f->app.data_dir, 0750), 0);
    assert_true(finds(f, NULL, "data-open"));
    assert_non_null(strstr(report(f, NULL, true), "\"mode\":\"0750\""));
    if (getuid() != 0) return;
    path_of(f, "rates", path);
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    assert_true(finds(f, NULL, "data-owner"));
    assert_non_null(strstr(report(f, NULL, true), "/data/rates\",\"owner\":65534,\"user\":0"));
}

static void a_data_folder_that_has_gone_is_told(void **state)
{
    struct app_fixture *f = *state;
    char away[128];
    snprintf(away, sizeof away, "%s/away", f->folder);
    assert_false(finds(f, NULL, "data-missing"));
    assert_int_equal(rename(f->app.data_dir, away), 0);
    assert_true(finds(f, NULL, "data-missing"));
    assert_int_equal(rename(away, f->app.data_dir), 0);
    assert_false(finds(f, NULL, "data-missing"));
}

static void the_written_file_leaves_nothing_behind(void **state)
{
    struct app_fixture *f = *state;
    struct stat before, after;
    assert_int_equal(stat(f->app.data_dir, &before), 0);
    const char *text = report(f, NULL, true);
    const char *written = strstr(text, "\"write_us\":");
    assert_non_null(written);
    assert_true(strtol(written + strlen("\"write_us\":"), NULL, 10) > 0);
    assert_int_equal(stat(f->app.data_dir, &after), 0);
    assert_int_equal(before.st_nlink, after.st_nlink);
    assert_int_equal(before.st_size, after.st_size);
}

static void the_admin_key_must_be_there_and_closed(void **state)
{
    struct app_fixture *f = *state;
    char path[1100];
    path_of(f, ADMIN_KEY_FILE, path);
    assert_false(finds(f, NULL, "admin-key-missing"));
    assert_false(finds(f, NULL, "admin-key-open"));
    assert_int_equal(chmod(path, 0644), 0);
    assert_true(finds(f, NULL, "admin-key-open"));
    assert_int_equal(truncate(path, 20), 0);
    assert_true(finds(f, NULL, "admin-key-missing"));
    assert_int_equal(unlink(path), 0);
    assert_true(finds(f, NULL, "admin-key-missing"));
}

static void where_the_web_server_shows_the_data_is_told_as_a_url(void **state)
{
    struct app_fixture *f = *state;
    static const struct {
        int line;
        const char *folder;                  /* of the data, below the fixture's */
        const char *root, *context, *prefix; /* the same; NULL: no such variable */
        const char *url;                     /* NULL: nowhere */
        bool guessable;
    } table[] = {
        { __LINE__, "data", "", NULL, NULL, "/data", true },
        { __LINE__, "data", "/", NULL, NULL, "/data", true },
        { __LINE__, "data", "elsewhere", NULL, NULL, NULL, false },
        { __LINE__, "data", "dat", NULL, NULL, NULL, false },
        { __LINE__, "data", "data", NULL, NULL, NULL, false },
        { __LINE__, "data", NULL, NULL, NULL, NULL, false },
        { __LINE__, "data", "elsewhere", "", "/~ada", "/~ada/data", true },
        { __LINE__, "data", "elsewhere", "", "/cgi-bin/", "/cgi-bin/data", true },
        { __LINE__, "data", "", "elsewhere", "/x", "/data", true },
        { __LINE__, "a b?#%\xc3\xa4", "", NULL, NULL, "/a%20b%3F%23%25%C3%A4", true },
        { __LINE__, ".ht-klatch-0123456789abcdef0123456789abcdef", "", NULL, NULL,
          "/.ht-klatch-0123456789abcdef0123456789abcdef", false },
        { __LINE__, ".ht-klatch-0123456789abcdef", "", NULL, NULL, "/.ht-klatch-0123456789abcdef",
          true },
        { __LINE__, ".htdata", "", NULL, NULL, "/.htdata", true },
    };
    char path[512];
    snprintf(path, sizeof path, "%s/dat", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/elsewhere", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char variables[3][512], expected[128];
        char *env[4] = { NULL };
        size_t count = 0;
        const char *const names[] = { "DOCUMENT_ROOT", "CONTEXT_DOCUMENT_ROOT" };
        const char *const folders[] = { table[i].root, table[i].context };
        for (size_t k = 0; k < 2; k++) {
            if (folders[k] == NULL) continue;
            snprintf(variables[count], sizeof variables[count], "%s=%s/%s", names[k], f->folder,
                     folders[k]);
            env[count] = variables[count];
            count++;
        }
        if (table[i].prefix != NULL) {
            snprintf(variables[count], sizeof variables[count], "CONTEXT_PREFIX=%s",
                     table[i].prefix);
            env[count] = variables[count];
        }
        snprintf(path, sizeof path, "%s/%s", f->folder, table[i].folder);
        assert_int_equal(rename(f->app.data_dir, path), 0);
        snprintf(f->app.data_dir, sizeof f->app.data_dir, "%s", path);
        bool inside = table[i].url != NULL;
        if (finds(f, env, "data-in-root") != inside ||
            finds(f, env, "data-guessable") != table[i].guessable)
            fail_msg("line %d", table[i].line);
        snprintf(expected, sizeof expected, "\"data_url\":\"%s\"", inside ? table[i].url : "");
        if ((strstr(report(f, env, true), expected) != NULL) != inside)
            fail_msg("line %d gives %s", table[i].line, report(f, env, true));
    }
}

static void a_configuration_is_found_right_or_wrong(void **state)
{
    struct app_fixture *f = *state;
    assert_true(finds(f, NULL, "config-missing"));
    write_config(f, "hold_ms = 20000\n", 0644);
    assert_false(finds(f, NULL, "config-missing"));
    assert_false(finds(f, NULL, "config-wrong"));
    assert_false(finds(f, NULL, "config-open"));
    write_config(f, "hold_ms = 20000\nunheard_of = 1\n", 0600);
    assert_true(finds(f, NULL, "config-wrong"));
    assert_non_null(strstr(report(f, NULL, true), "\"line\":2,\"error\":\"line 2: \\\"unheard_of"));
    const char turn[] = "ice_server = turn:example.org:3478 ada secret\n";
    write_config(f, turn, 0600);
    assert_false(finds(f, NULL, "config-open"));
    write_config(f, turn, 0640); /* the group is mostly the owner's own */
    assert_false(finds(f, NULL, "config-open"));
    write_config(f, turn, 0644);
    assert_true(finds(f, NULL, "config-open"));
#define KEY "0123456789abcdef0123456789abcdef"
    static const char *const secrets[] = { "admin_key = " KEY "\n", "token_key = site " KEY "\n",
                                           "turn_secret = " KEY "\n" };
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        write_config(f, secrets[i], 0600);
        assert_false(finds(f, NULL, "config-open"));
        write_config(f, secrets[i], 0644);
        if (!finds(f, NULL, "config-open")) fail_msg("%s", secrets[i]);
    }
}

static void the_binary_belongs_to_who_runs_it_and_nobody_else_may_write_it(void **state)
{
    struct app_fixture *f = *state;
    static struct place place;
    snprintf(place.binary, sizeof place.binary, "%s/klatch.fcgi", f->folder);
    f->app.place = &place;
    int fd = open(place.binary, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    close(fd);
    assert_false(finds(f, NULL, "binary-owner"));
    assert_false(finds(f, NULL, "binary-open"));
    assert_int_equal(chmod(place.binary, 0775), 0);
    assert_true(finds(f, NULL, "binary-open"));
    if (getuid() != 0) return;
    assert_int_equal(chown(place.binary, NOBODY, NOBODY), 0);
    assert_true(finds(f, NULL, "binary-owner"));
}

static void what_processes_share_must_work(void **state)
{
    struct app_fixture *f = *state;
    char path[1100];
    assert_false(finds(f, NULL, "bell-silent"));
    path_of(f, "bell", path);
    assert_int_equal(unlink(path), 0);
    assert_true(finds(f, NULL, "bell-silent"));
    bell_close(f->app.bell);
    f->app.bell = NULL;
    assert_true(finds(f, NULL, "bell-silent"));
    assert_false(finds(f, NULL, "rates-off"));
    rates_close(f->app.rates);
    f->app.rates = NULL;
    assert_true(finds(f, NULL, "rates-off"));
    assert_false(finds(f, NULL, "boot-id-unreadable"));
    strcpy(f->app.boot_id, "no-boot-id");
    assert_true(finds(f, NULL, "boot-id-unreadable"));
    assert_false(finds(f, NULL, "process-per-poll"));
    f->app.process_per_poll = true;
    assert_true(finds(f, NULL, "process-per-poll"));
    assert_false(finds(f, NULL, "refusing"));
    f->app.trouble = PROBLEM(500, "misconfigured", "Something.");
    assert_true(finds(f, NULL, "refusing"));
}

static int64_t years_later_ms(void *clock_arg)
{
    return 1800000000000 + ((struct app_fixture *)clock_arg)->now_ms;
}

static void a_clock_that_is_wrong_or_was_set_is_told(void **state)
{
    struct app_fixture *f = *state;
    f->app.wall_ahead_ms = app_wall_ms(&f->app) - app_now_ms(&f->app);
    assert_true(finds(f, NULL, "clock-wrong")); /* the fixture's is of 2023 */
    assert_false(finds(f, NULL, "clock-stepped"));
    f->now_ms += DAY_MS;
    assert_false(finds(f, NULL, "clock-stepped"));
    f->app.wall_ms = years_later_ms;
    assert_false(finds(f, NULL, "clock-wrong"));
    assert_true(finds(f, NULL, "clock-stepped"));
    f->app.wall_ahead_ms = app_wall_ms(&f->app) - app_now_ms(&f->app) + 4999;
    assert_false(finds(f, NULL, "clock-stepped"));
    f->app.wall_ahead_ms += 2;
    assert_true(finds(f, NULL, "clock-stepped"));
}

/* Run `act` in a child process, as a change of limits or of the user stays. */
static bool in_child(struct app_fixture *f, bool (*act)(struct app_fixture *f))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(act(f) ? 0 : 1);
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool with_few_descriptors(struct app_fixture *f)
{
    struct rlimit limit = { 200, 200 };
    bool before = finds(f, NULL, "descriptors-low");
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    bool parked = finds(f, NULL, "descriptors-low");
    f->app.process_per_poll = true;
    return !before && parked && !finds(f, NULL, "descriptors-low");
}

static bool with_few_processes(struct app_fixture *f)
{
    struct rlimit limit = { 10, 10 };
    if (setrlimit(RLIMIT_NPROC, &limit) != 0) return false;
    bool parked = finds(f, NULL, "processes-low");
    f->app.process_per_poll = true; /* 8 that hold polls */
    return !parked && finds(f, NULL, "processes-low");
}

static void limits_that_are_too_low_are_told(void **state)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 1024) skip();
    assert_true(in_child(*state, with_few_descriptors));
    assert_true(in_child(*state, with_few_processes));
}

static bool as_nobody(struct app_fixture *f)
{
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0) return false;
    bool unreadable = finds(f, NULL, "config-unreadable");
    return unreadable && finds(f, NULL, "data-not-writable") && finds(f, NULL, "data-owner") &&
           !finds(f, NULL, "runs-as-root") && finds(f, NULL, "admin-key-missing") &&
           strstr(report(f, NULL, true), "\"error\":\"EACCES\"") != NULL;
}

static void what_another_user_left_is_told(void **state)
{
    struct app_fixture *f = *state;
    if (getuid() != 0) skip();
    assert_true(finds(f, NULL, "runs-as-root"));
    assert_false(finds(f, NULL, "data-not-writable"));
    write_config(f, "hold_ms = 20000\n", 0600);
    assert_int_equal(chmod(f->folder, 0755), 0);
    assert_true(in_child(f, as_nobody));
}

static void memory_is_no_place_for_data(void **state)
{
    struct app_fixture *f = *state;
    char folder[] = "/dev/shm/klatch-test-XXXXXX";
    if (mkdtemp(folder) == NULL) skip();
    snprintf(f->app.data_dir, sizeof f->app.data_dir, "%s", folder);
    assert_true(finds(f, NULL, "data-volatile"));
    assert_non_null(strstr(report(f, NULL, true), "\"fs\":\"tmpfs\""));
    assert_int_equal(rmdir(folder), 0); /* empty: nothing stayed of the written file */
}

/* Every write of this many bytes fails with `error` from now on, in this process. */
static bool refuse_writes(unsigned bytes, unsigned error)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_write, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bytes, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof steps / sizeof *steps, steps };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static bool over_the_quota(struct app_fixture *f)
{
    return refuse_writes(4096, EDQUOT) && finds(f, NULL, "data-quota") &&
           !finds(f, NULL, "data-full") && strstr(report(f, NULL, true), "free_bytes") != NULL;
}

static bool on_a_full_disk(struct app_fixture *f)
{
    return refuse_writes(4096, ENOSPC) && finds(f, NULL, "data-full") &&
           !finds(f, NULL, "data-quota");
}

static bool on_a_broken_disk(struct app_fixture *f)
{
    return refuse_writes(4096, EIO) && finds(f, NULL, "data-write-failed") &&
           strstr(report(f, NULL, true), "\"error\":\"EIO\"") != NULL;
}

static void what_stops_a_write_is_told_apart(void **state)
{
    assert_true(in_child(*state, over_the_quota));
    assert_true(in_child(*state, on_a_full_disk));
    assert_true(in_child(*state, on_a_broken_disk));
    assert_false(finds(*state, NULL, "data-write-failed"));
}

static void a_network_file_system_is_named(void **state)
{
    struct app_fixture *f = *state;
    char folder[64];
    pid_t server = 0;
    test_folder(folder);
    if (!fuse_folder_mount(folder, &server)) {
        test_folder_remove(folder);
        skip();
    }
    snprintf(f->app.data_dir, sizeof f->app.data_dir, "%s", folder);
    bool remote = finds(f, NULL, "data-remote"), volatile_ = finds(f, NULL, "data-volatile");
    bool low = finds(f, NULL, "data-low"), refused = finds(f, NULL, "data-not-writable");
    bool named = strstr(report(f, NULL, true), "\"fs\":\"fuse\"") != NULL;
    fuse_folder_unmount(folder, server);
    test_folder_remove(folder);
    assert_true(remote && low && refused && named);
    assert_false(volatile_);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_app, without_app)
    const struct CMUnitTest tests[] = {
        CASE(the_marks_tell_folders_and_machines_apart),
        CASE(whoever_has_no_key_learns_codes_only),
        CASE(modes_and_owners_of_the_data_folder_are_looked_at),
        CASE(a_data_folder_that_has_gone_is_told),
        CASE(the_written_file_leaves_nothing_behind),
        CASE(the_admin_key_must_be_there_and_closed),
        CASE(where_the_web_server_shows_the_data_is_told_as_a_url),
        CASE(a_configuration_is_found_right_or_wrong),
        CASE(the_binary_belongs_to_who_runs_it_and_nobody_else_may_write_it),
        CASE(what_processes_share_must_work),
        CASE(a_clock_that_is_wrong_or_was_set_is_told),
        CASE(limits_that_are_too_low_are_told),
        CASE(what_another_user_left_is_told),
        CASE(memory_is_no_place_for_data),
        CASE(what_stops_a_write_is_told_apart),
        CASE(a_network_file_system_is_named),
    };
    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
