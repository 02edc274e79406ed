#include <string.h>

#include <sodium.h>

#include "protocol/statement.h"
#include "replication/replica_parts.h"

/* ---- Figures ------------------------------------------------------------ */

static void status_self(const struct replica *replica,
                        struct replica_member_status *out)
{
    memcpy(out->node_id, replica->options.node_id, NODE_ID_SIZE);
    out->archive = replica->options.archive;
    out->linked = true;
    out->lost = replica->lost;
    out->matched = replica->log.durable.size;
}

static void status_peer(const struct replica *replica,
                        struct replica_member_status *out, size_t at,
                        int64_t now_ms)
{
    const struct replica_peer *peer = &replica->peers[at];

    memcpy(out->node_id, peer->node_id, NODE_ID_SIZE);
    out->archive = peer->archive;
    out->linked = peer->linked && peer->greeted;
    out->lost = (peer->flags & PEER_LOST) != 0;
    out->matched = replica_leads(replica) ? peer->matched : peer->size;
    out->heard_ms = peer->heard_ms == 0 ? -1 : now_ms - peer->heard_ms;
    out->clock_us =
        peer->clock_us - (replica->wall_us - replica->now_ms * 1000);
}

static void status_lists(const struct replica *replica,
                         struct replica_member_status *out)
{
    if (!replica->configured)
        return;
    out->member = config_has_member(&replica->config, out->node_id);
    out->learner = config_has_learner(&replica->config, out->node_id);
    out->eligible = config_is_eligible(&replica->config, out->node_id);
}

static bool status_healthy(const struct replica *replica)
{
    return replica->halt == HALT_NONE && replica->registered &&
           !replica->lost &&
           (replica_leads(replica) || !replica_has_holes(replica));
}

static uint64_t status_proposals(const struct replica *replica)
{
    uint64_t count = 0;

    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++)
        count += replica->proposals[i].open;
    return count;
}

static void status_primary(const struct replica *replica,
                           struct replica_status *out)
{
    if (replica_leads(replica))
        memcpy(out->primary, replica->options.node_id, NODE_ID_SIZE);
    else if (replica->primary_peer != SIZE_MAX)
        memcpy(out->primary, replica->peers[replica->primary_peer].node_id,
               NODE_ID_SIZE);
    else if (replica->configured)
        memcpy(out->primary, replica->config.primary, NODE_ID_SIZE);
}

/* Of a proposal, for so long that somebody should look at the register. */
static bool status_fate_is_unknown(const struct replica *replica)
{
    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++) {
        if (replica->proposals[i].open && replica->proposals[i].unknown)
            return replica_leads(replica) &&
                   replica->log.committed < replica->log.durable.size;
    }
    return false;
}

void replica_status(const struct replica *replica, struct replica_status *out,
                    int64_t now_ms)
{
    memset(out, 0, sizeof *out);
    out->role = replica->role;
    out->halt = replica->halt;
    out->healthy = status_healthy(replica);
    out->stalled = replica->stalled || status_fate_is_unknown(replica);
    out->draining = replica->draining;
    out->epoch = replica_won(replica) ? replica->epoch : replica->primary_epoch;
    out->promised = replica->promised;
    if (replica->configured) {
        out->config_number = replica->config.number;
        out->minimum = replica->config.minimum;
    }
    status_primary(replica, out);
    out->size = replica->log.durable.size;
    out->committed = replica->log.committed;
    out->lost_to = replica->lost_to;
    out->proposals = status_proposals(replica);
    out->disputes = replica->disputes;
    out->unkept = replica->unkept;
    status_self(replica, &out->nodes[0]);
    status_lists(replica, &out->nodes[0]);
    for (size_t i = 0; i < replica->peers_count; i++) {
        status_peer(replica, &out->nodes[i + 1], i, now_ms);
        status_lists(replica, &out->nodes[i + 1]);
    }
    out->nodes_count = replica->peers_count + 1;
}

bool replica_config(const struct replica *replica, struct config *out,
                    struct slice *bytes_out)
{
    if (!replica->configured)
        return false;
    *out = replica->config;
    *bytes_out = slice_of(replica->config_bytes, replica->config_size);
    return true;
}

struct slice replica_certificate(const struct replica *replica)
{
    return slice_of(replica->certificate, replica->certificate_size);
}

/* ---- Statements --------------------------------------------------------- */

static void state_about(const struct replica *replica, struct statement *out,
                        size_t at)
{
    const struct replica_peer *peer = &replica->peers[at];

    memcpy(out->other, peer->node_id, NODE_ID_SIZE);
    out->other_incarnation = peer->incarnation;
    out->other_matched = peer->matched;
}

/* What a lost node knew to be committed it still knows. */
static uint64_t state_committed(const struct replica *replica)
{
    struct mark_lost lost = journal_lost(replica->log.journal);

    return replica->lost && lost.committed > replica->log.committed
               ? lost.committed
               : replica->log.committed;
}

