/* ctest-timeout: 300 */
/* Archive units: made, verified alone and joined, restored; and what a hostile
 * one may hold. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "client/export/restore.h"
#include "tests/lib/suite.h"
#include "tests/lib/unit_scene.h"

enum { TEST_SIZE = 1500 };

static struct unit_scene scene;

static void shell(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A command in the scene's folder. */
static void shell(const char *format, ...)
{
    char command[1024];
    int size = snprintf(command, sizeof command, "cd %s && ", scene.base);
    va_list words;

    va_start(words, format);
    (void)vsnprintf(command + size, sizeof command - (size_t)size, format,
                    words);
    va_end(words);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static enum report_verdict judge(const char *first, const char *second,
                                 const char *third)
{
    const char *const names[] = {first, second, third, NULL};

    return unit_scene_judge(&scene, names);
}

static void assert_fault(enum report_verdict verdict, const char *file)
{
    ck_assert_int_eq(scene.report.verdict, verdict);
    ck_assert(scene.report.fault.found);
    ck_assert_msg(strcmp(scene.report.fault.file, file) == 0, "in %s: %s",
                  scene.report.fault.file, scene.report.fault.what);
}

static void assert_root(uint64_t size)
{
    struct long_log shorter;
    struct long_log_options options = {.size = size,
                                       .items = 1,
                                       .fields_size = 64,
                                       .segment_size = 128 * 1024};
    uint8_t root[HASH_SIZE];

    long_log_make(&shorter, &options);
    tree_root(&shorter.tree, root);
    ck_assert_mem_eq(scene.report.root, root, HASH_SIZE);
    ck_assert_mem_eq(scene.report.leaf, shorter.leaf, HASH_SIZE);
}

static void three(void)
{
    unit_scene_open(&scene, TEST_SIZE);
    ck_assert_int_eq(unit_scene_make(&scene, "a", 1, 0, 599), ST_OK);
    ck_assert_int_eq(unit_scene_make(&scene, "b", 2, 600, 1100), ST_OK);
    ck_assert_int_eq(unit_scene_make(&scene, "c", 3, 1101, UINT64_MAX), ST_OK);
}

/* ---- Good ones --------------------------------------------------------- */

START_TEST(a_unit_verifies_by_itself_wherever_it_begins_and_ends)
{
    static const uint64_t ends[][2] = {{0, 0},     {0, 255},    {1, 255},
                                       {256, 511}, {255, 256},  {3, 700},
                                       {512, 512}, {1400, 1499}};

    unit_scene_open(&scene, TEST_SIZE);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        ck_assert_int_eq(
            unit_scene_make(&scene, "u", 1, ends[i][0], ends[i][1]), ST_OK);
        ck_assert_msg(judge("u", NULL, NULL) == REPORT_GOOD, "%zu: %s in %s", i,
                      scene.report.fault.what, scene.report.fault.file);
        ck_assert_uint_eq(scene.report.first, ends[i][0]);
        ck_assert_uint_eq(scene.report.last, ends[i][1]);
        ck_assert_uint_eq(scene.report.covered, ends[i][1] + 1);
        ck_assert_uint_eq(scene.report.signatures, ends[i][1] - ends[i][0] + 1);
        if (ends[i][1] > 1)
            assert_root(ends[i][1] + 1);
        shell("rm -r u");
    }
    unit_scene_close(&scene);
}
END_TEST

START_TEST(a_unit_of_many_bundles_leads_to_the_root_over_two_levels)
{
    unit_scene_open(&scene, 66000);
    ck_assert_int_eq(unit_scene_make(&scene, "u", 9, 65000, 65800), ST_OK);
    ck_assert_int_eq(judge("u", NULL, NULL), REPORT_GOOD);
    shell("test -f u/tile/1/000 && test -f u/tile/1/001.p/1 && "
          "test -f u/tile/2/000.p/1 && ! test -e u/tile/0/000");
    unit_scene_close(&scene);
}
END_TEST

