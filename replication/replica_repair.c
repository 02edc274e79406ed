#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* Entries that one repair takes: a segment is filled from its end in pieces. */
enum { REPAIR_ENTRIES_MAX = 4096 };

/* ---- Lost --------------------------------------------------------------- */

void replica_repair_open(struct replica *replica)
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

static void repair_find(struct replica *replica, bool proven)
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
    repair_find(replica, true);
}

/* Who proposed this had a live acknowledgement of this very start: everything
 * committed is here (R15), whatever was lost. */
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
    } else if (!replica->lost && replica->log.end.size <= 1 &&
               replica->config.base_size > 1 && !replica_won(replica)) {
        replica_lose(replica);
    } else if (replica->lost && !replica->adopting &&
               self->incarnation == replica->incarnation) {
        repair_find(replica, true);
    }
}

/* With what is whole again the commit that was known is known again. */
static void replica_found_again(struct replica *replica)
{
    struct replica_log *log = &replica->log;
    uint64_t committed = journal_committed(log->journal);

    if (committed > log->end.size)
        committed = log->end.size;
    if (committed > log->committed)
        log->committed = committed;
    replica_publish(replica);
}

/* ---- Holes -------------------------------------------------------------- */

bool replica_has_holes(const struct replica *replica)
{
    struct journal_gap gap;

    return replica->repair.examined > 0 ||
           journal_hole_at(replica->log.journal, &gap, 0) == ST_OK;
}

void replica_damaged(struct replica *replica, uint64_t index)
{
    struct replica_job *job;

    /* One look at a time; what else is damaged is met again. */
    if (replica->repair.examined > 0 || index >= replica->log.durable.size)
        return;
    replica_say(replica, NOTE_ROT, NULL, index);
    replica->repair.examined++;
    job = replica_job_new(replica, STORAGE_EXAMINE);
    job->job.size = index;
    replica_job_give(replica, job);
}

static void repair_forget(struct replica *replica)
{
    struct replica_repair *repair = &replica->repair;

    if (repair->job != NULL && !repair->given)
        replica_job_free(replica, repair->job);
    repair->job = NULL;
    repair->gathering = false;
    repair->given = false;
    repair->size = 0;
}

void replica_repair_wipe(struct replica *replica)
{
    repair_forget(replica);
}

/* ---- Gathering ---------------------------------------------------------- */

/* Each peer in turn. */
static bool repair_next_peer(struct replica *replica)
{
    struct replica_repair *repair = &replica->repair;

    for (size_t i = 1; i <= replica->peers_count; i++) {
        size_t at = (repair->peer + i) % replica->peers_count;

        if (replica->peers[at].greeted) {
            repair->peer = at;
            return true;
        }
    }
    return false;
}

static void repair_ask(struct replica *replica)
{
    struct replica_repair *repair = &replica->repair;
    struct peer_frame frame = {.type = PEER_FETCH};
    uint64_t left = repair->end - repair->next;

    repair->token = ++replica->token;
    repair->asked_ms = replica->now_ms;
    frame.fetch.token = repair->token;
    frame.fetch.first = repair->next;
    frame.fetch.count = (uint32_t)(left > REPLICA_APPEND_ENTRIES_MAX
                                       ? REPLICA_APPEND_ENTRIES_MAX
                                       : left);
    replica_send(replica, repair->peer, &frame);
}

static void repair_begin(struct replica *replica, const struct journal_gap *gap)
{
    struct replica_repair *repair = &replica->repair;

    repair_forget(replica);
    repair->end = gap->first + gap->count;
    repair->first = gap->ask;
    /* In pieces from the end, where that may be. */
    if (gap->ask > gap->first && repair->end - gap->first > REPAIR_ENTRIES_MAX)
        repair->first = repair->end - REPAIR_ENTRIES_MAX;
    if (repair->first > gap->ask)
        repair->first = gap->ask;
    repair->next = repair->first;
    if (repair->end - repair->first > REPLICA_REPAIR_ENTRIES_MAX ||
        !repair_next_peer(replica))
        return;
    repair->gathering = true;
    repair->job = replica_job_new(replica, STORAGE_REPAIR);
    repair->job->job.size = repair->first;
    repair->job->entries = calloc((size_t)(repair->end - repair->first),
                                  sizeof *repair->job->entries);
    INVARIANT(repair->job->entries != NULL);
    repair->job->job.entries = repair->job->entries;
    repair_ask(replica);
}

/* Whose stream brings again what is cut off here. */
static bool repair_hears_primary(const struct replica *replica)
{
    return replica->primary_peer != SIZE_MAX &&
           replica->peers[replica->primary_peer].greeted &&
           !replica_elapsed(replica, replica->heard_ms,
                            replica->options.timers.remove_ms);
}

/*
 * Nobody has what is missing.  Behind the commit it was perhaps never more than
 * a tail of ours: a follower cuts it off and is lost until a later commit
 * covers it; a primary takes a new term, and what a member sealed instead (R21,
 * R23).
 */
static void repair_failed(struct replica *replica)
{
    struct replica_repair *repair = &replica->repair;
    struct journal_gap gap;

    SOMETIMES(repair_asks_next);
    repair_forget(replica);
    repair->failures++;
    if (repair->failures <= replica->peers_count || MUTANT(22) ||
        journal_hole_at(replica->log.journal, &gap, 0) != ST_OK ||
        gap.first < replica->log.committed)
        return;
    repair->failures = 0;
    if (replica->role == REPLICA_CANDIDATE) {
        SOMETIMES(tail_beyond_repair);
        replica->adopting = true;
        replica_set_role(replica, REPLICA_RECOVERING);
    } else if (replica_leads(replica)) {
        SOMETIMES(leading_tail_beyond_repair);
        replica_step_down(replica);
    } else if (!replica_won(replica) && repair_hears_primary(replica) &&
               gap.first < replica->log.end.size) {
        SOMETIMES(followed_tail_beyond_repair);
        replica_lose(replica);
        replica_cut(replica, gap.first);
    }
}

