#include "client/export/unit_export.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/export/unit_export_parts.h"
#include "protocol/dates.h"

enum { UNIT_LENGTH_SIZE = 2, UNIT_SIGNERS_ROOM_MIN = 64 };

static enum status unit_refuse(struct unit_export *export, enum status status,
                               const char *what)
{
    export->result->what = what;
    return status;
}

static uint64_t unit_size(const struct unit_export *export)
{
    return export->verify.vouches.all[0].checkpoint.size;
}

static struct unit_made *unit_now(struct unit_export *export)
{
    return &export->made[export->made_count - 1];
}

/* ---- Beginning and end of a unit ----------------------------------------- */

static enum status unit_begin(struct unit_export *export)
{
    const struct vouch *checkpoint = &export->verify.vouches.all[0];
    char path[VERIFY_PATH_SIZE];
    struct unit_made *made;
    enum status status;

    if (export->made_count == ARCHIVE_UNITS_MAX)
        return ST_TOO_LARGE;
    made = reallocarray(export->made, export->made_count + 1, sizeof *made);
    if (made == NULL)
        return ST_EXHAUSTED;
    export->made = made;
    made = &export->made[export->made_count];
    memset(made, 0, sizeof *made);
    made->unit.number = export->options->number + export->made_count;
    export->made_count++;
    made->unit.origin = checkpoint->checkpoint.origin;
    made->unit.size = checkpoint->checkpoint.size;
    made->unit.first = made->unit.last =
        export->made_count == 1
            ? export->options->first
            : export->made[export->made_count - 2].unit.last + 1;
    unit_export_path(export, path, &made->unit);
    status = unit_writer_open(&export->out, path, export->packer);
    if (status == ST_EXISTS)
        return unit_refuse(export, status, "the unit's directory is not empty");
    if (status == ST_NO_FILE || status == ST_DISK_FAILED)
        return unit_refuse(export, ST_NO_FILE,
                           "the unit's directory cannot be made");
    export->is_open = status == ST_OK;
    return status;
}

static void unit_leave(struct unit_export *export)
{
    export->result->packed_size += export->out.packed_size;
    export->result->plain_size += export->out.plain_size;
    unit_writer_close(&export->out);
    export->is_open = false;
}

/* Whether the unit ends by the rule, at the end of a bundle. */
static bool unit_is_due(const struct unit_export *export,
                        const struct entry *entry)
{
    const struct unit_export_options *options = export->options;
    const struct archive_unit *unit =
        &export->made[export->made_count - 1].unit;
    const int64_t age = entry->place.log_time - export->begun;
    const uint64_t days = (uint64_t)(age / DATES_US_PER_DAY);

    return (options->bytes_max > 0 && unit->bytes >= options->bytes_max) ||
           (options->days_max > 0 && days >= options->days_max) ||
           (unit->last >> TILE_HEIGHT) - (unit->first >> TILE_HEIGHT) + 1 ==
               ARCHIVE_BUNDLES_MAX;
}

/* ---- Bundles and tiles --------------------------------------------------- */

static enum status unit_append_bundle(struct unit_export *export,
                                      struct slice entry)
{
    const size_t size = entry.size + UNIT_LENGTH_SIZE;
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

/* The bundle of entry ${index}, its last, and the tile of its leaves. */
static enum status unit_bundle(struct unit_export *export, uint64_t index)
{
    struct archive_file file = {
        .kind = ARCHIVE_BUNDLE,
        .tile = {.level = TILE_ENTRIES,
                 .index = index >> TILE_HEIGHT,
                 .width = (unsigned)(index % TILE_WIDTH_MAX) + 1}};
    enum status status = unit_writer_put(
        &export->out, &file, slice_of(export->bundle, export->bundle_used));

