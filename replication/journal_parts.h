/*
 * journal_parts.h: what the files of the journal share among themselves.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_PARTS_H
#define DEFTER_REPLICATION_JOURNAL_PARTS_H

#include <stdatomic.h>

#include "protocol/segment.h"
#include "replication/journal_epochs.h"
#include "replication/journal_repair.h"
#include "replication/journal_scan.h"
#include "replication/mark.h"

#define JOURNAL_DIRECTORY   "log"
#define JOURNAL_DIVERGENT   "divergent"
#define JOURNAL_SPARE       "log/spare"
#define JOURNAL_SPARE_DRAFT "log/spare.tmp"
#define JOURNAL_CUT         "cut"

enum { JOURNAL_CHUNK = 256, JOURNAL_CHUNKS = SEGMENTS_MAX / JOURNAL_CHUNK };

/*
 * Entries of one segment that cannot be read, and the bytes where they stood.
 * What follows them was checked backwards from a hash that is known.
 */
struct journal_hole {
    uint64_t first;
    uint64_t end;            /* Index behind; 0 if there is no hole. */
    uint64_t offset;         /* Of entry ${first}. */
    uint64_t offset_end;     /* 0: not known, the hole ends the segment. */
    uint8_t leaf[HASH_SIZE]; /* That entry end - 1 must have. */
};

/* Where a frame begins. */
struct journal_spot {
    _Atomic uint32_t offset;
};

/*
 * A segment in use.
 * Invariant: places[n] is the offset of entry first + n * SEGMENT_INDEX_STRIDE,
 * for every such entry that was appended and is not in the hole.
 * file, first, places and hole are changed under the journal's lock only.
 */
struct journal_segment {
    struct disk_file *file;
    uint64_t first;
    uint64_t count;              /* Entries in it; for the appending thread. */
    uint64_t end;                /* Offset behind the last frame; likewise. */
    struct journal_spot *places; /* Other threads read it. */
    struct journal_hole hole;
    bool header_bad; /* The header page is to be written again. */
};

/* A segment taken out of use while readers may still look at it. */
struct journal_retired {
    struct journal_retired *next;
    struct disk_file *file;
    struct journal_spot *places;
};

