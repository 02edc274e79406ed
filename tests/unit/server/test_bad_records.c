/* ctest-label: threads
 * ctest-timeout: 600
 * Records: what is no good record ends the connection in silence; what is no
 * whole frame inside a good record is 104. */
#include <unistd.h>

#include "protocol/record.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;
static struct wire wire;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

/* A record with a PING in it, not sent yet. */
static size_t ping_record(uint8_t *record, uint64_t request_id)
{
    struct message_ping ping = {.time = 1};
    uint8_t plain[64];
    struct writer writer;

    writer_init(&writer, plain, sizeof plain);
    frame_write(&writer, MESSAGE_PING, request_id, &ping);
    frame_gate_pinged(&wire.gate);
    ck_assert_int_eq(
        record_seal(&wire.channel.sender, record, writer_slice(&writer)),
        ST_OK);
    return writer.used + RECORD_OVERHEAD;
}

static void expect_pong(uint64_t request_id)
{
    struct frame frame;

    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_PONG);
    ck_assert_uint_eq(frame.request_id, request_id);
}

static void expect_silence_at_length(uint16_t length, bool logged_in)
{
    uint8_t bytes[RECORD_HEADER_SIZE + 1100] = {0};

    if (logged_in)
        node_fixture_login(&fixture, &wire, node_fixture_own(&fixture),
                           ROLE_STAFF);
    else
        node_fixture_channel(&fixture, &wire);
    store_u16(bytes, length);
    wire_send_raw(&wire, bytes, RECORD_HEADER_SIZE);
    ck_assert(wire_closed_silently(&wire));
    wire_close(&wire);
}

START_TEST(D26_a_record_below_the_least_length_ends_it_in_silence)
{
    static const uint16_t lengths[] = {0, 1, 15, 16};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        expect_silence_at_length(lengths[i], false);
        expect_silence_at_length(lengths[i], true);
    }
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D27_a_valid_record_of_1041_before_login_ends_it_in_silence)
{
    uint8_t plain[RECORD_SIZE_MAX_BEFORE_LOGIN - AEAD_TAG_SIZE + 1];
    struct writer writer;

    node_fixture_channel(&fixture, &wire);
    writer_init(&writer, plain, sizeof plain);
    frame_write_pad(&writer, sizeof plain - FRAME_HEADER_SIZE);
    wire_send_record(&wire, writer_slice(&writer));
    ck_assert(wire_closed_silently(&wire));
}
END_TEST

START_TEST(a_valid_record_of_1040_before_login_is_taken)
{
    uint8_t plain[RECORD_SIZE_MAX_BEFORE_LOGIN - AEAD_TAG_SIZE];
    uint8_t record[64 + RECORD_OVERHEAD];
    struct writer writer;

    node_fixture_channel(&fixture, &wire);
    writer_init(&writer, plain, sizeof plain);
    frame_write_pad(&writer, sizeof plain - FRAME_HEADER_SIZE);
    wire_send_record(&wire, writer_slice(&writer));
    wire_send_raw(&wire, record, ping_record(record, 1));
    expect_pong(1);
}
END_TEST

START_TEST(D29_a_flipped_bit_in_a_record_ends_it_in_silence)
{
    uint8_t record[64 + RECORD_OVERHEAD];

    for (size_t place = RECORD_HEADER_SIZE; place < 42; place += 13) {
        node_fixture_channel(&fixture, &wire);
        size_t size = ping_record(record, 1);
        ck_assert_uint_lt(place, size);
        record[place] ^= 0x10;
        wire_send_raw(&wire, record, size);
        ck_assert(wire_closed_silently(&wire));
        wire_close(&wire);
    }
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D281_a_fin_inside_a_record_ends_it_in_silence)
{
    uint8_t record[64 + RECORD_OVERHEAD];

    for (size_t cut = 1; cut <= 41; cut += 20) {
        node_fixture_login(&fixture, &wire, node_fixture_own(&fixture),
                           ROLE_STAFF);
        ck_assert_uint_lt(cut, ping_record(record, 100));
        wire_send_raw(&wire, record, cut);
        wire_send_fin(&wire);
        ck_assert(wire_closed_silently(&wire));
        wire_close(&wire);
    }
}
END_TEST

/* What stays of a long record must not be taken for what fits before a login.
 */
START_TEST(D281_a_fin_inside_a_long_record_ends_it_in_silence)
{
    static uint8_t part[RECORD_HEADER_SIZE + RECORD_SIZE_MAX - 1];
    static const size_t sizes[] = {RX_SIZE_BEFORE_LOGIN,
                                   RX_SIZE_BEFORE_LOGIN + 1, sizeof part};

    memset(part, 0xff, RECORD_HEADER_SIZE);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        node_fixture_login(&fixture, &wire, node_fixture_own(&fixture),
                           ROLE_STAFF);
        wire_send_raw(&wire, part, sizes[i]);
        wire_send_fin(&wire);
        ck_assert(wire_closed_silently(&wire));
        wire_close(&wire);
    }
}
END_TEST

