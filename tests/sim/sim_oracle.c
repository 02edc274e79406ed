#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_full.h"

/* What is known to be committed, whoever knew it first. */
void sim_saw_commit(struct sim *sim, struct sim_node *node, uint64_t index,
                    const uint8_t leaf[HASH_SIZE])
{
    if (index < sim->committed_count) {
        if (memcmp(sim->committed[index], leaf, HASH_SIZE) != 0)
            sim_fail(sim, SIM_WRONG, "I7: %u commits another entry %u",
                     node->number, (unsigned)index);
        return;
    }
    if (index > sim->committed_count) {
        sim_fail(sim, SIM_WRONG, "I8: %u commits %u behind %u", node->number,
                 (unsigned)index, (unsigned)sim->committed_count);
        return;
    }
    sim_check_durable(sim, node, index, leaf);
    if (sim->committed_count == sim->committed_capacity) {
        sim->committed_capacity = sim->committed_capacity * 2 + 256;
        sim->committed = realloc(sim->committed, sim->committed_capacity *
                                                     sizeof *sim->committed);
        INVARIANT(sim->committed != NULL);
    }
    memcpy(sim->committed[sim->committed_count++], leaf, HASH_SIZE);
    sim_mix(sim, load_u64(leaf));
}

static bool oracle_has(struct sim *sim, struct sim_node *node, uint64_t index,
                       const uint8_t leaf[HASH_SIZE])
{
    uint8_t buffer[JOURNAL_READ_SIZE], own[HASH_SIZE];
    struct slice entry;

    (void)sim;
    if (journal_size(node->journal) <= index)
        return false;
    /* Rot is another matter: the atlas keeps a good copy. */
    if (journal_read_entry(node->journal, &entry, buffer, index) != ST_OK)
        return true;
    entry_leaf_hash(own, entry);
    return memcmp(own, leaf, HASH_SIZE) == 0;
}

/* I6: whoever the register names as it begins to lead has everything that was
 * ever committed.  A stale winner may lack some: nobody acknowledges it. */
void sim_saw_lead(struct sim *sim, struct sim_node *node)
{
    uint8_t buffer[JOURNAL_READ_SIZE];
    struct config config;

    if (!sim_register_config(sim, &config) || config.epoch > node->epoch ||
        memcmp(config.primary, node->id, NODE_ID_SIZE) != 0)
        return;
    for (uint64_t i = 0; i < sim->committed_count; i++) {
        uint8_t leaf[HASH_SIZE];
        enum status status = journal_leaf(node->journal, leaf, buffer, i);

        if (status == ST_CHECKSUM ||
            (status == ST_DISK_FAILED && node->damaged))
            continue;
        if (status != ST_OK ||
            memcmp(leaf, sim->committed[i], HASH_SIZE) != 0) {
            sim_fail(sim, SIM_WRONG, "I6: %u leads without entry %u of %u",
                     node->number, (unsigned)i, (unsigned)sim->committed_count);
            return;
        }
    }
}

/* I1, I2. */
void sim_saw_config(struct sim *sim, const struct config *newer,
                    const struct config *older, struct slice older_bytes)
{
    enum config_fault fault = config_judge(newer, older, older_bytes);

    if (fault != CONFIG_GOOD)
        sim_fail(sim, SIM_WRONG, "I2: number %u: %s", (unsigned)newer->number,
                 config_fault_text(fault));
    if (newer->why == CONFIG_PROMOTE_VIA)
        sim->counts[COUNT_VIA]++;
}

/* ---- The end ------------------------------------------------------------ */

static struct sim_node *end_primary(struct sim *sim)
{
    struct sim_node *found = NULL;

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct replica_status status;

        if (!sim->nodes[i].up)
            continue;
        replica_status(sim->nodes[i].replica, &status, sim->now / 1000 + 1);
        if (status.role == REPLICA_PRIMARY)
            found = &sim->nodes[i];
    }
    return found;
}

/* I12: what was answered has one place, and what was not has one or none. */
static void end_judge_ops(struct sim *sim, const struct sim_node *primary)
{
    for (uint32_t i = 0; i < sim->ops_count; i++) {
        const struct sim_op *op = &sim->ops[i];

        if (op->state == OP_DONE && primary->state.index_of[i] != op->index)
            sim_fail(sim, SIM_WRONG, "an answered operation %u is lost", i);
    }
    for (uint32_t i = 0; i < sim->ops_count; i++) {
        for (uint32_t j = 0; j < sim->ops_count && sim->ops_count < 600; j++) {
            const struct sim_op *a = &sim->ops[i], *b = &sim->ops[j];

            if (a->state == OP_DONE && b->state == OP_DONE &&
                a->returned < b->invoked && a->index >= b->index)
                sim_fail(sim, SIM_WRONG, "operation %u is before %u", j, i);
        }
    }
}

void sim_judge_end(struct sim *sim)
{
    struct sim_node *primary = end_primary(sim);

    /* Without the atlas it may stand still, and never be wrong. */
    if (primary == NULL && (sim->options.kinds & KIND_SAFETY_ONLY) != 0)
        return;
    if (primary == NULL) {
        sim_fail(sim, SIM_LIVENESS, "nobody leads");
        return;
    }
    end_judge_ops(sim, primary);
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (!sim->nodes[i].up || sim->nodes[i].journal == NULL)
            continue;
        sim_check_bounds(sim, &sim->nodes[i]);
        sim_check_state(sim, primary, &sim->nodes[i]);
        if (&sim->nodes[i] != primary)
            sim_check_segments(sim, primary, &sim->nodes[i]);
    }
    for (uint64_t i = 0; i < sim->committed_count; i++) {
        if (!oracle_has(sim, primary, i, sim->committed[i]))
            sim_fail(sim, SIM_WRONG, "I8: committed entry %u is lost",
                     (unsigned)i);
    }
    if (sim->full != NULL && sim->failure == SIM_GOOD)
        sim_full_judge(sim, primary);
    if (sim->options.canary)
        sim_fail(sim, SIM_WRONG, "the canary sings");
}

void sim_dump(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];
        struct replica_status status;

        if (!node->up) {
            sim_trace(sim, "%u is down", i);
            continue;
        }
        replica_status(node->replica, &status, sim->now / 1000 + 1);
        sim_trace(sim,
                  "%u %s: epoch %u promised %u config %u size %u committed %u "
                  "applied %u lost_to %d healthy %d stalled %d proposals %u "
                  "jobs %u",
                  i, replica_role_name(status.role), (unsigned)status.epoch,
                  (unsigned)status.promised, (unsigned)status.config_number,
                  (unsigned)status.size, (unsigned)status.committed,
                  (unsigned)node->state.applied, (int)status.lost_to,
                  status.healthy, status.stalled, (unsigned)status.proposals,
                  (unsigned)node->jobs_count);
        for (size_t j = 1; j < status.nodes_count; j++)
            sim_trace(sim, "    node %u: %s%s%s matched %u heard %d lost %d",
                      (unsigned)status.nodes[j].node_id[1],
                      status.nodes[j].member ? "member" : "learner",
                      status.nodes[j].linked ? " linked" : "",
                      status.nodes[j].archive ? " archive" : "",
                      (unsigned)status.nodes[j].matched,
                      (int)status.nodes[j].heard_ms, status.nodes[j].lost);
    }
}
