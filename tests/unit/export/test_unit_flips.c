/* ctest-timeout: 900 */
/* ctest-label: release */
/* Whatever single bit of a small archive unit is another, the verifier says so
 * and names the file; also where the manifest was made anew to fit. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "client/audit/unit.h"
#include "tests/lib/flip.h"
#include "tests/lib/suite.h"
#include "tests/lib/unit_scene.h"

enum { TEST_FILE_SIZE_MAX = 64 * 1024 };

static struct unit_scene scene;
static uint8_t bytes[TEST_FILE_SIZE_MAX];
static uint8_t packed[TEST_FILE_SIZE_MAX];
static const char *const unit_name[] = {"u", NULL};

/* Genesis, epoch, a secret, an attestation, and a ping. */
static void setup(void)
{
    struct op_system_secret secret = {.secret = {{1}}};
    static struct signed_log made;

    signed_log_init(&made);
    signed_log_add(&made, &made.node, OPCODE_SYSTEM_SECRET, 0, &secret, ST_OK);
    signed_log_attest(&made);
    signed_log_ping(&made);
    unit_scene_open_signed(&scene, &made);
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, 0, UINT64_MAX), ST_OK);
    ck_assert_int_eq(unit_scene_judge(&scene, unit_name), REPORT_GOOD);
}

static void path_of(char out[UNIT_SCENE_PATH_SIZE], const char *name)
{
    (void)snprintf(out, UNIT_SCENE_PATH_SIZE, "%s/u/%s", scene.base, name);
}

static size_t read_file(const char *name)
{
    char path[UNIT_SCENE_PATH_SIZE];
    FILE *file;
    size_t size;

    path_of(path, name);
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    size = fread(bytes, 1, sizeof bytes, file);
    ck_assert_uint_lt(size, sizeof bytes);
    fclose(file);
    return size;
}

static void write_file(const char *name, const uint8_t *content, size_t size)
{
    char path[UNIT_SCENE_PATH_SIZE];
    FILE *file;

    path_of(path, name);
    file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, size, file), size);
    fclose(file);
}

static void assert_named(const char *name, size_t bit)
{
    ck_assert_msg(unit_scene_judge(&scene, unit_name) == REPORT_TAMPERED,
                  "%s, bit %zu", name, bit);
    ck_assert_msg(strcmp(scene.report.fault.file, name) == 0,
                  "%s, bit %zu: said to be in %s: %s", name, bit,
                  scene.report.fault.file, scene.report.fault.what);
}

static void flip_all(const char *name)
{
    size_t size = read_file(name);
    char path[UNIT_SCENE_PATH_SIZE];
    int file;

    path_of(path, name);
    file = open(path, O_WRONLY);
    ck_assert_int_ge(file, 0);
    for (size_t bit = 0; bit < size * 8; bit += flip_step()) {
        uint8_t byte = (uint8_t)(bytes[bit / 8] ^ 1U << bit % 8);

        ck_assert_int_eq(pwrite(file, &byte, 1, (off_t)(bit / 8)), 1);
        assert_named(name, bit);
        ck_assert_int_eq(pwrite(file, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    close(file);
}

/* The names of all files that the unit has, one after the other. */
static bool next_file(struct archive_walk *walk, char out[UNIT_PATH_SIZE],
                      struct archive_file *file)
{
    if (!archive_walk_next(walk, file))
        return false;
    unit_file_name(out, file);
    return true;
}

START_TEST(every_bit_of_every_file_is_found_and_its_file_named)
{
    const struct archive_unit all = {.last = 4, .size = 5};
    char name[UNIT_PATH_SIZE];
    struct archive_walk walk;
    struct archive_file file;
    size_t count = 0;

    setup();
    ck_assert_uint_eq(scene.report.entries, 5);
    archive_walk_init(&walk, &all);
    while (next_file(&walk, name, &file)) {
        flip_all(name);
        count++;
    }
    flip_all("manifest");
    ck_assert_uint_eq(count, 6);
    ck_assert_int_eq(unit_scene_judge(&scene, unit_name), REPORT_GOOD);
    unit_scene_close(&scene);
}
END_TEST

/* ---- Under a manifest made anew ---------------------------------------- */

/* Of what was signed, each bit matters whoever writes the manifest. */
static void flip_resealed(const char *name, bool is_packed)
{
    static uint8_t plain[TEST_FILE_SIZE_MAX], original[TEST_FILE_SIZE_MAX];
    const size_t file_size = read_file(name);
    size_t size = file_size;

    memcpy(original, bytes, file_size);
    memcpy(plain, bytes, file_size);
    if (is_packed) {
        size = ZSTD_decompress(plain, sizeof plain, bytes, file_size);
        ck_assert(!ZSTD_isError(size));
    }
    for (size_t bit = 0; bit < size * 8; bit += flip_step()) {
        size_t got = size;

        plain[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (is_packed)
            got = ZSTD_compress(packed, sizeof packed, plain, size, 1);
        write_file(name, is_packed ? packed : plain, got);
        plain[bit / 8] ^= (uint8_t)(1U << bit % 8);
        unit_scene_reseal(&scene, "u");
        ck_assert_msg(unit_scene_judge(&scene, unit_name) == REPORT_TAMPERED,
                      "%s, bit %zu", name, bit);
        ck_assert_str_ne(scene.report.fault.file, "");
    }
    write_file(name, original, file_size);
    unit_scene_reseal(&scene, "u");
    ck_assert_int_eq(unit_scene_judge(&scene, unit_name), REPORT_GOOD);
}

START_TEST(every_bit_of_the_entries_is_found_under_a_manifest_made_anew)
{
    setup();
    flip_resealed("entries/000.p/5.zst", true);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(every_bit_of_tiles_and_keys_is_found_under_a_manifest_made_anew)
{
    setup();
    flip_resealed("tile/0/000.p/5", false);
    flip_resealed("checkpoint", false);
    flip_resealed("genesis", false);
    flip_resealed("keys", false);
    unit_scene_close(&scene);
}
END_TEST

SUITE_MAIN("unit_flips", every_bit_of_every_file_is_found_and_its_file_named,
           every_bit_of_the_entries_is_found_under_a_manifest_made_anew,
           every_bit_of_tiles_and_keys_is_found_under_a_manifest_made_anew)
