#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor_internal.h"
#include "http.h"
#include "ident.h"
#include "json.h"
#include "place.h"
#include "secret.h"
#include "version.h"

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
    static const char name[] = "place";
    char text[SECRET_BYTES_MAX + 1];
    *out = '\0';
    if (app->data_dir[0] != '\0' && secret_make(app->data_dir, name) == 0 &&
        secret_read(app->data_dir, name, text) == 0)
        mark(text, out);
}

void doctor_host(const struct app *app, char out[DOCTOR_MARK_BYTES + 1])
{
    char name[HOST_NAME_MAX + 1] = "", text[sizeof app->boot_id + sizeof name + 1];
    (void)gethostname(name, sizeof name - 1);
    snprintf(text, sizeof text, "%s %s", app->boot_id, name);
    mark(text, out);
}

void doctor_find(struct doctor *d, const char *code)
{
    buf_printf(d->out, "%s{\"code\":\"%s\"", d->findings++ == 0 ? "" : "},", code);
}

static void put_string(struct buf *b, const char *text)
{
    char shown[PATH_MAX];
    if (!json_utf8_valid(slice_of(text))) { /* a path may be any bytes */
        snprintf(shown, sizeof shown, "%s", text);
        for (char *at = shown; *at != '\0'; at++)
            if ((unsigned char)*at >= 0x80) *at = '?';
        text = shown;
    }
    json_put_string(b, slice_of(text));
}

void doctor_word(struct doctor *d, const char *name, const char *word)
{
    if (!d->admin) return;
    buf_printf(d->out, ",\"%s\":", name);
    put_string(d->out, word);
}

void doctor_find_at(struct doctor *d, const char *code, const char *path)
{
    doctor_find(d, code);
    doctor_word(d, "path", path);
}

void doctor_number(struct doctor *d, const char *name, int64_t number)
{
    if (d->admin) buf_printf(d->out, ",\"%s\":%lld", name, (long long)number);
}

void doctor_mode(struct doctor *d, mode_t mode)
{
    char text[8];
    snprintf(text, sizeof text, "%04o", (unsigned)mode & 07777);
    doctor_word(d, "mode", text);
}

void doctor_error(struct doctor *d, int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
        { EACCES, "EACCES" }, { EPERM, "EPERM" },   { EROFS, "EROFS" },     { ENOENT, "ENOENT" },
        { ENOSPC, "ENOSPC" }, { EDQUOT, "EDQUOT" }, { EIO, "EIO" },         { ESTALE, "ESTALE" },
        { ELOOP, "ELOOP" },   { EFBIG, "EFBIG" },   { EMFILE, "EMFILE" },   { ENFILE, "ENFILE" },
        { EINVAL, "EINVAL" }, { EISDIR, "EISDIR" }, { ENOTDIR, "ENOTDIR" },
    };
    const char *name = "other";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error) name = names[i].name;
    doctor_word(d, "error", name);
}

static const char *variable(const struct doctor *d, const char *name)
{
    const char *value = http_env(d->env, name);
    return value == NULL ? "" : value;
}

/* What of `path` stands behind the folder `root`, with its slash; NULL: it isn't below it. */
static const char *below(const char *root, const char *path)
{
    char *real = *root == '/' ? realpath(root, NULL) : NULL;
    size_t len = real == NULL ? 0 : strlen(real);
    if (len == 1) len = 0; /* the root of everything */
    bool is_below = real != NULL && strncmp(real, path, len) == 0 && path[len] == '/';
    free(real);
    return is_below ? path + len : NULL;
}

static void put_escaped(const char *text, char *out, size_t out_size)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    size_t to = strlen(out);
    for (; *text != '\0' && to + 4 < out_size; text++) {
        if (strchr(plain, *text) != NULL)
            out[to++] = *text;
        else
            to += (size_t)snprintf(out + to, 4, "%%%02X", (unsigned char)*text);
    }
    out[to] = '\0';
}

