/*
 * pipeline_erasure.c: acts that destroy keys, from their hour to this node's
 * confirmation; see erasure.h.
 */
#include <string.h>

#include "replication/need.h"
#include "server/pipeline/decode.h"
#include "server/pipeline/pipeline_private.h"
#include "server/registry/destroy.h"

void pipeline_burial_init(struct pipeline_burial *burial)
{
    NEED(pthread_mutex_init(&burial->lock, NULL) == 0);
    atomic_store(&burial->due, false);
}

void pipeline_awaits_init(struct pipeline_awaits *awaits)
{
    NEED(pthread_mutex_init(&awaits->lock, NULL) == 0);
    awaits->count = 0;
}

void pipeline_awaits_end(struct pipeline_awaits *awaits)
{
    (void)pthread_mutex_destroy(&awaits->lock);
}

void pipeline_burial_wipe(struct pipeline_burial *burial)
{
    erasure_wipe(&burial->list);
    (void)pthread_mutex_destroy(&burial->lock);
}

/* ---- The core thread ----------------------------------------------------- */

/* Whoever owns the keyring of a node that follows waits for nothing here. */
static void bury_for_follower(struct pipeline *pipeline,
                              const struct erasure_list *list)
{
    struct pipeline_keys *keys = &pipeline->keys;

    (void)pthread_mutex_lock(&keys->lock);
    REQUIRE(!keys->core);
    keyring_take(pipeline->parts.keyring);
    erasure_bury(pipeline->parts.keyring, list);
    keyring_leave(pipeline->parts.keyring);
    (void)pthread_mutex_unlock(&keys->lock);
}

void core_bury(struct core *core)
{
    struct pipeline *pipeline = core->pipeline;
    struct pipeline_burial *burial = &pipeline->burial;

    if (!atomic_load(&burial->due))
        return;
    (void)pthread_mutex_lock(&burial->lock);
    if (pipeline->parts.log == NULL || core->has_keys)
        erasure_bury(pipeline->parts.keyring, &burial->list);
    else
        bury_for_follower(pipeline, &burial->list);
    erasure_wipe(&burial->list);
    if (pipeline->parts.copies_buried != NULL)
        pipeline->parts.copies_buried(pipeline->parts.copies_context);
    atomic_store(&burial->due, false);
    (void)pthread_mutex_unlock(&burial->lock);
}

/* ---- The apply thread: destroying ---------------------------------------- */

void applier_keep(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    enum status status;

    REQUIRE(applier->in_transaction);
    apply_commit(pipeline->parts.apply);
    applier->in_transaction = false;
    status = erasure_keep(pipeline->parts.apply);
    if (status != ST_OK)
        pipeline_fail(pipeline, status, apply_size(pipeline->parts.apply) - 1,
                      "keeping the state that an act left");
    applier->looked_for_keys = false;
}

/* Between two transactions. */
void applier_bury(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    struct pipeline_burial *burial = &pipeline->burial;
    struct erasure_list list;
    enum status status;

    if (applier->looked_for_keys || applier->in_transaction ||
        atomic_load(&burial->due))
        return;
    status = erasure_find(&list, pipeline->parts.apply);
    if (status != ST_OK)
        pipeline_fail(pipeline, status, apply_size(pipeline->parts.apply),
                      "destroying keys");
    if (list.count > 0 && !erasure_sync(pipeline->parts.apply)) {
        erasure_wipe(&list);
        return;
    }
    applier->looked_for_keys = true;
    if (list.count == 0)
        return;
    (void)pthread_mutex_lock(&burial->lock);
    burial->list = list;
    atomic_store(&burial->due, true);
    (void)pthread_mutex_unlock(&burial->lock);
}

/* Of what acts destroyed, nothing is left here. */
static bool applier_has_buried(const struct applier *applier)
{
    const struct pipeline_parts *parts = &applier->pipeline->parts;

    return applier->looked_for_keys &&
           !atomic_load(&applier->pipeline->burial.due) &&
           (parts->copies_clean == NULL ||
            parts->copies_clean(parts->copies_context));
}

/* ---- The apply thread: entering ------------------------------------------ */

static bool applier_waits_on(int64_t last_ms, int64_t now_ms)
{
    return last_ms != INT64_MIN && now_ms - last_ms < PIPELINE_ERASURE_MS;
}

/* Looking costs walks, and turns are many. */
static bool applier_looks(struct applier *applier, int64_t now_ms)
{
    struct state *state = applier->pipeline->parts.state;

    if (now_ms - applier->erasure_ms < PIPELINE_ERASURE_LOOK_MS)
        return false;
    applier->erasure_ms = now_ms;
    return state_count(state, TABLE_DESTRUCTION) > 0 ||
           state_count(state, TABLE_REPLACED) > 0;
}

