/*
 * sim_atlas.c: which node's disk may be damaged, so that what was acknowledged
 * stays whole somewhere (the fault atlas).
 */
#include <string.h>

#include "tests/sim/sim.h"

/* A node whose disk is beyond doubt. */
static bool atlas_good(struct sim *sim, struct sim_node *node)
{
    struct replica_status status;

    if (!node->up || node->damaged)
        return false;
    replica_status(node->replica, &status, sim->now / 1000 + 1);
    return status.lost_to == 0 && status.healthy;
}

/* Whether ${node} is a good copy of everything, and one that counts. */
bool sim_atlas_holds(struct sim *sim, struct sim_node *node)
{
    struct config config;

    return sim_register_config(sim, &config) &&
           config_has_member(&config, node->id) && atlas_good(sim, node) &&
           journal_size(node->journal) >= sim->committed_count;
}

/* Whether another member has a good copy of all that was acknowledged. */
bool sim_atlas_allows(struct sim *sim, const struct sim_node *victim)
{
    uint32_t members = 0;

    if ((sim->options.kinds & KIND_SAFETY_ONLY) != 0)
        return true;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];

        if (node == victim)
            continue;
        if (node->damaged)
            return false;
        members += sim_atlas_holds(sim, node);
    }
    return members > 0;
}

/* A damaged node counts as whole again once all of it can be read. */
void sim_atlas_review(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];
        struct replica_status status;
        struct journal_scrub scrub = {0};
        uint8_t buffer[JOURNAL_READ_SIZE];
        enum status read = ST_OK;

        if (!node->damaged || node->doubtful || !node->up)
            continue;
        replica_status(node->replica, &status, sim->now / 1000 + 1);
        while (read == ST_OK)
            read = journal_scrub_next(node->journal, &scrub, buffer);
        if (status.healthy && status.lost_to == 0 && read == ST_END &&
            journal_size(node->journal) >= sim->committed_count)
            node->damaged = false;
    }
}
