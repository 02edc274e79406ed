/*
 * sim_checks.c: invariants that are looked at in one place each.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"
#include "tests/sim/sim_full.h"

/* ---- I9, I10: what is committed is durable on every member -------------- */

static bool check_has(struct sim_node *node, uint64_t index,
                      const uint8_t leaf[HASH_SIZE])
{
    uint8_t buffer[JOURNAL_READ_SIZE], own[HASH_SIZE];
    struct slice entry;

    if (journal_size(node->journal) <= index)
        return false;
    /* Rot is another matter: the atlas keeps a good copy. */
    if (journal_read_entry(node->journal, &entry, buffer, index) != ST_OK)
        return true;
    entry_leaf_hash(own, entry);
    if (memcmp(own, leaf, HASH_SIZE) != 0)
        return false;
    return node->full != NULL ? sim_full_has_keys(node, entry)
                              : sim_key_known(node, sim_entry_op(entry));
}

/* One that is down is judged when it leads. */
void sim_check_durable(struct sim *sim, struct sim_node *node, uint64_t index,
                       const uint8_t leaf[HASH_SIZE])
{
    struct config config;

    if (!sim_register_config(sim, &config))
        return;
    /* What an earlier primary hears late was agreed on in its own term. */
    if (config.members_count < config.minimum &&
        memcmp(config.primary, node->id, NODE_ID_SIZE) == 0)
        sim_fail(sim, SIM_WRONG, "I9: %u commits with %u members", node->number,
                 (unsigned)config.members_count);
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *other = &sim->nodes[i];

        if (!config_has_member(&config, other->id) || !other->up ||
            other->journal == NULL || other->lying ||
            journal_lost(other->journal).kind != MARK_WHOLE)
            continue;
        if (!check_has(other, index, leaf))
            sim_fail(sim, SIM_WRONG, "I9: %u commits %u, %u does not have it",
                     node->number, (unsigned)index, i);
    }
}

/* ---- I13: nothing is shipped that nobody made --------------------------- */

static size_t made_slot(const struct sim *sim, uint64_t leaf)
{
    size_t at = (size_t)leaf & (SIM_MADE_MAX - 1);

    while (sim->made[at] != 0 && sim->made[at] != leaf)
        at = (at + 1) & (SIM_MADE_MAX - 1);
    return at;
}

void sim_saw_made(struct sim *sim, const uint8_t leaf[HASH_SIZE])
{
    INVARIANT(sim->made_count++ < SIM_MADE_MAX / 2);
    sim->made[made_slot(sim, load_u64(leaf))] = load_u64(leaf);
}

void sim_check_shipped(struct sim *sim, uint32_t from, uint8_t type,
                       struct slice body)
{
    struct peer_frame frame;
    struct slice rest, entry;
    uint8_t leaf[HASH_SIZE];

    if ((type != PEER_APPEND && type != PEER_FETCHED) ||
        peer_decode(&frame, type, body) != ST_OK)
        return;
    rest = frame.entries;
    while (peer_next_entry(&entry, &rest)) {
        entry_leaf_hash(leaf, entry);
        if (sim->made[made_slot(sim, load_u64(leaf))] == 0)
            sim_fail(sim, SIM_WRONG, "I13: %u ships what nobody made", from);
    }
}

/* ---- I14: a state is what its log says ---------------------------------- */

void sim_check_state(struct sim *sim, struct sim_node *one,
                     struct sim_node *other)
{
    if (one->state.applied == other->state.applied &&
        memcmp(one->state.digest, other->state.digest, HASH_SIZE) != 0)
        sim_fail(sim, SIM_WRONG, "I14: %u and %u applied other entries",
                 one->number, other->number);
}

/* ---- I15: sealed segments of two nodes are the same bytes --------------- */

void sim_check_segments(struct sim *sim, struct sim_node *one,
                        struct sim_node *other)
{
    uint64_t index = 0;

    for (;;) {
        uint8_t digests[2][HASH_SIZE];
        uint64_t ends[2];
        enum status first =
            journal_segment_digest(one->journal, digests[0], &ends[0], index);
        enum status second =
            journal_segment_digest(other->journal, digests[1], &ends[1], index);

        if (first != ST_OK || second != ST_OK)
            return;
        SOMETIMES(segments_compared);
        if (ends[0] != ends[1] ||
            memcmp(digests[0], digests[1], HASH_SIZE) != 0) {
            sim_fail(sim, SIM_WRONG,
                     "I15: %u and %u differ in the segment of entry %u",
                     one->number, other->number, (unsigned)index);
            return;
        }
        index = ends[0];
    }
}

/* ---- Evidence: what is cut off is kept ---------------------------------- */

void sim_check_aside(struct sim *sim, struct sim_node *node,
                     const struct storage_job *job, uint64_t size_before)
{
    const uint8_t *data;
    size_t size;

    if (job->type != STORAGE_CUT || job->status != ST_OK ||
        size_before <= job->size)
        return;
    SOMETIMES(tail_kept_aside);
    /* What went elsewhere is not there to be kept. */
    if (job->unkept || node->doubtful)
        return;
    if (job->aside[0] == '\0' ||
        !disk_model_peek(node->disk, job->aside, &data, &size) || size == 0)
        sim_fail(sim, SIM_WRONG, "%u cuts %u entries off and keeps none",
                 node->number, (unsigned)(size_before - job->size));
}

/* ---- I18: memory and queues come to rest -------------------------------- */

void sim_check_bounds(struct sim *sim, struct sim_node *node)
{
    const struct replica *replica = node->replica;

    if (replica->log.recent_size >
            REPLICA_RECENT_SIZE_MAX + 2 * REPLICA_WINDOW_SIZE ||
        replica->jobs_count > 8 || replica->owed_count > REPLICA_OWED_MAX / 2)
        sim_fail(sim, SIM_WRONG, "I18: %u holds %u bytes, %u jobs, %u answers",
                 node->number, (unsigned)replica->log.recent_size,
                 (unsigned)replica->jobs_count, (unsigned)replica->owed_count);
}

/* ---- I16: nobody notices that the register is away ---------------------- */

void sim_judge_away(struct sim *sim)
{
    if ((sim->options.kinds & KIND_AWAY) == 0)
        return;
    SOMETIMES(register_away_all_the_time);
    if (sim->counts[COUNT_UNKNOWN] > sim->away_unknown)
        sim_fail(sim, SIM_WRONG, "I16: operations fail without the register");
    /* In a moment nothing need be done. */
    if (sim->now - sim->away_at > 400000 &&
        sim->counts[COUNT_ACKED] <= sim->away_acked &&
        sim->ops_count < sim->options.ops_max)
        sim_fail(sim, SIM_WRONG, "I16: nothing is done without the register");
}
