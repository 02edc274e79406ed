#include <stdio.h>
#include <string.h>

#include "tests/sim/sim_full.h"

static bool fault_has(const struct sim *sim, enum sim_fault fault)
{
    return (sim->options.faults & (uint32_t)fault) != 0;
}

static struct sim_node *fault_node(struct sim *sim)
{
    return &sim->nodes[random_below(&sim->fault, sim->options.nodes_count)];
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

    int64_t until = sim->now + random_between(&sim->fault, 50000, 2500000);

    /* What waits for the end of one pause must not come behind what waits for
     * the end of another. */
    if (node->paused_until > sim->now)
        return;
    node->paused_until = until;
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

/* A node with a tail that nobody else has to have, if there is one. */
static struct sim_node *fault_tail(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];

        if (node->up && node->journal != NULL &&
            journal_size(node->journal) > sim->committed_count)
            return node;
    }
    return fault_node(sim);
}

bool sim_fault_place(struct sim *sim, struct fault_place *out,
                     struct sim_node *node, uint64_t index)
{
    const uint8_t *data;
    size_t size;

    out->node = node;
    out->index = index;
    if (journal_place(node->journal, out->name, &out->offset, index) != ST_OK ||
        !disk_model_peek(node->disk, out->name, &data, &size))
        return false;
    out->offset += random_below(&sim->fault, 300);
    return out->offset < size;
}

static bool fault_place(struct sim *sim, struct fault_place *out,
                        struct sim_node *node, bool newest)
{
    uint64_t index;

    if (!node->up || node->journal == NULL || !sim_atlas_allows(sim, node) ||
        journal_size(node->journal) == 0)
        return false;
    index = random_below(&sim->fault, (uint32_t)journal_size(node->journal));
    /* The newest matter most. */
    if (newest)
        index = journal_size(node->journal) - 1 -
                random_below(&sim->fault, 1 + (uint32_t)index % 4) %
                    journal_size(node->journal);
    return sim_fault_place(sim, out, node, index);
}

void sim_fault_damage(struct sim *sim, const struct fault_place *place)
{
    place->node->damaged = true;
    sim->counts[COUNT_ROTS]++;
    if (fault_has(sim, FAULT_LATENT) && random_chance(&sim->fault, 200)) {
        sim_trace(sim, "%u: a sector of entry %u cannot be read",
                  place->node->number, (unsigned)place->index);
        place->node->doubtful = true;
        disk_model_unreadable(place->node->disk, place->name, place->offset);
        return;
    }
    sim_trace(sim, "%u: a bit of entry %u flips", place->node->number,
              (unsigned)place->index);
    disk_model_rot(place->node->disk, place->name, place->offset,
                   (unsigned)random_below(&sim->fault, 8));
}

/* Where one segment ends and the next begins: what says of each what it must
 * be is gone with it. */
static void fault_border(struct sim *sim, struct sim_node *node)
{
    struct fault_place last, first, header;
    uint64_t size;

    if (!node->up || node->journal == NULL || !sim_atlas_allows(sim, node))
        return;
    size = journal_size(node->journal);
    for (uint64_t i = 1; i < size; i++) {
        if (!sim_fault_place(sim, &last, node, i - 1) ||
            !sim_fault_place(sim, &first, node, i) ||
            strcmp(last.name, first.name) == 0)
            continue;
        sim_fault_damage(sim, &last);
        sim_fault_damage(sim, &first);
        header = first;
        header.offset = 8 + random_below(&sim->fault, 32);
        sim_fault_damage(sim, &header);
        return;
    }
}

/* One bit or several; and perhaps the power goes. */
static void fault_rot(struct sim *sim)
{
    bool newest = random_chance(&sim->fault, 500);
    struct sim_node *node = newest ? fault_tail(sim) : fault_node(sim);
    uint32_t count = 1 + random_skewed(&sim->fault, 6);

    if (random_chance(&sim->fault, 30)) {
        fault_border(sim, node);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct fault_place place;

        if (fault_place(sim, &place, node, newest))
            sim_fault_damage(sim, &place);
    }
    if (newest && node->damaged && random_chance(&sim->fault, 500))
        sim_node_crash(sim, node);
}

