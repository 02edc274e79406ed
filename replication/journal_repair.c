#include "replication/journal_repair.h"

#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_run.h"

enum status journal_hole_at(struct journal *journal, struct journal_gap *out,
                            size_t number)
{
    enum status status = ST_END;

    journal_lock(journal);
    for (size_t i = 0; i < journal->segments_count; i++) {
        const struct journal_segment *segment = journal_segment_at(journal, i);
        const struct journal_hole *hole = &segment->hole;

        if (hole->end == 0 || number-- > 0)
            continue;
        *out = (struct journal_gap){.first = hole->first,
                                    .count = hole->end - hole->first,
                                    .ask = hole->offset_end > 0 ? hole->end - 1
                                                                : hole->first,
                                    .offset = hole->offset,
                                    .offset_end = hole->offset_end};
        memcpy(out->leaf, hole->leaf, HASH_SIZE);
        journal_segment_name(out->file, segment->first);
        status = ST_OK;
        break;
    }
    journal_unlock(journal);
    return status;
}

/* Whether the entries lead back from the hash that is known; ${leaf} becomes
 * the one that the entry before them must have. */
static enum status repair_check(const struct journal_hole *hole, uint64_t index,
                                const struct journal_entry *entries,
                                size_t count, uint8_t *leaf)
{
    memcpy(leaf, hole->leaf, HASH_SIZE);
    for (size_t i = count; i > 0; i--) {
        const struct slice bytes = entries[i - 1].bytes;
        uint8_t found[HASH_SIZE];
        struct entry entry;

        if (bytes.size > ENTRY_SIZE_MAX || entry_view(&entry, bytes) != ST_OK)
            return ST_ENTRY_FORMED;
        entry_leaf_hash(found, bytes);
        if (entry.place.index != index + i - 1 ||
            memcmp(found, leaf, HASH_SIZE) != 0)
            return ST_CHAIN_BROKEN;
        memcpy(leaf, entry.place.previous, HASH_SIZE);
    }
    return ST_OK;
}

/* Where the entries lie.  They are the right ones; where they do not fit, what
 * stands behind the hole is not where it belongs. */
static enum status repair_fit(struct journal *journal,
                              const struct journal_hole *hole, uint64_t index,
                              const struct journal_entry *entries, size_t count,
                              uint64_t *offset_out)
{
    uint64_t size = 0;
    struct journal_hole rest = *hole;

    for (size_t i = 0; i < count; i++)
        size += segment_frame_size(entries[i].bytes.size);
    if (hole->offset_end == 0) {
        if (index != hole->first)
            return ST_AGAIN;
        *offset_out = hole->offset;
        return size <= journal->options.segment_size - hole->offset ? ST_OK
                                                                    : ST_LOST;
    }
    if (size > hole->offset_end - hole->offset)
        return ST_LOST;
    *offset_out = hole->offset_end - size;
    if (index == hole->first)
        return *offset_out == hole->offset ? ST_OK : ST_LOST;
    rest.end = index;
    rest.offset_end = *offset_out;
    return journal_hole_fits(journal, &rest) ? ST_OK : ST_LOST;
}

static enum status repair_write(struct journal *journal,
                                struct journal_segment *segment,
                                const struct journal_entry *entries,
                                size_t count, uint64_t offset)
{
    uint64_t at = offset;
    enum status status = ST_OK;

    for (size_t i = 0; status == ST_OK && i < count; i++) {
        const size_t frame = segment_frame_size(entries[i].bytes.size);

        segment_frame_encode(journal->buffer, entries[i].bytes);
        status = disk_write(segment->file, journal->buffer, frame, at);
        at += frame;
    }
    if (status == ST_OK)
        status = disk_sync(segment->file);
    if (status != ST_OK)
        return journal_fail(journal);
    at = offset;
    for (size_t i = 0; status == ST_OK && i < count; i++) {
        const size_t frame = segment_frame_size(entries[i].bytes.size);
        struct slice bytes;

        status = disk_read_all(segment->file, journal->buffer, frame, at);
        if (status == ST_DISK_FAILED)
            return status;
        if (status != ST_OK ||
            segment_frame_decode(&bytes, slice_of(journal->buffer, frame)) !=
                ST_OK ||
            !slice_equal(bytes, entries[i].bytes))
            return ST_CHECKSUM;
        at += frame;
    }
    return ST_OK;
}

/* Zeros up to the end of a segment, as an undamaged one has. */
static enum status repair_rest(struct journal *journal,
                               struct journal_segment *segment, uint64_t offset)
{
    enum status status;

