#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/need.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

void replica_log_open(struct replica_log *log, struct journal *journal)
{
    memset(log, 0, sizeof *log);
    log->journal = journal;
    log->end = journal_end(journal);
    log->durable = log->end;
    log->recent_first = log->end.size;
    log->committed = journal_committed(journal);
    log->marked = log->committed;
    log->buffer = malloc(JOURNAL_READ_SIZE);
    NEED(log->buffer != NULL);
    INVARIANT(log->committed <= log->end.size);
    replica_log_read_epochs(log);
}

void replica_log_close(struct replica_log *log)
{
    replica_recent_wipe(&log->recent);
    free(log->epochs);
    free(log->buffer);
    memset(log, 0, sizeof *log);
}

/* ---- Epochs ------------------------------------------------------------- */

void replica_log_note_epoch(struct replica_log *log, uint32_t epoch,
                            uint64_t first, const uint8_t leaf[HASH_SIZE])
{
    struct journal_epoch *row;

    if (log->epochs_count > 0 &&
        log->epochs[log->epochs_count - 1].epoch == epoch)
        return;
    if (log->epochs_count == log->epochs_capacity) {
        log->epochs_capacity = log->epochs_capacity * 2 + 16;
        log->epochs =
            realloc(log->epochs, log->epochs_capacity * sizeof *log->epochs);
        NEED(log->epochs != NULL);
    }
    row = &log->epochs[log->epochs_count++];
    row->epoch = epoch;
    row->first = first;
    memcpy(row->leaf, leaf, HASH_SIZE);
}

void replica_log_read_epochs(struct replica_log *log)
{
    struct journal_epoch *newer = log->epochs;
    size_t newer_count = log->epochs_count;
    struct journal_epoch epoch;

    log->epochs = NULL;
    log->epochs_count = 0;
    log->epochs_capacity = 0;
    for (size_t i = 0; journal_epoch_at(log->journal, &epoch, i) == ST_OK &&
                       epoch.first < log->durable.size;
         i++)
        replica_log_note_epoch(log, epoch.epoch, epoch.first, epoch.leaf);
    for (size_t i = 0; i < newer_count; i++) {
        if (newer[i].first >= log->durable.size)
            replica_log_note_epoch(log, newer[i].epoch, newer[i].first,
                                   newer[i].leaf);
    }
    free(newer);
}

uint32_t replica_log_epoch(const struct replica_log *log, uint64_t index)
{
    REQUIRE(index < log->end.size);
    for (size_t i = log->epochs_count; i > 0; i--) {
        if (log->epochs[i - 1].first <= index)
            return log->epochs[i - 1].epoch;
    }
    return 0;
}

struct list replica_log_epochs(const struct replica_log *log,
                               struct writer *space)
{
    struct list list = list_begin(space);
    size_t from = log->epochs_count > PEER_EPOCHS_MAX
                      ? log->epochs_count - PEER_EPOCHS_MAX
                      : 0;

    for (size_t i = from; i < log->epochs_count; i++) {
        struct peer_epoch row = {.epoch = log->epochs[i].epoch,
                                 .first = log->epochs[i].first};

        memcpy(row.leaf.b, log->epochs[i].leaf, HASH_SIZE);
        list_add(&list, space, &schema_peer_epoch, &row);
    }
    return list;
}

static uint64_t log_epoch_end(const struct journal_epoch *epochs, size_t count,
                              size_t at, uint64_t size)
{
    uint64_t end = at + 1 < count ? epochs[at + 1].first : size;

    return end < size ? end : size;
}

uint64_t replica_log_common(const struct replica_log *log, uint64_t size,
                            const struct journal_epoch *epochs, size_t count,
                            uint64_t committed)
{
    size_t own = log->epochs_count;
    bool all = count == 0 || epochs[0].first == 0;

    /* Both rise: walk down together to the newest epoch that both began. */
    while (count > 0 && own > 0) {
        const struct journal_epoch *theirs = &epochs[count - 1];
        const struct journal_epoch *ours = &log->epochs[own - 1];

        if (theirs->first >= size || theirs->epoch > ours->epoch) {
            count--;
            if (theirs->first < size)
                size = theirs->first;
        } else if (theirs->epoch < ours->epoch) {
            own--;
        } else if (theirs->first == ours->first &&
                   memcmp(theirs->leaf, ours->leaf, HASH_SIZE) == 0) {
            uint64_t end = log_epoch_end(log->epochs, log->epochs_count,
                                         own - 1, log->end.size);

            return end < size ? end : size;
        } else {
            size = theirs->first;
            count--;
            own--;
        }
    }
    /* The table tells of the newest epochs only: what both know to be committed
     * is the same all the same. */
    if (all)
        return 0;
    return committed < log->committed ? committed : log->committed;
}

/* ---- Entries ------------------------------------------------------------ */

enum status replica_log_leaf(const struct replica_log *log,
                             uint8_t out[HASH_SIZE], uint64_t index)
{
    REQUIRE(index < log->end.size);
    if (index + 1 == log->end.size) {
        memcpy(out, log->end.leaf, HASH_SIZE);
        return ST_OK;
    }
    if (index < log->recent_first)
        return journal_leaf(log->journal, out, log->buffer, index);
    const struct replica_batch *batch =
        replica_recent_find(&log->recent, index);
    memcpy(out, batch->entries[index - batch->first].leaf, HASH_SIZE);
    return ST_OK;
}

enum status replica_log_entry(struct replica_log *log, struct slice *out,
                              uint64_t index)
{
    REQUIRE(index < log->end.size);
    if (index < log->recent_first)
        return journal_read_entry(log->journal, out, log->buffer, index);
    const struct replica_batch *batch =
        replica_recent_find(&log->recent, index);
    *out = batch->entries[index - batch->first].bytes;
    return ST_OK;
}

