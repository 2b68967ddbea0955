/* Bodies taken to pieces along a table of fields. */
#include "json_fixture.h"

/* The bodies of the tests below: an exchange, near enough. */
struct sent {
    struct slice id, type, data;
};

struct body {
    struct slice key, name, meta;
    int64_t wait_ms;
    bool soon;
    struct sent *send;
    size_t send_count;
};

static const struct json_field sent_fields[] = {
    { .name = "id",
      .type = JSON_STRING,
      .offset = offsetof(struct sent, id),
      .min = 1,
      .max = 8,
      .required = true,
      .wrong = "id" },
    { .name = "type",
      .type = JSON_STRING,
      .offset = offsetof(struct sent, type),
      .max = 16,
      .wrong = "type" },
    { .name = "data",
      .type = JSON_RAW,
      .offset = offsetof(struct sent, data),
      .max = 1000,
      .required = true,
      .wrong = "data" },
    { .name = NULL },
};

static const struct json_field body_fields[] = {
    { .name = "key",
      .type = JSON_STRING,
      .offset = offsetof(struct body, key),
      .max = 43,
      .wrong = "key" },
    { .name = "name",
      .type = JSON_STRING,
      .offset = offsetof(struct body, name),
      .min = 2,
      .max = 4,
      .wrong = "name" },
    { .name = "meta", .type = JSON_RAW, .offset = offsetof(struct body, meta), .max = 20 },
    { .name = "wait_ms",
      .type = JSON_INTEGER,
      .offset = offsetof(struct body, wait_ms),
      .min = -5,
      .max = 9007199254740992,
      .wrong = "wait_ms" },
    { .name = "soon", .type = JSON_BOOL, .offset = offsetof(struct body, soon), .wrong = "soon" },
    { .name = "send",
      .type = JSON_LIST,
      .offset = offsetof(struct body, send),
      .max = 3,
      .wrong = "send",
      .row = sent_fields,
      .row_size = sizeof(struct sent),
      .count_offset = offsetof(struct body, send_count) },
    { .name = NULL },
};

