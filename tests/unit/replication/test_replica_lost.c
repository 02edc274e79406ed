/*
 * A node whose log lacks what it acknowledged, or is damaged: the table of
 * starts, C1 to C7, as a replica lives with it; R21.
 */
#include <stdio.h>
#include <string.h>

#include "replication/journal_parts.h"
#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a, log_b;

/* B is in sync under A, has ${size} entries and knows ${committed} of them to
 * be committed. */
static void begin(size_t size, uint64_t committed)
{
    struct sample_config pair;

    lone_begin(&rig, 'B', "ABZ");
    memset(&log_a, 0, sizeof log_a);
    memset(&log_b, 0, sizeof log_b);
    sample_config_pair(&pair);
    rig.config = pair.config;
    config_remove_member(&rig.config, sample_node('B'));
    config_add_member(&rig.config, sample_node('B'), 1);
    rig.revision = 5;
    lone_start(&rig);
    rig_log_add(&log_a, size, 1, 0);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_a, 0, size, committed);
    lone_work(&rig);
    lone_tick(&rig, 100);
    lone_work(&rig);
    ck_assert_uint_eq(lone_status(&rig).committed, committed);
    lone_forget(&rig);
}

/* The frame of entry ${index} rots where it lies. */
static void rot(uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(rig.journal, file, &offset, index), ST_OK);
    disk_model_rot(rig.model, file, offset + 100, 3);
}

static void restart(void)
{
    lone_lose_power(&rig);
    lone_start(&rig);
}

static void fetch(char peer, uint64_t first, uint32_t count)
{
    struct peer_frame frame = {.type = PEER_FETCH};

    frame.fetch.token = 77;
    frame.fetch.first = first;
    frame.fetch.count = count;
    lone_receive(&rig, peer, &frame);
}

static void newepoch(char peer, uint32_t epoch)
{
    struct peer_frame frame = {.type = PEER_NEWEPOCH};

    frame.newepoch.epoch = epoch;
    lone_receive(&rig, peer, &frame);
}

/* What ${peer} was asked for last, from ${log}. */
static void give(char peer, const struct rig_log *log)
{
    static uint8_t bytes[PEER_ENTRIES_SIZE_MAX];
    struct peer_frame asked, frame = {.type = PEER_FETCHED};
    struct writer entries;

    ck_assert(lone_sent(&rig, &asked, peer, PEER_FETCH));
    writer_init(&entries, bytes, sizeof bytes);
    rig_log_entries(log, &entries, asked.fetch.first,
                    asked.fetch.first + asked.fetch.count);
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = asked.fetch.first;
    frame.fetched.result = PEER_FETCH_ENTRIES;
    frame.entries = writer_slice(&entries);
    lone_receive(&rig, peer, &frame);
}

static void give_nothing(char peer, enum peer_fetch_result result)
{
    struct peer_frame asked, frame = {.type = PEER_FETCHED};

    ck_assert(lone_sent(&rig, &asked, peer, PEER_FETCH));
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = asked.fetch.first;
    frame.fetched.result = (uint8_t)result;
    lone_receive(&rig, peer, &frame);
}

/* ---- C3 ------------------------------------------------------------------ */

/* The last entry rots, which was acknowledged. */
static void begin_lost(void)
{
    begin(6, 3);
    rot(5);
    restart();
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert_uint_eq(lone_status(&rig).lost_to, 6);
}

START_TEST(C3_who_lacks_what_it_acknowledged_says_so_and_vouches_for_nothing)
{
    begin_lost();
    lone_greet(&rig, 'A', &log_a, 6);
    ck_assert(lone_did(&rig, "send A HELLO incarnation 2 promised 1 size 5 "
                             "committed 3 lost\n"));
    lone_forget(&rig);
    newepoch('A', 2); /* R21 */
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send A REFUSED lost epoch 2"));
    ck_assert_uint_eq(lone_count(&rig, "send A SEALED"), 0);
    fetch('A', 5, 1); /* No NACK either. */
    ck_assert(lone_did(&rig, "send A FETCHED unsure first 5\n"));
    ck_assert(!lone_status(&rig).healthy);
    lone_end(&rig);
}
END_TEST

