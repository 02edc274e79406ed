/* ctest-timeout: 300 */
/* ctest-label: release */
/* Whatever bit of a log is another, and wherever it is cut off, the verifier
 * says so and says where. */
#include <fcntl.h>

#include "tests/lib/suite.h"
#include "tests/unit/audit/log_case.h"

/* Part of the file anew, in place. */
static void patch_file(size_t offset, size_t size)
{
    int file = open(file_path, O_WRONLY);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pwrite(file, file_bytes + offset, size, (off_t)offset),
                     (ssize_t)size);
    close(file);
}

/* With and without the head: which entry is at an offset. */
static uint64_t entry_at(size_t offset)
{
    size_t end = SEGMENT_HEADER_SIZE;
    uint64_t index = 0;

    if (offset < SEGMENT_HEADER_SIZE)
        return 0;
    while (index < made.count) {
        end += segment_frame_size(made.entries[index].size);
        if (offset < end)
            break;
        index++;
    }
    return index;
}

START_TEST(every_flipped_bit_of_a_file_is_found_and_located)
{
    size_t used = small_log();

    for (size_t bit = 0; bit < (used + 64) * 8; bit++) {
        /* Of the zeros of a header, a few say what all say. */
        if (bit / 8 > 128 && bit / 8 < SEGMENT_HEADER_SIZE - 64 && bit % 61)
            continue;
        file_bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        patch_file(bit / 8, 1);
        ck_assert_int_ne(judged(), REPORT_GOOD);
        ck_assert(report.fault.found);
        ck_assert_uint_eq(report.fault.index, entry_at(bit / 8));
        if (entry_at(bit / 8) < made.count - 1)
            ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
        file_bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        patch_file(bit / 8, 1);
    }
    teardown();
}
END_TEST

/* Whoever changes bytes on purpose makes the checksum fit. */
static void flip_on_purpose(bool with_head)
{
    size_t offset = SEGMENT_HEADER_SIZE;

    if (with_head)
        expect_head();
    for (size_t i = 0; i < made.count; i++) {
        struct signed_log_entry *entry = &made.entries[i];

        for (size_t bit = 0; bit < entry->size * 8; bit++) {
            /* The head changes what is said of the last entry alone. */
            if (!with_head && i + 1 < made.count && bit % 7 != 0)
                continue;
            entry->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            segment_frame_encode(file_bytes + offset,
                                 slice_of(entry->bytes, entry->size));
            patch_file(offset, segment_frame_size(entry->size));
            ck_assert_int_ne(judged(), REPORT_GOOD);
            if (with_head || i + 1 < made.count) {
                ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
                ck_assert(report.fault.found);
                ck_assert_uint_ge(report.fault.index, i);
                ck_assert_uint_le(report.fault.index, i + 1);
            }
            entry->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        segment_frame_encode(file_bytes + offset,
                             slice_of(entry->bytes, entry->size));
        patch_file(offset, segment_frame_size(entry->size));
        offset += segment_frame_size(entry->size);
    }
}

START_TEST(every_bit_flipped_on_purpose_is_found)
{
    (void)small_log();
    flip_on_purpose(false);
    teardown();
}
END_TEST

START_TEST(with_the_head_no_flipped_bit_of_the_last_entry_escapes)
{
    (void)small_log();
    flip_on_purpose(true);
    teardown();
}
END_TEST

START_TEST(every_truncated_file_is_found)
{
    size_t used = small_log();

    expect_head();
    for (size_t size = 0; size < sizeof file_bytes;
         size += size < used ? 1 : 256) {
        write_file(file_bytes, size);
        ck_assert_int_eq(judged(),
                         size < used ? REPORT_TAMPERED : REPORT_INCOMPLETE);
        ck_assert(report.fault.found);
    }
    teardown();
}
END_TEST

SUITE_MAIN("verify bits", every_flipped_bit_of_a_file_is_found_and_located,
           every_bit_flipped_on_purpose_is_found,
           with_the_head_no_flipped_bit_of_the_last_entry_escapes,
           every_truncated_file_is_found)