enum status replica_state(struct replica *replica, struct statement *out,
                          enum config_why why, const uint8_t *node_id,
                          int64_t now_ms)
{
    bool about = node_id != NULL && !sodium_is_zero(node_id, NODE_ID_SIZE);
    size_t at = about ? replica_peer_of(replica, node_id) : SIZE_MAX;

    (void)now_ms;
    memset(out, 0, sizeof *out);
    out->flags =
        (uint16_t)((replica->lost ? STATEMENT_LOST : 0) |
                   (replica_has_holes(replica) ? STATEMENT_DAMAGED : 0) |
                   (replica_leads(replica) ? STATEMENT_PRIMARY : 0));
    if (replica->draining && replica->drained &&
        replica->log.committed == replica->log.end.size)
        out->flags |= STATEMENT_SEALED;
    out->epoch = replica->epoch;
    out->incarnation = replica->incarnation;
    memcpy(out->cluster_id, replica->options.cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->lineage, replica->options.lineage, LINEAGE_SIZE);
    memcpy(out->node_id, replica->options.node_id, NODE_ID_SIZE);
    out->config_number = replica->configured ? replica->config.number : 0;
    /* A grant has to begin above what anybody names. */
    out->promised = replica->seen_epoch > replica->promised
                        ? replica->seen_epoch
                        : replica->promised;
    out->why = why;
    if (replica->configured)
        config_hash(out->config_hash,
                    slice_of(replica->config_bytes, replica->config_size));
    out->size = replica->log.durable.size;
    if (out->size > 0 &&
        replica_log_leaf(&replica->log, out->leaf, out->size - 1) != ST_OK)
        return ST_CHECKSUM;
    out->committed = state_committed(replica);
    out->time_us = replica->wall_us;
    if (at == SIZE_MAX)
        return !about || replica_is_self(replica, node_id) ? ST_OK : ST_NO_SUCH;
    state_about(replica, out, at);
    if (why == CONFIG_ADOPTED && replica_has_adopted(replica, at)) {
        out->other_matched = replica->peers[at].sealed_size;
        out->flags |= STATEMENT_ACK;
        return ST_OK;
    }
    if (!replica_leads(replica) || !replica_caught_up(replica, at))
        return ST_OK;
    if (!replica->options.automatic &&
        (why == CONFIG_ADD || why == CONFIG_REPLACE) &&
        (!replica->vouched[at] || replica->vouched_job > replica->job_done))
        return ST_OK;
    out->flags |= STATEMENT_ACK;
    return ST_OK;
}

/* ---- Invariants --------------------------------------------------------- */

static void check_log(const struct replica *replica)
{
    const struct replica_log *log = &replica->log;
    uint64_t next = log->recent_first;

    INVARIANT(log->committed <= log->end.size);
    INVARIANT(IMPLIES(!replica->lost, log->published <= log->committed));
    for (size_t i = 0; i < log->recent.count; i++) {
        const struct replica_batch *batch = replica_recent_at(&log->recent, i);

        INVARIANT(batch->in_log && batch->first == next);
        next += batch->count;
    }
    INVARIANT(next == log->end.size);
    for (size_t i = 1; i < log->epochs_count; i++) {
        INVARIANT(log->epochs[i - 1].epoch < log->epochs[i].epoch);
        INVARIANT(log->epochs[i - 1].first < log->epochs[i].first);
    }
}

static void check_leading(const struct replica *replica)
{
    if (!replica_leads(replica))
        return;
    /* I3: nobody leads without a configuration that names him. */
    INVARIANT(replica->configured);
    INVARIANT(replica_is_self(replica, replica->config.primary));
    INVARIANT(replica->config.phase == CONFIG_NORMAL);
    INVARIANT(replica->epoch >= replica->promised);
    INVARIANT(!replica->options.archive);
    INVARIANT(IMPLIES(replica->role == REPLICA_PRIMARY,
                      replica->log.committed > replica->barrier));
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        INVARIANT(peer->matched <= replica->log.end.size);
        INVARIANT(peer->sent_count <= REPLICA_WINDOW_FRAMES);
    }
}

/* I18 */
static void check_bounds(const struct replica *replica)
{
    INVARIANT(replica->owed_count <= REPLICA_OWED_MAX);
    for (size_t i = 0; i < replica->peers_count; i++)
        INVARIANT(replica->peers[i].queued_size <= REPLICA_QUEUE_SIZE_MAX);
}

void replica_check(const struct replica *replica)
{
    check_log(replica);
    check_leading(replica);
    INVARIANT(replica->used_epoch <= replica->promised);
    INVARIANT(
        IMPLIES(replica->halt != HALT_NONE, replica->role == REPLICA_HALTED));
    check_bounds(replica);
    INVARIANT(IMPLIES(replica->finding, replica->jobs_count > 0));
}
