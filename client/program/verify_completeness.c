/*
 * verify_completeness.c: `defter verify LOG` with the count of a subject's
 * entries: as the log has it, and as somebody stated it.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/audit/completeness.h"
#include "client/audit/report.h"
#include "client/program/cluster.h"
#include "client/program/file.h"
#include "client/program/verify_kinds.h"

static struct report report;

struct asked {
    const char *path; /* Of a statement; NULL: none. */
    uint64_t subject; /* 0: none. */
    const char *directory;
    const char *authority; /* As the word gives it; NULL: of the cluster. */
};

static bool is_option(const char *word)
{
    return strcmp(word, "--completeness") == 0 ||
           strcmp(word, "--subject") == 0;
}

bool verify_completeness_wants(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (is_option(argv[i]))
            return true;
    }
    return false;
}

static bool is_directory(const char *word)
{
    struct stat about;

    return word[0] != '-' && stat(word, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Takes the two options out of the words; false if one is wrong. */
static bool take_words(struct asked *asked, int *argc, char **argv)
{
    int kept = 0;

    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--authority") == 0 && i + 1 < *argc)
            asked->authority = argv[i + 1];
        if (!is_option(argv[i])) {
            if (i > 0 && is_directory(argv[i]))
                asked->directory = argv[i];
            argv[kept++] = argv[i];
            continue;
        }
        if (i + 1 == *argc)
            return false;
        if (argv[i][2] == 'c')
            asked->path = argv[i + 1];
        else if (!program_number(&asked->subject, argv[i + 1], 1,
                                 INT64_C(9999999999)))
            return false;
        i++;
    }
    *argc = kept;
    return asked->directory != NULL &&
           (asked->path == NULL) != (asked->subject == 0);
}

static int take_authority(uint8_t key[PUBLIC_KEY_SIZE],
                          const struct asked *asked,
                          const struct program *program)
{
    size_t got;

    if (asked->authority != NULL &&
        sodium_hex2bin(key, PUBLIC_KEY_SIZE, asked->authority,
                       strlen(asked->authority), NULL, &got, NULL) == 0 &&
        got == PUBLIC_KEY_SIZE)
        return EXIT_GOOD;
    return cluster_authority(key, program);
}

/* ---- Counting ------------------------------------------------------------ */

/* What was counted, and what it was held against. */
struct counting {
    struct report_counted counted;
    const char *fault; /* Why the statement is none; NULL. */
    struct completeness_file file;
    struct receipt receipt;
};

/* One that nobody signed is no reason not to judge the log. */
static int take_statement(struct counting *counting, const struct asked *asked,
                          const struct program *program)
{
    uint8_t bytes[COMPLETENESS_FILE_SIZE_MAX], key[PUBLIC_KEY_SIZE];
    struct completeness_file *file = &counting->file;
    size_t size;
    enum status status =
        file_read(bytes, &size, asked->path, sizeof bytes, false);
    int code;

    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", asked->path,
                            status_info(status)->english);
    counting->counted.statement = REPORT_STATEMENT_FORGED;
    if (completeness_file_read(file, slice_of(bytes, size)) != ST_OK) {
        *file = (struct completeness_file){.subject = 0};
        counting->fault = "the statement of completeness is not well formed";
        return EXIT_GOOD;
    }
    code = take_authority(key, asked, program);
    if (code != EXIT_GOOD)
        return code;
    counting->counted.stated_items = file->sum.count;
    counting->counted.stated_entries = file->size;
    if (completeness_file_judge(&counting->receipt, file, key) != ST_OK)
        counting->fault =
            "the statement of completeness is not signed by a node of the "
            "authority";
    else
        counting->counted.statement = REPORT_STATEMENT_TRUE;
    return EXIT_GOOD;
}

