/*
 * journal_examine.c: finding the hole in a segment that is in use.
 */
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_run.h"

void journal_hole_set(struct journal *journal, struct journal_segment *segment,
                      const struct journal_hole *hole)
{
    journal_lock(journal);
    segment->hole = *hole;
    journal->changes++;
    journal_unlock(journal);
}

/* Where a segment must lead to. */
static enum status examine_anchor(struct journal *journal, size_t number,
                                  struct journal_anchor *anchor)
{
    enum status status;

    if (number + 1 < journal->segments_count) {
        status = journal_anchor_before(
            anchor, journal, journal_segment_at(journal, number + 1)->first);
        return status == ST_END ? ST_LOST : status;
    }
    anchor->size = journal->end.size;
    anchor->sealed = false;
    memcpy(anchor->leaf, journal->end.leaf, HASH_SIZE);
    return ST_OK;
}

/* How far a segment is good from its beginning. */
struct examined {
    uint64_t size;   /* Entries in the log up to here. */
    uint64_t offset; /* Behind them. */
    uint64_t last;   /* Offset of the last of them. */
    uint8_t leaf[HASH_SIZE];
};

static enum status examine_front(struct journal *journal,
                                 const struct journal_segment *segment,
                                 const struct journal_anchor *anchor,
                                 struct examined *front)
{
    struct journal_scan scan;
    enum status status;
    bool linked;

    *front = (struct examined){.size = segment->first,
                               .offset = SEGMENT_HEADER_SIZE};
    status = journal_previous_leaf(journal, front->leaf, segment->first);
    linked = status == ST_OK;
    if (status == ST_DISK_FAILED)
        return status;
    journal_scan_begin(&scan, segment->file, SEGMENT_HEADER_SIZE,
                       journal->options.segment_size, journal->buffer,
                       journal->buffer_size);
    while (front->size < anchor->size) {
        struct slice bytes;
        struct entry entry;

        status = journal_scan_next(&scan, &bytes);
        if (status == ST_DISK_FAILED)
            return status;
        if (status != ST_OK || entry_view(&entry, bytes) != ST_OK ||
            entry.place.index != front->size ||
            (linked &&
             memcmp(entry.place.previous, front->leaf, HASH_SIZE) != 0))
            return ST_OK;
        front->size++;
        front->last = front->offset;
        front->offset = scan.offset;
        entry_leaf_hash(front->leaf, bytes);
        linked = true;
    }
    return ST_OK;
}

/* The hole that lies between what is good at both ends of a segment. */
static enum status examine_hole(struct journal *journal, size_t number,
                                const struct examined *front,
                                const struct journal_anchor *anchor,
                                struct journal_hole *hole)
{
    const struct journal_segment *segment = journal_segment_at(journal, number);
    /* The end of one that was taken for full is not known. */
    const bool known = number + 1 == journal->segments_count &&
                       segment->end < journal->options.segment_size;
    struct journal_run run;
    enum status status;

    *hole =
        (struct journal_hole){.first = front->size, .offset = front->offset};
    status = journal_run_find(&run, journal, segment->file, front->offset,
                              front->size, anchor);
    if (status == ST_OK) {
        hole->end = run.first;
        hole->offset_end = run.offset;
        memcpy(hole->leaf, run.previous, HASH_SIZE);
    } else if (status == ST_END) {
        hole->end = anchor->size;
        hole->offset_end = known ? segment->end : 0;
        if (front->size == anchor->size)
            hole->offset_end = front->offset;
        memcpy(hole->leaf, anchor->leaf, HASH_SIZE);
    } else {
        return status;
    }
    if (hole->end == front->size) { /* The last one is good, but another. */
        if (front->size == segment->first)
            return ST_LOST;
        hole->first--;
        hole->offset = front->last;
    }
    return journal_hole_fits(journal, hole) ? ST_OK : ST_LOST;
}

