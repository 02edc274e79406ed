#include "tests/lib/log_maker.h"

#include <string.h>

#include "protocol/entry.h"

static void maker_item(uint8_t *out, size_t data_size, uint64_t index,
                       uint8_t variant)
{
    struct item_clear clear = {
        .opcode = 1,
        .version = 1,
        .size = (uint32_t)(ITEM_CLEAR_SIZE + data_size),
        .subject = index,
    };
    uint8_t *data = out + ENTRY_ITEM_FIXED_SIZE;

    for (size_t at = 0; at < data_size; at++)
        data[at] = (uint8_t)((index + 1) * 31 + at * 7 + variant);
    item_clear_encode(out, &clear);
    item_commitment(out + ITEM_CLEAR_SIZE, slice_of(data, data_size));
    store_u64(out + 64, 0);
    store_u32(out + 72, (uint32_t)data_size);
    store_u32(out + 76, 0);
}

struct journal_entry log_maker_entry(uint8_t *out, struct journal_end *end,
                                     size_t size, uint32_t epoch,
                                     uint8_t variant)
{
    const size_t data_size = size - ENTRY_FIXED_SIZE - ENTRY_ITEM_FIXED_SIZE;
    struct command_header header = {
        .items_count = 1,
        .realm = 2,
        .signed_at = end->log_time,
        .ttl_s = TTL_S_DEFAULT,
        .body_size = (uint32_t)(ITEM_CLEAR_SIZE + data_size),
    };
    struct journal_entry entry = {.bytes = {out, size}};
    struct writer writer;

    REQUIRE(size >= LOG_MAKER_SIZE_MIN && size <= ENTRY_SIZE_MAX);
    end->log_time += 1000;
    end->epoch = epoch;
    writer_init(&writer, out, size);
    writer_u16(&writer, ENTRY_VERSION);
    writer_u8(&writer, CATEGORY_MIN);
    writer_u8(&writer, header.realm);
    writer_u32(&writer, epoch);
    writer_u64(&writer, end->size);
    writer_i64(&writer, end->log_time);
    writer_bytes(&writer, end->leaf, HASH_SIZE);
    writer_u16(&writer, header.items_count);
    writer_u16(&writer, 0);
    writer_u32(&writer, (uint32_t)(size - ENTRY_FIXED_SIZE));
    command_header_encode(writer_reserve(&writer, COMMAND_HEADER_SIZE),
                          &header);
    memset(writer_reserve(&writer, SIGNATURE_SIZE), 0x55, SIGNATURE_SIZE);
    maker_item(writer_reserve(&writer, size - ENTRY_FIXED_SIZE), data_size,
               end->size, variant);
    ENSURE(writer.status == ST_OK && writer.used == size);
    entry_leaf_hash(entry.leaf, entry.bytes);
    memcpy(end->leaf, entry.leaf, HASH_SIZE);
    end->size++;
    return entry;
}
