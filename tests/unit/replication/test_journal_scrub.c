/*
 * Finding rot at rest, and comparing the files of two nodes.
 */
#include <string.h>

#include "protocol/entry.h"
#include "protocol/segment.h"
#include "replication/journal_repair.h"
#include "replication/journal_scrub.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/suite.h"

static struct journal_rig rig;
static struct journal_scrub scrub;
static char file[DISK_NAME_SIZE_MAX];
static uint8_t buffer[JOURNAL_READ_SIZE];

static void begin(size_t count)
{
    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    memset(&scrub, 0, sizeof scrub);
    if (count > 0)
        journal_rig_fill(&rig, count);
}

static enum status next(void)
{
    return journal_scrub_next(rig.journal, &scrub, buffer);
}

/* One cycle; returns how many entries are bad, the last one in ${*bad_out}. */
static size_t cycle(uint64_t *bad_out)
{
    size_t bad = 0;
    enum status status = next();

    while (status != ST_END) {
        ck_assert(status == ST_OK || status == ST_CHECKSUM);
        if (status == ST_CHECKSUM) {
            *bad_out = scrub.bad;
            bad++;
        }
        status = next();
    }
    return bad;
}

START_TEST(scrub_of_a_good_log_finds_nothing_and_begins_again)
{
    uint64_t bad;

    begin(0);
    ck_assert_uint_eq(cycle(&bad), 0);
    journal_rig_fill(&rig, 20);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(cycle(&bad), 0);
        ck_assert_uint_eq(scrub.bytes, 20 * (JOURNAL_RIG_ENTRY + 16));
        ck_assert_uint_eq(scrub.next, 0);
    }
    journal_rig_end(&rig);
}
END_TEST

START_TEST(scrub_finds_every_flipped_bit)
{
    uint64_t bad;

    begin(8);
    for (uint64_t index = 0; index < 8; index++) {
        const uint64_t offset = journal_rig_offset(&rig, index, file);

        for (uint64_t at = 0; at < JOURNAL_RIG_ENTRY + 16; at += 7) {
            disk_model_rot(rig.model, file, offset + at, (unsigned)(at % 8));
            bad = UINT64_MAX;
            ck_assert_uint_ge(cycle(&bad), 1);
            if (at >= 4) /* Lengths are needed to find what follows. */
                ck_assert_uint_eq(bad, index);
            disk_model_rot(rig.model, file, offset + at, (unsigned)(at % 8));
        }
    }
    ck_assert_uint_eq(cycle(&bad), 0);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(scrub_finds_an_entry_changed_with_a_fitting_checksum)
{
    static uint8_t frame[JOURNAL_RIG_ENTRY + 16];
    uint8_t changed[JOURNAL_RIG_ENTRY];
    uint64_t bad;

    begin(8);
    for (uint64_t index = 0; index < 8; index++) {
        const uint64_t offset = journal_rig_offset(&rig, index, file);

        memcpy(changed, rig.bytes[index], sizeof changed);
        changed[JOURNAL_RIG_ENTRY - 1] ^= 1;
        segment_frame_encode(frame, slice_of(changed, sizeof changed));
        disk_model_poke(rig.model, file, offset, frame, sizeof frame);
        ck_assert_uint_eq(cycle(&bad), 1);
        ck_assert_uint_eq(bad, index);
        segment_frame_encode(frame,
                             slice_of(rig.bytes[index], rig.sizes[index]));
        disk_model_poke(rig.model, file, offset, frame, sizeof frame);
    }
    journal_rig_end(&rig);
}
END_TEST

START_TEST(scrub_does_bounded_work_and_misses_nothing_while_the_log_grows)
{
    uint8_t bytes[JOURNAL_RIG_ENTRY];
    size_t calls = 0;

    journal_rig_begin(&rig, 512 * 1024);
    memset(&scrub, 0, sizeof scrub);
    for (int i = 0; i < 3 * JOURNAL_SCRUB_ENTRIES; i++) {
        const struct journal_entry entry =
            log_maker_entry(bytes, &rig.end, sizeof bytes, 1, 0);

        ck_assert_uint_eq(journal_append(rig.journal, &entry, 1), ST_OK);
        if (i % JOURNAL_SCRUB_ENTRIES > 0)
            continue;
        ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    }
    ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    while (next() != ST_END)
        calls++;
    ck_assert_uint_eq(calls, 3);
    ck_assert_uint_eq(scrub.bytes,
                      3 * JOURNAL_SCRUB_ENTRIES * (JOURNAL_RIG_ENTRY + 16));
    journal_rig_end(&rig);
}
END_TEST

START_TEST(scrub_raises_no_alarm_over_a_cut)
{
    struct journal_report report;
    uint64_t bad;

    begin(0);
    for (int i = 0; i < 9; i++)
        ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(journal_sync(rig.journal, 1), ST_OK);
    scrub.next = 5; /* It has come so far. */
    scrub.leaf_known = true;
    memset(scrub.leaf, 7, HASH_SIZE);
    ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 3), ST_OK);
    ck_assert_uint_eq(next(), ST_END);
    rig.end = journal_end(rig.journal);
    rig.variant++;
    journal_rig_fill(&rig, 9);
    ck_assert_uint_eq(cycle(&bad), 0);
    journal_rig_end(&rig);
}
END_TEST