START_TEST(C3_who_is_lost_does_not_try_to_lead)
{
    begin_lost();
    lone_alive(&rig, 'A', false);
    lone_pass(&rig, 30000);
    lone_see(&rig);
    lone_pass(&rig, 30000);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(C3_who_has_again_what_it_acknowledged_is_whole)
{
    begin_lost();
    lone_greet(&rig, 'A', &log_a, 6);
    lone_append(&rig, 'A', &log_a, 5, 6, 3);
    lone_work(&rig);
    lone_forget(&rig);
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "job found\n"));
    lone_forget(&rig);
    lone_work(&rig);
    lone_expect(&rig, "say found 6\nsay member\ncommit 3\n");
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "send A HELLO incarnation 2 promised 1 size 6 "
                             "committed 3\n"));
    restart();
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

START_TEST(C3_other_entries_of_the_same_number_make_nobody_whole)
{
    begin_lost();
    rig_log_copy(&log_b, &log_a, 5);
    rig_log_add(&log_b, 4, 1, 9);
    lone_greet(&rig, 'A', &log_b, 9);
    lone_append(&rig, 'A', &log_b, 5, 9, 3);
    lone_work(&rig);
    for (int i = 0; i < 20; i++) {
        lone_tick(&rig, 100);
        lone_work(&rig);
    }
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert_uint_eq(lone_count(&rig, "say found"), 0);
    lone_end(&rig);
}
END_TEST

START_TEST(C3_a_commit_that_is_known_again_does_not_upset_what_follows)
{
    begin(6, 5);
    rot(3); /* And the end, so that nothing leads to it. */
    rot(4);
    rot(5);
    restart();
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert_uint_eq(journal_size(rig.journal), 3);
    rig_log_add(&log_a, 2, 2, 0);
    lone_greet(&rig, 'A', &log_a, 8);
    /* A new primary that does not know its commit yet. */
    lone_append_in(&rig, 'A', &log_a, 2, 3, 6, 0);
    lone_work(&rig);
    lone_tick(&rig, 100);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say found 6\n"));
    lone_append_in(&rig, 'A', &log_a, 2, 6, 8, 0);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send A APPENDED epoch 2 stream 1 size 8\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(C3_what_was_committed_before_is_never_cut_off_afterwards)
{
    begin(6, 5);
    rot(3);
    rot(4);
    rot(5);
    restart();
    lone_greet(&rig, 'A', &log_a, 6);
    lone_append_in(&rig, 'A', &log_a, 2, 3, 6, 0);
    lone_work(&rig);
    lone_tick(&rig, 100);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say found 6\n"));
    rig_log_copy(&log_b, &log_a, 4);
    rig_log_add(&log_b, 2, 3, 0);
    lone_restart(&rig, 3);
    lone_append_in(&rig, 'A', &log_b, 3, 4, 6, 0); /* Two histories. */
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_HALTED);
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_end(&rig);
}
END_TEST

START_TEST(a_lost_start_is_whole_once_a_configuration_admits_it_anew)
{
    struct config config;
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];

    begin_lost();
    lone_greet(&rig, 'A', &log_a, 5);
    lone_append(&rig, 'A', &log_a, 5, 5, 5);
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    config_encode(bytes, &rig.config);
    config_succeed(&config, &rig.config,
                   slice_of(bytes, config_size(&rig.config)), CONFIG_ADD);
    config_remove_member(&config, sample_node('B'));
    config_add_member(&config, sample_node('B'), 2);
    lone_forget(&rig);
    lone_view(&rig, &config);
    ck_assert(lone_did(&rig, "job found proven\n"));
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    restart();
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

