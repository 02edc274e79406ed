#include "protocol/entry.h"

#include <string.h>

#include "protocol/assumptions.h"
#include "protocol/identity.h"
#include "protocol/seal.h"
#include "protocol/tree.h"

enum {
    ENTRY_HEADER_OFFSET = ENTRY_PREFIX_SIZE,
    ENTRY_SIGNATURE_OFFSET = ENTRY_HEADER_OFFSET + COMMAND_HEADER_SIZE
};
static_assert(ENTRY_SIGNATURE_OFFSET + SIGNATURE_SIZE == ENTRY_FIXED_SIZE,
              "items follow the signature");

size_t entry_size(const struct command *command, const struct entry_seal *seals)
{
    size_t size = ENTRY_FIXED_SIZE;

    for (size_t i = 0; i < command->header.items_count; i++)
        size += item_stored_size(&command->items[i].clear_part,
                                 seals[i].number != 0);
    return size;
}

static void entry_encode_prefix(struct writer *writer, size_t size,
                                const struct entry_place *place,
                                const struct command_header *header)
{
    writer_u16(writer, ENTRY_VERSION);
    writer_u8(writer, place->category);
    writer_u8(writer, header->realm);
    writer_u32(writer, place->epoch);
    writer_u64(writer, place->index);
    writer_i64(writer, place->log_time);
    writer_bytes(writer, place->previous, HASH_SIZE);
    writer_u16(writer, header->items_count);
    writer_u16(writer, place->carrier);
    writer_u32(writer, (uint32_t)(size - ENTRY_FIXED_SIZE));
}

static void entry_encode_item(struct writer *writer,
                              const struct command_item *item,
                              const struct entry_seal *seal)
{
    bool sealed = seal->number != 0;
    size_t data_size = item->secret.size + (sealed ? AEAD_TAG_SIZE : 0u);
    uint8_t *data;

    writer_bytes(writer, item->clear, ITEM_CLEAR_SIZE);
    writer_bytes(writer, item->commitment, HASH_SIZE);
    writer_u64(writer, seal->number);
    writer_u32(writer, (uint32_t)data_size);
    writer_u32(writer, 0);
    if (!sealed) {
        writer_bytes(writer, item->secret.data, item->secret.size);
        return;
    }
    data = writer_reserve(writer, data_size);
    if (data != NULL)
        seal_close(data, seal->key, item->clear, item->commitment,
                   item->secret);
}

void entry_encode(uint8_t *out, size_t size, const struct entry_place *place,
                  const struct command *command, const struct entry_seal *seals)
{
    struct writer writer;

    REQUIRE(size <= ENTRY_SIZE_MAX);
    REQUIRE(place->category >= CATEGORY_MIN && place->category <= CATEGORY_MAX);
    writer_init(&writer, out, size);
    entry_encode_prefix(&writer, size, place, &command->header);
    writer_bytes(&writer, command->header_bytes, COMMAND_HEADER_SIZE);
    writer_bytes(&writer, command->signature, SIGNATURE_SIZE);
    for (size_t i = 0; i < command->header.items_count; i++)
        entry_encode_item(&writer, &command->items[i], &seals[i]);
    ENSURE(writer.status == ST_OK && writer.used == size);
}

/* The items fill their bytes, and their wire lengths sum to the header's. */
static enum status entry_check_items(const struct entry *entry, bool hash)
{
    struct reader reader;
    uint64_t wire_size = 0;

    reader_init(&reader, entry->items);
    for (size_t i = 0; i < entry->header.items_count; i++) {
        struct item item;
        enum status status = item_take(&item, &reader);

        if (status == ST_OK && hash)
            status = item_check_open(&item);
        if (status != ST_OK)
            return status;
        wire_size += item.clear_part.size;
    }
    if (reader_left(&reader) != 0 || wire_size != entry->header.body_size)
        return ST_ENTRY_FORMED;
    return ST_OK;
}

