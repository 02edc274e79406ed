/*
 * fz_frame.c: the plaintext of a record, from either side, before or after the
 * login.  Frames are taken until one is refused; what decodes again fits the
 * frame that it came from, and a dump of the whole never fails.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/dump.h"
#include "protocol/frame.h"
#include "protocol/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CHOICE_SERVER = 1,
    CHOICE_OPEN = 2,
    CHOICE_PINGED = 4,
    CHOICE_PARAMS = 8
};

static void frame_line(void *context, struct slice name, struct slice value)
{
    size_t *lines = context;

    INVARIANT(name.size <= DUMP_PATH_SIZE_MAX);
    for (size_t i = 0; i < value.size; i++)
        INVARIANT(value.data[i] >= 0x20 && value.data[i] != 0x7f);
    *lines += 1;
}

/* A pad that is taken is the pad of its size. */
static void frame_check_pad(const struct frame *frame)
{
    static uint8_t bytes[FRAME_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    frame_write_pad(&writer, frame->body.size);
    INVARIANT(writer.used == FRAME_HEADER_SIZE + frame->body.size);
    INVARIANT(memcmp(bytes + FRAME_HEADER_SIZE, frame->body.data,
                     frame->body.size) == 0);
}

static void frame_gate_set(struct frame_gate *gate, uint8_t choice)
{
    frame_gate_init(gate, choice & CHOICE_SERVER ? FRAME_SERVER : FRAME_CLIENT);
    if (choice & CHOICE_OPEN)
        frame_gate_open(gate);
    else if (choice & CHOICE_PARAMS)
        frame_gate_params(gate);
    if (choice & CHOICE_PINGED)
        frame_gate_pinged(gate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_gate gate;
    struct frame frame;
    struct field_error error;
    union frame_body body;
    struct dump dump;
    struct slice rest;
    size_t lines = 0;

    if (size < 1 || size - 1 > FRAME_SIZE_MAX)
        return 0;
    frame_gate_set(&gate, data[0]);
    rest = slice_of(data + 1, size - 1);
    while (rest.size > 0) {
        size_t before = rest.size;
        enum status status = frame_next(&gate, &frame, &rest);

        if (status != ST_OK && status != ST_OP_VERSION)
            break;
        INVARIANT(before - rest.size == FRAME_HEADER_SIZE + frame.body.size);
        if (status != ST_OK || frame.type == MESSAGE_COMMAND ||
            frame.type == MESSAGE_EVENT)
            continue;
        status = frame_decode(&gate, &body, &error, &frame);
        if (status != ST_OK)
            (void)frame_scope(&gate, status, &frame);
        else if (frame.type == MESSAGE_PAD && frame.body.size > 0)
            frame_check_pad(&frame);
    }
    dump_init(&dump, &lines, frame_line);
    dump_frames(&dump, slice_of(data + 1, size - 1));
    INVARIANT(size == 1 || lines > 0);
    return 0;
}
