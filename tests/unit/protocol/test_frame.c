#include "protocol/frame.h"

#include <string.h>

#include "protocol/error.h"
#include "tests/lib/hex.h"
#include "tests/lib/schema_sample.h"
#include "tests/lib/suite.h"

enum { BUFFER_SIZE = 200000 };

static uint8_t bytes[BUFFER_SIZE], texts[BUFFER_SIZE];

/* The gate of a server, before login or after it. */
static struct frame_gate server_gate(bool open)
{
    struct frame_gate gate;

    frame_gate_init(&gate, FRAME_CLIENT);
    if (open)
        frame_gate_open(&gate);
    return gate;
}

static struct frame_gate client_gate(bool open)
{
    struct frame_gate gate;

    frame_gate_init(&gate, FRAME_SERVER);
    if (open)
        frame_gate_open(&gate);
    return gate;
}

/* A frame of ${type} with ${size} zero bytes behind its header. */
static struct slice frame_bytes(uint8_t type, uint64_t request_id, size_t size)
{
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    writer_u32(&writer, (uint32_t)(FRAME_HEADER_SIZE + size));
    writer_u8(&writer, type);
    writer_u8(&writer, 0);
    writer_u16(&writer, FRAME_VERSION);
    writer_u64(&writer, request_id);
    writer_zeros(&writer, size);
    return writer_slice(&writer);
}

static enum status take(struct frame_gate *gate, uint8_t type,
                        uint64_t request_id, size_t size)
{
    struct slice rest = frame_bytes(type, request_id, size);
    struct frame frame;

    return frame_next(gate, &frame, &rest);
}

START_TEST(a_ping_is_laid_out_as_documented)
{
    struct message_ping ping = {.time = 0x0102030405060708};
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    frame_write(&writer, MESSAGE_PING, 7, &ping);
    hex_expect(bytes, writer.used,
               "18000000"
               "06"
               "00"
               "0100"
               "0700000000000000"
               "0807060504030201");
}
END_TEST

START_TEST(frames_of_a_record_are_taken_one_by_one)
{
    struct frame_gate gate = server_gate(true);
    struct message_ping ping = {.time = 5};
    struct message_bye bye = {.code = 0};
    struct writer writer;
    struct slice rest;
    struct frame frame;
    union frame_body body;
    struct field_error error;

    writer_init(&writer, bytes, sizeof bytes);
    frame_write(&writer, MESSAGE_PING, 3, &ping);
    frame_write_pad(&writer, 10);
    frame_write(&writer, MESSAGE_BYE, 4, &bye);
    rest = writer_slice(&writer);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OK);
    ck_assert_uint_eq(frame.type, MESSAGE_PING);
    ck_assert_uint_eq(frame.request_id, 3);
    ck_assert_int_eq(frame_decode(&gate, &body, &error, &frame), ST_OK);
    ck_assert_int_eq(body.ping.time, 5);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OK);
    ck_assert_uint_eq(frame.type, MESSAGE_PAD);
    ck_assert_int_eq(frame_decode(&gate, &body, &error, &frame), ST_OK);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OK);
    ck_assert_uint_eq(frame.type, MESSAGE_BYE);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_END);
}
END_TEST

START_TEST(a_length_outside_the_limits_or_the_record_is_refused)
{
    static const uint32_t sizes[] = {0, 15, 25, FRAME_SIZE_MAX + 1, UINT32_MAX};
    struct frame_gate gate = server_gate(true);
    struct frame frame;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct slice rest = frame_bytes(MESSAGE_PING, 1, 8);
        store_u32(bytes, sizes[i]);
        ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_FRAME);
        ck_assert_uint_eq(frame.request_id, 1);
        ck_assert_uint_eq(rest.size, 24);
    }
    for (size_t size = 1; size < FRAME_HEADER_SIZE; size++) {
        struct slice rest = frame_bytes(MESSAGE_PING, 1, 8);
        rest.size = size;
        ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_FRAME);
        ck_assert_uint_eq(frame.request_id, 0);
    }
    ck_assert_int_eq(take(&gate, MESSAGE_COMMAND, 2, FRAME_BODY_SIZE_MAX),
                     ST_OK);
}
END_TEST

START_TEST(before_login_a_client_sends_small_frames_and_a_server_any)
{
    struct frame_gate gate = server_gate(false);
    size_t most = FRAME_SIZE_MAX_BEFORE_LOGIN - FRAME_HEADER_SIZE;

    ck_assert_int_eq(take(&gate, MESSAGE_PAD, 0, most), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PAD, 0, most + 1), ST_FRAME);
    gate = client_gate(false);
    ck_assert_int_eq(take(&gate, MESSAGE_AUTH_OK, 1, 5000), ST_OK);
}
END_TEST

