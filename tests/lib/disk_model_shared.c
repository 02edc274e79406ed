/*
 * disk_model_shared.c: the model disk for programs with threads: one call at a
 * time.
 */
#include <pthread.h>

#include "tests/lib/disk_model.h"

static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct disk_calls *shared_inner;

static void shared_begin(void)
{
    (void)pthread_mutex_lock(&shared_lock);
}

static enum status shared_end(enum status status)
{
    (void)pthread_mutex_unlock(&shared_lock);
    return status;
}

static enum status shared_open(struct disk *disk, struct disk_file **file_out,
                               const char *name)
{
    shared_begin();
    return shared_end(shared_inner->open(disk, file_out, name));
}

static enum status shared_create(struct disk *disk, struct disk_file **file_out,
                                 const char *name)
{
    shared_begin();
    return shared_end(shared_inner->create(disk, file_out, name));
}

static void shared_close(struct disk_file *file)
{
    shared_begin();
    shared_inner->close(file);
    (void)shared_end(ST_OK);
}

static enum status shared_size(struct disk_file *file, uint64_t *size_out)
{
    shared_begin();
    return shared_end(shared_inner->size(file, size_out));
}

static enum status shared_read(struct disk_file *file, size_t *read_out,
                               void *data, size_t size, uint64_t offset)
{
    shared_begin();
    return shared_end(shared_inner->read(file, read_out, data, size, offset));
}

static enum status shared_write(struct disk_file *file, const void *data,
                                size_t size, uint64_t offset)
{
    shared_begin();
    return shared_end(shared_inner->write(file, data, size, offset));
}

static enum status shared_truncate(struct disk_file *file, uint64_t size)
{
    shared_begin();
    return shared_end(shared_inner->truncate(file, size));
}

static enum status shared_sync(struct disk_file *file)
{
    shared_begin();
    return shared_end(shared_inner->sync(file));
}

static enum status shared_rename(struct disk *disk, const char *older,
                                 const char *newer)
{
    shared_begin();
    return shared_end(shared_inner->rename(disk, older, newer));
}

static enum status shared_remove(struct disk *disk, const char *name)
{
    shared_begin();
    return shared_end(shared_inner->remove(disk, name));
}

static enum status shared_make_directory(struct disk *disk, const char *name)
{
    shared_begin();
    return shared_end(shared_inner->make_directory(disk, name));
}

static enum status shared_list(struct disk *disk, const char *directory,
                               void *context, disk_visit *visit)
{
    shared_begin();
    return shared_end(shared_inner->list(disk, directory, context, visit));
}

static enum status shared_sync_directory(struct disk *disk,
                                         const char *directory)
{
    shared_begin();
    return shared_end(shared_inner->sync_directory(disk, directory));
}

static const struct disk_calls shared_calls = {
    .open = shared_open,
    .create = shared_create,
    .close = shared_close,
    .size = shared_size,
    .read = shared_read,
    .write = shared_write,
    .truncate = shared_truncate,
    .sync = shared_sync,
    .rename = shared_rename,
    .remove = shared_remove,
    .make_directory = shared_make_directory,
    .list = shared_list,
    .sync_directory = shared_sync_directory,
};

void disk_model_share(struct disk_model *model)
{
    struct disk *disk = disk_model_disk(model);

    if (disk->calls == &shared_calls)
        return;
    shared_inner = disk->calls;
    disk->calls = &shared_calls;
}