/* The entry that is being made; its command is NULL before the first item. */
struct execution {
    const struct node_signer *signer;
    struct node_command *command;
    struct erased_key keys[DESTROY_KEYS_MAX]; /* Of one act at a time. */
};

/* A list holds so many keys; the next item of the entry goes on. */
static void execute_add(struct execution *execution, uint32_t act, size_t count)
{
    enum { KEY_SIZE_MAX = 32 };
    uint8_t bytes[LIST_COUNT_MAX * KEY_SIZE_MAX];
    struct op_destroy_erase fields;
    struct writer space;
    size_t from = 0;

    if (execution->command == NULL)
        execution->command = node_command_begin(execution->signer);
    do {
        size_t here =
            count - from < LIST_COUNT_MAX ? count - from : LIST_COUNT_MAX;

        writer_init(&space, bytes, sizeof bytes);
        erasure_make(&fields, &space, act, execution->keys + from, here);
        INVARIANT(space.status == ST_OK);
        node_command_add(execution->command, OPCODE_DESTROY_ERASE, &fields);
        from += here;
    } while (from < count);
}

/* What is due, as much of it as an entry holds. */
static void execute_all(struct execution *execution, struct apply *apply,
                        struct state *state, int64_t wall)
{
    uint32_t acts[DESTROY_BATCH_MAX];
    uint32_t count = destroy_due(state, acts, wall);
    size_t used = 0, named;

    for (uint32_t i = 0; i < count; i++) {
        named = erasure_keys(execution->keys, apply, acts[i]);
        if (i > 0 && used + named > DESTROY_KEYS_MAX)
            return;
        execute_add(execution, acts[i], named);
        used += named;
    }
    /* Whoever rotates his key has replaced many: each entry costs a snapshot.
     */
    named =
        erasure_replaced(execution->keys, apply, DESTROY_KEYS_MAX - used, wall);
    if (named > 0)
        execute_add(execution, 0, named);
}

static void applier_execute(struct applier *applier, int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;
    struct execution execution = {.signer = &pipeline->signer};
    int64_t wall = clock_wall(&pipeline->parts.clock);

    if (applier_waits_on(applier->erase_ms, now_ms))
        return;
    execute_all(&execution, pipeline->parts.apply, pipeline->parts.state, wall);
    if (execution.command == NULL)
        return;
    applier->erase_ms = now_ms;
    (void)pipeline_push_own(pipeline,
                            node_command_finish(execution.command, wall),
                            applier->view.term);
}

static struct work *applier_confirmation(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    struct op_destroy_confirm fields;
    struct node_command *command;

    if (!applier_has_buried(applier) ||
        !erasure_confirmation(&fields, pipeline->parts.apply,
                              pipeline->signer.identity->key_id))
        return NULL;
    command = node_command_begin(&pipeline->signer);
    node_command_add(command, OPCODE_DESTROY_CONFIRM, &fields);
    return node_command_finish(command, clock_wall(&pipeline->parts.clock));
}

static void applier_confirm(struct applier *applier, int64_t now_ms)
{
    struct work *work;

    if (applier_waits_on(applier->confirm_ms, now_ms))
        return;
    work = applier_confirmation(applier);
    if (work == NULL)
        return;
    applier->confirm_ms = now_ms;
    (void)pipeline_push_own(applier->pipeline, work, applier->view.term);
}

static bool is_same_await(const struct destroy_awaited *a,
                          const struct destroy_awaited *b)
{
    return a->act == b->act && a->erased_at == b->erased_at &&
           memcmp(&a->key_id, &b->key_id, sizeof a->key_id) == 0;
}

/* ${of} in the list; NULL if it is not awaited.  Requires: the lock is held. */
static struct pipeline_awaited *find_awaited(struct pipeline_awaits *awaits,
                                             const struct destroy_awaited *of)
{
    for (uint32_t i = 0; i < awaits->count; i++) {
        if (is_same_await(&awaits->awaited[i].of, of))
            return &awaits->awaited[i];
    }
    return NULL;
}

/* What was taken and is still awaited stays taken. */
static void applier_await(struct applier *applier)
{
    struct pipeline_awaits *awaits = &applier->pipeline->awaits;
    struct pipeline_awaited next[PIPELINE_AWAITED_MAX];
    struct destroy_awaited found[PIPELINE_AWAITED_MAX];
    uint32_t count = destroy_awaited(applier->pipeline->parts.state, found,
                                     PIPELINE_AWAITED_MAX);

    (void)pthread_mutex_lock(&awaits->lock);
    for (uint32_t i = 0; i < count; i++) {
        const struct pipeline_awaited *known = find_awaited(awaits, &found[i]);

        next[i] = (struct pipeline_awaited){
            .of = found[i],
            .taken_ms = known != NULL ? known->taken_ms : INT64_MIN};
    }
    memcpy(awaits->awaited, next, count * sizeof next[0]);
    awaits->count = count;
    (void)pthread_mutex_unlock(&awaits->lock);
}

