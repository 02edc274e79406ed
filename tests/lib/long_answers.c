#include "tests/lib/long_answers.h"

#include <check.h>

enum { PINGS = 30, ITEMS = 250 };

static struct wire_command command;

void long_answers_fill(const struct node_fixture *fixture)
{
    static struct wire gate;
    static struct wire_answer answer;
    struct op_system_ping ping = {
        .text = slice_of("0123456789012345678901234567890123456789", 40)};

    node_fixture_login(fixture, &gate, &fixture->gateway, ROLE_EHIS);
    for (int i = 0; i < PINGS; i++) {
        wire_command_begin(&command, fixture->cluster_id);
        for (int j = 0; j < ITEMS; j++)
            wire_command_item(&command, OPCODE_SYSTEM_PING, &ping);
        wire_send_command(&gate,
                          wire_command_sign(&command, &fixture->gateway));
        ck_assert(wire_answer(&gate, &answer));
        ck_assert_int_eq(answer.code, 0);
    }
    wire_close(&gate);
}

void long_answers_ask(const struct node_fixture *fixture, struct wire *wire,
                      int count)
{
    struct op_journal_read read = {.from = 10, .count = 64, .categories = 0xff};

    for (int i = 0; i < count; i++) {
        wire_command_begin(&command, fixture->cluster_id);
        command.header.realm = REALM_SYSTEM;
        command.clear.duty = fixture->auditor_duty;
        wire_command_item(&command, OPCODE_JOURNAL_READ, &read);
        wire_send_command(wire, wire_command_sign(&command, &fixture->auditor));
    }
}
