/*
 * When a primary commits, and what it ships (R1 to R4, R15, R16, R22).
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;

/* A and B are in sync, one entry is committed. */
static void begin_pair(void)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    ck_assert_uint_eq(rig.published, 1);
}

static void begin_alone(uint8_t minimum)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, minimum);
    lone_forget(&rig);
}

static const struct replica_peer *peer(char letter)
{
    return &rig.replica->peers[lone_peer(&rig, letter)];
}

/* ---- The first start ----------------------------------------------------- */

START_TEST(the_first_node_writes_the_first_configuration_and_leads)
{
    struct config config;

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_expect(&rig, "ask look\n"
                      "job claim 1\n"
                      "ask incarnation 1\n"
                      "say learner\n"
                      "ask read\n"
                      "ask boot 1 epoch 1 at 0 guard A=1\n"
                      "job configure 1\n"
                      "say member\n"
                      "job use 1\n"
                      "say candidate\n"
                      "say barrier\n"
                      "say leads A 1\n"
                      "lead epoch 1 at 0\n"
                      "job append 1\n"
                      "say primary\n"
                      "commit 1\n");
    config = lone_proposed(&rig);
    ck_assert_int_eq(config_judge(&config, NULL, slice_of(NULL, 0)),
                     CONFIG_GOOD);
    ck_assert(config_is_eligible(&config, sample_node('B')));
    ck_assert(!config_is_eligible(&config, sample_node('Z')));
    ck_assert_uint_eq(rig.meta.value.used_epoch, 1);
    lone_end(&rig);
}
END_TEST

START_TEST(who_is_not_named_in_genesis_writes_no_first_configuration)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_start(&rig);
    lone_pass(&rig, 60000);
    ck_assert_uint_eq(rig.asked_count, 0);
    ck_assert(lone_did(&rig, "ask read\n"));
    lone_end(&rig);
}
END_TEST

/* ---- R1, R2 -------------------------------------------------------------- */

START_TEST(R1_who_does_not_lead_takes_no_entries_to_sequence)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_start(&rig);
    lone_forget(&rig);
    rig.epoch = 1;
    lone_submit(&rig, 2);
    lone_expect(&rig, "");
    lone_end(&rig);
}
END_TEST

START_TEST(R2_entries_go_to_the_disk_and_to_the_members_at_once)
{
    begin_pair();
    lone_greet(&rig, 'Z', NULL, 0);
    lone_ack_all(&rig, 'Z');
    lone_forget(&rig);
    lone_submit(&rig, 2);
    lone_expect(&rig, "job append 2\n"
                      "send B APPEND epoch 1 stream 1 after 1 entries 2 "
                      "committed 1\n");
    lone_submit(&rig, 1);
    lone_expect(&rig, "job append 1\n"
                      "send B APPEND epoch 1 stream 1 after 3 entries 1 "
                      "committed 1\n");
    lone_end(&rig);
}
END_TEST