static void compare(struct counting *counting,
                    const struct completeness_walked *walked)
{
    switch (completeness_compare(walked, &counting->file, &counting->receipt)) {
    case COMPLETENESS_TRUE:
        return;
    case COMPLETENESS_FALSE:
        counting->counted.statement = REPORT_STATEMENT_FALSE;
        counting->fault = "the statement of completeness is false";
        return;
    case COMPLETENESS_SHORT:
        counting->counted.statement = REPORT_STATEMENT_SHORT;
        return;
    }
}

/* A file of which nothing reads names nobody. */
static int count(struct counting *counting, const struct asked *asked)
{
    struct report_counted *counted = &counting->counted;
    struct completeness_walked walked;
    enum status status = completeness_walk(
        &walked, asked->directory, counting->file.subject, counting->file.size);

    if (status == ST_NO_FILE)
        return program_fail(EXIT_USAGE,
                            "%s: entries can be counted in a log only (a "
                            "node's directory, or its log), not in tiles or "
                            "units",
                            asked->directory);
    if (status == ST_DISK_FAILED)
        return program_fail(EXIT_USAGE, "%s: cannot be read", asked->directory);
    if (status == ST_EXHAUSTED)
        return program_fail(EXIT_USAGE, "%s: %s", asked->directory,
                            status_info(status)->english);
    if (status != ST_OK) {
        counting->fault = "the log cannot be counted";
        return EXIT_GOOD;
    }
    counted->subject = counting->file.subject;
    counted->items = walked.sum.count;
    counted->entries = walked.size;
    memcpy(counted->rolling, walked.sum.rolling, HASH_SIZE);
    if (counted->statement == REPORT_STATEMENT_TRUE)
        compare(counting, &walked);
    return EXIT_GOOD;
}

/* ---- Saying it ----------------------------------------------------------- */

/* Of two verdicts the worse: tampered, then incomplete. */
static void join(struct report *joined, const struct counting *counting)
{
    joined->counted = counting->counted;
    if (counting->fault != NULL) {
        (void)report_fault(joined, REPORT_TAMPERED, REPORT_NO_INDEX,
                           counting->fault);
        joined->verdict = REPORT_TAMPERED;
    } else if (counting->counted.statement == REPORT_STATEMENT_SHORT) {
        report_reason(joined, REPORT_REASON_STATEMENT);
    }
}

static void print_count(const struct report_counted *counted)
{
    char hex[2 * HASH_SIZE + 1];

    sodium_bin2hex(hex, sizeof hex, counted->rolling, HASH_SIZE);
    if (counted->subject != 0)
        printf("subject %010" PRIu64 ": %" PRIu64 " items in %" PRIu64
               " entries, rolling hash %s\n",
               counted->subject, counted->items, counted->entries, hex);
    switch (counted->statement) {
    case REPORT_NO_STATEMENT:
        return;
    case REPORT_STATEMENT_TRUE:
        puts("the statement is true");
        return;
    case REPORT_STATEMENT_FALSE:
        printf("the statement is FALSE: it says %" PRIu64 " items in %" PRIu64
               " entries\n",
               counted->stated_items, counted->stated_entries);
        return;
    case REPORT_STATEMENT_SHORT:
        puts("the log ends before the statement");
        return;
    case REPORT_STATEMENT_FORGED:
        puts("the statement is FORGED: no node of the authority signed it");
        return;
    }
}

int verify_completeness_run(struct program *program, int argc, char **argv)
{
    struct asked asked = {.subject = 0};
    struct counting counting = {.fault = NULL};
    int code = EXIT_GOOD;

    if (!take_words(&asked, &argc, argv))
        return program_usage("verify");
    counting.file.subject = asked.subject;
    counting.file.size = UINT64_MAX;
    if (asked.path != NULL)
        code = take_statement(&counting, &asked, program);
    if (code == EXIT_GOOD)
        code = count(&counting, &asked);
    if (code == EXIT_GOOD)
        code = verify_words(&report, program, argc, argv);
    if (code != EXIT_GOOD)
        return code;
    join(&report, &counting);
    code = verify_say(program, &report);
    if (!program->json)
        print_count(&counting.counted);
    return code;
}
