#include "app_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t fixture_now_ms(void *clock_arg)
{
    return ((struct app_fixture *)clock_arg)->now_ms;
}

static int64_t fixture_wall_ms(void *clock_arg)
{
    return 1700000000000 + fixture_now_ms(clock_arg);
}

void test_folder(char out[64])
{
    strcpy(out, "/tmp/klatch-test-XXXXXX");
    if (mkdtemp(out) == NULL) abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void test_folder_remove(const char *folder)
{
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct app_fixture *app_fixture_new(void)
{
    struct app_fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return NULL;
    test_folder(f->folder);
    f->now_ms = 1000000;
    config_default(&f->app.cfg);
    snprintf(f->app.cfg.data_dir, sizeof f->app.cfg.data_dir, "%s/data", f->folder);
    f->app.now_ms = fixture_now_ms;
    f->app.wall_ms = fixture_wall_ms;
    f->app.clock_arg = f;
    f->app.how = "fastcgi";
    f->app.parked_max = 100;
    if (app_open(&f->app)) return f;
    app_fixture_free(f);
    return NULL;
}

void app_fixture_free(struct app_fixture *f)
{
    app_close(&f->app);
    test_folder_remove(f->folder);
    free(f);
}

void answer_text(const struct buf *answer, const char *name, char out[ANSWER_TEXT_BYTES])
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = strstr(answer->at, pattern);
    assert_non_null(at);
    snprintf(out, ANSWER_TEXT_BYTES, "%.*s", (int)strcspn(at + strlen(pattern), "\""),
             at + strlen(pattern));
}
