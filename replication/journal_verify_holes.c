/*
 * journal_verify_holes.c: going on behind damage, for a node whose peers can
 * give it what is missing.
 */
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_run.h"
#include "replication/journal_verify.h"

static int verify_rank(enum journal_case found)
{
    switch (found) {
    case JOURNAL_CLEAN:
        return 0;
    case JOURNAL_TORN:
        return 1;
    case JOURNAL_HOLE:
        return 2;
    case JOURNAL_MARK_SLOT:
        return 3;
    case JOURNAL_LOST:
        return 4;
    case JOURNAL_MARK_GONE:
        return 5;
    case JOURNAL_META_GONE:
        return 6;
    }
    return 0;
}

void journal_verify_find(struct journal_verify *verify, enum journal_case found)
{
    if (verify_rank(found) > verify_rank(verify->report->found))
        verify->report->found = found;
}

/* Takes the journal back to where ${hole} begins. */
static enum status verify_rewind(struct journal_verify *verify,
                                 const struct journal_hole *hole)
{
    struct journal *journal = verify->journal;
    struct journal_segment *segment = journal_segment_last(journal);
    struct journal_end end = {.size = hole->first};
    struct slice bytes;
    struct entry entry;
    enum status status;

    segment->count = hole->first - segment->first;
    segment->end = hole->offset;
    segment->hole = (struct journal_hole){.end = 0};
    if (end.size > 0) {
        status =
            journal_fetch(journal, &bytes, journal->buffer, end.size - 1, true);
        if (status != ST_OK)
            return status;
        status = entry_view(&entry, bytes);
        INVARIANT(status == ST_OK);
        end.epoch = entry.place.epoch;
        end.log_time = entry.place.log_time;
        entry_leaf_hash(end.leaf, bytes);
    }
    journal->end = end;
    journal_epochs_cut(journal, end.size);
    return ST_OK;
}

/* More holes than can be remembered: the log ends where the first begins. */
static enum status verify_give_up(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    size_t first = 0;
    struct journal_hole hole;
    enum status status;

    while (journal_segment_at(journal, first)->hole.end == 0)
        first++;
    while (journal->segments_count > first + 1)
        journal_segment_drop(journal);
    hole = journal_segment_last(journal)->hole;
    status = verify_rewind(verify, &hole);
    if (status != ST_OK)
        return status == ST_DISK_FAILED ? status : ST_LOST;
    verify->holes = 0;
    verify->mark_reached = false;
    journal_verify_damage(verify, first, hole.offset);
    return ST_OK;
}

/* What the entries behind the damage must lead to. */
static enum status verify_anchor(const struct journal_verify *verify,
                                 size_t number, struct journal_anchor *anchor)
{
    const struct journal *journal = verify->journal;
    const struct mark_value *mark = &journal->mark.value;

    if (number + 1 < verify->firsts_count)
        return journal_anchor_before(anchor, journal,
                                     verify->firsts[number + 1]);
    if (verify->cutting && verify->cut.size < mark->size) {
        anchor->size = verify->cut.size;
        anchor->sealed = false;
        memcpy(anchor->leaf, verify->cut.leaf, HASH_SIZE);
        return ST_OK;
    }
    if (verify->mark_missing)
        return ST_END;
    anchor->size = mark->size;
    anchor->sealed = false;
    memcpy(anchor->leaf, mark->leaf, HASH_SIZE);
    return ST_OK;
}

enum status journal_verify_linked(struct journal_verify *verify, size_t number)
{
    const struct journal_end *end = &verify->journal->end;
    struct journal_anchor anchor;
    enum status status;

    if (!verify->journal->options.repair || number + 1 >= verify->firsts_count)
        return ST_OK;
    status = verify_anchor(verify, number, &anchor);
    if (status != ST_OK)
        return status == ST_END ? ST_OK : status;
    if (end->size == anchor.size &&
        (!verify->leaf_known || memcmp(end->leaf, anchor.leaf, HASH_SIZE) == 0))
        return ST_OK;
    return ST_END;
}

/* The hole between the end and what leads to the anchor. */
static enum status skip_hole(struct journal_verify *verify, size_t number,
                             const struct journal_anchor *anchor,
                             struct journal_hole *hole)
{
    struct journal *journal = verify->journal;
    const struct journal_segment *segment = journal_segment_last(journal);
    const uint64_t size = journal->end.size;
    struct journal_run run;
    enum status status;

