/*
 * Every state in which a loss of power can leave a short history of the log.
 * ctest-timeout: 300
 * ctest-label: release
 *
 * All sequences of up to JOURNAL_HISTORY_DEPTH operations run on the model
 * disk.  In the last operation the power goes off after each call that changes
 * the disk; then every subset of the pending sectors, sizes and names is taken
 * as what survived, the journal is opened, and an oracle that knows nothing of
 * the journal's code says what must have been found:
 *
 *   - every acknowledged entry is there, bit for bit;
 *   - what a cut takes away stands in the log or in divergent/;
 *   - nothing is there that was not appended, or was cut off before;
 *   - the mark names no less than what was acknowledged;
 *   - the verdict is C1 or C2 as the bytes on the disk say;
 *   - a second start finds a clean log.
 *
 * Where opening the journal changes the disk, the power goes off there as well,
 * after each change, and all of it is judged once more.
 */
#include <stdio.h>
#include <string.h>

#include "replication/journal_repair.h"
#include "replication/mark.h"
#include "tests/lib/journal_history.h"
#include "tests/lib/journal_oracle.h"
#include "tests/lib/suite.h"

enum {
    SUBSET_BITS_MAX = 12, /* Above that, subsets are drawn at random. */
    SUBSETS_RANDOM = 512,
    SEEN_SLOTS = 1 << 21 /* A table of states that were judged already. */
};

static uint64_t seen[SEEN_SLOTS];

/* True the first time a state is shown. */
static bool is_new(uint64_t state)
{
    size_t slot = state % SEEN_SLOTS;

    state |= 1;
    for (size_t probes = 0; probes < 64; probes++) {
        if (seen[slot] == state)
            return false;
        if (seen[slot] == 0) {
            seen[slot] = state;
            return true;
        }
        slot = (slot + 1) % SEEN_SLOTS;
    }
    return true;
}

/* Opens what survived in a copy of the history; the copy shares its entries. */
static enum status reopen(struct journal_history *copy,
                          const struct journal_history *history,
                          struct disk_model *model)
{
    *copy = *history;
    copy->rig.model = model;
    copy->rig.journal = NULL;
    return journal_rig_reopen(&copy->rig);
}

static enum journal_case expected_case(const struct journal_oracle *oracle,
                                       bool resumed)
{
    if (oracle->hole)
        return JOURNAL_HOLE;
    return oracle->torn || resumed ? JOURNAL_TORN : JOURNAL_CLEAN;
}

/* The hole is there, and closes over the entry that was appended. */
static const char *judge_hole(struct journal_history *copy,
                              const struct journal_oracle *oracle)
{
    struct journal_gap gap;
    const bool hole = journal_hole_at(copy->rig.journal, &gap, 0) == ST_OK;

    if (hole != oracle->hole)
        return "a hole is noted that is none, or none is noted";
    if (hole && (gap.first != 0 || gap.count != 1))
        return "the hole is not where the damage is";
    if (hole && journal_history_fix(copy) != ST_OK)
        return "the hole cannot be filled";
    return NULL;
}

static const char *judge(struct journal_history *copy,
                         const struct journal_oracle *oracle, bool resumed,
                         enum status status)
{
    const char *what;
    const struct journal_report *report = &copy->rig.report;
    uint64_t size;

    if (status != ST_OK)
        return "the log cannot be opened";
    size = journal_size(copy->rig.journal);
    if (size < copy->acknowledged)
        return "an acknowledged entry is gone";
    if (oracle->marked == UINT64_MAX || oracle->marked < copy->acknowledged)
        return "the mark is behind what was acknowledged";
    if (size > copy->attempted || oracle->other)
        return "an entry is there that was not appended";
    if (!resumed && size != oracle->size)
        return "not all good entries were found";
    if (journal_lost(copy->rig.journal).kind != MARK_WHOLE)
        return "entries are said to be lost";
    what = judge_hole(copy, oracle);
    if (what != NULL)
        return what;
    if (!journal_rig_holds(&copy->rig, size))
        return "an entry is not what was appended";
    if (report->found != expected_case(oracle, resumed))
        return "the verdict is not the table's";
    if (journal_rig_reopen(&copy->rig) != ST_OK ||
        copy->rig.report.found != JOURNAL_CLEAN ||
        copy->rig.report.inherited != 0 || !journal_rig_holds(&copy->rig, size))
        return "the second start does not find a clean log";
    return NULL;
}

/* A state of the disk and of what the log should hold then. */
static uint64_t key_of(const struct journal_history *history, uint64_t disk)
{
    uint64_t key = disk * 31 + history->acknowledged;

    key = key * 31 + history->attempted;
    key = key * 31 + history->cut_from;
    key = key * 31 + history->rotten;
    return key * 31 + history->rig.variant;
}

