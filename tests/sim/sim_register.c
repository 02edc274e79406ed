#include <stdlib.h>
#include <string.h>

#include "replication/sometimes.h"
#include "tests/sim/sim.h"

enum { ALIVE_TTL_US = 500000, ALIVE_EVERY_US = 150000, POLL_US = 700000 };

/* A request on its way, and its answer. */
struct reg_request {
    enum register_call call;
    uint64_t incarnation;
    bool answer_lost;
    struct register_proposal proposal;
};
struct reg_answer {
    enum register_call call;
    uint64_t token;
    enum register_outcome outcome;
    bool higher;
    uint64_t number;
    bool unanswered;
    struct register_view view;
    bool alive[SIM_NODES_MAX];
};

static bool reg_faulty(const struct sim *sim)
{
    return (sim->options.faults & FAULT_REGISTER) != 0 && !sim->healing;
}

static uint32_t reg_node_of(const struct sim *sim, const uint8_t *id)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (memcmp(sim->nodes[i].id, id, NODE_ID_SIZE) == 0)
            return i;
    }
    return UINT32_MAX;
}

static const struct register_view *reg_value(const struct sim *sim)
{
    const struct sim_register *reg = &sim->reg_state;

    return &reg->history[reg->history_count - 1];
}

bool sim_register_config(const struct sim *sim, struct config *out)
{
    const struct register_view *view;

    if (sim->reg_state.history_count == 0)
        return false;
    view = reg_value(sim);
    return config_decode(out, slice_of(view->value, view->value_size)) == ST_OK;
}

/* ---- Asking ------------------------------------------------------------- */

static bool reg_reachable(const struct sim *sim, uint32_t node)
{
    return !sim->reg_state.cut[node] &&
           sim->reg_state.unavailable_until <= sim->now;
}

static void reg_unanswered(struct sim *sim, struct sim_node *node,
                           const struct reg_request *request)
{
    struct reg_answer *answer = calloc(1, sizeof *answer);

    INVARIANT(answer != NULL);
    answer->call = request->call;
    answer->token = request->proposal.token;
    answer->outcome = REGISTER_UNKNOWN;
    answer->unanswered = true;
    sim_at(sim, sim->now + random_between(&sim->reg, 100000, 400000),
           EVENT_ANSWER, node->number, 0, answer);
}

void sim_ask(struct sim *sim, struct sim_node *node,
             const struct replica_action *action)
{
    struct reg_request *request = calloc(1, sizeof *request);
    int64_t delay = random_between(&sim->reg, 500, 6000);

    INVARIANT(request != NULL);
    request->call = action->ask.call;
    request->incarnation = action->ask.incarnation;
    if (action->ask.call == REGISTER_CAS)
        request->proposal = *action->ask.proposal;
    if (!reg_reachable(sim, node->number) ||
        (reg_faulty(sim) && random_chance(&sim->reg, 80))) {
        reg_unanswered(sim, node, request);
        free(request);
        return;
    }
    if (reg_faulty(sim) && random_chance(&sim->reg, 120)) {
        /* Carried out, now or seconds later, and nobody says so. */
        request->answer_lost = true;
        if (random_chance(&sim->reg, 500))
            delay += random_below(&sim->reg, 3000000);
        if (request->call == REGISTER_CAS && delay > 1000000)
            SOMETIMES(cas_applied_late);
        reg_unanswered(sim, node, request);
    }
    sim_at(sim, sim->now + delay, EVENT_REGISTER, node->number, 0, request);
}

/* ---- Carrying out ------------------------------------------------------- */

static bool reg_alive(const struct sim *sim, uint32_t node)
{
    return node != UINT32_MAX && sim->nodes[node].alive_until > sim->now;
}

