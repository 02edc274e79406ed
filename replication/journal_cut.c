/*
 * journal_cut.c: taking away what follows the end of the log, in an order that
 * a loss of power cannot upset (LOG-FORMAT, section 5):
 *
 *     1 intent   the file "cut" says where; from here on the cut is resumed
 *     2 aside    the bytes go to divergent/, synced
 *     3 mark     is written at the cut
 *     4 truncate later segments are moved to divergent/, the tail is zeroed
 *     5 done     the file "cut" goes
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "replication/journal_parts.h"

static const uint8_t cut_magic[8] = "DFTCUT1";

enum { CUT_CHECKED = 56 };

/* A short hash is enough: the file is written at once or not at all. */
static void cut_checksum(uint8_t out[8], const uint8_t *data)
{
    uint8_t hash[HASH_SIZE];
    const int result =
        crypto_generichash(hash, sizeof hash, data, CUT_CHECKED, NULL, 0);

    ENSURE(result == 0);
    memcpy(out, hash, JOURNAL_CUT_SIZE - CUT_CHECKED);
}

void journal_cut_encode(uint8_t *out, const struct journal_cut *cut)
{
    struct writer writer;
    uint8_t sum[JOURNAL_CUT_SIZE - CUT_CHECKED];

    writer_init(&writer, out, JOURNAL_CUT_SIZE);
    writer_bytes(&writer, cut_magic, sizeof cut_magic);
    writer_u64(&writer, cut->size);
    writer_u64(&writer, cut->sequence);
    writer_bytes(&writer, cut->leaf, HASH_SIZE);
    INVARIANT(writer.used == CUT_CHECKED);
    cut_checksum(sum, out);
    writer_bytes(&writer, sum, sizeof sum);
    ENSURE(writer.status == ST_OK);
}

enum status journal_cut_decode(struct journal_cut *out, struct slice input)
{
    struct reader reader;
    uint8_t sum[JOURNAL_CUT_SIZE - CUT_CHECKED];

    if (input.size != JOURNAL_CUT_SIZE ||
        memcmp(input.data, cut_magic, sizeof cut_magic) != 0)
        return ST_FILE_FORMAT;
    cut_checksum(sum, input.data);
    if (memcmp(sum, input.data + CUT_CHECKED, sizeof sum) != 0)
        return ST_FILE_FORMAT;
    reader_init(&reader, slice_of(input.data + sizeof cut_magic,
                                  CUT_CHECKED - sizeof cut_magic));
    out->size = reader_u64(&reader);
    out->sequence = reader_u64(&reader);
    out->unkept = false;
    reader_copy(&reader, out->leaf, HASH_SIZE);
    return reader_end(&reader) == ST_OK ? ST_OK : ST_FILE_FORMAT;
}

enum status journal_cut_load(struct journal_cut *out, struct disk *disk)
{
    struct disk_file *file;
    uint8_t bytes[JOURNAL_CUT_SIZE + 1];
    size_t size;
    enum status status;

    status = disk_open(disk, &file, JOURNAL_CUT);
    if (status != ST_OK)
        return status;
    status = disk_read(file, &size, bytes, sizeof bytes, 0);
    disk_close(file);
    if (status != ST_OK)
        return status;
    return journal_cut_decode(out, slice_of(bytes, size));
}

static void cut_name(char *out, const struct journal_cut *cut, uint64_t first,
                     const char *kind)
{
    const int length =
        snprintf(out, DISK_NAME_SIZE_MAX,
                 JOURNAL_DIVERGENT "/%" PRIu64 "-%" PRIu64 "-%" PRIu64 ".%s",
                 cut->size, cut->sequence, first, kind);
    ENSURE(length > 0 && length < DISK_NAME_SIZE_MAX);
}

static enum status cut_copy(struct journal *journal, struct disk_file *target,
                            uint64_t offset, uint64_t end)
{
    struct disk_file *source = journal_segment_last(journal)->file;
    uint64_t done = 0;

    while (offset + done < end) {
        const uint64_t left = end - offset - done;
        const size_t size =
            left < journal->buffer_size ? (size_t)left : journal->buffer_size;
        enum status status;

        status = disk_read_all(source, journal->buffer, size, offset + done);
        if (status == ST_OK)
            status = disk_write(target, journal->buffer, size, done);
        if (status != ST_OK)
            return status;
        done += size;
    }
    return ST_OK;
}

/* A file of that name is whole: it got its name after it was synced. */
static enum status cut_tail_aside(struct journal *journal, const char *name,
                                  uint64_t offset, uint64_t end)
{
    static const char draft[] = JOURNAL_DIVERGENT "/tail.tmp";
    struct disk *disk = journal->disk;
    struct disk_file *file = NULL;
    enum status status;

    status = disk_open(disk, &file, name);
    if (status != ST_NO_FILE) {
        disk_close(file);
        return status;
    }
    status = disk_remove(disk, draft);
    if (status == ST_OK || status == ST_NO_FILE)
        status = disk_create(disk, &file, draft);
    if (status == ST_OK)
        status = cut_copy(journal, file, offset, end);
    if (status == ST_OK)
        status = disk_sync(file);
    disk_close(file);
    if (status == ST_OK)
        status = disk_rename(disk, draft, name);
    if (status == ST_OK)
        status = disk_sync_directory(disk, JOURNAL_DIVERGENT);
    return status;
}

