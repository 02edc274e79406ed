/*
 * journal_spare.c: the segment in reserve, and the first one of all.
 */
#include <string.h>

#include "replication/journal_parts.h"

enum status journal_draft_spare(struct disk_file **file_out, struct disk *disk,
                                uint32_t size)
{
    struct disk_file *file = NULL;
    enum status status;

    status = disk_remove(disk, JOURNAL_SPARE_DRAFT);
    if (status == ST_OK || status == ST_NO_FILE)
        status = disk_create(disk, &file, JOURNAL_SPARE_DRAFT);
    if (status == ST_OK)
        status = disk_write_zeros(file, 0, size);
    if (status == ST_OK)
        status = disk_sync(file);
    if (status == ST_OK)
        status = disk_rename(disk, JOURNAL_SPARE_DRAFT, JOURNAL_SPARE);
    if (status == ST_OK)
        status = disk_sync_directory(disk, JOURNAL_DIRECTORY);
    if (status != ST_OK)
        goto fail;
    *file_out = file;
    return ST_OK;
fail:
    disk_close(file);
    if (status == ST_DISK_FULL &&
        disk_remove(disk, JOURNAL_SPARE_DRAFT) != ST_OK)
        status = ST_DISK_FAILED;
    ENSURE(status != ST_OK);
    return status;
}

enum status journal_prepare_next(struct journal *journal)
{
    struct disk_file *file;
    enum status status;
    int expected = JOURNAL_SPARE_NONE;

    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    if (!atomic_compare_exchange_strong(&journal->spare_state, &expected,
                                        JOURNAL_SPARE_MAKING))
        return ST_OK;
    status = journal_draft_spare(&file, journal->disk,
                                 journal->options.segment_size);
    if (status == ST_OK)
        journal->spare = file;
    else if (status != ST_DISK_FULL)
        status = journal_fail(journal);
    atomic_store_explicit(&journal->spare_state,
                          status == ST_OK ? JOURNAL_SPARE_READY
                                          : JOURNAL_SPARE_NONE,
                          memory_order_release);
    return status;
}

enum status journal_header_write(struct disk_file *file, uint64_t first,
                                 const uint8_t *previous, uint32_t segment_size)
{
    struct segment_header header = {.first_index = first,
                                    .segment_size = segment_size};
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    enum status status;

    memcpy(header.previous, previous, HASH_SIZE);
    segment_header_encode(bytes, &header);
    status = disk_write(file, bytes, sizeof bytes, 0);
    if (status == ST_OK)
        status = disk_sync(file);
    return status;
}

enum status journal_use_spare(struct disk_file *spare, struct disk *disk,
                              const struct journal_end *end,
                              uint32_t segment_size)
{
    char name[DISK_NAME_SIZE_MAX];
    enum status status;

    journal_segment_name(name, end->size);
    status = journal_header_write(spare, end->size, end->leaf, segment_size);
    if (status == ST_OK)
        status = disk_rename(disk, JOURNAL_SPARE, name);
    if (status == ST_OK)
        status = disk_sync_directory(disk, JOURNAL_DIRECTORY);
    return status;
}

enum status journal_create(struct disk *disk,
                           const struct journal_options *options)
{
    const struct journal_end end = {0};
    const struct mark_value mark = {.incarnation = options->incarnation};
    struct disk_file *file = NULL;
    char name[DISK_NAME_SIZE_MAX];
    enum status status;

    REQUIRE(options->segment_size > SEGMENT_HEADER_SIZE);
    journal_segment_name(name, 0);
    status = disk_open(disk, &file, name);
    disk_close(file);
    if (status != ST_NO_FILE)
        return status == ST_OK ? ST_EXISTS : status;
    file = NULL;
    status = disk_make_directory(disk, JOURNAL_DIRECTORY);
    if (status == ST_OK)
        status = disk_make_directory(disk, JOURNAL_DIVERGENT);
    if (status == ST_OK)
        status = disk_sync_directory(disk, "");
    if (status == ST_OK)
        status = mark_create(disk, &mark);
    if (status == ST_OK)
        status = journal_draft_spare(&file, disk, options->segment_size);
    if (status == ST_OK)
        status = journal_use_spare(file, disk, &end, options->segment_size);
    disk_close(file);
    return status;
}
