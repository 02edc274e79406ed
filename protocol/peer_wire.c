#include "protocol/peer_wire.h"

#include "protocol/frame.h"

enum status peer_wire_next(uint8_t *type_out, struct slice *body_out,
                           struct slice *rest)
{
    struct reader reader;
    uint32_t size;

    if (rest->size == 0)
        return ST_END;
    if (rest->size < FRAME_HEADER_SIZE)
        return ST_FRAME;
    reader_init(&reader, *rest);
    size = reader_u32(&reader);
    *type_out = reader_u8(&reader);
    uint8_t flags = reader_u8(&reader);
    uint16_t version = reader_u16(&reader);
    uint64_t request_id = reader_u64(&reader);
    if (size < FRAME_HEADER_SIZE || size > rest->size)
        return ST_FRAME;
    if (peer_info(*type_out) == NULL)
        return ST_TYPE;
    if (flags != 0 || request_id != 0)
        return ST_RESERVED;
    if (version != FRAME_VERSION)
        return ST_OP_VERSION;
    *body_out = reader_bytes(&reader, size - FRAME_HEADER_SIZE);
    *rest = slice_of(rest->data + size, rest->size - size);
    ENSURE(reader.status == ST_OK);
    return ST_OK;
}

void peer_wire_write(struct writer *writer, uint8_t type, struct slice body)
{
    REQUIRE(peer_info(type) != NULL);
    REQUIRE(body.size <= FRAME_BODY_SIZE_MAX);
    writer_u32(writer, (uint32_t)(FRAME_HEADER_SIZE + body.size));
    writer_u8(writer, type);
    writer_u8(writer, 0);
    writer_u16(writer, FRAME_VERSION);
    writer_u64(writer, 0);
    writer_bytes(writer, body.data, body.size);
}
