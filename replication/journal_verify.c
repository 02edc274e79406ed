#include "replication/journal_verify.h"

#include <string.h>

#include "protocol/entry.h"

enum status journal_verify_refuse(struct journal_verify *verify,
                                  enum journal_case found, enum status status)
{
    REQUIRE(status != ST_OK);
    verify->report->found = found;
    verify->report->status = status;
    verify->report->size = verify->journal->end.size;
    return status;
}

void journal_verify_damage(struct journal_verify *verify, size_t number,
                           uint64_t offset)
{
    REQUIRE(!verify->damaged);
    verify->damaged = true;
    verify->damage_number = number;
    verify->damage_offset = offset;
    if (verify->holes > 0)
        return; /* The report keeps the first damage. */
    journal_segment_name(verify->report->file, verify->firsts[number]);
    verify->report->offset = offset;
    verify->report->index = verify->journal->end.size;
}

/* Opens a segment and sees that it is the next one. */
static enum status verify_header(struct journal_verify *verify, size_t number)
{
    struct journal *journal = verify->journal;
    const struct journal_end *end = &journal->end;
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    char name[DISK_NAME_SIZE_MAX];
    struct segment_header header;
    struct disk_file *file;
    uint64_t size;
    size_t read;
    bool good;
    bool usable;
    enum status status;

    journal_segment_name(name, verify->firsts[number]);
    status = disk_open(journal->disk, &file, name);
    if (status != ST_OK)
        return status;
    status = disk_size(file, &size);
    if (status == ST_OK)
        status = disk_read(file, &read, bytes, sizeof bytes, 0);
    if (status != ST_OK) {
        disk_close(file);
        return status;
    }
    good = segment_header_decode(&header, slice_of(bytes, read)) == ST_OK;
    usable = size == journal->options.segment_size &&
             verify->firsts[number] == end->size;
    if (good)
        usable = usable && header.segment_size == size &&
                 header.first_index == end->size &&
                 (!verify->leaf_known ||
                  memcmp(header.previous, end->leaf, HASH_SIZE) == 0);
    else
        usable = usable && journal->options.repair;
    if (!usable) {
        journal_verify_damage(verify, number, 0);
        disk_close(file);
        return ST_OK;
    }
    status = journal_segment_add(journal, file, end->size);
    if (status == ST_OK)
        journal_segment_last(journal)->header_bad = !good;
    if (status != ST_OK)
        disk_close(file);
    return status;
}

/* Whether an entry follows the end; takes it as the new end if so. */
static bool verify_entry(struct journal_verify *verify, struct slice bytes)
{
    struct journal *journal = verify->journal;
    struct journal_end *end = &journal->end;
    struct entry entry;

    if (entry_view(&entry, bytes) != ST_OK || entry.place.index != end->size ||
        entry.place.epoch < end->epoch ||
        (end->size > 0 && entry.place.log_time < end->log_time))
        return false;
    if (verify->leaf_known &&
        memcmp(entry.place.previous, end->leaf, HASH_SIZE) != 0) {
        verify->chain_broken = true;
        memcpy(verify->report->expected, end->leaf, HASH_SIZE);
        memcpy(verify->report->found_hash, entry.place.previous, HASH_SIZE);
        return false;
    }
    verify->before = *end;
    verify->before_offset = journal_segment_last(journal)->end;
    end->size++;
    verify->leaf_known = entry.place.index >= verify->hash_from;
    if (verify->leaf_known || entry.place.epoch != end->epoch ||
        entry.place.index == 0)
        entry_leaf_hash(end->leaf, bytes);
    end->epoch = entry.place.epoch;
    end->log_time = entry.place.log_time;
    if (verify->leaf_known)
        journal_leaf_note(journal, entry.place.index, end->leaf);
    journal_epoch_note(journal, end->epoch, entry.place.index, end->leaf);
    return true;
}

/* Whether the end has the hash that ${leaf} says it had. */
static enum status verify_leaf(struct journal_verify *verify, size_t number,
                               const uint8_t *leaf)
{
    const struct journal *journal = verify->journal;
    struct journal_report *report = verify->report;

    REQUIRE(verify->leaf_known);
    if (memcmp(journal->end.leaf, leaf, HASH_SIZE) == 0)
        return ST_OK;
    journal_segment_name(report->file, journal_segment_last(journal)->first);
    report->offset = journal_segment_last(journal)->end;
    report->index = journal->end.size - 1;
    report->hashes_known = true;
    memcpy(report->expected, leaf, HASH_SIZE);
    memcpy(report->found_hash, journal->end.leaf, HASH_SIZE);
    if (!journal->options.repair || journal->end.size == 0)
        return journal_verify_refuse(verify, JOURNAL_LOST, ST_CHAIN_BROKEN);
    journal_verify_undo(verify, number);
    return ST_OK;
}

