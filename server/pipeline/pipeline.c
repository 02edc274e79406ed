#include "server/pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "replication/need.h"
#include "server/pipeline/decode.h"
#include "server/pipeline/pipeline_private.h"

/* ---- Making it ---------------------------------------------------------- */

static void pipeline_on_key(void *context, const uint8_t key_id[KEY_ID_SIZE],
                            bool ended)
{
    struct pipeline *pipeline = context;

    if (ended)
        pipeline->parts.events.key_ended(pipeline->parts.events.context,
                                         key_id);
}

static void pipeline_on_open_data(void *context)
{
    struct pipeline *pipeline = context;

    open_data_load(&pipeline->open_data, pipeline->parts.state,
                   apply_services(pipeline->parts.apply));
}

static void pipeline_on_watch(void *context, uint64_t index,
                              const uint8_t key_id[KEY_ID_SIZE],
                              uint32_t assignment, uint64_t from,
                              uint16_t categories)
{
    struct pipeline *pipeline = context;
    struct watches_row row = {
        .entry = index,
        .assignment = assignment,
        .from = from,
        .categories = categories,
    };

    memcpy(row.key_id.b, key_id, KEY_ID_SIZE);
    watches_add(&pipeline->watches, &row);
}

static void pipeline_open_queues(struct pipeline *pipeline)
{
    queue_init(&pipeline->commands, QUEUE_COMMANDS_MAX + PIPELINE_OWN_MAX);
    queue_init(&pipeline->to_disk, PIPELINE_GROUPS);
    queue_init(&pipeline->to_apply, PIPELINE_GROUPS);
    queue_init(&pipeline->free_groups, PIPELINE_GROUPS);
    queue_init(&pipeline->places, PIPELINE_PLACES_MAX);
    queue_init(&pipeline->chores, 1);
    for (size_t i = 0; i < PIPELINE_GROUPS; i++) {
        bool pushed = queue_push_wait(&pipeline->free_groups, group_open());
        INVARIANT(pushed);
    }
}

