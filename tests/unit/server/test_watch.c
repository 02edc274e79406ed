/* ctest-label: threads
 * WATCH, CREDIT and EVENT: an auditor gets what it was granted, as fast as it
 * asks for it, and nobody else anything. */
#include "protocol/entry.h"
#include "server/registry/rows.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

static struct node_fixture fixture;
static struct wire wire, other_wire;
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

static uint64_t grant(uint64_t from, uint16_t categories)
{
    return node_expect_grant(&fixture, &wire, from, categories);
}

static void login(void)
{
    node_fixture_login(&fixture, &wire, &fixture.auditor, ROLE_AUDITOR);
}

/* Gives the request number that EVENTs will echo. */
static uint64_t watch(uint64_t index)
{
    struct message_watch body = {.index = index};

    wire_send(&wire, MESSAGE_WATCH, &body);
    return wire.request_id;
}

static void credit(uint64_t watched, uint32_t frames, uint32_t bytes)
{
    struct message_credit body = {
        .watch = watched, .frames = frames, .bytes = bytes};

    wire_send(&wire, MESSAGE_CREDIT, &body);
}

static void expect_event(uint64_t watched, uint64_t index)
{
    struct entry entry;
    struct frame frame;

    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_EVENT);
    ck_assert_uint_eq(frame.request_id, watched);
    ck_assert_int_eq(entry_decode(&entry, frame.body), ST_OK);
    ck_assert_uint_eq(entry.place.index, index);
}

/* Nothing came before the answer to this PING. */
static void expect_quiet(void)
{
    node_expect_ping(&wire, slice_of(NULL, 0));
    node_expect_pong(&wire);
}

START_TEST(entries_stream_in_order_as_credit_is_given)
{
    uint64_t watched;

    login();
    watched = watch(grant(0, 0xff));
    credit(watched, 3, EVENT_CREDIT_BYTES_MAX);
    for (uint64_t i = 0; i < 3; i++)
        expect_event(watched, i);
    expect_quiet();
    credit(watched, 2, 0); /* The bytes are there still. */
    expect_event(watched, 3);
    expect_event(watched, 4);
    expect_quiet();
}
END_TEST

START_TEST(D115_without_credit_nothing_is_sent)
{
    uint64_t watched;

    login();
    watched = watch(grant(0, 0xff));
    expect_quiet();
    credit(watched, 5, 0);
    expect_quiet();
    credit(watched, 0, 10); /* Less than an entry. */
    expect_quiet();
    credit(watched, 0, EVENT_CREDIT_BYTES_MAX);
    for (uint64_t i = 0; i < 5; i++)
        expect_event(watched, i);
}
END_TEST

START_TEST(credit_has_a_ceiling_and_does_not_wrap)
{
    uint64_t watched;
    int events = 0;
    struct frame frame;

    login();
    /* More entries than the credit covers. */
    for (int i = 0; i < EVENT_CREDIT_FRAMES_MAX + 8; i++)
        node_fixture_do(
            &fixture, &wire, &fixture.auditor, 0, OPCODE_SYSTEM_PING,
            &(struct op_system_ping){.text = slice_of("x", 1)}, NULL);
    watched = watch(grant(0, 0xff));
    credit(watched, UINT32_MAX, UINT32_MAX);
    node_expect_ping(&wire, slice_of(NULL, 0));
    while (wire_receive(&wire, &frame) && frame.type == MESSAGE_EVENT)
        events++;
    ck_assert_int_eq(frame.type, MESSAGE_PONG);
    ck_assert_int_ge(events, 1);
    ck_assert_int_le(events, EVENT_CREDIT_FRAMES_MAX);
    credit(watched, UINT32_MAX, UINT32_MAX);
    credit(watched + 1, UINT32_MAX, UINT32_MAX); /* No such watch. */
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_EVENT);
}
END_TEST

START_TEST(new_entries_come_while_a_watch_is_open)
{
    static struct wire_answer answer_of_other;
    uint64_t from, watched;

    login();
    from = grant(0, 0xff);
    watched = watch(grant(from, 0x10)); /* J5 alone. */
    credit(watched, 8, EVENT_CREDIT_BYTES_MAX);
    expect_quiet();
    node_fixture_login(&fixture, &other_wire, &fixture.operator, ROLE_STAFF);
    wire_send_command(&other_wire,
                      wire_command_ping(&command, fixture.cluster_id,
                                        &fixture.operator, "seen"));
    ck_assert(wire_answer(&other_wire, &answer_of_other));
    expect_event(watched, answer_of_other.receipt.index);
}
END_TEST

static void expect_no_such(uint64_t index)
{
    uint8_t scope;

    (void)watch(index);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_NO_SUCH);
    ck_assert_int_eq(scope, SCOPE_REQUEST);
}

START_TEST(a_watch_of_an_entry_that_grants_none_is_500)
{
    login();
    expect_no_such(0);
    expect_no_such(2);
    expect_no_such(1000000);
    expect_no_such(INT64_MAX);
    expect_quiet();
}
END_TEST

