#include "conn.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_BYTES_MAX = HTTP_ANSWER_BYTES_MAX + 16384 };

struct conn *conn_new(struct slab *conns, int fd)
{
    struct conn *c = slab_take(conns);
    if (c == NULL) return NULL;
    c->fd = fd;
    gateway_in_init(&c->in);
    buf_init(&c->out, OUT_BYTES_MAX);
    return c;
}

void conn_free(struct slab *conns, struct conn *c)
{
    gateway_in_reset(&c->in);
    buf_free(&c->out);
    close(c->fd);
    slab_give(conns, c);
}

enum conn_written conn_flush(struct conn *c)
{
    while (c->out_at < c->out.len) {
        ssize_t n =
            send(c->fd, c->out.at + c->out_at, c->out.len - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN ? CONN_MORE : CONN_GONE;
        c->out_at += (size_t)n;
    }
    buf_free(&c->out);
    c->out_at = 0;
    return CONN_DONE;
}
