/* ctest-label: threads
 * ctest-timeout: 300
 * Signed commands whose operations or fields no client should send. */
#include <sodium.h>

#include "protocol/voen.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;
static struct wire wire;
static struct wire_command command;
static struct wire_answer answer;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

static const struct identity *own(void)
{
    return node_fixture_own(&fixture);
}

static void begin(void)
{
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
}

static void start(void)
{
    wire_command_begin(&command, fixture.cluster_id);
}

static struct slice finish(void)
{
    return wire_command_sign(&command, own());
}

static void run(const struct identity *signer)
{
    wire_send_command(&wire, wire_command_sign(&command, signer));
    ck_assert(wire_answer(&wire, &answer));
}

/* A ping whose fields are these bytes. */
static struct slice ping_of(const void *fields, size_t size)
{
    start();
    wire_command_bytes(&command, OPCODE_SYSTEM_PING, slice_of(fields, size));
    return finish();
}

static void expect_fields(const void *fields, size_t size, enum status status)
{
    struct slice body = ping_of(fields, size);

    if (status != ST_OK) {
        node_expect_error(&wire, body, status);
        return;
    }
    wire_send_command(&wire, body);
    ck_assert(wire_answer(&wire, &answer));
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_OK);
}

START_TEST(D58_an_unknown_tag_in_a_signed_item_is_404_odd_or_even)
{
    static const uint8_t odd[] = {0, 0, 0, 0, 5, 0, 0, 0};
    static const uint8_t even[] = {0, 0, 0, 0, 6, 0, 0, 0};
    static const uint8_t zero[] = {0, 0, 0, 0, 0, 0, 0, 0};

    begin();
    expect_fields(odd, sizeof odd, ST_UNKNOWN_FIELD);
    expect_fields(even, sizeof even, ST_UNKNOWN_FIELD);
    expect_fields(zero, sizeof zero, ST_UNKNOWN_FIELD);
    expect_fields(odd, 4, ST_OK);
}
END_TEST

/* node.enrol with a key of cosignatures, which has 32 bytes. */
START_TEST(D56_a_known_tag_of_another_length_in_an_item_is_402)
{
    struct op_node_enrol in = {
        .role = 1, .has_cosigner_key = true, .label = slice_of("node", 4)};
    uint8_t bytes[512];
    struct writer writer;

    begin();
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_op_node_enrol, &writer, &in);
    ck_assert_int_eq(writer.status, ST_OK);
    for (int more = -1; more <= 1; more++) {
        uint8_t *size = bytes + writer.used - PUBLIC_KEY_SIZE - 2;
        size_t used = (size_t)((int)writer.used + more);

        store_u16(size, (uint16_t)(PUBLIC_KEY_SIZE + more));
        bytes[writer.used] = 0;
        start();
        command.header.realm = REALM_SYSTEM;
        wire_command_bytes(&command, OPCODE_NODE_ENROL, slice_of(bytes, used));
        if (more != 0) {
            node_expect_error(&wire, finish(), ST_BAD_FIELD);
            continue;
        }
        wire_send_command(&wire, finish()); /* Well formed; not for him. */
        ck_assert(wire_answer(&wire, &answer));
        ck_assert(!answer.is_error);
        ck_assert_int_eq(answer.code, ST_NO_DUTY);
    }
}
END_TEST

START_TEST(bytes_behind_an_items_fields_are_406_and_a_tlv_beyond_them_402)
{
    static const uint8_t left[] = {0, 0, 0, 0, 5, 0, 0};
    static const uint8_t beyond[] = {0, 0, 0, 0, 5, 0, 1, 0};

    begin();
    for (size_t size = 5; size <= 7; size++)
        expect_fields(left, size, ST_TRAILING);
    expect_fields(beyond, sizeof beyond, ST_BAD_FIELD);
    expect_fields(left, 3, ST_BAD_FIELD);
    expect_fields(left, 0, ST_BAD_FIELD);
}
END_TEST

static void expect_text(const char *text, enum status status)
{
    uint8_t fields[128];
    struct writer writer;

    writer_init(&writer, fields, sizeof fields);
    writer_u16(&writer, (uint16_t)strlen(text));
    writer_bytes(&writer, text, strlen(text));
    writer_u16(&writer, 0);
    expect_fields(fields, writer.used, status);
}

START_TEST(D60_text_that_is_no_utf_8_is_402)
{
    begin();
    expect_text("\xc0\x80", ST_BAD_FIELD);
    expect_text("\xed\xa0\x80", ST_BAD_FIELD);
    expect_text("\xf5\x80\x80\x80", ST_BAD_FIELD);
    expect_text("a\xe2\x82", ST_BAD_FIELD);
    expect_text("\xef\xbf\xbe", ST_BAD_FIELD);
    expect_text("\x80", ST_BAD_FIELD);
    expect_text("\xc9\x99lif", ST_OK);
}
END_TEST

