/*
 * ctest-label: threads
 *
 * The host of a replica that does what each test says.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/catalogue.h"
#include "protocol/peer.h"
#include "replication/halt.h"
#include "tests/lib/fake_replica.h"
#include "tests/lib/host_rig.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"

static void act_all(uint8_t number, struct replica_actions *actions,
                    const struct replica_event *event)
{
    static bool once;
    struct replica_action *action;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    action = fake_act(actions, REPLICA_LEAD);
    action->lead.epoch = 7;
    action->lead.end.size = 9;
    action->lead.config = slice_of("abc", 3);
    fake_act(actions, REPLICA_COMMIT)->size = 9;
    fake_act(actions, REPLICA_COMMIT)->size = 10;
    fake_act(actions, REPLICA_DRAIN)->on = true;
    fake_act(actions, REPLICA_DRAIN)->on = false;
    fake_act(actions, REPLICA_FOLLOW);
    fake_act(actions, REPLICA_RESTART);
    fake_act(actions, REPLICA_HALT)->halt = HALT_LINEAGE;
}

START_TEST(actions_are_carried_out_in_their_order)
{
    struct host *host;

    fake_replica_script = act_all;
    host = host_rig_start();
    host_rig_await(host_rig_did, "halt:lineage");
    ck_assert_str_eq(host_rig_did,
                     "lead:7:9:3:0 committed:9 committed:10 drain undrain "
                     "follow restart halt:lineage ");
    host_rig_end(host);
}
END_TEST

static void act_notes(uint8_t number, struct replica_actions *actions,
                      const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    for (int note = NOTE_ROLE; note <= NOTE_FORCED; note++) {
        struct replica_action *action = fake_act(actions, REPLICA_SAY);

        action->say.note = (enum replica_note)note;
        action->say.number = 1;
        action->say.text = "";
    }
}

START_TEST(every_note_has_a_sentence_of_its_own)
{
    struct host *host;
    size_t lines = 0;

    fake_replica_script = act_notes;
    host = host_rig_start();
    host_rig_await(host_rig_said, "a certificate is refused: no forced");
    host_rig_end(host);
    ck_assert_ptr_null(strchr(host_rig_said, '?'));
    static const char *const words[] = {"is now",
                                        "is the primary",
                                        "nothing is acknowledged",
                                        "again",
                                        "member no more",
                                        "is a member",
                                        "the log was cut",
                                        "LOST",
                                        "had lost is here",
                                        "was repaired",
                                        "is damaged",
                                        "contradicts",
                                        "refused",
                                        "broke the rules",
                                        "HALTED",
                                        "clock",
                                        "may not lead before",
                                        "DISPUTED",
                                        "divergent/ is full",
                                        "another lineage",
                                        "no forced certificate"};
    for (; lines < sizeof words / sizeof words[0]; lines++)
        ck_assert_msg(strstr(host_rig_said, words[lines]) != NULL, "%s",
                      words[lines]);
    ck_assert_uint_eq(lines, NOTE_FORCED + 1);
}
END_TEST

static void act_stalls(uint8_t number, struct replica_actions *actions,
                       const struct replica_event *event)
{
    static uint64_t members = 1;

    MAYBE(number == 1);
    if (members > 2 || event->type != REPLICA_TICK)
        return;
    struct replica_action *action = fake_act(actions, REPLICA_SAY);

    action->say.note = NOTE_STALLED;
    action->say.number = members++;
    action->say.text = "";
}

START_TEST(who_waits_for_more_members_does_not_speak_of_silent_ones)
{
    struct host *host;

    fake_replica_set_minimum(2);
    fake_replica_script = act_stalls;
    host = host_rig_start();
    host_rig_await(host_rig_said, "of 2 members not all answer");
    host_rig_end(host);
    ck_assert_ptr_nonnull(strstr(host_rig_said, "1 of the 2 members"));
    ck_assert_ptr_null(strstr(host_rig_said, "of 1 members"));
}
END_TEST

static struct storage_job jobs[500];

static void act_jobs(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    static size_t given, done;

    MAYBE(number == 1);
    if (event->type == REPLICA_JOB_DONE)
        ck_assert_ptr_eq(event->job, &jobs[done++]);
    for (int i = 0; i < 50 && given < 500; i++)
        fake_act(actions, REPLICA_JOB)->job = &jobs[given++];
}

START_TEST(jobs_go_to_the_disk_and_come_back_as_events_in_order)
{
    struct host *host;

    fake_replica_script = act_jobs;
    host = host_rig_start();
    fake_replica_await(1, REPLICA_JOB_DONE, 500);
    host_rig_end(host);
}
END_TEST

static void act_ask(uint8_t number, struct replica_actions *actions,
                    const struct replica_event *event)
{
    static const struct register_proposal proposal = {.token = 77};
    static bool once;
    struct replica_action *action;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    action = fake_act(actions, REPLICA_ASK);
    action->ask.call = REGISTER_INCARNATION;
    action->ask.incarnation = 3;
    fake_act(actions, REPLICA_ASK)->ask.call = REGISTER_READ;
    action = fake_act(actions, REPLICA_ASK);
    action->ask.call = REGISTER_CAS;
    action->ask.proposal = &proposal;
}

START_TEST(without_a_register_incarnations_count_and_proposals_are_refused)
{
    struct fake_event answer;
    struct host *host;

    fake_replica_script = act_ask;
    host = host_rig_start();
    fake_replica_await(1, REPLICA_ANSWERED, 1);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_REGISTERED), 1);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_VIEW), 1);
    answer = fake_replica_newest(1, REPLICA_ANSWERED);
    ck_assert_uint_eq(answer.event.answered.token, 77);
    ck_assert_int_eq(answer.event.answered.outcome, REGISTER_REJECTED);
    ck_assert(
        !fake_replica_newest(1, REPLICA_REGISTERED).event.registered.higher);
    host_rig_end(host);
}
END_TEST

static void act_lead(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (event->type == REPLICA_HAND_OVER)
        fake_act(actions, REPLICA_FOLLOW);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    fake_act(actions, REPLICA_LEAD)->lead.epoch = 7;
}

static atomic_int taken, given_back;

static void on_submitted(struct host_submission *submission, bool is_taken)
{
    ck_assert_uint_eq(submission->count, 1);
    atomic_fetch_add(is_taken ? &taken : &given_back, 1);
}

static void submit(struct host *host, struct host_submission *submission,
                   uint32_t epoch)
{
    static const struct journal_entry entry = {.bytes = {NULL, 0}};

    *submission = (struct host_submission){.epoch = epoch,
                                           .entries = &entry,
                                           .count = 1,
                                           .keyed = true,
                                           .done = on_submitted};
    host_submit(host, submission);
}

static void await_int(atomic_int *value, int least)
{
    while (atomic_load(value) < least)
        (void)usleep(500);
}

START_TEST(entries_of_another_term_never_reach_the_replica)
{
    static struct host_submission submissions[5];
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_lead;
    host = host_rig_start();
    host_rig_await(host_rig_did, "lead:7");
    submit(host, &submissions[0], 6);
    submit(host, &submissions[1], 7);
    submit(host, &submissions[2], 8);
    await_int(&given_back, 2);
    await_int(&taken, 1);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_SUBMITTED), 1);
    ck_assert(fake_replica_newest(1, REPLICA_SUBMITTED).event.submitted.keyed);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    submit(host, &submissions[3], 7);
    await_int(&given_back, 3);
    host_stop(host);
    submit(host, &submissions[4], 7);
    ck_assert_int_eq(atomic_load(&given_back), 4);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_SUBMITTED), 1);
    host_close(host);
}
END_TEST

static void act_keys(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    struct replica_action *action;

    if (number != 2 || event->type != REPLICA_LINK_UP)
        return;
    action = fake_act(actions, REPLICA_SEND_KEYS);
    action->keys.first = 5;
    action->keys.count = 12; /* 6, 9, 12, 15 use eight new keys. */
    action = fake_act(actions, REPLICA_SEND);
    action->send.type = PEER_APPEND;
    action->send.body = slice_of("entries", 7);
}

