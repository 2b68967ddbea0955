#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define SECRET        "0123456789abcdefghijklmnopqrstuv"

/* Tests run from the top of the tree. */
static const char sample_path[] = "cgi-bin/klatch.conf.sample";

static char *read_sample(size_t *len)
{
    static char text[65536];
    int fd = open(sample_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t got = read(fd, text, sizeof text - 1);
    assert_true(got > 0 && got < (ssize_t)sizeof text - 1);
    close(fd);
    text[got] = '\0';
    *len = (size_t)got;
    return text;
}

static void defaults_are_the_designs(void **state)
{
    (void)state;
    struct config cfg;
    memset(&cfg, 0xff, sizeof cfg);
    config_default(&cfg);
    assert_string_equal(cfg.data_dir, "data");
    assert_int_equal(cfg.mode, CONFIG_MODE_AUTO);
    assert_int_equal(cfg.hold_ms, 25000);
    assert_int_equal(cfg.lease_ms, 75000);
    assert_int_equal(cfg.grace_ms, 45000);
    assert_int_equal(cfg.ttl_ms, 180000);
    assert_int_equal(cfg.members_max, 16);
    assert_int_equal(cfg.rooms_max, 10000);
    assert_int_equal(cfg.message_bytes_max, 65536);
    assert_int_equal(cfg.mailbox_bytes_max, 4 << 20);
    assert_int_equal(cfg.mailbox_messages_max, 4096);
    assert_int_equal(cfg.polls_max, 8);
    assert_int_equal(cfg.rooms_open_max, 256);
    assert_int_equal(cfg.joins_per_minute, 60);
    assert_true(cfg.room_info);
    assert_int_equal(cfg.log_level, LOG_LEVEL_WARNING);
    assert_string_equal(cfg.poll_url, "");
    assert_int_equal(cfg.origins.count, 0);
    assert_int_equal(cfg.ice_servers_count, 2);
    assert_string_equal(cfg.ice_servers[0], "stun:stun.l.google.com:19302");
    assert_string_equal(cfg.ice_servers[1], "stun:stun.nextcloud.com:443");
    assert_string_equal(cfg.turn_secret, "");
    assert_int_equal(cfg.turn_lifetime_ms, 3600000);
    assert_int_equal(cfg.tokens, CONFIG_TOKENS_OFF);
    assert_int_equal(cfg.token_keys_count, 0);
    assert_int_equal(cfg.token_leeway_ms, 30000);
}

static void every_key_stands_in_the_sample_with_bounds_unit_and_default(void **state)
{
    (void)state;
    size_t count, len;
    const struct config_row *rows = config_rows(&count);
    const char *at = read_sample(&len);
    for (size_t i = 0; i < count; i++) {
        char text[2000], allowed[600], line[CONFIG_TEXT_BYTES_MAX];
        const char *initial = rows[i].initial;
        for (bool more = true; more;) {
            int len_one = (int)strcspn(initial, "\n");
            snprintf(line, sizeof line, "\n#%s =%s%.*s\n", rows[i].name, len_one > 0 ? " " : "",
                     len_one, initial);
            if (strstr(at, line) == NULL)
                fail_msg("not in the sample, or not in the table's order:%s", line);
            more = initial[len_one] == '\n';
            initial += len_one + 1;
        }
        const char *key = strstr(at, line);
        assert_in_range(key - at, 1, sizeof text - 1); /* its comment stands between */
        snprintf(text, sizeof text, "%.*s", (int)(key - at), at);
        config_row_allowed(&rows[i], line, sizeof line);
        snprintf(allowed, sizeof allowed, "# Allowed: %s.", line);
        if (strstr(text, allowed) == NULL)
            fail_msg("%s: the sample does not say \"%s\"", rows[i].name, allowed);
        snprintf(allowed, sizeof allowed, "Default: %s.",
                 rows[i].type == CONFIG_ICE_SERVER ? "these two"
                 : rows[i].initial[0] == '\0'      ? "empty"
                                                   : rows[i].initial);
        if (strstr(text, allowed) == NULL)
            fail_msg("%s: the sample does not say \"%s\"", rows[i].name, allowed);
        at = key + 1;
    }
}

static void the_sample_is_the_defaults_commented_or_not(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_BYTES_MAX];
    struct config initial, cfg;
    size_t len, keys = 0, out = 0;
    const char *text = read_sample(&len);
    static char uncommented[65536];
    config_default(&initial);
    config_default(&cfg);
    assert_true(config_parse(&cfg, text, len, error));
    assert_memory_equal(&cfg, &initial, sizeof cfg);
    for (size_t i = 0; i < len; i++) {
        bool line_begins = i == 0 || text[i - 1] == '\n';
        if (line_begins && text[i] == '#' && text[i + 1] >= 'a' && text[i + 1] <= 'z')
            keys++;
        else
            uncommented[out++] = text[i];
    }
    size_t count;
    config_rows(&count);
    assert_int_equal(keys, count + 1); /* ice_server twice */
    memset(&cfg, 0, sizeof cfg);
    if (!config_parse(&cfg, uncommented, out, error)) fail_msg("%s", error);
    assert_memory_equal(&cfg, &initial, sizeof cfg);
}