START_TEST(consecutive_units_join_into_one_log)
{
    three();
    ck_assert_int_eq(judge("a", "b", "c"), REPORT_GOOD);
    ck_assert_uint_eq(scene.report.entries, TEST_SIZE);
    ck_assert_uint_eq(scene.report.covered, TEST_SIZE);
    ck_assert_uint_eq(scene.report.signatures, TEST_SIZE);
    ck_assert_uint_eq(scene.report.units, 3);
    assert_root(TEST_SIZE);
    ck_assert_int_eq(judge("b", "c", NULL), REPORT_GOOD);
    ck_assert_uint_eq(scene.report.entries, TEST_SIZE - 600);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(units_that_do_not_follow_each_other_are_no_log)
{
    three();
    ck_assert_int_eq(judge("a", "c", NULL), REPORT_INCOMPLETE);
    ck_assert_uint_ne(scene.report.reasons >> REPORT_REASON_GAP & 1, 0);
    ck_assert_int_eq(judge("b", "a", NULL), REPORT_INCOMPLETE);
    ck_assert_int_eq(judge("a", "a", NULL), REPORT_INCOMPLETE);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(a_rule_cuts_a_log_into_units_that_join)
{
    struct unit_export_options options = {.directory = scene.node,
                                          .number = 1,
                                          .last = UINT64_MAX,
                                          .bytes_max = 100000};
    char target[UNIT_SCENE_PATH_SIZE];

    unit_scene_open(&scene, TEST_SIZE);
    unit_scene_path(&scene, target, "units");
    options.target = target;
    ck_assert_int_eq(unit_export(&scene.result, &options), ST_OK);
    ck_assert_uint_eq(scene.result.units_count, 3);
    ck_assert_uint_eq(scene.result.entries_count, TEST_SIZE);
    ck_assert_int_eq(
        judge("units/unit-000001", "units/unit-000002", "units/unit-000003"),
        REPORT_GOOD);
    ck_assert_uint_eq(scene.report.entries, TEST_SIZE);
    unit_scene_close(&scene);
}
END_TEST

/* ---- What is given from outside ------------------------------------------ */

static enum status judge_by(struct verify_options options, const char *name)
{
    char path[UNIT_SCENE_PATH_SIZE], *one[] = {path};

    unit_scene_path(&scene, path, name);
    options.directory = path;
    options.units = one;
    options.units_count = 1;
    options.threads = 1;
    return verify_given(&scene.report, &options);
}

START_TEST(what_says_nothing_of_units_is_refused_and_never_passed_over)
{
    char note[UNIT_SCENE_PATH_SIZE];
    const struct {
        struct verify_options options;
        const char *name;
        bool is_of_log; /* Units from entry 0 on are held against it. */
    } all[] = {
        {{.has_head = true, .head_size = 3}, "--head", true},
        {{.has_leaf = true}, "--leaf", true},
        {{.receipts = "/nonexistent"}, "--receipts", true},
        {{.checkpoint = note}, "--checkpoint", true},
        {{.entry = note}, "--entry", false},
        {{.has_resume = true}, "--resume", true},
    };

    three();
    unit_scene_path(&scene, note, "node/checkpoint");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct verify_options options = all[i].options;

        ck_assert_int_eq(judge_by(options, "b"), ST_USAGE);
        ck_assert_str_eq(scene.report.silent, all[i].name);
        ck_assert_int_eq(judge_by(options, "a") != ST_USAGE, all[i].is_of_log);
        ck_assert_int_eq(scene.report.silent == NULL, all[i].is_of_log);
        options.tree_only = true;
        ck_assert_int_eq(judge_by(options, "a"), ST_USAGE);
        ck_assert_str_eq(scene.report.silent, all[i].name);
    }
    unit_scene_close(&scene);
}
END_TEST

START_TEST(a_quorum_of_none_leaves_open_whether_anybody_else_vouches)
{
    char policy[UNIT_SCENE_PATH_SIZE];
    struct verify_options options = {.policy = policy};

    three();
    unit_scene_path(&scene, policy, "policy");
    shell("(sed -n 's/^log /log /p' a/keys; echo 'quorum none') >policy");
    ck_assert_int_eq(judge_by(options, "b"), ST_OK);
    ck_assert_int_eq(scene.report.verdict, REPORT_GOOD);
    ck_assert_uint_ne(scene.report.unchecked >> REPORT_UNCHECKED_WITNESS & 1,
                      0);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(units_of_which_some_should_be_there_and_are_not_are_incomplete)
{
    three();
    ck_assert_int_eq(judge_by((struct verify_options){.is_whole = true}, "a"),
                     ST_OK);
    ck_assert_int_eq(scene.report.verdict, REPORT_GOOD);
    ck_assert_int_eq(judge_by((struct verify_options){.is_whole = true}, "b"),
                     ST_OK);
    ck_assert_int_eq(scene.report.verdict, REPORT_INCOMPLETE);
    ck_assert_uint_eq(scene.report.reasons, 1U << REPORT_REASON_FIRST);
    ck_assert_int_eq(judge_by((struct verify_options){.stray = "x"}, "a"),
                     ST_OK);
    assert_fault(REPORT_INCOMPLETE, "x");
    ck_assert_uint_eq(scene.report.reasons, 1U << REPORT_REASON_STRAY);
    shell("printf x >>a/entries/001.zst");
    ck_assert_int_eq(judge_by((struct verify_options){.stray = "x"}, "a"),
                     ST_OK);
    assert_fault(REPORT_TAMPERED, "entries/001.zst");
    unit_scene_close(&scene);
}
END_TEST

/* ---- Restoring ----------------------------------------------------------- */

static const char *restore_policy; /* NULL: none. */

static enum status restore_of(const char *const *names, size_t count,
                              bool incomplete)
{
    char paths[3][UNIT_SCENE_PATH_SIZE], target[UNIT_SCENE_PATH_SIZE];
    char *all[3];
    struct verify_options options = {.units = all, .units_count = count};
    struct restore_result result;

    for (size_t i = 0; i < count; i++) {
        unit_scene_path(&scene, paths[i], names[i]);
        all[i] = paths[i];
    }
    options.directory = all[0];
    options.policy = restore_policy;
    unit_scene_path(&scene, target, "again");
    return restore_log(&result, &scene.report, &options, target, incomplete);
}

static enum status restore(const char *const *names, size_t count)
{
    return restore_of(names, count, false);
}

START_TEST(a_restored_log_is_byte_for_byte_the_one_before)
{
    static const char *const names[] = {"a", "b", "c"};

    three();
    shell("test $(ls node/log | wc -l) -gt 2");
    ck_assert_int_eq(restore(names, 3), ST_OK);
    shell("diff -r node/log again/log");
    ck_assert_int_eq(restore(names, 3), ST_EXISTS);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(nothing_is_restored_from_units_that_are_not_good_or_not_all)
{
    static const char *const rest[] = {"b", "c"}, *const gap[] = {"a", "c"},
                             *const all[] = {"a", "b", "c"};

    three();
    ck_assert_int_eq(restore(rest, 2), ST_PROOF);
    ck_assert_int_eq(restore(gap, 2), ST_PROOF);
    shell("printf x >>b/entries/003.zst");
    ck_assert_int_eq(restore(all, 3), ST_PROOF);
    shell("! test -e again");
    unit_scene_close(&scene);
}
END_TEST

START_TEST(units_that_lack_cosignatures_are_restored_only_if_one_says_so)
{
    static const char *const all[] = {"a", "b", "c"};
    char policy[UNIT_SCENE_PATH_SIZE];
    char line[NOTE_NAME_SIZE_MAX + 128] = "";
    FILE *file;

    three();
    shell("(sed -n 's/^log /log /p' a/keys; echo 'witness W "
          "W+3e5a47a7+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH'; "
          "echo 'quorum W') >policy");
    unit_scene_path(&scene, policy, "policy");
    file = fopen(policy, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    ck_assert_ptr_nonnull(strstr(line, "log "));
    restore_policy = policy;
    ck_assert_int_eq(restore(all, 3), ST_PROOF);
    ck_assert_int_eq(scene.report.verdict, REPORT_INCOMPLETE);
    ck_assert_uint_ne(scene.report.reasons >> REPORT_REASON_QUORUM & 1, 0);
    shell("! test -e again");
    ck_assert_int_eq(restore_of(all, 3, true), ST_OK);
    shell("diff -r node/log again/log");
    shell("rm -r again && printf x >>b/entries/003.zst");
    ck_assert_int_eq(restore_of(all, 3, true), ST_PROOF);
    shell("! test -e again");
    restore_policy = NULL;
    unit_scene_close(&scene);
}
END_TEST

/* ---- Making ------------------------------------------------------------ */

START_TEST(a_unit_is_made_of_nothing_but_what_the_checkpoint_covers)
{
    unit_scene_open(&scene, 300);
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, 0, 300), ST_BAD_FIELD);
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, 300, UINT64_MAX),
                     ST_BAD_FIELD);
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, 9, 8), ST_BAD_FIELD);
    shell("mkdir u && touch u/x");
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, 0, 10), ST_EXISTS);
    ck_assert_int_eq(unit_scene_make(&scene, "no/u", 1, 0, 10), ST_NO_FILE);
    shell("rm node/checkpoint");
    ck_assert_int_eq(unit_scene_make(&scene, "v", 1, 0, 10), ST_ORIGIN);
    shell("echo >node/checkpoint");
    ck_assert_int_eq(unit_scene_make(&scene, "v", 1, 0, 10), ST_ORIGIN);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(no_unit_is_made_of_a_damaged_log_or_another_one)
{
    char path[UNIT_SCENE_PATH_SIZE];
    FILE *file;

    unit_scene_open(&scene, 300);
    unit_scene_path(&scene, path, "node/log/00000000000000000000.seg");
    file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, SEGMENT_HEADER_SIZE + 5000, SEEK_SET);
    fputc(0x55, file);
    fclose(file);
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, 0, 10), ST_CHECKSUM);
    ck_assert(scene.report.fault.found);
    shell("! test -e u/manifest");
    unit_scene_close(&scene);

    unit_scene_open(&scene, 300);
    shell("sed -i '2s/300/299/' node/checkpoint");
    ck_assert_int_eq(unit_scene_make(&scene, "u", 1, 0, 10), ST_CHECKSUM);
    shell("! test -e u/manifest");
    unit_scene_close(&scene);
}
END_TEST

