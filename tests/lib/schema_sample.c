#include "tests/lib/schema_sample.h"

#include <string.h>

#include "protocol/catalogue.h"

enum { MODEST_SIZE_MAX = 24, MODEST_COUNT_MAX = 2, STRUCT_SIZE_MAX = 4096 };

static size_t text_size(const struct field *row, enum sample_extent extent)
{
    size_t least = (size_t)row->lo, most = (size_t)row->hi;

    if (extent == SAMPLE_LEAST)
        return least;
    if (extent == SAMPLE_MODEST && most > MODEST_SIZE_MAX)
        return least > MODEST_SIZE_MAX ? least : MODEST_SIZE_MAX;
    return most;
}

/* Two-byte letters, and one of one byte where the size is odd. */
static void put_letters(uint8_t *at, size_t size)
{
    size_t used = 0;

    if (size % 2 == 1)
        at[used++] = 'A';
    for (; used < size; used += 2)
        memcpy(at + used, "\xc9\x99", 2);
}

static void put_email(uint8_t *at, size_t size)
{
    memset(at, 'm', size);
    if (size >= 5)
        memcpy(at + size - 4, "@k.b", 4);
}

static void put_text(const struct field *row, uint8_t *at, size_t size)
{
    if (size == 0)
        return;
    if (row->kind == FIELD_fin)
        memcpy(at, "5ABCD9Z", size);
    else if (row->kind == FIELD_phone)
        memcpy(at, "+994501234567890", size);
    else if (row->kind == FIELD_digits)
        memset(at, '7', size);
    else if (row->kind == FIELD_username)
        memset(at, 'u', size);
    else if (row->kind == FIELD_email)
        put_email(at, size);
    else if (row->kind == FIELD_blob)
        memset(at, 0xee, size);
    else
        put_letters(at, size);
}

static void fill_text(const struct field *row, struct slice *member,
                      struct writer *memory, enum sample_extent extent)
{
    size_t size = text_size(row, extent);
    uint8_t *at = writer_reserve(memory, size);

    INVARIANT(at != NULL);
    put_text(row, at, size);
    *member = slice_of(at, size);
}

static void fill_list(const struct field *row, struct list *member,
                      struct writer *memory, enum sample_extent extent)
{
    union {
        uint64_t align;
        uint8_t bytes[STRUCT_SIZE_MAX];
    } element;
    static uint8_t texts[1 << 20];
    struct writer scratch;
    int64_t count = row->hi;

    if (extent == SAMPLE_LEAST)
        count = 0;
    if (extent == SAMPLE_MODEST && count > MODEST_COUNT_MAX)
        count = MODEST_COUNT_MAX;
    INVARIANT(row->element->struct_size <= sizeof element);
    *member = list_begin(memory);
    for (int64_t i = 0; i < count; i++) {
        writer_init(&scratch, texts, sizeof texts);
        schema_sample_fill(row->element, &element, &scratch, extent);
        list_add(member, memory, row->element, &element);
    }
    INVARIANT(memory->status == ST_OK);
}

static void fill_number(const struct field *row, void *member,
                        enum sample_extent extent)
{
    int64_t value = extent == SAMPLE_LEAST ? row->lo : row->hi;
    size_t size = schema_kind_size(row->kind);
    bool flag = value != 0;

    if (row->kind == FIELD_bool8)
        memcpy(member, &flag, sizeof flag);
    else if (row->kind == FIELD_u64 && value == INT64_MAX)
        memset(member, 0xff, size);
    else
        memcpy(member, &value, size);
}

static void fill_value(const struct field *row, void *member,
                       struct writer *memory, enum sample_extent extent)
{
    size_t size = schema_kind_size(row->kind);

    if (row->kind == FIELD_list)
        fill_list(row, member, memory, extent);
    else if (size == 0)
        fill_text(row, member, memory, extent);
    else if (row->kind >= FIELD_bytes8 && row->kind <= FIELD_bytes64)
        memset(member, extent == SAMPLE_LEAST ? 0 : 0xb5, size);
    else
        fill_number(row, member, extent);
}

void schema_sample_fill(const struct schema *schema, void *out,
                        struct writer *memory, enum sample_extent extent)
{
    const struct field *rows = schema->rows();
    uint8_t *base = out;

    memset(out, 0, schema->struct_size);
    for (uint16_t i = 0; i < schema->fields_count; i++) {
        bool has = extent != SAMPLE_LEAST;
        if (rows[i].tag != 0)
            memcpy(base + rows[i].present_offset, &has, sizeof has);
        if (rows[i].tag == 0 || has)
            fill_value(&rows[i], base + rows[i].offset, memory, extent);
    }
}

static void visit_with_elements(const struct schema *schema,
                                void (*visit)(const struct schema *schema))
{
    const struct field *rows = schema->rows();

    visit(schema);
    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (rows[i].element != NULL)
            visit(rows[i].element);
    }
}

void schema_sample_each(void (*visit)(const struct schema *schema))
{
    uint32_t count;
    const struct message_info *messages = message_list(&count);
    const struct operation_info *operations;
    const struct query_info *queries;

    for (uint32_t i = 0; i < count; i++)
        visit_with_elements(messages[i].schema, visit);
    operations = operation_list(&count);
    for (uint32_t i = 0; i < count; i++) {
        visit_with_elements(operations[i].fields, visit);
        visit_with_elements(operations[i].result, visit);
    }
    queries = query_list(&count);
    for (uint32_t i = 0; i < count; i++) {
        visit_with_elements(queries[i].fields, visit);
        visit_with_elements(queries[i].rows, visit);
    }
    for (uint32_t i = 1; i <= SECTIONS_COUNT; i++)
        visit_with_elements(section_info(i)->record, visit);
}
