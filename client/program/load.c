#include "client/program/load.h"

#include <getopt.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client_state.h"
#include "client/program/cluster.h"
#include "protocol/answer.h"

enum { SCRATCH_SIZE = 256 * 1024, REFUSALS_SHOWN_MAX = 20 };

static void show(struct load *load, bool last)
{
    int64_t now_ms = client_steady_ms();
    double seconds = (double)(now_ms - load->started_ms + 1) / 1000.0;
    unsigned done = load->file_size == 0
                        ? 100
                        : (unsigned)(100 * load->file_read / load->file_size);
    char bar[31];

    if (!isatty(STDERR_FILENO) || (!last && now_ms - load->shown_ms < 100))
        return;
    load->shown_ms = now_ms;
    for (unsigned i = 0; i < 30; i++)
        bar[i] = i < done * 30 / 100 ? '#' : '.';
    bar[30] = '\0';
    fprintf(stderr, "\r[%s] %3u %%  %llu records  %.0f/s ", bar, done,
            (unsigned long long)load->put, (double)load->put / seconds);
    if (last)
        fputc('\n', stderr);
}

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
    show(load, false);
}

/* Move bytes until fewer than ${limit} commands are on their way. */
static int drain(struct load *load, uint32_t limit)
{
    int64_t deadline_ms = client_steady_ms() + 60000;
    uint32_t before = load->in_flight;

    while (load->in_flight >= limit && load->in_flight > 0) {
        struct pollfd about = {.events = POLLIN};
        int status = defter_step(load->client);
        if (status == ST_AUTH || status == ST_CERTIFICATE ||
            status == ST_RECEIPT)
            return program_fail(EXIT_INCOMPLETE, "%s: %s",
                                defter_status_name(status),
                                defter_reason(load->client));
        if (load->in_flight < before) {
            before = load->in_flight;
            deadline_ms = client_steady_ms() + 60000;
        }
        if (client_steady_ms() > deadline_ms)
            return program_fail(EXIT_INCOMPLETE, "no answer in time");
        if (load->in_flight < limit || load->in_flight == 0)
            break;
        about.fd = defter_fd(load->client);
        if ((defter_wants(load->client) & DEFTER_WANTS_WRITE) != 0)
            about.events = POLLIN | POLLOUT;
        (void)poll(&about, about.fd >= 0 ? 1 : 0, 100);
    }
    if (load->failed != 0)
        return program_fail(EXIT_REFUSED, "refused: %s",
                            defter_status_name(load->failed));
    return EXIT_GOOD;
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

/* One operation of a batch, blocking; its result decoded to ${result}. */
static int call(struct load *load, uint16_t opcode,
                const struct schema *fields_schema, const void *fields,
                const struct schema *result_schema, void *result, int *code_out)
{
    struct defter_item item = {.opcode = opcode, .duty = load->duty};
    struct defter_command *command;
    struct defter_answer answer;
    struct field_error error;
    struct writer writer;
    int status, code = new_command(load, &command);

    if (code != EXIT_GOOD)
        return code;
    writer_init(&writer, load->scratch, SCRATCH_SIZE);
    schema_encode(fields_schema, &writer, fields);
    status = defter_command_item(command, &item, load->scratch, writer.used);
    if (status == 0)
        status = defter_call(load->client, command, &answer);
    defter_command_free(command);
    if (status != 0)
        return program_fail(EXIT_INCOMPLETE, "%s: %s",
                            defter_status_name(status),
                            defter_reason(load->client));
    *code_out = answer.code;
    if (answer.code == 0 && answer.result_size >= SALT_SIZE &&
        schema_decode(
            result_schema, result, &error,
            slice_of(answer.result + SALT_SIZE, answer.result_size - SALT_SIZE),
            SCHEMA_SKIP_ODD) != ST_OK)
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

/* Begin or go on with batch ${number}; ${*ended_out}: it was done before. */
static int begin(struct load *load, uint64_t number, bool *ended_out)
{
    char name[64];
    struct op_feed_begin fields = {
        .mode = 1, .atomic = load->atomic, .sections = SECTIONS_MASK};
    struct op_feed_status ask = {0};
    struct result_feed_begin begun = {0};
    struct result_feed_status state = {0};
    int refusal = 0, code;

    snprintf(name, sizeof name, "%s-%llu", load->name,
             (unsigned long long)number);
    fields.sections = load->sections;
    fields.ehis_batch = slice_of(name, strlen(name));
    code = call(load, OPCODE_FEED_BEGIN, &schema_op_feed_begin, &fields,
                &schema_result_feed_begin, &begun, &refusal);
    *ended_out = refusal == ST_EXISTS;
    if (code != EXIT_GOOD || *ended_out)
        return code;
    if (refusal != 0)
        return refused("feed.begin", refusal);
    load->batch = begun.batch;
    ask.batch = begun.batch;
    code = call(load, OPCODE_FEED_STATUS, &schema_op_feed_status, &ask,
                &schema_result_feed_status, &state, &refusal);
    if (code == EXIT_GOOD && refusal != 0)
        return refused("feed.status", refusal);
    memcpy(load->rolling, state.rolling.b, HASH_SIZE);
    load->next = state.next;
    return code;
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

/* Put the records of one batch, from load->next on; 1: the file goes on. */
static int put_batch(struct load *load, bool *more_out, uint32_t skip)
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
    return code == EXIT_GOOD ? drain(load, 1) : code;
}

static void say_refusals(const struct result_feed_commit *result)
{
    struct list_reader reader;
    struct feed_refusal row;
    int shown = 0;

    list_reader_init(&reader, &result->refusals);
    while (shown++ < REFUSALS_SHOWN_MAX &&
           list_reader_next(&reader, &schema_feed_refusal, &row))
        printf("  record %u of %010llu: %s (field %u)\n", row.seq,
               (unsigned long long)row.subject, status_name(row.code),
               row.field);
}

static int commit(struct load *load)
{
    struct op_feed_commit fields = {.batch = load->batch, .count = load->next};
    struct result_feed_commit result = {0};
    int refusal = 0, code;

    memcpy(fields.rolling.b, load->rolling, HASH_SIZE);
    code = call(load, OPCODE_FEED_COMMIT, &schema_op_feed_commit, &fields,
                &schema_result_feed_commit, &result, &refusal);
    if (code != EXIT_GOOD)
        return code;
    if (refusal != 0)
        return refused("feed.commit", refusal);
    load->committed += result.committed;
    load->duplicates += result.duplicates;
    load->batches++;
    if (result.refused > 0) {
        show(load, true);
        printf("batch %llu: %u committed, %u refused\n",
               (unsigned long long)load->batch, result.committed,
               result.refused);
        say_refusals(&result);
    }
    return EXIT_GOOD;
}

/* Pass over the lines of a batch that an earlier run has ended. */
static int skip_batch(struct load *load, bool *more_out)
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
    }
    return EXIT_GOOD;
}

