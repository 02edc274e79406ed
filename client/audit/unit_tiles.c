#include "client/audit/unit_tiles.h"

#include <stdlib.h>
#include <string.h>

void unit_tiles_init(struct unit_tiles *tiles, const struct unit *unit,
                     struct report *report)
{
    memset(tiles, 0, sizeof *tiles);
    tiles->unit = unit;
    tiles->report = report;
}

static bool unit_tiles_fault(const struct unit_tiles *tiles,
                             const struct tile *tile, unsigned hash,
                             const char *what)
{
    const struct archive_file file = {.kind = ARCHIVE_TILE, .tile = *tile};
    char name[UNIT_PATH_SIZE];

    unit_file_name(name, &file);
    (void)unit_fault(tiles->unit, tiles->report, REPORT_NO_INDEX, name, what);
    tiles->report->fault.hash = hash;
    tiles->report->fault.offset = (uint64_t)hash * HASH_SIZE;
    return false;
}

/* Into its level's place, unless it is there. */
static bool unit_tiles_load(struct unit_tiles *tiles, unsigned level,
                            uint64_t index)
{
    const struct tile tile = {
        .level = level,
        .index = index,
        .width = tiles_width(tiles->unit->told.size, level, index)};
    const struct archive_file file = {.kind = ARCHIVE_TILE, .tile = tile};
    struct tile *at = &tiles->at[level];
    uint8_t *bytes;
    size_t size;

    INVARIANT(tile.width > 0);
    if (at->width == tile.width && at->index == index)
        return true;
    at->width = 0;
    if (!unit_read(tiles->unit, tiles->report, &bytes, &size, &file))
        return false;
    if (size == (size_t)tile.width * HASH_SIZE) {
        memcpy(tiles->hashes[level], bytes, size);
        *at = tile;
    }
    free(bytes);
    return at->width > 0 ||
           unit_tiles_fault(tiles, &tile, 0, "the tile has another length");
}

const uint8_t (*unit_tiles_leaves(struct unit_tiles *tiles,
                                  const struct tile *bundle))[HASH_SIZE]
{
    return unit_tiles_load(tiles, 0, bundle->index)
               ? (const uint8_t(*)[HASH_SIZE])tiles->hashes[0]
               : NULL;
}

/* A full tile against the one above it. */
static bool unit_tiles_above(struct unit_tiles *tiles, const struct tile *tile)
{
    const unsigned above = tile->level + 1;
    const unsigned number = (unsigned)(tile->index % TILE_WIDTH_MAX);
    uint8_t root[HASH_SIZE];

    if (!unit_tiles_load(tiles, tile->level, tile->index))
        return false;
    if (tile->width < TILE_WIDTH_MAX)
        return true;
    tree_root_of(root, (const uint8_t(*)[HASH_SIZE])tiles->hashes[tile->level],
                 TILE_WIDTH_MAX);
    if (!unit_tiles_load(tiles, above, tile->index >> TILE_HEIGHT))
        return false;
    if (memcmp(tiles->hashes[above][number], root, HASH_SIZE) == 0)
        return true;
    (void)unit_tiles_fault(tiles, tile, 0,
                           "its root is not the hash in the tile above it");
    report_hashes(tiles->report, tiles->hashes[above][number], root, HASH_SIZE);
    return false;
}

/* ---- Roots --------------------------------------------------------------- */

/* The root of a run of hashes of one level joined, from the right to the left,
 * with what stands behind it. */
static void unit_tiles_fold(uint8_t root[HASH_SIZE], bool *has_root,
                            const uint8_t (*hashes)[HASH_SIZE], unsigned count)
{
    while (count > 0) {
        unsigned part = count & (0U - count); /* The last complete subtree. */
        uint8_t hash[HASH_SIZE];

        count -= part;
        tree_root_of(hash, hashes + count, part);
        if (*has_root)
            tree_node_hash(root, hash, root);
        else
            memcpy(root, hash, HASH_SIZE);
        *has_root = true;
    }
}

/* The root of the tree of ${size} leaves, whose end the unit has. */
static bool unit_tiles_root(struct unit_tiles *tiles, uint8_t root[HASH_SIZE],
                            uint64_t size)
{
    bool has_root = false;

    for (unsigned i = 0; i < TILE_LEVELS; i++) {
        const uint64_t hashes = size >> TILE_HEIGHT * i;
        const unsigned width = (unsigned)(hashes % TILE_WIDTH_MAX);

        if (width == 0)
            continue;
        if (!unit_tiles_load(tiles, i, hashes >> TILE_HEIGHT))
            return false;
        unit_tiles_fold(root, &has_root,
                        (const uint8_t(*)[HASH_SIZE])tiles->hashes[i], width);
    }
    INVARIANT(has_root);
    return true;
}

static bool unit_tiles_roots(struct unit_tiles *tiles)
{
    const struct unit *unit = tiles->unit;
    uint8_t root[HASH_SIZE];

    if (!unit_tiles_root(tiles, root, unit->told.size))
        return false;
    if (memcmp(root, unit->checkpoint.checkpoint.root, HASH_SIZE) != 0) {
        (void)unit_fault(unit, tiles->report, REPORT_NO_INDEX, "checkpoint",
                         "the tiles lead to another root than the "
                         "checkpoint's");
        report_hashes(tiles->report, unit->checkpoint.checkpoint.root, root,
                      HASH_SIZE);
        return false;
    }
    if (!unit_tiles_root(tiles, root, unit->told.last + 1))
        return false;
    if (memcmp(root, unit->told.root, HASH_SIZE) != 0) {
        (void)unit_fault(unit, tiles->report, REPORT_NO_INDEX, ARCHIVE_MANIFEST,
                         "the tiles lead to another root at the unit's end");
        report_hashes(tiles->report, unit->told.root, root, HASH_SIZE);
        return false;
    }
    return true;
}

bool unit_tiles_check(struct unit_tiles *tiles)
{
    struct archive_walk walk;
    struct archive_file file;

    archive_walk_init(&walk, &tiles->unit->told);
    while (archive_walk_next(&walk, &file)) {
        if (file.kind == ARCHIVE_TILE && !unit_tiles_above(tiles, &file.tile))
            return false;
    }
    return unit_tiles_roots(tiles);
}
