#include "client/audit/bundles.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BUNDLES_LENGTH_SIZE = 2,
    BUNDLES_FRAME_SIZE_MAX = BUNDLES_LENGTH_SIZE + BUNDLE_ENTRY_SIZE_MAX
};

/* Invariant: offset and taken are of bundle ${at}; file is -1 if it is not
 * open. */
struct bundles {
    int directory;
    int file;
    struct tile tile; /* Whose file is open; maybe a wider one. */
    uint64_t size;
    uint32_t at;
    uint32_t count;
    uint64_t offset;
    unsigned taken; /* Entries of this bundle. */
};

enum status bundles_open(struct bundles **bundles_out, int directory,
                         uint64_t size)
{
    struct bundles *bundles;

    if (size > BUNDLES_SIZE_MAX)
        return ST_TOO_LARGE;
    bundles = calloc(1, sizeof *bundles);
    if (bundles == NULL)
        return ST_EXHAUSTED;
    bundles->directory = directory;
    bundles->file = -1;
    bundles->size = size;
    bundles->count = (uint32_t)((size + TILE_WIDTH_MAX - 1) / TILE_WIDTH_MAX);
    *bundles_out = bundles;
    return ST_OK;
}

void bundles_close(struct bundles *bundles)
{
    if (bundles == NULL)
        return;
    if (bundles->file >= 0)
        close(bundles->file);
    free(bundles);
}

uint64_t bundles_size(const struct bundles *bundles)
{
    return bundles->count;
}

uint64_t bundles_passed(const struct bundles *bundles)
{
    return bundles->at;
}

static struct tile bundles_tile(const struct bundles *bundles, uint32_t bundle)
{
    return (struct tile){.level = TILE_ENTRIES,
                         .index = bundle,
                         .width =
                             tiles_width(bundles->size, TILE_ENTRIES, bundle)};
}

void bundles_name(const struct bundles *bundles, char out[BUNDLES_NAME_SIZE],
                  uint32_t bundle)
{
    struct tile tile = bundles_tile(bundles, bundle);

    /* Of what was opened last it is known whether a wider one took its place.
     */
    if (bundles->tile.width != 0 && bundle == bundles->tile.index)
        tile = bundles->tile;
    tile_files_name(out, &tile);
}

uint64_t bundles_place(const struct bundles *bundles,
                       char name_out[BUNDLES_NAME_SIZE], uint64_t index)
{
    const struct tile tile =
        bundles_tile(bundles, (uint32_t)(index / TILE_WIDTH_MAX));
    uint8_t length[BUNDLES_LENGTH_SIZE];
    struct tile found;
    uint64_t offset = 0;
    size_t got;
    int file;

    tile_files_name(name_out, &tile);
    if (tile_files_open(&file, &found, bundles->directory, &tile) !=
        TILE_FILES_OPEN)
        return 0;
    tile_files_name(name_out, &found);
    for (uint64_t i = 0; i < index % TILE_WIDTH_MAX; i++) {
        if (!tile_files_read(file, length, &got, sizeof length, offset) ||
            got < sizeof length)
            break;
        offset += (uint64_t)(length[0] << 8 | length[1]) + sizeof length;
    }
    close(file);
    return offset;
}

enum status bundles_batch_open(struct walk_batch *batch,
                               const struct bundles *bundles)
{
    memset(batch, 0, sizeof *batch);
    batch->is_bare = true;
    batch->size = WALK_BATCH_SIZE;
    batch->frames_max = batch->size / ENTRY_FIXED_SIZE;
    if (bundles->size < batch->frames_max)
        batch->frames_max = (size_t)bundles->size + 1;
    if (bundles->size < WALK_BATCH_SIZE / BUNDLES_FRAME_SIZE_MAX)
        batch->size = (size_t)(bundles->size + 1) * BUNDLES_FRAME_SIZE_MAX;
    return walk_batch_room(batch);
}

