#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/need.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* Entries that one repair takes: a segment is filled from its end in pieces. */
enum { REPAIR_ENTRIES_MAX = 4096 };

/* ---- Holes -------------------------------------------------------------- */

bool replica_has_holes(const struct replica *replica)
{
    struct journal_gap gap;

    return replica->repair.examined > 0 ||
           journal_hole_at(replica->log.journal, &gap, 0) == ST_OK;
}

static bool damage_is_known(const struct replica *replica, uint64_t index)
{
    struct journal_gap gap;

    for (size_t i = 0; journal_hole_at(replica->log.journal, &gap, i) == ST_OK;
         i++) {
        if (index >= gap.first && index - gap.first < gap.count)
            return true;
    }
    return false;
}

void replica_damaged(struct replica *replica, uint64_t index)
{
    struct replica_job *job;

    /* One look at a time; what else is damaged is met again. */
    if (replica->repair.examined > 0 || index >= replica->log.durable.size)
        return;
    if (!damage_is_known(replica, index))
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

bool replica_next_peer(const struct replica *replica, size_t *peer)
{
    for (size_t i = 1; i <= replica->peers_count; i++) {
        size_t at = (*peer + i) % replica->peers_count;

        if (replica->peers[at].greeted) {
            *peer = at;
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
        !replica_next_peer(replica, &repair->peer))
        return;
    repair->gathering = true;
    repair->job = replica_job_new(replica, STORAGE_REPAIR);
    repair->job->job.size = repair->first;
    repair->job->entries = calloc((size_t)(repair->end - repair->first),
                                  sizeof *repair->job->entries);
    NEED(repair->job->entries != NULL);
    repair->job->job.entries = repair->job->entries;
    repair_ask(replica);
}

bool replica_hears_primary(const struct replica *replica)
{
    return replica->primary_peer != SIZE_MAX &&
           replica->peers[replica->primary_peer].greeted &&
           !replica_elapsed(replica, replica->heard_ms,
                            replica->options.timers.remove_ms);
}

/* Cut off; what is committed of it comes again with the stream.  Who was lost
 * already may be about to be admitted for what it acknowledged: not with this
 * start. */
static void repair_gives_up_following(struct replica *replica, uint64_t first)
{
    bool lost = replica->lost && !replica->finding;

    if (first >= replica->log.end.size)
        return;
    SOMETIMES(followed_tail_beyond_repair);
    replica_lose(replica);
    if (lost) {
        /* What the mark says is missing may be of a history that is left. */
        replica_set_lost(replica);
        replica_rise(replica, replica->incarnation);
    }
    replica_cut(replica, first);
}

bool replica_must_cut(const struct replica *replica, uint64_t *first_out)
{
    struct journal_gap gap;

    if (journal_hole_at(replica->log.journal, &gap, 0) != ST_OK)
        return false;
    *first_out = gap.first;
    return gap.first + gap.count > replica->log.committed ||
           replica->repair.misfit;
}

/*
 * Nobody has what is missing behind the commit: it was perhaps never more than
 * a tail of ours.  A follower cuts it off and is lost until a later commit
 * covers it; a primary takes a new term, and what a member sealed instead (R21,
 * R23).  Below the commit a member has it.
 */
static void repair_failed(struct replica *replica)
{
    struct replica_repair *repair = &replica->repair;
    uint64_t first;

    SOMETIMES(repair_asks_next);
    repair_forget(replica);
    repair->failures++;
    if (repair->failures <= replica->peers_count || MUTANT(22) ||
        !replica_must_cut(replica, &first))
        return;
    repair->failures = 0;
    if (replica->role == REPLICA_CANDIDATE) {
        SOMETIMES(tail_beyond_repair);
        replica->adopting = true;
        replica_set_role(replica, REPLICA_RECOVERING);
    } else if (replica_leads(replica)) {
        SOMETIMES(leading_tail_beyond_repair);
        replica_step_down(replica);
    } else if (replica_won(replica)) {
        /* It takes over a log; with a later start nobody counts on that. */
        if (!replica->adopting)
            replica_lose(replica);
    } else if (replica_hears_primary(replica)) {
        repair_gives_up_following(replica, first);
    } else if (replica->configured && replica->config.members_count > 1) {
        /* Nobody leads.  If this node is named, a member's log is taken. */
        SOMETIMES(hopeless_tail);
        replica->hopeless = true;
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
    uint64_t from;

    if (replica->options.timers.scrub_ms == 0 ||
        !replica_elapsed(replica, replica->scrub_ms,
                         replica->options.timers.scrub_ms))
        return;
    replica->scrub_ms = replica->now_ms;
    if (MUTANT(87))
        return;
    from = replica->scrub.next;
    status = journal_scrub_next(replica->log.journal, &replica->scrub,
                                replica->log.buffer);
    if (MUTANT(27) && status == ST_OK) {
        replica->scrub.next += replica->scrub.next - from;
        replica->scrub.leaf_known = false;
    }
    if (status == ST_CHECKSUM)
        replica_damaged(replica, replica->scrub.bad);
    else if (status == ST_END)
        replica_compare(replica, replica->log.durable.size);
}

void replica_repair_tend(struct replica *replica)
{
    struct journal_gap gap;

    if (!replica_has_holes(replica)) {
        replica->hopeless = false;
        replica->repair.misfit = false;
    }
    /* Who is not registered asks nobody (R25). */
    if (replica->registered && !repair_waits(replica) &&
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
    else if (replica_refill_fetched(replica, at, frame))
        return;
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

void replica_repair_tell(struct replica *replica)
{
    /* A lost one may have cut what it published. */
    if (replica_has_holes(replica) || replica->log.published == 0 ||
        replica->log.published > replica->log.durable.size)
        return;
    replica_act(replica, REPLICA_COMMIT)->size = replica->log.published;
}

void replica_examined(struct replica *replica, const struct replica_job *job)
{
    uint64_t index = job->job.size;

    replica->repair.examined--;
    if (job->job.status == ST_LOST && !MUTANT(88)) {
        SOMETIMES(damage_beyond_judging);
        replica_lose(replica);
        /* Nothing can be put back there; a primary brings it all again. */
        if (replica_hears_primary(replica))
            repair_gives_up_following(replica, index);
    }
    replica_repair_tell(replica);
}

void replica_repaired(struct replica *replica, const struct replica_job *job)
{
    struct replica_repair *repair = &replica->repair;

    repair->job = NULL; /* Freed by whoever calls. */
    switch (job->job.status) {
    case ST_OK:
        SOMETIMES(repaired);
        replica_log_read_epochs(&replica->log);
        repair_forget(replica);
        repair->failures = 0;
        repair->asked_ms = 0;
        replica_say(replica, NOTE_REPAIRED, NULL, job->job.size);
        replica_repair_tell(replica);
        break;
    case ST_LOST:
        SOMETIMES(repair_does_not_fit);
        repair->misfit = true;
        repair->failures = (unsigned)replica->peers_count;
        repair_failed(replica);
        break;
    default:
        repair_failed(replica);
        break;
    }
}
