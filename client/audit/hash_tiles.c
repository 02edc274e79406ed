#include "client/audit/hash_tiles.h"

#include <string.h>
#include <unistd.h>

enum { HASH_TILES_FILE_SIZE_MAX = TILE_WIDTH_MAX * HASH_SIZE };

void hash_tiles_init(struct hash_tiles *tiles, int directory, uint64_t size)
{
    memset(tiles, 0, sizeof *tiles);
    tiles->directory = directory;
    tiles->size = size;
}

static void hash_tiles_note(struct hash_tiles *tiles, enum hash_tiles_odd odd,
                            const struct tile *tile, unsigned hash)
{
    const unsigned bits = TILE_HEIGHT * tile->level;

    REQUIRE(tiles->odd == HASH_TILES_NONE);
    tiles->odd = odd;
    tiles->tile = *tile;
    tiles->hash = hash;
    tiles->leaf = (tile->index * TILE_WIDTH_MAX + hash) << bits;
}

static void hash_tiles_bytes(struct hash_tiles *tiles, const struct tile *tile,
                             const uint8_t *bytes, size_t size)
{
    const struct hash_tiles_level *level = &tiles->levels[tile->level];
    const uint8_t *expected = level->hashes[0];

    for (unsigned i = 0; i < level->count; i++) {
        const size_t at = (size_t)i * HASH_SIZE;

        if (size - at < HASH_SIZE) {
            hash_tiles_note(tiles, HASH_TILES_SHORT, tile, i);
            return;
        }
        if (memcmp(bytes + at, expected + at, HASH_SIZE) == 0)
            continue;
        hash_tiles_note(tiles, HASH_TILES_HASH, tile, i);
        memcpy(tiles->expected, expected + at, HASH_SIZE);
        memcpy(tiles->actual, bytes + at, HASH_SIZE);
        return;
    }
    if (size != (size_t)tile->width * HASH_SIZE)
        hash_tiles_note(tiles,
                        size < (size_t)tile->width * HASH_SIZE
                            ? HASH_TILES_SHORT
                            : HASH_TILES_LONG,
                        tile, (unsigned)(size / HASH_SIZE) % TILE_WIDTH_MAX);
}

/* The tile in the making against its file. */
static void hash_tiles_compare(struct hash_tiles *tiles, unsigned level)
{
    struct tile tile = {
        .level = level,
        .index = tiles->levels[level].index,
        .width = tiles_width(tiles->size, level, tiles->levels[level].index)};
    uint8_t bytes[HASH_TILES_FILE_SIZE_MAX + 1];
    struct tile found;
    size_t size = 0;
    int file = -1;

    switch (tile_files_open(&file, &found, tiles->directory, &tile)) {
    case TILE_FILES_OPEN:
        break;
    case TILE_FILES_MISSING:
        hash_tiles_note(tiles, HASH_TILES_MISSING, &tile, 0);
        return;
    case TILE_FILES_UNREADABLE:
        hash_tiles_note(tiles, HASH_TILES_UNREADABLE, &found, 0);
        return;
    }
    if (tile_files_read(file, bytes, &size, sizeof bytes, 0))
        hash_tiles_bytes(tiles, &found, bytes, size);
    else
        hash_tiles_note(tiles, HASH_TILES_UNREADABLE, &found, 0);
    close(file);
}

void hash_tiles_append(struct hash_tiles *tiles, const uint8_t leaf[HASH_SIZE])
{
    uint8_t hash[HASH_SIZE];

    memcpy(hash, leaf, HASH_SIZE);
    for (unsigned i = 0; i < TILE_LEVELS; i++) {
        struct hash_tiles_level *level = &tiles->levels[i];

        memcpy(level->hashes[level->count++], hash, HASH_SIZE);
        if (level->count < TILE_WIDTH_MAX)
            return;
        if (tiles->odd == HASH_TILES_NONE)
            hash_tiles_compare(tiles, i);
        tree_root_of(hash, (const uint8_t(*)[HASH_SIZE])level->hashes,
                     level->count);
        level->count = 0;
        level->index++;
    }
}

void hash_tiles_end(struct hash_tiles *tiles)
{
    for (unsigned i = 0; i < TILE_LEVELS; i++) {
        if (tiles->levels[i].count > 0 && tiles->odd == HASH_TILES_NONE)
            hash_tiles_compare(tiles, i);
    }
}
