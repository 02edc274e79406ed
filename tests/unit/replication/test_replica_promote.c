/*
 * Becoming primary: who tries, what it wins, whose log it takes (R20 to R23,
 * R26), and handing over.
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a, log_z;

/* The configuration in which ${members} are in sync under A in epoch 1. */
static void configure(const char *members, uint8_t minimum)
{
    struct config *config = &rig.config;

    sample_config(config);
    config->minimum = minimum;
    config->why = CONFIG_ADD;
    config->number = 4;
    for (; *members != '\0'; members++)
        config_admit(config, sample_node(*members), 1);
    rig.revision = 5;
}

/* Node ${self} with ${size} entries of log_a; A and ${members} are in sync. */
static void begin(char self, const char *members, uint8_t minimum, size_t size)
{
    lone_begin(&rig, self, "ABZ");
    memset(&log_a, 0, sizeof log_a);
    memset(&log_z, 0, sizeof log_z);
    configure(members, minimum);
    lone_start(&rig);
    rig_log_add(&log_a, size, 1, 0);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append_in(&rig, 'A', &log_a, 1, 0, size, 0);
    lone_work(&rig);
    lone_unlink(&rig, 'A');
    lone_forget(&rig);
}

/* Silence until this node asks the register, which says the same as before. */
static void silence(int64_t ms)
{
    lone_pass(&rig, ms);
    lone_work(&rig);
    lone_see(&rig);
    lone_pass(&rig, 200);
}

/* ---- R26 ----------------------------------------------------------------- */

