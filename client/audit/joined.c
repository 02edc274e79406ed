#include "client/audit/joined.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Invariant: ${left} is what is left of the bundle of entry ${index}; empty
 * before it is read. */
struct joined {
    struct unit *units; /* Borrowed. */
    size_t count;
    size_t at;       /* The unit that is read. */
    uint64_t index;  /* Of the next entry. */
    uint32_t bundle; /* Bundles before the one that is read. */
    bool is_read;
    uint8_t *bytes;
    size_t size;
    struct slice left;
};

enum status joined_open(struct joined **joined_out, struct unit *units,
                        size_t count)
{
    struct joined *joined = calloc(1, sizeof *joined);

    REQUIRE(count > 0 && units[0].told.first == 0);
    *joined_out = NULL;
    if (joined == NULL)
        return ST_EXHAUSTED;
    joined->bytes = malloc(ARCHIVE_BUNDLE_SIZE_MAX);
    if (joined->bytes == NULL) {
        joined_close(joined);
        return ST_EXHAUSTED;
    }
    joined->units = units;
    joined->count = count;
    *joined_out = joined;
    return ST_OK;
}

void joined_close(struct joined *joined)
{
    if (joined == NULL)
        return;
    free(joined->bytes);
    free(joined);
}

uint64_t joined_size(const struct joined *joined)
{
    return joined->units[joined->count - 1].told.last + 1;
}

uint64_t joined_passed(const struct joined *joined)
{
    return joined->index;
}

static uint64_t joined_bundles(const struct archive_unit *told)
{
    return (told->last >> TILE_HEIGHT) - (told->first >> TILE_HEIGHT) + 1;
}

void joined_name(const struct joined *joined, char *out, size_t size,
                 uint32_t bundle)
{
    struct archive_file file = {.kind = ARCHIVE_BUNDLE};
    const struct unit *unit = joined->units;
    uint64_t left = bundle;
    char name[UNIT_PATH_SIZE];

    while (unit + 1 < joined->units + joined->count &&
           left >= joined_bundles(&unit->told)) {
        left -= joined_bundles(&unit->told);
        unit++;
    }
    if (left >= joined_bundles(&unit->told))
        left = joined_bundles(&unit->told) - 1;
    file.tile = archive_bundle(
        &unit->told, left == 0 ? unit->told.first
                               : ((unit->told.first >> TILE_HEIGHT) + left)
                                     << TILE_HEIGHT);
    unit_file_name(name, &file);
    (void)snprintf(out, size, "%s%s", unit->prefix, name);
}

enum status joined_batch_open(struct walk_batch *batch,
                              const struct joined *joined)
{
    const uint64_t size = joined_size(joined);

    memset(batch, 0, sizeof *batch);
    batch->is_bare = true;
    batch->size = WALK_BATCH_SIZE;
    batch->frames_max = batch->size / ENTRY_FIXED_SIZE;
    if (size < batch->frames_max)
        batch->frames_max = (size_t)size + 1;
    if (size < WALK_BATCH_SIZE / BUNDLE_ENTRY_SIZE_MAX)
        batch->size = (size_t)(size + 1) * BUNDLE_ENTRY_SIZE_MAX;
    return walk_batch_room(batch);
}

/* The bundle of the next entry, up to that entry. */
static bool joined_load(struct joined *joined, struct walk_batch *batch)
{
    static struct report ignored; /* The place is the caller's to tell. */
    struct unit *unit = &joined->units[joined->at];
    const struct tile tile = archive_bundle(&unit->told, joined->index);
    struct slice entry;
    bool good;

    memset(&ignored, 0, sizeof ignored);
    good = unit_reopen(unit) &&
           unit_unpack(unit, &ignored, joined->bytes, &joined->size, &tile);
    batch->stop = ignored.lacks_memory ? WALK_EXHAUSTED : WALK_UNREADABLE;
    if (!good)
        return false;
    joined->left = slice_of(joined->bytes, joined->size);
    for (uint64_t i = tile.index << TILE_HEIGHT; i < joined->index; i++) {
        if (tiles_bundle_next(&entry, &joined->left) != ST_OK)
            return false;
    }
    batch->stop = WALK_MORE;
    joined->is_read = true;
    return true;
}

/* Past entry ${joined->index}: perhaps out of its bundle, or its unit. */
static void joined_step(struct joined *joined)
{
    const struct unit *unit = &joined->units[joined->at];
    const bool is_last = joined->index == unit->told.last;

    joined->index++;
    if (!is_last && joined->index % TILE_WIDTH_MAX != 0)
        return;
    joined->is_read = false;
    joined->bundle++;
    if (is_last) {
        unit_shut(&joined->units[joined->at]);
        joined->at++;
    }
}

static bool joined_take(struct joined *joined, struct walk_batch *batch,
                        size_t *used)
{
    struct slice entry, left = joined->left;
    struct walk_frame *frame = &batch->frames[batch->frames_count];
    const uint64_t offset = (uint64_t)(left.data - joined->bytes);

    if (tiles_bundle_next(&entry, &left) != ST_OK) {
        batch->stop = WALK_UNREADABLE;
        return false;
    }
    if (batch->size - *used < entry.size)
        return false;
    memcpy(batch->bytes + *used, entry.data, entry.size);
    frame->bytes = slice_of(batch->bytes + *used, entry.size);
    frame->place = (struct walk_place){joined->bundle, offset};
    batch->frames_count++;
    *used += entry.size;
    joined->left = left;
    joined_step(joined);
    return true;
}

void joined_next(struct joined *joined, struct walk_batch *batch)
{
    size_t used = 0;

    batch->frames_count = 0;
    batch->begins = false;
    batch->stop = WALK_MORE;
    while (joined->at < joined->count) {
        batch->stop_place = (struct walk_place){joined->bundle, 0};
        if (batch->frames_count == batch->frames_max)
            return;
        if (!joined->is_read && !joined_load(joined, batch))
            return;
        if (!joined_take(joined, batch, &used))
            return;
    }
    batch->stop = WALK_DONE;
}
