/* The disk that simulations damage. */
#include "tests/lib/disk_model.h"

#include <string.h>

#include "tests/lib/suite.h"

enum { SIZE = 4 * DISK_MODEL_SECTOR };

static struct disk_model *model;
static struct disk_file *file;

static void begin(void)
{
    uint8_t bytes[SIZE];

    model = disk_model_new();
    memset(bytes, 1, sizeof bytes);
    ck_assert_uint_eq(disk_create(disk_model_disk(model), &file, "f"), ST_OK);
    ck_assert_uint_eq(disk_write(file, bytes, sizeof bytes, 0), ST_OK);
    ck_assert_uint_eq(disk_sync(file), ST_OK);
    ck_assert_uint_eq(disk_sync_directory(disk_model_disk(model), ""), ST_OK);
}

static void end(void)
{
    disk_close(file);
    disk_model_free(model);
}

static enum status put(uint8_t value, uint64_t sector, size_t size)
{
    uint8_t bytes[SIZE];

    memset(bytes, value, sizeof bytes);
    return disk_write(file, bytes, size, sector * DISK_MODEL_SECTOR);
}

static enum status get(uint8_t *out, uint64_t sector)
{
    uint8_t bytes[DISK_MODEL_SECTOR];
    size_t size;
    enum status status =
        disk_read(file, &size, bytes, sizeof bytes, sector * DISK_MODEL_SECTOR);

    *out = bytes[DISK_MODEL_SECTOR - 1];
    return status;
}