static void wrong_lines_are_named_with_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        size_t len;
        const char *error;
    } rows[] = {
        { __LINE__, TEXT("hold = 1"),
          "line 1: \"hold\" is unknown; allowed: the keys of klatch.conf.sample" },
        { __LINE__, TEXT("# c\n\n  hold_ms=1\nHOLD_MS = 2\n"), "line 4: \"HOLD_MS\" is unknown" },
        { __LINE__, TEXT("hold_ms"), "line 1: \"hold_ms\" is no setting; allowed: key = value" },
        { __LINE__, TEXT(" = 5"), "line 1: \"\" is no setting; allowed: key = value" },
        { __LINE__, TEXT("hold_ms = 5x"),
          "line 1: hold_ms is \"5x\"; allowed: a whole number of milliseconds, 0 to 110000" },
        { __LINE__, TEXT("hold_ms ="), "line 1: hold_ms is \"\"; allowed: a whole number" },
        { __LINE__, TEXT("hold_ms =   "), "line 1: hold_ms is \"\"; allowed: a whole number" },
        { __LINE__, TEXT("hold_ms = 1 000"), "line 1: hold_ms is \"1 000\"; allowed" },
        { __LINE__, TEXT("hold_ms = 1 # one"), "line 1: hold_ms is \"1 # one\"; allowed" },
        { __LINE__, TEXT("hold_ms = +1"), "line 1: hold_ms is \"+1\"; allowed" },
        { __LINE__, TEXT("hold_ms = 1.5"), "line 1: hold_ms is \"1.5\"; allowed" },
        { __LINE__, TEXT("hold_ms = 0x10"), "line 1: hold_ms is \"0x10\"; allowed" },
        { __LINE__, TEXT("hold_ms = -"), "line 1: hold_ms is \"-\"; allowed" },
        { __LINE__, TEXT("hold_ms = -1"), "line 1: hold_ms is \"-1\"; allowed" },
        { __LINE__, TEXT("hold_ms = 110001"), "line 1: hold_ms is \"110001\"; allowed" },
        { __LINE__, TEXT("hold_ms = 18446744073709551617"), "line 1: hold_ms is \"184" },
        { __LINE__, TEXT("hold_ms = 9223372036854775808"), "line 1: hold_ms is \"922" },
        { __LINE__, TEXT("hold_ms = 1\nmode = auto\nhold_ms = 1"),
          "line 3: hold_ms is set a second time; allowed: once" },
        { __LINE__, TEXT("origins =\norigins ="), "line 2: origins is set a second time" },
        { __LINE__, TEXT("members_max = 0"),
          "line 1: members_max is \"0\"; allowed: a whole number "
          "of members, 1 to 64" },
        { __LINE__, TEXT("mode = Auto"),
          "line 1: mode is \"Auto\"; allowed: one of auto, process, parked" },
        { __LINE__, TEXT("mode ="), "line 1: mode is \"\"; allowed" },
        { __LINE__, TEXT("room_info = true"), "line 1: room_info is \"true\"; allowed: on or off" },
        { __LINE__, TEXT("log_level = all"),
          "line 1: log_level is \"all\"; allowed: one of error, "
          "warning, info, debug" },
        { __LINE__, TEXT("data_dir ="), "line 1: data_dir is \"\"; allowed: a folder, 1 to 511" },
        { __LINE__, TEXT("data_dir = a\tb"), "line 1: data_dir is \"a?b\"; allowed" },
        { __LINE__, TEXT("data_dir = a\0b"), "line 1: a control character stands in it" },
        { __LINE__, TEXT("mode = auto\nhold_ms = 1\r5"), "line 2: a control character" },
        { __LINE__, TEXT("mode = auto\r\r\n"), "line 1: a control character" },
        { __LINE__, TEXT("poll_url = /a b"),
          "line 1: poll_url is \"/a b\"; allowed: a path or URL "
          "without spaces" },
        { __LINE__, TEXT("poll_url = /\xc3\xa4"), "line 1: poll_url is \"/??\"; allowed" },
        { __LINE__, TEXT("x\xff\x01 = 1"), "line 1: a control character" },
        { __LINE__, TEXT("\xff\xfeh\0o\0"), "line 1: a control character" }, /* UTF-16 */
        { __LINE__, TEXT("\xff\xff"), "line 1: \"\?\?\" is no setting" },
        { __LINE__, TEXT("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddEEEE = 1"),
          "line 1: \"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\" is unknown" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char error[CONFIG_ERROR_BYTES_MAX] = "";
        struct config cfg, before;
        config_default(&cfg);
        before = cfg;
        bool fine = config_parse(&cfg, rows[i].text, rows[i].len, error);
        if (fine || strncmp(error, rows[i].error, strlen(rows[i].error)) != 0)
            fail_msg("line %d: %d %s", rows[i].line, fine, error);
        assert_memory_equal(&cfg, &before, sizeof cfg);
    }
}

