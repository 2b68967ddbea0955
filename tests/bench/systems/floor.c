/* floor: the least that a rendezvous behind nginx costs. One thread, one epoll, FastCGI records
 * read and written by hand on kept connections, messages in memory and gone when delivered.
 * Takes deploy/serve.sh's options and heeds `--listen SOCKET` alone. Half of what it is sent is
 * taken on trust: it is a measure, not a server. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "box.h"

enum { BACKLOG = 4096, EVENTS_MAX = 64, READ_BYTES = 65536, QUERY_BYTES = 64, TEXT_BYTES = 400000 };
enum { TICK_MS = 100, TICKS = 512, RECORD_MAX = 65528 };
enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };

struct conn {
    int fd;
    bool keep, sending;
    uint16_t request;
    char *in; /* a request of which not all has come */
    size_t in_len;
    struct box *box; /* parked at it */
    struct conn **at_tick, *next_at_tick;
    struct conn **link;
};

/* A request's parts, put together from its records. */
struct parts {
    char params[16384], query[QUERY_BYTES], *body;
    size_t params_len, body_len;
};

static struct box *boxes;
static struct conn *wheel[TICKS];
static char *answer, *body_space;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void unpark(struct conn *c)
{
    if (c->box == NULL) return;
    c->box->waiter = NULL;
    c->box = NULL;
    *c->link = c->next_at_tick;
    if (c->next_at_tick != NULL) c->next_at_tick->link = c->link;
}

static void park(struct conn *c, struct box *b)
{
    int hold_ms = HOLD_MS - rand() % (HOLD_MS / 10);
    struct conn **tick = &wheel[(now_ms() + hold_ms) / TICK_MS % TICKS];
    b->waiter = c;
    c->box = b;
    c->link = tick;
    c->next_at_tick = *tick;
    if (*tick != NULL) (*tick)->link = &c->next_at_tick;
    *tick = c;
}

static void drop(struct conn *c)
{
    unpark(c);
    close(c->fd);
    free(c->in);
    free(c);
}

static size_t put_record(size_t at, int type, uint16_t request, const char *data, size_t len)
{
    unsigned char head[8] = { 1,
                              (unsigned char)type,
                              (unsigned char)(request >> 8),
                              (unsigned char)request,
                              (unsigned char)(len >> 8),
                              (unsigned char)len };
    memcpy(answer + at, head, sizeof head);
    memcpy(answer + at + sizeof head, data, len);
    return at + sizeof head + len;
}

static void write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return;
        at += n;
        len -= (size_t)n;
    }
}

