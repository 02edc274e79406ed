#include <stdio.h>
#include <string.h>

#include "tests/sim/sim.h"

static bool fault_has(const struct sim *sim, enum sim_fault fault)
{
    return (sim->options.faults & (uint32_t)fault) != 0;
}

static struct sim_node *fault_node(struct sim *sim)
{
    return &sim->nodes[random_below(&sim->fault, sim->options.nodes_count)];
}

/* ---- The atlas ---------------------------------------------------------- */

/* A node whose disk is beyond doubt. */
static bool atlas_good(struct sim *sim, struct sim_node *node)
{
    struct replica_status status;

    if (!node->up || node->damaged)
        return false;
    replica_status(node->replica, &status, sim->now / 1000 + 1);
    return status.lost_to == 0 && status.healthy;
}

/* Whether another member has a good copy of all that was acknowledged. */
static bool atlas_allows(struct sim *sim, const struct sim_node *victim)
{
    struct config config;
    uint32_t members = 0;

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (&sim->nodes[i] != victim && sim->nodes[i].damaged)
            return false;
    }
    if (!sim_register_config(sim, &config))
        return false;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];

        if (node != victim && config_has_member(&config, node->id) &&
            atlas_good(sim, node) &&
            journal_size(node->journal) >= sim->committed_count)
            members++;
    }
    return members > 0;
}

/* A damaged node counts as whole again once it says so itself. */
static void atlas_review(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];
        struct replica_status status;
        struct journal_scrub scrub = {0};
        uint8_t buffer[JOURNAL_READ_SIZE];
        enum status read = ST_OK;

        if (!node->damaged || !node->up)
            continue;
        replica_status(node->replica, &status, sim->now / 1000 + 1);
        while (read == ST_OK)
            read = journal_scrub_next(node->journal, &scrub, buffer);
        if (status.healthy && status.lost_to == 0 && read == ST_END &&
            journal_size(node->journal) >= sim->committed_count)
            node->damaged = false;
    }
}

/* ---- Faults ------------------------------------------------------------- */

static void fault_crash(struct sim *sim)
{
    struct sim_node *node = fault_node(sim);

    if (node->up)
        sim_node_crash(sim, node);
    /* Sometimes all at once. */
    if (random_chance(&sim->fault, 60)) {
        for (uint32_t i = 0; i < sim->options.nodes_count; i++)
            sim_node_crash(sim, &sim->nodes[i]);
    }
}

static void fault_pause(struct sim *sim)
{
    struct sim_node *node = fault_node(sim);

    node->paused_until = sim->now + random_between(&sim->fault, 50000, 2500000);
    sim_trace(sim, "%u pauses until %.3f", node->number,
              (double)node->paused_until / 1000000);
}

static void fault_cut(struct sim *sim)
{
    uint32_t n = sim->options.nodes_count;
    uint32_t a = random_below(&sim->fault, n);
    uint32_t b = (a + 1 + random_below(&sim->fault, n - 1)) % n;

    switch (random_below(&sim->fault, 5)) {
    case 0: /* One way. */
        sim_cut(sim, a, b, true);
        break;
    case 1:
        sim_cut(sim, a, b, true);
        sim_cut(sim, b, a, true);
        break;
    case 2: /* Alone, with or without the register. */
        for (uint32_t i = 0; i < n; i++) {
            if (i != a) {
                sim_cut(sim, a, i, true);
                sim_cut(sim, i, a, true);
            }
        }
        sim->reg_state.cut[a] = random_chance(&sim->fault, 500);
        break;
    case 3:
        sim->reg_state.cut[a] = true;
        break;
    default: /* Everything is as it was. */
        for (uint32_t i = 0; i < n; i++) {
            sim->reg_state.cut[i] = false;
            for (uint32_t j = 0; j < n; j++) {
                if (i != j)
                    sim_cut(sim, i, j, false);
            }
        }
        break;
    }
    sim_trace(sim, "the network changes");
}

