/*
 * sim_hash.h: which SHA-256 the simulator's process uses.
 */
#ifndef DEFTER_TESTS_SIM_SIM_HASH_H
#define DEFTER_TESTS_SIM_SIM_HASH_H

#include <stdbool.h>

/* The real one, or one that is only fast (the beginning). */
void sim_hash_real(bool real);

#endif
