#include "replication/journal_run.h"

#include <string.h>

#include "protocol/entry.h"

/* The state of one attempt. */
struct run_end {
    uint64_t size;
    uint8_t leaf[HASH_SIZE];
};

/*
 * Follows the entries from the one that ${end} is on; true if they lead to the
 * anchor.  Where they do not, scan->offset is where they break off.
 */
static enum status run_follow(struct journal_scan *scan, struct run_end *end,
                              const struct journal_anchor *anchor)
{
    while (end->size < anchor->size) {
        const uint64_t offset = scan->offset;
        struct slice bytes;
        struct entry entry;
        enum status status = journal_scan_next(scan, &bytes);

        if (status == ST_DISK_FAILED)
            return status;
        if (status == ST_OK &&
            (entry_view(&entry, bytes) != ST_OK ||
             entry.place.index != end->size ||
             memcmp(entry.place.previous, end->leaf, HASH_SIZE) != 0)) {
            scan->offset = offset;
            status = ST_END;
        }
        if (status != ST_OK)
            return ST_END;
        end->size++;
        entry_leaf_hash(end->leaf, bytes);
    }
    return memcmp(end->leaf, anchor->leaf, HASH_SIZE) == 0 ? ST_OK : ST_END;
}

/* ST_END if something follows. */
static enum status run_ends(struct journal_scan *scan)
{
    uint64_t end;
    enum status status = journal_scan_rest(scan, &end);

    if (status == ST_OK && end > scan->offset)
        status = ST_END;
    return status;
}

/* Whether the entries before ${run} can stand in the bytes before it. */
static bool run_leaves_room(const struct journal_run *run, uint64_t offset,
                            uint64_t index)
{
    const uint64_t count = run->first - index;
    const uint64_t room = run->offset - offset;

    return room / segment_frame_size(ENTRY_FIXED_SIZE) >= count &&
           (count > 0 || room == 0);
}

static enum status run_look(struct journal_run *run, struct journal *journal,
                            struct disk_file *file, uint64_t offset,
                            uint64_t index, const struct journal_anchor *anchor,
                            bool sealed)
{
    struct journal_scan scan;
    struct entry entry;
    struct run_end end;
    enum status status;

    REQUIRE(journal->buffer_used == 0);
    journal_scan_begin(&scan, file, offset, journal->options.segment_size,
                       journal->buffer, journal->buffer_size);
    for (;;) {
        status = journal_scan_resume(&scan, &entry, index);
        if (status != ST_OK)
            return status;
        run->first = entry.place.index;
        run->offset = scan.offset - segment_frame_size(entry.bytes.size);
        memcpy(run->previous, entry.place.previous, HASH_SIZE);
        if (run->first >= anchor->size || !run_leaves_room(run, offset, index))
            continue;
        end.size = run->first + 1;
        entry_leaf_hash(end.leaf, entry.bytes);
        status = run_follow(&scan, &end, anchor);
        if (status == ST_OK && sealed)
            status = run_ends(&scan);
        if (status != ST_END)
            return status;
    }
}

enum status journal_run_find(struct journal_run *run, struct journal *journal,
                             struct disk_file *file, uint64_t offset,
                             uint64_t index,
                             const struct journal_anchor *anchor)
{
    enum status status = ST_END;

    if (anchor->sealed)
        status = run_look(run, journal, file, offset, index, anchor, true);
    /* What should be zeros may have rotted too. */
    if (status == ST_END)
        status = run_look(run, journal, file, offset, index, anchor, false);
    return status;
}

enum status journal_anchor_before(struct journal_anchor *anchor,
                                  const struct journal *journal, uint64_t first)
{
    struct segment_header header;
    char name[DISK_NAME_SIZE_MAX];
    struct disk_file *file;
    struct slice bytes;
    struct entry entry;
    size_t read = 0;
    enum status status;

    journal_segment_name(name, first);
    status = disk_open(journal->disk, &file, name);
    if (status != ST_OK)
        return status == ST_NO_FILE ? ST_END : status;
    anchor->size = first;
    anchor->sealed = true;
    status = disk_read(file, &read, journal->buffer, SEGMENT_HEADER_SIZE, 0);
    if (status == ST_OK &&
        segment_header_decode(&header, slice_of(journal->buffer, read)) ==
            ST_OK &&
        header.first_index == first) {
        memcpy(anchor->leaf, header.previous, HASH_SIZE);
        disk_close(file);
        return ST_OK;
    }
    if (status == ST_OK)
        status = disk_read(file, &read, journal->buffer, JOURNAL_READ_SIZE,
                           SEGMENT_HEADER_SIZE);
    disk_close(file);
    if (status != ST_OK)
        return status;
    if (segment_frame_decode(&bytes, slice_of(journal->buffer, read)) !=
            ST_OK ||
        entry_view(&entry, bytes) != ST_OK || entry.place.index != first)
        return ST_END;
    memcpy(anchor->leaf, entry.place.previous, HASH_SIZE);
    return ST_OK;
}

bool journal_hole_fits(const struct journal *journal,
                       const struct journal_hole *hole)
{
    const uint64_t count = hole->end - hole->first;
    const uint64_t room =
        (hole->offset_end > 0 ? hole->offset_end
                              : journal->options.segment_size) -
        hole->offset;

    return hole->end > hole->first &&
           room / segment_frame_size(ENTRY_FIXED_SIZE) >= count &&
           (hole->offset_end > 0 || count <= GROUP_ENTRIES_MAX);
}

enum status journal_previous_leaf(struct journal *journal, uint8_t *leaf_out,
                                  uint64_t index)
{
    struct journal_view view;
    enum status status;
    bool known;

    REQUIRE(journal->buffer_used == 0);
    memset(leaf_out, 0, HASH_SIZE);
    if (index == 0)
        return ST_OK;
    status = journal_pin(journal, &view, index - 1, true);
    INVARIANT(status == ST_OK);
    known = view.hole.end == index;
    journal_unpin(journal);
    if (known) {
        memcpy(leaf_out, view.hole.leaf, HASH_SIZE);
        return ST_OK;
    }
    return journal_leaf_get(journal, leaf_out, journal->buffer, index - 1,
                            true);
}
