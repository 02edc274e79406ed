/*
 * sim_full_world.c: what full mode adds to the world, from its beginning to its
 * end.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_full_parts.h"
#include "tests/sim/sim_hash.h"

/* Streams of their own: nothing of a light seed is drawn from them. */
enum { STREAM_BYTES = 20, STREAM_LOAD, STREAM_TURNS, STREAM_FAULT };

int64_t sim_full_wall(const struct sim *sim, const struct sim_node *node)
{
    return FULL_TIME + sim->now + (node == NULL ? 0 : node->clock_us);
}

const uint8_t *sim_full_cluster(const struct sim *sim)
{
    return sim->full->cluster_id;
}

/* Entry 0, which every node has from its first start on. */
static void world_genesis(struct sim *sim, struct sim_full *full)
{
    struct op_system_genesis fields = {.environment = 2,
                                       .realms = 3,
                                       .origin = slice_of("sim.test", 8),
                                       .owner = slice_of("Owner", 5)};
    const struct identity *first = &full->nodes[0];
    struct genesis_random random = {.idem = {1}, .salt = {2}};
    uint8_t leaf[HASH_SIZE];
    enum status status;

    memcpy(fields.node_id.b, sim->nodes[0].id, NODE_ID_SIZE);
    memset(fields.node_channel_key.b, 9, PUBLIC_KEY_SIZE);
    memcpy(fields.node_receipt_key.b, first->public_key, PUBLIC_KEY_SIZE);
    memcpy(fields.log_key.b, first->public_key, PUBLIC_KEY_SIZE);
    memcpy(fields.operator_key.b, full->people[FULL_ADMIN].public_key,
           PUBLIC_KEY_SIZE);
    status = genesis_write(full->genesis, &full->genesis_size, &fields,
                           &full->authority, FULL_TIME, &random);
    INVARIANT(status == ST_OK);
    entry_leaf_hash(leaf, slice_of(full->genesis, full->genesis_size));
    sim_saw_made(sim, leaf);
}

void sim_full_open(struct sim *sim)
{
    struct sim_full *full = calloc(1, sizeof *full);
    uint64_t seed = sim->options.seed;

    INVARIANT(full != NULL);
    sim->full = full;
    sim_hash_real(true);
    full->bytes = random_stream(seed, STREAM_BYTES);
    full->load = random_stream(seed, STREAM_LOAD);
    full->turns = random_stream(seed, STREAM_TURNS);
    full->fault = random_stream(seed, STREAM_FAULT);
    full->ops = calloc(SIM_OPS_MAX, sizeof *full->ops);
    full->committed = malloc(SIM_OPS_MAX * sizeof *full->committed);
    full->scratch = disk_model_new();
    INVARIANT(full->ops != NULL && full->committed != NULL);
    memset(full->committed, 0xff, SIM_OPS_MAX * sizeof *full->committed);
    sim_full_chance(sim);
    sim_full_vfs_open(sim);
    sim_full_people(full, sim);
    world_genesis(sim, full);
}

void sim_full_close(struct sim *sim)
{
    struct sim_full *full = sim->full;

    if (full == NULL)
        return;
    for (uint32_t i = 0; i < SIM_OPS_MAX; i++)
        free(full->ops[i].body);
    free(full->ops);
    free(full->committed);
    free(full->entries);
    disk_model_free(full->scratch);
    sim_full_vfs_close();
    sim_full_chance(NULL);
    sim_hash_real(false);
    free(full);
    sim->full = NULL;
}
