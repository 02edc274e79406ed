#include "client/export/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/audit/joined.h"
#include "client/audit/verify_units.h"
#include "protocol/files.h"
#include "protocol/segment.h"

enum { RESTORE_PATH_SIZE = 4096 };

/* Invariant: ${used} bytes of ${bytes}, which has the size of a segment, are of
 * the segment that begins at ${first}. */
struct restore {
    int folder;
    uint32_t segment_size;
    uint8_t *bytes;
    size_t used; /* 0: no segment was begun. */
    uint64_t first;
    struct restore_result *result;
};

static enum status restore_failed(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ST_DISK_FULL : ST_DISK_FAILED;
}

static enum status restore_write(int file, const uint8_t *bytes, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = write(file, bytes + used, size - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return restore_failed();
        used += (size_t)got;
    }
    return fsync(file) == 0 ? ST_OK : restore_failed();
}

static enum status restore_flush(struct restore *restore)
{
    char name[64];
    enum status status;
    int file;

    if (restore->used == 0)
        return ST_OK;
    memset(restore->bytes + restore->used, 0,
           restore->segment_size - restore->used);
    (void)snprintf(name, sizeof name, "%020" PRIu64 ".seg", restore->first);
    file = openat(restore->folder, name,
                  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return restore_failed();
    status = restore_write(file, restore->bytes, restore->segment_size);
    if (close(file) != 0 && status == ST_OK)
        status = restore_failed();
    restore->used = 0;
    restore->result->segments_count++;
    return status;
}

/* What is read now is what was verified before: of each entry the next one has
 * the hash, and of the last one the manifest. */
static bool restore_follows(const struct restore *restore, struct slice bytes)
{
    struct entry entry;

    return entry_view(&entry, bytes) == ST_OK &&
           entry.place.index == restore->result->entries_count &&
           memcmp(entry.place.previous, restore->result->leaf, HASH_SIZE) == 0;
}

static enum status restore_entry(struct restore *restore, struct slice entry)
{
    const size_t size = segment_frame_size(entry.size);
    enum status status = ST_OK;

    if (restore->used > 0 && restore->segment_size - restore->used < size)
        status = restore_flush(restore);
    if (status != ST_OK)
        return status;
    if (restore->used == 0) {
        struct segment_header header = {.first_index =
                                            restore->result->entries_count,
                                        .segment_size = restore->segment_size};

        memcpy(header.previous, restore->result->leaf, HASH_SIZE);
        restore->first = header.first_index;
        segment_header_encode(restore->bytes, &header);
        restore->used = SEGMENT_HEADER_SIZE;
    }
    if (restore->segment_size - restore->used < size)
        return ST_BAD_FIELD;
    if (!restore_follows(restore, entry))
        return ST_DISK_FAILED;
    segment_frame_encode(restore->bytes + restore->used, entry);
    restore->used += size;
    tree_leaf_hash(restore->result->leaf, entry);
    restore->result->entries_count++;
    return ST_OK;
}

static enum status restore_entries(struct restore *restore, struct unit *units,
                                   size_t count)
{
    struct joined *joined;
    struct walk_batch batch;
    enum status status = joined_open(&joined, units, count);

    if (status != ST_OK)
        return status;
    status = joined_batch_open(&batch, joined);
    while (status == ST_OK) {
        joined_next(joined, &batch);
        for (size_t i = 0; i < batch.frames_count && status == ST_OK; i++)
            status = restore_entry(restore, batch.frames[i].bytes);
        if (batch.stop != WALK_MORE)
            break;
    }
    if (status == ST_OK && batch.stop != WALK_DONE)
        status = batch.stop == WALK_EXHAUSTED ? ST_EXHAUSTED : ST_DISK_FAILED;
    walk_batch_close(&batch);
    joined_close(joined);
    if (status == ST_OK &&
        memcmp(restore->result->leaf, units[count - 1].told.leaf_after,
               HASH_SIZE) != 0)
        status = ST_DISK_FAILED;
    return status == ST_OK ? restore_flush(restore) : status;
}

static enum status restore_folder(int *folder_out, const char *target)
{
    char path[RESTORE_PATH_SIZE];
    int size = snprintf(path, sizeof path, "%s/" FILE_LOG_DIR, target);

    if (size <= 0 || size >= RESTORE_PATH_SIZE)
        return ST_TOO_LARGE;
    if (mkdir(target, 0700) != 0 && errno != EEXIST)
        return restore_failed();
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ? ST_EXISTS : restore_failed();
    *folder_out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *folder_out >= 0 ? ST_OK : restore_failed();
}

static enum status restore_units(struct restore *restore, struct unit *units,
                                 size_t count, const char *target)
{
    enum status status;

    restore->segment_size = units[0].told.segment_size;
    if (restore->segment_size < SEGMENT_HEADER_SIZE ||
        restore->segment_size > SEGMENT_SIZE)
        return ST_BAD_FIELD;
    status = restore_folder(&restore->folder, target);
    if (status != ST_OK)
        return status;
    restore->bytes = malloc(restore->segment_size);
    status = restore->bytes == NULL ? ST_EXHAUSTED
                                    : restore_entries(restore, units, count);
    if (status == ST_OK && fsync(restore->folder) != 0)
        status = restore_failed();
    free(restore->bytes);
    close(restore->folder);
    return status;
}

enum status restore_log(struct restore_result *result_out,
                        struct report *report,
                        const struct verify_options *options,
                        const char *target, bool incomplete)
{
    const size_t count = options->units_count;
    struct restore restore = {.folder = -1, .result = result_out};
    struct unit *units;
    enum status status;

    REQUIRE(count > 0);
    memset(result_out, 0, sizeof *result_out);
    status = verify_units_keep(&units, report, options);
    if (status == ST_OK &&
        (report->fault.found || units == NULL || units[0].told.first != 0 ||
         (report->verdict != REPORT_GOOD && !incomplete)))
        status = ST_PROOF;
    result_out->is_judged = status == ST_OK;
    if (status == ST_OK)
        status = restore_units(&restore, units, count, target);
    verify_units_close(units, count);
    return status;
}
