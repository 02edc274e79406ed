/*
 * The calls that read and write files.  Those of sockets and of other things
 * that only look like files are not counted here.
 */
/* A fortified header makes functions of its own of some of these names. */
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/chaos/torture/aim.h"

#define EXPORTED __attribute__((visibility("default")))

static bool is_file(int fd)
{
    struct stat about;

    return syscall(SYS_fstat, fd, &about) == 0 &&
           (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode));
}

/* ---- Opening and names ---- */

static int open_any(const char *name, int at, const char *path, int flags,
                    mode_t mode)
{
    unsigned classes = AIM_DISK | ((flags & O_CREAT) != 0 ? AIM_ROOM : 0);

    return aim_hits(classes, name)
               ? -1
               : (int)syscall(SYS_openat, at, path, flags, mode);
}

#define OPEN(name)                                           \
    EXPORTED int name(const char *path, int flags, ...);     \
    EXPORTED int name(const char *path, int flags, ...)      \
    {                                                        \
        va_list list;                                        \
        mode_t mode = 0;                                     \
        va_start(list, flags);                               \
        if ((flags & (O_CREAT | O_TMPFILE)) != 0)            \
            mode = va_arg(list, mode_t);                     \
        va_end(list);                                        \
        return open_any(#name, AT_FDCWD, path, flags, mode); \
    }
#define OPENAT(name)                                             \
    EXPORTED int name(int at, const char *path, int flags, ...); \
    EXPORTED int name(int at, const char *path, int flags, ...)  \
    {                                                            \
        va_list list;                                            \
        mode_t mode = 0;                                         \
        va_start(list, flags);                                   \
        if ((flags & (O_CREAT | O_TMPFILE)) != 0)                \
            mode = va_arg(list, mode_t);                         \
        va_end(list);                                            \
        return open_any(#name, at, path, flags, mode);           \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* A call of which only the outcome counts: -1 when it fails. */
#define PLAIN(classes, number, name, parameters, ...)                        \
    EXPORTED int name parameters;                                            \
    EXPORTED int name parameters                                             \
    {                                                                        \
        return aim_hits(classes, #name) ? -1                                 \
                                        : (int)syscall(number, __VA_ARGS__); \
    }
PLAIN(AIM_DISK | AIM_ROOM, SYS_mkdir, mkdir, (const char *path, mode_t mode),
      path, mode)
PLAIN(AIM_DISK | AIM_ROOM, SYS_mkdirat, mkdirat,
      (int at, const char *path, mode_t mode), at, path, mode)
PLAIN(AIM_DISK | AIM_ROOM, SYS_rename, rename,
      (const char *source, const char *target), source, target)
PLAIN(AIM_DISK | AIM_ROOM, SYS_renameat, renameat,
      (int from, const char *source, int to, const char *target), from, source,
      to, target)
PLAIN(AIM_DISK | AIM_ROOM, SYS_renameat2, renameat2,
      (int from, const char *source, int to, const char *target,
       unsigned flags),
      from, source, to, target, flags)
PLAIN(AIM_DISK | AIM_ROOM, SYS_link, link,
      (const char *source, const char *target), source, target)
PLAIN(AIM_DISK, SYS_unlink, unlink, (const char *path), path)
PLAIN(AIM_DISK, SYS_unlinkat, unlinkat, (int at, const char *path, int flags),
      at, path, flags)
PLAIN(AIM_DISK, SYS_rmdir, rmdir, (const char *path), path)
PLAIN(AIM_DISK, SYS_flock, flock, (int fd, int operation), fd, operation)
PLAIN(AIM_DISK, SYS_fsync, fsync, (int fd), fd)
PLAIN(AIM_DISK, SYS_fdatasync, fdatasync, (int fd), fd)
PLAIN(AIM_DISK | AIM_ROOM, SYS_ftruncate, ftruncate, (int fd, off_t size), fd,
      size)
PLAIN(AIM_DISK | AIM_ROOM, SYS_ftruncate, ftruncate64, (int fd, off64_t size),
      fd, size)
PLAIN(AIM_DISK | AIM_ROOM, SYS_fallocate, fallocate,
      (int fd, int mode, off_t offset, off_t size), fd, mode, offset, size)
PLAIN(AIM_DISK | AIM_ROOM, SYS_fallocate, fallocate64,
      (int fd, int mode, off64_t offset, off64_t size), fd, mode, offset, size)
PLAIN(AIM_DISK, SYS_fstat, fstat, (int fd, struct stat *out), fd, out)
PLAIN(AIM_DISK, SYS_fstat, fstat64, (int fd, struct stat64 *out), fd, out)
PLAIN(AIM_DISK, SYS_stat, stat, (const char *path, struct stat *out), path, out)
PLAIN(AIM_DISK, SYS_stat, stat64, (const char *path, struct stat64 *out), path,
      out)

EXPORTED int posix_fallocate(int fd, off_t offset, off_t size);
EXPORTED int posix_fallocate(int fd, off_t offset, off_t size)
{
    return fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
}

/* ---- Reading and writing ---- */

EXPORTED ssize_t read(int fd, void *out, size_t size);
EXPORTED ssize_t read(int fd, void *out, size_t size)
{
    return is_file(fd) && aim_hits(AIM_DISK, "read")
               ? -1
               : syscall(SYS_read, fd, out, size);
}

EXPORTED ssize_t write(int fd, const void *bytes, size_t size);
EXPORTED ssize_t write(int fd, const void *bytes, size_t size)
{
    size_t goes = fd > 2 && is_file(fd) ? aim_room("write", size) : size;

    return goes == 0 && size > 0 ? -1 : syscall(SYS_write, fd, bytes, goes);
}

#define PREAD(name, offset_type)                                               \
    EXPORTED ssize_t name(int fd, void *out, size_t size, offset_type offset); \
    EXPORTED ssize_t name(int fd, void *out, size_t size, offset_type offset)  \
    {                                                                          \
        return aim_hits(AIM_DISK, #name)                                       \
                   ? -1                                                        \
                   : syscall(SYS_pread64, fd, out, size, offset);              \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define PWRITE(name, offset_type)                                    \
    EXPORTED ssize_t name(int fd, const void *bytes, size_t size,    \
                          offset_type offset);                       \
    EXPORTED ssize_t name(int fd, const void *bytes, size_t size,    \
                          offset_type offset)                        \
    {                                                                \
        size_t goes = aim_room(#name, size);                         \
                                                                     \
        return goes == 0 && size > 0                                 \
                   ? -1                                              \
                   : syscall(SYS_pwrite64, fd, bytes, goes, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

EXPORTED FILE *fopen(const char *path, const char *mode);
EXPORTED FILE *fopen(const char *path, const char *mode)
{
    static FILE *(*next)(const char *, const char *);

    if (next == NULL)
        next = (FILE * (*)(const char *, const char *)) aim_next("fopen");
    return aim_hits(AIM_DISK, "fopen") ? NULL : next(path, mode);
}

EXPORTED DIR *fdopendir(int fd);
EXPORTED DIR *fdopendir(int fd)
{
    static DIR *(*next)(int);

    if (next == NULL)
        next = (DIR * (*)(int)) aim_next("fdopendir");
    return aim_hits(AIM_DISK, "fdopendir") ? NULL : next(fd);
}

EXPORTED struct dirent *readdir(DIR *folder);
EXPORTED struct dirent *readdir(DIR *folder)
{
    static struct dirent *(*next)(DIR *);

    if (next == NULL)
        next = (struct dirent * (*)(DIR *)) aim_next("readdir");
    return aim_hits(AIM_DISK, "readdir") ? NULL : next(folder);
}

/* Of a file: a page that cannot be had; of none: memory. */
#define MMAP(name, offset_type)                                               \
    EXPORTED void *name(void *at, size_t size, int rights, int flags, int fd, \
                        offset_type offset);                                  \
    EXPORTED void *name(void *at, size_t size, int rights, int flags, int fd, \
                        offset_type offset)                                   \
    {                                                                         \
        return aim_hits((flags & MAP_ANONYMOUS) != 0 ? AIM_MEMORY : AIM_DISK, \
                        #name)                                                \
                   ? MAP_FAILED                                               \
                   : (void *)syscall(SYS_mmap, at, size, rights, flags, fd,   \
                                     offset);                                 \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)
