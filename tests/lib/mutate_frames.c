#include <string.h>

#include "tests/lib/mutate.h"

enum { FRAMES_MAX = 64 };

struct parsed_frame {
    uint8_t type;
    uint8_t flags;
    uint16_t version;
    uint64_t request_id;
    struct slice body;
};

struct parsed {
    size_t count;
    struct parsed_frame frames[FRAMES_MAX];
};

/* As far as the headers make sense. */
static void parse_frames(struct parsed *parsed, struct slice rest)
{
    parsed->count = 0;
    while (rest.size >= FRAME_HEADER_SIZE && parsed->count < FRAMES_MAX) {
        struct parsed_frame *frame = &parsed->frames[parsed->count++];
        size_t size = load_u32(rest.data);

        if (size < FRAME_HEADER_SIZE || size > rest.size)
            size = rest.size;
        frame->type = rest.data[4];
        frame->flags = rest.data[5];
        frame->version = load_u16(rest.data + 6);
        frame->request_id = load_u64(rest.data + 8);
        frame->body =
            slice_of(rest.data + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE);
        rest = slice_of(rest.data + size, rest.size - size);
    }
}

static void change_body(struct random *random, struct parsed_frame *frame,
                        const struct mutate_signer *signer)
{
    static uint8_t bytes[FRAME_BODY_SIZE_MAX];
    const struct message_info *message = message_info(frame->type);
    size_t size =
        frame->body.size < sizeof bytes ? frame->body.size : sizeof bytes;

    if (size > 0)
        memcpy(bytes, frame->body.data, size);
    if (frame->type == MESSAGE_COMMAND && signer != NULL)
        size = mutate_command(random, bytes, size, sizeof bytes, signer);
    else if (message != NULL && message->schema != NULL)
        size =
            mutate_fields(random, bytes, size, sizeof bytes, message->schema);
    else
        size = mutate_bytes(random, bytes, size, sizeof bytes);
    frame->body = slice_of(bytes, size);
}

static void new_frame(struct random *random, struct parsed *parsed,
                      const struct mutate_signer *signer)
{
    struct parsed_frame *frame = &parsed->frames[parsed->count++];
    uint32_t count;
    const struct message_info *messages = message_list(&count);

    *frame = (struct parsed_frame){
        .type = messages[random_below(random, count)].number,
        .version = FRAME_VERSION};
    change_body(random, frame, signer);
}

static void change_frames(struct random *random, struct parsed *parsed,
                          const struct mutate_signer *signer)
{
    uint32_t which = random_below(random, 10);
    size_t at;

    if (parsed->count == 0 || (which < 2 && parsed->count < FRAMES_MAX)) {
        new_frame(random, parsed, signer);
        return;
    }
    at = random_below(random, (uint32_t)parsed->count);
    if (which == 2 && parsed->count < FRAMES_MAX)
        parsed->frames[parsed->count++] = parsed->frames[at];
    else if (which == 3)
        parsed->frames[at] = parsed->frames[--parsed->count];
    else if (which == 4) {
        struct parsed_frame frame = parsed->frames[at];
        parsed->frames[at] = parsed->frames[0];
        parsed->frames[0] = frame;
    } else if (which == 5)
        parsed->frames[at].flags = (uint8_t)random_below(random, 4);
    else
        change_body(random, &parsed->frames[at], signer);
}

static size_t write_frames(const struct parsed *parsed, uint8_t *out,
                           size_t size, bool numbered)
{
    uint64_t last = 0;
    struct writer writer;

    writer_init(&writer, out, size);
    for (size_t i = 0; i < parsed->count; i++) {
        const struct parsed_frame *frame = &parsed->frames[i];
        uint64_t number = frame->request_id;

        if (numbered && number != 0 && number <= last)
            number = last + 1;
        last = number > last ? number : last;
        writer_u32(&writer, (uint32_t)(FRAME_HEADER_SIZE + frame->body.size));
        writer_u8(&writer, frame->type);
        writer_u8(&writer, frame->flags);
        writer_u16(&writer, frame->version);
        writer_u64(&writer, number);
        writer_bytes(&writer, frame->body.data, frame->body.size);
    }
    return writer.status == ST_OK ? writer.used : 0;
}

size_t mutate_frames(struct random *random, uint8_t *data, size_t size,
                     size_t size_max, const struct mutate_signer *signer)
{
    static uint8_t copy[MUTATE_SIZE_MAX];
    static struct parsed parsed;
    size_t written;

    if (size > sizeof copy || random_chance(random, 60))
        return mutate_bytes(random, data, size, size_max);
    memcpy(copy, data, size);
    parse_frames(&parsed, slice_of(copy, size));
    change_frames(random, &parsed, signer);
    for (size_t i = 0; i < parsed.count; i++) {
        if (parsed.frames[i].request_id == 0 && random_chance(random, 300))
            parsed.frames[i].request_id = i + 1;
    }
    written =
        write_frames(&parsed, data, size_max, random_below(random, 16) != 0);
    if (written > 0)
        return written;
    memcpy(data, copy, size);
    return mutate_bytes(random, data, size, size_max);
}
