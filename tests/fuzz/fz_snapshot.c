/* fuzz-runs: 30 plain
 * ctest-timeout: 300
 *
 * fz_snapshot.c: a snapshot as anybody may have written it.  A state is filled
 * from it or says why not; of what was taken the same bytes are written again.
 *
 * The first byte chooses: 0, the rest is the whole file; 1, its head is made to
 * fit; 2, at a u16 offset it stands in the snapshot of an empty state, as rows
 * would.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/store/snapshot.h"
#include "tests/lib/disk_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FUZZ_FILE_MAX = 256 * 1024,
    FUZZ_SIZE = 0,      /* Entries applied, says the file's name. */
    FUZZ_HEAD_SIZE = 48 /* Magic, version and layout. */
};

/* What an empty state writes: its head is the one of every snapshot. */
static struct slice empty_snapshot(void)
{
    static uint8_t bytes[64 * 1024];
    static size_t size;
    char name[SNAPSHOT_NAME_SIZE];
    uint8_t digest[HASH_SIZE];
    struct disk_model *model;
    struct disk_file *file;
    struct state *state;

    if (size > 0)
        return slice_of(bytes, size);
    model = disk_model_new();
    INVARIANT(state_open(&state, ":memory:") == ST_OK);
    INVARIANT(snapshot_write(digest, disk_model_disk(model), state) == ST_OK);
    snapshot_name(name, 0, false);
    INVARIANT(disk_open(disk_model_disk(model), &file, name) == ST_OK);
    INVARIANT(disk_read(file, &size, bytes, sizeof bytes, 0) == ST_OK);
    disk_close(file);
    state_close(state);
    disk_model_free(model);
    INVARIANT(size > FUZZ_HEAD_SIZE && size < sizeof bytes);
    return slice_of(bytes, size);
}

static void check_again(struct state *state, struct slice file)
{
    uint8_t wanted[HASH_SIZE], digest[HASH_SIZE];

    crypto_hash_sha256(wanted, file.data, file.size);
    INVARIANT(snapshot_write(digest, NULL, state) == ST_OK);
    INVARIANT(memcmp(wanted, digest, HASH_SIZE) == 0);
}

/* An empty state is dear, and one that nothing was put into is empty still. */
static void check_load(struct disk *disk, struct slice file)
{
    static struct state *state;
    struct state_head head;
    const bool has_head = snapshot_head(&head, disk, FUZZ_SIZE) == ST_OK;
    enum status status;

    if (state == NULL)
        INVARIANT(state_open(&state, ":memory:") == ST_OK);
    status = snapshot_load(state, disk, FUZZ_SIZE);
    INVARIANT(status == ST_OK || status == ST_FILE_FORMAT);
    INVARIANT(IMPLIES(status == ST_OK, has_head));
    if (status == ST_OK) {
        INVARIANT(head.applied_size == FUZZ_SIZE);
        check_again(state, file);
    }
    if (has_head) {
        state_close(state);
        state = NULL;
    }
}

static size_t make_file(uint8_t *out, const uint8_t *data, size_t size)
{
    const struct slice empty = empty_snapshot();
    size_t at;

    if (data[0] % 3 < 2) {
        memcpy(out, data + 1, size - 1);
        if (data[0] % 3 == 1 && size - 1 >= FUZZ_HEAD_SIZE)
            memcpy(out, empty.data, FUZZ_HEAD_SIZE);
        return size - 1;
    }
    at = load_u16(data + 1) % (empty.size + 1);
    memcpy(out, empty.data, at);
    memcpy(out + at, data + 3, size - 3);
    memcpy(out + at + size - 3, empty.data + at, empty.size - at);
    return empty.size + size - 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[FUZZ_FILE_MAX];
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_model *model;
    enum status status;

    if (size < 3 || size > sizeof bytes / 2 || sodium_init() < 0)
        return 0;
    size = make_file(bytes, data, size);
    model = disk_model_new();
    snapshot_name(name, FUZZ_SIZE, false);
    status = disk_make_directory(disk_model_disk(model), SNAPSHOT_DIRECTORY);
    INVARIANT(status == ST_OK);
    status = disk_replace(disk_model_disk(model), name, SNAPSHOT_DIRECTORY,
                          bytes, size);
    INVARIANT(status == ST_OK);
    check_load(disk_model_disk(model), slice_of(bytes, size));
    disk_model_free(model);
    return 0;
}
