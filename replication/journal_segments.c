#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/journal_parts.h"

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

    if (number == SEGMENTS_MAX)
        return ST_DISK_FULL;
    chunk = &journal->chunks[number / JOURNAL_CHUNK];
    if (*chunk == NULL)
        *chunk = calloc(JOURNAL_CHUNK, sizeof **chunk);
    if (*chunk == NULL)
        return ST_DISK_FAILED;
    segment = *chunk + number % JOURNAL_CHUNK;
    segment->places = calloc(places, sizeof *segment->places);
    if (segment->places == NULL)
        return ST_DISK_FAILED;
    segment->file = file;
    segment->first = first;
    segment->count = 0;
    segment->end = SEGMENT_HEADER_SIZE;
    atomic_store_explicit(&journal->segments_count, number + 1,
                          memory_order_release);
    return ST_OK;
}

void journal_segment_note(struct journal_segment *segment, uint64_t offset,
                          uint64_t end)
{
    REQUIRE(offset == segment->end);
    if (segment->count % SEGMENT_INDEX_STRIDE == 0)
        segment->places[segment->count / SEGMENT_INDEX_STRIDE] =
            (uint32_t)offset;
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
