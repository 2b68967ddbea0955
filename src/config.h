/* config: the keys an operator sets. One table row per key: name, type, offset, bounds, default,
 * unit; a test checks that every row stands in cgi-bin/klatch.conf.sample with its bounds, unit
 * and default. Lines are `key = value`; `#` begins a comment line; a repeatable key adds a value.
 */
#ifndef KLATCH_CONFIG_H
#define KLATCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONFIG_TEXT_BYTES_MAX = 512,
    CONFIG_ORIGINS_MAX = 32,
    CONFIG_ICE_SERVERS_MAX = 8,
    CONFIG_ERROR_BYTES_MAX = 256,
    CONFIG_TOKEN_KEYS_MAX = 8,
    CONFIG_TOKEN_ID_BYTES_MAX = 64,
    CONFIG_TOKEN_SECRET_BYTES_MIN = 32,
    CONFIG_TOKEN_SECRET_BYTES_MAX = 255,
    CONFIG_ADMIN_KEY_BYTES_MIN = 32,
};

enum config_mode { CONFIG_MODE_AUTO, CONFIG_MODE_PROCESS, CONFIG_MODE_PARKED };

enum config_tokens { CONFIG_TOKENS_OFF, CONFIG_TOKENS_OPTIONAL, CONFIG_TOKENS_REQUIRED };

enum config_open { CONFIG_OPEN_ANYONE, CONFIG_OPEN_ADMIN };

/* Pages' origins, parted by spaces in the file; or a lone *. */
struct config_origins {
    char at[CONFIG_ORIGINS_MAX][128];
    size_t count;
};

/* A key that tokens are signed with: `id` is their `iss`, `secret` the bytes as they stand. */
struct config_token_key {
    char id[CONFIG_TOKEN_ID_BYTES_MAX + 1];
    char secret[CONFIG_TOKEN_SECRET_BYTES_MAX + 1];
};

struct config {
    char path[CONFIG_TEXT_BYTES_MAX]; /* no key: the file that was read, or that would have been */
    char data_dir[CONFIG_TEXT_BYTES_MAX]; /* relative: to the configuration file's folder */
    int mode;                             /* enum config_mode; key `mode` = auto|process|parked */
    int64_t hold_ms;              /* 0..110000, 25000; one costing a process: at most 20000 */
    int64_t lease_ms;             /* 10000..3600000, 75000; at least 2 holds + 10 s */
    int64_t grace_ms;             /* 0..3600000, 45000 */
    int64_t ttl_ms;               /* 10000..86400000, 180000; at least hold + lease + grace */
    int64_t members_max;          /* per room, 1..64, 16 */
    int64_t rooms_max;            /* room files, 1..1000000, 10000 */
    int64_t message_bytes_max;    /* one message's data, 256..65536, 65536 */
    int64_t mailbox_bytes_max;    /* one room's mail, 1 KiB..1 GiB, 4 MiB; 4 messages at least */
    int64_t mailbox_messages_max; /* one room's mail, 16..1000000, 4096 */
    int64_t polls_max;            /* held polls where each costs a process, 0..1000, 8 */
    int64_t rooms_open_max;       /* cached connections of one process, 1..10000, 256 */
    int64_t joins_per_minute;     /* for each address, 0..100000; 0: no limit; 60 */
    bool room_info;               /* GET /v1/rooms/{room} without joining; on */
    int log_level;                /* enum log_level; key `log_level` = error|warning|info|debug */
    char poll_url[CONFIG_TEXT_BYTES_MAX];  /* entry point for polls told by join; empty: the same */
    struct config_origins origins;         /* whose pages may read answers */
    struct config_origins frame_ancestors; /* … and show embed.html in a frame */
    /* Key `ice_server`, repeatable: `stun:host:port`, `turn:… username password`, parted by one
     * space each; `none` empties the default. A relay alone takes what turn_secret makes. */
    char ice_servers[CONFIG_ICE_SERVERS_MAX][CONFIG_TEXT_BYTES_MAX];
    size_t ice_servers_count;
    char turn_secret[CONFIG_TEXT_BYTES_MAX]; /* shared with the relay; empty: none */
    int64_t turn_lifetime_ms;                /* of credentials, 60000..86400000, 3600000 */
    int tokens;                              /* enum config_tokens */
    struct config_token_key token_keys[CONFIG_TOKEN_KEYS_MAX]; /* key `token_key`, repeatable */
    size_t token_keys_count;
    int64_t token_leeway_ms; /* that clocks may differ, 0..600000, 30000 */
    int rooms_open_by;       /* enum config_open; key `rooms_open_by` = anyone|admin */
    char admin_key[CONFIG_TEXT_BYTES_MAX]; /* empty: the one in the data folder */
    bool events;                           /* keep a feed of who came and went; off */
};

enum config_type {
    CONFIG_INTEGER, /* int64_t; min..max */
    CONFIG_SWITCH,  /* bool; on or off */
    CONFIG_WORD,    /* int, the place of the word in `words` */
    CONFIG_TEXT,    /* char[CONFIG_TEXT_BYTES_MAX]; min..max characters */
    CONFIG_ADDRESS, /* the same, printable ASCII without spaces */
    CONFIG_SECRET,  /* the same, and never shown */
    CONFIG_ORIGINS,
    CONFIG_ICE_SERVER, /* repeatable: defaults and values are one line each */
    CONFIG_TOKEN_KEY,  /* repeatable */
};

struct config_row {
    const char *name;
    enum config_type type;
    size_t offset; /* in struct config */
    int64_t min, max;
    const char *unit;         /* CONFIG_INTEGER: what is counted; text: what it names */
    const char *initial;      /* the default as it would stand in the file */
    const char *const *words; /* CONFIG_WORD: ended by NULL */
};

/* Every key, in the order of the sample. */
const struct config_row *config_rows(size_t *count);

/* What a row takes, as errors and the sample say it: "a whole number of milliseconds, 0 to
 * 110000". Returns `out`. */
const char *config_row_allowed(const struct config_row *row, char *out, size_t out_size);

/* Is this one of cfg->ice_servers a relay whose credentials come from turn_secret? */
bool config_ice_from_secret(const char *server);

/* Fill `cfg` with every default. */
void config_default(struct config *cfg);

/* Read `text` over `cfg`. False: `error` says the line, the key and what is allowed. Checks of one
 * key against another (lease against hold, ttl against all three, mailbox against message) are made
 * at the end and name both keys. A failure leaves `cfg` as it was. */
bool config_parse(struct config *cfg, const char *text, size_t len,
                  char error[CONFIG_ERROR_BYTES_MAX]);

/* config_parse() of a file up to 64 KiB. A missing file is an error when `required`, else defaults.
 * data_dir comes out absolute, and cfg->path is `path`. */
bool config_read(struct config *cfg, const char *path, bool required,
                 char error[CONFIG_ERROR_BYTES_MAX]);

#endif
