/* net: connections to 127.0.0.1 on one epoll, and a clock.
 * A connection owns its descriptor and its two buffers; whoever embeds a struct conn owns that.
 * Everything is written at once and whole where the kernel takes it: what is measured is the
 * server, so a request costs this side one write and one read. */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    char *at;
    size_t len, cap;
};

void bytes_add(struct bytes *b, const void *at, size_t len);
void bytes_text(struct bytes *b, const char *text);
void bytes_printf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drop the first `len`; an empty buffer keeps no memory beyond a page. */
void bytes_shift(struct bytes *b, size_t len);
void bytes_free(struct bytes *b);

struct net {
    int epoll_fd;
    uint16_t port;
    uint64_t bytes_in, bytes_out;
};

struct conn {
    struct net *net;
    int fd; /* -1: closed */
    bool wants_write;
    struct bytes in, out;
    void (*arrived)(struct conn *c); /* more in `in`; shifts what it has used */
    void (*closed)(struct conn *c);  /* by the other side; the descriptor is gone already */
};

int64_t now_ns(void);

void net_init(struct net *n, uint16_t port);
/* Begin to connect; what is written before that is done goes out then. */
void conn_open(struct net *n, struct conn *c);
void conn_close(struct conn *c);
/* Send what stands in `out`. */
void conn_flush(struct conn *c);
/* Wait for events until `until_ns` at most and handle a batch of them. `after` is called after each
 * connection's: the end of that peer's turn. */
void net_wait(struct net *n, int64_t until_ns, void (*after)(void *), void *arg);

#endif
