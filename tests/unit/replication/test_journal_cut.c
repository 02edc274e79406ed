/*
 * Cutting the log while it is in use.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_epochs.h"
#include "replication/mark.h"
#include "replication/journal_repair.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

#define FIRST_SEGMENT  "log/00000000000000000000.seg"
#define SECOND_SEGMENT "log/00000000000000000006.seg"
#define THIRD_SEGMENT  "log/00000000000000000012.seg"

static struct journal_rig rig;
static struct journal_report report;
static uint8_t buffer[JOURNAL_READ_SIZE];

/* Entries of which ${committed} are known to be committed. */
static void begin(size_t count, uint64_t committed)
{
    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, committed), ST_OK);
}

static void cut(uint64_t size)
{
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, size), ST_OK);
    rig.end = journal_end(rig.journal);
    ck_assert_uint_eq(rig.end.size, size);
    rig.variant++;
}

static void is_clean_again(uint64_t size)
{
    ck_assert(journal_rig_holds(&rig, size));
    ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    ck_assert_uint_eq(rig.report.inherited, 0);
    ck_assert(journal_rig_holds(&rig, size));
}

static bool there(const char *name)
{
    const uint8_t *data;
    size_t size;

    return disk_model_peek(rig.model, name, &data, &size);
}

START_TEST(cut_in_one_segment_keeps_the_bytes_and_goes_on)
{
    const uint8_t *data;
    size_t size;

    begin(5, 2);
    cut(3);
    ck_assert_uint_eq(journal_size(rig.journal), 3);
    ck_assert_uint_eq(journal_committed(rig.journal), 2);
    ck_assert(disk_model_peek(rig.model, report.aside, &data, &size));
    ck_assert_uint_eq(size, 2 * (JOURNAL_RIG_ENTRY + 16));
    ck_assert_mem_eq(data + 8, rig.bytes[3], JOURNAL_RIG_ENTRY);
    ck_assert(!there("cut"));
    journal_rig_fill(&rig, 4);
    is_clean_again(7);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_across_segments_moves_the_later_ones_aside)
{
    begin(16, 1);
    cut(4);
    ck_assert(there(FIRST_SEGMENT));
    ck_assert(!there(SECOND_SEGMENT));
    ck_assert(!there(THIRD_SEGMENT));
    ck_assert(there(report.aside));
    journal_rig_fill(&rig, 14);
    ck_assert(there(THIRD_SEGMENT));
    is_clean_again(18);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_at_the_border_of_a_segment_leaves_no_empty_one)
{
    begin(16, 0);
    cut(12);
    ck_assert(!there(THIRD_SEGMENT));
    is_clean_again(12);
    cut(6);
    ck_assert(!there(SECOND_SEGMENT));
    journal_rig_fill(&rig, 7);
    is_clean_again(13);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_to_nothing_leaves_an_empty_log)
{
    begin(8, 0);
    cut(0);
    ck_assert_uint_eq(journal_epoch_count(rig.journal), 0);
    journal_rig_fill(&rig, 2);
    is_clean_again(2);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_of_nothing_changes_nothing)
{
    size_t changes;

    begin(5, 2);
    changes = disk_model_changes(rig.model);
    cut(5);
    ck_assert_uint_eq(disk_model_changes(rig.model), changes);
    ck_assert_uint_eq(journal_size(rig.journal), 5);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_below_what_is_committed_is_refused)
{
    uint64_t digest;

    begin(8, 4);
    digest = disk_model_digest(rig.model);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 3), ST_CHAIN_BROKEN);
    ck_assert_uint_eq(disk_model_digest(rig.model), digest);
    ck_assert(journal_rig_holds(&rig, 8));
    cut(4);
    is_clean_again(4);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 3), ST_CHAIN_BROKEN);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_of_who_is_lost_goes_below_the_commit_and_remembers_it)
{
    const struct mark_lost lost = {.kind = MARK_LOST_ALL, .size = UINT64_MAX};

    begin(8, 4);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &lost), ST_OK);
    cut(3);
    ck_assert_uint_eq(journal_committed(rig.journal), 3);
    ck_assert_uint_eq(journal_lost(rig.journal).committed, 4);
    journal_rig_fill(&rig, 6);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    ck_assert_uint_ge(journal_committed(rig.journal), 4);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_takes_entries_that_were_not_synced)
{
    begin(3, 0);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    cut(7); /* Some of them stay, and are durable now. */
    is_clean_again(7);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    cut(7); /* None of them stays. */
    is_clean_again(7);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    cut(2);
    is_clean_again(2);
    journal_rig_end(&rig);
}
END_TEST

