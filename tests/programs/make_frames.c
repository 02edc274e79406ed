/*
 * make_frames: prints tests/vectors/frames.json: every frame of the catalogue
 * with the least and the greatest values of its table, and ANSWERs.
 *
 * A vector names its fields with their values (numbers of eight bytes as text,
 * bytes as hexadecimal, a long run of one byte as {"byte", "count"}), and gives
 * the frame itself, or its size and SHA-256 where it is long.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/answer.h"
#include "protocol/error.h"
#include "protocol/frame.h"
#include "tests/lib/schema_sample.h"

enum {
    MEMORY_SIZE = 1 << 20,
    SHOWN_SIZE_MAX = 2048,
    RUN_SIZE_MIN = 65,
    REQUEST_ID = 0x0102030405
};

static uint8_t texts[MEMORY_SIZE], bytes[MEMORY_SIZE];
static bool first = true;

static void print_hex(const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", at[i]);
}

static bool is_run(struct slice value)
{
    for (size_t i = 1; i < value.size; i++) {
        if (value.data[i] != value.data[0])
            return false;
    }
    return value.size >= RUN_SIZE_MIN;
}

static void print_bytes(struct slice value)
{
    if (is_run(value)) {
        printf("{\"byte\": \"%02x\", \"count\": %zu}", value.data[0],
               value.size);
        return;
    }
    printf("\"");
    print_hex(value.data, value.size);
    printf("\"");
}

static void print_wide(enum field_kind kind, const void *member)
{
    uint64_t value;
    int64_t as_signed;

    memcpy(&value, member, sizeof value);
    memcpy(&as_signed, member, sizeof as_signed);
    if (kind == FIELD_u64 || kind == FIELD_voen)
        printf("\"%" PRIu64 "\"", value);
    else
        printf("\"%" PRId64 "\"", as_signed);
}

static void print_fields(const struct schema *schema, const void *in);

static void print_list(const struct field *field, const struct list *list)
{
    union {
        uint64_t align;
        uint8_t bytes[ELEMENT_STRUCT_SIZE_MAX];
    } element;
    struct list_reader reader;
    const char *before = "";

    printf("[");
    list_reader_init(&reader, list);
    while (list_reader_next(&reader, field->element, &element)) {
        printf("%s", before);
        print_fields(field->element, &element);
        before = ", ";
    }
    printf("]");
}

static void print_value(const struct field *field, const void *member)
{
    size_t size = schema_kind_size(field->kind);
    uint32_t value = 0;

    if (field->kind == FIELD_list) {
        print_list(field, member);
    } else if (size == 0) {
        print_bytes(*(const struct slice *)member);
    } else if (field->kind >= FIELD_bytes8 && field->kind <= FIELD_bytes64) {
        print_bytes(slice_of(member, size));
    } else if (size == sizeof(uint64_t)) {
        print_wide(field->kind, member);
    } else {
        memcpy(&value, member, size);
        printf("%" PRIu32, value);
    }
}

static void print_fields(const struct schema *schema, const void *in)
{
    const struct field *rows = schema->rows();
    const uint8_t *base = in;
    const char *before = "";

    printf("{");
    for (uint16_t i = 0; i < schema->fields_count; i++) {
        if (rows[i].tag != 0 && !*(const bool *)(base + rows[i].present_offset))
            continue;
        printf("%s\"%s\": ", before, rows[i].name);
        print_value(&rows[i], base + rows[i].offset);
        before = ", ";
    }
    printf("}");
}

static void print_head(const char *name, const char *extent,
                       uint64_t request_id)
{
    printf("%s\n  {\"name\": \"%s\", \"extent\": \"%s\", \"request_id\": "
           "\"%" PRIu64 "\",\n   \"fields\": ",
           first ? "" : ",", name, extent, request_id);
    first = false;
}

static void print_frame(struct slice frame)
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    if (frame.size <= SHOWN_SIZE_MAX) {
        printf(",\n   \"frame\": \"");
        print_hex(frame.data, frame.size);
    } else {
        crypto_hash_sha256(hash, frame.data, frame.size);
        printf(",\n   \"size\": %zu, \"sha256\": \"", frame.size);
        print_hex(hash, sizeof hash);
    }
    printf("\"}");
}

/* Reserved fields and flags must pass a receiver, so not every bound is met. */
static void settle(uint8_t type, union frame_body *body)
{
    if (type == MESSAGE_AUTH_KEY) {
        body->auth_key.flags = 0;
        body->auth_key.reserved = 0;
        memset(&body->auth_key.session_id, 0, sizeof body->auth_key.session_id);
    } else if (type == MESSAGE_PW_PARAMS) {
        body->pw_params.reserved = 0;
    } else if (type == MESSAGE_PW_PROVE) {
        body->pw_prove.flags = 0;
        body->pw_prove.reserved = 0;
    } else if (type == MESSAGE_AUTH_OK) {
        body->auth_ok.reserved = 0;
    } else if (type == MESSAGE_BYE) {
        body->bye.reserved = 0;
    } else if (type == MESSAGE_ERROR && body->error.scope != 0) {
        body->error.scope = SCOPE_CONNECTION;
        body->error.flags = ERROR_FLAGS_ALL;
    }
}

