#include "password.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

enum {
    JOBS = 16,           /* a second of work */
    RETRY_SOON_S = 1,    /* it is being computed */
    RETRY_CROWDED_S = 5, /* all places are taken */
};

enum job_state { JOB_NONE, JOB_QUEUED, JOB_DONE };

struct job {
    enum job_state state;
    uint64_t number; /* in the order of asking */
    uint8_t id[IDENT_HASH_BYTES];
    struct password_kept kept;
    char text[PASSWORD_BYTES_MAX];
    size_t len;
};

struct password {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool started, stop;
    uint64_t numbers;
    struct job jobs[JOBS];
};

struct password *password_open(void)
{
    struct password *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    return p;
}

void password_close(struct password *p)
{
    if (p == NULL) return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    if (p->started) pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    explicit_bzero(p, sizeof *p);
    free(p);
}

/* The job of this state that was asked for first; NULL: there is none. */
static struct job *first(struct password *p, enum job_state state)
{
    struct job *found = NULL;
    for (struct job *j = p->jobs; j < p->jobs + JOBS; j++)
        if (j->state == state && (found == NULL || j->number < found->number)) found = j;
    return found;
}

static void compute(const char *text, size_t len, struct password_kept *kept)
{
    ident_pbkdf2((struct slice){ text, len }, kept->salt, sizeof kept->salt, PASSWORD_ROUNDS,
                 kept->hash);
}

static void *work(void *arg)
{
    struct password *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct job *j = first(p, JOB_QUEUED);
        if (j == NULL) {
            pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        struct job mine = *j; /* a queued one is nobody else's to change */
        pthread_mutex_unlock(&p->lock);
        compute(mine.text, mine.len, &mine.kept);
        pthread_mutex_lock(&p->lock);
        j->kept = mine.kept;
        j->state = JOB_DONE;
        explicit_bzero(j->text, sizeof j->text);
        explicit_bzero(&mine, sizeof mine);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals are the loop's. */
static bool start(struct password *p)
{
    sigset_t all, before;
    if (p->started) return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->started = pthread_create(&p->thread, NULL, work, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p->started;
}

static void identify(struct slice text, const struct password_kept *kept,
                     uint8_t id[IDENT_HASH_BYTES])
{
    char both[PASSWORD_SALT_BYTES + PASSWORD_BYTES_MAX];
    memcpy(both, kept->salt, PASSWORD_SALT_BYTES);
    memcpy(both + PASSWORD_SALT_BYTES, text.at, text.len);
    ident_hash(both, PASSWORD_SALT_BYTES + text.len, id);
    explicit_bzero(both, sizeof both);
}

static struct job *find(struct password *p, const uint8_t id[IDENT_HASH_BYTES])
{
    for (struct job *j = p->jobs; j < p->jobs + JOBS; j++)
        if (j->state != JOB_NONE && ident_equal(j->id, id, IDENT_HASH_BYTES)) return j;
    return NULL;
}

/* Ask for it. NULL: too many wait. */
static struct job *ask(struct password *p, const uint8_t id[IDENT_HASH_BYTES], struct slice text,
                       const struct password_kept *kept)
{
    struct job *j = first(p, JOB_NONE);
    if (j == NULL) j = first(p, JOB_DONE);
    if (j == NULL) return NULL;
    j->state = JOB_QUEUED;
    j->number = p->numbers++;
    j->kept = *kept;
    memcpy(j->id, id, sizeof j->id);
    memcpy(j->text, text.at, text.len);
    j->len = text.len;
    pthread_cond_signal(&p->changed);
    return j;
}

struct problem password_hash(struct app *app, struct slice text, struct password_kept *kept)
{
    struct password *p = app->password;
    uint8_t id[IDENT_HASH_BYTES];
    if (text.len == 0 || text.len > PASSWORD_BYTES_MAX)
        return PROBLEM(400, "invalid-request", "password must be a string of 1 to 256 bytes.");
    identify(text, kept, id);
    if (p == NULL) {
        compute(text.at, text.len, kept);
        return NO_PROBLEM;
    }
    struct problem problem =
        PROBLEM_RETRY(503, "busy", "The password is being checked; try again.", RETRY_SOON_S);
    pthread_mutex_lock(&p->lock);
    struct job *j = find(p, id);
    bool helped = app->lasts && start(p);
    if (j == NULL) j = ask(p, id, text, kept);
    if (j == NULL) {
        problem =
            PROBLEM_RETRY(503, "busy", "Too many passwords are being checked.", RETRY_CROWDED_S);
    } else if (j->state == JOB_QUEUED && !helped) {
        compute(j->text, j->len, &j->kept);
        j->state = JOB_DONE;
        explicit_bzero(j->text, sizeof j->text);
    }
    if (j != NULL && j->state == JOB_DONE) {
        *kept = j->kept;
        problem = NO_PROBLEM;
    }
    pthread_mutex_unlock(&p->lock);
    return problem;
}