START_TEST(keys_go_before_the_entries_that_need_them)
{
    struct host *accepts, *dials;

    fake_replica_script = act_keys;
    accepts = host_rig_open(1, 2, 1);
    dials = host_rig_open(2, 1, host_port(accepts));
    ck_assert_int_eq(host_start(accepts), ST_OK);
    ck_assert_int_eq(host_start(dials), ST_OK);
    fake_replica_await(1, REPLICA_RECEIVED, 4);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_LINK_UP), 1);
    struct fake_event last = fake_replica_newest(1, REPLICA_RECEIVED);
    ck_assert_uint_eq(last.event.received.type, PEER_APPEND);
    ck_assert_uint_eq(last.body_size, 7);
    ck_assert_mem_eq(last.body, "entries", 7);
    host_rig_end(dials);
    fake_replica_await(1, REPLICA_LINK_DOWN, 1);
    host_rig_end(accepts);
}
END_TEST

static void act_drop(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    if (number != 1 || event->type != REPLICA_LINK_UP)
        return;
    fake_act(actions, REPLICA_DROP_LINK);
    struct replica_action *action = fake_act(actions, REPLICA_SEND);
    action->send.type = PEER_HELLO;
    action->send.body = slice_of("lost", 4);
}

START_TEST(a_link_that_the_replica_drops_is_down_and_comes_up_again)
{
    struct host *accepts, *dials;

    fake_replica_script = act_drop;
    accepts = host_rig_open(1, 2, 1);
    dials = host_rig_open(2, 1, host_port(accepts));
    ck_assert_int_eq(host_start(accepts), ST_OK);
    ck_assert_int_eq(host_start(dials), ST_OK);
    fake_replica_await(1, REPLICA_LINK_DOWN, 2);
    fake_replica_await(2, REPLICA_LINK_DOWN, 2);
    ck_assert_uint_eq(fake_replica_count(2, REPLICA_RECEIVED), 0);
    host_rig_end(dials);
    host_rig_end(accepts);
}
END_TEST