struct journal_leaf_row {
    uint64_t size; /* Index of its entry + 1; 0 for none. */
    uint8_t leaf[HASH_SIZE];
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
 *   Readers look at segments between journal_pin() and journal_unpin(); what
 *   is taken out of use meanwhile is freed when nobody is pinned.
 *
 * Under the lock: the table of segments, lost, durable_leaf, epochs, leaves,
 * readers, retired.  It is held for a few copies only, never over a disk call.
 */
struct journal {
    struct disk *disk;
    struct journal_options options;
    struct mark mark;
    struct journal_segment *chunks[JOURNAL_CHUNKS];
    _Atomic size_t segments_count;
    _Atomic uint64_t durable;
    _Atomic uint64_t committed;
    atomic_flag lock;
    size_t readers;
    uint64_t changes; /* Cuts and repairs so far: cursors look again. */
    struct journal_retired *retired;
    uint8_t durable_leaf[HASH_SIZE];
    struct mark_lost lost;
    struct journal_leaf_row *leaves;
    size_t leaves_count; /* Places in the ring. */
    struct journal_epoch *epochs;
    size_t epochs_count;
    size_t epochs_room;
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
 * Returns: ST_OK; ST_DISK_FULL above SEGMENTS_MAX.
 * Owns:    takes ${file} when ST_OK.
 */
NODISCARD enum status journal_segment_add(struct journal *journal,
                                          struct disk_file *file,
                                          uint64_t first);

/* Takes the last segment out of use; nothing reads it any more. */
void journal_segment_drop(struct journal *journal);

/* Takes the last segment out of use; readers that are pinned may go on. */
void journal_segment_retire(struct journal *journal);

/* Closes what was retired if nobody is pinned. */
void journal_retired_free(struct journal *journal);

/* Of the few fields that other threads read or change. */
void journal_lock(struct journal *journal);
void journal_unlock(struct journal *journal);

/*
 * What a reader sees of the segment that holds an entry.
 * Invariant: valid until journal_unpin().
 */
struct journal_view {
    struct disk_file *file;
    uint64_t first;
    size_t number;
    const struct journal_spot *places;
    struct journal_hole hole;
    uint64_t changes;
};

/*
 * journal_pin(journal, view, index):
 * Look up the segment of entry ${index}, which may be appended and not durable
 * if the appending thread asks with ${all}.
 *
 * Returns: ST_OK, and journal_unpin() must follow; ST_END.
 */
NODISCARD enum status journal_pin(struct journal *journal,
                                  struct journal_view *view, uint64_t index,
                                  bool all);
void journal_unpin(struct journal *journal);

/*
 * journal_find(view, offset_out, index):
 * The offset of an entry in a pinned segment, from the lengths before it.
 *
 * Returns: ST_OK; ST_CHECKSUM, also if it lies in a hole; ST_DISK_FAILED.
 */
NODISCARD enum status journal_find(const struct journal_view *view,
                                   uint64_t *offset_out, uint64_t index);

/*
 * journal_fetch(journal, entry_out, buffer, index, all):
 * As journal_read_entry(), with ${all} as in journal_pin().
 */
NODISCARD enum status journal_fetch(struct journal *journal,
                                    struct slice *entry_out, uint8_t *buffer,
                                    uint64_t index, bool all);

/* As journal_leaf(); ${buffer} has JOURNAL_READ_SIZE bytes. */
NODISCARD enum status journal_leaf_get(struct journal *journal,
                                       uint8_t *leaf_out, uint8_t *buffer,
                                       uint64_t index, bool all);

/* Room for the first epochs. */
void journal_epochs_begin(struct journal *journal);

/* Remember the newest leaves and where epochs begin; under the lock. */
void journal_leaf_note(struct journal *journal, uint64_t index,
                       const uint8_t *leaf);
void journal_epoch_note(struct journal *journal, uint32_t epoch, uint64_t index,
                        const uint8_t *leaf);

/* The same for an entry that was repaired, anywhere in the log. */
void journal_epoch_mend(struct journal *journal, uint32_t epoch, uint64_t index,
                        const uint8_t *leaf);

/* Forget what begins at ${size} or later; under the lock. */
void journal_epochs_cut(struct journal *journal, uint64_t size);

/* Marks the journal as failed.  No call may follow: what the disk holds is not
 * known any more.  Returns: ST_DISK_FAILED. */
NODISCARD enum status journal_fail(struct journal *journal);

/* Writes out what the buffer holds.  Returns: ST_OK; ST_DISK_FAILED. */
NODISCARD enum status journal_flush(struct journal *journal);

/* Makes a durable file of zeros at JOURNAL_SPARE. */
NODISCARD enum status journal_draft_spare(struct disk_file **file_out,
                                          struct disk *disk, uint32_t size);

/* Puts the spare into use as the segment that follows ${end}. */
NODISCARD enum status journal_use_spare(struct disk_file *spare,
                                        struct disk *disk,
                                        const struct journal_end *end,
                                        uint32_t segment_size);

/* Writes and syncs the header page of a segment. */
NODISCARD enum status journal_header_write(struct disk_file *file,
                                           uint64_t first,
                                           const uint8_t *previous,
                                           uint32_t segment_size);

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
    bool unkept;       /* There is no room for it.  Not written down: what a
                        * crash leaves of it is kept. */
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
 * journal_cut_plan(journal, cut):
 * A cut at journal->end, under a number that no file in divergent/ has.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status journal_cut_plan(struct journal *journal,
                                       struct journal_cut *cut);

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

/*
 * journal_aside_has_room(journal, out, files):
 * Whether ${files} more files, each as large as a segment, may be kept aside.
 *
 * Returns: ST_OK; ST_DISK_FAILED.
 */
NODISCARD enum status journal_aside_has_room(struct journal *journal, bool *out,
                                             size_t files);

/* The part of it that moves segment files to divergent/, or removes them where
 * ${cut} says that there is no room. */
NODISCARD enum status journal_cut_later_aside(struct journal *journal,
                                              struct journal_report *report,
                                              const struct journal_cut *cut,
                                              const uint64_t *later,
                                              size_t later_count);

/* Takes the intent away. */
NODISCARD enum status journal_cut_done(struct disk *disk);

#endif
