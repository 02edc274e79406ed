/*
 * Putting back what is missing, in service.
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
static uint8_t buffer[JOURNAL_READ_SIZE];

START_TEST(repair_of_rot_in_service)
{
    struct journal_cursor *cursor;
    struct slice entry;

    peers_begin(&rig, 16);
    for (uint64_t index = 0; index < 16; index++) {
        peers_rot(&rig, index, index % 2 == 0 ? 2 : 90);
        ck_assert_uint_eq(
            journal_read_entry(rig.journal, &entry, buffer, index),
            ST_CHECKSUM);
        ck_assert_uint_eq(journal_cursor_open(&cursor, rig.journal, 0), ST_OK);
        for (uint64_t i = 0; i < index; i++)
            ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_OK);
        ck_assert_uint_eq(journal_cursor_next(cursor, &entry), ST_CHECKSUM);
        ck_assert_uint_eq(peers_repair(&rig, index, 1), ST_OK);
        if (journal_cursor_next(cursor, &entry) == ST_OK)
            ck_assert(slice_equal(
                entry, slice_of(rig.bytes[index], rig.sizes[index])));
        journal_cursor_close(cursor);
        ck_assert(journal_rig_holds(&rig, 16));
    }
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(examine_notes_a_hole_and_forgets_one_that_is_not_there)
{
    struct journal_gap gap;

    peers_begin(&rig, 9);
    ck_assert_uint_eq(journal_examine(rig.journal, 9), ST_END);
    peers_rot(&rig, 7, 60);
    disk_model_rot(rig.model, SECOND_SEGMENT, 20, 1);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    ck_assert_uint_eq(journal_examine(rig.journal, 8), ST_OK);
    peers_is_hole(&rig, 7, 8);
    peers_rot(&rig, 6, 60);
    ck_assert_uint_eq(journal_examine(rig.journal, 6), ST_OK);
    peers_is_hole(&rig, 6, 8);
    ck_assert_uint_eq(peers_repair(&rig, 6, 2), ST_OK);
    ck_assert_uint_eq(journal_examine(rig.journal, 8), ST_OK);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_END);
    peers_clean_again(&rig, 9);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(repair_never_writes_other_bytes_than_the_expected_ones)
{
    uint8_t other[JOURNAL_RIG_ENTRY] = {0};
    struct journal_entry entry = {.bytes = slice_of(other, sizeof other)};
    uint64_t digest;

    peers_begin(&rig, 16);
    peers_rot(&rig, 7, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
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
    ck_assert_uint_eq(peers_repair(&rig, 8, 1),
                      ST_OK); /* It is good, and stays. */
    ck_assert_uint_eq(peers_repair(&rig, 7, 2), ST_AGAIN);
    ck_assert_uint_eq(peers_repair(&rig, 16, 1), ST_END);
    ck_assert_uint_eq(disk_model_digest(rig.model), digest);
    peers_is_hole(&rig, 7, 8);
    ck_assert_uint_eq(peers_repair(&rig, 7, 1), ST_OK);
    peers_clean_again(&rig, 16);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(repair_that_cannot_be_synced_stops_the_journal)
{
    peers_begin(&rig, 16);
    peers_rot(&rig, 7, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
    disk_model_fail_sync_after(rig.model, 1);
    ck_assert_uint_eq(peers_repair(&rig, 7, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(peers_repair(&rig, 7, 1), ST_DISK_FAILED);
    ck_assert_uint_eq(journal_examine(rig.journal, 7), ST_DISK_FAILED);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(cut_with_holes_in_the_log)
{
    struct journal_report report;
    struct journal_gap gap;

    peers_begin(&rig, 0);
    for (int i = 0; i < 16; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 1), ST_OK);
    peers_rot(&rig, 2, 60);
    peers_rot(&rig, 8, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 9), ST_CHECKSUM);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 10), ST_OK);
    ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 1), ST_OK);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 8), ST_OK);
    peers_is_hole(&rig, 2, 3);
    peers_open_as(&rig, JOURNAL_HOLE);
    peers_is_hole(&rig, 2, 3);
    rig.end = journal_end(rig.journal);
    rig.variant++;
    peers_append(&rig, 2);
    ck_assert_uint_eq(peers_repair(&rig, 2, 1), ST_OK);
    peers_clean_again(&rig, 10);
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

    peers_begin(&rig, 0);
    for (size_t i = 0; i < 8; i++)
        entries[i] =
            log_maker_entry(bytes[i], &end, JOURNAL_RIG_ENTRY, epochs[i], 0);
    ck_assert_uint_eq(journal_append(rig.journal, entries, 6), ST_OK);
    ck_assert_uint_eq(journal_append(rig.journal, entries + 6, 2), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    for (uint64_t i = 2; i < 5; i++)
        peers_rot(&rig, i, 60);
    peers_open_as(&rig, JOURNAL_HOLE);
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
    peers_begin(&rig, 3);
    ck_assert_uint_eq(
        disk_replace(disk_model_disk(rig.model), "cut", "", "nonsense", 8),
        ST_OK);
    peers_open_as(&rig, JOURNAL_CLEAN);
    peers_clean_again(&rig, 3);
    journal_rig_end(&rig);
}
END_TEST

SUITE_MAIN("journal_repair", repair_of_rot_in_service,
           examine_notes_a_hole_and_forgets_one_that_is_not_there,
           repair_never_writes_other_bytes_than_the_expected_ones,
           repair_that_cannot_be_synced_stops_the_journal,
           cut_with_holes_in_the_log,
           hole_over_the_beginning_of_an_epoch_is_mended_in_the_table,
           intent_to_cut_that_cannot_be_read_is_kept_aside)
