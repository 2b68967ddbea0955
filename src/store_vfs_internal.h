/* store_vfs_internal: what store_vfs.c (databases and the file system) and store_vfs_journal.c
 * (journals, and writes that are gathered) share. */
#ifndef KLATCH_STORE_VFS_INTERNAL_H
#define KLATCH_STORE_VFS_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

/* A database file. Memory for two real ones follows: a turn opens one while the other still is. */
struct database {
    sqlite3_file base;
    sqlite3_file *real;
    sqlite3_file *journal;    /* the real journal, kept open; NULL: not open */
    const char *journal_name; /* what SQLite calls it: the first file's, always the same string … */
    const char *journal_path; /* … and where it is */
    const char *names;        /* of the file turned to, as sqlite3_create_filename() gave them */
    int flags, opened;        /* as it was to be opened, and as the first file was */
    dev_t journal_dev;        /* what is open there */
    ino_t journal_ino;
    bool hot; /* what stands in its file would be played back, were this process killed */
};

/* What SQLite holds for a journal between its xOpen and xClose. */
struct journal {
    sqlite3_file base;
    struct database *db;
};

/* Open SQLite's journal `name`, or go on with the one that is open. Returns SQLite's code. */
int journal_open(sqlite3_vfs *unix_vfs, const char *name, struct journal *j, int flags,
                 int *flags_out);
/* Close the real one. */
void journal_drop(struct database *db);
/* Is the journal that is open the one at `path`? Another program may have deleted it. */
bool journal_is_at(struct database *db, const char *path);

/* Write a part of a database, whose journal is whole before that. */
int gather_page(struct database *db, const void *at, int len, sqlite3_int64 offset);
/* Write what is gathered, of databases or of both kinds. */
int gather_write_pages(void);
int gather_write_all(void);
void gather_forget(const struct database *db);

#endif
