/*
 * A node that lost its end and hears no primary asks the others itself (C3).
 */
#include <string.h>

#include "tests/lib/replica_damage.h"
#include "tests/lib/suite.h"

/* Lost up to 6, it has 5, and A answers what it is asked. */
static void begin_asking(void)
{
    damage_begin_lost();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    for (int i = 0; i < 20 && !lone_did(&damage_rig, "send A FETCH"); i++)
        lone_tick(&damage_rig, 100);
    ck_assert(lone_did(&damage_rig, "send A FETCH first 5 count 1\n"));
    lone_forget(&damage_rig);
}

/* Entries from 5 up to ${end} of ${log} as the answer to the newest question.
 */
static void answer(const struct rig_log *log, uint64_t end)
{
    static uint8_t bytes[PEER_ENTRIES_SIZE_MAX];
    struct peer_frame frame = {.type = PEER_FETCHED};
    struct writer entries;

    writer_init(&entries, bytes, sizeof bytes);
    rig_log_entries(log, &entries, 5, end);
    frame.fetched.token = damage_rig.replica->refill.token;
    frame.fetched.first = 5;
    frame.fetched.result = PEER_FETCH_ENTRIES;
    frame.entries = writer_slice(&entries);
    lone_receive(&damage_rig, 'A', &frame);
}

START_TEST(what_leads_to_the_mark_is_taken_and_the_node_is_whole)
{
    begin_asking();
    answer(&damage_log_a, 6);
    ck_assert(lone_did(&damage_rig, "job append 1\n"));
    for (int i = 0; i < 20; i++) {
        lone_work(&damage_rig);
        lone_tick(&damage_rig, 100);
    }
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_MEMBER);
    ck_assert(rig_log_equals(&damage_log_a, damage_rig.journal, 6));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(another_entry_that_chains_is_not_taken)
{
    begin_asking();
    rig_log_copy(&damage_log_b, &damage_log_a, 5);
    rig_log_add(&damage_log_b, 1, 1, 9);
    answer(&damage_log_b, 6);
    lone_work(&damage_rig);
    ck_assert_uint_eq(lone_count(&damage_rig, "job append"), 0);
    ck_assert_uint_eq(lone_count(&damage_rig, "drop"), 0);
    ck_assert_uint_eq(damage_rig.replica->log.end.size, 5);
    /* The same is asked again, and the right one is taken then. */
    for (int i = 0; i < 20 && !lone_did(&damage_rig, "send A FETCH"); i++)
        lone_tick(&damage_rig, 100);
    answer(&damage_log_a, 6);
    ck_assert(lone_did(&damage_rig, "job append 1\n"));
    lone_end(&damage_rig);
}
END_TEST

START_TEST(nothing_is_taken_behind_what_was_acknowledged)
{
    begin_asking();
    rig_log_add(&damage_log_a, 1, 1, 0);
    answer(&damage_log_a, 7);
    lone_work(&damage_rig);
    ck_assert_uint_eq(lone_count(&damage_rig, "job append"), 0);
    lone_end(&damage_rig);
}
END_TEST

START_TEST(whoever_hears_a_primary_waits_for_its_stream)
{
    damage_begin_lost();
    lone_greet(&damage_rig, 'A', &damage_log_a, 6);
    lone_append_in(&damage_rig, 'A', &damage_log_a, 1, 5, 5, 3);
    for (int i = 0; i < 20; i++) {
        lone_append_in(&damage_rig, 'A', &damage_log_a, 1, 5, 5, 3);
        lone_tick(&damage_rig, 100);
    }
    ck_assert_uint_eq(lone_count(&damage_rig, "send A FETCH"), 0);
    lone_end(&damage_rig);
}
END_TEST

SUITE_MAIN("replica_refill",
           what_leads_to_the_mark_is_taken_and_the_node_is_whole,
           another_entry_that_chains_is_not_taken,
           nothing_is_taken_behind_what_was_acknowledged,
           whoever_hears_a_primary_waits_for_its_stream)
