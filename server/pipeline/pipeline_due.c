/*
 * pipeline_due.c: what a primary enters because of what is applied:
 * attestations, deadlines, and what follows from a change of primary.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/pipeline/pipeline_private.h"
#include "server/registry/consent.h"
#include "server/registry/continuity.h"

/* Nothing else is entered while this holds. */
static bool applier_rests(const struct applier *applier)
{
    const struct pipeline *pipeline = applier->pipeline;

    return atomic_load(&pipeline->draining) || atomic_load(&pipeline->held) ||
           atomic_load(&pipeline->stalled) || atomic_load(&pipeline->cut_off);
}

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

    if (atomic_load(&pipeline->stalled) || atomic_load(&pipeline->cut_off) ||
        !attest_due(attest, now_ms, all))
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

    if (applier->deadlines_made ||
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

/* ---- A change of primary ------------------------------------------------- */

enum { OWED_TERM_SHIFT = 32, OWED_TEXT_SIZE = 128 };

/* How many of this term's found no place. */
static uint32_t applier_owed_refused(const struct applier *applier)
{
    uint64_t refused = atomic_load(&applier->pipeline->owed_refused);

    return refused >> OWED_TERM_SHIFT == applier->view.term ? (uint32_t)refused
                                                            : 0;
}

void pipeline_owed_refused(struct pipeline *pipeline, uint64_t term)
{
    uint64_t refused = atomic_load(&pipeline->owed_refused);

    if (refused >> OWED_TERM_SHIFT != term)
        refused = term << OWED_TERM_SHIFT;
    atomic_store(&pipeline->owed_refused, refused + 1);
}

/* The incident of a change of primary tells what a lineage took with it. */
static void owed_tell_lost(struct continuity_owed *owed,
                           char text[OWED_TEXT_SIZE], struct keyring *keyring)
{
    uint64_t count =
        owed->opcode == OPCODE_INCIDENT_OPEN ? keyring_acts_lost(keyring) : 0;

    if (count == 0)
        return;
    (void)snprintf(text, OWED_TEXT_SIZE,
                   "%" PRIu64 " seal keys stay destroyed whose acts the log "
                   "lost with a lineage",
                   count);
    owed->fields.incident_open.text = slice_of(text, strlen(text));
}

/* The fields of both operations are in one union. */
static bool applier_enter_owed(struct applier *applier,
                               struct continuity_owed *owed)
{
    struct pipeline *pipeline = applier->pipeline;
    struct node_command *command = node_command_begin(&pipeline->signer);
    char text[OWED_TEXT_SIZE];

    owed_tell_lost(owed, text, pipeline->parts.keyring);

    node_command_add(command, owed->opcode, &owed->fields);
    return pipeline_push_own(
        pipeline,
        node_command_finish(command, clock_wall(&pipeline->parts.clock)),
        applier->view.term);
}

/* An entry each, in their order; none again before all of them are applied or
 * refused. */
static void applier_owes(struct applier *applier, int64_t now_ms)
{
    struct continuity_owed owed[CONTINUITY_OWED_MAX];
    struct pipeline *pipeline = applier->pipeline;
    uint32_t count;

    if (applier->owed_made !=
            applier->owed_done + applier_owed_refused(applier) ||
        (applier->owed_ms != INT64_MIN &&
         now_ms - applier->owed_ms < PIPELINE_DEADLINES_MS))
        return;
    applier->owed_ms = now_ms;
    count = continuity_owed(pipeline->parts.state, owed, CONTINUITY_OWED_MAX,
                            clock_wall(&pipeline->parts.clock));
    for (uint32_t i = 0; i < count; i++) {
        if (!applier_enter_owed(applier, &owed[i]))
            break;
        applier->owed_made++;
    }
}

/* ---- All of it ----------------------------------------------------------- */

void applier_own_begin(struct applier *applier)
{
    /* What was under way went with the term. */
    attest_give_up(apply_attest(applier->pipeline->parts.apply));
    applier->deadlines_made = false;
    applier->archive_made = false;
    applier->archive.first = UINT64_MAX;
    applier->owed_made = applier->owed_done = 0;
    applier->owed_ms = INT64_MIN;
    applier->config_made = 0;
    applier->erase_ms = applier->confirm_ms = INT64_MIN;
}

void applier_own_applied(struct applier *applier, const struct work *work)
{
    bool of_term = work->term == applier->view.term;

    switch (work->operation->opcode) {
    case OPCODE_CONSENT_LAPSE:
    case OPCODE_CONSENT_END:
        applier->deadlines_made = false;
        break;
    case OPCODE_ARCHIVE_PREPARE:
    case OPCODE_ARCHIVE_DUE:
        applier->archive_made = false;
        break;
    case OPCODE_INCIDENT_OPEN:
    case OPCODE_FAILOVER_ACTIVATE:
        applier->owed_done += of_term;
        break;
    case OPCODE_SYSTEM_CONFIG:
        if (of_term)
            applier_config_applied(applier);
        break;
    case OPCODE_DESTROY_ERASE:
    case OPCODE_DESTROY_CONFIRM:
        applier_erasure_applied(applier, work->operation->opcode);
        break;
    }
}

void applier_own(struct applier *applier, int64_t now_ms)
{
    struct pipeline *pipeline = applier->pipeline;
    uint64_t term = applier->view.term;

    if (atomic_exchange(&pipeline->attest_refused, 0) == term)
        attest_give_up(apply_attest(pipeline->parts.apply));
    if (atomic_exchange(&pipeline->deadlines_refused, 0) == term)
        applier->deadlines_made = false;
    if (atomic_exchange(&pipeline->archive_refused, 0) == term)
        applier->archive_made = false;
    if (atomic_exchange(&pipeline->config_refused, 0) == term)
        applier->config_made = 0;
    if (!applier->view.leads)
        applier_confirm_to_primary(applier, now_ms);
    if (!applier_leads(applier))
        return;
    applier_attest(applier, now_ms);
    if (applier_rests(applier))
        return;
    applier_owes(applier, now_ms);
    applier_enter_config(applier);
    applier_deadlines(applier, now_ms);
    applier_erase(applier, now_ms);
    applier_archive(applier, now_ms);
}
