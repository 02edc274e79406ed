/* ctest-label: threads
 * ctest-timeout: 300
 * What comes before the channel is open: it ends without a word, but for the
 * reject of another major. */
#include <sodium.h>
#include <unistd.h>

#include "protocol/noise.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

/* A client by hand, to change what it says. */
struct hand {
    struct wire wire;
    struct noise noise;
    uint8_t bytes[1024];
    struct writer out;
};
static struct hand hand;

static const uint8_t good_preface[PREFACE_SIZE] = {'D', 'F', 'T', '1', 1};

static void hand_begin(const uint8_t *preface, const uint8_t *prologue)
{
    uint8_t secrets[2][KEY_SIZE];

    wire_connect(&hand.wire, fixture.port);
    randombytes_buf(secrets, sizeof secrets);
    noise_init(&hand.noise, NOISE_INITIATOR, slice_of(prologue, PREFACE_SIZE),
               secrets[0], secrets[1]);
    writer_init(&hand.out, hand.bytes, sizeof hand.bytes);
    writer_bytes(&hand.out, preface, PREFACE_SIZE);
}

/* Preface and message 1 go out, and message 2 comes in. */
static void hand_until_msg2(void)
{
    uint8_t payload[NODECERT_SIZE];
    struct writer read;

    hand_begin(good_preface, good_preface);
    writer_u16(&hand.out, HANDSHAKE_MSG1_SIZE);
    ck_assert_int_eq(noise_write(&hand.noise, &hand.out, slice_of(NULL, 0)),
                     ST_OK);
    wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
    while (hand.wire.input_size < 2 + HANDSHAKE_MSG2_SIZE)
        ck_assert_uint_gt(wire_read_more(&hand.wire), 0);
    writer_init(&read, payload, sizeof payload);
    ck_assert_int_eq(
        noise_read(&hand.noise, &read,
                   slice_of(hand.wire.input + 2, HANDSHAKE_MSG2_SIZE)),
        ST_OK);
    hand.wire.input_size = 0;
}

/* Message 3 with ${payload}, in hand.out behind its length. */
static void hand_msg3(struct slice payload)
{
    writer_init(&hand.out, hand.bytes, sizeof hand.bytes);
    writer_u16(&hand.out, 0);
    ck_assert_int_eq(noise_write(&hand.noise, &hand.out, payload), ST_OK);
    store_u16(hand.bytes, (uint16_t)(hand.out.used - 2));
}

static void expect_silence(const void *bytes, size_t size)
{
    wire_connect(&hand.wire, fixture.port);
    wire_send_raw(&hand.wire, bytes, size);
    ck_assert(wire_closed_silently(&hand.wire));
    wire_close(&hand.wire);
}

START_TEST(D7_a_browser_is_closed_without_a_word)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: defter\r\n\r\n";

    expect_silence(get, sizeof get - 1);
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D8_a_tls_client_hello_is_closed_without_a_word)
{
    static const uint8_t hello[] = {0x16, 0x03, 0x01, 0x00, 0xc8, 0x01,
                                    0x00, 0x00, 0xc4, 0x03, 0x03, 0x5a};

    expect_silence(hello, sizeof hello);
}
END_TEST

static void expect_reject(uint8_t major)
{
    static const uint8_t reject[PREFACE_SIZE] = {'D', 'F', 'T', '!', 1, 1};
    uint8_t preface[PREFACE_SIZE] = {'D', 'F', 'T', '1', major};

    wire_connect(&hand.wire, fixture.port);
    wire_send_raw(&hand.wire, preface, sizeof preface);
    while (hand.wire.input_size < PREFACE_SIZE)
        ck_assert_uint_gt(wire_read_more(&hand.wire), 0);
    ck_assert_mem_eq(hand.wire.input, reject, PREFACE_SIZE);
    hand.wire.input_size = 0;
    ck_assert(wire_closed_silently(&hand.wire));
    wire_close(&hand.wire);
}

START_TEST(D9_an_unknown_major_is_answered_by_eight_bytes_and_closed)
{
    expect_reject(2);
    expect_reject(255);
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D10_major_zero_is_answered_as_any_unknown_one)
{
    expect_reject(0);
}
END_TEST

START_TEST(D11_a_reserved_byte_in_the_preface_ends_it_in_silence)
{
    uint8_t preface[PREFACE_SIZE] = {'D', 'F', 'T', '1', 1, 0, 1, 0};

    expect_silence(preface, sizeof preface);
    preface[6] = 0;
    preface[7] = 0x80;
    expect_silence(preface, sizeof preface);
    preface[4] = 2; /* Reserved comes before the major. */
    expect_silence(preface, sizeof preface);
}
END_TEST

START_TEST(D12_seven_bytes_and_a_fin_end_it_in_silence)
{
    wire_connect(&hand.wire, fixture.port);
    wire_send_raw(&hand.wire, good_preface, PREFACE_SIZE - 1);
    wire_send_fin(&hand.wire);
    ck_assert(wire_closed_silently(&hand.wire));
}
END_TEST

