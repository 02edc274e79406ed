#include "protocol/lines.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

enum {
    LINES_GROUP_SIZE = 3,  /* Bytes that make one group of base64. */
    LINES_GROUP_CHARS = 4, /* Characters of a group. */
    LINES_NUMBER_DIGITS_MAX = 20
};

bool lines_split(struct slice *first_out, struct slice *text, char separator)
{
    const uint8_t *at =
        text->size == 0 ? NULL : memchr(text->data, separator, text->size);

    if (at == NULL)
        return false;
    *first_out = slice_of(text->data, (size_t)(at - text->data));
    *text = slice_of(at + 1, text->size - first_out->size - 1);
    return true;
}

enum status lines_next(struct slice *line_out, struct slice *text)
{
    if (text->size == 0)
        return ST_END;
    return lines_split(line_out, text, '\n') ? ST_OK : ST_FILE_FORMAT;
}

bool lines_take(struct slice *text, const char *start)
{
    size_t size = strlen(start);

    if (text->size < size || memcmp(text->data, start, size) != 0)
        return false;
    *text = slice_of(text->data + size, text->size - size);
    return true;
}

bool lines_equal(struct slice text, const char *other)
{
    return slice_equal(text, slice_of(other, strlen(other)));
}

enum status lines_read_number(uint64_t *value_out, struct slice text,
                              uint64_t max)
{
    uint64_t value = 0;

    if (text.size == 0 || (text.data[0] == '0' && text.size > 1))
        return ST_FILE_FORMAT;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return ST_FILE_FORMAT;
    }
    if (value > max)
        return ST_FILE_FORMAT;
    *value_out = value;
    return ST_OK;
}

/* libsodium takes some bytes above 0x7f for others of the alphabet. */
static bool base64_characters_valid(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '='))
            return false;
    }
    return true;
}

enum status lines_read_base64(uint8_t *out, size_t *size_out, size_t size_max,
                              struct slice text)
{
    *size_out = 0;
    if (text.size == 0)
        return ST_OK;
    /* It refuses set bits behind the last byte, and padding that is amiss. */
    if (!base64_characters_valid(text) ||
        sodium_base642bin(out, size_max, (const char *)text.data, text.size,
                          NULL, size_out, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return ST_FILE_FORMAT;
    return ST_OK;
}

enum status lines_read_exact(uint8_t *out, size_t size, struct slice text)
{
    size_t read;

    if (text.size != LINES_BASE64_SIZE(size) ||
        lines_read_base64(out, &read, size, text) != ST_OK || read != size)
        return ST_FILE_FORMAT;
    return ST_OK;
}

bool lines_base64_valid(struct slice text)
{
    uint8_t bytes[LINES_GROUP_SIZE];
    size_t size;

    /* Group by group, so that no length needs a buffer. */
    while (text.size > LINES_GROUP_CHARS) {
        if (lines_read_exact(bytes, LINES_GROUP_SIZE,
                             slice_of(text.data, LINES_GROUP_CHARS)) != ST_OK)
            return false;
        text = slice_of(text.data + LINES_GROUP_CHARS,
                        text.size - LINES_GROUP_CHARS);
    }
    return lines_read_base64(bytes, &size, sizeof bytes, text) == ST_OK;
}

enum status lines_read_hashes(uint8_t (*hashes)[HASH_SIZE], size_t *count_out,
                              size_t count_max, struct slice *text)
{
    struct slice line;

    *count_out = 0;
    while (lines_next(&line, text) == ST_OK) {
        if (line.size == 0)
            return ST_OK;
        if (*count_out == count_max)
            return ST_TOO_LARGE;
        if (lines_read_exact(hashes[*count_out], HASH_SIZE, line) != ST_OK)
            return ST_FILE_FORMAT;
        *count_out += 1;
    }
    return ST_FILE_FORMAT;
}

void lines_write(struct writer *writer, const char *text)
{
    writer_bytes(writer, text, strlen(text));
}

void lines_write_number(struct writer *writer, uint64_t value)
{
    char digits[LINES_NUMBER_DIGITS_MAX];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    writer_bytes(writer, digits + at, sizeof digits - at);
}

void lines_write_base64(struct writer *writer, const void *data, size_t size)
{
    const uint8_t *from = data;
    char group[LINES_GROUP_CHARS + 1];

    for (size_t at = 0; at < size; at += LINES_GROUP_SIZE) {
        size_t left = size - at;

        (void)sodium_bin2base64(group, sizeof group, from + at,
                                left < LINES_GROUP_SIZE ? left
                                                        : LINES_GROUP_SIZE,
                                sodium_base64_VARIANT_ORIGINAL);
        writer_bytes(writer, group, LINES_GROUP_CHARS);
    }
}

void lines_write_hashes(struct writer *writer,
                        const uint8_t (*hashes)[HASH_SIZE], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lines_write_base64(writer, hashes[i], HASH_SIZE);
        lines_write(writer, "\n");
    }
    lines_write(writer, "\n");
}

/* ---- Hex --------------------------------------------------------------- */

static bool lines_digit(uint8_t *value_out, uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        *value_out = (uint8_t)(digit - '0');
    else if (digit >= 'a' && digit <= 'f')
        *value_out = (uint8_t)(digit - 'a' + 10);
    else
        return false;
    return true;
}

enum status lines_read_hex(uint8_t *out, size_t size, struct slice text)
{
    if (text.size % 2 != 0 || text.size / 2 != size)
        return ST_FILE_FORMAT;
    for (size_t i = 0; i < size; i++) {
        uint8_t high, low;

        if (!lines_digit(&high, text.data[2 * i]) ||
            !lines_digit(&low, text.data[2 * i + 1]))
            return ST_FILE_FORMAT;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return ST_OK;
}

void lines_write_hex(struct writer *writer, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        writer_u8(writer, (uint8_t)digits[bytes[i] >> 4]);
        writer_u8(writer, (uint8_t)digits[bytes[i] & 0xf]);
    }
}
