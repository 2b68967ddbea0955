/* A folder on a FUSE file system of our own, that is there, full and read-only: for what must be
 * known of a network file system. Needs root and /dev/fuse. */
#ifndef FUSE_FOLDER_H
#define FUSE_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

/* Mount it on the folder `path`; *server answers for it. False: not permitted here. */
bool fuse_folder_mount(const char *path, pid_t *server);
void fuse_folder_unmount(const char *path, pid_t server);

#endif
