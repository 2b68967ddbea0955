/* store_fixture: looking at a data folder from outside, and meddling with it. */
#ifndef KLATCH_STORE_FIXTURE_H
#define KLATCH_STORE_FIXTURE_H

#include <sqlite3.h>
#include <sys/wait.h>

#include "room_fixture.h"

static inline void path_of(const struct fixture *f, const char *file,
                           char out[APP_PATH_BYTES_MAX + 512])
{
    snprintf(out, APP_PATH_BYTES_MAX + 512, "%s/%s", f->app.data_dir, file);
}

static inline bool there(const struct fixture *f, const char *file)
{
    char path[APP_PATH_BYTES_MAX + 512];
    struct stat st;
    path_of(f, file, path);
    return lstat(path, &st) == 0;
}

static inline int mode_of(const struct fixture *f, const char *file)
{
    char path[APP_PATH_BYTES_MAX + 512];
    struct stat st;
    path_of(f, file, path);
    assert_int_equal(lstat(path, &st), 0);
    return (int)(st.st_mode & 07777);
}

static inline void write_file(const struct fixture *f, const char *file, const void *at, size_t len)
{
    char path[APP_PATH_BYTES_MAX + 512];
    path_of(f, "rooms", path);
    mkdir(path, 0700);
    path_of(f, file, path);
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    assert_int_equal(fwrite(at, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

/* How many files of the rooms folder contain `part` in their names? */
static inline int files_with(const struct fixture *f, const char *part)
{
    char path[APP_PATH_BYTES_MAX + 512];
    int count = 0;
    path_of(f, "rooms", path);
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strstr(e->d_name, part) != NULL) count++;
    closedir(dir);
    return count;
}

/* Run SQL on a room's file as somebody else would; returns the first column of the first row. */
static inline int64_t sql(const struct fixture *f, const char *file, const char *text)
{
    char path[APP_PATH_BYTES_MAX + 512];
    sqlite3 *db;
    sqlite3_stmt *st;
    int64_t n = -1;
    path_of(f, file, path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
    if (sqlite3_step(st) == SQLITE_ROW) n = sqlite3_column_int64(st, 0);
    assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
    sqlite3_close(db);
    return n;
}

static inline struct problem join_of(struct fixture *f, const char *room)
{
    struct join_result res;
    return try_join(f, &(struct join_ask){ .room = room }, &res);
}

/* Run this in a process of its own, which opens the folder itself; its exit status. */
static inline int in_child(struct fixture *f, int (*run)(struct fixture *))
{
    char folder[APP_PATH_BYTES_MAX];
    int status;
    snprintf(folder, sizeof folder, "%s", f->app.data_dir);
    fixture_shut(f);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fixture mine;
        fixture_open(&mine, folder);
        _exit(run(&mine));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    f->app.store = store_open(&f->app);
    if (!WIFEXITED(status)) fail_msg("the child ended with %x", (unsigned)status);
    return WEXITSTATUS(status);
}

#endif
