#include "fstype.h"

#include <stddef.h>

/* linux/magic.h, statfs(2), and the file systems' own sources. */
static const struct fstype types[] = {
    { .magic = 0x6969, .name = "nfs", .remote = true },
    { .magic = 0x517b, .name = "smb", .remote = true },
    { .magic = 0xff534d42, .name = "cifs", .remote = true },
    { .magic = 0xfe534d42, .name = "smb2", .remote = true },
    { .magic = 0x65735546, .name = "fuse", .remote = true },
    { .magic = 0x01021997, .name = "9p", .remote = true },
    { .magic = 0x00c36400, .name = "ceph", .remote = true },
    { .magic = 0x5346414f, .name = "afs", .remote = true }, /* OpenAFS */
    { .magic = 0x6b414653, .name = "afs", .remote = true }, /* Linux's own */
    { .magic = 0x73757245, .name = "coda", .remote = true },
    { .magic = 0x0bd00bd0, .name = "lustre", .remote = true },
    { .magic = 0x47504653, .name = "gpfs", .remote = true },
    { .magic = 0x01161970, .name = "gfs2", .remote = true },
    { .magic = 0x7461636f, .name = "ocfs2", .remote = true },
    { .magic = 0x786f4256, .name = "vboxsf", .remote = true },
    { .magic = 0x01021994, .name = "tmpfs", .in_memory = true },
    { .magic = 0x858458f6, .name = "ramfs", .in_memory = true },
    { .magic = 0xef53, .name = "ext4" },
    { .magic = 0x58465342, .name = "xfs" },
    { .magic = 0x9123683e, .name = "btrfs" },
    { .magic = 0x2fc12fc1, .name = "zfs" },
    { .magic = 0xca451a4e, .name = "bcachefs" },
    { .magic = 0xf2f52010, .name = "f2fs" },
    { .magic = 0x794c7630, .name = "overlay" },
    { .magic = 0x61756673, .name = "aufs" },
    { .magic = 0xf15f, .name = "ecryptfs" },
    { .magic = 0x52654973, .name = "reiserfs" },
    { .magic = 0x3153464a, .name = "jfs" },
    { .magic = 0x4d44, .name = "vfat" },
    { .magic = 0x2011bab0, .name = "exfat" },
};

const struct fstype *fstype_find(uint32_t magic)
{
    static const struct fstype other = { .name = "other" };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].magic == magic) return &types[i];
    }
    return &other;
}
