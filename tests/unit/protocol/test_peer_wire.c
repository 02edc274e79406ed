#include "tests/lib/suite.h"

#include <string.h>

#include "protocol/frame.h"
#include "protocol/hello.h"
#include "protocol/peer_wire.h"
#include "tests/lib/hex.h"

static uint8_t bytes[FRAME_SIZE_MAX + 64];

static struct slice written(uint8_t type, struct slice body)
{
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    peer_wire_write(&writer, type, body);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

START_TEST(a_frame_is_laid_out_as_clients_frames_are)
{
    uint8_t golden[32];
    size_t size = hex_decode(golden, sizeof golden,
                             "12000000"
                             "24"
                             "00"
                             "0100"
                             "0000000000000000"
                             "abcd");
    struct slice frame = written(PEER_BEACON, slice_of("\xab\xcd", 2));

    ck_assert_uint_eq(frame.size, size);
    ck_assert_mem_eq(frame.data, golden, size);
}
END_TEST

START_TEST(frames_come_out_one_by_one_as_they_went_in)
{
    struct writer writer;
    struct slice rest, body;
    uint8_t type;

    writer_init(&writer, bytes, sizeof bytes);
    peer_wire_write(&writer, PEER_HELLO, slice_of("abc", 3));
    peer_wire_write(&writer, PEER_KEYS, slice_of("", 0));
    rest = writer_slice(&writer);
    ck_assert_int_eq(peer_wire_next(&type, &body, &rest), ST_OK);
    ck_assert_uint_eq(type, PEER_HELLO);
    ck_assert(slice_equal(body, slice_of("abc", 3)));
    ck_assert_int_eq(peer_wire_next(&type, &body, &rest), ST_OK);
    ck_assert_uint_eq(type, PEER_KEYS);
    ck_assert_uint_eq(body.size, 0);
    ck_assert_int_eq(peer_wire_next(&type, &body, &rest), ST_END);
}
END_TEST

START_TEST(a_frame_that_is_cut_short_anywhere_is_refused)
{
    struct slice frame = written(PEER_HELLO, slice_of("abcdef", 6));

    for (size_t size = 1; size < frame.size; size++) {
        struct slice rest = {frame.data, size}, body;
        uint8_t type;

        ck_assert_int_eq(peer_wire_next(&type, &body, &rest), ST_FRAME);
    }
}
END_TEST

/* One byte of the header changed. */
static enum status changed(size_t offset, uint8_t value)
{
    struct slice rest = written(PEER_HELLO, slice_of("abcdef", 6)), body;
    uint8_t type;

    bytes[offset] = value;
    return peer_wire_next(&type, &body, &rest);
}

START_TEST(every_byte_of_the_header_is_judged)
{
    ck_assert_int_eq(changed(0, 15), ST_FRAME);
    ck_assert_int_eq(changed(0, 23), ST_FRAME);
    ck_assert_int_eq(changed(3, 0x80), ST_FRAME);
    ck_assert_int_eq(changed(4, MESSAGE_PING), ST_TYPE);
    ck_assert_int_eq(changed(4, 0x1f), ST_TYPE);
    ck_assert_int_eq(changed(4, 0x33), ST_TYPE);
    ck_assert_int_eq(changed(5, 1), ST_RESERVED);
    ck_assert_int_eq(changed(6, 0), ST_OP_VERSION);
    ck_assert_int_eq(changed(7, 1), ST_OP_VERSION);
    for (size_t i = 8; i < FRAME_HEADER_SIZE; i++)
        ck_assert_int_eq(changed(i, 1), ST_RESERVED);
}
END_TEST

START_TEST(the_largest_frame_fills_a_record)
{
    static uint8_t body[FRAME_BODY_SIZE_MAX];
    struct slice rest = written(PEER_APPEND, slice_of(body, sizeof body)), out;
    uint8_t type;

    ck_assert_uint_eq(rest.size, FRAME_SIZE_MAX);
    ck_assert_int_eq(peer_wire_next(&type, &out, &rest), ST_OK);
    ck_assert_uint_eq(out.size, sizeof body);
}
END_TEST

/* The payload of message 3 with a certificate of ${size} bytes. */
static struct slice payload(uint16_t size)
{
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    writer_u16(&writer, 4);
    writer_u16(&writer, size);
    writer_zeros(&writer, size);
    return writer_slice(&writer);
}

START_TEST(a_certificate_in_message_3_is_taken_between_nodes_alone)
{
    struct hello hello;

    ck_assert_int_eq(hello_decode_link(&hello, payload(NODECERT_SIZE)), ST_OK);
    ck_assert(hello.has_certificate);
    ck_assert_uint_eq(hello.certificate.size, NODECERT_SIZE);
    ck_assert_int_eq(hello_decode(&hello, payload(NODECERT_SIZE)),
                     ST_UNKNOWN_FIELD);
    ck_assert(!hello.has_certificate);
    ck_assert_int_eq(hello_decode_link(&hello, payload(NODECERT_SIZE - 1)),
                     ST_BAD_FIELD);
    ck_assert_int_eq(hello_decode_link(&hello, payload(NODECERT_SIZE + 1)),
                     ST_BAD_FIELD);
    ck_assert_int_eq(hello_decode_link(&hello, payload(0)), ST_BAD_FIELD);
}
END_TEST

START_TEST(a_hello_with_a_certificate_reads_as_it_was_written)
{
    uint8_t certificate[NODECERT_SIZE], out[HANDSHAKE_PAYLOAD_SIZE_MAX];
    static const char agent[] = "a name of sixty-four bytes at the most, "
                                "which is this one here..";
    struct hello hello = {.has_agent = true, .has_certificate = true}, read;
    struct writer writer;

    ck_assert_uint_eq(sizeof agent - 1, AGENT_SIZE_MAX);
    memset(certificate, 7, sizeof certificate);
    hello.agent = slice_of(agent, sizeof agent - 1);
    hello.certificate = slice_of(certificate, sizeof certificate);
    writer_init(&writer, out, sizeof out);
    hello_encode(&hello, &writer);
    ck_assert_int_eq(writer.status, ST_OK);
    ck_assert_int_eq(hello_decode_link(&read, writer_slice(&writer)), ST_OK);
    ck_assert(slice_equal(read.certificate, hello.certificate));
    ck_assert(slice_equal(read.agent, hello.agent));
}
END_TEST

SUITE_MAIN("peer_wire", a_frame_is_laid_out_as_clients_frames_are,
           frames_come_out_one_by_one_as_they_went_in,
           a_frame_that_is_cut_short_anywhere_is_refused,
           every_byte_of_the_header_is_judged, the_largest_frame_fills_a_record,
           a_certificate_in_message_3_is_taken_between_nodes_alone,
           a_hello_with_a_certificate_reads_as_it_was_written)