static void wrong_bodies_are_named(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        size_t len;
        int status;
        const char *detail; /* NULL: any */
    } rows[] = {
        { __LINE__, TEXT(""), 400, NULL },
        { __LINE__, TEXT("null"), 400, "The body must be a JSON object." },
        { __LINE__, TEXT("[]"), 400, "The body must be a JSON object." },
        { __LINE__, TEXT("{} x"), 400, NULL },
        { __LINE__, TEXT("{}"), 0, NULL },
        { __LINE__, TEXT("{\"other\":[{\"id\":7}],\"x\":\"\\u0000\"}"), 0, NULL },
        { __LINE__, TEXT("{\"other\":01}"), 400, NULL },
        { __LINE__, TEXT("{\"key\":1}"), 400, "key" },
        { __LINE__, TEXT("{\"key\":[]}"), 400, "key" },
        { __LINE__, TEXT("{\"key\":null}"), 0, NULL },
        { __LINE__, TEXT("{\"key\":\"a\\u0000b\"}"), 400, "key" },
        { __LINE__, TEXT("{\"k\\u0000y\":1}"), 400, NULL },
        { __LINE__, TEXT("{\"key\\u0000\":\"x\"}"), 400, NULL },
        { __LINE__, TEXT("{\"name\":\"a\"}"), 400, "name" },
        { __LINE__, TEXT("{\"name\":\"ab\"}"), 0, NULL },
        { __LINE__, TEXT("{\"name\":\"\\u0061\"}"), 400, "name" },
        { __LINE__, TEXT("{\"name\":\"\\u20ac\"}"), 0, NULL },
        { __LINE__, TEXT("{\"name\":\"abcd\"}"), 0, NULL },
        { __LINE__, TEXT("{\"name\":\"abcde\"}"), 400, "name" },
        { __LINE__,
          TEXT("{\"name\":\"\xc3\xa4\xc3\xa4"
               "c\"}"),
          400, "name" },
        { __LINE__, TEXT("{\"wait_ms\":\"5\"}"), 400, "wait_ms" },
        { __LINE__, TEXT("{\"wait_ms\":true}"), 400, "wait_ms" },
        { __LINE__, TEXT("{\"wait_ms\":{}}"), 400, "wait_ms" },
        { __LINE__, TEXT("{\"wait_ms\":1.5}"), 400, "wait_ms" },
        { __LINE__, TEXT("{\"wait_ms\":-6}"), 400, "wait_ms" },
        { __LINE__, TEXT("{\"wait_ms\":9007199254740994}"), 400, "wait_ms" },
        { __LINE__, TEXT("{\"wait_ms\":1e400}"), 400, "wait_ms" },
        { __LINE__, TEXT("{\"wait_ms\":-1e400}"), 400, "wait_ms" },
        { __LINE__,
          TEXT("{\"wait_ms\":10000000000000000000000000000000000000000000000000000000000000e-61}"),
          400, "wait_ms" }, /* longer than cJSON reads, which would cut the exponent */
        { __LINE__, TEXT("{\"soon\":1}"), 400, "soon" },
        { __LINE__, TEXT("{\"soon\":\"true\"}"), 400, "soon" },
        { __LINE__, TEXT("{\"send\":{}}"), 400, "send" },
        { __LINE__, TEXT("{\"send\":[1]}"), 400, "send" },
        { __LINE__, TEXT("{\"send\":[null]}"), 400, "send" },
        { __LINE__, TEXT("{\"send\":[[]]}"), 400, "send" },
        { __LINE__, TEXT("{\"send\":[{}]}"), 400, "id" },
        { __LINE__, TEXT("{\"send\":[{\"id\":\"\",\"data\":1}]}"), 400, "id" },
        { __LINE__, TEXT("{\"send\":[{\"id\":null,\"data\":1}]}"), 400, "id" },
        { __LINE__, TEXT("{\"send\":[{\"id\":\"a\"}]}"), 400, "data" },
        { __LINE__, TEXT("{\"send\":[{\"id\":\"a\",\"data\":null}]}"), 0, NULL },
        { __LINE__,
          TEXT("{\"send\":[{\"id\":\"a\",\"data\":1},{\"id\":\"a\",\"data\":1},{\"id\":\"a\","
               "\"data\":1}]}"),
          0, NULL },
        { __LINE__,
          TEXT("{\"send\":[{\"id\":\"a\",\"data\":1},{\"id\":\"a\",\"data\":1},{\"id\":\"a\","
               "\"data\":1},{}]}"),
          400, "send" },
        { __LINE__, TEXT("{\"meta\":\"345678901234567890\"}"), 0, NULL },
        { __LINE__, TEXT("{\"meta\":  \"345678901234567890\"  }"), 0, NULL },
        { __LINE__, TEXT("{\"meta\":\"3456789012345678901\"}"), 413, NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new(100000);
        struct slice text = exact(rows[i].text, rows[i].len);
        struct body body = { .wait_ms = -1 };
        struct problem p = json_decode(a, text, body_fields, &body);
        if (p.status != rows[i].status ||
            (rows[i].detail != NULL && strcmp(p.detail, rows[i].detail) != 0))
            fail_msg("line %d: %d %s", rows[i].line, p.status, p.detail);
        if (p.status != 0)
            assert_string_equal(p.code, p.status == 400 ? "invalid-request" : "message-too-large");
        drop(text);
        arena_free(a);
    }
}

