#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ident.h"

enum { TEMPORARY_RANDOM_BYTES = 8 };

/* Put the whole file at `path`, unless one is there. Not every file system has links. */
static int publish(const char *temporary, const char *path)
{
    struct stat st;
    if (link(temporary, path) == 0 || errno == EEXIST) return 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) return errno;
    if (lstat(path, &st) == 0) return 0;
    return rename(temporary, path) == 0 ? 0 : errno;
}

int secret_make(const char *folder, const char *name)
{
    char path[PATH_MAX], temporary[PATH_MAX + 32], text[IDENT_KEY_BYTES + 2];
    uint8_t random[TEMPORARY_RANDOM_BYTES];
    char suffix[2 * sizeof random + 1];
    struct stat st;
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path) return ENAMETOOLONG;
    if (lstat(path, &st) == 0) return 0;
    if (errno != ENOENT) return errno;
    ident_random(random, sizeof random);
    ident_hex(random, sizeof random, suffix);
    snprintf(temporary, sizeof temporary, "%s.tmp-%s", path, suffix);
    ident_key(text);
    memcpy(text + IDENT_KEY_BYTES, "\n", 2);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    ssize_t written = write(fd, text, IDENT_KEY_BYTES + 1);
    int fault = written < 0 ? errno : written != IDENT_KEY_BYTES + 1 ? ENOSPC : 0;
    if (fault == 0 && fsync(fd) != 0) fault = errno;
    if (close(fd) != 0 && fault == 0) fault = errno;
    if (fault == 0) fault = publish(temporary, path);
    (void)unlink(temporary);
    return fault;
}

int secret_read(const char *folder, const char *name, char out[SECRET_BYTES_MAX + 1])
{
    static const char mark[] = "\xef\xbb\xbf";
    char path[PATH_MAX];
    struct stat st = { 0 };
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path) return ENAMETOOLONG;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return errno;
    ssize_t got = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, out, SECRET_BYTES_MAX) : 0;
    int fault = got < 0 ? errno : st.st_size > SECRET_BYTES_MAX ? EINVAL : 0;
    close(fd);
    if (fault != 0) return fault;
    size_t from = got >= 3 && memcmp(out, mark, 3) == 0 ? 3 : 0, to = (size_t)got;
    while (from < to && (unsigned char)out[from] <= ' ') from++;
    while (to > from && (unsigned char)out[to - 1] <= ' ') to--;
    memmove(out, out + from, to - from);
    out[to - from] = '\0';
    return to > from ? 0 : EINVAL;
}
