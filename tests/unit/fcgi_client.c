#include "fcgi_client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void record(struct buf *b, int type, const void *at, size_t len)
{
    const unsigned char header[8] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len, 0, 0
    };
    buf_add(b, header, sizeof header);
    buf_add(b, at, len);
}

static void param(struct buf *b, const char *name, const char *value)
{
    if (value == NULL) return;
    size_t len = strlen(value);
    const unsigned char lengths[5] = { (unsigned char)strlen(name),
                                       (unsigned char)(len >> 24 | 128), (unsigned char)(len >> 16),
                                       (unsigned char)(len >> 8), (unsigned char)len };
    buf_add(b, lengths, sizeof lengths);
    buf_text(b, name);
    buf_text(b, value);
}

void fcgi_put_call(struct buf *b, const struct fcgi_call *call)
{
    const unsigned char begin[8] = { 0, 1, call->keep, 0 };
    size_t body_len = call->body == NULL ? 0 : strlen(call->body);
    char length[24] = "";
    struct buf params;
    buf_init(&params, 65536);
    if (call->body != NULL) snprintf(length, sizeof length, "%zu", body_len);
    param(&params, "REQUEST_METHOD", call->method);
    param(&params, "PATH_INFO", call->path);
    param(&params, "QUERY_STRING", call->query == NULL ? "" : call->query);
    param(&params, "CONTENT_TYPE", call->body == NULL ? NULL : "application/json");
    param(&params, "CONTENT_LENGTH", length);
    param(&params, "HTTP_X_KLATCH_KEY", call->key);
    param(&params, "REMOTE_ADDR", "127.0.0.1");
    param(&params, "SERVER_SOFTWARE",
          call->server_software == NULL ? "nginx/1.22.1" : call->server_software);
    record(b, 1, begin, sizeof begin);
    record(b, 4, params.at, params.len);
    record(b, 4, NULL, 0);
    for (size_t at = 0; at < body_len; at += 65000)
        record(b, 5, call->body + at, body_len - at < 65000 ? body_len - at : 65000);
    record(b, 5, NULL, 0);
    buf_free(&params);
}

int fcgi_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Read exactly `len` bytes: 1, or -1 closed, -2 late. */
static int read_all(int fd, void *out, size_t len, int timeout_ms)
{
    char *at = out;
    while (len > 0) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (poll(&p, 1, timeout_ms) == 0) return -2;
        ssize_t n = read(fd, at, len);
        if (n <= 0) return -1;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

int fcgi_read_answer(int fd, struct buf *text, int timeout_ms)
{
    static char content[65535 + 255];
    unsigned char h[8];
    buf_clear(text);
    for (;;) {
        int got = read_all(fd, h, sizeof h, timeout_ms);
        if (got < 0) return got;
        size_t len = (size_t)h[4] << 8 | h[5];
        got = read_all(fd, content, len + h[6], timeout_ms);
        if (got < 0) return got;
        if (h[1] == 6) buf_add(text, content, len);
        if (h[1] == 3) break;
    }
    buf_add(text, "", 1);
    return text->len > 11 ? atoi(text->at + 8) : 0;
}

int fcgi_call(const char *path, const struct fcgi_call *call, struct buf *text)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    fcgi_put_call(&b, call);
    int fd = fcgi_connect(path), status = -1;
    if (fd >= 0 && send(fd, b.at, b.len, MSG_NOSIGNAL) == (ssize_t)b.len)
        status = fcgi_read_answer(fd, text, 10000);
    if (fd >= 0) close(fd);
    buf_free(&b);
    return status;
}
