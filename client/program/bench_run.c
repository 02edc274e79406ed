#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/bench.h"
#include "client/program/execute.h"

/* Whoever says how many commands is not stopped by the seconds meant for those
 * who do not, on a machine that is slow. */
enum { SESSION_ROWS_MAX = 8, SECONDS = 5, SECONDS_MAX = 3600 };

struct options {
    uint32_t seconds;
    uint64_t commands;
    uint32_t sessions[SESSION_ROWS_MAX];
    uint32_t rows;
    bool receipts;
    const char *directory;
};

static int usage(void)
{
    return program_usage("bench");
}

static int parse_sessions(struct options *options, const char *text)
{
    options->rows = 0;
    while (*text != '\0' && options->rows < SESSION_ROWS_MAX) {
        char *end;
        unsigned long count = strtoul(text, &end, 10);
        if (end == text || count == 0 || count > UINT16_MAX)
            return usage();
        options->sessions[options->rows++] = (uint32_t)count;
        text = *end == ',' ? end + 1 : end;
    }
    return *text == '\0' && options->rows > 0 ? EXIT_GOOD : usage();
}

static int parse(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"seconds", required_argument, NULL, 's'},
        {"commands", required_argument, NULL, 'c'},
        {"sessions", required_argument, NULL, 'n'},
        {"receipts", no_argument, NULL, 'r'},
        {"directory", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0}};
    int option, code = EXIT_GOOD;

    optind = 0;
    while (code == EXIT_GOOD &&
           (option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
        uint64_t seconds;
        if (option == 'c' &&
            program_number(&options->commands, optarg, 1, UINT64_MAX))
            continue;
        if (option == 's' && program_number(&seconds, optarg, 1, SECONDS_MAX))
            options->seconds = (uint32_t)seconds;
        else if (option == 'n')
            code = parse_sessions(options, optarg);
        else if (option == 'r')
            options->receipts = true;
        else if (option == 'd')
            options->directory = optarg;
        else
            code = usage();
    }
    if (options->seconds == 0)
        options->seconds = options->commands == 0 ? SECONDS : SECONDS_MAX;
    return code;
}

static void print_machine(const struct program *program,
                          const struct bench_machine *machine)
{
    if (program->json)
        printf("{\"machine\":{\"ed25519_verify\":%.0f,\"ed25519_sign\":%.0f,"
               "\"sha256_bytes\":%.0f,\"fdatasync\":%.0f}}\n",
               machine->verify, machine->sign, machine->sha256_bytes,
               machine->fdatasync);
    else
        printf("this machine, one core: Ed25519 verify %.0f/s, sign %.0f/s, "
               "SHA-256 %.0f MB/s",
               machine->verify, machine->sign, machine->sha256_bytes / 1e6);
    if (!program->json && machine->fdatasync > 0)
        printf(", fdatasync %.0f/s", machine->fdatasync);
    if (!program->json)
        putchar('\n');
}

static void print_row(const struct program *program, const char *name,
                      uint32_t sessions, const struct bench_figures *figures,
                      const struct bench_machine *machine)
{
    double ratio = figures->per_second / machine->verify;

    if (program->json)
        printf("{\"operation\":\"%s\",\"sessions\":%u,\"per_second\":%.0f,"
               "\"p50_us\":%u,\"p99_us\":%u,\"of_verify_limit\":%.3f}\n",
               name, sessions, figures->per_second, figures->p50_us,
               figures->p99_us, ratio);
    else
        printf("%-18s %5u sessions  %8.0f/s  p50 %6u us  p99 %6u us  %4.0f %% "
               "of one core's verifications\n",
               name, sessions, figures->per_second, figures->p50_us,
               figures->p99_us, 100 * ratio);
    fflush(stdout);
}

/* `defter bench`: one operation from growing numbers of sessions. */
int bench_run(struct program *program, int argc, char **argv)
{
    char name[] = "system.ping";
    char *ping[] = {name, NULL};
    struct options options = {.sessions = {1, 16, 64, 256}, .rows = 4};
    struct execution execution = {0};
    struct bench_machine machine;
    int code = parse(&options, argc, argv);

    if (code == EXIT_GOOD)
        code = optind < argc
                   ? execute_parse(&execution, argc - optind, argv + optind)
                   : execute_parse(&execution, 1, ping);
    if (code == EXIT_GOOD) {
        bench_machine(&machine, options.directory);
        print_machine(program, &machine);
    }
    for (uint32_t i = 0; code == EXIT_GOOD && i < options.rows; i++) {
        struct bench_load load = {.execution = &execution,
                                  .sessions = options.sessions[i],
                                  .seconds = options.seconds,
                                  .commands = options.commands,
                                  .flags =
                                      options.receipts ? DEFTER_RECEIPT : 0};
        struct bench_figures figures = {0};
        code = bench_operation(program, &load, &figures);
        if (code == EXIT_GOOD)
            print_row(program, execution.operation->name, load.sessions,
                      &figures, &machine);
    }
    execute_free(&execution);
    return code;
}
