#include "tests/sim/sim_full.h"

enum {
    CLIENT_TIMEOUT_US = 400000,
    REPLY_DELAY_US = 1500,
    CLIENT_PATIENCE_US = 20000
};

static void client_try(struct sim *sim, uint32_t number)
{
    struct sim_client *client = &sim->clients[number];
    struct sim_op *op = &sim->ops[client->op];
    uint32_t node = client->node;

    op->tries++;
    client->attempt++;
    sim_at(sim, sim->now + CLIENT_TIMEOUT_US, EVENT_CLIENT, SIM_NODES_MAX,
           number | (uint64_t)client->attempt << 32, NULL);
    if (sim->nodes[node].paused_until <= sim->now)
        sim_command(sim, &sim->nodes[node], client->op);
}

/* The same bytes again, at the next node. */
static void client_again(struct sim *sim, uint32_t number)
{
    struct sim_client *client = &sim->clients[number];

    client->node = (client->node + 1) % sim->options.nodes_count;
    client_try(sim, number);
}

static void client_next(struct sim *sim, uint32_t number)
{
    struct sim_client *client = &sim->clients[number];

    if (sim->full != NULL && sim_full_waits(sim, number)) {
        client->op = UINT32_MAX;
        sim_at(sim, sim->now + CLIENT_PATIENCE_US, EVENT_CLIENT, SIM_NODES_MAX,
               number, NULL);
        return;
    }
    if (sim->ops_count >= sim->options.ops_max) {
        client->op = UINT32_MAX;
        return;
    }
    client->op = sim->ops_count++;
    if (sim->full != NULL)
        sim_full_op(sim, client->op);
    sim->ops[client->op] = (struct sim_op){
        .state = OP_SENT, .client = number, .invoked = sim->now};
    client_try(sim, number);
}

void sim_client(struct sim *sim, uint64_t number)
{
    uint32_t at = (uint32_t)number;
    uint32_t attempt = (uint32_t)(number >> 32);
    struct sim_client *client = &sim->clients[at];

    if (client->op == UINT32_MAX) {
        client_next(sim, at);
        return;
    }
    if (attempt != client->attempt && attempt != 0)
        return;
    if (sim->ops[client->op].state == OP_DONE)
        client_next(sim, at);
    else
        client_again(sim, at);
}

void sim_reply(struct sim *sim, uint32_t number, bool done, uint64_t index)
{
    struct sim_op *op = &sim->ops[number];
    struct sim_client *client = &sim->clients[op->client];

    if (op->state == OP_DONE) {
        if (done && op->index != index)
            sim_fail(sim, SIM_WRONG, "I12: operation %u at %u and at %u",
                     number, (unsigned)op->index, (unsigned)index);
        return;
    }
    if (done) {
        op->state = OP_DONE;
        op->returned = sim->now;
        op->index = index;
        sim->counts[COUNT_ACKED]++;
    }
    if (client->op != number)
        return;
    client->attempt++;
    sim_at(sim,
           sim->now + REPLY_DELAY_US +
               random_skewed(&sim->load, done ? 60000 : 30000),
           EVENT_CLIENT, SIM_NODES_MAX,
           op->client | (uint64_t)client->attempt << 32, NULL);
}
