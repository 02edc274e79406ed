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

#include "protocol/segment.h"
#include "replication/journal_repair.h"
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
    bool hole;       /* Entry 0 is damaged. */
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

/* Damage where entry 0 stood, with entry 1 behind it. */
static bool oracle_is_rotten(const struct journal_history *history,
                             const uint8_t *data, size_t size)
{
    const size_t frame = segment_frame_size(history->rig.sizes[0]);
    struct slice entry;

    return segment_frame_decode(&entry, slice_of(data, size)) != ST_OK &&
           segment_frame_decode(&entry, slice_of(data + frame, size - frame)) ==
               ST_OK;
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
        if (first == 0 && history->rotten &&
            oracle_is_rotten(history, data + at, size - at)) {
            oracle->hole = true;
            oracle->size++;
            at += segment_frame_size(history->rig.sizes[0]);
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

struct search {
    const struct disk_model *model;
    const char *directory;
    struct slice wanted;
    bool found;
};

static void search_file(void *context, const char *name)
{
    struct search *search = context;
    char path[DISK_NAME_SIZE_MAX];
    const uint8_t *data;
    size_t size;

    snprintf(path, sizeof path, "%s/%s", search->directory, name);
    if (!disk_model_peek(search->model, path, &data, &size))
        return;
    for (size_t at = 0; at + search->wanted.size <= size; at += 4)
        if (memcmp(data + at, search->wanted.data, search->wanted.size) == 0)
            search->found = true;
}

/* Whether all that a cut takes away is on the disk somewhere. */
static bool is_evidence_kept(const struct journal_history *history,
                             struct disk_model *model)
{
    static const char *const directories[] = {"log", "divergent"};

    for (uint64_t i = history->acknowledged; i < history->cut_from; i++) {
        struct search search = {.model = model};

        search.wanted = slice_of(history->rig.bytes[i], history->rig.sizes[i]);
        for (size_t j = 0; j < 2; j++) {
            search.directory = directories[j];
            if (disk_list(disk_model_disk(model), directories[j], &search,
                          search_file) != ST_OK)
                return false;
        }
        if (!search.found)
            return false;
    }
    return true;
}

static enum journal_case expected_case(const struct oracle *oracle,
                                       bool resumed)
{
    if (oracle->hole)
        return JOURNAL_HOLE;
    return oracle->torn || resumed ? JOURNAL_TORN : JOURNAL_CLEAN;
}

/* The hole is there, and closes over the entry that was appended. */
static const char *judge_hole(struct journal_history *copy,
                              const struct oracle *oracle)
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
                         const struct oracle *oracle, bool resumed,
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
    if (what == NULL && !is_evidence_kept(history, before))
        what = "what was cut off is gone";
    if (what == NULL && !is_evidence_kept(history, copy.rig.model))
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
                   JOURNAL_RESTART, JOURNAL_REPAIR, JOURNAL_CUT},
    .count = 8,
    .depth = JOURNAL_HISTORY_DEPTH};

static const struct alphabet with_peers = {
    .operations = {JOURNAL_APPEND_SMALL, JOURNAL_APPEND_BORDER, JOURNAL_SYNC,
                   JOURNAL_CUT, JOURNAL_ROT, JOURNAL_FIX, JOURNAL_RESTART},
    .count = 7,
    .depth = JOURNAL_HISTORY_DEPTH - 1};

static const struct alphabet *alphabet_of(const struct journal_findings *of)
{
    return of->repair ? &with_peers : &plain;
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

START_TEST(journal_with_peers_survives_every_crash_of_cuts_rot_and_repairs)
{
    struct journal_findings findings = {.repair = true, .enough = 10};

    explore(&findings);
    printf("%llu states of the disk\n", (unsigned long long)findings.states);
    ck_assert_uint_gt(findings.states, 5000);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

static bool is_caught(const char *lie)
{
    struct journal_findings findings = {.lie = lie, .enough = 1, .quiet = true};

    explore(&findings);
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

START_TEST(canary_a_disk_that_does_not_sync_what_is_kept_aside_is_caught)
{
    ck_assert(is_caught("divergent/*"));
}
END_TEST

START_TEST(canary_a_disk_that_does_not_sync_the_names_of_it_is_caught)
{
    ck_assert(is_caught("divergent"));
}
END_TEST

SUITE_MAIN("journal_crashes",
           journal_survives_every_crash_of_every_short_history,
           journal_with_peers_survives_every_crash_of_cuts_rot_and_repairs,
           canary_a_disk_that_does_not_sync_what_is_kept_aside_is_caught,
           canary_a_disk_that_does_not_sync_the_names_of_it_is_caught,
           canary_a_disk_that_does_not_sync_the_log_is_caught,
           canary_a_disk_that_does_not_sync_the_mark_is_caught,
           canary_a_disk_that_does_not_sync_names_is_caught,
           canary_a_disk_that_does_not_sync_a_new_segment_is_caught)
