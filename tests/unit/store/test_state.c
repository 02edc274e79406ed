#include "server/store/state.h"

#include <string.h>

#include "server/store/state_private.h"

#include "tests/lib/rows.h"
#include "tests/lib/suite.h"

enum { ROWS = 40 };

static struct rows_space space;
static struct rows_space other_space;

static struct state *open_in_memory(void)
{
    struct state *state;

    ck_assert_int_eq(state_open(&state, ":memory:"), ST_OK);
    return state;
}

static void begin(struct state *state)
{
    state_begin(state);
    state_entry_begin(state);
}

static void end(struct state *state)
{
    uint8_t digest[HASH_SIZE];

    state_entry_end(state, digest);
    state_commit(state);
}

static void key_of(union any_row *key, enum table table,
                   const union any_row *row)
{
    const struct layout_table *t = layout_table(table);

    memset(key, 0, sizeof *key);
    memcpy(key, row, t->columns()[t->key_count].offset);
}

START_TEST(a_row_of_every_table_comes_back_as_it_was_put)
{
    struct state *state = open_in_memory();
    union any_row row, read;

    begin(state);
    for (unsigned table = 0; table < TABLES_COUNT; table++) {
        for (uint64_t seed = 1; seed <= ROWS; seed++) {
            memset(&row, 0, sizeof row);
            rows_fill(&row, &space, (enum table)table, 0, seed);
            key_of(&read, (enum table)table, &row);
            if (state_get(state, (enum table)table, &read))
                continue; /* A key of one byte came twice. */
            state_insert(state, (enum table)table, &row);
            ck_assert(state_get(state, (enum table)table, &read));
            ck_assert(rows_equal((enum table)table, &row, &read));
        }
    }
    end(state);
    state_close(state);
}
END_TEST

/* One entry that changes one row of a table; gives the digest after it. */
static void one_change(uint8_t digest[HASH_SIZE], struct state *state,
                       enum state_change change, enum table table,
                       uint64_t seed)
{
    union any_row row;

    memset(&row, 0, sizeof row);
    rows_fill(&row, &space, table, 0, 7);
    rows_fill(&row, &other_space, table, layout_table(table)->key_count, seed);
    state_entry_begin(state);
    if (change == CHANGE_INSERT)
        state_insert(state, table, &row);
    else if (change == CHANGE_UPDATE)
        state_update(state, table, &row);
    else
        state_delete(state, table, &row);
    state_entry_end(state, digest);
}

START_TEST(every_change_of_a_row_changes_the_digest_unless_it_is_local)
{
    struct state *state = open_in_memory();
    uint8_t digests[4][HASH_SIZE];

    state_begin(state);
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        enum table table = (enum table)i;
        struct state *other = open_in_memory();
        bool equal;

        one_change(digests[0], state, CHANGE_INSERT, table, 1);
        one_change(digests[1], state, CHANGE_UPDATE, table, 2);
        one_change(digests[2], state, CHANGE_UPDATE, table, 3);
        one_change(digests[3], state, CHANGE_DELETE, table, 3);
        ck_assert_mem_ne(digests[0], digests[1], HASH_SIZE);
        ck_assert_mem_ne(digests[1], digests[2], HASH_SIZE);
        ck_assert_mem_ne(digests[2], digests[3], HASH_SIZE);
        ck_assert_uint_eq(state_count(state, table), 0);

        state_begin(other);
        one_change(digests[0], other, CHANGE_INSERT, table, 1);
        state_close(other);
        other = open_in_memory();
        state_begin(other);
        one_change(digests[1], other, CHANGE_INSERT, table, 2);
        equal = memcmp(digests[0], digests[1], HASH_SIZE) == 0;
        ck_assert_int_eq(equal,
                         table == TABLE_COMMAND || table == TABLE_OUTCOME);
        state_close(other);
    }
    state_close(state);
}
END_TEST

/* Entries that insert rows of TABLE_PERSON by these seeds, one each. */
static void persons(uint8_t digest[HASH_SIZE], struct state *state,
                    const uint64_t *seeds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        state_entry_begin(state);
        rows_insert(state, TABLE_PERSON, seeds[i]);
        state_entry_end(state, digest);
    }
}

