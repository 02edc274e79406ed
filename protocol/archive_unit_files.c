#include <string.h>

#include "protocol/archive_unit.h"
#include "protocol/lines.h"

#define ARCHIVE_PACKED    ".zst"
#define ARCHIVE_TILE_PATH "tile/"

static const char *archive_name(enum archive_kind kind)
{
    switch (kind) {
    case ARCHIVE_FORMAT:
        return "FORMAT.md";
    case ARCHIVE_CHECKPOINT:
        return "checkpoint";
    case ARCHIVE_GENESIS:
        return "genesis";
    case ARCHIVE_KEYS:
        return "keys";
    case ARCHIVE_POLICY:
        return "policy";
    case ARCHIVE_BUNDLE:
    case ARCHIVE_TILE:
        return NULL;
    }
    return NULL;
}

uint64_t archive_size_max(enum archive_kind kind)
{
    switch (kind) {
    case ARCHIVE_FORMAT:
        return ARCHIVE_TEXT_SIZE_MAX;
    case ARCHIVE_CHECKPOINT:
        return NOTE_SIZE_MAX;
    case ARCHIVE_GENESIS:
        return ENTRY_SIZE_MAX;
    case ARCHIVE_KEYS:
        return ARCHIVE_KEYS_SIZE_MAX;
    case ARCHIVE_POLICY:
        return TLOG_POLICY_SIZE_MAX;
    case ARCHIVE_BUNDLE:
        return ARCHIVE_PACKED_SIZE_MAX;
    case ARCHIVE_TILE:
        return TILE_WIDTH_MAX * HASH_SIZE;
    }
    return 0;
}

/* ---- Which tiles a unit has --------------------------------------------- */

/* The number of the tile on ${level} that stands above entry ${index}. */
static uint64_t archive_above(uint64_t index, unsigned level)
{
    const unsigned bits = level == TILE_ENTRIES ? 0 : TILE_HEIGHT * level;

    return index >> bits >> TILE_HEIGHT;
}

static struct tile archive_tile(const struct archive_unit *unit, unsigned level,
                                uint64_t index)
{
    return (struct tile){.level = level,
                         .index = index,
                         .width = tiles_width(unit->size, level, index)};
}

/* On each level those that stand above the unit's entries, and the last one of
 * the tree where it is not full: the root is made of these. */
static bool archive_has_tile(const struct archive_unit *unit,
                             const struct tile *tile)
{
    const unsigned level = tile->level;

    if (level != TILE_ENTRIES && level >= TILE_LEVELS)
        return false;
    if (tile->width == 0 ||
        tile->width != tiles_width(unit->size, level, tile->index))
        return false;
    if (tile->index >= archive_above(unit->first, level) &&
        tile->index <= archive_above(unit->last, level))
        return true;
    return level != TILE_ENTRIES &&
           tile->index == archive_above(unit->size, level);
}

struct tile archive_bundle(const struct archive_unit *unit, uint64_t index)
{
    struct tile tile = archive_tile(unit, TILE_ENTRIES, index >> TILE_HEIGHT);

    REQUIRE(archive_has_tile(unit, &tile));
    return tile;
}

/* The next tile of the level that the unit has, from ${tile->index} on. */
static bool archive_seek(const struct archive_unit *unit, struct tile *tile)
{
    struct tile at = archive_tile(unit, tile->level, tile->index);

    if (!archive_has_tile(unit, &at) && tile->level != TILE_ENTRIES)
        at = archive_tile(unit, tile->level,
                          archive_above(unit->size, tile->level));
    if (at.index < tile->index || !archive_has_tile(unit, &at))
        return false;
    *tile = at;
    return true;
}

