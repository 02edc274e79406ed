#include "client/audit/completeness.h"

#include <string.h>

#include "client/audit/walk.h"
#include "protocol/catalogue.h"

/* The asking entry ends the walk; true then. */
static bool walk_entry(struct completeness_walked *out,
                       const struct entry *entry, uint64_t subject,
                       uint64_t size)
{
    uint8_t leaf[HASH_SIZE];
    struct item item;

    entry_leaf_hash(leaf, entry->bytes);
    if (entry->place.index < size) {
        completeness_entry(&out->sum, subject, entry, leaf);
        out->size++;
        return false;
    }
    entry_item(&item, entry, 0);
    out->has_next = true;
    memcpy(out->next_leaf, leaf, HASH_SIZE);
    out->next_states = entry->header.items_count == 1 &&
                       item.clear_part.opcode == OPCODE_SUBJECT_COMPLETENESS &&
                       item.clear_part.subject == subject;
    return true;
}

/* ST_END: no more entries are wanted. */
static enum status walk_batch(struct completeness_walked *out,
                              const struct walk_batch *batch, uint64_t subject,
                              uint64_t size)
{
    for (size_t i = 0; i < batch->frames_count; i++) {
        struct slice bytes;
        struct entry entry;
        enum status status =
            segment_frame_decode(&bytes, batch->frames[i].bytes);

        if (status == ST_OK)
            status = entry_view(&entry, bytes);
        if (status != ST_OK)
            return status;
        if (entry.place.index != out->size)
            return ST_LOST;
        if (walk_entry(out, &entry, subject, size))
            return ST_END;
    }
    return ST_OK;
}

enum status completeness_walk(struct completeness_walked *out,
                              const char *directory, uint64_t subject,
                              uint64_t size)
{
    struct walk_batch batch;
    struct walk *walk;
    enum status status;

    memset(out, 0, sizeof *out);
    status = walk_open(&walk, directory);
    if (status != ST_OK)
        return status;
    status = walk_batch_open(&batch, walk);
    while (status == ST_OK) {
        walk_next(walk, &batch);
        status = walk_batch(out, &batch, subject, size);
        if (batch.stop != WALK_MORE)
            break;
    }
    walk_batch_close(&batch);
    walk_close(walk);
    return status == ST_END ? ST_OK : status;
}

enum completeness_verdict completeness_compare(
    const struct completeness_walked *walked,
    const struct completeness_file *file, const struct receipt *receipt)
{
    if (walked->size < file->size || !walked->has_next)
        return COMPLETENESS_SHORT;
    if (walked->sum.count != file->sum.count ||
        memcmp(walked->sum.rolling, file->sum.rolling, HASH_SIZE) != 0 ||
        memcmp(walked->next_leaf, receipt->entry_hash, HASH_SIZE) != 0 ||
        !walked->next_states)
        return COMPLETENESS_FALSE;
    return COMPLETENESS_TRUE;
}
