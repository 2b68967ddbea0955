#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "route_fixture.h"

static void the_table_carries_the_policy(void **state)
{
    static const struct {
        int line;
        struct call call;
        int status;
        const char *code;
    } table[] = {
        { __LINE__, { HTTP_GET, "/v1/health", NULL, NULL, NULL, NULL }, 200, "\"status\":\"ok\"" },
        { __LINE__,
          { HTTP_POST, "/v1/health", JSON, "{}", NULL, NULL },
          405,
          "method-not-allowed" },
        { __LINE__,
          { HTTP_OTHER, "/v1/health", NULL, NULL, NULL, NULL },
          405,
          "method-not-allowed" },
        { __LINE__, { HTTP_OPTIONS, "/v1/rooms/tea/join", NULL, NULL, NULL, NULL }, 204, "" },
        { __LINE__, { HTTP_GET, "/v1/doctor/echo", NULL, NULL, NULL, NULL }, 200, "body_sha256" },
        { __LINE__, { HTTP_POST, "/v1/doctor/echo", NULL, "x", NULL, NULL }, 200, "body_sha256" },
        { __LINE__, { HTTP_POST, "/v1/doctor/hold", JSON, "{}", NULL, NULL }, 400, "ms must be" },
        { __LINE__, { HTTP_POST, "/v1/doctor/report", JSON, "{}", NULL, NULL }, 200, "findings" },
        { __LINE__,
          { HTTP_POST, "/v1/doctor/save", JSON, "{\"lines\":{}}", NULL, NULL },
          403,
          "not-permitted" },
        { __LINE__,
          { HTTP_GET, "/v1/doctor/save", NULL, NULL, NULL, NULL },
          405,
          "method-not-allowed" },
        { __LINE__, { HTTP_GET, "/v1/admin/rooms", NULL, NULL, NULL, NULL }, 401, "key-invalid" },
        { __LINE__,
          { HTTP_POST, "/v1/admin/rooms/tea/kick", JSON, "{", NULL, NULL },
          401,
          "key-invalid" },
        { __LINE__,
          { HTTP_GET, "/v1/admin/rooms/tea/close", NULL, NULL, NULL, NULL },
          405,
          "method-not-allowed" },
        { __LINE__, { HTTP_OPTIONS, "/v1/nothing", NULL, NULL, NULL, NULL }, 404, "not-found" },
        { __LINE__, { HTTP_GET, "/v1/health/", NULL, NULL, NULL, NULL }, 404, "not-found" },
        { __LINE__, { HTTP_GET, "", NULL, NULL, NULL, NULL }, 404, "not-found" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/../join", JSON, "{}", NULL, NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms//join", JSON, "{}", NULL, NULL },
          400,
          "invalid-request" },
        { __LINE__, { HTTP_POST, "/v1/rooms/a/b/join", JSON, "{}", NULL, NULL }, 404, "not-found" },
        { __LINE__,
          { HTTP_GET, "/v1/rooms/nobody", NULL, NULL, NULL, NULL },
          404,
          "room-not-found" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/join", NULL, "{}", NULL, NULL },
          415,
          "unsupported-type" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/join", "text/plain", "{}", NULL, NULL },
          415,
          "unsupported-type" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/join", "application/jsonx", "{}", NULL, NULL },
          415,
          "unsupported-type" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/join", JSON "; charset=utf-8", "{", NULL, NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/join", JSON, "", NULL, NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/join", FORM, "x=1", NULL, NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/join", FORM, "json=%7B%7D", NULL, NULL },
          201,
          "\"peer\":" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/exchange", JSON, "{}", NULL, NULL },
          401,
          "key-invalid" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/exchange", JSON, "{\"key\":\"\"}", NULL, NULL },
          401,
          "key-invalid" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/exchange", JSON, "{\"key\":7}", NULL, NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/exchange", JSON, "{}", "no-such-key", NULL },
          401,
          "key-invalid" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/exchange", JSON, "{\"wait_ms\":-1}", "x", NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/exchange", JSON, "{\"wait_ms\":\"x\"}", "x", NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/exchange", JSON, "{\"after\":\"x\"}", "x", NULL },
          400,
          "bad-cursor" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/messages", JSON, "{}", "x", NULL },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_GET, "/v1/rooms/tea/messages", NULL, NULL, NULL, NULL },
          401,
          "key-invalid" },
        { __LINE__,
          { HTTP_GET, "/v1/rooms/tea/messages", NULL, NULL, "x", "wait_ms=1x" },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_GET, "/v1/rooms/tea/messages", NULL, NULL, "x", "turn=1073741824" },
          400,
          "invalid-request" },
        { __LINE__,
          { HTTP_GET, "/v1/rooms/tea/messages", NULL, NULL, "x", "after=%2" },
          400,
          "bad-cursor" },
        { __LINE__,
          { HTTP_POST, "/v1/rooms/tea/leave", JSON, "{\"key\":\"x\",\"soon\":1}", NULL, NULL },
          400,
          "invalid-request" },
    };
    struct buf text;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int status = handle(*state, &table[i].call, &text, NULL);
        if (status != table[i].status || strstr(text.at, table[i].code) == NULL)
            fail_msg("line %d: %d %s", table[i].line, status, text.at);
    }
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_table_carries_the_policy, with_app, without_app),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
