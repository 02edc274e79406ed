/*
 * Reading the whole log at rest, and comparing it with the others'.
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a;

/* B is in sync under A, has ${size} entries and knows ${committed} of them to
 * be committed. */
static void begin(size_t size, uint64_t committed)
{
    struct sample_config pair;

    lone_begin(&rig, 'B', "ABZ");
    memset(&log_a, 0, sizeof log_a);
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

static void scrub(char peer, uint64_t end, const uint8_t *leaf)
{
    struct peer_frame frame = {.type = PEER_SCRUB};

    frame.scrub.end = end;
    memcpy(frame.scrub.digest.b, leaf, HASH_SIZE);
    lone_receive(&rig, peer, &frame);
}

START_TEST(logs_that_are_compared_are_equal_or_that_is_told)
{
    begin(6, 4);
    lone_greet(&rig, 'Z', &log_a, 6);
    lone_forget(&rig);
    scrub('Z', 4, log_a.ends[4].leaf);
    lone_expect(&rig, "send Z SCRUBBED end 4 result 1\n");
    scrub('Z', 6, log_a.ends[5].leaf); /* Not committed here. */
    lone_expect(&rig, "send Z SCRUBBED end 6 result 3\n");
    scrub('Z', 0, log_a.ends[5].leaf);
    lone_expect(&rig, "send Z SCRUBBED end 0 result 3\n");
    scrub('Z', 3, log_a.ends[4].leaf);
    lone_expect(&rig, "send Z SCRUBBED end 3 result 2\nsay dispute Z 2\n");
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_end(&rig);
}
END_TEST

START_TEST(a_scrub_reads_everything_and_then_asks_the_others)
{
    begin(40, 40);
    rig.replica->options.timers.scrub_ms = 100;
    lone_greet(&rig, 'A', &log_a, 40);
    lone_greet(&rig, 'Z', &log_a, 40);
    lone_forget(&rig);
    for (int i = 0; i < 300 && !lone_did(&rig, "send A SCRUB"); i++)
        lone_tick(&rig, 200);
    ck_assert(lone_did(&rig, "send A SCRUB end "));
    ck_assert(lone_did(&rig, "send Z SCRUB end "));
    rot(9);
    lone_forget(&rig);
    for (int i = 0; i < 300 && !lone_did(&rig, "say rot"); i++)
        lone_tick(&rig, 200);
    ck_assert(lone_did(&rig, "say rot 9\njob examine 9\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(damage_that_nobody_can_repair_is_told_once)
{
    begin(40, 40);
    rig.replica->options.timers.scrub_ms = 100;
    rot(9);
    for (int i = 0; i < 600; i++) {
        lone_tick(&rig, 200);
        lone_work(&rig);
    }
    ck_assert_uint_eq(lone_count(&rig, "say rot 9\n"), 1);
    lone_end(&rig);
}
END_TEST

/* The next start of B, which has log A: A said hello, and the register has not
 * answered. */
static void start_unregistered(void)
{
    lone_stop(&rig);
    lone_open(&rig);
    rig.replica->options.timers.scrub_ms = 100;
    lone_greet(&rig, 'A', &log_a, 40);
    lone_tick(&rig, 1);
    lone_looked(&rig, rig.meta.value.claimed);
    lone_forget(&rig);
}

START_TEST(R25_who_is_not_registered_yet_compares_with_nobody)
{
    begin(40, 40);
    start_unregistered();
    for (int i = 0; i < 300; i++)
        lone_tick(&rig, 200);
    ck_assert_uint_eq(lone_count(&rig, "send"), 0);
    lone_registered(&rig);
    ck_assert(lone_did(&rig, "send A HELLO"));
    for (int i = 0; i < 300 && !lone_did(&rig, "send A SCRUB"); i++)
        lone_tick(&rig, 200);
    ck_assert(lone_did(&rig, "send A SCRUB end "));
    lone_end(&rig);
}
END_TEST

START_TEST(R25_who_is_not_registered_yet_asks_nobody_for_what_is_damaged)
{
    begin(40, 40);
    start_unregistered();
    rot(9);
    for (int i = 0; i < 300; i++) {
        lone_tick(&rig, 200);
        lone_work(&rig);
    }
    ck_assert(lone_did(&rig, "say rot 9\n"));
    ck_assert_uint_eq(lone_count(&rig, "send"), 0);
    lone_registered(&rig);
    lone_forget(&rig);
    for (int i = 0; i < 300 && !lone_did(&rig, "send A FETCH"); i++)
        lone_tick(&rig, 200);
    ck_assert(lone_did(&rig, "send A FETCH"));
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_scrub", logs_that_are_compared_are_equal_or_that_is_told,
           a_scrub_reads_everything_and_then_asks_the_others,
           damage_that_nobody_can_repair_is_told_once,
           R25_who_is_not_registered_yet_compares_with_nobody,
           R25_who_is_not_registered_yet_asks_nobody_for_what_is_damaged)