START_TEST(disk_model_reads_fail_where_a_sector_is_bad)
{
    uint8_t byte;

    begin();
    disk_model_unreadable(model, "f", DISK_MODEL_SECTOR + 7);
    ck_assert_uint_eq(get(&byte, 0), ST_OK);
    ck_assert_uint_eq(get(&byte, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(get(&byte, 2), ST_OK);
    ck_assert_uint_eq(put(9, 1, DISK_MODEL_SECTOR / 2), ST_OK);
    ck_assert_uint_eq(get(&byte, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(put(9, 1, DISK_MODEL_SECTOR), ST_OK);
    ck_assert_uint_eq(get(&byte, 1), ST_OK);
    ck_assert_uint_eq(byte, 9);
    disk_model_unreadable(model, "f", 0);
    disk_model_readable(model);
    ck_assert_uint_eq(get(&byte, 0), ST_OK);
    ck_assert_uint_eq(byte, 0);
    end();
}
END_TEST

START_TEST(disk_model_write_that_goes_elsewhere_leaves_its_place)
{
    uint8_t byte;

    begin();
    disk_model_misdirect_after(model, 2, 2 * DISK_MODEL_SECTOR);
    ck_assert_uint_eq(put(5, 0, DISK_MODEL_SECTOR), ST_OK);
    ck_assert_uint_eq(put(6, 1, DISK_MODEL_SECTOR), ST_OK);
    ck_assert_uint_eq(get(&byte, 0), ST_OK);
    ck_assert_uint_eq(byte, 5);
    ck_assert_uint_eq(get(&byte, 1), ST_OK);
    ck_assert_uint_eq(byte, 1);
    ck_assert_uint_eq(get(&byte, 3), ST_OK);
    ck_assert_uint_eq(byte, 6);
    /* Once, and never out of the file. */
    disk_model_misdirect_after(model, 1, SIZE);
    ck_assert_uint_eq(put(7, 1, DISK_MODEL_SECTOR), ST_OK);
    ck_assert_uint_eq(get(&byte, 1), ST_OK);
    ck_assert_uint_eq(byte, 7);
    end();
}
END_TEST

START_TEST(disk_model_keeps_what_was_synced_and_what_is_chosen)
{
    const uint8_t keep = 2; /* The second pending sector. */
    uint8_t byte;

    begin();
    ck_assert_uint_eq(put(3, 0, DISK_MODEL_SECTOR), ST_OK);
    ck_assert_uint_eq(disk_sync(file), ST_OK);
    ck_assert_uint_eq(disk_model_pending(model), 0);
    ck_assert_uint_eq(put(4, 0, 2 * (size_t)DISK_MODEL_SECTOR), ST_OK);
    ck_assert_uint_eq(disk_model_pending(model), 2);
    disk_close(file);
    disk_model_lose_power(model, &keep, 1, false, SIZE_MAX);
    ck_assert_uint_eq(disk_model_pending(model), 0);
    ck_assert_uint_eq(disk_open(disk_model_disk(model), &file, "f"), ST_OK);
    ck_assert_uint_eq(get(&byte, 0), ST_OK);
    ck_assert_uint_eq(byte, 3);
    ck_assert_uint_eq(get(&byte, 1), ST_OK);
    ck_assert_uint_eq(byte, 4);
    end();
}
END_TEST

START_TEST(disk_model_failed_sync_forgets_what_it_had)
{
    const uint8_t keep = 0xff;
    uint8_t byte;

    begin();
    ck_assert_uint_eq(put(3, 0, DISK_MODEL_SECTOR), ST_OK);
    disk_model_fail_sync_after(model, 1);
    ck_assert_uint_eq(disk_sync(file), ST_DISK_FAILED);
    ck_assert_uint_eq(disk_model_pending(model), 0);
    /* The next one succeeds, and the bytes are read as they were written. */
    ck_assert_uint_eq(disk_sync(file), ST_OK);
    ck_assert_uint_eq(get(&byte, 0), ST_OK);
    ck_assert_uint_eq(byte, 3);
    disk_close(file);
    disk_model_lose_power(model, &keep, 1, true, SIZE_MAX);
    ck_assert_uint_eq(disk_open(disk_model_disk(model), &file, "f"), ST_OK);
    ck_assert_uint_eq(get(&byte, 0), ST_OK);
    ck_assert_uint_eq(byte, 1);
    end();
}
END_TEST

START_TEST(disk_model_counts_bytes_that_lost_their_name)
{
    struct disk_model *after;

    begin();
    ck_assert_uint_eq(disk_remove(disk_model_disk(model), "f"), ST_OK);
    ck_assert_uint_eq(disk_model_left(model), 0); /* It may come back. */
    ck_assert_uint_eq(disk_sync_directory(disk_model_disk(model), ""), ST_OK);
    ck_assert_uint_eq(disk_model_left(model), SIZE);
    ck_assert_uint_eq(put(0, 0, DISK_MODEL_SECTOR), ST_OK);
    ck_assert_uint_eq(disk_model_left(model), SIZE);
    ck_assert_uint_eq(disk_sync(file), ST_OK);
    ck_assert_uint_eq(disk_model_left(model), SIZE - DISK_MODEL_SECTOR);
    after = disk_model_copy(model);
    ck_assert_uint_eq(disk_model_left(after), SIZE - DISK_MODEL_SECTOR);
    disk_model_free(after);
    disk_close(file);
    ck_assert_uint_eq(disk_create(disk_model_disk(model), &file, "f"), ST_OK);
    ck_assert_uint_eq(disk_model_left(model), SIZE - DISK_MODEL_SECTOR);
    end();
}
END_TEST

START_TEST(disk_model_that_failed_for_a_while_lost_nothing)
{
    uint8_t byte;

    begin();
    ck_assert_uint_eq(put(9, 0, DISK_MODEL_SECTOR), ST_OK);
    disk_model_power_off_after(model, 0);
    ck_assert_uint_eq(disk_sync(file), ST_DISK_FAILED);
    ck_assert_uint_eq(get(&byte, 0), ST_DISK_FAILED);
    disk_model_power_on(model);
    ck_assert_uint_eq(get(&byte, 0), ST_OK);
    ck_assert_uint_eq(byte, 9);
    ck_assert_uint_eq(disk_model_pending(model), 1);
    end();
}
END_TEST

SUITE_MAIN("disk_model", disk_model_reads_fail_where_a_sector_is_bad,
           disk_model_write_that_goes_elsewhere_leaves_its_place,
           disk_model_keeps_what_was_synced_and_what_is_chosen,
           disk_model_failed_sync_forgets_what_it_had,
           disk_model_counts_bytes_that_lost_their_name,
           disk_model_that_failed_for_a_while_lost_nothing)
