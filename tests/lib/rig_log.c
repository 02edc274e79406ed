#include "tests/lib/rig_log.h"

#include <string.h>

#include "tests/lib/log_maker.h"

void rig_log_add(struct rig_log *log, size_t count, uint32_t epoch,
                 uint8_t variant)
{
    for (size_t i = 0; i < count; i++) {
        struct journal_end end = log->ends[log->size];

        REQUIRE(log->size < RIG_LOG_MAX);
        log->entries[log->size] = log_maker_entry(log->bytes[log->size], &end,
                                                  RIG_ENTRY, epoch, variant);
        log->size++;
        log->ends[log->size] = end;
    }
}

void rig_log_copy(struct rig_log *log, const struct rig_log *from, size_t size)
{
    REQUIRE(size <= from->size);
    memset(log, 0, sizeof *log);
    for (size_t i = 0; i < size; i++) {
        memcpy(log->bytes[i], from->bytes[i], RIG_ENTRY);
        log->entries[i] = from->entries[i];
        log->entries[i].bytes.data = log->bytes[i];
        log->ends[i + 1] = from->ends[i + 1];
    }
    log->size = size;
}

void rig_log_entries(const struct rig_log *log, struct writer *out,
                     uint64_t first, uint64_t end)
{
    REQUIRE(first <= end && end <= log->size);
    for (uint64_t i = first; i < end; i++)
        peer_add_entry(out, log->entries[i].bytes);
}

struct list rig_log_epochs(const struct rig_log *log, struct writer *space,
                           uint64_t size)
{
    struct list list = list_begin(space);

    for (uint64_t i = 0; log != NULL && i < size; i++) {
        struct peer_epoch row = {.epoch = log->ends[i + 1].epoch, .first = i};

        if (i > 0 && log->ends[i].epoch == row.epoch)
            continue;
        memcpy(row.leaf.b, log->entries[i].leaf, HASH_SIZE);
        list_add(&list, space, &schema_peer_epoch, &row);
    }
    return list;
}

bool rig_log_equals(const struct rig_log *log, struct journal *journal,
                    uint64_t size)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct slice entry;

    if (journal_size(journal) != size || size > log->size)
        return false;
    for (uint64_t i = 0; i < size; i++) {
        if (journal_read_entry(journal, &entry, buffer, i) != ST_OK ||
            !slice_equal(entry, log->entries[i].bytes))
            return false;
    }
    return true;
}
