/* The doctor's calls through the table of routes. */
#include "route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin.h"
#include "app_fixture.h"
#include "ep_place.h"
#include "park.h"
#include "secret.h"
#include "slots.h"

#define JSON "application/json"

enum { PARKED = 0, HOLDS_MAX = 64, HOLDS_ADMIN_MAX = 128, CALLS_PER_MINUTE = 600 };

struct doctor_test {
    struct app_fixture *f;
    char key[SECRET_BYTES_MAX + 1], text[16384];
    const char *address;
    struct waiter waiter;
};

static int with_app(void **state)
{
    struct doctor_test *t = calloc(1, sizeof *t);
    t->f = app_fixture_new();
    if (t->f == NULL) return 1;
    t->f->app.parked_max = 1000;
    t->address = "192.0.2.7";
    *state = t;
    return secret_read(t->f->app.data_dir, ADMIN_KEY_FILE, t->key);
}

static int without_app(void **state)
{
    struct doctor_test *t = *state;
    app_fixture_free(t->f);
    free(t);
    return 0;
}

/* The status of one call, its answer in t->text; PARKED: it waits, in t->waiter. */
static int call(struct doctor_test *t, enum http_method method, const char *path, const char *type,
                struct slice body, char *const *env)
{
    struct request rq = { .arena = arena_new(1 << 20) };
    struct answer an;
    assert_true(http_request_from_env(&rq, env));
    rq.method = method;
    rq.path = slice_of(path);
    rq.content_type = slice_of(type);
    rq.body = body;
    rq.address = t->address;
    http_answer_init(&an);
    enum outcome outcome = route_handle(&t->f->app, &rq, &an, &t->waiter);
    assert_true(outcome != OUTCOME_BUSY);
    assert_true(an.body.len < sizeof t->text);
    if (an.body.len > 0) memcpy(t->text, an.body.at, an.body.len);
    t->text[an.body.len] = '\0';
    int status = outcome == OUTCOME_PARK ? PARKED : an.status;
    if (status == 429) assert_true(an.retry_after_s >= 1);
    http_answer_free(&an);
    arena_free(rq.arena);
    return status;
}

static char *const no_env[] = { NULL };

/* `format` has one %s, for the admin key. */
static int post(struct doctor_test *t, const char *path, const char *format)
{
    char body[1024];
    const char *gap = strstr(format, "%s");
    if (gap == NULL)
        snprintf(body, sizeof body, "%s", format);
    else
        snprintf(body, sizeof body, "%.*s%s%s", (int)(gap - format), format, t->key, gap + 2);
    return call(t, HTTP_POST, path, JSON, slice_of(body), no_env);
}

static int hold(struct doctor_test *t, const char *body)
{
    return post(t, "/v1/doctor/hold", body);
}

static void says(const struct doctor_test *t, const char *part)
{
    if (strstr(t->text, part) == NULL) fail_msg("no %s in %s", part, t->text);
}

static void an_echo_tells_what_arrived(void **state)
{
    struct doctor_test *t = *state;
    static char authorization[] = "HTTP_AUTHORIZATION=Bearer x", key[] = "HTTP_X_KLATCH_KEY=y",
                origin[] = "HTTP_ORIGIN=https://a.example", query[] = "QUERY_STRING=a=b",
                https[] = "HTTPS=on";
    char *const env[] = { authorization, key, origin, query, https, NULL };
    assert_int_equal(call(t, HTTP_GET, "/v1/doctor/echo", NULL, SLICE_NONE, env), 200);
    assert_string_equal(
        t->text,
        "{\"method\":\"GET\",\"content_type\":\"\",\"body_bytes\":0,\"authorization\":true,"
        "\"x_klatch_key\":true,\"https\":true,\"origin\":true,\"query\":true,\"body_sha256\":"
        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}");
    assert_int_equal(call(t, HTTP_POST, "/v1/doctor/echo", JSON, slice_of("abc"), no_env), 200);
    assert_string_equal(
        t->text, "{\"method\":\"POST\",\"content_type\":\"application/json\",\"body_bytes\":3,"
                 "\"authorization\":false,\"x_klatch_key\":false,\"https\":false,\"origin\":false,"
                 "\"query\":false,\"body_sha256\":"
                 "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}");
}

