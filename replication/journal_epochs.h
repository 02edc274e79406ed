/*
 * journal_epochs.h: which epochs the log holds, and the hash at an index: what
 * two nodes need to find the last entry that they have in common.
 *
 * Threads: any, while the journal is open.
 */
#ifndef DEFTER_REPLICATION_JOURNAL_EPOCHS_H
#define DEFTER_REPLICATION_JOURNAL_EPOCHS_H

#include "replication/journal.h"

/* Where an epoch begins in the log. */
struct journal_epoch {
    uint32_t epoch;
    uint64_t first;          /* Index of its first entry. */
    uint8_t leaf[HASH_SIZE]; /* Of that entry. */
};

/*
 * journal_epoch_count(journal):
 * Epochs in the table, appended entries included.  It keeps the newest
 * JOURNAL_EPOCHS_MAX; of an older log it begins in the middle.  An epoch that
 * begins in a hole is listed with the first entry that can be read.
 */
size_t journal_epoch_count(struct journal *journal);

/*
 * journal_epoch_at(journal, out, number):
 * Row ${number} of the table, the oldest first; epochs and indexes rise.
 *
 * Returns: ST_OK; ST_END if there is no such row (a cut may take rows away
 *          between two calls).
 */
NODISCARD enum status journal_epoch_at(struct journal *journal,
                                       struct journal_epoch *out,
                                       size_t number);

/*
 * journal_leaf(journal, leaf_out, buffer, index):
 * The leaf hash of a durable entry.  The newest JOURNAL_LEAVES are remembered
 * (fewer if a segment holds fewer), older ones are read into ${buffer} of
 * JOURNAL_READ_SIZE bytes and hashed.
 *
 * Returns: as journal_read_entry().
 */
NODISCARD enum status journal_leaf(struct journal *journal, uint8_t *leaf_out,
                                   uint8_t *buffer, uint64_t index);

/*
 * journal_expected_leaf(journal, leaf_out, buffer, index):
 * The leaf hash that the durable entry ${index} must have, whatever its bytes
 * say: from the entry behind it, or from the mark if it is the last.
 *
 * Returns: ST_OK; ST_END if index >= journal_size(); ST_CHECKSUM if the entry
 *          behind cannot be read either; ST_DISK_FAILED.
 */
NODISCARD enum status journal_expected_leaf(struct journal *journal,
                                            uint8_t *leaf_out, uint8_t *buffer,
                                            uint64_t index);

#endif