START_TEST(D30_swapped_records_end_it_in_silence)
{
    uint8_t first[64 + RECORD_OVERHEAD], second[64 + RECORD_OVERHEAD];

    node_fixture_channel(&fixture, &wire);
    size_t size = ping_record(first, 1);
    (void)ping_record(second, 2);
    wire_send_raw(&wire, second, size);
    wire_send_raw(&wire, first, size);
    ck_assert(wire_closed_silently(&wire));
}
END_TEST

START_TEST(D31_a_record_sent_twice_ends_it_in_silence_at_the_second)
{
    uint8_t record[64 + RECORD_OVERHEAD];

    node_fixture_channel(&fixture, &wire);
    size_t size = ping_record(record, 1);
    wire_send_raw(&wire, record, size);
    expect_pong(1);
    wire_send_raw(&wire, record, size);
    ck_assert(wire_closed_silently(&wire));
}
END_TEST

START_TEST(D32_a_dropped_record_ends_it_in_silence_at_the_next)
{
    uint8_t record[64 + RECORD_OVERHEAD];

    node_fixture_channel(&fixture, &wire);
    (void)ping_record(record, 1);
    wire_send_raw(&wire, record, ping_record(record, 2));
    ck_assert(wire_closed_silently(&wire));
}
END_TEST

/* Records of the least PAD, until the next one has number 65536. */
static void send_until_rekey(void)
{
    static uint8_t records[512 * (FRAME_HEADER_SIZE + RECORD_OVERHEAD)];
    uint8_t plain[FRAME_HEADER_SIZE];
    struct writer writer;
    size_t size = 0;

    node_fixture_login(&fixture, &wire, node_fixture_own(&fixture), ROLE_STAFF);
    while (wire.channel.sender.n < RECORD_REKEY_INTERVAL) {
        writer_init(&writer, plain, sizeof plain);
        frame_write_pad(&writer, 0);
        ck_assert_int_eq(record_seal(&wire.channel.sender, records + size,
                                     writer_slice(&writer)),
                         ST_OK);
        size += sizeof plain + RECORD_OVERHEAD;
        if (size == sizeof records) {
            wire_send_raw(&wire, records, size);
            size = 0;
        }
    }
    wire_send_raw(&wire, records, size);
}

START_TEST(D33_a_client_renews_its_key_at_record_65536)
{
    uint8_t record[64 + RECORD_OVERHEAD];

    send_until_rekey();
    for (uint64_t i = 100; i < 103; i++) {
        wire_send_raw(&wire, record, ping_record(record, i));
        expect_pong(i);
    }
    ck_assert_uint_eq(wire.channel.sender.n, RECORD_REKEY_INTERVAL + 3);
    wire_close(&wire);
}
END_TEST

START_TEST(D34_record_65536_under_the_former_key_ends_it_in_silence)
{
    uint8_t record[FRAME_HEADER_SIZE + RECORD_OVERHEAD];
    uint8_t plain[FRAME_HEADER_SIZE];
    struct writer writer;

    send_until_rekey();
    writer_init(&writer, plain, sizeof plain);
    frame_write_pad(&writer, 0);
    store_u16(record, sizeof record - RECORD_HEADER_SIZE);
    ck_assert_int_eq(noise_seal(&wire.channel.sender,
                                record + RECORD_HEADER_SIZE, slice_of(NULL, 0),
                                writer_slice(&writer)),
                     ST_OK);
    wire_send_raw(&wire, record, sizeof record);
    ck_assert(wire_closed_silently(&wire));
    wire_close(&wire);
}
END_TEST

/* Plain bytes in one good record; 104 and the close. */
static void expect_frame_error(bool logged_in, const void *plain, size_t size)
{
    uint8_t scope;

    if (logged_in)
        node_fixture_login(&fixture, &wire, node_fixture_own(&fixture),
                           ROLE_STAFF);
    else
        node_fixture_channel(&fixture, &wire);
    wire_send_record(&wire, slice_of(plain, size));
    ck_assert_int_eq(wire_error(&wire, &scope), ST_FRAME);
    ck_assert_int_eq(scope, SCOPE_CONNECTION);
    ck_assert(wire_closed(&wire));
    wire_close(&wire);
}

static void expect_frame_length_error(uint32_t length)
{
    uint8_t plain[24] = {0};

    store_u32(plain, length);
    plain[4] = MESSAGE_PING;
    plain[6] = FRAME_VERSION;
    plain[8] = 100;
    expect_frame_error(false, plain, sizeof plain);
    expect_frame_error(true, plain, sizeof plain);
}

