/*
 * pipeline_proof.c: the pipeline's part in evidence: leaf hashes on their way
 * to the tree, and proofs for the loops.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "protocol/files.h"
#include "server/evidence/evidence.h"
#include "server/pipeline/pipeline_private.h"

/* ---- What the apply thread tells ---------------------------------------- */

void applier_tell_leaf(struct applier *applier)
{
    const struct pipeline_parts *parts = &applier->pipeline->parts;
    const struct state_head *head = state_head(parts->state);

    if (parts->evidence != NULL)
        evidence_applied(parts->evidence, head->applied_size - 1,
                         head->applied_leaf);
}

void applier_publish(struct applier *applier)
{
    struct evidence *evidence = applier->pipeline->parts.evidence;

    if (evidence != NULL)
        evidence_publish(evidence);
}

void pipeline_tell_role(struct pipeline *pipeline,
                        const struct pipeline_view *view)
{
    struct evidence *evidence = pipeline->parts.evidence;

    if (evidence == NULL)
        return;
    if (view->leads)
        evidence_lead(evidence, view->lead_size);
    else
        evidence_follow(evidence);
}

/* ---- Where a command stands --------------------------------------------- */

enum status pipeline_place(struct pipeline *pipeline,
                           const struct pipeline_place *place)
{
    struct pipeline_place *copy = malloc(sizeof *copy);
    enum status status;

    if (copy == NULL)
        return ST_BUSY;
    *copy = *place;
    status = queue_push(&pipeline->places, copy);
    if (status != ST_OK)
        free(copy);
    else
        queue_wake(&pipeline->to_apply);
    return status;
}

/* What shows the outcome of a command that was found. */
static void applier_outcome(struct applier *applier,
                            const struct pipeline_place *place, bool found)
{
    struct apply_shown shown;
    enum status status = ST_NO_SUCH;

    if (found)
        status = apply_outcome_of(applier->pipeline->parts.apply, &shown,
                                  place->index);
    if (status == ST_OK)
        reply_outcome(&applier->replies, place, &shown);
    else
        reply_no_place(&applier->replies, place, status);
}

void applier_places(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    void *taken[PIPELINE_PLACES_MAX];
    size_t count = queue_take(&pipeline->places, taken, PIPELINE_PLACES_MAX, 0);

    for (size_t i = 0; i < count; i++) {
        struct pipeline_place *place = taken[i];
        uint64_t index = 0;
        uint16_t code = ST_OK;
        bool found = apply_find(pipeline->parts.apply, &index, &code,
                                place->key_id.b, place->idem.b);

        if (place->of_bytes)
            found = found && index == place->index && code == ST_OK;
        if (place->of_outcome)
            applier_outcome(applier, place, found);
        else if (found)
            reply_place(&applier->replies, place, index);
        else
            reply_no_place(&applier->replies, place, ST_NO_SUCH);
        free(place);
    }
    if (count > 0)
        reply_deliver(&applier->replies, &pipeline->parts.events);
}

/* ---- Proofs ------------------------------------------------------------- */

/* Whether entries are on more than one member. */
static bool proof_replicated(struct pipeline *pipeline)
{
    struct cluster_status cluster;
    uint32_t members = 0;

    pipeline_cluster_status(pipeline, &cluster);
    for (uint32_t i = 0; i < cluster.members_count; i++) {
        if (cluster.members[i].in_sync)
            members++;
    }
    return members > 1;
}

uint8_t pipeline_standing(struct pipeline *pipeline, uint64_t index)
{
    bool replicated = proof_replicated(pipeline);
    struct evidence *evidence = pipeline->parts.evidence;

    if (evidence != NULL)
        return (uint8_t)evidence_standing(evidence, index, replicated);
    return replicated ? EVIDENCE_REPLICATED : EVIDENCE_LOCAL;
}

enum status pipeline_inclusion(struct pipeline *pipeline,
                               struct evidence_proof *proof_out,
                               uint8_t *standing_out, uint64_t index,
                               enum evidence_which which)
{
    struct evidence *evidence = pipeline->parts.evidence;
    enum status status = ST_NO_SUCH;

