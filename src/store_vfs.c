#include "store_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_mem.h"

enum {
    /* A longer row of writes goes out in pieces. SQLite never writes more than a page of 64 KiB at
     * once, and its unix file system takes the length of a write modulo 128 KiB. */
    GATHER_BYTES_MAX = 65536,
    HEADER_BYTES = 28, /* of a journal (SQLite's file format, 3.1) */
    TURN_PATH_BYTES_MAX = 4096,
};

/* Writes that follow each other in a file and are not yet in it. One of each kind serves all
 * databases: of one process one transaction writes at a time. */
struct gathered {
    struct database *db; /* whose they are; NULL: none are there */
    int len;
    sqlite3_int64 offset;
    char at[GATHER_BYTES_MAX];
};

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

/* The file system underneath; set once. */
static sqlite3_vfs *unix_vfs;

/* The database that was locked last. SQLite asks for its journal then. */
static struct database *locked;

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

static void drop_journal(struct database *db)
{
    if (db->journal == NULL) return;
    (void)db->journal->pMethods->xClose(db->journal);
    sqlite3_free(db->journal);
    db->journal = NULL;
}

/* Is the journal that is open the one at `path`? Another program may have deleted it. */
static bool journal_is_at(struct database *db, const char *path)
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

static int open_journal(const char *name, struct journal *j, int flags, int *flags_out)
{
    struct database *db = (struct database *)sqlite3_database_file_object(name);
    const char *path = db->journal_path;
    struct stat st;
    j->db = db;
    if (!journal_is_at(db, path)) {
        drop_journal(db);
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

/* ---- the database ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct database *)file)->real;
}

static int database_close(sqlite3_file *file)
{
    struct database *db = (struct database *)file;
    if (locked == db) locked = NULL;
    forget(&records, db);
    forget(&pages, db);
    drop_journal(db);
    int code = db->real->pMethods->xClose(db->real);
    sqlite3_free_filename(db->names);
    return code;
}

static int database_read(sqlite3_file *file, void *at, int len, sqlite3_int64 offset)
{
    int code = write_out(&pages);
    return code != SQLITE_OK ? code
                             : real_of(file)->pMethods->xRead(real_of(file), at, len, offset);
}

static int database_write(sqlite3_file *file, const void *at, int len, sqlite3_int64 offset)
{
    int code = write_out(&records); /* the journal is whole before this */
    return code != SQLITE_OK ? code : gather(&pages, (struct database *)file, at, len, offset);
}

static int write_both(void)
{
    int code = write_out(&records);
    return code != SQLITE_OK ? code : write_out(&pages);
}

static int database_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = write_both();
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int database_sync(sqlite3_file *file, int flags)
{
    int code = write_both();
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int database_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int code = write_out(&pages);
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int database_lock(sqlite3_file *file, int level)
{
    locked = (struct database *)file;
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int database_unlock(sqlite3_file *file, int level)
{
    int code = write_out(&pages);
    int unlocked = real_of(file)->pMethods->xUnlock(real_of(file), level);
    return code != SQLITE_OK ? code : unlocked;
}

static int database_reserved(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

/* Nothing of the former file is open, locked or gathered any more: the pager is between
 * transactions, and asks the file for everything anew. */
static int database_turn(struct database *db, const char *path)
{
    char journal[TURN_PATH_BYTES_MAX];
    int len = snprintf(journal, sizeof journal, "%s-journal", path);
    if (len < 0 || (size_t)len >= sizeof journal) return SQLITE_CANTOPEN;
    const char *names = sqlite3_create_filename(path, journal, "", 0, NULL);
    if (names == NULL) return SQLITE_NOMEM;
    sqlite3_file *first = (sqlite3_file *)(db + 1);
    sqlite3_file *second = (sqlite3_file *)((char *)first + unix_vfs->szOsFile);
    sqlite3_file *real = db->real == first ? second : first;
    int opened = 0;
    int code = unix_vfs->xOpen(unix_vfs, names, real, db->flags, &opened);
    /* What SQLite may write it asks but once. */
    if (code == SQLITE_OK && ((opened | db->opened) & SQLITE_OPEN_READONLY)) {
        (void)real->pMethods->xClose(real);
        code = SQLITE_CANTOPEN;
    }
    if (code != SQLITE_OK) {
        sqlite3_free_filename(names);
        return code;
    }
    drop_journal(db);
    (void)db->real->pMethods->xClose(db->real);
    sqlite3_free_filename(db->names);
    db->real = real;
    db->names = names;
    db->journal_path = sqlite3_filename_journal(names);
    db->hot = false;
    return SQLITE_OK;
}

static int database_control(sqlite3_file *file, int op, void *arg)
{
    if (op == STORE_VFS_TURN)
        return database_turn((struct database *)file, ((const struct store_vfs_turn *)arg)->path);
    /* Comes once all pages of a transaction are written, before its journal ends. */
    int code = op == SQLITE_FCNTL_SYNC ? write_both() : SQLITE_OK;
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int database_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int database_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods database_methods = {
    .iVersion = 1, /* no shared memory: no WAL; no memory map */
    .xClose = database_close,
    .xRead = database_read,
    .xWrite = database_write,
    .xTruncate = database_truncate,
    .xSync = database_sync,
    .xFileSize = database_size,
    .xLock = database_lock,
    .xUnlock = database_unlock,
    .xCheckReservedLock = database_reserved,
    .xFileControl = database_control,
    .xSectorSize = database_sector,
    .xDeviceCharacteristics = database_characteristics,
};

/* ---- the file system ---- */

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                    int *flags_out)
{
    (void)vfs;
    if (flags & SQLITE_OPEN_MAIN_JOURNAL)
        return open_journal(path, (struct journal *)file, flags, flags_out);
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return unix_vfs->xOpen(unix_vfs, path, file, flags, flags_out);
    struct database *db = (struct database *)file;
    *db = (struct database){ .real = (sqlite3_file *)(db + 1), .flags = flags };
    db->journal_name = db->journal_path = sqlite3_filename_journal(path);
    int code = unix_vfs->xOpen(unix_vfs, path, db->real, flags, &db->opened);
    if (flags_out != NULL) *flags_out = db->opened;
    if (code == SQLITE_OK) db->base.pMethods = &database_methods;
    return code;
}

/* Where the journal is that SQLite asks for by this name. */
static const char *path_of(const char *name)
{
    return locked != NULL && name == locked->journal_name ? locked->journal_path : name;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    return unix_vfs->xDelete(unix_vfs, path_of(name), sync_folder);
}

/* Does a journal that isn't open here begin with anything but a header of zeroes? SQLite asks for
 * it with the lock to read, so that a cold one stays cold, and looks closer at one that may be hot.
 */
static bool maybe_hot(const char *path)
{
    char first = 1;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno != ENOENT;
    ssize_t len = read(fd, &first, 1);
    close(fd);
    return len < 0 || (len == 1 && first != 0);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    const char *path = path_of(name);
    size_t len = strlen(path);
    if (locked != NULL && locked->journal != NULL && path == locked->journal_path &&
        journal_is_at(locked, path)) {
        /* Asked before each transaction: a cold one need not be looked at closer. */
        char first = 0;
        int code = SQLITE_OK;
        if (locked->hot) code = locked->journal->pMethods->xRead(locked->journal, &first, 1, 0);
        locked->hot = locked->hot && first != 0;
        *out = locked->hot;
        return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
    }
    if (flags == SQLITE_ACCESS_EXISTS && locked != NULL && path == locked->journal_path &&
        !maybe_hot(path)) {
        *out = 0;
        return SQLITE_OK;
    }
    if (len > 4 && strcmp(path + len - 4, "-wal") == 0) {
        *out = 0; /* there never is one */
        return SQLITE_OK;
    }
    return unix_vfs->xAccess(unix_vfs, path, flags, out);
}

/* Paths are made of the data folder's, which is resolved already: SQLite's own way looks at each
 * folder on it again. The open itself follows no link. */
static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *out)
{
    (void)vfs;
    size_t len = strlen(path);
    if (path[0] != '/') return unix_vfs->xFullPathname(unix_vfs, path, room, out);
    if (len >= (size_t)room) return SQLITE_CANTOPEN;
    memcpy(out, path, len + 1);
    return SQLITE_OK;
}

const char *store_vfs_name(void)
{
    static sqlite3_vfs vfs = { .zName = "klatch" };
    if (unix_vfs != NULL) return vfs.zName;
    /* One thread uses it, and nobody asks how much memory it has. */
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    /* No memory for 20 pages at once in each connection: a quiet room has 13. */
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    (void)store_mem_configure();
    sqlite3_vfs *found = sqlite3_vfs_find("unix");
    if (found == NULL) return NULL;
    vfs = *found;
    vfs.zName = "klatch";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct database) + 2 * found->szOsFile;
    vfs.xOpen = vfs_open;
    vfs.xAccess = vfs_access;
    vfs.xDelete = vfs_delete;
    vfs.xFullPathname = vfs_full_path;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) return NULL;
    unix_vfs = found;
    return vfs.zName;
}
