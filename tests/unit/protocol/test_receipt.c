#include "protocol/receipt.h"

#include "tests/lib/hex.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

static const char receipt_hex[] =
    "010000000000000000000000000000000100000000000000404d234648470600637340012a"
    "9edaadae291e430e288c60b6d824d98c7d32e20e5f5270d6f3162de780ac6c4e74abb7ada8"
    "abf067183cd2d3573261f7a93f17f36d1583b565f668da2fdbed8cb4c409519d5fbc967e2e"
    "c3e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char signature_hex[] =
    "5dc5288ae6c164fa53826d393d455b50fd572010f4d9b1b8917be2d197c52e7b9b2007ba95"
    "674a58ae9ce003671b9d47820b70b4b93f061b14bc68c9cd73e704";

static struct identity node;
static uint8_t cluster_id[CLUSTER_ID_SIZE];
static uint8_t bytes[RECEIPT_SIZE];
static uint8_t signature[SIGNATURE_SIZE];

static void begin(void)
{
    sample_identity(&node, 3);
    sample_cluster_id(cluster_id);
    hex_decode(bytes, sizeof bytes, receipt_hex);
    hex_decode(signature, sizeof signature, signature_hex);
}

static enum status verify(struct receipt *receipt)
{
    return receipt_verify(receipt, bytes, signature, cluster_id,
                          node.public_key);
}

START_TEST(receipt_of_the_published_entry_verifies)
{
    struct receipt receipt;

    begin();
    ck_assert_int_eq(verify(&receipt), ST_OK);
    ck_assert_uint_eq(receipt.code, ST_OK);
    ck_assert_uint_eq(receipt.flags, 0);
    ck_assert_uint_eq(receipt.index, 0);
    ck_assert_uint_eq(receipt.epoch, 1);
    ck_assert_int_eq(receipt.committed_at, 0x0006474846234d40);
    hex_expect(
        receipt.entry_hash, HASH_SIZE,
        "d3573261f7a93f17f36d1583b565f668da2fdbed8cb4c409519d5fbc967e2ec3");
}
END_TEST

START_TEST(receipt_signed_anew_is_the_published_bytes)
{
    struct receipt receipt;

    begin();
    ck_assert_int_eq(receipt_decode(&receipt, bytes), ST_OK);
    memset(bytes, 0, sizeof bytes);
    memset(signature, 0, sizeof signature);
    memset(receipt.receipt_key_id, 0, KEY_ID_SIZE);
    receipt_sign(&receipt, bytes, signature, cluster_id, &node);
    hex_expect(bytes, sizeof bytes, receipt_hex);
    hex_expect(signature, sizeof signature, signature_hex);
}
END_TEST

START_TEST(receipt_with_any_bit_flipped_is_refused)
{
    struct receipt receipt;

    begin();
    for (size_t bit = 0; bit < 8 * RECEIPT_SIZE; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(verify(&receipt), ST_RECEIPT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * SIGNATURE_SIZE; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(verify(&receipt), ST_RECEIPT);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

START_TEST(receipt_of_another_node_or_cluster_is_refused)
{
    struct receipt receipt;

    begin();
    cluster_id[0] ^= 1;
    ck_assert_int_eq(verify(&receipt), ST_RECEIPT);
    cluster_id[0] ^= 1;
    sample_identity(&node, 4);
    ck_assert_int_eq(verify(&receipt), ST_RECEIPT);
}
END_TEST

/* Fields no node writes are refused before the signature is looked at. */
START_TEST(receipt_with_a_field_out_of_range_is_refused)
{
    static const size_t offsets[] = {0, 4, 5, 7, 20, 31};
    struct receipt receipt;

    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        begin();
        bytes[offsets[i]] |= 0x82;
        ck_assert_int_eq(receipt_decode(&receipt, bytes), ST_RECEIPT);
    }
    begin();
    bytes[4] = RECEIPT_FLAG_BATCH;
    ck_assert_int_eq(receipt_decode(&receipt, bytes), ST_OK);
}
END_TEST

SUITE_MAIN("receipt", receipt_of_the_published_entry_verifies,
           receipt_signed_anew_is_the_published_bytes,
           receipt_with_any_bit_flipped_is_refused,
           receipt_of_another_node_or_cluster_is_refused,
           receipt_with_a_field_out_of_range_is_refused)
