#include "metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "mapfile.h"
#include "slots.h"
#include "store.h"
#include "version.h"

enum {
    ROWS = 65, /* the shared one, and one for each process that lasts */
    CLASSES = 6,
    PEOPLE_WORDS = 32768,
    PEOPLE_PROBES = 8,
    PEOPLE_SPARE_MS =
        30000,        /* a word is forgotten so long after the room's leases must have ended */
    FILES_MAX = 4096, /* of a data folder whose size is told */
};

/* Every code that an answer may have; the last stands for what is missing here. */
static const char *const codes[] = {
    "invalid-request",
    "bad-cursor",
    "key-invalid",
    "token-invalid",
    "token-expired",
    "token-missing",
    "token-early",
    "token-other-room",
    "password-missing",
    "password-wrong",
    "not-permitted",
    "banned",
    "refused",
    "room-not-found",
    "peer-not-found",
    "not-found",
    "method-not-allowed",
    "room-full",
    "session-expired",
    "room-closed",
    "kicked",
    "message-too-large",
    "unsupported-type",
    "room-locked",
    "rate-limited",
    "misconfigured",
    "config-wrong",
    "not-writable",
    "busy",
    "mailbox-full",
    "disk-full",
    "other",
};
enum { CODES = sizeof codes / sizeof *codes };

struct row {
    _Atomic uint64_t calls[METRICS_CALLS_MAX][CLASSES];
    _Atomic uint64_t codes[CODES];
    _Atomic uint64_t sums[METRIC_COUNT];
    _Atomic uint64_t held, held_max; /* of its owner, as long as that lives */
};

/* A word of `people`: 24 bits of the room's name, when it was written (32 bits, in seconds), and
 * how many (8 bits). */
struct file {
    struct mapfile_head head;
    _Alignas(64) struct row rows[ROWS];
    _Atomic uint64_t people[PEOPLE_WORDS];
};

struct metrics {
    struct mapfile *map; /* NULL: `file` is this process's alone */
    struct file *file;
    struct slots *owners; /* row n + 1 is owned by who has slot n; NULL: none is */
    struct row *row;
    int slot; /* -1: the shared row */
};

static void path_of(const struct app *app, const char *name, char path[APP_PATH_BYTES_MAX + 32])
{
    snprintf(path, APP_PATH_BYTES_MAX + 32, "%s/%s", app->data_dir, name);
}

struct metrics *metrics_open(const struct app *app)
{
    /* The version goes up with what moves a counter: another order of calls or codes too. */
    static const struct mapfile_kind kind = { "metrics", 2, sizeof(struct file) };
    char path[APP_PATH_BYTES_MAX + 32];
    struct metrics *m = calloc(1, sizeof *m);
    if (m == NULL) return NULL;
    path_of(app, "metrics", path);
    m->map = mapfile_open(path, &kind, app->boot_id);
    m->file = m->map != NULL ? mapfile_at(m->map) : calloc(1, sizeof *m->file);
    m->slot = -1;
    if (m->file == NULL) {
        free(m);
        return NULL;
    }
    m->row = &m->file->rows[0];
    return m;
}

void metrics_own_row(struct metrics *m, const struct app *app)
{
    char path[APP_PATH_BYTES_MAX + 32];
    if (m == NULL || m->map == NULL || m->slot >= 0) return;
    path_of(app, "metrics.rows", path);
    m->owners = slots_open(path);
    if (m->owners != NULL) m->slot = slots_take(m->owners, ROWS - 1);
    if (m->slot < 0) return;
    m->row = &m->file->rows[m->slot + 1];
    metrics_set_held(m, 0, 0);
}

void metrics_close(struct metrics *m)
{
    if (m == NULL) return;
    if (m->slot >= 0) metrics_set_held(m, 0, 0);
    slots_close(m->owners);
    if (m->map != NULL)
        mapfile_close(m->map);
    else
        free(m->file);
    free(m);
}

/* ---- counting ---- */

static void add(_Atomic uint64_t *at, uint64_t count)
{
    atomic_fetch_add_explicit(at, count, memory_order_relaxed);
}

void metrics_add(struct metrics *m, enum metric what, uint64_t count)
{
    if (m != NULL && count > 0) add(&m->row->sums[what], count);
}

static size_t code_index(const char *code)
{
    size_t i = 0;
    while (i < CODES - 1 && strcmp(codes[i], code) != 0) i++;
    return i;
}

