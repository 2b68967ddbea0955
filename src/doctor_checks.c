#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "bell.h"
#include "doctor_internal.h"
#include "fstype.h"
#include "ident.h"
#include "secret.h"

enum {
    TRY_BYTES = 65536,
    FREE_BYTES_MIN = 32 << 20, /* a few hundred rooms with files being sent */
    FREE_FILES_MIN = 100,
    DESCRIPTORS_PARKED_MIN = 1024, /* each parked poll has one */
    DESCRIPTORS_PROCESS_MIN = 64,
    PROCESSES_SPARE_MIN = 8, /* beside those that hold polls */
    STEP_MS_MIN = 5000,
    RANDOM_DIGITS = 32,
};
#define CLOCK_MS_MIN INT64_C(1767225600000) /* 2026-01-01: no clock that goes right is before */

static int64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Write a file in the folder for real; it has no name when it has bytes, so that none is ever left
 * behind. Returns an errno value. */
static int try_write(const char *folder)
{
    unsigned char bytes[4096], random[8];
    char path[PATH_MAX], suffix[2 * sizeof random + 1];
    ident_random(random, sizeof random);
    ident_hex(random, sizeof random, suffix);
    ident_random(bytes, sizeof bytes); /* a file system may not store zeros */
    int len = snprintf(path, sizeof path, "%s/doctor.tmp-%s", folder, suffix);
    if (len < 0 || (size_t)len >= sizeof path) return ENAMETOOLONG;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    int fault = unlink(path) == 0 ? 0 : errno;
    for (size_t done = 0; fault == 0 && done < TRY_BYTES;) {
        ssize_t n = write(fd, bytes, sizeof bytes);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            fault = n == 0 ? ENOSPC : errno;
    }
    if (close(fd) != 0 && fault == 0) fault = errno; /* a network file system tells it here */
    return fault;
}

static void check_write(struct doctor *d, const char *folder)
{
    int64_t since_us = clock_us();
    int fault = try_write(folder);
    d->write_us = clock_us() - since_us;
    if (fault == 0) return;
    bool refused = fault == EACCES || fault == EPERM || fault == EROFS;
    doctor_find_at(d,
                   fault == ENOSPC   ? "data-full"
                   : fault == EDQUOT ? "data-quota"
                   : refused         ? "data-not-writable"
                                     : "data-write-failed",
                   folder);
    if (fault == ENOSPC || fault == EDQUOT)
        doctor_number(d, "free_bytes", d->free_bytes);
    else
        doctor_error(d, fault);
}

static void check_space(struct doctor *d, const char *folder)
{
    struct statvfs fs;
    if (statvfs(folder, &fs) != 0) return;
    d->free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    d->free_files = fs.f_files == 0 ? -1 : (int64_t)fs.f_favail; /* some count no files */
    bool few = d->free_files >= 0 && d->free_files < FREE_FILES_MIN;
    if (d->free_bytes >= FREE_BYTES_MIN && !few) return;
    doctor_find_at(d, "data-low", folder);
    doctor_number(d, "free_bytes", d->free_bytes);
    doctor_number(d, "free_files", d->free_files);
}

static void check_file_system(struct doctor *d, const char *folder)
{
    struct statfs fs;
    if (statfs(folder, &fs) != 0) return;
    const struct fstype *type = fstype_find((uint32_t)fs.f_type);
    d->fs = type->name;
    if (!type->remote && !type->in_memory) return;
    doctor_find_at(d, type->remote ? "data-remote" : "data-volatile", folder);
    doctor_word(d, "fs", type->name);
}

/* Does what is at `path` belong to another user than this process? */
static bool is_foreign(const char *path, struct stat *st)
{
    return lstat(path, st) == 0 && st->st_uid != geteuid();
}

static void find_owner(struct doctor *d, const char *code, const char *path, const struct stat *st)
{
    doctor_find_at(d, code, path);
    doctor_number(d, "owner", st->st_uid);
    doctor_number(d, "user", geteuid());
}

/* One finding, for the folder or for the first of the files that every process needs. */
static void check_owner(struct doctor *d, const char *folder)
{
    static const char *const names[] = { "",       "/bell",       "/rates",
                                         "/slots", "/rooms.lock", "/" ADMIN_KEY_FILE };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX];
        struct stat st;
        snprintf(path, sizeof path, "%s%s", folder, names[i]);
        if (!is_foreign(path, &st)) continue;
        find_owner(d, "data-owner", path, &st);
        return;
    }
}

static void check_mode(struct doctor *d, const char *code, const char *path, mode_t too_much)
{
    struct stat st;
    if (stat(path, &st) != 0 || (st.st_mode & too_much) == 0) return;
    doctor_find_at(d, code, path);
    doctor_mode(d, st.st_mode);
}

/* Is one of the folders of this URL path named `.ht-klatch-` and 128 bits in hexadecimal? */
static bool is_unguessable(const char *url)
{
    static const char head[] = "/.ht-klatch-";
    const char *at = strstr(url, head);
    if (at == NULL) return false;
    at += sizeof head - 1;
    size_t digits = strspn(at, "0123456789abcdef");
    return digits == RANDOM_DIGITS && (at[digits] == '/' || at[digits] == '\0');
}

