#include "protocol/schema.h"

#include <stddef.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

/*
 * AUTH_OK has every shape of TLV: a blob (2), bytes (4), a list (5), texts (7,
 * 9).  system.ping has a text and a list among its fixed fields.
 */
enum { AUTH_OK_FIXED_SIZE = 84, BODY_SIZE_MAX = 4096 };

static uint8_t body[BODY_SIZE_MAX];

static enum status decode_ping(struct op_system_ping *out,
                               struct field_error *error, const char *hex)
{
    size_t size = hex_decode(body, sizeof body, hex);

    return schema_decode(&schema_op_system_ping, out, error,
                         slice_of(body, size), SCHEMA_REFUSE_UNKNOWN);
}

/* An AUTH_OK whose tail is ${hex}. */
static enum status decode_tail(struct field_error *error, const char *hex,
                               enum schema_unknown unknown)
{
    static struct message_auth_ok out;
    size_t size = hex_decode(body + AUTH_OK_FIXED_SIZE,
                             sizeof body - AUTH_OK_FIXED_SIZE, hex);

    memset(body, 0, AUTH_OK_FIXED_SIZE);
    return schema_decode(&schema_message_auth_ok, &out, error,
                         slice_of(body, AUTH_OK_FIXED_SIZE + size), unknown);
}

START_TEST(fixed_fields_stand_in_the_order_of_their_table)
{
    struct op_system_ping ping;
    struct field_error error;
    struct list_reader reader;
    struct number number;

    ck_assert_int_eq(
        decode_ping(&ping, &error, "0300616263020001000000fffffffe"), ST_OK);
    ck_assert(slice_equal(ping.text, slice_of("abc", 3)));
    ck_assert_uint_eq(ping.numbers.count, 2);
    list_reader_init(&reader, &ping.numbers);
    ck_assert(list_reader_next(&reader, &schema_number, &number));
    ck_assert_uint_eq(number.value, 1);
    ck_assert(list_reader_next(&reader, &schema_number, &number));
    ck_assert_uint_eq(number.value, 0xfeffffff);
    ck_assert(!list_reader_next(&reader, &schema_number, &number));
}
END_TEST

START_TEST(a_missing_or_short_field_is_named_by_its_number)
{
    struct op_system_ping ping;
    struct field_error error;

    ck_assert_int_eq(decode_ping(&ping, &error, ""), ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 1);
    ck_assert_int_eq(decode_ping(&ping, &error, "03006162"), ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 1);
    ck_assert_int_eq(decode_ping(&ping, &error, "0300616263"), ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 2);
    ck_assert_int_eq(decode_ping(&ping, &error, "0000010001"), ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 2);
}
END_TEST

START_TEST(a_list_of_65535_elements_in_two_bytes_is_refused)
{
    struct op_system_ping ping;
    struct field_error error;

    ck_assert_int_eq(decode_ping(&ping, &error, "0000ffff0000"), ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 2);
    ck_assert_uint_eq(ping.numbers.count, 0);
    /* Within the limit of 16, but beyond the end. */
    ck_assert_int_eq(decode_ping(&ping, &error, "000010000000"), ST_BAD_FIELD);
}
END_TEST

