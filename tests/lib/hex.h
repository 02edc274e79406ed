/*
 * hex.h: bytes written as hexadecimal digits in tests.
 */
#ifndef DEFTER_TESTS_LIB_HEX_H
#define DEFTER_TESTS_LIB_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <check.h>

static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes ${text} to ${out} and returns the number of bytes. */
static inline size_t hex_decode(uint8_t *out, size_t capacity, const char *text)
{
    size_t size = strlen(text) / 2;

    ck_assert_uint_eq(strlen(text) % 2, 0);
    ck_assert_uint_le(size, capacity);
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        ck_assert_int_ge(high, 0);
        ck_assert_int_ge(low, 0);
        out[i] = (uint8_t)(high << 4 | low);
    }
    return size;
}

/* Fails the test unless ${bytes} are what ${text} writes. */
static inline void hex_expect(const void *bytes, size_t size, const char *text)
{
    const uint8_t *at = bytes;

    ck_assert_uint_eq(strlen(text), 2 * size);
    for (size_t i = 0; i < size; i++) {
        int expected = hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]);

        ck_assert_msg(at[i] == expected, "byte %zu is %02x, expected %02x", i,
                      at[i], (unsigned)expected);
    }
}

#endif
