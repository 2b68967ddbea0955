#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ident.h"
#include "log.h"

enum {
    ABOVE_MAX = 8,      /* folders above the binary's that may hold klatch-private */
    ENTRIES_MAX = 4096, /* of the binary's folder that are looked through */
    SECRET_BYTES = 16,
    SECRET_CHARS = 2 * SECRET_BYTES,
};

#define FILE_NAME    "klatch.conf"
#define PRIVATE_NAME "klatch-private"
#define LINK_NAME    ".ht-klatch"
#define OWN_START    ".ht-klatch-"
#define LINK_START   "none/" /* leads nowhere */

enum { OWN_NAME_BYTES = sizeof OWN_START + SECRET_CHARS };

/* ---- where the binary lies ---- */

static bool starts(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static void strip_deleted(char *path)
{
    static const char mark[] = " (deleted)"; /* proc(5), of the link exe */
    size_t len = strlen(path);
    struct stat st;
    if (len < sizeof mark || strcmp(path + len - (sizeof mark - 1), mark) != 0) return;
    if (lstat(path, &st) != 0) path[len - (sizeof mark - 1)] = '\0';
}

void place_open(struct place *p, const char *argv0)
{
    ssize_t n = readlink("/proc/self/exe", p->binary, sizeof p->binary - 1);
    p->binary[n > 0 ? n : 0] = '\0';
    bool copy = starts(p->binary, "/memfd:" PLACE_COPY_NAME);
    if (copy && argv0 != NULL && argv0[0] == '/' && strlen(argv0) < sizeof p->binary)
        memcpy(p->binary, argv0, strlen(argv0) + 1);
    else if (n > 0 && !copy)
        strip_deleted(p->binary);
    else if (argv0 == NULL || strchr(argv0, '/') == NULL || realpath(argv0, p->binary) == NULL) {
        char *here = getcwd(NULL, 0);
        snprintf(p->binary, sizeof p->binary, "%s/klatch.fcgi", here == NULL ? "" : here);
        free(here);
    }
    memcpy(p->folder, p->binary, sizeof p->folder);
    char *slash = strrchr(p->folder, '/');
    if (slash == p->folder) slash++;
    if (slash != NULL) *slash = '\0';
}

/* `folder`/`name`; false: longer than a path of the configuration may be. */
static bool join(char out[CONFIG_TEXT_BYTES_MAX], const char *folder, const char *name)
{
    if (strlen(folder) + strlen(name) + 2 > CONFIG_TEXT_BYTES_MAX) return false;
    strcpy(out, strcmp(folder, "/") == 0 ? "" : folder);
    strcat(out, "/");
    strcat(out, name);
    return true;
}

bool place_has_beside(const struct place *p, const char *name)
{
    char path[CONFIG_TEXT_BYTES_MAX];
    struct stat st;
    return join(path, p->folder, name) && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_uid == geteuid() || st.st_uid == 0) && access(path, X_OK) == 0;
}

/* ---- faults ---- */

__attribute__((format(printf, 3, 4))) static bool fail(struct place_fault *fault,
                                                       struct problem problem, const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->log, sizeof fault->log, format, arguments);
    va_end(arguments);
    fault->problem = problem;
    return false;
}

static bool fail_open_folder(struct place_fault *fault, const char *folder)
{
    return fail(fault,
                PROBLEM(500, "misconfigured",
                        "Every user of this machine can write to Klatch's own folder, so that "
                        "Klatch does not trust it: give it the mode 700. The log names it."),
                "path=%s error=every user can write to it", folder);
}

/* The folder at `path` can't be made. */
static bool fail_to_make(struct place_fault *fault, const char *path, int error)
{
    if (error == ENOSPC || error == EDQUOT)
        return fail(fault,
                    PROBLEM(507, "disk-full",
                            "There is no space left for Klatch's own folder: free some of this "
                            "account's space."),
                    "path=%s error=%s", path, strerror(error));
    return fail(fault,
                PROBLEM(500, "misconfigured",
                        "Klatch found no folder for its data. Make a folder named klatch-private "
                        "beside the web folder, not in it, or let the user that Klatch runs as "
                        "write to the folder of klatch.fcgi. The log names what was tried."),
                "path=%s error=%s", path, strerror(error));
}

static bool fail_long(struct place_fault *fault, const char *folder)
{
    return fail(fault,
                PROBLEM(500, "misconfigured",
                        "The path of Klatch's folder is too long; move it further up."),
                "path=%.600s error=the path is too long", folder);
}

/* ---- folders of our own ---- */

enum folder { FOLDER_GOOD, FOLDER_NONE, FOLDER_OPEN /* to every user */ };

static enum folder judge(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) return FOLDER_NONE;
    return st.st_mode & S_IWOTH ? FOLDER_OPEN : FOLDER_GOOD;
}

/* Is a folder on this path named as hosts name what a web server shows? `www` is also on the way to
 * many homes, so that only the last name counts there. */
