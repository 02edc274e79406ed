/* ctest-timeout: 300 */
#include "server/store/rewrap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/files.h"
#include "protocol/keyfile.h"
#include "server/store/database.h"
#include "server/store/keyring_rewrap.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

enum { KEYS = 3, PENDING_MAX = 8, DB_SIZE_MAX = 1024 * 1024 };

static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {9};
static const uint8_t first_key[KEY_SIZE] = {1, 2, 3};

static struct disk_model *model;
static struct rewrap rewrap;
static struct rewrap_report report;
static char path[64], kept_path[64];

/* ---- A keyring, and the key beside it ------------------------------------ */

static void put_key(const char *name, const uint8_t secret[KEY_SIZE])
{
    uint8_t bytes[KEYFILE_SIZE];
    struct keyfile key;

    keyfile_make(&key, KEYFILE_KEYRING, cluster_id, secret);
    keyfile_encode(bytes, &key);
    /* So that no bytes are left of what lay there. */
    ck_assert_int_eq(disk_discard(rewrap.disk, name, ""), ST_OK);
    ck_assert_int_eq(disk_replace(rewrap.disk, name, "", bytes, sizeof bytes),
                     ST_OK);
}

static void use(struct disk_model *next)
{
    disk_model_free(model);
    model = next;
    rewrap.disk = disk_model_disk(model);
}

static void begin(uint64_t keys)
{
    struct keyring *keyring;

    snprintf(path, sizeof path, "/tmp/defter-rewrap-%d.db", (int)getpid());
    snprintf(kept_path, sizeof kept_path, "/tmp/defter-rewrap-%d.kept",
             (int)getpid());
    database_remove(path);
    model = disk_model_new();
    rewrap = (struct rewrap){.disk = disk_model_disk(model), .keyring = path};
    memcpy(rewrap.cluster_id, cluster_id, CLUSTER_ID_SIZE);
    put_key(FILE_KEYRING_KEY, first_key);
    ck_assert_int_eq(keyring_open(&keyring, path, first_key, cluster_id),
                     ST_OK);
    for (uint64_t number = 1; number <= keys; number++) {
        const struct keyring_row row = {number, number, number, KEYRING_RECORD};
        const uint8_t key[KEY_SIZE] = {(uint8_t)number};

        keyring_stage(keyring, &row, key);
    }
    keyring_commit(keyring);
    keyring_close(keyring);
}

static void finish(void)
{
    database_remove(path);
    database_remove(kept_path);
    disk_model_free(model);
}

static bool is_there(const char *name)
{
    const uint8_t *data;
    size_t size;

    return disk_model_peek(model, name, &data, &size);
}

static void key_at(uint8_t secret_out[KEY_SIZE], const char *name)
{
    const uint8_t *data;
    struct keyfile key;
    size_t size;

    ck_assert(disk_model_peek(model, name, &data, &size));
    ck_assert_int_eq(
        keyfile_decode(&key, slice_of(data, size), KEYFILE_KEYRING), ST_OK);
    memcpy(secret_out, key.secret, KEY_SIZE);
}

/* keyring.key alone is there, whole, and opens every seal key; no byte of
 * another lies anywhere. */
static void expect_whole(uint64_t keys)
{
    uint8_t secret[KEY_SIZE], key[KEY_SIZE];
    struct keyring *keyring;

    ck_assert(!is_there(FILE_KEYRING_KEY_PART));
    ck_assert(!is_there(FILE_KEYRING_KEY_NEXT));
    ck_assert(!is_there(FILE_KEYRING_KEY_FORMER));
    ck_assert_uint_eq(disk_model_left(model), 0);
    key_at(secret, FILE_KEYRING_KEY);
    ck_assert_int_eq(keyring_open(&keyring, path, secret, cluster_id), ST_OK);
    for (uint64_t number = 1; number <= keys; number++) {
        ck_assert_int_eq(keyring_key(keyring, key, number), ST_OK);
        ck_assert_uint_eq(key[0], number);
    }
    ck_assert_uint_eq(keyring_last(keyring), keys);
    keyring_close(keyring);
}

static enum status run(void)
{
    return rewrap_run(&report, &rewrap, first_key);
}

static enum status settle(void)
{
    return rewrap_settle(&report, &rewrap);
}

