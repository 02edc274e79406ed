/*
 * bytes.h: slices, and a reader and a writer that remember their first failure.
 *
 * All integers on the wire and on disk are little-endian (PROTOCOL, section 1).
 * A reader never reads behind its slice: after the first failure every getter
 * returns zero, and the caller looks at the status once, at the end.
 */
#ifndef DEFTER_PROTOCOL_BYTES_H
#define DEFTER_PROTOCOL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/status.h"

/* A borrowed run of bytes.  Invariant: size == 0 or data != NULL. */
struct slice {
    const uint8_t *data;
    size_t size;
};

struct slice slice_of(const void *data, size_t size);
bool slice_equal(struct slice a, struct slice b);

/*
 * Invariants: used <= size; status == ST_OK until the first failure, and the
 * first failure's status afterwards.
 */
struct reader {
    const uint8_t *data;
    size_t size;
    size_t used;
    enum status status;
};

struct writer {
    uint8_t *data;
    size_t size; /* Capacity. */
    size_t used;
    enum status status;
};

void reader_init(struct reader *reader, struct slice input);

/* Bytes not read yet; zero after a failure. */
size_t reader_left(const struct reader *reader);

/* Each returns zero after a failure; a short input fails with ST_BAD_FIELD. */
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
int32_t reader_i32(struct reader *reader);
int64_t reader_i64(struct reader *reader);

/* The next ${size} bytes, borrowed from the input; empty after a failure. */
struct slice reader_bytes(struct reader *reader, size_t size);

/* Copies ${size} bytes to ${out}; zeros after a failure. */
void reader_copy(struct reader *reader, void *out, size_t size);

/* u16 length, then that many bytes, borrowed. */
struct slice reader_blob(struct reader *reader);

/* Records ${status} unless an earlier failure is already recorded. */
void reader_fail(struct reader *reader, enum status status);

/*
 * reader_end(reader):
 * Returns: the first failure; ST_TRAILING if bytes remain; else ST_OK.
 */
NODISCARD enum status reader_end(struct reader *reader);

void writer_init(struct writer *writer, void *data, size_t size);

/* What was written so far. */
struct slice writer_slice(const struct writer *writer);

/* Each writes nothing once the capacity is exceeded (ST_TOO_LARGE). */
void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_u32(struct writer *writer, uint32_t value);
void writer_u64(struct writer *writer, uint64_t value);
void writer_i32(struct writer *writer, int32_t value);
void writer_i64(struct writer *writer, int64_t value);
void writer_bytes(struct writer *writer, const void *data, size_t size);
void writer_zeros(struct writer *writer, size_t size);

/* u16 length and the bytes; fails with ST_TOO_LARGE above 65 535. */
void writer_blob(struct writer *writer, struct slice value);

/* Reserves ${size} bytes to be filled in later; NULL after a failure. */
uint8_t *writer_reserve(struct writer *writer, size_t size);

/* Little-endian loads and stores at a place whose bounds the caller checked. */
uint16_t load_u16(const uint8_t *from);
uint32_t load_u32(const uint8_t *from);
uint64_t load_u64(const uint8_t *from);
void store_u16(uint8_t *to, uint16_t value);
void store_u32(uint8_t *to, uint32_t value);
void store_u64(uint8_t *to, uint64_t value);

#endif
