#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/format.h"
#include "client/program/load.h"
#include "protocol/voen.h"

static bool take_subject(uint64_t *subject_out, cJSON *json)
{
    const cJSON *subject = cJSON_GetObjectItemCaseSensitive(json, "subject");
    char *end;

    if (cJSON_IsNumber(subject) && subject->valuedouble > 0 &&
        subject->valuedouble < 1e10) {
        *subject_out = (uint64_t)subject->valuedouble;
    } else if (cJSON_IsString(subject)) {
        *subject_out = strtoull(subject->valuestring, &end, 10);
        if (*end != '\0' || *subject_out == 0)
            return false;
    } else {
        return false;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(json, "subject");
    return true;
}

static int wrong(const struct load *load, const char *why)
{
    return program_fail(-1, "%s:%llu: %s", load->path,
                        (unsigned long long)load->lines, why);
}

static int encode(struct load *load, size_t *size_out, uint64_t *subject_out,
                  cJSON *json)
{
    struct op_feed_put fields = {.batch = load->batch, .seq = load->next};
    struct writer scratch, out;
    struct field_error error;
    char why[128] = "";

    if (json == NULL)
        return wrong(load, "is not JSON");
    if (!cJSON_IsObject(json) || !take_subject(subject_out, json))
        return wrong(load, "no taxpayer number in \"subject\"");
    writer_init(&scratch, load->scratch, LOAD_SCRATCH_SIZE);
    if (format_from_json(&schema_op_feed_put, &fields, &scratch, json, why) !=
        ST_OK)
        return wrong(load, why);
    if (schema_check(&schema_op_feed_put, &error, &fields) != ST_OK)
        return wrong(load, "a field is missing or out of bounds");
    writer_init(&out, load->memory, LOAD_SCRATCH_SIZE);
    schema_encode(&schema_op_feed_put, &out, &fields);
    if (out.status != ST_OK)
        return wrong(load, "the record is too large");
    *size_out = out.used;
    load->sections |= (uint16_t)(1u << (fields.section - 1));
    return 1;
}

/* As load_next_record(); the line has no zero byte but at its end. */
static int next_line(struct load *load, char *line, size_t size_max)
{
    size_t size = 0;
    int next;

    while ((next = getc(load->file)) != EOF && size < size_max) {
        line[size++] = (char)next;
        if (next == '\n')
            break;
    }
    if (ferror(load->file))
        return wrong(load, "the file cannot be read further");
    if (size == 0)
        return 0;
    load->lines++;
    load->file_read += size;
    if (size == size_max)
        return wrong(load, "the line is too long");
    if (memchr(line, '\0', size) != NULL)
        return wrong(load, "a zero byte is in the line");
    line[size] = '\0';
    return 1;
}

int load_next_record(struct load *load, size_t *size_out, uint64_t *subject_out)
{
    static char line[LOAD_LINE_SIZE_MAX];
    cJSON *json;
    int taken;

    do {
        taken = next_line(load, line, sizeof line - 1);
        if (taken <= 0)
            return taken;
    } while (line[strspn(line, " \t\r\n")] == '\0');
    json = cJSON_Parse(line);
    taken = encode(load, size_out, subject_out, json);
    cJSON_Delete(json);
    return taken;
}
