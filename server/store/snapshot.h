/*
 * snapshot.h: the whole state as a file of rows (LOG-FORMAT, section 13), from
 * which a state is built where the log alone cannot build it any more: what a
 * destroyed key sealed decided things that nobody can read again.
 *
 *   "DFTSNAP" 0 ‖ u16 version = 1 ‖ 6 zeros ‖ layout[32] ‖ head ‖ tables
 *   table = u16 number ‖ { u8 1 ‖ row }, ‖ u8 0
 *
 * Tables are in the order of tables.def, rows in that of their keys, columns as
 * in the state digest, but that an item stands as its sealed bytes behind a u32
 * size.  So two nodes that applied the same entries write the same bytes, and
 * their SHA-256 is what the log attests (destroy.confirm).
 *
 * Files are snapshots/SIZE, SIZE the entries applied in 20 decimal digits.  A
 * snapshot holds nothing in plain that the state does not: names and contacts
 * are in sealed items.
 */
#ifndef DEFTER_SERVER_STORE_SNAPSHOT_H
#define DEFTER_SERVER_STORE_SNAPSHOT_H

#include "replication/disk.h"
#include "server/store/state.h"

#define SNAPSHOT_DIRECTORY "snapshots"

enum { SNAPSHOT_NAME_SIZE = sizeof SNAPSHOT_DIRECTORY + 1 + 20 + 5 };

/* The name of a whole snapshot, or of one that is being written. */
void snapshot_name(char out[SNAPSHOT_NAME_SIZE], uint64_t size, bool partial);

/*
 * snapshot_write(digest_out, disk, state):
 * Write the state as it is, durably; all but the newest SNAPSHOTS_KEPT_MAX go.
 * Without a disk (NULL) only the digest is made.
 *
 * Requires: no transaction is open.
 * Returns:  ST_OK, also if the same snapshot is there; ST_DISK_FULL;
 *           ST_DISK_FAILED.
 */
NODISCARD enum status snapshot_write(uint8_t digest_out[HASH_SIZE],
                                     struct disk *disk, struct state *state);

/*
 * snapshot_digest(digest_out, disk, size):
 * SHA-256 of the file that is there.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_DISK_FAILED.
 */
NODISCARD enum status snapshot_digest(uint8_t digest_out[HASH_SIZE],
                                      struct disk *disk, uint64_t size);

/* The same of an open file. */
NODISCARD enum status snapshot_digest_file(uint8_t digest_out[HASH_SIZE],
                                           struct disk_file *file);

/*
 * snapshot_newest(disk, below):
 * Size of the newest whole snapshot below ${below}; 0 if there is none, or the
 * directory cannot be read.
 */
uint64_t snapshot_newest(struct disk *disk, uint64_t below);

/* Remove what was being written or fetched, which nobody may be doing now;
 * what cannot be removed now is removed next time. */
void snapshot_drop_parts(struct disk *disk);

/* Remove those below ${size}: evidence that was destroyed since is told by
 * them.  Returns: ST_OK; ST_DISK_FAILED. */
NODISCARD enum status snapshot_drop_older(struct disk *disk, uint64_t size);

/*
 * snapshot_head(head_out, disk, size):
 * The head of the state that it holds.
 *
 * Returns: ST_OK; ST_FILE_FORMAT; ST_NO_FILE; ST_DISK_FAILED.
 */
NODISCARD enum status snapshot_head(struct state_head *head_out,
                                    struct disk *disk, uint64_t size);

/*
 * snapshot_load(state, disk, size):
 * Fill an empty state.
 *
 * Requires: no transaction is open, and the state has no rows.
 * Returns:  ST_OK; ST_FILE_FORMAT for a file that is no snapshot of this
 *           version and size, and the state may be deleted; ST_NO_FILE;
 *           ST_DISK_FAILED.
 */
NODISCARD enum status snapshot_load(struct state *state, struct disk *disk,
                                    uint64_t size);

#endif
