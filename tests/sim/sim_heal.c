/*
 * sim_heal.c: the end of a seed.  First a core is healed: enough nodes to go
 * on, while one may stay as broken as it is, for ever.  Then that one is healed
 * too.
 */
#include <string.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_full.h"

/* ---- Who stays away ----------------------------------------------------- */

/* Whether it knows that it lacks entries: then it leads nobody. */
static bool heal_is_lost(const struct sim_node *node)
{
    struct mark mark;
    bool lost = true;

    if (mark_open(&mark, disk_model_disk(node->disk)) == ST_OK) {
        lost = mark.value.lost.kind != MARK_WHOLE;
        mark_close(&mark);
    }
    return lost;
}

/* One whose log never came so far as to know it cannot begin a term. */
static bool heal_may_lead(const struct sim_node *node)
{
    return !node->archive && !node->damaged &&
           (node->full == NULL || sim_full_was_enrolled(node));
}

/* Whether the others are enough: one that may lead, enough members, and
 * everything that was acknowledged. */
static bool heal_without(struct sim *sim, const struct sim_node *lost)
{
    struct config config;
    uint32_t eligible = 0, members = 0, nodes = 0;

    if (!sim_register_config(sim, &config) || lost->damaged)
        return false;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];

        if (node == lost || node->down_for_good)
            continue;
        nodes++;
        eligible += heal_may_lead(node) && !heal_is_lost(node);
        members += sim_atlas_holds(sim, node);
    }
    return nodes >= config.minimum && eligible > 0 && members > 0;
}

/* How it is broken: gone, stopped, or it cannot speak, hear, or either. */
static void heal_break(struct sim *sim, struct sim_node *lost)
{
    uint32_t how = random_below(&sim->fault, 5);

    sim_trace(sim, "%u stays away (%u)", lost->number, how);
    lost->outside = true;
    if (how == 0 || !lost->up) {
        lost->down_for_good = true;
        sim_node_crash(sim, lost);
        return;
    }
    if (how == 1) {
        lost->paused_until = SIM_FOREVER;
        return;
    }
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (i == lost->number)
            continue;
        if (how != 2)
            sim_cut(sim, lost->number, i, true);
        if (how != 3)
            sim_cut(sim, i, lost->number, true);
    }
    /* One that shows signs of life is left to lead, though it hears nobody. */
    sim->reg_state.cut[lost->number] = true;
}

/* ---- Healing ------------------------------------------------------------ */

static void heal_node(struct sim *sim, struct sim_node *node)
{
    sim->reg_state.cut[node->number] = false;
    /* What it has waiting comes before what is new. */
    if (node->paused_until == SIM_FOREVER)
        node->paused_until = sim->now + SIM_HOP_US + 1;
    node->disk_slow_us = 0;
    node->clock_us = 0;
    disk_model_limit(node->disk, UINT64_MAX);
    disk_model_fail_sync_after(node->disk, 0);
    disk_model_misdirect_after(node->disk, 0, 0);
    disk_model_readable(node->disk);
    /* What it lied about is gone with the power. */
    if (node->lying) {
        disk_model_lie(node->disk, NULL);
        node->lying = false;
        sim_node_crash(sim, node);
    }
    node->doubtful = false;
    for (uint32_t j = 0; j < sim->options.nodes_count; j++) {
        if (node->number != j) {
            sim_cut(sim, node->number, j, false);
            sim_cut(sim, j, node->number, false);
        }
    }
    sim_at(sim, sim->now + 1000, EVENT_START, node->number, 0, NULL);
}

/* Damage and a change of the members may together leave no whole copy with a
 * member, nobody to lead, or less nodes than have to agree: then the atlas
 * cannot help. */
static bool heal_can_be_asked(struct sim *sim)
{
    uint32_t nodes = 0, whole = 0, leaders = 0;
    struct config config;

    if (!sim_register_config(sim, &config))
        return true;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (sim->nodes[i].down_for_good && !sim->nodes[i].outside)
            continue;
        nodes++;
        leaders += heal_may_lead(&sim->nodes[i]);
        whole += config_has_member(&config, sim->nodes[i].id) &&
                 !sim->nodes[i].damaged;
    }
    return whole > 0 && leaders > 0 && nodes >= config.minimum;
}

