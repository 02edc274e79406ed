#include "client/audit/batch.h"

#include <stdlib.h>
#include <string.h>

enum status batch_open(struct batch *batch, const struct source *source)
{
    enum status status;

    memset(batch, 0, sizeof *batch);
    status = source_batch_open(&batch->walk, source);
    if (status != ST_OK)
        return status;
    batch->entries =
        reallocarray(NULL, batch->walk.frames_max, sizeof *batch->entries);
    return batch->entries != NULL ? ST_OK : ST_EXHAUSTED;
}

void batch_close(struct batch *batch)
{
    walk_batch_close(&batch->walk);
    free(batch->entries);
    memset(batch, 0, sizeof *batch);
}

static void batch_digest(void *context, size_t from, size_t to)
{
    struct batch *batch = context;

    for (size_t i = from; i < to; i++) {
        struct batch_entry *at = &batch->entries[i];
        struct slice bytes;

        bytes = batch->walk.frames[i].bytes;
        at->status =
            batch->walk.is_bare ? ST_OK : segment_frame_decode(&bytes, bytes);
        if (at->status != ST_OK) {
            at->status = ST_CHECKSUM;
            continue;
        }
        at->status = entry_decode(&at->entry, bytes);
        entry_leaf_hash(at->leaf, bytes);
    }
}

void batch_digest_start(struct batch *batch, struct workers *workers)
{
    workers_start(workers, batch->walk.frames_count, batch, batch_digest);
}

static void batch_verify_run(void *context, size_t from, size_t to)
{
    struct batch *batch = context;

    for (size_t i = from; i < to; i++) {
        struct batch_entry *at = &batch->entries[batch->verify_from + i];
        uint8_t hash[HASH_SIZE];

        at->signature =
            entry_verify(&at->entry, hash, batch->cluster_id, at->public_key);
    }
}

size_t batch_verify(struct batch *batch, struct workers *workers, size_t from,
                    size_t count)
{
    REQUIRE(from <= count && count <= batch->walk.frames_count);
    batch->verify_from = from;
    workers_start(workers, count - from, batch, batch_verify_run);
    workers_wait(workers);
    for (size_t i = from; i < count; i++) {
        if (batch->entries[i].signature != ST_OK)
            return i;
    }
    return count;
}
