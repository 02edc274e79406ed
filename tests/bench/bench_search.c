/*
 * bench_search: names put into the search index, and queries.
 *
 *   bench_search [SUBJECTS]
 */
#include "server/store/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUERIES = 2000 };

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Distinct words of two syllables, some far more common than others. */
static uint64_t draw(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ (z >> 27);
}

static int name(char *out, size_t size, uint64_t *seed)
{
    static const char *const parts[] = {"qız", "əmə", "bak", "şir",
                                        "gül", "çin", "ali", "nur"};
    uint64_t a = draw(seed), b = draw(seed);

    return snprintf(out, size, "%s%s%llu \"%s%s\" MMC məhdud", parts[a % 8],
                    parts[a / 8 % 8], (unsigned long long)(b % 100000),
                    parts[b / 8 % 8], parts[a / 64 % 8]);
}

static void query(const struct search *search, const char *what,
                  const char *text, bool prefix)
{
    uint64_t found[FIND_RESULTS_MAX];
    size_t count = 0;
    struct search_query query = {
        {(const uint8_t *)text, strlen(text)}, prefix, 0, FIND_RESULTS_MAX};
    double started = seconds();

    for (int i = 0; i < QUERIES; i++) {
        if (search_find(search, found, &count, &query) != ST_OK)
            abort();
    }
    printf("%-34s %9.0f /s  %8.2f us, %zu found\n", what,
           QUERIES / (seconds() - started),
           1e6 * (seconds() - started) / QUERIES, count);
}

int main(int argc, char **argv)
{
    uint64_t subjects = argc > 1 ? strtoull(argv[1], NULL, 10) : 500000;
    struct search *search = search_open();
    uint64_t seed = 1;
    double started = seconds();
    char text[128];

    for (uint64_t i = 0; i < subjects; i++) {
        int size = name(text, sizeof text, &seed);
        search_put(search, draw(&seed) % 10000000000u,
                   slice_of(text, (size_t)size));
    }
    printf("%-34s %9.0f /s\n", "names put",
           (double)subjects / (seconds() - started));
    query(search, "a common word", "mmc", false);
    query(search, "three words", "mmc məhdud qızəmə", false);
    query(search, "a beginning", "qız", true);
    query(search, "a word and a beginning", "mmc qız", true);
    query(search, "two common words, none together", "qızqız əməəmə", false);
    search_close(search);
    return 0;
}