START_TEST(R26_silence_alone_makes_no_primary)
{
    begin('B', "B", 2, 3);
    silence(30000);
    ck_assert_uint_eq(rig.asked_count, 0); /* Nobody knows whether A lives. */
    lone_alive(&rig, 'A', true);
    silence(30000);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_alive(&rig, 'A', false);
    silence(200);
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
        silence(500);
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

START_TEST(R26_who_is_no_member_lets_members_go_first)
{
    begin('B', "Z", 2, 3);
    lone_alive(&rig, 'A', false);
    lone_greet(&rig, 'Z', &log_a, 3);
    silence(11000);
    ck_assert_uint_eq(rig.asked_count, 0);
    silence(2000);
    ck_assert(
        lone_did(&rig, "ask promote via 5 epoch 2 at 5 unless A lives\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R20_who_is_no_member_and_hears_none_does_not_try)
{
    begin('B', "Z", 2, 3);
    lone_alive(&rig, 'A', false);
    silence(60000);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(an_archive_never_tries_to_lead)
{
    begin('Z', "Z", 2, 3);
    lone_alive(&rig, 'A', false);
    silence(60000);
    ck_assert_uint_eq(rig.asked_count, 0);
    memcpy(rig.config.primary, sample_node('Z'), NODE_ID_SIZE);
    rig.config.number = 9;
    rig.revision++;
    lone_see(&rig); /* Even if the register says so. */
    lone_work(&rig);
    silence(60000);
    ck_assert(!rig.leads);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

/* ---- R20 ----------------------------------------------------------------- */

static void promote(void)
{
    lone_alive(&rig, 'A', false);
    silence(6500);
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
    lone_work(&rig);
    ck_assert_uint_eq(rig.meta.value.promised_epoch, 2);
    lone_pass(&rig, 3000);
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

/* ---- Taking over a member's log ------------------------------------------ */

static void sealed(char peer, uint32_t epoch, const struct rig_log *log,
                   uint64_t size)
{
    static uint8_t bytes[PEER_EPOCHS_MAX * 44];
    struct peer_frame frame = {.type = PEER_SEALED};
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    frame.sealed.epoch = epoch;
    frame.sealed.size = size;
    memcpy(frame.sealed.leaf.b, log->ends[size].leaf, HASH_SIZE);
    frame.sealed.epochs = rig_log_epochs(log, &space, size);
    lone_receive(&rig, peer, &frame);
}

/* B is a learner with ${own} entries of A's; Z has ${common} of them and
 * ${more} of its own, sealed in epoch 2. */
static void begin_recovering(size_t own, size_t common, size_t more)
{
    begin('B', "Z", 2, own);
    rig_log_copy(&log_z, &log_a, common);
    rig_log_add(&log_z, more, 1, common < own ? 5 : 0);
    lone_alive(&rig, 'A', false);
    lone_greet(&rig, 'Z', &log_z, log_z.size);
    silence(13000);
    lone_win(&rig);
    for (int i = 0; i < 40 && lone_role(&rig) != REPLICA_RECOVERING; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send Z NEWEPOCH epoch 2\n"));
    lone_forget(&rig);
}

START_TEST(R20_who_won_as_no_member_takes_over_a_sealed_members_log)
{
    struct config config;

    begin_recovering(3, 3, 4);
    sealed('Z', 2, &log_z, 7);
    ck_assert(lone_did(&rig, "send Z FETCH first 3 count 4\n"));
    give('Z', &log_z, 3, 3); /* Nothing came: it is asked again. */
    ck_assert_uint_eq(lone_count(&rig, "send Z FETCH first 3 count 4\n"), 2);
    give('Z', &log_z, 3, 5);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send Z FETCH first 5 count 2\n"));
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    give('Z', &log_z, 5, 7);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "ask adopted 6 epoch 2 at 6 guard Z=1\n"));
    ck_assert(!rig.leads);
    config = lone_proposed(&rig);
    ck_assert_int_eq(config.phase, CONFIG_NORMAL);
    ck_assert_uint_eq(config.members_count, 2);
    ck_assert(config_has_member(&config, sample_node('B')));
    ck_assert(config_has_member(&config, sample_node('Z')));
    lone_win_lead(&rig);
    ck_assert_uint_eq(rig.end.size, 7);
    ck_assert(rig_log_equals(&log_z, rig.journal, 7));
    lone_end(&rig);
}
END_TEST

START_TEST(R20_what_the_sealed_member_does_not_have_is_cut_off)
{
    begin_recovering(0, 0, 0);
    lone_end(&rig);
    begin('B', "Z", 2, 6);
    rig_log_copy(&log_z, &log_a, 4);
    lone_alive(&rig, 'A', false);
    lone_greet(&rig, 'Z', &log_z, 4);
    silence(13000);
    lone_win(&rig);
    for (int i = 0; i < 40 && lone_role(&rig) != REPLICA_RECOVERING; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    lone_work(&rig);
    sealed('Z', 2, &log_z, 4);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "job cut 4\n"));
    ck_assert(lone_did(&rig, "ask adopted 6"));
    ck_assert(rig_log_equals(&log_z, rig.journal, 4));
    lone_end(&rig);
}
END_TEST

START_TEST(R20_a_member_that_seals_less_than_is_committed_here_halts)
{
    begin_recovering(3, 2, 0);
    ck_assert_uint_eq(lone_status(&rig).committed, 0);
    lone_end(&rig);
    begin('B', "Z", 2, 3);
    lone_greet(&rig, 'A', &log_a, 3);
    lone_append(&rig, 'A', &log_a, 3, 3, 3);
    lone_unlink(&rig, 'A');
    lone_alive(&rig, 'A', false);
    rig_log_copy(&log_z, &log_a, 2);
    lone_greet(&rig, 'Z', &log_z, 2);
    silence(13000);
    lone_win(&rig);
    for (int i = 0; i < 40 && lone_role(&rig) != REPLICA_RECOVERING; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    lone_work(&rig);
    sealed('Z', 2, &log_z, 2);
    ck_assert(lone_did(&rig, "halt 1\n"));
    ck_assert(rig_log_equals(&log_a, rig.journal, 3));
    lone_end(&rig);
}
END_TEST

START_TEST(R20_entries_that_do_not_lead_to_the_sealed_leaf_are_not_adopted)
{
    begin_recovering(3, 3, 2);
    log_z.ends[5].leaf[0] ^= 1; /* What it says is not what it has. */
    sealed('Z', 2, &log_z, 5);
    give('Z', &log_z, 3, 5);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "drop Z\n"));
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R20_a_seal_of_another_epoch_or_of_no_member_counts_for_nothing)
{
    begin_recovering(3, 3, 2);
    sealed('Z', 1, &log_z, 5);
    sealed('Z', 3, &log_z, 5);
    ck_assert_uint_eq(lone_count(&rig, "send Z FETCH"), 0);
    lone_greet(&rig, 'A', &log_a, 3);
    sealed('A', 2, &log_z, 5);
    ck_assert(lone_did(&rig, "send A FETCH first 3 count 2\n")); /* A member. */
    lone_end(&rig);
}
END_TEST

START_TEST(R20_a_member_that_cannot_give_what_it_sealed_is_not_waited_for)
{
    struct peer_frame asked, frame = {.type = PEER_FETCHED};

    begin_recovering(3, 3, 2);
    sealed('Z', 2, &log_z, 5);
    ck_assert(lone_sent(&rig, &asked, 'Z', PEER_FETCH));
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = 3;
    frame.fetched.result = PEER_FETCH_UNSURE;
    lone_receive(&rig, 'Z', &frame);
    lone_forget(&rig);
    lone_pass(&rig, 1000);
    ck_assert(lone_did(&rig, "send Z NEWEPOCH epoch 2\n"));
    lone_end(&rig);
}
END_TEST

/* ---- Handing over -------------------------------------------------------- */

static void hand_over(char to)
{
    struct replica_event event = {.type = REPLICA_HAND_OVER};

    memcpy(event.node_id, sample_node(to), NODE_ID_SIZE);
    lone_event(&rig, &event);
}

static void drained(void)
{
    struct replica_event event = {.type = REPLICA_DRAINED};

    lone_event(&rig, &event);
}

START_TEST(a_hand_over_waits_until_everything_is_committed)
{
    struct config config;

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    lone_submit(&rig, 2);
    lone_work(&rig);
    hand_over('B');
    ck_assert(lone_did(&rig, "drain on\n"));
    drained();
    ck_assert_uint_eq(lone_count(&rig, "ask"), 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "ask switchover 3 epoch 2 at 2 guard B=1\n"));
    config = lone_proposed(&rig);
    ck_assert_mem_eq(config.primary, sample_node('B'), NODE_ID_SIZE);
    ck_assert_uint_eq(config.members_count, 2);
    lone_win(&rig);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "follow\n"));
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

START_TEST(a_hand_over_that_takes_too_long_is_given_up)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    hand_over('B');
    lone_pass(&rig, 11000); /* Nobody says that nothing is under way. */
    ck_assert_uint_eq(lone_count(&rig, "drain off\n"), 1);
    ck_assert(!lone_status(&rig).draining);
    ck_assert_uint_eq(lone_count(&rig, "ask switchover"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(nothing_is_handed_to_who_may_not_lead)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    lone_greet(&rig, 'Z', NULL, 0);
    lone_ack_all(&rig, 'Z');
    lone_forget(&rig);
    hand_over('Z'); /* An archive. */
    hand_over('A'); /* Itself. */
    hand_over('Q'); /* Nobody. */
    lone_expect(&rig, "");
    lone_unlink(&rig, 'B');
    hand_over('B'); /* Not there. */
    lone_expect(&rig, "");
    lone_end(&rig);
}
END_TEST

START_TEST(a_backup_that_is_asked_to_hand_over_does_nothing)
{
    begin('B', "B", 2, 3);
    hand_over('A');
    drained();
    lone_expect(&rig, "");
    lone_end(&rig);
}
END_TEST

START_TEST(who_is_handed_the_lead_leads_without_asking)
{
    struct config config;
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];

    begin('B', "B", 2, 3);
    config_encode(bytes, &rig.config);
    config_succeed(&config, &rig.config,
                   slice_of(bytes, config_size(&rig.config)),
                   CONFIG_SWITCHOVER);
    config.epoch = 2;
    memcpy(config.primary, sample_node('B'), NODE_ID_SIZE);
    lone_view(&rig, &config);
    for (int i = 0; i < 10 && !rig.leads; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    ck_assert(lone_did(&rig, "lead epoch 2 at 3\n"));
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_promote", R26_silence_alone_makes_no_primary,
           R26_a_primary_that_is_heard_is_not_replaced,
           R26_after_a_try_the_register_is_read_before_the_next,
           R26_who_is_no_member_lets_members_go_first,
           R20_who_is_no_member_and_hears_none_does_not_try,
           an_archive_never_tries_to_lead,
           R20_the_register_comes_first_then_the_promise_then_the_members,
           R20_a_member_keeps_the_silent_primary_in_the_set,
           R20_with_a_minimum_of_one_a_member_begins_alone,
           R22_before_the_barrier_a_silent_member_is_replaced_by_who_has_all,
           R20_a_proposal_that_was_lost_makes_nobody_primary,
           R20_a_guard_that_failed_is_no_reason_to_lead,
           R23_a_tail_that_rotted_is_not_built_upon,
           R23_a_rotten_tail_is_repaired_by_its_hash_from_anybody,
           R20_who_won_as_no_member_takes_over_a_sealed_members_log,
           R20_what_the_sealed_member_does_not_have_is_cut_off,
           R20_a_member_that_seals_less_than_is_committed_here_halts,
           R20_entries_that_do_not_lead_to_the_sealed_leaf_are_not_adopted,
           R20_a_seal_of_another_epoch_or_of_no_member_counts_for_nothing,
           R20_a_member_that_cannot_give_what_it_sealed_is_not_waited_for,
           a_hand_over_waits_until_everything_is_committed,
           a_hand_over_that_takes_too_long_is_given_up,
           nothing_is_handed_to_who_may_not_lead,
           a_backup_that_is_asked_to_hand_over_does_nothing,
           who_is_handed_the_lead_leads_without_asking)
