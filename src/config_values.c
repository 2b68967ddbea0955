#include "config_values.h"

#include <stdio.h>
#include <string.h>

#include "origin.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

struct slice value_trim(struct slice s)
{
    while (s.len > 0 && is_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.at[s.len - 1])) s.len--;
    return s;
}

struct slice value_cut(struct slice *rest, char c)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->at, c, rest->len);
    struct slice head = { rest->at, end == NULL ? rest->len : (size_t)(end - rest->at) };
    size_t gone = end == NULL ? rest->len : head.len + 1;
    *rest = (struct slice){ rest->at + gone, rest->len - gone };
    return head;
}

static struct slice cut_word(struct slice *rest)
{
    *rest = value_trim(*rest);
    size_t len = 0;
    while (len < rest->len && !is_space(rest->at[len])) len++;
    struct slice word = { rest->at, len };
    *rest = (struct slice){ rest->at + len, rest->len - len };
    return word;
}

bool value_starts(struct slice s, const char *head)
{
    size_t len = strlen(head);
    return s.len >= len && memcmp(s.at, head, len) == 0;
}

bool value_all_of(struct slice s, const char *allowed)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\0' || strchr(allowed, s.at[i]) == NULL) return false;
    }
    return true;
}

bool value_printable(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] <= 0x20 || s.at[i] >= 0x7f) return false;
    }
    return true;
}

bool value_integer(struct slice s, int64_t min, int64_t max, int64_t *out)
{
    bool negative = value_starts(s, "-");
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

bool value_set_origins(struct config_origins *list, struct slice value)
{
    memset(list, 0, sizeof *list);
    for (struct slice word = cut_word(&value); word.len > 0; word = cut_word(&value)) {
        bool star = slice_is(word, "*");
        bool after_star = list->count > 0 && list->at[0][0] == '*';
        if (list->count == CONFIG_ORIGINS_MAX || after_star || word.len >= sizeof list->at[0] ||
            (star && list->count > 0) || (!star && !origin_valid(word)))
            return false;
        memcpy(list->at[list->count++], word.at, word.len);
    }
    return true;
}

/* stun:host[:port], turn:host[:port][?transport=udp|tcp]; RFC 7064 and 7065, stuns and turns too.
 */
static bool is_ice_url(struct slice url, bool *turn)
{
    struct slice rest = url;
    struct slice scheme = value_cut(&rest, ':');
    int64_t port;
    *turn = slice_is(scheme, "turn") || slice_is(scheme, "turns");
    if (!*turn && !slice_is(scheme, "stun") && !slice_is(scheme, "stuns")) return false;
    bool has_query = rest.len > 0 && memchr(rest.at, '?', rest.len) != NULL;
    struct slice address = has_query ? value_cut(&rest, '?') : rest;
    if (has_query &&
        (!*turn || (!slice_is(rest, "transport=udp") && !slice_is(rest, "transport=tcp"))))
        return false;
    return address.len > 0 && origin_host_and_port(address, false, &port);
}

bool value_add_ice_server(struct config *cfg, struct slice value, bool first, bool *none)
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
        !is_ice_url(url, &turn) || (!turn && username.len > 0) ||
        (username.len > 0) != (password.len > 0) || !value_printable(username) ||
        !value_printable(password) ||
        url.len + username.len + password.len + 3 > CONFIG_TEXT_BYTES_MAX)
        return false;
    char *at = cfg->ice_servers[cfg->ice_servers_count++];
    memcpy(at, url.at, url.len);
    if (username.len > 0)
        snprintf(at + url.len, CONFIG_TEXT_BYTES_MAX - url.len, " %.*s %.*s", (int)username.len,
                 username.at, (int)password.len, password.at);
    return true;
}

/* id and secret, parted by a space. RFC 7518, 3.2: no key shorter than the hash. */
bool value_add_token_key(struct config *cfg, struct slice value, bool first)
{
    if (first) {
        cfg->token_keys_count = 0;
        memset(cfg->token_keys, 0, sizeof cfg->token_keys);
        if (value.len == 0) return true;
    }
    struct slice id = cut_word(&value), secret = cut_word(&value);
    if (cfg->token_keys_count == CONFIG_TOKEN_KEYS_MAX || value.len > 0 || id.len < 1 ||
        id.len > CONFIG_TOKEN_ID_BYTES_MAX || secret.len < CONFIG_TOKEN_SECRET_BYTES_MIN ||
        secret.len > CONFIG_TOKEN_SECRET_BYTES_MAX || !value_printable(id) ||
        !value_printable(secret))
        return false;
    struct config_token_key *key = &cfg->token_keys[cfg->token_keys_count++];
    memcpy(key->id, id.at, id.len);
    memcpy(key->secret, secret.at, secret.len);
    return true;
}
