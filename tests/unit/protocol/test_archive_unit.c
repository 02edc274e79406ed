#define _GNU_SOURCE 1 /* memmem */
#include "protocol/archive_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/archive_format.h"
#include "protocol/archive_keys.h"
#include "protocol/lines.h"
#include "tests/lib/suite.h"

enum { TEST_MANIFEST_SIZE = 16 * 1024, TEST_END_SIZE = 4 + 64 + 1 };

static uint8_t manifest[TEST_MANIFEST_SIZE];
static uint8_t other[TEST_MANIFEST_SIZE];

static struct archive_unit sample(void)
{
    struct archive_unit unit = {.number = 7,
                                .cluster_id = {1},
                                .origin = slice_of("example/log", 11),
                                .authority = {2},
                                .segment_size = 65536,
                                .first = 600,
                                .last = 1100,
                                .bytes = 12345,
                                .size = 1534,
                                .leaf_before = {3},
                                .leaf_after = {4},
                                .root = {5},
                                .has_policy = true};

    unit.categories[1] = 500;
    unit.categories[8] = 1;
    return unit;
}

static void path_of(char out[ARCHIVE_PATH_SIZE_MAX + 1],
                    const struct archive_file *file)
{
    struct writer writer;

    writer_init(&writer, out, ARCHIVE_PATH_SIZE_MAX);
    archive_path_write(&writer, file);
    ck_assert_int_eq(writer.status, ST_OK);
    out[writer.used] = '\0';
}

static struct slice write_all(const struct archive_unit *unit)
{
    char path[ARCHIVE_PATH_SIZE_MAX + 1];
    struct archive_walk walk;
    struct archive_file file;
    struct writer writer;

    writer_init(&writer, manifest, sizeof manifest);
    archive_unit_write(&writer, unit);
    archive_walk_init(&walk, unit);
    while (archive_walk_next(&walk, &file)) {
        struct archive_line line = {.hash = {9}, .size = 32};

        path_of(path, &file);
        line.path = slice_of(path, strlen(path));
        archive_line_write(&writer, &line);
    }
    archive_end_write(&writer);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

/* The text before the end, under a right end. */
static enum status read_resealed(struct archive_unit *unit, size_t size)
{
    struct writer writer;

