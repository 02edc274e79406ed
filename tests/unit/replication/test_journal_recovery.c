/*
 * The recovery table, case by case (LOG-FORMAT, section 5).
 */
#include <stdio.h>
#include <string.h>

#include "protocol/entry.h"
#include "protocol/segment.h"
#include "replication/mark.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

#define FIRST_SEGMENT  "log/00000000000000000000.seg"
#define SECOND_SEGMENT "log/00000000000000000006.seg"
#define THIRD_SEGMENT  "log/00000000000000000012.seg"

static struct journal_rig rig;
static char file[DISK_NAME_SIZE_MAX];
static char text[600];

static const char *described(void)
{
    journal_describe(text, sizeof text, &rig.report);
    return text;
}

static void begin(size_t count)
{
    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    if (count > 0)
        journal_rig_fill(&rig, count);
}

/* A good frame behind the mark, as a crash between sync and mark leaves it. */
static void write_unmarked(size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    disk_model_power_off_after(rig.model, 2);
    ck_assert_uint_eq(journal_sync(rig.journal, rig.end.size), ST_DISK_FAILED);
}

static void rot(uint64_t index, uint64_t at)
{
    const uint64_t offset = journal_rig_offset(&rig, index, file);

    disk_model_rot(rig.model, file, offset + at, 2);
}

/* Any further start finds a clean log of this size. */
static void is_clean_again(uint64_t size)
{
    ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    ck_assert_uint_eq(rig.report.inherited, 0);
    ck_assert(journal_rig_holds(&rig, size));
}

START_TEST(C1_a_log_that_ends_at_its_mark_is_clean)
{
    begin(8);
    is_clean_again(8);
    ck_assert_uint_eq(rig.report.size, 8);
    ck_assert_uint_eq(rig.report.mark_size, 8);
    ck_assert_ptr_nonnull(strstr(described(), "C1"));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C1_good_entries_above_the_mark_are_taken_over_durably)
{
    begin(4);
    write_unmarked(4); /* Over the border of a segment. */
    ck_assert_uint_eq(journal_rig_crash(&rig, true), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    ck_assert_uint_gt(rig.report.inherited, 0);
    ck_assert(journal_rig_holds(&rig, 4 + rig.report.inherited));
    is_clean_again(journal_size(rig.journal));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C1_entries_that_stand_in_the_cache_alone_are_written_again)
{
    begin(2);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    disk_model_fail_sync_after(rig.model, 1);
    ck_assert_uint_eq(journal_sync(rig.journal, 2), ST_DISK_FAILED);
    /* The process stops; the kernel still shows the bytes it gave up. */
    ck_assert_uint_eq(disk_model_pending(rig.model), 0);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_uint_eq(rig.report.inherited, 1);
    ck_assert_uint_eq(journal_size(rig.journal), 3);
    is_clean_again(3);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C1_an_empty_last_segment_makes_room_for_a_smaller_entry)
{
    const uint8_t *data;
    size_t size;

    begin(5);
    /* The sixth would fit; a larger one opens a segment, and is lost. */
    ck_assert_uint_eq(journal_rig_append(&rig, 900), ST_OK);
    ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    ck_assert(!disk_model_peek(rig.model, "log/00000000000000000005.seg", &data,
                               &size));
    rig.end = journal_end(rig.journal);
    journal_rig_fill(&rig, 1);
    journal_rig_offset(&rig, 5, file);
    ck_assert_str_eq(file, FIRST_SEGMENT);
    is_clean_again(6);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C2_a_torn_tail_is_cut_off_and_kept_aside)
{
    static const uint8_t torn[700] = {1, 2, 3, [650] = 9};
    const uint8_t *data;
    size_t size;
    uint64_t offset;

    begin(3);
    offset = journal_rig_offset(&rig, 2, file) + JOURNAL_RIG_ENTRY + 16;
    disk_model_poke(rig.model, file, offset, torn, sizeof torn);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_TORN);
    ck_assert_str_eq(rig.report.file, FIRST_SEGMENT);
    ck_assert_uint_eq(rig.report.offset, offset);
    ck_assert_uint_eq(rig.report.index, 3);
    ck_assert(disk_model_peek(rig.model, rig.report.aside, &data, &size));
    ck_assert_uint_eq(size, 651);
    ck_assert_mem_eq(data, torn, size);
    ck_assert(!disk_model_peek(rig.model, "cut", &data, &size));
    ck_assert_ptr_nonnull(strstr(described(), "C2"));
    ck_assert_ptr_nonnull(strstr(described(), rig.report.aside));
    ck_assert(journal_rig_holds(&rig, 3));
    is_clean_again(3);
    journal_rig_fill(&rig, 4);
    is_clean_again(7);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C2_a_tail_that_begins_with_zeros_is_seen)
{
    begin(3);
    disk_model_poke(rig.model, FIRST_SEGMENT, JOURNAL_RIG_SEGMENT - 1, "x", 1);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_TORN);
    is_clean_again(3);
    journal_rig_end(&rig);
}
END_TEST

