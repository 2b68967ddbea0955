#include <fcntl.h>

#include "store_fixture.h"

static size_t real_room(struct fixture *f, char *out, size_t max)
{
    char path[APP_PATH_BYTES_MAX + 512];
    struct who a, b;
    char id[16];
    join(f, "real", &a);
    join(f, "real", &b);
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "id-%d", i);
        send_note(f, "real", &a, b.peer, id, "\"some text that takes room in the file\"");
    }
    path_of(f, "rooms/real.db", path);
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    size_t len = fread(out, 1, max, in);
    fclose(in);
    assert_true(len > 8192 && len < max);
    return len;
}

static void what_is_not_a_room_is_moved_aside_and_the_room_starts_anew(void **state)
{
    struct fixture *f = *state;
    static char whole[1 << 20], bytes[1 << 20];
    size_t whole_len = real_room(f, whole, sizeof whole);
    struct who ghost = { .key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
    struct exchange_result res;
    const struct {
        int line;
        const char *what;
        size_t keep, zero_from, zero_to; /* of a whole room's bytes */
    } table[] = {
        { __LINE__, "text", 0, 0, 0 },
        { __LINE__, "cut in the first page", 700, 0, 0 },
        { __LINE__, "cut behind the first page", 2048, 0, 0 },
        { __LINE__, "header gone", whole_len, 0, 100 },
        { __LINE__, "schema gone", whole_len, 100, 2048 },
        { __LINE__, "tables gone", whole_len, 2048, whole_len },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t len = table[i].keep;
        memcpy(bytes, whole, whole_len);
        memset(bytes + table[i].zero_from, 0, table[i].zero_to - table[i].zero_from);
        if (len == 0) len = (size_t)sprintf(bytes, "%0*d not a database", 5000, 7);
        for (int joins_first = 0; joins_first < 2; joins_first++) {
            int before = files_with(f, "odd.broken-");
            write_file(f, "rooms/odd.db", bytes, len);
            if (!joins_first) {
                struct problem p = exchange(f, "odd", &ghost, false, NULL, 0, &res);
                if (p.status != 404) fail_msg("%d: %s: %d", table[i].line, table[i].what, p.status);
            }
            struct problem p = join_of(f, "odd");
            if (p.status != 0) fail_msg("%d: %s: %d", table[i].line, table[i].what, p.status);
            if (files_with(f, "odd.broken-") != before + 1) fail_msg("%d: kept", table[i].line);
            assert_ok(join_of(f, "odd"));
            assert_int_equal(sql(f, "rooms/odd.db", "SELECT count(*) FROM member"), 2);
            f->now_ms++;
            sql(f, "rooms/odd.db", "DELETE FROM member");
            assert_ok(store_delete(&f->app, "odd"));
        }
    }
}

static void somebody_elses_database_is_moved_aside(void **state)
{
    struct fixture *f = *state;
    assert_ok(join_of(f, "tea")); /* makes the folder */
    sql(f, "rooms/odd.db", "CREATE TABLE recipes (name TEXT)");
    assert_ok(join_of(f, "odd"));
    assert_int_equal(files_with(f, "odd.broken-"), 1);
    sql(f, "rooms/odd2.db", "CREATE TABLE room (name TEXT)");
    sql(f, "rooms/odd2.db", "PRAGMA user_version = 1");
    assert_ok(join_of(f, "odd2"));
    assert_int_equal(files_with(f, "odd2.broken-"), 1);
}

static void a_room_that_breaks_under_an_open_connection_starts_anew(void **state)
{
    struct fixture *f = *state;
    static char bytes[1 << 20];
    struct who a;
    struct exchange_result res;
    char path[APP_PATH_BYTES_MAX + 512];
    size_t len = real_room(f, bytes, sizeof bytes);
    join(f, "real", &a);
    path_of(f, "rooms/real.db", path);
    /* In place, as a bad disk would do it: all but the header. */
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    memset(bytes + 100, 0x55, len - 100);
    bytes[27] = (char)(bytes[27] + 100); /* the change counter, so that caches are read again */
    assert_int_equal(pwrite(fd, bytes, len, 0), len);
    close(fd);
    assert_problem(exchange(f, "real", &a, true, NULL, 0, &res), 404, "room-not-found");
    join(f, "real", &a);
    assert_ok(exchange(f, "real", &a, true, NULL, 0, &res));
    assert_int_equal(files_with(f, "real.broken-"), 2); /* with its journal */
}

static void a_room_of_a_newer_version_is_refused_and_stays(void **state)
{
    struct fixture *f = *state;
    struct who a;
    struct exchange_result res;
    join(f, "tea", &a);
    sql(f, "rooms/tea.db", "PRAGMA user_version = 2");
    for (int i = 0; i < 2; i++) {
        struct problem p = join_of(f, "tea");
        assert_problem(p, 503, "busy");
        assert_true(p.retry_after_s > 1);
        assert_non_null(strstr(p.detail, "newer version"));
        assert_problem(exchange(f, "tea", &a, true, NULL, 0, &res), 503, "busy");
        assert_problem(room_sweep(&f->app, "tea"), 503, "busy");
        fixture_shut(f);
        f->app.store = store_open(&f->app);
    }
    assert_int_equal(files_with(f, "broken"), 0);
    sql(f, "rooms/tea.db", "PRAGMA user_version = 1");
    assert_ok(exchange(f, "tea", &a, true, NULL, 0, &res));
}

static void nothing_is_opened_through_a_link(void **state)
{
    struct fixture *f = *state;
    char from[APP_PATH_BYTES_MAX + 512], to[APP_PATH_BYTES_MAX + 512];
    assert_ok(join_of(f, "tea"));
    path_of(f, "rooms/tea.db", to);
    path_of(f, "rooms/link.db", from);
    assert_int_equal(symlink(to, from), 0);
    assert_problem(join_of(f, "link"), 503, "busy");
    assert_int_equal(sql(f, "rooms/tea.db", "SELECT count(*) FROM member"), 1);
    path_of(f, "rooms/folder.db", from);
    assert_int_equal(mkdir(from, 0700), 0);
    assert_problem(join_of(f, "folder"), 503, "busy");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_is_not_a_room_is_moved_aside_and_the_room_starts_anew),
        CASE(somebody_elses_database_is_moved_aside),
        CASE(a_room_that_breaks_under_an_open_connection_starts_anew),
        CASE(a_room_of_a_newer_version_is_refused_and_stays),
        CASE(nothing_is_opened_through_a_link),
    };
    return cmocka_run_group_tests_name("store_broken", tests, NULL, NULL);
}
