/*
 * ctest-label: threads
 *
 * What operators, files and clocks bring to the host.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/cluster/host_private.h"
#include "tests/lib/fake_replica.h"
#include "tests/lib/host_rig.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"

START_TEST(questions_are_answered_from_the_hosts_thread)
{
    struct host_query query = {.question = HOST_STATUS};
    struct host *host;

    fake_replica_script = NULL;
    host = host_rig_start();
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert(query.status.healthy);
    query.question = HOST_CONFIG;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_NO_SUCH);
    fake_replica_set_config("configuration");
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_uint_eq(query.bytes_size, 13);
    ck_assert_mem_eq(query.bytes, "configuration", 13);
    query.question = HOST_STATE;
    query.why = CONFIG_ADD;
    query.node_id[0] = 9;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_uint_eq(query.statement.other[0], 9);
    query.why = CONFIG_REMOVE;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_WRONG_STATE);
    query.question = HOST_HAND_OVER;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_uint_eq(
        fake_replica_newest(1, REPLICA_HAND_OVER).event.node_id[0], 9);
    host_stop(host);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_DRAINING);
    host_close(host);
}
END_TEST

static void act_drain(uint8_t number, struct replica_actions *actions,
                      const struct replica_event *event)
{
    MAYBE(number == 1);
    if (event->type == REPLICA_HAND_OVER)
        fake_act(actions, REPLICA_DRAIN)->on = true;
}

START_TEST(the_replica_learns_once_that_nothing_is_under_way)
{
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_drain;
    host = host_rig_start();
    atomic_store(&host_rig_idle, false);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    host_rig_await(host_rig_did, "drain");
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_DRAINED), 0);
    atomic_store(&host_rig_idle, true);
    fake_replica_await(1, REPLICA_DRAINED, 1);
    (void)usleep(50000);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_DRAINED), 1);
    host_rig_end(host);
}
END_TEST

START_TEST(the_clocks_of_those_who_answer_are_told)
{
    static const struct replica_member_status nodes[] = {
        {.heard_ms = 0, .linked = true, .clock_us = 0}, /* Itself. */
        {.heard_ms = -1, .linked = true, .clock_us = 99},
        {.heard_ms = 5, .linked = true, .clock_us = 4},
        {.heard_ms = 5, .linked = true, .clock_us = 7},
        {.heard_ms = 5, .linked = false, .clock_us = 1000},
    };
    struct host *host = host_rig_start();

    while (atomic_load(&host_rig_clock_most) != INT64_MAX)
        (void)usleep(500);
    ck_assert_int_eq(atomic_load(&host_rig_clock_least), INT64_MIN);
    fake_replica_set_nodes(nodes, 5);
    while (atomic_load(&host_rig_clock_most) != 7)
        (void)usleep(500);
    ck_assert_int_eq(atomic_load(&host_rig_clock_least), 4);
    ck_assert_int_eq(atomic_load(&host_rig_nodes), 5);
    host_rig_end(host);
}
END_TEST

static void act_lead(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    MAYBE(number == 1);
    if (event->type == REPLICA_HAND_OVER)
        fake_act(actions, REPLICA_LEAD)->lead.epoch = 7;
}

START_TEST(a_term_waits_for_the_clock_of_another_member_once)
{
    static const struct replica_member_status silent[] = {
        {.member = true, .linked = true},
        {.member = true, .linked = true, .heard_ms = -1},
    };
    static const struct replica_member_status heard[] = {
        {.member = true, .linked = true},
        {.member = true, .linked = true, .heard_ms = 5, .clock_us = 4},
    };
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_lead;
    host = host_rig_start();
    fake_replica_set_nodes(silent, 2);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    host_rig_await(host_rig_did, "lead:7");
    ck_assert_int_eq(atomic_load(&host_rig_clock_least), INT64_MAX);
    fake_replica_set_nodes(heard, 2);
    while (atomic_load(&host_rig_clock_most) != 4)
        (void)usleep(500);
    fake_replica_set_nodes(silent, 2);
    while (atomic_load(&host_rig_clock_most) != INT64_MAX)
        (void)usleep(500);
    ck_assert_int_eq(atomic_load(&host_rig_clock_least), INT64_MIN);
    host_rig_end(host);
}
END_TEST

static void act_slowly(uint8_t number, struct replica_actions *actions,
                       const struct replica_event *event)
{
    MAYBE(number == 1);
    MAYBE(actions->count == 0);
    if (event->type == REPLICA_HAND_OVER)
        host_rig_await(host_rig_did, "go");
}

