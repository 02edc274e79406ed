#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* ---- Jobs --------------------------------------------------------------- */

struct replica_job *replica_job_new(struct replica *replica,
                                    enum storage_job_type type)
{
    struct replica_job *job = calloc(1, sizeof *job);

    NEED(job != NULL);
    job->job.type = type;
    job->job.committed = replica->log.committed;
    job->peer = SIZE_MAX;
    return job;
}

uint8_t *replica_bytes(size_t size)
{
    uint8_t *bytes = malloc(size);

    NEED(bytes != NULL);
    return bytes;
}

void replica_job_give(struct replica *replica, struct replica_job *job)
{
    struct storage_job *plain = &job->job;

    plain->number = ++replica->job_number;
    if (replica->jobs_last == NULL)
        replica->jobs_first = plain;
    else
        replica->jobs_last->next = plain;
    replica->jobs_last = plain;
    replica->jobs_count++;
    if (job->batch != NULL)
        replica_log_hold(job->batch);
    replica_act(replica, REPLICA_JOB)->job = plain;
}

void replica_job_free(struct replica *replica, struct replica_job *job)
{
    if (job->peer != SIZE_MAX)
        replica->peers[job->peer].queued_size -= job->size;
    /* What was fetched is the job's own. */
    for (size_t i = 0; job->entries != NULL && i < job->job.entries_count; i++)
        free((void *)(uintptr_t)job->entries[i].bytes.data);
    if (job->batch != NULL)
        replica_log_release(&replica->log, job->batch);
    for (size_t i = 0; i < job->job.keys_count; i++)
        free((void *)(uintptr_t)job->keys[i].data);
    free(job->entries);
    free(job->bytes);
    free(job);
}

void replica_jobs_free(struct replica *replica)
{
    while (replica->jobs_first != NULL) {
        struct storage_job *job = replica->jobs_first;

        replica->jobs_first = job->next;
        replica_job_free(replica, (struct replica_job *)(void *)job);
    }
    replica->jobs_last = NULL;
    replica->jobs_count = 0;
}

void replica_promise(struct replica *replica, uint32_t epoch)
{
    struct replica_job *job;

    if (epoch <= replica->promised)
        return;
    replica->promised = epoch;
    job = replica_job_new(replica, STORAGE_PROMISE);
    job->job.epoch = epoch;
    replica_job_give(replica, job);
}

void replica_cut(struct replica *replica, uint64_t size)
{
    struct replica_log *log = &replica->log;
    struct replica_job *job;

    REQUIRE(size >= log->committed || replica->lost);
    if (size < log->committed) {
        SOMETIMES(lost_cuts_below_commit);
        log->committed = size;
        if (log->marked > size)
            log->marked = size;
    }
    if (replica_log_cut(&replica->log, size) != ST_OK) {
        /* The entry before the cut cannot be read: it is repaired first. */
        replica_damaged(replica, size - 1);
        return;
    }
    job = replica_job_new(replica, STORAGE_CUT);
    job->job.size = size;
    replica_job_give(replica, job);
    /* Until it is done, what the disk holds behind it does not count. */
    replica->cut_job = job->job.number;
    if (size < replica->cut_size)
        replica->cut_size = size;
    if (replica->log.durable.size > size && !MUTANT(46))
        replica->log.durable.size = size;
}

void replica_cut_again(struct replica *replica)
{
    struct replica_job *job;
    struct journal_gap gap;

    if (replica->cut_again == UINT64_MAX || replica->jobs_count > 0 ||
        replica->repair.examined > 0)
        return;
    /* What is damaged behind it goes with the rest. */
    if (journal_hole_at(replica->log.journal, &gap, 0) == ST_OK &&
        gap.first < replica->cut_again)
        return;
    job = replica_job_new(replica, STORAGE_CUT);
    job->job.size = replica->cut_again;
    replica_job_give(replica, job);
    replica->cut_job = job->job.number;
    replica->cut_size = replica->cut_again;
}

/* ---- Answers that wait for a job ---------------------------------------- */

