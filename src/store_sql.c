#include "store_sql.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_mem.h"
#include "store_vfs.h"

struct sql {
    sqlite3 *db;
    struct store_heap *heap; /* of what SQLite keeps for it … */
    void *space;             /* … and of this; NULL: not asked for */
    const char *const *texts;
    size_t count;
    enum sql_result result;
    int code;
    sqlite3_stmt *st[];
};

/* The cache of a connection, KiB. A room's small tables fit; a long message passes through. */
#define SQL_CACHE_KIB "64"

/* Most tables fill one page: a smaller one saves memory, a larger one splits less mail. */
#define SQL_PAGE_SIZE "PRAGMA page_size = 2048;"

static const char sql_settings[] = SQL_PAGE_SIZE
    /* What is kept is ephemeral: a file torn by a power cut is moved aside and its members rejoin.
     * A process that is killed tears nothing, since the kernel has what was written. */
    "PRAGMA journal_mode = PERSIST;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -" SQL_CACHE_KIB ";"
    /* A transaction takes the exclusive lock at its commit only, however much it writes. */
    "PRAGMA cache_spill = OFF;"
    /* Overwrite what is deleted only where its page is written anyway. */
    "PRAGMA secure_delete = FAST;"
    "PRAGMA trusted_schema = OFF;";

static enum sql_result result_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return SQL_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return SQL_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return SQL_BROKEN;
    case SQLITE_FULL: return SQL_FULL;
    case SQLITE_READONLY: return code == SQLITE_READONLY_DBMOVED ? SQL_MOVED : SQL_REFUSED;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return SQL_REFUSED;
    case SQLITE_IOERR: break;
    default: return SQL_FAILED;
    }
    switch (code) {
    case SQLITE_IOERR_WRITE: /* a quota is told so */
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_IOERR_TRUNCATE: return SQL_FULL;
    default: return SQL_FAILED;
    }
}

static void note(struct sql *c, int code)
{
    if (c->result != SQL_OK) return;
    c->result = result_of(code);
    c->code = c->result == SQL_OK ? SQLITE_OK : code;
}

struct sql *sql_open(const char *path, const char *const *texts, size_t count,
                     enum sql_result *result)
{
    struct sql *c = calloc(1, sizeof *c + count * sizeof c->st[0]);
    *result = SQL_FAILED;
    if (c == NULL) return NULL;
    c->texts = texts;
    c->count = count;
    const char *vfs = store_vfs_name(); /* SQLite's own beginnings belong to no connection */
    c->heap = store_mem_open();
    store_mem_use(c->heap);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    note(c, sqlite3_open_v2(path, &c->db, flags, vfs));
    if (c->result == SQL_OK) {
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 256, 64);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        /* Whatever a file brings along, nothing is done to its rows but by our own statements. */
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        note(c, sqlite3_exec(c->db, sql_settings, NULL, NULL, NULL));
    }
    *result = c->result;
    /* A file that turned out broken keeps its connection: it tells whether the path still is it. */
    if (c->result == SQL_OK || (c->result == SQL_BROKEN && c->db != NULL)) return c;
    sql_close(c);
    return NULL;
}

bool sql_turn(struct sql *c, const char *path)
{
    struct store_vfs_turn turn = { path };
    store_mem_use(c->heap);
    note(c, sqlite3_file_control(c->db, "main", STORE_VFS_TURN, &turn));
    note(c, sqlite3_file_control(c->db, "main", SQLITE_FCNTL_RESET_CACHE, NULL));
    return c->result == SQL_OK;
}

void sql_close(struct sql *c)
{
    if (c == NULL) return;
    for (size_t i = 0; i < c->count; i++) sqlite3_finalize(c->st[i]);
    sqlite3_free(c->space);
    sqlite3_close(c->db);
    store_mem_close(c->heap);
    free(c);
}

enum sql_result sql_result(const struct sql *c)
{
    return c->result;
}

int sql_code(const struct sql *c)
{
    return c->code;
}

bool sql_has_column(struct sql *c, const char *table, const char *column)
{
    store_mem_use(c->heap);
    if (c->result != SQL_OK) return false;
    int code =
        sqlite3_table_column_metadata(c->db, "main", table, column, NULL, NULL, NULL, NULL, NULL);
    if ((code & 0xff) != SQLITE_ERROR) note(c, code); /* which says that there is none */
    return code == SQLITE_OK;
}

