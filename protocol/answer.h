/*
 * answer.h: ANSWER frames: a code, perhaps a receipt, and a result in parts
 * (PROTOCOL, section 7).
 *
 * A result of more than RESULT_PART_SIZE_MAX bytes goes out in several frames.
 * All but the last have the frame flag MORE; the last alone holds the receipt;
 * the code is the same in all of them, and the result is the parts joined.
 *
 * The result of a command with one item is the item's.  Of several items it is
 * a list: u16 count, then for each item u16 code and a blob.
 */
#ifndef DEFTER_PROTOCOL_ANSWER_H
#define DEFTER_PROTOCOL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/frame.h"
#include "protocol/limits.h"

enum {
    ANSWER_DUPLICATE = 1,
    ANSWER_RECEIPT = 2,
    ANSWER_RESULT_OMITTED = 4, /* On a DUPLICATE whose result is gone. */
    ANSWER_FLAGS_ALL = ANSWER_DUPLICATE | ANSWER_RECEIPT | ANSWER_RESULT_OMITTED
};

/* Invariant: receipt and signature are both NULL or neither. */
struct answer {
    uint16_t code;
    bool duplicate;
    bool result_omitted;
    const uint8_t *receipt;   /* RECEIPT_SIZE bytes. */
    const uint8_t *signature; /* SIGNATURE_SIZE bytes. */
    struct slice result;
};

/* How many frames a result of ${size} bytes takes; at least one. */
size_t answer_parts_count(size_t size);

/*
 * answer_write_part(writer, request_id, answer, part):
 * The whole frame of part ${part}, from 0.
 *
 * Requires: part < answer_parts_count(answer->result.size);
 *           answer->result.size <= RESULT_SIZE_MAX.
 */
void answer_write_part(struct writer *writer, uint64_t request_id,
                       const struct answer *answer, size_t part);

/*
 * answer_decode_part(out, more_out, frame):
 * One ANSWER frame that passed the gate; out->result is its part.
 *
 * Returns: ST_OK; ST_BAD_FIELD or ST_FRAME where lengths do not fit;
 *          ST_RESERVED for unknown flags.
 * Owns:    ${*out} borrows the frame.
 */
NODISCARD enum status answer_decode_part(struct answer *out, bool *more_out,
                                         const struct frame *frame);

/* Joins parts in the caller's buffer.  Invariant: used <= size. */
struct answer_joiner {
    uint8_t *data;
    size_t size;
    size_t used;
    size_t parts_count;
    struct answer first;
};

void answer_joiner_init(struct answer_joiner *joiner, uint8_t *data,
                        size_t size);

/*
 * answer_join(joiner, answer_out, frame):
 * The next frame of one answer.
 *
 * Returns: ST_OK, and ${*answer_out} is the whole answer; ST_AGAIN if more
 *          follow; ST_TOO_LARGE if the result outgrows the buffer or
 *          ANSWER_FRAMES_MAX; ST_FRAME if a part contradicts the first, or has
 * a receipt and is not the last; what answer_decode_part() returns. Owns: the
 * result borrows the joiner's buffer, a receipt the last frame.
 */
NODISCARD enum status answer_join(struct answer_joiner *joiner,
                                  struct answer *answer_out,
                                  const struct frame *frame);

/* Begins the list of a batch's results; exactly ${items_count} adds follow. */
void answer_batch_begin(struct writer *writer, uint16_t items_count);
void answer_batch_add(struct writer *writer, uint16_t code,
                      struct slice result);

/* Walks a batch's results.  Invariant: every element left is whole. */
struct answer_batch {
    struct reader reader;
    uint16_t left;
};

/*
 * answer_batch_open(batch, result, items_count):
 * Returns: ST_OK; ST_FRAME unless ${result} is a list of exactly ${items_count}
 *          elements and nothing else.
 */
NODISCARD enum status answer_batch_open(struct answer_batch *batch,
                                        struct slice result,
                                        uint16_t items_count);

/* False at the end; else the next item's code and result. */
bool answer_batch_next(struct answer_batch *batch, uint16_t *code_out,
                       struct slice *result_out);

/*
 * answer_batch_code(codes, count):
 * The code of a batch: 0 when every item is done; PARTIAL when some are; else
 * the first item's that is not NOT_DONE, which all-or-nothing batches give to
 * what they did not do.
 *
 * Requires: count > 0.
 */
uint16_t answer_batch_code(const uint16_t *codes, size_t count);

#endif
