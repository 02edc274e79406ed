/*
 * pipeline_archive.c: archive units that are due, and what of the archive is to
 * be looked at: what a primary enters of both.
 */
#include <string.h>

#include "protocol/entry.h"
#include "server/evidence/evidence.h"
#include "server/pipeline/pipeline_private.h"
#include "server/registry/archive.h"

enum { ARCHIVE_READS = 512, ARCHIVE_DUES_MAX = 64, ARCHIVE_MIB = 1 << 20 };

static bool archive_read(struct applier *applier, struct entry *entry_out,
                         uint64_t index)
{
    struct slice bytes;

    return journal_read_entry(applier->pipeline->parts.journal, &bytes,
                              applier->archive_buffer, index) == ST_OK &&
           entry_view(entry_out, bytes) == ST_OK;
}

/* Count on, up to what is applied; some entries a turn. */
static bool archive_count(struct applier *applier, uint64_t size)
{
    struct archive_collect *collect = &applier->archive;
    struct entry entry;

    for (unsigned i = 0; i < ARCHIVE_READS && collect->now.size < size; i++) {
        if (!archive_read(applier, &entry, collect->now.size))
            return false; /* What is damaged is being mended. */
        archive_collect_add(collect, &entry);
    }
    return collect->now.size == size;
}

static void archive_enter(struct applier *applier,
                          const struct archive_next *next,
                          const struct archive_counts *counts)
{
    struct pipeline *pipeline = applier->pipeline;
    struct op_archive_prepare in = {.unit = next->unit,
                                    .first = next->first,
                                    .last = counts->size - 1,
                                    .bytes = counts->bytes};
    uint8_t bytes[64];
    struct writer space;
    struct entry entry;
    struct node_command *command;

    memcpy(in.leaf_before.b, next->leaf_before, HASH_SIZE);
    if (evidence_root(pipeline->parts.evidence, in.root.b, counts->size) !=
            ST_OK ||
        !archive_read(applier, &entry, in.last))
        return;
    entry_leaf_hash(in.leaf_after.b, entry.bytes);
    writer_init(&space, bytes, sizeof bytes);
    in.categories = list_begin(&space);
    for (unsigned i = 0; i < CATEGORIES_COUNT; i++) {
        struct number count = {.value = counts->categories[i]};

        list_add(&in.categories, &space, &schema_number, &count);
    }
    INVARIANT(space.status == ST_OK);
    command = node_command_begin(&pipeline->signer);
    node_command_add(command, OPCODE_ARCHIVE_PREPARE, &in);
    applier->archive_made = pipeline_push_own(
        pipeline,
        node_command_finish(command, clock_wall(&pipeline->parts.clock)),
        applier->view.term);
}

static void archive_units(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    struct state *state = pipeline->parts.state;
    const int64_t mib = state_setting(state, SETTING_archive_unit_mib);
    const int64_t days = state_setting(state, SETTING_archive_unit_days);
    const struct archive_counts *counts;
    struct archive_next next;

    if (mib == 0 && days == 0)
        return;
    archive_next(state, &next);
    if (applier->archive.first != next.first)
        archive_collect_begin(&applier->archive, next.first);
    if (!archive_count(applier, apply_size(pipeline->parts.apply)))
        return;
    counts = archive_collect_due(&applier->archive, (uint64_t)mib * ARCHIVE_MIB,
                                 days, clock_wall(&pipeline->parts.clock));
    if (counts != NULL)
        archive_enter(applier, &next, counts);
}

static void archive_dues(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    struct op_archive_due due[ARCHIVE_DUES_MAX];
    const int64_t wall = clock_wall(&pipeline->parts.clock);
    const uint32_t count =
        archive_due_list(pipeline->parts.state, due, ARCHIVE_DUES_MAX, wall);
    struct node_command *command;

    if (count == 0)
        return;
    command = node_command_begin(&pipeline->signer);
    for (uint32_t i = 0; i < count; i++)
        node_command_add(command, OPCODE_ARCHIVE_DUE, &due[i]);
    applier->archive_made = pipeline_push_own(
        pipeline, node_command_finish(command, wall), applier->view.term);
}

/* One at a time, and none again before it was applied or refused. */
void applier_archive(struct applier *applier, int64_t now_ms)
{
    if (applier->pipeline->parts.evidence == NULL || applier->archive_made ||
        (applier->archive.now.size ==
             apply_size(applier->pipeline->parts.apply) &&
         now_ms - applier->archive_ms < PIPELINE_DEADLINES_MS))
        return;
    applier->archive_ms = now_ms;
    archive_units(applier);
    if (!applier->archive_made)
        archive_dues(applier);
}
