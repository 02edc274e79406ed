#include "protocol/bytes.h"

#include <string.h>

#include "protocol/assumptions.h"

struct slice slice_of(const void *data, size_t size)
{
    REQUIRE(size == 0 || data != NULL);
    return (struct slice){data, size};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

uint16_t load_u16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

uint32_t load_u32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

uint64_t load_u64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

void store_u16(uint8_t *to, uint16_t value)
{
    memcpy(to, &value, sizeof value);
}

void store_u32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

void store_u64(uint8_t *to, uint64_t value)
{
    memcpy(to, &value, sizeof value);
}

void reader_init(struct reader *reader, struct slice input)
{
    REQUIRE(reader != NULL);
    REQUIRE(input.size == 0 || input.data != NULL);
    *reader = (struct reader){input.data, input.size, 0, ST_OK};
}

size_t reader_left(const struct reader *reader)
{
    INVARIANT(reader->used <= reader->size);
    return reader->status == ST_OK ? reader->size - reader->used : 0;
}

void reader_fail(struct reader *reader, enum status status)
{
    REQUIRE(status != ST_OK);
    if (reader->status == ST_OK)
        reader->status = status;
}

/* The place of the next ${size} bytes, or NULL and a recorded failure. */
static const uint8_t *reader_take(struct reader *reader, size_t size)
{
    const uint8_t *at;

    if (reader->status != ST_OK)
        return NULL;
    if (size > reader->size - reader->used) {
        reader->status = ST_BAD_FIELD;
        return NULL;
    }
    at = reader->data + reader->used;
    reader->used += size;
    return at;
}

uint8_t reader_u8(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, 1);
    return at == NULL ? 0 : *at;
}

uint16_t reader_u16(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, 2);
    return at == NULL ? 0 : load_u16(at);
}

uint32_t reader_u32(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, 4);
    return at == NULL ? 0 : load_u32(at);
}

uint64_t reader_u64(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, 8);
    return at == NULL ? 0 : load_u64(at);
}

int32_t reader_i32(struct reader *reader)
{
    return (int32_t)reader_u32(reader);
}

int64_t reader_i64(struct reader *reader)
{
    return (int64_t)reader_u64(reader);
}

struct slice reader_bytes(struct reader *reader, size_t size)
{
    const uint8_t *at = reader_take(reader, size);
    return at == NULL ? (struct slice){NULL, 0} : (struct slice){at, size};
}

void reader_copy(struct reader *reader, void *out, size_t size)
{
    const uint8_t *at = reader_take(reader, size);

    if (size == 0)
        return;
    if (at == NULL)
        memset(out, 0, size);
    else
        memcpy(out, at, size);
}

struct slice reader_blob(struct reader *reader)
{
    return reader_bytes(reader, reader_u16(reader));
}

enum status reader_end(struct reader *reader)
{
    if (reader->status == ST_OK && reader->used != reader->size)
        reader->status = ST_TRAILING;
    return reader->status;
}

void writer_init(struct writer *writer, void *data, size_t size)
{
    REQUIRE(writer != NULL);
    REQUIRE(size == 0 || data != NULL);
    *writer = (struct writer){data, size, 0, ST_OK};
}

struct slice writer_slice(const struct writer *writer)
{
    return (struct slice){writer->data, writer->used};
}

uint8_t *writer_reserve(struct writer *writer, size_t size)
{
    uint8_t *at;

    if (writer->status != ST_OK)
        return NULL;
    if (size > writer->size - writer->used) {
        writer->status = ST_TOO_LARGE;
        return NULL;
    }
    at = writer->data + writer->used;
    writer->used += size;
    return at;
}

void writer_u8(struct writer *writer, uint8_t value)
{
    writer_bytes(writer, &value, sizeof value);
}

void writer_u16(struct writer *writer, uint16_t value)
{
    writer_bytes(writer, &value, sizeof value);
}

void writer_u32(struct writer *writer, uint32_t value)
{
    writer_bytes(writer, &value, sizeof value);
}

void writer_u64(struct writer *writer, uint64_t value)
{
    writer_bytes(writer, &value, sizeof value);
}

void writer_i32(struct writer *writer, int32_t value)
{
    writer_bytes(writer, &value, sizeof value);
}

void writer_i64(struct writer *writer, int64_t value)
{
    writer_bytes(writer, &value, sizeof value);
}

void writer_bytes(struct writer *writer, const void *data, size_t size)
{
    uint8_t *at = writer_reserve(writer, size);
    if (at != NULL && size > 0)
        memcpy(at, data, size);
}

void writer_zeros(struct writer *writer, size_t size)
{
    uint8_t *at = writer_reserve(writer, size);
    if (at != NULL && size > 0)
        memset(at, 0, size);
}

void writer_blob(struct writer *writer, struct slice value)
{
    if (value.size > UINT16_MAX) {
        if (writer->status == ST_OK)
            writer->status = ST_TOO_LARGE;
        return;
    }
    writer_u16(writer, (uint16_t)value.size);
    writer_bytes(writer, value.data, value.size);
}
