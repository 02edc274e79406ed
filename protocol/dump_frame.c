#include "protocol/dump.h"

#include "protocol/answer.h"
#include "protocol/command.h"
#include "protocol/entry.h"
#include "protocol/receipt.h"

void dump_receipt(struct dump *dump, const uint8_t *bytes,
                  const uint8_t *signature)
{
    struct receipt receipt;
    size_t before = dump_enter(dump, "receipt");

    if (receipt_decode(&receipt, bytes) != ST_OK) {
        dump_refusal(dump, ST_RECEIPT, 0, slice_of(bytes, RECEIPT_SIZE));
    } else {
        dump_number(dump, "code", receipt.code, status_name(receipt.code));
        dump_number(dump, "flags", receipt.flags, NULL);
        dump_number(dump, "index", receipt.index, NULL);
        dump_number(dump, "epoch", receipt.epoch, NULL);
        dump_value(dump, "committed_at", FIELD_time, &receipt.committed_at);
        dump_hex(dump, "receipt_key_id", receipt.receipt_key_id, KEY_ID_SIZE);
        dump_hex(dump, "command_hash", receipt.command_hash, HASH_SIZE);
        dump_hex(dump, "entry_hash", receipt.entry_hash, HASH_SIZE);
        dump_hex(dump, "result_hash", receipt.result_hash, HASH_SIZE);
    }
    dump_hex(dump, "signature", signature, SIGNATURE_SIZE);
    dump_leave(dump, before);
}

static const char *realm_name(uint8_t realm)
{
    if (realm == REALM_PORTAL)
        return "P";
    if (realm == REALM_REGISTRY)
        return "R";
    return realm == REALM_SYSTEM ? "system" : "?";
}

static void put_header(struct dump *dump, const struct command_header *header)
{
    dump_number(dump, "flags", header->flags, NULL);
    dump_number(dump, "items", header->items_count, NULL);
    dump_text(dump, "realm", realm_name(header->realm));
    dump_number(dump, "env_tag", header->env_tag, NULL);
    dump_hex(dump, "key_id", header->key_id, KEY_ID_SIZE);
    dump_hex(dump, "idem", header->idem, IDEM_SIZE);
    dump_value(dump, "signed_at", FIELD_time, &header->signed_at);
    dump_number(dump, "ttl_s", header->ttl_s, NULL);
    dump_number(dump, "body_size", header->body_size, NULL);
    dump_number(dump, "counter", header->counter, NULL);
}

static void put_clear(struct dump *dump, const struct item_clear *clear)
{
    const struct operation_info *info = operation_info(clear->opcode);

    dump_number(dump, "opcode", clear->opcode, info == NULL ? "?" : info->name);
    dump_number(dump, "version", clear->version, NULL);
    dump_number(dump, "duty", clear->duty, NULL);
    dump_number(dump, "purpose", clear->purpose, NULL);
    dump_number(dump, "subject", clear->subject, NULL);
    dump_number(dump, "expect_version", clear->expect_version, NULL);
}

/* Takes one item of a command; false where the rest is none. */
static bool put_item(struct dump *dump, struct slice *rest)
{
    struct item_clear clear;
    struct slice secret;

    if (rest->size < ITEM_SIZE_MIN)
        return false;
    item_clear_decode(&clear, rest->data);
    if (clear.size < ITEM_SIZE_MIN || clear.size > rest->size)
        return false;
    secret =
        slice_of(rest->data + ITEM_CLEAR_SIZE, clear.size - ITEM_CLEAR_SIZE);
    put_clear(dump, &clear);
    dump_hex(dump, "salt", secret.data, SALT_SIZE);
    dump_fields(dump, clear.opcode,
                slice_of(secret.data + SALT_SIZE, secret.size - SALT_SIZE));
    *rest = slice_of(rest->data + clear.size, rest->size - clear.size);
    return true;
}

void dump_command(struct dump *dump, struct slice body)
{
    struct command_header header;
    struct slice rest;
    bool good = true;

    if (body.size < COMMAND_HEADER_SIZE + SIGNATURE_SIZE) {
        dump_refusal(dump, ST_FRAME, 0, body);
        return;
    }
    command_header_decode(&header, body.data);
    put_header(dump, &header);
    dump_hex(dump, "signature", body.data + COMMAND_HEADER_SIZE,
             SIGNATURE_SIZE);
    rest = slice_of(body.data + COMMAND_HEADER_SIZE + SIGNATURE_SIZE,
                    body.size - COMMAND_HEADER_SIZE - SIGNATURE_SIZE);
    for (uint64_t i = 0; good && rest.size > 0; i++) {
        size_t named = dump_enter(dump, "item");
        (void)dump_enter_number(dump, i);
        good = put_item(dump, &rest);
        dump_leave(dump, named);
    }
    if (!good)
        dump_refusal(dump, ST_LENGTH, 0, rest);
}

static void put_stored_item(struct dump *dump, const struct item *item)
{
    put_clear(dump, &item->clear_part);
    dump_hex(dump, "commitment", item->commitment, HASH_SIZE);
    if (item->seal_key == 0) {
        dump_fields(dump, item->clear_part.opcode, item_fields(item));
        return;
    }
    dump_number(dump, "seal_key", item->seal_key, NULL);
    dump_number(dump, "sealed_size", item->data.size, NULL);
}

