#include "store_vfs.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app_fixture.h"

/* More pages than the cache of open_at() holds, so that a transaction writes to the database before
 * it commits. */
#define FILL                                                                         \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) " \
    "INSERT INTO t SELECT i, randomblob(500) FROM n"

struct files {
    char folder[64], path[96], journal[112];
};

static sqlite3 *open_at(const char *path, const char *vfs)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    assert_int_equal(sqlite3_open_v2(path, &db, flags, vfs), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA page_size = 1024; PRAGMA journal_mode = PERSIST;"
                                  "PRAGMA synchronous = OFF; PRAGMA cache_size = 10",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) fail_msg("%s: %s", sql, error);
}

static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int value = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return value;
}

/* How many rows somebody else sees, whose SQLite knows nothing of ours; -1: the file is damaged. */
static int rows_seen_by(const struct files *f, const char *vfs)
{
    sqlite3 *db = open_at(f->path, vfs);
    int rows = number(db, "SELECT count(*) FROM t");
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0) rows = -1;
    sqlite3_finalize(st);
    sqlite3_close(db);
    return rows;
}

static int with_files(void **state)
{
    struct files *f = calloc(1, sizeof *f);
    test_folder(f->folder);
    snprintf(f->path, sizeof f->path, "%s/t.db", f->folder);
    snprintf(f->journal, sizeof f->journal, "%s-journal", f->path);
    sqlite3 *db = open_at(f->path, store_vfs_name());
    run(db, "CREATE TABLE t (i INTEGER, x BLOB); INSERT INTO t VALUES (0, 'first')");
    sqlite3_close(db);
    *state = f;
    return 0;
}

static int without_files(void **state)
{
    test_folder_remove(((struct files *)*state)->folder);
    free(*state);
    return 0;
}

/* Would the next to open the database play this journal back? */
static bool hot(const char *journal)
{
    char first = 0;
    FILE *file = fopen(journal, "rb");
    bool any = file != NULL && fread(&first, 1, 1, file) == 1;
    if (file != NULL) fclose(file);
    return any && first != 0;
}

static void what_is_committed_is_seen_by_any_sqlite(void **state)
{
    const struct files *f = *state;
    sqlite3 *db = open_at(f->path, store_vfs_name());
    for (int i = 0; i < 20; i++) run(db, "INSERT INTO t VALUES (1, 'more')");
    run(db, FILL);
    assert_false(hot(f->journal));
    assert_int_equal(rows_seen_by(f, NULL), 421);
    sqlite3_close(db);
}

static void a_small_transaction_leaves_its_journal_alone_until_it_commits(void **state)
{
    const struct files *f = *state;
    sqlite3 *db = open_at(f->path, store_vfs_name());
    run(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1, 'more')");
    assert_false(hot(f->journal));
    run(db, "ROLLBACK");
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    run(db, "INSERT INTO t VALUES (1, 'more')");
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 2);
}

static void who_keeps_the_lock_ends_its_journal_at_each_commit(void **state)
{
    const struct files *f = *state;
    sqlite3 *db = open_at(f->path, store_vfs_name());
    run(db, "PRAGMA locking_mode = EXCLUSIVE");
    for (int i = 0; i < 3; i++) {
        run(db, "INSERT INTO t VALUES (1, 'more')");
        assert_false(hot(f->journal));
    }
    run(db, "BEGIN IMMEDIATE; UPDATE t SET x = 'second';" FILL);
    assert_true(hot(f->journal));
    run(db, "ROLLBACK");
    assert_false(hot(f->journal));
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 4);
}

static void a_rollback_after_pages_were_written_restores_them(void **state)
{
    const struct files *f = *state;
    sqlite3 *db = open_at(f->path, store_vfs_name());
    run(db, "BEGIN IMMEDIATE; UPDATE t SET x = 'second';" FILL);
    assert_true(hot(f->journal));
    run(db, "ROLLBACK");
    assert_false(hot(f->journal));
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE x = 'first'"), 1);
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 1);
}

