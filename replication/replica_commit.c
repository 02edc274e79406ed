#include <string.h>

#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* ---- The maximal set (R3, R13, R15, R17) -------------------------------- */

bool replica_must_agree(const struct replica *replica, const uint8_t *node_id)
{
    size_t peer = replica_peer_of(replica, node_id);

    for (size_t i = 0; MUTANT(1) && i < REPLICA_PROPOSALS_MAX; i++) {
        if (replica->proposals[i].open &&
            !config_has_member(&replica->proposals[i].config, node_id))
            return false;
    }
    if (MUTANT(85) && peer != SIZE_MAX && replica->peers[peer].archive)
        return false;
    if (replica->configured && config_has_member(&replica->config, node_id))
        return true;
    if (peer != SIZE_MAX &&
        (replica->vouched[peer] || replica->peers[peer].joining))
        return true;
    for (size_t i = 0; i < REPLICA_PROPOSALS_MAX; i++) {
        if (replica->proposals[i].open && !MUTANT(7) &&
            !(MUTANT(17) && replica->proposals[i].unknown) &&
            config_has_member(&replica->proposals[i].config, node_id)) {
            SOMETIMES(joining_must_agree);
            return true;
        }
    }
    return false;
}

/* Whether ${config} has the peer with the start that is linked now. */
static bool commit_admits(const struct config *config,
                          const struct replica_peer *peer)
{
    const struct config_member *member = config_member(config, peer->node_id);

    return member != NULL && member->incarnation == peer->incarnation;
}

/*
 * What a member that lost entries has now counts once the configuration
 * admitted it anew: it may have lost a promise as well, and only what is won
 * shows that nobody else was promised (R21).  Of one that is to join it counts
 * at once: the members have to agree as well.  Of one that knows of damage in
 * its log nothing new counts.
 */
static uint64_t commit_counts(const struct replica *replica,
                              const struct replica_peer *peer)
{
    if ((peer->flags & PEER_LOST) != 0 &&
        config_has_member(&replica->config, peer->node_id) &&
        !commit_admits(&replica->config, peer) && !MUTANT(65))
        return 0;
    if ((peer->flags & PEER_DAMAGED) != 0 &&
        peer->matched > replica->log.committed)
        return replica->log.committed;
    return peer->matched;
}

/* What this node has itself, up to the first entry that it cannot read. */
static uint64_t commit_own(const struct replica *replica)
{
    struct journal_gap gap;
    uint64_t size = replica->log.durable.size;

    if (journal_hole_at(replica->log.journal, &gap, 0) == ST_OK &&
        gap.first < size)
        size = gap.first;
    return size;
}

/* Durable on all of them, as far as this node knows. */
static uint64_t commit_agreed(const struct replica *replica)
{
    const struct replica_log *log = &replica->log;
    uint64_t size = log->end.size;

    if (replica_must_agree(replica, replica->options.node_id) && !MUTANT(29) &&
        commit_own(replica) < size)
        size = commit_own(replica);
    for (size_t i = 0; i < replica->peers_count; i++) {
        const struct replica_peer *peer = &replica->peers[i];

        if (replica_must_agree(replica, peer->node_id) &&
            commit_counts(replica, peer) < size)
            size = commit_counts(replica, peer);
    }
    return size;
}

/* Members that nobody knows a way to: nothing can be agreed on without them. */
static bool commit_all_known(const struct replica *replica)
{
    for (size_t i = 0; i < replica->config.members_count; i++) {
        const uint8_t *node_id = replica->config.members[i].node_id;

        if (!replica_is_self(replica, node_id) &&
            replica_peer_of(replica, node_id) == SIZE_MAX)
            return false;
    }
    return true;
}

void replica_commit(struct replica *replica)
{
    uint64_t agreed;

    if (!replica_leads(replica) ||
        (replica->config.members_count < replica->config.minimum &&
         !MUTANT(33)) ||
        !commit_all_known(replica))
        return;
    agreed = commit_agreed(replica);
    /* The first advance of an epoch reaches its EPOCH (R22). */
    if (agreed <= replica->log.committed ||
        (agreed <= replica->barrier && !MUTANT(18)))
        return;
    replica->log.committed = agreed;
    if (replica->role == REPLICA_BARRIER) {
        replica_set_role(replica, REPLICA_PRIMARY);
        replica_beacons(replica, true);
    }
    replica_publish(replica);
    /* An archive waits for what is committed. */
    replica_ship_all(replica);
}

/* ---- Following ---------------------------------------------------------- */

void replica_learn_commit(struct replica *replica, uint64_t committed)
{
    struct replica_log *log = &replica->log;

    REQUIRE(committed <= log->end.size);
    if (committed > log->told)
        log->told = committed;
    /* What is not durable here may yet not be taken. */
    committed = log->told < log->durable.size ? log->told : log->durable.size;
    if (log->told > log->durable.size)
        SOMETIMES(commit_before_durable);
    if (committed <= log->committed)
        return;
    log->committed = committed;
    replica_publish(replica);
}

void replica_publish(struct replica *replica)
{
    struct replica_log *log = &replica->log;
    uint64_t size =
        log->committed < log->durable.size ? log->committed : log->durable.size;

    if (MUTANT(83))
        size = log->committed;
    if (size <= log->published)
        return;
    log->published = size;
    replica_act(replica, REPLICA_COMMIT)->size = size;
}
