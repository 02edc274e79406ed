#include "client/export/tiles_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/audit/batch.h"
#include "client/audit/vouch.h"
#include "protocol/genesis.h"

enum { EXPORT_PATH_SIZE = 4096, EXPORT_LENGTH_SIZE = 2 };

struct export_level {
    uint8_t hashes[TILE_WIDTH_MAX][HASH_SIZE];
    unsigned count;
    uint64_t index; /* Of the tile in the making. */
};

struct export
{
    const struct tiles_export_options *options;
    struct tiles_export_result *result;
    struct vouch newer;
    struct vouch older; /* Of the tree that is there; bytes NULL: none. */
    struct tree_writer out;
    struct source source;
    struct workers *workers;
    struct batch batches[2];
    struct tree tree;
    struct export_level levels[TILE_LEVELS];
    uint8_t *bundle; /* In the making, beside level 0. */
    size_t bundle_room;
    size_t bundle_used;
};

static enum status export_refuse(struct export *export, enum status status,
                                 const char *what)
{
    export->result->what = what;
    return status;
}

static enum status export_refuse_entry(struct export *export,
                                       enum status status, const char *what)
{
    export->result->index = export->tree.size;
    return export_refuse(export, status, what);
}

/* ---- The checkpoints ------------------------------------------------------
 */

static enum status export_checkpoint(struct export *export)
{
    const struct tiles_export_options *options = export->options;
    const char *path = options->checkpoint;
    char own[EXPORT_PATH_SIZE];
    enum status status;

    if (path == NULL) {
        (void)snprintf(own, sizeof own, "%s/" TREE_WRITER_CHECKPOINT,
                       options->directory);
        path = own;
    }
    status = vouch_load(&export->newer, path, TREE_WRITER_CHECKPOINT);
    if (status == ST_EXHAUSTED)
        return status;
    if (status == ST_NO_FILE)
        return export_refuse(export, ST_ORIGIN, "there is no checkpoint");
    if (status == ST_DISK_FAILED)
        return export_refuse(export, ST_ORIGIN,
                             "the checkpoint cannot be read");
    if (status != ST_OK)
        return export_refuse(export, ST_ORIGIN,
                             "the checkpoint is not of its format");
    export->result->size = export->newer.checkpoint.size;
    return ST_OK;
}

/* What is at the target must be an earlier state of the same tree. */
static enum status export_target(struct export *export)
{
    char path[EXPORT_PATH_SIZE];
    enum status status =
        tree_writer_open(&export->out, export->options->target);

    if (status != ST_OK)
        return export_refuse(export, status, "the target cannot be made");
    (void)snprintf(path, sizeof path, "%s/" TREE_WRITER_CHECKPOINT,
                   export->options->target);
    status = vouch_load(&export->older, path, TREE_WRITER_CHECKPOINT);
    if (status == ST_NO_FILE)
        return ST_OK;
    if (status == ST_EXHAUSTED)
        return status;
    if (status != ST_OK)
        return export_refuse(export, ST_EXISTS,
                             "the checkpoint at the target cannot be read");
    export->result->older = export->older.checkpoint.size;
    if (!slice_equal(export->older.checkpoint.origin,
                     export->newer.checkpoint.origin))
        return export_refuse(export, ST_EXISTS,
                             "the tree of another log is at the target");
    if (export->older.checkpoint.size > export->newer.checkpoint.size)
        return export_refuse(export, ST_EXISTS,
                             "a newer tree is at the target");
    return ST_OK;
}

static enum status export_genesis(struct export *export, struct slice bytes)
{
    static const struct vouch_policy nobody = {.bytes = NULL};
    struct op_system_genesis genesis;
    struct entry entry;
    const char *what;

    if (genesis_read(&genesis, &entry, bytes) != ST_OK)
        return export_refuse_entry(export, ST_CHECKSUM, "it is no genesis");
    what =
        vouch_judge(&export->newer, &nobody, genesis.origin, genesis.log_key.b);
    if (what != NULL)
        return export_refuse(export, ST_ORIGIN, what);
    if (export->older.bytes != NULL &&
        vouch_judge(&export->older, &nobody, genesis.origin,
                    genesis.log_key.b) != NULL)
        return export_refuse(export, ST_EXISTS,
                             "the tree of another log is at the target");
    return ST_OK;
}

static enum status export_roots(struct export *export)
{
    uint8_t root[HASH_SIZE];

