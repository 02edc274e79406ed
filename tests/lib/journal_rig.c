#include "tests/lib/journal_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/log_maker.h"

void journal_rig_begin(struct journal_rig *rig, uint32_t segment_size)
{
    enum status status;

    memset(rig, 0, sizeof *rig);
    rig->model = disk_model_new();
    rig->options.segment_size = segment_size;
    rig->options.epoch = 9;
    status = journal_create(disk_model_disk(rig->model), &rig->options);
    ENSURE(status == ST_OK);
    status = journal_rig_reopen(rig);
    ENSURE(status == ST_OK);
}

void journal_rig_end(struct journal_rig *rig)
{
    journal_close(rig->journal);
    disk_model_free(rig->model);
    for (size_t i = 0; i < JOURNAL_RIG_ENTRIES_MAX; i++)
        free(rig->bytes[i]);
    memset(rig, 0, sizeof *rig);
}

enum status journal_rig_append(struct journal_rig *rig, size_t size)
{
    struct journal_end end = rig->end;
    const uint64_t index = end.size;
    struct journal_entry entry;
    uint8_t *bytes;
    enum status status;

    REQUIRE(index < JOURNAL_RIG_ENTRIES_MAX);
    bytes = malloc(size);
    REQUIRE(bytes != NULL);
    entry = log_maker_entry(bytes, &end, size, 1, rig->variant);
    status = journal_append(rig->journal, &entry, 1);
    free(rig->bytes[index]);
    rig->bytes[index] = bytes;
    rig->sizes[index] = size;
    if (status == ST_OK)
        rig->end = end;
    return status;
}

void journal_rig_fill(struct journal_rig *rig, size_t count)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = journal_rig_append(rig, JOURNAL_RIG_ENTRY);
    if (status == ST_OK)
        status = journal_sync(rig->journal, rig->end.size);
    ENSURE(status == ST_OK);
}

enum status journal_rig_reopen(struct journal_rig *rig)
{
    journal_close(rig->journal);
    rig->journal = NULL;
    rig->options.incarnation++;
    return journal_open(&rig->journal, &rig->report,
                        disk_model_disk(rig->model), &rig->options);
}

enum status journal_rig_crash(struct journal_rig *rig, bool keep)
{
    struct disk_model *after;

    journal_close(rig->journal);
    rig->journal = NULL;
    after = disk_model_crash(rig->model, NULL, 0, keep, SIZE_MAX);
    disk_model_free(rig->model);
    rig->model = after;
    return journal_rig_reopen(rig);
}

static bool rig_equal(const struct journal_rig *rig, uint64_t index,
                      struct slice entry)
{
    return slice_equal(entry, slice_of(rig->bytes[index], rig->sizes[index]));
}

bool journal_rig_holds(struct journal_rig *rig, uint64_t count)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct journal_cursor *cursor;
    struct slice entry;
    enum status status;
    bool equal = journal_size(rig->journal) == count;

    status = journal_cursor_open(&cursor, rig->journal, 0);
    for (uint64_t i = 0; equal && status == ST_OK && i < count; i++) {
        status = journal_cursor_next(cursor, &entry);
        equal = status == ST_OK && rig_equal(rig, i, entry);
        if (equal)
            status = journal_read_entry(rig->journal, &entry, buffer, i);
        equal = equal && status == ST_OK && rig_equal(rig, i, entry);
    }
    if (equal)
        equal =
            status == ST_OK && journal_cursor_next(cursor, &entry) == ST_END &&
            journal_read_entry(rig->journal, &entry, buffer, count) == ST_END;
    journal_cursor_close(cursor);
    return equal;
}

uint64_t journal_rig_offset(struct journal_rig *rig, uint64_t index,
                            char *file_out)
{
    uint64_t offset = 0;
    const enum status status =
        journal_place(rig->journal, file_out, &offset, index);

    ENSURE(status == ST_OK);
    return offset;
}
