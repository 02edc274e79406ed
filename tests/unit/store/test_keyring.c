/* ctest-label: threads */
#include "server/store/keyring.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "server/store/keyring_arena.h"
#include "server/store/keyring_map.h"
#include "server/store/keyring_rows.h"

#include "tests/lib/suite.h"

static const uint8_t wrapping_key[KEY_SIZE] = {1, 2, 3};
static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {9};

static char path[64];

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[80];

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

static struct keyring *reopen(void)
{
    struct keyring *keyring;

    ck_assert_int_eq(keyring_open(&keyring, path, wrapping_key, cluster_id),
                     ST_OK);
    return keyring;
}

static struct keyring *open_fresh(void)
{
    snprintf(path, sizeof path, "/tmp/defter-keyring-%d.db", (int)getpid());
    remove_files();
    return reopen();
}

static void close_and_remove(struct keyring *keyring)
{
    keyring_close(keyring);
    remove_files();
}

/* Key ${number} of subject ${owner}, all bytes ${byte}, used at ${index}. */
static void stage(struct keyring *keyring, uint64_t number, uint64_t owner,
                  uint64_t index, uint8_t byte)
{
    struct keyring_row row = {number, owner, index, KEYRING_RECORD};
    uint8_t key[KEY_SIZE];

    memset(key, byte, sizeof key);
    keyring_stage(keyring, &row, key);
}

static void expect_key(struct keyring *keyring, uint64_t number, uint8_t byte)
{
    uint8_t expected[KEY_SIZE], key[KEY_SIZE];

    memset(expected, byte, sizeof expected);
    ck_assert_int_eq(keyring_key(keyring, key, number), ST_OK);
    ck_assert_mem_eq(key, expected, KEY_SIZE);
}

static void expect_status(struct keyring *keyring, uint64_t number,
                          enum status status)
{
    uint8_t key[KEY_SIZE];

    ck_assert_int_eq(keyring_key(keyring, key, number), status);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(a_staged_key_is_found_and_read_at_once)
{
    struct keyring *keyring = open_fresh();

    ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 77), 0);
    stage(keyring, 5, 77, 10, 0xaa);
    ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 77), 5);
    ck_assert_uint_eq(keyring_find(keyring, KEYRING_EVIDENCE, 77), 0);
    ck_assert_uint_eq(keyring_last(keyring), 5);
    ck_assert_uint_eq(keyring_staged(keyring), 1);
    expect_key(keyring, 5, 0xaa);
    close_and_remove(keyring);
}
END_TEST

START_TEST(committed_keys_are_there_after_reopening_and_staged_ones_are_not)
{
    struct keyring *keyring = open_fresh();

    stage(keyring, 5, 77, 10, 0xaa);
    stage(keyring, (UINT64_C(2) << 32) + 1, 78, 11, 0xbb);
    keyring_commit(keyring);
    ck_assert_uint_eq(keyring_staged(keyring), 0);
    stage(keyring, (UINT64_C(2) << 32) + 2, 79, 12, 0xcc);
    keyring_close(keyring);

    keyring = reopen();
    expect_key(keyring, 5, 0xaa);
    expect_key(keyring, (UINT64_C(2) << 32) + 1, 0xbb);
    expect_status(keyring, (UINT64_C(2) << 32) + 2, ST_KEY_MISSING);
    ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 77), 5);
    ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 79), 0);
    ck_assert_uint_eq(keyring_last(keyring), (UINT64_C(2) << 32) + 1);
    close_and_remove(keyring);
}
END_TEST

START_TEST(keys_without_given_bytes_are_random)
{
    struct keyring *keyring = open_fresh();
    struct keyring_row row = {1, 1, 1, KEYRING_PERSON};
    const uint8_t zeros[KEY_SIZE] = {0};
    uint8_t first[KEY_SIZE], second[KEY_SIZE];

    keyring_stage(keyring, &row, NULL);
    row.number = row.owner = 2;
    keyring_stage(keyring, &row, NULL);
    ck_assert_int_eq(keyring_key(keyring, first, 1), ST_OK);
    ck_assert_int_eq(keyring_key(keyring, second, 2), ST_OK);
    ck_assert_mem_ne(first, second, KEY_SIZE);
    ck_assert_mem_ne(first, zeros, KEY_SIZE);
    close_and_remove(keyring);
}
END_TEST