START_TEST(a_batch_that_is_undone_grants_no_watch)
{
    struct op_journal_watch watch = {.from = 0, .categories = 0xff};
    struct op_journal_read beyond = {
        .from = INT64_MAX, .count = 1, .categories = 0xff};

    login();
    wire_command_begin(&command, fixture.cluster_id);
    command.header.flags |= COMMAND_FLAG_ATOMIC;
    command.header.realm = REALM_SYSTEM;
    command.clear.duty = fixture.auditor_duty;
    wire_command_item(&command, OPCODE_JOURNAL_WATCH, &watch);
    wire_command_item(&command, OPCODE_JOURNAL_READ, &beyond);
    wire_send_command(&wire, wire_command_sign(&command, &fixture.auditor));
    ck_assert(wire_answer(&wire, &answer));
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_BAD_FIELD);
    expect_no_such(answer.receipt.index);
    expect_quiet();
}
END_TEST

START_TEST(a_watch_of_another_keys_grant_is_500)
{
    uint64_t index;

    login();
    index = grant(0, 0xff);
    wire_close(&wire);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    expect_no_such(index);
}
END_TEST

START_TEST(more_watches_than_a_connection_has_are_505)
{
    uint64_t index;
    uint8_t scope;

    login();
    index = grant(0, 0xff);
    for (int i = 0; i < 4; i++)
        (void)watch(index);
    (void)watch(index);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_QUOTA);
    ck_assert_int_eq(scope, SCOPE_REQUEST);
}
END_TEST

START_TEST(a_watch_ends_with_its_duty)
{
    struct op_duty_revoke revoke = {.assignment = 0};
    uint64_t watched;
    uint8_t scope;

    login();
    watched = watch(grant(0, 0xff));
    credit(watched, 1, EVENT_CREDIT_BYTES_MAX);
    expect_event(watched, 0);
    node_fixture_login(&fixture, &other_wire, &fixture.operator, ROLE_STAFF);
    revoke.assignment = fixture.auditor_duty;
    ck_assert_int_eq(node_fixture_do(&fixture, &other_wire, &fixture.operator,
                                     1, OPCODE_DUTY_REVOKE, &revoke, NULL),
                     ST_OK);
    credit(watched, 1, EVENT_CREDIT_BYTES_MAX);
    ck_assert_int_ne(wire_error(&wire, &scope), 0);
}
END_TEST

/* As the operator. */
static void administer(uint16_t opcode, const void *fields, void *result_out)
{
    ck_assert_int_eq(node_fixture_do(&fixture, &other_wire, &fixture.operator,
                                     1, opcode, fields, result_out),
                     ST_OK);
}

/* The auditor of this test is one of an organisation of its own. */
static uint32_t become_outside_auditor(void)
{
    struct op_organisation_enrol body = {.kind = ORGANISATION_AUDITOR,
                                         .name = slice_of("Auditor", 7),
                                         .basis = {{1}}};
    struct op_duty_assign assign = {
        .duty = DUTY_AUD, .scope = 0xff, .basis = {{5}}};
    struct result_organisation_enrol enrolled;
    struct result_duty_assign assigned;
    struct op_duty_ack ack;

    node_fixture_login(&fixture, &other_wire, &fixture.operator, ROLE_STAFF);
    administer(OPCODE_ORGANISATION_ENROL, &body, &enrolled);
    assign.organisation = enrolled.organisation;
    assign.person = node_fixture_enrol(&fixture, &other_wire, &fixture.auditor,
                                       ROLE_AUDITOR, enrolled.organisation);
    administer(OPCODE_DUTY_ASSIGN, &assign, &assigned);
    fixture.auditor_duty = ack.assignment = assigned.assignment;
    login();
    ck_assert_int_eq(node_fixture_do(&fixture, &wire, &fixture.auditor, 0,
                                     OPCODE_DUTY_ACK, &ack, NULL),
                     ST_OK);
    return enrolled.organisation;
}

START_TEST(a_watch_ends_with_its_organisation)
{
    struct op_organisation_change close = {.state = ORGANISATION_CLOSED,
                                           .basis = {{1}}};
    uint64_t watched;
    uint8_t scope;

    close.organisation = become_outside_auditor();
    watched = watch(grant(0, 0xff));
    credit(watched, 1, EVENT_CREDIT_BYTES_MAX);
    expect_event(watched, 0);
    administer(OPCODE_ORGANISATION_CHANGE, &close, NULL);
    credit(watched, 1, EVENT_CREDIT_BYTES_MAX);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_SESSION_OVER);
    ck_assert_int_eq(scope, SCOPE_REQUEST);
}
END_TEST

SUITE_MAIN_WITH("watch", open_node, close_node,
                entries_stream_in_order_as_credit_is_given,
                D115_without_credit_nothing_is_sent,
                credit_has_a_ceiling_and_does_not_wrap,
                new_entries_come_while_a_watch_is_open,
                a_watch_of_an_entry_that_grants_none_is_500,
                a_batch_that_is_undone_grants_no_watch,
                a_watch_of_another_keys_grant_is_500,
                more_watches_than_a_connection_has_are_505,
                a_watch_ends_with_its_duty, a_watch_ends_with_its_organisation)
