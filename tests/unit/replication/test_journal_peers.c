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
#include "tests/lib/journal_peers.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

#define FIRST_SEGMENT  "log/00000000000000000000.seg"
#define SECOND_SEGMENT "log/00000000000000000006.seg"
#define THIRD_SEGMENT  "log/00000000000000000012.seg"

static struct journal_rig rig;
static char file[DISK_NAME_SIZE_MAX];

START_TEST(C2_torn_tails_are_cut_as_on_a_single_node)
{
    peers_begin(&rig, 3);
    disk_model_poke(rig.model, FIRST_SEGMENT, JOURNAL_RIG_SEGMENT - 1, "x", 1);
    peers_open_as(&rig, JOURNAL_TORN);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    peers_clean_again(&rig, 3);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_lost_end_is_remembered_until_it_is_back)
{
    static const uint8_t zeros[2 * (JOURNAL_RIG_ENTRY + 16)];
    struct mark_lost lost;

    peers_begin(&rig, 5);
    disk_model_poke(rig.model, FIRST_SEGMENT, journal_rig_offset(&rig, 3, file),
                    zeros, sizeof zeros);
    peers_open_as(&rig, JOURNAL_LOST);
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
    peers_fetch(&rig, 3, 4);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_LOST);
    peers_fetch(&rig, 4, 5);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_LOST);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    ck_assert_uint_eq(journal_committed(rig.journal), 5);
    peers_clean_again(&rig, 5);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_WHOLE);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_another_end_than_the_lost_one_does_not_clear_it)
{
    peers_begin(&rig, 5);
    peers_rot(&rig, 4, 60);
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 4);
    rig.variant++;
    peers_append(&rig, 3);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_CHAIN_BROKEN);
    ck_assert_int_eq(journal_lost(rig.journal).kind, MARK_LOST);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_damaged_end_is_kept_aside_before_it_is_cut)
{
    const uint8_t *data;
    size_t size;

    peers_begin(&rig, 8);
    peers_rot(&rig, 7, 60);
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 7);
    ck_assert(disk_model_peek(rig.model, rig.report.aside, &data, &size));
    ck_assert_uint_eq(size, JOURNAL_RIG_ENTRY + 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_every_segment_gone_begins_an_empty_log)
{
    peers_begin(&rig, 14);
    disk_model_drop(rig.model, FIRST_SEGMENT);
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 0);
    ck_assert_uint_eq(journal_lost(rig.journal).size, 14);
    peers_fetch(&rig, 0, 14);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    peers_clean_again(&rig, 14);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_a_segment_gone_from_the_middle_is_the_end)
{
    const uint8_t *data;
    size_t size;

    peers_begin(&rig, 16);
    disk_model_drop(rig.model, SECOND_SEGMENT);
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 6);
    ck_assert(!disk_model_peek(rig.model, THIRD_SEGMENT, &data, &size));
    peers_fetch(&rig, 6, 16);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C3_the_last_entry_changed_with_a_fitting_checksum_is_lost)
{
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    uint8_t changed[JOURNAL_RIG_ENTRY];

    peers_begin(&rig, 4);
    memcpy(changed, rig.bytes[3], sizeof changed);
    changed[JOURNAL_RIG_ENTRY - 1] ^= 1;
    segment_frame_encode(frame, slice_of(changed, sizeof changed));
    disk_model_poke(rig.model, FIRST_SEGMENT, journal_rig_offset(&rig, 3, file),
                    frame, sizeof frame);
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 3);
    peers_fetch(&rig, 3, 4);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    peers_clean_again(&rig, 4);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_every_flipped_bit_in_the_middle_is_a_hole_that_can_be_filled)
{
    uint64_t offset;

    peers_begin(&rig, 16);
    for (uint64_t index = 0; index < 16; index += 5) {
        offset = journal_rig_offset(&rig, index, file);
        for (uint64_t at = 0; at < JOURNAL_RIG_ENTRY + 16; at += 3) {
            if (index == 15)
                break; /* That is the end. */
            disk_model_rot(rig.model, file, offset + at, (unsigned)(at % 8));
            peers_open_as(&rig, JOURNAL_HOLE);
            ck_assert_uint_eq(rig.report.holes, 1);
            ck_assert_uint_eq(rig.report.index, index);
            peers_is_hole(&rig, index, index + 1);
            ck_assert_uint_eq(peers_repair(&rig, index, 1), ST_OK);
            ck_assert(journal_rig_holds(&rig, 16));
        }
    }
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_the_last_entry_of_a_sealed_segment_can_be_filled)
{
    peers_begin(&rig, 16);
    peers_rot(&rig, 5, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 5, 6);
    ck_assert_uint_eq(peers_repair(&rig, 5, 1), ST_OK);
    peers_clean_again(&rig, 16);
    peers_rot(&rig, 11, 2);
    peers_rot(&rig, 10, 2);
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 10, 12);
    ck_assert_uint_eq(peers_repair(&rig, 11, 1), ST_AGAIN);
    ck_assert_uint_eq(peers_repair(&rig, 10, 2), ST_OK);
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_hole_is_filled_from_its_end_in_pieces)
{
    peers_begin(&rig, 16);
    peers_rot(&rig, 6, 60);
    peers_rot(&rig, 10, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 6, 11);
    ck_assert_uint_eq(peers_repair(&rig, 6, 1), ST_AGAIN);
    ck_assert_uint_eq(peers_repair(&rig, 10, 1), ST_OK);
    peers_is_hole(&rig, 6, 10);
    ck_assert_uint_eq(peers_repair(&rig, 8, 2), ST_OK);
    peers_is_hole(&rig, 6, 8);
    ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
    peers_is_hole(&rig, 6,
                  7); /* What was only between two holes is good by itself. */
    ck_assert_uint_eq(peers_repair(&rig, 6, 1), ST_OK);
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_holes_in_several_segments_are_all_listed)
{
    struct journal_gap gap;

    peers_begin(&rig, 20);
    peers_rot(&rig, 1, 60);
    peers_rot(&rig, 8, 60);
    peers_rot(&rig, 13, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
    ck_assert_uint_eq(rig.report.holes, 3);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 1), ST_OK);
    ck_assert_uint_eq(gap.first, 8);
    ck_assert_str_eq(gap.file, SECOND_SEGMENT);
    ck_assert_uint_eq(gap.offset,
                      SEGMENT_HEADER_SIZE + 2 * (JOURNAL_RIG_ENTRY + 16));
    ck_assert_uint_eq(gap.offset_end, gap.offset + JOURNAL_RIG_ENTRY + 16);
    ck_assert_uint_eq(peers_repair(&rig, 8, 1), ST_OK);
    ck_assert_uint_eq(peers_repair(&rig, 13, 1), ST_OK);
    peers_is_hole(&rig, 1, 2);
    peers_append(&rig, 3); /* The log goes on with a hole in it. */
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 1, 2);
    ck_assert_uint_eq(peers_repair(&rig, 1, 1), ST_OK);
    peers_clean_again(&rig, 23);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_damaged_header_page_is_written_anew)
{
    struct journal_gap gap;

    peers_begin(&rig, 16);
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    disk_model_rot(rig.model, FIRST_SEGMENT, 3000, 0);
    disk_model_rot(rig.model, THIRD_SEGMENT, 1, 0);
    peers_open_as(&rig, JOURNAL_CLEAN);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_damaged_header_page_and_entries_around_it)
{
    peers_begin(&rig, 16);
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    peers_rot(&rig, 6, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 6, 7);
    ck_assert_uint_eq(peers_repair(&rig, 6, 1), ST_OK);
    peers_clean_again(&rig, 16);
    /* The entry before is known from the first one behind. */
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    peers_rot(&rig, 5, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 5, 6);
    ck_assert_uint_eq(peers_repair(&rig, 5, 1), ST_OK);
    peers_clean_again(&rig, 16);
    /* Nothing says what stood before: the end. */
    disk_model_rot(rig.model, SECOND_SEGMENT, 30, 0);
    peers_rot(&rig, 5, 60);
    peers_rot(&rig, 6, 60);
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 5);
    peers_fetch(&rig, 5, 16);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_an_entry_changed_with_a_fitting_checksum_is_a_hole)
{
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    static const uint64_t changed_ones[] = {2, 5};
    uint8_t changed[JOURNAL_RIG_ENTRY];

    peers_begin(&rig, 16);
    for (size_t i = 0; i < 2; i++) {
        const uint64_t index = changed_ones[i];

        memcpy(changed, rig.bytes[index], sizeof changed);
        changed[JOURNAL_RIG_ENTRY - 1] ^= 1;
        segment_frame_encode(frame, slice_of(changed, sizeof changed));
        disk_model_poke(rig.model, FIRST_SEGMENT,
                        journal_rig_offset(&rig, index, file), frame,
                        sizeof frame);
        peers_open_as(&rig, JOURNAL_HOLE);
        peers_is_hole(&rig, index, index + 1);
        ck_assert_uint_eq(peers_repair(&rig, index, 1), ST_OK);
        peers_clean_again(&rig, 16);
    }
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C4_a_hole_over_the_mark_is_a_lost_end)
{
    struct mark_value value = {.size = 8, .committed = 2};

    peers_begin(&rig, 16);
    entry_leaf_hash(value.leaf, slice_of(rig.bytes[7], rig.sizes[7]));
    ck_assert_uint_eq(mark_create(disk_model_disk(rig.model), &value), ST_OK);
    peers_rot(&rig, 8, 60);
    peers_rot(&rig, 7, 60);
    /* Nothing proves that what follows leads from what was acknowledged. */
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 7);
    ck_assert_uint_eq(journal_lost(rig.journal).size, 8);
    peers_fetch(&rig, 7, 8);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    peers_clean_again(&rig, 8);
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
    peers_open_as(&rig, JOURNAL_HOLE);
    ck_assert_uint_eq(rig.report.holes, JOURNAL_HOLES_MAX);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, JOURNAL_HOLES_MAX - 1),
                      ST_OK);
    ck_assert_uint_eq(gap.first, 2 + 2 * JOURNAL_HOLES_MAX);
    ck_assert_uint_eq(peers_repair(&rig, 4, 1), ST_OK);
    peers_rot(&rig, 5, 70);
    peers_rot(&rig, 38, 70);
    peers_open_as(&rig, JOURNAL_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 5);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    peers_fetch(&rig, 5, 40);
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    peers_clean_again(&rig, 40);
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

    peers_begin(&rig, 2);
    ck_assert_uint_eq(journal_rig_append(&rig, 800), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 3), ST_OK);
    end = rig.end;
    fake = log_maker_entry(inner, &end, sizeof inner, 1, 77); /* Entry 3. */
    segment_frame_encode(frame, fake.bytes);
    journal_rig_fill(&rig, 5);
    offset = journal_rig_offset(&rig, 2, file);
    disk_model_poke(rig.model, file, offset + 400, frame, sizeof frame);
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 2, 3);
    ck_assert_uint_eq(peers_repair(&rig, 2, 1), ST_OK);
    peers_clean_again(&rig, 8);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C5_a_tail_that_may_have_been_acknowledged_is_remembered)
{
    const uint8_t *data;
    struct mark_lost lost;
    size_t size;
    uint64_t slot;

    peers_begin(&rig, 3);
    journal_rig_fill(&rig, 1);
    ck_assert(disk_model_peek(rig.model, MARK_FILE, &data, &size));
    slot = load_u64(data + 16) > load_u64(data + SLOT_SIZE + 16) ? 0 : 1;
    disk_model_rot(rig.model, MARK_FILE, slot * SLOT_SIZE + 50, 6);
    peers_rot(&rig, 3, 40);
    peers_open_as(&rig, JOURNAL_MARK_SLOT);
    ck_assert(disk_model_peek(rig.model, rig.report.aside, &data, &size));
    for (int i = 0; i < 3; i++) {
        lost = journal_lost(rig.journal);
        ck_assert_int_eq(lost.kind, MARK_LOST_TAIL);
        ck_assert_uint_eq(lost.size, 3);
        ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
        ck_assert_int_eq(rig.report.found, JOURNAL_CLEAN);
    }
    ck_assert_uint_eq(journal_clear_lost(rig.journal), ST_OK);
    peers_clean_again(&rig, 3);
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
    peers_clean_again(&rig, size + 1);
}