static void check_url(struct doctor *d, const char *path, const char *code,
                      const char *code_guessable)
{
    char url[DOCTOR_URL_BYTES_MAX];
    if (!doctor_url(d, path, url)) return;
    doctor_find_at(d, code, path);
    if (code_guessable != NULL && !is_unguessable(url)) doctor_find_at(d, code_guessable, path);
}

static void check_admin_key(struct doctor *d, const char *folder)
{
    char path[PATH_MAX], key[SECRET_BYTES_MAX + 1];
    snprintf(path, sizeof path, "%s/" ADMIN_KEY_FILE, folder);
    if (secret_read(folder, ADMIN_KEY_FILE, key) != 0 || strlen(key) < ADMIN_KEY_BYTES_MIN)
        doctor_find_at(d, "admin-key-missing", path);
    else
        check_mode(d, "admin-key-open", path, 077);
}

void doctor_check_data(struct doctor *d)
{
    const struct app *app = d->app;
    const char *folder = app->data_dir[0] == '\0' ? app->cfg.data_dir : app->data_dir;
    struct stat st;
    if (*folder != '/') return; /* the configuration, which names it, can't be read */
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        doctor_find_at(d, "data-missing", folder);
        return;
    }
    check_file_system(d, folder);
    check_space(d, folder);
    check_write(d, folder);
    check_owner(d, folder);
    check_mode(d, "data-open", folder, 077);
    check_url(d, folder, "data-in-root", "data-guessable");
    check_admin_key(d, folder);
}

static bool has_secret(const struct config *cfg)
{
    if (cfg->admin_key[0] != '\0' || cfg->turn_secret[0] != '\0' || cfg->token_keys_count > 0)
        return true;
    for (size_t i = 0; i < cfg->ice_servers_count; i++)
        if (strncmp(cfg->ice_servers[i], "turn", 4) == 0) return true;
    return false;
}

void doctor_check_config(struct doctor *d)
{
    const char *path = d->config;
    struct config cfg;
    struct stat st;
    char error[CONFIG_ERROR_BYTES_MAX] = "";
    d->config_found = *path != '\0' && stat(path, &st) == 0;
    if (!d->config_found) {
        doctor_find_at(d, "config-missing", path);
        return;
    }
    if (access(path, R_OK) != 0) {
        int fault = errno;
        doctor_find_at(d, "config-unreadable", path);
        doctor_error(d, fault);
    } else if (!config_read(&cfg, path, true, error)) {
        doctor_find_at(d, "config-wrong", path);
        doctor_number(d, "line",
                      strncmp(error, "line ", 5) == 0 ? strtoll(error + 5, NULL, 10) : 0);
        doctor_word(d, "error", error);
    } else if (has_secret(&cfg)) {
        check_mode(d, "config-open", path, S_IROTH);
    }
    check_url(d, path, "config-in-root", NULL);
}

void doctor_check_binary(struct doctor *d)
{
    struct stat st;
    if (d->binary[0] == '\0') return;
    if (is_foreign(d->binary, &st)) find_owner(d, "binary-owner", d->binary, &st);
    check_mode(d, "binary-open", d->binary, S_IWGRP | S_IWOTH);
}

/* The limit, or -1: none. */
static int64_t limit_of(int what)
{
    struct rlimit limit;
    if (getrlimit(what, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return -1;
    return (int64_t)limit.rlim_cur;
}

static void check_limit(struct doctor *d, const char *code, int64_t limit, int64_t least)
{
    if (limit < 0 || limit >= least) return;
    doctor_find(d, code);
    doctor_number(d, "limit", limit);
    doctor_number(d, "least", least);
}

static void check_clock(struct doctor *d)
{
    const struct app *app = d->app;
    int64_t wall_ms = app_wall_ms(app);
    int64_t step_ms = wall_ms - app_now_ms(app) - app->wall_ahead_ms;
    if (wall_ms < CLOCK_MS_MIN) {
        doctor_find(d, "clock-wrong");
        doctor_number(d, "time_ms", wall_ms);
    }
    if (step_ms <= -STEP_MS_MIN || step_ms >= STEP_MS_MIN) {
        doctor_find(d, "clock-stepped");
        doctor_number(d, "step_ms", step_ms);
    }
}

void doctor_check_host(struct doctor *d)
{
    const struct app *app = d->app;
    bool process = app->process_per_poll || strcmp(app->how, "cgi") == 0;
    if (app->trouble.status != 0) doctor_find(d, "refusing");
    if (geteuid() == 0) doctor_find(d, "runs-as-root");
    d->descriptors_max = limit_of(RLIMIT_NOFILE);
    d->processes_max = limit_of(RLIMIT_NPROC);
    check_limit(d, "descriptors-low", d->descriptors_max,
                process ? DESCRIPTORS_PROCESS_MIN : DESCRIPTORS_PARKED_MIN);
    check_limit(d, "processes-low", d->processes_max,
                PROCESSES_SPARE_MIN + (process ? app->cfg.polls_max : 0));
    if (strcmp(app->boot_id, "no-boot-id") == 0) doctor_find(d, "boot-id-unreadable");
    if (app->bell == NULL || !bell_alive(app->bell)) doctor_find(d, "bell-silent");
    if (app->rates == NULL) doctor_find(d, "rates-off");
    if (app->process_per_poll && app->slots == NULL) doctor_find(d, "slots-off");
    if (app->process_per_poll) {
        doctor_find(d, "process-per-poll");
        doctor_number(d, "polls_max", app->cfg.polls_max);
    }
    check_clock(d);
}