START_TEST(equal_histories_have_equal_digests_and_reordered_ones_do_not)
{
    const uint64_t forth[] = {1, 2, 3};
    const uint64_t back[] = {3, 2, 1};
    struct state *states[3];
    uint8_t digests[3][HASH_SIZE];
    uint8_t full[3][HASH_SIZE];

    for (int i = 0; i < 3; i++) {
        states[i] = open_in_memory();
        state_begin(states[i]);
        persons(digests[i], states[i], i == 2 ? back : forth, 3);
        state_full_digest(states[i], full[i]);
        ck_assert_mem_eq(state_head(states[i])->digest, digests[i], HASH_SIZE);
        state_close(states[i]);
    }
    ck_assert_mem_eq(digests[0], digests[1], HASH_SIZE);
    ck_assert_mem_ne(digests[0], digests[2], HASH_SIZE);
    /* The same rows in the end, however they came. */
    ck_assert_mem_eq(full[0], full[2], HASH_SIZE);
}
END_TEST

/* The bytes that LOG-FORMAT, section 6, hashes for two changes of one entry. */
START_TEST(the_digest_is_made_of_the_bytes_that_are_written_down)
{
    struct state *state = open_in_memory();
    struct row_carrier carrier = {
        .number = 0x0102, .kind = 2, .label = slice_of("ab", 2)};
    uint8_t item[ENTRY_ITEM_FIXED_SIZE] = {7}, leaf[65] = {0x00, 7};
    struct row_record record = {.number = 9, .item = slice_of(item, 80)};
    uint8_t bytes[256] = {0}, step[2 * HASH_SIZE] = {0};
    uint8_t digest[HASH_SIZE], expected[HASH_SIZE];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    writer_u8(&writer, 1); /* insert */
    writer_u16(&writer, 14);
    writer_u16(&writer, 0x0102);
    writer_zeros(&writer, KEY_ID_SIZE);
    writer_u8(&writer, 2);
    writer_u32(&writer, 2);
    writer_bytes(&writer, "ab", 2);
    writer_u8(&writer, 1);
    writer_u16(&writer, 3);
    writer_u64(&writer, 9);
    crypto_hash_sha256(writer_reserve(&writer, HASH_SIZE), leaf, sizeof leaf);
    writer_u8(&writer, 3); /* delete: the key alone */
    writer_u16(&writer, 14);
    writer_u16(&writer, 0x0102);
    crypto_hash_sha256(step + HASH_SIZE, bytes, writer.used);
    crypto_hash_sha256(expected, step, sizeof step);

    begin(state);
    state_insert(state, TABLE_CARRIER, &carrier);
    state_insert(state, TABLE_RECORD, &record);
    state_delete(state, TABLE_CARRIER, &carrier);
    state_entry_end(state, digest);
    ck_assert_mem_eq(digest, expected, HASH_SIZE);
    state_close(state);
}
END_TEST

START_TEST(an_entry_without_a_change_still_moves_the_digest)
{
    struct state *state = open_in_memory();
    const uint8_t zeros[HASH_SIZE] = {0};
    uint8_t first[HASH_SIZE], second[HASH_SIZE];

    state_begin(state);
    ck_assert_mem_eq(state_head(state)->digest, zeros, HASH_SIZE);
    state_entry_begin(state);
    state_entry_end(state, first);
    state_entry_begin(state);
    state_entry_end(state, second);
    ck_assert_mem_ne(first, zeros, HASH_SIZE);
    ck_assert_mem_ne(first, second, HASH_SIZE);
    state_close(state);
}
END_TEST

