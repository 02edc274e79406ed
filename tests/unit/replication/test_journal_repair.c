/*
 * The recovery table of a node that has peers, case by case (LOG-FORMAT,
 * section 5), and putting back what is missing.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/entry.h"
#include "protocol/segment.h"
#include "replication/journal_epochs.h"
#include "replication/journal_repair.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

#define FIRST_SEGMENT  "log/00000000000000000000.seg"
#define SECOND_SEGMENT "log/00000000000000000006.seg"
#define THIRD_SEGMENT  "log/00000000000000000012.seg"

static struct journal_rig rig;
static char file[DISK_NAME_SIZE_MAX];
static uint8_t buffer[JOURNAL_READ_SIZE];

/* What is good of the log, kept for putting it back. */
static void begin(size_t count)
{
    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    rig.options.repair = true;
    if (count > 0)
        journal_rig_fill(&rig, count);
}

static void rot(uint64_t index, uint64_t at)
{
    const uint64_t offset = journal_rig_offset(&rig, index, file);

    disk_model_rot(rig.model, file, offset + at, 2);
}

static void open_as(enum journal_case found)
{
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_int_eq(rig.report.found, found);
}

static void is_clean_again(uint64_t size)
{
    struct journal_gap gap;

    ck_assert(journal_rig_holds(&rig, size));
    ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    ck_assert(journal_rig_holds(&rig, size));
    rig.options.repair = false;
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    rig.options.repair = true;
}

static enum status repair(uint64_t index, size_t count)
{
    struct journal_entry entries[JOURNAL_RIG_ENTRIES_MAX];

    memset(entries, 0, sizeof entries);
    for (size_t i = 0; i < count; i++)
        entries[i].bytes = slice_of(rig.bytes[index + i], rig.sizes[index + i]);
    return journal_repair(rig.journal, index, entries, count);
}

/* The hole is [first, end), the entries around it are there. */
static void is_hole(uint64_t first, uint64_t end)
{
    const uint64_t size = journal_size(rig.journal);
    struct journal_gap gap;
    struct slice entry;
    uint8_t leaf[HASH_SIZE];

    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_OK);
    ck_assert_uint_eq(gap.first, first);
    ck_assert_uint_eq(gap.first + gap.count, end);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 1), ST_END);
    for (uint64_t i = 0; i < size; i++) {
        const bool missing = i >= first && i < end;
        const enum status status =
            journal_read_entry(rig.journal, &entry, buffer, i);

        ck_assert_uint_eq(status, missing ? ST_CHECKSUM : ST_OK);
        if (status == ST_OK)
            ck_assert(slice_equal(entry, slice_of(rig.bytes[i], rig.sizes[i])));
    }
    ck_assert_uint_eq(journal_expected_leaf(rig.journal, leaf, buffer, end - 1),
                      ST_OK);
    ck_assert_mem_eq(leaf, gap.leaf, HASH_SIZE);
}

static void append_and_sync(size_t count)
{
    rig.end = journal_end(rig.journal);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, journal_committed(rig.journal)),
                      ST_OK);
}

/* Appends what the peers hold; the rig remembers it. */
static void fetch(uint64_t from, uint64_t end)
{
    for (uint64_t i = from; i < end; i++) {
        struct journal_entry entry = {.bytes =
                                          slice_of(rig.bytes[i], rig.sizes[i])};

        entry_leaf_hash(entry.leaf, entry.bytes);
        ck_assert_uint_eq(journal_append(rig.journal, &entry, 1), ST_OK);
    }
    ck_assert_uint_eq(journal_sync(rig.journal, journal_committed(rig.journal)),
                      ST_OK);
}