    *hole = (struct journal_hole){.first = size, .offset = segment->end};
    status = journal_run_find(&run, journal, segment->file, segment->end, size,
                              anchor);
    if (status == ST_OK) {
        hole->end = run.first;
        hole->offset_end = run.offset;
        memcpy(hole->leaf, run.previous, HASH_SIZE);
    } else if (status == ST_END && number + 1 < verify->firsts_count) {
        hole->end = anchor->size;
        hole->offset_end = size == anchor->size ? segment->end : 0;
        memcpy(hole->leaf, anchor->leaf, HASH_SIZE);
    } else {
        return status;
    }
    if (hole->end == size) { /* The newest is good, but not the right one. */
        if (segment->count == 0 ||
            (segment->hole.end > 0 && segment->hole.end >= size))
            return ST_END;
        hole->first = size - 1;
        hole->offset = verify->before_offset;
    }
    return journal_hole_fits(journal, hole) ? ST_OK : ST_END;
}

/* Goes on behind the hole. */
static void skip_take(struct journal_verify *verify, size_t number,
                      const struct journal_hole *hole)
{
    struct journal *journal = verify->journal;
    struct journal_segment *segment = journal_segment_last(journal);
    struct journal_report *report = verify->report;

    if (verify->holes == 0) {
        journal_segment_name(report->file, verify->firsts[number]);
        report->offset = hole->offset;
        report->index = hole->first;
        report->next_good = hole->end;
        memcpy(report->expected, hole->leaf, HASH_SIZE);
    }
    journal_epochs_cut(journal, hole->first);
    segment->hole = *hole;
    segment->count = hole->end - segment->first;
    segment->end =
        hole->offset_end > 0 ? hole->offset_end : journal->options.segment_size;
    journal->end.size = hole->end;
    memcpy(journal->end.leaf, hole->leaf, HASH_SIZE);
    verify->leaf_known = true;
    verify->holes++;
    report->holes = verify->holes;
    journal_verify_find(verify, JOURNAL_HOLE);
}

enum status journal_verify_skip(struct journal_verify *verify, size_t number)
{
    struct journal *journal = verify->journal;
    const struct mark_value *mark = &journal->mark.value;
    struct journal_anchor anchor;
    struct journal_hole hole;
    enum status status;

    if (!journal->options.repair || journal->end.size > verify->mark_limit)
        return ST_END;
    if (journal_segment_last(journal)->hole.end > 0)
        return ST_END; /* The anchor was reached from behind the hole. */
    status = verify_anchor(verify, number, &anchor);
    if (status == ST_OK && anchor.size < journal->end.size)
        status = ST_END;
    if (status == ST_OK)
        status = skip_hole(verify, number, &anchor, &hole);
    if (status != ST_OK)
        return status;
    if (hole.first >= verify->mark_limit || hole.end > verify->mark_limit ||
        (hole.end == mark->size && !verify->mark_missing &&
         memcmp(hole.leaf, mark->leaf, HASH_SIZE) != 0))
        return ST_END;
    skip_take(verify, number, &hole);
    if (verify->holes <= JOURNAL_HOLES_MAX)
        return ST_OK;
    return verify_give_up(verify);
}

void journal_verify_undo(struct journal_verify *verify, size_t number)
{
    struct journal *journal = verify->journal;
    struct journal_segment *segment = journal_segment_last(journal);

    REQUIRE(segment->count > 0);
    segment->count--;
    segment->end = verify->before_offset;
    journal->end = verify->before;
    journal_epochs_cut(journal, journal->end.size);
    verify->mark_reached = false;
    journal_verify_damage(verify, number, segment->end);
}

void journal_verify_lost(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    const struct mark_value *mark = &journal->mark.value;
    const bool cut = verify->cutting && verify->cut.size < mark->size;
    struct mark_lost lost = {.kind = MARK_LOST,
                             .size = cut ? verify->cut.size : mark->size,
                             .committed = mark->committed};

    memcpy(lost.leaf, cut ? verify->cut.leaf : mark->leaf, HASH_SIZE);
    if (verify->report->slot_bad) /* The lost slot may have named more. */
        lost = (struct mark_lost){.kind = MARK_LOST_ALL,
                                  .size = UINT64_MAX,
                                  .committed = mark->committed};
    mark_lost_join(&verify->lost, &lost);
    journal_verify_find(verify, JOURNAL_LOST);
    memcpy(verify->report->expected, lost.leaf, HASH_SIZE);
    verify->mark_limit = journal->end.size;
}