START_TEST(D61_control_characters_are_402)
{
    static const uint8_t nul[] = {3, 0, 'a', 0, 'b', 0, 0};

    begin();
    expect_fields(nul, sizeof nul, ST_BAD_FIELD);
    expect_text("\x1b[2J", ST_BAD_FIELD);
    expect_text("a\x7f", ST_BAD_FIELD);
    expect_text("a\xc2\x85", ST_BAD_FIELD);
    expect_text("a\nb", ST_BAD_FIELD);
    expect_text("\xe2\x80\xae", ST_BAD_FIELD);
}
END_TEST

START_TEST(D62_text_of_the_limit_is_taken_and_one_more_is_402)
{
    char text[66];

    begin();
    memset(text, 'x', sizeof text);
    text[64] = '\0';
    expect_text(text, ST_OK);
    text[64] = 'x';
    text[65] = '\0';
    expect_text(text, ST_BAD_FIELD);
}
END_TEST

/* Points that verify more than they should: small and mixed order, and an
 * encoding that is none. */
START_TEST(D66_a_key_that_is_no_good_point_is_never_enrolled)
{
    static const char *const points[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    struct op_actor_enrol in = {
        .role = ROLE_USER, .level = 3, .evidence = {{1}}};

    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        ck_assert_int_eq(sodium_hex2bin(in.public_key.b, PUBLIC_KEY_SIZE,
                                        points[i], 64, NULL, NULL, NULL),
                         0);
        start();
        command.clear.duty = 1;
        wire_command_item(&command, OPCODE_ACTOR_ENROL, &in);
        run(&fixture.operator);
        ck_assert_int_eq(answer.code, ST_BAD_FIELD);
    }
}
END_TEST

START_TEST(D104_unknown_operations_are_400)
{
    static const uint16_t opcodes[] = {0, 0x00ff, 0xffff};
    static const uint8_t fields[4];

    begin();
    for (size_t i = 0; i < 3; i++) {
        start();
        wire_command_bytes(&command, opcodes[i],
                           slice_of(fields, sizeof fields));
        node_expect_error(&wire, finish(), ST_UNKNOWN_OP);
    }
}
END_TEST

START_TEST(D105_other_versions_of_an_operation_are_401)
{
    static const uint16_t versions[] = {0, 2, 0xffff};
    static const uint8_t fields[4];

    begin();
    for (size_t i = 0; i < 3; i++) {
        start();
        command.clear.version = versions[i];
        wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                           slice_of(fields, sizeof fields));
        node_expect_error(&wire, finish(), ST_OP_VERSION);
    }
}
END_TEST

START_TEST(D106_values_out_of_range_are_402)
{
    struct op_key_revoke revoke = {.reason = 1};
    struct writer writer;
    uint8_t fields[64];

    begin();
    for (int i = 0; i < 3; i++) {
        writer_init(&writer, fields, sizeof fields);
        writer_bytes(&writer, revoke.key_id.b, KEY_ID_SIZE);
        writer_u8(&writer, i == 0 ? 255 : 1);
        /* A time before 1970; one in the year 9999. */
        writer_u64(&writer, i == 1   ? UINT64_MAX
                            : i == 2 ? UINT64_C(253400000000000000)
                                     : 0);
        writer_u16(&writer, 0);
        start();
        command.header.realm = REALM_SYSTEM;
        wire_command_bytes(&command, OPCODE_KEY_REVOKE, writer_slice(&writer));
        node_expect_error(&wire, finish(), ST_BAD_FIELD);
    }
}
END_TEST

START_TEST(D107_a_subject_with_a_wrong_check_digit_is_403)
{
    struct op_subject_open open = {.kind = 1, .opened = 20000};
    struct op_duty_assign assign = {
        .organisation = 1, .duty = DUTY_REG, .basis = {{5}}};
    struct result_duty_assign assigned;
    struct op_duty_ack ack;
    struct identity registrar;
    uint64_t voen = 1000000001;

    while (voen_check(voen) != VOEN_MISMATCH)
        voen += 10;
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    assign.person =
        node_fixture_enrol(&fixture, &wire, &registrar, ROLE_STAFF, 1);
    ck_assert_int_eq(node_fixture_do(&fixture, &wire, &fixture.operator, 1,
                                     OPCODE_DUTY_ASSIGN, &assign, &assigned),
                     ST_OK);
    wire_close(&wire);
    node_fixture_login(&fixture, &wire, &registrar, ROLE_STAFF);
    ack.assignment = assigned.assignment;
    ck_assert_int_eq(node_fixture_do(&fixture, &wire, &registrar, 0,
                                     OPCODE_DUTY_ACK, &ack, NULL),
                     ST_OK);
    start();
    command.clear.subject = voen;
    command.clear.duty = assigned.assignment;
    wire_command_item(&command, OPCODE_SUBJECT_OPEN, &open);
    run(&registrar);
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_BAD_VOEN);
}
END_TEST

START_TEST(D108_reads_and_writes_in_one_batch_are_407)
{
    static const uint8_t ping[4];
    struct op_duty_list list;

    memset(&list, 0, sizeof list);
    begin();
    start();
    wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                       slice_of(ping, sizeof ping));
    wire_command_item(&command, OPCODE_DUTY_LIST, &list);
    command.header.realm = REALM_REGISTRY;
    node_expect_error(&wire, finish(), ST_MIXED_BATCH);
}
END_TEST