START_TEST(scrub_and_repair_make_a_rotten_log_good)
{
    uint64_t bad = 0;

    begin(14);
    for (uint64_t i = 0; i < 14; i += 3) {
        const uint64_t offset = journal_rig_offset(&rig, i, file);

        disk_model_rot(rig.model, file, offset + 70, 1);
    }
    ck_assert_uint_eq(cycle(&bad), 5);
    while (cycle(&bad) > 0) {
        struct journal_entry entries[14];
        struct journal_gap gap;

        ck_assert_uint_eq(journal_examine(rig.journal, bad), ST_OK);
        ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_OK);
        for (uint64_t i = 0; i < gap.count; i++)
            entries[i].bytes =
                slice_of(rig.bytes[gap.first + i], rig.sizes[gap.first + i]);
        ck_assert_uint_eq(
            journal_repair(rig.journal, gap.first, entries, gap.count), ST_OK);
    }
    ck_assert(journal_rig_holds(&rig, 14));
    journal_rig_end(&rig);
}
END_TEST

/* Entries of different sizes in groups of ${group}. */
static void fill_in_groups(size_t group)
{
    static uint8_t bytes[40][JOURNAL_RIG_ENTRY + 200];
    struct journal_entry entries[40];
    struct journal_end end = {.size = 0};

    for (size_t i = 0; i < 40; i++)
        entries[i] =
            log_maker_entry(bytes[i], &end, JOURNAL_RIG_ENTRY + i % 7 * 20,
                            1 + (uint32_t)i / 10, 0);
    for (size_t i = 0; i < 40; i += group) {
        const size_t count = 40 - i < group ? 40 - i : group;

        ck_assert_uint_eq(journal_append(rig.journal, entries + i, count),
                          ST_OK);
        ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
    }
}

struct digests {
    uint8_t digest[40][HASH_SIZE];
    uint64_t sizes[40];
    size_t count;
};

static void take_digests(struct digests *out)
{
    uint64_t index = 0;

    out->count = 0;
    while (journal_segment_digest(rig.journal, out->digest[out->count],
                                  &out->sizes[out->count], index) == ST_OK)
        index = out->sizes[out->count++];
}

static void are_equal(const struct digests *left, const struct digests *right)
{
    ck_assert_uint_gt(left->count, 5);
    ck_assert_uint_eq(left->count, right->count);
    for (size_t i = 0; i < left->count; i++) {
        ck_assert_uint_eq(left->sizes[i], right->sizes[i]);
        ck_assert_mem_eq(left->digest[i], right->digest[i], HASH_SIZE);
    }
}

static struct digests wanted;
static struct digests found;

START_TEST(segments_of_equal_logs_are_identical_whatever_the_groups)
{
    static const size_t groups[] = {1, 2, 3, 5};

    begin(0);
    fill_in_groups(4);
    take_digests(&wanted);
    journal_rig_end(&rig);
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        begin(0);
        rig.options.incarnation += 5; /* Nothing of the node stands there. */
        ck_assert_uint_eq(journal_rig_reopen(&rig), ST_OK);
        fill_in_groups(groups[i]);
        take_digests(&found);
        are_equal(&wanted, &found);
        ck_assert_uint_eq(journal_rig_crash(&rig, false), ST_OK);
        take_digests(&found);
        are_equal(&wanted, &found);
        journal_rig_end(&rig);
    }
}
END_TEST

