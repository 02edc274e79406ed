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
#include "client/program/cluster.h"
#include "client/program/file.h"
#include "client/program/verify_kinds.h"

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
    struct cluster cluster;
    size_t got;
    int code;

    if (asked->authority != NULL &&
        sodium_hex2bin(key, PUBLIC_KEY_SIZE, asked->authority,
                       strlen(asked->authority), NULL, &got, NULL) == 0 &&
        got == PUBLIC_KEY_SIZE)
        return EXIT_GOOD;
    code = cluster_load(&cluster, program);
    if (code == EXIT_GOOD)
        memcpy(key, cluster.authority_key, PUBLIC_KEY_SIZE);
    return code;
}

static int take_statement(struct completeness_file *file,
                          struct receipt *receipt, const struct asked *asked,
                          const struct program *program)
{
    uint8_t bytes[COMPLETENESS_FILE_SIZE_MAX], key[PUBLIC_KEY_SIZE];
    size_t size;
    enum status status =
        file_read(bytes, &size, asked->path, sizeof bytes, false);
    int code;

    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", asked->path,
                            status_info(status)->english);
    if (completeness_file_read(file, slice_of(bytes, size)) != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: not a statement of completeness",
                            asked->path);
    code = take_authority(key, asked, program);
    if (code != EXIT_GOOD)
        return code;
    status = completeness_file_judge(receipt, file, key);
    return status == ST_OK ? EXIT_GOOD
                           : program_fail(EXIT_REFUSED, "%s: %s", asked->path,
                                          status_info(status)->english);
}

static void print_count(const struct completeness_walked *walked,
                        uint64_t subject)
{
    char hex[2 * HASH_SIZE + 1];

    sodium_bin2hex(hex, sizeof hex, walked->sum.rolling, HASH_SIZE);
    printf("subject %010" PRIu64 ": %" PRIu64 " items in %" PRIu64
           " entries, rolling hash %s\n",
           subject, walked->sum.count, walked->size, hex);
}

static int count(const struct asked *asked, const struct program *program)
{
    struct completeness_file file = {.subject = asked->subject,
                                     .size = UINT64_MAX};
    struct completeness_walked walked;
    struct receipt receipt;
    enum status status;
    int code = EXIT_GOOD;

    if (asked->path != NULL)
        code = take_statement(&file, &receipt, asked, program);
    if (code != EXIT_GOOD)
        return code;
    status =
        completeness_walk(&walked, asked->directory, file.subject, file.size);
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: %s", asked->directory,
                            status_info(status)->english);
    print_count(&walked, file.subject);
    if (asked->path == NULL)
        return EXIT_GOOD;
    switch (completeness_compare(&walked, &file, &receipt)) {
    case COMPLETENESS_TRUE:
        puts("the statement is true");
        return EXIT_GOOD;
    case COMPLETENESS_FALSE:
        printf("the statement is FALSE: it says %" PRIu64 " items in %" PRIu64
               " entries\n",
               file.sum.count, file.size);
        return EXIT_REFUSED;
    case COMPLETENESS_SHORT:
        puts("the log ends before the statement");
        return EXIT_INCOMPLETE;
    }
    return EXIT_REFUSED;
}

int verify_completeness_run(struct program *program, int argc, char **argv)
{
    struct asked asked = {.subject = 0};
    int code, counted;

    if (!take_words(&asked, &argc, argv))
        return program_usage("verify");
    code = verify_run(program, argc, argv);
    if (code == EXIT_USAGE)
        return code;
    counted = count(&asked, program);
    if (counted == EXIT_USAGE)
        return counted;
    /* Of two verdicts the worse: tampered, then incomplete. */
    if (code == EXIT_REFUSED || counted == EXIT_REFUSED)
        return EXIT_REFUSED;
    return code == EXIT_GOOD ? counted : code;
}
