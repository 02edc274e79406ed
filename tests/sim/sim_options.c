#include <string.h>

#include "tests/sim/sim_run.h"

const struct sim_wish sim_wish_none = {.faults = -1,
                                       .kinds = -1,
                                       .safety_ms = -1,
                                       .ops = -1,
                                       .clients = -1,
                                       .full = -1};

static void options_nodes(struct sim_options *out, struct random *random)
{
    uint32_t shape = random_below(random, 6);

    out->nodes_count = 3;
    out->archives_count = 1;
    out->minimum = 2;
    if (shape == 0) {
        out->nodes_count = 2;
        out->archives_count = 0;
        out->minimum = (uint8_t)random_between(random, 1, 2);
    } else if (shape == 1) {
        out->nodes_count = (uint32_t)random_between(random, 4, 5);
        out->archives_count = random_below(random, 2);
        out->minimum = (uint8_t)random_between(random, 2, 3);
    } else if (shape == 2) {
        out->minimum = 1;
    }
}

static uint32_t options_kinds(struct random *random)
{
    uint32_t kinds = 0;

    if (random_chance(random, 150))
        kinds |= KIND_MANUAL;
    if (random_chance(random, 100))
        kinds |= KIND_SAFETY_ONLY;
    return kinds;
}

/* One in sixteen, drawn from a stream of its own.  What an operator signs is
 * not signed in this world, and a state machine looks at signatures. */
static void options_full(struct sim_options *out, const struct sim_wish *wish)
{
    struct random random = random_stream(out->seed, 98);

    out->full =
        wish->full >= 0 ? wish->full > 0 : random_below(&random, 16) == 0;
    if (!out->full)
        return;
    out->kinds &= ~(uint32_t)KIND_MANUAL;
    if (out->ops_max > 120 && wish->ops < 0)
        out->ops_max = 120;
}

void sim_options_draw(struct sim_options *out, uint64_t seed,
                      const struct sim_wish *wish)
{
    static const uint32_t segments[] = {96 * 1024, 256 * 1024};
    struct random random = random_stream(seed, 99);

    memset(out, 0, sizeof *out);
    out->seed = seed;
    /* Swarm: each class is there or not. */
    out->faults = (uint32_t)random_next(&random) & FAULT_USUAL;
    if (random_chance(&random, 100))
        out->faults = FAULT_CRASH;
    options_nodes(out, &random);
    out->clients_count = (uint32_t)random_between(&random, 1, 6);
    out->segment_size = segments[random_below(&random, 2)];
    out->safety_us = random_between(&random, 2, 8) * INT64_C(1000000);
    out->healing_us = 40 * INT64_C(1000000);
    out->ops_max = (uint32_t)random_between(&random, 40, 300);
    out->scrub_ms = random_chance(&random, 200) ? 50 : 300;
    out->data_max = random_chance(&random, 200) ? 3500 : 500;
    out->kinds = options_kinds(&random);
    if (random_chance(&random, 20)) {
        out->faults = 0;
        out->kinds = KIND_AWAY;
    }
    if (wish->faults >= 0)
        out->faults = (uint32_t)wish->faults;
    if (wish->kinds >= 0)
        out->kinds = (uint32_t)wish->kinds;
    if (wish->safety_ms >= 0)
        out->safety_us = wish->safety_ms * 1000;
    if (wish->ops >= 0)
        out->ops_max = (uint32_t)wish->ops;
    if (wish->clients >= 0)
        out->clients_count = (uint32_t)wish->clients;
    options_full(out, wish);
    out->trace = wish->trace;
    out->frames = wish->frames;
    out->canary = wish->canary;
}
