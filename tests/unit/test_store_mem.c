#include "store_mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { BLOCKS = 400 };

static int configured(void **state)
{
    (void)state;
    return store_mem_configure() ? 0 : -1;
}

static void blocks_of_every_size_keep_to_themselves_and_keep_what_is_in_them(void **state)
{
    (void)state;
    char *at[BLOCKS];
    struct store_heap *h = store_mem_open();
    assert_non_null(h);
    store_mem_use(h);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            size_t size = (size_t)i * (size_t)i / 4 + 1; /* up to 40 kB: also what is malloc()'s */
            at[i] = sqlite3_malloc64(size);
            assert_non_null(at[i]);
            assert_true(sqlite3_msize(at[i]) >= size);
            assert_int_equal((uintptr_t)at[i] % 16, 0);
            memset(at[i], i, size);
        }
        for (int i = 0; i < BLOCKS; i++) {
            size_t size = (size_t)i * (size_t)i / 4 + 1;
            at[i] = sqlite3_realloc64(at[i], size + 300);
            assert_non_null(at[i]);
            for (size_t k = 0; k < size; k++) assert_int_equal(at[i][k], (char)i);
        }
        for (int i = 0; i < BLOCKS; i++) sqlite3_free(at[i]);
    }
    store_mem_close(h);
}

static void a_heap_lasts_as_long_as_its_last_block(void **state)
{
    (void)state;
    struct store_heap *h = store_mem_open();
    store_mem_use(h);
    char *at = sqlite3_malloc(100);
    store_mem_close(h);
    char *other = sqlite3_malloc(100); /* of no heap */
    memset(at, 1, 100);
    memset(other, 2, 100);
    assert_int_equal(at[99], 1);
    sqlite3_free(at);
    sqlite3_free(other);
    store_mem_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_every_size_keep_to_themselves_and_keep_what_is_in_them),
        cmocka_unit_test(a_heap_lasts_as_long_as_its_last_block),
    };
    return cmocka_run_group_tests(tests, configured, NULL);
}
