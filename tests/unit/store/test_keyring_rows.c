#include "server/store/keyring_rows.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/suite.h"

static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {9};

static char paths[2][64];

static struct keyring *open_fresh(int nth)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    const uint8_t wrapping_key[KEY_SIZE] = {(uint8_t)(1 + nth)};
    struct keyring *keyring;
    char name[80];

    snprintf(paths[nth], sizeof paths[nth], "/tmp/defter-rows-%d-%d.db",
             (int)getpid(), nth);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", paths[nth], ends[i]);
        unlink(name);
    }
    ck_assert_int_eq(
        keyring_open(&keyring, paths[nth], wrapping_key, cluster_id), ST_OK);
    return keyring;
}

static void close_and_remove(struct keyring *keyring, int nth)
{
    keyring_close(keyring);
    unlink(paths[nth]);
}

static struct keyring_row row_of(uint64_t number, uint64_t owner,
                                 uint64_t index)
{
    return (struct keyring_row){number, owner, index, KEYRING_RECORD};
}

static void stage(struct keyring *keyring, uint64_t number, uint64_t owner,
                  uint64_t index)
{
    struct keyring_row row = row_of(number, owner, index);

    keyring_stage(keyring, &row, NULL);
}

/* All rows of [first, end), a few at a time, accepted by ${to}. */
static size_t ship(struct keyring *to, struct keyring *from, uint64_t first,
                   uint64_t end)
{
    uint8_t bytes[3 * KEYRING_ROW_SIZE + 5];
    struct keyring_cursor cursor = {.first_index = first};
    struct keyring_row row;
    uint8_t key[KEY_SIZE];
    size_t count = 0, size;
    enum status status;

    while ((size = keyring_rows_next(from, bytes, sizeof bytes, &cursor, end)) >
           0) {
        struct slice rows = slice_of(bytes, size);

        ck_assert_uint_eq(size % KEYRING_ROW_SIZE, 0);
        while ((status = keyring_rows_take(&row, key, &rows)) == ST_OK) {
            ck_assert_uint_ge(row.first_index, first);
            ck_assert_uint_lt(row.first_index, end);
            ck_assert_int_eq(keyring_accept(to, &row, key), ST_OK);
            count++;
        }
        ck_assert_int_eq(status, ST_END);
    }
    return count;
}

static void expect_same(struct keyring *a, struct keyring *b, uint64_t number)
{
    uint8_t keys[2][KEY_SIZE];

    ck_assert_int_eq(keyring_key(a, keys[0], number), ST_OK);
    ck_assert_int_eq(keyring_key(b, keys[1], number), ST_OK);
    ck_assert_mem_eq(keys[0], keys[1], KEY_SIZE);
}

START_TEST(rows_come_whole_in_the_order_of_their_entries)
{
    struct keyring *from = open_fresh(0), *to = open_fresh(1);

    /* Two keys of one entry, and entries without. */
    for (uint64_t i = 1; i <= 20; i++)
        stage(from, i, i, 10 + i / 2 * 3);
    keyring_commit(from);
    ck_assert_uint_eq(ship(to, from, 0, 13), 1);
    ck_assert_uint_eq(ship(to, from, 13, 40), 18);
    ck_assert_uint_eq(ship(to, from, 40, UINT64_MAX), 1);
    keyring_commit(to);
    for (uint64_t i = 1; i <= 20; i++) {
        expect_same(from, to, i);
        ck_assert_uint_eq(keyring_find(to, KEYRING_RECORD, i), i);
    }
    ck_assert_uint_eq(keyring_last(to), 20);
    ck_assert_uint_eq(keyring_end(to), keyring_end(from));
    close_and_remove(from, 0);
    close_and_remove(to, 1);
}
END_TEST