static void bundles_end(const struct bundles *bundles, struct walk_batch *batch,
                        enum walk_stop stop)
{
    batch->stop = stop;
    batch->stop_place = (struct walk_place){bundles->at, bundles->offset};
}

static bool bundles_begin(struct bundles *bundles, struct walk_batch *batch)
{
    struct tile tile = bundles_tile(bundles, bundles->at);

    bundles->offset = 0;
    bundles->taken = 0;
    switch (tile_files_open(&bundles->file, &bundles->tile, bundles->directory,
                            &tile)) {
    case TILE_FILES_OPEN:
        return true;
    case TILE_FILES_MISSING:
        bundles_end(bundles, batch, WALK_MISSING);
        return false;
    case TILE_FILES_UNREADABLE:
        bundles_end(bundles, batch, WALK_UNREADABLE);
        return false;
    }
    return false;
}

/* All entries of the tree that the bundle holds were taken; behind those of
 * its own width nothing may be. */
static bool bundles_leave(struct bundles *bundles, struct walk_batch *batch)
{
    const struct tile tile = bundles_tile(bundles, bundles->at);
    uint8_t byte;
    size_t got = 0;

    if (bundles->tile.width == tile.width) {
        if (!tile_files_read(bundles->file, &byte, &got, 1, bundles->offset)) {
            bundles_end(bundles, batch, WALK_UNREADABLE);
            return false;
        }
        if (got > 0) {
            bundles_end(bundles, batch, WALK_TOO_LONG);
            return false;
        }
    }
    close(bundles->file);
    bundles->file = -1;
    bundles->at++;
    return true;
}

/* The entries in the ${got} bytes behind batch->bytes + used; false if the
 * batch has a reason to stop. */
static bool bundles_take(struct bundles *bundles, struct walk_batch *batch,
                         size_t *used, size_t got, bool is_end)
{
    const unsigned width =
        tiles_width(bundles->size, TILE_ENTRIES, bundles->at);
    size_t left = got;

    while (bundles->taken < width && batch->frames_count < batch->frames_max) {
        const uint8_t *at = batch->bytes + *used;
        size_t size = left < BUNDLES_LENGTH_SIZE
                          ? 0
                          : (size_t)(at[0] << 8 | at[1]) + BUNDLES_LENGTH_SIZE;

        if (size == 0 || size > left) {
            if (is_end)
                bundles_end(bundles, batch, WALK_TRUNCATED);
            return !is_end;
        }
        batch->frames[batch->frames_count++] =
            (struct walk_frame){.bytes = slice_of(at + BUNDLES_LENGTH_SIZE,
                                                  size - BUNDLES_LENGTH_SIZE),
                                .place = {bundles->at, bundles->offset}};
        *used += size;
        left -= size;
        bundles->offset += size;
        bundles->taken++;
    }
    return true;
}

void bundles_next(struct bundles *bundles, struct walk_batch *batch)
{
    size_t used = 0;

    batch->frames_count = 0;
    batch->begins = false;
    bundles_end(bundles, batch, WALK_MORE);
    while (bundles->at < bundles->count) {
        size_t got = 0, want = batch->size - used;

        if (want < BUNDLES_FRAME_SIZE_MAX ||
            batch->frames_count == batch->frames_max)
            return;
        if (bundles->file < 0 && !bundles_begin(bundles, batch))
            return;
        if (!tile_files_read(bundles->file, batch->bytes + used, &got, want,
                             bundles->offset)) {
            bundles_end(bundles, batch, WALK_UNREADABLE);
            return;
        }
        if (!bundles_take(bundles, batch, &used, got, got < want))
            return;
        if (bundles->taken ==
                tiles_width(bundles->size, TILE_ENTRIES, bundles->at) &&
            !bundles_leave(bundles, batch))
            return;
    }
    bundles_end(bundles, batch, WALK_DONE);
}
