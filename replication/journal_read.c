#include "protocol/entry.h"
#include "replication/journal_parts.h"

/* Bytes looked at to step from the noted place to the entry's. */
enum { READ_STEP_SIZE = 4096 };

/* The last noted place at or before ${index}: its offset, and how many frames
 * lie between. */
static uint64_t find_from(const struct journal_view *view, uint64_t *steps_out,
                          uint64_t index)
{
    const uint64_t nth = (index - view->first) / SEGMENT_INDEX_STRIDE;
    const uint64_t noted = view->first + nth * SEGMENT_INDEX_STRIDE;
    const struct journal_hole *hole = &view->hole;

    if (hole->end > noted && hole->end <= index) {
        *steps_out = index - hole->end;
        return hole->offset_end;
    }
    *steps_out = index - noted;
    return atomic_load_explicit(&view->places[nth].offset,
                                memory_order_relaxed);
}

enum status journal_find(const struct journal_view *view, uint64_t *offset_out,
                         uint64_t index)
{
    uint64_t steps;
    uint64_t offset = find_from(view, &steps, index);
    uint64_t window_at = 0;
    size_t window_used = 0;
    uint8_t window[READ_STEP_SIZE];

    if (index >= view->hole.first && index < view->hole.end)
        return ST_CHECKSUM;
    while (steps > 0) {
        uint32_t length;

        if (window_used == 0 ||
            offset + sizeof length > window_at + window_used) {
            const enum status status = disk_read(view->file, &window_used,
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
    struct journal_view view;
    enum status status = journal_pin(journal, &view, index, false);

    if (status != ST_OK)
        return status;
    journal_segment_name(file_out, view.first);
    status = journal_find(&view, offset_out, index);
    journal_unpin(journal);
    return status;
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

static enum status read_view(const struct journal_view *view,
                             struct slice *entry_out, uint8_t *buffer,
                             uint64_t index)
{
    uint64_t offset;
    size_t size;
    enum status status = journal_find(view, &offset, index);

    if (status == ST_OK)
        status = disk_read(view->file, &size, buffer, SEGMENT_FRAME_HEADER_SIZE,
                           offset);
    if (status != ST_OK)
        return status;
    if (size < SEGMENT_FRAME_HEADER_SIZE || load_u32(buffer) > ENTRY_SIZE_MAX)
        return ST_CHECKSUM;
    status = disk_read(view->file, &size, buffer,
                       segment_frame_size(load_u32(buffer)), offset);
    if (status != ST_OK)
        return status;
    return read_check(entry_out, slice_of(buffer, size), index);
}

enum status journal_fetch(struct journal *journal, struct slice *entry_out,
                          uint8_t *buffer, uint64_t index, bool all)
{
    struct journal_view view;
    uint64_t changes;
    enum status status;

    do { /* Bytes that a cut took away meanwhile are no damage. */
        *entry_out = (struct slice){NULL, 0};
        status = journal_pin(journal, &view, index, all);
        if (status != ST_OK)
            return status;
        status = read_view(&view, entry_out, buffer, index);
        journal_lock(journal);
        changes = journal->changes;
        journal_unlock(journal);
        journal_unpin(journal);
    } while (status == ST_CHECKSUM && changes != view.changes);
    return status;
}

enum status journal_read_entry(struct journal *journal, struct slice *entry_out,
                               uint8_t *buffer, uint64_t index)
{
    return journal_fetch(journal, entry_out, buffer, index, false);
}
