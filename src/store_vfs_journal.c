/* store_vfs_journal: journals that stay open, and what is gathered for them and their databases. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_vfs_internal.h"

enum {
    /* A longer row of writes goes out in pieces. SQLite never writes more than a page of 64 KiB at
     * once, and its unix file system takes the length of a write modulo 128 KiB. */
    GATHER_BYTES_MAX = 65536,
    HEADER_BYTES = 28, /* of a journal (SQLite's file format, 3.1) */
};

/* Writes that follow each other in a file and are not yet in it. One of each kind serves all
 * databases: of one process one transaction writes at a time. */
struct gathered {
    struct database *db; /* whose they are; NULL: none are there */
    int len;
    sqlite3_int64 offset;
    char at[GATHER_BYTES_MAX];
};

/* ---- gathering ---- */

static struct gathered records; /* of a journal */
static struct gathered pages;   /* of a database */

static int write_out(struct gathered *g)
{
    struct database *db = g->db;
    if (db == NULL) return SQLITE_OK;
    sqlite3_file *file = g == &records ? db->journal : db->real;
    g->db = NULL;
    if (g == &records) db->hot = true;
    return file->pMethods->xWrite(file, g->at, g->len, g->offset);
}

static int gather(struct gathered *g, struct database *db, const void *at, int len,
                  sqlite3_int64 offset)
{
    if (g->db != db || offset != g->offset + g->len || len > GATHER_BYTES_MAX - g->len) {
        int code = write_out(g);
        if (code != SQLITE_OK) return code;
        g->db = db;
        g->len = 0;
        g->offset = offset;
    }
    memcpy(g->at + g->len, at, (size_t)len);
    g->len += len;
    return SQLITE_OK;
}

static void forget(struct gathered *g, const struct database *db)
{
    if (g->db == db) g->db = NULL;
}

int gather_page(struct database *db, const void *at, int len, sqlite3_int64 offset)
{
    int code = write_out(&records);
    return code != SQLITE_OK ? code : gather(&pages, db, at, len, offset);
}

int gather_write_pages(void)
{
    return write_out(&pages);
}

int gather_write_all(void)
{
    int code = write_out(&records);
    return code != SQLITE_OK ? code : write_out(&pages);
}

void gather_forget(const struct database *db)
{
    forget(&records, db);
    forget(&pages, db);
}

/* ---- the journal ---- */

/* The end of a transaction, in journal mode PERSIST: a header of zeroes makes the journal cold. It
 * goes to the file at once, and only where that holds more than what was gathered. */
static bool is_end(const char *at, int len, sqlite3_int64 offset)
{
    return offset == 0 && len == HEADER_BYTES && at[0] == 0 &&
           memcmp(at, at + 1, HEADER_BYTES - 1) == 0;
}

static int journal_end(struct database *db, const void *at)
{
    forget(&records, db);
    int code = write_out(&pages);
    if (code != SQLITE_OK || !db->hot) return code;
    code = db->journal->pMethods->xWrite(db->journal, at, HEADER_BYTES, 0);
    if (code == SQLITE_OK) db->hot = false;
    return code;
}

static int journal_write(sqlite3_file *file, const void *at, int len, sqlite3_int64 offset)
{
    struct database *db = ((struct journal *)file)->db;
    return is_end(at, len, offset) ? journal_end(db, at) : gather(&records, db, at, len, offset);
}

static int journal_read(sqlite3_file *file, void *at, int len, sqlite3_int64 offset)
{
    struct database *db = ((struct journal *)file)->db;
    int code = write_out(&records);
    return code != SQLITE_OK ? code : db->journal->pMethods->xRead(db->journal, at, len, offset);
}

static int journal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct database *db = ((struct journal *)file)->db;
    int code = SQLITE_OK;
    if (size == 0)
        forget(&records, db);
    else
        code = write_out(&records);
    if (code != SQLITE_OK || (size == 0 && !db->hot)) return code;
    code = db->journal->pMethods->xTruncate(db->journal, size);
    if (code == SQLITE_OK && size == 0) db->hot = false;
    return code;
}

