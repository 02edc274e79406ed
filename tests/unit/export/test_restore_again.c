/* What units are restored from is read twice: it may not be the same then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "client/export/restore.h"
#include "tests/lib/suite.h"
#include "tests/lib/unit_scene.h"

enum { TEST_SIZE = 600, BUNDLE_SIZE_MAX = 1 << 20 };

static struct unit_scene scene;

static size_t read_bundle(uint8_t *out, const char *path)
{
    static uint8_t packed[BUNDLE_SIZE_MAX];
    FILE *file = fopen(path, "rb");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = ZSTD_decompress(out, BUNDLE_SIZE_MAX, packed,
                           fread(packed, 1, sizeof packed, file));
    ck_assert(!ZSTD_isError(size));
    (void)fclose(file);
    return size;
}

static void write_bundle(const char *path, const uint8_t *bytes, size_t size)
{
    static uint8_t packed[BUNDLE_SIZE_MAX];
    size_t packed_size =
        ZSTD_compress(packed, sizeof packed, bytes, size, ZSTD_CLEVEL_DEFAULT);
    FILE *file = fopen(path, "wb");

    ck_assert(!ZSTD_isError(packed_size));
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(packed, 1, packed_size, file), packed_size);
    ck_assert_int_eq(fclose(file), 0);
}

/* Called when signatures are verified: after the last, a bit of the first
 * bundle's middle, which is of some entry, is another one. */
static void change_it_afterwards(void *context, const struct verify_mark *mark)
{
    static uint8_t bytes[BUNDLE_SIZE_MAX];
    char path[UNIT_SCENE_PATH_SIZE];
    bool *changed = context;
    size_t size;

    if (mark->size != TEST_SIZE)
        return;
    ck_assert(!*changed);
    *changed = true;
    unit_scene_path(&scene, path, "a/entries/000.zst");
    size = read_bundle(bytes, path);
    bytes[size / 2] ^= 1;
    write_bundle(path, bytes, size);
}

START_TEST(a_unit_that_changes_once_it_is_verified_is_not_restored)
{
    char path[UNIT_SCENE_PATH_SIZE], target[UNIT_SCENE_PATH_SIZE];
    char *all[] = {path};
    bool changed = false;
    struct verify_options options = {.directory = path,
                                     .units = all,
                                     .units_count = 1,
                                     .context = &changed,
                                     .save = change_it_afterwards};
    struct restore_result result;
    enum status status;

    unit_scene_open(&scene, TEST_SIZE);
    ck_assert_int_eq(unit_scene_make(&scene, "a", 1, 0, TEST_SIZE - 1), ST_OK);
    unit_scene_path(&scene, path, "a");
    unit_scene_path(&scene, target, "again");
    status = restore_log(&result, &scene.report, &options, target, false);
    ck_assert(changed);
    ck_assert_int_eq(status, ST_DISK_FAILED);
    ck_assert(result.is_judged);
    unit_scene_close(&scene);
}
END_TEST

SUITE_MAIN("restore_again",
           a_unit_that_changes_once_it_is_verified_is_not_restored)
