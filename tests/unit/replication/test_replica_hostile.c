/*
 * Peers that break the rules: they are dropped, and nothing else happens.
 */
#include <string.h>

#include "tests/lib/replica_rig.h"
#include "tests/lib/schema_sample.h"
#include "tests/lib/suite.h"

static struct replica_rig rig;
static struct rig_log log_a;

/* B, in sync under A with six entries, of which four are committed. */
static void begin(void)
{
    struct sample_config pair;

    lone_begin(&rig, 'B', "ABZ");
    memset(&log_a, 0, sizeof log_a);
    sample_config_pair(&pair);
    rig.config = pair.config;
    rig.config.base_size = 1;
    for (size_t i = 0; i < rig.config.members_count; i++)
        rig.config.members[i].incarnation = 1;
    rig.revision = 5;
    lone_start(&rig);
    rig_log_add(&log_a, 6, 1, 0);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_a, 0, 6, 4);
    lone_work(&rig);
    lone_tick(&rig, 100);
    lone_work(&rig);
    lone_forget(&rig);
}

/* A was dropped for its last frame; nothing was written or sent. */
static void expect_dropped_as(const char *why)
{
    ck_assert_msg(lone_did(&rig, "drop A\n"), "%s", rig.trace);
    ck_assert_uint_eq(lone_count(&rig, why), 1);
    ck_assert_uint_eq(lone_count(&rig, "job"), 0);
    ck_assert_uint_eq(lone_count(&rig, "send"), 0);
    ck_assert_int_eq(lone_role(&rig), REPLICA_MEMBER);
    lone_forget(&rig);
}

static void expect_dropped(void)
{
    expect_dropped_as("say peer A ");
}

static void greet_again(void)
{
    lone_greet(&rig, 'A', &log_a, 6);
    lone_forget(&rig);
}

START_TEST(a_frame_that_does_not_decode_drops_its_peer_and_nothing_else)
{
    uint32_t count;
    const struct peer_info *list = peer_list(&count);
    uint64_t state;

    begin();
    state = disk_model_state(rig.model);
    for (uint32_t i = 0; i < count; i++) {
        lone_receive_bytes(&rig, 'A', list[i].number, slice_of("\x01\x02", 2));
        expect_dropped();
        greet_again();
    }
    lone_receive_bytes(&rig, 'A', 0x2e, slice_of("", 0));
    expect_dropped();
    ck_assert_uint_eq(disk_model_state(rig.model), state);
    lone_append(&rig, 'A', &log_a, 6, 6, 6); /* The link is gone. */
    lone_expect(&rig, "");
    greet_again();
    lone_append(&rig, 'A', &log_a, 6, 6, 6);
    lone_expect(&rig, "send A APPENDED epoch 1 stream 1 size 6\ncommit 6\n");
    lone_end(&rig);
}
END_TEST

START_TEST(a_frame_before_the_hello_drops_its_peer)
{
    uint32_t count;
    const struct peer_info *list = peer_list(&count);
    static uint8_t memory[1 << 18];

    begin();
    for (uint32_t i = 1; i < count; i++) {
        struct peer_frame frame = {.type = (enum peer_number)list[i].number};
        struct writer space;

        writer_init(&space, memory, sizeof memory);
        schema_sample_fill(list[i].schema, &frame.hello, &space, SAMPLE_LEAST);
        lone_link(&rig, 'A');
        lone_forget(&rig);
        lone_receive(&rig, 'A', &frame);
        expect_dropped();
    }
    lone_end(&rig);
}
END_TEST

START_TEST(a_hello_of_another_cluster_lineage_or_kind_drops_its_peer)
{
    struct peer_frame hello;

    begin();
    for (int i = 0; i < 3; i++) {
        lone_link(&rig, 'A');
        lone_forget(&rig);
        lone_hello(&rig, &hello, &log_a, 6);
        hello.hello.cluster_id.b[3] ^= i == 0;
        hello.hello.lineage.b[3] ^= i == 1;
        hello.hello.flags = i == 2 ? PEER_ARCHIVE : 0;
        hello.hello.promised = 99;
        hello.hello.config_number = 99;
        lone_receive(&rig, 'A', &hello);
        expect_dropped_as(i == 1 ? "say lineage A " : "say peer A ");
    }
    lone_end(&rig);
}
END_TEST

START_TEST(nobody_leads_in_the_epoch_of_another)
{
    struct peer_frame frame = {.type = PEER_BEACON};

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    frame.beacon.epoch = 1;
    lone_receive(&rig, 'B', &frame);
    ck_assert(lone_did(&rig, "drop B\n"));
    ck_assert(rig.leads);
    lone_end(&rig);
}
END_TEST