START_TEST(who_asks_waits_no_longer_than_he_said)
{
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_slowly;
    host = host_rig_start();
    ck_assert_int_eq(host_ask(host, &query, 5), ST_TIMEOUT);
    host_rig_note(host_rig_did, "go");
    fake_replica_await(1, REPLICA_HAND_OVER, 1);
    host_rig_end(host);
}
END_TEST

static struct storage_job job;

static void act_slow_disk(uint8_t number, struct replica_actions *actions,
                          const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_HAND_OVER)
        return;
    once = true;
    fake_act(actions, REPLICA_JOB)->job = &job;
}

START_TEST(a_node_whose_disk_hangs_lets_its_sign_of_life_go)
{
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_slow_disk;
    host = host_rig_start();
    while (atomic_load(&host_rig_healthy) != 1)
        (void)usleep(500);
    fake_disk_stop();
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    while (atomic_load(&host_rig_healthy) != 2)
        (void)usleep(500);
    ck_assert(host_rig_holds(host_rig_said, "counts as dead"));
    fake_disk_go();
    while (atomic_load(&host_rig_healthy) != 1)
        (void)usleep(500);
    fake_replica_set_healthy(false);
    while (atomic_load(&host_rig_healthy) != 2)
        (void)usleep(500);
    host_rig_end(host);
}
END_TEST

static void put_file(const void *bytes, size_t size)
{
    struct disk *disk = disk_model_disk(host_rig_journal.model);

    ck_assert_int_eq(disk_replace(disk, HOST_FILE_INCOMING, "", bytes, size),
                     ST_OK);
}

static bool has_file(const char *name)
{
    struct disk_file *file;
    enum status status =
        disk_open(disk_model_disk(host_rig_journal.model), &file, name);

    if (status == ST_OK)
        disk_close(file);
    return status == ST_OK;
}

static void act_judge(uint8_t number, struct replica_actions *actions,
                      const struct replica_event *event)
{
    struct replica_action *action;

    MAYBE(number == 1);
    if (event->type != REPLICA_CERTIFIED || event->certificate.size < 3 ||
        event->certificate.data[2] != 'x')
        return;
    action = fake_act(actions, REPLICA_SAY);
    action->say.note = NOTE_CERTIFICATE;
    action->say.number = CONFIG_V1_NUMBER;
    action->say.text = "";
}

/* One file, looked at once. */
static void hand_in(const void *bytes, size_t size, const char *line,
                    bool is_taken)
{
    struct host *host;

    fake_replica_script = act_judge;
    host = host_rig_open(1, 2, 1);
    put_file(bytes, size);
    ck_assert_int_eq(host_start(host), ST_OK);
    host_rig_await(host_rig_said, line);
    host_rig_end(host);
    ck_assert(!has_file(HOST_FILE_INCOMING));
    ck_assert_int_eq(has_file(HOST_FILE_TAKEN), is_taken);
    ck_assert_int_eq(has_file(HOST_FILE_REFUSED), !is_taken);
}

START_TEST(a_certificate_in_the_directory_is_taken)
{
    hand_in("C0good", 6, "incoming.certificate is taken", true);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 1);
    ck_assert_uint_eq(fake_replica_newest(1, REPLICA_CERTIFIED).body_size, 6);
}
END_TEST

START_TEST(a_certificate_with_bad_signatures_is_refused_and_not_given_on)
{
    hand_in("C3late", 6, "refused: too late", false);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 0);
}
END_TEST

START_TEST(a_certificate_that_the_replica_refuses_is_refused)
{
    hand_in("C0x", 3, "incoming.certificate is refused: not the next", false);
}
END_TEST

START_TEST(a_file_that_is_no_certificate_is_refused)
{
    static uint8_t large[CONFIG_CERT_SIZE_MAX + 1];

    memset(large, 'C', sizeof large);
    hand_in(large, sizeof large, "refused: it is no certificate", false);
}
END_TEST

START_TEST(a_certificate_that_is_still_being_copied_is_not_judged)
{
    struct host *host;

    fake_replica_script = act_judge;
    host = host_rig_open(1, 2, 1);
    host_look_for_certificate(host);
    put_file("C3", 2);
    host_look_for_certificate(host);
    put_file("C0good", 6);
    host_look_for_certificate(host);
    ck_assert(!has_file(HOST_FILE_TAKEN) && !has_file(HOST_FILE_REFUSED));
    host_look_for_certificate(host);
    ck_assert(has_file(HOST_FILE_TAKEN) && !has_file(HOST_FILE_REFUSED));
    ck_assert_int_eq(host_start(host), ST_OK);
    host_rig_end(host);
}
END_TEST