    if (export->older.bytes != NULL &&
        export->tree.size == export->older.checkpoint.size) {
        tree_root(&export->tree, root);
        if (memcmp(root, export->older.checkpoint.root, HASH_SIZE) != 0)
            return export_refuse(export, ST_EXISTS,
                                 "the tree at the target has another root "
                                 "than this log had at its size");
    }
    if (export->tree.size != export->newer.checkpoint.size)
        return ST_OK;
    tree_root(&export->tree, root);
    if (memcmp(root, export->newer.checkpoint.root, HASH_SIZE) != 0)
        return export_refuse(export, ST_PROOF,
                             "the log has another root than the checkpoint");
    return ST_OK;
}

/* ---- Tiles ----------------------------------------------------------------
 */

/* What the tree at the target has already is left alone; it was durable before
 * its checkpoint was. */
static enum status export_tile(struct export *export, const struct tile *tile,
                               struct slice bytes)
{
    if (tiles_width(export->result->older, tile->level, tile->index) ==
            tile->width &&
        tree_writer_has(&export->out, tile, bytes.size))
        return ST_OK;
    return tree_writer_tile(&export->out, tile, bytes);
}

static enum status export_bundle(struct export *export)
{
    const struct tile tile = {.level = TILE_ENTRIES,
                              .index = export->levels[0].index,
                              .width = export->levels[0].count};
    enum status status = export_tile(
        export, &tile, slice_of(export->bundle, export->bundle_used));

    export->bundle_used = 0;
    return status;
}

static enum status export_level(struct export *export, unsigned level)
{
    const struct export_level *at = &export->levels[level];
    const struct tile tile = {
        .level = level, .index = at->index, .width = at->count};
    enum status status = level == 0 ? export_bundle(export) : ST_OK;

    if (status != ST_OK)
        return status;
    return export_tile(export, &tile,
                       slice_of(at->hashes, (size_t)at->count * HASH_SIZE));
}

static enum status export_hash(struct export *export,
                               const uint8_t leaf[HASH_SIZE])
{
    uint8_t hash[HASH_SIZE];

    memcpy(hash, leaf, HASH_SIZE);
    for (unsigned i = 0; i < TILE_LEVELS; i++) {
        struct export_level *level = &export->levels[i];
        enum status status;

        memcpy(level->hashes[level->count++], hash, HASH_SIZE);
        if (level->count < TILE_WIDTH_MAX)
            return ST_OK;
        status = export_level(export, i);
        if (status != ST_OK)
            return status;
        tree_root_of(hash, (const uint8_t(*)[HASH_SIZE])level->hashes,
                     level->count);
        level->count = 0;
        level->index++;
    }
    return ST_OK;
}

static enum status export_append_bundle(struct export *export,
                                        struct slice entry)
{
    const size_t size = entry.size + EXPORT_LENGTH_SIZE;
    struct writer writer;

    if (export->bundle_room - export->bundle_used < size) {
        const size_t room = 2 * export->bundle_room + size;
        uint8_t *bundle = realloc(export->bundle, room);

        if (bundle == NULL)
            return ST_EXHAUSTED;
        export->bundle = bundle;
        export->bundle_room = room;
    }
    writer_init(&writer, export->bundle, export->bundle_room);
    writer.used = export->bundle_used;
    tiles_bundle_append(&writer, entry);
    INVARIANT(writer.status == ST_OK);
    export->bundle_used = writer.used;
    return ST_OK;
}

/* ---- The log --------------------------------------------------------------
 */

static enum status export_entry(struct export *export,
                                const struct batch_entry *at)
{
    enum status status = ST_OK;

    if (at->status != ST_OK)
        return export_refuse_entry(export, ST_CHECKSUM,
                                   "it is damaged; defter verify says more");
    if (export->tree.size == 0)
        status = export_genesis(export, at->entry.bytes);
    if (status == ST_OK)
        status = export_append_bundle(export, at->entry.bytes);
    if (status != ST_OK)
        return status;
    tree_append(&export->tree, at->leaf);
    status = export_roots(export);
    return status == ST_OK ? export_hash(export, at->leaf) : status;
}

static enum status export_batch(struct export *export,
                                const struct batch *batch)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < batch->walk.frames_count && status == ST_OK &&
                       export->tree.size < export->newer.checkpoint.size;
         i++)
        status = export_entry(export, &batch->entries[i]);
    return status;
}

