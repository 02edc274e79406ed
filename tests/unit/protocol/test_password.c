#include "protocol/password.h"

#include <sodium.h>

#include "tests/lib/hex.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

static struct slice text(const char *s)
{
    return slice_of(s, strlen(s));
}

START_TEST(password_salt_is_the_published_one)
{
    uint8_t salt_key[KEY_SIZE];
    uint8_t salt[SALT_SIZE];

    memset(salt_key, 0x77, sizeof salt_key);
    password_salt(salt, salt_key, text("aliyev.ilham"));
    hex_expect(salt, sizeof salt, "c30616065e2c94409dd94c7b569834e3");
}
END_TEST

START_TEST(password_names_are_hashed_with_and_without_the_salt_key)
{
    uint8_t salt_key[KEY_SIZE];
    uint8_t name[LOGIN_NAME_SIZE];
    uint8_t row_key[HASH_SIZE];

    memset(salt_key, 0x77, sizeof salt_key);
    password_name(name, text("aliyev.ilham"));
    hex_expect(name, sizeof name, "a6178433358f9010cc1c4b1dffecb3bc");
    password_row_key(row_key, salt_key, text("aliyev.ilham"));
    hex_expect(
        row_key, sizeof row_key,
        "6e8bb8038be3cc3ca3dd797ad0044c96692304b2bdb4295aa6586736959abdda");
}
END_TEST

START_TEST(D69_usernames_hold_lower_case_digits_dot_dash_and_underscore_only)
{
    ck_assert(password_username_good(text("abc")));
    ck_assert(password_username_good(text("aliyev.ilham-2_x")));
    ck_assert(password_username_good(text("12345678901234567890123456789012")));
    ck_assert(!password_username_good(text("ab")));
    ck_assert(!password_username_good(text("")));
    ck_assert(
        !password_username_good(text("123456789012345678901234567890123")));
    ck_assert(!password_username_good(text("Aliyev")));
    ck_assert(!password_username_good(text("a b")));
    ck_assert(!password_username_good(text("o'neil")));
    ck_assert(!password_username_good(text("\xc9\x99li")));
    ck_assert(!password_username_good(slice_of("abc\0d", 5)));
}
END_TEST

START_TEST(D74_a_client_refuses_parameters_too_weak_or_too_costly)
{
    ck_assert(password_kdf_acceptable(3, 65536));
    ck_assert(password_kdf_acceptable(2, 19456));
    ck_assert(password_kdf_acceptable(10, 1048576));
    ck_assert(!password_kdf_acceptable(1, 65536));
    ck_assert(!password_kdf_acceptable(11, 65536));
    ck_assert(!password_kdf_acceptable(3, 19455));
    ck_assert(!password_kdf_acceptable(3, 1048577));
    ck_assert(!password_kdf_acceptable(3, UINT32_MAX));
}
END_TEST

