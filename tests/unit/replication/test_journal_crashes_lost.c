/*
 * A node with peers opens a log that lost acknowledged entries, and the power
 * goes off at any instant of it: no start may forget that they are missing, and
 * what is good stays.  ctest-timeout: 300
 */
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_repair.h"
#include "replication/mark.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/suite.h"

#define FIRST_SEGMENT  "log/00000000000000000000.seg"
#define SECOND_SEGMENT "log/00000000000000000006.seg"

enum { ENTRIES = 14, SUBSET_BITS_MAX = 9, SUBSETS_RANDOM = 256 };

static struct journal_rig rig;
static uint64_t states;

typedef void damage_log(struct disk_model *model);

static void rot_entry(struct disk_model *model, const char *name, unsigned nth)
{
    disk_model_rot(model, name,
                   SEGMENT_HEADER_SIZE + nth * (JOURNAL_RIG_ENTRY + 16) + 60,
                   2);
}

static void rot_last(struct disk_model *model)
{
    rot_entry(model, "log/00000000000000000012.seg", 1);
}

static void drop_second(struct disk_model *model)
{
    disk_model_drop(model, SECOND_SEGMENT);
}

static void drop_first(struct disk_model *model)
{
    disk_model_drop(model, FIRST_SEGMENT);
}

static void rot_around_a_header(struct disk_model *model)
{
    rot_entry(model, FIRST_SEGMENT, 5);
    rot_entry(model, SECOND_SEGMENT, 0);
    disk_model_rot(model, SECOND_SEGMENT, 20, 0);
}

static void rot_last_and_the_newest_mark(struct disk_model *model)
{
    const uint8_t *data;
    size_t size;
    uint64_t slot;

    rot_last(model);
    ck_assert(disk_model_peek(model, MARK_FILE, &data, &size));
    slot = load_u64(data + 16) > load_u64(data + SLOT_SIZE + 16) ? 0 : 1;
    disk_model_rot(model, MARK_FILE, slot * SLOT_SIZE + 50, 6);
}

static void drop_mark(struct disk_model *model)
{
    disk_model_drop(model, MARK_FILE);
}

static void drop_mark_and_rot(struct disk_model *model)
{
    drop_mark(model);
    rot_entry(model, SECOND_SEGMENT, 3);
    rot_last(model);
}

static struct slice entry_of(uint64_t index)
{
    return slice_of(rig.bytes[index], rig.sizes[index]);
}

/* What was cut off comes back from a peer, and the node is whole again. */
static void check_fetched(struct journal_rig *copy, enum mark_lost_kind kind)
{
    for (uint64_t i = journal_size(copy->journal); i < ENTRIES; i++) {
        struct journal_entry entry = {.bytes = entry_of(i)};

        if (kind == MARK_LOST)
            ck_assert_uint_eq(journal_clear_lost(copy->journal), ST_LOST);
        entry_leaf_hash(entry.leaf, entry.bytes);
        ck_assert_uint_eq(journal_append(copy->journal, &entry, 1), ST_OK);
        ck_assert_uint_eq(
            journal_sync(copy->journal, journal_committed(copy->journal)),
            ST_OK);
    }
    ck_assert_uint_eq(journal_clear_lost(copy->journal), ST_OK);
    ck_assert(journal_rig_holds(copy, ENTRIES));
    ck_assert_uint_eq(journal_rig_reopen(copy), ST_OK);
    ck_assert_int_eq(copy->report.found, JOURNAL_CLEAN);
    ck_assert_int_eq(journal_lost(copy->journal).kind, MARK_WHOLE);
    ck_assert(journal_rig_holds(copy, ENTRIES));
}

static void fill_holes(struct journal_rig *copy)
{
    struct journal_gap gap;

    while (journal_hole_at(copy->journal, &gap, 0) == ST_OK) {
        const uint64_t last = gap.first + gap.count - 1;
        struct journal_entry entries[ENTRIES];

        ck_assert_uint_lt(last, ENTRIES);
        for (uint64_t i = gap.ask; i <= last; i++)
            entries[i - gap.ask].bytes = entry_of(i);
        ck_assert_uint_eq(
            journal_repair(copy->journal, gap.ask, entries, last + 1 - gap.ask),
            ST_OK);
    }
}

