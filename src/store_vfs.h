/* store_vfs: SQLite's own "unix" file system with fewer system calls around a transaction.
 *
 * SQLite writes a journal page by page, three writes each, opens it for every transaction and
 * closes it after, and writes a database page by page. Here writes that follow each other in a file
 * are gathered in memory and written at once, and the journal's descriptor is kept with its
 * database's. The order that makes a transaction safe against a killed process stays: the journal is
 * whole in its file before the database is touched, and ends only when the database is whole. (Nothing is promised against a power
 * cut, as without it: store runs with synchronous = OFF.) Databases in WAL mode can't be opened.
 *
 * For one thread, one write transaction at a time, as store has it. */
#ifndef KLATCH_STORE_VFS_H
#define KLATCH_STORE_VFS_H

/* The name to give to sqlite3_open_v2(); registered at the first call. NULL: SQLite refused it, and
 * its default does the same work. */
const char *store_vfs_name(void);

#endif