/* An older APPEND's answer says less than a newer one's. */
static bool owed_covers(const struct replica_owed *older,
                        const struct replica_owed *newer)
{
    return older->type == OWED_APPENDED && newer->type == OWED_APPENDED &&
           older->peer == newer->peer && older->stream == newer->stream &&
           older->job == newer->job;
}

static void owed_send(struct replica *replica, const struct replica_owed *owed)
{
    struct peer_frame frame = {.type = PEER_APPENDED};

    /* A promise that was given since then fences the answer. */
    if (owed->epoch < replica->promised && !MUTANT(48)) {
        SOMETIMES(promise_fences_answer);
        return;
    }
    if (owed->type == OWED_SEALED) {
        replica_seal(replica, owed->peer, owed->epoch);
        return;
    }
    if (!MUTANT(2) && (owed->size > replica->log.durable.size ||
                       owed->size > replica->log.end.size)) {
        /* Whoever sent it believes that it is here. */
        SOMETIMES(answer_outrun_by_cut);
        replica_refuse(replica, owed->peer, PEER_REFUSED_MISMATCH, owed->epoch,
                       owed->stream);
        return;
    }
    frame.appended.epoch = owed->epoch;
    frame.appended.stream = owed->stream;
    frame.appended.size = owed->size;
    if (owed->size > 0 && replica_log_leaf(&replica->log, frame.appended.leaf.b,
                                           owed->size - 1) != ST_OK)
        return;
    replica_send(replica, owed->peer, &frame);
}

void replica_owe(struct replica *replica, const struct replica_owed *owed)
{
    struct replica_owed *last = NULL;

    if (owed->job <= replica->job_done || MUTANT(2)) {
        owed_send(replica, owed);
        return;
    }
    if (replica->owed_count > 0)
        last = &replica->owed[(replica->owed_first + replica->owed_count - 1) %
                              REPLICA_OWED_MAX];
    if (last != NULL && owed_covers(last, owed)) {
        SOMETIMES(answers_joined);
        *last = *owed;
        return;
    }
    /* Who asks more than is ever answered breaks the window. */
    if (replica->owed_count == REPLICA_OWED_MAX) {
        replica_break(replica, owed->peer, ST_LIMIT);
        return;
    }
    replica
        ->owed[(replica->owed_first + replica->owed_count) % REPLICA_OWED_MAX] =
        *owed;
    replica->owed_count++;
}

static void owed_pay(struct replica *replica)
{
    while (replica->owed_count > 0) {
        struct replica_owed owed = replica->owed[replica->owed_first];

        if (owed.job > replica->job_done)
            return;
        replica->owed_first = (replica->owed_first + 1) % REPLICA_OWED_MAX;
        replica->owed_count--;
        /* The next one may say the same, and more. */
        const struct replica_owed *next = &replica->owed[replica->owed_first];
        if (replica->owed_count > 0 && next->job <= replica->job_done &&
            next->type == OWED_APPENDED && owed.type == OWED_APPENDED &&
            next->peer == owed.peer && next->stream == owed.stream &&
            next->size >= owed.size)
            continue;
        owed_send(replica, &owed);
    }
}

/* ---- Completions -------------------------------------------------------- */

/* Entries that were not taken are not part of the log: nor is what follows. */
static void job_append_failed(struct replica *replica, struct replica_job *job)
{
    enum status status = job->job.status;
    enum status cut;

    /* One number, two keys: who says so must be the one that gives keys. */
    if (status == ST_DIVERGED &&
        (job->peer == SIZE_MAX ||
         replica_is_named(replica, job->peer, job->epoch))) {
        replica_halt(replica, HALT_KEYS, job->batch->first, slice_of(NULL, 0));
        return;
    }
    /* One that failed before it took this one along. */
    if (!job->batch->in_log) {
        SOMETIMES(append_fails_with_another);
        return;
    }
    SOMETIMES(append_not_taken);
    if (replica_won(replica))
        replica_step_down(replica);
    INVARIANT(job->batch->first >= replica->log.committed);
    cut = replica_log_cut(&replica->log, job->batch->first);
    INVARIANT(cut == ST_OK); /* The batch says where it began. */
    if (status == ST_DIVERGED)
        replica_break(replica, job->peer, status);
    else if (job->peer != SIZE_MAX)
        replica_refuse(replica, job->peer,
                       status == ST_DISK_FULL ? PEER_REFUSED_DISK
                                              : PEER_REFUSED_DAMAGED,
                       replica->promised, 0);
}

