#include "protocol/record.h"

#include "tests/lib/sample_channel.h"
#include "tests/lib/suite.h"

enum { FRAME_SIZE = 24, RECORD_SIZE = FRAME_SIZE + RECORD_OVERHEAD };

static struct sample_channels both;
static uint8_t frame[FRAME_SIZE];
static uint8_t record[RECORD_SIZE];
static uint8_t plain[FRAME_SIZE];

static void begin(void)
{
    memset(&both, 0, sizeof both);
    sample_channels_open(&both);
    hex_decode(frame, sizeof frame,
               "180000000600010001000000000000000040204648470600");
}

static void seal(struct noise_cipher *cipher)
{
    ck_assert_int_eq(record_seal(cipher, record, slice_of(frame, FRAME_SIZE)),
                     ST_OK);
}

static enum status open_record(struct noise_cipher *cipher)
{
    size_t size;
    enum status status =
        record_open(cipher, plain, &size, slice_of(record, RECORD_SIZE));

    if (status == ST_OK) {
        ck_assert_uint_eq(size, FRAME_SIZE);
        ck_assert_mem_eq(plain, frame, FRAME_SIZE);
    }
    return status;
}

START_TEST(record_0_is_the_published_bytes)
{
    begin();
    seal(&both.client.sender);
    hex_expect(record, RECORD_SIZE,
               "280099d972230ddcd223d57c5e3b0cb37dfe1eae4c6dec61238aa4d9f5fae1"
               "744ad7c898db22a20db126");
    ck_assert_int_eq(open_record(&both.server.receiver), ST_OK);
}
END_TEST

START_TEST(record_may_be_sealed_and_opened_in_its_place)
{
    size_t size;

    begin();
    memcpy(record + RECORD_HEADER_SIZE, frame, FRAME_SIZE);
    ck_assert_int_eq(
        record_seal(&both.client.sender, record,
                    slice_of(record + RECORD_HEADER_SIZE, FRAME_SIZE)),
        ST_OK);
    ck_assert_int_eq(record_open(&both.server.receiver,
                                 record + RECORD_HEADER_SIZE, &size,
                                 slice_of(record, RECORD_SIZE)),
                     ST_OK);
    ck_assert_mem_eq(record + RECORD_HEADER_SIZE, frame, FRAME_SIZE);
}
END_TEST

START_TEST(record_key_renewed_is_the_published_key)
{
    struct noise_cipher cipher;

    begin();
    cipher = both.client.sender;
    noise_rekey(&cipher);
    hex_expect(
        cipher.key, KEY_SIZE,
        "5c46c6954789cc6eca57b3f27cad9c11ddad467924463e0610c616141ba6cef1");
    noise_rekey(&cipher);
    hex_expect(
        cipher.key, KEY_SIZE,
        "a5f16dc8bd4238249c3b4da528b94d6783ca12b69a4530edba8d69b591b11a2e");
    ck_assert_uint_eq(cipher.n, 0);
}
END_TEST

START_TEST(D26_D27_records_outside_the_limits_are_refused_at_their_length)
{
    uint8_t head[RECORD_HEADER_SIZE];
    size_t size;

    for (uint32_t length = 0; length <= UINT16_MAX; length++) {
        enum status status;

        store_u16(head, (uint16_t)length);
        status =
            record_measure(&size, slice_of(head, sizeof head), RECORD_SIZE_MAX);
        ck_assert_int_eq(status, length < 17 ? ST_RECORD_SIZE : ST_AGAIN);
        ck_assert_uint_eq(size, length < 17 ? 0 : length + 2);
        status = record_measure(&size, slice_of(head, sizeof head),
                                RECORD_SIZE_MAX_BEFORE_LOGIN);
        ck_assert_int_eq(status, length < 17 || length > 1040 ? ST_RECORD_SIZE
                                                              : ST_AGAIN);
    }
    ck_assert_int_eq(record_measure(&size, slice_of(head, 1), RECORD_SIZE_MAX),
                     ST_AGAIN);
    ck_assert_uint_eq(size, 0);
    begin();
    seal(&both.client.sender);
    for (size_t cut = 2; cut < RECORD_SIZE; cut++)
        ck_assert_int_eq(
            record_measure(&size, slice_of(record, cut), RECORD_SIZE_MAX),
            ST_AGAIN);
    ck_assert_int_eq(
        record_measure(&size, slice_of(record, RECORD_SIZE), RECORD_SIZE_MAX),
        ST_OK);
    ck_assert_uint_eq(size, RECORD_SIZE);
}
END_TEST

