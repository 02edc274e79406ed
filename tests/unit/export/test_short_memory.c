/* ctest-wrap: malloc calloc realloc reallocarray */
/* ctest-timeout: 300 */
/* Whoever has no memory says so, and judges nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/unit.h"
#include "client/export/restore.h"
#include "client/export/tiles_export.h"
#include "client/export/units_due.h"
#include "protocol/lines.h"
#include "protocol/tlog_proof.h"
#include "tests/lib/short_memory.h"
#include "tests/lib/suite.h"
#include "tests/lib/unit_scene.h"

enum {
    LONG_SIZE = 300, /* Entries: more than a bundle. */
    SPLIT = 260,     /* The second unit begins here. */
    CALLS_MIN = 4,   /* Fewer calls are no test. */
    PROVEN = 3
};

static struct unit_scene scene;
static struct report report;
static struct verify_options options;
static char target[UNIT_SCENE_PATH_SIZE], policy[UNIT_SCENE_PATH_SIZE];
static char receipts[UNIT_SCENE_PATH_SIZE], proof[UNIT_SCENE_PATH_SIZE];
static char unit_paths[2][UNIT_SCENE_PATH_SIZE];
static char *units[] = {unit_paths[0], unit_paths[1]};

static void run(const char *command, const char *path)
{
    char line[2 * UNIT_SCENE_PATH_SIZE];

    (void)snprintf(line, sizeof line, "%s %s", command, path);
    ck_assert_int_eq(system(line), 0);
}

static void write_file(const char *path, struct slice bytes)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
}

/* ---- The log, and what is held against it -------------------------------- */

static void add_record(struct signed_log *log)
{
    struct op_archive_prepare in = {.unit = 1, .last = 1, .bytes = 1};
    uint8_t bytes[256];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    in.categories = list_begin(&writer);
    for (unsigned i = 0; i < CATEGORIES_COUNT; i++) {
        struct number count = {.value = i};

        list_add(&in.categories, &writer, &schema_number, &count);
    }
    signed_log_add(log, &log->node, OPCODE_ARCHIVE_PREPARE, 0, &in, ST_OK);
}

static void write_policy(void)
{
    const struct slice origin = slice_of("test", 4);
    struct note_key key;
    struct writer writer;
    uint8_t bytes[256];

    note_key_init(&key, origin, NOTE_ED25519,
                  scene.log.head.authority.public_key);
    writer_init(&writer, bytes, sizeof bytes);
    lines_write(&writer, "log ");
    note_key_write(&writer, &key);
    lines_write(&writer, "\nquorum none\n");
    write_file(policy, writer_slice(&writer));
}

static void write_receipt(void)
{
    uint8_t record[SIGNED_LOG_RECEIPT_SIZE];

    signed_log_receipt(&scene.log.head, record, PROVEN, &scene.log.head.node,
                       false);
    write_file(receipts, slice_of(record, sizeof record));
}

/* Keys, an archive record, attestations of both; checkpoint, policy, receipt.
 */
static void small_scene(void)
{
    static struct signed_log log;
    struct identity key;

    ck_assert_int_ge(sodium_init(), 0);
    signed_log_init(&log);
    signed_log_key(&key, 9);
    signed_log_enrol(&log, &key, 0, ST_OK);
    add_record(&log);
    signed_log_attest(&log);
    signed_log_ping(&log);
    signed_log_attest(&log);
    unit_scene_open_signed(&scene, &log);
    unit_scene_path(&scene, target, "target");
    unit_scene_path(&scene, policy, "policy");
    unit_scene_path(&scene, receipts, "receipts");
    unit_scene_path(&scene, proof, "a.tlog-proof");
    write_policy();
    write_receipt();
    options = (struct verify_options){.directory = scene.node,
                                      .policy = policy,
                                      .receipts = receipts,
                                      .threads = 1};
}

static void long_scene(void)
{
    unit_scene_open(&scene, LONG_SIZE);
    unit_scene_path(&scene, target, "target");
    options = (struct verify_options){
        .directory = scene.node, .no_signatures = true, .threads = 1};
}