/* A header page that rotted is written anew, from the entry before it. */
static enum status examine_header(struct journal *journal,
                                  const struct journal_segment *segment)
{
    const uint32_t size = journal->options.segment_size;
    struct segment_header header;
    uint8_t leaf[HASH_SIZE];
    size_t read;
    enum status status = journal_previous_leaf(journal, leaf, segment->first);

    if (status != ST_OK) /* Not known now: the page is left as it is. */
        return status == ST_CHECKSUM ? ST_OK : status;
    status = disk_read(segment->file, &read, journal->buffer,
                       SEGMENT_HEADER_SIZE, 0);
    if (status != ST_OK)
        return status;
    if (segment_header_decode(&header, slice_of(journal->buffer, read)) ==
            ST_OK &&
        header.first_index == segment->first && header.segment_size == size)
        return ST_OK;
    status = journal_header_write(segment->file, segment->first, leaf, size);
    return status == ST_OK ? ST_OK : journal_fail(journal);
}

/*
 * Entries from ${index} on, which lie at ${offset}, can be read: those that
 * were in a hole until now are shown to the readers as well.
 */
static enum status examine_note(struct journal *journal,
                                struct journal_segment *segment, uint64_t index,
                                uint64_t offset, uint64_t end)
{
    struct journal_scan scan;

    journal_scan_begin(&scan, segment->file, offset,
                       journal->options.segment_size, journal->buffer,
                       journal->buffer_size);
    for (; index < end; index++) {
        const uint64_t nth = index - segment->first;
        const uint64_t at = scan.offset;
        struct slice bytes;
        struct entry entry;
        uint8_t leaf[HASH_SIZE];
        enum status status = journal_scan_next(&scan, &bytes);

        if (status == ST_DISK_FAILED)
            return status;
        if (status != ST_OK || entry_view(&entry, bytes) != ST_OK)
            return ST_LOST;
        if (nth % SEGMENT_INDEX_STRIDE == 0)
            atomic_store_explicit(
                &segment->places[nth / SEGMENT_INDEX_STRIDE].offset,
                (uint32_t)at, memory_order_relaxed);
        entry_leaf_hash(leaf, bytes);
        journal_lock(journal);
        journal_epoch_mend(journal, entry.place.epoch, index, leaf);
        journal_unlock(journal);
    }
    return ST_OK;
}

/* What was thought damaged and is good. */
static enum status examine_shrunk(struct journal *journal,
                                  struct journal_segment *segment,
                                  const struct journal_hole *hole,
                                  const struct journal_anchor *anchor)
{
    uint64_t front = hole->end == 0 ? anchor->size : hole->first;
    enum status status = ST_OK;

    if (segment->hole.end == 0)
        return ST_OK;
    if (front > segment->first)
        status = examine_note(journal, segment, segment->first,
                              SEGMENT_HEADER_SIZE, front);
    if (status == ST_OK && hole->end != 0 && hole->end < anchor->size)
        status = examine_note(journal, segment, hole->end, hole->offset_end,
                              anchor->size);
    return status;
}

enum status journal_examine_segment(struct journal *journal, size_t number)
{
    struct journal_segment *segment = journal_segment_at(journal, number);
    struct journal_hole hole = {.end = 0};
    struct journal_anchor anchor;
    struct examined front;
    enum status status = journal_flush(journal);

    if (status == ST_OK)
        status = examine_header(journal, segment);
    if (status == ST_OK)
        status = examine_anchor(journal, number, &anchor);
    if (status == ST_OK)
        status = examine_front(journal, segment, &anchor, &front);
    if (status == ST_OK && (front.size < anchor.size ||
                            memcmp(front.leaf, anchor.leaf, HASH_SIZE) != 0))
        status = examine_hole(journal, number, &front, &anchor, &hole);
    if (status == ST_OK)
        status = examine_shrunk(journal, segment, &hole, &anchor);
    if (status == ST_OK)
        journal_hole_set(journal, segment, &hole);
    return status;
}

enum status journal_examine(struct journal *journal, uint64_t index)
{
    struct journal_view view;
    enum status status;

    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    status = journal_pin(journal, &view, index, true);
    if (status != ST_OK)
        return status;
    journal_unpin(journal);
    return journal_examine_segment(journal, view.number);
}
