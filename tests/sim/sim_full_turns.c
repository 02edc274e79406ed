/*
 * sim_full_turns.c: the threads of a node's pipeline, a turn at a time, and the
 * groups on their way from the core to the replica.
 */
#include <stdlib.h>

#include "tests/sim/sim_full_parts.h"

enum {
    TURN_SOON_US = 20, /* From when it is woken. */
    TURN_LATE_US = 900,
    TURN_IDLE_US = 100000,
    TURN_STARVED_US = 400000, /* At most so long. */
    TURN_STARVED = 2,         /* Turns of a thousand. */
    SUBMIT_US = 500
};

static void turn_at(struct sim *sim, struct sim_node *node, int turn,
                    int64_t at)
{
    struct sim_full_node *full = node->full;

    if (at < full->starved[turn])
        at = full->starved[turn];
    if (full->turn_at[turn] != 0 && full->turn_at[turn] <= at)
        return;
    full->turn_at[turn] = at;
    sim_at(sim, at, EVENT_TURN, node->number, (uint64_t)turn, NULL);
}

void sim_full_wake(struct sim *sim, struct sim_node *node, int turn)
{
    turn_at(sim, node, turn,
            sim->now +
                random_between(&sim->full->turns, TURN_SOON_US, TURN_LATE_US));
}

void sim_full_starve(struct sim_full_node *full, int turn, uint32_t per_mille)
{
    struct random *random = &full->sim->full->turns;

    if (random_chance(random, per_mille))
        full->starved[turn] =
            full->sim->now + random_below(random, TURN_STARVED_US);
}

/* ---- The core ----------------------------------------------------------- */

static bool core_may(const struct sim_full_node *full)
{
    struct pipeline *pipeline = full->server.pipeline;

    return pipeline->under_way < PIPELINE_SHIPPED_MAX ||
           atomic_load(&pipeline->term) != full->core.term;
}

/* Whether something waits that no other thread announces. */
static bool core_waits(struct sim_full_node *full)
{
    return queue_count(&full->server.pipeline->commands) > 0 ||
           full->core.works_count > 0 || full->core.waits;
}

static void turn_core(struct sim_full_node *full, void *context)
{
    (void)context;
    if (core_may(full))
        (void)core_turn(&full->core);
    sim_full_wake(full->sim, full->node, FULL_TURN_APPLY);
    if (core_waits(full))
        sim_full_wake(full->sim, full->node, FULL_TURN_CORE);
}

void sim_full_settle(struct sim_full_node *full)
{
    struct pipeline *pipeline = full->server.pipeline;

    while (pipeline->keys.core && !pipeline_look(pipeline).leads)
        (void)core_turn(&full->core);
}

/* ---- Applying ----------------------------------------------------------- */

static void turn_apply(struct sim_full_node *full, void *context)
{
    bool more = applier_turn(&full->applier);

    (void)context;
    sim_full_look(full->sim, full->node);
    if (more)
        sim_full_wake(full->sim, full->node, FULL_TURN_APPLY);
    if (more || core_waits(full))
        sim_full_wake(full->sim, full->node, FULL_TURN_CORE);
}

/* A turn that was drawn later than another one is the next one after it. */
void sim_full_turn(struct sim *sim, const struct sim_event *event)
{
    struct sim_node *node = &sim->nodes[event->node];
    struct sim_full_node *full = node->full;
    int turn = (int)event->number;
    uint32_t generation = node->generation;

    if (full->turn_at[turn] == 0 || event->at < full->turn_at[turn])
        return;
    full->turn_at[turn] = 0;
    sim_full_starve(full, turn, TURN_STARVED);
    if (!sim_full_try(full, turn == FULL_TURN_CORE ? turn_core : turn_apply,
                      NULL)) {
        sim_node_crash(sim, node);
        return;
    }
    if (node->generation == generation)
        turn_at(sim, node, turn, sim->now + TURN_IDLE_US);
}

/* ---- To the replica ----------------------------------------------------- */

/* As host_submission; the group is lent until it is taken. */
struct submission {
    struct group *group;
    uint32_t epoch;
    bool keyed;
};

void sim_full_submit(void *context, struct group *group, bool keyed)
{
    struct sim_full_node *full = context;
    struct submission *sent = calloc(1, sizeof *sent);
    struct sim *sim = full->sim;
    int64_t at = sim->now + random_between(&sim->full->turns, 1, SUBMIT_US);

    INVARIANT(sent != NULL);
    *sent = (struct submission){group, group->epoch, keyed};
    for (size_t i = 0; i < group->entries_count; i++)
        sim_saw_made(sim, group->entries[i].leaf);
    /* In their order. */
    if (at < full->submit_at)
        at = full->submit_at;
    full->submit_at = at;
    sim_at(sim, at, EVENT_SUBMIT, full->node->number, 0, sent);
}

void sim_full_submitted(struct sim *sim, const struct sim_event *event)
{
    struct sim_node *node = &sim->nodes[event->node];
    const struct submission *sent = event->data;
    struct replica_event submitted = {.type = REPLICA_SUBMITTED};
    uint32_t generation = node->generation;

    submitted.submitted.entries = sent->group->entries;
    submitted.submitted.count = sent->group->entries_count;
    submitted.submitted.keyed = sent->keyed;
    if (sent->epoch == node->full->lead_epoch)
        sim_node_event(sim, node, &submitted);
    if (node->generation == generation)
        pipeline_taken(node->full->server.pipeline, sent->group);
}
