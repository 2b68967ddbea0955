#include "store_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_mem.h"
#include "store_vfs_internal.h"

enum { TURN_PATH_BYTES_MAX = 4096 };

/* The file system underneath; set once. */
static sqlite3_vfs *unix_vfs;

/* The database that was locked last. SQLite asks for its journal then. */
static struct database *locked;

/* ---- the database ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct database *)file)->real;
}

static int database_close(sqlite3_file *file)
{
    struct database *db = (struct database *)file;
    if (locked == db) locked = NULL;
    gather_forget(db);
    journal_drop(db);
    int code = db->real->pMethods->xClose(db->real);
    sqlite3_free_filename(db->names);
    return code;
}

static int database_read(sqlite3_file *file, void *at, int len, sqlite3_int64 offset)
{
    int code = gather_write_pages();
    return code != SQLITE_OK ? code
                             : real_of(file)->pMethods->xRead(real_of(file), at, len, offset);
}

static int database_write(sqlite3_file *file, const void *at, int len, sqlite3_int64 offset)
{
    return gather_page((struct database *)file, at, len, offset);
}

static int database_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = gather_write_all();
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int database_sync(sqlite3_file *file, int flags)
{
    int code = gather_write_all();
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int database_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int code = gather_write_pages();
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int database_lock(sqlite3_file *file, int level)
{
    locked = (struct database *)file;
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int database_unlock(sqlite3_file *file, int level)
{
    int code = gather_write_pages();
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
    journal_drop(db);
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
    int code = op == SQLITE_FCNTL_SYNC ? gather_write_all() : SQLITE_OK;
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
        return journal_open(unix_vfs, path, (struct journal *)file, flags, flags_out);
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