static void integer_bounds_hold_for_every_row(void **state)
{
    (void)state;
    size_t count;
    const struct config_row *rows = config_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].type != CONFIG_INTEGER) continue;
        for (int step = -1; step <= 2; step++) {
            char text[400], error[CONFIG_ERROR_BYTES_MAX];
            int64_t value = step < 1 ? rows[i].min + step : rows[i].max + step - 1;
            struct config cfg;
            config_default(&cfg);
            int len = snprintf(text, sizeof text, "%s = %lld", rows[i].name, (long long)value);
            bool fine = config_parse(&cfg, text, (size_t)len, error);
            bool pair = !fine && strncmp(error, "line", 4) != 0; /* fine alone, not with others */
            if (pair != (value >= rows[i].min && value <= rows[i].max && !fine))
                fail_msg("%s: %s", text, error);
            int64_t read;
            memcpy(&read, (char *)&cfg + rows[i].offset, sizeof read);
            assert_true(!fine || read == value);
        }
    }
}

static void keys_that_do_not_fit_each_other_are_named(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text, *error; /* NULL: fine */
    } rows[] = {
        { __LINE__, "hold_ms = 30000\nlease_ms = 70000", NULL },
        { __LINE__, "hold_ms = 30000\nlease_ms = 69999",
          "lease_ms is 69999; allowed: at least 2 x hold_ms + 10000, which is 70000" },
        { __LINE__, "lease_ms = 10000\nhold_ms = 0", NULL },
        { __LINE__, "hold_ms = 32501", "lease_ms is 75000; allowed: at least 2 x hold_ms" },
        { __LINE__, "ttl_ms = 145000", NULL },
        { __LINE__, "ttl_ms = 144999",
          "ttl_ms is 144999; allowed: at least hold_ms + lease_ms + grace_ms, which is 145000" },
        { __LINE__, "grace_ms = 80001", "ttl_ms is 180000; allowed" },
        { __LINE__, "mailbox_bytes_max = 262144", NULL },
        { __LINE__, "mailbox_bytes_max = 262143",
          "mailbox_bytes_max is 262143; allowed: at least 4 x message_bytes_max, which is 262144" },
        { __LINE__, "message_bytes_max = 256\nmailbox_bytes_max = 1024", NULL },
        { __LINE__, "admin_key = short", "admin_key is too short to be safe" },
        { __LINE__, "admin_key = " SECRET, NULL },
        { __LINE__, "tokens = optional",
          "tokens is on without a key; allowed: off, or a token_key beside it" },
        { __LINE__, "tokens = required\ntoken_key =", "tokens is on without a key" },
        { __LINE__, "token_key = k " SECRET "\ntokens = required", NULL },
        { __LINE__, "token_key = k " SECRET, NULL },
        { __LINE__, "ice_server = turn:a", "ice_server names a relay without a password; allowed" },
        { __LINE__, "ice_server = stun:a\nice_server = turns:a:1?transport=tcp",
          "ice_server names a relay without a password; allowed" },
        { __LINE__, "ice_server = turn:a\nturn_secret = s", NULL },
        { __LINE__, "turn_secret = s", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char error[CONFIG_ERROR_BYTES_MAX] = "";
        struct config cfg;
        config_default(&cfg);
        bool fine = config_parse(&cfg, rows[i].text, strlen(rows[i].text), error);
        if (fine != (rows[i].error == NULL) ||
            (!fine && strncmp(error, rows[i].error, strlen(rows[i].error)) != 0))
            fail_msg("line %d: %s", rows[i].line, error);
    }
}

