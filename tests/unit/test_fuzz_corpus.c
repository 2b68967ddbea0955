/* Every file of the fuzz corpora, and every cut of it, through its target. */
#include "../fuzz/targets.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILES_MIN = 8, FILE_BYTES_MAX = 16384, CUT_BYTES_MAX = 1024 };

typedef int (*fuzz_target)(const uint8_t *bytes, size_t len);

/* As libFuzzer gives it: a block of exactly these bytes. */
static void run_exact(fuzz_target target, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len == 0 ? 1 : len);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    target(exact, len);
    free(exact);
}

static void replay(const char *folder, fuzz_target target)
{
    static uint8_t bytes[FILE_BYTES_MAX];
    int files = 0;
    DIR *d = opendir(folder);
    if (d == NULL) {
        fail_msg("%s is not there; tests run from the top of the tree", folder);
        return;
    }
    for (struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d)) {
        if (entry->d_name[0] == '.') continue;
        int fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_CLOEXEC);
        ssize_t got = read(fd, bytes, sizeof bytes);
        assert_true(got >= 0);
        close(fd);
        print_message("%s/%s\n", folder, entry->d_name); /* the last one named is the culprit */
        for (size_t len = got > CUT_BYTES_MAX ? (size_t)got : 0; len <= (size_t)got; len++)
            run_exact(target, bytes, len);
        files++;
    }
    closedir(d);
    assert_in_range(files, FILES_MIN, 10000);
}

static void bodies_of_the_corpus_keep_the_promises_of_json(void **state)
{
    (void)state;
    replay("tests/fuzz/corpus/json", fuzz_json);
}

static void files_of_the_corpus_keep_the_promises_of_config(void **state)
{
    (void)state;
    replay("tests/fuzz/corpus/config", fuzz_config);
}

static void files_of_the_corpus_keep_the_promises_of_config_edit(void **state)
{
    (void)state;
    replay("tests/fuzz/corpus/config", fuzz_config_edit);
    replay("tests/fuzz/corpus/config_edit", fuzz_config_edit);
}

static void tokens_of_the_corpus_keep_the_promises_of_token(void **state)
{
    (void)state;
    replay("tests/fuzz/corpus/token", fuzz_token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_of_the_corpus_keep_the_promises_of_json),
        cmocka_unit_test(tokens_of_the_corpus_keep_the_promises_of_token),
        cmocka_unit_test(files_of_the_corpus_keep_the_promises_of_config),
        cmocka_unit_test(files_of_the_corpus_keep_the_promises_of_config_edit),
    };
    return cmocka_run_group_tests_name("fuzz-corpus", tests, NULL, NULL);
}
