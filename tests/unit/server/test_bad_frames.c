/* ctest-label: threads
 * ctest-timeout: 300
 * Frames that no client should send: the code, whether the connection lives,
 * and that the node goes on. */
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

static const struct slice nothing = {NULL, 0};

static void send_type(enum node_expect_phase where, uint8_t type)
{
    node_expect_begin(&fixture, &wire, where);
    wire_send_frame(&wire, type, 0, 1, ++wire.request_id, nothing);
}

START_TEST(D40_unknown_types_are_106_and_close)
{
    static const uint8_t types[] = {0x00, 0x0a, 0x0e, 0x1b,
                                    0x17, 0x7e, 0x80, 0xff};

    for (size_t i = 0; i < sizeof types; i++) {
        send_type(i % 2 == 0 ? EXPECT_CHAN : EXPECT_OPEN, types[i]);
        node_expect_end(&wire, ST_TYPE);
    }
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(types_of_links_between_nodes_are_106_on_the_client_port)
{
    static const uint8_t types[] = {0x20, 0x2f, 0x30, 0x3f};

    for (size_t i = 0; i < sizeof types; i++) {
        send_type(EXPECT_OPEN, types[i]);
        node_expect_end(&wire, ST_TYPE);
    }
}
END_TEST

START_TEST(D41_types_that_only_a_server_sends_are_107_and_close)
{
    static const uint8_t types[] = {
        MESSAGE_PW_PARAMS, MESSAGE_AUTH_OK, MESSAGE_ADVICE, MESSAGE_ANSWER,
        MESSAGE_ROWS,      MESSAGE_EVENT,   MESSAGE_ERROR};

    for (size_t i = 0; i < sizeof types; i++) {
        send_type(i % 2 == 0 ? EXPECT_CHAN : EXPECT_OPEN, types[i]);
        node_expect_end(&wire, ST_STATE);
    }
}
END_TEST

START_TEST(D42_a_command_before_login_is_200_and_closes)
{
    send_type(EXPECT_CHAN, MESSAGE_COMMAND);
    node_expect_end(&wire, ST_NO_SESSION);
}
END_TEST

START_TEST(D42_other_requests_before_login_are_107_and_close)
{
    static const uint8_t types[] = {MESSAGE_QUERY, MESSAGE_CANCEL,
                                    MESSAGE_WATCH, MESSAGE_CREDIT};

    for (size_t i = 0; i < sizeof types; i++) {
        send_type(EXPECT_CHAN, types[i]);
        node_expect_end(&wire, ST_STATE);
    }
}
END_TEST

START_TEST(D43_login_frames_after_login_are_107_and_close)
{
    static const uint8_t types[] = {MESSAGE_AUTH_KEY, MESSAGE_PW_START,
                                    MESSAGE_PW_PROVE};

    for (size_t i = 0; i < sizeof types; i++) {
        send_type(EXPECT_OPEN, types[i]);
        node_expect_end(&wire, ST_STATE);
    }
}
END_TEST

START_TEST(D44_a_flag_set_by_a_client_is_108_and_closes)
{
    static const uint8_t flags[] = {1, 2, 0x80, 0xff};

    for (size_t i = 0; i < sizeof flags; i++) {
        node_expect_begin(&fixture, &wire,
                          i % 2 == 0 ? EXPECT_CHAN : EXPECT_OPEN);
        wire_send_frame(&wire, MESSAGE_PING, flags[i], 1, ++wire.request_id,
                        nothing);
        node_expect_end(&wire, ST_RESERVED);
    }
}
END_TEST

START_TEST(D45_another_body_version_is_401_before_login_and_closes)
{
    node_expect_begin(&fixture, &wire, EXPECT_CHAN);
    wire_send_frame(&wire, MESSAGE_PING, 0, 2, ++wire.request_id, nothing);
    node_expect_end(&wire, ST_OP_VERSION);
}
END_TEST

START_TEST(D45_another_body_version_is_401_after_login_and_refuses)
{
    static const uint16_t versions[] = {0, 2, 0xffff};

    for (size_t i = 0; i < 3; i++) {
        node_expect_begin(&fixture, &wire, EXPECT_OPEN);
        wire_send_frame(&wire, MESSAGE_PING, 0, versions[i], ++wire.request_id,
                        nothing);
        node_expect_refusal(&wire, ST_OP_VERSION);
    }
}
END_TEST

START_TEST(D46_request_numbers_that_do_not_grow_are_109_and_close)
{
    uint8_t body[8] = {0};
    static const uint64_t numbers[] = {0, 50, 49, 1};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        node_expect_begin(&fixture, &wire, EXPECT_OPEN);
        wire.request_id = 49;
        node_expect_ping(&wire, nothing);
        node_expect_pong(&wire);
        wire_send_frame(&wire, MESSAGE_PING, 0, 1, numbers[i],
                        slice_of(body, sizeof body));
        node_expect_end(&wire, ST_REQUEST_ID);
    }
    node_expect_begin(&fixture, &wire, EXPECT_CHAN);
    wire_send_frame(&wire, MESSAGE_PING, 0, 1, 0, slice_of(body, sizeof body));
    node_expect_end(&wire, ST_REQUEST_ID);
}
END_TEST