static void set_mark_back(uint64_t size)
{
    struct mark_value value = {.size = size, .committed = size};
    const uint64_t last = size - 1;

    entry_leaf_hash(value.leaf, slice_of(rig.bytes[last], rig.sizes[last]));
    ck_assert_uint_eq(mark_create(disk_model_disk(rig.model), &value), ST_OK);
}

START_TEST(C2_segments_behind_the_damage_are_moved_aside)
{
    const uint8_t *data;
    size_t size;

    begin(5);
    for (int i = 0; i < 9; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    /* All of it reached the disk, and the mark did not. */
    disk_model_power_off_after(rig.model, 1);
    ck_assert_uint_eq(journal_sync(rig.journal, rig.end.size), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_rig_crash(&rig, true), ST_OK);
    ck_assert_uint_eq(journal_size(rig.journal), 14);
    /* Now the mark is set back, as it stood, and entry 5 is damaged. */
    rot(5, 50);
    set_mark_back(5);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_TORN);
    ck_assert_uint_eq(journal_size(rig.journal), 5);
    ck_assert(!disk_model_peek(rig.model, SECOND_SEGMENT, &data, &size));
    ck_assert(!disk_model_peek(rig.model, THIRD_SEGMENT, &data, &size));
    ck_assert(disk_model_peek(rig.model, "divergent/5-2-0.tail", &data, &size));
    ck_assert(disk_model_peek(rig.model, "divergent/5-2-6.seg", &data, &size));
    ck_assert(disk_model_peek(rig.model, "divergent/5-2-12.seg", &data, &size));
    is_clean_again(5);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_log_that_ends_before_its_mark_is_lost)
{
    static const uint8_t zeros[JOURNAL_RIG_ENTRY + 16];
    uint64_t offset;
    uint64_t digest;

    begin(4);
    offset = journal_rig_offset(&rig, 3, file);
    disk_model_poke(rig.model, file, offset, zeros, sizeof zeros);
    digest = disk_model_digest(rig.model);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_ptr_null(rig.journal);
    ck_assert_int_eq(rig.report.found, JOURNAL_LOST);
    ck_assert_str_eq(rig.report.file, FIRST_SEGMENT);
    ck_assert_uint_eq(rig.report.offset, offset);
    ck_assert_uint_eq(rig.report.index, 3);
    ck_assert_uint_eq(rig.report.size, 3);
    ck_assert_uint_eq(rig.report.mark_size, 4);
    ck_assert_ptr_nonnull(strstr(described(), "C3"));
    ck_assert_ptr_nonnull(strstr(described(), FIRST_SEGMENT));
    ck_assert_ptr_nonnull(strstr(described(), "index 3"));
    ck_assert_uint_eq(disk_model_digest(rig.model), digest);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_the_newest_acknowledged_entry_rotten_is_lost)
{
    begin(4);
    rot(3, 60);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_LOST);
    ck_assert_uint_eq(rig.report.index, 3);
    ck_assert_mem_eq(rig.report.expected, rig.end.leaf, HASH_SIZE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_segment_gone_from_the_end_is_lost)
{
    begin(8);
    disk_model_drop(rig.model, SECOND_SEGMENT);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_LOST);
    ck_assert_uint_eq(rig.report.index, 6);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_every_segment_gone_is_lost)
{
    begin(3);
    disk_model_drop(rig.model, FIRST_SEGMENT);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_LOST);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_another_history_of_the_same_length_is_told_by_the_mark)
{
    static uint8_t bytes[4][JOURNAL_RIG_ENTRY];
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    struct journal_end end = {0};

    begin(4);
    for (int i = 0; i < 4; i++) {
        uint64_t offset = journal_rig_offset(&rig, (uint64_t)i, file);
        struct journal_entry entry =
            log_maker_entry(bytes[i], &end, JOURNAL_RIG_ENTRY, 1, 77);

        segment_frame_encode(frame, entry.bytes);
        disk_model_poke(rig.model, file, offset, frame, sizeof frame);
    }
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
    ck_assert_int_eq(rig.report.found, JOURNAL_LOST);
    ck_assert_uint_eq(rig.report.index, 3);
    ck_assert(rig.report.hashes_known);
    ck_assert_mem_eq(rig.report.expected, rig.end.leaf, HASH_SIZE);
    ck_assert_mem_eq(rig.report.found_hash, end.leaf, HASH_SIZE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_rotten_entry_among_good_ones_is_a_hole)
{
    uint8_t changed[JOURNAL_RIG_ENTRY];
    uint8_t leaf[HASH_SIZE];
    uint64_t digest;

    begin(16);
    rot(7, 8 + 100);
    digest = disk_model_digest(rig.model);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
    ck_assert_int_eq(rig.report.found, JOURNAL_HOLE);
    ck_assert_str_eq(rig.report.file, SECOND_SEGMENT);
    ck_assert_uint_eq(rig.report.offset,
                      SEGMENT_HEADER_SIZE + JOURNAL_RIG_ENTRY + 16);
    ck_assert_uint_eq(rig.report.index, 7);
    ck_assert_uint_eq(rig.report.next_good, 8);
    ck_assert(rig.report.hashes_known);
    entry_leaf_hash(leaf, slice_of(rig.bytes[7], JOURNAL_RIG_ENTRY));
    ck_assert_mem_eq(rig.report.expected, leaf, HASH_SIZE);
    memcpy(changed, rig.bytes[7], sizeof changed);
    changed[100] ^= 4;
    entry_leaf_hash(leaf, slice_of(changed, sizeof changed));
    ck_assert_mem_eq(rig.report.found_hash, leaf, HASH_SIZE);
    ck_assert_ptr_nonnull(strstr(described(), "C4"));
    ck_assert_ptr_nonnull(strstr(described(), "next good entry 8"));
    ck_assert_uint_eq(disk_model_digest(rig.model), digest);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_every_flipped_bit_below_the_mark_stops_the_node)
{
    uint64_t offset;

    begin(3);
    offset = journal_rig_offset(&rig, 1, file);
    for (uint64_t at = 0; at < JOURNAL_RIG_ENTRY + 16; at++) {
        disk_model_rot(rig.model, file, offset + at, (unsigned)(at % 8));
        ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
        ck_assert_int_eq(rig.report.found, JOURNAL_HOLE);
        ck_assert_uint_eq(rig.report.index, 1);
        ck_assert_uint_eq(rig.report.next_good, 2);
        disk_model_rot(rig.model, file, offset + at, (unsigned)(at % 8));
    }
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_an_entry_changed_with_a_fitting_checksum_breaks_the_chain)
{
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    uint8_t changed[JOURNAL_RIG_ENTRY];
    uint8_t leaf[HASH_SIZE];
    uint64_t offset;

    begin(9);
    memcpy(changed, rig.bytes[2], sizeof changed);
    changed[JOURNAL_RIG_ENTRY - 1] ^= 1;
    segment_frame_encode(frame, slice_of(changed, sizeof changed));
    offset = journal_rig_offset(&rig, 2, file);
    disk_model_poke(rig.model, file, offset, frame, sizeof frame);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
    ck_assert_int_eq(rig.report.found, JOURNAL_HOLE);
    ck_assert_uint_eq(rig.report.index, 3);
    ck_assert_uint_eq(rig.report.offset, offset + sizeof frame);
    entry_leaf_hash(leaf, slice_of(changed, sizeof changed));
    ck_assert_mem_eq(rig.report.expected, leaf, HASH_SIZE);
    entry_leaf_hash(leaf, slice_of(rig.bytes[2], JOURNAL_RIG_ENTRY));
    ck_assert_mem_eq(rig.report.found_hash, leaf, HASH_SIZE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_segment_gone_from_the_middle_is_a_hole)
{
    begin(16);
    disk_model_drop(rig.model, SECOND_SEGMENT);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
    ck_assert_int_eq(rig.report.found, JOURNAL_HOLE);
    ck_assert_uint_eq(rig.report.index, 6);
    ck_assert_uint_eq(rig.report.next_good, 12);
    ck_assert_str_eq(rig.report.file, THIRD_SEGMENT);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_rotten_segment_header_is_a_hole)
{
    begin(16);
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
    ck_assert_int_eq(rig.report.found, JOURNAL_HOLE);
    ck_assert_str_eq(rig.report.file, SECOND_SEGMENT);
    ck_assert_uint_eq(rig.report.offset, 0);
    ck_assert_uint_eq(rig.report.index, 6);
    journal_rig_end(&rig);
}
END_TEST

static void rot_newest_mark(void)
{
    const uint8_t *data;
    size_t size;
    uint64_t slot;

    ck_assert(disk_model_peek(rig.model, MARK_FILE, &data, &size));
    slot = load_u64(data + 16) > load_u64(data + SLOT_SIZE + 16) ? 0 : 1;
    disk_model_rot(rig.model, MARK_FILE, slot * SLOT_SIZE + 50, 6);
}

START_TEST(C5_with_one_bad_slot_the_other_mark_serves)
{
    begin(3);
    journal_rig_fill(&rig, 1);
    rot_newest_mark();
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    ck_assert(rig.report.slot_bad);
    ck_assert_uint_eq(rig.report.mark_size, 3);
    ck_assert_uint_eq(rig.report.inherited, 1);
    ck_assert(journal_rig_holds(&rig, 4));
    is_clean_again(4);
    ck_assert(!rig.report.slot_bad);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C5_with_one_bad_slot_a_damaged_tail_is_not_cut)
{
    uint64_t digest;

    begin(3);
    journal_rig_fill(&rig, 1);
    rot_newest_mark();
    rot(3, 40); /* It was acknowledged, and the lost mark said so. */
    digest = disk_model_digest(rig.model);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_MARK_SLOT);
    ck_assert_uint_eq(rig.report.index, 3);
    ck_assert_str_eq(rig.report.file, FIRST_SEGMENT);
    ck_assert_ptr_nonnull(strstr(described(), "C5"));
    ck_assert_uint_eq(disk_model_digest(rig.model), digest);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_with_both_slots_bad_the_node_is_lost)
{
    begin(3);
    disk_model_rot(rig.model, MARK_FILE, 10, 0);
    disk_model_rot(rig.model, MARK_FILE, SLOT_SIZE + 10, 0);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_MARK_GONE);
    ck_assert_str_eq(rig.report.file, MARK_FILE);
    ck_assert_ptr_nonnull(strstr(described(), "C6"));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_without_a_mark_file_the_node_is_lost)
{
    begin(3);
    disk_model_drop(rig.model, MARK_FILE);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_MARK_GONE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_a_mark_from_a_later_start_tells_a_disk_set_back)
{
    begin(3);
    rig.options.incarnation -= 1; /* reopen adds one: the same again */
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_MARK_GONE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_an_entry_of_an_epoch_never_promised_tells_a_disk_set_back)
{
    begin(3);
    rig.options.epoch = 0; /* The entries are of epoch 1. */
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_LOST);
    ck_assert_int_eq(rig.report.found, JOURNAL_MARK_GONE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_opened_in_part_still_checks_checksums_and_the_end)
{
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    uint8_t changed[JOURNAL_RIG_ENTRY];
    uint64_t offset;

    begin(16);
    rig.options.verify_from = 1000;
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert(journal_rig_holds(&rig, 16));
    ck_assert_mem_eq(journal_end(rig.journal).leaf, rig.end.leaf, HASH_SIZE);
    rot(4, 99);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
    ck_assert_uint_eq(rig.report.index, 4);
    disk_model_rot(rig.model, file, rig.report.offset + 99, 2);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);

    /* A fitting checksum deceives the short check, and not the full one. */
    memcpy(changed, rig.bytes[2], sizeof changed);
    changed[JOURNAL_RIG_ENTRY - 1] ^= 1;
    segment_frame_encode(frame, slice_of(changed, sizeof changed));
    offset = journal_rig_offset(&rig, 2, file);
    disk_model_poke(rig.model, file, offset, frame, sizeof frame);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    rig.options.verify_from = 0;
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_CHAIN_BROKEN);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(journal_with_an_unreadable_intent_to_cut_stops)
{
    begin(3);
    ck_assert_uint_eq(
        disk_replace(disk_model_disk(rig.model), "cut", "", "nonsense", 8),
        ST_OK);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_FILE_FORMAT);
    ck_assert_str_eq(rig.report.file, "cut");
    journal_rig_end(&rig);
}
END_TEST