static void https_is_what_the_web_server_or_its_proxy_says(void **state)
{
    static const struct {
        const char *variable;
        bool https;
    } table[] = {
        { "HTTPS=on", true },
        { "HTTPS=ON", true },
        { "HTTPS=1", true },
        { "HTTPS=off", false },
        { "HTTPS=", false },
        { "REQUEST_SCHEME=https", true },
        { "REQUEST_SCHEME=http", false },
        { "HTTP_X_FORWARDED_PROTO=https", true },
        { "HTTP_X_FORWARDED_PROTO=https, http", true },
        { "HTTP_X_FORWARDED_PROTO=http, https", false },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char variable[64];
        snprintf(variable, sizeof variable, "%s", table[i].variable);
        char *const env[] = { variable, NULL };
        assert_int_equal(call(*state, HTTP_GET, "/v1/doctor/echo", NULL, SLICE_NONE, env), 200);
        says(*state, table[i].https ? "\"https\":true" : "\"https\":false");
    }
}

static void nothing_that_was_sent_comes_back(void **state)
{
    static const struct {
        const char *type, *told;
    } table[] = {
        { "application/json; charset=utf-8", "application/json" },
        { "application/x-www-form-urlencoded", "application/x-www-form-urlencoded" },
        { "multipart/form-data; boundary=<script>", "multipart/form-data" },
        { "TEXT/PLAIN", "text/plain" },
        { "<script>alert(1)</script>", "other" },
        { "text/html", "other" },
        { "", "" },
    };
    static char authorization[] = "HTTP_AUTHORIZATION=<script>", origin[] = "HTTP_ORIGIN=<script>",
                query[] = "QUERY_STRING=<script>";
    char *const env[] = { authorization, origin, query, NULL };
    struct doctor_test *t = *state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char told[80];
        assert_int_equal(
            call(t, HTTP_POST, "/v1/doctor/echo", table[i].type, slice_of("<script>"), env), 200);
        snprintf(told, sizeof told, "\"content_type\":\"%s\"", table[i].told);
        says(t, told);
        assert_null(strstr(t->text, "script"));
    }
}

static void an_echo_takes_up_to_100000_bytes(void **state)
{
    static char body[100001];
    memset(body, 'x', sizeof body);
    assert_int_equal(
        call(*state, HTTP_POST, "/v1/doctor/echo", JSON, (struct slice){ body, 100000 }, no_env),
        200);
    says(*state, "\"body_bytes\":100000");
    assert_int_equal(
        call(*state, HTTP_POST, "/v1/doctor/echo", JSON, (struct slice){ body, 100001 }, no_env),
        413);
}

/* Wake what is parked in t->waiter; is it answered? */
static bool wake(struct doctor_test *t, enum wake how)
{
    struct answer an;
    struct arena *scratch = arena_new(1 << 16);
    http_answer_init(&an);
    enum outcome outcome = route_resume(&t->f->app, scratch, &t->waiter, how, &an);
    memcpy(t->text, an.body.at == NULL ? "" : an.body.at, an.body.len);
    t->text[an.body.len] = '\0';
    http_answer_free(&an);
    arena_free(scratch);
    return outcome == OUTCOME_ANSWER;
}

