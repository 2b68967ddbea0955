/* store_vfs: SQLite's own "unix" file system with fewer system calls around a transaction.
 *
 * SQLite writes a journal page by page, three writes each, opens it for every transaction and
 * closes it after, and writes a database page by page. Here writes that follow each other in a file
 * are gathered in memory and written at once, and the journal's descriptor is kept with its
 * database's. The order that makes a transaction safe against a killed process stays: the journal
 * is whole in its file before the database is touched, and ends only when the database is whole.
 * (Nothing is promised against a power cut, as without it: store runs with synchronous = OFF.)
 * Databases in WAL mode can't be opened.
 *
 * For one thread, one write transaction at a time, as store has it. */
#ifndef KLATCH_STORE_VFS_H
#define KLATCH_STORE_VFS_H

/* sqlite3_file_control(db, "main", STORE_VFS_TURN, struct store_vfs_turn *): the connection goes on
 * with another file, and with its prepared statements. No transaction is open and no lock kept;
 * SQLITE_FCNTL_RESET_CACHE has to follow. After an error it still has the former file. */
enum { STORE_VFS_TURN = 1265394036 };
struct store_vfs_turn {
    const char *path;
};

/* The name to give to sqlite3_open_v2(); registered at the first call. NULL: SQLite refused it, and
 * its default does the same work. */
const char *store_vfs_name(void);

#endif