START_TEST(an_archive_that_need_not_agree_gets_what_is_committed_alone)
{
    begin_pair();
    lone_greet(&rig, 'Z', NULL, 0);
    lone_ack_all(&rig, 'Z');
    lone_submit(&rig, 2);
    lone_work(&rig);
    ck_assert_uint_eq(peer('Z')->next, 1);
    lone_ack_all(&rig, 'B');
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 3);
    ck_assert_uint_eq(peer('Z')->next, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(a_window_of_frames_is_on_its_way_and_no_more)
{
    begin_pair();
    lone_work(&rig);
    for (size_t i = 0; i < REPLICA_WINDOW_FRAMES + 40; i++) {
        lone_submit(&rig, 1);
        lone_work(&rig);
    }
    ck_assert_uint_eq(lone_count(&rig, "send B APPEND "),
                      REPLICA_WINDOW_FRAMES);
    lone_forget(&rig);
    lone_tick(&rig, 1);
    ck_assert_uint_eq(lone_count(&rig, "send B APPEND "), 0);
    lone_end(&rig);
}
END_TEST

/* ---- R3 ------------------------------------------------------------------ */

START_TEST(R3_nothing_is_committed_before_all_members_have_it)
{
    begin_pair();
    lone_submit(&rig, 3);
    lone_work(&rig);
    ck_assert_uint_eq(lone_status(&rig).committed, 1);
    lone_ack(&rig, 'B', 3);
    ck_assert_uint_eq(lone_status(&rig).committed, 3);
    lone_ack(&rig, 'B', 4);
    ck_assert_uint_eq(lone_status(&rig).committed, 4);
    ck_assert_uint_eq(rig.published, 4);
    lone_end(&rig);
}
END_TEST

START_TEST(R3_the_own_disk_counts_and_what_is_written_is_not_durable)
{
    begin_pair();
    lone_submit(&rig, 3);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(lone_status(&rig).committed, 1);
    lone_work(&rig);
    ck_assert_uint_eq(lone_status(&rig).committed, 4);
    lone_end(&rig);
}
END_TEST

START_TEST(R3_fewer_members_than_the_minimum_commit_nothing)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 2);
    lone_submit(&rig, 3);
    lone_work(&rig);
    lone_pass(&rig, 20000);
    ck_assert_uint_eq(rig.published, 0);
    ck_assert(lone_status(&rig).stalled);
    ck_assert(lone_did(&rig, "say stalled 1\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R3_a_member_that_nobody_has_an_address_of_must_agree_all_the_same)
{
    struct config config;

    begin_alone(1);
    config_succeed(&config, &rig.config,
                   slice_of(rig.asked.value, rig.asked.value_size), CONFIG_ADD);
    config_admit(&config, sample_node('B'), 1);
    lone_end(&rig);

    lone_begin(&rig, 'A', "AZ");
    rig.config = config;
    rig.revision = 4;
    lone_start(&rig);
    lone_tick(&rig, 100);
    lone_win_lead(&rig);
    lone_submit(&rig, 2);
    lone_work(&rig);
    lone_pass(&rig, 10000);
    ck_assert_uint_eq(rig.published, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R4_the_commit_survives_a_restart)
{
    begin_alone(1);
    lone_submit(&rig, 3);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 4);
    lone_tick(&rig, 100); /* The mark follows the commit. */
    ck_assert(lone_did(&rig, "job mark 4\n"));
    lone_work(&rig);
    lone_lose_power(&rig);
    lone_open(&rig);
    lone_forget(&rig);
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "commit 4\n"));
    lone_end(&rig);
}
END_TEST

/* ---- R15 ----------------------------------------------------------------- */