static void a_hold_waits_for_its_deadline_alone(void **state)
{
    struct doctor_test *t = *state;
    assert_int_equal(hold(t, "{\"ms\":25000}"), PARKED);
    assert_int_equal(t->waiter.deadline.at_ms, t->f->now_ms + 25000);
    t->f->now_ms += 9000;
    assert_false(wake(t, WAKE_LOOK));
    assert_true(wake(t, WAKE_STOP));
    assert_string_equal(t->text, "{\"held_ms\":9000}");
    t->f->now_ms += 16000;
    assert_true(wake(t, WAKE_DEADLINE));
    assert_string_equal(t->text, "{\"held_ms\":25000}");
    park_drop(&t->f->app, &t->waiter);
    assert_int_equal(hold(t, "{\"ms\":0}"), 200);
    assert_string_equal(t->text, "{\"held_ms\":0}");
    static const char *const wrong[] = {
        "{}", "{\"ms\":-1}", "{\"ms\":30001}", "{\"ms\":\"1\"}", "{\"ms\":1.5}", "[]"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(hold(t, wrong[i]), 400);
    assert_int_equal(hold(t, "{\"ms\":1000,\"admin_key\":\"wrong\"}"), 403);
}

/* Park what hold() gave; NULL: it was answered at once. */
static struct waiter *held(struct doctor_test *t, const char *body)
{
    struct waiter *superseded = NULL;
    int status = hold(t, body);
    if (status == 200) {
        says(t, "{\"held_ms\":0,\"retry_ms\":");
        return NULL;
    }
    assert_int_equal(status, PARKED);
    struct waiter *w = park_add(t->f->app.park, &t->waiter, &superseded);
    assert_null(superseded);
    return w;
}

static void where_polls_cost_nothing_strangers_hold_64_and_the_owner_finds_room(void **state)
{
    struct doctor_test *t = *state;
    char address[32];
    struct waiter *first = NULL;
    for (int i = 0; i < HOLDS_MAX; i++) {
        snprintf(address, sizeof address, "192.0.2.%d", i / 16);
        t->address = address;
        struct waiter *w = held(t, "{\"ms\":1000}");
        assert_non_null(w);
        if (first == NULL) first = w;
    }
    assert_null(held(t, "{\"ms\":1000}"));
    for (int i = HOLDS_MAX; i < HOLDS_ADMIN_MAX; i++)
        assert_non_null(held(t, "{\"ms\":1000,\"admin_key\":\"%s\"}"));
    assert_null(held(t, "{\"ms\":1000,\"admin_key\":\"%s\"}"));
    park_remove(t->f->app.park, first);
    park_release(t->f->app.park, first);
    assert_null(held(t, "{\"ms\":1000}"));
    assert_non_null(held(t, "{\"ms\":1000,\"admin_key\":\"%s\"}"));
    while ((first = park_take_any(t->f->app.park)) != NULL) park_release(t->f->app.park, first);
    assert_int_equal(park_count(t->f->app.park), 0);
    assert_int_equal(park_count_no_room(t->f->app.park), 0);
    t->f->app.parked_max = 0; /* descriptors */
    assert_null(held(t, "{\"ms\":1000,\"admin_key\":\"%s\"}"));
}

static void where_polls_cost_processes_a_hold_takes_a_place_of_the_budget(void **state)
{
    struct doctor_test *t = *state;
    struct app *app = &t->f->app;
    app->process_per_poll = true;
    app->cfg.polls_max = 3; /* the last one is kept to say that there is none */
    struct waiter *first = held(t, "{\"ms\":1000}");
    assert_non_null(first);
    assert_true(first->slot >= 0);
    assert_non_null(held(t, "{\"ms\":1000}"));
    assert_null(held(t, "{\"ms\":1000}"));
    struct waiter *owners[64];
    for (int i = 2; i < 64; i++) {
        owners[i] = held(t, "{\"ms\":1000,\"admin_key\":\"%s\"}");
        assert_non_null(owners[i]);
    }
    assert_null(held(t, "{\"ms\":1000,\"admin_key\":\"%s\"}"));
    owners[0] = first;
    owners[1] = NULL;
    for (int i = 0; i < 64; i++) {
        if (owners[i] == NULL) continue;
        park_remove(app->park, owners[i]);
        park_release(app->park, owners[i]);
    }
    assert_non_null(held(t, "{\"ms\":1000}"));
    assert_null(held(t, "{\"ms\":1000}"));
}

/* Else strangers could take every place that becomes free before the member who waits for it. */
static void strangers_hold_in_turn_with_the_members_who_wait(void **state)
{
    struct doctor_test *t = *state;
    struct app *app = &t->f->app;
    int slot;
    app->process_per_poll = true;
    app->cfg.polls_max = 2;
    struct waiter *first = held(t, "{\"ms\":1000}");
    assert_non_null(first);
    t->f->now_ms += SLOTS_TURN_MS; /* the strangers' turn is over */
    assert_true(ep_place_ask(app, "ada", EP_PLACE_HERE, &slot) > 0); /* and waits */
    t->f->now_ms += 100;
    park_remove(app->park, first);
    park_release(app->park, first);
    assert_null(held(t, "{\"ms\":1000}"));
    assert_true(ep_place_ask(app, "ada", EP_PLACE_HERE, &slot) == 0);
    slots_give(app->slots, slot);
}

static void a_plain_cgi_hold_always_takes_a_place(void **state)
{
    struct doctor_test *t = *state;
    t->f->app.how = "cgi";
    t->f->app.cfg.polls_max = 1;
    assert_non_null(held(t, "{\"ms\":1000}"));
    assert_null(held(t, "{\"ms\":1000}"));
}

static void every_address_has_a_rate_that_is_looked_at_before_its_body(void **state)
{
    struct doctor_test *t = *state;
    for (int i = 0; i < CALLS_PER_MINUTE; i++)
        assert_int_equal(call(t, HTTP_GET, "/v1/doctor/echo", NULL, SLICE_NONE, no_env), 200);
    assert_int_equal(call(t, HTTP_GET, "/v1/doctor/echo", NULL, SLICE_NONE, no_env), 429);
    assert_int_equal(call(t, HTTP_POST, "/v1/doctor/save", "x", slice_of("{"), no_env), 429);
    assert_int_equal(call(t, HTTP_GET, "/v1/health", NULL, SLICE_NONE, no_env), 200);
    t->address = "192.0.2.8";
    assert_int_equal(call(t, HTTP_GET, "/v1/doctor/echo", NULL, SLICE_NONE, no_env), 200);
    t->address = "192.0.2.7";
    t->f->now_ms += 1000;
    assert_int_equal(call(t, HTTP_GET, "/v1/doctor/echo", NULL, SLICE_NONE, no_env), 200);
}

static void strangers_holds_and_reports_are_few_and_the_owners_are_not(void **state)
{
    struct doctor_test *t = *state;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(hold(t, "{\"ms\":0}"), 200);
        assert_int_equal(post(t, "/v1/doctor/report", "{}"), 200);
    }
    assert_int_equal(hold(t, "{\"ms\":0}"), 429);
    assert_int_equal(post(t, "/v1/doctor/report", "{}"), 429);
    assert_int_equal(hold(t, "{\"ms\":0,\"admin_key\":\"%s\"}"), 200);
    assert_int_equal(post(t, "/v1/doctor/report", "{\"admin_key\":\"%s\"}"), 200);
    says(t, "{\"admin\":true,");
    for (int i = 0; i < 240; i++) {
        char address[32];
        snprintf(address, sizeof address, "198.51.100.%d", i / 60);
        t->address = address;
        assert_int_equal(post(t, "/v1/doctor/report", "{}"), 200);
    }
    t->address = "203.0.113.1";
    assert_int_equal(post(t, "/v1/doctor/report", "{}"), 429); /* 300 in all */
    assert_int_equal(post(t, "/v1/doctor/report", "{\"admin_key\":\"%s\"}"), 200);
}

