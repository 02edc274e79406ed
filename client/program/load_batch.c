#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "client/program/load.h"
#include "protocol/answer.h"

enum { REFUSALS_SHOWN_MAX = 20 };

/* The answer to a command of puts: codes of its items. */
static void on_put(void *context, struct defter_command *command, int status,
                   const struct defter_answer *answer)
{
    struct load *load = context;
    struct answer_batch batch;
    struct slice result;
    uint16_t code;

    load->in_flight--;
    if (status == 0 && answer->code != 0 && answer->code != ST_PARTIAL &&
        (answer->is_error || answer->items_count == 1))
        status = answer->code;
    if (status == 0 && answer->items_count > 1 && !answer->omitted &&
        answer_batch_open(&batch, slice_of(answer->result, answer->result_size),
                          answer->items_count) == ST_OK) {
        while (answer_batch_next(&batch, &code, &result))
            load->refused += code != 0;
    }
    if (status == 0)
        load->put += command->items_count;
    else if (load->failed == 0)
        load->failed = status;
    defter_command_free(command);
    load_show(load, false);
}

/* Move what moves; then go on until fewer than ${limit} commands are on their
 * way. */
static int drain(struct load *load, uint32_t limit)
{
    int64_t deadline_ms = client_steady_ms() + 60000;
    uint32_t before = load->in_flight;

    for (;;) {
        struct pollfd about = {.events = POLLIN};
        int status = defter_step(load->client), due_ms;
        if (defter_is_final(status))
            return program_fail(EXIT_INCOMPLETE, "%s: %s",
                                defter_status_name(status),
                                defter_reason(load->client));
        if (load->in_flight < before) {
            before = load->in_flight;
            deadline_ms = client_steady_ms() + 60000;
        }
        if (load->in_flight < limit || load->in_flight == 0)
            break;
        if (client_steady_ms() > deadline_ms)
            return program_fail(EXIT_INCOMPLETE, "no answer in time; %s",
                                defter_reason(load->client));
        about.fd = defter_fd(load->client);
        if ((defter_wants(load->client) & DEFTER_WANTS_WRITE) != 0)
            about.events = POLLIN | POLLOUT;
        due_ms = defter_wait_ms(load->client);
        (void)poll(&about, about.fd >= 0 ? 1 : 0,
                   due_ms >= 0 && due_ms < 100 ? due_ms : 100);
    }
    if (load->failed != 0)
        return program_fail(EXIT_REFUSED, "refused: %s",
                            defter_status_name(load->failed));
    return EXIT_GOOD;
}

int load_drain(struct load *load)
{
    return drain(load, 1);
}

static int new_command(struct load *load, struct defter_command **command_out)
{
    uint16_t flags = load->program->receipts != NULL ? DEFTER_RECEIPT : 0;

    if (defter_command_new(command_out, 'R', flags) != 0)
        return program_fail(EXIT_REFUSED, "out of memory");
    if (load->has_signer)
        defter_command_signer(*command_out, load->signer);
    return EXIT_GOOD;
}

/* A command of one operation. */
static int new_call(struct load *load, struct defter_command **command_out,
                    uint16_t opcode, const struct schema *schema,
                    const void *fields)
{
    struct defter_item item = {.opcode = opcode, .duty = load->duty};
    struct writer writer;
    int code = new_command(load, command_out);

    if (code != EXIT_GOOD)
        return code;
    writer_init(&writer, load->scratch, LOAD_SCRATCH_SIZE);
    schema_encode(schema, &writer, fields);
    if (defter_command_item(*command_out, &item, load->scratch, writer.used) ==
        0)
        return EXIT_GOOD;
    defter_command_free(*command_out);
    return program_fail(EXIT_REFUSED, "the command is not taken");
}

static int read_result(const struct schema *schema, void *out,
                       const struct defter_answer *answer)
{
    struct field_error error;

    if (answer->result_size < SALT_SIZE)
        return ST_OK; /* Nothing to tell. */
    return (int)schema_decode(
        schema, out, &error,
        slice_of(answer->result + SALT_SIZE, answer->result_size - SALT_SIZE),
        SCHEMA_SKIP_ODD);
}

