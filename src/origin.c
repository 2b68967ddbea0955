#include "origin.h"

#include <stddef.h>
#include <string.h>

#include "config_values.h"

enum {
    HOST_BYTES_MAX = 253, /* RFC 1035, 2.3.4 as text */
    PORT_MAX = 65535,
};

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool origin_host_and_port(struct slice s, bool lower_case, int64_t *port)
{
    const char *allowed = lower_case ? LOWER DIGITS ".-_" : LOWER UPPER DIGITS ".-_";
    size_t from = 0, to = 0, after;
    if (value_starts(s, "[")) {
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
        !value_all_of((struct slice){ s.at + from, to - from }, allowed))
        return false;
    struct slice rest = { s.at + after, s.len - after };
    return rest.len == 0 ||
           (rest.len <= sizeof ":65535" - 1 && value_starts(rest, ":") &&
            value_integer((struct slice){ rest.at + 1, rest.len - 1 }, 1, PORT_MAX, port));
}

/* Cut `*.` off; what is left must be more than a top-level domain. */
static bool cut_star(struct slice *host)
{
    if (!value_starts(*host, "*.")) return true;
    *host = (struct slice){ host->at + 2, host->len - 2 };
    const char *dot = memchr(host->at, '.', host->len);
    return dot != NULL && dot != host->at && dot + 1 != host->at + host->len;
}

bool origin_valid(struct slice s)
{
    struct slice rest = s;
    struct slice scheme = value_cut(&rest, ':');
    int64_t port;
    if (scheme.len == 0 || strchr(LOWER, scheme.at[0]) == NULL ||
        !value_all_of(scheme, LOWER DIGITS "+.-") || !value_starts(rest, "//"))
        return false;
    rest = (struct slice){ rest.at + 2, rest.len - 2 };
    if (rest.len == 0 || !cut_star(&rest) || !origin_host_and_port(rest, true, &port)) return false;
    return !(slice_is(scheme, "https") && port == 443) && !(slice_is(scheme, "http") && port == 80);
}

/* One label or more, each of at least one character, with a dot after each. */
static bool is_labels(struct slice s)
{
    if (s.len < 2 || s.at[0] == '.' || s.at[s.len - 1] != '.') return false;
    for (size_t i = 1; i < s.len; i++)
        if (s.at[i] == '.' && s.at[i - 1] == '.') return false;
    return value_all_of(s, LOWER DIGITS ".-_");
}

bool origin_matches(struct slice allowed, struct slice origin)
{
    if (slice_is(allowed, "*")) return true;
    const char *star = memchr(allowed.at, '*', allowed.len);
    if (star == NULL) return slice_equal(allowed, origin);
    size_t before = (size_t)(star - allowed.at);
    struct slice after = { star + 2, allowed.len - before - 2 }; /* without `*.` */
    if (origin.len < before + after.len || memcmp(origin.at, allowed.at, before) != 0 ||
        memcmp(origin.at + origin.len - after.len, after.at, after.len) != 0)
        return false;
    return is_labels((struct slice){ origin.at + before, origin.len - before - after.len });
}

const char *origin_listed(const struct config_origins *list, struct slice origin)
{
    for (size_t i = 0; i < list->count; i++)
        if (origin_matches(slice_of(list->at[i]), origin)) return list->at[i];
    return NULL;
}