void dump_entry(struct dump *dump, struct slice bytes)
{
    struct entry entry;
    struct item item;
    struct slice rest;
    size_t before = dump_enter(dump, "entry");
    uint64_t number = 0;

    if (entry_view(&entry, bytes) != ST_OK) {
        dump_refusal(dump, ST_ENTRY_FORMED, 0, bytes);
        dump_leave(dump, before);
        return;
    }
    dump_number(dump, "index", entry.place.index, NULL);
    dump_number(dump, "epoch", entry.place.epoch, NULL);
    dump_number(dump, "category", entry.place.category, NULL);
    dump_value(dump, "log_time", FIELD_time, &entry.place.log_time);
    dump_number(dump, "carrier", entry.place.carrier, NULL);
    dump_hex(dump, "previous", entry.place.previous, HASH_SIZE);
    put_header(dump, &entry.header);
    dump_hex(dump, "signature", entry.signature, SIGNATURE_SIZE);
    rest = entry.items;
    while (entry_next_item(&item, &rest)) {
        size_t named = dump_enter(dump, "item");
        (void)dump_enter_number(dump, number++);
        put_stored_item(dump, &item);
        dump_leave(dump, named);
    }
    dump_leave(dump, before);
}

/* The result's own fields need the opcode, which an ANSWER does not hold. */
static void put_answer(struct dump *dump, const struct frame *frame)
{
    struct answer answer;
    bool more;
    enum status status = answer_decode_part(&answer, &more, frame);

    if (status != ST_OK) {
        dump_refusal(dump, status, 0, frame->body);
        return;
    }
    dump_number(dump, "code", answer.code, status_name(answer.code));
    dump_text(dump, "duplicate", answer.duplicate ? "yes" : "no");
    dump_text(dump, "result_omitted", answer.result_omitted ? "yes" : "no");
    dump_text(dump, "more", more ? "yes" : "no");
    if (answer.receipt != NULL)
        dump_receipt(dump, answer.receipt, answer.signature);
    dump_hex(dump, "result", answer.result.data, answer.result.size);
}

static void put_query(struct dump *dump, const struct frame *frame)
{
    struct message_query query;
    struct message_rows rows;
    struct field_error error;
    const struct query_info *info;
    bool asks = frame->type == MESSAGE_QUERY;
    enum status status =
        asks ? schema_decode(&schema_message_query, &query, &error, frame->body,
                             SCHEMA_SKIP_ODD)
             : schema_decode(&schema_message_rows, &rows, &error, frame->body,
                             SCHEMA_SKIP_ODD);

    if (status != ST_OK) {
        dump_refusal(dump, error.status, error.tag, frame->body);
        return;
    }
    info = query_info(asks ? query.query : rows.query);
    dump_number(dump, "query", asks ? query.query : rows.query,
                info == NULL ? "?" : info->name);
    dump_number(dump, "version", asks ? query.version : rows.version, NULL);
    if (info != NULL && asks)
        dump_body(dump, info->fields, query.fields, SCHEMA_SKIP_ODD);
    else if (info != NULL)
        dump_body(dump, info->rows, rows.rows, SCHEMA_SKIP_ODD);
}

void dump_frame(struct dump *dump, const struct frame *frame)
{
    const struct message_info *info = message_info(frame->type);
    size_t before;

    dump_number(dump, "type", frame->type, info == NULL ? "?" : info->name);
    dump_number(dump, "flags", frame->flags, NULL);
    dump_number(dump, "version", frame->version, NULL);
    dump_number(dump, "request_id", frame->request_id, NULL);
    before = dump_enter(dump, "body");
    if (info == NULL)
        dump_refusal(dump, ST_TYPE, 0, frame->body);
    else if (frame->type == MESSAGE_COMMAND)
        dump_command(dump, frame->body);
    else if (frame->type == MESSAGE_EVENT)
        dump_entry(dump, frame->body);
    else if (frame->type == MESSAGE_ANSWER)
        put_answer(dump, frame);
    else if (frame->type == MESSAGE_QUERY || frame->type == MESSAGE_ROWS)
        put_query(dump, frame);
    else if (frame->type == MESSAGE_PAD)
        dump_number(dump, "size", frame->body.size, NULL);
    else
        dump_body(dump, info->schema, frame->body, SCHEMA_SKIP_ODD);
    dump_leave(dump, before);
}

/* A dump reads frames of both directions, so it has no gate. */
void dump_frames(struct dump *dump, struct slice plaintext)
{
    for (uint64_t i = 0; plaintext.size > 0; i++) {
        struct reader reader;
        struct frame frame = {0};
        uint32_t size;
        size_t before = dump_enter(dump, "frame");

        (void)dump_enter_number(dump, i);
        reader_init(&reader, plaintext);
        size = reader_u32(&reader);
        frame.type = reader_u8(&reader);
        frame.flags = reader_u8(&reader);
        frame.version = reader_u16(&reader);
        frame.request_id = reader_u64(&reader);
        if (reader.status != ST_OK || size < FRAME_HEADER_SIZE ||
            size > plaintext.size) {
            dump_refusal(dump, ST_FRAME, 0, plaintext);
            plaintext.size = 0;
        } else {
            frame.body = reader_bytes(&reader, size - FRAME_HEADER_SIZE);
            dump_frame(dump, &frame);
            plaintext = slice_of(plaintext.data + size, plaintext.size - size);
        }
        dump_leave(dump, before);
    }
}
