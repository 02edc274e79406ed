/*
 * pipeline_term.c: the core thread's part in leading and following.
 *
 *   follow ── host leads, nothing of the former term is under way ──> EPOCH
 *   EPOCH  ── the inherited commands are known ──────────────────────> lead
 *   any    ── host follows ──────────────────────────────────────────> follow
 */
#include "protocol/entry.h"
#include "replication/sometimes.h"
#include "server/pipeline/decode.h"
#include "server/pipeline/pipeline_private.h"

/* ---- The keyring -------------------------------------------------------- */

void core_end_term(struct core *core)
{
    struct pipeline_keys *keys = &core->pipeline->keys;

    core->leads = false;
    core->has_epoch = false;
    core->owes_secret = false;
    if (!core->has_keys)
        return;
    core->has_keys = false;
    keyring_leave(core->pipeline->parts.keyring);
    (void)pthread_mutex_lock(&keys->lock);
    keys->core = false;
    (void)pthread_cond_broadcast(&keys->changed);
    (void)pthread_mutex_unlock(&keys->lock);
}

/* Keys at or above the end are of entries that never came to be here. */
static void core_take_keys(struct core *core, uint64_t size)
{
    struct keyring *keyring = core->pipeline->parts.keyring;
    struct pipeline_keys *keys = &core->pipeline->keys;

    (void)pthread_mutex_lock(&keys->lock);
    keys->core = true;
    (void)pthread_mutex_unlock(&keys->lock);
    keyring_take(keyring);
    core->has_keys = true;
    if (keyring_end(keyring) > size)
        keyring_truncate(keyring, size);
}

/* ---- What is inherited -------------------------------------------------- */

/* One entry of the inherited tail; whether it sets the cluster secret. */
static bool core_inherit_entry(struct pipeline *pipeline, struct slice bytes)
{
    uint8_t signed_bytes[COMMAND_SIGNED_SIZE];
    uint8_t hash[HASH_SIZE];
    struct entry entry;
    struct item first;
    enum status status = entry_view(&entry, bytes);

    /* A backup takes only what is well formed. */
    if (status != ST_OK)
        pipeline_fail(pipeline, status, pipeline_look(pipeline).lead_size,
                      "reading the inherited tail");
    entry_compose(&entry, signed_bytes, pipeline->parts.cluster_id);
    command_hash(hash, signed_bytes, entry.signature);
    idempotency_add(pipeline->parts.idempotency, entry.header.key_id,
                    entry.header.idem, hash, entry.place.index);
    entry_item(&first, &entry, 0);
    return first.clear_part.opcode == OPCODE_SYSTEM_SECRET;
}

/* Makes the commands of entries that are not applied known; whether there is no
 * cluster secret yet. */
static bool core_inherit(struct pipeline *pipeline, uint64_t size)
{
    uint64_t from = atomic_load(&pipeline->size);
    /* It is told before the size. */
    bool secret = atomic_load(&pipeline->has_secret);
    struct journal_cursor *cursor;
    struct slice bytes;
    enum status status = ST_OK;

    if (from >= size || MUTANT(105))
        return !secret;
    status = journal_cursor_open(&cursor, pipeline->parts.journal, from);
    if (status != ST_OK)
        pipeline_fail(pipeline, status, from, "reading the inherited tail");
    for (; status == ST_OK && from < size; from++) {
        status = journal_cursor_next(cursor, &bytes);
        if (status != ST_OK)
            break;
        secret = core_inherit_entry(pipeline, bytes) || secret;
    }
    journal_cursor_close(cursor);
    if (status != ST_OK)
        pipeline_fail(pipeline, status, from, "reading the inherited tail");
    return !secret;
}

/* ---- Beginning ---------------------------------------------------------- */

/* One command of the node in a group of its own; false if there is no room, or
 * the clock is not to be believed. */
static bool core_enter(struct core *core, struct work *work)
{
    struct pipeline *pipeline = core->pipeline;
    struct group *group = core_group(core);
    enum sequencer_verdict verdict;

    work->term = core->term;
    decode_work(work);
    atomic_fetch_add(&pipeline->in_flight, 1);
    verdict = sequencer_put(pipeline->sequencer, group, work);
    if (verdict != SEQUENCER_TAKEN)
        pipeline_end_work(pipeline, work);
    core_send(core, group);
    return verdict == SEQUENCER_TAKEN;
}

/* Whether ${core} is still in the term that the host told last. */
static bool core_lead_of(struct core *core, struct pipeline_term *lead_out)
{
    struct pipeline_role *role = &core->pipeline->role;
    bool same;

    (void)pthread_mutex_lock(&role->lock);
    *lead_out = role->lead;
    same = role->view.term == core->term;
    (void)pthread_mutex_unlock(&role->lock);
    return same;
}

static bool core_is_clear(struct pipeline *pipeline)
{
    bool clear;

    (void)pthread_mutex_lock(&pipeline->gate);
    clear = pipeline->under_way == 0;
    (void)pthread_mutex_unlock(&pipeline->gate);
    return clear;
}

/* The sequencer and its keys; false as long as something of the former term is
 * under way: the apply thread takes it out of the look-up. */
static bool core_prepare(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    struct pipeline_term lead;

    if (core->has_keys)
        return true;
    if (!core_is_clear(pipeline) || !core_lead_of(core, &lead))
        return false;
    core->inherited_size = lead.start.end.size;
    core_take_keys(core, core->inherited_size);
    sequencer_begin(pipeline->sequencer, &lead.start);
    idempotency_reserve(pipeline->parts.idempotency,
                        core->inherited_size + PIPELINE_PENDING -
                            atomic_load(&pipeline->size));
    return true;
}

static bool core_begin_term(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    struct pipeline_term lead;

    if (!core_prepare(core) || !core_lead_of(core, &lead))
        return false;
    if (!core->has_epoch) {
        core->has_epoch =
            core_enter(core, pipeline_epoch_work(pipeline, &lead));
        if (!core->has_epoch)
            return false;
        core->owes_secret = core_inherit(pipeline, core->inherited_size);
    }
    if (core->owes_secret && !core_enter(core, pipeline_secret_work(pipeline)))
        return false;
    core->owes_secret = false;
    core->leads = true;
    atomic_store(&pipeline->begun, core->term);
    return true;
}

bool core_serve_term(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    struct pipeline_view view = pipeline_look(pipeline);
    struct pipeline_role *role = &pipeline->role;

    if (view.term != core->term) {
        core_end_term(core);
        core->term = view.term;
        core_stall(core, false);
    }
    core->waits = false;
    if (!view.leads || atomic_load(&pipeline->draining))
        return core->leads;
    (void)pthread_mutex_lock(&role->lock);
    sequencer_peers(pipeline->sequencer, role->offset_us_min,
                    role->offset_us_max);
    (void)pthread_mutex_unlock(&role->lock);
    /* Groups end soon and tell nobody; room and clocks take their time. */
    if (!core->leads)
        core->waits = !core_begin_term(core) && !core->has_keys;
    return core->leads;
}
