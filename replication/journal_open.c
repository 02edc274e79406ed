/*
 * journal_open.c: from the files of the log to a journal that may be appended
 * to, or to a report that says why not (LOG-FORMAT, section 5).
 *
 * First everything is read and judged; only a log that may be used is changed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replication/journal_parts.h"
#include "replication/journal_verify.h"
#include "replication/need.h"

static void open_visit(void *context, const char *name)
{
    struct journal_verify *verify = context;
    uint64_t first;
    uint64_t *more;

    if (strcmp(name, &JOURNAL_SPARE[sizeof JOURNAL_DIRECTORY]) == 0)
        verify->spare_listed = true;
    if (!journal_segment_parse(name, &first))
        return;
    if (verify->firsts_count == verify->firsts_max) {
        verify->firsts_max = verify->firsts_max * 2 + 8;
        more = realloc(verify->firsts, verify->firsts_max * sizeof *more);
        NEED(more != NULL);
        verify->firsts = more;
    }
    verify->firsts[verify->firsts_count++] = first;
}

static int open_compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

static enum status open_list(struct journal_verify *verify)
{
    enum status status;

    status =
        disk_list(verify->journal->disk, JOURNAL_DIRECTORY, verify, open_visit);
    if (status == ST_NO_FILE)
        return ST_OK; /* As one that has nothing in it any more. */
    if (status != ST_OK)
        return status;
    if (verify->firsts_count > SEGMENTS_MAX)
        return ST_DISK_FAILED;
    if (verify->firsts_count > 0)
        qsort(verify->firsts, verify->firsts_count, sizeof *verify->firsts,
              open_compare);
    return ST_OK;
}

static void open_name(struct journal_report *report, const char *name)
{
    const int length = snprintf(report->file, sizeof report->file, "%s", name);

    ENSURE(length > 0);
}

/* The mark, and whether it is older than what this node knows of itself. */
static enum status open_mark(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    const struct mark_value *value = &journal->mark.value;
    enum status status = mark_open(&journal->mark, journal->disk);

    if (status == ST_NO_FILE && verify->firsts_count == 0)
        return status;
    if (status != ST_OK && status != ST_NO_FILE && status != ST_LOST) {
        open_name(verify->report, MARK_FILE);
        return status;
    }
    if (status != ST_OK || value->incarnation >= journal->options.incarnation ||
        value->epoch > journal->options.epoch) {
        open_name(verify->report, MARK_FILE);
        if (!journal->options.repair)
            return journal_verify_refuse(verify, JOURNAL_MARK_GONE, ST_LOST);
        journal_verify_find(verify, JOURNAL_MARK_GONE);
        verify->lost =
            (struct mark_lost){.kind = MARK_LOST_ALL, .size = UINT64_MAX};
    }
    if (status != ST_OK) {
        verify->mark_missing = true;
        memset(&journal->mark.value, 0, sizeof journal->mark.value);
        return ST_OK;
    }
    verify->report->mark_size = value->size;
    verify->report->slot_bad = journal->mark.slots.slot_bad;
    return ST_OK;
}

/*
 * An intent that cannot be read is kept aside.  If the cut had gone on to the
 * mark, the rest of what it cut is a torn tail; if not, all of it is still
 * there, and will be found to be of another history again.
 */
static enum status open_forget_cut(struct journal *journal)
{
    char name[DISK_NAME_SIZE_MAX];
    enum status status;
    const int length =
        snprintf(name, sizeof name, JOURNAL_DIVERGENT "/cut-%" PRIu64 ".bad",
                 journal->options.incarnation);

    ENSURE(length > 0 && (size_t)length < sizeof name);
    status = disk_rename(journal->disk, JOURNAL_CUT, name);
    if (status == ST_OK)
        status = disk_sync_directory(journal->disk, JOURNAL_DIVERGENT);
    if (status == ST_OK)
        status = disk_sync_directory(journal->disk, "");
    return status;
}

static enum status open_cut(struct journal_verify *verify)
{
    enum status status = journal_cut_load(&verify->cut, verify->journal->disk);

    if (status == ST_NO_FILE)
        return ST_OK;
    if (status == ST_FILE_FORMAT && verify->journal->options.repair)
        return open_forget_cut(verify->journal);
    if (status == ST_FILE_FORMAT ||
        (status == ST_OK &&
         verify->cut.size < verify->journal->mark.value.committed)) {
        open_name(verify->report, JOURNAL_CUT);
        return journal_verify_refuse(verify, JOURNAL_LOST, ST_FILE_FORMAT);
    }
    verify->cutting = status == ST_OK;
    verify->cut_intended = verify->cut.size;
    return status;
}

