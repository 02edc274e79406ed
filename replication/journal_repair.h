/*
 * journal_repair.h: what a node with peers does about damage: which entries are
 * missing, and putting their bytes back.
 *
 * Nothing is taken on trust.  Entries are written only if their hashes lead to
 * a hash that this node knows: the one that the next good entry, the next
 * segment's header or the mark names.
 *
 * Threads: journal_hole_at() and journal_lost() any; the others as
 * journal_append().
 */
#ifndef DEFTER_REPLICATION_JOURNAL_REPAIR_H
#define DEFTER_REPLICATION_JOURNAL_REPAIR_H

#include "replication/journal.h"
#include "replication/mark.h"

/* Entries that are part of the log and cannot be read. */
struct journal_gap {
    uint64_t first;
    uint64_t count;
    uint64_t ask;            /* Where the next repair must begin at the latest:
                              * first, where all must come at once. */
    uint8_t leaf[HASH_SIZE]; /* That the last of them must have. */
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;     /* Of the first of them in ${file}. */
    uint64_t offset_end; /* Behind the last; 0: not known. */
};

/*
 * journal_hole_at(journal, out, number):
 * The holes in the log, the lowest first, at most one of each segment.
 *
 * Returns: ST_OK; ST_END if there is no such hole.
 */
NODISCARD enum status journal_hole_at(struct journal *journal,
                                      struct journal_gap *out, size_t number);

/*
 * journal_examine(journal, index):
 * Read the segment of entry ${index} once more, because an entry of it was
 * found damaged in service, and note the hole; forget one that is not there.
 *
 * Returns: ST_OK, and journal_hole_at() tells; ST_END if there is no such
 *          entry; ST_LOST if what is damaged cannot be told from what is good
 *          (the next start finds case C3); ST_DISK_FAILED.
 */
NODISCARD enum status journal_examine(struct journal *journal, uint64_t index);

/*
 * journal_repair(journal, index, entries, count):
 * Put ${count} entries from ${index} on back into a hole, whose last entry must
 * be the last of them; so a large hole is filled from its end, in pieces.  If
 * no hole is known there, the segment is examined first.  The bytes are
 * written, synced and read back.
 *
 * Requires: count > 0.
 * Returns:  ST_OK, also if there is nothing to repair; and with nothing written
 *           ST_CHAIN_BROKEN if the hashes do not lead to the known one;
 *           ST_ENTRY_FORMED; ST_AGAIN if the entries do not end where the hole
 *           ends, or must be all of it; ST_LOST if they are the right ones and
 *           do not fill the place: what stands behind it was written elsewhere;
 *           ST_END and ST_LOST as journal_examine(); ST_CHECKSUM if what was
 *           written reads otherwise: the disk is broken there; ST_DISK_FAILED,
 *           and the journal refuses every later call.
 * Owns:     borrows ${entries}; their leaf is not looked at.
 */
NODISCARD enum status journal_repair(struct journal *journal, uint64_t index,
                                     const struct journal_entry *entries,
                                     size_t count);

/*
 * journal_lost(journal):
 * What the mark says is missing; kind MARK_WHOLE if nothing is.  A node that is
 * lost neither vouches for its log nor says of an entry that it never had it.
 */
struct mark_lost journal_lost(struct journal *journal);

/*
 * journal_set_lost(journal, lost):
 * Note durably that entries may be missing for a reason that the caller found
 * (an incarnation that is older than the registered one); added to what is
 * noted already.
 *
 * Requires: lost->kind != MARK_WHOLE.
 * Returns:  ST_OK; ST_DISK_FAILED, and the journal refuses every later call.
 */
NODISCARD enum status journal_set_lost(struct journal *journal,
                                       const struct mark_lost *lost);

/*
 * journal_clear_lost(journal):
 * Note durably that nothing is missing any more.  For MARK_LOST it is proven
 * here; for the other kinds the caller knows it from its peers.  The commit
 * that was known then is known again.
 *
 * Returns: ST_OK; and with nothing changed: ST_LOST if the durable log is still
 *          shorter than it was; ST_CHAIN_BROKEN if it holds another entry there
 *          than was acknowledged; ST_CHECKSUM if that entry cannot be read;
 *          ST_DISK_FAILED, and the journal refuses every later call.
 */
NODISCARD enum status journal_clear_lost(struct journal *journal);

#endif
