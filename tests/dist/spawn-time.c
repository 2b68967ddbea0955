/* How long CGI programs take: spawn-time RUNS PROGRAM... runs each of them in turn, RUNS times,
 * with the environment it was given, no input, and until its output has ended and it is gone.
 * Prints a line for each: the program, and the median of its times in microseconds. */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* In nanoseconds; -1: it didn't answer and end well. */
static int64_t run(char *program, int null)
{
    int out[2], status = 0;
    pid_t pid = 0;
    posix_spawn_file_actions_t files;
    char *arguments[] = { program, NULL }, answer[4096];
    if (pipe2(out, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&files) != 0) return -1;
    posix_spawn_file_actions_adddup2(&files, null, 0);
    posix_spawn_file_actions_adddup2(&files, out[1], 1);
    int64_t since = now_ns();
    int fault = posix_spawn(&pid, program, &files, NULL, arguments, environ);
    close(out[1]);
    ssize_t got = 0, all = 0;
    while (fault == 0 && (got = read(out[0], answer, sizeof answer)) > 0) all += got;
    if (fault == 0) waitpid(pid, &status, 0);
    int64_t took = now_ns() - since;
    close(out[0]);
    posix_spawn_file_actions_destroy(&files);
    return fault == 0 && status == 0 && all > 0 ? took : -1;
}

int main(int argc, char **argv)
{
    size_t runs = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
    size_t programs = argc > 2 ? (size_t)argc - 2 : 0;
    int64_t *times = runs == 0 ? NULL : calloc(runs * programs, sizeof *times);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (times == NULL || null < 0) {
        fputs("usage: spawn-time RUNS PROGRAM...\n", stderr);
        return 1;
    }
    for (size_t i = 0; i < runs; i++) {
        for (size_t j = 0; j < programs; j++) {
            times[j * runs + i] = run(argv[j + 2], null);
            if (times[j * runs + i] < 0) {
                fprintf(stderr, "spawn-time: no answer from %s\n", argv[j + 2]);
                return 1;
            }
        }
    }
    for (size_t j = 0; j < programs; j++) {
        qsort(times + j * runs, runs, sizeof *times, compare);
        printf("%s %.1f\n", argv[j + 2], (double)times[j * runs + runs / 2] / 1000);
    }
    free(times);
    return 0;
}
