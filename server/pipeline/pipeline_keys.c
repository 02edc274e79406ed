/*
 * pipeline_keys.c: the seal keys of a node that follows, used by the thread
 * that runs the storage jobs.
 */
#include <sodium.h>

#include "protocol/entry.h"
#include "protocol/seal.h"
#include "replication/sometimes.h"
#include "server/pipeline/pipeline_private.h"

/* As for the clock in sequencer.c. */
#define KEYS_CLOCK_SLACK_US INT64_C(60000000)

/* ---- The right to use them ---------------------------------------------- */

/* With the lock held on ST_OK; a follow that was told comes about soon. */
static enum status keys_begin(struct pipeline *pipeline)
{
    struct pipeline_keys *keys = &pipeline->keys;

    (void)pthread_mutex_lock(&keys->lock);
    while (keys->core) {
        if (pipeline_look(pipeline).leads) {
            (void)pthread_mutex_unlock(&keys->lock);
            return ST_WRONG_STATE;
        }
        (void)pthread_cond_wait(&keys->changed, &keys->lock);
    }
    keyring_take(pipeline->parts.keyring);
    return ST_OK;
}

static void keys_end(struct pipeline *pipeline)
{
    keyring_leave(pipeline->parts.keyring);
    (void)pthread_mutex_unlock(&pipeline->keys.lock);
}

/* ---- What a backup checks ------------------------------------------------ */

static enum status accept_decode(struct pipeline *pipeline,
                                 const struct storage_job *job)
{
    int64_t wall = clock_wall(&pipeline->parts.clock);
    struct entry entry;
    uint64_t index = 0;

    for (size_t i = 0; i < job->entries_count; i++) {
        struct slice bytes = job->entries[i].bytes;

        if (bytes.size > ENTRY_SIZE_MAX || entry_decode(&entry, bytes) != ST_OK)
            return ST_ENTRY_FORMED;
        if (entry.place.index > INT64_MAX ||
            (i > 0 && entry.place.index != index + 1))
            return ST_ENTRY_FORMED;
        index = entry.place.index;
        if (entry.place.log_time > wall + KEYS_CLOCK_SLACK_US)
            return ST_EARLY;
    }
    return ST_OK;
}

static struct entry_place accept_place(const struct storage_job *job, size_t at)
{
    struct entry entry;
    enum status status = entry_view(&entry, job->entries[at].bytes);

    REQUIRE(status == ST_OK);
    return entry.place;
}

/* Keys have numbers of the epoch of the entry that uses them first.  Others at
 * its index are of an entry that never came to be: it was submitted or shipped
 * in a former epoch. */
static void accept_drop_strays(struct pipeline *pipeline,
                               const struct storage_job *job)
{
    uint64_t size = journal_size(pipeline->parts.journal);
    struct entry_place place;

    for (size_t i = 0; i < job->entries_count; i++) {
        place = accept_place(job, i);
        /* Keys of what stands in the log are in use. */
        uint64_t first = place.index > size ? place.index : size;
        while (i + 1 < job->entries_count &&
               accept_place(job, i + 1).epoch == place.epoch)
            i++;
        keyring_drop_strays(pipeline->parts.keyring, first,
                            accept_place(job, i).index, place.epoch);
    }
}

/* Whether the entry that the row names is one of these.  A row of another would
 * outlive the entry it came with: what is not here brings its own. */
static bool accept_row_is_here(const struct storage_job *job,
                               const struct keyring_row *row)
{
    uint64_t first;

    if (job->entries_count == 0)
        return false;
    first = accept_place(job, 0).index;
    return row->first_index >= first &&
           row->first_index - first < job->entries_count;
}

static bool accept_is_lost(const struct keyring_row *row)
{
    return row->class == KEYRING_TOMBSTONE && row->owner == KEYRING_ACT_LOST;
}

/* Whether the row may be of the entry that it names.  The key of an entry that
 * is not yet committed cannot have been destroyed: a tombstone names an act
 * behind the entry, and among those that are committed.  Whether that act names
 * the key is seen when the state is there (erasure_find()).  One that the log
 * lost is named by no entry, so that nothing contradicts a peer who makes it
 * up: there are such only of keys from before a lineage was forced. */
static bool accept_row_fits(const struct pipeline *pipeline,
                            const struct storage_job *job,
                            const struct keyring_row *row)
{
    size_t at = (size_t)(row->first_index - accept_place(job, 0).index);
    uint64_t committed =
        job->committed > job->stated ? job->committed : job->stated;

    if (accept_is_lost(row)) {
        if (row->first_index >= committed ||
            row->first_index >= pipeline->parts.lost_below)
            return false;
    } else if (row->class == KEYRING_TOMBSTONE &&
               (row->owner <= row->first_index || row->owner >= committed)) {
        return false;
    }
    return row->number >> 32 == accept_place(job, at).epoch;
}