START_TEST(password_wrap_gives_the_seed_back_to_its_own_key_and_cluster_only)
{
    uint8_t wrap_key[KEY_SIZE] = {1};
    uint8_t nonce[PASSWORD_NONCE_SIZE] = {2};
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t wrapped[WRAPPED_KEY_SIZE];
    uint8_t seed[SEED_SIZE];
    uint8_t back[SEED_SIZE];
    uint8_t zeros[SEED_SIZE] = {0};
    struct identity user;
    struct identity other;

    sample_identity(&user, 2);
    sample_identity(&other, 3);
    sample_cluster_id(cluster_id);
    memset(seed, 2, sizeof seed);
    password_wrap(wrapped, wrap_key, nonce, seed, cluster_id, user.key_id);
    ck_assert_int_eq(
        password_unwrap(back, wrapped, wrap_key, cluster_id, user.key_id),
        ST_OK);
    ck_assert_mem_eq(back, seed, SEED_SIZE);
    for (size_t bit = 0; bit < 8 * WRAPPED_KEY_SIZE; bit++) {
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(
            password_unwrap(back, wrapped, wrap_key, cluster_id, user.key_id),
            ST_AUTH);
        ck_assert_mem_eq(back, zeros, SEED_SIZE);
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(
        password_unwrap(back, wrapped, wrap_key, cluster_id, other.key_id),
        ST_AUTH);
    cluster_id[0] ^= 1;
    ck_assert_int_eq(
        password_unwrap(back, wrapped, wrap_key, cluster_id, user.key_id),
        ST_AUTH);
    cluster_id[0] ^= 1;
    /* Wrapped under one key's number, the seed of another. */
    password_wrap(wrapped, wrap_key, nonce, seed, cluster_id, other.key_id);
    ck_assert_int_eq(
        password_unwrap(back, wrapped, wrap_key, cluster_id, other.key_id),
        ST_AUTH);
}
END_TEST

START_TEST(login_signature_is_the_published_one)
{
    static const char published[] =
        "69028cf731262ee42439990e51cfd8afaa71faa1de6a5c609c3d89035f68877f830437"
        "f3be2a9f84f9011de9d62f6a0db9c5b797575c29003a1ce04cc4f01c0c";
    struct login_claim claim = {LOGIN_BY_KEY, 2, 0, {0}};
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t binding[HASH_SIZE];
    uint8_t signature[SIGNATURE_SIZE];

    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    memcpy(claim.name, user.key_id, KEY_ID_SIZE);
    hex_decode(
        binding, sizeof binding,
        "c9319d4b78a7518955f1baa4798701306ab1e2342b69be2dd29e034f9cb97243");
    login_sign(signature, &claim, cluster_id, binding, &user);
    hex_expect(signature, sizeof signature, published);
}
END_TEST

START_TEST(D63_D64_login_holds_for_its_claim_connection_and_cluster_only)
{
    struct login_claim claim = {LOGIN_BY_KEY, 2, 0, {7}};
    struct login_claim other = claim;
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE] = {1};
    uint8_t binding[HASH_SIZE] = {2};
    uint8_t signature[SIGNATURE_SIZE];

    sample_identity(&user, 2);
    login_sign(signature, &claim, cluster_id, binding, &user);
    ck_assert_int_eq(
        login_verify(&claim, signature, cluster_id, binding, user.public_key),
        ST_OK);
    other.way = LOGIN_BY_PASSWORD;
    ck_assert_int_eq(
        login_verify(&other, signature, cluster_id, binding, user.public_key),
        ST_AUTH);
    other = claim;
    other.role = 3;
    ck_assert_int_eq(
        login_verify(&other, signature, cluster_id, binding, user.public_key),
        ST_AUTH);
    other = claim;
    other.flags = 1;
    ck_assert_int_eq(
        login_verify(&other, signature, cluster_id, binding, user.public_key),
        ST_AUTH);
    other = claim;
    other.name[15] = 1;
    ck_assert_int_eq(
        login_verify(&other, signature, cluster_id, binding, user.public_key),
        ST_AUTH);
    binding[31] ^= 1;
    ck_assert_int_eq(
        login_verify(&claim, signature, cluster_id, binding, user.public_key),
        ST_AUTH);
    binding[31] ^= 1;
    cluster_id[0] ^= 1;
    ck_assert_int_eq(
        login_verify(&claim, signature, cluster_id, binding, user.public_key),
        ST_AUTH);
}
END_TEST

SUITE_MAIN("password", password_salt_is_the_published_one,
           password_names_are_hashed_with_and_without_the_salt_key,
           D69_usernames_hold_lower_case_digits_dot_dash_and_underscore_only,
           D74_a_client_refuses_parameters_too_weak_or_too_costly,
           password_wrap_gives_the_seed_back_to_its_own_key_and_cluster_only,
           login_signature_is_the_published_one,
           D63_D64_login_holds_for_its_claim_connection_and_cluster_only)
