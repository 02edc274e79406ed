/* fuzz-runs: 500
 * ctest-timeout: 300
 *
 * fz_segment.c: a segment file as anybody may have written it.  The journal
 * opens or says why not; what it opens can be read entry by entry, can be
 * appended to, and is found again.
 *
 * The first byte steers: bit 0, the rest is the whole file, otherwise it
 * follows a good header; bit 1, checksums of frames are made to fit; bits 2 and
 * 3, the size in the mark; bit 4, the node has peers, and opens anything.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/segment.h"
#include "replication/journal.h"
#include "replication/mark.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/log_maker.h"

#define SEGMENT_FILE "log/00000000000000000000.seg"

enum { FUZZ_SEGMENT_SIZE = SEGMENT_HEADER_SIZE + 4096, FUZZ_EPOCH = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fit_checksums(uint8_t *file)
{
    size_t at = SEGMENT_HEADER_SIZE;

    while (FUZZ_SEGMENT_SIZE - at > SEGMENT_FRAME_HEADER_SIZE) {
        static uint8_t entry[ENTRY_SIZE_MAX];
        const size_t length = load_u32(file + at);

        if (length == 0 || length > ENTRY_SIZE_MAX ||
            segment_frame_size(length) > FUZZ_SEGMENT_SIZE - at)
            return;
        memcpy(entry, file + at + SEGMENT_FRAME_HEADER_SIZE, length);
        segment_frame_encode(file + at, slice_of(entry, length));
        at += segment_frame_size(length);
    }
}

static void read_all(struct journal *journal)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct journal_cursor *cursor;
    struct slice entry;
    struct slice same;
    uint64_t index = 0;
    enum status status = journal_cursor_open(&cursor, journal, 0);

    INVARIANT(status == ST_OK);
    while (journal_cursor_next(cursor, &entry) == ST_OK) {
        status = journal_read_entry(journal, &same, buffer, index++);
        INVARIANT(status == ST_OK);
        INVARIANT(slice_equal(entry, same));
    }
    INVARIANT(index == journal_size(journal));
    journal_cursor_close(cursor);
}

static void append_one(struct journal *journal)
{
    static uint8_t bytes[LOG_MAKER_SIZE_MIN];
    struct journal_end end = journal_end(journal);
    const uint64_t size = end.size;
    struct journal_entry entry;
    enum status status;

    if (end.log_time > INT64_MAX / 2)
        return;
    entry = log_maker_entry(bytes, &end, sizeof bytes, FUZZ_EPOCH, 1);
    status = journal_append(journal, &entry, 1);
    INVARIANT(status == ST_OK);
    status = journal_sync(journal, size + 1);
    INVARIANT(status == ST_OK);
}

static void open_file(struct disk *disk, struct journal_options *options)
{
    struct journal_report report;
    struct journal *journal;
    char text[512];
    uint64_t size;
    enum status status;

    options->incarnation++;
    status = journal_open(&journal, &report, disk, options);
    journal_describe(text, sizeof text, &report);
    if (status != ST_OK) {
        INVARIANT(!options->repair);
        INVARIANT(status == ST_LOST || status == ST_CHAIN_BROKEN);
        return;
    }
    read_all(journal);
    if (journal_end(journal).epoch > FUZZ_EPOCH) {
        journal_close(journal);
        return;
    }
    append_one(journal);
    size = journal_size(journal);
    journal_close(journal);
    options->incarnation++;
    status = journal_open(&journal, &report, disk, options);
    INVARIANT(status == ST_OK);
    INVARIANT(report.found == JOURNAL_CLEAN);
    INVARIANT(journal_size(journal) == size);
    journal_close(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FUZZ_SEGMENT_SIZE];
    struct journal_options options = {.segment_size = FUZZ_SEGMENT_SIZE,
                                      .epoch = FUZZ_EPOCH};
    const struct segment_header header = {.segment_size = FUZZ_SEGMENT_SIZE};
    struct disk_model *model;
    struct mark_value mark = {0};
    size_t from = SEGMENT_HEADER_SIZE;
    enum status status;

    if (size == 0)
        return 0;
    memset(file, 0, sizeof file);
    segment_header_encode(file, &header);
    if ((data[0] & 1) != 0)
        from = 0;
    memcpy(file + from, data + 1,
           size - 1 < sizeof file - from ? size - 1 : sizeof file - from);
    if ((data[0] & 2) != 0)
        fit_checksums(file);
    model = disk_model_new();
    status = journal_create(disk_model_disk(model), &options);
    INVARIANT(status == ST_OK);
    options.repair = (data[0] & 16) != 0;
    mark.size = data[0] >> 2 & 3;
    if (mark.size > 0) {
        status = mark_create(disk_model_disk(model), &mark);
        INVARIANT(status == ST_OK);
    }
    disk_model_poke(model, SEGMENT_FILE, 0, file, sizeof file);
    open_file(disk_model_disk(model), &options);
    disk_model_free(model);
    return 0;
}