    file.kind = ARCHIVE_TILE;
    file.tile.level = 0;
    export->bundle_used = 0;
    if (status == ST_OK && file.tile.width == TILE_WIDTH_MAX)
        status = unit_writer_put(&export->out, &file,
                                 slice_of(export->tile, sizeof export->tile));
    return status;
}

static enum status unit_level_append(struct unit_level *level,
                                     const uint8_t hash[HASH_SIZE])
{
    if (level->count == level->room) {
        const size_t room = 2 * level->room + TILE_WIDTH_MAX;
        uint8_t(*hashes)[HASH_SIZE] =
            reallocarray(level->hashes, room, sizeof *hashes);

        if (hashes == NULL)
            return ST_EXHAUSTED;
        level->hashes = hashes;
        level->room = room;
    }
    memcpy(level->hashes[level->count++], hash, HASH_SIZE);
    return ST_OK;
}

/* The tile of level 0 is full: its root, and of every level that it fills. */
static enum status unit_above(struct unit_export *export)
{
    uint8_t hash[HASH_SIZE];
    enum status status;

    tree_root_of(hash, (const uint8_t(*)[HASH_SIZE]) export->tile,
                 TILE_WIDTH_MAX);
    for (unsigned i = 1; i < TILE_LEVELS; i++) {
        struct unit_level *level = &export->above[i];

        status = unit_level_append(level, hash);
        if (status != ST_OK || level->count % TILE_WIDTH_MAX != 0)
            return status;
        tree_root_of(hash,
                     (const uint8_t(*)[HASH_SIZE])
                         level->hashes[level->count - TILE_WIDTH_MAX],
                     TILE_WIDTH_MAX);
    }
    return ST_OK;
}

/* ---- Entries ------------------------------------------------------------- */

static enum status unit_marks_reserve(struct unit_export *export, uint32_t row)
{
    const uint32_t room = 2 * (row + 1);
    uint32_t *marks;

    if (row < export->marks_room)
        return ST_OK;
    marks = reallocarray(export->marks, room, sizeof *marks);
    if (marks == NULL)
        return ST_EXHAUSTED;
    memset(marks + export->marks_room, 0,
           (room - export->marks_room) * sizeof *marks);
    export->marks = marks;
    export->marks_room = room;
    return ST_OK;
}

static enum status unit_add_signer(struct unit_made *made, uint32_t row)
{
    if (made->signers_count == made->signers_room) {
        const uint32_t room = 2 * made->signers_room + UNIT_SIGNERS_ROOM_MIN;
        uint32_t *signers = reallocarray(made->signers, room, sizeof *signers);

        if (signers == NULL)
            return ST_EXHAUSTED;
        made->signers = signers;
        made->signers_room = room;
    }
    made->signers[made->signers_count++] = row;
    return ST_OK;
}

static enum status unit_signer(struct unit_export *export,
                               const struct entry *entry)
{
    const struct keys *keys = &export->verify.judge.authority.keys;
    uint32_t row;

    if (entry->place.index == 0)
        return ST_OK;
    row = keys_find(keys, entry->header.key_id);
    INVARIANT(row != KEYS_NONE);
    if (unit_marks_reserve(export, row) != ST_OK)
        return ST_EXHAUSTED;
    if (export->marks[row] == export->made_count)
        return ST_OK;
    export->marks[row] = (uint32_t) export->made_count;
    return unit_add_signer(unit_now(export), row);
}

static void unit_count(struct unit_export *export, const struct entry *entry)
{
    struct archive_unit *unit = &unit_now(export)->unit;

    if (entry->place.index == unit->first) {
        memcpy(unit->leaf_before, entry->place.previous, HASH_SIZE);
        export->begun = entry->place.log_time;
    }
    unit->last = entry->place.index;
    unit->bytes += entry->bytes.size;
    unit->categories[entry->place.category]++;
    memcpy(unit->leaf_after, export->leaf, HASH_SIZE);
    export->result->entries_count++;
    export->result->bytes_count += entry->bytes.size;
    if (unit->last == export->last || export->tree.size % TILE_WIDTH_MAX == 0)
        tree_root(&export->tree, unit->root);
}

/* Of an entry in one of the unit's bundles. */
static enum status unit_take(struct unit_export *export,
                             const struct entry *entry)
{
    const uint64_t index = entry->place.index;
    enum status status = unit_append_bundle(export, entry->bytes);

    if (status == ST_OK)
        status = unit_signer(export, entry);
    if (status != ST_OK)
        return status;
    if (index >= unit_now(export)->unit.first && index <= export->last)
        unit_count(export, entry);
    if (export->tree.size % TILE_WIDTH_MAX != 0 &&
        export->tree.size < unit_size(export))
        return ST_OK;
    status = unit_bundle(export, index);
    if (index >= export->last || unit_is_due(export, entry))
        unit_leave(export);
    return status;
}

static enum status unit_entry(struct unit_export *export,
                              const struct batch_entry *at)
{
    const uint64_t index = export->tree.size;
    const uint64_t bundle = index >> TILE_HEIGHT;
    enum status status = ST_OK;

    if (index == 0) {
        export->genesis = malloc(at->entry.bytes.size);
        if (export->genesis == NULL)
            return ST_EXHAUSTED;
        memcpy(export->genesis, at->entry.bytes.data, at->entry.bytes.size);
        export->genesis_size = at->entry.bytes.size;
    }
    if (index % TILE_WIDTH_MAX == 0 && !export->is_open &&
        bundle >= export->options->first >> TILE_HEIGHT &&
        bundle <= export->last >> TILE_HEIGHT)
        status = unit_begin(export);
    if (status != ST_OK)
        return status;
    tree_append(&export->tree, at->leaf);
    memcpy(export->leaf, at->leaf, HASH_SIZE);
    memcpy(export->tile[index % TILE_WIDTH_MAX], at->leaf, HASH_SIZE);
    if (export->is_open)
        status = unit_take(export, &at->entry);
    if (status == ST_OK && export->tree.size % TILE_WIDTH_MAX == 0)
        status = unit_above(export);
    return status;
}

static enum status unit_batch(struct unit_export *export, struct batch *batch)
{
    struct verify *verify = &export->verify;
    const size_t count = judge_batch(&verify->judge, batch);
    enum status status = verify->judge.status;