static int journal_sync(sqlite3_file *file, int flags)
{
    struct database *db = ((struct journal *)file)->db;
    int code = write_out(&records);
    return code != SQLITE_OK ? code : db->journal->pMethods->xSync(db->journal, flags);
}

static int journal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct database *db = ((struct journal *)file)->db;
    int code = write_out(&records);
    return code != SQLITE_OK ? code : db->journal->pMethods->xFileSize(db->journal, size);
}

static int journal_close(sqlite3_file *file)
{
    (void)file; /* the real one stays open */
    return write_out(&records);
}

static int journal_control(sqlite3_file *file, int op, void *arg)
{
    struct database *db = ((struct journal *)file)->db;
    return db->journal->pMethods->xFileControl(db->journal, op, arg);
}

static int journal_sector(sqlite3_file *file)
{
    struct database *db = ((struct journal *)file)->db;
    return db->journal->pMethods->xSectorSize(db->journal);
}

static int journal_characteristics(sqlite3_file *file)
{
    struct database *db = ((struct journal *)file)->db;
    return db->journal->pMethods->xDeviceCharacteristics(db->journal);
}

/* SQLite locks databases, never journals. */
static int journal_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int journal_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static const sqlite3_io_methods journal_methods = {
    .iVersion = 1,
    .xClose = journal_close,
    .xRead = journal_read,
    .xWrite = journal_write,
    .xTruncate = journal_truncate,
    .xSync = journal_sync,
    .xFileSize = journal_size,
    .xLock = journal_lock,
    .xUnlock = journal_lock,
    .xCheckReservedLock = journal_reserved,
    .xFileControl = journal_control,
    .xSectorSize = journal_sector,
    .xDeviceCharacteristics = journal_characteristics,
};

void journal_drop(struct database *db)
{
    if (db->journal == NULL) return;
    (void)db->journal->pMethods->xClose(db->journal);
    sqlite3_free(db->journal);
    db->journal = NULL;
}

bool journal_is_at(struct database *db, const char *path)
{
    struct stat st;
    if (db->journal == NULL || stat(path, &st) != 0 || st.st_dev != db->journal_dev ||
        st.st_ino != db->journal_ino)
        return false;
    db->hot = st.st_size > 0; /* of another process, maybe, since we closed it */
    return true;
}

/* SQLite opens a journal that a killed process left only to look at it first, then again to roll
 * back and truncate: the descriptor that is kept must do for both. */
static int for_writing(int flags)
{
    return (flags & ~SQLITE_OPEN_READONLY) | SQLITE_OPEN_READWRITE;
}

/* Is a full disk why the journal can't be made? SQLite keeps only the error of its second try, to
 * open what is not there. */
static bool no_space_for(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    return error == ENOSPC || error == EDQUOT;
}

int journal_open(sqlite3_vfs *unix_vfs, const char *name, struct journal *j, int flags,
                 int *flags_out)
{
    struct database *db = (struct database *)sqlite3_database_file_object(name);
    const char *path = db->journal_path;
    struct stat st;
    j->db = db;
    if (!journal_is_at(db, path)) {
        journal_drop(db);
        sqlite3_file *real = sqlite3_malloc(unix_vfs->szOsFile);
        if (real == NULL) return SQLITE_NOMEM;
        int code = unix_vfs->xOpen(unix_vfs, path, real, for_writing(flags), flags_out);
        if (code == SQLITE_CANTOPEN && no_space_for(path)) code = SQLITE_FULL;
        if (code == SQLITE_OK && stat(path, &st) != 0) {
            (void)real->pMethods->xClose(real);
            code = SQLITE_CANTOPEN;
        }
        if (code != SQLITE_OK) {
            sqlite3_free(real);
            return code;
        }
        db->journal = real;
        db->journal_dev = st.st_dev;
        db->journal_ino = st.st_ino;
        db->hot = st.st_size > 0;
    } else if (flags_out != NULL) {
        *flags_out = flags;
    }
    j->base.pMethods = &journal_methods;
    return SQLITE_OK;
}
