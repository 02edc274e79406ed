#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/pipeline/pipeline_private.h"

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

    /* To ask again too early is no offence, nor to ask another node. */
    if (work->fault.status == ST_IN_PROGRESS ||
        work->fault.status == ST_NOT_PRIMARY)
        return;
    memcpy(line.signer.b, command->header.key_id, KEY_ID_SIZE);
    memcpy(line.command_hash.b, command->hash, HASH_SIZE);
    pipeline_refused(pipeline, &line);
}

/* Each kind is told apart: an attestation that is under way must not be made
 * again because something else found no place. */
static void core_refuse_own(struct core *core, const struct work *work)
{
    struct pipeline *pipeline = core->pipeline;

    if (work->operation->opcode == OPCODE_JOURNAL_REFUSED)
        pipeline_keep_lines(pipeline, work);
    if (work->term != core->term)
        return;
    switch (work->operation->opcode) {
    case OPCODE_SYSTEM_EPOCH:
    case OPCODE_SYSTEM_SECRET:
        atomic_store(&pipeline->start_refused, true);
        break;
    case OPCODE_SYSTEM_ATTEST:
        atomic_store(&pipeline->attest_refused, work->term);
        break;
    case OPCODE_CONSENT_LAPSE:
    case OPCODE_CONSENT_END:
        atomic_store(&pipeline->deadlines_refused, work->term);
        break;
    case OPCODE_ARCHIVE_PREPARE:
    case OPCODE_ARCHIVE_DUE:
        atomic_store(&pipeline->archive_refused, work->term);
        break;
    case OPCODE_INCIDENT_OPEN:
    case OPCODE_FAILOVER_ACTIVATE:
        pipeline_owed_refused(pipeline, work->term);
        break;
    case OPCODE_SYSTEM_CONFIG:
        atomic_store(&pipeline->config_refused, work->term);
        break;
    }
}

static void core_refuse(struct core *core, struct work *work)
{
    struct pipeline *pipeline = core->pipeline;

    if (work->node_made) {
        core_refuse_own(core, work);
    } else {
        atomic_fetch_add(&pipeline->counts.refused, 1);
        core_note(pipeline, work);
        reply_error(&core->replies, work);
    }
    pipeline_end_work(pipeline, work);
}

/* Everything that waits: this node does not lead, or to no avail.  What it made
 * itself ends with the term. */
