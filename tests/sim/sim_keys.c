/*
 * sim_keys.c: seal keys, as far as replication knows of them: some entries use
 * one for the first time, and must not be acknowledged where it is missing.
 *
 * A key has its operation's number.  What a node was given is durable at once.
 */
#include <string.h>

#include "replication/sometimes.h"
#include "tests/sim/sim_full.h"

bool sim_key_used(uint32_t op)
{
    return op != SIM_EPOCH_OP && op % 5 == 0;
}

bool sim_key_known(const struct sim_node *node, uint32_t op)
{
    return !sim_key_used(op) || node->keys[op] != 0;
}

void sim_key_make(struct sim_node *node, uint32_t op, uint64_t index)
{
    if (sim_key_used(op))
        node->keys[op] = index + 1;
}

/* Those first used by the entries that the action names, in one frame. */
void sim_keys_send(struct sim *sim, struct sim_node *node,
                   const struct replica_action *action)
{
    uint8_t rows[REPLICA_APPEND_ENTRIES_MAX * 12], body[sizeof rows + 64];
    struct peer_frame frame = {.type = PEER_KEYS};
    struct writer writer, out;
    uint64_t end = action->keys.first + action->keys.count;

    if (node->full != NULL) {
        sim_full_keys_send(sim, node, action);
        return;
    }
    writer_init(&writer, rows, sizeof rows);
    for (uint32_t op = 0; op < SIM_OPS_MAX; op++) {
        uint64_t index = node->keys[op] - 1;

        if (node->keys[op] == 0 || index < action->keys.first || index >= end ||
            writer.used + 12 > sizeof rows)
            continue;
        writer_u32(&writer, op);
        writer_u64(&writer, index);
    }
    if (writer.used == 0)
        return;
    SOMETIMES(keys_travel);
    frame.keys.rows = writer_slice(&writer);
    writer_init(&out, body, sizeof body);
    peer_encode(&out, &frame);
    sim_send(sim, node->number, sim_other(sim, node->number, action->peer),
             PEER_KEYS, writer_slice(&out));
}

static bool keys_brought(const struct storage_job *job, uint32_t op)
{
    for (size_t i = 0; i < job->keys_count; i++) {
        for (size_t at = 0; at + 12 <= job->keys[i].size; at += 12) {
            if (load_u32(job->keys[i].data + at) == op)
                return true;
        }
    }
    return false;
}

static enum status keys_accept(void *context, const struct storage_job *job)
{
    struct sim_node *node = context;

    for (size_t i = 0; i < job->entries_count; i++) {
        uint32_t op = sim_entry_op(job->entries[i].bytes);

        if (sim_key_known(node, op) || MUTANT(79))
            continue;
        if (!keys_brought(job, op)) {
            SOMETIMES(key_is_missing);
            return ST_KEY_MISSING;
        }
        node->keys[op] = sim_entry_index(job->entries[i].bytes) + 1;
    }
    return ST_OK;
}

static void keys_truncate(void *context, uint64_t size)
{
    struct sim_node *node = context;

    for (uint32_t op = 0; op < SIM_OPS_MAX; op++) {
        if (node->keys[op] > size)
            node->keys[op] = 0;
    }
}

struct storage_keys sim_keys_of(struct sim_node *node)
{
    if (node->full != NULL)
        return sim_full_keys(node);
    return (struct storage_keys){
        .context = node, .accept = keys_accept, .truncate = keys_truncate};
}
