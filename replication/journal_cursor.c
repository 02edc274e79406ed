/*
 * journal_cursor.c: reading entry after entry through a window.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"
#include "replication/need.h"

/*
 * Invariant: scan stands before the frame of entry ${index}, or at the end of
 * segment ${number}; its file is looked at while pinned only.
 */
struct journal_cursor {
    struct journal *journal;
    uint64_t index;
    size_t number;
    uint64_t changes;  /* Of the journal, seen so far. */
    struct slice last; /* Entry index - 1, until the window moves. */
    bool before_known; /* Or hashed already: */
    uint8_t before[HASH_SIZE];
    struct journal_scan scan;
    uint8_t window[]; /* Of journal_scan_window_size() bytes. */
};

static void cursor_begin(struct journal_cursor *cursor,
                         const struct journal_view *view, uint64_t offset)
{
    const uint32_t size = cursor->journal->options.segment_size;

    cursor->number = view->number;
    cursor->changes = view->changes;
    journal_scan_begin(&cursor->scan, view->file, offset, size, cursor->window,
                       journal_scan_window_size(size));
}

/* Whether what was given last is still the entry before. */
static enum status cursor_still_follows(struct journal_cursor *cursor)
{
    uint8_t leaf[HASH_SIZE];
    uint8_t *buffer;
    enum status status;

    if (cursor->index == 0)
        return ST_OK;
    if (cursor->last.size > 0) {
        entry_leaf_hash(cursor->before, cursor->last);
        cursor->before_known = true;
    }
    cursor->last = (struct slice){NULL, 0};
    if (!cursor->before_known)
        return ST_CHAIN_BROKEN;
    buffer = malloc(JOURNAL_READ_SIZE);
    NEED(buffer != NULL);
    status = journal_leaf_get(cursor->journal, leaf, buffer, cursor->index - 1,
                              false);
    free(buffer);
    if (status == ST_END ||
        (status == ST_OK && memcmp(leaf, cursor->before, HASH_SIZE) != 0))
        return ST_CHAIN_BROKEN;
    return status;
}

static enum status cursor_seek(struct journal_cursor *cursor,
                               const struct journal_view *view)
{
    uint64_t offset;
    enum status status = journal_find(view, &offset, cursor->index);

    if (status == ST_OK)
        cursor_begin(cursor, view, offset);
    return status;
}

/* Puts the scan where the entry lies in the segment that was pinned. */
static enum status cursor_align(struct journal_cursor *cursor,
                                const struct journal_view *view)
{
    const struct journal_hole *hole = &view->hole;

    if (view->changes != cursor->changes)
        return cursor_seek(cursor, view);
    if (view->number != cursor->number)
        cursor_begin(cursor, view, SEGMENT_HEADER_SIZE);
    if (cursor->index >= hole->first && cursor->index < hole->end)
        return ST_CHECKSUM;
    if (hole->end > 0 && cursor->index == hole->end)
        cursor_begin(cursor, view, hole->offset_end);
    return ST_OK;
}

static enum status cursor_read(struct journal_cursor *cursor,
                               const struct journal_view *view,
                               struct slice *entry_out)
{
    struct entry entry;
    enum status status = cursor_align(cursor, view);

    if (status != ST_OK)
        return status;
    status = journal_scan_next(&cursor->scan, entry_out);
    if (status != ST_OK && status != ST_DISK_FAILED) {
        /* The window may be older than the entry. */
        cursor_begin(cursor, view, cursor->scan.offset);
        status = journal_scan_next(&cursor->scan, entry_out);
    }
    if (status == ST_DISK_FAILED)
        return status;
    if (status != ST_OK || entry_view(&entry, *entry_out) != ST_OK ||
        entry.place.index != cursor->index)
        return ST_CHECKSUM;
    return ST_OK;
}

enum status journal_cursor_open(struct journal_cursor **cursor_out,
                                struct journal *journal, uint64_t index)
{
    struct journal_cursor *cursor;
    enum status status = ST_OK;

    *cursor_out = NULL;
    if (index > journal_size(journal))
        return ST_END;
    cursor = malloc(sizeof *cursor +
                    journal_scan_window_size(journal->options.segment_size));
    NEED(cursor != NULL);
    *cursor = (struct journal_cursor){.journal = journal,
                                      .index = index == 0 ? 0 : index - 1,
                                      .changes = UINT64_MAX};
    if (index > 0) { /* Step over the entry before, which is remembered. */
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
    struct journal_view view;
    uint64_t changes;
    enum status status;

    do {
        *entry_out = (struct slice){NULL, 0};
        status = journal_pin(journal, &view, cursor->index, false);
        changes = cursor->changes;
        if (view.changes != changes && changes != UINT64_MAX) {
            enum status follows = cursor_still_follows(cursor);

            if (follows != ST_OK) {
                if (status == ST_OK)
                    journal_unpin(journal);
                return follows;
            }
        }
        if (status != ST_OK)
            return status;
        status = cursor_read(cursor, &view, entry_out);
        journal_lock(journal);
        changes = journal->changes;
        journal_unlock(journal);
        journal_unpin(journal);
        if (status != ST_OK) {
            cursor->last = (struct slice){NULL, 0};
            cursor->before_known = false;
        }
    } while (status == ST_CHECKSUM && changes != view.changes);
    if (status != ST_OK)
        return status;
    cursor->last = *entry_out;
    cursor->index++;
    return ST_OK;
}

void journal_cursor_close(struct journal_cursor *cursor)
{
    free(cursor);
}
