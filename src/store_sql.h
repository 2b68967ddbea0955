/* store_sql: one SQLite connection and its statements. Only its .c, store_vfs*.c (the files under
 * it) and store_mem.c (its memory) include sqlite3.h.
 *
 * Statements are rows of a table of texts, prepared when first used and kept as long as the
 * connection. The first error stays: after it every call does nothing and says "no row", until
 * sql_rollback(). So callers write what they mean, and look at sql_result() once at the end, before
 * they believe that a row wasn't there. Nothing here waits: a locked file is SQL_BUSY at once. */
#ifndef KLATCH_STORE_SQL_H
#define KLATCH_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum sql_result {
    SQL_OK,
    SQL_BUSY,    /* another process holds the lock */
    SQL_BROKEN,  /* not a database, damaged, or not with our tables */
    SQL_FULL,    /* no space, no quota, or the disk refuses the write */
    SQL_REFUSED, /* permissions, a read-only file system, a link in the path */
    SQL_MOVED,   /* the file was unlinked or renamed under the connection */
    SQL_FAILED,  /* anything else: memory, descriptors, locks of the file system */
};

struct sql;

/* Open an existing file. `texts` (count of them) outlives the connection. NULL: *result says why.
 */
struct sql *sql_open(const char *path, const char *const *texts, size_t count,
                     enum sql_result *result);
/* Go on with another file, at a fifth of the price of a new connection where its tables are those
 * of the one that is open. No transaction is open and no lock kept. False: it is only good to be
 * closed.
 */
bool sql_turn(struct sql *c, const char *path);
void sql_close(struct sql *c); /* rolls back; NULL is fine */

enum sql_result sql_result(const struct sql *c);
int sql_code(const struct sql *c); /* SQLite's extended code of that error, for the log */

/* Has the table this column? False also after an error, or where asking is one. */
bool sql_has_column(struct sql *c, const char *table, const char *column);

/* Is the connection's file no longer the one at its path? One stat(2). */
bool sql_moved(struct sql *c);

/* Memory that goes with the connection, of this size at each call: always the same, with what was
 * left there. NULL: none. */
void *sql_space(struct sql *c, size_t bytes);

/* Keep the file's lock when a transaction ends: from the next one on that saves nearly every system
 * call of a read and half of those of a write, and shuts all others out. False gives it back at
 * once; the connection is to be closed when it returns false. */
bool sql_keep_lock(struct sql *c, bool keep);

enum sql_kind { SQL_NULL_VALUE, SQL_INT_VALUE, SQL_TEXT_VALUE, SQL_BLOB_VALUE };
struct sql_value {
    enum sql_kind kind;
    int64_t number;
    const void *at;
    size_t len;
};
struct sql_value sql_int(int64_t number);
struct sql_value sql_text(const char *text);           /* NULL: NULL */
struct sql_value sql_slice(struct slice s);            /* text; absent: NULL */
struct sql_value sql_blob(const void *at, size_t len); /* at == NULL: NULL */
#define SQL_ARGS(...)                          \
    (const struct sql_value[]){ __VA_ARGS__ }, \
        sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value)

/* Bind ?1, ?2 … and make ready to step. The bytes bound stay the caller's until sql_done(). */
void sql_start(struct sql *c, size_t st, const struct sql_value *values, size_t count);
/* The next row. False: no more (or an error); the statement is done then. */
bool sql_next(struct sql *c, size_t st);
void sql_done(struct sql *c, size_t st);
/* Bind, run to the end. Returns the rows changed. */
int64_t sql_run(struct sql *c, size_t st, const struct sql_value *values, size_t count);

/* The bytes of a database that has just run `text`, for sql_open() to find in a file. NULL: no
 * memory. The caller frees them. */
unsigned char *sql_template(const char *text, size_t *len);

/* Columns of the present row, from 0; slices are good until the next step. NULL gives 0, absent. */
int64_t sql_column_int(struct sql *c, size_t st, int column);
struct slice sql_column_slice(struct sql *c, size_t st, int column);

/* End the transaction. After an error of commit (SQL_BUSY: a reader is there) roll back. */
void sql_commit(struct sql *c, size_t st_commit);
/* After SQL_BUSY of a commit: forget that, to try once more. False: there is nothing to commit. */
bool sql_again(struct sql *c);
/* Undo, forget the error. False: not even that worked, so close the connection. */
bool sql_rollback(struct sql *c);

#endif