static bool reg_guards_hold(struct sim *sim,
                            const struct register_proposal *proposal)
{
    /* What is compared may change and change back. */
    if (reg_faulty(sim) && proposal->guards_count > 0 &&
        random_chance(&sim->reg, 80))
        return false;
    if (proposal->guard_alive &&
        reg_alive(sim, reg_node_of(sim, proposal->alive)))
        return false;
    for (size_t i = 0; i < proposal->guards_count; i++) {
        uint32_t node = reg_node_of(sim, proposal->guards[i].node_id);

        if (node == UINT32_MAX ||
            sim->reg_state.incarnation[node] != proposal->guards[i].incarnation)
            return false;
    }
    return true;
}

static void reg_watchers(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        if (reg_faulty(sim) && random_chance(&sim->reg, 200))
            continue;
        sim_at(sim, sim->now + random_between(&sim->reg, 500, 30000),
               EVENT_WATCH, i, 0, NULL);
    }
}

void sim_register_put(struct sim *sim, struct slice value)
{
    struct sim_register *reg = &sim->reg_state;
    struct config newer, older;
    struct register_view *view;
    bool first = reg->history_count == 0;
    enum status status = config_decode(&newer, value);

    if (reg->history_count == SIM_HISTORY_MAX) {
        sim_fail(sim, SIM_LIVENESS, "the configuration never rests");
        return;
    }
    if (status != ST_OK) {
        sim_fail(sim, SIM_WRONG, "I2: what was proposed is no configuration");
        return;
    }
    if (!first)
        (void)sim_register_config(sim, &older);
    sim_saw_config(
        sim, &newer, first ? NULL : &older,
        first ? slice_of(NULL, 0)
              : slice_of(reg_value(sim)->value, reg_value(sim)->value_size));
    view = &reg->history[reg->history_count++];
    reg->revision += 1 + random_below(&sim->reg, 3);
    view->revision = reg->revision;
    view->value_size = value.size;
    memcpy(view->value, value.data, value.size);
    sim_trace(sim,
              "register: number %u, epoch %u, primary %u, why %s, %u members",
              (unsigned)newer.number, (unsigned)newer.epoch,
              (unsigned)newer.primary[1], config_why_name(newer.why),
              (unsigned)newer.members_count);
    if (sim->healing)
        sim_heal_judge(sim);
}

/* What a comparison that does not look at revisions would compare. */
static bool reg_same_epoch(const struct sim *sim,
                           const struct register_proposal *proposal)
{
    struct config newer, older;

    return sim_register_config(sim, &older) &&
           config_decode(&newer, slice_of(proposal->value,
                                          proposal->value_size)) == ST_OK &&
           newer.epoch == older.epoch;
}

static enum register_outcome reg_cas(struct sim *sim,
                                     const struct register_proposal *proposal)
{
    uint64_t revision = sim->reg_state.revision;

    if (revision != proposal->revision && !MUTANT(13) &&
        !(MUTANT(31) && reg_same_epoch(sim, proposal)))
        return REGISTER_LOST;
    if (!reg_guards_hold(sim, proposal))
        return REGISTER_REJECTED;
    sim_register_put(sim, slice_of(proposal->value, proposal->value_size));
    reg_watchers(sim);
    return REGISTER_WON;
}

static void reg_view(struct sim *sim, struct register_view *out, bool read)
{
    struct sim_register *reg = &sim->reg_state;
    size_t back = 0;

    memset(out, 0, sizeof *out);
    if (reg->history_count == 0)
        return;
    /* A read may be stale. */
    if (read && reg_faulty(sim) && random_chance(&sim->reg, 150))
        back = random_below(&sim->reg, 4);
    if (back >= reg->history_count)
        back = reg->history_count - 1;
    *out = reg->history[reg->history_count - 1 - back];
}