/* Answer 200 with this body. Returns false where the connection is to be closed. */
static bool say(struct conn *c, const char *text, size_t len)
{
    static const char end[8];
    char head[128];
    int head_len = snprintf(head, sizeof head,
                            "Status: 200 OK\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            len);
    size_t first = len < RECORD_MAX - sizeof head ? len : RECORD_MAX - sizeof head;
    size_t at = put_record(0, STDOUT, c->request, head, (size_t)head_len);
    for (size_t done = 0; done < len; done += first, first = len - done) {
        if (first > RECORD_MAX) first = RECORD_MAX;
        at = put_record(at, STDOUT, c->request, text + done, first);
    }
    at = put_record(at, END_REQUEST, c->request, end, sizeof end);
    write_all(c->fd, answer, at);
    return c->keep;
}

static void say_or_drop(struct conn *c, const char *text, size_t len)
{
    if (!say(c, text, len)) drop(c);
}

static void hand_over(struct box *b)
{
    struct conn *to = b->waiter;
    unpark(to);
    say_or_drop(to, b->mail, b->len);
    box_empty(b);
}

/* Returns false when the connection is gone. */
static bool handle(struct conn *c, const struct parts *p)
{
    struct box *b = box_find(boxes, p->query);
    if (b != NULL && p->query[0] == 't') {
        box_add(b, p->body, p->body_len);
        if (b->waiter != NULL) hand_over(b);
    } else if (b != NULL) {
        struct conn *former = b->waiter;
        if (former != NULL) {
            unpark(former);
            say_or_drop(former, "", 0);
        }
        if (b->len == 0) {
            park(c, b);
            return true;
        }
        bool keep = say(c, b->mail, b->len);
        box_empty(b);
        if (!keep) drop(c);
        return keep;
    }
    bool keep = say(c, "{}", 2);
    if (!keep) drop(c);
    return keep;
}

static size_t length_at(const unsigned char **at)
{
    size_t len = *(*at)++;
    if (len < 128) return len;
    len = (len & 0x7f) << 24 | (size_t)(*at)[0] << 16 | (size_t)(*at)[1] << 8 | (*at)[2];
    *at += 3;
    return len;
}

static void find_query(struct parts *p)
{
    const unsigned char *at = (const unsigned char *)p->params, *end = at + p->params_len;
    while (at + 2 <= end) {
        size_t name = length_at(&at), value = length_at(&at);
        if (name == 12 && memcmp(at, "QUERY_STRING", 12) == 0 && value < QUERY_BYTES)
            memcpy(p->query, at + name, value);
        at += name + value;
    }
}

/* Take one whole request off `at`. Returns the bytes it had, 0 when not all of it is there. */
static size_t take(struct conn *c, const char *at, size_t len, struct parts *p)
{
    size_t pos = 0;
    p->params_len = p->body_len = 0;
    memset(p->query, 0, sizeof p->query);
    p->body = body_space;
    while (len - pos >= 8) {
        const unsigned char *r = (const unsigned char *)at + pos;
        size_t content = (size_t)r[4] << 8 | r[5], whole = 8 + content + r[6];
        if (len - pos < whole) return 0;
        if (r[1] == BEGIN_REQUEST) {
            c->request = (uint16_t)(r[2] << 8 | r[3]);
            c->keep = r[10] & 1;
        }
        if (r[1] == PARAMS && p->params_len + content <= sizeof p->params) {
            memcpy(p->params + p->params_len, r + 8, content);
            p->params_len += content;
        }
        if (r[1] == STDIN && p->body_len + content <= TEXT_BYTES) {
            memcpy(p->body + p->body_len, r + 8, content);
            p->body_len += content;
        }
        pos += whole;
        if (r[1] == STDIN && content == 0) {
            find_query(p);
            return pos;
        }
    }
    return 0;
}

static void read_some(struct conn *c)
{
    static char space[READ_BYTES + TEXT_BYTES];
    static struct parts parts;
    size_t len = c->in_len;
    if (len > 0) memcpy(space, c->in, len);
    ssize_t n = recv(c->fd, space + len, sizeof space - len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        drop(c);
        return;
    }
    free(c->in);
    c->in = NULL;
    c->in_len = 0;
    len += (size_t)n;
    size_t pos = 0;
    for (size_t used; (used = take(c, space + pos, len - pos, &parts)) > 0;) {
        pos += used;
        if (!handle(c, &parts)) return;
    }
    if (pos == len) return;
    c->in_len = len - pos;
    c->in = malloc(c->in_len);
    if (c->in == NULL) abort();
    memcpy(c->in, space + pos, c->in_len);
}

static void accept_some(int listener, int epoll_fd)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        struct conn *c = calloc(1, sizeof *c);
        if (c == NULL) abort();
        c->fd = fd;
        struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) drop(c);
    }
}

static void expire(int64_t *done_ms)
{
    for (; *done_ms + TICK_MS <= now_ms(); *done_ms += TICK_MS) {
        struct conn **tick = &wheel[*done_ms / TICK_MS % TICKS];
        while (*tick != NULL) {
            struct conn *c = *tick;
            unpark(c);
            say_or_drop(c, "", 0);
        }
    }
}

static int listen_at(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(path) >= sizeof at.sun_path) return -1;
    strcpy(at.sun_path, path);
    (void)unlink(path);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, BACKLOG) != 0) return -1;
    return fd;
}

static void serve(int listener)
{
    struct epoll_event events[EVENTS_MAX], e = { .events = EPOLLIN, .data.ptr = NULL };
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int64_t done_ms = now_ms();
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e) != 0) return;
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, TICK_MS);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                accept_some(listener, epoll_fd);
            else
                read_some(events[i].data.ptr);
        }
        expire(&done_ms);
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    const char *path = NULL;
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--listen") == 0) path = argv[i + 1];
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    boxes = calloc(BOXES, sizeof *boxes);
    answer = malloc(2 * TEXT_BYTES + READ_BYTES);
    body_space = malloc(TEXT_BYTES);
    int listener = path == NULL ? -1 : listen_at(path);
    if (listener < 0 || boxes == NULL || answer == NULL || body_space == NULL) return EXIT_FAILURE;
    serve(listener);
    return EXIT_FAILURE;
}