static size_t asides;

static void count_aside(void *context, const char *name)
{
    (void)context;
    (void)name;
    asides++;
}

START_TEST(cuts_at_one_place_keep_their_bytes_apart)
{
    begin(2, 0);
    for (size_t i = 1; i <= 5; i++) {
        journal_rig_fill(&rig, 2);
        ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 0),
                          ST_CHAIN_BROKEN); /* rig_fill commits all. */
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
        cut(rig.end.size - 1);
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
        cut(rig.end.size - 1);
        asides = 0;
        ck_assert_uint_eq(disk_list(disk_model_disk(rig.model), "divergent",
                                    NULL, count_aside),
                          ST_OK);
        ck_assert_uint_eq(asides, 2 * i);
    }
    /* A new mark counts from the beginning; its cuts are named apart too. */
    disk_model_drop(rig.model, MARK_FILE);
    rig.options.repair = true;
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    for (size_t i = 1; i <= 20; i++) {
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
        cut(rig.end.size - 1);
        asides = 0;
        ck_assert_uint_eq(disk_list(disk_model_disk(rig.model), "divergent",
                                    NULL, count_aside),
                          ST_OK);
        ck_assert_uint_eq(asides, 10 + i);
    }
    journal_rig_end(&rig);
}
END_TEST

static void put_aside(int number)
{
    struct disk *disk = disk_model_disk(rig.model);
    char name[DISK_NAME_SIZE_MAX];
    struct disk_file *file;

    (void)snprintf(name, sizeof name, "divergent/9-%d-0.tail", number);
    ck_assert_uint_eq(disk_create(disk, &file, name), ST_OK);
    ck_assert_uint_eq(disk_write(file, "evidence", 8, 0), ST_OK);
    disk_close(file);
}

static void is_kept(size_t files)
{
    asides = 0;
    ck_assert_uint_eq(
        disk_list(disk_model_disk(rig.model), "divergent", NULL, count_aside),
        ST_OK);
    ck_assert_uint_eq(asides, files);
}

START_TEST(cut_keeps_so_many_files_and_none_of_them_makes_room_for_another)
{
    enum { FILES = 8 };

    begin(15, 0); /* In three segments. */
    rig.options.aside_files_max = FILES;
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_uint_eq(
        disk_make_directory(disk_model_disk(rig.model), "divergent"), ST_OK);
    for (int i = 0; i < FILES - 2; i++)
        put_aside(i);
    cut(14);
    ck_assert(!report.unkept);
    is_kept(FILES - 1);
    cut(7); /* Two files. */
    ck_assert(report.unkept);
    ck_assert_str_eq(report.aside, "");
    is_kept(FILES - 1);
    ck_assert(there("divergent/9-0-0.tail"));
    ck_assert(!there(THIRD_SEGMENT));
    is_clean_again(7);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    cut(7);
    ck_assert(!report.unkept);
    cut(5);
    ck_assert(report.unkept);
    is_kept(FILES);
    is_clean_again(5);
    journal_rig_fill(&rig, 4);
    is_clean_again(9);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_keeps_so_many_bytes)
{
    begin(15, 0);
    rig.options.aside_size_max = 3 * JOURNAL_RIG_SEGMENT;
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    cut(7);
    ck_assert(!report.unkept);
    is_kept(2); /* A segment, and a tail. */
    cut(5);
    ck_assert(report.unkept);
    is_kept(2);
    is_clean_again(5);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_that_cannot_be_kept_and_loses_power_is_resumed)
{
    for (size_t calls = 0; calls < 30; calls++) {
        begin(15, 0);
        rig.options.aside_size_max = 1;
        ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
        disk_model_power_off_after(rig.model,
                                   disk_model_changes(rig.model) + calls);
        if (journal_cut_to(rig.journal, &report, 7) == ST_OK)
            ck_assert(report.unkept);
        ck_assert_uint_eq(journal_rig_crash(&rig, calls % 2 == 0), ST_OK);
        ck_assert(journal_rig_holds(&rig, 15) || journal_rig_holds(&rig, 7));
        journal_rig_end(&rig);
    }
}
END_TEST

