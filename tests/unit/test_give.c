/* Who waits in a room that this process holds is given what is sent, and answered without a look.
 */
#include "give_fixture.h"

static void who_waits_is_answered_without_the_rooms_file(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    send_to(t, NULL, "[1 ,\"\\u00e4\\n\", {} ]");
    store_let_go_all(&t->p->f->app);
    put_aside(t->p, true);
    assert_ptr_equal(next(t), t->b.w);
    assert_int_equal(wake_poll(t->p, t->b.w, WAKE_LOOK), OUTCOME_ANSWER);
    assert_non_null(strstr(t->p->text.at, "\"type\":\"note\",\"data\":[1 ,\"\\u00e4\\n\", {} ],"));
    answered(t, &t->b);
    put_aside(t->p, false);
    assert_null(next(t));
}

static void the_answer_is_the_one_that_a_look_would_have_given(void **state)
{
    static const char *const data[] = { "1",    "null",
                                        "\"\"", "{\"a\" : [1 , 2.50, -0e1]}",
                                        " 7",   "\"\\u00e4 \\\" \\\\ \\/ \xc3\xa4\"" };
    struct give_test *t = *state;
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        park_poll(t, &t->b);
        send_to(t, i % 2 == 0 ? NULL : &t->b, data[i]);
        is_given(t, &t->b);
        assert_int_equal(count_notes(t), 1);
        t->p->f->now_ms += 1;
    }
}

static void mail_to_one_is_given_to_that_one(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    park_poll(t, &t->c);
    send_to(t, &t->b, "1");
    is_given(t, &t->b);
    assert_null(next(t));
    assert_null(t->c.w->given);
    send_to(t, &t->c, "2");
    is_given(t, &t->c);
    expect(t, "data", "2");
}

static void mail_to_all_is_given_to_all_but_the_sender(void **state)
{
    struct give_test *t = *state;
    park_poll(t, t->a);
    park_poll(t, &t->b);
    park_poll(t, &t->c);
    send_to(t, NULL, "1");
    assert_null(t->a->w->given);
    struct waiter *first = next(t), *second = next(t);
    assert_null(next(t));
    assert_true((first == t->b.w && second == t->c.w) || (first == t->c.w && second == t->b.w));
    takes(t, &t->b);
    takes(t, &t->c);
}

static void several_sends_before_the_answer_are_given_in_order(void **state)
{
    struct give_test *t = *state;
    struct buf list;
    park_poll(t, &t->b);
    send_to(t, NULL, "1");
    send_to(t, &t->c, "2");
    send_to(t, &t->b, "3");
    buf_init(&list, BODY_BYTES);
    put_note(&list, ++t->sends, NULL, "4");
    put_note(&list, ++t->sends, &t->c, "5");
    put_note(&list, ++t->sends, &t->b, "6");
    assert_int_equal(send_list(t, &t->c, &list), 404); /* to itself */
    buf_init(&list, BODY_BYTES);
    put_note(&list, ++t->sends, NULL, "7");
    put_note(&list, ++t->sends, &t->c, "8");
    put_note(&list, ++t->sends, &t->b, "9");
    assert_int_equal(send_list(t, t->a, &list), 200);
    is_given(t, &t->b);
    expect(t, "data", "1 3 7 9");
    assert_null(next(t));
}

static void the_same_id_twice_in_a_request_is_given_once(void **state)
{
    struct give_test *t = *state;
    struct buf list;
    park_poll(t, &t->b);
    buf_init(&list, BODY_BYTES);
    put_note(&list, 1, NULL, "1");
    put_note(&list, 2, NULL, "2");
    put_note(&list, 1, NULL, "1");
    assert_int_equal(send_list(t, t->a, &list), 200);
    is_given(t, &t->b);
    expect(t, "data", "1 2");
}

static void who_sends_and_waits_in_one_call_gives_and_is_given(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    assert_int_equal(
        begin_poll(t->p, t->a, ",\"send\":[{\"id\":\"x\",\"type\":\"note\",\"data\":1}]"), 0);
    assert_null(t->a->w->given);
    is_given(t, &t->b);
    expect(t, "data", "1");
    struct buf list;
    buf_init(&list, BODY_BYTES);
    put_note(&list, 1, NULL, "2");
    assert_int_equal(send_list(t, &t->b, &list), 200);
    is_given(t, t->a);
    expect(t, "data", "2");
    assert_non_null(strstr(t->p->text.at, "\"sent\":[{\"id\":\"x\","));
}

static void what_was_refused_is_given_to_nobody(void **state)
{
    struct give_test *t = *state;
    struct buf list;
    park_poll(t, &t->b);
    buf_init(&list, BODY_BYTES);
    put_note(&list, 1, NULL, "1");
    put_note(&list, 2, t->a, "2");
    assert_int_equal(send_list(t, t->a, &list), 404);
    assert_null(next(t));
    assert_null(t->b.w->given);
}

static void the_cursor_of_the_answer_acknowledges_what_was_given(void **state)
{
    struct give_test *t = *state;
    struct store_room *r;
    struct member_row m;
    park_poll(t, &t->b);
    send_to(t, NULL, "1");
    send_to(t, &t->b, "2");
    is_given(t, &t->b);
    int64_t seq = strtoll(strrchr(strstr(t->p->text.at, "\"next\":"), '.') + 1, NULL, 10);
    char last[32];
    snprintf(last, sizeof last, "{\"seq\":%lld,", (long long)seq);
    assert_non_null(strstr(t->p->text.at, last));
    assert_int_equal(count_notes(t), 2);

    t->p->f->now_ms += t->p->f->app.cfg.lease_ms / 2; /* so that its poll writes */
    park_poll(t, &t->b);
    assert_int_equal(store_begin(&t->p->f->app, "tea", STORE_READ, &r).status, 0);
    assert_true(store_member_by_peer(r, slice_of(t->b.peer), &m));
    assert_int_equal(m.acked, seq);
    assert_int_equal(store_commit(r).status, 0);
    assert_null(next(t));
    send_to(t, NULL, "3");
    is_given(t, &t->b);
    expect(t, "data", "3");
}

