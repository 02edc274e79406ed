#include "replication/journal_scan.h"

#include <string.h>

#include "protocol/segment.h"
#include "replication/journal.h"

size_t journal_scan_window_size(uint32_t segment_size)
{
    static_assert((int)JOURNAL_SCAN_SIZE >= (int)JOURNAL_READ_SIZE,
                  "a window holds the largest frame");
    return segment_size < JOURNAL_SCAN_SIZE ? segment_size : JOURNAL_SCAN_SIZE;
}

void journal_scan_begin(struct journal_scan *scan, struct disk_file *file,
                        uint64_t offset, uint64_t end, uint8_t *window,
                        size_t window_size)
{
    REQUIRE(offset <= end);
    *scan = (struct journal_scan){.file = file,
                                  .end = end,
                                  .offset = offset,
                                  .window = window,
                                  .window_size = window_size,
                                  .window_at = offset};
}

/* The bytes from scan->offset on: at least a whole frame's, or all there are.
 */
static enum status scan_fill(struct journal_scan *scan, struct slice *out)
{
    const uint64_t left = scan->end - scan->offset;
    const size_t need =
        left < JOURNAL_READ_SIZE ? (size_t)left : JOURNAL_READ_SIZE;
    size_t skip;

    if (scan->offset < scan->window_at ||
        scan->offset + need > scan->window_at + scan->window_used) {
        const size_t want =
            left < scan->window_size ? (size_t)left : scan->window_size;
        const enum status status = disk_read(scan->file, &scan->window_used,
                                             scan->window, want, scan->offset);

        if (status != ST_OK)
            return status;
        scan->window_at = scan->offset;
    }
    skip = (size_t)(scan->offset - scan->window_at);
    *out = slice_of(scan->window + skip, scan->window_used - skip);
    return ST_OK;
}

enum status journal_scan_next(struct journal_scan *scan,
                              struct slice *entry_out)
{
    struct slice input;
    enum status status = scan_fill(scan, &input);

    if (status != ST_OK)
        return status;
    status = segment_frame_decode(entry_out, input);
    if (status == ST_AGAIN) /* The file ends inside it. */
        return input.size < SEGMENT_FRAME_HEADER_SIZE ? ST_END : ST_FILE_FORMAT;
    if (status == ST_OK)
        scan->offset += segment_frame_size(entry_out->size);
    return status;
}

static bool scan_is_zero(const uint8_t *data, size_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* Bytes up to the last that is not zero. */
static size_t scan_used(const uint8_t *data, size_t size)
{
    while (size > 0 && data[size - 1] == 0)
        size--;
    return size;
}

enum status journal_scan_rest(struct journal_scan *scan, uint64_t *end_out)
{
    uint64_t offset = scan->offset;

    *end_out = scan->offset;
    while (offset < scan->end) {
        const uint64_t left = scan->end - offset;
        const size_t want =
            left < scan->window_size ? (size_t)left : scan->window_size;
        size_t size;
        const enum status status =
            disk_read(scan->file, &size, scan->window, want, offset);

        scan->window_used = 0; /* The window shows another place now. */
        if (status != ST_OK)
            return status;
        if (size == 0)
            break;
        if (!scan_is_zero(scan->window, size))
            *end_out = offset + scan_used(scan->window, size);
        offset += size;
    }
    return ST_OK;
}

enum status journal_scan_resume(struct journal_scan *scan,
                                struct entry *entry_out, uint64_t index)
{
    while (scan->offset < scan->end) {
        struct slice bytes;
        const enum status status = journal_scan_next(scan, &bytes);

        if (status == ST_DISK_FAILED)
            return status;
        if (status == ST_OK && entry_view(entry_out, bytes) == ST_OK &&
            entry_out->place.index >= index)
            return ST_OK;
        if (status != ST_OK)
            scan->offset++;
    }
    return ST_END;
}
