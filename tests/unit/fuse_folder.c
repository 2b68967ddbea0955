#include "fuse_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REQUEST_BYTES_MAX = FUSE_MIN_READ_BUFFER + 4096, BLOCK_BYTES = 4096 };

static void answer(int fd, uint64_t unique, int error, const void *at, size_t len)
{
    struct fuse_out_header head = { .unique = unique, .error = -error };
    struct iovec parts[] = { { &head, sizeof head }, { (void *)(uintptr_t)at, len } };
    if (error != 0) parts[1].iov_len = 0;
    head.len = (uint32_t)(sizeof head + parts[1].iov_len);
    (void)!writev(fd, parts, 2);
}

static void handle(int fd, const struct fuse_in_header *in)
{
    const struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
                                        .minor = FUSE_KERNEL_MINOR_VERSION,
                                        .max_write = BLOCK_BYTES };
    const struct fuse_attr_out folder = {
        .attr = { .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0700, .nlink = 2 }
    };
    const struct fuse_statfs_out full = {
        .st = { .blocks = 100, .files = 100, .bsize = BLOCK_BYTES, .frsize = BLOCK_BYTES }
    };
    switch (in->opcode) {
    case FUSE_INIT: answer(fd, in->unique, 0, &init, sizeof init); break;
    case FUSE_GETATTR: answer(fd, in->unique, 0, &folder, sizeof folder); break;
    case FUSE_STATFS: answer(fd, in->unique, 0, &full, sizeof full); break;
    case FUSE_ACCESS: answer(fd, in->unique, 0, NULL, 0); break;
    case FUSE_LOOKUP: answer(fd, in->unique, ENOENT, NULL, 0); break;
    case FUSE_CREATE:
    case FUSE_MKNOD: answer(fd, in->unique, EROFS, NULL, 0); break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: break; /* not answered */
    default: answer(fd, in->unique, ENOSYS, NULL, 0); break;
    }
}

static _Noreturn void serve(int fd)
{
    static union {
        struct fuse_in_header in;
        char bytes[REQUEST_BYTES_MAX];
    } request;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        ssize_t n = read(fd, &request, sizeof request);
        if (n >= (ssize_t)sizeof request.in)
            handle(fd, &request.in);
        else if (n >= 0 || (errno != EINTR && errno != ENOENT && errno != EAGAIN))
            _exit(0); /* ENODEV: unmounted */
    }
}

bool fuse_folder_mount(const char *path, pid_t *server)
{
    char options[64];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
    bool mounted = mount("klatch-test", path, "fuse", MS_NOSUID | MS_NODEV, options) == 0;
    if (mounted) {
        fflush(NULL);
        *server = fork();
        if (*server == 0) serve(fd);
        if (*server < 0) {
            (void)umount2(path, MNT_DETACH);
            mounted = false;
        }
    }
    close(fd);
    return mounted;
}

void fuse_folder_unmount(const char *path, pid_t server)
{
    (void)umount2(path, MNT_DETACH);
    (void)waitpid(server, NULL, 0);
}
