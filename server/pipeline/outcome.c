#include "server/pipeline/outcome.h"

#include <string.h>

#include <sodium.h>

uint16_t outcome_code(const struct item_outcome *items, size_t count)
{
    uint16_t first = ST_OK;
    size_t done_count = 0;

    if (count == 1)
        return items[0].code;
    for (size_t i = 0; i < count; i++) {
        done_count += items[i].code == ST_OK;
        if (items[i].code != ST_OK && items[i].code != ST_NOT_DONE &&
            first == ST_OK)
            first = items[i].code;
    }
    if (done_count == count)
        return ST_OK;
    return done_count > 0 ? ST_PARTIAL : first;
}

const uint8_t *outcome_nothing(void)
{
    /* SHA-256 of the empty string. */
    static const uint8_t nothing[HASH_SIZE] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

    return nothing;
}

void outcome_encode(struct writer *writer, const struct item_outcome *items,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        writer_u16(writer, items[i].code);
        writer_u8(writer, items[i].has_result);
        if (items[i].has_result)
            writer_bytes(writer, items[i].result_hash, HASH_SIZE);
    }
}

size_t outcome_decode(struct item_outcome items_out[ITEMS_MAX],
                      struct slice bytes)
{
    struct reader reader;
    size_t count = 0;

    reader_init(&reader, bytes);
    while (reader_left(&reader) > 0) {
        INVARIANT(count < ITEMS_MAX);
        struct item_outcome *item = &items_out[count++];
        item->code = reader_u16(&reader);
        item->has_result = reader_u8(&reader) != 0;
        if (item->has_result)
            reader_copy(&reader, item->result_hash, HASH_SIZE);
        else
            memcpy(item->result_hash, outcome_nothing(), HASH_SIZE);
    }
    INVARIANT(reader.status == ST_OK);
    return count;
}

void outcome_codes_only(struct writer *writer, const struct item_outcome *items,
                        size_t count)
{
    if (count == 1)
        return;
    writer_u16(writer, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        writer_u16(writer, items[i].code);
        writer_u16(writer, 0);
    }
}