void metrics_count_answer(struct metrics *m, size_t call, int status, const char *code)
{
    if (m == NULL) return;
    size_t class = status >= 100 && status < 600 ? (size_t)status / 100 : 0;
    add(&m->row->calls[call < METRICS_CALLS_MAX ? call : 0][class], 1);
    if (code != NULL) add(&m->row->codes[code_index(code)], 1);
}

void metrics_set_held(struct metrics *m, size_t held, size_t held_max)
{
    if (m == NULL || (m->slot < 0 && m->map != NULL)) return; /* the shared row is nobody's */
    atomic_store_explicit(&m->row->held, held, memory_order_relaxed);
    atomic_store_explicit(&m->row->held_max, held_max, memory_order_relaxed);
}

/* ---- people ---- */

static uint64_t seconds_of(uint64_t word)
{
    return word >> 8 & UINT32_MAX;
}

static bool is_fresh(uint64_t word, int64_t now_ms, int64_t fresh_ms)
{
    int64_t age_ms = now_ms - (int64_t)seconds_of(word) * 1000;
    return word != 0 && age_ms > -1000 && age_ms < fresh_ms;
}

static int64_t fresh_ms(const struct app *app)
{
    return app->cfg.lease_ms + PEOPLE_SPARE_MS;
}

void metrics_set_people(const struct app *app, const char *room, size_t people)
{
    struct metrics *m = app->metrics;
    if (m == NULL) return;
    int64_t now_ms = app_now_ms(app);
    uint64_t hash = store_hash(room), tag = hash >> 40 | 1;
    uint64_t seconds = (uint64_t)(now_ms / 1000) & UINT32_MAX;
    uint64_t word = people == 0 ? 0 : tag << 40 | seconds << 8 | (people & 0xff);
    _Atomic uint64_t *free_at = NULL;
    for (size_t i = 0; i < PEOPLE_PROBES; i++) {
        _Atomic uint64_t *at = &m->file->people[(hash + i) % PEOPLE_WORDS];
        uint64_t was = atomic_load_explicit(at, memory_order_relaxed);
        if (was != 0 && was >> 40 == tag) {
            atomic_store_explicit(at, word, memory_order_relaxed);
            return;
        }
        if (free_at == NULL && !is_fresh(was, now_ms, fresh_ms(app))) free_at = at;
    }
    if (word != 0 && free_at != NULL) atomic_store_explicit(free_at, word, memory_order_relaxed);
}

/* How many people are there, in how many rooms? */
static void count_people(const struct app *app, uint64_t *people, uint64_t *rooms)
{
    int64_t now_ms = app_now_ms(app);
    *people = *rooms = 0;
    for (size_t i = 0; i < PEOPLE_WORDS; i++) {
        uint64_t word = atomic_load_explicit(&app->metrics->file->people[i], memory_order_relaxed);
        if (!is_fresh(word, now_ms, fresh_ms(app))) continue;
        *people += word & 0xff;
        (*rooms)++;
    }
}

/* ---- telling ---- */

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct buf *b, const char *name, const char *help, uint64_t value)
{
    head(b, name, "gauge", help);
    buf_printf(b, "%s %" PRIu64 "\n", name, value);
}

static uint64_t call_sum(const struct metrics *m, size_t call, size_t class)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ROWS; i++) sum += m->file->rows[i].calls[call][class];
    return sum;
}

static void put_calls(const struct metrics *m, bool (*name_of)(size_t call, char *out),
                      struct buf *b)
{
    static const char name[] = "klatch_requests_total";
    char call_name[METRICS_NAME_BYTES_MAX];
    head(b, name, "counter", "Answered requests, by call and class of status.");
    for (size_t call = 0; call < METRICS_CALLS_MAX && name_of(call, call_name); call++) {
        for (size_t class = 1; class < CLASSES; class ++) {
            uint64_t sum = call_sum(m, call, class);
            if (sum > 0 || (call > 0 && class == 2))
                buf_printf(b, "%s{call=\"%s\",status=\"%zuxx\"} %" PRIu64 "\n", name, call_name,
                           class, sum);
        }
    }
}

static void put_codes(const struct metrics *m, struct buf *b)
{
    static const char name[] = "klatch_errors_total";
    head(b, name, "counter", "Answers that were problems, by their code.");
    for (size_t code = 0; code < CODES; code++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < ROWS; i++) sum += m->file->rows[i].codes[code];
        buf_printf(b, "%s{code=\"%s\"} %" PRIu64 "\n", name, codes[code], sum);
    }
}

