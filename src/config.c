#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "config_values.h"
#include "log.h"

enum {
    FILE_BYTES_MAX = 65536,
    ALLOWED_BYTES_MAX = 128,
    SHOWN_BYTES_MAX = 40,  /* of a wrong key or value in an error */
    LEASE_SPARE_MS = 10000 /* of the lease above two holds */
};

static const char *const modes[] = { [CONFIG_MODE_AUTO] = "auto",
                                     [CONFIG_MODE_PROCESS] = "process",
                                     [CONFIG_MODE_PARKED] = "parked",
                                     NULL };
static const char *const levels[] = { [LOG_LEVEL_ERROR] = "error",
                                      [LOG_LEVEL_WARNING] = "warning",
                                      [LOG_LEVEL_INFO] = "info",
                                      [LOG_LEVEL_DEBUG] = "debug",
                                      NULL };

static const char *const token_uses[] = { [CONFIG_TOKENS_OFF] = "off",
                                          [CONFIG_TOKENS_OPTIONAL] = "optional",
                                          [CONFIG_TOKENS_REQUIRED] = "required",
                                          NULL };

static const char *const openers[] = {
    [CONFIG_OPEN_ANYONE] = "anyone", [CONFIG_OPEN_ADMIN] = "admin", NULL
};

#define INTEGER(key, min, max, initial, unit)                                             \
    {                                                                                     \
#key, CONFIG_INTEGER, offsetof(struct config, key), min, max, unit, initial, NULL \
    }
#define TEXT(type, key, min, initial, unit)                                                      \
    {                                                                                            \
#key, type, offsetof(struct config, key), min, CONFIG_TEXT_BYTES_MAX - 1, unit, initial, \
            NULL                                                                                 \
    }
#define WORD(key, initial, words)                                                   \
    {                                                                               \
#key, CONFIG_WORD, offsetof(struct config, key), 0, 0, NULL, initial, words \
    }

static const struct config_row rows[] = {
    TEXT(CONFIG_TEXT, data_dir, 1, "data", "a folder"),
    WORD(mode, "auto", modes),
    INTEGER(hold_ms, 0, 110000, "25000", "milliseconds"),
    INTEGER(lease_ms, 10000, 3600000, "75000", "milliseconds"),
    INTEGER(grace_ms, 0, 3600000, "45000", "milliseconds"),
    INTEGER(ttl_ms, 10000, 86400000, "180000", "milliseconds"),
    INTEGER(members_max, 1, 64, "16", "members"),
    INTEGER(rooms_max, 1, 1000000, "10000", "rooms"),
    INTEGER(message_bytes_max, 256, 65536, "65536", "bytes"),
    INTEGER(mailbox_bytes_max, 1024, 1073741824, "4194304", "bytes"),
    INTEGER(mailbox_messages_max, 16, 1000000, "4096", "messages"),
    INTEGER(polls_max, 0, 1000, "8", "polls"),
    INTEGER(rooms_open_max, 1, 10000, "256", "rooms"),
    INTEGER(joins_per_minute, 0, 100000, "60", "joins"),
    { "room_info", CONFIG_SWITCH, offsetof(struct config, room_info), 0, 0, NULL, "on", NULL },
    WORD(log_level, "warning", levels),
    TEXT(CONFIG_ADDRESS, poll_url, 0, "", "a path or URL without spaces"),
    { "origins", CONFIG_ORIGINS, offsetof(struct config, origins), 0, CONFIG_ORIGINS_MAX, NULL, "",
      NULL },
    { "frame_ancestors", CONFIG_ORIGINS, offsetof(struct config, frame_ancestors), 0,
      CONFIG_ORIGINS_MAX, NULL, "", NULL },
    { "ice_server", CONFIG_ICE_SERVER, 0, 0, CONFIG_ICE_SERVERS_MAX, NULL,
      "stun:stun.l.google.com:19302\nstun:stun.nextcloud.com:443", NULL },
    TEXT(CONFIG_SECRET, turn_secret, 0, "", "a secret without spaces"),
    INTEGER(turn_lifetime_ms, 60000, 86400000, "3600000", "milliseconds"),
    WORD(tokens, "off", token_uses),
    { "token_key", CONFIG_TOKEN_KEY, 0, 0, CONFIG_TOKEN_KEYS_MAX, NULL, "", NULL },
    INTEGER(token_leeway_ms, 0, 600000, "30000", "milliseconds"),
    WORD(rooms_open_by, "anyone", openers),
    TEXT(CONFIG_SECRET, admin_key, 0, "", "a secret without spaces"),
    { "events", CONFIG_SWITCH, offsetof(struct config, events), 0, 0, NULL, "off", NULL },
};