START_TEST(a_text_over_its_limit_by_one_byte_is_refused)
{
    struct op_system_ping ping;
    struct field_error error;
    enum { TEXT_SIZE_MAX = 64 };

    memset(body, 'a', sizeof body);
    store_u16(body, TEXT_SIZE_MAX);
    memset(body + 2 + TEXT_SIZE_MAX, 0, 2);
    ck_assert_int_eq(schema_decode(&schema_op_system_ping, &ping, &error,
                                   slice_of(body, 2 + TEXT_SIZE_MAX + 2),
                                   SCHEMA_REFUSE_UNKNOWN),
                     ST_OK);
    memset(body + 2 + TEXT_SIZE_MAX, 'a', 1);
    store_u16(body, TEXT_SIZE_MAX + 1);
    memset(body + 2 + TEXT_SIZE_MAX + 1, 0, 2);
    ck_assert_int_eq(schema_decode(&schema_op_system_ping, &ping, &error,
                                   slice_of(body, 2 + TEXT_SIZE_MAX + 3),
                                   SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 1);
}
END_TEST

START_TEST(tlvs_come_in_rising_order_and_once)
{
    struct field_error error;

    ck_assert_int_eq(
        decode_tail(&error, "07000100610900010062", SCHEMA_REFUSE_UNKNOWN),
        ST_OK);
    ck_assert_int_eq(
        decode_tail(&error, "09000100620700010061", SCHEMA_REFUSE_UNKNOWN),
        ST_FIELD_ORDER);
    ck_assert_uint_eq(error.tag, 0x8007);
    ck_assert_int_eq(
        decode_tail(&error, "07000100610700010061", SCHEMA_SKIP_ODD),
        ST_FIELD_ORDER);
    ck_assert_uint_eq(error.tag, 0x8007);
}
END_TEST

START_TEST(an_unknown_tlv_is_skipped_in_frames_if_odd_and_never_in_items)
{
    struct field_error error;

    ck_assert_int_eq(decode_tail(&error, "0b000100ff", SCHEMA_SKIP_ODD), ST_OK);
    ck_assert_uint_eq(error.tag, 0);
    ck_assert_int_eq(decode_tail(&error, "0c000100ff", SCHEMA_SKIP_ODD),
                     ST_UNKNOWN_FIELD);
    ck_assert_uint_eq(error.tag, 0x800c);
    ck_assert_int_eq(decode_tail(&error, "0b000100ff", SCHEMA_REFUSE_UNKNOWN),
                     ST_UNKNOWN_FIELD);
    ck_assert_uint_eq(error.tag, 0x800b);
}
END_TEST

START_TEST(tag_zero_is_unknown_wherever_it_stands)
{
    struct field_error error;

    ck_assert_int_eq(decode_tail(&error, "00000000", SCHEMA_SKIP_ODD),
                     ST_UNKNOWN_FIELD);
    ck_assert_int_eq(decode_tail(&error, "00000000", SCHEMA_REFUSE_UNKNOWN),
                     ST_UNKNOWN_FIELD);
    ck_assert_int_eq(decode_tail(&error, "070001006100000000", SCHEMA_SKIP_ODD),
                     ST_UNKNOWN_FIELD);
}
END_TEST

START_TEST(a_tlv_beyond_the_end_breaks_a_frame_and_spoils_an_item)
{
    struct field_error error;

    ck_assert_int_eq(decode_tail(&error, "0700020061", SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 0x8007);
    ck_assert_int_eq(decode_tail(&error, "0700020061", SCHEMA_SKIP_ODD),
                     ST_FRAME);
    ck_assert_int_eq(decode_tail(&error, "0b00ffff", SCHEMA_SKIP_ODD),
                     ST_FRAME);
}
END_TEST

START_TEST(bytes_that_are_no_tlv_are_trailing_in_items_and_break_a_frame)
{
    static const char *const tails[] = {"07", "0700", "070001"};
    struct field_error error;

    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(decode_tail(&error, tails[i], SCHEMA_REFUSE_UNKNOWN),
                         ST_TRAILING);
        ck_assert_int_eq(decode_tail(&error, tails[i], SCHEMA_SKIP_ODD),
                         ST_FRAME);
        ck_assert_uint_eq(error.tag, 0);
    }
}
END_TEST

START_TEST(a_known_tlv_has_exactly_its_size)
{
    struct field_error error;
    const char *const exact = "0400100000112233445566778899aabbccddeeff";
    const char *const less = "04000f0000112233445566778899aabbccddee";
    const char *const more = "0400110000112233445566778899aabbccddeeff00";

    ck_assert_int_eq(decode_tail(&error, exact, SCHEMA_REFUSE_UNKNOWN), ST_OK);
    ck_assert_int_eq(decode_tail(&error, less, SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 0x8004);
    ck_assert_int_eq(decode_tail(&error, more, SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    /* A list in a TLV fills it as well. */
    ck_assert_int_eq(
        decode_tail(&error, "050008000100010001000100", SCHEMA_REFUSE_UNKNOWN),
        ST_OK);
    ck_assert_int_eq(decode_tail(&error, "05000900010001000100010000",
                                 SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
}
END_TEST

/* ${count} empty TLVs of the odd tags from 11 on, which nobody knows. */
static enum status decode_many(uint16_t count, enum schema_unknown unknown)
{
    static struct message_auth_ok out;
    struct field_error error;
    struct writer writer;

    writer_init(&writer, body, sizeof body);
    writer_zeros(&writer, AUTH_OK_FIXED_SIZE);
    for (uint16_t i = 0; i < count; i++) {
        writer_u16(&writer, (uint16_t)(11 + 2 * i));
        writer_u16(&writer, 0);
    }
    ck_assert_int_eq(writer.status, ST_OK);
    return schema_decode(&schema_message_auth_ok, &out, &error,
                         writer_slice(&writer), unknown);
}

START_TEST(a_body_holds_32_tlvs_and_8_before_login)
{
    ck_assert_int_eq(decode_many(32, SCHEMA_SKIP_ODD), ST_OK);
    ck_assert_int_eq(decode_many(33, SCHEMA_SKIP_ODD), ST_TOO_LARGE);
    ck_assert_int_eq(decode_many(8, SCHEMA_SKIP_ODD_BEFORE_LOGIN), ST_OK);
    ck_assert_int_eq(decode_many(9, SCHEMA_SKIP_ODD_BEFORE_LOGIN),
                     ST_TOO_LARGE);
}
END_TEST

START_TEST(a_truth_is_zero_or_one)
{
    struct op_feed_begin out;
    struct field_error error;
    size_t size = hex_decode(body, sizeof body,
                             "010061"
                             "01"
                             "01"
                             "0100");

    ck_assert_int_eq(schema_decode(&schema_op_feed_begin, &out, &error,
                                   slice_of(body, size), SCHEMA_REFUSE_UNKNOWN),
                     ST_OK);
    ck_assert(out.atomic);
    body[4] = 2;
    ck_assert_int_eq(schema_decode(&schema_op_feed_begin, &out, &error,
                                   slice_of(body, size), SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 3);
}
END_TEST

START_TEST(enums_masks_dates_and_times_keep_their_bounds)
{
    struct op_feed_begin begin;
    struct op_subject_open open;
    struct op_access_list list;
    struct field_error error;
    size_t size = hex_decode(body, sizeof body,
                             "010061"
                             "ff"
                             "00"
                             "0100");

    ck_assert_int_eq(schema_decode(&schema_op_feed_begin, &begin, &error,
                                   slice_of(body, size), SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 2);
    size = hex_decode(body, sizeof body,
                      "010061"
                      "01"
                      "00"
                      "0020");
    ck_assert_int_eq(schema_decode(&schema_op_feed_begin, &begin, &error,
                                   slice_of(body, size), SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 4);
    /* The last day of the year 9999. */
    size = hex_decode(body, sizeof body,
                      "01"
                      "a0c22c00");
    ck_assert_int_eq(schema_decode(&schema_op_subject_open, &open, &error,
                                   slice_of(body, size), SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 2);
    /* One microsecond before 1970. */
    size = hex_decode(body, sizeof body,
                      "ffffffffffffffff"
                      "0000000000000000"
                      "0000000000000000"
                      "01"
                      "0000");
    ck_assert_int_eq(schema_decode(&schema_op_access_list, &list, &error,
                                   slice_of(body, size), SCHEMA_REFUSE_UNKNOWN),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 1);
}
END_TEST

START_TEST(check_finds_what_a_receiver_would_refuse)
{
    struct op_system_ping ping = {.text = slice_of("a\n", 2)};
    struct message_auth_ok auth = {.has_primary = true};
    struct record_s08 record = {.main_code = slice_of("6201001", 7)};
    struct activity_code code = {slice_of("12x45", 5), 0};
    struct field_error error;
    struct writer writer;

    ck_assert_int_eq(schema_check(&schema_op_system_ping, &error, &ping),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 1);
    memset(body, 'h', ADDRESS_SIZE_MAX + 1);
    auth.primary = slice_of(body, ADDRESS_SIZE_MAX + 1);
    ck_assert_int_eq(schema_check(&schema_message_auth_ok, &error, &auth),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 0x8007);
    writer_init(&writer, body, sizeof body);
    record.codes = list_begin(&writer);
    list_add(&record.codes, &writer, &schema_activity_code, &code);
    ck_assert_int_eq(schema_check(&schema_record_s08, &error, &record),
                     ST_BAD_FIELD);
    ck_assert_uint_eq(error.tag, 2);
}
END_TEST

START_TEST(a_full_writer_keeps_its_failure)
{
    struct op_system_ping ping = {.text = slice_of("abcdef", 6)};
    struct writer writer;

    for (size_t room = 0; room < 10; room++) {
        writer_init(&writer, body, room);
        schema_encode(&schema_op_system_ping, &writer, &ping);
        ck_assert_int_eq(writer.status, ST_TOO_LARGE);
    }
    writer_init(&writer, body, 10);
    schema_encode(&schema_op_system_ping, &writer, &ping);
    ck_assert_int_eq(writer.status, ST_OK);
    hex_expect(body, 10, "06006162636465660000");
}
END_TEST

START_TEST(the_numbers_of_decoded_values_reach_their_members)
{
    struct message_bye bye;
    struct message_pong pong;
    struct field_error error;
    size_t size = hex_decode(body, sizeof body, "02000000");

    ck_assert_int_eq(schema_decode(&schema_message_bye, &bye, &error,
                                   slice_of(body, size), SCHEMA_SKIP_ODD),
                     ST_OK);
    ck_assert_uint_eq(bye.code, 2);
    size = hex_decode(body, sizeof body, "ffffffffffffffff0200000000000000");
    ck_assert_int_eq(schema_decode(&schema_message_pong, &pong, &error,
                                   slice_of(body, size), SCHEMA_SKIP_ODD),
                     ST_OK);
    ck_assert_int_eq(pong.echo, -1);
    ck_assert_int_eq(pong.time, 2);
}
END_TEST

SUITE_MAIN("schema", fixed_fields_stand_in_the_order_of_their_table,
           a_missing_or_short_field_is_named_by_its_number,
           a_list_of_65535_elements_in_two_bytes_is_refused,
           a_text_over_its_limit_by_one_byte_is_refused,
           tlvs_come_in_rising_order_and_once,
           an_unknown_tlv_is_skipped_in_frames_if_odd_and_never_in_items,
           tag_zero_is_unknown_wherever_it_stands,
           a_tlv_beyond_the_end_breaks_a_frame_and_spoils_an_item,
           bytes_that_are_no_tlv_are_trailing_in_items_and_break_a_frame,
           a_known_tlv_has_exactly_its_size,
           a_body_holds_32_tlvs_and_8_before_login, a_truth_is_zero_or_one,
           enums_masks_dates_and_times_keep_their_bounds,
           check_finds_what_a_receiver_would_refuse,
           a_full_writer_keeps_its_failure,
           the_numbers_of_decoded_values_reach_their_members)
