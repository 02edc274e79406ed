/*
 * Peers that speak against what is committed: what they say without proof is
 * told, and halts nobody (R9, I17).
 */
#include <string.h>

#include "replication/halt.h"
#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a, log_z;

/* B, in sync under A with six entries, of which four are committed; the learner
 * Z has others from the third on, in ${epoch}. */
static void begin(uint32_t epoch)
{
    struct sample_config pair;

    lone_begin(&rig, 'B', "ABZ");
    memset(&log_a, 0, sizeof log_a);
    memset(&log_z, 0, sizeof log_z);
    sample_config_pair(&pair);
    rig.config = pair.config;
    rig.config.base_size = 1;
    for (size_t i = 0; i < rig.config.members_count; i++)
        rig.config.members[i].incarnation = 1;
    rig.revision = 5;
    lone_start(&rig);
    rig_log_add(&log_a, 6, 1, 0);
    rig_log_copy(&log_z, &log_a, 2);
    rig_log_add(&log_z, 4, epoch, 9);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_a, 0, 6, 4);
    lone_work(&rig);
    lone_tick(&rig, 100);
    lone_work(&rig);
    lone_greet(&rig, 'Z', NULL, 0);
    lone_forget(&rig);
}

/* All is as it was. */
static void expect_untouched(void)
{
    ck_assert_int_eq(lone_status(&rig).halt, HALT_NONE);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    ck_assert_uint_eq(lone_status(&rig).committed, 4);
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_append(&rig, 'A', &log_a, 6, 6, 6);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "send A REFUSED higher") ||
              lone_did(&rig, "send A APPENDED epoch 1 stream 1 size 6\n"));
    lone_end(&rig);
}

static void beacon(char peer, uint32_t epoch, uint64_t committed,
                   const uint8_t *leaf)
{
    struct peer_frame frame = {.type = PEER_BEACON};

    frame.beacon.epoch = epoch;
    frame.beacon.committed = committed;
    frame.beacon.time = rig.wall_us;
    memcpy(frame.beacon.leaf.b, leaf, HASH_SIZE);
    lone_receive(&rig, peer, &frame);
}

START_TEST(a_scrub_that_differs_is_answered_and_told)
{
    struct peer_frame frame = {.type = PEER_SCRUB};

    begin(1);
    frame.scrub.end = 4;
    memcpy(frame.scrub.digest.b, log_z.ends[4].leaf, HASH_SIZE);
    lone_receive(&rig, 'Z', &frame);
    lone_expect(&rig, "send Z SCRUBBED end 4 result 2\nsay dispute Z 3\n");
    ck_assert_uint_eq(lone_status(&rig).disputes, 1);
    expect_untouched();
}
END_TEST

START_TEST(a_peer_that_found_a_difference_is_told_of)
{
    struct peer_frame frame = {.type = PEER_SCRUBBED};

    begin(1);
    frame.scrubbed.result = PEER_SCRUB_DIFFERS;
    frame.scrubbed.first = 4;
    lone_receive(&rig, 'Z', &frame);
    lone_expect(&rig, "say dispute Z 3\n");
    frame.scrubbed.first = 0; /* Of nothing. */
    lone_receive(&rig, 'Z', &frame);
    lone_expect(&rig, "");
    expect_untouched();
}
END_TEST

START_TEST(a_beacon_of_another_committed_entry_is_told)
{
    begin(1);
    beacon('Z', 2, 4, log_z.ends[4].leaf);
    ck_assert(lone_did(&rig, "say dispute Z 3\n"));
    ck_assert_uint_eq(lone_count(&rig, "halt"), 0);
    lone_work(&rig);
    expect_untouched();
}
END_TEST

START_TEST(people_are_told_of_a_peer_once_in_a_while_and_all_is_counted)
{
    struct peer_frame frame = {.type = PEER_SCRUB};

    begin(1);
    frame.scrub.end = 4;
    memcpy(frame.scrub.digest.b, log_z.ends[4].leaf, HASH_SIZE);
    for (int i = 0; i < 1000; i++)
        lone_receive(&rig, 'Z', &frame);
    ck_assert_uint_eq(lone_count(&rig, "say dispute"), 1);
    ck_assert_uint_eq(lone_status(&rig).disputes, 1000);
    memcpy(frame.scrub.digest.b, log_z.ends[5].leaf, HASH_SIZE);
    lone_receive(&rig, 'A', &frame); /* Another one speaks for itself. */
    ck_assert_uint_eq(lone_count(&rig, "say dispute"), 2);
    lone_pass(&rig, rig.options.timers.grace_ms);
    lone_receive(&rig, 'Z', &frame);
    ck_assert_uint_eq(lone_count(&rig, "say dispute Z"), 2);
    lone_end(&rig);
}
END_TEST