enum { ROWS = sizeof rows / sizeof *rows };
_Static_assert(ROWS <= 64, "one bit each in `seen`");

const struct config_row *config_rows(size_t *count)
{
    *count = ROWS;
    return rows;
}

const char *config_row_allowed(const struct config_row *row, char *out, size_t out_size)
{
    switch (row->type) {
    case CONFIG_INTEGER:
        snprintf(out, out_size, "a whole number of %s, %" PRId64 " to %" PRId64, row->unit,
                 row->min, row->max);
        break;
    case CONFIG_SWITCH: snprintf(out, out_size, "on or off"); break;
    case CONFIG_WORD: {
        int len = snprintf(out, out_size, "one of %s", row->words[0]);
        for (size_t i = 1; row->words[i] != NULL && len > 0 && (size_t)len < out_size; i++)
            len += snprintf(out + len, out_size - (size_t)len, ", %s", row->words[i]);
        break;
    }
    case CONFIG_TEXT:
    case CONFIG_ADDRESS:
    case CONFIG_SECRET:
        snprintf(out, out_size, "%s, %" PRId64 " to %" PRId64 " characters", row->unit, row->min,
                 row->max);
        break;
    case CONFIG_ORIGINS:
        snprintf(out, out_size,
                 "up to %d origins like https://example.org or https://*.example.org, or a lone *",
                 CONFIG_ORIGINS_MAX);
        break;
    case CONFIG_ICE_SERVER:
        snprintf(out, out_size,
                 "stun:host:port, or turn:host:port username password; up to %d lines; a lone none",
                 CONFIG_ICE_SERVERS_MAX);
        break;
    case CONFIG_TOKEN_KEY:
        snprintf(out, out_size, "an id, a space, a secret of %d to %d characters; up to %d lines",
                 CONFIG_TOKEN_SECRET_BYTES_MIN, CONFIG_TOKEN_SECRET_BYTES_MAX,
                 CONFIG_TOKEN_KEYS_MAX);
        break;
    }
    return out;
}

static bool is_repeatable(const struct config_row *row)
{
    return row->type == CONFIG_ICE_SERVER || row->type == CONFIG_TOKEN_KEY;
}

/* Its value has no place in a log. */
static bool is_secret(const struct config_row *row)
{
    return row->type == CONFIG_SECRET || row->type == CONFIG_TOKEN_KEY;
}

struct reader {
    struct config *cfg;
    uint64_t seen; /* bit for bit a row */
    bool ice_none;
    int line;
    char *error;
};

static bool set_row(struct reader *r, const struct config_row *row, struct slice value, bool first)
{
    char *at = (char *)r->cfg + row->offset;
    switch (row->type) {
    case CONFIG_INTEGER: return value_integer(value, row->min, row->max, (int64_t *)(void *)at);
    case CONFIG_SWITCH:
        *(bool *)at = slice_is(value, "on");
        return *(bool *)at || slice_is(value, "off");
    case CONFIG_WORD:
        for (int i = 0; row->words[i] != NULL; i++) {
            if (slice_is(value, row->words[i])) {
                *(int *)(void *)at = i;
                return true;
            }
        }
        return false;
    case CONFIG_TEXT:
    case CONFIG_ADDRESS:
    case CONFIG_SECRET:
        if ((int64_t)value.len < row->min || (int64_t)value.len > row->max ||
            (row->type != CONFIG_TEXT && !value_printable(value)))
            return false;
        memset(at, 0, CONFIG_TEXT_BYTES_MAX);
        memcpy(at, value.at, value.len);
        return true;
    case CONFIG_ORIGINS: return value_set_origins((struct config_origins *)(void *)at, value);
    case CONFIG_ICE_SERVER: return value_add_ice_server(r->cfg, value, first, &r->ice_none);
    case CONFIG_TOKEN_KEY: return value_add_token_key(r->cfg, value, first);
    }
    return false;
}

