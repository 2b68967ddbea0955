/* secret: small files of one line of random text, each made once and only read after. A file
 * appears whole or not at all, mode 0600, and no link is followed to it. */
#ifndef KLATCH_SECRET_H
#define KLATCH_SECRET_H

enum { SECRET_BYTES_MAX = 128 };

/* Make `folder`/`name` with 256 random bits as text, unless it is there: then one system call.
 * Returns an errno value. */
int secret_make(const char *folder, const char *name);
/* The file's line without the spaces, the byte order mark and the line end that an editor may have
 * put there. Returns an errno value; EINVAL: not a file, empty, or longer than a line of ours. */
int secret_read(const char *folder, const char *name, char out[SECRET_BYTES_MAX + 1]);

#endif