void applier_erase(struct applier *applier, int64_t now_ms)
{
    if (!applier_looks(applier, now_ms))
        return;
    applier_await(applier);
    applier_execute(applier, now_ms);
    applier_confirm(applier, now_ms);
}

void applier_confirm_to_primary(struct applier *applier, int64_t now_ms)
{
    const struct pipeline_log *log = applier->pipeline->parts.log;
    struct work *work;

    if (log == NULL || log->confirm == NULL ||
        !applier_looks(applier, now_ms) ||
        applier_waits_on(applier->confirm_ms, now_ms))
        return;
    work = applier_confirmation(applier);
    if (work == NULL)
        return;
    applier->confirm_ms = now_ms;
    log->confirm(log->context, work->command.body);
    work_close(work);
}

void applier_erasure_applied(struct applier *applier, uint16_t opcode)
{
    if (opcode == OPCODE_DESTROY_ERASE)
        applier->erase_ms = INT64_MIN;
    else
        applier->confirm_ms = INT64_MIN;
    applier->erasure_ms = 0; /* Looks again at once. */
}

/* ---- A confirmation that another node signed ------------------------------
 */

/* It is entered as it is, and whoever replays verifies it: so nothing that does
 * not verify may become an entry. */
static enum status confirmation_check(struct pipeline *pipeline,
                                      struct command *command)
{
    const struct item_clear *clear = &command->items[0].clear_part;
    const struct operation_info *operation = operation_info(clear->opcode);
    struct directory_key key;

    if (command->header.items_count != 1 ||
        clear->opcode != OPCODE_DESTROY_CONFIRM ||
        clear->version != operation->version)
        return ST_BAD_FIELD;
    if (!directory_find(pipeline->parts.directory, &key,
                        command->header.key_id) ||
        !key.is_node)
        return ST_BAD_SIG;
    command_digest(command, pipeline->parts.cluster_id);
    return command_verify(command, key.public_key.b);
}

/* Whether the state awaits it; ${taken}: one is on its way already.  Each that
 * is taken uses a place that is kept for the node's own commands. */
static enum status confirmation_take(struct pipeline *pipeline,
                                     const struct command *command,
                                     bool *taken_out)
{
    int64_t now_ms = clock_boot_ms(&pipeline->parts.clock);
    struct pipeline_awaits *awaits = &pipeline->awaits;
    struct op_destroy_confirm fields;
    struct pipeline_awaited *found;
    struct destroy_awaited of;
    struct field_error error;

    if (schema_decode(&schema_op_destroy_confirm, &fields, &error,
                      command->items[0].fields, SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return ST_BAD_FIELD;
    of = (struct destroy_awaited){.act = fields.act,
                                  .erased_at = fields.erased_at};
    memcpy(of.key_id.b, command->header.key_id, KEY_ID_SIZE);
    (void)pthread_mutex_lock(&awaits->lock);
    found = find_awaited(awaits, &of);
    if (found != NULL) {
        *taken_out = found->taken_ms != INT64_MIN &&
                     now_ms - found->taken_ms < PIPELINE_AWAITED_MS;
        if (!*taken_out)
            found->taken_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&awaits->lock);
    return found != NULL ? ST_OK : ST_NO_SUCH;
}

enum status pipeline_take_confirmation(struct pipeline *pipeline,
                                       struct slice body)
{
    const struct command_policy policy = {
        .env_tag = pipeline->parts.cluster_id[0],
        .system = true,
        .ttl_s_max = TTL_S_MAX,
        .items_max = 1,
    };
    uint64_t term = atomic_load(&pipeline->term);
    struct work_origin origin = {0};
    struct command_item items[1];
    struct command command;
    struct work *work;
    bool taken = false;
    enum status status = command_decode(&command, items, body, &policy);

    if (status == ST_OK)
        status = confirmation_check(pipeline, &command);
    if (status != ST_OK)
        return status;
    if (atomic_load(&pipeline->begun) != term ||
        atomic_load(&pipeline->draining))
        return ST_NOT_PRIMARY;
    status = confirmation_take(pipeline, &command, &taken);
    if (status != ST_OK || taken)
        return status;
    memcpy(origin.session_key.b, command.header.key_id, KEY_ID_SIZE);
    work = work_open(&command, &origin);
    if (work == NULL)
        return ST_BUSY;
    work->node_made = true;
    decode_work(work);
    status = work->fault.status;
    if (status != ST_OK) {
        work_close(work);
        return status;
    }
    (void)pipeline_push_own(pipeline, work, term);
    return ST_OK;
}

uint64_t pipeline_lacks(struct pipeline *pipeline)
{
    return atomic_load(&pipeline->lacks);
}