START_TEST(unknown_types_are_refused_those_of_replicas_too)
{
    static const uint8_t types[] = {0x00, 0x0a, 0x0e, 0x17, 0x1b, 0x1f,
                                    0x20, 0x3f, 0x40, 0x80, 0xff};
    struct frame_gate gate = server_gate(true);

    for (size_t i = 0; i < sizeof types; i++)
        ck_assert_int_eq(take(&gate, types[i], 1, 8), ST_TYPE);
}
END_TEST

START_TEST(each_side_sends_its_own_types_only)
{
    uint32_t count;
    const struct message_info *rows = message_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        bool open = rows[i].when != WHEN_CHAN;
        struct frame_gate server = server_gate(open);
        struct frame_gate client = client_gate(open);

        frame_gate_pinged(&server);
        frame_gate_pinged(&client);
        if (rows[i].route == ROUTE_C)
            ck_assert_int_eq(take(&client, rows[i].number, 1, 8), ST_STATE);
        if (rows[i].route == ROUTE_S)
            ck_assert_int_eq(take(&server, rows[i].number, 1, 8), ST_STATE);
    }
}
END_TEST

START_TEST(only_a_servers_answer_may_say_that_more_follows)
{
    struct frame_gate server = server_gate(true), client = client_gate(true);
    struct frame frame;

    for (unsigned bit = 0; bit < 8; bit++) {
        struct slice rest = frame_bytes(MESSAGE_PING, 1, 8);
        bytes[5] = (uint8_t)(1u << bit);
        ck_assert_int_eq(frame_next(&server, &frame, &rest), ST_RESERVED);
        rest = frame_bytes(MESSAGE_ANSWER, 1, 8);
        bytes[5] = (uint8_t)(1u << bit);
        ck_assert_int_eq(frame_next(&client, &frame, &rest),
                         bit == 0 ? ST_OK : ST_RESERVED);
    }
}
END_TEST

START_TEST(before_login_nothing_but_the_login_is_heard)
{
    struct frame_gate gate = server_gate(false);

    ck_assert_int_eq(take(&gate, MESSAGE_COMMAND, 1, 200), ST_NO_SESSION);
    ck_assert_int_eq(take(&gate, MESSAGE_QUERY, 1, 8), ST_STATE);
    ck_assert_int_eq(take(&gate, MESSAGE_WATCH, 1, 8), ST_STATE);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 1, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_AUTH_KEY, 2, 104), ST_OK);
}
END_TEST

START_TEST(a_second_login_waits_for_the_answer_to_the_first)
{
    struct frame_gate gate = server_gate(false);

    ck_assert_int_eq(take(&gate, MESSAGE_AUTH_KEY, 1, 104), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_AUTH_KEY, 2, 104), ST_STATE);
    ck_assert_int_eq(take(&gate, MESSAGE_PW_START, 2, 8), ST_STATE);
    ck_assert_int_eq(take(&gate, MESSAGE_COMMAND, 2, 200), ST_NO_SESSION);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 2, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PAD, 0, 8), ST_OK);
    frame_gate_refused(&gate);
    ck_assert_int_eq(take(&gate, MESSAGE_AUTH_KEY, 3, 104), ST_OK);
    frame_gate_open(&gate);
    ck_assert_int_eq(take(&gate, MESSAGE_AUTH_KEY, 4, 104), ST_STATE);
    ck_assert_int_eq(take(&gate, MESSAGE_COMMAND, 4, 200), ST_OK);
}
END_TEST

START_TEST(a_password_is_proved_once_after_each_start)
{
    struct frame_gate gate = server_gate(false);

    ck_assert_int_eq(take(&gate, MESSAGE_PW_PROVE, 1, 72), ST_STATE);
    ck_assert_int_eq(take(&gate, MESSAGE_PW_START, 1, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PW_PROVE, 2, 72), ST_STATE);
    frame_gate_params(&gate);
    ck_assert_int_eq(take(&gate, MESSAGE_PW_PROVE, 2, 72), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PW_PROVE, 3, 72), ST_STATE);
    frame_gate_refused(&gate);
    ck_assert_int_eq(take(&gate, MESSAGE_PW_PROVE, 3, 72), ST_STATE);
    ck_assert_int_eq(take(&gate, MESSAGE_PW_START, 3, 8), ST_OK);
}
END_TEST

