#include "client/sign_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIGN_STORE_PATH_SIZE_MAX = 1024 };

/* Invariant: names hold no '/'. */
struct sign_store {
    int directory; /* Locked while the store is open. */
    char name[SIGN_STORE_PATH_SIZE_MAX];
    char fresh[SIGN_STORE_PATH_SIZE_MAX + 8]; /* Takes the name in the end. */
    struct sign_state state;
    bool failed;
    void *context;
    void (*step)(void *context, enum sign_store_step step);
};

static void store_step(const struct sign_store *store,
                       enum sign_store_step step)
{
    if (store->step != NULL)
        store->step(store->context, step);
}

static enum status store_failure(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ST_DISK_FULL : ST_DISK_FAILED;
}

/* Opens and locks the directory of ${path}. */
static enum status store_begin(struct sign_store *store, const char *path)
{
    char directory[SIGN_STORE_PATH_SIZE_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);

    memset(store, 0, sizeof *store);
    store->directory = -1;
    if (size >= sizeof directory || *name == '\0' ||
        strlen(name) >= sizeof store->name)
        return ST_USAGE;
    memcpy(directory, path, size);
    directory[size] = '\0';
    if (size == 0)
        memcpy(directory, slash == NULL ? "." : "/", 2);
    (void)snprintf(store->name, sizeof store->name, "%s", name);
    (void)snprintf(store->fresh, sizeof store->fresh, "%s.new", name);
    store->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->directory < 0)
        return errno == ENOENT ? ST_NO_FILE : ST_DISK_FAILED;
    if (flock(store->directory, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? ST_BUSY : ST_DISK_FAILED;
    return ST_OK;
}

static void store_end(struct sign_store *store)
{
    if (store->directory >= 0)
        close(store->directory);
    store->directory = -1;
}

static enum status store_write(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return store_failure();
        bytes += written;
        size -= (size_t)written;
    }
    return ST_OK;
}

/* The new state under the name ${store->fresh}, synced. */
static enum status store_write_fresh(const struct sign_store *store,
                                     const struct sign_state *state)
{
    uint8_t bytes[SIGN_STATE_SIZE_MAX];
    enum status status;
    size_t size;
    int fd;

    sign_state_encode(bytes, &size, state);
    store_step(store, SIGN_STORE_CREATE);
    /* What lies there may be a pipe, for which it would wait, or another's. */
    if (unlinkat(store->directory, store->fresh, 0) != 0 && errno != ENOENT)
        return store_failure();
    fd = openat(store->directory, store->fresh,
                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                S_IRUSR | S_IWUSR);
    if (fd < 0)
        return store_failure();
    store_step(store, SIGN_STORE_WRITE);
    status = store_write(fd, bytes, size);
    store_step(store, SIGN_STORE_SYNC);
    if (status == ST_OK && fsync(fd) != 0)
        status = store_failure();
    if (close(fd) != 0 && status == ST_OK)
        status = ST_DISK_FAILED;
    return status;
}

static enum status store_replace(const struct sign_store *store,
                                 const struct sign_state *state)
{
    enum status status = store_write_fresh(store, state);

    if (status != ST_OK)
        return status;
    store_step(store, SIGN_STORE_RENAME);
    if (renameat(store->directory, store->fresh, store->directory,
                 store->name) != 0)
        return store_failure();
    store_step(store, SIGN_STORE_SYNC_DIRECTORY);
    if (fsync(store->directory) != 0)
        return ST_DISK_FAILED;
    store_step(store, SIGN_STORE_DONE);
    return ST_OK;
}

enum status sign_store_create(const char *path, const struct sign_state *state)
{
    struct sign_store store;
    enum status status = store_begin(&store, path);

    if (status == ST_OK &&
        faccessat(store.directory, store.name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        status = ST_EXISTS;
    if (status == ST_OK)
        status = store_replace(&store, state);
    store_end(&store);
    return status;
}

static enum status store_read(struct sign_store *store,
                              const uint8_t *cluster_id)
{
    uint8_t bytes[SIGN_STATE_SIZE_MAX + 1];
    int fd = openat(store->directory, store->name,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat about;
    ssize_t got;

    if (fd < 0 && errno == ENOENT)
        return ST_NO_FILE;
    if (fd < 0)
        return errno == ELOOP ? ST_FILE_MODE : ST_DISK_FAILED;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(fd);
        return ST_FILE_FORMAT;
    }
    /* Whoever else may write it could make the operator sign twice. */
    if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        close(fd);
        return ST_FILE_MODE;
    }
    do
        got = read(fd, bytes, sizeof bytes);
    while (got < 0 && errno == EINTR);
    close(fd);
    if (got < 0)
        return ST_DISK_FAILED;
    return sign_state_decode(&store->state, slice_of(bytes, (size_t)got),
                             SIGN_OPERATOR, cluster_id);
}

enum status sign_store_open(struct sign_store **store_out, const char *path,
                            const uint8_t *cluster_id)
{
    struct sign_store *store = calloc(1, sizeof *store);
    enum status status;

    if (store == NULL)
        return ST_INTERNAL;
    status = store_begin(store, path);
    if (status == ST_OK)
        status = store_read(store, cluster_id);
    if (status != ST_OK) {
        sign_store_close(store);
        return status;
    }
    *store_out = store;
    return ST_OK;
}

void sign_store_close(struct sign_store *store)
{
    if (store == NULL)
        return;
    store_end(store);
    free(store);
}

const struct sign_state *sign_store_state(const struct sign_store *store)
{
    return &store->state;
}

enum status sign_store_take(struct sign_store *store, struct slice certificate)
{
    struct sign_state next = store->state;
    enum status status;

    if (store->failed)
        return ST_DISK_FAILED;
    status = sign_state_take(&next, certificate);
    if (status != ST_OK)
        return status;
    status = store_replace(store, &next);
    /* What stands on the disk is not known after a sync that failed. */
    store->failed = status != ST_OK;
    if (status == ST_OK)
        store->state = next;
    return status;
}

void sign_store_watch(struct sign_store *store, void *context,
                      void (*step)(void *context, enum sign_store_step step))
{
    store->context = context;
    store->step = step;
}