static struct slice text(const char *words)
{
    return slice_of(words, strlen(words));
}

static void act_nothing(uint8_t number, struct replica_actions *actions,
                        const struct replica_event *event)
{
    MAYBE(number == 1);
    MAYBE(actions->count == 0);
    ck_assert_int_ne((int)event->type, REPLICA_RECEIVED);
}

START_TEST(checkpoints_and_cosignatures_go_between_hosts_and_past_the_replica)
{
    struct peer_frame note = {.type = PEER_CHECKPOINT};
    struct peer_frame line = {.type = PEER_COSIGNED};
    struct host *accepts, *dials;
    const uint8_t stranger[NODE_ID_SIZE] = {3};
    uint8_t first[NODE_ID_SIZE];

    fake_replica_script = act_nothing;
    memset(first, 1, sizeof first);
    note.checkpoint.note = text("note");
    line.cosigned.size = 7;
    line.cosigned.line = text("line");
    accepts = host_rig_open(1, 2, 1);
    dials = host_rig_open(2, 1, host_port(accepts));
    ck_assert_int_eq(host_start(accepts), ST_OK);
    host_send(accepts, NULL, &note); /* Nobody is there. */
    ck_assert_int_eq(host_start(dials), ST_OK);
    host_rig_await(host_rig_did, "linked:1");
    host_rig_await(host_rig_did, "linked:2");
    host_send(accepts, NULL, &note);
    host_rig_await(host_rig_did, "checkpoint:1:note");
    host_send(dials, stranger, &note);
    host_send(dials, first, &line);
    host_rig_await(host_rig_did, "cosigned:2:7:line");
    ck_assert(!host_rig_holds(host_rig_did, "checkpoint:2:"));
    host_stop(dials);
    host_send(dials, NULL, &line); /* It is lost, and nothing waits. */
    host_close(dials);
    host_rig_end(accepts);
}
END_TEST

static void act_broken(uint8_t number, struct replica_actions *actions,
                       const struct replica_event *event)
{
    struct replica_action *action;

    if (number != 2 || event->type != REPLICA_LINK_UP)
        return;
    action = fake_act(actions, REPLICA_SEND);
    action->send.type = PEER_COSIGNED;
    action->send.body = slice_of("short", 5);
}

START_TEST(a_broken_frame_of_evidence_ends_the_link)
{
    struct host *accepts, *dials;

    fake_replica_script = act_broken;
    accepts = host_rig_open(1, 2, 1);
    dials = host_rig_open(2, 1, host_port(accepts));
    ck_assert_int_eq(host_start(accepts), ST_OK);
    ck_assert_int_eq(host_start(dials), ST_OK);
    fake_replica_await(1, REPLICA_LINK_DOWN, 1);
    ck_assert(host_rig_holds(host_rig_said, "broke the rules"));
    ck_assert(!host_rig_holds(host_rig_did, "cosigned"));
    host_rig_end(dials);
    host_rig_end(accepts);
}
END_TEST

START_TEST(a_halt_that_was_kept_is_told_to_the_replica)
{
    const struct halt_note note = {.cause = HALT_EQUIVOCATION, .index = 7};
    struct host *host = host_rig_open(1, 2, 1);
    struct disk *disk = disk_model_disk(host_rig_journal.model);

    ck_assert_uint_eq(fake_replica_halted, HALT_NONE);
    host_close(host);
    ck_assert_int_eq(halt_keep(disk, &note), ST_OK);
    host = host_rig_open(1, 2, 1);
    ck_assert_uint_eq(fake_replica_halted, HALT_EQUIVOCATION);
    host_close(host);
}
END_TEST

SUITE_MAIN("host", actions_are_carried_out_in_their_order,
           every_note_has_a_sentence_of_its_own,
           who_waits_for_more_members_does_not_speak_of_silent_ones,
           jobs_go_to_the_disk_and_come_back_as_events_in_order,
           without_a_register_incarnations_count_and_proposals_are_refused,
           entries_of_another_term_never_reach_the_replica,
           keys_go_before_the_entries_that_need_them,
           a_link_that_the_replica_drops_is_down_and_comes_up_again,
           checkpoints_and_cosignatures_go_between_hosts_and_past_the_replica,
           a_broken_frame_of_evidence_ends_the_link,
           a_halt_that_was_kept_is_told_to_the_replica)
