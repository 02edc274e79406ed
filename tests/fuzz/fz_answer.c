/*
 * fz_answer.c: answers as a node, or who has its key, may send them: the parts
 * of one, and the list of a batch's results.  What joins is written again as
 * the same bytes, or joins to the same answer; a list keeps to its count.
 *
 * The first byte chooses: 0, parts of u16 size (less one) and bytes follow, the
 * bodies of frames of which all but the last have more behind them; 1, the
 * same, but the second byte says, bit by bit, of which frames that is said; 2,
 * a u16 count and the list; 3, a u32 size of a long result, written and joined.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_ID = 7, FUZZ_JOINED_MAX = 1 << 18 };

/* What ${answer} is written as joins to it. */
static void check_again(const struct answer *answer)
{
    static uint8_t bytes[FRAME_SIZE_MAX], joined[RESULT_SIZE_MAX];
    const size_t parts = answer_parts_count(answer->result.size);
    struct answer_joiner joiner;
    struct answer again;

    answer_joiner_init(&joiner, joined, sizeof joined);
    for (size_t i = 0; i < parts; i++) {
        struct frame frame = {.type = MESSAGE_ANSWER};
        struct writer writer;
        enum status status;

        writer_init(&writer, bytes, sizeof bytes);
        answer_write_part(&writer, FUZZ_ID, answer, i);
        INVARIANT(writer.status == ST_OK);
        frame.flags = bytes[5];
        frame.body = slice_of(bytes + FRAME_HEADER_SIZE,
                              writer.used - FRAME_HEADER_SIZE);
        status = answer_join(&joiner, &again, &frame);
        INVARIANT(status == (i + 1 < parts ? ST_AGAIN : ST_OK));
    }
    INVARIANT(again.code == answer->code &&
              again.duplicate == answer->duplicate &&
              again.result_omitted == answer->result_omitted);
    INVARIANT(slice_equal(again.result, answer->result));
    INVARIANT((again.receipt == NULL) == (answer->receipt == NULL));
    INVARIANT(answer->receipt == NULL ||
              memcmp(again.receipt, answer->receipt,
                     RECEIPT_SIZE + SIGNATURE_SIZE) == 0);
}

/* One frame says all of an answer in one way. */
static void check_part(const struct frame *frame)
{
    static uint8_t bytes[FRAME_SIZE_MAX];
    struct answer answer;
    struct writer writer;
    bool more;

    if (answer_decode_part(&answer, &more, frame) != ST_OK || more ||
        answer.result.size > RESULT_PART_SIZE_MAX)
        return;
    writer_init(&writer, bytes, sizeof bytes);
    answer_write_part(&writer, FUZZ_ID, &answer, 0);
    INVARIANT(slice_equal(
        slice_of(bytes + FRAME_HEADER_SIZE, writer.used - FRAME_HEADER_SIZE),
        frame->body));
}

/* ${more} has a bit for each frame, from the first on; 0: what is so. */
static void check_parts(struct slice rest, uint8_t more)
{
    static uint8_t joined[FUZZ_JOINED_MAX];
    struct answer_joiner joiner;
    enum status status = ST_AGAIN;
    struct answer answer;

    answer_joiner_init(&joiner, joined, sizeof joined);
    while (status == ST_AGAIN && rest.size > 2) {
        size_t size = (size_t)load_u16(rest.data) + 1;
        struct frame frame = {.type = MESSAGE_ANSWER};

        if (size > rest.size - 2)
            size = rest.size - 2;
        frame.body = slice_of(rest.data + 2, size);
        rest = slice_of(rest.data + 2 + size, rest.size - 2 - size);
        if (more == 0 ? rest.size > 2 : (more & 1) != 0)
            frame.flags = FRAME_FLAG_MORE;
        more >>= 1;
        check_part(&frame);
        status = answer_join(&joiner, &answer, &frame);
        INVARIANT(joiner.used <= joiner.size);
        INVARIANT(joiner.parts_count <= ANSWER_FRAMES_MAX + 1);
    }
    if (status == ST_OK)
        check_again(&answer);
}

/* The code of a batch as PROTOCOL says it. */
static void check_code(const uint16_t *codes, size_t count)
{
    const uint16_t code = answer_batch_code(codes, count);
    size_t done = 0;
    bool said = false;

    for (size_t i = 0; i < count; i++) {
        done += codes[i] == ST_OK;
        said = said || codes[i] == code;
    }
    INVARIANT((code == ST_OK) == (done == count));
    INVARIANT(IMPLIES(done > 0 && done < count, code == ST_PARTIAL));
    INVARIANT(IMPLIES(done == 0, said));
}

static void check_batch(struct slice input)
{
    static uint8_t again[FUZZ_JOINED_MAX];
    uint16_t codes[ITEMS_MAX], code, count, seen = 0;
    struct answer_batch batch;
    struct slice result;
    struct writer writer;

    if (input.size < 2)
        return;
    count = load_u16(input.data);
    input = slice_of(input.data + 2, input.size - 2);
    if (count < 2 || count > ITEMS_MAX || input.size > sizeof again ||
        answer_batch_open(&batch, input, count) != ST_OK)
        return;
    writer_init(&writer, again, sizeof again);
    answer_batch_begin(&writer, count);
    while (answer_batch_next(&batch, &code, &result)) {
        answer_batch_add(&writer, code, result);
        codes[seen++] = code;
    }
    INVARIANT(seen == count);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    check_code(codes, seen);
}

/* A result of many parts: byte i is i, so that no two are mixed up. */
static void check_long(struct slice input)
{
    static uint8_t result[RESULT_SIZE_MAX];
    const uint8_t receipt[RECEIPT_SIZE + SIGNATURE_SIZE] = {1};
    struct answer answer = {.receipt = receipt,
                            .signature = receipt + RECEIPT_SIZE};

    if (input.size < 4)
        return;
    for (size_t i = 0; result[1] == 0 && i < sizeof result; i++)
        result[i] = (uint8_t)(i % 251);
    answer.result =
        slice_of(result, load_u32(input.data) % (RESULT_SIZE_MAX + 1));
    check_again(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    switch (data[0] % 4) {
    case 0:
        check_parts(slice_of(data + 1, size - 1), 0);
        break;
    case 1:
        check_parts(slice_of(data + 2, size - 2), data[1]);
        break;
    case 2:
        check_batch(slice_of(data + 1, size - 1));
        break;
    case 3:
        check_long(slice_of(data + 1, size - 1));
        break;
    }
    return 0;
}