/* ${lost} grows by what was taken of acts that the log lost. */
static enum status accept_rows(struct pipeline *pipeline, uint64_t *lost,
                               const struct storage_job *job, struct slice rows)
{
    struct keyring_row row;
    uint8_t key[KEY_SIZE];
    enum status status;

    while ((status = keyring_rows_take(&row, key, &rows)) == ST_OK) {
        if (!accept_row_is_here(job, &row))
            continue;
        status = ST_BAD_FIELD;
        if (accept_row_fits(pipeline, job, &row))
            status = keyring_accept(pipeline->parts.keyring, &row, key);
        if (status != ST_OK)
            break;
        if (accept_is_lost(&row))
            ++*lost;
    }
    sodium_memzero(key, sizeof key);
    if (status == ST_END)
        return ST_OK;
    return status == ST_DIVERGED ? status : ST_SEAL;
}

static enum status accept_item(struct pipeline *pipeline,
                               const struct item *item)
{
    const struct operation_info *operation =
        operation_info(item->clear_part.opcode);
    uint8_t key[KEY_SIZE] = {0};
    struct slice secret;
    enum status status;

    if (operation == NULL ||
        (operation->seal == SEAL_OPEN) != (item->seal_key == 0))
        return ST_ENTRY_FORMED;
    if (item->seal_key == 0)
        return ST_OK;
    status = keyring_key(pipeline->parts.keyring, key, item->seal_key);
    if (status == ST_OK)
        status = seal_open(&secret, item, key, pipeline->accept_buffer,
                           ENTRY_SIZE_MAX);
    sodium_memzero(key, sizeof key);
    /* What was destroyed by an act need not open any more; no act is about
     * the cluster's own key. */
    if (status == ST_ERASED)
        return operation->seal == SEAL_CLUSTER ? ST_SEAL : ST_OK;
    return status;
}

static enum status accept_items(struct pipeline *pipeline, struct slice bytes)
{
    struct slice rest;
    struct entry entry;
    struct item item;
    enum status status = entry_view(&entry, bytes);

    REQUIRE(status == ST_OK);
    rest = entry.items;
    while (status == ST_OK && entry_next_item(&item, &rest))
        status = accept_item(pipeline, &item);
    return status;
}

static enum status accept_all(struct pipeline *pipeline, uint64_t *lost_out,
                              const struct storage_job *job)
{
    enum status status = ST_OK;

    *lost_out = 0;
    for (size_t i = 0; status == ST_OK && i < job->keys_count; i++)
        status = accept_rows(pipeline, lost_out, job, job->keys[i]);
    for (size_t i = 0; status == ST_OK && i < job->entries_count; i++)
        status = accept_items(pipeline, job->entries[i].bytes);
    return status;
}

enum status pipeline_accept(struct pipeline *pipeline,
                            const struct storage_job *job)
{
    struct keyring *keyring = pipeline->parts.keyring;
    enum status status;
    uint64_t lost = 0;

    if (!job->verify_keys || MUTANT(106))
        return ST_OK;
    status = accept_decode(pipeline, job);
    if (status == ST_OK)
        status = keys_begin(pipeline);
    if (status != ST_OK)
        return status;
    accept_drop_strays(pipeline, job);
    status = accept_all(pipeline, &lost, job);
    if (status == ST_OK)
        keyring_commit(keyring);
    else
        keyring_discard(keyring);
    sodium_memzero(pipeline->accept_buffer, ENTRY_SIZE_MAX);
    keys_end(pipeline);
    if (status == ST_OK && lost > 0 && pipeline->parts.lost_taken != NULL)
        pipeline->parts.lost_taken(pipeline->parts.lost_context, lost);
    return status;
}

void pipeline_truncate_keys(struct pipeline *pipeline, uint64_t size)
{
    enum status status = keys_begin(pipeline);

    REQUIRE(status == ST_OK);
    if (keyring_end(pipeline->parts.keyring) > size)
        keyring_truncate(pipeline->parts.keyring, size);
    keys_end(pipeline);
}

size_t pipeline_keys(struct pipeline *pipeline, uint8_t *out, size_t size,
                     struct keyring_cursor *cursor, uint64_t end)
{
    return keyring_rows_next(pipeline->parts.keyring, out, size, cursor, end);
}