static enum status entry_read(struct entry *entry, struct slice bytes,
                              bool hash)
{
    const uint8_t *at = bytes.data;

    if (bytes.size < ENTRY_FIXED_SIZE || bytes.size > ENTRY_SIZE_MAX)
        return ST_ENTRY_FORMED;
    entry->bytes = bytes;
    entry->place.category = at[2];
    entry->place.epoch = load_u32(at + 4);
    entry->place.index = load_u64(at + 8);
    entry->place.log_time = (int64_t)load_u64(at + 16);
    memcpy(entry->place.previous, at + 24, HASH_SIZE);
    entry->place.carrier = load_u16(at + 58);
    entry->header_bytes = at + ENTRY_HEADER_OFFSET;
    entry->signature = at + ENTRY_SIGNATURE_OFFSET;
    entry->items =
        (struct slice){at + ENTRY_FIXED_SIZE, bytes.size - ENTRY_FIXED_SIZE};
    command_header_decode(&entry->header, entry->header_bytes);
    if (load_u16(at) != ENTRY_VERSION ||
        load_u16(entry->header_bytes) != COMMAND_ENV_VERSION ||
        entry->place.category < CATEGORY_MIN ||
        entry->place.category > CATEGORY_MAX || at[3] != entry->header.realm ||
        load_u16(at + 56) != entry->header.items_count ||
        entry->header.items_count == 0 ||
        entry->header.items_count > ITEMS_MAX ||
        load_u32(at + 60) != entry->items.size)
        return ST_ENTRY_FORMED;
    return entry_check_items(entry, hash);
}

enum status entry_decode(struct entry *entry, struct slice bytes)
{
    return entry_read(entry, bytes, true);
}

enum status entry_view(struct entry *entry, struct slice bytes)
{
    return entry_read(entry, bytes, false);
}

bool entry_next_item(struct item *item, struct slice *rest)
{
    struct reader reader;
    enum status status;

    if (rest->size == 0)
        return false;
    reader_init(&reader, *rest);
    status = item_take(item, &reader);
    INVARIANT(status == ST_OK);
    *rest = (struct slice){rest->data + reader.used, rest->size - reader.used};
    return true;
}

void entry_item(struct item *item, const struct entry *entry, size_t number)
{
    struct slice rest = entry->items;

    REQUIRE(number < entry->header.items_count);
    for (size_t i = 0; i <= number; i++) {
        bool found = entry_next_item(item, &rest);

        INVARIANT(found);
    }
}

void entry_leaf_hash(uint8_t out[HASH_SIZE], struct slice bytes)
{
    tree_leaf_hash(out, bytes);
}

void entry_compose(const struct entry *entry, uint8_t out[COMMAND_SIGNED_SIZE],
                   const uint8_t *cluster_id)
{
    struct slice rest = entry->items;
    struct item item;
    struct tree tree;
    uint8_t hash[HASH_SIZE];

    tree_init(&tree);
    while (entry_next_item(&item, &rest)) {
        item_leaf_hash(hash, item.clear, item.commitment);
        tree_append(&tree, hash);
    }
    tree_root(&tree, hash);
    command_compose(out, entry->header_bytes, cluster_id, hash);
}

enum status entry_verify(const struct entry *entry, uint8_t hash_out[HASH_SIZE],
                         const uint8_t *cluster_id, const uint8_t *public_key)
{
    uint8_t signed_bytes[COMMAND_SIGNED_SIZE];
    uint8_t key_id[KEY_ID_SIZE];

    entry_compose(entry, signed_bytes, cluster_id);
    command_hash(hash_out, signed_bytes, entry->signature);
    identity_key_id(key_id, public_key);
    if (memcmp(key_id, entry->header.key_id, KEY_ID_SIZE) != 0)
        return ST_BAD_SIG;
    return command_check_signature(signed_bytes, entry->signature, public_key);
}
