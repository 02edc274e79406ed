#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"
#include "replication/need.h"

enum { SEGMENTS_NAME_DIGITS = 20 };

void journal_segment_name(char *out, uint64_t first)
{
    const int length = snprintf(out, DISK_NAME_SIZE_MAX,
                                JOURNAL_DIRECTORY "/%020" PRIu64 ".seg", first);
    ENSURE(length > 0 && length < DISK_NAME_SIZE_MAX);
}

bool journal_segment_parse(const char *name, uint64_t *first_out)
{
    char again[DISK_NAME_SIZE_MAX];
    uint64_t first = 0;

    for (int i = 0; i < SEGMENTS_NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        first = first * 10 + (uint64_t)(name[i] - '0');
    }
    journal_segment_name(again, first);
    *first_out = first;
    return strcmp(again + sizeof JOURNAL_DIRECTORY, name) == 0;
}

size_t journal_segment_entries_max(uint32_t segment_size)
{
    return (segment_size - SEGMENT_HEADER_SIZE) /
           segment_frame_size(ENTRY_FIXED_SIZE);
}

struct journal_segment *journal_segment_at(const struct journal *journal,
                                           size_t number)
{
    return &journal->chunks[number / JOURNAL_CHUNK][number % JOURNAL_CHUNK];
}

struct journal_segment *journal_segment_last(const struct journal *journal)
{
    REQUIRE(journal->segments_count > 0);
    return journal_segment_at(journal, journal->segments_count - 1);
}

enum status journal_segment_add(struct journal *journal, struct disk_file *file,
                                uint64_t first)
{
    const size_t number = journal->segments_count;
    const size_t places =
        journal_segment_entries_max(journal->options.segment_size) /
            SEGMENT_INDEX_STRIDE +
        1;
    struct journal_segment **chunk;
    struct journal_segment *segment;
    struct journal_spot *place;

    if (number == SEGMENTS_MAX)
        return ST_DISK_FULL;
    chunk = &journal->chunks[number / JOURNAL_CHUNK];
    if (*chunk == NULL)
        *chunk = calloc(JOURNAL_CHUNK, sizeof **chunk);
    NEED(*chunk != NULL);
    segment = *chunk + number % JOURNAL_CHUNK;
    place = calloc(places, sizeof *place);
    NEED(place != NULL);
    journal_lock(journal);
    *segment = (struct journal_segment){.file = file,
                                        .first = first,
                                        .end = SEGMENT_HEADER_SIZE,
                                        .places = place};
    atomic_store_explicit(&journal->segments_count, number + 1,
                          memory_order_release);
    journal_unlock(journal);
    return ST_OK;
}

void journal_segment_note(struct journal_segment *segment, uint64_t offset,
                          uint64_t end)
{
    REQUIRE(offset == segment->end);
    if (segment->count % SEGMENT_INDEX_STRIDE == 0)
        atomic_store_explicit(
            &segment->places[segment->count / SEGMENT_INDEX_STRIDE].offset,
            (uint32_t)offset, memory_order_relaxed);
    segment->count++;
    segment->end = end;
}

void journal_segment_drop(struct journal *journal)
{
    struct journal_segment *last = journal_segment_last(journal);

    disk_close(last->file);
    free(last->places);
    memset(last, 0, sizeof *last);
    atomic_store(&journal->segments_count, journal->segments_count - 1);
}

void journal_lock(struct journal *journal)
{
    while (
        atomic_flag_test_and_set_explicit(&journal->lock, memory_order_acquire))
        ;
}

void journal_unlock(struct journal *journal)
{
    atomic_flag_clear_explicit(&journal->lock, memory_order_release);
}

void journal_segment_retire(struct journal *journal)
{
    struct journal_segment *last = journal_segment_last(journal);
    struct journal_retired *retired = malloc(sizeof *retired);

    NEED(retired != NULL);
    journal_lock(journal);
    *retired = (struct journal_retired){
        .next = journal->retired, .file = last->file, .places = last->places};
    journal->retired = retired;
    memset(last, 0, sizeof *last);
    atomic_store(&journal->segments_count, journal->segments_count - 1);
    journal_unlock(journal);
}

void journal_retired_free(struct journal *journal)
{
    struct journal_retired *list = NULL;

    journal_lock(journal);
    if (journal->readers == 0) {
        list = journal->retired;
        journal->retired = NULL;
    }
    journal_unlock(journal);
    while (list != NULL) {
        struct journal_retired *next = list->next;

        disk_close(list->file);
        free(list->places);
        free(list);
        list = next;
    }
}

/* The segment that holds entry ${index}. */
static size_t segment_of(const struct journal *journal, uint64_t index)
{
    size_t low = 0;
    size_t high = journal->segments_count;

    REQUIRE(high > 0);
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (journal_segment_at(journal, middle)->first <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

enum status journal_pin(struct journal *journal, struct journal_view *view,
                        uint64_t index, bool all)
{
    enum status status = ST_END;

    journal_lock(journal);
    view->changes = journal->changes;
    if (index < (all ? journal->end.size : journal->durable)) {
        const struct journal_segment *segment;

        view->number = segment_of(journal, index);
        segment = journal_segment_at(journal, view->number);
        view->file = segment->file;
        view->first = segment->first;
        view->places = segment->places;
        view->hole = segment->hole;
        journal->readers++;
        status = ST_OK;
    }
    journal_unlock(journal);
    return status;
}

void journal_unpin(struct journal *journal)
{
    journal_lock(journal);
    journal->readers--;
    journal_unlock(journal);
}