    if (batch->walk.begins)
        export->segment_size = batch->walk.header.segment_size;
    for (size_t i = 0;
         i < count && status == ST_OK && export->tree.size < unit_size(export);
         i++)
        status = unit_entry(export, &batch->entries[i]);
    if (status == ST_OK && export->tree.size < unit_size(export) &&
        verify->judge.report->fault.found)
        return unit_refuse(export, ST_CHECKSUM, "the log has a fault");
    return status;
}

/* ---- The log ------------------------------------------------------------- */

static enum status unit_pass(struct unit_export *export)
{
    const struct unit_export_options *options = export->options;
    struct verify *verify = &export->verify;
    struct batch *now = &verify->batches[0], *next = &verify->batches[1];
    const uint64_t size = unit_size(export);
    enum status status = ST_OK;
    bool is_last = false;

    source_next(&verify->source, &now->walk);
    batch_digest_start(now, verify->workers);
    workers_wait(verify->workers);
    while (!is_last && status == ST_OK) {
        struct batch *other = now;

        is_last = now->walk.stop != WALK_MORE ||
                  size - export->tree.size <= now->walk.frames_count;
        if (!is_last) {
            source_next(&verify->source, &next->walk);
            batch_digest_start(next, verify->workers);
        }
        status = unit_batch(export, now);
        workers_wait(verify->workers);
        if (options->progress != NULL)
            options->progress(options->context, export->tree.size, size);
        now = next;
        next = other;
    }
    if (status == ST_OK && export->tree.size < size)
        return unit_refuse(export, ST_LOST,
                           "the log ends before the checkpoint");
    return status;
}

/* A checkpoint whose root is another is a fault of the judge's. */
static enum status unit_judged(struct unit_export *export)
{
    if (export->result->report->fault.found &&
        !export->verify.vouches.all[0].is_matched)
        return unit_refuse(export, ST_CHECKSUM, "the log has a fault");
    return ST_OK;
}

static enum status unit_prepare(struct unit_export *export)
{
    const struct unit_export_options *options = export->options;
    struct verify *verify = &export->verify;
    char own[VERIFY_PATH_SIZE];
    const char *path = options->checkpoint;
    enum status status;

