#include "client/program/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/files.h"

bool file_path(char out[FILE_PATH_SIZE_MAX], const char *directory,
               const char *name)
{
    int size = snprintf(out, FILE_PATH_SIZE_MAX, "%s/%s", directory, name);

    return size > 0 && size < FILE_PATH_SIZE_MAX;
}

const char *file_no_log(const char *directory)
{
    char path[FILE_PATH_SIZE_MAX];

    return file_path(path, directory, "node/" FILE_LOG_DIR) &&
                   access(path, F_OK) == 0
               ? "no log is there, but in the folder node in it"
               : "no log is there";
}

static enum status open_status(int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return ST_NO_FILE;
    return error == ELOOP || error == EACCES || error == ENXIO ? ST_FILE_MODE
                                                               : ST_DISK_FAILED;
}

FILE *file_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = NULL;
    struct stat about;
    int cause;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &about) == 0) {
        errno = EINVAL;
        if (S_ISREG(about.st_mode))
            file = fdopen(fd, "r");
    }
    if (file == NULL) {
        cause = errno;
        close(fd);
        errno = cause;
    }
    return file;
}

int file_parse(const char *path,
               int (*take)(void *context, const char *section, const char *name,
                           const char *value),
               void *context)
{
    FILE *file = file_open(path);
    int line, cause;

    if (file == NULL)
        return -1;
    line = ini_parse_file(file, take, context);
    cause = errno;
    if (ferror(file))
        line = -1; /* A part of it must not pass for all. */
    (void)fclose(file);
    errno = cause;
    return line;
}

static enum status read_whole(int fd, uint8_t *out, size_t *size_out,
                              size_t size_max)
{
    size_t used = 0;

    for (;;) {
        uint8_t extra;
        ssize_t got = used < size_max ? read(fd, out + used, size_max - used)
                                      : read(fd, &extra, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ST_DISK_FAILED;
        if (got == 0)
            break;
        if (used == size_max)
            return ST_TOO_LARGE;
        used += (size_t)got;
    }
    *size_out = used;
    return ST_OK;
}

enum status file_read(void *out, size_t *size_out, const char *path,
                      size_t size_max, bool is_secret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat about;
    enum status status = ST_DISK_FAILED;

    if (fd < 0)
        return open_status(errno);
    if (fstat(fd, &about) != 0)
        status = ST_DISK_FAILED;
    else if (!S_ISREG(about.st_mode) ||
             (is_secret && ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0 ||
                            about.st_uid != geteuid())))
        status = ST_FILE_MODE;
    else
        status = read_whole(fd, out, size_out, size_max);
    close(fd);
    return status;
}

static enum status write_failure(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ST_DISK_FULL : ST_DISK_FAILED;
}

static enum status write_whole(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return write_failure();
        bytes += written;
        size -= (size_t)written;
    }
    return fsync(fd) == 0 ? ST_OK : ST_DISK_FAILED;
}

/* The file at ${path}, in place of what a former try left there. */
static enum status write_fresh(const char *path, const void *bytes, size_t size,
                               unsigned mode)
{
    enum status status;
    int fd;

    if (unlink(path) != 0 && errno != ENOENT)
        return ST_DISK_FAILED;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
              (mode_t)mode);
    if (fd < 0)
        return write_failure();
    status = write_whole(fd, bytes, size);
    if (close(fd) != 0 && status == ST_OK)
        status = ST_DISK_FAILED;
    return status;
}

/* The names in the directory of ${path} are durable. */
static enum status sync_directory(const char *path)
{
    char directory[FILE_PATH_SIZE_MAX];
    const char *slash = strrchr(path, '/');
    int size = snprintf(directory, sizeof directory, "%.*s",
                        slash == NULL ? 1 : (int)(slash - path + 1),
                        slash == NULL ? "." : path);
    int fd = size > 0 && size < (int)sizeof directory
                 ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                 : -1;
    enum status status = ST_DISK_FAILED;

    if (fd < 0)
        return status;
    if (fsync(fd) == 0)
        status = ST_OK;
    close(fd);
    return status;
}

/* Not every file system has the first way (NFS), or the second (FAT). */
static enum status rename_new(const char *fresh, const char *path)
{
    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return ST_OK;
    if (errno == EINVAL && link(fresh, path) == 0) {
        (void)unlink(fresh);
        return ST_OK;
    }
    return errno == EEXIST ? ST_EXISTS : write_failure();
}

enum status file_write_new(const char *path, const void *bytes, size_t size,
                           unsigned mode)
{
    char fresh[FILE_PATH_SIZE_MAX];
    /* Whoever writes the same file at the same time has another. */
    int length =
        snprintf(fresh, sizeof fresh, "%s.%ld.new", path, (long)getpid());
    struct stat about;
    enum status status;

    if (length <= 0 || length >= (int)sizeof fresh)
        return ST_USAGE;
    if (lstat(path, &about) == 0)
        return ST_EXISTS;
    status = write_fresh(fresh, bytes, size, mode);
    if (status == ST_OK)
        status = rename_new(fresh, path);
    if (status != ST_OK) {
        (void)unlink(fresh);
        return status;
    }
    return sync_directory(path);
}

enum status file_replace(const char *path, const void *bytes, size_t size,
                         unsigned mode)
{
    char fresh[FILE_PATH_SIZE_MAX];
    int length = snprintf(fresh, sizeof fresh, "%s.new", path);
    enum status status;

    if (length <= 0 || length >= (int)sizeof fresh)
        return ST_USAGE;
    status = write_fresh(fresh, bytes, size, mode);
    if (status != ST_OK)
        return status;
    if (rename(fresh, path) != 0)
        return write_failure();
    return sync_directory(path);
}

enum status file_make_directory(const char *path)
{
    struct stat about;

    if (mkdir(path, S_IRWXU) == 0)
        return ST_OK;
    if (errno == EEXIST && stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return ST_OK;
    return ST_DISK_FAILED;
}

enum status file_read_key(struct keyfile *out, const char *path,
                          enum keyfile_kind kind)
{
    uint8_t bytes[KEYFILE_SIZE];
    size_t size;
    enum status status = file_read(bytes, &size, path, sizeof bytes, true);

    if (status == ST_OK)
        status = keyfile_decode(out, slice_of(bytes, size), kind);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

enum status file_write_key(const struct keyfile *keyfile, const char *path)
{
    uint8_t bytes[KEYFILE_SIZE];
    enum status status;

    keyfile_encode(bytes, keyfile);
    status = file_write_new(path, bytes, sizeof bytes, S_IRUSR | S_IWUSR);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}
