/*
 * tiles.h: a log as files that never change (TRANSPARENCY, section 6;
 * c2sp.org/tlog-tiles).
 *
 *     tile/LEVEL/INDEX          256 hashes
 *     tile/LEVEL/INDEX.p/WIDTH  the first 1 to 255 of them
 *     tile/entries/INDEX...     the entries of the same place in level 0, each
 *                               behind its length, u16 big-endian
 *
 * INDEX is written in groups of three digits, with "x" before all but the last:
 * 1234067 is x001/x234/067.  Hash i of tile n on level l is the root of the
 * complete subtree of 256^l leaves that is number n * 256 + i of these.
 */
#ifndef DEFTER_PROTOCOL_TILES_H
#define DEFTER_PROTOCOL_TILES_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/tree.h"

/* The level of an entry bundle, which is beside those of the hashes. */
enum { TILE_ENTRIES = 64 };

/*
 * Invariants: level <= TILE_ENTRIES; index <= TILE_INDEX_MAX; width is 1 to
 * TILE_WIDTH_MAX.
 */
struct tile {
    unsigned level;
    uint64_t index;
    unsigned width; /* TILE_WIDTH_MAX: it is full. */
};

#define TILE_INDEX_MAX (TREE_SIZE_MAX >> TILE_HEIGHT)

/* At most TILE_PATH_SIZE_MAX bytes. */
void tiles_path_write(struct writer *writer, const struct tile *tile);

/*
 * tiles_path_read(tile_out, path):
 * Returns: ST_OK; ST_FILE_FORMAT for anything but the path of one tile.
 *          Whether there is such a tile, the size of the tree says.
 */
NODISCARD enum status tiles_path_read(struct tile *tile_out, struct slice path);

/*
 * tiles_width(size, level, index):
 * Returns: the width of that tile in the tree of ${size} leaves; 0 if there is
 *          none.
 */
unsigned tiles_width(uint64_t size, unsigned level, uint64_t index);

/*
 * Tiles that the tree of ${newer} leaves has and that of ${older} has not: new
 * ones, and those that have become wider.  Level by level, bundles first, each
 * in the order of the indexes.
 */
struct tiles_walk {
    uint64_t older;
    uint64_t newer;
    unsigned level;
    uint64_t index;
};

/* Requires: older <= newer <= TREE_SIZE_MAX. */
void tiles_walk_init(struct tiles_walk *walk, uint64_t older, uint64_t newer);

/* Returns: false if all were told. */
bool tiles_walk_next(struct tiles_walk *walk, struct tile *tile_out);

/*
 * tiles_write(writer, tile, source):
 * Write the hashes of ${tile}.
 *
 * Requires: tile->level < TILE_LEVELS, and the tree has the tile.
 * Returns:  ST_OK; what the source failed with; ST_TOO_LARGE.
 */
NODISCARD enum status tiles_write(struct writer *writer,
                                  const struct tile *tile,
                                  const struct tree_source *source);

/* Appends an entry to a bundle; ST_TOO_LARGE above BUNDLE_ENTRY_SIZE_MAX. */
void tiles_bundle_append(struct writer *writer, struct slice entry);

/*
 * tiles_bundle_next(entry_out, bundle):
 * Take the first entry from ${bundle}.  How many there must be, the width says.
 *
 * Returns: ST_OK; ST_END; ST_FILE_FORMAT where bytes are missing.
 * Owns:    ${*entry_out} borrows from the bundle.
 */
NODISCARD enum status tiles_bundle_next(struct slice *entry_out,
                                        struct slice *bundle);

#endif