/* The start of `s` for a message, what is not printable ASCII as `?`. */
static const char *shown(struct slice s, char out[SHOWN_BYTES_MAX + 1])
{
    size_t len = s.len < SHOWN_BYTES_MAX ? s.len : SHOWN_BYTES_MAX;
    for (size_t i = 0; i < len; i++) out[i] = s.at[i] < 0x20 || s.at[i] > 0x7e ? '?' : s.at[i];
    out[len] = '\0';
    return out;
}

__attribute__((format(printf, 2, 3))) static bool refuse(struct reader *r, const char *format, ...)
{
    va_list arguments;
    int len = snprintf(r->error, CONFIG_ERROR_BYTES_MAX, "line %d: ", r->line);
    va_start(arguments, format);
    vsnprintf(r->error + len, CONFIG_ERROR_BYTES_MAX - (size_t)len, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_line(struct reader *r, struct slice line)
{
    char key_text[SHOWN_BYTES_MAX + 1], value_text[SHOWN_BYTES_MAX + 1];
    char allowed[ALLOWED_BYTES_MAX];
    if (line.len > 0 && line.at[line.len - 1] == '\r') line.len--;
    struct slice value = value_trim(line);
    if (value.len == 0 || *value.at == '#') return true;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return refuse(r, "a control character stands in it; allowed: key = value");
    }
    bool has_equals = memchr(value.at, '=', value.len) != NULL;
    struct slice key = value_trim(value_cut(&value, '='));
    value = value_trim(value);
    if (!has_equals || key.len == 0)
        return refuse(r, "\"%s\" is no setting; allowed: key = value", shown(key, key_text));
    for (size_t i = 0; i < ROWS; i++) {
        if (!slice_is(key, rows[i].name)) continue;
        bool first = (r->seen >> i & 1) == 0;
        if (!first && !is_repeatable(&rows[i]))
            return refuse(r, "%s is set a second time; allowed: once", rows[i].name);
        r->seen |= UINT64_C(1) << i;
        if (memchr(value.at, '\t', value.len) != NULL || !set_row(r, &rows[i], value, first))
            return refuse(r, "%s is \"%s\"; allowed: %s", rows[i].name,
                          is_secret(&rows[i]) ? "..." : shown(value, value_text),
                          config_row_allowed(&rows[i], allowed, sizeof allowed));
        return true;
    }
    return refuse(r, "\"%s\" is unknown; allowed: the keys of klatch.conf.sample",
                  shown(key, key_text));
}

void config_default(struct config *cfg)
{
    memset(cfg, 0, sizeof *cfg);
    struct reader r = { .cfg = cfg };
    for (size_t i = 0; i < ROWS; i++) {
        struct slice rest = slice_of(rows[i].initial);
        bool fine = true;
        for (bool first = true; fine && (first || rest.len > 0); first = false)
            fine = set_row(&r, &rows[i], value_cut(&rest, '\n'), first);
        assert(fine);
        (void)fine;
    }
}

bool config_ice_from_secret(const char *server)
{
    return strncmp(server, "turn", 4) == 0 && strchr(server, ' ') == NULL;
}

static bool say(char error[CONFIG_ERROR_BYTES_MAX], const char *what)
{
    snprintf(error, CONFIG_ERROR_BYTES_MAX, "%s", what);
    return false;
}

/* Each pair of keys that must fit each other. */
static bool check_pairs(const struct config *cfg, char error[CONFIG_ERROR_BYTES_MAX])
{
    const struct {
        const char *name, *least_name;
        int64_t value, least;
    } pairs[] = {
        { "lease_ms", "2 x hold_ms + 10000", cfg->lease_ms, 2 * cfg->hold_ms + LEASE_SPARE_MS },
        { "ttl_ms", "hold_ms + lease_ms + grace_ms", cfg->ttl_ms,
          cfg->hold_ms + cfg->lease_ms + cfg->grace_ms },
        { "mailbox_bytes_max", "4 x message_bytes_max", cfg->mailbox_bytes_max,
          4 * cfg->message_bytes_max }, /* one sender may fill a quarter */
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i].value >= pairs[i].least) continue;
        snprintf(error, CONFIG_ERROR_BYTES_MAX,
                 "%s is %" PRId64 "; allowed: at least %s, which is %" PRId64, pairs[i].name,
                 pairs[i].value, pairs[i].least_name, pairs[i].least);
        return false;
    }
    if (cfg->tokens != CONFIG_TOKENS_OFF && cfg->token_keys_count == 0)
        return say(error, "tokens is on without a key; allowed: off, or a token_key beside it");
    if (cfg->admin_key[0] != '\0' && strlen(cfg->admin_key) < CONFIG_ADMIN_KEY_BYTES_MIN)
        return say(error, "admin_key is too short to be safe; allowed: 32 to 511 characters, made "
                          "with openssl rand -hex 32, or none");
    for (size_t i = 0; i < cfg->ice_servers_count; i++) {
        if (cfg->turn_secret[0] == '\0' && config_ice_from_secret(cfg->ice_servers[i]))
            return say(error, "ice_server names a relay without a password; allowed: with username "
                              "and password, or with a turn_secret beside it");
    }
    return true;
}

