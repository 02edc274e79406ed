#include "protocol/escrow.h"

#include <string.h>

static const uint8_t escrow_magic[8] = "DFTESCR";

void escrow_header_encode(uint8_t out[ESCROW_HEADER_SIZE],
                          const struct escrow_header *header)
{
    struct writer writer;

    writer_init(&writer, out, ESCROW_HEADER_SIZE);
    writer_bytes(&writer, escrow_magic, sizeof escrow_magic);
    writer_u16(&writer, ESCROW_VERSION);
    writer_u16(&writer, 0);
    writer_u32(&writer, 0);
    writer_bytes(&writer, header->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, header->recovery_key, PUBLIC_KEY_SIZE);
    writer_u64(&writer, header->size);
    writer_u64(&writer, header->snapshot);
    writer_u64(&writer, (uint64_t)header->made_at);
    writer_bytes(&writer, header->box, ESCROW_BOX_SIZE);
    writer_bytes(&writer, header->stream, ESCROW_STREAM_SIZE);
    ENSURE(writer.status == ST_OK && writer.used == ESCROW_HEADER_SIZE);
}

enum status escrow_header_decode(struct escrow_header *header,
                                 struct slice bytes)
{
    const uint8_t *at = bytes.data;

    if (bytes.size != ESCROW_HEADER_SIZE ||
        memcmp(at, escrow_magic, sizeof escrow_magic) != 0 ||
        load_u16(at + 8) != ESCROW_VERSION || sodium_is_zero(at + 10, 6) == 0)
        return ST_FILE_FORMAT;
    memcpy(header->cluster_id, at + 16, CLUSTER_ID_SIZE);
    memcpy(header->recovery_key, at + 32, PUBLIC_KEY_SIZE);
    header->size = load_u64(at + 64);
    header->snapshot = load_u64(at + 72);
    header->made_at = (int64_t)load_u64(at + 80);
    memcpy(header->box, at + 88, ESCROW_BOX_SIZE);
    memcpy(header->stream, at + 88 + ESCROW_BOX_SIZE, ESCROW_STREAM_SIZE);
    return header->size <= INT64_MAX && header->snapshot <= header->size &&
                   header->made_at >= 0
               ? ST_OK
               : ST_FILE_FORMAT;
}

/* The key of the stream, out of its box. */
static enum status open_box(struct escrow_opening *opening,
                            const struct escrow_header *header,
                            const struct keyfile *recovery)
{
    uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    enum status status = ST_SEAL;

    if (crypto_box_seal_open(key, header->box, ESCROW_BOX_SIZE,
                             recovery->public_key, recovery->secret) == 0 &&
        crypto_secretstream_xchacha20poly1305_init_pull(
            &opening->stream, header->stream, key) == 0)
        status = ST_OK;
    sodium_memzero(key, sizeof key);
    return status;
}

enum status escrow_open(struct escrow_opening *opening,
                        struct escrow_header *header, struct slice bytes,
                        const struct keyfile *recovery)
{
    enum status status = escrow_header_decode(header, bytes);

    REQUIRE(recovery->kind == KEYFILE_RECOVERY);
    memset(opening, 0, sizeof *opening);
    if (status != ST_OK)
        return status;
    memcpy(opening->header, bytes.data, ESCROW_HEADER_SIZE);
    if (memcmp(header->cluster_id, recovery->cluster_id, CLUSTER_ID_SIZE) != 0)
        return ST_WRONG_ENV;
    if (memcmp(header->recovery_key, recovery->public_key, PUBLIC_KEY_SIZE) !=
        0)
        return ST_KEY_TYPE;
    opening->kind = ESCROW_ROWS;
    return open_box(opening, header, recovery);
}

void escrow_close(struct escrow_opening *opening)
{
    sodium_memzero(opening, sizeof *opening);
}

/* Whether this part may stand here, and what it adds. */
static enum status take_part(struct escrow_opening *opening,
                             enum escrow_kind kind, struct slice body)
{
    switch (kind) {
    case ESCROW_ROWS:
        if (opening->kind != ESCROW_ROWS || body.size == 0 ||
            body.size % ESCROW_ROW_SIZE != 0)
            return ST_FILE_FORMAT;
        opening->rows_count += body.size / ESCROW_ROW_SIZE;
        return ST_OK;
    case ESCROW_SNAPSHOT:
        if (body.size == 0)
            return ST_FILE_FORMAT;
        opening->snapshot_size += body.size;
        opening->kind = kind;
        return ST_OK;
    case ESCROW_END:
        if (body.size != ESCROW_END_SIZE ||
            load_u64(body.data) != opening->rows_count ||
            load_u64(body.data + 8) != opening->snapshot_size)
            return ST_FILE_FORMAT;
        opening->kind = kind;
        opening->ended = true;
        return ST_OK;
    }
    return ST_FILE_FORMAT;
}

enum status escrow_part(struct escrow_opening *opening, struct slice *body_out,
                        uint8_t *plain, struct slice sealed)
{
    const size_t header_size = opening->begun ? 0 : ESCROW_HEADER_SIZE;
    unsigned long long size = 0;
    uint8_t tag = 0;
    bool last;

    if (opening->ended)
        return ST_TRAILING;
    if (sealed.size <= crypto_secretstream_xchacha20poly1305_ABYTES ||
        sealed.size > ESCROW_PART_SIZE_MAX)
        return ST_FILE_FORMAT;
    if (crypto_secretstream_xchacha20poly1305_pull(
            &opening->stream, plain, &size, &tag, sealed.data, sealed.size,
            opening->header, header_size) != 0)
        return ST_SEAL;
    opening->begun = true;
    last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    if (last != (plain[0] == ESCROW_END) ||
        (!last && tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE))
        return ST_FILE_FORMAT;
    *body_out = slice_of(plain + 1, (size_t)size - 1);
    return take_part(opening, (enum escrow_kind)plain[0], *body_out);
}
