#include "tests/sim/sim_marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"
#include "replication/sometimes.h"

struct marks_row {
    const char *name;
    const char *unreachable; /* Why no seed gets there; "" if one has to. */
};

static const struct marks_row rows[] = {
#define MARK(name, text)            {#name, ""},
#define MARK_NEVER(name, text, why) {#name, why},
#include "tests/sim/marks.def"
#undef MARK
#undef MARK_NEVER
};
enum { ROWS = sizeof rows / sizeof rows[0] };
_Static_assert((int)ROWS <= (int)SIM_MARKS_MAX, "a word holds 64 marks");

const struct sim_mutant sim_mutants[] = {
#define MUTANT_DEF(number, text)        {number, text, "", false},
#define MUTANT_LIVES(number, text, why) {number, text, why, false},
#define MUTANT_FULL(number, text)       {number, text, "", true},
#include "tests/sim/mutants.def"
#undef MUTANT_DEF
#undef MUTANT_LIVES
#undef MUTANT_FULL
};
const unsigned sim_mutants_count = sizeof sim_mutants / sizeof sim_mutants[0];

unsigned sometimes_mutant;
static struct sim_marks reached;
static struct random *maybe;

void sim_marks_begin(struct random *random)
{
    memset(&reached, 0, sizeof reached);
    maybe = random;
}

void sim_marks_get(struct sim_marks *out)
{
    *out = reached;
}

void sim_marks_add(struct sim_marks *sum, const struct sim_marks *more)
{
    for (size_t i = 0; i < SIM_MARKS_WORDS; i++)
        sum->words[i] |= more->words[i];
}

size_t sim_marks_number(const char *name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return i + 1;
    }
    return 0;
}

bool sim_marks_has(const struct sim_marks *marks, size_t number)
{
    size_t at = number - 1;

    REQUIRE(number > 0 && number <= ROWS);
    return (marks->words[at / 64] >> at % 64 & 1) != 0;
}

static void mark_find(struct sometimes_mark *mark)
{
    mark->number = sim_marks_number(mark->name);
    if (mark->number != 0)
        return;
    fprintf(stderr, "marks.def does not list %s\n", mark->name);
    abort();
}

void sometimes_hit(struct sometimes_mark *mark)
{
    size_t at;

    if (mark->number == 0)
        mark_find(mark);
    at = mark->number - 1;
    reached.words[at / 64] |= UINT64_C(1) << at % 64;
}

bool sometimes_maybe(unsigned per_mille)
{
    return maybe != NULL && random_chance(maybe, per_mille);
}

unsigned sim_marks_missing(const struct sim_marks *sum)
{
    unsigned missing = 0;

    for (size_t i = 0; i < ROWS; i++) {
        if (sim_marks_has(sum, i + 1)) {
            if (rows[i].unreachable[0] != '\0')
                printf("reached after all: %s\n", rows[i].name);
            continue;
        }
        if (rows[i].unreachable[0] != '\0')
            continue;
        printf("never reached: %s\n", rows[i].name);
        missing++;
    }
    return missing;
}