static int feed_all(struct load *load)
{
    bool more = true;
    int code = EXIT_GOOD;

    for (uint64_t number = 0; more && code == EXIT_GOOD; number++) {
        bool ended = false;
        int next = fgetc(load->file);
        if (next == EOF)
            break;
        ungetc(next, load->file);
        code = begin(load, number, &ended);
        if (code == EXIT_GOOD && ended)
            code = skip_batch(load, &more);
        else if (code == EXIT_GOOD)
            code = put_batch(load, &more, load->next);
        if (code == EXIT_GOOD && !ended)
            code = commit(load);
    }
    return code;
}

/* The file's name for batches: the first bytes of its hash. */
static int open_file(struct load *load)
{
    crypto_hash_sha256_state state;
    uint8_t hash[HASH_SIZE], chunk[65536];
    struct stat about;
    size_t got;

    load->file = fopen(load->path, "re");
    if (load->file == NULL || fstat(fileno(load->file), &about) != 0 ||
        !S_ISREG(about.st_mode))
        return program_fail(EXIT_USAGE, "%s: cannot be read", load->path);
    load->file_size = (size_t)about.st_size;
    crypto_hash_sha256_init(&state);
    while ((got = fread(chunk, 1, sizeof chunk, load->file)) > 0)
        crypto_hash_sha256_update(&state, chunk, got);
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(load->name, sizeof load->name, hash, 16);
    rewind(load->file);
    return EXIT_GOOD;
}

