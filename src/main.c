/* Klatch's one binary: finds out how it was started and runs that way. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "cgi.h"
#include "gateway.h"
#include "log.h"
#include "loop.h"
#include "place.h"
#include "supervise.h"
#include "upgrade.h"
#include "version.h"

enum { WORKERS_MAX = 64, EXIT_USAGE = 64, EXIT_CONFIG = 78 /* sysexits.h */ };

static const char usage[] =
    "usage: klatch.fcgi --listen SOCKET [--workers N] [--config FILE]\n"
    "       klatch.fcgi --check [--config FILE] | --version\n"
    "Without --listen it serves what its web server gave it: a FastCGI socket as descriptor 0,\n"
    "one from systemd (LISTEN_FDS), or one CGI request. --check says what is wrong with the\n"
    "configuration.\n";

/* A whole decimal number from 0 to `max`; -1: it isn't. */
static long number(const char *text, long max)
{
    char *end = NULL;
    if (text == NULL || *text < '0' || *text > '9') return -1;
    errno = 0;
    long value = strtol(text, &end, 10);
    return *end != '\0' || errno != 0 || value > max ? -1 : value;
}

static bool parse_options(int argc, char **argv, struct supervise_options *o, bool *check)
{
    static const struct option long_options[] = {
        { "listen", required_argument, NULL, 'l' },
        { "workers", required_argument, NULL, 'w' },
        { "config", required_argument, NULL, 'c' },
        { "check", no_argument, NULL, 'k' },
        { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { "take-over", required_argument, NULL, 't' }, /* supervise.c's own, at an upgrade */
        { 0 },
    };
    int c;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'l': o->socket_path = optarg; break;
        case 'c': o->config_path = optarg; break;
        case 'w': o->workers = (int)number(optarg, WORKERS_MAX); break;
        case 't': o->take_over = optarg; break;
        case 'k': *check = true; break;
        case 'v': puts("klatch " KLATCH_VERSION); exit(0);
        case 'h': fputs(usage, stdout); exit(0);
        default: return false;
        }
    }
    return optind == argc && o->workers >= 1;
}

/* The socket that systemd passed (sd_listen_fds(3)), else descriptor 0. */
static int inherited_socket(void)
{
    bool ours = number(getenv("LISTEN_FDS"), INT_MAX) >= 1 &&
                number(getenv("LISTEN_PID"), LONG_MAX) == (long)getpid();
    return ours ? 3 : 0;
}

/* Would a start go well? Makes nothing. */
static int check(const struct place *place, const char *given)
{
    struct config cfg;
    struct place_fault fault;
    char path[CONFIG_TEXT_BYTES_MAX], error[CONFIG_ERROR_BYTES_MAX];
    if (!place_find(place, given, path, &fault)) {
        fprintf(stderr, "%s\n", fault.log);
        return EXIT_CONFIG;
    }
    if (path[0] != '\0' && !config_read(&cfg, path, given != NULL, error)) {
        fprintf(stderr, "path=%s error=%s\n", path, error);
        return EXIT_CONFIG;
    }
    printf("klatch " KLATCH_VERSION ": %s is good\n", path[0] == '\0' ? "no configuration" : path);
    return 0;
}

/* Read the configuration and begin to log as it says. False: app->trouble, which is logged. */
static bool configure(struct app *app, const char *given, const char *no_copy)
{
    struct place_fault fault;
    bool read = app->upgrade != NULL ? upgrade_read_config(app->upgrade, &app->cfg, &fault)
                                     : place_read_config(&app->cfg, app->place, given, &fault);
    log_open(STDERR_FILENO, (enum log_level)app->cfg.log_level);
    if (no_copy != NULL) log_event(LOG_LEVEL_INFO, "runs-from-file", "reason=%s", no_copy);
    if (read) return true;
    log_event(LOG_LEVEL_ERROR, "configuration-wrong", "%s", fault.log);
    app->trouble = fault.problem;
    return false;
}

/* What can't be served is answered with why. */
static bool open_somehow(struct app *app, bool configured)
{
    if (configured && app_open(app)) return true;
    if (app->upgrade != NULL) upgrade_refusing(app->upgrade);
    return app_open_refusing(app, app->trouble);
}

static int serve_inherited(struct app *app, const char *given, int fd, char **argv)
{
    const char *no_copy = upgrade_copy(app->place, argv);
    app->how = "fastcgi";
    app->upgrade = upgrade_open(app->place, given);
    loop_block_signals();
    /* systemd gives its socket to one process, a web server to as many as it likes. */
    const struct loop_sockets sockets = {
        .shared = fd, .own = -1, .only = fd != 0, .inherited = fd == 0
    };
    bool ok = open_somehow(app, configure(app, given, no_copy)) && loop_run(app, &sockets);
    app_close(app);
    upgrade_become(app->upgrade, argv);
    upgrade_close(app->upgrade);
    return ok ? 0 : 1;
}

static int serve_own_socket(struct app *app, struct supervise_options *o, char **argv)
{
    const char *no_copy = upgrade_copy(app->place, argv);
    app->upgrade = o->upgrade = upgrade_open(app->place, o->config_path);
    loop_block_signals();
    int status =
        configure(app, o->config_path, no_copy) ? supervise_run(o, &app->cfg) : EXIT_CONFIG;
    upgrade_close(app->upgrade);
    return status;
}

static int serve_cgi(struct app *app)
{
    app->how = "cgi";
    bool ok = open_somehow(app, configure(app, NULL, NULL)) && cgi_run(app);
    app_close(app);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct place place;
    struct supervise_options options = { .place = &place, .workers = 2 };
    struct app app = { .place = &place };
    bool only_check = false;
    umask(0077);
    signal(SIGXFSZ, SIG_IGN); /* a host's limit on files is an error of the write, not our end */
    place_open(&place, argv[0]);
    /* A web server may append words of the query to a CGI program's arguments (RFC 3875, 4.4). */
    bool request = getenv("REQUEST_METHOD") != NULL;
    bool understood = request || parse_options(argc, argv, &options, &only_check);
    int fd = inherited_socket();
    bool cgi = options.socket_path == NULL && fd == 0 && gateway_started_as_cgi();
    if (!understood || (cgi && !request && !only_check)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    config_default(&app.cfg);
    if (only_check) return check(&place, options.config_path);
    if (cgi) return serve_cgi(&app);
    if (options.socket_path == NULL) return serve_inherited(&app, options.config_path, fd, argv);
    return serve_own_socket(&app, &options, argv);
}
