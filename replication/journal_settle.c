/*
 * journal_settle.c: what a node with peers writes when it opens a damaged log.
 */
#include <string.h>

#include "replication/journal_run.h"
#include "replication/journal_verify.h"

enum status journal_settle_lost(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    struct mark_value value = journal->mark.value;
    const uint64_t size = journal->end.size;
    enum status status;

    if (verify->lost.kind == MARK_WHOLE)
        return ST_OK;
    mark_lost_join(&value.lost, &verify->lost);
    if (value.lost.committed < value.committed)
        value.lost.committed = value.committed;
    if (value.committed > size)
        value.committed = size;
    value.incarnation = journal->options.incarnation;
    if (!verify->mark_missing) {
        /* Both slots: rot of one must not forget it. */
        status = mark_write(&journal->mark, &value);
        if (status == ST_OK)
            status = mark_write(&journal->mark, &value);
        return status;
    }
    value.size = size;
    value.epoch = journal->end.epoch;
    memcpy(value.leaf, journal->end.leaf, HASH_SIZE);
    status = mark_create(journal->disk, &value);
    if (status == ST_OK)
        status = mark_open(&journal->mark, journal->disk);
    return status;
}

enum status journal_settle_headers(struct journal *journal)
{
    enum status status = ST_OK;

    for (size_t i = 0; status == ST_OK && i < journal->segments_count; i++) {
        struct journal_segment *segment = journal_segment_at(journal, i);
        uint8_t leaf[HASH_SIZE];

        if (!segment->header_bad || (i > 0 && segment->count == 0))
            continue; /* Good, or removed in a moment. */
        status = journal_previous_leaf(journal, leaf, segment->first);
        if (status == ST_OK)
            status = journal_header_write(segment->file, segment->first, leaf,
                                          journal->options.segment_size);
        segment->header_bad = false;
    }
    return status == ST_CHECKSUM ? ST_LOST : status;
}

enum status journal_settle_fresh(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    const uint32_t size = journal->options.segment_size;
    struct disk_file *file = NULL;
    struct journal_cut cut;
    enum status status;

    REQUIRE(journal->end.size == 0);
    status = journal_settle_lost(verify);
    if (status == ST_OK)
        status = journal_cut_plan(journal, &cut);
    if (status == ST_OK)
        status = journal_cut_later_aside(journal, verify->report, &cut,
                                         verify->firsts, verify->firsts_count);
    if (status == ST_OK && verify->cutting)
        status = journal_cut_done(journal->disk);
    if (status == ST_OK)
        status = disk_make_directory(journal->disk, JOURNAL_DIRECTORY);
    if (status == ST_OK)
        status = disk_sync_directory(journal->disk, "");
    if (status == ST_OK)
        status = journal_draft_spare(&file, journal->disk, size);
    if (status == ST_OK)
        status = journal_use_spare(file, journal->disk, &journal->end, size);
    if (status == ST_OK)
        status = journal_segment_add(journal, file, 0);
    if (status != ST_OK) {
        disk_close(file);
        return status;
    }
    verify->spare_listed = false; /* It is the first segment now. */
    return journal_mark(journal, journal->mark.value.committed);
}