static void long_units(void)
{
    long_scene();
    ck_assert_int_eq(unit_scene_make(&scene, "a", 1, 0, SPLIT - 1), ST_OK);
    ck_assert_int_eq(unit_scene_make(&scene, "b", 2, SPLIT, LONG_SIZE - 1),
                     ST_OK);
    unit_scene_path(&scene, unit_paths[0], "a");
    unit_scene_path(&scene, unit_paths[1], "b");
    options.units = units;
    options.units_count = 2;
}

static void write_proof(void)
{
    const struct signed_log *log = &scene.log.head;
    static uint8_t leaves[SIGNED_LOG_ENTRIES_MAX][HASH_SIZE];
    static uint8_t note[LONG_LOG_CHECKPOINT_SIZE_MAX];
    static uint8_t extra[SIGNED_LOG_ENTRY_SIZE_MAX * 2];
    static uint8_t bytes[TLOG_PROOF_SIZE_MAX];
    struct tree_leaves all = {.hashes = (const uint8_t(*)[HASH_SIZE])leaves,
                              .count = log->count};
    struct tree_source source = {.context = &all, .read = tree_leaves_read};
    struct tlog_proof file = {.index = PROVEN};
    char path[UNIT_SCENE_PATH_SIZE];
    struct writer writer;
    FILE *stream;

    for (size_t i = 0; i < log->count; i++)
        entry_leaf_hash(leaves[i],
                        slice_of(log->entries[i].bytes, log->entries[i].size));
    ck_assert_int_eq(tree_inclusion_make(file.hashes, &file.count, &source,
                                         file.index, log->count),
                     ST_OK);
    unit_scene_path(&scene, path, "node/checkpoint");
    stream = fopen(path, "rb");
    ck_assert_ptr_nonnull(stream);
    file.note = slice_of(note, fread(note, 1, sizeof note, stream));
    fclose(stream);
    writer_init(&writer, extra, sizeof extra);
    lines_write_base64(&writer, log->entries[PROVEN].bytes,
                       log->entries[PROVEN].size);
    file.extra = writer_slice(&writer);
    writer_init(&writer, bytes, sizeof bytes);
    tlog_proof_write(&writer, &file);
    ck_assert_int_eq(writer.status, ST_OK);
    write_file(proof, writer_slice(&writer));
}

/* ---- Each call in turn --------------------------------------------------- */

/*
 * ${act} does without each call in turn, and without all that come after it: it
 * says so, or comes to what it came to with them.
 */
static void lacks_each(enum status (*act)(void), void (*look)(enum status))
{
    const enum status whole = act();
    const struct report before = report;
    size_t number, count, shorts = 0;

    for (unsigned i = 0; i < 2; i++) {
        for (number = 1;; number++) {
            enum status status;

            if (access(target, F_OK) == 0)
                run("rm -r", target);
            short_memory_begin(number, i == 1);
            status = act();
            count = short_memory_end();
            if (look != NULL)
                look(status);
            if (count < number)
                break;
            ck_assert_msg(status == ST_EXHAUSTED || status == whole,
                          "call %zu: %s", number, status_name(status));
            shorts += status == ST_EXHAUSTED;
            if (status == ST_EXHAUSTED)
                continue;
            ck_assert_int_eq(report.verdict, before.verdict);
            ck_assert_ptr_eq(report.fault.what, before.fault.what);
            ck_assert_uint_eq(report.entries, before.entries);
        }
    }
    ck_assert_uint_gt(shorts, CALLS_MIN);
}

static enum status act_verify(void)
{
    return verify_given(&report, &options);
}