static void what_ftp_and_editors_add_is_accepted(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf# saved by an editor\r\n\r\nmode = parked\r\n"
                               "\tdata_dir\t=  /srv/tea room/d\xc3\xa4t#a \r\n   # more\r\n"
                               "hold_ms=0";
    char error[CONFIG_ERROR_BYTES_MAX];
    struct config cfg;
    config_default(&cfg);
    assert_true(config_parse(&cfg, text, sizeof text - 1, error));
    assert_int_equal(cfg.mode, CONFIG_MODE_PARKED);
    assert_string_equal(cfg.data_dir, "/srv/tea room/d\xc3\xa4t#a");
    assert_int_equal(cfg.hold_ms, 0);
    assert_true(config_parse(&cfg, "", 0, error));
    assert_true(config_parse(&cfg, "\r\n", 2, error));
}

static char folder[] = "/tmp/klatch-config-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[100];
    snprintf(path, sizeof path, "%s/k.conf", folder);
    unlink(path);
    return rmdir(folder);
}

static void write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static void a_file_is_read_and_its_folder_counts(void **state)
{
    (void)state;
    char path[100], error[CONFIG_ERROR_BYTES_MAX] = "", expected[CONFIG_TEXT_BYTES_MAX];
    struct config cfg;
    memset(&cfg, 0, sizeof cfg);
    snprintf(path, sizeof path, "%s/k.conf", folder);

    assert_false(config_read(&cfg, path, true, error));
    assert_non_null(strstr(error, strerror(ENOENT)));
    assert_true(config_read(&cfg, path, false, error));
    snprintf(expected, sizeof expected, "%s/data", folder);
    assert_string_equal(cfg.data_dir, expected);
    assert_int_equal(cfg.hold_ms, 25000);

    write_file(path, TEXT("hold_ms = 7\ndata_dir = rooms/here\n"));
    assert_true(config_read(&cfg, path, true, error));
    snprintf(expected, sizeof expected, "%s/rooms/here", folder);
    assert_string_equal(cfg.data_dir, expected);
    assert_int_equal(cfg.hold_ms, 7);

    write_file(path, TEXT("data_dir = /srv/klatch\n"));
    assert_true(config_read(&cfg, path, true, error));
    assert_string_equal(cfg.data_dir, "/srv/klatch");
    assert_int_equal(cfg.hold_ms, 25000); /* read anew, not over what was there */

    write_file(path, TEXT("\nhold = 1\n"));
    assert_false(config_read(&cfg, path, true, error));
    assert_int_equal(strncmp(error, "line 2: \"hold\"", 14), 0);
    assert_string_equal(cfg.data_dir, "/srv/klatch");

    static char spaces[65537];
    memset(spaces, ' ', sizeof spaces);
    write_file(path, spaces, 65536);
    assert_true(config_read(&cfg, path, true, error));
    write_file(path, spaces, 65537);
    assert_false(config_read(&cfg, path, true, error));
    assert_non_null(strstr(error, "longer than 64 KiB"));

    assert_false(config_read(&cfg, folder, false, error));
    assert_non_null(strstr(error, "not a file"));
    snprintf(path, sizeof path, "%s/not/k.conf", folder);
    assert_false(config_read(&cfg, path, false, error));
    assert_non_null(strstr(error, "data_dir: the folder of /tmp/"));
}

static void a_bare_name_counts_from_the_working_directory(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_BYTES_MAX], expected[CONFIG_TEXT_BYTES_MAX], here[400];
    struct config cfg;
    assert_non_null(getcwd(here, sizeof here));
    assert_true(config_read(&cfg, "no-such.conf", false, error));
    snprintf(expected, sizeof expected, "%s/data", here);
    assert_string_equal(cfg.data_dir, expected);
    assert_true(config_read(&cfg, "/no-such.conf", false, error));
    assert_string_equal(cfg.data_dir, "/data");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_designs),
        cmocka_unit_test(every_key_stands_in_the_sample_with_bounds_unit_and_default),
        cmocka_unit_test(the_sample_is_the_defaults_commented_or_not),
        cmocka_unit_test(wrong_lines_are_named_with_what_is_allowed),
        cmocka_unit_test(integer_bounds_hold_for_every_row),
        cmocka_unit_test(keys_that_do_not_fit_each_other_are_named),
        cmocka_unit_test(what_ftp_and_editors_add_is_accepted),
        cmocka_unit_test(a_file_is_read_and_its_folder_counts),
        cmocka_unit_test(a_bare_name_counts_from_the_working_directory),
    };
    return cmocka_run_group_tests_name("config", tests, make_folder, remove_folder);
}
