#include "doctor.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ident.h"
#include "secret.h"

const char *doctor_arch(void)
{
#if defined __x86_64__
    return "x86_64";
#elif defined __aarch64__
    return "aarch64";
#else
    return "other";
#endif
}

static void mark(const char *text, char out[DOCTOR_MARK_BYTES + 1])
{
    uint8_t hash[IDENT_HASH_BYTES];
    ident_hash(text, strlen(text), hash);
    ident_hex(hash, DOCTOR_MARK_BYTES / 2, out);
}

void doctor_place(const struct app *app, char out[DOCTOR_MARK_BYTES + 1])
{
    char text[SECRET_BYTES_MAX + 1];
    *out = '\0';
    if (secret_make(app->data_dir, "place") == 0 && secret_read(app->data_dir, "place", text) == 0)
        mark(text, out);
}

void doctor_host(const struct app *app, char out[DOCTOR_MARK_BYTES + 1])
{
    char name[HOST_NAME_MAX + 1] = "", text[sizeof app->boot_id + sizeof name + 1];
    (void)gethostname(name, sizeof name - 1);
    snprintf(text, sizeof text, "%s %s", app->boot_id, name);
    mark(text, out);
}
