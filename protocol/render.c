#include "protocol/render.h"

#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/dates.h"
#include "protocol/voen.h"

enum { DECIMAL_DIGITS_MAX = 20, QEPIK_PER_MANAT = 100 };

void render_text(struct writer *writer, const char *text)
{
    writer_bytes(writer, text, strlen(text));
}

void render_u64(struct writer *writer, uint64_t value)
{
    uint8_t digits[DECIMAL_DIGITS_MAX];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    writer_bytes(writer, digits + at, sizeof digits - at);
}

/* The magnitude of INT64_MIN has no int64_t. */
static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

void render_i64(struct writer *writer, int64_t value)
{
    if (value < 0)
        writer_u8(writer, '-');
    render_u64(writer, magnitude(value));
}

void render_hex(struct writer *writer, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++) {
        writer_u8(writer, (uint8_t)digits[at[i] >> 4]);
        writer_u8(writer, (uint8_t)digits[at[i] & 15]);
    }
}

const char *render_names(const struct field *field)
{
    bool mask = field->kind == FIELD_mask16 || field->kind == FIELD_mask32;

    if (!mask && field->kind != FIELD_enum8)
        return NULL;
    if (strchr(field->note, '|') != NULL)
        return field->note;
    return mask && field->hi == SECTIONS_MASK ? SECTION_NAMES : NULL;
}

bool render_none(const struct field *field, int64_t *value_out)
{
    bool may = field->kind == FIELD_date || field->kind == FIELD_time ||
               field->kind == FIELD_money || field->kind == FIELD_voen;

    *value_out = 0;
    if (!may)
        return false;
    if (strstr(field->note, "-1 = ") != NULL) {
        *value_out = -1;
        return true;
    }
    return strstr(field->note, "0 = ") != NULL;
}

/* Name number ${number}, from 0, of "a|b|c"; empty behind the last. */
static struct slice name_at(const char *names, uint32_t number)
{
    for (; number > 0; number--) {
        names += strcspn(names, "|");
        if (*names == '\0')
            return slice_of(NULL, 0);
        names++;
    }
    return slice_of(names, strcspn(names, "|"));
}

static void render_enum(struct writer *writer, const struct field *field,
                        uint8_t value)
{
    const char *names = render_names(field);
    struct slice name = {NULL, 0};

    if (names != NULL && value > 0)
        name = name_at(names, value - 1u);
    if (name.size > 0)
        writer_bytes(writer, name.data, name.size);
    else
        render_u64(writer, value);
}

static void render_mask(struct writer *writer, const struct field *field,
                        uint32_t value)
{
    const char *names = render_names(field);
    bool first = true;

    if (value == 0) {
        render_text(writer, "none");
        return;
    }
    if (names == NULL) {
        render_u64(writer, value);
        return;
    }
    for (uint32_t bit = 0; bit < 32; bit++) {
        struct slice name = name_at(names, bit);
        if ((value & UINT32_C(1) << bit) == 0)
            continue;
        if (!first)
            writer_u8(writer, '+');
        first = false;
        if (name.size > 0)
            writer_bytes(writer, name.data, name.size);
        else
            render_u64(writer, UINT64_C(1) << bit);
    }
}

static void render_date(struct writer *writer, int32_t days)
{
    uint8_t text[DATES_DATE_SIZE];

    if (days < DATES_DAY_MIN || days > DATES_DAY_MAX) {
        render_i64(writer, days);
        return;
    }
    dates_format(text, days);
    writer_bytes(writer, text, sizeof text);
}

static void render_time(struct writer *writer, int64_t time)
{
    uint8_t text[DATES_TIME_SIZE];

    if (time < DATES_TIME_MIN || time > DATES_TIME_MAX) {
        render_i64(writer, time);
        return;
    }
    dates_time_format(text, time);
    writer_bytes(writer, text, sizeof text);
}

static void render_money(struct writer *writer, int64_t qepik)
{
    uint64_t value = magnitude(qepik);

    if (qepik < 0)
        writer_u8(writer, '-');
    render_u64(writer, value / QEPIK_PER_MANAT);
    writer_u8(writer, '.');
    writer_u8(writer, (uint8_t)('0' + value % QEPIK_PER_MANAT / 10));
    writer_u8(writer, (uint8_t)('0' + value % 10));
}

static void render_voen(struct writer *writer, uint64_t number)
{
    uint8_t text[VOEN_DIGITS];

    if (number > VOEN_MAX) {
        render_u64(writer, number);
        return;
    }
    voen_format(text, number);
    writer_bytes(writer, text, sizeof text);
}

