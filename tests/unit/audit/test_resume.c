/* A verification goes on where an earlier one stopped, on the same log only. */
#include "client/audit/verify.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "tests/lib/long_log.h"
#include "tests/lib/quick_folder.h"
#include "tests/lib/suite.h"

enum { TEST_SIZE = 9000, TEST_SEGMENT_SIZE = 512 * 1024 };

static char directory[QUICK_FOLDER_SIZE];
static struct long_log made;
static struct long_log_options making;
static struct report report;
static struct verify_options options;
static struct verify_mark marks[64];
static size_t marks_count;

static void keep(void *context, const struct verify_mark *mark)
{
    (void)context;
    ck_assert_uint_lt(marks_count, sizeof marks / sizeof marks[0]);
    marks[marks_count++] = *mark;
}

static void empty_directory(void)
{
    DIR *names = opendir(directory);
    const struct dirent *name;

    ck_assert_ptr_nonnull(names);
    while ((name = readdir(names)) != NULL)
        (void)unlinkat(dirfd(names), name->d_name, 0);
    closedir(names);
}

static void make(uint64_t size)
{
    empty_directory();
    making = (struct long_log_options){.directory = directory,
                                       .size = size,
                                       .items = 1,
                                       .fields_size = 32,
                                       .segment_size = TEST_SEGMENT_SIZE};
    long_log_make(&made, &making);
    options.has_head = true;
    options.head_size = size;
    tree_root(&made.tree, options.head_root);
}

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    quick_folder(directory, "resume");
    memset(&options, 0, sizeof options);
    marks_count = 0;
    options.directory = directory;
    options.save = keep;
    make(TEST_SIZE);
}

static void teardown(void)
{
    empty_directory();
    ck_assert_int_eq(rmdir(directory), 0);
}

static enum report_verdict judged(void)
{
    ck_assert_int_eq(verify_given(&report, &options), ST_OK);
    return report.verdict;
}

START_TEST(a_run_says_how_far_it_came)
{
    setup();
    ck_assert_int_eq(judged(), REPORT_GOOD);
    ck_assert_uint_eq(report.signatures, TEST_SIZE);
    ck_assert_uint_gt(marks_count, 3);
    for (size_t i = 1; i < marks_count; i++)
        ck_assert_uint_gt(marks[i].size, marks[i - 1].size);
    ck_assert_uint_eq(marks[marks_count - 1].size, TEST_SIZE);
    ck_assert_mem_eq(marks[marks_count - 1].root, options.head_root, HASH_SIZE);
    teardown();
}
END_TEST

START_TEST(a_later_run_verifies_only_the_signatures_behind_it)
{
    size_t count;

    setup();
    (void)judged();
    count = marks_count;
    for (size_t i = 0; i < count; i++) {
        options.resume = marks[i];
        ck_assert_int_eq(judged(), REPORT_GOOD);
        ck_assert_uint_eq(report.signatures, TEST_SIZE - marks[i].size);
        ck_assert_uint_eq(report.resumed, marks[i].size);
        ck_assert_uint_eq(report.unchecked >> REPORT_UNCHECKED_RESUMED & 1, 1);
        marks_count = count;
    }
    make(TEST_SIZE + 500);
    ck_assert_int_eq(judged(), REPORT_GOOD);
    ck_assert_uint_eq(report.signatures, 500);
    teardown();
}
END_TEST

START_TEST(a_log_that_is_another_by_now_is_found)
{
    setup();
    (void)judged();
    options.resume = marks[1];
    options.has_head = false;
    empty_directory();
    making.fields_size++;
    long_log_make(&made, &making);
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    ck_assert_ptr_nonnull(strstr(report.fault.what, "an earlier run"));
    ck_assert_uint_eq(report.fault.index, marks[1].size - 1);
    teardown();
}
END_TEST

START_TEST(a_log_that_is_shorter_by_now_is_found)
{
    setup();
    (void)judged();
    make(marks[1].size - 1);
    options.resume = marks[1];
    options.has_head = false;
    ck_assert_int_eq(judged(), REPORT_TAMPERED);
    ck_assert_ptr_nonnull(strstr(report.fault.what, "ends before the size"));
    teardown();
}
END_TEST

/* What was verified is not what covers: a run's own word is not from outside.
 */
START_TEST(going_on_covers_nothing)
{
    setup();
    (void)judged();
    options.resume = marks[marks_count - 1];
    options.has_head = false;
    ck_assert_int_eq(judged(), REPORT_INCOMPLETE);
    ck_assert_uint_eq(report.covered, 0);
    teardown();
}
END_TEST

SUITE_MAIN("resume", a_run_says_how_far_it_came,
           a_later_run_verifies_only_the_signatures_behind_it,
           a_log_that_is_another_by_now_is_found,
           a_log_that_is_shorter_by_now_is_found, going_on_covers_nothing)