/* ---- Hostile ones ------------------------------------------------------ */

START_TEST(what_is_missing_or_not_a_units_is_named)
{
    three();
    shell("mv b/entries/003.zst x");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/003.zst");
    shell("mv x b/entries/003.zst && touch b/entries/007.zst");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/007.zst");
    shell("rm b/entries/007.zst && mkdir -p b/tile/0/x");
    ck_assert_int_eq(judge("b", NULL, NULL), REPORT_GOOD);
    shell("rmdir b/tile/0/x && touch b/.hidden");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, ".hidden");
    shell("rm b/.hidden && mv b/manifest x");
    ck_assert_int_eq(judge("b", NULL, NULL), REPORT_TAMPERED);
    assert_fault(REPORT_TAMPERED, "manifest");
    unit_scene_close(&scene);
}
END_TEST

START_TEST(links_and_other_things_than_files_are_refused)
{
    static const char *const things[] = {"ln -s /etc/passwd", "mkfifo", "mkdir",
                                         "ln -s ../../a/entries/002.zst"};

    three();
    shell("mv b/entries/003.zst x");
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        shell("%s b/entries/003.zst", things[i]);
        (void)judge("b", NULL, NULL);
        assert_fault(REPORT_TAMPERED, "entries/003.zst");
        shell("rm -d b/entries/003.zst");
    }
    shell("mv x b/entries/003.zst && mv b/entries e && ln -s ../e b/entries");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries");
    shell("rm b/entries && mv e b/entries && mv b/manifest m && "
          "ln -s ../m b/manifest");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "manifest");
    unit_scene_close(&scene);
}
END_TEST

