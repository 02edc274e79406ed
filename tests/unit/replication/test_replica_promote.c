/*
 * Becoming primary: who tries, and in which order (R20, R22, R23, R26).
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a;

/* ${self} with ${size} entries of log_a; A and ${members} are in sync. */
static void begin(char self, const char *members, uint8_t minimum, size_t size)
{
    lone_begin(&rig, self, "ABZ");
    memset(&log_a, 0, sizeof log_a);
    rig_log_add(&log_a, size, 1, 0);
    lone_backup(&rig, members, minimum, &log_a);
}

/* ---- R26 ----------------------------------------------------------------- */

START_TEST(R26_silence_alone_makes_no_primary)
{
    begin('B', "B", 2, 3);
    lone_silence(&rig, 30000);
    ck_assert_uint_eq(rig.asked_count, 0); /* Nobody knows whether A lives. */
    lone_alive(&rig, 'A', true);
    lone_silence(&rig, 30000);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 200);
    ck_assert(lone_did(&rig, "ask promote 5 epoch 2 at 5 guard B=1 unless A "
                             "lives\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R26_a_primary_that_is_heard_is_not_replaced)
{
    struct peer_frame frame = {.type = PEER_BEACON};

    begin('B', "B", 2, 3);
    lone_greet(&rig, 'A', &log_a, 3);
    lone_alive(&rig, 'A', false); /* Only the register lost sight of it. */
    frame.beacon.epoch = 1;
    for (size_t i = 0; i < 60; i++) {
        lone_receive(&rig, 'A', &frame);
        lone_silence(&rig, 500);
    }
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R26_after_a_try_the_register_is_read_before_the_next)
{
    begin('B', "B", 2, 3);
    lone_alive(&rig, 'A', false);
    lone_pass(&rig, 5900);
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_pass(&rig, 300);
    ck_assert_uint_eq(rig.asked_count, 1);
    lone_answer(&rig, REGISTER_REJECTED);
    lone_forget(&rig);
    lone_pass(&rig, 5000);
    ck_assert_uint_ge(lone_count(&rig, "ask read\n"), 1);
    ck_assert_uint_eq(rig.asked_count, 1);
    lone_see(&rig);
    lone_pass(&rig, 100);
    ck_assert_uint_eq(rig.asked_count, 2);
    lone_end(&rig);
}
END_TEST

START_TEST(R26_whose_sign_of_life_went_with_its_link_is_followed_sooner)
{
    begin('B', "B", 2, 3);
    lone_greet(&rig, 'A', &log_a, 3);
    lone_alive(&rig, 'A', true);
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 5000); /* A restart of the register, perhaps. */
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_unlink(&rig, 'A');
    lone_silence(&rig, 200);
    ck_assert_uint_eq(rig.asked_count, 1);
    ck_assert(lone_did(&rig, "ask promote 5 epoch 2 at 5 guard B=1 unless A "
                             "lives\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R26_who_came_back_is_waited_for_in_full)
{
    begin('B', "B", 2, 3);
    lone_alive(&rig, 'A', true);
    lone_alive(&rig, 'A', false);
    lone_alive(&rig, 'A', true);
    lone_pass(&rig, 5900);
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R26_who_is_no_member_lets_members_go_first)
{
    begin('B', "Z", 2, 3);
    lone_alive(&rig, 'A', false);
    lone_greet(&rig, 'Z', &log_a, 3);
    lone_silence(&rig, 11000);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_silence(&rig, 2000);
    ck_assert(
        lone_did(&rig, "ask promote via 5 epoch 2 at 5 unless A lives\n"));
    lone_end(&rig);
}
END_TEST

/* ${peer} is linked and says that a newer configuration stands. */
static void claims_newer(char peer)
{
    struct peer_frame hello;

    lone_greet(&rig, peer, &log_a, log_a.size);
    lone_hello(&rig, &hello, &log_a, log_a.size);
    hello.hello.config_number = 900;
    if (peer == 'Z')
        hello.hello.flags = PEER_ARCHIVE;
    lone_receive(&rig, peer, &hello);
}

START_TEST(a_register_that_was_put_back_is_led_by_nobody_whom_members_tell)
{
    begin('B', "BZ", 2, 3);
    claims_newer('Z');
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 20000);
    ck_assert_uint_eq(lone_count(&rig, "ask promote"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(who_is_no_member_keeps_nobody_from_leading_by_saying_so)
{
    begin('B', "B", 2, 3);
    claims_newer('Z');
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 20000);
    ck_assert_uint_eq(lone_count(&rig, "ask promote"), 1);
    lone_end(&rig);
}
END_TEST

START_TEST(R20_who_is_no_member_and_hears_none_does_not_try)
{
    begin('B', "Z", 2, 3);
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 60000);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(an_archive_never_tries_to_lead)
{
    begin('Z', "Z", 2, 3);
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 60000);
    ck_assert_uint_eq(rig.asked_count, 0);
    memcpy(rig.config.primary, sample_node('Z'), NODE_ID_SIZE);
    rig.config.number = 9;
    rig.revision++;
    lone_see(&rig); /* Even if the register says so. */
    lone_work(&rig);
    lone_silence(&rig, 60000);
    ck_assert(!rig.leads);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

/* ---- R20 ----------------------------------------------------------------- */

static void promote(void)
{
    lone_alive(&rig, 'A', false);
    lone_silence(&rig, 6500);
    ck_assert_uint_eq(rig.asked_count, 1);
}

START_TEST(R20_the_register_comes_first_then_the_promise_then_the_members)
{
    begin('B', "B", 2, 3);
    lone_greet(&rig, 'Z', NULL, 0);
    promote();
    ck_assert_uint_eq(lone_count(&rig, "send Z NEWEPOCH"), 0);
    ck_assert_uint_eq(rig.meta.value.promised_epoch, 1);
    lone_forget(&rig);
    lone_win(&rig);
    lone_expect(&rig, "job configure 5\nsend Z CONFIG number 5\n");
    lone_jobs(&rig, 1);
    ck_assert_uint_eq(rig.meta.value.promised_epoch, 2);
    ck_assert(lone_did(&rig, "job use 2\n"));
    ck_assert(lone_did(&rig, "send Z NEWEPOCH epoch 2\n"));
    ck_assert(!rig.leads);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "lead epoch 2 at 3\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R20_a_member_keeps_the_silent_primary_in_the_set)
{
    struct config config;

    begin('B', "B", 2, 3);
    promote();
    config = lone_proposed(&rig);
    ck_assert_int_eq(config.phase, CONFIG_NORMAL);
    ck_assert(config_has_member(&config, sample_node('A')));
    lone_win_lead(&rig);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 0); /* A is silent. */
    lone_end(&rig);
}
END_TEST

START_TEST(R20_with_a_minimum_of_one_a_member_begins_alone)
{
    struct config config;

    begin('B', "B", 1, 3);
    promote();
    config = lone_proposed(&rig);
    ck_assert_uint_eq(config.members_count, 1);
    ck_assert(config_has_learner(&config, sample_node('A')));
    lone_win_lead(&rig);
    lone_submit(&rig, 1);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 4);
    lone_end(&rig);
}
END_TEST

START_TEST(R22_before_the_barrier_a_silent_member_is_replaced_by_who_has_all)
{
    begin('B', "B", 2, 3);
    promote();
    lone_win_lead(&rig);
    lone_submit(&rig, 1);
    lone_work(&rig);
    lone_greet(&rig, 'Z', NULL, 0);
    lone_ack(&rig, 'Z', 3); /* Without EPOCH. */
    lone_forget(&rig);
    for (int i = 0; i < 50; i++) {
        struct peer_frame frame = {.type = PEER_BEACON_OK};

        frame.beacon_ok.epoch = 2;
        lone_receive(&rig, 'Z', &frame);
        lone_tick(&rig, 100);
    }
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_unlink(&rig, 'Z');
    lone_greet(&rig, 'Z', NULL, 0);
    lone_ack_all(&rig, 'Z');
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask replace 6 epoch 2 at 6 guard Z=1\n"));
    lone_win(&rig);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 4);
    ck_assert_int_eq(lone_role(&rig), REPLICA_PRIMARY);
    lone_end(&rig);
}
END_TEST

START_TEST(R20_a_proposal_that_was_lost_makes_nobody_primary)
{
    struct config other;

    begin('B', "B", 2, 3);
    promote();
    other = rig.config; /* A came back and was faster. */
    other.number = 5;
    other.epoch = 9;
    other.why = CONFIG_RESTART;
    {
        uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];

        config_encode(bytes, &rig.config);
        config_hash(other.previous, slice_of(bytes, config_size(&rig.config)));
    }
    rig.config = other;
    rig.revision++;
    lone_answer(&rig, REGISTER_LOST);
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    ck_assert_uint_eq(rig.meta.value.promised_epoch, 9);
    lone_pass(&rig, 3000);
    ck_assert(!rig.leads);
    lone_end(&rig);
}
END_TEST

START_TEST(R20_a_guard_that_failed_is_no_reason_to_lead)
{
    begin('B', "B", 2, 3);
    promote();
    lone_forget(&rig);
    lone_answer(&rig, REGISTER_REJECTED); /* A lives after all. */
    lone_expect(&rig, "");
    ck_assert_uint_eq(lone_status(&rig).proposals, 0);
    lone_pass(&rig, 500);
    ck_assert_uint_eq(rig.asked_count, 1);
    lone_end(&rig);
}
END_TEST

/* ---- R23 ----------------------------------------------------------------- */

static void rot(uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(rig.journal, file, &offset, index), ST_OK);
    disk_model_rot(rig.model, file, offset + 100, 3);
}

START_TEST(R23_a_tail_that_rotted_is_not_built_upon)
{
    begin('B', "B", 1, 5);
    promote();
    rot(3);
    lone_win(&rig);
    for (int i = 0; i < 40; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    ck_assert(!rig.leads);
    ck_assert(lone_did(&rig, "say rot 3\n"));
    ck_assert(lone_did(&rig, "job examine 3\n"));
    ck_assert_int_eq(lone_role(&rig), REPLICA_CANDIDATE);
    lone_end(&rig);
}
END_TEST

static void give(char peer, const struct rig_log *log, uint64_t first,
                 uint64_t end)
{
    static uint8_t bytes[PEER_ENTRIES_SIZE_MAX];
    struct peer_frame asked, frame = {.type = PEER_FETCHED};
    struct writer entries;

    ck_assert(lone_sent(&rig, &asked, peer, PEER_FETCH));
    writer_init(&entries, bytes, sizeof bytes);
    rig_log_entries(log, &entries, first, end);
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = first;
    frame.fetched.result = PEER_FETCH_ENTRIES;
    frame.entries = writer_slice(&entries);
    lone_receive(&rig, peer, &frame);
}

START_TEST(R23_a_rotten_tail_is_repaired_by_its_hash_from_anybody)
{
    begin('B', "B", 1, 5);
    promote();
    rot(3);
    lone_greet(&rig, 'Z', NULL, 0);
    lone_win(&rig);
    for (int i = 0; i < 40 && !lone_did(&rig, "send Z FETCH"); i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    give('Z', &log_a, 3, 4);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say repaired 3\n"));
    lone_tick(&rig, 100);
    lone_work(&rig);
    ck_assert(rig.leads);
    ck_assert(rig_log_equals(&log_a, rig.journal, 5));
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_promote", R26_silence_alone_makes_no_primary,
           R26_a_primary_that_is_heard_is_not_replaced,
           R26_after_a_try_the_register_is_read_before_the_next,
           R26_whose_sign_of_life_went_with_its_link_is_followed_sooner,
           R26_who_came_back_is_waited_for_in_full,
           R26_who_is_no_member_lets_members_go_first,
           a_register_that_was_put_back_is_led_by_nobody_whom_members_tell,
           who_is_no_member_keeps_nobody_from_leading_by_saying_so,
           R20_who_is_no_member_and_hears_none_does_not_try,
           an_archive_never_tries_to_lead,
           R20_the_register_comes_first_then_the_promise_then_the_members,
           R20_a_member_keeps_the_silent_primary_in_the_set,
           R20_with_a_minimum_of_one_a_member_begins_alone,
           R22_before_the_barrier_a_silent_member_is_replaced_by_who_has_all,
           R20_a_proposal_that_was_lost_makes_nobody_primary,
           R20_a_guard_that_failed_is_no_reason_to_lead,
           R23_a_tail_that_rotted_is_not_built_upon,
           R23_a_rotten_tail_is_repaired_by_its_hash_from_anybody)
