/*
 * unit_tiles.h: the hash tiles of an archive unit: that they lead from its
 * entries to the checkpoint's root (ARCHIVE-FORMAT, section 4).
 */
#ifndef DEFTER_CLIENT_AUDIT_UNIT_TILES_H
#define DEFTER_CLIENT_AUDIT_UNIT_TILES_H

#include "client/audit/unit.h"

/* The tile that was read last, of each level. */
struct unit_tiles {
    const struct unit *unit; /* Borrowed. */
    struct report *report;
    struct tile at[TILE_LEVELS]; /* width 0: none. */
    uint8_t hashes[TILE_LEVELS][TILE_WIDTH_MAX][HASH_SIZE];
};

void unit_tiles_init(struct unit_tiles *tiles, const struct unit *unit,
                     struct report *report);

/*
 * unit_tiles_check(tiles):
 * Each tile's root is the hash in the tile above it; those at the tree's end
 * lead to the checkpoint's root, and to the manifest's.
 */
NODISCARD bool unit_tiles_check(struct unit_tiles *tiles);

/* The leaf hashes of a bundle, which the unit has; NULL, and the report says
 * why.  Valid until the next one. */
const uint8_t (*unit_tiles_leaves(struct unit_tiles *tiles,
                                  const struct tile *bundle))[HASH_SIZE];

#endif