START_TEST(what_an_archive_may_have_witnessed_waits_until_it_is_linked)
{
    struct host *host;

    host_rig_archive = true;
    host = host_rig_open(1, 2, 1);
    put_file("C1signature", 11);
    ck_assert_int_eq(host_start(host), ST_OK);
    host_rig_await(host_rig_said, "waits until an archive");
    host_rig_end(host);
    ck_assert(has_file(HOST_FILE_INCOMING));
    ck_assert(!has_file(HOST_FILE_REFUSED));
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 0);
}
END_TEST

START_TEST(an_empty_file_is_refused)
{
    hand_in("", 0, "refused: it is no certificate", false);
}
END_TEST

START_TEST(a_certificate_is_judged_for_who_asks)
{
    struct host_query query = {.question = HOST_CERTIFY, .bytes_size = 3};
    struct host *host;

    fake_replica_script = act_judge;
    host = host_rig_start();
    memcpy(query.bytes, "C0a", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_str_eq(query.refusal, "");
    memcpy(query.bytes, "C0x", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_CERTIFICATE);
    ck_assert_str_eq(query.refusal, "not the next");
    memcpy(query.bytes, "C3x", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_CERTIFICATE);
    ck_assert_str_eq(query.refusal, "too late");
    memcpy(query.bytes, "abc", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_FILE_FORMAT);
    host_rig_end(host);
}
END_TEST

static void act_verify(uint8_t number, struct replica_actions *actions,
                       const struct replica_event *event)
{
    static int turn;

    MAYBE(number == 1);
    if (event->type != REPLICA_TICK || turn == 2)
        return;
    fake_act(actions, REPLICA_VERIFY)->certificate =
        turn++ == 0 ? slice_of("C1bad", 5) : slice_of("C0good", 6);
}

START_TEST(a_peers_certificate_comes_back_once_its_signatures_are_right)
{
    struct host *host;

    fake_replica_script = act_verify;
    host = host_rig_start();
    fake_replica_await(1, REPLICA_CERTIFIED, 1);
    host_rig_end(host);
    ck_assert(host_rig_holds(host_rig_said,
                             "a certificate that a node sent is refused"));
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 1);
    ck_assert_mem_eq(fake_replica_newest(1, REPLICA_CERTIFIED).body, "C0good",
                     6);
}
END_TEST

static void act_verify_early(uint8_t number, struct replica_actions *actions,
                             const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (event->type != REPLICA_TICK || once)
        return;
    once = true;
    fake_act(actions, REPLICA_VERIFY)->certificate = slice_of("C1early", 7);
}

START_TEST(a_peers_certificate_is_not_refused_before_the_archive_is_linked)
{
    struct host *host;

    host_rig_archive = true;
    fake_replica_script = act_verify_early;
    host = host_rig_start();
    host_rig_await(host_rig_said, "cannot be judged before the archive");
    host_rig_end(host);
    ck_assert(!host_rig_holds(host_rig_said, "refused"));
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 0);
}
END_TEST

static void act_late(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (event->type != REPLICA_TICK || once)
        return;
    once = true;
    fake_act(actions, REPLICA_VERIFY)->certificate = slice_of("C3late", 6);
}

/* Where one is handed in: a_certificate_is_judged_for_who_asks. */
START_TEST(a_peers_certificate_is_taken_after_its_time)
{
    struct host *host;

    fake_replica_script = act_late;
    host = host_rig_start();
    fake_replica_await(1, REPLICA_CERTIFIED, 1);
    host_rig_end(host);
    ck_assert_mem_eq(fake_replica_newest(1, REPLICA_CERTIFIED).body, "C3late",
                     6);
}
END_TEST

SUITE_MAIN("host_ask", questions_are_answered_from_the_hosts_thread,
           the_replica_learns_once_that_nothing_is_under_way,
           the_clocks_of_those_who_answer_are_told,
           a_term_waits_for_the_clock_of_another_member_once,
           who_asks_waits_no_longer_than_he_said,
           a_node_whose_disk_hangs_lets_its_sign_of_life_go,
           a_certificate_in_the_directory_is_taken,
           a_certificate_with_bad_signatures_is_refused_and_not_given_on,
           a_certificate_that_the_replica_refuses_is_refused,
           a_file_that_is_no_certificate_is_refused, an_empty_file_is_refused,
           a_certificate_that_is_still_being_copied_is_not_judged,
           what_an_archive_may_have_witnessed_waits_until_it_is_linked,
           a_certificate_is_judged_for_who_asks,
           a_peers_certificate_is_taken_after_its_time,
           a_peers_certificate_comes_back_once_its_signatures_are_right,
           a_peers_certificate_is_not_refused_before_the_archive_is_linked)
