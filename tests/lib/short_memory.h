/*
 * short_memory.h: memory that is not given, for tests of what becomes of it.
 *
 * A test that has "ctest-wrap: malloc calloc realloc reallocarray" in its first
 * five lines is linked so that calls of these functions come here, those of
 * shared libraries excepted (tests/chaos/torture/ lets theirs fail too).
 */
#ifndef DEFTER_TESTS_LIB_SHORT_MEMORY_H
#define DEFTER_TESTS_LIB_SHORT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * short_memory_begin(number, goes_on):
 * From now on the call with that number, from 1, gives nothing; nor do all that
 * come after it, if ${goes_on}.  One thread alone may ask for memory.
 *
 * Order: ends with short_memory_end().
 */
void short_memory_begin(size_t number, bool goes_on);

/* Returns: how many calls there were. */
size_t short_memory_end(void);

#endif