START_TEST(D36_a_record_that_ends_inside_a_frame_is_104)
{
    expect_frame_length_error(25);
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D37_fifteen_bytes_of_plaintext_are_104)
{
    static const uint8_t plain[15] = {15, 0, 0, 0, MESSAGE_PING, 0, 1};

    expect_frame_error(false, plain, sizeof plain);
    expect_frame_error(true, plain, sizeof plain);
}
END_TEST

START_TEST(D38_frame_lengths_out_of_bounds_are_104)
{
    static const uint32_t lengths[] = {0,     1,          15,        65520,
                                       65536, 0x7fffffff, 0xffffffff};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        expect_frame_length_error(lengths[i]);
}
END_TEST

/* A good frame, then one that says a byte more than what is left. */
START_TEST(D39_a_frame_one_byte_longer_than_its_record_is_104)
{
    struct message_ping ping = {.time = 1};
    uint8_t plain[48];
    struct writer writer;
    uint8_t scope;

    node_fixture_channel(&fixture, &wire);
    writer_init(&writer, plain, sizeof plain);
    frame_write(&writer, MESSAGE_PING, 7, &ping);
    frame_gate_pinged(&wire.gate);
    frame_write(&writer, MESSAGE_PING, 8, &ping);
    ck_assert_uint_eq(writer.used, sizeof plain);
    store_u32(plain + sizeof plain / 2, sizeof plain / 2 + 1);
    wire_send_record(&wire, writer_slice(&writer));
    expect_pong(7);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_FRAME);
    ck_assert_int_eq(scope, SCOPE_CONNECTION);
    ck_assert(wire_closed(&wire));
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(frames_before_a_bad_one_in_a_record_count)
{
    struct message_ping ping = {.time = 1};
    uint8_t plain[64];
    struct writer writer;
    uint8_t scope;

    node_fixture_channel(&fixture, &wire);
    writer_init(&writer, plain, sizeof plain);
    frame_write(&writer, MESSAGE_PING, 7, &ping);
    frame_gate_pinged(&wire.gate);
    writer_zeros(&writer, 5);
    wire_send_record(&wire, writer_slice(&writer));
    expect_pong(7);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_FRAME);
    ck_assert(wire_closed(&wire));
}
END_TEST

START_TEST(a_record_may_come_byte_by_byte_and_many_at_once)
{
    uint8_t records[64 * 10];
    size_t size = 0;

    node_fixture_channel(&fixture, &wire);
    for (uint64_t i = 1; i <= 10; i++)
        size += ping_record(records + size, i);
    for (size_t i = 0; i < 90; i++)
        wire_send_raw(&wire, records + i, 1);
    wire_send_raw(&wire, records + 90, size - 90);
    for (uint64_t i = 1; i <= 10; i++)
        expect_pong(i);
}
END_TEST

/* More whole records than a pass takes, and nothing behind them. */
START_TEST(a_burst_is_answered_to_its_end_without_another_byte)
{
    struct wire_answer answer;
    static struct wire_command command;
    const int rounds = 60;

    node_fixture_login(&fixture, &wire, node_fixture_own(&fixture), ROLE_STAFF);
    /* A wrong environment: refused at once, so nothing is in flight. */
    for (int i = 0; i < rounds; i++) {
        struct slice body = wire_command_ping(&command, fixture.cluster_id,
                                              node_fixture_own(&fixture), "x");
        command.buffer[7] ^= 1;
        wire_send_command(&wire, body);
    }
    for (int i = 0; i < rounds; i++) {
        ck_assert(wire_answer(&wire, &answer));
        ck_assert_int_eq(answer.code, ST_WRONG_ENV);
    }
}
END_TEST

ROW_SUITE_MAIN("bad_records", &fixture, open_node, close_node,
               D26_a_record_below_the_least_length_ends_it_in_silence,
               D27_a_valid_record_of_1041_before_login_ends_it_in_silence,
               a_valid_record_of_1040_before_login_is_taken,
               D29_a_flipped_bit_in_a_record_ends_it_in_silence,
               D281_a_fin_inside_a_record_ends_it_in_silence,
               D281_a_fin_inside_a_long_record_ends_it_in_silence,
               D30_swapped_records_end_it_in_silence,
               D31_a_record_sent_twice_ends_it_in_silence_at_the_second,
               D32_a_dropped_record_ends_it_in_silence_at_the_next,
               D33_a_client_renews_its_key_at_record_65536,
               D34_record_65536_under_the_former_key_ends_it_in_silence,
               D36_a_record_that_ends_inside_a_frame_is_104,
               D37_fifteen_bytes_of_plaintext_are_104,
               D38_frame_lengths_out_of_bounds_are_104,
               D39_a_frame_one_byte_longer_than_its_record_is_104,
               frames_before_a_bad_one_in_a_record_count,
               a_record_may_come_byte_by_byte_and_many_at_once,
               a_burst_is_answered_to_its_end_without_another_byte)
