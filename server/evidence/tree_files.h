/*
 * tree_files.h: the tree of the log as files (LOG-FORMAT, section 5).
 *
 *     tree/00   32-byte hashes, back to back: hash i is the leaf of entry i
 *     tree/01   hash i is the root over entries [i * 256, (i + 1) * 256)
 *     tree/LL   hash i is the root over the 256^LL entries from i * 256^LL on
 *
 * A level holds complete subtrees only, so that 256 hashes of it, from a
 * multiple of 256 on, are a tile of c2sp.org/tlog-tiles.
 *
 * The files follow from the log and are never synced: whatever a crash makes of
 * them, they are made anew.  What they say is believed nowhere: the tree's edge
 * is held in memory, from an anchor whose root stands durably elsewhere or from
 * the first entry on, and whoever makes a proof checks it against a root that
 * does not come from here.
 *
 * Threads: one may offer (the apply thread; it never waits), another one opens,
 * catches up, mends and closes; the rest may be called by any.  Readers see a
 * size only when all hashes below it are written.
 */
#ifndef DEFTER_SERVER_EVIDENCE_TREE_FILES_H
#define DEFTER_SERVER_EVIDENCE_TREE_FILES_H

#include "protocol/tree.h"
#include "replication/journal.h"

#define TREE_FILES_DIRECTORY "tree"

enum {
    TREE_FILES_LEVELS = 8, /* That a tree of TREE_SIZE_MAX has. */
    TREE_FILES_OFFER_MAX = 256
};

struct tree_files; /* Opaque. */

/* A size whose root is known; size 0 for none. */
struct tree_anchor {
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

/*
 * tree_files_open(files_out, anchored_out, disk, journal, anchor):
 * Open the files, or make them.  The tree begins with as many entries as
 * ${anchor} says if the files' hashes lead to its root, and the last of these
 * entries in the log is shown to be in it; ${*anchored_out} tells.  Else it
 * begins empty.
 *
 * That one entry speaks for all before it, because it names the hash of the one
 * before: a log of another history never goes on where a former one ended.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 * Owns:    gives ${*files_out}; keeps ${disk}, borrows ${journal}.
 */
NODISCARD enum status tree_files_open(struct tree_files **files_out,
                                      bool *anchored_out, struct disk *disk,
                                      struct journal *journal,
                                      const struct tree_anchor *anchor);

/* Accepts NULL. */
void tree_files_close(struct tree_files *files);

/* Entries that can be proven. */
uint64_t tree_files_size(const struct tree_files *files);

/*
 * tree_files_offer(files, first, leaves, count):
 * The leaf hashes of ${count} entries from ${first} on.  They are passed over
 * where the tree ends elsewhere, or its lock is taken: tree_files_catch_up()
 * reads them from the log later.
 *
 * Requires: count <= TREE_FILES_OFFER_MAX.
 */
void tree_files_offer(struct tree_files *files, uint64_t first,
                      const uint8_t (*leaves)[HASH_SIZE], size_t count);

/*
 * tree_files_catch_up(files, journal, size, count_max):
 * Append entries of the log until the tree has ${size}, or ${count_max} of
 * them.
 *
 * Returns: ST_OK; ST_CHECKSUM or ST_END if the log cannot be read there now;
 *          ST_DISK_FAILED.
 */
NODISCARD enum status tree_files_catch_up(struct tree_files *files,
                                          struct journal *journal,
                                          uint64_t size, uint64_t count_max);

/* The tree's edge: its size and root do not come from the files. */
void tree_files_edge(struct tree_files *files, struct tree *out);

/* Where proofs within tree_files_size() read from; a file that is too short is
 * ST_FILE_FORMAT.  Lent until tree_files_close(). */
struct tree_source tree_files_source(struct tree_files *files);

/*
 * tree_files_root(files, out, size):
 * The root of the first ${size} entries, shown to be the beginning of the
 * tree's edge.
 *
 * Returns: ST_OK; ST_NO_SUCH if size > tree_files_size(); ST_PROOF or
 *          ST_FILE_FORMAT if the files are damaged; ST_DISK_FAILED.
 */
NODISCARD enum status tree_files_root(struct tree_files *files,
                                      uint8_t out[HASH_SIZE], uint64_t size);

/* Bytes could not be written, or tree_files_doubt() was called: to be mended.
 */
bool tree_files_damaged(const struct tree_files *files);
/* A proof made of these files did not check. */
void tree_files_doubt(struct tree_files *files);

/*
 * tree_files_mend(files, journal):
 * Write all hashes anew from the log.
 *
 * Returns: ST_OK; ST_PROOF if the log leads to another root than the tree's
 *          edge; ST_CHECKSUM or ST_END if it cannot be read; ST_DISK_FULL;
 *          ST_DISK_FAILED.
 */
NODISCARD enum status tree_files_mend(struct tree_files *files,
                                      struct journal *journal);

#endif
