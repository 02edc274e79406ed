/*
 * sim: runs seeds (./dev sim).  The first line printed repeats the run.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "tests/sim/sim.h"

static void options_draw(struct sim_options *out, uint64_t seed)
{
    struct random random = random_stream(seed, 99);
    static const uint32_t segments[] = {96 * 1024, 256 * 1024};

    memset(out, 0, sizeof *out);
    out->seed = seed;
    /* Swarm: each class is there or not. */
    out->faults = (uint32_t)random_next(&random) & FAULT_ALL;
    if (random_chance(&random, 100))
        out->faults = FAULT_CRASH;
    out->nodes_count = 3;
    out->archives_count = 1;
    out->minimum = 2;
    switch (random_below(&random, 6)) {
    case 0:
        out->nodes_count = 2;
        out->archives_count = 0;
        out->minimum = (uint8_t)random_between(&random, 1, 2);
        break;
    case 1:
        out->nodes_count = (uint32_t)random_between(&random, 4, 5);
        out->archives_count = random_below(&random, 2);
        out->minimum = (uint8_t)random_between(&random, 2, 3);
        break;
    case 2:
        out->minimum = 1;
        break;
    default:
        break;
    }
    out->clients_count = (uint32_t)random_between(&random, 1, 6);
    out->segment_size = segments[random_below(&random, 2)];
    out->safety_us = random_between(&random, 2, 8) * INT64_C(1000000);
    out->healing_us = 40 * INT64_C(1000000);
    out->ops_max = (uint32_t)random_between(&random, 40, 300);
    out->scrub_ms = random_chance(&random, 200) ? 50 : 300;
}

static int run_one(const struct sim_options *options, bool show)
{
    struct sim *sim = malloc(sizeof *sim);
    uint64_t hash;
    int code;

    INVARIANT(sim != NULL);
    sim_open(sim, options);
    code = sim_run(sim);
    hash = sim->hash;
    if (code != SIM_GOOD)
        printf("seed %llu: %s (faults %#x, %u nodes, %u archives, minimum %u)\n",
               (unsigned long long)options->seed, sim->text,
               (unsigned)options->faults, (unsigned)options->nodes_count,
               (unsigned)options->archives_count, (unsigned)options->minimum);
    if (show)
        printf("hash %016llx acked %llu leads %llu via %llu cuts %llu crashes "
               "%llu rots %llu repairs %llu lost %llu found %llu events %llu\n",
               (unsigned long long)hash,
               (unsigned long long)sim->counts[COUNT_ACKED],
               (unsigned long long)sim->counts[COUNT_LEADS],
               (unsigned long long)sim->counts[COUNT_VIA],
               (unsigned long long)sim->counts[COUNT_CUTS],
               (unsigned long long)sim->counts[COUNT_CRASHES],
               (unsigned long long)sim->counts[COUNT_ROTS],
               (unsigned long long)sim->counts[COUNT_REPAIRS],
               (unsigned long long)sim->counts[COUNT_LOST],
               (unsigned long long)sim->counts[COUNT_FOUND],
               (unsigned long long)sim->counts[COUNT_EVENTS]);
    sim_close(sim);
    free(sim);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},
        {"from", required_argument, NULL, 'f'},
        {"seeds", required_argument, NULL, 'n'},
        {"trace", no_argument, NULL, 't'},
        {"canary", no_argument, NULL, 'c'},
        {"faults", required_argument, NULL, 'x'},
        {NULL, 0, NULL, 0},
    };
    uint64_t from = 1, count = 1000;
    bool trace = false, canary = false;
    long faults = -1;
    int option, failures = 0;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 's')
            from = strtoull(optarg, NULL, 10), count = 1;
        else if (option == 'f')
            from = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            count = strtoull(optarg, NULL, 10);
        else if (option == 't')
            trace = true;
        else if (option == 'c')
            canary = true;
        else if (option == 'x')
            faults = strtol(optarg, NULL, 0);
        else
            return 3;
    }
    if (sodium_init() < 0)
        return 1;
    printf("sim --from %llu --seeds %llu\n", (unsigned long long)from,
           (unsigned long long)count);
    time_t began = time(NULL);
    for (uint64_t seed = from; seed < from + count; seed++) {
        struct sim_options options;
        pid_t child;
        int status = 0;

        options_draw(&options, seed);
        options.trace = trace;
        options.canary = canary;
        if (faults >= 0)
            options.faults = (uint32_t)faults;
        if (count == 1)
            return run_one(&options, true);
        (void)fflush(stdout);
        child = fork();
        if (child == 0) {
            int code = run_one(&options, false);

            (void)fflush(stdout);
            _exit(code);
        }
        (void)waitpid(child, &status, 0);
        if (WIFSIGNALED(status))
            printf("seed %llu: crash\n", (unsigned long long)seed);
        if (status != 0 && ++failures >= 20)
            break;
    }
    printf("%d failures in %ld s\n", failures, (long)(time(NULL) - began));
    return failures > 0;
}
