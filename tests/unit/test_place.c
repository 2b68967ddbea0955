#include "place.h"

#include <dirent.h>
#include <errno.h>
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

/* An account's home below a folder of the test's own. */
struct home {
    char top[64];
    struct place place;
    struct config cfg;
    struct place_fault fault;
    char path[CONFIG_TEXT_BYTES_MAX];
};

static const char *in(struct home *h, const char *path)
{
    snprintf(h->path, sizeof h->path, "%s/%s", h->top, path);
    return h->path;
}

static void make(struct home *h, const char *folder, mode_t mode)
{
    char path[CONFIG_TEXT_BYTES_MAX];
    snprintf(path, sizeof path, "%s", in(h, folder));
    for (char *at = path + strlen(h->top) + 1; at != NULL; at = strchr(at + 1, '/')) {
        char *slash = strchr(at, '/');
        if (slash == NULL) break;
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    (void)mkdir(path, 0755);
    assert_int_equal(chmod(path, mode), 0);
}

static void write_file(struct home *h, const char *path, const char *text)
{
    FILE *f = fopen(in(h, path), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int with_home(void **state)
{
    struct home *h = calloc(1, sizeof *h);
    test_folder(h->top);
    config_default(&h->cfg);
    *state = h;
    return 0;
}

static int without_home(void **state)
{
    struct home *h = *state;
    test_folder_remove(h->top);
    free(h);
    return 0;
}

/* The binary lies in this folder. */
static void binary_in(struct home *h, const char *folder)
{
    make(h, folder, 0755);
    snprintf(h->place.folder, sizeof h->place.folder, "%s/%s", h->top, folder);
    snprintf(h->place.binary, sizeof h->place.binary, "%s/%s/klatch.fcgi", h->top, folder);
}

static bool read_it(struct home *h)
{
    return place_read_config(&h->cfg, &h->place, NULL, &h->fault);
}

/* How many folders of our own lie in `folder`; the last one's name goes to `name`. */
static int own_folders(struct home *h, const char *folder, char name[64])
{
    int count = 0;
    DIR *dir = opendir(in(h, folder));
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strncmp(e->d_name, ".ht-klatch-", 11) != 0) continue;
        assert_int_equal(strlen(e->d_name), 11 + 32);
        assert_int_equal(strspn(e->d_name + 11, "0123456789abcdef"), 32);
        snprintf(name, 64, "%.43s", e->d_name);
        count++;
    }
    closedir(dir);
    return count;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 0777;
}

static void a_given_file_must_be_there(void **state)
{
    struct home *h = *state;
    assert_false(place_read_config(&h->cfg, NULL, "/nonexistent/klatch.conf", &h->fault));
    assert_non_null(strstr(h->fault.log, "/nonexistent/klatch.conf"));
    assert_int_equal(h->fault.problem.status, 500);
    assert_null(strchr(h->fault.problem.detail, '/'));
}

static void a_given_file_is_read_and_its_data_folder_lies_beside_it(void **state)
{
    struct home *h = *state;
    char path[128], expected[128];
    snprintf(path, sizeof path, "%s/klatch.conf", h->top);
    snprintf(expected, sizeof expected, "%s/rooms", h->top);
    write_file(h, "klatch.conf", "hold_ms = 1234\ndata_dir = rooms\n");
    assert_true(place_read_config(&h->cfg, NULL, path, &h->fault));
    assert_int_equal(h->cfg.hold_ms, 1234);
    assert_string_equal(h->cfg.data_dir, expected);
    assert_string_equal(h->cfg.path, path);
}

static void the_nearest_file_wins_over_every_folder(void **state)
{
    struct home *h = *state;
    binary_in(h, "site/klatch/cgi-bin");
    make(h, "klatch-private", 0700);
    write_file(h, "klatch-private/klatch.conf", "hold_ms = 3000\n");
    assert_true(read_it(h));
    assert_int_equal(h->cfg.hold_ms, 3000);
    write_file(h, "site/klatch/klatch.conf", "hold_ms = 2000\n");
    assert_true(read_it(h));
    assert_int_equal(h->cfg.hold_ms, 2000);
    write_file(h, "site/klatch/cgi-bin/klatch.conf", "hold_ms = 1000\n");
    assert_true(read_it(h));
    assert_int_equal(h->cfg.hold_ms, 1000);
    assert_string_equal(h->cfg.path, in(h, "site/klatch/cgi-bin/klatch.conf"));
}

static void the_private_folder_of_a_home_holds_configuration_and_data(void **state)
{
    struct home *h = *state;
    char none[64];
    binary_in(h, "public_html/klatch/cgi-bin");
    make(h, "klatch-private", 0755);
    assert_true(read_it(h));
    assert_string_equal(h->cfg.path, in(h, "klatch-private/klatch.conf"));
    assert_string_equal(h->cfg.data_dir, in(h, "klatch-private/data"));
    assert_int_equal(h->cfg.hold_ms, 25000);
    assert_int_equal(mode_of(in(h, "klatch-private")), 0700);
    assert_int_equal(own_folders(h, "public_html/klatch/cgi-bin", none), 0);
}

static void a_private_folder_that_a_web_server_may_show_is_passed_over(void **state)
{
    static const struct {
        int line;
        const char *binary, *private, *index;
        bool taken;
    } table[] = {
        { __LINE__, "public_html/public_html/klatch/cgi-bin", "public_html/klatch-private", NULL,
          false },
        { __LINE__, "httpdocs/x/klatch/cgi-bin", "httpdocs/x/klatch-private", NULL, false },
        { __LINE__, "www/klatch/cgi-bin", "www/klatch-private", NULL, false },
        { __LINE__, "www/vhosts/a/httpdocs/klatch/cgi-bin", "www/vhosts/a/klatch-private", NULL,
          true },
        { __LINE__, "shop/klatch/cgi-bin", "shop/klatch-private", "shop/index.php", false },
        { __LINE__, "shop/klatch/cgi-bin", "shop/klatch-private", "index.php", true },
        { __LINE__, "a/b/c/d/e/f/g/cgi-bin", "klatch-private", NULL, true },
        { __LINE__, "a/b/c/d/e/f/g/h/i/cgi-bin", "klatch-private", NULL, false },
        { __LINE__, "cgi-bin", "cgi-bin/klatch-private", NULL, false },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        void *fresh = NULL;
        with_home(&fresh);
        struct home *h = fresh;
        char name[64];
        binary_in(h, table[i].binary);
        make(h, table[i].private, 0700);
        if (table[i].index != NULL) write_file(h, table[i].index, "");
        if (!read_it(h)) fail_msg("line %d: %s", table[i].line, h->fault.log);
        bool taken = strstr(h->cfg.path, "klatch-private") != NULL;
        bool made = own_folders(h, table[i].binary, name) == 1;
        if (taken != table[i].taken || made == taken)
            fail_msg("line %d: %s", table[i].line, h->cfg.path);
        without_home(&fresh);
    }
    (void)state;
}

static void what_is_no_folder_of_our_own_user_is_not_the_private_one(void **state)
{
    struct home *h = *state;
    char name[64];
    binary_in(h, "site/klatch/cgi-bin");
    make(h, "elsewhere", 0700);
    assert_int_equal(symlink("elsewhere", in(h, "klatch-private")), 0);
    assert_true(read_it(h));
    assert_int_equal(own_folders(h, "site/klatch/cgi-bin", name), 1);
    if (geteuid() != 0) return;
    assert_int_equal(unlink(in(h, "klatch-private")), 0);
    make(h, "klatch-private", 0700);
    assert_int_equal(chown(h->path, 65534, 65534), 0);
    assert_true(read_it(h));
    assert_non_null(strstr(h->cfg.path, ".ht-klatch-"));
}

static void a_folder_that_everybody_can_write_to_is_refused(void **state)
{
    struct home *h = *state;
    char name[64], own[128];
    binary_in(h, "site/klatch/cgi-bin");
    make(h, "klatch-private", 0777);
    assert_false(read_it(h));
    assert_string_equal(h->fault.problem.code, "misconfigured");
    assert_non_null(strstr(h->fault.log, in(h, "klatch-private")));
    assert_null(strchr(h->fault.problem.detail, '/'));
    assert_int_equal(rmdir(in(h, "klatch-private")), 0);
    assert_true(read_it(h));
    assert_int_equal(own_folders(h, "site/klatch/cgi-bin", name), 1);
    snprintf(own, sizeof own, "site/klatch/cgi-bin/%s", name);
    assert_int_equal(chmod(in(h, own), 0777), 0);
    assert_false(read_it(h));
}

static void what_others_may_have_put_into_our_folder_is_not_opened(void **state)
{
    struct home *h = *state;
    binary_in(h, "site/klatch/cgi-bin");
    make(h, "klatch-private", 0700);
    write_file(h, "elsewhere", "hold_ms = 1000\n");
    assert_int_equal(symlink("../elsewhere", in(h, "klatch-private/klatch.conf")), 0);
    assert_false(read_it(h));
    assert_int_equal(unlink(in(h, "klatch-private/klatch.conf")), 0);
    make(h, "folder", 0700);
    assert_int_equal(symlink("../folder", in(h, "klatch-private/data")), 0);
    assert_false(read_it(h));
    assert_int_equal(unlink(in(h, "klatch-private/data")), 0);
    make(h, "klatch-private/data", 0777);
    assert_false(read_it(h));
    make(h, "klatch-private/data", 0755);
    assert_true(read_it(h));
    assert_int_equal(mode_of(in(h, "klatch-private/data")), 0700);
    if (geteuid() != 0) return;
    write_file(h, "klatch-private/klatch.conf", "hold_ms = 1000\n");
    assert_int_equal(chown(h->path, 65534, 65534), 0);
    assert_false(read_it(h));
}

static void the_folder_beside_the_binary_is_made_once_and_found_again(void **state)
{
    struct home *h = *state;
    char name[64], again[64], path[CONFIG_TEXT_BYTES_MAX];
    struct place_fault fault;
    binary_in(h, "site/klatch/cgi-bin");
    assert_true(place_find(&h->place, NULL, path, &fault));
    assert_string_equal(path, "");
    assert_int_equal(own_folders(h, "site/klatch/cgi-bin", name), 0); /* finding makes nothing */
    assert_true(read_it(h));
    assert_int_equal(own_folders(h, "site/klatch/cgi-bin", name), 1);
    snprintf(path, sizeof path, "%s/site/klatch/cgi-bin/%s", h->top, name);
    assert_int_equal(mode_of(path), 0700);
    snprintf(path, sizeof path, "%s/site/klatch/cgi-bin/%s/klatch.conf", h->top, name);
    assert_string_equal(h->cfg.path, path);
    assert_true(read_it(h));
    assert_string_equal(h->cfg.path, path);
    /* Deleted: the same one again; copied without the link: still that one. */
    snprintf(path, sizeof path, "%s/site/klatch/cgi-bin/%s", h->top, name);
    assert_int_equal(rmdir(path), 0);
    assert_true(read_it(h));
    assert_int_equal(own_folders(h, "site/klatch/cgi-bin", again), 1);
    assert_string_equal(again, name);
    assert_int_equal(unlink(in(h, "site/klatch/cgi-bin/.ht-klatch")), 0);
    assert_true(read_it(h));
    assert_int_equal(own_folders(h, "site/klatch/cgi-bin", again), 1);
}

static void of_several_folders_all_processes_take_the_same(void **state)
{
    struct home *h = *state;
    binary_in(h, "site/cgi-bin");
    make(h, "site/cgi-bin/.ht-klatch-ffffffffffffffffffffffffffffffff", 0700);
    make(h, "site/cgi-bin/.ht-klatch-0123456789abcdef0123456789abcdef", 0700);
    make(h, "site/cgi-bin/.ht-klatch-0000000000000000000000000000000g", 0700);
    make(h, "site/cgi-bin/.ht-klatch-0000", 0700);
    assert_true(read_it(h));
    assert_string_equal(
        h->cfg.path, in(h, "site/cgi-bin/.ht-klatch-0123456789abcdef0123456789abcdef/klatch.conf"));
}

static void twenty_that_start_at_once_make_one_folder(void **state)
{
    struct home *h = *state;
    char name[64];
    int go[2], status, bad = 0;
    binary_in(h, "site/cgi-bin");
    for (int round = 0; round < 20; round++) {
        assert_int_equal(pipe(go), 0);
        fflush(NULL);
        for (int i = 0; i < 20; i++) {
            if (fork() != 0) continue;
            char byte;
            close(go[1]);
            (void)!read(go[0], &byte, 1);
            _exit(read_it(h) ? 0 : 1);
        }
        close(go[0]);
        close(go[1]);
        while (wait(&status) > 0) bad += status != 0;
        assert_int_equal(bad, 0);
        assert_int_equal(own_folders(h, "site/cgi-bin", name), 1);
        char command[CONFIG_TEXT_BYTES_MAX];
        snprintf(command, sizeof command, "site/cgi-bin/%s", name);
        assert_int_equal(rmdir(in(h, command)), 0);
        assert_int_equal(unlink(in(h, "site/cgi-bin/.ht-klatch")), 0);
    }
}

static void a_data_folder_is_made_again_with_the_folder_around_it(void **state)
{
    struct home *h = *state;
    make(h, "cgi-bin", 0755);
    assert_int_equal(
        place_make_data_dir(in(h, "cgi-bin/.ht-klatch-0123456789abcdef0123456789abcdef/data")), 0);
    assert_int_equal(mode_of(h->path), 0700);
    assert_int_equal(place_make_data_dir(h->path), 0);
    assert_int_equal(place_make_data_dir(in(h, "cgi-bin/somewhere/data")), ENOENT);
}

static void line_ends_and_marks_of_other_systems_are_read(void **state)
{
    struct home *h = *state;
    binary_in(h, "cgi-bin");
    write_file(h, "cgi-bin/klatch.conf",
               "\xef\xbb\xbfhold_ms = 1000\r\n# a comment\r\n\r\norigins = https://a.example\r\n");
    assert_true(read_it(h));
    assert_int_equal(h->cfg.hold_ms, 1000);
    assert_string_equal(h->cfg.origins.at[0], "https://a.example");
}

static void the_binary_is_where_the_process_came_from(void **state)
{
    struct home *h = *state;
    char exe[PATH_MAX] = "";
    assert_true(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    place_open(&h->place, "/etc/passwd"); /* no copy in memory: argv[0] says nothing */
    assert_string_equal(h->place.binary, exe);
    *strrchr(exe, '/') = '\0';
    assert_string_equal(h->place.folder, exe);
}

static void only_an_executable_file_counts_as_beside_the_binary(void **state)
{
    struct home *h = *state;
    binary_in(h, "cgi-bin");
    assert_false(place_has_beside(&h->place, "klatch-poll.fcgi"));
    write_file(h, "cgi-bin/klatch-poll.fcgi", "");
    assert_int_equal(chmod(h->path, 0644), 0);
    assert_false(place_has_beside(&h->place, "klatch-poll.fcgi"));
    assert_int_equal(chmod(h->path, 0755), 0);
    assert_true(place_has_beside(&h->place, "klatch-poll.fcgi"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_home, without_home)
    const struct CMUnitTest tests[] = {
        CASE(a_given_file_must_be_there),
        CASE(a_given_file_is_read_and_its_data_folder_lies_beside_it),
        CASE(the_nearest_file_wins_over_every_folder),
        CASE(the_private_folder_of_a_home_holds_configuration_and_data),
        CASE(a_private_folder_that_a_web_server_may_show_is_passed_over),
        CASE(what_is_no_folder_of_our_own_user_is_not_the_private_one),
        CASE(a_folder_that_everybody_can_write_to_is_refused),
        CASE(what_others_may_have_put_into_our_folder_is_not_opened),
        CASE(the_folder_beside_the_binary_is_made_once_and_found_again),
        CASE(of_several_folders_all_processes_take_the_same),
        CASE(twenty_that_start_at_once_make_one_folder),
        CASE(a_data_folder_is_made_again_with_the_folder_around_it),
        CASE(line_ends_and_marks_of_other_systems_are_read),
        CASE(the_binary_is_where_the_process_came_from),
        CASE(only_an_executable_file_counts_as_beside_the_binary),
    };
    umask(0077);
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