static enum status export_pass(struct export *export)
{
    const struct tiles_export_options *options = export->options;
    const uint64_t size = export->newer.checkpoint.size;
    struct batch *now = &export->batches[0], *next = &export->batches[1];
    enum status status = ST_OK;
    bool is_last = size == 0;

    source_next(&export->source, &now->walk);
    batch_digest_start(now, export->workers);
    workers_wait(export->workers);
    while (!is_last && status == ST_OK) {
        struct batch *other = now;

        is_last = now->walk.stop != WALK_MORE ||
                  size - export->tree.size <= now->walk.frames_count;
        if (!is_last) {
            source_next(&export->source, &next->walk);
            batch_digest_start(next, export->workers);
        }
        status = export_batch(export, now);
        workers_wait(export->workers);
        if (options->progress != NULL)
            options->progress(options->context, export->tree.size, size);
        now = next;
        next = other;
    }
    if (status == ST_OK && export->tree.size < size)
        return export_refuse_entry(export, ST_LOST,
                                   "the log ends before the checkpoint");
    return status;
}

/* ---- Partial tiles, and the end -------------------------------------------
 */

static enum status export_partial(struct export *export)
{
    enum status status = ST_OK;

    for (unsigned i = 0; i < TILE_LEVELS && status == ST_OK; i++) {
        if (export->levels[i].count > 0)
            status = export_level(export, i);
    }
    return status;
}

/* Those of the former tree whose places are full now. */
static enum status export_prune(struct export *export)
{
    const uint64_t older = export->result->older;
    const uint64_t newer = export->result->size;
    enum status status = ST_OK;

    for (unsigned i = 0; i <= TILE_LEVELS && status == ST_OK; i++) {
        const unsigned level = i == TILE_LEVELS ? TILE_ENTRIES : i;
        const unsigned bits = i == TILE_LEVELS ? 0 : TILE_HEIGHT * i;
        const struct tile tile = {.level = level,
                                  .index = older >> bits >> TILE_HEIGHT,
                                  .width = TILE_WIDTH_MAX};
        const unsigned width = tiles_width(older, level, tile.index);

        if (width > 0 && width < TILE_WIDTH_MAX &&
            tiles_width(newer, level, tile.index) == TILE_WIDTH_MAX)
            status = tree_writer_prune(&export->out, &tile);
    }
    return status;
}

static enum status export_run(struct export *export)
{
    enum status status = export_pass(export);

    if (status == ST_OK)
        status = export_partial(export);
    if (status == ST_OK)
        status = tree_writer_sync(&export->out);
    if (status == ST_OK &&
        (export->older.bytes == NULL ||
         !slice_equal(export->older.file, export->newer.file)))
        status = tree_writer_checkpoint(&export->out, export->newer.file);
    return status == ST_OK ? export_prune(export) : status;
}

static void export_close(struct export *export)
{
    workers_close(export->workers);
    batch_close(&export->batches[0]);
    batch_close(&export->batches[1]);
    source_close(&export->source);
    tree_writer_close(&export->out);
    vouch_close(&export->newer);
    vouch_close(&export->older);
    free(export->bundle);
    free(export);
}

/* The checkpoint is read before the log, which may be growing. */
static enum status export_log(struct export *export)
{
    enum status status = export_checkpoint(export);
    enum status found =
        walk_open(&export->source.walk, export->options->directory);

    if (found != ST_OK)
        export->result->what = NULL;
    return found != ST_OK ? found : status;
}

enum status tiles_export(struct tiles_export_result *result_out,
                         const struct tiles_export_options *options)
{
    struct export *export = calloc(1, sizeof *export);
    enum status status;

    *result_out = (struct tiles_export_result){.index = UINT64_MAX};
    if (export == NULL)
        return ST_EXHAUSTED;
    export->options = options;
    export->result = result_out;
    export->out.directory = -1;
    tree_init(&export->tree);
    status = export_log(export);
    if (status == ST_OK)
        status = export_target(export);
    if (status == ST_OK)
        status = workers_open(&export->workers, options->threads);
    if (status == ST_OK)
        status = batch_open(&export->batches[0], &export->source);
    if (status == ST_OK)
        status = batch_open(&export->batches[1], &export->source);
    if (status == ST_OK)
        status = export_run(export);
    result_out->files_count = export->out.files_count;
    result_out->bytes_count = export->out.bytes_count;
    result_out->removed_count = export->out.removed_count;
    export_close(export);
    return status;
}
