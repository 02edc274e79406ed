#include "protocol/answer.h"

#include <string.h>

#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static uint8_t result[RESULT_SIZE_MAX + 1], joined[RESULT_SIZE_MAX];
static uint8_t bytes[FRAME_SIZE_MAX];
static uint8_t receipt[RECEIPT_SIZE], signature[SIGNATURE_SIZE];

static void fill(void)
{
    for (size_t i = 0; i < sizeof result; i++)
        result[i] = (uint8_t)(i * 7 + i / 251);
    memset(receipt, 0x11, sizeof receipt);
    memset(signature, 0x22, sizeof signature);
}

/* Part ${part} of ${answer} as a client takes it from the wire. */
static struct frame part_of(const struct answer *answer, size_t part)
{
    struct frame_gate gate;
    struct frame frame;
    struct writer writer;
    struct slice rest;

    writer_init(&writer, bytes, sizeof bytes);
    answer_write_part(&writer, 77, answer, part);
    ck_assert_int_eq(writer.status, ST_OK);
    frame_gate_init(&gate, FRAME_SERVER);
    frame_gate_open(&gate);
    rest = writer_slice(&writer);
    ck_assert_int_eq(frame_next(&gate, &frame, &rest), ST_OK);
    ck_assert_uint_eq(rest.size, 0);
    return frame;
}

/* Sends all parts of ${answer} and gives what they join to. */
static struct answer round_trip(const struct answer *answer)
{
    struct answer_joiner joiner;
    struct answer out;
    size_t parts = answer_parts_count(answer->result.size);

    answer_joiner_init(&joiner, joined, sizeof joined);
    for (size_t i = 0; i < parts; i++) {
        struct frame frame = part_of(answer, i);
        ck_assert_int_eq(answer_join(&joiner, &out, &frame),
                         i + 1 < parts ? ST_AGAIN : ST_OK);
        ck_assert_int_eq(out.receipt == NULL,
                         i + 1 < parts || answer->receipt == NULL);
    }
    return out;
}

START_TEST(a_small_answer_is_one_frame_with_its_documented_bytes)
{
    struct answer answer = {.code = ST_NO_GRANT, .duplicate = true};

    answer.result = slice_of("abc", 3);
    ck_assert_uint_eq(answer_parts_count(3), 1);
    (void)part_of(&answer, 0);
    hex_expect(bytes, 27,
               "1b000000"
               "11"
               "00"
               "0100"
               "4d00000000000000"
               "d300"
               "01"
               "00"
               "03000000"
               "616263");
}
END_TEST

START_TEST(results_of_every_number_of_parts_come_back_joined)
{
    static const size_t sizes[] = {0,
                                   1,
                                   RESULT_PART_SIZE_MAX - 1,
                                   RESULT_PART_SIZE_MAX,
                                   RESULT_PART_SIZE_MAX + 1,
                                   5 * RESULT_PART_SIZE_MAX + 9,
                                   RESULT_SIZE_MAX};

    fill();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct answer answer = {
            .code = ST_PARTIAL, .receipt = receipt, .signature = signature};
        struct answer out;
        answer.result = slice_of(result, sizes[i]);
        out = round_trip(&answer);
        ck_assert_uint_eq(out.code, ST_PARTIAL);
        ck_assert(slice_equal(out.result, answer.result));
        ck_assert_int_eq(memcmp(out.receipt, receipt, RECEIPT_SIZE), 0);
        ck_assert_int_eq(memcmp(out.signature, signature, SIGNATURE_SIZE), 0);
        ck_assert(!out.duplicate && !out.result_omitted);
    }
    ck_assert_uint_eq(answer_parts_count(RESULT_SIZE_MAX), ANSWER_FRAMES_MAX);
}
END_TEST

START_TEST(flags_travel_with_the_answer)
{
    struct answer answer = {.duplicate = true, .result_omitted = true};
    struct answer out = round_trip(&answer);

    ck_assert(out.duplicate);
    ck_assert(out.result_omitted);
    ck_assert_ptr_null(out.receipt);
    ck_assert_uint_eq(out.code, ST_OK);
}
END_TEST

START_TEST(parts_that_contradict_the_first_are_refused)
{
    struct answer answer = {.code = ST_OK}, out;
    struct answer_joiner joiner;
    struct frame frame;

    fill();
    answer.result = slice_of(result, RESULT_PART_SIZE_MAX + 1);
    answer_joiner_init(&joiner, joined, sizeof joined);
    frame = part_of(&answer, 0);
    ck_assert_int_eq(answer_join(&joiner, &out, &frame), ST_AGAIN);
    answer.code = ST_NO_SUCH;
    frame = part_of(&answer, 1);
    ck_assert_int_eq(answer_join(&joiner, &out, &frame), ST_FRAME);
}
END_TEST

START_TEST(a_receipt_before_the_last_part_is_refused)
{
    struct answer answer = {.receipt = receipt, .signature = signature}, out;
    struct answer_joiner joiner;
    struct frame frame = part_of(&answer, 0);

    answer_joiner_init(&joiner, joined, sizeof joined);
    frame.flags = FRAME_FLAG_MORE;
    ck_assert_int_eq(answer_join(&joiner, &out, &frame), ST_FRAME);
}
END_TEST