START_TEST(an_unasked_pong_is_refused)
{
    struct frame_gate gate = server_gate(true);

    ck_assert_int_eq(take(&gate, MESSAGE_PONG, 0, 16), ST_STATE);
    frame_gate_pinged(&gate);
    ck_assert_int_eq(take(&gate, MESSAGE_PONG, 1, 16), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_PONG, 0, 16), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PONG, 0, 16), ST_STATE);
}
END_TEST

START_TEST(request_numbers_rise_and_are_never_zero)
{
    struct frame_gate gate = server_gate(true);

    ck_assert_int_eq(take(&gate, MESSAGE_PING, 0, 8), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 5, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 5, 8), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 4, 8), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_PAD, 6, 8), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 6, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, UINT64_MAX, 8), ST_OK);
}
END_TEST

START_TEST(a_server_numbers_answers_and_nothing_else)
{
    struct frame_gate gate = client_gate(true);

    ck_assert_int_eq(take(&gate, MESSAGE_ANSWER, 0, 8), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_ANSWER, 9, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_ANSWER, 2, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 3, 8), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 0, 8), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_ERROR, 0, 16), ST_OK);
    ck_assert_int_eq(take(&gate, MESSAGE_ERROR, 2, 16), ST_OK);
}
END_TEST

START_TEST(another_version_uses_the_number_and_lets_the_next_frame_pass)
{
    struct frame_gate gate = server_gate(true);
    struct slice rest = frame_bytes(MESSAGE_PING, 1, 8);
    struct frame frame;

    store_u16(bytes + 6, 2);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OP_VERSION);
    ck_assert_uint_eq(rest.size, 0);
    ck_assert_uint_eq(frame.request_id, 1);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 1, 8), ST_REQUEST_ID);
    ck_assert_int_eq(take(&gate, MESSAGE_PING, 2, 8), ST_OK);
}
END_TEST

/* Each frame is wrong in everything from its check on: the first one decides.
 */
START_TEST(checks_come_in_the_documented_order)
{
    struct frame_gate gate = server_gate(true);
    struct slice rest = frame_bytes(0x17, 0, 8);
    struct frame frame;

    bytes[5] = 2;
    store_u16(bytes + 6, 9);
    store_u32(bytes, 15);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_FRAME);
    store_u32(bytes, 24);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_TYPE);
    bytes[4] = MESSAGE_AUTH_OK;
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_STATE);
    bytes[4] = MESSAGE_AUTH_KEY;
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_RESERVED);
    bytes[5] = 0;
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_STATE);
    bytes[4] = MESSAGE_PING;
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_REQUEST_ID);
    store_u64(bytes + 8, 1);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OP_VERSION);
}
END_TEST

static enum status decode(uint8_t type, enum frame_sender sender, size_t at,
                          uint8_t value, size_t size)
{
    struct frame_gate gate;
    struct frame frame = {.type = type, .version = FRAME_VERSION};
    union frame_body body;
    struct field_error error;
    enum status status;

    frame_gate_init(&gate, sender);
    frame_gate_open(&gate);
    memset(bytes, 0, size);
    bytes[at] = value;
    frame.body = slice_of(bytes, size);
    status = frame_decode(&gate, &body, &error, &frame);
    ck_assert_int_eq(error.status, status);
    return status;
}

START_TEST(reserved_fields_of_every_body_must_be_zero)
{
    static const size_t auth_key[] = {18, 19, 20, 23, 24, 39};

    ck_assert_int_eq(decode(MESSAGE_AUTH_KEY, FRAME_CLIENT, 0, 1, 104), ST_OK);
    for (size_t i = 0; i < sizeof auth_key / sizeof auth_key[0]; i++)
        ck_assert_int_eq(
            decode(MESSAGE_AUTH_KEY, FRAME_CLIENT, auth_key[i], 1, 104),
            ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_PW_PROVE, FRAME_CLIENT, 2, 1, 72),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_PW_PROVE, FRAME_CLIENT, 4, 1, 72),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_PW_PARAMS, FRAME_SERVER, 2, 1, 28),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_AUTH_OK, FRAME_SERVER, 59, 1, 84),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_BYE, FRAME_CLIENT, 3, 1, 4), ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_ANSWER, FRAME_SERVER, 2, 8, 8),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_ANSWER, FRAME_SERVER, 3, 1, 8),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_ERROR, FRAME_SERVER, 2, 2, 14),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_ERROR, FRAME_SERVER, 3, 4, 14),
                     ST_RESERVED);
}
END_TEST

