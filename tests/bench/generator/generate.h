/* generate: people who meet in rooms, for every system under test, in one process.
 *
 * A peer is one browser. What it does (a workload: delivery, join) knows no protocol; how it is
 * said (a protocol: klatch, rendezvous, socketio, peerjs) knows no workload. A peer's turn is what
 * it does on one event; what it wrote in a turn goes out at its end, as that system's client
 * would send it: all at once where the client gathers, one request each where it does not.
 *
 * Every message carries a mark that survives each protocol's wrapping: who, to whom, the how many
 * of that pair, when. Marks are found by looking for them in whatever arrived. */
#ifndef BENCH_GENERATE_H
#define BENCH_GENERATE_H

#include "http.h"

enum { ADDRESS_BYTES = 64, MARK_BYTES_MAX = 96 };

struct gen;
struct peer;

struct letter {
    struct letter *next;
    uint64_t number; /* no other of this generator has it */
    int to;
    const char *type;
    size_t len;
    char data[]; /* JSON */
};

struct protocol {
    const char *name;
    bool announces; /* the server tells peers of each other; else the generator does, for nothing */
    void (*open)(struct peer *p);
    void (*flush)(struct peer *p); /* letters wait in the outbox */
    void (*beat)(struct peer *p);  /* every beat_ms, or NULL */
    int64_t beat_ms;
};

struct peer {
    struct gen *gen;
    int id, room; /* room: number of the first member's id divided by members */
    bool ready, dirty, joined, mute;
    struct http poll, post; /* a WebSocket is `poll` */
    struct letter *first, *last;
    int sending; /* letters in the request on its way */
    int riding;  /* the first letters, in the poll on its way */
    char address[ADDRESS_BYTES], key[ADDRESS_BYTES], cursor[ADDRESS_BYTES], extra[ADDRESS_BYTES];
    int turn;
    int64_t beat_ns;
    struct peer *next_dirty;
};

struct mark {
    int from, to;
    uint32_t n;
    char kind; /* o offer, a answer, c candidate, m a lone message */
    int64_t at_ns;
};

/* A directed pair's count: the next number, and how many before it are still missing. */
struct pair {
    uint32_t sent, next, missing;
};

struct tally {
    uint64_t sent, received, lost, doubled, disordered, stray, errors, busy;
};

struct options {
    const char *protocol, *workload, *base, *room, *path, *body;
    int port, members, rooms, rounds, warm, waiters, samples, rate, size, concurrency, pause_us;
    double seconds, idle_seconds;
    bool no_polls; /* the waiters only join: rooms on disk */
    int pids[64], fronts[64];
    int pids_count, fronts_count;
};

struct gen {
    struct net net;
    struct options options;
    const struct protocol *protocol;
    struct peer *peers;
    struct pair *pairs; /* peers_count x members */
    int peers_count, peers_max, members, round;
    struct peer *dirty;
    struct tally tally;
    int ready_count;
    uint64_t requests;
    /* The workload's: */
    void (*on_ready)(struct peer *p);
    void (*on_peer)(struct peer *p, int other); /* p learns of one who came after it */
    void (*on_mark)(struct peer *p, const struct mark *m, int64_t now);
    void *work;
};

/* ---- peers (peer.c) ---- */

/* Make peers first..first+count-1 afresh, in rooms of `members`. */
void peers_make(struct gen *g, int count, int members);
void peer_open(struct peer *p);
void peers_close(struct gen *g);
/* Called by protocols. */
void peer_ready(struct peer *p);
void peer_met(struct peer *p, int other);
void peer_scan(struct peer *p, struct text in); /* every mark in it */
void peer_error(struct peer *p, const char *what, struct text detail);
/* Called by workloads: queue a message of about `size` bytes, marked with `at_ns`. */
void peer_send(struct peer *p, int to, char kind, size_t size, int64_t at_ns);
struct letter *peer_letter_take(struct peer *p);
/* Send everybody's letters: the end of a turn. */
void gen_turn_end(void *gen);
/* Run the loop until `done` or the time. */
bool gen_run(struct gen *g, bool (*done)(struct gen *), int64_t until_ns);
/* Count what never came, for pairs whose numbers did not arrive. */
void gen_count_lost(struct gen *g);

/* ---- protocols ---- */

extern const struct protocol protocol_klatch, protocol_rendezvous, protocol_nchan, protocol_php,
    protocol_socketio, protocol_socketio_polling, protocol_peerjs;

/* Copy the text between `before` and the next quote into `out`. False: not there. */
bool text_between(struct text in, const char *before, char *out, size_t cap);
void outbox_drop(struct peer *p, int count);

/* ---- workloads ---- */

int work_delivery(struct gen *g);
int work_join(struct gen *g);
int work_request(struct gen *g);

/* ---- measures (measure.c) ---- */

struct samples {
    double *at;
    size_t count, cap;
};
void samples_add(struct samples *s, double value);
/* Prints "name":{count, p50, p95, p99, max, mean} and frees. */
void samples_print(const char *name, struct samples *s);

struct usage {
    double server_s, own_s, generator_s;
    int64_t at_ns;
};
/* CPU seconds of all servers and of those that are not in front (nginx), and of this process. */
struct usage usage_now(const struct gen *g);
void usage_print(const char *name, struct usage from, struct usage to);
/* Proportional set size in bytes, of all servers or of the ones that are not in front. */
double pss_bytes(const struct gen *g, bool with_fronts);
void tally_print(const struct gen *g);

#endif
