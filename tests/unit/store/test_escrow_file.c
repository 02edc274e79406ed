#include "server/store/escrow_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/store/snapshot.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

enum { FILE_SIZE_MAX = 512 * 1024, PENDING_MAX = 8 };

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

/* ---- What is left behind ------------------------------------------------- */

static bool is_there(const char *name)
{
    const uint8_t *data;
    size_t size;

    return disk_model_peek(model, name, &data, &size);
}

static void use(struct disk_model *next)
{
    disk_model_free(model);
    model = next;
    disk = disk_model_disk(model);
}

/* One whole escrow, and nothing lies where no name leads. */
static void expect_whole(void)
{
    ck_assert_uint_eq(disk_model_left(model), 0);
    ck_assert_int_eq(escrow_file_check(&result, disk, &recovery), ST_OK);
    ck_assert_uint_eq(result.rows_count, 3);
}

/* It was written, so nothing else is there. */
static void expect_clean(void)
{
    expect_whole();
    ck_assert(is_there(ESCROW_FILE));
    ck_assert(!is_there(ESCROW_FILE_FORMER));
    ck_assert(!is_there(ESCROW_FILE_PART));
}

/* The next write is cut off at each of its calls, too. */
static void go_on_from(const struct disk_model *found)
{
    bool was_off = true;

    for (size_t calls = 0; was_off; calls++) {
        use(disk_model_copy(found));
        disk_model_power_off_after(model, calls);
        (void)!escrow_file_write(&result, disk, &source);
        was_off = disk_model_is_off(model);
        disk_model_lose_power(model, NULL, 0, calls % 2 == 0, SIZE_MAX);
        expect_whole();
        write_escrow();
        expect_clean();
    }
}

/* Returns: whether what remained had but its former name. */
static bool expect_good_after(const struct disk_model *off, uint8_t keep)
{
    struct disk_model *found =
        disk_model_crash(off, &keep, sizeof keep, false, SIZE_MAX);
    bool is_former;

    use(disk_model_copy(found));
    is_former = !is_there(ESCROW_FILE);
    expect_whole();
    write_escrow();
    expect_clean();
    go_on_from(found);
    disk_model_free(found);
    return is_former;
}

static struct disk_model *begin_second(void)
{
    const uint64_t number = 2;

    begin(3);
    write_escrow();
    keyring_bury(source.keyring, &number, 1, 4);
    return disk_model_copy(model);
}

/*
 * Whichever part of what was under way the power leaves, or if calls fail for a
 * while and the power goes later: the former escrow or the new one is whole,
 * and bytes are overwritten before they lose their name.
 */
START_TEST(a_loss_of_power_leaves_one_whole_escrow_and_no_lost_bytes)
{
    struct disk_model *before = begin_second(), *off;
    size_t calls = 0, formers_count = 0;
    bool was_off = true;

    for (; was_off; calls++) {
        use(disk_model_copy(before));
        disk_model_power_off_after(model, calls);
        (void)!escrow_file_write(&result, disk, &source);
        was_off = disk_model_is_off(model);
        off = disk_model_copy(model);
        ck_assert_uint_le(disk_model_pending(off), PENDING_MAX);
        for (size_t keep = 0; keep < (size_t)1 << disk_model_pending(off);
             keep++)
            formers_count += expect_good_after(off, (uint8_t)keep);
        disk_model_power_on(off);
        go_on_from(off);
        disk_model_free(off);
    }
    ck_assert_uint_gt(calls, 10);
    ck_assert_uint_gt(formers_count, 0);
    disk_model_free(before);
    finish();
}
END_TEST

static void arm_write(size_t nth)
{
    disk_model_fail_after(model, nth, ST_DISK_FAILED);
}

static void arm_sync(size_t nth)
{
    disk_model_fail_sync_after(model, nth);
}

/* Returns: how often it did not come to an end. */
static size_t expect_good_after_each(const struct disk_model *before,
                                     void (*arm)(size_t nth))
{
    enum status status = ST_DISK_FAILED;
    size_t failed_count = 0;

    for (size_t nth = 1; status != ST_OK; nth++) {
        use(disk_model_copy(before));
        arm(nth);
        status = escrow_file_write(&result, disk, &source);
        failed_count += status != ST_OK ? 1 : 0;
        expect_whole();
        arm(0);
        write_escrow();
        expect_clean();
    }
    return failed_count;
}

START_TEST(a_call_that_fails_leaves_nothing_that_the_next_write_does_not_wipe)
{
    struct disk_model *before = begin_second();

    ck_assert_uint_ge(expect_good_after_each(before, arm_write), 4);
    ck_assert_uint_eq(expect_good_after_each(before, arm_sync), 2);
    disk_model_free(before);
    finish();
}
END_TEST

START_TEST(the_part_that_a_full_disk_left_is_overwritten_before_it_goes)
{
    size_t size;

    begin(3);
    disk_model_fail_after(model, 3, ST_DISK_FULL);
    ck_assert_int_eq(escrow_file_write(&result, disk, &source), ST_DISK_FULL);
    size = read_file(disk, ESCROW_FILE_PART);
    ck_assert_int_eq(sodium_is_zero(bytes, size), 0);
    write_escrow();
    expect_clean();
    finish();
}
END_TEST

START_TEST(an_escrow_under_its_former_name_alone_is_taken)
{
    struct keyring *copy;

    begin(3);
    write_escrow();
    ck_assert_int_eq(disk_rename(disk, ESCROW_FILE, ESCROW_FILE_FORMER), ST_OK);
    copy = open_keyring(1);
    ck_assert_int_eq(
        escrow_file_take(&result, disk, &recovery, copy, node_disk), ST_OK);
    expect_same(copy, 3);
    keyring_close(copy);
    ck_assert_int_eq(disk_remove(disk, ESCROW_FILE_FORMER), ST_OK);
    ck_assert_int_eq(escrow_file_check(&result, disk, &recovery), ST_NO_FILE);
    finish();
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
           a_loss_of_power_leaves_one_whole_escrow_and_no_lost_bytes,
           a_call_that_fails_leaves_nothing_that_the_next_write_does_not_wipe,
           the_part_that_a_full_disk_left_is_overwritten_before_it_goes,
           an_escrow_under_its_former_name_alone_is_taken,
           a_full_disk_leaves_the_former_escrow)
