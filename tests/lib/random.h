/*
 * random.h: repeatable numbers for fixtures: SplitMix64.
 *
 * The state steps by 0x9e3779b97f4a7c15; what comes out is the stepped state
 * mixed twice (x ^= x >> 30, x *= 0xbf58476d1ce4e5b9, x ^= x >> 27,
 * x *= 0x94d049bb133111eb, x ^= x >> 31).  Never for secrets.
 */
#ifndef DEFTER_TESTS_LIB_RANDOM_H
#define DEFTER_TESTS_LIB_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t x = random->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* A stream of its own for each ${number} under one ${seed}. */
static inline struct random random_stream(uint64_t seed, uint64_t number)
{
    struct random random = {seed};

    random.state = random_next(&random) + number;
    random.state = random_next(&random);
    return random;
}

/* 0 to ${limit} - 1.  Requires: limit > 0. */
static inline uint32_t random_below(struct random *random, uint32_t limit)
{
    return (uint32_t)((random_next(random) >> 32) * limit >> 32);
}

/* ${lo} to ${hi}, both included. */
static inline int32_t random_between(struct random *random, int32_t lo,
                                     int32_t hi)
{
    return lo + (int32_t)random_below(random, (uint32_t)(hi - lo + 1));
}

/* Like random_below(), small numbers more often. */
static inline uint32_t random_skewed(struct random *random, uint32_t limit)
{
    return random_below(random, random_below(random, limit) + 1);
}

/* True ${per_mille} times in a thousand. */
static inline bool random_chance(struct random *random, uint32_t per_mille)
{
    return random_below(random, 1000) < per_mille;
}

#endif
