#include "protocol/answer.h"

size_t answer_parts_count(size_t size)
{
    return size == 0 ? 1 : (size - 1) / RESULT_PART_SIZE_MAX + 1;
}

void answer_write_part(struct writer *writer, uint64_t request_id,
                       const struct answer *answer, size_t part)
{
    size_t parts = answer_parts_count(answer->result.size), begin;
    struct slice result = answer->result;
    struct message_answer head = {.code = answer->code};
    bool last = part + 1 == parts;

    REQUIRE(answer->result.size <= RESULT_SIZE_MAX);
    REQUIRE(part < parts);
    REQUIRE((answer->receipt == NULL) == (answer->signature == NULL));
    if (answer->duplicate)
        head.flags |= ANSWER_DUPLICATE;
    if (answer->result_omitted)
        head.flags |= ANSWER_RESULT_OMITTED;
    if (last && answer->receipt != NULL)
        head.flags |= ANSWER_RECEIPT;
    if (part > 0) {
        result.data += part * RESULT_PART_SIZE_MAX;
        result.size -= part * RESULT_PART_SIZE_MAX;
    }
    if (!last)
        result.size = RESULT_PART_SIZE_MAX;
    head.result_len = (uint32_t)result.size;

    begin = frame_begin(writer, MESSAGE_ANSWER, last ? 0 : FRAME_FLAG_MORE,
                        request_id);
    schema_encode(&schema_message_answer, writer, &head);
    if ((head.flags & ANSWER_RECEIPT) != 0) {
        writer_bytes(writer, answer->receipt, RECEIPT_SIZE);
        writer_bytes(writer, answer->signature, SIGNATURE_SIZE);
    }
    writer_bytes(writer, result.data, result.size);
    frame_end(writer, begin);
}

enum status answer_decode_part(struct answer *out, bool *more_out,
                               const struct frame *frame)
{
    struct reader reader;
    uint8_t flags, reserved;
    uint32_t size;

    REQUIRE(frame->type == MESSAGE_ANSWER);
    *out = (struct answer){0};
    *more_out = (frame->flags & FRAME_FLAG_MORE) != 0;
    reader_init(&reader, frame->body);
    out->code = reader_u16(&reader);
    flags = reader_u8(&reader);
    reserved = reader_u8(&reader);
    size = reader_u32(&reader);
    if (reader.status == ST_OK &&
        (reserved != 0 || (flags & ~ANSWER_FLAGS_ALL) != 0))
        return ST_RESERVED;
    out->duplicate = (flags & ANSWER_DUPLICATE) != 0;
    out->result_omitted = (flags & ANSWER_RESULT_OMITTED) != 0;
    if ((flags & ANSWER_RECEIPT) != 0) {
        out->receipt = reader_bytes(&reader, RECEIPT_SIZE).data;
        out->signature = reader_bytes(&reader, SIGNATURE_SIZE).data;
    }
    if (reader.status == ST_OK && size != reader_left(&reader))
        return ST_FRAME;
    out->result = reader_bytes(&reader, size);
    return reader_end(&reader);
}

void answer_joiner_init(struct answer_joiner *joiner, uint8_t *data,
                        size_t size)
{
    *joiner = (struct answer_joiner){.data = data, .size = size};
}

static bool parts_agree(const struct answer *a, const struct answer *b)
{
    return a->code == b->code && a->duplicate == b->duplicate &&
           a->result_omitted == b->result_omitted;
}

enum status answer_join(struct answer_joiner *joiner, struct answer *answer_out,
                        const struct frame *frame)
{
    struct writer writer;
    bool more;
    enum status status = answer_decode_part(answer_out, &more, frame);

    if (status != ST_OK)
        return status;
    if (joiner->parts_count == 0)
        joiner->first = *answer_out;
    if (!parts_agree(&joiner->first, answer_out) ||
        (more && answer_out->receipt != NULL))
        return ST_FRAME;
    joiner->parts_count++;
    if (joiner->parts_count > ANSWER_FRAMES_MAX ||
        (more && joiner->parts_count == ANSWER_FRAMES_MAX))
        return ST_TOO_LARGE;
    writer_init(&writer, joiner->data + joiner->used,
                joiner->size - joiner->used);
    writer_bytes(&writer, answer_out->result.data, answer_out->result.size);
    if (writer.status != ST_OK)
        return writer.status;
    joiner->used += writer.used;
    answer_out->result = slice_of(joiner->data, joiner->used);
    return more ? ST_AGAIN : ST_OK;
}

void answer_batch_begin(struct writer *writer, uint16_t items_count)
{
    REQUIRE(items_count > 1);
    writer_u16(writer, items_count);
}

void answer_batch_add(struct writer *writer, uint16_t code, struct slice result)
{
    writer_u16(writer, code);
    writer_blob(writer, result);
}

enum status answer_batch_open(struct answer_batch *batch, struct slice result,
                              uint16_t items_count)
{
    struct reader walk;

    batch->left = 0;
    reader_init(&batch->reader, result);
    if (reader_u16(&batch->reader) != items_count)
        reader_fail(&batch->reader, ST_FRAME);
    walk = batch->reader;
    for (uint16_t i = 0; i < items_count && walk.status == ST_OK; i++) {
        (void)reader_u16(&walk);
        (void)reader_blob(&walk);
    }
    if (reader_end(&walk) != ST_OK)
        return ST_FRAME;
    batch->left = items_count;
    return ST_OK;
}

bool answer_batch_next(struct answer_batch *batch, uint16_t *code_out,
                       struct slice *result_out)
{
    if (batch->left == 0)
        return false;
    batch->left--;
    *code_out = reader_u16(&batch->reader);
    *result_out = reader_blob(&batch->reader);
    INVARIANT(batch->reader.status == ST_OK);
    return true;
}

uint16_t answer_batch_code(const uint16_t *codes, size_t count)
{
    uint16_t first = 0;
    size_t done = 0;

    REQUIRE(codes != NULL && count > 0);
    for (size_t i = 0; i < count; i++) {
        done += codes[i] == ST_OK;
        if (first == 0 && codes[i] != ST_NOT_DONE)
            first = codes[i];
    }
    if (done == count)
        return ST_OK;
    if (done > 0)
        return ST_PARTIAL;
    return first == 0 ? (uint16_t)ST_NOT_DONE : first;
}
