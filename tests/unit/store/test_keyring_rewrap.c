#include "server/store/keyring_rewrap.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/store/database.h"
#include "server/store/keyring_private.h"
#include "tests/lib/suite.h"

enum { MANY = 5000, FILE_SIZE_MAX = 4 * 1024 * 1024, CUT_EXIT = 77 };

static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {9};
static const uint8_t old_key[KEY_SIZE] = {1, 2, 3}, new_key[KEY_SIZE] = {4, 5};
static const uint8_t other_key[KEY_SIZE] = {6};

static char path[64];

static struct keyring *open_under(const uint8_t key[KEY_SIZE])
{
    struct keyring *keyring;

    ck_assert_int_eq(keyring_open(&keyring, path, key, cluster_id), ST_OK);
    return keyring;
}

static struct keyring *open_fresh(void)
{
    snprintf(path, sizeof path, "/tmp/defter-rewrap-%d.db", (int)getpid());
    database_remove(path);
    return open_under(old_key);
}

static void key_of(uint8_t out[KEY_SIZE], uint64_t number)
{
    memset(out, 0, KEY_SIZE);
    store_u64(out, number * 2654435761U);
}

static void stage(struct keyring *keyring, uint64_t number)
{
    const struct keyring_row row = {number, number + 7, number + 1,
                                    KEYRING_RECORD};
    uint8_t key[KEY_SIZE];

    key_of(key, number);
    keyring_stage(keyring, &row, key);
}

static void fill(struct keyring *keyring, uint64_t count)
{
    for (uint64_t number = 1; number <= count; number++)
        stage(keyring, number);
    keyring_commit(keyring);
}

static void expect_row(struct keyring *keyring, uint64_t number)
{
    uint8_t expected[KEY_SIZE], key[KEY_SIZE];
    struct keyring_row row = {0};

    key_of(expected, number);
    ck_assert_int_eq(keyring_key(keyring, key, number), ST_OK);
    ck_assert_mem_eq(key, expected, KEY_SIZE);
    ck_assert_int_eq(keyring_row(keyring, &row, number), ST_OK);
    ck_assert_uint_eq(row.owner, number + 7);
    ck_assert_uint_eq(row.first_index, number + 1);
    ck_assert_int_eq(row.class, KEYRING_RECORD);
}

/* All ${count} keys open, and under this wrapping key alone. */
static void expect_under(const uint8_t key[KEY_SIZE], uint64_t count)
{
    const uint8_t *former = key == old_key ? new_key : old_key;
    struct keyring *keyring;

    ck_assert_int_eq(keyring_open(&keyring, path, former, cluster_id), ST_SEAL);
    keyring = open_under(key);
    ck_assert_uint_eq(keyring_last(keyring), count);
    for (uint64_t number = 1; number <= count; number++)
        expect_row(keyring, number);
    keyring_close(keyring);
}

static uint64_t rewrap(struct keyring *keyring)
{
    uint64_t count = UINT64_MAX;

    ck_assert_int_eq(keyring_rewrap(keyring, &count, new_key), ST_OK);
    return count;
}

static enum keyring_rewrap_fit fit_of(const uint8_t key[KEY_SIZE])
{
    enum keyring_rewrap_fit fit;

    ck_assert_int_eq(keyring_rewrap_judge(&fit, path, key, cluster_id), ST_OK);
    return fit;
}

static void run_sql(const char *sql)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(every_key_opens_under_the_new_wrapping_key_and_none_under_the_old)
{
    struct keyring *keyring = open_fresh();

    fill(keyring, 3);
    ck_assert_uint_eq(rewrap(keyring), 3);
    keyring_close(keyring);
    expect_under(new_key, 3);
    database_remove(path);
}
END_TEST

START_TEST(an_empty_keyring_goes_under_the_new_key_as_well)
{
    struct keyring *keyring = open_fresh();

    ck_assert_uint_eq(rewrap(keyring), 0);
    keyring_close(keyring);
    expect_under(new_key, 0);
    database_remove(path);
}
END_TEST

START_TEST(tombstones_stay_as_they_are)
{
    const uint64_t numbers[] = {2, 9};
    struct keyring *keyring = open_fresh();
    uint64_t number = 0, act = 0;
    uint8_t key[KEY_SIZE];

    fill(keyring, 3);
    keyring_bury(keyring, numbers, 2, 50);
    ck_assert_uint_eq(rewrap(keyring), 2);
    keyring_close(keyring);
    keyring = open_under(new_key);
    expect_row(keyring, 1);
    expect_row(keyring, 3);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(keyring_key(keyring, key, numbers[i]), ST_ERASED);
        ck_assert(keyring_next_buried(keyring, &number, &act));
        ck_assert_uint_eq(number, numbers[i]);
        ck_assert_uint_eq(act, 50);
    }
    ck_assert(!keyring_next_buried(keyring, &number, &act));
    ck_assert_uint_eq(keyring_last(keyring), 9);
    keyring_close(keyring);
    database_remove(path);
}
END_TEST

