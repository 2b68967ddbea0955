/* The load generator of the bench. It speaks to 127.0.0.1 only and prints one JSON object. */
#include "generate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct protocol *const protocols[] = {
    &protocol_klatch,   &protocol_rendezvous,       &protocol_nchan,  &protocol_php,
    &protocol_socketio, &protocol_socketio_polling, &protocol_peerjs,
};

static const struct {
    const char *name;
    int (*run)(struct gen *g);
} workloads[] = { { "delivery", work_delivery },
                  { "join", work_join },
                  { "request", work_request } };

enum kind { TEXT, NUMBER, REAL, FLAG, PIDS, FRONTS };
#define OPTION(name) offsetof(struct options, name)
static const struct {
    const char *name;
    enum kind kind;
    size_t offset;
} known[] = {
    { "protocol", TEXT, OPTION(protocol) },
    { "workload", TEXT, OPTION(workload) },
    { "base", TEXT, OPTION(base) },
    { "room", TEXT, OPTION(room) },
    { "path", TEXT, OPTION(path) },
    { "body", TEXT, OPTION(body) },
    { "port", NUMBER, OPTION(port) },
    { "members", NUMBER, OPTION(members) },
    { "rooms", NUMBER, OPTION(rooms) },
    { "rounds", NUMBER, OPTION(rounds) },
    { "warm", NUMBER, OPTION(warm) },
    { "waiters", NUMBER, OPTION(waiters) },
    { "samples", NUMBER, OPTION(samples) },
    { "rate", NUMBER, OPTION(rate) },
    { "size", NUMBER, OPTION(size) },
    { "concurrency", NUMBER, OPTION(concurrency) },
    { "pause-us", NUMBER, OPTION(pause_us) },
    { "seconds", REAL, OPTION(seconds) },
    { "idle-seconds", REAL, OPTION(idle_seconds) },
    { "no-polls", FLAG, OPTION(no_polls) },
    { "pids", PIDS, 0 },
    { "fronts", FRONTS, 0 },
};

static void refuse(const char *what, const char *which)
{
    fprintf(stderr, "generate: %s %s\n", what, which);
    exit(2);
}

static int pid_list(const char *text, int *pids, int max)
{
    int count = 0;
    for (char *stop; *text != '\0' && count < max; text = *stop == ',' ? stop + 1 : stop)
        pids[count++] = (int)strtol(text, &stop, 10);
    return count;
}

/* Sets one option; returns how many arguments it took. */
static int set(struct options *o, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) != 0) continue;
        char *field = (char *)o + known[i].offset;
        if (known[i].kind == FLAG) {
            *(bool *)field = true;
            return 1;
        }
        if (value == NULL) break;
        if (known[i].kind == TEXT) *(const char **)field = value;
        if (known[i].kind == NUMBER) *(int *)field = atoi(value);
        if (known[i].kind == REAL) *(double *)field = atof(value);
        if (known[i].kind == PIDS) o->pids_count = pid_list(value, o->pids, 64);
        if (known[i].kind == FRONTS) o->fronts_count = pid_list(value, o->fronts, 64);
        return 2;
    }
    refuse("unknown or empty option", name);
    return 0;
}

int main(int argc, char **argv)
{
    static struct gen g;
    struct rlimit files;
    g.options = (struct options){ .base = "",
                                  .room = "bench",
                                  .path = "/",
                                  .members = 2,
                                  .rooms = 1,
                                  .rounds = 1,
                                  .size = 1000,
                                  .concurrency = 1,
                                  .pause_us = 500,
                                  .seconds = 10 };
    for (int i = 1; i < argc;) {
        if (strncmp(argv[i], "--", 2) != 0) refuse("not an option:", argv[i]);
        i += set(&g.options, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL);
    }
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (g.options.protocol != NULL && strcmp(protocols[i]->name, g.options.protocol) == 0)
            g.protocol = protocols[i];
    if (g.protocol == NULL) refuse("no such protocol:", g.options.protocol);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)prctl(PR_SET_TIMERSLACK, 1UL); /* wakes within a microsecond, not fifty */
    srand48(getpid());
    net_init(&g.net, (uint16_t)g.options.port);
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
        if (g.options.workload != NULL && strcmp(workloads[i].name, g.options.workload) == 0)
            return workloads[i].run(&g);
    refuse("no such workload:", g.options.workload);
}
