/* json_fixture: what the tests of json share. */
#ifndef KLATCH_JSON_FIXTURE_H
#define KLATCH_JSON_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define COUNT(array)  (sizeof(array) / sizeof *(array))

/* A copy of exactly `len` bytes, so that the sanitizer sees any look behind the end. */
static inline struct slice exact(const char *text, size_t len)
{
    char *at = malloc(len == 0 ? 1 : len);
    assert_non_null(at);
    memcpy(at, text, len);
    return (struct slice){ at, len };
}

static inline void drop(struct slice s)
{
    free((void *)(uintptr_t)s.at);
}

#endif
