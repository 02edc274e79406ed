/*
 * What a node asks the register, and what it makes of the answers (R17 to R19,
 * R25).
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;

/* A alone with a minimum of 1; B is caught up, and its ADD is proposed. */
static void begin_adding(void)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask add 2 epoch 1 at 1 guard B=1\n"));
    lone_forget(&rig);
}

static void heard(char peer)
{
    struct peer_frame frame = {.type = PEER_BEACON_OK};

    frame.beacon_ok.epoch = rig.epoch;
    frame.beacon_ok.time = rig.wall_us;
    lone_receive(&rig, peer, &frame);
}

static void pass(int64_t ms, const char *peers)
{
    for (int64_t at = 0; at < ms; at += 100) {
        for (const char *peer = peers; *peer != '\0'; peer++)
            heard(*peer);
        lone_tick(&rig, 100);
        lone_work(&rig);
    }
}

/* ---- R17 ----------------------------------------------------------------- */

START_TEST(R17_a_proposal_without_an_answer_is_asked_again_byte_for_byte)
{
    struct register_proposal first;

    begin_adding();
    first = rig.asked;
    lone_answer(&rig, REGISTER_UNKNOWN);
    for (size_t i = 0; i < 5; i++) {
        lone_forget(&rig);
        pass(700, "B");
        ck_assert_uint_eq(
            lone_count(&rig, "ask add 2 epoch 1 at 1 guard B=1\n"), 1);
        ck_assert_uint_eq(lone_count(&rig, "ask"), 1);
        ck_assert_mem_eq(&rig.asked, &first, sizeof first);
        lone_answer(&rig, REGISTER_UNKNOWN);
    }
    lone_end(&rig);
}
END_TEST

