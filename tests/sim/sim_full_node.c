/*
 * sim_full_node.c: the process of one node, from its start to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_full_parts.h"
#include "tests/sim/sim_full_vfs.h"

enum { FULL_BOOT_US = 1000000, FULL_PENDING_MAX = 1 << 20 };

/* ---- What it is made of ------------------------------------------------- */

static int64_t clock_of_wall(void *context)
{
    const struct sim_full_node *full = context;

    return sim_full_wall(full->sim, full->node);
}

static int64_t clock_of_boot(void *context)
{
    const struct sim_full_node *full = context;

    return FULL_BOOT_US + full->sim->now;
}

void sim_full_make(struct sim *sim, struct sim_node *node)
{
    struct sim_full_node *full = calloc(1, sizeof *full);

    INVARIANT(full != NULL);
    node->full = full;
    full->sim = sim;
    full->node = node;
    full->disk = disk_model_new();
    full->server.entry_buffer = malloc(JOURNAL_READ_SIZE);
    INVARIANT(full->server.entry_buffer != NULL);
    (void)snprintf(full->server.options.directory,
                   sizeof full->server.options.directory, "%u", node->number);
    full->server.options.cluster.is_there = true;
    full->server.keyring_key.secret[0] = (uint8_t)(1 + node->number);
}

void sim_full_wipe(struct sim_node *node)
{
    struct sim_full_node *full = node->full;

    if (full == NULL)
        return;
    disk_model_free(full->disk);
    disk_model_free(full->older);
    free(full->server.entry_buffer);
    free(full);
    node->full = NULL;
}

/* ---- Starting ----------------------------------------------------------- */

/* As node_log.c: the log begins with the genesis that lies beside it. */
static enum status start_genesis(struct sim_full_node *full)
{
    struct sim_full *world = full->sim->full;
    struct journal *journal = full->node->journal;
    struct journal_entry entry = {
        .bytes = slice_of(world->genesis, world->genesis_size)};
    enum status status;

    if (journal_size(journal) > 0)
        return ST_OK;
    entry_leaf_hash(entry.leaf, entry.bytes);
    status = journal_append(journal, &entry, 1);
    return status == ST_OK ? journal_sync(journal, 1) : status;
}

/* As node.c says what may be applied. */
static struct node_known start_known(const struct sim_full_node *full)
{
    struct journal *journal = full->node->journal;

    return (struct node_known){
        .committed = journal_committed(journal),
        .lost = journal_lost(journal).kind != MARK_WHOLE,
        .peers = true,
    };
}

static void no_growth(void *context, uint64_t size)
{
    (void)context;
    (void)size;
}

static void no_end(void *context, const uint8_t key_id[KEY_ID_SIZE])
{
    (void)context;
    (void)key_id;
}

static void start_pipeline(struct sim_full_node *full)
{
    struct node *server = &full->server;
    struct pipeline_parts parts = {
        .journal = server->journal,
        .keyring = server->keyring,
        .state = server->state,
        .search = server->search,
        .directory = server->directory,
        .apply = server->apply,
        .idempotency = server->idempotency,
        .identity = &server->identity,
        .clock = {full, clock_of_wall, clock_of_boot},
        .events = {.context = full,
                   .answer = sim_full_answer,
                   .grown = no_growth,
                   .key_ended = no_end},
        .log = &full->log,
        .end = journal_end(server->journal),
        .failed_context = full,
        .failed = sim_full_failed,
    };

    memcpy(parts.cluster_id, server->cluster_id, CLUSTER_ID_SIZE);
    full->log =
        (struct pipeline_log){.context = full, .submit = sim_full_submit};
    server->pipeline = pipeline_open(&parts);
    pipeline_set_leading(server->pipeline, false, NULL, NULL);
    full->core = (struct core){.pipeline = server->pipeline};
    full->applier = (struct applier){.pipeline = server->pipeline};
}

static void start_server(struct sim_full_node *full, void *context)
{
    struct node *server = &full->server;
    struct node_known known = start_known(full);
    enum node_exit *exit = context;

    *exit = node_open_state(server, &known);
    if (*exit == NODE_DRAINED)
        start_pipeline(full);
}

static void start_forget(struct sim_full_node *full)
{
    full->turn_at[0] = full->turn_at[1] = 0;
    full->starved[0] = full->starved[1] = 0;
    full->submit_at = 0;
    full->lead_epoch = 0;
    full->config_told = 0;
    full->told = full->seen = 0;
    full->blind = false;
    full->enrolled = false;
}

/* A start that must not fail: what the node refuses, it was given wrongly. */
static enum status start_refused(struct sim *sim, struct sim_node *node,
                                 enum node_exit exit)
{
    if (exit == NODE_REFUSED)
        return ST_DISK_FAILED;
    if ((sim->options.kinds & KIND_SAFETY_ONLY) == 0 || exit != NODE_DAMAGED)
        sim_fail(sim, SIM_WRONG, "%u does not start: exit %d", node->number,
                 (int)exit);
    return ST_LOST;
}

enum status sim_full_start(struct sim *sim, struct sim_node *node)
{
    struct sim_full_node *full = node->full;
    struct node *server = &full->server;
    enum node_exit exit = NODE_REFUSED;
    enum status status;

