#include "server/store/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/store/state_private.h"

#include "tests/lib/rows.h"
#include "tests/lib/suite.h"

/* A path that no other test uses, without a file. */
static const char *fresh_path(void)
{
    static char path[64];

    snprintf(path, sizeof path, "/tmp/defter-state-%d.db", (int)getpid());
    unlink(path);
    return path;
}

static void remove_files(const char *path)
{
    char other[80];

    unlink(path);
    snprintf(other, sizeof other, "%s-wal", path);
    unlink(other);
    snprintf(other, sizeof other, "%s-shm", path);
    unlink(other);
}

START_TEST(the_head_and_the_rows_are_there_after_reopening)
{
    const char *path = fresh_path();
    struct state *state;
    struct state_head head;
    uint8_t digest[HASH_SIZE], full[HASH_SIZE], full_before[HASH_SIZE];

    ck_assert_int_eq(state_open(&state, path), ST_OK);
    head = *state_head(state);
    ck_assert_uint_eq(head.applied_size, 0);
    state_begin(state);
    state_entry_begin(state);
    for (unsigned table = 0; table < TABLES_COUNT; table++)
        rows_insert(state, (enum table)table, 3);
    state_entry_end(state, digest);
    head.applied_size = 12;
    head.epoch = 3;
    head.log_time = 77;
    head.attested_size = 9;
    head.applied_leaf[31] = 1;
    head.cluster_id[15] = 2;
    head.frontier[sizeof head.frontier - 1] = 3;
    state_set_head(state, &head);
    state_commit(state);
    state_full_digest(state, full_before);
    state_close(state);

    ck_assert_int_eq(state_open(&state, path), ST_OK);
    memcpy(head.digest, digest, HASH_SIZE);
    ck_assert_uint_eq(state_head(state)->applied_size, 12);
    ck_assert_uint_eq(state_head(state)->epoch, 3);
    ck_assert_int_eq(state_head(state)->log_time, 77);
    ck_assert_uint_eq(state_head(state)->attested_size, 9);
    ck_assert_mem_eq(state_head(state)->applied_leaf, head.applied_leaf, 32);
    ck_assert_mem_eq(state_head(state)->cluster_id, head.cluster_id, 16);
    ck_assert_mem_eq(state_head(state)->frontier, head.frontier,
                     sizeof head.frontier);
    ck_assert_mem_eq(state_head(state)->digest, digest, HASH_SIZE);
    state_full_digest(state, full);
    ck_assert_mem_eq(full, full_before, HASH_SIZE);
    state_close(state);
    remove_files(path);
}
END_TEST

START_TEST(what_was_not_committed_is_gone_with_its_head)
{
    const char *path = fresh_path();
    struct state *state;
    struct state_head head;
    uint8_t digest[HASH_SIZE];

    ck_assert_int_eq(state_open(&state, path), ST_OK);
    head = *state_head(state);
    state_begin(state);
    state_entry_begin(state);
    rows_insert(state, TABLE_PERSON, 3);
    state_entry_end(state, digest);
    head.applied_size = 1;
    state_set_head(state, &head);
    state_close(state); /* As a crash would: no commit. */

    ck_assert_int_eq(state_open(&state, path), ST_OK);
    ck_assert_uint_eq(state_head(state)->applied_size, 0);
    ck_assert_uint_eq(state_count(state, TABLE_PERSON), 0);
    state_close(state);
    remove_files(path);
}
END_TEST

static void spoil(const char *path, const char *sql)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(a_file_of_another_version_or_kind_is_refused)
{
    static const char *const spoilers[] = {
        "UPDATE head SET version = version + 1",
        "UPDATE head SET layout = zeroblob(32)",
        "UPDATE head SET head = zeroblob(7)",
        "DELETE FROM head",
        "DROP TABLE head",
    };
    const char *path = fresh_path();
    struct state *state;
    FILE *file;

    for (size_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
        ck_assert_int_eq(state_open(&state, path), ST_OK);
        state_close(state);
        spoil(path, spoilers[i]);
        ck_assert_int_eq(state_open(&state, path), ST_FILE_FORMAT);
        ck_assert_ptr_null(state);
        remove_files(path);
    }
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    ck_assert_int_eq(state_open(&state, path), ST_FILE_FORMAT);
    remove_files(path);
    ck_assert_int_eq(state_open(&state, "/nowhere/at/all"), ST_DISK_FAILED);
}
END_TEST

static int64_t pragma(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t value;

    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), 0);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

START_TEST(the_settings_that_keep_sqlite_in_bounds_took_effect)
{
    const char *path = fresh_path();
    struct state *state;
    sqlite3 *db;
    int value;
    sqlite3_stmt *mode;

    ck_assert_int_eq(state_open(&state, path), ST_OK);
    db = state->db;
    sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &mode, NULL);
    ck_assert_int_eq(sqlite3_step(mode), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(mode, 0), "wal");
    sqlite3_finalize(mode);
    ck_assert_int_eq(pragma(db, "PRAGMA synchronous"), 1);
    ck_assert_int_eq(pragma(db, "PRAGMA cell_size_check"), 1);
    ck_assert_int_eq(pragma(db, "PRAGMA mmap_size"), 0);
    ck_assert_int_eq(pragma(db, "PRAGMA temp_store"), 2);
    ck_assert_int_eq(pragma(db, "PRAGMA secure_delete"), 1);
    ck_assert_int_eq(pragma(db, "PRAGMA busy_timeout"), 0);
    ck_assert_int_eq(pragma(db, "PRAGMA trusted_schema"), 0);
    ck_assert_int_eq(pragma(db, "PRAGMA page_size"), 8192);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, -1, &value);
    ck_assert_int_eq(value, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, -1, &value);
    ck_assert_int_eq(value, 0);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, -1, &value);
    ck_assert_int_eq(value, 0);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, -1, &value);
    ck_assert_int_eq(value, 0);
    ck_assert_int_eq(sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, -1), 0);
    ck_assert_int_eq(sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1), 2 << 20);
    ck_assert_int_eq(sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, -1), 16384);
    ck_assert_int_eq(sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, -1), 20);
    ck_assert_int_ne(
        sqlite3_exec(db, "ATTACH ':memory:' AS other", NULL, NULL, NULL),
        SQLITE_OK);
    ck_assert_int_ne(
        sqlite3_exec(db, "SELECT load_extension('x')", NULL, NULL, NULL),
        SQLITE_OK);
    state_close(state);
    remove_files(path);
}
END_TEST

START_TEST(the_wal_is_emptied_by_a_truncating_checkpoint)
{
    const char *path = fresh_path();
    char wal[80];
    uint8_t digest[HASH_SIZE];
    struct state *state;

    snprintf(wal, sizeof wal, "%s-wal", path);
    ck_assert_int_eq(state_open(&state, path), ST_OK);
    state_begin(state);
    state_entry_begin(state);
    rows_insert(state, TABLE_PERSON, 1);
    state_entry_end(state, digest);
    state_commit(state);
    state_checkpoint(state, false);
    ck_assert_int_gt(state->wal_pages, 0); /* Too small to bother. */
    state_checkpoint(state, true);
    ck_assert_int_eq(state->wal_pages, 0);
    ck_assert_int_eq(truncate(wal, 0), 0);
    state_close(state);
    remove_files(path);
}
END_TEST

SUITE_MAIN("state_open", the_head_and_the_rows_are_there_after_reopening,
           what_was_not_committed_is_gone_with_its_head,
           a_file_of_another_version_or_kind_is_refused,
           the_settings_that_keep_sqlite_in_bounds_took_effect,
           the_wal_is_emptied_by_a_truncating_checkpoint)