static void integers_are_what_they_are_worth(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text;
        int64_t value;
    } rows[] = {
        { __LINE__, "{\"wait_ms\":0}", 0 },
        { __LINE__, "{\"wait_ms\":-0}", 0 },
        { __LINE__, "{\"wait_ms\":-5}", -5 },
        { __LINE__, "{\"wait_ms\":1.0}", 1 },
        { __LINE__, "{\"wait_ms\":1e3}", 1000 },
        { __LINE__, "{\"wait_ms\":1E+3}", 1000 },
        { __LINE__, "{\"wait_ms\":2500e-2}", 25 },
        { __LINE__, "{\"wait_ms\":9007199254740991}", 9007199254740991 },
        { __LINE__, "{}", 77 },
        { __LINE__, "{\"wait_ms\":null}", 77 },
        { __LINE__, "{\"wait_ms\":null,\"wait_ms\":3}", 77 },
        { __LINE__, "{\"wait_ms\":4,\"wait_ms\":\"x\"}", 4 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new(10000);
        struct body body = { .wait_ms = 77 };
        struct problem p = json_decode(a, slice_of(rows[i].text), body_fields, &body);
        if (p.status != 0 || body.wait_ms != rows[i].value)
            fail_msg("line %d: %d %ld", rows[i].line, p.status, (long)body.wait_ms);
        arena_free(a);
    }
}

static void raw_values_come_back_byte_for_byte(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *data;
    } rows[] = {
        { __LINE__, "12345678901234567890" },
        { __LINE__, "\"a\\u0000b\"" },
        { __LINE__, "{\"x\" : 1 }" },
        { __LINE__, "[ 1 ,\t2\r\n, {\"data\": [\"]}\\\"\"] } ]" },
        { __LINE__, "1.0e+05" },
        { __LINE__, "-0" },
        { __LINE__, "null" },
        { __LINE__, "\"\\ud83d\\uDE00 \xf0\x9f\x98\x80 \\/\"" },
        { __LINE__, "{\"d\\u0061ta\":2,\"d\\u0061ta\":3}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[400];
        struct arena *a = arena_new(10000);
        struct body body = { .wait_ms = 0 };
        snprintf(text, sizeof text,
                 "{\"send\":[{\"x\":{\"data\":9},\"id\":\"1\",\"data\" : \t%s \n}]}", rows[i].data);
        struct problem p = json_decode(a, slice_of(text), body_fields, &body);
        if (p.status != 0 || body.send_count != 1 || !slice_is(body.send->data, rows[i].data))
            fail_msg("line %d: %d %.*s", rows[i].line, p.status, (int)body.send->data.len,
                     body.send->data.at);
        assert_in_range((uintptr_t)body.send->data.at, (uintptr_t)text,
                        (uintptr_t)text + sizeof text);
        arena_free(a);
    }
}

static void keys_count_after_their_escapes_and_the_first_of_two(void **state)
{
    (void)state;
    static const char text[] =
        "{\"data\":0,\"meta\":1,\"unknown\":{\"send\":1,\"data\":2,\"key\":3},"
        "\"s\\u0065nd\":[{\"\\u0069d\":\"\\u0069\\n\",\"type\":\"offer\",\"d\\u0061ta\":[3],"
        "\"data\":4},{\"data\":5,\"id\":\"j\",\"id\":6}],"
        "\"send\":7,\"key\":\"k\xc3\xa4\",\"\\u006bey\":8,\"soon\":true,\"meta\":9}";
    struct arena *a = arena_new(10000);
    struct body body = { .wait_ms = 5 };
    struct problem p = json_decode(a, slice_of(text), body_fields, &body);
    assert_int_equal(p.status, 0);
    assert_true(slice_is(body.meta, "1"));
    assert_true(slice_is(body.key, "k\xc3\xa4"));
    assert_int_equal(body.key.at[body.key.len], '\0');
    assert_true(body.soon);
    assert_int_equal(body.wait_ms, 5);
    assert_null(body.name.at);
    assert_int_equal(body.send_count, 2);
    assert_true(slice_is(body.send[0].id, "i\n"));
    assert_int_equal(body.send[0].id.at[2], '\0');
    assert_true(slice_is(body.send[0].type, "offer"));
    assert_true(slice_is(body.send[0].data, "[3]"));
    assert_true(slice_is(body.send[1].id, "j"));
    assert_null(body.send[1].type.at);
    assert_true(slice_is(body.send[1].data, "5"));
    arena_free(a);
}

