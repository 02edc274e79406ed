#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"
#include "tests/lib/history.h"

enum { REPORTED_MAX = 5 };

struct check {
    struct history *history;
    struct history_verdict *verdict;
    FILE *report;
};

static const char *const fault_names[] = {
#define HISTORY_FAULT_NAME(name, english) #name,
    HISTORY_FAULT_LIST(HISTORY_FAULT_NAME)
#undef HISTORY_FAULT_NAME
};
static const char *const fault_words[] = {
#define HISTORY_FAULT_WORDS(name, english) english,
    HISTORY_FAULT_LIST(HISTORY_FAULT_WORDS)
#undef HISTORY_FAULT_WORDS
};

const char *history_fault_name(enum history_fault fault)
{
    return fault_names[fault];
}

/* One fault; ${op} and ${other} are named by their lines where there are. */
static void fault(struct check *check, enum history_fault kind,
                  const struct history_op *op, const struct history_op *other,
                  uint64_t index, const char *log)
{
    if (check->report != NULL && check->verdict->counts[kind] < REPORTED_MAX) {
        fprintf(check->report, "%s: %s:", fault_names[kind], fault_words[kind]);
        if (op != NULL)
            fprintf(check->report, " line %u (client %u, code %u)", op->line,
                    op->client, op->code);
        if (other != NULL)
            fprintf(check->report, " and line %u (client %u)", other->line,
                    other->client);
        fprintf(check->report, " index %llu%s%s\n", (unsigned long long)index,
                log == NULL ? "" : " in log ", log == NULL ? "" : log);
    }
    check->verdict->counts[kind]++;
    check->verdict->total++;
}

/* ---- The logs among themselves ------------------------------------------ */

static void check_equal(struct check *check, const struct history_log *a,
                        const struct history_log *b)
{
    size_t count = a->entries_count < b->entries_count ? a->entries_count
                                                       : b->entries_count;

    for (size_t i = 0; i < count; i++) {
        if (memcmp(a->entries[i].leaf, b->entries[i].leaf, HISTORY_LEAF_SIZE) ==
            0)
            continue;
        /* All that follow differ too: one is enough. */
        fault(check, HISTORY_DIFFER, NULL, NULL, i, b->name);
        return;
    }
}

static int by_id(const void *a, const void *b)
{
    const struct history_entry *const *left = a, *const *right = b;
    int order = memcmp((*left)->id, (*right)->id, HISTORY_ID_SIZE);

    if (order != 0)
        return order;
    return (*left)->index < (*right)->index ? -1
                                            : (*left)->index > (*right)->index;
}

/* Entries by id, and each id that has two. */
static const struct history_entry **sort_log(struct check *check,
                                             const struct history_log *log)
{
    const struct history_entry **sorted =
        malloc((log->entries_count + 1) * sizeof(struct history_entry *));

    INVARIANT(sorted != NULL);
    for (size_t i = 0; i < log->entries_count; i++) {
        sorted[i] = &log->entries[i];
        if (i > 0 && log->entries[i].epoch < log->entries[i - 1].epoch)
            fault(check, HISTORY_EPOCH_FALLS, NULL, NULL, i, log->name);
    }
    qsort(sorted, log->entries_count, sizeof(struct history_entry *), by_id);
    for (size_t i = 1; i < log->entries_count; i++) {
        if (memcmp(sorted[i]->id, sorted[i - 1]->id, HISTORY_ID_SIZE) == 0)
            fault(check, HISTORY_TWICE, NULL, NULL, sorted[i]->index,
                  log->name);
    }
    return sorted;
}