START_TEST(the_digest_of_an_item_is_the_same_when_its_sealed_part_is_gone)
{
    struct row_record row = {.number = 5};
    uint8_t item[120] = {1, 2, 3};
    uint8_t digests[3][HASH_SIZE];

    for (int i = 0; i < 3; i++) {
        struct state *state = open_in_memory();
        item[100] = i == 1 ? 0xff : 0; /* Behind clear and commitment. */
        item[40] = i == 2 ? 0xff : 0;  /* In the commitment. */
        row.item = slice_of(item, sizeof item);
        state_begin(state);
        state_entry_begin(state);
        state_insert(state, TABLE_RECORD, &row);
        state_entry_end(state, digests[i]);
        state_close(state);
    }
    ck_assert_mem_eq(digests[0], digests[1], HASH_SIZE);
    ck_assert_mem_ne(digests[0], digests[2], HASH_SIZE);
}
END_TEST

START_TEST(undo_brings_back_rows_digest_numbers_and_settings)
{
    struct state *state = open_in_memory();
    struct state *other = open_in_memory();
    struct row_setting setting = {.setting = 1, .value = 0};
    uint8_t digest[HASH_SIZE], expected[HASH_SIZE];
    uint8_t full[HASH_SIZE], full_expected[HASH_SIZE];

    begin(state);
    rows_insert(state, TABLE_PERSON, 1);
    ck_assert_uint_eq(state_next(state, SEQUENCE_CONSENT), 1);
    state_mark(state);
    rows_insert(state, TABLE_PERSON, 2);
    state_insert(state, TABLE_SETTING, &setting);
    ck_assert_int_eq(state_setting(state, 1), 0);
    ck_assert_uint_eq(state_next(state, SEQUENCE_CONSENT), 2);
    ck_assert_uint_eq(state_count(state, TABLE_PERSON), 2);
    state_undo(state);
    ck_assert_int_eq(state_setting(state, 1), 1);
    ck_assert_uint_eq(state_count(state, TABLE_PERSON), 1);
    state_mark(state);
    ck_assert_uint_eq(state_next(state, SEQUENCE_CONSENT), 2);
    state_keep(state);
    state_entry_end(state, digest);
    state_full_digest(state, full);

    begin(other);
    rows_insert(other, TABLE_PERSON, 1);
    ck_assert_uint_eq(state_next(other, SEQUENCE_CONSENT), 1);
    ck_assert_uint_eq(state_next(other, SEQUENCE_CONSENT), 2);
    state_entry_end(other, expected);
    state_full_digest(other, full_expected);

    ck_assert_mem_eq(digest, expected, HASH_SIZE);
    ck_assert_mem_eq(full, full_expected, HASH_SIZE);
    state_close(state);
    state_close(other);
}
END_TEST

/* Consents of two subjects, numbered 1 to 8, odd ones of subject 1. */
static void insert_consents(struct state *state)
{
    for (uint32_t number = 1; number <= 8; number++) {
        struct row_consent row = {.number = number,
                                  .subject = number % 2 == 1 ? 1 : 2,
                                  .due = 100 - number};
        state_insert(state, TABLE_CONSENT, &row);
    }
}

/* Numbers that a walk gives, as decimal digits in ${out}. */
static const char *walk(struct state *state, int index, struct row_consent key,
                        struct state_range range)
{
    static char out[16];
    struct row_consent row = {0};
    struct state_scan scan;
    size_t used = 0;

    if (index >= 0)
        state_scan_open(state, &scan, (enum table_index)index, &key, range);
    else
        state_scan_key(state, &scan, TABLE_CONSENT, &key, range);
    while (used < sizeof out - 1 && state_scan_next(&scan, &row))
        out[used++] = (char)('0' + row.number);
    out[used] = '\0';
    ck_assert(!state_scan_next(&scan, &row));
    state_scan_close(&scan);
    return out;
}

