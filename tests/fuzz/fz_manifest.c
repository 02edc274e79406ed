/*
 * fz_manifest.c: manifests and keys of archive units, as anybody may have
 * written them.  What reads is written again as the same bytes, names only
 * files that the unit has, each once and in order, and keeps its invariants.
 *
 * The first byte chooses: 0 a manifest, 1 one whose last line is made here, so
 * that changes come through its hash, 2 the file `keys`.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/archive_keys.h"
#include "protocol/archive_unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_END_SIZE = 128 };

/* A writer of ${size} bytes, which the caller frees. */
static struct writer fuzz_writer(size_t size)
{
    struct writer writer;
    uint8_t *bytes = malloc(size + 1);

    INVARIANT(bytes != NULL);
    writer_init(&writer, bytes, size);
    return writer;
}

static void check_numbers(const struct archive_unit *unit)
{
    uint64_t sum = 0;

    INVARIANT(unit->number >= 1);
    INVARIANT(unit->first <= unit->last && unit->last < unit->size);
    INVARIANT(unit->size <= TREE_SIZE_MAX);
    for (unsigned i = 1; i <= CATEGORY_MAX; i++) {
        INVARIANT(unit->categories[i] <= unit->last - unit->first + 1);
        sum += unit->categories[i];
    }
    INVARIANT(sum == unit->last - unit->first + 1);
    INVARIANT((unit->last >> TILE_HEIGHT) - (unit->first >> TILE_HEIGHT) <
              ARCHIVE_BUNDLES_MAX);
}

/* Its files are those that such a unit has. */
static void check_files(const struct archive_unit *unit, struct writer *again)
{
    uint8_t bytes[ARCHIVE_PATH_SIZE_MAX];
    struct slice files = unit->files;
    struct archive_walk walk;
    struct archive_file file;
    struct archive_line line;
    struct writer path;

    archive_walk_init(&walk, unit);
    while (archive_walk_next(&walk, &file)) {
        const bool told = archive_line_next(&line, &files);

        INVARIANT(told);
        writer_init(&path, bytes, sizeof bytes);
        archive_path_write(&path, &file);
        INVARIANT(slice_equal(writer_slice(&path), line.path));
        INVARIANT(archive_has(unit, line.path));
        archive_line_write(again, &line);
    }
    INVARIANT(!archive_line_next(&line, &files));
    INVARIANT(archive_has(
        unit, slice_of(ARCHIVE_MANIFEST, strlen(ARCHIVE_MANIFEST))));
}

static void check_manifest(struct slice input)
{
    struct writer again = fuzz_writer(input.size);
    struct archive_unit unit;
    struct tile bundle;

    if (archive_unit_read(&unit, input) == ST_OK) {
        check_numbers(&unit);
        archive_unit_write(&again, &unit);
        check_files(&unit, &again);
        archive_end_write(&again);
        INVARIANT(slice_equal(writer_slice(&again), input));
        bundle = archive_bundle(&unit, unit.last);
        INVARIANT(bundle.index == unit.last >> TILE_HEIGHT);
    }
    free(again.data);
}

static void check_ended(struct slice input)
{
    struct writer writer = fuzz_writer(input.size + FUZZ_END_SIZE);

    memcpy(writer.data, input.data, input.size);
    writer.used = input.size;
    archive_end_write(&writer);
    INVARIANT(writer.status == ST_OK);
    check_manifest(writer_slice(&writer));
    free(writer.data);
}

static void check_keys(struct slice input)
{
    struct writer again = fuzz_writer(input.size);
    uint8_t key[PUBLIC_KEY_SIZE], key_id[KEY_ID_SIZE];
    struct archive_keys keys;
    struct note_key cosigner;
    enum status status = archive_keys_read(&keys, input);

    if (status == ST_OK) {
        archive_keys_write(&again, keys.authority, &keys.log_key);
        while ((status = archive_keys_cosigner(&keys, &cosigner)) == ST_OK)
            archive_keys_write_cosigner(&again, &cosigner);
        while (status == ST_END &&
               (status = archive_keys_signer(&keys, key, key_id)) == ST_OK) {
            archive_keys_write_signer(&again, key);
            status = ST_END;
        }
        INVARIANT(keys.cosigners_count <= ARCHIVE_COSIGNERS_MAX);
        INVARIANT(keys.signers_count <= ARCHIVE_SIGNERS_MAX);
        INVARIANT(memcmp(again.data, input.data, again.used) == 0);
        INVARIANT(IMPLIES(status == ST_END && keys.left.size == 0,
                          again.used == input.size));
    }
    free(again.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input;

    if (size < 1 || sodium_init() < 0)
        return 0;
    input = slice_of(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        check_manifest(input);
        break;
    case 1:
        check_ended(input);
        break;
    case 2:
        check_keys(input);
        break;
    }
    return 0;
}