START_TEST(D13_message_1_of_any_other_length_ends_it_in_silence)
{
    static const uint16_t lengths[] = {0, 1, 31, 33, 64, 280, 65535};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        hand_begin(good_preface, good_preface);
        writer_u16(&hand.out, lengths[i]);
        wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
        ck_assert(wire_closed_silently(&hand.wire));
        wire_close(&hand.wire);
    }
}
END_TEST

static void expect_silence_for_point(const uint8_t point[KEY_SIZE])
{
    hand_begin(good_preface, good_preface);
    writer_u16(&hand.out, HANDSHAKE_MSG1_SIZE);
    writer_bytes(&hand.out, point, KEY_SIZE);
    wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
    ck_assert(wire_closed_silently(&hand.wire));
    wire_close(&hand.wire);
}

START_TEST(D14_the_zero_point_in_message_1_ends_it_in_silence)
{
    uint8_t zero[KEY_SIZE] = {0};

    expect_silence_for_point(zero);
}
END_TEST

START_TEST(D15_points_of_small_order_in_message_1_end_it_in_silence)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };

    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        uint8_t point[KEY_SIZE];
        ck_assert_int_eq(sodium_hex2bin(point, sizeof point, points[i], 64,
                                        NULL, NULL, NULL),
                         0);
        expect_silence_for_point(point);
        point[31] |= 0x80;
        expect_silence_for_point(point);
    }
    node_fixture_serves(&fixture);
}
END_TEST

/* Bytes behind message 1 that cannot be known yet. */
static void expect_silence_behind_msg1(size_t more)
{
    hand_begin(good_preface, good_preface);
    writer_u16(&hand.out, HANDSHAKE_MSG1_SIZE);
    ck_assert_int_eq(noise_write(&hand.noise, &hand.out, slice_of(NULL, 0)),
                     ST_OK);
    writer_zeros(&hand.out, more);
    wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
    ck_assert(wire_closed_silently(&hand.wire));
    wire_close(&hand.wire);
}

START_TEST(D16_a_byte_behind_message_1_ends_it_in_silence)
{
    expect_silence_behind_msg1(1);
}
END_TEST

START_TEST(D17_a_guessed_message_3_with_frames_ends_it_in_silence)
{
    expect_silence_behind_msg1(66 + 50);
}
END_TEST

START_TEST(D18_a_message_3_that_is_too_short_ends_it_in_silence)
{
    static const uint16_t lengths[] = {0, 1, 48, 63};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        hand_until_msg2();
        hand_msg3(slice_of(NULL, 0));
        store_u16(hand.bytes, lengths[i]);
        wire_send_raw(&hand.wire, hand.bytes, 2U + lengths[i]);
        ck_assert(wire_closed_silently(&hand.wire));
        wire_close(&hand.wire);
    }
}
END_TEST

START_TEST(D19_a_flipped_bit_in_message_3_ends_it_in_silence)
{
    /* In s, in its tag, in the payload, in the payload's tag. */
    static const size_t places[] = {2, 33, 34, 49, 50, 57, 58, 73};
    static const uint8_t payload[8] = {3, 0, 4, 0, 1, 0, 0, 0};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        hand_until_msg2();
        hand_msg3(slice_of(payload, sizeof payload));
        ck_assert_uint_lt(places[i], hand.out.used);
        hand.bytes[places[i]] ^= 1;
        wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
        ck_assert(wire_closed_silently(&hand.wire));
        wire_close(&hand.wire);
    }
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D20_a_payload_of_257_bytes_in_message_3_ends_it_in_silence)
{
    uint8_t payload[HANDSHAKE_PAYLOAD_SIZE_MAX + 1] = {0};

    hand_until_msg2();
    hand_msg3(slice_of(payload, sizeof payload));
    wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
    ck_assert(wire_closed_silently(&hand.wire));
}
END_TEST

START_TEST(D21_message_3_of_another_session_ends_it_in_silence)
{
    uint8_t recorded[sizeof hand.bytes];
    size_t size;

    hand_until_msg2();
    hand_msg3(slice_of(NULL, 0));
    size = hand.out.used;
    memcpy(recorded, hand.bytes, size);
    wire_close(&hand.wire);
    hand_until_msg2();
    wire_send_raw(&hand.wire, recorded, size);
    ck_assert(wire_closed_silently(&hand.wire));
}
END_TEST

START_TEST(D22_a_preface_changed_on_its_way_spoils_message_2)
{
    uint8_t changed[PREFACE_SIZE] = {'D', 'F', 'T', '1', 1, 1};
    uint8_t payload[NODECERT_SIZE];
    struct writer read;

    hand_begin(changed, good_preface);
    writer_u16(&hand.out, HANDSHAKE_MSG1_SIZE);
    ck_assert_int_eq(noise_write(&hand.noise, &hand.out, slice_of(NULL, 0)),
                     ST_OK);
    wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
    while (hand.wire.input_size < 2 + HANDSHAKE_MSG2_SIZE)
        ck_assert_uint_gt(wire_read_more(&hand.wire), 0);
    writer_init(&read, payload, sizeof payload);
    ck_assert_int_ne(
        noise_read(&hand.noise, &read,
                   slice_of(hand.wire.input + 2, HANDSHAKE_MSG2_SIZE)),
        ST_OK);
}
END_TEST

