#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/audit/archive_records.h"
#include "client/export/restore.h"
#include "client/export/unit_export.h"
#include "client/export/units_due.h"
#include "client/program/archive_escrow.h"
#include "client/program/archive_list.h"
#include "client/program/file.h"
#include "client/program/program.h"
#include "client/program/verify_kinds.h"

static struct report report;

static void show(void *context, uint64_t passed, uint64_t total)
{
    unsigned *shown = context;
    unsigned percent = total == 0 ? 100 : (unsigned)(passed * 100 / total);

    if (percent == *shown)
        return;
    *shown = percent;
    fprintf(stderr, "\rarchive %3u %%", percent);
    if (percent >= 100)
        fputs("\r             \r", stderr);
}

/* ---- make ---------------------------------------------------------------- */

struct making {
    struct unit_export_options options;
    bool json;
    bool due;    /* What the log says that there is, and is not there yet; */
    bool ranged; /* else what was said. */
    unsigned shown;
};

static void made(void *context, const struct archive_unit *unit,
                 const char *path, const uint8_t manifest_hash[HASH_SIZE])
{
    struct making *making = context;
    char hex[2 * HASH_SIZE + 1];

    (void)sodium_bin2hex(hex, sizeof hex, manifest_hash, HASH_SIZE);
    printf(making->json ? "{\"number\":%" PRIu64 ",\"first\":%" PRIu64
                          ",\"last\":%" PRIu64 ",\"bytes\":%" PRIu64
                          ",\"manifest\":\"%s\",\"path\":"
                        : "unit %" PRIu64 "  entries %" PRIu64 " to %" PRIu64
                          "  bytes %" PRIu64 "\n  manifest  %s\n  ",
           unit->number, unit->first, unit->last, unit->bytes, hex);
    archive_list_path(path, making->json);
}

/* A unit that only its own copies can give back. */
static void make_missing(void *context, const struct archive_record *record)
{
    const struct making *making = context;
    char hex[2 * HASH_SIZE + 1];

    (void)sodium_bin2hex(hex, sizeof hex, record->manifest, HASH_SIZE);
    if (making->json)
        printf("{\"number\":%" PRIu32 ",\"first\":%" PRIu64 ",\"last\":%" PRIu64
               ",\"manifest\":\"%s\",\"missing\":true}\n",
               record->number, record->first, record->last, hex);
    fprintf(stderr,
            "defter: unit %" PRIu32 " is sealed, and is not in %s: it lies "
            "elsewhere, or is lost there; a copy of it has the manifest %s\n",
            record->number, making->options.target, hex);
}

static void made_progress(void *context, uint64_t passed, uint64_t total)
{
    struct making *making = context;

    show(&making->shown, passed, total);
}

static bool make_option(struct making *making, int option)
{
    enum { THREADS_MAX = 256, MIB_MAX = 1024 * 1024, DAYS_MAX = 36600 };
    struct unit_export_options *options = &making->options;
    uint64_t number = 0;
    bool good;

    making->ranged = making->ranged || strchr("nftmd", option) != NULL;
    switch (option) {
    case 'D':
        return making->due = true;
    case 'c':
        options->checkpoint = optarg;
        return true;
    case 'p':
        options->policy = optarg;
        return true;
    case 'j':
        return making->json = true;
    case 'n':
        return program_number(&options->number, optarg, 1, UINT32_MAX);
    case 'f':
        return program_number(&options->first, optarg, 0, INT64_MAX);
    case 't':
        return program_number(&options->last, optarg, 0, INT64_MAX);
    case 'm':
        good = program_number(&number, optarg, 1, MIB_MAX);
        options->bytes_max = number << 20;
        return good;
    case 'd':
        return program_number(&options->days_max, optarg, 1, DAYS_MAX);
    case 'T':
        good = program_number(&number, optarg, 1, THREADS_MAX);
        options->threads = (unsigned)number;
        return good;
    default:
        return false;
    }
}