START_TEST(R17_while_an_answer_is_due_nothing_else_is_asked)
{
    begin_adding();
    pass(60000, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_both_sets_must_agree_while_the_fate_is_unknown)
{
    begin_adding();
    lone_answer(&rig, REGISTER_UNKNOWN);
    lone_submit(&rig, 2);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_a_rejection_settles_nothing_and_is_superseded_on_its_revision)
{
    struct config config;

    begin_adding();
    lone_answer(&rig, REGISTER_REJECTED);
    lone_expect(&rig, "ask settle 2 epoch 1 at 1\n");
    config = lone_proposed(&rig);
    ck_assert_uint_eq(config.members_count, 1);
    lone_submit(&rig, 2);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1); /* An older copy of it may yet win. */
    lone_win(&rig);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_a_rejected_proposal_that_was_carried_out_late_stands)
{
    struct config added;

    begin_adding();
    added = lone_proposed(&rig);
    lone_answer(&rig, REGISTER_REJECTED);
    rig.config = added; /* The first copy was on its way. */
    rig.revision++;
    lone_answer(&rig, REGISTER_LOST); /* Of the one that settles. */
    lone_work(&rig);
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    lone_submit(&rig, 2);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 1);
    lone_ack_all(&rig, 'B');
    ck_assert_uint_eq(rig.published, 3);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_a_superseding_proposal_that_is_rejected_too_asks_no_end)
{
    begin_adding();
    for (size_t i = 0; i < 12; i++)
        lone_answer(&rig, REGISTER_REJECTED);
    ck_assert_uint_le(lone_count(&rig, "ask settle"),
                      REPLICA_PROPOSALS_MAX - 1);
    ck_assert_uint_le(lone_status(&rig).proposals, REPLICA_PROPOSALS_MAX);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_what_was_refused_is_not_asked_again_at_once)
{
    begin_adding();
    lone_answer(&rig, REGISTER_REJECTED);
    lone_win(&rig);
    lone_work(&rig);
    lone_forget(&rig);
    pass(2500, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    pass(1000, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask add 3"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_an_answer_that_is_seen_in_the_register_counts_as_one)
{
    struct config config;

    begin_adding();
    lone_answer(&rig, REGISTER_UNKNOWN);
    config = lone_proposed(&rig);
    lone_view(&rig, &config);
    lone_work(&rig);
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    ck_assert_uint_eq(lone_status(&rig).proposals, 0);
    lone_answer(&rig, REGISTER_WON); /* Comes at last. */
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    pass(2000, "B");
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_an_older_view_says_nothing)
{
    struct config boot;

    begin_adding();
    boot = rig.config;
    lone_win(&rig);
    lone_work(&rig);
    lone_forget(&rig);
    rig.config = boot;
    rig.revision = 1;
    lone_see(&rig);
    lone_expect(&rig, "");
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_a_proposal_on_a_revision_that_is_gone_is_over_without_news)
{
    begin_adding();
    rig.revision++; /* What stands there is known already. */
    lone_answer(&rig, REGISTER_LOST);
    ck_assert_uint_eq(lone_status(&rig).proposals, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R17_an_answer_that_shows_an_older_revision_settles_nothing)
{
    begin_adding();
    lone_answer(&rig, REGISTER_LOST); /* At the revision that was asked. */
    ck_assert_uint_eq(lone_status(&rig).proposals, 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R20_nobody_proposes_on_a_reading_that_is_older_than_what_is_known)
{
    struct rig_log log = {.size = 0};
    struct config now;

    lone_begin(&rig, 'B', "ABZ");
    rig_log_add(&log, 3, 1, 0);
    lone_backup(&rig, "B", 1, &log);
    now = rig.config;
    lone_stop(&rig);
    rig.config.number = 2;
    rig.revision = 2;
    lone_start(&rig);
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 20000);
    ck_assert_uint_eq(lone_count(&rig, "ask promote"), 0);
    rig.config = now;
    rig.revision = 5;
    lone_see(&rig);
    lone_silence(&rig, 20000);
    ck_assert_uint_eq(lone_count(&rig, "ask promote"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(a_register_that_went_back_is_told_and_changes_nothing)
{
    struct config boot;

    begin_adding();
    boot = rig.config;
    lone_win(&rig);
    lone_work(&rig);
    lone_forget(&rig);
    lone_view(&rig, &boot); /* An old value at a new revision. */
    lone_expect(&rig, "say register 3\n");
    ck_assert_uint_eq(lone_status(&rig).config_number, 2);
    rig.config.number = 0;
    lone_see(&rig); /* Nothing at all. */
    ck_assert(lone_did(&rig, "say register"));
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    lone_end(&rig);
}
END_TEST

/* ---- R18, R19 ------------------------------------------------------------ */

START_TEST(R18_every_start_of_a_primary_takes_an_epoch_of_its_own)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    for (uint32_t start = 2; start < 6; start++) {
        char text[64];

        lone_lose_power(&rig);
        lone_start(&rig);
        lone_forget(&rig);
        lone_tick(&rig, 100);
        snprintf(text, sizeof text, "ask restart %u epoch %u at %u guard A=%u",
                 (unsigned)start, (unsigned)start, (unsigned)start - 1,
                 (unsigned)start);
        ck_assert_msg(lone_did(&rig, text), "%s", rig.trace);
        lone_pass(&rig, 5000); /* And does nothing before it is won. */
        ck_assert(!rig.leads);
        lone_win_lead(&rig);
        ck_assert_uint_eq(rig.epoch, start);
        lone_submit(&rig, 1);
        lone_work(&rig);
        ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    }
    lone_end(&rig);
}
END_TEST

START_TEST(R18_a_value_that_an_earlier_start_won_is_led_by_nobody)
{
    struct config config;

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_tick(&rig, 100);
    config = lone_proposed(&rig);
    ck_assert_int_eq(config.why, CONFIG_RESTART);
    /* Won, and this start ends before it hears of that. */
    rig.config = config;
    rig.revision++;
    lone_lose_power(&rig);
    lone_forget(&rig);
    lone_start(&rig);
    lone_pass(&rig, 200);
    lone_work(&rig);
    ck_assert(!rig.leads);
    ck_assert(lone_did(&rig, "ask restart 3 epoch 3 at 2 guard A=3\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R19_an_epoch_is_above_every_one_that_was_heard_of)
{
    struct peer_frame hello;

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.promised = 17;
    lone_receive(&rig, 'B', &hello);
    lone_forget(&rig);
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask restart 2 epoch 18 at 1 guard A=2\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R19_an_epoch_that_nobody_can_have_reached_is_not_believed)
{
    struct peer_frame hello;

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    hello.hello.promised = UINT32_MAX;
    lone_receive(&rig, 'B', &hello);
    ck_assert(lone_did(&rig, "drop B\n"));
    lone_forget(&rig);
    lone_pass(&rig, 10000);
    ck_assert(lone_did(&rig, "ask restart 2 epoch 2 at 1 guard A=2\n"));
    lone_end(&rig);
}
END_TEST

/* ---- R24 ----------------------------------------------------------------- */

static void refused_higher(char from, uint32_t promised)
{
    struct peer_frame frame = {.type = PEER_REFUSED};

    frame.refused.reason = PEER_REFUSED_HIGHER;
    frame.refused.epoch = rig.epoch;
    frame.refused.promised = promised;
    lone_receive(&rig, from, &frame);
}

START_TEST(R24_a_primary_that_hears_of_a_higher_promise_steps_down_at_once)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    lone_submit(&rig, 1);
    lone_work(&rig);
    refused_higher('B', 1); /* Not higher. */
    ck_assert(rig.leads);
    refused_higher('B', 4);
    ck_assert(lone_did(&rig, "say member\n"));
    ck_assert_uint_eq(lone_count(&rig, "follow\n"), 1);
    ck_assert_uint_eq(lone_count(&rig, "ask read\n"), 1);
    lone_ack_all(&rig, 'B'); /* Too late. */
    lone_see(&rig); /* It is still named: an epoch above the one heard of. */
    pass(3000, "");
    ck_assert(lone_did(&rig, "ask restart 3 epoch 5 at 2 guard A=1\n"));
    ck_assert_uint_eq(rig.published, 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R24_a_frame_of_a_higher_epoch_ends_a_term_too)
{
    struct peer_frame frame = {.type = PEER_NEWEPOCH};

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    frame.newepoch.epoch = 3;
    lone_receive(&rig, 'B', &frame);
    lone_expect(&rig, "say member\nfollow\njob promise 3\n");
    lone_work(&rig);
    lone_expect(&rig, "send B SEALED epoch 3 size 1 committed 1\n");
    lone_end(&rig);
}
END_TEST

START_TEST(a_configuration_that_names_another_ends_a_term)
{
    struct config config;
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    config_encode(bytes, &rig.config);
    config_succeed(&config, &rig.config,
                   slice_of(bytes, config_size(&rig.config)), CONFIG_PROMOTE);
    config.epoch = 2;
    memcpy(config.primary, sample_node('B'), NODE_ID_SIZE);
    lone_view(&rig, &config);
    ck_assert(lone_did(&rig, "follow\n"));
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    ck_assert_uint_eq(rig.meta.value.promised_epoch, 2);
    lone_end(&rig);
}
END_TEST

/* ---- R25 ----------------------------------------------------------------- */

START_TEST(R25_who_is_not_registered_yet_takes_no_part)
{
    struct peer_frame frame = {.type = PEER_NEWEPOCH};

    lone_begin(&rig, 'B', "ABZ");
    lone_open(&rig);
    lone_link(&rig, 'A');
    lone_tick(&rig, 1);
    lone_expect(&rig, "ask look\n");
    lone_looked(&rig, 0);
    lone_expect(&rig, "job claim 1\nask incarnation 1\n");
    lone_hello(&rig, &frame, NULL, 0);
    lone_receive(&rig, 'A', &frame);
    frame = (struct peer_frame){.type = PEER_NEWEPOCH};
    frame.newepoch.epoch = 5;
    lone_receive(&rig, 'A', &frame);
    lone_expect(&rig, "");
    lone_pass(&rig, 7000); /* Asked again. */
    lone_expect(&rig, "ask incarnation 1\n");
    lone_registered(&rig);
    lone_expect(&rig, "say learner\n"
                      "send A HELLO incarnation 1 promised 0 size 0 committed "
                      "0\n"
                      "ask read\n");
    lone_end(&rig);
}
END_TEST

START_TEST(R25_every_start_has_an_incarnation_of_its_own)
{
    lone_begin(&rig, 'B', "ABZ");
    for (unsigned start = 1; start < 5; start++) {
        char text[32];

        lone_start(&rig);
        snprintf(text, sizeof text, "ask incarnation %u\n", start);
        ck_assert(lone_did(&rig, text));
        lone_lose_power(&rig);
        lone_forget(&rig);
    }
    lone_end(&rig);
}
END_TEST

static void registered_higher(uint64_t number)
{
    struct replica_event event = {.type = REPLICA_REGISTERED};

    event.registered.higher = true;
    event.registered.number = number;
    lone_event(&rig, &event);
}

START_TEST(C6_a_disk_that_was_put_back_rises_above_the_start_that_is_known)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_open(&rig);
    lone_tick(&rig, 1);
    lone_looked(&rig, 0);
    lone_forget(&rig);
    registered_higher(30);
    lone_expect(&rig, "say lost 18446744073709551615\njob lost\njob rise 31\n");
    lone_work(&rig);
    lone_tick(&rig, 1);
    lone_expect(&rig, "ask look\n");
    lone_looked(&rig, 30);
    lone_expect(&rig, "job claim 31\nask incarnation 31\n");
    lone_registered(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    lone_lose_power(&rig);
    lone_start(&rig);
    ck_assert(lone_did(&rig, "ask incarnation 32\n"));
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    lone_end(&rig);
}
END_TEST

/* What the register holds was of starts that this copy of the disk never had,
 * though it has counted as many since. */
START_TEST(C6_a_start_in_between_does_not_hide_another_life_of_the_disk)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_start(&rig);
    lone_lose_power(&rig);
    lone_open(&rig); /* The register is not reached. */
    lone_tick(&rig, 1);
    lone_lose_power(&rig);
    lone_open(&rig);
    lone_tick(&rig, 1);
    lone_forget(&rig);
    lone_looked(&rig, 2);
    lone_expect(&rig, "say lost 18446744073709551615\njob lost\n"
                      "job claim 3\nask incarnation 3\n");
    lone_registered(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    lone_end(&rig);
}
END_TEST

START_TEST(C6_a_start_that_may_have_been_registered_is_its_own)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_start(&rig);
    lone_lose_power(&rig);
    lone_open(&rig);
    lone_tick(&rig, 1);
    lone_looked(&rig, 1); /* The answer to what it asks then is lost. */
    lone_lose_power(&rig);
    lone_open(&rig);
    lone_tick(&rig, 1);
    lone_looked(&rig, 2);
    lone_registered(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LEARNER);
    lone_end(&rig);
}
END_TEST

START_TEST(C6_a_start_without_a_next_one_is_not_risen_above)
{
    lone_begin(&rig, 'B', "ABZ");
    lone_open(&rig);
    lone_tick(&rig, 1);
    lone_looked(&rig, UINT64_MAX);
    registered_higher(UINT64_MAX);
    lone_work(&rig);
    lone_pass(&rig, 20000);
    ck_assert_int_ne(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_register",
           R17_a_proposal_without_an_answer_is_asked_again_byte_for_byte,
           R17_while_an_answer_is_due_nothing_else_is_asked,
           R17_both_sets_must_agree_while_the_fate_is_unknown,
           R17_a_rejection_settles_nothing_and_is_superseded_on_its_revision,
           R17_a_rejected_proposal_that_was_carried_out_late_stands,
           R17_a_superseding_proposal_that_is_rejected_too_asks_no_end,
           R17_what_was_refused_is_not_asked_again_at_once,
           R17_an_answer_that_is_seen_in_the_register_counts_as_one,
           R17_an_older_view_says_nothing,
           R17_a_proposal_on_a_revision_that_is_gone_is_over_without_news,
           R17_an_answer_that_shows_an_older_revision_settles_nothing,
           R20_nobody_proposes_on_a_reading_that_is_older_than_what_is_known,
           a_register_that_went_back_is_told_and_changes_nothing,
           R18_every_start_of_a_primary_takes_an_epoch_of_its_own,
           R18_a_value_that_an_earlier_start_won_is_led_by_nobody,
           R19_an_epoch_is_above_every_one_that_was_heard_of,
           R19_an_epoch_that_nobody_can_have_reached_is_not_believed,
           R24_a_primary_that_hears_of_a_higher_promise_steps_down_at_once,
           R24_a_frame_of_a_higher_epoch_ends_a_term_too,
           a_configuration_that_names_another_ends_a_term,
           R25_who_is_not_registered_yet_takes_no_part,
           R25_every_start_has_an_incarnation_of_its_own,
           C6_a_disk_that_was_put_back_rises_above_the_start_that_is_known,
           C6_a_start_in_between_does_not_hide_another_life_of_the_disk,
           C6_a_start_that_may_have_been_registered_is_its_own,
           C6_a_start_without_a_next_one_is_not_risen_above)