START_TEST(D29_a_record_with_any_bit_flipped_moves_nothing)
{
    struct noise_cipher before;

    begin();
    seal(&both.client.sender);
    before = both.server.receiver;
    for (size_t bit = 0; bit < 8 * RECORD_SIZE; bit++) {
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(open_record(&both.server.receiver),
                         bit < 16 ? ST_RECORD_SIZE : ST_DECRYPT);
        ck_assert_mem_eq(&both.server.receiver, &before, sizeof before);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(open_record(&both.server.receiver), ST_OK);
}
END_TEST

START_TEST(D30_to_D32_records_swapped_repeated_or_dropped_do_not_open)
{
    uint8_t first[RECORD_SIZE];

    begin();
    seal(&both.client.sender);
    memcpy(first, record, RECORD_SIZE);
    seal(&both.client.sender);
    /* The second before the first. */
    ck_assert_int_eq(open_record(&both.server.receiver), ST_DECRYPT);
    memcpy(record, first, RECORD_SIZE);
    ck_assert_int_eq(open_record(&both.server.receiver), ST_OK);
    /* The first again. */
    ck_assert_int_eq(open_record(&both.server.receiver), ST_DECRYPT);
    /* The third, the second being lost. */
    seal(&both.client.sender);
    ck_assert_int_eq(open_record(&both.server.receiver), ST_DECRYPT);
}
END_TEST

START_TEST(record_of_one_direction_does_not_open_in_the_other)
{
    begin();
    seal(&both.client.sender);
    ck_assert_int_eq(open_record(&both.client.receiver), ST_DECRYPT);
}
END_TEST

START_TEST(D33_the_key_is_renewed_once_at_record_65536_in_each_direction)
{
    struct noise_cipher *const ends[2][2] = {
        {&both.client.sender, &both.server.receiver},
        {&both.server.sender, &both.client.receiver},
    };

    begin();
    channel_set_counters(&both.client, RECORD_REKEY_INTERVAL - 1);
    channel_set_counters(&both.server, RECORD_REKEY_INTERVAL - 1);
    for (size_t direction = 0; direction < 2; direction++) {
        struct noise_cipher *sender = ends[direction][0];
        struct noise_cipher *receiver = ends[direction][1];
        struct noise_cipher renewed = *sender;

        noise_rekey(&renewed);
        for (uint64_t n = 65535; n <= 65537; n++) {
            ck_assert_uint_eq(sender->n, n);
            seal(sender);
            ck_assert_int_eq(open_record(receiver), ST_OK);
            if (n == 65535)
                ck_assert_mem_ne(receiver->key, renewed.key, KEY_SIZE);
            else
                ck_assert_mem_eq(receiver->key, renewed.key, KEY_SIZE);
        }
    }
}
END_TEST

START_TEST(record_that_does_not_open_at_the_boundary_renews_nothing)
{
    struct noise_cipher before;

    begin();
    channel_set_counters(&both.client, RECORD_REKEY_INTERVAL);
    channel_set_counters(&both.server, RECORD_REKEY_INTERVAL);
    before = both.server.receiver;
    seal(&both.client.sender);
    record[5] ^= 1;
    ck_assert_int_eq(open_record(&both.server.receiver), ST_DECRYPT);
    ck_assert_mem_eq(&both.server.receiver, &before, sizeof before);
    record[5] ^= 1;
    ck_assert_int_eq(open_record(&both.server.receiver), ST_OK);
}
END_TEST

START_TEST(D34_record_65536_under_the_old_key_does_not_open)
{
    const struct slice no_ad = {NULL, 0};

    begin();
    channel_set_counters(&both.client, RECORD_REKEY_INTERVAL);
    channel_set_counters(&both.server, RECORD_REKEY_INTERVAL);
    store_u16(record, RECORD_SIZE - RECORD_HEADER_SIZE);
    ck_assert_int_eq(noise_seal(&both.client.sender,
                                record + RECORD_HEADER_SIZE, no_ad,
                                slice_of(frame, FRAME_SIZE)),
                     ST_OK);
    ck_assert_int_eq(open_record(&both.server.receiver), ST_DECRYPT);
}
END_TEST

START_TEST(D35_the_last_counter_is_never_used)
{
    begin();
    channel_set_counters(&both.client, UINT64_MAX - 1);
    channel_set_counters(&both.server, UINT64_MAX - 1);
    seal(&both.client.sender);
    ck_assert_int_eq(open_record(&both.server.receiver), ST_OK);
    ck_assert_int_eq(
        record_seal(&both.client.sender, record, slice_of(frame, FRAME_SIZE)),
        ST_COUNTER);
    ck_assert_int_eq(open_record(&both.server.receiver), ST_COUNTER);
}
END_TEST

START_TEST(record_of_the_greatest_size_passes)
{
    static uint8_t large[RECORD_PLAINTEXT_SIZE_MAX];
    static uint8_t sealed[RECORD_PLAINTEXT_SIZE_MAX + RECORD_OVERHEAD];
    size_t size;

    begin();
    memset(large, 0x5a, sizeof large);
    ck_assert_int_eq(
        record_seal(&both.server.sender, sealed, slice_of(large, sizeof large)),
        ST_OK);
    ck_assert_uint_eq(load_u16(sealed), RECORD_SIZE_MAX);
    memset(large, 0, sizeof large);
    ck_assert_int_eq(record_open(&both.client.receiver, large, &size,
                                 slice_of(sealed, sizeof sealed)),
                     ST_OK);
    ck_assert_uint_eq(size, FRAME_SIZE_MAX);
    ck_assert_uint_eq(large[size - 1], 0x5a);
}
END_TEST

SUITE_MAIN("record", record_0_is_the_published_bytes,
           record_may_be_sealed_and_opened_in_its_place,
           record_key_renewed_is_the_published_key,
           D26_D27_records_outside_the_limits_are_refused_at_their_length,
           D29_a_record_with_any_bit_flipped_moves_nothing,
           D30_to_D32_records_swapped_repeated_or_dropped_do_not_open,
           record_of_one_direction_does_not_open_in_the_other,
           D33_the_key_is_renewed_once_at_record_65536_in_each_direction,
           record_that_does_not_open_at_the_boundary_renews_nothing,
           D34_record_65536_under_the_old_key_does_not_open,
           D35_the_last_counter_is_never_used,
           record_of_the_greatest_size_passes)