    if (path == NULL) {
        if (!verify_path(own, options->directory, VERIFY_CHECKPOINT))
            return ST_NO_FILE;
        path = own;
    }
    status = walk_open(&verify->source.walk, options->directory);
    if (status != ST_OK)
        return status;
    status = verify_checkpoint(verify, export->result->report, path,
                               VERIFY_CHECKPOINT);
    if (status == ST_EXHAUSTED)
        return status;
    if (status != ST_OK)
        return unit_refuse(export, ST_ORIGIN,
                           "there is no checkpoint that can be read");
    if (export->result->report->fault.found)
        return unit_refuse(export, ST_ORIGIN,
                           "the checkpoint is not of its format");
    if (options->policy != NULL) {
        status = vouch_policy_load(&export->policy, options->policy);
        if (status == ST_EXHAUSTED)
            return status;
        if (status != ST_OK)
            return unit_refuse(export, ST_FILE_FORMAT,
                               "the policy cannot be read");
    }
    export->last =
        options->last == UINT64_MAX ? unit_size(export) - 1 : options->last;
    if (unit_size(export) == 0 || options->first > export->last ||
        export->last >= unit_size(export))
        return unit_refuse(export, ST_BAD_FIELD,
                           "the checkpoint does not cover the range");
    return ST_OK;
}

static enum status unit_run(struct unit_export *export)
{
    const struct unit_export_options *options = export->options;
    struct verify *verify = &export->verify;
    enum status status;

    if ((options->bytes_max > 0 || options->days_max > 0) &&
        mkdir(options->target, 0755) != 0)
        MAYBE(true); /* What follows says what is wrong. */
    status = unit_packer_open(&export->packer);
    if (status == ST_OK)
        status = verify_begin(verify, options->threads);
    if (status != ST_OK)
        return status;
    judge_init(&verify->judge, export->result->report, &verify->source,
               &verify->vouches, &export->judging);
    status = unit_pass(export);
    if (status == ST_OK)
        status = unit_judged(export);
    for (size_t i = 0; i < export->made_count && status == ST_OK; i++) {
        struct unit_made *made = &export->made[i];

        memcpy(made->unit.cluster_id, verify->judge.authority.cluster_id,
               CLUSTER_ID_SIZE);
        memcpy(made->unit.authority, verify->judge.authority.authority_key,
               PUBLIC_KEY_SIZE);
        status = unit_export_finish(export, made);
        export->result->units_count += status == ST_OK;
    }
    return status;
}

static void unit_export_close(struct unit_export *export)
{
    if (export->is_open)
        unit_writer_close(&export->out);
    for (size_t i = 0; i < export->made_count; i++)
        free(export->made[i].signers);
    for (unsigned i = 0; i < TILE_LEVELS; i++)
        free(export->above[i].hashes);
    unit_packer_close(export->packer);
    vouch_policy_close(&export->policy);
    verify_close(&export->verify);
    free(export->made);
    free(export->marks);
    free(export->bundle);
    free(export->genesis);
    free(export);
}

enum status unit_export(struct unit_export_result *result,
                        const struct unit_export_options *options)
{
    struct unit_export *export = calloc(1, sizeof *export);
    struct report *report = result->report;
    enum status status;

    memset(report, 0, sizeof *report);
    *result = (struct unit_export_result){.report = report};
    if (export == NULL)
        return ST_EXHAUSTED;
    export->options = options;
    export->result = result;
    export->judging.directory = options->directory;
    export->judging.no_signatures = true;
    tree_init(&export->tree);
    status = unit_prepare(export);
    if (status == ST_OK)
        status = unit_run(export);
    unit_export_close(export);
    return status;
}
