/*
 * snapshot_load.c: reading a snapshot back.  Its digest was compared by whoever
 * chose it; what is read here is bounded all the same.
 */
#include <stdlib.h>
#include <string.h>

#include "server/store/snapshot.h"
#include "server/store/state_private.h"

enum {
    LOAD_BUFFER_SIZE = 256 * 1024,
    /* One row: an item, or a command's result, and what stands beside them. */
    LOAD_ROW_SIZE_MAX = 2 * ENTRY_SIZE_MAX + 64 * 1024,
    LOAD_HEADER_SIZE = 16
};

/* Bytes on their way from the file. */
struct source {
    struct disk_file *file;
    enum status status;
    uint64_t offset; /* Of what is read next into the buffer. */
    size_t at;
    size_t used;
    uint8_t *buffer;
    uint8_t *row; /* LOAD_ROW_SIZE_MAX: texts and blobs of one row. */
    size_t row_used;
};

union loaded_row {
#define T(number, lower, UPPER, scope) struct row_##lower lower;
    TABLE_LIST(T)
#undef T
};

static void take(struct source *source, void *out, size_t size)
{
    uint8_t *bytes = out;

    while (size > 0 && source->status == ST_OK) {
        size_t part = source->used - source->at;

        if (part == 0) {
            source->status =
                disk_read(source->file, &source->used, source->buffer,
                          LOAD_BUFFER_SIZE, source->offset);
            source->offset += source->used;
            source->at = 0;
            if (source->status == ST_OK && source->used == 0)
                source->status = ST_FILE_FORMAT;
            continue;
        }
        part = part < size ? part : size;
        memcpy(bytes, source->buffer + source->at, part);
        source->at += part;
        bytes += part;
        size -= part;
    }
    memset(bytes, 0, size);
}

static struct slice take_sized(struct source *source)
{
    uint8_t bytes[4];
    struct slice out = {source->row + source->row_used, 0};
    uint32_t size;

    take(source, bytes, sizeof bytes);
    size = load_u32(bytes);
    if (size > LOAD_ROW_SIZE_MAX - source->row_used)
        source->status = ST_FILE_FORMAT;
    if (source->status != ST_OK)
        return out;
    take(source, source->row + source->row_used, size);
    source->row_used += size;
    out.size = size;
    return out;
}

static void take_number(struct source *source, void *out, size_t size)
{
    uint8_t bytes[8] = {0};

    take(source, bytes, size);
    /* As everywhere in the state: numbers lie as this machine has them, little
     * end first (bytes.h holds it at compile time). */
    memcpy(out, bytes, size);
}

/* The database takes numbers up to INT64_MAX, and items that have a leaf. */
static void take_column(struct source *source, uint8_t *at,
                        enum column_kind kind)
{
    struct slice value;

    switch (kind) {
    case COLUMN_u8:
        take_number(source, at, 1);
        return;
    case COLUMN_u16:
        take_number(source, at, 2);
        return;
    case COLUMN_u32:
    case COLUMN_i32:
        take_number(source, at, 4);
        return;
    case COLUMN_u64:
    case COLUMN_i64:
        take_number(source, at, 8);
        if (kind == COLUMN_u64 && load_u64(at) > INT64_MAX)
            source->status = ST_FILE_FORMAT;
        return;
    case COLUMN_bytes8:
        take(source, at, 8);
        return;
    case COLUMN_bytes16:
        take(source, at, 16);
        return;
    case COLUMN_bytes32:
        take(source, at, 32);
        return;
    case COLUMN_text:
    case COLUMN_blob:
    case COLUMN_item:
        value = take_sized(source);
        if ((kind == COLUMN_item && value.size < ITEM_CLEAR_SIZE + HASH_SIZE) ||
            (kind == COLUMN_text && value.size > 0 &&
             memchr(value.data, 0, value.size) != NULL))
            source->status = ST_FILE_FORMAT;
        memcpy(at, &value, sizeof value);
        return;
    }
}