START_TEST(C6_without_a_mark_everything_may_be_missing)
{
    peers_begin(&rig, 14);
    disk_model_drop(rig.model, MARK_FILE);
    peers_open_as(&rig, JOURNAL_MARK_GONE);
    is_lost_for_good(14);
    disk_model_rot(rig.model, MARK_FILE, 10, 0);
    disk_model_rot(rig.model, MARK_FILE, SLOT_SIZE + 10, 0);
    peers_open_as(&rig, JOURNAL_MARK_GONE);
    is_lost_for_good(15);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_without_a_mark_the_damage_is_cut_or_a_hole)
{
    peers_begin(&rig, 14);
    disk_model_drop(rig.model, MARK_FILE);
    peers_rot(&rig, 2, 60);
    peers_rot(&rig, 13, 60);
    peers_open_as(&rig, JOURNAL_MARK_GONE);
    peers_is_hole(&rig, 2, 3);
    ck_assert_uint_eq(peers_repair(&rig, 2, 1), ST_OK);
    ck_assert(journal_rig_holds(&rig, 13));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(C6_a_disk_set_back_is_lost)
{
    peers_begin(&rig, 3);
    rig.options.incarnation -= 1;
    peers_open_as(&rig, JOURNAL_MARK_GONE);
    is_lost_for_good(3);
    rig.options.epoch = 0;
    peers_open_as(&rig, JOURNAL_MARK_GONE);
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

    peers_begin(&rig, 3);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &more), ST_OK);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &more), ST_OK);
    ck_assert_uint_eq(journal_lost(rig.journal).size, 12);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &all), ST_OK);
    ck_assert_uint_eq(journal_set_lost(rig.journal, &some), ST_OK);
    is_lost_for_good(3);
    journal_rig_end(&rig);
}
END_TEST

SUITE_MAIN("journal_peers", C2_torn_tails_are_cut_as_on_a_single_node,
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
           C4_a_hole_over_the_mark_is_a_lost_end,
           C4_more_holes_than_can_be_remembered_are_a_lost_end,
           C4_a_frame_inside_an_entry_is_not_taken_for_the_next,
           C5_a_tail_that_may_have_been_acknowledged_is_remembered,
           C6_without_a_mark_everything_may_be_missing,
           C6_without_a_mark_the_damage_is_cut_or_a_hole,
           C6_a_disk_set_back_is_lost,
           lost_can_be_noted_by_the_caller_and_is_joined)