    writer_init(&writer, other, sizeof other);
    writer.used = size;
    archive_end_write(&writer);
    return archive_unit_read(unit, writer_slice(&writer));
}

START_TEST(a_manifest_is_read_as_it_was_written)
{
    const struct archive_unit unit = sample();
    struct slice bytes = write_all(&unit), files;
    struct archive_unit read;
    struct archive_line line;
    size_t count = 0;

    ck_assert_int_eq(archive_unit_read(&read, bytes), ST_OK);
    ck_assert_uint_eq(read.number, 7);
    ck_assert_uint_eq(read.first, 600);
    ck_assert_uint_eq(read.last, 1100);
    ck_assert_uint_eq(read.size, 1534);
    ck_assert_uint_eq(read.bytes, 12345);
    ck_assert_uint_eq(read.categories[1], 500);
    ck_assert(read.has_policy);
    ck_assert(slice_equal(read.origin, unit.origin));
    ck_assert_mem_eq(read.root, unit.root, HASH_SIZE);
    files = read.files;
    while (archive_line_next(&line, &files))
        count++;
    /* Five texts, bundles 2 to 4, their tiles, the last one, and level 1. */
    ck_assert_uint_eq(count, 5 + 3 + 3 + 1 + 1);
}
END_TEST

START_TEST(a_manifest_without_a_policy_names_none)
{
    struct archive_unit unit = sample(), read;

    unit.has_policy = false;
    ck_assert_int_eq(archive_unit_read(&read, write_all(&unit)), ST_OK);
    ck_assert(!read.has_policy);
    ck_assert(!archive_has(&read, slice_of("policy", 6)));
}
END_TEST

START_TEST(every_truncation_of_a_manifest_is_refused)
{
    const struct archive_unit unit = sample();
    const struct slice bytes = write_all(&unit);
    struct archive_unit read;

    for (size_t i = 0; i < bytes.size; i++)
        ck_assert_int_ne(archive_unit_read(&read, slice_of(bytes.data, i)),
                         ST_OK);
    manifest[bytes.size] = '\n';
    ck_assert_int_ne(
        archive_unit_read(&read, slice_of(bytes.data, bytes.size + 1)), ST_OK);
}
END_TEST

START_TEST(every_flipped_bit_of_a_manifest_is_refused)
{
    const struct archive_unit unit = sample();
    const struct slice bytes = write_all(&unit);
    struct archive_unit read;

    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        manifest[bit / 8] ^= (uint8_t)(1U << bit % 8);
        ck_assert_int_ne(archive_unit_read(&read, bytes), ST_OK);
        manifest[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}
END_TEST

/* Also with a right end: then what is read is what was written. */
START_TEST(every_flipped_bit_under_a_right_end_is_refused_or_another_value)
{
    const struct archive_unit unit = sample();
    const struct slice bytes = write_all(&unit);
    const size_t size = bytes.size - TEST_END_SIZE;
    static uint8_t again[TEST_MANIFEST_SIZE];
    struct archive_unit read;

    for (size_t bit = 0; bit < size * 8; bit++) {
        struct writer writer;

        memcpy(other, bytes.data, size);
        other[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (read_resealed(&read, size) != ST_OK)
            continue;
        writer_init(&writer, again, sizeof again);
        archive_unit_write(&writer, &read);
        ck_assert_uint_eq(writer.used + read.files.size, size);
        ck_assert_mem_eq(again, other, writer.used);
    }
}
END_TEST

/* The sample with ${from} replaced by ${to} once, under a right end. */
static enum status read_changed(const char *from, const char *to)
{
    const struct archive_unit unit = sample();
    const struct slice bytes = write_all(&unit);
    const size_t size = bytes.size - TEST_END_SIZE;
    struct archive_unit read;
    uint8_t *at = memmem(manifest, size, from, strlen(from));
    size_t before;

    ck_assert_msg(at != NULL, "%s", from);
    before = (size_t)(at - manifest);
    memcpy(other, manifest, before);
    memcpy(other + before, to, strlen(to));
    memcpy(other + before + strlen(to), at + strlen(from),
           size - before - strlen(from));
    return read_resealed(&read, size - strlen(from) + strlen(to));
}

START_TEST(what_contradicts_itself_is_refused)
{
    ck_assert_int_eq(read_changed("number 7", "number 8"), ST_OK);
    ck_assert_int_ne(read_changed("number 7", "number 0"), ST_OK);
    ck_assert_int_ne(read_changed("number 7", "number 07"), ST_OK);
    ck_assert_int_ne(read_changed("number 7", "number -7"), ST_OK);
    ck_assert_int_ne(read_changed("first 600", "first 601"), ST_OK);
    ck_assert_int_ne(read_changed("entries 501", "entries 500"), ST_OK);
    ck_assert_int_ne(read_changed("last 1100", "last 599"), ST_OK);
    ck_assert_int_ne(read_changed("size 1534", "size 1100"), ST_OK);
    ck_assert_int_ne(read_changed("size 1534", "size 1535"), ST_OK);
    ck_assert_int_ne(read_changed("category 1 500", "category 1 501"), ST_OK);
    ck_assert_int_ne(read_changed("origin example/log", "origin a b"), ST_OK);
    ck_assert_int_ne(read_changed("origin example/log", "origin "), ST_OK);
    ck_assert_int_ne(read_changed("unit 1", "unit 2"), ST_OK);
}
END_TEST

START_TEST(files_that_are_no_part_of_a_unit_are_refused)
{
    ck_assert_int_ne(read_changed("32 keys", "32 key"), ST_OK);
    ck_assert_int_ne(read_changed("32 keys", "32 ../keys"), ST_OK);
    ck_assert_int_ne(read_changed("entries/002.zst", "entries/005.zst"), ST_OK);
    ck_assert_int_ne(read_changed("entries/002.zst", "entries/002"), ST_OK);
    ck_assert_int_ne(read_changed("tile/0/002", "tile/0/0002"), ST_OK);
    ck_assert_int_ne(read_changed(" 32 checkpoint", " 9999999 checkpoint"),
                     ST_OK);
    ck_assert_int_ne(read_changed("32 policy", "32 policy\nfile"), ST_OK);
}
END_TEST

START_TEST(more_bundles_than_a_unit_has_are_refused)
{
    struct archive_unit unit = sample();
    struct writer writer;
    struct archive_unit read;
    struct slice bytes;

    unit.first = 0;
    unit.last = (uint64_t)ARCHIVE_BUNDLES_MAX * TILE_WIDTH_MAX;
    unit.size = unit.last + 1;
    memset(unit.categories, 0, sizeof unit.categories);
    unit.categories[1] = unit.size;
    writer_init(&writer, other, sizeof other);
    archive_unit_write(&writer, &unit);
    archive_end_write(&writer);
    bytes = writer_slice(&writer);
    ck_assert_int_eq(archive_unit_read(&read, bytes), ST_FILE_FORMAT);
}
END_TEST

START_TEST(a_unit_has_the_files_that_its_walk_tells_and_no_others)
{
    static const uint64_t cases[][3] = {{0, 0, 1},
                                        {0, 255, 256},
                                        {0, 255, 300},
                                        {256, 511, 512},
                                        {1, 70000, 70001},
                                        {65536, 65791, 200000},
                                        {65535, 65536, 65600},
                                        {300, 300, 16777216 + 5},
                                        {16777215, 16777216, 33554432}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct archive_unit unit = {
            .first = cases[i][0], .last = cases[i][1], .size = cases[i][2]};
        char path[ARCHIVE_PATH_SIZE_MAX + 1];
        struct archive_file file;
        struct archive_walk walk;
        uint64_t bundles = 0, leaves = 0;

        archive_walk_init(&walk, &unit);
        while (archive_walk_next(&walk, &file)) {
            path_of(path, &file);
            ck_assert_msg(archive_has(&unit, slice_of(path, strlen(path))),
                          "%s", path);
            bundles += file.kind == ARCHIVE_BUNDLE;
            leaves += file.kind == ARCHIVE_TILE && file.tile.level == 0;
        }
        ck_assert_uint_eq(bundles, (unit.last >> 8) - (unit.first >> 8) + 1);
        ck_assert_uint_ge(leaves, bundles);
        ck_assert_uint_le(leaves, bundles + 1);
        ck_assert(archive_has(&unit, slice_of("manifest", 8)));
        ck_assert(!archive_has(&unit, slice_of("manifest2", 9)));
        ck_assert(!archive_has(&unit, slice_of("tile/entries/000", 16)));
        ck_assert(!archive_has(&unit, slice_of("entries/x999/999.zst", 20)));
    }
}
END_TEST

/* ---- Keys -------------------------------------------------------------- */

static struct slice sample_keys(size_t signers)
{
    struct note_key log_key, cosigner;
    uint8_t key[PUBLIC_KEY_SIZE] = {1};
    struct writer writer;

    note_key_init(&log_key, slice_of("a", 1), NOTE_ED25519, key);
    note_key_init(&cosigner, slice_of("b", 1), NOTE_COSIGNATURE, key);
    writer_init(&writer, manifest, sizeof manifest);
    archive_keys_write(&writer, key, &log_key);
    archive_keys_write_cosigner(&writer, &cosigner);
    for (size_t i = 0; i < signers; i++) {
        key[1] = (uint8_t)i;
        archive_keys_write_signer(&writer, key);
    }
    return writer_slice(&writer);
}

static enum status read_keys(struct slice bytes, size_t *signers_out)
{
    uint8_t key[PUBLIC_KEY_SIZE], key_id[KEY_ID_SIZE];
    struct archive_keys keys;
    struct note_key cosigner;
    enum status status = archive_keys_read(&keys, bytes);

    *signers_out = 0;
    if (status != ST_OK)
        return status;
    do
        status = archive_keys_cosigner(&keys, &cosigner);
    while (status == ST_OK);
    if (status != ST_END)
        return status;
    while ((status = archive_keys_signer(&keys, key, key_id)) == ST_OK)
        ++*signers_out;
    return status == ST_END ? ST_OK : status;
}

START_TEST(keys_are_read_in_the_order_of_their_ids_and_in_no_other)
{
    uint8_t a[PUBLIC_KEY_SIZE] = {1, 0}, b[PUBLIC_KEY_SIZE] = {1, 1};
    uint8_t a_id[KEY_ID_SIZE], b_id[KEY_ID_SIZE];
    size_t count;
    bool in_order;

    ck_assert_int_eq(read_keys(sample_keys(1), &count), ST_OK);
    ck_assert_uint_eq(count, 1);
    identity_key_id(a_id, a);
    identity_key_id(b_id, b);
    in_order = memcmp(a_id, b_id, KEY_ID_SIZE) < 0;
    ck_assert_int_eq(read_keys(sample_keys(2), &count) == ST_OK, in_order);
}
END_TEST

START_TEST(every_truncation_and_flipped_bit_of_keys_is_refused_or_another_key)
{
    const struct slice bytes = sample_keys(1);
    size_t count;

    for (size_t i = 0; i < bytes.size; i++) {
        enum status status = read_keys(slice_of(bytes.data, i), &count);

        /* It may end behind any line from the third on. */
        ck_assert(status != ST_OK || bytes.data[i - 1] == '\n');
    }
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        manifest[bit / 8] ^= (uint8_t)(1U << bit % 8);
        MAYBE(read_keys(bytes, &count) == ST_OK);
        manifest[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}
END_TEST

START_TEST(the_text_in_each_unit_is_the_document)
{
    static char document[ARCHIVE_TEXT_SIZE_MAX + 1];
    FILE *file = fopen("docs/ARCHIVE-FORMAT.md", "rb");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = fread(document, 1, ARCHIVE_TEXT_SIZE_MAX, file);
    fclose(file);
    document[size] = '\0';
    ck_assert_str_eq(archive_format_text, document);
}
END_TEST

SUITE_MAIN("archive_unit", a_manifest_is_read_as_it_was_written,
           a_manifest_without_a_policy_names_none,
           every_truncation_of_a_manifest_is_refused,
           every_flipped_bit_of_a_manifest_is_refused,
           every_flipped_bit_under_a_right_end_is_refused_or_another_value,
           what_contradicts_itself_is_refused,
           files_that_are_no_part_of_a_unit_are_refused,
           more_bundles_than_a_unit_has_are_refused,
           a_unit_has_the_files_that_its_walk_tells_and_no_others,
           keys_are_read_in_the_order_of_their_ids_and_in_no_other,
           every_truncation_and_flipped_bit_of_keys_is_refused_or_another_key,
           the_text_in_each_unit_is_the_document)