void sim_register_event(struct sim *sim, const struct sim_event *event)
{
    const struct reg_request *request = event->data;
    struct sim_node *node = &sim->nodes[event->node];
    struct reg_answer *answer = calloc(1, sizeof *answer);
    uint64_t *registered = &sim->reg_state.incarnation[event->node];

    INVARIANT(answer != NULL);
    answer->call = request->call;
    answer->token = request->proposal.token;
    switch (request->call) {
    case REGISTER_READ:
        reg_view(sim, &answer->view, true);
        break;
    case REGISTER_CAS:
        answer->outcome = reg_cas(sim, &request->proposal);
        reg_view(sim, &answer->view, false);
        break;
    case REGISTER_LOOK:
        answer->number = *registered;
        break;
    case REGISTER_INCARNATION:
        /* Its own, asked once more, is no other's. */
        if (*registered >= request->incarnation &&
            sim->reg_state.writer[event->node] != event->generation)
            answer->higher = true;
        answer->number = *registered;
        if (*registered < request->incarnation) {
            *registered = request->incarnation;
            sim->reg_state.writer[event->node] = event->generation;
        }
        break;
    }
    for (uint32_t i = 0; i < sim->options.nodes_count; i++)
        answer->alive[i] = reg_alive(sim, i);
    if (request->answer_lost || event->generation != node->generation) {
        free(answer);
        return;
    }
    sim_at(sim, sim->now + random_between(&sim->reg, 500, 4000), EVENT_ANSWER,
           event->node, 0, answer);
}

/* ---- Answers ------------------------------------------------------------ */

static void reg_tell_alive(struct sim *sim, struct sim_node *node,
                           const bool alive[SIM_NODES_MAX])
{
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct replica_event event = {.type = REPLICA_ALIVE};

        memcpy(event.alive.node_id, sim->nodes[i].id, NODE_ID_SIZE);
        event.alive.alive = alive[i];
        sim_node_event(sim, node, &event);
    }
}

void sim_answer_event(struct sim *sim, const struct sim_event *event)
{
    const struct reg_answer *answer = event->data;
    struct sim_node *node = &sim->nodes[event->node];
    struct replica_event out = {.type = REPLICA_ANSWERED};

    if (!answer->unanswered)
        reg_tell_alive(sim, node, answer->alive);
    switch (answer->call) {
    case REGISTER_READ:
        if (answer->unanswered)
            return;
        out.type = REPLICA_VIEW;
        out.view = &answer->view;
        break;
    case REGISTER_CAS:
        out.answered.token = answer->token;
        out.answered.outcome = answer->outcome;
        out.answered.view = answer->unanswered ? NULL : &answer->view;
        break;
    case REGISTER_LOOK:
        if (answer->unanswered)
            return;
        out.type = REPLICA_LOOKED;
        out.number = answer->number;
        break;
    case REGISTER_INCARNATION:
        if (answer->unanswered)
            return;
        out.type = REPLICA_REGISTERED;
        out.registered.higher = answer->higher;
        out.registered.number = answer->number;
        break;
    }
    sim_node_event(sim, node, &out);
}

void sim_watch_event(struct sim *sim, const struct sim_event *event)
{
    struct replica_event out = {.type = REPLICA_VIEW};
    struct register_view view;

    if (!reg_reachable(sim, event->node) || sim->reg_state.history_count == 0)
        return;
    reg_view(sim, &view, false);
    out.view = &view;
    sim_node_event(sim, &sim->nodes[event->node], &out);
}

/* Signs of life and the poll beside the watch. */
void sim_lease(struct sim *sim, struct sim_node *node)
{
    struct replica_status status;
    bool faulty = (sim->options.faults & FAULT_LEASE) != 0 && !sim->healing;

    replica_status(node->replica, &status, sim->now / 1000 + 1);
    if (reg_reachable(sim, node->number)) {
        int64_t ttl = ALIVE_TTL_US;

        if (faulty && random_chance(&sim->reg, 30))
            ttl = random_below(&sim->reg, 3000000);
        if (status.healthy)
            node->alive_until = sim->now + ttl;
        if (random_chance(&sim->reg, 250)) {
            bool alive[SIM_NODES_MAX];

            for (uint32_t i = 0; i < sim->options.nodes_count; i++)
                alive[i] = reg_alive(sim, i);
            reg_tell_alive(sim, node, alive);
            sim_at(sim, sim->now + 1000, EVENT_WATCH, node->number, 0, NULL);
        }
    }
    sim_at(sim, sim->now + ALIVE_EVERY_US, EVENT_LEASE, node->number, 0, NULL);
}