/* The wrapped bytes of every row, one behind the other. */
static size_t read_wrapped(uint8_t *out, size_t size_max)
{
    sqlite3_stmt *statement;
    size_t used = 0;
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT wrapped FROM key", -1, &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        ck_assert_int_eq(sqlite3_column_bytes(statement, 0),
                         KEYRING_WRAPPED_SIZE);
        ck_assert_uint_le(used + KEYRING_WRAPPED_SIZE, size_max);
        memcpy(out + used, sqlite3_column_blob(statement, 0),
               KEYRING_WRAPPED_SIZE);
        used += KEYRING_WRAPPED_SIZE;
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return used;
}

static size_t read_file(uint8_t out[FILE_SIZE_MAX], const char *end)
{
    char name[80];
    FILE *file;
    size_t size;

    snprintf(name, sizeof name, "%s%s", path, end);
    file = fopen(name, "r");
    size = file == NULL ? 0 : fread(out, 1, FILE_SIZE_MAX, file);
    if (file != NULL)
        fclose(file);
    ck_assert_uint_lt(size, FILE_SIZE_MAX);
    return size;
}

START_TEST(thousands_of_rows_leave_none_of_their_former_bytes)
{
    static uint8_t wrapped[MANY * KEYRING_WRAPPED_SIZE], file[FILE_SIZE_MAX];
    struct keyring *keyring = open_fresh();
    size_t size;

    fill(keyring, MANY);
    size = read_wrapped(wrapped, sizeof wrapped);
    ck_assert_uint_eq(size, sizeof wrapped);
    ck_assert_uint_eq(rewrap(keyring), MANY);
    ck_assert_uint_eq(read_file(file, "-wal"), 0);
    size = read_file(file, "");
    /* The nonces alone are as good to find them by. */
    for (size_t i = 0; i < MANY; i += 7)
        ck_assert_ptr_null(memmem(
            file, size, wrapped + i * KEYRING_WRAPPED_SIZE, SEAL_NONCE_SIZE));
    keyring_close(keyring);
    expect_under(new_key, MANY);
    database_remove(path);
}
END_TEST

START_TEST(a_keyring_goes_on_under_the_key_that_it_got)
{
    struct keyring *keyring = open_fresh();

    fill(keyring, 3);
    rewrap(keyring);
    expect_row(keyring, 2);
    stage(keyring, 4);
    keyring_commit(keyring);
    expect_row(keyring, 4);
    keyring_close(keyring);
    expect_under(new_key, 4);
    database_remove(path);
}
END_TEST

START_TEST(one_row_that_does_not_open_leaves_all_under_the_former_key)
{
    struct keyring *keyring = open_fresh();
    uint64_t count;

    fill(keyring, 3);
    keyring_rewrap_announce(keyring, new_key);
    keyring_close(keyring);
    run_sql("UPDATE key SET owner = owner + 1 WHERE number = 3");
    keyring = open_under(old_key);
    ck_assert_int_eq(keyring_rewrap(keyring, &count, new_key), ST_SEAL);
    expect_row(keyring, 1);
    keyring_close(keyring);
    ck_assert_int_eq(fit_of(old_key), KEYRING_REWRAP_CURRENT);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_ANNOUNCED);
    run_sql("UPDATE key SET owner = owner - 1 WHERE number = 3");
    expect_under(old_key, 3);
    database_remove(path);
}
END_TEST

START_TEST(a_key_is_current_or_announced_or_foreign)
{
    struct keyring *keyring = open_fresh();

    fill(keyring, 3);
    keyring_close(keyring);
    ck_assert_int_eq(fit_of(old_key), KEYRING_REWRAP_CURRENT);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_FOREIGN);
    keyring = open_under(old_key);
    keyring_rewrap_announce(keyring, other_key);
    keyring_rewrap_announce(keyring, new_key); /* One at a time. */
    keyring_close(keyring);
    ck_assert_int_eq(fit_of(old_key), KEYRING_REWRAP_CURRENT);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_ANNOUNCED);
    ck_assert_int_eq(fit_of(other_key), KEYRING_REWRAP_FOREIGN);
    keyring = open_under(old_key);
    rewrap(keyring);
    keyring_close(keyring);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_CURRENT);
    ck_assert_int_eq(fit_of(old_key), KEYRING_REWRAP_FOREIGN);
    database_remove(path);
}
END_TEST

