/*
 * lines.h: texts that are made of lines, as the formats of TRANSPARENCY are:
 * each line ends in one "\n", numbers are decimal without leading zeros, bytes
 * are base64 (RFC 4648, section 4, padded), or digits of hex.  There is one way
 * to write each value, and no other is read.
 */
#ifndef DEFTER_PROTOCOL_LINES_H
#define DEFTER_PROTOCOL_LINES_H

#include "protocol/bytes.h"
#include "protocol/limits.h"

/* Characters of ${size} bytes as base64. */
#define LINES_BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/*
 * lines_next(line_out, text):
 * Take the first line from ${text}; the line lacks its "\n".
 *
 * Returns: ST_OK; ST_END at the end; ST_FILE_FORMAT for bytes without a "\n"
 *          behind them, and ${text} stays.
 */
NODISCARD enum status lines_next(struct slice *line_out, struct slice *text);

/* Whether ${text} begins with ${start}; if so, it is taken from it. */
bool lines_take(struct slice *text, const char *start);

/*
 * lines_split(first_out, text, separator):
 * Take what stands before the first ${separator}, and the separator itself,
 * from ${text}.
 *
 * Returns: false if there is none, and ${text} stays.
 */
bool lines_split(struct slice *first_out, struct slice *text, char separator);

bool lines_equal(struct slice text, const char *other);

/*
 * lines_read_number(value_out, text, max):
 * Returns: ST_OK; ST_FILE_FORMAT for anything but the one way to write a number
 *          of at most ${max}.
 */
NODISCARD enum status lines_read_number(uint64_t *value_out, struct slice text,
                                        uint64_t max);

/*
 * lines_read_base64(out, size_out, size_max, text):
 * Returns: ST_OK; ST_FILE_FORMAT for anything but the one way to write 0 to
 *          ${size_max} bytes.
 */
NODISCARD enum status lines_read_base64(uint8_t *out, size_t *size_out,
                                        size_t size_max, struct slice text);

/* The same for exactly ${size} bytes. */
NODISCARD enum status lines_read_exact(uint8_t *out, size_t size,
                                       struct slice text);

/*
 * lines_read_hex(out, size, text):
 * Exactly ${size} bytes, each as two digits 0-9 or a-f.
 *
 * Returns: ST_OK; ST_FILE_FORMAT.
 */
NODISCARD enum status lines_read_hex(uint8_t *out, size_t size,
                                     struct slice text);

/* Whether ${text} is the one way to write some number of bytes. */
bool lines_base64_valid(struct slice text);

/*
 * lines_read_hashes(hashes, count_out, count_max, text):
 * Take lines of one hash each, and the empty line behind them, from ${text}.
 *
 * Returns: ST_OK; ST_TOO_LARGE for more than ${count_max}; ST_FILE_FORMAT.
 */
NODISCARD enum status lines_read_hashes(uint8_t (*hashes)[HASH_SIZE],
                                        size_t *count_out, size_t count_max,
                                        struct slice *text);

/* Each fails as the writer's own functions do (bytes.h). */
void lines_write(struct writer *writer, const char *text);
void lines_write_number(struct writer *writer, uint64_t value);
void lines_write_base64(struct writer *writer, const void *data, size_t size);
void lines_write_hex(struct writer *writer, const void *data, size_t size);
void lines_write_hashes(struct writer *writer,
                        const uint8_t (*hashes)[HASH_SIZE], size_t count);

#endif