START_TEST(the_same_rows_again_change_nothing)
{
    struct keyring *from = open_fresh(0), *to = open_fresh(1);

    for (uint64_t i = 1; i <= 5; i++)
        stage(from, i, i, i);
    keyring_commit(from);
    ck_assert_uint_eq(ship(to, from, 0, 100), 5);
    ck_assert_uint_eq(ship(to, from, 0, 100), 5);
    ck_assert_uint_eq(keyring_staged(to), 5);
    keyring_commit(to);
    ck_assert_uint_eq(ship(to, from, 0, 100), 5);
    ck_assert_uint_eq(keyring_staged(to), 0);
    close_and_remove(from, 0);
    close_and_remove(to, 1);
}
END_TEST

START_TEST(a_number_with_other_bytes_or_for_another_owner_has_diverged)
{
    struct keyring *keyring = open_fresh(0);
    uint8_t key[KEY_SIZE] = {1}, other_key[KEY_SIZE] = {2};
    struct keyring_row row = row_of(7, 70, 1), other = row_of(7, 71, 1);

    ck_assert_int_eq(keyring_accept(keyring, &row, key), ST_OK);
    /* Staged, and committed. */
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(keyring_accept(keyring, &row, other_key), ST_DIVERGED);
        ck_assert_int_eq(keyring_accept(keyring, &other, key), ST_DIVERGED);
        keyring_commit(keyring);
    }
    close_and_remove(keyring, 0);
}
END_TEST

START_TEST(keys_that_were_destroyed_here_do_not_come_back)
{
    struct keyring *keyring = open_fresh(0);
    uint8_t key[KEY_SIZE] = {1};
    struct keyring_row row = row_of(7, 70, 1);
    const uint64_t number = 7;

    ck_assert_int_eq(keyring_accept(keyring, &row, key), ST_OK);
    keyring_commit(keyring);
    keyring_bury(keyring, &number, 1, 9);
    ck_assert_int_eq(keyring_accept(keyring, &row, key), ST_OK);
    ck_assert_uint_eq(keyring_staged(keyring), 0);
    ck_assert_int_eq(keyring_key(keyring, key, 7), ST_ERASED);
    close_and_remove(keyring, 0);
}
END_TEST

START_TEST(a_destroyed_key_travels_as_its_tombstone)
{
    struct keyring *from = open_fresh(0), *to = open_fresh(1);
    const uint64_t buried[] = {3};
    uint8_t key[KEY_SIZE];

    for (uint64_t i = 1; i <= 5; i++)
        stage(from, i, i, 10 + i);
    keyring_commit(from);
    keyring_bury(from, buried, 1, 99);
    ck_assert_uint_eq(ship(to, from, 0, 100), 5);
    /* Staged, and committed. */
    ck_assert_int_eq(keyring_key(to, key, 3), ST_ERASED);
    keyring_commit(to);
    ck_assert_int_eq(keyring_key(to, key, 3), ST_ERASED);
    ck_assert_uint_eq(keyring_find(to, KEYRING_RECORD, 3), 0);
    expect_same(from, to, 4);
    /* And from there to the next one. */
    ck_assert_uint_eq(ship(from, to, 13, 14), 1);
    close_and_remove(from, 0);
    close_and_remove(to, 1);
}
END_TEST

START_TEST(a_tombstone_does_not_destroy_a_key_that_is_here)
{
    struct keyring *from = open_fresh(0), *to = open_fresh(1);
    const uint64_t buried[] = {3};

    for (uint64_t i = 1; i <= 5; i++)
        stage(from, i, i, 10 + i);
    keyring_commit(from);
    ck_assert_uint_eq(ship(to, from, 0, 100), 5);
    keyring_commit(to);
    expect_same(from, to, 3);
    keyring_bury(from, buried, 1, 99);
    ck_assert_uint_eq(ship(to, from, 0, 100), 5);
    ck_assert_uint_eq(keyring_staged(to), 0);
    ck_assert_uint_eq(keyring_find(to, KEYRING_RECORD, 3), 3);
    close_and_remove(from, 0);
    close_and_remove(to, 1);
}
END_TEST

