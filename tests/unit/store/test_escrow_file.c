#include "server/store/escrow_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/store/snapshot.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

enum { FILE_SIZE_MAX = 512 * 1024 };

static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {9};

static struct disk_model *model, *node_model;
static struct disk *disk, *node_disk; /* The escrow's; snapshots'. */
static struct keyfile recovery;
static struct escrow_file_result result;
static struct escrow_file_source source;
static uint8_t bytes[FILE_SIZE_MAX];

static struct keyring *open_keyring(uint8_t nth)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    const uint8_t wrapping_key[KEY_SIZE] = {(uint8_t)(1 + nth)};
    struct keyring *keyring;
    char path[64], name[80];

    snprintf(path, sizeof path, "/tmp/defter-escrow-%d-%d.db", (int)getpid(),
             nth);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    ck_assert_int_eq(keyring_open(&keyring, path, wrapping_key, cluster_id),
                     ST_OK);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name); /* It goes on without a name. */
    }
    return keyring;
}

static void stage(struct keyring *keyring, uint64_t number, uint64_t index)
{
    struct keyring_row row = {number, number, index, KEYRING_RECORD};

    keyring_stage(keyring, &row, NULL);
}

/* A keyring of ${count} keys, first used by the entries 1 to count. */
static void begin(uint64_t count)
{
    const uint8_t secret[KEY_SIZE] = {7};

    model = disk_model_new();
    disk = disk_model_disk(model);
    node_model = disk_model_new();
    node_disk = disk_model_disk(node_model);
    keyfile_make(&recovery, KEYFILE_RECOVERY, cluster_id, secret);
    source = (struct escrow_file_source){.keyring = open_keyring(0),
                                         .snapshots = node_disk,
                                         .size = count + 1,
                                         .made_at = 5};
    memcpy(source.cluster_id, cluster_id, CLUSTER_ID_SIZE);
    memcpy(source.recovery_key, recovery.public_key, PUBLIC_KEY_SIZE);
    for (uint64_t number = 1; number <= count; number++)
        stage(source.keyring, number, number);
    keyring_commit(source.keyring);
}

static void finish(void)
{
    keyring_close(source.keyring);
    disk_model_free(model);
    disk_model_free(node_model);
}

static void write_escrow(void)
{
    ck_assert_int_eq(escrow_file_write(&result, disk, &source), ST_OK);
}

static size_t read_file(struct disk *from, const char *name)
{
    struct disk_file *file;
    size_t size;

    ck_assert_int_eq(disk_open(from, &file, name), ST_OK);
    ck_assert_int_eq(disk_read(file, &size, bytes, sizeof bytes, 0), ST_OK);
    disk_close(file);
    ck_assert_uint_lt(size, sizeof bytes);
    return size;
}

/* What a check says of ${size} of the bytes. */
static enum status check(size_t size)
{
    ck_assert_int_eq(disk_replace(disk, ESCROW_FILE, "", bytes, size), ST_OK);
    return escrow_file_check(&result, disk, &recovery);
}

static void expect_same(struct keyring *copy, uint64_t number)
{
    struct keyring_row rows[2];
    uint8_t keys[2][KEY_SIZE];

    ck_assert_int_eq(keyring_key(source.keyring, keys[0], number), ST_OK);
    ck_assert_int_eq(keyring_key(copy, keys[1], number), ST_OK);
    ck_assert_mem_eq(keys[0], keys[1], KEY_SIZE);
    memset(rows, 0, sizeof rows);
    ck_assert_int_eq(keyring_row(source.keyring, &rows[0], number), ST_OK);
    ck_assert_int_eq(keyring_row(copy, &rows[1], number), ST_OK);
    ck_assert_uint_eq(rows[0].owner, rows[1].owner);
    ck_assert_uint_eq(rows[0].first_index, rows[1].first_index);
    ck_assert_int_eq(rows[0].class, rows[1].class);
}