START_TEST(a_client_takes_sixteen_parts_and_no_more_than_its_buffer)
{
    struct answer answer = {.code = ST_OK}, out;
    struct answer_joiner joiner;
    struct frame frame;

    answer.result = slice_of("abc", 3);
    frame = part_of(&answer, 0);
    frame.flags = FRAME_FLAG_MORE;
    answer_joiner_init(&joiner, joined, sizeof joined);
    for (size_t i = 1; i < ANSWER_FRAMES_MAX; i++)
        ck_assert_int_eq(answer_join(&joiner, &out, &frame), ST_AGAIN);
    ck_assert_int_eq(answer_join(&joiner, &out, &frame), ST_TOO_LARGE);
    answer_joiner_init(&joiner, joined, 2);
    ck_assert_int_eq(answer_join(&joiner, &out, &frame), ST_TOO_LARGE);
}
END_TEST

START_TEST(lengths_that_do_not_fit_the_frame_are_refused)
{
    struct answer answer = {.receipt = receipt, .signature = signature}, out;
    struct frame frame;
    bool more;

    answer.result = slice_of("abc", 3);
    frame = part_of(&answer, 0);
    for (size_t size = 0; size < frame.body.size; size++) {
        struct frame cut = frame;
        enum status status;
        cut.body.size = size;
        status = answer_decode_part(&out, &more, &cut);
        ck_assert(status == ST_BAD_FIELD || status == ST_FRAME);
    }
    bytes[FRAME_HEADER_SIZE + 4] = 2;
    ck_assert_int_eq(answer_decode_part(&out, &more, &frame), ST_FRAME);
    bytes[FRAME_HEADER_SIZE + 7] = 0xff;
    ck_assert_int_eq(answer_decode_part(&out, &more, &frame), ST_FRAME);
    bytes[FRAME_HEADER_SIZE + 2] = 8;
    ck_assert_int_eq(answer_decode_part(&out, &more, &frame), ST_RESERVED);
}
END_TEST

START_TEST(a_batch_lists_a_code_and_a_result_for_each_item)
{
    struct answer_batch batch;
    struct writer writer;
    uint16_t code;
    struct slice part;

    writer_init(&writer, bytes, sizeof bytes);
    answer_batch_begin(&writer, 3);
    answer_batch_add(&writer, ST_OK, slice_of("xy", 2));
    answer_batch_add(&writer, ST_NO_SUCH, slice_of(NULL, 0));
    answer_batch_add(&writer, ST_OK, slice_of("z", 1));
    hex_expect(bytes, writer.used,
               "0300"
               "0000"
               "0200"
               "7879"
               "f401"
               "0000"
               "0000"
               "0100"
               "7a");
    ck_assert_int_eq(answer_batch_open(&batch, writer_slice(&writer), 3),
                     ST_OK);
    ck_assert(answer_batch_next(&batch, &code, &part));
    ck_assert(slice_equal(part, slice_of("xy", 2)));
    ck_assert(answer_batch_next(&batch, &code, &part));
    ck_assert_uint_eq(code, ST_NO_SUCH);
    ck_assert_uint_eq(part.size, 0);
    ck_assert(answer_batch_next(&batch, &code, &part));
    ck_assert_uint_eq(code, ST_OK);
    ck_assert(!answer_batch_next(&batch, &code, &part));
}
END_TEST

START_TEST(a_batch_of_another_length_is_refused)
{
    struct answer_batch batch;
    struct writer writer;
    struct slice whole;
    uint16_t code;
    struct slice part;

    writer_init(&writer, bytes, sizeof bytes);
    answer_batch_begin(&writer, 2);
    answer_batch_add(&writer, ST_OK, slice_of("xy", 2));
    answer_batch_add(&writer, ST_OK, slice_of("z", 1));
    whole = writer_slice(&writer);
    ck_assert_int_eq(answer_batch_open(&batch, whole, 3), ST_FRAME);
    ck_assert_int_eq(answer_batch_open(&batch, whole, 1), ST_FRAME);
    for (size_t size = 0; size < whole.size; size++) {
        ck_assert_int_eq(answer_batch_open(&batch, slice_of(bytes, size), 2),
                         ST_FRAME);
        ck_assert(!answer_batch_next(&batch, &code, &part));
    }
    ck_assert_int_eq(
        answer_batch_open(&batch, slice_of(bytes, whole.size + 1), 2),
        ST_FRAME);
}
END_TEST

START_TEST(the_code_of_a_batch_follows_from_its_items)
{
    static const uint16_t done[] = {ST_OK, ST_OK};
    static const uint16_t some[] = {ST_NO_SUCH, ST_OK};
    static const uint16_t none[] = {ST_NO_GRANT, ST_NO_SUCH};
    static const uint16_t atomic[] = {ST_NOT_DONE, ST_NOT_DONE, ST_LEVEL,
                                      ST_NOT_DONE};

    ck_assert_uint_eq(answer_batch_code(done, 2), ST_OK);
    ck_assert_uint_eq(answer_batch_code(some, 2), ST_PARTIAL);
    ck_assert_uint_eq(answer_batch_code(none, 2), ST_NO_GRANT);
    ck_assert_uint_eq(answer_batch_code(atomic, 4), ST_LEVEL);
    ck_assert_uint_eq(answer_batch_code(atomic, 2), ST_NOT_DONE);
}
END_TEST

SUITE_MAIN("answer", a_small_answer_is_one_frame_with_its_documented_bytes,
           results_of_every_number_of_parts_come_back_joined,
           flags_travel_with_the_answer,
           parts_that_contradict_the_first_are_refused,
           a_receipt_before_the_last_part_is_refused,
           a_client_takes_sixteen_parts_and_no_more_than_its_buffer,
           lengths_that_do_not_fit_the_frame_are_refused,
           a_batch_lists_a_code_and_a_result_for_each_item,
           a_batch_of_another_length_is_refused,
           the_code_of_a_batch_follows_from_its_items)
