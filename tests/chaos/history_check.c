/*
 * history_check FILE...: whether histories and logs fit together (history.h).
 *
 * Exit codes: 0 they do; 1 they do not, and each fault has been named; 3 a file
 * cannot be read, or there is nothing to judge.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/history.h"

static bool read_file(struct history *history, const char *path)
{
    FILE *file = fopen(path, "re");
    char why[128] = "cannot be read";
    bool good = file != NULL && history_read(history, file, why, sizeof why);

    if (file != NULL)
        (void)fclose(file);
    if (!good)
        fprintf(stderr, "history_check: %s:%s\n", path, why);
    return good;
}

int main(int argc, char **argv)
{
    static struct history history;
    struct history_verdict verdict;
    size_t entries = 0;

    for (int i = 1; i < argc; i++) {
        if (!read_file(&history, argv[i]))
            return 3;
    }
    if (history.ops_count == 0) {
        fputs("history_check: there are no operations\n", stderr);
        return 3;
    }
    history_check(&verdict, &history, stdout);
    for (size_t i = 0; i < history.logs_count; i++)
        entries += history.logs[i].entries_count;
    printf("%zu operations: %zu acked, %zu refused, %zu unknown (%zu of them "
           "done); %zu logs with %zu entries; %zu faults\n",
           history.ops_count, verdict.acked, verdict.refused, verdict.unknown,
           verdict.unknown_done, history.logs_count, entries, verdict.total);
    history_free(&history);
    return verdict.total == 0 ? 0 : 1;
}
