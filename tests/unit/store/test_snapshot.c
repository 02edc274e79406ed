#include "server/store/snapshot.h"

#include <string.h>

#include "server/store/state_private.h"

#include "tests/lib/disk_model.h"
#include "tests/lib/rows.h"
#include "tests/lib/suite.h"

static struct disk_model *model;
static struct disk *disk;

static struct state *open_state(void)
{
    struct state *state;

    ck_assert_int_eq(state_open(&state, ":memory:"), ST_OK);
    return state;
}

/* Rows in every table, and a head at ${size} entries. */
static struct state *filled(uint64_t size)
{
    struct state *state = open_state();
    struct state_head head = *state_head(state);
    uint8_t digest[HASH_SIZE];

    state_begin(state);
    state_entry_begin(state);
    for (unsigned table = 0; table < TABLES_COUNT; table++) {
        for (uint64_t seed = 1; seed <= 3; seed++)
            rows_insert(state, (enum table)table, seed);
    }
    state_entry_end(state, digest);
    head.applied_size = size;
    head.epoch = 3;
    memset(head.applied_leaf, 9, HASH_SIZE);
    state_set_head(state, &head);
    state_commit(state);
    return state;
}

static void open_disk(void)
{
    model = disk_model_new();
    disk = disk_model_disk(model);
}

/* A file whose digest is right may hold anything all the same. */
START_TEST(a_row_that_comes_twice_is_refused)
{
    enum { HEADER_SIZE = 16 + HASH_SIZE + STATE_HEAD_SIZE, AT = HEADER_SIZE };
    struct state *state = filled(12), *copy = open_state();
    static uint8_t bytes[1 << 20];
    uint8_t digest[HASH_SIZE];
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_file *file;
    size_t size, row;

    open_disk();
    ck_assert_int_eq(snapshot_write(digest, disk, state), ST_OK);
    snapshot_name(name, 12, false);
    ck_assert_int_eq(disk_open(disk, &file, name), ST_OK);
    ck_assert_int_eq(disk_read(file, &size, bytes, sizeof bytes, 0), ST_OK);
    ck_assert_uint_lt(size, sizeof bytes);
    /* The first table: u8 kind, u64 next. */
    row = AT + 2;
    ck_assert_uint_eq(bytes[row], 1);
    memcpy(bytes + row + 10, bytes + row, 10);
    ck_assert_int_eq(disk_write(file, bytes, size, 0), ST_OK);
    disk_close(file);
    ck_assert_int_eq(snapshot_load(copy, disk, 12), ST_FILE_FORMAT);
    state_close(state);
    state_close(copy);
    disk_model_free(model);
}
END_TEST

START_TEST(a_state_comes_back_as_it_was)
{
    struct state *state = filled(12), *copy = open_state();
    uint8_t digest[HASH_SIZE], again[HASH_SIZE], full[HASH_SIZE],
        full_copy[HASH_SIZE];
    uint8_t heads[2][STATE_HEAD_SIZE];
    struct state_head head;

    open_disk();
    ck_assert_int_eq(snapshot_write(digest, disk, state), ST_OK);
    ck_assert_uint_eq(snapshot_newest(disk, UINT64_MAX), 12);
    ck_assert_int_eq(snapshot_digest(again, disk, 12), ST_OK);
    ck_assert_mem_eq(digest, again, HASH_SIZE);
    ck_assert_int_eq(snapshot_head(&head, disk, 12), ST_OK);
    ck_assert_uint_eq(head.epoch, 3);
    ck_assert_int_eq(snapshot_load(copy, disk, 12), ST_OK);
    state_full_digest(state, full);
    state_full_digest(copy, full_copy);
    ck_assert_mem_eq(full, full_copy, HASH_SIZE);
    state_head_encode(heads[0], state_head(state));
    state_head_encode(heads[1], state_head(copy));
    ck_assert_mem_eq(heads[0], heads[1], STATE_HEAD_SIZE);
    /* The copy writes the same bytes: without a disk as well. */
    ck_assert_int_eq(snapshot_write(again, NULL, copy), ST_OK);
    ck_assert_mem_eq(digest, again, HASH_SIZE);
    state_close(state);
    state_close(copy);
    disk_model_free(model);
}
END_TEST