static void take_table(struct source *source, struct state *state,
                       enum table table)
{
    const struct layout_table *t = layout_table(table);
    const struct layout_column *columns = t->columns();
    union loaded_row row;
    uint8_t bytes[2], more;

    take(source, bytes, sizeof bytes);
    if (source->status == ST_OK && load_u16(bytes) != t->number)
        source->status = ST_FILE_FORMAT;
    while (source->status == ST_OK) {
        take(source, &more, 1);
        if (source->status != ST_OK || more == 0)
            return;
        if (more != 1)
            source->status = ST_FILE_FORMAT;
        memset(&row, 0, sizeof row);
        source->row_used = 0;
        for (unsigned i = 0; i < t->columns_count; i++)
            take_column(source, (uint8_t *)&row + columns[i].offset,
                        columns[i].kind);
        if (source->status == ST_OK && !state_restore_row(state, table, &row))
            source->status = ST_FILE_FORMAT;
    }
}

static void take_head(struct source *source, struct state_head *head_out,
                      uint64_t size)
{
    static const uint8_t expected[LOAD_HEADER_SIZE] = "DFTSNAP\0\1";
    uint8_t header[LOAD_HEADER_SIZE];
    uint8_t layout[HASH_SIZE], own[HASH_SIZE];
    uint8_t bytes[STATE_HEAD_SIZE];

    take(source, header, sizeof header);
    take(source, layout, sizeof layout);
    take(source, bytes, sizeof bytes);
    if (source->status != ST_OK)
        return;
    layout_hash(own);
    if (memcmp(header, expected, sizeof header) != 0 ||
        memcmp(layout, own, sizeof layout) != 0)
        source->status = ST_FILE_FORMAT;
    else
        source->status =
            state_head_decode(head_out, slice_of(bytes, sizeof bytes));
    if (source->status == ST_OK && head_out->applied_size != size)
        source->status = ST_FILE_FORMAT;
}

static void load(struct source *source, struct state *state, uint64_t size)
{
    struct state_head head;
    uint8_t end;

    take_head(source, &head, size);
    state_begin(state);
    for (unsigned i = 0; i < TABLES_COUNT && source->status == ST_OK; i++)
        take_table(source, state, (enum table)i);
    if (source->status == ST_OK) {
        take(source, &end, 1); /* Nothing may remain. */
        source->status =
            source->status == ST_FILE_FORMAT ? ST_OK : ST_FILE_FORMAT;
    }
    if (source->status == ST_OK)
        state_restore_head(state, &head);
    state_commit(state);
}

static enum status source_open(struct source *source, struct disk *disk,
                               uint64_t size)
{
    char name[SNAPSHOT_NAME_SIZE];
    enum status status;

    *source = (struct source){.status = ST_OK};
    snapshot_name(name, size, false);
    status = disk_open(disk, &source->file, name);
    if (status != ST_OK)
        return status;
    source->buffer = malloc(LOAD_BUFFER_SIZE);
    source->row = malloc(LOAD_ROW_SIZE_MAX);
    if (source->buffer == NULL || source->row == NULL)
        statements_failed(NULL, "a snapshot");
    return ST_OK;
}

static void source_close(struct source *source)
{
    free(source->buffer);
    free(source->row);
    disk_close(source->file);
}

enum status snapshot_head(struct state_head *head_out, struct disk *disk,
                          uint64_t size)
{
    struct source source;
    enum status status = source_open(&source, disk, size);

    if (status != ST_OK)
        return status;
    take_head(&source, head_out, size);
    source_close(&source);
    return source.status;
}

enum status snapshot_load(struct state *state, struct disk *disk, uint64_t size)
{
    struct source source;
    enum status status = source_open(&source, disk, size);

    if (status != ST_OK)
        return status;
    load(&source, state, size);
    source_close(&source);
    return source.status;
}
