/* What a token says of a member: who is told, what is kept, who is refused. */
#include "room_fixture.h"

#define REFUSED PROBLEM(401, "token-expired", "The token has expired.")

static const struct token_claims ann = {
    .given = true, .sub = { "id-7", 4 }, .name = { "Ann of shop", 11 }, .host = true
};

static bool files_are_there(struct fixture *f)
{
    char path[APP_PATH_BYTES_MAX + 32];
    snprintf(path, sizeof path, "%s/rooms/tea.db", f->app.data_dir);
    return access(path, F_OK) == 0;
}

static void the_tokens_name_goes_before_the_one_asked_for(void **state)
{
    struct fixture *f = *state;
    struct who other;
    struct join_result res;
    struct exchange_result mail;
    char text[256];
    join(f, "tea", &other);
    assert_ok(try_join(
        f, &(struct join_ask){ .room = "tea", .name = slice_of("King"), .token = ann }, &res));
    assert_slice(res.sub, "id-7");
    assert_slice(res.name, "Ann of shop");
    assert_true(res.host);
    read_mail(f, "tea", &other, &mail);
    snprintf(text, sizeof text, "{\"peer\":\"%s\",\"name\":\"Ann of shop\",\"joined\":2}",
             res.peer);
    assert_slice(mail.messages[0].data, text);
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea" }, &res));
    assert_slice(res.peers[1].name, "Ann of shop");
    assert_null(res.sub.at);
    assert_null(res.name.at);
    assert_false(res.host);
}

static void a_token_without_a_name_leaves_the_one_asked_for(void **state)
{
    struct fixture *f = *state;
    struct join_result res;
    struct token_claims nameless = { .given = true, .sub = slice_of("7") };
    assert_ok(try_join(
        f, &(struct join_ask){ .room = "tea", .name = slice_of("Ann"), .token = nameless }, &res));
    assert_slice(res.name, "Ann");
    assert_false(res.host);
}

static void nobody_is_told_the_tokens_name_of_who_seals_what_they_say(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int line;
        const char *meta;
        bool sealed;
    } rows[] = {
        { __LINE__, "{\"s\":\"AAAA\"}", true },
        { __LINE__, " { \"\\u0073\" : \"\" } ", true },
        { __LINE__, "{\"u\":\"AAAA\"}", false },
        { __LINE__, "{\"s\":{}}", false },
        { __LINE__, "\"{\\\"s\\\":1}\"", false },
        { __LINE__, "[{\"s\":\"\"}]", false },
        { __LINE__, NULL, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct who other;
        struct join_result res;
        struct exchange_result mail;
        char room[8];
        snprintf(room, sizeof room, "tea%zu", i);
        join(f, room, &other);
        struct join_ask ask = {
            .room = room, .name = slice_of("King"), .meta = slice_of(rows[i].meta), .token = ann
        };
        assert_ok(try_join(f, &ask, &res));
        read_mail(f, room, &other, &mail);
        const char *data = mail.messages[0].data.at;
        bool told = memmem(data, mail.messages[0].data.len, "\"name\":", 7) != NULL;
        if (told == rows[i].sealed) fail_msg("line %d: %s", rows[i].line, data);
        if ((res.name.at == NULL) != rows[i].sealed) fail_msg("line %d", rows[i].line);
        assert_slice(res.sub, "id-7");
    }
}

static void who_comes_back_keeps_identity_role_and_name_whatever_is_asked(void **state)
{
    struct fixture *f = *state;
    struct who other, first;
    struct join_result res;
    struct exchange_result mail;
    struct token_claims ben = { .given = true, .sub = slice_of("8"), .name = slice_of("Ben") };
    join(f, "tea", &other);
    join_as(f, &(struct join_ask){ .room = "tea", .token = ann }, &first);
    read_empty(f, "tea", &other);
    struct join_ask resume = { .room = "tea",
                               .name = slice_of("King"),
                               .resume = slice_of(first.key),
                               .token = ben,
                               .refusal = REFUSED };
    assert_ok(try_join(f, &resume, &res));
    assert_true(res.resumed);
    assert_slice(res.sub, "id-7");
    assert_slice(res.name, "Ann of shop");
    assert_true(res.host);
    read_mail(f, "tea", &other, &mail);
    assert_int_equal(mail.count, 0); /* nothing changed */
    /* Somebody without a token is renamed as ever. */
    resume = (struct join_ask){
        .room = "tea", .name = slice_of("Ben"), .resume = slice_of(other.key), .token = ann
    };
    assert_ok(try_join(f, &resume, &res));
    assert_null(res.sub.at);
    assert_null(res.name.at);
    assert_true(res.host); /* it made the room */
}

static void a_lost_answer_to_a_join_is_given_again_though_the_token_has_expired(void **state)
{
    struct fixture *f = *state;
    struct who first;
    struct join_result res;
    struct join_ask ask = { .room = "tea", .id = slice_of("0123456789abcdef"), .token = ann };
    join_as(f, &ask, &first);
    ask.token = (struct token_claims){ 0 };
    ask.refusal = REFUSED;
    assert_ok(try_join(f, &ask, &res));
    assert_string_equal(res.peer, first.peer);
    assert_slice(res.sub, "id-7");
}

static void who_is_refused_changes_nothing_and_makes_no_room(void **state)
{
    struct fixture *f = *state;
    struct who other;
    struct join_result res;
    struct exchange_result mail;
    struct join_ask ask = { .room = "tea", .id = slice_of("0123456789abcdef"), .refusal = REFUSED };
    assert_problem(try_join(f, &ask, &res), 401, "token-expired");
    assert_false(files_are_there(f));
    join(f, "tea", &other);
    assert_problem(try_join(f, &ask, &res), 401, "token-expired");
    ask.resume = slice_of("no such key");
    assert_problem(try_join(f, &ask, &res), 401, "token-expired");
    ask.replaces = slice_of(other.key);
    assert_problem(try_join(f, &ask, &res), 401, "token-expired");
    read_mail(f, "tea", &other, &mail);
    assert_int_equal(mail.count, 0);
}

static void after_its_grace_a_member_needs_a_token_that_is_good(void **state)
{
    struct fixture *f = *state;
    struct who first, other;
    struct join_result res;
    join_as(f, &(struct join_ask){ .room = "tea", .token = ann }, &first);
    join(f, "tea", &other);
    struct join_ask resume = { .room = "tea", .resume = slice_of(first.key), .refusal = REFUSED };
    f->now_ms += f->app.cfg.lease_ms + f->app.cfg.grace_ms - 1;
    assert_ok(try_join(f, &resume, &res));
    assert_true(res.resumed);
    resume.resume = slice_of(res.key);
    f->now_ms += f->app.cfg.lease_ms + f->app.cfg.grace_ms;
    assert_problem(try_join(f, &resume, &res), 401, "token-expired");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_tokens_name_goes_before_the_one_asked_for),
        CASE(a_token_without_a_name_leaves_the_one_asked_for),
        CASE(nobody_is_told_the_tokens_name_of_who_seals_what_they_say),
        CASE(who_comes_back_keeps_identity_role_and_name_whatever_is_asked),
        CASE(a_lost_answer_to_a_join_is_given_again_though_the_token_has_expired),
        CASE(who_is_refused_changes_nothing_and_makes_no_room),
        CASE(after_its_grace_a_member_needs_a_token_that_is_good),
    };
    return cmocka_run_group_tests_name("room_token", tests, NULL, NULL);
}
