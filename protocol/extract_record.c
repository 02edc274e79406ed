#include "protocol/extract_record.h"

#include <string.h>

#include "protocol/dates.h"
#include "protocol/lines.h"
#include "protocol/render.h"

static_assert((int)EXTRACT_FIELD_LINE_SIZE_MAX >=
                  (int)EXTRACT_PATH_SIZE_MAX + 16 + 512,
              "the longest text of a record fits a line");

static const uint8_t section_path[] = {'.'};

/* Any record, as its schema lays it out. */
union record {
    uint64_t align;
    uint8_t bytes[BODY_STRUCT_SIZE_MAX];
};
union element {
    uint64_t align;
    uint8_t bytes[ELEMENT_STRUCT_SIZE_MAX];
};

static void give(const struct extract_lines *lines,
                 const struct extract_field *field)
{
    uint8_t line[EXTRACT_FIELD_LINE_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, line, sizeof line);
    extract_field_write(&writer, field);
    INVARIANT(writer.status == ST_OK);
    lines->line(lines->context, writer_slice(&writer));
}

static void give_state(const struct extract_lines *lines, const char *state)
{
    struct extract_field field = {
        .path = slice_of(section_path, sizeof section_path),
        .kind = EXTRACT_STATE,
        .value = slice_of(state, strlen(state))};

    give(lines, &field);
}

static void write_date(struct writer *writer, int32_t days)
{
    uint8_t text[DATES_DATE_SIZE];

    dates_format(text, days);
    writer_bytes(writer, text, sizeof text);
}

static void write_time(struct writer *writer, int64_t time)
{
    uint8_t text[DATES_TIME_SIZE];

    dates_time_format(text, time);
    writer_bytes(writer, text, sizeof text);
}

/*
 * The value at ${member}, numbers as numbers: names of enums are words for
 * people, which may change.  Longer than a screen: one case a kind.
 */
static enum extract_kind write_value(struct writer *writer,
                                     const struct field *field,
                                     const void *member)
{
    const struct slice *bytes = member;
    int64_t number;
    uint64_t wide;
    int32_t days;

    switch (field->kind) {
    case FIELD_u8:
    case FIELD_enum8:
        lines_write_number(writer, *(const uint8_t *)member);
        return EXTRACT_NUMBER;
    case FIELD_bool8:
        lines_write_number(writer, *(const bool *)member ? 1 : 0);
        return EXTRACT_NUMBER;
    case FIELD_u16:
    case FIELD_mask16:
        lines_write_number(writer, *(const uint16_t *)member);
        return EXTRACT_NUMBER;
    case FIELD_u32:
    case FIELD_mask32:
        lines_write_number(writer, *(const uint32_t *)member);
        return EXTRACT_NUMBER;
    case FIELD_u64:
    case FIELD_voen:
        memcpy(&wide, member, sizeof wide);
        lines_write_number(writer, wide);
        return EXTRACT_NUMBER;
    case FIELD_i64:
    case FIELD_money:
        memcpy(&number, member, sizeof number);
        render_i64(writer, number);
        return EXTRACT_NUMBER;
    case FIELD_date:
        memcpy(&days, member, sizeof days);
        write_date(writer, days);
        return EXTRACT_DATE;
    case FIELD_time:
        memcpy(&number, member, sizeof number);
        write_time(writer, number);
        return EXTRACT_TIME;
    case FIELD_bytes8:
    case FIELD_bytes16:
    case FIELD_bytes32:
    case FIELD_bytes64:
        render_hex(writer, member, schema_kind_size(field->kind));
        return EXTRACT_HEX;
    case FIELD_str:
    case FIELD_name:
    case FIELD_fin:
    case FIELD_email:
    case FIELD_phone:
    case FIELD_digits:
    case FIELD_username:
        writer_bytes(writer, bytes->data, bytes->size);
        return bytes->size == 0 ? EXTRACT_EMPTY : EXTRACT_TEXT;
    case FIELD_blob:
        render_hex(writer, bytes->data, bytes->size);
        return bytes->size == 0 ? EXTRACT_EMPTY : EXTRACT_HEX;
    case FIELD_list:
        lines_write_number(writer, ((const struct list *)member)->count);
        return EXTRACT_LIST;
    }
    return EXTRACT_EMPTY;
}