START_TEST(walks_go_up_and_down_from_a_row_and_within_equal_columns)
{
    struct state *state = open_in_memory();
    const struct row_consent of_one = {.subject = 1, .number = 5, .due = 95};
    const struct state_range all = {0, false, false};
    const struct state_range all_down = {0, false, true};
    const struct state_range equal = {1, false, false};
    const struct state_range equal_down = {1, false, true};
    const struct state_range from = {1, true, false};
    const struct state_range from_down = {1, true, true};
    const struct state_range first = {0, true, false};
    const int by_subject = INDEX_CONSENT_BY_SUBJECT;

    begin(state);
    insert_consents(state);
    ck_assert_str_eq(walk(state, -1, of_one, all), "12345678");
    ck_assert_str_eq(walk(state, -1, of_one, all_down), "87654321");
    ck_assert_str_eq(walk(state, -1, of_one, first), "5678");
    ck_assert_str_eq(walk(state, -1, of_one, equal), "5");
    ck_assert_str_eq(walk(state, by_subject, of_one, all), "13572468");
    ck_assert_str_eq(walk(state, by_subject, of_one, equal), "1357");
    ck_assert_str_eq(walk(state, by_subject, of_one, equal_down), "7531");
    ck_assert_str_eq(walk(state, by_subject, of_one, from), "57");
    ck_assert_str_eq(walk(state, by_subject, of_one, from_down), "531");
    ck_assert_str_eq(walk(state, INDEX_CONSENT_BY_DUE, of_one, first), "54321");
    state_close(state);
}
END_TEST

START_TEST(rows_equal_in_an_index_come_in_the_order_of_their_key)
{
    struct state *state = open_in_memory();
    const uint64_t subjects[] = {30, 10, 20};
    struct row_representative row = {.seq = 1};
    struct state_scan scan;
    uint64_t last = 0;

    begin(state);
    for (int i = 0; i < 3; i++) {
        row.subject = subjects[i];
        state_insert(state, TABLE_REPRESENTATIVE, &row);
    }
    state_scan_open(state, &scan, INDEX_REPRESENTATIVE_BY_FIN, &row,
                    (struct state_range){1, false, false});
    while (state_scan_next(&scan, &row)) {
        ck_assert_uint_gt(row.subject, last);
        last = row.subject;
    }
    ck_assert_uint_eq(last, 30);
    state_close(state);
}
END_TEST

START_TEST(numbers_of_a_sequence_count_from_one)
{
    struct state *state = open_in_memory();

    begin(state);
    for (uint64_t i = 1; i <= 3; i++) {
        ck_assert_uint_eq(state_next(state, SEQUENCE_PERSON), i);
        ck_assert_uint_eq(state_next(state, SEQUENCE_FEED), i);
    }
    state_close(state);
}
END_TEST

START_TEST(a_setting_has_its_initial_value_until_one_is_entered)
{
    struct state *state = open_in_memory();
    struct row_setting row = {.setting = 2, .value = 12};

    begin(state);
    ck_assert_int_eq(state_setting(state, 2), 30);
    state_insert(state, TABLE_SETTING, &row);
    ck_assert_int_eq(state_setting(state, 2), 12);
    row.value = 13;
    state_update(state, TABLE_SETTING, &row);
    ck_assert_int_eq(state_setting(state, 2), 13);
    state_close(state);
}
END_TEST

START_TEST(a_full_digest_differs_when_one_byte_of_one_row_does)
{
    struct state *states[2];
    uint8_t full[2][HASH_SIZE];

    for (int i = 0; i < 2; i++) {
        struct row_person row = {.number = 1};
        states[i] = open_in_memory();
        begin(states[i]);
        row.fin_tag.b[15] = (uint8_t)i;
        state_insert(states[i], TABLE_PERSON, &row);
        state_full_digest(states[i], full[i]);
        state_close(states[i]);
    }
    ck_assert_mem_ne(full[0], full[1], HASH_SIZE);
}
END_TEST

START_TEST(inserting_a_key_twice_stops_the_process)
{
    struct state *state = open_in_memory();

    begin(state);
    rows_insert(state, TABLE_PERSON, 1);
    rows_insert(state, TABLE_PERSON, 1);
}
END_TEST

START_TEST(changing_a_row_that_is_not_there_stops_the_process)
{
    struct state *state = open_in_memory();
    struct row_person row = {.number = 1};

    begin(state);
    state_update(state, TABLE_PERSON, &row);
}
END_TEST

START_TEST(a_number_beyond_what_sqlite_holds_stops_the_process)
{
    struct state *state = open_in_memory();
    struct row_person row = {.number = (uint64_t)INT64_MAX + 1};

    begin(state);
    state_insert(state, TABLE_PERSON, &row);
}
END_TEST

