/*
 * Every failed sync, and every write that finds the disk full, in every short
 * history of the log.  ctest-timeout: 300
 */
#include "tests/lib/journal_history.h"
#include "tests/lib/suite.h"

enum { DEPTH_OF_FAILURES = 3 };

/* After a failed sync nothing more is taken, and nothing acknowledged is lost.
 */
static const char *judge_failed_sync(struct journal_history *history)
{
    struct journal_rig *rig = &history->rig;

    if (rig->journal != NULL &&
        (journal_rig_append(rig, JOURNAL_SIZE_SMALL) != ST_DISK_FAILED ||
         journal_sync(rig->journal, journal_end(rig->journal).size) !=
             ST_DISK_FAILED ||
         journal_prepare_next(rig->journal) != ST_DISK_FAILED))
        return "a call was taken after a failed sync";
    if (journal_rig_reopen(rig) != ST_OK)
        return "the log cannot be opened from what the cache shows";
    if (journal_size(rig->journal) < history->acknowledged ||
        !journal_rig_holds(rig, journal_size(rig->journal)))
        return "an acknowledged entry is gone";
    journal_history_opened(history);
    if (journal_rig_crash(rig, false) != ST_OK ||
        journal_size(rig->journal) < history->acknowledged ||
        !journal_rig_holds(rig, journal_size(rig->journal)))
        return "what was taken over from the cache was not made durable";
    return NULL;
}

static bool check_failed_sync(struct journal_findings *findings,
                              unsigned number, size_t count, size_t syncs)
{
    const size_t unlimited = SIZE_MAX / 2;
    struct journal_history history;
    const char *what = NULL;
    enum status status = ST_OK;

    journal_history_begin(&history, findings);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count)
            disk_model_fail_sync_after(history.rig.model, syncs);
        status = journal_history_run(&history, number % JOURNAL_OPERATIONS,
                                     unlimited);
        number /= JOURNAL_OPERATIONS;
    }
    if (status == ST_DISK_FAILED)
        what = judge_failed_sync(&history);
    if (what != NULL)
        journal_history_complain(findings, &history, syncs, 0, what);
    journal_rig_end(&history.rig);
    return status == ST_DISK_FAILED;
}

START_TEST(journal_survives_every_failed_sync_of_every_short_history)
{
    struct journal_findings findings = {.enough = 10};
    unsigned sequences = 1;
    unsigned failed = 0;

    for (size_t count = 1; count <= DEPTH_OF_FAILURES; count++) {
        sequences *= JOURNAL_OPERATIONS;
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
static const char *judge_full_disk(struct journal_history *history,
                                   enum status status)
{
    struct journal_rig *rig = &history->rig;

    if (status == ST_DISK_FAILED || rig->journal == NULL ||
        history->operations[history->count - 1] == JOURNAL_CUT)
        return judge_failed_sync(history);
    if (status != ST_DISK_FULL)
        return "a full disk is not named so";
    if (journal_end(rig->journal).size != rig->end.size)
        return "a refused entry changed the journal";
    if (journal_rig_append(rig, JOURNAL_SIZE_BORDER) != ST_OK ||
        journal_sync(rig->journal, rig->end.size) != ST_OK)
        return "the journal does not go on when there is room again";
    history->acknowledged = rig->end.size;
    if (journal_rig_crash(rig, false) != ST_OK ||
        journal_size(rig->journal) != history->acknowledged ||
        !journal_rig_holds(rig, history->acknowledged))
        return "an acknowledged entry is gone";
    return NULL;
}

static bool check_full_disk(struct journal_findings *findings, unsigned number,
                            size_t count, size_t calls)
{
    struct journal_history history;
    const char *what = NULL;
    enum status status = ST_OK;

    journal_history_begin(&history, findings);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count)
            disk_model_fail_after(history.rig.model, calls, ST_DISK_FULL);
        status = journal_history_run(&history, number % JOURNAL_OPERATIONS,
                                     SIZE_MAX / 2);
        number /= JOURNAL_OPERATIONS;
    }
    disk_model_fail_after(history.rig.model, 0, ST_OK);
    if (status != ST_OK)
        what = judge_full_disk(&history, status);
    if (what != NULL)
        journal_history_complain(findings, &history, calls, 0, what);
    journal_rig_end(&history.rig);
    return status != ST_OK;
}

START_TEST(journal_survives_a_disk_full_at_every_write_of_every_short_history)
{
    struct journal_findings findings = {.enough = 10};
    unsigned sequences = 1;
    unsigned full = 0;

    for (size_t count = 1; count <= DEPTH_OF_FAILURES; count++) {
        sequences *= JOURNAL_OPERATIONS;
        for (unsigned number = 0; number < sequences; number++)
            for (size_t calls = 1;
                 check_full_disk(&findings, number, count, calls); calls++)
                full++;
    }
    ck_assert_uint_gt(full, 100);
    ck_assert_uint_eq(findings.broken, 0);
}
END_TEST

SUITE_MAIN("journal_failures",
           journal_survives_every_failed_sync_of_every_short_history,
           journal_survives_a_disk_full_at_every_write_of_every_short_history)
