/*
 * sim_marks.h: places that some seed has to reach, and rules broken on purpose
 * (replication/sometimes.h).
 */
#ifndef DEFTER_TESTS_SIM_SIM_MARKS_H
#define DEFTER_TESTS_SIM_SIM_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/lib/random.h"

enum { SIM_MARKS_MAX = 128, SIM_MARKS_WORDS = SIM_MARKS_MAX / 64 };

/* Which marks were reached since sim_marks_begin(). */
struct sim_marks {
    uint64_t words[SIM_MARKS_WORDS];
};

/* ${random}: what MAYBE_SIM() draws from; NULL: it is never true. */
void sim_marks_begin(struct random *random);
void sim_marks_get(struct sim_marks *out);
void sim_marks_add(struct sim_marks *sum, const struct sim_marks *more);

/* The mark of that name, from 1; 0 if there is none. */
size_t sim_marks_number(const char *name);
bool sim_marks_has(const struct sim_marks *marks, size_t number);

/* Prints the marks that are not in ${sum}; how many there are. */
unsigned sim_marks_missing(const struct sim_marks *sum);

struct sim_mutant {
    unsigned number;
    const char *text;
    const char *survives; /* Why no seed notices; "" if one has to. */
    bool full;            /* Full seeds. */
};
extern const struct sim_mutant sim_mutants[];
extern const unsigned sim_mutants_count;

#endif
