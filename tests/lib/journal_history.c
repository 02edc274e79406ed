#include "tests/lib/journal_history.h"

#include <stdio.h>
#include <string.h>

static const char *const history_names[JOURNAL_OPERATIONS] = {
    "small", "block", "border", "sync", "segment", "restart", "repair"};

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

enum status journal_history_run(struct journal_history *history,
                                enum journal_operation operation, size_t calls)
{
    struct journal_rig *rig = &history->rig;
    enum status status = ST_OK;

    history->operations[history->count++] = operation;
    disk_model_power_off_after(rig->model, calls);
    switch (operation) {
    case JOURNAL_APPEND_SMALL:
        return history_append(history, JOURNAL_SIZE_SMALL);
    case JOURNAL_APPEND_BLOCK:
        return history_append(history, JOURNAL_SIZE_BLOCK);
    case JOURNAL_APPEND_BORDER:
        return history_append(history, JOURNAL_SIZE_BORDER);
    case JOURNAL_SYNC:
        status = journal_sync(rig->journal, rig->end.size);
        if (status == ST_OK)
            history->acknowledged = rig->end.size;
        return status;
    case JOURNAL_NEW_SEGMENT:
        return journal_prepare_next(rig->journal);
    case JOURNAL_RESTART:
        status = journal_rig_reopen(rig);
        if (status == ST_OK)
            journal_history_opened(history);
        return status;
    case JOURNAL_REPAIR:
        return history_repair(history, calls);
    case JOURNAL_OPERATIONS:
        break;
    }
    INVARIANT(false);
    return status;
}

void journal_history_begin(struct journal_history *history,
                           const struct journal_findings *findings)
{
    memset(history, 0, sizeof *history);
    journal_rig_begin(&history->rig, JOURNAL_RIG_SEGMENT);
    disk_model_lie(history->rig.model, findings->lie);
}