START_TEST(a_configuration_with_an_earlier_start_admits_nobody_anew)
{
    begin_lost();
    rig.config.number += 2;
    rig.revision++;
    lone_see(&rig); /* Members as before: B's first start. */
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    lone_end(&rig);
}
END_TEST

/* ---- C4: holes ----------------------------------------------------------- */

START_TEST(C4_a_hole_is_filled_by_whoever_has_the_entry)
{
    begin(6, 3);
    rot(2);
    restart();
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_greet(&rig, 'Z', &log_a, 6);
    ck_assert(lone_did(&rig, "send Z HELLO incarnation 2 promised 1 size 6 "
                             "committed 3 damaged\n"));
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "send Z FETCH first 2 count 1\n"));
    give('Z', &log_a);
    ck_assert(lone_did(&rig, "job repair 2+1\n"));
    lone_forget(&rig);
    lone_work(&rig);
    lone_expect(&rig, "say repaired 2\ncommit 3\n");
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "send Z HELLO incarnation 2 promised 1 size 6 "
                             "committed 3\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(C4_the_hash_decides_and_not_who_gives)
{
    begin(6, 3);
    rig_log_copy(&log_b, &log_a, 2);
    rig_log_add(&log_b, 4, 1, 9);
    rot(2);
    restart();
    lone_greet(&rig, 'Z', &log_a, 6);
    lone_tick(&rig, 100);
    give('Z', &log_b);
    lone_work(&rig);
    ck_assert_uint_eq(lone_count(&rig, "say repaired"), 0);
    lone_greet(&rig, 'A', &log_a, 6);
    lone_forget(&rig);
    lone_pass(&rig, 600);
    ck_assert(lone_did(&rig, "send A FETCH first 2 count 1\n"));
    give('A', &log_a);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say repaired 2\n"));
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_end(&rig);
}
END_TEST

START_TEST(C4_a_peer_that_does_not_answer_is_not_waited_for)
{
    begin(6, 3);
    rot(2);
    restart();
    lone_greet(&rig, 'A', &log_a, 6);
    lone_greet(&rig, 'Z', &log_a, 6);
    lone_pass(&rig, 3000);
    ck_assert_uint_ge(lone_count(&rig, "send A FETCH"), 2);
    ck_assert_uint_ge(lone_count(&rig, "send Z FETCH"), 2);
    ck_assert_uint_le(lone_count(&rig, "send A FETCH"), 7);
    lone_end(&rig);
}
END_TEST

