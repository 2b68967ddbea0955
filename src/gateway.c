#include "gateway.h"

#include <errno.h>
#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

/* FastCGI 1.0, sections 3.3 and 8. */
enum {
    VERSION = 1,
    BEGIN_REQUEST = 1,
    ABORT_REQUEST = 2,
    END_REQUEST = 3,
    PARAMS = 4,
    STDIN = 5,
    STDOUT = 6,
    ROLE_RESPONDER = 1,
    FLAG_KEEP_CONN = 1,
    HEADER_BYTES = 8,
    CONTENT_BYTES_MAX = 65528, /* the largest that needs no padding */
    /* Headers of records: a web server may send small ones. */
    RECORDS_BYTES_MAX = HTTP_BODY_BYTES_MAX + HTTP_PARAMS_BYTES_MAX + 65536,
    PAIR_BYTES = 1 << 20,
};

struct gateway {
    FCGX_Request fcgx;
    int feed_fd; /* our end of the pair; the other is fcgx.ipcFd */
};

bool gateway_started_as_cgi(void)
{
    return FCGX_IsCGI();
}

static bool make_pair(struct gateway *g)
{
    int pair[2], bytes = PAIR_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        log_event(LOG_LEVEL_ERROR, "gateway-failed", "step=socketpair error=%s", strerror(errno));
        return false;
    }
    (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    g->feed_fd = pair[0];
    /* Socket -1: where the pair's end is given, libfcgi never accepts; after an error it tries to,
     * and fails at once. */
    FCGX_InitRequest(&g->fcgx, -1, 0);
    g->fcgx.ipcFd = pair[1];
    FCGX_Detach(
        &g->fcgx); /* else libfcgi waits up to 2 s for the other end when it closes its own */
    return true;
}

static void drop_pair(struct gateway *g)
{
    FCGX_Free(&g->fcgx, 1);
    if (g->feed_fd >= 0) close(g->feed_fd);
    g->feed_fd = -1;
}

struct gateway *gateway_open(void)
{
    struct gateway *g = calloc(1, sizeof *g);
    if (g == NULL) return NULL;
    g->feed_fd = -1;
    if (FCGX_Init() == 0 && make_pair(g)) return g;
    free(g);
    return NULL;
}

void gateway_close(struct gateway *g)
{
    if (g == NULL) return;
    drop_pair(g);
    free(g);
}

void gateway_in_init(struct gateway_in *in)
{
    *in = (struct gateway_in){ 0 };
    buf_init(&in->records, RECORDS_BYTES_MAX);
}

void gateway_in_reset(struct gateway_in *in)
{
    buf_free(&in->records);
    gateway_in_init(in);
}

bool gateway_in_idle(const struct gateway_in *in)
{
    return !in->active && in->header_len == 0;
}

static void keep_header(struct gateway_in *in)
{
    unsigned char header[HEADER_BYTES];
    memcpy(header, in->header, sizeof header);
    header[6] = 0; /* no padding */
    buf_add(&in->records, header, sizeof header);
}

/* The header of a record that belongs to the active request has come. False: broken. */
static bool begin_stream(struct gateway_in *in)
{
    if (in->type == PARAMS && !in->params_done) {
        in->params_done = in->content_left == 0;
        in->params_bytes += in->content_left;
        in->wanted = true;
    } else if (in->type == STDIN && in->params_done) {
        if (in->body_bytes + in->content_left > HTTP_BODY_BYTES_MAX) in->body_too_large = true;
        in->body_bytes += in->body_too_large ? 0 : in->content_left;
        in->wanted = !in->body_too_large || in->content_left == 0;
        in->whole = in->content_left == 0;
    } else {
        return false;
    }
    if (in->wanted) keep_header(in);
    return in->params_bytes <= HTTP_PARAMS_BYTES_MAX && !in->records.failed;
}

static enum gateway_state begin_record(struct gateway_in *in)
{
    const unsigned char *h = in->header;
    uint16_t id = (uint16_t)(h[2] << 8 | h[3]);
    in->header_len = 0;
    in->type = h[1];
    in->content_left = (uint32_t)(h[4] << 8 | h[5]);
    in->padding_left = h[6];
    in->wanted = false;
    if (h[0] != VERSION) return GATEWAY_BROKEN;
    if (id == 0) { /* a management record: nobody waits for its answer */
        in->type = 0;
        return GATEWAY_MORE;
    }
    if (in->active && id != in->id) return GATEWAY_BROKEN;
    if (in->type == ABORT_REQUEST) return in->active ? GATEWAY_ABORTED : GATEWAY_MORE;
    if (in->whole) return GATEWAY_BROKEN;
    if (in->type == BEGIN_REQUEST) {
        if (in->active || in->content_left != 8) return GATEWAY_BROKEN;
        in->active = true;
        in->wanted = true;
        in->id = id;
        keep_header(in);
        return in->records.failed ? GATEWAY_BROKEN : GATEWAY_MORE;
    }
    return in->active && begin_stream(in) ? GATEWAY_MORE : GATEWAY_BROKEN;
}

/* The content of the record is complete. */
static enum gateway_state end_record(struct gateway_in *in)
{
    if (in->type == BEGIN_REQUEST && in->wanted) {
        const char *body = in->records.at + HEADER_BYTES;
        if (body[0] != 0 || body[1] != ROLE_RESPONDER) return GATEWAY_BROKEN;
        in->keep = body[2] & FLAG_KEEP_CONN;
    }
    return in->whole && in->type == STDIN ? GATEWAY_WHOLE : GATEWAY_MORE;
}

