/* ctest-label: threads */
#include <time.h>

#include "tests/lib/long_answers.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

/* A node of each test's own, in its process. */
enum { READERS = 4, READS = 6, NAPS_MAX = 500 };

static struct node_fixture fixture;
static struct wire readers[READERS], gate;

static void node_begins(uint32_t memory_mib)
{
    node_expect_make(&fixture);
    fixture.options.net.memory_mib = memory_mib;
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    long_answers_fill(&fixture);
    node_fixture_login(&fixture, &gate, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < READERS; i++)
        node_fixture_login(&fixture, &readers[i], &fixture.auditor,
                           ROLE_AUDITOR);
}

static void node_ends(void)
{
    wire_close(&gate);
    node_fixture_remove(&fixture);
}

static void nap(void)
{
    const struct timespec time = {0, 20 * 1000 * 1000};

    (void)nanosleep(&time, NULL);
}

/* Something is refused for memory, and at no time do answers hold more than
 * ${most} bytes. */
static void held_within(uint64_t most)
{
    for (int i = 0;
         i < NAPS_MAX && node_expect_figure(&gate, "limit.memory") == 0; i++) {
        ck_assert_uint_le(node_expect_figure(&gate, "memory.answers"), most);
        nap();
    }
    ck_assert_uint_gt(node_expect_figure(&gate, "limit.memory"), 0);
    ck_assert_uint_le(node_expect_figure(&gate, "memory.answers"), most);
}

/* Who does not read his answers is closed, or refused more, before they take
 * the memory of others; when he is gone, so is what he held. */
START_TEST(answers_that_nobody_reads_take_no_more_than_their_memory)
{
    enum { MIB = 4, ANSWERS_SIZE = MIB * 1024 * 1024 / 2 };

    node_begins(MIB);
    for (int i = 0; i < READERS; i++)
        long_answers_ask(&fixture, &readers[i], READS);
    held_within(ANSWERS_SIZE);
    for (int i = 0; i < READERS; i++)
        wire_close(&readers[i]);
    for (int i = 0;
         i < NAPS_MAX && node_expect_figure(&gate, "memory.answers") > 0; i++)
        nap();
    ck_assert_uint_eq(node_expect_figure(&gate, "memory.answers"), 0);
    node_ends();
}
END_TEST

/* One key, however many connections and requests it has, holds no more than
 * twice its share, and the others are served. */
START_TEST(one_key_that_reads_nothing_leaves_the_memory_to_the_others)
{
    enum { MIB = 64, LIMIT = 2 * MEMORY_SHARE_SIZE_MIN };
    static struct wire_command command;
    static struct wire_answer answer;

    node_begins(MIB);
    for (int i = 0; i < READERS * READS; i++)
        long_answers_ask(&fixture, &readers[i % READERS], 1);
    held_within(LIMIT);
    wire_send_command(&gate, wire_command_ping(&command, fixture.cluster_id,
                                               &fixture.operator, "on"));
    ck_assert(wire_answer(&gate, &answer));
    ck_assert_int_eq(answer.code, ST_OK);
    node_ends();
}
END_TEST

SUITE_MAIN("unread answers",
           answers_that_nobody_reads_take_no_more_than_their_memory,
           one_key_that_reads_nothing_leaves_the_memory_to_the_others)
