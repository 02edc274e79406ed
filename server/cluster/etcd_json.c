#include "server/cluster/etcd_json.h"

#include <string.h>

#include <cjson/cJSON.h>
#include <sodium.h>

enum { SMALL_MAX = 65535 };

static bool holds(struct slice text, const char *what)
{
    size_t size = strlen(what);

    for (size_t i = 0; i + size <= text.size; i++)
        if (memcmp(text.data + i, what, size) == 0)
            return true;
    return false;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

cJSON *etcd_json_parse(struct slice text)
{
    const char *end = NULL;
    cJSON *json;
    size_t used;

    /* A NUL, written either way, would end a string before it ends. */
    if (text.size == 0 || memchr(text.data, 0, text.size) != NULL ||
        holds(text, "\\u0000"))
        return NULL;
    json =
        cJSON_ParseWithLengthOpts((const char *)text.data, text.size, &end, 0);
    if (json == NULL)
        return NULL;
    used = (size_t)((const uint8_t *)end - text.data);
    while (used < text.size && is_blank(text.data[used]))
        used++;
    if (used == text.size && cJSON_IsObject(json))
        return json;
    cJSON_Delete(json);
    return NULL;
}

const cJSON *etcd_json_get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Digits as etcd writes them: no sign, no zeros in front. */
static bool read_digits(uint64_t *out, const char *text, uint64_t max)
{
    uint64_t number = 0;

    if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (*text < '0' || *text > '9' || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

bool etcd_json_number(uint64_t *out, const cJSON *object, const char *name)
{
    const cJSON *field = etcd_json_get(object, name);

    *out = 0;
    return field == NULL || (cJSON_IsString(field) &&
                             read_digits(out, field->valuestring, INT64_MAX));
}

bool etcd_json_id(uint64_t *out, const cJSON *object, const char *name)
{
    const cJSON *field = etcd_json_get(object, name);

    *out = 0;
    return field == NULL || (cJSON_IsString(field) &&
                             read_digits(out, field->valuestring, UINT64_MAX));
}

bool etcd_json_signed(int64_t *out, const cJSON *object, const char *name)
{
    const cJSON *field = etcd_json_get(object, name);
    uint64_t number = 0;
    bool negative;

    *out = 0;
    if (field == NULL)
        return true;
    if (!cJSON_IsString(field))
        return false;
    negative = field->valuestring[0] == '-';
    if (!read_digits(&number, field->valuestring + negative, INT64_MAX) ||
        (negative && number == 0))
        return false;
    *out = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

bool etcd_json_small(uint32_t *out, const cJSON *object, const char *name)
{
    const cJSON *field = etcd_json_get(object, name);

    *out = 0;
    if (field == NULL)
        return true;
    if (!cJSON_IsNumber(field) || !(field->valuedouble >= 0) ||
        field->valuedouble > SMALL_MAX)
        return false;
    *out = (uint32_t)field->valuedouble;
    return !((double)*out < field->valuedouble);
}

bool etcd_json_bool(bool *out, const cJSON *object, const char *name)
{
    const cJSON *field = etcd_json_get(object, name);

    *out = cJSON_IsTrue(field);
    return field == NULL || cJSON_IsBool(field);
}

bool etcd_json_bytes(void *out, size_t *size_out, size_t capacity,
                     const cJSON *object, const char *name)
{
    const cJSON *field = etcd_json_get(object, name);
    const char *end = NULL;
    size_t size;

    *size_out = 0;
    if (field == NULL)
        return true;
    if (!cJSON_IsString(field))
        return false;
    size = strlen(field->valuestring);
    return sodium_base642bin(out, capacity, field->valuestring, size, NULL,
                             size_out, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           end == field->valuestring + size;
}

bool etcd_json_object(const cJSON **out, const cJSON *object, const char *name)
{
    *out = etcd_json_get(object, name);
    return *out == NULL || cJSON_IsObject(*out);
}

bool etcd_json_list(const cJSON **out, const cJSON *object, const char *name)
{
    *out = etcd_json_get(object, name);
    return *out == NULL || cJSON_IsArray(*out);
}
