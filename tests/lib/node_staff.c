#include "tests/lib/node_staff.h"

#include <check.h>

enum { OWNER_ORGANISATION = 1, OPERATOR_DUTY = 1 };

void node_staff_enrol(struct node_fixture *fixture, struct node_staff *out,
                      enum duty duty)
{
    struct op_duty_assign assign = {.organisation = OWNER_ORGANISATION,
                                    .duty = (uint8_t)duty,
                                    .basis = {{5}}};
    struct result_duty_assign assigned;
    struct op_duty_ack ack;
    static struct wire wire;

    node_fixture_login(fixture, &wire, &fixture->operator, ROLE_STAFF);
    assign.person = node_fixture_enrol(fixture, &wire, &out->identity,
                                       ROLE_STAFF, OWNER_ORGANISATION);
    ck_assert_int_eq(node_fixture_do(fixture, &wire, &fixture->operator,
                                     OPERATOR_DUTY, OPCODE_DUTY_ASSIGN, &assign,
                                     &assigned),
                     ST_OK);
    wire_close(&wire);
    out->assignment = ack.assignment = assigned.assignment;
    node_fixture_login(fixture, &wire, &out->identity, ROLE_STAFF);
    ck_assert_int_eq(node_fixture_do(fixture, &wire, &out->identity, 0,
                                     OPCODE_DUTY_ACK, &ack, NULL),
                     ST_OK);
    wire_close(&wire);
}

uint16_t node_staff_do(const struct node_fixture *fixture,
                       const struct node_staff *staff, uint16_t opcode,
                       const void *fields, uint64_t subject, uint32_t purpose,
                       struct wire_answer *answer_out)
{
    static struct wire_command command;
    static struct wire wire;

    node_fixture_login(fixture, &wire, &staff->identity, ROLE_STAFF);
    wire_command_begin(&command, fixture->cluster_id);
    command.clear.duty = staff->assignment;
    command.clear.subject = subject;
    command.clear.purpose = purpose;
    wire_command_item(&command, opcode, fields);
    wire_send_command(&wire, wire_command_sign(&command, &staff->identity));
    ck_assert(wire_answer(&wire, answer_out));
    wire_close(&wire);
    ck_assert_msg(!answer_out->is_error, "an ERROR: %u", answer_out->code);
    ck_assert(answer_out->has_receipt);
    return answer_out->code;
}

void node_staff_purpose(struct node_fixture *fixture, uint32_t number)
{
    static struct wire_answer answer;
    struct op_purpose_put put = {.purpose = number,
                                 .title = slice_of("Qrant", 5),
                                 .legal_basis = slice_of("Law 1", 5),
                                 .sections = SECTIONS_MASK,
                                 .kinds = 1023};
    struct node_staff officer;

    node_staff_enrol(fixture, &officer, DUTY_DPO);
    ck_assert_int_eq(node_staff_do(fixture, &officer, OPCODE_PURPOSE_PUT, &put,
                                   0, 0, &answer),
                     ST_OK);
}
