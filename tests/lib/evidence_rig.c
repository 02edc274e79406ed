#include "tests/lib/evidence_rig.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/log_maker.h"

enum { RIG_SEGMENT = 64 * 1024, RIG_ENTRY = 300 };

static void rig_new_log(struct evidence_rig *rig)
{
    struct journal_options options = {.segment_size = RIG_SEGMENT, .epoch = 9};
    struct journal_report report;
    struct disk *disk;

    rig->log_model = disk_model_new();
    rig->end = (struct journal_end){.size = 0};
    disk = disk_model_disk(rig->log_model);
    ck_assert_uint_eq(journal_create(disk, &options), ST_OK);
    options.incarnation++;
    ck_assert_uint_eq(journal_open(&rig->journal, &report, disk, &options),
                      ST_OK);
}

void evidence_rig_begin(struct evidence_rig *rig)
{
    static const uint8_t seed[SEED_SIZE] = {7};

    memset(rig, 0, sizeof *rig);
    ck_assert_int_ge(sodium_init(), 0);
    rig->model = disk_model_new();
    rig->wall_us = INT64_C(1786957200000000);
    identity_init(&rig->log_identity, seed);
    note_key_init(&rig->log_key,
                  slice_of(EVIDENCE_RIG_ORIGIN, strlen(EVIDENCE_RIG_ORIGIN)),
                  NOTE_ED25519, rig->log_identity.public_key);
    rig_new_log(rig);
}

void evidence_rig_end(struct evidence_rig *rig)
{
    evidence_rig_close(rig);
    journal_close(rig->journal);
    disk_model_free(rig->log_model);
    disk_model_free(rig->model);
}

void evidence_rig_grow(struct evidence_rig *rig, size_t count)
{
    uint8_t bytes[RIG_ENTRY];

    for (size_t i = 0; i < count; i++) {
        const uint64_t index = rig->end.size;
        struct journal_entry entry;

        ck_assert_uint_lt(index, EVIDENCE_RIG_ENTRIES_MAX);
        entry =
            log_maker_entry(bytes, &rig->end, sizeof bytes, 1, rig->variant);
        memcpy(rig->leaves[index], entry.leaf, HASH_SIZE);
        ck_assert_uint_eq(journal_append(rig->journal, &entry, 1), ST_OK);
    }
    ck_assert_uint_eq(journal_sync(rig->journal, rig->end.size), ST_OK);
}

void evidence_rig_replace_log(struct evidence_rig *rig)
{
    ck_assert_ptr_null(rig->evidence);
    journal_close(rig->journal);
    disk_model_free(rig->log_model);
    rig->variant++;
    rig_new_log(rig);
}

/* ---- Events ------------------------------------------------------------- */

static void rig_on_say(void *context, enum evidence_level level,
                       const char *line)
{
    struct evidence_rig *rig = context;
    size_t used = strlen(rig->said);

    (void)level;
    if (used + strlen(line) + 2 > sizeof rig->said)
        used = 0;
    (void)snprintf(rig->said + used, sizeof rig->said - used, "%s\n", line);
}

static void rig_on_checkpoint(void *context,
                              const struct evidence_checkpoint *checkpoint)
{
    struct evidence_rig *rig = context;

    ck_assert_uint_lt(rig->told_count, EVIDENCE_RIG_SIGNED_MAX);
    rig->told_sizes[rig->told_count] = checkpoint->size;
    rig->told_own[rig->told_count] = checkpoint->own;
    memcpy(rig->told_roots[rig->told_count++], checkpoint->root, HASH_SIZE);
}

static void rig_on_witnessed(void *context,
                             const struct evidence_checkpoint *checkpoint)
{
    struct evidence_rig *rig = context;

    ck_assert_uint_ge(checkpoint->size, rig->witnessed);
    rig->witnessed = checkpoint->size;
}

static int64_t rig_wall(void *context)
{
    const struct evidence_rig *rig = context;

    return rig->wall_us;
}

static int64_t rig_boot(void *context)
{
    const struct evidence_rig *rig = context;

    return rig->boot_us;
}

static bool rig_find_cosigner(void *context, struct note_key *key_out,
                              const struct note_signature *line)
{
    const struct evidence_rig *rig = context;

    if (rig->cosigner == NULL || !note_is_of(line, rig->cosigner))
        return false;
    *key_out = *rig->cosigner;
    return true;
}

/* ---- Steps -------------------------------------------------------------- */

enum status evidence_rig_open(struct evidence_rig *rig, uint64_t applied)
{
    const struct evidence_parts parts = {
        .disk = disk_model_disk(rig->model),
        .journal = rig->journal,
        .origin = EVIDENCE_RIG_ORIGIN,
        .log_public_key = rig->log_identity.public_key,
        .log_identity = rig->keyless ? NULL : &rig->log_identity,
        .policy = rig->policy,
        .cosigners = {rig, rig_find_cosigner},
        .clock_context = rig,
        .wall_us = rig_wall,
        .boot_us = rig_boot,
        .events = {rig, rig_on_say, rig_on_checkpoint, rig_on_witnessed},
    };

    return evidence_open(&rig->evidence, &parts, applied);
}

void evidence_rig_close(struct evidence_rig *rig)
{
    evidence_close(rig->evidence);
    rig->evidence = NULL;
}

void evidence_rig_crash(struct evidence_rig *rig, bool keep)
{
    struct disk_model *after;

    evidence_rig_close(rig);
    after = disk_model_crash(rig->model, NULL, 0, keep, SIZE_MAX);
    disk_model_free(rig->model);
    rig->model = after;
}

void evidence_rig_apply(struct evidence_rig *rig, uint64_t size)
{
    struct evidence_status status;

    ck_assert_uint_le(size, rig->end.size);
    evidence_status(rig->evidence, &status);
    for (uint64_t i = status.tree_size; i < size; i++)
        evidence_applied(rig->evidence, i, rig->leaves[i]);
    evidence_publish(rig->evidence);
}

void evidence_rig_turn(struct evidence_rig *rig, int64_t seconds)
{
    rig->wall_us += seconds * 1000000;
    rig->boot_us += seconds * 1000000;
    while (evidence_turn(rig->evidence) == 0)
        continue;
}

void evidence_rig_root(const struct evidence_rig *rig, uint8_t out[HASH_SIZE],
                       uint64_t size)
{
    tree_root_of(out, (const uint8_t(*)[HASH_SIZE])rig->leaves, (size_t)size);
}

uint64_t evidence_rig_note(struct evidence_rig *rig)
{
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    uint8_t root[HASH_SIZE];
    struct checkpoint checkpoint;
    struct note note;
    size_t size;

    if (evidence_note(rig->evidence, bytes, &size) != ST_OK)
        return 0;
    ck_assert_uint_eq(checkpoint_open(&checkpoint, &note, slice_of(bytes, size),
                                      &rig->log_key),
                      ST_OK);
    evidence_rig_root(rig, root, checkpoint.size);
    ck_assert_mem_eq(checkpoint.root, root, HASH_SIZE);
    return checkpoint.size;
}

struct slice evidence_rig_sign(const struct evidence_rig *rig, uint8_t *out,
                               size_t out_size, uint64_t size,
                               const uint8_t root[HASH_SIZE])
{
    struct checkpoint checkpoint = {.origin = note_key_name(&rig->log_key),
                                    .size = size};
    struct writer writer;

    memcpy(checkpoint.root, root, HASH_SIZE);
    writer_init(&writer, out, out_size);
    checkpoint_sign(&writer, &checkpoint, &rig->log_key, &rig->log_identity);
    ck_assert_uint_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}