START_TEST(R15_who_joins_must_agree_from_the_proposal_on)
{
    begin_alone(1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask add 2 epoch 1 at 1 guard B=1\n"));
    lone_submit(&rig, 2);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R15_the_proposal_is_guarded_by_the_incarnation_that_answered)
{
    struct peer_frame hello;

    begin_alone(1);
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.incarnation = 41;
    lone_receive(&rig, 'B', &hello);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask add 2 epoch 1 at 1 guard B=41\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R15_who_lacks_committed_entries_is_not_let_in)
{
    begin_alone(1);
    lone_submit(&rig, 5);
    lone_work(&rig);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack(&rig, 'B', 5);
    lone_pass(&rig, 1000);
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_ack(&rig, 'B', 6);
    lone_tick(&rig, 100);
    ck_assert_uint_eq(lone_count(&rig, "ask add 2"), 1);
    lone_end(&rig);
}
END_TEST

/* ---- R16 ----------------------------------------------------------------- */

static void appended(char from, uint32_t epoch, uint32_t stream, uint64_t size)
{
    struct peer_frame frame = {.type = PEER_APPENDED};

    frame.appended.epoch = epoch;
    frame.appended.stream = stream;
    frame.appended.size = size;
    if (size > 0)
        memcpy(frame.appended.leaf.b, rig.replica->log.end.leaf, HASH_SIZE);
    lone_receive(&rig, from, &frame);
}

START_TEST(R16_an_acknowledgement_of_another_epoch_or_stream_is_ignored)
{
    begin_pair();
    lone_submit(&rig, 2);
    lone_work(&rig);
    appended('B', 2, peer('B')->stream, 3);
    appended('B', 1, peer('B')->stream + 1, 3);
    ck_assert_uint_eq(rig.published, 1);
    ck_assert_uint_eq(lone_count(&rig, "drop"), 0);
    appended('B', 1, peer('B')->stream, 3);
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R16_another_start_of_a_member_has_acknowledged_nothing)
{
    struct peer_frame hello;

    begin_pair();
    lone_submit(&rig, 2);
    lone_ack_all(&rig, 'B'); /* The own disk is late. */
    ck_assert_uint_eq(peer('B')->matched, 3);
    lone_unlink(&rig, 'B');
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.incarnation = 2;
    lone_receive(&rig, 'B', &hello);
    ck_assert_uint_eq(peer('B')->matched, 0);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R16_the_same_start_keeps_what_it_acknowledged_over_a_new_link)
{
    begin_pair();
    lone_submit(&rig, 2);
    lone_ack_all(&rig, 'B');
    lone_unlink(&rig, 'B');
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(an_acknowledgement_of_more_than_was_sent_breaks_the_link)
{
    begin_pair();
    lone_submit(&rig, 2);
    lone_forget(&rig);
    appended('B', 1, peer('B')->stream, 4);
    ck_assert(lone_did(&rig, "drop B\n"));
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1);
    lone_end(&rig);
}
END_TEST

START_TEST(an_acknowledgement_with_another_leaf_breaks_the_link)
{
    begin_pair();
    lone_submit(&rig, 3);
    lone_work(&rig);
    lone_forget(&rig);
    appended('B', 1, peer('B')->stream, 3); /* The leaf of entry 3. */
    ck_assert(lone_did(&rig, "drop B\n"));
    ck_assert_uint_eq(rig.published, 1);
    lone_end(&rig);
}
END_TEST

/* ---- R22 ----------------------------------------------------------------- */

START_TEST(R22_the_first_advance_reaches_the_EPOCH_and_nothing_less)
{
    begin_pair();
    lone_submit(&rig, 3);
    lone_work(&rig);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask restart 3 epoch 2 at 2 guard A=2\n"));
    lone_win_lead(&rig);
    ck_assert(lone_did(&rig, "lead epoch 2 at 4\n"));
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack(&rig, 'B', 4); /* All that was inherited. */
    ck_assert_uint_le(rig.published, 1);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_uint_le(rig.published, 1);
    ck_assert_int_eq(lone_role(&rig), REPLICA_BARRIER);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 5);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    lone_end(&rig);
}
END_TEST

START_TEST(R22_before_the_barrier_nobody_is_told_of_a_commit)
{
    struct peer_frame frame;

    begin_pair();
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_tick(&rig, 100);
    lone_win_lead(&rig);
    lone_greet(&rig, 'B', NULL, 0);
    lone_tick(&rig, 1000);
    ck_assert(lone_sent(&rig, &frame, 'B', PEER_BEACON));
    ck_assert_uint_eq(frame.beacon.committed, 0);
    ck_assert(lone_sent(&rig, &frame, 'B', PEER_APPEND));
    ck_assert_uint_eq(frame.append.committed, 0);
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_commit",
           the_first_node_writes_the_first_configuration_and_leads,
           who_is_not_named_in_genesis_writes_no_first_configuration,
           R1_who_does_not_lead_takes_no_entries_to_sequence,
           R2_entries_go_to_the_disk_and_to_the_members_at_once,
           an_archive_that_need_not_agree_gets_what_is_committed_alone,
           a_window_of_frames_is_on_its_way_and_no_more,
           R3_nothing_is_committed_before_all_members_have_it,
           R3_the_own_disk_counts_and_what_is_written_is_not_durable,
           R3_fewer_members_than_the_minimum_commit_nothing,
           R3_a_member_that_nobody_has_an_address_of_must_agree_all_the_same,
           R4_the_commit_survives_a_restart,
           R15_who_joins_must_agree_from_the_proposal_on,
           R15_the_proposal_is_guarded_by_the_incarnation_that_answered,
           R15_who_lacks_committed_entries_is_not_let_in,
           R16_an_acknowledgement_of_another_epoch_or_stream_is_ignored,
           R16_another_start_of_a_member_has_acknowledged_nothing,
           R16_the_same_start_keeps_what_it_acknowledged_over_a_new_link,
           an_acknowledgement_of_more_than_was_sent_breaks_the_link,
           an_acknowledgement_with_another_leaf_breaks_the_link,
           R22_the_first_advance_reaches_the_EPOCH_and_nothing_less,
           R22_before_the_barrier_nobody_is_told_of_a_commit)
