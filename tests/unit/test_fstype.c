#include "fstype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/vfs.h>

#include <cmocka.h>

static void a_magic_number_tells_what_other_machines_can_reach(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic;
        const char *name;
        bool remote, in_memory;
    } table[] = {
        { 0x6969, "nfs", true, false },          { 0xff534d42, "cifs", true, false },
        { 0xfe534d42, "smb2", true, false },     { 0x65735546, "fuse", true, false },
        { 0x01021997, "9p", true, false },       { 0x00c36400, "ceph", true, false },
        { 0x01021994, "tmpfs", false, true },    { 0xef53, "ext4", false, false },
        { 0x794c7630, "overlay", false, false }, { 1, "other", false, false },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct fstype *type = fstype_find(table[i].magic);
        assert_string_equal(type->name, table[i].name);
        assert_int_equal(type->remote, table[i].remote);
        assert_int_equal(type->in_memory, table[i].in_memory);
    }
}

static void what_the_kernel_says_of_proc_is_not_remote(void **state)
{
    (void)state;
    struct statfs fs;
    assert_int_equal(statfs("/proc", &fs), 0);
    assert_false(fstype_find((uint32_t)fs.f_type)->remote);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_magic_number_tells_what_other_machines_can_reach),
        cmocka_unit_test(what_the_kernel_says_of_proc_is_not_remote),
    };
    return cmocka_run_group_tests_name("fstype", tests, NULL, NULL);
}
