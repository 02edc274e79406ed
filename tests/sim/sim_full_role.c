/*
 * sim_full_role.c: what the replica tells a node's pipeline, as
 * server/node_cluster.c and the host tell it.
 */
#include <string.h>

#include "tests/sim/sim_full_parts.h"

static struct pipeline *pipeline_of(const struct sim_node *node)
{
    return node->full->server.pipeline;
}

static void role_wake(struct sim *sim, struct sim_node *node)
{
    sim_full_wake(sim, node, FULL_TURN_CORE);
    sim_full_wake(sim, node, FULL_TURN_APPLY);
}

void sim_full_lead(struct sim *sim, struct sim_node *node,
                   const struct replica_action *action)
{
    node->full->lead_epoch = action->lead.epoch;
    node->full->config_told = 0;
    pipeline_lead(pipeline_of(node),
                  &(struct pipeline_lead){
                      .epoch = action->lead.epoch,
                      .end = action->lead.end,
                      .configuration = action->lead.config,
                      .certificate = action->lead.certificate,
                  });
    pipeline_set_leading(pipeline_of(node), true, NULL, NULL);
    role_wake(sim, node);
}

void sim_full_follow(struct sim *sim, struct sim_node *node)
{
    node->full->lead_epoch = 0;
    pipeline_set_leading(pipeline_of(node), false, NULL, NULL);
    pipeline_follow(pipeline_of(node));
    /* What comes next may be told before this is heard. */
    sim_full_starve(node->full, FULL_TURN_APPLY, 300);
    role_wake(sim, node);
}

void sim_full_drain(struct sim *sim, struct sim_node *node, bool on)
{
    pipeline_drain_commands(pipeline_of(node), on);
    role_wake(sim, node);
}

bool sim_full_is_idle(struct sim_node *node)
{
    return pipeline_idle(pipeline_of(node));
}

/* ---- Committed ---------------------------------------------------------- */

/* Entry ${index}, from whoever can read it. */
static bool commit_entry(struct sim *sim, struct sim_node *node,
                         struct slice *out, uint8_t *buffer, uint64_t index)
{
    struct config config;

    if (journal_read_entry(node->journal, out, buffer, index) == ST_OK)
        return true;
    /* Damaged here: every member has what was committed (I9). */
    if (!sim_register_config(sim, &config))
        return false;
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *other = &sim->nodes[i];

        if (other != node && other->up && other->journal != NULL &&
            config_has_member(&config, other->id) &&
            journal_read_entry(other->journal, out, buffer, index) == ST_OK)
            return true;
    }
    return false;
}

void sim_full_commit(struct sim *sim, struct sim_node *node, uint64_t size)
{
    uint8_t buffer[JOURNAL_READ_SIZE], leaf[HASH_SIZE];
    struct sim_full_node *full = node->full;
    struct slice entry;

    if (size > journal_size(node->journal)) {
        sim_fail(sim, SIM_WRONG, "%u publishes what is not durable",
                 node->number);
        return;
    }
    for (; full->told < size && sim->failure == SIM_GOOD; full->told++) {
        if (!commit_entry(sim, node, &entry, buffer, full->told))
            break;
        entry_leaf_hash(leaf, entry);
        sim_saw_commit(sim, node, full->told, leaf);
        sim_full_saw(sim, full->told, entry);
    }
    full->blind = full->told < size;
    pipeline_committed(pipeline_of(node), size);
    sim_full_wake(sim, node, FULL_TURN_APPLY);
}

/* ---- Now and again ------------------------------------------------------ */

/* As host_step.c: not every configuration comes with an epoch. */
void sim_full_stepped(struct sim *sim, struct sim_node *node)
{
    struct sim_full_node *full = node->full;
    struct config config;
    struct slice bytes;

    if (full->lead_epoch == 0 ||
        !replica_config(node->replica, &config, &bytes) ||
        config.number == full->config_told)
        return;
    full->config_told = config.number;
    pipeline_note_config(pipeline_of(node), bytes,
                         replica_certificate(node->replica));
    sim_full_wake(sim, node, FULL_TURN_APPLY);
}