bool sql_moved(struct sql *c)
{
    int moved = 0;
    int code = sqlite3_file_control(c->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return code == SQLITE_OK && moved != 0;
}

bool sql_keep_lock(struct sql *c, bool keep)
{
    /* The mode changes at once, the lock goes with the end of the next transaction. */
    static const char give_back[] = "PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema";
    const char *text = keep ? "PRAGMA locking_mode = EXCLUSIVE" : give_back;
    store_mem_use(c->heap);
    return sqlite3_exec(c->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

void *sql_space(struct sql *c, size_t bytes)
{
    store_mem_use(c->heap);
    if (c->space == NULL) c->space = sqlite3_malloc64(bytes);
    return c->space;
}

struct sql_value sql_int(int64_t number)
{
    return (struct sql_value){ SQL_INT_VALUE, number, NULL, 0 };
}

struct sql_value sql_text(const char *text)
{
    return sql_slice(slice_of(text));
}

struct sql_value sql_slice(struct slice s)
{
    return (struct sql_value){ s.at == NULL ? SQL_NULL_VALUE : SQL_TEXT_VALUE, 0, s.at, s.len };
}

struct sql_value sql_blob(const void *at, size_t len)
{
    return (struct sql_value){ at == NULL ? SQL_NULL_VALUE : SQL_BLOB_VALUE, 0, at, len };
}

static int bind(sqlite3_stmt *st, int at, const struct sql_value *v)
{
    switch (v->kind) {
    case SQL_INT_VALUE: return sqlite3_bind_int64(st, at, v->number);
    case SQL_TEXT_VALUE:
        return sqlite3_bind_text64(st, at, v->at, v->len, SQLITE_STATIC, SQLITE_UTF8);
    case SQL_BLOB_VALUE: return sqlite3_bind_blob64(st, at, v->at, v->len, SQLITE_STATIC);
    case SQL_NULL_VALUE: break;
    }
    return sqlite3_bind_null(st, at);
}

static void prepare(struct sql *c, size_t st)
{
    int code =
        sqlite3_prepare_v3(c->db, c->texts[st], -1, SQLITE_PREPARE_PERSISTENT, &c->st[st], NULL);
    note(c, code);
    /* Our texts are right, so a plain error means that the tables aren't ours. */
    if ((code & 0xff) == SQLITE_ERROR) c->result = SQL_BROKEN;
}

void sql_start(struct sql *c, size_t st, const struct sql_value *values, size_t count)
{
    if (c->result != SQL_OK) return;
    store_mem_use(c->heap);
    if (c->st[st] == NULL)
        prepare(c, st);
    else
        sqlite3_reset(c->st[st]);
    for (size_t i = 0; i < count && c->result == SQL_OK; i++)
        note(c, bind(c->st[st], (int)i + 1, &values[i]));
}

bool sql_next(struct sql *c, size_t st)
{
    if (c->result != SQL_OK) return false;
    int code = sqlite3_step(c->st[st]);
    if (code == SQLITE_ROW) return true;
    note(c, code);
    sqlite3_reset(c->st[st]);
    return false;
}

void sql_done(struct sql *c, size_t st)
{
    if (c->st[st] != NULL) sqlite3_reset(c->st[st]);
}

int64_t sql_run(struct sql *c, size_t st, const struct sql_value *values, size_t count)
{
    sql_start(c, st, values, count);
    while (sql_next(c, st)) continue;
    return c->result == SQL_OK ? sqlite3_changes64(c->db) : 0;
}

/* SQLite trusts this number to tell whether a file's tables are those that a statement was prepared
 * for; by itself it only counts the changes of the schema. */
static bool mark_schema(sqlite3 *db, const char *text)
{
    char pragma[64];
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (const char *p = text; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * UINT32_C(16777619);
    snprintf(pragma, sizeof pragma, "PRAGMA schema_version = %" PRId32, (int32_t)hash);
    return sqlite3_exec(db, pragma, NULL, NULL, NULL) == SQLITE_OK;
}

unsigned char *sql_template(const char *text, size_t *len)
{
    sqlite3 *db = NULL;
    sqlite3_int64 size = 0;
    unsigned char *bytes = NULL, *copy = NULL;
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        store_vfs_name()) == SQLITE_OK &&
        sqlite3_exec(db, SQL_PAGE_SIZE, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK && mark_schema(db, text))
        bytes = sqlite3_serialize(db, "main", &size, 0);
    if (bytes != NULL) copy = malloc((size_t)size);
    if (copy != NULL) memcpy(copy, bytes, (size_t)size);
    *len = (size_t)size;
    sqlite3_free(bytes);
    sqlite3_close(db);
    return copy;
}

int64_t sql_column_int(struct sql *c, size_t st, int column)
{
    return sqlite3_column_int64(c->st[st], column);
}

struct slice sql_column_slice(struct sql *c, size_t st, int column)
{
    if (sqlite3_column_type(c->st[st], column) == SQLITE_NULL) return SLICE_NONE;
    const void *at = sqlite3_column_blob(c->st[st], column);
    int len = sqlite3_column_bytes(c->st[st], column);
    return (struct slice){ at == NULL ? "" : at, (size_t)len };
}

/* A statement that wasn't read to its end would hold the lock beyond the transaction. */
static void reset_all(struct sql *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->st[i] != NULL && sqlite3_stmt_busy(c->st[i])) sqlite3_reset(c->st[i]);
}

void sql_commit(struct sql *c, size_t st_commit)
{
    if (c->result != SQL_OK) return;
    reset_all(c);
    sql_run(c, st_commit, NULL, 0);
}

bool sql_again(struct sql *c)
{
    if (c->result != SQL_BUSY || sqlite3_get_autocommit(c->db)) return false;
    c->result = SQL_OK;
    c->code = SQLITE_OK;
    return true;
}

bool sql_rollback(struct sql *c)
{
    store_mem_use(c->heap);
    reset_all(c);
    c->result = SQL_OK;
    c->code = SQLITE_OK;
    if (c->db == NULL || sqlite3_get_autocommit(c->db)) return c->db != NULL;
    sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return sqlite3_get_autocommit(c->db) != 0;
}
