/*
 * bundles.h: the entry bundles of a tiles tree, read once from the first to
 * the last, in batches (c2sp.org/tlog-tiles).
 *
 * The files may be anything; memory is bounded by the batch.  Nothing is hashed
 * here.
 */
#ifndef DEFTER_CLIENT_AUDIT_BUNDLES_H
#define DEFTER_CLIENT_AUDIT_BUNDLES_H

#include "client/audit/tile_files.h"
#include "client/audit/walk.h"

enum { BUNDLES_NAME_SIZE = TILE_FILES_NAME_SIZE };

struct bundles; /* Opaque. */

/*
 * bundles_open(bundles_out, directory, size):
 * The bundles of the first ${size} entries.  The descriptor is borrowed until
 * bundles_close().
 *
 * Returns: ST_OK; ST_TOO_LARGE above BUNDLES_SIZE_MAX; ST_EXHAUSTED if memory
 *          is short.
 * Order:   ends with bundles_close().
 */
#define BUNDLES_SIZE_MAX (UINT64_C(1) << 39)
NODISCARD enum status bundles_open(struct bundles **bundles_out, int directory,
                                   uint64_t size);
/* Accepts NULL. */
void bundles_close(struct bundles *bundles);

/* Bundles there must be, and those that were passed, for the progress. */
uint64_t bundles_size(const struct bundles *bundles);
uint64_t bundles_passed(const struct bundles *bundles);

/* The bundle's file, below the tree. */
void bundles_name(const struct bundles *bundles, char out[BUNDLES_NAME_SIZE],
                  uint32_t bundle);

/*
 * bundles_place(bundles, name_out, index):
 * The file of an entry, and the offset of its length word there; 0 where its
 * bundle cannot be read so far.
 */
uint64_t bundles_place(const struct bundles *bundles,
                       char name_out[BUNDLES_NAME_SIZE], uint64_t index);

/* See walk_batch_open(). */
NODISCARD enum status bundles_batch_open(struct walk_batch *batch,
                                         const struct bundles *bundles);

/*
 * bundles_next(bundles, batch):
 * Read on: entries without their length words, places are numbers of bundles
 * and offsets of length words.  After a stop other than WALK_MORE there is
 * nothing to read.
 *
 * Owns: the frames borrow the batch's bytes until its next use.
 */
void bundles_next(struct bundles *bundles, struct walk_batch *batch);

#endif