/* One operation of a batch, blocking; its result decoded to ${result}. */
static int call(struct load *load, uint16_t opcode,
                const struct schema *fields_schema, const void *fields,
                const struct schema *result_schema, void *result, int *code_out)
{
    struct defter_command *command;
    struct defter_answer answer;
    int status, code = new_call(load, &command, opcode, fields_schema, fields);

    if (code != EXIT_GOOD)
        return code;
    status = defter_call(load->client, command, &answer);
    defter_command_free(command);
    if (status != 0)
        return program_fail(EXIT_INCOMPLETE, "%s: %s",
                            defter_status_name(status),
                            defter_reason(load->client));
    *code_out = answer.code;
    if (answer.code == 0 && read_result(result_schema, result, &answer) != 0)
        return program_fail(EXIT_INCOMPLETE, "a result is malformed");
    return EXIT_GOOD;
}

static int refused(const char *what, int code)
{
    return program_fail(EXIT_REFUSED, "%s is refused: %s", what,
                        status_info((uint32_t)code) != NULL
                            ? status_info((uint32_t)code)->english
                            : "unknown");
}

/* Where an earlier run stopped. */
static int resume(struct load *load)
{
    struct op_feed_status ask = {.batch = load->batch};
    struct result_feed_status state = {0};
    int refusal = 0;
    int code = call(load, OPCODE_FEED_STATUS, &schema_op_feed_status, &ask,
                    &schema_result_feed_status, &state, &refusal);

    if (code == EXIT_GOOD && refusal != 0)
        return refused("feed.status", refusal);
    memcpy(load->rolling, state.rolling.b, HASH_SIZE);
    load->next = state.next;
    return code;
}

int load_begin(struct load *load, uint64_t number, bool *ended_out)
{
    char name[64];
    struct op_feed_begin fields = {
        .mode = 1, .atomic = load->atomic, .sections = load->sections};
    struct result_feed_begin begun = {0};
    int refusal = 0, code;

    snprintf(name, sizeof name, "%s-%llu", load->name,
             (unsigned long long)number);
    fields.ehis_batch = slice_of(name, strlen(name));
    code = call(load, OPCODE_FEED_BEGIN, &schema_op_feed_begin, &fields,
                &schema_result_feed_begin, &begun, &refusal);
    *ended_out = refusal == ST_EXISTS;
    if (code == EXIT_GOOD)
        code = load_commit(load);
    if (code != EXIT_GOOD || *ended_out)
        return code;
    if (refusal != 0)
        return refused("feed.begin", refusal);
    load->batch = begun.batch;
    load->next = 0;
    memset(load->rolling, 0, HASH_SIZE);
    return begun.next > 0 ? resume(load) : EXIT_GOOD;
}

static void roll(struct load *load, const struct defter_command *command,
                 uint16_t item)
{
    uint8_t both[2 * HASH_SIZE];

    memcpy(both, load->rolling, HASH_SIZE);
    if (defter_command_commitment(command, item, both + HASH_SIZE) == 0)
        crypto_hash_sha256(load->rolling, both, sizeof both);
}

static int submit(struct load *load, struct defter_command *command)
{
    if (command->items_count == 0) {
        defter_command_free(command);
        return EXIT_GOOD;
    }
    load->in_flight++;
    if (defter_submit(load->client, command, load, on_put) != 0)
        return program_fail(EXIT_REFUSED, "the command is not taken");
    return drain(load, load->window);
}