static void fault_rot(struct sim *sim)
{
    struct sim_node *node = fault_node(sim);
    char name[DISK_NAME_SIZE_MAX];
    const uint8_t *data;
    size_t size;
    uint64_t first = 0;

    if (!node->up || node->journal == NULL || !atlas_allows(sim, node) ||
        journal_size(node->journal) == 0)
        return;
    (void)first;
    uint64_t index =
        random_below(&sim->fault, (uint32_t)journal_size(node->journal));
    uint64_t offset = 0;
    if (journal_place(node->journal, name, &offset, index) != ST_OK ||
        !disk_model_peek(node->disk, name, &data, &size))
        return;
    offset += random_below(&sim->fault, 300);
    if (offset >= size)
        return;
    node->damaged = true;
    sim->counts[COUNT_ROTS]++;
    sim_trace(sim, "%u: a bit of entry %u flips", node->number,
              (unsigned)index);
    disk_model_rot(node->disk, name, offset,
                   (unsigned)random_below(&sim->fault, 8));
}

/* One slot of the mark or of meta, while the process is down. */
static void fault_mark(struct sim *sim)
{
    struct sim_node *node = fault_node(sim);
    const char *name = random_chance(&sim->fault, 500) ? "mark" : "meta";
    const uint8_t *data;
    size_t size;

    /* With a disk that was put back, two things went wrong at once. */
    if (node->up || node->damaged || !atlas_allows(sim, node) ||
        !disk_model_peek(node->disk, name, &data, &size) || size < 64)
        return;
    node->damaged = true;
    disk_model_rot(node->disk, name, random_below(&sim->fault, (uint32_t)size),
                   3);
    sim_trace(sim, "%u: rot in %s", node->number, name);
}

static void fault_rollback(struct sim *sim)
{
    struct sim_node *node = fault_node(sim);

    if (node->up) {
        if (node->older == NULL || random_chance(&sim->fault, 300)) {
            disk_model_free(node->older);
            node->older = disk_model_copy(node->disk);
            node->older_incarnation = node->meta.value.incarnation;
        }
        return;
    }
    /* One of the same start cannot be told from a crash. */
    if (node->older == NULL || !atlas_allows(sim, node) ||
        node->older_incarnation >= node->last_incarnation)
        return;
    disk_model_free(node->disk);
    node->disk = disk_model_copy(node->older);
    node->damaged = true;
    sim_trace(sim, "%u: the disk is put back", node->number);
}

static void fault_register(struct sim *sim)
{
    sim->reg_state.unavailable_until =
        sim->now + random_below(&sim->fault, 2500000);
    sim_trace(sim, "the register is away");
}

static void fault_hand_over(struct sim *sim)
{
    struct sim_node *node = fault_node(sim);
    struct replica_event event = {.type = REPLICA_HAND_OVER};

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (sim->nodes[i].leading && &sim->nodes[i] != node) {
            memcpy(event.node_id, node->id, NODE_ID_SIZE);
            sim_trace(sim, "%u shall hand over to %u", i, node->number);
            sim_node_event(sim, &sim->nodes[i], &event);
            return;
        }
    }
}

static void fault_disk(struct sim *sim)
{
    struct sim_node *node = fault_node(sim);

    if (fault_has(sim, FAULT_SYNC) && random_chance(&sim->fault, 300))
        disk_model_fail_sync_after(node->disk,
                                   1 + random_below(&sim->fault, 6));
    if (fault_has(sim, FAULT_FULL) && random_chance(&sim->fault, 300))
        disk_model_limit(node->disk,
                         random_chance(&sim->fault, 500) ? UINT64_MAX : 1);
    if (fault_has(sim, FAULT_SLOW) && random_chance(&sim->fault, 400))
        node->disk_slow_us = random_chance(&sim->fault, 500) ? 0 : 1500000;
    if (fault_has(sim, FAULT_CLOCK) && random_chance(&sim->fault, 300))
        node->clock_us += random_between(&sim->fault, -40000000, 40000000);
}

