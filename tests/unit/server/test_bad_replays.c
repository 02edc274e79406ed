/* ctest-label: threads
 * ctest-timeout: 300
 * Commands that come again, late, early or out of order: one entry, whatever a
 * client does. */
#include <unistd.h>

#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

enum { MINUTE_US = 60 * 1000000 };

static struct node_fixture fixture;
static struct wire wire, second_wire;
static struct wire_command command;
static struct wire_answer answer, second;

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

static struct slice ping(const char *text)
{
    return wire_command_ping(&command, fixture.cluster_id, own(), text);
}

static void begin(void)
{
    node_expect_begin(&fixture, &wire, EXPECT_OPEN);
}

static void run(struct wire *on, struct slice body, struct wire_answer *out)
{
    wire_send_command(on, body);
    ck_assert(wire_answer(on, out));
}

START_TEST(D92_the_same_command_again_is_a_duplicate_with_the_same_receipt)
{
    struct slice body;

    begin();
    body = ping("once");
    run(&wire, body, &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert(!answer.is_error && !answer.duplicate && answer.has_receipt);
    run(&wire, body, &second);
    ck_assert_int_eq(second.code, ST_OK);
    ck_assert(!second.is_error && second.duplicate && second.has_receipt);
    ck_assert_mem_eq(answer.receipt_bytes, second.receipt_bytes, RECEIPT_SIZE);
    ck_assert_mem_eq(answer.receipt_signature, second.receipt_signature,
                     SIGNATURE_SIZE);
}
END_TEST

START_TEST(D92_a_retry_on_a_new_connection_is_a_duplicate)
{
    struct slice body;

    begin();
    body = ping("once");
    wire_send_command(&wire, body);
    wire_close(&wire); /* The answer is lost. */
    begin();
    run(&wire, body, &answer);
    while (answer.is_error) {
        ck_assert_int_eq(answer.code, ST_IN_PROGRESS);
        run(&wire, body, &answer);
    }
    ck_assert_int_eq(answer.code, ST_OK);
    run(&wire, body, &second);
    ck_assert(second.duplicate);
    ck_assert_uint_eq(answer.receipt.index, second.receipt.index);
}
END_TEST

START_TEST(D93_the_same_command_at_once_on_two_connections_is_done_once)
{
    uint64_t index = 0;
    int done = 0;

    begin();
    node_fixture_login(&fixture, &second_wire, own(), ROLE_STAFF);
    for (int round = 0; round < 20; round++) {
        struct slice body = ping("twice");
        wire_send_command(&wire, body);
        wire_send_command(&second_wire, body);
        ck_assert(wire_answer(&wire, &answer));
        ck_assert(wire_answer(&second_wire, &second));
        done = 0;
        for (int i = 0; i < 2; i++) {
            const struct wire_answer *one = i == 0 ? &answer : &second;
            if (one->is_error) {
                ck_assert_int_eq(one->code, ST_IN_PROGRESS);
                continue;
            }
            ck_assert_int_eq(one->code, ST_OK);
            done += one->duplicate ? 0 : 1;
            ck_assert(index == 0 || done < 2);
            index = one->receipt.index;
        }
        ck_assert_int_eq(done, 1);
        run(&second_wire, body, &second);
        ck_assert(second.duplicate);
        ck_assert_uint_eq(second.receipt.index, index);
    }
}
END_TEST

START_TEST(D94_the_same_idem_with_another_body_is_308)
{
    struct op_system_ping other = {.text = slice_of("other", 5)};
    uint8_t idem[IDEM_SIZE];

    begin();
    run(&wire, ping("first"), &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    memcpy(idem, command.header.idem, IDEM_SIZE);
    wire_command_begin(&command, fixture.cluster_id);
    memcpy(command.header.idem, idem, IDEM_SIZE);
    wire_command_item(&command, OPCODE_SYSTEM_PING, &other);
    node_expect_error(&wire, wire_command_sign(&command, own()),
                      ST_IDEM_CONFLICT);
}
END_TEST

START_TEST(D94_idem_conflicts_are_strikes)
{
    struct op_system_ping other = {.text = slice_of("other", 5)};
    uint8_t idem[IDEM_SIZE];

    begin();
    run(&wire, ping("first"), &answer);
    memcpy(idem, command.header.idem, IDEM_SIZE);
    for (int i = 0; i <= STRIKES_MAX; i++) {
        wire_command_begin(&command, fixture.cluster_id);
        memcpy(command.header.idem, idem, IDEM_SIZE);
        wire_command_item(&command, OPCODE_SYSTEM_PING, &other);
        struct slice body = wire_command_sign(&command, own());
        if (i < STRIKES_MAX)
            node_expect_error(&wire, body, ST_IDEM_CONFLICT);
        else
            wire_send_command(&wire, body);
    }
    node_expect_end(&wire, ST_LIMIT);
}
END_TEST

/* One of the two is done, whichever comes first; the other is told so. */
START_TEST(D280_one_idem_with_two_bodies_at_once_is_done_once)
{
    static struct wire_command other;
    struct op_system_ping fields = {.text = slice_of("other body", 10)};

    begin();
    node_fixture_login(&fixture, &second_wire, own(), ROLE_STAFF);
    for (int round = 0; round < STRIKES_MAX / 2; round++) {
        struct slice body = ping("one body");

        wire_command_begin(&other, fixture.cluster_id);
        memcpy(other.header.idem, command.header.idem, IDEM_SIZE);
        wire_command_item(&other, OPCODE_SYSTEM_PING, &fields);
        struct slice other_body = wire_command_sign(&other, own());
        wire_send_command(&wire, body);
        wire_send_command(&second_wire, other_body);
        ck_assert(wire_answer(&wire, &answer));
        ck_assert(wire_answer(&second_wire, &second));
        ck_assert_int_ne(answer.is_error, second.is_error);
        ck_assert_int_eq(answer.is_error ? answer.code : second.code,
                         ST_IDEM_CONFLICT);
        ck_assert_int_eq(answer.is_error ? second.code : answer.code, ST_OK);
    }
}
END_TEST

START_TEST(D95_the_same_idem_of_another_signer_is_another_command)
{
    struct op_system_ping same = {.text = slice_of("same", 4)};
    uint8_t idem[IDEM_SIZE];

    begin();
    run(&wire, ping("same"), &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    memcpy(idem, command.header.idem, IDEM_SIZE);
    node_fixture_login(&fixture, &second_wire, &fixture.operator, ROLE_STAFF);
    wire_command_begin(&command, fixture.cluster_id);
    memcpy(command.header.idem, idem, IDEM_SIZE);
    wire_command_item(&command, OPCODE_SYSTEM_PING, &same);
    run(&second_wire, wire_command_sign(&command, &fixture.operator), &second);
    ck_assert_int_eq(second.code, ST_OK);
    ck_assert(!second.duplicate);
    ck_assert_uint_ne(answer.receipt.index, second.receipt.index);
}
END_TEST

/* Signed ${minutes} from now: an ANSWER, and its receipt tells the time. */
static void expect_time_refused(int minutes, enum status status)
{
    struct op_system_ping fields = {.text = slice_of("time", 4)};
    int64_t now;

    wire_command_begin(&command, fixture.cluster_id);
    now = command.header.signed_at;
    command.header.flags = 0;
    command.header.signed_at += (int64_t)minutes * MINUTE_US;
    wire_command_item(&command, OPCODE_SYSTEM_PING, &fields);
    run(&wire, wire_command_sign(&command, own()), &answer);
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, status);
    ck_assert(answer.has_receipt); /* Unasked, because it refuses. */
    ck_assert_int_le(answer.receipt.committed_at, now + 5 * MINUTE_US);
    ck_assert_int_ge(answer.receipt.committed_at, now - 5 * MINUTE_US);
}

START_TEST(D96_a_command_signed_an_hour_ago_is_305_with_the_servers_time)
{
    begin();
    expect_time_refused(-60, ST_EXPIRED);
}
END_TEST

START_TEST(D97_a_command_signed_ten_minutes_ahead_is_306_with_the_servers_time)
{
    begin();
    expect_time_refused(10, ST_EARLY);
}
END_TEST

static void send_counted(struct wire *on, uint64_t counter)
{
    struct op_system_ping fields = {.text = slice_of("counted", 7)};

    wire_command_begin(&command, fixture.cluster_id);
    command.header.counter = counter;
    wire_command_item(&command, OPCODE_SYSTEM_PING, &fields);
    wire_send_command(on, wire_command_sign(&command, own()));
}

static uint16_t counted(uint64_t counter)
{
    send_counted(&wire, counter);
    ck_assert(wire_answer(&wire, &answer));
    ck_assert(!answer.is_error);
    return answer.code;
}

START_TEST(D101_counters_grow_and_may_leave_gaps)
{
    begin();
    ck_assert_int_eq(counted(5), ST_OK);
    ck_assert_int_eq(counted(7), ST_OK);
    ck_assert_int_eq(counted(6), ST_REPLAY);
    ck_assert_int_eq(counted(7), ST_REPLAY);
    ck_assert_int_eq(counted(0), ST_OK);
    ck_assert_int_eq(counted(8), ST_OK);
}
END_TEST

START_TEST(an_older_login_is_fenced_when_it_counts_after_a_newer_one)
{
    begin();
    node_fixture_login(&fixture, &second_wire, own(), ROLE_STAFF);
    ck_assert_int_eq(counted(1), ST_OK);
    send_counted(&second_wire, 2);
    ck_assert(wire_answer(&second_wire, &second));
    ck_assert_int_eq(second.code, ST_OK);
    run(&wire, ping("no counter"), &answer);
    ck_assert_int_eq(answer.code, ST_OK);
    send_counted(&wire, 3);
    node_expect_end(&wire, ST_FENCED);
    send_counted(&second_wire, 4);
    ck_assert(wire_answer(&second_wire, &second));
    ck_assert_int_eq(second.code, ST_OK);
}
END_TEST

ROW_SUITE_MAIN(
    "bad_replays", &fixture, open_node, close_node,
    D92_the_same_command_again_is_a_duplicate_with_the_same_receipt,
    D92_a_retry_on_a_new_connection_is_a_duplicate,
    D93_the_same_command_at_once_on_two_connections_is_done_once,
    D94_the_same_idem_with_another_body_is_308, D94_idem_conflicts_are_strikes,
    D280_one_idem_with_two_bodies_at_once_is_done_once,
    D95_the_same_idem_of_another_signer_is_another_command,
    D96_a_command_signed_an_hour_ago_is_305_with_the_servers_time,
    D97_a_command_signed_ten_minutes_ahead_is_306_with_the_servers_time,
    D101_counters_grow_and_may_leave_gaps,
    an_older_login_is_fenced_when_it_counts_after_a_newer_one)
