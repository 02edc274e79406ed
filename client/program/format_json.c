#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/format.h"
#include "protocol/catalogue.h"
#include "protocol/parse.h"
#include "protocol/render.h"

enum { TEXT_SIZE_MAX = 256 * 1024 };

static bool is_record(const struct field *field)
{
    return field->kind == FIELD_blob && strcmp(field->name, "record") == 0;
}

static const struct schema *record_schema(const struct schema *schema,
                                          const void *in)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        const struct section_info *info;
        if (strcmp(rows[i].name, "section") != 0)
            continue;
        info = section_info(*((const uint8_t *)in + rows[i].offset));
        return info == NULL ? NULL : info->record;
    }
    return NULL;
}

static cJSON *json_record(const struct schema *schema, const void *in,
                          struct slice bytes)
{
    const struct schema *record = record_schema(schema, in);
    struct field_error error;
    cJSON *json = NULL;
    void *opened;

    if (record == NULL || bytes.size == 0)
        return NULL;
    opened = calloc(1, record->struct_size);
    if (opened != NULL && schema_decode(record, opened, &error, bytes,
                                        SCHEMA_REFUSE_UNKNOWN) == ST_OK)
        json = format_json(record, opened);
    free(opened);
    return json;
}

static cJSON *json_list(const struct schema *element, const struct list *list)
{
    cJSON *array = cJSON_CreateArray();
    void *in = calloc(1, element->struct_size);
    struct list_reader reader;

    list_reader_init(&reader, list);
    while (array != NULL && in != NULL &&
           list_reader_next(&reader, element, in))
        cJSON_AddItemToArray(array, format_json(element, in));
    free(in);
    return array;
}

/* Numbers that JSON readers keep exactly are numbers, the rest are texts. */
static cJSON *json_value(const struct field *field, const void *member)
{
    char *text;
    struct writer writer;
    cJSON *json;

    if (field->kind == FIELD_u8)
        return cJSON_CreateNumber(*(const uint8_t *)member);
    if (field->kind == FIELD_u16)
        return cJSON_CreateNumber(*(const uint16_t *)member);
    if (field->kind == FIELD_u32)
        return cJSON_CreateNumber(*(const uint32_t *)member);
    if (field->kind == FIELD_u64 && *(const uint64_t *)member < UINT64_C(1)
                                                                    << 53)
        return cJSON_CreateNumber((double)*(const uint64_t *)member);
    if (field->kind == FIELD_bool8)
        return cJSON_CreateBool(*(const bool *)member);
    text = malloc(TEXT_SIZE_MAX);
    if (text == NULL)
        return NULL;
    writer_init(&writer, text, TEXT_SIZE_MAX - 1);
    render_value(&writer, field, member);
    text[writer.used] = '\0';
    json = cJSON_CreateString(text);
    free(text);
    return json;
}

struct cJSON *format_json(const struct schema *schema, const void *in)
{
    const struct field *rows = schema->rows();
    cJSON *object = cJSON_CreateObject();

    for (uint16_t i = 0; object != NULL && i < schema->fields_count; i++) {
        const struct field *row = &rows[i];
        const void *member = (const uint8_t *)in + row->offset;
        cJSON *value = NULL;
        if (row->tag != 0 &&
            !*(const bool *)((const uint8_t *)in + row->present_offset))
            continue;
        if (row->kind == FIELD_list)
            value = json_list(row->element, member);
        else if (is_record(row))
            value = json_record(schema, in, *(const struct slice *)member);
        if (value == NULL)
            value = json_value(row, member);
        cJSON_AddItemToObject(object, row->name, value);
    }
    return object;
}

static enum status fail(char why_out[128], const struct field *field,
                        const char *why, enum status status)
{
    snprintf(why_out, 128, "%s %s", field == NULL ? "a member" : field->name,
             why);
    return status;
}

static enum status unknown(char why_out[128], const char *name)
{
    snprintf(why_out, 128, "there is no \"%.64s\"", name);
    return ST_UNKNOWN_FIELD;
}

static const struct field *field_named(const struct schema *schema,
                                       const char *name)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