START_TEST(cut_is_told_by_a_cursor_that_has_gone_beyond_it)
{
    struct journal_cursor *beyond;
    struct journal_cursor *before;
    struct slice entry;

    begin(9, 0);
    ck_assert_uint_eq(journal_cursor_open(&beyond, rig.journal, 8), ST_OK);
    ck_assert_uint_eq(journal_cursor_open(&before, rig.journal, 0), ST_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(journal_cursor_next(before, &entry), ST_OK);
    ck_assert_uint_eq(journal_cursor_next(beyond, &entry), ST_OK);
    cut(4);
    journal_rig_fill(&rig, 9);
    ck_assert_uint_eq(journal_cursor_next(beyond, &entry), ST_CHAIN_BROKEN);
    ck_assert_uint_eq(journal_cursor_next(beyond, &entry), ST_CHAIN_BROKEN);
    for (uint64_t i = 2; i < 13; i++) {
        ck_assert_uint_eq(journal_cursor_next(before, &entry), ST_OK);
        ck_assert(slice_equal(entry, slice_of(rig.bytes[i], rig.sizes[i])));
    }
    ck_assert_uint_eq(journal_cursor_next(before, &entry), ST_END);
    journal_cursor_close(before);
    journal_cursor_close(beyond);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_with_a_full_disk_is_resumed_by_the_next_start)
{
    begin(9, 0);
    disk_model_limit(rig.model, 1);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 2), ST_DISK_FULL);
    ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_DISK_FAILED);
    disk_model_limit(rig.model, UINT64_MAX);
    ck_assert_uint_eq(journal_rig_crash(&rig, true), ST_OK);
    ck_assert(journal_rig_holds(&rig, 9) || journal_rig_holds(&rig, 2));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(sync_with_nothing_appended_writes_the_mark_if_the_commit_moved)
{
    size_t writes;

    begin(5, 1);
    writes = disk_model_writes(rig.model);
    ck_assert_uint_eq(journal_sync(rig.journal, 1), ST_OK);
    ck_assert_uint_eq(disk_model_writes(rig.model), writes);
    ck_assert_uint_eq(journal_sync(rig.journal, 4), ST_OK);
    ck_assert_uint_eq(disk_model_writes(rig.model), writes + 1);
    ck_assert_uint_eq(journal_committed(rig.journal), 4);
    ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
    ck_assert_uint_eq(journal_committed(rig.journal), 4);
    journal_rig_end(&rig);
}
END_TEST

static void append_in_epoch(uint32_t epoch)
{
    uint8_t bytes[JOURNAL_RIG_ENTRY];
    const struct journal_entry entry =
        log_maker_entry(bytes, &rig.end, JOURNAL_RIG_ENTRY, epoch, rig.variant);

    ck_assert_uint_eq(journal_append(rig.journal, &entry, 1), ST_OK);
}

/* Epochs 1, 1, 3, 3, 3, 6, as a table. */
static void check_epochs(size_t count)
{
    static const uint32_t epochs[] = {1, 3, 6};
    static const uint64_t firsts[] = {0, 2, 5};
    struct journal_epoch epoch;
    uint8_t leaf[HASH_SIZE];

    ck_assert_uint_eq(journal_epoch_count(rig.journal), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(journal_epoch_at(rig.journal, &epoch, i), ST_OK);
        ck_assert_uint_eq(epoch.epoch, epochs[i]);
        ck_assert_uint_eq(epoch.first, firsts[i]);
        ck_assert_uint_eq(journal_leaf(rig.journal, leaf, buffer, firsts[i]),
                          ST_OK);
        ck_assert_mem_eq(epoch.leaf, leaf, HASH_SIZE);
    }
    ck_assert_uint_eq(journal_epoch_at(rig.journal, &epoch, count), ST_END);
}