START_TEST(swapped_bundles_are_named_also_under_a_manifest_made_anew)
{
    three();
    shell("cd b/entries && mv 002.zst x && mv 003.zst 002.zst && "
          "mv x 003.zst");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/002.zst");
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/002.zst");
    ck_assert_uint_eq(scene.report.fault.index, 512);
    unit_scene_close(&scene);
}
END_TEST

static void put_file(const char *name, const void *bytes, size_t size)
{
    char path[UNIT_SCENE_PATH_SIZE];
    FILE *file;

    unit_scene_path(&scene, path, name);
    file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

START_TEST(a_bomb_of_zstd_is_refused_within_its_limit)
{
    const size_t size = (size_t)512 * 1024 * 1024;
    const size_t room = 1024 * 1024;
    void *zeros = calloc(1, size), *packed = malloc(room);
    size_t got;

    ck_assert(zeros != NULL && packed != NULL);
    three();
    got = ZSTD_compress(packed, room, zeros, size, 1);
    ck_assert(!ZSTD_isError(got));
    free(zeros);
    put_file("b/entries/003.zst", packed, got);
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/003.zst");
    free(packed);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(what_is_not_one_frame_with_one_bundle_is_refused)
{
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};

    three();
    shell("cp b/entries/003.zst x");
    put_file("b/entries/003.zst", "", 0);
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/003.zst");
    put_file("b/entries/003.zst", skippable, sizeof skippable);
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/003.zst");
    shell("cat x x >b/entries/003.zst");
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/003.zst");
    shell("(zstd -qdc x; printf x) | zstd -qc >b/entries/003.zst");
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/003.zst");
    shell("zstd -qdc x | head -c -1 | zstd -qc >b/entries/003.zst");
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "entries/003.zst");
    shell("zstd -qdc x | zstd -q19c >b/entries/003.zst");
    unit_scene_reseal(&scene, "b");
    ck_assert_int_eq(judge("b", NULL, NULL), REPORT_GOOD);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(a_unit_of_another_log_does_not_join)
{
    struct unit_scene first;
    struct signed_log log;

    three();
    first = scene;
    signed_log_init(&log);
    log.owner.key_id[0] ^= 0;
    signed_log_ping(&log);
    unit_scene_open_signed(&scene, &log);
    ck_assert_int_eq(unit_scene_make(&scene, "z", 1, 0, UINT64_MAX), ST_OK);
    shell("mv z %s/z", first.base);
    unit_scene_close(&scene);
    scene = first;
    /* It has the same genesis; but it is not where the first one ends. */
    ck_assert_int_eq(judge("z", "b", NULL), REPORT_INCOMPLETE);
    unit_scene_close(&scene);
}
END_TEST

START_TEST(a_checkpoint_of_somebody_else_is_refused)
{
    three();
    shell("sed -i '5s/test A/test B/; 5s/test C/test D/' b/checkpoint && "
          "sed -i '5s/......$/AAAAA=/' b/checkpoint");
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "checkpoint");
    unit_scene_close(&scene);
}
END_TEST

