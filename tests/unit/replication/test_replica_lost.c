/*
 * A node whose log lacks what it acknowledged, or is damaged: the table of
 * starts, C1 to C7, as a replica lives with it; R21.
 */
#include <string.h>

#include "tests/lib/replica_damage.h"
#include "tests/lib/suite.h"

/* ---- C3 ------------------------------------------------------------------ */

START_TEST(C3_who_lacks_what_it_acknowledged_says_so_and_vouches_for_nothing)
{
    damage_begin_lost();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    ck_assert(lone_did(&damage_rig,
                       "send A HELLO incarnation 2 promised 1 size 5 "
                       "committed 3 lost\n"));
    lone_forget(&damage_rig);
    damage_newepoch('A', 2); /* R21 */
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "send A REFUSED lost epoch 2"));
    ck_assert_uint_eq(lone_count(&damage_rig, "send A SEALED"), 0);
    damage_fetch('A', 5, 1); /* No NACK either. */
    ck_assert(lone_did(&damage_rig, "send A FETCHED unsure first 5\n"));
    ck_assert(!lone_status(&damage_rig).healthy);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C3_who_is_lost_does_not_try_to_lead)
{
    damage_begin_lost();
    lone_alive(&damage_rig, 'A', false);
    lone_pass(&damage_rig, 30000);
    lone_see(&damage_rig);
    lone_pass(&damage_rig, 30000);
    ck_assert_uint_eq(damage_rig.asked_count, 0);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C3_who_has_again_what_it_acknowledged_is_whole)
{
    damage_begin_lost();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_append(&damage_rig, 'A', &damage_log_a, 5, 6, 3);
    lone_work(&damage_rig);
    lone_forget(&damage_rig);
    lone_tick(&damage_rig, 100);
    ck_assert(lone_did(&damage_rig, "job found\n"));
    lone_forget(&damage_rig);
    lone_work(&damage_rig);
    lone_expect(&damage_rig, "say found 6\nsay member\ncommit 3\n");
    lone_tick(&damage_rig, 100);
    ck_assert(lone_did(&damage_rig,
                       "send A HELLO incarnation 2 promised 1 size 6 "
                       "committed 3\n"));
    damage_restart();
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_MEMBER);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C3_other_entries_of_the_same_number_make_nobody_whole)
{
    damage_begin_lost();
    rig_log_copy(&damage_log_b, &damage_log_a, 5);
    rig_log_add(&damage_log_b, 4, 1, 9);
    lone_greet(&damage_rig, 'A', &damage_log_b, 9);
    lone_append(&damage_rig, 'A', &damage_log_b, 5, 9, 3);
    lone_work(&damage_rig);
    for (int i = 0; i < 20; i++) {
        lone_tick(&damage_rig, 100);
        lone_work(&damage_rig);
    }
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    ck_assert_uint_eq(lone_count(&damage_rig, "say found"), 0);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C3_a_commit_that_is_known_again_does_not_upset_what_follows)
{
    damage_begin(6, 5);
    damage_rot(3); /* And the end, so that nothing leads to it. */
    damage_rot(4);
    damage_rot(5);
    damage_restart();
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    ck_assert_uint_eq(journal_size(damage_rig.journal), 3);
    rig_log_add(&damage_log_a, 2, 2, 0);
    lone_greet(&damage_rig, 'A', &damage_log_a, 8);
    /* A new primary that does not know its commit yet. */
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 3, 6, 0);
    lone_work(&damage_rig);
    lone_tick(&damage_rig, 100);
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "say found 6\n"));
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 6, 8, 0);
    lone_work(&damage_rig);
    ck_assert(
        lone_did(&damage_rig, "send A APPENDED epoch 2 stream 1 size 8\n"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C3_what_was_committed_before_is_never_cut_off_afterwards)
{
    damage_begin(6, 5);
    damage_rot(3);
    damage_rot(4);
    damage_rot(5);
    damage_restart();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 3, 6, 0);
    lone_work(&damage_rig);
    lone_tick(&damage_rig, 100);
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "say found 6\n"));
    rig_log_copy(&damage_log_b, &damage_log_a, 4);
    rig_log_add(&damage_log_b, 2, 3, 0);
    lone_restart(&damage_rig, 3);
    lone_append_in(&damage_rig, 'A', &damage_log_b, 3, 4, 6,
                   0); /* Two histories. */
    lone_work(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_HALTED);
    ck_assert(rig_log_equals(&damage_log_a, damage_rig.journal, 6));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(a_lost_start_is_whole_once_a_configuration_admits_it_anew)
{
    struct config config;
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];

    damage_begin_lost();
    lone_greet(&damage_rig, 'A', &damage_log_a, 5);
    lone_append(&damage_rig, 'A', &damage_log_a, 5, 5, 5);
    lone_work(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    config_encode(bytes, &damage_rig.config);
    config_succeed(&config, &damage_rig.config,
                   slice_of(bytes, config_size(&damage_rig.config)),
                   CONFIG_ADD);
    config_remove_member(&config, sample_node('B'));
    config_add_member(&config, sample_node('B'), 2);
    lone_forget(&damage_rig);
    lone_view(&damage_rig, &config);
    ck_assert(lone_did(&damage_rig, "job found proven\n"));
    lone_work(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_MEMBER);
    damage_restart();
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_MEMBER);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(a_configuration_with_an_earlier_start_admits_nobody_anew)
{
    damage_begin_lost();
    damage_rig.config.number += 2;
    damage_rig.revision++;
    lone_see(&damage_rig); /* Members as before: B's first start. */
    lone_work(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    lone_end(&damage_rig);
}
END_TEST

/* ---- C5, C6, C7 ---------------------------------------------------------- */

static void spoil(const char *file, bool first, bool second)
{
    if (first)
        disk_model_rot(damage_rig.model, file, 40, 1);
    if (second)
        disk_model_rot(damage_rig.model, file, SLOT_SIZE + 40, 1);
}

START_TEST(C6_without_a_mark_nobody_knows_what_is_missing)
{
    damage_begin(6, 3);
    lone_lose_power(&damage_rig);
    spoil("mark", true, true);
    lone_start(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    ck_assert_uint_eq(lone_status(&damage_rig).lost_to, UINT64_MAX);
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_append(&damage_rig, 'A', &damage_log_a, 6, 6, 6);
    lone_work(&damage_rig);
    lone_pass(&damage_rig, 5000);
    lone_work(&damage_rig);
    /* However much it has: only a configuration says that it is enough. */
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C6_the_first_node_writes_no_first_configuration_without_its_mark)
{
    lone_begin(&damage_rig, 'A', "ABZ");
    lone_open(&damage_rig);
    lone_lose_power(&damage_rig);
    spoil("mark", true, true);
    lone_start(&damage_rig);
    lone_pass(&damage_rig, 20000);
    ck_assert_uint_eq(damage_rig.asked_count, 0);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C7_without_a_meta_file_a_node_does_not_start)
{
    damage_begin(6, 3);
    lone_lose_power(&damage_rig);
    spoil("meta", true, true);
    ck_assert_int_eq(lone_try_open(&damage_rig), ST_FILE_FORMAT);
    lone_end(&damage_rig);
}
END_TEST

SUITE_MAIN("replica_lost",
           C3_who_lacks_what_it_acknowledged_says_so_and_vouches_for_nothing,
           C3_who_is_lost_does_not_try_to_lead,
           C3_who_has_again_what_it_acknowledged_is_whole,
           C3_other_entries_of_the_same_number_make_nobody_whole,
           C3_a_commit_that_is_known_again_does_not_upset_what_follows,
           C3_what_was_committed_before_is_never_cut_off_afterwards,
           a_lost_start_is_whole_once_a_configuration_admits_it_anew,
           a_configuration_with_an_earlier_start_admits_nobody_anew,
           C6_without_a_mark_nobody_knows_what_is_missing,
           C6_the_first_node_writes_no_first_configuration_without_its_mark,
           C7_without_a_meta_file_a_node_does_not_start)
