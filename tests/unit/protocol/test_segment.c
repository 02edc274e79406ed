#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/segment.h"

enum { ENTRY_SIZE = ENTRY_FIXED_SIZE + 9, FRAME_SIZE = ENTRY_SIZE + 16 };

static uint8_t entry[ENTRY_SIZE];
static uint8_t frame[FRAME_SIZE + 1];
static uint8_t header_bytes[SEGMENT_HEADER_SIZE];
static struct segment_header header = {7, {1, 2, 3}, SEGMENT_SIZE};

static void setup(void)
{
    for (size_t at = 0; at < sizeof entry; at++)
        entry[at] = (uint8_t)(at * 7 + 1);
    memset(frame, 0, sizeof frame);
    segment_frame_encode(frame, slice_of(entry, sizeof entry));
    segment_header_encode(header_bytes, &header);
}

static enum status decode(struct slice *out, size_t size)
{
    return segment_frame_decode(out, slice_of(frame, size));
}

START_TEST(segment_frame_is_length_zero_entry_checksum)
{
    struct slice out;

    ck_assert_uint_eq(segment_frame_size(ENTRY_SIZE), FRAME_SIZE);
    ck_assert_uint_eq(load_u32(frame), ENTRY_SIZE);
    ck_assert_uint_eq(load_u32(frame + 4), 0);
    ck_assert_mem_eq(frame + 8, entry, ENTRY_SIZE);
    ck_assert_uint_eq(decode(&out, FRAME_SIZE), ST_OK);
    ck_assert(slice_equal(out, slice_of(entry, ENTRY_SIZE)));
    ck_assert_uint_eq(decode(&out, sizeof frame), ST_OK);
    ck_assert_uint_eq(out.size, ENTRY_SIZE);
}
END_TEST

START_TEST(segment_frame_checksum_is_xxh3_with_seed_zero)
{
    memset(entry, 'a', sizeof entry);
    segment_frame_encode(frame, slice_of(entry, ENTRY_FIXED_SIZE));
    /* From xxhsum -H3 over the 200 bytes before the checksum. */
    ck_assert_uint_eq(load_u64(frame + 8 + ENTRY_FIXED_SIZE),
                      0x89d0f073acc720d6ULL);
}
END_TEST

START_TEST(segment_frame_cut_short_needs_more)
{
    struct slice out;

    for (size_t size = 0; size < FRAME_SIZE; size++)
        ck_assert_uint_eq(decode(&out, size), ST_AGAIN);
}
END_TEST

START_TEST(segment_frame_with_any_bit_flipped_is_no_frame)
{
    struct slice out;

    for (size_t bit = 0; bit < FRAME_SIZE * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert_uint_ne(decode(&out, FRAME_SIZE), ST_OK);
        ck_assert_uint_eq(out.size, 0);
        frame[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}
END_TEST

START_TEST(segment_frame_lengths_that_no_entry_has_are_refused)
{
    struct slice out;
    static const uint32_t lengths[] = {1, ENTRY_FIXED_SIZE - 1,
                                       ENTRY_SIZE_MAX + 1, UINT32_MAX};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        store_u32(frame, lengths[i]);
        ck_assert_uint_eq(decode(&out, FRAME_SIZE), ST_FILE_FORMAT);
    }
    store_u32(frame, 0);
    ck_assert_uint_eq(decode(&out, FRAME_SIZE), ST_END);
}
END_TEST

START_TEST(segment_header_comes_back)
{
    struct segment_header out;

    ck_assert_uint_eq(segment_header_decode(&out, slice_of(header_bytes, 4096)),
                      ST_OK);
    ck_assert_uint_eq(out.first_index, 7);
    ck_assert_uint_eq(out.segment_size, SEGMENT_SIZE);
    ck_assert_mem_eq(out.previous, header.previous, HASH_SIZE);
}
END_TEST

START_TEST(segment_header_with_any_bit_flipped_or_cut_is_refused)
{
    struct segment_header out;

    for (size_t bit = 0; bit < SEGMENT_HEADER_SIZE * 8; bit++) {
        header_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert_uint_ne(
            segment_header_decode(&out, slice_of(header_bytes, 4096)), ST_OK);
        header_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t size = 0; size < SEGMENT_HEADER_SIZE; size++)
        ck_assert_uint_eq(
            segment_header_decode(&out, slice_of(header_bytes, size)),
            ST_FILE_FORMAT);
}
END_TEST

START_TEST(segment_header_of_a_segment_without_room_is_refused)
{
    struct segment_header out;
    struct segment_header small = header;

    small.segment_size = SEGMENT_HEADER_SIZE;
    segment_header_encode(header_bytes, &small);
    ck_assert_uint_eq(segment_header_decode(&out, slice_of(header_bytes, 4096)),
                      ST_FILE_FORMAT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("segment");
    TCase *tcase = tcase_create("segment");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, segment_frame_is_length_zero_entry_checksum);
    tcase_add_test(tcase, segment_frame_checksum_is_xxh3_with_seed_zero);
    tcase_add_test(tcase, segment_frame_cut_short_needs_more);
    tcase_add_test(tcase, segment_frame_with_any_bit_flipped_is_no_frame);
    tcase_add_test(tcase, segment_frame_lengths_that_no_entry_has_are_refused);
    tcase_add_test(tcase, segment_header_comes_back);
    tcase_add_test(tcase,
                   segment_header_with_any_bit_flipped_or_cut_is_refused);
    tcase_add_test(tcase, segment_header_of_a_segment_without_room_is_refused);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
