/* The loop in a process of its own, spoken to as a web server does. */
#ifndef LOOP_FIXTURE_H
#define LOOP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "fcgi_client.h"

enum { ANSWER_MS = 10000, NOT_YET_MS = 50 };

struct loop_test {
    char folder[64], socket_path[96];
    pid_t pid;
    rlim_t descriptors; /* that the process may have; 0: as many as this one */
    int taken;          /* of those, by something else */
    struct buf text;
};

/* cmocka's setup and teardown: *state is a struct loop_test. */
int start_loop(void **state, rlim_t descriptors, int taken);
int with_loop(void **state);
int without_loop(void **state);
/* End it by SIGTERM; its exit status, 0 being a clean one (also for the leak checker). */
int end_loop(struct loop_test *t);
int open_loop_log(const struct loop_test *t, int flags);

/* Copy the JSON string named `name` of the last answer. */
void take_string(const struct loop_test *t, const char *name, char out[128]);
/* A new member of the room "tea". */
void join_tea(struct loop_test *t, char key[128], char cursor[128]);
/* Begin a poll that waits; the connection. */
int poll_tea(struct loop_test *t, const char *key, const char *cursor, const char *server);
int ask_health(struct loop_test *t);

#endif
