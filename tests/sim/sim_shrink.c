#include <stdio.h>

#include "tests/sim/sim_run.h"

/* Whether it still fails, in a process of its own: it may crash. */
static bool shrink_fails(uint64_t seed, int32_t code,
                         const struct sim_wish *wish)
{
    struct sim_plan plan = {.from = seed,
                            .count = 1,
                            .jobs = 1,
                            .batch = 1,
                            .failures_max = 2,
                            .quiet = true,
                            .wish = *wish};
    static struct sim_sum sum;

    sim_run_plan(&sum, &plan);
    return sum.worst == code;
}

static void shrink_bits(uint64_t seed, int32_t code, struct sim_wish *wish,
                        int64_t *field)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        int64_t before = *field;

        if ((before >> bit & 1) == 0)
            continue;
        *field = before & ~(INT64_C(1) << bit);
        if (!shrink_fails(seed, code, wish))
            *field = before;
    }
}

/* Halves it as long as that fails, then tries a quarter less. */
static void shrink_number(uint64_t seed, int32_t code, struct sim_wish *wish,
                          int64_t *field, int64_t least)
{
    for (int64_t part = 2; part <= 4; part += 2) {
        for (;;) {
            int64_t before = *field;

            *field = before - before / part;
            if (*field < least || *field == before ||
                !shrink_fails(seed, code, wish)) {
                *field = before;
                break;
            }
        }
    }
}

void sim_shrink(const struct sim_result *failed, const struct sim_wish *wish)
{
    struct sim_wish least = *wish;
    struct sim_options options;
    uint64_t seed = failed->seed;

    sim_options_draw(&options, seed, wish);
    least.trace = least.frames = false;
    least.faults = options.faults;
    least.kinds = options.kinds;
    least.full = options.full;
    least.safety_ms = options.safety_us / 1000;
    least.ops = options.ops_max;
    least.clients = options.clients_count;
    if (!shrink_fails(seed, failed->code, &least)) {
        printf("seed %llu does not fail again\n", (unsigned long long)seed);
        return;
    }
    shrink_bits(seed, failed->code, &least, &least.faults);
    shrink_bits(seed, failed->code, &least, &least.kinds);
    shrink_number(seed, failed->code, &least, &least.safety_ms, 200);
    shrink_number(seed, failed->code, &least, &least.clients, 1);
    shrink_number(seed, failed->code, &least, &least.ops, 4);
    printf("least: sim --seed %llu --faults %#llx --kinds %#llx "
           "--safety-ms %lld --ops %lld --clients %lld --%s --trace\n",
           (unsigned long long)seed, (unsigned long long)least.faults,
           (unsigned long long)least.kinds, (long long)least.safety_ms,
           (long long)least.ops, (long long)least.clients,
           least.full > 0 ? "full" : "light");
}
