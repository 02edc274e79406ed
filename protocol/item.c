#include "protocol/item.h"

#include <string.h>

#include <sodium.h>

#include "protocol/tags.h"
#include "protocol/tree.h"

void item_clear_decode(struct item_clear *out, const uint8_t *clear)
{
    out->opcode = load_u16(clear);
    out->version = load_u16(clear + 2);
    out->size = load_u32(clear + 4);
    out->duty = load_u32(clear + 8);
    out->purpose = load_u32(clear + 12);
    out->subject = load_u64(clear + 16);
    out->expect_version = load_u64(clear + 24);
}

void item_clear_encode(uint8_t out[ITEM_CLEAR_SIZE],
                       const struct item_clear *clear)
{
    store_u16(out, clear->opcode);
    store_u16(out + 2, clear->version);
    store_u32(out + 4, clear->size);
    store_u32(out + 8, clear->duty);
    store_u32(out + 12, clear->purpose);
    store_u64(out + 16, clear->subject);
    store_u64(out + 24, clear->expect_version);
}

void item_commitment(uint8_t out[HASH_SIZE], struct slice secret)
{
    crypto_hash_sha256_state state;

    REQUIRE(secret.size >= SALT_SIZE);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, tags_bytes(TAG_ITEM), TAG_SIZE);
    crypto_hash_sha256_update(&state, secret.data, secret.size);
    crypto_hash_sha256_final(&state, out);
}

void item_leaf_hash(uint8_t out[HASH_SIZE], const uint8_t *clear,
                    const uint8_t *commitment)
{
    uint8_t leaf[ITEM_CLEAR_SIZE + HASH_SIZE];

    memcpy(leaf, clear, ITEM_CLEAR_SIZE);
    memcpy(leaf + ITEM_CLEAR_SIZE, commitment, HASH_SIZE);
    tree_leaf_hash(out, slice_of(leaf, sizeof leaf));
}

size_t item_stored_size(const struct item_clear *clear_part, bool sealed)
{
    REQUIRE(clear_part->size >= ITEM_SIZE_MIN);
    return (size_t)ENTRY_ITEM_FIXED_SIZE + clear_part->size - ITEM_CLEAR_SIZE +
           (sealed ? AEAD_TAG_SIZE : 0u);
}

enum status item_take(struct item *item, struct reader *reader)
{
    size_t before = reader->used;
    size_t overhead;
    uint32_t data_size;

    item->clear = reader_bytes(reader, ITEM_CLEAR_SIZE).data;
    item->commitment = reader_bytes(reader, HASH_SIZE).data;
    item->seal_key = reader_u64(reader);
    data_size = reader_u32(reader);
    if (reader_u32(reader) != 0)
        reader_fail(reader, ST_ENTRY_FORMED);
    item->data = reader_bytes(reader, data_size);
    if (reader->status != ST_OK)
        return ST_ENTRY_FORMED;
    item_clear_decode(&item->clear_part, item->clear);
    overhead = item->seal_key == 0 ? 0 : AEAD_TAG_SIZE;
    if (item->clear_part.size < ITEM_SIZE_MIN ||
        data_size != item->clear_part.size - ITEM_CLEAR_SIZE + overhead)
        return ST_ENTRY_FORMED;
    item->bytes = (struct slice){reader->data + before, reader->used - before};
    return ST_OK;
}

enum status item_decode(struct item *item, struct slice bytes)
{
    struct reader reader;
    enum status status;

    reader_init(&reader, bytes);
    status = item_take(item, &reader);
    if (status == ST_OK && reader_left(&reader) != 0)
        status = ST_ENTRY_FORMED;
    return status;
}

enum status item_check_open(const struct item *item)
{
    uint8_t commitment[HASH_SIZE];

    if (item->seal_key != 0)
        return ST_OK;
    item_commitment(commitment, item->data);
    if (memcmp(commitment, item->commitment, HASH_SIZE) != 0)
        return ST_ENTRY_FORMED;
    return ST_OK;
}

struct slice item_fields(const struct item *item)
{
    REQUIRE(item->seal_key == 0);
    return slice_of(item->data.data + SALT_SIZE, item->data.size - SALT_SIZE);
}
