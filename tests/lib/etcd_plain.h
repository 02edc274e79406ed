/*
 * etcd_plain.h: etcd's base64 written in clear, so that bodies and answers can
 * be read in tests.  <text> stands for the quoted base64 of text.
 */
#ifndef DEFTER_TESTS_LIB_ETCD_PLAIN_H
#define DEFTER_TESTS_LIB_ETCD_PLAIN_H

#include <stdint.h>
#include <string.h>

#include <check.h>
#include <sodium.h>

/* Writes ${plain} to ${out} with every <text> encoded; returns the size. */
static inline size_t etcd_plain(char *out, size_t capacity, const char *plain)
{
    size_t used = 0;

    while (*plain != '\0') {
        const char *end = strchr(plain, '>');
        size_t size = end == NULL ? 0 : (size_t)(end - plain - 1);

        ck_assert_uint_lt(used + 2 * size + 8, capacity);
        if (*plain != '<') {
            out[used++] = *plain++;
            continue;
        }
        ck_assert_ptr_nonnull(end);
        out[used++] = '"';
        sodium_bin2base64(out + used, capacity - used,
                          (const uint8_t *)plain + 1, size,
                          sodium_base64_VARIANT_ORIGINAL);
        used += strlen(out + used);
        out[used++] = '"';
        plain = end + 1;
    }
    out[used] = '\0';
    return used;
}

#endif
