#include "protocol/dump.h"

#include <string.h>

#include "protocol/render.h"

enum { VALUE_SIZE_MAX = STRING_SIZE_MAX + 512, BLOB_SHOWN_MAX = 64 };

void dump_init(struct dump *dump, void *context,
               void (*line)(void *context, struct slice name,
                            struct slice value))
{
    dump->line = line;
    dump->context = context;
    dump->full = false;
    dump->path_size = 0;
}

/* A path that would outgrow its buffer is cut: names are short. */
static void push_bytes(struct dump *dump, const void *bytes, size_t size)
{
    size_t room = sizeof dump->path - dump->path_size;

    if (size > room)
        size = room;
    memcpy(dump->path + dump->path_size, bytes, size);
    dump->path_size += size;
}

/* Appends ".name" and returns the size to go back to. */
size_t dump_enter(struct dump *dump, const char *name)
{
    size_t before = dump->path_size;

    if (before > 0)
        push_bytes(dump, ".", 1);
    push_bytes(dump, name, strlen(name));
    return before;
}

size_t dump_enter_number(struct dump *dump, uint64_t number)
{
    size_t before = dump->path_size;
    uint8_t text[24];
    struct writer writer;

    writer_init(&writer, text, sizeof text);
    writer_u8(&writer, '[');
    render_u64(&writer, number);
    writer_u8(&writer, ']');
    push_bytes(dump, text, writer.used);
    return before;
}

void dump_leave(struct dump *dump, size_t before)
{
    REQUIRE(before <= dump->path_size);
    dump->path_size = before;
}

static void put_line(struct dump *dump, const struct writer *value)
{
    dump->line(dump->context, slice_of(dump->path, dump->path_size),
               writer_slice(value));
}

void dump_text(struct dump *dump, const char *name, const char *text)
{
    size_t before = dump_enter(dump, name);

    dump->line(dump->context, slice_of(dump->path, dump->path_size),
               slice_of(text, strlen(text)));
    dump_leave(dump, before);
}

void dump_number(struct dump *dump, const char *name, uint64_t number,
                 const char *meaning)
{
    uint8_t text[VALUE_SIZE_MAX];
    struct writer writer;
    size_t before = dump_enter(dump, name);

    writer_init(&writer, text, sizeof text);
    render_u64(&writer, number);
    if (meaning != NULL) {
        writer_u8(&writer, ' ');
        render_text(&writer, meaning);
    }
    put_line(dump, &writer);
    dump_leave(dump, before);
}

void dump_hex(struct dump *dump, const char *name, const void *bytes,
              size_t size)
{
    uint8_t text[2 * ENTRY_SIZE_MAX + 64];
    struct writer writer;
    size_t before = dump_enter(dump, name);
    size_t shown_max = dump->full ? ENTRY_SIZE_MAX : BLOB_SHOWN_MAX;

    writer_init(&writer, text, sizeof text);
    render_hex(&writer, bytes, size < shown_max ? size : shown_max);
    if (size > shown_max) {
        render_text(&writer, "... (");
        render_u64(&writer, size);
        render_text(&writer, " bytes)");
    }
    put_line(dump, &writer);
    dump_leave(dump, before);
}

void dump_value(struct dump *dump, const char *name, enum field_kind kind,
                const void *member)
{
    const struct field field = {.name = name, .kind = kind, .note = ""};
    uint8_t text[VALUE_SIZE_MAX];
    struct writer writer;
    size_t before = dump_enter(dump, name);

    writer_init(&writer, text, sizeof text);
    render_value(&writer, &field, member);
    put_line(dump, &writer);
    dump_leave(dump, before);
}

/* "402 BAD_FIELD at 3": what kept the bytes under the path from decoding. */
void dump_refusal(struct dump *dump, enum status status, uint16_t tag,
                  struct slice bytes)
{
    uint8_t text[64];
    struct writer writer;
    size_t before = dump_enter(dump, "refused");

    writer_init(&writer, text, sizeof text);
    render_u64(&writer, (uint32_t)status);
    writer_u8(&writer, ' ');
    render_text(&writer, status_name((uint32_t)status));
    if (tag != 0) {
        render_text(&writer,
                    (tag & FIELD_TLV) != 0 ? " at TLV " : " at field ");
        render_u64(&writer, tag & (uint16_t)~FIELD_TLV);
    }
    put_line(dump, &writer);
    dump_leave(dump, before);
    dump_hex(dump, "bytes", bytes.data, bytes.size);
}

/* What a number of the tables means, or NULL: code, opcode, duty, role. */
static const char *meaning_of(const struct field *field, uint64_t number)
{
    const struct operation_info *info;

    if (field == &schema_message_bye.rows()[0])
        return bye_name((uint32_t)number);
    if (strcmp(field->name, "code") == 0 || strcmp(field->name, "cause") == 0)
        return status_name((uint32_t)number);
    if (strcmp(field->name, "opcode") == 0) {
        info = operation_info((uint16_t)number);
        return info == NULL ? NULL : info->name;
    }
    if (strcmp(field->name, "role") == 0 && field->kind == FIELD_u16)
        return role_name((uint32_t)number);
    if (strcmp(field->name, "duty") == 0 && field->kind == FIELD_u8)
        return number == 0 ? NULL : duty_name((uint32_t)number);
    return NULL;
}

