/*
 * interpose.c: libamnesia.so, to be preloaded: the calls by which a process
 * changes files, each with what the undo log must know of it.
 *
 *   AMNESIA_DIR=DIR     what lies below it is followed (not SQLite's -shm)
 *   AMNESIA_SEED=N      what is lost
 *   AMNESIA_AFTER=N     power is lost before the N-th change or sync
 *   AMNESIA_REPORT=FILE a line about the loss is added to it
 * *   AMNESIA_DEAF=1      syncs are heard and not obeyed
 *
 * SIGUSR2 is the power loss from outside.  The process ends with 86; with 87
 * when this library cannot do its work, also when the process changes a file in
 * a way that is not followed.
 */
/* A fortified header makes functions of its own of some of these names. */
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "tests/chaos/amnesia/control.h"
#include "tests/chaos/amnesia/raw.h"
#include "tests/chaos/amnesia/undo.h"

#define EXPORTED __attribute__((visibility("default")))

/* ---- Opening ---- */

static bool exists(const char *path)
{
    struct stat about;

    return lstat(path, &about) == 0;
}

static int open_plain(int at, const char *name, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, at, name, flags, mode);
}

static int open_followed(int at, const char *name, int flags, mode_t mode,
                         const char *path)
{
    bool is_new = (flags & O_CREAT) != 0 && !exists(path);
    int fd;

    /* An old file is cut only when it is followed. */
    fd = open_plain(at, name, flags & ~O_TRUNC, mode);
    if (fd < 0)
        return fd;
    undo_follow(fd);
    if (is_new) {
        control_count();
        undo_created(path, false);
    } else if ((flags & O_TRUNC) != 0) {
        struct undo_file *file = undo_find(fd);
        if (file != NULL) {
            control_count();
            undo_before_resize(file, 0);
            (void)raw_ftruncate(fd, 0);
        }
    }
    return fd;
}

static int open_any(int at, const char *name, int flags, mode_t mode)
{
    char path[UNDO_PATH_MAX];
    int fd;

    if (!control_is_on() || (flags & (O_ACCMODE | O_CREAT)) == O_RDONLY ||
        (flags & O_DIRECTORY) != 0 ||
        !control_path(path, sizeof path, at, name) || !control_follows(path))
        return open_plain(at, name, flags, mode);
    control_lock();
    fd = open_followed(at, name, flags, mode, path);
    control_unlock();
    return fd;
}

static mode_t take_mode(int flags, va_list list)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
}

#define OPEN(name)                                       \
    EXPORTED int name(const char *path, int flags, ...); \
    EXPORTED int name(const char *path, int flags, ...)  \
    {                                                    \
        va_list list;                                    \
        mode_t mode;                                     \
        va_start(list, flags);                           \
        mode = take_mode(flags, list);                   \
        va_end(list);                                    \
        return open_any(AT_FDCWD, path, flags, mode);    \
    }
#define OPENAT(name)                                             \
    EXPORTED int name(int at, const char *path, int flags, ...); \
    EXPORTED int name(int at, const char *path, int flags, ...)  \
    {                                                            \
        va_list list;                                            \
        mode_t mode;                                             \
        va_start(list, flags);                                   \
        mode = take_mode(flags, list);                           \
        va_end(list);                                            \
        return open_any(at, path, flags, mode);                  \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* What a fortified program calls when it passes no mode. */
#define OPEN_2(name)                                \
    EXPORTED int name(const char *path, int flags); \
    EXPORTED int name(const char *path, int flags)  \
    {                                               \
        return open_any(AT_FDCWD, path, flags, 0);  \
    }
#define OPENAT_2(name)                                      \
    EXPORTED int name(int at, const char *path, int flags); \
    EXPORTED int name(int at, const char *path, int flags)  \
    {                                                       \
        return open_any(at, path, flags, 0);                \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)

/* ---- Bytes ---- */

static bool is_synchronous(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_DSYNC) != 0;
}

/* The file, with the lock held; or NULL without it. */
static struct undo_file *take(int fd)
{
    struct undo_file *file;

    if (!control_is_on())
        return NULL;
    control_lock();
    file = undo_find(fd);
    if (file == NULL) {
        control_unlock();
        return NULL;
    }
    control_count();
    return file;
}

static ssize_t write_at(int fd, const void *bytes, size_t size, off_t offset)
{
    struct undo_file *file = take(fd);
    ssize_t done;

    if (file == NULL)
        return raw_pwrite(fd, bytes, size, offset);
    undo_before_write(file, (uint64_t)offset, size);
    done = raw_pwrite(fd, bytes, size, offset);
    if (done > 0 && is_synchronous(fd))
        undo_written_through(file, (uint64_t)offset, (size_t)done);
    control_unlock();
    return done;
}

EXPORTED ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_at(fd, bytes, size, offset);
}

