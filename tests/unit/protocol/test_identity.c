#include "protocol/identity.h"

#include <sodium.h>

#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static void identity_of(struct identity *identity, uint8_t fill)
{
    uint8_t seed[SEED_SIZE];

    ck_assert_int_ge(sodium_init(), 0);
    memset(seed, fill, sizeof seed);
    identity_init(identity, seed);
}

START_TEST(identity_numbers_are_half_hashes_of_tag_and_key)
{
    struct identity authority;
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];

    identity_of(&authority, 1);
    identity_of(&user, 2);
    hex_expect(
        authority.public_key, PUBLIC_KEY_SIZE,
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c");
    identity_cluster_id(cluster_id, authority.public_key);
    hex_expect(cluster_id, sizeof cluster_id,
               "487476fe07ebf7727d2715e579e3df0a");
    hex_expect(user.key_id, sizeof user.key_id,
               "05f8ce57841ec118aa5cbef00f8f1f08");
    identity_wipe(&user);
    for (size_t i = 0; i < sizeof user; i++)
        ck_assert_int_eq(((const uint8_t *)&user)[i], 0);
}
END_TEST

START_TEST(identity_signatures_hold_for_their_tag_cluster_and_bytes_only)
{
    struct identity user;
    struct identity other;
    uint8_t cluster_id[CLUSTER_ID_SIZE] = {7};
    uint8_t elsewhere[CLUSTER_ID_SIZE] = {8};
    uint8_t signature[SIGNATURE_SIZE];

    identity_of(&user, 2);
    identity_of(&other, 3);
    identity_sign(&user, signature, TAG_AUTH, cluster_id, "message", 7);
    ck_assert_int_eq(identity_verify(user.public_key, signature, TAG_AUTH,
                                     cluster_id, "message", 7),
                     ST_OK);
    ck_assert_int_eq(identity_verify(user.public_key, signature, TAG_RECEIPT,
                                     cluster_id, "message", 7),
                     ST_BAD_SIG);
    ck_assert_int_eq(identity_verify(user.public_key, signature, TAG_AUTH,
                                     elsewhere, "message", 7),
                     ST_BAD_SIG);
    ck_assert_int_eq(identity_verify(user.public_key, signature, TAG_AUTH, NULL,
                                     "message", 7),
                     ST_BAD_SIG);
    ck_assert_int_eq(identity_verify(user.public_key, signature, TAG_AUTH,
                                     cluster_id, "massage", 7),
                     ST_BAD_SIG);
    ck_assert_int_eq(identity_verify(other.public_key, signature, TAG_AUTH,
                                     cluster_id, "message", 7),
                     ST_BAD_SIG);
    for (size_t bit = 0; bit < 8 * SIGNATURE_SIZE; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(identity_verify(user.public_key, signature, TAG_AUTH,
                                         cluster_id, "message", 7),
                         ST_BAD_SIG);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

/* The eight points of small order, with their other encodings. */
static const char *const small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

START_TEST(identity_accepts_honest_keys_and_no_key_of_small_order)
{
    struct identity user;

    for (unsigned fill = 0; fill < 32; fill++) {
        identity_of(&user, (uint8_t)fill);
        ck_assert(identity_public_key_acceptable(user.public_key));
    }
    for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
        uint8_t key[PUBLIC_KEY_SIZE];

        hex_decode(key, sizeof key, small_order[i]);
        ck_assert_msg(!identity_public_key_acceptable(key), "point %zu", i);
    }
}
END_TEST

START_TEST(identity_refuses_an_honest_key_plus_a_point_of_small_order)
{
    struct identity user;
    uint8_t low[PUBLIC_KEY_SIZE];
    uint8_t mixed[PUBLIC_KEY_SIZE];

    identity_of(&user, 2);
    for (size_t i = 1; i < 8; i++) {
        hex_decode(low, sizeof low, small_order[i]);
        ck_assert_int_eq(crypto_core_ed25519_add(mixed, user.public_key, low),
                         0);
        ck_assert_msg(!identity_public_key_acceptable(mixed), "point %zu", i);
    }
}
END_TEST

SUITE_MAIN("identity", identity_numbers_are_half_hashes_of_tag_and_key,
           identity_signatures_hold_for_their_tag_cluster_and_bytes_only,
           identity_accepts_honest_keys_and_no_key_of_small_order,
           identity_refuses_an_honest_key_plus_a_point_of_small_order)
