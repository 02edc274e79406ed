/* ctest-timeout: 300 */
/* A log is written as a tree of tiles: whole, bit by bit, or not at all. */
#include "client/export/tiles_export.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "tests/lib/long_log.h"
#include "tests/lib/suite.h"

enum { TEST_SEGMENT_SIZE = 1024 * 1024, TEST_FIELDS_SIZE = 32 };

static char base[64], log_path[96], tree_path[96], note_path[96];
static struct long_log made;
static struct long_log_options making;
static struct tiles_export_options options;
static struct tiles_export_result result;
static struct report report;

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    memcpy(base, "/tmp/defter-export-XXXXXX", 26);
    ck_assert_ptr_nonnull(mkdtemp(base));
    (void)snprintf(log_path, sizeof log_path, "%s/log", base);
    (void)snprintf(tree_path, sizeof tree_path, "%s/tree", base);
    (void)snprintf(note_path, sizeof note_path, "%s/checkpoint", base);
    ck_assert_int_eq(mkdir(log_path, 0700), 0);
    making = (struct long_log_options){.items = 1,
                                       .fields_size = TEST_FIELDS_SIZE,
                                       .segment_size = TEST_SEGMENT_SIZE};
    options = (struct tiles_export_options){
        .directory = base, .target = tree_path, .threads = 2};
}

static void teardown(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -r %s", base);
    ck_assert_int_eq(system(command), 0);
}

/* The log of ${size} entries; with ${signed_size} != 0 its head's checkpoint.
 */
static void make(uint64_t size, uint64_t signed_size)
{
    making.directory = NULL;
    making.size = signed_size;
    long_log_make(&made, &making);
    long_log_checkpoint(&made, note_path);
    making.directory = log_path;
    making.size = size;
    long_log_make(&made, &making);
}

static void expect_good(uint64_t size)
{
    struct verify_options verify = {.directory = tree_path, .threads = 2};

    ck_assert_int_eq(verify_given(&report, &verify), ST_OK);
    ck_assert_msg(!report.fault.found, "%s: %s", report.fault.file,
                  report.fault.what);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
    ck_assert_uint_eq(report.entries, size);
    ck_assert_int_eq(report.kind, REPORT_TILES);
}

static bool has(const char *name)
{
    char path[192];
    struct stat about;

    (void)snprintf(path, sizeof path, "%s/%s", tree_path, name);
    return stat(path, &about) == 0;
}

START_TEST(a_tree_of_the_whole_log_is_good)
{
    static const uint64_t sizes[] = {2, 3, 255, 256, 257, 512, 700};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        setup();
        make(sizes[i], sizes[i]);
        ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
        ck_assert_uint_eq(result.size, sizes[i]);
        expect_good(sizes[i]);
        teardown();
    }
}
END_TEST

START_TEST(a_tree_of_three_levels_is_good)
{
    setup();
    make(70000, 70000);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    ck_assert_uint_eq(result.files_count, 274 + 274 + 2 + 1 + 1);
    ck_assert(has("tile/entries/272") && has("tile/entries/273.p/112"));
    ck_assert(has("tile/1/000") && has("tile/1/001.p/17"));
    ck_assert(has("tile/2/000.p/1") && !has("tile/3"));
    expect_good(70000);
    teardown();
}
END_TEST

START_TEST(the_tree_ends_at_the_checkpoint)
{
    setup();
    make(700, 300);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    expect_good(300);
    ck_assert(has("tile/entries/001.p/44") && !has("tile/entries/001"));
    teardown();
}
END_TEST

START_TEST(a_second_run_writes_only_what_is_new)
{
    setup();
    make(700, 300);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    ck_assert_uint_eq(result.files_count, 0);
    make(700, 301);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    /* A bundle, a tile and the checkpoint; those of 300 may still be asked
     * for. */
    ck_assert_uint_eq(result.files_count, 3);
    ck_assert_uint_eq(result.removed_count, 0);
    ck_assert(has("tile/0/001.p/44") && has("tile/0/001.p/45"));
    expect_good(301);
    make(700, 600);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    ck_assert_uint_eq(result.older, 301);
    /* Full: 1 bundle, 1 tile; partial: 1 bundle, tiles of two levels. */
    ck_assert_uint_eq(result.files_count, 6);
    ck_assert_uint_eq(result.removed_count, 4);
    ck_assert(!has("tile/0/001.p") && !has("tile/entries/001.p"));
    ck_assert(has("tile/1/000.p/1") && has("tile/1/000.p/2"));
    expect_good(600);
    teardown();
}
END_TEST

