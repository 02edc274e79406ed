#include "client/export/tree_writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No tile and no bundle is called so. */
#define TREE_WRITER_FRESH   ".new"
#define TREE_WRITER_PARTIAL ".p"

enum {
    TREE_WRITER_PATH_SIZE = ARCHIVE_PATH_SIZE_MAX + sizeof TREE_WRITER_FRESH
};

static enum status writer_failed(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ST_DISK_FULL : ST_DISK_FAILED;
}

static void writer_path(char out[TREE_WRITER_PATH_SIZE],
                        const struct tile *tile)
{
    struct writer writer;

    writer_init(&writer, out, TILE_PATH_SIZE_MAX);
    tiles_path_write(&writer, tile);
    INVARIANT(writer.status == ST_OK);
    out[writer.used] = '\0';
}

enum status tree_writer_open(struct tree_writer *writer, const char *path)
{
    *writer = (struct tree_writer){.directory = -1};
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return errno == ENOENT ? ST_NO_FILE : writer_failed();
    writer->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return writer->directory >= 0 ? ST_OK : ST_DISK_FAILED;
}

void tree_writer_close(struct tree_writer *writer)
{
    if (writer->directory >= 0)
        close(writer->directory);
    writer->directory = -1;
}

bool tree_writer_has(const struct tree_writer *writer, const struct tile *tile,
                     size_t size)
{
    char path[TREE_WRITER_PATH_SIZE];
    struct stat about;

    writer_path(path, tile);
    return fstatat(writer->directory, path, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(about.st_mode) && (uint64_t)about.st_size == size;
}

/* The folders above ${path}. */
static enum status writer_folders(const struct tree_writer *writer,
                                  const char *path)
{
    char folder[TREE_WRITER_PATH_SIZE];

    for (const char *at = strchr(path, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(at - path), path);
        if (mkdirat(writer->directory, folder, 0755) != 0 && errno != EEXIST)
            return writer_failed();
    }
    return ST_OK;
}

static enum status writer_fill(int file, struct slice bytes)
{
    size_t used = 0;

    while (used < bytes.size) {
        ssize_t got = write(file, bytes.data + used, bytes.size - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return writer_failed();
        used += (size_t)got;
    }
    return ST_OK;
}

/* What a run that was killed left there goes; it may be a pipe by now, for
 * which an open would wait.  -1: it cannot be made. */
static int writer_begin(const struct tree_writer *writer, const char *fresh)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int file = openat(writer->directory, fresh, flags, 0644);

    if (file < 0 && errno == EEXIST &&
        unlinkat(writer->directory, fresh, 0) == 0)
        file = openat(writer->directory, fresh, flags, 0644);
    return file;
}

enum status tree_writer_put(struct tree_writer *writer, const char *path,
                            struct slice bytes, bool is_durable)
{
    char fresh[TREE_WRITER_PATH_SIZE];
    enum status status = ST_OK;
    int file;

    (void)snprintf(fresh, sizeof fresh, "%s" TREE_WRITER_FRESH, path);
    file = writer_begin(writer, fresh);
    if (file < 0 && errno == ENOENT) {
        status = writer_folders(writer, path);
        if (status != ST_OK)
            return status;
        file = writer_begin(writer, fresh);
    }
    if (file < 0)
        return writer_failed();
    status = writer_fill(file, bytes);
    if (status == ST_OK && is_durable && fsync(file) != 0)
        status = writer_failed();
    if (close(file) != 0 && status == ST_OK)
        status = writer_failed();
    if (status == ST_OK &&
        renameat(writer->directory, fresh, writer->directory, path) != 0)
        status = writer_failed();
    if (status != ST_OK)
        return status;
    writer->files_count++;
    writer->bytes_count += bytes.size;
    return ST_OK;
}

enum status tree_writer_tile(struct tree_writer *writer,
                             const struct tile *tile, struct slice bytes)
{
    char path[TREE_WRITER_PATH_SIZE];

    writer_path(path, tile);
    return tree_writer_put(writer, path, bytes, false);
}

enum status tree_writer_sync(struct tree_writer *writer)
{
    return syncfs(writer->directory) == 0 ? ST_OK : writer_failed();
}

enum status tree_writer_checkpoint(struct tree_writer *writer,
                                   struct slice bytes)
{
    enum status status =
        tree_writer_put(writer, TREE_WRITER_CHECKPOINT, bytes, true);

    if (status == ST_OK && fsync(writer->directory) != 0)
        status = writer_failed();
    return status;
}

enum status tree_writer_prune(struct tree_writer *writer,
                              const struct tile *tile)
{
    char full[TREE_WRITER_PATH_SIZE];
    char path[TREE_WRITER_PATH_SIZE + sizeof TREE_WRITER_PARTIAL];
    const struct dirent *name;
    DIR *names;
    int folder;
    bool is_gone = true;

    REQUIRE(tile->width == TILE_WIDTH_MAX);
    writer_path(full, tile);
    (void)snprintf(path, sizeof path, "%s" TREE_WRITER_PARTIAL, full);
    folder = openat(writer->directory, path,
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return errno == ENOENT ? ST_OK : ST_DISK_FAILED;
    names = fdopendir(folder);
    if (names == NULL) {
        enum status status = errno == ENOMEM ? ST_EXHAUSTED : ST_DISK_FAILED;

        close(folder);
        return status;
    }
    while ((name = readdir(names)) != NULL) {
        if (name->d_name[0] < '1' || name->d_name[0] > '9')
            continue;
        is_gone = unlinkat(folder, name->d_name, 0) == 0 && is_gone;
        writer->removed_count++;
    }
    closedir(names);
    if (unlinkat(writer->directory, path, AT_REMOVEDIR) != 0 || !is_gone)
        return ST_DISK_FAILED;
    return ST_OK;
}