static bool named_as_web(const char *folder)
{
    static const char *const names[] = { "public_html", "public_ftp", "httpdocs", "httpsdocs",
                                         "htdocs",      "html",       "wwwroot",  "webroot",
                                         "docroot",     "web",        "public",   "cgi-bin" };
    for (const char *at = folder; *at == '/'; at += strcspn(at, "/")) {
        at++;
        size_t len = strcspn(at, "/");
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strlen(names[i]) == len && memcmp(at, names[i], len) == 0) return true;
        if (strcmp(at, "www") == 0) return true;
    }
    return false;
}

static bool has_index(const char *folder)
{
    static const char *const names[] = { "index.html", "index.htm", "index.php", "index.shtml" };
    char path[CONFIG_TEXT_BYTES_MAX];
    struct stat st;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (join(path, folder, names[i]) && lstat(path, &st) == 0) return true;
    return false;
}

/* klatch-private in a folder above that no web server shows. `tell`: log what is passed over. */
static enum folder find_private(const char *start, bool tell, char out[CONFIG_TEXT_BYTES_MAX])
{
    char above[PATH_MAX];
    memcpy(above, start, sizeof above);
    for (int i = 0; i < ABOVE_MAX; i++) {
        char *slash = strrchr(above, '/');
        if (slash == NULL || above[1] == '\0') break;
        slash[slash == above ? 1 : 0] = '\0';
        if (!join(out, above, PRIVATE_NAME)) continue;
        enum folder found = judge(out);
        if (found == FOLDER_NONE) continue;
        if (!named_as_web(above) && !has_index(above)) return found;
        if (!tell) continue;
        log_event(LOG_LEVEL_INFO, "private-folder-passed", "path=%s reason=a web server shows it",
                  out);
    }
    return FOLDER_NONE;
}

static bool is_own_name(const char *name)
{
    return strlen(name) == sizeof OWN_START - 1 + SECRET_CHARS && starts(name, OWN_START) &&
           strspn(name + sizeof OWN_START - 1, "0123456789abcdef") == SECRET_CHARS;
}

/* The folder of our own beside the binary; of several the first by name, for every process. */
static enum folder find_own(const char *folder, char out[CONFIG_TEXT_BYTES_MAX])
{
    char best[OWN_NAME_BYTES] = "", path[CONFIG_TEXT_BYTES_MAX];
    enum folder found = FOLDER_NONE;
    DIR *dir = opendir(folder);
    if (dir == NULL) return FOLDER_NONE;
    struct dirent *e;
    for (int left = ENTRIES_MAX; left > 0 && (e = readdir(dir)) != NULL; left--) {
        if (!is_own_name(e->d_name) || (best[0] != '\0' && strcmp(e->d_name, best) > 0)) continue;
        if (!join(path, folder, e->d_name)) continue;
        enum folder one = judge(path);
        if (one == FOLDER_NONE) continue;
        found = one;
        memcpy(best, e->d_name, sizeof best);
    }
    closedir(dir);
    if (found != FOLDER_NONE) (void)join(out, folder, best);
    return found;
}

/* The name that all processes take: the first one's link says it. Returns an errno value. */
static int agree(const char *folder, char name[OWN_NAME_BYTES])
{
    uint8_t secret[SECRET_BYTES];
    char link[CONFIG_TEXT_BYTES_MAX], target[OWN_NAME_BYTES], hex[SECRET_CHARS + 1];
    if (!join(link, folder, LINK_NAME)) return ENAMETOOLONG;
    ident_random(secret, sizeof secret);
    ident_hex(secret, sizeof secret, hex);
    snprintf(target, sizeof target, LINK_START "%s", hex);
    snprintf(name, OWN_NAME_BYTES, OWN_START "%s", hex);
    if (symlink(target, link) == 0) return 0;
    /* A file system without links: who comes at the same instant may take another name, once. */
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) return 0;
    if (errno != EEXIST) return errno;
    struct stat st;
    ssize_t len = readlink(link, target, sizeof target - 1);
    if (len < 0) return errno;
    target[len] = '\0';
    if (lstat(link, &st) != 0 || (st.st_uid != geteuid() && st.st_uid != 0)) return EPERM;
    if (!starts(target, LINK_START)) return EINVAL;
    snprintf(name, OWN_NAME_BYTES, OWN_START "%.*s", SECRET_CHARS, target + sizeof LINK_START - 1);
    return is_own_name(name) ? 0 : EINVAL;
}

static bool make_own(const char *folder, char out[CONFIG_TEXT_BYTES_MAX], struct place_fault *fault)
{
    char name[OWN_NAME_BYTES];
    int error = agree(folder, name);
    if (error == 0 && !join(out, folder, name)) error = ENAMETOOLONG;
    if (error == 0 && mkdir(out, 0700) != 0 && errno != EEXIST) error = errno;
    if (error != 0) return fail_to_make(fault, folder, error);
    return judge(out) == FOLDER_GOOD ? true : fail_to_make(fault, out, EPERM);
}

