/*
 * sim_papers.c: certificates on their way to nodes.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_operator.h"

/* A certificate on its way. */
struct paper {
    uint64_t error; /* The number of one that is not lawful, else 0. */
    size_t size;
    uint8_t bytes[];
};

const struct register_view *sim_operator_last(const struct sim *sim)
{
    const struct sim_register *reg = &sim->reg_state;

    return &reg->history[reg->history_count - 1];
}

bool sim_operator_reaches(const struct sim *sim, const struct sim_node *node)
{
    return node->up && node->replica != NULL &&
           node->paused_until <= sim->now &&
           !sim->reg_state.cut[node->number] &&
           sim->reg_state.unavailable_until <= sim->now;
}

void sim_paper_send(struct sim *sim, struct sim_node *node, struct slice config,
                    uint64_t error)
{
    struct config decoded;
    struct config_cert cert = {.config = config};
    struct paper *paper =
        calloc(1, sizeof *paper + CONFIG_CERT_ENCODED_SIZE_MAX);
    struct writer writer;

    INVARIANT(paper != NULL);
    if (config_decode(&decoded, config) == ST_OK)
        cert.kind = decoded.why;
    writer_init(&writer, paper->bytes, CONFIG_CERT_ENCODED_SIZE_MAX);
    config_cert_begin(&writer, &cert);
    paper->size = writer.used;
    paper->error = error;
    sim_at(sim, sim->now + random_between(&sim->reg, 1000, 60000),
           EVENT_CERTIFIED, node->number, 0, paper);
}

void sim_operator_signs(struct sim *sim, const struct config *config)
{
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];

    config_encode(bytes, config);
    sim_register_put(sim, slice_of(bytes, config_size(config)));
}

/* Whoever has not heard of the newest one hears of it. */
void sim_operator_sends(struct sim *sim)
{
    const struct register_view *last = sim_operator_last(sim);

    if (sim->reg_state.history_count == 1)
        return; /* The founder's is nobody's paper. */
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct config config;
        struct slice bytes;

        if (!sim_operator_reaches(sim, &sim->nodes[i]))
            continue;
        if (replica_config(sim->nodes[i].replica, &config, &bytes) &&
            slice_equal(bytes, slice_of(last->value, last->value_size)))
            continue;
        sim_paper_send(sim, &sim->nodes[i],
                       slice_of(last->value, last->value_size), 0);
    }
}

static bool paper_is_lawful(const struct sim *sim, struct slice config)
{
    for (size_t i = 0; i < sim->reg_state.history_count; i++) {
        const struct register_view *view = &sim->reg_state.history[i];

        if (slice_equal(config, slice_of(view->value, view->value_size)))
            return true;
    }
    return false;
}

void sim_certified(struct sim *sim, const struct sim_event *event)
{
    const struct paper *paper = event->data;
    struct sim_node *node = &sim->nodes[event->node];
    struct replica_event out = {.type = REPLICA_CERTIFIED};
    struct config config;
    struct slice bytes;

    /* Two of one number are another matter: whoever sees both halts. */
    if (paper->error != 0 &&
        (!sim_register_config(sim, &config) || config.number >= paper->error))
        return;
    out.certificate = slice_of(paper->bytes, paper->size);
    sim_node_event(sim, node, &out);
    if (node->replica != NULL &&
        replica_config(node->replica, &config, &bytes) && config.number > 1 &&
        !paper_is_lawful(sim, bytes))
        sim_fail(sim, SIM_WRONG, "I2: %u takes what is not lawful",
                 node->number);
}

/* Of what other nodes pass on only what was signed verifies. */
void sim_verify(struct sim *sim, struct sim_node *node,
                struct slice certificate)
{
    struct config_cert cert;

    if (config_cert_decode(&cert, certificate) != ST_OK ||
        !paper_is_lawful(sim, cert.config))
        return;
    sim_paper_send(sim, node, cert.config, 0);
}
