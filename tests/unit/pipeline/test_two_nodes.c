/* ctest-label: threads */
#include "tests/lib/suite.h"

#include <string.h>

#include "tests/lib/pipeline_host.h"

/* Two nodes of one cluster. */
static struct pipeline_host host;
static struct pipeline_host other;

static void digest_of(struct pipeline_host *of, uint8_t out[HASH_SIZE])
{
    memcpy(out, state_head(of->rig.state)->digest, HASH_SIZE);
}

START_TEST(a_node_that_applies_what_another_sequenced_comes_to_the_same_state)
{
    struct op_organisation_enrol enrol = {
        .kind = 2, .name = slice_of("Body", 4), .basis = {{1}}};
    uint8_t digests[2][HASH_SIZE];
    static struct rig_command command;

    pipeline_host_open(&host);
    pipeline_host_open(&other);
    pipeline_host_lead(&host);
    for (uint64_t i = 1; i < 20; i++) {
        struct pipeline_host_answer answer;

        rig_begin(&host.rig, &command);
        rig_item(&host.rig, &command, OPCODE_ORGANISATION_ENROL, 0, 1, &enrol);
        struct work *work = rig_finish(&host.rig, &command, &host.rig.admin);
        ck_assert_int_eq(pipeline_host_submit(&host, i, work), ST_OK);
        pipeline_host_answer_run(&host, i, &answer);
        ck_assert_int_eq(answer.code, ST_OK);
        ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
        pipeline_host_commit_to(&other, host.committed);
    }
    /* The backup attests nothing, and checks what is attested. */
    while (pipeline_host_count(&host, OPCODE_SYSTEM_ATTEST) == 0) {
        atomic_fetch_add(&host.passed, RIG_SECOND);
        atomic_fetch_add(&other.passed, RIG_SECOND);
        pipeline_host_write(&host);
        pipeline_host_commit(&host);
        pipeline_host_nap();
    }
    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    pipeline_host_commit(&host);
    pipeline_host_wait_applied(&host, journal_size(host.rig.journal));
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_commit(&other);
    pipeline_host_wait_applied(&other, journal_size(host.rig.journal));
    ck_assert_uint_eq(pipeline_host_held(&other), 0);
    pipeline_host_stop(&host);
    pipeline_host_stop(&other);
    state_full_digest(host.rig.state, digests[0]);
    state_full_digest(other.rig.state, digests[1]);
    ck_assert_mem_eq(digests[0], digests[1], HASH_SIZE);
    digest_of(&host, digests[0]);
    digest_of(&other, digests[1]);
    ck_assert_mem_eq(digests[0], digests[1], HASH_SIZE);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

START_TEST(a_new_primary_knows_the_commands_of_the_tail_that_it_inherits)
{
    struct pipeline_host_answer answer;
    struct work *work;

    pipeline_host_open(&host);
    pipeline_host_open(&other);
    pipeline_host_lead(&host);
    work = pipeline_host_ping(&host);
    struct work *soon = pipeline_host_again(work);
    struct work *late = pipeline_host_again(work);
    ck_assert_int_eq(pipeline_host_submit(&host, 1, work), ST_OK);
    pipeline_host_hold(&host, 1);
    uint64_t index = journal_size(host.rig.journal);
    pipeline_host_write(&host);
    /* All of it reaches the other node, and is not committed there. */
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_follow(&host);
    ck_assert_uint_lt(pipeline_size(other.pipeline), index);
    pipeline_host_win(&other);
    pipeline_host_hold(&other, 1);
    while (pipeline_host_submit(&other, 1, soon) != ST_OK)
        pipeline_host_nap();
    pipeline_host_answer(&other, 1, &answer);
    ck_assert_int_eq(answer.code, ST_IN_PROGRESS);
    pipeline_host_run_to(&other, index + 1);
    ck_assert_int_eq(pipeline_host_submit(&other, 2, late), ST_OK);
    pipeline_host_answer_run(&other, 2, &answer);
    ck_assert((answer.flags & REPLY_DUPLICATE) != 0);
    ck_assert_int_eq(answer.code, ST_OK);
    ck_assert_uint_eq(answer.index, index);
    /* Keys of the tail are its keys: nothing else is sealed anew. */
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_SYSTEM_SECRET), 1);
    pipeline_host_check_replay(&other);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

START_TEST(a_new_primary_attests_the_inherited_tail_right_after_its_epoch)
{
    pipeline_host_open(&host);
    pipeline_host_open(&other);
    pipeline_host_lead(&host);
    (void)pipeline_host_run_ping(&host, 1);
    uint64_t size = journal_size(host.rig.journal);
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_follow(&host);
    pipeline_host_commit(&other);
    pipeline_host_wait_applied(&other, size);
    pipeline_host_nap_long();
    ck_assert_uint_eq(pipeline_host_held(&other), 0);
    /* No time passes: it does not wait for more to gather. */
    pipeline_host_win(&other);
    pipeline_host_run_to(&other, size + 2);
    ck_assert_int_eq(pipeline_host_opcode(&other, size), OPCODE_SYSTEM_EPOCH);
    ck_assert_int_eq(pipeline_host_opcode(&other, size + 1),
                     OPCODE_SYSTEM_ATTEST);
    pipeline_host_check_replay(&other);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

START_TEST(a_group_that_the_next_primary_replaced_is_never_applied)
{
    struct pipeline_host_answer answer;

    pipeline_host_open(&host);
    pipeline_host_open(&other);
    pipeline_host_lead(&host);
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_commit_to(&other, host.committed);
    ck_assert_int_eq(pipeline_host_submit(&host, 1, pipeline_host_ping(&host)),
                     ST_OK);
    pipeline_host_hold(&host, 1);
    /* The other leads, and its entries take the places of what is held. */
    pipeline_host_wait_applied(&other, other.committed);
    pipeline_host_lead(&other);
    (void)pipeline_host_run_ping(&other, 1);
    (void)pipeline_host_run_ping(&other, 2);
    pipeline_host_follow(&host);
    ck_assert_int_eq(pipeline_host_ship(&host, &other), ST_OK);
    pipeline_host_commit(&host);
    pipeline_host_answer(&host, 1, &answer);
    ck_assert_int_eq(answer.code, ST_UNKNOWN_OUTCOME);
    pipeline_host_wait_applied(&host, journal_size(other.rig.journal));
    pipeline_host_drop(&host);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}
END_TEST

SUITE_MAIN("two_nodes",
           a_node_that_applies_what_another_sequenced_comes_to_the_same_state,
           a_new_primary_knows_the_commands_of_the_tail_that_it_inherits,
           a_new_primary_attests_the_inherited_tail_right_after_its_epoch,
           a_group_that_the_next_primary_replaced_is_never_applied)
