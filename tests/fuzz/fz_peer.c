/*
 * fz_peer.c: the first byte is a type, the rest is the body of a frame between
 * nodes.  What decodes is within its bounds, its entries are whole, and it
 * encodes to the same bytes, unless something unknown was skipped.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_entries(struct slice rest)
{
    struct slice entry;
    size_t total = 0, all = rest.size;

    while (peer_next_entry(&entry, &rest)) {
        INVARIANT(entry.size > 0 && entry.size <= ENTRY_SIZE_MAX);
        total += 4 + entry.size;
    }
    INVARIANT(total == all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[FRAME_BODY_SIZE_MAX];
    struct field_error error;
    struct peer_frame frame;
    struct writer writer;
    struct slice body;

    if (size == 0 || size > FRAME_BODY_SIZE_MAX)
        return 0;
    body = slice_of(data + 1, size - 1);
    if (peer_decode(&frame, data[0], body) != ST_OK)
        return 0;
    INVARIANT(schema_check(peer_info(data[0])->schema, &error, &frame.hello) ==
              ST_OK);
    walk_entries(frame.entries);
    writer_init(&writer, again, sizeof again);
    peer_encode(&writer, &frame);
    INVARIANT(writer.status == ST_OK);
    INVARIANT(writer.used <= body.size);
    /* What was skipped stood behind all that is known. */
    INVARIANT(memcmp(again, body.data, writer.used) == 0);
    return 0;
}
