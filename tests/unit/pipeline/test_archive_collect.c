#include "server/pipeline/archive_collect.h"

#include "protocol/dates.h"
#include "tests/lib/suite.h"

static struct archive_collect collect;

/* Entries of 100 bytes, one a second, up to ${size}. */
static void add_to(uint64_t size)
{
    static const uint8_t bytes[100];

    while (collect.now.size < size) {
        struct entry entry = {.bytes = slice_of(bytes, sizeof bytes),
                              .place = {.category = 1 + collect.now.size % 8,
                                        .index = collect.now.size,
                                        .log_time = (int64_t)collect.now.size *
                                                    DATES_US_PER_SECOND}};

        archive_collect_add(&collect, &entry);
    }
}

static const struct archive_counts *due(uint64_t bytes_max, int64_t days_max,
                                        int64_t days)
{
    return archive_collect_due(&collect, bytes_max, days_max,
                               days * DATES_US_PER_DAY);
}

START_TEST(T_P_7_1_4_a_unit_is_due_at_the_bundle_that_passes_the_size)
{
    const struct archive_counts *counts;

    archive_collect_begin(&collect, 0);
    ck_assert_ptr_null(due(1, 1, 99));
    add_to(511);
    ck_assert_ptr_null(due(30000, 0, 0));
    add_to(512);
    counts = due(30000, 0, 0);
    ck_assert_ptr_nonnull(counts);
    ck_assert_uint_eq(counts->size, 512);
    ck_assert_uint_eq(counts->bytes, 51200);
    ck_assert_uint_eq(counts->categories[0], 64);
    add_to(700);
    ck_assert_uint_eq(due(30000, 0, 0)->size, 512);
    ck_assert_ptr_null(due(0, 0, 99));
}
END_TEST

START_TEST(T_P_7_1_4_a_unit_is_due_when_its_first_entry_is_old)
{
    archive_collect_begin(&collect, 300);
    collect.now.size = 300;
    add_to(400);
    ck_assert_ptr_null(due(0, 2, 2));
    ck_assert_ptr_nonnull(due(0, 2, 3));
    ck_assert_uint_eq(due(0, 2, 3)->size, 400);
    add_to(600);
    ck_assert_uint_eq(due(0, 2, 3)->size, 512);
    ck_assert_uint_eq(due(0, 2, 3)->bytes, 21200);
}
END_TEST

SUITE_MAIN("archive_collect",
           T_P_7_1_4_a_unit_is_due_at_the_bundle_that_passes_the_size,
           T_P_7_1_4_a_unit_is_due_when_its_first_entry_is_old)