START_TEST(C2_torn_tails_are_cut_as_on_a_single_node)
{
    begin(3);
    disk_model_poke(rig.model, FIRST_SEGMENT, JOURNAL_RIG_SEGMENT - 1, "x", 1);
    open_as(JOURNAL_TORN);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    is_clean_again(3);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_lost_end_is_remembered_until_it_is_back)
{
    static const uint8_t zeros[2 * (JOURNAL_RIG_ENTRY + 16)];
    struct mark_lost lost;

    begin(5);
    disk_model_poke(rig.model, FIRST_SEGMENT, journal_rig_offset(&rig, 3, file),
                    zeros, sizeof zeros);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(rig.report.mark_size, 5);
    ck_assert_uint_eq(rig.report.size, 3);
    ck_assert(journal_rig_holds(&rig, 3));
    ck_assert_uint_eq(journal_committed(rig.journal), 3);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_LOST);
    for (int i = 0; i < 3; i++) { /* No start forgets it. */
        ck_assert_uint_eq(journal_rig_crash(&rig, i % 2 == 0), ST_OK);
        lost = journal_lost(rig.journal);
        ck_assert_int_eq(lost.kind, MARK_LOST);
        ck_assert_uint_eq(lost.size, 5);
        ck_assert_uint_eq(lost.committed, 5);
        ck_assert_mem_eq(lost.leaf, rig.end.leaf, HASH_SIZE);
    }
    fetch(3, 4);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_LOST);
    fetch(4, 5);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_LOST);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    ck_assert_uint_eq(journal_committed(rig.journal), 5);
    is_clean_again(5);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_another_end_than_the_lost_one_does_not_clear_it)
{
    begin(5);
    rot(4, 60);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 4);
    rig.variant++;
    append_and_sync(3);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_CHAIN_BROKEN);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_LOST);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_damaged_end_is_kept_aside_before_it_is_cut)
{
    const uint8_t *data;
    size_t size;

    begin(8);
    rot(7, 60);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 7);
    ck_assert(disk_model_peek(rig.model, rig.report.aside, &data, &size));
    ck_assert_uint_eq(size, JOURNAL_RIG_ENTRY + 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_every_segment_gone_begins_an_empty_log)
{
    begin(14);
    disk_model_drop(rig.model, FIRST_SEGMENT);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 0);
    ck_assert_uint_eq(journal_lost(rig.journal).size, 14);
    fetch(0, 14);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    is_clean_again(14);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_segment_gone_from_the_middle_is_the_end)
{
    const uint8_t *data;
    size_t size;

    begin(16);
    disk_model_drop(rig.model, SECOND_SEGMENT);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 6);
    ck_assert(!disk_model_peek(rig.model, THIRD_SEGMENT, &data, &size));
    fetch(6, 16);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_the_last_entry_changed_with_a_fitting_checksum_is_lost)
{
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    uint8_t changed[JOURNAL_RIG_ENTRY];

    begin(4);
    memcpy(changed, rig.bytes[3], sizeof changed);
    changed[JOURNAL_RIG_ENTRY - 1] ^= 1;
    segment_frame_encode(frame, slice_of(changed, sizeof changed));
    disk_model_poke(rig.model, FIRST_SEGMENT, journal_rig_offset(&rig, 3, file),
                    frame, sizeof frame);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 3);
    fetch(3, 4);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    is_clean_again(4);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_every_flipped_bit_in_the_middle_is_a_hole_that_can_be_filled)
{
    uint64_t offset;

    begin(16);
    for (uint64_t index = 0; index < 16; index += 5) {
        offset = journal_rig_offset(&rig, index, file);
        for (uint64_t at = 0; at < JOURNAL_RIG_ENTRY + 16; at += 3) {
            if (index == 15)
                break; /* That is the end. */
            disk_model_rot(rig.model, file, offset + at, (unsigned)(at % 8));
            open_as(JOURNAL_HOLE);
            ck_assert_uint_eq(rig.report.holes, 1);
            ck_assert_uint_eq(rig.report.index, index);
            is_hole(index, index + 1);
            ck_assert_uint_eq(repair(index, 1), ST_OK);
            ck_assert(journal_rig_holds(&rig, 16));
        }
    }
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_the_last_entry_of_a_sealed_segment_can_be_filled)
{
    begin(16);
    rot(5, 60);
    open_as(JOURNAL_HOLE);
    is_hole(5, 6);
    ck_assert_uint_eq(repair(5, 1), ST_OK);
    is_clean_again(16);
    rot(11, 2);
    rot(10, 2);
    open_as(JOURNAL_HOLE);
    is_hole(10, 12);
    ck_assert_uint_eq(repair(11, 1), ST_AGAIN);
    ck_assert_uint_eq(repair(10, 2), ST_OK);
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_hole_is_filled_from_its_end_in_pieces)
{
    begin(16);
    rot(6, 60);
    rot(10, 60);
    open_as(JOURNAL_HOLE);
    is_hole(6, 11);
    ck_assert_uint_eq(repair(6, 1), ST_AGAIN);
    ck_assert_uint_eq(repair(10, 1), ST_OK);
    is_hole(6, 10);
    ck_assert_uint_eq(repair(8, 2), ST_OK);
    is_hole(6, 8);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    is_hole(6, 7); /* What was only between two holes is good by itself. */
    ck_assert_uint_eq(repair(6, 1), ST_OK);
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_holes_in_several_segments_are_all_listed)
{
    struct journal_gap gap;

    begin(20);
    rot(1, 60);
    rot(8, 60);
    rot(13, 60);
    open_as(JOURNAL_HOLE);
    ck_assert_uint_eq(rig.report.holes, 3);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 1), ST_OK);
    ck_assert_uint_eq(gap.first, 8);
    ck_assert_str_eq(gap.file, SECOND_SEGMENT);
    ck_assert_uint_eq(gap.offset,
                      SEGMENT_HEADER_SIZE + 2 * (JOURNAL_RIG_ENTRY + 16));
    ck_assert_uint_eq(gap.offset_end, gap.offset + JOURNAL_RIG_ENTRY + 16);
    ck_assert_uint_eq(repair(8, 1), ST_OK);
    ck_assert_uint_eq(repair(13, 1), ST_OK);
    is_hole(1, 2);
    append_and_sync(3); /* The log goes on with a hole in it. */
    open_as(JOURNAL_HOLE);
    is_hole(1, 2);
    ck_assert_uint_eq(repair(1, 1), ST_OK);
    is_clean_again(23);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_damaged_header_page_is_written_anew)
{
    struct journal_gap gap;

    begin(16);
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    disk_model_rot(rig.model, FIRST_SEGMENT, 3000, 0);
    disk_model_rot(rig.model, THIRD_SEGMENT, 1, 0);
    open_as(JOURNAL_CLEAN);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_damaged_header_page_and_entries_around_it)
{
    begin(16);
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    rot(6, 60);
    open_as(JOURNAL_HOLE);
    is_hole(6, 7);
    ck_assert_uint_eq(repair(6, 1), ST_OK);
    is_clean_again(16);
    /* The entry before is known from the first one behind. */
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    rot(5, 60);
    open_as(JOURNAL_HOLE);
    is_hole(5, 6);
    ck_assert_uint_eq(repair(5, 1), ST_OK);
    is_clean_again(16);
    /* Nothing says what stood before: the end. */
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    rot(5, 60);
    rot(6, 60);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 5);
    fetch(5, 16);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_an_entry_changed_with_a_fitting_checksum_is_a_hole)
{
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    static const uint64_t changed_ones[] = {2, 5};
    uint8_t changed[JOURNAL_RIG_ENTRY];

    begin(16);
    for (size_t i = 0; i < 2; i++) {
        const uint64_t index = changed_ones[i];

        memcpy(changed, rig.bytes[index], sizeof changed);
        changed[JOURNAL_RIG_ENTRY - 1] ^= 1;
        segment_frame_encode(frame, slice_of(changed, sizeof changed));
        disk_model_poke(rig.model, FIRST_SEGMENT,
                        journal_rig_offset(&rig, index, file), frame,
                        sizeof frame);
        open_as(JOURNAL_HOLE);
        is_hole(index, index + 1);
        ck_assert_uint_eq(repair(index, 1), ST_OK);
        is_clean_again(16);
    }
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_more_holes_than_can_be_remembered_are_a_lost_end)
{
    static char name[DISK_NAME_SIZE_MAX];
    struct journal_gap gap;

    /* A segment for each pair of entries. */
    journal_rig_begin(&rig, SEGMENT_HEADER_SIZE + 700);
    rig.options.repair = true;
    for (int i = 0; i < 2; i++)
        journal_rig_fill(&rig, 20);
    for (unsigned i = 4; i < 4 + 2 * JOURNAL_HOLES_MAX; i += 2) {
        snprintf(name, sizeof name, "log/%020u.seg", i);
        disk_model_rot(rig.model, name, SEGMENT_HEADER_SIZE + 70, 1);
    }
    open_as(JOURNAL_HOLE);
    ck_assert_uint_eq(rig.report.holes, JOURNAL_HOLES_MAX);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, JOURNAL_HOLES_MAX - 1),
                      ST_OK);
    ck_assert_uint_eq(gap.first, 2 + 2 * JOURNAL_HOLES_MAX);
    ck_assert_uint_eq(repair(4, 1), ST_OK);
    rot(5, 70);
    rot(38, 70);
    open_as(JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 5);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    fetch(5, 40);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    is_clean_again(40);
    journal_rig_end(&rig);
}
END_TEST

