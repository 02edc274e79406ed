/*
 * fz_fields.c: the first two bytes choose a table of the catalogue, the third
 * whose bytes they are, the rest is a body.  What decodes is within its bounds,
 * and where nothing may be skipped it encodes to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/limits.h"
#include "tests/lib/mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

enum { STRUCT_SIZE_MAX = 8192, HEAD_SIZE = 3 };

/* The schema that ${number} names, over all tables one behind the other. */
static const struct schema *fields_schema(uint32_t number)
{
    uint32_t messages_count;
    uint32_t operations_count;
    uint32_t queries_count;
    const struct message_info *messages = message_list(&messages_count);
    const struct operation_info *operations = operation_list(&operations_count);
    const struct query_info *queries = query_list(&queries_count);

    number %= messages_count + 2 * operations_count + 2 * queries_count +
              SECTIONS_COUNT;
    if (number < messages_count)
        return messages[number].schema;
    number -= messages_count;
    if (number < 2 * operations_count)
        return number % 2 == 0 ? operations[number / 2].fields
                               : operations[number / 2].result;
    number -= 2 * operations_count;
    if (number < 2 * queries_count)
        return number % 2 == 0 ? queries[number / 2].fields
                               : queries[number / 2].rows;
    number -= 2 * queries_count;
    return section_info(number + 1)->record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(16) uint8_t value[STRUCT_SIZE_MAX];
    static uint8_t again[FRAME_SIZE_MAX];
    const struct schema *schema;
    enum schema_unknown unknown;
    struct field_error error;
    struct slice input;
    struct writer writer;

    if (size < HEAD_SIZE)
        return 0;
    schema = fields_schema((uint32_t)data[0] | (uint32_t)data[1] << 8);
    INVARIANT(schema->struct_size <= STRUCT_SIZE_MAX);
    unknown = (enum schema_unknown)(data[2] % 3);
    input = slice_of(data + HEAD_SIZE, size - HEAD_SIZE);
    if (schema_decode(schema, value, &error, input, unknown) != ST_OK)
        return 0;
    INVARIANT(schema_check(schema, &error, value) == ST_OK);
    if (unknown != SCHEMA_REFUSE_UNKNOWN || input.size > sizeof again)
        return 0;
    writer_init(&writer, again, sizeof again);
    schema_encode(schema, &writer, value);
    INVARIANT(writer.status == ST_OK);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    struct random random = {seed};

    if (size < HEAD_SIZE || size_max < 2 * HEAD_SIZE ||
        random_below(&random, 32) == 0) {
        if (size_max < 2 * HEAD_SIZE)
            return size;
        store_u16(data, (uint16_t)random_next(&random));
        data[2] = (uint8_t)random_below(&random, 3);
        size = HEAD_SIZE;
    }
    return HEAD_SIZE + mutate_fields(&random, data + HEAD_SIZE,
                                     size - HEAD_SIZE, size_max - HEAD_SIZE,
                                     fields_schema((uint32_t)data[0] |
                                                   (uint32_t)data[1] << 8));
}
