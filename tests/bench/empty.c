/* empty: a FastCGI handler that does nothing, for the benchmark to be held against.
 * Takes the options that deploy/serve.sh gives the real one and heeds `--listen SOCKET` alone, so
 * that it stands behind the same nginx recipe. libfcgi's blocking loop serves one kept connection
 * at a time: one process for each that nginx may keep open to it. */
#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 8, BACKLOG = 512 };

static void serve(int socket_fd)
{
    FCGX_Request rq;
    if (FCGX_InitRequest(&rq, socket_fd, 0) != 0) return;
    while (FCGX_Accept_r(&rq) == 0) {
        char body[4096];
        while (FCGX_GetStr(body, sizeof body, rq.in) > 0) {
        }
        FCGX_PutS("Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
                  rq.out);
        FCGX_Finish_r(&rq);
    }
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--listen") == 0) path = argv[i + 1];
    if (path == NULL || FCGX_Init() != 0) return EXIT_FAILURE;
    int socket_fd = FCGX_OpenSocket(path, BACKLOG);
    if (socket_fd < 0) return EXIT_FAILURE;
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        if (pid < 0) return EXIT_FAILURE;
        if (pid > 0) continue;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(socket_fd);
        _exit(EXIT_SUCCESS);
    }
    while (wait(NULL) > 0) {
    }
    return EXIT_SUCCESS;
}
