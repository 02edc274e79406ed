/* What a node signs as its attestation is compared, whatever came of it as an
 * entry: others read it who do not know that it was refused. */
#include <stdlib.h>
#include <string.h>

#include "protocol/tree.h"
#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

enum { DUTY_ADM_ASSIGNMENT = 1, NO_SUCH_DUTY = 99, SPENT = 5 };

static struct rig rig;
static struct rig_command command;
static struct rig_answer answer;
static struct op_system_attest stated;
static uint8_t refusals[4096];

static void begin(void)
{
    rig_open(&rig);
    rig_ping(&rig, &rig.admin, &answer, "p");
    ck_assert_uint_eq(answer.code, ST_OK);
}

/* All that waits, as it is. */
static void state_truth(void)
{
    struct attest *attest = apply_attest(rig.apply);
    struct writer space;

    attest_give_up(attest);
    writer_init(&space, refusals, sizeof refusals);
    attest_make(attest, &stated, &space, 0);
    ck_assert_int_eq(space.status, ST_OK);
}

/* That the last entry alone was done, with a result that nobody gave. */
static void state_lie(void)
{
    uint8_t hash[HASH_SIZE];
    struct writer space;

    memset(hash, 0xee, sizeof hash);
    memset(&stated, 0, sizeof stated);
    stated.first = stated.last = apply_size(rig.apply) - 1;
    attestation_leaf(stated.root.b, stated.last, 0, ST_OK, hash);
    writer_init(&space, refusals, sizeof refusals);
    stated.refusals = list_begin(&space);
}

static void prepare(uint32_t duty)
{
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_ATTEST, 0, duty, &stated);
}

static enum status enter(const struct identity *signer)
{
    ck_assert_int_eq(rig_commit(&rig, rig_finish(&rig, &command, signer)),
                     SEQUENCER_TAKEN);
    return rig_apply(&rig, &answer);
}

/* Here, and at whoever replays. */
static void expect_stop(const struct identity *signer)
{
    ck_assert_int_eq(enter(signer), ST_DIVERGED);
    work_close(rig.group->works);
    rig.group->works = NULL;
    ck_assert_int_eq(rig_restart(&rig, false), ST_DIVERGED);
    rig_close(&rig);
}

static void expect_refusal(const struct identity *signer, enum status code)
{
    ck_assert_int_eq(enter(signer), ST_OK);
    ck_assert_uint_eq(answer.code, code);
    ck_assert_uint_eq(state_head(rig.state)->attested_size, 0);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    ck_assert_uint_eq(state_head(rig.state)->attested_size, 0);
}

/* ---- By the primary ------------------------------------------------------ */

START_TEST(a_false_attestation_under_an_assignment_stops_the_node)
{
    begin();
    state_lie();
    prepare(NO_SUCH_DUTY);
    expect_stop(&rig.node);
}
END_TEST

static void spend_counter(void)
{
    struct op_system_ping ping = {.text = slice_of("p", 1)};

    rig_begin(&rig, &command);
    command.header.counter = SPENT;
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, 0, 0, &ping);
    rig_run(&rig, &answer, rig_finish(&rig, &command, &rig.node));
    ck_assert(!answer.is_error);
}

START_TEST(a_false_attestation_with_a_spent_counter_stops_the_node)
{
    begin();
    spend_counter();
    state_lie();
    prepare(0);
    command.header.counter = SPENT;
    expect_stop(&rig.node);
}
END_TEST

START_TEST(a_false_attestation_through_a_carrier_stops_the_node)
{
    begin();
    state_lie();
    prepare(0);
    command.carrier = 1;
    expect_stop(&rig.node);
}
END_TEST

START_TEST(a_true_one_that_is_refused_attests_nothing_and_stops_nobody)
{
    begin();
    state_truth();
    prepare(NO_SUCH_DUTY);
    expect_refusal(&rig.node, ST_NO_DUTY);
    spend_counter();
    state_truth();
    prepare(0);
    command.header.counter = SPENT;
    expect_refusal(&rig.node, ST_REPLAY);
    state_truth();
    prepare(0);
    ck_assert_int_eq(enter(&rig.node), ST_OK);
    ck_assert_uint_eq(answer.code, ST_OK);
    ck_assert_uint_eq(state_head(rig.state)->attested_size, stated.last + 1);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    rig_close(&rig);
}
END_TEST

/* Whoever reads one sees that it is not within its time. */
START_TEST(one_that_came_too_late_or_too_early_is_not_compared)
{
    begin();
    state_lie();
    prepare(0);
    command.header.signed_at -= (TTL_S_DEFAULT + SKEW_S + 1) * RIG_SECOND;
    expect_refusal(&rig.node, ST_EXPIRED);
    prepare(0);
    command.header.signed_at += (SKEW_S + 60) * RIG_SECOND;
    expect_refusal(&rig.node, ST_EARLY);
    rig_close(&rig);
}
END_TEST

/* ---- By others ----------------------------------------------------------- */

START_TEST(what_no_node_signed_is_not_compared)
{
    begin();
    state_lie();
    prepare(DUTY_ADM_ASSIGNMENT);
    expect_refusal(&rig.admin, ST_NO_DUTY);
    rig_close(&rig);
}
END_TEST

/* ---- How much ------------------------------------------------------------ */

START_TEST(an_attestation_of_more_than_one_may_hold_has_diverged)
{
    static uint8_t(*leaves)[HASH_SIZE];
    struct attest *attest = attest_open(0);
    struct item_outcome done = {.code = ST_OK};
    uint8_t digest[HASH_SIZE] = {1};
    struct writer space;

    leaves = calloc(ATTEST_ENTRIES_MAX + 1, HASH_SIZE);
    ck_assert_ptr_nonnull(leaves);
    for (uint64_t i = 0; i <= ATTEST_ENTRIES_MAX; i++) {
        attest_add(attest, &done, 1, digest, false, 0);
        attestation_leaf(leaves[i], i, 0, ST_OK, done.result_hash);
    }
    memset(&stated, 0, sizeof stated);
    writer_init(&space, refusals, sizeof refusals);
    stated.refusals = list_begin(&space);
    memcpy(stated.digest.b, digest, HASH_SIZE);
    for (uint64_t last = ATTEST_ENTRIES_MAX - 1; last <= ATTEST_ENTRIES_MAX;
         last++) {
        stated.last = last;
        tree_root_of(stated.root.b, (const uint8_t(*)[HASH_SIZE])leaves,
                     last + 1);
        ck_assert_int_eq(attest_check(attest, &stated),
                         last < ATTEST_ENTRIES_MAX ? ST_OK : ST_DIVERGED);
    }
    free(leaves);
    attest_close(attest);
}
END_TEST

SUITE_MAIN("attested", a_false_attestation_under_an_assignment_stops_the_node,
           a_false_attestation_with_a_spent_counter_stops_the_node,
           a_false_attestation_through_a_carrier_stops_the_node,
           a_true_one_that_is_refused_attests_nothing_and_stops_nobody,
           one_that_came_too_late_or_too_early_is_not_compared,
           what_no_node_signed_is_not_compared,
           an_attestation_of_more_than_one_may_hold_has_diverged)
