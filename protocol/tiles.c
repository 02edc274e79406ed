#include "protocol/tiles.h"

#include <string.h>

#include "protocol/assumptions.h"
#include "protocol/lines.h"

enum {
    TILE_GROUP = 1000, /* What three digits count to. */
    TILE_GROUPS_MAX = 6,
    BUNDLE_LENGTH_SIZE = 2
};
static_assert((int)TILE_ENTRIES > (int)TILE_LEVELS, "a level of its own");
static_assert(TREE_SIZE_MAX >> TILE_HEIGHT * (TILE_LEVELS - 1) < TILE_WIDTH_MAX,
              "no tree has a further level");
/* 6 groups reach 10^18, and "entries" is longer than any level. */
static_assert(TILE_INDEX_MAX < (uint64_t)1000000000000000000, "6 groups");
static_assert(TILE_PATH_SIZE_MAX >= 13 + 5 * TILE_GROUPS_MAX + 6,
              "the longest path fits");

/* ---- Paths ------------------------------------------------------------ */

static void path_write_group(struct writer *writer, unsigned group)
{
    writer_u8(writer, (uint8_t)('0' + group / 100));
    writer_u8(writer, (uint8_t)('0' + group / 10 % 10));
    writer_u8(writer, (uint8_t)('0' + group % 10));
}

void tiles_path_write(struct writer *writer, const struct tile *tile)
{
    unsigned groups[TILE_GROUPS_MAX];
    size_t count = 0;

    REQUIRE(tile->level <= TILE_ENTRIES && tile->index <= TILE_INDEX_MAX);
    REQUIRE(tile->width >= 1 && tile->width <= TILE_WIDTH_MAX);
    lines_write(writer, "tile/");
    if (tile->level == TILE_ENTRIES)
        lines_write(writer, "entries");
    else
        lines_write_number(writer, tile->level);
    for (uint64_t left = tile->index; count == 0 || left != 0;
         left /= TILE_GROUP) {
        INVARIANT(count < TILE_GROUPS_MAX);
        groups[count++] = (unsigned)(left % TILE_GROUP);
    }
    while (count > 0) {
        lines_write(writer, count == 1 ? "/" : "/x");
        path_write_group(writer, groups[--count]);
    }
    if (tile->width < TILE_WIDTH_MAX) {
        lines_write(writer, ".p/");
        lines_write_number(writer, tile->width);
    }
}

/* Three digits, taken from the path. */
static bool path_take_group(uint64_t *index, struct slice *path)
{
    uint64_t group = 0;

    if (path->size < 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (path->data[i] < '0' || path->data[i] > '9')
            return false;
        group = group * 10 + (path->data[i] - '0');
    }
    *path = slice_of(path->data + 3, path->size - 3);
    *index = *index * TILE_GROUP + group;
    return true;
}

static bool path_take_level(unsigned *level_out, struct slice *path)
{
    struct slice digits;
    uint64_t level;

    if (lines_take(path, "entries/")) {
        *level_out = TILE_ENTRIES;
        return true;
    }
    if (!lines_split(&digits, path, '/') ||
        lines_read_number(&level, digits, TILE_ENTRIES - 1) != ST_OK)
        return false;
    *level_out = (unsigned)level;
    return true;
}

enum status tiles_path_read(struct tile *tile_out, struct slice path)
{
    uint8_t again[TILE_PATH_SIZE_MAX];
    struct slice left = path;
    uint64_t width = TILE_WIDTH_MAX;
    struct writer writer;

    if (path.size > TILE_PATH_SIZE_MAX || !lines_take(&left, "tile/") ||
        !path_take_level(&tile_out->level, &left))
        return ST_FILE_FORMAT;
    tile_out->index = 0;
    while (lines_take(&left, "x")) {
        if (tile_out->index > TILE_INDEX_MAX / TILE_GROUP ||
            !path_take_group(&tile_out->index, &left) ||
            !lines_take(&left, "/"))
            return ST_FILE_FORMAT;
    }
    if (tile_out->index > TILE_INDEX_MAX / TILE_GROUP ||
        !path_take_group(&tile_out->index, &left) ||
        tile_out->index > TILE_INDEX_MAX)
        return ST_FILE_FORMAT;
    if (lines_take(&left, ".p/") &&
        lines_read_number(&width, left, TILE_WIDTH_MAX - 1) != ST_OK)
        return ST_FILE_FORMAT;
    if (width == 0)
        return ST_FILE_FORMAT;
    tile_out->width = (unsigned)width;
    /* What is left, and groups of zeros in front, show as another path. */
    writer_init(&writer, again, sizeof again);
    tiles_path_write(&writer, tile_out);
    return slice_equal(writer_slice(&writer), path) ? ST_OK : ST_FILE_FORMAT;
}

