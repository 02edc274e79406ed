/*
 * Who is in sync: dropping, replacing, letting in (R13, R14), and archives.
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;

static void begin_pair(void)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
}

/* With a minimum of 1. */
static void begin_loose_pair(void)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    lone_win(&rig);
    lone_work(&rig);
    lone_forget(&rig);
}

/* B says something, as a peer that lives. */
static void heard(char peer)
{
    struct peer_frame frame = {.type = PEER_BEACON_OK};

    frame.beacon_ok.epoch = rig.epoch;
    frame.beacon_ok.time = rig.wall_us;
    lone_receive(&rig, peer, &frame);
}

/* ${ms} pass, and ${peers} answer all the while. */
static void pass(int64_t ms, const char *peers)
{
    for (int64_t at = 0; at < ms; at += 100) {
        for (const char *peer = peers; *peer != '\0'; peer++)
            heard(*peer);
        lone_tick(&rig, 100);
        lone_work(&rig);
    }
}

static void archive_follows(void)
{
    lone_greet(&rig, 'Z', NULL, 0);
    lone_ack_all(&rig, 'Z');
}

/* ---- R13 ----------------------------------------------------------------- */

START_TEST(R13_a_silent_member_counts_until_the_register_let_it_go)
{
    struct config config;

    begin_loose_pair();
    lone_submit(&rig, 2);
    lone_work(&rig);
    pass(2500, "");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    pass(800, "");
    ck_assert_uint_eq(lone_count(&rig, "ask remove 3 epoch 1 at 2"), 1);
    pass(20000, "");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 1);
    ck_assert_uint_eq(rig.published, 1);
    config = lone_proposed(&rig);
    ck_assert(config_has_learner(&config, sample_node('B')));
    lone_win(&rig);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R13_a_member_that_answers_and_brings_nothing_to_the_disk_is_dropped)
{
    begin_loose_pair();
    lone_submit(&rig, 2);
    lone_work(&rig);
    pass(3500, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask remove"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R13_an_idle_member_has_its_time_for_the_next_entry)
{
    begin_loose_pair();
    pass(60000, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_submit(&rig, 1);
    lone_work(&rig);
    pass(500, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 2);
    lone_end(&rig);
}
END_TEST

START_TEST(R13_a_member_that_starts_anew_has_its_time_to_say_what_it_has)
{
    struct peer_frame hello;

    begin_loose_pair();
    pass(60000, "B");
    lone_unlink(&rig, 'B');
    pass(1000, "");
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.incarnation = 2;
    lone_receive(&rig, 'B', &hello);
    pass(500, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_ack_all(&rig, 'B');
    pass(10000, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R13_a_member_that_starts_again_and_again_does_not_hold_up_the_others)
{
    begin_loose_pair();
    pass(10000, "B");
    lone_submit(&rig, 1);
    lone_work(&rig);
    for (uint64_t start = 2; start < 7; start++) {
        struct peer_frame hello;

        lone_unlink(&rig, 'B');
        lone_link(&rig, 'B');
        lone_hello(&rig, &hello, NULL, 0);
        hello.hello.incarnation = start;
        lone_receive(&rig, 'B', &hello);
        pass(900, "B");
    }
    ck_assert_uint_eq(lone_count(&rig, "ask remove"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R13_a_member_whose_link_is_cut_a_moment_is_not_dropped)
{
    begin_loose_pair();
    pass(1000, "B");
    lone_unlink(&rig, 'B');
    pass(1000, "");
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    pass(10000, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(a_member_that_was_dropped_is_let_in_again_later_each_time)
{
    int64_t waited[3];

    begin_loose_pair();
    for (size_t i = 0; i < 3; i++) {
        int64_t since;

        lone_unlink(&rig, 'B');
        pass(3500, "");
        ck_assert(lone_did(&rig, "ask remove"));
        since = rig.now_ms;
        lone_win(&rig);
        lone_work(&rig);
        lone_greet(&rig, 'B', NULL, 0);
        lone_ack_all(&rig, 'B');
        lone_forget(&rig);
        while (!lone_did(&rig, "ask add") && rig.now_ms - since < 60000)
            pass(100, "B");
        waited[i] = rig.now_ms - since;
        lone_win(&rig);
        lone_work(&rig);
        pass(100, "B");
        lone_forget(&rig);
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_le(waited[i], INT64_C(3000) << i);
        ck_assert_int_gt(waited[i], (INT64_C(3000) << i) - 800);
    }
    lone_end(&rig);
}
END_TEST

/* ---- R14 ----------------------------------------------------------------- */

START_TEST(R13_a_greeting_that_is_refused_is_no_sign_of_life)
{
    struct peer_frame hello;

    begin_loose_pair();
    lone_submit(&rig, 1);
    lone_work(&rig);
    for (int i = 0; i < 3; i++) {
        lone_hello(&rig, &hello, NULL, 0);
        hello.hello.incarnation = 0; /* An older start than was seen. */
        lone_unlink(&rig, 'B');
        lone_link(&rig, 'B');
        lone_receive(&rig, 'B', &hello);
        pass(1500, "");
    }
    ck_assert_uint_eq(lone_count(&rig, "ask remove"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R13_a_member_that_lags_more_and_more_is_dropped)
{
    uint64_t size;

    begin_loose_pair();
    size = rig.replica->log.end.size;
    lone_submit(&rig, 8);
    lone_work(&rig);
    for (uint64_t i = 1; i < 5 && lone_count(&rig, "ask remove") == 0; i++) {
        pass(2900, "B");
        lone_ack(&rig, 'B', size + i);
    }
    ck_assert_uint_eq(lone_count(&rig, "ask remove"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R14_where_too_few_would_be_left_a_member_is_replaced)
{
    struct config config;

    begin_pair();
    archive_follows();
    lone_submit(&rig, 2);
    lone_work(&rig);
    pass(3500, "Z");
    ck_assert_uint_eq(
        lone_count(&rig, "ask replace 3 epoch 1 at 2 guard Z=1\n"), 1);
    ck_assert_uint_eq(lone_count(&rig, "ask"), 1);
    config = lone_proposed(&rig);
    ck_assert_uint_eq(config.members_count, 2);
    ck_assert(config_has_member(&config, sample_node('Z')));
    /* Both must agree until it is known who is in. */
    lone_ack_all(&rig, 'Z');
    ck_assert_uint_eq(rig.published, 1);
    lone_win(&rig);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R14_who_replaced_a_member_has_its_time_to_answer)
{
    begin_pair();
    archive_follows();
    lone_submit(&rig, 2);
    lone_work(&rig);
    pass(3500, "Z");
    lone_win(&rig);
    lone_work(&rig);
    lone_forget(&rig);
    /* Z has nothing of it yet. */
    pass(2500, "Z");
    ck_assert_uint_eq(lone_count(&rig, "say stalled"), 0);
    pass(1500, "Z");
    ck_assert_uint_eq(lone_count(&rig, "say stalled"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R14_without_another_node_it_stalls_and_drops_nobody)
{
    begin_pair();
    lone_submit(&rig, 2);
    lone_work(&rig);
    pass(60000, "");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    ck_assert_uint_eq(lone_count(&rig, "say stalled 2\n"), 1);
    ck_assert(lone_status(&rig).stalled);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    ck_assert_uint_eq(rig.published, 1); /* Which may be read. */
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    pass(200, "B");
    ck_assert_uint_eq(lone_count(&rig, "say resumed"), 1);
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R14_an_archive_that_lags_does_not_replace_until_it_has_everything)
{
    begin_pair();
    lone_greet(&rig, 'Z', NULL, 0);
    lone_submit(&rig, 2);
    lone_work(&rig);
    pass(4000, "Z");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    ck_assert(lone_status(&rig).stalled);
    lone_ack(&rig, 'Z', 1);
    pass(200, "Z");
    ck_assert_uint_eq(lone_count(&rig, "ask replace"), 1);
    /* From now on it gets what is not committed as well. */
    ck_assert_uint_eq(rig.replica->peers[lone_peer(&rig, 'Z')].next, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R14_a_damaged_node_replaces_nobody)
{
    struct peer_frame hello;

    begin_pair();
    lone_link(&rig, 'Z');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.flags = PEER_ARCHIVE | PEER_DAMAGED;
    lone_receive(&rig, 'Z', &hello);
    lone_ack_all(&rig, 'Z');
    pass(10000, "Z");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(an_archive_steps_back_once_it_is_not_needed)
{
    struct config config;

    begin_pair();
    archive_follows();
    pass(3500, "Z");
    lone_win(&rig); /* Z for B. */
    lone_work(&rig);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_forget(&rig);
    pass(10000, "BZ");
    ck_assert_uint_eq(lone_count(&rig, "ask add 4 epoch 1 at 3 guard B=1\n"),
                      1);
    lone_win(&rig);
    lone_work(&rig);
    pass(200, "BZ");
    ck_assert_uint_eq(lone_count(&rig, "ask remove 5 epoch 1 at 4\n"), 1);
    config = lone_proposed(&rig);
    ck_assert(config_has_learner(&config, sample_node('Z')));
    ck_assert(config_has_member(&config, sample_node('B')));
    lone_win(&rig);
    lone_work(&rig);
    pass(10000, "BZ");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 2);
    lone_end(&rig);
}
END_TEST

START_TEST(an_archive_is_not_let_in_where_enough_others_agree)
{
    begin_pair();
    archive_follows();
    pass(20000, "BZ");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

/* ---- Who lost ------------------------------------------------------------ */

/* B comes back in its start ${incarnation} without what it had. */
static void comes_back_lost(uint64_t incarnation)
{
    struct peer_frame hello;

    lone_unlink(&rig, 'B');
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.incarnation = incarnation;
    hello.hello.flags = PEER_LOST;
    lone_receive(&rig, 'B', &hello);
}

START_TEST(what_a_lost_member_has_again_counts_once_it_is_admitted_anew)
{
    struct config config;

    begin_pair();
    comes_back_lost(2);
    lone_submit(&rig, 2);
    lone_work(&rig);
    lone_forget(&rig);
    lone_tick(&rig, 100);
    lone_submit(&rig, 1);
    lone_work(&rig);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 1);
    pass(200, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask add 3 epoch 1 at 2 guard B=2\n"),
                      1);
    config = lone_proposed(&rig);
    ck_assert_uint_eq(config_member(&config, sample_node('B'))->incarnation, 2);
    lone_win(&rig);
    lone_work(&rig);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 4);
    lone_end(&rig);
}
END_TEST

START_TEST(a_lost_member_in_the_start_it_was_admitted_with_is_not_admitted_anew)
{
    begin_pair();
    comes_back_lost(1);
    lone_ack_all(&rig, 'B');
    pass(2000, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

static void archive_says(unsigned flags)
{
    struct peer_frame hello;

    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.flags = (uint16_t)(PEER_ARCHIVE | flags);
    lone_receive(&rig, 'Z', &hello);
}

START_TEST(a_lost_archive_stays_in_until_it_says_that_it_is_whole)
{
    begin_pair();
    lone_link(&rig, 'Z');
    archive_says(PEER_LOST);
    lone_ack_all(&rig, 'Z');
    pass(200, "BZ");
    ck_assert_uint_eq(lone_count(&rig, "ask add"), 1);
    lone_win(&rig);
    lone_work(&rig);
    pass(1000, "BZ"); /* Its disk is slow. */
    ck_assert_uint_eq(lone_count(&rig, "ask"), 1);
    archive_says(0);
    pass(200, "BZ");
    ck_assert_uint_eq(lone_count(&rig, "ask remove"), 1);
    lone_win(&rig);
    pass(20000, "BZ");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 2);
    lone_end(&rig);
}
END_TEST

START_TEST(an_archive_that_stays_lost_is_let_in_less_and_less_often)
{
    begin_pair();
    lone_link(&rig, 'Z');
    archive_says(PEER_LOST);
    lone_ack_all(&rig, 'Z');
    for (int i = 0; i < 400; i++) {
        pass(100, "BZ");
        if (rig.asked.revision == rig.revision)
            lone_win(&rig);
        lone_work(&rig);
        lone_ack_all(&rig, 'Z');
    }
    ck_assert_uint_ge(lone_count(&rig, "ask add"), 2);
    ck_assert_uint_le(lone_count(&rig, "ask add"), 6);
    lone_end(&rig);
}
END_TEST

/* ---- Clocks -------------------------------------------------------------- */

static int64_t clock_of(char peer)
{
    struct replica_status status;

    replica_status(rig.replica, &status, rig.now_ms);
    for (size_t i = 0; i < status.nodes_count; i++) {
        if (status.nodes[i].node_id[0] == (uint8_t)peer)
            return status.nodes[i].clock_us;
    }
    ck_abort_msg("%c is not in the status", peer);
}

START_TEST(a_peers_clock_is_told_beside_ours_as_it_is_now)
{
    const int64_t hours_us = INT64_C(7200000000);

    begin_pair();
    heard('B');
    lone_tick(&rig, 100);
    ck_assert_int_eq(clock_of('B'), 0);
    rig.wall_us += hours_us; /* It is set; B said nothing since. */
    lone_tick(&rig, 100);
    ck_assert_int_eq(clock_of('B'), -hours_us);
    heard('B'); /* Its own was set, too. */
    ck_assert_int_eq(clock_of('B'), 0);
    lone_end(&rig);
}
END_TEST

/* ---- Timers -------------------------------------------------------------- */

START_TEST(R28_who_serves_drops_a_member_before_that_one_tries_to_lead)
{
    ck_assert_uint_lt(replica_timers_lan.remove_ms,
                      replica_timers_lan.grace_ms);
    ck_assert_uint_lt(replica_timers_wan.remove_ms,
                      replica_timers_wan.grace_ms);
    ck_assert_uint_lt(2 * replica_timers_lan.beacon_ms,
                      replica_timers_lan.remove_ms);
    ck_assert_uint_lt(2 * replica_timers_wan.beacon_ms,
                      replica_timers_wan.remove_ms);
}
END_TEST

SUITE_MAIN("replica_members",
           R13_a_silent_member_counts_until_the_register_let_it_go,
           R13_a_member_that_answers_and_brings_nothing_to_the_disk_is_dropped,
           R13_an_idle_member_has_its_time_for_the_next_entry,
           R13_a_member_that_starts_anew_has_its_time_to_say_what_it_has,
           R13_a_member_that_starts_again_and_again_does_not_hold_up_the_others,
           R13_a_member_whose_link_is_cut_a_moment_is_not_dropped,
           a_member_that_was_dropped_is_let_in_again_later_each_time,
           R13_a_greeting_that_is_refused_is_no_sign_of_life,
           R13_a_member_that_lags_more_and_more_is_dropped,
           R14_where_too_few_would_be_left_a_member_is_replaced,
           R14_who_replaced_a_member_has_its_time_to_answer,
           R14_without_another_node_it_stalls_and_drops_nobody,
           R14_an_archive_that_lags_does_not_replace_until_it_has_everything,
           R14_a_damaged_node_replaces_nobody,
           an_archive_steps_back_once_it_is_not_needed,
           an_archive_is_not_let_in_where_enough_others_agree,
           a_lost_archive_stays_in_until_it_says_that_it_is_whole,
           an_archive_that_stays_lost_is_let_in_less_and_less_often,
           what_a_lost_member_has_again_counts_once_it_is_admitted_anew,
           a_lost_member_in_the_start_it_was_admitted_with_is_not_admitted_anew,
           a_peers_clock_is_told_beside_ours_as_it_is_now,
           R28_who_serves_drops_a_member_before_that_one_tries_to_lead)
