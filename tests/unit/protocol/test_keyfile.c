#include "protocol/keyfile.h"

#include "tests/lib/hex.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

static struct keyfile made;
static uint8_t bytes[KEYFILE_SIZE + 1];
static uint8_t cluster_id[CLUSTER_ID_SIZE];

static void begin(enum keyfile_kind kind)
{
    uint8_t secret[KEY_SIZE];

    memset(secret, 2, sizeof secret);
    sample_cluster_id(cluster_id);
    keyfile_make(&made, kind, cluster_id, secret);
    keyfile_encode(bytes, &made);
}

static enum status decode(size_t size, enum keyfile_kind kind)
{
    struct keyfile read;
    uint8_t zeros[sizeof read] = {0};
    enum status status = keyfile_decode(&read, slice_of(bytes, size), kind);

    if (status != ST_OK)
        ck_assert_mem_eq(&read, zeros, sizeof read);
    return status;
}

START_TEST(keyfile_of_every_kind_reads_back)
{
    for (unsigned kind = KEYFILE_AUTHORITY; kind <= KEYFILE_COSIGNER; kind++) {
        struct keyfile read;

        begin((enum keyfile_kind)kind);
        ck_assert_int_eq(keyfile_decode(&read, slice_of(bytes, KEYFILE_SIZE),
                                        (enum keyfile_kind)kind),
                         ST_OK);
        ck_assert_int_eq(read.kind, made.kind);
        ck_assert_mem_eq(read.secret, made.secret, KEY_SIZE);
        ck_assert_mem_eq(read.public_key, made.public_key, PUBLIC_KEY_SIZE);
        ck_assert_mem_eq(read.cluster_id, cluster_id, CLUSTER_ID_SIZE);
        ck_assert_str_ne(keyfile_kind_text(read.kind), "unknown key");
    }
}
END_TEST

START_TEST(keyfile_bytes_are_as_laid_out)
{
    begin(KEYFILE_SIGNER);
    hex_expect(
        bytes, 96,
        "4446544b455931000200010000000000487476fe07ebf7727d2715e579e3df0a"
        "0202020202020202020202020202020202020202020202020202020202020202"
        "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3"
        "94");
}
END_TEST

START_TEST(keyfile_truncated_or_with_a_trailing_byte_is_refused)
{
    begin(KEYFILE_SIGNER);
    for (size_t size = 0; size < KEYFILE_SIZE; size++)
        ck_assert_int_eq(decode(size, KEYFILE_SIGNER), ST_FILE_FORMAT);
    ck_assert_int_eq(decode(KEYFILE_SIZE + 1, KEYFILE_SIGNER), ST_FILE_FORMAT);
}
END_TEST

START_TEST(keyfile_with_any_bit_flipped_is_refused)
{
    begin(KEYFILE_SIGNER);
    for (size_t bit = 0; bit < 8 * KEYFILE_SIZE; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(decode(KEYFILE_SIZE, KEYFILE_SIGNER),
                         bit / 8 < 8 ? ST_FILE_FORMAT : ST_CHECKSUM);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(decode(KEYFILE_SIZE, KEYFILE_SIGNER), ST_OK);
}
END_TEST

START_TEST(keyfile_of_another_kind_or_with_a_foreign_public_part_is_refused)
{
    begin(KEYFILE_SIGNER);
    ck_assert_int_eq(decode(KEYFILE_SIZE, KEYFILE_AUTHORITY), ST_FILE_FORMAT);
    ck_assert_int_eq(decode(KEYFILE_SIZE, KEYFILE_CHANNEL), ST_FILE_FORMAT);
    made.public_key[0] ^= 1;
    keyfile_encode(bytes, &made);
    ck_assert_int_eq(decode(KEYFILE_SIZE, KEYFILE_SIGNER), ST_FILE_FORMAT);
}
END_TEST

SUITE_MAIN("keyfile", keyfile_of_every_kind_reads_back,
           keyfile_bytes_are_as_laid_out,
           keyfile_truncated_or_with_a_trailing_byte_is_refused,
           keyfile_with_any_bit_flipped_is_refused,
           keyfile_of_another_kind_or_with_a_foreign_public_part_is_refused)
