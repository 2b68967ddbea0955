#include "origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ONE "https://chat.example"
#define SUB "https://*.chat.example"
#define DEV "http://*.dev.example:8080"

static void an_origin_is_what_was_allowed_to_the_byte(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *allowed, *origin;
        bool matches;
    } rows[] = {
        { __LINE__, ONE, "https://chat.example", true },
        { __LINE__, ONE, "https://chat.example.evil.example", false }, /* a suffix more */
        { __LINE__, ONE, "https://evil-chat.example", false },         /* a prefix more */
        { __LINE__, ONE, "https://chat.exampl", false },
        { __LINE__, ONE, "https://chat.example.", false },
        { __LINE__, ONE, "http://chat.example", false },
        { __LINE__, ONE, "https://chat.example:443", false },
        { __LINE__, ONE, "https://chat.example:8443", false },
        { __LINE__, ONE, "https://CHAT.example", false },
        { __LINE__, ONE, "HTTPS://chat.example", false },
        { __LINE__, ONE, "https://ch\xd0\xb0t.example", false }, /* a Cyrillic a */
        { __LINE__, ONE, "https://xn--cht-5cd.example", false }, /* the same as browsers send it */
        { __LINE__, ONE, "https://chat.example/", false },
        { __LINE__, ONE, "https://user@chat.example", false },
        { __LINE__, ONE, " https://chat.example", false },
        { __LINE__, ONE, "https://chat.example https://evil.example", false },
        { __LINE__, ONE, "https://a.chat.example", false },
        { __LINE__, ONE, "null", false },
        { __LINE__, ONE, "", false },
        { __LINE__, ONE, "*", false },
        { __LINE__, "*", "https://chat.example", true },
        { __LINE__, "*", "null", true },
        { __LINE__, SUB, "https://a.chat.example", true },
        { __LINE__, SUB, "https://a-1.b_2.chat.example", true },
        { __LINE__, SUB, "https://xn--cht-5cd.chat.example", true },
        { __LINE__, SUB, "https://chat.example", false },
        { __LINE__, SUB, "https://.chat.example", false },
        { __LINE__, SUB, "https://a..chat.example", false },
        { __LINE__, SUB, "https://.a.chat.example", false },
        { __LINE__, SUB, "https://*.chat.example", false },
        { __LINE__, SUB, "https://evilchat.example", false },
        { __LINE__, SUB, "https://a.chat.example.evil.example", false },
        { __LINE__, SUB, "https://a.chat.example:8443", false },
        { __LINE__, SUB, "http://a.chat.example", false },
        { __LINE__, SUB, "https://A.chat.example", false },
        { __LINE__, SUB, "https://a.Chat.example", false },
        { __LINE__, SUB, "https://evil.example/.chat.example", false },
        { __LINE__, SUB, "https://evil.example:1.chat.example", false },
        { __LINE__, SUB, "https://evil.example@a.chat.example", false },
        { __LINE__, SUB, "https://evil.example#.chat.example", false },
        { __LINE__, SUB, "https://\xd0\xb0.chat.example", false },
        { __LINE__, SUB, "https://a .chat.example", false },
        { __LINE__, SUB, "null", false },
        { __LINE__, SUB, "", false },
        { __LINE__, DEV, "http://a.dev.example:8080", true },
        { __LINE__, DEV, "http://a.dev.example", false },
        { __LINE__, DEV, "http://a.dev.example:80801", false },
        { __LINE__, DEV, "http://a.dev.example:808", false },
        { __LINE__, DEV, "https://a.dev.example:8080", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].allowed, "*") != 0) assert_true(origin_valid(slice_of(rows[i].allowed)));
        if (origin_matches(slice_of(rows[i].allowed), slice_of(rows[i].origin)) != rows[i].matches)
            fail_msg("line %d", rows[i].line);
    }
}

static void a_nul_in_an_origin_does_not_end_it(void **state)
{
    (void)state;
    assert_false(origin_matches(slice_of(ONE), (struct slice){ ONE "\0.evil", sizeof ONE + 5 }));
    assert_false(
        origin_matches(slice_of(SUB), (struct slice){ "https://a\0b.chat.example",
                                                      sizeof "https://a\0b.chat.example" - 1 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_what_was_allowed_to_the_byte),
        cmocka_unit_test(a_nul_in_an_origin_does_not_end_it),
    };
    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
