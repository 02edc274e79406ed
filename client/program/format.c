#include "client/program/format.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/say.h"
#include "protocol/catalogue.h"
#include "protocol/dump.h"
#include "protocol/render.h"
#include "protocol/text.h"
#include "protocol/voen.h"

enum { VALUE_SIZE_MAX = 4096, COLUMN_WIDTH_MAX = 48, CELLS_MAX = 64 * 1024 };

size_t format_width(struct slice text)
{
    size_t used = 0, width = 0;
    uint32_t point;

    while (text_next(text, &used, &point) == ST_OK) {
        if (point < 0x300 || point > 0x36f)
            width++;
    }
    return width;
}

static void pad(FILE *out, size_t count)
{
    while (count-- > 0)
        fputc(' ', out);
}

/* A record blob stands beside a section number in its struct. */
static const struct schema *record_schema(const struct schema *schema,
                                          const void *in)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (strcmp(rows[i].name, "section") == 0 &&
            rows[i].kind == FIELD_enum8) {
            const struct section_info *info =
                section_info(*((const uint8_t *)in + rows[i].offset));
            return info == NULL ? NULL : info->record;
        }
    }
    return NULL;
}

static bool is_record(const struct field *field)
{
    return field->kind == FIELD_blob && strcmp(field->name, "record") == 0;
}

static bool is_entry(const struct field *field)
{
    return field->kind == FIELD_blob && strcmp(field->name, "entry") == 0;
}

/* Decode a record into memory of its own; NULL if it does not decode. */
static void *open_record(const struct schema *schema, const void *in,
                         struct slice bytes, const struct schema **record_out)
{
    struct field_error error;
    void *record;

    *record_out = record_schema(schema, in);
    if (*record_out == NULL || bytes.size == 0)
        return NULL;
    record = calloc(1, (*record_out)->struct_size);
    if (record != NULL && schema_decode(*record_out, record, &error, bytes,
                                        SCHEMA_REFUSE_UNKNOWN) != ST_OK) {
        free(record);
        return NULL;
    }
    return record;
}

static const char *setting_name(uint16_t setting)
{
#define NAME(number, name, initial, lo, hi, text) \
    case number:                                  \
        return #name;
    switch (setting) {
        SETTING_LIST(NAME)
    default:
        return NULL;
    }
#undef NAME
}

/* Numbers that name a row of a table are shown by its name; NULL: a number. */
static const char *name_of_number(const struct field *field, const void *member)
{
    const struct operation_info *operation;

    if (field->kind == FIELD_u16 && strcmp(field->name, "opcode") == 0) {
        operation = operation_info(*(const uint16_t *)member);
        return operation != NULL ? operation->name : NULL;
    }
    if (field->kind == FIELD_u16 && strcmp(field->name, "code") == 0)
        return status_name(*(const uint16_t *)member);
    if (field->kind == FIELD_u16 && strcmp(field->name, "setting") == 0)
        return setting_name(*(const uint16_t *)member);
    if (field->kind == FIELD_u8 && strcmp(field->name, "duty") == 0)
        return *(const uint8_t *)member == 0
                   ? "himself"
                   : duty_name(*(const uint8_t *)member);
    return NULL;
}

/* In an item's clear part a subject is a number; people know its digits. */
static bool is_subject(const struct field *field, const void *member)
{
    return field->kind == FIELD_u64 && strcmp(field->name, "subject") == 0 &&
           *(const uint64_t *)member > 0 &&
           *(const uint64_t *)member <= VOEN_MAX;
}

static struct slice value_text(uint8_t *memory, const struct field *field,
                               const void *member)
{
    const char *name = name_of_number(field, member);
    struct writer writer;

    if (name != NULL)
        return slice_of(name, strlen(name));
    if (is_subject(field, member)) {
        voen_format(memory, *(const uint64_t *)member);
        return slice_of(memory, VOEN_DIGITS);
    }
    writer_init(&writer, memory, VALUE_SIZE_MAX);
    render_value(&writer, field, member);
    return writer_slice(&writer);
}

static bool is_present(const struct field *field, const void *in)
{
    return field->tag == 0 ||
           *(const bool *)((const uint8_t *)in + field->present_offset);
}

/* The cells of a list's table, row by row, the header's first. */
struct table {
    struct slice *cells;
    uint8_t *text;
    size_t text_used, text_size;
    size_t columns, rows;
    size_t widths[FIELDS_MAX];
};

static void add_cell(struct table *table, size_t row, size_t column,
                     struct slice text)
{
    size_t width;

    if (text.size > table->text_size - table->text_used)
        text.size = 0;
    if (text.size > 0)
        memcpy(table->text + table->text_used, text.data, text.size);
    text.data = table->text + table->text_used;
    table->text_used += text.size;
    table->cells[row * table->columns + column] = text;
    width = format_width(text);
    if (width > table->widths[column])
        table->widths[column] = width;
}

