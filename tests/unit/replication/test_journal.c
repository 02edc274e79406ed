#include "replication/journal.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/journal_rig.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

static struct journal_rig rig;

static void begin(void)
{
    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
}

START_TEST(journal_begins_empty)
{
    begin();
    ck_assert_uint_eq(journal_size(rig.journal), 0);
    ck_assert_uint_eq(journal_end(rig.journal).size, 0);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    ck_assert(journal_rig_holds(&rig, 0));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_gives_back_what_was_appended_across_segments)
{
    begin();
    journal_rig_fill(&rig, 20);
    ck_assert(journal_rig_holds(&rig, 20));
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert(journal_rig_holds(&rig, 20));
    ck_assert_mem_eq(journal_end(rig.journal).leaf, rig.end.leaf, HASH_SIZE);
    ck_assert_int_eq(journal_end(rig.journal).log_time, rig.end.log_time);
    journal_rig_fill(&rig, 20);
    ck_assert(journal_rig_holds(&rig, 40));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_segments_are_named_after_their_first_index)
{
    const uint8_t *data;
    size_t size;

    begin();
    journal_rig_fill(&rig, 13);
    ck_assert(disk_model_peek(rig.model, "log/00000000000000000000.seg", &data,
                              &size));
    ck_assert_uint_eq(size, JOURNAL_RIG_SEGMENT);
    ck_assert(disk_model_peek(rig.model, "log/00000000000000000006.seg", &data,
                              &size));
    ck_assert(disk_model_peek(rig.model, "log/00000000000000000012.seg", &data,
                              &size));
    ck_assert(!disk_model_peek(rig.model, "log/00000000000000000013.seg", &data,
                               &size));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_segments_depend_on_the_log_alone)
{
    struct journal_rig other;

    begin();
    journal_rig_fill(&rig, 14);
    journal_rig_begin(&other, JOURNAL_RIG_SEGMENT);
    for (int i = 0; i < 14; i++) {
        journal_rig_fill(&other, 1);
        ck_assert_uint_eq(journal_rig_reopen(&other), ST_OK);
    }
    for (unsigned first = 0; first <= 12; first += 6) {
        const uint8_t *one;
        const uint8_t *two;
        size_t one_size;
        size_t two_size;
        char name[DISK_NAME_SIZE_MAX];

        snprintf(name, sizeof name, "log/%020u.seg", first);
        ck_assert(disk_model_peek(rig.model, name, &one, &one_size));
        ck_assert(disk_model_peek(other.model, name, &two, &two_size));
        ck_assert(
            slice_equal(slice_of(one, one_size), slice_of(two, two_size)));
    }
    journal_rig_end(&other);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_group_costs_one_write_one_sync_and_one_mark)
{
    static uint8_t bytes[4][JOURNAL_RIG_ENTRY];
    struct journal_entry group[4];
    size_t writes;
    size_t syncs;

    begin();
    for (int i = 0; i < 4; i++)
        group[i] = log_maker_entry(bytes[i], &rig.end, JOURNAL_RIG_ENTRY, 1, 0);
    writes = disk_model_writes(rig.model);
    syncs = disk_model_syncs(rig.model);
    ck_assert_uint_eq(journal_append(rig.journal, group, 4), ST_OK);
    ck_assert_uint_eq(disk_model_writes(rig.model), writes);
    ck_assert_uint_eq(journal_size(rig.journal), 0);
    ck_assert_uint_eq(journal_sync(rig.journal, 4), ST_OK);
    ck_assert_uint_eq(disk_model_writes(rig.model), writes + 2);
    ck_assert_uint_eq(disk_model_syncs(rig.model), syncs + 2);
    ck_assert_uint_eq(journal_size(rig.journal), 4);
    ck_assert_uint_eq(journal_sync(rig.journal, 4), ST_OK);
    ck_assert_uint_eq(disk_model_syncs(rig.model), syncs + 2);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_entries_not_synced_are_not_read)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct slice entry;

    begin();
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(journal_read_entry(rig.journal, &entry, buffer, 0),
                      ST_END);
    ck_assert_uint_eq(journal_end(rig.journal).size, 1);
    journal_rig_end(&rig);
}
END_TEST

static enum status append_changed(size_t at, uint8_t with)
{
    static uint8_t bytes[JOURNAL_RIG_ENTRY];
    struct journal_end end = rig.end;
    struct journal_entry entry =
        log_maker_entry(bytes, &end, sizeof bytes, 2, 0);

