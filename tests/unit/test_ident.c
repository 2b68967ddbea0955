#include "ident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void hashes_as_fips_180_4_says(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text, *hex;
    } rows[] = {
        { __LINE__, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { __LINE__, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { __LINE__, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t hash[IDENT_HASH_BYTES];
        char hex[2 * IDENT_HASH_BYTES + 1];
        ident_hash(rows[i].text, strlen(rows[i].text), hash);
        for (size_t at = 0; at < sizeof hash; at++) snprintf(hex + 2 * at, 3, "%02x", hash[at]);
        if (strcmp(hex, rows[i].hex) != 0) fail_msg("line %d: %s", rows[i].line, hex);
    }
    uint8_t hash[IDENT_HASH_BYTES];
    ident_hash(NULL, 0, hash);
    assert_int_equal(hash[0], 0xe3);
}

static void as_hex(const uint8_t *at, size_t len, const char *wanted, int line)
{
    char hex[2 * IDENT_HASH_BYTES + 1];
    ident_hex(at, len, hex);
    if (strcmp(hex, wanted) != 0) fail_msg("line %d: %s", line, hex);
}

static void hmacs_as_rfc_4231_and_rfc_2202_have_them(void **state)
{
    (void)state;
    static char long_key[131];
    memset(long_key, 0xaa, sizeof long_key);
    const struct {
        int line;
        struct slice key;
        const char *text, *hex;
    } rows[] = {
        { __LINE__, slice_of("Jefe"), "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { __LINE__,
          { long_key, sizeof long_key },
          "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    };
    uint8_t hash[IDENT_HASH_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ident_hmac(rows[i].key, slice_of(rows[i].text), hash);
        as_hex(hash, IDENT_HASH_BYTES, rows[i].hex, rows[i].line);
    }
    ident_hmac_sha1(slice_of("Jefe"), slice_of("what do ya want for nothing?"), hash);
    as_hex(hash, IDENT_SHA1_BYTES, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", __LINE__);
}

static void peers_are_distinct_version_4_uuids_in_lower_case(void **state)
{
    (void)state;
    char ids[200][IDENT_PEER_BYTES + 1];
    for (size_t i = 0; i < 200; i++) {
        ident_peer(ids[i]);
        assert_int_equal(strlen(ids[i]), IDENT_PEER_BYTES);
        assert_int_equal(strspn(ids[i], "0123456789abcdef-"), IDENT_PEER_BYTES);
        assert_int_equal(ids[i][14], '4');
        assert_non_null(strchr("89ab", ids[i][19]));
        for (size_t other = 0; other < i; other++) assert_string_not_equal(ids[i], ids[other]);
    }
}

static void keys_are_255_bits_of_base64url_and_begin_with_a_letter(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const char last[] = "AEIMQUYcgkosw048"; /* the 43rd digit carries four bits */
    bool used[64] = { false };
    char before[IDENT_KEY_BYTES + 1] = "";
    for (int i = 0; i < 500; i++) {
        char key[IDENT_KEY_BYTES + 1];
        ident_key(key);
        assert_true((key[0] >= 'A' && key[0] <= 'Z') || (key[0] >= 'a' && key[0] <= 'z'));
        assert_int_equal(strlen(key), IDENT_KEY_BYTES);
        assert_non_null(strchr(last, key[IDENT_KEY_BYTES - 1]));
        for (size_t at = 0; at < IDENT_KEY_BYTES; at++) {
            const char *digit = strchr(digits, key[at]);
            assert_non_null(digit);
            used[digit - digits] = true;
        }
        assert_string_not_equal(key, before);
        memcpy(before, key, sizeof key);
    }
    for (size_t i = 0; i < sizeof used; i++) assert_true(used[i]);
}

static void random_fills_every_byte_and_no_other(void **state)
{
    (void)state;
    uint8_t seen[302] = { 0 }, bytes[302] = { 0 };
    for (int round = 0; round < 8; round++) {
        ident_random(bytes + 1, 300);
        for (size_t i = 0; i < sizeof bytes; i++) seen[i] = (uint8_t)(seen[i] | bytes[i]);
    }
    assert_int_equal(seen[0], 0);
    assert_int_equal(seen[301], 0);
    for (size_t i = 1; i < 301; i++) assert_int_not_equal(seen[i], 0);
}

static void equal_looks_at_every_byte(void **state)
{
    (void)state;
    uint8_t a[32] = { 1, 2, 3 }, b[32] = { 1, 2, 3 };
    assert_true(ident_equal(a, b, sizeof a));
    assert_true(ident_equal(a, b, 0));
    for (size_t i = 0; i < sizeof a * 8; i++) {
        b[i / 8] = (uint8_t)(b[i / 8] ^ 1U << i % 8);
        assert_false(ident_equal(a, b, sizeof a));
        b[i / 8] = a[i / 8];
    }
}

/* RFC 7914, section 11. */
static void pbkdf2_gives_the_published_vector(void **state)
{
    (void)state;
    uint8_t out[IDENT_HASH_BYTES];
    char hex[2 * sizeof out + 1];
    ident_pbkdf2(slice_of("passwd"), (const uint8_t *)"salt", 4, 1, out);
    ident_hex(out, sizeof out, hex);
    assert_string_equal(hex, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    ident_pbkdf2(slice_of("Password"), (const uint8_t *)"NaCl", 4, 80000, out);
    ident_hex(out, sizeof out, hex);
    assert_string_equal(hex, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pbkdf2_gives_the_published_vector),
        cmocka_unit_test(hashes_as_fips_180_4_says),
        cmocka_unit_test(hmacs_as_rfc_4231_and_rfc_2202_have_them),
        cmocka_unit_test(peers_are_distinct_version_4_uuids_in_lower_case),
        cmocka_unit_test(keys_are_255_bits_of_base64url_and_begin_with_a_letter),
        cmocka_unit_test(random_fills_every_byte_and_no_other),
        cmocka_unit_test(equal_looks_at_every_byte),
    };
    return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