/* Somebody who is down, if anybody is. */
static struct sim_node *fault_down(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (!sim->nodes[i].up)
            return &sim->nodes[i];
    }
    return fault_node(sim);
}

/* One slot of the mark or of meta, while the process is down. */
static void fault_mark(struct sim *sim)
{
    struct sim_node *node = fault_down(sim);
    const char *name = random_chance(&sim->fault, 500) ? "mark" : "meta";
    const uint8_t *data;
    size_t size;

    /* With a disk that was put back, two things went wrong at once. */
    if (node->up || node->damaged || !sim_atlas_allows(sim, node) ||
        !disk_model_peek(node->disk, name, &data, &size) || size < 64)
        return;
    node->damaged = true;
    disk_model_rot(node->disk, name, random_below(&sim->fault, (uint32_t)size),
                   3);
    sim_trace(sim, "%u: rot in %s", node->number, name);
}

static void fault_rollback(struct sim *sim)
{
    struct sim_node *node =
        random_chance(&sim->fault, 500) ? fault_down(sim) : fault_node(sim);

    if (node->up) {
        if (node->older == NULL || random_chance(&sim->fault, 300)) {
            disk_model_free(node->older);
            node->older = disk_model_copy(node->disk);
            memcpy(node->older_keys, node->keys,
                   SIM_OPS_MAX * sizeof node->keys[0]);
            node->older_incarnation = node->meta.value.incarnation;
            if (node->full != NULL)
                sim_full_keep_older(node);
        }
        return;
    }
    /* One of the start that is registered cannot be told from a crash; and
     * without a register nobody remembers starts. */
    if (node->older == NULL || (sim->options.kinds & KIND_MANUAL) != 0 ||
        !sim_atlas_allows(sim, node) ||
        node->older_incarnation >= sim->reg_state.incarnation[node->number])
        return;
    disk_model_free(node->disk);
    node->disk = disk_model_copy(node->older);
    memcpy(node->keys, node->older_keys, SIM_OPS_MAX * sizeof node->keys[0]);
    if (node->full != NULL)
        sim_full_put_older(node);
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

/* Writes that go elsewhere, syncs that are none: until it is healed nobody
 * knows what this disk has. */
static void fault_dishonest(struct sim *sim, struct sim_node *node)
{
    if (!node->up || !sim_atlas_allows(sim, node))
        return;
    if (fault_has(sim, FAULT_MISDIRECT) && random_chance(&sim->fault, 300)) {
        sim_trace(sim, "%u: a write goes elsewhere", node->number);
        node->damaged = node->doubtful = true;
        disk_model_misdirect_after(node->disk, 1 + random_below(&sim->fault, 4),
                                   random_between(&sim->fault, -8, 8) *
                                       INT64_C(512));
    } else if (fault_has(sim, FAULT_LIE) && random_chance(&sim->fault, 300)) {
        sim_trace(sim, "%u: the disk lies", node->number);
        node->damaged = node->doubtful = node->lying = true;
        disk_model_lie(node->disk, "log*");
    }
}

/* A real sequencer disbelieves a clock that leaps by a minute, for the rest of
 * its term. */
static void fault_clock(struct sim *sim, struct sim_node *node)
{
    enum { LEAP_US = 40000000, FULL_US = 25000000 };

    node->clock_us += random_between(&sim->fault, -LEAP_US, LEAP_US);
    if (node->full != NULL)
        node->clock_us %= FULL_US;
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
        fault_clock(sim, node);
    if (node->full != NULL)
        sim_full_fault(sim, node);
    fault_dishonest(sim, node);
}

/* The register goes away, and nothing else ever happens. */
static void fault_away(struct sim *sim)
{
    if (sim->reg_state.unavailable_until > 0 || sim->now < 1500000)
        return;
    sim->reg_state.unavailable_until = INT64_MAX;
    sim->away_at = sim->now;
    sim->away_acked = sim->counts[COUNT_ACKED];
    sim->away_unknown = sim->counts[COUNT_UNKNOWN];
}

void sim_fault(struct sim *sim)
{
    if (sim->healing)
        return;
    if ((sim->options.kinds & KIND_AWAY) != 0)
        fault_away(sim);
    sim_atlas_review(sim);
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
