#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/entry.h"
#include "tests/sim/sim_full.h"

/*
 * What stands for the pipeline: entries of one open item whose idempotency
 * number is the operation's, and a state that tells which operation has been
 * done at which index.
 */

enum { ENTRY_DATA_MIN = SALT_SIZE, ENTRY_BUFFER = 4096 };
#define EPOCH_OP SIM_EPOCH_OP

/* ---- Entries ------------------------------------------------------------ */

static void entry_item_write(uint8_t *out, size_t data_size, uint64_t index,
                             uint32_t op)
{
    struct item_clear clear = {
        .opcode = 1,
        .version = 1,
        .size = (uint32_t)(ITEM_CLEAR_SIZE + data_size),
        .subject = op,
    };
    uint8_t *data = out + ENTRY_ITEM_FIXED_SIZE;

    for (size_t at = 0; at < data_size; at++)
        data[at] = (uint8_t)((index + 1) * 31 + at * 7 + op);
    item_clear_encode(out, &clear);
    item_commitment(out + ITEM_CLEAR_SIZE, slice_of(data, data_size));
    store_u64(out + 64, 0);
    store_u32(out + 72, (uint32_t)data_size);
    store_u32(out + 76, 0);
}

static struct journal_entry entry_make(uint8_t *out, struct journal_end *end,
                                       size_t data_size, uint32_t epoch,
                                       uint32_t op, int64_t wall)
{
    size_t size = ENTRY_FIXED_SIZE + ENTRY_ITEM_FIXED_SIZE + data_size;
    struct command_header header = {
        .items_count = 1,
        .realm = 2,
        .signed_at = wall,
        .ttl_s = TTL_S_DEFAULT,
        .body_size = (uint32_t)(ITEM_CLEAR_SIZE + data_size),
    };
    struct journal_entry entry = {.bytes = {out, size}};
    struct writer writer;

    store_u32(header.idem, op);
    store_u32(header.idem + 4, epoch * (op == EPOCH_OP));
    if (wall > end->log_time)
        end->log_time = wall;
    end->epoch = epoch;
    writer_init(&writer, out, size);
    writer_u16(&writer, ENTRY_VERSION);
    writer_u8(&writer, CATEGORY_MIN);
    writer_u8(&writer, header.realm);
    writer_u32(&writer, epoch);
    writer_u64(&writer, end->size);
    writer_i64(&writer, end->log_time);
    writer_bytes(&writer, end->leaf, HASH_SIZE);
    writer_u16(&writer, header.items_count);
    writer_u16(&writer, 0);
    writer_u32(&writer, (uint32_t)(size - ENTRY_FIXED_SIZE));
    command_header_encode(writer_reserve(&writer, COMMAND_HEADER_SIZE),
                          &header);
    memset(writer_reserve(&writer, SIGNATURE_SIZE), 0x55, SIGNATURE_SIZE);
    entry_item_write(writer_reserve(&writer, size - ENTRY_FIXED_SIZE),
                     data_size, end->size, op);
    INVARIANT(writer.status == ST_OK);
    entry_leaf_hash(entry.leaf, entry.bytes);
    memcpy(end->leaf, entry.leaf, HASH_SIZE);
    end->size++;
    return entry;
}

uint32_t sim_entry_op(struct slice bytes)
{
    struct entry entry;
    enum status status = entry_view(&entry, bytes);

    INVARIANT(status == ST_OK);
    return load_u32(entry.header.idem);
}

uint64_t sim_entry_index(struct slice bytes)
{
    struct entry entry;
    enum status status = entry_view(&entry, bytes);

    INVARIANT(status == ST_OK);
    return entry.place.index;
}

/* ---- Leading ------------------------------------------------------------ */

static void submit(struct sim *sim, struct sim_node *node, uint32_t op)
{
    uint8_t buffer[ENTRY_BUFFER];
    size_t data_size =
        ENTRY_DATA_MIN + random_skewed(&sim->load, sim->options.data_max);
    struct journal_entry entry =
        entry_make(buffer, &node->end, data_size, node->epoch, op,
                   sim->now + node->clock_us);
    struct replica_event event = {.type = REPLICA_SUBMITTED};

    if (op != EPOCH_OP) {
        INVARIANT(node->pending_count < SIM_OPS_MAX);
        node->pending[node->pending_count++] =
            (struct sim_pending){.index = node->end.size - 1, .op = op};
    }
    event.submitted.entries = &entry;
    event.submitted.count = 1;
    event.submitted.keyed = sim_key_used(op);
    sim_key_make(node, op, node->end.size - 1);
    sim_saw_made(sim, entry.leaf);
    sim_node_event(sim, node, &event);
}