START_TEST(an_epoch_table_that_does_not_rise_is_read_as_far_as_it_does)
{
    static uint8_t bytes[PEER_EPOCHS_MAX * 44];
    struct peer_epoch row = {.epoch = 5, .first = 3};
    struct peer_frame hello;
    struct writer space;

    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
    lone_link(&rig, 'B');
    lone_hello(&rig, &hello, NULL, 0);
    writer_init(&space, bytes, sizeof bytes);
    hello.hello.size = UINT64_MAX;
    hello.hello.epochs = list_begin(&space);
    for (int i = 0; i < PEER_EPOCHS_MAX; i++) {
        list_add(&hello.hello.epochs, &space, &schema_peer_epoch, &row);
        row.first = UINT64_MAX;
        row.epoch = 4;
    }
    lone_receive(&rig, 'B', &hello);
    ck_assert_uint_eq(rig.replica->peers[lone_peer(&rig, 'B')].epochs_count, 1);
    ck_assert(lone_did(&rig, "send B APPEND epoch 1"));
    lone_end(&rig);
}
END_TEST

/* ---- Floods ------------------------------------------------------------- */

START_TEST(answers_that_are_owed_are_bounded)
{
    struct peer_frame frame = {.type = PEER_APPEND};

    begin();
    rig_log_add(&log_a, 1, 1, 0);
    lone_append(&rig, 'A', &log_a, 6, 7, 4); /* The disk is slow. */
    frame.append.epoch = 1;
    frame.append.previous_size = 6;
    memcpy(frame.append.previous_leaf.b, log_a.ends[6].leaf, HASH_SIZE);
    for (uint32_t i = 0; i < 3 * REPLICA_OWED_MAX; i++) {
        frame.append.stream = i;
        lone_receive(&rig, 'A', &frame);
        if (lone_did(&rig, "drop A\n"))
            break;
    }
    ck_assert(lone_did(&rig, "drop A\n"));
    ck_assert_uint_le(rig.replica->owed_count, REPLICA_OWED_MAX);
    greet_again();
    lone_work(&rig);
    ck_assert_uint_eq(rig.replica->owed_count, 0);
    ck_assert(rig_log_equals(&log_a, rig.journal, 7));
    lone_end(&rig);
}
END_TEST

static void keys(char peer)
{
    struct peer_frame frame = {.type = PEER_KEYS};

    frame.keys.first = 6;
    frame.keys.rows = slice_of("rows", 4);
    lone_receive(&rig, peer, &frame);
}

START_TEST(keys_before_one_append_are_bounded)
{
    begin();
    for (int i = 0; i < REPLICA_KEYS_MAX; i++)
        keys('A');
    lone_expect(&rig, "");
    keys('A');
    expect_dropped();
    ck_assert_uint_eq(rig.replica->peers[lone_peer(&rig, 'A')].keys_count, 0);
    lone_end(&rig);
}
END_TEST

/* As many APPENDs as A gets through before the disk works, each with as many
 * bytes of keys as may be; A is greeted anew where it is dropped. */
static size_t flood(size_t from)
{
    static uint8_t rows[PEER_KEYS_SIZE_MAX];
    struct peer_frame frame = {.type = PEER_KEYS};
    size_t taken = 0;

    frame.keys.rows = slice_of(rows, sizeof rows);
    lone_forget(&rig);
    for (; !lone_did(&rig, "drop A\n"); taken++) {
        ck_assert_uint_lt(taken, 200);
        for (int i = 0; i < REPLICA_KEYS_MAX; i++)
            lone_receive(&rig, 'A', &frame);
        lone_append(&rig, 'A', &log_a, from + taken, from + taken + 1, 4);
        replica_check(rig.replica);
    }
    return taken - 1;
}

START_TEST(what_one_peer_gives_the_disk_is_bounded_in_bytes)
{
    size_t queued, taken;

    begin();
    rig_log_add(&log_a, 200, 1, 0);
    taken = flood(6);
    queued = rig.replica->peers[lone_peer(&rig, 'A')].queued_size;
    ck_assert_uint_le(queued, REPLICA_QUEUE_SIZE_MAX);
    ck_assert_uint_gt(queued, REPLICA_QUEUE_SIZE_MAX - 500000);
    ck_assert_uint_eq(lone_count(&rig, "job append"), taken);
    /* A link that begins anew changes nothing of that. */
    greet_again();
    ck_assert_uint_eq(flood(6 + taken), 0);
    greet_again();
    lone_work(&rig);
    ck_assert_uint_eq(rig.replica->peers[lone_peer(&rig, 'A')].queued_size, 0);
    ck_assert(rig_log_equals(&log_a, rig.journal, 6 + taken));
    lone_append(&rig, 'A', &log_a, 6 + taken, 7 + taken, 4);
    lone_work(&rig);
    ck_assert(rig_log_equals(&log_a, rig.journal, 7 + taken));
    lone_end(&rig);
}
END_TEST

