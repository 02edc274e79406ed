/*
 * vector_file.h: a JSON file of vectors, whose bytes stand as hexadecimal
 * digits.  Paths look like "log/entries/0"; a miss fails the test.
 */
#ifndef DEFTER_TESTS_LIB_VECTOR_FILE_H
#define DEFTER_TESTS_LIB_VECTOR_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <check.h>

#include "protocol/bytes.h"
#include "tests/lib/hex.h"

enum { VECTOR_FILE_SIZE_MAX = 4 * 1024 * 1024, VECTOR_SIZE_MAX = 65536 };

/* The whole file as JSON; the caller deletes it. */
static inline cJSON *vector_file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(VECTOR_FILE_SIZE_MAX);
    size_t size;
    cJSON *root;

    ck_assert_msg(file != NULL, "cannot open %s", path);
    ck_assert_ptr_nonnull(text);
    size = fread(text, 1, VECTOR_FILE_SIZE_MAX, file);
    ck_assert_uint_lt(size, VECTOR_FILE_SIZE_MAX);
    fclose(file);
    root = cJSON_ParseWithLength(text, size);
    ck_assert_msg(root != NULL, "%s is not JSON", path);
    free(text);
    return root;
}

static inline const cJSON *vector_find(const cJSON *from, const char *path)
{
    char step[64];

    while (*path != '\0') {
        size_t size = strcspn(path, "/");

        ck_assert_uint_lt(size, sizeof step);
        memcpy(step, path, size);
        step[size] = '\0';
        from = cJSON_IsArray(from)
                   ? cJSON_GetArrayItem(from, (int)strtol(step, NULL, 10))
                   : cJSON_GetObjectItemCaseSensitive(from, step);
        ck_assert_msg(from != NULL, "no %s in the vectors", path);
        path += size + (path[size] == '/');
    }
    return from;
}

static inline const char *vector_text(const cJSON *from, const char *path)
{
    const char *text = cJSON_GetStringValue(vector_find(from, path));

    ck_assert_msg(text != NULL, "%s is no text", path);
    return text;
}

/* Decodes at most ${capacity} bytes to ${out}. */
static inline struct slice vector_bytes(uint8_t *out, size_t capacity,
                                        const cJSON *from, const char *path)
{
    return slice_of(out, hex_decode(out, capacity, vector_text(from, path)));
}

/* Decodes exactly ${size} bytes to ${out}. */
static inline void vector_exact(uint8_t *out, size_t size, const cJSON *from,
                                const char *path)
{
    ck_assert_uint_eq(vector_bytes(out, size, from, path).size, size);
}

/* Fails the test unless ${bytes} are the vector's. */
static inline void vector_expect(const cJSON *from, const char *path,
                                 const void *bytes, size_t size)
{
    hex_expect(bytes, size, vector_text(from, path));
}

#endif