START_TEST(what_is_gone_is_written_again)
{
    char path[192];

    setup();
    make(600, 600);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    (void)snprintf(path, sizeof path, "%s/tile/0/001", tree_path);
    ck_assert_int_eq(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/tile/entries/000", tree_path);
    ck_assert_int_eq(truncate(path, 1000), 0);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    ck_assert_uint_eq(result.files_count, 2);
    expect_good(600);
    teardown();
}
END_TEST

START_TEST(a_pipe_or_a_link_under_a_new_files_name_stops_nobody)
{
    char path[192];

    setup();
    make(300, 300);
    ck_assert_int_eq(mkdir(tree_path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/checkpoint.new", tree_path);
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    (void)snprintf(path, sizeof path, "%s/tile", tree_path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/tile/0", tree_path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/tile/0/000.new", tree_path);
    ck_assert_int_eq(symlink("/dev/full", path), 0);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    expect_good(300);
    teardown();
}
END_TEST

static void patch(const char *name, off_t offset)
{
    char path[192];
    uint8_t byte;
    int file;

    (void)snprintf(path, sizeof path, "%s/%s", base, name);
    file = open(path, O_RDWR);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pread(file, &byte, 1, offset), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(file, &byte, 1, offset), 1);
    close(file);
}

START_TEST(a_log_without_the_checkpoints_root_is_refused)
{
    char command[256];

    setup();
    make(300, 300);
    making.fields_size++; /* Another log of the same key. */
    making.directory = log_path;
    long_log_make(&made, &making);
    ck_assert_int_eq(tiles_export(&result, &options), ST_PROOF);
    ck_assert(!has("checkpoint"));
    /* Nor does the tree of one go on with the other. */
    long_log_checkpoint(&made, note_path);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    making.fields_size--;
    make(400, 400);
    (void)snprintf(command, sizeof command, "cp -r %s %s/before", tree_path,
                   base);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(tiles_export(&result, &options), ST_EXISTS);
    (void)snprintf(command, sizeof command,
                   "cmp %s/checkpoint %s/before/checkpoint", tree_path, base);
    ck_assert_int_eq(system(command), 0);
    teardown();
}
END_TEST

START_TEST(a_checkpoint_that_is_not_the_logs_is_refused)
{
    setup();
    make(300, 300);
    patch("checkpoint", 0); /* The origin. */
    ck_assert_int_eq(tiles_export(&result, &options), ST_ORIGIN);
    patch("checkpoint", 0);
    patch("checkpoint", 12); /* The root. */
    ck_assert_int_eq(tiles_export(&result, &options), ST_ORIGIN);
    ck_assert_ptr_nonnull(strstr(result.what, "signature"));
    ck_assert_int_eq(unlink(note_path), 0);
    ck_assert_int_eq(tiles_export(&result, &options), ST_ORIGIN);
    ck_assert(!has("tile"));
    teardown();
}
END_TEST

START_TEST(a_log_that_ends_early_or_is_damaged_is_refused)
{
    setup();
    make(299, 300);
    ck_assert_int_eq(tiles_export(&result, &options), ST_LOST);
    ck_assert_uint_eq(result.index, 299);
    make(300, 300);
    patch("log/00000000000000000000.seg", 30000);
    ck_assert_int_eq(tiles_export(&result, &options), ST_CHECKSUM);
    ck_assert(!has("checkpoint"));
    teardown();
}
END_TEST

START_TEST(a_newer_tree_is_not_made_older)
{
    setup();
    make(400, 400);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    make(400, 300);
    ck_assert_int_eq(tiles_export(&result, &options), ST_EXISTS);
    expect_good(400);
    teardown();
}
END_TEST

START_TEST(a_checkpoint_from_elsewhere_is_held_against_the_tree)
{
    struct verify_options verify = {.threads = 2};

    setup();
    verify.directory = tree_path;
    verify.checkpoint = note_path;
    make(600, 600);
    ck_assert_int_eq(tiles_export(&result, &options), ST_OK);
    make(600, 300);
    ck_assert_int_eq(verify_given(&report, &verify), ST_OK);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
    ck_assert_uint_eq(report.checkpoints_count, 2);
    ck_assert_uint_eq(report.covered, 600);
    make(600, 601);
    ck_assert_int_eq(verify_given(&report, &verify), ST_OK);
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
    ck_assert_ptr_nonnull(strstr(report.fault.what, "before the checkpoint"));
    making.fields_size++;
    make(600, 300);
    ck_assert_int_eq(verify_given(&report, &verify), ST_OK);
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
    ck_assert_uint_eq(report.fault.index, 299);
    ck_assert_ptr_nonnull(strstr(report.fault.what, "another root"));
    teardown();
}
END_TEST

SUITE_MAIN("tiles_export", a_tree_of_the_whole_log_is_good,
           a_tree_of_three_levels_is_good, the_tree_ends_at_the_checkpoint,
           a_second_run_writes_only_what_is_new, what_is_gone_is_written_again,
           a_pipe_or_a_link_under_a_new_files_name_stops_nobody,
           a_log_without_the_checkpoints_root_is_refused,
           a_checkpoint_that_is_not_the_logs_is_refused,
           a_log_that_ends_early_or_is_damaged_is_refused,
           a_newer_tree_is_not_made_older,
           a_checkpoint_from_elsewhere_is_held_against_the_tree)
