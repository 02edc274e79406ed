#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/*
 * A node that lacks what it acknowledged: how it says so, and how it is whole
 * again (R21, cases C3 to C6).
 */

void replica_lost_open(struct replica *replica)
{
    struct mark_lost lost = journal_lost(replica->log.journal);

    replica->lost = lost.kind != MARK_WHOLE && !MUTANT(14);
    /* Of the other kinds this node cannot tell by itself when they are over. */
    replica->lost_to = !replica->lost           ? 0
                       : lost.kind == MARK_LOST ? lost.size
                                                : UINT64_MAX;
}

/* Nobody may take what this start acknowledged before for what it has now: it
 * goes on as a later one, which is registered and admitted anew. */
void replica_rise(struct replica *replica, uint64_t above)
{
    struct replica_job *job;

    if (above >= INT64_MAX) {
        replica_say(replica, NOTE_REGISTER, NULL, above);
        return;
    }
    replica->incarnation = above + 1;
    job = replica_job_new(replica, STORAGE_RISE);
    job->job.size = replica->incarnation;
    replica_job_give(replica, job);
    if (replica->options.automatic) {
        replica->registered = false;
        replica->registering_ms = 0;
    }
    replica_settle_role(replica);
    for (size_t i = 0; i < replica->peers_count; i++)
        replica_hello(replica, i);
}

void replica_set_lost(struct replica *replica)
{
    replica->lost = true;
    replica->finding = false; /* What is being found is not all. */
    replica->lost_to = UINT64_MAX;
    replica_say(replica, NOTE_LOST, NULL, replica->lost_to);
    replica_job_give(replica, replica_job_new(replica, STORAGE_LOST));
}

/* While it runs: who leads gives up first. */
void replica_lose(struct replica *replica)
{
    if (replica_won(replica))
        replica_step_down(replica);
    if (!replica->lost || replica->finding) {
        replica_set_lost(replica);
        replica_rise(replica, replica->incarnation);
    }
}

static void lost_find(struct replica *replica, bool proven)
{
    struct replica_job *job;

    if (!replica->lost || replica->finding)
        return;
    replica->finding = true;
    replica->finding_ms = replica->now_ms;
    job = replica_job_new(replica, STORAGE_FOUND);
    job->job.proven = proven;
    replica_job_give(replica, job);
}

void replica_find(struct replica *replica)
{
    lost_find(replica, true);
}

/* Who proposed it had a live acknowledgement of this very start: everything
 * committed is here (R15), whatever was lost. */
static bool lost_is_admitted(const struct replica *replica)
{
    const struct config_member *self =
        replica->configured
            ? config_member(&replica->config, replica->options.node_id)
            : NULL;

    if (!replica->lost || replica->adopting || self == NULL)
        return false;
    /* Whoever forced it on this log knew what the log lacks: whatever start. */
    return replica->config.why == CONFIG_FORCED
               ? replica_forced_begins(replica)
               : self->incarnation == replica->incarnation;
}

void replica_admitted(struct replica *replica)
{
    const struct config_member *self =
        config_member(&replica->config, replica->options.node_id);

    if (self == NULL)
        return;
    /* A later start of this node is known: this disk is older (case C6); or it
     * is a new one, and a member has more than genesis. */
    if (self->incarnation > replica->incarnation) {
        if (!replica->lost)
            replica_set_lost(replica);
        replica_rise(replica, self->incarnation);
    } else if (!replica->options.automatic && !replica->lost &&
               replica->log.end.size <= 1 && replica->config.base_size > 1 &&
               replica->config.phase == CONFIG_NORMAL &&
               !replica_won(replica)) {
        replica_lose(replica);
    } else if (lost_is_admitted(replica)) {
        lost_find(replica, true);
    }
}

/* With what is whole again the commit that was known is known again. */
static void lost_found_again(struct replica *replica)
{
    struct replica_log *log = &replica->log;
    uint64_t committed = journal_committed(log->journal);

    if (committed > log->end.size)
        committed = log->end.size;
    if (committed > log->committed)
        log->committed = committed;
    replica_publish(replica);
}

void replica_lost_tend(struct replica *replica)
{
    bool admitted = lost_is_admitted(replica);

    if (MUTANT(89))
        lost_find(replica, true);
    if (!replica->lost || replica->finding ||
        !replica_elapsed(replica, replica->finding_ms,
                         replica->options.timers.retry_ms))
        return;
    if (admitted) {
        lost_find(replica, true);
    } else if (replica->lost_to != UINT64_MAX &&
               replica->log.durable.size >= replica->lost_to &&
               !replica_has_holes(replica)) {
        SOMETIMES(found_by_mark);
        lost_find(replica, false);
    }
}

void replica_found_done(struct replica *replica, enum status status)
{
    /* Something more was lost meanwhile. */
    if (!replica->finding)
        return;
    replica->finding = false;
    if (status != ST_OK)
        return;
    lost_found_again(replica);
    replica->lost = false;
    replica->lost_to = 0;
    replica_say(replica, NOTE_FOUND, NULL, replica->log.durable.size);
    replica_settle_role(replica);
    replica_repair_tell(replica);
}
