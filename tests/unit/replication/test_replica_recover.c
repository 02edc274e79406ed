/*
 * Who won as no member takes over a sealed member's log (R20).
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a, log_z;

/* ${self} with ${size} entries of log_a; A and ${members} are in sync. */
static void begin(char self, const char *members, uint8_t minimum, size_t size)
{
    lone_begin(&rig, self, "ABZ");
    memset(&log_a, 0, sizeof log_a);
    memset(&log_z, 0, sizeof log_z);
    rig_log_add(&log_a, size, 1, 0);
    lone_backup(&rig, members, minimum, &log_a);
}

/* The frame of entry ${index} rots where it lies. */
static void rot(uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(rig.journal, file, &offset, index), ST_OK);
    disk_model_rot(rig.model, file, offset + 100, 3);
}

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
    lone_silence(&rig, 13000);
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
    lone_pass(&rig, 500);
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

START_TEST(R20_what_was_proposed_on_is_not_cut_off_for_damage)
{
    struct peer_frame fetch = {.type = PEER_FETCH};

    begin_recovering(3, 3, 4);
    sealed('Z', 2, &log_z, 7);
    give('Z', &log_z, 3, 7);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "ask adopted 6 epoch 2 at 6 guard Z=1\n"));
    rot(5);
    lone_forget_recent(&rig);
    fetch.fetch.token = 9;
    fetch.fetch.first = 5;
    fetch.fetch.count = 1;
    lone_receive(&rig, 'Z', &fetch); /* So it is noticed. */
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say rot 5\n"));
    lone_win(&rig);
    lone_work(&rig);
    ck_assert_uint_eq(lone_count(&rig, "job cut"), 0);
    ck_assert(!rig.leads);
    for (int i = 0; i < 30 && !lone_did(&rig, "send Z FETCH first 5 count 1\n");
         i++)
        lone_tick(&rig, 100);
    give('Z', &log_z, 5, 6);
    lone_work(&rig);
    lone_tick(&rig, 100);
    lone_work(&rig);
    ck_assert(rig.leads);
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
    lone_silence(&rig, 13000);
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

/* B has three committed entries; A and Z are members, of whom Z seals. */
static void begin_committed(void)
{
    begin('B', "Z", 2, 3);
    lone_greet(&rig, 'A', &log_a, 3);
    lone_append(&rig, 'A', &log_a, 3, 3, 3);
    lone_unlink(&rig, 'A');
    lone_alive(&rig, 'A', false);
    rig_log_copy(&log_z, &log_a, 2);
    lone_greet(&rig, 'Z', &log_z, 2);
    lone_silence(&rig, 13000);
    lone_win(&rig);
    for (int i = 0; i < 40 && lone_role(&rig) != REPLICA_RECOVERING; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    lone_work(&rig);
    ck_assert_uint_eq(lone_status(&rig).committed, 3);
    lone_forget(&rig);
}

START_TEST(R20_a_member_that_seals_less_than_is_committed_here_is_passed_over)
{
    begin_committed();
    sealed('Z', 2, &log_z, 2);
    sealed('Z', 2, &log_z, 2);
    lone_expect(&rig, "say dispute Z 2\n"); /* Once, to people. */
    ck_assert_uint_eq(lone_status(&rig).disputes, 2);
    lone_pass(&rig, 1000);
    ck_assert_uint_eq(lone_count(&rig, "job cut"), 0);
    ck_assert_uint_eq(lone_count(&rig, "send Z NEWEPOCH epoch 2\n"), 2);
    lone_greet(&rig, 'A', &log_a, 3);
    sealed('A', 2, &log_a, 3); /* Another member's will do. */
    lone_work(&rig);
    ck_assert(lone_did(&rig, "ask adopted "));
    ck_assert(rig_log_equals(&log_a, rig.journal, 3));
    lone_end(&rig);
}
END_TEST

START_TEST(R20_a_table_of_epochs_that_parts_below_the_commit_is_passed_over)
{
    begin_committed();
    memset(&log_z, 0, sizeof log_z);
    rig_log_add(&log_z, 4, 1, 9); /* Nothing in common. */
    sealed('Z', 2, &log_z, 4);
    ck_assert(lone_did(&rig, "say dispute Z 0\n"));
    ck_assert_uint_eq(lone_count(&rig, "job cut"), 0);
    lone_forget(&rig);
    sealed('Z', 2, &log_z, 4); /* It is not asked in a circle. */
    ck_assert_uint_eq(lone_count(&rig, "send Z"), 0);
    ck_assert_int_eq(lone_role(&rig), REPLICA_RECOVERING);
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

static void never(char peer)
{
    struct peer_frame asked, frame = {.type = PEER_FETCHED};

    ck_assert(lone_sent(&rig, &asked, peer, PEER_FETCH));
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = asked.fetch.first;
    frame.fetched.result = PEER_FETCH_NEVER;
    lone_receive(&rig, peer, &frame);
}

/* A is named, and its tail is damaged before it leads again. */
START_TEST(R23_who_is_named_with_a_tail_that_nobody_has_takes_a_members_log)
{
    struct rig_log empty = {.size = 0};

    lone_begin(&rig, 'A', "AB");
    lone_lead_pair(&rig);
    lone_submit(&rig, 3);
    lone_work(&rig);
    ck_assert_uint_eq(lone_status(&rig).size, 4);
    rot(2);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_greet(&rig, 'B', &empty, 0);
    for (int i = 0; i < 60 && !lone_did(&rig, "ask restart"); i++) {
        lone_forget(&rig);
        lone_tick(&rig, 100);
        lone_work(&rig);
        if (lone_did(&rig, "send B FETCH"))
            never('B');
    }
    ck_assert(lone_did(&rig, "ask restart"));
    lone_win(&rig);
    for (int i = 0; i < 40 && lone_role(&rig) != REPLICA_RECOVERING; i++) {
        lone_work(&rig);
        lone_tick(&rig, 100);
    }
    ck_assert(lone_did(&rig, "send B NEWEPOCH epoch 2\n"));
    ck_assert_int_eq(lone_role(&rig), REPLICA_RECOVERING);
    lone_end(&rig);
}
END_TEST

START_TEST(R23_alone_a_damaged_tail_is_waited_for_and_nothing_is_cut)
{
    lone_begin(&rig, 'A', "AB");
    lone_lead_alone(&rig, 1);
    lone_submit(&rig, 3);
    lone_jobs(&rig, 1);
    rot(1);
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_greet(&rig, 'B', NULL, 0);
    for (int i = 0; i < 60; i++) {
        lone_forget(&rig);
        lone_tick(&rig, 100);
        lone_work(&rig);
        if (lone_did(&rig, "send B FETCH"))
            never('B');
        ck_assert_uint_eq(lone_count(&rig, "job cut"), 0);
    }
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_recover",
           R20_who_won_as_no_member_takes_over_a_sealed_members_log,
           R20_what_was_proposed_on_is_not_cut_off_for_damage,
           R20_what_the_sealed_member_does_not_have_is_cut_off,
           R20_a_member_that_seals_less_than_is_committed_here_is_passed_over,
           R20_a_table_of_epochs_that_parts_below_the_commit_is_passed_over,
           R20_entries_that_do_not_lead_to_the_sealed_leaf_are_not_adopted,
           R20_a_seal_of_another_epoch_or_of_no_member_counts_for_nothing,
           R20_a_member_that_cannot_give_what_it_sealed_is_not_waited_for,
           R23_who_is_named_with_a_tail_that_nobody_has_takes_a_members_log,
           R23_alone_a_damaged_tail_is_waited_for_and_nothing_is_cut)