static void check_recovery(struct journal_findings *findings,
                           const struct journal_history *history,
                           const struct disk_model *model, size_t calls);

/* Judges one state of the disk, which it takes. */
static void check_state(struct journal_findings *findings,
                        const struct journal_history *history,
                        struct disk_model *model, size_t calls, uint64_t subset,
                        bool again)
{
    const uint8_t *data;
    size_t size;
    struct journal_history copy;
    struct journal_oracle oracle;
    const bool resumed = disk_model_peek(model, "cut", &data, &size);
    struct disk_model *before;
    const char *what;
    enum status status;

    if (!is_new(key_of(history, disk_model_digest(model)))) {
        disk_model_free(model);
        return;
    }
    findings->states++;
    before = disk_model_copy(model);
    journal_oracle_read(&oracle, history, model);
    status = reopen(&copy, history, model);
    what = judge(&copy, &oracle, resumed, status);
    if (what == NULL && !journal_oracle_kept(history, before))
        what = "what was cut off is gone";
    if (what == NULL && !journal_oracle_kept(history, copy.rig.model))
        what = "what was cut off is gone after the start";
    journal_close(copy.rig.journal);
    disk_model_free(model);
    if (what != NULL)
        journal_history_complain(findings, history, calls, subset, what);
    if (again)
        check_recovery(findings, history, before, calls);
    disk_model_free(before);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}

static void check_subset(struct journal_findings *findings,
                         const struct journal_history *history, size_t calls,
                         uint64_t subset, size_t torn, bool again)
{
    uint8_t keep[8];

    store_u64(keep, subset);
    check_state(
        findings, history,
        disk_model_crash(history->rig.model, keep, sizeof keep, false, torn),
        calls, subset, again);
}

/* Every subset of what is pending, and each with one of its sectors torn. */
static void check_subsets(struct journal_findings *findings,
                          const struct journal_history *history, size_t calls,
                          bool again)
{
    const size_t pending = disk_model_pending(history->rig.model);
    uint64_t random = 1;

    ck_assert_uint_le(pending, 63);
    if (!is_new(key_of(history, disk_model_state(history->rig.model)) + 1))
        return;
    if (pending <= SUBSET_BITS_MAX) {
        for (uint64_t subset = 0; subset < (uint64_t)1 << pending; subset++) {
            check_subset(findings, history, calls, subset, SIZE_MAX, again);
            check_subset(findings, history, calls, subset,
                         next_random(&random) % 4, again);
        }
        return;
    }
    for (int i = 0; i < SUBSETS_RANDOM; i++)
        check_subset(findings, history, calls,
                     next_random(&random) & (((uint64_t)1 << pending) - 1),
                     i % 2 == 0 ? SIZE_MAX : next_random(&random) % 4, again);
}

/* The power goes off while the journal is being opened. */
static void check_recovery(struct journal_findings *findings,
                           const struct journal_history *history,
                           const struct disk_model *model, size_t calls)
{
    bool off = true;

    for (size_t opening = 1; off; opening++) {
        struct disk_model *target = disk_model_copy(model);
        struct journal_history copy;
        enum status status;

        disk_model_power_off_after(target, opening);
        status = reopen(&copy, history, target);
        off = disk_model_is_off(target);
        if (off && status == ST_OK)
            journal_history_complain(
                findings, history, calls, opening,
                "opening does not notice that the disk failed");
        if (off) /* Of the next incarnation, as any start is. */
            check_subsets(findings, &copy, calls, false);
        journal_close(copy.rig.journal);
        disk_model_free(target);
    }
}

/* What a history is made of. */
struct alphabet {
    enum journal_operation operations[JOURNAL_OPERATIONS_ALL];
    size_t count;
    size_t depth;
};

static const struct alphabet plain = {
    .operations = {JOURNAL_APPEND_SMALL, JOURNAL_APPEND_BLOCK,
                   JOURNAL_APPEND_BORDER, JOURNAL_SYNC, JOURNAL_NEW_SEGMENT,
                   JOURNAL_RESTART, JOURNAL_REPAIR},
    .count = 7,
    .depth = JOURNAL_HISTORY_DEPTH};

/* Of a log that has begun. */
static const struct alphabet cuts = {
    .operations = {JOURNAL_APPEND_SMALL, JOURNAL_APPEND_BLOCK,
                   JOURNAL_APPEND_BORDER, JOURNAL_SYNC, JOURNAL_RESTART,
                   JOURNAL_REPAIR, JOURNAL_CUT},
    .count = 7,
    .depth = JOURNAL_HISTORY_DEPTH - 1};