START_TEST(keys_come_out_of_escrow_as_they_went_in)
{
    enum { MANY = 3000 }; /* More than one part. */
    struct keyring *copy;

    begin(MANY);
    write_escrow();
    ck_assert_uint_eq(result.rows_count, MANY);
    copy = open_keyring(1);
    ck_assert_int_eq(
        escrow_file_take(&result, disk, &recovery, copy, node_disk), ST_OK);
    ck_assert_uint_eq(result.rows_count, MANY);
    ck_assert_uint_eq(result.header.size, MANY + 1);
    for (uint64_t number = 1; number <= MANY; number++)
        expect_same(copy, number);
    ck_assert_uint_eq(keyring_last(copy), MANY);
    keyring_close(copy);
    finish();
}
END_TEST

START_TEST(a_key_that_was_destroyed_is_in_no_later_escrow)
{
    const uint64_t number = 2;
    struct keyring *copy;
    uint8_t key[KEY_SIZE];

    begin(3);
    write_escrow();
    keyring_bury(source.keyring, &number, 1, 4);
    write_escrow();
    ck_assert_uint_eq(result.rows_count, 3);
    copy = open_keyring(1);
    ck_assert_int_eq(
        escrow_file_take(&result, disk, &recovery, copy, node_disk), ST_OK);
    ck_assert_int_eq(keyring_key(copy, key, number), ST_ERASED);
    expect_same(copy, 1);
    expect_same(copy, 3);
    keyring_close(copy);
    finish();
}
END_TEST

START_TEST(the_former_escrow_is_overwritten)
{
    struct disk_file *former;
    uint64_t size;
    size_t got;

    begin(3);
    write_escrow();
    ck_assert_int_eq(disk_open(disk, &former, ESCROW_FILE), ST_OK);
    write_escrow();
    ck_assert_int_eq(disk_size(former, &size), ST_OK);
    ck_assert_uint_gt(size, ESCROW_HEADER_SIZE);
    ck_assert_int_eq(disk_read(former, &got, bytes, sizeof bytes, 0), ST_OK);
    ck_assert_uint_eq(got, size);
    ck_assert_int_eq(sodium_is_zero(bytes, got), 1);
    disk_close(former);
    ck_assert_int_eq(escrow_file_check(&result, disk, &recovery), ST_OK);
    finish();
}
END_TEST

START_TEST(keys_of_entries_that_are_not_there_stay_out)
{
    begin(3);
    source.size = 3;
    write_escrow();
    ck_assert_uint_eq(result.rows_count, 2);
    finish();
}
END_TEST

START_TEST(an_empty_keyring_has_an_escrow_as_well)
{
    begin(0);
    write_escrow();
    ck_assert_int_eq(escrow_file_check(&result, disk, &recovery), ST_OK);
    ck_assert_uint_eq(result.rows_count, 0);
    finish();
}
END_TEST

START_TEST(the_newest_snapshot_of_the_log_comes_along)
{
    static uint8_t state[200 * 1024];
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_model *other = disk_model_new();
    struct keyring *copy;

    begin(3);
    randombytes_buf(state, sizeof state);
    ck_assert_int_eq(disk_make_directory(node_disk, SNAPSHOT_DIRECTORY), ST_OK);
    for (uint64_t size = 1; size <= 9; size += 2) {
        snapshot_name(name, size, false);
        ck_assert_int_eq(disk_replace(node_disk, name, SNAPSHOT_DIRECTORY,
                                      state, size == 3 ? sizeof state : 1),
                         ST_OK);
    }
    write_escrow();
    ck_assert_uint_eq(result.header.snapshot, 3);
    copy = open_keyring(1);
    ck_assert_int_eq(escrow_file_take(&result, disk, &recovery, copy,
                                      disk_model_disk(other)),
                     ST_OK);
    snapshot_name(name, 3, false);
    ck_assert_uint_eq(read_file(disk_model_disk(other), name), sizeof state);
    ck_assert_mem_eq(bytes, state, sizeof state);
    keyring_close(copy);
    disk_model_free(other);
    finish();
}
END_TEST

