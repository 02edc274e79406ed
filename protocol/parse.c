#include "protocol/parse.h"

#include <string.h>

#include "protocol/dates.h"
#include "protocol/render.h"
#include "protocol/text.h"
#include "protocol/voen.h"

enum { QEPIK_PER_MANAT = 100 };

static bool text_equals(struct slice text, const char *other)
{
    return slice_equal(text, slice_of(other, strlen(other)));
}

static enum status refuse(struct parse_error *error, const struct field *field,
                          const char *why)
{
    *error = (struct parse_error){field->name, why, render_names(field)};
    return ST_BAD_FIELD;
}

/* Decimal digits alone; false also where 64 bits are too few. */
static bool read_u64(struct slice text, uint64_t *value_out)
{
    uint64_t value = 0;

    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return false;
    }
    *value_out = value;
    return true;
}

static bool read_i64(struct slice text, int64_t *value_out)
{
    bool minus = text.size > 0 && text.data[0] == '-';
    uint64_t value;

    if (minus)
        text = slice_of(text.data + 1, text.size - 1);
    if (!read_u64(text, &value) || value > (uint64_t)INT64_MAX + minus)
        return false;
    *value_out = minus ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* Manat with at most two digits behind the point, as qepik. */
static bool read_money(struct slice text, int64_t *value_out)
{
    const uint8_t *point;
    uint64_t qepik = 0;
    int64_t manat;
    size_t whole;

    if (text.size == 0)
        return false;
    point = memchr(text.data, '.', text.size);
    whole = point == NULL ? text.size : (size_t)(point - text.data);
    if (point != NULL) {
        struct slice part = slice_of(point + 1, text.size - whole - 1);
        if (part.size > 2 || !read_u64(part, &qepik))
            return false;
        if (part.size == 1)
            qepik *= 10;
    }
    if (!read_i64(slice_of(text.data, whole), &manat) ||
        __builtin_mul_overflow(manat, QEPIK_PER_MANAT, &manat))
        return false;
    if (text.data[0] == '-')
        return !__builtin_sub_overflow(manat, (int64_t)qepik, value_out);
    return !__builtin_add_overflow(manat, (int64_t)qepik, value_out);
}

/* The number of ${name} in "a|b|c" from 1; 0 if it is not there. */
static uint32_t number_of_name(const char *names, struct slice name)
{
    uint32_t number = 1;

    while (names != NULL && *names != '\0') {
        size_t size = strcspn(names, "|");
        if (slice_equal(name, slice_of(names, size)))
            return number;
        names += size;
        names += *names == '|';
        number++;
    }
    return 0;
}

static bool read_enum(const struct field *field, struct slice text,
                      int64_t *value_out)
{
    uint64_t number = number_of_name(render_names(field), text);

    if (number == 0 && !read_u64(text, &number))
        return false;
    *value_out = number > INT64_MAX ? INT64_MAX : (int64_t)number;
    return true;
}

static bool read_mask(const struct field *field, struct slice text,
                      int64_t *value_out)
{
    uint64_t mask = 0, number;
    size_t used = 0;

    if (text_equals(text, "all")) {
        *value_out = field->hi;
        return true;
    }
    while (used < text.size && !text_equals(text, "none")) {
        size_t from = used;
        struct slice name;
        while (used < text.size && strchr("+|,", text.data[used]) == NULL)
            used++;
        name = slice_of(text.data + from, used - from);
        number = number_of_name(render_names(field), name);
        if (number > 0)
            mask |= UINT64_C(1) << (number - 1);
        else if (read_u64(name, &number) && number <= UINT32_MAX)
            mask |= number;
        else
            return false;
        used += used < text.size;
    }
    *value_out = (int64_t)mask;
    return true;
}

static bool read_bool(struct slice text, int64_t *value_out)
{
    *value_out = text_equals(text, "yes") || text_equals(text, "true") ||
                 text_equals(text, "1");
    return *value_out == 1 || text_equals(text, "no") ||
           text_equals(text, "false") || text_equals(text, "0");
}

/* "none", or the 0 by which the table itself writes it. */
static bool says_none(const struct field *field, struct slice text,
                      int64_t *none_out)
{
    return render_none(field, none_out) &&
           (text_equals(text, "none") ||
            (*none_out == 0 && text_equals(text, "0")));
}

/* Why ${text} is no value of ${field}; NULL if it is one. */
static const char *read_number(const struct field *field, struct slice text,
                               int64_t *value_out)
{
    int32_t days = 0;

    if (says_none(field, text, value_out))
        return NULL;
    if (field->kind == FIELD_date) {
        if (dates_parse(&days, text) != ST_OK)
            return "is not a date (YYYY-MM-DD)";
        *value_out = days;
    } else if (field->kind == FIELD_time) {
        if (dates_time_parse(value_out, text) != ST_OK)
            return "is not a time (YYYY-MM-DDThh:mm:ssZ)";
    } else if (field->kind == FIELD_money) {
        if (!read_money(text, value_out))
            return "is not an amount (12.34)";
    } else if (field->kind == FIELD_bool8) {
        if (!read_bool(text, value_out))
            return "is neither yes nor no";
    } else if (field->kind == FIELD_enum8) {
        if (!read_enum(field, text, value_out))
            return "is none of the names";
    } else if (field->kind == FIELD_mask16 || field->kind == FIELD_mask32) {
        if (!read_mask(field, text, value_out))
            return "holds something that is none of the names";
    } else if (!read_i64(text, value_out)) {
        return "is not a whole number";
    }
    return NULL;
}

static enum status parse_number(void *member, struct parse_error *error,
                                const struct field *field, struct slice text)
{
    bool mask = field->kind == FIELD_mask16 || field->kind == FIELD_mask32;
    int64_t value = 0;
    bool flag;
    const char *why = read_number(field, text, &value);

    if (why != NULL)
        return refuse(error, field, why);
    if (value < field->lo || value > field->hi ||
        (mask && (value & ~field->hi) != 0))
        return refuse(error, field, "is outside its bounds");
    flag = value != 0;
    if (field->kind == FIELD_bool8)
        memcpy(member, &flag, sizeof flag);
    else /* Little-endian, so the low bytes come first. */
        memcpy(member, &value, schema_kind_size(field->kind));
    return ST_OK;
}

/* Of all numbers these two alone reach beyond 63 bits, or have a rule. */
static enum status parse_u64(void *member, struct parse_error *error,
                             const struct field *field, struct slice text)
{
    uint64_t value;
    int64_t none;

    if (field->kind == FIELD_voen && !text_equals(text, "none") &&
        !says_none(field, text, &none)) {
        if (voen_parse(&value, text) != ST_OK) {
            (void)refuse(error, field, "is not a taxpayer number (ten digits)");
            return ST_BAD_VOEN;
        }
    } else if (field->kind == FIELD_voen) {
        return parse_number(member, error, field, text);
    } else if (!read_u64(text, &value)) {
        return refuse(error, field, "is not a whole number");
    }
    if ((field->hi != INT64_MAX && value > (uint64_t)field->hi) ||
        value < (uint64_t)field->lo)
        return refuse(error, field, "is outside its bounds");
    memcpy(member, &value, sizeof value);
    return ST_OK;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool read_hex(struct slice text, uint8_t *out)
{
    for (size_t i = 0; i + 1 < text.size; i += 2) {
        int high = hex_value(text.data[i]), low = hex_value(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return text.size % 2 == 0;
}

static enum status parse_bytes(void *member, struct parse_error *error,
                               const struct field *field, struct slice text)
{
    size_t size = schema_kind_size(field->kind);

    memset(member, 0, size);
    if (text_equals(text, "none"))
        return ST_OK;
    if (text.size != 2 * size || !read_hex(text, member))
        return refuse(error, field, "is not hexadecimal of its length");
    return ST_OK;
}

static enum status check_size(struct parse_error *error,
                              const struct field *field, size_t size)
{
    if ((int64_t)size < field->lo)
        return refuse(error, field, "is too short");
    if ((int64_t)size > field->hi)
        return refuse(error, field, "is too long");
    return ST_OK;
}

static enum status parse_blob(struct slice *member, struct writer *memory,
                              struct parse_error *error,
                              const struct field *field, struct slice text)
{
    uint8_t *bytes = writer_reserve(memory, text.size / 2);

    if (memory->status != ST_OK)
        return memory->status;
    if (!read_hex(text, bytes))
        return refuse(error, field, "is not hexadecimal");
    *member = slice_of(bytes, text.size / 2);
    return check_size(error, field, member->size);
}

static enum status parse_text(struct slice *member, struct parse_error *error,
                              const struct field *field, struct slice text)
{
    enum status status = check_size(error, field, text.size);

    if (status != ST_OK)
        return status;
    if (text.size > 0 && !text_is(field->kind, text))
        return refuse(error, field, "holds what such a text may not");
    *member = text;
    return ST_OK;
}

enum status parse_value(void *member, struct writer *memory,
                        struct parse_error *error_out,
                        const struct field *field, struct slice text)
{
    size_t size = schema_kind_size(field->kind);

    *error_out = (struct parse_error){NULL, NULL, NULL};
    if (field->kind == FIELD_list)
        return parse_list(member, memory, error_out, field, text);
    if (field->kind == FIELD_blob)
        return parse_blob(member, memory, error_out, field, text);
    if (size == 0)
        return parse_text(member, error_out, field, text);
    if (field->kind >= FIELD_bytes8 && field->kind <= FIELD_bytes64)
        return parse_bytes(member, error_out, field, text);
    if (field->kind == FIELD_u64 || field->kind == FIELD_voen)
        return parse_u64(member, error_out, field, text);
    return parse_number(member, error_out, field, text);
}

const struct field *parse_find(const struct schema *schema, struct slice name)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (text_equals(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

enum status parse_assign(const struct schema *schema, void *inout,
                         struct writer *memory, struct parse_error *error_out,
                         struct slice text)
{
    uint8_t *base = inout;
    const uint8_t *sign =
        text.size == 0 ? NULL : memchr(text.data, '=', text.size);
    const struct field *field;
    size_t size;

    *error_out = (struct parse_error){NULL, "has no \"=\"", NULL};
    if (sign == NULL)
        return ST_UNKNOWN_FIELD;
    size = (size_t)(sign - text.data);
    field = parse_find(schema, slice_of(text.data, size));
    error_out->why = "names no field of this operation";
    if (field == NULL)
        return ST_UNKNOWN_FIELD;
    if (field->tag != 0)
        *(bool *)(base + field->present_offset) = true;
    return parse_value(base + field->offset, memory, error_out, field,
                       slice_of(sign + 1, text.size - size - 1));
}
