/*
 * escrow_file_write.c: a keyring on its way into escrow.
 */
#include <string.h>

#include "replication/need.h"
#include "server/store/escrow_file.h"
#include "server/store/keyring_rows.h"
#include "server/store/snapshot.h"

static_assert((int)ESCROW_ROW_SIZE == (int)KEYRING_ROW_SIZE,
              "rows are those that nodes send to each other");

struct escrow_sealing {
    struct disk_file *file;
    uint64_t offset;
    crypto_secretstream_xchacha20poly1305_state stream;
    uint8_t header[ESCROW_HEADER_SIZE];
    bool begun;
    uint8_t plain[ESCROW_PLAIN_SIZE_MAX]; /* Kind and body of the next part. */
    uint8_t sealed[ESCROW_PART_HEADER_SIZE + ESCROW_PART_SIZE_MAX];
};

static enum status seal_write(struct escrow_sealing *sealing, const void *bytes,
                              size_t size)
{
    const enum status status =
        disk_write(sealing->file, bytes, size, sealing->offset);

    sealing->offset += size;
    return status;
}

/* ${size} bytes of body stand behind the kind. */
static enum status seal_part(struct escrow_sealing *sealing,
                             enum escrow_kind kind, size_t size)
{
    const uint8_t tag = kind == ESCROW_END
                            ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                            : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    unsigned long long sealed_size = 0;
    int code;

    REQUIRE(size <= ESCROW_BODY_SIZE_MAX);
    sealing->plain[0] = (uint8_t)kind;
    code = crypto_secretstream_xchacha20poly1305_push(
        &sealing->stream, sealing->sealed + ESCROW_PART_HEADER_SIZE,
        &sealed_size, sealing->plain, 1 + size, sealing->header,
        sealing->begun ? 0 : ESCROW_HEADER_SIZE, tag);
    INVARIANT(code == 0 && sealed_size <= ESCROW_PART_SIZE_MAX);
    sealing->begun = true;
    store_u32(sealing->sealed, (uint32_t)sealed_size);
    return seal_write(sealing, sealing->sealed,
                      ESCROW_PART_HEADER_SIZE + (size_t)sealed_size);
}

/* Returns: ST_OK; ST_SEAL if nothing can be boxed to that key. */
static enum status seal_header(struct escrow_sealing *sealing,
                               struct escrow_header *header)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    int code;

    crypto_secretstream_xchacha20poly1305_keygen(key);
    code = crypto_secretstream_xchacha20poly1305_init_push(&sealing->stream,
                                                           header->stream, key);
    if (code == 0)
        code =
            crypto_box_seal(header->box, key, sizeof key, header->recovery_key);
    sodium_memzero(key, sizeof key);
    if (code != 0)
        return ST_SEAL;
    escrow_header_encode(sealing->header, header);
    return seal_write(sealing, sealing->header, ESCROW_HEADER_SIZE);
}

static enum status seal_rows(struct escrow_sealing *sealing,
                             struct escrow_file_result *result,
                             const struct escrow_file_source *source)
{
    struct keyring_cursor cursor = {.first_index = 0};
    enum status status = ST_OK;
    size_t size;

    while (status == ST_OK &&
           (size = keyring_rows_next(source->keyring, sealing->plain + 1,
                                     ESCROW_BODY_SIZE_MAX, &cursor,
                                     source->size)) > 0) {
        result->rows_count += size / KEYRING_ROW_SIZE;
        status = seal_part(sealing, ESCROW_ROWS, size);
    }
    return status;
}

static enum status seal_snapshot(struct escrow_sealing *sealing,
                                 struct escrow_file_result *result,
                                 struct disk_file *file)
{
    enum status status = ST_OK;
    size_t size = ESCROW_BODY_SIZE_MAX;

    while (file != NULL && status == ST_OK && size == ESCROW_BODY_SIZE_MAX) {
        status = disk_read(file, &size, sealing->plain + 1,
                           ESCROW_BODY_SIZE_MAX, result->snapshot_size);
        result->snapshot_size += size;
        if (status == ST_OK && size > 0)
            status = seal_part(sealing, ESCROW_SNAPSHOT, size);
    }
    return status;
}

