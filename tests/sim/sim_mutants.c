#include <stdio.h>
#include <stdlib.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_run.h"

/* A seed that fails anyway says nothing about a mutant. */
static bool mutant_is_why(const struct sim_plan *plan, uint64_t seed)
{
    struct sim_plan once = *plan;
    static struct sim_sum sum;

    once.from = seed;
    once.count = 1;
    once.quiet = true;
    sim_run_plan(&sum, &once);
    return sum.failures == 0;
}

/* Seeds until somebody notices; 0: nobody does. */
static uint64_t mutant_run(struct sim_sum *sum, const struct sim_plan *plan,
                           unsigned number)
{
    struct sim_plan rest = *plan;
    uint64_t end = plan->from + plan->count;

    rest.failures_max = 1;
    rest.quiet = true;
    rest.batch = 8;
    while (rest.from < end) {
        uint64_t seed;

        rest.count = end - rest.from;
        sometimes_mutant = number;
        sim_run_plan(sum, &rest);
        sometimes_mutant = 0;
        if (sum->failed_count == 0)
            return 0;
        seed = sum->failed[0].seed;
        if (mutant_is_why(plan, seed))
            return seed - plan->from + 1;
        rest.from = seed + 1;
    }
    return 0;
}

static int mutants_order(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

static bool mutant_tell(const struct sim_mutant *mutant, uint64_t seeds,
                        uint64_t tried, const struct sim_sum *sum)
{
    if (seeds > 0) {
        printf("M%-3u killed by seed %-6llu %d %.60s\n", mutant->number,
               (unsigned long long)sum->failed[0].seed,
               (int)sum->failed[0].code, sum->failed[0].text);
        return true;
    }
    printf("M%-3u %s after %llu seeds: %s\n", mutant->number,
           mutant->survives[0] != '\0' ? "lives, as it may," : "LIVES",
           (unsigned long long)tried, mutant->text);
    return mutant->survives[0] != '\0';
}

unsigned sim_run_mutants(const struct sim_plan *plan, unsigned only)
{
    struct sim_sum *sum = malloc(sizeof *sum);
    uint64_t seeds[256];
    unsigned killed = 0, alive = 0;

    INVARIANT(sum != NULL && sim_mutants_count <= 256);
    for (unsigned i = 0; i < sim_mutants_count; i++) {
        struct sim_plan own = *plan;
        uint64_t took;

        if (only != 0 && sim_mutants[i].number != only)
            continue;
        own.wish.full = sim_mutants[i].full;
        took = mutant_run(sum, &own, sim_mutants[i].number);
        if (took > 0)
            seeds[killed++] = took;
        alive += !mutant_tell(&sim_mutants[i], took, plan->count, sum);
        (void)fflush(stdout);
    }
    free(sum);
    if (killed > 0) {
        qsort(seeds, killed, sizeof seeds[0], mutants_order);
        printf("%u killed, median %llu seeds, most %llu\n", killed,
               (unsigned long long)seeds[killed / 2],
               (unsigned long long)seeds[killed - 1]);
    }
    return alive;
}
