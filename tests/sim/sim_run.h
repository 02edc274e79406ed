/*
 * sim_run.h: runs of many seeds in processes of their own.
 */
#ifndef DEFTER_TESTS_SIM_SIM_RUN_H
#define DEFTER_TESTS_SIM_SIM_RUN_H

#include "tests/sim/sim.h"
#include "tests/sim/sim_marks.h"

/* What the command line sets, whatever the seed drew; -1: nothing. */
struct sim_wish {
    int64_t faults;
    int64_t kinds;
    int64_t safety_ms;
    int64_t ops;
    int64_t clients;
    bool trace;
    bool frames;
    bool canary;
    int full; /* -1: as the seed draws. */
};
extern const struct sim_wish sim_wish_none;

/* What a seed is; then what was wished. */
void sim_options_draw(struct sim_options *out, uint64_t seed,
                      const struct sim_wish *wish);

/* One seed's end, as a worker tells it: less than a pipe takes at once. */
struct sim_result {
    uint64_t seed;
    uint64_t hash;
    int32_t code;
    struct sim_marks marks;
    uint64_t counts[SIM_COUNTS];
    char text[SIM_TEXT_SIZE];
};

/* One seed, in this process. */
void sim_one(struct sim_result *out, uint64_t seed,
             const struct sim_wish *wish);

struct sim_plan {
    uint64_t from;
    uint64_t count;
    unsigned jobs;
    unsigned batch;
    int64_t seconds;       /* 0: no limit. */
    unsigned failures_max; /* The run ends then. */
    bool quiet;
    size_t
        reaches; /* The run ends at a seed that reaches this mark; 0: none. */
    struct sim_wish wish;
};

enum { SIM_FAILED_MAX = 32 };
struct sim_sum {
    uint64_t seeds;
    uint64_t failures;
    int32_t worst;
    struct sim_marks marks;
    uint64_t counts[SIM_COUNTS];
    struct sim_result failed[SIM_FAILED_MAX]; /* In the order of their seeds. */
    size_t failed_count;
};

/* Every seed of ${plan}, in workers; each 64th twice. */
void sim_run_plan(struct sim_sum *out, const struct sim_plan *plan);

/* Looks for the least that still fails as ${failed} did, and prints it. */
void sim_shrink(const struct sim_result *failed, const struct sim_wish *wish);

/* Breaks each rule in turn (only ${only}, if it is not 0) until a seed of
 * ${plan} notices.  Returns: how many nobody noticed that should have been. */
unsigned sim_run_mutants(const struct sim_plan *plan, unsigned only);

#endif