    status =
        disk_write_zeros(segment->file, offset, journal->options.segment_size);
    if (status == ST_OK)
        status = disk_sync(segment->file);
    return status == ST_OK ? ST_OK : journal_fail(journal);
}

/* Shows the entries to the readers. */
static void repair_publish(struct journal *journal,
                           struct journal_segment *segment,
                           const struct journal_hole *rest,
                           const struct journal_entry *entries, size_t count,
                           uint64_t index, uint64_t offset)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t nth = index + i - segment->first;
        uint8_t leaf[HASH_SIZE];
        struct entry entry;
        const enum status status = entry_view(&entry, entries[i].bytes);

        INVARIANT(status == ST_OK);
        if (nth % SEGMENT_INDEX_STRIDE == 0)
            atomic_store_explicit(
                &segment->places[nth / SEGMENT_INDEX_STRIDE].offset,
                (uint32_t)offset, memory_order_relaxed);
        offset += segment_frame_size(entries[i].bytes.size);
        entry_leaf_hash(leaf, entries[i].bytes);
        journal_lock(journal);
        journal_epoch_mend(journal, entry.place.epoch, index + i, leaf);
        journal_unlock(journal);
    }
    journal_hole_set(journal, segment, rest);
}

/*
 * What is left of a hole once the entries from ${index} on are back.  Where the
 * one before a filled hole is not the one that the entries name, that is what
 * was damaged next.
 */
static enum status repair_left(struct journal *journal,
                               const struct journal_segment *segment,
                               const struct journal_hole *hole, uint64_t index,
                               uint64_t offset, const uint8_t *leaf,
                               struct journal_hole *rest)
{
    struct journal_view view;
    uint8_t before[HASH_SIZE];
    enum status status;

    *rest = (struct journal_hole){.end = 0};
    if (index > hole->first) {
        *rest = *hole;
        rest->end = index;
        rest->offset_end = offset;
        memcpy(rest->leaf, leaf, HASH_SIZE);
        return ST_OK;
    }
    status = journal_previous_leaf(journal, before, index);
    if (status == ST_DISK_FAILED)
        return status;
    if (status == ST_OK && memcmp(before, leaf, HASH_SIZE) == 0)
        return ST_OK;
    if (index == segment->first)
        return status == ST_OK ? ST_CHAIN_BROKEN : ST_OK;
    *rest = (struct journal_hole){
        .first = index - 1, .end = index, .offset_end = offset};
    memcpy(rest->leaf, leaf, HASH_SIZE);
    status = journal_pin(journal, &view, index - 1, true);
    INVARIANT(status == ST_OK);
    status = journal_find(&view, &rest->offset, index - 1);
    journal_unpin(journal);
    return status;
}

static enum status repair_hole(struct journal *journal,
                               struct journal_segment *segment, uint64_t index,
                               const struct journal_entry *entries,
                               size_t count)
{
    const struct journal_hole hole = segment->hole;
    struct journal_hole rest;
    uint8_t leaf[HASH_SIZE];
    uint64_t offset = 0;
    enum status status;

    if (count != hole.end - index)
        return ST_AGAIN;
    status = repair_check(&hole, index, entries, count, leaf);
    if (status == ST_OK)
        status = repair_fit(journal, &hole, index, entries, count, &offset);
    if (status == ST_OK)
        status =
            repair_left(journal, segment, &hole, index, offset, leaf, &rest);
    if (status == ST_OK)
        status = repair_write(journal, segment, entries, count, offset);
    if (status == ST_OK && hole.offset_end == 0) {
        uint64_t end = offset;

        for (size_t i = 0; i < count; i++)
            end += segment_frame_size(entries[i].bytes.size);
        status = repair_rest(journal, segment, end);
    }
    if (status == ST_OK)
        repair_publish(journal, segment, &rest, entries, count, index, offset);
    return status;
}

enum status journal_repair(struct journal *journal, uint64_t index,
                           const struct journal_entry *entries, size_t count)
{
    struct journal_segment *segment;
    struct journal_view view;
    enum status status;

    REQUIRE(count > 0);
    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    status = journal_pin(journal, &view, index, true);
    if (status != ST_OK)
        return status;
    journal_unpin(journal);
    segment = journal_segment_at(journal, view.number);
    status = journal_flush(journal);
    if (status == ST_OK &&
        (index < segment->hole.first || index >= segment->hole.end))
        status = journal_examine_segment(journal, view.number);
    if (status == ST_OK && index >= segment->hole.first &&
        index < segment->hole.end)
        status = repair_hole(journal, segment, index, entries, count);
    return status;
}