void sim_lead(struct sim *sim, struct sim_node *node,
              const struct replica_action *action)
{
    uint8_t buffer[JOURNAL_READ_SIZE];

    sim->counts[COUNT_LEADS]++;
    if (node->follows)
        sim_follow(sim, node);
    node->leading = true;
    node->draining = false;
    node->epoch = action->lead.epoch;
    sim_saw_lead(sim, node);
    if (node->full != NULL) {
        sim_full_lead(sim, node, action);
        return;
    }
    node->end = action->lead.end;
    node->pending_count = 0;
    /* The inherited tail is known before anything is sequenced. */
    for (uint64_t i = node->state.applied; i < node->end.size; i++) {
        struct slice entry;
        enum status status =
            journal_read_entry(node->journal, &entry, buffer, i);

        /* Unread so far, and rotten: the next start finds it, and has it
         * repaired. */
        if (status != ST_OK) {
            sim_node_fails(sim, node);
            return;
        }
        if (sim_entry_op(entry) != EPOCH_OP)
            node->pending[node->pending_count++] =
                (struct sim_pending){.index = i, .op = sim_entry_op(entry)};
    }
    node->enters = true;
}

void sim_enter(struct sim *sim, struct sim_node *node)
{
    node->enters = false;
    if (node->leading)
        submit(sim, node, EPOCH_OP);
}

void sim_follow(struct sim *sim, struct sim_node *node)
{
    node->follows = false;
    node->leading = false;
    node->draining = false;
    if (node->full != NULL) {
        sim_full_follow(sim, node);
        return;
    }
    sim->counts[COUNT_UNKNOWN] += node->pending_count;
    for (size_t i = 0; i < node->pending_count; i++)
        sim_reply(sim, node->pending[i].op, false, 0);
    node->pending_count = 0;
}

void sim_command(struct sim *sim, struct sim_node *node, uint32_t op)
{
    if (node->full != NULL) {
        sim_full_command(sim, node, op);
        return;
    }
    if (!node->up || !node->leading || node->draining) {
        sim_reply(sim, op, false, 0);
        return;
    }
    if (node->state.index_of[op] != UINT64_MAX) {
        sim_reply(sim, op, true, node->state.index_of[op]);
        return;
    }
    for (size_t i = 0; i < node->pending_count; i++) {
        if (node->pending[i].op == op)
            return; /* In progress. */
    }
    /* Bounded, as the pipeline's groups are. */
    if (node->pending_count > 64) {
        sim_reply(sim, op, false, 0);
        return;
    }
    submit(sim, node, op);
}

/* ---- Applying ----------------------------------------------------------- */

void sim_state_open(struct sim_node *node)
{
    node->state.applied = 0;
    memset(node->state.digest, 0, HASH_SIZE);
    for (size_t i = 0; i < SIM_OPS_MAX; i++)
        node->state.index_of[i] = UINT64_MAX;
}

static void apply_pending(struct sim *sim, struct sim_node *node,
                          uint64_t index, uint32_t op)
{
    for (size_t i = 0; i < node->pending_count; i++) {
        if (node->pending[i].index != index)
            continue;
        node->pending[i] = node->pending[--node->pending_count];
        if (node->leading) {
            sim_reply(sim, op, true, index);
        }
        return;
    }
}

static void apply_one(struct sim *sim, struct sim_node *node, uint64_t index,
                      struct slice entry)
{
    uint8_t leaf[HASH_SIZE], both[2 * HASH_SIZE];
    uint32_t op = sim_entry_op(entry);

    entry_leaf_hash(leaf, entry);
    memcpy(both, node->state.digest, HASH_SIZE);
    memcpy(both + HASH_SIZE, leaf, HASH_SIZE);
    crypto_hash_sha256(node->state.digest, both, sizeof both);
    sim_saw_commit(sim, node, index, leaf);
    if (op == EPOCH_OP)
        return;
    if (node->state.index_of[op] != UINT64_MAX) {
        sim_fail(sim, SIM_WRONG, "I12: operation %u has two effects", op);
        return;
    }
    node->state.index_of[op] = index;
    apply_pending(sim, node, index, op);
}

void sim_commit(struct sim *sim, struct sim_node *node, uint64_t size)
{
    uint8_t buffer[JOURNAL_READ_SIZE];

    if (node->full != NULL) {
        sim_full_commit(sim, node, size);
        return;
    }
    if (size > journal_size(node->journal)) {
        sim_fail(sim, SIM_WRONG, "%u publishes what is not durable",
                 node->number);
        return;
    }
    while (node->state.applied < size && sim->failure == SIM_GOOD) {
        uint64_t index = node->state.applied;
        struct slice entry;
        enum status status =
            journal_read_entry(node->journal, &entry, buffer, index);

        if (status == ST_DISK_FAILED)
            sim_node_fails(sim, node);
        /* Damaged: once it is repaired, at the next commit. */
        if (status != ST_OK)
            return;
        node->state.applied++;
        apply_one(sim, node, index, entry);
    }
}