START_TEST(without_memory_a_log_is_not_judged)
{
    small_scene();
    lacks_each(act_verify, NULL);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
    ck_assert_uint_eq(report.receipts, 1);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(without_memory_a_damaged_log_is_not_judged)
{
    char path[UNIT_SCENE_PATH_SIZE];
    FILE *file;

    small_scene();
    unit_scene_path(&scene, path, "node/log/00000000000000000000.seg");
    file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, SEGMENT_HEADER_SIZE + 200, SEEK_SET), 0);
    ck_assert_int_ne(fputc(0xaa, file), EOF);
    fclose(file);
    lacks_each(act_verify, NULL);
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
    ck_assert_ptr_nonnull(strstr(report.fault.what, "checksum"));
    unit_scene_close(&scene);
}
END_TEST

START_TEST(without_memory_a_proof_is_not_judged)
{
    struct verify_options proving = {.directory = proof,
                                     .policy = policy,
                                     .receipts = receipts,
                                     .has_authority = true};

    small_scene();
    write_proof();
    memcpy(proving.authority, scene.log.head.authority.public_key,
           PUBLIC_KEY_SIZE);
    options = proving;
    lacks_each(act_verify, NULL);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(without_memory_units_are_not_judged)
{
    long_units();
    lacks_each(act_verify, NULL);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
    options.units++; /* One that does not begin at entry 0. */
    options.units_count = 1;
    lacks_each(act_verify, NULL);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
    unit_scene_close(&scene);
}
END_TEST

/* ---- What is written ----------------------------------------------------- */

static enum status act_tiles(void)
{
    const struct tiles_export_options exporting = {
        .directory = scene.node, .target = target, .threads = 1};
    struct tiles_export_result result;

    return tiles_export(&result, &exporting);
}

/* A tree without a checkpoint is none. */
static void look_tiles(enum status status)
{
    char path[UNIT_SCENE_PATH_SIZE];
    FILE *file;

    unit_scene_path(&scene, path, "target/checkpoint");
    file = fopen(path, "rb");
    ck_assert_int_eq(file != NULL, status == ST_OK);
    if (file != NULL)
        fclose(file);
}

START_TEST(without_memory_a_tree_is_not_written_and_not_judged)
{
    char tree[UNIT_SCENE_PATH_SIZE];

    long_scene();
    lacks_each(act_tiles, look_tiles);
    unit_scene_path(&scene, tree, "tree");
    ck_assert_int_eq(act_tiles(), ST_OK);
    ck_assert_int_eq(rename(target, tree), 0);
    options.directory = tree;
    lacks_each(act_verify, NULL);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
    ck_assert_int_eq(report.kind, REPORT_TILES);
    unit_scene_close(&scene);
}
END_TEST

static enum status act_unit(void)
{
    return unit_scene_make(&scene, "target", 1, 0, LONG_SIZE - 1);
}

static void look_unit(enum status status)
{
    ck_assert_int_eq(unit_is_one(target), status == ST_OK);
}

START_TEST(without_memory_no_unit_is_written)
{
    long_scene();
    lacks_each(act_unit, look_unit);
    unit_scene_close(&scene);
}
END_TEST

static enum status act_due(void)
{
    const struct units_due_options making = {
        .directory = scene.node, .target = target, .threads = 1};
    struct units_due_result result = {.report = &report};

    return units_due(&result, &making);
}

START_TEST(without_memory_units_that_are_due_are_not_made)
{
    small_scene();
    lacks_each(act_due, NULL);
    unit_scene_close(&scene);
}
END_TEST

static enum status act_restore(void)
{
    struct restore_result result;

    return restore_log(&result, &report, &options, target, false);
}

START_TEST(without_memory_a_log_is_not_restored)
{
    long_units();
    lacks_each(act_restore, NULL);
    unit_scene_close(&scene);
}
END_TEST

SUITE_MAIN("short_memory", without_memory_a_log_is_not_judged,
           without_memory_a_damaged_log_is_not_judged,
           without_memory_a_proof_is_not_judged,
           without_memory_units_are_not_judged,
           without_memory_a_tree_is_not_written_and_not_judged,
           without_memory_no_unit_is_written,
           without_memory_units_that_are_due_are_not_made,
           without_memory_a_log_is_not_restored)
