/*
 * journal_run.h: which of the bytes behind damage are the log's.
 *
 * An entry can hold the bytes of a frame, put there by whoever signed it.  So a
 * frame that is found behind damage counts only if the entries from it on lead
 * to a hash that is known: the next segment's, or the mark's.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_RUN_H
#define DEFTER_REPLICATION_JOURNAL_RUN_H

#include "replication/journal_parts.h"

/*
 * journal_previous_leaf(journal, leaf_out, index):
 * The leaf hash of the entry before ${index}; zeros for 0.  For the appending
 * thread, with nothing in the buffer.
 *
 * Returns: ST_OK; ST_CHECKSUM if that entry cannot be read and its hash is not
 *          known; ST_DISK_FAILED.
 */
NODISCARD enum status journal_previous_leaf(struct journal *journal,
                                            uint8_t *leaf_out, uint64_t index);

/* A hash that an entry is known to have: of entry size - 1. */
struct journal_anchor {
    uint64_t size;
    uint8_t leaf[HASH_SIZE];
    bool sealed; /* It is the last of its segment: only zeros follow it. */
};

/* Entries that follow each other up to an anchor. */
struct journal_run {
    uint64_t first;
    uint64_t offset;             /* Of entry ${first}. */
    uint8_t previous[HASH_SIZE]; /* The leaf hash of the one before. */
};

/*
 * journal_run_find(run, journal, file, offset, index, anchor):
 * Look in a segment from ${offset} on for the first entry at or above ${index}
 * from which every entry up to the anchor is good and follows, and which leaves
 * room for the entries between.  A frame that only looks like one does not lead
 * to the anchor; and one that a misdirected write put elsewhere is not followed
 * by zeros, where those would end a segment; such a one is taken last.
 *
 * Returns: ST_OK; ST_END; ST_DISK_FAILED.
 * Order:   uses the journal's buffer, which must be empty.
 */
NODISCARD enum status journal_run_find(struct journal_run *run,
                                       struct journal *journal,
                                       struct disk_file *file, uint64_t offset,
                                       uint64_t index,
                                       const struct journal_anchor *anchor);

/*
 * journal_anchor_before(anchor, journal, first):
 * What the segment file that begins with entry ${first} says of the entry
 * before: by its header, or if that is damaged by its first entry.
 *
 * Returns: ST_OK; ST_END if neither can be read; ST_DISK_FAILED.
 */
NODISCARD enum status journal_anchor_before(struct journal_anchor *anchor,
                                            const struct journal *journal,
                                            uint64_t first);

/* A hole to the end of a segment needs its entries at once: may it be one? */
bool journal_hole_fits(const struct journal *journal,
                       const struct journal_hole *hole);

/* Shows readers the hole of a segment, or that it has none (end = 0). */
void journal_hole_set(struct journal *journal, struct journal_segment *segment,
                      const struct journal_hole *hole);

/*
 * journal_examine_segment(journal, number):
 * Read a segment in use and note its hole.
 *
 * Returns: as journal_examine().
 */
NODISCARD enum status journal_examine_segment(struct journal *journal,
                                              size_t number);

#endif