int place_make_data_dir(const char *path)
{
    char around[CONFIG_TEXT_BYTES_MAX];
    if (mkdir(path, 0700) == 0 || errno == EEXIST) return 0;
    if (errno != ENOENT) return errno;
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= sizeof around) return ENOENT;
    memcpy(around, path, (size_t)(slash - path));
    around[slash - path] = '\0';
    const char *name = strrchr(around, '/');
    if (name == NULL || !is_own_name(name + 1)) return ENOENT;
    if (mkdir(around, 0700) != 0 && errno != EEXIST) return errno;
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : errno;
}

/* ---- the search ---- */

enum kind { KIND_PLAIN, KIND_PRIVATE, KIND_MAKE };

/* klatch.conf's path; KIND_PRIVATE: in a folder of our own. False: *fault. Each second's look does
 * not `tell` again what a start told. */
static bool search(const struct place *p, const char *given, bool tell,
                   char path[CONFIG_TEXT_BYTES_MAX], enum kind *kind, struct place_fault *fault)
{
    static const char *const places[] = { FILE_NAME, "../" FILE_NAME };
    char folder[CONFIG_TEXT_BYTES_MAX];
    *kind = KIND_PLAIN;
    if (given != NULL) {
        snprintf(path, CONFIG_TEXT_BYTES_MAX, "%s", given);
        return strlen(given) < CONFIG_TEXT_BYTES_MAX ? true : fail_long(fault, given);
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (join(path, p->folder, places[i]) && access(path, F_OK) == 0) return true;
    enum folder found = find_private(p->folder, tell, folder);
    if (found == FOLDER_NONE) found = find_own(p->folder, folder);
    if (found == FOLDER_OPEN) return fail_open_folder(fault, folder);
    *kind = found == FOLDER_GOOD ? KIND_PRIVATE : KIND_MAKE;
    path[0] = '\0';
    return found == FOLDER_NONE || join(path, folder, FILE_NAME) ? true : fail_long(fault, folder);
}

bool place_find(const struct place *p, const char *given, char path[CONFIG_TEXT_BYTES_MAX],
                struct place_fault *fault)
{
    enum kind kind;
    return search(p, given, false, path, &kind, fault);
}

/* What others could have put there is not read. */
static bool check_own_file(const char *path, struct place_fault *fault)
{
    struct stat st;
    if (lstat(path, &st) != 0 || (S_ISREG(st.st_mode) && st.st_uid == geteuid())) return true;
    return fail(fault,
                PROBLEM(500, "misconfigured",
                        "klatch.conf is no plain file of the user that Klatch runs as: upload it "
                        "again. The log names it."),
                "path=%s error=not a plain file of our own user", path);
}

/* An upload or an unpacked zip may have given our own folder any mode. */
static void close_to_others(const char *config_path)
{
    char folder[CONFIG_TEXT_BYTES_MAX];
    struct stat st;
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(config_path) - sizeof FILE_NAME),
             config_path);
    if (lstat(folder, &st) == 0 && (st.st_mode & 0077) != 0) (void)chmod(folder, 0700);
}

/* The data folder in a folder of our own: nothing there may be a link or another user's. An upload
 * may have given it any mode. */
static bool check_own_data(const struct config *cfg, struct place_fault *fault)
{
    struct stat st;
    if (lstat(cfg->data_dir, &st) != 0) return true;
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return fail(fault,
                    PROBLEM(500, "misconfigured",
                            "The data folder is no folder of the user that Klatch runs as: move "
                            "it away, and Klatch makes a new one. The log names it."),
                    "path=%s error=not a folder of our own user", cfg->data_dir);
    if (st.st_mode & S_IWOTH) return fail_open_folder(fault, cfg->data_dir);
    if ((st.st_mode & 0777) != 0700) (void)chmod(cfg->data_dir, 0700);
    return true;
}

bool place_read_config(struct config *cfg, const struct place *p, const char *given,
                       struct place_fault *fault)
{
    char path[CONFIG_TEXT_BYTES_MAX], folder[CONFIG_TEXT_BYTES_MAX], error[CONFIG_ERROR_BYTES_MAX];
    enum kind kind;
    if (!search(p, given, true, path, &kind, fault)) return false;
    if (kind == KIND_MAKE) {
        if (!make_own(p->folder, folder, fault)) return false;
        if (!join(path, folder, FILE_NAME)) return fail_long(fault, folder);
    }
    if (kind != KIND_PLAIN && !check_own_file(path, fault)) return false;
    if (!config_read(cfg, path, given != NULL, error))
        return fail(
            fault,
            PROBLEM(500, "misconfigured",
                    "Klatch can't use its configuration; its log names the line and what is "
                    "allowed there."),
            "path=%s error=%s", path, error);
    if (kind != KIND_PLAIN) close_to_others(path);
    size_t len = strlen(path) - strlen(FILE_NAME);
    bool inside = kind != KIND_PLAIN && strncmp(cfg->data_dir, path, len) == 0;
    return inside ? check_own_data(cfg, fault) : true;
}
