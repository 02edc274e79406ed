/*
 * sim_full_judge.c: the end of a full seed: states are equal, are what the log
 * says, and no disk holds personal text.
 */
#include <stdio.h>
#include <string.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_full_parts.h"

/* ---- States ------------------------------------------------------------- */

/* Every row of both. */
static void judge_equal(struct sim *sim, struct sim_node *one,
                        struct sim_node *other)
{
    uint8_t digests[2][HASH_SIZE];

    if (one == other || other->full->server.state == NULL ||
        one->state.applied != other->state.applied)
        return;
    state_full_digest(one->full->server.state, digests[0]);
    state_full_digest(other->full->server.state, digests[1]);
    if (memcmp(digests[0], digests[1], HASH_SIZE) != 0)
        sim_fail(sim, SIM_WRONG, "I14: the rows of %u and %u differ",
                 one->number, other->number);
}

static enum status judge_read_entry(void *log, uint64_t index,
                                    struct slice *entry_out)
{
    struct node *server = log;

    return journal_read_entry(server->journal, entry_out, server->entry_buffer,
                              index);
}

/* Entries [0, size) of the node's log into ${state}. */
static enum status judge_replay(struct sim_full_node *full, struct state *state,
                                uint64_t size)
{
    struct node *server = &full->server;
    struct idempotency *table = idempotency_open();
    struct directory *directory = directory_open();
    struct journal_cursor *cursor = NULL;
    struct apply_parts parts = {
        .state = state,
        .keyring = server->keyring,
        .directory = directory,
        .idempotency = table,
        .identity = &server->identity,
        .log = server,
        .read_entry = judge_read_entry,
    };
    struct apply *apply = NULL;
    struct slice entry;
    enum status status;

    memcpy(parts.cluster_id, server->cluster_id, CLUSTER_ID_SIZE);
    status = apply_open(&apply, &parts);
    if (status == ST_OK)
        status = journal_cursor_open(&cursor, server->journal, 0);
    if (status == ST_OK)
        apply_begin(apply);
    while (status == ST_OK && apply_size(apply) < size) {
        status = journal_cursor_next(cursor, &entry);
        if (status == ST_OK)
            status = apply_replay(apply, entry);
    }
    if (status == ST_OK)
        apply_commit(apply);
    journal_cursor_close(cursor);
    apply_close(apply);
    idempotency_close(table);
    directory_close(directory);
    return status;
}

/* I14: SQLite = replay(log[1..applied]). */
static void judge_rebuilt(struct sim_full_node *full, void *context)
{
    struct sim *sim = full->sim;
    uint8_t digests[2][HASH_SIZE];
    struct state *state;
    char path[32];
    enum status status;

    (void)context;
    (void)snprintf(path, sizeof path, "%u/state.db", (unsigned)SIM_NODES_MAX);
    status = state_open(&state, path);
    INVARIANT(status == ST_OK);
    status = judge_replay(full, state, full->node->state.applied);
    if (status == ST_OK) {
        SOMETIMES(state_built_anew);
        state_full_digest(state, digests[0]);
        state_full_digest(full->server.state, digests[1]);
        if (memcmp(digests[0], digests[1], HASH_SIZE) != 0)
            sim_fail(sim, SIM_WRONG, "I14: %u has another state than its log",
                     full->node->number);
    } else if (status != ST_CHECKSUM) {
        sim_fail(sim, SIM_WRONG, "I14: the log of %u does not replay: %d",
                 full->node->number, (int)status);
    }
    state_close(state);
}

/* ---- Disks -------------------------------------------------------------- */

struct search_of {
    struct sim *sim;
    const struct disk_model *disk;
    const char *directory;
    uint32_t node;
};

static void judge_file(void *context, const char *name)
{
    static const char text[] = "@sim.test";
    const struct search_of *of = context;
    char path[DISK_NAME_SIZE_MAX];
    const uint8_t *data;
    size_t size;

    (void)snprintf(path, sizeof path, "%s%s%s", of->directory,
                   of->directory[0] != '\0' ? "/" : "", name);
    if (disk_model_peek(of->disk, path, &data, &size) &&
        memmem(data, size, text, sizeof text - 1) != NULL)
        sim_fail(of->sim, SIM_WRONG, "%u has plain text in %s", of->node, path);
}

static void judge_disk(struct sim *sim, struct disk_model *disk, uint32_t node)
{
    static const char *const directories[] = {"", "log", "divergent"};

    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        struct search_of of = {sim, disk, directories[i], node};

        MAYBE(disk_list(disk_model_disk(disk), directories[i], &of,
                        judge_file) == ST_OK);
    }
}

/* ---- The end ------------------------------------------------------------ */

void sim_full_judge(struct sim *sim, struct sim_node *primary)
{
    sim_full_look(sim, primary);
    for (uint32_t i = 0; i < sim->options.nodes_count; i++) {
        struct sim_node *node = &sim->nodes[i];

        if (!node->up || node->journal == NULL)
            continue;
        judge_equal(sim, primary, node);
        judge_disk(sim, node->disk, i);
        judge_disk(sim, node->full->disk, i);
    }
    if (!sim_full_try(primary->full, judge_rebuilt, NULL))
        sim_trace(sim, "%u fails at the end", primary->number);
    sim_trace(sim, "%u reads disclosed something", (unsigned)sim->full->reads);
}