static void put_sums(const struct metrics *m, struct buf *b)
{
    static const struct {
        const char *name, *help;
    } sums[METRIC_COUNT] = {
        [METRIC_MESSAGES_SENT] = { "klatch_messages_sent_total",
                                   "Messages that members sent, repeated ones too." },
        [METRIC_BYTES_SENT] = { "klatch_message_bytes_total", "Bytes of their data." },
        [METRIC_MESSAGES_READ] = { "klatch_messages_read_total",
                                   "Messages that members were given." },
        [METRIC_ANSWER_BYTES] = { "klatch_answer_bytes_total", "Bytes of all answers' bodies." },
    };
    for (size_t what = 0; what < METRIC_COUNT; what++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < ROWS; i++) sum += m->file->rows[i].sums[what];
        head(b, sums[what].name, "counter", sums[what].help);
        buf_printf(b, "%s %" PRIu64 "\n", sums[what].name, sum);
    }
}

static void put_polls(const struct app *app, struct buf *b)
{
    const struct metrics *m = app->metrics;
    uint64_t processes = 0, held = 0, budget = 0;
    for (int slot = 0; m->owners != NULL && slot < ROWS - 1; slot++) {
        const struct row *row = &m->file->rows[slot + 1];
        if (slots_held(m->owners, slot, slot + 1) == 0) continue;
        processes++;
        held += row->held;
        budget += row->held_max;
    }
    if (m->owners == NULL) held = m->row->held, budget = m->row->held_max;
    if (app->process_per_poll) {
        budget = (uint64_t)app->cfg.polls_max;
        held += app->slots == NULL ? 0 : (uint64_t)slots_held(app->slots, 0, (int)budget + 1);
    }
    gauge(b, "klatch_polls_held", "Polls that are held now.", held);
    gauge(b, "klatch_polls_budget", "Polls that may be held at one time.", budget);
    gauge(b, "klatch_processes", "Processes that last and serve.", processes);
}

/* The bytes of the files in a folder of the data folder; SIZE_MAX files: too many to look at. */
static uint64_t folder_bytes(const struct app *app, const char *name, size_t *files)
{
    char path[APP_PATH_BYTES_MAX + 32];
    struct stat st;
    uint64_t bytes = 0;
    path_of(app, name, path);
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL && *files <= FILES_MAX;) {
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        bytes += (uint64_t)st.st_blocks * 512;
        (*files)++;
    }
    closedir(dir);
    return bytes;
}

static void put_disk(const struct app *app, struct buf *b)
{
    struct statvfs fs;
    size_t files = 0;
    if (statvfs(app->data_dir, &fs) == 0) {
        gauge(b, "klatch_disk_free_bytes", "What Klatch may still write on the data folder's disk.",
              (uint64_t)fs.f_bavail * fs.f_frsize);
        gauge(b, "klatch_disk_size_bytes", "The size of that disk.",
              (uint64_t)fs.f_blocks * fs.f_frsize);
    }
    uint64_t bytes = folder_bytes(app, "", &files) + folder_bytes(app, "rooms", &files);
    if (files <= FILES_MAX)
        gauge(b, "klatch_data_bytes", "What the data folder takes on the disk.", bytes);
}

void metrics_put(const struct app *app, bool (*name_of)(size_t call, char *out), struct buf *b)
{
    uint64_t people, busy;
    head(b, "klatch_info", "gauge", "Which Klatch this is.");
    buf_printf(b, "klatch_info{version=\"%s\",mode=\"%s\"} 1\n", KLATCH_VERSION, app->how);
    gauge(b, "klatch_rooms", "Rooms that exist.", (uint64_t)store_rooms_count(app));
    gauge(b, "klatch_rooms_max", "Rooms that may exist.", (uint64_t)app->cfg.rooms_max);
    if (app->metrics != NULL) {
        count_people(app, &people, &busy);
        gauge(b, "klatch_people", "People who are present in rooms.", people);
        gauge(b, "klatch_rooms_used", "Rooms in which somebody is present.", busy);
        gauge(b, "klatch_counters_shared", "1: what is counted is that of all processes.",
              app->metrics->map != NULL);
        put_polls(app, b);
        put_calls(app->metrics, name_of, b);
        put_codes(app->metrics, b);
        put_sums(app->metrics, b);
    }
    put_disk(app, b);
}