void sim_heal_judge(struct sim *sim)
{
    if (!heal_can_be_asked(sim))
        sim->options.kinds |= KIND_SAFETY_ONLY;
}

void sim_heal(struct sim *sim)
{
    struct sim_node *lost =
        &sim->nodes[random_below(&sim->fault, sim->options.nodes_count)];

    sim_trace(sim, "healing");
    sim->healing = true;
    sim->healing_at = sim->now;
    sim_judge_away(sim);
    sim_heal_judge(sim);
    sim->reg_state.unavailable_until = 0;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++)
        heal_node(sim, &sim->nodes[i]);
    if (random_chance(&sim->fault, 400) && heal_without(sim, lost))
        heal_break(sim, lost);
}

/* The core is at rest; true if nobody was outside of it. */
static bool heal_the_rest(struct sim *sim)
{
    bool whole = true;

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];

        if (!node->outside)
            continue;
        sim_trace(sim, "%u comes back", node->number);
        node->outside = false;
        node->down_for_good = false;
        heal_node(sim, node);
        whole = false;
    }
    sim->healing_at = sim->now;
    return whole;
}

/* ---- Being healed ------------------------------------------------------- */

/* One that lost entries, has them all again, and is needed by nobody. */
static bool heal_is_spare(const struct sim *sim, const struct sim_node *node)
{
    struct config config;

    return sim_register_config(sim, &config) &&
           !config_has_member(&config, node->id);
}

static bool heal_equal(struct sim *sim, const struct sim_node *primary)
{
    struct journal_end end = journal_end(primary->journal);

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];
        struct journal_end other;
        struct replica_status status;

        if (node->down_for_good || node->outside || node == primary)
            continue;
        if (!node->up)
            return false;
        other = journal_end(node->journal);
        replica_status(node->replica, &status, sim->now / 1000 + 1);
        if (other.size != end.size ||
            memcmp(other.leaf, end.leaf, HASH_SIZE) != 0 ||
            node->state.applied != end.size || node->damaged ||
            ((status.lost_to != 0 || !status.healthy) &&
             !heal_is_spare(sim, node)))
            return false;
    }
    return primary->state.applied == end.size && !primary->damaged;
}

/* Who leads, if one does and no other. */
static struct sim_node *heal_primary(struct sim *sim)
{
    struct sim_node *primary = NULL;

    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct replica_status status;

        if (!sim->nodes[i].up || sim->nodes[i].outside)
            continue;
        replica_status(sim->nodes[i].replica, &status, sim->now / 1000 + 1);
        if (status.role != REPLICA_PRIMARY)
            continue;
        if (primary != NULL)
            return NULL;
        primary = &sim->nodes[i];
    }
    return primary;
}

/* A request that was on its way for long may leave no whole member in the core,
 * and a start that fails too few nodes. */
static bool heal_core_is_left(struct sim *sim)
{
    uint32_t outside = 0, nodes = 0, members = 0;
    struct config config;

    if (!sim_register_config(sim, &config))
        return true;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        const struct sim_node *node = &sim->nodes[i];

        outside += node->outside;
        if (node->outside || node->down_for_good)
            continue;
        nodes++;
        members += config_has_member(&config, node->id) && !heal_is_lost(node);
    }
    return outside == 0 || (members > 0 && nodes >= config.minimum);
}

bool sim_healed(struct sim *sim)
{
    struct sim_node *primary;

    if (sim->now - sim->core_at > 200000) {
        sim->core_at = sim->now;
        if (!heal_core_is_left(sim))
            (void)heal_the_rest(sim);
    }

    if (sim->ops_count < sim->options.ops_max / 4)
        return false;
    for (uint32_t i = 0; i < sim->options.clients_count; i++) {
        const struct sim_client *client = &sim->clients[i];

        if (client->op != UINT32_MAX && sim->ops[client->op].state != OP_DONE)
            return false;
    }
    primary = heal_primary(sim);
    if (primary == NULL)
        return false;
    if (sim->now - sim->reviewed_at > 200000) {
        sim->reviewed_at = sim->now;
        sim_atlas_review(sim);
    }
    return heal_equal(sim, primary) && heal_the_rest(sim);
}
