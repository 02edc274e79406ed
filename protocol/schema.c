#include "protocol/schema.h"

#include <string.h>

#include "protocol/text.h"

size_t schema_kind_size(enum field_kind kind)
{
    switch (kind) {
#define K(kind, type, size) \
    case FIELD_##kind:      \
        return size;
        FIELD_KIND_LIST(K)
#undef K
    case FIELD_list:
        return 0;
    }
    return 0;
}

static void *member_at(void *base, size_t offset)
{
    return (uint8_t *)base + offset;
}

static const void *const_member_at(const void *base, size_t offset)
{
    return (const uint8_t *)base + offset;
}

/* The value of a number as signed; u64 beyond INT64_MAX counts as INT64_MAX. */
static int64_t number_of(enum field_kind kind, const void *member)
{
    uint64_t wide;

    if (kind == FIELD_u8 || kind == FIELD_enum8)
        return *(const uint8_t *)member;
    if (kind == FIELD_bool8)
        return *(const bool *)member;
    if (kind == FIELD_u16 || kind == FIELD_mask16)
        return *(const uint16_t *)member;
    if (kind == FIELD_u32 || kind == FIELD_mask32)
        return *(const uint32_t *)member;
    if (kind == FIELD_date)
        return *(const int32_t *)member;
    if (kind == FIELD_u64 || kind == FIELD_voen) {
        wide = *(const uint64_t *)member;
        return wide > INT64_MAX ? INT64_MAX : (int64_t)wide;
    }
    return *(const int64_t *)member;
}

static enum status check_number(const struct field *field, const void *member)
{
    int64_t value = number_of(field->kind, member);
    bool good = value >= field->lo && value <= field->hi;

    if (field->kind == FIELD_mask16 || field->kind == FIELD_mask32)
        good = value >= field->lo && (value & ~field->hi) == 0;
    return good ? ST_OK : ST_BAD_FIELD;
}

static enum status check_bytes(const struct field *field, struct slice value)
{
    if ((int64_t)value.size < field->lo || (int64_t)value.size > field->hi)
        return ST_BAD_FIELD;
    if (field->kind == FIELD_blob || value.size == 0)
        return ST_OK; /* Empty: lo == 0 allowed it. */
    return text_is(field->kind, value) ? ST_OK : ST_BAD_FIELD;
}

static enum status check_value(const struct field *field, const void *member)
{
    switch (field->kind) {
    case FIELD_u8:
    case FIELD_bool8:
    case FIELD_enum8:
    case FIELD_u16:
    case FIELD_mask16:
    case FIELD_u32:
    case FIELD_mask32:
    case FIELD_u64:
    case FIELD_voen:
    case FIELD_date:
    case FIELD_i64:
    case FIELD_time:
    case FIELD_money:
        return check_number(field, member);
    case FIELD_bytes8:
    case FIELD_bytes16:
    case FIELD_bytes32:
    case FIELD_bytes64:
        return ST_OK;
    case FIELD_str:
    case FIELD_name:
    case FIELD_fin:
    case FIELD_email:
    case FIELD_phone:
    case FIELD_digits:
    case FIELD_username:
    case FIELD_blob:
        return check_bytes(field, *(const struct slice *)member);
    case FIELD_list:
        return ((const struct list *)member)->count <= field->hi ? ST_OK
                                                                 : ST_BAD_FIELD;
    }
    return ST_BAD_FIELD;
}

/* A value of a kind of fixed size; bool takes 0 and 1 only. */
static void read_fixed(struct reader *reader, enum field_kind kind,
                       void *member, size_t size)
{
    uint8_t flag;

    if (kind != FIELD_bool8) {
        reader_copy(reader, member, size);
        return;
    }
    flag = reader_u8(reader);
    if (flag > 1)
        reader_fail(reader, ST_BAD_FIELD);
    *(bool *)member = flag == 1;
}

static void read_list(struct reader *reader, const struct field *field,
                      struct list *list);

/* In a TLV a text or blob is the whole value and has no size of its own. */
static void read_value(struct reader *reader, const struct field *field,
                       void *member, bool in_tlv)
{
    size_t size = schema_kind_size(field->kind);

    if (field->kind == FIELD_list)
        read_list(reader, field, member);
    else if (size > 0)
        read_fixed(reader, field->kind, member, size);
    else if (in_tlv)
        *(struct slice *)member = reader_bytes(reader, reader_left(reader));
    else
        *(struct slice *)member = reader_blob(reader);
    if (reader->status == ST_OK && check_value(field, member) != ST_OK)
        reader_fail(reader, ST_BAD_FIELD);
}

