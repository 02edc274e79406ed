/*
 * journal_judge.c: which case it is, once everything was read.
 */
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_verify.h"

/* The hash of the bytes that stand where a damaged entry stood. */
static enum status verify_hash_damage(struct journal_verify *verify,
                                      struct disk_file *file)
{
    struct journal *journal = verify->journal;
    uint8_t *buffer = journal->buffer;
    const uint64_t at = verify->damage_offset;
    size_t read;
    size_t length;
    enum status status;

    const size_t want = journal->buffer_size < JOURNAL_READ_SIZE
                            ? journal->buffer_size
                            : (size_t)JOURNAL_READ_SIZE;
    status = disk_read(file, &read, buffer, want, at);
    if (status != ST_OK || read < SEGMENT_FRAME_HEADER_SIZE)
        return status;
    length = load_u32(buffer);
    if (length >= ENTRY_FIXED_SIZE &&
        length <= read - SEGMENT_FRAME_HEADER_SIZE)
        entry_leaf_hash(verify->report->found_hash,
                        slice_of(buffer + SEGMENT_FRAME_HEADER_SIZE, length));
    return ST_OK;
}

/*
 * Looks for a good entry behind the damage, which tells a hole from a loss.
 * ST_END if there is none.
 */
static enum status verify_look_ahead(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    struct journal_report *report = verify->report;
    enum status status = ST_END;

    for (size_t i = verify->damage_number;
         status == ST_END && i < verify->firsts_count; i++) {
        const bool damaged = i == verify->damage_number;
        uint64_t offset = damaged ? verify->damage_offset : 0;
        char name[DISK_NAME_SIZE_MAX];
        struct journal_scan scan;
        struct disk_file *file;
        struct entry entry;
        uint64_t size;

        if (offset == 0)
            offset = SEGMENT_HEADER_SIZE;
        journal_segment_name(name, verify->firsts[i]);
        status = disk_open(journal->disk, &file, name);
        if (status != ST_OK)
            return status;
        status = disk_size(file, &size);
        if (status == ST_OK && damaged && verify->damage_offset > 0)
            status = verify_hash_damage(verify, file);
        if (status == ST_OK) {
            journal_scan_begin(&scan, file, offset < size ? offset : size, size,
                               journal->buffer, journal->buffer_size);
            status = journal_scan_resume(&scan, &entry, journal->end.size + 1);
        }
        if (status == ST_OK) {
            report->next_good = entry.place.index;
            report->hashes_known = entry.place.index == journal->end.size + 1;
            memcpy(report->expected, entry.place.previous, HASH_SIZE);
        }
        disk_close(file);
    }
    return status;
}

/* V < K: say whether entries are missing at the end or in the middle. */
static enum status verify_lost(struct journal_verify *verify)
{
    const struct journal *journal = verify->journal;
    struct journal_report *report = verify->report;
    enum status status = ST_END;

    if (verify->chain_broken) {
        report->hashes_known = true;
        report->next_good = journal->end.size;
        return journal_verify_refuse(verify, JOURNAL_HOLE, ST_CHAIN_BROKEN);
    }
    if (verify->damaged)
        status = verify_look_ahead(verify);
    else
        journal_verify_damage(verify, journal->segments_count - 1,
                              journal_segment_last(journal)->end);
    if (status == ST_OK)
        return journal_verify_refuse(verify, JOURNAL_HOLE, ST_CHAIN_BROKEN);
    if (status != ST_END)
        return status;
    memcpy(report->expected, journal->mark.value.leaf, HASH_SIZE);
    return journal_verify_refuse(verify, JOURNAL_LOST, ST_LOST);
}

/* Of a node that has peers: nothing is refused. */
static void verify_judge_repair(struct journal_verify *verify)
{
    struct journal *journal = verify->journal;
    const bool slot_bad = verify->report->slot_bad;

    verify->fresh = journal->segments_count == 0;
    if (journal->end.size < verify->mark_limit && !verify->mark_missing) {
        if (!verify->damaged && !verify->fresh)
            journal_verify_damage(verify, journal->segments_count - 1,
                                  journal_segment_last(journal)->end);
        journal_verify_lost(verify);
    } else if (verify->damaged && !verify->cutting && slot_bad) {
        const struct mark_lost tail = {.kind = MARK_LOST_TAIL,
                                       .size = journal->end.size};

        mark_lost_join(&verify->lost, &tail);
        journal_verify_find(verify, JOURNAL_MARK_SLOT);
    }
    if (verify->mark_missing && !verify->fresh) {
        /* Segments before the last were synced when it was begun. */
        verify->mark_segment = journal->segments_count - 1;
        verify->mark_offset = SEGMENT_HEADER_SIZE;
        verify->mark_limit =
            journal->end.size - journal_segment_last(journal)->count;
    }
}

enum status journal_verify_judge(struct journal_verify *verify)
{
    const struct journal *journal = verify->journal;

    if (journal->options.repair) {
        verify_judge_repair(verify);
        return ST_OK;
    }
    /* The first segment cannot be cut off. */
    if (journal->segments_count == 0 || journal->end.size < verify->mark_limit)
        return verify_lost(verify);
    INVARIANT(verify->mark_reached);
    if (verify->cutting && journal->end.size < verify->cut.size)
        return verify_lost(verify);
    /* The slot that cannot be read may have been the newer one, and may have
     * named the entries that cannot be read either. */
    if (verify->damaged && !verify->cutting && verify->report->slot_bad)
        return journal_verify_refuse(verify, JOURNAL_MARK_SLOT, ST_LOST);
    return ST_OK;
}
