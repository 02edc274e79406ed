#include "client/program/execute.h"

#include <cJSON.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/format.h"
#include "client/program/say.h"
#include "protocol/answer.h"
#include "protocol/parse.h"
#include "protocol/render.h"

enum { MEMORY_SIZE = 256 * 1024 };

/* A field of the operation comes before a word of the clear part. */
static bool is_field(const struct schema *schema, const char *word)
{
    const struct field *rows = schema->rows();
    size_t size = strcspn(word, "=");

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (strlen(rows[i].name) == size &&
            strncmp(rows[i].name, word, size) == 0)
            return true;
    }
    return false;
}

/* A word of the clear part; 1: taken, 0: not one of them, -1: wrong. */
static int take_clear(struct execution *execution, const char *word)
{
    static const char *const names[] = {
        "subject=", "purpose=", "as=", "expect=", "realm="};
    struct defter_item *item = &execution->item;
    char *end;
    unsigned long long value;
    size_t which = 0;

    while (which < 5 && strncmp(word, names[which], strlen(names[which])) != 0)
        which++;
    if (which == 5 || is_field(execution->operation->fields, word))
        return 0;
    word += strlen(names[which]);
    if (which == 4) {
        execution->realm = (uint8_t)word[0];
        return (word[0] == 'P' || word[0] == 'R') && word[1] == '\0' ? 1 : -1;
    }
    value = strtoull(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0')
        return -1;
    if (which == 0)
        item->subject = value;
    else if (which == 1 && value <= UINT32_MAX)
        item->purpose = (uint32_t)value;
    else if (which == 2 && value <= UINT32_MAX)
        item->duty = (uint32_t)value;
    else if (which == 3)
        item->expect_version = value;
    else
        return -1;
    return 1;
}

static int say_parse_error(const struct operation_info *operation,
                           const struct parse_error *error, const char *word)
{
    if (error->field == NULL)
        return program_fail(EXIT_USAGE,
                            "%s: no such field (try `defter help %s`)", word,
                            operation->name);
    return program_fail(EXIT_USAGE, "%s %s%s%s", error->field,
                        error->why != NULL ? error->why : "is wrong",
                        error->names != NULL ? ": " : "",
                        error->names != NULL ? error->names : "");
}

/* A record given as JSON: record={"kind":"legal",...} */
static int take_record(struct execution *execution, void *fields,
                       struct writer *memory, const char *word)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *record = cJSON_Parse(word + strlen("record="));
    char why[128] = "is not JSON";
    enum status status = ST_BAD_FIELD;

    if (object != NULL && record != NULL) {
        cJSON_AddItemToObject(object, "record", record);
        status = format_from_json(execution->operation->fields, fields, memory,
                                  object, why);
    }
    cJSON_Delete(object);
    return status == ST_OK ? EXIT_GOOD
                           : program_fail(EXIT_USAGE, "record: %s", why);
}

static int take_words(struct execution *execution, void *fields,
                      struct writer *memory, int count, char **words)
{
    for (int i = 1; i < count; i++) {
        struct parse_error error = {0};
        int taken = take_clear(execution, words[i]);
        if (taken < 0)
            return program_fail(EXIT_USAGE, "%s: not a number", words[i]);
        if (taken > 0)
            continue;
        if (strncmp(words[i], "record={", 8) == 0) {
            int code = take_record(execution, fields, memory, words[i]);
            if (code != EXIT_GOOD)
                return code;
            continue;
        }
        if (parse_assign(execution->operation->fields, fields, memory, &error,
                         slice_of(words[i], strlen(words[i]))) != ST_OK)
            return say_parse_error(execution->operation, &error, words[i]);
    }
    return EXIT_GOOD;
}

static const char *field_name(const struct schema *schema, uint16_t tag)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (rows[i].tag == 0 ? i + 1 == tag : (rows[i].tag | 0x8000) == tag)
            return rows[i].name;
    }
    return "a field";
}

int execute_parse(struct execution *execution, int count, char **words)
{
    union {
        max_align_t align;
        uint8_t bytes[4096];
    } fields = {.bytes = {0}};
    struct field_error error;
    struct writer memory, encoded;
    uint8_t *scratch;
    int code;

    *execution = (struct execution){0};
    execution->operation =
        operation_named(slice_of(words[0], strlen(words[0])));
    if (execution->operation == NULL)
        return program_fail(
            EXIT_USAGE, "%s: no such operation (try `defter help`)", words[0]);
    INVARIANT(execution->operation->fields->struct_size <= sizeof fields);
    execution->item.opcode = execution->operation->opcode;
    scratch = malloc(MEMORY_SIZE);
    execution->memory = malloc(MEMORY_SIZE);
    if (scratch == NULL || execution->memory == NULL) {
        free(scratch);
        return program_fail(EXIT_REFUSED, "out of memory");
    }
    writer_init(&memory, scratch, MEMORY_SIZE);
    code = take_words(execution, &fields, &memory, count, words);
    if (code == EXIT_GOOD &&
        schema_check(execution->operation->fields, &error, &fields) != ST_OK)
        code = program_fail(EXIT_USAGE,
                            "%s is missing or out of bounds (try `defter help "
                            "%s`)",
                            field_name(execution->operation->fields, error.tag),
                            execution->operation->name);
    writer_init(&encoded, execution->memory, MEMORY_SIZE);
    if (code == EXIT_GOOD) {
        schema_encode(execution->operation->fields, &encoded, &fields);
        if (encoded.status != ST_OK)
            code = program_fail(EXIT_USAGE, "the fields are too large");
    }
    execution->fields_size = encoded.used;
    sodium_memzero(scratch, MEMORY_SIZE);
    free(scratch);
    return code;
}