/* From ${walk->next.tile} on, which may be no tile of the unit. */
static void archive_walk_tiles(struct archive_walk *walk)
{
    struct tile *tile = &walk->next.tile;

    while (!archive_seek(walk->unit, tile)) {
        tile->level = tile->level == TILE_ENTRIES ? 0 : tile->level + 1;
        if (tile->level == TILE_LEVELS) {
            walk->is_done = true;
            return;
        }
        tile->index = archive_above(walk->unit->first, tile->level);
    }
    walk->next.kind =
        tile->level == TILE_ENTRIES ? ARCHIVE_BUNDLE : ARCHIVE_TILE;
}

/* ---- The walk ----------------------------------------------------------- */

void archive_walk_init(struct archive_walk *walk,
                       const struct archive_unit *unit)
{
    *walk =
        (struct archive_walk){.unit = unit, .next = {.kind = ARCHIVE_FORMAT}};
}

bool archive_walk_next(struct archive_walk *walk, struct archive_file *file_out)
{
    struct archive_file *next = &walk->next;

    if (walk->is_done)
        return false;
    *file_out = *next;
    if (next->kind >= ARCHIVE_BUNDLE) {
        next->tile.index++;
        archive_walk_tiles(walk);
        return true;
    }
    next->kind++;
    if (next->kind == ARCHIVE_POLICY && !walk->unit->has_policy)
        next->kind++;
    if (next->kind == ARCHIVE_BUNDLE) {
        next->tile.level = TILE_ENTRIES;
        next->tile.index = walk->unit->first >> TILE_HEIGHT;
        archive_walk_tiles(walk);
    }
    return true;
}

/* ---- Paths -------------------------------------------------------------- */

void archive_path_write(struct writer *writer, const struct archive_file *file)
{
    uint8_t bytes[TILE_PATH_SIZE_MAX];
    struct slice path;
    struct writer whole;

    if (file->kind < ARCHIVE_BUNDLE) {
        lines_write(writer, archive_name(file->kind));
        return;
    }
    writer_init(&whole, bytes, sizeof bytes);
    tiles_path_write(&whole, &file->tile);
    path = writer_slice(&whole);
    if (file->kind == ARCHIVE_BUNDLE)
        INVARIANT(lines_take(&path, ARCHIVE_TILE_PATH));
    writer_bytes(writer, path.data, path.size);
    if (file->kind == ARCHIVE_BUNDLE)
        lines_write(writer, ARCHIVE_PACKED);
}

static bool archive_path_read(struct archive_file *file_out, struct slice path)
{
    const size_t packed = strlen(ARCHIVE_PACKED);
    uint8_t bytes[ARCHIVE_PATH_SIZE_MAX];
    struct writer writer;

    for (int kind = ARCHIVE_FORMAT; kind < ARCHIVE_BUNDLE; kind++) {
        file_out->kind = (enum archive_kind)kind;
        if (lines_equal(path, archive_name(file_out->kind)))
            return true;
    }
    file_out->kind = ARCHIVE_TILE;
    if (tiles_path_read(&file_out->tile, path) == ST_OK)
        return file_out->tile.level != TILE_ENTRIES;
    file_out->kind = ARCHIVE_BUNDLE;
    if (path.size <= packed ||
        memcmp(path.data + path.size - packed, ARCHIVE_PACKED, packed) != 0)
        return false;
    writer_init(&writer, bytes, sizeof bytes);
    lines_write(&writer, ARCHIVE_TILE_PATH);
    writer_bytes(&writer, path.data, path.size - packed);
    return writer.status == ST_OK &&
           tiles_path_read(&file_out->tile, writer_slice(&writer)) == ST_OK &&
           file_out->tile.level == TILE_ENTRIES;
}

bool archive_has(const struct archive_unit *unit, struct slice path)
{
    struct archive_file file;

    if (lines_equal(path, ARCHIVE_MANIFEST))
        return true;
    if (!archive_path_read(&file, path))
        return false;
    if (file.kind == ARCHIVE_POLICY)
        return unit->has_policy;
    return file.kind < ARCHIVE_BUNDLE || archive_has_tile(unit, &file.tile);
}
