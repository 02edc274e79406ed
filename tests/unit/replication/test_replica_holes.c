/*
 * Entries that cannot be read: filling holes, and what is done where nobody can
 * (C4).
 */
#include <stdio.h>
#include <string.h>

#include "replication/journal_parts.h"
#include "tests/lib/replica_damage.h"
#include "tests/lib/suite.h"

/* ---- C4: holes ----------------------------------------------------------- */

START_TEST(C4_a_hole_is_filled_by_whoever_has_the_entry)
{
    damage_begin(6, 3);
    damage_rot(2);
    damage_restart();
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_MEMBER);
    lone_greet(&damage_rig, 'Z', &damage_log_a, 6);
    ck_assert(lone_did(&damage_rig,
                       "send Z HELLO incarnation 2 promised 1 size 6 "
                       "committed 3 damaged\n"));
    lone_tick(&damage_rig, 100);
    ck_assert(lone_did(&damage_rig, "send Z FETCH first 2 count 1\n"));
    damage_give('Z', &damage_log_a);
    ck_assert(lone_did(&damage_rig, "job repair 2+1\n"));
    lone_forget(&damage_rig);
    lone_work(&damage_rig);
    lone_expect(&damage_rig, "say repaired 2\ncommit 3\n");
    ck_assert(rig_log_equals(&damage_log_a, damage_rig.journal, 6));
    lone_tick(&damage_rig, 100);
    ck_assert(lone_did(&damage_rig,
                       "send Z HELLO incarnation 2 promised 1 size 6 "
                       "committed 3\n"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C4_the_hash_decides_and_not_who_gives)
{
    damage_begin(6, 3);
    rig_log_copy(&damage_log_b, &damage_log_a, 2);
    rig_log_add(&damage_log_b, 4, 1, 9);
    damage_rot(2);
    damage_restart();
    lone_greet(&damage_rig, 'Z', &damage_log_a, 6);
    lone_tick(&damage_rig, 100);
    damage_give('Z', &damage_log_b);
    lone_work(&damage_rig);
    ck_assert_uint_eq(lone_count(&damage_rig, "say repaired"), 0);
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_forget(&damage_rig);
    lone_pass(&damage_rig, 600);
    ck_assert(lone_did(&damage_rig, "send A FETCH first 2 count 1\n"));
    damage_give('A', &damage_log_a);
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "say repaired 2\n"));
    ck_assert(rig_log_equals(&damage_log_a, damage_rig.journal, 6));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(C4_a_peer_that_does_not_answer_is_not_waited_for)
{
    damage_begin(6, 3);
    damage_rot(2);
    damage_restart();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_greet(&damage_rig, 'Z', &damage_log_a, 6);
    lone_pass(&damage_rig, 3000);
    ck_assert_uint_ge(lone_count(&damage_rig, "send A FETCH"), 2);
    ck_assert_uint_ge(lone_count(&damage_rig, "send Z FETCH"), 2);
    ck_assert_uint_le(lone_count(&damage_rig, "send A FETCH"), 7);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(R21_who_has_a_hole_neither_seals_nor_leads_nor_says_never)
{
    damage_begin(6, 3);
    damage_rot(2);
    damage_restart();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_forget(&damage_rig);
    damage_newepoch('A', 2);
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "send A REFUSED damaged epoch 2"));
    damage_fetch('A', 6, 1);
    ck_assert(lone_did(&damage_rig, "send A FETCHED unsure first 6\n"));
    damage_fetch('A', 2, 1); /* What is damaged is not given. */
    ck_assert(lone_did(&damage_rig, "send A FETCHED unsure first 2\n"));
    lone_unlink(&damage_rig, 'A');
    lone_alive(&damage_rig, 'A', false);
    lone_pass(&damage_rig, 20000);
    ck_assert_uint_eq(damage_rig.asked_count, 0);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(a_member_that_lost_nothing_says_never_of_what_it_never_had)
{
    damage_begin(6, 3);
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    damage_fetch('A', 6, 1);
    ck_assert(lone_did(&damage_rig, "send A FETCHED never first 6\n"));
    damage_fetch('A', 2, 3);
    ck_assert(
        lone_did(&damage_rig, "send A FETCHED entries first 2 count 3\n"));
    damage_fetch('A', 4, UINT32_MAX);
    ck_assert(
        lone_did(&damage_rig, "send A FETCHED entries first 4 count 2\n"));
    damage_fetch('A', UINT64_MAX, UINT32_MAX);
    ck_assert(lone_did(&damage_rig,
                       "send A FETCHED never first 1844674407370955161"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(a_learner_never_says_never)
{
    damage_begin(6, 3);
    lone_lose_power(&damage_rig);
    config_dismiss(&damage_rig.config, sample_node('B'));
    damage_rig.config.minimum = 1;
    damage_rig.config.number += 2;
    damage_rig.revision++;
    lone_start(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LEARNER);
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    damage_fetch('A', 6, 1);
    ck_assert(lone_did(&damage_rig, "send A FETCHED unsure first 6\n"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(I13_an_entry_that_rots_in_service_is_noticed_and_got_again)
{
    damage_begin(40, 3);
    damage_restart(); /* Nothing of it is in memory. */
    lone_greet(&damage_rig, 'A', &damage_log_a, 40);
    damage_rot(7);
    lone_forget(&damage_rig);
    damage_fetch('A', 7, 1);
    ck_assert(lone_did(&damage_rig, "send A FETCHED unsure first 7\n"));
    ck_assert(lone_did(&damage_rig, "say rot 7\njob examine 7\n"));
    lone_work(&damage_rig);
    lone_tick(&damage_rig, 100);
    ck_assert(lone_did(&damage_rig, "send A FETCH first 7 count 1\n"));
    damage_give('A', &damage_log_a);
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "say repaired 7\n"));
    damage_fetch('A', 7, 1);
    ck_assert(
        lone_did(&damage_rig, "send A FETCHED entries first 7 count 1\n"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(a_tail_that_nobody_has_is_cut_off_and_the_node_is_lost)
{
    damage_begin(6, 3);
    damage_rot(4);
    damage_restart();
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_MEMBER);
    lone_restart(&damage_rig, 2);
    lone_greet(&damage_rig, 'A', &damage_log_a, 4);
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 4, 4, 3); /* It leads. */
    lone_work(&damage_rig);
    for (int i = 0; i < 6 && !lone_did(&damage_rig, "job cut"); i++) {
        lone_forget(&damage_rig);
        lone_pass(&damage_rig, 600);
        if (lone_did(&damage_rig, "send A FETCH"))
            damage_give_nothing('A', PEER_FETCH_NEVER);
    }
    ck_assert(lone_did(&damage_rig, "job cut 4\n"));
    lone_work(&damage_rig);
    /* It goes on as a later start, which is to be registered first. */
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_START);
    lone_registered(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    ck_assert(rig_log_equals(&damage_log_a, damage_rig.journal, 4));
    lone_end(&damage_rig);
}
END_TEST

/* A says again and again that it never had what it is asked for. */
static bool refused_until(const char *line)
{
    for (int i = 0; i < 8 && !lone_did(&damage_rig, line); i++) {
        lone_forget(&damage_rig);
        lone_pass(&damage_rig, 600);
        lone_work(&damage_rig);
        if (lone_did(&damage_rig, "send A FETCH"))
            damage_give_nothing('A', PEER_FETCH_NEVER);
    }
    return lone_did(&damage_rig, line);
}

START_TEST(a_hole_over_the_commit_that_nobody_can_fill_is_cut_where_it_begins)
{
    damage_begin(7, 5);
    damage_rot(4);
    damage_rot(5); /* Of a tail that A never had. */
    damage_restart();
    lone_restart(&damage_rig, 2);
    lone_greet(&damage_rig, 'A', &damage_log_a, 4);
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 4, 4, 3);
    lone_work(&damage_rig);
    ck_assert(refused_until("job cut 4\n"));
    lone_work(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_START);
    ck_assert_uint_eq(lone_status(&damage_rig).committed, 4);
    /* That more was committed is not forgotten, nor that it is lost. */
    ck_assert_uint_eq(journal_lost(damage_rig.journal).committed, 5);
    damage_restart();
    ck_assert_uint_ne(lone_status(&damage_rig).lost_to, 0);
    ck_assert(rig_log_equals(&damage_log_a, damage_rig.journal, 4));
    lone_end(&damage_rig);
}
END_TEST

/* Rots the header of the file too: nothing says any more what entry ${index},
 * the first of its segment, follows. */
static void rot_border(uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(damage_rig.journal, file, &offset, index),
                     ST_OK);
    damage_rot(index);
    disk_model_rot(damage_rig.model, file, 20, 3);
}

static uint64_t second_segment(void)
{
    char first[DISK_NAME_SIZE_MAX], file[DISK_NAME_SIZE_MAX];
    uint64_t offset, index = 0;

    ck_assert_int_eq(journal_place(damage_rig.journal, first, &offset, 0),
                     ST_OK);
    do {
        index++;
        ck_assert_int_eq(
            journal_place(damage_rig.journal, file, &offset, index), ST_OK);
    } while (strcmp(first, file) == 0);
    return index;
}

START_TEST(damage_that_cannot_be_judged_is_cut_off_by_a_lost_node)
{
    char line[64];
    uint64_t border;

    damage_begin(15, 15);
    rig_log_add(&damage_log_a, 45, 1, 0);
    for (uint64_t i = 15; i < 60; i += 15) {
        lone_append(&damage_rig, 'A', &damage_log_a, i, i + 15, i + 15);
        lone_work(&damage_rig);
    }
    border = second_segment();
    damage_rot(border - 1);
    rot_border(border);
    lone_forget_recent(&damage_rig);
    lone_greet(&damage_rig, 'A', &damage_log_a, 60);
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 60, 60, 60);
    damage_fetch('A', border - 1, 1);
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "say lost"));
    (void)snprintf(line, sizeof line, "job cut %u\n", (unsigned)border - 1);
    ck_assert(lone_did(&damage_rig, line));
    ck_assert(rig_log_equals(&damage_log_a, damage_rig.journal, border - 1));
    lone_end(&damage_rig);
}
END_TEST

