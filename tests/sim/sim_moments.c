/*
 * sim_moments.c: damage at the worst moment: the entries that matter, just when
 * somebody begins to go by them.
 */
#include "tests/sim/sim.h"

/* ${node} itself, or one whose log it is about to go by. */
static struct sim_node *moment_victim(struct sim *sim, struct sim_node *node,
                                      enum replica_role role)
{
    uint32_t others = sim->options.nodes_count - 1;

    if (role == REPLICA_CANDIDATE || others == 0 ||
        random_chance(&sim->moment, 300))
        return node;
    return &sim->nodes[(node->number + 1 + random_below(&sim->moment, others)) %
                       sim->options.nodes_count];
}

/* Around the commit: its last entry, or one of the tail. */
static uint64_t moment_index(struct sim *sim, const struct sim_node *node)
{
    uint64_t committed = journal_committed(node->journal);
    uint64_t size = journal_size(node->journal);
    uint64_t first = committed > 0 ? committed - 1 : 0;

    if (first >= size)
        return size - 1;
    return first + random_below(&sim->moment, (uint32_t)(size - first));
}

void sim_moment(struct sim *sim, struct sim_node *node, enum replica_role role)
{
    struct sim_node *victim;
    struct fault_place place;

    if ((sim->options.faults & FAULT_MOMENT) == 0 || !sim->faulty ||
        sim->healing ||
        (role != REPLICA_CANDIDATE && role != REPLICA_BARRIER &&
         role != REPLICA_RECOVERING) ||
        !random_chance(&sim->moment, 200))
        return;
    victim = moment_victim(sim, node, role);
    if (!victim->up || victim->journal == NULL ||
        journal_size(victim->journal) == 0 || !sim_atlas_allows(sim, victim))
        return;
    for (uint32_t i = 1 + random_below(&sim->moment, 2); i > 0; i--) {
        if (sim_fault_place(sim, &place, victim, moment_index(sim, victim)))
            sim_fault_damage(sim, &place);
    }
}
