/* ctest-label: threads */
#include <time.h>

#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

enum { READS = 6, PINGS = 30, ITEMS = 250 };

static struct node_fixture fixture;
static struct wire wire, gate;
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

/* Large entries, so that one journal.read fills ANSWER_FRAMES_MAX frames. */
static void fill_the_log(void)
{
    struct op_system_ping ping = {
        .text = slice_of("0123456789012345678901234567890123456789", 40)};

    node_fixture_login(&fixture, &gate, &fixture.gateway, ROLE_EHIS);
    for (int i = 0; i < PINGS; i++) {
        wire_command_begin(&command, fixture.cluster_id);
        for (int j = 0; j < ITEMS; j++)
            wire_command_item(&command, OPCODE_SYSTEM_PING, &ping);
        wire_send_command(&gate, wire_command_sign(&command, &fixture.gateway));
        ck_assert(wire_answer(&gate, &answer));
        ck_assert_int_eq(answer.code, 0);
    }
    wire_close(&gate);
}

START_TEST(large_answers_in_flight_together_all_come)
{
    struct op_journal_read read = {.from = 10, .count = 64, .categories = 0xff};
    struct frame frame;
    int finished = 0;

    fill_the_log();
    node_fixture_login(&fixture, &wire, &fixture.auditor, ROLE_AUDITOR);
    for (int i = 0; i < READS; i++) {
        wire_command_begin(&command, fixture.cluster_id);
        command.header.realm = REALM_SYSTEM;
        command.clear.duty = fixture.auditor_duty;
        wire_command_item(&command, OPCODE_JOURNAL_READ, &read);
        wire_send_command(&wire, wire_command_sign(&command, &fixture.auditor));
    }
    while (finished < READS) {
        ck_assert_msg(wire_receive(&wire, &frame), "only %d of %d came",
                      finished, READS);
        ck_assert_int_eq(frame.type, MESSAGE_ANSWER);
        finished += (frame.flags & FRAME_FLAG_MORE) == 0;
    }
    wire_close(&wire);
}
END_TEST

/* Who does not read his answers is closed, or refused more, before they take
 * the memory of others. */
START_TEST(answers_that_nobody_reads_take_no_more_than_their_memory)
{
    enum { READERS = 4, MIB = 4, ANSWERS_SIZE = MIB * 1024 * 1024 / 2 };
    struct op_journal_read read = {.from = 10, .count = 64, .categories = 0xff};
    const struct timespec pause = {0, 20 * 1000 * 1000};
    static struct wire readers[READERS];

    node_expect_make(&fixture); /* Of this process; the other one goes on. */
    fixture.options.net.memory_mib = MIB;
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    fill_the_log();
    node_fixture_login(&fixture, &gate, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < READERS; i++) {
        node_fixture_login(&fixture, &readers[i], &fixture.auditor,
                           ROLE_AUDITOR);
        for (int j = 0; j < READS; j++) {
            wire_command_begin(&command, fixture.cluster_id);
            command.header.realm = REALM_SYSTEM;
            command.clear.duty = fixture.auditor_duty;
            wire_command_item(&command, OPCODE_JOURNAL_READ, &read);
            wire_send_command(&readers[i],
                              wire_command_sign(&command, &fixture.auditor));
        }
    }
    for (int i = 0; i < 500 && node_expect_figure(&gate, "limit.memory") == 0;
         i++) {
        ck_assert_uint_le(node_expect_figure(&gate, "memory.answers"),
                          ANSWERS_SIZE);
        (void)nanosleep(&pause, NULL);
    }
    ck_assert_uint_gt(node_expect_figure(&gate, "limit.memory"), 0);
    ck_assert_uint_le(node_expect_figure(&gate, "memory.answers"),
                      ANSWERS_SIZE);
    /* When they are gone, so is what they held. */
    for (int i = 0; i < READERS; i++)
        wire_close(&readers[i]);
    for (int i = 0; i < 500 && node_expect_figure(&gate, "memory.answers") > 0;
         i++)
        (void)nanosleep(&pause, NULL);
    ck_assert_uint_eq(node_expect_figure(&gate, "memory.answers"), 0);
    wire_close(&gate);
    node_fixture_remove(&fixture);
}
END_TEST

/* One key, however many connections and requests it has, holds no more than
 * twice its share, and the others are served. */
START_TEST(one_key_that_reads_nothing_leaves_the_memory_to_the_others)
{
    enum { READERS = 4, MIB = 64, LIMIT = 2 * MEMORY_SHARE_SIZE_MIN };
    struct op_journal_read read = {.from = 10, .count = 64, .categories = 0xff};
    const struct timespec pause = {0, 20 * 1000 * 1000};
    static struct wire readers[READERS];

    node_expect_make(&fixture);
    fixture.options.net.memory_mib = MIB;
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    fill_the_log();
    node_fixture_login(&fixture, &gate, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < READERS; i++)
        node_fixture_login(&fixture, &readers[i], &fixture.auditor,
                           ROLE_AUDITOR);
    for (int i = 0; i < READERS * READS; i++) {
        wire_command_begin(&command, fixture.cluster_id);
        command.header.realm = REALM_SYSTEM;
        command.clear.duty = fixture.auditor_duty;
        wire_command_item(&command, OPCODE_JOURNAL_READ, &read);
        wire_send_command(&readers[i % READERS],
                          wire_command_sign(&command, &fixture.auditor));
    }
    for (int i = 0; i < 500 && node_expect_figure(&gate, "limit.memory") == 0;
         i++) {
        ck_assert_uint_le(node_expect_figure(&gate, "memory.answers"), LIMIT);
        (void)nanosleep(&pause, NULL);
    }
    ck_assert_uint_gt(node_expect_figure(&gate, "limit.memory"), 0);
    ck_assert_uint_le(node_expect_figure(&gate, "memory.answers"), LIMIT);
    wire_send_command(&gate, wire_command_ping(&command, fixture.cluster_id,
                                               &fixture.operator, "on"));
    ck_assert(wire_answer(&gate, &answer));
    ck_assert_int_eq(answer.code, ST_OK);
    wire_close(&gate);
    node_fixture_remove(&fixture);
}
END_TEST

SUITE_MAIN_WITH("big answers", open_node, close_node,
                large_answers_in_flight_together_all_come,
                answers_that_nobody_reads_take_no_more_than_their_memory,
                one_key_that_reads_nothing_leaves_the_memory_to_the_others)
