/*
 * fixture: records of a made-up nation for `defter load`.
 *
 *   fixture --subjects N [--seed S] [--first K] [--bad PERMILLE]
 *           [--provider NAME] [--names-file FILE]
 *
 * One line of JSON a record to standard output; the same options give the same
 * bytes.  FILE gets the personal texts in it, a line each: names, addresses,
 * personal numbers, telephones; so that a search of a node's files can show
 * that none of them stands there.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/nation.h"

struct options {
    uint64_t subjects, seed, first;
    struct nation_writer writer;
};

static int usage(void)
{
    fputs("usage: fixture --subjects N [--seed S] [--first K] [--bad PERMILLE]"
          "\n         [--provider NAME] [--names-file FILE]\n",
          stderr);
    return 3;
}

static bool number(uint64_t *out, const char *text, uint64_t most)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *out <= most;
}

static bool take(struct options *options, int option)
{
    uint64_t bad = 0;

    switch (option) {
    case 'n':
        return number(&options->subjects, optarg, NATION_SUBJECTS_MAX);
    case 's':
        return number(&options->seed, optarg, UINT64_MAX);
    case 'f':
        return number(&options->first, optarg, NATION_SUBJECTS_MAX);
    case 'b':
        if (!number(&bad, optarg, 1000))
            return false;
        options->writer.bad = (uint32_t)bad;
        return true;
    case 'p':
        options->writer.provider = optarg;
        return true;
    case 'm':
        options->writer.names = fopen(optarg, "we");
        return options->writer.names != NULL;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"subjects", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 's'},
        {"first", required_argument, NULL, 'f'},
        {"bad", required_argument, NULL, 'b'},
        {"provider", required_argument, NULL, 'p'},
        {"names-file", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0}};
    struct options options = {
        .seed = 1,
        .writer = {.out = stdout, .provider = "Dövlət Vergi Xidməti"}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take(&options, option))
            return usage();
    }
    if (optind != argc || options.subjects == 0 ||
        options.subjects > NATION_SUBJECTS_MAX - options.first)
        return usage();
    for (uint64_t i = 0; i < options.subjects; i++) {
        struct nation_subject subject;
        nation_subject(&subject, options.seed, options.first + i);
        nation_records(&options.writer, &subject);
    }
    if (options.writer.names != NULL && fclose(options.writer.names) != 0)
        return 1;
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