/* Elements are encoded one by one where the list will stand. */
static enum status list_from_json(const struct field *field, struct list *list,
                                  struct writer *memory, const cJSON *json,
                                  char why_out[128])
{
    void *elements;
    const cJSON *at;
    int count = cJSON_GetArraySize(json), i = 0;
    enum status status = ST_OK;

    if (!cJSON_IsArray(json) || count > field->hi)
        return fail(why_out, field, "is not a list, or too long", ST_BAD_FIELD);
    elements = calloc((size_t)count + 1, field->element->struct_size);
    if (elements == NULL)
        return ST_TOO_LARGE;
    /* Texts of all elements first: a list's bytes stand in one piece. */
    cJSON_ArrayForEach(at, json)
    {
        uint8_t *element =
            (uint8_t *)elements + (size_t)i++ * field->element->struct_size;
        if (status == ST_OK)
            status =
                format_from_json(field->element, element, memory, at, why_out);
    }
    *list = list_begin(memory);
    for (i = 0; i < count && status == ST_OK; i++)
        list_add(list, memory, field->element,
                 (uint8_t *)elements + (size_t)i * field->element->struct_size);
    free(elements);
    return status == ST_OK ? memory->status : status;
}

static enum status record_from_json(const struct schema *record,
                                    struct slice *out, struct writer *memory,
                                    const cJSON *json, char why_out[128])
{
    void *opened = calloc(1, record->struct_size);
    struct field_error error = {ST_OK, 0};
    size_t from;
    enum status status;

    if (opened == NULL)
        return ST_TOO_LARGE;
    status = format_from_json(record, opened, memory, json, why_out);
    if (status == ST_OK)
        status = schema_check(record, &error, opened);
    if (status != ST_OK && error.tag != 0 && error.tag <= record->fields_count)
        (void)fail(why_out, &record->rows()[error.tag - 1],
                   "is missing or out of bounds", status);
    from = memory->used;
    if (status == ST_OK) {
        schema_encode(record, memory, opened);
        status = memory->status;
        *out = slice_of(memory->data + from, memory->used - from);
    }
    free(opened);
    return status;
}

static enum status value_from_json(const struct field *field, void *member,
                                   struct writer *memory, const cJSON *json,
                                   char why_out[128])
{
    struct parse_error error = {0};
    char number[32];
    const char *text = number;
    uint8_t *copy;
    size_t size;

    if (cJSON_IsBool(json))
        text = cJSON_IsTrue(json) ? "yes" : "no";
    else if (cJSON_IsNumber(json))
        snprintf(number, sizeof number, "%.0f", json->valuedouble);
    else if (cJSON_IsString(json))
        text = json->valuestring;
    else
        return fail(why_out, field, "has a value of another kind",
                    ST_BAD_FIELD);
    size = strlen(text);
    copy = writer_reserve(memory, size);
    if (copy == NULL)
        return ST_TOO_LARGE;
    if (size > 0)
        memcpy(copy, text, size);
    if (parse_value(member, memory, &error, field, slice_of(copy, size)) !=
        ST_OK)
        return fail(why_out, field, error.why != NULL ? error.why : "is wrong",
                    ST_BAD_FIELD);
    return ST_OK;
}

enum status format_from_json(const struct schema *schema, void *out,
                             struct writer *memory, const struct cJSON *json,
                             char why_out[128])
{
    const cJSON *at;
    enum status status = ST_OK;

    cJSON_ArrayForEach(at, json)
    {
        const struct field *field = field_named(schema, at->string);
        const struct schema *record = record_schema(schema, out);
        void *member;
        if (field == NULL)
            return unknown(why_out, at->string);
        member = (uint8_t *)out + field->offset;
        if (field->kind == FIELD_list)
            status = list_from_json(field, member, memory, at, why_out);
        else if (is_record(field) && record != NULL && cJSON_IsObject(at))
            status = record_from_json(record, member, memory, at, why_out);
        else if (is_record(field) && cJSON_IsObject(at))
            status = fail(why_out, field, "must come after section=S01 to S13",
                          ST_BAD_FIELD);
        else
            status = value_from_json(field, member, memory, at, why_out);
        if (status != ST_OK)
            return status;
        if (field->tag != 0)
            *(bool *)((uint8_t *)out + field->present_offset) = true;
    }
    return ST_OK;
}