static bool make_parse(struct making *making, int argc, char **argv)
{
    static const struct option names[] = {
        {"checkpoint", required_argument, NULL, 'c'},
        {"policy", required_argument, NULL, 'p'},
        {"number", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},
        {"unit-mib", required_argument, NULL, 'm'},
        {"unit-days", required_argument, NULL, 'd'},
        {"threads", required_argument, NULL, 'T'},
        {"due", no_argument, NULL, 'D'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0;
    while (good && (option = getopt_long(argc, argv, "", names, NULL)) != -1)
        good = make_option(making, option);
    if (!good || argc - optind != 2 || (making->due && making->ranged))
        return false;
    making->options.directory = argv[optind];
    making->options.target = argv[optind + 1];
    return true;
}

/* Which of what was named is at fault; without a word of why, the log. */
static const char *make_at(const struct making *making, enum status status,
                           const char *said)
{
    const struct unit_export_options *options = &making->options;

    if (status == ST_ORIGIN && options->checkpoint != NULL)
        return options->checkpoint;
    if (status == ST_FILE_FORMAT && options->policy != NULL)
        return options->policy;
    return status == ST_EXISTS || status == ST_DISK_FULL ||
                   status == ST_WRONG_STATE ||
                   (status == ST_NO_FILE && said != NULL)
               ? options->target
               : options->directory;
}

static int make_failed(const struct making *making, enum status status,
                       const char *said)
{
    const char *what = said != NULL ? said : status_info(status)->english;
    int code = EXIT_USAGE;

    if (status == ST_LOST)
        code = EXIT_INCOMPLETE;
    else if (status == ST_ORIGIN || status == ST_CHECKSUM)
        code = EXIT_REFUSED;
    if (status == ST_CHECKSUM && report.fault.found) {
        what = report.fault.what;
        if (report.fault.index != REPORT_NO_INDEX)
            return program_fail(code, "%s: entry %" PRIu64 ": %s",
                                making->options.directory, report.fault.index,
                                what);
    }
    if (status == ST_NO_FILE && said == NULL)
        what = file_no_log(making->options.directory);
    if (status == ST_DISK_FAILED) /* Of which of both is not known here. */
        return program_fail(code, "%s to %s: %s", making->options.directory,
                            making->options.target, what);
    return program_fail(code, "%s: %s", make_at(making, status, said), what);
}

/* What a timer calls. */
static int make_due(struct making *making)
{
    const struct unit_export_options *options = &making->options;
    const struct units_due_options due = {.directory = options->directory,
                                          .checkpoint = options->checkpoint,
                                          .policy = options->policy,
                                          .target = options->target,
                                          .threads = options->threads,
                                          .context = making,
                                          .made = made,
                                          .missing = make_missing};
    struct units_due_result result = {.report = &report};
    enum status status = units_due(&result, &due);

    if (status != ST_OK && result.number != 0)
        fprintf(stderr, "defter: unit %" PRIu64 " was not made\n",
                result.number);
    if (status != ST_OK)
        return make_failed(making, status, result.what);
    if (!making->json)
        printf("%" PRIu64 " units made, %" PRIu64 " there already, %" PRIu64
               " sealed and not there, %" PRIu64 " wait for a checkpoint\n",
               result.made_count, result.there_count, result.missing_count,
               result.waiting_count);
    return result.missing_count == 0 ? EXIT_GOOD : EXIT_INCOMPLETE;
}

static int make_run(struct program *program, int argc, char **argv)
{
    struct making making = {
        .options = {.number = 1, .last = UINT64_MAX, .made = made},
        .json = program->json,
        .shown = UINT32_MAX};
    struct unit_export_result result = {.report = &report};
    enum status status;

    making.options.context = &making;
    if (!make_parse(&making, argc, argv))
        return program_usage("archive");
    if (making.due)
        return make_due(&making);
    if (isatty(STDERR_FILENO) == 1)
        making.options.progress = made_progress;
    status = unit_export(&result, &making.options);
    if (status != ST_OK)
        return make_failed(&making, status, result.what);
    if (!making.json)
        printf("%" PRIu64 " units, %" PRIu64 " entries, %" PRIu64
               " bytes; bundles %" PRIu64 " bytes, compressed %" PRIu64 "\n",
               result.units_count, result.entries_count, result.bytes_count,
               result.plain_size, result.packed_size);
    return EXIT_GOOD;
}

/* ---- restore ------------------------------------------------------------- */

static bool restore_parse(struct verify_options *options, bool *incomplete_out,
                          int argc, char **argv)
{
    static const struct option names[] = {
        {"policy", required_argument, NULL, 'p'},
        {"authority", required_argument, NULL, 'a'},
        {"no-signatures", no_argument, NULL, 'n'},
        {"incomplete", no_argument, NULL, 'i'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    size_t got;
    int option;

    optind = 0;
    while (good && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'p')
            options->policy = optarg;
        else if (option == 'n')
            options->no_signatures = true;
        else if (option == 'i')
            *incomplete_out = true;
        else if (option == 'a')
            good = options->has_authority =
                sodium_hex2bin(options->authority, PUBLIC_KEY_SIZE, optarg,
                               strlen(optarg), NULL, &got, NULL) == 0 &&
                got == PUBLIC_KEY_SIZE;
        else
            good = false;
    }
    return good && argc - optind >= 2;
}

static const char *restore_why(void)
{
    if (report.fault.found)
        return "";
    return report.first != 0 ? ": the units do not begin at entry 0"
                             : ": the units are incomplete, and --incomplete "
                               "was not said";
}

static int restore_failed(const struct verify_options *options,
                          const struct restore_result *result,
                          const char *target, enum status status)
{
    if (!result->is_judged && status != ST_PROOF)
        return verify_unjudged(options, &report, status);
    if (status == ST_PROOF) {
        report_write_text(&report, stderr);
        return program_fail(report.verdict == REPORT_TAMPERED ? EXIT_REFUSED
                                                              : EXIT_INCOMPLETE,
                            "nothing was restored%s", restore_why());
    }
    return program_fail(EXIT_USAGE, "%s: %s", target,
                        status == ST_EXISTS ? "a log is there already"
                                            : status_info(status)->english);
}

static int restore_run(struct program *program, int argc, char **argv)
{
    struct verify_options options = {.policy = NULL};
    struct archive_list list = {.paths = NULL};
    struct restore_result result = {.is_judged = false};
    char hex[2 * HASH_SIZE + 1];
    bool incomplete = false;
    enum status status = ST_OK;

    if (!restore_parse(&options, &incomplete, argc, argv))
        return program_usage("archive");
    for (int i = optind; status == ST_OK && i < argc - 1; i++)
        status = archive_list_add(&list, argv[i]);
    options.directory = argv[optind];
    archive_list_give(&list, &options);
    if (status == ST_OK)
        status =
            restore_log(&result, &report, &options, argv[argc - 1], incomplete);
    archive_list_free(&list);
    if (status != ST_OK)
        return restore_failed(&options, &result, argv[argc - 1], status);
    if (report.verdict != REPORT_GOOD)
        report_write_text(&report, stderr);
    printf(program->json ? "{\"size\":%" PRIu64 ",\"segments\":%" PRIu64
                           ",\"leaf\":\"%s\"}\n"
                         : "size %" PRIu64 " in %" PRIu64
                           " segments\n  leaf %s\n",
           result.entries_count, result.segments_count,
           sodium_bin2hex(hex, sizeof hex, result.leaf, HASH_SIZE));
    return EXIT_GOOD;
}

/* ---- list, verify -------------------------------------------------------- */

static int list_run(struct program *program, int argc, char **argv)
{
    struct archive_list list = {.paths = NULL};
    bool json = program->json;
    enum status status;
    int code, first = 1;

    if (argc > 1 && strcmp(argv[1], "--json") == 0) {
        json = true;
        first++;
    }
    if (argc - first != 1 || argv[first][0] == '-')
        return program_usage("archive");
    status = archive_list_add(&list, argv[first]);
    code = status == ST_OK ? archive_list_show(&list, json)
                           : program_fail(EXIT_USAGE, "%s: %s", argv[first],
                                          status_info(status)->english);
    archive_list_free(&list);
    return code;
}

int archive_run(struct program *program, int argc, char **argv)
{
    if (argc < 2)
        return program_usage("archive");
    if (strcmp(argv[1], "make") == 0)
        return make_run(program, argc - 1, argv + 1);
    if (strcmp(argv[1], "list") == 0)
        return list_run(program, argc - 1, argv + 1);
    if (strcmp(argv[1], "verify") == 0)
        return verify_run(program, argc - 1, argv + 1);
    if (strcmp(argv[1], "restore") == 0)
        return restore_run(program, argc - 1, argv + 1);
    if (strcmp(argv[1], "escrow") == 0)
        return archive_escrow_run(program, argc - 1, argv + 1);
    return program_usage("archive");
}