/* Entries that were read may stand in memory alone: write them once more. */
static enum status open_inherit(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;

    verify->report->inherited = journal->end.size - verify->mark_limit;
    for (size_t i = verify->mark_segment;
         verify->report->inherited > 0 && i < journal->segments_count; i++) {
        struct journal_segment *segment = journal_segment_at(journal, i);
        uint64_t at = i == verify->mark_segment ? verify->mark_offset
                                                : SEGMENT_HEADER_SIZE;
        enum status status = ST_OK;

        while (status == ST_OK && at < segment->end) {
            const uint64_t left = segment->end - at;
            const size_t size = left < journal->buffer_size
                                    ? (size_t)left
                                    : journal->buffer_size;

            status = disk_read_all(segment->file, journal->buffer, size, at);
            if (status == ST_OK)
                status = disk_write(segment->file, journal->buffer, size, at);
            at += size;
        }
        if (status == ST_OK)
            status = disk_sync(segment->file);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/*
 * A last segment without entries goes: the next entry may fit the one before,
 * and where segments begin depends on the log alone.
 */
static enum status open_drop_empty(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    struct journal_segment *last = journal_segment_last(journal);
    char name[DISK_NAME_SIZE_MAX];
    enum status status;

    if (journal->segments_count == 1 || last->count > 0)
        return ST_OK;
    journal_segment_name(name, last->first);
    journal_segment_drop(journal);
    if (verify->cutting || verify->damaged)
        return ST_OK; /* It is cut off with the rest. */
    status = disk_remove(journal->disk, name);
    if (status == ST_OK)
        status = disk_sync_directory(journal->disk, JOURNAL_DIRECTORY);
    return status;
}

static enum status open_settle(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    const bool resumed = verify->cutting;
    size_t kept;
    enum status status;

    if (verify->fresh)
        return journal_settle_fresh(verify);
    status = open_inherit(verify);
    if (status == ST_OK)
        status = journal_settle_lost(verify);
    if (status == ST_OK)
        status = journal_settle_headers(journal);
    if (status == ST_OK)
        status = open_drop_empty(verify);
    if (status != ST_OK)
        return status;
    kept = journal->segments_count;
    if (verify->damaged || resumed) {
        journal_verify_find(verify, JOURNAL_TORN);
        if (!resumed || verify->cut.size != journal->end.size)
            status = journal_cut_plan(journal, &verify->cut);
        if (status != ST_OK) {
            open_name(verify->report, JOURNAL_DIVERGENT);
            return status;
        }
        return journal_cut_run(
            journal, verify->report, &verify->cut, verify->firsts + kept,
            verify->firsts_count - kept,
            resumed && verify->cut.size == verify->cut_intended);
    }
    INVARIANT(kept == verify->firsts_count || kept + 1 == verify->firsts_count);
    if (verify->report->inherited > 0 || verify->report->slot_bad ||
        verify->lost.kind != MARK_WHOLE)
        return journal_mark(journal, journal->mark.value.committed);
    return ST_OK;
}

/* A spare that is not all zeros is made again. */
static enum status open_spare(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    const uint32_t size = journal->options.segment_size;
    struct journal_scan scan;
    struct disk_file *file;
    uint64_t file_size;
    uint64_t end = 0;
    enum status status;

    if (!verify->spare_listed)
        return ST_OK;
    status = disk_open(journal->disk, &file, JOURNAL_SPARE);
    if (status != ST_OK)
        return status;
    status = disk_size(file, &file_size);
    if (status == ST_OK && file_size == size) {
        journal_scan_begin(&scan, file, SEGMENT_HEADER_SIZE, size,
                           journal->buffer, journal->buffer_size);
        status = journal_scan_rest(&scan, &end);
    }
    if (status == ST_OK && end == SEGMENT_HEADER_SIZE) {
        journal->spare = file;
        atomic_store(&journal->spare_state, JOURNAL_SPARE_READY);
        return ST_OK;
    }
    disk_close(file);
    if (status == ST_OK)
        status = disk_remove(journal->disk, JOURNAL_SPARE);
    return status;
}

static enum status open_all(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    enum status status = open_list(verify);

    if (status == ST_OK)
        status = open_mark(verify);
    if (status == ST_OK)
        status = open_cut(verify);
    if (status == ST_OK)
        status = journal_verify_run(verify);
    if (status == ST_OK)
        status = open_settle(verify);
    if (status == ST_OK)
        status = open_spare(verify);
    if (status != ST_OK)
        return status;
    journal->buffer_at = journal_segment_last(journal)->end;
    journal_publish(journal);
    verify->report->size = journal->end.size;
    ENSURE(journal_size(journal) == journal->end.size);
    return ST_OK;
}

enum status journal_open(struct journal **journal_out,
                         struct journal_report *report, struct disk *disk,
                         const struct journal_options *options)
{
    struct journal_verify verify = {.report = report};
    struct journal *journal = calloc(1, sizeof *journal);
    enum status status;

    REQUIRE(options->segment_size > SEGMENT_HEADER_SIZE);
    *journal_out = NULL;
    memset(report, 0, sizeof *report);
    NEED(journal != NULL);
    journal->disk = disk;
    journal->options = *options;
    journal->buffer_size = journal_buffer_size(options->segment_size);
    journal->buffer = malloc(journal->buffer_size < JOURNAL_READ_SIZE
                                 ? (size_t)JOURNAL_READ_SIZE
                                 : journal->buffer_size);
    journal->leaves_count =
        journal_segment_entries_max(options->segment_size) + 1;
    if (journal->leaves_count > JOURNAL_LEAVES)
        journal->leaves_count = JOURNAL_LEAVES;
    journal->leaves = calloc(journal->leaves_count, sizeof *journal->leaves);
    NEED(journal->buffer != NULL && journal->leaves != NULL);
    journal_epochs_begin(journal);
    verify.journal = journal;
    status = open_all(&verify);
    if (status != ST_OK)
        goto fail;
    free(verify.firsts);
    *journal_out = journal;
    return ST_OK;
fail:
    free(verify.firsts);
    journal_close(journal);
    ENSURE(status != ST_OK);
    report->status = status;
    return status;
}
