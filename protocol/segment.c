#include "protocol/segment.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const uint8_t segment_magic[8] = "DFTLOG1";

enum {
    SEGMENT_VERSION = 1,
    SEGMENT_HEADER_CHECKED = 56, /* Bytes under the header's checksum. */
    SEGMENT_HEADER_USED = SEGMENT_HEADER_CHECKED + 8
};

void segment_header_encode(uint8_t *out, const struct segment_header *header)
{
    struct writer writer;

    writer_init(&writer, out, SEGMENT_HEADER_SIZE);
    writer_bytes(&writer, segment_magic, sizeof segment_magic);
    writer_u32(&writer, SEGMENT_VERSION);
    writer_u32(&writer, header->segment_size);
    writer_u64(&writer, header->first_index);
    writer_bytes(&writer, header->previous, HASH_SIZE);
    INVARIANT(writer.used == SEGMENT_HEADER_CHECKED);
    writer_u64(&writer, XXH3_64bits(out, SEGMENT_HEADER_CHECKED));
    writer_zeros(&writer, SEGMENT_HEADER_SIZE - writer.used);
    ENSURE(writer.status == ST_OK);
}

static bool segment_is_zero(const uint8_t *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

enum status segment_header_decode(struct segment_header *header_out,
                                  struct slice input)
{
    struct reader reader;
    struct slice magic;
    uint32_t version;
    uint64_t checksum;

    REQUIRE(header_out != NULL);
    if (input.size < SEGMENT_HEADER_SIZE)
        return ST_FILE_FORMAT;
    reader_init(&reader, slice_of(input.data, SEGMENT_HEADER_SIZE));
    magic = reader_bytes(&reader, sizeof segment_magic);
    version = reader_u32(&reader);
    header_out->segment_size = reader_u32(&reader);
    header_out->first_index = reader_u64(&reader);
    reader_copy(&reader, header_out->previous, HASH_SIZE);
    checksum = reader_u64(&reader);
    INVARIANT(reader.used == SEGMENT_HEADER_USED);
    if (!slice_equal(magic, slice_of(segment_magic, sizeof segment_magic)) ||
        version != SEGMENT_VERSION)
        return ST_FILE_FORMAT;
    if (checksum != XXH3_64bits(input.data, SEGMENT_HEADER_CHECKED))
        return ST_CHECKSUM;
    if (header_out->segment_size <= SEGMENT_HEADER_SIZE ||
        !segment_is_zero(input.data + reader.used, reader_left(&reader)))
        return ST_FILE_FORMAT;
    return ST_OK;
}

size_t segment_frame_size(size_t entry_size)
{
    REQUIRE(entry_size <= ENTRY_SIZE_MAX);
    return SEGMENT_FRAME_HEADER_SIZE + entry_size + SEGMENT_FRAME_TRAILER_SIZE;
}

void segment_frame_encode(uint8_t *out, struct slice entry)
{
    const size_t checked = SEGMENT_FRAME_HEADER_SIZE + entry.size;

    REQUIRE(entry.size > 0);
    REQUIRE(entry.size <= ENTRY_SIZE_MAX);
    store_u32(out, (uint32_t)entry.size);
    store_u32(out + 4, 0);
    memcpy(out + SEGMENT_FRAME_HEADER_SIZE, entry.data, entry.size);
    store_u64(out + checked, XXH3_64bits(out, checked));
}

enum status segment_frame_decode(struct slice *entry_out, struct slice input)
{
    size_t length;
    size_t checked;

    REQUIRE(entry_out != NULL);
    *entry_out = (struct slice){NULL, 0};
    if (input.size < SEGMENT_FRAME_HEADER_SIZE)
        return ST_AGAIN;
    length = load_u32(input.data);
    if (length == 0)
        return ST_END;
    if (length < ENTRY_FIXED_SIZE || length > ENTRY_SIZE_MAX ||
        load_u32(input.data + 4) != 0)
        return ST_FILE_FORMAT;
    if (segment_frame_size(length) > input.size)
        return ST_AGAIN;
    checked = SEGMENT_FRAME_HEADER_SIZE + length;
    if (load_u64(input.data + checked) != XXH3_64bits(input.data, checked))
        return ST_CHECKSUM;
    *entry_out = slice_of(input.data + SEGMENT_FRAME_HEADER_SIZE, length);
    return ST_OK;
}