static void fill_table(struct table *table, const struct schema *element,
                       const struct list *list)
{
    const struct field *rows = element->rows();
    uint8_t *memory = malloc(VALUE_SIZE_MAX);
    void *in = calloc(1, element->struct_size);
    struct list_reader reader;

    for (size_t i = 0; memory != NULL && i < table->columns; i++)
        add_cell(table, 0, i, slice_of(rows[i].name, strlen(rows[i].name)));
    list_reader_init(&reader, list);
    for (size_t row = 1;
         memory != NULL && in != NULL && list_reader_next(&reader, element, in);
         row++) {
        for (size_t i = 0; i < table->columns; i++)
            add_cell(table, row, i,
                     is_record(&rows[i])
                         ? (struct slice){NULL, 0}
                         : value_text(memory, &rows[i],
                                      (const uint8_t *)in + rows[i].offset));
    }
    free(memory);
    free(in);
}

static void print_table(FILE *out, const struct table *table, int indent)
{
    for (size_t row = 0; row < table->rows; row++) {
        pad(out, (size_t)indent);
        for (size_t i = 0; i < table->columns; i++) {
            struct slice cell = table->cells[row * table->columns + i];
            if (table->widths[i] == 0)
                continue;
            say_text(out, cell, false);
            if (i + 1 < table->columns)
                pad(out, table->widths[i] - format_width(cell) + 2);
        }
        fputc('\n', out);
    }
}

static void format_list(FILE *out, const struct schema *element,
                        const struct list *list, int indent)
{
    struct table table = {.columns = element->fields_count,
                          .rows = list->count + 1u,
                          .text_size = CELLS_MAX + list->bytes.size * 8};

    table.cells = calloc(table.columns * table.rows, sizeof *table.cells);
    table.text = malloc(table.text_size);
    if (table.cells != NULL && table.text != NULL) {
        fill_table(&table, element, list);
        print_table(out, &table, indent);
    }
    free(table.cells);
    free(table.text);
}

/* Elements that hold records or entries are shown one below the other. */
static void format_versions(FILE *out, const struct schema *element,
                            const struct list *list, int indent)
{
    void *in = calloc(1, element->struct_size);
    struct list_reader reader;

    list_reader_init(&reader, list);
    while (in != NULL && list_reader_next(&reader, element, in)) {
        format_text(out, element, in, indent);
        fputc('\n', out);
    }
    free(in);
}

static bool has_record(const struct schema *schema)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (is_record(&rows[i]) || is_entry(&rows[i]))
            return true;
    }
    return false;
}

static void write_line(void *context, struct slice name, struct slice value)
{
    fprintf(context, "    %.*s: ", (int)name.size, (const char *)name.data);
    say_text(context, value, false);
    fputc('\n', context);
}

/* An entry of the journal; an empty one is not for this reader. */
static void format_entry(FILE *out, struct slice bytes)
{
    struct dump dump;

    fputs(bytes.size == 0 ? "out of scope\n" : "\n", out);
    dump_init(&dump, out, write_line);
    if (bytes.size > 0)
        dump_entry(&dump, bytes);
}

static void format_field(FILE *out, const struct schema *schema,
                         const struct field *field, const void *in, int indent)
{
    const void *member = (const uint8_t *)in + field->offset;
    const struct schema *record = NULL;
    uint8_t *memory;
    struct slice text;
    void *opened = NULL;

    pad(out, (size_t)indent);
    fprintf(out, "%-18s", field->name);
    if (field->kind == FIELD_list) {
        const struct list *list = member;
        fprintf(out, "%u\n", list->count);
        if (list->count > 0 && has_record(field->element))
            format_versions(out, field->element, list, indent + 2);
        else if (list->count > 0)
            format_list(out, field->element, list, indent + 2);
        return;
    }
    if (is_entry(field)) {
        format_entry(out, *(const struct slice *)member);
        return;
    }
    if (is_record(field))
        opened =
            open_record(schema, in, *(const struct slice *)member, &record);
    if (opened != NULL) {
        fputc('\n', out);
        format_text(out, record, opened, indent + 2);
        free(opened);
        return;
    }
    memory = malloc(VALUE_SIZE_MAX);
    text = memory == NULL ? (struct slice){NULL, 0}
                          : value_text(memory, field, member);
    say_text(out, text, false);
    fputc('\n', out);
    free(memory);
}

void format_text(FILE *out, const struct schema *schema, const void *in,
                 int indent)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (is_present(&rows[i], in))
            format_field(out, schema, &rows[i], in, indent);
    }
}