START_TEST(segments_of_a_log_that_was_cut_and_went_on_are_identical)
{
    static uint8_t bytes[900];
    struct journal_report report;
    struct journal_entry entry;

    begin(0);
    fill_in_groups(4);
    take_digests(&wanted);
    journal_rig_end(&rig);
    for (size_t count = 1; count < 20; count++) {
        begin(0);
        rig.variant = 1; /* Another history, which is cut to nothing. */
        for (size_t i = 0; i < count; i++)
            ck_assert_uint_eq(journal_rig_append(&rig, 300 + i), ST_OK);
        ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
        ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 0), ST_OK);
        fill_in_groups(3);
        /* And one that follows the same beginning. */
        rig.end = journal_end(rig.journal);
        entry = log_maker_entry(bytes, &rig.end, sizeof bytes, 4, 9);
        ck_assert_uint_eq(journal_append(rig.journal, &entry, 1), ST_OK);
        ck_assert_uint_eq(journal_sync(rig.journal, 0), ST_OK);
        ck_assert_uint_eq(journal_cut_to(rig.journal, &report, 40), ST_OK);
        take_digests(&found);
        are_equal(&wanted, &found);
        journal_rig_end(&rig);
    }
}
END_TEST

START_TEST(segment_that_was_repaired_is_identical)
{
    struct journal_entry entry;
    uint64_t index;

    journal_rig_begin(&rig, JOURNAL_RIG_SEGMENT);
    journal_rig_fill(&rig, 20);
    take_digests(&wanted);
    for (index = 0; index < 18; index++) {
        struct journal_gap gap;
        const uint64_t offset = journal_rig_offset(&rig, index, file);

        disk_model_rot(rig.model, file, offset + 50, 1);
        ck_assert_uint_eq(journal_examine(rig.journal, index), ST_OK);
        ck_assert_uint_eq(journal_hole_at(rig.journal, &gap, 0), ST_OK);
        take_digests(&found);
        ck_assert_uint_lt(found.count, wanted.count);
        entry.bytes = slice_of(rig.bytes[index], rig.sizes[index]);
        ck_assert_uint_eq(journal_repair(rig.journal, index, &entry, 1), ST_OK);
        take_digests(&found);
        ck_assert_uint_eq(found.count, wanted.count);
        ck_assert_mem_eq(found.digest, wanted.digest, found.count * HASH_SIZE);
    }
    journal_rig_end(&rig);
}
END_TEST

START_TEST(digest_is_of_sealed_segments_only)
{
    uint8_t digest[HASH_SIZE];
    uint64_t size;

    begin(6);
    ck_assert_uint_eq(journal_segment_digest(rig.journal, digest, &size, 0),
                      ST_END);
    ck_assert_uint_eq(journal_rig_append(&rig, JOURNAL_RIG_ENTRY), ST_OK);
    ck_assert_uint_eq(journal_segment_digest(rig.journal, digest, &size, 5),
                      ST_OK);
    ck_assert_uint_eq(size, 6);
    ck_assert_uint_eq(journal_segment_digest(rig.journal, digest, &size, 6),
                      ST_END);
    journal_rig_end(&rig);
}
END_TEST

SUITE_MAIN("journal_scrub", scrub_of_a_good_log_finds_nothing_and_begins_again,
           scrub_finds_every_flipped_bit,
           scrub_finds_an_entry_changed_with_a_fitting_checksum,
           scrub_does_bounded_work_and_misses_nothing_while_the_log_grows,
           scrub_raises_no_alarm_over_a_cut,
           scrub_and_repair_make_a_rotten_log_good,
           segments_of_equal_logs_are_identical_whatever_the_groups,
           segments_of_a_log_that_was_cut_and_went_on_are_identical,
           segment_that_was_repaired_is_identical,
           digest_is_of_sealed_segments_only)
