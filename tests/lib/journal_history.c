#include "tests/lib/journal_history.h"

#include <stdio.h>
#include <string.h>

#include "replication/journal_repair.h"

static const char *const history_names[JOURNAL_OPERATIONS_ALL] = {
    "small",   "block",  "border", "sync", "segment",
    "restart", "repair", "cut",    "rot",  "fix"};

void journal_history_complain(struct journal_findings *findings,
                              const struct journal_history *history,
                              size_t calls, uint64_t subset, const char *what)
{
    findings->broken++;
    if (findings->quiet)
        return;
    printf("broken: %s; after", what);
    for (size_t i = 0; i < history->count; i++)
        printf(" %s", history_names[history->operations[i]]);
    printf(", power off after %zu calls, subset %llx\n", calls,
           (unsigned long long)subset);
}

void journal_history_opened(struct journal_history *history)
{
    history->rig.end = journal_end(history->rig.journal);
    history->acknowledged = journal_size(history->rig.journal);
}

static enum status history_append(struct journal_history *history, size_t size)
{
    enum status status;

    history->rig.variant++;
    if (history->attempted < history->rig.end.size + 1)
        history->attempted = history->rig.end.size + 1;
    status = journal_rig_append(&history->rig, size);
    return status;
}

static enum status history_repair(struct journal_history *history, size_t calls)
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
        journal_history_opened(history);
    return status;
}

/* Half of what was acknowledged before is committed now. */
static enum status history_sync(struct journal_history *history)
{
    struct journal_rig *rig = &history->rig;
    uint64_t committed = history->acknowledged / 2;
    enum status status;

    if (committed < journal_committed(rig->journal))
        committed = journal_committed(rig->journal);
    status = journal_sync(rig->journal, committed);
    if (status == ST_OK)
        history->acknowledged = rig->end.size;
    return status;
}

static enum status history_cut(struct journal_history *history)
{
    struct journal_rig *rig = &history->rig;
    /* Of entries that were not synced, one goes and the others stay. */
    const uint64_t size = rig->end.size >= history->acknowledged + 2
                              ? rig->end.size - 1
                              : journal_committed(rig->journal);
    struct journal_report report;
    enum status status;

    if (history->rotten && size == 1)
        return ST_OK; /* The new last entry could not be read. */
    history->cut_from = history->acknowledged;
    if (history->acknowledged > size)
        history->acknowledged = size;
    status = journal_cut_to(rig->journal, &report, size);
    if (status != ST_OK)
        return status;
    rig->end = journal_end(rig->journal);
    history->attempted = size;
    history->acknowledged = size;
    history->rotten = history->rotten && size > 0;
    return ST_OK;
}

static enum status history_rot(struct journal_history *history)
{
    static const char first[] = "log/00000000000000000000.seg";

    if (history->acknowledged < 2 || history->rotten)
        return ST_OK;
    disk_model_rot(history->rig.model, first, SEGMENT_HEADER_SIZE + 100, 3);
    history->rotten = true;
    return ST_OK;
}

enum status journal_history_fix(struct journal_history *history)
{
    const struct journal_entry entry = {
        .bytes = slice_of(history->rig.bytes[0], history->rig.sizes[0])};
    enum status status = ST_OK;

    if (history->rotten)
        status = journal_repair(history->rig.journal, 0, &entry, 1);
    if (status == ST_OK)
        history->rotten = false;
    return status;
}

enum status journal_history_run(struct journal_history *history,
                                enum journal_operation operation, size_t calls)
{
    struct journal_rig *rig = &history->rig;
    enum status status = ST_OK;

    history->operations[history->count++] = operation;
    history->cut_from = 0;
    disk_model_power_off_after(rig->model, calls);
    switch (operation) {
    case JOURNAL_APPEND_SMALL:
        return history_append(history, JOURNAL_SIZE_SMALL);
    case JOURNAL_APPEND_BLOCK:
        return history_append(history, JOURNAL_SIZE_BLOCK);
    case JOURNAL_APPEND_BORDER:
        return history_append(history, JOURNAL_SIZE_BORDER);
    case JOURNAL_SYNC:
        return history_sync(history);
    case JOURNAL_NEW_SEGMENT:
        return journal_prepare_next(rig->journal);
    case JOURNAL_RESTART:
        status = journal_rig_reopen(rig);
        if (status == ST_OK)
            journal_history_opened(history);
        return status;
    case JOURNAL_REPAIR:
        return history_repair(history, calls);
    case JOURNAL_CUT:
        return history_cut(history);
    case JOURNAL_ROT:
        return history_rot(history);
    case JOURNAL_FIX:
        return journal_history_fix(history);
    case JOURNAL_OPERATIONS_ALL:
        break;
    }
    INVARIANT(false);
    return status;
}

void journal_history_begin(struct journal_history *history,
                           const struct journal_findings *findings)
{
    enum status status = ST_OK;

    memset(history, 0, sizeof *history);
    journal_rig_begin(&history->rig, JOURNAL_RIG_SEGMENT);
    history->rig.options.repair = findings->repair;
    if (findings->begun) {
        journal_rig_fill(&history->rig, 2);
        for (int i = 0; i < 2 && status == ST_OK; i++)
            status = journal_rig_append(&history->rig, JOURNAL_SIZE_SMALL);
        if (status == ST_OK)
            status = journal_sync(history->rig.journal, 2);
        ENSURE(status == ST_OK);
        journal_history_opened(history);
        history->attempted = history->acknowledged;
    }
    disk_model_lie(history->rig.model, findings->lie);
}