START_TEST(a_refused_frame_has_used_its_request_number)
{
    uint8_t body[8] = {0};
    uint8_t scope;

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send_frame(&wire, MESSAGE_PING, 0, 2, 90, slice_of(body, sizeof body));
    ck_assert_int_eq(wire_error(&wire, &scope), ST_OP_VERSION);
    wire_send_frame(&wire, MESSAGE_PING, 0, 1, 90, slice_of(body, sizeof body));
    node_expect_end(&wire, ST_REQUEST_ID);
}
END_TEST

/* Nine commands in one record: no answer can come in between. */
START_TEST(D47_one_more_in_flight_than_granted_is_113_and_closes)
{
    static uint8_t plain[RECORD_PLAINTEXT_SIZE_MAX];
    static struct wire_command command;
    struct writer writer;
    struct frame frame;
    int answers = 0;

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    writer_init(&writer, plain, sizeof plain);
    for (int i = 0; i < INFLIGHT_MAX_PERSON + 1; i++) {
        struct slice body = wire_command_ping(&command, fixture.cluster_id,
                                              node_fixture_own(&fixture), "x");
        size_t frame_at =
            frame_begin(&writer, MESSAGE_COMMAND, 0, ++wire.request_id);
        writer_bytes(&writer, body.data, body.size);
        frame_end(&writer, frame_at);
    }
    wire_send_record(&wire, writer_slice(&writer));
    while (wire_receive(&wire, &frame) && frame.type == MESSAGE_ANSWER)
        answers++;
    ck_assert_int_eq(frame.type, MESSAGE_ERROR);
    ck_assert_int_eq(load_u16(frame.body.data), ST_INFLIGHT);
    ck_assert_int_le(answers, INFLIGHT_MAX_PERSON);
    ck_assert(wire_closed(&wire));
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D48_pings_beyond_the_bucket_are_605_and_close)
{
    static uint8_t plain[RECORD_PLAINTEXT_SIZE_MAX];
    struct message_ping body = {.time = 1};
    struct writer writer;
    struct frame frame;
    int pongs = 0;

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    writer_init(&writer, plain, sizeof plain);
    for (int i = 0; i < 2000; i++) {
        frame_write(&writer, MESSAGE_PING, ++wire.request_id, &body);
        frame_gate_pinged(&wire.gate);
    }
    wire_send_record(&wire, writer_slice(&writer));
    while (wire_receive(&wire, &frame) && frame.type == MESSAGE_PONG)
        pongs++;
    ck_assert_int_ge(pongs, PING_BURST);
    ck_assert_int_lt(pongs, 2 * PING_BURST);
    ck_assert_int_eq(frame.type, MESSAGE_ERROR);
    ck_assert_int_eq(load_u16(frame.body.data), ST_LIMIT);
    ck_assert(wire_closed(&wire));
}
END_TEST

