#include <string.h>

#include "protocol/entry.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/*
 * A node that lost the end of its log and hears no primary (case C3) asks the
 * others itself: it may be the one that everybody waits for.  Its mark has the
 * hash of the last entry that it acknowledged.  Nothing is taken before the
 * entries lead there, all of them and no more: so they have to come in one
 * answer.  Where more is missing, a primary brings it.
 */

static bool refill_may(const struct replica *replica)
{
    return replica->lost && replica->lost_to != UINT64_MAX &&
           replica->registered && !replica_won(replica) &&
           replica->jobs_count == 0 && replica->cut_again == UINT64_MAX &&
           !replica_has_holes(replica) &&
           replica->log.end.size < replica->lost_to &&
           replica->lost_to - replica->log.end.size <=
               REPLICA_APPEND_ENTRIES_MAX &&
           !replica_hears_primary(replica);
}

void replica_refill_tend(struct replica *replica)
{
    struct replica_refill *refill = &replica->refill;
    struct peer_frame frame = {.type = PEER_FETCH};

    if (!refill_may(replica) ||
        (refill->token != 0 &&
         !replica_elapsed(replica, refill->asked_ms,
                          replica->options.timers.retry_ms)) ||
        !replica_next_peer(replica, &refill->peer))
        return;
    refill->token = ++replica->token;
    refill->asked_ms = replica->now_ms;
    frame.fetch.token = refill->token;
    frame.fetch.first = replica->log.end.size;
    frame.fetch.count = (uint32_t)(replica->lost_to - replica->log.end.size);
    replica_send(replica, refill->peer, &frame);
}

/* Whether ${entries} are what is missing, to the last. */
static bool refill_leads_to_mark(const struct replica *replica,
                                 struct slice entries)
{
    struct mark_lost lost = journal_lost(replica->log.journal);
    uint64_t index = replica->log.end.size;
    uint8_t leaf[HASH_SIZE];
    struct slice bytes;
    struct entry entry;

    if (lost.kind != MARK_LOST || lost.size != replica->lost_to)
        return false;
    memcpy(leaf, replica->log.end.leaf, HASH_SIZE);
    while (index < lost.size && peer_next_entry(&bytes, &entries)) {
        if (entry_decode(&entry, bytes) != ST_OK ||
            entry.place.index != index ||
            entry.place.epoch > replica->promised ||
            memcmp(entry.place.previous, leaf, HASH_SIZE) != 0)
            return false;
        entry_leaf_hash(leaf, bytes);
        index++;
    }
    return index == lost.size && entries.size == 0 &&
           memcmp(leaf, lost.leaf, HASH_SIZE) == 0;
}

bool replica_refill_fetched(struct replica *replica, size_t at,
                            const struct peer_frame *frame)
{
    struct replica_refill *refill = &replica->refill;

    if (refill->token == 0 || at != refill->peer ||
        frame->fetched.token != refill->token)
        return false;
    if (!refill_may(replica) || frame->fetched.result != PEER_FETCH_ENTRIES ||
        frame->fetched.first != replica->log.end.size)
        return true;
    if (!refill_leads_to_mark(replica, frame->entries)) {
        SOMETIMES(refilled_with_others);
        return true; /* The next one is asked. */
    }
    SOMETIMES(refilled_without_primary);
    refill->token = 0;
    replica_follow_fetched(replica, at, replica->promised, frame->entries);
    return true;
}
