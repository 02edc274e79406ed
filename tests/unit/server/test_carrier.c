/* ctest-label: threads
 * A carrier's connection: commands signed by others, and whose strikes they
 * are. */
#include <stdio.h>

#include "protocol/files.h"
#include "protocol/keyfile.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

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

static void login(void)
{
    node_fixture_login(&fixture, &wire, &fixture.gateway, ROLE_EHIS);
}

static struct slice ping(const struct identity *signer)
{
    return wire_command_ping(&command, fixture.cluster_id, signer, "carried");
}

static uint16_t run(struct slice body)
{
    wire_send_command(&wire, body);
    ck_assert(wire_answer(&wire, &answer));
    return answer.code;
}

START_TEST(a_carried_signer_with_a_session_is_served)
{
    login();
    ck_assert_int_eq(run(ping(&fixture.user)), ST_OK);
    ck_assert(!answer.is_error);
    ck_assert_int_eq(run(ping(&fixture.gateway)), ST_OK);
}
END_TEST

START_TEST(a_carried_signer_without_a_session_is_200)
{
    struct identity newcomer;
    static struct wire operators;

    node_fixture_login(&fixture, &operators, &fixture.operator, ROLE_STAFF);
    node_fixture_enrol(&fixture, &operators, &newcomer, ROLE_USER, 0);
    login();
    ck_assert_int_eq(run(ping(&newcomer)), ST_NO_SESSION);
    ck_assert_int_eq(answer.scope, SCOPE_REQUEST);
    ck_assert_int_eq(run(ping(&fixture.user)), ST_OK);
}
END_TEST

START_TEST(carried_bad_signatures_do_not_close_the_carrier)
{
    login();
    for (int i = 0; i < 2 * STRIKES_MAX; i++) {
        struct slice body = ping(&fixture.other);
        command.buffer[64] ^= 1;
        ck_assert_int_eq(run(body), ST_BAD_SIG);
        ck_assert_int_eq(answer.scope, SCOPE_REQUEST);
    }
    /* Nor do they shut out whom they named. */
    ck_assert_int_eq(run(ping(&fixture.other)), ST_OK);
}
END_TEST

START_TEST(strikes_of_a_carried_signer_shut_out_that_signer_alone)
{
    static const uint8_t fields[] = {0, 0, 0, 0, 6, 0, 0, 0};

    login();
    for (int i = 0; i <= STRIKES_MAX; i++) {
        wire_command_begin(&command, fixture.cluster_id);
        wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                           slice_of(fields, sizeof fields));
        ck_assert_int_eq(run(wire_command_sign(&command, &fixture.other)),
                         i < STRIKES_MAX ? ST_UNKNOWN_FIELD : ST_LIMIT);
        ck_assert_int_eq(answer.scope, SCOPE_REQUEST);
    }
    ck_assert_int_eq(run(ping(&fixture.other)), ST_LIMIT);
    ck_assert_int_eq(run(ping(&fixture.user)), ST_OK);
}
END_TEST

START_TEST(frame_errors_close_a_carriers_connection_too)
{
    login();
    wire_send_frame(&wire, 0xff, 0, 1, ++wire.request_id, slice_of(NULL, 0));
    node_expect_end(&wire, ST_TYPE);
}
END_TEST

START_TEST(a_carrier_is_granted_more_in_flight_than_a_person)
{
    enum { COMMANDS = 100 };

    login();
    for (int i = 0; i < COMMANDS; i++)
        wire_send_command(&wire, ping(&fixture.gateway));
    for (int i = 0; i < COMMANDS; i++) {
        ck_assert(wire_answer(&wire, &answer));
        ck_assert_int_eq(answer.code, ST_OK);
    }
}
END_TEST

START_TEST(counters_of_a_carried_signer_do_not_fence_its_carriers)
{
    static struct wire newer;
    uint64_t counter = 1;

    login();
    node_fixture_login(&fixture, &newer, &fixture.gateway, ROLE_EHIS);
    for (int i = 0; i < 4; i++) {
        static const uint8_t fields[4];
        struct wire *through = i % 2 == 0 ? &newer : &wire;
        wire_command_begin(&command, fixture.cluster_id);
        command.header.counter = counter++;
        wire_command_bytes(&command, OPCODE_SYSTEM_PING,
                           slice_of(fields, sizeof fields));
        wire_send_command(through, wire_command_sign(&command, &fixture.user));
        ck_assert(wire_answer(through, &answer));
        ck_assert_int_eq(answer.code, ST_OK);
    }
}
END_TEST

/* The node's own key, as whoever stole its file has it. */
static void steal_receipt_key(struct identity *out)
{
    uint8_t bytes[KEYFILE_SIZE];
    struct keyfile keyfile;
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", fixture.directory,
                   FILE_RECEIPT_KEY);
    file = fopen(path, "rbe");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(keyfile_decode(&keyfile, slice_of(bytes, sizeof bytes),
                                    KEYFILE_RECEIPT),
                     ST_OK);
    identity_init(out, keyfile.secret);
}

static uint16_t attest(const struct identity *signer)
{
    struct op_system_attest fields = {.first = 0, .last = 0};
    struct writer writer;
    uint8_t refusals[16];

    writer_init(&writer, refusals, sizeof refusals);
    fields.refusals = list_begin(&writer);
    wire_command_begin(&command, fixture.cluster_id);
    command.header.realm = REALM_SYSTEM;
    wire_command_item(&command, OPCODE_SYSTEM_ATTEST, &fields);
    return run(wire_command_sign(&command, signer));
}

/* As an entry it would be what a file can show to others; by the primary's key
 * it would be compared, and stop the node. */
START_TEST(what_nodes_enter_themselves_is_taken_from_nobody_with_any_key)
{
    struct identity stolen;
    uint64_t before;

    steal_receipt_key(&stolen);
    login();
    ck_assert_int_eq(run(ping(&fixture.user)), ST_OK);
    before = answer.receipt.index;
    ck_assert_int_eq(attest(&stolen), ST_NO_DUTY);
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.scope, SCOPE_REQUEST);
    ck_assert_int_eq(attest(&fixture.user), ST_NO_DUTY);
    ck_assert(answer.is_error);
    ck_assert_int_eq(run(ping(&fixture.user)), ST_OK);
    ck_assert_uint_gt(answer.receipt.index, before);
    node_fixture_serves(&fixture);
}
END_TEST

SUITE_MAIN_WITH("carrier", open_node, close_node,
                a_carried_signer_with_a_session_is_served,
                a_carried_signer_without_a_session_is_200,
                carried_bad_signatures_do_not_close_the_carrier,
                strikes_of_a_carried_signer_shut_out_that_signer_alone,
                frame_errors_close_a_carriers_connection_too,
                a_carrier_is_granted_more_in_flight_than_a_person,
                counters_of_a_carried_signer_do_not_fence_its_carriers,
                what_nodes_enter_themselves_is_taken_from_nobody_with_any_key)
