#include <string.h>

#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* ---- Refusing and promising --------------------------------------------- */

void replica_refuse(struct replica *replica, size_t peer,
                    enum peer_refusal reason, uint32_t epoch, uint32_t stream)
{
    uint8_t bytes[REPLICA_EPOCHS_SIZE];
    struct peer_frame frame = {.type = PEER_REFUSED};
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    frame.refused.reason = (uint8_t)reason;
    frame.refused.epoch = epoch;
    frame.refused.stream = stream;
    frame.refused.promised = replica->promised;
    frame.refused.size = replica->log.end.size;
    frame.refused.committed = replica->log.committed;
    frame.refused.epochs = replica_log_epochs(&replica->log, &space);
    replica_send(replica, peer, &frame);
}

/* Nobody makes epochs jump so far that they are used up: not in one frame, and
 * not in many, for what peers say is not what is counted from. */
bool replica_epoch_fits(const struct replica *replica, uint32_t epoch)
{
    uint32_t known =
        replica->configured ? replica->config.epoch : replica->promised;

    return epoch <= known || (epoch <= REPLICA_EPOCH_MAX &&
                              epoch - known <= REPLICA_EPOCH_JUMP_MAX);
}

bool replica_fence(struct replica *replica, size_t peer, uint32_t epoch,
                   uint32_t stream)
{
    /* Who asks more of the disk than a window of frames is not waited for. */
    if (!replica_epoch_fits(replica, epoch) ||
        replica->jobs_count >= REPLICA_JOBS_MAX) {
        replica_break(replica, peer, ST_LIMIT);
        return false;
    }
    if (epoch > replica->seen_epoch)
        replica->seen_epoch = epoch;
    if (epoch < replica->promised && !MUTANT(4)) {
        SOMETIMES(lower_epoch_refused);
        replica_refuse(replica, peer, PEER_REFUSED_HIGHER, epoch, stream);
        return false;
    }
    if (epoch > replica->promised) {
        if (replica_won(replica)) {
            SOMETIMES(higher_epoch_ends_term);
            replica_step_down(replica);
        }
        replica_promise(replica, epoch);
    } else if (replica_won(replica) && epoch == replica->epoch) {
        /* An epoch has one primary, and that is this node. */
        replica_break(replica, peer, ST_WRONG_STATE);
        return false;
    }
    return true;
}

/* ---- NEWEPOCH ----------------------------------------------------------- */

void replica_seal(struct replica *replica, size_t peer, uint32_t epoch)
{
    uint8_t bytes[REPLICA_EPOCHS_SIZE];
    struct peer_frame frame = {.type = PEER_SEALED};
    const struct replica_log *log = &replica->log;
    struct writer space;

    if ((replica->lost && !MUTANT(28)) || replica_has_holes(replica)) {
        SOMETIMES(seal_refused);
        replica_refuse(replica, peer,
                       replica->lost ? PEER_REFUSED_LOST : PEER_REFUSED_DAMAGED,
                       epoch, 0);
        return;
    }
    writer_init(&space, bytes, sizeof bytes);
    frame.sealed.epoch = epoch;
    frame.sealed.size = log->end.size;
    memcpy(frame.sealed.leaf.b, log->end.leaf, HASH_SIZE);
    frame.sealed.committed = log->committed;
    frame.sealed.epochs = replica_log_epochs(log, &space);
    replica_send(replica, peer, &frame);
}

void replica_on_newepoch(struct replica *replica, size_t peer, uint32_t epoch)
{
    if (!MUTANT(11) && !replica_fence(replica, peer, epoch, 0))
        return;
    SOMETIMES(sealed);
    if (replica_is_named(replica, peer, epoch))
        replica->heard_ms = replica->now_ms;
    /* What was acknowledged below the epoch is part of what is sealed. */
    replica_owe(replica, &(struct replica_owed){
                             .type = OWED_SEALED,
                             .job = MUTANT(55) ? 0 : replica->job_number,
                             .peer = peer,
                             .epoch = epoch});
}
