/*
 * fz_fields.c: the first byte chooses a table of the catalogue, the second
 * whose bytes they are, the rest is a body.  What decodes is within its bounds,
 * and where nothing may be skipped it encodes to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