START_TEST(R9_entries_of_a_node_that_is_not_named_halt_nobody)
{
    begin(3);
    lone_append(&rig, 'Z', &log_z, 2, 6, 6);
    ck_assert(lone_did(&rig, "say dispute Z 2\n"));
    ck_assert(lone_did(&rig, "drop Z\n"));
    ck_assert_uint_eq(lone_count(&rig, "halt"), 0);
    lone_work(&rig);
    expect_untouched();
}
END_TEST

START_TEST(R9_nothing_is_cut_for_a_node_that_is_not_named)
{
    begin(1);
    memset(&log_z, 0, sizeof log_z);
    rig_log_copy(&log_z, &log_a, 4);
    rig_log_add(&log_z, 3, 3, 9);
    lone_pass(&rig, 1000); /* The register was asked a while ago. */
    lone_forget(&rig);
    lone_append(&rig, 'Z', &log_z, 4, 7, 7);
    lone_expect(&rig, "job promise 3\nask read\n"
                      "send Z REFUSED damaged epoch 3 promised 3 size 6 "
                      "committed 4\n");
    lone_append(&rig, 'Z', &log_z, 4, 7, 7);
    ck_assert_uint_eq(lone_count(&rig, "ask read"), 0); /* Just now. */
    lone_work(&rig);
    expect_untouched();
}
END_TEST

START_TEST(R9_once_it_is_named_its_entries_are_taken)
{
    begin(1);
    memset(&log_z, 0, sizeof log_z);
    rig_log_copy(&log_z, &log_a, 4);
    rig_log_add(&log_z, 3, 2, 9);
    lone_append(&rig, 'A', &log_z, 4, 7, 7);
    lone_work(&rig);
    ck_assert_uint_eq(lone_count(&rig, "job cut"), 0);
    lone_restart(&rig, 2);
    lone_append(&rig, 'A', &log_z, 4, 7, 7);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "job cut 4\n"));
    ck_assert(rig_log_equals(&log_z, rig.journal, 7));
    ck_assert_uint_eq(lone_status(&rig).committed, 7);
    lone_end(&rig);
}
END_TEST

START_TEST(R4_what_a_node_that_is_not_named_says_is_committed_is_not)
{
    begin(1);
    lone_append_in(&rig, 'Z', &log_a, 3, 4, 6, 6);
    lone_work(&rig);
    beacon('Z', 3, 6, log_a.ends[6].leaf);
    ck_assert_uint_eq(lone_count(&rig, "commit"), 0);
    expect_untouched();
}
END_TEST

START_TEST(R26_a_node_that_is_not_named_keeps_nobody_from_leading)
{
    struct peer_frame frame = {.type = PEER_NEWEPOCH};

    begin(1);
    lone_alive(&rig, 'A', false);
    lone_unlink(&rig, 'A');
    for (int i = 0; i < 30 && !lone_did(&rig, "ask promote"); i++) {
        frame.newepoch.epoch = 1;
        lone_receive(&rig, 'Z', &frame);
        beacon('Z', 1, 4, log_a.ends[4].leaf);
        lone_silence(&rig, 1000);
    }
    ck_assert(lone_did(&rig, "ask promote"));
    ck_assert_mem_eq(lone_status(&rig).primary, sample_node('A'), NODE_ID_SIZE);
    lone_end(&rig);
}
END_TEST

static enum status diverge(void *context, const struct storage_job *job)
{
    (void)context;
    (void)job;
    return ST_DIVERGED;
}

