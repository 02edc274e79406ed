#include "tests/lib/node_expect.h"

#include <check.h>
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