static void the_longest_key_of_a_configuration_is_taken(void **state)
{
    struct doctor_test *t = *state;
    struct config *cfg = &t->f->app.cfg;
    char body[sizeof cfg->admin_key + 64];
    memset(cfg->admin_key, 'k', sizeof cfg->admin_key - 1);
    snprintf(body, sizeof body, "{\"admin_key\":\"%s\"}", cfg->admin_key);
    assert_int_equal(post(t, "/v1/doctor/report", body), 200);
    says(t, "{\"admin\":true,");
}

static void only_the_owner_saves_and_only_what_can_be_right(void **state)
{
    static const struct {
        int line;
        const char *body;
        int status;
        const char *part;
    } table[] = {
        { __LINE__, "{\"lines\":{\"hold_ms\":1}}", 403, "not-permitted" },
        { __LINE__, "{\"admin_key\":\"wrong\",\"lines\":{\"hold_ms\":1}}", 403, "not-permitted" },
        { __LINE__, "{\"admin_key\":\"%s\"}", 400, "lines must be" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":[]}", 400, "invalid-request" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{}}", 400, "no setting" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"data_dir\":\"/\"}}", 400, "no setting" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"hold_ms\":110001}}", 400, "hold_ms" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"hold_ms\":\"1\"}}", 400, "hold_ms" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"polls_max\":1001}}", 400, "polls_max" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"mode\":\"auto\\nx\"}}", 400, "mode" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"poll_url\":\"/a\\nlog_level = debug\"}}",
          400, "poll_url" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"poll_url\":\"/\\u00e4\"}}", 400,
          "poll_url" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"hold_ms\":60000}}", 409, "config-wrong" },
        { __LINE__,
          "{\"admin_key\":\"%s\",\"lines\":{\"hold_ms\":15000,\"polls_max\":5,\"mode\":\"process\","
          "\"poll_url\":\"../klatch-poll.fcgi\",\"more\":1}}",
          200, "{\"saved\":[\"hold_ms\",\"polls_max\",\"mode\",\"poll_url\"]}" },
        { __LINE__, "{\"admin_key\":\"%s\",\"lines\":{\"poll_url\":\"\",\"mode\":null}}", 200,
          "{\"saved\":[\"poll_url\"]}" },
    };
    struct doctor_test *t = *state;
    struct config *cfg = &t->f->app.cfg;
    snprintf(cfg->path, sizeof cfg->path, "%s/klatch.conf", t->f->folder);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int status = post(t, "/v1/doctor/save", table[i].body);
        if (status != table[i].status || strstr(t->text, table[i].part) == NULL)
            fail_msg("line %d gives %d %s", table[i].line, status, t->text);
    }
    struct config saved;
    char error[CONFIG_ERROR_BYTES_MAX];
    assert_true(config_read(&saved, cfg->path, true, error));
    assert_int_equal(saved.hold_ms, 15000);
    assert_int_equal(saved.polls_max, 5);
    assert_int_equal(saved.mode, CONFIG_MODE_PROCESS);
    assert_string_equal(saved.poll_url, "");
}

