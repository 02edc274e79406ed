/*
 * Every state in which a loss of power can leave a short history of the log.
 * ctest-timeout: 300
 *
 * All sequences of up to DEPTH operations run on the model disk.  In the last
 * operation the power goes off after each call that changes the disk; then
 * every subset of the pending sectors, sizes and names is taken as what
 * survived, the journal is opened, and an oracle that knows nothing of the
 * journal's code says what must have been found:
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

#include "protocol/entry.h"
#include "protocol/segment.h"
#include "replication/mark.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/suite.h"

enum {
    DEPTH = 4,
    DEPTH_OF_FAILED_SYNCS = 3,
    SUBSET_BITS_MAX = 12, /* Above that, subsets are drawn at random. */
    SUBSETS_RANDOM = 512,
    SEEN_SLOTS = 1 << 21, /* A table of states that were judged already. */
    SMALL = JOURNAL_RIG_ENTRY,
    BLOCK = 700,  /* Crosses the border of a 512-byte block wherever it lies. */
    BORDER = 1900 /* Fits an empty segment only. */
};

enum operation {
    APPEND_SMALL,
    APPEND_BLOCK,
    APPEND_BORDER,
    SYNC, /* The log, then the mark: the power goes off between, too. */
    NEW_SEGMENT,
    RESTART, /* The process ends; what was written is still in the cache. */
    REPAIR,  /* The power goes, every other pending bit survives; open. */
    OPERATIONS
};

static const char *const operation_names[OPERATIONS] = {
    "small", "block", "border", "sync", "segment", "restart", "repair"};

/* Invariant: acknowledged <= what any later start must find. */
struct history {
    struct journal_rig rig;
    uint64_t acknowledged;
    uint64_t attempted; /* Entries handed to the journal, kept or not. */
    enum operation operations[DEPTH];
    size_t count;
};

