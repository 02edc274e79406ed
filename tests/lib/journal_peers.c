#include "tests/lib/journal_peers.h"

#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_epochs.h"
#include "replication/journal_repair.h"
#include "tests/lib/suite.h"

static char file[DISK_NAME_SIZE_MAX];
static uint8_t buffer[JOURNAL_READ_SIZE];

/* What is good of the log, kept for putting it back. */
void peers_begin(struct journal_rig *rig, size_t count)
{
    journal_rig_begin(rig, JOURNAL_RIG_SEGMENT);
    rig->options.repair = true;
    if (count > 0)
        journal_rig_fill(rig, count);
}

void peers_rot(struct journal_rig *rig, uint64_t index, uint64_t at)
{
    const uint64_t offset = journal_rig_offset(rig, index, file);

    disk_model_rot(rig->model, file, offset + at, 2);
}

void peers_open_as(struct journal_rig *rig, enum journal_case found)
{
    ck_assert_uint_eq(journal_rig_reopen(rig), ST_OK);
    ck_assert_int_eq(rig->report.found, found);
}

void peers_clean_again(struct journal_rig *rig, uint64_t size)
{
    struct journal_gap gap;

    ck_assert(journal_rig_holds(rig, size));
    ck_assert_uint_eq(journal_rig_crash(rig, false), ST_OK);
    ck_assert_int_eq(rig->report.found, JOURNAL_CLEAN);
    ck_assert_uint_eq(journal_hole_at(rig->journal, &gap, 0), ST_END);
    ck_assert(journal_rig_holds(rig, size));
    rig->options.repair = false;
    ck_assert_uint_eq(journal_rig_reopen(rig), ST_OK);
    ck_assert_int_eq(rig->report.found, JOURNAL_CLEAN);
    rig->options.repair = true;
}

enum status peers_repair(struct journal_rig *rig, uint64_t index, size_t count)
{
    struct journal_entry entries[JOURNAL_RIG_ENTRIES_MAX];

    memset(entries, 0, sizeof entries);
    for (size_t i = 0; i < count; i++)
        entries[i].bytes =
            slice_of(rig->bytes[index + i], rig->sizes[index + i]);
    return journal_repair(rig->journal, index, entries, count);
}

/* The hole is [first, end), the entries around it are there. */
void peers_is_hole(struct journal_rig *rig, uint64_t first, uint64_t end)
{
    const uint64_t size = journal_size(rig->journal);
    struct journal_gap gap;
    struct slice entry;
    uint8_t leaf[HASH_SIZE];

    ck_assert_uint_eq(journal_hole_at(rig->journal, &gap, 0), ST_OK);
    ck_assert_uint_eq(gap.first, first);
    ck_assert_uint_eq(gap.first + gap.count, end);
    ck_assert_uint_eq(journal_hole_at(rig->journal, &gap, 1), ST_END);
    for (uint64_t i = 0; i < size; i++) {
        const bool missing = i >= first && i < end;
        const enum status status =
            journal_read_entry(rig->journal, &entry, buffer, i);

        ck_assert_uint_eq(status, missing ? ST_CHECKSUM : ST_OK);
        if (status == ST_OK)
            ck_assert(
                slice_equal(entry, slice_of(rig->bytes[i], rig->sizes[i])));
    }
    ck_assert_uint_eq(
        journal_expected_leaf(rig->journal, leaf, buffer, end - 1), ST_OK);
    ck_assert_mem_eq(leaf, gap.leaf, HASH_SIZE);
}

void peers_append(struct journal_rig *rig, size_t count)
{
    rig->end = journal_end(rig->journal);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(journal_rig_append(rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(
        journal_sync(rig->journal, journal_committed(rig->journal)), ST_OK);
}

/* Appends what the peers hold; the rig remembers it. */
void peers_fetch(struct journal_rig *rig, uint64_t from, uint64_t end)
{
    for (uint64_t i = from; i < end; i++) {
        struct journal_entry entry = {
            .bytes = slice_of(rig->bytes[i], rig->sizes[i])};

        entry_leaf_hash(entry.leaf, entry.bytes);
        ck_assert_uint_eq(journal_append(rig->journal, &entry, 1), ST_OK);
    }
    ck_assert_uint_eq(
        journal_sync(rig->journal, journal_committed(rig->journal)), ST_OK);
}