    start_forget(full);
    server->journal = node->journal;
    server->identity = sim->full->nodes[node->number];
    memcpy(server->cluster_id, sim->full->cluster_id, CLUSTER_ID_SIZE);
    memcpy(server->node_id, node->id, NODE_ID_SIZE);
    status = start_genesis(full);
    if (status != ST_OK)
        return status;
    full->ended = false;
    if (!sim_full_try(full, start_server, &exit))
        return ST_DISK_FAILED;
    if (exit != NODE_DRAINED)
        return start_refused(sim, node, exit);
    sim_full_wake(sim, node, FULL_TURN_CORE);
    sim_full_wake(sim, node, FULL_TURN_APPLY);
    return ST_OK;
}

/* ---- Ending ------------------------------------------------------------- */

static void end_works(struct work *work)
{
    while (work != NULL) {
        struct work *next = work->next;

        work_close(work);
        work = next;
    }
}

static void end_replies(struct reply_lists *lists)
{
    for (size_t i = 0; i < REPLY_LOOPS_MAX; i++) {
        while (lists->first[i] != NULL) {
            struct reply *reply = lists->first[i];

            lists->first[i] = reply->next;
            reply_close(reply);
        }
    }
}

static void end_group(struct group *group)
{
    end_works(group->works);
    group->works = NULL;
    group_close(group);
}

/* What the threads had at hand, and what waited for them. */
static void end_threads(struct sim_full_node *full)
{
    struct pipeline *pipeline = full->server.pipeline;
    void *taken;

    for (size_t i = 0; i < full->core.works_count; i++)
        work_close(full->core.works[i]);
    for (size_t i = 0; i < full->applier.groups_count; i++)
        end_group(full->applier.groups[i]);
    end_works(full->applier.done);
    end_replies(&full->core.replies);
    end_replies(&full->applier.replies);
    while (queue_take(&pipeline->commands, &taken, 1, 0) == 1)
        work_close(taken);
    while (queue_take(&pipeline->to_apply, &taken, 1, 0) == 1)
        end_group(taken);
    queue_close(&pipeline->free_groups);
    pipeline_close(pipeline);
}

/* Nothing of it reaches the disk any more. */
void sim_full_end(struct sim_node *node)
{
    struct sim_full_node *full = node->full;
    struct node *server;

    if (full == NULL)
        return;
    server = &full->server;
    disk_model_power_off_after(full->disk, 0);
    if (server->pipeline != NULL)
        end_threads(full);
    apply_close(server->apply);
    if (server->idempotency != NULL)
        idempotency_close(server->idempotency);
    if (server->directory != NULL)
        directory_close(server->directory);
    if (server->search != NULL)
        search_close(server->search);
    state_close(server->state);
    keyring_close(server->keyring);
    sim_full_unshare_all(full->disk);
    server->pipeline = NULL;
    server->apply = NULL;
    server->idempotency = NULL;
    server->directory = NULL;
    server->search = NULL;
    server->state = NULL;
    server->keyring = NULL;
    server->journal = NULL;
}

/* ---- Its disk ----------------------------------------------------------- */

/* Somebody deletes state.db: the log is all that it was made of. */
static void disk_drop_state(struct sim *sim, struct sim_node *node)
{
    static const char *const names[] = {"state.db", "state.db-wal"};
    const uint8_t *data;
    size_t size;

    sim_trace(sim, "%u: the state is deleted", node->number);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (disk_model_peek(node->full->disk, names[i], &data, &size))
            disk_model_drop(node->full->disk, names[i]);
    }
}

/* All, nothing or any part of what was not synced survives. */
void sim_full_lose_power(struct sim *sim, struct sim_node *node)
{
    struct sim_full_node *full = node->full;
    struct random *random = &sim->full->fault;
    size_t pending = disk_model_pending(full->disk);
    size_t size = pending / 8 + 1, torn = SIZE_MAX;
    uint32_t mode = random_below(random, 4);
    uint8_t *keep = malloc(size);

    INVARIANT(keep != NULL && pending < FULL_PENDING_MAX);
    for (size_t i = 0; i < size; i++)
        keep[i] = mode == 0   ? 0
                  : mode == 1 ? 0xff
                              : (uint8_t)random_next(random);
    if (pending > 0 && random_chance(random, 300))
        torn = random_below(random, (uint32_t)pending);
    disk_model_lose_power(full->disk, keep, size, mode == 1, torn);
    free(keep);
    if ((sim->options.faults & FAULT_ROT) != 0 && random_chance(random, 100))
        disk_drop_state(sim, node);
}

void sim_full_keep_older(struct sim_node *node)
{
    disk_model_free(node->full->older);
    node->full->older = disk_model_copy(node->full->disk);
}

void sim_full_put_older(struct sim_node *node)
{
    disk_model_free(node->full->disk);
    node->full->disk = disk_model_copy(node->full->older);
}

void sim_full_fault(struct sim *sim, struct sim_node *node)
{
    struct random *random = &sim->full->fault;
    struct disk_model *disk = node->full->disk;

    if (!node->up)
        return;
    if ((sim->options.faults & FAULT_SYNC) != 0 && random_chance(random, 300))
        disk_model_fail_sync_after(disk, 1 + random_below(random, 6));
    if ((sim->options.faults & FAULT_FULL) != 0 && random_chance(random, 150))
        disk_model_fail_after(disk, 1 + random_below(random, 60), ST_DISK_FULL);
    if ((sim->options.faults & FAULT_CRASH) != 0 && random_chance(random, 300))
        disk_model_power_off_after(disk, random_below(random, 200));
}
