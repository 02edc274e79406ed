#include "server/store/disk_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "replication/need.h"

enum { POSIX_FILE_MODE = 0600, POSIX_DIRECTORY_MODE = 0700 };

struct disk_posix {
    struct disk disk; /* First, so that the interface is this object. */
    int directory;
};

struct posix_file {
    struct disk_file file; /* First. */
    int fd;
};

static int posix_root(struct disk *disk)
{
    return ((struct disk_posix *)disk)->directory;
}

static int posix_fd(struct disk_file *file)
{
    return ((struct posix_file *)file)->fd;
}

/* The only place where errno becomes a status. */
static enum status posix_status(int error)
{
    if (error == ENOENT)
        return ST_NO_FILE;
    if (error == EEXIST)
        return ST_EXISTS;
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return ST_DISK_FULL;
    return ST_DISK_FAILED;
}

static enum status posix_take(struct disk *disk, struct disk_file **file_out,
                              const char *name, int flags)
{
    struct posix_file *file;
    const int fd = openat(posix_root(disk), name,
                          O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags,
                          POSIX_FILE_MODE);

    if (fd < 0)
        return posix_status(errno);
    file = malloc(sizeof *file);
    NEED(file != NULL);
    file->file.disk = disk;
    file->fd = fd;
    *file_out = &file->file;
    return ST_OK;
}

static enum status posix_open(struct disk *disk, struct disk_file **file_out,
                              const char *name)
{
    return posix_take(disk, file_out, name, 0);
}

static enum status posix_create(struct disk *disk, struct disk_file **file_out,
                                const char *name)
{
    return posix_take(disk, file_out, name, O_CREAT | O_EXCL);
}

static void posix_close(struct disk_file *file)
{
    close(posix_fd(file));
    free(file);
}

static enum status posix_size(struct disk_file *file, uint64_t *size_out)
{
    struct stat info;

    if (fstat(posix_fd(file), &info) != 0)
        return posix_status(errno);
    *size_out = (uint64_t)info.st_size;
    return ST_OK;
}

static enum status posix_read(struct disk_file *file, size_t *read_out,
                              void *data, size_t size, uint64_t offset)
{
    size_t done = 0;

    while (done < size) {
        const ssize_t got = pread(posix_fd(file), (uint8_t *)data + done,
                                  size - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return posix_status(errno);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *read_out = done;
    return ST_OK;
}

static enum status posix_write(struct disk_file *file, const void *data,
                               size_t size, uint64_t offset)
{
    size_t done = 0;

    while (done < size) {
        const ssize_t put = pwrite(posix_fd(file), (const uint8_t *)data + done,
                                   size - done, (off_t)(offset + done));

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return posix_status(errno);
        if (put == 0)
            return ST_DISK_FAILED;
        done += (size_t)put;
    }
    return ST_OK;
}

static enum status posix_truncate(struct disk_file *file, uint64_t size)
{
    if (ftruncate(posix_fd(file), (off_t)size) != 0)
        return posix_status(errno);
    return ST_OK;
}

/* Never repeated, not even after EINTR: a second sync may lie. */
static enum status posix_sync(struct disk_file *file)
{
    return fdatasync(posix_fd(file)) == 0 ? ST_OK : ST_DISK_FAILED;
}

static enum status posix_rename(struct disk *disk, const char *older,
                                const char *newer)
{
    const int root = posix_root(disk);

    if (renameat(root, older, root, newer) != 0)
        return posix_status(errno);
    return ST_OK;
}

static enum status posix_remove(struct disk *disk, const char *name)
{
    if (unlinkat(posix_root(disk), name, 0) != 0)
        return posix_status(errno);
    return ST_OK;
}

static enum status posix_make_directory(struct disk *disk, const char *name)
{
    if (mkdirat(posix_root(disk), name, POSIX_DIRECTORY_MODE) != 0 &&
        errno != EEXIST)
        return posix_status(errno);
    return ST_OK;
}

static int posix_directory_fd(struct disk *disk, const char *directory)
{
    return openat(posix_root(disk), directory[0] == '\0' ? "." : directory,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static enum status posix_list(struct disk *disk, const char *directory,
                              void *context, disk_visit *visit)
{
    const int fd = posix_directory_fd(disk, directory);
    struct dirent *row;
    DIR *rows;

    if (fd < 0)
        return posix_status(errno);
    rows = fdopendir(fd);
    if (rows == NULL) {
        close(fd);
        return ST_DISK_FAILED;
    }
    for (;;) {
        errno = 0;
        row = readdir(rows);
        if (row == NULL)
            break;
        if (row->d_name[0] != '.')
            visit(context, row->d_name);
    }
    if (errno != 0) {
        closedir(rows);
        return ST_DISK_FAILED;
    }
    closedir(rows);
    return ST_OK;
}

static enum status posix_sync_directory(struct disk *disk,
                                        const char *directory)
{
    const int fd = posix_directory_fd(disk, directory);
    enum status status;

    if (fd < 0)
        return posix_status(errno);
    status = fsync(fd) == 0 ? ST_OK : ST_DISK_FAILED;
    close(fd);
    return status;
}

static const struct disk_calls posix_calls = {
    .open = posix_open,
    .create = posix_create,
    .close = posix_close,
    .size = posix_size,
    .read = posix_read,
    .write = posix_write,
    .truncate = posix_truncate,
    .sync = posix_sync,
    .rename = posix_rename,
    .remove = posix_remove,
    .make_directory = posix_make_directory,
    .list = posix_list,
    .sync_directory = posix_sync_directory,
};

enum status disk_posix_open(struct disk_posix **out, const char *directory)
{
    struct disk_posix *posix;
    struct stat info;
    enum status status;
    int fd;

    *out = NULL;
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return posix_status(errno);
    posix = malloc(sizeof *posix);
    NEED(posix != NULL);
    posix->disk.calls = &posix_calls;
    posix->directory = fd;

    status = ST_DISK_FAILED;
    if (fstat(fd, &info) != 0)
        goto fail;
    status = ST_FILE_MODE;
    if (info.st_uid != geteuid() || (info.st_mode & 077) != 0)
        goto fail;
    /* Two processes writing one log would each believe to own its end. */
    status = ST_WRONG_STATE;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        goto fail;
    *out = posix;
    return ST_OK;
fail:
    disk_posix_close(posix);
    ENSURE(status != ST_OK);
    return status;
}

void disk_posix_close(struct disk_posix *posix)
{
    if (posix == NULL)
        return;
    close(posix->directory);
    free(posix);
}

struct disk *disk_posix_disk(struct disk_posix *posix)
{
    REQUIRE(posix != NULL);
    return &posix->disk;
}

uint64_t disk_posix_room(const struct disk_posix *posix)
{
    struct statvfs info;

    if (fstatvfs(posix->directory, &info) != 0)
        return UINT64_MAX;
    return (uint64_t)info.f_bavail * info.f_frsize;
}