static bool is_first(void)
{
    uint8_t secret[KEY_SIZE];

    key_at(secret, FILE_KEYRING_KEY);
    return memcmp(secret, first_key, KEY_SIZE) == 0;
}

START_TEST(another_key_takes_the_place_of_the_first_and_opens_every_row)
{
    begin(KEYS);
    ck_assert_int_eq(run(), ST_OK);
    ck_assert_uint_eq(report.rows_count, KEYS);
    ck_assert(!is_first());
    expect_whole(KEYS);
    ck_assert_int_eq(settle(), ST_OK);
    ck_assert_int_eq(report.found, REWRAP_NOTHING);
    finish();
}
END_TEST

START_TEST(an_empty_keyring_gets_another_key_as_well)
{
    begin(0);
    ck_assert_int_eq(run(), ST_OK);
    ck_assert_uint_eq(report.rows_count, 0);
    ck_assert(!is_first());
    expect_whole(0);
    finish();
}
END_TEST

START_TEST(the_former_key_s_bytes_are_overwritten)
{
    uint8_t bytes[KEYFILE_SIZE];
    struct disk_file *former;
    size_t got;

    begin(KEYS);
    ck_assert_int_eq(disk_open(rewrap.disk, &former, FILE_KEYRING_KEY), ST_OK);
    ck_assert_int_eq(run(), ST_OK);
    ck_assert_int_eq(disk_read(former, &got, bytes, sizeof bytes, 0), ST_OK);
    ck_assert_uint_eq(got, KEYFILE_SIZE);
    ck_assert_int_eq(sodium_is_zero(bytes, got), 1);
    disk_close(former);
    finish();
}
END_TEST

START_TEST(without_a_keyring_there_is_nothing_to_wrap_and_none_is_made)
{
    begin(KEYS);
    database_remove(path);
    ck_assert_int_eq(settle(), ST_OK);
    ck_assert_int_eq(run(), ST_NO_FILE);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert(is_first());
    ck_assert(!is_there(FILE_KEYRING_KEY_NEXT));
    finish();
}
END_TEST

START_TEST(a_key_that_does_not_open_the_keyring_is_not_replaced)
{
    const uint8_t wrong[KEY_SIZE] = {7};

    begin(KEYS);
    ck_assert_int_eq(rewrap_run(&report, &rewrap, wrong), ST_SEAL);
    ck_assert_str_eq(report.file, FILE_KEYRING_KEY);
    ck_assert(is_first());
    expect_whole(KEYS);
    finish();
}
END_TEST

/* ---- Keys that nobody knows ---------------------------------------------- */

static void expect_refused(enum status expected, const char *file)
{
    uint64_t before = disk_model_digest(model);

    ck_assert_int_eq(settle(), expected);
    ck_assert_str_eq(report.file, file);
    ck_assert_int_eq(report.found, REWRAP_NOTHING);
    ck_assert_uint_eq(disk_model_digest(model), before);
}

START_TEST(a_next_key_that_was_not_made_here_is_named_and_nothing_is_removed)
{
    const uint8_t foreign[KEY_SIZE] = {7};

    begin(KEYS);
    put_key(FILE_KEYRING_KEY_NEXT, foreign);
    put_key(FILE_KEYRING_KEY_PART, foreign);
    expect_refused(ST_SEAL, FILE_KEYRING_KEY_NEXT);
    /* Not beside the key of a keyring that is gone either. */
    database_remove(path);
    expect_refused(ST_NO_FILE, FILE_KEYRING_DB);
    finish();
}
END_TEST

START_TEST(a_next_key_that_is_none_is_named_and_nothing_is_removed)
{
    uint8_t bytes[KEYFILE_SIZE + 1] = {0};

    begin(KEYS);
    for (size_t size = 0; size <= sizeof bytes; size += KEYFILE_SIZE) {
        ck_assert_int_eq(
            disk_replace(rewrap.disk, FILE_KEYRING_KEY_NEXT, "", bytes, size),
            ST_OK);
        expect_refused(ST_FILE_FORMAT, FILE_KEYRING_KEY_NEXT);
    }
    finish();
}
END_TEST