/* An entry that holds the frame of another one, as anybody may sign it. */
START_TEST(C4_a_frame_inside_an_entry_is_not_taken_for_the_next)
{
    static uint8_t inner[JOURNAL_RIG_ENTRY];
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    struct journal_end end;
    struct journal_entry fake;
    uint64_t offset;

    begin(2);
    ck_assert_uint_eq(journal_rig_append(&rig, 800), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 3), ST_OK);
    end = rig.end;
    fake = log_maker_entry(inner, &end, sizeof inner, 1, 77); /* Entry 3. */
    segment_frame_encode(frame, fake.bytes);
    journal_rig_fill(&rig, 5);
    offset = journal_rig_offset(&rig, 2, file);
    disk_model_poke(rig.model, file, offset + 400, frame, sizeof frame);
    open_as(JOURNAL_HOLE);
    is_hole(2, 3);
    ck_assert_uint_eq(repair(2, 1), ST_OK);
    is_clean_again(8);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C5_a_tail_that_may_have_been_acknowledged_is_remembered)
{
    const uint8_t *data;
    struct mark_lost lost;
    size_t size;
    uint64_t slot;

    begin(3);
    journal_rig_fill(&rig, 1);
    ck_assert(disk_model_peek(rig.model, MARK_FILE, &data, &size));
    slot = load_u64(data + 16) > load_u64(data + SLOT_SIZE + 16) ? 0 : 1;
    disk_model_rot(rig.model, MARK_FILE, slot * SLOT_SIZE + 50, 6);
    rot(3, 40);
    open_as(JOURNAL_MARK_SLOT);
    ck_assert(disk_model_peek(rig.model, rig.report.aside, &data, &size));
    for (int i = 0; i < 3; i++) {
        lost = journal_lost(rig.journal);
        ck_assert_int_eq(lost.kind, MARK_LOST_TAIL);
        ck_assert_uint_eq(lost.size, 3);
        ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
        ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    }
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    is_clean_again(3);
    journal_rig_end(&rig);
}
END_TEST

