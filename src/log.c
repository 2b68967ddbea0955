#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 1000 };

static int sink_fd = STDERR_FILENO;
static enum log_level sink_level = LOG_LEVEL_WARNING;

void log_open(int fd, enum log_level level)
{
    sink_fd = fd;
    sink_level = level;
}

static size_t put_head(char *line, size_t size, enum log_level level, const char *event)
{
    static const char *const levels[] = { "error", "warning", "info", "debug" };
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    int more = snprintf(line + len, size - len, ".%03dZ %s %s ", (int)(now.tv_nsec / 1000000),
                        levels[level], event);
    len += more < 0 ? 0 : (size_t)more;
    return len < size ? len : size - 1;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (level > sink_level) return;
    int errno_before = errno; /* a log line between a failure and its report changes nothing */
    char line[LINE_BYTES_MAX + 1];
    size_t len = put_head(line, sizeof line, level, event);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + len, sizeof line - len, format, arguments);
    va_end(arguments);
    len += more < 0 ? 0 : (size_t)more;
    if (len > LINE_BYTES_MAX - 1) len = LINE_BYTES_MAX - 1;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
    }
    while (len > 0 && line[len - 1] == ' ') len--;
    line[len++] = '\n';
    ssize_t written;
    do written = write(sink_fd, line, len);
    while (written < 0 && errno == EINTR);
    errno = errno_before;
}

void log_address(const char *address, char *out, size_t out_size)
{
    struct in_addr four;
    struct in6_addr six;
    const char *done = NULL;
    if (address != NULL && inet_pton(AF_INET, address, &four) == 1) {
        four.s_addr &= htonl(0xffffff00);
        done = inet_ntop(AF_INET, &four, out, (socklen_t)out_size);
    } else if (address != NULL && inet_pton(AF_INET6, address, &six) == 1) {
        if (IN6_IS_ADDR_V4MAPPED(&six)) {
            six.s6_addr[15] = 0;
            done = inet_ntop(AF_INET, six.s6_addr + 12, out, (socklen_t)out_size);
        } else {
            memset(six.s6_addr + 6, 0, 10);
            done = inet_ntop(AF_INET6, &six, out, (socklen_t)out_size);
        }
    }
    if (done == NULL && out_size > 0) snprintf(out, out_size, "-");
}
