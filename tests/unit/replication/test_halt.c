/*
 * That a node halted is kept: the file "halted".
 */
#include <string.h>

#include "replication/halt.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

static struct disk_model *model;
static uint8_t buffer[HALT_SIZE_MAX + 1];

static struct halt_note sample(uint32_t cause)
{
    return (struct halt_note){.cause = cause,
                              .index = 0x1122334455667788,
                              .time_us = 1767225600000000,
                              .evidence = slice_of("entry", 5)};
}

static struct disk *begin(void)
{
    model = disk_model_new();
    return disk_model_disk(model);
}

START_TEST(bytes_are_as_they_are_written_down)
{
    static const uint8_t golden[] = "DFTHALT\0"
                                    "\x01\x00\x00\x00"
                                    "\x05\x00\x00\x00"
                                    "\x88\x77\x66\x55\x44\x33\x22\x11"
                                    "\x00\x40\x20\x46\x48\x47\x06\x00"
                                    "entry";
    struct halt_note note = sample(1), read;
    size_t size = halt_encode(buffer, &note);

    ck_assert_uint_eq(size, HALT_FIXED_SIZE + 5 + HALT_SUM_SIZE);
    ck_assert_mem_eq(buffer, golden, sizeof golden - 1);
    ck_assert_int_eq(halt_decode(&read, slice_of(buffer, size)), ST_OK);
    ck_assert_uint_eq(read.cause, 1);
    ck_assert_uint_eq(read.index, note.index);
    ck_assert_int_eq(read.time_us, note.time_us);
    ck_assert(slice_equal(read.evidence, note.evidence));
}
END_TEST

START_TEST(bytes_that_are_changed_or_cut_are_refused)
{
    struct halt_note note = sample(3), read;
    size_t size = halt_encode(buffer, &note);

    for (size_t i = 0; i < size; i++)
        ck_assert_int_ne(halt_decode(&read, slice_of(buffer, i)), ST_OK);
    for (size_t i = 0; i < 8 * size; i++) {
        buffer[i / 8] ^= (uint8_t)(1 << i % 8);
        ck_assert_int_ne(halt_decode(&read, slice_of(buffer, size)), ST_OK);
        buffer[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    ck_assert_int_ne(halt_decode(&read, slice_of(buffer, size + 1)), ST_OK);
}
END_TEST

START_TEST(evidence_may_be_as_large_as_an_entry)
{
    static uint8_t entry[HALT_EVIDENCE_SIZE_MAX];
    struct disk *disk = begin();
    struct halt_note note = sample(1), read;

    memset(entry, 0x5a, sizeof entry);
    note.evidence = slice_of(entry, sizeof entry);
    ck_assert_int_eq(halt_keep(disk, &note), ST_OK);
    ck_assert_int_eq(halt_load(&read, buffer, disk), ST_OK);
    ck_assert(slice_equal(read.evidence, note.evidence));
    disk_model_free(model);
}
END_TEST

START_TEST(first_cause_is_kept)
{
    struct disk *disk = begin();
    struct halt_note first = sample(1), second = sample(3);
    uint32_t cause;

    ck_assert_int_eq(halt_cause(&cause, disk), ST_OK);
    ck_assert_uint_eq(cause, 0);
    ck_assert_int_eq(halt_keep(disk, &first), ST_OK);
    ck_assert_int_eq(halt_keep(disk, &second), ST_OK);
    disk_model_lose_power(model, NULL, 0, false, SIZE_MAX);
    ck_assert_int_eq(halt_cause(&cause, disk), ST_OK);
    ck_assert_uint_eq(cause, 1);
    disk_model_free(model);
}
END_TEST

START_TEST(file_that_cannot_be_read_halts_all_the_same)
{
    struct disk *disk = begin();
    struct halt_note note = sample(1);
    uint32_t cause;

    ck_assert_int_eq(halt_keep(disk, &note), ST_OK);
    disk_model_rot(model, HALT_FILE, 20, 1);
    ck_assert_int_eq(halt_cause(&cause, disk), ST_OK);
    ck_assert_uint_eq(cause, UINT32_MAX);
    disk_model_free(model);
}
END_TEST

START_TEST(what_is_cleared_is_kept_aside_and_nothing_halts_any_more)
{
    struct disk *disk = begin();
    struct halt_note note = sample(1);
    char name[DISK_NAME_SIZE_MAX];
    const uint8_t *data;
    uint32_t cause;
    size_t size;

    ck_assert_int_eq(halt_clear(disk, name), ST_NO_FILE);
    for (int i = 1; i <= 12; i++) {
        note.cause = (uint32_t)i;
        ck_assert_int_eq(halt_keep(disk, &note), ST_OK);
        ck_assert_int_eq(halt_clear(disk, name), ST_OK);
        disk_model_lose_power(model, NULL, 0, false, SIZE_MAX);
        ck_assert_int_eq(halt_cause(&cause, disk), ST_OK);
        ck_assert_uint_eq(cause, 0);
    }
    ck_assert_str_eq(name, "divergent/halted-12");
    ck_assert(disk_model_peek(model, "divergent/halted-3", &data, &size));
    ck_assert_uint_eq(data[8], 3);
    disk_model_free(model);
}
END_TEST

SUITE_MAIN("halt", bytes_are_as_they_are_written_down,
           bytes_that_are_changed_or_cut_are_refused,
           evidence_may_be_as_large_as_an_entry, first_cause_is_kept,
           file_that_cannot_be_read_halts_all_the_same,
           what_is_cleared_is_kept_aside_and_nothing_halts_any_more)