/* What stands before the cut is the log's end then: it is repaired first. */
START_TEST(nothing_is_cut_off_behind_an_entry_that_cannot_be_read)
{
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    struct config next;

    damage_begin(6, 3);
    rig_log_copy(&damage_log_b, &damage_log_a, 5);
    rig_log_add(&damage_log_b, 2, 2, 9);
    config_encode(bytes, &damage_rig.config);
    config_succeed(&next, &damage_rig.config,
                   slice_of(bytes, config_size(&damage_rig.config)),
                   CONFIG_RESTART);
    next.epoch = 2;
    lone_view(&damage_rig, &next);
    lone_work(&damage_rig);
    lone_greet(&damage_rig, 'A', &damage_log_b, 7);
    damage_rot(4);
    lone_forget_recent(&damage_rig);
    lone_forget(&damage_rig);
    lone_append_in(&damage_rig, 'A', &damage_log_b, 2, 4, 7, 3);
    ck_assert(lone_did(&damage_rig, "say rot 4"));
    ck_assert(!lone_did(&damage_rig, "job cut"));
    ck_assert(lone_did(&damage_rig, "send A REFUSED damaged epoch 2"));
    lone_work(&damage_rig);
    lone_pass(&damage_rig, 600);
    ck_assert(lone_did(&damage_rig, "send A FETCH first 4 count 1\n"));
    ck_assert(!lone_did(&damage_rig, "job cut"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(who_was_lost_already_is_not_admitted_for_what_it_cut_since)
{
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    struct config admitting;

    damage_begin_lost(); /* Up to 6; it has 5, and gets others than it had. */
    lone_restart(&damage_rig, 2);
    rig_log_copy(&damage_log_b, &damage_log_a, 5);
    rig_log_add(&damage_log_b, 3, 2, 9);
    lone_greet(&damage_rig, 'A', &damage_log_b, 8);
    lone_append_in(&damage_rig, 'A', &damage_log_b, 2, 5, 8, 6);
    lone_work(&damage_rig);
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    damage_rot(5);
    damage_rot(6);
    damage_rot(7);
    lone_forget_recent(&damage_rig);
    damage_fetch('A', 5, 1);
    for (int i = 0; i < 12 && !lone_did(&damage_rig, "job cut 5\n"); i++) {
        lone_work(&damage_rig);
        lone_append_in(&damage_rig, 'A', &damage_log_b, 2, 4, 4, 4);
        lone_forget(&damage_rig);
        lone_pass(&damage_rig, 600);
        if (lone_did(&damage_rig, "send A FETCH"))
            damage_give_nothing('A', PEER_FETCH_UNSURE);
    }
    ck_assert(lone_did(&damage_rig, "job cut 5\n"));
    lone_work(&damage_rig);
    /* Nor by the mark, which may speak of a history that was left. */
    ck_assert_int_eq(journal_lost(damage_rig.journal).kind, MARK_LOST_ALL);
    lone_registered(&damage_rig);
    config_encode(bytes, &damage_rig.config);
    config_succeed(&admitting, &damage_rig.config,
                   slice_of(bytes, config_size(&damage_rig.config)),
                   CONFIG_ADD);
    config_remove_member(&admitting, sample_node('B'));
    config_add_member(&admitting, sample_node('B'), 2); /* As it started. */
    lone_view(&damage_rig, &admitting);
    lone_work(&damage_rig);
    ck_assert_uint_ne(lone_status(&damage_rig).lost_to, 0);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(entries_that_do_not_fit_between_others_are_cut_off_with_them)
{
    struct journal_gap gap;

    damage_begin(6, 6);
    damage_rot(3);
    damage_restart();
    ck_assert_int_eq(journal_hole_at(damage_rig.journal, &gap, 0), ST_OK);
    /* As if what lies behind had been written to another place. */
    damage_rig.journal->chunks[0][0].hole.offset_end -= 8;
    lone_restart(&damage_rig, 2);
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 2, 2, 0); /* It leads. */
    lone_work(&damage_rig);
    lone_forget(&damage_rig);
    for (int i = 0; i < 20 && !lone_did(&damage_rig, "send A FETCH"); i++)
        lone_tick(&damage_rig, 100);
    damage_give('A', &damage_log_a);
    ck_assert(lone_did(&damage_rig, "job repair 3+1\n"));
    lone_work(&damage_rig);
    ck_assert(lone_did(&damage_rig, "job cut 3\n"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(committed_entries_that_nobody_gives_are_never_cut_off)
{
    damage_begin(6, 6);
    damage_rot(4);
    damage_restart();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_append_in(&damage_rig, 'A', &damage_log_a, 2, 4, 4, 0);
    lone_work(&damage_rig);
    for (int i = 0; i < 20; i++) {
        lone_forget(&damage_rig);
        lone_pass(&damage_rig, 600);
        if (lone_did(&damage_rig, "send A FETCH"))
            damage_give_nothing('A', PEER_FETCH_NEVER);
        ck_assert_uint_eq(lone_count(&damage_rig, "job cut"), 0);
    }
    ck_assert_uint_eq(journal_size(damage_rig.journal), 6);
    lone_end(&damage_rig);
}
END_TEST

SUITE_MAIN("replica_holes", C4_a_hole_is_filled_by_whoever_has_the_entry,
           C4_the_hash_decides_and_not_who_gives,
           C4_a_peer_that_does_not_answer_is_not_waited_for,
           R21_who_has_a_hole_neither_seals_nor_leads_nor_says_never,
           a_member_that_lost_nothing_says_never_of_what_it_never_had,
           a_learner_never_says_never,
           I13_an_entry_that_rots_in_service_is_noticed_and_got_again,
           a_tail_that_nobody_has_is_cut_off_and_the_node_is_lost,
           a_hole_over_the_commit_that_nobody_can_fill_is_cut_where_it_begins,
           damage_that_cannot_be_judged_is_cut_off_by_a_lost_node,
           nothing_is_cut_off_behind_an_entry_that_cannot_be_read,
           who_was_lost_already_is_not_admitted_for_what_it_cut_since,
           entries_that_do_not_fit_between_others_are_cut_off_with_them,
           committed_entries_that_nobody_gives_are_never_cut_off)
