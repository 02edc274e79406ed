/*
 * log_case.h: one test's log, in a directory of its own, and the verifier's
 * judgement of it.  Each test file that includes this has its own.
 */
#ifndef DEFTER_TESTS_UNIT_AUDIT_LOG_CASE_H
#define DEFTER_TESTS_UNIT_AUDIT_LOG_CASE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "tests/lib/quick_folder.h"
#include "tests/lib/signed_log.h"

enum { TEST_SEGMENT_SIZE = 8 * 1024, TEST_SMALL_SEGMENT_SIZE = 4096 + 1200 };

static struct signed_log made;
static char directory[QUICK_FOLDER_SIZE];
static struct report report;
static struct verify_options options;

static inline void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    quick_folder(directory, "audit");
    signed_log_init(&made);
    memset(&options, 0, sizeof options);
    options.directory = directory;
    options.threads = 2;
}

static inline void empty_directory(void)
{
    DIR *names = opendir(directory);
    const struct dirent *name;

    ck_assert_ptr_nonnull(names);
    while ((name = readdir(names)) != NULL)
        (void)unlinkat(dirfd(names), name->d_name, 0);
    closedir(names);
}

static inline void teardown(void)
{
    empty_directory();
    ck_assert_int_eq(rmdir(directory), 0);
}

static inline enum report_verdict judged(void)
{
    ck_assert_int_eq(verify_log(&report, &options), ST_OK);
    return report.verdict;
}

static inline void expect_head(void)
{
    options.has_head = true;
    options.head_size = made.count;
    signed_log_root(&made, options.head_root, made.count);
}

/* ---- A small log of one file ---- */

static uint8_t file_bytes[TEST_SEGMENT_SIZE];
static char file_path[128];

static inline void write_file(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(file_path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Bytes in use of its file; ${file_bytes} are all. */
static inline size_t small_log(void)
{
    struct op_system_secret secret = {.secret = {{1}}};
    size_t used = SEGMENT_HEADER_SIZE;
    FILE *file;

    setup();
    options.threads = 1;
    signed_log_attest(&made);
    signed_log_add(&made, &made.node, OPCODE_SYSTEM_SECRET, 0, &secret, ST_OK);
    signed_log_write(&made, directory, TEST_SEGMENT_SIZE);
    (void)snprintf(file_path, sizeof file_path, "%s/%020d.seg", directory, 0);
    file = fopen(file_path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(file_bytes, 1, sizeof file_bytes, file),
                      sizeof file_bytes);
    fclose(file);
    for (size_t i = 0; i < made.count; i++)
        used += segment_frame_size(made.entries[i].size);
    return used;
}

#endif