static void pad(size_t size, uint8_t last)
{
    uint8_t body[PAD_SIZE_MAX + 1] = {0};

    body[size - 1] = last;
    wire_send_frame(&wire, MESSAGE_PAD, 0, 1, 0, slice_of(body, size));
}

START_TEST(D49_a_pad_over_the_limit_is_105_and_closes)
{
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    pad(PAD_SIZE_MAX + 1, 0);
    node_expect_end(&wire, ST_TOO_LARGE);
}
END_TEST

START_TEST(D49_a_pad_that_is_not_zeros_is_108_and_closes)
{
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    pad(PAD_SIZE_MAX, 1);
    node_expect_end(&wire, ST_RESERVED);
    node_expect_begin(&fixture, &wire, EXPECT_CHAN);
    pad(16, 0x80);
    node_expect_end(&wire, ST_RESERVED);
}
END_TEST

START_TEST(a_pad_of_zeros_is_taken_and_not_answered)
{
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    pad(PAD_SIZE_MAX, 0);
    pad(1, 0);
    node_expect_ping(&wire, nothing);
    node_expect_pong(&wire);
}
END_TEST

START_TEST(D50_pads_beyond_the_bucket_are_605_and_close)
{
    static uint8_t plain[60 * (PAD_SIZE_MAX + FRAME_HEADER_SIZE)];
    struct writer writer;

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    writer_init(&writer, plain, sizeof plain);
    for (int i = 0; i < 60; i++)
        frame_write_pad(&writer, PAD_SIZE_MAX);
    for (int i = 0; i < 100; i++)
        wire_send_record(&wire, writer_slice(&writer));
    node_expect_end(&wire, ST_LIMIT);
}
END_TEST

/* Frames that get no answer cost a node as much as PADs do. */
static void flood(uint8_t type, const void *body)
{
    static uint8_t plain[RECORD_PLAINTEXT_SIZE_MAX];
    struct writer writer;

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    for (int records = 0; records < 100; records++) {
        writer_init(&writer, plain, sizeof plain);
        for (int i = 0; i < 2000; i++)
            frame_write(&writer, type, ++wire.request_id, body);
        wire_send_record(&wire, writer_slice(&writer));
    }
    node_expect_end(&wire, ST_LIMIT);
}