static const struct alphabet with_peers = {
    .operations = {JOURNAL_APPEND_SMALL, JOURNAL_APPEND_BORDER, JOURNAL_SYNC,
                   JOURNAL_RESTART, JOURNAL_REPAIR, JOURNAL_CUT, JOURNAL_ROT,
                   JOURNAL_FIX},
    .count = 8,
    .depth = JOURNAL_HISTORY_DEPTH - 1};

static const struct alphabet *alphabet_of(const struct journal_findings *of)
{
    if (!of->begun)
        return &plain;
    return of->repair ? &with_peers : &cuts;
}

/* One sequence; false if its beginning already fails, as a liar's disk does. */
static void check_sequence(struct journal_findings *findings, size_t number,
                           size_t count)
{
    const struct alphabet *letters = alphabet_of(findings);
    size_t calls = 1;
    bool off = true;

    for (; off; calls++) {
        struct journal_history history;
        size_t rest = number;
        enum status status = ST_OK;

        journal_history_begin(&history, findings);
        for (size_t i = 0; i + 1 < count && status == ST_OK; i++) {
            status = journal_history_run(
                &history, letters->operations[rest % letters->count],
                SIZE_MAX / 2);
            rest /= letters->count;
        }
        if (status == ST_OK)
            status = journal_history_run(
                &history, letters->operations[rest % letters->count], calls);
        off = disk_model_is_off(history.rig.model);
        if (status != ST_OK && !off)
            journal_history_complain(findings, &history, calls, 0,
                                     "an operation failed");
        else
            check_subsets(findings, &history, calls, true);
        journal_rig_end(&history.rig);
        if (findings->broken >= findings->enough)
            return;
    }
}

static void explore(struct journal_findings *findings)
{
    const struct alphabet *letters = alphabet_of(findings);
    size_t sequences = 1;

    memset(seen, 0, sizeof seen);
    for (size_t count = 1; count <= letters->depth; count++) {
        sequences *= letters->count;
        for (size_t number = 0; number < sequences; number++) {
            check_sequence(findings, number, count);
            if (findings->broken >= findings->enough)
                return;
        }
    }
}

START_TEST(journal_survives_every_crash_of_every_short_history)
{
    struct journal_findings findings = {.enough = 10};

    explore(&findings);
    printf("%llu states of the disk\n", (unsigned long long)findings.states);
    ck_assert_uint_gt(findings.states, 10000);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

START_TEST(journal_survives_every_crash_of_cuts)
{
    struct journal_findings findings = {.begun = true, .enough = 10};

    explore(&findings);
    printf("%llu states of the disk\n", (unsigned long long)findings.states);
    ck_assert_uint_gt(findings.states, 2000);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

START_TEST(journal_with_peers_survives_every_crash_of_cuts_rot_and_repairs)
{
    struct journal_findings findings = {
        .begun = true, .repair = true, .enough = 10};

    explore(&findings);
    printf("%llu states of the disk\n", (unsigned long long)findings.states);
    ck_assert_uint_gt(findings.states, 2000);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

static bool is_caught(const char *lie, bool begun)
{
    struct journal_findings findings = {
        .lie = lie, .begun = begun, .enough = 1, .quiet = true};

    explore(&findings);
    return findings.broken > 0;
}

START_TEST(canary_a_disk_that_does_not_sync_the_log_is_caught)
{
    ck_assert(is_caught("log/0*", false));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_the_mark_is_caught)
{
    ck_assert(is_caught("mark", false));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_names_is_caught)
{
    ck_assert(is_caught("log", false));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_a_new_segment_is_caught)
{
    ck_assert(is_caught("log/spare*", false));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_what_is_kept_aside_is_caught)
{
    ck_assert(is_caught("divergent/*", true));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_the_names_of_it_is_caught)
{
    ck_assert(is_caught("divergent", true));
}
END_TEST

SUITE_MAIN("journal_crashes",
           journal_survives_every_crash_of_every_short_history,
           journal_survives_every_crash_of_cuts,
           journal_with_peers_survives_every_crash_of_cuts_rot_and_repairs,
           canary_a_disk_that_does_not_sync_what_is_kept_aside_is_caught,
           canary_a_disk_that_does_not_sync_the_names_of_it_is_caught,
           canary_a_disk_that_does_not_sync_the_log_is_caught,
           canary_a_disk_that_does_not_sync_the_mark_is_caught,
           canary_a_disk_that_does_not_sync_names_is_caught,
           canary_a_disk_that_does_not_sync_a_new_segment_is_caught)
