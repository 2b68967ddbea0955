#include "config_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "ident.h"

enum { NOWHERE = -1, TEMPORARY_RANDOM_BYTES = 8 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && is_blank(s.at[0])) s = (struct slice){ s.at + 1, s.len - 1 };
    while (s.len > 0 && is_blank(s.at[s.len - 1])) s.len--;
    return s;
}

/* The next line of `rest`, with its end. */
static struct slice cut_line(struct slice *rest)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    size_t len = end == NULL ? rest->len : (size_t)(end - rest->at) + 1;
    struct slice line = { rest->at, len };
    *rest = (struct slice){ rest->at + len, rest->len - len };
    return line;
}

/* "\r\n", "\n", or nothing at the end of a file. */
static struct slice end_of(struct slice line)
{
    size_t len = 0;
    if (line.len > 0 && line.at[line.len - 1] == '\n') len = 1;
    if (len == 1 && line.len > 1 && line.at[line.len - 2] == '\r') len = 2;
    return (struct slice){ line.at + line.len - len, len };
}

/* Does this line set `key`, as config_parse() reads it? */
static bool sets(struct slice line, const char *key)
{
    line.len -= end_of(line).len;
    line = trim(line);
    const char *equals = line.len == 0 ? NULL : memchr(line.at, '=', line.len);
    return equals != NULL &&
           slice_is(trim((struct slice){ line.at, (size_t)(equals - line.at) }), key);
}

static bool shows_default(struct slice line, const char *key)
{
    return line.len > 0 && line.at[0] == '#' &&
           sets((struct slice){ line.at + 1, line.len - 1 }, key);
}

static bool fits_line(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < 0x20 || value.at[i] > 0x7e) return false;
    }
    return value.len == 0 || (value.at[0] != ' ' && value.at[value.len - 1] != ' ');
}

/* Where a setting goes: to the place of line `at`, or behind it. */
struct target {
    long at;
    bool replaces;
};

static void find_targets(struct slice text, const struct config_setting *settings, size_t count,
                         struct target *targets)
{
    for (size_t i = 0; i < count; i++) targets[i] = (struct target){ .at = NOWHERE };
    for (long n = 0; text.len > 0; n++) {
        struct slice line = cut_line(&text);
        for (size_t i = 0; i < count; i++) {
            bool here = !targets[i].replaces && sets(line, settings[i].key);
            if (here || (targets[i].at == NOWHERE && shows_default(line, settings[i].key)))
                targets[i] = (struct target){ .at = n, .replaces = here };
        }
    }
}

static void put(struct buf *out, const struct config_setting *setting, struct slice end)
{
    buf_text(out, setting->key);
    buf_text(out, setting->value.len == 0 ? " =" : " = ");
    buf_slice(out, setting->value);
    buf_slice(out, end);
}

/* End the line that `out` has open since `from`; half an end may be there. */
static void end_line(struct buf *out, size_t from, struct slice end)
{
    char last = out->len > from ? out->at[out->len - 1] : '\n';
    if (last == '\r')
        buf_text(out, "\n");
    else if (last != '\n')
        buf_slice(out, end);
}

/* Line `n` of the text, or what replaces it, and what comes behind it. */
static void put_line(struct buf *out, struct slice line, long n,
                     const struct config_setting *settings, const struct target *targets,
                     size_t count, struct slice end)
{
    size_t from = out->len, changed = count;
    struct slice own_end = end_of(line);
    for (size_t i = 0; i < count; i++)
        if (targets[i].replaces && targets[i].at == n) changed = i;
    if (changed < count)
        put(out, &settings[changed], own_end);
    else
        buf_slice(out, line);
    if (own_end.len == 0) own_end = end;
    for (size_t i = 0; i < count; i++) {
        if (targets[i].replaces || targets[i].at != n) continue;
        end_line(out, from, own_end);
        put(out, &settings[i], own_end);
    }
}

bool config_edit(struct slice text, const struct config_setting *settings, size_t count,
                 struct buf *out)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct target targets[CONFIG_EDIT_SETTINGS_MAX];
    bool fit = count <= CONFIG_EDIT_SETTINGS_MAX;
    for (size_t i = 0; fit && i < count; i++) fit = fits_line(settings[i].value);
    if (!fit) return false;
    if (text.len >= 3 && memcmp(text.at, mark, 3) == 0) {
        buf_text(out, mark);
        text = (struct slice){ text.at + 3, text.len - 3 };
    }
    find_targets(text, settings, count, targets);
    size_t from = out->len;
    struct slice rest = text, end = text.len == 0 ? SLICE_NONE : end_of(cut_line(&rest));
    if (end.len == 0) end = slice_of("\n");
    rest = text;
    for (long n = 0; rest.len > 0; n++)
        put_line(out, cut_line(&rest), n, settings, targets, count, end);
    for (size_t i = 0; i < count; i++) {
        if (targets[i].at != NOWHERE) continue;
        end_line(out, from, end);
        put(out, &settings[i], end);
    }
    return !out->failed;
}

