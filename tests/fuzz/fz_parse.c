/*
 * fz_parse.c: "name=value" as a person types it, for any operation or section.
 * What is read is within its bounds or refused as a body, and its text reads
 * back to the same text.
 *
 * The input is the operation's u16 number, or 0xff00 and a section's, and the
 * text.  The mutator knows how
 * a value of each field is written.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/limits.h"
#include "protocol/parse.h"
#include "protocol/render.h"
#include "tests/lib/mutate.h"
#include "tests/lib/schema_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

enum {
    STRUCT_SIZE_MAX = 8192,
    TEXT_SIZE_MAX = 65536,
    HEAD_SIZE = 2,
    FIRST_SECTION = 0xff00 /* Above the operations. */
};

/* NULL: the number is nobody's. */
static const struct schema *schema_of(uint16_t number)
{
    const struct operation_info *operation = operation_info(number);

    if (number > FIRST_SECTION && number <= FIRST_SECTION + SECTIONS_COUNT)
        return section_info((uint8_t)(number - FIRST_SECTION))->record;
    return operation == NULL ? NULL : operation->fields;
}

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
    const struct schema *schema;
    struct writer first;
    struct writer second;

    if (size < HEAD_SIZE || size > TEXT_SIZE_MAX)
        return 0;
    schema = schema_of(load_u16(data));
    if (schema == NULL)
        return 0;
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

/* ---- How inputs change --------------------------------------------------- */

/* Some field of some operation, written as it is shown. */
static size_t new_line(struct random *random, uint8_t *out, size_t size_max)
{
    static _Alignas(16) uint8_t value[STRUCT_SIZE_MAX];
    static uint8_t texts[8 << 20];
    uint32_t count, chosen;
    const struct operation_info *operations = operation_list(&count);
    const struct schema *schema;
    const struct field *row;
    struct writer writer;
    uint16_t number;

    chosen = random_below(random, count + SECTIONS_COUNT);
    number = chosen < count ? operations[chosen].opcode
                            : (uint16_t)(FIRST_SECTION + 1 + chosen - count);
    schema = schema_of(number);
    if (schema->fields_count == 0)
        return 0;
    row = &schema->rows()[random_below(random, schema->fields_count)];
    writer_init(&writer, texts, sizeof texts);
    schema_sample_fill(schema, value, &writer,
                       random_below(random, 3) == 0 ? SAMPLE_GREATEST
                                                    : SAMPLE_MODEST);
    writer_init(&writer, out, size_max);
    writer_u16(&writer, number);
    writer_bytes(&writer, row->name, strlen(row->name));
    writer_u8(&writer, '=');
    render_value(&writer, row, value + row->offset);
    return writer.status == ST_OK ? writer.used : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    struct random random = {seed};
    size_t made = 0;

    if (size <= HEAD_SIZE || random_below(&random, 16) == 0)
        made = new_line(&random, data, size_max);
    if (made > 0)
        return made;
    if (size <= HEAD_SIZE || size_max <= HEAD_SIZE)
        return mutate_bytes(&random, data, size, size_max);
    return HEAD_SIZE + mutate_bytes(&random, data + HEAD_SIZE, size - HEAD_SIZE,
                                    size_max - HEAD_SIZE);
}