/* One segment file out of the log. */
static enum status cut_later(struct journal *journal,
                             struct journal_report *report,
                             const struct journal_cut *cut, uint64_t first)
{
    char name[DISK_NAME_SIZE_MAX];
    enum status status;

    journal_segment_name(name, first);
    if (cut->unkept) {
        status = disk_remove(journal->disk, name);
    } else {
        cut_name(report->aside, cut, first, "seg");
        status = disk_rename(journal->disk, name, report->aside);
        if (status == ST_OK)
            status = disk_sync_directory(journal->disk, JOURNAL_DIVERGENT);
    }
    if (status == ST_OK)
        status = disk_sync_directory(journal->disk, JOURNAL_DIRECTORY);
    return status;
}

/* From the last to the first, so that no gap stands in the log meanwhile. */
enum status journal_cut_later_aside(struct journal *journal,
                                    struct journal_report *report,
                                    const struct journal_cut *cut,
                                    const uint64_t *later, size_t later_count)
{
    enum status status = ST_OK;

    for (size_t i = later_count; status == ST_OK && i > 0; i--)
        status = cut_later(journal, report, cut, later[i - 1]);
    return status;
}

static enum status cut_intend(struct disk *disk, const struct journal_cut *cut)
{
    uint8_t bytes[JOURNAL_CUT_SIZE];

    journal_cut_encode(bytes, cut);
    return disk_replace(disk, JOURNAL_CUT, "", bytes, sizeof bytes);
}

enum status journal_cut_done(struct disk *disk)
{
    enum status status = disk_remove(disk, JOURNAL_CUT);

    if (status == ST_OK)
        status = disk_sync_directory(disk, "");
    return status;
}

/* The number after the first '-' in the name of what is kept; 0 if none. */
static uint64_t cut_name_sequence(const char *name)
{
    uint64_t sequence = 0;
    const char *at = strchr(name, '-');

    for (; at != NULL && at[1] >= '0' && at[1] <= '9'; at++)
        sequence = sequence * 10 + (uint64_t)(at[1] - '0');
    return sequence;
}

static void cut_visit(void *context, const char *name)
{
    uint64_t *sequence = context;
    const uint64_t used = cut_name_sequence(name);

    if (used >= *sequence && used < UINT64_MAX / 2)
        *sequence = used + 1;
}

enum status journal_cut_plan(struct journal *journal, struct journal_cut *cut)
{
    enum status status;

    cut->size = journal->end.size;
    cut->sequence = journal->mark.slots.sequence;
    cut->unkept = false;
    memcpy(cut->leaf, journal->end.leaf, HASH_SIZE);
    status =
        disk_list(journal->disk, JOURNAL_DIVERGENT, &cut->sequence, cut_visit);
    if (status != ST_NO_FILE)
        return status;
    status = disk_make_directory(journal->disk, JOURNAL_DIVERGENT);
    if (status == ST_OK)
        status = disk_sync_directory(journal->disk, "");
    return status;
}

/* Who is lost may cut what it knew to be committed: that it knew it stays. */
static enum status cut_mark(struct journal *journal)
{
    struct mark_value *mark = &journal->mark.value;
    uint64_t committed = mark->committed;

    if (committed > journal->end.size) {
        REQUIRE(mark->lost.kind != MARK_WHOLE);
        if (mark->lost.committed < committed)
            mark->lost.committed =
                committed < mark->lost.size ? committed : mark->lost.size;
        committed = journal->end.size;
    }
    return journal_mark(journal, committed);
}

enum status journal_cut_run(struct journal *journal,
                            struct journal_report *report,
                            const struct journal_cut *cut,
                            const uint64_t *later, size_t later_count,
                            bool resumed)
{
    struct journal_segment *segment = journal_segment_last(journal);
    struct journal_scan scan;
    uint64_t end;
    enum status status;

    REQUIRE(cut->size == journal->end.size);
    journal_scan_begin(&scan, segment->file, segment->end,
                       journal->options.segment_size, journal->buffer,
                       journal->buffer_size);
    status = journal_scan_rest(&scan, &end);
    if (status == ST_OK && !resumed)
        status = cut_intend(journal->disk, cut);
    report->unkept = cut->unkept;
    if (status == ST_OK && end > segment->end && !cut->unkept) {
        cut_name(report->aside, cut, segment->first, "tail");
        status = cut_tail_aside(journal, report->aside, segment->end, end);
    }
    if (status == ST_OK)
        status = cut_mark(journal);
    if (status == ST_OK)
        status =
            journal_cut_later_aside(journal, report, cut, later, later_count);
    if (status == ST_OK)
        status = disk_write_zeros(segment->file, segment->end, end);
    if (status == ST_OK)
        status = disk_sync(segment->file);
    if (status == ST_OK)
        status = journal_cut_done(journal->disk);
    return status;
}
