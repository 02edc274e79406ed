#include <stdlib.h>
#include <string.h>

#include "server/pipeline/pipeline_private.h"
#include "server/registry/act.h"
#include "server/registry/consent.h"

/* The apply thread's own. */
struct applier {
    struct pipeline *pipeline;
    struct reply_lists replies;
    bool in_transaction;
    int64_t begun_ms; /* The transaction. */
};

/* ---- What the node enters by itself ------------------------------------- */

static void applier_attest(struct pipeline *pipeline, int64_t now_ms)
{
    enum { REFUSAL_SIZE_MAX = 16 };
    uint8_t bytes[LIST_COUNT_MAX * REFUSAL_SIZE_MAX];
    struct attest *attest = apply_attest(pipeline->parts.apply);
    bool all = atomic_load(&pipeline->draining);
    struct op_system_attest stated;
    struct writer space;

    if (atomic_load(&pipeline->stalled) || !attest_due(attest, now_ms, all))
        return;
    writer_init(&space, bytes, sizeof bytes);
    attest_make(attest, &stated, &space, now_ms);
    INVARIANT(space.status == ST_OK);
    struct node_command *command = node_command_begin(&pipeline->signer);
    node_command_add(command, OPCODE_SYSTEM_ATTEST, &stated);
    if (!pipeline_push_own(
            pipeline,
            node_command_finish(command, clock_wall(&pipeline->parts.clock))))
        attest_give_up(attest);
}

/* Consent cases whose time is over (PROTOCOL, section 12: consent.lapse). */
static void applier_deadlines(struct pipeline *pipeline, int64_t now_ms)
{
    struct consent_due due[DEADLINES_PER_ENTRY_MAX];
    int64_t wall = clock_wall(&pipeline->parts.clock);
    uint32_t count;

    if (pipeline->deadlines_made || atomic_load(&pipeline->draining) ||
        atomic_load(&pipeline->stalled) ||
        now_ms - pipeline->deadlines_ms < PIPELINE_DEADLINES_MS)
        return;
    pipeline->deadlines_ms = now_ms;
    count =
        consent_due(pipeline->parts.state, due, DEADLINES_PER_ENTRY_MAX, wall);
    if (count == 0)
        return;
    struct node_command *command = node_command_begin(&pipeline->signer);
    for (uint32_t i = 0; i < count; i++) {
        /* Both operations have this one field. */
        struct op_consent_lapse lapse = {.consent = due[i].consent};
        struct op_consent_end end = {.consent = due[i].consent};
        const void *fields = &end;

        if (due[i].opcode == OPCODE_CONSENT_LAPSE)
            fields = &lapse;
        node_command_add(command, due[i].opcode, fields);
    }
    pipeline->deadlines_made =
        pipeline_push_own(pipeline, node_command_finish(command, wall));
}

/* ---- Groups ------------------------------------------------------------- */

static void applier_count(struct pipeline *pipeline, const struct work *work)
{
    struct pipeline_counts *counts = &pipeline->counts;

    atomic_fetch_add(work->node_made ? &counts->own : &counts->commands, 1);
    atomic_fetch_add(&counts->items, work->command.header.items_count);
}

static void applier_work(struct applier *applier, struct work *work,
                         int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;
    struct apply *apply = pipeline->parts.apply;
    struct apply_outcome outcome;
    enum status status;

    if (work->known) {
        status = apply_known(apply, &outcome, work);
        atomic_fetch_add(&pipeline->counts.duplicates, 1);
        if (status == ST_OK) {
            reply_answer(&applier->replies, work, &outcome, &pipeline->signer);
            return;
        }
        work->fault = (struct work_fault){.status = status, .item = UINT16_MAX};
        reply_error(&applier->replies, work);
        return;
    }
    status = apply_entry(apply, &outcome, work, now_ms);
    if (status != ST_OK) {
        pipeline->parts.failed(pipeline->parts.failed_context, status,
                               work->index, "applying an entry");
        abort();
    }
    applier_count(pipeline, work);
    if (work->node_made && (work->operation->opcode == OPCODE_CONSENT_LAPSE ||
                            work->operation->opcode == OPCODE_CONSENT_END))
        pipeline->deadlines_made = false;
    reply_answer(&applier->replies, work, &outcome, &pipeline->signer);
}

static void applier_end_group(struct applier *applier, struct group *group)
{
    struct pipeline *pipeline = applier->pipeline;
    const struct pipeline_events *events = &pipeline->parts.events;
    struct attest *attest = apply_attest(pipeline->parts.apply);
    uint64_t size = apply_size(pipeline->parts.apply);

    atomic_store(&pipeline->attested, attest_first(attest));
    atomic_store(&pipeline->unattested, attest_waiting(attest));
    atomic_fetch_add(&pipeline->counts.groups, 1);
    if (size != atomic_exchange(&pipeline->size, size))
        events->grown(events->context, size);
    reply_deliver(&applier->replies, events);
    while (group->works != NULL) {
        struct work *work = group->works;

        group->works = work->next;
        pipeline_end_work(pipeline, work);
    }
    bool pushed = queue_push_wait(&pipeline->free_groups, group);
    INVARIANT(pushed);
    (void)pthread_mutex_lock(&pipeline->gate);
    pipeline->under_way--;
    (void)pthread_cond_signal(&pipeline->gate_changed);
    (void)pthread_mutex_unlock(&pipeline->gate);
}

static void applier_group(struct applier *applier, struct group *group)
{
    struct pipeline *pipeline = applier->pipeline;
    int64_t now_ms = clock_boot_ms(&pipeline->parts.clock);

    if (!applier->in_transaction) {
        apply_begin(pipeline->parts.apply);
        applier->in_transaction = true;
        applier->begun_ms = now_ms;
    }
    for (struct work *work = group->works; work != NULL; work = work->next)
        applier_work(applier, work, now_ms);
    apply_tell(pipeline->parts.apply);
    if (pipeline->watches.count > 0)
        watches_check(
            &pipeline->watches, pipeline->parts.state,
            act_day(pipeline->parts.state, clock_wall(&pipeline->parts.clock)));
    applier_end_group(applier, group);
}

/* Groups share their transaction: each writes many of the same pages, and the
 * log already keeps what they did. */
static void applier_commit(struct applier *applier, int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;

    if (!applier->in_transaction ||
        now_ms - applier->begun_ms < PIPELINE_COMMIT_MS)
        return;
    apply_commit(pipeline->parts.apply);
    applier->in_transaction = false;
    state_checkpoint(pipeline->parts.state, false);
}

void *pipeline_apply_main(void *argument)
{
    struct applier applier = {.pipeline = argument};
    struct pipeline *pipeline = argument;
    void *taken;

    while (!queue_ended(&pipeline->to_apply)) {
        if (queue_take(&pipeline->to_apply, &taken, 1, PIPELINE_TICK_MS) == 1)
            applier_group(&applier, taken);
        if (atomic_exchange(&pipeline->attest_refused, false))
            attest_give_up(apply_attest(pipeline->parts.apply));
        if (atomic_exchange(&pipeline->deadlines_refused, false))
            pipeline->deadlines_made = false;
        int64_t now_ms = clock_boot_ms(&pipeline->parts.clock);
        applier_commit(&applier, now_ms);
        applier_attest(pipeline, now_ms);
        applier_deadlines(pipeline, now_ms);
    }
    if (applier.in_transaction)
        apply_commit(pipeline->parts.apply);
    state_checkpoint(pipeline->parts.state, true);
    return NULL;
}
