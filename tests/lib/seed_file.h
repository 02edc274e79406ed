/*
 * seed_file.h: inputs that programs write into the corpora of fuzz targets.
 *
 * One is begun, filled by its writer, and put into $DIRECTORY/TARGET/, under a
 * name that begins with "made-".  Those of seed.py begin with "vector-"; others
 * are not touched.
 */
#ifndef DEFTER_TESTS_LIB_SEED_FILE_H
#define DEFTER_TESTS_LIB_SEED_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <check.h>

#include "protocol/bytes.h"

enum {
    SEED_FILE_SIZE_MAX = 16384, /* Longer ones cost more than they find. */
    SEED_FILE_PATH_SIZE = 4096
};

static uint8_t seed_bytes[1 << 16];
static struct writer seed;

static inline struct writer *seed_begin(void)
{
    writer_init(&seed, seed_bytes, sizeof seed_bytes);
    return &seed;
}

static inline void seed_text(const char *text)
{
    writer_bytes(&seed, text, strlen(text));
}

/* One that is too long is left out. */
static inline void seed_put(const char *target, const char *name)
{
    const char *directory = getenv("DIRECTORY");
    char path[SEED_FILE_PATH_SIZE];
    FILE *file;

    ck_assert_ptr_nonnull(directory);
    ck_assert_int_eq(seed.status, ST_OK);
    if (seed.used > SEED_FILE_SIZE_MAX)
        return;
    snprintf(path, sizeof path, "%s/%s", directory, target);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/made-%s", directory, target, name);
    file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_uint_eq(fwrite(seed.data, 1, seed.used, file), seed.used);
    ck_assert_int_eq(fclose(file), 0);
}

#endif
