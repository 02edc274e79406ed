#include "client/export/tiles_export.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/program/file.h"
#include "client/program/program.h"

static void show(void *context, uint64_t passed, uint64_t total)
{
    unsigned *shown = context;
    unsigned percent = total == 0 ? 100 : (unsigned)(passed * 100 / total);

    if (percent == *shown)
        return;
    *shown = percent;
    fprintf(stderr, "\rexporting %3u %%", percent);
    if (percent >= 100)
        fputs("\r               \r", stderr);
}

static bool parse(struct tiles_export_options *options, struct program *program,
                  int argc, char **argv)
{
    static const struct option names[] = {
        {"checkpoint", required_argument, NULL, 'c'},
        {"threads", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    enum { THREADS_MAX = 256 };
    uint64_t threads = 0;
    bool good = true;
    int option;

    optind = 0; /* Scanned once before, up to the subcommand. */
    while (good && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'c')
            options->checkpoint = optarg;
        else if (option == 't')
            good = program_number(&threads, optarg, 1, THREADS_MAX);
        else if (option == 'j')
            program->json = true;
        else
            good = false;
    }
    options->threads = (unsigned)threads;
    if (!good || argc - optind != 3 || strcmp(argv[optind], "tiles") != 0)
        return false;
    options->directory = argv[optind + 1];
    options->target = argv[optind + 2];
    return true;
}

static int failed(const struct tiles_export_result *result,
                  const struct tiles_export_options *options,
                  enum status status)
{
    const char *what =
        result->what != NULL ? result->what : status_info(status)->english;
    int code = EXIT_USAGE;

    if (status == ST_LOST)
        code = EXIT_INCOMPLETE;
    else if (status == ST_ORIGIN || status == ST_PROOF || status == ST_EXISTS ||
             status == ST_CHECKSUM)
        code = EXIT_REFUSED;
    if (status == ST_NO_FILE && result->what == NULL)
        what = file_no_log(options->directory);
    if (result->index != UINT64_MAX)
        return program_fail(code, "%s: entry %" PRIu64 ": %s",
                            options->directory, result->index, what);
    if (status == ST_DISK_FAILED) /* Of which of both, only what says. */
        return program_fail(code, "%s to %s: %s", options->directory,
                            options->target, what);
    if (status == ST_ORIGIN && options->checkpoint != NULL)
        return program_fail(code, "%s: %s", options->checkpoint, what);
    return program_fail(code, "%s: %s",
                        status == ST_EXISTS || status == ST_DISK_FULL
                            ? options->target
                            : options->directory,
                        what);
}

int export_run(struct program *program, int argc, char **argv)
{
    struct tiles_export_options options = {.threads = 0};
    struct tiles_export_result result;
    unsigned shown = UINT32_MAX;
    enum status status;

    if (!parse(&options, program, argc, argv))
        return program_usage("export");
    if (isatty(STDERR_FILENO) == 1) {
        options.context = &shown;
        options.progress = show;
    }
    status = tiles_export(&result, &options);
    if (status != ST_OK)
        return failed(&result, &options, status);
    printf(program->json ? "{\"size\":%" PRIu64 ",\"before\":%" PRIu64
                           ",\"files\":%" PRIu64 ",\"bytes\":%" PRIu64
                           ",\"removed\":%" PRIu64 "}\n"
                         : "size %" PRIu64 ", before %" PRIu64 ": %" PRIu64
                           " files of %" PRIu64 " bytes written, %" PRIu64
                           " partial tiles removed\n",
           result.size, result.older, result.files_count, result.bytes_count,
           result.removed_count);
    return EXIT_GOOD;
}
