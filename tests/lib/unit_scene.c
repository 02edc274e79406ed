#include "tests/lib/unit_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>
#include <sodium.h>

#include "client/audit/unit.h"
#include "tests/lib/quick_folder.h"

enum { SCENE_UNITS_MAX = 8, SCENE_SEGMENT_SIZE = 128 * 1024 };

void unit_scene_path(const struct unit_scene *scene,
                     char out[UNIT_SCENE_PATH_SIZE], const char *name)
{
    (void)snprintf(out, UNIT_SCENE_PATH_SIZE, "%s/%s", scene->base, name);
}

static void scene_begin(struct unit_scene *scene,
                        char log[UNIT_SCENE_PATH_SIZE])
{
    ck_assert_int_ge(sodium_init(), 0);
    memset(scene, 0, sizeof *scene);
    scene->result.report = &scene->report;
    quick_folder(scene->base, "unit");
    unit_scene_path(scene, scene->node, "node");
    ck_assert_int_eq(mkdir(scene->node, 0700), 0);
    unit_scene_path(scene, log, "node/log");
    ck_assert_int_eq(mkdir(log, 0700), 0);
}

void unit_scene_open(struct unit_scene *scene, uint64_t size)
{
    char path[UNIT_SCENE_PATH_SIZE];
    struct long_log_options options = {.size = size,
                                       .items = 1,
                                       .fields_size = 64,
                                       .segment_size = SCENE_SEGMENT_SIZE,
                                       .directory = path};

    scene_begin(scene, path);
    long_log_make(&scene->log, &options);
    unit_scene_path(scene, path, "node/checkpoint");
    long_log_checkpoint(&scene->log, path);
}

void unit_scene_open_signed(struct unit_scene *scene,
                            const struct signed_log *log)
{
    char path[UNIT_SCENE_PATH_SIZE];
    uint8_t leaf[HASH_SIZE];

    scene_begin(scene, path);
    signed_log_write(log, path, SCENE_SEGMENT_SIZE);
    scene->log.head = *log;
    tree_init(&scene->log.tree);
    for (size_t i = 0; i < log->count; i++) {
        entry_leaf_hash(leaf,
                        slice_of(log->entries[i].bytes, log->entries[i].size));
        tree_append(&scene->log.tree, leaf);
    }
    unit_scene_path(scene, path, "node/checkpoint");
    long_log_checkpoint(&scene->log, path);
}

void unit_scene_close(struct unit_scene *scene)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -r %s", scene->base);
    ck_assert_int_eq(system(command), 0);
}

enum status unit_scene_make(struct unit_scene *scene, const char *name,
                            uint64_t number, uint64_t first, uint64_t last)
{
    char path[UNIT_SCENE_PATH_SIZE];
    struct unit_export_options options = {.directory = scene->node,
                                          .target = path,
                                          .number = number,
                                          .first = first,
                                          .last = last,
                                          .threads = 1};

    unit_scene_path(scene, path, name);
    return unit_export(&scene->result, &options);
}

enum report_verdict unit_scene_judge(struct unit_scene *scene,
                                     const char *const *names)
{
    static char paths[SCENE_UNITS_MAX][UNIT_SCENE_PATH_SIZE];
    static char *all[SCENE_UNITS_MAX];
    struct verify_options options = {.threads = 1, .units = all};

    while (names[options.units_count] != NULL) {
        size_t at = options.units_count++;

        ck_assert_uint_lt(at, SCENE_UNITS_MAX);
        unit_scene_path(scene, paths[at], names[at]);
        all[at] = paths[at];
    }
    options.directory = all[0];
    ck_assert_int_eq(verify_given(&scene->report, &options), ST_OK);
    return scene->report.verdict;
}

static void scene_line(struct writer *manifest, const char *path,
                       struct archive_line line)
{
    static uint8_t bytes[1024 * 1024];
    char whole[2 * UNIT_SCENE_PATH_SIZE];
    FILE *file;

    (void)snprintf(whole, sizeof whole, "%s/%.*s", path, (int)line.path.size,
                   (const char *)line.path.data);
    file = fopen(whole, "rb");
    ck_assert_msg(file != NULL, "%s", whole);
    line.size = fread(bytes, 1, sizeof bytes, file);
    ck_assert_uint_lt(line.size, sizeof bytes);
    fclose(file);
    crypto_hash_sha256(line.hash, bytes, line.size);
    archive_line_write(manifest, &line);
}

void unit_scene_reseal(struct unit_scene *scene, const char *name)
{
    static uint8_t bytes[1024 * 1024];
    static struct report ignored;
    char path[UNIT_SCENE_PATH_SIZE], whole[2 * UNIT_SCENE_PATH_SIZE];
    struct archive_line line;
    struct writer manifest;
    struct slice files;
    struct unit unit;
    FILE *file;

    unit_scene_path(scene, path, name);
    memset(&ignored, 0, sizeof ignored);
    ck_assert_int_eq(unit_open(&unit, &ignored, path, ""), ST_OK);
    ck_assert(!ignored.fault.found);
    writer_init(&manifest, bytes, sizeof bytes);
    archive_unit_write(&manifest, &unit.told);
    files = unit.told.files;
    while (archive_line_next(&line, &files))
        scene_line(&manifest, path, line);
    archive_end_write(&manifest);
    ck_assert_int_eq(manifest.status, ST_OK);
    unit_close(&unit);
    (void)snprintf(whole, sizeof whole, "%s/" ARCHIVE_MANIFEST, path);
    file = fopen(whole, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, manifest.used, file), manifest.used);
    fclose(file);
}
