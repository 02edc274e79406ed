/*
 * hash_tiles.h: the hash tiles of a tree, held against the leaves of its
 * entries (c2sp.org/tlog-tiles).
 *
 * Each tile of the tree is compared once, when its last leaf is known.  The
 * first that is not as the leaves say is kept: whether the tile or the entry
 * is at fault, the checkpoint's root decides.
 */
#ifndef DEFTER_CLIENT_AUDIT_HASH_TILES_H
#define DEFTER_CLIENT_AUDIT_HASH_TILES_H

#include "client/audit/tile_files.h"

enum hash_tiles_odd {
    HASH_TILES_NONE,
    HASH_TILES_HASH, /* A hash is another than that of the entries. */
    HASH_TILES_SHORT,
    HASH_TILES_LONG,
    HASH_TILES_MISSING,
    HASH_TILES_UNREADABLE
};

struct hash_tiles_level {
    uint8_t hashes[TILE_WIDTH_MAX][HASH_SIZE]; /* Of the tile in the making. */
    unsigned count;
    uint64_t index; /* Of that tile. */
};

struct hash_tiles {
    int directory;
    uint64_t size; /* Leaves of the whole tree. */
    struct hash_tiles_level levels[TILE_LEVELS];
    /* The first that is odd; set unless it is NONE. */
    enum hash_tiles_odd odd;
    struct tile tile;            /* Whose file it is. */
    unsigned hash;               /* Its number in the tile. */
    uint64_t leaf;               /* The first leaf below that hash. */
    uint8_t expected[HASH_SIZE]; /* By the entries. */
    uint8_t actual[HASH_SIZE];
};

/* Borrows the descriptor of the tree until it is not used any more. */
void hash_tiles_init(struct hash_tiles *tiles, int directory, uint64_t size);

/* Requires: fewer than ${size} leaves were appended. */
void hash_tiles_append(struct hash_tiles *tiles, const uint8_t leaf[HASH_SIZE]);

/*
 * hash_tiles_end(tiles):
 * No more leaves come: compare the partial tiles, as far as there are leaves.
 */
void hash_tiles_end(struct hash_tiles *tiles);

#endif