/* Dates, times, amounts and taxpayer numbers. */
static void render_stated(struct writer *writer, const struct field *field,
                          const void *member)
{
    int64_t none, value;
    int32_t days;
    bool has_none = render_none(field, &none);

    if (field->kind == FIELD_date) {
        memcpy(&days, member, sizeof days);
        value = days;
    } else {
        memcpy(&value, member, sizeof value);
    }
    if (has_none && value == none)
        render_text(writer, "none");
    else if (field->kind == FIELD_date)
        render_date(writer, (int32_t)value);
    else if (field->kind == FIELD_time)
        render_time(writer, value);
    else if (field->kind == FIELD_money)
        render_money(writer, value);
    else
        render_voen(writer, (uint64_t)value);
}

/* Quoted unless nothing in it could be taken for the list's own signs. */
static void render_quoted(struct writer *writer, struct slice text)
{
    bool plain =
        text.size > 0 && text.data[0] != ' ' && text.data[text.size - 1] != ' ';

    for (size_t i = 0; i < text.size; i++)
        plain = plain && strchr("{},=\"\\", text.data[i]) == NULL;
    if (plain) {
        writer_bytes(writer, text.data, text.size);
        return;
    }
    writer_u8(writer, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            writer_u8(writer, '\\');
        writer_u8(writer, text.data[i]);
    }
    writer_u8(writer, '"');
}

static bool is_text(enum field_kind kind)
{
    return kind >= FIELD_str && kind <= FIELD_username;
}

static void render_element(struct writer *writer, const struct schema *element,
                           const uint8_t *in)
{
    const struct field *rows = element->rows();

    writer_u8(writer, '{');
    for (uint16_t i = 0; i < element->fields_count; i++) {
        const void *member = in + rows[i].offset;
        if (i > 0)
            writer_u8(writer, ',');
        render_text(writer, rows[i].name);
        writer_u8(writer, '=');
        if (is_text(rows[i].kind))
            render_quoted(writer, *(const struct slice *)member);
        else
            render_value(writer, &rows[i], member);
    }
    writer_u8(writer, '}');
}

static void render_list(struct writer *writer, const struct field *field,
                        const struct list *list)
{
    union {
        uint64_t align;
        uint8_t bytes[ELEMENT_STRUCT_SIZE_MAX];
    } element;
    struct list_reader reader;
    bool first = true;

    REQUIRE(field->element->struct_size <= sizeof element);
    list_reader_init(&reader, list);
    while (list_reader_next(&reader, field->element, &element)) {
        if (!first)
            writer_u8(writer, ',');
        first = false;
        render_element(writer, field->element, element.bytes);
    }
}

/* One case a line, longer than a screen for that reason alone. */
void render_value(struct writer *writer, const struct field *field,
                  const void *member)
{
    const struct slice *slice = member;

    switch (field->kind) {
    case FIELD_u8:
        render_u64(writer, *(const uint8_t *)member);
        break;
    case FIELD_bool8:
        render_text(writer, *(const bool *)member ? "yes" : "no");
        break;
    case FIELD_enum8:
        render_enum(writer, field, *(const uint8_t *)member);
        break;
    case FIELD_u16:
        render_u64(writer, *(const uint16_t *)member);
        break;
    case FIELD_mask16:
        render_mask(writer, field, *(const uint16_t *)member);
        break;
    case FIELD_u32:
        render_u64(writer, *(const uint32_t *)member);
        break;
    case FIELD_mask32:
        render_mask(writer, field, *(const uint32_t *)member);
        break;
    case FIELD_u64:
        render_u64(writer, *(const uint64_t *)member);
        break;
    case FIELD_i64:
        render_i64(writer, *(const int64_t *)member);
        break;
    case FIELD_voen:
    case FIELD_date:
    case FIELD_time:
    case FIELD_money:
        render_stated(writer, field, member);
        break;
    case FIELD_bytes8:
    case FIELD_bytes16:
    case FIELD_bytes32:
    case FIELD_bytes64:
        render_hex(writer, member, schema_kind_size(field->kind));
        break;
    case FIELD_str:
    case FIELD_name:
    case FIELD_fin:
    case FIELD_email:
    case FIELD_phone:
    case FIELD_digits:
    case FIELD_username:
        writer_bytes(writer, slice->data, slice->size);
        break;
    case FIELD_blob:
        render_hex(writer, slice->data, slice->size);
        break;
    case FIELD_list:
        render_list(writer, field, member);
        break;
    }
}