EXPORTED ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_at(fd, bytes, size, offset);
}

EXPORTED ssize_t write(int fd, const void *bytes, size_t size)
{
    struct undo_file *file = take(fd);
    off_t offset;
    ssize_t done;

    if (file == NULL)
        return syscall(SYS_write, fd, bytes, size);
    offset = lseek(fd, 0,
                   (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
    undo_before_write(file, (uint64_t)offset, size);
    done = syscall(SYS_write, fd, bytes, size);
    if (done > 0 && is_synchronous(fd))
        undo_written_through(file, (uint64_t)offset, (size_t)done);
    control_unlock();
    return done;
}

static int resize(int fd, off_t size)
{
    struct undo_file *file = take(fd);
    int status;

    if (file == NULL)
        return raw_ftruncate(fd, size);
    undo_before_resize(file, (uint64_t)size);
    status = raw_ftruncate(fd, size);
    control_unlock();
    return status;
}

EXPORTED int ftruncate(int fd, off_t size)
{
    return resize(fd, size);
}

EXPORTED int ftruncate64(int fd, off_t size)
{
    return resize(fd, size);
}

/* ---- Syncs ---- */

/* A directory's path if ${fd} is one that is followed. */
static bool directory_of(char *path, size_t size, int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISDIR(about.st_mode) &&
           control_path(path, size, fd, "") && control_follows(path);
}

static int sync_any(int fd, long call)
{
    struct undo_file *file = take(fd);
    struct undo_sync sync = {0, 0};
    char path[UNDO_PATH_MAX];
    bool is_directory = false;
    uint64_t newest = 0;
    int status;

    if (file != NULL) {
        sync = undo_sync_begins(file);
        control_unlock();
    } else if (control_is_on() && directory_of(path, sizeof path, fd)) {
        is_directory = true;
        control_lock();
        control_count();
        newest = undo_newest_change();
        control_unlock();
    }
    status = (int)syscall(call, fd);
    if (status != 0 || (file == NULL && !is_directory) || control_is_deaf())
        return status;
    control_lock();
    if (is_directory)
        undo_directory_synced(path, newest);
    else
        undo_sync_ended(file, sync);
    control_unlock();
    return status;
}

EXPORTED int fsync(int fd)
{
    return sync_any(fd, SYS_fsync);
}

EXPORTED int fdatasync(int fd)
{
    return sync_any(fd, SYS_fdatasync);
}

/* ---- Ways to change a file that are not followed ---- */

static void refuse(int fd, const char *text)
{
    if (take(fd) != NULL)
        raw_die(text);
}

EXPORTED ssize_t writev(int fd, const struct iovec *parts, int count)
{
    refuse(fd, "amnesia: writev to a followed file\n");
    return syscall(SYS_writev, fd, parts, count);
}

EXPORTED ssize_t pwritev(int fd, const struct iovec *parts, int count,
                         off_t offset)
{
    refuse(fd, "amnesia: pwritev to a followed file\n");
    return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

EXPORTED int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if ((mode & ~1) != 0) /* All but FALLOC_FL_KEEP_SIZE change bytes. */
        refuse(fd, "amnesia: fallocate changes a followed file\n");
    return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

static void *map(void *where, size_t size, int protection, int flags, int fd,
                 off_t offset)
{
    if (fd >= 0 && (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0)
        refuse(fd, "amnesia: a followed file is mapped for writing\n");
    /* The kernel's address is what the call gives. */
    return (void *)syscall(SYS_mmap, where, size, protection, flags, fd,
                           offset);
}

EXPORTED void *mmap(void *where, size_t size, int protection, int flags, int fd,
                    off_t offset)
{
    return map(where, size, protection, flags, fd, offset);
}

EXPORTED void *mmap64(void *where, size_t size, int protection, int flags,
                      int fd, off_t offset)
{
    return map(where, size, protection, flags, fd, offset);
}

/* ---- Signals: the power loss reaches every thread ---- */

static int change_mask(int how, const sigset_t *set, sigset_t *before)
{
    enum { KERNEL_SET_SIZE = 8, SIGNAL_CANCEL = 32, SIGNAL_SETXID = 33 };
    sigset_t kept;

    if (set != NULL) {
        kept = *set;
        if (how != SIG_UNBLOCK) {
            (void)sigdelset(&kept, SIGUSR2);
            /* As the C library does: these two are its own. */
            ((unsigned long *)&kept)[0] &=
                ~(1UL << (SIGNAL_CANCEL - 1) | 1UL << (SIGNAL_SETXID - 1));
        }
        set = &kept;
    }
    return (int)syscall(SYS_rt_sigprocmask, how, set, before, KERNEL_SET_SIZE);
}

EXPORTED int pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    return change_mask(how, set, before) == 0 ? 0 : errno;
}

EXPORTED int sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
    return change_mask(how, set, before);
}
