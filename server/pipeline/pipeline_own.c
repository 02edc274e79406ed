/*
 * pipeline_own.c: what the node enters by itself, but for attestations and
 * deadlines, which follow from what is applied (pipeline_due.c).
 */
#include <string.h>

#include <sodium.h>

#include "server/pipeline/decode.h"
#include "server/pipeline/pipeline_private.h"

bool pipeline_push_own(struct pipeline *pipeline, struct work *work,
                       uint64_t term)
{
    work->term = term;
    decode_work(work);
    INVARIANT(work->fault.status == ST_OK);
    atomic_fetch_add(&pipeline->in_flight, 1);
    size_t size = work->command.body.size;
    atomic_fetch_add(&pipeline->waiting_size, size);
    if (queue_push(&pipeline->commands, work) == ST_OK)
        return true;
    atomic_fetch_sub(&pipeline->waiting_size, size);
    pipeline_end_work(pipeline, work);
    return false;
}

/* ---- Beginning a term --------------------------------------------------- */

struct work *pipeline_epoch_work(struct pipeline *pipeline,
                                 const struct pipeline_term *lead)
{
    struct config config = {.number = 0};
    struct op_system_epoch epoch = {
        .epoch = lead->start.epoch,
        .configuration =
            slice_of(lead->configuration, lead->configuration_size),
        .has_certificate = lead->certificate_size > 0,
        .certificate = slice_of(lead->certificate, lead->certificate_size),
    };
    struct node_command *command = node_command_begin(&pipeline->signer);

    if (epoch.configuration.size > 0) {
        enum status status = config_decode(&config, epoch.configuration);

        INVARIANT(status == ST_OK);
        epoch.number = config.number;
    }
    node_command_add(command, OPCODE_SYSTEM_EPOCH, &epoch);
    return node_command_finish(command, clock_wall(&pipeline->parts.clock));
}

struct work *pipeline_secret_work(struct pipeline *pipeline)
{
    struct op_system_secret secret;
    struct node_command *command = node_command_begin(&pipeline->signer);

    randombytes_buf(secret.secret.b, sizeof secret.secret.b);
    node_command_add(command, OPCODE_SYSTEM_SECRET, &secret);
    sodium_memzero(&secret, sizeof secret);
    return node_command_finish(command, clock_wall(&pipeline->parts.clock));
}

/* ---- Refusals and noise ------------------------------------------------- */

static struct work *own_refused_work(struct pipeline *pipeline,
                                     const struct refused_line *lines,
                                     uint32_t count)
{
    enum { LINE_SIZE_MAX = 128 };
    uint8_t bytes[REFUSED_LINES_MAX * LINE_SIZE_MAX];
    struct node_command *command = node_command_begin(&pipeline->signer);
    struct op_journal_refused refused = {0};
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    refused.lines = list_begin(&space);
    for (uint32_t i = 0; i < count; i++)
        list_add(&refused.lines, &space, &schema_refused_line, &lines[i]);
    INVARIANT(space.status == ST_OK);
    node_command_add(command, OPCODE_JOURNAL_REFUSED, &refused);
    return node_command_finish(command, clock_wall(&pipeline->parts.clock));
}

static struct work *own_noise_work(struct pipeline *pipeline,
                                   const struct noise_line *lines,
                                   uint32_t count, int64_t from)
{
    enum { LINE_SIZE_MAX = 16 };
    uint8_t bytes[REFUSED_NOISE_CAUSES_MAX * LINE_SIZE_MAX];
    struct node_command *command = node_command_begin(&pipeline->signer);
    int64_t now = clock_wall(&pipeline->parts.clock);
    struct op_journal_noise noise = {.from = from,
                                     .to = now > from ? now : from};
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    noise.lines = list_begin(&space);
    for (uint32_t i = 0; i < count; i++)
        list_add(&noise.lines, &space, &schema_noise_line, &lines[i]);
    INVARIANT(space.status == ST_OK);
    node_command_add(command, OPCODE_JOURNAL_NOISE, &noise);
    return node_command_finish(command, now);
}

void pipeline_enter_refused(struct pipeline *pipeline, uint64_t term)
{
    struct refused_line lines[REFUSED_LINES_MAX];
    struct noise_line noise[REFUSED_NOISE_CAUSES_MAX];
    int64_t now_ms = clock_boot_ms(&pipeline->parts.clock);
    bool all = atomic_load(&pipeline->draining);
    uint32_t count;
    int64_t from;

    /* While nothing can be entered, lines are gathered and counted on. */
    if (atomic_load(&pipeline->stalled) || atomic_load(&pipeline->held))
        return;
    /* Who drains must not find the lines neither here nor there. */
    atomic_fetch_add(&pipeline->in_flight, 1);
    count = refused_take(&pipeline->refused, lines, now_ms, all);
    if (count > 0 &&
        !pipeline_push_own(pipeline, own_refused_work(pipeline, lines, count),
                           term)) {
        for (uint32_t i = 0; i < count; i++)
            pipeline_refused(pipeline, &lines[i]);
    }
    count = refused_take_noise(&pipeline->refused, noise, &from, now_ms, all);
    if (count > 0)
        (void)pipeline_push_own(
            pipeline, own_noise_work(pipeline, noise, count, from), term);
    atomic_fetch_sub(&pipeline->in_flight, 1);
}

void pipeline_keep_lines(struct pipeline *pipeline, const struct work *work)
{
    struct op_journal_refused refused;
    struct list_reader reader;
    struct refused_line line;
    struct field_error error;
    enum status status =
        schema_decode(&schema_op_journal_refused, &refused, &error,
                      work->command.items[0].fields, SCHEMA_REFUSE_UNKNOWN);

    INVARIANT(status == ST_OK);
    list_reader_init(&reader, &refused.lines);
    while (list_reader_next(&reader, &schema_refused_line, &line))
        pipeline_refused(pipeline, &line);
}

/* ---- Locked keys -------------------------------------------------------- */

void pipeline_lock_key(struct pipeline *pipeline,
                       const uint8_t key_id[KEY_ID_SIZE])
{
    uint64_t term = atomic_load(&pipeline->term);
    struct node_command *command;
    struct op_key_lock lock;

    /* A node that follows has nowhere to enter it: the next failure at the
     * primary does. */
    if (atomic_load(&pipeline->begun) != term)
        return;
    command = node_command_begin(&pipeline->signer);
    memcpy(lock.key_id.b, key_id, KEY_ID_SIZE);
    node_command_add(command, OPCODE_KEY_LOCK, &lock);
    /* In a full queue the lock waits for the next failure. */
    (void)pipeline_push_own(
        pipeline,
        node_command_finish(command, clock_wall(&pipeline->parts.clock)), term);
}
