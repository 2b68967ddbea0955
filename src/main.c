/* Klatch's one binary: finds out how it was started and runs that way. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "cgi.h"
#include "gateway.h"
#include "log.h"
#include "loop.h"
#include "place.h"
#include "supervise.h"
#include "version.h"

enum { WORKERS_MAX = 64, EXIT_USAGE = 64, EXIT_CONFIG = 78 /* sysexits.h */ };

static const char usage[] =
    "usage: klatch.fcgi --listen SOCKET [--workers N] [--config FILE]\n"
    "       klatch.fcgi --version\n"
    "Without --listen it serves what its web server gave it: a FastCGI socket as descriptor 0,\n"
    "one from systemd (LISTEN_FDS), or one CGI request.\n";

/* A whole decimal number from 0 to `max`; -1: it isn't. */
static long number(const char *text, long max)
{
    char *end = NULL;
    if (text == NULL || *text < '0' || *text > '9') return -1;
    errno = 0;
    long value = strtol(text, &end, 10);
    return *end != '\0' || errno != 0 || value > max ? -1 : value;
}

static bool parse_options(int argc, char **argv, struct supervise_options *o)
{
    static const struct option long_options[] = {
        { "listen", required_argument, NULL, 'l' }, { "workers", required_argument, NULL, 'w' },
        { "config", required_argument, NULL, 'c' }, { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },         { 0 },
    };
    int c;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'l': o->socket_path = optarg; break;
        case 'c': o->config_path = optarg; break;
        case 'w': o->workers = (int)number(optarg, WORKERS_MAX); break;
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

static int serve_inherited(struct app *app, int fd)
{
    app->how = "fastcgi";
    loop_block_signals();
    bool ok = app_open(app) && loop_run(app, fd, fd == 0);
    app_close(app);
    return ok ? 0 : 1;
}

static int serve_cgi(struct app *app)
{
    app->how = "cgi";
    if (!app_open(app)) {
        cgi_fail("the data folder can't be used; see the line before");
        return 0;
    }
    bool ok = cgi_run(app);
    app_close(app);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct supervise_options options = { .argv0 = argv[0], .workers = 2 };
    struct app app = { 0 };
    char error[CONFIG_ERROR_BYTES_MAX];
    /* A web server may append words of the query to a CGI program's arguments (RFC 3875, 4.4). */
    bool request = getenv("REQUEST_METHOD") != NULL;
    bool understood = request || parse_options(argc, argv, &options);
    int fd = inherited_socket();
    bool cgi = options.socket_path == NULL && fd == 0 && gateway_started_as_cgi();
    if (!understood || (cgi && !request)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    config_default(&app.cfg);
    if (!place_read_config(&app.cfg, options.config_path, argv[0], error)) {
        if (cgi)
            cgi_fail(error);
        else
            log_event(LOG_LEVEL_ERROR, "configuration-wrong", "%s", error);
        return cgi ? 0 : EXIT_CONFIG;
    }
    log_open(2, (enum log_level)app.cfg.log_level);
    if (options.socket_path != NULL) {
        loop_block_signals();
        return supervise_run(&options, &app.cfg);
    }
    return cgi ? serve_cgi(&app) : serve_inherited(&app, fd);
}