static void the_bounds_of_save_are_the_configurations(void **state)
{
    size_t count;
    const struct config_row *rows = config_rows(&count);
    struct doctor_test *t = *state;
    int looked_at = 0;
    for (size_t i = 0; i < count; i++) {
        char body[200];
        bool number =
            strcmp(rows[i].name, "hold_ms") == 0 || strcmp(rows[i].name, "polls_max") == 0;
        if (!number) continue;
        snprintf(body, sizeof body, "{\"admin_key\":\"%%s\",\"lines\":{\"%s\":%lld}}", rows[i].name,
                 (long long)rows[i].max + 1);
        assert_int_equal(post(t, "/v1/doctor/save", body), 400);
        snprintf(body, sizeof body, "{\"admin_key\":\"%%s\",\"lines\":{\"%s\":%lld}}", rows[i].name,
                 (long long)rows[i].max);
        assert_int_not_equal(post(t, "/v1/doctor/save", body), 400); /* it has no file to go to */
        looked_at++;
    }
    assert_int_equal(looked_at, 2);
}

static void in_trouble_the_doctor_still_answers_and_nobody_is_the_owner(void **state)
{
    struct doctor_test *t = *state;
    struct app *app = &t->f->app;
    app->trouble = PROBLEM(500, "misconfigured", "The data folder can't be used.");
    app->data_dir[0] = '\0';
    assert_int_equal(call(t, HTTP_GET, "/v1/health", NULL, SLICE_NONE, no_env), 500);
    assert_int_equal(call(t, HTTP_GET, "/v1/doctor/echo", NULL, SLICE_NONE, no_env), 200);
    assert_int_equal(post(t, "/v1/doctor/report", "{}"), 200);
    says(t, "{\"code\":\"refusing\"}");
    assert_int_equal(post(t, "/v1/doctor/report", "{\"admin_key\":\"%s\"}"), 403);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, with_app, without_app)
    const struct CMUnitTest tests[] = {
        CASE(an_echo_tells_what_arrived),
        CASE(https_is_what_the_web_server_or_its_proxy_says),
        CASE(nothing_that_was_sent_comes_back),
        CASE(an_echo_takes_up_to_100000_bytes),
        CASE(a_hold_waits_for_its_deadline_alone),
        CASE(where_polls_cost_nothing_strangers_hold_64_and_the_owner_finds_room),
        CASE(where_polls_cost_processes_a_hold_takes_a_place_of_the_budget),
        CASE(strangers_hold_in_turn_with_the_members_who_wait),
        CASE(a_plain_cgi_hold_always_takes_a_place),
        CASE(every_address_has_a_rate_that_is_looked_at_before_its_body),
        CASE(strangers_holds_and_reports_are_few_and_the_owners_are_not),
        CASE(the_longest_key_of_a_configuration_is_taken),
        CASE(only_the_owner_saves_and_only_what_can_be_right),
        CASE(the_bounds_of_save_are_the_configurations),
        CASE(in_trouble_the_doctor_still_answers_and_nobody_is_the_owner),
    };
    return cmocka_run_group_tests_name("doctor-calls", tests, NULL, NULL);
}