START_TEST(a_key_too_many_or_too_few_is_refused)
{
    three();
    shell("cp b/keys x && sed -i '$d' b/keys");
    unit_scene_reseal(&scene, "b");
    ck_assert_int_eq(judge("b", NULL, NULL), REPORT_TAMPERED);
    ck_assert_uint_ne(scene.report.fault.index, REPORT_NO_INDEX);
    shell("sed '$p' x >b/keys");
    unit_scene_reseal(&scene, "b");
    (void)judge("b", NULL, NULL);
    assert_fault(REPORT_TAMPERED, "keys");
    shell("cp a/keys b/keys");
    unit_scene_reseal(&scene, "b");
    if (judge("b", NULL, NULL) != REPORT_GOOD)
        assert_fault(REPORT_TAMPERED, "keys");
    unit_scene_close(&scene);
}
END_TEST

SUITE_MAIN("units", a_unit_verifies_by_itself_wherever_it_begins_and_ends,
           a_unit_of_many_bundles_leads_to_the_root_over_two_levels,
           consecutive_units_join_into_one_log,
           units_that_do_not_follow_each_other_are_no_log,
           a_rule_cuts_a_log_into_units_that_join,
           what_says_nothing_of_units_is_refused_and_never_passed_over,
           a_quorum_of_none_leaves_open_whether_anybody_else_vouches,
           units_of_which_some_should_be_there_and_are_not_are_incomplete,
           a_restored_log_is_byte_for_byte_the_one_before,
           nothing_is_restored_from_units_that_are_not_good_or_not_all,
           units_that_lack_cosignatures_are_restored_only_if_one_says_so,
           a_unit_is_made_of_nothing_but_what_the_checkpoint_covers,
           no_unit_is_made_of_a_damaged_log_or_another_one,
           what_is_missing_or_not_a_units_is_named,
           links_and_other_things_than_files_are_refused,
           swapped_bundles_are_named_also_under_a_manifest_made_anew,
           a_bomb_of_zstd_is_refused_within_its_limit,
           what_is_not_one_frame_with_one_bundle_is_refused,
           a_unit_of_another_log_does_not_join,
           a_checkpoint_of_somebody_else_is_refused,
           a_key_too_many_or_too_few_is_refused)
