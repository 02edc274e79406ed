/* ctest-label: threads */
#include "tests/lib/long_answers.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

enum { READS = 6 };

static struct node_fixture fixture;

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

START_TEST(large_answers_in_flight_together_all_come)
{
    static struct wire wire;
    struct frame frame;
    int finished = 0;

    long_answers_fill(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.auditor, ROLE_AUDITOR);
    long_answers_ask(&fixture, &wire, READS);
    while (finished < READS) {
        ck_assert_msg(wire_receive(&wire, &frame), "only %d of %d came",
                      finished, READS);
        ck_assert_int_eq(frame.type, MESSAGE_ANSWER);
        finished += (frame.flags & FRAME_FLAG_MORE) == 0;
    }
    wire_close(&wire);
}
END_TEST

SUITE_MAIN_WITH("big answers", open_node, close_node,
                large_answers_in_flight_together_all_come)