static void announce(const uint8_t next[KEY_SIZE])
{
    struct keyring *keyring;

    ck_assert_int_eq(keyring_open(&keyring, path, first_key, cluster_id),
                     ST_OK);
    keyring_rewrap_announce(keyring, next);
    keyring_close(keyring);
}

START_TEST(a_next_key_stays_where_keyring_key_does_not_open_the_keyring_either)
{
    const uint8_t next[KEY_SIZE] = {7}, wrong[KEY_SIZE] = {8};

    begin(KEYS);
    announce(next);
    put_key(FILE_KEYRING_KEY_NEXT, next);
    put_key(FILE_KEYRING_KEY, wrong);
    expect_refused(ST_SEAL, FILE_KEYRING_KEY);
    ck_assert_int_eq(disk_discard(rewrap.disk, FILE_KEYRING_KEY, ""), ST_OK);
    expect_refused(ST_NO_FILE, FILE_KEYRING_KEY);
    put_key(FILE_KEYRING_KEY, first_key);
    ck_assert_int_eq(settle(), ST_OK);
    ck_assert_int_eq(report.found, REWRAP_UNDONE);
    expect_whole(KEYS);
    finish();
}
END_TEST

START_TEST(a_former_key_stays_where_keyring_key_opens_nothing)
{
    const uint8_t wrong[KEY_SIZE] = {8};

    begin(KEYS);
    put_key(FILE_KEYRING_KEY_FORMER, first_key);
    put_key(FILE_KEYRING_KEY, wrong);
    expect_refused(ST_SEAL, FILE_KEYRING_KEY);
    finish();
}
END_TEST

START_TEST(a_damaged_row_leaves_the_first_key_and_takes_the_next_one_back)
{
    sqlite3 *db;

    begin(KEYS);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "UPDATE key SET owner = 9 WHERE number = 3",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    ck_assert_int_eq(run(), ST_SEAL);
    ck_assert_str_eq(report.file, FILE_KEYRING_DB);
    ck_assert_int_eq(settle(), ST_OK);
    ck_assert_int_eq(report.found, REWRAP_UNDONE);
    ck_assert(is_first());
    ck_assert(!is_there(FILE_KEYRING_KEY_NEXT));
    finish();
}
END_TEST

/* ---- What a loss of power leaves ----------------------------------------- */