static bool has_no_request(uint8_t type)
{
    return type == MESSAGE_ADVICE || type == MESSAGE_PONG;
}

static void make_sample(const struct message_info *info,
                        enum sample_extent extent, const char *extent_name)
{
    union frame_body body;
    struct writer memory, writer;
    uint64_t request_id = has_no_request(info->number) ? 0 : REQUEST_ID;

    writer_init(&memory, texts, sizeof texts);
    schema_sample_fill(info->schema, &body, &memory, extent);
    settle(info->number, &body);
    writer_init(&writer, bytes, sizeof bytes);
    frame_write(&writer, info->number, request_id, &body);
    if (memory.status != ST_OK || writer.status != ST_OK)
        abort();
    print_head(info->name, extent_name, request_id);
    print_fields(info->schema, &body);
    print_frame(writer_slice(&writer));
}

static void make_pad(size_t size, const char *extent_name)
{
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    frame_write_pad(&writer, size);
    print_head("PAD", extent_name, 0);
    printf("{\"rest\": ");
    print_bytes(slice_of(bytes + FRAME_HEADER_SIZE, size));
    printf("}");
    print_frame(writer_slice(&writer));
}

static void make_answer(const struct answer *answer, size_t part,
                        const char *extent_name)
{
    union frame_body body;
    struct frame_gate gate;
    struct frame frame;
    struct field_error error;
    struct slice rest;
    struct reader reader;
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    answer_write_part(&writer, REQUEST_ID, answer, part);
    rest = writer_slice(&writer);
    frame_gate_init(&gate, FRAME_SERVER);
    frame_gate_open(&gate);
    if (frame_next(&gate, &frame, &rest) != ST_OK ||
        frame_decode(&gate, &body, &error, &frame) != ST_OK)
        abort();
    print_head("ANSWER", extent_name, REQUEST_ID);
    printf("{\"more\": %d, \"code\": %u, \"flags\": %u, \"reserved\": 0, "
           "\"result_len\": %" PRIu32,
           frame.flags & FRAME_FLAG_MORE, body.answer.code, body.answer.flags,
           body.answer.result_len);
    reader_init(&reader, frame.body);
    (void)reader_bytes(&reader, ANSWER_FIXED_SIZE);
    if ((body.answer.flags & ANSWER_RECEIPT) != 0) {
        printf(", \"receipt\": ");
        print_bytes(reader_bytes(&reader, RECEIPT_SIZE));
        printf(", \"receipt_signature\": ");
        print_bytes(reader_bytes(&reader, SIGNATURE_SIZE));
    }
    printf(", \"rest\": ");
    print_bytes(reader_bytes(&reader, reader_left(&reader)));
    printf("}");
    print_frame(writer_slice(&writer));
}

static void make_answers(void)
{
    static uint8_t result[RESULT_PART_SIZE_MAX + 1];
    uint8_t receipt[RECEIPT_SIZE], signature[SIGNATURE_SIZE];
    struct answer answer = {.code = ST_OK};

    memset(result, 0xee, sizeof result);
    memset(receipt, 0x11, sizeof receipt);
    memset(signature, 0x22, sizeof signature);
    make_answer(&answer, 0, "least");
    answer.code = ST_PARTIAL;
    answer.duplicate = true;
    answer.result_omitted = true;
    answer.receipt = receipt;
    answer.signature = signature;
    make_answer(&answer, 0, "all flags");
    answer = (struct answer){.receipt = receipt, .signature = signature};
    answer.result = slice_of(result, sizeof result);
    make_answer(&answer, 0, "first of two parts");
    make_answer(&answer, 1, "second of two parts");
    answer.result.size = RESULT_PART_SIZE_MAX;
    make_answer(&answer, 0, "greatest");
}

int main(void)
{
    uint32_t count;
    const struct message_info *rows = message_list(&count);

    printf("{\"note\": \"Printed by make_frames; PROTOCOL.md, section 4.\",\n"
           " \"frames\": [");
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].schema->fields_count == 0 ||
            rows[i].number == MESSAGE_ANSWER)
            continue;
        make_sample(&rows[i], SAMPLE_LEAST, "least");
        make_sample(&rows[i], SAMPLE_GREATEST, "greatest");
    }
    make_pad(0, "least");
    make_pad(PAD_SIZE_MAX, "greatest");
    make_answers();
    printf("\n ]}\n");
    return 0;
}