/* ---- Batches --------------------------------------------------------------
 */

static void enrol_item(bool good)
{
    struct op_actor_enrol in;
    struct identity identity;

    node_fixture_enrolment(&fixture, &in, &identity, ROLE_USER, 0);
    if (!good)
        in.proof.b[0] ^= 1;
    command.clear.duty = 1;
    wire_command_item(&command, OPCODE_ACTOR_ENROL, &in);
}

static void expect_codes(uint16_t first, uint16_t second, uint16_t third)
{
    const uint16_t expected[3] = {first, second, third};
    struct reader reader;

    reader_init(&reader, slice_of(answer.result, answer.result_size));
    ck_assert_int_eq(reader_u16(&reader), 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(reader_u16(&reader), expected[i]);
        (void)reader_blob(&reader);
    }
    ck_assert_int_eq(reader_end(&reader), ST_OK);
}

START_TEST(D109_an_atomic_batch_with_a_bad_last_item_does_nothing)
{
    uint64_t index;

    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    start();
    command.header.flags |= COMMAND_FLAG_ATOMIC;
    enrol_item(true);
    enrol_item(true);
    enrol_item(false);
    run(&fixture.operator);
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_BAD_SIG);
    ck_assert(answer.has_receipt);
    ck_assert_uint_eq(answer.receipt.flags, RECEIPT_FLAG_BATCH);
    expect_codes(ST_NOT_DONE, ST_NOT_DONE, ST_BAD_SIG);
    index = answer.receipt.index;
    ck_assert_uint_gt(index, 0);
}
END_TEST

START_TEST(D110_a_batch_with_a_bad_middle_item_does_the_others)
{
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    start();
    enrol_item(true);
    enrol_item(false);
    enrol_item(true);
    run(&fixture.operator);
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_PARTIAL);
    expect_codes(ST_OK, ST_BAD_SIG, ST_OK);
}
END_TEST

START_TEST(D112_a_list_of_65535_in_two_bytes_is_402)
{
    static const uint8_t fields[] = {0, 0, 0xff, 0xff, 1, 2};
    static const uint8_t many[] = {0, 0, 17, 0};

    begin();
    expect_fields(fields, sizeof fields, ST_BAD_FIELD);
    expect_fields(many, sizeof many, ST_BAD_FIELD);
}
END_TEST

START_TEST(the_greatest_numbers_in_header_and_item_harm_nobody)
{
    static const uint8_t fields[4];

    begin();
    start();
    command.clear.duty = UINT32_MAX;
    command.clear.purpose = UINT32_MAX;
    command.clear.expect_version = UINT64_MAX;
    command.header.signed_at = 0;
    wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                       slice_of(fields, sizeof fields));
    run(own());
    ck_assert_int_eq(answer.code, ST_EXPIRED);
    start();
    command.clear.duty = UINT32_MAX;
    command.clear.purpose = UINT32_MAX;
    command.clear.expect_version = UINT64_MAX;
    wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                       slice_of(fields, sizeof fields));
    run(own());
    ck_assert(!answer.is_error);
    start();
    command.clear.subject = UINT64_MAX;
    wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                       slice_of(fields, sizeof fields));
    node_expect_error(&wire, finish(), ST_BAD_FIELD);
    node_fixture_serves(&fixture);
}
END_TEST

START_TEST(the_greatest_counter_is_taken_and_shuts_the_lesser_out)
{
    static const uint8_t fields[4];
    static const uint64_t counters[] = {INT64_MAX, INT64_MAX, 1};

    begin();
    for (int i = 0; i < 3; i++) {
        start();
        command.header.counter = counters[i];
        wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                           slice_of(fields, sizeof fields));
        run(own());
        ck_assert_int_eq(answer.code, i == 0 ? ST_OK : ST_REPLAY);
    }
    node_fixture_serves(&fixture);
}
END_TEST

ROW_SUITE_MAIN("bad_operations", &fixture, open_node, close_node,
               D56_a_known_tag_of_another_length_in_an_item_is_402,
               D58_an_unknown_tag_in_a_signed_item_is_404_odd_or_even,
               bytes_behind_an_items_fields_are_406_and_a_tlv_beyond_them_402,
               D60_text_that_is_no_utf_8_is_402, D61_control_characters_are_402,
               D62_text_of_the_limit_is_taken_and_one_more_is_402,
               D66_a_key_that_is_no_good_point_is_never_enrolled,
               D104_unknown_operations_are_400,
               D105_other_versions_of_an_operation_are_401,
               D106_values_out_of_range_are_402,
               D107_a_subject_with_a_wrong_check_digit_is_403,
               D108_reads_and_writes_in_one_batch_are_407,
               D109_an_atomic_batch_with_a_bad_last_item_does_nothing,
               D110_a_batch_with_a_bad_middle_item_does_the_others,
               D112_a_list_of_65535_in_two_bytes_is_402,
               the_greatest_numbers_in_header_and_item_harm_nobody,
               the_greatest_counter_is_taken_and_shuts_the_lesser_out)
