#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/format.h"
#include "client/program/program.h"
#include "protocol/catalogue.h"

static void print_json(const struct list *figures)
{
    cJSON *object = cJSON_CreateObject();
    struct list_reader reader;
    struct status_row row;
    char *text;

    list_reader_init(&reader, figures);
    while (list_reader_next(&reader, &schema_status_row, &row)) {
        char name[65], value[257];
        memcpy(name, row.name.data, row.name.size);
        name[row.name.size] = '\0';
        if (row.value.size > 0)
            memcpy(value, row.value.data, row.value.size);
        value[row.value.size] = '\0';
        cJSON_AddStringToObject(object, name, value);
    }
    text = cJSON_Print(object);
    puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

static void print_text(const struct list *figures)
{
    struct list_reader reader;
    struct status_row row;

    list_reader_init(&reader, figures);
    while (list_reader_next(&reader, &schema_status_row, &row))
        printf("%-26.*s %.*s\n", (int)row.name.size, row.name.data,
               (int)row.value.size, row.value.data);
}

int status_run(struct program *program, int argc, char **argv)
{
    struct defter *client = NULL;
    struct rows_status rows;
    struct field_error error;
    const uint8_t *bytes;
    size_t size;
    int code, status;

    if (argc != 1)
        return program_usage(argv[0]);
    code = cluster_connect(&client, program, 0);
    if (code != EXIT_GOOD) {
        defter_close(client);
        return code;
    }
    status = defter_query(client, QUERY_STATUS, NULL, 0, &bytes, &size);
    if (status != 0)
        code = program_fail(EXIT_INCOMPLETE, "%s: %s",
                            defter_status_name(status), defter_reason(client));
    else if (schema_decode(&schema_rows_status, &rows, &error,
                           slice_of(bytes, size), SCHEMA_SKIP_ODD) != ST_OK)
        code = program_fail(EXIT_INCOMPLETE, "the answer is malformed");
    else if (program->json)
        print_json(&rows.figures);
    else
        print_text(&rows.figures);
    defter_close(client);
    return code;
}
