/*
 * sim: runs seeds (./dev sim).  The first line printed repeats the run.
 *
 * Exit code: 0; 127 some seed crashed; 128 some came to no end; 129 some was
 * wrong: the worst of them; 3 for a command line that is none.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_run.h"

enum { MAIN_SHRINK = 3, MAIN_MARKS_SEEDS = 3000, MAIN_USAGE = 3 };

enum main_option {
    OPTION_SEED = 1,
    OPTION_FROM,
    OPTION_SEEDS,
    OPTION_SECONDS,
    OPTION_JOBS,
    OPTION_FAULTS,
    OPTION_KINDS,
    OPTION_SAFETY,
    OPTION_OPS,
    OPTION_CLIENTS,
    OPTION_MUTANT,
    OPTION_FAILURES,
    OPTION_MUTANTS,
    OPTION_REGRESSIONS,
    OPTION_MARKS,
    OPTION_REACHES,
    OPTION_CANARY,
    OPTION_TRACE,
    OPTION_FRAMES,
    OPTION_FULL,
    OPTION_LIGHT
};

static const struct option known[] = {
    {"seed", required_argument, NULL, OPTION_SEED},
    {"from", required_argument, NULL, OPTION_FROM},
    {"seeds", required_argument, NULL, OPTION_SEEDS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"faults", required_argument, NULL, OPTION_FAULTS},
    {"kinds", required_argument, NULL, OPTION_KINDS},
    {"safety-ms", required_argument, NULL, OPTION_SAFETY},
    {"ops", required_argument, NULL, OPTION_OPS},
    {"clients", required_argument, NULL, OPTION_CLIENTS},
    {"failures", required_argument, NULL, OPTION_FAILURES},
    {"mutant", required_argument, NULL, OPTION_MUTANT},
    {"mutants", no_argument, NULL, OPTION_MUTANTS},
    {"regressions", required_argument, NULL, OPTION_REGRESSIONS},
    {"marks", no_argument, NULL, OPTION_MARKS},
    {"reaches", required_argument, NULL, OPTION_REACHES},
    {"canary", no_argument, NULL, OPTION_CANARY},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"frames", no_argument, NULL, OPTION_FRAMES},
    {"full", no_argument, NULL, OPTION_FULL},
    {"light", no_argument, NULL, OPTION_LIGHT},
    {NULL, 0, NULL, 0},
};

struct main_line {
    struct sim_plan plan;
    bool one;
    bool mutants;
    bool marks; /* One that is missing fails the run. */
    unsigned mutant;
    const char *regressions;
};

static void line_number(struct main_line *line, enum main_option option,
                        const char *text)
{
    int64_t number = strtoll(text, NULL, 0);
    struct sim_plan *plan = &line->plan;

    switch (option) {
    case OPTION_SEED:
        plan->from = (uint64_t)number;
        plan->count = 1;
        line->one = true;
        break;
    case OPTION_FROM:
        plan->from = (uint64_t)number;
        break;
    case OPTION_SEEDS:
        plan->count = (uint64_t)number;
        break;
    case OPTION_SECONDS:
        plan->seconds = number;
        break;
    case OPTION_JOBS:
        plan->jobs = number < 1 ? 1 : number > 16 ? 16 : (unsigned)number;
        break;
    case OPTION_FAULTS:
        plan->wish.faults = number;
        break;
    case OPTION_KINDS:
        plan->wish.kinds = number;
        break;
    case OPTION_SAFETY:
        plan->wish.safety_ms = number;
        break;
    case OPTION_OPS:
        plan->wish.ops = number;
        break;
    case OPTION_FAILURES:
        plan->failures_max = (unsigned)number;
        break;
    case OPTION_CLIENTS:
        plan->wish.clients = number;
        break;
    default:
        line->mutant = (unsigned)number;
        break;
    }
}