static void core_refuse_waiting(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;

    for (size_t i = 0; i < core->works_count; i++) {
        struct work *work = core->works[i];

        work->fault =
            (struct work_fault){.status = ST_NOT_PRIMARY, .item = UINT16_MAX};
        core_refuse(core, work);
    }
    core->works_count = 0;
    reply_deliver(&core->replies, &pipeline->parts.events);
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
static enum sequencer_verdict core_put(struct core *core, struct group *group,
                                       struct work *work)
{
    struct pipeline *pipeline = core->pipeline;

    /* Of a former term: what it states may not hold any more. */
    if (work->node_made && work->term != core->term) {
        work->fault =
            (struct work_fault){.status = ST_NOT_PRIMARY, .item = UINT16_MAX};
        return SEQUENCER_REFUSED;
    }
    if (!atomic_load(&pipeline->start_refused))
        return sequencer_put(pipeline->sequencer, group, work);
    work->fault =
        (struct work_fault){.status = ST_READ_ONLY, .item = UINT16_MAX};
    return SEQUENCER_REFUSED;
}

/* Gives places to as many works as one group takes; the rest stays. */
static void core_sequence(struct core *core, struct group *group)
{
    size_t done = 0;

    while (done < core->works_count) {
        struct work *work = core->works[done];
        enum sequencer_verdict verdict = core_put(core, group, work);

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

struct group *core_group(struct core *core)
{
    void *group;
    size_t taken = queue_take(&core->pipeline->free_groups, &group, 1, -1);

    INVARIANT(taken == 1);
    group_reset(group, core_room(core->pipeline));
    return group;
}

/* To the disk, or to the host; what has no entries passes them by. */
static void core_hand_on(struct core *core, struct group *group, bool keyed)
{
    struct pipeline *pipeline = core->pipeline;
    const struct pipeline_log *log = pipeline->parts.log;
    bool pushed;

    (void)pthread_mutex_lock(&pipeline->gate);
    pipeline->under_way++;
    (void)pthread_mutex_unlock(&pipeline->gate);
    if (log == NULL) {
        pushed = queue_push_wait(&pipeline->to_disk, group);
    } else {
        size_t entries_count = group->entries_count;

        group->taken = entries_count == 0;
        /* The apply thread knows of it before it can be committed. */
        pushed = queue_push_wait(&pipeline->to_apply, group);
        if (entries_count > 0)
            log->submit(log->context, group, keyed);
    }
    INVARIANT(pushed);
}

void core_stall(struct core *core, bool stalled)
{
    struct pipeline *pipeline = core->pipeline;

    if (atomic_exchange(&pipeline->stalled, stalled) != stalled &&
        pipeline->parts.clock_doubted != NULL)
        pipeline->parts.clock_doubted(stalled);
}

void core_send(struct core *core, struct group *group)
{
    struct pipeline *pipeline = core->pipeline;
    bool keyed = keyring_staged(pipeline->parts.keyring) > 0;

    /* Keys are durable before the entries that need them. */
    if (keyed)
        keyring_commit(pipeline->parts.keyring);
    atomic_fetch_add(&pipeline->log_size, group->frames_size);
    group->epoch = sequencer_end(pipeline->sequencer)->epoch;
    group->term = core->term;
    reply_deliver(&core->replies, &pipeline->parts.events);
    core_stall(core, sequencer_stalled(pipeline->sequencer));
    if (group->works != NULL) {
        core_hand_on(core, group, keyed);
        return;
    }
    bool pushed = queue_push_wait(&pipeline->free_groups, group);
    INVARIANT(pushed);
}

/* Whether what waits is worth a second group under way. */
static bool core_is_heavy(struct pipeline *pipeline)
{
    return atomic_load(&pipeline->waiting_size) >= PIPELINE_HEAVY_SIZE;
}

/* Whether what waits has to wait on; with the gate held, looked at the
 * ${times}th time. */
static bool core_gathers(struct core *core, int times)
{
    struct pipeline *pipeline = core->pipeline;
    bool shipped = pipeline->parts.log != NULL;

    if (pipeline->under_way == 0 || atomic_load(&pipeline->cut_off) ||
        atomic_load(&pipeline->term) != core->term)
        return false;
    if (pipeline->under_way >=
        (shipped ? PIPELINE_SHIPPED_MAX : PIPELINE_UNDER_WAY_MAX))
        return true;
    if (shipped && times >= PIPELINE_GATHER_MS)
        return false;
    return !core_is_heavy(pipeline);
}

/* Until the groups under way are done, the next one gathers; see
 * PIPELINE_HEAVY_SIZE. */
static void core_wait_turn(struct core *core)
{
    enum { LOOK_NS = 1000000, NS_PER_S = 1000000000 };
    struct pipeline *pipeline = core->pipeline;

    (void)pthread_mutex_lock(&pipeline->gate);
    for (int times = 0; core_gathers(core, times); times++) {
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

static void core_wait(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    enum { SOON_MS = 2 };

    if (core->works_count == 0)
        queue_wait_any(&pipeline->commands,
                       core->waits ? SOON_MS : PIPELINE_TICK_MS);
    core_wait_turn(core);
}

static void core_take(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    size_t before = core->works_count;

    core->works_count += queue_take(&pipeline->commands, core->works + before,
                                    GROUP_ENTRIES_MAX - before, 0);
    for (size_t i = before; i < core->works_count; i++) {
        const struct work *work = core->works[i];
        atomic_fetch_sub(&pipeline->waiting_size, work->command.body.size);
    }
}

/* What the node itself owes the log goes on: it is little. */
static void core_look_room(struct pipeline *pipeline)
{
    const struct pipeline_parts *parts = &pipeline->parts;

    if (parts->has_room != NULL)
        atomic_store(&pipeline->crowded, !parts->has_room(parts->room_context));
}

bool core_turn(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    struct group *group;

    core_take(core);
    core_look_room(pipeline);
    core_bury(core);
    if (pipeline->parts.log != NULL &&
        (!core_serve_term(core) || atomic_load(&pipeline->cut_off))) {
        core_refuse_waiting(core);
        return !queue_ended(&pipeline->commands);
    }
    pipeline_enter_refused(pipeline, core->term);
    if (core->works_count == 0) {
        if (sequencer_stalled(pipeline->sequencer))
            core_stall(core, sequencer_look(pipeline->sequencer));
        return !queue_ended(&pipeline->commands);
    }
    group = core_group(core);
    core_sequence(core, group);
    core_send(core, group);
    return true;
}

void *pipeline_core_main(void *argument)
{
    struct pipeline *pipeline = argument;
    struct core core = {.pipeline = pipeline};

    if (pipeline->parts.log == NULL) {
        /* The one term that there is. */
        core.term = pipeline_look(pipeline).term;
        keyring_take(pipeline->parts.keyring);
    }
    do {
        core_wait(&core);
    } while (core_turn(&core));
    if (pipeline->parts.log == NULL) {
        keyring_leave(pipeline->parts.keyring);
        queue_close(&pipeline->to_disk);
    } else {
        core_end_term(&core);
        queue_close(&pipeline->to_apply);
    }
    return NULL;
}