START_TEST(a_text_with_a_nul_stops_the_process)
{
    struct state *state = open_in_memory();
    struct row_carrier row = {.number = 1,
                              .label = {(const uint8_t *)"a\0", 2}};

    begin(state);
    state_insert(state, TABLE_CARRIER, &row);
}
END_TEST

/* Room for nothing but what is there. */
static void fill(struct state *state)
{
    statements_run(state->db, "PRAGMA max_page_count = 1");
}

START_TEST(a_row_for_which_a_disk_has_no_room_ends_the_process)
{
    struct state *state = open_in_memory();
    union any_row row;

    fill(state);
    begin(state);
    for (uint64_t seed = 1; seed <= UINT16_MAX; seed++) {
        memset(&row, 0, sizeof row);
        rows_fill(&row, &space, TABLE_COMMAND, 0, seed);
        state_insert(state, TABLE_COMMAND, &row);
    }
    state_close(state);
}
END_TEST

START_TEST(a_row_for_which_there_is_no_memory_ends_the_process)
{
    struct state *state = open_in_memory();
    union any_row row;

    begin(state);
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + 128 * 1024);
    for (uint64_t seed = 1; seed <= UINT16_MAX; seed++) {
        memset(&row, 0, sizeof row);
        rows_fill(&row, &space, TABLE_COMMAND, 0, seed);
        state_insert(state, TABLE_COMMAND, &row);
    }
    state_close(state);
}
END_TEST

START_TEST(a_database_that_is_damaged_ends_the_process)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    statements_run(db, "PRAGMA writable_schema = ON");
    statements_run(db, "INSERT INTO sqlite_schema VALUES "
                       "('table', 'x', 'x', 99, 'CREATE TABLE x(y)')");
    statements_run(db, "PRAGMA schema_version = 77");
    statements_run(db, "DELETE FROM x");
    sqlite3_close(db);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_row_of_every_table_comes_back_as_it_was_put,
        every_change_of_a_row_changes_the_digest_unless_it_is_local,
        equal_histories_have_equal_digests_and_reordered_ones_do_not,
        the_digest_is_made_of_the_bytes_that_are_written_down,
        an_entry_without_a_change_still_moves_the_digest,
        the_digest_of_an_item_is_the_same_when_its_sealed_part_is_gone,
        undo_brings_back_rows_digest_numbers_and_settings,
        walks_go_up_and_down_from_a_row_and_within_equal_columns,
        rows_equal_in_an_index_come_in_the_order_of_their_key,
        numbers_of_a_sequence_count_from_one,
        a_setting_has_its_initial_value_until_one_is_entered,
        a_full_digest_differs_when_one_byte_of_one_row_does,
    };
    const TTest *const aborting[] = {
        inserting_a_key_twice_stops_the_process,
        changing_a_row_that_is_not_there_stops_the_process,
        a_number_beyond_what_sqlite_holds_stops_the_process,
        a_text_with_a_nul_stops_the_process,
    };
    const TTest *const exiting[] = {
        a_row_for_which_a_disk_has_no_room_ends_the_process,
        a_database_that_is_damaged_ends_the_process,
    };
    const TTest *const exhausted[] = {
        a_row_for_which_there_is_no_memory_ends_the_process,
    };
    int first = suite_run("state", tests, sizeof tests / sizeof tests[0]);
    int second = suite_run_aborting("state contracts", aborting,
                                    sizeof aborting / sizeof aborting[0]);

    int third = suite_run_exiting("state and disk", exiting,
                                  sizeof exiting / sizeof exiting[0],
                                  STATEMENTS_DISK_EXIT);
    int fourth = suite_run_exiting("state and memory", exhausted,
                                   sizeof exhausted / sizeof exhausted[0],
                                   STATEMENTS_MEMORY_EXIT);

    if (first != EXIT_SUCCESS)
        return first;
    if (second != EXIT_SUCCESS)
        return second;
    return third == EXIT_SUCCESS ? fourth : third;
}