static void pipeline_open_gate(struct pipeline *pipeline)
{
    pthread_condattr_t attributes;

    NEED(pthread_mutex_init(&pipeline->gate, NULL) == 0);
    NEED(pthread_condattr_init(&attributes) == 0);
    NEED(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    NEED(pthread_cond_init(&pipeline->gate_changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
}

static void pipeline_open_keys(struct pipeline *pipeline)
{
    NEED(pthread_mutex_init(&pipeline->keys.lock, NULL) == 0);
    NEED(pthread_cond_init(&pipeline->keys.changed, NULL) == 0);
    pipeline->accept_buffer = malloc(ENTRY_SIZE_MAX);
    NEED(pipeline->accept_buffer != NULL);
}

struct pipeline *pipeline_open(const struct pipeline_parts *parts)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);

    NEED(pipeline != NULL);
    pipeline->parts = *parts;
    pipeline->signer.identity = parts->identity;
    memcpy(pipeline->signer.cluster_id, parts->cluster_id, CLUSTER_ID_SIZE);
    refused_init(&pipeline->refused);
    watches_init(&pipeline->watches);
    open_data_init(&pipeline->open_data);
    pipeline_cluster_init(&pipeline->cluster);
    pipeline_open_queues(pipeline);
    pipeline_open_gate(pipeline);
    pipeline_open_keys(pipeline);
    pipeline_burial_init(&pipeline->burial);
    pipeline_awaits_init(&pipeline->awaits);
    pipeline_role_init(pipeline);
    const struct sequencer_start start = {.end = parts->end,
                                          .epoch = parts->epoch};
    pipeline->sequencer = sequencer_open(
        &(struct sequencer_parts){
            .keyring = parts->keyring,
            .idempotency = parts->idempotency,
            .clock = parts->clock,
        },
        parts->log == NULL ? &start : NULL);
    atomic_store(&pipeline->has_secret, apply_has_secret(parts->apply));
    pipeline_tell_state(pipeline);
    atomic_store(&pipeline->size, apply_size(parts->apply));
    atomic_store(&pipeline->lacks, parts->lacks);
    apply_set_changes(parts->apply, &(struct apply_changes){
                                        .context = pipeline,
                                        .key = pipeline_on_key,
                                        .open_data = pipeline_on_open_data,
                                        .watch = pipeline_on_watch,
                                    });
    return pipeline;
}

void pipeline_close(struct pipeline *pipeline)
{
    void *group;
    void *place;

    if (pipeline == NULL)
        return;
    REQUIRE(!pipeline->started);
    while (queue_take(&pipeline->free_groups, &group, 1, 0) == 1)
        group_close(group);
    queue_wipe(&pipeline->commands);
    queue_wipe(&pipeline->to_disk);
    queue_wipe(&pipeline->to_apply);
    queue_wipe(&pipeline->free_groups);
    while (queue_take(&pipeline->places, &place, 1, 0) == 1)
        free(place);
    queue_wipe(&pipeline->places);
    queue_wipe(&pipeline->chores);
    (void)pthread_cond_destroy(&pipeline->gate_changed);
    (void)pthread_mutex_destroy(&pipeline->gate);
    pipeline_role_wipe(pipeline);
    (void)pthread_cond_destroy(&pipeline->keys.changed);
    (void)pthread_mutex_destroy(&pipeline->keys.lock);
    free(pipeline->accept_buffer);
    pipeline_burial_wipe(&pipeline->burial);
    pipeline_awaits_end(&pipeline->awaits);
    sequencer_close(pipeline->sequencer);
    refused_wipe(&pipeline->refused);
    watches_wipe(&pipeline->watches);
    open_data_wipe(&pipeline->open_data);
    pipeline_cluster_wipe(&pipeline->cluster);
    free(pipeline);
}

/* ---- Starting and ending ------------------------------------------------ */

/* Without a host the only term is entered like any other command. */
static void pipeline_enter_term(struct pipeline *pipeline)
{
    const struct pipeline_term lead = {.start.epoch = pipeline->parts.epoch};
    uint64_t term = pipeline_look(pipeline).term;
    bool pushed =
        pipeline_push_own(pipeline, pipeline_epoch_work(pipeline, &lead), term);

    if (!apply_has_secret(pipeline->parts.apply))
        pushed =
            pipeline_push_own(pipeline, pipeline_secret_work(pipeline), term) &&
            pushed;
    INVARIANT(pushed);
}

/* How long to wait for what the node still owes the log: 5 s. */
enum { PIPELINE_LAST_PAUSES = 2500 };

static void pipeline_pause(void)
{
    enum { PAUSE_NS = 2000000 };

    (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

static void pipeline_wait_idle(struct pipeline *pipeline)
{
    while (atomic_load(&pipeline->in_flight) > 0)
        pipeline_pause();
}

static void pipeline_spawn(struct pipeline *pipeline, pthread_t *thread_out,
                           void *(*main)(void *argument))
{
    if (pthread_create(thread_out, NULL, main, pipeline) != 0)
        pipeline_fail(pipeline, ST_EXHAUSTED, 0, "starting a thread");
}

enum status pipeline_start(struct pipeline *pipeline)
{
    REQUIRE(!pipeline->started);
    pipeline_on_open_data(pipeline);
    pipeline->started = true;
    if (pipeline->parts.log != NULL) {
        pipeline_spawn(pipeline, &pipeline->core, pipeline_core_main);
        pipeline_spawn(pipeline, &pipeline->apply, pipeline_apply_main);
        return ST_OK;
    }
    pipeline_enter_term(pipeline);
    pipeline_spawn(pipeline, &pipeline->core, pipeline_core_main);
    pipeline_spawn(pipeline, &pipeline->disk, pipeline_disk_main);
    pipeline_spawn(pipeline, &pipeline->apply, pipeline_apply_main);
    pipeline_spawn(pipeline, &pipeline->background, pipeline_background_main);
    pipeline_wait_idle(pipeline);
    if (!atomic_load(&pipeline->start_refused))
        return ST_OK;
    pipeline_drain(pipeline);
    return ST_READ_ONLY;
}

/* The last attestation, and refusals that wait to be entered. */
static bool pipeline_owes(struct pipeline *pipeline)
{
    if (atomic_load(&pipeline->start_refused))
        return false;
    if (!pipeline_role_leads(pipeline))
        return atomic_load(&pipeline->in_flight) > 0;
    /* In this order: lines are in flight before they leave their list. */
    return refused_waits(&pipeline->refused) ||
           atomic_load(&pipeline->in_flight) > 0 ||
           atomic_load(&pipeline->unattested) > 0;
}

static void pipeline_join(struct pipeline *pipeline)
{
    (void)pthread_join(pipeline->core, NULL);
    if (pipeline->parts.log == NULL)
        (void)pthread_join(pipeline->disk, NULL);
    (void)pthread_join(pipeline->apply, NULL);
    queue_close(&pipeline->chores);
    if (pipeline->parts.log == NULL)
        (void)pthread_join(pipeline->background, NULL);
}

void pipeline_drain(struct pipeline *pipeline)
{
    if (!pipeline->started)
        return;
    atomic_store(&pipeline->draining, true);
    if (pipeline->parts.log == NULL)
        pipeline_wait_idle(pipeline);
    /* Unless the disk or the clock refuses it, or nobody commits it. */
    for (int i = 0; i < PIPELINE_LAST_PAUSES && pipeline_owes(pipeline); i++)
        pipeline_pause();
    if (pipeline->parts.log != NULL)
        pipeline_follow(pipeline);
    pipeline_wait_idle(pipeline);
    queue_close(&pipeline->commands);
    pipeline_join(pipeline);
    pipeline->started = false;
}

/* ---- Commands ----------------------------------------------------------- */

enum status pipeline_submit(struct pipeline *pipeline, struct work *work)
{
    enum status status;

    if (atomic_load(&pipeline->draining))
        return ST_DRAINING;
    if (!pipeline_leads(pipeline) || !pipeline_role_leads(pipeline) ||
        atomic_load(&pipeline->cut_off))
        return ST_NOT_PRIMARY;
    if (atomic_load(&pipeline->stalled) || atomic_load(&pipeline->held) ||
        atomic_load(&pipeline->crowded) || !pipeline_admits(pipeline, work))
        return ST_READ_ONLY;
    decode_work(work);
    /* Without a host there is one; else it may end meanwhile. */
    work->term = atomic_load(&pipeline->term);
    /* The last places are for the node's own commands. */
    size_t size = work->command.body.size;
    if (queue_count(&pipeline->commands) >= QUEUE_COMMANDS_MAX ||
        atomic_load(&pipeline->waiting_size) + size > QUEUE_COMMANDS_SIZE_MAX) {
        atomic_fetch_add(&pipeline->counts.busy, 1);
        return ST_BUSY;
    }
    atomic_fetch_add(&pipeline->in_flight, 1);
    atomic_fetch_add(&pipeline->waiting_size, size);
    status = queue_push(&pipeline->commands, work);
    if (status != ST_OK) {
        atomic_fetch_sub(&pipeline->waiting_size, size);
        atomic_fetch_sub(&pipeline->in_flight, 1);
    }
    return status;
}

void pipeline_end_work(struct pipeline *pipeline, struct work *work)
{
    work_close(work);
    atomic_fetch_sub(&pipeline->in_flight, 1);
}

/* ---- What loops tell ---------------------------------------------------- */

void pipeline_refused(struct pipeline *pipeline,
                      const struct refused_line *line)
{
    refused_add(&pipeline->refused, line,
                clock_boot_ms(&pipeline->parts.clock));
}

void pipeline_noise(struct pipeline *pipeline, enum status cause,
                    uint32_t count)
{
    refused_add_noise(&pipeline->refused, cause, count,
                      clock_boot_ms(&pipeline->parts.clock),
                      clock_wall(&pipeline->parts.clock));
}

/* ---- What loops ask ----------------------------------------------------- */

struct directory *pipeline_directory(struct pipeline *pipeline)
{
    return pipeline->parts.directory;
}

const uint8_t *pipeline_cluster_id(const struct pipeline *pipeline)
{
    return pipeline->parts.cluster_id;
}

uint64_t pipeline_size(struct pipeline *pipeline)
{
    return atomic_load(&pipeline->size);
}