/* Message 3 is genuine; the ERROR about its payload comes encrypted. */
static void expect_payload_error(struct slice payload, enum status status)
{
    uint8_t scope;

    hand_until_msg2();
    hand_msg3(payload);
    wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
    noise_split(&hand.noise, &hand.wire.channel.sender,
                &hand.wire.channel.receiver, hand.wire.channel.binding);
    ck_assert_int_eq(wire_error(&hand.wire, &scope), status);
    ck_assert_int_eq(scope, SCOPE_CONNECTION);
    ck_assert(wire_closed(&hand.wire));
    wire_close(&hand.wire);
}

START_TEST(D23_an_unknown_even_tlv_in_message_3_is_404_and_closes)
{
    static const uint8_t unknown[] = {8, 0, 1, 0, 7};
    static const uint8_t replica[] = {4, 0, 1, 0, 7};
    static const uint8_t zero[] = {0, 0, 0, 0};
    static const uint8_t order[] = {9, 0, 0, 0, 7, 0, 0, 0};
    static const uint8_t beyond[] = {9, 0, 5, 0, 1};

    expect_payload_error(slice_of(unknown, sizeof unknown), ST_UNKNOWN_FIELD);
    expect_payload_error(slice_of(replica, sizeof replica), ST_UNKNOWN_FIELD);
    expect_payload_error(slice_of(zero, sizeof zero), ST_UNKNOWN_FIELD);
    expect_payload_error(slice_of(order, sizeof order), ST_FIELD_ORDER);
    expect_payload_error(slice_of(beyond, sizeof beyond), ST_FRAME);
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D56_a_known_tag_of_another_length_in_message_3_is_402_and_closes)
{
    static const uint8_t shorter[] = {3, 0, 7, 0, 1, 0, 0, 0, 0, 0, 0};
    static const uint8_t longer[] = {3, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t empty[] = {3, 0, 0, 0};
    static const uint8_t control[] = {1, 0, 2, 0, 'x', 0x1b};
    uint8_t name[TLV_HEADER_SIZE + AGENT_SIZE_MAX + 1] = {1, 0,
                                                          AGENT_SIZE_MAX + 1};

    memset(name + TLV_HEADER_SIZE, 'x', AGENT_SIZE_MAX + 1);
    expect_payload_error(slice_of(shorter, sizeof shorter), ST_BAD_FIELD);
    expect_payload_error(slice_of(longer, sizeof longer), ST_BAD_FIELD);
    expect_payload_error(slice_of(empty, sizeof empty), ST_BAD_FIELD);
    expect_payload_error(slice_of(control, sizeof control), ST_BAD_FIELD);
    expect_payload_error(slice_of(name, sizeof name), ST_BAD_FIELD);
}
END_TEST

START_TEST(an_honest_handshake_by_hand_opens_the_channel)
{
    struct message_ping ping = {.time = 5};
    struct frame frame;

    hand_until_msg2();
    hand_msg3(slice_of(NULL, 0));
    wire_send_raw(&hand.wire, hand.bytes, hand.out.used);
    noise_split(&hand.noise, &hand.wire.channel.sender,
                &hand.wire.channel.receiver, hand.wire.channel.binding);
    wire_send(&hand.wire, MESSAGE_PING, &ping);
    ck_assert(wire_receive(&hand.wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_PONG);
}
END_TEST

ROW_SUITE_MAIN("bad_handshake", &fixture, open_node, close_node,
               an_honest_handshake_by_hand_opens_the_channel,
               D7_a_browser_is_closed_without_a_word,
               D8_a_tls_client_hello_is_closed_without_a_word,
               D9_an_unknown_major_is_answered_by_eight_bytes_and_closed,
               D10_major_zero_is_answered_as_any_unknown_one,
               D11_a_reserved_byte_in_the_preface_ends_it_in_silence,
               D12_seven_bytes_and_a_fin_end_it_in_silence,
               D13_message_1_of_any_other_length_ends_it_in_silence,
               D14_the_zero_point_in_message_1_ends_it_in_silence,
               D15_points_of_small_order_in_message_1_end_it_in_silence,
               D16_a_byte_behind_message_1_ends_it_in_silence,
               D17_a_guessed_message_3_with_frames_ends_it_in_silence,
               D18_a_message_3_that_is_too_short_ends_it_in_silence,
               D19_a_flipped_bit_in_message_3_ends_it_in_silence,
               D20_a_payload_of_257_bytes_in_message_3_ends_it_in_silence,
               D21_message_3_of_another_session_ends_it_in_silence,
               D22_a_preface_changed_on_its_way_spoils_message_2,
               D23_an_unknown_even_tlv_in_message_3_is_404_and_closes,
               D56_a_known_tag_of_another_length_in_message_3_is_402_and_closes)
