/*
 * sanitizer.h: whether a test was built with a sanitizer, in gcc's words and in
 * clang's.
 *
 *   SANITIZER_OF_MEMORY    ASan: an allocator of its own, slower by half
 *   SANITIZER_OF_THREADS   TSan: the same, and a fork of a process with threads
 *                          must start none
 */
#ifndef DEFTER_TESTS_LIB_SANITIZER_H
#define DEFTER_TESTS_LIB_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZER_OF_MEMORY 1
#elif defined(__SANITIZE_THREAD__)
#define SANITIZER_OF_THREADS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZER_OF_MEMORY 1
#elif __has_feature(thread_sanitizer)
#define SANITIZER_OF_THREADS 1
#endif
#endif

#endif