START_TEST(missing_keys_are_filled_in_below_newer_ones)
{
    struct keyring *keyring = open_fresh(0);
    uint8_t key[KEY_SIZE] = {1};

    stage(keyring, 100, 100, 50);
    for (uint64_t i = 30; i > 0; i -= 10) {
        struct keyring_row row = row_of(i, i, i);
        ck_assert_int_eq(keyring_accept(keyring, &row, key), ST_OK);
    }
    for (uint64_t i = 10; i <= 30; i += 10)
        ck_assert_int_eq(keyring_key(keyring, key, i), ST_OK);
    keyring_commit(keyring);
    ck_assert_uint_eq(keyring_last(keyring), 100);
    ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 20), 20);
    close_and_remove(keyring, 0);
}
END_TEST

START_TEST(keys_of_entries_that_never_came_to_be_go_with_their_owners)
{
    struct keyring *keyring = open_fresh(0);
    uint8_t key[KEY_SIZE] = {1};
    struct keyring_row old = row_of(UINT64_C(5) << 32 | 1, 70, 10);
    struct keyring_row new = row_of(UINT64_C(6) << 32 | 1, 70, 10);

    stage(keyring, UINT64_C(4) << 32 | 1, 69, 9);
    ck_assert_int_eq(keyring_accept(keyring, &old, key), ST_OK);
    keyring_commit(keyring);
    keyring_drop_strays(keyring, 10, 12, 6);
    ck_assert_int_eq(keyring_key(keyring, key, old.number), ST_KEY_MISSING);
    ck_assert_int_eq(keyring_accept(keyring, &new, key), ST_OK);
    keyring_commit(keyring);
    ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 70), new.number);
    keyring_drop_strays(keyring, 10, 12, 6);
    ck_assert_int_eq(keyring_key(keyring, key, new.number), ST_OK);
    ck_assert_uint_ne(keyring_find(keyring, KEYRING_RECORD, 69), 0);
    close_and_remove(keyring, 0);
}
END_TEST

START_TEST(rows_that_are_none_are_refused)
{
    struct keyring *keyring = open_fresh(0);
    uint8_t good[KEYRING_ROW_SIZE], bytes[KEYRING_ROW_SIZE];
    struct keyring_cursor cursor = {.first_index = 0};
    struct keyring_row row;
    uint8_t key[KEY_SIZE];
    struct slice rows;

    stage(keyring, 1, 1, 1);
    keyring_commit(keyring);
    ck_assert_uint_eq(
        keyring_rows_next(keyring, good, sizeof good, &cursor, 100),
        sizeof good);
    rows = slice_of(good, sizeof good);
    ck_assert_int_eq(keyring_rows_take(&row, key, &rows), ST_OK);
    ck_assert_int_eq(keyring_rows_take(&row, key, &rows), ST_END);
    for (size_t size = 1; size < sizeof good; size++) {
        rows = slice_of(good, size);
        ck_assert_int_eq(keyring_rows_take(&row, key, &rows), ST_BAD_FIELD);
    }
    /* No number; too great ones; no such class. */
    static const struct {
        size_t at;
        uint8_t byte;
    } wrong[] = {{0, 0}, {7, 0x80}, {15, 0x80}, {23, 0x80}, {24, 0}, {24, 7}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memcpy(bytes, good, sizeof bytes);
        bytes[wrong[i].at] = wrong[i].byte;
        rows = slice_of(bytes, sizeof bytes);
        ck_assert_int_eq(keyring_rows_take(&row, key, &rows), ST_BAD_FIELD);
    }
    close_and_remove(keyring, 0);
}
END_TEST

SUITE_MAIN("keyring_rows", rows_come_whole_in_the_order_of_their_entries,
           the_same_rows_again_change_nothing,
           a_number_with_other_bytes_or_for_another_owner_has_diverged,
           keys_that_were_destroyed_here_do_not_come_back,
           a_destroyed_key_travels_as_its_tombstone,
           a_tombstone_does_not_destroy_a_key_that_is_here,
           missing_keys_are_filled_in_below_newer_ones,
           keys_of_entries_that_never_came_to_be_go_with_their_owners,
           rows_that_are_none_are_refused)
