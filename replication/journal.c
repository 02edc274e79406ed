#include "replication/journal.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"

size_t journal_buffer_size(uint32_t segment_size)
{
    const size_t group = GROUP_BYTES_MAX + JOURNAL_READ_SIZE;

    return segment_size < group ? segment_size : group;
}

/* What the end of a segment may leave unused is not counted. */
static uint64_t journal_usable(uint64_t size)
{
    return size > JOURNAL_READ_SIZE ? size - JOURNAL_READ_SIZE : 0;
}

static void journal_note_room(struct journal *journal)
{
    const uint64_t left =
        journal->options.segment_size - journal_segment_last(journal)->end;

    atomic_store_explicit(&journal->segment_room, journal_usable(left),
                          memory_order_relaxed);
}

void journal_publish(struct journal *journal)
{
    const struct mark_value *mark = &journal->mark.value;

    journal_note_room(journal);
    journal_lock(journal);
    memcpy(journal->durable_leaf, mark->leaf, HASH_SIZE);
    journal->lost = mark->lost;
    atomic_store_explicit(&journal->committed, mark->committed,
                          memory_order_release);
    atomic_store_explicit(&journal->durable, mark->size, memory_order_release);
    journal_unlock(journal);
}

uint64_t journal_room(const struct journal *journal)
{
    const uint64_t room =
        atomic_load_explicit(&journal->segment_room, memory_order_relaxed);

    if (atomic_load(&journal->spare_state) != JOURNAL_SPARE_READY)
        return room;
    return room +
           journal_usable(journal->options.segment_size - SEGMENT_HEADER_SIZE);
}

bool journal_wants_spare(const struct journal *journal)
{
    return atomic_load(&journal->spare_state) == JOURNAL_SPARE_NONE;
}

uint64_t journal_size(const struct journal *journal)
{
    return atomic_load_explicit(&journal->durable, memory_order_acquire);
}

uint64_t journal_committed(const struct journal *journal)
{
    return atomic_load_explicit(&journal->committed, memory_order_acquire);
}

struct journal_end journal_end(const struct journal *journal)
{
    return journal->end;
}

enum status journal_fail(struct journal *journal)
{
    atomic_store(&journal->failed, true);
    return ST_DISK_FAILED;
}

enum status journal_flush(struct journal *journal)
{
    enum status status;

    if (journal->buffer_used == 0)
        return ST_OK;
    status = disk_write(journal_segment_last(journal)->file, journal->buffer,
                        journal->buffer_used, journal->buffer_at);
    if (status != ST_OK)
        return journal_fail(journal);
    journal->buffer_at += journal->buffer_used;
    journal->buffer_used = 0;
    return ST_OK;
}

/* A segment is whole on the disk before the next one has a name.  What is left
 * of it is zeros already, unless a write went elsewhere: files that hold the
 * same entries are the same. */
static enum status journal_roll(struct journal *journal)
{
    struct journal_segment *last = journal_segment_last(journal);
    struct disk_file *spare = journal->spare;
    enum status status;

    REQUIRE(atomic_load(&journal->spare_state) == JOURNAL_SPARE_READY);
    status = journal_flush(journal);
    if (status == ST_OK)
        status = disk_write_zeros(last->file, last->end,
                                  journal->options.segment_size);
    if (status == ST_OK)
        status = disk_sync(last->file);
    if (status == ST_OK)
        status = journal_use_spare(spare, journal->disk, &journal->end,
                                   journal->options.segment_size);
    if (status == ST_OK)
        status = journal_segment_add(journal, spare, journal->end.size);
    if (status != ST_OK)
        return journal_fail(journal);
    journal->buffer_at = SEGMENT_HEADER_SIZE;
    journal->spare = NULL;
    atomic_store(&journal->spare_state, JOURNAL_SPARE_NONE);
    return ST_OK;
}

/* Whether ${entries} follow the log's end and each other. */
static enum status journal_check_chain(const struct journal *journal,
                                       const struct journal_entry *entries,
                                       size_t count)
{
    struct journal_end end = journal->end;

    for (size_t i = 0; i < count; i++) {
        struct entry entry;
        const enum status status = entry_view(&entry, entries[i].bytes);

        if (status != ST_OK)
            return status;
        if (entry.place.index != end.size || entry.place.epoch < end.epoch ||
            (end.size > 0 && entry.place.log_time < end.log_time) ||
            memcmp(entry.place.previous, end.leaf, HASH_SIZE) != 0)
            return ST_CHAIN_BROKEN;
        end.size++;
        end.epoch = entry.place.epoch;
        end.log_time = entry.place.log_time;
        memcpy(end.leaf, entries[i].leaf, HASH_SIZE);
    }
    return ST_OK;
}