struct findings {
    const char *lie; /* What the disk lies about; NULL for nothing. */
    uint64_t states;
    uint64_t broken;
    uint64_t enough; /* Stop after so many. */
    bool quiet;
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
static void oracle_read(struct oracle *oracle, const struct history *history,
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

static void complain(struct findings *findings, const struct history *history,
                     size_t calls, uint64_t subset, const char *what)
{
    findings->broken++;
    if (findings->quiet)
        return;
    printf("broken: %s; after", what);
    for (size_t i = 0; i < history->count; i++)
        printf(" %s", operation_names[history->operations[i]]);
    printf(", power off after %zu calls, subset %llx\n", calls,
           (unsigned long long)subset);
}

/* Opens what survived in a copy of the history; the copy shares its entries. */
static enum status reopen(struct history *copy, const struct history *history,
                          struct disk_model *model)
{
    *copy = *history;
    copy->rig.model = model;
    copy->rig.journal = NULL;
    return journal_rig_reopen(&copy->rig);
}

static const char *judge(struct history *copy, const struct oracle *oracle,
                         bool resumed, enum status status)
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
static uint64_t key_of(const struct history *history, uint64_t disk)
{
    uint64_t key = disk * 31 + history->acknowledged;

    key = key * 31 + history->attempted;
    return key * 31 + history->rig.variant;
}

static void check_recovery(struct findings *findings,
                           const struct history *history,
                           const struct disk_model *model, size_t calls);

/* Judges one state of the disk, which it takes. */
static void check_state(struct findings *findings,
                        const struct history *history, struct disk_model *model,
                        size_t calls, uint64_t subset, bool again)
{
    const uint8_t *data;
    size_t size;
    struct history copy;
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
        complain(findings, history, calls, subset, what);
    if (again)
        check_recovery(findings, history, before, calls);
    disk_model_free(before);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}

static void check_subset(struct findings *findings,
                         const struct history *history, size_t calls,
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
static void check_subsets(struct findings *findings,
                          const struct history *history, size_t calls,
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
static void check_recovery(struct findings *findings,
                           const struct history *history,
                           const struct disk_model *model, size_t calls)
{
    bool off = true;

    for (size_t opening = 1; off; opening++) {
        struct disk_model *target = disk_model_copy(model);
        struct history copy;
        enum status status;

        disk_model_power_off_after(target, opening);
        status = reopen(&copy, history, target);
        off = disk_model_is_off(target);
        if (off && status == ST_OK)
            complain(findings, history, calls, opening,
                     "opening does not notice that the disk failed");
        if (off) /* Of the next incarnation, as any start is. */
            check_subsets(findings, &copy, calls, false);
        journal_close(copy.rig.journal);
        disk_model_free(target);
    }
}

static void opened(struct history *history)
{
    history->rig.end = journal_end(history->rig.journal);
    history->acknowledged = journal_size(history->rig.journal);
}

static enum status run_append(struct history *history, size_t size)
{
    enum status status;

    history->rig.variant++;
    if (history->attempted < history->rig.end.size + 1)
        history->attempted = history->rig.end.size + 1;
    status = journal_rig_append(&history->rig, size);
    return status;
}

static enum status run_repair(struct history *history, size_t calls)
{
    static const uint8_t every_other[8] = {0x55, 0x55, 0x55, 0x55,
                                           0x55, 0x55, 0x55, 0x55};
    struct disk_model *after =
        disk_model_crash(history->rig.model, every_other, 8, false, 1);
    enum status status;

    journal_close(history->rig.journal);
    history->rig.journal = NULL;
    disk_model_free(history->rig.model);
    history->rig.model = after;
    disk_model_power_off_after(after, calls);
    status = journal_rig_reopen(&history->rig);
    if (status == ST_OK)
        opened(history);
    return status;
}

/* Runs one operation with the power going off after ${calls} changes. */
static enum status run(struct history *history, enum operation operation,
                       size_t calls)
{
    struct journal_rig *rig = &history->rig;
    enum status status = ST_OK;

    history->operations[history->count++] = operation;
    disk_model_power_off_after(rig->model, calls);
    switch (operation) {
    case APPEND_SMALL:
        return run_append(history, SMALL);
    case APPEND_BLOCK:
        return run_append(history, BLOCK);
    case APPEND_BORDER:
        return run_append(history, BORDER);
    case SYNC:
        status = journal_sync(rig->journal, rig->end.size);
        if (status == ST_OK)
            history->acknowledged = rig->end.size;
        return status;
    case NEW_SEGMENT:
        return journal_prepare_next(rig->journal);
    case RESTART:
        status = journal_rig_reopen(rig);
        if (status == ST_OK)
            opened(history);
        return status;
    case REPAIR:
        return run_repair(history, calls);
    case OPERATIONS:
        break;
    }
    INVARIANT(false);
    return status;
}

static void begin(struct history *history, const struct findings *findings)
{
    memset(history, 0, sizeof *history);
    journal_rig_begin(&history->rig, JOURNAL_RIG_SEGMENT);
    disk_model_lie(history->rig.model, findings->lie);
}

/* One sequence; false if its beginning already fails, as a liar's disk does. */
static void check_sequence(struct findings *findings, unsigned number,
                           size_t count)
{
    size_t calls = 1;
    bool off = true;

    for (; off; calls++) {
        struct history history;
        unsigned rest = number;
        enum status status = ST_OK;

        begin(&history, findings);
        for (size_t i = 0; i + 1 < count && status == ST_OK; i++) {
            status = run(&history, rest % OPERATIONS, SIZE_MAX / 2);
            rest /= OPERATIONS;
        }
        if (status == ST_OK)
            status = run(&history, rest % OPERATIONS, calls);
        off = disk_model_is_off(history.rig.model);
        if (status != ST_OK && !off)
            complain(findings, &history, calls, 0, "an operation failed");
        else
            check_subsets(findings, &history, calls, true);
        journal_rig_end(&history.rig);
        if (findings->broken >= findings->enough)
            return;
    }
}

static void explore(struct findings *findings, size_t depth)
{
    unsigned sequences = 1;

    memset(seen, 0, sizeof seen);
    for (size_t count = 1; count <= depth; count++) {
        sequences *= OPERATIONS;
        for (unsigned number = 0; number < sequences; number++) {
            check_sequence(findings, number, count);
            if (findings->broken >= findings->enough)
                return;
        }
    }
}

START_TEST(journal_survives_every_crash_of_every_short_history)
{
    struct findings findings = {.enough = 10};

    explore(&findings, DEPTH);
    printf("%llu states of the disk\n", (unsigned long long)findings.states);
    ck_assert_uint_gt(findings.states, 10000);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

/* After a failed sync nothing more is taken, and nothing acknowledged is lost.
 */
static const char *judge_failed_sync(struct history *history)
{
    struct journal_rig *rig = &history->rig;

    if (rig->journal != NULL &&
        (journal_rig_append(rig, SMALL) != ST_DISK_FAILED ||
         journal_sync(rig->journal, journal_end(rig->journal).size) !=
             ST_DISK_FAILED ||
         journal_prepare_next(rig->journal) != ST_DISK_FAILED))
        return "a call was taken after a failed sync";
    if (journal_rig_reopen(rig) != ST_OK)
        return "the log cannot be opened from what the cache shows";
    if (journal_size(rig->journal) < history->acknowledged ||
        !journal_rig_holds(rig, journal_size(rig->journal)))
        return "an acknowledged entry is gone";
    opened(history);
    if (journal_rig_crash(rig, false) != ST_OK ||
        journal_size(rig->journal) < history->acknowledged ||
        !journal_rig_holds(rig, journal_size(rig->journal)))
        return "what was taken over from the cache was not made durable";
    return NULL;
}

static bool check_failed_sync(struct findings *findings, unsigned number,
                              size_t count, size_t syncs)
{
    const size_t unlimited = SIZE_MAX / 2;
    struct history history;
    const char *what = NULL;
    enum status status = ST_OK;

    begin(&history, findings);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count)
            disk_model_fail_sync_after(history.rig.model, syncs);
        status = run(&history, number % OPERATIONS, unlimited);
        number /= OPERATIONS;
    }
    if (status == ST_DISK_FAILED)
        what = judge_failed_sync(&history);
    if (what != NULL)
        complain(findings, &history, syncs, 0, what);
    journal_rig_end(&history.rig);
    return status == ST_DISK_FAILED;
}

START_TEST(journal_survives_every_failed_sync_of_every_short_history)
{
    struct findings findings = {.enough = 10};
    unsigned sequences = 1;
    unsigned failed = 0;

    for (size_t count = 1; count <= DEPTH_OF_FAILED_SYNCS; count++) {
        sequences *= OPERATIONS;
        for (unsigned number = 0; number < sequences; number++)
            for (size_t syncs = 1;
                 check_failed_sync(&findings, number, count, syncs); syncs++)
                failed++;
    }
    ck_assert_uint_gt(failed, 100);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

/* A full disk is refused, or the journal ends: never a half of both. */
static const char *judge_full_disk(struct history *history, enum status status)
{
    struct journal_rig *rig = &history->rig;

    if (status == ST_DISK_FAILED || rig->journal == NULL)
        return judge_failed_sync(history);
    if (status != ST_DISK_FULL)
        return "a full disk is not named so";
    if (journal_end(rig->journal).size != rig->end.size)
        return "a refused entry changed the journal";
    if (journal_rig_append(rig, BORDER) != ST_OK ||
        journal_sync(rig->journal, rig->end.size) != ST_OK)
        return "the journal does not go on when there is room again";
    history->acknowledged = rig->end.size;
    if (journal_rig_crash(rig, false) != ST_OK ||
        journal_size(rig->journal) != history->acknowledged ||
        !journal_rig_holds(rig, history->acknowledged))
        return "an acknowledged entry is gone";
    return NULL;
}

static bool check_full_disk(struct findings *findings, unsigned number,
                            size_t count, size_t calls)
{
    struct history history;
    const char *what = NULL;
    enum status status = ST_OK;

    begin(&history, findings);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count)
            disk_model_fail_after(history.rig.model, calls, ST_DISK_FULL);
        status = run(&history, number % OPERATIONS, SIZE_MAX / 2);
        number /= OPERATIONS;
    }
    disk_model_fail_after(history.rig.model, 0, ST_OK);
    if (status != ST_OK)
        what = judge_full_disk(&history, status);
    if (what != NULL)
        complain(findings, &history, calls, 0, what);
    journal_rig_end(&history.rig);
    return status != ST_OK;
}

START_TEST(journal_survives_a_disk_full_at_every_write_of_every_short_history)
{
    struct findings findings = {.enough = 10};
    unsigned sequences = 1;
    unsigned full = 0;

    for (size_t count = 1; count <= DEPTH_OF_FAILED_SYNCS; count++) {
        sequences *= OPERATIONS;
        for (unsigned number = 0; number < sequences; number++)
            for (size_t calls = 1;
                 check_full_disk(&findings, number, count, calls); calls++)
                full++;
    }
    ck_assert_uint_gt(full, 100);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

static bool is_caught(const char *lie)
{
    struct findings findings = {.lie = lie, .enough = 1, .quiet = true};

    explore(&findings, DEPTH);
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
           journal_survives_every_failed_sync_of_every_short_history,
           journal_survives_a_disk_full_at_every_write_of_every_short_history,
           canary_a_disk_that_does_not_sync_the_log_is_caught,
           canary_a_disk_that_does_not_sync_the_mark_is_caught,
           canary_a_disk_that_does_not_sync_names_is_caught,
           canary_a_disk_that_does_not_sync_a_new_segment_is_caught)