static enum status seal_end(struct escrow_sealing *sealing,
                            const struct escrow_file_result *result)
{
    enum status status;

    store_u64(sealing->plain + 1, result->rows_count);
    store_u64(sealing->plain + 1 + 8, result->snapshot_size);
    status = seal_part(sealing, ESCROW_END, ESCROW_END_SIZE);
    return status == ST_OK ? disk_sync(sealing->file) : status;
}

/* The newest that may be used with a log of source->size entries; NULL. */
static struct disk_file *open_snapshot(uint64_t *size_out,
                                       const struct escrow_file_source *source)
{
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_file *file = NULL;

    *size_out = source->snapshots == NULL
                    ? 0
                    : snapshot_newest(source->snapshots, source->size + 1);
    if (*size_out == 0)
        return NULL;
    snapshot_name(name, *size_out, false);
    if (disk_open(source->snapshots, &file, name) != ST_OK)
        *size_out = 0; /* A newer one took its place just now. */
    return file;
}

static enum status seal_all(struct escrow_sealing *sealing,
                            struct escrow_file_result *result,
                            const struct escrow_file_source *source)
{
    struct escrow_header *header = &result->header;
    struct disk_file *snapshot;
    enum status status;

    memcpy(header->cluster_id, source->cluster_id, CLUSTER_ID_SIZE);
    memcpy(header->recovery_key, source->recovery_key, PUBLIC_KEY_SIZE);
    header->size = source->size;
    header->made_at = source->made_at;
    snapshot = open_snapshot(&header->snapshot, source);
    status = seal_header(sealing, header);
    if (status == ST_OK)
        status = seal_rows(sealing, result, source);
    if (status == ST_OK)
        status = seal_snapshot(sealing, result, snapshot);
    if (status == ST_OK)
        status = seal_end(sealing, result);
    disk_close(snapshot);
    return status;
}

/* ---- Files that come and go ---------------------------------------------- */

/*
 * What a write that did not come to its end left.  A former file beside the new
 * one is wiped only when the new one's name is durable.
 */
static enum status settle(struct disk *disk)
{
    struct disk_file *file = NULL;
    enum status status = disk_open(disk, &file, ESCROW_FILE);

    disk_close(file);
    if (status == ST_NO_FILE)
        status = disk_rename(disk, ESCROW_FILE_FORMER, ESCROW_FILE);
    if (status == ST_OK || status == ST_NO_FILE)
        status = disk_sync_directory(disk, "");
    if (status == ST_OK)
        status = disk_discard(disk, ESCROW_FILE_FORMER, "");
    return status == ST_OK ? disk_discard(disk, ESCROW_FILE_PART, "") : status;
}

/* Its name is durable before its first byte, which could not be found else. */
static enum status create_part(struct disk *disk, struct disk_file **file_out)
{
    const enum status status = disk_create(disk, file_out, ESCROW_FILE_PART);

    return status == ST_OK ? disk_sync_directory(disk, "") : status;
}

/* The former name is durable before another file takes the one that it had. */
static enum status put_in_place(struct disk *disk)
{
    enum status status = disk_rename(disk, ESCROW_FILE, ESCROW_FILE_FORMER);

    if (status == ST_OK)
        status = disk_sync_directory(disk, "");
    if (status == ST_OK || status == ST_NO_FILE)
        status = disk_rename(disk, ESCROW_FILE_PART, ESCROW_FILE);
    if (status == ST_OK)
        status = disk_sync_directory(disk, "");
    return status == ST_OK ? disk_discard(disk, ESCROW_FILE_FORMER, "")
                           : status;
}

enum status escrow_file_write(struct escrow_file_result *result_out,
                              struct disk *disk,
                              const struct escrow_file_source *source)
{
    struct escrow_sealing *sealing = sodium_malloc(sizeof *sealing);
    enum status status;

    NEED(sealing != NULL);
    memset(sealing, 0, sizeof *sealing);
    memset(result_out, 0, sizeof *result_out);
    status = settle(disk);
    if (status == ST_OK)
        status = create_part(disk, &sealing->file);
    if (status == ST_OK)
        status = seal_all(sealing, result_out, source);
    disk_close(sealing->file);
    if (status == ST_OK)
        status = put_in_place(disk);
    sodium_free(sealing); /* Wipes it. */
    return status;
}
