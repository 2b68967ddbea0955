/* Bans: of whom, and for how long. */
#include "room_fixture.h"

static void a_ban_is_of_identity_and_token_where_there_is_one_else_of_the_address(void **state)
{
    struct fixture *f = *state;
    struct token_claims ann = { .given = true, .sub = slice_of("ann"), .jti = slice_of("t-1") };
    struct token_claims same_sub = { .given = true, .sub = slice_of("ann") };
    struct token_claims same_jti = { .given = true,
                                     .sub = slice_of("ben"),
                                     .jti = slice_of("t-1") };
    struct token_claims other = { .given = true, .sub = slice_of("t-1"), .jti = slice_of("ann") };
    const struct {
        int line;
        struct token_claims token;
        const char *address;
        bool by_address, by_token; /* refused after a ban of that kind */
    } rows[] = {
        { __LINE__, { 0 }, "192.0.2.1", true, false },
        { __LINE__, { 0 }, "::ffff:192.0.2.1", true, false },
        { __LINE__, { 0 }, "192.0.2.2", false, false },
        { __LINE__, { 0 }, "", false, false },
        { __LINE__, ann, "192.0.2.2", false, true },
        { __LINE__, same_sub, "192.0.2.2", false, true },
        { __LINE__, same_jti, "192.0.2.2", false, true },
        { __LINE__, other, "192.0.2.1", false, false },
    };
    for (int identity = 0; identity < 2; identity++) {
        struct who host, out;
        join(f, "tea", &host);
        struct join_ask ask = { .room = "tea", .address = "192.0.2.1" };
        if (identity) ask.token = ann;
        f->app.cfg.tokens = identity ? CONFIG_TOKENS_REQUIRED : CONFIG_TOKENS_OPTIONAL;
        join_as(f, &ask, &out);
        assert_ok(call_as_host(f, room_kick, &host, out.peer, true));
        assert_ok(call_as_host(f, room_kick, &host, out.peer, true));
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct join_result res;
            struct problem p =
                try_join(f,
                         &(struct join_ask){
                             .room = "tea", .token = rows[i].token, .address = rows[i].address },
                         &res);
            bool refused = identity ? rows[i].by_token : rows[i].by_address;
            if ((p.status == 403) != refused) fail_msg("line %d: %d", rows[i].line, p.status);
        }
        f->now_ms += f->app.cfg.lease_ms + f->app.cfg.grace_ms + 1;
        assert_ok(room_sweep(&f->app, "tea"));
        f->now_ms += f->app.cfg.grace_ms + 1;
        assert_ok(room_sweep(&f->app, "tea"));
    }
}

static void a_ban_with_a_token_holds_for_who_then_comes_without_where_one_may(void **state)
{
    struct fixture *f = *state;
    struct who host, out;
    struct join_result res;
    f->app.cfg.tokens = CONFIG_TOKENS_OPTIONAL;
    join(f, "tea", &host);
    struct join_ask ask = { .room = "tea",
                            .token = { .given = true, .sub = slice_of("ann") },
                            .address = "192.0.2.1" };
    join_as(f, &ask, &out);
    assert_ok(call_as_host(f, room_kick, &host, out.peer, true));
    ask.token = (struct token_claims){ 0 };
    assert_problem(try_join(f, &ask, &res), 403, "banned");
    ask.token = (struct token_claims){ .given = true, .sub = slice_of("ben") };
    assert_ok(try_join(f, &ask, &res));
}

static void a_second_page_of_who_is_banned_is_not_loaded_anew(void **state)
{
    struct fixture *f = *state;
    struct who host, out, second;
    struct join_result res;
    join(f, "tea", &host);
    struct join_ask ask = { .room = "tea", .token = { .given = true, .sub = slice_of("ann") } };
    join_as(f, &ask, &out);
    join_as(f, &ask, &second);
    assert_ok(call_as_host(f, room_kick, &host, out.peer, true));
    ask.replaces = slice_of(second.key);
    assert_problem(try_join(f, &ask, &res), 403, "banned");
    ask.token = (struct token_claims){ 0 };
    assert_problem(try_join(f, &ask, &res), 403, "banned");
}

static void a_ban_is_of_a_network_and_of_the_address_that_was_resumed_from(void **state)
{
    struct fixture *f = *state;
    struct who host, out;
    struct join_result res;
    join(f, "tea", &host);
    join_as(f, &(struct join_ask){ .room = "tea", .address = "2001:db8:1:2::7" }, &out);
    struct join_ask resume = { .room = "tea",
                               .resume = slice_of(out.key),
                               .address = "2001:db8:9:9::1" };
    assert_ok(try_join(f, &resume, &res));
    assert_ok(call_as_host(f, room_kick, &host, out.peer, true));
    assert_problem(
        try_join(f, &(struct join_ask){ .room = "tea", .address = "2001:db8:9:9:ffff::2" }, &res),
        403, "banned");
    assert_ok(try_join(f, &(struct join_ask){ .room = "tea", .address = "2001:db8:1:2::7" }, &res));
}

static void a_ban_leaves_who_is_in_and_ends_with_the_room(void **state)
{
    struct fixture *f = *state;
    struct who host, out, same;
    struct join_result res, more;
    join(f, "tea", &host);
    join_as(f, &(struct join_ask){ .room = "tea", .address = "192.0.2.1" }, &out);
    join_as(f, &(struct join_ask){ .room = "tea", .address = "192.0.2.1" }, &same);
    assert_ok(call_as_host(f, room_kick, &host, out.peer, true));
    struct join_ask ask = { .room = "tea", .resume = slice_of(same.key), .address = "192.0.2.1" };
    assert_ok(try_join(f, &ask, &res));
    ask = (struct join_ask){ .room = "tea", .replaces = slice_of(res.key), .address = "192.0.2.1" };
    assert_ok(try_join(f, &ask, &more));
    ask = (struct join_ask){ .room = "tea", .address = "192.0.2.1" };
    assert_problem(try_join(f, &ask, &res), 403, "banned");
    assert_ok(room_leave(&f->app, "tea", slice_of(more.key), false));
    assert_ok(room_leave(&f->app, "tea", slice_of(host.key), false));
    assert_ok(try_join(f, &ask, &res));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_ban_is_of_identity_and_token_where_there_is_one_else_of_the_address),
        CASE(a_ban_with_a_token_holds_for_who_then_comes_without_where_one_may),
        CASE(a_second_page_of_who_is_banned_is_not_loaded_anew),
        CASE(a_ban_is_of_a_network_and_of_the_address_that_was_resumed_from),
        CASE(a_ban_leaves_who_is_in_and_ends_with_the_room),
    };
    return cmocka_run_group_tests_name("room_ban", tests, NULL, NULL);
}
