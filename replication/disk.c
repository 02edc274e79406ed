#include "replication/disk.h"

#include <stdio.h>

enum status disk_open(struct disk *disk, struct disk_file **file_out,
                      const char *name)
{
    REQUIRE(disk != NULL);
    *file_out = NULL;
    return disk->calls->open(disk, file_out, name);
}

enum status disk_create(struct disk *disk, struct disk_file **file_out,
                        const char *name)
{
    REQUIRE(disk != NULL);
    *file_out = NULL;
    return disk->calls->create(disk, file_out, name);
}

void disk_close(struct disk_file *file)
{
    if (file != NULL)
        file->disk->calls->close(file);
}

enum status disk_size(struct disk_file *file, uint64_t *size_out)
{
    return file->disk->calls->size(file, size_out);
}

enum status disk_read(struct disk_file *file, size_t *read_out, void *data,
                      size_t size, uint64_t offset)
{
    enum status status;

    *read_out = 0;
    status = file->disk->calls->read(file, read_out, data, size, offset);
    ENSURE(*read_out <= size);
    return status;
}

enum status disk_read_all(struct disk_file *file, void *data, size_t size,
                          uint64_t offset)
{
    size_t read;
    const enum status status = disk_read(file, &read, data, size, offset);

    if (status != ST_OK)
        return status;
    return read == size ? ST_OK : ST_FILE_FORMAT;
}

enum status disk_write(struct disk_file *file, const void *data, size_t size,
                       uint64_t offset)
{
    return file->disk->calls->write(file, data, size, offset);
}

enum status disk_write_zeros(struct disk_file *file, uint64_t offset,
                             uint64_t end)
{
    static const uint8_t zeros[DISK_ZEROS_SIZE];

    REQUIRE(offset <= end);
    while (offset < end) {
        const size_t size =
            end - offset < sizeof zeros ? (size_t)(end - offset) : sizeof zeros;
        const enum status status = disk_write(file, zeros, size, offset);

        if (status != ST_OK)
            return status;
        offset += size;
    }
    return ST_OK;
}

enum status disk_truncate(struct disk_file *file, uint64_t size)
{
    return file->disk->calls->truncate(file, size);
}

enum status disk_sync(struct disk_file *file)
{
    return file->disk->calls->sync(file);
}

enum status disk_rename(struct disk *disk, const char *older, const char *newer)
{
    return disk->calls->rename(disk, older, newer);
}

enum status disk_remove(struct disk *disk, const char *name)
{
    return disk->calls->remove(disk, name);
}

enum status disk_make_directory(struct disk *disk, const char *name)
{
    return disk->calls->make_directory(disk, name);
}

enum status disk_list(struct disk *disk, const char *directory, void *context,
                      disk_visit *visit)
{
    return disk->calls->list(disk, directory, context, visit);
}

enum status disk_sync_directory(struct disk *disk, const char *directory)
{
    return disk->calls->sync_directory(disk, directory);
}

enum status disk_replace(struct disk *disk, const char *name,
                         const char *directory, const void *data, size_t size)
{
    char temporary[DISK_NAME_SIZE_MAX];
    struct disk_file *file = NULL;
    enum status status;
    int length;

    length = snprintf(temporary, sizeof temporary, "%s.tmp", name);
    REQUIRE(length > 0 && (size_t)length < sizeof temporary);
    status = disk_remove(disk, temporary);
    if (status != ST_OK && status != ST_NO_FILE)
        return status;
    status = disk_create(disk, &file, temporary);
    if (status == ST_OK)
        status = disk_write(file, data, size, 0);
    if (status == ST_OK)
        status = disk_sync(file);
    disk_close(file);
    if (status == ST_OK)
        status = disk_rename(disk, temporary, name);
    if (status == ST_OK)
        status = disk_sync_directory(disk, directory);
    return status;
}

static enum status discard_bytes(struct disk_file *file)
{
    uint64_t size;
    enum status status = disk_size(file, &size);

    if (status == ST_OK)
        status = disk_write_zeros(file, 0, size);
    return status == ST_OK ? disk_sync(file) : status;
}

enum status disk_discard(struct disk *disk, const char *name,
                         const char *directory)
{
    struct disk_file *file = NULL;
    enum status status = disk_open(disk, &file, name);

    if (status == ST_NO_FILE)
        return ST_OK;
    if (status == ST_OK)
        status = discard_bytes(file);
    disk_close(file);
    if (status == ST_OK)
        status = disk_remove(disk, name);
    return status == ST_OK ? disk_sync_directory(disk, directory) : status;
}
