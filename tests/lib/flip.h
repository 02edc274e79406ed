/*
 * flip.h: how many bits of a file a test flips.
 *
 * With DEFTER_FLIPS=all, as in `./dev test --long`, each of them.  Otherwise
 * every seventh: at least one of each byte, and each place in a byte in turn.
 */
#ifndef DEFTER_TESTS_LIB_FLIP_H
#define DEFTER_TESTS_LIB_FLIP_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { FLIP_STEP = 7 };

static inline size_t flip_step(void)
{
    const char *wish = getenv("DEFTER_FLIPS");

    return wish != NULL && strcmp(wish, "all") == 0 ? 1 : FLIP_STEP;
}

#endif
