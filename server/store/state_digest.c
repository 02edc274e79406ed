#include "server/store/state_private.h"

#include <string.h>

/* Gathers small pieces, so that the hash is fed by whole runs of bytes. */
struct gatherer {
    crypto_hash_sha256_state *hash;
    size_t used;
    uint8_t bytes[512];
};

static void flush(struct gatherer *gatherer)
{
    crypto_hash_sha256_update(gatherer->hash, gatherer->bytes, gatherer->used);
    gatherer->used = 0;
}

static void gather(struct gatherer *gatherer, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (size > sizeof gatherer->bytes - gatherer->used)
        flush(gatherer);
    if (size > sizeof gatherer->bytes) {
        crypto_hash_sha256_update(gatherer->hash, data, size);
        return;
    }
    memcpy(gatherer->bytes + gatherer->used, data, size);
    gatherer->used += size;
}

static void gather_sized(struct gatherer *gatherer, struct slice value)
{
    uint8_t size[4];

    REQUIRE(value.size <= UINT32_MAX);
    store_u32(size, (uint32_t)value.size);
    gather(gatherer, size, sizeof size);
    gather(gatherer, value.data, value.size);
}

/* H(0x00 ‖ clear ‖ commitment): whether the rest still opens is no matter. */
static void gather_item(struct gatherer *gatherer, struct slice item)
{
    uint8_t leaf[1 + ITEM_CLEAR_SIZE + HASH_SIZE] = {0x00};
    uint8_t hash[HASH_SIZE];

    REQUIRE(item.size >= ITEM_CLEAR_SIZE + HASH_SIZE);
    memcpy(leaf + 1, item.data, ITEM_CLEAR_SIZE + HASH_SIZE);
    crypto_hash_sha256(hash, leaf, sizeof leaf);
    gather(gatherer, hash, sizeof hash);
}

/* Numbers little-endian in their own width; texts and blobs behind a u32 size;
 * items by their leaf hash. */
static void gather_column(struct gatherer *gatherer,
                          const struct layout_column *column, const void *row)
{
    const uint8_t *at = (const uint8_t *)row + column->offset;

    switch (column->kind) {
    case COLUMN_u8:
        gather(gatherer, at, 1);
        return;
    case COLUMN_u16:
        gather(gatherer, at, 2);
        return;
    case COLUMN_u32:
    case COLUMN_i32:
        gather(gatherer, at, 4);
        return;
    case COLUMN_u64:
    case COLUMN_i64:
    case COLUMN_bytes8:
        gather(gatherer, at, 8);
        return;
    case COLUMN_bytes16:
        gather(gatherer, at, 16);
        return;
    case COLUMN_bytes32:
        gather(gatherer, at, 32);
        return;
    case COLUMN_text:
    case COLUMN_blob:
        gather_sized(gatherer, *(const struct slice *)(const void *)at);
        return;
    case COLUMN_item:
        gather_item(gatherer, *(const struct slice *)(const void *)at);
        return;
    }
}

void state_digest_change(crypto_hash_sha256_state *changes,
                         enum state_change change, const struct layout_table *t,
                         const void *row)
{
    struct gatherer gatherer;
    const struct layout_column *columns = t->columns();
    unsigned count = change == CHANGE_DELETE ? t->key_count : t->columns_count;

    gatherer.hash = changes;
    gatherer.bytes[0] = (uint8_t)change;
    store_u16(gatherer.bytes + 1, t->number);
    gatherer.used = 3;
    for (unsigned i = 0; i < count; i++)
        gather_column(&gatherer, &columns[i], row);
    flush(&gatherer);
}

void state_full_digest(struct state *state, uint8_t digest_out[HASH_SIZE])
{
    union {
#define T(number, lower, UPPER, scope) struct row_##lower lower;
        TABLE_LIST(T)
#undef T
    } row;
    crypto_hash_sha256_state hash;
    struct state_scan scan;

    crypto_hash_sha256_init(&hash);
    for (unsigned i = 0; i < TABLES_COUNT; i++) {
        const struct layout_table *t = layout_table((enum table)i);
        if (!t->in_digest)
            continue;
        memset(&row, 0, sizeof row);
        state_scan_key(state, &scan, (enum table)i, &row,
                       (struct state_range){0, false, false});
        while (state_scan_next(&scan, &row))
            state_digest_change(&hash, CHANGE_INSERT, t, &row);
        state_scan_close(&scan);
    }
    crypto_hash_sha256_final(&hash, digest_out);
}