START_TEST(bodies_that_end_early_or_late_are_refused)
{
    ck_assert_int_eq(decode(MESSAGE_AUTH_KEY, FRAME_CLIENT, 0, 1, 103),
                     ST_BAD_FIELD);
    ck_assert_int_eq(decode(MESSAGE_AUTH_KEY, FRAME_CLIENT, 0, 1, 105),
                     ST_FRAME);
    ck_assert_int_eq(decode(MESSAGE_PING, FRAME_CLIENT, 0, 1, 11), ST_FRAME);
    /* An odd TLV of two bytes that nobody knows. */
    ck_assert_int_eq(decode(MESSAGE_PING, FRAME_CLIENT, 8, 1, 12), ST_OK);
    ck_assert_int_eq(decode(MESSAGE_PING, FRAME_CLIENT, 8, 2, 12),
                     ST_UNKNOWN_FIELD);
    /* What follows the fixed part of an ANSWER is no TLV. */
    ck_assert_int_eq(decode(MESSAGE_ANSWER, FRAME_SERVER, 4, 3, 11), ST_OK);
}
END_TEST

START_TEST(padding_is_zero_and_at_most_1024_bytes)
{
    ck_assert_int_eq(decode(MESSAGE_PAD, FRAME_CLIENT, 0, 0, 1024), ST_OK);
    ck_assert_int_eq(decode(MESSAGE_PAD, FRAME_CLIENT, 0, 0, 1025),
                     ST_TOO_LARGE);
    ck_assert_int_eq(decode(MESSAGE_PAD, FRAME_CLIENT, 1023, 1, 1024),
                     ST_RESERVED);
    ck_assert_int_eq(decode(MESSAGE_PAD, FRAME_CLIENT, 0, 0, 0), ST_OK);
}
END_TEST

START_TEST(user_names_keep_to_their_letters)
{
    static const char *const bad[] = {
        "Abc", "a b", "a'b", "ab", "a%00", "abcdefghijklmnopqrstuvwxyz0123456"};
    struct frame_gate gate = server_gate(false);
    struct frame frame = {.type = MESSAGE_PW_START, .version = FRAME_VERSION};
    union frame_body body;
    struct field_error error;
    struct writer writer;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        writer_init(&writer, bytes, sizeof bytes);
        writer_blob(&writer, slice_of(bad[i], strlen(bad[i])));
        writer_u16(&writer, ROLE_USER);
        frame.body = writer_slice(&writer);
        ck_assert_int_eq(frame_decode(&gate, &body, &error, &frame),
                         ST_BAD_FIELD);
        ck_assert_uint_eq(error.tag, 1);
    }
}
END_TEST

START_TEST(errors_end_the_connection_before_login_and_where_no_request_is)
{
    struct frame_gate chan = server_gate(false), open = server_gate(true);
    struct frame asked = {.request_id = 5}, unasked = {0};

    ck_assert_int_eq(frame_scope(&chan, ST_BAD_FIELD, &asked),
                     SCOPE_CONNECTION);
    ck_assert_int_eq(frame_scope(&chan, ST_NO_SESSION, &asked),
                     SCOPE_CONNECTION);
    ck_assert_int_eq(frame_scope(&chan, ST_AUTH, &asked), SCOPE_REQUEST);
    ck_assert_int_eq(frame_scope(&chan, ST_THROTTLED, &asked), SCOPE_REQUEST);
    ck_assert_int_eq(frame_scope(&open, ST_BAD_FIELD, &asked), SCOPE_REQUEST);
    ck_assert_int_eq(frame_scope(&open, ST_OP_VERSION, &asked), SCOPE_REQUEST);
    ck_assert_int_eq(frame_scope(&open, ST_FRAME, &asked), SCOPE_CONNECTION);
    ck_assert_int_eq(frame_scope(&open, ST_TOO_LARGE, &unasked),
                     SCOPE_CONNECTION);
}
END_TEST