static void an_empty_list_is_present(void **state)
{
    (void)state;
    struct arena *a = arena_new(1000);
    struct body body = { .send_count = 9 };
    struct problem p = json_decode(a, slice_of("{\"send\": [ ] }"), body_fields, &body);
    assert_int_equal(p.status, 0);
    assert_int_equal(body.send_count, 0);
    assert_non_null(body.send);
    arena_free(a);
}

/* head, `depth` brackets, tail. */
static struct slice nested(const char *head, int depth, const char *tail)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_text(&b, head);
    for (int i = 0; i < depth; i++) buf_text(&b, i % 2 == 0 ? "[" : "{\"a\":");
    buf_text(&b, "1");
    for (int i = depth - 1; i >= 0; i--) buf_text(&b, i % 2 == 0 ? "]" : "}");
    buf_text(&b, tail);
    assert_false(b.failed);
    struct slice out = exact(b.at, b.len);
    buf_free(&b);
    return out;
}

static void depth_ends_at_64(void **state)
{
    (void)state;
    static const struct {
        int line;
        int depth;
        bool valid, member, data; /* alone; as an unknown member; as the data of a message */
    } rows[] = {
        { __LINE__, 0, true, true, true },      { __LINE__, 63, true, true, true },
        { __LINE__, 64, true, false, true },    { __LINE__, 65, false, false, false },
        { __LINE__, 128, false, false, false }, { __LINE__, 100000, false, false, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new(10000);
        struct body body = { .wait_ms = 0 };
        struct slice alone = nested("", rows[i].depth, "");
        struct slice member = nested("{\"unknown\":", rows[i].depth, "}");
        struct slice data = nested("{\"send\":[{\"id\":\"1\",\"data\":", rows[i].depth, "}]}");
        if (json_valid(alone) != rows[i].valid ||
            (json_decode(a, member, body_fields, &body).status == 0) != rows[i].member ||
            (json_decode(a, data, body_fields, &body).status == 0) != rows[i].data)
            fail_msg("line %d", rows[i].line);
        drop(alone);
        drop(member);
        drop(data);
        arena_free(a);
    }
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    struct body body;
    struct arena *a = arena_new(16);
    struct problem p =
        json_decode(a, slice_of("{\"key\":\"1234567890123456\"}"), body_fields, &body);
    assert_int_equal(p.status, 413);
    p = json_decode(a, slice_of("{\"key\":\"12345678901234\\n6\"}"), body_fields, &body);
    assert_int_equal(p.status, 413);
    p = json_decode(a, slice_of("{\"send\":[{\"id\":\"1\",\"data\":1}]}"), body_fields, &body);
    assert_int_equal(p.status, 413);
    arena_free(a);
}

static void every_cut_of_a_body_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "{\"key\":\"\\u00e4\\ud83d\\ude00\xe2\x82\xac\",\"send\":[{\"id\":"
                                "\"1\",\"data\":{\"a\":[-1.5e+3,true,null]}}],\"soon\":false}";
    struct arena *a = arena_new(100000);
    struct body body = { .wait_ms = 0 };
    assert_int_equal(json_decode(a, slice_of(whole), body_fields, &body).status, 0);
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        struct slice text = exact(whole, len);
        assert_int_equal(json_decode(a, text, body_fields, &body).status, 400);
        drop(text);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_bodies_are_named),
        cmocka_unit_test(integers_are_what_they_are_worth),
        cmocka_unit_test(raw_values_come_back_byte_for_byte),
        cmocka_unit_test(keys_count_after_their_escapes_and_the_first_of_two),
        cmocka_unit_test(an_empty_list_is_present),
        cmocka_unit_test(depth_ends_at_64),
        cmocka_unit_test(a_full_arena_is_told),
        cmocka_unit_test(every_cut_of_a_body_is_refused),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