bool config_parse(struct config *cfg, const char *text, size_t len,
                  char error[CONFIG_ERROR_BYTES_MAX])
{
    struct config read = *cfg;
    struct reader r = { .cfg = &read, .error = error };
    struct slice rest = { text, len };
    if (value_starts(rest, "\xef\xbb\xbf")) rest = (struct slice){ text + 3, len - 3 };
    while (rest.len > 0) {
        r.line++;
        if (!read_line(&r, value_cut(&rest, '\n'))) return false;
    }
    if (!check_pairs(&read, error)) return false;
    *cfg = read;
    return true;
}

/* The file's bytes into `text`. Returns an errno value, EFBIG above FILE_BYTES_MAX. */
static int read_file(const char *path, char text[FILE_BYTES_MAX + 1], size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return errno;
    int fault = fstat(fd, &st) != 0 ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;
    ssize_t got = 1;
    *len = 0;
    while (fault == 0 && got != 0 && *len <= FILE_BYTES_MAX) {
        got = read(fd, text + *len, FILE_BYTES_MAX + 1 - *len);
        if (got > 0)
            *len += (size_t)got;
        else if (got < 0 && errno != EINTR)
            fault = errno;
    }
    close(fd);
    return fault == 0 && *len > FILE_BYTES_MAX ? EFBIG : fault;
}

/* Put the folder of the file at `path`, resolved, before a relative data_dir. */
static bool make_absolute(struct config *cfg, const char *path, char error[CONFIG_ERROR_BYTES_MAX])
{
    if (cfg->data_dir[0] == '/') return true;
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    char *resolved = folder == NULL ? NULL : realpath(folder, NULL);
    char joined[PATH_MAX + CONFIG_TEXT_BYTES_MAX + 2];
    bool fits = false;
    if (resolved != NULL) {
        int len = snprintf(joined, sizeof joined, "%s/%s",
                           strcmp(resolved, "/") == 0 ? "" : resolved, cfg->data_dir);
        fits = len > 0 && len < CONFIG_TEXT_BYTES_MAX;
    }
    if (fits)
        memcpy(cfg->data_dir, joined, strlen(joined) + 1);
    else
        snprintf(error, CONFIG_ERROR_BYTES_MAX, "data_dir: the folder of %.100s %s", path,
                 resolved == NULL ? "is not there" : "has too long a name");
    free(resolved);
    free(folder);
    return fits;
}

bool config_read(struct config *cfg, const char *path, bool required,
                 char error[CONFIG_ERROR_BYTES_MAX])
{
    struct config read;
    size_t len = 0;
    char *text = malloc(FILE_BYTES_MAX + 1);
    int fault = text == NULL ? ENOMEM : read_file(path, text, &len);
    bool fine = fault == 0 || (fault == ENOENT && !required);
    config_default(&read);
    if (!fine)
        snprintf(error, CONFIG_ERROR_BYTES_MAX, "%.100s: %s", path,
                 fault == EFBIG    ? "longer than 64 KiB"
                 : fault == EINVAL ? "not a file"
                                   : strerror(fault));
    else if (fault == 0)
        fine = config_parse(&read, text, len, error);
    fine = fine && make_absolute(&read, path, error);
    snprintf(read.path, sizeof read.path, "%s", path);
    if (fine) *cfg = read;
    free(text);
    return fine;
}