START_TEST(D277_cancels_and_credits_beyond_the_rate_of_pads_are_605_and_close)
{
    struct message_cancel cancel = {.target = 1};
    struct message_credit credit = {.watch = 1, .frames = 1};

    flood(MESSAGE_CANCEL, &cancel);
    flood(MESSAGE_CREDIT, &credit);
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(D52_frames_behind_a_bye_are_ignored)
{
    struct message_bye bye = {.code = BYE_DONE};

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send(&wire, MESSAGE_BYE, &bye);
    node_expect_ping(&wire, nothing);
    ck_assert(wire_closed_silently(&wire));
}
END_TEST

START_TEST(answers_in_flight_come_before_the_close_that_a_bye_asks_for)
{
    static struct wire_command command;
    static struct wire_answer answer;
    struct message_bye bye = {.code = BYE_DONE};

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send_command(&wire,
                      wire_command_ping(&command, fixture.cluster_id,
                                        node_fixture_own(&fixture), "last"));
    wire_send(&wire, MESSAGE_BYE, &bye);
    ck_assert(wire_answer(&wire, &answer));
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert(wire_closed(&wire));
}
END_TEST

START_TEST(D6_a_fin_after_the_handshake_ends_the_session)
{
    static struct wire_command command;
    static struct wire_answer answer;

    node_expect_begin(&fixture, &wire, EXPECT_CHAN);
    wire_send_fin(&wire);
    ck_assert(wire_closed_silently(&wire));
    wire_close(&wire);
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send_command(&wire,
                      wire_command_ping(&command, fixture.cluster_id,
                                        node_fixture_own(&fixture), "last"));
    wire_send_fin(&wire);
    ck_assert(wire_answer(&wire, &answer));
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert(wire_closed(&wire));
}
END_TEST

START_TEST(an_unasked_pong_is_107_and_closes)
{
    uint8_t body[16] = {0};

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send_frame(&wire, MESSAGE_PONG, 0, 1, 0, slice_of(body, sizeof body));
    node_expect_end(&wire, ST_STATE);
}
END_TEST

START_TEST(a_body_that_is_too_short_is_402)
{
    uint8_t body[7] = {0};

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send_frame(&wire, MESSAGE_PING, 0, 1, ++wire.request_id,
                    slice_of(body, sizeof body));
    node_expect_refusal(&wire, ST_BAD_FIELD);
    node_expect_begin(&fixture, &wire, EXPECT_CHAN);
    wire_send_frame(&wire, MESSAGE_PING, 0, 1, ++wire.request_id,
                    slice_of(body, sizeof body));
    node_expect_end(&wire, ST_BAD_FIELD);
}
END_TEST

START_TEST(a_command_without_header_and_signature_is_104_and_closes)
{
    uint8_t body[127] = {1};

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send_frame(&wire, MESSAGE_COMMAND, 0, 1, ++wire.request_id,
                    slice_of(body, sizeof body));
    node_expect_end(&wire, ST_FRAME);
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send_frame(&wire, MESSAGE_COMMAND, 0, 1, ++wire.request_id, nothing);
    node_expect_end(&wire, ST_FRAME);
}
END_TEST

START_TEST(an_unknown_query_is_400_and_refuses)
{
    struct message_query query = {.query = 999, .version = 1};

    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    wire_send(&wire, MESSAGE_QUERY, &query);
    node_expect_refusal(&wire, ST_UNKNOWN_OP);
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
    query = (struct message_query){.query = QUERY_STATUS, .version = 9};
    wire_send(&wire, MESSAGE_QUERY, &query);
    node_expect_refusal(&wire, ST_OP_VERSION);
}
END_TEST

START_TEST(a_source_of_many_bad_frames_is_not_accepted_any_more)
{
    for (int i = 0; i <= STRIKES_MAX; i++) {
        send_type(EXPECT_CHAN, 0xff);
        node_expect_end(&wire, ST_TYPE);
    }
    wire_connect(&wire, fixture.port);
    ck_assert(wire_closed_silently(&wire));
}
END_TEST

ROW_SUITE_MAIN(
    "bad_frames", &fixture, open_node, close_node,
    D40_unknown_types_are_106_and_close,
    types_of_links_between_nodes_are_106_on_the_client_port,
    D41_types_that_only_a_server_sends_are_107_and_close,
    D42_a_command_before_login_is_200_and_closes,
    D42_other_requests_before_login_are_107_and_close,
    D43_login_frames_after_login_are_107_and_close,
    D44_a_flag_set_by_a_client_is_108_and_closes,
    D45_another_body_version_is_401_before_login_and_closes,
    D45_another_body_version_is_401_after_login_and_refuses,
    D46_request_numbers_that_do_not_grow_are_109_and_close,
    a_refused_frame_has_used_its_request_number,
    D47_one_more_in_flight_than_granted_is_113_and_closes,
    D48_pings_beyond_the_bucket_are_605_and_close,
    D49_a_pad_over_the_limit_is_105_and_closes,
    D49_a_pad_that_is_not_zeros_is_108_and_closes,
    a_pad_of_zeros_is_taken_and_not_answered,
    D50_pads_beyond_the_bucket_are_605_and_close,
    D277_cancels_and_credits_beyond_the_rate_of_pads_are_605_and_close,
    D52_frames_behind_a_bye_are_ignored,
    answers_in_flight_come_before_the_close_that_a_bye_asks_for,
    D6_a_fin_after_the_handshake_ends_the_session,
    an_unasked_pong_is_107_and_closes, a_body_that_is_too_short_is_402,
    a_command_without_header_and_signature_is_104_and_closes,
    an_unknown_query_is_400_and_refuses,
    a_source_of_many_bad_frames_is_not_accepted_any_more)
