/*
 * journal_scrub.h: reading the log at rest, so that rot is found while a good
 * copy still exists elsewhere, and comparing it with another node's.
 *
 * Threads: any, while the journal is open; a scrub belongs to one thread.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_SCRUB_H
#define DEFTER_REPLICATION_JOURNAL_SCRUB_H

#include "replication/journal.h"

/*
 * Where a scrub stands: an absolute index, so that nothing is left out while
 * the log grows.  Zeros begin a new cycle; zeros with another ${next} begin
 * there, as a new primary does that reads its uncommitted tail back.
 */
struct journal_scrub {
    uint64_t next;    /* The entry to be read next. */
    uint64_t bad;     /* With ST_CHECKSUM: the entry that is damaged. */
    uint64_t bytes;   /* Read in this cycle. */
    uint64_t changes; /* Of the journal, seen so far. */
    bool leaf_known;  /* Of entry next - 1: */
    uint8_t leaf[HASH_SIZE];
};

/*
 * journal_scrub_next(journal, scrub, buffer):
 * Check the next entries, at most JOURNAL_SCRUB_ENTRIES: that each can be read,
 * and that its hash is the one that the entry behind it names, or the mark if
 * it is the last; and that the page before the first of a segment is whole.
 * ${buffer} has JOURNAL_READ_SIZE bytes.
 *
 * Returns: ST_OK, and there is more to do; ST_END at the end of the log, and
 *          the next call begins a new cycle;
 *          ST_CHECKSUM if entry scrub->bad is damaged, and the next call goes
 *          on behind it: journal_examine() it; ST_DISK_FAILED.
 */
NODISCARD enum status journal_scrub_next(struct journal *journal,
                                         struct journal_scrub *scrub,
                                         uint8_t *buffer);

/*
 * journal_segment_digest(journal, digest_out, size_out, index):
 * SHA-256 over the whole file of the segment that holds entry ${index}, which
 * must be sealed: another one follows it.  ${*size_out} is the index behind its
 * last entry.  Nodes whose logs are equal up to there have the same digest.
 *
 * Returns: ST_OK; ST_END if the segment is not sealed, or there is none;
 *          ST_CHECKSUM if it has a hole; ST_DISK_FAILED.
 */
NODISCARD enum status journal_segment_digest(struct journal *journal,
                                             uint8_t *digest_out,
                                             uint64_t *size_out,
                                             uint64_t index);

#endif