/* Called with each new end, the empty log included. */
static enum status verify_reach(struct journal_verify *verify, size_t number)
{
    struct journal *journal = verify->journal;
    const struct mark_value *mark = &journal->mark.value;
    enum status status = ST_OK;

    if (journal->end.epoch > journal->options.epoch) {
        if (!journal->options.repair)
            return journal_verify_refuse(verify, JOURNAL_MARK_GONE, ST_LOST);
        verify->lost =
            (struct mark_lost){.kind = MARK_LOST_ALL, .size = UINT64_MAX};
        journal_verify_find(verify, JOURNAL_MARK_GONE);
    }
    if (journal->end.size == verify->mark_limit && !verify->mark_reached) {
        verify->mark_reached = true;
        verify->mark_segment = number;
        verify->mark_offset = journal_segment_last(journal)->end;
    }
    if (journal->end.size == mark->size && !verify->mark_missing)
        status = verify_leaf(verify, number, mark->leaf);
    if (status == ST_OK && !verify->damaged && verify->cutting &&
        journal->end.size == verify->cut.size)
        status = verify_leaf(verify, number, verify->cut.leaf);
    return status;
}

static bool verify_is_over(const struct journal_verify *verify)
{
    return verify->damaged ||
           (verify->cutting && verify->journal->end.size == verify->cut.size);
}

static void verify_scan(const struct journal_verify *verify,
                        struct journal_scan *scan)
{
    struct journal *journal = verify->journal;

    journal_scan_begin(scan, journal_segment_last(journal)->file,
                       journal_segment_last(journal)->end,
                       journal->options.segment_size, journal->buffer,
                       journal->buffer_size);
}

/* Entry after entry; ST_END where no more follow, or none is wanted,
 * ST_CHECKSUM where what follows is not good. */
static enum status verify_frames(struct journal_verify *verify, size_t number)
{
    struct journal_segment *segment = journal_segment_last(verify->journal);
    struct journal_scan scan;
    uint64_t rest;
    enum status status = ST_OK;

    verify_scan(verify, &scan);
    while (status == ST_OK && !verify_is_over(verify)) {
        struct slice bytes;

        status = journal_scan_next(&scan, &bytes);
        if (status == ST_DISK_FAILED)
            return status;
        if (status == ST_END)
            break;
        if (status != ST_OK || !verify_entry(verify, bytes))
            return ST_CHECKSUM;
        journal_segment_note(segment, segment->end, scan.offset);
        status = verify_reach(verify, number);
    }
    if (status != ST_END)
        return status == ST_OK ? ST_END : status;
    status = journal_scan_rest(&scan, &rest);
    if (status == ST_OK)
        status = rest > scan.offset ? ST_CHECKSUM : ST_END;
    return status;
}

static enum status verify_segment(struct journal_verify *verify, size_t number)
{
    const struct journal_segment *segment =
        journal_segment_last(verify->journal);
    enum status status = verify_reach(verify, number);

    while (status == ST_OK && !verify_is_over(verify)) {
        status = verify_frames(verify, number);
        if (status == ST_END && !verify_is_over(verify))
            status = journal_verify_linked(verify, number);
        if (status == ST_OK || (status == ST_END && verify_is_over(verify)))
            return ST_OK;
        if (status != ST_END && status != ST_CHECKSUM)
            return status;
        status = journal_verify_skip(verify, number);
        if (status == ST_END) {
            journal_verify_damage(verify, number, segment->end);
            status = ST_OK;
        } else if (status == ST_OK) {
            verify->chain_broken = false;
            status = verify_reach(verify, number);
        }
    }
    return status;
}

enum status journal_verify_run(struct journal_verify *verify)
{
    const struct journal *journal = verify->journal;
    const uint64_t mark_size = journal->mark.value.size;
    enum status status = ST_OK;

    verify->leaf_known = true;
    verify->mark_limit = verify->mark_missing ? UINT64_MAX : mark_size;
    if (verify->cutting && verify->cut.size < verify->mark_limit)
        verify->mark_limit = verify->cut.size;
    verify->hash_from = verify->mark_missing ? 0 : journal->options.verify_from;
    if (verify->hash_from >= verify->mark_limit)
        verify->hash_from =
            verify->mark_limit == 0 ? 0 : verify->mark_limit - 1;
    if (verify->firsts_count == 0) {
        journal_segment_name(verify->report->file, 0);
        if (journal->options.repair)
            return journal_verify_judge(verify);
        return journal_verify_refuse(verify, JOURNAL_LOST, ST_LOST);
    }
    for (size_t i = 0; i < verify->firsts_count && status == ST_OK &&
                       !(i > 0 && verify_is_over(verify));
         i++) {
        status = verify_header(verify, i);
        if (status == ST_OK && !verify->damaged)
            status = verify_segment(verify, i);
        if (status != ST_OK && verify->report->file[0] == '\0')
            journal_segment_name(verify->report->file, verify->firsts[i]);
    }
    if (status != ST_OK)
        return status;
    return journal_verify_judge(verify);
}
