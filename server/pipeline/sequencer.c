#include "server/pipeline/sequencer.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "protocol/segment.h"
#include "replication/need.h"
#include "server/pipeline/seal_choice.h"

/* Wall time may differ this much from the progress since the last command, and
 * from every other node's, before it is disbelieved, so that one bad clock
 * cannot throw log time far into the future. */
#define SEQUENCER_CLOCK_SLACK_US INT64_C(60000000)

struct sequencer {
    struct sequencer_parts parts;
    struct journal_end end;
    uint32_t epoch;
    int64_t wall; /* At the last command, and the boot clock then. */
    int64_t boot;
    int64_t offset_min; /* Of peers' clocks. */
    int64_t offset_max;
    bool stalled;
    struct entry_seal seals[ITEMS_MAX];
    struct seal_choice choice;
};

struct sequencer *sequencer_open(const struct sequencer_parts *parts,
                                 const struct sequencer_start *start)
{
    struct sequencer *sequencer = calloc(1, sizeof *sequencer);

    NEED(sequencer != NULL);
    sequencer->parts = *parts;
    sequencer->offset_min = INT64_MIN;
    sequencer->offset_max = INT64_MAX;
    if (start != NULL)
        sequencer_begin(sequencer, start);
    return sequencer;
}

void sequencer_begin(struct sequencer *sequencer,
                     const struct sequencer_start *start)
{
    const struct sequencer_parts *parts = &sequencer->parts;

    REQUIRE(start->epoch > start->end.epoch || start->end.size == 0);
    sequencer->end = start->end;
    sequencer->epoch = start->epoch;
    sequencer->wall = clock_wall(&parts->clock);
    sequencer->boot = clock_boot(&parts->clock);
    sequencer->stalled = false;
    seal_choice_init(&sequencer->choice, parts->keyring, start->epoch);
}

void sequencer_peers(struct sequencer *sequencer, int64_t offset_us_min,
                     int64_t offset_us_max)
{
    sequencer->offset_min = offset_us_min;
    sequencer->offset_max = offset_us_max;
}

void sequencer_close(struct sequencer *sequencer)
{
    free(sequencer);
}

const struct journal_end *sequencer_end(const struct sequencer *sequencer)
{
    return &sequencer->end;
}

bool sequencer_stalled(const struct sequencer *sequencer)
{
    return sequencer->stalled;
}

static bool sequencer_clock(struct sequencer *sequencer, int64_t *log_time_out)
{
    int64_t wall = clock_wall(&sequencer->parts.clock);
    int64_t boot = clock_boot(&sequencer->parts.clock);
    int64_t ahead = (wall - sequencer->wall) - (boot - sequencer->boot);

    sequencer->stalled = ahead > SEQUENCER_CLOCK_SLACK_US ||
                         ahead < -SEQUENCER_CLOCK_SLACK_US ||
                         sequencer->offset_min > SEQUENCER_CLOCK_SLACK_US ||
                         sequencer->offset_max < -SEQUENCER_CLOCK_SLACK_US;
    if (sequencer->stalled)
        return false;
    sequencer->wall = wall;
    sequencer->boot = boot;
    *log_time_out =
        wall > sequencer->end.log_time ? wall : sequencer->end.log_time;
    return true;
}

bool sequencer_look(struct sequencer *sequencer)
{
    int64_t log_time;

    return !sequencer_clock(sequencer, &log_time);
}

static enum sequencer_verdict sequencer_refuse(struct work *work,
                                               enum status status)
{
    work->fault = (struct work_fault){.status = status, .item = UINT16_MAX};
    return SEQUENCER_REFUSED;
}

static void sequencer_write(struct sequencer *sequencer, struct group *group,
                            struct work *work, size_t size)
{
    struct journal_end *end = &sequencer->end;
    struct entry_place place = {
        .category = work->operation->category,
        .epoch = sequencer->epoch,
        .index = end->size,
        .log_time = work->log_time,
        .carrier = work->origin.carrier,
    };
    uint8_t *at = group_reserve(group, size);

    memcpy(place.previous, end->leaf, HASH_SIZE);
    entry_encode(at, size, &place, &work->command, sequencer->seals);
    work->entry = slice_of(at, size);
    work->index = end->size;
    entry_leaf_hash(work->leaf, work->entry);
    end->size++;
    end->epoch = sequencer->epoch;
    end->log_time = work->log_time;
    memcpy(end->leaf, work->leaf, HASH_SIZE);
}

/* A command that nobody sent before. */
static enum sequencer_verdict sequencer_new(struct sequencer *sequencer,
                                            struct group *group,
                                            struct work *work)
{
    const struct command *command = &work->command;
    size_t size_max = ENTRY_PREFIX_SIZE + command->body.size +
                      (size_t)ENTRY_ITEM_GROWTH * command->header.items_count;

    if (work->fault.status != ST_OK)
        return SEQUENCER_REFUSED;
    if (segment_frame_size(size_max) > group->room - group->frames_size) {
        /* Groups under way may leave room when they are written. */
        if (group->works_count > 0)
            return SEQUENCER_FULL;
        return sequencer_refuse(work, ST_READ_ONLY);
    }
    if (!sequencer_clock(sequencer, &work->log_time))
        return sequencer_refuse(work, ST_READ_ONLY);
    if (!seal_choice_has_room(&sequencer->choice, work))
        return sequencer_refuse(work, ST_QUOTA);

    seal_choice_make(&sequencer->choice, sequencer->seals, work,
                     sequencer->end.size);
    size_t size = entry_size(command, sequencer->seals);
    INVARIANT(size <= size_max && size <= ENTRY_SIZE_MAX);
    sequencer_write(sequencer, group, work, size);
    seal_choice_forget(&sequencer->choice, command->header.items_count);
    group_add_entry(group, work);
    idempotency_add(sequencer->parts.idempotency, command->header.key_id,
                    command->header.idem, command->hash, work->index);
    return SEQUENCER_TAKEN;
}

enum sequencer_verdict sequencer_put(struct sequencer *sequencer,
                                     struct group *group, struct work *work)
{
    const struct command *command = &work->command;

    if (!group_fits(group, ENTRY_SIZE_MAX))
        return SEQUENCER_FULL;
    switch (idempotency_find(sequencer->parts.idempotency,
                             command->header.key_id, command->header.idem,
                             command->hash)) {
    case IDEMPOTENCY_NEW:
        return sequencer_new(sequencer, group, work);
    case IDEMPOTENCY_PENDING_SAME:
        return sequencer_refuse(work, ST_IN_PROGRESS);
    case IDEMPOTENCY_PENDING_OTHER:
        return sequencer_refuse(work, ST_IDEM_CONFLICT);
    case IDEMPOTENCY_APPLIED:
        work->known = true;
        group_add_known(group, work);
        return SEQUENCER_TAKEN;
    }
    return SEQUENCER_FULL;
}
