/* fuzz-runs: 1000
 *
 * fz_mark.c: the small files of a node (mark, meta, the intent to cut, that it
 * halted) as anybody may have written them.  What decodes is written again as
 * the same bytes.
 *
 * The first byte chooses: bit 0, checksums of slots are made to fit.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "replication/halt.h"
#include "replication/journal_parts.h"
#include "replication/mark.h"
#include "replication/meta.h"
#include "tests/lib/disk_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bodies(struct slice body)
{
    static uint8_t out[SLOTS_BODY_SIZE_MAX];
    static struct meta_value meta;
    struct mark_value mark;
    static uint8_t halted[HALT_SIZE_MAX];
    struct journal_cut cut;
    struct halt_note note;
    size_t size;

    if (mark_decode(&mark, body) == ST_OK) {
        mark_encode(out, &mark);
        INVARIANT(slice_equal(body, slice_of(out, MARK_BODY_SIZE)));
    }
    if (meta_decode(&meta, body) == ST_OK) {
        meta_encode(out, &size, &meta);
        INVARIANT(slice_equal(body, slice_of(out, size)));
    }
    if (journal_cut_decode(&cut, body) == ST_OK) {
        journal_cut_encode(out, &cut);
        INVARIANT(slice_equal(body, slice_of(out, JOURNAL_CUT_SIZE)));
    }
    if (halt_decode(&note, body) == ST_OK) {
        size = halt_encode(halted, &note);
        INVARIANT(slice_equal(body, slice_of(halted, size)));
    }
}

/* Both slots of a file, with a sum that fits if asked for. */
static void check_file(const uint8_t *magic, const char *name,
                       struct slice input, bool fit)
{
    static uint8_t both[2 * SLOT_SIZE];
    struct disk_model *model = disk_model_new();
    struct slots slots;
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t size;
    enum status status;

    memset(both, 0, sizeof both);
    memcpy(both, input.data,
           input.size < sizeof both ? input.size : sizeof both);
    if (fit && input.size <= SLOTS_BODY_SIZE_MAX) {
        slots_encode(both, magic, 4, input);
        slots_encode(both + SLOT_SIZE, magic, 3, input);
    }
    status = disk_replace(disk_model_disk(model), name, "", both, sizeof both);
    INVARIANT(status == ST_OK);
    status =
        slots_open(&slots, body, &size, disk_model_disk(model), name, magic);
    if (status == ST_OK) {
        check_bodies(slice_of(body, size));
        status = slots_write(&slots, slice_of(body, size));
        INVARIANT(status == ST_OK);
        slots_close(&slots);
    }
    disk_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mark_magic[SLOTS_MAGIC_SIZE] = "DFTMARK";
    static const uint8_t meta_magic[SLOTS_MAGIC_SIZE] = "DFTMETA";
    struct slice input;

    if (size < 2)
        return 0;
    input = slice_of(data + 1, size - 1);
    check_bodies(input);
    check_file(mark_magic, MARK_FILE, input, (data[0] & 1) != 0);
    check_file(meta_magic, META_FILE, input, (data[0] & 1) != 0);
    return 0;
}
