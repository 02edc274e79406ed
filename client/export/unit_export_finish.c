#include "client/export/unit_export_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/archive_format.h"
#include "protocol/archive_keys.h"
#include "protocol/lines.h"

void unit_export_path(const struct unit_export *export,
                      char out[VERIFY_PATH_SIZE],
                      const struct archive_unit *unit)
{
    const struct unit_export_options *options = export->options;
    int size;

    if (options->bytes_max == 0 && options->days_max == 0)
        size = snprintf(out, VERIFY_PATH_SIZE, "%s", options->target);
    else
        size = snprintf(out, VERIFY_PATH_SIZE, "%s/unit-%06" PRIu64,
                        options->target, unit->number);
    INVARIANT(size > 0 && size < VERIFY_PATH_SIZE);
}

/* ---- Keys ---------------------------------------------------------------- */

static int unit_key_order(const void *left, const void *right)
{
    return memcmp(((const struct keys_key *)left)->key_id,
                  ((const struct keys_key *)right)->key_id, KEY_ID_SIZE);
}

static void unit_cosigner(struct writer *writer, struct slice origin,
                          const struct authority_node *node)
{
    static const uint8_t none[PUBLIC_KEY_SIZE];
    struct note_key key;

    if (memcmp(node->cosigner_key.b, none, PUBLIC_KEY_SIZE) == 0 ||
        archive_keys_cosigner_of(&key, origin, node->node_id.b,
                                 node->cosigner_key.b) != ST_OK)
        return;
    archive_keys_write_cosigner(writer, &key);
}

static enum status unit_signers(struct writer *writer, const struct keys *keys,
                                const struct unit_made *made)
{
    struct keys_key *rows = calloc(made->signers_count + 1, sizeof *rows);

    if (rows == NULL)
        return ST_EXHAUSTED;
    for (uint32_t i = 0; i < made->signers_count; i++)
        rows[i] = keys->rows[made->signers[i]];
    qsort(rows, made->signers_count, sizeof *rows, unit_key_order);
    for (uint32_t i = 0; i < made->signers_count; i++)
        archive_keys_write_signer(writer, rows[i].public_key);
    free(rows);
    return writer->status;
}

static enum status unit_put(struct unit_writer *out, enum archive_kind kind,
                            struct slice bytes)
{
    const struct archive_file file = {.kind = kind};

    return unit_writer_put(out, &file, bytes);
}

static enum status unit_keys(struct unit_export *export,
                             struct unit_writer *out,
                             const struct unit_made *made)
{
    const struct authority *authority = &export->verify.judge.authority;
    struct op_system_genesis genesis;
    struct note_key log_key;
    struct writer writer;
    struct entry entry;
    enum status status;
    uint8_t *bytes;

    if (made->signers_count > ARCHIVE_SIGNERS_MAX)
        return ST_TOO_LARGE;
    INVARIANT(genesis_read(&genesis, &entry,
                           slice_of(export->genesis, export->genesis_size)) ==
              ST_OK);
    bytes = malloc(ARCHIVE_KEYS_SIZE_MAX);
    if (bytes == NULL)
        return ST_EXHAUSTED;
    writer_init(&writer, bytes, ARCHIVE_KEYS_SIZE_MAX);
    note_key_init(&log_key, made->unit.origin, NOTE_ED25519, genesis.log_key.b);
    archive_keys_write(&writer, genesis.authority_key.b, &log_key);
    for (uint32_t i = 0;
         i < authority->nodes_count && i < ARCHIVE_COSIGNERS_MAX; i++)
        unit_cosigner(&writer, genesis.origin, &authority->nodes[i]);
    status = unit_signers(&writer, &authority->keys, made);
    if (status == ST_OK)
        status = unit_put(out, ARCHIVE_KEYS, writer_slice(&writer));
    free(bytes);
    return status;
}

/* ---- Tiles --------------------------------------------------------------- */

static enum status unit_tile(const struct unit_export *export,
                             struct unit_writer *out,
                             const struct archive_file *file)
{
    const struct tile *tile = &file->tile;
    const size_t size = (size_t)tile->width * HASH_SIZE;
    const struct unit_level *level = &export->above[tile->level];
    const size_t from = (size_t)tile->index * TILE_WIDTH_MAX;

    /* Those of level 0 were written with their bundles; the last one of the
     * tree may be of no bundle of the unit's. */
    if (tile->level == 0) {
        if (tile->width == TILE_WIDTH_MAX)
            return ST_OK;
        return unit_writer_put(out, file, slice_of(export->tile, size));
    }
    INVARIANT(from + tile->width <= level->count);
    return unit_writer_put(out, file, slice_of(level->hashes[from], size));
}

static enum status unit_tiles(const struct unit_export *export,
                              struct unit_writer *out,
                              const struct archive_unit *unit)
{
    struct archive_walk walk;
    struct archive_file file;
    enum status status = ST_OK;

    archive_walk_init(&walk, unit);
    while (status == ST_OK && archive_walk_next(&walk, &file)) {
        if (file.kind == ARCHIVE_TILE)
            status = unit_tile(export, out, &file);
    }
    return status;
}

static enum status unit_texts(const struct unit_export *export,
                              struct unit_writer *out)
{
    const struct vouch *checkpoint = &export->verify.vouches.all[0];
    enum status status;

    status =
        unit_put(out, ARCHIVE_FORMAT,
                 slice_of(archive_format_text, strlen(archive_format_text)));
    if (status == ST_OK)
        status = unit_put(out, ARCHIVE_CHECKPOINT, checkpoint->file);
    if (status == ST_OK)
        status = unit_put(out, ARCHIVE_GENESIS,
                          slice_of(export->genesis, export->genesis_size));
    if (status == ST_OK && export->policy.bytes != NULL)
        status = unit_put(out, ARCHIVE_POLICY,
                          slice_of(export->policy.bytes, export->policy.size));
    return status;
}

enum status unit_export_finish(struct unit_export *export,
                               struct unit_made *made)
{
    const struct unit_export_options *options = export->options;
    uint8_t hash[HASH_SIZE];
    char path[VERIFY_PATH_SIZE];
    struct unit_writer out;
    enum status status;

    made->unit.segment_size = export->segment_size;
    made->unit.has_policy = export->policy.bytes != NULL;
    unit_export_path(export, path, &made->unit);
    status = unit_writer_again(&out, path, export->packer);
    if (status == ST_OK)
        status = unit_tiles(export, &out, &made->unit);
    if (status == ST_OK)
        status = unit_texts(export, &out);
    if (status == ST_OK)
        status = unit_keys(export, &out, made);
    if (status == ST_OK)
        status = unit_writer_end(&out, hash, &made->unit);
    unit_writer_close(&out);
    if (status == ST_OK && options->made != NULL)
        options->made(options->context, &made->unit, path, hash);
    return status;
}