START_TEST(other_bytes_of_a_seal_key_halt_if_the_named_primary_sends_them)
{
    begin(1);
    rig_log_add(&log_a, 1, 1, 0);
    rig.storage.keys.accept = diverge;
    lone_append(&rig, 'A', &log_a, 6, 7, 4);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "halt 5\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(other_bytes_of_a_seal_key_from_another_node_are_not_taken)
{
    begin(1);
    rig_log_add(&log_a, 1, 3, 0);
    rig.storage.keys.accept = diverge;
    lone_append(&rig, 'Z', &log_a, 6, 7, 4);
    lone_work(&rig);
    ck_assert(lone_did(&rig, "drop Z\n"));
    ck_assert_uint_eq(lone_count(&rig, "halt"), 0);
    rig.storage.keys.accept = NULL;
    expect_untouched();
}
END_TEST

/* ---- Halting ------------------------------------------------------------- */

/* A, who is named, shows another entry below the commit. */
static void halt(void)
{
    begin(2);
    lone_restart(&rig, 2);
    lone_append(&rig, 'A', &log_z, 2, 6, 6);
    ck_assert(lone_did(&rig, "halt 1\n"));
}

/* It takes part in nothing. */
static void expect_halted(const char *says)
{
    struct replica_event enrolled = {.type = REPLICA_ENROLLED,
                                     .enrolled = true};

    lone_forget(&rig);
    lone_open(&rig);
    lone_event(&rig, &enrolled);
    lone_expect(&rig, says);
    lone_tick(&rig, 1);
    lone_link(&rig, 'A');
    lone_pass(&rig, 30000);
    lone_expect(&rig, "");
    ck_assert_int_eq(lone_role(&rig), REPLICA_HALTED);
    ck_assert(!lone_status(&rig).healthy);
}

START_TEST(a_node_that_halted_is_halted_at_every_start)
{
    static uint8_t bytes[HALT_SIZE_MAX + 1];
    struct halt_note note;
    enum status status;

    halt();
    lone_work(&rig);
    for (int i = 0; i < 3; i++) {
        lone_lose_power(&rig);
        expect_halted("say halt 1\nsay halted\nhalt 1\n");
    }
    status = halt_load(&note, bytes, disk_model_disk(rig.model));
    ck_assert_int_eq(status, ST_OK);
    ck_assert_uint_eq(note.index, 2);
    ck_assert_int_ge(note.time_us, SAMPLE_SIGNED_AT);
    ck_assert_uint_eq(note.evidence.size, RIG_ENTRY);
    ck_assert(rig_log_equals(&log_a, rig.journal, 6));
    lone_end(&rig);
}
END_TEST

START_TEST(a_node_whose_halt_was_cleared_goes_on)
{
    char name[DISK_NAME_SIZE_MAX];

    halt();
    lone_work(&rig);
    lone_stop(&rig);
    ck_assert_int_eq(halt_clear(disk_model_disk(rig.model), name), ST_OK);
    lone_start(&rig);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_z, 2, 6, 6); /* And meets the same again. */
    ck_assert(lone_did(&rig, "halt 1\n"));
    lone_end(&rig);
}
END_TEST

START_TEST(a_halt_that_cannot_be_read_is_one)
{
    halt();
    lone_work(&rig);
    lone_stop(&rig);
    disk_model_rot(rig.model, HALT_FILE, 8, 1);
    expect_halted("say halt 7\nsay halted\nhalt 7\n");
    lone_end(&rig);
}
END_TEST

START_TEST(a_halt_is_the_last_thing_that_reaches_the_disk)
{
    const struct storage_job *last;

    halt();
    last = rig.jobs[rig.jobs_count - 1];
    ck_assert_int_eq(last->type, STORAGE_HALT);
    lone_append(&rig, 'A', &log_a, 6, 6, 6);
    ck_assert_ptr_eq(last, rig.jobs[rig.jobs_count - 1]);
    lone_work(&rig);
    ck_assert_uint_eq(rig.jobs_count, 0);
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_dispute", a_scrub_that_differs_is_answered_and_told,
           a_peer_that_found_a_difference_is_told_of,
           a_beacon_of_another_committed_entry_is_told,
           people_are_told_of_a_peer_once_in_a_while_and_all_is_counted,
           R9_entries_of_a_node_that_is_not_named_halt_nobody,
           R9_nothing_is_cut_for_a_node_that_is_not_named,
           R9_once_it_is_named_its_entries_are_taken,
           R4_what_a_node_that_is_not_named_says_is_committed_is_not,
           R26_a_node_that_is_not_named_keeps_nobody_from_leading,
           other_bytes_of_a_seal_key_halt_if_the_named_primary_sends_them,
           other_bytes_of_a_seal_key_from_another_node_are_not_taken,
           a_node_that_halted_is_halted_at_every_start,
           a_node_whose_halt_was_cleared_goes_on,
           a_halt_that_cannot_be_read_is_one,
           a_halt_is_the_last_thing_that_reaches_the_disk)
