#include "protocol/parse.h"

#include <string.h>

static enum status refuse(struct parse_error *error, const struct field *field,
                          const char *why)
{
    *error = (struct parse_error){field->name, why, NULL};
    return ST_BAD_FIELD;
}

/* The text of one value ends at a "," or "}" outside quotes. */
struct list_text {
    struct slice text;
    size_t used;
};

static bool at_sign(const struct list_text *list, char sign)
{
    return list->used < list->text.size &&
           list->text.data[list->used] == (uint8_t)sign;
}

static bool take_sign(struct list_text *list, char sign)
{
    bool there = at_sign(list, sign);

    list->used += there;
    return there;
}

static bool take_quoted(struct list_text *list, struct writer *memory,
                        struct slice *out)
{
    size_t from = memory->used;

    while (list->used < list->text.size && !at_sign(list, '"')) {
        (void)take_sign(list, '\\');
        if (list->used == list->text.size)
            return false;
        writer_u8(memory, list->text.data[list->used++]);
    }
    if (memory->status != ST_OK)
        return false;
    *out = slice_of(memory->data + from, memory->used - from);
    return take_sign(list, '"');
}

static bool take_value(struct list_text *list, struct writer *memory,
                       struct slice *out)
{
    size_t from;

    if (take_sign(list, '"'))
        return take_quoted(list, memory, out);
    from = list->used;
    while (list->used < list->text.size && !at_sign(list, ',') &&
           !at_sign(list, '}'))
        list->used++;
    *out = slice_of(list->text.data + from, list->used - from);
    return true;
}

static enum status take_pair(struct list_text *list, void *element,
                             struct writer *memory, struct parse_error *error,
                             const struct field *list_field)
{
    const struct field *field;
    struct slice name, value;
    size_t from = list->used;
    uint8_t *base = element;

    while (list->used < list->text.size && !at_sign(list, '=') &&
           !at_sign(list, '}'))
        list->used++;
    name = slice_of(list->text.data + from, list->used - from);
    field = parse_find(list_field->element, name);
    if (field == NULL || !take_sign(list, '='))
        return refuse(error, list_field, "has an element of other fields");
    if (!take_value(list, memory, &value))
        return refuse(error, field, "has a quote that does not end");
    return parse_value(base + field->offset, memory, error, field, value);
}

/* {name=value,...}, or a bare value where the element has one field. */
static enum status take_element(struct list_text *list, void *element,
                                struct writer *memory,
                                struct parse_error *error,
                                const struct field *field)
{
    const struct field *rows = field->element->rows();
    uint8_t *base = element;
    struct slice value;
    enum status status;

    if (!take_sign(list, '{')) {
        if (field->element->fields_count != 1 ||
            !take_value(list, memory, &value))
            return refuse(error, field, "is not a list ({name=value,...})");
        return parse_value(base + rows->offset, memory, error, rows, value);
    }
    do {
        status = take_pair(list, element, memory, error, field);
    } while (status == ST_OK && take_sign(list, ','));
    if (status == ST_OK && !take_sign(list, '}'))
        return refuse(error, field, "has an element that does not end");
    return status;
}

static enum status add_element(struct list *member, struct writer *elements,
                               const struct field *field, const void *element,
                               struct parse_error *error)
{
    const struct field *rows = field->element->rows();
    struct field_error bad;

    if (schema_check(field->element, &bad, element) != ST_OK)
        return refuse(error, &rows[bad.tag - 1], "is missing or out of bounds");
    if (member->count == field->hi)
        return refuse(error, field, "has too many elements");
    list_add(member, elements, field->element, element);
    return elements->status;
}

/*
 * Elements gather at the front of the memory's rest; what they unescape goes
 * behind them to the other half, and may be overwritten by the next.
 */
enum status parse_list(struct list *member, struct writer *memory,
                       struct parse_error *error_out, const struct field *field,
                       struct slice text)
{
    union {
        uint64_t align;
        uint8_t bytes[ELEMENT_STRUCT_SIZE_MAX];
    } element;
    struct list_text list = {text, 0};
    size_t half = (memory->size - memory->used) / 2;
    struct writer elements, scratch;
    enum status status = ST_OK;

    REQUIRE(field->element->struct_size <= sizeof element);
    writer_init(&elements, memory->data + memory->used, half);
    *member = list_begin(&elements);
    while (status == ST_OK && list.used < text.size) {
        writer_init(&scratch, memory->data + memory->used + half, half);
        memset(&element, 0, sizeof element);
        status = take_element(&list, &element, &scratch, error_out, field);
        if (status == ST_OK)
            status = add_element(member, &elements, field, &element, error_out);
        if (status == ST_OK && list.used < text.size &&
            (!take_sign(&list, ',') || list.used == text.size))
            status =
                refuse(error_out, field, "goes on behind its last element");
    }
    (void)writer_reserve(memory, elements.used);
    return status;
}
