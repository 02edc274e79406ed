/* fuzz-runs: 1000
 *
 * fz_mark.c: the small files of a node (mark, meta, the intent to cut, that it
 * halted) as anybody may have written them.  What decodes is written again as
 * the same bytes.
 *
 * The first byte chooses: bit 0, checksums of slots are made to fit; bit 1, the
 * file that a node halted is made to fit; bit 2, one slot is left empty.
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

/* ---- As the node opens them ---------------------------------------------- */

/* What is written to a mark is what it is opened with again. */
static void check_mark(struct disk *disk)
{
    uint8_t bytes[MARK_BODY_SIZE], again[MARK_BODY_SIZE];
    struct mark_lost lost;
    struct mark mark;
    enum status status = mark_open(&mark, disk);

    INVARIANT(status == ST_OK || status == ST_LOST);
    if (status != ST_OK)
        return;
    mark_encode(bytes, &mark.value);
    lost = mark.value.lost;
    mark_lost_join(&mark.value.lost, &lost); /* The same once more. */
    INVARIANT(mark_write(&mark, &mark.value) == ST_OK);
    mark_close(&mark);
    INVARIANT(mark_open(&mark, disk) == ST_OK);
    mark_encode(again, &mark.value);
    INVARIANT(memcmp(again, bytes, sizeof bytes) == 0);
    lost = (struct mark_lost){.kind = MARK_LOST_TAIL, .size = 1};
    mark_lost_join(&mark.value.lost, &lost);
    INVARIANT(mark.value.lost.kind != MARK_WHOLE);
    mark_close(&mark);
}

/* Numbers only rise, and what was written is opened again. */
static void check_meta(struct disk *disk)
{
    static uint8_t bytes[SLOTS_BODY_SIZE_MAX], again[SLOTS_BODY_SIZE_MAX];
    static struct meta_value before;
    static struct meta meta;
    size_t size, size_again;
    uint32_t epoch;
    enum status status = meta_open(&meta, disk);

    INVARIANT(status == ST_OK || status == ST_FILE_FORMAT);
    if (status != ST_OK)
        return;
    before = meta.value;
    if (before.incarnation < UINT64_MAX - 1) {
        INVARIANT(meta_begin(&meta) == ST_OK);
        INVARIANT(meta_rise(&meta, meta.value.incarnation + 1) == ST_OK);
        INVARIANT(meta.value.incarnation > before.incarnation);
    }
    INVARIANT(meta_claim(&meta, meta.value.incarnation) == ST_OK);
    if (before.promised_epoch >= before.used_epoch) {
        status = meta_take_epoch(&meta, &epoch);
        INVARIANT(status == ST_OK || status == ST_LIMIT);
        INVARIANT(IMPLIES(status == ST_OK, epoch > before.promised_epoch));
        INVARIANT((status == ST_LIMIT) ==
                  (before.promised_epoch == UINT32_MAX));
    }
    INVARIANT(meta_promise(&meta, meta.value.promised_epoch) == ST_OK);
    INVARIANT(meta_promise(&meta, UINT32_MAX) == ST_OK);
    INVARIANT(meta_configure(&meta, meta.value.configuration_number,
                             slice_of(before.configuration,
                                      before.configuration_size)) == ST_OK);
    INVARIANT(meta_force(&meta, before.lineage, meta.value.configuration_number,
                         slice_of(NULL, 0), UINT32_MAX) == ST_OK);
    INVARIANT(!meta.value.doubtful && meta.value.configuration_size == 0);
    meta_encode(bytes, &size, &meta.value);
    meta_close(&meta);
    INVARIANT(meta_open(&meta, disk) == ST_OK);
    meta_encode(again, &size_again, &meta.value);
    INVARIANT(slice_equal(slice_of(bytes, size), slice_of(again, size_again)));
    meta_close(&meta);
}

/* Both slots of a file, with a sum that fits if asked for. */
static void check_file(const uint8_t *magic, const char *name,
                       struct slice input, bool fit, bool torn)
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
        if (!torn)
            slots_encode(both + SLOT_SIZE, magic, 3, input);
    }
    status = disk_replace(disk_model_disk(model), name, "", both, sizeof both);
    INVARIANT(status == ST_OK);
    if (strcmp(name, MARK_FILE) == 0)
        check_mark(disk_model_disk(model));
    else
        check_meta(disk_model_disk(model));
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

/* ---- That it halted ------------------------------------------------------ */

/* Cause, index and time are the input's, what is left of it is the evidence. */
static size_t fit_halted(uint8_t *out, struct slice input)
{
    uint8_t head[20] = {0};
    struct halt_note note = {.evidence = {NULL, 0}};

    memcpy(head, input.data,
           input.size < sizeof head ? input.size : sizeof head);
    note.cause = load_u32(head) == 0 ? HALT_KEPT : load_u32(head);
    note.index = load_u64(head + 4);
    note.time_us = (int64_t)load_u64(head + 12);
    if (input.size > sizeof head)
        note.evidence =
            slice_of(input.data + sizeof head, input.size - sizeof head);
    return halt_encode(out, &note);
}

/* The first cause stays, whatever the next; a node that is cleared is not
 * halted, and the file is kept. */
static void check_halted(struct slice input, bool fit)
{
    static uint8_t file[HALT_SIZE_MAX], buffer[HALT_SIZE_MAX + 1];
    const struct halt_note later = {.cause = HALT_TAIL};
    struct disk_model *model = disk_model_new();
    struct disk *disk = disk_model_disk(model);
    char name[DISK_NAME_SIZE_MAX];
    struct halt_note note, kept;
    struct disk_file *moved;
    enum status status;
    uint32_t cause;

    if (fit)
        input = slice_of(file, fit_halted(file, input));
    status = disk_replace(disk, HALT_FILE, "", input.data, input.size);
    INVARIANT(status == ST_OK);
    status = halt_load(&note, buffer, disk);
    INVARIANT(status == halt_decode(&kept, input));
    INVARIANT(IMPLIES(fit, status == ST_OK));
    INVARIANT(halt_cause(&cause, disk) == ST_OK);
    INVARIANT(cause == (status == ST_OK ? note.cause : UINT32_MAX));
    INVARIANT(halt_text(cause)[0] != '\0');
    INVARIANT(halt_keep(disk, &later) == ST_OK);
    INVARIANT(halt_cause(&cause, disk) == ST_OK);
    INVARIANT(cause == (status == ST_OK ? kept.cause : (uint32_t)later.cause));
    INVARIANT(halt_clear(disk, name) == ST_OK);
    INVARIANT(halt_cause(&cause, disk) == ST_OK && cause == 0);
    INVARIANT(halt_text(cause)[0] != '\0');
    INVARIANT(disk_open(disk, &moved, name) == ST_OK);
    disk_close(moved);
    INVARIANT(halt_keep(disk, &later) == ST_OK);
    INVARIANT(halt_clear(disk, name) == ST_OK);
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
    check_file(mark_magic, MARK_FILE, input, (data[0] & 1) != 0,
               (data[0] & 4) != 0);
    check_file(meta_magic, META_FILE, input, (data[0] & 1) != 0,
               (data[0] & 4) != 0);
    if (input.size <= HALT_EVIDENCE_SIZE_MAX)
        check_halted(input, (data[0] & 2) != 0);
    return 0;
}