/* The keyring, which nobody has open, as it stands; and back again. */
static void copy_file(const char *to, const char *from)
{
    static uint8_t bytes[DB_SIZE_MAX];
    FILE *file = fopen(from, "r");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = fread(bytes, 1, sizeof bytes, file);
    ck_assert_uint_lt(size, sizeof bytes);
    fclose(file);
    database_remove(to);
    file = fopen(to, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Settling is cut off at each of its calls, too, and whatever is pending then
 * is lost or kept; the next one comes to the same end. */
static void settle_cut_off(const struct disk_model *found, bool was_first)
{
    bool was_off = true;

    for (size_t calls = 0; was_off; calls++) {
        copy_file(path, kept_path);
        use(disk_model_copy(found));
        disk_model_power_off_after(model, calls);
        (void)!settle();
        was_off = disk_model_is_off(model);
        disk_model_lose_power(model, NULL, 0, calls % 2 == 0, SIZE_MAX);
        ck_assert_int_eq(settle(), ST_OK);
        expect_whole(KEYS);
        ck_assert_int_eq(is_first(), was_first);
    }
}

struct found_counts {
    size_t nothing;
    size_t finished;
    size_t undone;
};

/* Exactly one of both keys is there afterwards, and a rewrap goes through. */
static void expect_good_after(const struct disk_model *off, uint8_t keep,
                              struct found_counts *counts)
{
    struct disk_model *found =
        disk_model_crash(off, &keep, sizeof keep, false, SIZE_MAX);
    uint8_t secret[KEY_SIZE];
    bool was_first;

    use(disk_model_copy(found));
    ck_assert_int_eq(settle(), ST_OK);
    counts->nothing += report.found == REWRAP_NOTHING;
    counts->finished += report.found == REWRAP_FINISHED;
    counts->undone += report.found == REWRAP_UNDONE;
    expect_whole(KEYS);
    was_first = is_first();
    ck_assert(report.found != REWRAP_UNDONE || was_first);
    ck_assert(report.found != REWRAP_FINISHED || !was_first);
    settle_cut_off(found, was_first);
    key_at(secret, FILE_KEYRING_KEY);
    ck_assert_int_eq(rewrap_run(&report, &rewrap, secret), ST_OK);
    expect_whole(KEYS);
    ck_assert(!is_first());
    disk_model_free(found);
    copy_file(path, kept_path);
}

/*
 * Whichever part of what was under way the power leaves: keyring.db is as its
 * last transaction left it, the key files are the model's.
 */
START_TEST(a_loss_of_power_at_any_call_leaves_one_key_and_every_seal_key)
{
    struct found_counts counts = {0};
    struct disk_model *before, *off;
    char first_path[80];
    bool was_off = true;
    size_t calls = 0;

    begin(KEYS);
    snprintf(first_path, sizeof first_path, "%s.first", path);
    copy_file(first_path, path);
    before = disk_model_copy(model);
    for (; was_off; calls++) {
        copy_file(path, first_path);
        use(disk_model_copy(before));
        disk_model_power_off_after(model, calls);
        (void)!run();
        was_off = disk_model_is_off(model);
        copy_file(kept_path, path);
        off = disk_model_copy(model);
        ck_assert_uint_le(disk_model_pending(off), PENDING_MAX);
        for (size_t keep = 0; keep < (size_t)1 << disk_model_pending(off);
             keep++)
            expect_good_after(off, (uint8_t)keep, &counts);
        disk_model_free(off);
    }
    /* Part, next, both renames, zeros, and the directory behind each. */
    ck_assert_uint_gt(calls, 10);
    ck_assert_uint_gt(counts.nothing, 0);
    ck_assert_uint_gt(counts.finished, 0);
    ck_assert_uint_gt(counts.undone, 0);
    disk_model_free(before);
    database_remove(first_path);
    finish();
}
END_TEST

/* The first writes of a rewrap, and the next one's that overwrites. */
START_TEST(a_full_or_failing_disk_leaves_one_key_and_every_seal_key)
{
    static const enum status causes[] = {ST_DISK_FULL, ST_DISK_FAILED};
    enum status status;
    size_t failed_count = 0;

    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        status = causes[i];
        for (size_t nth = 1; status != ST_OK; nth++) {
            begin(KEYS);
            disk_model_fail_after(model, nth, causes[i]);
            status = run();
            disk_model_fail_after(model, 0, causes[i]);
            ck_assert(status == ST_OK || status == causes[i]);
            failed_count += status != ST_OK;
            ck_assert_int_eq(settle(), ST_OK);
            expect_whole(KEYS);
            finish();
        }
    }
    ck_assert_uint_ge(failed_count, 6);
}
END_TEST

START_TEST(a_sync_that_fails_leaves_one_key_and_every_seal_key)
{
    enum status status = ST_DISK_FAILED;
    size_t failed_count = 0;

    for (size_t nth = 1; status != ST_OK; nth++) {
        begin(KEYS);
        disk_model_fail_sync_after(model, nth);
        status = run();
        disk_model_fail_sync_after(model, 0);
        failed_count += status != ST_OK;
        ck_assert_int_eq(settle(), ST_OK);
        expect_whole(KEYS);
        finish();
    }
    ck_assert_uint_eq(failed_count, 2);
}
END_TEST

SUITE_MAIN("rewrap",
           another_key_takes_the_place_of_the_first_and_opens_every_row,
           an_empty_keyring_gets_another_key_as_well,
           the_former_key_s_bytes_are_overwritten,
           without_a_keyring_there_is_nothing_to_wrap_and_none_is_made,
           a_key_that_does_not_open_the_keyring_is_not_replaced,
           a_next_key_that_was_not_made_here_is_named_and_nothing_is_removed,
           a_next_key_that_is_none_is_named_and_nothing_is_removed,
           a_next_key_stays_where_keyring_key_does_not_open_the_keyring_either,
           a_former_key_stays_where_keyring_key_opens_nothing,
           a_damaged_row_leaves_the_first_key_and_takes_the_next_one_back,
           a_loss_of_power_at_any_call_leaves_one_key_and_every_seal_key,
           a_full_or_failing_disk_leaves_one_key_and_every_seal_key,
           a_sync_that_fails_leaves_one_key_and_every_seal_key)
