#include "tests/lib/wire_command.h"

#include <check.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void wire_command_begin(struct wire_command *command, const uint8_t *cluster_id)
{
    memset(&command->header, 0, sizeof command->header);
    memset(&command->clear, 0, sizeof command->clear);
    memcpy(command->cluster_id, cluster_id, CLUSTER_ID_SIZE);
    command->header.flags = COMMAND_FLAG_RECEIPT;
    command->header.realm = REALM_REGISTRY;
    command->header.signed_at = now_us();
    command->header.ttl_s = TTL_S_DEFAULT;
    randombytes_buf(command->header.idem, IDEM_SIZE);
    command->clear.version = 1;
    command_build_begin(&command->build, command->buffer,
                        sizeof command->buffer, &command->header);
}

void wire_command_bytes(struct wire_command *command, uint16_t opcode,
                        struct slice fields)
{
    uint8_t salt[SALT_SIZE];

    randombytes_buf(salt, sizeof salt);
    command->clear.opcode = opcode;
    command_build_item(&command->build, &command->clear, salt, fields);
}

void wire_command_item(struct wire_command *command, uint16_t opcode,
                       const void *fields)
{
    const struct operation_info *operation = operation_info(opcode);
    struct writer writer;

    ck_assert_ptr_nonnull(operation);
    writer_init(&writer, command->fields, sizeof command->fields);
    schema_encode(operation->fields, &writer, fields);
    ck_assert_int_eq(writer.status, ST_OK);
    if (operation->realm == OP_REALM_SYSTEM)
        command->header.realm = REALM_SYSTEM;
    wire_command_bytes(command, opcode, writer_slice(&writer));
}

struct slice wire_command_sign(struct wire_command *command,
                               const struct identity *identity)
{
    struct slice body;

    command->build.header = command->header;
    ck_assert_int_eq(command_build_sign(&command->build, &body,
                                        command->cluster_id, identity),
                     ST_OK);
    return body;
}

struct slice wire_command_ping(struct wire_command *command,
                               const uint8_t *cluster_id,
                               const struct identity *identity,
                               const char *text)
{
    struct op_system_ping ping = {.text = slice_of(text, strlen(text))};

    wire_command_begin(command, cluster_id);
    wire_command_item(command, OPCODE_SYSTEM_PING, &ping);
    return wire_command_sign(command, identity);
}

void wire_send_command(struct wire *wire, struct slice body)
{
    wire_send_frame(wire, MESSAGE_COMMAND, 0, 1, ++wire->request_id, body);
}

static void take_error(struct wire_answer *answer, struct slice body)
{
    struct message_error error;
    struct field_error fault;

    ck_assert_int_eq(schema_decode(&schema_message_error, &error, &fault, body,
                                   SCHEMA_SKIP_ODD),
                     ST_OK);
    answer->is_error = true;
    answer->code = error.code;
    answer->scope = error.scope;
    answer->tag = error.tag;
    answer->item = error.item_index;
    answer->retry_after_ms = error.retry_after_ms;
}

static bool take_part(struct wire_answer *answer, const struct frame *frame)
{
    struct answer part;
    bool more;

    ck_assert_int_eq(answer_decode_part(&part, &more, frame), ST_OK);
    answer->code = part.code;
    answer->duplicate = part.duplicate;
    if (part.receipt != NULL) {
        answer->has_receipt = true;
        memcpy(answer->receipt_bytes, part.receipt, RECEIPT_SIZE);
        memcpy(answer->receipt_signature, part.signature, SIGNATURE_SIZE);
        ck_assert_int_eq(receipt_decode(&answer->receipt, part.receipt), ST_OK);
    }
    ck_assert_uint_le(part.result.size,
                      sizeof answer->result - answer->result_size);
    if (part.result.size > 0)
        memcpy(answer->result + answer->result_size, part.result.data,
               part.result.size);
    answer->result_size += part.result.size;
    return more;
}

bool wire_answer(struct wire *wire, struct wire_answer *answer)
{
    struct frame frame;
    bool more = true;

    memset(answer, 0, sizeof *answer);
    while (more) {
        if (!wire_receive(wire, &frame))
            return false;
        if (frame.type == MESSAGE_PING || frame.type == MESSAGE_EVENT)
            continue;
        answer->request_id = frame.request_id;
        if (frame.type == MESSAGE_ERROR) {
            take_error(answer, frame.body);
            return true;
        }
        ck_assert_msg(frame.type == MESSAGE_ANSWER, "type %u came", frame.type);
        more = take_part(answer, &frame);
    }
    return true;
}
