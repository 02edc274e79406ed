/*
 * pipeline_due.c: what a primary enters because of what is applied:
 * attestations and deadlines.
 */
#include "server/pipeline/pipeline_private.h"
#include "server/registry/consent.h"

/* Whether this node leads and everything before its own term is applied. */
static bool applier_leads(const struct applier *applier)
{
    return applier->view.leads && apply_size(applier->pipeline->parts.apply) >=
                                      applier->view.lead_size;
}

static void applier_attest(struct applier *applier, int64_t now_ms)
{
    enum { REFUSAL_SIZE_MAX = 16 };
    uint8_t bytes[LIST_COUNT_MAX * REFUSAL_SIZE_MAX];
    struct pipeline *pipeline = applier->pipeline;
    struct attest *attest = apply_attest(pipeline->parts.apply);
    /* What a new primary inherits it attests at once. */
    bool all = atomic_load(&pipeline->draining) ||
               atomic_load(&pipeline->held) ||
               (pipeline->parts.log != NULL &&
                attest_first(attest) < applier->view.lead_size);
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
            node_command_finish(command, clock_wall(&pipeline->parts.clock)),
            applier->view.term))
        attest_give_up(attest);
}

/* Consent cases whose time is over (PROTOCOL, section 12: consent.lapse). */
static void applier_deadlines(struct applier *applier, int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;
    struct consent_due due[DEADLINES_PER_ENTRY_MAX];
    int64_t wall = clock_wall(&pipeline->parts.clock);
    uint32_t count;

    if (applier->deadlines_made || atomic_load(&pipeline->draining) ||
        atomic_load(&pipeline->held) || atomic_load(&pipeline->stalled) ||
        now_ms - applier->deadlines_ms < PIPELINE_DEADLINES_MS)
        return;
    applier->deadlines_ms = now_ms;
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
    applier->deadlines_made = pipeline_push_own(
        pipeline, node_command_finish(command, wall), applier->view.term);
}

void applier_own(struct applier *applier, int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;
    uint64_t term = applier->view.term;

    if (atomic_exchange(&pipeline->attest_refused, 0) == term)
        attest_give_up(apply_attest(pipeline->parts.apply));
    if (atomic_exchange(&pipeline->deadlines_refused, 0) == term)
        applier->deadlines_made = false;
    if (!applier_leads(applier))
        return;
    if (!applier->owed) {
        applier->owed = true;
        pipeline_owed(pipeline, term);
    }
    applier_attest(applier, now_ms);
    applier_deadlines(applier, now_ms);
}