static void a_journal_longer_than_any_single_write_is_whole(void **state)
{
    const struct files *f = *state;
    sqlite3 *db = open_at(f->path, store_vfs_name());
    run(db, "PRAGMA cache_size = 1000;" FILL); /* nothing is written before the commit */
    run(db, "UPDATE t SET x = zeroblob(500)");
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE x = zeroblob(500)"), 401);
    run(db, "BEGIN IMMEDIATE; UPDATE t SET x = randomblob(500); PRAGMA cache_size = 10;" FILL);
    run(db, "ROLLBACK");
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 401);
}

/* A process that dies with pages written and nothing committed. */
static void die_in_the_middle(const struct files *f)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *db = open_at(f->path, store_vfs_name());
        run(db, "INSERT INTO t VALUES (1, 'more')"); /* the journal is open from before */
        run(db, "BEGIN IMMEDIATE; UPDATE t SET x = 'second';" FILL);
        raise(SIGKILL);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_true(hot(f->journal));
}

static void what_a_killed_process_did_not_commit_is_undone_by_any_sqlite(void **state)
{
    const struct files *f = *state;
    die_in_the_middle(f);
    assert_int_equal(rows_seen_by(f, NULL), 2);
    die_in_the_middle(f);
    assert_int_equal(rows_seen_by(f, store_vfs_name()), 3);
    assert_false(hot(f->journal));
}

static void a_connection_that_only_read_undoes_what_another_process_left(void **state)
{
    const struct files *f = *state;
    sqlite3 *db = open_at(f->path, store_vfs_name());
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    die_in_the_middle(f);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 2);
    assert_false(hot(f->journal));
    run(db, "INSERT INTO t VALUES (1, 'more')");
    die_in_the_middle(f);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 4);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 4);
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 4);
}

static void a_journal_that_another_program_deleted_is_made_again(void **state)
{
    const struct files *f = *state;
    sqlite3 *db = open_at(f->path, store_vfs_name());
    run(db, "INSERT INTO t VALUES (1, 'more')");
    assert_int_equal(unlink(f->journal), 0);
    run(db, "BEGIN IMMEDIATE;" FILL);
    assert_true(hot(f->journal));
    run(db, "ROLLBACK; INSERT INTO t VALUES (1, 'more')");
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 3);
}

static void two_databases_keep_their_journals_apart(void **state)
{
    const struct files *f = *state;
    struct files g = *f;
    snprintf(g.path, sizeof g.path, "%s/u.db", f->folder);
    sqlite3 *one = open_at(f->path, store_vfs_name()), *two = open_at(g.path, store_vfs_name());
    run(two, "CREATE TABLE t (i INTEGER, x BLOB)");
    run(one, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1, 'one')");
    run(two, "BEGIN IMMEDIATE; INSERT INTO t VALUES (2, 'two')");
    run(one, FILL);
    run(two, FILL);
    run(one, "ROLLBACK");
    run(two, "COMMIT");
    sqlite3_close(one);
    sqlite3_close(two);
    assert_int_equal(rows_seen_by(f, NULL), 1);
    assert_int_equal(rows_seen_by(&g, NULL), 401);
}

static int turn(sqlite3 *db, const char *path)
{
    struct store_vfs_turn to = { path };
    int code = sqlite3_file_control(db, "main", STORE_VFS_TURN, &to);
    return code != SQLITE_OK ? code
                             : sqlite3_file_control(db, "main", SQLITE_FCNTL_RESET_CACHE, NULL);
}

/* A second file, changed as often as the first. */
static struct files another(const struct files *f, const char *table)
{
    struct files g = *f;
    snprintf(g.path, sizeof g.path, "%s/u.db", f->folder);
    snprintf(g.journal, sizeof g.journal, "%s-journal", g.path);
    sqlite3 *db = open_at(g.path, store_vfs_name());
    run(db, table);
    sqlite3_close(db);
    return g;
}