START_TEST(R21_who_has_a_hole_neither_seals_nor_leads_nor_says_never)
{
    begin(6, 3);
    rot(2);
    restart();
    lone_greet(&rig, 'A', &log_a, 6);
    lone_forget(&rig);
    newepoch('A', 2);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send A REFUSED damaged epoch 2"));
    fetch('A', 6, 1);
    ck_assert(lone_did(&rig, "send A FETCHED unsure first 6\n"));
    fetch('A', 2, 1); /* What is damaged is not given. */
    ck_assert(lone_did(&rig, "send A FETCHED unsure first 2\n"));
    lone_unlink(&rig, 'A');
    lone_alive(&rig, 'A', false);
    lone_pass(&rig, 20000);
    ck_assert_uint_eq(rig.asked_count, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(a_member_that_lost_nothing_says_never_of_what_it_never_had)
{
    begin(6, 3);
    lone_greet(&rig, 'A', &log_a, 6);
    fetch('A', 6, 1);
    ck_assert(lone_did(&rig, "send A FETCHED never first 6\n"));
    fetch('A', 2, 3);
    ck_assert(lone_did(&rig, "send A FETCHED entries first 2 count 3\n"));
    fetch('A', 4, UINT32_MAX);
    ck_assert(lone_did(&rig, "send A FETCHED entries first 4 count 2\n"));
    fetch('A', UINT64_MAX, UINT32_MAX);
    ck_assert(lone_did(&rig, "send A FETCHED never first 1844674407370955161"));
    lone_end(&rig);
}
END_TEST

START_TEST(a_learner_never_says_never)
{
    begin(6, 3);
    lone_lose_power(&rig);
    config_dismiss(&rig.config, sample_node('B'));
    rig.config.minimum = 1;
    rig.config.number += 2;
    rig.revision++;
    lone_start(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LEARNER);
    lone_greet(&rig, 'A', &log_a, 6);
    fetch('A', 6, 1);
    ck_assert(lone_did(&rig, "send A FETCHED unsure first 6\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(I13_an_entry_that_rots_in_service_is_noticed_and_got_again)
{
    begin(40, 3);
    restart(); /* Nothing of it is in memory. */
    lone_greet(&rig, 'A', &log_a, 40);
    rot(7);
    lone_forget(&rig);
    fetch('A', 7, 1);
    ck_assert(lone_did(&rig, "send A FETCHED unsure first 7\n"));
    ck_assert(lone_did(&rig, "say rot 7\njob examine 7\n"));
    lone_work(&rig);
    lone_tick(&rig, 100);
    ck_assert(lone_did(&rig, "send A FETCH first 7 count 1\n"));
    give('A', &log_a);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say repaired 7\n"));
    fetch('A', 7, 1);
    ck_assert(lone_did(&rig, "send A FETCHED entries first 7 count 1\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(a_tail_that_nobody_has_is_cut_off_and_the_node_is_lost)
{
    begin(6, 3);
    rot(4);
    restart();
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_restart(&rig, 2);
    lone_greet(&rig, 'A', &log_a, 4);
    lone_append_in(&rig, 'A', &log_a, 2, 4, 4, 3); /* It leads. */
    lone_work(&rig);
    for (int i = 0; i < 6 && !lone_did(&rig, "job cut"); i++) {
        lone_forget(&rig);
        lone_pass(&rig, 600);
        if (lone_did(&rig, "send A FETCH"))
            give_nothing('A', PEER_FETCH_NEVER);
    }
    ck_assert(lone_did(&rig, "job cut 4\n"));
    lone_work(&rig);
    /* It goes on as a later start, which is to be registered first. */
    ck_assert_int_eq(lone_role(&rig), REPLICA_START);
    lone_registered(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert(rig_log_equals(&log_a, rig.journal, 4));
    lone_end(&rig);
}
END_TEST

/* A says again and again that it never had what it is asked for. */
static bool refused_until(const char *line)
{
    for (int i = 0; i < 8 && !lone_did(&rig, line); i++) {
        lone_forget(&rig);
        lone_pass(&rig, 600);
        lone_work(&rig);
        if (lone_did(&rig, "send A FETCH"))
            give_nothing('A', PEER_FETCH_NEVER);
    }
    return lone_did(&rig, line);
}

START_TEST(a_hole_over_the_commit_that_nobody_can_fill_is_cut_where_it_begins)
{
    begin(7, 5);
    rot(4);
    rot(5); /* Of a tail that A never had. */
    restart();
    lone_restart(&rig, 2);
    lone_greet(&rig, 'A', &log_a, 4);
    lone_append_in(&rig, 'A', &log_a, 2, 4, 4, 3);
    lone_work(&rig);
    ck_assert(refused_until("job cut 4\n"));
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_START);
    ck_assert_uint_eq(lone_status(&rig).committed, 4);
    /* That more was committed is not forgotten, nor that it is lost. */
    ck_assert_uint_eq(journal_lost(rig.journal).committed, 5);
    restart();
    ck_assert_uint_ne(lone_status(&rig).lost_to, 0);
    ck_assert(rig_log_equals(&log_a, rig.journal, 4));
    lone_end(&rig);
}
END_TEST

/* Rots the header of the file too: nothing says any more what entry ${index},
 * the first of its segment, follows. */
static void rot_border(uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(rig.journal, file, &offset, index), ST_OK);
    rot(index);
    disk_model_rot(rig.model, file, 20, 3);
}

static uint64_t second_segment(void)
{
    char first[DISK_NAME_SIZE_MAX], file[DISK_NAME_SIZE_MAX];
    uint64_t offset, index = 0;

    ck_assert_int_eq(journal_place(rig.journal, first, &offset, 0), ST_OK);
    do {
        index++;
        ck_assert_int_eq(journal_place(rig.journal, file, &offset, index),
                         ST_OK);
    } while (strcmp(first, file) == 0);
    return index;
}

START_TEST(damage_that_cannot_be_judged_is_cut_off_by_a_lost_node)
{
    char line[64];
    uint64_t border;

    begin(15, 15);
    rig_log_add(&log_a, 45, 1, 0);
    for (uint64_t i = 15; i < 60; i += 15) {
        lone_append(&rig, 'A', &log_a, i, i + 15, i + 15);
        lone_work(&rig);
    }
    border = second_segment();
    rot(border - 1);
    rot_border(border);
    lone_forget_recent(&rig);
    lone_greet(&rig, 'A', &log_a, 60);
    lone_append_in(&rig, 'A', &log_a, 2, 60, 60, 60);
    fetch('A', border - 1, 1);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "say lost"));
    (void)snprintf(line, sizeof line, "job cut %u\n", (unsigned)border - 1);
    ck_assert(lone_did(&rig, line));
    ck_assert(rig_log_equals(&log_a, rig.journal, border - 1));
    lone_end(&rig);
}
END_TEST

START_TEST(who_was_lost_already_is_not_admitted_for_what_it_cut_since)
{
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    struct config admitting;

    begin_lost(); /* Up to 6; it has 5, and gets others than it had. */
    lone_restart(&rig, 2);
    rig_log_copy(&log_b, &log_a, 5);
    rig_log_add(&log_b, 3, 2, 9);
    lone_greet(&rig, 'A', &log_b, 8);
    lone_append_in(&rig, 'A', &log_b, 2, 5, 8, 6);
    lone_work(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    rot(5);
    rot(6);
    rot(7);
    lone_forget_recent(&rig);
    fetch('A', 5, 1);
    for (int i = 0; i < 12 && !lone_did(&rig, "job cut 5\n"); i++) {
        lone_work(&rig);
        lone_append_in(&rig, 'A', &log_b, 2, 4, 4, 4);
        lone_forget(&rig);
        lone_pass(&rig, 600);
        if (lone_did(&rig, "send A FETCH"))
            give_nothing('A', PEER_FETCH_UNSURE);
    }
    ck_assert(lone_did(&rig, "job cut 5\n"));
    lone_work(&rig);
    lone_registered(&rig);
    config_encode(bytes, &rig.config);
    config_succeed(&admitting, &rig.config,
                   slice_of(bytes, config_size(&rig.config)), CONFIG_ADD);
    config_remove_member(&admitting, sample_node('B'));
    config_add_member(&admitting, sample_node('B'), 2); /* As it started. */
    lone_view(&rig, &admitting);
    lone_work(&rig);
    ck_assert_uint_ne(lone_status(&rig).lost_to, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(entries_that_do_not_fit_between_others_are_cut_off_with_them)
{
    struct journal_gap gap;

    begin(6, 6);
    rot(3);
    restart();
    ck_assert_int_eq(journal_hole_at(rig.journal, &gap, 0), ST_OK);
    /* As if what lies behind had been written to another place. */
    rig.journal->chunks[0][0].hole.offset_end -= 8;
    lone_restart(&rig, 2);
    lone_greet(&rig, 'A', &log_a, 6);
    lone_append_in(&rig, 'A', &log_a, 2, 2, 2, 0); /* It leads. */
    lone_work(&rig);
    lone_forget(&rig);
    for (int i = 0; i < 20 && !lone_did(&rig, "send A FETCH"); i++)
        lone_tick(&rig, 100);
    give('A', &log_a);
    ck_assert(lone_did(&rig, "job repair 3+1\n"));
    lone_work(&rig);
    ck_assert(lone_did(&rig, "job cut 3\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(committed_entries_that_nobody_gives_are_never_cut_off)
{
    begin(6, 6);
    rot(4);
    restart();
    lone_greet(&rig, 'A', &log_a, 6);
    lone_append_in(&rig, 'A', &log_a, 2, 4, 4, 0);
    lone_work(&rig);
    for (int i = 0; i < 20; i++) {
        lone_forget(&rig);
        lone_pass(&rig, 600);
        if (lone_did(&rig, "send A FETCH"))
            give_nothing('A', PEER_FETCH_NEVER);
        ck_assert_uint_eq(lone_count(&rig, "job cut"), 0);
    }
    ck_assert_uint_eq(journal_size(rig.journal), 6);
    lone_end(&rig);
}
END_TEST

/* ---- C5, C6, C7 ---------------------------------------------------------- */

static void spoil(const char *file, bool first, bool second)
{
    if (first)
        disk_model_rot(rig.model, file, 40, 1);
    if (second)
        disk_model_rot(rig.model, file, SLOT_SIZE + 40, 1);
}

START_TEST(C6_without_a_mark_nobody_knows_what_is_missing)
{
    begin(6, 3);
    lone_lose_power(&rig);
    spoil("mark", true, true);
    lone_start(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    ck_assert_uint_eq(lone_status(&rig).lost_to, UINT64_MAX);
    lone_greet(&rig, 'A', &log_a, 6);
    lone_append(&rig, 'A', &log_a, 6, 6, 6);
    lone_work(&rig);
    lone_pass(&rig, 5000);
    lone_work(&rig);
    /* However much it has: only a configuration says that it is enough. */
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    lone_end(&rig);
}
END_TEST

START_TEST(C6_the_first_node_writes_no_first_configuration_without_its_mark)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_open(&rig);
    lone_lose_power(&rig);
    spoil("mark", true, true);
    lone_start(&rig);
    lone_pass(&rig, 20000);
    ck_assert_uint_eq(rig.asked_count, 0);
    ck_assert_int_eq(lone_role(&rig), REPLICA_LOST);
    lone_end(&rig);
}
END_TEST

START_TEST(C7_without_a_meta_file_a_node_does_not_start)
{
    begin(6, 3);
    lone_lose_power(&rig);
    spoil("meta", true, true);
    ck_assert_int_eq(lone_try_open(&rig), ST_FILE_FORMAT);
    lone_end(&rig);
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
           C4_a_hole_is_filled_by_whoever_has_the_entry,
           C4_the_hash_decides_and_not_who_gives,
           C4_a_peer_that_does_not_answer_is_not_waited_for,
           R21_who_has_a_hole_neither_seals_nor_leads_nor_says_never,
           a_member_that_lost_nothing_says_never_of_what_it_never_had,
           a_learner_never_says_never,
           I13_an_entry_that_rots_in_service_is_noticed_and_got_again,
           a_tail_that_nobody_has_is_cut_off_and_the_node_is_lost,
           a_hole_over_the_commit_that_nobody_can_fill_is_cut_where_it_begins,
           damage_that_cannot_be_judged_is_cut_off_by_a_lost_node,
           who_was_lost_already_is_not_admitted_for_what_it_cut_since,
           entries_that_do_not_fit_between_others_are_cut_off_with_them,
           committed_entries_that_nobody_gives_are_never_cut_off,
           C6_without_a_mark_nobody_knows_what_is_missing,
           C6_the_first_node_writes_no_first_configuration_without_its_mark,
           C7_without_a_meta_file_a_node_does_not_start)
