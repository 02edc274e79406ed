#include "client/audit/unit.h"
#include "client/audit/verify.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program/archive_list.h"
#include "client/program/cluster.h"
#include "client/program/file.h"
#include "client/program/program.h"
#include "client/program/verify_kinds.h"
#include "client/program/verify_progress.h"

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

/* What is asked for beside the options of the verifier itself. */
struct wishes {
    struct program *program;
    struct verify_options *options;
    struct archive_list units;
    enum status status; /* Not ST_OK: there is no memory for their list. */
    const char *resume;
    bool progress;
};

static bool take_option(struct wishes *wishes, int option)
{
    struct verify_options *options = wishes->options;

    switch (option) {
    case 'r':
        options->receipts = optarg;
        return true;
    case 'h':
        return take_head(options, optarg);
    case 'l':
        return options->has_leaf = take_hex(options->leaf, HASH_SIZE, optarg);
    case 'a':
        return options->has_authority =
                   take_hex(options->authority, PUBLIC_KEY_SIZE, optarg);
    case 't':
        return take_threads(options, optarg);
    case 'c':
        options->checkpoint = optarg;
        return true;
    case 'p':
        options->policy = optarg;
        return true;
    case 'e':
        options->entry = optarg;
        return true;
    case 'u':
        wishes->resume = optarg;
        return true;
    case 's':
        return wishes->progress = true;
    case 'o':
        return options->tree_only = true;
    case 'n':
        return options->no_signatures = true;
    case 'j':
        return wishes->program->json = true;
    default:
        return false;
    }
}

/* Units may be several, of which one or another may be damaged; of anything
 * else there is one. */
static bool take_units(struct wishes *wishes, char **paths, int count)
{
    bool are_units = false;

    for (int i = 0; i < count; i++) {
        wishes->status = archive_list_add(&wishes->units, paths[i]);
        if (wishes->status != ST_OK)
            return true;
        /* What a directory of units gave is known by what it gave. */
        are_units = are_units ||
                    unit_is_one(wishes->units.paths[wishes->units.count - 1]);
    }
    if (are_units)
        archive_list_give(&wishes->units, wishes->options);
    return are_units || count == 1;
}

static bool parse(struct wishes *wishes, int argc, char **argv)
{
    struct verify_options *options = wishes->options;
    static const struct option names[] = {
        {"receipts", required_argument, NULL, 'r'},
        {"head", required_argument, NULL, 'h'},
        {"leaf", required_argument, NULL, 'l'},
        {"authority", required_argument, NULL, 'a'},
        {"threads", required_argument, NULL, 't'},
        {"checkpoint", required_argument, NULL, 'c'},
        {"policy", required_argument, NULL, 'p'},
        {"entry", required_argument, NULL, 'e'},
        {"resume", required_argument, NULL, 'u'},
        {"progress", no_argument, NULL, 's'},
        {"tree-only", no_argument, NULL, 'o'},
        {"no-signatures", no_argument, NULL, 'n'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0; /* Scanned once before, up to the subcommand. */
    while (good && (option = getopt_long(argc, argv, "", names, NULL)) != -1)
        good = take_option(wishes, option);
    if (!good || optind >= argc)
        return false;
    /* What is kept is how far signatures were verified. */
    if (wishes->resume != NULL &&
        (options->no_signatures || options->tree_only))
        return false;
    options->directory = argv[optind];
    return take_units(wishes, argv + optind, argc - optind);
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

int verify_unjudged(const struct verify_options *options,
                    const struct report *report, enum status status)
{
    if (status == ST_RECEIPT)
        return program_fail(EXIT_USAGE, "%s: cannot be read",
                            options->receipts);
    if (status == ST_USAGE && report->policy_error.fault != TLOG_POLICY_GOOD)
        return program_fail(EXIT_USAGE, "%s: line %zu: %s", report->unusable,
                            report->policy_error.line,
                            tlog_policy_fault_text(report->policy_error.fault));
    if (status == ST_USAGE && report->silent != NULL)
        return program_fail(EXIT_USAGE, "%s: %s says nothing of %s",
                            options->directory, report->silent,
                            report->silent_of);
    if (status == ST_USAGE)
        return program_fail(EXIT_USAGE,
                            "%s: cannot be read, or is not of its format",
                            report->unusable);
    if (status == ST_NO_FILE)
        return program_fail(EXIT_USAGE, "%s: %s", options->directory,
                            file_no_log(options->directory));
    if (status == ST_DISK_FAILED)
        return program_fail(EXIT_USAGE, "%s: cannot be read",
                            options->directory);
    return program_fail(EXIT_USAGE, "%s: %s", options->directory,
                        status_info(status)->english);
}

static int take_resume(struct verify_options *options,
                       struct verify_progress *progress,
                       const struct wishes *wishes)
{
    progress->path = wishes->resume;
    progress->is_shown = wishes->progress || isatty(STDERR_FILENO) == 1;
    progress->percent = UINT_MAX;
    options->context = progress;
    options->progress = verify_progress_show;
    options->save = verify_progress_save;
    options->has_resume = wishes->resume != NULL;
    if (wishes->resume == NULL ||
        verify_progress_load(&options->resume, wishes->resume) == ST_OK)
        return EXIT_GOOD;
    return program_fail(EXIT_USAGE,
                        "%s: cannot be read, or is not of its format",
                        wishes->resume);
}

static int judge(struct report *report, const struct wishes *wishes)
{
    struct verify_progress progress = {.status = ST_OK};
    struct verify_options *options = wishes->options;
    enum status status;
    int code = take_authority(options, wishes->program);

    if (code == EXIT_GOOD)
        code = take_resume(options, &progress, wishes);
    if (code != EXIT_GOOD)
        return code;
    status = wishes->status;
    if (status == ST_OK)
        status = verify_given(report, options);
    if (verify_progress_end(&progress) != ST_OK)
        fprintf(stderr, "defter: %s: cannot be written\n", progress.path);
    return status == ST_OK ? EXIT_GOOD
                           : verify_unjudged(options, report, status);
}

int verify_say(const struct program *program, const struct report *report)
{
    if (program->json)
        report_write_json(report, stdout);
    else
        report_write_text(report, stdout);
    static_assert((int)REPORT_TAMPERED == (int)EXIT_REFUSED &&
                      (int)REPORT_INCOMPLETE == (int)EXIT_INCOMPLETE,
                  "verdicts are exit codes");
    return (int)report->verdict;
}

int verify_words(struct report *report_out, struct program *program, int argc,
                 char **argv)
{
    struct verify_options options = {.receipts = program->receipts};
    struct wishes wishes = {.program = program, .options = &options};
    int code =
        parse(&wishes, argc, argv) ? judge(report_out, &wishes) : usage();

    archive_list_free(&wishes.units);
    return code;
}

int verify_run(struct program *program, int argc, char **argv)
{
    static struct report report;
    int code;

    if (verify_extract_wants(argc, argv))
        return verify_extract_run(program, argc, argv);
    if (verify_completeness_wants(argc, argv))
        return verify_completeness_run(program, argc, argv);
    code = verify_words(&report, program, argc, argv);
    return code == EXIT_GOOD ? verify_say(program, &report) : code;
}
