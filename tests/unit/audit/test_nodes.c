/* Logs of more than one node: who may begin a term, and what waits for it.
 * ctest-label: threads */
#include "tests/unit/audit/node_log.h"

START_TEST(an_enrolled_node_takes_over_and_attests)
{
    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_epoch(&second);
    ping(ST_WRONG_STATE); /* Realm R waits. */
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.epochs, 2);
    ck_assert_uint_eq(report.attestations, 2);
    activate(OP_REALM_R);
    ping(ST_OK);
    signed_log_attest(&made);
    expect_good();
}
END_TEST

START_TEST(a_node_may_take_over_before_its_enrolment_was_attested)
{
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.epochs, 2);
}
END_TEST

START_TEST(a_term_of_a_node_that_nobody_enrolled_is_found)
{
    setup();
    enrol(1, true, ST_NO_BASIS);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(3, "key that was not active");
    setup();
    signed_log_enrol(&made, &second, 2, ST_OK);
    begin_epoch(&second);
    expect_tampered(3, "no node begins one here");
}
END_TEST

START_TEST(a_term_that_was_refused_counts_for_nothing)
{
    struct op_journal_noise noise = {.from = 1, .to = 2};

    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_refused(&second, ST_NO_DUTY);
    expect_claimed();
    ck_assert_uint_eq(report.attestations, 1);
    ck_assert_uint_eq(report.refusals, 0);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.attestations, 2);
    ck_assert_uint_eq(report.refusals, 2);
    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_refused(&second, ST_NO_DUTY);
    signed_log_add(&made, &second, OPCODE_JOURNAL_NOISE, 0, &noise, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(6, "duty that does not allow it");
}
END_TEST

START_TEST(a_primary_whose_next_term_was_refused_is_primary_still)
{
    setup();
    ping(ST_OK);
    signed_log_attest(&made);
    begin_refused(&first, ST_OK);
    ping(ST_OK);
    signed_log_attest(&made);
    judge();
    ck_assert(!report.fault.found);
    ck_assert_uint_eq(report.reasons, 1U << REPORT_REASON_REFUSED);
    ck_assert_uint_eq(report.attestations, 3);
    ck_assert_uint_eq(report.refusals, 1);
    ck_assert_uint_eq(report.refused_count, 1);
    ck_assert_uint_eq(report.refused[0].index, 4);
    ck_assert_uint_eq(report.refused[0].code, ST_BAD_FIELD);
    ck_assert_uint_eq(report.refused[0].opcode, OPCODE_SYSTEM_EPOCH);
    begin_epoch(&first);
    signed_log_attest(&made);
    expect_good();
}
END_TEST

START_TEST(a_new_primary_attests_first_what_the_old_one_left)
{
    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    ping(ST_OK);
    ping(ST_OK);
    begin_epoch(&second);
    signed_log_attest_to(&made, made.count - 2);
    expect_claimed();
    ck_assert_uint_eq(report.attestations, 2);
    signed_log_attest(&made);
    expect_good();
    ck_assert_uint_eq(report.attestations, 3);
}
END_TEST

START_TEST(a_term_that_nobody_attested_is_claimed_and_never_good)
{
    setup();
    signed_log_attest(&made);
    enrol(1, true, ST_OK); /* By whom it may be, nobody says. */
    begin_epoch(&second);
    ping(ST_OK);
    expect_claimed();
    setup();
    enrol(1, true, ST_OK);
    signed_log_attest(&made);
    begin_epoch(&second);
    expect_claimed();
    setup();
    signed_log_attest(&made);
    begin_epoch(&first); /* Primary before and after. */
    expect_good();
}
END_TEST

START_TEST(a_node_enrolled_without_its_proof_is_found)
{
    setup();
    enrol(1, false, ST_OK);
    signed_log_attest(&made);
    expect_tampered(2, "without a proof");
}
END_TEST

START_TEST(a_cosigners_key_that_is_enrolled_twice_is_found)
{
    struct identity third, cosigner;

    setup();
    signed_log_key(&third, 0x53);
    signed_log_key(&cosigner, 0x54);
    enrol_as(&second, 2, 3, true, ST_OK, &cosigner);
    signed_log_attest(&made);
    expect_good();
    setup();
    enrol_as(&second, 2, 3, true, ST_OK, &cosigner);
    enrol_as(&third, 3, 3, true, ST_OK, &cosigner);
    signed_log_attest(&made);
    expect_tampered(3, "cosigner");
    setup();
    enrol_as(&second, 2, 3, true, ST_OK, &second);
    signed_log_attest(&made);
    expect_tampered(2, "cosigner");
}
END_TEST

START_TEST(an_archive_that_begins_a_term_is_found)
{
    setup();
    enrol(3, true, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(3, "is an archive");
}
END_TEST

START_TEST(work_in_the_registry_before_its_failover_was_let_is_found)
{
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    activate(OP_REALM_P); /* Of the portal: the registry waits on. */
    ping(ST_OK);
    signed_log_attest(&made);
    expect_tampered(5, "nobody had let");
}
END_TEST

START_TEST(a_node_outside_its_term_does_nothing_for_the_system)
{
    struct op_journal_noise noise = {.from = 1, .to = 2};

    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    signed_log_add(&made, &first, OPCODE_JOURNAL_NOISE, 0, &noise, ST_OK);
    signed_log_attest(&made);
    expect_tampered(4, "duty that does not allow it");
    /* What it attests is no attestation. */
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    made.node = first;
    signed_log_attest(&made);
    judge();
    ck_assert(!report.fault.found);
    ck_assert_uint_eq(report.attestations, 0);
}
END_TEST

START_TEST(a_retired_node_is_out_and_the_primary_is_not_retired)
{
    struct op_node_retire retire = {.node_id = {{2}}, .note = slice_of("n", 1)};

    setup();
    enrol(1, true, ST_OK);
    signed_log_add(&made, &made.owner, OPCODE_NODE_RETIRE, TEST_DUTY_ADM,
                   &retire, ST_OK);
    begin_epoch(&second);
    signed_log_attest(&made);
    expect_tampered(4, "key that was not active");
    setup();
    enrol(1, true, ST_OK);
    begin_epoch(&second);
    signed_log_add(&made, &made.owner, OPCODE_NODE_RETIRE, TEST_DUTY_ADM,
                   &retire, ST_OK);
    signed_log_attest(&made);
    expect_tampered(4, "retires the primary");
}
END_TEST

SUITE_MAIN("nodes", an_enrolled_node_takes_over_and_attests,
           a_node_may_take_over_before_its_enrolment_was_attested,
           a_term_of_a_node_that_nobody_enrolled_is_found,
           a_node_enrolled_without_its_proof_is_found,
           a_cosigners_key_that_is_enrolled_twice_is_found,
           an_archive_that_begins_a_term_is_found,
           work_in_the_registry_before_its_failover_was_let_is_found,
           a_node_outside_its_term_does_nothing_for_the_system,
           a_retired_node_is_out_and_the_primary_is_not_retired,
           a_term_that_was_refused_counts_for_nothing,
           a_primary_whose_next_term_was_refused_is_primary_still,
           a_new_primary_attests_first_what_the_old_one_left,
           a_term_that_nobody_attested_is_claimed_and_never_good)
