#include "tests/lib/node_expect.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { PLENTY = 100000 };

void node_expect_make(struct node_fixture *fixture)
{
    node_fixture_make(fixture);
    fixture->options.net.connections_per_source = 256;
    fixture->options.net.connections_per_person = 256;
    fixture->options.net.handshakes_per_source_burst = PLENTY;
    fixture->options.net.commands_per_second_person = PLENTY;
    fixture->options.net.commands_per_second_body = PLENTY;
}

void node_expect_begin(struct node_fixture *fixture, struct wire *wire,
                       enum node_expect_phase phase)
{
    if (phase == EXPECT_OPEN)
        node_fixture_login(fixture, wire, node_fixture_own(fixture),
                           ROLE_STAFF);
    else
        node_fixture_channel(fixture, wire);
}

void node_expect_end(struct wire *wire, enum status status)
{
    uint8_t scope;

    ck_assert_int_eq(wire_error(wire, &scope), status);
    ck_assert_int_eq(scope, SCOPE_CONNECTION);
    ck_assert(wire_closed(wire));
    wire_close(wire);
}

void node_expect_ping(struct wire *wire, struct slice tail)
{
    uint8_t body[512] = {0};

    ck_assert_uint_le(tail.size, sizeof body - 8);
    if (tail.size > 0)
        memcpy(body + 8, tail.data, tail.size);
    wire_send_frame(wire, MESSAGE_PING, 0, 1, ++wire->request_id,
                    slice_of(body, 8 + tail.size));
}

void node_expect_pong(struct wire *wire)
{
    struct frame frame;

    ck_assert(wire_receive(wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_PONG);
    ck_assert_uint_eq(frame.request_id, wire->request_id);
}

uint64_t node_expect_figure(struct wire *wire, const char *name)
{
    struct message_query query = {.query = QUERY_STATUS, .version = 1};
    struct rows_status status;
    struct message_rows rows;
    struct field_error error;
    struct list_reader reader;
    struct status_row row;
    struct frame frame;

    wire_send(wire, MESSAGE_QUERY, &query);
    do
        ck_assert(wire_receive(wire, &frame));
    while (frame.type != MESSAGE_ROWS);
    ck_assert_int_eq(schema_decode(&schema_message_rows, &rows, &error,
                                   frame.body, SCHEMA_SKIP_ODD),
                     ST_OK);
    ck_assert_int_eq(schema_decode(&schema_rows_status, &status, &error,
                                   rows.rows, SCHEMA_SKIP_ODD),
                     ST_OK);
    list_reader_init(&reader, &status.figures);
    while (list_reader_next(&reader, &schema_status_row, &row)) {
        char value[32] = "";

        if (row.name.size != strlen(name) ||
            memcmp(row.name.data, name, row.name.size) != 0)
            continue;
        ck_assert_uint_lt(row.value.size, sizeof value);
        memcpy(value, row.value.data, row.value.size);
        return strtoull(value, NULL, 10);
    }
    ck_abort_msg("no figure %s", name);
    return 0;
}

uint64_t node_expect_grant(const struct node_fixture *fixture,
                           struct wire *wire, uint64_t from,
                           uint16_t categories)
{
    static struct wire_command command;
    static struct wire_answer answer;
    struct op_journal_watch watch = {.from = from, .categories = categories};

    wire_command_begin(&command, fixture->cluster_id);
    command.clear.duty = fixture->auditor_duty;
    wire_command_item(&command, OPCODE_JOURNAL_WATCH, &watch);
    wire_send_command(wire, wire_command_sign(&command, &fixture->auditor));
    ck_assert(wire_answer(wire, &answer));
    ck_assert_int_eq(answer.code, ST_OK);
    return answer.receipt.index;
}

void node_expect_refusal(struct wire *wire, enum status status)
{
    uint8_t scope;

    ck_assert_int_eq(wire_error(wire, &scope), status);
    ck_assert_int_eq(scope, SCOPE_REQUEST);
    node_expect_ping(wire, slice_of(NULL, 0));
    node_expect_pong(wire);
    wire_close(wire);
}

void node_expect_error(struct wire *wire, struct slice body, enum status status)
{
    static struct wire_answer answer;

    wire_send_command(wire, body);
    ck_assert(wire_answer(wire, &answer));
    ck_assert_int_eq(answer.code, status);
    ck_assert(answer.is_error);
    ck_assert_int_eq(answer.scope, SCOPE_REQUEST);
    ck_assert_uint_eq(answer.request_id, wire->request_id);
}
