/*
 * make_extract.c: the sample extract of the tests as files, for programs and
 * verifiers in other languages.
 *
 *   DIRECTORY=DIR make_extract
 *
 * writes whole.extract, receipted.extract (without its attestation),
 * untied.extract, policy and authority.  The sample asserts as tests do, so
 * that it must be made by one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/extract_sample.h"
#include "tests/lib/suite.h"

static struct extract_sample sample;

static void put(const char *name, struct slice bytes)
{
    const char *directory = getenv("DIRECTORY");
    char path[4096];
    FILE *file;

    ck_assert_ptr_nonnull(directory);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(the_sample_is_written)
{
    char key[2 * PUBLIC_KEY_SIZE + 1];

    extract_sample_make(&sample, EXTRACT_SAMPLE_ENTRY);
    put("untied.extract", sample.file);
    extract_sample_make(&sample, EXTRACT_SAMPLE_RECEIPTED);
    put("receipted.extract", sample.file);
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    put("whole.extract", sample.file);
    put("policy", sample.policy_text);
    sodium_bin2hex(key, sizeof key, sample.trust.authority_key,
                   PUBLIC_KEY_SIZE);
    put("authority", slice_of(key, sizeof key - 1));
}
END_TEST

SUITE_MAIN("make_extract", the_sample_is_written)
