/*
 * journal_parts.h: what the files of the journal share among themselves.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_PARTS_H
#define DEFTER_REPLICATION_JOURNAL_PARTS_H

#include <stdatomic.h>

#include "protocol/segment.h"
#include "replication/journal.h"
#include "replication/journal_scan.h"
#include "replication/mark.h"

#define JOURNAL_DIRECTORY   "log"
#define JOURNAL_DIVERGENT   "divergent"
#define JOURNAL_SPARE       "log/spare"
#define JOURNAL_SPARE_DRAFT "log/spare.tmp"
#define JOURNAL_CUT         "cut"

enum { JOURNAL_CHUNK = 256, JOURNAL_CHUNKS = SEGMENTS_MAX / JOURNAL_CHUNK };

/*
 * A segment in use.
 * Invariant: places[n] is the offset of entry first + n * SEGMENT_INDEX_STRIDE,
 * for every such entry that was appended.
 */
struct journal_segment {
    struct disk_file *file;
    uint64_t first;
    uint64_t count;   /* Entries in it; for the appending thread. */
    uint64_t end;     /* Offset behind the last frame; likewise. */
    uint32_t *places; /* Never moves: other threads read it. */
};

enum journal_spare {
    JOURNAL_SPARE_NONE,
    JOURNAL_SPARE_MAKING,
    JOURNAL_SPARE_READY
};

/*
 * Invariants:
 *   end.size >= durable: what is appended contains what is durable.
 *   The frames in buffer[0 .. buffer_used) belong at buffer_at in the last
 *   segment, and segment.end == buffer_at + buffer_used.
 *   Segments below segments_count never change their file, first or places.
 */
struct journal {
    struct disk *disk;
    struct journal_options options;
    struct mark mark;
    struct journal_segment *chunks[JOURNAL_CHUNKS];
    _Atomic size_t segments_count;
    _Atomic uint64_t durable;
    _Atomic uint64_t segment_room; /* In the last segment. */
    struct journal_end end;
    uint8_t *buffer;
    size_t buffer_size;
    size_t buffer_used;
    uint64_t buffer_at;
    _Atomic int spare_state; /* enum journal_spare */
    struct disk_file *spare; /* Published by spare_state. */
    _Atomic bool failed;
};

/* The name of a segment's file; ${out} has DISK_NAME_SIZE_MAX bytes. */
void journal_segment_name(char *out, uint64_t first);

/* The number in the name of a segment's file; false for any other name. */
bool journal_segment_parse(const char *name, uint64_t *first_out);

struct journal_segment *journal_segment_at(const struct journal *journal,
                                           size_t number);

/* The segment that is appended to. */
struct journal_segment *journal_segment_last(const struct journal *journal);

/*
 * journal_segment_add(journal, file, first):
 * Take ${file} into use as the next segment.
 *
 * Returns: ST_OK; ST_DISK_FULL above SEGMENTS_MAX; ST_DISK_FAILED if memory
 *          runs out.
 * Owns:    takes ${file} when ST_OK.
 */
NODISCARD enum status journal_segment_add(struct journal *journal,
                                          struct disk_file *file,
                                          uint64_t first);

/* Takes the last segment out of use; nothing reads it any more. */
void journal_segment_drop(struct journal *journal);

/* Notes the entry that ends at ${end} as the last of ${segment}. */
void journal_segment_note(struct journal_segment *segment, uint64_t offset,
                          uint64_t end);

/* Entries that a segment of this size can hold at most. */
size_t journal_segment_entries_max(uint32_t segment_size);

/* Frames of one write, at most: a group, and the entry that overflows it. */
size_t journal_buffer_size(uint32_t segment_size);

/* Shows the mark to the threads that read. */
void journal_publish(struct journal *journal);

/* Marks journal->end as durable. */
NODISCARD enum status journal_mark(struct journal *journal, uint64_t committed);

/*
 * What is to be cut off: everything behind ${size} entries.  It is written down
 * before anything changes, so that a crash in between resumes.
 */
struct journal_cut {
    uint64_t size;
    uint8_t leaf[HASH_SIZE];
    uint64_t sequence; /* Of the mark then: makes the names of what is kept. */
};

/* Writes JOURNAL_CUT_SIZE bytes; decodes them: ST_OK, ST_FILE_FORMAT. */
enum { JOURNAL_CUT_SIZE = 64 };
void journal_cut_encode(uint8_t *out, const struct journal_cut *cut);
NODISCARD enum status journal_cut_decode(struct journal_cut *out,
                                         struct slice input);

/* Returns: ST_OK; ST_NO_FILE; ST_FILE_FORMAT; ST_DISK_FAILED. */
NODISCARD enum status journal_cut_load(struct journal_cut *out,
                                       struct disk *disk);

/*
 * journal_cut_run(journal, report, cut, later, later_count, resumed):
 * Keep aside and cut off what follows journal->end: the rest of the last
 * segment, and the segment files that begin at ${later}.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status journal_cut_run(struct journal *journal,
                                      struct journal_report *report,
                                      const struct journal_cut *cut,
                                      const uint64_t *later, size_t later_count,
                                      bool resumed);

#endif