START_TEST(what_is_settled_is_announced_no_more)
{
    struct keyring *keyring = open_fresh();

    fill(keyring, 3);
    keyring_rewrap_announce(keyring, new_key);
    keyring_rewrap_settle(keyring);
    keyring_close(keyring);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_FOREIGN);
    expect_under(old_key, 3);
    database_remove(path);
}
END_TEST

START_TEST(a_keyring_of_a_former_version_knows_of_no_announcement)
{
    struct keyring *keyring = open_fresh();

    fill(keyring, 3);
    keyring_close(keyring);
    run_sql("DROP TABLE announced");
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_FOREIGN);
    ck_assert_int_eq(fit_of(old_key), KEYRING_REWRAP_CURRENT);
    keyring = open_under(old_key);
    keyring_rewrap_announce(keyring, new_key);
    keyring_close(keyring);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_ANNOUNCED);
    database_remove(path);
}
END_TEST

START_TEST(who_judges_a_key_makes_no_keyring)
{
    const uint8_t other_id[CLUSTER_ID_SIZE] = {8};
    enum keyring_rewrap_fit fit;
    struct keyring *keyring = open_fresh();

    keyring_close(keyring);
    ck_assert_int_eq(keyring_rewrap_judge(&fit, path, old_key, other_id),
                     ST_FILE_FORMAT);
    database_remove(path);
    ck_assert_int_eq(keyring_rewrap_judge(&fit, path, old_key, cluster_id),
                     ST_NO_FILE);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* ---- The end of the process ---------------------------------------------- */

static int end_before_commit(void *context)
{
    (void)context;
    _exit(CUT_EXIT);
}

static int end_after_commit(void *context, sqlite3 *db, const char *name,
                            int pages)
{
    (void)context;
    (void)db;
    (void)name;
    (void)pages;
    _exit(CUT_EXIT);
}

/* A process of its own rewraps, and ends where it is told to. */
static void rewrap_and_end(bool committed)
{
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct keyring *keyring = open_under(old_key);

        keyring_rewrap_announce(keyring, new_key);
        if (committed)
            sqlite3_wal_hook(keyring->writer, end_after_commit, NULL);
        else
            sqlite3_commit_hook(keyring->writer, end_before_commit, NULL);
        rewrap(keyring);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), CUT_EXIT);
}

START_TEST(an_end_before_the_commit_leaves_the_announced_key_unused)
{
    struct keyring *keyring = open_fresh();

    fill(keyring, 100);
    keyring_close(keyring);
    rewrap_and_end(false);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_ANNOUNCED);
    expect_under(old_key, 100);
    database_remove(path);
}
END_TEST

START_TEST(an_end_after_the_commit_leaves_the_new_key_current)
{
    static uint8_t wrapped[100 * KEYRING_WRAPPED_SIZE], file[FILE_SIZE_MAX];
    struct keyring *keyring = open_fresh();
    size_t size;

    fill(keyring, 100);
    keyring_close(keyring);
    ck_assert_uint_eq(read_wrapped(wrapped, sizeof wrapped), sizeof wrapped);
    rewrap_and_end(true);
    ck_assert_uint_gt(read_file(file, "-wal"), 0);
    ck_assert_int_eq(fit_of(new_key), KEYRING_REWRAP_CURRENT);
    keyring = open_under(new_key);
    keyring_rewrap_settle(keyring);
    ck_assert_uint_eq(read_file(file, "-wal"), 0);
    size = read_file(file, "");
    for (size_t at = 0; at < sizeof wrapped; at += KEYRING_WRAPPED_SIZE)
        ck_assert_ptr_null(memmem(file, size, wrapped + at, SEAL_NONCE_SIZE));
    keyring_close(keyring);
    expect_under(new_key, 100);
    database_remove(path);
}
END_TEST

SUITE_MAIN("keyring_rewrap",
           every_key_opens_under_the_new_wrapping_key_and_none_under_the_old,
           an_empty_keyring_goes_under_the_new_key_as_well,
           tombstones_stay_as_they_are,
           thousands_of_rows_leave_none_of_their_former_bytes,
           a_keyring_goes_on_under_the_key_that_it_got,
           one_row_that_does_not_open_leaves_all_under_the_former_key,
           a_key_is_current_or_announced_or_foreign,
           what_is_settled_is_announced_no_more,
           a_keyring_of_a_former_version_knows_of_no_announcement,
           who_judges_a_key_makes_no_keyring,
           an_end_before_the_commit_leaves_the_announced_key_unused,
           an_end_after_the_commit_leaves_the_new_key_current)
