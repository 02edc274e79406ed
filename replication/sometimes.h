/*
 * sometimes.h: what the simulator adds to this code (tests/sim/DESIGN.md); in
 * every other build nothing of it is left.
 *
 * SOMETIMES(name)        This place is reached in some seed: one that is never
 *                        reached is a blind spot of the simulator.
 * MAYBE_SIM(per_mille)   True now and then: do what is rare more often.
 * MUTANT(number)         True if this rule is to be broken on purpose: some
 * seed has to notice (tests/sim/mutants.def).
 */
#ifndef DEFTER_REPLICATION_SOMETIMES_H
#define DEFTER_REPLICATION_SOMETIMES_H

#ifdef DEFTER_SIM

#include <stdbool.h>
#include <stddef.h>

struct sometimes_mark {
    const char *name;
    size_t number; /* In marks.def, from 1; 0: not looked up yet. */
};
void sometimes_hit(struct sometimes_mark *mark);
bool sometimes_maybe(unsigned per_mille);
extern unsigned sometimes_mutant; /* 0: none */

#define SOMETIMES(name)                                  \
    do {                                                 \
        static struct sometimes_mark mark_ = {#name, 0}; \
                                                         \
        sometimes_hit(&mark_);                           \
    } while (0)
#define MAYBE_SIM(per_mille) sometimes_maybe(per_mille)
#define MUTANT(n)            (sometimes_mutant == (n))

#else

#define SOMETIMES(name)      ((void)0)
#define MAYBE_SIM(per_mille) (false)
#define MUTANT(n)            (false)

#endif

#endif