bool doctor_url(const struct doctor *d, const char *path, char url[DOCTOR_URL_BYTES_MAX])
{
    char *real = realpath(path, NULL);
    const char *rest = NULL, *prefix = variable(d, "CONTEXT_PREFIX");
    /* Apache's folder of a user or an alias, and what it stands under. */
    if (real != NULL) rest = below(variable(d, "CONTEXT_DOCUMENT_ROOT"), real);
    if (rest == NULL && real != NULL) {
        prefix = "";
        rest = below(variable(d, "DOCUMENT_ROOT"), real);
    }
    *url = '\0';
    if (rest != NULL) {
        put_escaped(prefix, url, DOCTOR_URL_BYTES_MAX);
        size_t len = strlen(url);
        if (len > 0 && url[len - 1] == '/') url[len - 1] = '\0';
        put_escaped(rest, url, DOCTOR_URL_BYTES_MAX);
    }
    free(real);
    return rest != NULL;
}

static void put_url(struct doctor *d, const char *name, const char *path)
{
    char url[DOCTOR_URL_BYTES_MAX];
    if (!doctor_url(d, path, url)) return;
    doctor_word(d, name, url);
}

static void put_facts(struct doctor *d)
{
    const struct app *app = d->app;
    const char *const modes[] = { [CONFIG_MODE_AUTO] = "auto",
                                  [CONFIG_MODE_PROCESS] = "process",
                                  [CONFIG_MODE_PARKED] = "parked" };
    buf_printf(d->out, ",\"facts\":{\"version\":\"%s\"", KLATCH_VERSION);
    doctor_word(d, "arch", doctor_arch());
    doctor_word(d, "how", app->how);
    doctor_word(d, "mode", modes[app->cfg.mode]);
    buf_printf(d->out, ",\"process_per_poll\":%s,\"config_found\":%s",
               app->process_per_poll ? "true" : "false", d->config_found ? "true" : "false");
    doctor_number(d, "hold_ms", app->cfg.hold_ms);
    doctor_number(d, "polls_max", app->cfg.polls_max);
    doctor_word(d, "poll_url", app->cfg.poll_url);
    doctor_word(d, "data_dir", app->data_dir[0] == '\0' ? app->cfg.data_dir : app->data_dir);
    doctor_word(d, "fs", d->fs);
    doctor_number(d, "free_bytes", d->free_bytes);
    doctor_number(d, "free_files", d->free_files);
    doctor_number(d, "write_us", d->write_us);
    doctor_word(d, "config", d->config);
    doctor_word(d, "binary", d->binary);
    doctor_number(d, "user", geteuid());
    doctor_number(d, "group", getegid());
    doctor_number(d, "descriptors_max", d->descriptors_max);
    doctor_number(d, "processes_max", d->processes_max);
    doctor_number(d, "time_ms", app_wall_ms(app));
    buf_text(d->out, "}");
}

/* The file in use, or that would be in use if it could. */
static void find_config(struct doctor *d)
{
    struct place_fault fault;
    const struct app *app = d->app;
    memcpy(d->config, app->cfg.path, sizeof d->config);
    if (d->config[0] == '\0' && app->place != NULL &&
        !place_find(app->place, NULL, d->config, &fault))
        d->config[0] = '\0';
}

void doctor_report(struct app *app, char *const *env, bool admin, struct buf *out)
{
    struct doctor d = {
        .app = app,
        .env = env,
        .admin = admin,
        .out = out,
        .fs = "other",
        .free_bytes = -1,
        .free_files = -1,
        .write_us = -1,
        .descriptors_max = -1,
        .processes_max = -1,
        .binary = app->place == NULL ? "" : app->place->binary,
    };
    find_config(&d);
    buf_printf(out, "{\"admin\":%s,\"findings\":[", admin ? "true" : "false");
    doctor_check_data(&d);
    doctor_check_config(&d);
    doctor_check_binary(&d);
    doctor_check_host(&d);
    buf_text(out, d.findings == 0 ? "]" : "}]");
    if (admin) put_facts(&d);
    if (app->data_dir[0] != '\0') put_url(&d, "data_url", app->data_dir);
    put_url(&d, "config_url", d.config);
    buf_text(out, "}");
}
