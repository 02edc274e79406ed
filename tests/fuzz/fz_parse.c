/*
 * fz_parse.c: "name=value" as a person types it, for any operation.  What is
 * read is within its bounds or refused as a body, and its text reads back to
 * the same text.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/limits.h"
#include "protocol/parse.h"
#include "protocol/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STRUCT_SIZE_MAX = 8192, TEXT_SIZE_MAX = 65536, HEAD_SIZE = 2 };

/* The text of the field that ${assignment} names, after reading it. */
static enum status parse_and_render(struct writer *text,
                                    const struct schema *schema,
                                    struct slice assignment)
{
    static _Alignas(16) uint8_t value[STRUCT_SIZE_MAX];
    static uint8_t memory_bytes[TEXT_SIZE_MAX];
    struct writer memory;
    struct parse_error error;
    const uint8_t *equals;
    const struct field *field;
    enum status status;

    memset(value, 0, sizeof value);
    writer_init(&memory, memory_bytes, sizeof memory_bytes);
    status = parse_assign(schema, value, &memory, &error, assignment);
    if (status != ST_OK)
        return status;
    equals = memchr(assignment.data, '=', assignment.size);
    INVARIANT(equals != NULL);
    field = parse_find(
        schema, slice_of(assignment.data, (size_t)(equals - assignment.data)));
    INVARIANT(field != NULL);
    writer_bytes(text, assignment.data, (size_t)(equals - assignment.data) + 1);
    render_value(text, field, value + field->offset);
    return text->status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t first_bytes[4 * TEXT_SIZE_MAX];
    static uint8_t second_bytes[4 * TEXT_SIZE_MAX];
    const struct operation_info *operations;
    const struct schema *schema;
    struct writer first;
    struct writer second;
    uint32_t count;

    if (size < HEAD_SIZE || size > TEXT_SIZE_MAX)
        return 0;
    operations = operation_list(&count);
    schema = operations[load_u16(data) % count].fields;
    INVARIANT(schema->struct_size <= STRUCT_SIZE_MAX);
    writer_init(&first, first_bytes, sizeof first_bytes);
    if (parse_and_render(&first, schema,
                         slice_of(data + HEAD_SIZE, size - HEAD_SIZE)) != ST_OK)
        return 0;
    writer_init(&second, second_bytes, sizeof second_bytes);
    INVARIANT(parse_and_render(&second, schema, writer_slice(&first)) == ST_OK);
    INVARIANT(slice_equal(writer_slice(&first), writer_slice(&second)));
    return 0;
}
