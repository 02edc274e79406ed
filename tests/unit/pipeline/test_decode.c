#include "server/pipeline/decode.h"

#include <string.h>

#include "server/registry/dispatch.h"
#include "tests/lib/suite.h"

enum { REALM_OF_REGISTRY = 'R' };

static struct work work;
static struct command_item item;
static uint8_t bytes[1024];

/* One item of ${opcode} in realm R. */
static void decode(uint16_t opcode, const void *fields, uint64_t subject)
{
    const struct operation_info *operation = operation_info(opcode);
    struct writer writer;

    memset(&work, 0, sizeof work);
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(operation->fields, &writer, fields);
    ck_assert_int_eq(writer.status, ST_OK);
    work.command.header.realm =
        operation->realm == OP_REALM_SYSTEM ? 0 : REALM_OF_REGISTRY;
    work.command.header.items_count = 1;
    work.command.items = &item;
    item.clear_part = (struct item_clear){
        .opcode = opcode, .version = operation->version, .subject = subject};
    item.fields = writer_slice(&writer);
    decode_work(&work);
}

START_TEST(decode_takes_numbers_of_63_bits_and_no_greater)
{
    struct op_section_get get = {.sections = 1};
    struct op_feed_abort abort_batch = {.batch = INT64_MAX};

    decode(OPCODE_SECTION_GET, &get, INT64_MAX);
    ck_assert_int_eq(work.fault.status, ST_OK);
    decode(OPCODE_SECTION_GET, &get, (uint64_t)INT64_MAX + 1);
    ck_assert_int_eq(work.fault.status, ST_BAD_FIELD);
    decode(OPCODE_SECTION_GET, &get, UINT64_MAX);
    ck_assert_int_eq(work.fault.status, ST_BAD_FIELD);
    decode(OPCODE_FEED_ABORT, &abort_batch, 0);
    ck_assert_int_eq(work.fault.status, ST_OK);
    abort_batch.batch++;
    decode(OPCODE_FEED_ABORT, &abort_batch, 0);
    ck_assert_int_eq(work.fault.status, ST_BAD_FIELD);
    ck_assert_uint_eq(work.fault.tag, 1);
}
END_TEST

START_TEST(decode_refuses_a_great_number_in_any_field_of_any_operation)
{
    static union dispatch_fields fields;
    uint32_t count, tried = 0;
    const struct operation_info *operations = operation_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        const struct schema *schema = operations[i].fields;
        const struct field *rows = schema->rows();
        for (uint16_t f = 0; f < schema->fields_count; f++) {
            uint64_t great = UINT64_C(1) << 63;
            if (rows[f].tag != 0 ||
                (rows[f].kind != FIELD_u64 && rows[f].kind != FIELD_voen))
                continue;
            memset(&fields, 0, sizeof fields);
            memcpy((uint8_t *)&fields + rows[f].offset, &great, sizeof great);
            decode(operations[i].opcode, &fields, 0);
            ck_assert_int_ne(work.fault.status, ST_OK);
            tried++;
        }
    }
    ck_assert_uint_gt(tried, 5);
}
END_TEST

/* Step 8: a command of them never gets a place. */
START_TEST(decode_refuses_what_only_the_node_enters)
{
    static const uint16_t own[] = {
        OPCODE_SYSTEM_GENESIS, OPCODE_SYSTEM_EPOCH,      OPCODE_SYSTEM_SECRET,
        OPCODE_SYSTEM_ATTEST,  OPCODE_JOURNAL_REFUSED,   OPCODE_JOURNAL_NOISE,
        OPCODE_KEY_LOCK,       OPCODE_SYSTEM_CONFIG,     OPCODE_CONSENT_LAPSE,
        OPCODE_CONSENT_END,    OPCODE_FAILOVER_ACTIVATE, OPCODE_ARCHIVE_PREPARE,
        OPCODE_ARCHIVE_DUE,    OPCODE_DESTROY_ERASE};
    static union dispatch_fields fields;
    uint32_t count, refused = 0;
    const struct operation_info *operations = operation_list(&count);

    memset(&fields, 0, sizeof fields);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        decode(own[i], &fields, 0);
        ck_assert_int_eq(work.fault.status, ST_NO_DUTY);
    }
    for (uint32_t i = 0; i < count; i++) {
        decode(operations[i].opcode, &fields, 0);
        refused += work.fault.status == ST_NO_DUTY;
    }
    ck_assert_uint_eq(refused, sizeof own / sizeof own[0]);
}
END_TEST

SUITE_MAIN("decode", decode_refuses_what_only_the_node_enters,
           decode_takes_numbers_of_63_bits_and_no_greater,
           decode_refuses_a_great_number_in_any_field_of_any_operation)
