#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/pipeline/pipeline_private.h"

/* The core thread's own. */
struct core {
    struct pipeline *pipeline;
    struct reply_lists replies;
    void *works[GROUP_ENTRIES_MAX];
    size_t works_count;
};

/* ---- Refusals ----------------------------------------------------------- */

static void core_note(struct pipeline *pipeline, const struct work *work)
{
    const struct command *command = &work->command;
    const struct item_clear *clear = &command->items[0].clear_part;
    struct refused_line line = {
        .session = work->origin.session_key,
        .opcode = clear->opcode,
        .subject = clear->subject <= INT64_MAX ? clear->subject : 0,
        .code = (uint16_t)work->fault.status,
        .count = 1,
    };

    /* To ask again too early is no offence. */
    if (work->fault.status == ST_IN_PROGRESS)
        return;
    memcpy(line.signer.b, command->header.key_id, KEY_ID_SIZE);
    memcpy(line.command_hash.b, command->hash, HASH_SIZE);
    pipeline_refused(pipeline, &line);
}

/* Lines that could not be entered wait with those that come after them. */
static void core_keep_lines(struct pipeline *pipeline, const struct work *work)
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

/* Each kind is told apart: an attestation that is under way must not be made
 * again because something else found no place. */
static void core_refuse_own(struct pipeline *pipeline, const struct work *work)
{
    switch (work->operation->opcode) {
    case OPCODE_SYSTEM_EPOCH:
    case OPCODE_SYSTEM_SECRET:
        atomic_store(&pipeline->start_refused, true);
        break;
    case OPCODE_SYSTEM_ATTEST:
        atomic_store(&pipeline->attest_refused, true);
        break;
    case OPCODE_CONSENT_LAPSE:
    case OPCODE_CONSENT_END:
        atomic_store(&pipeline->deadlines_refused, true);
        break;
    case OPCODE_JOURNAL_REFUSED:
        core_keep_lines(pipeline, work);
        break;
    }
}

static void core_refuse(struct core *core, struct work *work)
{
    struct pipeline *pipeline = core->pipeline;

    if (work->node_made) {
        core_refuse_own(pipeline, work);
    } else {
        atomic_fetch_add(&pipeline->counts.refused, 1);
        core_note(pipeline, work);
        reply_error(&core->replies, work);
    }
    pipeline_end_work(pipeline, work);
}

/* ---- What the node enters by itself ------------------------------------- */