static void what_rests_is_worn_off_by_mail(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    struct waiter *resting = t->b.w;
    end_hold(t->p, &t->b);
    assert_true(resting->wait.sure);
    send_to(t, &t->b, "1");
    assert_false(resting->wait.sure);
    assert_int_equal(begin_poll(t->p, &t->b, ""), 200);
    expect(t, "data", "1");
}

static void who_waits_on_after_a_rest_is_given_too(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    end_hold(t->p, &t->b);
    park_poll(t, &t->b);
    assert_true(t->b.w->goes_on);
    send_to(t, NULL, "1");
    is_given(t, &t->b);
    expect(t, "data", "1");
}

static void a_look_that_found_nothing_is_good_for_what_comes_then(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    store_let_go_all(&t->p->f->app);
    hold_room(t);
    assert_true(park_mark(t->p->park, bell_bucket("tea"), ""));
    assert_ptr_equal(next(t), t->b.w);
    assert_int_equal(wake_poll(t->p, t->b.w, WAKE_LOOK), OUTCOME_PARK);
    park_looked(t->p->park, t->b.w);
    send_to(t, NULL, "1");
    is_given(t, &t->b);
    expect(t, "data", "1");
}

/* ---- whose poll ends otherwise ---- */

static void whose_time_is_over_leaves_what_it_was_given_to_its_next_poll(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    char before[ANSWER_TEXT_BYTES];
    strcpy(before, t->b.cursor);
    send_to(t, &t->b, "1");
    assert_non_null(t->b.w->given);
    end_hold(t->p, &t->b);
    expect(t, "data", "");
    assert_string_equal(t->b.cursor, before);
    assert_int_equal(begin_poll(t->p, &t->b, ""), 200);
    expect(t, "data", "1");
}

static void who_is_superseded_takes_nothing_and_the_newer_poll_gets_it(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    struct waiter *older = t->b.w;
    send_to(t, NULL, "1");
    assert_non_null(older->given);
    char before[ANSWER_TEXT_BYTES];
    strcpy(before, t->b.cursor);
    assert_int_equal(begin_poll(t->p, &t->b, ""), 200);
    expect(t, "data", "1");
    assert_ptr_equal(next(t), older);
    assert_int_equal(wake_poll(t->p, older, WAKE_LOOK), OUTCOME_ANSWER);
    expect(t, "data", "");
    assert_non_null(strstr(t->p->text.at, "\"superseded\":true"));
    t->b.w = older;
    answered(t, &t->b);
    assert_string_equal(t->b.cursor, before);
}

static void who_is_superseded_in_another_process_takes_nothing(void **state)
{
    struct give_test *t = *state;
    bool superseded, elsewhere;
    park_poll(t, &t->b);
    send_to(t, NULL, "1");
    (void)bell_owner_claim(t->p->f->app.bell, t->b.peer, t->b.turn + 1, &superseded, &elsewhere);
    assert_ptr_equal(next(t), t->b.w);
    assert_non_null(t->b.w->given);
    assert_int_equal(wake_poll(t->p, t->b.w, WAKE_LOOK), OUTCOME_ANSWER);
    expect(t, "data", "");
    assert_non_null(strstr(t->p->text.at, "\"superseded\":true"));
    answered(t, &t->b);
    assert_int_equal(begin_poll(t->p, &t->b, ""), 200);
    expect(t, "data", "1");
}

static void at_the_end_of_the_process_what_was_given_is_read(void **state)
{
    struct give_test *t = *state;
    park_poll(t, &t->b);
    send_to(t, NULL, "1");
    assert_ptr_equal(park_take_any(t->p->park), t->b.w);
    assert_int_equal(wake_poll(t->p, t->b.w, WAKE_STOP), OUTCOME_ANSWER);
    expect(t, "data", "1");
    park_release(t->p->park, t->b.w);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(who_waits_is_answered_without_the_rooms_file),
        CASE(the_answer_is_the_one_that_a_look_would_have_given),
        CASE(mail_to_one_is_given_to_that_one),
        CASE(mail_to_all_is_given_to_all_but_the_sender),
        CASE(several_sends_before_the_answer_are_given_in_order),
        CASE(the_same_id_twice_in_a_request_is_given_once),
        CASE(who_sends_and_waits_in_one_call_gives_and_is_given),
        CASE(what_was_refused_is_given_to_nobody),
        CASE(the_cursor_of_the_answer_acknowledges_what_was_given),
        CASE(what_rests_is_worn_off_by_mail),
        CASE(who_waits_on_after_a_rest_is_given_too),
        CASE(a_look_that_found_nothing_is_good_for_what_comes_then),
        CASE(whose_time_is_over_leaves_what_it_was_given_to_its_next_poll),
        CASE(who_is_superseded_takes_nothing_and_the_newer_poll_gets_it),
        CASE(who_is_superseded_in_another_process_takes_nothing),
        CASE(at_the_end_of_the_process_what_was_given_is_read),
    };
    return cmocka_run_group_tests_name("give", tests, NULL, NULL);
}
