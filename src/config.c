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
#include "log.h"

enum {
    FILE_BYTES_MAX = 65536,
    ALLOWED_BYTES_MAX = 128,
    SHOWN_BYTES_MAX = 40, /* of a wrong key or value in an error */
    HOST_BYTES_MAX = 253, /* RFC 1035, 2.3.4 as text */
    PORT_MAX = 65535,
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
    { "origins", CONFIG_ORIGINS, 0, 0, CONFIG_ORIGINS_MAX, NULL, "", NULL },
    { "ice_server", CONFIG_ICE_SERVER, 0, 0, CONFIG_ICE_SERVERS_MAX, NULL,
      "stun:stun.l.google.com:19302\nstun:stun.nextcloud.com:443", NULL },
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
        snprintf(out, out_size, "%s, %" PRId64 " to %" PRId64 " characters", row->unit, row->min,
                 row->max);
        break;
    case CONFIG_ORIGINS:
        snprintf(out, out_size,
                 "up to %d origins like https://example.org, as browsers send them, or a lone *",
                 CONFIG_ORIGINS_MAX);
        break;
    case CONFIG_ICE_SERVER:
        snprintf(out, out_size,
                 "stun:host:port, or turn:host:port username password; up to %d lines; a lone none",
                 CONFIG_ICE_SERVERS_MAX);
        break;
    }
    return out;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && is_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.at[s.len - 1])) s.len--;
    return s;
}

/* Cut what stands before the first `c` off `rest`, or the whole of it. */
static struct slice cut(struct slice *rest, char c)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->at, c, rest->len);
    struct slice head = { rest->at, end == NULL ? rest->len : (size_t)(end - rest->at) };
    size_t gone = end == NULL ? rest->len : head.len + 1;
    *rest = (struct slice){ rest->at + gone, rest->len - gone };
    return head;
}

static struct slice cut_word(struct slice *rest)
{
    *rest = trim(*rest);
    size_t len = 0;
    while (len < rest->len && !is_space(rest->at[len])) len++;
    struct slice word = { rest->at, len };
    *rest = (struct slice){ rest->at + len, rest->len - len };
    return word;
}

static bool starts(struct slice s, const char *head)
{
    size_t len = strlen(head);
    return s.len >= len && memcmp(s.at, head, len) == 0;
}

static bool all_of(struct slice s, const char *allowed)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\0' || strchr(allowed, s.at[i]) == NULL) return false;
    }
    return true;
}

static bool printable_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] <= 0x20 || s.at[i] >= 0x7f) return false;
    }
    return true;
}

