/*
 * escrow_file_read.c: what is in escrow, checked, and put into a keyring.
 */
#include <string.h>

#include "replication/need.h"
#include "server/store/escrow_file.h"
#include "server/store/keyring_rows.h"
#include "server/store/snapshot.h"

/* Where what was opened goes: nowhere, if keyring is NULL. */
struct escrow_taking {
    struct keyring *keyring;
    struct disk *snapshots;
    struct disk_file *snapshot; /* Under its name in the making. */
    struct escrow_opening opening;
    uint8_t sealed[ESCROW_PART_SIZE_MAX];
    uint8_t plain[ESCROW_PLAIN_SIZE_MAX];
};

static enum status take_rows(struct escrow_taking *taking, struct slice rows)
{
    struct keyring_row row;
    uint8_t key[KEY_SIZE];
    enum status status;

    while ((status = keyring_rows_take(&row, key, &rows)) == ST_OK &&
           (taking->keyring == NULL ||
            (status = keyring_accept(taking->keyring, &row, key)) == ST_OK))
        continue;
    sodium_memzero(key, sizeof key);
    if (status != ST_END)
        return status;
    if (taking->keyring != NULL)
        keyring_commit(taking->keyring);
    return ST_OK;
}

static enum status begin_snapshot(struct escrow_taking *taking, uint64_t size)
{
    char name[SNAPSHOT_NAME_SIZE];
    enum status status =
        disk_make_directory(taking->snapshots, SNAPSHOT_DIRECTORY);

    snapshot_name(name, size, true);
    if (status == ST_OK)
        status = disk_remove(taking->snapshots, name);
    if (status == ST_OK || status == ST_NO_FILE)
        status = disk_create(taking->snapshots, &taking->snapshot, name);
    return status;
}

static enum status take_snapshot(struct escrow_taking *taking,
                                 const struct escrow_header *header,
                                 struct slice bytes)
{
    enum status status = ST_OK;

    if (header->snapshot == 0)
        return ST_FILE_FORMAT;
    if (taking->keyring == NULL)
        return ST_OK;
    if (taking->snapshot == NULL)
        status = begin_snapshot(taking, header->snapshot);
    return status != ST_OK
               ? status
               : disk_write(taking->snapshot, bytes.data, bytes.size,
                            taking->opening.snapshot_size - bytes.size);
}

/* Whether it is the log's, who builds the state from it finds out. */
static enum status end_snapshot(struct escrow_taking *taking,
                                const struct escrow_header *header)
{
    char name[SNAPSHOT_NAME_SIZE], partial[SNAPSHOT_NAME_SIZE];
    enum status status;

    if ((header->snapshot != 0) != (taking->opening.snapshot_size > 0))
        return ST_FILE_FORMAT;
    if (taking->snapshot == NULL)
        return ST_OK;
    snapshot_name(name, header->snapshot, false);
    snapshot_name(partial, header->snapshot, true);
    status = disk_sync(taking->snapshot);
    if (status == ST_OK)
        status = disk_rename(taking->snapshots, partial, name);
    if (status == ST_OK)
        status = disk_sync_directory(taking->snapshots, SNAPSHOT_DIRECTORY);
    if (status == ST_OK)
        status = disk_sync_directory(taking->snapshots, "");
    return status;
}

/* The next part's bytes, and where the one behind it begins. */
static enum status read_part(struct escrow_taking *taking,
                             struct slice *sealed_out, struct disk_file *file,
                             uint64_t *offset)
{
    uint8_t header[ESCROW_PART_HEADER_SIZE];
    enum status status = disk_read_all(file, header, sizeof header, *offset);
    uint32_t size;

    if (status != ST_OK)
        return status == ST_FILE_FORMAT ? ST_TORN_TAIL : status;
    size = load_u32(header);
    if (size > sizeof taking->sealed)
        return ST_SEAL;
    status = disk_read_all(file, taking->sealed, size, *offset + sizeof header);
    *offset += sizeof header + size;
    *sealed_out = slice_of(taking->sealed, size);
    return status == ST_FILE_FORMAT ? ST_TORN_TAIL : status;
}

static enum status take_part(struct escrow_taking *taking,
                             const struct escrow_header *header,
                             struct slice sealed)
{
    struct slice body;
    enum status status =
        escrow_part(&taking->opening, &body, taking->plain, sealed);

    if (status != ST_OK)
        return status;
    switch (taking->opening.kind) {
    case ESCROW_ROWS:
        return take_rows(taking, body);
    case ESCROW_SNAPSHOT:
        return take_snapshot(taking, header, body);
    case ESCROW_END:
        return end_snapshot(taking, header);
    }
    return ST_FILE_FORMAT;
}

static enum status take_parts(struct escrow_taking *taking,
                              const struct escrow_header *header,
                              struct disk_file *file)
{
    uint64_t offset = ESCROW_HEADER_SIZE, size;
    enum status status = disk_size(file, &size);
    struct slice sealed;

    while (status == ST_OK && !taking->opening.ended) {
        status = read_part(taking, &sealed, file, &offset);
        if (status == ST_OK)
            status = take_part(taking, header, sealed);
    }
    if (status == ST_OK && offset != size)
        status = ST_TRAILING;
    return status;
}

static enum status take_file(struct escrow_taking *taking,
                             struct escrow_file_result *result,
                             const struct keyfile *recovery,
                             struct disk_file *file)
{
    uint8_t bytes[ESCROW_HEADER_SIZE];
    enum status status = disk_read_all(file, bytes, sizeof bytes, 0);

    if (status == ST_OK)
        status = escrow_open(&taking->opening, &result->header,
                             slice_of(bytes, sizeof bytes), recovery);
    if (status == ST_OK)
        status = take_parts(taking, &result->header, file);
    result->rows_count = taking->opening.rows_count;
    result->snapshot_size = taking->opening.snapshot_size;
    return status;
}

/* Between two renames the one escrow that there is has its former name. */
static enum status open_file(struct disk *disk, struct disk_file **file_out)
{
    const enum status status = disk_open(disk, file_out, ESCROW_FILE);

    return status == ST_NO_FILE ? disk_open(disk, file_out, ESCROW_FILE_FORMER)
                                : status;
}

enum status escrow_file_take(struct escrow_file_result *result_out,
                             struct disk *disk, const struct keyfile *recovery,
                             struct keyring *keyring, struct disk *snapshots)
{
    struct escrow_taking *taking = sodium_malloc(sizeof *taking);
    struct disk_file *file;
    enum status status;

    NEED(taking != NULL);
    memset(taking, 0, sizeof *taking);
    memset(result_out, 0, sizeof *result_out);
    taking->keyring = keyring;
    taking->snapshots = snapshots;
    status = open_file(disk, &file);
    if (status == ST_OK) {
        status = take_file(taking, result_out, recovery, file);
        disk_close(file);
    }
    disk_close(taking->snapshot);
    if (keyring != NULL && status != ST_OK)
        keyring_discard(keyring);
    sodium_free(taking); /* Wipes it. */
    return status;
}

enum status escrow_file_check(struct escrow_file_result *result_out,
                              struct disk *disk, const struct keyfile *recovery)
{
    return escrow_file_take(result_out, disk, recovery, NULL, NULL);
}
