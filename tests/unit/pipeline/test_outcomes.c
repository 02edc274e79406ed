/* Outcomes that others are shown: kept when they are attested, as long as their
 * commands are remembered. */
#include <string.h>

#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

static struct rig rig;
static struct apply_shown shown;
static uint32_t extracts;

/* Entry ${index} as if it had issued an extract. */
static void issue(uint64_t index)
{
    uint8_t digest[HASH_SIZE];
    struct row_extract row = {.number = ++extracts, .record = index << 16};

    state_begin(rig.state);
    state_entry_begin(rig.state);
    state_insert(rig.state, TABLE_EXTRACT, &row);
    state_entry_end(rig.state, digest);
    state_commit(rig.state);
}

static struct rig_answer ping(void)
{
    struct rig_answer answer;

    rig_ping(&rig, &rig.admin, &answer, "p");
    ck_assert_int_eq(answer.code, ST_OK);
    return answer;
}

/* The entry of an attestation of all that waits; ${root} is its root. */
static uint64_t attest(uint8_t root[HASH_SIZE])
{
    struct op_system_attest stated;
    struct node_command *own = node_command_begin(&rig.signer);
    struct rig_answer answer;
    uint8_t bytes[4096];
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    attest_make(apply_attest(rig.apply), &stated, &space, 0);
    node_command_add(own, OPCODE_SYSTEM_ATTEST, &stated);
    rig_run(&rig, &answer, node_command_finish(own, rig.wall));
    ck_assert_int_eq(answer.code, ST_OK);
    memcpy(root, stated.root.b, HASH_SIZE);
    return answer.index;
}

static void expect_shown(const struct rig_answer *of, uint64_t attestation,
                         const uint8_t root[HASH_SIZE])
{
    uint8_t leaf[HASH_SIZE], got[HASH_SIZE];

    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, of->index), ST_OK);
    ck_assert_uint_eq(shown.attestation, attestation);
    attestation_leaf(leaf, of->index, 0, of->code, of->result_hash);
    attestation_path_root(got, &shown.path, leaf);
    ck_assert_mem_eq(got, root, HASH_SIZE);
}

START_TEST(an_outcome_is_shown_once_it_is_attested)
{
    struct rig_answer first, second, third;
    uint8_t root[HASH_SIZE];
    uint64_t attestation;

    rig_open(&rig);
    first = ping();
    issue(first.index);
    (void)ping();
    second = ping();
    issue(second.index);
    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, first.index), ST_BUSY);
    attestation = attest(root);
    expect_shown(&first, attestation, root);
    expect_shown(&second, attestation, root);
    third = ping();
    issue(third.index);
    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, third.index), ST_BUSY);
    expect_shown(&first, attestation, root);
    attestation = attest(root);
    expect_shown(&third, attestation, root);
    rig_close(&rig);
}
END_TEST

START_TEST(of_what_is_no_extract_nothing_is_kept)
{
    struct rig_answer answer;
    uint8_t root[HASH_SIZE];

    rig_open(&rig);
    answer = ping();
    (void)attest(root);
    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, answer.index),
                     ST_NO_SUCH);
    ck_assert_uint_eq(state_count(rig.state, TABLE_OUTCOME), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(an_outcome_that_a_former_process_left_is_shown_by_the_next)
{
    struct rig_answer first, second;
    uint8_t root[HASH_SIZE];
    uint64_t attestation;

    rig_open(&rig);
    first = ping();
    issue(first.index);
    attestation = attest(root);
    second = ping();
    issue(second.index);
    ck_assert_int_eq(rig_restart(&rig, true), ST_OK);
    expect_shown(&first, attestation, root);
    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, second.index),
                     ST_BUSY);
    attestation = attest(root);
    expect_shown(&second, attestation, root);
    rig_close(&rig);
}
END_TEST

START_TEST(an_outcome_is_forgotten_with_its_command)
{
    struct rig_answer first, second;
    uint8_t root[HASH_SIZE];

    rig_open(&rig);
    first = ping();
    issue(first.index);
    (void)attest(root);
    rig_wait(&rig, 24 * 3600 * RIG_SECOND);
    second = ping();
    issue(second.index);
    (void)attest(root);
    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, first.index), ST_OK);
    rig_wait(&rig, 25 * 3600 * RIG_SECOND);
    for (int i = 0; i < 5; i++)
        (void)ping();
    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, first.index),
                     ST_NO_SUCH);
    ck_assert_int_eq(apply_outcome_of(rig.apply, &shown, second.index), ST_OK);
    rig_wait(&rig, 24 * 3600 * RIG_SECOND);
    (void)attest(root);
    for (int i = 0; i < 5; i++)
        (void)ping();
    ck_assert_uint_eq(state_count(rig.state, TABLE_OUTCOME), 0);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("outcomes", an_outcome_is_shown_once_it_is_attested,
           of_what_is_no_extract_nothing_is_kept,
           an_outcome_that_a_former_process_left_is_shown_by_the_next,
           an_outcome_is_forgotten_with_its_command)