static const struct history_entry *find_id(
    const struct history_entry *const *sorted, size_t count, const uint8_t *id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(sorted[middle]->id, id, HISTORY_ID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && memcmp(sorted[low]->id, id, HISTORY_ID_SIZE) == 0
               ? sorted[low]
               : NULL;
}

/* ---- The history against one log ---------------------------------------- */

static void check_acked(struct check *check, const struct history_log *log,
                        const struct history_entry *found,
                        const struct history_op *op)
{
    const struct history_entry *entry;

    if (op->index >= log->entries_count) {
        fault(check, HISTORY_LOST, op, NULL, op->index, log->name);
        return;
    }
    entry = &log->entries[op->index];
    if (found != entry) /* Elsewhere, or nowhere: another one took its place. */
        fault(check, HISTORY_OTHER, op, NULL, op->index, log->name);
    else if (memcmp(entry->leaf, op->leaf, HISTORY_LEAF_SIZE) != 0)
        fault(check, HISTORY_LEAF, op, NULL, op->index, log->name);
    else if (entry->epoch != op->epoch)
        fault(check, HISTORY_EPOCH, op, NULL, op->index, log->name);
}

static void check_seen(struct check *check, const struct history_log *log,
                       const struct history_op *op)
{
    if (op->value == 0 || !op->has_seen)
        return;
    if (op->value > log->entries_count ||
        memcmp(log->entries[op->value - 1].leaf, op->seen, HISTORY_LEAF_SIZE) !=
            0)
        fault(check, HISTORY_SEEN, op, NULL, op->value, log->name);
}

static void check_log(struct check *check, const struct history_log *log)
{
    const struct history_entry **sorted = sort_log(check, log);

    for (size_t i = 0; i < check->history->ops_count; i++) {
        struct history_op *op = &check->history->ops[i];
        const struct history_entry *found =
            find_id(sorted, log->entries_count, op->id);

        if (op->outcome == HISTORY_ACKED)
            check_acked(check, log, found, op);
        else if (op->outcome == HISTORY_REFUSED && found != NULL)
            fault(check, HISTORY_REFUSED_DONE, op, NULL, found->index,
                  log->name);
        else if (op->outcome == HISTORY_UNKNOWN && found != NULL)
            op->index = found->index; /* It was done: it has a place. */
        if (op->outcome == HISTORY_ACKED && op->value != HISTORY_NONE)
            check_seen(check, log, op);
    }
    free(sorted);
}

/* ---- The history in itself ---------------------------------------------- */

static int by_invoked(const void *a, const void *b)
{
    const struct history_op *const *left = a, *const *right = b;

    return (*left)->invoked < (*right)->invoked
               ? -1
               : (*left)->invoked > (*right)->invoked;
}

static int by_returned(const void *a, const void *b)
{
    const struct history_op *const *left = a, *const *right = b;

    return (*left)->returned < (*right)->returned
               ? -1
               : (*left)->returned > (*right)->returned;
}

static int by_index(const void *a, const void *b)
{
    const struct history_op *const *left = a, *const *right = b;

    return (*left)->index < (*right)->index ? -1
                                            : (*left)->index > (*right)->index;
}

typedef int compare(const void *a, const void *b);

/* The operations that were acknowledged, or all that have a place. */
static const struct history_op **sort_ops(const struct history *history,
                                          bool acked, compare *order,
                                          size_t *count_out)
{
    const struct history_op **sorted =
        malloc((history->ops_count + 1) * sizeof(struct history_op *));
    size_t count = 0;

    INVARIANT(sorted != NULL);
    for (size_t i = 0; i < history->ops_count; i++) {
        const struct history_op *op = &history->ops[i];
        if (op->index != HISTORY_NONE &&
            (op->outcome == HISTORY_ACKED ||
             (!acked && op->outcome == HISTORY_UNKNOWN)))
            sorted[count++] = op;
    }
    qsort(sorted, count, sizeof(struct history_op *), order);
    *count_out = count;
    return sorted;
}

/* What had returned before some moment. */
struct before {
    const struct history_op *highest;  /* By index. */
    const struct history_op *greatest; /* By value read. */
};

static void note_returned(struct before *before, const struct history_op *op)
{
    if (before->highest == NULL || op->index > before->highest->index)
        before->highest = op;
    if (op->value != HISTORY_NONE &&
        (before->greatest == NULL || op->value > before->greatest->value))
        before->greatest = op;
}

static void check_against(struct check *check, const struct before *before,
                          const struct history_op *op)
{
    const struct history_op *highest = before->highest;
    bool is_read = op->outcome == HISTORY_ACKED && op->value != HISTORY_NONE;

    if (highest != NULL && highest->index > op->index)
        fault(check,
              highest->client == op->client ? HISTORY_SESSION : HISTORY_ORDER,
              op, highest, op->index, NULL);
    if (!is_read)
        return;
    if (op->value > op->index)
        fault(check, HISTORY_FUTURE, op, NULL, op->value, NULL);
    if (op->value < op->index ||
        (highest != NULL && op->value <= highest->index))
        fault(check, HISTORY_STALE, op, highest, op->value, NULL);
    if (before->greatest != NULL && op->value < before->greatest->value)
        fault(check, HISTORY_BACK, op, before->greatest, op->value, NULL);
}

/* Each operation, as it began, against those that had returned by then. */
static void check_times(struct check *check)
{
    size_t begun_count, ended_count, ended = 0;
    const struct history_op **begun =
        sort_ops(check->history, false, by_invoked, &begun_count);
    const struct history_op **returned =
        sort_ops(check->history, true, by_returned, &ended_count);
    struct before before = {NULL, NULL};

    for (size_t i = 0; i < begun_count; i++) {
        while (ended < ended_count &&
               returned[ended]->returned < begun[i]->invoked)
            note_returned(&before, returned[ended++]);
        check_against(check, &before, begun[i]);
    }
    free(begun);
    free(returned);
}

static int by_op_id(const void *a, const void *b)
{
    const struct history_op *const *left = a, *const *right = b;

    return memcmp((*left)->id, (*right)->id, HISTORY_ID_SIZE);
}

static void check_shared(struct check *check)
{
    size_t count;
    const struct history_op **sorted =
        sort_ops(check->history, true, by_index, &count);

    for (size_t i = 1; i < count; i++) {
        if (sorted[i]->index == sorted[i - 1]->index)
            fault(check, HISTORY_SHARED, sorted[i], sorted[i - 1],
                  sorted[i]->index, NULL);
    }
    free(sorted);
}

/* A client that writes a command down twice tells nothing of either. */
static void check_repeated(struct check *check)
{
    const struct history *history = check->history;
    const struct history_op **sorted =
        malloc((history->ops_count + 1) * sizeof(struct history_op *));

    INVARIANT(sorted != NULL);
    for (size_t i = 0; i < history->ops_count; i++)
        sorted[i] = &history->ops[i];
    qsort(sorted, history->ops_count, sizeof(struct history_op *), by_op_id);
    for (size_t i = 1; i < history->ops_count; i++) {
        if (by_op_id(&sorted[i - 1], &sorted[i]) == 0)
            fault(check, HISTORY_REPEATED, sorted[i], sorted[i - 1],
                  sorted[i]->index, NULL);
    }
    free(sorted);
}

static void count_ops(struct check *check)
{
    for (size_t i = 0; i < check->history->ops_count; i++) {
        const struct history_op *op = &check->history->ops[i];
        switch (op->outcome) {
        case HISTORY_ACKED:
            check->verdict->acked++;
            break;
        case HISTORY_REFUSED:
            check->verdict->refused++;
            break;
        case HISTORY_UNKNOWN:
            check->verdict->unknown++;
            check->verdict->unknown_done += op->index != HISTORY_NONE;
            break;
        }
    }
}

void history_check(struct history_verdict *verdict_out, struct history *history,
                   FILE *report)
{
    struct check check = {history, verdict_out, report};

    memset(verdict_out, 0, sizeof *verdict_out);
    for (size_t i = 0; i < history->ops_count; i++) {
        if (history->ops[i].outcome == HISTORY_UNKNOWN)
            history->ops[i].index = HISTORY_NONE; /* The logs will say. */
    }
    for (size_t i = 0; i < history->logs_count; i++) {
        if (i > 0)
            check_equal(&check, &history->logs[0], &history->logs[i]);
        check_log(&check, &history->logs[i]);
    }
    check_shared(&check);
    check_repeated(&check);
    check_times(&check);
    count_ops(&check);
}