/* Every body, as its schema samples it, passes the gate and comes back. */
START_TEST(every_frame_written_is_read_back)
{
    uint32_t count;
    const struct message_info *rows = message_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        struct frame_gate gate;
        union frame_body in, out;
        struct field_error error;
        struct frame frame;
        struct slice rest;
        struct writer memory, writer;

        if (rows[i].schema->fields_count == 0)
            continue;
        frame_gate_init(&gate,
                        rows[i].route == ROUTE_S ? FRAME_SERVER : FRAME_CLIENT);
        if (rows[i].when != WHEN_CHAN)
            frame_gate_open(&gate);
        gate.prove_allowed = rows[i].number == MESSAGE_PW_PROVE;
        frame_gate_pinged(&gate);
        writer_init(&memory, texts, sizeof texts);
        schema_sample_fill(rows[i].schema, &in, &memory, SAMPLE_LEAST);
        writer_init(&writer, bytes, sizeof bytes);
        frame_write(&writer, rows[i].number,
                    rows[i].number == MESSAGE_PONG ||
                            rows[i].number == MESSAGE_ADVICE
                        ? 0
                        : 1,
                    &in);
        rest = writer_slice(&writer);
        ck_assert_msg(frame_next(&gate, &frame, &rest) == ST_OK, "%s",
                      rows[i].name);
        ck_assert_msg(frame_decode(&gate, &out, &error, &frame) == ST_OK, "%s",
                      rows[i].name);
    }
}
END_TEST

static void read_error(struct message_error *out, struct slice rest)
{
    struct frame_gate gate = client_gate(true);
    struct frame frame;
    union frame_body body;
    struct field_error error;

    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OK);
    ck_assert_int_eq(frame_decode(&gate, &body, &error, &frame), ST_OK);
    ck_assert_uint_eq(frame.type, MESSAGE_ERROR);
    *out = body.error;
}

START_TEST(every_status_of_the_wire_makes_an_error_frame)
{
    uint32_t count;
    const struct status_info *rows = status_list(&count);

    for (uint32_t i = 1; i < count; i++) {
        struct error_report report = error_about(rows[i].status);
        struct message_error message;
        struct writer writer;

        if (!status_is_wire((uint32_t)rows[i].status))
            continue;
        writer_init(&writer, bytes, sizeof bytes);
        error_write(&writer, 8, &report);
        read_error(&message, writer_slice(&writer));
        ck_assert_uint_eq(message.code, (uint32_t)rows[i].status);
        ck_assert_uint_eq(message.scope, rows[i].scope);
        ck_assert_uint_eq(message.item_index, ERROR_NO_ITEM);
        ck_assert(!message.has_version_range);
        ck_assert_uint_gt(message.text.size, 0);
    }
}
END_TEST

START_TEST(an_error_says_whether_the_same_bytes_may_come_again)
{
    struct error_report report = error_about(ST_UNKNOWN_OUTCOME);
    struct message_error message;
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    error_write(&writer, 8, &report);
    read_error(&message, writer_slice(&writer));
    ck_assert_uint_eq(message.flags, ERROR_RETRY_SAME | ERROR_OUTCOME_UNKNOWN);
    report = error_about(ST_OP_VERSION);
    report.item_index = 3;
    report.tag = 0x8002;
    report.version_min = 2;
    report.version_max = 4;
    writer_init(&writer, bytes, sizeof bytes);
    error_write(&writer, 8, &report);
    read_error(&message, writer_slice(&writer));
    ck_assert_uint_eq(message.flags, 0);
    ck_assert_uint_eq(message.item_index, 3);
    ck_assert_uint_eq(message.tag, 0x8002);
    ck_assert(message.has_version_range);
    hex_expect(message.version_range.data, message.version_range.size,
               "02000400");
}
END_TEST

SUITE_MAIN("frame", a_ping_is_laid_out_as_documented,
           frames_of_a_record_are_taken_one_by_one,
           a_length_outside_the_limits_or_the_record_is_refused,
           before_login_a_client_sends_small_frames_and_a_server_any,
           unknown_types_are_refused_those_of_replicas_too,
           each_side_sends_its_own_types_only,
           only_a_servers_answer_may_say_that_more_follows,
           before_login_nothing_but_the_login_is_heard,
           a_second_login_waits_for_the_answer_to_the_first,
           a_password_is_proved_once_after_each_start,
           an_unasked_pong_is_refused, request_numbers_rise_and_are_never_zero,
           a_server_numbers_answers_and_nothing_else,
           another_version_uses_the_number_and_lets_the_next_frame_pass,
           checks_come_in_the_documented_order,
           reserved_fields_of_every_body_must_be_zero,
           bodies_that_end_early_or_late_are_refused,
           padding_is_zero_and_at_most_1024_bytes,
           user_names_keep_to_their_letters,
           errors_end_the_connection_before_login_and_where_no_request_is,
           every_frame_written_is_read_back,
           every_status_of_the_wire_makes_an_error_frame,
           an_error_says_whether_the_same_bytes_may_come_again)