/* Takes the disk. */
static void check_state(struct disk_model *model, const struct journal_rig *at,
                        enum mark_lost_kind kind, uint64_t size)
{
    struct journal_rig copy = *at;
    struct mark_lost lost;

    states++;
    copy.model = model;
    copy.journal = NULL;
    ck_assert_uint_eq(journal_rig_reopen(&copy), ST_OK);
    lost = journal_lost(copy.journal);
    ck_assert_int_eq(lost.kind, kind);
    if (kind == MARK_LOST) {
        ck_assert_uint_eq(lost.size, ENTRIES);
        ck_assert_mem_eq(lost.leaf, rig.end.leaf, HASH_SIZE);
    }
    ck_assert_uint_eq(journal_size(copy.journal), size);
    fill_holes(&copy);
    ck_assert(journal_rig_holds(&copy, size));
    check_fetched(&copy, kind);
    journal_close(copy.journal);
    disk_model_free(model);
}

static void check_subsets(const struct journal_rig *at,
                          enum mark_lost_kind kind, uint64_t size)
{
    const size_t pending = disk_model_pending(at->model);
    const uint64_t all = (uint64_t)1 << pending;
    uint64_t random = 1;
    uint8_t keep[8];

    ck_assert_uint_le(pending, 62);
    for (uint64_t i = 0;
         i < (pending <= SUBSET_BITS_MAX ? all : SUBSETS_RANDOM); i++) {
        uint64_t subset = i;

        random = random * 6364136223846793005u + 1442695040888963407u;
        if (pending > SUBSET_BITS_MAX)
            subset = (random >> 11) & (all - 1);
        store_u64(keep, subset);
        check_state(disk_model_crash(at->model, keep, sizeof keep, false,
                                     i % 2 == 0 ? SIZE_MAX : random >> 62),
                    at, kind, size);
    }
}

/* ${size}: entries of the log that are kept. */
static void check_damage(damage_log *damage, enum mark_lost_kind kind,
                         uint64_t size)
{
    bool off = true;

    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    rig.options.repair = true;
    journal_rig_fill(&rig, ENTRIES - 1);
    journal_rig_fill(&rig, 1);
    damage(rig.model);
    for (size_t calls = 1; off; calls++) {
        struct journal_rig copy = rig;
        enum status status;

        copy.model = disk_model_copy(rig.model);
        copy.journal = NULL;
        disk_model_power_off_after(copy.model, calls);
        status = journal_rig_reopen(&copy);
        off = disk_model_is_off(copy.model);
        ck_assert(off || status == ST_OK);
        if (off)
            check_subsets(&copy, kind, size);
        else
            check_state(disk_model_crash(copy.model, NULL, 0, true, SIZE_MAX),
                        &copy, kind, size);
        journal_close(copy.journal);
        disk_model_free(copy.model);
    }
    journal_rig_end(&rig);
}

START_TEST(lost_end_is_never_forgotten)
{
    check_damage(rot_last, MARK_LOST, ENTRIES - 1);
    check_damage(drop_second, MARK_LOST, 6);
    check_damage(rot_around_a_header, MARK_LOST, 5);
    ck_assert_uint_gt(states, 100);
}
END_TEST

START_TEST(log_that_begins_anew_is_known_to_be_lost)
{
    check_damage(drop_first, MARK_LOST, 0);
    ck_assert_uint_gt(states, 30);
}
END_TEST

START_TEST(tail_that_may_have_been_acknowledged_is_never_forgotten)
{
    check_damage(rot_last_and_the_newest_mark, MARK_LOST_TAIL, ENTRIES - 1);
    ck_assert_uint_gt(states, 20);
}
END_TEST

START_TEST(mark_that_is_gone_is_never_forgotten)
{
    check_damage(drop_mark, MARK_LOST_ALL, ENTRIES);
    check_damage(drop_mark_and_rot, MARK_LOST_ALL, ENTRIES - 1);
    ck_assert_uint_gt(states, 30);
}
END_TEST

SUITE_MAIN("journal_crashes_lost", lost_end_is_never_forgotten,
           log_that_begins_anew_is_known_to_be_lost,
           tail_that_may_have_been_acknowledged_is_never_forgotten,
           mark_that_is_gone_is_never_forgotten)
