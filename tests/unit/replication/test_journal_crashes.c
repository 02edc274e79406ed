/*
 * Every state in which a loss of power can leave a short history of the log.
 * ctest-timeout: 300
 *
 * All sequences of up to JOURNAL_HISTORY_DEPTH operations run on the model
 * disk.  In the last operation the power goes off after each call that changes
 * the disk; then every subset of the pending sectors, sizes and names is taken
 * as what survived, the journal is opened, and an oracle that knows nothing of
 * the journal's code says what must have been found:
 *
 *   - every acknowledged entry is there, bit for bit;
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

#include "protocol/segment.h"
#include "replication/mark.h"
#include "tests/lib/journal_history.h"
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

/* What the bytes on a disk say, read without any code of the journal. */
struct oracle {
    uint64_t size;   /* Good entries that follow each other. */
    uint64_t marked; /* Size in the newest mark; UINT64_MAX for none. */
    bool torn;       /* Bytes follow that are not zero. */
    bool other;      /* An entry that is not the one that was appended. */
};

static bool all_zero(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at++)
        if (data[at] != 0)
            return false;
    return true;
}

static void oracle_mark(struct oracle *oracle, const struct disk_model *model)
{
    uint64_t newest = 0;
    const uint8_t *data;
    size_t size;

    oracle->marked = UINT64_MAX;
    if (!disk_model_peek(model, MARK_FILE, &data, &size))
        return;
    for (size_t at = 0; at + SLOT_SIZE <= size; at += SLOT_SIZE) {
        static const uint8_t magic[SLOTS_MAGIC_SIZE] = "DFTMARK";
        struct slice body;
        uint64_t sequence;

        if (slots_decode(&sequence, &body, magic,
                         slice_of(data + at, SLOT_SIZE)) == ST_OK &&
            sequence > newest) {
            newest = sequence;
            oracle->marked = load_u64(body.data + 16);
        }
    }
}

/* Walks the files in the order of their names; every segment is small. */
static void oracle_read(struct oracle *oracle,
                        const struct journal_history *history,
                        const struct disk_model *model)
{
    uint64_t first = 0;

    *oracle = (struct oracle){0};
    oracle_mark(oracle, model);
    for (; first <= history->attempted; first++) {
        char name[DISK_NAME_SIZE_MAX];
        const uint8_t *data;
        size_t at = SEGMENT_HEADER_SIZE;
        size_t size;
        struct slice entry;

        snprintf(name, sizeof name, "log/%020u.seg", (unsigned)first);
        if (!disk_model_peek(model, name, &data, &size))
            continue;
        if (oracle->torn || first != oracle->size) {
            oracle->torn = true;
            return;
        }
        if (size < SEGMENT_HEADER_SIZE) {
            oracle->torn = true;
            return;
        }
        while (segment_frame_decode(&entry, slice_of(data + at, size - at)) ==
                   ST_OK &&
               load_u64(entry.data + 8) == oracle->size) {
            const uint64_t index = oracle->size++;

            at += segment_frame_size(entry.size);
            if (index >= history->attempted ||
                !slice_equal(entry, slice_of(history->rig.bytes[index],
                                             history->rig.sizes[index])))
                oracle->other = true;
        }
        if (!all_zero(data + at, size - at))
            oracle->torn = true;
    }
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

static const char *judge(struct journal_history *copy,
                         const struct oracle *oracle, bool resumed,
                         enum status status)
{
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
    if (!journal_rig_holds(&copy->rig, size))
        return "an entry is not what was appended";
    if ((report->found == JOURNAL_TORN) != (oracle->torn || resumed))
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
    struct oracle oracle;
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
    oracle_read(&oracle, history, model);
    status = reopen(&copy, history, model);
    what = judge(&copy, &oracle, resumed, status);
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

/* One sequence; false if its beginning already fails, as a liar's disk does. */
static void check_sequence(struct journal_findings *findings, unsigned number,
                           size_t count)
{
    size_t calls = 1;
    bool off = true;

    for (; off; calls++) {
        struct journal_history history;
        unsigned rest = number;
        enum status status = ST_OK;

        journal_history_begin(&history, findings);
        for (size_t i = 0; i + 1 < count && status == ST_OK; i++) {
            status = journal_history_run(&history, rest % JOURNAL_OPERATIONS,
                                         SIZE_MAX / 2);
            rest /= JOURNAL_OPERATIONS;
        }
        if (status == ST_OK)
            status =
                journal_history_run(&history, rest % JOURNAL_OPERATIONS, calls);
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

static void explore(struct journal_findings *findings, size_t depth)
{
    unsigned sequences = 1;

    memset(seen, 0, sizeof seen);
    for (size_t count = 1; count <= depth; count++) {
        sequences *= JOURNAL_OPERATIONS;
        for (unsigned number = 0; number < sequences; number++) {
            check_sequence(findings, number, count);
            if (findings->broken >= findings->enough)
                return;
        }
    }
}

START_TEST(journal_survives_every_crash_of_every_short_history)
{
    struct journal_findings findings = {.enough = 10};

    explore(&findings, JOURNAL_HISTORY_DEPTH);
    printf("%llu states of the disk\n", (unsigned long long)findings.states);
    ck_assert_uint_gt(findings.states, 10000);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

static bool is_caught(const char *lie)
{
    struct journal_findings findings = {.lie = lie, .enough = 1, .quiet = true};

    explore(&findings, JOURNAL_HISTORY_DEPTH);
    return findings.broken > 0;
}

START_TEST(canary_a_disk_that_does_not_sync_the_log_is_caught)
{
    ck_assert(is_caught("log/0*"));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_the_mark_is_caught)
{
    ck_assert(is_caught("mark"));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_names_is_caught)
{
    ck_assert(is_caught("log"));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_a_new_segment_is_caught)
{
    ck_assert(is_caught("log/spare*"));
}
END_TEST

SUITE_MAIN("journal_crashes",
           journal_survives_every_crash_of_every_short_history,
           canary_a_disk_that_does_not_sync_the_log_is_caught,
           canary_a_disk_that_does_not_sync_the_mark_is_caught,
           canary_a_disk_that_does_not_sync_names_is_caught,
           canary_a_disk_that_does_not_sync_a_new_segment_is_caught)
