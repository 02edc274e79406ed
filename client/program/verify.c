#include "client/audit/verify.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program/cluster.h"
#include "client/program/program.h"
#include "client/program/verify_kinds.h"

struct progress {
    unsigned shown; /* In percent. */
};

static void show(void *context, uint64_t passed, uint64_t total)
{
    struct progress *progress = context;
    unsigned percent = total == 0 ? 100 : (unsigned)(passed * 100 / total);

    if (percent == progress->shown)
        return;
    progress->shown = percent;
    fprintf(stderr, "\rverifying %3u %%", percent);
    if (percent >= 100)
        fputs("\r               \r", stderr);
}

static bool take_hex(uint8_t *out, size_t size, const char *text)
{
    size_t got;

    return sodium_hex2bin(out, size, text, strlen(text), NULL, &got, NULL) ==
               0 &&
           got == size;
}

/* SIZE:ROOT, as chain.head gives them. */
static bool take_head(struct verify_options *options, const char *text)
{
    const char *colon = strchr(text, ':');
    char *end;

    if (colon == NULL || *text < '0' || *text > '9')
        return false;
    options->has_head = true;
    errno = 0;
    options->head_size = strtoull(text, &end, 10);
    return errno == 0 && end == colon && options->head_size > 0 &&
           take_hex(options->head_root, HASH_SIZE, colon + 1);
}

static bool take_threads(struct verify_options *options, const char *text)
{
    enum { THREADS_MAX = 256 };
    uint64_t number;
    bool good = program_number(&number, text, 1, THREADS_MAX);

    options->threads = (unsigned)number;
    return good;
}

static int usage(void)
{
    return program_usage("verify");
}

static bool parse(struct verify_options *options, struct program *program,
                  int argc, char **argv)
{
    static const struct option names[] = {
        {"receipts", required_argument, NULL, 'r'},
        {"head", required_argument, NULL, 'h'},
        {"leaf", required_argument, NULL, 'l'},
        {"authority", required_argument, NULL, 'a'},
        {"threads", required_argument, NULL, 't'},
        {"no-signatures", no_argument, NULL, 'n'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0; /* Scanned once before, up to the subcommand. */
    while (good && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'r')
            options->receipts = optarg;
        else if (option == 'h')
            good = take_head(options, optarg);
        else if (option == 'l')
            good = options->has_leaf =
                take_hex(options->leaf, HASH_SIZE, optarg);
        else if (option == 'a')
            good = options->has_authority =
                take_hex(options->authority, PUBLIC_KEY_SIZE, optarg);
        else if (option == 't')
            good = take_threads(options, optarg);
        else if (option == 'n')
            options->no_signatures = true;
        else if (option == 'j')
            program->json = true;
        else
            good = false;
    }
    if (!good || optind != argc - 1)
        return false;
    options->directory = argv[optind];
    return true;
}

/* The trusted key: --authority, or of the cluster.conf that was named. */
static int take_authority(struct verify_options *options,
                          const struct program *program)
{
    struct cluster cluster;
    int code;

    if (options->has_authority ||
        (program->cluster == NULL && getenv("DEFTER_CLUSTER") == NULL))
        return EXIT_GOOD;
    code = cluster_load(&cluster, program);
    if (code != EXIT_GOOD)
        return code;
    options->has_authority = true;
    memcpy(options->authority, cluster.authority_key, PUBLIC_KEY_SIZE);
    return EXIT_GOOD;
}

int verify_run(struct program *program, int argc, char **argv)
{
    struct progress progress = {.shown = 101};
    struct verify_options options = {.receipts = program->receipts};
    struct report report;
    enum status status;
    int code;

    if (verify_extract_wants(argc, argv))
        return verify_extract_run(program, argc, argv);
    if (verify_completeness_wants(argc, argv))
        return verify_completeness_run(program, argc, argv);
    if (!parse(&options, program, argc, argv))
        return usage();
    code = take_authority(&options, program);
    if (code != EXIT_GOOD)
        return code;
    if (isatty(STDERR_FILENO) == 1) {
        options.context = &progress;
        options.progress = show;
    }
    status = verify_log(&report, &options);
    if (status == ST_RECEIPT)
        return program_fail(EXIT_USAGE, "%s: cannot be read", options.receipts);
    if (status == ST_NO_FILE)
        return program_fail(EXIT_USAGE, "%s: no log is there",
                            options.directory);
    if (status == ST_DISK_FAILED)
        return program_fail(EXIT_USAGE, "%s: cannot be read",
                            options.directory);
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", options.directory,
                            status_info(status)->english);
    if (program->json)
        report_write_json(&report, stdout);
    else
        report_write_text(&report, stdout);
    static_assert((int)REPORT_TAMPERED == (int)EXIT_REFUSED &&
                      (int)REPORT_INCOMPLETE == (int)EXIT_INCOMPLETE,
                  "verdicts are exit codes");
    return (int)report.verdict;
}
