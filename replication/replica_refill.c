#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/*
 * A node that lost the end of its log and hears no primary (case C3) asks the
 * others itself: it may be the one that everybody waits for.  Its mark has the
 * hash of the last entry that it acknowledged; until that is reached nothing
 * counts, and where other entries come out they are cut off again.
 */

static bool refill_may(const struct replica *replica)
{
    return replica->lost && replica->lost_to != UINT64_MAX &&
           replica->registered && !replica_won(replica) &&
           replica->jobs_count == 0 && replica->cut_again == UINT64_MAX &&
           !replica_has_holes(replica) &&
           replica->log.end.size < replica->lost_to &&
           !replica_hears_primary(replica);
}

static void refill_ask(struct replica *replica)
{
    struct replica_refill *refill = &replica->refill;
    struct peer_frame frame = {.type = PEER_FETCH};
    uint64_t left = replica->lost_to - replica->log.end.size;

    refill->token = ++replica->token;
    refill->asked_ms = replica->now_ms;
    frame.fetch.token = refill->token;
    frame.fetch.first = replica->log.end.size;
    frame.fetch.count = (uint32_t)(left > REPLICA_APPEND_ENTRIES_MAX
                                       ? REPLICA_APPEND_ENTRIES_MAX
                                       : left);
    replica_send(replica, refill->peer, &frame);
}

void replica_refill_tend(struct replica *replica)
{
    struct replica_refill *refill = &replica->refill;

    if (!refill_may(replica))
        return;
    /* One that does not answer, or has nothing, is not asked again at once. */
    if (refill->token != 0) {
        if (!replica_elapsed(replica, refill->asked_ms,
                             replica->options.timers.retry_ms))
            return;
        refill->token = 0;
    }
    if (!refill->gives && !replica_next_peer(replica, &refill->peer))
        return;
    if (!refill->filling) {
        refill->filling = true;
        refill->from = replica->log.end.size;
    }
    refill->gives = false;
    refill_ask(replica);
}

bool replica_refill_fetched(struct replica *replica, size_t at,
                            const struct peer_frame *frame)
{
    struct replica_refill *refill = &replica->refill;

    if (refill->token == 0 || at != refill->peer ||
        frame->fetched.token != refill->token)
        return false;
    if (!refill_may(replica) || frame->entries.size == 0 ||
        frame->fetched.result != PEER_FETCH_ENTRIES ||
        frame->fetched.first != replica->log.end.size)
        return true;
    SOMETIMES(refilled_without_primary);
    refill->token = 0;
    refill->gives = true;
    replica_follow_fetched(replica, at, REPLICA_EPOCH_MAX, frame->entries);
    return true;
}

void replica_refill_done(struct replica *replica, enum status status)
{
    struct replica_refill *refill = &replica->refill;

    if (!refill->filling)
        return;
    refill->filling = false;
    refill->gives = false;
    if (status != ST_CHAIN_BROKEN || refill->from >= replica->log.end.size ||
        refill->from < replica->log.committed)
        return;
    SOMETIMES(refilled_with_others);
    replica_cut(replica, refill->from);
}