void sim_fault(struct sim *sim)
{
    if (sim->healing)
        return;
    atlas_review(sim);
    switch (random_below(&sim->fault, 9)) {
    case 0:
    case 1:
        if (fault_has(sim, FAULT_CRASH))
            fault_crash(sim);
        break;
    case 2:
        if (fault_has(sim, FAULT_PAUSE))
            fault_pause(sim);
        break;
    case 3:
    case 4:
        if (fault_has(sim, FAULT_CUT))
            fault_cut(sim);
        break;
    case 5:
        if (fault_has(sim, FAULT_ROT))
            fault_rot(sim);
        if (fault_has(sim, FAULT_MARK))
            fault_mark(sim);
        break;
    case 6:
        if (fault_has(sim, FAULT_ROLLBACK))
            fault_rollback(sim);
        fault_disk(sim);
        break;
    case 7:
        if (fault_has(sim, FAULT_REGISTER) && random_chance(&sim->fault, 300))
            fault_register(sim);
        break;
    default:
        if (fault_has(sim, FAULT_HAND_OVER))
            fault_hand_over(sim);
        break;
    }
    sim_at(sim, sim->now + random_between(&sim->fault, 30000, 700000),
           EVENT_FAULT, SIM_NODES_MAX, 0, NULL);
}

/* ---- Healing ------------------------------------------------------------ */

/* Whether one node may stay away for ever: the others must be enough. */
static bool heal_without(struct sim *sim, const struct sim_node *lost)
{
    struct config config;
    uint32_t eligible = 0, members = 0;

    if (!sim_register_config(sim, &config) ||
        sim->options.nodes_count <= config.minimum)
        return false;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];

        if (node == lost)
            continue;
        eligible += !node->archive;
        members += config_has_member(&config, node->id) && !node->damaged &&
                   atlas_good(sim, node);
    }
    return eligible > 0 && members > 0 && !lost->damaged;
}

void sim_heal(struct sim *sim)
{
    uint32_t n = sim->options.nodes_count;
    struct sim_node *lost = fault_node(sim);

    sim_trace(sim, "healing");
    sim->healing = true;
    sim->reg_state.unavailable_until = 0;
    for (uint32_t i = 0; i < n; i++) {
        sim->reg_state.cut[i] = false;
        sim->nodes[i].disk_slow_us = 0;
        sim->nodes[i].clock_us = 0;
        disk_model_limit(sim->nodes[i].disk, UINT64_MAX);
        disk_model_fail_sync_after(sim->nodes[i].disk, 0);
        for (uint32_t j = 0; j < n; j++) {
            if (i != j)
                sim_cut(sim, i, j, false);
        }
    }
    if (random_chance(&sim->fault, 400) && heal_without(sim, lost)) {
        sim_trace(sim, "%u stays away", lost->number);
        lost->down_for_good = true;
        sim_node_crash(sim, lost);
    }
    for (uint32_t i = 0; i < n; i++)
        sim_at(sim, sim->now + 1000, EVENT_START, i, 0, NULL);
}

static bool heal_equal(struct sim *sim, const struct sim_node *primary)
{
    struct journal_end end = journal_end(primary->journal);

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];
        struct journal_end other;
        struct replica_status status;

        if (node->down_for_good || node == primary)
            continue;
        if (!node->up)
            return false;
        other = journal_end(node->journal);
        replica_status(node->replica, &status, sim->now / 1000 + 1);
        if (other.size != end.size ||
            memcmp(other.leaf, end.leaf, HASH_SIZE) != 0 ||
            status.lost_to != 0 || !status.healthy ||
            node->state.applied != end.size)
            return false;
    }
    return primary->state.applied == end.size;
}

bool sim_healed(struct sim *sim)
{
    struct sim_node *primary = NULL;

    if (sim->ops_count < sim->options.ops_max / 4)
        return false;
    for (uint32_t i = 0; i < sim->options.clients_count; i++) {
        const struct sim_client *client = &sim->clients[i];

        if (client->op != UINT32_MAX && sim->ops[client->op].state != OP_DONE)
            return false;
    }
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct replica_status status;

        if (!sim->nodes[i].up)
            continue;
        replica_status(sim->nodes[i].replica, &status, sim->now / 1000 + 1);
        if (status.role == REPLICA_PRIMARY) {
            if (primary != NULL)
                return false;
            primary = &sim->nodes[i];
        }
    }
    return primary != NULL && heal_equal(sim, primary);
}
