#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, KEPT_BYTES_MAX = 4096, READ_BYTES = 65536 };

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void bytes_room(struct bytes *b, size_t len)
{
    if (b->cap - b->len >= len) return;
    size_t cap = b->cap == 0 ? 512 : b->cap;
    while (cap - b->len < len) cap *= 2;
    b->at = realloc(b->at, cap);
    if (b->at == NULL) die("generate: memory");
    b->cap = cap;
}

void bytes_add(struct bytes *b, const void *at, size_t len)
{
    bytes_room(b, len);
    memcpy(b->at + b->len, at, len);
    b->len += len;
}

void bytes_text(struct bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

void bytes_printf(struct bytes *b, const char *format, ...)
{
    for (size_t room = 256;; room *= 2) {
        va_list args;
        bytes_room(b, room);
        va_start(args, format);
        int len = vsnprintf(b->at + b->len, room, format, args);
        va_end(args);
        if (len < 0) die("generate: format");
        if ((size_t)len < room) {
            b->len += (size_t)len;
            return;
        }
    }
}

void bytes_free(struct bytes *b)
{
    free(b->at);
    *b = (struct bytes){ 0 };
}

void bytes_shift(struct bytes *b, size_t len)
{
    b->len -= len;
    if (b->len > 0)
        memmove(b->at, b->at + len, b->len);
    else if (b->cap > KEPT_BYTES_MAX)
        bytes_free(b);
}

void net_init(struct net *n, uint16_t port)
{
    *n = (struct net){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .port = port };
    if (n->epoll_fd < 0) die("generate: epoll");
}

static void watch(struct conn *c, int op, bool wants_write)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP | (wants_write ? EPOLLOUT : 0u),
                             .data.ptr = c };
    c->wants_write = wants_write;
    if (epoll_ctl(c->net->epoll_fd, op, c->fd, &e) != 0) die("generate: epoll_ctl");
}

void conn_open(struct net *n, struct conn *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(n->port) };
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->net = n;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("generate: socket");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        die("generate: connect");
    watch(c, EPOLL_CTL_ADD, false);
}

void conn_close(struct conn *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    bytes_free(&c->in);
    bytes_free(&c->out);
}

void conn_flush(struct conn *c)
{
    while (c->fd >= 0 && c->out.len > 0) {
        ssize_t n = send(c->fd, c->out.at, c->out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        /* A broken connection shows when it is read. */
        if (n < 0) break;
        c->net->bytes_out += (size_t)n;
        bytes_shift(&c->out, (size_t)n);
    }
    if (c->fd >= 0 && (c->out.len > 0) != c->wants_write) watch(c, EPOLL_CTL_MOD, c->out.len > 0);
}

static void read_some(struct conn *c)
{
    bytes_room(&c->in, READ_BYTES);
    ssize_t n = recv(c->fd, c->in.at + c->in.len, c->in.cap - c->in.len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) {
        c->net->bytes_in += (size_t)n;
        c->in.len += (size_t)n;
        c->arrived(c);
        return;
    }
    conn_close(c);
    c->closed(c);
}

void net_wait(struct net *n, int64_t until_ns, void (*after)(void *), void *arg)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t left = until_ns - now_ns();
    if (left < 0) left = 0;
    struct timespec timeout = { .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
    int count = epoll_pwait2(n->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
    if (count < 0 && errno != EINTR) die("generate: epoll_wait");
    for (int i = 0; i < count; i++) {
        struct conn *c = events[i].data.ptr;
        if (c->fd < 0) continue;
        if (events[i].events & EPOLLOUT) conn_flush(c);
        if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            read_some(c);
        after(arg);
    }
}
