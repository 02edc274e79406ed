#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"

/* Bytes looked at to step from the noted place to the entry's. */
enum { READ_STEP_SIZE = 4096 };

/*
 * Invariant: scan stands before the frame of entry ${index}, or at the end of
 * segment ${number}.
 */
struct journal_cursor {
    struct journal *journal;
    uint64_t index;
    size_t number;
    struct journal_scan scan;
    uint8_t window[]; /* Of journal_scan_window_size() bytes. */
};

/* The segment that holds entry ${index}, which is durable. */
static size_t read_segment_of(const struct journal *journal, uint64_t index)
{
    size_t low = 0;
    size_t high =
        atomic_load_explicit(&journal->segments_count, memory_order_acquire);

    REQUIRE(high > 0);
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (journal_segment_at(journal, middle)->first <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Steps over whole frames, from the noted place to the frame of ${index}. */
static enum status read_find(const struct journal *journal,
                             uint64_t *offset_out, size_t number,
                             uint64_t index)
{
    const struct journal_segment *segment = journal_segment_at(journal, number);
    const uint64_t nth = index - segment->first;
    uint64_t offset = segment->places[nth / SEGMENT_INDEX_STRIDE];
    uint64_t steps = nth % SEGMENT_INDEX_STRIDE;
    uint64_t window_at = 0;
    size_t window_used = 0;
    uint8_t window[READ_STEP_SIZE];

    while (steps > 0) {
        uint32_t length;

        if (window_used == 0 ||
            offset + sizeof length > window_at + window_used) {
            const enum status status = disk_read(segment->file, &window_used,
                                                 window, sizeof window, offset);

            if (status != ST_OK)
                return status;
            if (window_used < sizeof length)
                return ST_CHECKSUM;
            window_at = offset;
        }
        length = load_u32(window + (offset - window_at));
        if (length < ENTRY_FIXED_SIZE || length > ENTRY_SIZE_MAX)
            return ST_CHECKSUM;
        offset += segment_frame_size(length);
        steps--;
    }
    *offset_out = offset;
    return ST_OK;
}

enum status journal_place(struct journal *journal, char *file_out,
                          uint64_t *offset_out, uint64_t index)
{
    size_t number;

    if (index >= journal_size(journal))
        return ST_END;
    number = read_segment_of(journal, index);
    journal_segment_name(file_out, journal_segment_at(journal, number)->first);
    return read_find(journal, offset_out, number, index);
}

/* The checksum says that bytes are as written; the index, that they are these.
 */
static enum status read_check(struct slice *entry_out, struct slice input,
                              uint64_t index)
{
    struct entry entry;
    enum status status = segment_frame_decode(entry_out, input);

    if (status == ST_OK)
        status = entry_view(&entry, *entry_out);
    if (status != ST_OK || entry.place.index != index)
        return ST_CHECKSUM;
    return ST_OK;
}

enum status journal_read_entry(struct journal *journal, struct slice *entry_out,
                               uint8_t *buffer, uint64_t index)
{
    uint64_t offset;
    size_t number;
    size_t size;
    enum status status;

    *entry_out = (struct slice){NULL, 0};
    if (index >= journal_size(journal))
        return ST_END;
    number = read_segment_of(journal, index);
    status = read_find(journal, &offset, number, index);
    if (status == ST_OK)
        status = disk_read(journal_segment_at(journal, number)->file, &size,
                           buffer, SEGMENT_FRAME_HEADER_SIZE, offset);
    if (status != ST_OK)
        return status;
    if (size < SEGMENT_FRAME_HEADER_SIZE || load_u32(buffer) > ENTRY_SIZE_MAX)
        return ST_CHECKSUM;
    status = disk_read(journal_segment_at(journal, number)->file, &size, buffer,
                       segment_frame_size(load_u32(buffer)), offset);
    if (status != ST_OK)
        return status;
    return read_check(entry_out, slice_of(buffer, size), index);
}

static void cursor_begin(struct journal_cursor *cursor, size_t number,
                         uint64_t offset)
{
    const struct journal *journal = cursor->journal;
    const uint32_t size = journal->options.segment_size;

    cursor->number = number;
    journal_scan_begin(&cursor->scan, journal_segment_at(journal, number)->file,
                       offset, size, cursor->window,
                       journal_scan_window_size(size));
}

enum status journal_cursor_open(struct journal_cursor **cursor_out,
                                struct journal *journal, uint64_t index)
{
    struct journal_cursor *cursor;
    const uint64_t size = journal_size(journal);
    uint64_t offset = SEGMENT_HEADER_SIZE;
    size_t number = 0;
    enum status status = ST_OK;

    *cursor_out = NULL;
    if (index > size)
        return ST_END;
    if (index > 0) {
        number = read_segment_of(journal, index - 1);
        status = read_find(journal, &offset, number, index - 1);
    }
    if (status != ST_OK)
        return status;
    cursor = malloc(sizeof *cursor +
                    journal_scan_window_size(journal->options.segment_size));
    if (cursor == NULL)
        return ST_DISK_FAILED;
    cursor->journal = journal;
    cursor->index = index == 0 ? 0 : index - 1;
    cursor_begin(cursor, number, offset);
    if (index > 0) { /* Step over the entry before. */
        struct slice before;

        status = journal_cursor_next(cursor, &before);
    }
    if (status != ST_OK) {
        journal_cursor_close(cursor);
        return status;
    }
    *cursor_out = cursor;
    return ST_OK;
}

enum status journal_cursor_next(struct journal_cursor *cursor,
                                struct slice *entry_out)
{
    struct journal *journal = cursor->journal;
    struct entry entry;
    enum status status;

    *entry_out = (struct slice){NULL, 0};
    if (cursor->index >= journal_size(journal))
        return ST_END;
    status = journal_scan_next(&cursor->scan, entry_out);
    if (status != ST_OK && status != ST_DISK_FAILED) {
        /* The window may be older than the entry. */
        cursor_begin(cursor, cursor->number, cursor->scan.offset);
        status = journal_scan_next(&cursor->scan, entry_out);
    }
    if (status == ST_END && cursor->number + 1 < journal->segments_count) {
        cursor_begin(cursor, cursor->number + 1, SEGMENT_HEADER_SIZE);
        status = journal_scan_next(&cursor->scan, entry_out);
    }
    if (status == ST_DISK_FAILED)
        return status;
    if (status != ST_OK || entry_view(&entry, *entry_out) != ST_OK ||
        entry.place.index != cursor->index)
        return ST_CHECKSUM;
    cursor->index++;
    return ST_OK;
}

void journal_cursor_close(struct journal_cursor *cursor)
{
    free(cursor);
}