static void put_list(struct dump *dump, const struct field *field,
                     const struct list *list)
{
    union {
        uint64_t align;
        uint8_t bytes[ELEMENT_STRUCT_SIZE_MAX];
    } element;
    struct list_reader reader;
    uint64_t number = 0;
    size_t named = dump_enter(dump, field->name);

    REQUIRE(field->element->struct_size <= sizeof element);
    list_reader_init(&reader, list);
    while (list_reader_next(&reader, field->element, &element)) {
        size_t before = dump_enter_number(dump, number++);
        dump_struct(dump, field->element, &element);
        dump_leave(dump, before);
    }
    if (number == 0)
        dump->line(dump->context, slice_of(dump->path, dump->path_size),
                   slice_of("empty", 5));
    dump_leave(dump, named);
}

static void put_field(struct dump *dump, const struct field *field,
                      const void *member)
{
    const struct slice *blob = member;
    uint8_t text[VALUE_SIZE_MAX];
    struct writer writer;
    const char *meaning = NULL;
    size_t before;

    if (field->kind == FIELD_list) {
        put_list(dump, field, member);
        return;
    }
    if (field->kind == FIELD_blob) {
        dump_hex(dump, field->name, blob->data, blob->size);
        return;
    }
    if (field->kind == FIELD_u8)
        meaning = meaning_of(field, *(const uint8_t *)member);
    if (field->kind == FIELD_u16)
        meaning = meaning_of(field, *(const uint16_t *)member);
    before = dump_enter(dump, field->name);
    writer_init(&writer, text, sizeof text);
    render_value(&writer, field, member);
    if (meaning != NULL) {
        writer_u8(&writer, ' ');
        render_text(&writer, meaning);
    }
    put_line(dump, &writer);
    dump_leave(dump, before);
}

void dump_struct(struct dump *dump, const struct schema *schema, const void *in)
{
    const struct field *rows = schema->rows();
    const uint8_t *base = in;
    uint32_t section = 0;

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        const struct field *row = &rows[i];
        const void *member = base + row->offset;
        if (row->tag != 0 && !*(const bool *)(base + row->present_offset))
            continue;
        if (row->kind == FIELD_enum8 && strcmp(row->name, "section") == 0)
            section = *(const uint8_t *)member;
        if (section != 0 && row->kind == FIELD_blob &&
            strcmp(row->name, "record") == 0)
            dump_record(dump, section, *(const struct slice *)member);
        else
            put_field(dump, row, member);
    }
}

void dump_body(struct dump *dump, const struct schema *schema,
               struct slice bytes, enum schema_unknown unknown)
{
    union {
        uint64_t align;
        uint8_t bytes[BODY_STRUCT_SIZE_MAX];
    } body;
    struct field_error error;

    REQUIRE(schema->struct_size <= sizeof body);
    if (schema_decode(schema, &body, &error, bytes, unknown) == ST_OK)
        dump_struct(dump, schema, &body);
    else
        dump_refusal(dump, error.status, error.tag, bytes);
}

void dump_record(struct dump *dump, uint32_t section, struct slice record)
{
    const struct section_info *info = section_info(section);
    size_t before = dump_enter(dump, "record");

    if (info == NULL)
        dump_refusal(dump, ST_BAD_FIELD, 0, record);
    else
        dump_body(dump, info->record, record, SCHEMA_REFUSE_UNKNOWN);
    dump_leave(dump, before);
}

void dump_fields(struct dump *dump, uint16_t opcode, struct slice fields)
{
    const struct operation_info *info = operation_info(opcode);
    size_t before = dump_enter(dump, "fields");

    if (info == NULL)
        dump_refusal(dump, ST_UNKNOWN_OP, 0, fields);
    else
        dump_body(dump, info->fields, fields, SCHEMA_REFUSE_UNKNOWN);
    dump_leave(dump, before);
}

void dump_result(struct dump *dump, uint16_t opcode, uint16_t code,
                 struct slice result)
{
    const struct operation_info *info = operation_info(opcode);
    size_t before = dump_enter(dump, "result");

    dump_number(dump, "code", code, status_name(code));
    if (info == NULL) {
        dump_refusal(dump, ST_UNKNOWN_OP, 0, result);
    } else if (result.size > 0) {
        if (info->seal != SEAL_OPEN && code == ST_OK &&
            result.size >= SALT_SIZE) {
            dump_hex(dump, "salt", result.data, SALT_SIZE);
            result = slice_of(result.data + SALT_SIZE, result.size - SALT_SIZE);
        }
        dump_body(dump, info->result, result, SCHEMA_SKIP_ODD);
    }
    dump_leave(dump, before);
}
