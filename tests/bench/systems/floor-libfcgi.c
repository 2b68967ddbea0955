/* floor-libfcgi: the same rendezvous with libfcgi as it comes: threads that block in
 * FCGX_Accept_r, a connection for each request, a parked poll as an FCGX_Request that another
 * thread ends. */
#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "box.h"

enum { THREADS = 4, BACKLOG = 4096, BODY_BYTES = 400000, TICK_MS = 100, TICKS = 512 };

struct parked {
    FCGX_Request rq;
    struct box *box; /* NULL: not parked */
    struct parked *next, **link;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct box *boxes;
static struct parked *wheel[TICKS];
static int socket_fd;

static long now_tick(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (t.tv_sec * 1000 + t.tv_nsec / 1000000) / TICK_MS;
}

static void say(FCGX_Request *rq, const char *text, size_t len)
{
    FCGX_FPrintF(rq->out,
                 "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                 (int)len);
    FCGX_PutStr(text, (int)len, rq->out);
    rq->keepConnection = 0;
    FCGX_Finish_r(rq);
}

static void unpark(struct parked *p)
{
    p->box->waiter = NULL;
    p->box = NULL;
    *p->link = p->next;
    if (p->next != NULL) p->next->link = p->link;
}

static void park(struct parked *p, struct box *b)
{
    int hold_ms = HOLD_MS - rand() % (HOLD_MS / 10);
    struct parked **tick = &wheel[(now_tick() + hold_ms / TICK_MS) % TICKS];
    b->waiter = p;
    p->box = b;
    p->link = tick;
    p->next = *tick;
    if (*tick != NULL) (*tick)->link = &p->next;
    *tick = p;
}

/* Under the lock: mail meets its waiter. Returns whom to answer after it is left. */
static struct parked *take_waiter(struct box *b, char **mail, size_t *len)
{
    struct parked *to = b->waiter;
    if (to == NULL) return NULL;
    unpark(to);
    *mail = b->mail;
    *len = b->len;
    *b = (struct box){ 0 };
    return to;
}

/* Returns true when the request was parked and a new one is needed. */
static bool handle(struct parked *p, char *body)
{
    const char *query = FCGX_GetParam("QUERY_STRING", p->rq.envp);
    struct box *b = box_find(boxes, query);
    int len = FCGX_GetStr(body, BODY_BYTES, p->rq.in);
    struct parked *to = NULL;
    char *mail = NULL;
    size_t mail_len = 0;
    bool parked = false;
    pthread_mutex_lock(&lock);
    if (b != NULL && query[0] == 't') {
        box_add(b, body, (size_t)len);
        to = take_waiter(b, &mail, &mail_len);
    } else if (b != NULL && b->len == 0) {
        to = take_waiter(b, &mail, &mail_len);
        park(p, b);
        parked = true;
    } else if (b != NULL) {
        mail = b->mail;
        mail_len = b->len;
        *b = (struct box){ 0 };
    }
    pthread_mutex_unlock(&lock);
    if (to != NULL) {
        say(&to->rq, mail, mail_len);
        free(to);
    }
    bool is_poll = b != NULL && query[0] != 't';
    if (!parked) say(&p->rq, is_poll ? mail : "{}", is_poll ? mail_len : 2);
    free(mail);
    return parked;
}

static struct parked *fresh(void)
{
    struct parked *p = calloc(1, sizeof *p);
    if (p == NULL || FCGX_InitRequest(&p->rq, socket_fd, 0) != 0) abort();
    return p;
}

static void *serve(void *unused)
{
    (void)unused;
    char *body = malloc(BODY_BYTES);
    struct parked *p = fresh();
    while (body != NULL && FCGX_Accept_r(&p->rq) == 0)
        if (handle(p, body)) p = fresh();
    return NULL;
}

static void expire_forever(void)
{
    for (long done = now_tick();; usleep(TICK_MS * 1000)) {
        for (; done < now_tick(); done++) {
            struct parked *ended = NULL, *next;
            pthread_mutex_lock(&lock);
            while (wheel[done % TICKS] != NULL) {
                struct parked *p = wheel[done % TICKS];
                unpark(p);
                p->next = ended;
                ended = p;
            }
            pthread_mutex_unlock(&lock);
            for (; ended != NULL; ended = next) {
                next = ended->next;
                say(&ended->rq, "", 0);
                free(ended);
            }
        }
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
    if (path == NULL || boxes == NULL || FCGX_Init() != 0) return EXIT_FAILURE;
    socket_fd = FCGX_OpenSocket(path, BACKLOG);
    if (socket_fd < 0) return EXIT_FAILURE;
    (void)signal(SIGTERM, SIG_DFL); /* libfcgi's handler waits for a request to end by */
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL) != 0) return EXIT_FAILURE;
    }
    expire_forever();
    return EXIT_SUCCESS;
}