void execute_free(struct execution *execution)
{
    if (execution->memory != NULL)
        sodium_memzero(execution->memory, MEMORY_SIZE);
    free(execution->memory);
    execution->memory = NULL;
}

uint8_t execute_realm(const struct execution *execution)
{
    if (execution->realm != 0)
        return execution->realm;
    if (execution->operation->realm == OP_REALM_SYSTEM)
        return 0;
    return execution->operation->realm == OP_REALM_P ? 'P' : 'R';
}

/* A sealed result begins with its salt. */
static struct slice result_fields(const struct operation_info *operation,
                                  const struct defter_answer *answer)
{
    struct slice bytes = slice_of(answer->result, answer->result_size);

    if (operation->seal != SEAL_OPEN && answer->code == 0 &&
        bytes.size >= SALT_SIZE)
        return slice_of(bytes.data + SALT_SIZE, bytes.size - SALT_SIZE);
    return bytes;
}

static void *decode_result(const struct operation_info *operation,
                           const struct defter_answer *answer)
{
    struct field_error error;
    struct slice bytes = result_fields(operation, answer);
    void *result = calloc(1, operation->result->struct_size);

    if (result != NULL && (answer->omitted || bytes.size == 0 ||
                           schema_decode(operation->result, result, &error,
                                         bytes, SCHEMA_SKIP_ODD) != ST_OK)) {
        free(result);
        return NULL;
    }
    return result;
}

static void print_json(const struct execution *execution,
                       const struct defter_answer *answer, const void *result)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "operation", execution->operation->name);
    cJSON_AddNumberToObject(object, "code", answer->code);
    cJSON_AddStringToObject(object, "status", defter_status_name(answer->code));
    if (answer->duplicate)
        cJSON_AddTrueToObject(object, "duplicate");
    if (answer->has_receipt)
        cJSON_AddNumberToObject(object, "index", (double)answer->index);
    if (answer->is_error && answer->field != 0)
        cJSON_AddStringToObject(
            object, "field",
            field_name(execution->operation->fields, answer->field));
    if (result != NULL)
        cJSON_AddItemToObject(
            object, "result",
            format_json(execution->operation->result, result));
    say_json(object, false);
}

static void print_text(const struct program *program,
                       const struct execution *execution,
                       const struct defter_answer *answer, const void *result)
{
    const struct status_info *info = status_info((uint32_t)answer->code);
    const char *words = "";

    if (info != NULL)
        words = program->azerbaijani ? info->azerbaijani : info->english;
    printf("%s%s: %s (%d)", answer->duplicate ? "again: " : "",
           defter_status_name(answer->code), words, answer->code);
    if (answer->is_error && answer->field != 0)
        printf(" in %s",
               field_name(execution->operation->fields, answer->field));
    if (answer->has_receipt)
        printf("  entry %llu", (unsigned long long)answer->index);
    putchar('\n');
    if (result != NULL)
        format_text(stdout, execution->operation->result, result, 2);
}

static int build(struct defter_command **command_out,
                 const struct program *program,
                 const struct execution *execution)
{
    uint8_t seed[SEED_SIZE];
    int code = EXIT_GOOD;

    if (defter_command_new(command_out, execute_realm(execution),
                           DEFTER_RECEIPT) != 0)
        return program_fail(EXIT_REFUSED, "out of memory");
    if (program->signer != NULL) {
        code = cluster_seed(seed, program->signer);
        if (code == EXIT_GOOD)
            defter_command_signer(*command_out, seed);
        sodium_memzero(seed, sizeof seed);
    }
    if (code == EXIT_GOOD &&
        defter_command_item(*command_out, &execution->item, execution->memory,
                            execution->fields_size) != 0)
        code = program_fail(EXIT_USAGE, "the command is too large");
    return code;
}

static void say_where_to_look(const struct program *program)
{
    (void)fflush(stdout);
    fputs(program->azerbaijani ? "  səbəbini `defter status` deyir\n"
                               : "  `defter status` says why\n",
          stderr);
}

int execute_send(struct defter *client, const struct program *program,
                 const struct execution *execution)
{
    struct defter_command *command = NULL;
    struct defter_answer answer;
    void *result;
    int code = build(&command, program, execution);
    int status;

    if (code != EXIT_GOOD) {
        defter_command_free(command);
        return code;
    }
    cluster_watch_faults(client, program);
    status = defter_call(client, command, &answer);
    if (status != 0) {
        code = program_fail(EXIT_INCOMPLETE, "%s: %s",
                            defter_status_name(status), defter_reason(client));
    } else {
        result = decode_result(execution->operation, &answer);
        if (program->json)
            print_json(execution, &answer, result);
        else
            print_text(program, execution, &answer, result);
        if (result != NULL)
            sodium_memzero(result, execution->operation->result->struct_size);
        free(result);
        code = answer.code == 0 || answer.code == ST_NOT_MODIFIED
                   ? EXIT_GOOD
                   : EXIT_REFUSED;
        if (answer.code == ST_READ_ONLY)
            say_where_to_look(program);
    }
    defter_command_free(command);
    return code;
}

int execute_words(struct defter *client, const struct program *program,
                  int count, char **words)
{
    struct execution execution;
    int code = execute_parse(&execution, count, words);

    if (code == EXIT_GOOD)
        code = execute_send(client, program, &execution);
    execute_free(&execution);
    return code;
}
