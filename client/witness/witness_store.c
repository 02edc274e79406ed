#include "client/witness/witness_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define STORE_FRESH ".new"

enum { STORE_FILE_NAME_SIZE = WITNESS_STORE_NAME_SIZE + 16 };

/* Invariant: both are open from open to close. */
struct witness_store {
    int directory; /* Locked. */
    int folder;
    bool failed;
    void *context;
    void (*step)(void *context, enum witness_store_step step);
};

void witness_store_name(char out[WITNESS_STORE_NAME_SIZE], struct slice origin)
{
    uint8_t hash[HASH_SIZE];

    crypto_hash_sha256(hash, origin.data, origin.size);
    sodium_bin2hex(out, WITNESS_STORE_NAME_SIZE, hash, sizeof hash);
}

static enum status store_failure(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ST_DISK_FULL : ST_DISK_FAILED;
}

void witness_store_watch(struct witness_store *store, void *context,
                         void (*step)(void *context,
                                      enum witness_store_step step))
{
    store->context = context;
    store->step = step;
}

static void store_step(const struct witness_store *store,
                       enum witness_store_step step)
{
    if (store->step != NULL)
        store->step(store->context, step);
}

/* ---- Opening ------------------------------------------------------------ */

/* Whoever else may write there could make the witness sign twice. */
static enum status store_check(int fd)
{
    struct stat about;

    if (fstat(fd, &about) != 0)
        return ST_DISK_FAILED;
    if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0 || about.st_uid != geteuid())
        return ST_FILE_MODE;
    return ST_OK;
}

static enum status store_take(struct witness_store *store,
                              const char *directory)
{
    enum status status;

    store->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->directory < 0)
        return errno == ENOENT ? ST_NO_FILE : ST_DISK_FAILED;
    status = store_check(store->directory);
    if (status != ST_OK)
        return status;
    if (flock(store->directory, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? ST_BUSY : ST_DISK_FAILED;
    return ST_OK;
}

static enum status store_folder(struct witness_store *store)
{
    if (mkdirat(store->directory, WITNESS_FOLDER_STATE, S_IRWXU) == 0) {
        if (fsync(store->directory) != 0)
            return store_failure();
    } else if (errno != EEXIST) {
        return store_failure();
    }
    store->folder = openat(store->directory, WITNESS_FOLDER_STATE,
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (store->folder < 0)
        return ST_DISK_FAILED;
    return store_check(store->folder);
}

enum status witness_store_open(struct witness_store **store_out,
                               const char *directory)
{
    struct witness_store *store = calloc(1, sizeof *store);
    enum status status;

    if (store == NULL)
        return ST_INTERNAL;
    store->directory = -1;
    store->folder = -1;
    status = store_take(store, directory);
    if (status == ST_OK)
        status = store_folder(store);
    if (status != ST_OK) {
        witness_store_close(store);
        return status;
    }
    *store_out = store;
    return ST_OK;
}

void witness_store_close(struct witness_store *store)
{
    if (store == NULL)
        return;
    if (store->folder >= 0)
        close(store->folder);
    if (store->directory >= 0)
        close(store->directory);
    free(store);
}

/* ---- Reading ------------------------------------------------------------ */

static void store_file(char out[STORE_FILE_NAME_SIZE], struct slice origin,
                       const char *suffix)
{
    char name[WITNESS_STORE_NAME_SIZE];

    witness_store_name(name, origin);
    (void)snprintf(out, STORE_FILE_NAME_SIZE, "%s%s", name, suffix);
}

static enum status store_read_all(int fd, uint8_t *out, size_t *size_out)
{
    uint8_t more;
    size_t used = 0;
    ssize_t got;

    do {
        bool full = used == WITNESS_STORE_SIZE_MAX;

        got = read(fd, full ? &more : out + used,
                   full ? 1 : WITNESS_STORE_SIZE_MAX - used);
        if (got < 0 && errno != EINTR)
            return ST_DISK_FAILED;
        if (got > 0 && full)
            return ST_TOO_LARGE;
        used += got > 0 ? (size_t)got : 0;
    } while (got != 0);
    *size_out = used;
    return ST_OK;
}

enum status witness_store_read(struct witness_store *store, uint8_t *out,
                               size_t *size_out, struct slice origin,
                               const char *suffix)
{
    char name[STORE_FILE_NAME_SIZE];
    struct stat about;
    enum status status;
    int fd;

    store_file(name, origin, suffix);
    fd = openat(store->folder, name,
                O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return ST_NO_FILE;
    if (fd < 0)
        return errno == ELOOP ? ST_FILE_MODE : ST_DISK_FAILED;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        status = ST_FILE_MODE;
    else
        status = store_read_all(fd, out, size_out);
    close(fd);
    return status;
}

/* ---- Writing ------------------------------------------------------------ */

static enum status store_put(int fd, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(fd, bytes.data, bytes.size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return store_failure();
        bytes = slice_of(bytes.data + written, bytes.size - (size_t)written);
    }
    return ST_OK;
}

static enum status store_write_fresh(const struct witness_store *store,
                                     struct slice bytes)
{
    enum status status;
    int fd;

    store_step(store, WITNESS_STORE_CREATE);
    /* What lies there may be a pipe, for which it would wait, or another's. */
    if (unlinkat(store->folder, STORE_FRESH, 0) != 0 && errno != ENOENT)
        return store_failure();
    fd = openat(store->folder, STORE_FRESH,
                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                S_IRUSR | S_IWUSR);
    if (fd < 0)
        return store_failure();
    store_step(store, WITNESS_STORE_WRITE);
    status = store_put(fd, bytes);
    store_step(store, WITNESS_STORE_SYNC);
    if (status == ST_OK && fsync(fd) != 0)
        status = store_failure();
    if (close(fd) != 0 && status == ST_OK)
        status = ST_DISK_FAILED;
    return status;
}

static enum status store_replace(const struct witness_store *store,
                                 const char *name, struct slice bytes)
{
    enum status status = store_write_fresh(store, bytes);

    if (status != ST_OK)
        return status;
    store_step(store, WITNESS_STORE_RENAME);
    if (renameat(store->folder, STORE_FRESH, store->folder, name) != 0)
        return store_failure();
    store_step(store, WITNESS_STORE_SYNC_DIRECTORY);
    if (fsync(store->folder) != 0)
        return store_failure();
    store_step(store, WITNESS_STORE_DONE);
    return ST_OK;
}

enum status witness_store_write(struct witness_store *store,
                                struct slice origin, const char *suffix,
                                struct slice bytes)
{
    char name[STORE_FILE_NAME_SIZE];
    enum status status;

    REQUIRE(bytes.size <= WITNESS_STORE_SIZE_MAX);
    if (store->failed)
        return ST_DISK_FAILED;
    store_file(name, origin, suffix);
    status = store_replace(store, name, bytes);
    store->failed = status != ST_OK;
    return status;
}