    if (evidence != NULL)
        status = evidence_inclusion(evidence, proof_out, index, which);
    /* Its checkpoint is yet to come. */
    if (status == ST_NO_SUCH && evidence != NULL &&
        index < atomic_load(&pipeline->size))
        status = ST_BUSY;
    if (status == ST_OK)
        *standing_out = pipeline_standing(pipeline, index);
    return status;
}

enum status pipeline_consistency(struct pipeline *pipeline,
                                 struct evidence_proof *proof_out,
                                 uint8_t *standing_out, uint64_t older,
                                 enum evidence_which which)
{
    struct evidence *evidence = pipeline->parts.evidence;
    enum status status = ST_NO_SUCH;

    if (evidence != NULL)
        status = evidence_consistency(evidence, proof_out, older, which);
    if (status == ST_OK)
        *standing_out = pipeline_standing(pipeline, proof_out->tree_size - 1);
    return status;
}

/* It handed the command over, and has seen all that the entry says. */
static bool proof_carried(const struct entry *entry, uint16_t carrier)
{
    return carrier != 0 && entry->place.carrier == carrier;
}

enum status pipeline_entry_of(struct pipeline *pipeline,
                              struct slice *entry_out, uint8_t *buffer,
                              uint64_t index, const uint8_t key_id[KEY_ID_SIZE],
                              uint16_t carrier)
{
    struct entry entry;

    if (index >= atomic_load(&pipeline->size))
        return ST_NO_SUCH;
    if (journal_read_entry(pipeline->parts.journal, entry_out, buffer, index) !=
        ST_OK)
        return ST_CORRUPT;
    /* Whoever neither signed nor carried it learns no more of it than of one
     * that is not there. */
    if (entry_view(&entry, *entry_out) != ST_OK ||
        (memcmp(entry.header.key_id, key_id, KEY_ID_SIZE) != 0 &&
         !proof_carried(&entry, carrier)))
        return ST_NO_SUCH;
    return ST_OK;
}

enum status pipeline_attestation(struct pipeline *pipeline,
                                 struct slice *entry_out, uint8_t *buffer,
                                 uint64_t index)
{
    REQUIRE(index < atomic_load(&pipeline->size));
    return journal_read_entry(pipeline->parts.journal, entry_out, buffer,
                              index) == ST_OK
               ? ST_OK
               : ST_CORRUPT;
}

enum status pipeline_place_bytes(struct pipeline *pipeline,
                                 struct pipeline_place *place, uint64_t index,
                                 const uint8_t key_id[KEY_ID_SIZE],
                                 uint16_t carrier)
{
    uint8_t buffer[JOURNAL_READ_SIZE];
    struct entry entry;
    struct slice bytes;
    enum status status =
        pipeline_entry_of(pipeline, &bytes, buffer, index, key_id, carrier);

    if (status != ST_OK)
        return status;
    status = entry_view(&entry, bytes);
    INVARIANT(status == ST_OK);
    place->of_bytes = true;
    place->index = index;
    memcpy(place->key_id.b, entry.header.key_id, KEY_ID_SIZE);
    memcpy(place->idem.b, entry.header.idem, IDEM_SIZE);
    return pipeline_place(pipeline, place);
}

/* ---- What status says --------------------------------------------------- */

void pipeline_evidence_figures(struct pipeline *pipeline, struct list *figures,
                               struct writer *space)
{
    struct evidence_status status;

    if (pipeline->parts.evidence == NULL)
        return;
    evidence_status(pipeline->parts.evidence, &status);
    open_data_add(figures, space, "evidence", evidence_idle_text(status.idle));
    if (status.has_foreign)
        open_data_add(figures, space, "evidence.foreign",
                      FILE_CHECKPOINT_CONTRADICTS);
    open_data_add_number(figures, space, "evidence.tree", status.tree_size);
    open_data_add_number(figures, space, "evidence.checkpoint",
                         status.note_size);
    if (status.note_size > 0)
        open_data_add_number(figures, space, "evidence.checkpoint_s",
                             (uint64_t)status.note_time_s);
    if (status.has_policy)
        open_data_add_number(figures, space, "evidence.witnessed",
                             status.witnessed_size);
}
