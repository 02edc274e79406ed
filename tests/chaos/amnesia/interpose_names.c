/*
 * interpose_names.c: the calls by which a process changes names.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/chaos/amnesia/control.h"
#include "tests/chaos/amnesia/raw.h"
#include "tests/chaos/amnesia/undo.h"

#define EXPORTED __attribute__((visibility("default")))

/* The path if it is followed: then with the lock held. */
static bool take_path(char path[UNDO_PATH_MAX], int at, const char *name)
{
    if (!control_is_on() || !control_path(path, UNDO_PATH_MAX, at, name) ||
        !control_follows(path))
        return false;
    control_lock();
    control_count();
    return true;
}

static int rename_any(int at_older, const char *older, int at_newer,
                      const char *newer, unsigned flags)
{
    char from[UNDO_PATH_MAX], to[UNDO_PATH_MAX];
    bool kept;
    int status;

    if (!take_path(from, at_older, older))
        return (int)syscall(SYS_renameat2, at_older, older, at_newer, newer,
                            flags);
    if (!control_path(to, sizeof to, at_newer, newer) || (flags & ~1U) != 0)
        raw_die("amnesia: a rename that is not followed\n");
    kept = undo_before_remove(to);
    status =
        (int)syscall(SYS_renameat2, at_older, older, at_newer, newer, flags);
    if (status == 0)
        undo_renamed(from, to);
    else if (kept)
        undo_forget_remove();
    control_unlock();
    return status;
}

EXPORTED int rename(const char *older, const char *newer)
{
    return rename_any(AT_FDCWD, older, AT_FDCWD, newer, 0);
}

EXPORTED int renameat(int at_older, const char *older, int at_newer,
                      const char *newer)
{
    return rename_any(at_older, older, at_newer, newer, 0);
}

EXPORTED int renameat2(int at_older, const char *older, int at_newer,
                       const char *newer, unsigned flags)
{
    return rename_any(at_older, older, at_newer, newer, flags);
}

static int remove_directory(int at, const char *name)
{
    char path[UNDO_PATH_MAX];
    struct stat about;
    int status;

    if (!take_path(path, at, name))
        return (int)syscall(SYS_unlinkat, at, name, AT_REMOVEDIR);
    status = lstat(path, &about);
    if (status == 0)
        status = raw_unlink(path, AT_REMOVEDIR);
    if (status == 0)
        undo_directory_removed(path, about.st_mode & 07777);
    control_unlock();
    return status;
}

static int remove_file(int at, const char *name)
{
    char path[UNDO_PATH_MAX];
    bool kept;
    int status, error;

    if (!take_path(path, at, name))
        return (int)syscall(SYS_unlinkat, at, name, 0);
    kept = undo_before_remove(path);
    status = raw_unlink(path, 0);
    error = errno;
    if (status != 0 && kept)
        undo_forget_remove();
    control_unlock();
    errno = error;
    return status;
}

EXPORTED int unlink(const char *name)
{
    return remove_file(AT_FDCWD, name);
}

EXPORTED int unlinkat(int at, const char *name, int flags)
{
    return (flags & AT_REMOVEDIR) != 0 ? remove_directory(at, name)
                                       : remove_file(at, name);
}

EXPORTED int rmdir(const char *name)
{
    return remove_directory(AT_FDCWD, name);
}

static int make_directory(int at, const char *name, mode_t mode)
{
    char path[UNDO_PATH_MAX];
    int status;

    if (!take_path(path, at, name))
        return (int)syscall(SYS_mkdirat, at, name, mode);
    status = raw_mkdir(path, mode);
    if (status == 0)
        undo_created(path, true);
    control_unlock();
    return status;
}

EXPORTED int mkdir(const char *name, mode_t mode)
{
    return make_directory(AT_FDCWD, name, mode);
}

EXPORTED int mkdirat(int at, const char *name, mode_t mode)
{
    return make_directory(at, name, mode);
}

static int link_any(int at_older, const char *older, int at_newer,
                    const char *newer, int flags)
{
    char path[UNDO_PATH_MAX];
    int status;

    if (!take_path(path, at_newer, newer))
        return (int)syscall(SYS_linkat, at_older, older, at_newer, newer,
                            flags);
    status = (int)syscall(SYS_linkat, at_older, older, at_newer, newer, flags);
    if (status == 0)
        undo_created(path, false);
    control_unlock();
    return status;
}

EXPORTED int link(const char *older, const char *newer)
{
    return link_any(AT_FDCWD, older, AT_FDCWD, newer, 0);
}

EXPORTED int linkat(int at_older, const char *older, int at_newer,
                    const char *newer, int flags)
{
    return link_any(at_older, older, at_newer, newer, flags);
}