static bool line_read(struct main_line *line, int argc, char **argv)
{
    int option;

    *line = (struct main_line){.plan = {.from = 1,
                                        .count = 1000,
                                        .jobs = 1,
                                        .batch = 64,
                                        .failures_max = 20,
                                        .wish = sim_wish_none}};
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case OPTION_MUTANTS:
            line->mutants = true;
            break;
        case OPTION_REGRESSIONS:
            line->regressions = optarg;
            break;
        case OPTION_MARKS:
            line->marks = true;
            break;
        case OPTION_REACHES:
            line->plan.reaches = sim_marks_number(optarg);
            if (line->plan.reaches == 0)
                return false;
            break;
        case OPTION_CANARY:
            line->plan.wish.canary = true;
            break;
        case OPTION_TRACE:
            line->plan.wish.trace = true;
            break;
        case OPTION_FRAMES:
            line->plan.wish.trace = line->plan.wish.frames = true;
            break;
        case OPTION_FULL:
            line->plan.wish.full = 1;
            break;
        case OPTION_LIGHT:
            line->plan.wish.full = 0;
            break;
        case '?':
            return false;
        default:
            line_number(line, (enum main_option)option, optarg);
            break;
        }
    }
    return optind == argc;
}

/* ---- What is run -------------------------------------------------------- */

static int main_one(const struct main_line *line)
{
    struct sim_result result;

    sim_one(&result, line->plan.from, &line->plan.wish);
    printf("seed %llu: %d %s\n", (unsigned long long)result.seed,
           (int)result.code, result.text);
    printf("hash %016llx\n", (unsigned long long)result.hash);
    return result.code;
}

static void main_counts(const struct sim_sum *sum)
{
    static const char *const names[SIM_COUNTS] = {
#define COUNT(name, text) text,
        SIM_COUNT_LIST(COUNT)
#undef COUNT
    };

    for (size_t i = 0; i < SIM_COUNTS; i++)
        printf("%s%llu %s", i == 0 ? "" : ", ",
               (unsigned long long)sum->counts[i], names[i]);
    printf("\n");
}

/* ${marks}: what was reached before. */
static int main_many(const struct main_line *line,
                     const struct sim_marks *marks)
{
    static struct sim_sum sum;
    time_t began = time(NULL);
    unsigned missing = 0;

    sim_run_plan(&sum, &line->plan);
    printf("%llu seeds, %llu failed, %ld s\n", (unsigned long long)sum.seeds,
           (unsigned long long)sum.failures, (long)(time(NULL) - began));
    main_counts(&sum);
    sim_marks_add(&sum.marks, marks);
    if (line->marks || sum.seeds >= MAIN_MARKS_SEEDS)
        missing = sim_marks_missing(&sum.marks);
    for (size_t i = 0; i < sum.failed_count && i < MAIN_SHRINK; i++)
        sim_shrink(&sum.failed[i], &line->plan.wish);
    if (sum.worst == SIM_GOOD && line->marks && missing > 0)
        return 1;
    return sum.worst;
}

/* Seeds that failed once, or get where few do, one a line; "full" behind its
 * number: a full one. */
static int main_regressions(struct sim_marks *marks,
                            const struct main_line *line)
{
    FILE *file = fopen(line->regressions, "re");
    struct main_line once = *line;
    char text[256];
    int worst = SIM_GOOD;

    if (file == NULL)
        return MAIN_USAGE;
    once.plan.count = 1;
    while (fgets(text, sizeof text, file) != NULL) {
        static struct sim_sum sum;
        char *end;

        once.plan.from = strtoull(text, &end, 10);
        if (end == text)
            continue;
        once.plan.wish.full = strncmp(end, " full", 5) == 0;
        sim_run_plan(&sum, &once.plan);
        sim_marks_add(marks, &sum.marks);
        if (sum.worst > worst)
            worst = sum.worst;
    }
    (void)fclose(file);
    return worst;
}

int main(int argc, char **argv)
{
    struct sim_marks marks = {{0}};
    struct main_line line;
    int worst = SIM_GOOD;

    if (!line_read(&line, argc, argv) || sodium_init() < 0)
        return MAIN_USAGE;
    /* What is said before a crash is what is wanted most. */
    if (line.one)
        (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < argc; i++)
        printf("%s%s", i == 0 ? "" : " ", i == 0 ? "sim" : argv[i]);
    printf("%s\n", argc == 1 ? " --from 1 --seeds 1000" : "");
    if (line.mutants)
        return sim_run_mutants(&line.plan, line.mutant) > 0;
    sometimes_mutant = line.mutant;
    if (line.one)
        return main_one(&line);
    if (line.regressions != NULL)
        worst = main_regressions(&marks, &line);
    if (line.plan.count > 0) {
        int code = main_many(&line, &marks);

        if (code > worst)
            worst = code;
    }
    return worst;
}
