/*
 * fz_log.c: bytes as they lie in the log.  As a segment's beginning: the header
 * and every frame that decodes encode to the same bytes.  As one entry: what is
 * well formed is walked item by item, and rebuilds what its signer signed.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/entry.h"
#include "protocol/limits.h"
#include "protocol/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void log_try_entry(struct slice bytes)
{
    static const uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t composed[COMMAND_SIGNED_SIZE];
    uint8_t leaf[HASH_SIZE];
    struct entry entry;
    struct item item, alone;
    struct slice rest;
    size_t count = 0;

    if (entry_decode(&entry, bytes) != ST_OK)
        return;
    INVARIANT(entry.place.category >= CATEGORY_MIN);
    INVARIANT(entry.place.category <= CATEGORY_MAX);
    rest = entry.items;
    while (entry_next_item(&item, &rest)) {
        INVARIANT(item_check_open(&item) == ST_OK);
        INVARIANT(item_decode(&alone, item.bytes) == ST_OK);
        INVARIANT(slice_equal(alone.data, item.data));
        INVARIANT(item_decode(&alone, slice_of(item.bytes.data,
                                               item.bytes.size - 1)) != ST_OK);
        count++;
    }
    INVARIANT(count == entry.header.items_count);
    entry_compose(&entry, composed, cluster_id);
    entry_leaf_hash(leaf, bytes);
}

static void log_try_header(struct slice bytes)
{
    uint8_t again[SEGMENT_HEADER_SIZE];
    struct segment_header header;

    if (segment_header_decode(&header, bytes) != ST_OK)
        return;
    segment_header_encode(again, &header);
    INVARIANT(memcmp(again, bytes.data, sizeof again) == 0);
}

static void log_try_frames(struct slice bytes)
{
    static uint8_t again[ENTRY_SIZE_MAX + 64];
    struct slice entry;

    while (segment_frame_decode(&entry, bytes) == ST_OK) {
        size_t frame_size = segment_frame_size(entry.size);

        INVARIANT(frame_size <= bytes.size && frame_size <= sizeof again);
        segment_frame_encode(again, entry);
        INVARIANT(memcmp(again, bytes.data, frame_size) == 0);
        log_try_entry(entry);
        bytes = slice_of(bytes.data + frame_size, bytes.size - frame_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of(data, size);

    log_try_entry(bytes);
    log_try_header(bytes);
    log_try_frames(bytes);
    return 0;
}