static int parse(struct load *load, int argc, char **argv)
{
    static const struct option options[] = {
        {"duty", required_argument, NULL, 'd'},
        {"items", required_argument, NULL, 'i'},
        {"sections", required_argument, NULL, 's'},
        {"atomic", no_argument, NULL, 'a'},
        {NULL, 0, NULL, 0}};
    int option;

    load->items_per_command = 64;
    load->sections = SECTIONS_MASK;
    optind = 0; /* The GNU way to begin anew. */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            load->duty = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 'i')
            load->items_per_command = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 's')
            load->sections = (uint16_t)strtoul(optarg, NULL, 0);
        else if (option == 'a')
            load->atomic = true;
        else
            return EXIT_USAGE;
    }
    if (optind != argc - 1 || load->items_per_command < 1 ||
        load->items_per_command > ITEMS_MAX)
        return program_fail(EXIT_USAGE,
                            "usage: defter --key EHIS.KEY --role EHIS --signer "
                            "BODY.KEY load FILE --duty N\n"
                            "         [--items 1..256] [--sections MASK] "
                            "[--atomic]");
    load->path = argv[optind];
    return EXIT_GOOD;
}

static int prepare(struct load *load)
{
    int code = open_file(load);
    struct defter_session session;
    int status;

    if (code == EXIT_GOOD && load->program->signer != NULL) {
        code = cluster_seed(load->signer, load->program->signer);
        load->has_signer = true;
    }
    if (code == EXIT_GOOD)
        code = cluster_client(&load->client, load->program, ROLE_EHIS);
    load->memory = malloc(SCRATCH_SIZE);
    load->scratch = malloc(SCRATCH_SIZE);
    if (code == EXIT_GOOD && (load->memory == NULL || load->scratch == NULL))
        code = program_fail(EXIT_REFUSED, "out of memory");
    if (code != EXIT_GOOD)
        return code;
    status = defter_connect(load->client);
    if (status != 0)
        return program_fail(EXIT_INCOMPLETE, "%s: %s",
                            defter_status_name(status),
                            defter_reason(load->client));
    (void)defter_session(load->client, &session);
    if (load->items_per_command > session.items_max)
        load->items_per_command = session.items_max;
    load->window =
        session.inflight_max < LOAD_WINDOW ? session.inflight_max : LOAD_WINDOW;
    return EXIT_GOOD;
}

static void report(const struct load *load)
{
    double seconds =
        (double)(client_steady_ms() - load->started_ms + 1) / 1000.0;

    if (load->program->json)
        printf("{\"batches\":%llu,\"records\":%llu,\"committed\":%llu,"
               "\"refused\":%llu,\"duplicates\":%llu,\"seconds\":%.3f,"
               "\"records_per_second\":%.0f}\n",
               (unsigned long long)load->batches, (unsigned long long)load->put,
               (unsigned long long)load->committed,
               (unsigned long long)load->refused,
               (unsigned long long)load->duplicates, seconds,
               (double)load->put / seconds);
    else
        printf("%llu batches, %llu records put, %llu committed, %llu refused, "
               "%llu seen before, in %.2f s: %.0f records/s\n",
               (unsigned long long)load->batches, (unsigned long long)load->put,
               (unsigned long long)load->committed,
               (unsigned long long)load->refused,
               (unsigned long long)load->duplicates, seconds,
               (double)load->put / seconds);
}

int load_run(struct program *program, int argc, char **argv)
{
    struct load load = {.program = program};
    int code = parse(&load, argc, argv);

    if (code == EXIT_GOOD)
        code = prepare(&load);
    if (code == EXIT_GOOD) {
        load.started_ms = client_steady_ms();
        code = feed_all(&load);
        show(&load, true);
        report(&load);
    }
    sodium_memzero(load.signer, sizeof load.signer);
    defter_close(load.client);
    if (load.file != NULL)
        fclose(load.file);
    free(load.memory);
    free(load.scratch);
    return code;
}
