#include "protocol/tiles.h"

#include "protocol/lines.h"
#include "tests/lib/suite.h"

static void expect_path(struct tile tile, const char *path)
{
    uint8_t bytes[TILE_PATH_SIZE_MAX];
    struct tile read;
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    tiles_path_write(&writer, &tile);
    ck_assert_int_eq(writer.status, ST_OK);
    ck_assert_msg(lines_equal(writer_slice(&writer), path), "%.*s, not %s",
                  (int)writer.used, (const char *)bytes, path);
    ck_assert_int_eq(tiles_path_read(&read, writer_slice(&writer)), ST_OK);
    ck_assert_uint_eq(read.level, tile.level);
    ck_assert_uint_eq(read.index, tile.index);
    ck_assert_uint_eq(read.width, tile.width);
}

START_TEST(path_is_written_and_read_again)
{
    expect_path((struct tile){0, 0, 256}, "tile/0/000");
    expect_path((struct tile){0, 0, 5}, "tile/0/000.p/5");
    expect_path((struct tile){0, 1234067, 256}, "tile/0/x001/x234/067");
    expect_path((struct tile){7, 999, 255}, "tile/7/999.p/255");
    expect_path((struct tile){63, 1000, 1}, "tile/63/x001/000.p/1");
    expect_path((struct tile){TILE_ENTRIES, 273, 112},
                "tile/entries/273.p/112");
    expect_path((struct tile){TILE_ENTRIES, TILE_INDEX_MAX, 255},
                "tile/entries/x018/x014/x398/x509/x481/984.p/255");
}
END_TEST

START_TEST(path_of_no_tile_is_refused)
{
    static const char *const bad[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/000/",
        "tile/0/000/000",
        "tile/0/x000",
        "tile/0/x000/",
        "tile/0/x000/000",
        "tile/0/x000/001",
        "tile/0/x001/x000",
        "tile/0/X001/000",
        "tile/0/x01/000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile//000",
        "tile/data/000",
        "tile/entries",
        "tile/entries/",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/000.p/5/",
        "tile/0/000.p/5 ",
        "tile/0/../000",
        "/tile/0/000",
        "tile/0/0a0",
        "tile/entries/x018/x014/x398/x509/x481/985",
        "tile/0/x001/x000/x000/x000/x000/x000/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999"};
    struct tile tile;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(
            tiles_path_read(&tile, slice_of(bad[i], strlen(bad[i]))) ==
                ST_FILE_FORMAT,
            "%s is taken", bad[i]);
}
END_TEST

START_TEST(widths_are_those_of_the_size)
{
    ck_assert_uint_eq(tiles_width(0, 0, 0), 0);
    ck_assert_uint_eq(tiles_width(1, 0, 0), 1);
    ck_assert_uint_eq(tiles_width(255, 1, 0), 0);
    ck_assert_uint_eq(tiles_width(256, 0, 0), 256);
    ck_assert_uint_eq(tiles_width(256, 0, 1), 0);
    ck_assert_uint_eq(tiles_width(256, 1, 0), 1);
    ck_assert_uint_eq(tiles_width(70000, 0, 272), 256);
    ck_assert_uint_eq(tiles_width(70000, 0, 273), 112);
    ck_assert_uint_eq(tiles_width(70000, TILE_ENTRIES, 273), 112);
    ck_assert_uint_eq(tiles_width(70000, 1, 0), 256);
    ck_assert_uint_eq(tiles_width(70000, 1, 1), 17);
    ck_assert_uint_eq(tiles_width(70000, 2, 0), 1);
    ck_assert_uint_eq(tiles_width(70000, 3, 0), 0);
    ck_assert_uint_eq(tiles_width(TREE_SIZE_MAX, 7, 0), 64);
    ck_assert_uint_eq(tiles_width(TREE_SIZE_MAX, 8, 0), 0);
    ck_assert_uint_eq(tiles_width(TREE_SIZE_MAX, 63, 0), 0);
    ck_assert_uint_eq(tiles_width(TREE_SIZE_MAX, 0, TILE_INDEX_MAX - 1), 256);
    ck_assert_uint_eq(tiles_width(TREE_SIZE_MAX, 0, TILE_INDEX_MAX), 0);
}
END_TEST

START_TEST(walk_tells_the_tiles_of_70000_entries_in_their_order)
{
    static const struct tile ends[] = {
        {TILE_ENTRIES, 273, 112}, {0, 273, 112}, {1, 1, 17}, {2, 0, 1}};
    static const unsigned counts[] = {274, 274, 2, 1};
    struct tiles_walk walk;
    struct tile tile;

    tiles_walk_init(&walk, 0, 70000);
    for (size_t level = 0; level < 4; level++) {
        for (unsigned i = 0; i < counts[level]; i++) {
            ck_assert(tiles_walk_next(&walk, &tile));
            ck_assert_uint_eq(tile.level, ends[level].level);
            ck_assert_uint_eq(tile.index, i);
        }
        ck_assert_uint_eq(tile.width, ends[level].width);
    }
    ck_assert(!tiles_walk_next(&walk, &tile));
    ck_assert(!tiles_walk_next(&walk, &tile));
}
END_TEST