START_TEST(a_person_may_have_many_credential_keys)
{
    struct keyring *keyring = open_fresh();
    struct keyring_row row = {1, 7, 1, KEYRING_CREDENTIAL};

    keyring_stage(keyring, &row, NULL);
    row.number = 2;
    keyring_stage(keyring, &row, NULL);
    keyring_commit(keyring);
    expect_status(keyring, 1, ST_OK);
    expect_status(keyring, 2, ST_OK);
    close_and_remove(keyring);
}
END_TEST

START_TEST(discarded_keys_are_gone_and_their_owners_may_have_new_ones)
{
    struct keyring *keyring = open_fresh();

    stage(keyring, 1, 77, 1, 1);
    keyring_commit(keyring);
    stage(keyring, 2, 78, 2, 2);
    stage(keyring, 3, 79, 2, 3);
    keyring_discard(keyring);
    expect_key(keyring, 1, 1);
    expect_status(keyring, 2, ST_KEY_MISSING);
    ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 78), 0);
    stage(keyring, 4, 78, 3, 4);
    expect_key(keyring, 4, 4);
    close_and_remove(keyring);
}
END_TEST

START_TEST(truncating_removes_the_keys_first_used_at_or_above_the_cut)
{
    struct keyring *keyring = open_fresh();

    stage(keyring, 1, 77, 10, 1);
    stage(keyring, 2, 78, 11, 2);
    stage(keyring, 3, 79, 12, 3);
    keyring_commit(keyring);
    keyring_truncate(keyring, 11);
    for (int pass = 0; pass < 2; pass++) {
        expect_key(keyring, 1, 1);
        expect_status(keyring, 2, ST_KEY_MISSING);
        expect_status(keyring, 3, ST_KEY_MISSING);
        ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 77), 1);
        ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 78), 0);
        keyring_close(keyring);
        keyring = reopen();
    }
    close_and_remove(keyring);
}
END_TEST

START_TEST(a_destroyed_key_is_erased_and_never_missing)
{
    struct keyring *keyring = open_fresh();
    const uint64_t numbers[] = {2, 9};

    stage(keyring, 1, 77, 10, 1);
    stage(keyring, 2, 78, 11, 2);
    keyring_commit(keyring);
    keyring_bury(keyring, numbers, 2, 50);
    for (int pass = 0; pass < 2; pass++) {
        expect_key(keyring, 1, 1);
        expect_status(keyring, 2, ST_ERASED);
        expect_status(keyring, 9, ST_ERASED);
        expect_status(keyring, 3, ST_KEY_MISSING);
        ck_assert_uint_eq(keyring_find(keyring, KEYRING_RECORD, 78), 0);
        ck_assert_uint_eq(keyring_last(keyring), 9);
        keyring_close(keyring);
        keyring = reopen();
    }
    close_and_remove(keyring);
}
END_TEST

/* True if the file or its WAL holds these bytes. */
static bool files_hold(const uint8_t *bytes, size_t size)
{
    static uint8_t content[1 << 20];
    static const char *const ends[] = {"", "-wal"};
    char name[80];

    for (int i = 0; i < 2; i++) {
        FILE *file;
        size_t used;

        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        file = fopen(name, "r");
        used = file == NULL ? 0 : fread(content, 1, sizeof content, file);
        if (file != NULL)
            fclose(file);
        if (used > 0 && memmem(content, used, bytes, size) != NULL)
            return true;
    }
    return false;
}

START_TEST(the_bytes_of_a_destroyed_key_are_in_no_file)
{
    struct keyring *keyring = open_fresh();
    const uint64_t number = 2;
    uint8_t wrapped[72];
    sqlite3 *db;
    sqlite3_stmt *statement;

    stage(keyring, 2, 78, 11, 2);
    keyring_commit(keyring);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT wrapped FROM key", -1, &statement, NULL);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    ck_assert_int_eq(sqlite3_column_bytes(statement, 0), sizeof wrapped);
    memcpy(wrapped, sqlite3_column_blob(statement, 0), sizeof wrapped);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    ck_assert(files_hold(wrapped, sizeof wrapped));
    keyring_bury(keyring, &number, 1, 50);
    ck_assert(!files_hold(wrapped, sizeof wrapped));
    close_and_remove(keyring);
}
END_TEST

enum { MANY = 3000, VICTIMS = 300, WRAPPED_SIZE = 72 };

static uint64_t number_of(uint64_t nth)
{
    return 1 + nth * 7919 % 100003; /* Scattered, each once. */
}