/* Elements have fixed fields only, so this recursion is one level deep. */
static void skip_element(struct reader *reader, const struct schema *element)
{
    union {
        struct bytes64 bytes;
        struct slice slice;
    } value;
    const struct field *rows = element->rows();

    for (uint16_t i = 0; i < element->fields_count; i++) {
        INVARIANT(rows[i].kind != FIELD_list && rows[i].tag == 0);
        read_value(reader, &rows[i], &value, false);
    }
}

static void read_list(struct reader *reader, const struct field *field,
                      struct list *list)
{
    size_t from;

    list->count = reader_u16(reader);
    if (list->count > field->hi)
        reader_fail(reader, ST_BAD_FIELD);
    from = reader->used;
    for (uint16_t i = 0; i < list->count && reader->status == ST_OK; i++)
        skip_element(reader, field->element);
    if (reader->status == ST_OK)
        list->bytes = slice_of(reader->data + from, reader->used - from);
    else
        *list = (struct list){{NULL, 0}, 0};
}

static const struct field *row_with_tag(const struct schema *schema,
                                        uint16_t tag)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (rows[i].tag == tag)
            return &rows[i];
    }
    return NULL;
}

static bool in_frame(enum schema_unknown unknown)
{
    return unknown != SCHEMA_REFUSE_UNKNOWN;
}

/* One TLV; ${*last_tag} is the tag of the one before, 0 at first. */
static void read_tlv(struct reader *reader, const struct schema *schema,
                     void *out, uint16_t *last_tag, enum schema_unknown unknown)
{
    uint16_t tag, size;
    const struct field *field;
    struct reader value;

    if (reader_left(reader) < TLV_HEADER_SIZE) {
        reader_fail(reader, in_frame(unknown) ? ST_FRAME : ST_TRAILING);
        return;
    }
    tag = reader_u16(reader);
    size = reader_u16(reader);
    if (tag == 0)
        reader_fail(reader, ST_UNKNOWN_FIELD);
    if (reader->status == ST_OK && tag <= *last_tag)
        reader_fail(reader, ST_FIELD_ORDER);
    *last_tag = tag;
    if (reader->status == ST_OK && size > reader_left(reader))
        reader_fail(reader, in_frame(unknown) ? ST_FRAME : ST_BAD_FIELD);
    reader_init(&value, reader_bytes(reader, size));
    if (reader->status != ST_OK)
        return;
    field = row_with_tag(schema, tag);
    if (field == NULL) {
        if (!in_frame(unknown) || tag % 2 == 0)
            reader_fail(reader, ST_UNKNOWN_FIELD);
        return;
    }
    read_value(&value, field, member_at(out, field->offset), true);
    *(bool *)member_at(out, field->present_offset) = true;
    if (reader_end(&value) != ST_OK)
        reader_fail(reader, ST_BAD_FIELD);
}

static void read_tlvs(struct reader *reader, const struct schema *schema,
                      void *out, uint16_t *tag, enum schema_unknown unknown)
{
    uint16_t limit = unknown == SCHEMA_SKIP_ODD_BEFORE_LOGIN
                         ? FRAME_TLVS_MAX_BEFORE_LOGIN
                         : FRAME_TLVS_MAX;

    for (uint16_t count = 0; reader_left(reader) > 0; count++) {
        if (count == limit)
            reader_fail(reader, ST_TOO_LARGE);
        else
            read_tlv(reader, schema, out, tag, unknown);
    }
}

/* Bytes that are no TLV have no number to be named by. */
static uint16_t tlv_error_tag(enum status status, uint16_t tag)
{
    return status == ST_TRAILING || tag == 0 ? 0 : (uint16_t)(tag | FIELD_TLV);
}

enum status schema_decode(const struct schema *schema, void *out,
                          struct field_error *error_out, struct slice input,
                          enum schema_unknown unknown)
{
    struct reader reader;
    const struct field *rows = schema->rows();
    uint16_t tag = 0, at = 0;