static bool repair_waits(const struct replica *replica)
{
    const struct replica_repair *repair = &replica->repair;

    return repair->given || repair->examined > 0 ||
           (repair->asked_ms != 0 &&
            !replica_elapsed(replica, repair->asked_ms,
                             replica->options.timers.retry_ms));
}

static void repair_scrub(struct replica *replica)
{
    enum status status;

    if (replica->options.timers.scrub_ms == 0 ||
        !replica_elapsed(replica, replica->scrub_ms,
                         replica->options.timers.scrub_ms))
        return;
    replica->scrub_ms = replica->now_ms;
    if (MUTANT(87))
        return;
    if (MUTANT(27) && replica->log.durable.size > 0)
        replica->scrub.next =
            replica->scrub.next * 7 % replica->log.durable.size;
    status = journal_scrub_next(replica->log.journal, &replica->scrub,
                                replica->log.buffer);
    if (status == ST_CHECKSUM)
        replica_damaged(replica, replica->scrub.bad);
    else if (status == ST_END)
        replica_compare(replica, replica->log.durable.size);
}

void replica_repair_tend(struct replica *replica)
{
    struct journal_gap gap;

    if (replica->lost && replica->lost_to != UINT64_MAX &&
        replica->log.durable.size >= replica->lost_to &&
        !replica_has_holes(replica) &&
        replica_elapsed(replica, replica->finding_ms,
                        replica->options.timers.retry_ms)) {
        SOMETIMES(found_by_mark);
        repair_find(replica, false);
    }
    if (MUTANT(89))
        repair_find(replica, true);
    if (!repair_waits(replica) &&
        journal_hole_at(replica->log.journal, &gap, 0) == ST_OK) {
        /* No answer is one that does not help. */
        if (replica->repair.gathering)
            repair_failed(replica);
        else
            repair_begin(replica, &gap);
    }
    replica_cut_again(replica);
    repair_scrub(replica);
}

/* ---- What comes --------------------------------------------------------- */

static void repair_give(struct replica *replica)
{
    struct replica_repair *repair = &replica->repair;

    repair->given = true;
    repair->gathering = false;
    INVARIANT(repair->job->job.entries_count ==
              (size_t)(repair->end - repair->first));
    replica_job_give(replica, repair->job);
}

static bool repair_take(struct replica_repair *repair, struct slice bytes)
{
    struct journal_entry *out;
    struct entry entry;
    uint8_t *copy;

    if (repair->next == repair->end || entry_decode(&entry, bytes) != ST_OK ||
        entry.place.index != repair->next)
        return false;
    out = &repair->job->entries[repair->next - repair->first];
    copy = replica_bytes(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    out->bytes = slice_of(copy, bytes.size);
    repair->job->job.entries_count++;
    entry_leaf_hash(out->leaf, bytes);
    repair->size += bytes.size;
    repair->next++;
    return true;
}

void replica_on_fetched(struct replica *replica, size_t at,
                        const struct peer_frame *frame)
{
    struct replica_repair *repair = &replica->repair;
    struct slice rest = frame->entries;
    struct slice entry;

    if (replica->role == REPLICA_RECOVERING)
        replica_adopt_fetched(replica, at, frame);
    replica_keys_forget(&replica->peers[at]);
    if (!repair->gathering || at != repair->peer ||
        frame->fetched.token != repair->token)
        return;
    if (frame->fetched.result != PEER_FETCH_ENTRIES ||
        frame->fetched.first != repair->next) {
        repair_failed(replica);
        return;
    }
    while (peer_next_entry(&entry, &rest)) {
        if (!repair_take(repair, entry)) {
            repair_failed(replica);
            return;
        }
    }
    if (repair->next == repair->end)
        repair_give(replica);
    else if (frame->entries.size == 0)
        repair_failed(replica);
    else
        repair_ask(replica);
}

/* Whoever applies this log goes on, if it is whole again. */
static void repair_tell(struct replica *replica)
{
    if (replica_has_holes(replica))
        return;
    if (replica->log.published > 0)
        replica_act(replica, REPLICA_COMMIT)->size = replica->log.published;
}

void replica_repair_done(struct replica *replica, const struct replica_job *job)
{
    enum status status = job->job.status;

    switch (job->job.type) {
    case STORAGE_EXAMINE:
        replica->repair.examined--;
        if (status == ST_LOST && !MUTANT(88)) {
            SOMETIMES(damage_beyond_judging);
            replica_lose(replica);
        }
        repair_tell(replica);
        break;
    case STORAGE_REPAIR:
        replica->repair.job = NULL; /* Freed by whoever calls. */
        if (status == ST_OK) {
            SOMETIMES(repaired);
            replica_log_read_epochs(&replica->log);
            repair_forget(replica);
            replica->repair.failures = 0;
            replica->repair.asked_ms = 0;
            replica_say(replica, NOTE_REPAIRED, NULL, job->job.size);
            repair_tell(replica);
        } else {
            repair_failed(replica);
        }
        break;
    default:
        /* Something more was lost meanwhile. */
        if (!replica->finding)
            break;
        replica->finding = false;
        if (status != ST_OK)
            break;
        replica_found_again(replica);
        replica->lost = false;
        replica->lost_to = 0;
        replica_say(replica, NOTE_FOUND, NULL, replica->log.durable.size);
        replica_settle_role(replica);
        repair_tell(replica);
        break;
    }
}
