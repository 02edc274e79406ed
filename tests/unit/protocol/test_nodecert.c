#include "protocol/nodecert.h"

#include "tests/lib/sample_channel.h"
#include "tests/lib/suite.h"

enum { NOT_BEFORE_S = 1767225600, YEAR_S = 365 * 86400 };

static struct identity authority;
static struct nodecert_expected expected;
static struct nodecert cert;
static uint8_t bytes[NODECERT_SIZE];
static uint8_t channel_key[KEY_SIZE];

static void begin(void)
{
    sample_identity(&authority, 1);
    sample_expected(&expected);
    hex_decode(bytes, sizeof bytes, sample_nodecert_hex);
    nodecert_decode(&cert, bytes);
    memcpy(channel_key, cert.channel_key, KEY_SIZE);
}

/* Signs ${cert} again after a change and returns what is found wrong. */
static enum nodecert_fault judged(void)
{
    struct nodecert read;
    enum nodecert_fault fault;
    enum status status;

    nodecert_sign(bytes, &cert, &authority);
    status = nodecert_verify(&read, &fault, bytes, &expected, channel_key);
    ck_assert_int_eq(status, fault == NODECERT_GOOD ? ST_OK : ST_CERTIFICATE);
    return fault;
}

START_TEST(nodecert_signed_anew_is_the_published_bytes)
{
    begin();
    ck_assert_int_eq(cert.not_before_s, NOT_BEFORE_S);
    ck_assert_int_eq(cert.not_after_s, NOT_BEFORE_S + YEAR_S);
    ck_assert_uint_eq(cert.role, NODECERT_SERVER);
    ck_assert_uint_eq(cert.serial, 7);
    ck_assert_int_eq(judged(), NODECERT_GOOD);
    hex_expect(bytes, sizeof bytes, sample_nodecert_hex);
}
END_TEST

START_TEST(nodecert_with_any_bit_flipped_is_refused)
{
    enum nodecert_fault fault;
    struct nodecert read;

    begin();
    for (size_t bit = 0; bit < 8 * NODECERT_SIZE; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(
            nodecert_verify(&read, &fault, bytes, &expected, channel_key),
            ST_CERTIFICATE);
        ck_assert_int_eq(fault, bit / 8 < 2 ? NODECERT_BAD_VERSION
                                : bit / 8 >= 24 && bit / 8 < 40
                                    ? NODECERT_OTHER_CLUSTER
                                    : NODECERT_BAD_SIGNATURE);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

START_TEST(nodecert_validity_is_ten_minutes_wide_at_either_end_inclusive)
{
    begin();
    expected.now_s = NOT_BEFORE_S - 600;
    ck_assert_int_eq(judged(), NODECERT_GOOD);
    expected.now_s--;
    ck_assert_int_eq(judged(), NODECERT_NOT_YET_VALID);
    expected.now_s = NOT_BEFORE_S + YEAR_S + 600;
    ck_assert_int_eq(judged(), NODECERT_GOOD);
    expected.now_s++;
    ck_assert_int_eq(judged(), NODECERT_EXPIRED);
}
END_TEST

START_TEST(nodecert_lifetime_is_at_most_four_hundred_days)
{
    begin();
    cert.not_after_s = cert.not_before_s + 400LL * 86400;
    ck_assert_int_eq(judged(), NODECERT_GOOD);
    cert.not_after_s++;
    ck_assert_int_eq(judged(), NODECERT_LIFETIME);
    cert.not_after_s = INT64_MAX;
    ck_assert_int_eq(judged(), NODECERT_LIFETIME);
    cert.not_before_s = INT64_MIN;
    ck_assert_int_eq(judged(), NODECERT_LIFETIME);
    cert.not_before_s = expected.now_s + 1;
    cert.not_after_s = expected.now_s - 1;
    ck_assert_int_eq(judged(), NODECERT_LIFETIME);
}
END_TEST

START_TEST(nodecert_of_another_role_cluster_authority_or_key_is_named)
{
    begin();
    cert.role = NODECERT_BACKUP;
    ck_assert_int_eq(judged(), NODECERT_OTHER_ROLE);
    cert.role = NODECERT_SERVER;
    channel_key[0] ^= 1;
    ck_assert_int_eq(judged(), NODECERT_OTHER_CHANNEL_KEY);
    channel_key[0] ^= 1;
    cert.cluster_id[15] ^= 1;
    ck_assert_int_eq(judged(), NODECERT_OTHER_CLUSTER);
    cert.cluster_id[15] ^= 1;
    sample_identity(&authority, 9);
    ck_assert_int_eq(judged(), NODECERT_BAD_SIGNATURE);
}
END_TEST

START_TEST(nodecert_receipt_key_is_a_point_of_the_main_subgroup)
{
    begin();
    memset(cert.receipt_key, 0, PUBLIC_KEY_SIZE);
    cert.receipt_key[0] = 1;
    ck_assert_int_eq(judged(), NODECERT_BAD_RECEIPT_KEY);
}
END_TEST

START_TEST(nodecert_faults_have_each_their_text)
{
    for (unsigned a = 0; a < NODECERT_FAULTS_COUNT; a++) {
        for (unsigned b = 0; b < a; b++)
            ck_assert_str_ne(nodecert_fault_text((enum nodecert_fault)a),
                             nodecert_fault_text((enum nodecert_fault)b));
    }
}
END_TEST

SUITE_MAIN("nodecert", nodecert_signed_anew_is_the_published_bytes,
           nodecert_with_any_bit_flipped_is_refused,
           nodecert_validity_is_ten_minutes_wide_at_either_end_inclusive,
           nodecert_lifetime_is_at_most_four_hundred_days,
           nodecert_of_another_role_cluster_authority_or_key_is_named,
           nodecert_receipt_key_is_a_point_of_the_main_subgroup,
           nodecert_faults_have_each_their_text)