    REQUIRE(out != NULL && error_out != NULL);
    memset(out, 0, schema->struct_size);
    *error_out = (struct field_error){ST_OK, 0};
    reader_init(&reader, input);
    while (reader.status == ST_OK && at < schema->fields_count &&
           rows[at].tag == 0) {
        read_value(&reader, &rows[at], member_at(out, rows[at].offset), false);
        at++;
    }
    if (reader.status != ST_OK) {
        error_out->tag = at;
    } else {
        read_tlvs(&reader, schema, out, &tag, unknown);
        error_out->tag = tlv_error_tag(reader.status, tag);
    }
    error_out->status = reader_end(&reader);
    if (error_out->status == ST_OK)
        error_out->tag = 0;
    return error_out->status;
}

static void write_value(struct writer *writer, const struct field *field,
                        const void *member, bool in_tlv)
{
    size_t size = schema_kind_size(field->kind);
    const struct list *list = member;
    const struct slice *bytes = member;

    if (field->kind == FIELD_list) {
        writer_u16(writer, list->count);
        writer_bytes(writer, list->bytes.data, list->bytes.size);
    } else if (field->kind == FIELD_bool8) {
        writer_u8(writer, *(const bool *)member ? 1 : 0);
    } else if (size > 0) {
        writer_bytes(writer, member, size);
    } else if (in_tlv) {
        writer_bytes(writer, bytes->data, bytes->size);
    } else {
        writer_blob(writer, *bytes);
    }
}

static void write_tlv(struct writer *writer, const struct field *field,
                      const void *member)
{
    uint8_t *length;
    size_t from;

    writer_u16(writer, field->tag);
    length = writer_reserve(writer, 2);
    from = writer->used;
    write_value(writer, field, member, true);
    if (writer->status != ST_OK)
        return;
    if (writer->used - from > UINT16_MAX)
        writer->status = ST_TOO_LARGE;
    else
        store_u16(length, (uint16_t)(writer->used - from));
}

void schema_encode(const struct schema *schema, struct writer *writer,
                   const void *in)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        const void *member = const_member_at(in, rows[i].offset);
        if (rows[i].tag == 0)
            write_value(writer, &rows[i], member, false);
        else if (*(const bool *)const_member_at(in, rows[i].present_offset))
            write_tlv(writer, &rows[i], member);
    }
}

/* A list that was built, not decoded, is read as a receiver will read it. */
static enum status check_list(const struct field *field,
                              const struct list *list)
{
    struct reader reader;

    if (list->count > field->hi)
        return ST_BAD_FIELD;
    reader_init(&reader, list->bytes);
    for (uint16_t i = 0; i < list->count && reader.status == ST_OK; i++)
        skip_element(&reader, field->element);
    return reader_end(&reader) == ST_OK ? ST_OK : ST_BAD_FIELD;
}

enum status schema_check(const struct schema *schema,
                         struct field_error *error_out, const void *in)
{
    const struct field *rows = schema->rows();

    *error_out = (struct field_error){ST_OK, 0};
    for (uint16_t i = 0; i < schema->fields_count; i++) {
        const struct field *row = &rows[i];
        const void *member = const_member_at(in, row->offset);
        if (row->tag != 0 &&
            !*(const bool *)const_member_at(in, row->present_offset))
            continue;
        error_out->status = row->kind == FIELD_list ? check_list(row, member)
                                                    : check_value(row, member);
        if (error_out->status == ST_OK)
            continue;
        error_out->tag = row->tag == 0 ? (uint16_t)(i + 1)
                                       : (uint16_t)(row->tag | FIELD_TLV);
        return error_out->status;
    }
    return ST_OK;
}

void list_reader_init(struct list_reader *reader, const struct list *list)
{
    reader_init(&reader->reader, list->bytes);
    reader->left = list->count;
}

bool list_reader_next(struct list_reader *reader, const struct schema *element,
                      void *out)
{
    const struct field *rows = element->rows();

    if (reader->left == 0)
        return false;
    reader->left--;
    memset(out, 0, element->struct_size);
    for (uint16_t i = 0; i < element->fields_count; i++)
        read_value(&reader->reader, &rows[i], member_at(out, rows[i].offset),
                   false);
    return reader->reader.status == ST_OK;
}

struct list list_begin(const struct writer *writer)
{
    return (struct list){{writer->data + writer->used, 0}, 0};
}

void list_add(struct list *list, struct writer *writer,
              const struct schema *element, const void *in)
{
    REQUIRE(list->count < UINT16_MAX);
    REQUIRE(writer->status != ST_OK ||
            list->bytes.data + list->bytes.size == writer->data + writer->used);
    schema_encode(element, writer, in);
    if (writer->status != ST_OK)
        return;
    list->bytes.size = writer->used - (size_t)(list->bytes.data - writer->data);
    list->count++;
}