static bool to_integer(struct slice s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = starts(s, "-");
    size_t at = negative ? 1 : 0;
    if (s.len == at) return false;
    int64_t value = 0;
    for (; at < s.len; at++) {
        if (s.at[at] < '0' || s.at[at] > '9' || value > INT64_MAX / 10 - 1) return false;
        value = value * 10 + (s.at[at] - '0');
    }
    *out = negative ? -value : value;
    return *out >= min && *out <= max;
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* host or host:port; the host is a name, an IPv4 address or an IPv6 address in brackets. *port is
 * 0 when none is there. */
static bool host_and_port(struct slice s, bool lower_case, int64_t *port)
{
    const char *allowed = lower_case ? LOWER DIGITS ".-_" : LOWER UPPER DIGITS ".-_";
    size_t from = 0, to = 0, after;
    if (starts(s, "[")) {
        const char *closing = memchr(s.at, ']', s.len);
        if (closing == NULL) return false;
        allowed = DIGITS "abcdef:.";
        from = 1;
        to = (size_t)(closing - s.at);
        after = to + 1;
    } else {
        while (to < s.len && s.at[to] != ':') to++;
        after = to;
    }
    *port = 0;
    if (to == from || to - from > HOST_BYTES_MAX ||
        !all_of((struct slice){ s.at + from, to - from }, allowed))
        return false;
    struct slice rest = { s.at + after, s.len - after };
    return rest.len == 0 ||
           (rest.len <= sizeof ":65535" - 1 && starts(rest, ":") &&
            to_integer((struct slice){ rest.at + 1, rest.len - 1 }, 1, PORT_MAX, port));
}

/* scheme://host[:port] (RFC 6454, 6.2), as a browser would send it: in lower case, without the
 * scheme's own port. */
static bool is_origin(struct slice s)
{
    struct slice rest = s;
    struct slice scheme = cut(&rest, ':');
    int64_t port;
    if (scheme.len == 0 || strchr(LOWER, scheme.at[0]) == NULL ||
        !all_of(scheme, LOWER DIGITS "+.-") || !starts(rest, "//"))
        return false;
    rest = (struct slice){ rest.at + 2, rest.len - 2 };
    if (rest.len == 0 || !host_and_port(rest, true, &port)) return false;
    return !(slice_is(scheme, "https") && port == 443) && !(slice_is(scheme, "http") && port == 80);
}

static bool set_origins(struct config *cfg, struct slice value)
{
    cfg->origins_count = 0;
    memset(cfg->origins, 0, sizeof cfg->origins);
    for (struct slice word = cut_word(&value); word.len > 0; word = cut_word(&value)) {
        bool star = slice_is(word, "*");
        bool after_star = cfg->origins_count > 0 && cfg->origins[0][0] == '*';
        if (cfg->origins_count == CONFIG_ORIGINS_MAX || after_star ||
            word.len >= sizeof cfg->origins[0] || (star && cfg->origins_count > 0) ||
            (!star && !is_origin(word)))
            return false;
        memcpy(cfg->origins[cfg->origins_count++], word.at, word.len);
    }
    return true;
}

/* stun:host[:port], turn:host[:port][?transport=udp|tcp]; RFC 7064 and 7065, stuns and turns too.
 */
static bool is_ice_url(struct slice url, bool *turn)
{
    struct slice rest = url;
    struct slice scheme = cut(&rest, ':');
    int64_t port;
    *turn = slice_is(scheme, "turn") || slice_is(scheme, "turns");
    if (!*turn && !slice_is(scheme, "stun") && !slice_is(scheme, "stuns")) return false;
    bool has_query = rest.len > 0 && memchr(rest.at, '?', rest.len) != NULL;
    struct slice address = has_query ? cut(&rest, '?') : rest;
    if (has_query &&
        (!*turn || (!slice_is(rest, "transport=udp") && !slice_is(rest, "transport=tcp"))))
        return false;
    return address.len > 0 && host_and_port(address, false, &port);
}

/* One more server, the words parted by one space. `first`: the first line of this file, which
 * empties the default. After a lone `none` nothing may follow. */
static bool add_ice_server(struct config *cfg, struct slice value, bool first, bool *none)
{
    if (first) {
        cfg->ice_servers_count = 0;
        memset(cfg->ice_servers, 0, sizeof cfg->ice_servers);
    }
    if (slice_is(value, "none")) {
        *none = first;
        return first;
    }
    struct slice url = cut_word(&value), username = cut_word(&value), password = cut_word(&value);
    bool turn;
    if (*none || cfg->ice_servers_count == CONFIG_ICE_SERVERS_MAX || value.len > 0 ||
        !is_ice_url(url, &turn) || turn != (password.len > 0) || turn != (username.len > 0) ||
        !printable_ascii(username) || !printable_ascii(password) ||
        url.len + username.len + password.len + 3 > CONFIG_TEXT_BYTES_MAX)
        return false;
    char *at = cfg->ice_servers[cfg->ice_servers_count++];
    memcpy(at, url.at, url.len);
    if (turn)
        snprintf(at + url.len, CONFIG_TEXT_BYTES_MAX - url.len, " %.*s %.*s", (int)username.len,
                 username.at, (int)password.len, password.at);
    return true;
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
    case CONFIG_INTEGER: return to_integer(value, row->min, row->max, (int64_t *)(void *)at);
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
        if ((int64_t)value.len < row->min || (int64_t)value.len > row->max ||
            (row->type == CONFIG_ADDRESS && !printable_ascii(value)))
            return false;
        memset(at, 0, CONFIG_TEXT_BYTES_MAX);
        memcpy(at, value.at, value.len);
        return true;
    case CONFIG_ORIGINS: return set_origins(r->cfg, value);
    case CONFIG_ICE_SERVER: return add_ice_server(r->cfg, value, first, &r->ice_none);
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
    struct slice value = trim(line);
    if (value.len == 0 || *value.at == '#') return true;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return refuse(r, "a control character stands in it; allowed: key = value");
    }
    bool has_equals = memchr(value.at, '=', value.len) != NULL;
    struct slice key = trim(cut(&value, '='));
    value = trim(value);
    if (!has_equals || key.len == 0)
        return refuse(r, "\"%s\" is no setting; allowed: key = value", shown(key, key_text));
    for (size_t i = 0; i < ROWS; i++) {
        if (!slice_is(key, rows[i].name)) continue;
        bool first = (r->seen >> i & 1) == 0;
        if (!first && rows[i].type != CONFIG_ICE_SERVER)
            return refuse(r, "%s is set a second time; allowed: once", rows[i].name);
        r->seen |= UINT64_C(1) << i;
        if (memchr(value.at, '\t', value.len) != NULL || !set_row(r, &rows[i], value, first))
            return refuse(r, "%s is \"%s\"; allowed: %s", rows[i].name, shown(value, value_text),
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
            fine = set_row(&r, &rows[i], cut(&rest, '\n'), first);
        assert(fine);
        (void)fine;
    }
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
    return true;
}

bool config_parse(struct config *cfg, const char *text, size_t len,
                  char error[CONFIG_ERROR_BYTES_MAX])
{
    struct config read = *cfg;
    struct reader r = { .cfg = &read, .error = error };
    struct slice rest = { text, len };
    if (starts(rest, "\xef\xbb\xbf")) rest = (struct slice){ text + 3, len - 3 };
    while (rest.len > 0) {
        r.line++;
        if (!read_line(&r, cut(&rest, '\n'))) return false;
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