START_TEST(another_key_and_another_cluster_open_nothing)
{
    const uint8_t secret[KEY_SIZE] = {8}, other[CLUSTER_ID_SIZE] = {1};
    struct keyfile wrong;

    begin(1);
    write_escrow();
    keyfile_make(&wrong, KEYFILE_RECOVERY, cluster_id, secret);
    ck_assert_int_eq(escrow_file_check(&result, disk, &wrong), ST_KEY_TYPE);
    keyfile_make(&wrong, KEYFILE_RECOVERY, other, recovery.secret);
    ck_assert_int_eq(escrow_file_check(&result, disk, &wrong), ST_WRONG_ENV);
    finish();
}
END_TEST

START_TEST(each_truncation_and_each_byte_too_many_is_refused)
{
    size_t size;

    begin(3);
    write_escrow();
    size = read_file(disk, ESCROW_FILE);
    for (size_t less = 0; less < size; less++)
        ck_assert_int_eq(check(less), less < ESCROW_HEADER_SIZE ? ST_FILE_FORMAT
                                                                : ST_TORN_TAIL);
    ck_assert_int_eq(check(size + 1), ST_TRAILING);
    ck_assert_int_eq(check(size), ST_OK);
    finish();
}
END_TEST

START_TEST(each_flipped_bit_is_refused)
{
    size_t size;

    begin(3);
    write_escrow();
    size = read_file(disk, ESCROW_FILE);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        ck_assert_msg(check(size) != ST_OK, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    ck_assert_int_eq(check(size), ST_OK);
    finish();
}
END_TEST

START_TEST(parts_that_change_places_are_refused)
{
    static uint8_t other[FILE_SIZE_MAX];
    uint32_t first, second;
    size_t size, at = ESCROW_HEADER_SIZE;

    begin(3000);
    write_escrow();
    size = read_file(disk, ESCROW_FILE);
    first = ESCROW_PART_HEADER_SIZE + load_u32(bytes + at);
    second = ESCROW_PART_HEADER_SIZE + load_u32(bytes + at + first);
    memcpy(other, bytes + at, first);
    memmove(bytes + at, bytes + at + first, second);
    memcpy(bytes + at + second, other, first);
    ck_assert_int_eq(check(size), ST_SEAL);
    finish();
}
END_TEST

/* Whole, whenever the power goes: the former escrow or the new one. */
START_TEST(a_loss_of_power_leaves_one_whole_escrow)
{
    const uint64_t number = 2;
    size_t calls = 0;
    bool was_off = true;

    for (; was_off; calls++) {
        begin(3);
        write_escrow();
        keyring_bury(source.keyring, &number, 1, 4);
        disk_model_power_off_after(model, calls);
        (void)!escrow_file_write(&result, disk, &source);
        was_off = disk_model_is_off(model);
        disk_model_lose_power(model, NULL, 0, false, SIZE_MAX);
        ck_assert_int_eq(escrow_file_check(&result, disk, &recovery), ST_OK);
        ck_assert_uint_eq(result.rows_count, 3);
        finish();
    }
    ck_assert_uint_gt(calls, 5);
}
END_TEST

START_TEST(a_full_disk_leaves_the_former_escrow)
{
    begin(3);
    write_escrow();
    disk_model_fail_after(model, 2, ST_DISK_FULL);
    ck_assert_int_eq(escrow_file_write(&result, disk, &source), ST_DISK_FULL);
    ck_assert_int_eq(escrow_file_check(&result, disk, &recovery), ST_OK);
    finish();
}
END_TEST

SUITE_MAIN("escrow_file", keys_come_out_of_escrow_as_they_went_in,
           a_key_that_was_destroyed_is_in_no_later_escrow,
           the_former_escrow_is_overwritten,
           keys_of_entries_that_are_not_there_stay_out,
           an_empty_keyring_has_an_escrow_as_well,
           the_newest_snapshot_of_the_log_comes_along,
           another_key_and_another_cluster_open_nothing,
           each_truncation_and_each_byte_too_many_is_refused,
           each_flipped_bit_is_refused, parts_that_change_places_are_refused,
           a_loss_of_power_leaves_one_whole_escrow,
           a_full_disk_leaves_the_former_escrow)