/* Where what was cut off is kept; or that it is not. */
static void job_say_cut(struct replica *replica, const struct storage_job *job)
{
    char *text = (char *)replica_space(replica, sizeof job->aside);

    memcpy(text, job->aside, sizeof job->aside);
    replica->unkept += job->unkept;
    replica_say(replica, job->unkept ? NOTE_UNKEPT : NOTE_CUT, NULL, job->size);
    replica->actions->list[replica->actions->count - 1].say.text = text;
}

/* Behind a damaged entry nothing can be cut off: first it is repaired. */
static void job_cut_done(struct replica *replica, const struct replica_job *job)
{
    uint64_t size = job->job.size;

    switch (job->job.status) {
    case ST_OK:
        job_say_cut(replica, &job->job);
        replica->cut_again = UINT64_MAX;
        break;
    case ST_CHECKSUM:
        replica->cut_again = size;
        replica_damaged(replica, size - 1);
        break;
    default:
        replica_halt(replica, HALT_COMMITTED_CONFLICT, size, slice_of(NULL, 0));
        break;
    }
}

static void job_judge(struct replica *replica, struct replica_job *job)
{
    switch (job->job.type) {
    case STORAGE_APPEND:
        if (job->job.status != ST_OK)
            job_append_failed(replica, job);
        break;
    case STORAGE_CUT:
        job_cut_done(replica, job);
        break;
    case STORAGE_REPAIR:
        replica_repaired(replica, job);
        break;
    case STORAGE_EXAMINE:
        replica_examined(replica, job);
        break;
    case STORAGE_FOUND:
        replica_found_done(replica, job->job.status);
        break;
    case STORAGE_FORCE:
        replica_forced_done(replica, job->job.status);
        break;
    case STORAGE_LOST:
    case STORAGE_RISE:
    case STORAGE_CLAIM:
    case STORAGE_MARK:
    case STORAGE_PROMISE:
    case STORAGE_USE:
    case STORAGE_CONFIGURE:
    case STORAGE_HALT:
        break;
    }
}

/* What is to be cut off does not count, whatever the disk still holds. */
static void job_clamp(struct replica *replica, uint64_t size)
{
    if (replica->log.durable.size > size)
        replica->log.durable.size = size;
}

void replica_job_done(struct replica *replica, struct storage_job *plain)
{
    struct replica_job *job = (struct replica_job *)(void *)plain;

    REQUIRE(plain == replica->jobs_first);
    REQUIRE(plain->number == replica->job_done + 1);
    replica->jobs_first = plain->next;
    if (replica->jobs_first == NULL)
        replica->jobs_last = NULL;
    replica->jobs_count--;
    replica->job_done = plain->number;
    replica->log.durable = plain->end;
    if (replica->cut_job <= replica->job_done)
        replica->cut_size = UINT64_MAX;
    if (!MUTANT(47))
        job_clamp(replica, replica->cut_size);
    job_clamp(replica, replica->cut_again);
    if (plain->status == ST_OK && plain->committed > replica->log.marked &&
        (plain->type == STORAGE_APPEND || plain->type == STORAGE_MARK))
        replica->log.marked = plain->committed;
    job_judge(replica, job);
    job_clamp(replica, replica->cut_again);
    replica_job_free(replica, job);
    if (replica->halt != HALT_NONE || replica->forced)
        return;
    owed_pay(replica);
    if (!replica_won(replica))
        replica_learn_commit(replica, replica->log.told);
    replica_commit(replica);
    replica_publish(replica);
}