/* As host_events.c. */
static void tick_clocks(struct sim *sim, struct sim_node *node)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    struct replica_status status;

    replica_status(node->replica, &status, sim->now / 1000 + 1);
    for (size_t i = 0; i < status.nodes_count; i++) {
        const struct replica_member_status *other = &status.nodes[i];

        if (!other->linked || other->heard_ms < 0)
            continue;
        least = other->clock_us < least ? other->clock_us : least;
        most = other->clock_us > most ? other->clock_us : most;
    }
    if (least > most)
        pipeline_peer_clock(pipeline_of(node), INT64_MIN, INT64_MAX);
    else
        pipeline_peer_clock(pipeline_of(node), least, most);
}

/* As the disk thread's background; without a next segment there is no room to
 * sequence into. */
static void tick_spare(struct sim *sim, struct sim_node *node)
{
    if (journal_wants_spare(node->journal) &&
        journal_prepare_next(node->journal) == ST_DISK_FAILED)
        sim_node_fails(sim, node);
}

void sim_full_tick(struct sim *sim, struct sim_node *node)
{
    struct replica_event event = {.type = REPLICA_ENROLLED};
    struct sim_full_node *full = node->full;
    struct directory_key key;

    enum { KEY_IS_ACTIVE = 1 };
    tick_clocks(sim, node);
    tick_spare(sim, node);
    event.enrolled = directory_find(full->server.directory, &key,
                                    full->server.identity.key_id) &&
                     key.is_node && key.state == KEY_IS_ACTIVE;
    if (event.enrolled == full->enrolled)
        return;
    full->enrolled = event.enrolled;
    full->was_enrolled |= event.enrolled;
    sim_node_event(sim, node, &event);
}

bool sim_full_was_enrolled(const struct sim_node *node)
{
    return node->full->was_enrolled;
}

/* ---- Seal keys ---------------------------------------------------------- */

struct keys_frame {
    struct keyring_cursor cursor;
    uint64_t end;
    size_t size;
    uint8_t rows[PEER_KEYS_SIZE_MAX];
};

static void keys_next(struct sim_full_node *full, void *context)
{
    struct keys_frame *frame = context;

    frame->size = pipeline_keys(full->server.pipeline, frame->rows,
                                sizeof frame->rows, &frame->cursor, frame->end);
}

/* They go before the entries that need them. */
void sim_full_keys_send(struct sim *sim, struct sim_node *node,
                        const struct replica_action *action)
{
    uint32_t other = sim_other(sim, node->number, action->peer);
    struct keys_frame keys = {.cursor = {.first_index = action->keys.first},
                              .end = action->keys.first + action->keys.count};
    uint8_t body[FRAME_BODY_SIZE_MAX];

    for (;;) {
        struct peer_frame frame = {.type = PEER_KEYS};
        struct writer writer;

        frame.keys.first = keys.cursor.first_index;
        if (!sim_full_try(node->full, keys_next, &keys)) {
            sim_node_fails(sim, node);
            return;
        }
        if (keys.size == 0)
            return;
        frame.keys.rows = slice_of(keys.rows, keys.size);
        writer_init(&writer, body, sizeof body);
        peer_encode(&writer, &frame);
        INVARIANT(writer.status == ST_OK);
        sim_send(sim, node->number, other, PEER_KEYS, writer_slice(&writer));
    }
}

/* One call of the thread of the storage jobs. */
struct keys_call {
    const struct storage_job *job; /* NULL: truncate. */
    uint64_t size;
    enum status status;
};

static void keys_run(struct sim_full_node *full, void *context)
{
    struct keys_call *call = context;

    sim_full_settle(full);
    if (call->job != NULL)
        call->status = pipeline_accept(full->server.pipeline, call->job);
    else
        pipeline_truncate_keys(full->server.pipeline, call->size);
}

static enum status keys_accept(void *context, const struct storage_job *job)
{
    struct sim_node *node = context;
    struct keys_call call = {.job = job, .status = ST_DISK_FAILED};

    /* The process ends with the job. */
    if (!sim_full_try(node->full, keys_run, &call))
        return ST_DISK_FAILED;
    return call.status;
}

static void keys_truncate(void *context, uint64_t size)
{
    struct sim_node *node = context;
    struct keys_call call = {.size = size};

    if (!sim_full_try(node->full, keys_run, &call))
        sim_node_fails(node->full->sim, node);
}

struct storage_keys sim_full_keys(struct sim_node *node)
{
    return (struct storage_keys){
        .context = node, .accept = keys_accept, .truncate = keys_truncate};
}
