#include "server/store/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/state_private.h"

enum {
    SNAPSHOT_VERSION = 1,
    SNAPSHOT_HEADER_SIZE = 16,
    SNAPSHOT_BUFFER_SIZE = 256 * 1024,
    SNAPSHOTS_LISTED_MAX = 64,
    SNAPSHOT_DIGITS = 20
};

static const uint8_t magic[8] = "DFTSNAP";

union any_row {
#define T(number, lower, UPPER, scope) struct row_##lower lower;
    TABLE_LIST(T)
#undef T
};

void snapshot_name(char out[SNAPSHOT_NAME_SIZE], uint64_t size, bool partial)
{
    int used = snprintf(out, SNAPSHOT_NAME_SIZE, "%s/%020" PRIu64 "%s",
                        SNAPSHOT_DIRECTORY, size, partial ? ".part" : "");

    ENSURE(used > 0 && used < SNAPSHOT_NAME_SIZE);
}

static uint8_t *new_buffer(void)
{
    uint8_t *buffer = malloc(SNAPSHOT_BUFFER_SIZE);

    if (buffer == NULL)
        statements_failed(NULL, "a snapshot");
    return buffer;
}

/* ---- Writing ------------------------------------------------------------- */

/* Bytes on their way into the hash and the file; file NULL: the hash alone. */
struct sink {
    crypto_hash_sha256_state hash;
    struct disk_file *file;
    enum status status;
    uint64_t offset;
    size_t used;
    uint8_t *buffer;
};

static void drain(struct sink *sink)
{
    crypto_hash_sha256_update(&sink->hash, sink->buffer, sink->used);
    if (sink->file != NULL && sink->status == ST_OK)
        sink->status =
            disk_write(sink->file, sink->buffer, sink->used, sink->offset);
    sink->offset += sink->used;
    sink->used = 0;
}

static void put(struct sink *sink, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    while (size > 0) {
        size_t part = SNAPSHOT_BUFFER_SIZE - sink->used;

        part = part < size ? part : size;
        memcpy(sink->buffer + sink->used, bytes, part);
        sink->used += part;
        bytes += part;
        size -= part;
        if (sink->used == SNAPSHOT_BUFFER_SIZE)
            drain(sink);
    }
}

static void put_u8(struct sink *sink, uint8_t value)
{
    put(sink, &value, 1);
}

static void put_sized(struct sink *sink, struct slice value)
{
    uint8_t size[4];

    store_u32(size, (uint32_t)value.size);
    put(sink, size, sizeof size);
    put(sink, value.data, value.size);
}

/* Bytes of a column that always has as many; 0: it has not. */
static size_t fixed_size(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_u8:
        return 1;
    case COLUMN_u16:
        return 2;
    case COLUMN_u32:
    case COLUMN_i32:
        return 4;
    case COLUMN_u64:
    case COLUMN_i64:
    case COLUMN_bytes8:
        return 8;
    case COLUMN_bytes16:
        return 16;
    case COLUMN_bytes32:
        return 32;
    case COLUMN_text:
    case COLUMN_blob:
    case COLUMN_item:
        break;
    }
    return 0;
}

static void put_row(struct sink *sink, const struct layout_table *t,
                    const void *row)
{
    const struct layout_column *columns = t->columns();

    put_u8(sink, 1);
    for (unsigned i = 0; i < t->columns_count; i++) {
        const uint8_t *at = (const uint8_t *)row + columns[i].offset;
        size_t size = fixed_size(columns[i].kind);

        if (size > 0)
            put(sink, at, size);
        else
            put_sized(sink, *(const struct slice *)(const void *)at);
    }
}

static void put_table(struct sink *sink, struct state *state, enum table table)
{
    const struct layout_table *t = layout_table(table);
    struct state_scan scan;
    union any_row row;
    uint8_t number[2];

    memset(&row, 0, sizeof row);
    store_u16(number, t->number);
    put(sink, number, sizeof number);
    state_scan_key(state, &scan, table, &row, (struct state_range){0});
    while (state_scan_next(&scan, &row))
        put_row(sink, t, &row);
    state_scan_close(&scan);
    put_u8(sink, 0);
}

static void put_header(struct sink *sink, struct state *state)
{
    uint8_t header[SNAPSHOT_HEADER_SIZE] = {0};
    uint8_t layout[HASH_SIZE];
    uint8_t head[STATE_HEAD_SIZE];

    memcpy(header, magic, sizeof magic);
    store_u16(header + sizeof magic, SNAPSHOT_VERSION);
    layout_hash(layout);
    state_head_encode(head, state_head(state));
    put(sink, header, sizeof header);
    put(sink, layout, sizeof layout);
    put(sink, head, sizeof head);
}

static void put_state(struct sink *sink, struct state *state)
{
    crypto_hash_sha256_init(&sink->hash);
    sink->buffer = new_buffer();
    put_header(sink, state);
    for (unsigned i = 0; i < TABLES_COUNT; i++)
        put_table(sink, state, (enum table)i);
    drain(sink);
    free(sink->buffer);
}

/* ---- The directory ------------------------------------------------------- */

struct listed {
    bool partial;
    uint64_t sizes[SNAPSHOTS_LISTED_MAX];
    size_t count;
};

