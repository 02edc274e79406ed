/* The archive records of a log, and units that are held against them. */
#include <string.h>

#include "client/audit/archive_records.h"
#include "tests/lib/suite.h"

enum { RECORDS = 3 };

static struct archive_record rows[RECORDS];
static struct archive_records records;
static struct archive_unit units[RECORDS];
static uint8_t hashes[RECORDS][HASH_SIZE]; /* Of the manifests. */

/* 1: entries 0 to 9, sealed; 2: 10 to 19, sealed; 3: 20 to 29. */
static void setup(void)
{
    memset(rows, 0, sizeof rows);
    memset(units, 0, sizeof units);
    records = (struct archive_records){.rows = rows, .count = RECORDS};
    for (uint32_t i = 0; i < RECORDS; i++) {
        memset(hashes[i], (int)i + 1, HASH_SIZE);
        rows[i] = (struct archive_record){.number = i + 1,
                                          .index = 40 + i,
                                          .first = UINT64_C(10) * i,
                                          .last = UINT64_C(10) * i + 9,
                                          .sealed = i < 2 ? 50 + i : 0};
        if (rows[i].sealed != 0)
            memcpy(rows[i].manifest, hashes[i], HASH_SIZE);
        units[i].number = rows[i].number;
        units[i].first = rows[i].first;
        units[i].last = rows[i].last;
    }
}

static const struct archive_record *other(unsigned unit, unsigned hash)
{
    const char *what;
    const struct archive_record *record =
        archive_records_other(&what, &records, &units[unit], hashes[hash]);

    ck_assert_int_eq(record == NULL, what == NULL);
    return record;
}

START_TEST(the_units_of_the_records_fit_them)
{
    setup();
    for (unsigned i = 0; i < RECORDS; i++)
        ck_assert_ptr_null(other(i, i));
    ck_assert_ptr_null(other(2, 0)); /* Nobody sealed it. */
}
END_TEST

START_TEST(a_sealed_unit_is_known_by_its_entries_whatever_its_number)
{
    static const uint64_t numbers[] = {0, 1, 2, 3, 4, 91, UINT64_MAX};

    setup();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        units[0].number = numbers[i];
        ck_assert_ptr_eq(other(0, 2), &rows[0]);
        if (numbers[i] != 1)
            ck_assert_ptr_nonnull(other(0, 0));
    }
}
END_TEST

START_TEST(a_unit_that_nobody_sealed_has_the_number_of_its_entries)
{
    setup();
    units[2].number = 91;
    ck_assert_ptr_eq(other(2, 2), &rows[2]);
    units[2].number = 2; /* Of a sealed one, which tells more. */
    ck_assert_ptr_eq(other(2, 2), &rows[1]);
}
END_TEST

START_TEST(a_unit_of_entries_of_several_records_is_held_against_the_sealed_one)
{
    setup();
    rows[0].sealed = 0;
    units[0].last = 14;
    ck_assert_ptr_eq(other(0, 0), &rows[1]);
    units[2].first = 15;
    ck_assert_ptr_eq(other(2, 2), &rows[1]);
    rows[1].sealed = 0;
    ck_assert_ptr_eq(other(0, 0), &rows[0]);
}
END_TEST

START_TEST(of_entries_without_a_record_the_number_alone_is_compared)
{
    setup();
    units[2].first = 30;
    units[2].last = 99;
    units[2].number = 4;
    ck_assert_ptr_null(other(2, 2));
    units[2].number = 1;
    ck_assert_ptr_eq(other(2, 2), &rows[0]);
}
END_TEST

SUITE_MAIN("archive_records", the_units_of_the_records_fit_them,
           a_sealed_unit_is_known_by_its_entries_whatever_its_number,
           a_unit_that_nobody_sealed_has_the_number_of_its_entries,
           a_unit_of_entries_of_several_records_is_held_against_the_sealed_one,
           of_entries_without_a_record_the_number_alone_is_compared)