int load_put(struct load *load, bool *more_out, uint32_t skip)
{
    struct defter_command *command = NULL;
    int code = new_command(load, &command);
    uint32_t seen = 0;

    *more_out = true;
    while (code == EXIT_GOOD && seen < FEED_BATCH_RECORDS_MAX) {
        struct defter_item item = {.opcode = OPCODE_FEED_PUT,
                                   .duty = load->duty};
        size_t size;
        int taken = load_next_record(load, &size, &item.subject);
        if (taken <= 0) {
            *more_out = false;
            code = taken < 0 ? EXIT_USAGE : EXIT_GOOD;
            break;
        }
        if (seen++ < skip)
            continue; /* Put by an earlier run. */
        if (defter_command_item(command, &item, load->memory, size) != 0 ||
            command->items_size > ENTRY_SIZE_MAX / 2)
            code = EXIT_REFUSED;
        roll(load, command, (uint16_t)(command->items_count - 1));
        load->next++;
        if (command->items_count == load->items_per_command ||
            command->items_size > ENTRY_SIZE_MAX / 3) {
            code = submit(load, command);
            command = NULL;
            if (code == EXIT_GOOD)
                code = new_command(load, &command);
        }
    }
    if (code == EXIT_GOOD)
        code = submit(load, command);
    else
        defter_command_free(command);
    load->is_put = code == EXIT_GOOD;
    return code;
}

/* A number beyond a byte is of the record's field, inside ${record}. */
static void say_refusal(const struct feed_refusal *row)
{
    enum { INNER_MASK = 0xff, TAGGED = 0x8000 };
    bool inside = row->field < TAGGED && row->field > INNER_MASK;

    printf("  record %u of %010llu: %s (%sfield %u)\n", row->seq,
           (unsigned long long)row->subject, status_name(row->code),
           inside ? "the record's " : "",
           inside ? row->field & INNER_MASK : row->field);
}

static void say_refusals(const struct result_feed_commit *result)
{
    struct list_reader reader;
    struct feed_refusal row;
    int shown = 0;

    list_reader_init(&reader, &result->refusals);
    while (shown++ < REFUSALS_SHOWN_MAX &&
           list_reader_next(&reader, &schema_feed_refusal, &row))
        say_refusal(&row);
}

static void on_commit(void *context, struct defter_command *command, int status,
                      const struct defter_answer *answer)
{
    struct load *load = context;
    struct result_feed_commit result = {0};

    load->in_flight--;
    defter_command_free(command);
    if (status == 0)
        status = answer->code;
    if (status == 0)
        status = read_result(&schema_result_feed_commit, &result, answer);
    if (status != 0) {
        load->failed = load->failed == 0 ? status : load->failed;
        return;
    }
    load->committed += result.committed;
    load->duplicates += result.duplicates;
    load->batches++;
    if (result.refused > 0) {
        load_show(load, true);
        printf("batch %llu: %u committed, %u refused\n",
               (unsigned long long)load->committing, result.committed,
               result.refused);
        say_refusals(&result);
    }
}

int load_commit(struct load *load)
{
    struct op_feed_commit fields = {.batch = load->batch, .count = load->next};
    struct defter_command *command;
    int code;

    if (!load->is_put)
        return EXIT_GOOD;
    load->is_put = false;
    /* Both sides must have counted the same records. */
    code = load_drain(load);
    memcpy(fields.rolling.b, load->rolling, HASH_SIZE);
    if (code == EXIT_GOOD)
        code = new_call(load, &command, OPCODE_FEED_COMMIT,
                        &schema_op_feed_commit, &fields);
    if (code != EXIT_GOOD)
        return code;
    load->committing = load->batch;
    load->in_flight++;
    if (defter_submit(load->client, command, load, on_commit) != 0)
        return program_fail(EXIT_REFUSED, "the command is not taken");
    return EXIT_GOOD;
}

/* Pass over the lines of a batch that an earlier run has ended. */
int load_skip(struct load *load, bool *more_out)
{
    *more_out = true;
    load->batch = 1; /* Not sent: any number that a record may name. */
    for (uint32_t i = 0; i < FEED_BATCH_RECORDS_MAX; i++) {
        size_t size;
        uint64_t subject;
        int taken = load_next_record(load, &size, &subject);
        if (taken <= 0) {
            *more_out = false;
            return taken < 0 ? EXIT_USAGE : EXIT_GOOD;
        }
        load->skipped++;
    }
    return EXIT_GOOD;
}