static void give_value(const struct extract_lines *lines, struct slice path,
                       const struct field *field, const void *member)
{
    uint8_t value[EXTRACT_FIELD_LINE_SIZE_MAX];
    struct extract_field out = {.path = path};
    struct writer writer;

    writer_init(&writer, value, sizeof value);
    out.kind = write_value(&writer, field, member);
    INVARIANT(writer.status == ST_OK);
    out.value = writer_slice(&writer);
    give(lines, &out);
}

static void give_elements(const struct extract_lines *lines,
                          const struct field *field, const struct list *list)
{
    const struct schema *schema = field->element;
    const struct field *rows = schema->rows();
    uint8_t path[EXTRACT_PATH_SIZE_MAX];
    struct list_reader reader;
    union element element;
    struct writer writer;

    INVARIANT(schema->struct_size <= sizeof element);
    list_reader_init(&reader, list);
    for (uint64_t i = 1; list_reader_next(&reader, schema, &element); i++) {
        for (uint16_t j = 0; j < schema->fields_count; j++) {
            writer_init(&writer, path, sizeof path);
            lines_write(&writer, field->name);
            lines_write(&writer, ".");
            lines_write_number(&writer, i);
            lines_write(&writer, ".");
            lines_write(&writer, rows[j].name);
            INVARIANT(writer.status == ST_OK);
            give_value(lines, writer_slice(&writer), &rows[j],
                       element.bytes + rows[j].offset);
        }
    }
}

enum status extract_record_lines(const struct extract_lines *lines,
                                 uint8_t section, struct slice record)
{
    const struct section_info *info = section_info(section);
    struct field_error error;
    union record decoded;
    enum status status;

    REQUIRE(info != NULL);
    INVARIANT(info->record->struct_size <= sizeof decoded);
    status = schema_decode(info->record, &decoded, &error, record,
                           SCHEMA_REFUSE_UNKNOWN);
    if (status != ST_OK)
        return status;
    give_state(lines, "given");
    const struct field *rows = info->record->rows();
    for (uint16_t i = 0; i < info->record->fields_count; i++) {
        const uint8_t *member = decoded.bytes + rows[i].offset;

        if (rows[i].tag != 0 &&
            !*(const bool *)(decoded.bytes + rows[i].present_offset))
            continue;
        give_value(lines, slice_of(rows[i].name, strlen(rows[i].name)),
                   &rows[i], member);
        if (rows[i].kind == FIELD_list)
            give_elements(lines, &rows[i],
                          (const struct list *)(const void *)member);
    }
    return ST_OK;
}

void extract_record_none(const struct extract_lines *lines)
{
    give_state(lines, "none");
}

/* ---- Back to the tables ------------------------------------------------- */

static const struct field *named_row(const struct schema *schema,
                                     struct slice name)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (lines_equal(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

bool extract_record_named(struct extract_named *named_out, uint8_t section,
                          struct slice path)
{
    const struct section_info *info = section_info(section);
    struct slice first, number;
    uint64_t element;

    *named_out = (struct extract_named){.field = NULL};
    if (info == NULL)
        return false;
    if (slice_equal(path, slice_of(section_path, sizeof section_path)))
        return true;
    if (!lines_split(&first, &path, '.')) {
        named_out->field = named_row(info->record, path);
        return named_out->field != NULL;
    }
    named_out->field = named_row(info->record, first);
    if (named_out->field == NULL || named_out->field->kind != FIELD_list ||
        !lines_split(&number, &path, '.') ||
        lines_read_number(&element, number, (uint64_t)named_out->field->hi) !=
            ST_OK ||
        element == 0)
        return false;
    named_out->element = (uint16_t)element;
    named_out->part = named_row(named_out->field->element, path);
    return named_out->part != NULL;
}
