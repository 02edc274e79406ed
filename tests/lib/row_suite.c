#include "tests/lib/row_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sqlite3.h>

#include "server/evidence/evidence_private.h"
#include "server/node_private.h"
#include "tests/lib/heap.h"
#include "tests/lib/sanitizer.h"

enum { ROW_SUITE_TEST_S_MAX = 60 };

/* TSan looks for races, which one round shows; what it keeps itself would be
 * taken for the node's. */
#ifdef SANITIZER_OF_THREADS
enum { ROUNDS = 0 };
#else
enum { ROUNDS = ROW_SUITE_ROUNDS };
#endif

/* Check calls without arguments. */
static struct {
    struct node_fixture *fixture;
    SFun open;
    SFun close;
    size_t count;
    size_t used; /* Of the heap, behind the first round. */
} suite;

/* The honest session.  Each test is a fork, and they follow each other: what
 * one did on it, the next one must know. */
static struct wire *bystander;

static void bystander_open(void)
{
    bystander = mmap(NULL, sizeof *bystander, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(bystander, MAP_FAILED);
    node_fixture_login(suite.fixture, bystander, &suite.fixture->operator,
                       ROLE_STAFF);
}

/* The node may ask in its turn whether the session is there. */
static void bystander_is_served(void)
{
    struct message_ping ping = {.time = 1};
    struct frame frame = {.type = MESSAGE_PING};

    wire_send(bystander, MESSAGE_PING, &ping);
    while (frame.type == MESSAGE_PING)
        ck_assert_msg(wire_receive(bystander, &frame),
                      "a session that did nothing wrong was closed");
    ck_assert_int_eq(frame.type, MESSAGE_PONG);
    ck_assert_uint_eq(frame.request_id, bystander->request_id);
}

static void first_round_begins(void)
{
    heap_begin();
    suite.open();
    bystander_open();
}

size_t row_suite_node_uses(const struct node_fixture *fixture)
{
    struct evidence *evidence = fixture->node->evidence;
    size_t notes_count;

    (void)pthread_mutex_lock(&evidence->lock);
    notes_count = evidence->notes.kept_count;
    (void)pthread_mutex_unlock(&evidence->lock);
    return heap_used() - (size_t)sqlite3_memory_used() -
           notes_count * sizeof(struct notes_note);
}

static void later_rounds_begin(void)
{
    suite.used = row_suite_node_uses(suite.fixture);
}

static size_t grown_for_each_test(size_t runs)
{
    size_t used = row_suite_node_uses(suite.fixture);

    return (used > suite.used ? used - suite.used : 0) / runs;
}

/* What the node is about to give back, as of a connection that it has not seen
 * end, it does not keep. */
static void rounds_end(void)
{
    enum { LOOKS = 100, LOOK_US = 50000 };
    size_t runs = ROUNDS * suite.count;
    size_t per_test;

    if (runs == 0)
        return;
    per_test = grown_for_each_test(runs);
    for (int i = 0; i < LOOKS && per_test > ROW_SUITE_GROWTH_MAX; i++) {
        (void)usleep(LOOK_US);
        per_test = grown_for_each_test(runs);
    }
    if (getenv("ROW_SUITE_SHOW") != NULL)
        (void)fprintf(stderr, "%zu bytes more in use for each test\n",
                      per_test);
    ck_assert_msg(per_test <= ROW_SUITE_GROWTH_MAX,
                  "the node keeps %zu bytes of each test", per_test);
}

START_TEST(whoever_did_nothing_wrong_has_a_command_entered)
{
    struct op_system_ping ping = {.text = slice_of("honest", 6)};

    ck_assert_int_eq(node_fixture_do(suite.fixture, bystander,
                                     &suite.fixture->operator, 0,
                                     OPCODE_SYSTEM_PING, &ping, NULL),
                     ST_OK);
}
END_TEST

static void last_ends(void)
{
    suite.close();
}

static TCase *add_case(Suite *whole, const char *name, SFun before, SFun after)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, ROW_SUITE_TEST_S_MAX);
    tcase_add_unchecked_fixture(tcase, before, after);
    tcase_add_checked_fixture(tcase, NULL, bystander_is_served);
    suite_add_tcase(whole, tcase);
    return tcase;
}

int row_suite_run(const char *name, struct node_fixture *fixture, SFun open,
                  SFun close, const TTest *const *tests, size_t count)
{
    Suite *whole = suite_create(name);
    TCase *first = add_case(whole, name, first_round_begins, NULL);
    TCase *later = add_case(whole, "again", later_rounds_begin, NULL);
    TCase *last = add_case(whole, "size", rounds_end, last_ends);
    SRunner *runner = srunner_create(whole);
    int failed;

    suite.fixture = fixture;
    suite.open = open;
    suite.close = close;
    suite.count = count;
    for (size_t i = 0; i < count; i++) {
        tcase_add_test(first, tests[i]);
        tcase_add_loop_test(later, tests[i], 0, ROUNDS);
    }
    tcase_add_test(last, whoever_did_nothing_wrong_has_a_command_entered);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