static void is_lost_for_good(uint64_t size)
{
    for (int i = 0; i < 3; i++) {
        const struct mark_lost lost = journal_lost(rig.journal);

        ck_assert_int_eq(lost.kind, MARK_LOST_ALL);
        ck_assert_uint_eq(lost.size, UINT64_MAX);
        ck_assert(journal_rig_holds(&rig, size));
        ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
        ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    }
    rig.end = journal_end(rig.journal);
    journal_rig_fill(&rig, 1);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_LOST_ALL);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    is_clean_again(size + 1);
}

START_TEST(C6_without_a_mark_everything_may_be_missing)
{
    begin(14);
    disk_model_drop(rig.model, MARK_FILE);
    open_as(JOURNAL_MARK_GONE);
    is_lost_for_good(14);
    disk_model_rot(rig.model, MARK_FILE, 10, 0);
    disk_model_rot(rig.model, MARK_FILE, SLOT_SIZE + 10, 0);
    open_as(JOURNAL_MARK_GONE);
    is_lost_for_good(15);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_without_a_mark_the_damage_is_cut_or_a_hole)
{
    begin(14);
    disk_model_drop(rig.model, MARK_FILE);
    rot(2, 60);
    rot(13, 60);
    open_as(JOURNAL_MARK_GONE);
    is_hole(2, 3);
    ck_assert_uint_eq(repair(2, 1), ST_OK);
    ck_assert(journal_rig_holds(&rig, 13));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_a_disk_set_back_is_lost)
{
    begin(3);
    rig.options.incarnation -= 1;
    open_as(JOURNAL_MARK_GONE);
    is_lost_for_good(3);
    rig.options.epoch = 0;
    open_as(JOURNAL_MARK_GONE);
    rig.options.epoch = 9;
    is_lost_for_good(4);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(lost_can_be_noted_by_the_caller_and_is_joined)
{
    const struct mark_lost all = {.kind = MARK_LOST_ALL, .size = UINT64_MAX};
    const struct mark_lost some = {.kind = MARK_LOST, .size = 9};
    const struct mark_lost more = {.kind = MARK_LOST, .size = 12};

    begin(3);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &more), ST_OK);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &some), ST_OK);
    ck_assert_uint_eq(journal_lost(rig.journal).size, 12);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &all), ST_OK);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &some), ST_OK);
    is_lost_for_good(3);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(repair_of_rot_in_service)
{
    struct journal_cursor *cursor;
    struct slice entry;

    begin(16);
    for (uint64_t index = 0; index < 16; index++) {
        rot(index, index % 2 == 0 ? 2 : 90);
        ck_assert_uint_eq(
            journal_read_entry(rig.journal, &entry, buffer, index),
            ST_CHECKSUM);
        ck_assert_uint_eq(journal_cursor_open(&cursor, rig.journal, 0), ST_OK);
        for (uint64_t i = 0; i < index; i++)
            ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_OK);
        ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_CHECKSUM);
        ck_assert_uint_eq(repair(index, 1), ST_OK);
        if (journal_cursor_next(cursor, &entry) == ST_OK)
            ck_assert(slice_equal(
                entry, slice_of(rig.bytes[index], rig.sizes[index])));
        journal_cursor_close(cursor);
        ck_assert(journal_rig_holds(&rig, 16));
    }
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(examine_notes_a_hole_and_forgets_one_that_is_not_there)
{
    struct journal_gap gap;

    begin(9);
    ck_assert_uint_eq(journal_examine(rig.journal, 9), ST_END);
    rot(7, 60);
    disk_model_rot(rig.model, SECOND_SEGMENT, 20, 1);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    ck_assert_uint_eq(journal_examine(rig.journal, 8), ST_OK);
    is_hole(7, 8);
    rot(6, 60);
    ck_assert_uint_eq(journal_examine(rig.journal, 6), ST_OK);
    is_hole(6, 8);
    ck_assert_uint_eq(repair(6, 2), ST_OK);
    ck_assert_uint_eq(journal_examine(rig.journal, 8), ST_OK);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    is_clean_again(9);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(repair_never_writes_other_bytes_than_the_expected_ones)
{
    uint8_t other[JOURNAL_RIG_ENTRY] = {0};
    struct journal_entry entry = {.bytes = slice_of(other, sizeof other)};
    uint64_t digest;

    begin(16);
    rot(7, 60);
    open_as(JOURNAL_HOLE);
    digest = disk_model_digest(rig.model);
    for (size_t at = 0; at < sizeof other; at++) {
        enum status status;

        memcpy(other, rig.bytes[7], sizeof other);
        other[at] ^= 1;
        status = journal_repair(rig.journal, 7, &entry, 1);
        ck_assert(status == ST_CHAIN_BROKEN || status == ST_ENTRY_FORMED);
        ck_assert_uint_eq(disk_model_digest(rig.model), digest);
    }
    entry.bytes.size = 10;
    ck_assert_uint_eq(journal_repair(rig.journal, 7, &entry, 1),
                      ST_ENTRY_FORMED);
    ck_assert_uint_eq(repair(8, 1), ST_OK); /* It is good, and stays. */
    ck_assert_uint_eq(repair(7, 2), ST_AGAIN);
    ck_assert_uint_eq(repair(16, 1), ST_END);
    ck_assert_uint_eq(disk_model_digest(rig.model), digest);
    is_hole(7, 8);
    ck_assert_uint_eq(repair(7, 1), ST_OK);
    is_clean_again(16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(repair_that_cannot_be_synced_stops_the_journal)
{
    begin(16);
    rot(7, 60);
    open_as(JOURNAL_HOLE);
    disk_model_fail_sync_after(rig.model, 1);
    ck_assert_uint_eq(repair(7, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(repair(7, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_examine(rig.journal, 7), ST_DISK_FAILED);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_with_holes_in_the_log)
{
    struct journal_report report;
    struct journal_gap gap;

    begin(0);
    for (int i = 0; i < 16; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 1), ST_OK);
    rot(2, 60);
    rot(8, 60);
    open_as(JOURNAL_HOLE);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 9), ST_CHECKSUM);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 10), ST_OK);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 1), ST_OK);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 8), ST_OK);
    is_hole(2, 3);
    open_as(JOURNAL_HOLE);
    is_hole(2, 3);
    rig.end = journal_end(rig.journal);
    rig.variant++;
    append_and_sync(2);
    ck_assert_uint_eq(repair(2, 1), ST_OK);
    is_clean_again(10);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(hole_over_the_beginning_of_an_epoch_is_mended_in_the_table)
{
    static uint8_t bytes[8][JOURNAL_RIG_ENTRY];
    static const uint32_t epochs[] = {1, 1, 2, 2, 4, 4, 4, 4};
    struct journal_entry entries[8];
    struct journal_epoch epoch;
    struct journal_end end = {.size = 0};

    begin(0);
    for (size_t i = 0; i < 8; i++)
        entries[i] =
            log_maker_entry(bytes[i], &end, JOURNAL_RIG_ENTRY, epochs[i], 0);
    ck_assert_uint_eq(journal_append(rig.journal, entries, 6), ST_OK);
    ck_assert_uint_eq(journal_append(rig.journal, entries + 6, 2), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    for (uint64_t i = 2; i < 5; i++)
        rot(i, 60);
    open_as(JOURNAL_HOLE);
    ck_assert_uint_eq(journal_epoch_count(rig.journal), 2);
    ck_assert_uint_eq(journal_epoch_at(rig.journal, &epoch, 1), ST_OK);
    ck_assert_uint_eq(epoch.first, 5);
    ck_assert_uint_eq(journal_repair(rig.journal, 2, entries + 2, 3), ST_OK);
    ck_assert_uint_eq(journal_epoch_count(rig.journal), 3);
    ck_assert_uint_eq(journal_epoch_at(rig.journal, &epoch, 1), ST_OK);
    ck_assert_uint_eq(epoch.first, 2);
    ck_assert_mem_eq(epoch.leaf, entries[2].leaf, HASH_SIZE);
    ck_assert_uint_eq(journal_epoch_at(rig.journal, &epoch, 2), ST_OK);
    ck_assert_uint_eq(epoch.first, 4);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(intent_to_cut_that_cannot_be_read_is_kept_aside)
{
    begin(3);
    ck_assert_uint_eq(
        disk_replace(disk_model_disk(rig.model), "cut", "", "nonsense", 8),
        ST_OK);
    open_as(JOURNAL_CLEAN);
    is_clean_again(3);
    journal_rig_end(&rig);
}
END_TEST

SUITE_MAIN("journal_repair", C2_torn_tails_are_cut_as_on_a_single_node,
           C3_a_lost_end_is_remembered_until_it_is_back,
           C3_another_end_than_the_lost_one_does_not_clear_it,
           C3_a_damaged_end_is_kept_aside_before_it_is_cut,
           C3_every_segment_gone_begins_an_empty_log,
           C3_a_segment_gone_from_the_middle_is_the_end,
           C3_the_last_entry_changed_with_a_fitting_checksum_is_lost,
           C4_every_flipped_bit_in_the_middle_is_a_hole_that_can_be_filled,
           C4_the_last_entry_of_a_sealed_segment_can_be_filled,
           C4_a_hole_is_filled_from_its_end_in_pieces,
           C4_holes_in_several_segments_are_all_listed,
           C4_a_damaged_header_page_is_written_anew,
           C4_a_damaged_header_page_and_entries_around_it,
           C4_an_entry_changed_with_a_fitting_checksum_is_a_hole,
           C4_more_holes_than_can_be_remembered_are_a_lost_end,
           C4_a_frame_inside_an_entry_is_not_taken_for_the_next,
           C5_a_tail_that_may_have_been_acknowledged_is_remembered,
           C6_without_a_mark_everything_may_be_missing,
           C6_without_a_mark_the_damage_is_cut_or_a_hole,
           C6_a_disk_set_back_is_lost,
           lost_can_be_noted_by_the_caller_and_is_joined,
           repair_of_rot_in_service,
           examine_notes_a_hole_and_forgets_one_that_is_not_there,
           repair_never_writes_other_bytes_than_the_expected_ones,
           repair_that_cannot_be_synced_stops_the_journal,
           cut_with_holes_in_the_log,
           hole_over_the_beginning_of_an_epoch_is_mended_in_the_table,
           intent_to_cut_that_cannot_be_read_is_kept_aside)