/* Whether the walk tells ${wanted}, which it must not tell twice. */
static bool walk_tells(uint64_t older, uint64_t newer, struct tile wanted)
{
    struct tiles_walk walk;
    struct tile tile;
    unsigned count = 0;

    tiles_walk_init(&walk, older, newer);
    while (tiles_walk_next(&walk, &tile))
        count += tile.level == wanted.level && tile.index == wanted.index &&
                 tile.width == wanted.width;
    ck_assert_uint_le(count, 1);
    return count == 1;
}

START_TEST(walk_between_two_sizes_tells_what_is_new_and_nothing_else)
{
    static const uint64_t sizes[] = {0,   1,     5,     255,   256,   257,  511,
                                     512, 65535, 65536, 65537, 65792, 70000};
    const size_t count = sizeof sizes / sizeof sizes[0];

    for (size_t a = 0; a < count; a++) {
        for (size_t b = a; b < count; b++) {
            for (unsigned level = 0; level <= 3; level++) {
                for (uint64_t index = 0; index < 3; index++) {
                    struct tile tile = {level, index,
                                        tiles_width(sizes[b], level, index)};
                    bool fresh =
                        tile.width != tiles_width(sizes[a], level, index);

                    if (tile.width > 0)
                        ck_assert(walk_tells(sizes[a], sizes[b], tile) ==
                                  fresh);
                }
            }
        }
    }
}
END_TEST

START_TEST(walk_near_the_largest_tree_ends)
{
    struct tiles_walk walk;
    struct tile tile;
    unsigned count = 0;

    tiles_walk_init(&walk, TREE_SIZE_MAX - 1, TREE_SIZE_MAX);
    while (tiles_walk_next(&walk, &tile))
        count++;
    /* Bundle and level 0 become full, and so does each level above. */
    ck_assert_uint_eq(count, 1 + TILE_LEVELS);
    tiles_walk_init(&walk, TREE_SIZE_MAX, TREE_SIZE_MAX);
    ck_assert(!tiles_walk_next(&walk, &tile));
}
END_TEST

START_TEST(bundle_gives_its_entries_back_and_refuses_what_is_cut)
{
    static uint8_t bytes[3 * (BUNDLE_ENTRY_SIZE_MAX + 2)];
    static uint8_t largest[BUNDLE_ENTRY_SIZE_MAX + 1];
    struct slice bundle, entry;
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    tiles_bundle_append(&writer, slice_of("abc", 3));
    tiles_bundle_append(&writer, slice_of(NULL, 0));
    ck_assert_mem_eq(bytes, "\0\3abc\0\0", 7);
    for (size_t size = 0; size <= 7; size++) {
        enum status status;

        bundle = slice_of(bytes, size);
        while ((status = tiles_bundle_next(&entry, &bundle)) == ST_OK)
            continue;
        ck_assert_int_eq(status, size == 0 || size == 5 || size == 7
                                     ? ST_END
                                     : ST_FILE_FORMAT);
    }
    tiles_bundle_append(&writer, slice_of(largest, BUNDLE_ENTRY_SIZE_MAX));
    ck_assert_int_eq(writer.status, ST_OK);
    bundle = slice_of(bytes + 7, writer.used - 7);
    ck_assert_int_eq(tiles_bundle_next(&entry, &bundle), ST_OK);
    ck_assert_uint_eq(entry.size, BUNDLE_ENTRY_SIZE_MAX);
    ck_assert_int_eq(tiles_bundle_next(&entry, &bundle), ST_END);
    tiles_bundle_append(&writer, slice_of(largest, sizeof largest));
    ck_assert_int_eq(writer.status, ST_TOO_LARGE);
}
END_TEST

static enum status broken_source(void *context, uint8_t out[HASH_SIZE],
                                 unsigned level, uint64_t index)
{
    (void)context;
    memset(out, 0, HASH_SIZE);
    return level == 8 && index == 257 ? ST_DISK_FAILED : ST_OK;
}

START_TEST(tile_is_read_where_it_lies_and_its_sources_failure_is_told)
{
    static uint8_t bytes[TILE_WIDTH_MAX * HASH_SIZE];
    const struct tree_source source = {NULL, broken_source};
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    ck_assert_int_eq(tiles_write(&writer, &(struct tile){1, 1, 1}, &source),
                     ST_OK);
    ck_assert_uint_eq(writer.used, HASH_SIZE);
    ck_assert_int_eq(tiles_write(&writer, &(struct tile){1, 1, 2}, &source),
                     ST_DISK_FAILED);
    writer_init(&writer, bytes, sizeof bytes);
    ck_assert_int_eq(tiles_write(&writer, &(struct tile){0, 0, 256}, &source),
                     ST_OK);
    ck_assert_int_eq(tiles_write(&writer, &(struct tile){0, 0, 1}, &source),
                     ST_TOO_LARGE);
}
END_TEST

SUITE_MAIN("tiles", path_is_written_and_read_again, path_of_no_tile_is_refused,
           widths_are_those_of_the_size,
           walk_tells_the_tiles_of_70000_entries_in_their_order,
           walk_between_two_sizes_tells_what_is_new_and_nothing_else,
           walk_near_the_largest_tree_ends,
           bundle_gives_its_entries_back_and_refuses_what_is_cut,
           tile_is_read_where_it_lies_and_its_sources_failure_is_told)