static struct problem not_written(int fault)
{
    if (fault == ENOSPC || fault == EDQUOT)
        return PROBLEM(507, "disk-full",
                       "There is no space for the configuration; delete files "
                       "or ask your host for more.");
    return PROBLEM(507, "not-writable",
                   "Klatch may not write its configuration file; give the file and its folder to "
                   "the user that Klatch runs as, or put the lines in by hand.");
}

/* The file's bytes into `text`. Returns an errno value. */
static int read_whole(const char *path, struct buf *text, struct stat *st)
{
    char part[4096];
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return errno;
    int fault = fstat(fd, st) != 0 ? errno : S_ISREG(st->st_mode) ? 0 : EINVAL;
    while (fault == 0 && got != 0 && !text->failed) {
        got = read(fd, part, sizeof part);
        if (got > 0)
            buf_add(text, part, (size_t)got);
        else if (got < 0 && errno != EINTR)
            fault = errno;
    }
    close(fd);
    return fault == 0 && text->failed ? EFBIG : fault;
}

static int write_all(int fd, const struct buf *text)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(fd, text->at + at, text->len - at);
        if (n < 0 && errno != EINTR) return errno;
        if (n == 0) return ENOSPC;
        if (n > 0) at += (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* Owner and mode of the file that `fd` replaces. One that can't keep its owner isn't replaced. */
static int keep_rights(int fd, const struct stat *old)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return errno;
    if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) != 0)
        return errno;
    return fchmod(fd, old->st_mode & 0777) == 0 ? 0 : errno;
}

/* After a power cut the folder names the old file or the new one. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

/* Put `text` at `path` in one step. `old`: the file that is there, or NULL. An errno value. */
static int replace(const char *path, const struct stat *old, const struct buf *text)
{
    uint8_t random[TEMPORARY_RANDOM_BYTES];
    char suffix[2 * sizeof random + 1], *temporary = NULL;
    ident_random(random, sizeof random);
    ident_hex(random, sizeof random, suffix);
    if (old != NULL && access(path, W_OK) != 0) return errno;
    if (asprintf(&temporary, "%s.tmp-%s", path, suffix) < 0) return ENOMEM;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int fault = fd < 0 ? errno : 0;
    if (fault == 0 && old != NULL) fault = keep_rights(fd, old);
    if (fault == 0) fault = write_all(fd, text);
    if (fd >= 0 && close(fd) != 0 && fault == 0) fault = errno;
    if (fault == 0 && rename(temporary, path) != 0) fault = errno;
    if (fault == 0)
        sync_folder(path);
    else if (fd >= 0)
        (void)unlink(temporary);
    free(temporary);
    return fault;
}

static struct problem check(const struct buf *text, struct problem wrong)
{
    char error[CONFIG_ERROR_BYTES_MAX];
    struct config cfg;
    config_default(&cfg);
    return config_parse(&cfg, text->at, text->len, error) ? NO_PROBLEM : wrong;
}

static struct problem save(const char *path, const struct config_setting *settings, size_t count,
                           struct buf *before, struct buf *after)
{
    struct stat st = { 0 };
    int fault = read_whole(path, before, &st);
    bool there = fault == 0;
    if (!there && fault != ENOENT) return not_written(fault);
    struct problem p = check(before, PROBLEM(409, "config-wrong",
                                             "The configuration file is wrong as it stands; mend "
                                             "or delete the line that the report names."));
    if (p.status != 0) return p;
    if (!config_edit((struct slice){ before->at, before->len }, settings, count, after))
        return PROBLEM(400, "invalid-request", "These settings can't stand in the file.");
    p = check(after, PROBLEM(409, "config-wrong",
                             "With these settings the configuration would be wrong: lease_ms must "
                             "be at least twice hold_ms and 10000, ttl_ms at least hold_ms, "
                             "lease_ms and grace_ms together."));
    if (p.status != 0) return p;
    fault = replace(path, there ? &st : NULL, after);
    return fault == 0 ? NO_PROBLEM : not_written(fault);
}

struct problem config_save(const char *path, const struct config_setting *settings, size_t count)
{
    struct buf before, after;
    if (*path == '\0' || strlen(path) >= CONFIG_TEXT_BYTES_MAX - 1) /* may have been cut */
        return not_written(ENAMETOOLONG);
    buf_init(&before, CONFIG_EDIT_FILE_BYTES_MAX);
    buf_init(&after, CONFIG_EDIT_FILE_BYTES_MAX);
    char *real = realpath(path, NULL); /* a link to the file stays */
    struct problem p = save(real == NULL ? path : real, settings, count, &before, &after);
    free(real);
    buf_free(&before);
    buf_free(&after);
    return p;
}