START_TEST(epochs_of_the_log_are_known_after_appends_starts_and_cuts)
{
    static const uint32_t epochs[] = {1, 1, 3, 3, 3, 6, 6};

    begin(0, 0);
    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++)
        append_in_epoch(epochs[i]);
    ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    check_epochs(3);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    check_epochs(3);
    rig.options.verify_from = 6;
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    check_epochs(3);
    cut(6);
    check_epochs(3);
    cut(5);
    check_epochs(2);
    append_in_epoch(6);
    ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    check_epochs(3);
    cut(2);
    check_epochs(1);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(epochs_beyond_the_table_drop_the_oldest)
{
    struct journal_epoch epoch;

    journal_rig_begin(&rig, 1024 * 1024);
    for (uint32_t i = 1; i <= JOURNAL_EPOCHS_MAX / 2 + 3; i++)
        append_in_epoch(i);
    for (uint32_t i = 0; i < JOURNAL_EPOCHS_MAX / 2; i++)
        append_in_epoch(JOURNAL_EPOCHS_MAX + i);
    ck_assert_uint_eq(journal_epoch_count(rig.journal), JOURNAL_EPOCHS_MAX);
    ck_assert_uint_eq(journal_epoch_at(rig.journal, &epoch, 0), ST_OK);
    ck_assert_uint_eq(epoch.epoch, 4);
    ck_assert_uint_eq(epoch.first, 3);
    ck_assert_uint_eq(
        journal_epoch_at(rig.journal, &epoch, JOURNAL_EPOCHS_MAX - 1), ST_OK);
    ck_assert_uint_eq(epoch.first, rig.end.size - 1);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(leaf_of_any_durable_entry_is_known)
{
    uint8_t leaf[HASH_SIZE];
    uint8_t expected[HASH_SIZE];
    uint64_t old = 3;

    journal_rig_begin(&rig, 1024 * 1024);
    journal_rig_fill(&rig, 8);
    for (uint32_t i = 0; i < JOURNAL_LEAVES; i++)
        append_in_epoch(1);
    ck_assert_uint_eq(journal_leaf(rig.journal, leaf, buffer, 8), ST_END);
    ck_assert_uint_eq(journal_sync(rig.journal, 8), ST_OK);
    entry_leaf_hash(leaf, slice_of(rig.bytes[old], rig.sizes[old]));
    ck_assert_uint_eq(journal_leaf(rig.journal, expected, buffer, old), ST_OK);
    ck_assert_mem_eq(leaf, expected, HASH_SIZE);
    ck_assert_uint_eq(journal_expected_leaf(rig.journal, expected, buffer, old),
                      ST_OK);
    ck_assert_mem_eq(leaf, expected, HASH_SIZE);
    ck_assert_uint_eq(journal_leaf(rig.journal, leaf, buffer, rig.end.size - 1),
                      ST_OK);
    ck_assert_mem_eq(leaf, rig.end.leaf, HASH_SIZE);
    ck_assert_uint_eq(
        journal_expected_leaf(rig.journal, leaf, buffer, rig.end.size - 1),
        ST_OK);
    ck_assert_mem_eq(leaf, rig.end.leaf, HASH_SIZE);
    ck_assert_uint_eq(
        journal_expected_leaf(rig.journal, leaf, buffer, rig.end.size), ST_END);
    journal_rig_end(&rig);
}
END_TEST

SUITE_MAIN("journal_cut", cut_in_one_segment_keeps_the_bytes_and_goes_on,
           cut_across_segments_moves_the_later_ones_aside,
           cut_at_the_border_of_a_segment_leaves_no_empty_one,
           cut_to_nothing_leaves_an_empty_log, cut_of_nothing_changes_nothing,
           cut_below_what_is_committed_is_refused,
           cut_of_who_is_lost_goes_below_the_commit_and_remembers_it,
           cut_takes_entries_that_were_not_synced,
           cuts_at_one_place_keep_their_bytes_apart,
           cut_keeps_so_many_files_and_none_of_them_makes_room_for_another,
           cut_keeps_so_many_bytes,
           cut_that_cannot_be_kept_and_loses_power_is_resumed,
           cut_is_told_by_a_cursor_that_has_gone_beyond_it,
           cut_with_a_full_disk_is_resumed_by_the_next_start,
           sync_with_nothing_appended_writes_the_mark_if_the_commit_moved,
           epochs_of_the_log_are_known_after_appends_starts_and_cuts,
           epochs_beyond_the_table_drop_the_oldest,
           leaf_of_any_durable_entry_is_known)