static void a_connection_turned_to_another_file_reads_and_writes_that_one(void **state)
{
    const struct files *f = *state;
    struct files g =
        another(f, "CREATE TABLE t (i INTEGER, x BLOB); INSERT INTO t VALUES (7, 'other')");
    sqlite3 *db = open_at(f->path, store_vfs_name());
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT i FROM t", -1, &st, NULL), SQLITE_OK);
    for (int i = 0; i < 3; i++) {
        const struct files *now = i % 2 == 0 ? f : &g;
        assert_int_equal(turn(db, now->path), SQLITE_OK);
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(st, 0), i % 2 == 0 ? 0 : 7);
        sqlite3_reset(st);
        run(db, "INSERT INTO t VALUES (8, 'more')");
    }
    run(db, "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t VALUES (9, 'kept');"
            "PRAGMA locking_mode = NORMAL; SELECT 1 FROM t");
    assert_int_equal(turn(db, g.path), SQLITE_OK);
    run(db, "BEGIN IMMEDIATE; DELETE FROM t; ROLLBACK");
    sqlite3_finalize(st);
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 4);
    assert_int_equal(rows_seen_by(&g, NULL), 2);
}

static void a_connection_turned_to_a_file_undoes_what_was_left_there(void **state)
{
    const struct files *f = *state;
    struct files g = another(f, "CREATE TABLE t (i INTEGER, x BLOB)");
    sqlite3 *db = open_at(f->path, store_vfs_name());
    run(db, "INSERT INTO t VALUES (1, 'more')");
    die_in_the_middle(&g);
    assert_int_equal(turn(db, g.path), SQLITE_OK);
    assert_int_equal(unlink(f->journal), 0); /* so that only the other one can be found */
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    assert_false(hot(g.journal));
    run(db, "BEGIN IMMEDIATE; UPDATE t SET x = 'second';" FILL);
    assert_true(hot(g.journal));
    assert_false(hot(f->journal));
    run(db, "ROLLBACK");
    sqlite3_close(db);
    assert_int_equal(rows_seen_by(f, NULL), 2);
    assert_int_equal(rows_seen_by(&g, NULL), 1);
}

static void a_connection_turned_to_other_tables_notices_them(void **state)
{
    const struct files *f = *state;
    struct files g = another(f, "CREATE TABLE t (x BLOB, i INTEGER); INSERT INTO t VALUES ('a', 7);"
                                "PRAGMA schema_version = 1000");
    sqlite3 *db = open_at(f->path, store_vfs_name());
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT i FROM t", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    sqlite3_reset(st);
    assert_int_equal(turn(db, g.path), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(st, 0), 7);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void a_connection_that_cannot_turn_stays_at_its_file(void **state)
{
    const struct files *f = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/none.db", f->folder);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READWRITE, store_vfs_name()),
                     SQLITE_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(turn(db, path) & 0xff, SQLITE_CANTOPEN);
    run(db, "INSERT INTO t VALUES (1, 'more')");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(rows_seen_by(f, NULL), 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_files, without_files)
    const struct CMUnitTest tests[] = {
        CASE(what_is_committed_is_seen_by_any_sqlite),
        CASE(a_small_transaction_leaves_its_journal_alone_until_it_commits),
        CASE(who_keeps_the_lock_ends_its_journal_at_each_commit),
        CASE(a_rollback_after_pages_were_written_restores_them),
        CASE(a_journal_longer_than_any_single_write_is_whole),
        CASE(what_a_killed_process_did_not_commit_is_undone_by_any_sqlite),
        CASE(a_connection_that_only_read_undoes_what_another_process_left),
        CASE(a_journal_that_another_program_deleted_is_made_again),
        CASE(two_databases_keep_their_journals_apart),
        CASE(a_connection_turned_to_another_file_reads_and_writes_that_one),
        CASE(a_connection_turned_to_a_file_undoes_what_was_left_there),
        CASE(a_connection_turned_to_other_tables_notices_them),
        CASE(a_connection_that_cannot_turn_stays_at_its_file),
    };
    return cmocka_run_group_tests_name("store_vfs", tests, NULL, NULL);
}
