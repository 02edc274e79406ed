/*
 * journal_cut_to.c: cutting the log while it is in use.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"
#include "replication/need.h"

/* Where the log is to end. */
struct cut_place {
    struct journal_end end;
    size_t number;   /* The segment that becomes the last. */
    uint64_t offset; /* Behind its last entry. */
};

/* What is kept is on the disk, and what goes can be read. */
static enum status cut_settle(struct journal *journal)
{
    enum status status = journal_flush(journal);

    if (status == ST_OK && journal->end.size > journal->mark.value.size &&
        disk_sync(journal_segment_last(journal)->file) != ST_OK)
        status = journal_fail(journal);
    return status;
}

static enum status cut_find(struct journal *journal, struct cut_place *place,
                            uint64_t size)
{
    struct journal_view view;
    struct slice bytes;
    struct entry entry;
    enum status status;

    *place = (struct cut_place){.offset = SEGMENT_HEADER_SIZE};
    if (size == 0)
        return ST_OK;
    status = journal_fetch(journal, &bytes, journal->buffer, size - 1, true);
    if (status == ST_OK)
        status = journal_pin(journal, &view, size - 1, true);
    if (status != ST_OK)
        return status;
    place->number = view.number;
    status = journal_find(&view, &place->offset, size - 1);
    journal_unpin(journal);
    if (status != ST_OK)
        return status;
    status = entry_view(&entry, bytes);
    INVARIANT(status == ST_OK);
    place->offset += segment_frame_size(bytes.size);
    place->end.size = size;
    place->end.epoch = entry.place.epoch;
    place->end.log_time = entry.place.log_time;
    entry_leaf_hash(place->end.leaf, bytes);
    return ST_OK;
}

/* From here on nobody begins to read what goes. */
static void cut_hide(struct journal *journal, const struct cut_place *place)
{
    journal_lock(journal);
    journal->changes++;
    journal->end = place->end;
    if (journal->durable > place->end.size) {
        memcpy(journal->durable_leaf, place->end.leaf, HASH_SIZE);
        atomic_store(&journal->durable, place->end.size);
    }
    journal_epochs_cut(journal, place->end.size);
    journal_unlock(journal);
}

static void cut_segments(struct journal *journal, const struct cut_place *place)
{
    struct journal_segment *segment;

    while (journal->segments_count > place->number + 1)
        journal_segment_retire(journal);
    segment = journal_segment_at(journal, place->number);
    segment->count = place->end.size - segment->first;
    segment->end = place->offset;
    journal_lock(journal);
    if (segment->hole.first >= place->end.size)
        segment->hole = (struct journal_hole){.end = 0};
    journal_unlock(journal);
    journal_retired_free(journal);
}

/* Whether what goes can be kept. */
static enum status cut_keep(struct journal *journal, struct journal_cut *cut,
                            size_t files)
{
    bool room;
    enum status status = journal_aside_has_room(journal, &room, files);

    cut->unkept = !room;
    return status;
}

static enum status cut_apply(struct journal *journal,
                             struct journal_report *report,
                             const struct cut_place *place)
{
    const size_t later_count = journal->segments_count - place->number - 1;
    uint64_t *later = malloc((later_count + 1) * sizeof *later);
    struct journal_cut cut;
    enum status status;

    NEED(later != NULL);
    for (size_t i = 0; i < later_count; i++)
        later[i] = journal_segment_at(journal, place->number + 1 + i)->first;
    cut_hide(journal, place);
    cut_segments(journal, place);
    status = journal_cut_plan(journal, &cut);
    if (status == ST_OK)
        status = cut_keep(journal, &cut, later_count + 1);
    if (status == ST_OK)
        status =
            journal_cut_run(journal, report, &cut, later, later_count, false);
    free(later);
    return status;
}

enum status journal_cut_to(struct journal *journal,
                           struct journal_report *report, uint64_t size)
{
    struct cut_place place;
    enum status status;

    REQUIRE(size <= journal->end.size);
    *report = (struct journal_report){.found = JOURNAL_TORN,
                                      .index = size,
                                      .size = size,
                                      .mark_size = journal->mark.value.size};
    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    if (size < journal->mark.value.committed &&
        journal->mark.value.lost.kind == MARK_WHOLE) {
        report->status = ST_CHAIN_BROKEN;
        return ST_CHAIN_BROKEN;
    }
    if (size == journal->end.size)
        return ST_OK;
    status = cut_settle(journal);
    if (status == ST_OK)
        status = cut_find(journal, &place, size);
    if (status != ST_OK)
        return status;
    status = cut_apply(journal, report, &place);
    if (status != ST_OK) {
        atomic_store(&journal->failed, true);
        report->status = status;
        return status;
    }
    journal->buffer_at = journal_segment_last(journal)->end;
    journal_publish(journal);
    ENSURE(journal_size(journal) == size);
    return ST_OK;
}