/* ---- Which tiles there are -------------------------------------------- */

/* Hashes on ${level} of tiles in the tree of ${size} leaves. */
static uint64_t tiles_hashes(uint64_t size, unsigned level)
{
    if (level == TILE_ENTRIES)
        return size;
    return level < TILE_LEVELS ? size >> level * TILE_HEIGHT : 0;
}

unsigned tiles_width(uint64_t size, unsigned level, uint64_t index)
{
    uint64_t hashes = tiles_hashes(size, level);
    uint64_t full = hashes >> TILE_HEIGHT;

    if (index < full)
        return TILE_WIDTH_MAX;
    return index == full ? (unsigned)(hashes % TILE_WIDTH_MAX) : 0;
}

/* To the first tile of ${level} that the older tree lacked, or had in part. */
static void walk_enter(struct tiles_walk *walk, unsigned level)
{
    walk->level = level;
    walk->index = tiles_hashes(walk->older, level) >> TILE_HEIGHT;
}

void tiles_walk_init(struct tiles_walk *walk, uint64_t older, uint64_t newer)
{
    REQUIRE(older <= newer && newer <= TREE_SIZE_MAX);
    *walk = (struct tiles_walk){.older = older, .newer = newer};
    walk_enter(walk, TILE_ENTRIES);
}

bool tiles_walk_next(struct tiles_walk *walk, struct tile *tile_out)
{
    while (walk->level == TILE_ENTRIES || walk->level < TILE_LEVELS) {
        unsigned width = tiles_width(walk->newer, walk->level, walk->index);

        if (width != tiles_width(walk->older, walk->level, walk->index)) {
            *tile_out = (struct tile){walk->level, walk->index, width};
            walk->index++;
            return true;
        }
        walk_enter(walk, walk->level == TILE_ENTRIES ? 0 : walk->level + 1);
    }
    return false;
}

/* ---- What is in them -------------------------------------------------- */

enum status tiles_write(struct writer *writer, const struct tile *tile,
                        const struct tree_source *source)
{
    REQUIRE(tile->level < TILE_LEVELS && tile->width <= TILE_WIDTH_MAX);
    for (unsigned i = 0; i < tile->width; i++) {
        uint8_t hash[HASH_SIZE];
        enum status status =
            source->read(source->context, hash, tile->level * TILE_HEIGHT,
                         (tile->index << TILE_HEIGHT) + i);

        if (status != ST_OK)
            return status;
        writer_bytes(writer, hash, HASH_SIZE);
    }
    return writer->status;
}

void tiles_bundle_append(struct writer *writer, struct slice entry)
{
    if (entry.size > BUNDLE_ENTRY_SIZE_MAX) {
        if (writer->status == ST_OK)
            writer->status = ST_TOO_LARGE;
        return;
    }
    writer_u8(writer, (uint8_t)(entry.size >> 8));
    writer_u8(writer, (uint8_t)(entry.size & 0xff));
    writer_bytes(writer, entry.data, entry.size);
}

enum status tiles_bundle_next(struct slice *entry_out, struct slice *bundle)
{
    size_t size;

    if (bundle->size == 0)
        return ST_END;
    if (bundle->size < BUNDLE_LENGTH_SIZE)
        return ST_FILE_FORMAT;
    size = (size_t)bundle->data[0] << 8 | bundle->data[1];
    if (size > bundle->size - BUNDLE_LENGTH_SIZE)
        return ST_FILE_FORMAT;
    *entry_out = slice_of(bundle->data + BUNDLE_LENGTH_SIZE, size);
    *bundle = slice_of(entry_out->data + size,
                       bundle->size - BUNDLE_LENGTH_SIZE - size);
    return ST_OK;
}
