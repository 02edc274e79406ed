#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_full.h"

static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {0xc1, 0x05};
static const uint8_t lineage[LINEAGE_SIZE] = {0x11, 0x0e};

/* ---- Making ------------------------------------------------------------- */

static struct journal_options node_options(const struct sim *sim,
                                           const struct sim_node *node)
{
    return (struct journal_options){
        .segment_size = sim->options.segment_size,
        .incarnation = node->meta.value.incarnation,
        .epoch = node->meta.value.promised_epoch,
        .repair = true,
    };
}

static const uint8_t *node_cluster(const struct sim *sim)
{
    return sim->full != NULL ? sim_full_cluster(sim) : cluster_id;
}

void sim_node_name(struct sim *sim, uint32_t number)
{
    struct sim_node *node = &sim->nodes[number];

    node->number = number;
    node->archive =
        number >= sim->options.nodes_count - sim->options.archives_count;
    /* The order of ids is not that of numbers. */
    node->id[0] = (uint8_t)(0x10 + (number * 7 + 3) % 11);
    node->id[1] = (uint8_t)number;
}

void sim_node_make(struct sim *sim, uint32_t number)
{
    struct sim_node *node = &sim->nodes[number];
    struct meta_value value = {.incarnation = 0};
    struct journal_options options = node_options(sim, node);
    enum status status;

    node->disk = disk_model_new();
    status = journal_create(disk_model_disk(node->disk), &options);
    INVARIANT(status == ST_OK);
    memcpy(value.node_id, node->id, NODE_ID_SIZE);
    memcpy(value.cluster_id, node_cluster(sim), CLUSTER_ID_SIZE);
    memcpy(value.lineage, lineage, LINEAGE_SIZE);
    status = meta_create(disk_model_disk(node->disk), &value);
    INVARIANT(status == ST_OK);
    node->keys = calloc(SIM_OPS_MAX, sizeof *node->keys);
    node->older_keys = calloc(SIM_OPS_MAX, sizeof *node->older_keys);
    INVARIANT(node->keys != NULL && node->older_keys != NULL);
    node->state.index_of = malloc(SIM_OPS_MAX * sizeof(uint64_t));
    INVARIANT(node->state.index_of != NULL);
    node->disk_slow_us = 0;
    if (sim->full != NULL)
        sim_full_make(sim, node);
}

size_t sim_peer(const struct sim *sim, uint32_t node, uint32_t other)
{
    (void)sim;
    return other < node ? other : other - 1;
}

uint32_t sim_other(const struct sim *sim, uint32_t node, size_t peer)
{
    (void)sim;
    return (uint32_t)(peer < node ? peer : peer + 1);
}

/* ---- Starting ----------------------------------------------------------- */

static void node_replica_options(struct sim *sim, const struct sim_node *node,
                                 struct replica_options *out)
{
    memset(out, 0, sizeof *out);
    memcpy(out->node_id, node->id, NODE_ID_SIZE);
    memcpy(out->cluster_id, node_cluster(sim), CLUSTER_ID_SIZE);
    memcpy(out->lineage, lineage, LINEAGE_SIZE);
    out->archive = node->archive;
    out->automatic = (sim->options.kinds & KIND_MANUAL) == 0;
    out->first = node->number == 0;
    memcpy(out->founder, sim->nodes[0].id, NODE_ID_SIZE);
    out->minimum = sim->options.minimum;
    out->timers = sim->timers;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct replica_peer_option *peer;

        if (i == node->number)
            continue;
        peer = &out->peers[out->peers_count++];
        memcpy(peer->node_id, sim->nodes[i].id, NODE_ID_SIZE);
        peer->archive = sim->nodes[i].archive;
    }
    store_u64(out->seed, random_next(&sim->schedule));
}

static void node_mark_start(const struct sim_node *node)
{
    switch (node->report.found) {
    case JOURNAL_CLEAN:
        SOMETIMES(start_whole);
        break;
    case JOURNAL_TORN:
        SOMETIMES(start_torn);
        break;
    case JOURNAL_LOST:
        SOMETIMES(start_lost);
        break;
    case JOURNAL_HOLE:
        SOMETIMES(start_hole);
        break;
    case JOURNAL_MARK_GONE:
        SOMETIMES(start_mark_gone);
        break;
    case JOURNAL_MARK_SLOT:
        SOMETIMES(start_slot_and_tail);
        break;
    case JOURNAL_META_GONE:
        SOMETIMES(start_without_meta);
        break;
    }
    if (node->report.slot_bad)
        SOMETIMES(start_slot_bad);
    if (node->report.inherited > 0)
        SOMETIMES(start_inherits_tail);
}

/* A disk that fails while it is opened is tried again later. */
static void node_fails_to_start(struct sim *sim, struct sim_node *node,
                                enum status status)
{
    sim_trace(sim, "%u cannot start: %d", node->number, (int)status);
    /* Case C7: whoever was here never comes back. */
    if (status == ST_FILE_FORMAT || status == ST_LOST) {
        sim->counts[COUNT_HALTS]++;
        node->down_for_good = true;
        if (sim->healing)
            sim_heal_judge(sim);
    }
    sim_node_crash(sim, node);
}

static enum status node_open(struct sim *sim, struct sim_node *node)
{
    struct disk *disk = disk_model_disk(node->disk);
    struct replica_options options;
    struct replica_parts parts;
    enum status status = meta_open(&node->meta, disk);