START_TEST(keys_go_with_the_entries_behind_them_and_with_no_others)
{
    const struct storage_job *job;

    begin();
    rig_log_add(&log_a, 2, 1, 0);
    keys('A');
    keys('A');
    lone_append(&rig, 'A', &log_a, 6, 7, 4);
    job = rig.jobs[0];
    ck_assert_uint_eq(job->keys_count, 2);
    ck_assert(slice_equal(job->keys[1], slice_of("rows", 4)));
    ck_assert(job->verify_keys);
    lone_append(&rig, 'A', &log_a, 7, 8, 4);
    ck_assert_uint_eq(rig.jobs[1]->keys_count, 0);
    lone_work(&rig);
    lone_end(&rig);
}
END_TEST

START_TEST(keys_of_entries_that_are_refused_are_forgotten)
{
    begin();
    rig_log_add(&log_a, 4, 1, 0);
    keys('A');
    lone_append(&rig, 'A', &log_a, 8, 9, 4); /* A mismatch. */
    ck_assert_uint_eq(rig.replica->peers[lone_peer(&rig, 'A')].keys_count, 0);
    keys('A');
    lone_append(&rig, 'A', &log_a, 2, 5, 4); /* Here already. */
    ck_assert_uint_eq(rig.replica->peers[lone_peer(&rig, 'A')].keys_count, 0);
    lone_append_in(&rig, 'A', &log_a, 3, 6, 6, 4);
    lone_work(&rig);
    keys('A');
    lone_append_in(&rig, 'A', &log_a, 2, 6, 7, 4); /* Below the promise. */
    ck_assert_uint_eq(rig.replica->peers[lone_peer(&rig, 'A')].keys_count, 0);
    lone_end(&rig);
}
END_TEST

START_TEST(a_link_that_ends_takes_its_keys_along)
{
    begin();
    keys('A');
    lone_unlink(&rig, 'A');
    lone_greet(&rig, 'A', &log_a, 6);
    rig_log_add(&log_a, 1, 1, 0);
    lone_append(&rig, 'A', &log_a, 6, 7, 4);
    ck_assert_uint_eq(rig.jobs[0]->keys_count, 0);
    lone_work(&rig);
    lone_end(&rig);
}
END_TEST

START_TEST(a_fetch_gives_no_more_than_a_frame)
{
    struct peer_frame frame = {.type = PEER_FETCH};

    begin();
    rig_log_add(&log_a, 400, 1, 0);
    for (uint64_t at = 6; at < 406; at += 20)
        lone_append(&rig, 'A', &log_a, at, at + 20, 4);
    lone_work(&rig);
    frame.fetch.count = UINT32_MAX;
    lone_receive(&rig, 'A', &frame);
    ck_assert(lone_sent(&rig, &frame, 'A', PEER_FETCHED));
    ck_assert_uint_le(frame.entries.size, PEER_ENTRIES_SIZE_MAX);
    ck_assert_uint_gt(frame.entries.size, PEER_ENTRIES_SIZE_MAX - 400);
    lone_end(&rig);
}
END_TEST

START_TEST(what_was_not_asked_for_is_ignored)
{
    static uint8_t bytes[4096];
    struct peer_frame frame = {.type = PEER_FETCHED};
    struct writer entries;

    begin();
    writer_init(&entries, bytes, sizeof bytes);
    rig_log_add(&log_a, 2, 1, 0);
    rig_log_entries(&log_a, &entries, 6, 8);
    frame.fetched.result = PEER_FETCH_ENTRIES;
    frame.fetched.first = 6;
    frame.entries = writer_slice(&entries);
    lone_receive(&rig, 'A', &frame);
    frame = (struct peer_frame){.type = PEER_SEALED};
    frame.sealed.epoch = 1;
    lone_receive(&rig, 'A', &frame);
    frame = (struct peer_frame){.type = PEER_APPENDED};
    frame.appended.epoch = 1;
    frame.appended.size = UINT64_MAX;
    lone_receive(&rig, 'A', &frame);
    frame = (struct peer_frame){.type = PEER_REFUSED};
    frame.refused.reason = PEER_REFUSED_HIGHER;
    frame.refused.promised = 50;
    lone_receive(&rig, 'A', &frame);
    frame.refused.reason = PEER_REFUSED_LOST;
    lone_receive(&rig, 'A', &frame);
    lone_expect(&rig, "");
    ck_assert_uint_eq(journal_size(rig.journal), 6);
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("replica_hostile",
           a_frame_that_does_not_decode_drops_its_peer_and_nothing_else,
           a_frame_before_the_hello_drops_its_peer,
           a_hello_of_another_cluster_lineage_or_kind_drops_its_peer,
           nobody_leads_in_the_epoch_of_another,
           an_epoch_table_that_does_not_rise_is_read_as_far_as_it_does,
           answers_that_are_owed_are_bounded,
           keys_before_one_append_are_bounded,
           what_one_peer_gives_the_disk_is_bounded_in_bytes,
           keys_go_with_the_entries_behind_them_and_with_no_others,
           keys_of_entries_that_are_refused_are_forgotten,
           a_link_that_ends_takes_its_keys_along,
           a_fetch_gives_no_more_than_a_frame,
           what_was_not_asked_for_is_ignored)
