/*
 * destroy.c: what became of a subject's data, for who has to show it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/execute.h"
#include "client/program/program.h"

enum { DESTROY_WORDS_MAX = 8, DESTROY_WORD_SIZE = 32 };

/* The operation's own words, and those behind them as they came. */
static int destroy_send(struct program *program, char **words, int words_count)
{
    struct execution execution;
    struct defter *client = NULL;
    int code = execute_parse(&execution, words_count, words);

    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program, 0);
    if (code == EXIT_GOOD)
        code = execute_send(client, program, &execution);
    defter_close(client);
    execute_free(&execution);
    return code;
}

int destroy_run(struct program *program, int argc, char **argv)
{
    char show[] = "destroy.show", list[] = "destroy.list";
    char limit[] = "limit=100", act[DESTROY_WORD_SIZE];
    char *words[DESTROY_WORDS_MAX];
    bool shows = argc >= 3 && strcmp(argv[1], "show") == 0;
    uint64_t number;
    int count = 0, from = shows ? 3 : 2;

    if (argc < 2 || (!shows && strcmp(argv[1], "list") != 0) ||
        argc - from > DESTROY_WORDS_MAX - 2)
        return program_usage(argv[0]);
    if (shows && !program_number(&number, argv[2], 1, UINT32_MAX))
        return program_fail(EXIT_USAGE, "%s: not the number of an act",
                            argv[2]);
    if (shows)
        (void)snprintf(act, sizeof act, "act=%" PRIu64, number);
    words[count++] = shows ? show : list;
    words[count++] = shows ? act : limit;
    while (from < argc)
        words[count++] = argv[from++];
    return destroy_send(program, words, count);
}