static struct work *core_refused_work(struct pipeline *pipeline,
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

static struct work *core_noise_work(struct pipeline *pipeline,
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

static void core_enter_refused(struct pipeline *pipeline)
{
    struct refused_line lines[REFUSED_LINES_MAX];
    struct noise_line noise[REFUSED_NOISE_CAUSES_MAX];
    int64_t now_ms = clock_boot_ms(&pipeline->parts.clock);
    bool all = atomic_load(&pipeline->draining);
    uint32_t count;
    int64_t from;

    /* While nothing can be entered, lines are gathered and counted on. */
    if (atomic_load(&pipeline->stalled))
        return;
    /* Who drains must not find the lines neither here nor there. */
    atomic_fetch_add(&pipeline->in_flight, 1);
    count = refused_take(&pipeline->refused, lines, now_ms, all);
    if (count > 0 && !pipeline_push_own(
                         pipeline, core_refused_work(pipeline, lines, count))) {
        for (uint32_t i = 0; i < count; i++)
            pipeline_refused(pipeline, &lines[i]);
    }
    count = refused_take_noise(&pipeline->refused, noise, &from, now_ms, all);
    if (count > 0)
        (void)pipeline_push_own(pipeline,
                                core_noise_work(pipeline, noise, count, from));
    atomic_fetch_sub(&pipeline->in_flight, 1);
}

/* ---- Groups ------------------------------------------------------------- */

static uint64_t core_room(struct pipeline *pipeline)
{
    uint64_t room = journal_room(pipeline->parts.journal);
    uint64_t under_way = atomic_load(&pipeline->log_size);

    return room > under_way ? room - under_way : 0;
}

/* A term has no entry before its EPOCH: where that found no place, nothing
 * does, and the start fails. */
static enum sequencer_verdict core_put(struct pipeline *pipeline,
                                       struct group *group, struct work *work)
{
    if (!atomic_load(&pipeline->start_refused))
        return sequencer_put(pipeline->sequencer, group, work);
    work->fault =
        (struct work_fault){.status = ST_READ_ONLY, .item = UINT16_MAX};
    return SEQUENCER_REFUSED;
}

/* Gives places to as many works as one group takes; the rest stays. */
static void core_sequence(struct core *core, struct group *group)
{
    struct pipeline *pipeline = core->pipeline;
    size_t done = 0;

    while (done < core->works_count) {
        struct work *work = core->works[done];
        enum sequencer_verdict verdict = core_put(pipeline, group, work);

        if (verdict == SEQUENCER_FULL)
            break;
        if (verdict == SEQUENCER_REFUSED)
            core_refuse(core, work);
        done++;
    }
    core->works_count -= done;
    memmove(core->works, core->works + done,
            core->works_count * sizeof core->works[0]);
}

static void core_send(struct core *core, struct group *group)
{
    struct pipeline *pipeline = core->pipeline;
    bool empty = group->works == NULL;
    struct queue *to = empty ? &pipeline->free_groups : &pipeline->to_disk;

    /* Keys are durable before the entries that need them. */
    if (keyring_staged(pipeline->parts.keyring) > 0)
        keyring_commit(pipeline->parts.keyring);
    atomic_fetch_add(&pipeline->log_size, group->frames_size);
    reply_deliver(&core->replies, &pipeline->parts.events);
    atomic_store(&pipeline->stalled, sequencer_stalled(pipeline->sequencer));
    if (!empty) {
        (void)pthread_mutex_lock(&pipeline->gate);
        pipeline->under_way++;
        (void)pthread_mutex_unlock(&pipeline->gate);
    }
    bool pushed = queue_push_wait(to, group);
    INVARIANT(pushed);
}

/* Whether what waits is worth a second group under way. */
static bool core_is_heavy(struct pipeline *pipeline)
{
    return atomic_load(&pipeline->waiting_size) >= PIPELINE_HEAVY_SIZE;
}

/* Until the groups under way are done, the next one gathers; see
 * PIPELINE_HEAVY_SIZE. */
static void core_wait_turn(struct pipeline *pipeline)
{
    enum { LOOK_NS = 1000000, NS_PER_S = 1000000000 };

    (void)pthread_mutex_lock(&pipeline->gate);
    while (pipeline->under_way > 0 &&
           (pipeline->under_way == PIPELINE_UNDER_WAY_MAX ||
            !core_is_heavy(pipeline))) {
        struct timespec until;

        /* Nobody tells that more waits now: look again soon. */
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_NS;
        if (until.tv_nsec >= NS_PER_S) {
            until.tv_nsec -= NS_PER_S;
            until.tv_sec++;
        }
        (void)pthread_cond_timedwait(&pipeline->gate_changed, &pipeline->gate,
                                     &until);
    }
    (void)pthread_mutex_unlock(&pipeline->gate);
}

static void core_take(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    size_t before = core->works_count;

    if (before == 0)
        queue_wait_any(&pipeline->commands, PIPELINE_TICK_MS);
    core_wait_turn(pipeline);
    core->works_count += queue_take(&pipeline->commands, core->works + before,
                                    GROUP_ENTRIES_MAX - before, 0);
    for (size_t i = before; i < core->works_count; i++) {
        const struct work *work = core->works[i];
        atomic_fetch_sub(&pipeline->waiting_size, work->command.body.size);
    }
}

static bool core_step(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    void *group;

    core_take(core);
    core_enter_refused(pipeline);
    if (core->works_count == 0) {
        if (sequencer_stalled(pipeline->sequencer))
            atomic_store(&pipeline->stalled,
                         sequencer_look(pipeline->sequencer));
        return !queue_ended(&pipeline->commands);
    }
    size_t taken = queue_take(&pipeline->free_groups, &group, 1, -1);
    INVARIANT(taken == 1);
    group_reset(group, core_room(pipeline));
    core_sequence(core, group);
    core_send(core, group);
    return true;
}

void *pipeline_core_main(void *argument)
{
    struct core core = {.pipeline = argument};

    while (core_step(&core))
        continue;
    queue_close(&core.pipeline->to_disk);
    return NULL;
}

/* ---- The disk ----------------------------------------------------------- */

static void disk_fail(struct pipeline *pipeline, enum status status,
                      const char *what)
{
    uint64_t index = journal_size(pipeline->parts.journal);

    /* After a failed write or sync nothing is known about the bytes: whatever
     * comes next is decided at the next start. */
    pipeline->parts.failed(pipeline->parts.failed_context, status, index, what);
    abort();
}

static void disk_append(struct pipeline *pipeline, struct group *group)
{
    struct journal *journal = pipeline->parts.journal;
    enum status status;

    while ((status = journal_append(journal, group->entries,
                                    group->entries_count)) == ST_AGAIN)
        /* The background makes the next segment; make it here instead. */
        if (journal_prepare_next(journal) == ST_DISK_FAILED)
            disk_fail(pipeline, ST_DISK_FAILED, "preparing a segment");
    if (status != ST_OK)
        disk_fail(pipeline, status, "appending to the log");
    atomic_fetch_sub(&pipeline->log_size, group->frames_size);
    status = journal_sync(journal, journal_end(journal).size);
    if (status != ST_OK)
        disk_fail(pipeline, status, "making the log durable");
}

void *pipeline_disk_main(void *argument)
{
    struct pipeline *pipeline = argument;
    void *taken;

    while (queue_take(&pipeline->to_disk, &taken, 1, -1) == 1) {
        struct group *group = taken;

        if (group->entries_count > 0) {
            disk_append(pipeline, group);
            /* One reminder is enough. */
            MAYBE(queue_push(&pipeline->chores, pipeline) == ST_OK);
        }
        bool pushed = queue_push_wait(&pipeline->to_apply, group);
        INVARIANT(pushed);
    }
    queue_close(&pipeline->to_apply);
    return NULL;
}

void *pipeline_background_main(void *argument)
{
    struct pipeline *pipeline = argument;
    void *taken;

    while (queue_take(&pipeline->chores, &taken, 1, -1) == 1) {
        if (journal_prepare_next(pipeline->parts.journal) == ST_DISK_FAILED)
            disk_fail(pipeline, ST_DISK_FAILED, "preparing a segment");
    }
    return NULL;
}