START_TEST(a_snapshot_is_there_whole_after_a_loss_of_power)
{
    struct state *state = filled(12);
    uint8_t digest[HASH_SIZE], again[HASH_SIZE];

    open_disk();
    ck_assert_int_eq(snapshot_write(digest, disk, state), ST_OK);
    disk_model_lose_power(model, NULL, 0, false, SIZE_MAX);
    ck_assert_int_eq(snapshot_digest(again, disk, 12), ST_OK);
    ck_assert_mem_eq(digest, again, HASH_SIZE);
    state_close(state);
    disk_model_free(model);
}
END_TEST

START_TEST(only_the_newest_are_kept)
{
    uint8_t digest[HASH_SIZE];

    open_disk();
    for (uint64_t size = 5; size < 5 + SNAPSHOTS_KEPT_MAX + 3; size++) {
        struct state *state = filled(size);

        ck_assert_int_eq(snapshot_write(digest, disk, state), ST_OK);
        state_close(state);
    }
    ck_assert_uint_eq(snapshot_newest(disk, UINT64_MAX),
                      4 + SNAPSHOTS_KEPT_MAX + 3);
    ck_assert_int_eq(snapshot_digest(digest, disk, 5), ST_NO_FILE);
    ck_assert_int_eq(snapshot_digest(digest, disk, 4 + SNAPSHOTS_KEPT_MAX + 2),
                     ST_OK);
    disk_model_free(model);
}
END_TEST

/* The file with byte ${at} changed, or cut there. */
static void spoil(uint64_t at, bool cut)
{
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_file *file;
    uint8_t byte;
    size_t got;

    snapshot_name(name, 12, false);
    ck_assert_int_eq(disk_open(disk, &file, name), ST_OK);
    if (cut) {
        ck_assert_int_eq(disk_truncate(file, at), ST_OK);
    } else {
        ck_assert_int_eq(disk_read(file, &got, &byte, 1, at), ST_OK);
        byte ^= 0x80;
        ck_assert_int_eq(disk_write(file, &byte, 1, at), ST_OK);
    }
    disk_close(file);
}

static uint64_t file_size(void)
{
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_file *file;
    uint64_t size;

    snapshot_name(name, 12, false);
    ck_assert_int_eq(disk_open(disk, &file, name), ST_OK);
    ck_assert_int_eq(disk_size(file, &size), ST_OK);
    disk_close(file);
    return size;
}

START_TEST(D123_a_file_that_is_cut_anywhere_is_refused)
{
    uint8_t digest[HASH_SIZE];

    for (uint64_t left = 0;; left += left < 48 ? 1 : 61) {
        struct state *state = filled(12), *copy = open_state();

        open_disk();
        ck_assert_int_eq(snapshot_write(digest, disk, state), ST_OK);
        bool over = left >= file_size();
        if (!over) {
            spoil(left, true);
            ck_assert_int_eq(snapshot_load(copy, disk, 12), ST_FILE_FORMAT);
            ck_assert_uint_eq(state_head(copy)->applied_size, 0);
        }
        state_close(state);
        state_close(copy);
        disk_model_free(model);
        if (over)
            break;
    }
}
END_TEST

START_TEST(a_changed_byte_changes_the_digest_and_the_head_is_judged)
{
    uint8_t digest[HASH_SIZE], other[HASH_SIZE];
    struct state *state = filled(12), *copy = open_state();

    open_disk();
    ck_assert_int_eq(snapshot_write(digest, disk, state), ST_OK);
    spoil(file_size() - 200, false);
    ck_assert_int_eq(snapshot_digest(other, disk, 12), ST_OK);
    ck_assert_mem_ne(digest, other, HASH_SIZE);
    /* Magic, version, layout. */
    for (uint64_t at = 0; at < 48; at++) {
        spoil(at, false);
        ck_assert_int_eq(snapshot_load(copy, disk, 12), ST_FILE_FORMAT);
        spoil(at, false);
    }
    ck_assert_int_eq(snapshot_load(copy, disk, 13), ST_NO_FILE);
    state_close(state);
    state_close(copy);
    disk_model_free(model);
}
END_TEST

SUITE_MAIN("snapshot", a_row_that_comes_twice_is_refused,
           a_state_comes_back_as_it_was,
           a_snapshot_is_there_whole_after_a_loss_of_power,
           only_the_newest_are_kept,
           D123_a_file_that_is_cut_anywhere_is_refused,
           a_changed_byte_changes_the_digest_and_the_head_is_judged)