static void read_wrapped(uint8_t out[WRAPPED_SIZE], uint64_t number)
{
    sqlite3_stmt *statement;
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT wrapped FROM key WHERE number = ?1", -1,
                       &statement, NULL);
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    memcpy(out, sqlite3_column_blob(statement, 0), WRAPPED_SIZE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* SQLite moves rows between pages as a file grows and shrinks: what it leaves
 * behind then must not be what is destroyed later. */
START_TEST(no_copy_of_a_destroyed_key_is_left_where_pages_were_split_or_joined)
{
    static uint8_t wrapped[VICTIMS][WRAPPED_SIZE];
    struct keyring *keyring = open_fresh();
    uint64_t numbers[VICTIMS];
    uint8_t key[KEY_SIZE] = {1};

    for (uint64_t i = 0; i < MANY; i++) {
        struct keyring_row row = {number_of(i), i + 1, i + 1, KEYRING_RECORD};

        ck_assert_int_eq(keyring_accept(keyring, &row, key), ST_OK);
        if (i % 50 == 49)
            keyring_commit(keyring);
    }
    for (uint64_t i = 0; i < VICTIMS; i++) {
        numbers[i] = number_of(i * 9 + 3);
        read_wrapped(wrapped[i], numbers[i]);
    }
    /* In parts, so that pages are joined between them; and some others go. */
    for (uint64_t i = 0; i < VICTIMS; i += 25) {
        keyring_bury(keyring, numbers + i, 25, 5000 + i);
        keyring_truncate(keyring, MANY - i);
    }
    for (uint64_t i = 0; i < VICTIMS; i++) {
        expect_status(keyring, numbers[i], ST_ERASED);
        ck_assert_msg(!files_hold(wrapped[i], WRAPPED_SIZE),
                      "a copy of key %d is left", (int)i);
    }
    close_and_remove(keyring);
}
END_TEST

static void stage_credential(struct keyring *keyring, uint64_t number,
                             uint64_t owner)
{
    struct keyring_row row = {.number = number,
                              .owner = owner,
                              .first_index = 11,
                              .class = KEYRING_CREDENTIAL};

    keyring_stage(keyring, &row, NULL);
}

START_TEST(an_owner_s_keys_and_their_rows_are_told_to_any_thread)
{
    struct keyring *keyring = open_fresh();
    const uint64_t number = 2;
    struct keyring_row row;
    uint64_t numbers[4];

    stage(keyring, 2, 78, 11, 2);
    ck_assert_uint_eq(keyring_owned(keyring, numbers, 4, KEYRING_RECORD, 78, 0),
                      0); /* Only what is committed. */
    keyring_commit(keyring);
    ck_assert_uint_eq(keyring_owned(keyring, numbers, 4, KEYRING_RECORD, 78, 0),
                      1);
    ck_assert_uint_eq(numbers[0], 2);
    ck_assert_uint_eq(
        keyring_owned(keyring, numbers, 4, KEYRING_EVIDENCE, 78, 0), 0);
    ck_assert_int_eq(keyring_row(keyring, &row, 2), ST_OK);
    ck_assert_uint_eq(row.owner, 78);
    ck_assert_uint_eq(row.first_index, 11);
    ck_assert_int_eq(keyring_row(keyring, &row, 3), ST_KEY_MISSING);
    keyring_bury(keyring, &number, 1, 50);
    ck_assert_int_eq(keyring_row(keyring, &row, 2), ST_ERASED);
    ck_assert_uint_eq(keyring_owned(keyring, numbers, 4, KEYRING_RECORD, 78, 0),
                      0);
    close_and_remove(keyring);
}
END_TEST

START_TEST(an_owner_s_keys_are_told_from_any_number_on)
{
    struct keyring *keyring = open_fresh();
    uint64_t numbers[4];

    for (uint8_t i = 2; i < 7; i++)
        stage_credential(keyring, i, 78);
    keyring_commit(keyring);
    ck_assert_uint_eq(
        keyring_owned(keyring, numbers, 4, KEYRING_CREDENTIAL, 78, 0), 4);
    ck_assert_uint_eq(numbers[3], 5);
    ck_assert_uint_eq(
        keyring_owned(keyring, numbers, 4, KEYRING_CREDENTIAL, 78, 5), 1);
    ck_assert_uint_eq(numbers[0], 6);
    ck_assert_uint_eq(
        keyring_owned(keyring, numbers, 4, KEYRING_CREDENTIAL, 78, 6), 0);
    close_and_remove(keyring);
}
END_TEST

START_TEST(keys_that_are_staged_count_against_an_owner_s_limit)
{
    struct keyring *keyring = open_fresh();
    const uint64_t number = 2;

    stage_credential(keyring, 2, 78);
    keyring_commit(keyring);
    stage_credential(keyring, 3, 78);
    stage_credential(keyring, 4, 79);
    ck_assert(keyring_has_room(keyring, KEYRING_CREDENTIAL, 78, 1, 3));
    ck_assert(!keyring_has_room(keyring, KEYRING_CREDENTIAL, 78, 2, 3));
    keyring_commit(keyring);
    ck_assert(!keyring_has_room(keyring, KEYRING_CREDENTIAL, 78, 2, 3));
    keyring_bury(keyring, &number, 1, 50);
    ck_assert(keyring_has_room(keyring, KEYRING_CREDENTIAL, 78, 2, 3));
    close_and_remove(keyring);
}
END_TEST

START_TEST(another_wrapping_key_or_cluster_is_refused)
{
    struct keyring *keyring = open_fresh();
    uint8_t other_key[KEY_SIZE] = {1, 2, 4};
    uint8_t other_id[CLUSTER_ID_SIZE] = {8};

    keyring_close(keyring);
    ck_assert_int_eq(keyring_open(&keyring, path, other_key, cluster_id),
                     ST_SEAL);
    ck_assert_ptr_null(keyring);
    ck_assert_int_eq(keyring_open(&keyring, path, wrapping_key, other_id),
                     ST_FILE_FORMAT);
    run_sql("UPDATE head SET version = 2");
    ck_assert_int_eq(keyring_open(&keyring, path, wrapping_key, cluster_id),
                     ST_FILE_FORMAT);
    remove_files();
    ck_assert_int_eq(
        keyring_open(&keyring, "/nowhere/k.db", wrapping_key, cluster_id),
        ST_DISK_FAILED);
}
END_TEST

START_TEST(a_changed_row_does_not_open)
{
    static const char *const changes[] = {
        "UPDATE key SET wrapped = CAST(wrapped || x'00' AS BLOB)",
        "UPDATE key SET wrapped = x''",
        "UPDATE key SET owner = owner + 1",
        "UPDATE key SET class = class + 1",
        "UPDATE key SET wrapped = CAST(substr(wrapped, 1, 71) || CASE "
        "substr(wrapped, 72) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB)",
        "UPDATE key SET wrapped = CAST(CASE substr(wrapped, 1, 1) WHEN x'00' "
        "THEN x'01' ELSE x'00' END || substr(wrapped, 2) AS BLOB)",
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct keyring *keyring = open_fresh();

        stage(keyring, 5, 77, 10, 0xaa);
        keyring_commit(keyring);
        keyring_close(keyring);
        run_sql(changes[i]);
        keyring = reopen();
        expect_status(keyring, 5, ST_SEAL);
        close_and_remove(keyring);
    }
}
END_TEST

START_TEST(a_row_moved_to_another_number_does_not_open)
{
    struct keyring *keyring = open_fresh();

    stage(keyring, 5, 77, 10, 0xaa);
    keyring_commit(keyring);
    keyring_close(keyring);
    run_sql("UPDATE key SET number = 6");
    keyring = reopen();
    expect_status(keyring, 6, ST_SEAL);
    close_and_remove(keyring);
}
END_TEST

START_TEST(only_the_owner_may_read_the_files)
{
    struct keyring *keyring = open_fresh();
    struct stat found;
    char wal[80];

    stage(keyring, 1, 1, 1, 1);
    keyring_commit(keyring);
    snprintf(wal, sizeof wal, "%s-wal", path);
    ck_assert_int_eq(stat(path, &found), 0);
    ck_assert_int_eq(found.st_mode & 0077, 0);
    ck_assert_int_eq(stat(wal, &found), 0);
    ck_assert_int_eq(found.st_mode & 0077, 0);
    close_and_remove(keyring);
}
END_TEST

START_TEST(more_keys_than_the_arena_holds_are_all_readable)
{
    enum { KEYS = SEAL_ARENA_KEYS_MAX + 1000 };
    struct keyring *keyring = open_fresh();

    for (uint64_t number = 1; number <= KEYS; number++)
        stage(keyring, number, number, number, (uint8_t)number);
    for (uint64_t number = 1; number <= KEYS; number += 97)
        expect_key(keyring, number, (uint8_t)number);
    keyring_commit(keyring);
    for (uint64_t number = 1; number <= KEYS; number += 97)
        expect_key(keyring, number, (uint8_t)number);
    close_and_remove(keyring);
}
END_TEST

START_TEST(the_arena_lets_go_of_what_was_not_used_for_longest)
{
    struct keyring_arena *arena = keyring_arena_open();
    uint8_t key[KEY_SIZE] = {0};

    /* All of one set. */
    for (uint64_t i = 0; i < KEYRING_WAYS; i++)
        keyring_arena_put(arena, 1 + i * KEYRING_SETS, key);
    ck_assert(keyring_arena_get(arena, key, 1));
    keyring_arena_put(arena, 1 + 100 * KEYRING_SETS, key);
    ck_assert(keyring_arena_get(arena, key, 1));
    ck_assert(!keyring_arena_get(arena, key, 1 + KEYRING_SETS));
    ck_assert(keyring_arena_get(arena, key, 1 + 100 * KEYRING_SETS));
    keyring_arena_drop(arena, 1);
    ck_assert(!keyring_arena_get(arena, key, 1));
    keyring_arena_drop_all(arena);
    ck_assert(!keyring_arena_get(arena, key, 1 + 100 * KEYRING_SETS));
    keyring_arena_close(arena);
}
END_TEST

START_TEST(the_map_keeps_every_owner_through_growth_and_removal)
{
    enum { OWNERS = 5000 };
    struct keyring_map map;

    keyring_map_init(&map);
    for (uint64_t i = 1; i <= OWNERS; i++)
        keyring_map_add(&map, (uint8_t)(1 + i % 2), i / 2, i);
    keyring_map_add(&map, 2, 0, 9999); /* Has one already. */
    ck_assert_uint_eq(keyring_map_find(&map, 2, 0), 1);
    for (uint64_t i = 3; i <= OWNERS; i += 3)
        keyring_map_remove(&map, (uint8_t)(1 + i % 2), i / 2, i);
    keyring_map_remove(&map, 2, 0, 9999); /* Not its number. */
    for (uint64_t i = 1; i <= OWNERS; i++)
        ck_assert_uint_eq(keyring_map_find(&map, (uint8_t)(1 + i % 2), i / 2),
                          i % 3 == 0 ? 0 : i);
    keyring_map_wipe(&map);
}
END_TEST

enum { READS = 3000 };

static void *read_keys(void *context)
{
    struct keyring *keyring = context;
    uint8_t key[KEY_SIZE];

    for (uint64_t i = 0; i < READS; i++) {
        if (keyring_key(keyring, key, 1 + i % 100) != ST_OK)
            return context;
    }
    return NULL;
}

START_TEST(keys_are_read_by_other_threads_while_new_ones_are_committed)
{
    struct keyring *keyring = open_fresh();
    pthread_t threads[2];
    void *failed;

    for (uint64_t number = 1; number <= 100; number++)
        stage(keyring, number, number, 1, 1);
    keyring_commit(keyring);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, read_keys, keyring);
    for (uint64_t number = 101; number <= 1000; number++) {
        stage(keyring, number, number, 1, 1);
        if (number % 100 == 0)
            keyring_commit(keyring);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    close_and_remove(keyring);
}
END_TEST

SUITE_MAIN("keyring", a_staged_key_is_found_and_read_at_once,
           committed_keys_are_there_after_reopening_and_staged_ones_are_not,
           keys_without_given_bytes_are_random,
           a_person_may_have_many_credential_keys,
           discarded_keys_are_gone_and_their_owners_may_have_new_ones,
           truncating_removes_the_keys_first_used_at_or_above_the_cut,
           a_destroyed_key_is_erased_and_never_missing,
           the_bytes_of_a_destroyed_key_are_in_no_file,
           no_copy_of_a_destroyed_key_is_left_where_pages_were_split_or_joined,
           an_owner_s_keys_and_their_rows_are_told_to_any_thread,
           an_owner_s_keys_are_told_from_any_number_on,
           keys_that_are_staged_count_against_an_owner_s_limit,
           another_wrapping_key_or_cluster_is_refused,
           a_changed_row_does_not_open,
           a_row_moved_to_another_number_does_not_open,
           only_the_owner_may_read_the_files,
           more_keys_than_the_arena_holds_are_all_readable,
           the_arena_lets_go_of_what_was_not_used_for_longest,
           the_map_keeps_every_owner_through_growth_and_removal,
           keys_are_read_by_other_threads_while_new_ones_are_committed)
