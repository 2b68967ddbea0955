/* One CGI request in a process of its own, with pipes as a web server gives them. */
#include "cgi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app_fixture.h"
#include "buf.h"

struct cgi_test {
    struct problem trouble; /* status not 0: nothing can be opened */
    char folder[64];
    struct buf text;
};

static int with_folder(void **state)
{
    struct cgi_test *t = calloc(1, sizeof *t);
    test_folder(t->folder);
    buf_init(&t->text, 1 << 20);
    *state = t;
    return 0;
}

static int without_folder(void **state)
{
    struct cgi_test *t = *state;
    test_folder_remove(t->folder);
    buf_free(&t->text);
    free(t);
    return 0;
}

struct running {
    pid_t pid;
    int out;
};

static _Noreturn void answer_one(const struct cgi_test *t)
{
    struct app app = { .how = "cgi" };
    config_default(&app.cfg);
    snprintf(app.cfg.data_dir, sizeof app.cfg.data_dir, "%s/data", t->folder);
    bool opened = t->trouble.status == 0 ? app_open(&app) : app_open_refusing(&app, t->trouble);
    bool ok = opened && cgi_run(&app);
    app_close(&app);
    exit(ok ? 0 : 1);
}

/* Start a request; `body` NULL: none; `length` is what CONTENT_LENGTH says, NULL: the body's. */
static struct running start(const struct cgi_test *t, const char *method, const char *path,
                            const char *body, const char *length, const char *key,
                            const char *query)
{
    int in[2], out[2];
    char number[24];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    struct running r = { .pid = fork(), .out = out[0] };
    if (r.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        snprintf(number, sizeof number, "%zu", body == NULL ? 0 : strlen(body));
        clearenv();
        setenv("REQUEST_METHOD", method, 1);
        setenv("PATH_INFO", path, 1);
        setenv("CONTENT_TYPE", "application/json", 1);
        setenv("CONTENT_LENGTH", length != NULL ? length : number, 1);
        if (key != NULL) setenv("HTTP_X_KLATCH_KEY", key, 1);
        if (query != NULL) setenv("QUERY_STRING", query, 1);
        answer_one(t);
    }
    close(in[0]);
    close(out[1]);
    if (body != NULL) (void)!write(in[1], body, strlen(body));
    close(in[1]);
    return r;
}

/* Its whole answer; the status it names. */
static int finish(struct cgi_test *t, struct running r)
{
    char piece[4096];
    int status = -1;
    ssize_t n;
    buf_clear(&t->text);
    while ((n = read(r.out, piece, sizeof piece)) > 0) buf_add(&t->text, piece, (size_t)n);
    buf_add(&t->text, "", 1);
    close(r.out);
    waitpid(r.pid, &status, 0);
    assert_int_equal(status, 0);
    return atoi(t->text.at + strlen("Status: "));
}

static void take(const struct cgi_test *t, const char *name, char out[128])
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = strstr(t->text.at, pattern);
    assert_non_null(at);
    snprintf(out, 128, "%.*s", (int)strcspn(at + strlen(pattern), "\""), at + strlen(pattern));
}

static void a_poll_in_one_process_is_woken_by_a_send_in_another(void **state)
{
    struct cgi_test *t = *state;
    char key[128], cursor[128], query[256];
    assert_int_equal(finish(t, start(t, "POST", "/v1/rooms/tea/join", "{}", NULL, NULL, NULL)),
                     201);
    take(t, "key", key);
    take(t, "cursor", cursor);
    snprintf(query, sizeof query, "after=%s&wait_ms=20000", cursor);
    struct running poll = start(t, "GET", "/v1/rooms/tea/messages", NULL, NULL, key, query);
    assert_int_equal(finish(t, start(t, "POST", "/v1/rooms/tea/join", "{}", NULL, NULL, NULL)),
                     201);
    assert_int_equal(finish(t, poll), 200);
    assert_non_null(strstr(t->text.at, "\"type\":\"peer-joined\""));
}

static void a_poll_ends_at_its_deadline(void **state)
{
    struct cgi_test *t = *state;
    char key[128], cursor[128], query[256];
    assert_int_equal(finish(t, start(t, "POST", "/v1/rooms/tea/join", "{}", NULL, NULL, NULL)),
                     201);
    take(t, "key", key);
    take(t, "cursor", cursor);
    snprintf(query, sizeof query, "after=%s&wait_ms=30", cursor);
    assert_int_equal(finish(t, start(t, "GET", "/v1/rooms/tea/messages", NULL, NULL, key, query)),
                     200);
    assert_non_null(strstr(t->text.at, "{\"messages\":[],"));
}

static void bodies_that_are_torn_or_too_large_are_refused(void **state)
{
    static const struct {
        int line;
        const char *body, *length;
        int status;
    } table[] = {
        { __LINE__, "{}", "3", 400 },      { __LINE__, NULL, "5", 400 },
        { __LINE__, "{}", "999999", 413 }, { __LINE__, "{}", "x", 400 },
        { __LINE__, "{}", "2", 201 },
    };
    struct cgi_test *t = *state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int status = finish(
            t, start(t, "POST", "/v1/rooms/tea/join", table[i].body, table[i].length, NULL, NULL));
        if (status != table[i].status) fail_msg("line %d: %s", table[i].line, t->text.at);
    }
}

static void a_program_that_cannot_start_says_so_to_its_visitor(void **state)
{
    struct cgi_test *t = *state;
    t->trouble = PROBLEM(500, "misconfigured", "Mend this.");
    assert_int_equal(finish(t, start(t, "POST", "/v1/rooms/tea/join", "{}", NULL, NULL, NULL)),
                     500);
    assert_non_null(strstr(t->text.at, "\"code\":\"misconfigured\""));
    assert_non_null(strstr(t->text.at, "Mend this."));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_folder, without_folder)
    const struct CMUnitTest tests[] = {
        CASE(a_poll_in_one_process_is_woken_by_a_send_in_another),
        CASE(a_poll_ends_at_its_deadline),
        CASE(bodies_that_are_torn_or_too_large_are_refused),
        CASE(a_program_that_cannot_start_says_so_to_its_visitor),
    };
    return cmocka_run_group_tests_name("cgi", tests, NULL, NULL);
}