    memset(&node->report, 0, sizeof node->report);
    if (status == ST_FILE_FORMAT || status == ST_LOST)
        node->report.found = JOURNAL_META_GONE;
    if (status != ST_OK)
        return status;
    status = meta_begin(&node->meta);
    if (status != ST_OK)
        return status;
    struct journal_options journal_options = node_options(sim, node);
    status =
        journal_open(&node->journal, &node->report, disk, &journal_options);
    if (status != ST_OK)
        return status;
    node->storage = (struct storage){
        .disk = disk, .journal = node->journal, .meta = &node->meta};
    node->storage.keys = sim_keys_of(node);
    if (node->full != NULL)
        status = sim_full_start(sim, node);
    else /* Of entries that did not survive. */
        node->storage.keys.truncate(node, journal_size(node->journal));
    if (status != ST_OK)
        return status;
    node_replica_options(sim, node, &options);
    parts = (struct replica_parts){
        .journal = node->journal,
        .meta = &node->meta.value,
        .report = &node->report,
    };
    status = halt_cause(&parts.halted, disk);
    if (status != ST_OK)
        return status;
    return replica_open(&node->replica, &options, &parts);
}

void sim_node_start(struct sim *sim, struct sim_node *node)
{
    enum status status;

    node->generation++;
    node->up = true;
    node->paused_until = 0;
    replica_actions_init(&node->actions);
    status = node_open(sim, node);
    node_mark_start(node);
    if (status != ST_OK) {
        node_fails_to_start(sim, node, status);
        return;
    }
    sim_state_open(node);
    if (node->full != NULL)
        sim_full_look(sim, node);
    sim_trace(sim, "%u starts: incarnation %u, %s, size %u committed %u",
              node->number, (unsigned)node->meta.value.incarnation,
              journal_case_name(node->report.found),
              (unsigned)journal_size(node->journal),
              (unsigned)journal_committed(node->journal));
    struct replica_event enrolled = {.type = REPLICA_ENROLLED};
    /* A full node looks into its directory. */
    enrolled.enrolled = node->full == NULL;
    sim_node_event(sim, node, &enrolled);
    sim_at(sim, sim->now, EVENT_TICK, node->number, 0, NULL);
    sim_at(sim, sim->now, EVENT_LEASE, node->number, 0, NULL);
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        uint32_t a = i < node->number ? i : node->number;
        uint32_t b = i < node->number ? node->number : i;

        if (i != node->number)
            sim_at(sim, sim->now + random_between(&sim->net, 1000, 60000),
                   EVENT_LINK, SIM_NODES_MAX, a * SIM_NODES_MAX + b, NULL);
    }
}

/* ---- Ending ------------------------------------------------------------- */

static void node_wipe(struct sim_node *node)
{
    sim_full_end(node);
    replica_close(node->replica);
    node->replica = NULL;
    replica_actions_wipe(&node->actions);
    journal_close(node->journal);
    node->journal = NULL;
    meta_close(&node->meta);
    node->jobs_count = 0;
    node->running = 0;
    node->disk_busy = false;
    node->leading = false;
    node->draining = false;
    node->follows = false;
    node->want = (enum config_why)0;
    node->pending_count = 0;
    node->up = false;
}

void sim_node_close(struct sim_node *node)
{
    node_wipe(node);
    sim_full_wipe(node);
    disk_model_free(node->disk);
    disk_model_free(node->older);
    free(node->state.index_of);
    free(node->keys);
    free(node->older_keys);
}

/* What was pending survives in part. */
static void node_lose_power(struct sim *sim, struct sim_node *node)
{
    uint8_t keep[512];
    size_t pending = disk_model_pending(node->disk);
    uint32_t mode = random_below(&sim->disk, 4);
    size_t torn = SIZE_MAX;

    for (size_t i = 0; i < sizeof keep; i++)
        keep[i] = mode == 0   ? 0
                  : mode == 1 ? 0xff
                              : (uint8_t)random_next(&sim->disk);
    if (pending > 0 && random_chance(&sim->disk, 300))
        torn = random_below(&sim->disk, (uint32_t)pending);
    disk_model_lose_power(node->disk, keep, sizeof keep, mode == 1, torn);
    if (node->full != NULL)
        sim_full_lose_power(sim, node);
}

/* Perhaps in the middle of what the disk has at hand. */
static void node_tear_jobs(struct sim *sim, struct sim_node *node)
{
    if (!node->disk_busy || node->jobs_count == 0 || node->journal == NULL ||
        !random_chance(&sim->disk, 500))
        return;
    disk_model_power_off_after(node->disk, random_below(&sim->disk, 12));
    storage_run(&node->storage, node->jobs, node->running);
}

void sim_node_crash(struct sim *sim, struct sim_node *node)
{
    if (!node->up)
        return;
    sim_trace(sim, "%u crashes", node->number);
    sim->counts[COUNT_CRASHES]++;
    node_tear_jobs(sim, node);
    node_wipe(node);
    node_lose_power(sim, node);
    node->generation++;
    sim_links_of_crashed(sim, node->number);
    if (!node->down_for_good)
        sim_at(sim, sim->now + random_between(&sim->schedule, 20000, 1500000),
               EVENT_START, node->number, 0, NULL);
}
