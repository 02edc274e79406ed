/*
 * sandbox_private.h: the two halves of the sandbox.
 */
#ifndef DEFTER_SANDBOX_SANDBOX_PRIVATE_H
#define DEFTER_SANDBOX_SANDBOX_PRIVATE_H

#include "sandbox/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/*
 * sandbox_files.c: Landlock.  ${version_out} is the kernel's, 0 if it has none.
 *
 * Returns: ST_OK; ST_WRONG_STATE if the kernel has it not, or not switched on,
 * or too old to let a file be renamed into another directory.
 */
NODISCARD enum status sandbox_files_enter(const struct sandbox_rules *rules,
                                          int *version_out);

/*
 * sandbox_calls.c: seccomp, with a handler that names the call.
 *
 * Returns: ST_OK; ST_WRONG_STATE if the kernel refuses the filter.
 */
NODISCARD enum status sandbox_calls_enter(void);

#endif