/* Whether ${entries} go beyond this segment; they never fill two. */
static bool journal_overflows(const struct journal *journal,
                              const struct journal_entry *entries, size_t count)
{
    const uint32_t size = journal->options.segment_size;
    uint64_t end = journal_segment_last(journal)->end;
    bool overflows = false;

    for (size_t i = 0; i < count; i++) {
        const size_t frame = segment_frame_size(entries[i].bytes.size);

        if (frame > size - end) {
            REQUIRE(!overflows);
            overflows = true;
            end = SEGMENT_HEADER_SIZE;
            REQUIRE(frame <= size - end);
        }
        end += frame;
    }
    return overflows;
}

static enum status journal_put(struct journal *journal,
                               const struct journal_entry *entry)
{
    const size_t frame = segment_frame_size(entry->bytes.size);
    struct journal_segment *segment = journal_segment_last(journal);
    enum status status = ST_OK;

    if (frame > journal->options.segment_size - segment->end) {
        status = journal_roll(journal);
        segment = journal_segment_last(journal);
    } else if (frame > journal->buffer_size - journal->buffer_used) {
        status = journal_flush(journal);
    }
    if (status != ST_OK)
        return status;
    segment_frame_encode(journal->buffer + journal->buffer_used, entry->bytes);
    journal->buffer_used += frame;
    journal_segment_note(segment, segment->end, segment->end + frame);
    return ST_OK;
}

/* Makes an entry that was put the newest one. */
static void journal_take(struct journal *journal,
                         const struct journal_entry *entry)
{
    struct journal_end *end = &journal->end;
    struct entry view;
    const enum status status = entry_view(&view, entry->bytes);

    INVARIANT(status == ST_OK);
    INVARIANT(view.place.index == end->size);
    end->size++;
    end->epoch = view.place.epoch;
    end->log_time = view.place.log_time;
    memcpy(end->leaf, entry->leaf, HASH_SIZE);
    journal_lock(journal);
    journal_leaf_note(journal, view.place.index, entry->leaf);
    journal_epoch_note(journal, end->epoch, view.place.index, entry->leaf);
    journal_unlock(journal);
}

enum status journal_append(struct journal *journal,
                           const struct journal_entry *entries, size_t count)
{
    enum status status;

    REQUIRE(count > 0);
    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    status = journal_check_chain(journal, entries, count);
    if (status != ST_OK)
        return status;
    if (journal_overflows(journal, entries, count)) {
        status = journal_prepare_next(journal);
        if (status != ST_OK)
            return status;
        if (atomic_load(&journal->spare_state) != JOURNAL_SPARE_READY)
            return ST_AGAIN;
    }
    for (size_t i = 0; i < count; i++) {
        status = journal_put(journal, &entries[i]);
        if (status != ST_OK)
            return status;
        journal_take(journal, &entries[i]);
    }
    journal_note_room(journal);
    return ST_OK;
}

enum status journal_mark(struct journal *journal, uint64_t committed)
{
    struct mark_value value = {.incarnation = journal->options.incarnation,
                               .epoch = journal->end.epoch,
                               .size = journal->end.size,
                               .committed = committed,
                               .lost = journal->mark.value.lost};

    memcpy(value.leaf, journal->end.leaf, HASH_SIZE);
    if (mark_write(&journal->mark, &value) != ST_OK)
        return journal_fail(journal);
    journal_publish(journal);
    return ST_OK;
}

enum status journal_sync(struct journal *journal, uint64_t committed)
{
    const struct mark_value *mark = &journal->mark.value;
    enum status status;

    REQUIRE(committed <= journal->end.size);
    REQUIRE(committed >= mark->committed);
    if (atomic_load(&journal->failed))
        return ST_DISK_FAILED;
    if (mark->size == journal->end.size && mark->committed == committed)
        return ST_OK;
    if (mark->size < journal->end.size) {
        status = journal_flush(journal);
        if (status == ST_OK &&
            disk_sync(journal_segment_last(journal)->file) != ST_OK)
            status = journal_fail(journal);
        if (status != ST_OK)
            return status;
    }
    return journal_mark(journal, committed);
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    while (journal->segments_count > 0)
        journal_segment_drop(journal);
    journal_retired_free(journal);
    for (size_t i = 0; i < JOURNAL_CHUNKS; i++)
        free(journal->chunks[i]);
    disk_close(journal->spare);
    mark_close(&journal->mark);
    free(journal->leaves);
    free(journal->epochs);
    free(journal->buffer);
    free(journal);
}