bool replica_log_keyed(const struct replica_log *log, uint64_t index)
{
    /* Of what is not in memory nobody knows: the keyring is asked. */
    if (index < log->recent_first || index >= log->end.size)
        return true;
    return replica_recent_find(&log->recent, index)->keyed;
}

/* ---- Batches ------------------------------------------------------------ */

static void batch_copy(struct replica_batch *batch,
                       const struct journal_entry *entries, uint8_t *at)
{
    for (size_t i = 0; i < batch->count; i++) {
        memcpy(at, entries[i].bytes.data, entries[i].bytes.size);
        batch->entries[i] = entries[i];
        batch->entries[i].bytes.data = at;
        at += entries[i].bytes.size;
    }
}

static void log_advance(struct replica_log *log,
                        const struct replica_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct entry entry;
        enum status status = entry_view(&entry, batch->entries[i].bytes);

        INVARIANT(status == ST_OK);
        INVARIANT(entry.place.index == batch->first + i);
        replica_log_note_epoch(log, entry.place.epoch, entry.place.index,
                               batch->entries[i].leaf);
        log->end.epoch = entry.place.epoch;
        log->end.log_time = entry.place.log_time;
    }
    log->end.size += batch->count;
    memcpy(log->end.leaf, batch->entries[batch->count - 1].leaf, HASH_SIZE);
}

/* What is durable and held by nobody makes room, the oldest first. */
static void log_trim(struct replica_log *log)
{
    struct replica_recent *recent = &log->recent;

    while ((log->recent_size > REPLICA_RECENT_SIZE_MAX || MAYBE_SIM(100)) &&
           recent->count > 1 && replica_recent_at(recent, 0)->holds == 0) {
        struct replica_batch *batch = replica_recent_at(recent, 0);

        replica_recent_drop_oldest(recent);
        log->recent_first = replica_recent_at(recent, 0)->first;
        log->recent_size -= batch->size;
        free(batch);
    }
}

struct replica_batch *replica_log_add(struct replica_log *log,
                                      const struct journal_entry *entries,
                                      size_t count, bool keyed)
{
    struct replica_batch *batch;
    size_t size = 0;

    REQUIRE(count > 0);
    for (size_t i = 0; i < count; i++)
        size += entries[i].bytes.size;
    batch = malloc(sizeof *batch + count * sizeof *batch->entries + size);
    NEED(batch != NULL);
    *batch = (struct replica_batch){
        .before = log->end,
        .first = log->end.size,
        .count = count,
        .size = size,
        .in_log = true,
        .keyed = keyed,
        .entries = (struct journal_entry *)(void *)(batch + 1),
    };
    batch_copy(batch, entries, (uint8_t *)(batch->entries + count));
    if (log->recent.count == 0)
        log->recent_first = batch->first;
    replica_recent_add(&log->recent, batch);
    log->recent_size += size;
    log_advance(log, batch);
    log_trim(log);
    return batch;
}

void replica_log_hold(struct replica_batch *batch)
{
    batch->holds++;
}

void replica_log_release(struct replica_log *log, struct replica_batch *batch)
{
    REQUIRE(batch->holds > 0);
    batch->holds--;
    if (batch->holds == 0 && !batch->in_log)
        free(batch);
    else
        log_trim(log);
}

/* ---- Cutting ------------------------------------------------------------ */

static void log_drop(struct replica_log *log, struct replica_batch *batch)
{
    log->recent_size -= batch->size;
    batch->in_log = false;
    if (batch->holds == 0)
        free(batch);
}

static void log_cut_batches(struct replica_log *log, uint64_t size)
{
    struct replica_batch *last;

    while ((last = replica_recent_newest(&log->recent)) != NULL &&
           last->first >= size) {
        replica_recent_drop_newest(&log->recent);
        log_drop(log, last);
    }
    if (last == NULL) {
        log->recent_first = size;
        return;
    }
    /* What a job points to stays as it is; only the log is shorter. */
    if (last->first + last->count > size)
        last->count = (size_t)(size - last->first);
}

static void log_cut_to(struct replica_log *log, const struct journal_end *end)
{
    log_cut_batches(log, end->size);
    while (log->epochs_count > 0 &&
           log->epochs[log->epochs_count - 1].first >= end->size)
        log->epochs_count--;
    log->end = *end;
    if (log->told > end->size)
        log->told = end->size;
}

/* Where the log ended when the batch that begins at ${size} came: the entry
 * before it need not be read for that, and perhaps cannot be. */
static const struct replica_batch *log_batch_at(const struct replica_log *log,
                                                uint64_t size)
{
    const struct replica_batch *batch;

    if (log->recent.count == 0 || size < log->recent_first)
        return NULL;
    batch = replica_recent_find(&log->recent, size);
    return batch->first == size ? batch : NULL;
}

enum status replica_log_cut(struct replica_log *log, uint64_t size)
{
    struct journal_end end = {.size = size};
    const struct replica_batch *batch;
    struct entry entry;
    struct slice bytes;
    enum status status;

    REQUIRE(size <= log->end.size);
    REQUIRE(size >= log->committed);
    if (size == log->end.size)
        return ST_OK;
    batch = log_batch_at(log, size);
    if (batch != NULL) {
        end = batch->before;
    } else if (size > 0) {
        status = replica_log_entry(log, &bytes, size - 1);
        if (status == ST_OK)
            status = entry_view(&entry, bytes);
        if (status != ST_OK)
            return status;
        end.epoch = entry.place.epoch;
        end.log_time = entry.place.log_time;
        entry_leaf_hash(end.leaf, bytes);
    }
    log_cut_to(log, &end);
    return ST_OK;
}
