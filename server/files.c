#include "server/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

enum { FILES_MODE_OTHERS = 077, FILES_MODE_LISTED = 040 };

/* Who may see what is read. */
enum files_secrecy { FILES_PUBLIC, FILES_SECRET, FILES_CREDENTIAL };

bool files_path(char out[FILES_PATH_SIZE_MAX], const char *directory,
                const char *name)
{
    int size = snprintf(out, FILES_PATH_SIZE_MAX, "%s/%s", directory, name);

    return size > 0 && size < FILES_PATH_SIZE_MAX;
}

static bool files_is_kept(const struct stat *found, enum files_secrecy secrecy)
{
    unsigned others = found->st_mode & FILES_MODE_OTHERS;

    switch (secrecy) {
    case FILES_PUBLIC:
        return true;
    case FILES_SECRET:
        return others == 0 && found->st_uid == geteuid();
    case FILES_CREDENTIAL:
        if (found->st_uid == 0)
            return (others & ~(unsigned)FILES_MODE_LISTED) == 0;
        return others == 0 && found->st_uid == geteuid();
    }
    return false;
}

static enum status files_check(int fd, enum files_secrecy secrecy)
{
    struct stat found;

    if (fstat(fd, &found) != 0)
        return ST_DISK_FAILED;
    if (!S_ISREG(found.st_mode) || !files_is_kept(&found, secrecy))
        return ST_FILE_MODE;
    return ST_OK;
}

/* All of it, up to one byte more than there is room for. */
static enum status files_read_all(int fd, uint8_t *out, size_t *size_out,
                                  size_t size_max)
{
    size_t used = 0;

    while (used < size_max) {
        ssize_t got = read(fd, out + used, size_max - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ST_DISK_FAILED;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    uint8_t more;
    if (used == size_max && read(fd, &more, 1) != 0)
        return ST_TOO_LARGE;
    *size_out = used;
    return ST_OK;
}

static enum status files_read_kept(void *out, size_t *size_out,
                                   const char *path, size_t size_max,
                                   enum files_secrecy secrecy)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    enum status status;

    if (fd < 0) {
        if (errno == ENOENT)
            return ST_NO_FILE;
        return errno == ELOOP || errno == EACCES ? ST_FILE_MODE
                                                 : ST_DISK_FAILED;
    }
    status = files_check(fd, secrecy);
    if (status == ST_OK)
        status = files_read_all(fd, out, size_out, size_max);
    (void)close(fd);
    return status;
}

enum status files_read(void *out, size_t *size_out, const char *path,
                       size_t size_max, bool is_secret)
{
    return files_read_kept(out, size_out, path, size_max,
                           is_secret ? FILES_SECRET : FILES_PUBLIC);
}

static enum status files_read_kept_key(struct keyfile *out, const char *path,
                                       enum keyfile_kind kind,
                                       enum files_secrecy secrecy)
{
    uint8_t bytes[KEYFILE_SIZE];
    size_t size;
    enum status status =
        files_read_kept(bytes, &size, path, sizeof bytes, secrecy);

    if (status == ST_TOO_LARGE)
        return ST_FILE_FORMAT;
    if (status == ST_OK)
        status = keyfile_decode(out, slice_of(bytes, size), kind);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

enum status files_read_key(struct keyfile *out, const char *path,
                           enum keyfile_kind kind)
{
    return files_read_kept_key(out, path, kind, FILES_SECRET);
}

enum status files_read_credential(struct keyfile *out, const char *path,
                                  enum keyfile_kind kind)
{
    return files_read_kept_key(out, path, kind, FILES_CREDENTIAL);
}

enum status files_why(enum status status, const char *directory,
                      const char *name)
{
    char path[FILES_PATH_SIZE_MAX];
    struct stat found;

    if (status != ST_DISK_FAILED || !files_path(path, directory, name) ||
        lstat(path, &found) != 0)
        return status;
    if ((S_ISREG(found.st_mode) || S_ISDIR(found.st_mode)) &&
        access(path, R_OK | W_OK) == 0)
        return status;
    return ST_FILE_MODE;
}

enum status files_write_new(const char *path, const void *bytes, size_t size,
                            unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    enum status status = ST_OK;
    size_t used = 0;

    if (fd < 0) {
        if (errno == EEXIST)
            return ST_EXISTS;
        return errno == ENOSPC ? ST_DISK_FULL : ST_DISK_FAILED;
    }
    while (used < size) {
        ssize_t wrote = write(fd, (const uint8_t *)bytes + used, size - used);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            status = errno == ENOSPC ? ST_DISK_FULL : ST_DISK_FAILED;
            break;
        }
        used += (size_t)wrote;
    }
    if (status == ST_OK && fsync(fd) != 0)
        status = ST_DISK_FAILED;
    if (close(fd) != 0 && status == ST_OK)
        status = ST_DISK_FAILED;
    if (status != ST_OK)
        (void)unlink(path);
    return status;
}