static void visit(void *context, const char *name)
{
    struct listed *listed = context;
    char *end;
    uint64_t size;

    if (strlen(name) < SNAPSHOT_DIGITS || listed->count == SNAPSHOTS_LISTED_MAX)
        return;
    size = strtoull(name, &end, 10);
    if (end == name + SNAPSHOT_DIGITS &&
        strcmp(end, listed->partial ? ".part" : "") == 0)
        listed->sizes[listed->count++] = size;
}

static void list(struct listed *listed, struct disk *disk, bool partial)
{
    *listed = (struct listed){.partial = partial};
    if (disk_list(disk, SNAPSHOT_DIRECTORY, listed, visit) != ST_OK)
        listed->count = 0;
}

uint64_t snapshot_newest(struct disk *disk, uint64_t below)
{
    struct listed listed;
    uint64_t newest = 0;

    list(&listed, disk, false);
    for (size_t i = 0; i < listed.count; i++) {
        if (listed.sizes[i] < below && listed.sizes[i] > newest)
            newest = listed.sizes[i];
    }
    return newest;
}

/* What cannot be removed now is removed next time. */
static void remove_older(struct disk *disk)
{
    char name[SNAPSHOT_NAME_SIZE];
    uint64_t kept = UINT64_MAX;
    struct listed listed;

    for (int i = 0; i < SNAPSHOTS_KEPT_MAX && kept > 0; i++)
        kept = snapshot_newest(disk, kept);
    list(&listed, disk, false);
    for (size_t i = 0; i < listed.count; i++) {
        snapshot_name(name, listed.sizes[i], false);
        if (listed.sizes[i] < kept && disk_remove(disk, name) != ST_OK)
            return;
    }
}

void snapshot_drop_parts(struct disk *disk)
{
    char name[SNAPSHOT_NAME_SIZE];
    struct listed listed;

    do {
        list(&listed, disk, true);
        for (size_t i = 0; i < listed.count; i++) {
            snapshot_name(name, listed.sizes[i], true);
            if (disk_remove(disk, name) != ST_OK)
                return;
        }
    } while (listed.count == SNAPSHOTS_LISTED_MAX);
}

enum status snapshot_drop_older(struct disk *disk, uint64_t size)
{
    char name[SNAPSHOT_NAME_SIZE];
    enum status status = ST_OK;
    uint64_t older;

    while (status == ST_OK && (older = snapshot_newest(disk, size)) != 0) {
        snapshot_name(name, older, false);
        status = disk_remove(disk, name);
    }
    return status == ST_OK ? disk_sync_directory(disk, SNAPSHOT_DIRECTORY)
                           : status;
}

static enum status write_file(struct sink *sink, struct disk *disk,
                              struct state *state, const char *name)
{
    enum status status = disk_remove(disk, name);

    if (status == ST_OK || status == ST_NO_FILE)
        status = disk_create(disk, &sink->file, name);
    if (status != ST_OK)
        return status;
    put_state(sink, state);
    status = sink->status;
    if (status == ST_OK)
        status = disk_sync(sink->file);
    disk_close(sink->file);
    return status;
}

enum status snapshot_write(uint8_t digest_out[HASH_SIZE], struct disk *disk,
                           struct state *state)
{
    uint64_t size = state_head(state)->applied_size;
    char name[SNAPSHOT_NAME_SIZE], partial[SNAPSHOT_NAME_SIZE];
    struct sink sink = {.status = ST_OK};
    enum status status;

    if (disk == NULL) {
        put_state(&sink, state);
        crypto_hash_sha256_final(&sink.hash, digest_out);
        return ST_OK;
    }
    snapshot_name(name, size, false);
    snapshot_name(partial, size, true);
    status = disk_make_directory(disk, SNAPSHOT_DIRECTORY);
    if (status == ST_OK)
        status = write_file(&sink, disk, state, partial);
    if (status == ST_OK)
        status = disk_rename(disk, partial, name);
    if (status == ST_OK)
        status = disk_sync_directory(disk, SNAPSHOT_DIRECTORY);
    if (status == ST_OK)
        status = disk_sync_directory(disk, "");
    if (status != ST_OK)
        return status;
    crypto_hash_sha256_final(&sink.hash, digest_out);
    remove_older(disk);
    return ST_OK;
}

enum status snapshot_digest_file(uint8_t digest_out[HASH_SIZE],
                                 struct disk_file *file)
{
    uint8_t *buffer = new_buffer();
    crypto_hash_sha256_state hash;
    uint64_t offset = 0;
    enum status status;
    size_t got;

    crypto_hash_sha256_init(&hash);
    do {
        status = disk_read(file, &got, buffer, SNAPSHOT_BUFFER_SIZE, offset);
        if (status != ST_OK)
            break;
        crypto_hash_sha256_update(&hash, buffer, got);
        offset += got;
    } while (got == SNAPSHOT_BUFFER_SIZE);
    crypto_hash_sha256_final(&hash, digest_out);
    free(buffer);
    return status;
}

enum status snapshot_digest(uint8_t digest_out[HASH_SIZE], struct disk *disk,
                            uint64_t size)
{
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_file *file;
    enum status status;

    snapshot_name(name, size, false);
    status = disk_open(disk, &file, name);
    if (status != ST_OK)
        return status;
    status = snapshot_digest_file(digest_out, file);
    disk_close(file);
    return status;
}
