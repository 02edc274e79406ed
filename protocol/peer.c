#include "protocol/peer.h"

#include <string.h>

enum { PEER_ENTRY_HEAD_SIZE = 4 };

static bool peer_has_entries(uint8_t type)
{
    return type == PEER_APPEND || type == PEER_FETCHED;
}

/* What the fixed fields of a frame with entries take. */
static size_t peer_fixed_size(const struct schema *schema)
{
    const struct field *rows = schema->rows();
    size_t size = 0;

    for (uint16_t i = 0; i < schema->fields_count; i++)
        size += schema_kind_size(rows[i].kind);
    return size;
}

/* Each size is compared with what is left before anything is added to it. */
static enum status peer_check_entries(struct slice entries)
{
    while (entries.size > 0) {
        if (entries.size < PEER_ENTRY_HEAD_SIZE)
            return ST_FRAME;
        uint32_t size = load_u32(entries.data);
        if (size == 0 || size > ENTRY_SIZE_MAX ||
            size > entries.size - PEER_ENTRY_HEAD_SIZE)
            return ST_FRAME;
        entries.data += PEER_ENTRY_HEAD_SIZE + size;
        entries.size -= PEER_ENTRY_HEAD_SIZE + size;
    }
    return ST_OK;
}

static void *peer_body(struct peer_frame *frame)
{
    /* The members of the union begin where it begins. */
    return &frame->hello;
}

enum status peer_decode(struct peer_frame *out, uint8_t type, struct slice body)
{
    const struct peer_info *info = peer_info(type);
    struct field_error error;
    enum status status;

    memset(out, 0, sizeof *out);
    if (info == NULL)
        return ST_TYPE;
    out->type = (enum peer_number)type;
    if (peer_has_entries(type)) {
        size_t fixed = peer_fixed_size(info->schema);

        if (body.size < fixed)
            return ST_BAD_FIELD;
        out->entries = slice_of(body.data + fixed, body.size - fixed);
        body.size = fixed;
    }
    status = schema_decode(info->schema, peer_body(out), &error, body,
                           SCHEMA_SKIP_ODD);
    if (status == ST_TRAILING)
        return ST_FRAME;
    if (status != ST_OK)
        return status;
    if (type == PEER_FETCHED && out->fetched.result != PEER_FETCH_ENTRIES &&
        out->entries.size > 0)
        return ST_FRAME;
    return peer_check_entries(out->entries);
}

void peer_encode(struct writer *writer, const struct peer_frame *frame)
{
    const struct peer_info *info = peer_info((uint8_t)frame->type);

    REQUIRE(info != NULL);
    REQUIRE(frame->entries.size == 0 || peer_has_entries(info->number));
    schema_encode(info->schema, writer, &frame->hello);
    writer_bytes(writer, frame->entries.data, frame->entries.size);
}

void peer_add_entry(struct writer *entries, struct slice entry)
{
    REQUIRE(entry.size > 0 && entry.size <= ENTRY_SIZE_MAX);
    writer_u32(entries, (uint32_t)entry.size);
    writer_bytes(entries, entry.data, entry.size);
}

bool peer_next_entry(struct slice *entry_out, struct slice *rest)
{
    if (rest->size == 0)
        return false;
    uint32_t size = load_u32(rest->data);
    *entry_out = slice_of(rest->data + PEER_ENTRY_HEAD_SIZE, size);
    rest->data += PEER_ENTRY_HEAD_SIZE + size;
    rest->size -= PEER_ENTRY_HEAD_SIZE + size;
    return true;
}