enum gateway_state gateway_feed(struct gateway_in *in, const void *at, size_t len, size_t *used)
{
    const unsigned char *from = at, *end = from + len;
    enum gateway_state state = GATEWAY_MORE;
    while (from < end && state == GATEWAY_MORE) {
        size_t left = (size_t)(end - from), take;
        if (in->content_left > 0) {
            take = left < in->content_left ? left : in->content_left;
            if (in->wanted) buf_add(&in->records, from, take);
            in->content_left -= (uint32_t)take;
        } else if (in->padding_left > 0) {
            take = left < in->padding_left ? left : in->padding_left;
            in->padding_left -= (uint32_t)take;
        } else {
            take = 1;
            in->header[in->header_len++] = *from;
            if (in->header_len == HEADER_BYTES) state = begin_record(in);
        }
        from += take;
        bool at_end = in->header_len == 0 && in->content_left == 0 && in->padding_left == 0;
        if (state == GATEWAY_MORE && at_end) state = end_record(in);
        if (in->records.failed) state = GATEWAY_BROKEN;
    }
    *used = len - (size_t)(end - from);
    return state;
}

/* Copies of all variables in the arena; NULL: no memory. */
static char **copy_env(struct arena *a, char *const *env)
{
    size_t count = 0;
    while (env[count] != NULL) count++;
    char **copy = arena_alloc(a, (count + 1) * sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = arena_copy(a, env[i], strlen(env[i]));
        if (copy[i] == NULL) return NULL;
    }
    return copy;
}

static struct problem read_body(struct gateway *g, const struct gateway_in *in, struct request *rq,
                                int64_t content_length)
{
    if (in->body_too_large) {
        rq->body_too_large = true;
        return NO_PROBLEM;
    }
    if (content_length != (int64_t)in->body_bytes && (content_length > 0 || in->body_bytes > 0))
        return PROBLEM(400, "invalid-request", "The body is not as long as it was said to be.");
    if (in->body_bytes == 0) return NO_PROBLEM;
    char *body = arena_alloc(rq->arena, in->body_bytes);
    if (body == NULL) return PROBLEM(413, "message-too-large", "The request is too large.");
    int got = FCGX_GetStr(body, (int)in->body_bytes, g->fcgx.in);
    if (got != (int)in->body_bytes)
        return PROBLEM(400, "invalid-request", "The body is not as long as it was said to be.");
    rq->body = (struct slice){ body, (size_t)got };
    return NO_PROBLEM;
}

/* libfcgi has the whole request before it; nothing that it does now can block. */
static struct problem parse(struct gateway *g, struct gateway_in *in, struct request *rq,
                            const char **server_software)
{
    const struct problem broken = { .status = -1 };
    g->fcgx.keepConnection = 1; /* else the first FCGX_Accept_r closes the pair */
    if (FCGX_Accept_r(&g->fcgx) != 0) return broken;
    char **env = copy_env(rq->arena, g->fcgx.envp);
    if (env == NULL || !http_request_from_env(rq, env)) return broken;
    *server_software = http_env(env, "SERVER_SOFTWARE");
    return read_body(g, in, rq, http_content_length(env));
}

struct problem gateway_parse(struct gateway *g, struct gateway_in *in, struct request *rq,
                             const char **server_software)
{
    struct problem p = { .status = -1 };
    *server_software = NULL;
    if (g->feed_fd < 0 && !make_pair(g)) return p;
    ssize_t fed = send(g->feed_fd, in->records.at, in->records.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (fed == (ssize_t)in->records.len)
        p = parse(g, in, rq, server_software);
    else if (fed > 0) /* more than this system's sockets hold */
        p = PROBLEM(413, "message-too-large", "The request is larger than this server takes.");
    buf_free(&in->records);
    FCGX_Free(&g->fcgx, 0);
    int rest = 0;
    bool clean = p.status >= 0 && ioctl(g->fcgx.ipcFd, FIONREAD, &rest) == 0 && rest == 0;
    if (!clean) drop_pair(g);
    return p;
}

static void put_record(struct buf *out, unsigned char type, uint16_t id, const void *at, size_t len)
{
    const unsigned char header[HEADER_BYTES] = { VERSION,
                                                 type,
                                                 (unsigned char)(id >> 8),
                                                 (unsigned char)id,
                                                 (unsigned char)(len >> 8),
                                                 (unsigned char)len };
    buf_add(out, header, sizeof header);
    buf_add(out, at, len);
}

void gateway_put_answer(uint16_t id, const struct answer *an, struct buf *out)
{
    static const unsigned char end[8] = { 0 }; /* status 0, FCGI_REQUEST_COMPLETE */
    struct buf text;
    buf_init(&text, HTTP_ANSWER_BYTES_MAX + 4096);
    http_answer_write(an, &text);
    out->failed = out->failed || text.failed;
    for (size_t at = 0; at < text.len;) {
        size_t len = text.len - at < CONTENT_BYTES_MAX ? text.len - at : CONTENT_BYTES_MAX;
        put_record(out, STDOUT, id, text.at + at, len);
        at += len;
    }
    put_record(out, STDOUT, id, NULL, 0);
    put_record(out, END_REQUEST, id, end, sizeof end);
    buf_free(&text);
}
