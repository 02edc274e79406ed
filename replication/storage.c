#include "replication/storage.h"

#include <string.h>

#include "replication/journal_repair.h"
#include "replication/sometimes.h"

const char *storage_job_name(enum storage_job_type type)
{
    static const char *const names[] = {
        [STORAGE_APPEND] = "append",       [STORAGE_MARK] = "mark",
        [STORAGE_PROMISE] = "promise",     [STORAGE_USE] = "use",
        [STORAGE_CLAIM] = "claim",         [STORAGE_RISE] = "rise",
        [STORAGE_CONFIGURE] = "configure", [STORAGE_CUT] = "cut",
        [STORAGE_REPAIR] = "repair",       [STORAGE_EXAMINE] = "examine",
        [STORAGE_LOST] = "lost",           [STORAGE_FOUND] = "found",
        [STORAGE_HALT] = "halt",           [STORAGE_FORCE] = "force",
    };

    return names[type];
}

static enum status storage_accept(struct storage *storage,
                                  const struct storage_job *job)
{
    if (storage->keys.accept == NULL || !job->verify_keys)
        return ST_OK;
    return storage->keys.accept(storage->keys.context, job);
}

/* Everything but the sync. */
static enum status storage_append(struct storage *storage,
                                  const struct storage_job *job)
{
    enum status status = storage_accept(storage, job);

    if (status != ST_OK)
        return status;
    while ((status = journal_append(storage->journal, job->entries,
                                    job->entries_count)) == ST_AGAIN) {
        /* The background makes the next segment; make it here instead. */
        SOMETIMES(segment_made);
        status = journal_prepare_next(storage->journal);
        if (status != ST_OK)
            return status;
    }
    return status;
}

/* A log that was found again may know of a later commit than who gave the
 * job. */
static enum status storage_sync(struct storage *storage, uint64_t committed)
{
    uint64_t known = journal_committed(storage->journal);

    return journal_sync(storage->journal,
                        committed > known ? committed : known);
}

/*
 * A run of appends, and one sync for all of them.  The first that is not taken
 * ends it: those behind it do not follow the log any more.
 */
static void storage_appends(struct storage *storage, struct storage_job **jobs,
                            size_t count)
{
    enum status status = ST_OK;
    uint64_t committed = journal_committed(storage->journal);
    size_t taken = 0;

    while (taken < count && status == ST_OK) {
        status = storage_append(storage, jobs[taken]);
        jobs[taken]->status = status;
        if (status != ST_OK)
            break;
        if (jobs[taken]->committed > committed)
            committed = jobs[taken]->committed;
        taken++;
    }
    for (size_t i = taken; i < count; i++)
        jobs[i]->status = status;
    if (taken > 1)
        SOMETIMES(appends_share_a_sync);
    if (taken == 0)
        return;
    status = storage_sync(storage, committed);
    for (size_t i = 0; i < taken && status != ST_OK; i++)
        jobs[i]->status = status;
}

static enum status storage_cut(struct storage *storage, struct storage_job *job)
{
    struct journal_report report = {.size = 0};

    /* What was to be cut off was not taken. */
    if (job->size > journal_end(storage->journal).size)
        return ST_OK;
    enum status status = journal_cut_to(storage->journal, &report, job->size);

    memcpy(job->aside, report.aside, sizeof job->aside);
    job->unkept = report.unkept;
    if (status == ST_OK && storage->keys.truncate != NULL)
        storage->keys.truncate(storage->keys.context, job->size);
    /* Half a cut is finished by the next start, and by nothing else. */
    return status == ST_DISK_FULL ? ST_DISK_FAILED : status;
}

static enum status storage_set_lost(struct storage *storage)
{
    struct mark_lost lost = {.kind = MARK_LOST_ALL, .size = UINT64_MAX};

    return journal_set_lost(storage->journal, &lost);
}

static enum status storage_found(struct storage *storage,
                                 const struct storage_job *job)
{
    enum status status = journal_clear_lost(storage->journal);

    if (!job->proven || status == ST_OK || status == ST_DISK_FAILED)
        return status;
    /* What was acknowledged here and never committed is of another history by
     * now; a later commit says so, and the mark cannot. */
    status = storage_set_lost(storage);
    if (status == ST_OK)
        status = journal_clear_lost(storage->journal);
    return status;
}

static enum status storage_configure(struct storage *storage,
                                     const struct storage_job *job)
{
    enum status status = ST_OK;

    if (job->config_number >= storage->meta->value.configuration_number)
        status = meta_configure(storage->meta, job->config_number, job->config);
    if (status == ST_OK && job->epoch > storage->meta->value.promised_epoch &&
        !MUTANT(5))
        status = meta_promise(storage->meta, job->epoch);
    return status;
}

static enum status storage_one(struct storage *storage, struct storage_job *job)
{
    switch (job->type) {
    case STORAGE_APPEND:
        break;
    case STORAGE_MARK:
        return storage_sync(storage, job->committed);
    case STORAGE_PROMISE:
        if (job->epoch <= storage->meta->value.promised_epoch || MUTANT(5))
            return ST_OK;
        return meta_promise(storage->meta, job->epoch);
    case STORAGE_USE:
        if (job->epoch <= storage->meta->value.used_epoch || MUTANT(73))
            return ST_OK;
        return meta_use_epoch(storage->meta, job->epoch);
    case STORAGE_RISE:
        return meta_rise(storage->meta, job->size);
    case STORAGE_CLAIM:
        return meta_claim(storage->meta, job->size);
    case STORAGE_CONFIGURE:
        return storage_configure(storage, job);
    case STORAGE_FORCE:
        return meta_force(storage->meta, job->lineage, job->config_number,
                          job->config, job->epoch);
    case STORAGE_CUT:
        return storage_cut(storage, job);
    case STORAGE_REPAIR:
        return journal_repair(storage->journal, job->size, job->entries,
                              job->entries_count);
    case STORAGE_EXAMINE:
        return journal_examine(storage->journal, job->size);
    case STORAGE_LOST:
        return storage_set_lost(storage);
    case STORAGE_FOUND:
        return storage_found(storage, job);
    case STORAGE_HALT:
        return halt_keep(storage->disk, &job->halt);
    }
    return ST_OK;
}

/* Nothing is done after a failure: no job may look as if it were. */
static void storage_give_up(struct storage_job **jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jobs[i]->status = ST_DISK_FAILED;
}

void storage_run(struct storage *storage, struct storage_job **jobs,
                 size_t count)
{
    size_t at = 0;

    while (at < count) {
        size_t run = 0;

        while (at + run < count && jobs[at + run]->type == STORAGE_APPEND)
            run++;
        if (run > 0) {
            storage_appends(storage, jobs + at, run);
        } else {
            run = 1;
            jobs[at]->status = storage_one(storage, jobs[at]);
        }
        for (size_t i = at; i < at + run; i++) {
            jobs[i]->end = journal_end(storage->journal);
            if (jobs[i]->status == ST_DISK_FAILED) {
                storage_give_up(jobs + i, count - i);
                return;
            }
        }
        at += run;
    }
}