    bytes[at] = (uint8_t)(bytes[at] ^ with);
    return journal_append(rig.journal, &entry, 1);
}

START_TEST(journal_refuses_an_entry_that_does_not_follow)
{
    begin();
    journal_rig_fill(&rig, 2);
    ck_assert_uint_eq(append_changed(8, 1), ST_CHAIN_BROKEN);     /* index */
    ck_assert_uint_eq(append_changed(24, 1), ST_CHAIN_BROKEN);    /* previous */
    ck_assert_uint_eq(append_changed(4, 2), ST_CHAIN_BROKEN);     /* epoch 0 */
    ck_assert_uint_eq(append_changed(23, 0x80), ST_CHAIN_BROKEN); /* time */
    ck_assert_uint_eq(append_changed(0, 2), ST_ENTRY_FORMED);     /* version */
    ck_assert_uint_eq(journal_end(rig.journal).size, 2);
    journal_rig_fill(&rig, 1);
    ck_assert(journal_rig_holds(&rig, 3));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_refuses_a_full_disk_before_it_changes_anything)
{
    const uint8_t *data;
    size_t size;
    struct slice entry;
    static uint8_t buffer[JOURNAL_READ_SIZE];

    begin();
    journal_rig_fill(&rig, 6);
    disk_model_limit(rig.model, 2 * JOURNAL_RIG_SEGMENT);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY),
                      ST_DISK_FULL);
    ck_assert(!disk_model_peek(rig.model, "log/spare.tmp", &data, &size));
    ck_assert_uint_eq(journal_end(rig.journal).size, 6);
    ck_assert_uint_eq(journal_read_entry(rig.journal, &entry, buffer, 5),
                      ST_OK);
    disk_model_limit(rig.model, UINT64_MAX);
    journal_rig_fill(&rig, 1);
    ck_assert(journal_rig_holds(&rig, 7));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_with_a_spare_segment_needs_no_space)
{
    begin();
    journal_rig_fill(&rig, 6);
    ck_assert_uint_eq(journal_prepare_next(rig.journal), ST_OK);
    disk_model_limit(rig.model, 0);
    ck_assert_uint_eq(journal_prepare_next(rig.journal), ST_OK);
    journal_rig_fill(&rig, 6);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY),
                      ST_DISK_FULL);
    ck_assert(journal_rig_holds(&rig, 12));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_room_counts_the_spare_segment)
{
    uint64_t room;

    journal_rig_begin(&rig, 256 * 1024);
    room = journal_room(rig.journal);
    ck_assert_uint_gt(room, 100 * 1024);
    ck_assert(journal_wants_spare(rig.journal));
    ck_assert_uint_eq(journal_prepare_next(rig.journal), ST_OK);
    ck_assert(!journal_wants_spare(rig.journal));
    ck_assert_uint_gt(journal_room(rig.journal), room + 100 * 1024);
    ck_assert_uint_eq(journal_rig_append(&rig, 1000), ST_OK);
    ck_assert_uint_gt(journal_room(rig.journal), room + 100 * 1024);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_uint_gt(journal_room(rig.journal), room + 100 * 1024);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_that_failed_to_sync_refuses_every_later_call)
{
    begin();
    journal_rig_fill(&rig, 1);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    disk_model_fail_sync_after(rig.model, 1);
    ck_assert_uint_eq(journal_sync(rig.journal, 2), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_sync(rig.journal, 2), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY),
                      ST_DISK_FAILED);
    ck_assert_uint_eq(journal_prepare_next(rig.journal), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_size(rig.journal), 1);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_that_failed_to_mark_refuses_every_later_call)
{
    begin();
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    disk_model_fail_sync_after(rig.model, 2);
    ck_assert_uint_eq(journal_sync(rig.journal, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_sync(rig.journal, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_size(rig.journal), 0);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_with_no_space_for_a_write_refuses_every_later_call)
{
    begin();
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    disk_model_fail_after(rig.model, 1, ST_DISK_FULL);
    ck_assert_uint_eq(journal_sync(rig.journal, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY),
                      ST_DISK_FAILED);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_finds_rot_when_it_reads)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    char file[DISK_NAME_SIZE_MAX];
    struct journal_cursor *cursor;
    struct slice entry;
    uint64_t offset;

    begin();
    journal_rig_fill(&rig, 9);
    offset = journal_rig_offset(&rig, 4, file);
    disk_model_rot(rig.model, file, offset + 100, 3);
    ck_assert_uint_eq(journal_read_entry(rig.journal, &entry, buffer, 4),
                      ST_CHECKSUM);
    ck_assert_uint_eq(journal_read_entry(rig.journal, &entry, buffer, 5),
                      ST_OK);
    ck_assert_uint_eq(journal_cursor_open(&cursor, rig.journal, 3), ST_OK);
    ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_OK);
    ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_CHECKSUM);
    journal_cursor_close(cursor);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_finds_a_rotten_length_when_it_reads)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    char file[DISK_NAME_SIZE_MAX];
    struct slice entry;

    begin();
    journal_rig_fill(&rig, 5);
    for (unsigned bit = 0; bit < 32; bit++) {
        const uint64_t offset = journal_rig_offset(&rig, 2, file);

        disk_model_rot(rig.model, file, offset + bit / 8, bit % 8);
        ck_assert_uint_eq(journal_read_entry(rig.journal, &entry, buffer, 2),
                          ST_CHECKSUM);
        ck_assert_uint_ne(journal_read_entry(rig.journal, &entry, buffer, 3),
                          ST_OK);
        disk_model_rot(rig.model, file, offset + bit / 8, bit % 8);
    }
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_cursor_follows_a_growing_log)
{
    struct journal_cursor *cursor;
    struct slice entry;

    begin();
    ck_assert_uint_eq(journal_cursor_open(&cursor, rig.journal, 1), ST_END);
    ck_assert_uint_eq(journal_cursor_open(&cursor, rig.journal, 0), ST_OK);
    for (uint64_t i = 0; i < 14; i++) {
        ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_END);
        journal_rig_fill(&rig, 1);
        ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_OK);
        ck_assert_uint_eq(load_u64(entry.data + 8), i);
    }
    journal_cursor_close(cursor);
    for (uint64_t i = 0; i <= 14; i++) {
        ck_assert_uint_eq(journal_cursor_open(&cursor, rig.journal, i), ST_OK);
        ck_assert_uint_eq(journal_cursor_next(cursor, &entry),
                          i < 14 ? ST_OK : ST_END);
        journal_cursor_close(cursor);
    }
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_finds_every_entry_of_a_long_segment)
{
    journal_rig_begin(&rig, 256 * 1024);
    for (size_t i = 0; i < JOURNAL_RIG_ENTRIES_MAX; i++)
        ck_assert_uint_eq(
            journal_rig_append(&rig, LOG_MAKER_SIZE_MIN + i * 97 % 7000),
            ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    ck_assert(journal_rig_holds(&rig, JOURNAL_RIG_ENTRIES_MAX));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_holds_the_largest_entry)
{
    journal_rig_begin(&rig, 256 * 1024);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, ENTRY_SIZE_MAX), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 5), ST_OK);
    ck_assert(journal_rig_holds(&rig, 5));
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert(journal_rig_holds(&rig, 5));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_that_is_there_is_not_created_again)
{
    begin();
    ck_assert_uint_eq(journal_create(disk_model_disk(rig.model), &rig.options),
                      ST_EXISTS);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_that_is_not_there_is_not_opened)
{
    struct journal_options options = {.segment_size = JOURNAL_RIG_SEGMENT,
                                      .incarnation = 1};
    struct disk_model *model = disk_model_new();
    struct journal_report report;
    struct journal *journal;

    ck_assert_uint_eq(
        journal_open(&journal, &report, disk_model_disk(model), &options),
        ST_NO_FILE);
    ck_assert_ptr_null(journal);
    disk_model_free(model);
}
END_TEST

SUITE_MAIN("journal", journal_begins_empty,
           journal_gives_back_what_was_appended_across_segments,
           journal_segments_are_named_after_their_first_index,
           journal_segments_depend_on_the_log_alone,
           journal_group_costs_one_write_one_sync_and_one_mark,
           journal_entries_not_synced_are_not_read,
           journal_refuses_an_entry_that_does_not_follow,
           journal_refuses_a_full_disk_before_it_changes_anything,
           journal_with_a_spare_segment_needs_no_space,
           journal_room_counts_the_spare_segment,
           journal_that_failed_to_sync_refuses_every_later_call,
           journal_that_failed_to_mark_refuses_every_later_call,
           journal_with_no_space_for_a_write_refuses_every_later_call,
           journal_finds_rot_when_it_reads,
           journal_finds_a_rotten_length_when_it_reads,
           journal_cursor_follows_a_growing_log,
           journal_finds_every_entry_of_a_long_segment,
           journal_holds_the_largest_entry,
           journal_that_is_there_is_not_created_again,
           journal_that_is_not_there_is_not_opened)
