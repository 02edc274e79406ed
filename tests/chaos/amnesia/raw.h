/*
 * raw.h: the kernel's calls past the ones that this library stands before, and
 * past the C library, whose locks another thread may hold for ever.
 */
#ifndef DEFTER_TESTS_CHAOS_AMNESIA_RAW_H
#define DEFTER_TESTS_CHAOS_AMNESIA_RAW_H

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RAW_EXIT_BROKEN = 87 };

static inline int raw_open(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

static inline void raw_say(const char *text)
{
    (void)syscall(SYS_write, STDERR_FILENO, text, strlen(text));
}

/* The library itself failed: no test may take that for a power loss. */
static inline _Noreturn void raw_die(const char *text)
{
    raw_say(text);
    _exit(RAW_EXIT_BROKEN);
}

static inline int raw_rename(const char *older, const char *newer)
{
    return (int)syscall(SYS_renameat, AT_FDCWD, older, AT_FDCWD, newer);
}

static inline int raw_unlink(const char *path, int flags)
{
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, flags);
}

static inline int raw_link(const char *older, const char *newer)
{
    return (int)syscall(SYS_linkat, AT_FDCWD, older, AT_FDCWD, newer, 0);
}

static inline ssize_t raw_pwrite(int fd, const void *bytes, size_t size,
                                 off_t offset)
{
    return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

static inline int raw_ftruncate(int fd, off_t size)
{
    return (int)syscall(SYS_ftruncate, fd, size);
}

static inline int raw_mkdir(const char *path, unsigned mode)
{
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

#endif
