/* A static CGI program that does nothing, for Klatch's plain CGI to be held against. */
#include <string.h>
#include <unistd.h>

int main(void)
{
    static const char answer[] =
        "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    char body[4096];
    while (read(0, body, sizeof body) > 0) {
    }
    return write(1, answer, sizeof answer - 1) == (ssize_t)sizeof answer - 1 ? 0 : 1;
}
