/*
 * heap.h: bytes of memory in use in this process, for tests that a node keeps
 * its size.
 */
#ifndef DEFTER_TESTS_LIB_HEAP_H
#define DEFTER_TESTS_LIB_HEAP_H

#include <malloc.h>
#include <stddef.h>

#include <check.h>

#include "tests/lib/sanitizer.h"

#if defined(SANITIZER_OF_MEMORY) || defined(SANITIZER_OF_THREADS)
#define HEAP_OF_SANITIZER 1
#endif

#ifdef HEAP_OF_SANITIZER
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

/* One arena, so that its figures are those of the process; before any thread
 * has begun. */
static inline void heap_begin(void)
{
#ifndef HEAP_OF_SANITIZER
    ck_assert_int_eq(mallopt(M_ARENA_MAX, 1), 1);
#endif
}

/* A sanitizer has an allocator of its own. */
static inline size_t heap_used(void)
{
#ifdef HEAP_OF_SANITIZER
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

#endif
