/*
 * What a backup takes, refuses and acknowledges (R6 to R12).
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a, log_b;

/* B, a member under A's epoch 1, with a link to A. */
static void begin(void)
{
    struct sample_config pair;

    lone_begin(&rig, 'B', "ABZ");
    memset(&log_a, 0, sizeof log_a);
    memset(&log_b, 0, sizeof log_b);
    sample_config_pair(&pair);
    rig.config = pair.config;
    rig.config.base_size = 1;
    for (size_t i = 0; i < rig.config.members_count; i++)
        rig.config.members[i].incarnation = 1;
    rig.revision = 5;
    lone_start(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_greet(&rig, 'A', NULL, 0);
    lone_forget(&rig);
}

static void beacon(char peer, uint32_t epoch, uint64_t committed,
                   const uint8_t *leaf)
{
    struct peer_frame frame = {.type = PEER_BEACON};

    frame.beacon.epoch = epoch;
    frame.beacon.sequence = 9;
    frame.beacon.committed = committed;
    frame.beacon.time = rig.wall_us;
    if (leaf != NULL)
        memcpy(frame.beacon.leaf.b, leaf, HASH_SIZE);
    lone_receive(&rig, peer, &frame);
}

static void newepoch(char peer, uint32_t epoch)
{
    struct peer_frame frame = {.type = PEER_NEWEPOCH};

    frame.newepoch.epoch = epoch;
    lone_receive(&rig, peer, &frame);
}

/* ---- R6 ------------------------------------------------------------------ */

START_TEST(R6_an_append_below_the_promise_is_refused_and_told_why)
{
    begin();
    rig_log_add(&log_a, 2, 1, 0);
    beacon('A', 3, 0, NULL);
    lone_work(&rig);
    lone_forget(&rig);
    lone_append(&rig, 'A', &log_a, 0, 2, 0);
    lone_expect(
        &rig, "send A REFUSED higher epoch 1 promised 3 size 0 committed 0\n");
    ck_assert_uint_eq(journal_size(rig.journal), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R6_a_higher_epoch_is_durable_before_anything_is_answered)
{
    begin();
    rig_log_add(&log_a, 2, 2, 0);
    lone_append(&rig, 'A', &log_a, 0, 2, 0);
    lone_expect(&rig, "job promise 2\njob append 2\n");
    lone_jobs(&rig, 1);
    lone_expect(&rig, "");
    ck_assert_uint_eq(rig.meta.value.promised_epoch, 2);
    lone_work(&rig);
    lone_expect(&rig, "send A APPENDED epoch 2 stream 1 size 2\n");
    lone_end(&rig);
}
END_TEST

START_TEST(R6_a_promise_outlives_a_loss_of_power)
{
    begin();
    newepoch('A', 7);
    lone_work(&rig);
    lone_expect(&rig, "job promise 7\nsend A SEALED epoch 7 size 0 "
                      "committed 0\n");
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_greet(&rig, 'A', NULL, 0);
    lone_forget(&rig);
    newepoch('A', 6);
    lone_expect(
        &rig, "send A REFUSED higher epoch 6 promised 7 size 0 committed 0\n");
    lone_end(&rig);
}
END_TEST

START_TEST(R6_an_answer_that_a_newer_promise_fences_is_not_sent)
{
    begin();
    rig_log_add(&log_a, 2, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 2, 0);
    lone_greet(&rig, 'Z', NULL, 0);
    newepoch('Z', 4);
    lone_forget(&rig);
    lone_work(&rig);
    /* What it holds by then is part of what it seals. */
    lone_expect(&rig, "send Z SEALED epoch 4 size 2 committed 0\n");
    lone_end(&rig);
}
END_TEST

/* ---- R7 ------------------------------------------------------------------ */

START_TEST(R7_what_begins_behind_the_end_is_a_mismatch)
{
    struct peer_frame frame;

    begin();
    rig_log_add(&log_a, 6, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 2, 0);
    lone_work(&rig);
    lone_forget(&rig);
    lone_append(&rig, 'A', &log_a, 3, 6, 0);
    ck_assert(lone_sent(&rig, &frame, 'A', PEER_REFUSED));
    ck_assert_uint_eq(frame.refused.stream, 1);
    ck_assert_uint_eq(frame.refused.epochs.count, 1);
    lone_expect(&rig, "send A REFUSED mismatch epoch 1 promised 1 size 2 "
                      "committed 0\n");
    lone_end(&rig);
}
END_TEST

START_TEST(R7_another_entry_before_the_first_is_a_mismatch)
{
    begin();
    rig_log_add(&log_a, 4, 1, 0);
    rig_log_add(&log_b, 4, 1, 1);
    lone_append(&rig, 'A', &log_a, 0, 4, 0);
    lone_work(&rig);
    lone_forget(&rig);
    lone_append(&rig, 'A', &log_b, 3, 4, 0);
    lone_expect(&rig, "send A REFUSED mismatch epoch 1 promised 1 size 4 "
                      "committed 0\n");
    lone_append(&rig, 'A', &log_b, 4, 4, 0);
    lone_expect(&rig, "send A REFUSED mismatch epoch 1 promised 1 size 4 "
                      "committed 0\n");
    lone_end(&rig);
}
END_TEST

/* ---- R8 ------------------------------------------------------------------ */

/* An APPEND of three entries, one byte of the second changed. */
static void append_changed(size_t offset, uint8_t change)
{
    log_a.bytes[1][offset] ^= change;
    lone_append_in(&rig, 'A', &log_a, 1, 0, 3, 0);
    log_a.bytes[1][offset] ^= change;
}

START_TEST(R8_an_entry_that_does_not_follow_is_never_stored)
{
    /* version, epoch, index, time, previous, length, an item's size. */
    static const size_t places[] = {0, 5, 8, 23, 24, 55, 60, 63};

    begin();
    rig_log_add(&log_a, 3, 1, 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        append_changed(places[i], 0x80);
        ck_assert_msg(lone_did(&rig, "drop A\n"), "offset %zu", places[i]);
        ck_assert(lone_did(&rig, "say peer A "));
        ck_assert_uint_eq(lone_count(&rig, "job"), 0);
        ck_assert_uint_eq(lone_count(&rig, "send"), 0);
        lone_greet(&rig, 'A', NULL, 0);
        lone_forget(&rig);
    }
    lone_append(&rig, 'A', &log_a, 0, 3, 0);
    lone_work(&rig);
    ck_assert(rig_log_equals(&log_a, rig.journal, 3));
    lone_end(&rig);
}
END_TEST

START_TEST(R8_an_entry_of_a_later_epoch_than_its_frame_is_never_stored)
{
    begin();
    rig_log_add(&log_a, 2, 5, 0);
    lone_append_in(&rig, 'A', &log_a, 4, 0, 2, 0);
    ck_assert(lone_did(&rig, "drop A\n"));
    ck_assert_uint_eq(lone_count(&rig, "job append"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(R8_an_epoch_that_falls_along_the_log_is_never_stored)
{
    begin();
    rig_log_add(&log_a, 2, 3, 0);
    log_a.ends[2].epoch = 0;
    rig_log_add(&log_a, 1, 2, 0);
    lone_append_in(&rig, 'A', &log_a, 4, 0, 3, 0);
    ck_assert(lone_did(&rig, "drop A\n"));
    ck_assert_uint_eq(lone_count(&rig, "job append"), 0);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append_in(&rig, 'A', &log_a, 4, 0, 2, 0);
    lone_work(&rig);
    lone_forget(&rig);
    lone_append_in(&rig, 'A', &log_a, 4, 2, 3, 0);
    ck_assert(lone_did(&rig, "drop A\n"));
    lone_end(&rig);
}
END_TEST

/* ---- R9, R10, R11 -------------------------------------------------------- */

/* Two logs with ${common} entries of epoch 1; then B's own, and A's of epoch
 * 2. */
static void fork_logs(size_t common)
{
    rig_log_add(&log_b, common, 1, 0);
    rig_log_copy(&log_a, &log_b, common);
    rig_log_add(&log_b, 3, 1, 1);
    rig_log_add(&log_a, 2, 2, 0);
}

START_TEST(R9_a_conflict_above_the_commit_is_cut_off_and_kept_aside)
{
    begin();
    fork_logs(4);
    lone_append(&rig, 'A', &log_b, 0, 7, 3);
    lone_work(&rig);
    lone_restart(&rig, 2);
    lone_append(&rig, 'A', &log_a, 2, 6, 3);
    lone_expect(&rig, "job cut 4\njob append 2\n");
    lone_work(&rig);
    lone_expect(&rig, "say cut 4\nsend A APPENDED epoch 2 stream 1 size 6\n");
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_end(&rig);
}
END_TEST

START_TEST(R9_what_cannot_be_kept_is_cut_off_and_told)
{
    begin();
    rig.aside_size_max = 1;
    lone_lose_power(&rig);
    lone_start(&rig);
    lone_greet(&rig, 'A', NULL, 0);
    fork_logs(4);
    lone_append(&rig, 'A', &log_b, 0, 7, 3);
    lone_work(&rig);
    lone_restart(&rig, 2);
    lone_append(&rig, 'A', &log_a, 2, 6, 3);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say unkept 4\n"));
    ck_assert_uint_eq(lone_count(&rig, "say cut"), 0);
    ck_assert_uint_eq(lone_status(&rig).unkept, 1);
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_end(&rig);
}
END_TEST

START_TEST(R9_a_conflict_with_what_is_committed_halts_and_changes_nothing)
{
    uint64_t state;

    begin();
    fork_logs(4);
    lone_append(&rig, 'A', &log_b, 0, 7, 5);
    lone_work(&rig);
    lone_append(&rig, 'A', &log_b, 7, 7, 5);
    lone_work(&rig);
    lone_forget(&rig);
    lone_restart(&rig, 2);
    state = disk_model_state(rig.model);
    lone_append(&rig, 'A', &log_a, 2, 6, 3);
    lone_expect(&rig, "job halt 4 evidence 300\nsay halt 1\nsay halted\n"
                      "halt 1\n");
    ck_assert_uint_eq(disk_model_state(rig.model), state);
    /* It does nothing any more. */
    lone_append(&rig, 'A', &log_a, 2, 6, 3);
    lone_tick(&rig, 10000);
    lone_expect(&rig, "");
    ck_assert_int_eq(lone_status(&rig).halt, HALT_COMMITTED_CONFLICT);
    lone_end(&rig);
}
END_TEST

START_TEST(R9_a_cut_that_power_ends_halfway_is_finished_by_the_next_start)
{
    for (size_t calls = 0; calls < 40; calls++) {
        begin();
        fork_logs(4);
        lone_append(&rig, 'A', &log_b, 0, 7, 3);
        lone_work(&rig);
        lone_restart(&rig, 2);
        lone_append(&rig, 'A', &log_a, 2, 6, 3);
        disk_model_power_off_after(rig.model,
                                   disk_model_changes(rig.model) + calls);
        lone_work(&rig);
        lone_lose_power(&rig);
        lone_start(&rig);
        ck_assert_int_ne(lone_role(&rig), REPLICA_LOST);
        lone_greet(&rig, 'A', NULL, 0);
        lone_append(&rig, 'A', &log_a, 2, 6, 3);
        lone_work(&rig);
        ck_assert(rig_log_equals(&log_a, rig.journal, 6));
        lone_end(&rig);
    }
}
END_TEST

START_TEST(R10_a_longer_tail_that_matches_is_kept)
{
    begin();
    rig_log_add(&log_a, 6, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 6, 0);
    lone_work(&rig);
    lone_forget(&rig);
    lone_append_in(&rig, 'A', &log_a, 2, 1, 3, 0);
    lone_work(&rig);
    lone_expect(&rig, "job promise 2\n"
                      "send A APPENDED epoch 2 stream 1 size 3\n");
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_end(&rig);
}
END_TEST

START_TEST(R11_an_acknowledgement_names_what_matched_and_not_the_end_of_the_log)
{
    begin();
    fork_logs(4);
    lone_append(&rig, 'A', &log_b, 0, 7, 0);
    lone_work(&rig);
    lone_forget(&rig);
    lone_append_in(&rig, 'A', &log_a, 2, 4, 4, 0);
    lone_work(&rig);
    lone_expect(&rig, "job promise 2\n"
                      "send A APPENDED epoch 2 stream 1 size 4\n");
    lone_end(&rig);
}
END_TEST

START_TEST(R11_the_commit_never_passes_what_matched)
{
    begin();
    fork_logs(4);
    lone_append(&rig, 'A', &log_b, 0, 7, 0);
    lone_work(&rig);
    lone_restart(&rig, 2);
    lone_append_in(&rig, 'A', &log_a, 2, 4, 4, 7);
    lone_work(&rig);
    ck_assert_uint_eq(rig.published, 4);
    ck_assert_uint_eq(lone_status(&rig).committed, 4);
    lone_end(&rig);
}
END_TEST

/* ---- R12 ----------------------------------------------------------------- */

START_TEST(R12_what_is_acknowledged_survives_a_loss_of_power)
{
    begin();
    rig_log_add(&log_a, 5, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 5, 0);
    lone_expect(&rig, "job append 5\n");
    lone_work(&rig);
    lone_expect(&rig, "send A APPENDED epoch 1 stream 1 size 5\n");
    lone_lose_power(&rig);
    lone_start(&rig);
    ck_assert(rig_log_equals(&log_a, rig.journal, 5));
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

START_TEST(R12_nothing_is_committed_here_before_it_is_durable_here)
{
    begin();
    rig_log_add(&log_a, 5, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 5, 5);
    lone_expect(&rig, "job append 5\n");
    lone_work(&rig);
    lone_expect(&rig, "send A APPENDED epoch 1 stream 1 size 5\ncommit 5\n");
    lone_end(&rig);
}
END_TEST

START_TEST(R12_one_answer_speaks_for_all_that_became_durable_at_once)
{
    begin();
    rig_log_add(&log_a, 6, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 2, 0);
    lone_append(&rig, 'A', &log_a, 2, 4, 0);
    lone_append(&rig, 'A', &log_a, 4, 6, 0);
    lone_forget(&rig);
    lone_work(&rig);
    ck_assert_uint_ge(lone_count(&rig, "send A APPENDED"), 1);
    ck_assert(lone_did(&rig, "send A APPENDED epoch 1 stream 1 size 6\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(R12_a_full_disk_refuses_and_takes_the_entries_once_there_is_room)
{
    begin();
    rig_log_add(&log_a, 40, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 20, 0);
    lone_work(&rig);
    lone_forget(&rig);
    disk_model_limit(rig.model, 1);
    lone_append(&rig, 'A', &log_a, 20, 40, 0);
    lone_append(&rig, 'A', &log_a, 40, 40, 0);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send A REFUSED disk epoch 1 promised 1 size 20"));
    /* What was matched in between is not there any more. */
    ck_assert(lone_did(&rig, "send A REFUSED mismatch epoch 1"));
    ck_assert_uint_eq(lone_count(&rig, "send A APPENDED"), 0);
    ck_assert(rig_log_equals(&log_a, rig.journal, 20));
    disk_model_limit(rig.model, UINT64_MAX);
    lone_append(&rig, 'A', &log_a, 20, 40, 0);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send A APPENDED epoch 1 stream 1 size 40\n"));
    ck_assert(rig_log_equals(&log_a, rig.journal, 40));
    lone_end(&rig);
}
END_TEST

START_TEST(R12_a_full_disk_refuses_although_the_last_entry_rots_as_well)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    begin();
    rig_log_add(&log_a, 40, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 20, 0);
    lone_work(&rig);
    disk_model_limit(rig.model, 1);
    ck_assert_int_eq(journal_place(rig.journal, file, &offset, 19), ST_OK);
    disk_model_rot(rig.model, file, offset + 100, 3);
    lone_forget_recent(&rig); /* It is not in memory any more. */
    lone_append(&rig, 'A', &log_a, 20, 40, 0);
    lone_work(&rig);
    ck_assert_uint_eq(rig.replica->log.end.size, 20);
    lone_end(&rig);
}
END_TEST

START_TEST(R12_a_sync_that_fails_acknowledges_nothing)
{
    begin();
    rig_log_add(&log_a, 2, 1, 0);
    disk_model_fail_sync_after(rig.model, 1);
    lone_append(&rig, 'A', &log_a, 0, 2, 0);
    lone_forget(&rig);
    lone_work(&rig);
    ck_assert(rig.disk_failed);
    lone_expect(&rig, "");
    lone_end(&rig);
}
END_TEST

/* ---- BEACON and NEWEPOCH ------------------------------------------------- */

START_TEST(a_beacon_tells_the_commit_if_its_leaf_is_the_own_one)
{
    begin();
    rig_log_add(&log_a, 5, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 5, 0);
    lone_work(&rig);
    lone_forget(&rig);
    beacon('A', 1, 9, log_a.ends[5].leaf); /* Behind the end. */
    lone_expect(&rig, "send A BEACON_OK epoch 1 sequence 9\n");
    beacon('A', 1, 4, log_a.ends[5].leaf); /* A tail that will be cut off. */
    lone_expect(&rig, "send A BEACON_OK epoch 1 sequence 9\n");
    beacon('A', 1, 4, log_a.ends[4].leaf);
    lone_expect(&rig, "send A BEACON_OK epoch 1 sequence 9\ncommit 4\n");
    beacon('A', 1, 3, log_a.ends[4].leaf); /* It proves nothing. */
    lone_expect(&rig, "send A BEACON_OK epoch 1 sequence 9\n"
                      "say dispute A 2\n");
    lone_end(&rig);
}
END_TEST

START_TEST(R20_who_seals_says_how_far_its_durable_log_goes)
{
    struct peer_frame frame;

    begin();
    rig_log_add(&log_a, 5, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 5, 3);
    lone_greet(&rig, 'Z', NULL, 0);
    newepoch('Z', 2);
    lone_forget(&rig);
    lone_jobs(&rig, 1);
    ck_assert_uint_eq(lone_count(&rig, "send Z SEALED"), 0);
    lone_work(&rig);
    ck_assert(lone_sent(&rig, &frame, 'Z', PEER_SEALED));
    ck_assert_uint_eq(frame.sealed.epoch, 2);
    ck_assert_uint_eq(frame.sealed.size, 5);
    ck_assert_mem_eq(frame.sealed.leaf.b, log_a.ends[5].leaf, HASH_SIZE);
    lone_end(&rig);
}
END_TEST

START_TEST(a_clean_restart_keeps_what_was_committed)
{
    begin();
    rig_log_add(&log_a, 5, 1, 0);
    lone_append(&rig, 'A', &log_a, 0, 5, 5);
    lone_work(&rig);
    lone_tick(&rig, 100); /* The mark follows. */
    lone_work(&rig);
    lone_stop(&rig);
    lone_forget(&rig);
    lone_start(&rig);
    ck_assert(lone_did(&rig, "commit 5\n"));
    ck_assert(lone_did(&rig, "ask incarnation 2\n"));
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_follow",
           R6_an_append_below_the_promise_is_refused_and_told_why,
           R6_a_higher_epoch_is_durable_before_anything_is_answered,
           R6_a_promise_outlives_a_loss_of_power,
           R6_an_answer_that_a_newer_promise_fences_is_not_sent,
           R7_what_begins_behind_the_end_is_a_mismatch,
           R7_another_entry_before_the_first_is_a_mismatch,
           R8_an_entry_that_does_not_follow_is_never_stored,
           R8_an_entry_of_a_later_epoch_than_its_frame_is_never_stored,
           R8_an_epoch_that_falls_along_the_log_is_never_stored,
           R9_a_conflict_above_the_commit_is_cut_off_and_kept_aside,
           R9_what_cannot_be_kept_is_cut_off_and_told,
           R9_a_conflict_with_what_is_committed_halts_and_changes_nothing,
           R9_a_cut_that_power_ends_halfway_is_finished_by_the_next_start,
           R10_a_longer_tail_that_matches_is_kept,
           R11_an_acknowledgement_names_what_matched_and_not_the_end_of_the_log,
           R11_the_commit_never_passes_what_matched,
           R12_what_is_acknowledged_survives_a_loss_of_power,
           R12_nothing_is_committed_here_before_it_is_durable_here,
           R12_one_answer_speaks_for_all_that_became_durable_at_once,
           R12_a_full_disk_refuses_and_takes_the_entries_once_there_is_room,
           R12_a_full_disk_refuses_although_the_last_entry_rots_as_well,
           R12_a_sync_that_fails_acknowledges_nothing,
           a_beacon_tells_the_commit_if_its_leaf_is_the_own_one,
           R20_who_seals_says_how_far_its_durable_log_goes,
           a_clean_restart_keeps_what_was_committed)
