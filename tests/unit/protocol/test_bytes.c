#include "protocol/bytes.h"

#include <string.h>

#include "tests/lib/suite.h"

static const uint8_t sample[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};

START_TEST(reader_takes_integers_least_significant_byte_first)
{
    struct reader reader;

    reader_init(&reader, slice_of(sample, sizeof sample));
    ck_assert_uint_eq(reader_u8(&reader), 0x01);
    ck_assert_uint_eq(reader_u16(&reader), 0x0302);
    ck_assert_uint_eq(reader_u32(&reader), 0x07060504);
    ck_assert_uint_eq(reader_u64(&reader), 0x0f0e0d0c0b0a0908);
    ck_assert_uint_eq(reader_left(&reader), 0);
    ck_assert_int_eq(reader_end(&reader), ST_OK);
}
END_TEST

START_TEST(reader_gives_zeros_from_its_first_failure_on)
{
    struct reader reader;
    uint8_t copy[4] = {1, 1, 1, 1};

    reader_init(&reader, slice_of(sample, 3));
    ck_assert_uint_eq(reader_u32(&reader), 0);
    ck_assert_uint_eq(reader_left(&reader), 0);
    ck_assert_uint_eq(reader_u8(&reader), 0);
    ck_assert_uint_eq(reader_bytes(&reader, 0).size, 0);
    reader_copy(&reader, copy, sizeof copy);
    ck_assert_mem_eq(copy, "\0\0\0\0", 4);
    reader_fail(&reader, ST_UNKNOWN_FIELD);
    ck_assert_int_eq(reader_end(&reader), ST_BAD_FIELD);
}
END_TEST

START_TEST(reader_refuses_a_blob_that_is_longer_than_what_is_left)
{
    static const uint8_t whole[] = {3, 0, 'a', 'b', 'c'};
    struct reader reader;

    for (size_t size = 0; size < sizeof whole; size++) {
        reader_init(&reader, slice_of(whole, size));
        ck_assert_uint_eq(reader_blob(&reader).size, 0);
        ck_assert_int_eq(reader_end(&reader), ST_BAD_FIELD);
    }
    reader_init(&reader, slice_of(whole, sizeof whole));
    ck_assert(slice_equal(reader_blob(&reader), slice_of("abc", 3)));
    ck_assert_int_eq(reader_end(&reader), ST_OK);
}
END_TEST

START_TEST(reader_refuses_the_largest_size_without_overflowing)
{
    struct reader reader;

    reader_init(&reader, slice_of(sample, sizeof sample));
    ck_assert_uint_eq(reader_u8(&reader), 0x01);
    ck_assert_ptr_null(reader_bytes(&reader, SIZE_MAX).data);
    ck_assert_int_eq(reader_end(&reader), ST_BAD_FIELD);
}
END_TEST

START_TEST(reader_end_refuses_bytes_that_nobody_read)
{
    struct reader reader;

    reader_init(&reader, slice_of(sample, 2));
    ck_assert_uint_eq(reader_u8(&reader), 0x01);
    ck_assert_int_eq(reader_end(&reader), ST_TRAILING);
}
END_TEST

START_TEST(negative_integers_come_back_as_they_were_written)
{
    uint8_t bytes[12];
    struct writer writer;
    struct reader reader;

    writer_init(&writer, bytes, sizeof bytes);
    writer_i32(&writer, -2);
    writer_i64(&writer, INT64_MIN);
    ck_assert_int_eq(writer.status, ST_OK);
    reader_init(&reader, writer_slice(&writer));
    ck_assert_int_eq(reader_i32(&reader), -2);
    ck_assert_int_eq(reader_i64(&reader), INT64_MIN);
    ck_assert_int_eq(reader_end(&reader), ST_OK);
}
END_TEST

START_TEST(writer_writes_nothing_once_its_room_is_exceeded)
{
    uint8_t bytes[8];
    struct writer writer;

    memset(bytes, 0xee, sizeof bytes);
    writer_init(&writer, bytes, 5);
    writer_u32(&writer, 0x04030201);
    writer_u16(&writer, 0x0605);
    writer_u8(&writer, 0x07);
    ck_assert_int_eq(writer.status, ST_TOO_LARGE);
    ck_assert_uint_eq(writer_slice(&writer).size, 4);
    ck_assert_ptr_null(writer_reserve(&writer, 1));
    ck_assert_mem_eq(bytes, "\x01\x02\x03\x04\xee\xee\xee\xee", 8);
}
END_TEST

START_TEST(writer_refuses_a_blob_whose_length_needs_more_than_two_bytes)
{
    static uint8_t value[65536];
    static uint8_t bytes[70000];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    writer_blob(&writer, slice_of(value, 65535));
    ck_assert_int_eq(writer.status, ST_OK);
    ck_assert_uint_eq(writer.used, 65537);

    writer_init(&writer, bytes, sizeof bytes);
    writer_blob(&writer, slice_of(value, 65536));
    ck_assert_int_eq(writer.status, ST_TOO_LARGE);
}
END_TEST

START_TEST(reserved_room_and_zeros_keep_their_place)
{
    uint8_t bytes[8];
    struct writer writer;
    uint8_t *length;

    memset(bytes, 0xee, sizeof bytes);
    writer_init(&writer, bytes, sizeof bytes);
    length = writer_reserve(&writer, 4);
    ck_assert_ptr_nonnull(length);
    writer_zeros(&writer, 3);
    writer_u8(&writer, 9);
    store_u32(length, (uint32_t)writer.used);
    ck_assert_mem_eq(bytes, "\x08\0\0\0\0\0\0\x09", 8);
    ck_assert_int_eq(writer.status, ST_OK);
}
END_TEST

START_TEST(slices_are_equal_by_content_and_the_empty_one_has_no_address)
{
    ck_assert(slice_equal(slice_of("ab", 2), slice_of("abc", 2)));
    ck_assert(!slice_equal(slice_of("ab", 2), slice_of("abc", 3)));
    ck_assert(!slice_equal(slice_of("ab", 2), slice_of("ac", 2)));
    ck_assert(slice_equal(slice_of(NULL, 0), slice_of("x", 0)));
}
END_TEST

SUITE_MAIN("bytes", reader_takes_integers_least_significant_byte_first,
           reader_gives_zeros_from_its_first_failure_on,
           reader_refuses_a_blob_that_is_longer_than_what_is_left,
           reader_refuses_the_largest_size_without_overflowing,
           reader_end_refuses_bytes_that_nobody_read,
           negative_integers_come_back_as_they_were_written,
           writer_writes_nothing_once_its_room_is_exceeded,
           writer_refuses_a_blob_whose_length_needs_more_than_two_bytes,
           reserved_room_and_zeros_keep_their_place,
           slices_are_equal_by_content_and_the_empty_one_has_no_address)