SUITE_MAIN("journal_recovery", C1_a_log_that_ends_at_its_mark_is_clean,
           C1_good_entries_above_the_mark_are_taken_over_durably,
           C1_entries_that_stand_in_the_cache_alone_are_written_again,
           C1_an_empty_last_segment_makes_room_for_a_smaller_entry,
           C2_a_torn_tail_is_cut_off_and_kept_aside,
           C2_a_tail_that_begins_with_zeros_is_seen,
           C2_segments_behind_the_damage_are_moved_aside,
           C3_a_log_that_ends_before_its_mark_is_lost,
           C3_the_newest_acknowledged_entry_rotten_is_lost,
           C3_a_segment_gone_from_the_end_is_lost,
           C3_every_segment_gone_is_lost,
           C3_another_history_of_the_same_length_is_told_by_the_mark,
           C4_a_rotten_entry_among_good_ones_is_a_hole,
           C4_every_flipped_bit_below_the_mark_stops_the_node,
           C4_an_entry_changed_with_a_fitting_checksum_breaks_the_chain,
           C4_a_segment_gone_from_the_middle_is_a_hole,
           C4_a_rotten_segment_header_is_a_hole,
           C5_with_one_bad_slot_the_other_mark_serves,
           C5_with_one_bad_slot_a_damaged_tail_is_not_cut,
           C6_with_both_slots_bad_the_node_is_lost,
           C6_without_a_mark_file_the_node_is_lost,
           C6_a_mark_from_a_later_start_tells_a_disk_set_back,
           C6_an_entry_of_an_epoch_never_promised_tells_a_disk_set_back,
           journal_opened_in_part_still_checks_checksums_and_the_end,
           journal_with_an_unreadable_intent_to_cut_stops)
