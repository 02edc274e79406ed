#include "client/kdf.h"

#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static const char password_utf8[] = "Parol-12345-\xc9\x99";

START_TEST(kdf_derives_the_published_keys)
{
    uint8_t salt[SALT_SIZE];
    struct kdf_keys keys;

    hex_decode(salt, sizeof salt, "c30616065e2c94409dd94c7b569834e3");
    ck_assert_int_eq(
        kdf_derive(&keys, slice_of(password_utf8, sizeof password_utf8 - 1),
                   salt, 3, 65536),
        ST_OK);
    hex_expect(
        keys.login.public_key, PUBLIC_KEY_SIZE,
        "a1eb86ee07e647e96a6bd760ec77e4b6b195bb142a2ae513bda873994b470d8a");
    hex_expect(
        keys.wrap_key, KEY_SIZE,
        "b750613e4fd55174b1cfe4a7fe0b05ad12974e7e93ea9203748badceb8e3be5e");
    kdf_wipe(&keys);
    for (size_t i = 0; i < sizeof keys; i++)
        ck_assert_int_eq(((const uint8_t *)&keys)[i], 0);
}
END_TEST

START_TEST(D74_kdf_refuses_what_a_server_may_not_ask_for)
{
    static char long_password[PASSWORD_SIZE_MAX + 1];
    uint8_t salt[SALT_SIZE] = {0};
    struct kdf_keys keys;
    struct slice password = slice_of("password", 8);

    ck_assert_int_eq(kdf_derive(&keys, password, salt, 1, 65536), ST_USAGE);
    ck_assert_int_eq(kdf_derive(&keys, password, salt, 3, 8), ST_USAGE);
    ck_assert_int_eq(kdf_derive(&keys, password, salt, 3, 4194304), ST_USAGE);
    ck_assert_int_eq(kdf_derive(&keys,
                                slice_of(long_password, sizeof long_password),
                                salt, 3, 65536),
                     ST_USAGE);
}
END_TEST

START_TEST(kdf_counts_a_password_by_code_points)
{
    uint8_t text[PASSWORD_SIZE_MAX + 2];

    ck_assert(
        kdf_password_good(slice_of(password_utf8, sizeof password_utf8 - 1)));
    ck_assert(!kdf_password_good(slice_of("12345678901", 11)));
    /* Six letters of two bytes each are six code points. */
    ck_assert(!kdf_password_good(
        slice_of("\xc9\x99\xc9\x99\xc9\x99\xc9\x99\xc9\x99\xc9\x99", 12)));
    memset(text, 'a', sizeof text);
    ck_assert(kdf_password_good(slice_of(text, PASSWORD_POINTS_MAX)));
    ck_assert(!kdf_password_good(slice_of(text, PASSWORD_POINTS_MAX + 1)));
    ck_assert(!kdf_password_good(slice_of("123456789012\x1b", 13)));
    ck_assert(!kdf_password_good(slice_of("123456789012\xff", 13)));
}
END_TEST

SUITE_MAIN("kdf", kdf_derives_the_published_keys,
           D74_kdf_refuses_what_a_server_may_not_ask_for,
           kdf_counts_a_password_by_code_points)
